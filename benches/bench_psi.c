/* bench_psi: a private intersection sum of two processes, one thread each or more, over a local
 * socket. The sums are compared with the
 * plain ones: another sum is an error.
 *
 * Beside it, in the same half hour of a machine with other work: google/private-join-and-compute
 * (commit 950c5e4 with BoringSSL, gRPC's limit of 4 MB a message lifted, without which it refuses
 * its own message of 84.6 MB), 10^5 with 10^5 rows, half of them common, one column, a key of 2048
 * bits made before: 495 processor seconds of its two programs; --columns 1 --threads 1 here: 10.6,
 * 64.1 MB in all. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/profile.h"
#include "benches/options.h"
#include "mpc/psi/curve.h"
#include "mpc/psi/psi_own.h"

enum { RUNS_MAX = 32, COLUMNS_MAX = 64, ID = 16 };

struct job {
    size_t n, columns, threads, runs, bits;
    const char *bits_text;
};

struct tables {
    uint8_t *ids[2];
    int64_t *values[COLUMNS_MAX];
    int64_t sums[COLUMNS_MAX];
    size_t size;
};

static double now(clockid_t clock)
{
    struct timespec t;

    (void)clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double cpu_of(int who)
{
    struct rusage u;

    (void)getrusage(who, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

/* Every second row of the holder's is the matcher's as well. */
static fm_status tables_new(struct tables *t, const struct job *job, struct base_err *err)
{
    const struct base_random *random = base_random_system();

    for (int s = 0; s < 2; s++) {
        t->ids[s] = malloc(job->n * ID);
        if (t->ids[s] == NULL)
            return base_err_memory(err, "identifiers");
        if (base_random_fill(random, t->ids[s], job->n * ID, err) != FM_OK)
            return err->code;
    }
    for (size_t c = 0; c < job->columns; c++) {
        t->values[c] = calloc(job->n, sizeof *t->values[c]);
        if (t->values[c] == NULL)
            return base_err_memory(err, "values");
        for (size_t i = 0; i < job->n; i++)
            t->values[c][i] = (int64_t)(i * 7919 + c) % 1000000 - 1000;
    }
    for (size_t i = 0; i < job->n; i += 2, t->size++) {
        memcpy(t->ids[0] + ID * i, t->ids[1] + ID * i, ID);
        for (size_t c = 0; c < job->columns; c++)
            t->sums[c] += t->values[c][i];
    }
    return FM_OK;
}

static bool all_bytes(int fd, uint8_t *p, size_t len, bool out)
{
    while (len > 0) {
        ssize_t did = out ? write(fd, p, len) : read(fd, p, len);
        if (did <= 0 && errno != EINTR)
            return false;
        p += did > 0 ? did : 0, len -= did > 0 ? (size_t)did : 0;
    }
    return true;
}

/* The messages of one side, each with its length in front. */
static fm_status converse(struct mpc_psi *psi, int fd, bool first, uint64_t *sent,
                          struct base_err *err)
{
    struct base_buf in = {0}, out = {0};
    fm_status st = FM_OK;
    bool speak = first;

    while (st == FM_OK && (speak || mpc_psi_waits(psi))) {
        uint8_t len8[8], *to;
        base_buf_clear(&in), base_buf_clear(&out);
        if (!speak) {
            size_t len;
            if (!all_bytes(fd, len8, 8, false))
                st = base_err_set(err, FM_E_PEER, "the other process is gone");
            len = st == FM_OK ? base_load_u64(len8) : 0;
            if (len > mpc_psi_message_max(psi))
                st = base_err_set(err, FM_E_PEER, "a message of %zu bytes", len);
            to = st == FM_OK ? base_buf_extend(&in, len) : NULL;
            if (to != NULL && !all_bytes(fd, to, len, false))
                st = base_err_set(err, FM_E_PEER, "the other process is gone");
        }
        speak = false;
        if (st == FM_OK)
            st = mpc_psi_step(psi, in.p, in.len, &out, err);
        base_store_u64(len8, out.len);
        if (st == FM_OK && out.len > 0 &&
            (!all_bytes(fd, len8, 8, true) || !all_bytes(fd, out.p, out.len, true)))
            st = base_err_set(err, FM_E_PEER, "the other process is gone");
        *sent += out.len;
    }
    base_buf_release(&in);
    base_buf_release(&out);
    return st;
}

