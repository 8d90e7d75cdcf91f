/* The receipt of a query: every party's part, merged by the asker, checked by every signer
 * (ledger/format.md 3). A part is what one party saw: salted hashes of the frames it sent to and
 * received from each other party, and salted commitments to the share components it holds. Two
 * parties report each thing; a merge is possible only if both say the same. */
#ifndef FIRMIANA_EXCHANGE_SESSION_RECEIPT_H
#define FIRMIANA_EXCHANGE_SESSION_RECEIPT_H

#include <jansson.h>

#include "base/status.h"
#include "exchange/session/session.h"
#include "ledger/proof/inner.h"

/* Strict shape of a part from that party. FM_E_PEER names the party and the member at fault. */
fm_status receipt_check_part(const struct session_facts *facts, unsigned from, const json_t *part,
                             struct base_err *err) FM_CHECK;

/* Merges one part per party (parts[i] for party i) into *receipt (new, without proof), outcome
 * "done". FM_E_PEER names the two parties that disagree and on what. */
fm_status receipt_merge(json_t **receipt, const struct session_facts *facts, json_t *const *parts,
                        struct base_err *err) FM_CHECK;

/* A receipt for a query that did not end well. rule and party may be NULL. */
fm_status receipt_failed(json_t **receipt, const struct session_facts *facts, bool refused,
                         const char *rule, const char *party, bool shared,
                         struct base_err *err) FM_CHECK;

/* Sets "proof" from those of proofs[0..count) that are not NULL: one object, or a set in the order
 * that did/proof.h asks for. Each has been checked, so it has a verificationMethod. */
fm_status receipt_add_proofs(json_t *receipt, json_t *const *proofs, unsigned count,
                             struct base_err *err) FM_CHECK;

/* Does the receipt say "done", of this session, and hold exactly what this party reported: each of
 * its hashes and commitments, and none that names it as an end or a holder without its having said
 * so? FM_E_PEER if not. */
fm_status receipt_holds_part(const struct session_facts *facts, const json_t *receipt,
                             const json_t *part, struct base_err *err) FM_CHECK;

/* Is it a well-formed receipt of this session? *outcome and *shared are what it says. */
fm_status receipt_is_of(const struct session_facts *facts, const json_t *receipt,
                        enum ledger_outcome_kind *outcome, bool *shared,
                        struct base_err *err) FM_CHECK;

#endif
