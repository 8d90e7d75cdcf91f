#include "mpc/circuit/extreme.h"

#include "mpc/circuit/compare.h"
#include "mpc/circuit/select.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

enum extreme { LESSER, GREATER };

/* Where x < y, the lesser is x. The range: neither end can lie beyond either column's. */
static fm_status extreme(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                         enum mpc_sign sign, enum extreme which, struct base_err *err)
{
    struct mpc_share *less = NULL;
    struct mpc_range range;
    fm_status status = mpc_check_pair(x, y, x->domain, which == LESSER ? "min" : "max", err);

    *z = NULL;
    if (status == FM_OK)
        status = x->domain == MPC_RING64 ? mpc_less(&less, x, y, err)
                                         : mpc_less_bits(&less, x, y, sign, err);
    if (status == FM_OK)
        status = which == LESSER ? mpc_select(z, less, x, y, err) : mpc_select(z, less, y, x, err);
    mpc_share_free(less);
    if (status != FM_OK || x->domain != MPC_RING64)
        return status;
    range = (*z)->range;
    if (which == LESSER)
        range.hi = x->range.hi < y->range.hi ? x->range.hi : y->range.hi;
    else
        range.lo = x->range.lo > y->range.lo ? x->range.lo : y->range.lo;
    return mpc_share_narrow(*z, range, err);
}

fm_status mpc_min(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                  enum mpc_sign sign, struct base_err *err)
{
    return extreme(z, x, y, sign, LESSER, err);
}

fm_status mpc_max(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                  enum mpc_sign sign, struct base_err *err)
{
    return extreme(z, x, y, sign, GREATER, err);
}