static struct mpc_psi_terms terms_of(const struct job *job, unsigned run)
{
    struct mpc_psi_terms t = {.matcher_rows = job->n,
                              .holder_rows = job->n,
                              .columns = job->columns,
                              .value_bits = 40,
                              .key_bits = (unsigned)job->bits,
                              .minimum = 1,
                              .recipients = MPC_PSI_MATCHER};

    memcpy(t.session32, &run, sizeof run);
    return t;
}

static fm_status one_side(const struct job *job, const struct tables *t, int side, int fd,
                          const struct mpc_psi_key *key, unsigned run, uint64_t *sent,
                          struct base_err *err)
{
    struct mpc_psi_terms terms = terms_of(job, run);
    struct mpc_psi_rows rows = {job->n, t->ids[side], ID, (const int64_t *const *)t->values};
    const struct base_random *random = base_random_system();
    struct mpc_psi *psi;
    int64_t sums[COLUMNS_MAX];
    size_t size = 0;
    fm_status st =
        side == 0
            ? mpc_psi_matcher_new(&psi, &terms, &rows, (unsigned)job->threads, random, err)
            : mpc_psi_holder_new(&psi, &terms, &rows, key, (unsigned)job->threads, random, err);

    if (st != FM_OK)
        return st;
    st = converse(psi, fd, side == 0, sent, err);
    if (st == FM_OK)
        st = mpc_psi_result(psi, &size, sums, err);
    if (st == FM_OK &&
        (size != t->size || (side == 0 && memcmp(sums, t->sums, job->columns * sizeof *sums) != 0)))
        st = base_err_set(err, FM_E_INVALID, "not the plain intersection's sums");
    mpc_psi_free(psi);
    return st;
}

/* The holder is this process, the matcher a child. */
static fm_status run_once(const struct job *job, const struct tables *t,
                          const struct mpc_psi_key *key, unsigned run, double *seconds, double *cpu,
                          uint64_t *sent, struct base_err *err)
{
    double start = now(CLOCK_MONOTONIC), before = cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN);
    uint64_t theirs = 0;
    int fd[2], status = 0;
    fm_status st;
    pid_t child;

    *sent = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
        return base_err_errno(err, "socketpair");
    child = fork();
    if (child == 0) {
        (void)close(fd[1]);
        st = one_side(job, t, 0, fd[0], NULL, run, &theirs, err);
        if (st != FM_OK)
            fprintf(stderr, "bench_psi: matcher: %s\n", err->text);
        (void)!write(fd[0], &theirs, sizeof theirs);
        _exit(st == FM_OK ? 0 : 1);
    }
    (void)close(fd[0]);
    st = child > 0 ? one_side(job, t, 1, fd[1], key, run, sent, err) : base_err_errno(err, "fork");
    if (st == FM_OK && !all_bytes(fd[1], (uint8_t *)&theirs, sizeof theirs, false))
        st = base_err_set(err, FM_E_PEER, "the other process is gone");
    (void)close(fd[1]);
    if (child > 0 && (waitpid(child, &status, 0) != child || status != 0) && st == FM_OK)
        st = base_err_set(err, FM_E_PEER, "the matcher failed");
    *sent += theirs;
    *seconds = now(CLOCK_MONOTONIC) - start;
    *cpu = cpu_of(RUSAGE_SELF) + cpu_of(RUSAGE_CHILDREN) - before;
    return st;
}

/* Processor seconds of a scalar product of a point, and of one derived from a hash. */
static void group_seconds(double *product, double *derived)
{
    enum { TIMES = 200, MESSAGE = 65 + ID };
    const struct psi_group *group = mpc_psi_group();
    uint8_t p[MPC_PSI_BATCH][32], s[32], wide[64] = {7}, messages[MPC_PSI_BATCH * MESSAGE] = {1};
    struct base_err err;
    unsigned bad;
    double start;

    if (group->scalar(s, wide, &err) != FM_OK)
        return;
    start = now(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < TIMES; i++)
        if (group->times_hash(&bad, p, messages, MESSAGE, MPC_PSI_BATCH, s, &err) == FM_OK)
            messages[0] = p[0][0];
    *derived = (now(CLOCK_THREAD_CPUTIME_ID) - start) / TIMES / MPC_PSI_BATCH;
    start = now(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < TIMES; i++)
        if (group->times(&bad, p, (const uint8_t(*)[32])p, MPC_PSI_BATCH, s, &err) != FM_OK)
            return;
    *product = (now(CLOCK_THREAD_CPUTIME_ID) - start) / TIMES / MPC_PSI_BATCH;
}

