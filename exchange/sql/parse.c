#include "exchange/sql/parse.h"

#include <pg_query.h>
#include <stdio.h>
#include <string.h>

#include "exchange/data/value.h"

/* ---- the statement ---- */

static fm_status parse_table(struct sql_query *out, struct sql_parser *p,
                             const PgQuery__SelectStmt *s, struct base_err *err)
{
    const PgQuery__Node *from;
    const PgQuery__RangeVar *t;

    if (s->n_from_clause == 0)
        return SQL_UNSUPPORTED(p, 0, err, "no FROM: name one table, as in FROM loans");
    if (s->n_from_clause > 1)
        return SQL_UNSUPPORTED(p, 0, err,
                               "FROM lists %zu tables: joins are not offered yet, query one table",
                               s->n_from_clause);
    from = s->from_clause[0];
    if (from->node_case == PG_QUERY__NODE__NODE_JOIN_EXPR)
        return SQL_UNSUPPORTED(p, 0, err, "JOIN is not offered yet: query one table");
    if (from->node_case != PG_QUERY__NODE__NODE_RANGE_VAR)
        return SQL_UNSUPPORTED(p, 0, err,
                               "FROM holds a subquery or a function: name one table instead");
    t = from->range_var;
    if (t->catalogname != NULL && *t->catalogname != '\0')
        return SQL_UNSUPPORTED(p, t->location, err,
                               "a table has at most two parts: write %s.%s, member and dataset",
                               t->schemaname, t->relname);
    if (!t->inh)
        return SQL_UNSUPPORTED(p, t->location, err, "ONLY is not offered: leave it out");
    if (t->alias != NULL && t->alias->n_colnames > 0)
        return SQL_UNSUPPORTED(p, t->location, err,
                               "column aliases of a table are not offered: leave the list out");
    out->table = sql_arena_text(p->arena, t->relname);
    out->table_at = t->location;
    if (t->schemaname != NULL && *t->schemaname != '\0')
        out->owner = sql_arena_text(p->arena, t->schemaname);
    if (t->alias != NULL)
        out->table_alias = sql_arena_text(p->arena, t->alias->aliasname);
    if (out->table == NULL)
        return base_err_memory(err, "SQL");
    return FM_OK;
}

/* Every clause of SELECT that is not in the subset, named. */
static fm_status refuse_clauses(struct sql_parser *p, const PgQuery__SelectStmt *s,
                                struct base_err *err)
{
    const char *what = NULL;

    if (s->op > PG_QUERY__SET_OPERATION__SETOP_NONE)
        what = "UNION, INTERSECT and EXCEPT are not offered yet: run one SELECT at a time";
    else if (s->with_clause != NULL)
        what = "WITH is not offered yet: write one plain SELECT";
    else if (s->n_values_lists > 0)
        what = "VALUES is not offered: SELECT aggregates FROM a table";
    else if (s->n_distinct_clause > 0)
        what = "SELECT DISTINCT is not offered yet: leave DISTINCT out";
    else if (s->n_group_clause > 0)
        what = "GROUP BY is not offered yet: run one query for each group with WHERE";
    else if (s->having_clause != NULL)
        what = "HAVING is not offered yet: leave it out";
    else if (s->n_window_clause > 0)
        what = "WINDOW is not offered yet: use plain aggregates";
    else if (s->n_sort_clause > 0)
        what = "ORDER BY is not offered yet: the result has one row, leave it out";
    else if (s->limit_count != NULL || s->limit_offset != NULL)
        what = "LIMIT and OFFSET are not offered yet: the result has one row, leave them out";
    else if (s->n_locking_clause > 0 || s->into_clause != NULL)
        what = "SELECT INTO and FOR UPDATE are not offered: queries only read";
    return what == NULL ? FM_OK : SQL_UNSUPPORTED(p, 0, err, "%s", what);
}

static fm_status parse_items(struct sql_query *out, struct sql_parser *p,
                             const PgQuery__SelectStmt *s, struct base_err *err)
{
    fm_status st = FM_OK;

    if (s->n_target_list == 0)
        return SQL_UNSUPPORTED(p, 0, err, "nothing is selected: write SELECT COUNT(*) FROM ...");
    out->items = sql_arena_array(p->arena, s->n_target_list, sizeof *out->items);
    if (out->items == NULL)
        return base_err_memory(err, "SQL");
    out->item_count = s->n_target_list;
    p->in_item = true;
    for (size_t i = 0; st == FM_OK && i < s->n_target_list; i++) {
        const PgQuery__ResTarget *t = s->target_list[i]->res_target;
        struct sql_syntax_item *item = &out->items[i];

        st = sql_parse_item(&item->expr, p, t->val, t->location, err);
        if (st == FM_OK && t->name != NULL && *t->name != '\0') {
            item->alias = sql_arena_text(p->arena, t->name);
            if (item->alias == NULL)
                st = base_err_memory(err, "SQL");
        }
    }
    p->in_item = false;
    return st;
}

