/* An expression of a plan as SQLite reads it, over columns of scaled integers. */
#ifndef FIRMIANA_EXCHANGE_RUN_TEST_LITE_H
#define FIRMIANA_EXCHANGE_RUN_TEST_LITE_H

#include <sqlite3.h>

#include "exchange/run/test_generate.h"
#include "exchange/sql/plan/plan.h"

const char *lite_expr(struct gen_world *w, const struct gen_query *q, const struct sql_plan *plan,
                      size_t node);
/* One value of a row of t; false if NULL. */
bool lite_ask(int64_t *out, struct gen_world *w, sqlite3 *oracle, const char *what,
              const char *where, const char *more);
/* sum / n at `digits` more digits, rounded half away from zero: schoolbook, in 128 bits. */
int64_t lite_average(int64_t sum, int64_t n, unsigned digits);

#endif
