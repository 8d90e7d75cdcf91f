/* Products: arguments checked here, once for all protocols. */
#include "mpc/gates.h"
#include "mpc/lanes.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

static void clear_outputs(struct mpc_share **z, size_t count)
{
    for (size_t i = 0; i < count; i++)
        z[i] = NULL;
}

/* Frees what was allocated on failure, else tells the row what happened. */
static fm_status conclude(struct mpc_session *s, struct mpc_share **z, size_t count,
                          const struct mpc_record *record, fm_status status, struct base_err *err)
{
    if (status == FM_OK && s->computes)
        status = s->row->record(s, record, err);
    status = mpc_finish(s, record->op, status, err);
    if (status != FM_OK)
        mpc_share_free_all(z, count);
    return status;
}

static fm_status new_products(struct mpc_share **z, const struct mpc_share *const *x,
                              const struct mpc_share *const *y, size_t count, bool dot,
                              struct base_err *err)
{
    const char *what = dot ? "dot" : "mul";
    fm_status status = mpc_check_list(x, count, what, err);

    for (size_t i = 0; status == FM_OK && i < count; i++) {
        struct mpc_range range;

        if (y[i]->session != x[0]->session)
            return base_err_set(err, FM_E_ARG, "%s: the columns are of two sessions", what);
        status = mpc_check_pair(x[i], y[i], MPC_RING64, what, err);
        if (status == FM_OK)
            status = mpc_range_product(&range, x[i]->range, y[i]->range, what, err);
        if (status == FM_OK && dot)
            status = mpc_range_sum(&range, range, x[i]->n, what, err);
        if (status == FM_OK)
            status = mpc_ring_new(&z[i], x[0]->session, dot ? 1 : x[i]->n, range, err);
    }
    return status;
}

static fm_status product_list(struct mpc_share **z, const struct mpc_share *const *x,
                              const struct mpc_share *const *y, size_t count, bool dot,
                              struct base_err *err)
{
    struct mpc_record record = {
        .op = dot ? MPC_OP_DOT : MPC_OP_MUL, .z = z, .x = x, .y = y, .count = count};
    struct mpc_session *s;
    fm_status status;

    clear_outputs(z, count);
    status = new_products(z, x, y, count, dot, err);
    if (status != FM_OK) {
        mpc_share_free_all(z, count);
        return status;
    }
    s = x[0]->session;
    for (size_t i = 0; i < count && s->computes; i++)
        s->stats.mul_gates += x[i]->n;
    if (s->computes)
        status = dot ? s->row->dot(s, z, x, y, count, err)
                     : mpc_list_run(s,
                                    &(struct mpc_list_call){
                                        .op = MPC_OP_MUL, .z = z, .x = x, .y = y, .count = count},
                                    err);
    return conclude(s, z, count, &record, status, err);
}

fm_status mpc_mul_list(struct mpc_share **z, const struct mpc_share *const *x,
                       const struct mpc_share *const *y, size_t count, struct base_err *err)
{
    return product_list(z, x, y, count, false, err);
}

fm_status mpc_mul(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                  struct base_err *err)
{
    return product_list(z, &x, &y, 1, false, err);
}

fm_status mpc_dot_list(struct mpc_share **z, const struct mpc_share *const *x,
                       const struct mpc_share *const *y, size_t count, struct base_err *err)
{
    return product_list(z, x, y, count, true, err);
}

fm_status mpc_dot(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                  struct base_err *err)
{
    return product_list(z, &x, &y, 1, true, err);
}

/* The range of x y + x' y' + ..., in *range already that of the terms before. */
static fm_status add_term(struct mpc_range *range, const struct mpc_share *x,
                          const struct mpc_share *y, bool first, struct base_err *err)
{
    const char *what = "dot of columns";
    struct mpc_range term;
    fm_status status = mpc_range_product(&term, x->range, y->range, what, err);

    if (status != FM_OK || first) {
        *range = term;
        return status;
    }
    return mpc_range_add(range, *range, term, what, err);
}

static fm_status new_columns(struct mpc_share **z, const struct mpc_share *const *x,
                             const struct mpc_share *const *y, size_t count, struct base_err *err)
{
    const char *what = "dot of columns";
    struct mpc_range range = {0, 0};
    fm_status status = mpc_check_list(x, count, what, err);

    for (size_t k = 0; status == FM_OK && k < count; k++) {
        status = mpc_check_pair(x[0], x[k], MPC_RING64, what, err);
        if (status == FM_OK && y[k]->n != 1)
            status = mpc_check_pair(x[k], y[k], MPC_RING64, what, err);
        else if (status == FM_OK)
            status = mpc_check_domain(y[k], MPC_RING64, what, err);
        if (status == FM_OK && y[k]->session != x[0]->session)
            status = base_err_set(err, FM_E_ARG, "%s: the columns are of two sessions", what);
        if (status == FM_OK)
            status = add_term(&range, x[k], y[k], k == 0, err);
    }
    return status == FM_OK ? mpc_ring_new(z, x[0]->session, x[0]->n, range, err) : status;
}

