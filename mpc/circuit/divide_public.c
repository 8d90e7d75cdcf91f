#include "mpc/circuit/compare.h"
#include "mpc/circuit/decompose.h"
#include "mpc/circuit/divide.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

enum { QUOTIENT_BITS = 28, PRODUCT_BITS = 62 };

static unsigned bits_of(uint64_t most)
{
    unsigned bits = 0;

    while (bits < 64 && most >> bits != 0)
        bits++;
    return bits;
}

/* x / d is about (x >> leave) * factor >> shift. With b and k the bits of d and of the greatest x,
 * leave <= b - 2 costs less than 2^leave / d <= 1/2, and rounding the factor down less than
 * (x >> leave) / 2^shift <= 1/2, because shift >= (bits of x >> leave) + 1: where leave = b - 2,
 * x >> leave has at most 30 bits (the quotient has 28) and shift is 63 less that or more; where
 * leave = k - 31, 31 bits and shift >= 33; where leave = 0, k <= 31 and shift >= 61 + b - k or 62.
 * So the result is the quotient or one less. */
struct reciprocal {
    unsigned leave;
    unsigned shift;
    uint64_t factor;
};

static struct reciprocal reciprocal_of(uint64_t d, uint64_t most)
{
    unsigned b = bits_of(d);
    unsigned k = bits_of(most);
    unsigned kept;
    struct reciprocal r = {.leave = k > 31 ? k - 31 : 0};

    r.leave = r.leave < b - 2 ? r.leave : b - 2;
    kept = bits_of(most >> r.leave);
    r.shift = PRODUCT_BITS - kept + b - 1 - r.leave;
    r.shift = r.shift < PRODUCT_BITS ? r.shift : PRODUCT_BITS;
    while (bits_of((uint64_t)(((unsigned __int128)1 << (r.shift + r.leave)) / d)) >
           PRODUCT_BITS - kept)
        r.shift--;
    r.factor = (uint64_t)(((unsigned __int128)1 << (r.shift + r.leave)) / d);
    return r;
}

/* The quotient or one less. */
static fm_status estimate(struct mpc_share **q, const struct mpc_share *x, uint64_t d,
                          struct base_err *err)
{
    struct reciprocal r = reciprocal_of(d, (uint64_t)x->range.hi);
    struct mpc_share *t[2] = {NULL};
    fm_status status = mpc_truncate(&t[0], x, r.leave, err);

    if (status == FM_OK)
        status = mpc_scale(&t[1], t[0], (int64_t)r.factor, err);
    if (status == FM_OK)
        status = mpc_truncate(q, t[1], r.shift, err);
    mpc_share_free_all(t, 2);
    return status;
}

/* x - q d, which is known to be 0..most. */
static fm_status remainder_of(struct mpc_share **r, const struct mpc_share *x,
                              const struct mpc_share *q, uint64_t d, uint64_t most,
                              struct base_err *err)
{
    struct mpc_share *product = NULL;
    fm_status status = mpc_scale(&product, q, (int64_t)d, err);

    if (status == FM_OK)
        status = mpc_sub_wrapping(r, x, product, err);
    mpc_share_free(product);
    return status == FM_OK ? mpc_share_narrow(*r, (struct mpc_range){0, (int64_t)most}, err)
                           : status;
}

/* floor(x / d), x in 0..less than 2^62, the quotient less than 2^28; d >= 2 no power of two. */
static fm_status small_quotient(struct mpc_share **q, const struct mpc_share *x, uint64_t d,
                                struct base_err *err)
{
    struct mpc_share *about = NULL;
    struct mpc_share *rest = NULL;
    struct mpc_share *bit[2] = {NULL};
    struct mpc_share *one = NULL;
    int64_t most = x->range.hi / (int64_t)d;
    fm_status status = estimate(&about, x, d, err);

