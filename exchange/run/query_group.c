/* GROUP: its arguments as columns, its guards as counts beside the items, and what they suppress.
 */
#include <stdlib.h>

#include "exchange/run/query_group.h"

/* ---- masks as columns ---- */

/* A BOOLEAN column from a share of truth values; takes it over. */
static fm_status add_mask(size_t *at, struct query_rows *rows, struct mpc_share *bits,
                          struct base_err *err)
{
    *at = rows->r.count;
    return query_append(rows, (struct run_column){.x = bits}, SQL_NONE, err);
}

/* Rows that an item counts, and the further condition of its guard: RUN_NONE for all. */
static fm_status mask_of(size_t *at, struct grouped_query *g, const struct sql_item *item,
                         const struct run_aggregate *a, size_t others, struct base_err *err)
{
    struct run_work w = run_work(g->rows->r.session, err);
    struct mpc_share *mask = run_truth(&w, &g->rows->r, others), *counted = NULL;

    if (item != NULL) {
        mask = run_and(&w, mask, run_truth(&w, &g->rows->r, a->where));
        if (a->arg != RUN_NONE)
            mask = run_and(&w, mask, g->rows->r.columns[a->arg].known);
        if (item->counted != SQL_NONE && w.status == FM_OK)
            w.status = query_truth(&counted, g->q, g->rows, item->counted, err);
        mask = run_and(&w, mask, run_hold(&w, counted));
    }
    *at = RUN_NONE;
    if (mask != NULL && w.status == FM_OK) {
        mask = run_take(&w, run_slice(&w, mask, 0, g->rows->r.rows));
        if (mask != NULL)
            w.status = add_mask(at, g->rows, mask, err);
    }
    return run_work_release(&w);
}

/* ---- items ---- */

static enum run_fn fn_of(const struct sql_item *item)
{
    static const enum run_fn fns[] = {[SQL_COUNT] = RUN_COUNT,
                                      [SQL_SUM] = RUN_SUM,
                                      [SQL_MIN] = RUN_MIN,
                                      [SQL_MAX] = RUN_MAX,
                                      [SQL_AVG] = RUN_AVG,
                                      [SQL_VAR_POP] = RUN_VAR_POP,
                                      [SQL_VAR_SAMP] = RUN_VAR_SAMP,
                                      [SQL_STDDEV_POP] = RUN_STDDEV_POP,
                                      [SQL_STDDEV_SAMP] = RUN_STDDEV_SAMP,
                                      [SQL_PERCENTILE_DISC] = RUN_PERCENTILE_DISC};

    return item->fn == SQL_COUNT && item->distinct ? RUN_COUNT_DISTINCT : fns[item->fn];
}

static struct mpc_range to_range(struct sql_range r)
{
    sql_wide lo = r.lo > INT64_MIN ? r.lo : INT64_MIN, hi = r.hi < INT64_MAX ? r.hi : INT64_MAX;

    return (struct mpc_range){(int64_t)lo, (int64_t)hi};
}

/* SUM(DISTINCT x) and its like: over one row of each value. */
static fm_status only_distinct(struct grouped_query *g, struct run_aggregate *a,
                               struct base_err *err)
{
    struct run_work w = run_work(g->rows->r.session, err);
    struct run_relation *r = &g->rows->r;
    struct mpc_share *mask = run_and(&w, r->valid, run_truth(&w, r, a->where));
    size_t keys[MPC_SORT_KEYS + 1];

    mask = run_and(&w, mask, r->columns[a->arg].known);
    for (size_t i = 0; i < g->rel->key_count; i++)
        keys[i] = g->keys[i];
    keys[g->rel->key_count] = a->arg;
    mask = run_take(&w, run_first_of(&w, r, mask, keys, g->rel->key_count + 1));
    if (mask != NULL)
        w.status = add_mask(&a->where, g->rows, mask, err);
    return run_work_release(&w);
}

