/* Stage 2, bind and type: shared by the binder's files; nobody else includes this.
 *
 * Invariants of the node array, which everything after relies on:
 *   1. an operand's index is smaller than its user's;
 *   2. every range is within -(2^63 - 1) .. 2^63 - 1 (columns, constants and parameters: 64 bits);
 *   3. operands of comparisons, ADD, SUB, and the results of a CASE have one type up to precision;
 *   4. a text expression bound once is one node, however often its desugared form uses it, so that
 *      the number of nodes is linear in the length of the text. */
#ifndef FIRMIANA_EXCHANGE_SQL_BIND_BIND_H
#define FIRMIANA_EXCHANGE_SQL_BIND_BIND_H

#include "exchange/sql/bind/compile.h"
#include "exchange/sql/parse/place.h"
#include "exchange/sql/parse/syntax.h"

/* ---- names ---- */

/* A table as the names of one SELECT see it. */
struct sql_scope_table {
    const char *name;  /* alias, or the dataset's name; NULL: names nothing any more */
    const char *owner; /* member before it, where the text has one and no alias */
    const char *label; /* for errors */
    bool nulls;        /* on the side of a LEFT join that may be missing */
    /* a dataset: columns are made when first mentioned */
    struct sql_rel *scan;
    const struct sql_dataset **datasets;
    /* a query: */
    struct sql_rel *rel;
    size_t column_count;
    const char **names;
    const size_t *columns;
    /* columns that USING gave to another table: not found without a qualifier */
    size_t hidden_count;
    const char **hidden;
};

struct sql_scope {
    size_t table_count;
    struct sql_scope_table *tables;
};

/* A WITH query: bound anew at each mention, in the scope of those before it. */
struct sql_with_scope {
    const struct sql_with_scope *outer;
    const struct sql_syntax_with *with;
};

/* ---- one SELECT while it is bound ---- */

/* Set while expressions above a GROUP are bound. */
struct sql_grouping {
    struct sql_rel *rel;
    const struct sql_query *query;
    const struct sql_syntax **key_syntax;  /* of each key; NULL: a link */
    const struct sql_syntax **item_syntax; /* of each item */
    size_t item_cap;
};

struct sql_level {
    const struct sql_query *query;
    struct sql_rel *rel; /* what has been built so far */
    struct sql_scope scope;
    const struct sql_with_scope *with;
    struct sql_grouping *grouping; /* NULL: expressions are over rows */
    const char *clause;      /* where aggregates may not stand: "WHERE", ...; NULL: they may */
    struct sql_rel *window;  /* made at the first window function; on top in the end */
    struct sql_level *outer; /* of a subquery: the query around it; NULL: none */
    size_t link_count;       /* of a subquery: how its rows hang together with that */
    struct sql_link *links;
};

/* inner = outer: columns that a subquery's rows must share with those of the query around it. */
struct sql_link {
    size_t inner; /* node */
    size_t outer; /* node over the outer level's rows */
    int at;
};

/* What a bound query gives. Of a subquery: and by what it hangs together with the query around it,
 * links[i].inner being columns now. */
struct sql_given {
    size_t link_count;
    struct sql_link *links;
    struct sql_rel *rel;
    size_t count;
    const char **names;
    size_t *columns;
};

/* Nodes of the SELECT list, stars opened up. */
struct sql_list {
    size_t count;
    const char **names;
    size_t *nodes;
};

struct sql_binder {
    struct sql_plan *plan;
    const struct sql_request *request;
    const char *text;
    size_t node_cap;
    size_t column_cap;
    size_t table_cap;
    size_t source_cap;
    const struct sql_dataset **datasets; /* of each source of the plan */
    struct sql_rel **made_by;            /* of each column of the plan */
    size_t rels_made;
    struct sql_level *level;
    unsigned depth;     /* of queries within queries */
    bool short_numbers; /* written numbers without zeros at their end: see sql_plan_compile() */
};

/* What the place of an expression says about its type: given to NULL, 'text' and $n, which have
 * none of their own. */
struct sql_expect {
    struct data_type type;
    struct sql_range range;
};

#define SQL_BIND_ERROR(b, code, at, err, ...) sql_place_error(err, code, (b)->text, at, __VA_ARGS__)

/* bind_table.c: a dataset of FROM, and the column that a name means. */
fm_status sql_bind_table(struct sql_scope_table *out, struct sql_binder *b,
                         const struct sql_syntax_from *f, struct base_err *err) FM_CHECK;
