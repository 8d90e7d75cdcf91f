/* Stages 2 and 3: bind and type -> logical plan.
 *
 *   SQL text --sql_parse--> syntax.h --bind--> struct sql_plan --sql_plan_json--> canonical, hash
 *                                                   |--uses.h--> what each provider's column is for
 *                                                   '--physical.h--> vector steps --run.h--> result
 *
 * The logical plan is what a contract pins and an authorizer signs: names resolved to member,
 * dataset and schema version, every expression typed, every value's range proved to stay within 64
 * bits, the minimum-group guard part of it. It reads declared facts only. Its canonical form
 * (plan.md) and hash are the same on every node and in every release of one format.
 *
 * The operators are a tree (relation.h), written down from its leaves to its root: sql_plan.rels.
 * Plans of the form scan -> filter -> ungrouped aggregates have `simple` set, and their parts stand
 * in `filter` and `outputs` too: physical.h lowers these to vector steps. */
#ifndef FIRMIANA_EXCHANGE_SQL_PLAN_PLAN_H
#define FIRMIANA_EXCHANGE_SQL_PLAN_PLAN_H

#include <jansson.h>

#include "base/bytes.h"
#include "exchange/sql/plan/catalog.h"
#include "exchange/sql/plan/relation.h"

enum { SQL_PLAN_FORMAT = 3, SQL_MAX_PARAMS = 64, SQL_MAX_NODES = 65536 };

/* ---- expressions: nodes in one array, operands before their users ---- */

enum sql_op {
    SQL_OP_COLUMN = 1,
    SQL_OP_CONST, /* text for TEXT, else value; null has a type too */
    SQL_OP_PARAM,
    SQL_OP_RESCALE, /* times 10^digits: the same number at a finer scale */
    SQL_OP_NEG,
    SQL_OP_ADD,
    SQL_OP_SUB,
    SQL_OP_MUL,
    SQL_OP_EQ,
    SQL_OP_NE,
    SQL_OP_LT,
    SQL_OP_LE,
    SQL_OP_GT,
    SQL_OP_GE,
    SQL_OP_AND, /* 2 or more; BETWEEN and IN become these */
    SQL_OP_OR,
    SQL_OP_NOT,
    SQL_OP_IS_NULL,
    SQL_OP_IS_TRUE,
    SQL_OP_CASE,  /* when, then, ..., else: an odd number, all results of one type */
    SQL_OP_DIV,   /* x 10^digits / y: of integers cut towards zero, of decimals rounded half away
                     from zero. NULL where y is 0, which raises SQL_FLAG_DIVISION_BY_ZERO */
    SQL_OP_MOD,   /* of integers, with the sign of x; where y is 0 as DIV */
    SQL_OP_ROUND, /* digits fewer after the point, rounded half away from zero */
    /* What the owner of the rows computes before it shares them, and nobody else: physical/local.h.
     * All are NULL if an operand is. */
    SQL_OP_LIKE, /* x, a literal in which % is any text, _ any character, \ makes the next plain */
    SQL_OP_CONCAT,   /* 2 or more */
    SQL_OP_LENGTH,   /* in characters */
    SQL_OP_UPPER,    /* the letters a to z; no others */
    SQL_OP_LOWER,    /* A to Z */
    SQL_OP_TRIM,     /* x, a literal whose characters go from its ends; digits: enum sql_trim */
    SQL_OP_SUBSTR,   /* x, from (the first character is 1), how many: literals */
    SQL_OP_REPLACE,  /* x, what (nothing, if it is empty), by what: literals */
    SQL_OP_POSITION, /* where, in x, y begins first: characters from 1; 0: nowhere */
    SQL_OP_AS_TEXT,  /* a number, a date or a truth value as results show it */
    SQL_OP_COUNT_OF_OPS
};

/* Which ends of a text TRIM looks at. */
enum sql_trim { SQL_TRIM_START = 1, SQL_TRIM_END = 2 };

