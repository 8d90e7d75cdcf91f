/* The operators of a plan over one table, and what follows from them. */
#include <string.h>

#include "exchange/sql/bind.h"

static struct sql_rel *add(struct sql_plan *plan, enum sql_rel_kind kind, struct sql_rel *input,
                           size_t columns)
{
    struct sql_rel *rel = sql_arena_alloc(&plan->arena, sizeof *rel);

    if (rel == NULL)
        return NULL;
    *rel = (struct sql_rel){
        .kind = kind, .id = plan->rel_count, .others = SQL_NONE, .condition = SQL_NONE};
    rel->input_count = input != NULL;
    rel->inputs = sql_arena_array(&plan->arena, 1, sizeof(struct sql_rel *));
    rel->columns = sql_arena_array(&plan->arena, columns, sizeof *rel->columns);
    if (rel->inputs == NULL || rel->columns == NULL)
        return NULL;
    rel->inputs[0] = input;
    rel->column_count = columns;
    for (size_t i = 0; i < columns; i++)
        rel->columns[i] = i;
    rel->rows = kind == SQL_REL_GROUP ? 1 : plan->rows;
    plan->rels[plan->rel_count++] = rel;
    return rel;
}

/* The columns of the items: made ones, after those of the table. */
static bool add_items(struct sql_plan *plan, struct sql_rel *group)
{
    size_t n = plan->output_count, first = plan->column_count;

    group->items = sql_arena_array(&plan->arena, n, sizeof *group->items);
    if (group->items == NULL)
        return false;
    group->item_count = n;
    plan->made_count = n;
    for (size_t i = 0; i < n; i++) {
        struct sql_output *o = &plan->outputs[i];
        plan->columns[first + i] = (struct sql_plan_column){
            o->name, o->type, o->range, o->fn != SQL_COUNT, SQL_NONE, true};
        group->items[i] = (struct sql_item){.fn = o->fn,
                                            .arg = o->arg,
                                            .filter = SQL_NONE,
                                            .column = first + i,
                                            .digits = o->digits,
                                            .counted = SQL_NONE,
                                            .at = o->at};
        group->columns[i] = o->column = first + i;
    }
    return true;
}

static bool add_guard(struct sql_plan *plan, struct sql_rel *scan, struct sql_rel *group)
{
    bool mine = false;

    if (plan->guard_rows == 0)
        return true;
    for (size_t i = 0; i < plan->source_count; i++)
        mine = mine || plan->sources[i].recipient;
    group->guards = sql_arena_array(&plan->arena, 1, sizeof *group->guards);
    if (group->guards == NULL)
        return false;
    group->guard_count = 1;
    if (mine) {
        scan->others = plan->column_count + plan->made_count++;
        plan->columns[scan->others] = (struct sql_plan_column){
            "others", {.kind = DATA_BOOLEAN}, {0, 1}, false, SQL_NONE, false};
    }
    group->guards[0] =
        (struct sql_guard){.others = scan->others, .rows = plan->guard_rows, .subject = SQL_NONE};
    return true;
}

fm_status sql_tree_simple(struct sql_plan *plan, struct base_err *err)
{
    struct sql_rel *scan, *top, *group;

    plan->rels = sql_arena_array(&plan->arena, 3, sizeof *plan->rels);
    scan = plan->rels != NULL ? add(plan, SQL_REL_SCAN, NULL, plan->column_count) : NULL;
    top = scan;
    if (top != NULL && plan->filter != SQL_NONE) {
        top = add(plan, SQL_REL_FILTER, scan, plan->column_count);
        if (top != NULL)
            top->condition = plan->filter;
    }
    group = top != NULL ? add(plan, SQL_REL_GROUP, top, plan->output_count) : NULL;
    if (group == NULL || !add_items(plan, group) || !add_guard(plan, scan, group))
        return base_err_memory(err, "SQL plan");
    plan->simple = true;
    return FM_OK;
}
