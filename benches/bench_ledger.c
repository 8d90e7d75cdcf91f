/* The whole path of a signed transaction: admission at the sequencer, sequencing, execution,
 * commit, cosignatures, execution at the followers, final at its submitter. Every member has its
 * own replica on disk, and is a thread with an inbox (messages are the engines' own), or with
 * --processes a process with sealed channels to the others (TLS 1.3, AES-GCM frames over ZeroMQ),
 * where benches/net-emulate says. One JSON line per size of the log: members, channels, entries,
 * tx_per_s (wall, over the newest stretch), cpu_us_per_tx (all members together),
 * busiest_us_per_tx (the member that needs most: its core's limit), verify_per_s
 * (the profile's suite, one core, in the same run), share (tx_per_s / verify_per_s), final_ms
 * (median and 99 % of one transaction at a time, from submission at a follower to final there).
 *
 *   bench_ledger [--members N] [--entries N | --n N] [--stretch N] [--dir FOLDER] [--processes]
 *
 * With --engine cometbft each member has a CometBFT of its own beside it, all four or more over
 * loopback; it says also: cometbft_us_per_tx (processor time of all CometBFTs), cometbft_share of
 * all processor time, cores (busy, of this machine's, over the stretch), idle (share of all cores'
 * time over the stretch, by the kernel), bound (what it waits for: "processor" where less than a
 * tenth was idle, else "rounds": CometBFT's pauses and messages), blocks and commit_ms (CometBFT's
 * pause after a block). Exit code 77: there is no cometbft.
 *
 *   bench_ledger --engine cometbft [--validators N] [--cometbft PROGRAM] [--commit-ms N] ...
 *
 * With --flood N at the end: the first member hands N transactions that a rule refuses straight to
 * its CometBFT, and meanwhile the last one's are timed one at a time, beside their time before.
 *
 * With --state N the state tree by itself, on disk with N keys: keys_per_s and cpu_us_per_key of
 * blocks of so many changed keys, each committed; proofs by a reader, processor milliseconds.
 *
 *   bench_ledger --state N [--block KEYS] [--dir FOLDER]
 *
 * With --join, at the end, or with --ledger FILE for a ledger that is there: a snapshot of it, and
 * a replica that begins with that and checks all of it; seconds by the clock and of the processor.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/json.h"
#include "benches/algorithms.h"
#include "benches/ledger_comet.h"
#include "benches/ledger_members.h"
#include "benches/ledger_state.h"
#include "exchange/comet/process.h"
#include "ledger/proof/tx.h"

#define USAGE                                                                                    \
    "bench_ledger [--members N] [--entries N | --n N] [--stretch N] [--dir FOLDER] "             \
    "[--processes] [--profile P]\n"                                                              \
    "  the whole path of a signed transaction, each member a thread with its own replica in "    \
    "FOLDER,\n"                                                                                  \
    "  or with --processes a process with sealed channels to the others\n"                       \
    "  tx_per_s: by the clock, over the newest stretch; cpu_us_per_tx: all members together;\n"  \
    "  busiest_us_per_tx: the member that needs most\n"                                          \
    "  share: tx_per_s / verify_per_s (Ed25519, one core, same run)\n"                           \
    "  final_ms, final_ms_99: one at a time, from submission at a follower to final there\n"     \
    "bench_ledger --engine cometbft [--validators N] [--cometbft PROGRAM] [--commit-ms N] ...\n" \
    "  ordered by CometBFT, a process a member: also its processor time, the cores busy, and\n"  \
    "  what bounds it; --flood N: time to final while another member floods with refused ones\n" \
    "bench_ledger --state N [--block KEYS] [--dir FOLDER]\n"                                     \
    "  the state tree by itself, with N keys: blocks of so many changed keys, proofs\n"          \
    "bench_ledger --ledger FILE [--dir FOLDER], or --join with the first\n"                      \
    "  a snapshot of that ledger, or of the one made; a replica that begins with it"

enum { SAMPLES = 200, SAMPLES_COMET = 20 };

/* The bench, and what it was asked. */
struct options {
    size_t entries, sample, state, block, flood;
    bool processes, comet, join;
    const char *dir, *cometbft, *ledger;
    int64_t commit_ms;
};

