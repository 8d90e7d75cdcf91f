/* bench_inference: scores of a logistic regression: one party's table of n rows and `features`
 * columns, another's secret weights and bias, both of 16 fraction bits; three processes on loopback
 * with sealed channels. The sigmoid has three pieces (mpc/circuit/sigmoid.h); a result has 16
 * fraction bits too and is exact. A first run is held against the formula in plain integers,
 * every bit of every row. JSON lines: see measure.h; features beside. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benches/measure.h"
#include "mpc/circuit/sigmoid.h"

enum {
    RUNS = 5, /* unless --runs says otherwise */
    FEATURES = 20,
    MOST_FEATURES = 256,
    FRACTION = 16,
    WHOLE = 3 /* values are in -8..8: standardised features, and weights for these */
};

struct job {
    size_t features;
    struct bench_options o;
};

struct model {
    int64_t *values; /* column after column; every party has the same ones, and plays its role */
    int64_t weight[MOST_FEATURES + 1]; /* the last: the bias, of 2 FRACTION bits */
    struct mpc_share *x[MOST_FEATURES];
    struct mpc_share *w[MOST_FEATURES + 1];
    struct mpc_share *bias; /* a column of it */
    size_t features;
};

/* splitmix64: what to score is no secret of the bench's, and every party must know it to check. */
static int64_t next_value(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (int64_t)(z >> (64 - WHOLE - 1 - FRACTION)) - (INT64_C(1) << (WHOLE + FRACTION));
}

static fm_status draw(struct model *m, const struct job *job, struct base_err *err)
{
    uint64_t state = 1;

    m->values = calloc(job->o.n * job->features, sizeof *m->values);
    if (m->values == NULL)
        return base_err_memory(err, "input");
    for (size_t i = 0; i < job->o.n * job->features; i++)
        m->values[i] = next_value(&state);
    for (size_t j = 0; j < job->features; j++)
        m->weight[j] = next_value(&state) / 16; /* so that all three pieces occur */
    m->weight[job->features] = next_value(&state) * (1 << (FRACTION - 5));
    return FM_OK;
}

/* The table is party 0's, the model party 1's. */
static fm_status input(struct model *m, struct mpc_session *s, const struct job *job,
                       struct base_err *err)
{
    const int64_t most = INT64_C(1) << (WHOLE + FRACTION);
    struct mpc_input in[2 * MOST_FEATURES + 1];
    struct mpc_share *z[2 * MOST_FEATURES + 1];
    unsigned self = mpc_session_self(s);
    size_t k = job->features;
    fm_status st;

    for (size_t j = 0; j < k; j++)
        in[j] = (struct mpc_input){.domain = MPC_RING64,
                                   .owner = 0,
                                   .n = job->o.n,
                                   .range = {-most, most - 1},
                                   .values = self == 0 ? m->values + j * job->o.n : NULL};
    for (size_t j = 0; j <= k; j++)
        in[k + j] = (struct mpc_input){.domain = MPC_RING64,
                                       .owner = 1,
                                       .n = 1,
                                       .range = {-most, most - 1},
                                       .values = self == 1 ? &m->weight[j] : NULL};
    in[2 * k].range = (struct mpc_range){-(most << FRACTION), most << FRACTION};
    st = mpc_input(s, z, in, 2 * k + 1, err);
    for (size_t j = 0; st == FM_OK && j < k; j++) {
        m->x[j] = z[j];
        m->w[j] = z[k + j];
    }
    return st == FM_OK ? mpc_spread(&m->bias, z[2 * k], job->o.n, err) : st;
}

static fm_status score(struct mpc_share **y, const struct model *m, struct base_err *err)
{
    struct mpc_share *dot = NULL;
    struct mpc_share *z = NULL;
    fm_status st = mpc_dot_columns(&dot, (const struct mpc_share *const *)m->x,
                                   (const struct mpc_share *const *)m->w, m->features, err);

    *y = NULL;
    if (st == FM_OK)
        st = mpc_add(&z, dot, m->bias, err);
    if (st == FM_OK)
        st = mpc_sigmoid_pieces(y, z, 2 * FRACTION, FRACTION, err);
    mpc_share_free(dot);
    mpc_share_free(z);
    return st;
}

