#include "mpc/circuit/select.h"

#include "mpc/gates.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static fm_status check_bit(const struct mpc_share *bit, const struct mpc_share *x, const char *what,
                           struct base_err *err)
{
    if (bit->domain != MPC_BITS || bit->width != 1)
        return base_err_set(err, FM_E_ARG, "%s: chooses by a truth value: bits of width 1", what);
    if (bit->session != x->session)
        return base_err_set(err, FM_E_ARG, "%s: the columns are of two sessions", what);
    if (bit->n != x->n && bit->n != 1)
        return base_err_set(err, FM_E_ARG, "%s: %zu truth values for %zu elements", what, bit->n,
                            x->n);
    return FM_OK;
}

/* The bit as ring elements, one for each element of x. */
static fm_status ring_bit(struct mpc_share **out, const struct mpc_share *bit, size_t n,
                          struct base_err *err)
{
    struct mpc_share *one;
    fm_status status;

    if (bit->n == n)
        return mpc_bit2a(out, bit, err);
    *out = NULL;
    status = mpc_bit2a(&one, bit, err);
    if (status != FM_OK)
        return status;
    status = mpc_spread(out, one, n, err);
    mpc_share_free(one);
    return status;
}

/* y + b (x - y), mod 2^64 on the way: the result is one of the two, so the hull holds it. */
fm_status mpc_select_ring(struct mpc_share **z, const struct mpc_share *bit01,
                          const struct mpc_share *x, const struct mpc_share *y,
                          struct base_err *err)
{
    struct mpc_share *d = NULL;
    struct mpc_share *product = NULL;
    fm_status status;

    *z = NULL;
    status = mpc_check_pair(x, y, MPC_RING64, "select", err);
    if (status == FM_OK)
        status = mpc_sub_wrapping(&d, x, y, err);
    if (status == FM_OK)
        status = mpc_mul(&product, bit01, d, err);
    if (status == FM_OK)
        status = mpc_add_wrapping(z, y, product, err);
    if (status == FM_OK)
        status = mpc_share_narrow(
            *z, (struct mpc_range){least(x->range.lo, y->range.lo), most(x->range.hi, y->range.hi)},
            err);
    mpc_share_free(d);
    mpc_share_free(product);
    if (status != FM_OK)
        mpc_share_free_all(z, 1);
    return status;
}

/* y ^ (b & (x ^ y)). */
static fm_status select_planes(struct mpc_share **z, const struct mpc_share *bit,
                               const struct mpc_share *x, const struct mpc_share *y,
                               struct base_err *err)
{
    struct mpc_gates gates = {0};
    struct mpc_share *spread = NULL;
    struct mpc_share *d = NULL;
    fm_status status = mpc_xor(&d, x, y, err);

    if (status == FM_OK && bit->n != x->n) {
        status = mpc_spread(&spread, bit, x->n, err);
        bit = spread;
    }
    if (status == FM_OK)
        status = mpc_bits_new(z, x->session, x->n, x->width, err);
    if (status == FM_OK) {
        for (unsigned j = 0; j < x->width; j++)
            mpc_gates_push(&gates, mpc_wire_of(*z, j), mpc_wire_of(bit, 0), mpc_wire_of(d, j),
                           mpc_wire_of(y, j));
        status = mpc_gates_and(x->session, &gates, err);
    }
    mpc_gates_release(&gates);
    mpc_share_free(spread);
    mpc_share_free(d);
    if (status != FM_OK)
        mpc_share_free_all(z, 1);
    return status;
}

fm_status mpc_select(struct mpc_share **z, const struct mpc_share *bit, const struct mpc_share *x,
                     const struct mpc_share *y, struct base_err *err)
{
    struct mpc_share *bit01;
    fm_status status;

    *z = NULL;
    status = check_bit(bit, x, "select", err);
    if (status == FM_OK)
        status = mpc_check_pair(x, y, x->domain, "select", err);
    if (status != FM_OK)
        return status;
    if (x->domain == MPC_BITS)
        return select_planes(z, bit, x, y, err);
    status = ring_bit(&bit01, bit, x->n, err);
    if (status != FM_OK)
        return status;
    status = mpc_select_ring(z, bit01, x, y, err);
    mpc_share_free(bit01);
    return status;
}

fm_status mpc_keep(struct mpc_share **z, const struct mpc_share *bit, const struct mpc_share *x,
                   struct base_err *err)
{
    struct mpc_share *factor = NULL;
    fm_status status;

    *z = NULL;
    status = check_bit(bit, x, "keep", err);
    if (status != FM_OK)
        return status;
    if (x->domain == MPC_RING64) {
        status = ring_bit(&factor, bit, x->n, err);
        if (status == FM_OK)
            status = mpc_mul(z, factor, x, err);
    } else if (bit->n == x->n) {
        status = mpc_and(z, bit, x, err);
    } else {
        status = mpc_spread(&factor, bit, x->n, err);
        if (status == FM_OK)
            status = mpc_and(z, factor, x, err);
    }
    mpc_share_free(factor);
    return status;
}

fm_status mpc_negative(struct mpc_share **z, const struct mpc_share *x, struct base_err *err)
{
    unsigned width = mpc_range_width(x->range);
    fm_status status;

    *z = NULL;
    status = mpc_check_domain(x, MPC_RING64, "negative", err);
    if (status != FM_OK)
        return status;
    if (x->range.lo >= 0 || x->range.hi < 0)
        return mpc_bits_constant(x->session, z, x->range.hi < 0 ? -1 : 0, 1, x->n, err);
    return mpc_msb_list(z, &x, &width, 1, err);
}

/* x (1 - 2 [x < 0]). */
fm_status mpc_abs(struct mpc_share **z, const struct mpc_share *x, struct base_err *err)
{
    struct mpc_share *t[4] = {NULL};
    struct mpc_range range;
    fm_status status;

    *z = NULL;
    status = mpc_check_domain(x, MPC_RING64, "abs", err);
    if (status == FM_OK && x->range.lo == INT64_MIN)
        status = base_err_set(err, FM_E_LIMIT,
                              "abs: the range holds -2^63, whose absolute value "
                              "does not fit; narrow the column's range");
    if (status != FM_OK)
        return status;
    range.lo = x->range.lo > 0 ? x->range.lo : x->range.hi < 0 ? -x->range.hi : 0;
    range.hi = most(x->range.hi, -x->range.lo);
    status = mpc_negative(&t[0], x, err);
    if (status == FM_OK)
        status = mpc_bit2a(&t[1], t[0], err);
    if (status == FM_OK)
        status = mpc_scale(&t[2], t[1], -2, err);
    if (status == FM_OK)
        status = mpc_add_constant(&t[3], t[2], 1, err);
    if (status == FM_OK)
        status = mpc_mul(z, t[3], x, err);
    if (status == FM_OK)
        status = mpc_share_narrow(*z, range, err);
    mpc_share_free_all(t, 4);
    if (status != FM_OK)
        mpc_share_free_all(z, 1);
    return status;
}