static inline bool sql_op_is_local(enum sql_op op)
{
    return op >= SQL_OP_LIKE;
}

#define SQL_NONE ((size_t)-1)

struct sql_node {
    enum sql_op op;
    struct data_type type;
    struct sql_range range; /* of values that are not NULL */
    bool nullable;
    bool null;        /* CONST */
    sql_wide value;   /* CONST */
    const char *text; /* CONST of TEXT */
    size_t index;     /* COLUMN: into sql_plan.columns; PARAM: into sql_plan.params */
    unsigned digits;  /* RESCALE, DIV, ROUND; TRIM */
    size_t arg_count;
    const size_t *args;
    int at;        /* where it stands in the text; not part of the canonical form */
    bool calendar; /* CASE of an EXTRACT; likewise */
};

/* ---- the plan ---- */

/* One member's rows in the union. Those of a table stand together, sorted by member. */
struct sql_source {
    size_t table; /* into sql_plan.tables */
    const char *member;
    const char *dataset;
    int64_t version;
    int64_t rows; /* padded */
    int64_t read; /* of a plan on its way to run: how many of these its owner has, where it makes
                     more by a join of its own (sql_lookup.most); 0: all */
    int64_t max_rows_per_subject; /* 0: no subject declared */
    bool recipient;
};

/* One mention of a table in the text: a dataset, of one member or of all that publish it. A dataset
 * that the text mentions twice is two tables with equal sources: `same_as` is then the first, and
 * its rows need not be shared again. */
struct sql_table {
    const char *name; /* of the dataset, as in the text */
    size_t first_source;
    size_t source_count;
    int64_t rows;   /* sum of the sources' */
    size_t same_as; /* SQL_NONE */
    int at;
};

/* A column of rows (relation.h says what an operator's rows have). The first column_count of them
 * are what providers put in, sorted by table and name, each the hull of what the sources declare;
 * after them those that operators make, in their order. */
struct sql_plan_column {
    const char *name; /* made ones: the alias, or what people would call it; not unique */
    struct data_type type;
    struct sql_range range; /* of values that are not NULL */
    bool nullable;          /* where it is made; a LEFT join above can add NULLs */
    size_t value_count;     /* TEXT: the only texts there are, ascending by bytes; 0: any */
    const char **values;
    size_t table; /* of what providers put in; SQL_NONE: made by an operator */
    int at;       /* where the text first mentions it */
    bool shown; /* stands in the result as it is, or rows are ordered by it: of TEXT, the words are
                   needed and not only the hash */
    /* Of a plan on its way to run (physical/local.h): */
    bool home;    /* its owner reads it, and shares only what it makes of it */
    bool derived; /* its owner makes it of others: `local` is a node of local_nodes; SQL_NONE: it is
                     what a lookup has found */
    size_t local;
};

/* Of a plan on its way to run (physical/local_join.h): a join that one owner makes of two tables of
 * its own, before it shares anything. For each row of `table` it looks for the row of `from` with
 * equal keys; from's columns are then columns of table's rows, NULL where there is none. Nodes are
 * of local_nodes. */
struct sql_lookup {
    size_t table;
    size_t from;
    size_t key_count;
    size_t *left;     /* nodes over table's row */
    size_t *right;    /* nodes over from's row; a NULL equals nothing */
    size_t filter;    /* node over from's row: it is there only where this is true; or SQL_NONE */
    size_t condition; /* node over both: what else must be true; or SQL_NONE */
    size_t found;     /* column: BOOLEAN */
    bool inner;       /* who reads `from`'s columns drops rows without a match */
    int64_t most;    /* rows of one key in from; else its owner declares what is not true. More than
                        1: each makes a row of table's. 0: any number, and one is as good as all */
    bool null_aware; /* found is as sql_join.null_aware says */
};

struct sql_param {
    struct data_type type;
    struct sql_range range;
    bool hidden; /* the value enters as shares of the asker's */
    bool known;  /* while binding: the type has been found */
    bool declared;
};

