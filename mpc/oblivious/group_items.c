/* Each aggregate as a column that is read at its group's last row. */
#include "mpc/circuit/compare.h"
#include "mpc/oblivious/columns.h"
#include "mpc/oblivious/group_state.h"
#include "mpc/oblivious/scan.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

/* Truth values that are summed, or become factors, on their way to the ring. */
struct bits {
    struct mpc_share *item[MPC_GROUP_ITEMS]; /* AND: objects; OR: agrees; COUNT DISTINCT: is new */
    struct mpc_share *item_ring[MPC_GROUP_ITEMS];
    struct mpc_share *head_ring; /* a ring column wants its first row */
};

static const struct mpc_share *where_of(const struct mpc_group_state *g, size_t i)
{
    size_t at = g->mask[g->mask_of[i]].at;

    return at != 0 ? g->col[at] : NULL;
}

/* z = x & where. Takes x over. */
static fm_status restrict_to(struct mpc_share **z, struct mpc_share *x,
                             const struct mpc_share *where, struct base_err *err)
{
    fm_status status;

    *z = x;
    if (where == NULL)
        return FM_OK;
    status = mpc_and(z, x, where, err);
    mpc_share_free(x);
    return status;
}

/* Rows whose x is not that of the row above, or that begin a group. */
static fm_status find_new(struct mpc_share **z, const struct mpc_group_state *g, size_t i,
                          struct base_err *err)
{
    struct mpc_share *t[3] = {NULL};
    fm_status status = mpc_bits_constant(g->s, &t[0], 1, 1, 1, err);

    *z = NULL;
    if (status == FM_OK)
        status = mpc_group_neighbours(&t[1], &g->col[g->x_at[i]], 1, g->n, err);
    if (status == FM_OK)
        status = mpc_concat(&t[2], (const struct mpc_share *const[]){t[0], t[1]}, 2, err);
    if (status == FM_OK)
        status = mpc_or(z, t[2], g->head, err);
    mpc_share_free_all(t, 3);
    return status;
}

/* Of the rows with one value the first that counts. */
static fm_status find_first_counted(struct mpc_share **z, const struct mpc_group_state *g, size_t i,
                                    struct base_err *err)
{
    const struct mpc_share *where = where_of(g, i);
    struct mpc_share *fresh = NULL;
    struct mpc_share *t[4] = {NULL};
    fm_status status = find_new(&fresh, g, i, err);

    *z = fresh;
    if (status != FM_OK || where == NULL)
        return status;
    *z = NULL;
    status = mpc_scan_or(&t[0], where, fresh, err);
    if (status == FM_OK)
        status = mpc_row_above(&t[1], t[0], err); /* one counted above, */
    if (status == FM_OK)
        status = mpc_not(&t[2], t[1], err);
    if (status == FM_OK)
        status = mpc_or(&t[3], t[2], fresh, err); /* unless that was of another value */
    if (status == FM_OK)
        status = mpc_and(z, t[3], where, err);
    mpc_share_free(fresh);
    mpc_share_free_all(t, 4);
    return status;
}

static fm_status find_bits(struct mpc_group_state *g, struct bits *b, size_t i,
                           struct base_err *err)
{
    const struct mpc_group_item *item = &g->by->items[i];
    const struct mpc_share *x = g->col[g->x_at[i]];
    struct mpc_share *t = NULL;
    struct mpc_share *first = NULL;
    fm_status status = FM_OK;

    if (item->kind == MPC_GROUP_FIRST && x->domain == MPC_BITS) {
        status = mpc_and(&first, x, g->head, err);
        if (status == FM_OK)
            status = mpc_prefix(&g->acc[i], first, err);
        mpc_share_free(first);
        return status;
    }
    if (item->kind == MPC_GROUP_COUNT_DISTINCT)
        return find_first_counted(&b->item[i], g, i, err);
    if (item->kind == MPC_GROUP_AND)
        status = mpc_not(&t, x, err);
    else if (item->kind == MPC_GROUP_OR)
        status = mpc_slice(&t, x, 0, g->n, err);
    else
        return FM_OK;
    return status == FM_OK ? restrict_to(&b->item[i], t, where_of(g, i), err) : status;
}

