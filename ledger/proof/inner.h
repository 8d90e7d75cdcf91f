/* Inner documents (format.md section 3): what a transaction carries whole because somebody else
 * than its sender signed it: a subject's consent and revocation, and the receipt of a query, signed
 * by its parties. Strict parsing, ids, building, signing, verification of proofs. Whether the
 * ledger's state allows them is the machine's question. */
#ifndef FIRMIANA_LEDGER_INNER_H
#define FIRMIANA_LEDGER_INNER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "did/document.h"
#include "did/proof.h"

/* ---- the subject's commitment ---- */

/* H("firmiana/subject/v1" || 0x00 || chain || length of identifier (8, big-endian) || identifier ||
 * nonce). Hiding as long as the nonce, fresh for each consent, stays with those who may open it. */
void ledger_subject_commit(uint8_t out32[32], const uint8_t chain32[32], const char *identifier,
                           size_t len, const uint8_t nonce32[32]);

/* ---- consent ---- */

/* A consent's members. As the parser's result all pointers lead into the parsed object; as the
 * builder's argument id is ignored. Exactly one of purpose and contract is set (has_contract says
 * which).
 *
 * What each mode proves about the person:
 *   signed    nothing. Whoever holds the fresh key signed; that it is the person whom the
 * commitment names, nobody has checked. A contract that needs more lists other modes. attested that
 * the attestor, a member, says so: it has seen the person and keeps the paper or record whose
 * digest `evidence` is; or it countersigns the person's own signature (subject is set, both prove
 * it). Worth what the attestor is worth; if it is the grantee itself, it attests its own
 * permission: ledger_consent_is_self_attested(). mandate   that the attestor says that the holder
 * of `subject`'s key represents the company: a mandate, signed by it, for the same commitment; the
 * representative signs the consent.
 */
struct ledger_consent {
    uint8_t id[32];
    uint8_t chain[32];
    const char *mode;    /* "signed", "attested", "mandate" */
    const char *subject; /* a did:key, fresh for this consent; the representative's under a mandate.
                            NULL: attested without a key */
    uint8_t commitment[32];
    const char *scheme;  /* identifier scheme: "cn.id" */
    const char *grantee; /* alias */
    const char *purpose; /* NULL if has_contract */
    bool has_contract;
    uint8_t contract[32];
    int64_t not_before, expires; /* ms, not_before < expires */
    int64_t uses;                /* >= 1 */
    const char *attestor;        /* alias; under a mandate the one who signed it. NULL: signed */
    bool has_evidence;           /* attested alone; always if subject is NULL */
    uint8_t evidence[32];        /* SHA-256 of what the attestor keeps */
    const json_t *mandate;       /* NULL but under a mandate */
};

/* FM_E_INPUT names the member that is wrong. The proof is looked at by ledger_consent_verify()
 * alone. */
fm_status ledger_consent_parse(struct ledger_consent *out, const json_t *json,
                               struct base_err *err) FM_CHECK;

/* The proofs that the mode asks for and no others, purpose assertionMethod: by the key that
 * `subject` is, by an assertionMethod key of attestor (its current document; NULL where
 * consent->attestor is). json is what out was parsed from. FM_E_AUTH or FM_E_INPUT: it does not
 * hold; anything else is no verdict. */
fm_status ledger_consent_verify(const struct ledger_consent *consent, const json_t *json,
                                const struct did_document *attestor, uint32_t rules_version,
                                struct base_err *err) FM_CHECK;

/* Is the attestor the member that the consent permits something to? */
bool ledger_consent_is_self_attested(const struct ledger_consent *consent);

/* Without proof. secret: the subject's key, from which `subject` is set; NULL for an attested one
 * without. mode NULL: "signed". The caller owns *out. */
fm_status ledger_consent_build(json_t **out, const struct ledger_consent *consent,
                               const struct did_secret *secret, struct base_err *err) FM_CHECK;

/* ---- mandate ---- */

