/* The result's columns, once operators and columns have their numbers. */
#include "exchange/sql/bind/bind.h"

/* Texts that are shown, or ordered, must come from somewhere with their words. */
static void show(struct sql_plan *plan, const struct sql_rel *rel, size_t column)
{
    plan->columns[column].shown = true;
    for (size_t i = 0; rel->kind == SQL_REL_UNION && i < rel->column_count; i++) {
        for (size_t k = 0; rel->columns[i] == column && k < rel->input_count; k++)
            show(plan, rel->inputs[k], rel->given[k][i]);
    }
    for (size_t i = 0; rel->kind != SQL_REL_UNION && i < rel->input_count; i++)
        show(plan, rel->inputs[i], column);
}

static fm_status settle_outputs(struct sql_plan *plan, const struct sql_given *given,
                                const size_t *place, struct base_err *err)
{
    plan->outputs = sql_arena_array(&plan->arena, given->count, sizeof *plan->outputs);
    if (plan->outputs == NULL)
        return base_err_memory(err, "SQL plan");
    plan->output_count = given->count;
    for (size_t i = 0; i < given->count; i++) {
        size_t column = place[given->columns[i]];
        const struct sql_plan_column *c = &plan->columns[column];
        struct data_type type = c->type;
        if (type.precision == 0)
            type = sql_type_fit(type, c->range);
        plan->outputs[i] =
            (struct sql_output){.name = sql_arena_text(&plan->arena, given->names[i]),
                                .column = column,
                                .type = type,
                                .range = c->range,
                                .arg = SQL_NONE};
        if (plan->outputs[i].name == NULL)
            return base_err_memory(err, "SQL plan");
        show(plan, plan->rels[plan->rel_count - 1], column);
    }
    return FM_OK;
}

/* What is ordered by its words, below the operator that orders. */
static void show_orders(struct sql_plan *plan)
{
    for (size_t r = 0; r < plan->rel_count; r++) {
        const struct sql_rel *rel = plan->rels[r];
        for (size_t i = 0; i < rel->order_count; i++)
            show(plan, rel->inputs[0], rel->order[i].column);
        for (size_t k = 0; k < rel->window_count; k++) {
            for (size_t i = 0; i < rel->windows[k].order_count; i++)
                show(plan, rel->inputs[0], rel->windows[k].order[i].column);
        }
    }
}

static bool plain_items(const struct sql_rel *group)
{
    for (size_t i = 0; i < group->item_count; i++) {
        const struct sql_item *item = &group->items[i];
        if (item->fn > SQL_AVG || item->filter != SQL_NONE || item->distinct)
            return false;
    }
    return group->key_count == 0 && group->guard_count <= 1 &&
           (group->guard_count == 0 || group->guards[0].rows > 0);
}

/* scan -> filter -> ungrouped aggregates, which are the result as they stand. */
static void find_simple(struct sql_plan *plan)
{
    struct sql_rel *group = plan->rels[plan->rel_count - 1], *below;
    bool whole = true;

    plan->filter = SQL_NONE;
    if (group->kind != SQL_REL_GROUP || !plain_items(group))
        return;
    below = group->inputs[0];
    if (below->kind == SQL_REL_FILTER) {
        plan->filter = below->condition;
        below = below->inputs[0];
    }
    for (size_t i = 0; i < plan->node_count; i++)
        whole = whole && (plan->nodes[i].op < SQL_OP_DIV || sql_op_is_local(plan->nodes[i].op));
    if (below->kind != SQL_REL_SCAN || !whole)
        return;
    for (size_t i = 0; i < plan->output_count; i++) {
        struct sql_output *o = &plan->outputs[i];
        for (size_t k = 0; k < group->item_count; k++) {
            const struct sql_item *item = &group->items[k];
            if (item->column != o->column)
                continue;
            o->fn = item->fn;
            o->arg = item->arg;
            o->digits = item->digits;
            o->counted = item->counted;
            o->at = item->at;
        }
    }
    plan->simple = true;
    plan->table = plan->tables[0].name;
    plan->rows = plan->tables[0].rows;
    plan->guard_rows = group->guard_count > 0 ? group->guards[0].rows : 0;
}

fm_status sql_settle_result(struct sql_plan *plan, const struct sql_given *given,
                            const size_t *place, struct base_err *err)
{
    fm_status st = settle_outputs(plan, given, place, err);

    show_orders(plan);
    find_simple(plan);
    return st;
}