static bool wants_head(const struct mpc_group_state *g)
{
    for (size_t i = 0; i < g->by->items_len; i++)
        if (g->mine[i] && g->by->items[i].kind == MPC_GROUP_FIRST &&
            g->by->items[i].x->domain == MPC_RING64)
            return true;
    return false;
}

/* All of them at once. */
static fm_status bits_to_ring(struct mpc_group_state *g, struct bits *b, struct base_err *err)
{
    const struct mpc_share *x[2 * MPC_GROUP_ITEMS + 2];
    struct mpc_share *z[2 * MPC_GROUP_ITEMS + 2];
    struct mpc_share **to[2 * MPC_GROUP_ITEMS + 2];
    size_t len = 0;
    fm_status status = FM_OK;

    for (size_t m = 1; m < g->masks; m++)
        if (g->mask[m].counted) {
            to[len] = &g->mask[m].ring;
            x[len++] = g->col[g->mask[m].at];
        }
    for (size_t i = 0; i < g->by->items_len; i++)
        if (b->item[i] != NULL) {
            to[len] = &b->item_ring[i];
            x[len++] = b->item[i];
        }
    if (wants_head(g)) {
        to[len] = &b->head_ring;
        x[len++] = g->head;
    }
    if (len > 0)
        status = mpc_bit2a_list(z, x, len, err);
    for (size_t i = 0; status == FM_OK && i < len; i++)
        *to[i] = z[i];
    return status;
}

static int64_t neutral(const struct mpc_group_item *item)
{
    return item->kind == MPC_GROUP_MIN ? item->x->range.hi : item->x->range.lo;
}

/* What an item's column is multiplied by, or NULL. */
static const struct mpc_share *factor(const struct mpc_group_state *g, const struct bits *b,
                                      size_t i)
{
    const struct mpc_group_item *item = &g->by->items[i];

    if (!g->mine[i] || g->x_at[i] == 0)
        return NULL;
    if (item->kind == MPC_GROUP_FIRST && item->x->domain == MPC_RING64)
        return b->head_ring;
    if (item->kind == MPC_GROUP_SUM || mpc_group_is_extreme(item))
        return g->mask[g->mask_of[i]].ring;
    return NULL;
}

/* acc = x where it counts; elsewhere 0 or, of extremes, the range's other end. */
static fm_status keep_counted(struct mpc_group_state *g, const struct bits *b, struct base_err *err)
{
    const struct mpc_share *x[MPC_GROUP_ITEMS];
    const struct mpc_share *y[MPC_GROUP_ITEMS];
    struct mpc_share *apart[MPC_GROUP_ITEMS] = {NULL};
    struct mpc_share *z[MPC_GROUP_ITEMS] = {NULL};
    size_t item[MPC_GROUP_ITEMS];
    size_t len = 0;
    fm_status status = FM_OK;

    for (size_t i = 0; status == FM_OK && i < g->by->items_len; i++) {
        const struct mpc_share *by = factor(g, b, i);

        if (by == NULL)
            continue;
        item[len] = i;
        y[len] = by;
        x[len] = g->col[g->x_at[i]];
        if (mpc_group_is_extreme(&g->by->items[i])) {
            struct mpc_share *end;

            status = mpc_constant(g->s, &end, neutral(&g->by->items[i]), g->n, err);
            if (status == FM_OK)
                status = mpc_sub_wrapping(&apart[len], x[len], end, err);
            mpc_share_free(end);
            x[len] = apart[len];
        }
        len++;
    }
    if (status == FM_OK && len > 0)
        status = mpc_mul_list(z, x, y, len, err);
    for (size_t k = 0; status == FM_OK && k < len; k++) {
        const struct mpc_group_item *it = &g->by->items[item[k]];
        struct mpc_share *end;

        if (!mpc_group_is_extreme(it)) {
            g->acc[item[k]] = z[k];
            z[k] = NULL;
            continue;
        }
        status = mpc_constant(g->s, &end, neutral(it), g->n, err);
        if (status == FM_OK)
            status = mpc_add_wrapping(&g->acc[item[k]], z[k], end, err);
        mpc_share_free(end);
        if (status == FM_OK)
            status = mpc_share_narrow(g->acc[item[k]], it->x->range, err);
    }
    mpc_share_free_all(apart, MPC_GROUP_ITEMS);
    mpc_share_free_all(z, MPC_GROUP_ITEMS);
    return status;
}

