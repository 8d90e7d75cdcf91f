/* Transactions (format.md sections 2 and 3): parsing, building, signing, and telling who stands
 * behind one.
 *
 * Three questions, asked in this order, with three kinds of answer:
 *   1. ledger_tx_parse(): is it well formed? If not it is dropped (drop.malformed, drop.size).
 *   2. ledger_tx_authenticate(): does every proof on it verify under the sender's current document?
 * If not it is dropped (drop.proof).
 *   3. the same call's `rule`: are those keys the ones that this type asks for, and enough of them?
 * If not it is authentic but refused: auth.role, auth.threshold. Everything else is the machine's.
 */
#ifndef FIRMIANA_LEDGER_TX_H
#define FIRMIANA_LEDGER_TX_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "did/document.h"
#include "ledger/proof/rules.h"

/* A transaction nests at most this deep, so that it also fits inside a bundle's line and a state
 * value. */
#define LEDGER_TX_DEPTH 30

enum ledger_tx_type {
    LEDGER_TX_MEMBER_PROPOSE,
    LEDGER_TX_MEMBER_SUSPEND,
    LEDGER_TX_MEMBER_REINSTATE,
    LEDGER_TX_MEMBER_CHANGE,
    LEDGER_TX_MEMBER_REKEY,
    LEDGER_TX_PARAMETER_PROPOSE,
    LEDGER_TX_MEMBER_VOTE,
    LEDGER_TX_DID_UPDATE,
    LEDGER_TX_DID_RECOVER,
    LEDGER_TX_DID_DEACTIVATE,
    LEDGER_TX_DATASET_PUBLISH,
    LEDGER_TX_EVIDENCE_DEPOSIT,
    LEDGER_TX_LOTTERY_OPEN,
    LEDGER_TX_LOTTERY_COMMIT,
    LEDGER_TX_LOTTERY_REVEAL,
    LEDGER_TX_CONTRACT_PROPOSE,
    LEDGER_TX_AUTHORIZATION_GRANT,
    LEDGER_TX_AUTHORIZATION_REVOKE,
    LEDGER_TX_CONSENT_GRANT,
    LEDGER_TX_CONSENT_REVOKE,
    LEDGER_TX_QUERY_OPEN,
    LEDGER_TX_QUERY_CLOSE,
    LEDGER_TX_QUERY_RECEIPT,
    LEDGER_TX_EPOCH_APPROVE,
    LEDGER_TX_EPOCH_PROMISE,
    LEDGER_TX_EPOCH,
    LEDGER_TX_STATUS_PUBLISH,
    LEDGER_TX_TYPE_COUNT
};

/* Who must sign: section 3's column "role". */
enum ledger_authority {
    LEDGER_BY_NODE,     /* A: one key with assertionMethod */
    LEDGER_BY_OFFICERS, /* C: as many keys with capabilityInvocation as the document's threshold */
    LEDGER_BY_RECOVERY, /* the recovery key to whose hash the document commits */
};

/* "query.open". type must be in range. */
const char *ledger_tx_type_name(enum ledger_tx_type type);
enum ledger_authority ledger_tx_type_authority(enum ledger_tx_type type);
/* The first rules version that has the type: before it, it is not well formed (drop.malformed). */
uint32_t ledger_tx_type_since(enum ledger_tx_type type);
/* True for those that open a vote. */
bool ledger_tx_type_is_proposal(enum ledger_tx_type type);
/* LEDGER_TX_TYPE_COUNT if there is none of that name. */
enum ledger_tx_type ledger_tx_type_find(const char *name);

/* A parsed transaction. Owns json; all pointers lead into it. */
struct ledger_tx {
    json_t *json;
    uint8_t id[32]; /* H(JCS(json without "proof")) */
    uint8_t chain[32];
    enum ledger_tx_type type;
    const char *sender; /* a DID; whose, the machine looks up */
    int64_t not_after;  /* ms, >= 0 */
    const json_t *body;
    const json_t *proof; /* an object, or an array of them; unchecked */
};

/* Parses canonical bytes. Checks the envelope and the body's own members (all there, none unknown,
 * each of its type: hashes 64 hex digits, aliases well formed, numbers in range). What a body
 * carries whole (document, schema, contract, consent, revocation, receipt) is checked to be an
 * object, no more: a fault inside is a refusal, not a drop. Errors: FM_E_LIMIT (longer than
 * max_len), FM_E_INPUT (the member is named), FM_E_MEMORY. */
fm_status ledger_tx_parse(struct ledger_tx *tx, const void *bytes, size_t len, size_t max_len,
                          struct base_err *err) FM_CHECK;

/* The same from a tree, of which a reference is taken. Size is not checked. */
fm_status ledger_tx_parse_json(struct ledger_tx *tx, json_t *json, struct base_err *err) FM_CHECK;

void ledger_tx_release(struct ledger_tx *tx); /* {0} is fine */

/* The first rules version in which it is well formed: its type's, or later for what its body has.
 */
uint32_t ledger_tx_since(const struct ledger_tx *tx);

/* What authentication found. A plain value: it depends on the transaction's bytes, the document and
 * rules_version alone, so it may be kept under their hashes and used again. */
struct ledger_tx_auth {
    enum ledger_rule rule; /* LEDGER_RULE_OK, LEDGER_RULE_AUTH_ROLE or LEDGER_RULE_AUTH_THRESHOLD */
    size_t signers;
    char method[DID_METHOD_TEXT]; /* the first signer's verification method */
};

/* Verifies the proofs under the sender's current document (whose id must be tx->sender, else
 * FM_E_ARG). FM_OK: authentic; look at auth->rule. FM_E_AUTH or FM_E_INPUT: not authentic, drop it
 * (a proof does not verify, is malformed, is by a key that the document does not have; or several
 * proofs where the document has no threshold above 1). Anything else is the world's and no verdict.
 * A key that signs with another purpose than the type's, or with one it does not have, is authentic
 * and gets auth.role; so does the recovery key outside did.recover and any other key in it. */
fm_status ledger_tx_authenticate(struct ledger_tx_auth *auth, const struct ledger_tx *tx,
                                 const struct did_document *doc, uint32_t rules_version,
                                 struct base_err *err) FM_CHECK;

/* ---- building ---- */

/* A transaction without proof. body is copied by reference (not changed later). The caller owns
 * *out. Errors: FM_E_ARG if what results would not parse, FM_E_MEMORY. */
fm_status ledger_tx_build(json_t **out, const uint8_t chain32[32], enum ledger_tx_type type,
                          const char *sender, int64_t not_after, json_t *body,
                          struct base_err *err) FM_CHECK;

/* Adds a signer's proof as the type asks: purpose by type; the verification method is the sender's,
 * named by the key (did:firmiana:...#z6Mk...), or the key's own did:key for did.recover. May be
 * called once per officer. created_s: seconds since 1970. Errors: FM_E_CONFLICT (this key has
 * signed already, or a second signer where one signs). */
fm_status ledger_tx_sign(json_t *tx, const struct did_secret *secret, int64_t created_s,
                         struct base_err *err) FM_CHECK;

/* The verification method of a member's key: "did:firmiana:...#z6Mk..." (did/method.md: the
 * fragment is the Multikey).
 */
fm_status ledger_method_id(char out[DID_METHOD_TEXT], const char *did, const struct did_key *key,
                           struct base_err *err) FM_CHECK;

/* H(JCS(object without "proof")): the id of transactions and of inner documents. */
fm_status ledger_tx_id(uint8_t out32[32], const json_t *object, struct base_err *err) FM_CHECK;

#endif