struct run_aggregate grouped_item(const struct grouped_query *g, const struct sql_item *item)
{
    return (struct run_aggregate){.fn = fn_of(item),
                                  .arg = RUN_NONE,
                                  .where = RUN_NONE,
                                  .digits = item->digits,
                                  .part = (int64_t)item->fraction,
                                  .of = item->fn == SQL_PERCENTILE_DISC ? 1000000 : 0,
                                  .range = to_range(g->q->plan->columns[item->column].range)};
}

static fm_status add_item(struct grouped_query *g, const struct sql_item *item,
                          struct base_err *err)
{
    struct run_aggregate *a = &g->items[g->item_count++];
    fm_status st = FM_OK;

    *a = grouped_item(g, item);
    if (item->arg != SQL_NONE)
        st = query_as_column(&a->arg, g->q, g->rows, item->arg, err);
    if (st == FM_OK && item->filter != SQL_NONE)
        st = query_as_column(&a->where, g->q, g->rows, item->filter, err);
    if (st == FM_OK && item->distinct &&
        (item->fn == SQL_SUM || (item->fn >= SQL_AVG && item->fn <= SQL_STDDEV_SAMP)))
        st = only_distinct(g, a, err);
    return st;
}

/* ---- guards ---- */

/* For item i (or, past the items, for the group) every guard's count. */
static fm_status add_guards(struct grouped_query *g, size_t i, struct base_err *err)
{
    const struct sql_item *item = i < g->rel->item_count ? &g->rel->items[i] : NULL;

    g->guard_at[i] = g->item_count;
    for (size_t k = 0; k < g->rel->guard_count; k++) {
        const struct sql_guard *guard = &g->rel->guards[k];
        struct run_aggregate a = {.fn = guard->rows > 0 ? RUN_COUNT : RUN_COUNT_DISTINCT,
                                  .arg = RUN_NONE,
                                  .range = MPC_RANGE_FULL};
        size_t others = RUN_NONE;

        if (guard->others != SQL_NONE &&
            query_find_all(&others, g->rows, &guard->others, 1, err) != FM_OK)
            return err->code;
        if (guard->rows == 0 && query_find_all(&a.arg, g->rows, &guard->subject, 1, err) != FM_OK)
            return err->code;
        if (mask_of(&a.where, g, item, &g->items[i], others, err) != FM_OK)
            return err->code;
        if (g->item_count == GROUPED_ITEMS)
            return base_err_set(err, FM_E_LIMIT, "more than %d aggregates and guards",
                                (int)GROUPED_ITEMS);
        g->items[g->item_count++] = a;
    }
    return FM_OK;
}

/* All guards of one item hold: held by w. */
static struct mpc_share *guards_hold(struct run_work *w, const struct grouped_query *g, size_t i)
{
    struct mpc_share *holds = NULL;

    for (size_t k = 0; k < g->rel->guard_count; k++) {
        const struct sql_guard *guard = &g->rel->guards[k];
        const struct run_column *c = &g->rows->r.columns[g->rel->key_count + g->guard_at[i] + k];
        int64_t least = guard->rows > 0 ? guard->rows : g->q->plan->minimum;

        holds = run_and(w, holds, run_not(w, run_less_public(w, c->x, least)));
    }
    return holds;
}

static fm_status suppress(struct grouped_query *g, struct base_err *err)
{
    struct run_work w = run_work(g->rows->r.session, err);
    struct run_relation *r = &g->rows->r;

    for (size_t i = 0; w.status == FM_OK && i < g->rel->item_count; i++) {
        struct run_column *c = &r->columns[g->rel->key_count + i];
        struct mpc_share *shown = guards_hold(&w, g, i);
        struct mpc_share *known =
            run_take(&w, run_slice(&w, run_and(&w, shown, c->known), 0, r->rows));

        shown = run_take(&w, shown);
        if (w.status != FM_OK) {
            mpc_share_free(known);
            break;
        }
        mpc_share_free(c->known);
        c->known = known;
        c->shown = shown;
    }
    if (w.status == FM_OK && g->rel->key_count > 0) {
        struct mpc_share *there = guards_hold(&w, g, g->rel->item_count);

        if (w.status == FM_OK)
            w.status = run_filter(r, there, err);
    }
    return run_work_release(&w);
}

