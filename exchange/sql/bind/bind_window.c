/* Window functions: all of a SELECT stand in one operator on top of its rows. */
#include <string.h>

#include "exchange/sql/bind/bind.h"

/* Expressions in OVER become columns of the rows below. */
static fm_status over_column(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                             struct base_err *err)
{
    size_t node;
    fm_status st = sql_bind_expr(&node, b, s, NULL, err);

    return st == FM_OK ? sql_bind_as_column(out, b, &b->level->rel, node, "window", err) : st;
}

static fm_status bind_over(struct sql_window *w, struct sql_binder *b,
                           const struct sql_syntax_over *over, struct base_err *err)
{
    size_t *partition = sql_arena_array(&b->plan->arena, over->partition_count, sizeof *partition);
    struct sql_order *order = sql_arena_array(&b->plan->arena, over->order_count, sizeof *order);
    fm_status st = FM_OK;

    if (partition == NULL || order == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; st == FM_OK && i < over->partition_count; i++)
        st = over_column(&partition[i], b, over->partition[i], err);
    for (size_t i = 0; st == FM_OK && i < over->order_count; i++) {
        const struct sql_syntax_order *o = &over->order[i];
        order[i] = (struct sql_order){SQL_NONE, o->descending, o->nulls_first};
        st = over_column(&order[i].column, b, o->expr, err);
    }
    w->partition = partition;
    w->partition_count = over->partition_count;
    w->order = order;
    w->order_count = over->order_count;
    return st;
}

static enum sql_fn fn_of(const char *name)
{
    return strcmp(name, "row_number") == 0 ? SQL_ROW_NUMBER
           : strcmp(name, "rank") == 0     ? SQL_RANK
           : strcmp(name, "sum") == 0      ? SQL_SUM
                                           : SQL_COUNT;
}

static fm_status bind_function(struct sql_window *w, struct sql_plan_column *column,
                               struct sql_binder *b, const struct sql_syntax *s,
                               struct base_err *err)
{
    struct sql_item item = {.fn = w->fn, .arg = SQL_NONE, .at = s->at};
    int64_t rows = b->level->rel->rows;
    fm_status st = FM_OK;

    if (s->arg_count > 0)
        st = sql_bind_expr(&item.arg, b, s->args[0], NULL, err);
    w->arg = item.arg;
    if (st != FM_OK)
        return st;
    if (w->fn == SQL_SUM && !sql_type_is_number(b->plan->nodes[item.arg].type))
        return SQL_BIND_ERROR(b, FM_E_INPUT, s->at, err, "sum OVER needs numbers");
    if (w->fn == SQL_ROW_NUMBER || w->fn == SQL_RANK) {
        column->type = (struct data_type){.kind = DATA_INTEGER};
        column->range = (struct sql_range){1, rows};
        if (w->order_count == 0)
            return SQL_BIND_ERROR(b, FM_E_INPUT, s->at, err, "%s needs ORDER BY inside OVER",
                                  s->text);
        return FM_OK;
    }
    return sql_bind_item_type(&item, column, b, rows, err);
}

static fm_status add_window(struct sql_window w, struct sql_binder *b, struct base_err *err)
{
    struct sql_rel *rel = b->level->window;
    struct sql_window *more = sql_arena_array(&b->plan->arena, rel->window_count + 1, sizeof *more);

    if (more == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < rel->window_count; i++)
        more[i] = rel->windows[i];
    more[rel->window_count++] = w;
    rel->windows = more;
    return FM_OK;
}

fm_status sql_bind_window(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                          struct base_err *err)
{
    struct sql_level *level = b->level;
    struct sql_plan_column column = {.name = s->text, .table = SQL_NONE};
    struct sql_window w = {.fn = fn_of(s->text), .at = s->at};
    fm_status st;

    if (level->clause != NULL)
        return SQL_BIND_ERROR(
            b, FM_E_UNSUPPORTED, s->at, err,
            "%s OVER inside %s: windows stand in the SELECT list; to filter by one, "
            "SELECT FROM a subquery",
            s->text, level->clause);
    level->clause = "a window";
    st = bind_over(&w, b, s->over, err);
    if (st == FM_OK)
        st = bind_function(&w, &column, b, s, err);
    level->clause = NULL;
    if (st == FM_OK && level->window == NULL)
        st = sql_rel_new(&level->window, b, SQL_REL_WINDOW, level->rel, s->at, err);
    if (st == FM_OK)
        st = sql_rel_make(&w.column, b, level->window, column, err);
    if (st == FM_OK)
        st = add_window(w, b, err);
    return st == FM_OK ? sql_bind_reference(out, b, level->window, w.column, s->at, err) : st;
}
