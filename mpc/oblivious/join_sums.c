/* Sums of probing rows at the table row of their key. */
#include <stdlib.h>

#include "mpc/oblivious/columns.h"
#include "mpc/oblivious/join_state.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

fm_status mpc_find_keep_path(struct mpc_find_path **out, struct mpc_find_state *f,
                             struct mpc_order *sorted, struct base_err *err)
{
    struct mpc_find_path *path = calloc(1, sizeof *path);

    if (path == NULL) {
        mpc_order_free(sorted);
        return base_err_memory(err, "find");
    }
    *path = (struct mpc_find_path){f->n, f->m, f->joint, sorted};
    f->joint = NULL;
    *out = path;
    return FM_OK;
}

void mpc_find_path_free(struct mpc_find_path *path)
{
    if (path == NULL)
        return;
    mpc_order_free(path->joint);
    mpc_order_free(path->sorted);
    free(path);
}

/* n zeros, then x. */
static fm_status behind_table(struct mpc_share **z, const struct mpc_share *x, size_t n,
                              struct base_err *err)
{
    struct mpc_share *zeros;
    fm_status status = mpc_constant(x->session, &zeros, 0, n, err);

    if (status == FM_OK)
        status = mpc_concat(z, (const struct mpc_share *const[]){zeros, x}, 2, err);
    mpc_share_free(zeros);
    return status;
}

/* x, prefix sums at the table's rows in their keys' order, becomes what is added from each of them
 * to the next; behind the last one there is all that is left of the total. */
static fm_status steps_onward(struct mpc_share **x, const struct mpc_share *total,
                              struct base_err *err)
{
    struct mpc_share *t[3] = {NULL};
    size_t n = (*x)->n;
    fm_status status = mpc_slice(&t[0], *x, n > 0, n - (n > 0), err);

    if (status == FM_OK)
        status =
            mpc_concat(&t[1], (const struct mpc_share *const[]){t[0], total}, n > 0 ? 2 : 1, err);
    if (status == FM_OK)
        status = mpc_sub_wrapping(&t[2], t[1], *x, err);
    if (status == FM_OK) {
        mpc_share_free(*x);
        *x = t[2];
        t[2] = NULL;
    }
    mpc_share_free_all(t, 3);
    return status;
}

static fm_status check_column(const struct mpc_find_path *path, const struct mpc_share *x,
                              struct mpc_range *range, struct base_err *err)
{
    struct mpc_range r = {x->range.lo < 0 ? x->range.lo : 0, x->range.hi > 0 ? x->range.hi : 0};

    if (x->domain != MPC_RING64 || x->n != path->m)
        return base_err_set(err, FM_E_ARG, "find sums: a column of %zu ring elements, not %zu",
                            path->m, x->n);
    return mpc_range_sum(range, r, path->m, "find sums", err);
}

fm_status mpc_find_sums(struct mpc_share **z, const struct mpc_find_path *path,
                        const struct mpc_share *const *x, size_t count, struct base_err *err)
{
    struct mpc_share *total[MPC_COLUMNS] = {NULL};
    struct mpc_range range[MPC_COLUMNS];
    fm_status status = FM_OK;

    for (size_t c = 0; c < count; c++)
        z[c] = NULL;
    if (count > MPC_COLUMNS)
        return base_err_set(err, FM_E_ARG, "find sums: %zu columns: at most %d", count,
                            (int)MPC_COLUMNS);
    for (size_t c = 0; status == FM_OK && c < count; c++) {
        status = check_column(path, x[c], &range[c], err);
        if (status == FM_OK)
            status = mpc_sum(&total[c], x[c], err);
        if (status == FM_OK)
            status = behind_table(&z[c], x[c], path->n, err);
    }
    if (status == FM_OK)
        status = mpc_move_columns(z, count, path->joint, MPC_FORWARD, err);
    if (status == FM_OK)
        status = mpc_each_column(z, count, mpc_prefix, err);
    if (status == FM_OK)
        status = mpc_move_columns(z, count, path->joint, MPC_INVERSE, err);
    if (status == FM_OK)
        status = mpc_slice_columns(z, count, 0, path->n, err);
    if (status == FM_OK)
        status = mpc_move_columns(z, count, path->sorted, MPC_FORWARD, err);
    for (size_t c = 0; status == FM_OK && c < count && path->n > 0; c++)
        status = steps_onward(&z[c], total[c], err);
    if (status == FM_OK)
        status = mpc_move_columns(z, count, path->sorted, MPC_INVERSE, err);
    for (size_t c = 0; status == FM_OK && c < count; c++)
        status = mpc_share_narrow(z[c], range[c], err);
    mpc_share_free_all(total, MPC_COLUMNS);
    if (status != FM_OK)
        mpc_share_free_all(z, count);
    return status;
}