/* ---- an ORDER BY above ---- */

/* The SORT that gets these groups: some of them may be no more by then, but none is moved. NULL:
 * none. */
static const struct sql_rel *sort_above(const struct sql_plan *plan, const struct sql_rel *rel)
{
    for (size_t i = rel->id + 1; i < plan->rel_count; i++) {
        const struct sql_rel *user = plan->rels[i];

        if (user->input_count != 1 || user->inputs[0] != rel)
            continue;
        if (user->kind != SQL_REL_PROJECT && user->kind != SQL_REL_FILTER)
            return user->kind == SQL_REL_SORT ? user : NULL;
        rel = user;
    }
    return NULL;
}

static size_t place_of(const size_t *list, size_t count, size_t column)
{
    size_t i = 0;

    while (i < count && list[i] != column)
        i++;
    return i;
}

/* Keys in the order of the ORDER BY, the others after them. False if it wants something else. */
static bool order_keys(struct grouped_query *g, const struct sql_rel *sort)
{
    size_t n = 0, count = g->rel->key_count;

    if (sort == NULL || sort->order_count > count)
        return false;
    for (size_t i = 0; i < sort->order_count; i++) {
        size_t column = sort->order[i].column;

        if (place_of(g->rel->keys, count, column) == count || place_of(g->ids, n, column) < n ||
            g->q->plan->columns[column].type.kind == DATA_TEXT)
            return false;
        g->flags[n] = (sort->order[i].descending ? MPC_SORT_DESCENDING : 0u) |
                      (sort->order[i].nulls_first ? MPC_SORT_NULLS_FIRST : 0u);
        g->ids[n++] = column;
    }
    for (size_t i = 0; i < count; i++)
        if (place_of(g->ids, n, g->rel->keys[i]) == n) {
            g->flags[n] = 0;
            g->ids[n++] = g->rel->keys[i];
        }
    return n == count; /* a key that is named twice is one too few */
}

static void arrange_keys(struct grouped_query *g)
{
    const struct sql_rel *sort = sort_above(g->q->plan, g->rel);

    if (order_keys(g, sort))
        return;
    for (size_t i = 0; i < g->rel->key_count; i++) {
        g->ids[i] = g->rel->keys[i];
        g->flags[i] = 0;
    }
}

/* ---- all ---- */

static bool small_domain(const struct grouped_query *g)
{
    bool fits = g->rel->domain > 0 && g->rel->key_count > 0;

    for (size_t i = 0; i < g->item_count; i++)
        fits = fits && g->items[i].fn != RUN_MIN && g->items[i].fn != RUN_MAX;
    return fits && run_group_domain(&g->rows->r, g->keys, g->values, g->rel->key_count) > 0;
}

fm_status grouped_arrange(struct grouped_query *g, struct base_err *err)
{
    if (g->rel->key_count >= MPC_SORT_KEYS ||
        g->rel->item_count + g->rel->guard_count >= GROUPED_ITEMS)
        return base_err_set(err, FM_E_LIMIT, "a grouping of %zu keys and %zu aggregates: too many",
                            g->rel->key_count, g->rel->item_count);
    arrange_keys(g);
    for (size_t i = 0; i < g->rel->key_count; i++) {
        const struct sql_plan_column *c = &g->q->plan->columns[g->ids[i]];

        g->values[i] = (struct run_values){c->value_count, c->values};
    }
    return FM_OK;
}

static fm_status ask(struct grouped_query *g, struct base_err *err)
{
    size_t n = g->rel->item_count;
    fm_status st = grouped_arrange(g, err);

    if (st == FM_OK)
        st = query_find_all(g->keys, g->rows, g->ids, g->rel->key_count, err);
    for (size_t i = 0; st == FM_OK && i < n; i++)
        st = add_item(g, &g->rel->items[i], err);
    for (size_t i = 0; st == FM_OK && i <= n && g->rel->guard_count > 0; i++)
        st = add_guards(g, i, err);
    return st;
}

