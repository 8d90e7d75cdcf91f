/* bench_oblivious: oblivious algorithms on whole tables, three processes on loopback with sealed
 * channels; keys are arithmetic-shared. JSON lines: see measure.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benches/measure.h"
#include "mpc/circuit/aggregate.h"
#include "mpc/oblivious/compact.h"
#include "mpc/oblivious/group.h"
#include "mpc/oblivious/join.h"
#include "mpc/oblivious/scan.h"

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
    struct bench_options o;
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

/* GROUP BY key of COUNT(DISTINCT value) and the median of value. */
static fm_status distinct_per_group(const struct table *t, struct base_err *err)
{
    struct mpc_sort_key key = {.x = t->key};
    struct mpc_group_item items[2] = {
        {.kind = MPC_GROUP_COUNT_DISTINCT, .x = t->value},
        {.kind = MPC_GROUP_PERCENTILE, .x = t->value, .num = 1, .den = 2}};
    struct mpc_group_by by = {.keys = &key, .keys_len = 1, .items = items, .items_len = 2};
    struct mpc_grouped z;
    fm_status st = mpc_group(&z, &by, err);

    if (st == FM_OK)
        mpc_grouped_release(&z);
    return st;
}

/* Looks up, and sums the values found if there are any. */
static fm_status find(const struct mpc_lookup *by, struct base_err *err)
{
    struct mpc_share *sum = NULL;
    struct mpc_found z;
    fm_status st = mpc_find(&z, by, err);

    if (st == FM_OK && by->values_len > 0)
        st = mpc_sum(&sum, z.value[0], err);
    mpc_share_free(sum);
    if (st == FM_OK)
        mpc_found_release(&z);
    return st;
}

static struct mpc_lookup by_key(const struct table *t)
{
    return (struct mpc_lookup){.keys = 1,
                               .table = {.key = one(&t->key), .n = t->n},
                               .probe = {.key = one(&t->probe), .n = t->n},
                               .values = one(&t->value),
                               .values_len = 1};
}

/* SELECT SUM(table.value) of n rows joined by key to a table of n. */
static fm_status join(const struct table *t, struct base_err *err)
{
    struct mpc_lookup by = by_key(t);

    return find(&by, err);
}

/* The same, both sides' keys being unique. */
static fm_status join_unique(const struct table *t, struct base_err *err)
{
    struct mpc_lookup by = by_key(t);

    by.probe_unique = true;
    return find(&by, err);
}

/* Up to four rows of the table with one key. */
static fm_status join_four(const struct table *t, struct base_err *err)
{
    struct mpc_lookup by = by_key(t);

    by.per_key = 4;
    return find(&by, err);
}

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

static fm_status text_keys(const struct table *t, struct mpc_share **key, struct mpc_share **probe,
                           struct base_err *err)
{
    fm_status st = mpc_random_share(t->s, key, MPC_BITS, 128, t->n, err);

    return st == FM_OK ? turn_round(probe, *key, err) : st;
}

/* By hashes of texts. */
static fm_status join_text(const struct table *t, struct base_err *err)
{
    struct mpc_lookup by = by_key(t);
    struct mpc_share *key = NULL, *probe = NULL;
    fm_status st = text_keys(t, &key, &probe, err);

    by.table.key = one(&key);
    by.probe.key = one(&probe);
    if (st == FM_OK)
        st = find(&by, err);
    mpc_share_free(key);
    mpc_share_free(probe);
    return st;
}

static fm_status semijoin(const struct table *t, struct base_err *err)
{
    struct mpc_lookup by = by_key(t);

    by.values_len = 0;
    return find(&by, err);
}

