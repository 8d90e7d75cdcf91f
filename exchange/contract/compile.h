/* From a specification and the published datasets to a contract, and back: every node compiles the
 * SQL itself and compares, so that what officers allow and what is computed are the same thing.
 *
 * datasets: an object with the ledger's values, {"ALIAS/DATASET": {"schema", "schema_hash", ...}}.
 *
 * A specification (what an analyst writes): {"name", "version"?, "purpose", "sql", "compute": [3
 * aliases], "link"?: "lan" | "metro" | "wan", "recipients": [aliases], "parameters"?: [{"name":
 * "$1", "type", "range"?: [least, greatest], "hidden"?, "subject"?}], "minimum_group"?: 5,
 * "protocol"?: protocol.h, "key"? and "contributors"?: 2 (aggregate: exchange/aggregate/key.h),
 * "consent": {"requirement": "none", "basis"} or {"requirement": "subject", "parameter", "modes"},
 * "valid_ms"?: 31536000000}. */
#ifndef FIRMIANA_EXCHANGE_CONTRACT_COMPILE_H
#define FIRMIANA_EXCHANGE_CONTRACT_COMPILE_H

#include "base/bytes.h"
#include "exchange/contract/contract.h"
#include "exchange/sql/plan/plan.h"

/* *out: the contract, ready for contract.propose. dids: {alias: did} of the members. Errors: those
 * of sql_plan_compile() and contract_subject_check(); FM_E_INPUT naming the member of the
 * specification that is wrong. */
fm_status contract_build(json_t **out, const json_t *spec, const char *asker,
                         const json_t *datasets, const json_t *dids, int64_t now_ms,
                         struct base_err *err) FM_CHECK;

/* Compiles the contract's SQL against its pinned tables and compares plan and uses with what the
 * contract says. FM_E_REFUSED if they differ, if a table is no longer what the contract pins, or if
 * it rests on a subject's consent and reads others' rows (subject.h).
 * The caller releases *plan. */
fm_status contract_compile(struct sql_plan *plan, const struct contract *contract,
                           const json_t *datasets, struct base_err *err) FM_CHECK;

/* The plan of {"sql", "recipients", "parameters"?}, which a specification and a contract have in
 * common. The caller releases *plan. */
fm_status contract_plan(struct sql_plan *plan, const json_t *from, int64_t minimum,
                        const json_t *datasets, struct base_err *err) FM_CHECK;

/* H(JCS(uses[alias])) and that array (borrowed); FM_E_NOT_FOUND if the member is no provider. */
fm_status contract_uses_of(const json_t **uses, uint8_t hash32[32], const struct contract *contract,
                           const char *alias, struct base_err *err) FM_CHECK;

/* For people: plan and uses as tables. */
fm_status contract_describe(struct base_buf *plan_text, struct base_buf *uses_text,
                            const struct sql_plan *plan, struct base_err *err) FM_CHECK;

#endif
