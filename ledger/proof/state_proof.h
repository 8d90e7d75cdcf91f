/* Proofs that a key has a value in the state, or has none (format.md sections 6 and 8).
 *
 * A proof is the way from the root down to where the key's path ends: the sibling at each depth,
 * then what stands there: the key's own leaf (presence), nothing, or another leaf alone in its
 * subtree (absence). */
#ifndef FIRMIANA_LEDGER_STATE_PROOF_H
#define FIRMIANA_LEDGER_STATE_PROOF_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/proof/state.h"

#define LEDGER_STATE_DEPTH 256

/* sibling[0] is the root's other child. leaf: there is a leaf at the end, with that path and value
 * hash. */
struct ledger_state_proof {
    unsigned n;
    uint8_t sibling[LEDGER_STATE_DEPTH][32];
    bool leaf;
    uint8_t leaf_path[32];
    uint8_t leaf_value_hash[32];
};

/* Finds the proof for a path, of presence or of absence as the case may be: proof->leaf and
 * leaf_path == path say which. Reads one page per four levels. Errors: FM_E_CORRUPT, and the pages'
 * own. */
fm_status ledger_state_prove(struct ledger_state_proof *proof, const uint8_t path32[32],
                             const struct ledger_state_pages *pages, struct base_err *err) FM_CHECK;

/* FM_OK, or FM_E_INVALID with what does not fit. */
fm_status ledger_state_verify_present(const struct ledger_state_proof *proof,
                                      const uint8_t root32[32], const uint8_t path32[32],
                                      const uint8_t value_hash32[32],
                                      struct base_err *err) FM_CHECK;
fm_status ledger_state_verify_absent(const struct ledger_state_proof *proof,
                                     const uint8_t root32[32], const uint8_t path32[32],
                                     struct base_err *err) FM_CHECK;

/* As it stands in a bundle: {"siblings": [hex ...]} with an empty subtree written as "", and for
 * absence where another leaf stands {"leaf": {"path", "value_hash"}}. The key's own leaf is left
 * out (path32 says which that is): key and value give it. The caller owns the result; NULL when
 * memory is out. */
json_t *ledger_state_proof_json(const struct ledger_state_proof *proof, const uint8_t path32[32]);
/* The same with siblings in one text: base64url of their 32 bytes each, an empty subtree as zeros.
 */
json_t *ledger_state_proof_short(const struct ledger_state_proof *proof, const uint8_t path32[32]);
/* Either form. FM_E_INPUT if malformed. proof->leaf is set only for another leaf. */
fm_status ledger_state_proof_parse(struct ledger_state_proof *proof, const json_t *json,
                                   struct base_err *err) FM_CHECK;

#endif
