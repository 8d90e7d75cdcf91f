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

static void usage(void)
{
    puts("usage: bench_sql [--query 1|3|4|6|group|join] [--scale THOUSANDTHS] [--n ROWS] [--runs "
         "R] [--json]\n"
         "queries 1, 3, 4 and 6 of TPC-H over rows like its own, customer at bank_a, orders at "
         "bank_b, lineitem at\n"
         "bank_c; scale in thousandths of scale factor 1 (default 10: 60,263 lines); group: 1000 "
         "groups of n rows at bank_a\n"
         "(default 10^6); join: these with n/10 rows at bank_b by a key, in 100 groups; one JSON "
         "object a line\n"
         "(--json is the only form): query, rows of its tables, protocol, seconds from query.open "
         "being final to the\n"
         "answer (median, min, max), seconds_total as the caller waits, bytes_sent_per_party, "
         "rounds, peak_rss, and what\n"
         "explain estimated of them beforehand");
}

int main(int argc, char **argv)
{
    unsigned scale = 10, runs = 3;
    long long n = 1000000;
    const char *only = NULL;
    struct base_err err = {0};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            continue;
        if (strcmp(argv[i], "--query") == 0 && i + 1 < argc) {
            only = argv[++i];
        } else if (strcmp(argv[i], "--scale") == 0 && i + 1 < argc) {
            scale = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--n") == 0 && i + 1 < argc) {
            n = strtoll(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc) {
            runs = (unsigned)strtoul(argv[++i], NULL, 10);
        } else {
            usage();
            return strcmp(argv[i], "--help") == 0 ? 0 : 2;
        }
    }
    if (scale < 1 || scale > 1000 || runs < 1 || runs > BENCH_RUNS_MAX || n < 640 ||
        (only != NULL && tpch_query((unsigned)strtoul(only, NULL, 10)) == NULL &&
         strcmp(only, "group") != 0 && strcmp(only, "join") != 0)) {
        fprintf(stderr,
                "bench_sql: scale 1 to 1000, n from 640, runs 1 to %d, query 1, 3, 4, 6, group or "
                "join\n",
                BENCH_RUNS_MAX);
        return 2;
    }
    base_json_harden();
    if (run_all(scale, n, runs, only, &err) != FM_OK) {
        fprintf(stderr, "bench_sql: %s\n", err.text);
        return fm_status_exit(err.code);
    }
    return 0;
}
