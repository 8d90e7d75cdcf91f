#include "exchange/sql/plan/walk.h"

#include "exchange/sql/plan/plan.h"

static void one(size_t *number, sql_visit *visit, void *context)
{
    if (*number != SQL_NONE)
        visit(number, context);
}

static void list(size_t *numbers, size_t count, sql_visit *visit, void *context)
{
    for (size_t i = 0; i < count; i++)
        one(&numbers[i], visit, context);
}

static void orders(struct sql_order *order, size_t count, sql_visit *visit, void *context)
{
    for (size_t i = 0; i < count; i++)
        one(&order[i].column, visit, context);
}

void sql_walk_read(struct sql_rel *rel, sql_visit *visit, void *context)
{
    list(rel->join.left, rel->join.key_count, visit, context);
    list(rel->join.right, rel->join.key_count, visit, context);
    list(rel->keys, rel->key_count, visit, context);
    for (size_t i = 0; i < rel->guard_count; i++) {
        one(&rel->guards[i].others, visit, context);
        one(&rel->guards[i].subject, visit, context);
    }
    for (size_t i = 0; i < rel->window_count; i++) {
        list(rel->windows[i].partition, rel->windows[i].partition_count, visit, context);
        orders(rel->windows[i].order, rel->windows[i].order_count, visit, context);
    }
    orders(rel->order, rel->order_count, visit, context);
    for (size_t i = 0; rel->given != NULL && i < rel->input_count; i++)
        list(rel->given[i], rel->column_count, visit, context);
}

void sql_walk_made(struct sql_rel *rel, sql_visit *visit, void *context)
{
    one(&rel->others, visit, context);
    if (rel->kind == SQL_REL_JOIN)
        one(&rel->join.mark, visit, context);
    for (size_t i = 0; i < rel->make_count; i++)
        one(&rel->makes[i].column, visit, context);
    for (size_t i = 0; i < rel->item_count; i++)
        one(&rel->items[i].column, visit, context);
    for (size_t i = 0; i < rel->window_count; i++)
        one(&rel->windows[i].column, visit, context);
    if (rel->kind == SQL_REL_UNION)
        list(rel->columns, rel->column_count, visit, context);
}

void sql_walk_nodes(struct sql_rel *rel, sql_visit *visit, void *context)
{
    one(&rel->condition, visit, context);
    if (rel->kind == SQL_REL_JOIN)
        one(&rel->join.condition, visit, context);
    for (size_t i = 0; i < rel->make_count; i++)
        one(&rel->makes[i].node, visit, context);
    for (size_t i = 0; i < rel->item_count; i++) {
        one(&rel->items[i].arg, visit, context);
        one(&rel->items[i].filter, visit, context);
        one(&rel->items[i].counted, visit, context);
    }
    for (size_t i = 0; i < rel->window_count; i++)
        one(&rel->windows[i].arg, visit, context);
}
