/* Shared by the two halves of the parser; nobody else includes this. */
#ifndef FIRMIANA_EXCHANGE_SQL_PARSE_PARSE_H
#define FIRMIANA_EXCHANGE_SQL_PARSE_PARSE_H

#include <pg_query/pg_query.pb-c.h>

#include "exchange/sql/parse/place.h"
#include "exchange/sql/parse/syntax.h"

struct sql_parser {
    struct sql_arena *arena;
    const char *text;
    unsigned depth;   /* of expressions and joins */
    unsigned queries; /* of queries within queries */
    int near;         /* the last place known: for nodes that carry none */
};

/* Refuses what is understood but not offered: FM_E_UNSUPPORTED at that byte. */
#define SQL_UNSUPPORTED(parser, at, err, ...) \
    sql_place_error(err, FM_E_UNSUPPORTED, (parser)->text, at, __VA_ARGS__)

fm_status sql_parse_expr(struct sql_syntax **out, struct sql_parser *p, const PgQuery__Node *node,
                         struct base_err *err) FM_CHECK;
fm_status sql_parse_call(struct sql_syntax **out, struct sql_parser *p,
                         const PgQuery__FuncCall *call, struct base_err *err) FM_CHECK;
fm_status sql_parse_names(const char ***out, struct sql_parser *p, PgQuery__Node *const *nodes,
                          size_t count, struct base_err *err) FM_CHECK;
/* parse_function.c: functions of one row. Names: NULL past the last. */
bool sql_parse_is_function(const char *name);
const char *sql_parse_function_name(size_t i);
fm_status sql_parse_function(struct sql_syntax **out, struct sql_parser *p,
                             const PgQuery__FuncCall *f, const char *name,
                             struct base_err *err) FM_CHECK;
fm_status sql_parse_like(struct sql_syntax **out, struct sql_parser *p, const PgQuery__AExpr *e,
                         struct base_err *err) FM_CHECK;
fm_status sql_parse_cast(struct sql_syntax **out, struct sql_parser *p, const PgQuery__TypeCast *c,
                         struct base_err *err) FM_CHECK;
fm_status sql_parse_query(struct sql_query **out, struct sql_parser *p,
                          const PgQuery__SelectStmt *s, struct base_err *err) FM_CHECK;
/* The query inside a node that must hold one. */
fm_status sql_parse_subquery(struct sql_query **out, struct sql_parser *p,
                             const PgQuery__Node *node, struct base_err *err) FM_CHECK;
fm_status sql_parse_from(struct sql_syntax_from **out, struct sql_parser *p,
                         const PgQuery__Node *node, struct base_err *err) FM_CHECK;
fm_status sql_parse_list(struct sql_syntax ***out, size_t *count, struct sql_parser *p,
                         PgQuery__Node *const *nodes, size_t n, struct base_err *err) FM_CHECK;
fm_status sql_parse_order(struct sql_syntax_order **out, size_t *count, struct sql_parser *p,
                          PgQuery__Node *const *nodes, size_t n, struct base_err *err) FM_CHECK;
/* The text of a String node, or "" for anything else. */
const char *sql_parse_string(const PgQuery__Node *node);

/* New node with room for `args`; NULL when memory is out. */
struct sql_syntax *sql_syntax_new(struct sql_parser *p, enum sql_syntax_kind kind, int at,
                                  size_t args);

#endif
