#include "mpc/oblivious/group.h"

#include "mpc/circuit/select.h"
#include "mpc/oblivious/columns.h"
#include "mpc/oblivious/compact.h"
#include "mpc/oblivious/group_state.h"
#include "mpc/oblivious/same_key.h"
#include "mpc/share.h"

/* The column that holds x, a new one if none does yet. */
static fm_status column_of(struct mpc_group_state *g, size_t *at, const struct mpc_share *x,
                           struct base_err *err)
{
    for (size_t i = 1; i < g->len; i++)
        if (g->from[i] == x) {
            *at = i;
            return FM_OK;
        }
    *at = g->len;
    g->from[g->len] = x;
    return mpc_slice(&g->col[g->len++], x, 0, x->n, err);
}

static fm_status add_item(struct mpc_group_state *g, size_t i, struct base_err *err)
{
    const struct mpc_group_item *item = &g->by->items[i];
    const struct mpc_share *where = mpc_group_where(item);
    size_t at = 0;
    size_t m = 0;
    fm_status status = FM_OK;

    if (item->x != NULL && item->kind != MPC_GROUP_COUNT)
        status = column_of(g, &g->x_at[i], item->x, err);
    if (status == FM_OK && where != NULL)
        status = column_of(g, &at, where, err);
    while (m < g->masks && g->mask[m].at != at)
        m++;
    if (m == g->masks)
        g->mask[g->masks++].at = at;
    g->mask_of[i] = m;
    g->mask[m].counted |= item->kind == MPC_GROUP_COUNT || item->kind == MPC_GROUP_PERCENTILE ||
                          (at != 0 && item->kind != MPC_GROUP_COUNT_DISTINCT);
    return status;
}

/* Copies of all columns that are to be sorted; what is NULL is made 0, so that NULLs are equal. */
static fm_status gather_columns(struct mpc_group_state *g, struct base_err *err)
{
    const struct mpc_group_by *by = g->by;
    fm_status status = by->valid != NULL ? mpc_slice(&g->col[0], by->valid, 0, g->n, err)
                                         : mpc_bits_constant(g->s, &g->col[0], 1, 1, g->n, err);

    g->len = g->masks = 1;
    for (size_t i = 0; status == FM_OK && i < by->keys_len; i++) {
        struct mpc_share *there = NULL;

        g->key_at[i] = g->len;
        if (by->keys[i].null == NULL) {
            g->from[g->len] = by->keys[i].x;
            status = mpc_slice(&g->col[g->len++], by->keys[i].x, 0, g->n, err);
            continue;
        }
        status = mpc_not(&there, by->keys[i].null, err);
        if (status == FM_OK)
            status = mpc_keep(&g->col[g->len++], there, by->keys[i].x, err);
        mpc_share_free(there);
        g->null_at[i] = g->len;
        if (status == FM_OK)
            status = mpc_slice(&g->col[g->len++], by->keys[i].null, 0, g->n, err);
    }
    g->keys_end = g->len;
    for (size_t i = 0; status == FM_OK && i < by->items_len; i++)
        if (g->mine[i])
            status = add_item(g, i, err);
    return status;
}

static fm_status sort_rows(struct mpc_group_state *g, struct base_err *err)
{
    struct mpc_sort_key keys[MPC_SORT_KEYS];
    const struct mpc_group_item *within = g->extension;
    struct mpc_order *order;
    size_t len = 0;
    fm_status status;

    if (g->by->in_order && (within == NULL || (within->kind == MPC_GROUP_COUNT_DISTINCT &&
                                               within->x == g->by->within)))
        return g->by->order != NULL
                   ? mpc_move_columns(g->col, g->len, g->by->order, MPC_FORWARD, err)
                   : FM_OK;
    if (g->by->valid != NULL)
        keys[len++] = (struct mpc_sort_key){.x = g->col[0], .flags = MPC_SORT_DESCENDING};
    for (size_t i = 0; i < g->by->keys_len; i++) {
        keys[len] = g->by->keys[i];
        keys[len].x = g->col[g->key_at[i]];
        len++;
    }
    if (within != NULL && mpc_group_first_in_order(within) != NULL)
        keys[len++] = (struct mpc_sort_key){.x = mpc_group_first_in_order(within),
                                            .flags = MPC_SORT_DESCENDING};
    if (within != NULL)
        keys[len++] = (struct mpc_sort_key){.x = within->x};
    if (len == 0) /* all rows are one group, and stay */
        return FM_OK;
    status = mpc_sort(&order, keys, len, err);
    if (status == FM_OK)
        status = mpc_move_columns(g->col, g->len, order, MPC_FORWARD, err);
    mpc_order_free(order);
    return status;
}