static struct ledger_bench bench = {.n = 2};
static pid_t pids[LEDGER_MEMBERS_MAX];
static int64_t version;

static double seconds(clockid_t clock)
{
    struct timespec t = {0, 0};

    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double now_s(void)
{
    return seconds(CLOCK_MONOTONIC);
}

/* Of all members, in whatever process. */
static double cpu_s(void)
{
    double sum = seconds(CLOCK_PROCESS_CPUTIME_ID);
    clockid_t clock;

    for (size_t i = 0; i < LEDGER_MEMBERS_MAX; i++)
        if (pids[i] > 0 && clock_getcpuclockid(pids[i], &clock) == 0)
            sum += seconds(clock);
    return sum;
}

/* Of the member that needs most: what a core of its own could do at most. */
struct spent {
    double of[LEDGER_MEMBERS_MAX];
};

static void look(struct spent *out)
{
    for (size_t i = 0; i < bench.n; i++) {
        clockid_t clock = CLOCK_PROCESS_CPUTIME_ID; /* the last of several processes is this one */
        int bad = 0;

        if (pids[i] > 0)
            bad = clock_getcpuclockid(pids[i], &clock);
        else if (pids[0] == 0)
            bad = pthread_getcpuclockid(bench.member[i].thread, &clock);
        out->of[i] = bad == 0 ? seconds(clock) : 0;
    }
}

static double busiest(const struct spent *from)
{
    struct spent to;
    double most = 0;

    look(&to);
    for (size_t i = 0; i < bench.n; i++)
        if (to.of[i] - from->of[i] > most)
            most = to.of[i] - from->of[i];
    return most;
}

/* ---- the consortium ---- */

static struct ledger_bench_member *driver(void)
{
    return &bench.member[bench.n - 1];
}

static void start(const struct options *o, const char *dir)
{
    size_t first = o->processes ? bench.n - 1 : 0;

    if (o->comet)
        ledger_comet_prepare(&bench, dir);
    ledger_members_make(&bench, dir);
    if (o->comet) {
        ledger_comet_start(&bench, o->cometbft, o->commit_ms);
        return;
    }
    if (o->processes)
        ledger_sealed_start(&bench, pids);
    else
        for (size_t i = 0; i < bench.n; i++)
            ledger_member_open(&bench.member[i]);
    for (size_t i = first; i < bench.n; i++)
        if (pthread_create(&bench.member[i].thread, NULL, ledger_member_run, &bench.member[i]) != 0)
            abort();
}

static void stop(const struct options *o, const char *dir)
{
    size_t first = o->processes ? bench.n - 1 : 0;

    if (o->comet) {
        ledger_comet_stop(&bench);
        first = bench.n;
    }
    for (size_t i = first; i < bench.n; i++)
        ledger_member_stop(&bench.member[i]);
    for (size_t i = first; i < bench.n; i++)
        (void)pthread_join(bench.member[i].thread, NULL);
    for (size_t i = first; i < bench.n; i++)
        ledger_member_close(&bench.member[i]);
    if (o->processes)
        ledger_sealed_join(&bench, pids);
    if (o->join && !o->comet)
        ledger_join_bench(driver()->path, dir);
    for (size_t i = 0; i < bench.n; i++)
        ledger_bench_remove(bench.member[i].path);
    base_buf_release(&bench.genesis);
}

/* ---- transactions ---- */

enum tx_kind { TX_GOOD, TX_REFUSED /* a dataset's first version is not its ninth */ };

/* New versions of one dataset of the last member: the state stays small, the log grows. CometBFT
 * does not keep the order in which they are handed in: there, the first version of a dataset each.
 */
static void make_tx(struct base_buf *out, struct ledger_bench_member *m, enum tx_kind kind)
{
    int64_t now_ms = ledger_bench_now().unix_ms;
    char root[65], text[24], name[32] = "loans";
    uint8_t hash[32];
    json_t *tx, *body;

    (void)snprintf(text, sizeof text, "%lld", (long long)++version);
    if (m->broadcast != NULL)
        (void)snprintf(name, sizeof name, "loans_%s", text);
    base_hash(hash, text, strlen(text));
    base_hex(root, hash, 32);
    body = json_pack("{s:s, s:{s:[{s:s, s:s, s:[i,i], s:b}], s:[], s:i, s:i}, s:I, s:s, s:i}",
                     "dataset", name, "schema", "columns", "name", "balance", "type", "INTEGER",
                     "range", 0, 1000, "nullable", 0, "keys", "rows", 100, "version", 1,
                     "data_version",
                     (json_int_t)(kind == TX_REFUSED     ? 9
                                  : m->broadcast != NULL ? 1
                                                         : version),
                     "root", root, "rows", 100);
    ledger_must(ledger_tx_build(&tx, bench.chain_id, LEDGER_TX_DATASET_PUBLISH, m->did,
                                now_ms + 3600000 + version % 1000, body, &ledger_bench_err));
    ledger_must(ledger_tx_sign(tx, m->node, now_ms / 1000, &ledger_bench_err));
    ledger_must(base_json_canonical(out, tx, &ledger_bench_err));
    json_decref(body);
    json_decref(tx);
}

static void wait_finals(struct ledger_bench_member *m, size_t want)
{
    (void)pthread_mutex_lock(&m->lock);
    while (m->finals < want)
        (void)pthread_cond_wait(&m->final, &m->lock);
    (void)pthread_mutex_unlock(&m->lock);
}

/* Signs n, then hands them in, with a bounded number on their way, until all are final. */
static void stretch(size_t n, double *wall, double *cpu, double *most)
{
    struct ledger_bench_member *m = driver();
    struct base_buf *txs = calloc(n, sizeof *txs);
    double start_s, start_cpu;
    struct spent spent;
    size_t before = m->finals;

    if (txs == NULL)
        abort();
    for (size_t i = 0; i < n; i++)
        make_tx(&txs[i], m, TX_GOOD);
    start_s = now_s();
    start_cpu = cpu_s();
    look(&spent);
    for (size_t i = 0; i < n; i++) {
        if (i >= LEDGER_IN_FLIGHT)
            wait_finals(m, before + i - LEDGER_IN_FLIGHT + 1);
        ledger_member_put(m, LEDGER_MEMBERS_MAX, txs[i].p, txs[i].len);
        base_buf_release(&txs[i]);
    }
    wait_finals(m, before + n);
    *wall = now_s() - start_s;
    *cpu = cpu_s() - start_cpu;
    *most = busiest(&spent);
    free(txs);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void one_at_a_time(size_t samples, double *median, double *high)
{
    struct ledger_bench_member *m = driver();
    struct timespec pause = {0, 4000000}; /* idle, as a node mostly is */
    double ms[SAMPLES];

    for (size_t i = 0; i < samples; i++) {
        struct base_buf tx = {0};
        size_t before = m->finals;
        double at;
        make_tx(&tx, m, TX_GOOD);
        (void)nanosleep(&pause, NULL);
        at = now_s();
        ledger_member_put(m, LEDGER_MEMBERS_MAX, tx.p, tx.len);
        wait_finals(m, before + 1);
        ms[i] = (now_s() - at) * 1000;
        base_buf_release(&tx);
    }
    qsort(ms, samples, sizeof ms[0], compare);
    *median = ms[samples / 2];
    *high = ms[samples * 99 / 100];
}

static double verify_rate(const struct did_secret *secret)
{
    uint8_t message[64] = {1}, signature[DID_SIGNATURE_MAX];
    double cpu;
    size_t n = 0;

    ledger_must(did_secret_sign(secret, signature, message, sizeof message, &ledger_bench_err));
    for (cpu = cpu_s(); n < 4000; n++)
        ledger_must(did_key_verify(did_secret_key(secret), DID_RULES_VERSION, signature, 64,
                                   message, sizeof message, &ledger_bench_err));
    return (double)n / (cpu_s() - cpu);
}

/* All cores' time so far, and what of it was idle, in ticks. */
static bool machine_time(double *all, double *idle)
{
    double t[8];
    FILE *file = fopen("/proc/stat", "re");
    bool good = file != NULL && fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &t[0], &t[1],
                                       &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) == 8;

    if (file != NULL)
        (void)fclose(file);
    *all = *idle = 0;
    for (size_t i = 0; good && i < 8; i++)
        *all += t[i];
    if (good)
        *idle = t[3] + t[4]; /* and waiting for disks */
    return good;
}

/* What others' refused transactions cost this member's good ones. */
static void flood(const struct options *o)
{
    struct ledger_bench_member *m = &bench.member[0];
    struct base_buf *txs = calloc(o->flood, sizeof *txs);
    double alone, alone_high, median, high, at;

    if (txs == NULL)
        abort();
    for (size_t i = 0; i < o->flood; i++)
        make_tx(&txs[i], m, TX_REFUSED);
    one_at_a_time(SAMPLES_COMET, &alone, &alone_high);
    for (size_t i = 0; i < o->flood; i++) {
        ledger_member_put(m, LEDGER_PAST_ENGINE, txs[i].p, txs[i].len);
        base_buf_release(&txs[i]);
    }
    at = now_s();
    one_at_a_time(SAMPLES_COMET, &median, &high);
    (void)printf("{\"engine\":\"cometbft\",\"members\":%zu,\"flood\":%zu,\"final_ms\":%.2f,"
                 "\"final_ms_most\":%.2f,\"flood_final_ms\":%.2f,\"flood_final_ms_most\":%.2f,"
                 "\"ratio\":%.2f,\"seconds\":%.2f}\n",
                 bench.n, o->flood, alone, alone_high, median, high, median / alone, now_s() - at);
    free(txs);
}

static void measure(const struct options *o, size_t entries, size_t sample)
{
    double wall, cpu, most, median, high, verify, theirs = ledger_comet_cpu_s();
    double all[2], idle[2], us = 1e6 / (double)sample;
    uint64_t blocks = driver()->height;
    bool known = machine_time(&all[0], &idle[0]);

    stretch(sample, &wall, &cpu, &most);
    known = machine_time(&all[1], &idle[1]) && known && all[1] > all[0];
    theirs = ledger_comet_cpu_s() - theirs;
    blocks = driver()->height - blocks;
    one_at_a_time(o->comet ? SAMPLES_COMET : SAMPLES, &median, &high);
    verify = verify_rate(driver()->node);
    (void)printf("{\"algorithms\":\"%s\",\"members\":%zu,\"channels\":\"%s\",\"entries\":%zu,\"tx_"
                 "per_s\":%.0f,"
                 "\"cpu_us_per_tx\":%.1f,\"busiest_us_per_tx\":%.1f,\"verify_per_s\":%.0f,"
                 "\"share\":%.2f,\"final_ms\":%.2f,\"final_ms_99\":%.2f",
                 bench_algorithms_name(), bench.n, o->processes ? "sealed" : "memory", entries,
                 (double)sample / wall, cpu * us, most * us, verify, (double)sample / wall / verify,
                 median, high);
    if (o->comet)
        (void)printf(",\"engine\":\"cometbft\",\"cometbft_us_per_tx\":%.1f,"
                     "\"cometbft_share\":%.2f,\"cores\":%.2f,\"blocks\":%llu,\"commit_ms\":%lld",
                     theirs * us, theirs / (theirs + cpu), (theirs + cpu) / wall,
                     (unsigned long long)blocks, (long long)o->commit_ms);
    if (o->comet && known) {
        double share = (idle[1] - idle[0]) / (all[1] - all[0]);
        (void)printf(",\"idle\":%.2f,\"bound\":\"%s\"", share,
                     share < 0.1 ? "processor" : "rounds");
    }
    (void)puts("}");
    (void)fflush(stdout);
}

static bool is_on_path(const char *program)
{
    char text[32];
    struct base_err none = {0};

    return comet_version_check(text, program, &none) == FM_OK;
}

static int parse(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--processes") == 0) {
            o->processes = true;
            continue;
        }
        if (strcmp(argv[i], "--join") == 0) {
            o->join = true;
            continue;
        }
        if (value == NULL)
            return 2;
        if (strcmp(argv[i], "--members") == 0 || strcmp(argv[i], "--validators") == 0)
            bench.n = (size_t)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--entries") == 0 || strcmp(argv[i], "--n") == 0)
            o->entries = (size_t)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--state") == 0)
            o->state = (size_t)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--block") == 0)
            o->block = (size_t)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--stretch") == 0)
            o->sample = (size_t)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--flood") == 0)
            o->flood = (size_t)strtoul(value, NULL, 10);
        else if (strcmp(argv[i], "--ledger") == 0)
            o->ledger = value;
        else if (strcmp(argv[i], "--dir") == 0)
            o->dir = value;
        else if (strcmp(argv[i], "--cometbft") == 0)
            o->cometbft = value;
        else if (strcmp(argv[i], "--commit-ms") == 0)
            o->commit_ms = strtoll(value, NULL, 10);
        else if (strcmp(argv[i], "--engine") == 0 && strcmp(value, "cometbft") == 0)
            o->comet = true;
        else
            return 2;
        i++;
    }
    return bench.n < 1 || (o->comet && o->processes) || (o->flood > 0 && !o->comet) ||
                   bench.n > LEDGER_MEMBERS_MAX || o->sample < 1
               ? 2
               : 0;
}

