/* A provider's own vector: its rows, filtered and added up by itself, in clear. */
#ifndef FIRMIANA_EXCHANGE_AGGREGATE_LOCAL_H
#define FIRMIANA_EXCHANGE_AGGREGATE_LOCAL_H

#include "exchange/aggregate/shape.h"
#include "exchange/run/run.h"

/* Adds the rows of one source to out, aggregate_guards() + aggregate_values() numbers as shape.h
 * orders them. source: into plan->sources. Errors: those of the rows; FM_E_INPUT, FM_E_LIMIT: the
 * rows break what their dataset declares (row and column are named, values are not). */
fm_status aggregate_local(int64_t *out, const struct aggregate_shape *shape, size_t source,
                          const struct sql_rows *rows, const struct sql_value *params,
                          struct base_err *err) FM_CHECK;

#endif
