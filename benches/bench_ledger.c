/* The whole path of a signed transaction: admission at the sequencer, sequencing, execution,
 * commit, cosignatures, execution at the followers, final at its submitter. Every member has its
 * own replica on disk, and is a thread with an inbox (messages are the engines' own), or with
 * --processes a process with sealed channels to the others (TLS 1.3, AES-GCM frames over ZeroMQ),
 * where benches/net-emulate says.
 *
 * With --engine cometbft each member has a CometBFT of its own beside it, all over loopback; with
 * --flood, at the end, the first member hands transactions that a rule refuses straight to its
 * CometBFT, and meanwhile the last one's are timed one at a time, beside their time before. With
 * --state the state tree by itself, on disk; with --join, at the end, or with --ledger FILE for a
 * ledger that is there: a snapshot of it, and a replica that begins with that and checks all. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/profile.h"
#include "benches/ledger_comet.h"
#include "benches/ledger_members.h"
#include "benches/ledger_state.h"
#include "benches/options.h"
#include "exchange/comet/process.h"
#include "ledger/proof/tx.h"

enum { SAMPLES = 200, SAMPLES_COMET = 20 };

/* The bench, and what it was asked. */
struct options {
    size_t entries, sample, state, block, flood;
    bool processes, comet, join;
    const char *engine, *dir, *cometbft, *ledger;
    size_t commit_ms;
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
        ledger_comet_start(&bench, o->cometbft, (int64_t)o->commit_ms);
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
    qsort(ms, samples, sizeof ms[0], bench_ascending);
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
    bench_line(
        "flood",
        "\"engine\":\"cometbft\",\"final_ms\":%.2f,\"final_ms_most\":%.2f,\"flood_final_ms\":%.2f,"
        "\"flood_final_ms_most\":%.2f,\"members\":%zu,\"n\":%zu,\"ops_per_s\":%.1f,\"ratio\":%.2f,"
        "\"seconds\":%.2f",
        alone, alone_high, median, high, bench.n, o->flood, SAMPLES_COMET / (now_s() - at),
        median / alone, now_s() - at);
    free(txs);
}

static void measure(const struct options *o, size_t entries, size_t sample)
{
    double wall, cpu, most, median, high, verify, theirs = ledger_comet_cpu_s();
    uint64_t blocks = driver()->height;
    double all[2], idle[2], us = 1e6 / (double)sample;
    bool known = machine_time(&all[0], &idle[0]);
    char more[256] = "", what[64] = "";

    stretch(sample, &wall, &cpu, &most);
    known = machine_time(&all[1], &idle[1]) && known && all[1] > all[0];
    theirs = ledger_comet_cpu_s() - theirs;
    blocks = driver()->height - blocks;
    one_at_a_time(o->comet ? SAMPLES_COMET : SAMPLES, &median, &high);
    verify = verify_rate(driver()->node);
    if (o->comet && known)
        (void)snprintf(what, sizeof what, ",\"bound\":\"%s\",\"idle\":%.2f",
                       idle[1] - idle[0] < 0.1 * (all[1] - all[0]) ? "processor" : "rounds",
                       (idle[1] - idle[0]) / (all[1] - all[0]));
    if (o->comet)
        (void)snprintf(more, sizeof more,
                       ",\"engine\":\"cometbft\",\"blocks\":%llu,\"cometbft_share\":%.2f,"
                       "\"cometbft_us_per_tx\":%.1f,\"commit_ms\":%zu,\"cores\":%.2f%s",
                       (unsigned long long)blocks, theirs / (theirs + cpu), theirs * us,
                       o->commit_ms, (theirs + cpu) / wall, what);
    bench_line("transaction",
               "\"busiest_us_per_tx\":%.1f,\"channels\":\"%s\",\"cpu_us_per_tx\":%.1f,"
               "\"final_ms\":%.2f,\"final_ms_99\":%.2f,\"members\":%zu,\"n\":%zu,"
               "\"ops_per_s\":%.0f,\"seconds\":%.4f,\"share\":%.2f,\"stretch\":%zu,"
               "\"verify_per_s\":%.0f%s",
               most * us, o->processes ? "sealed" : "memory", cpu * us, median, high, bench.n,
               entries, (double)sample / wall, wall, (double)sample / wall / verify, sample, verify,
               more);
}

