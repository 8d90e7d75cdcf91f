/* bench_oblivious: oblivious algorithms on whole tables, three processes on loopback with sealed
 * channels. JSON lines as of bench_mpc: op, n, protocol, threads, seconds (median over the runs of
 * the slowest party), bytes_sent_per_party (mean), rounds, ops_per_s (rows a second), peak_rss
 * (bytes, greatest party). One warm-up run is not counted; keys are arithmetic-shared. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "benches/parties.h"
#include "mpc/circuit/aggregate.h"
#include "mpc/oblivious/compact.h"
#include "mpc/oblivious/group.h"
#include "mpc/oblivious/join.h"
#include "mpc/oblivious/scan.h"
#include "mpc/protocol.h"

enum { RUNS = 3 }; /* unless --runs says otherwise */

/* Two columns of n values: what each operation works on. */
struct table {
    struct mpc_session *s;
    struct mpc_share *key;
    struct mpc_share *value;
    struct mpc_share *bit;   /* random, width 1 */
    struct mpc_share *probe; /* the keys in another order: what a join looks up */
    size_t n;
};

struct operation {
    const char *name;
    struct mpc_range keys;
    fm_status (*run)(const struct table *t, struct base_err *err);
};

struct job {
    const struct operation *op;
    const char *protocol;
    size_t n;
    unsigned runs;
    unsigned threads;
    enum mpc_profile profile;
};

static const struct mpc_share *const *one(struct mpc_share *const *x)
{
    return (const struct mpc_share *const *)x;
}

/* The order, and it as a column of row numbers. */
static fm_status sort(const struct table *t, struct base_err *err)
{
    struct mpc_sort_key by = {.x = t->key};
    struct mpc_share *index = NULL;
    struct mpc_order *order;
    fm_status st = mpc_sort(&order, &by, 1, err);

    if (st != FM_OK)
        return st;
    st = mpc_order_to_index(order, &index, err);
    mpc_share_free(index);
    mpc_order_free(order);
    return st;
}

/* ORDER BY key DESC LIMIT 100, and both columns of these rows. */
static fm_status top(const struct table *t, struct base_err *err)
{
    struct mpc_sort_key by = {.x = t->key, .flags = MPC_SORT_DESCENDING};
    struct mpc_share *columns[2] = {t->key, t->value};
    struct mpc_share *z[2] = {NULL};
    struct mpc_order *order;
    size_t k = t->n < 100 ? t->n : 100;
    fm_status st = mpc_top(&order, &by, 1, k, err);

    if (st != FM_OK)
        return st;
    st = mpc_order_first(order, k, z, one(columns), 2, err);
    mpc_share_free_all(z, 2);
    mpc_order_free(order);
    return st;
}

static fm_status permute(const struct table *t, struct base_err *err)
{
    struct mpc_share *columns[2] = {t->key, t->value};
    struct mpc_share *z[2] = {NULL};
    struct mpc_order *order;
    fm_status st = mpc_order_random(t->s, &order, t->n, err);

    if (st != FM_OK)
        return st;
    st = mpc_order_apply(order, MPC_FORWARD, z, one(columns), 2, err);
    mpc_share_free_all(z, 2);
    mpc_order_free(order);
    return st;
}

static fm_status compact(const struct table *t, struct base_err *err)
{
    struct mpc_share *columns[2] = {t->key, t->value};
    struct mpc_share *z[2] = {NULL};
    struct mpc_order *order;
    fm_status st = mpc_compact(&order, t->bit, err);

    if (st != FM_OK)
        return st;
    st = mpc_order_apply(order, MPC_FORWARD, z, one(columns), 2, err);
    mpc_share_free_all(z, 2);
    mpc_order_free(order);
    return st;
}

static fm_status scan_sum(const struct table *t, struct base_err *err)
{
    struct mpc_share *z = NULL;
    fm_status st = mpc_scan_sum(&z, one(&t->value), 1, t->bit, err);

    mpc_share_free(z);
    return st;
}

static fm_status scan_min(const struct table *t, struct base_err *err)
{
    struct mpc_share *z = NULL;
    fm_status st = mpc_scan_min(&z, t->value, t->bit, err);

    mpc_share_free(z);
    return st;
}

/* SELECT key, SUM(value) GROUP BY key. */
static fm_status group(const struct table *t, struct base_err *err)
{
    struct mpc_sort_key key = {.x = t->key};
    struct mpc_group_item sum = {.kind = MPC_GROUP_SUM, .x = t->value};
    struct mpc_group_by by = {.keys = &key, .keys_len = 1, .items = &sum, .items_len = 1};
    struct mpc_grouped z;
    fm_status st = mpc_group(&z, &by, err);

    if (st == FM_OK)
        mpc_grouped_release(&z);
    return st;
}

