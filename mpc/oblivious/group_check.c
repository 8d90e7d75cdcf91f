/* What mpc_group() refuses. */
#include "mpc/oblivious/group_state.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

struct check {
    struct mpc_session *s;
    size_t n;
};

static fm_status check_length(const struct check *c, const struct mpc_share *x,
                              struct base_err *err)
{
    if (x->session != c->s)
        return base_err_set(err, FM_E_ARG, "group: the columns are of two sessions");
    if (x->n != c->n)
        return base_err_set(err, FM_E_ARG, "group: lengths %zu and %zu differ", c->n, x->n);
    return FM_OK;
}

static fm_status check_truth(const struct check *c, const struct mpc_share *x, struct base_err *err)
{
    fm_status status = check_length(c, x, err);

    if (status == FM_OK && (x->domain != MPC_BITS || x->width != 1))
        status = base_err_set(err, FM_E_ARG, "group: truth values are bits of width 1");
    return status;
}

static fm_status check_item(const struct check *c, const struct mpc_group_item *item,
                            struct base_err *err)
{
    bool as_it_stands = item->kind == MPC_GROUP_FIRST || item->kind == MPC_GROUP_ANY;
    struct mpc_range range;
    fm_status status = item->where != NULL ? check_truth(c, item->where, err) : FM_OK;

    if (status != FM_OK)
        return status;
    if (item->kind == MPC_GROUP_COUNT && item->x != NULL && item->where != NULL)
        return base_err_set(err, FM_E_ARG, "group: a count of x or of where, not both");
    if (item->kind == MPC_GROUP_COUNT)
        return item->x == NULL ? FM_OK : check_truth(c, item->x, err);
    if (item->x == NULL)
        return base_err_set(err, FM_E_ARG, "group: an aggregate without its column");
    if (as_it_stands && item->where != NULL)
        return base_err_set(err, FM_E_ARG, "group: the first row, or any, takes no where");
    if (item->kind == MPC_GROUP_PERCENTILE &&
        (item->den == 0 || item->den > MPC_GROUP_DEN || item->num > item->den))
        return base_err_set(err, FM_E_ARG, "group: percentile %u / %u: 0 to 1, of at most %d",
                            item->num, item->den, MPC_GROUP_DEN);
    if (mpc_group_is_truth(item))
        return check_truth(c, item->x, err);
    status = check_length(c, item->x, err);
    if (status == FM_OK && !as_it_stands && item->kind != MPC_GROUP_COUNT_DISTINCT)
        status = mpc_check_domain(item->x, MPC_RING64, "group", err);
    if (status == FM_OK && item->kind == MPC_GROUP_SUM)
        status = mpc_range_sum(&range, mpc_group_with_zero(item->x->range), c->n, "group sum", err);
    return status;
}

fm_status mpc_group_check(const struct mpc_group_by *by, struct mpc_session *s, size_t n,
                          struct base_err *err)
{
    const struct check c = {s, n};
    fm_status status = FM_OK;

    if (by->keys_len > MPC_GROUP_KEYS || by->items_len > MPC_GROUP_ITEMS)
        return base_err_set(err, FM_E_ARG, "group: %zu keys, %zu aggregates: at most %d and %d",
                            by->keys_len, by->items_len, MPC_GROUP_KEYS, MPC_GROUP_ITEMS);
    if (by->groups > n)
        return base_err_set(err, FM_E_ARG, "group: %zu groups of %zu rows", by->groups, n);
    if (by->order != NULL && (!by->in_order || mpc_order_n(by->order) != n))
        return base_err_set(err, FM_E_ARG, "group: an order of %zu rows, not %zu",
                            mpc_order_n(by->order), n);
    if (by->valid != NULL)
        status = check_truth(&c, by->valid, err);
    for (size_t i = 0; status == FM_OK && i < by->keys_len; i++) {
        status = check_length(&c, by->keys[i].x, err);
        if (status == FM_OK && by->keys[i].null != NULL)
            status = check_truth(&c, by->keys[i].null, err);
    }
    for (size_t i = 0; status == FM_OK && i < by->items_len; i++)
        status = check_item(&c, &by->items[i], err);
    return status;
}