fm_status mpc_dot_columns(struct mpc_share **z, const struct mpc_share *const *x,
                          const struct mpc_share *const *y, size_t count, struct base_err *err)
{
    struct mpc_record record = {.op = MPC_OP_DOT_COLUMNS, .z = z, .x = x, .y = y, .count = count};
    struct mpc_session *s;
    fm_status status;

    *z = NULL;
    status = new_columns(z, x, y, count, err);
    if (status != FM_OK)
        return status;
    s = x[0]->session;
    if (s->computes) {
        s->stats.mul_gates += count * x[0]->n;
        status = s->row->dot_columns(s, *z, x, y, count, err);
    }
    return conclude(s, z, 1, &record, status, err);
}

static fm_status check_bitwise(const struct mpc_share *x, const struct mpc_share *y,
                               const char *what, struct base_err *err)
{
    fm_status status = mpc_check_pair(x, y, MPC_BITS, what, err);

    if (status == FM_OK && x->width != y->width && x->width != 1 && y->width != 1)
        status =
            base_err_set(err, FM_E_ARG, "%s: widths %u and %u differ", what, x->width, y->width);
    return status;
}

static unsigned wider(const struct mpc_share *x, const struct mpc_share *y)
{
    return x->width > y->width ? x->width : y->width;
}

static void push_and(struct mpc_gates *gates, struct mpc_share *z, const struct mpc_share *x,
                     const struct mpc_share *y, const struct mpc_share *w)
{
    for (unsigned j = 0; j < z->width; j++)
        mpc_gates_push(gates, mpc_wire_of(z, j), mpc_wire_of(x, x->width == 1 ? 0 : j),
                       mpc_wire_of(y, y->width == 1 ? 0 : j),
                       w == NULL ? mpc_wire_none() : mpc_wire_of(w, j));
}

fm_status mpc_and_list(struct mpc_share **z, const struct mpc_share *const *x,
                       const struct mpc_share *const *y, size_t count, struct base_err *err)
{
    struct mpc_gates gates = {0};
    fm_status status;

    clear_outputs(z, count);
    status = mpc_check_list(x, count, "and", err);
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        status = check_bitwise(x[i], y[i], "and", err);
        if (status == FM_OK)
            status = mpc_bits_new(&z[i], x[0]->session, x[i]->n, wider(x[i], y[i]), err);
        if (status == FM_OK)
            push_and(&gates, z[i], x[i], y[i], NULL);
    }
    if (status == FM_OK)
        status = mpc_gates_and(x[0]->session, &gates, err);
    mpc_gates_release(&gates);
    if (status != FM_OK)
        mpc_share_free_all(z, count);
    return status;
}

fm_status mpc_and(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                  struct base_err *err)
{
    return mpc_and_list(z, &x, &y, 1, err);
}

/* x | y = (x & y) ^ (x ^ y). */
fm_status mpc_or(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                 struct base_err *err)
{
    struct mpc_gates gates = {0};
    struct mpc_share *either = NULL;
    unsigned width;
    fm_status status;

    *z = NULL;
    status = check_bitwise(x, y, "or", err);
    if (status != FM_OK)
        return status;
    width = wider(x, y);
    status = mpc_bits_new(&either, x->session, x->n, width, err);
    if (status == FM_OK)
        status = mpc_bits_new(z, x->session, x->n, width, err);
    if (status != FM_OK)
        goto out;
    for (unsigned j = 0; j < width; j++)
        mpc_gates_push(&gates, mpc_wire_of(either, j), mpc_wire_of(x, x->width == 1 ? 0 : j),
                       mpc_wire_of(y, y->width == 1 ? 0 : j), mpc_wire_none());
    status = mpc_gates_xor(x->session, &gates, err);
    if (status != FM_OK)
        goto out;
    push_and(&gates, *z, x, y, either);
    status = mpc_gates_and(x->session, &gates, err);
out:
    mpc_gates_release(&gates);
    mpc_share_free(either);
    if (status != FM_OK)
        mpc_share_free_all(z, 1);
    return status;
}