fm_status sql_bind_column(struct sql_node *out, struct sql_binder *b, const struct sql_syntax *s,
                          struct base_err *err) FM_CHECK;
/* Does the scope know the column? */
bool sql_bind_resolves(struct sql_binder *b, struct sql_scope *scope, const struct sql_syntax *s);
/* The column of a table of the scope, made if need be; SQL_NONE if it has none of that name. */
fm_status sql_bind_column_of(size_t *out, struct sql_binder *b, struct sql_scope_table *t,
                             const char *name, struct base_err *err) FM_CHECK;
/* The number of the dataset's column as a column of the plan, mentioned in the text or not. */
fm_status sql_bind_use(size_t *out, struct sql_binder *b, struct sql_rel *scan, const char *name,
                       struct base_err *err) FM_CHECK;
/* All columns of a table, in its own order. */
fm_status sql_bind_all_columns(struct sql_given *out, struct sql_binder *b,
                               struct sql_scope_table *t, struct base_err *err) FM_CHECK;

/* bind_conjuncts.c: s, which may be NULL, as a list. */
struct sql_conjuncts {
    size_t count;
    const struct sql_syntax **list;
};
fm_status sql_bind_split(struct sql_conjuncts *out, struct sql_binder *b,
                         const struct sql_syntax *s, struct base_err *err) FM_CHECK;
/* bind_magic.c: conditions on the outer row that are no links get a table that stands for it: *rel,
 * or NULL where none is needed (or none will do). The scope must have room for one more. */
fm_status sql_bind_magic(struct sql_rel **rel, struct sql_binder *b, struct sql_conjuncts *all,
                         struct base_err *err) FM_CHECK;
/* bind_from.c: FROM and WHERE of the level. */
fm_status sql_bind_from(struct sql_binder *b, const struct sql_query *q,
                        struct base_err *err) FM_CHECK;
/* A join of two operators by keys, which are nodes of either side, of one type. */
fm_status sql_bind_join(struct sql_rel **out, struct sql_binder *b, enum sql_join_kind kind,
                        struct sql_rel *left, struct sql_rel *right, const size_t *left_keys,
                        const size_t *right_keys, size_t key_count, int at,
                        struct base_err *err) FM_CHECK;
/* A node for the column as rel's rows have it. */
fm_status sql_bind_reference(size_t *out, struct sql_binder *b, const struct sql_rel *rel,
                             size_t column, int at, struct base_err *err) FM_CHECK;
/* left = right: both brought to one type. */
fm_status sql_bind_equal(size_t *left, size_t *right, struct sql_binder *b, int at,
                         struct base_err *err) FM_CHECK;
/* bind_query.c */
fm_status sql_bind_query(struct sql_given *out, struct sql_binder *b, const struct sql_query *q,
                         const struct sql_with_scope *with, struct sql_level *outer,
                         struct base_err *err) FM_CHECK;
/* *column: the node's own, if it is a column; else a new one, made on top of *rel. */
fm_status sql_bind_as_column(size_t *column, struct sql_binder *b, struct sql_rel **rel,
                             size_t node, const char *name, struct base_err *err) FM_CHECK;
fm_status sql_bind_distinct(struct sql_given *g, struct sql_binder *b, int at,
                            struct base_err *err) FM_CHECK;
/* The list as columns; DISTINCT, ORDER BY and LIMIT of the query. */
fm_status sql_bind_finish(struct sql_given *g, struct sql_binder *b, const struct sql_query *q,
                          const struct sql_list *l, struct base_err *err) FM_CHECK;
/* bind_set.c: UNION, INTERSECT, EXCEPT. */
fm_status sql_bind_set(struct sql_given *g, struct sql_binder *b, const struct sql_query *q,
                       struct base_err *err) FM_CHECK;
/* bind_order.c: the nodes of ORDER BY, where columns will stand; LIMIT, which needs them. */
fm_status sql_bind_order(struct sql_order **out, struct sql_binder *b, const struct sql_query *q,
                         const struct sql_list *l, struct base_err *err) FM_CHECK;
fm_status sql_bind_limit(struct sql_given *g, struct sql_binder *b, const struct sql_query *q,
                         const struct sql_order *order, struct base_err *err) FM_CHECK;
