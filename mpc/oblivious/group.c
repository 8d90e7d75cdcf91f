#include "mpc/oblivious/group.h"

#include "mpc/circuit/select.h"
#include "mpc/oblivious/columns.h"
#include "mpc/oblivious/compact.h"
#include "mpc/oblivious/same_key.h"
#include "mpc/oblivious/scan.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

enum { COLUMNS = 1 + 2 * MPC_SORT_KEYS + MPC_GROUP_ITEMS };

/* Columns on their way: `valid` or, later, "is its group's last"; then the keys with their NULLs;
 * then one for each item. */
struct group {
    const struct mpc_group_by *by;
    struct mpc_session *s;
    size_t n;
    struct mpc_share *col[COLUMNS];
    size_t len;
    size_t key_at[MPC_SORT_KEYS];
    size_t null_at[MPC_SORT_KEYS];   /* 0: none */
    size_t item_at[MPC_GROUP_ITEMS]; /* 0: comes only after the sort */
    size_t keys_end;
    struct mpc_share *head; /* bits: a group begins here */
};

static fm_status check_length(const struct group *g, const struct mpc_share *x,
                              struct base_err *err)
{
    if (x->session != g->s)
        return base_err_set(err, FM_E_ARG, "group: the columns are of two sessions");
    if (x->n != g->n)
        return base_err_set(err, FM_E_ARG, "group: lengths %zu and %zu differ", g->n, x->n);
    return FM_OK;
}

static fm_status check_column(const struct group *g, const struct mpc_share *x,
                              enum mpc_domain domain, struct base_err *err)
{
    fm_status status = check_length(g, x, err);

    if (status == FM_OK && domain == MPC_BITS && (x->domain != MPC_BITS || x->width != 1))
        status = base_err_set(err, FM_E_ARG, "group: truth values are bits of width 1");
    return status == FM_OK ? mpc_check_domain(x, domain, "group", err) : status;
}

static struct mpc_range with_zero(struct mpc_range r)
{
    return (struct mpc_range){r.lo < 0 ? r.lo : 0, r.hi > 0 ? r.hi : 0};
}

static fm_status check_item(const struct group *g, const struct mpc_group_item *item,
                            struct base_err *err)
{
    struct mpc_range range;
    fm_status status;

    if (item->kind == MPC_GROUP_COUNT)
        return item->x == NULL ? FM_OK : check_column(g, item->x, MPC_BITS, err);
    if (item->x == NULL)
        return base_err_set(err, FM_E_ARG, "group: an aggregate without its column");
    status = check_column(g, item->x, MPC_RING64, err);
    if (status == FM_OK && item->kind == MPC_GROUP_SUM)
        status = mpc_range_sum(&range, with_zero(item->x->range), g->n, "group sum", err);
    return status;
}

static fm_status check(const struct group *g, struct base_err *err)
{
    const struct mpc_group_by *by = g->by;
    fm_status status = FM_OK;

    if (by->keys_len + 1 > MPC_SORT_KEYS || by->items_len > MPC_GROUP_ITEMS)
        return base_err_set(err, FM_E_ARG, "group: %zu keys, %zu aggregates: at most %d and %d",
                            by->keys_len, by->items_len, MPC_SORT_KEYS - 1, MPC_GROUP_ITEMS);
    if (by->groups > g->n)
        return base_err_set(err, FM_E_ARG, "group: %zu groups of %zu rows", by->groups, g->n);
    if (by->valid != NULL)
        status = check_column(g, by->valid, MPC_BITS, err);
    for (size_t i = 0; status == FM_OK && i < by->keys_len; i++) {
        const struct mpc_sort_key *key = &by->keys[i];

        status = check_length(g, key->x, err);
        if (status == FM_OK && key->null != NULL)
            status = check_column(g, key->null, MPC_BITS, err);
    }
    for (size_t i = 0; status == FM_OK && i < by->items_len; i++)
        status = check_item(g, &by->items[i], err);
    return status;
}

static fm_status add(struct group *g, const struct mpc_share *x, struct base_err *err)
{
    return mpc_slice(&g->col[g->len++], x, 0, x->n, err);
}

/* Copies of all columns that are to be sorted; what is NULL is made 0, so that NULLs are equal. */
static fm_status gather_columns(struct group *g, struct base_err *err)
{
    const struct mpc_group_by *by = g->by;
    fm_status status = by->valid != NULL
                           ? add(g, by->valid, err)
                           : mpc_bits_constant(g->s, &g->col[g->len++], 1, 1, g->n, err);

    for (size_t i = 0; status == FM_OK && i < by->keys_len; i++) {
        struct mpc_share *there = NULL;

        g->key_at[i] = g->len;
        if (by->keys[i].null == NULL) {
            status = add(g, by->keys[i].x, err);
            continue;
        }
        status = mpc_not(&there, by->keys[i].null, err);
        if (status == FM_OK)
            status = mpc_keep(&g->col[g->len++], there, by->keys[i].x, err);
        mpc_share_free(there);
        g->null_at[i] = g->len;
        if (status == FM_OK)
            status = add(g, by->keys[i].null, err);
    }
    g->keys_end = g->len;
    for (size_t i = 0; status == FM_OK && i < by->items_len; i++) {
        if (by->items[i].x == NULL)
            continue;
        g->item_at[i] = g->len;
        status = add(g, by->items[i].x, err);
    }
    return status;
}

