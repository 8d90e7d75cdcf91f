/* The whole path of a signed transaction: admission at the sequencer, sequencing, execution,
 * commit, cosignatures, execution at the followers, final at its submitter. Every member is a
 * thread with its own replica on disk and its own inbox; messages are the engines' own, without the
 * sealed channel. One JSON line per size of the log: members, entries, tx_per_s (wall, over the
 * newest stretch), cpu_us_per_tx (all members together), verify_per_s (Ed25519, one core, in the
 * same run), share (tx_per_s / verify_per_s), final_ms (median and 99 % of one transaction at a
 * time, from submission at a follower to final there).
 *
 *   bench_ledger [--members N] [--entries N | --n N] [--stretch N] [--dir FOLDER] */
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/random.h"
#include "did/draft.h"
#include "ledger/engine/engine.h"
#include "ledger/proof/tx.h"

#define USAGE                                                                                  \
    "bench_ledger [--members N] [--entries N | --n N] [--stretch N] [--dir FOLDER]\n"          \
    "  the whole path of a signed transaction, each member a thread with its own replica in "  \
    "FOLDER\n"                                                                                 \
    "  tx_per_s: by the clock, over the newest stretch; cpu_us_per_tx: all members together\n" \
    "  share: tx_per_s / verify_per_s (Ed25519, one core, same run)\n"                         \
    "  final_ms, final_ms_99: one at a time, from submission at a follower to final there"

enum { MEMBERS_MAX = 8, IN_FLIGHT = 2000, SAMPLES = 200 };

static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK) {
        (void)fprintf(stderr, "bench_ledger: %s\n", err.text);
        exit(fm_status_exit(st));
    }
}

static double now_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_s(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- members ---- */

struct parcel {
    struct parcel *next;
    size_t from; /* MEMBERS_MAX: a transaction of our own to submit */
    size_t len;
    uint8_t bytes[];
};

struct bench;

struct member {
    struct bench *bench;
    size_t index;
    char alias[33], did[DID_FIRMIANA_TEXT], path[160];
    struct did_secret *node;
    struct ledger_chain *chain;
    struct ledger_engine *engine;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct parcel *first, *last; /* the inbox */
    size_t finals;               /* results of our own: under lock */
    pthread_cond_t final;
    bool stop;
};

struct bench {
    size_t n;
    struct member member[MEMBERS_MAX];
    uint8_t chain_id[32];
    int64_t version;
};

static void put(struct member *to, size_t from, const void *bytes, size_t len)
{
    struct parcel *p = malloc(sizeof *p + len);

    if (p == NULL)
        abort();
    p->next = NULL;
    p->from = from;
    p->len = len;
    memcpy(p->bytes, bytes, len);
    (void)pthread_mutex_lock(&to->lock);
    if (to->last == NULL)
        to->first = p;
    else
        to->last->next = p;
    to->last = p;
    (void)pthread_cond_signal(&to->more);
    (void)pthread_mutex_unlock(&to->lock);
}

static fm_status on_cosign(void *ctx, struct ledger_cosignature *out,
                           const struct ledger_checkpoint *checkpoint, int64_t time_s,
                           struct base_err *e)
{
    const struct member *m = ctx;

    return ledger_cosign(out, checkpoint, m->did, m->node, time_s, e);
}

static fm_status on_sign(void *ctx, json_t *tx, int64_t time_s, struct base_err *e)
{
    return ledger_tx_sign(tx, ((const struct member *)ctx)->node, time_s, e);
}

static void on_send(void *ctx, const char *alias, const void *bytes, size_t len)
{
    struct member *m = ctx;

    for (size_t i = 0; i < m->bench->n; i++)
        if (strcmp(m->bench->member[i].alias, alias) == 0)
            put(&m->bench->member[i], m->index, bytes, len);
}

static void on_event(void *ctx, const struct ledger_engine_event *event)
{
    struct member *m = ctx;

    if (event->kind != LEDGER_ENGINE_RESULT)
        return;
    if (event->outcome->verdict != LEDGER_OK) {
        (void)fprintf(stderr, "bench_ledger: %s\n", event->text);
        exit(1);
    }
    (void)pthread_mutex_lock(&m->lock);
    m->finals++;
    (void)pthread_cond_signal(&m->final);
    (void)pthread_mutex_unlock(&m->lock);
}

static struct ledger_now now(void)
{
    const struct base_clock *clock = base_clock_system();

    return (struct ledger_now){base_clock_unix_ms(clock), base_clock_mono_ms(clock)};
}

/* The next parcel, waiting for it at most so long; NULL: none. */
static struct parcel *take(struct member *m, int64_t wait_ms)
{
    struct timespec until;
    struct parcel *p;

    (void)clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += wait_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&m->lock);
    while (m->first == NULL && !m->stop && wait_ms > 0)
        if (pthread_cond_timedwait(&m->more, &m->lock, &until) != 0)
            break;
    p = m->first;
    if (p != NULL) {
        m->first = p->next;
        if (m->first == NULL)
            m->last = NULL;
    }
    (void)pthread_mutex_unlock(&m->lock);
    return p;
}