/* bind_total.c: does a group's values in these columns tell its keys, so that no two groups have
 * the same? */
bool sql_bind_determines(const struct sql_binder *b, const struct sql_rel *group,
                         const size_t *columns, size_t count);
/* bind_group.c */
fm_status sql_bind_aggregate(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                             struct base_err *err) FM_CHECK;
fm_status sql_bind_grouping(struct sql_binder *b, const struct sql_query *q,
                            struct base_err *err) FM_CHECK;
bool sql_bind_aggregates(const struct sql_query *q);
/* The key that an expression above a GROUP is; SQL_NONE: it is none. */
size_t sql_bind_key(const struct sql_binder *b, const struct sql_syntax *s);
/* rows and domain of a GROUP, from its keys. */
void sql_bind_domain(struct sql_rel *rel, const struct sql_binder *b);
/* Are two texts the same expression, but for its places? */
bool sql_bind_same(const struct sql_syntax *x, const struct sql_syntax *y);
/* bind_window.c */
fm_status sql_bind_window(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                          struct base_err *err) FM_CHECK;
/* bind_subquery.c */
fm_status sql_bind_subquery(size_t *out, struct sql_binder *b, const struct sql_syntax *s, bool top,
                            struct base_err *err) FM_CHECK;
bool sql_bind_has_subquery(const struct sql_syntax *s);
/* bind_text.c: SQL_SYNTAX_FUNCTION; and a value as TEXT. */
fm_status sql_bind_text(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                        struct base_err *err) FM_CHECK;
fm_status sql_bind_as_text(size_t *inout, struct sql_binder *b, int at,
                           struct base_err *err) FM_CHECK;
/* bind_date.c */
bool sql_bind_is_date_sum(const struct sql_syntax *s);
fm_status sql_bind_date_days(size_t *out, struct sql_binder *b, enum sql_op op, size_t date,
                             size_t days, int at, struct base_err *err) FM_CHECK;
fm_status sql_bind_extract(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                           struct base_err *err) FM_CHECK;
fm_status sql_bind_null_with(size_t *inout, struct sql_binder *b, const size_t *operands,
                             size_t count, int at, struct base_err *err) FM_CHECK;
/* bind_function.c: / % CAST ABS GREATEST LEAST EXTRACT, and dates with intervals. */
fm_status sql_bind_function(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                            struct base_err *err) FM_CHECK;
/* A truth value as a number: 1, 0 or NULL. */
fm_status sql_bind_truth_number(size_t *inout, struct sql_binder *b, int at,
                                struct base_err *err) FM_CHECK;
fm_status sql_bind_date_sum(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                            struct base_err *err) FM_CHECK;
fm_status sql_bind_const(size_t *out, struct sql_binder *b, struct data_type type, sql_wide value,
                         int at, struct base_err *err) FM_CHECK;

/* rel.c: a new operator over one input, or none; the caller fills in the rest. */
fm_status sql_rel_new(struct sql_rel **out, struct sql_binder *b, enum sql_rel_kind kind,
                      struct sql_rel *input, int at, struct base_err *err) FM_CHECK;
/* A new column that rel makes. */
fm_status sql_rel_make(size_t *out, struct sql_binder *b, struct sql_rel *rel,
                       struct sql_plan_column column, struct base_err *err) FM_CHECK;
/* Do rel's rows have the column? All those of the node? Any? */
bool sql_rel_has(const struct sql_binder *b, const struct sql_rel *rel, size_t column);
bool sql_rel_has_all(const struct sql_binder *b, const struct sql_rel *rel, size_t node);
bool sql_rel_has_any(const struct sql_binder *b, const struct sql_rel *rel, size_t node);
/* The greatest number of rows with equal values, none NULL, in these columns; 0: not declared. */
int64_t sql_rel_max(const struct sql_binder *b, const struct sql_rel *rel, const size_t *columns,
                    size_t count);
/* May the column be NULL in rel's rows because a LEFT join below found no match? */
bool sql_rel_nulls(const struct sql_binder *b, const struct sql_rel *rel, size_t column);
/* Rows where the condition is not true go, as far down as its columns are at hand. */
fm_status sql_rel_filter(struct sql_rel **inout, struct sql_binder *b, size_t condition,
                         struct base_err *err) FM_CHECK;
/* settle.c: numbers columns and operators for good, and writes them down in the plan. */
fm_status sql_plan_settle(struct sql_binder *b, const struct sql_given *given,
                          struct base_err *err) FM_CHECK;
