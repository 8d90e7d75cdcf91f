/* A provider's own part of a query, in the clear: the derived columns of exchange/sql's
 * physical/local.h, row by row, from the columns of its dataset. The values are those of
 * exchange/sql/plan/plan.h's operations, to the last digit: circuits, had they computed them, would
 * give the same. */
#ifndef FIRMIANA_EXCHANGE_RUN_LOCAL_H
#define FIRMIANA_EXCHANGE_RUN_LOCAL_H

#include "exchange/run/run.h"

struct run_local;

/* The derived columns of one of the plan's tables (physical->plan). params as in sql_run_config:
 * public ones are read. The plan and the parameters must outlive *out. */
fm_status run_local_open(struct run_local **out, const struct sql_plan *plan, size_t table,
                         const struct sql_value *params, struct base_err *err) FM_CHECK;
/* Any expressions over one table's columns: cells[targets[i]] becomes the value of node roots[i].
 */
fm_status run_local_open_nodes(struct run_local **out, const struct sql_node *nodes,
                               size_t node_count, const size_t *roots, const size_t *targets,
                               size_t count, const struct sql_value *params,
                               struct base_err *err) FM_CHECK;
/* Wipes what it held; NULL is allowed. */
void run_local_free(struct run_local *local);

/* Fills the derived columns' (the targets') cells from the others of the same row, which must be
 * within what the plan declares. Texts stay valid until the next call. The time depends on the row.
 */
void run_local_row(struct run_local *local, struct sql_cell *cells);

/* AVG of plan.h, of a sum and a count > 0 that are known. */
int64_t run_local_average(int64_t sum, int64_t count, unsigned digits);

#endif
