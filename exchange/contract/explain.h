/* What a query would do and need, before there is a contract for it. */
#ifndef FIRMIANA_EXCHANGE_CONTRACT_EXPLAIN_H
#define FIRMIANA_EXCHANGE_CONTRACT_EXPLAIN_H

#include <jansson.h>

#include "exchange/sql/plan/plan.h"

/* *out: what sql_explain_json() says, and "plan_hash", "plan_text", "uses_text", "uses" ({alias:
 * [...]}), "providers" (whose authorization a contract with this plan needs). FM_E_MEMORY. */
fm_status contract_explain(json_t **out, const struct sql_plan *plan,
                           struct base_err *err) FM_CHECK;

#endif
