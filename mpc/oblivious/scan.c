/* Copies, sums and counts. Least and greatest: scan_extreme.c. */
#include "mpc/oblivious/scan.h"

#include <stdlib.h>

#include "mpc/oblivious/columns.h"
#include "mpc/oblivious/compact.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

fm_status mpc_rows_above(struct mpc_share **z, const struct mpc_share *x, size_t rows,
                         struct base_err *err)
{
    struct mpc_share *t[2] = {NULL};
    size_t away = rows < x->n ? rows : x->n;
    fm_status status = x->domain == MPC_RING64
                           ? mpc_constant(x->session, &t[0], 0, away, err)
                           : mpc_bits_constant(x->session, &t[0], 0, x->width, away, err);

    *z = NULL;
    if (status == FM_OK)
        status = mpc_slice(&t[1], x, 0, x->n - away, err);
    if (status == FM_OK)
        status = mpc_concat(z, (const struct mpc_share *const *)t, 2, err);
    mpc_share_free_all(t, 2);
    return status;
}

fm_status mpc_row_above(struct mpc_share **z, const struct mpc_share *x, struct base_err *err)
{
    return mpc_rows_above(z, x, 1, err);
}

fm_status mpc_steps(struct mpc_share **z, const struct mpc_share *x, struct base_err *err)
{
    struct mpc_share *above;
    fm_status status;

    *z = NULL;
    status = mpc_row_above(&above, x, err);
    if (status == FM_OK)
        status = x->domain == MPC_RING64 ? mpc_sub_wrapping(z, x, above, err)
                                         : mpc_xor(z, x, above, err);
    mpc_share_free(above);
    return status;
}

static fm_status check_head(const struct mpc_share *head, const struct mpc_share *x,
                            struct base_err *err)
{
    if (head->session != x->session)
        return base_err_set(err, FM_E_ARG, "scan: the columns are of two sessions");
    if (head->n != x->n)
        return base_err_set(err, FM_E_ARG, "scan: %zu heads for %zu rows", head->n, x->n);
    if (head->domain == MPC_BITS ? head->width != 1 : head->range.lo < 0 || head->range.hi > 1)
        return base_err_set(err, FM_E_ARG, "scan: heads are bits of width 1, or 0 and 1");
    return FM_OK;
}

/* z holds copies of the columns, which become the copies downwards. */
static fm_status fill(struct mpc_share **z, size_t count, const struct mpc_share *bit,
                      const struct mpc_share *ring, struct base_err *err)
{
    struct mpc_order *order;
    fm_status status = mpc_compact(&order, ring, err);

    if (status == FM_OK)
        status = mpc_move_columns(z, count, order, MPC_FORWARD, err);
    if (status == FM_OK)
        status = mpc_each_column(z, count, mpc_steps, err);
    if (status == FM_OK)
        status = mpc_move_columns(z, count, order, MPC_INVERSE, err);
    mpc_order_free(order);
    if (status == FM_OK)
        status = mpc_keep_columns(z, count, bit, ring, err);
    if (status == FM_OK)
        status = mpc_each_column(z, count, mpc_prefix, err);
    return status;
}

/* The ring form of head; and its bit form, if a column of bits needs it. */
static fm_status both_forms(struct mpc_share **bit, struct mpc_share **ring,
                            const struct mpc_share *head, bool wants_bit, struct base_err *err)
{
    const unsigned width = 1;
    fm_status status = FM_OK;

    if (head->domain == MPC_BITS) {
        status = mpc_slice(bit, head, 0, head->n, err);
        return status == FM_OK ? mpc_bit2a(ring, head, err) : status;
    }
    status = mpc_slice(ring, head, 0, head->n, err);
    if (status == FM_OK && wants_bit)
        status = mpc_a2b_list(bit, (const struct mpc_share *const *)ring, &width, 1, err);
    return status;
}

/* (head, or) of 2^k rows, of twice as many: (f, a) o (g, b) = (f | g, b | a & ~g). */
static fm_status or_level(struct mpc_share **head, struct mpc_share **x, size_t rows,
                          struct base_err *err)
{
    struct mpc_share *above[2] = {NULL};
    struct mpc_share *shut[2] = {NULL}; /* ~g, ~f */
    struct mpc_share *made[2] = {NULL}; /* a & ~g, ~(f | g) */
    struct mpc_share *both = NULL;
    fm_status status = mpc_rows_above(&above[0], *x, rows, err);

