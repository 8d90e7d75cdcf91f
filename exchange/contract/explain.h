/* What a query would do and need, before there is a contract for it. */
#ifndef FIRMIANA_EXCHANGE_CONTRACT_EXPLAIN_H
#define FIRMIANA_EXCHANGE_CONTRACT_EXPLAIN_H

#include <jansson.h>

#include "base/status.h"

/* ask: {"sql", "recipients", "minimum_group", "parameters"?}, as in a specification. *out: what
 * sql_explain_json() says, and "plan_hash", "plan_text", "uses_text", "uses" ({alias: [...]}),
 * "providers" (whose authorization a contract with this plan needs). Errors: those of
 * sql_plan_compile(). */
fm_status contract_explain(json_t **out, const json_t *ask, const json_t *datasets,
                           struct base_err *err) FM_CHECK;

#endif
