/* bench_mpc: operations of a protocol on whole vectors, three processes on loopback with sealed
 * channels. One JSON object a line: op, n, protocol, threads, seconds (median over the runs of the
 * slowest party), min and max, bytes_sent_per_party (mean), rounds, ops_per_s, peak_rss (bytes,
 * greatest party). One warm-up run is not counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "benches/parties.h"
#include "mpc/circuit/compare.h"
#include "mpc/protocol.h"

enum { RUNS = 5 }; /* unless --runs says otherwise */

struct job {
    const char *op;
    const char *protocol;
    size_t n;
    unsigned runs;
    unsigned threads;
    enum mpc_profile profile;
};

/* Two columns of full-range values, from party 0, arithmetic-shared. */
static fm_status input(struct mpc_session *s, struct mpc_share *x[2], size_t n,
                       struct base_err *err)
{
    int64_t *values = NULL;
    struct mpc_input in[2];
    fm_status st = FM_OK;

    if (mpc_session_self(s) == 0) {
        values = calloc(2 * n, sizeof *values);
        if (values == NULL)
            return base_err_memory(err, "input");
        st = base_random_fill(base_random_system(), values, 2 * n * sizeof *values, err);
    }
    for (unsigned i = 0; i < 2; i++)
        in[i] = (struct mpc_input){.domain = MPC_RING64,
                                   .owner = 0,
                                   .n = n,
                                   .range = MPC_RANGE_FULL,
                                   .values = values != NULL ? values + i * n : NULL};
    if (st == FM_OK)
        st = mpc_input(s, x, in, 2, err);
    free(values);
    return st;
}

/* Values of magnitude below 2^62, so that one comparison is one sign bit. */
static fm_status narrow(struct mpc_share *x[2], struct base_err *err)
{
    const struct mpc_range r = {-((int64_t)1 << 62), ((int64_t)1 << 62) - 1};

    if (mpc_share_narrow(x[0], r, err) != FM_OK)
        return err->code;
    return mpc_share_narrow(x[1], r, err);
}

static fm_status open_all(struct mpc_share *x, struct base_err *err)
{
    static const unsigned everyone[3] = {0, 1, 2};
    const struct mpc_share *one[1] = {x};
    int64_t *out = calloc(mpc_share_n(x), sizeof *out);
    int64_t *outs[1] = {out};
    fm_status st =
        out != NULL ? mpc_reveal(one, 1, everyone, 3, outs, err) : base_err_memory(err, "open");

    free(out);
    return st;
}

/* By a fresh permutation each time: drawing it is part of the work. */
static fm_status shuffle(struct mpc_share **z, struct mpc_session *s, const struct mpc_share *x,
                         struct base_err *err)
{
    struct mpc_perm *perm;
    fm_status st = mpc_perm_random(s, &perm, mpc_share_n(x), err);

    if (st != FM_OK)
        return st;
    st = mpc_perm_apply(perm, MPC_FORWARD, z, &x, 1, err);
    mpc_perm_free(perm);
    return st;
}

/* What one run does; bits: the operands in boolean form, made beforehand. */
static fm_status operate(const struct job *job, struct mpc_share *x[2], struct mpc_share *bits[2],
                         struct base_err *err)
{
    struct mpc_share *z = NULL;
    fm_status st;

    if (strcmp(job->op, "mul") == 0)
        st = mpc_mul(&z, x[0], x[1], err);
    else if (strcmp(job->op, "and") == 0)
        st = mpc_and(&z, bits[0], bits[1], err);
    else if (strcmp(job->op, "lt") == 0)
        st = mpc_less(&z, x[0], x[1], err);
    else if (strcmp(job->op, "eq") == 0)
        st = mpc_equal(&z, x[0], x[1], err);
    else if (strcmp(job->op, "a2b") == 0)
        st = mpc_a2b(&z, x[0], err);
    else if (strcmp(job->op, "b2a") == 0)
        st = mpc_b2a(&z, bits[0], MPC_SIGNED, err);
    else if (strcmp(job->op, "shuffle") == 0)
        st = shuffle(&z, mpc_share_session(x[0]), x[0], err);
    else
        st = open_all(x[0], err);
    mpc_share_free(z);
    return st;
}

static fm_status timed_runs(const struct job *job, struct mpc_session *s, struct net_transport *t,
                            struct mpc_share *x[2], struct mpc_share *bits[2],
                            struct bench_report *report, struct base_err *err)
{
    struct mpc_stats before, after;

