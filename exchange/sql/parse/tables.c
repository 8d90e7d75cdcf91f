/* Which tables a text names. */
#include <string.h>

#include "exchange/sql/parse/syntax.h"

static void look_query(struct sql_named_tables *out, const struct sql_query *q);

static void add(struct sql_named_tables *out, const struct sql_syntax_from *f)
{
    for (size_t i = 0; i < out->with_count; i++) {
        if (f->owner == NULL && strcmp(out->with[i], f->table) == 0)
            return;
    }
    for (size_t i = 0; i < out->count; i++) {
        const struct sql_named_table *t = &out->tables[i];
        bool same_owner = (t->owner == NULL) == (f->owner == NULL) &&
                          (t->owner == NULL || strcmp(t->owner, f->owner) == 0);
        if (same_owner && strcmp(t->table, f->table) == 0)
            return;
    }
    if (out->count == SQL_MAX_NAMED_TABLES)
        out->more = true;
    else
        out->tables[out->count++] = (struct sql_named_table){f->owner, f->table};
}

static void look_from(struct sql_named_tables *out, const struct sql_syntax_from *f)
{
    if (f->left != NULL) {
        look_from(out, f->left);
        look_from(out, f->right);
    } else if (f->query != NULL) {
        look_query(out, f->query);
    } else {
        add(out, f);
    }
}

static void look_expr(struct sql_named_tables *out, const struct sql_syntax *s)
{
    if (s == NULL)
        return;
    if (s->query != NULL)
        look_query(out, s->query);
    for (size_t i = 0; i < s->arg_count; i++)
        look_expr(out, s->args[i]);
}

static void look_query(struct sql_named_tables *out, const struct sql_query *q)
{
    for (size_t i = 0; i < q->with_count; i++) {
        look_query(out, q->with[i].query);
        if (out->with_count == SQL_MAX_NAMED_TABLES)
            out->more = true;
        else
            out->with[out->with_count++] = q->with[i].name;
    }
    if (q->left != NULL) {
        look_query(out, q->left);
        look_query(out, q->right);
    }
    for (size_t i = 0; i < q->from_count; i++)
        look_from(out, q->from[i]);
    for (size_t i = 0; i < q->item_count; i++)
        look_expr(out, q->items[i].expr);
    look_expr(out, q->where);
    look_expr(out, q->having);
}

void sql_query_tables(struct sql_named_tables *out, const struct sql_query *query)
{
    *out = (struct sql_named_tables){0};
    look_query(out, query);
}
