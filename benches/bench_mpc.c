/* bench_mpc: operations of a protocol and circuits on whole vectors, three processes on loopback
 * with sealed channels. Operands are random, of the range that stands with each operation, and
 * arithmetic-shared unless it says otherwise. JSON lines: see measure.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benches/measure.h"
#include "mpc/circuit/aggregate.h"
#include "mpc/circuit/compare.h"
#include "mpc/circuit/decompose.h"
#include "mpc/circuit/divide.h"
#include "mpc/circuit/extreme.h"
#include "mpc/circuit/select.h"

enum { RUNS = 5 }; /* unless --runs says otherwise */

/* What operations work on; run frees what it makes. */
struct operands {
    struct mpc_share *x;
    struct mpc_share *y;
    struct mpc_share *bits[2]; /* both in boolean form, where the operation wants them */
    struct mpc_share *bit;     /* random, width 1 */
};

struct operation {
    const char *name;
    struct mpc_range range;
    enum { OF_NUMBERS, OF_BITS } form;
    fm_status (*run)(struct mpc_share **z, const struct operands *o, struct base_err *err);
};

struct job {
    const struct operation *op;
    struct bench_options o;
};

static fm_status mul(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    return mpc_mul(z, o->x, o->y, err);
}

static fm_status dot(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    return mpc_dot(z, o->x, o->y, err);
}

static fm_status and (struct mpc_share * *z, const struct operands *o, struct base_err *err)
{
    return mpc_and(z, o->bits[0], o->bits[1], err);
}

static fm_status less(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    return mpc_less(z, o->x, o->y, err);
}

static fm_status less_public(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    return mpc_less_public(z, o->x, 12345, err);
}

static fm_status equal(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    return mpc_equal(z, o->x, o->y, err);
}

static fm_status reveal(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    static const unsigned everyone[BENCH_PARTIES] = {0, 1, 2};
    const struct mpc_share *one[1] = {o->x};
    int64_t *out = calloc(mpc_share_n(o->x), sizeof *out);
    int64_t *outs[1] = {out};
    fm_status st = out != NULL ? mpc_reveal(one, 1, everyone, BENCH_PARTIES, outs, err)
                               : base_err_memory(err, "open");

    *z = NULL;
    free(out);
    return st;
}

static fm_status a2b(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    return mpc_a2b(z, o->x, err);
}

static fm_status b2a(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    return mpc_b2a(z, o->bits[0], MPC_SIGNED, err);
}

static fm_status bit2a(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    return mpc_bit2a(z, o->bit, err);
}

/* By a fresh permutation each time: drawing it is part of the work. */
static fm_status shuffle(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    const struct mpc_share *x = o->x;
    struct mpc_perm *perm;
    fm_status st = mpc_perm_random(mpc_share_session(x), &perm, mpc_share_n(x), err);

    if (st != FM_OK)
        return st;
    st = mpc_perm_apply(perm, MPC_FORWARD, z, &x, 1, err);
    mpc_perm_free(perm);
    return st;
}

static fm_status choose(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    return mpc_select(z, o->bit, o->x, o->y, err);
}

static fm_status lesser(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    return mpc_min(z, o->x, o->y, MPC_SIGNED, err);
}

static fm_status magnitude(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    return mpc_abs(z, o->x, err);
}

static fm_status truncate(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    return mpc_truncate(z, o->x, 16, err);
}

static fm_status divide_public(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    return mpc_divide_public(z, o->x, 97, err);
}

static fm_status divide(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    struct mpc_share *rest = NULL;
    fm_status st = mpc_divide(z, &rest, o->x, o->y, err);

    mpc_share_free(rest);
    return st;
}

static fm_status ring_bits(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    struct mpc_share *bit[64] = {NULL};
    fm_status st = mpc_ring_bits(bit, o->x, mpc_share_width(o->x), err);

    *z = NULL;
    mpc_share_free_all(bit, 64);
    return st;
}

static fm_status one_hot(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    return mpc_one_hot(z, o->x, err);
}

static fm_status sum_where(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    return mpc_sum_where(z, o->x, o->bit, err);
}

static fm_status min_where(struct mpc_share **z, const struct operands *o, struct base_err *err)
{
    struct mpc_share *any = NULL;
    fm_status st = mpc_min_where(z, &any, o->x, o->bit, err);

    mpc_share_free(any);
    return st;
}

#define WHOLE                \
    {                        \
        INT64_MIN, INT64_MAX \
    }
/* So that one comparison is one sign bit. */
#define BITS62                                      \
    {                                               \
        -(INT64_C(1) << 62), (INT64_C(1) << 62) - 1 \
    }
#define MILLION   \
    {             \
        0, 999999 \
    }
#define BITS40                    \
    {                             \
        0, (INT64_C(1) << 40) - 1 \
    }

