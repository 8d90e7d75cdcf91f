#include "exchange/sql/parse/parse.h"

#include <pg_query.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "exchange/data/value.h"

static fm_status parse_statement(struct sql_query **out, struct sql_parser *p,
                                 const PgQuery__ParseResult *tree, struct base_err *err)
{
    const PgQuery__Node *node;

    if (tree->n_stmts == 0)
        return sql_place_error(err, FM_E_INPUT, p->text, 0,
                               "no statement: write SELECT COUNT(*) FROM ...");
    if (tree->n_stmts > 1)
        return SQL_UNSUPPORTED(p, tree->stmts[1]->stmt_location, err,
                               "a second statement: give one SELECT at a time");
    node = tree->stmts[0]->stmt;
    if (node->node_case != PG_QUERY__NODE__NODE_SELECT_STMT)
        return SQL_UNSUPPORTED(p, 0, err, "not a SELECT: queries only read");
    return sql_parse_query(out, p, node->select_stmt, err);
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

static fm_status parse_text(struct sql_query **out, struct sql_parser *p, struct base_err *err)
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

fm_status sql_parse(struct sql_query **out, struct sql_arena *arena, const char *text, size_t len,
                    struct base_err *err)
{
    struct sql_parser p = {.arena = arena};
    char *copy;
    fm_status st;

    *out = NULL;
    if (len > SQL_MAX_TEXT_BYTES)
        return base_err_set(err, FM_E_LIMIT, "SQL text of %zu bytes: at most %d are read", len,
                            SQL_MAX_TEXT_BYTES);
    if (memchr(text, '\0', len) != NULL || !base_text_is_utf8(text, len))
        return base_err_set(err, FM_E_INPUT, "SQL text is not valid UTF-8 without NUL");
    copy = sql_arena_alloc(arena, len + 1);
    if (copy == NULL)
        return base_err_memory(err, "SQL");
    memcpy(copy, text, len);
    p.text = copy;
    st = bound_tokens(&p, err);
    if (st == FM_OK)
        st = parse_text(out, &p, err);
    if (st == FM_OK)
        (*out)->text = copy;
    return st;
}
