/* Queries: SELECT, UNION, WITH, ORDER BY, LIMIT. */
#include <string.h>

#include "exchange/sql/parse/parse.h"

fm_status sql_parse_list(struct sql_syntax ***out, size_t *count, struct sql_parser *p,
                         PgQuery__Node *const *nodes, size_t n, struct base_err *err)
{
    fm_status st = FM_OK;

    *count = n;
    *out = sql_arena_array(p->arena, n, sizeof **out);
    if (*out == NULL)
        return base_err_memory(err, "SQL");
    for (size_t i = 0; st == FM_OK && i < n; i++)
        st = sql_parse_expr(&(*out)[i], p, nodes[i], err);
    return st;
}

/* As in PostgreSQL, NULLs go last unless the order is descending or the text says otherwise. */
fm_status sql_parse_order(struct sql_syntax_order **out, size_t *count, struct sql_parser *p,
                          PgQuery__Node *const *nodes, size_t n, struct base_err *err)
{
    fm_status st = FM_OK;

    *count = n;
    *out = sql_arena_array(p->arena, n, sizeof **out);
    if (*out == NULL)
        return base_err_memory(err, "SQL");
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        const PgQuery__SortBy *s =
            nodes[i]->node_case == PG_QUERY__NODE__NODE_SORT_BY ? nodes[i]->sort_by : NULL;
        struct sql_syntax_order *o = &(*out)[i];

        if (s == NULL || s->sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_USING)
            return SQL_UNSUPPORTED(p, p->near, err, "ORDER BY takes ASC or DESC, not USING");
        st = sql_parse_expr(&o->expr, p, s->node, err);
        o->descending = s->sortby_dir == PG_QUERY__SORT_BY_DIR__SORTBY_DESC;
        o->nulls_first =
            s->sortby_nulls == PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_FIRST ||
            (!o->descending && s->sortby_nulls != PG_QUERY__SORT_BY_NULLS__SORTBY_NULLS_LAST);
    }
    return st;
}

/* Every clause of SELECT that is not in the language, named. */
static fm_status refuse_clauses(struct sql_parser *p, const PgQuery__SelectStmt *s,
                                struct base_err *err)
{
    const char *what = NULL;

    if (s->all && (s->op == PG_QUERY__SET_OPERATION__SETOP_INTERSECT ||
                   s->op == PG_QUERY__SET_OPERATION__SETOP_EXCEPT))
        what = "INTERSECT ALL and EXCEPT ALL are not offered: leave ALL out";
    else if (s->n_values_lists > 0)
        what = "VALUES is not offered: SELECT FROM a table";
    else if (s->n_window_clause > 0)
        what = "WINDOW is not offered: write OVER (PARTITION BY ... ORDER BY ...) out";
    else if (s->limit_option == PG_QUERY__LIMIT_OPTION__LIMIT_OPTION_WITH_TIES)
        what = "WITH TIES is not offered: write LIMIT with a total order";
    else if (s->n_locking_clause > 0 || s->into_clause != NULL)
        what = "SELECT INTO and FOR UPDATE are not offered: queries only read";
    else if (s->n_distinct_clause > 0 &&
             s->distinct_clause[0]->node_case != PG_QUERY__NODE__NODE__NOT_SET)
        what = "DISTINCT ON is not offered: write GROUP BY, or plain DISTINCT";
    return what == NULL ? FM_OK : SQL_UNSUPPORTED(p, p->near, err, "%s", what);
}