static fm_status sort_rows(struct group *g, struct base_err *err)
{
    struct mpc_sort_key keys[MPC_SORT_KEYS];
    struct mpc_order *order;
    size_t len = 0;
    fm_status status;

    if (g->by->valid != NULL)
        keys[len++] = (struct mpc_sort_key){.x = g->col[0], .flags = MPC_SORT_DESCENDING};
    for (size_t i = 0; i < g->by->keys_len; i++) {
        keys[len] = g->by->keys[i];
        keys[len].x = g->col[g->key_at[i]];
        len++;
    }
    if (len == 0) /* all rows are one group, and stay */
        return FM_OK;
    status = mpc_sort(&order, keys, len, err);
    if (status == FM_OK)
        status = mpc_move_columns(g->col, g->len, order, MPC_FORWARD, err);
    mpc_order_free(order);
    return status;
}

/* differ[i]: rows i and i + 1 are of two groups. n - 1 of them. */
static fm_status compare_neighbours(struct mpc_share **differ, const struct group *g,
                                    struct base_err *err)
{
    struct mpc_share *side[2][COLUMNS] = {{NULL}, {NULL}};
    struct mpc_share *equal = NULL;
    fm_status status = FM_OK;

    for (unsigned e = 0; e < 2; e++)
        for (size_t i = 0; status == FM_OK && i < g->keys_end; i++)
            status = mpc_slice(&side[e][i], g->col[i], e, g->n - 1, err);
    if (status == FM_OK)
        status = mpc_same_key(&equal, (const struct mpc_share *const *)side[0],
                              (const struct mpc_share *const *)side[1], g->keys_end, err);
    if (status == FM_OK)
        status = mpc_not(differ, equal, err);
    mpc_share_free(equal);
    mpc_share_free_all(side[0], COLUMNS);
    mpc_share_free_all(side[1], COLUMNS);
    return status;
}

/* head, and in place of col[0] whether the row is its group's last and counts. */
static fm_status find_groups(struct group *g, struct base_err *err)
{
    struct mpc_share *t[4] = {NULL};
    fm_status status = mpc_bits_constant(g->s, &t[0], 1, 1, 1, err);

    if (status == FM_OK)
        status = compare_neighbours(&t[1], g, err);
    if (status == FM_OK)
        status = mpc_concat(&g->head, (const struct mpc_share *const[]){t[0], t[1]}, 2, err);
    if (status == FM_OK)
        status = mpc_concat(&t[2], (const struct mpc_share *const[]){t[1], t[0]}, 2, err);
    if (status == FM_OK)
        status = mpc_and(&t[3], t[2], g->col[0], err);
    if (status == FM_OK) {
        mpc_share_free(g->col[0]);
        g->col[0] = t[3];
        t[3] = NULL;
    }
    mpc_share_free_all(t, 4);
    return status;
}

/* What an item's column must be at the group's last row. */
static fm_status accumulate(struct group *g, size_t i, struct base_err *err)
{
    const struct mpc_group_item *item = &g->by->items[i];
    struct mpc_share *x = NULL;
    struct mpc_share *made = NULL;
    fm_status status = FM_OK;

    if (g->item_at[i] == 0) {
        status = mpc_constant(g->s, &x, 1, g->n, err);
        g->item_at[i] = g->len++;
    } else if (item->kind == MPC_GROUP_COUNT)
        status = mpc_bit2a(&x, g->col[g->item_at[i]], err);
    else {
        x = g->col[g->item_at[i]];
        g->col[g->item_at[i]] = NULL;
    }
    if (status == FM_OK && item->kind == MPC_GROUP_MIN)
        status = mpc_scan_min(&made, x, g->head, err);
    else if (status == FM_OK && item->kind == MPC_GROUP_MAX)
        status = mpc_scan_max(&made, x, g->head, err);
    else if (status == FM_OK)
        status = mpc_prefix(&made, x, err);
    mpc_share_free(x);
    mpc_share_free(g->col[g->item_at[i]]);
    g->col[g->item_at[i]] = made;
    return status;
}

static struct mpc_range item_range(const struct group *g, const struct mpc_group_item *item)
{
    struct mpc_range range = {0, (int64_t)g->n};
    struct base_err unused;

