#include "mpc/circuit/decompose.h"

#include "mpc/gates.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

fm_status mpc_ring_bits(struct mpc_share **bit, const struct mpc_share *x, unsigned width,
                        struct base_err *err)
{
    struct mpc_share *planes = NULL;
    struct mpc_share *plane[64] = {NULL};
    fm_status status = mpc_a2b_list(&planes, &x, &width, 1, err);

    for (unsigned j = 0; status == FM_OK && j < width; j++)
        status = mpc_planes(&plane[j], planes, j, 1, err);
    if (status == FM_OK)
        status = mpc_bit2a_list(bit, (const struct mpc_share *const *)plane, width, err);
    mpc_share_free(planes);
    mpc_share_free_all(plane, 64);
    return status;
}

/* ---- one-hot ---- */

static unsigned bits_for(unsigned values)
{
    unsigned bits = 0;

    while ((1u << bits) < values)
        bits++;
    return bits;
}

struct mpc_circuit_cost mpc_one_hot_cost(unsigned values)
{
    unsigned bits = bits_for(values);
    unsigned rounds = bits_for(bits);

    return (struct mpc_circuit_cost){(UINT64_C(1) << bits) - bits - 1, bits == 0 ? 0 : rounds};
}

/* Indicators of a group of bits from those of its lower and its upper part: number h * lows + l is
 * low[l] times high[h]. Those of the last l, and of h = 0, are what is left of the others' sums, so
 * that they need no AND. */
struct cross {
    struct mpc_share *z;
    struct mpc_share *low;
    struct mpc_share *high;
};

static void push_products(struct mpc_gates *gates, const struct cross *c)
{
    for (unsigned h = 1; h < c->high->width; h++)
        for (unsigned l = 0; l + 1 < c->low->width; l++)
            mpc_gates_push(gates, mpc_wire_of(c->z, h * c->low->width + l), mpc_wire_of(c->low, l),
                           mpc_wire_of(c->high, h), mpc_wire_none());
}

/* Plane `to` of z = from, and all of z's planes first, first + step, ... below end, together. */
static fm_status left_of(const struct cross *c, unsigned to, struct mpc_wire from, unsigned first,
                         unsigned step, unsigned end, struct base_err *err)
{
    struct mpc_gates gates = {0};
    fm_status status = FM_OK;

    for (unsigned j = first; status == FM_OK && j < end; j += step) {
        mpc_gates_push(&gates, mpc_wire_of(c->z, to), from, mpc_wire_of(c->z, j), mpc_wire_none());
        status = mpc_gates_xor(c->z->session, &gates, err);
        from = mpc_wire_of(c->z, to);
    }
    mpc_gates_release(&gates);
    return status;
}

static fm_status fill_rest(const struct cross *c, struct base_err *err)
{
    unsigned lows = c->low->width;
    unsigned all = c->z->width;
    fm_status status = FM_OK;

    for (unsigned l = 0; status == FM_OK && l + 1 < lows; l++)
        status = left_of(c, l, mpc_wire_of(c->low, l), lows + l, lows, all, err);
    for (unsigned h = 0; status == FM_OK && h < c->high->width; h++)
        status = left_of(c, (h + 1) * lows - 1, mpc_wire_of(c->high, h), h * lows, 1,
                         (h + 1) * lows - 1, err);
    return status;
}

/* Neighbours of group[0..*count) become one each, in one round. */
static fm_status merge(struct mpc_share **group, unsigned *count, struct base_err *err)
{
    struct mpc_session *s = group[0]->session;
    struct cross c[4];
    struct mpc_gates gates = {0};
    unsigned pairs = *count / 2;
    fm_status status = FM_OK;

    for (unsigned i = 0; i < pairs; i++)
        c[i] = (struct cross){NULL, group[2 * i], group[2 * i + 1]};
    for (unsigned i = 0; status == FM_OK && i < pairs; i++) {
        status = mpc_bits_new(&c[i].z, s, c[i].low->n, c[i].low->width * c[i].high->width, err);
        if (status == FM_OK)
            push_products(&gates, &c[i]);
    }
    if (status == FM_OK)
        status = mpc_gates_and(s, &gates, err);
    for (unsigned i = 0; status == FM_OK && i < pairs; i++)
        status = fill_rest(&c[i], err);
    for (unsigned i = 0; i < pairs; i++) {
        mpc_share_free(c[i].low);
        mpc_share_free(c[i].high);
        group[2 * i + 1] = NULL;
        group[2 * i] = NULL;
        group[i] = c[i].z;
    }
    if (*count % 2 == 1) {
        struct mpc_share *odd = group[*count - 1];

        group[*count - 1] = NULL;
        group[pairs] = odd;
    }
    *count = pairs + *count % 2;
    mpc_gates_release(&gates);
    return status;
}