/* AVG is the exact sum / count, rounded half away from zero to its argument's scale + digits, where
 * digits is SQL_AVG_DIGITS unless the result or a step towards it could leave 64 bits: then it is
 * the greatest smaller number for which that is proved. */
enum { SQL_AVG_DIGITS = 6 };

/* A column of the result. */
struct sql_output {
    const char *name;
    size_t column; /* of the last operator's rows */
    struct data_type type;
    struct sql_range range;
    int at;
    /* In a simple plan the aggregate that it is: */
    enum sql_fn fn;
    size_t arg;      /* node, or SQL_NONE for COUNT(*) */
    unsigned digits; /* AVG */
    size_t counted;  /* node, or SQL_NONE: as in sql_item */
};

struct sql_plan {
    const char *text; /* a copy of the query, for places */
    size_t table_count;
    struct sql_table *tables; /* in the order of the text */
    size_t source_count;
    struct sql_source *sources; /* of all tables, one after the other */
    size_t column_count;        /* that providers put in */
    size_t made_count;          /* that operators make: they follow in the same array */
    struct sql_plan_column *columns;
    size_t derived_count; /* that owners make of their own before they share: they follow these */
    size_t local_node_count;
    struct sql_node *local_nodes; /* what those are: expressions over what providers put in */
    size_t lookup_count;          /* on its way to run; what one's `from` needs stands before it */
    struct sql_lookup *lookups;
    const size_t *hosts; /* on its way to run: with which table's rows a table's columns are shared;
                            NULL: each with its own */
    const size_t *same;  /* on its way to run, of columns: whose shares it is; SQL_NONE, or NULL for
                            all: its own */
    size_t rel_count;
    struct sql_rel **rels; /* inputs before users; the last one's rows are the result */
    bool simple;
    const char *table; /* simple: the table's name */
    int64_t rows;      /* simple: of the scan */
    size_t param_count;
    struct sql_param *params;
    size_t node_count;
    struct sql_node *nodes;
    size_t filter; /* node, or SQL_NONE */
    size_t output_count;
    struct sql_output *outputs;
    size_t recipient_count;
    const char **recipients; /* sorted */
    /* The guard: an aggregate is suppressed, inside the computation, unless at least
     * guard_rows rows of sources that are no recipient count: the filter holds and the argument is
     * not NULL. guard_rows = minimum * (sum over those sources of max_rows_per_subject): a subject
     * may be in every one of them, so fewer rows could be fewer subjects. 0 when minimum is 1. */
    int64_t minimum;
    int64_t guard_rows;
    struct sql_arena arena;
};

/* It borrows nothing. */
void sql_plan_release(struct sql_plan *plan);

/* The canonical form of plan.md: a new tree. */
fm_status sql_plan_json(json_t **out, const struct sql_plan *plan, struct base_err *err) FM_CHECK;
/* SHA-256 over its canonical bytes. */
fm_status sql_plan_hash(uint8_t out32[32], const struct sql_plan *plan,
                        struct base_err *err) FM_CHECK;
/* For people: sources, expressions with types and ranges, outputs, guard. */
void sql_plan_print(struct base_buf *out, const struct sql_plan *plan);
/* One expression as SQL, every operation in parentheses. Long ones are cut with "...". */
void sql_plan_print_expr(struct base_buf *out, const struct sql_plan *plan, size_t node);

/* "count", "sum", ... */
const char *sql_fn_name(enum sql_fn fn);
/* The canonical name of an operation: "add", "is_null", ... */
const char *sql_op_name(enum sql_op op);

/* ---- parameter values, bound at run time ---- */

/* A value for one parameter. TEXT borrows text. */
struct sql_value {
    int64_t value;
    const char *text;
};

/* Reads the text of a value as the parameter's type and checks its range.
 * Errors: FM_E_INPUT naming the parameter and what it accepts, never the value. */
fm_status sql_param_parse(struct sql_value *out, const struct sql_plan *plan, size_t index,
                          const char *text, struct base_err *err) FM_CHECK;

#endif
