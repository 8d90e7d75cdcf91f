/* What a query would do, for people and programs: each operator with the rows it is padded to, who
 * learns what, and what the data could break. */
#ifndef FIRMIANA_EXCHANGE_SQL_PHYSICAL_EXPLAIN_H
#define FIRMIANA_EXCHANGE_SQL_PHYSICAL_EXPLAIN_H

#include <jansson.h>

#include "exchange/sql/plan/plan.h"

/* {"operators":[{"number","operator","does","inputs","rows","local" (who makes it alone, in the
 * clear: local_join.h), "shared_with" (of a scan: the number of another one of the same dataset,
 * whose shares it reads: local_once.h)}], "outputs":[{"name","type"}],
 * "learns":[{"who","what"}], "flags":["..."], "not_run":"..." (if it cannot be run yet)}: a new
 * tree. */
fm_status sql_explain_json(json_t **out, const struct sql_plan *plan,
                           struct base_err *err) FM_CHECK;

#endif
