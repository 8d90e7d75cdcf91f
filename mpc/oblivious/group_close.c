/* What the groups' last rows say. */
#include "mpc/oblivious/columns.h"
#include "mpc/oblivious/group_state.h"
#include "mpc/oblivious/scan.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

enum { TRUTHS = 2 * MPC_GROUP_ITEMS + 1, MOVED = 1 + 2 * MPC_SORT_KEYS + TRUTHS };

/* Where each column that is moved belongs. */
struct moved {
    struct mpc_share **place[MOVED];
    struct mpc_share *x[MOVED];
    size_t len;
};

static void take(struct moved *m, struct mpc_share **place)
{
    if (*place == NULL)
        return;
    m->place[m->len] = place;
    m->x[m->len++] = *place;
    *place = NULL;
}

static void give_back(struct moved *m)
{
    for (size_t i = 0; i < m->len; i++)
        *m->place[i] = m->x[i];
    m->len = 0;
}

/* The last rows come to the front, `rows` of them. */
static fm_status bring_forward(struct mpc_group_state *g, size_t rows, bool keys,
                               struct base_err *err)
{
    struct moved m = {.len = 0};
    fm_status status;

    take(&m, &g->last);
    for (size_t i = 1; keys && i < g->keys_end; i++)
        take(&m, &g->col[i]);
    for (size_t i = 0; i < g->by->items_len; i++)
        take(&m, &g->acc[i]);
    for (size_t i = 0; i < g->masks; i++)
        take(&m, &g->mask[i].count);
    status = mpc_first_columns(m.x, m.len, g->order, rows, err);
    give_back(&m);
    return status;
}

/* z = its steps, the first `groups` of them. */
static fm_status subtract(struct mpc_share **x, size_t groups, bool steps, struct base_err *err)
{
    fm_status status = FM_OK;

    if (*x == NULL)
        return FM_OK;
    if (steps)
        status = mpc_each_column(x, 1, mpc_steps, err);
    return status == FM_OK ? mpc_slice_columns(x, 1, 0, groups, err) : status;
}

static fm_status differences(struct mpc_group_state *g, struct base_err *err)
{
    fm_status status = mpc_slice_columns(&g->last, 1, 0, g->groups, err);

    for (size_t i = 1; status == FM_OK && i < g->keys_end; i++)
        status = mpc_slice_columns(&g->col[i], 1, 0, g->groups, err);
    for (size_t i = 0; status == FM_OK && i < g->by->items_len; i++)
        status = subtract(&g->acc[i], g->groups, !mpc_group_is_plain(&g->by->items[i]), err);
    for (size_t m = 0; status == FM_OK && m < g->masks; m++)
        status = subtract(&g->mask[m].count, g->groups, true, err);
    return status;
}

/* Whether an item's mask may leave a group without any row that counts. */
static bool may_be_empty(const struct mpc_group_state *g, size_t i)
{
    enum mpc_aggregate kind = g->by->items[i].kind;

    return g->mine[i] && g->mask_of[i] != 0 && kind != MPC_GROUP_COUNT &&
           kind != MPC_GROUP_COUNT_DISTINCT;
}

static bool mask_asked(const struct mpc_group_state *g, size_t m, bool by_extremes)
{
    for (size_t i = 0; i < g->by->items_len; i++)
        if (may_be_empty(g, i) && g->mask_of[i] == m &&
            (!by_extremes || mpc_group_is_extreme(&g->by->items[i])))
            return true;
    return false;
}

/* none[] = (count is 0), of the masks that are asked and of AND's and OR's counts. */
static fm_status find_zeros(struct mpc_group_state *g, struct mpc_share **mask_none,
                            struct mpc_share **item_none, struct base_err *err)
{
    const struct mpc_share *x[TRUTHS];
    struct mpc_share *z[TRUTHS] = {NULL};
    struct mpc_share **to[TRUTHS];
    unsigned width[TRUTHS];
    size_t len = 0;
    fm_status status = FM_OK;

