#include "exchange/run/own.h"

#include <stdlib.h>

#include "base/secret.h"

static fm_status open_step(struct run_own *o, size_t i, const struct sql_value *params,
                           struct base_err *err)
{
    const struct sql_rel *rel = o->below[i];
    size_t target = o->columns + i, *roots;
    fm_status st;

    if (rel->kind == SQL_REL_FILTER)
        return run_local_open_nodes(&o->steps[i], o->plan->nodes, o->plan->node_count,
                                    &rel->condition, &target, 1, params, err);
    roots = calloc(2 * rel->make_count + 1, sizeof *roots);
    if (roots == NULL)
        return base_err_memory(err, "query");
    for (size_t k = 0; k < rel->make_count; k++) {
        roots[k] = rel->makes[k].node;
        roots[rel->make_count + k] = rel->makes[k].column;
    }
    st = run_local_open_nodes(&o->steps[i], o->plan->nodes, o->plan->node_count, roots,
                              roots + rel->make_count, rel->make_count, params, err);
    free(roots);
    return st;
}

static fm_status open_nodes(struct run_own *o, const size_t *nodes, size_t count,
                            const struct sql_value *params, struct base_err *err)
{
    size_t *roots = calloc(2 * count + 1, sizeof *roots), n = 0;
    fm_status st;

    if (roots == NULL)
        return base_err_memory(err, "query");
    for (size_t i = 0; i < count; i++) {
        if (nodes[i] == SQL_NONE)
            continue;
        roots[n] = nodes[i];
        roots[count + n++] = o->columns + RUN_OWN_STEPS + i;
    }
    st = run_local_open_nodes(&o->made, o->plan->nodes, o->plan->node_count, roots, roots + count,
                              n, params, err);
    free(roots);
    return st;
}

fm_status run_own_open(struct run_own *out, const struct sql_plan *plan, size_t source,
                       const struct sql_rel *const *below, size_t below_count, const size_t *nodes,
                       size_t node_count, const struct sql_value *params, struct base_err *err)
{
    fm_status st = FM_OK;

    *out = (struct run_own){.plan = plan,
                            .source = &plan->sources[source],
                            .below = below,
                            .below_count = below_count,
                            .columns = plan->column_count + plan->made_count};
    out->cell_count = out->columns + RUN_OWN_STEPS + node_count;
    out->cells = calloc(out->cell_count, sizeof *out->cells);
    if (out->cells == NULL)
        return base_err_memory(err, "query");
    for (size_t i = 0; st == FM_OK && i < below_count; i++)
        st = open_step(out, i, params, err);
    if (st == FM_OK)
        st = open_nodes(out, nodes, node_count, params, err);
    if (st != FM_OK)
        run_own_close(out);
    return st;
}

void run_own_close(struct run_own *o)
{
    for (size_t i = 0; i < RUN_OWN_STEPS; i++)
        run_local_free(o->steps[i]);
    run_local_free(o->made);
    if (o->cells != NULL)
        base_wipe(o->cells, o->cell_count * sizeof *o->cells);
    free(o->cells);
    *o = (struct run_own){0};
}

fm_status run_own_bad(const struct run_own *o, size_t column, const char *what,
                      struct base_err *err)
{
    return base_err_set(err, FM_E_INPUT, "%s.%s: row %zu, column '%s' %s", o->source->member,
                        o->source->dataset, o->row, o->plan->columns[column].name, what);
}

static fm_status check_cells(const struct run_own *o, struct base_err *err)
{
    for (size_t c = 0; c < o->plan->column_count; c++) {
        const struct sql_plan_column *column = &o->plan->columns[c];
        const struct sql_cell *cell = &o->cells[c];

        if (column->table != o->source->table)
            continue;
        if (cell->null && !column->nullable)
            return run_own_bad(o, c, "is NULL, which its schema rules out", err);
        if (!cell->null && column->type.kind != DATA_TEXT &&
            (cell->value < column->range.lo || cell->value > column->range.hi))
            return run_own_bad(o, c, "is outside the range that its schema declares", err);
        if (!cell->null && column->type.kind == DATA_TEXT && cell->len > column->type.max_bytes)
            return run_own_bad(o, c, "is longer than its schema declares", err);
    }
    return FM_OK;
}

/* False: a filter drops the row. */
static bool goes_up(struct run_own *o)
{
    for (size_t i = 0; i < o->below_count; i++) {
        run_local_row(o->steps[i], o->cells);
        if (o->below[i]->kind == SQL_REL_FILTER && !run_own_true(&o->cells[o->columns + i]))
            return false;
    }
    run_local_row(o->made, o->cells);
    return true;
}

fm_status run_own_next(struct run_own *o, bool *end, const struct sql_rows *rows,
                       struct base_err *err)
{
    for (;;) {
        fm_status st = rows->next(rows->ctx, o->cells, end, err);
        if (st != FM_OK || *end)
            return st;
        if (o->row++ == (size_t)o->source->rows)
            return base_err_set(err, FM_E_LIMIT, "%s.%s has more than the %lld rows it declares",
                                o->source->member, o->source->dataset, (long long)o->source->rows);
        if (check_cells(o, err) != FM_OK)
            return err->code;
        if (goes_up(o))
            return FM_OK;
    }
}
