/* A provider's own rows in the clear, through the FILTERs and PROJECTs that stand above its table:
 * for protocols under which each provider filters for itself (exchange/aggregate,
 * exchange/intersect). */
#ifndef FIRMIANA_EXCHANGE_RUN_OWN_H
#define FIRMIANA_EXCHANGE_RUN_OWN_H

#include "exchange/run/local.h"

enum { RUN_OWN_STEPS = 8 };

struct run_own {
    const struct sql_plan *plan;
    const struct sql_source *source;
    const struct sql_rel *const *below;
    size_t below_count;
    struct run_local *steps[RUN_OWN_STEPS], *made;
    struct sql_cell *cells; /* the plan's columns, a condition for each step, then the nodes */
    size_t columns, cell_count;
    size_t row; /* of the source, from 1 */
};

/* below: the operators from the SCAN up, SQL_REL_FILTER and SQL_REL_PROJECT alone, at most
 * RUN_OWN_STEPS. nodes: what else is wanted of a row; SQL_NONE is skipped. All but nodes outlives
 * *out. */
fm_status run_own_open(struct run_own *out, const struct sql_plan *plan, size_t source,
                       const struct sql_rel *const *below, size_t below_count, const size_t *nodes,
                       size_t node_count, const struct sql_value *params,
                       struct base_err *err) FM_CHECK;
void run_own_close(struct run_own *own); /* wipes; {0} is fine */

/* The next row that no filter drops, or *end. Errors: those of the rows; FM_E_INPUT, FM_E_LIMIT:
 * they break what their dataset declares (row and column are named, values are not). */
fm_status run_own_next(struct run_own *own, bool *end, const struct sql_rows *rows,
                       struct base_err *err) FM_CHECK;
/* Of that row. */
static inline const struct sql_cell *run_own_column(const struct run_own *own, size_t column)
{
    return &own->cells[column];
}
static inline const struct sql_cell *run_own_node(const struct run_own *own, size_t i)
{
    return &own->cells[own->columns + RUN_OWN_STEPS + i];
}
static inline bool run_own_true(const struct sql_cell *c)
{
    return !c->null && c->value != 0;
}
/* FM_E_INPUT, with the row's number. */
fm_status run_own_bad(const struct run_own *own, size_t column, const char *what,
                      struct base_err *err);

#endif
