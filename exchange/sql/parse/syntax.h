/* Stage 1, parse: SQL text -> a small tree of our own, with places. PostgreSQL's parser
 * (libpg_query) reads the text; whatever lies outside the language is refused here, with its place
 * and what to write instead. Nothing is known yet of tables, types or members.
 *
 *   query:     [WITH name AS (query), ...] select [ORDER BY x [ASC | DESC] [NULLS FIRST | LAST],
 * ...] [LIMIT n] [OFFSET n], or query UNION [ALL] | INTERSECT | EXCEPT query select:    SELECT
 * [DISTINCT] x [[AS] alias], ... FROM table, ... [WHERE x] [GROUP BY x, ...] [HAVING x] table:
 * [member.]dataset
 * [[AS] alias] | (query) [AS] alias | table [INNER | LEFT | RIGHT] JOIN table ON x | USING (column,
 * ...) x:         column, literal, $n, + - * / %, comparisons, AND OR NOT, [NOT] BETWEEN, [NOT] IN
 * (list or query), [NOT] EXISTS (query), (query), IS [NOT] NULL / TRUE / FALSE / UNKNOWN, CASE,
 * COALESCE, NULLIF, GREATEST, LEAST, ABS, CAST, EXTRACT, INTERVAL, [I]LIKE, ||, functions of
 * parse_function.c aggregate: COUNT SUM MIN MAX AVG VAR_POP VAR_SAMP STDDEV_POP STDDEV_SAMP
 * BOOL_AND BOOL_OR
 *              ([DISTINCT] x) [FILTER (WHERE x)], PERCENTILE_DISC(f) WITHIN GROUP (ORDER BY x)
 *   window:    ROW_NUMBER() | RANK() | SUM(x) | COUNT(x) OVER ([PARTITION BY ...] [ORDER BY ...])
 */
#ifndef FIRMIANA_EXCHANGE_SQL_PARSE_SYNTAX_H
#define FIRMIANA_EXCHANGE_SQL_PARSE_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"
#include "exchange/sql/parse/arena.h"

/* Bounds on a hostile text: bytes, then tokens that may nest (they bound the depth of every
 * recursion in libpg_query and below), then the depth of an expression as people mean it. */
enum {
    SQL_MAX_TEXT_BYTES = 65536,
    SQL_MAX_NESTING_TOKENS = 2000,
    SQL_MAX_DEPTH = 250,
    SQL_MAX_QUERIES = 64
};

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
    SQL_SYNTAX_CALL,        /* text = count, sum, ...: an aggregate or, with over, a window; no args
                               means COUNT(*), or that the function has none */
    SQL_SYNTAX_DIV,
    SQL_SYNTAX_MOD,
    SQL_SYNTAX_CAST,     /* text = the type, as data_type_parse() reads it */
    SQL_SYNTAX_EXTRACT,  /* text = year, quarter, month or day */
    SQL_SYNTAX_INTERVAL, /* number = months, days */
    SQL_SYNTAX_ABS,
    SQL_SYNTAX_FUNCTION, /* of one row; text = like, upper, ...: parse_function.c */
    SQL_SYNTAX_GREATEST,
    SQL_SYNTAX_LEAST,
    SQL_SYNTAX_STAR,       /* in a SELECT list: *, or qualifier.* */
    SQL_SYNTAX_IN_QUERY,   /* x; query */
    SQL_SYNTAX_QUANTIFIED, /* x; query; operation: of x op ANY (query), or ALL if number is 1 */
    SQL_SYNTAX_EXISTS,     /* query */
    SQL_SYNTAX_SUBQUERY    /* query, as a value */
};

struct sql_query;

struct sql_syntax_order {
    struct sql_syntax *expr;
    bool descending;
    bool nulls_first;
};

struct sql_syntax_over {
    size_t partition_count;
    struct sql_syntax **partition;
    size_t order_count;
    struct sql_syntax_order *order;
};

struct sql_syntax {
    enum sql_syntax_kind kind;
    int at; /* byte in the text; -1 where the parser did not say */
    const char *text;
    const char *qualifier; /* table or alias before the column's name; NULL if none */
    const char *owner;     /* member before that */
    enum sql_syntax_kind operation;
    int number;
    int days;
    size_t arg_count;
    struct sql_syntax **args;
    bool distinct;                /* CALL */
    struct sql_syntax *filter;    /* CALL; NULL if none */
    struct sql_syntax_over *over; /* CALL; NULL if it is an aggregate */
    struct sql_syntax *fraction;  /* CALL of percentile_disc, whose arg is what it orders by */
    struct sql_query *query;
};

struct sql_syntax_item {
    struct sql_syntax *expr;
    const char *alias; /* NULL if none */
};

enum sql_syntax_join { SQL_SYNTAX_INNER = 1, SQL_SYNTAX_LEFT, SQL_SYNTAX_RIGHT };

/* A table of FROM: a join if left is not NULL, else a query or a name. */
struct sql_syntax_from {
    int at;
    const char *owner; /* member before the table; NULL: every member that publishes it */
    const char *table;
    const char *alias; /* NULL if none */
    size_t column_count;
    const char **columns; /* new names of a subquery's first columns */
    struct sql_query *query;
    enum sql_syntax_join join;
    struct sql_syntax_from *left;
    struct sql_syntax_from *right;
    struct sql_syntax *on; /* NULL with USING */
    size_t using_count;
    const char **using;
};

struct sql_syntax_with {
    const char *name;
    size_t column_count;
    const char **columns; /* as in sql_syntax_from */
    struct sql_query *query;
};

enum sql_syntax_set {
    SQL_SYNTAX_SELECT = 1,
    SQL_SYNTAX_UNION,
    SQL_SYNTAX_UNION_ALL,
    SQL_SYNTAX_INTERSECT,
    SQL_SYNTAX_EXCEPT
};

struct sql_query {
    const char *text; /* of the outermost one: the copy that places refer to */
    int at;
    size_t with_count;
    struct sql_syntax_with *with;
    enum sql_syntax_set set;
    struct sql_query *left; /* of a union */
    struct sql_query *right;
    bool distinct;
    size_t item_count;
    struct sql_syntax_item *items;
    size_t from_count;
    struct sql_syntax_from **from;
    struct sql_syntax *where; /* NULL if none */
    size_t group_count;
    struct sql_syntax **group;
    struct sql_syntax *having; /* NULL if none */
    size_t order_count;
    struct sql_syntax_order *order;
    struct sql_syntax *limit; /* NULL if none */
    struct sql_syntax *offset;
};

/* The datasets that a text names, each once: names of WITH are none. */
enum { SQL_MAX_NAMED_TABLES = 16 };
struct sql_named_table {
    const char *owner; /* NULL: every member that publishes it */
    const char *table;
};
struct sql_named_tables {
    size_t count;
    struct sql_named_table tables[SQL_MAX_NAMED_TABLES];
    bool more; /* than there is room for */
    size_t with_count;
    const char *with[SQL_MAX_NAMED_TABLES];
};
void sql_query_tables(struct sql_named_tables *out, const struct sql_query *query);

/* Everything in *out lives in the arena. Errors: FM_E_INPUT (not SQL), FM_E_UNSUPPORTED (outside
 * the subset), FM_E_LIMIT, each "line L, column C: ...". */
fm_status sql_parse(struct sql_query **out, struct sql_arena *arena, const char *text, size_t len,
                    struct base_err *err) FM_CHECK;

#endif
