/* Inside of oblivious/: a GROUP BY on its way. group.c sorts and finds the groups, group_items.c
 * makes each aggregate a column that is read at its group's last row, group_close.c reads it. */
#ifndef FIRMIANA_MPC_OBLIVIOUS_GROUP_STATE_H
#define FIRMIANA_MPC_OBLIVIOUS_GROUP_STATE_H

#include "mpc/oblivious/group.h"

/* Columns that the sort moves: `valid`, the keys with their NULLs, and what the items need, each
 * once however many of them need it. */
enum { MPC_GROUP_COLUMNS = 1 + 2 * MPC_SORT_KEYS + 2 * MPC_GROUP_ITEMS };

/* The rows that count for some of the items. mask[0]: all rows. */
struct mpc_group_mask {
    size_t at;                   /* its column; 0: all rows */
    bool counted;                /* an item wants to know how many, or whether any */
    struct mpc_share *ring;      /* as 0 / 1, after the sort */
    struct mpc_share *count;     /* prefix sums; at the end the groups' counts */
    struct mpc_share *some;      /* at the end: bits, is the count more than 0 */
    struct mpc_share *some_ring; /* where a MIN or MAX asks */
};

struct mpc_group_state {
    const struct mpc_group_by *by;
    struct mpc_session *s;
    size_t n;
    size_t groups;
    bool mine[MPC_GROUP_ITEMS];             /* items of this pass */
    const struct mpc_group_item *extension; /* whose column is sorted within groups, or NULL */
    const struct mpc_share *from[MPC_GROUP_COLUMNS]; /* what col[] is a copy of, where an item needs
                                                        it */
    struct mpc_share *col[MPC_GROUP_COLUMNS];
    size_t len;
    size_t key_at[MPC_SORT_KEYS];
    size_t null_at[MPC_SORT_KEYS]; /* 0: none */
    size_t keys_end;
    size_t x_at[MPC_GROUP_ITEMS];    /* 0: no column */
    size_t mask_of[MPC_GROUP_ITEMS]; /* number of its mask */
    struct mpc_group_mask mask[1 + MPC_GROUP_ITEMS];
    size_t masks;
    struct mpc_share *head;                 /* bits: a group begins here */
    struct mpc_share *last;                 /* bits: it ends here, and its rows exist */
    struct mpc_share *last_ring;            /* as 0 / 1 */
    struct mpc_order *order;                /* the last rows first */
    struct mpc_share *acc[MPC_GROUP_ITEMS]; /* of each item but COUNT */
};

static inline bool mpc_group_is_extreme(const struct mpc_group_item *item)
{
    return item->kind == MPC_GROUP_MIN || item->kind == MPC_GROUP_MAX;
}
static inline bool mpc_group_is_ordered(const struct mpc_group_item *item)
{
    return item->kind == MPC_GROUP_COUNT_DISTINCT || item->kind == MPC_GROUP_PERCENTILE;
}
static inline bool mpc_group_is_truth(const struct mpc_group_item *item)
{
    return item->kind == MPC_GROUP_AND || item->kind == MPC_GROUP_OR;
}
/* Read at the last row as it stands: no sum. */
static inline bool mpc_group_is_plain(const struct mpc_group_item *item)
{
    return mpc_group_is_extreme(item) || item->kind == MPC_GROUP_ANY;
}
/* Which rows an item wants before the others of its group, each part in ascending order of x. */
static inline const struct mpc_share *mpc_group_first_in_order(const struct mpc_group_item *item)
{
    return item->kind == MPC_GROUP_PERCENTILE ? item->where : NULL;
}
/* What counts; COUNT's x is one more name for it. */
static inline const struct mpc_share *mpc_group_where(const struct mpc_group_item *item)
{
    return item->where == NULL && item->kind == MPC_GROUP_COUNT ? item->x : item->where;
}
static inline struct mpc_range mpc_group_with_zero(struct mpc_range r)
{
    return (struct mpc_range){r.lo < 0 ? r.lo : 0, r.hi > 0 ? r.hi : 0};
}

fm_status mpc_group_check(const struct mpc_group_by *by, struct mpc_session *s, size_t n,
                          struct base_err *err) FM_CHECK;
/* differ[i]: rows i and i + 1 differ in one of the columns. n - 1 of them. */
fm_status mpc_group_neighbours(struct mpc_share **differ, struct mpc_share *const *x, size_t count,
                               size_t n, struct base_err *err) FM_CHECK;
/* acc[] and mask[].count: what is read at each group's last row. */
fm_status mpc_group_accumulate(struct mpc_group_state *g, struct base_err *err) FM_CHECK;
/* acc[] of MIN and MAX: from what counts, the least and greatest so far. */
fm_status mpc_group_extremes(struct mpc_group_state *g, struct base_err *err) FM_CHECK;
/* Reads it there. keys: whether the keys are wanted, too. */
fm_status mpc_group_close(struct mpc_group_state *g, struct mpc_grouped *out, bool keys,
                          struct base_err *err) FM_CHECK;

#endif