    if (status == FM_OK)
        status = remainder_of(&rest, x, about, d, 2 * d - 1, err);
    if (status == FM_OK)
        status = mpc_less_public(&bit[0], rest, (int64_t)d, err);
    if (status == FM_OK)
        status = mpc_not(&bit[1], bit[0], err);
    if (status == FM_OK)
        status = mpc_bit2a(&one, bit[1], err);
    if (status == FM_OK)
        status = mpc_add_wrapping(q, about, one, err);
    if (status == FM_OK)
        status = mpc_share_narrow(*q, (struct mpc_range){0, most}, err);
    mpc_share_free(about);
    mpc_share_free(rest);
    mpc_share_free_all(bit, 2);
    mpc_share_free(one);
    return status;
}

static fm_status digit(struct mpc_share **q, const struct mpc_share *x, uint64_t d,
                       struct base_err *err)
{
    if ((d & (d - 1)) == 0)
        return mpc_truncate(q, x, bits_of(d) - 1, err);
    return small_quotient(q, x, d, err);
}

/* q += digit * 2^shift; takes the digit over. */
static fm_status append(struct mpc_share **q, struct mpc_share *d, unsigned shift,
                        struct base_err *err)
{
    struct mpc_share *scaled = NULL;
    struct mpc_share *sum = NULL;
    fm_status status = mpc_scale(&scaled, d, INT64_C(1) << shift, err);

    if (status == FM_OK)
        status = mpc_add_wrapping(&sum, *q, scaled, err);
    mpc_share_free(d);
    mpc_share_free(scaled);
    if (status == FM_OK) {
        mpc_share_free(*q);
        *q = sum;
    }
    return status;
}

/* x >= 0; digit by digit, x becoming the remainder. */
static fm_status divide(struct mpc_share **quotient, struct mpc_share **x, uint64_t c,
                        struct base_err *err)
{
    fm_status status = mpc_constant((*x)->session, quotient, 0, (*x)->n, err);

    while (status == FM_OK && (uint64_t)(*x)->range.hi >= c) {
        unsigned bits = bits_of((uint64_t)(*x)->range.hi / c);
        unsigned shift = bits > QUOTIENT_BITS && (c & (c - 1)) != 0 ? bits - QUOTIENT_BITS : 0;
        struct mpc_share *q = NULL;
        struct mpc_share *rest = NULL;

        status = digit(&q, *x, c << shift, err);
        if (status == FM_OK)
            status = remainder_of(&rest, *x, q, c << shift, (c << shift) - 1, err);
        if (status == FM_OK) {
            mpc_share_free(*x);
            *x = rest;
            status = append(quotient, q, shift, err);
        } else
            mpc_share_free(q);
    }
    return status;
}

fm_status mpc_divide_public(struct mpc_share **quotient, const struct mpc_share *x, int64_t c,
                            struct base_err *err)
{
    struct mpc_share *up = NULL;
    struct mpc_share *q = NULL;
    int64_t multiples;
    __int128 most;
    fm_status status = mpc_check_domain(x, MPC_RING64, "divide", err);

    *quotient = NULL;
    if (status == FM_OK && c < 1)
        status = base_err_set(err, FM_E_ARG, "divide: by %lld: 1 or more", (long long)c);
    if (status != FM_OK)
        return status;
    multiples = x->range.lo < 0 ? -(x->range.lo / c) + (x->range.lo % c != 0) : 0;
    most = (__int128)x->range.hi + (__int128)multiples * c;
    if (x->range.lo == INT64_MIN || most >= (__int128)1 << PRODUCT_BITS)
        return base_err_set(err, FM_E_LIMIT, "divide: magnitudes must stay below 2^61 or so");
    status = mpc_add_constant(&up, x, multiples * c, err);
    if (status == FM_OK)
        status = divide(&q, &up, (uint64_t)c, err);
    if (status == FM_OK)
        status = mpc_share_narrow(
            q, (struct mpc_range){(x->range.lo + multiples * c) / c, (int64_t)(most / c)}, err);
    if (status == FM_OK)
        status = mpc_add_constant(quotient, q, -multiples, err);
    mpc_share_free(up);
    mpc_share_free(q);
    if (status != FM_OK)
        mpc_share_free_all(quotient, 1);
    return status;
}
