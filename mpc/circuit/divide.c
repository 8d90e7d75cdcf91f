#include "mpc/circuit/divide.h"

#include "mpc/circuit/adder.h"
#include "mpc/circuit/select.h"
#include "mpc/gates.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

/* Bits of a non-negative number up to most (at least 1). */
static unsigned bits_of(int64_t most)
{
    unsigned bits = 1;

    while (bits < 63 && most >> bits != 0)
        bits++;
    return bits;
}

/* Restoring division, highest quotient bit first. Invariant: rem < den (in b planes), where den >
 * 0. wide = 2 rem + next bit of num              (b + 1 planes) wide - den, with one more plane
 * whose difference bit is the borrow: see adder.h, difference = ~sum quotient bit = no borrow; rem
 * = no borrow ? wide - den : wide */
struct division {
    struct mpc_session *s;
    struct mpc_share *num;  /* a planes */
    struct mpc_share *den;  /* b + 2 planes, the top two zero */
    struct mpc_share *rem;  /* b planes */
    struct mpc_share *quot; /* a planes */
    unsigned a;
    unsigned b;
    struct mpc_gates gates;
};

static struct mpc_wire wide_wire(const struct division *d, unsigned step, unsigned plane)
{
    return plane == 0 ? mpc_wire_of(d->num, step) : mpc_wire_of(d->rem, plane - 1);
}

static fm_status divide_step(struct division *d, unsigned step, struct base_err *err)
{
    unsigned planes = d->b + 2;
    size_t n = d->num->n;
    struct mpc_share *p = NULL;    /* ~(wide ^ den) */
    struct mpc_share *sum = NULL;  /* ~(wide - den) */
    struct mpc_share *diff = NULL; /* wide ^ (wide - den) */
    struct mpc_share *next = NULL;
    struct mpc_adder borrow;
    fm_status status = mpc_bits_constant(d->s, &p, 0, planes, n, err);

    if (status == FM_OK)
        status = mpc_bits_new(&sum, d->s, n, planes, err);
    if (status == FM_OK)
        status = mpc_bits_new(&diff, d->s, n, d->b, err);
    if (status == FM_OK)
        status = mpc_bits_new(&next, d->s, n, d->b, err);
    if (status != FM_OK)
        goto out;
    for (unsigned j = 0; j <= d->b; j++)
        mpc_gates_push(&d->gates, mpc_wire_of(p, j), wide_wire(d, step, j), mpc_wire_of(d->den, j),
                       mpc_wire_none());
    status = mpc_gates_xor(d->s, &d->gates, err);
    if (status != FM_OK)
        goto out;
    for (unsigned j = 0; j < planes; j++)
        mpc_wire_flip(d->s, mpc_wire_of(p, j));
    borrow = (struct mpc_adder){d->den, p, planes};
    status = mpc_adder_sum(d->s, &sum, &borrow, 1, err);
    if (status != FM_OK)
        goto out;
    /* The top plane of sum is 1 ^ borrow: the quotient bit. */
    mpc_gates_push(&d->gates, mpc_wire_of(d->quot, step), mpc_wire_of(d->quot, step),
                   mpc_wire_of(sum, planes - 1), mpc_wire_none());
    for (unsigned j = 0; j < d->b; j++)
        mpc_gates_push(&d->gates, mpc_wire_of(diff, j), wide_wire(d, step, j), mpc_wire_of(sum, j),
                       mpc_wire_none());
    status = mpc_gates_xor(d->s, &d->gates, err);
    if (status != FM_OK)
        goto out;
    for (unsigned j = 0; j < d->b; j++) {
        mpc_wire_flip(d->s, mpc_wire_of(diff, j));
        mpc_gates_push(&d->gates, mpc_wire_of(next, j), mpc_wire_of(sum, planes - 1),
                       mpc_wire_of(diff, j), wide_wire(d, step, j));
    }
    status = mpc_gates_and(d->s, &d->gates, err);
    if (status != FM_OK)
        goto out;
    mpc_share_free(d->rem);
    d->rem = next;
    next = NULL;
out:
    mpc_share_free(p);
    mpc_share_free(sum);
    mpc_share_free(diff);
    mpc_share_free(next);
    return status;
}

static fm_status begin(struct division *d, const struct mpc_share *num, const struct mpc_share *den,
                       struct base_err *err)
{
    const struct mpc_share *x[2] = {num, den};
    struct mpc_share *bits[2] = {NULL};
    unsigned widths[2];
    fm_status status;

