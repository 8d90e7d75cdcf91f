/* bench_query: whole queries, by real nodes: three banks, each a process on loopback that provides
 * and computes, with ledger, sealed channels, receipts and all. One JSON object a line: query, rows
 * (padded, of all banks together), protocol, seconds (median over the runs, from the moment at
 * which query.open is final at the asker to the answer), its min and max, seconds_total (median, as
 * the caller waits: until query.close is final), bytes_sent_per_party (mean), rounds, peak_rss
 * (bytes, greatest party, of the whole process). One warm-up run is not counted: the first query
 * after a publication hashes the rows once more. All runs must give the same answer. */
#define _XOPEN_SOURCE 700 /* nftw, mkdtemp */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/secret.h"
#include "exchange/cli/throwaway.h"
#include "exchange/data/demo_data.h"

enum { BANKS = 3, RUNS_MAX = 32, SCHEMA_MAX = 65536, TIMEOUT_MS = 600000 };

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

struct bench {
    struct throwaway t;
    int64_t rows; /* a bank's */
    unsigned runs;
};

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static fm_status call(json_t **value, const struct bench *b, size_t who, json_t *request,
                      struct base_err *err)
{
    const char *rule;

    if (throwaway_call(value, &b->t, who, request, err) != FM_OK)
        return err->code;
    rule = json_string_value(json_object_get(*value, "rule"));
    if (rule == NULL || rule[0] == '\0')
        return FM_OK;
    return base_err_set(err, FM_E_REFUSED, "%s: %s", rule,
                        json_string_value(json_object_get(*value, "detail")));
}

/* The demo's data, and a declared size that is the bench's. */
static fm_status make_data(struct bench *b, const char *folder, struct base_err *err)
{
    struct data_demo demo = {.folder = folder,
                             .seed = 1,
                             .banks = BANKS,
                             .rows = (uint32_t)(b->rows - b->rows / 10),
                             .mode = DATA_IMPORT_NEW};

    if (data_demo_write(&demo, err) != FM_OK)
        return err->code;
    for (unsigned i = 0; i < BANKS; i++) {
        struct throwaway_member *m = &b->t.members[i];
        (void)snprintf(m->alias, sizeof m->alias, "bank_%c", 'a' + (char)i);
        (void)snprintf(m->data, sizeof m->data, "%s/%s.db", folder, m->alias);
    }
    b->t.count = BANKS;
    return FM_OK;
}

static fm_status publish(const struct bench *b, const char *folder, struct base_err *err)
{
    for (unsigned i = 0; i < BANKS; i++) {
        char path[HOME_PATH * 2];
        json_t *schema, *value = NULL;
        fm_status st;
        (void)snprintf(path, sizeof path, "%s/%s.schema.json", folder, b->t.members[i].alias);
        st = base_json_load_file(&schema, path, SCHEMA_MAX, err);
        if (st == FM_OK && json_object_set_new(schema, "rows", json_integer(b->rows)) != 0)
            st = base_err_memory(err, "schema");
        if (st == FM_OK)
            st = call(&value, b, i,
                      json_pack("{s:s,s:s,s:O}", "do", "dataset.publish", "table", "loans",
                                "schema", schema),
                      err);
        json_decref(schema);
        json_decref(value);
        if (st != FM_OK)
            return err->code;
    }
    return FM_OK;
}

/* Everyone is this one person: no consent, no minimum group. */
static json_t *spec_of(const struct query *q)
{
    return json_pack("{s:s,s:s,s:s,s:[sss],s:[s],s:i,s:[{s:s,s:s,s:[i,I]}],s:{s:s,s:s}}", "name",
                     q->name, "purpose", "measurement", "sql", q->sql, "compute", "bank_a",
                     "bank_b", "bank_c", "recipients", "bank_a", "minimum_group", 1, "parameters",
                     "name", "$1", "type", "INTEGER", "range", 0, (json_int_t)99999999, "consent",
                     "requirement", "none", "basis", "a bench on one machine");
}

