/* Which protocol answers a contract, and what that protocol asks of the contract. `rep3` answers
 * every plan, among three; `aggregate` (exchange/aggregate) COUNT, SUM and AVG over one table,
 * under
 * a threshold key that the contract names; `psi-sum` (exchange/intersect) the same over the join of
 * two members' tables. */
#ifndef FIRMIANA_EXCHANGE_CONTRACT_PROTOCOL_H
#define FIRMIANA_EXCHANGE_CONTRACT_PROTOCOL_H

#include "base/bytes.h"
#include "exchange/contract/contract.h"
#include "exchange/sql/plan/plan.h"

/* The one that a specification names; where it names none, the one that its other members are for:
 * aggregate where there is a key, psi-sum where two compute, else rep3. *out is static. */
fm_status contract_protocol_of(const char **out, const json_t *spec, struct base_err *err) FM_CHECK;

/* Can this contract be run as it says? Every node asks before it says ready, and before its officer
 * signs. FM_E_UNSUPPORTED, FM_E_LIMIT: the plan is none of the protocol's; FM_E_INPUT: the
 * contract's members do not fit. */
fm_status contract_protocol_check(const struct contract *contract, const struct sql_plan *plan,
                                  struct base_err *err) FM_CHECK;

/* For people: what runs, who could decrypt what, and what it costs. A few lines, each indented by
 * two blanks. */
fm_status contract_protocol_describe(struct base_buf *out, const struct contract *contract,
                                     const struct sql_plan *plan, struct base_err *err) FM_CHECK;

/* Which protocols besides rep3 could answer the plan, and what each would leak: an array of
 * {"protocol", "leaks", "rounds"}. *out is new. */
fm_status contract_protocols_json(json_t **out, const struct sql_plan *plan,
                                  struct base_err *err) FM_CHECK;

#endif