static bool is_on_path(const char *program)
{
    char text[32];
    struct base_err none = {0};

    return comet_version_check(text, program, &none) == FM_OK;
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

static struct options asked = {.entries = 10000,
                               .sample = 5000,
                               .block = 1000,
                               .engine = "embedded",
                               .dir = "/tmp",
                               .cometbft = "cometbft",
                               .commit_ms = 100};
static const struct bench_option options[] = {
    {"--members", BENCH_SIZE, &bench.n, 1, LEDGER_MEMBERS_MAX, NULL, "each with a replica on disk"},
    {"--validators", BENCH_SIZE, &bench.n, 1, LEDGER_MEMBERS_MAX, NULL, "the same"},
    {"--n", BENCH_SIZE, &asked.entries, 2, 100000000, NULL, "entries; 1000, 10000 ... before it"},
    {"--entries", BENCH_SIZE, &asked.entries, 2, 100000000, NULL, "the same"},
    {"--stretch", BENCH_SIZE, &asked.sample, 1, 1000000, NULL, "newest entries that are timed"},
    {"--processes", BENCH_FLAG, &asked.processes, 0, 0, NULL, "each member one, sealed channels"},
    {"--engine", BENCH_TEXT, &asked.engine, 0, 0, "embedded|cometbft", "who orders"},
    {"--cometbft", BENCH_TEXT, &asked.cometbft, 0, 0, NULL, "the program"},
    {"--commit-ms", BENCH_SIZE, &asked.commit_ms, 0, 60000, NULL, "its pause after a block"},
    {"--flood", BENCH_SIZE, &asked.flood, 1, 1000000, NULL,
     "of cometbft: refused ones, at the end"},
    {"--join", BENCH_FLAG, &asked.join, 0, 0, NULL, "at the end: a snapshot, a replica from it"},
    {"--ledger", BENCH_TEXT, &asked.ledger, 0, 0, NULL, "only that, of this file"},
    {"--state", BENCH_SIZE, &asked.state, 1, 100000000, NULL,
     "only the state tree, of so many keys"},
    {"--block", BENCH_SIZE, &asked.block, 1, 1000000, NULL, "keys that a block changes"},
    {"--dir", BENCH_TEXT, &asked.dir, 0, 0, NULL, "where ledgers go, and are removed"},
    {.name = NULL}};
static const struct bench_field fields[] = {
    {"n", "", "entries of the log, or of the snapshot; keys of the state; refused ones of flood"},
    {"stretch", "entries", "the newest, which were timed"},
    {"seconds", "s", "by the clock: the stretch until final; keys changed; join: replica begun"},
    {"ops_per_s", "1/s", "transactions, keys"},
    {"members", "", ""},
    {"channels", "", "memory: members are threads; sealed: processes, TLS 1.3 and AES-GCM"},
    {"cpu_us_per_tx", "us", "processor time, all members together"},
    {"busiest_us_per_tx", "us", "of the member that needs most"},
    {"verify_per_s", "1/s", "signatures verified on one core in the same run, one by one"},
    {"share", "", "ops_per_s / verify_per_s"},
    {"final_ms", "ms", "one transaction at a time: handed in at a follower, final there; median"},
    {"final_ms_99", "ms", "99 of 100 take less"},
    {"engine", "", "cometbft, else the line has none of these:"},
    {"cometbft_us_per_tx", "us", "processor time of all CometBFTs"},
    {"cometbft_share", "", "of all processor time"},
    {"cores", "", "busy in the stretch"},
    {"idle", "", "share of all cores' time over the stretch, by the kernel"},
    {"bound", "", "what it waits for: processor (less than a tenth idle), or rounds of messages"},
    {"final_ms_most", "ms", "of flood: before it, the slowest"},
    {"flood_final_ms", "ms", "of flood: final_ms meanwhile"},
    {"flood_final_ms_most", "ms", "the slowest"},
    {"ratio", "", "of flood: flood_final_ms / final_ms"},
    {"blocks", "", "of the stretch"},
    {"commit_ms", "ms", "CometBFT's pause after a block"},
    {"keys_per_block", "", "of state: changed"},
    {"cpu_us_per_key", "us", "of state: processor time, with its commit"},
    {"prove_cpu_ms", "ms", "of state: processor time of a proof, median"},
    {"prove_cpu_ms_99", "ms", "99 of 100 take less"},
    {"snapshot_bytes", "bytes", "of join"},
    {"snapshot_s", "s", "of join: to write it"},
    {"snapshot_cpu_s", "s", "processor time of the same"},
    {"join_cpu_s", "s", "processor time of beginning a replica with it, every hash checked"},
    {.name = NULL}};
static const struct bench_program program = {
    "bench_ledger",
    "the whole path of a signed transaction, from a follower's hands until it is final there; "
    "with\n"
    "--state the state tree on disk, with --join or --ledger a snapshot and a replica from it",
    options,
    fields,
    BENCH_PROFILE | BENCH_NETWORK,
    NULL};

/* What does not go together. */
static bool agrees(int *status, const struct options *o)
{
    const char *wrong = NULL;

    *status = 2;
    if (o->comet && o->processes)
        wrong = "--engine cometbft with --processes: its members are processes already";
    else if (o->comet && o->join)
        wrong = "--engine cometbft with --join: a snapshot is taken of an embedded ledger";
    else if (o->comet && base_profile_is_national())
        wrong =
            "--engine cometbft with --profile national: CometBFT has Ed25519 and SHA-256 inside";
    else if (!o->comet && o->flood > 0)
        wrong = "--flood needs --engine cometbft";
    if (wrong != NULL) {
        (void)fprintf(stderr, "bench_ledger: %s\n", wrong);
        return false;
    }
    if (o->processes)
        return bench_reached(status, BENCH_NETWORK);
    return bench_reached(status, o->comet ? BENCH_LOOPBACK : 0);
}

int main(int argc, char **argv)
{
    char dir[128];
    int status;

    if (!bench_begin(&status, &program, argc, argv))
        return status;
    asked.comet = strcmp(asked.engine, "cometbft") == 0;
    if (!agrees(&status, &asked))
        return status;
    if (asked.comet && !is_on_path(asked.cometbft)) {
        (void)fprintf(stderr,
                      "bench_ledger: skipped: no cometbft program: ./run cometbft installs it "
                      "(--cometbft says where)\n");
        return 77;
    }
    (void)snprintf(dir, sizeof dir, "%.100s/firmiana-bench-XXXXXX", asked.dir);
    if (mkdtemp(dir) == NULL) {
        (void)fprintf(stderr, "bench_ledger: --dir %s: a folder cannot be made there\n", asked.dir);
        return 8;
    }
    if (asked.state > 0)
        ledger_state_bench(dir, asked.state, asked.block);
    else if (asked.ledger != NULL)
        ledger_join_bench(asked.ledger, dir);
    else
        whole_path(&asked, dir);
    return rmdir(dir) == 0 ? 0 : 8;
}