static fm_status contract(char id[65], const struct bench *b, const struct query *q,
                          struct base_err *err)
{
    json_t *draft = NULL, *value = NULL;
    fm_status st =
        call(&draft, b, 0, json_pack("{s:s,s:o}", "do", "contract.draft", "spec", spec_of(q)), err);

    if (st == FM_OK)
        st = call(&value, b, 0,
                  json_pack("{s:s,s:s,s:O}", "do", "tx.sign", "type", "contract.propose", "body",
                            json_object_get(draft, "contract")),
                  err);
    if (st == FM_OK)
        (void)snprintf(id, 65, "%s", json_string_value(json_object_get(draft, "id")));
    json_decref(draft);
    json_decref(value);
    for (unsigned i = 0; st == FM_OK && i < BANKS; i++) {
        st = call(&value, b, i, json_pack("{s:s,s:s}", "do", "officer.authorize", "contract", id),
                  err);
        json_decref(value);
    }
    return st;
}

/* ---- runs ---- */

struct figures {
    double seconds[RUNS_MAX], total[RUNS_MAX];
    double bytes;
    long long rounds, rss;
    char answer[4096];
};

static fm_status figures_of(struct figures *f, const struct bench *b, unsigned run,
                            const char *query_hex, struct base_err *err)
{
    f->bytes = 0;
    for (unsigned i = 0; i < BANKS; i++) {
        json_t *stats = NULL, *status = NULL;
        long long rss;
        fm_status st = call(&stats, b, i,
                            json_pack("{s:s,s:s}", "do", "query.stats", "query", query_hex), err);
        if (st == FM_OK)
            st = call(&status, b, i, json_pack("{s:s}", "do", "status"), err);
        f->bytes += (double)json_integer_value(json_object_get(stats, "bytes_sent")) / BANKS;
        rss = json_integer_value(json_object_get(json_object_get(status, "memory"), "peak_bytes"));
        f->rss = rss > f->rss ? rss : f->rss;
        if (i == 0) {
            f->rounds = json_integer_value(json_object_get(stats, "rounds"));
            f->seconds[run] =
                (double)json_integer_value(json_object_get(stats, "since_open_us")) / 1e6;
        }
        json_decref(stats);
        json_decref(status);
        if (st != FM_OK)
            return st;
    }
    return FM_OK;
}

static fm_status check_answer(struct figures *f, unsigned run, const char *text,
                              struct base_err *err)
{
    if (run == 0)
        (void)snprintf(f->answer, sizeof f->answer, "%s", text);
    if (strcmp(f->answer, text) != 0)
        return base_err_set(err, FM_E_INVALID, "two runs of one query gave different answers");
    return FM_OK;
}

static fm_status one_run(struct figures *f, const struct bench *b, const struct query *q,
                         unsigned run, const char *id, struct base_err *err)
{
    char value[32];
    json_t *answer = NULL;
    double began = now();
    fm_status st;

    (void)snprintf(value, sizeof value, "%lld",
                   q->subject ? (long long)data_demo_subject(1) : 30LL);
    st = call(&answer, b, 0,
              json_pack("{s:s,s:s,s:[s],s:[],s:s,s:s,s:i}", "do", "query.run", "contract", id,
                        "parameters", value, "consents", "ticket", "bench", "format", "csv",
                        "timeout_ms", TIMEOUT_MS),
              err);
    if (st == FM_OK)
        f->total[run] = now() - began;
    if (st == FM_OK)
        st = check_answer(f, run, json_string_value(json_object_get(answer, "text")), err);
    if (st == FM_OK)
        st = figures_of(f, b, run, json_string_value(json_object_get(answer, "query")), err);
    json_decref(answer);
    return st;
}

