/* bench_mpc: operations of a protocol on whole vectors, three processes on loopback with sealed
 * channels. JSON lines: see measure.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "benches/measure.h"
#include "mpc/circuit/compare.h"

enum { RUNS = 5 }; /* unless --runs says otherwise */

/* One run of an operation; bits: the operands in boolean form, made beforehand. */
struct work {
    const char *op;
    struct mpc_share *x[2];
    struct mpc_share *bits[2];
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

static fm_status operate(void *ctx, struct base_err *err)
{
    const struct work *w = ctx;
    struct mpc_share *const *x = w->x, *const *bits = w->bits;
    struct mpc_share *z = NULL;
    fm_status st;

    if (strcmp(w->op, "mul") == 0)
        st = mpc_mul(&z, x[0], x[1], err);
    else if (strcmp(w->op, "and") == 0)
        st = mpc_and(&z, bits[0], bits[1], err);
    else if (strcmp(w->op, "lt") == 0)
        st = mpc_less(&z, x[0], x[1], err);
    else if (strcmp(w->op, "eq") == 0)
        st = mpc_equal(&z, x[0], x[1], err);
    else if (strcmp(w->op, "a2b") == 0)
        st = mpc_a2b(&z, x[0], err);
    else if (strcmp(w->op, "b2a") == 0)
        st = mpc_b2a(&z, bits[0], MPC_SIGNED, err);
    else if (strcmp(w->op, "shuffle") == 0)
        st = shuffle(&z, mpc_share_session(x[0]), x[0], err);
    else
        st = open_all(x[0], err);
    mpc_share_free(z);
    return st;
}

static fm_status body(void *ctx, struct net_transport *t, struct bench_report *report,
                      struct base_err *err)
{
    const struct bench_options *o = ctx;
    struct work w = {.op = o->op};
    struct mpc_session *s;
    bool wants_bits = strcmp(o->op, "and") == 0 || strcmp(o->op, "b2a") == 0;
    fm_status st = bench_session_open(&s, o, t, err);

    if (st != FM_OK)
        return st;
    st = input(s, w.x, o->n, err);
    for (unsigned i = 0; st == FM_OK && wants_bits && i < 2; i++)
        st = mpc_a2b(&w.bits[i], w.x[i], err);
    if (st == FM_OK && (strcmp(o->op, "lt") == 0 || strcmp(o->op, "eq") == 0))
        st = narrow(w.x, err);
    if (st == FM_OK)
        st = bench_timed(o, s, t, operate, &w, report, err);
    mpc_session_close(s);
    return st;
}

static void usage(void)
{
    puts("usage: bench_mpc [--op mul|and|lt|eq|open|a2b|b2a|shuffle|all] " BENCH_OPTIONS_USAGE "\n"
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
    struct bench_options o = {"all", "rep3", 100000, RUNS, 1, MPC_FEW_ROUNDS};
    struct bench_report reports[BENCH_PARTIES];
    struct base_err err = {0};

    for (int i = 1; i < argc; i++)
        if (!bench_options_take(&o, argc, argv, &i)) {
            usage();
            return strcmp(argv[i], "--help") == 0 ? 0 : 2;
        }
    if (!bench_options_good(&o, "bench_mpc"))
        return 2;
    if (strcmp(o.op, "all") != 0 && !known(o.op, ops)) {
        fprintf(stderr, "bench_mpc: no operation '%s': see --help\n", o.op);
        return 2;
    }
    for (const char *const *op = ops; *op != NULL; op++) {
        struct bench_options one = o;
        if (strcmp(o.op, "all") != 0 && strcmp(o.op, *op) != 0)
            continue;
        one.op = *op;
        if (bench_parties_run(reports, body, &one, &err) != FM_OK) {
            fprintf(stderr, "bench_mpc: %s: %s\n", *op, err.text);
            return fm_status_exit(err.code);
        }
        bench_print(&one, *op, "", reports);
    }
    return 0;
}
