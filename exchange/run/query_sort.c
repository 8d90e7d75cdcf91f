/* WINDOW and SORT: by what is known of the rows' order, or by a sort of their own. */
#include "exchange/run/order.h"
#include "exchange/run/query.h"
#include "exchange/run/reveal.h"
#include "exchange/run/window.h"

static fm_status sort_keys(struct run_sort_key *out, const struct query_rows *rows,
                           const struct sql_order *order, size_t count, struct base_err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (query_find_all(&out[i].column, rows, &order[i].column, 1, err) != FM_OK)
            return err->code;
        out[i].flags = (order[i].descending ? MPC_SORT_DESCENDING : 0u) |
                       (order[i].nulls_first ? MPC_SORT_NULLS_FIRST : 0u);
    }
    return FM_OK;
}

static fm_status too_many_keys(struct base_err *err)
{
    return base_err_set(err, FM_E_LIMIT, "more than %d keys to sort by", (int)MPC_SORT_KEYS);
}

/* The order that a window sorted by, for others; takes it over. */
static void keep_order(struct query_rows *rows, const struct sql_window *win,
                       const struct run_sort_key *keys, struct mpc_order *order)
{
    struct query_order known = {
        .count = win->partition_count + win->order_count, .first = true, .order = order};

    if (order == NULL)
        return;
    for (size_t i = 0; i < known.count; i++) {
        known.ids[i] = i < win->partition_count ? win->partition[i]
                                                : win->order[i - win->partition_count].column;
        known.flags[i] = keys[i].flags;
    }
    query_orders_add(rows, &known);
}

static fm_status window(struct query *q, struct query_rows *rows, const struct sql_window *win,
                        struct base_err *err)
{
    static const enum run_window_fn fns[] = {[SQL_COUNT] = RUN_RUNNING_COUNT,
                                             [SQL_SUM] = RUN_RUNNING_SUM,
                                             [SQL_ROW_NUMBER] = RUN_ROW_NUMBER,
                                             [SQL_RANK] = RUN_RANK};
    struct run_sort_key keys[MPC_SORT_KEYS] = {{0}};
    size_t partition[MPC_SORT_KEYS], count = win->partition_count + win->order_count;
    struct run_window_item item = {fns[win->fn], RUN_NONE};
    const struct query_wanted wanted = {win->partition, win->partition_count, win->order,
                                        win->order_count, false};
    struct query_sorted sorted = {0};
    struct mpc_order *made = NULL;
    fm_status st;

    if (count > MPC_SORT_KEYS)
        return too_many_keys(err);
    st = query_find_all(partition, rows, win->partition, win->partition_count, err);
    for (size_t i = 0; st == FM_OK && i < win->partition_count; i++)
        keys[i].column = partition[i];
    if (st == FM_OK)
        st = sort_keys(keys + win->partition_count, rows, win->order, win->order_count, err);
    if (st == FM_OK && win->arg != SQL_NONE)
        st = query_as_column(&item.arg, q, rows, win->arg, err);
    if (st == FM_OK)
        st = query_sorted_by(&sorted, q->plan, rows, &wanted, err);
    if (st == FM_OK)
        st = run_window(&rows->r,
                        &(struct run_window){.keys = keys,
                                             .partition_count = win->partition_count,
                                             .key_count = count,
                                             .items = &item,
                                             .item_count = 1,
                                             .in_order = sorted.by != NULL,
                                             .order = sorted.order,
                                             .made = &made},
                        err);
    query_sorted_release(&sorted);
    if (st == FM_OK) {
        rows->ids[rows->r.count - 1] = win->column;
        keep_order(rows, win, keys, made);
    } else {
        mpc_order_free(made);
    }
    return st;
}

/* Those with more keys first: what they sort by may serve the others. */
fm_status query_windows(struct query *q, struct query_rows *rows, const struct sql_rel *rel,
                        struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t count = MPC_SORT_KEYS + 1; count > 0; count--)
        for (size_t i = 0; st == FM_OK && i < rel->window_count; i++) {
            const struct sql_window *win = &rel->windows[i];
            size_t keys = win->partition_count + win->order_count;

            if (keys == count - 1 || (count > MPC_SORT_KEYS && keys >= count))
                st = window(q, rows, win, err);
        }
    return st;
}

/* Equal rows must not come out as they stood: they are shuffled first. Below a LIMIT only so many
 * places are sorted as it takes. */
fm_status query_sort(struct query *q, struct query_rows *rows, const struct sql_rel *rel,
                     struct base_err *err)
{
    struct run_sort_key keys[MPC_SORT_KEYS];
    const struct sql_rel *above =
        rel->id + 1 < q->plan->rel_count ? q->plan->rels[rel->id + 1] : NULL;
    const struct query_wanted wanted = {NULL, 0, rel->order, rel->order_count, true};
    struct query_sorted sorted;
    struct query_order known = {0};
    size_t first = 0;
    fm_status st;

    if (rel->order_count > MPC_SORT_KEYS)
        return too_many_keys(err);
    if (above != NULL && above->kind == SQL_REL_LIMIT && above->inputs[0] == rel &&
        above->limit < SQL_MAX_TOTAL_ROWS && above->offset < SQL_MAX_TOTAL_ROWS)
        first = (size_t)above->limit + (size_t)above->offset;
    st = query_sorted_by(&sorted, q->plan, rows, &wanted, err);
    if (st != FM_OK || sorted.by != NULL) {
        if (st == FM_OK)
            st = run_take_order(&rows->r, sorted.order, first, err);
        if (st == FM_OK)
            known = *sorted.by;
        query_sorted_release(&sorted);
    } else {
        st = sort_keys(keys, rows, rel->order, rel->order_count, err);
        if (st == FM_OK)
            st = run_shuffle(&rows->r, err);
        if (st == FM_OK)
            st = run_order(&rows->r, keys, rel->order_count, first, err);
        for (size_t i = 0; st == FM_OK && i < rel->order_count; i++) {
            known.ids[i] = rel->order[i].column;
            known.flags[i] = keys[i].flags;
        }
        known.count = rel->order_count;
    }
    known.first = true;
    known.order = NULL;
    query_orders_drop(rows);
    if (st == FM_OK)
        query_orders_add(rows, &known);
    return st;
}