    if (item->kind == MPC_GROUP_MIN || item->kind == MPC_GROUP_MAX)
        return with_zero(item->x->range);
    if (item->kind == MPC_GROUP_SUM && /* checked before: cannot fail */
        mpc_range_sum(&range, with_zero(item->x->range), g->n, "group sum", &unused) != FM_OK)
        return MPC_RANGE_FULL;
    return range;
}

/* Sums are differences of neighbours; then whatever is no group becomes 0. */
static fm_status finish_columns(struct group *g, size_t groups, struct base_err *err)
{
    struct mpc_share *ring = NULL;
    fm_status status = FM_OK;

    for (size_t i = 0; status == FM_OK && i < g->by->items_len; i++) {
        struct mpc_share **x = &g->col[g->item_at[i]];
        struct mpc_share *steps;

        if (g->by->items[i].kind == MPC_GROUP_MIN || g->by->items[i].kind == MPC_GROUP_MAX)
            continue;
        status = mpc_steps(&steps, *x, err);
        if (status == FM_OK) {
            mpc_share_free(*x);
            *x = steps;
        }
    }
    if (status == FM_OK)
        status = mpc_slice_columns(g->col, g->len, 0, groups, err);
    if (status == FM_OK)
        status = mpc_bit2a(&ring, g->col[0], err);
    if (status == FM_OK)
        status = mpc_keep_columns(g->col + 1, g->len - 1, g->col[0], ring, err);
    mpc_share_free(ring);
    for (size_t i = 0; status == FM_OK && i < g->by->items_len; i++)
        status = mpc_share_narrow(g->col[g->item_at[i]], item_range(g, &g->by->items[i]), err);
    return status;
}

static fm_status close_groups(struct group *g, struct mpc_grouped *out, struct base_err *err)
{
    size_t groups = g->by->groups == 0 ? g->n : g->by->groups;
    size_t rows = groups < g->n ? groups + 1 : groups;
    struct mpc_order *order;
    fm_status status = mpc_compact(&order, g->col[0], err);

    if (status == FM_OK)
        status = mpc_first_columns(g->col, g->len, order, rows, err);
    mpc_order_free(order);
    if (status == FM_OK)
        status = rows > groups ? mpc_slice(&out->more, g->col[0], groups, 1, err)
                               : mpc_bits_constant(g->s, &out->more, 0, 1, 1, err);
    return status == FM_OK ? finish_columns(g, groups, err) : status;
}

static void hand_over(struct group *g, struct mpc_grouped *out)
{
    out->valid = g->col[0];
    for (size_t i = 0; i < g->by->keys_len; i++) {
        out->key[i] = g->col[g->key_at[i]];
        if (g->null_at[i] != 0)
            out->null[i] = g->col[g->null_at[i]];
    }
    for (size_t i = 0; i < g->by->items_len; i++)
        out->item[i] = g->col[g->item_at[i]];
}

static struct mpc_session *session_of(const struct mpc_group_by *by, size_t *n)
{
    const struct mpc_share *x = by->keys_len > 0    ? by->keys[0].x
                                : by->valid != NULL ? by->valid
                                : by->items_len > 0 ? by->items[0].x
                                                    : NULL;

    *n = x != NULL ? x->n : 0;
    return x != NULL ? x->session : NULL;
}

fm_status mpc_group(struct mpc_grouped *out, const struct mpc_group_by *by, struct base_err *err)
{
    struct group g = {.by = by};
    fm_status status;

    *out = (struct mpc_grouped){0};
    g.s = session_of(by, &g.n);
    if (g.s == NULL)
        return base_err_set(err, FM_E_ARG, "group: no columns");
    if (g.n == 0)
        return base_err_set(err, FM_E_ARG, "group: no rows");
    status = check(&g, err);
    if (status == FM_OK)
        status = gather_columns(&g, err);
    if (status == FM_OK)
        status = sort_rows(&g, err);
    if (status == FM_OK)
        status = find_groups(&g, err);
    for (size_t i = 0; status == FM_OK && i < by->items_len; i++)
        status = accumulate(&g, i, err);
    if (status == FM_OK)
        status = close_groups(&g, out, err);
    mpc_share_free(g.head);
    if (status == FM_OK) {
        hand_over(&g, out);
        return FM_OK;
    }
    mpc_share_free_all(g.col, COLUMNS);
    mpc_grouped_release(out);
    return status;
}

void mpc_grouped_release(struct mpc_grouped *out)
{
    mpc_share_free_all(out->key, MPC_SORT_KEYS);
    mpc_share_free_all(out->null, MPC_SORT_KEYS);
    mpc_share_free_all(out->item, MPC_GROUP_ITEMS);
    mpc_share_free(out->valid);
    mpc_share_free(out->more);
    *out = (struct mpc_grouped){0};
}
