/* The logical plan's operators: a tree over tables of rows, which physical planning turns into
 * oblivious operators. Everything that physical planning may read is here or in plan.h, so that it
 * is a pure function of the plan; nothing here depends on the rows themselves.
 *
 * COLUMNS. Every value that a row has is a column of the plan (sql_plan.columns), with type, range
 * and nullable; an operator lists by number which ones its rows have. A column keeps its number all
 * the way up: a filter, a join, a sort hand on what they got. Operators that make values (project,
 * aggregate, window, the mark of a join) give them new numbers. An expression (sql_plan.nodes)
 * names columns by number, so it means the same wherever its columns are at hand.
 *
 * ROWS. `rows` bounds the rows that may be there, from declared counts and bounds alone; it is what
 * is padded to, and a secret valid bit says which ones are there. Filters never lower it.
 *
 * FACTS. "At most max_rows valid rows have equal values, none NULL, in these columns." They come
 * from declared keys, and from GROUP BY and DISTINCT. A provider may have declared what is not
 * true; where the result would be wrong then, `flags` says what is opened to recipients beside it.
 *
 * NULL. Columns that a LEFT join adds are nullable whatever they were: a row without a match has
 * NULLs there. */
#ifndef FIRMIANA_EXCHANGE_SQL_PLAN_RELATION_H
#define FIRMIANA_EXCHANGE_SQL_PLAN_RELATION_H

#include "exchange/sql/plan/type.h"

enum sql_rel_kind {
    SQL_REL_SCAN = 1, /* table. rows: all sources', source after source */
    SQL_REL_FILTER,   /* condition: rows where it is true stay valid */
    SQL_REL_PROJECT,  /* makes: new columns, each an expression over the input's; `columns` says
                         which of the old and new ones are handed on */
    SQL_REL_JOIN,     /* inputs[0] probes inputs[1] by equal keys: struct sql_join */
    SQL_REL_GROUP,    /* keys, items; no keys: one row, whatever is there (also of no rows) */
    SQL_REL_WINDOW,   /* windows: new columns; rows stay */
    SQL_REL_SORT,     /* order. Below a LIMIT, or last of all */
    SQL_REL_LIMIT,    /* rows [offset, offset + limit) of a sorted input; the order is total, or all
                         that it leaves open are rows without any difference: where the text's
                         leaves more open, the result's other columns are added to it */
    SQL_REL_UNION     /* all rows of all inputs (UNION ALL): column i of `columns` is made of
                         given[k][i] of input k. UNION is a GROUP over it */
};

enum sql_join_kind {
    SQL_JOIN_INNER = 1, /* columns of both */
    SQL_JOIN_LEFT,      /* a probing row without a match stays, with NULLs */
    SQL_JOIN_MARK,      /* the probing side's columns and `mark`: BOOLEAN, is there a match? Of IN,
                           EXISTS and their negations; `filter` above it drops rows */
    SQL_JOIN_SINGLE     /* LEFT, of a scalar subquery: a second match raises a flag. Without keys:
                           every probing row meets the one row of inputs[1] */
};

/* Keys are columns of equal type (and scale), side by side; a NULL equals nothing. Without keys
 * every row meets every row: at most SQL_MAX_PAIRS. */
struct sql_join {
    enum sql_join_kind kind;
    size_t key_count;
    size_t *left;  /* columns of inputs[0] */
    size_t *right; /* columns of inputs[1] */
    /* At most so many valid rows of a side have the same key; 0: nothing is declared. The binder
     * turns INNER joins so that right_max is 1 if either side's is. */
    int64_t left_max;
    int64_t right_max;
    size_t condition; /* LEFT and MARK: a node that must be true too for a match; or SQL_NONE */
    size_t mark;      /* MARK: the new column */
    /* MARK, of IN where NULL and FALSE must be told apart: NULL if there is no match, but the
     * probing key is NULL and inputs[1] not empty, or a key of inputs[1] is NULL. */
    bool null_aware;
};

enum sql_fn {
    SQL_COUNT = 1,
    SQL_SUM,
    SQL_MIN,
    SQL_MAX,
    SQL_AVG,
    SQL_VAR_POP, /* exact, rounded half away from zero to `digits` more than the argument's */
    SQL_VAR_SAMP,
    SQL_STDDEV_POP,
    SQL_STDDEV_SAMP,
    SQL_PERCENTILE_DISC, /* `fraction`: the first value whose share of the rows reaches it */
    SQL_ROW_NUMBER,      /* windows alone */
    SQL_RANK
};