static fm_status count_masks(struct mpc_group_state *g, struct base_err *err)
{
    fm_status status = FM_OK;

    for (size_t m = 0; status == FM_OK && m < g->masks; m++) {
        if (!g->mask[m].counted)
            continue;
        if (m == 0)
            status = mpc_constant(g->s, &g->mask[0].ring, 1, g->n, err);
        if (status == FM_OK)
            status = mpc_prefix(&g->mask[m].count, g->mask[m].ring, err);
    }
    return status;
}

/* ---- percentiles ----
 *
 * Rows that count come first in their group, in ascending order. With P the number of rows that
 * count up to a row, the percentile is at the first row of group g at which
 *
 *     (P - P_{g-1}) / (P_g - P_{g-1}) >= num / den,
 *
 * where P_g is P at the last row of group g; that is den P >= Q_g = num P_g + (den - num) P_{g-1}.
 * The Q_g stand side by side when the last rows are compacted; their differences go back to the
 * last rows, and, a row further down, sum up to each row's own. */

/* Q of each row's group. */
static fm_status spread_bounds(struct mpc_share **z, struct mpc_group_state *g,
                               const struct mpc_group_item *item, const struct mpc_share *p,
                               struct base_err *err)
{
    struct mpc_share *t[9] = {NULL};
    struct mpc_share *move = NULL;
    fm_status status = mpc_order_apply(g->order, MPC_FORWARD, &t[0], &p, 1, err);

    if (status == FM_OK)
        status = mpc_row_above(&t[1], t[0], err);
    if (status == FM_OK)
        status = mpc_scale(&t[2], t[0], item->num, err);
    if (status == FM_OK)
        status = mpc_scale(&t[3], t[1], (int64_t)item->den - item->num, err);
    if (status == FM_OK)
        status = mpc_add(&t[4], t[2], t[3], err);
    if (status == FM_OK)
        status = mpc_steps(&t[5], t[4], err);
    if (status == FM_OK)
        status = mpc_slice(&t[6], t[5], 0, 1, err);
    if (status == FM_OK) { /* the next group's step, at this one's place; the last one's is 0 */
        struct mpc_share *zero = NULL;

        status = mpc_constant(g->s, &zero, 0, 1, err);
        if (status == FM_OK)
            status = mpc_slice(&t[7], t[5], 1, g->n - 1, err);
        if (status == FM_OK)
            status = mpc_concat(&move, (const struct mpc_share *const[]){t[7], zero}, 2, err);
        mpc_share_free(zero);
    }
    if (status == FM_OK)
        status = mpc_move_columns(&move, 1, g->order, MPC_INVERSE, err);
    if (status == FM_OK)
        status = mpc_mul(&t[8], move, g->last_ring, err);
    mpc_share_free(move);
    move = NULL;
    if (status == FM_OK)
        status = mpc_slice(&move, t[8], 0, g->n - 1, err);
    mpc_share_free(t[7]);
    t[7] = NULL;
    if (status == FM_OK)
        status = mpc_concat(&t[7], (const struct mpc_share *const[]){t[6], move}, 2, err);
    if (status == FM_OK)
        status = mpc_prefix(z, t[7], err);
    if (status == FM_OK)
        status = mpc_share_narrow(*z, (struct mpc_range){0, (int64_t)(item->den * g->n)}, err);
    mpc_share_free(move);
    mpc_share_free_all(t, 9);
    return status;
}

/* The row at which the bound is reached, if it counts: reached here, and not in the row above
 * unless that is of another group. */
