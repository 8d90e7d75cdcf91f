/* Operators for people, one line each. */
#include "exchange/sql/plan/plan_own.h"

static void put_columns(struct base_buf *out, const struct sql_plan *plan, const size_t *columns,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        base_buf_put_str(out, i > 0 ? ", " : "");
        sql_print_column(out, plan, columns[i]);
    }
}

static void put_order(struct base_buf *out, const struct sql_plan *plan,
                      const struct sql_order *order, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        base_buf_put_str(out, i > 0 ? ", " : "");
        sql_print_column(out, plan, order[i].column);
        base_buf_putf(out, "%s%s", order[i].descending ? " DESC" : "",
                      order[i].nulls_first ? " NULLS FIRST" : "");
    }
}

static void put_call(struct base_buf *out, const struct sql_plan *plan, enum sql_fn fn, size_t arg,
                     const char *prefix)
{
    base_buf_putf(out, "%s(%s", sql_fn_name(fn), prefix);
    if (arg != SQL_NONE)
        sql_plan_print_expr(out, plan, arg);
    else
        base_buf_put_str(out, fn < SQL_ROW_NUMBER ? "*" : "");
    base_buf_put_str(out, ")");
}

static void print_scan(struct base_buf *out, const struct sql_plan *plan, const struct sql_rel *rel)
{
    const struct sql_table *t = &plan->tables[rel->table];

    for (size_t i = 0; i < t->source_count; i++) {
        const struct sql_source *s = &plan->sources[t->first_source + i];
        base_buf_putf(out, "%s%s.%s%s", i > 0 ? ", " : "", s->member, s->dataset,
                      s->recipient ? " (recipient)" : "");
    }
}

static void print_join(struct base_buf *out, const struct sql_plan *plan, const struct sql_rel *rel)
{
    const struct sql_join *j = &rel->join;

    base_buf_putf(out, "%s, %zu with %zu", sql_join_name(j->kind), rel->inputs[0]->id + 1,
                  rel->inputs[1]->id + 1);
    for (size_t i = 0; i < j->key_count; i++) {
        base_buf_put_str(out, i > 0 ? " AND " : " ON ");
        sql_print_column(out, plan, j->left[i]);
        base_buf_put_str(out, " = ");
        sql_print_column(out, plan, j->right[i]);
    }
    if (j->condition != SQL_NONE) {
        base_buf_put_str(out, " AND ");
        sql_plan_print_expr(out, plan, j->condition);
    }
    if (j->right_max > 0)
        base_buf_putf(out, "; at most %lld of %zu for a key", (long long)j->right_max,
                      rel->inputs[1]->id + 1);
}

static void print_guards(struct base_buf *out, const struct sql_plan *plan,
                         const struct sql_rel *rel)
{
    for (size_t i = 0; i < rel->guard_count; i++) {
        const struct sql_guard *g = &rel->guards[i];
        base_buf_putf(out, "; guard: at least %lld subjects of others in %s",
                      (long long)plan->minimum, plan->tables[g->table].name);
        if (g->rows > 0)
            base_buf_putf(out, " (%lld rows that count)", (long long)g->rows);
    }
}

static void print_group(struct base_buf *out, const struct sql_plan *plan,
                        const struct sql_rel *rel)
{
    base_buf_put_str(out, rel->key_count > 0 ? "by " : "");
    put_columns(out, plan, rel->keys, rel->key_count);
    if (rel->domain > 0)
        base_buf_putf(out, " (%lld possible keys)", (long long)rel->domain);
    for (size_t i = 0; i < rel->item_count; i++) {
        const struct sql_item *item = &rel->items[i];
        base_buf_put_str(out, i > 0 ? ", " : rel->key_count > 0 ? ": " : "");
        sql_print_column(out, plan, item->column);
        base_buf_put_str(out, " = ");
        put_call(out, plan, item->fn, item->arg, item->distinct ? "DISTINCT " : "");
    }
    print_guards(out, plan, rel);
}

static void print_windows(struct base_buf *out, const struct sql_plan *plan,
                          const struct sql_rel *rel)
{
    for (size_t i = 0; i < rel->window_count; i++) {
        const struct sql_window *w = &rel->windows[i];
        base_buf_put_str(out, i > 0 ? ", " : "");
        sql_print_column(out, plan, w->column);
        base_buf_put_str(out, " = ");
        put_call(out, plan, w->fn, w->arg, "");
        base_buf_put_str(out, " over (");
        if (w->partition_count > 0)
            base_buf_put_str(out, "by ");
        put_columns(out, plan, w->partition, w->partition_count);
        if (w->order_count > 0)
            base_buf_put_str(out, " in order of ");
        put_order(out, plan, w->order, w->order_count);
        base_buf_put_str(out, ")");
    }
}

static void print_makes(struct base_buf *out, const struct sql_plan *plan,
                        const struct sql_rel *rel)
{
    for (size_t i = 0; i < rel->make_count; i++) {
        base_buf_put_str(out, i > 0 ? ", " : "");
        sql_print_column(out, plan, rel->makes[i].column);
        base_buf_put_str(out, " = ");
        sql_plan_print_expr(out, plan, rel->makes[i].node);
    }
}

void sql_print_rel(struct base_buf *out, const struct sql_plan *plan, const struct sql_rel *rel)
{
    switch (rel->kind) {
    case SQL_REL_SCAN:
        print_scan(out, plan, rel);
        break;
    case SQL_REL_FILTER:
        sql_plan_print_expr(out, plan, rel->condition);
        break;
    case SQL_REL_PROJECT:
        print_makes(out, plan, rel);
        break;
    case SQL_REL_JOIN:
        print_join(out, plan, rel);
        break;
    case SQL_REL_GROUP:
        print_group(out, plan, rel);
        break;
    case SQL_REL_WINDOW:
        print_windows(out, plan, rel);
        break;
    case SQL_REL_SORT:
        base_buf_put_str(out, "by ");
        put_order(out, plan, rel->order, rel->order_count);
        break;
    case SQL_REL_LIMIT:
        base_buf_putf(out, "%lld, offset %lld", (long long)rel->limit, (long long)rel->offset);
        break;
    case SQL_REL_UNION:
        base_buf_putf(out, "%zu and %zu", rel->inputs[0]->id + 1, rel->inputs[1]->id + 1);
        break;
    }
}