/* The keys, then the items; what guards counted goes. */
static fm_status hand_on(struct grouped_query *g, struct base_err *err)
{
    size_t at[MPC_SORT_KEYS + GROUPED_ITEMS], keys = g->rel->key_count,
                                              n = keys + g->rel->item_count;

    for (size_t i = 0; i < n; i++) {
        at[i] = i;
        g->rows->ids[i] = i < keys ? g->ids[i] : g->rel->items[i - keys].column;
    }
    return run_relation_project(&g->rows->r, at, n, err);
}

/* What is known of the rows' order, if that is one by the keys. */
static fm_status take_order(struct grouped_query *g, struct run_group *how,
                            struct query_sorted *sorted, struct base_err *err)
{
    const struct query_wanted wanted = {g->ids, g->rel->key_count, NULL, 0, false};
    fm_status st = query_sorted_by(sorted, g->q->plan, g->rows, &wanted, err);

    if (st != FM_OK || sorted->by == NULL)
        return st;
    how->in_order = true;
    how->order = sorted->order;
    if (sorted->by->count > g->rel->key_count)
        how->within = query_find(g->rows, sorted->by->ids[g->rel->key_count]);
    return FM_OK;
}

/* Which key a column of the rows is: an order may know it by another name. */
static size_t key_named(const struct grouped_query *g, size_t id)
{
    size_t i = 0;

    while (i + 1 < g->rel->key_count && !query_same_column(g->rows, g->ids[i], id))
        i++;
    return i;
}

/* Of the groups: that of the rows, or that of the sort by the keys. */
static struct query_order order_left(const struct grouped_query *g,
                                     const struct query_sorted *sorted)
{
    struct query_order known = {.count = g->rel->key_count, .unique = true};

    known.first = g->rel->guard_count == 0;
    for (size_t i = 0; i < known.count; i++) {
        const struct query_order *by = sorted->by;
        size_t key = by != NULL ? key_named(g, by->ids[i]) : i;

        known.ids[i] = g->ids[key];
        known.flags[i] = by != NULL ? by->flags[i] : g->flags[i];
        known.hashed[i] = by != NULL ? by->hashed[i]
                                     : g->rows->r.columns[g->keys[i]].x != NULL &&
                                           g->q->plan->columns[g->ids[i]].type.kind == DATA_TEXT;
    }
    return known;
}

fm_status grouped_run(struct grouped_query *g, bool unique, struct base_err *err)
{
    struct run_group how = {.keys = g->keys,
                            .key_count = g->rel->key_count,
                            .flags = g->flags,
                            .values = g->values,
                            .items = g->items,
                            .item_count = g->item_count,
                            .groups = (size_t)g->rel->rows,
                            .within = RUN_NONE};
    struct query_sorted sorted = {0};
    struct query_order known = {0};
    fm_status st;

    how.method = unique ? RUN_BY_ROW : small_domain(g) ? RUN_BY_DOMAIN : RUN_BY_SORT;
    st = how.method == RUN_BY_SORT && g->rel->key_count > 0 ? take_order(g, &how, &sorted, err)
                                                            : FM_OK;
    if (how.method == RUN_BY_SORT) /* else those that do not occur stand between the others */
        known = order_left(g, &sorted);
    if (st == FM_OK)
        st = run_group(&g->rows->r, &how, err);
    query_sorted_release(&sorted);
    query_orders_drop(g->rows);
    if (st == FM_OK && g->rel->guard_count > 0)
        st = suppress(g, err);
    if (st == FM_OK)
        st = hand_on(g, err);
    if (st == FM_OK)
        query_orders_add(g->rows, &known);
    return st;
}

fm_status query_group(struct query *q, struct query_rows *rows, const struct sql_rel *rel,
                      struct base_err *err)
{
    struct grouped_query *g = calloc(1, sizeof *g);
    fm_status st;

    if (g == NULL)
        return base_err_memory(err, "query");
    *g = (struct grouped_query){.q = q, .rows = rows, .rel = rel};
    st = ask(g, err);
    if (st == FM_OK)
        st = grouped_run(g, false, err);
    free(g);
    return st;
}