static fm_status distinct(const struct table *t, struct base_err *err)
{
    struct mpc_sort_key key = {.x = t->key};
    struct mpc_group_by by = {.keys = &key, .keys_len = 1};
    struct mpc_grouped z;
    fm_status st = mpc_group(&z, &by, err);

    if (st == FM_OK)
        mpc_grouped_release(&z);
    return st;
}

/* SELECT SUM(table.value) of n rows joined by key to a table of n. */
static fm_status join(const struct table *t, struct base_err *err)
{
    struct mpc_lookup by = {.keys = 1,
                            .table = {.key = one(&t->key), .n = t->n},
                            .probe = {.key = one(&t->probe), .n = t->n},
                            .values = one(&t->value),
                            .values_len = 1};
    struct mpc_share *sum = NULL;
    struct mpc_found z;
    fm_status st = mpc_find(&z, &by, err);

    if (st != FM_OK)
        return st;
    st = mpc_sum(&sum, z.value[0], err);
    mpc_share_free(sum);
    mpc_found_release(&z);
    return st;
}

static fm_status semijoin(const struct table *t, struct base_err *err)
{
    struct mpc_lookup by = {.keys = 1,
                            .table = {.key = one(&t->key), .n = t->n},
                            .probe = {.key = one(&t->probe), .n = t->n}};
    struct mpc_found z;
    fm_status st = mpc_find(&z, &by, err);

    if (st == FM_OK)
        mpc_found_release(&z);
    return st;
}

#define BITS32        \
    {                 \
        0, UINT32_MAX \
    }
#define BITS64               \
    {                        \
        INT64_MIN, INT64_MAX \
    }

static const struct operation operations[] = {
    {"permute", BITS32, permute},   {"compact", BITS32, compact},     {"sort20", {0, 999999}, sort},
    {"sort32", BITS32, sort},       {"sort64", BITS64, sort},         {"top100", BITS32, top},
    {"scan_sum", BITS32, scan_sum}, {"scan_min", BITS32, scan_min},   {"group32", BITS32, group},
    {"group64", BITS64, group},     {"distinct64", BITS64, distinct}, {"join32", BITS32, join},
    {"join64", BITS64, join},       {"semijoin64", BITS64, semijoin},
};
enum { OPERATIONS = sizeof operations / sizeof operations[0] };

static fm_status turn_round(struct mpc_share **z, const struct mpc_share *x, struct base_err *err)
{
    size_t n = mpc_share_n(x);
    uint32_t *map = malloc(n * sizeof *map);
    fm_status st;

    if (map == NULL)
        return base_err_memory(err, "input");
    for (size_t i = 0; i < n; i++)
        map[i] = (uint32_t)(n - 1 - i);
    st = mpc_gather(z, x, map, n, err);
    free(map);
    return st;
}

/* Random keys of the operation's range and values of 32 bits, from party 0. */
static fm_status input(struct table *t, struct mpc_range keys, struct base_err *err)
{
    struct mpc_share *x[2] = {NULL};
    struct mpc_input in[2];
    int64_t *values = NULL;
    uint64_t span = (uint64_t)keys.hi - (uint64_t)keys.lo;
    fm_status st = FM_OK;

    if (mpc_session_self(t->s) == 0) {
        values = calloc(2 * t->n, sizeof *values);
        if (values == NULL)
            return base_err_memory(err, "input");
        st = base_random_fill(base_random_system(), values, 2 * t->n * sizeof *values, err);
    }
    for (size_t i = 0; values != NULL && i < t->n; i++) {
        uint64_t r = (uint64_t)values[i];

        values[i] = (int64_t)((uint64_t)keys.lo + (span == UINT64_MAX ? r : r % (span + 1)));
        values[t->n + i] &= UINT32_MAX;
    }
    for (unsigned i = 0; i < 2; i++)
        in[i] = (struct mpc_input){.domain = MPC_RING64,
                                   .owner = 0,
                                   .n = t->n,
                                   .range = i == 0 ? keys : (struct mpc_range){0, UINT32_MAX},
                                   .values = values != NULL ? values + i * t->n : NULL};
    if (st == FM_OK)
        st = mpc_input(t->s, x, in, 2, err);
    free(values);
    t->key = x[0];
    t->value = x[1];
    if (st == FM_OK)
        st = mpc_random_bit(t->s, &t->bit, t->n, err);
    return st == FM_OK ? turn_round(&t->probe, t->key, err) : st;
}

static fm_status timed_runs(const struct job *job, const struct table *t, struct net_transport *net,
                            struct bench_report *report, struct base_err *err)
{
    struct mpc_stats before, after;

    for (unsigned run = 0; run <= job->runs; run++) {
        double start;

        if (bench_barrier(net, BENCH_CONTROL_STREAM, err) != FM_OK)
            return err->code;
        mpc_session_stats(t->s, &before);
        start = bench_now();
        if (job->op->run(t, err) != FM_OK)
            return err->code;
        if (run > 0) /* run 0 warms up */
            report->seconds[run - 1] = bench_now() - start;
        mpc_session_stats(t->s, &after);
        report->bytes_sent = after.bytes_sent - before.bytes_sent;
        report->rounds = after.rounds - before.rounds;
    }
    return FM_OK;
}

