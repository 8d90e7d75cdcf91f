/* Conditions as lists: what is joined by AND, and what every alternative of an OR asks for. */
#include "exchange/sql/bind/bind.h"

static size_t count_conjuncts(const struct sql_syntax *s)
{
    size_t n = 0;

    if (s->kind == SQL_SYNTAX_OR)
        return 1 + count_conjuncts(s->args[0]);
    if (s->kind != SQL_SYNTAX_AND)
        return 1;
    for (size_t i = 0; i < s->arg_count; i++)
        n += count_conjuncts(s->args[i]);
    return n;
}

static bool is_asked(const struct sql_syntax *s, const struct sql_syntax *equality)
{
    if (s->kind != SQL_SYNTAX_AND)
        return sql_bind_same(s, equality);
    for (size_t i = 0; i < s->arg_count; i++) {
        if (is_asked(s->args[i], equality))
            return true;
    }
    return false;
}

/* (a.k = b.k AND x) OR (a.k = b.k AND y): what every alternative asks for, tables can be joined by.
 */
static void list_common(struct sql_conjuncts *out, const struct sql_syntax *first,
                        const struct sql_syntax *any)
{
    bool common = first->kind == SQL_SYNTAX_EQ && first->args[0]->kind == SQL_SYNTAX_COLUMN &&
                  first->args[1]->kind == SQL_SYNTAX_COLUMN;

    for (size_t i = 0; first->kind == SQL_SYNTAX_AND && i < first->arg_count; i++)
        list_common(out, first->args[i], any);
    for (size_t i = 1; common && i < any->arg_count; i++)
        common = is_asked(any->args[i], first);
    if (common)
        out->list[out->count++] = first;
}

static void list_conjuncts(struct sql_conjuncts *out, const struct sql_syntax *s)
{
    if (s->kind == SQL_SYNTAX_OR)
        list_common(out, s->args[0], s);
    if (s->kind != SQL_SYNTAX_AND) {
        out->list[out->count++] = s;
        return;
    }
    for (size_t i = 0; i < s->arg_count; i++)
        list_conjuncts(out, s->args[i]);
}

fm_status sql_bind_split(struct sql_conjuncts *out, struct sql_binder *b,
                         const struct sql_syntax *s, struct base_err *err)
{
    *out = (struct sql_conjuncts){0};
    if (s == NULL)
        return FM_OK;
    out->list = sql_arena_array(&b->plan->arena, count_conjuncts(s), sizeof *out->list);
    if (out->list == NULL)
        return base_err_memory(err, "SQL plan");
    list_conjuncts(out, s);
    return FM_OK;
}
