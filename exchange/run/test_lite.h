/* An expression of a plan as SQLite reads it, over columns of scaled integers. */
#ifndef FIRMIANA_EXCHANGE_RUN_TEST_LITE_H
#define FIRMIANA_EXCHANGE_RUN_TEST_LITE_H

#include "exchange/run/test_generate.h"
#include "exchange/sql/plan/plan.h"

const char *lite_expr(struct gen_world *w, const struct gen_query *q, const struct sql_plan *plan,
                      size_t node);

#endif