static fm_status bench(const struct job *job, struct base_err *err)
{
    struct tables t = {0};
    struct mpc_pai_djn *public = NULL;
    struct mpc_pai_secret *secret = NULL;
    struct mpc_psi_key key;
    double seconds[RUNS_MAX], cpu[RUNS_MAX], product = 0, derived = 0, best,
                                             rows = 2 * (double)job->n;
    struct rusage mine, child;
    uint64_t sent = 0;
    fm_status st = tables_new(&t, job, err);

    if (st == FM_OK)
        st = mpc_pai_djn_generate(&public, &secret, (unsigned)job->bits, err);
    key = (struct mpc_psi_key){public, secret};
    for (unsigned r = 0; st == FM_OK && r < job->runs; r++)
        st = run_once(job, &t, &key, r, &seconds[r], &cpu[r], &sent, err);
    if (st == FM_OK) {
        qsort(seconds, job->runs, sizeof *seconds, bench_ascending);
        qsort(cpu, job->runs, sizeof *cpu, bench_ascending);
        best = cpu[0];
        group_seconds(&product, &derived);
        (void)getrusage(RUSAGE_SELF, &mine);
        (void)getrusage(RUSAGE_CHILDREN, &child);
        bench_line("psi_sum",
                   "\"bits\":%zu,\"bytes_sent\":%llu,\"columns\":%zu,\"cpu_seconds\":%.3f,"
                   "\"curve\":\"%s\",\"n\":%zu,\"ops_per_s\":%.0f,\"peak_rss\":%ld,"
                   "\"products_seconds\":%.3f,\"seconds\":%.3f,\"size\":%zu,\"threads\":%zu,"
                   "\"us_per_row\":%.1f",
                   job->bits, (unsigned long long)sent, job->columns, best,
                   base_profile_is_national() ? "sm2" : mpc_psi_curve_best()->name, job->n,
                   rows / seconds[job->runs / 2],
                   1024 * (mine.ru_maxrss > child.ru_maxrss ? mine.ru_maxrss : child.ru_maxrss),
                   rows * (product + derived), seconds[job->runs / 2], t.size, job->threads,
                   best / rows * 1e6);
    }
    mpc_pai_djn_free(public);
    mpc_pai_secret_free(secret);
    for (size_t c = 0; c < job->columns; c++)
        free(t.values[c]);
    free(t.ids[0]);
    free(t.ids[1]);
    return st;
}

static struct job job = {.n = 100000, .columns = 4, .threads = 2, .runs = 1, .bits_text = "2048"};
static const struct bench_option options[] = {
    {"--n", BENCH_SIZE, &job.n, 1, MPC_PSI_ROWS, NULL, "rows of each side, half of them common"},
    {"--columns", BENCH_SIZE, &job.columns, 0, COLUMNS_MAX, NULL, "of 40-bit values of one side"},
    {"--bits", BENCH_TEXT, &job.bits_text, 0, 0, "2048|3072|4096", "of the key"},
    {"--threads", BENCH_SIZE, &job.threads, 1, 32, NULL, "of each side"},
    {"--runs", BENCH_SIZE, &job.runs, 1, RUNS_MAX, NULL, "timed"},
    {.name = NULL}};
static const struct bench_field fields[] = {
    {"n", "rows", "of each side, half of them common"},
    {"columns", "", "of values"},
    {"bits", "", "of the key"},
    {"threads", "", "of each side"},
    {"curve", "", "arithmetic of mpc/psi/curve.h"},
    {"seconds", "s", "from the first hash to the last sum, median; the key is made before"},
    {"ops_per_s", "1/s", "rows of both sides / seconds"},
    {"cpu_seconds", "s", "processor time of both processes, the least of the runs"},
    {"us_per_row", "us", "cpu_seconds over the rows of both sides"},
    {"products_seconds", "s", "processor time of the 4 n scalar products alone, in this run"},
    {"bytes_sent", "bytes", "both together"},
    {"peak_rss", "bytes", "memory of the greater process"},
    {"size", "rows", "of the intersection"},
    {.name = NULL}};
static const struct bench_program program = {
    "bench_psi",   "a private intersection sum of two processes over a local socket",
    options,       fields,
    BENCH_PROFILE, NULL};

int main(int argc, char **argv)
{
    struct base_err err = {0};
    int status;

    if (!bench_begin(&status, &program, argc, argv))
        return status;
    job.bits = strtoul(job.bits_text, NULL, 10);
    if (bench(&job, &err) != FM_OK) {
        fprintf(stderr, "bench_psi: %s\n", err.text);
        return fm_status_exit(err.code);
    }
    return 0;
}
