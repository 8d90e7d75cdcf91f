/* Shared by the two halves of the parser; nobody else includes this. */
#ifndef FIRMIANA_EXCHANGE_SQL_PARSE_H
#define FIRMIANA_EXCHANGE_SQL_PARSE_H

#include <pg_query/pg_query.pb-c.h>

#include "exchange/sql/place.h"
#include "exchange/sql/syntax.h"

struct sql_parser {
    struct sql_arena *arena;
    const char *text;
    unsigned depth;
    int near;     /* the last place known: for nodes that carry none */
    bool in_item; /* inside the SELECT list, where aggregates may stand */
};

/* Refuses what is understood but not offered: FM_E_UNSUPPORTED at that byte. */
#define SQL_UNSUPPORTED(parser, at, err, ...) \
    sql_place_error(err, FM_E_UNSUPPORTED, (parser)->text, at, __VA_ARGS__)

fm_status sql_parse_expr(struct sql_syntax **out, struct sql_parser *p, const PgQuery__Node *node,
                         struct base_err *err) FM_CHECK;
/* An aggregate's call, where it may stand. */
fm_status sql_parse_call(struct sql_syntax **out, struct sql_parser *p,
                         const PgQuery__FuncCall *call, struct base_err *err) FM_CHECK;
/* A CALL of an aggregate, or the refusal of anything else that may stand in a SELECT list. */
fm_status sql_parse_item(struct sql_syntax **out, struct sql_parser *p, const PgQuery__Node *node,
                         int at, struct base_err *err) FM_CHECK;

/* New node with room for `args`; NULL when memory is out. */
struct sql_syntax *sql_syntax_new(struct sql_parser *p, enum sql_syntax_kind kind, int at,
                                  size_t args);

#endif
