#include "exchange/aggregate/local.h"

#include <stdlib.h>

#include "base/secret.h"
#include "exchange/run/local.h"

enum { STEPS = 8, ITEM_ROOTS = 3 };

/* cells: the plan's columns, then conditions of FILTERs, then, of each item, its argument, filter
 * and counted (a node that is not there has no cell that is looked at). */
struct local {
    const struct aggregate_shape *shape;
    const struct sql_source *source;
    struct run_local *below[STEPS], *items;
    struct sql_cell *cells;
    size_t columns; /* of the plan */
    size_t cell_count;
    bool other; /* the source is no recipient */
    size_t row;
    int64_t *out;
};

static const struct sql_plan *plan_of(const struct local *l)
{
    return l->shape->plan;
}

static size_t condition_cell(const struct local *l, size_t step)
{
    return l->columns + step;
}

static const struct sql_cell *item_cell(const struct local *l, size_t item, size_t which)
{
    return &l->cells[l->columns + STEPS + ITEM_ROOTS * item + which];
}

/* ---- opening ---- */

static fm_status open_nodes(struct run_local **out, const struct local *l, const size_t *roots,
                            const size_t *targets, size_t count, const struct sql_value *params,
                            struct base_err *err)
{
    return run_local_open_nodes(out, plan_of(l)->nodes, plan_of(l)->node_count, roots, targets,
                                count, params, err);
}

static fm_status open_below(struct local *l, size_t i, const struct sql_value *params,
                            struct base_err *err)
{
    const struct sql_rel *rel = l->shape->below[i];
    size_t target = condition_cell(l, i), *roots;
    fm_status st;

    if (rel->kind == SQL_REL_FILTER)
        return open_nodes(&l->below[i], l, &rel->condition, &target, 1, params, err);
    roots = calloc(2 * rel->make_count + 1, sizeof *roots);
    if (roots == NULL)
        return base_err_memory(err, "query");
    for (size_t k = 0; k < rel->make_count; k++) {
        roots[k] = rel->makes[k].node;
        roots[rel->make_count + k] = rel->makes[k].column;
    }
    st = open_nodes(&l->below[i], l, roots, roots + rel->make_count, rel->make_count, params, err);
    free(roots);
    return st;
}

static fm_status open_items(struct local *l, const struct sql_value *params, struct base_err *err)
{
    const struct sql_rel *g = l->shape->group;
    size_t roots[ITEM_ROOTS * AGGREGATE_MAX_ITEMS], targets[ITEM_ROOTS * AGGREGATE_MAX_ITEMS];
    size_t n = 0;

    for (size_t i = 0; i < g->item_count; i++) {
        const size_t nodes[ITEM_ROOTS] = {g->items[i].arg, g->items[i].filter, g->items[i].counted};
        for (size_t k = 0; k < ITEM_ROOTS; k++) {
            if (nodes[k] == SQL_NONE)
                continue;
            roots[n] = nodes[k];
            targets[n++] = (size_t)(item_cell(l, i, k) - l->cells);
        }
    }
    return open_nodes(&l->items, l, roots, targets, n, params, err);
}

static fm_status open_all(struct local *l, const struct sql_value *params, struct base_err *err)
{
    l->columns = plan_of(l)->column_count + plan_of(l)->made_count;
    l->cell_count = l->columns + STEPS + ITEM_ROOTS * l->shape->group->item_count;
    l->cells = calloc(l->cell_count, sizeof *l->cells);
    if (l->cells == NULL)
        return base_err_memory(err, "query");
    for (size_t i = 0; i < l->shape->below_count; i++)
        if (open_below(l, i, params, err) != FM_OK)
            return err->code;
    return open_items(l, params, err);
}

static void close_all(struct local *l)
{
    for (size_t i = 0; i < STEPS; i++)
        run_local_free(l->below[i]);
    run_local_free(l->items);
    if (l->cells != NULL)
        base_wipe(l->cells, l->cell_count * sizeof *l->cells);
    free(l->cells);
}

/* ---- one row ---- */

static fm_status bad_cell(const struct local *l, size_t column, const char *what,
                          struct base_err *err)
{
    return base_err_set(err, FM_E_INPUT, "%s.%s: row %zu, column '%s' %s", l->source->member,
                        l->source->dataset, l->row, plan_of(l)->columns[column].name, what);
}

