/* FROM: tables, subqueries and joins. */
#include <string.h>

#include "exchange/sql/parse/parse.h"

fm_status sql_parse_names(const char ***out, struct sql_parser *p, PgQuery__Node *const *nodes,
                          size_t count, struct base_err *err)
{
    *out = sql_arena_array(p->arena, count, sizeof **out);
    if (*out == NULL)
        return base_err_memory(err, "SQL");
    for (size_t i = 0; i < count; i++) {
        (*out)[i] = sql_arena_text(p->arena, sql_parse_string(nodes[i]));
        if ((*out)[i] == NULL)
            return base_err_memory(err, "SQL");
    }
    return FM_OK;
}

static fm_status set_alias(struct sql_syntax_from *out, struct sql_parser *p,
                           const PgQuery__Alias *alias, struct base_err *err)
{
    if (alias == NULL)
        return FM_OK;
    if (alias->n_colnames > 0 && out->table != NULL)
        return SQL_UNSUPPORTED(p, out->at, err,
                               "new names for the columns of a dataset are not offered: leave the "
                               "list out, or write (SELECT x AS y ... FROM %s) AS %s",
                               out->table, alias->aliasname);
    if (sql_parse_names(&out->columns, p, alias->colnames, alias->n_colnames, err) != FM_OK)
        return err->code;
    out->column_count = alias->n_colnames;
    out->alias = sql_arena_text(p->arena, alias->aliasname);
    return out->alias != NULL ? FM_OK : base_err_memory(err, "SQL");
}

static fm_status parse_table(struct sql_syntax_from *out, struct sql_parser *p,
                             const PgQuery__RangeVar *t, struct base_err *err)
{
    out->at = t->location;
    p->near = t->location;
    if (t->catalogname != NULL && *t->catalogname != '\0')
        return SQL_UNSUPPORTED(p, t->location, err,
                               "a table has at most two parts: write %s.%s, member and dataset",
                               t->schemaname, t->relname);
    if (!t->inh)
        return SQL_UNSUPPORTED(p, t->location, err, "ONLY is not offered: leave it out");
    out->table = sql_arena_text(p->arena, t->relname);
    if (out->table == NULL)
        return base_err_memory(err, "SQL");
    if (t->schemaname != NULL && *t->schemaname != '\0') {
        out->owner = sql_arena_text(p->arena, t->schemaname);
        if (out->owner == NULL)
            return base_err_memory(err, "SQL");
    }
    return set_alias(out, p, t->alias, err);
}

static fm_status parse_subselect(struct sql_syntax_from *out, struct sql_parser *p,
                                 const PgQuery__RangeSubselect *s, struct base_err *err)
{
    fm_status st;

    out->at = p->near;
    if (s->lateral)
        return SQL_UNSUPPORTED(p, out->at, err, "LATERAL is not offered: write a JOIN");
    if (s->alias == NULL)
        return SQL_UNSUPPORTED(p, out->at, err,
                               "a subquery in FROM needs a name: write (SELECT ...) AS t");
    st = set_alias(out, p, s->alias, err);
    return st == FM_OK ? sql_parse_subquery(&out->query, p, s->subquery, err) : st;
}

static fm_status parse_using(struct sql_syntax_from *out, struct sql_parser *p,
                             const PgQuery__JoinExpr *j, struct base_err *err)
{
    out->using_count = j->n_using_clause;
    return sql_parse_names(&out->using, p, j->using_clause, j->n_using_clause, err);
}

static fm_status parse_join(struct sql_syntax_from *out, struct sql_parser *p,
                            const PgQuery__JoinExpr *j, struct base_err *err)
{
    fm_status st = sql_parse_from(&out->left, p, j->larg, err);

    if (st == FM_OK)
        st = sql_parse_from(&out->right, p, j->rarg, err);
    if (st != FM_OK)
        return st;
    out->at = out->right->at;
    if (j->is_natural || j->alias != NULL || j->join_using_alias != NULL)
        return SQL_UNSUPPORTED(p, out->at, err,
                               "NATURAL JOIN and names for joins are not offered: write USING "
                               "(column) or ON a.x = b.x");
    if (j->jointype == PG_QUERY__JOIN_TYPE__JOIN_FULL)
        return SQL_UNSUPPORTED(
            p, out->at, err,
            "FULL JOIN is not offered: write a LEFT JOIN UNION ALL the rows that "
            "only the other side has");
    out->join = j->jointype == PG_QUERY__JOIN_TYPE__JOIN_LEFT    ? SQL_SYNTAX_LEFT
                : j->jointype == PG_QUERY__JOIN_TYPE__JOIN_RIGHT ? SQL_SYNTAX_RIGHT
                                                                 : SQL_SYNTAX_INNER;
    if (j->n_using_clause > 0)
        return parse_using(out, p, j, err);
    return j->quals != NULL ? sql_parse_expr(&out->on, p, j->quals, err) : FM_OK;
}

fm_status sql_parse_from(struct sql_syntax_from **out, struct sql_parser *p,
                         const PgQuery__Node *node, struct base_err *err)
{
    fm_status st;

    *out = sql_arena_alloc(p->arena, sizeof **out);
    if (*out == NULL)
        return base_err_memory(err, "SQL");
    if (++p->depth > SQL_MAX_DEPTH)
        return sql_place_error(err, FM_E_LIMIT, p->text, p->near,
                               "joins nest deeper than %d: split the query", SQL_MAX_DEPTH);
    if (node->node_case == PG_QUERY__NODE__NODE_RANGE_VAR)
        st = parse_table(*out, p, node->range_var, err);
    else if (node->node_case == PG_QUERY__NODE__NODE_RANGE_SUBSELECT)
        st = parse_subselect(*out, p, node->range_subselect, err);
    else if (node->node_case == PG_QUERY__NODE__NODE_JOIN_EXPR)
        st = parse_join(*out, p, node->join_expr, err);
    else
        st = SQL_UNSUPPORTED(p, p->near, err,
                             "FROM holds a function or a sample: name a table instead");
    p->depth--;
    return st;
}
