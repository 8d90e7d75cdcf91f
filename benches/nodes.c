#define _XOPEN_SOURCE 700 /* nftw, mkdtemp */
#include "benches/nodes.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"

enum { TIMEOUT_MS = 600000 };

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

/* ---- the consortium ---- */

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

fm_status bench_nodes_folder(struct bench_nodes *out, struct base_err *err)
{
    *out = (struct bench_nodes){.folder = "/tmp/firmiana-bench.XXXXXX"};
    if (mkdtemp(out->folder) != NULL)
        return FM_OK;
    (void)base_err_errno(err, out->folder);
    out->folder[0] = '\0';
    return err->code;
}

fm_status bench_nodes_start(struct bench_nodes *nodes, struct base_err *err)
{
    for (unsigned i = 0; i < BENCH_BANKS; i++) {
        struct throwaway_member *m = &nodes->t.members[i];
        (void)snprintf(m->alias, sizeof m->alias, "bank_%c", 'a' + (char)i);
        (void)snprintf(m->data, sizeof m->data, "%s/%s.db", nodes->folder, m->alias);
    }
    nodes->t.count = BENCH_BANKS;
    return throwaway_start(&nodes->t, err);
}

void bench_nodes_stop(struct bench_nodes *nodes)
{
    throwaway_stop(&nodes->t);
    if (nodes->folder[0] != '\0' &&
        nftw(nodes->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0)
        fprintf(stderr, "%s stays behind\n", nodes->folder);
}

static fm_status call(json_t **value, const struct bench_nodes *nodes, size_t who, json_t *request,
                      struct base_err *err)
{
    const char *rule;

    if (throwaway_call(value, &nodes->t, who, request, err) != FM_OK)
        return err->code;
    rule = json_string_value(json_object_get(*value, "rule"));
    if (rule == NULL || rule[0] == '\0')
        return FM_OK;
    return base_err_set(err, FM_E_REFUSED, "%s: %s", rule,
                        json_string_value(json_object_get(*value, "detail")));
}

fm_status bench_publish(const struct bench_nodes *nodes, size_t bank, const char *table,
                        json_t *schema, struct base_err *err)
{
    json_t *request = json_pack("{s:s,s:s}", "do", "dataset.publish", "table", table),
           *value = NULL;
    fm_status st;

    if (schema != NULL)
        (void)json_object_set_new(request, "schema", schema);
    st = call(&value, nodes, bank, request, err);
    json_decref(value);
    return st;
}

/* ---- contracts ---- */

/* Everyone is this one person: no consent, no minimum group. */
static json_t *spec_of(const struct bench_question *q)
{
    json_t *spec = json_pack("{s:s,s:s,s:s,s:[sss],s:[s],s:i,s:{s:s,s:s}}", "name", q->name,
                             "purpose", "measurement", "sql", q->sql, "compute", "bank_a", "bank_b",
                             "bank_c", "recipients", "bank_a", "minimum_group", 1, "consent",
                             "requirement", "none", "basis", "a bench on one machine");

    if (q->parameter != NULL)
        (void)json_object_set_new(spec, "parameters",
                                  json_pack("[{s:s,s:s,s:[i,I]}]", "name", "$1", "type", "INTEGER",
                                            "range", 0, (json_int_t)99999999));
    return spec;
}

static fm_status contract(char id[65], const struct bench_nodes *nodes,
                          const struct bench_question *q, struct base_err *err)
{
    json_t *draft = NULL, *value = NULL;
    fm_status st = call(&draft, nodes, 0,
                        json_pack("{s:s,s:o}", "do", "contract.draft", "spec", spec_of(q)), err);

    if (st == FM_OK)
        st = call(&value, nodes, 0,
                  json_pack("{s:s,s:s,s:O}", "do", "tx.sign", "type", "contract.propose", "body",
                            json_object_get(draft, "contract")),
                  err);
    if (st == FM_OK)
        (void)snprintf(id, 65, "%s", json_string_value(json_object_get(draft, "id")));
    json_decref(draft);
    json_decref(value);
    for (const char *p = q->providers; st == FM_OK && *p != '\0'; p++) {
        st = call(&value, nodes, (size_t)(*p - 'a'),
                  json_pack("{s:s,s:s}", "do", "officer.authorize", "contract", id), err);
        json_decref(value);
    }
    return st;
}

/* ---- runs ---- */

/* What a process grows by with its first query of any kind, and has before, at most. */
enum { MEMORY_LEAST = 16 << 20, MEMORY_FRESH = 40 << 20 };

struct figures {
    double seconds[BENCH_RUNS_MAX], total[BENCH_RUNS_MAX];
    double bytes;
    long long rounds, rss;
    long long rss_before[BENCH_BANKS], peak_before[BENCH_BANKS];
    long long
        grown;  /* peak of one process beyond what it had before; 0: an earlier one was higher */
    bool first; /* that process had not run a query before: later ones use what it kept */
    char answer[1 << 16];
    long long expected_rounds, expected_us, expected_memory;
    double expected_bytes;
};

static fm_status figures_of(struct figures *f, const struct bench_nodes *nodes, unsigned run,
                            const char *query_hex, struct base_err *err)
{
    f->bytes = 0;
    for (unsigned i = 0; i < BENCH_BANKS; i++) {
        json_t *stats = NULL, *status = NULL;
        long long rss;
        fm_status st = call(&stats, nodes, i,
                            json_pack("{s:s,s:s}", "do", "query.stats", "query", query_hex), err);
        if (st == FM_OK)
            st = call(&status, nodes, i, json_pack("{s:s}", "do", "status"), err);
        f->bytes += (double)json_integer_value(json_object_get(stats, "bytes_sent")) / BENCH_BANKS;
        rss = json_integer_value(json_object_get(json_object_get(status, "memory"), "peak_bytes"));
        f->rss = rss > f->rss ? rss : f->rss;
        if (rss > f->peak_before[i] && rss - f->rss_before[i] > f->grown) {
            f->grown = rss - f->rss_before[i];
            f->first = f->rss_before[i] < MEMORY_FRESH;
        }
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

static fm_status look_before(struct figures *f, const struct bench_nodes *nodes,
                             struct base_err *err)
{
    fm_status st = FM_OK;

    for (unsigned i = 0; st == FM_OK && i < BENCH_BANKS; i++) {
        json_t *status = NULL;

        st = call(&status, nodes, i, json_pack("{s:s}", "do", "status"), err);
        f->rss_before[i] =
            json_integer_value(json_object_get(json_object_get(status, "memory"), "rss_bytes"));
        f->peak_before[i] =
            json_integer_value(json_object_get(json_object_get(status, "memory"), "peak_bytes"));
        json_decref(status);
    }
    return st;
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

static fm_status one_run(struct figures *f, const struct bench_nodes *nodes,
                         const struct bench_question *q, unsigned run, const char *id,
                         struct base_err *err)
{
    json_t *answer = NULL,
           *request = json_pack("{s:s,s:s,s:[],s:[],s:s,s:s,s:i}", "do", "query.run", "contract",
                                id, "parameters", "consents", "ticket", "bench", "format", "csv",
                                "timeout_ms", TIMEOUT_MS);
    double began = now();
    fm_status st;

    if (q->parameter != NULL)
        (void)json_array_append_new(json_object_get(request, "parameters"),
                                    json_string(q->parameter));
    st = call(&answer, nodes, 0, request, err);
    if (st == FM_OK)
        f->total[run] = now() - began;
    if (st == FM_OK)
        st = check_answer(f, run, json_string_value(json_object_get(answer, "text")), err);
    if (st == FM_OK)
        st = figures_of(f, nodes, run, json_string_value(json_object_get(answer, "query")), err);
    json_decref(answer);
    return st;
}

/* What the node says beforehand. */
static fm_status expect(struct figures *f, const struct bench_nodes *nodes,
                        const struct bench_question *q, const char *id, struct base_err *err)
{
    json_t *value = NULL, *e, *p,
           *request =
               json_pack("{s:s,s:s,s:s}", "do", "query.explain", "contract", id, "over", "local");
    size_t i;
    fm_status st;

    if (q->parameter != NULL)
        (void)json_object_set_new(request, "values", json_pack("[s]", q->parameter));
    st = call(&value, nodes, 0, request, err);
    e = json_object_get(value, "estimate");
    f->expected_rounds = json_integer_value(json_object_get(e, "rounds"));
    f->expected_us = json_integer_value(json_object_get(e, "us"));
    f->expected_bytes = (double)json_integer_value(json_object_get(e, "bytes")) / BENCH_BANKS;
    json_array_foreach(json_object_get(e, "parties"), i, p)
    {
        long long memory = json_integer_value(json_object_get(p, "memory"));
        f->expected_memory = memory > f->expected_memory ? memory : f->expected_memory;
    }
    json_decref(value);
    return st;
}

static bool off(double estimated, double counted, double part, double more)
{
    double by = estimated > counted ? estimated - counted : counted - estimated;

    return by > part * counted + more;
}

/* Under a sanitizer a process keeps what it frees, and more beside it. */
#ifdef __SANITIZE_ADDRESS__
enum { MEMORY_TELLS = false };
#else
enum { MEMORY_TELLS = true };
#endif

/* Sorts of few rows take what their order happens to take. */
static fm_status check_estimate(const struct figures *f, const struct bench_question *q,
                                struct base_err *err)
{
    if (MEMORY_TELLS && f->grown > 0 &&
        (f->grown > 2 * f->expected_memory + MEMORY_LEAST ||
         (f->first && f->expected_memory > 2 * f->grown + MEMORY_LEAST)))
        return base_err_set(err, FM_E_INVALID,
                            "%s: explain estimated %lld bytes of memory, the greatest process "
                            "grew by %lld",
                            q->name, f->expected_memory, f->grown);
    if (!off((double)f->expected_rounds, (double)f->rounds, 0.4, 10) &&
        !off(f->expected_bytes, f->bytes, 0.25, 65536))
        return FM_OK;
    return base_err_set(err, FM_E_INVALID,
                        "%s: explain estimated %lld rounds and %.0f bytes, the run counted %lld "
                        "and %.0f",
                        q->name, f->expected_rounds, f->expected_bytes, f->rounds, f->bytes);
}

fm_status bench_measure(const struct bench_nodes *nodes, const struct bench_question *q,
                        unsigned runs, struct base_err *err)
{
    struct figures f = {.rss = 0};
    char id[65];

    if (contract(id, nodes, q, err) != FM_OK || look_before(&f, nodes, err) != FM_OK ||
        one_run(&f, nodes, q, 0, id, err) != FM_OK)
        return err->code;
    for (unsigned run = 0; run < runs; run++)
        if (one_run(&f, nodes, q, run, id, err) != FM_OK)
            return err->code;
    if (expect(&f, nodes, q, id, err) != FM_OK)
        return err->code;
    qsort(f.seconds, runs, sizeof f.seconds[0], ascending);
    qsort(f.total, runs, sizeof f.total[0], ascending);
    bench_line(q->name,
               "\"bytes_sent_per_party\":%.0f,\"estimated_bytes_per_party\":%.0f,"
               "\"estimated_memory\":%lld,\"estimated_rounds\":%lld,\"estimated_seconds\":%.3f,"
               "\"max\":%.3f,\"memory_grown\":%lld,\"min\":%.3f,\"n\":%lld,\"ops_per_s\":%.0f,"
               "\"peak_rss\":%lld,\"protocol\":\"rep3\",\"rounds\":%lld,\"seconds\":%.4f,"
               "\"seconds_total\":%.4f,\"threads\":1",
               f.bytes, f.expected_bytes, f.expected_memory, f.expected_rounds,
               (double)f.expected_us / 1e6, f.seconds[runs - 1], f.grown, f.seconds[0], q->rows,
               (double)q->rows / f.seconds[runs / 2], f.rss, f.rounds, f.seconds[runs / 2],
               f.total[runs / 2]);
    return check_estimate(&f, q, err);
}