fm_status mpc_group_neighbours(struct mpc_share **differ, struct mpc_share *const *x, size_t count,
                               size_t n, struct base_err *err)
{
    struct mpc_share *side[2][MPC_GROUP_COLUMNS] = {{NULL}, {NULL}};
    struct mpc_share *equal = NULL;
    fm_status status = FM_OK;

    for (unsigned e = 0; e < 2; e++)
        for (size_t i = 0; status == FM_OK && i < count; i++)
            status = mpc_slice(&side[e][i], x[i], e, n - 1, err);
    if (status == FM_OK)
        status = mpc_same_key(&equal, (const struct mpc_share *const *)side[0],
                              (const struct mpc_share *const *)side[1], count, err);
    if (status == FM_OK)
        status = mpc_not(differ, equal, err);
    mpc_share_free(equal);
    mpc_share_free_all(side[0], count);
    mpc_share_free_all(side[1], count);
    return status;
}

static fm_status find_groups(struct mpc_group_state *g, struct base_err *err)
{
    struct mpc_share *t[3] = {NULL};
    fm_status status = mpc_bits_constant(g->s, &t[0], 1, 1, 1, err);

    if (status == FM_OK)
        status = mpc_group_neighbours(&t[1], g->col, g->keys_end, g->n, err);
    if (status == FM_OK)
        status = mpc_concat(&g->head, (const struct mpc_share *const[]){t[0], t[1]}, 2, err);
    if (status == FM_OK)
        status = mpc_concat(&t[2], (const struct mpc_share *const[]){t[1], t[0]}, 2, err);
    if (status == FM_OK)
        status = mpc_and(&g->last, t[2], g->col[0], err);
    if (status == FM_OK)
        status = mpc_bit2a(&g->last_ring, g->last, err);
    if (status == FM_OK)
        status = mpc_compact(&g->order, g->last_ring, err);
    mpc_share_free_all(t, 3);
    return status;
}

static void release(struct mpc_group_state *g)
{
    mpc_share_free_all(g->col, MPC_GROUP_COLUMNS);
    mpc_share_free_all(g->acc, MPC_GROUP_ITEMS);
    for (size_t m = 0; m < g->masks; m++) {
        mpc_share_free(g->mask[m].ring);
        mpc_share_free(g->mask[m].count);
        mpc_share_free(g->mask[m].some);
        mpc_share_free(g->mask[m].some_ring);
    }
    mpc_share_free(g->head);
    mpc_share_free(g->last);
    mpc_share_free(g->last_ring);
    mpc_order_free(g->order);
}

/* One sort, and the items that it serves. */
static fm_status run_pass(struct mpc_grouped *out, struct mpc_group_state *g, bool keys,
                          struct base_err *err)
{
    fm_status status = gather_columns(g, err);

    if (status == FM_OK)
        status = sort_rows(g, err);
    if (status == FM_OK)
        status = find_groups(g, err);
    if (status == FM_OK)
        status = mpc_group_accumulate(g, err);
    if (status == FM_OK)
        status = mpc_group_close(g, out, keys, err);
    release(g);
    return status;
}

/* Results of no rows. */
static fm_status close_nothing(struct mpc_grouped *out, const struct mpc_group_by *by,
                               struct mpc_session *s, struct base_err *err)
{
    fm_status status = mpc_bits_constant(s, &out->valid, 0, 1, 0, err);