/* place: of each of the binder's columns, its number for good. */
fm_status sql_settle_result(struct sql_plan *plan, const struct sql_given *given,
                            const size_t *place, struct base_err *err) FM_CHECK;
/* guard.c */
fm_status sql_bind_guards(struct sql_binder *b, struct sql_rel *root,
                          struct base_err *err) FM_CHECK;
/* bind_counted.c: item->counted, from its argument. */
fm_status sql_bind_counted(struct sql_item *item, struct sql_binder *b,
                           struct base_err *err) FM_CHECK;
/* Aggregates' result types. */
fm_status sql_bind_item_type(struct sql_item *item, struct sql_plan_column *column,
                             const struct sql_binder *b, int64_t rows,
                             struct base_err *err) FM_CHECK;

/* bind_expr.c. expect may be NULL. */
fm_status sql_bind_expr(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                        const struct sql_expect *expect, struct base_err *err) FM_CHECK;
fm_status sql_bind_condition(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                             const char *where, struct base_err *err) FM_CHECK;
/* bind_leaf.c: literals, columns and parameters; and is the type of s for its place to say? */
fm_status sql_bind_leaf(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                        const struct sql_expect *expect, struct base_err *err) FM_CHECK;
bool sql_bind_is_loose(const struct sql_binder *b, const struct sql_syntax *s);
/* bind_logic.c: comparisons and what becomes CASE; a comparison of two nodes by its syntax kind. */
fm_status sql_bind_compare(size_t *out, struct sql_binder *b, enum sql_syntax_kind kind,
                           size_t left, size_t right, int at, struct base_err *err) FM_CHECK;
fm_status sql_bind_comparison(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                              struct base_err *err) FM_CHECK;
fm_status sql_bind_case(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                        struct base_err *err) FM_CHECK;

/* bind_node.c: new nodes. make fills in range and nullable from op and args, and refuses a range
 * beyond 64 bits. */
fm_status sql_bind_add(size_t *out, struct sql_binder *b, struct sql_node node,
                       struct base_err *err) FM_CHECK;
fm_status sql_bind_make(size_t *out, struct sql_binder *b, enum sql_op op, int at,
                        const size_t *args, size_t arg_count, struct base_err *err) FM_CHECK;
/* The same for operations that have digits of their own: DIV, ROUND. */
fm_status sql_bind_make_digits(size_t *out, struct sql_binder *b, enum sql_op op, int at,
                               const size_t *args, size_t arg_count, unsigned digits,
                               struct base_err *err) FM_CHECK;
/* *inout at a finer scale: itself, a folded constant, or a RESCALE of it. */
fm_status sql_bind_rescale(size_t *inout, struct sql_binder *b, unsigned scale,
                           struct base_err *err) FM_CHECK;
/* Both operands numbers: brings them to the finer scale of the two. */
fm_status sql_bind_align(size_t *left, size_t *right, struct sql_binder *b,
                         struct base_err *err) FM_CHECK;
fm_status sql_bind_null(size_t *out, struct sql_binder *b, struct data_type type, int at,
                        struct base_err *err) FM_CHECK;
struct sql_expect sql_bind_expect(const struct sql_binder *b, size_t node);

/* range.c. The range of a node from those of its operands (by node index). */
struct sql_range sql_range_of(const struct sql_node *node, const struct sql_range *ranges);
/* By the operands' own ranges. */
struct sql_range sql_range_divide(const struct sql_node *node, struct sql_range x,
                                  struct sql_range y);
/* What a range must satisfy: its values, or the sum of up to `times` of them, fit 64 bits. */
struct sql_range sql_range_times(struct sql_range range, int64_t times);
bool sql_range_fits(struct sql_range range);
/* FM_E_LIMIT: `what` at `at` could leave 64 bits; says which declared range under `node` to narrow,
 * and to what, so that sql_range_times(node, times) fits (times 0: the node's own value). */
fm_status sql_range_refuse(const struct sql_plan *plan, size_t node, int64_t times,
                           const char *what, int at, struct base_err *err) FM_CHECK;

/* "INTEGER", "DECIMAL(14,4)", ...: computed decimals with the precision that they need. */
void sql_bind_type_name(char out[DATA_TYPE_TEXT], const struct sql_node *node);

#endif