/* A member's word that a key's holder represents a company. Goes inside consents whole; more than
 * one consent may carry it, all with its commitment, so they can be linked: companies are not
 * persons. Its type names its form: others may come. */
struct ledger_mandate {
    uint8_t chain[32];
    const char *attestor;       /* alias */
    const char *representative; /* did:key */
    uint8_t commitment[32];     /* to the company's identifier */
    const char *scheme;
    int64_t expires; /* ms */
};

fm_status ledger_mandate_parse(struct ledger_mandate *out, const json_t *json,
                               struct base_err *err) FM_CHECK;
/* Without proof: the attestor adds its own (ledger_receipt_sign()). */
fm_status ledger_mandate_build(json_t **out, const struct ledger_mandate *mandate,
                               struct base_err *err) FM_CHECK;

/* ---- revocation ---- */

struct ledger_revocation {
    uint8_t chain[32];
    uint8_t consent[32];
};

fm_status ledger_revocation_parse(struct ledger_revocation *out, const json_t *json,
                                  struct base_err *err) FM_CHECK;
/* One proof by the key that the consent's `subject` is, or by an assertionMethod key of its
 * attestor, at whose counter a person without a key withdraws. Either may be NULL, not both. */
fm_status ledger_revocation_verify(const json_t *json, const char *subject,
                                   const struct did_document *attestor, uint32_t rules_version,
                                   struct base_err *err) FM_CHECK;
fm_status ledger_revocation_build(json_t **out, const uint8_t chain32[32],
                                  const uint8_t consent32[32], struct base_err *err) FM_CHECK;

/* Adds the subject's proof to a consent or revocation. created_s: seconds since 1970. */
fm_status ledger_subject_sign(json_t *inner, const struct did_secret *secret, int64_t created_s,
                              struct base_err *err) FM_CHECK;

/* ---- receipt ---- */

enum ledger_outcome_kind {
    LEDGER_RECEIPT_DONE,
    LEDGER_RECEIPT_REFUSED,
    LEDGER_RECEIPT_ABORTED,
};

/* "done", "refused", "aborted". */
const char *ledger_receipt_outcome_name(enum ledger_outcome_kind outcome);

struct ledger_receipt {
    uint8_t chain[32];
    uint8_t query[32];
    int64_t attempt; /* >= 1 */
    uint8_t descriptor[32];
    uint8_t plan_hash[32];
    const char *protocol;
    enum ledger_outcome_kind outcome;
    const char *rule;  /* NULL: not named. Never with "done" */
    const char *party; /* alias, NULL: not named. Never with "done" */
    bool shared;
    const json_t *channels; /* array of {"from", "to", "hash"} */
    const json_t *inputs; /* array of {"provider", "table", "component", "holders", "commitment"} */
    const json_t *result; /* array of {"component", "holders", "commitment"} */
};

fm_status ledger_receipt_parse(struct ledger_receipt *out, const json_t *json,
                               struct base_err *err) FM_CHECK;

/* One proof or a proof set, each purpose assertionMethod, each under a key that `members` resolves
 * (the current documents of the ledger's members). signers: room for DID_PROOF_SET_MAX; their
 * method's DID says who. Distinct keys are checked, distinct members are not. FM_E_AUTH or
 * FM_E_INPUT: it does not hold. */
fm_status ledger_receipt_verify(struct did_proof *signers, size_t *n_signers, const json_t *json,
                                uint32_t rules_version, const struct did_resolver *members,
                                struct base_err *err) FM_CHECK;

/* Without proof; channels, inputs and result are taken by reference. The caller owns *out. */
fm_status ledger_receipt_build(json_t **out, const struct ledger_receipt *receipt,
                               struct base_err *err) FM_CHECK;

/* Adds one party's proof: did is the member's DID, secret its assertionMethod key. */
fm_status ledger_receipt_sign(json_t *receipt, const char *did, const struct did_secret *secret,
                              int64_t created_s, struct base_err *err) FM_CHECK;

#endif
