#include "exchange/run/query_order.h"

#include "exchange/run/query.h"
#include "mpc/oblivious/compact.h"

/* ---- what is known ---- */

void query_orders_drop(struct query_rows *rows)
{
    for (size_t i = 0; i < QUERY_ORDERS; i++) {
        mpc_order_free(rows->orders[i].order);
        rows->orders[i] = (struct query_order){0};
    }
}

void query_orders_add(struct query_rows *rows, const struct query_order *order)
{
    struct query_order *to = &rows->orders[order->order != NULL];

    mpc_order_free(to->order);
    *to = *order;
}

void query_orders_filtered(struct query_rows *rows)
{
    for (size_t i = 0; i < QUERY_ORDERS; i++)
        rows->orders[i].first = false;
}

static bool same_column(const struct query_rows *rows, size_t i, size_t j)
{
    const struct run_column *a = &rows->r.columns[i], *b = &rows->r.columns[j];

    return i == j || (a->x != NULL && a->x == b->x && a->known == b->known);
}

/* Its other name, or the first of at[] that has its shares; RUN_NONE: it goes. */
static size_t stays_as(const struct query_rows *rows, size_t id, const size_t *at, size_t n)
{
    size_t from = query_find(rows, id), k = 0;

    while (from != RUN_NONE && k < n && !same_column(rows, at[k], from))
        k++;
    return from != RUN_NONE && k < n ? rows->ids[at[k]] : SQL_NONE;
}

void query_orders_project(struct query_rows *rows, const size_t *at, size_t n)
{
    for (size_t i = 0; i < QUERY_ORDERS; i++) {
        struct query_order *o = &rows->orders[i];
        size_t kept = 0;

        while (kept < o->count) {
            size_t id = stays_as(rows, o->ids[kept], at, n);
            if (id == SQL_NONE)
                break;
            o->ids[kept++] = id;
        }
        o->unique = o->unique && kept == o->count;
        o->count = kept;
    }
}

/* ---- what is wanted ---- */

bool query_same_column(const struct query_rows *rows, size_t one, size_t other)
{
    size_t a = query_find(rows, one), b = query_find(rows, other);

    return a != RUN_NONE && b != RUN_NONE && same_column(rows, a, b);
}

static bool is_at(const struct query_rows *rows, const struct query_order *o, size_t i, size_t id)
{
    return query_same_column(rows, o->ids[i], id);
}

/* The first `count` of the order's columns, each once. */
static bool starts_with(const struct query_rows *rows, const struct query_order *o,
                        const size_t *set, size_t count)
{
    bool all = count <= o->count;

    for (size_t i = 0; all && i < count; i++) {
        size_t k = 0;
        while (k < count && !is_at(rows, o, k, set[i]))
            k++;
        all = k < count;
        for (size_t j = 0; all && j < i; j++)
            all = !query_same_column(rows, set[j], set[i]);
    }
    return all;
}

static unsigned flags_of(const struct sql_order *order)
{
    return (order->descending ? MPC_SORT_DESCENDING : 0u) |
           (order->nulls_first ? MPC_SORT_NULLS_FIRST : 0u);
}

/* Whatever else it sorts by is an output. */
static bool rest_is_shown(const struct sql_plan *plan, const struct query_rows *rows,
                          const struct query_order *o, size_t from)
{
    bool shown = true;

    for (size_t i = from; shown && i < o->count; i++) {
        shown = false;
        for (size_t k = 0; !shown && k < plan->output_count; k++)
            shown = is_at(rows, o, i, plan->outputs[k].column);
    }
    return shown;
}

static bool serves(const struct sql_plan *plan, const struct query_rows *rows,
                   const struct query_order *o, const struct query_wanted *w)
{
    size_t n = w->set_count + w->list_count;
    bool all = n > 0 && n <= o->count && starts_with(rows, o, w->set, w->set_count);

    for (size_t i = 0; all && i < w->list_count; i++) {
        size_t at = w->set_count + i;

        all = is_at(rows, o, at, w->list[i].column) && !o->hashed[at] &&
              o->flags[at] == flags_of(&w->list[i]);
    }
    return all && (!w->shown || (o->unique && rest_is_shown(plan, rows, o, n)));
}

/* The rows that exist in front: stable. */
static fm_status to_front(struct query_sorted *s, const struct query_rows *rows,
                          struct base_err *err)
{
    const struct mpc_order *order = s->by->order;
    const struct mpc_share *valid = rows->r.valid;
    struct mpc_order *front = NULL;
    struct mpc_share *moved = NULL;
    fm_status st = FM_OK;

    if (order == NULL)
        return mpc_compact(&s->own, valid, err);
    st = mpc_order_apply(order, MPC_FORWARD, &moved, &valid, 1, err);
    if (st == FM_OK)
        st = mpc_compact(&front, moved, err);
    if (st == FM_OK)
        st = mpc_order_compose(&s->own, order, front, err);
    mpc_share_free(moved);
    mpc_order_free(front);
    return st;
}

fm_status query_sorted_by(struct query_sorted *out, const struct sql_plan *plan,
                          const struct query_rows *rows, const struct query_wanted *wanted,
                          struct base_err *err)
{
    fm_status st = FM_OK;

    *out = (struct query_sorted){0};
    for (size_t i = 0; i < QUERY_ORDERS; i++) {
        const struct query_order *o = &rows->orders[i];

        if (serves(plan, rows, o, wanted) && (out->by == NULL || (o->first && !out->by->first)))
            out->by = o;
    }
    if (out->by == NULL)
        return FM_OK;
    if (!out->by->first)
        st = to_front(out, rows, err);
    out->order = out->own != NULL ? out->own : out->by->order;
    return st;
}

void query_sorted_release(struct query_sorted *sorted)
{
    mpc_order_free(sorted->own);
    *sorted = (struct query_sorted){0};
}
