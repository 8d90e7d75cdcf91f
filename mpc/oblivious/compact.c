#include "mpc/oblivious/compact.h"

#include "mpc/ops_check.h"
#include "mpc/share.h"

/* ranks = other + wanted * (2 ones - 1 - i - all), other = all + i - ones. */
static fm_status ranks_of(struct mpc_share **ranks, const struct mpc_share *wanted,
                          struct base_err *err)
{
    struct mpc_share *t[9] = {NULL};
    struct mpc_share *number = NULL;
    size_t n = wanted->n;
    fm_status status = mpc_count_up(wanted->session, &number, n, err);

    if (status == FM_OK)
        status = mpc_prefix(&t[0], wanted, err); /* ones */
    if (status == FM_OK)
        status = mpc_sum(&t[1], wanted, err);
    if (status == FM_OK)
        status = mpc_spread(&t[2], t[1], n, err); /* all */
    if (status == FM_OK)
        status = mpc_add(&t[3], t[2], number, err);
    if (status == FM_OK)
        status = mpc_sub(&t[4], t[3], t[0], err); /* other */
    if (status == FM_OK)
        status = mpc_sub(&t[5], t[0], t[4], err);
    if (status == FM_OK)
        status = mpc_add_constant(&t[6], t[5], -1, err);
    if (status == FM_OK)
        status = mpc_mul(&t[7], wanted, t[6], err);
    if (status == FM_OK)
        status = mpc_add(ranks, t[4], t[7], err);
    mpc_share_free(number);
    mpc_share_free_all(t, 9);
    return status;
}

fm_status mpc_compact(struct mpc_order **out, const struct mpc_share *wanted, struct base_err *err)
{
    struct mpc_share *ring = NULL;
    struct mpc_share *ranks = NULL;
    fm_status status = FM_OK;

    *out = NULL;
    if (wanted->domain == MPC_BITS)
        status = mpc_bit2a(&ring, wanted, err);
    else if (wanted->range.lo < 0 || wanted->range.hi > 1)
        status = base_err_set(err, FM_E_ARG, "compact: takes bits, or ring elements 0 or 1");
    if (status == FM_OK)
        status = ranks_of(&ranks, ring != NULL ? ring : wanted, err);
    if (status == FM_OK)
        status = mpc_order_of_ranks(out, ranks, err);
    mpc_share_free(ring);
    mpc_share_free(ranks);
    return status;
}