    if (status == FM_OK)
        status = mpc_bits_constant(s, &out->more, 0, 1, 1, err);
    for (size_t i = 0; status == FM_OK && i < by->keys_len; i++) {
        status = mpc_slice(&out->key[i], by->keys[i].x, 0, 0, err);
        if (status == FM_OK && by->keys[i].null != NULL)
            status = mpc_slice(&out->null[i], by->keys[i].null, 0, 0, err);
    }
    for (size_t i = 0; status == FM_OK && i < by->items_len; i++) {
        const struct mpc_group_item *item = &by->items[i];

        status =
            mpc_group_is_truth(item) || item->kind == MPC_GROUP_FIRST || item->kind == MPC_GROUP_ANY
                ? mpc_slice(&out->item[i], item->x, 0, 0, err)
                : mpc_constant(s, &out->item[i], 0, 0, err);
        if (status == FM_OK && item->where != NULL && item->kind != MPC_GROUP_COUNT &&
            item->kind != MPC_GROUP_COUNT_DISTINCT)
            status = mpc_slice(&out->any[i], item->where, 0, 0, err);
    }
    return status;
}

/* Chooses the items of the next pass among those that are not done; false when there are none. */
static bool plan_pass(struct mpc_group_state *g, bool done[MPC_GROUP_ITEMS], bool first)
{
    bool stays = false; /* an item wants the rows as they stood */
    bool any = first;

    for (size_t i = 0; i < g->by->items_len; i++)
        stays |= !done[i] && g->by->items[i].kind == MPC_GROUP_FIRST;
    for (size_t i = 0; i < g->by->items_len; i++) {
        const struct mpc_group_item *item = &g->by->items[i];

        g->mine[i] = !done[i] && !mpc_group_is_ordered(item);
        if (!done[i] && mpc_group_is_ordered(item) && !stays) {
            if (g->extension == NULL)
                g->extension = item;
            g->mine[i] = g->extension->x == item->x &&
                         mpc_group_first_in_order(g->extension) == mpc_group_first_in_order(item);
        }
        done[i] |= g->mine[i];
        any |= g->mine[i];
    }
    return any;
}

static struct mpc_session *session_of(const struct mpc_group_by *by, size_t *n)
{
    const struct mpc_share *x = by->keys_len > 0    ? by->keys[0].x
                                : by->valid != NULL ? by->valid
                                                    : NULL;

    for (size_t i = 0; x == NULL && i < by->items_len; i++)
        x = by->items[i].x != NULL ? by->items[i].x : by->items[i].where;
    *n = x != NULL ? x->n : 0;
    return x != NULL ? x->session : NULL;
}

fm_status mpc_group(struct mpc_grouped *out, const struct mpc_group_by *by, struct base_err *err)
{
    bool done[MPC_GROUP_ITEMS] = {false};
    struct mpc_session *s;
    size_t n;
    fm_status status;

    *out = (struct mpc_grouped){0};
    s = session_of(by, &n);
    if (s == NULL)
        return base_err_set(err, FM_E_ARG, "group: no columns");
    status = mpc_group_check(by, s, n, err);
    if (status == FM_OK && n == 0)
        status = close_nothing(out, by, s, err);
    for (bool first = true; status == FM_OK && n > 0; first = false) {
        struct mpc_group_state g = {
            .by = by, .s = s, .n = n, .groups = by->groups == 0 ? n : by->groups};

        if (!plan_pass(&g, done, first))
            break;
        status = run_pass(out, &g, first, err);
    }
    if (status != FM_OK)
        mpc_grouped_release(out);
    return status;
}

void mpc_grouped_release(struct mpc_grouped *out)
{
    mpc_share_free_all(out->key, MPC_SORT_KEYS);
    mpc_share_free_all(out->null, MPC_SORT_KEYS);
    mpc_share_free_all(out->item, MPC_GROUP_ITEMS);
    mpc_share_free_all(out->any, MPC_GROUP_ITEMS);
    mpc_share_free(out->valid);
    mpc_share_free(out->more);
    *out = (struct mpc_grouped){0};
}