/* One aggregate of a GROUP. */
struct sql_item {
    enum sql_fn fn;
    size_t arg;    /* node, or SQL_NONE for COUNT(*) */
    size_t filter; /* node, or SQL_NONE: FILTER (WHERE ...) of a TEXT argument; of any other, it is
                      in arg, as CASE WHEN ... THEN arg END */
    bool distinct; /* COUNT(DISTINCT arg) and its like */
    sql_wide fraction; /* PERCENTILE_DISC: in millionths */
    size_t column;     /* the new column: type, range, nullable */
    unsigned digits;   /* AVG, VAR, STDDEV: digits after the point beyond the argument's */
    /* What the guard counts: rows where this is true, and filter, and arg is not NULL. SQL_NONE: no
     * such further condition. It leaves out rows of which the argument says nothing, as those of
     * ELSE in SUM(CASE WHEN c THEN x ELSE 0 END): bind_counted.c. */
    size_t counted;
    int at;
};

struct sql_order {
    size_t column;
    bool descending;
    bool nulls_first;
};

/* One window: fn over the rows that have equal partition columns (NULL equals NULL), in order; with
 * an order, SUM and COUNT run up to the last row that is equal to this one in it. */
struct sql_window {
    enum sql_fn fn; /* COUNT, SUM, ROW_NUMBER, RANK */
    size_t arg;     /* node, or SQL_NONE */
    size_t partition_count;
    size_t *partition;
    size_t order_count;
    struct sql_order *order;
    size_t column;
    int at;
};

/* Whom a GROUP's guard counts: subjects of the rows that sources of `table` which are no recipients
 * put in. `subject` and `others` are columns of the GROUP's input. */
struct sql_guard {
    size_t table;
    size_t others; /* BOOLEAN: the row comes from a source that is no recipient; SQL_NONE: all do */
    /* rows > 0: it is enough to count rows: a group (an item, over the rows where it counts) with
     * fewer is suppressed; rows = minimum * the greatest number of rows of one subject. rows == 0:
     * no such number follows from what is declared, and distinct values of `subject` are counted.
     */
    int64_t rows;
    size_t subject; /* SQL_NONE if rows > 0 */
};

/* "At most max_rows valid rows have the same values, none NULL, in these columns." No columns: at
 * most max_rows rows in all. */
struct sql_fact {
    size_t column_count;
    const size_t *columns;
    int64_t max_rows;
};

/* What may turn out wrong with the data and is then said to the recipients beside the result. */
enum sql_flag {
    SQL_FLAG_KEY_REPEATED = 1u << 0, /* JOIN: more rows of a key than declared (right_max) */
    SQL_FLAG_SECOND_ROW = 1u << 1,   /* JOIN SINGLE */
    SQL_FLAG_DIVISION_BY_ZERO = 1u << 2
};
enum { SQL_FLAG_COUNT = 3 };

/* A value made by a PROJECT. */
struct sql_make {
    size_t column;
    size_t node;
};

struct sql_rel {
    enum sql_rel_kind kind;
    size_t id; /* place in sql_plan.rels: inputs stand before their users */
    size_t of; /* of a plan on its way to run: the logical plan's operator that it belongs to */
    size_t input_count;
    struct sql_rel **inputs;
    size_t column_count;
    size_t *columns; /* of its rows */
    int64_t rows;
    size_t fact_count;
    struct sql_fact *facts;
    unsigned flags; /* of enum sql_flag, by itself and its expressions */
    int at;         /* place in the text */

    size_t table;     /* SCAN */
    size_t others;    /* SCAN: a column that says which rows come from no recipient; SQL_NONE:
                         nobody asks. Public by position: no provider puts it in */
    size_t condition; /* FILTER */
    size_t make_count;
    struct sql_make *makes; /* PROJECT */
    struct sql_join join;   /* JOIN */
    size_t key_count;
    size_t *keys;   /* GROUP: columns of the input; they are the first of `columns` */
    int64_t domain; /* GROUP: how many different keys the declared ranges allow, NULL being one, if
                       at most SQL_SMALL_DOMAIN: no sort is needed then. Else 0 */
    size_t item_count;
    struct sql_item *items; /* GROUP: their columns follow the keys in `columns` */
    size_t guard_count;     /* GROUP: a group is there only if each guard holds for it, and an item
                               is NULL (said to be suppressed, where it is an output as it stands)
                               unless each holds over the rows that it counts */
    struct sql_guard *guards;
    size_t window_count;
    struct sql_window *windows;
    size_t order_count;
    struct sql_order *order; /* SORT */
    size_t **given;          /* UNION: for each input, as many columns of its as `columns` has */
    int64_t limit;           /* LIMIT; SQL_MAX_TOTAL_ROWS: no limit, only an offset */
    int64_t offset;
};

/* Pairs of rows that a join without an equality may make. */
enum { SQL_MAX_PAIRS = 1 << 17 };

/* Groups of at most so many possible keys are counted without a sort. */
enum { SQL_SMALL_DOMAIN = 64 };

#endif