static fm_status parse_item(struct sql_syntax_item *item, struct sql_parser *p,
                            const PgQuery__ResTarget *t, struct base_err *err)
{
    const PgQuery__ColumnRef *c =
        t->val->node_case == PG_QUERY__NODE__NODE_COLUMN_REF ? t->val->column_ref : NULL;
    bool star = c != NULL && c->n_fields > 0 && c->n_fields <= 2 &&
                c->fields[c->n_fields - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR;
    fm_status st = FM_OK;

    p->near = t->location;
    if (star) {
        item->expr = sql_syntax_new(p, SQL_SYNTAX_STAR, t->location, 0);
        if (item->expr != NULL && c->n_fields == 2) {
            item->expr->qualifier = sql_arena_text(p->arena, sql_parse_string(c->fields[0]));
            if (item->expr->qualifier == NULL)
                return base_err_memory(err, "SQL");
        }
        return item->expr != NULL ? FM_OK : base_err_memory(err, "SQL");
    }
    if (t->val->node_case == PG_QUERY__NODE__NODE_FUNC_CALL)
        st = sql_parse_call(&item->expr, p, t->val->func_call, err);
    else
        st = sql_parse_expr(&item->expr, p, t->val, err);
    if (st == FM_OK && t->name != NULL && *t->name != '\0') {
        item->alias = sql_arena_text(p->arena, t->name);
        if (item->alias == NULL)
            st = base_err_memory(err, "SQL");
    }
    return st;
}

static fm_status parse_items(struct sql_query *out, struct sql_parser *p,
                             const PgQuery__SelectStmt *s, struct base_err *err)
{
    fm_status st = FM_OK;

    if (s->n_target_list == 0)
        return SQL_UNSUPPORTED(p, p->near, err,
                               "nothing is selected: write SELECT COUNT(*) FROM ...");
    out->items = sql_arena_array(p->arena, s->n_target_list, sizeof *out->items);
    if (out->items == NULL)
        return base_err_memory(err, "SQL");
    out->item_count = s->n_target_list;
    for (size_t i = 0; st == FM_OK && i < s->n_target_list; i++)
        st = parse_item(&out->items[i], p, s->target_list[i]->res_target, err);
    return st;
}

static fm_status parse_with(struct sql_query *out, struct sql_parser *p,
                            const PgQuery__WithClause *w, struct base_err *err)
{
    fm_status st = FM_OK;

    if (w->recursive)
        return SQL_UNSUPPORTED(p, w->location, err,
                               "WITH RECURSIVE is not offered: write plain WITH");
    out->with = sql_arena_array(p->arena, w->n_ctes, sizeof *out->with);
    if (out->with == NULL)
        return base_err_memory(err, "SQL");
    for (size_t i = 0; st == FM_OK && i < w->n_ctes; i++) {
        const PgQuery__CommonTableExpr *c = w->ctes[i]->common_table_expr;
        p->near = c->location;
        out->with[i].column_count = c->n_aliascolnames;
        st = sql_parse_names(&out->with[i].columns, p, c->aliascolnames, c->n_aliascolnames, err);
        if (st != FM_OK)
            return st;
        out->with[i].name = sql_arena_text(p->arena, c->ctename);
        if (out->with[i].name == NULL)
            return base_err_memory(err, "SQL");
        st = sql_parse_subquery(&out->with[i].query, p, c->ctequery, err);
        out->with_count = i + 1;
    }
    return st;
}

static fm_status parse_select(struct sql_query *out, struct sql_parser *p,
                              const PgQuery__SelectStmt *s, struct base_err *err)
{
    fm_status st = parse_items(out, p, s, err);

    out->distinct = s->n_distinct_clause > 0;
    if (st == FM_OK && s->n_from_clause == 0)
        return SQL_UNSUPPORTED(p, out->at, err, "no FROM: name a table, as in FROM loans");
    out->from = sql_arena_array(p->arena, s->n_from_clause, sizeof(struct sql_syntax_from *));
    if (out->from == NULL)
        return base_err_memory(err, "SQL");
    out->from_count = s->n_from_clause;
    for (size_t i = 0; st == FM_OK && i < s->n_from_clause; i++)
        st = sql_parse_from(&out->from[i], p, s->from_clause[i], err);
    if (st == FM_OK && s->where_clause != NULL)
        st = sql_parse_expr(&out->where, p, s->where_clause, err);
    if (st == FM_OK)
        st = sql_parse_list(&out->group, &out->group_count, p, s->group_clause, s->n_group_clause,
                            err);
    if (st == FM_OK && s->having_clause != NULL)
        st = sql_parse_expr(&out->having, p, s->having_clause, err);
    return st;
}

static fm_status parse_union(struct sql_query *out, struct sql_parser *p,
                             const PgQuery__SelectStmt *s, struct base_err *err)
{
    fm_status st = sql_parse_query(&out->left, p, s->larg, err);

    out->set = s->op == PG_QUERY__SET_OPERATION__SETOP_INTERSECT ? SQL_SYNTAX_INTERSECT
               : s->op == PG_QUERY__SET_OPERATION__SETOP_EXCEPT  ? SQL_SYNTAX_EXCEPT
               : s->all                                          ? SQL_SYNTAX_UNION_ALL
                                                                 : SQL_SYNTAX_UNION;
    return st == FM_OK ? sql_parse_query(&out->right, p, s->rarg, err) : st;
}

static fm_status parse_body(struct sql_query *out, struct sql_parser *p,
                            const PgQuery__SelectStmt *s, struct base_err *err)
{
    fm_status st = refuse_clauses(p, s, err);

    if (st == FM_OK && s->with_clause != NULL)
        st = parse_with(out, p, s->with_clause, err);
    if (st == FM_OK)
        st = s->op != PG_QUERY__SET_OPERATION__SETOP_NONE ? parse_union(out, p, s, err)
                                                          : parse_select(out, p, s, err);
    if (st == FM_OK)
        st = sql_parse_order(&out->order, &out->order_count, p, s->sort_clause, s->n_sort_clause,
                             err);
    if (st == FM_OK && s->limit_count != NULL)
        st = sql_parse_expr(&out->limit, p, s->limit_count, err);
    if (st == FM_OK && s->limit_offset != NULL)
        st = sql_parse_expr(&out->offset, p, s->limit_offset, err);
    return st;
}

fm_status sql_parse_query(struct sql_query **out, struct sql_parser *p,
                          const PgQuery__SelectStmt *s, struct base_err *err)
{
    fm_status st;

    *out = sql_arena_alloc(p->arena, sizeof **out);
    if (*out == NULL)
        return base_err_memory(err, "SQL");
    (*out)->set = SQL_SYNTAX_SELECT;
    (*out)->at = p->near;
    if (++p->queries > SQL_MAX_QUERIES)
        st = sql_place_error(err, FM_E_LIMIT, p->text, p->near,
                             "queries nest deeper than %d: split the query", SQL_MAX_QUERIES);
    else
        st = parse_body(*out, p, s, err);
    p->queries--;
    return st;
}

fm_status sql_parse_subquery(struct sql_query **out, struct sql_parser *p,
                             const PgQuery__Node *node, struct base_err *err)
{
    if (node == NULL || node->node_case != PG_QUERY__NODE__NODE_SELECT_STMT)
        return SQL_UNSUPPORTED(p, p->near, err, "not a SELECT: queries only read");
    return sql_parse_query(out, p, node->select_stmt, err);
}