/* 1000 secret keys, or n if that is less, looked up in n rows. */
static fm_status lookup(const struct table *t, struct base_err *err)
{
    struct mpc_lookup by = by_key(t);
    struct mpc_share *few = NULL;
    size_t n = t->n < 1000 ? t->n : 1000;
    fm_status st = mpc_slice(&few, t->probe, 0, n, err);

    by.probe.key = one(&few);
    by.probe.n = n;
    if (st == FM_OK)
        st = find(&by, err);
    mpc_share_free(few);
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
    {"permute", BITS32, permute},
    {"compact", BITS32, compact},
    {"sort20", {0, 999999}, sort},
    {"sort32", BITS32, sort},
    {"sort64", BITS64, sort},
    {"top100", BITS32, top},
    {"scan_sum", BITS32, scan_sum},
    {"scan_min", BITS32, scan_min},
    {"group32", BITS32, group},
    {"group64", BITS64, group},
    {"distinct64", BITS64, distinct},
    {"distinct_per_group", {0, 999}, distinct_per_group},
    {"join32", BITS32, join},
    {"join64", BITS64, join},
    {"join32_unique", BITS32, join_unique},
    {"join32_four", BITS32, join_four},
    {"join_text", BITS32, join_text},
    {"semijoin64", BITS64, semijoin},
    {"lookup64", BITS64, lookup},
};
enum { OPERATIONS = sizeof operations / sizeof operations[0] };

/* Random keys of the operation's range and values of 32 bits, from party 0. */
static fm_status input(struct table *t, struct mpc_range keys, struct base_err *err)
{
    const struct mpc_range value = {0, UINT32_MAX};
    struct mpc_share *x[2] = {NULL};
    struct mpc_input in[2];
    int64_t *values = NULL;
    fm_status st = FM_OK;

    if (mpc_session_self(t->s) == 0) {
        values = calloc(2 * t->n, sizeof *values);
        if (values == NULL)
            return base_err_memory(err, "input");
        st = bench_random_values(values, t->n, keys, err);
        if (st == FM_OK)
            st = bench_random_values(values + t->n, t->n, value, err);
    }
    for (unsigned i = 0; i < 2; i++)
        in[i] = (struct mpc_input){.domain = MPC_RING64,
                                   .owner = 0,
                                   .n = t->n,
                                   .range = i == 0 ? keys : value,
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

struct work {
    const struct operation *op;
    struct table t;
};

static fm_status operate(void *ctx, struct base_err *err)
{
    const struct work *w = ctx;

    return w->op->run(&w->t, err);
}

static fm_status body(void *ctx, struct net_transport *net, struct bench_report *report,
                      struct base_err *err)
{
    const struct job *job = ctx;
    struct work w = {job->op, {.n = job->o.n}};
    fm_status st = bench_session_open(&w.t.s, &job->o, net, err);

    if (st != FM_OK)
        return st;
    st = input(&w.t, job->op->keys, err);
    if (st == FM_OK)
        st = bench_timed(&job->o, w.t.s, net, operate, &w, report, err);
    mpc_session_close(w.t.s);
    return st;
}

static void operations_line(void)
{
    printf("\noperations:");
    for (size_t i = 0; i < OPERATIONS; i++)
        printf(" %s", operations[i].name);
    printf("\n");
}

static bool known(const char *op)
{
    for (size_t i = 0; i < OPERATIONS; i++)
        if (strcmp(op, operations[i].name) == 0)
            return true;
    return strcmp(op, "all") == 0;
}

static struct job job = {
    .o = {.op = "all", .protocol = "rep3", .n = 100000, .runs = RUNS, .threads = 1}};
static const struct bench_option options[] = {BENCH_OPTIONS_MPC(job.o, NULL), {.name = NULL}};
static const struct bench_field fields[] = {BENCH_FIELDS_MPC, {.name = NULL}};
static const struct bench_program program = {
    "bench_oblivious",
    "oblivious algorithms on whole tables: three processes, sealed channels",
    options,
    fields,
    BENCH_PROFILE | BENCH_NETWORK,
    operations_line};

int main(int argc, char **argv)
{
    struct bench_report reports[BENCH_PARTIES];
    struct base_err err = {0};
    int status;

    if (!bench_begin(&status, &program, argc, argv))
        return status;
    bench_options_settle(&job.o);
    if (!known(job.o.op)) {
        fprintf(stderr, "bench_oblivious: --op '%.60s': there is no such operation: see --help\n",
                job.o.op);
        return 2;
    }
    for (size_t i = 0; i < OPERATIONS; i++) {
        job.op = &operations[i];
        if (strcmp(job.o.op, "all") != 0 && strcmp(job.o.op, job.op->name) != 0)
            continue;
        if (bench_parties_run(reports, body, &job, &err) != FM_OK) {
            fprintf(stderr, "bench_oblivious: %s: %s\n", job.op->name, err.text);
            return fm_status_exit(err.code);
        }
        bench_print(&job.o, job.op->name, "", reports);
    }
    return 0;
}