    if (status == FM_OK)
        status = mpc_rows_above(&above[1], *head, rows, err);
    if (status == FM_OK)
        status = mpc_not(&shut[0], *head, err);
    if (status == FM_OK)
        status = mpc_not(&shut[1], above[1], err);
    if (status == FM_OK)
        status = mpc_and_list(made, (const struct mpc_share *const[]){above[0], shut[1]},
                              (const struct mpc_share *const[]){shut[0], shut[0]}, 2, err);
    if (status == FM_OK)
        status = mpc_or(&both, *x, made[0], err);
    if (status == FM_OK) {
        mpc_share_free(*x);
        mpc_share_free(*head);
        *x = both;
        status = mpc_not(head, made[1], err);
    }
    mpc_share_free_all(above, 2);
    mpc_share_free_all(shut, 2);
    mpc_share_free_all(made, 2);
    return status;
}

fm_status mpc_scan_or(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *head,
                      struct base_err *err)
{
    struct mpc_share *f = NULL;
    fm_status status = mpc_check_domain(x, MPC_BITS, "scan", err);

    *z = NULL;
    if (status == FM_OK)
        status = mpc_check_domain(head, MPC_BITS, "scan", err);
    if (status == FM_OK)
        status = check_head(head, x, err);
    if (status == FM_OK)
        status = mpc_slice(&f, head, 0, head->n, err);
    if (status == FM_OK)
        status = mpc_slice(z, x, 0, x->n, err);
    for (size_t rows = 1; status == FM_OK && rows < x->n; rows *= 2)
        status = or_level(&f, z, rows, err);
    mpc_share_free(f);
    if (status != FM_OK) {
        mpc_share_free(*z);
        *z = NULL;
    }
    return status;
}

fm_status mpc_fill_down(struct mpc_share **z, const struct mpc_share *const *x, size_t count,
                        const struct mpc_share *head, struct base_err *err)
{
    struct mpc_share *bit = NULL;
    struct mpc_share *ring = NULL;
    bool wants_bit = false;
    fm_status status = mpc_check_list(x, count, "scan", err);

    for (size_t i = 0; i < count; i++)
        z[i] = NULL;
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        status = check_head(head, x[i], err);
        wants_bit |= x[i]->domain == MPC_BITS;
    }
    if (status == FM_OK)
        status = both_forms(&bit, &ring, head, wants_bit, err);
    for (size_t i = 0; status == FM_OK && i < count; i++)
        status = mpc_slice(&z[i], x[i], 0, x[i]->n, err);
    if (status == FM_OK)
        status = fill(z, count, bit, ring, err);
    mpc_share_free(bit);
    mpc_share_free(ring);
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        struct mpc_range r = x[i]->range; /* copies of its elements, or 0 */

        r.lo = r.lo < 0 ? r.lo : 0;
        r.hi = r.hi > 0 ? r.hi : 0;
        if (x[i]->domain == MPC_RING64)
            z[i]->range = r;
    }
    if (status != FM_OK)
        mpc_share_free_all(z, count);
    return status;
}

fm_status mpc_scan_sum(struct mpc_share **z, const struct mpc_share *const *x, size_t count,
                       const struct mpc_share *head, struct base_err *err)
{
    struct mpc_share **sum = calloc(2 * count + 1, sizeof *sum);
    struct mpc_share **before = sum + count; /* what the sum was above each row */
    fm_status status = mpc_check_list(x, count, "scan", err);

    for (size_t i = 0; i < count; i++)
        z[i] = NULL;
    if (status == FM_OK && sum == NULL)
        status = mpc_no_memory(x[0]->session, "scan", err);
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        status = mpc_check_domain(x[i], MPC_RING64, "scan", err);
        if (status == FM_OK)
            status = mpc_prefix(&sum[i], x[i], err);
        if (status == FM_OK)
            status = mpc_row_above(&before[i], sum[i], err);
    }
    if (status == FM_OK)
        status = mpc_fill_down(z, (const struct mpc_share *const *)before, count, head, err);
    for (size_t i = 0; status == FM_OK && i < count; i++) {
        struct mpc_share *filled = z[i];

        status = mpc_sub_wrapping(&z[i], sum[i], filled, err);
        mpc_share_free(filled);
        if (status == FM_OK)
            status = mpc_share_narrow(z[i], sum[i]->range, err);
    }
    if (sum != NULL)
        mpc_share_free_all(sum, 2 * count);
    free(sum);
    if (status != FM_OK)
        mpc_share_free_all(z, count);
    return status;
}

fm_status mpc_scan_count(struct mpc_share **z, const struct mpc_share *where,
                         const struct mpc_share *head, struct base_err *err)
{
    struct mpc_share *ones = NULL;
    fm_status status;

    *z = NULL;
    status = where != NULL ? mpc_bit2a(&ones, where, err)
                           : mpc_constant(head->session, &ones, 1, head->n, err);
    if (status == FM_OK)
        status = mpc_scan_sum(z, (const struct mpc_share *const *)&ones, 1, head, err);
    mpc_share_free(ones);
    return status;
}
