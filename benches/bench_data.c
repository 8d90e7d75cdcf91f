/* bench_data: a provider's table, from its CSV file to a row that is proved of an old version. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "benches/options.h"
#include "exchange/data/demo_data.h"
#include "exchange/data/kept.h"
#include "exchange/data/profile.h"
#include "exchange/data/publish.h"

enum { RUNS_MAX = 32, PATH_MAX_HERE = 300, FILES = 6 };

struct job {
    size_t n, runs;
};

enum file { CSV, SCHEMA, DATABASE, DELTA, INFERRED, VERSIONS };
static const char *const names[FILES] = {"bank_a.csv", "bank_a.schema.json", "bank_a.db",
                                         "delta.csv",  "inferred.db",        "versions.db"};

struct world {
    char folder[64], path[FILES][PATH_MAX_HERE];
    struct data_schema schema;
    struct data_published first, second;
};

static const uint8_t secret[32] = {1};

/* ---- the steps, in order ---- */

static fm_status describe(struct world *w, struct base_err *err)
{
    const struct data_progress silent = {NULL, NULL};
    struct data_profile p = {0};
    fm_status st = data_profile_csv(&p, w->path[CSV], 0, &silent, err);

    data_profile_release(&p);
    return st;
}

static fm_status import_as(const struct data_import *job, struct base_err *err)
{
    struct data_import_result r = {0};
    fm_status st = data_import(&r, job, err);

    data_import_release(&r);
    return st;
}

static fm_status import_inferred(struct world *w, struct base_err *err)
{
    const struct data_import job = {.csv_path = w->path[CSV],
                                    .db_path = w->path[INFERRED],
                                    .table = DATA_DEMO_TABLE,
                                    .mode = DATA_IMPORT_NEW};

    return import_as(&job, err);
}

static fm_status import_declared(struct world *w, struct base_err *err)
{
    const struct data_import job = {.csv_path = w->path[CSV],
                                    .db_path = w->path[DATABASE],
                                    .table = DATA_DEMO_TABLE,
                                    .schema = &w->schema,
                                    .mode = DATA_IMPORT_NEW};

    return import_as(&job, err);
}

static fm_status publish_version(struct world *w, struct data_published *out, uint64_t version,
                                 const uint8_t *before32, struct base_err *err)
{
    struct data_publish_job job = {.table = DATA_DEMO_TABLE,
                                   .schema = &w->schema,
                                   .key = {secret, version},
                                   .digests = w->path[VERSIONS],
                                   .published32 = before32};
    fm_status st = data_store_open(&job.store, w->path[DATABASE], err);

    if (st != FM_OK)
        return st;
    st = data_publish(out, &job, err);
    data_store_free(job.store);
    if (st == FM_OK && out->unknown[0] != '\0')
        st = base_err_set(err, FM_E_IO, "%s", out->unknown);
    return st;
}

static fm_status publish(struct world *w, struct base_err *err)
{
    return publish_version(w, &w->first, 1, NULL, err);
}

static fm_status update(struct world *w, struct base_err *err)
{
    const struct data_import job = {.csv_path = w->path[DELTA],
                                    .db_path = w->path[DATABASE],
                                    .table = DATA_DEMO_TABLE,
                                    .mode = DATA_IMPORT_DELTA,
                                    .key = "loan_no"};

    return import_as(&job, err);
}

static fm_status publish_changed(struct world *w, struct base_err *err)
{
    return publish_version(w, &w->second, 2, w->first.root32, err);
}

/* A row of version 1, whose table is gone. */
static fm_status prove_old(struct world *w, struct base_err *err)
{
    const struct data_version_key key = {secret, 1};
    struct data_kept *kept;
    struct data_row_source source;
    uint8_t root[32];
    json_t *proof = NULL;
    fm_status st =
        data_kept_open(&kept, w->path[VERSIONS], secret, DATA_DEMO_TABLE, w->first.root32, err);

    if (st != FM_OK)
        return st;
    source = data_kept_source(kept);
    st = data_root_prove(&proof, root, &source, data_kept_schema(kept), &key, 0, err);
    if (st == FM_OK && memcmp(root, w->first.root32, 32) != 0)
        st = base_err_set(err, FM_E_CORRUPT, "version 1 has another root");
    json_decref(proof);
    data_kept_free(kept);
    return st;
}

static const struct step {
    const char *op;
    fm_status (*run)(struct world *w, struct base_err *err);
    enum file bytes; /* of this file afterwards */
} steps[] = {
    {"describe", describe, CSV},           {"import_inferred", import_inferred, INFERRED},
    {"import", import_declared, DATABASE}, {"publish", publish, VERSIONS},
    {"update", update, DATABASE},          {"publish_changed", publish_changed, VERSIONS},
    {"prove_old", prove_old, VERSIONS},
};
enum { STEPS = sizeof steps / sizeof steps[0] };

/* ---- files ---- */

/* Every hundredth line of the CSV file, with another balance, the fifth field. */
static void write_delta(FILE *out, FILE *in)
{
    char line[512];

    for (size_t i = 0; fgets(line, sizeof line, in) != NULL; i++) {
        char *from = line, *to;
        for (int field = 1; i > 0 && field < 5 && from != NULL; field++)
            if ((from = strchr(from, ',')) != NULL)
                from++;
        to = from != NULL ? strchr(from, ',') : NULL;
        if (i == 0)
            (void)fputs(line, out);
        else if (i % 100 == 1 && to != NULL)
            (void)fprintf(out, "%.*s1.00%s", (int)(from - line), line, to);
    }
}

