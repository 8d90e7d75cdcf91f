/* bench_sql: joins, groups and orders over tables like TPC-H's (tpch.h), each of another bank, by
 * real nodes (nodes.h says what is measured and printed). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "benches/facts.h"
#include "benches/nodes.h"
#include "benches/tpch.h"

static const struct {
    unsigned number;
    const char *providers;
} queries[] = {{1, "c"}, {3, "abc"}, {4, "bc"}, {6, "c"}};

static long long rows_of(unsigned number, const long long rows[TPCH_TABLES])
{
    long long all = rows[TPCH_LINEITEM];

    if (number == 3 || number == 4)
        all += rows[TPCH_ORDERS];
    return number == 3 ? all + rows[TPCH_CUSTOMER] : all;
}

/* What is asked of which tables; NULL: of all. */
static bool wanted(const char *only, const char *name)
{
    return only == NULL || strcmp(only, name) == 0;
}

static fm_status run_tpch(const struct bench_nodes *nodes, const long long rows[TPCH_TABLES],
                          unsigned runs, const char *only, struct base_err *err)
{
    fm_status st = FM_OK;

    for (enum tpch_table table = 0; st == FM_OK && table < TPCH_TABLES; table++)
        st = bench_publish(nodes, (size_t)table, tpch_name(table), NULL, err);
    for (size_t i = 0; st == FM_OK && i < sizeof queries / sizeof *queries; i++) {
        char name[16];
        const struct bench_question q = {name, tpch_query(queries[i].number), NULL,
                                         queries[i].providers, rows_of(queries[i].number, rows)};
        (void)snprintf(name, sizeof name, "q%u", queries[i].number);
        if (wanted(only, name + 1))
            st = bench_measure(nodes, &q, runs, err);
    }
    return st;
}

static fm_status run_facts(const struct bench_nodes *nodes, const long long rows[2], unsigned runs,
                           const char *only, struct base_err *err)
{
    const struct bench_question asked[] = {{"group", facts_group_sql, NULL, "a", rows[0]},
                                           {"join", facts_join_sql, NULL, "ab", rows[0] + rows[1]}};
    fm_status st = bench_publish(nodes, 0, "facts", NULL, err);

    if (st == FM_OK)
        st = bench_publish(nodes, 1, "dims", NULL, err);
    for (size_t i = 0; st == FM_OK && i < 2; i++)
        if (wanted(only, asked[i].name))
            st = bench_measure(nodes, &asked[i], runs, err);
    return st;
}

static fm_status run_all(unsigned scale, long long n, unsigned runs, const char *only,
                         struct base_err *err)
{
    long long rows[TPCH_TABLES], facts[2];
    bool tpch = only == NULL || tpch_query((unsigned)strtoul(only, NULL, 10)) != NULL;
    bool others = only == NULL || !tpch;
    struct bench_nodes nodes;
    fm_status st = bench_nodes_folder(&nodes, err);

    if (st == FM_OK && tpch)
        st = tpch_write(nodes.folder, scale, 1, rows, err);
    if (st == FM_OK && others)
        st = facts_write(nodes.folder, n, facts, err);
    if (st == FM_OK)
        st = bench_nodes_start(&nodes, err);
    if (st == FM_OK && tpch)
        st = run_tpch(&nodes, rows, runs, only, err);
    if (st == FM_OK && others)
        st = run_facts(&nodes, facts, runs, only, err);
    bench_nodes_stop(&nodes);
    return st;
}

static const char *only;
static size_t scale = 10, n = 1000000, runs = 3;
static const struct bench_option options[] = {
    {"--query", BENCH_TEXT, &only, 0, 0, "1|3|4|6|group|join", "without it all"},
    {"--scale", BENCH_SIZE, &scale, 1, 1000, NULL, "of 1 to 6: thousandths of TPC-H's factor 1"},
    {"--n", BENCH_SIZE, &n, 640, 100000000, NULL, "rows that are grouped, or joined with a tenth"},
    {"--runs", BENCH_SIZE, &runs, 1, BENCH_RUNS_MAX, NULL, "timed, after one that is not"},
    {.name = NULL}};
static const struct bench_field fields[] = {BENCH_FIELDS_NODES, {.name = NULL}};
static const struct bench_program program = {
    "bench_sql",
    "by three banks' real nodes on loopback: queries 1, 3, 4 and 6 of TPC-H over rows like its "
    "own,\n"
    "customer at bank_a, orders at bank_b, lineitem at bank_c (scale 10: 60,263 lines); group: n "
    "rows\n"
    "at bank_a, 1000 groups; join: these with n/10 rows at bank_b by a key, 100 groups",
    options,
    fields,
    BENCH_LOOPBACK,
    NULL};

int main(int argc, char **argv)
{
    struct base_err err = {0};
    int status;

    if (!bench_begin(&status, &program, argc, argv))
        return status;
    base_json_harden();
    if (run_all((unsigned)scale, (long long)n, (unsigned)runs, only, &err) != FM_OK) {
        fprintf(stderr, "bench_sql: %s\n", err.text);
        return fm_status_exit(err.code);
    }
    return 0;
}
