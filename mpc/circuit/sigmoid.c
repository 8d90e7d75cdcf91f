#include "mpc/circuit/sigmoid.h"

#include "mpc/circuit/adder.h"
#include "mpc/gates.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

/* t = z + 1/2 in planes: those from `from` up are all 0 just where t lies in 0..1. */
struct scaled {
    struct mpc_share *planes;
    struct mpc_share *clear; /* the complement of the high ones; its last is "t >= 0" */
    struct mpc_share *inside;
    unsigned from;
    unsigned to;
};

static fm_status find_inside(struct scaled *t, struct base_err *err)
{
    struct mpc_session *s = t->planes->session;
    struct mpc_share *high = NULL;
    fm_status status = mpc_planes(&high, t->planes, t->from, t->planes->width - t->from, err);

    if (status == FM_OK)
        status = mpc_not(&t->clear, high, err);
    if (status == FM_OK)
        status = mpc_bits_new(&t->inside, s, high->n, 1, err);
    if (status == FM_OK)
        status = mpc_all_planes(s, &t->inside, (const struct mpc_share *const[]){t->clear}, 1, err);
    mpc_share_free(high);
    return status;
}

/* Inside, the bits of t from 2^-to on; else 1 where t >= 0. */
static fm_status choose(struct mpc_share *bits, const struct scaled *t, struct base_err *err)
{
    struct mpc_gates gates = {0};
    struct mpc_wire inside = mpc_wire_of(t->inside, 0);
    struct mpc_wire positive = mpc_wire_of(t->clear, t->clear->width - 1);
    fm_status status;

    for (unsigned j = 0; j < t->to; j++)
        mpc_gates_push(&gates, mpc_wire_of(bits, j), mpc_wire_of(t->planes, t->from - t->to + j),
                       inside, mpc_wire_none());
    /* (p & i) ^ p = p & ~i */
    mpc_gates_push(&gates, mpc_wire_of(bits, t->to), positive, inside, positive);
    status = mpc_gates_and(bits->session, &gates, err);
    mpc_gates_release(&gates);
    return status;
}

static fm_status check(const struct mpc_share *z, unsigned from, unsigned to, struct base_err *err)
{
    if (to < 1 || to > from || from > MPC_SIGMOID_MOST)
        return base_err_set(err, FM_E_ARG,
                            "sigmoid: from %u to %u fraction bits: 1 <= to <= from "
                            "<= %d",
                            from, to, MPC_SIGMOID_MOST);
    return mpc_check_domain(z, MPC_RING64, "sigmoid", err);
}

fm_status mpc_sigmoid_pieces(struct mpc_share **y, const struct mpc_share *z, unsigned from,
                             unsigned to, struct base_err *err)
{
    struct scaled t = {.from = from, .to = to};
    struct mpc_share *up = NULL;
    struct mpc_share *bits = NULL;
    unsigned width;
    fm_status status = check(z, from, to, err);

    *y = NULL;
    if (status == FM_OK)
        status = mpc_add_constant(&up, z, INT64_C(1) << (from - 1), err);
    if (status != FM_OK)
        return status;
    width = mpc_share_width(up);
    width = width < from + 2 ? from + 2 : width;
    status = mpc_a2b_list(&t.planes, (const struct mpc_share *const[]){up}, &width, 1, err);
    if (status == FM_OK)
        status = find_inside(&t, err);
    if (status == FM_OK)
        status = mpc_bits_new(&bits, z->session, z->n, to + 1, err);
    if (status == FM_OK)
        status = choose(bits, &t, err);
    if (status == FM_OK)
        status = mpc_b2a(y, bits, MPC_UNSIGNED, err);
    if (status == FM_OK)
        status = mpc_share_narrow(*y, (struct mpc_range){0, INT64_C(1) << to}, err);
    mpc_share_free(up);
    mpc_share_free(t.planes);
    mpc_share_free(t.clear);
    mpc_share_free(t.inside);
    mpc_share_free(bits);
    if (status != FM_OK)
        mpc_share_free_all(y, 1);
    return status;
}
