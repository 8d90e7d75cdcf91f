/* Subqueries become joins: IN and EXISTS mark the rows that have a match, a scalar one gives its
 * column to every row. What ties it to the query around it are equalities, which are join keys. */
#include <string.h>

#include "exchange/sql/bind/bind.h"

bool sql_bind_has_subquery(const struct sql_syntax *s)
{
    if (s->query != NULL)
        return true;
    for (size_t i = 0; i < s->arg_count; i++) {
        if (sql_bind_has_subquery(s->args[i]))
            return true;
    }
    return false;
}

/* The keys of the join: first x and the column of IN, if there are, then the links. */
struct tied {
    size_t count;
    size_t *left;
    size_t *right;
};

static fm_status tie(struct tied *t, struct sql_binder *b, const struct sql_given *g, size_t x,
                     int at, struct base_err *err)
{
    fm_status st = FM_OK;

    *t = (struct tied){.left = sql_arena_array(&b->plan->arena, g->link_count + 1, sizeof *t->left),
                       .right =
                           sql_arena_array(&b->plan->arena, g->link_count + 1, sizeof *t->right)};
    if (t->left == NULL || t->right == NULL)
        return base_err_memory(err, "SQL plan");
    if (x != SQL_NONE) {
        size_t y;
        st = sql_bind_reference(&y, b, g->rel, g->columns[0], at, err);
        if (st == FM_OK)
            st = sql_bind_equal(&x, &y, b, at, err);
        t->left[t->count] = x;
        t->right[t->count++] = y;
    }
    for (size_t i = 0; st == FM_OK && i < g->link_count; i++) {
        size_t y;
        st = sql_bind_reference(&y, b, g->rel, g->links[i].inner, at, err);
        t->left[t->count] = g->links[i].outer;
        t->right[t->count++] = y;
    }
    return st;
}

static fm_status one_column(const struct sql_binder *b, const struct sql_given *g, int at,
                            struct base_err *err)
{
    if (g->count == 1)
        return FM_OK;
    return SQL_BIND_ERROR(b, FM_E_INPUT, at, err, "this subquery gives %zu columns: select one",
                          g->count);
}

static fm_status bind_mark(size_t *out, struct sql_binder *b, const struct sql_given *g, size_t x,
                           bool top, int at, struct base_err *err)
{
    struct tied t;
    struct sql_rel *rel;
    bool nulls;
    fm_status st = tie(&t, b, g, x, at, err);

    if (st != FM_OK)
        return st;
    nulls = x != SQL_NONE &&
            (b->plan->nodes[t.left[0]].nullable || b->plan->nodes[t.right[0]].nullable);
    st = sql_bind_join(&rel, b, SQL_JOIN_MARK, b->level->rel, g->rel, t.left, t.right, t.count, at,
                       err);
    if (st != FM_OK)
        return st;
    if (nulls && !top) {
        rel->join.null_aware = true;
        b->plan->columns[rel->join.mark].nullable = true;
    }
    b->level->rel = rel;
    return sql_bind_reference(out, b, rel, rel->join.mark, at, err);
}

/* x op ANY (q): a row of q for which it is true. x op ALL (q): no row of q for which it is not. The
 * mark tells these from everything else, but not false from NULL: for WHERE that is enough. */
static fm_status bind_quantified(size_t *out, struct sql_binder *b, const struct sql_given *g,
                                 const struct sql_syntax *s, size_t x, bool top,
                                 struct base_err *err)
{
    struct tied t;
    struct sql_rel *rel;
    size_t y, condition;
    fm_status st;

    if (!top)
        return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, s->at, err,
                              "ANY and ALL stand in WHERE, joined by AND");
    st = sql_bind_reference(&y, b, g->rel, g->columns[0], s->at, err);
    if (st == FM_OK)
        st = sql_bind_compare(&condition, b, s->operation, x, y, s->at, err);
    if (st == FM_OK && s->number == 1)
        st = sql_bind_make(&condition, b, SQL_OP_IS_TRUE, s->at, &condition, 1, err);
    if (st == FM_OK && s->number == 1)
        st = sql_bind_make(&condition, b, SQL_OP_NOT, s->at, &condition, 1, err);
    if (st == FM_OK)
        st = tie(&t, b, g, SQL_NONE, s->at, err);
    if (st == FM_OK)
        st = sql_bind_join(&rel, b, SQL_JOIN_MARK, b->level->rel, g->rel, t.left, t.right, t.count,
                           s->at, err);
    if (st != FM_OK)
        return st;
    rel->join.condition = condition;
    b->level->rel = rel;
    st = sql_bind_reference(out, b, rel, rel->join.mark, s->at, err);
    return st == FM_OK && s->number == 1 ? sql_bind_make(out, b, SQL_OP_NOT, s->at, out, 1, err)
                                         : st;
}

