/* Linked signs by one chain of carries.
 *
 * The sign of x_0, or where that is zero of what follows, is the sign of x_0 - b with b the sign of
 * what follows, because x_0 - b < 0 exactly where x_0 < 0 or x_0 = 0 and b = 1. As x_0 - 1 + (1 -
 * b) this is the addition u + v of the two summands of x_0 - 1 (rep3.h) with a carry in, 1 - b, and
 * b is in turn top ^ carry of the addition below. A carry is G ^ P c for the carry c that comes in,
 * for whole groups of positions too (group.c); so the carry into the upper addition is 1 ^ top ^ G
 * ^ P c with G, P of the lower one's last group. One tree over the groups of all additions, with
 * 1 ^ top added to G of the last group of each but the highest, is all: what one msb of the joint
 * width would cost, and the bit P more that each upper addition's lowest group then needs. */
#include <stdlib.h>

#include "mpc/circuit/adder.h"
#include "mpc/linear.h"
#include "mpc/linked.h"
#include "mpc/rep3/group.h"
#include "mpc/rep3/masked_tree.h"
#include "mpc/rep3/rep3.h"

enum { MOST_GROUPS = 64, MOST_LIMBS = 24 };

static unsigned groups_of(const unsigned *width, size_t count, unsigned size)
{
    unsigned groups = 0;

    for (size_t k = 0; k < count; k++)
        groups += rep3_group_count(width[k] - 1, size);
    return groups;
}

struct mpc_rep3_cost mpc_rep3_linked_cost(const unsigned *width, size_t count)
{
    struct mpc_rep3_cost best = {0};

    for (size_t k = 0; k < count; k++)
        if (width[k] < 2 || count > MOST_LIMBS)
            return best;
    for (unsigned size = 4; size > 0; size--) {
        unsigned groups = groups_of(width, count, size);
        struct mpc_circuit_cost tree;
        struct mpc_rep3_cost cost;

        if (groups > MOST_GROUPS)
            break;
        tree = mpc_groups_cost(groups);
        cost = (struct mpc_rep3_cost){24 * tree.ands + 16 * (count - 1), 2 + tree.rounds, size};
        for (size_t k = 0; k < count; k++)
            cost.bytes += rep3_group_bytes(width[k] - 1, size);
        if (best.group == 0 || cost.rounds < best.rounds ||
            (cost.rounds == best.rounds && cost.bytes < best.bytes))
            best = cost;
    }
    return best;
}

/* Of the generic default for columns of n elements. */
static struct mpc_rep3_cost cost_by_signs(const unsigned *width, size_t count, size_t n,
                                          enum mpc_profile profile)
{
    struct mpc_rep3_cost cost = {24 * (count - 1), 0, 0};
    size_t all = n * (2 * count - 1);
    enum mpc_profile way;
    unsigned rounds = 0;
    unsigned widest = 1;

    for (size_t k = 0; k < count; k++)
        widest = width[k] > widest ? width[k] : widest;
    way = mpc_rep3_msb_way(widest, all, profile);
    for (size_t k = 0; k < count; k++) {
        struct mpc_rep3_cost sign = mpc_rep3_msb_cost(width[k], all, way);

        cost.bytes += (k + 1 < count ? 2 : 1) * sign.bytes;
        rounds = sign.rounds > rounds ? sign.rounds : rounds;
        cost.group = sign.group > cost.group ? sign.group : cost.group;
    }
    cost.rounds = rounds + (unsigned)count - 1;
    return cost;
}

struct mpc_rep3_cost mpc_rep3_linked_way(const unsigned *width, size_t count, size_t n,
                                         enum mpc_profile profile)
{
    struct mpc_rep3_cost chain = mpc_rep3_linked_cost(width, count);
    struct mpc_rep3_cost signs;

    if (chain.group == 0 || profile == MPC_FEW_ROUNDS)
        return chain;
    signs = cost_by_signs(width, count, n, profile);
    if (profile == MPC_FEW_BYTES
            ? signs.bytes < chain.bytes
            : mpc_way_ns(profile, masked_way(signs, n)) < mpc_way_ns(profile, masked_way(chain, n)))
        chain.group = 0;
    return chain;
}

/* Planes of gp: G of all groups from the lowest up, P of all but the very first, the tops. */
struct chain {
    struct mpc_share *gp;
    struct mpc_share *less_one[MOST_LIMBS]; /* x - 1, of all but the lowest */
    struct rep3_group items[MOST_LIMBS];
    unsigned groups;
};

static fm_status chain_new(struct chain *c, struct mpc_session *s, const struct mpc_share *const *x,
                           const unsigned *width, size_t count, unsigned size, struct base_err *err)
{
    unsigned at = 0;
    fm_status status;

    *c = (struct chain){.groups = groups_of(width, count, size)};
    status = mpc_bits_new(&c->gp, s, x[0]->n, 2 * c->groups - 1 + (unsigned)count, err);
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        size_t k = count - 1 - i; /* from the lowest */
        const struct mpc_share *from = x[k];

        if (i > 0) {
            status = mpc_ring_new(&c->less_one[k], s, x[k]->n, MPC_RANGE_FULL, err);
            if (status != FM_OK)
                break;
            mpc_linear_place(s, c->less_one[k], 0, x[k], 0, x[k]->n);
            mpc_linear_add_constant(s, c->less_one[k], UINT64_MAX);
            from = c->less_one[k];
        }
        c->items[i] = (struct rep3_group){.x = from,
                                          .gp = c->gp,
                                          .bits = width[k] - 1,
                                          .size = size,
                                          .g_at = at,
                                          .p_at = c->groups + at - (i > 0),
                                          .top_at = 2 * c->groups - 1 + (unsigned)i,
                                          .linked = i > 0};
        at += rep3_group_count(width[k] - 1, size);
    }
    return status;
}

/* 1 ^ top into the last G of each addition but the highest. */
static void link_up(struct mpc_session *s, const struct chain *c, size_t count)
{
    for (size_t i = 0; i + 1 < count; i++) {
        struct mpc_wire last = {c->gp, c->items[i + 1].g_at - 1};
        struct mpc_gate gate = {last, last, {c->gp, c->items[i].top_at}, {NULL, 0}};

        mpc_linear_xor(s, &gate, 1);
        mpc_linear_flip(s, &last, 1);
    }
}

fm_status rep3_msb_linked(struct mpc_session *s, struct mpc_share *z,
                          const struct mpc_share *const *x, const unsigned *width, size_t count,
                          struct base_err *err)
{
    struct mpc_rep3_cost cost = mpc_rep3_linked_way(width, count, x[0]->whole, s->profile);
    struct chain c;
    struct mpc_groups groups;
    struct mpc_wire top;
    fm_status status;

    if (count == 1)
        return rep3_msb(s, &z, x, NULL, width, 1, err);
    if (cost.group == 0)
        return mpc_msb_linked_by_signs(s, z, x, width, count, err);
    status = chain_new(&c, s, x, width, count, cost.group, err);
    if (status == FM_OK)
        status = rep3_group_all(s, c.items, count, err);
    if (status == FM_OK) {
        link_up(s, &c, count);
        groups = (struct mpc_groups){c.gp, c.gp, c.groups, c.groups};
        top = (struct mpc_wire){c.gp, c.items[count - 1].top_at};
        status = mpc_adder_groups(s, &z, &groups, &top, 1, err);
    }
    mpc_share_free(c.gp);
    mpc_share_free_all(c.less_one, MOST_LIMBS);
    return status;
}