static void *run(void *ctx)
{
    struct member *m = ctx;
    struct base_err e = {0};

    for (size_t i = 0; i < m->bench->n; i++)
        if (i != m->index &&
            ledger_engine_peer_up(m->engine, m->bench->member[i].alias, now(), &e) != FM_OK)
            abort();
    while (!m->stop) {
        int64_t wait = ledger_engine_wait(m->engine, now().mono_ms);
        struct parcel *p = take(m, wait);
        struct ledger_outcome outcome;
        fm_status st;
        if (p == NULL)
            st = ledger_engine_tick(m->engine, now(), &e);
        else if (p->from == MEMBERS_MAX)
            st = ledger_engine_submit(m->engine, &outcome, p->bytes, p->len, now(), &e);
        else
            st = ledger_engine_receive(m->engine, m->bench->member[p->from].alias, p->bytes, p->len,
                                       now(), &e);
        free(p);
        if (st != FM_OK) {
            (void)fprintf(stderr, "bench_ledger: %s: %s\n", m->alias, e.text);
            exit(1);
        }
    }
    return NULL;
}

/* ---- the consortium ---- */

static json_t *member_entry(struct member *m)
{
    struct did_secret *officer, *recovery;
    struct did_document *doc;
    struct did_draft draft = {0};
    uint8_t commit[32];
    json_t *entry;

    must(did_secret_generate(&m->node, did_suite_ed25519(), base_random_system(), &err));
    must(did_secret_generate(&officer, did_suite_ed25519(), base_random_system(), &err));
    must(did_secret_generate(&recovery, did_suite_ed25519(), base_random_system(), &err));
    did_recovery_commit(commit, did_secret_key(recovery));
    must(did_draft_first(&draft, NULL, m->alias, commit, &err));
    must(did_draft_add(&draft, did_secret_key(m->node),
                       DID_ROLE_AUTHENTICATION | DID_ROLE_ASSERTION, &err));
    must(did_draft_add(&draft, did_secret_key(officer), DID_ROLE_INVOCATION, &err));
    must(did_draft_build(&doc, &draft, DID_RULES_VERSION, &err));
    entry = json_pack("{s:s, s:O, s:[s,s,s], s:s}", "alias", m->alias, "document",
                      did_document_json(doc), "roles", "asker", "provider", "compute", "endpoint",
                      "tcp://127.0.0.1:7001");
    did_document_free(doc);
    did_draft_release(&draft);
    did_secret_free(officer);
    did_secret_free(recovery);
    return entry;
}

static void make_genesis(struct bench *b, struct base_buf *out)
{
    json_t *members = json_array(), *genesis;

    for (size_t i = 0; i < b->n; i++)
        (void)json_array_append_new(members, member_entry(&b->member[i]));
    genesis = json_pack(
        "{s:i, s:s, s:I, s:i, s:o, s:I, s:s, s:{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:i}}",
        "format", 1, "name", "bench", "time", (json_int_t)(now().unix_ms - 1000), "rules_version",
        1, "members", members, "quorum", (json_int_t)(b->n / 2 + 1), "sequencer", "bank_a",
        "limits", "tx_bytes", 65536, "block_txs", 1000, "block_bytes", 1 << 22, "not_after_ms",
        86400000, "refused_per_day", 1000, "open_queries", 10, "unreceipted_queries", 10,
        "consent_uses", 10, "deadline_ms", 60000, "minimum_group", 2);
    must(base_json_canonical(out, genesis, &err));
    json_decref(genesis);
    base_sha256(b->chain_id, out->p, out->len);
}

