/* ORDER BY and LIMIT. */
#include <stdlib.h>
#include <string.h>

#include "exchange/sql/bind/bind.h"

/* ---- ORDER BY ---- */

static bool same_column(const struct sql_binder *b, size_t x, size_t y)
{
    const struct sql_node *m = &b->plan->nodes[x], *n = &b->plan->nodes[y];

    return x == y || (m->op == SQL_OP_COLUMN && n->op == SQL_OP_COLUMN && m->index == n->index);
}

/* A number is a place in the SELECT list, a bare name first an alias; else an expression. */
static fm_status order_node(size_t *out, struct sql_binder *b, const struct sql_query *q,
                            const struct sql_list *l, const struct sql_syntax *s,
                            struct base_err *err)
{
    if (s->kind == SQL_SYNTAX_NUMBER) {
        char *end;
        long place = strtol(s->text, &end, 10);
        if (*end != '\0' || place < 1 || (size_t)place > l->count)
            return SQL_BIND_ERROR(b, FM_E_INPUT, s->at, err,
                                  "ORDER BY %.20s: the SELECT list has %zu columns", s->text,
                                  l->count);
        *out = l->nodes[place - 1];
        return FM_OK;
    }
    *out = SQL_NONE;
    for (size_t i = 0; s->kind == SQL_SYNTAX_COLUMN && s->qualifier == NULL && i < l->count; i++) {
        if (strcmp(l->names[i], s->text) != 0)
            continue;
        if (*out != SQL_NONE && !same_column(b, *out, l->nodes[i]))
            return SQL_BIND_ERROR(b, FM_E_INPUT, s->at, err,
                                  "ORDER BY %.60s: two columns of the result have this name: give "
                                  "one another alias, or write its number",
                                  s->text);
        *out = l->nodes[i];
    }
    if (*out != SQL_NONE)
        return FM_OK;
    if (q->set != SQL_SYNTAX_SELECT)
        return SQL_BIND_ERROR(b, FM_E_INPUT, s->at, err,
                              "ORDER BY of a UNION takes names or numbers of its columns");
    return sql_bind_expr(out, b, s, NULL, err);
}

fm_status sql_bind_order(struct sql_order **out, struct sql_binder *b, const struct sql_query *q,
                         const struct sql_list *l, struct base_err *err)
{
    fm_status st = FM_OK;

    *out = sql_arena_array(&b->plan->arena, q->order_count, sizeof **out);
    if (*out == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; st == FM_OK && i < q->order_count; i++) {
        const struct sql_syntax_order *o = &q->order[i];
        size_t node;
        st = order_node(&node, b, q, l, o->expr, err);
        if (st != FM_OK)
            return st;
        (*out)[i] = (struct sql_order){node, o->descending, o->nulls_first};
    }
    return st;
}

/* ---- LIMIT ---- */

static fm_status limit_value(int64_t *out, struct sql_binder *b, const struct sql_syntax *s,
                             const char *what, int64_t otherwise, struct base_err *err)
{
    char *end;

    *out = otherwise;
    if (s == NULL || s->kind == SQL_SYNTAX_NULL)
        return FM_OK;
    if (s->kind != SQL_SYNTAX_NUMBER)
        return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, s->at, err,
                              "%s takes a number written out: it decides how much is computed",
                              what);
    *out = strtoll(s->text, &end, 10);
    if (*end != '\0' || *out < 0 || *out > SQL_MAX_TOTAL_ROWS)
        return SQL_BIND_ERROR(b, FM_E_INPUT, s->at, err, "%s takes a whole number from 0 to %lld",
                              what, (long long)SQL_MAX_TOTAL_ROWS);
    return FM_OK;
}

/* Which rows LIMIT takes is not open where the order names columns that no two rows share, or all
 * columns of the result. */
static bool is_total(struct sql_binder *b, const struct sql_rel *rel, const struct sql_given *g,
                     const struct sql_order *order, size_t count)
{
    size_t *columns = calloc(count + 1, sizeof *columns);
    size_t n = 0, named = 0;
    bool total = rel->rows <= 1;

    if (columns == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t c = order[i].column;
        /* Keys are unique but for NULLs; those of a GROUP, NULLs too. */
        bool grouped = b->made_by[c] != NULL && rel->kind == SQL_REL_GROUP;
        if (grouped || (!b->plan->columns[c].nullable && !sql_rel_nulls(b, rel, c)))
            columns[n++] = c;
    }
    total = total || (n > 0 && sql_rel_max(b, rel, columns, n) == 1);
    if (!total && n > 0 && rel->kind == SQL_REL_GROUP)
        total = sql_bind_determines(b, rel, columns, n);
    for (size_t k = 0; k < g->count; k++) {
        bool found = false;
        for (size_t i = 0; i < count; i++)
            found = found || order[i].column == g->columns[k];
        named += found;
    }
    free(columns);
    return total || named == g->count;
}

/* What ORDER BY leaves open, the other columns of the result decide, from left to right, as many as
 * it takes. */
static fm_status break_ties(const struct sql_given *g, struct sql_binder *b,
                            const struct sql_rel *rows, struct base_err *err)
{
    struct sql_rel *sort = g->rel;
    struct sql_order *order =
        sql_arena_array(&b->plan->arena, sort->order_count + g->count, sizeof *order);
    size_t n = sort->order_count;

    if (order == NULL)
        return base_err_memory(err, "SQL plan");
    memcpy(order, sort->order, n * sizeof *order);
    for (size_t k = 0; k < g->count && !is_total(b, rows, g, order, n); k++) {
        bool there = false;
        for (size_t i = 0; i < n; i++)
            there = there || order[i].column == g->columns[k];
        if (!there)
            order[n++] = (struct sql_order){.column = g->columns[k], .nulls_first = true};
    }
    sort->order = order;
    sort->order_count = n;
    return FM_OK;
}

fm_status sql_bind_limit(struct sql_given *g, struct sql_binder *b, const struct sql_query *q,
                         const struct sql_order *order, struct base_err *err)
{
    int64_t limit, offset;
    int at = q->limit != NULL ? q->limit->at : q->offset != NULL ? q->offset->at : 0;
    struct sql_rel *rel = g->rel;
    fm_status st;

    if (q->limit == NULL && q->offset == NULL)
        return FM_OK;
    st = limit_value(&limit, b, q->limit, "LIMIT", SQL_MAX_TOTAL_ROWS, err);
    if (st == FM_OK)
        st = limit_value(&offset, b, q->offset, "OFFSET", 0, err);
    if (st != FM_OK)
        return st;
    while (rel->kind == SQL_REL_SORT || rel->kind == SQL_REL_PROJECT ||
           rel->kind == SQL_REL_FILTER || rel->kind == SQL_REL_WINDOW)
        rel = rel->inputs[0];
    if (q->order_count == 0 && rel->rows > 1)
        return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, at, err,
                              "LIMIT without ORDER BY: rows have no order of their own, say which "
                              "come first");
    if (g->rel->kind == SQL_REL_SORT && !is_total(b, rel, g, order, q->order_count))
        st = break_ties(g, b, rel, err);
    if (st != FM_OK)
        return st;
    st = sql_rel_new(&g->rel, b, SQL_REL_LIMIT, g->rel, at, err);
    if (st != FM_OK)
        return st;
    g->rel->limit = limit;
    g->rel->offset = offset;
    if (limit < g->rel->rows)
        g->rel->rows = limit > 0 ? limit : 1;
    return FM_OK;
}
