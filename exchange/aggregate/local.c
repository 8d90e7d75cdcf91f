#include "exchange/aggregate/local.h"

#include "exchange/run/own.h"

enum { NODES = 3 }; /* of an aggregate: its argument, its filter, what its guard counts */

struct local {
    const struct aggregate_shape *shape;
    struct run_own own;
    bool other; /* the source is no recipient */
    int64_t *out;
};

static const struct sql_cell *item_cell(const struct local *l, size_t item, size_t which)
{
    return run_own_node(&l->own, NODES * item + which);
}

static fm_status open_all(struct local *l, size_t source, const struct sql_value *params,
                          struct base_err *err)
{
    const struct aggregate_shape *s = l->shape;
    size_t nodes[NODES * AGGREGATE_MAX_ITEMS];

    for (size_t i = 0; i < s->group->item_count; i++) {
        nodes[NODES * i] = s->group->items[i].arg;
        nodes[NODES * i + 1] = s->group->items[i].filter;
        nodes[NODES * i + 2] = s->group->items[i].counted;
    }
    return run_own_open(&l->own, s->plan, source, s->below, s->below_count, nodes,
                        NODES * s->group->item_count, params, err);
}

static fm_status group_of(size_t *group, const struct local *l, struct base_err *err)
{
    *group = 0;
    for (size_t i = 0; i < l->shape->key_count; i++) {
        const struct aggregate_key *k = &l->shape->keys[i];
        const struct sql_cell *c = run_own_column(&l->own, k->column);
        sql_wide at = c->null ? 0 : (sql_wide)c->value - k->least + k->null;

        if ((c->null && !k->null) || at < 0 || at >= (sql_wide)k->choices)
            return run_own_bad(&l->own, k->column, "is outside the range that is declared", err);
        *group = *group * k->choices + (size_t)at;
    }
    return FM_OK;
}

/* Does the aggregate take the row? */
static bool takes(const struct local *l, size_t i)
{
    const struct sql_item *item = &l->shape->group->items[i];

    return (item->arg == SQL_NONE || !item_cell(l, i, 0)->null) &&
           (item->filter == SQL_NONE || run_own_true(item_cell(l, i, 1)));
}

static bool guard_counts(const struct local *l, const struct aggregate_guard *g)
{
    if (g->others && !l->other)
        return false;
    if (g->item == SQL_NONE)
        return true;
    return takes(l, g->item) &&
           (!g->suppresses || l->shape->group->items[g->item].counted == SQL_NONE ||
            run_own_true(item_cell(l, g->item, 2)));
}

static fm_status add_row(struct local *l, struct base_err *err)
{
    const struct aggregate_shape *s = l->shape;
    size_t group;
    int64_t *guards, *values;

    if (group_of(&group, l, err) != FM_OK)
        return err->code;
    guards = l->out + group * s->guard_count;
    values = l->out + aggregate_guards(s) + group * s->value_count;
    for (size_t k = 0; k < s->guard_count; k++)
        guards[k] += guards[k] < s->guards[k].least && guard_counts(l, &s->guards[k]);
    for (size_t k = 0; k < s->value_count; k++) {
        size_t item = s->values[k].item;
        if (takes(l, item)) /* planned within 62 bits for as many rows as are declared */
            values[k] += s->values[k].part == AGGREGATE_COUNT ? 1 : item_cell(l, item, 0)->value;
    }
    return FM_OK;
}

fm_status aggregate_local(int64_t *out, const struct aggregate_shape *shape, size_t source,
                          const struct sql_rows *rows, const struct sql_value *params,
                          struct base_err *err)
{
    struct local l = {.shape = shape, .other = !shape->plan->sources[source].recipient, .out = out};
    bool end = false;
    fm_status st = open_all(&l, source, params, err);

    while (st == FM_OK && !end) {
        st = run_own_next(&l.own, &end, rows, err);
        if (st == FM_OK && !end)
            st = add_row(&l, err);
    }
    run_own_close(&l.own);
    return st;
}