static fm_status find_crossing(struct mpc_share **z, const struct mpc_group_state *g,
                               const struct mpc_share *scaled, const struct mpc_share *bound,
                               const struct mpc_share *where, struct base_err *err)
{
    struct mpc_share *t[6] = {NULL};
    fm_status status = mpc_less(&t[0], scaled, bound, err);

    *z = NULL;
    if (status == FM_OK)
        status = mpc_not(&t[1], t[0], err); /* reached */
    if (status == FM_OK)
        status = mpc_row_above(&t[2], t[1], err);
    if (status == FM_OK)
        status = mpc_not(&t[3], t[2], err);
    if (status == FM_OK)
        status = mpc_or(&t[4], t[3], g->head, err);
    if (status == FM_OK)
        status = mpc_and(&t[5], t[1], t[4], err);
    if (status == FM_OK)
        status = restrict_to(z, t[5], where, err);
    t[5] = NULL; /* taken over, unless something failed before */
    mpc_share_free_all(t, 6);
    return status;
}

static fm_status accumulate_percentile(struct mpc_group_state *g, size_t i, struct base_err *err)
{
    const struct mpc_group_item *item = &g->by->items[i];
    const struct mpc_share *p = g->mask[g->mask_of[i]].count;
    struct mpc_share *t[5] = {NULL};
    fm_status status = spread_bounds(&t[0], g, item, p, err);

    if (status == FM_OK)
        status = mpc_scale(&t[1], p, item->den, err);
    if (status == FM_OK)
        status = find_crossing(&t[2], g, t[1], t[0], where_of(g, i), err);
    if (status == FM_OK)
        status = mpc_bit2a(&t[3], t[2], err);
    if (status == FM_OK)
        status = mpc_mul(&t[4], t[3], g->col[g->x_at[i]], err);
    if (status == FM_OK)
        status = mpc_prefix(&g->acc[i], t[4], err);
    mpc_share_free_all(t, 5);
    return status;
}

/* The running value of one item. */
static fm_status run_item(struct mpc_group_state *g, const struct bits *b, size_t i,
                          struct base_err *err)
{
    const struct mpc_group_item *item = &g->by->items[i];
    const struct mpc_share *x = g->acc[i] != NULL ? g->acc[i] : g->col[g->x_at[i]];
    struct mpc_share *made = NULL;
    fm_status status;

    if (b->item_ring[i] != NULL)
        return mpc_prefix(&g->acc[i], b->item_ring[i], err);
    if (item->kind == MPC_GROUP_PERCENTILE)
        return accumulate_percentile(g, i, err);
    if (item->kind == MPC_GROUP_COUNT || mpc_group_is_extreme(item) ||
        (item->kind == MPC_GROUP_FIRST && item->x->domain == MPC_BITS))
        return FM_OK;
    if (item->kind == MPC_GROUP_ANY)
        return mpc_slice(&g->acc[i], x, 0, g->n, err);
    status = mpc_prefix(&made, x, err);
    mpc_share_free(g->acc[i]);
    g->acc[i] = made;
    return status;
}

fm_status mpc_group_accumulate(struct mpc_group_state *g, struct base_err *err)
{
    struct bits b = {0};
    fm_status status = FM_OK;

    for (size_t i = 0; status == FM_OK && i < g->by->items_len; i++)
        if (g->mine[i])
            status = find_bits(g, &b, i, err);
    if (status == FM_OK)
        status = bits_to_ring(g, &b, err);
    if (status == FM_OK)
        status = keep_counted(g, &b, err);
    if (status == FM_OK)
        status = count_masks(g, err);
    if (status == FM_OK)
        status = mpc_group_extremes(g, err);
    for (size_t i = 0; status == FM_OK && i < g->by->items_len; i++)
        if (g->mine[i])
            status = run_item(g, &b, i, err);
    mpc_share_free_all(b.item, MPC_GROUP_ITEMS);
    mpc_share_free_all(b.item_ring, MPC_GROUP_ITEMS);
    mpc_share_free(b.head_ring);
    return status;
}
