#include "mpc/oblivious/columns.h"

#include "mpc/ops_check.h"
#include "mpc/share.h"

static fm_status check_count(size_t count, struct base_err *err)
{
    if (count > MPC_COLUMNS)
        return base_err_set(err, FM_E_ARG, "table of %zu columns: at most %d", count, MPC_COLUMNS);
    return FM_OK;
}

static void replace(struct mpc_share **x, struct mpc_share **made, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        mpc_share_free(x[i]);
        x[i] = made[i];
    }
}

fm_status mpc_move_columns(struct mpc_share **x, size_t count, const struct mpc_order *order,
                           enum mpc_direction direction, struct base_err *err)
{
    struct mpc_share *made[MPC_COLUMNS];
    fm_status status = check_count(count, err);

    if (status != FM_OK || count == 0)
        return status;
    status =
        mpc_order_apply(order, direction, made, (const struct mpc_share *const *)x, count, err);
    if (status == FM_OK)
        replace(x, made, count);
    return status;
}

fm_status mpc_first_columns(struct mpc_share **x, size_t count, const struct mpc_order *order,
                            size_t rows, struct base_err *err)
{
    struct mpc_share *made[MPC_COLUMNS];
    fm_status status = check_count(count, err);

    if (status != FM_OK || count == 0)
        return status;
    status = mpc_order_first(order, rows, made, (const struct mpc_share *const *)x, count, err);
    if (status == FM_OK)
        replace(x, made, count);
    return status;
}

fm_status mpc_slice_columns(struct mpc_share **x, size_t count, size_t from, size_t n,
                            struct base_err *err)
{
    fm_status status = FM_OK;

    for (size_t i = 0; status == FM_OK && i < count; i++) {
        struct mpc_share *made;

        status = mpc_slice(&made, x[i], from, n, err);
        if (status == FM_OK)
            replace(&x[i], &made, 1);
    }
    return status;
}

fm_status mpc_each_column(struct mpc_share **x, size_t count,
                          fm_status (*op)(struct mpc_share **, const struct mpc_share *,
                                          struct base_err *),
                          struct base_err *err)
{
    fm_status status = FM_OK;

    for (size_t i = 0; status == FM_OK && i < count; i++) {
        struct mpc_share *made;

        status = op(&made, x[i], err);
        if (status == FM_OK)
            replace(&x[i], &made, 1);
    }
    return status;
}

/* Those of one domain. */
static fm_status keep_some(struct mpc_share **x, size_t count, const struct mpc_share *by,
                           enum mpc_domain domain, struct base_err *err)
{
    const struct mpc_share *from[MPC_COLUMNS];
    const struct mpc_share *keep[MPC_COLUMNS];
    struct mpc_share *made[MPC_COLUMNS];
    size_t len = 0;
    fm_status status;

    for (size_t i = 0; i < count; i++)
        if (x[i]->domain == domain) {
            keep[len] = by;
            from[len++] = x[i];
        }
    if (len == 0)
        return FM_OK;
    status = domain == MPC_RING64 ? mpc_mul_list(made, from, keep, len, err)
                                  : mpc_and_list(made, from, keep, len, err);
    if (status != FM_OK)
        return status;
    len = 0;
    for (size_t i = 0; i < count; i++)
        if (x[i]->domain == domain)
            replace(&x[i], &made[len++], 1);
    return FM_OK;
}

fm_status mpc_keep_columns(struct mpc_share **x, size_t count, const struct mpc_share *bit,
                           const struct mpc_share *ring, struct base_err *err)
{
    fm_status status = check_count(count, err);

    if (status == FM_OK)
        status = keep_some(x, count, ring, MPC_RING64, err);
    return status == FM_OK ? keep_some(x, count, bit, MPC_BITS, err) : status;
}
