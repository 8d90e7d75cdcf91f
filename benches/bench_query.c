/* bench_query: whole queries by real nodes over the demo's loans, spread over three banks (nodes.h
 * says what is measured and printed): the exposure of one subject, and a portfolio. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "benches/nodes.h"
#include "exchange/data/demo_data.h"

enum { SCHEMA_MAX = 65536 };

static const struct query {
    const char *name;
    const char *sql;
    bool subject;
} queries[] = {
    {"exposure",
     "SELECT SUM(balance) AS total, MAX(overdue_days) AS worst, COUNT(*) AS loans FROM loans "
     "WHERE subject_id = $1 AND NOT closed",
     true},
    {"portfolio",
     "SELECT COUNT(*) AS n, SUM(balance) AS total, AVG(balance) AS mean, MAX(overdue_days) AS "
     "worst "
     "FROM loans WHERE overdue_days > $1",
     false},
};

/* The demo's data, and a declared size that is the bench's. */
static fm_status make_data(const char *folder, int64_t rows, struct base_err *err)
{
    struct data_demo demo = {.folder = folder,
                             .seed = 1,
                             .banks = BENCH_BANKS,
                             .rows = (uint32_t)(rows - rows / 10),
                             .mode = DATA_IMPORT_NEW};

    return data_demo_write(&demo, err);
}

static fm_status publish(const struct bench_nodes *nodes, int64_t rows, struct base_err *err)
{
    for (size_t i = 0; i < BENCH_BANKS; i++) {
        char path[HOME_PATH * 2];
        json_t *schema;
        (void)snprintf(path, sizeof path, "%s/bank_%c.schema.json", nodes->folder, 'a' + (char)i);
        if (base_json_load_file(&schema, path, SCHEMA_MAX, err) != FM_OK)
            return err->code;
        if (json_object_set_new(schema, "rows", json_integer(rows)) != 0)
            return base_err_memory(err, "schema");
        if (bench_publish(nodes, i, "loans", schema, err) != FM_OK)
            return err->code;
    }
    return FM_OK;
}

static fm_status run_all(int64_t rows, unsigned runs, const char *only, struct base_err *err)
{
    char subject[32];
    struct bench_nodes nodes;
    fm_status st = bench_nodes_folder(&nodes, err);

    (void)snprintf(subject, sizeof subject, "%lld", (long long)data_demo_subject(1));
    if (st == FM_OK)
        st = make_data(nodes.folder, rows, err);
    if (st == FM_OK)
        st = bench_nodes_start(&nodes, err);
    if (st == FM_OK)
        st = publish(&nodes, rows, err);
    for (size_t i = 0; st == FM_OK && i < sizeof queries / sizeof queries[0]; i++) {
        const struct bench_question q = {queries[i].name, queries[i].sql,
                                         queries[i].subject ? subject : "30", "abc",
                                         BENCH_BANKS * (long long)rows};
        if (strcmp(only, "all") == 0 || strcmp(only, q.name) == 0)
            st = bench_measure(&nodes, &q, runs, err);
    }
    bench_nodes_stop(&nodes);
    return st;
}

static const char *only = "all";
static size_t rows = 300000, runs = 5;
static const struct bench_option options[] = {
    {"--query", BENCH_TEXT, &only, 0, 0, "exposure|portfolio|all", "of one subject, or of all"},
    {"--n", BENCH_SIZE, &rows, 300, 30000000, NULL, "padded rows of all three together"},
    {"--rows", BENCH_SIZE, &rows, 300, 30000000, NULL, "the same"},
    {"--runs", BENCH_SIZE, &runs, 1, BENCH_RUNS_MAX, NULL, "timed, after one that is not"},
    {.name = NULL}};
static const struct bench_field fields[] = {BENCH_FIELDS_NODES, {.name = NULL}};
static const struct bench_program program = {
    "bench_query",
    "whole queries by three banks' real nodes on loopback, ledger and receipts and all",
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
    if (run_all((int64_t)rows / BENCH_BANKS, (unsigned)runs, only, &err) != FM_OK) {
        fprintf(stderr, "bench_query: %s\n", err.text);
        return fm_status_exit(err.code);
    }
    return 0;
}
