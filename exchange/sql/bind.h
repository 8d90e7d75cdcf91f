/* Stage 2, bind and type: shared by the binder's files; nobody else includes this.
 *
 * Invariants of the node array, which everything after relies on:
 *   1. an operand's index is smaller than its user's;
 *   2. every range is within -(2^63 - 1) .. 2^63 - 1 (columns, constants and parameters: 64 bits);
 *   3. operands of comparisons, ADD, SUB, and the results of a CASE have one type up to precision;
 *   4. a text expression bound once is one node, however often its desugared form uses it, so that
 *      the number of nodes is linear in the length of the text. */
#ifndef FIRMIANA_EXCHANGE_SQL_BIND_H
#define FIRMIANA_EXCHANGE_SQL_BIND_H

#include "exchange/sql/place.h"
#include "exchange/sql/plan.h"
#include "exchange/sql/syntax.h"

struct sql_binder {
    struct sql_plan *plan;
    const struct sql_query *query;
    const struct sql_request *request;
    const struct sql_dataset **datasets; /* one for each source */
    size_t node_cap;
};

/* What the place of an expression says about its type: given to NULL, 'text' and $n, which have
 * none of their own. */
struct sql_expect {
    struct data_type type;
    struct sql_range range;
};

#define SQL_BIND_ERROR(b, code, at, err, ...) \
    sql_place_error(err, code, (b)->query->text, at, __VA_ARGS__)

/* bind_table.c: sources, and the column that a name means. */
fm_status sql_bind_table(struct sql_binder *b, struct base_err *err) FM_CHECK;
fm_status sql_bind_column(struct sql_node *out, struct sql_binder *b, const struct sql_syntax *s,
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
/* bind_logic.c: comparisons and what becomes CASE. */
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
/* *inout at a finer scale: itself, a folded constant, or a RESCALE of it. */
fm_status sql_bind_rescale(size_t *inout, struct sql_binder *b, unsigned scale,
                           struct base_err *err) FM_CHECK;
/* Both operands numbers: brings them to the finer scale of the two. */
fm_status sql_bind_align(size_t *left, size_t *right, struct sql_binder *b,
                         struct base_err *err) FM_CHECK;
fm_status sql_bind_null(size_t *out, struct sql_binder *b, struct data_type type, int at,
                        struct base_err *err) FM_CHECK;
struct sql_expect sql_bind_expect(const struct sql_binder *b, size_t node);

/* tree.c: the operators, once all else is bound. */
fm_status sql_tree_simple(struct sql_plan *plan, struct base_err *err) FM_CHECK;

/* range.c. The range of a node from those of its operands (by node index). */
struct sql_range sql_range_of(const struct sql_node *node, const struct sql_range *ranges);
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