static void whole_path(const struct options *o, const char *dir)
{
    size_t done = 0;

    start(o, dir);
    for (size_t size = 1000; done < o->entries; size *= 10) {
        size_t goal = size < o->entries ? size : o->entries;
        size_t n = o->sample < goal / 2 ? o->sample : goal / 2;
        double wall, cpu, most;
        while (goal > done + n) {
            size_t some = goal - done - n < 20000 ? goal - done - n : 20000;
            stretch(some, &wall, &cpu, &most);
            done += some;
        }
        measure(o, goal, n);
        done += n;
    }
    if (o->flood > 0)
        flood(o);
    stop(o, dir);
}

int main(int argc, char **argv)
{
    struct options o = {.entries = 10000,
                        .sample = 5000,
                        .block = 1000,
                        .dir = "/tmp",
                        .cometbft = "cometbft",
                        .commit_ms = 100};
    char dir[128];

    if (!bench_algorithms(&argc, argv))
        return 2;
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        puts(USAGE);
        return 0;
    }
    if (parse(&o, argc, argv) != 0) {
        (void)fprintf(stderr, "usage: %s\n", USAGE);
        return 2;
    }
    if (o.comet && !is_on_path(o.cometbft)) {
        (void)fprintf(stderr,
                      "bench_ledger: skipped: no cometbft program: ./run cometbft installs it "
                      "(--cometbft says where)\n");
        return 77;
    }
    (void)snprintf(dir, sizeof dir, "%.100s/firmiana-bench-XXXXXX", o.dir);
    if (mkdtemp(dir) == NULL)
        return 8;
    if (o.state > 0)
        ledger_state_bench(dir, o.state, o.block);
    else if (o.ledger != NULL)
        ledger_join_bench(o.ledger, dir);
    else
        whole_path(&o, dir);
    return rmdir(dir) == 0 ? 0 : 1;
}