static int64_t plain_score(const struct model *m, const struct job *job, size_t row)
{
    const int64_t one = INT64_C(1) << (2 * FRACTION);
    int64_t t = m->weight[job->features] + one / 2;

    for (size_t j = 0; j < job->features; j++)
        t += m->values[j * job->o.n + row] * m->weight[j];
    if (t < 0)
        return 0;
    return t >= one ? INT64_C(1) << FRACTION : t / (INT64_C(1) << FRACTION);
}

static fm_status compare(const struct mpc_share *y, const struct model *m, const struct job *job,
                         struct base_err *err)
{
    static const unsigned everyone[3] = {0, 1, 2};
    int64_t *got = calloc(job->o.n, sizeof *got);
    fm_status st =
        got != NULL ? mpc_reveal(&y, 1, everyone, 3, &got, err) : base_err_memory(err, "scores");

    for (size_t i = 0; st == FM_OK && i < job->o.n; i++)
        if (got[i] != plain_score(m, job, i))
            st = base_err_set(err, FM_E_INVALID, "row %zu scores %lld, not %lld", i,
                              (long long)got[i], (long long)plain_score(m, job, i));
    free(got);
    return st;
}

static fm_status score_once(void *ctx, struct base_err *err)
{
    struct mpc_share *y;
    fm_status st = score(&y, ctx, err);

    mpc_share_free(y);
    return st;
}

static fm_status first_run(const struct model *m, const struct job *job, struct base_err *err)
{
    struct mpc_share *y;
    fm_status st = score(&y, m, err);

    if (st == FM_OK)
        st = compare(y, m, job, err);
    mpc_share_free(y);
    return st;
}

static fm_status body(void *ctx, struct net_transport *t, struct bench_report *report,
                      struct base_err *err)
{
    const struct job *job = ctx;
    struct model m = {.features = job->features};
    struct mpc_session *s;
    fm_status st = bench_session_open(&s, &job->o, t, err);

    if (st != FM_OK)
        return st;
    st = draw(&m, job, err);
    if (st == FM_OK)
        st = input(&m, s, job, err);
    if (st == FM_OK)
        st = first_run(&m, job, err);
    if (st == FM_OK)
        st = bench_timed(&job->o, s, t, score_once, &m, report, err);
    free(m.values);
    mpc_session_close(s);
    return st;
}

static struct job job = {
    FEATURES, {.op = "logreg", .protocol = "rep3", .n = 100000, .runs = RUNS, .threads = 1}};
static const struct bench_option options[] = {
    {"--features", BENCH_SIZE, &job.features, 1, MOST_FEATURES, NULL, "columns of the table"},
    BENCH_OPTIONS_MPC(job.o, "logreg"),
    {.name = NULL}};
static const struct bench_field fields[] = {
    {"features", "", "columns of the table"}, BENCH_FIELDS_MPC, {.name = NULL}};
static const struct bench_program program = {"bench_inference",
                                             "scores of a logistic regression over another party's "
                                             "table, every bit checked: three processes, "
                                             "sealed channels",
                                             options,
                                             fields,
                                             BENCH_PROFILE | BENCH_NETWORK,
                                             NULL};

int main(int argc, char **argv)
{
    struct bench_report reports[BENCH_PARTIES];
    struct base_err err = {0};
    char features[40];
    int status;

    if (!bench_begin(&status, &program, argc, argv))
        return status;
    bench_options_settle(&job.o);
    if (bench_parties_run(reports, body, &job, &err) != FM_OK) {
        fprintf(stderr, "bench_inference: %s\n", err.text);
        return fm_status_exit(err.code);
    }
    (void)snprintf(features, sizeof features, "\"features\":%zu,", job.features);
    bench_print(&job.o, "logreg", features, reports);
    return 0;
}