static const struct operation operations[] = {
    {"mul", WHOLE, OF_NUMBERS, mul},
    {"dot", WHOLE, OF_NUMBERS, dot},
    {"and", WHOLE, OF_BITS, and},
    {"lt", BITS62, OF_NUMBERS, less},
    {"lt20", MILLION, OF_NUMBERS, less},
    {"lt_full", WHOLE, OF_NUMBERS, less},
    {"lt_public", BITS62, OF_NUMBERS, less_public},
    {"eq", BITS62, OF_NUMBERS, equal},
    {"eq20", MILLION, OF_NUMBERS, equal},
    {"open", WHOLE, OF_NUMBERS, reveal},
    {"a2b", WHOLE, OF_NUMBERS, a2b},
    {"b2a", WHOLE, OF_BITS, b2a},
    {"bit2a", WHOLE, OF_NUMBERS, bit2a},
    {"shuffle", WHOLE, OF_NUMBERS, shuffle},
    {"select", WHOLE, OF_NUMBERS, choose},
    {"min", BITS62, OF_NUMBERS, lesser},
    {"abs", BITS62, OF_NUMBERS, magnitude},
    {"truncate", BITS40, OF_NUMBERS, truncate},
    {"div_public", BITS40, OF_NUMBERS, divide_public},
    {"div", {1, 999999}, OF_NUMBERS, divide},
    {"bits20", MILLION, OF_NUMBERS, ring_bits},
    {"one_hot64", {0, 63}, OF_NUMBERS, one_hot},
    {"sum_where", {0, UINT32_MAX}, OF_NUMBERS, sum_where},
    {"min_where", {0, UINT32_MAX}, OF_NUMBERS, min_where},
};
enum { OPERATIONS = sizeof operations / sizeof operations[0] };

/* Two columns of party 0, and random bits. */
static fm_status input(struct operands *o, struct mpc_session *s, const struct job *job,
                       struct base_err *err)
{
    struct mpc_range range = job->op->range;
    size_t n = job->o.n;
    int64_t *values = NULL;
    struct mpc_share *z[2];
    struct mpc_input in[2];
    fm_status st = FM_OK;

    if (mpc_session_self(s) == 0) {
        values = calloc(2 * n, sizeof *values);
        if (values == NULL)
            return base_err_memory(err, "input");
        st = bench_random_values(values, 2 * n, range, err);
    }
    for (unsigned i = 0; i < 2; i++)
        in[i] = (struct mpc_input){.domain = MPC_RING64,
                                   .owner = 0,
                                   .n = n,
                                   .range = range,
                                   .values = values != NULL ? values + i * n : NULL};
    if (st == FM_OK)
        st = mpc_input(s, z, in, 2, err);
    free(values);
    if (st != FM_OK)
        return st;
    o->x = z[0];
    o->y = z[1];
    for (unsigned i = 0; st == FM_OK && job->op->form == OF_BITS && i < 2; i++)
        st = mpc_a2b(&o->bits[i], z[i], err);
    return st == FM_OK ? mpc_random_bit(s, &o->bit, n, err) : st;
}

struct work {
    const struct operation *op;
    struct operands o;
};

static fm_status operate(void *ctx, struct base_err *err)
{
    const struct work *w = ctx;
    struct mpc_share *z = NULL;
    fm_status st = w->op->run(&z, &w->o, err);

    mpc_share_free(z);
    return st;
}

static fm_status body(void *ctx, struct net_transport *t, struct bench_report *report,
                      struct base_err *err)
{
    const struct job *job = ctx;
    struct work w = {.op = job->op};
    struct mpc_session *s;
    fm_status st = bench_session_open(&s, &job->o, t, err);

    if (st != FM_OK)
        return st;
    st = input(&w.o, s, job, err);
    if (st == FM_OK)
        st = bench_timed(&job->o, s, t, operate, &w, report, err);
    mpc_session_close(s);
    return st;
}

static void operations_line(void)
{
    printf("\noperations:");
    for (size_t i = 0; i < OPERATIONS; i++)
        printf(" %s", operations[i].name);
    printf("\n");
}

static bool known(const char *op)
{
    for (size_t i = 0; i < OPERATIONS; i++)
        if (strcmp(op, operations[i].name) == 0)
            return true;
    return strcmp(op, "all") == 0;
}

static struct job job = {
    .o = {.op = "all", .protocol = "rep3", .n = 100000, .runs = RUNS, .threads = 1}};
static const struct bench_option options[] = {BENCH_OPTIONS_MPC(job.o, NULL), {.name = NULL}};
static const struct bench_field fields[] = {BENCH_FIELDS_MPC, {.name = NULL}};
static const struct bench_program program = {
    "bench_mpc",
    "operations and circuits of a protocol on whole vectors: three processes, sealed channels",
    options,
    fields,
    BENCH_PROFILE | BENCH_NETWORK,
    operations_line};

int main(int argc, char **argv)
{
    struct bench_report reports[BENCH_PARTIES];
    struct base_err err = {0};
    int status;

    if (!bench_begin(&status, &program, argc, argv))
        return status;
    bench_options_settle(&job.o);
    if (!known(job.o.op)) {
        fprintf(stderr, "bench_mpc: --op '%.60s': there is no such operation: see --help\n",
                job.o.op);
        return 2;
    }
    for (size_t i = 0; i < OPERATIONS; i++) {
        job.op = &operations[i];
        if (strcmp(job.o.op, "all") != 0 && strcmp(job.o.op, job.op->name) != 0)
            continue;
        if (bench_parties_run(reports, body, &job, &err) != FM_OK) {
            fprintf(stderr, "bench_mpc: %s: %s\n", job.op->name, err.text);
            return fm_status_exit(err.code);
        }
        bench_print(&job.o, job.op->name, "", reports);
    }
    return 0;
}
