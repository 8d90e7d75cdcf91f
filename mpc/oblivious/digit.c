#include "mpc/oblivious/digit.h"

#include "mpc/ops_check.h"
#include "mpc/share.h"

struct digit {
    struct mpc_share *e[MPC_DIGIT_VALUES];     /* all but the last as given */
    struct mpc_share *place[MPC_DIGIT_VALUES]; /* place_v */
    unsigned values;
};

/* What no other indicator claims. */
static fm_status last_indicator(struct mpc_share **z, const struct mpc_share *const *e,
                                unsigned given, struct base_err *err)
{
    fm_status status = mpc_constant(e[0]->session, z, 1, e[0]->n, err);

    for (unsigned v = 0; status == FM_OK && v < given; v++) {
        struct mpc_share *less;

        status = mpc_sub_wrapping(&less, *z, e[v], err);
        mpc_share_free(*z);
        *z = less;
    }
    return status == FM_OK ? mpc_share_narrow(*z, (struct mpc_range){0, 1}, err) : status;
}

/* place_v = below + prefix(e_v) - 1; below grows by the number of rows of v. */
static fm_status places(struct mpc_share **z, struct mpc_share **below, const struct mpc_share *e,
                        struct base_err *err)
{
    struct mpc_share *t[5] = {NULL};
    fm_status status = mpc_prefix(&t[0], e, err);

    if (status == FM_OK)
        status = mpc_spread(&t[1], *below, e->n, err);
    if (status == FM_OK)
        status = mpc_add(&t[2], t[0], t[1], err);
    if (status == FM_OK)
        status = mpc_add_constant(z, t[2], -1, err);
    if (status == FM_OK)
        status = mpc_sum(&t[3], e, err);
    if (status == FM_OK)
        status = mpc_add(&t[4], *below, t[3], err);
    if (status == FM_OK) {
        mpc_share_free(*below);
        *below = t[4];
        t[4] = NULL;
    }
    mpc_share_free_all(t, 5);
    return status;
}

/* place_last + sum of e_v (place_v - place_last). */
static fm_status ranks_of(struct mpc_share **ranks, struct digit *d, struct base_err *err)
{
    unsigned last = d->values - 1;
    struct mpc_share *apart[MPC_DIGIT_VALUES] = {NULL};
    struct mpc_share *moved[MPC_DIGIT_VALUES] = {NULL};
    fm_status status = mpc_slice(ranks, d->place[last], 0, d->place[last]->n, err);

    for (unsigned v = 0; status == FM_OK && v < last; v++)
        status = mpc_sub(&apart[v], d->place[v], d->place[last], err);
    if (status == FM_OK)
        status = mpc_mul_list(moved, (const struct mpc_share *const *)d->e,
                              (const struct mpc_share *const *)apart, last, err);
    for (unsigned v = 0; status == FM_OK && v < last; v++) {
        struct mpc_share *sum;

        status = mpc_add(&sum, *ranks, moved[v], err);
        mpc_share_free(*ranks);
        *ranks = sum;
    }
    mpc_share_free_all(apart, MPC_DIGIT_VALUES);
    mpc_share_free_all(moved, MPC_DIGIT_VALUES);
    return status;
}

static fm_status check(const struct mpc_share *const *e, unsigned values, struct base_err *err)
{
    if (values < 2 || values > MPC_DIGIT_VALUES)
        return base_err_set(err, FM_E_ARG, "digit: %u values: 2 to %d", values, MPC_DIGIT_VALUES);
    for (unsigned v = 0; v + 1 < values; v++) {
        fm_status status = mpc_check_pair(e[v], e[0], MPC_RING64, "digit", err);

        if (status != FM_OK)
            return status;
        if (e[v]->range.lo < 0 || e[v]->range.hi > 1)
            return base_err_set(err, FM_E_ARG, "digit: indicators are 0 or 1");
    }
    return FM_OK;
}

fm_status mpc_order_by_digit(struct mpc_order **out, const struct mpc_share *const *e,
                             unsigned values, struct base_err *err)
{
    struct digit d = {.values = values};
    struct mpc_share *below = NULL;
    struct mpc_share *ranks = NULL;
    fm_status status = check(e, values, err);

    *out = NULL;
    for (unsigned v = 0; status == FM_OK && v + 1 < values; v++)
        status = mpc_slice(&d.e[v], e[v], 0, e[v]->n, err);
    if (status == FM_OK)
        status = last_indicator(&d.e[values - 1], e, values - 1, err);
    if (status == FM_OK)
        status = mpc_constant(e[0]->session, &below, 0, 1, err);
    for (unsigned v = 0; status == FM_OK && v < values; v++)
        status = places(&d.place[v], &below, d.e[v], err);
    if (status == FM_OK)
        status = ranks_of(&ranks, &d, err);
    if (status == FM_OK)
        status = mpc_order_of_ranks(out, ranks, err);
    mpc_share_free(below);
    mpc_share_free(ranks);
    mpc_share_free_all(d.e, MPC_DIGIT_VALUES);
    mpc_share_free_all(d.place, MPC_DIGIT_VALUES);
    return status;
}