static fm_status body(void *ctx, struct net_transport *net, struct bench_report *report,
                      struct base_err *err)
{
    static const unsigned compute[3] = {0, 1, 2};
    const struct job *job = ctx;
    struct mpc_session_config c = {.protocol = mpc_protocol_find(job->protocol),
                                   .transport = net,
                                   .compute = compute,
                                   .compute_len = 3,
                                   .first_stream = 0,
                                   .streams = job->threads,
                                   .profile = job->profile,
                                   .random = base_random_system()};
    struct table t = {.n = job->n};
    fm_status st = mpc_session_open(&t.s, &c, err);

    if (st != FM_OK)
        return st;
    st = input(&t, job->op->keys, err);
    if (st == FM_OK)
        st = timed_runs(job, &t, net, report, err);
    mpc_session_close(t.s);
    return st;
}

static void print(const struct job *job, const struct bench_report r[BENCH_PARTIES])
{
    double median = bench_median(r, job->runs), bytes = 0;
    long rss = 0;

    for (unsigned i = 0; i < BENCH_PARTIES; i++) {
        bytes += (double)r[i].bytes_sent / BENCH_PARTIES;
        rss = r[i].peak_rss_kib > rss ? r[i].peak_rss_kib : rss;
    }
    printf("{\"bytes_sent_per_party\":%.0f,\"n\":%zu,\"op\":\"%s\",\"ops_per_s\":%.0f,\"peak_rss\":"
           "%ld,\"profile\":\"%s\","
           "\"protocol\":\"%s\",\"rounds\":%llu,\"seconds\":%.6f,\"threads\":%u}\n",
           bytes, job->n, job->op->name, median > 0 ? (double)job->n / median : 0, rss * 1024,
           job->profile == MPC_FEW_ROUNDS ? "few-rounds" : "few-bytes", job->protocol, r[0].rounds,
           median, job->threads);
    (void)fflush(stdout);
}

static void usage(void)
{
    printf(
        "usage: bench_oblivious [--op NAME|all] [--n N] [--protocol rep3] [--few-bytes] "
        "[--runs R] [--threads T] [--json]\n"
        "three processes on loopback with sealed channels; one JSON object a line (--json is the "
        "only form)\noperations:");
    for (size_t i = 0; i < OPERATIONS; i++)
        printf(" %s", operations[i].name);
    printf("\n");
}

/* What the command line asks for; 0, or the exit code to end with. op: NULL for all. */
static int parse(struct job *job, const char **op, int argc, char **argv)
{
    bool found = false;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            continue;
        if (strcmp(argv[i], "--help") == 0) {
            usage();
            exit(0);
        }
        if (strcmp(argv[i], "--few-bytes") == 0)
            job->profile = MPC_FEW_BYTES;
        else if (strcmp(argv[i], "--op") == 0 && i + 1 < argc)
            *op = argv[++i];
        else if (strcmp(argv[i], "--protocol") == 0 && i + 1 < argc)
            job->protocol = argv[++i];
        else if (strcmp(argv[i], "--n") == 0 && i + 1 < argc)
            job->n = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc)
            job->runs = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
            job->threads = (unsigned)strtoul(argv[++i], NULL, 10);
        else {
            usage();
            return 2;
        }
    }
    for (size_t i = 0; i < OPERATIONS; i++)
        found |= strcmp(*op, "all") == 0 || strcmp(*op, operations[i].name) == 0;
    if (!found || job->n < 1 || job->n > 100000000 || job->runs < 1 || job->runs > BENCH_RUNS_MAX ||
        job->threads < 1 || job->threads > BENCH_THREADS_MAX ||
        mpc_protocol_find(job->protocol) == NULL) {
        fprintf(stderr, "bench_oblivious: no such operation or protocol, n not 1 to 100000000, or "
                        "runs or threads not 1 to 32: see --help\n");
        return 2;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct job job = {NULL, "rep3", 100000, RUNS, 1, MPC_FEW_ROUNDS};
    struct bench_report reports[BENCH_PARTIES];
    struct base_err err = {0};
    const char *op = "all";
    int code = parse(&job, &op, argc, argv);

    if (code != 0)
        return code;
    for (size_t i = 0; i < OPERATIONS; i++) {
        job.op = &operations[i];
        if (strcmp(op, "all") != 0 && strcmp(op, job.op->name) != 0)
            continue;
        if (bench_parties_run(reports, body, &job, &err) != FM_OK) {
            fprintf(stderr, "bench_oblivious: %s: %s\n", job.op->name, err.text);
            return fm_status_exit(err.code);
        }
        print(&job, reports);
    }
    return 0;
}
