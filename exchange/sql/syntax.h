/* Stage 1, parse: SQL text -> a small tree of our own, with places. PostgreSQL's parser
 * (libpg_query) reads the text; whatever lies outside the subset is refused here, with its place
 * and what to write instead. Nothing is known yet of tables, types or members.
 *
 *   SELECT item [[AS] alias], ...  FROM [member.]dataset [[AS] alias]  [WHERE condition]
 *   item:      COUNT(*) | COUNT(x) | SUM(x) | MIN(x) | MAX(x) | AVG(x)
 *   x:         column, literal, $n, + - *, CASE, COALESCE, NULLIF, conditions as values
 *   condition: = <> < <= > >=, AND OR NOT, [NOT] BETWEEN, [NOT] IN (list), IS [NOT] NULL / TRUE /
 *              FALSE / UNKNOWN, a boolean column */
#ifndef FIRMIANA_EXCHANGE_SQL_SYNTAX_H
#define FIRMIANA_EXCHANGE_SQL_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "exchange/sql/arena.h"

/* Bounds on a hostile text: bytes, then tokens that may nest (they bound the depth of every
 * recursion in libpg_query and below), then the depth of an expression as people mean it. */
enum { SQL_MAX_TEXT_BYTES = 65536, SQL_MAX_NESTING_TOKENS = 2000, SQL_MAX_DEPTH = 250 };

enum sql_syntax_kind {
    SQL_SYNTAX_COLUMN = 1, /* text = name, qualifier, owner */
    SQL_SYNTAX_NUMBER,     /* text = digits, point, sign */
    SQL_SYNTAX_STRING,     /* text */
    SQL_SYNTAX_DATE,       /* text, as in DATE '2024-02-29' */
    SQL_SYNTAX_TRUE,
    SQL_SYNTAX_FALSE,
    SQL_SYNTAX_NULL,
    SQL_SYNTAX_PARAM, /* number */
    SQL_SYNTAX_ADD,
    SQL_SYNTAX_SUB,
    SQL_SYNTAX_MUL,
    SQL_SYNTAX_NEG,
    SQL_SYNTAX_EQ,
    SQL_SYNTAX_NE,
    SQL_SYNTAX_LT,
    SQL_SYNTAX_LE,
    SQL_SYNTAX_GT,
    SQL_SYNTAX_GE,
    SQL_SYNTAX_AND, /* 2 or more args */
    SQL_SYNTAX_OR,
    SQL_SYNTAX_NOT,
    SQL_SYNTAX_BETWEEN, /* x, low, high */
    SQL_SYNTAX_IN,      /* x, then the list */
    SQL_SYNTAX_IS_NULL,
    SQL_SYNTAX_IS_TRUE,
    SQL_SYNTAX_IS_FALSE,
    SQL_SYNTAX_CASE,        /* when, then, when, then, ..., [else]; an odd last one is the ELSE */
    SQL_SYNTAX_SIMPLE_CASE, /* the operand, then as CASE */
    SQL_SYNTAX_COALESCE,    /* 1 or more */
    SQL_SYNTAX_NULLIF,      /* x, y */
    SQL_SYNTAX_CALL         /* text = count, sum, min, max or avg; no args means COUNT(*) */
};

struct sql_syntax {
    enum sql_syntax_kind kind;
    int at; /* byte in the text; -1 where the parser did not say */
    const char *text;
    const char *qualifier; /* table or alias before the column's name; NULL if none */
    const char *owner;     /* member before that */
    int number;
    size_t arg_count;
    struct sql_syntax **args;
};

struct sql_syntax_item {
    struct sql_syntax *expr; /* always a CALL */
    const char *alias;       /* NULL if none */
};

struct sql_query {
    const char *text; /* the copy that places refer to */
    size_t item_count;
    struct sql_syntax_item *items;
    const char *owner; /* member before the table; NULL: every member that publishes it */
    const char *table;
    const char *table_alias; /* NULL if none */
    int table_at;
    struct sql_syntax *where; /* NULL if none */
};

/* Everything in *out lives in the arena. Errors: FM_E_INPUT (not SQL), FM_E_UNSUPPORTED (outside
 * the subset), FM_E_LIMIT, each "line L, column C: ...". */
fm_status sql_parse(struct sql_query *out, struct sql_arena *arena, const char *text, size_t len,
                    struct base_err *err) FM_CHECK;

#endif
