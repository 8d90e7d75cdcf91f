/* A plan's uses as a contract carries them: {alias: [{"column", "uses"}]}, with an entry for every
 * provider. Of a provider with more than one dataset in the plan, "column" is "dataset.column". */
#ifndef FIRMIANA_EXCHANGE_CONTRACT_USES_H
#define FIRMIANA_EXCHANGE_CONTRACT_USES_H

#include <jansson.h>

#include "exchange/sql/plan/plan.h"

/* A new tree, the caller's also when it fails. */
fm_status contract_uses_by_member(json_t **out, const struct sql_plan *plan,
                                  struct base_err *err) FM_CHECK;

#endif