    for (unsigned run = 0; run <= job->runs; run++) {
        double start;
        if (bench_barrier(t, BENCH_CONTROL_STREAM, err) != FM_OK)
            return err->code;
        mpc_session_stats(s, &before);
        start = bench_now();
        if (operate(job, x, bits, err) != FM_OK)
            return err->code;
        if (run > 0) /* run 0 warms up */
            report->seconds[run - 1] = bench_now() - start;
        mpc_session_stats(s, &after);
        report->bytes_sent = after.bytes_sent - before.bytes_sent;
        report->rounds = after.rounds - before.rounds;
    }
    return FM_OK;
}

static fm_status body(void *ctx, struct net_transport *t, struct bench_report *report,
                      struct base_err *err)
{
    static const unsigned compute[3] = {0, 1, 2};
    const struct job *job = ctx;
    struct mpc_session_config c = {.protocol = mpc_protocol_find(job->protocol),
                                   .transport = t,
                                   .compute = compute,
                                   .compute_len = 3,
                                   .first_stream = 0,
                                   .streams = job->threads,
                                   .profile = job->profile,
                                   .random = base_random_system()};
    struct mpc_share *x[2] = {NULL, NULL}, *bits[2] = {NULL, NULL};
    struct mpc_session *s;
    bool wants_bits = strcmp(job->op, "and") == 0 || strcmp(job->op, "b2a") == 0;
    fm_status st = mpc_session_open(&s, &c, err);

    if (st != FM_OK)
        return st;
    st = input(s, x, job->n, err);
    for (unsigned i = 0; st == FM_OK && wants_bits && i < 2; i++)
        st = mpc_a2b(&bits[i], x[i], err);
    if (st == FM_OK && (strcmp(job->op, "lt") == 0 || strcmp(job->op, "eq") == 0))
        st = narrow(x, err);
    if (st == FM_OK)
        st = timed_runs(job, s, t, x, bits, report, err);
    mpc_session_close(s);
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
           bytes, job->n, job->op, median > 0 ? (double)job->n / median : 0, rss * 1024,
           job->profile == MPC_FEW_ROUNDS ? "few-rounds" : "few-bytes", job->protocol, r[0].rounds,
           median, job->threads);
    (void)fflush(stdout);
}

static void usage(void)
{
    puts("usage: bench_mpc [--op mul|and|lt|eq|open|a2b|b2a|shuffle|all] [--n N] [--protocol rep3] "
         "[--few-bytes] [--runs R] [--threads T] [--json]\n"
         "three processes on loopback with sealed channels; one JSON object a line (--json is the "
         "only form)");
}

static bool known(const char *op, const char *const *ops)
{
    for (; *ops != NULL; ops++)
        if (strcmp(*ops, op) == 0)
            return true;
    return false;
}

int main(int argc, char **argv)
{
    static const char *const ops[] = {"mul", "and", "lt",      "eq", "open",
                                      "a2b", "b2a", "shuffle", NULL};
    struct job job = {"all", "rep3", 100000, RUNS, 1, MPC_FEW_ROUNDS};
    struct bench_report reports[BENCH_PARTIES];
    struct base_err err = {0};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            continue;
        if (strcmp(argv[i], "--few-bytes") == 0)
            job.profile = MPC_FEW_BYTES;
        else if (strcmp(argv[i], "--op") == 0 && i + 1 < argc)
            job.op = argv[++i];
        else if (strcmp(argv[i], "--protocol") == 0 && i + 1 < argc)
            job.protocol = argv[++i];
        else if (strcmp(argv[i], "--n") == 0 && i + 1 < argc)
            job.n = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc)
            job.runs = (unsigned)strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
            job.threads = (unsigned)strtoul(argv[++i], NULL, 10);
        else {
            usage();
            return strcmp(argv[i], "--help") == 0 ? 0 : 2;
        }
    }
    if (job.n < 1 || job.n > 100000000 || job.runs < 1 || job.runs > BENCH_RUNS_MAX ||
        job.threads < 1 || job.threads > BENCH_THREADS_MAX ||
        mpc_protocol_find(job.protocol) == NULL ||
        (strcmp(job.op, "all") != 0 && !known(job.op, ops))) {
        fprintf(stderr, "bench_mpc: no such operation or protocol, n not 1 to 100000000, runs or "
                        "threads not 1 to 32: see --help\n");
        return 2;
    }
    for (const char *const *op = ops; *op != NULL; op++) {
        struct job one = job;
        if (strcmp(job.op, "all") != 0 && strcmp(job.op, *op) != 0)
            continue;
        one.op = *op;
        if (bench_parties_run(reports, body, &one, &err) != FM_OK) {
            fprintf(stderr, "bench_mpc: %s: %s\n", *op, err.text);
            return fm_status_exit(err.code);
        }
        print(&one, reports);
    }
    return 0;
}