static fm_status measure(const struct bench *b, const struct query *q, struct base_err *err)
{
    struct figures f = {.rss = 0};
    unsigned n = b->runs;
    char id[65];

    if (contract(id, b, q, err) != FM_OK || one_run(&f, b, q, 0, id, err) != FM_OK)
        return err->code;
    for (unsigned run = 0; run < n; run++)
        if (one_run(&f, b, q, run, id, err) != FM_OK)
            return err->code;
    qsort(f.seconds, n, sizeof f.seconds[0], ascending);
    qsort(f.total, n, sizeof f.total[0], ascending);
    printf("{\"bytes_sent_per_party\":%.0f,\"max\":%.3f,\"min\":%.3f,\"peak_rss\":%lld,"
           "\"protocol\":\"rep3\",\"query\":\"%s\",\"rounds\":%lld,\"rows\":%lld,\"seconds\":%.3f,"
           "\"seconds_total\":%.3f}\n",
           f.bytes, f.seconds[n - 1], f.seconds[0], f.rss, q->name, f.rounds,
           (long long)(BANKS * b->rows), f.seconds[n / 2], f.total[n / 2]);
    (void)fflush(stdout);
    return FM_OK;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static fm_status run_all(struct bench *b, const char *only, struct base_err *err)
{
    char folder[] = "/tmp/firmiana-bench.XXXXXX";
    fm_status st = FM_OK;

    if (mkdtemp(folder) == NULL) {
        st = base_err_errno(err, folder);
        folder[0] = '\0';
    }

    if (st == FM_OK)
        st = make_data(b, folder, err);
    if (st == FM_OK)
        st = throwaway_start(&b->t, err);
    if (st == FM_OK)
        st = publish(b, folder, err);
    for (size_t i = 0; st == FM_OK && i < sizeof queries / sizeof queries[0]; i++)
        if (strcmp(only, "all") == 0 || strcmp(only, queries[i].name) == 0)
            st = measure(b, &queries[i], err);
    throwaway_stop(&b->t);
    if (folder[0] != '\0' && nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0)
        fprintf(stderr, "bench_query: %s stays behind\n", folder);
    return st;
}

static void usage(void)
{
    puts(
        "usage: bench_query [--query exposure|portfolio|all] [--rows N] [--runs R] [--json]\n"
        "three banks as real nodes on loopback; N padded rows of all together (--n N is the same;\n"
        "default 300000); one JSON object a line (--json is the only form): query, rows, "
        "protocol,\n"
        "seconds from query.open being final to the answer (median, min, max), seconds_total as "
        "the\n"
        "caller waits, bytes_sent_per_party, rounds, peak_rss");
}

int main(int argc, char **argv)
{
    struct bench b = {.rows = 100000, .runs = 5};
    const char *only = "all";
    struct base_err err = {0};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            continue;
        if (strcmp(argv[i], "--query") == 0 && i + 1 < argc)
            only = argv[++i];
        else if ((strcmp(argv[i], "--rows") == 0 || strcmp(argv[i], "--n") == 0) && i + 1 < argc)
            b.rows = strtoll(argv[++i], NULL, 10) / BANKS;
        else if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc)
            b.runs = (unsigned)strtoul(argv[++i], NULL, 10);
        else {
            usage();
            return strcmp(argv[i], "--help") == 0 ? 0 : 2;
        }
    }
    if (b.rows < 100 || b.rows > 10000000 || b.runs < 1 || b.runs > RUNS_MAX ||
        (strcmp(only, "all") != 0 && strcmp(only, queries[0].name) != 0 &&
         strcmp(only, queries[1].name) != 0)) {
        fprintf(stderr,
                "bench_query: rows 300 to 30000000, runs 1 to %d, query exposure, "
                "portfolio or all\n",
                RUNS_MAX);
        return 2;
    }
    base_json_abort_without_memory();
    if (run_all(&b, only, &err) != FM_OK) {
        fprintf(stderr, "bench_query: %s\n", err.text);
        return fm_status_exit(err.code);
    }
    return 0;
}