static fm_status make_delta(const struct world *w, struct base_err *err)
{
    FILE *in = fopen(w->path[CSV], "r"), *out = fopen(w->path[DELTA], "w");
    bool good = in != NULL && out != NULL;

    if (good)
        write_delta(out, in);
    good = (in == NULL || fclose(in) == 0) & good;
    good = (out == NULL || fclose(out) == 0) & good;
    return good ? FM_OK : base_err_errno(err, w->path[DELTA]);
}

static fm_status open_world(struct world *w, const struct job *job, struct base_err *err)
{
    const char *tmp = getenv("TMPDIR");
    struct data_demo demo = {.seed = 1, .banks = 1, .mode = DATA_IMPORT_NEW};
    fm_status st;

    (void)snprintf(w->folder, sizeof w->folder, "%.40s/bench_data.XXXXXX",
                   tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(w->folder) == NULL)
        return base_err_errno(err, w->folder);
    for (size_t i = 0; i < FILES; i++)
        (void)snprintf(w->path[i], sizeof w->path[i], "%s/%s", w->folder, names[i]);
    demo.folder = w->folder;
    demo.rows = (uint32_t)job->n;
    st = data_demo_write(&demo, err);
    if (st == FM_OK)
        st = data_demo_schema(&w->schema, demo.rows, err);
    return st == FM_OK ? make_delta(w, err) : st;
}

static void close_world(struct world *w)
{
    for (size_t i = 0; i < FILES; i++)
        (void)unlink(w->path[i]);
    (void)rmdir(w->folder);
    data_schema_release(&w->schema);
}

/* ---- timing ---- */

static double seconds_of(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void print(const struct world *w, const struct job *job, const struct step *step,
                  double *seconds, double cpu)
{
    struct stat info = {0};

    (void)stat(w->path[step->bytes], &info);
    qsort(seconds, job->runs, sizeof *seconds, bench_ascending);
    bench_line(
        step->op,
        "\"n\":%zu,\"seconds\":%.4f,\"min\":%.4f,\"max\":%.4f,\"cpu_seconds\":%.4f,\"ops_per_"
        "s\":%.0f,\"bytes\":%lld",
        job->n, seconds[job->runs / 2], seconds[0], seconds[job->runs - 1], cpu,
        (double)job->n / seconds[job->runs / 2], (long long)info.st_size);
}

static fm_status measure(struct world *w, const struct job *job, struct base_err *err)
{
    double seconds[STEPS][RUNS_MAX], cpu[STEPS];

    for (size_t run = 0; run < job->runs; run++) {
        (void)unlink(w->path[DATABASE]);
        (void)unlink(w->path[INFERRED]);
        (void)unlink(w->path[VERSIONS]);
        for (size_t i = 0; i < STEPS; i++) {
            double wall = seconds_of(CLOCK_MONOTONIC);
            double used = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
            if (steps[i].run(w, err) != FM_OK)
                return base_err_prefix(err, "%s", steps[i].op);
            seconds[i][run] = seconds_of(CLOCK_MONOTONIC) - wall;
            used = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - used;
            cpu[i] = run == 0 || used < cpu[i] ? used : cpu[i];
        }
    }
    for (size_t i = 0; i < STEPS; i++)
        print(w, job, &steps[i], seconds[i], cpu[i]);
    return FM_OK;
}

static struct job job = {.n = 1000000, .runs = 3};
static const struct bench_option options[] = {
    {"--n", BENCH_SIZE, &job.n, 100, DATA_DEMO_ROWS_MAX, NULL, "rows, of ten columns"},
    {"--runs", BENCH_SIZE, &job.runs, 1, RUNS_MAX, NULL, "timed"},
    {.name = NULL}};
static const struct bench_field fields[] = {
    {"n", "", "rows of the table"},
    {"seconds", "s", "by the clock, median of the runs"},
    {"min", "s", "of the same, the least"},
    {"max", "s", "the greatest"},
    {"cpu_seconds", "s", "processor time of all threads, the least of the runs"},
    {"ops_per_s", "1/s", "n / seconds"},
    {"bytes", "bytes", "of the CSV file (describe), the database (imports), else of versions.db"},
    {.name = NULL}};
static const struct bench_program program = {
    "bench_data",
    "a provider's table: describe a CSV file, import it with inferred and with declared types,\n"
    "publish (check, hash, keep), change a row in a hundred by a delta, publish that, prove a row\n"
    "of the first version",
    options,
    fields,
    0,
    NULL};

int main(int argc, char **argv)
{
    static struct world w;
    struct base_err err = {0};
    int status;
    fm_status st;

    if (!bench_begin(&status, &program, argc, argv))
        return status;
    st = open_world(&w, &job, &err);
    if (st == FM_OK)
        st = measure(&w, &job, &err);
    close_world(&w);
    if (st != FM_OK)
        fprintf(stderr, "bench_data: %s\n", err.text);
    return fm_status_exit(st);
}