    *d = (struct division){
        .s = num->session, .a = bits_of(num->range.hi), .b = bits_of(den->range.hi)};
    widths[0] = d->a;
    widths[1] = d->b;
    status = mpc_a2b_list(bits, x, widths, 2, err);
    if (status == FM_OK)
        status = mpc_bits_constant(d->s, &d->den, 0, d->b + 2, num->n, err);
    if (status == FM_OK)
        status = mpc_bits_constant(d->s, &d->rem, 0, d->b, num->n, err);
    if (status == FM_OK)
        status = mpc_bits_constant(d->s, &d->quot, 0, d->a, num->n, err);
    for (unsigned j = 0; status == FM_OK && j < d->b; j++)
        mpc_gates_push(&d->gates, mpc_wire_of(d->den, j), mpc_wire_of(d->den, j),
                       mpc_wire_of(bits[1], j), mpc_wire_none());
    if (status == FM_OK)
        status = mpc_gates_xor(d->s, &d->gates, err);
    d->num = bits[0];
    mpc_share_free(bits[1]);
    return status;
}

static fm_status check_operands(const struct mpc_share *num, const struct mpc_share *den,
                                struct base_err *err)
{
    fm_status status = mpc_check_pair(num, den, MPC_RING64, "divide", err);

    if (status == FM_OK && (den->range.lo < 0 || den->range.hi > INT64_C(1) << 62))
        status = base_err_set(err, FM_E_LIMIT,
                              "divide: the divisor's range %lld..%lld does not lie in 0..2^62",
                              (long long)den->range.lo, (long long)den->range.hi);
    return status;
}

fm_status mpc_divide(struct mpc_share **quotient, struct mpc_share **remainder,
                     const struct mpc_share *num, const struct mpc_share *den, struct base_err *err)
{
    struct division d = {0};
    fm_status status;

    *quotient = NULL;
    *remainder = NULL;
    status = check_operands(num, den, err);
    if (status == FM_OK && num->range.lo < 0)
        status =
            base_err_set(err, FM_E_LIMIT, "divide: the dividend's range begins at %lld, below 0",
                         (long long)num->range.lo);
    if (status != FM_OK)
        return status;
    status = begin(&d, num, den, err);
    for (unsigned step = d.a; status == FM_OK && step-- > 0;)
        status = divide_step(&d, step, err);
    if (status == FM_OK)
        status = mpc_b2a(quotient, d.quot, MPC_UNSIGNED, err);
    if (status == FM_OK)
        status = mpc_b2a(remainder, d.rem, MPC_UNSIGNED, err);
    mpc_gates_release(&d.gates);
    mpc_share_free(d.num);
    mpc_share_free(d.den);
    mpc_share_free(d.rem);
    mpc_share_free(d.quot);
    if (status != FM_OK)
        mpc_share_free_all(quotient, 1);
    return status;
}

/* |num| times 1 or -1: the factor 1 - 2 [num < 0] in t[0], |num| in t[1]. */
static fm_status split_sign(struct mpc_share **t, const struct mpc_share *num, struct base_err *err)
{
    struct mpc_share *k[3] = {NULL};
    int64_t most = num->range.hi > -num->range.lo ? num->range.hi : -num->range.lo;
    fm_status status = mpc_negative(&k[0], num, err);

    if (status == FM_OK)
        status = mpc_bit2a(&k[1], k[0], err);
    if (status == FM_OK)
        status = mpc_scale(&k[2], k[1], -2, err);
    if (status == FM_OK)
        status = mpc_add_constant(&t[0], k[2], 1, err);
    if (status == FM_OK)
        status = mpc_mul(&t[1], t[0], num, err);
    if (status == FM_OK)
        status = mpc_share_narrow(t[1], (struct mpc_range){0, most}, err);
    mpc_share_free_all(k, 3);
    return status;
}

fm_status mpc_divide_round(struct mpc_share **quotient, const struct mpc_share *num,
                           const struct mpc_share *den, struct base_err *err)
{
    struct mpc_share *t[7] = {
        NULL}; /* sign, |num|, 2|num|, 2|num| + den, 2 den, quotient, remainder */
    fm_status status;

    *quotient = NULL;
    status = check_operands(num, den, err);
    if (status == FM_OK && num->range.lo == INT64_MIN)
        status = base_err_set(err, FM_E_LIMIT, "divide: the dividend's range holds -2^63");
    if (status == FM_OK)
        status = split_sign(t, num, err);
    if (status == FM_OK)
        status = mpc_scale(&t[2], t[1], 2, err);
    if (status == FM_OK)
        status = mpc_add(&t[3], t[2], den, err);
    if (status == FM_OK)
        status = mpc_scale(&t[4], den, 2, err);
    if (status == FM_OK)
        status = mpc_divide(&t[5], &t[6], t[3], t[4], err);
    if (status == FM_OK)
        status = mpc_mul(quotient, t[0], t[5], err);
    mpc_share_free_all(t, 7);
    return status;
}