static fm_status bind_exists(size_t *out, struct sql_binder *b, const struct sql_given *g, int at,
                             struct base_err *err)
{
    if (g->link_count == 0)
        return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, at, err,
                              "EXISTS without inner = outer in its WHERE: compare (SELECT COUNT(*) "
                              "...) > 0 instead");
    if (g->rel->kind == SQL_REL_GROUP && g->rel->item_count > 0)
        return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, at, err,
                              "EXISTS over aggregates: select a column, and use WHERE");
    return bind_mark(out, b, g, SQL_NONE, true, at, err);
}

static bool counts(const struct sql_binder *b, const struct sql_given *g)
{
    const struct sql_rel *rel = g->rel;

    (void)b;
    while (rel->kind == SQL_REL_PROJECT || rel->kind == SQL_REL_FILTER)
        rel = rel->inputs[0];
    for (size_t i = 0; i < rel->item_count; i++) {
        if (rel->items[i].fn == SQL_COUNT)
            return true;
    }
    return false;
}

/* The column is a COUNT as it stands: where a row has no group at all, it is 0. Under a guard it
 * could also be one that is suppressed. */
static bool is_count(const struct sql_given *g, size_t column)
{
    for (size_t i = 0; g->rel->kind == SQL_REL_GROUP && i < g->rel->item_count; i++) {
        if (g->rel->items[i].column == column)
            return g->rel->items[i].fn == SQL_COUNT;
    }
    return false;
}

static fm_status or_zero(size_t *inout, struct sql_binder *b, int at, struct base_err *err)
{
    size_t args[3] = {SQL_NONE, SQL_NONE, *inout};
    fm_status st = sql_bind_make(&args[0], b, SQL_OP_IS_NULL, at, inout, 1, err);

    if (st == FM_OK)
        st = sql_bind_const(&args[1], b, b->plan->nodes[*inout].type, 0, at, err);
    if (st == FM_OK)
        st = sql_bind_make(inout, b, SQL_OP_CASE, at, args, 3, err);
    if (st == FM_OK)
        b->plan->nodes[*inout].nullable = false;
    return st;
}

static fm_status bind_scalar(size_t *out, struct sql_binder *b, const struct sql_given *g, int at,
                             struct base_err *err)
{
    struct tied t;
    struct sql_rel *rel;
    bool counted;
    fm_status st = one_column(b, g, at, err);

    counted = g->link_count > 0 && is_count(g, g->columns[0]) && b->request->minimum == 1;
    if (st == FM_OK && g->link_count > 0 && counts(b, g) && !counted)
        return SQL_BIND_ERROR(
            b, FM_E_UNSUPPORTED, at, err,
            "COUNT in a subquery with inner = outer: LEFT JOIN a grouped subquery "
            "and write COALESCE(n, 0)");
    if (st == FM_OK)
        st = tie(&t, b, g, SQL_NONE, at, err);
    if (st == FM_OK)
        st = sql_bind_join(&rel, b, SQL_JOIN_SINGLE, b->level->rel, g->rel, t.left, t.right,
                           t.count, at, err);
    if (st != FM_OK)
        return st;
    b->level->rel = rel;
    st = sql_bind_reference(out, b, rel, g->columns[0], at, err);
    return st == FM_OK && counted ? or_zero(out, b, at, err) : st;
}

fm_status sql_bind_subquery(size_t *out, struct sql_binder *b, const struct sql_syntax *s, bool top,
                            struct base_err *err)
{
    struct sql_level *level = b->level;
    struct sql_given g;
    size_t x = SQL_NONE;
    fm_status st = FM_OK;

    if (level->rel == NULL)
        return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, s->at, err,
                              "a subquery is not offered here: write it in WHERE");
    if (s->kind == SQL_SYNTAX_IN_QUERY || s->kind == SQL_SYNTAX_QUANTIFIED)
        st = sql_bind_expr(&x, b, s->args[0], NULL, err);
    if (st == FM_OK)
        st = sql_bind_query(&g, b, s->query, level->with, level, err);
    if (st != FM_OK)
        return st;
    if (s->kind == SQL_SYNTAX_EXISTS)
        return bind_exists(out, b, &g, s->at, err);
    if (s->kind == SQL_SYNTAX_SUBQUERY)
        return bind_scalar(out, b, &g, s->at, err);
    st = one_column(b, &g, s->at, err);
    if (st == FM_OK && s->kind == SQL_SYNTAX_QUANTIFIED)
        return bind_quantified(out, b, &g, s, x, top, err);
    return st == FM_OK ? bind_mark(out, b, &g, x, top, s->at, err) : st;
}
