/* A contract that rests on one subject's consent may read that subject's rows and no others.
 *
 * The machine lets such a contract go below the ledger's minimum group, because the one subject
 * agreed; whether the SQL keeps to that subject only a node can tell, since it alone compiles. */
#ifndef FIRMIANA_EXCHANGE_CONTRACT_SUBJECT_H
#define FIRMIANA_EXCHANGE_CONTRACT_SUBJECT_H

#include <jansson.h>

#include "base/status.h"
#include "exchange/sql/plan/plan.h"

/* Do only rows of the subject that parameter $n names count in the plan? That is so if WHERE
 * requires `column = $n`, joined to everything else by AND, where column is the subject column that
 * each of the plan's datasets declares. n counts from 1. datasets as in compile.h.
 * FM_E_REFUSED: it is not so, or the parameter is hidden, so that nobody could compare it with the
 * consent. */
fm_status contract_subject_check(const struct sql_plan *plan, const json_t *datasets, int64_t n,
                                 struct base_err *err) FM_CHECK;

#endif
