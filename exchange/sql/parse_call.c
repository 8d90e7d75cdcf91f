/* Function calls, and what may stand in the SELECT list. */
#include <string.h>

#include "base/nearest.h"
#include "exchange/sql/parse.h"

static const char *const aggregates[] = {"count", "sum", "min", "max", "avg", NULL};

static bool is_aggregate(const char *name)
{
    for (size_t i = 0; aggregates[i] != NULL; i++) {
        if (strcmp(aggregates[i], name) == 0)
            return true;
    }
    return false;
}

static fm_status refuse_call(struct sql_parser *p, const PgQuery__FuncCall *f, const char *name,
                             struct base_err *err)
{
    const char *near = base_nearest(name, aggregates);

    if (f->agg_distinct)
        return SQL_UNSUPPORTED(p, f->location, err,
                               "DISTINCT inside an aggregate is not offered yet: leave it out");
    if (f->over != NULL)
        return SQL_UNSUPPORTED(p, f->location, err,
                               "OVER is not offered yet: use the plain aggregate");
    if (f->agg_filter != NULL)
        return SQL_UNSUPPORTED(p, f->location, err,
                               "FILTER is not offered yet: write %s(CASE WHEN ... THEN ... END)",
                               name);
    if (f->n_agg_order > 0 || f->agg_within_group || f->func_variadic)
        return SQL_UNSUPPORTED(p, f->location, err,
                               "ORDER BY, WITHIN GROUP and VARIADIC in a call are not offered: "
                               "leave them out");
    if (near != NULL)
        return SQL_UNSUPPORTED(p, f->location, err,
                               "function %.40s is not offered: did you mean %s?", name, near);
    return SQL_UNSUPPORTED(p, f->location, err,
                           "function %.40s is not offered: use COUNT, SUM, MIN, MAX or AVG", name);
}

fm_status sql_parse_call(struct sql_syntax **out, struct sql_parser *p, const PgQuery__FuncCall *f,
                         struct base_err *err)
{
    const PgQuery__Node *last = f->n_funcname > 0 ? f->funcname[f->n_funcname - 1] : NULL;
    const char *name =
        last != NULL && last->node_case == PG_QUERY__NODE__NODE_STRING ? last->string->sval : "";
    bool count = strcmp(name, "count") == 0;
    fm_status st;

    if (f->n_funcname != 1 || !is_aggregate(name) || f->agg_distinct || f->over != NULL ||
        f->agg_filter != NULL || f->n_agg_order > 0 || f->agg_within_group || f->func_variadic)
        return refuse_call(p, f, name, err);
    if (!p->in_item)
        return SQL_UNSUPPORTED(p, f->location, err,
                               "%s inside WHERE or another aggregate: aggregates stand in the "
                               "SELECT list alone",
                               name);
    if (f->agg_star ? !count : f->n_args != 1)
        return sql_place_error(err, FM_E_INPUT, p->text, f->location,
                               "%s takes exactly one argument%s", name, count ? ", or *" : "");
    *out = sql_syntax_new(p, SQL_SYNTAX_CALL, f->location, f->agg_star ? 0 : 1);
    if (*out == NULL || ((*out)->text = sql_arena_text(p->arena, name)) == NULL)
        return base_err_memory(err, "SQL");
    if (f->agg_star)
        return FM_OK;
    p->in_item = false;
    st = sql_parse_expr(&(*out)->args[0], p, f->args[0], err);
    p->in_item = true;
    return st;
}

/* Whether an aggregate stands anywhere in what the parser gave: decides which refusal helps. */
static bool holds_call(const PgQuery__Node *node, unsigned depth)
{
    if (node == NULL || depth > SQL_MAX_DEPTH)
        return false;
    switch (node->node_case) {
    case PG_QUERY__NODE__NODE_FUNC_CALL:
        return true;
    case PG_QUERY__NODE__NODE_A_EXPR:
        return holds_call(node->a_expr->lexpr, depth + 1) ||
               holds_call(node->a_expr->rexpr, depth + 1);
    case PG_QUERY__NODE__NODE_TYPE_CAST:
        return holds_call(node->type_cast->arg, depth + 1);
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
        return node->coalesce_expr->n_args > 0 &&
               holds_call(node->coalesce_expr->args[0], depth + 1);
    default:
        return false;
    }
}

fm_status sql_parse_item(struct sql_syntax **out, struct sql_parser *p, const PgQuery__Node *node,
                         int at, struct base_err *err)
{
    const PgQuery__ColumnRef *c =
        node->node_case == PG_QUERY__NODE__NODE_COLUMN_REF ? node->column_ref : NULL;

    p->near = at;
    if (node->node_case == PG_QUERY__NODE__NODE_FUNC_CALL)
        return sql_parse_call(out, p, node->func_call, err);
    if (c != NULL && c->n_fields > 0 &&
        c->fields[c->n_fields - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR)
        return sql_parse_expr(out, p, node, err);
    if (holds_call(node, 0))
        return SQL_UNSUPPORTED(p, at, err,
                               "an expression over aggregates is not offered yet: select the "
                               "aggregates themselves and compute with them afterwards");
    return SQL_UNSUPPORTED(p, at, err,
                           "rows of others are never revealed: select aggregates, such as "
                           "COUNT(*), SUM(x), MIN(x), MAX(x), AVG(x)");
}
