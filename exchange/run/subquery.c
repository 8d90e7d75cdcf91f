/* The subquery that is a value. */
#include <assert.h>

#include "exchange/run/join.h"

static void take_flags(struct run_work *w, struct run_relation *to, struct run_relation *from)
{
    for (int f = 0; w->status == FM_OK && f < RUN_FLAGS; f++) {
        run_raise(w, to, (enum run_flag)f, from->flag[f]);
        from->flag[f] = NULL;
    }
}

static fm_status done(struct run_work *w, struct run_relation *right, const char *what)
{
    run_relation_release(right);
    if (w->status != FM_OK)
        (void)base_err_prefix(w->err, "%s", what);
    return run_work_release(w);
}

/* The sum (of bits: XOR) of the rows that exist: the value, if there is one such row. Modulo 2^64,
 * so that what two rows come to does not matter. */
static struct mpc_share *only(struct run_work *w, const struct run_relation *r, struct mpc_share *x,
                              const struct mpc_share *one)
{
    struct mpc_share *z = NULL;
    struct mpc_range range;

    if (x == NULL || w->status != FM_OK)
        return NULL;
    range = mpc_share_range(x);
    x = run_keep(w, r->valid, x);
    if (w->status == FM_OK)
        w->status = mpc_prefix(&z, x, w->err);
    z = w->status == FM_OK ? run_slice(w, run_hold(w, z), r->rows - 1, 1) : NULL;
    z = run_keep(w, one, z);
    if (w->status == FM_OK && mpc_share_domain(z) == MPC_RING64)
        run_narrow(w, z,
                   (struct mpc_range){range.lo < 0 ? range.lo : 0, range.hi > 0 ? range.hi : 0});
    return z;
}

fm_status run_scalar(struct run_relation *to, struct run_relation *right, struct base_err *err)
{
    struct run_work w = run_work(to->session, err);
    struct run_column *c = &right->columns[0], out = {0};
    struct mpc_share *count = run_count_of(&w, right->valid);
    struct mpc_share *one = run_equal_public(&w, count, 1), *known;

    assert(right->count >= 1);
    known = run_and(&w, one, only(&w, right, c->known, one));
    for (size_t k = 0; k < c->word_count; k++) { /* in place: right is consumed */
        struct mpc_share *z =
            run_take(&w, run_spread(&w, only(&w, right, c->words[k], one), to->rows));

        if (z == NULL)
            return done(&w, right, "scalar subquery");
        mpc_share_free(c->words[k]);
        c->words[k] = z;
    }
    if (c->x != NULL)
        out.x = run_take(&w, run_spread(&w, only(&w, right, c->x, one), to->rows));
    if (known != NULL)
        out.known = run_take(&w, run_spread(&w, known, to->rows));
    if (right->rows > 1)
        run_raise(&w, to, RUN_FLAG_SECOND_ROW,
                  run_take(&w, run_not(&w, run_less_public(&w, count, 2))));
    take_flags(&w, to, right);
    if (w.status != FM_OK) {
        mpc_share_free(out.x);
        mpc_share_free(out.known);
        return done(&w, right, "scalar subquery");
    }
    out.words = c->words;
    out.word_count = c->word_count;
    c->words = NULL;
    c->word_count = 0;
    w.status = run_relation_add(to, out, err);
    return done(&w, right, "scalar subquery");
}
