/* bench_sql: joins, groups and orders over tables like TPC-H's (tpch.h), each of another bank, by
 * real nodes (nodes.h says what is measured and printed). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
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

static fm_status run_all(unsigned scale, unsigned runs, unsigned only, struct base_err *err)
{
    long long rows[TPCH_TABLES];
    struct bench_nodes nodes;
    fm_status st = bench_nodes_folder(&nodes, err);

    if (st == FM_OK)
        st = tpch_write(nodes.folder, scale, 1, rows, err);
    if (st == FM_OK)
        st = bench_nodes_start(&nodes, err);
    for (enum tpch_table table = 0; st == FM_OK && table < TPCH_TABLES; table++)
        st = bench_publish(&nodes, (size_t)table, tpch_name(table), NULL, err);
    for (size_t i = 0; st == FM_OK && i < sizeof queries / sizeof *queries; i++) {
        char name[8];
        const struct bench_question q = {name, tpch_query(queries[i].number), NULL,
                                         queries[i].providers, rows_of(queries[i].number, rows)};
        (void)snprintf(name, sizeof name, "q%u", queries[i].number);
        if (only == 0 || only == queries[i].number)
            st = bench_measure(&nodes, &q, runs, err);
    }
    bench_nodes_stop(&nodes);
    return st;
}

static void usage(void)
{
    puts("usage: bench_sql [--query 1|3|4|6] [--scale THOUSANDTHS] [--runs R] [--json]\n"
         "queries 1, 3, 4 and 6 of TPC-H over rows like its own, customer at bank_a, orders at "
         "bank_b, lineitem at\n"
         "bank_c; scale in thousandths of scale factor 1 (default 10: 60,263 lines); one JSON "
         "object a line\n"
         "(--json is the only form): query, rows of its tables, protocol, seconds from query.open "
         "being final to the\n"
         "answer (median, min, max), seconds_total as the caller waits, bytes_sent_per_party, "
         "rounds, peak_rss");
}

int main(int argc, char **argv)
{
    unsigned scale = 10, runs = 3, only = 0;
    struct base_err err = {0};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            continue;
        if (strcmp(argv[i], "--query") == 0 && i + 1 < argc) {
            only = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--scale") == 0 && i + 1 < argc) {
            scale = (unsigned)strtoul(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc) {
            runs = (unsigned)strtoul(argv[++i], NULL, 10);
        } else {
            usage();
            return strcmp(argv[i], "--help") == 0 ? 0 : 2;
        }
    }
    if (scale < 1 || scale > 1000 || runs < 1 || runs > BENCH_RUNS_MAX ||
        (only != 0 && tpch_query(only) == NULL)) {
        fprintf(stderr, "bench_sql: scale 1 to 1000, runs 1 to %d, query 1, 3, 4 or 6\n",
                BENCH_RUNS_MAX);
        return 2;
    }
    base_json_harden();
    if (run_all(scale, runs, only, &err) != FM_OK) {
        fprintf(stderr, "bench_sql: %s\n", err.text);
        return fm_status_exit(err.code);
    }
    return 0;
}