static fm_status parse_statement(struct sql_query *out, struct sql_parser *p,
                                 const PgQuery__ParseResult *tree, struct base_err *err)
{
    const PgQuery__Node *node;
    const PgQuery__SelectStmt *s;
    fm_status st;

    if (tree->n_stmts == 0)
        return sql_place_error(err, FM_E_INPUT, p->text, 0,
                               "no statement: write SELECT COUNT(*) FROM ...");
    if (tree->n_stmts > 1)
        return SQL_UNSUPPORTED(p, tree->stmts[1]->stmt_location, err,
                               "a second statement: give one SELECT at a time");
    node = tree->stmts[0]->stmt;
    if (node->node_case != PG_QUERY__NODE__NODE_SELECT_STMT)
        return SQL_UNSUPPORTED(p, 0, err, "not a SELECT: queries only read");
    s = node->select_stmt;
    st = refuse_clauses(p, s, err);
    if (st == FM_OK)
        st = parse_items(out, p, s, err);
    if (st == FM_OK)
        st = parse_table(out, p, s, err);
    if (st == FM_OK && s->where_clause != NULL)
        st = sql_parse_expr(&out->where, p, s->where_clause, err);
    return st;
}

/* ---- bounds before the parser runs ---- */

static bool may_nest(PgQuery__Token token)
{
    switch ((int)token) {
    case PG_QUERY__TOKEN__IDENT:
    case PG_QUERY__TOKEN__ICONST:
    case PG_QUERY__TOKEN__FCONST:
    case PG_QUERY__TOKEN__SCONST:
    case PG_QUERY__TOKEN__PARAM:
    case PG_QUERY__TOKEN__SQL_COMMENT:
    case PG_QUERY__TOKEN__C_COMMENT:
    case PG_QUERY__TOKEN__ASCII_41: /* ) */
    case PG_QUERY__TOKEN__ASCII_44: /* , */
    case PG_QUERY__TOKEN__ASCII_46: /* . */
    case PG_QUERY__TOKEN__AND:      /* chains of these are flat */
    case PG_QUERY__TOKEN__OR:
    case PG_QUERY__TOKEN__WHEN:
    case PG_QUERY__TOKEN__THEN:
    case PG_QUERY__TOKEN__ELSE:
    case PG_QUERY__TOKEN__END_P:
        return false;
    default:
        return true;
    }
}

static fm_status parser_error(const struct sql_parser *p, const PgQueryError *e,
                              struct base_err *err)
{
    /* libpg_query counts characters from 1 where its trees count bytes from 0. */
    int at = e->cursorpos > 0 ? sql_place_byte(p->text, e->cursorpos - 1) : 0;

    return sql_place_error(err, FM_E_INPUT, p->text, at, "%.200s", e->message);
}

/* Every level of a parse tree costs at least one token that may nest, so their number bounds the
 * depth of the recursions in libpg_query and protobuf-c, which check nothing themselves. */
static fm_status bound_tokens(struct sql_parser *p, struct base_err *err)
{
    PgQueryScanResult r = pg_query_scan(p->text);
    PgQuery__ScanResult *scan = NULL;
    size_t nesting = 0;
    fm_status st = FM_OK;

    if (r.error != NULL) {
        st = parser_error(p, r.error, err);
        goto out;
    }
    scan = pg_query__scan_result__unpack(NULL, r.pbuf.len, (const uint8_t *)r.pbuf.data);
    if (scan == NULL) {
        st = base_err_memory(err, "SQL");
        goto out;
    }
    for (size_t i = 0; st == FM_OK && i < scan->n_tokens; i++) {
        nesting += may_nest(scan->tokens[i]->token);
        if (nesting > SQL_MAX_NESTING_TOKENS)
            st = sql_place_error(err, FM_E_LIMIT, p->text, scan->tokens[i]->start,
                                 "more than %d operators and keywords: split the query",
                                 SQL_MAX_NESTING_TOKENS);
    }
    pg_query__scan_result__free_unpacked(scan, NULL);
out:
    pg_query_free_scan_result(r);
    return st;
}

static fm_status parse_text(struct sql_query *out, struct sql_parser *p, struct base_err *err)
{
    PgQueryProtobufParseResult r = pg_query_parse_protobuf(p->text);
    PgQuery__ParseResult *tree = NULL;
    fm_status st;

    if (r.error != NULL) {
        st = parser_error(p, r.error, err);
        goto out;
    }
    tree =
        pg_query__parse_result__unpack(NULL, r.parse_tree.len, (const uint8_t *)r.parse_tree.data);
    if (tree == NULL) {
        st = base_err_memory(err, "SQL");
        goto out;
    }
    st = parse_statement(out, p, tree, err);
    pg_query__parse_result__free_unpacked(tree, NULL);
out:
    pg_query_free_protobuf_parse_result(r);
    return st;
}

fm_status sql_parse(struct sql_query *out, struct sql_arena *arena, const char *text, size_t len,
                    struct base_err *err)
{
    struct sql_parser p = {.arena = arena};
    char *copy;
    fm_status st;

    *out = (struct sql_query){0};
    if (len > SQL_MAX_TEXT_BYTES)
        return base_err_set(err, FM_E_LIMIT, "SQL text of %zu bytes: at most %d are read", len,
                            SQL_MAX_TEXT_BYTES);
    if (memchr(text, '\0', len) != NULL || !data_utf8_valid(text, len))
        return base_err_set(err, FM_E_INPUT, "SQL text is not valid UTF-8 without NUL");
    copy = sql_arena_alloc(arena, len + 1);
    if (copy == NULL)
        return base_err_memory(err, "SQL");
    memcpy(copy, text, len);
    p.text = copy;
    out->text = copy;
    st = bound_tokens(&p, err);
    return st == FM_OK ? parse_text(out, &p, err) : st;
}
