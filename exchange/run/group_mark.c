/* Rows that stand for others: the first of every value, and the one at a percentile. */
#include <string.h>

#include "exchange/run/group_internal.h"

struct mpc_share *run_first_of(struct run_work *w, const struct run_relation *r,
                               const struct mpc_share *mask, const size_t *keys, size_t count)
{
    struct run_sort_key by[MPC_SORT_KEYS] = {{0}};
    struct run_sorted sorted = {0};
    struct mpc_share *first;

    for (size_t i = 0; i < count && i < MPC_SORT_KEYS; i++)
        by[i].column = keys[i];
    run_sorted_make(w, &sorted, r, mask, by, count, 0, RUN_KEYS_GROUP);
    first = run_and(w, sorted.mask, run_not(w, sorted.same));
    first = run_sorted_move(w, &sorted, MPC_INVERSE, first);
    run_sorted_release(&sorted);
    return first;
}

/* place = ceil(part count / of), at least 1: the row whose number k in its group satisfies
 * of (k - 1) < part count <= of k, or k = 1 where part is 0. */
static struct mpc_share *at_place(struct run_work *w, const struct run_aggregate *a,
                                  const struct mpc_share *number, const struct mpc_share *count)
{
    struct mpc_share *wanted = run_scale(w, count, a->part);
    struct mpc_share *below;

    if (a->part == 0)
        return run_equal_public(w, number, 1);
    below = run_less(w, run_scale(w, run_shift(w, number, -1), a->of), wanted);
    return run_and(w, below, run_not(w, run_less(w, run_scale(w, number, a->of), wanted)));
}

struct mpc_share *group_mark_percentile(struct grouping *g, const struct run_aggregate *a,
                                        const struct mpc_share *mask)
{
    struct run_work *w = g->w;
    struct run_sort_key by[MPC_SORT_KEYS] = {{0}};
    size_t keys = g->by->key_count;
    struct run_sorted sorted = {0};
    struct mpc_share *number, *count, *mark;

    for (size_t i = 0; i < keys && i < MPC_SORT_KEYS - 1; i++)
        by[i].column = g->by->keys[i];
    if (keys + 1 > MPC_SORT_KEYS && w->status == FM_OK)
        w->status =
            base_err_set(w->err, FM_E_LIMIT, "more than %d grouping keys", (int)MPC_SORT_KEYS - 1);
    if (w->status != FM_OK)
        return NULL;
    by[keys].column = a->arg;
    run_sorted_make(w, &sorted, g->r, mask, by, keys + 1, keys, RUN_KEYS_GROUP);
    number = run_running(w, sorted.same_group, run_number(w, 1, g->r->rows));
    count = run_from_last(w, sorted.same_group, number);
    if (w->status == FM_OK) {
        run_narrow(w, number, (struct mpc_range){1, (int64_t)g->r->rows});
        run_narrow(w, count, (struct mpc_range){0, (int64_t)g->r->rows});
    }
    mark = run_and(w, sorted.mask, at_place(w, a, number, count));
    mark = run_sorted_move(w, &sorted, MPC_INVERSE, mark);
    run_sorted_release(&sorted);
    return mark;
}