static void start(struct bench *b, const char *dir)
{
    const struct ledger_engine_callbacks calls = {on_cosign, on_sign, on_send, on_event, NULL};
    struct base_buf genesis = {0};

    for (size_t i = 0; i < b->n; i++) {
        struct member *m = &b->member[i];
        m->bench = b;
        m->index = i;
        (void)snprintf(m->alias, sizeof m->alias, "bank_%c", (char)('a' + i));
        (void)snprintf(m->path, sizeof m->path, "%s/%zu.db", dir, i);
        (void)pthread_mutex_init(&m->lock, NULL);
        (void)pthread_cond_init(&m->more, NULL);
        (void)pthread_cond_init(&m->final, NULL);
    }
    make_genesis(b, &genesis);
    for (size_t i = 0; i < b->n; i++) {
        struct member *m = &b->member[i];
        struct ledger_engine_callbacks mine = calls;
        struct ledger_engine_params params = ledger_engine_defaults();
        json_t *json;
        mine.ctx = m;
        params.outbox_txs = 2 * IN_FLIGHT;
        must(ledger_chain_create(&m->chain, m->path, genesis.p, genesis.len, &err));
        must(ledger_reader_member(ledger_chain_reader(m->chain), &json, m->alias, &err));
        (void)snprintf(m->did, sizeof m->did, "%s",
                       json_string_value(json_object_get(json, "did")));
        json_decref(json);
        must(ledger_engine_new(&m->engine, m->chain, m->alias, &mine, &params, &err));
    }
    base_buf_release(&genesis);
    for (size_t i = 0; i < b->n; i++)
        if (pthread_create(&b->member[i].thread, NULL, run, &b->member[i]) != 0)
            abort();
}

static void stop(struct bench *b)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};

    for (size_t i = 0; i < b->n; i++) {
        struct member *m = &b->member[i];
        (void)pthread_mutex_lock(&m->lock);
        m->stop = true;
        (void)pthread_cond_signal(&m->more);
        (void)pthread_mutex_unlock(&m->lock);
    }
    for (size_t i = 0; i < b->n; i++) {
        struct member *m = &b->member[i];
        char name[192];
        (void)pthread_join(m->thread, NULL);
        ledger_engine_free(m->engine);
        ledger_chain_close(m->chain);
        did_secret_free(m->node);
        while (m->first != NULL) {
            struct parcel *p = m->first;
            m->first = p->next;
            free(p);
        }
        for (size_t k = 0; k < 4; k++) {
            (void)snprintf(name, sizeof name, "%s%s", m->path, endings[k]);
            (void)unlink(name);
        }
    }
}

/* ---- transactions ---- */

/* New versions of one dataset of the last member: the state stays small, the log grows. */
static void make_tx(struct bench *b, struct base_buf *out)
{
    struct member *m = &b->member[b->n - 1];
    char root[65], text[24];
    uint8_t hash[32];
    json_t *tx, *body;

    (void)snprintf(text, sizeof text, "%lld", (long long)++b->version);
    base_sha256(hash, text, strlen(text));
    base_hex(root, hash, 32);
    body = json_pack("{s:s, s:{s:[{s:s, s:s, s:[i,i], s:b}], s:[], s:i, s:i}, s:I, s:s, s:i}",
                     "dataset", "loans", "schema", "columns", "name", "balance", "type", "INTEGER",
                     "range", 0, 1000, "nullable", 0, "keys", "rows", 100, "version", 1,
                     "data_version", (json_int_t)b->version, "root", root, "rows", 100);
    must(ledger_tx_build(&tx, b->chain_id, LEDGER_TX_DATASET_PUBLISH, m->did,
                         now().unix_ms + 3600000 + b->version % 1000, body, &err));
    must(ledger_tx_sign(tx, m->node, now().unix_ms / 1000, &err));
    must(base_json_canonical(out, tx, &err));
    json_decref(body);
    json_decref(tx);
}

static void wait_finals(struct member *m, size_t want)
{
    (void)pthread_mutex_lock(&m->lock);
    while (m->finals < want)
        (void)pthread_cond_wait(&m->final, &m->lock);
    (void)pthread_mutex_unlock(&m->lock);
}