    for (size_t m = 1; m < g->masks; m++)
        if (mask_asked(g, m, false)) {
            to[len] = &mask_none[m];
            x[len++] = g->mask[m].count;
        }
    for (size_t i = 0; i < g->by->items_len; i++)
        if (g->mine[i] && mpc_group_is_truth(&g->by->items[i])) {
            to[len] = &item_none[i];
            x[len++] = g->acc[i];
        }
    for (size_t k = 0; k < len; k++) /* of rows that are groups: 0..n */
        width[k] = mpc_range_width((struct mpc_range){0, (int64_t)g->n});
    if (len > 0)
        status = mpc_eqz_list(z, x, width, len, err);
    for (size_t k = 0; status == FM_OK && k < len; k++)
        *to[k] = z[k];
    return status;
}

static fm_status replace(struct mpc_share **x, fm_status status, struct mpc_share *made)
{
    if (status == FM_OK) {
        mpc_share_free(*x);
        *x = made;
    }
    return status;
}

static fm_status and_into(struct mpc_share **x, const struct mpc_share *y, struct base_err *err)
{
    struct mpc_share *both = NULL;
    fm_status status = mpc_and(&both, *x, y, err);

    return replace(x, status, both);
}

/* mask[].some, and AND's and OR's answers in acc. */
static fm_status find_truths(struct mpc_group_state *g, struct base_err *err)
{
    struct mpc_share *mask_none[1 + MPC_GROUP_ITEMS] = {NULL};
    struct mpc_share *item_none[MPC_GROUP_ITEMS] = {NULL};
    fm_status status = find_zeros(g, mask_none, item_none, err);

    for (size_t m = 1; status == FM_OK && m < g->masks; m++) {
        if (mask_none[m] == NULL)
            continue;
        status = mpc_not(&g->mask[m].some, mask_none[m], err);
        if (status == FM_OK)
            status = and_into(&g->mask[m].some, g->last, err);
    }
    for (size_t i = 0; status == FM_OK && i < g->by->items_len; i++) {
        struct mpc_share *truth = NULL;

        if (item_none[i] == NULL)
            continue;
        status = g->by->items[i].kind == MPC_GROUP_OR
                     ? mpc_not(&truth, item_none[i], err)
                     : mpc_slice(&truth, item_none[i], 0, g->groups, err);
        status = replace(&g->acc[i], status, truth);
        if (status == FM_OK)
            status = and_into(&g->acc[i],
                              g->mask_of[i] == 0 ? g->last : g->mask[g->mask_of[i]].some, err);
    }
    mpc_share_free_all(mask_none, 1 + MPC_GROUP_ITEMS);
    mpc_share_free_all(item_none, MPC_GROUP_ITEMS);
    return status;
}

static fm_status truths_to_ring(struct mpc_group_state *g, struct mpc_share **last_ring,
                                struct base_err *err)
{
    const struct mpc_share *x[TRUTHS] = {g->last};
    struct mpc_share *z[TRUTHS] = {NULL};
    struct mpc_share **to[TRUTHS] = {last_ring};
    size_t len = 1;
    fm_status status;

    for (size_t m = 1; m < g->masks; m++)
        if (mask_asked(g, m, true)) {
            to[len] = &g->mask[m].some_ring;
            x[len++] = g->mask[m].some;
        }
    status = mpc_bit2a_list(z, x, len, err);
    for (size_t k = 0; status == FM_OK && k < len; k++)
        *to[k] = z[k];
    return status;
}