/* One bit: (not b, b). */
static fm_status one_bit(struct mpc_share **z, const struct mpc_share *bits, unsigned at,
                         struct base_err *err)
{
    struct mpc_gates gates = {0};
    fm_status status = mpc_bits_constant(bits->session, z, 1, 2, bits->n, err); /* planes 1, 0 */

    for (unsigned j = 0; status == FM_OK && j < 2; j++)
        mpc_gates_push(&gates, mpc_wire_of(*z, j), mpc_wire_of(*z, j), mpc_wire_of(bits, at),
                       mpc_wire_none());
    if (status == FM_OK)
        status = mpc_gates_xor(bits->session, &gates, err);
    mpc_gates_release(&gates);
    return status;
}

/* The indicators of all bits. */
static fm_status indicators(struct mpc_share **z, const struct mpc_share *bits,
                            struct base_err *err)
{
    struct mpc_share *group[8] = {NULL};
    unsigned count = bits->width;
    fm_status status = FM_OK;

    *z = NULL;
    for (unsigned j = 0; status == FM_OK && j < count; j++)
        status = one_bit(&group[j], bits, j, err);
    while (status == FM_OK && count > 1)
        status = merge(group, &count, err);
    if (status == FM_OK) {
        *z = group[0];
        group[0] = NULL;
    }
    mpc_share_free_all(group, 8);
    return status;
}

fm_status mpc_one_hot(struct mpc_share **z, const struct mpc_share *x, struct base_err *err)
{
    uint64_t span = (uint64_t)x->range.hi - (uint64_t)x->range.lo;
    unsigned values = x->domain == MPC_BITS ? 0 : span < MPC_ONE_HOT_MOST ? (unsigned)span + 1 : 0;
    unsigned bits = x->domain == MPC_BITS ? x->width : bits_for(values);
    struct mpc_share *t[3] = {NULL};
    fm_status status = FM_OK;

    *z = NULL;
    if (x->domain == MPC_BITS ? x->width > 8 : values == 0)
        return base_err_set(err, FM_E_LIMIT, "one-hot: at most %d values", MPC_ONE_HOT_MOST);
    if (bits == 0)
        return mpc_bits_constant(x->session, z, 1, 1, x->n, err);
    if (x->domain == MPC_BITS)
        return indicators(z, x, err);
    status = mpc_constant(x->session, &t[0], x->range.lo, x->n, err);
    if (status == FM_OK)
        status = mpc_sub_wrapping(&t[1], x, t[0], err);
    if (status == FM_OK)
        status = mpc_a2b_list(&t[2], (const struct mpc_share *const *)&t[1], &bits, 1, err);
    mpc_share_free(t[0]);
    t[0] = NULL;
    if (status == FM_OK)
        status = indicators(&t[0], t[2], err);
    if (status == FM_OK)
        status = mpc_planes(z, t[0], 0, values, err);
    mpc_share_free_all(t, 3);
    return status;
}

fm_status mpc_truncate(struct mpc_share **z, const struct mpc_share *x, unsigned by,
                       struct base_err *err)
{
    struct mpc_share *planes = NULL;
    struct mpc_share *high = NULL;
    unsigned width = mpc_share_width(x);
    fm_status status = mpc_check_domain(x, MPC_RING64, "truncate", err);

    *z = NULL;
    if (status == FM_OK && by > 63)
        status = base_err_set(err, FM_E_ARG, "truncate: by %u bits: 0 to 63", by);
    if (status != FM_OK)
        return status;
    if (by == 0)
        return mpc_slice(z, x, 0, x->n, err);
    if (by >= width && x->range.lo >= 0)
        return mpc_constant(x->session, z, 0, x->n, err);
    by = by < width ? by : width - 1; /* -1 or 0: the sign */
    status = mpc_a2b(&planes, x, err);
    if (status == FM_OK)
        status = mpc_planes(&high, planes, by, width - by, err);
    if (status == FM_OK)
        status = mpc_b2a(z, high, MPC_SIGNED, err);
    if (status == FM_OK)
        status =
            mpc_share_narrow(*z, (struct mpc_range){x->range.lo >> by, x->range.hi >> by}, err);
    mpc_share_free(planes);
    mpc_share_free(high);
    if (status != FM_OK)
        mpc_share_free_all(z, 1);
    return status;
}
