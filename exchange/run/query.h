/* Inside of exchange/run: a plan of several operators on its way to a result. Each operator of the
 * plan (exchange/sql/plan/relation.h) becomes one or a few of relation.h and its kin; its
 * expressions are programs of vector steps (sql_physical_expressions). Everything follows from the
 * plan alone, so all parties do the same. */
#ifndef FIRMIANA_EXCHANGE_RUN_QUERY_H
#define FIRMIANA_EXCHANGE_RUN_QUERY_H

#include "exchange/run/query_order.h"
#include "exchange/run/relation.h"
#include "exchange/run/run_internal.h"

/* Rows of an operator: column i of r is column ids[i] of the plan. */
struct query_rows {
    struct run_relation r;
    size_t ids[RUN_MAX_COLUMNS];
    struct query_order orders[QUERY_ORDERS];
};
void query_rows_release(struct query_rows *rows);

struct query {
    const struct sql_run_config *c;
    const struct sql_plan *plan;
    struct sql_run *inputs;      /* its registers: what was put in */
    struct query_rows *rows;     /* of each operator, until its user has it */
    const struct sql_rel *fused; /* a JOIN that the GROUP above finishes (query_group.h) */
    struct mpc_find_path *path;  /* of its rows */
};

/* Where the plan's column stands; RUN_NONE: nowhere. */
size_t query_find(const struct query_rows *rows, size_t column);
/* Like query_find() for a list; FM_E_ARG where one is missing: the plan is wrong. */
fm_status query_find_all(size_t *out, const struct query_rows *rows, const size_t *columns,
                         size_t count, struct base_err *err) FM_CHECK;
/* Keeps rel's columns, in their order, then those that guards of the plan ask for. */
fm_status query_arrange(struct query *q, struct query_rows *rows, const struct sql_rel *rel,
                        struct base_err *err) FM_CHECK;
/* Appends a column; takes its shares over. */
fm_status query_append(struct query_rows *rows, struct run_column column, size_t id,
                       struct base_err *err) FM_CHECK;

/* query_expr.c: out[i], shares of the caller's, for each root over these rows; of a TEXT, where
 * worded[i] (NULL: nowhere), with its words. What was true where
 * it must be said to recipients is raised as a flag of rows. */
fm_status query_eval(struct run_column *out, struct query *q, struct query_rows *rows,
                     const size_t *roots, const bool *worded, size_t count,
                     struct base_err *err) FM_CHECK;
/* The truth of a condition. */
fm_status query_truth(struct mpc_share **out, struct query *q, struct query_rows *rows, size_t node,
                      struct base_err *err) FM_CHECK;
void query_column_free(struct run_column *column);
/* The expression as a column of the rows: one that stands there already, or appended (id SQL_NONE).
 */
fm_status query_as_column(size_t *at, struct query *q, struct query_rows *rows, size_t node,
                          struct base_err *err) FM_CHECK;

/* query_group.c, query_join.c */
fm_status query_group(struct query *q, struct query_rows *rows, const struct sql_rel *rel,
                      struct base_err *err) FM_CHECK;
fm_status query_join(struct query *q, struct query_rows *left, struct query_rows *right,
                     const struct sql_rel *rel, struct base_err *err) FM_CHECK;
/* query_sort.c */
fm_status query_windows(struct query *q, struct query_rows *rows, const struct sql_rel *rel,
                        struct base_err *err) FM_CHECK;
fm_status query_sort(struct query *q, struct query_rows *rows, const struct sql_rel *rel,
                     struct base_err *err) FM_CHECK;
/* query.c: all operators; rows of the last one, whose shares are the caller's. */
fm_status query_run(struct query_rows *out, struct query *q, struct base_err *err) FM_CHECK;
/* query_result.c: veils, opens and writes down. *out stays empty where this party is no recipient.
 */
fm_status query_answer(struct sql_result *out, struct query *q, struct query_rows *rows,
                       struct base_err *err) FM_CHECK;

#endif