static fm_status check_cells(const struct local *l, struct base_err *err)
{
    for (size_t c = 0; c < plan_of(l)->column_count; c++) {
        const struct sql_plan_column *column = &plan_of(l)->columns[c];
        const struct sql_cell *cell = &l->cells[c];

        if (cell->null && !column->nullable)
            return bad_cell(l, c, "is NULL, which its schema rules out", err);
        if (!cell->null && column->type.kind != DATA_TEXT &&
            (cell->value < column->range.lo || cell->value > column->range.hi))
            return bad_cell(l, c, "is outside the range that its schema declares", err);
        if (!cell->null && column->type.kind == DATA_TEXT && cell->len > column->type.max_bytes)
            return bad_cell(l, c, "is longer than its schema declares", err);
    }
    return FM_OK;
}

static bool is_true(const struct sql_cell *c)
{
    return !c->null && c->value != 0;
}

/* False: a filter drops the row. */
static bool goes_up(struct local *l)
{
    for (size_t i = 0; i < l->shape->below_count; i++) {
        run_local_row(l->below[i], l->cells);
        if (l->shape->below[i]->kind == SQL_REL_FILTER && !is_true(&l->cells[condition_cell(l, i)]))
            return false;
    }
    return true;
}

static fm_status group_of(size_t *group, const struct local *l, struct base_err *err)
{
    *group = 0;
    for (size_t i = 0; i < l->shape->key_count; i++) {
        const struct aggregate_key *k = &l->shape->keys[i];
        const struct sql_cell *c = &l->cells[k->column];
        sql_wide at = c->null ? 0 : (sql_wide)c->value - k->least + k->null;

        if ((c->null && !k->null) || at < 0 || at >= (sql_wide)k->choices)
            return bad_cell(l, k->column, "is outside the range that is declared", err);
        *group = *group * k->choices + (size_t)at;
    }
    return FM_OK;
}

/* Does the aggregate take the row? */
static bool takes(const struct local *l, size_t i)
{
    const struct sql_item *item = &l->shape->group->items[i];

    return (item->arg == SQL_NONE || !item_cell(l, i, 0)->null) &&
           (item->filter == SQL_NONE || is_true(item_cell(l, i, 1)));
}

static bool guard_counts(const struct local *l, const struct aggregate_guard *g)
{
    if (g->others && !l->other)
        return false;
    if (g->item == SQL_NONE)
        return true;
    return takes(l, g->item) &&
           (!g->suppresses || l->shape->group->items[g->item].counted == SQL_NONE ||
            is_true(item_cell(l, g->item, 2)));
}

static fm_status add_row(struct local *l, struct base_err *err)
{
    const struct aggregate_shape *s = l->shape;
    size_t group;
    int64_t *guards, *values;

    if (!goes_up(l))
        return FM_OK;
    if (group_of(&group, l, err) != FM_OK)
        return err->code;
    run_local_row(l->items, l->cells);
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

/* ---- all ---- */

static fm_status walk(struct local *l, const struct sql_rows *rows, struct base_err *err)
{
    bool end = false;

    for (;;) {
        fm_status st = rows->next(rows->ctx, l->cells, &end, err);
        if (st != FM_OK || end)
            return st;
        if (l->row++ == (size_t)l->source->rows)
            return base_err_set(err, FM_E_LIMIT, "%s.%s has more than the %lld rows it declares",
                                l->source->member, l->source->dataset, (long long)l->source->rows);
        st = check_cells(l, err);
        if (st == FM_OK)
            st = add_row(l, err);
        if (st != FM_OK)
            return st;
    }
}

fm_status aggregate_local(int64_t *out, const struct aggregate_shape *shape, size_t source,
                          const struct sql_rows *rows, const struct sql_value *params,
                          struct base_err *err)
{
    struct local l = {.shape = shape,
                      .source = &shape->plan->sources[source],
                      .other = !shape->plan->sources[source].recipient,
                      .out = out};
    fm_status st = open_all(&l, params, err);

    if (st == FM_OK)
        st = walk(&l, rows, err);
    close_all(&l);
    return st;
}
