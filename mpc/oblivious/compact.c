#include "mpc/oblivious/compact.h"

#include "mpc/oblivious/digit.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

/* A digit of two values: 0 is wanted. */
fm_status mpc_compact(struct mpc_order **out, const struct mpc_share *wanted, struct base_err *err)
{
    struct mpc_share *ring = NULL;
    const struct mpc_share *e = wanted;
    fm_status status = FM_OK;

    *out = NULL;
    if (wanted->domain == MPC_BITS) {
        status = mpc_bit2a(&ring, wanted, err);
        e = ring;
    }
    if (status == FM_OK)
        status = mpc_order_by_digit(out, &e, 2, err);
    mpc_share_free(ring);
    return status;
}