/* Signs n, then hands them in, with a bounded number on their way, until all are final. */
static void stretch(struct bench *b, size_t n, double *wall, double *cpu)
{
    struct member *m = &b->member[b->n - 1];
    struct base_buf *txs = calloc(n, sizeof *txs);
    double start_s, start_cpu;
    size_t before = m->finals;

    if (txs == NULL)
        abort();
    for (size_t i = 0; i < n; i++)
        make_tx(b, &txs[i]);
    start_s = now_s();
    start_cpu = cpu_s();
    for (size_t i = 0; i < n; i++) {
        if (i >= IN_FLIGHT)
            wait_finals(m, before + i - IN_FLIGHT + 1);
        put(m, MEMBERS_MAX, txs[i].p, txs[i].len);
        base_buf_release(&txs[i]);
    }
    wait_finals(m, before + n);
    *wall = now_s() - start_s;
    *cpu = cpu_s() - start_cpu;
    free(txs);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void one_at_a_time(struct bench *b, double *median, double *high)
{
    struct member *m = &b->member[b->n - 1];
    struct timespec pause = {0, 4000000}; /* idle, as a node mostly is */
    double ms[SAMPLES];

    for (size_t i = 0; i < SAMPLES; i++) {
        struct base_buf tx = {0};
        size_t before = m->finals;
        double at;
        make_tx(b, &tx);
        (void)nanosleep(&pause, NULL);
        at = now_s();
        put(m, MEMBERS_MAX, tx.p, tx.len);
        wait_finals(m, before + 1);
        ms[i] = (now_s() - at) * 1000;
        base_buf_release(&tx);
    }
    qsort(ms, SAMPLES, sizeof ms[0], compare);
    *median = ms[SAMPLES / 2];
    *high = ms[SAMPLES * 99 / 100];
}

static double verify_rate(const struct did_secret *secret)
{
    uint8_t message[64] = {1}, signature[DID_SIGNATURE_MAX];
    double cpu;
    size_t n = 0;

    must(did_secret_sign(secret, signature, message, sizeof message, &err));
    for (cpu = cpu_s(); n < 4000; n++)
        must(did_key_verify(did_secret_key(secret), DID_RULES_VERSION, signature, 64, message,
                            sizeof message, &err));
    return (double)n / (cpu_s() - cpu);
}

static void measure(struct bench *b, size_t entries, size_t sample)
{
    double wall, cpu, median, high, verify;

    stretch(b, sample, &wall, &cpu);
    one_at_a_time(b, &median, &high);
    verify = verify_rate(b->member[0].node);
    (void)printf("{\"members\":%zu,\"entries\":%zu,\"tx_per_s\":%.0f,\"cpu_us_per_tx\":%.1f,"
                 "\"verify_per_s\":%.0f,\"share\":%.2f,\"final_ms\":%.2f,\"final_ms_99\":%.2f}\n",
                 b->n, entries, (double)sample / wall, cpu / (double)sample * 1e6, verify,
                 (double)sample / wall / verify, median, high);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct bench b = {.n = 2};
    size_t entries = 10000, sample = 5000, done = 0;
    const char *base = "/tmp";
    char dir[128];

    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        puts(USAGE);
        return 0;
    }
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--members") == 0)
            b.n = (size_t)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--entries") == 0 || strcmp(argv[i], "--n") == 0)
            entries = (size_t)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--stretch") == 0)
            sample = (size_t)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--dir") == 0)
            base = argv[i + 1];
        else
            return 2;
    }
    if (argc % 2 == 0 || b.n < 1 || b.n > MEMBERS_MAX || sample < 1)
        return 2;
    (void)snprintf(dir, sizeof dir, "%.100s/firmiana-bench-XXXXXX", base);
    if (mkdtemp(dir) == NULL)
        return 8;
    start(&b, dir);
    for (size_t size = 1000; done < entries; size *= 10) {
        size_t goal = size < entries ? size : entries, n = sample < goal / 2 ? sample : goal / 2;
        double wall, cpu;
        while (goal > done + n) {
            size_t some = goal - done - n < 20000 ? goal - done - n : 20000;
            stretch(&b, some, &wall, &cpu);
            done += some;
        }
        measure(&b, goal, n);
        done += n;
    }
    stop(&b);
    return rmdir(dir) == 0 ? 0 : 1;
}
