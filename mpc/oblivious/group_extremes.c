/* All MIN and MAX of a GROUP BY in one scan: their columns stand one below another, each a segment
 * of its own, and of a MAX what is scanned is the complement, whose least is its greatest. The
 * rounds are those of one scan over all of them. */
#include "mpc/choice.h"
#include "mpc/oblivious/group_state.h"
#include "mpc/oblivious/scan.h"
#include "mpc/ops_check.h"
#include "mpc/share.h"

/* Columns of one class share a scan. The widest decides what a comparison costs: where bytes count
 * only columns of one width stand together, and never one whose differences need 65 bits. By link:
 * another scan is some 200 rounds, and a column in one too wide at most some 20 bytes a row. */
static unsigned class_of(const struct mpc_group_state *g, size_t i)
{
    enum { ALONE = 65, ROUNDS_SAVED = 10 };
    const struct mpc_share *x = g->by->items[i].x;
    unsigned width = mpc_range_width(x->range);

    if (width > 62)
        return ALONE + (unsigned)i;
    if (mpc_link_of(g->s->profile) == NULL)
        return g->s->profile == MPC_FEW_ROUNDS ? 0 : width;
    return g->n <= ROUNDS_SAVED * mpc_round_bytes(g->s->profile) ? 0 : width;
}

/* -1 - x: in the order turned round, and its own inverse, without the overflow of -x. */
static fm_status complement(struct mpc_share **z, const struct mpc_share *x, struct base_err *err)
{
    struct mpc_share *end;
    fm_status status = mpc_constant(x->session, &end, -1, x->n, err);

    *z = NULL;
    if (status == FM_OK)
        status = mpc_sub_wrapping(z, end, x, err);
    mpc_share_free(end);
    if (status == FM_OK)
        status = mpc_share_narrow(*z, (struct mpc_range){-1 - x->range.hi, -1 - x->range.lo}, err);
    return status;
}

static fm_status turn(struct mpc_share **z, const struct mpc_share *x, enum mpc_aggregate kind,
                      struct base_err *err)
{
    return kind == MPC_GROUP_MAX ? complement(z, x, err) : mpc_slice(z, x, 0, x->n, err);
}

/* The items' columns, one below another. */
static fm_status stack(struct mpc_share **z, struct mpc_share **head,
                       const struct mpc_group_state *g, const size_t *item, size_t count,
                       struct base_err *err)
{
    struct mpc_share *x[MPC_GROUP_ITEMS] = {NULL};
    const struct mpc_share *heads[MPC_GROUP_ITEMS];
    fm_status status = FM_OK;

    for (size_t k = 0; status == FM_OK && k < count; k++) {
        size_t i = item[k];

        heads[k] = g->head; /* the first row is one */
        status = turn(&x[k], g->acc[i] != NULL ? g->acc[i] : g->col[g->x_at[i]],
                      g->by->items[i].kind, err);
    }
    if (status == FM_OK)
        status = mpc_concat(z, (const struct mpc_share *const *)x, count, err);
    if (status == FM_OK)
        status = mpc_concat(head, heads, count, err);
    mpc_share_free_all(x, MPC_GROUP_ITEMS);
    return status;
}

static fm_status scan(struct mpc_group_state *g, const size_t *item, size_t count,
                      struct base_err *err)
{
    struct mpc_share *x = NULL;
    struct mpc_share *head = NULL;
    struct mpc_share *least = NULL;
    fm_status status = stack(&x, &head, g, item, count, err);

    if (status == FM_OK)
        status = mpc_scan_min(&least, x, head, err);
    mpc_share_free(x);
    mpc_share_free(head);
    for (size_t k = 0; status == FM_OK && k < count; k++) {
        const struct mpc_group_item *it = &g->by->items[item[k]];
        struct mpc_range range = it->x->range;
        struct mpc_share *part = NULL;

        if (it->kind == MPC_GROUP_MAX)
            range = (struct mpc_range){-1 - range.hi, -1 - range.lo};
        mpc_share_free(g->acc[item[k]]);
        g->acc[item[k]] = NULL;
        status = mpc_slice(&part, least, k * g->n, g->n, err);
        if (status == FM_OK)
            status = mpc_share_narrow(part, range, err);
        if (status == FM_OK)
            status = turn(&g->acc[item[k]], part, it->kind, err);
        mpc_share_free(part);
    }
    mpc_share_free(least);
    return status;
}

fm_status mpc_group_extremes(struct mpc_group_state *g, struct base_err *err)
{
    bool done[MPC_GROUP_ITEMS] = {false};
    fm_status status = FM_OK;

    for (size_t i = 0; status == FM_OK && i < g->by->items_len; i++) {
        size_t item[MPC_GROUP_ITEMS];
        size_t count = 0;

        for (size_t k = i; k < g->by->items_len; k++)
            if (g->mine[k] && !done[k] && mpc_group_is_extreme(&g->by->items[k]) &&
                (k == i || (count > 0 && class_of(g, k) == class_of(g, i)))) {
                done[k] = true;
                item[count++] = k;
            }
        if (count > 0)
            status = scan(g, item, count, err);
    }
    return status;
}