/* What is no group becomes 0, and an extreme of no rows. AND and OR are 0 there already. */
static fm_status blank_the_rest(struct mpc_group_state *g, bool keys, struct base_err *err)
{
    struct mpc_share *ring = NULL;
    struct moved by_last = {.len = 0};
    fm_status status = truths_to_ring(g, &ring, err);

    if (status != FM_OK)
        return status;
    for (size_t i = 1; keys && i < g->keys_end; i++)
        take(&by_last, &g->col[i]);
    for (size_t m = 0; m < g->masks; m++)
        take(&by_last, &g->mask[m].count);
    for (size_t i = 0; i < g->by->items_len; i++) {
        const struct mpc_group_item *item = &g->by->items[i];
        struct mpc_share *some = g->mask[g->mask_of[i]].some_ring;

        if (mpc_group_is_truth(item))
            continue;
        if (g->acc[i] != NULL && mpc_group_is_extreme(item) && some != NULL)
            status = status == FM_OK ? mpc_keep_columns(&g->acc[i], 1, NULL, some, err) : status;
        else
            take(&by_last, &g->acc[i]);
    }
    if (status == FM_OK)
        status = mpc_keep_columns(by_last.x, by_last.len, g->last, ring, err);
    give_back(&by_last);
    mpc_share_free(ring);
    return status;
}

static struct mpc_range item_range(const struct mpc_group_state *g,
                                   const struct mpc_group_item *item)
{
    struct mpc_range range = {0, (int64_t)g->n};
    struct base_err unused;

    if (item->kind == MPC_GROUP_COUNT || item->kind == MPC_GROUP_COUNT_DISTINCT)
        return range;
    if (item->kind == MPC_GROUP_SUM && /* checked before: cannot fail */
        mpc_range_sum(&range, mpc_group_with_zero(item->x->range), g->n, "group sum", &unused) !=
            FM_OK)
        return MPC_RANGE_FULL;
    return item->kind == MPC_GROUP_SUM ? range : mpc_group_with_zero(item->x->range);
}

static fm_status hand_over(struct mpc_group_state *g, struct mpc_grouped *out, bool keys,
                           struct base_err *err)
{
    fm_status status = FM_OK;

    for (size_t i = 0; keys && i < g->by->keys_len; i++) {
        out->key[i] = g->col[g->key_at[i]];
        g->col[g->key_at[i]] = NULL;
        if (g->null_at[i] == 0)
            continue;
        out->null[i] = g->col[g->null_at[i]];
        g->col[g->null_at[i]] = NULL;
    }
    for (size_t i = 0; status == FM_OK && i < g->by->items_len; i++) {
        const struct mpc_group_mask *mask = &g->mask[g->mask_of[i]];

        if (!g->mine[i])
            continue;
        if (g->by->items[i].kind == MPC_GROUP_COUNT)
            status = mpc_slice(&out->item[i], mask->count, 0, g->groups, err);
        else {
            out->item[i] = g->acc[i];
            g->acc[i] = NULL;
        }
        if (status == FM_OK && out->item[i]->domain == MPC_RING64)
            status = mpc_share_narrow(out->item[i], item_range(g, &g->by->items[i]), err);
        if (status == FM_OK && may_be_empty(g, i))
            status = mpc_slice(&out->any[i], mask->some, 0, g->groups, err);
    }
    if (keys) {
        out->valid = g->last;
        g->last = NULL;
    }
    return status;
}

fm_status mpc_group_close(struct mpc_group_state *g, struct mpc_grouped *out, bool keys,
                          struct base_err *err)
{
    size_t rows = g->groups < g->n ? g->groups + 1 : g->groups;
    fm_status status = bring_forward(g, rows, keys, err);

    if (status == FM_OK && keys)
        status = rows > g->groups ? mpc_slice(&out->more, g->last, g->groups, 1, err)
                                  : mpc_bits_constant(g->s, &out->more, 0, 1, 1, err);
    if (status == FM_OK)
        status = differences(g, err);
    if (status == FM_OK)
        status = find_truths(g, err);
    if (status == FM_OK)
        status = blank_the_rest(g, keys, err);
    return status == FM_OK ? hand_over(g, out, keys, err) : status;
}
