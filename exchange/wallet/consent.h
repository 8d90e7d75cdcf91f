/* Consents in a wallet, and the DIDs that a subject gives to its counterparts.
 *
 *   content.identities  {"did", "found"?, "number", "peer": DID, "use": "pairwise" | "mandate"}:
 * what was given to whom content.mandates    {"did", "mandate": the signed document, "nonce": hex}:
 * what a member said of this wallet's DID content.consents    {"consent": the signed document,
 * "found"?, "granted"?, "id", "identifier"?, "number", "peer", "revocation"?, "withdrawn"?, "use":
 * "consent" | "mandate"}; granted, withdrawn: {"height", "leaf", "time"}, where a verified trail
 * has them: the receipts
 *
 * found: true of those that a search brought back, so that another copy of the wallet made them.
 *
 * A consent's own key is derived for its grantee and its moment: its number is its not_before in
 * milliseconds, which a trail shows, so that a wallet that was recovered from its phrase finds all
 * of its consents again and needs none of them to know which keys are free: whatever trail it was
 * shown, or none, it uses one twice only if it signs for the same grantee in the same millisecond
 * as another copy of it did. Whoever has not the secret cannot tell the keys of two moments from
 * those of two wallets (key.h). Under a mandate the key is the identity's, and the number 0.
 *
 * DIDs for mandates are numbered, and records of them never removed: their numbers say which have
 * been given. A recovered wallet searches a whole trail before it gives one, and passes over 19 at
 * the first for each counterpart, for what that trail was too old to have. */
#ifndef FIRMIANA_EXCHANGE_WALLET_CONSENT_H
#define FIRMIANA_EXCHANGE_WALLET_CONSENT_H

#include "exchange/wallet/key.h"
#include "ledger/proof/inner.h"

/* Recovered, and without a whole trail searched: which DIDs were given for mandates is not known.
 */
bool wallet_is_unsearched(const struct wallet *w);
fm_status wallet_check_searched(const struct wallet *w, struct base_err *err) FM_CHECK;
/* How far beyond the last known number a recovered wallet gives its first DID towards that
 * counterpart; 1 for any other, and once it has given one. */
uint64_t wallet_stride(const struct wallet *w, enum wallet_use use, const char *peer);

/* ---- DIDs ---- */

/* The DID of this wallet towards a counterpart: the same each time for WALLET_PAIRWISE, a new one
 * for WALLET_MANDATE. Kept. out borrows from the record. FM_E_CONFLICT: a new one, and the wallet
 * was recovered and has not searched a whole trail: it would give an old one again. A mandate that
 * no consent on the ledger shows is passed over, not known. */
fm_status wallet_identity(const char **out, struct wallet *w, enum wallet_use use, const char *peer,
                          struct base_err *err) FM_CHECK;
/* The number after the last that is known; 0: none is. */
uint64_t wallet_identity_next(const struct wallet *w, enum wallet_use use, const char *peer);
/* One that was given before the wallet was recovered: kept again, once. */
fm_status wallet_identity_again(struct wallet *w, enum wallet_use use, const char *peer,
                                uint64_t number, struct base_err *err) FM_CHECK;
/* The key of a DID that was given. FM_E_NOT_FOUND: it is none of this wallet's. peer may be NULL;
 * else borrows. */
fm_status wallet_identity_key(struct did_secret **out, const char **peer, const struct wallet *w,
                              const char *did, struct base_err *err) FM_CHECK;

/* ---- mandates ---- */

/* Keeps it; the mandate must name a DID of this wallet, and be for its ledger. The attestor's proof
 * is checked where the members' documents are: by the ledger. */
fm_status wallet_mandate_keep(struct wallet *w, json_t *mandate, const uint8_t nonce32[32],
                              struct base_err *err) FM_CHECK;

/* ---- consents ---- */

/* A consent that is about to be signed: whose key, and the nonce of its commitment. */
struct wallet_draft {
    struct did_secret *key;
    uint8_t nonce[32];
    const char *peer; /* the grantee's DID; borrowed */
    enum wallet_use use;
    uint64_t number;
    const json_t *mandate; /* NULL but under one; borrowed */
};

/* did: NULL, or the representative's under whose mandate it is. now_ms: the clock; the moment is
 * that, or the next that no consent of this wallet has. FM_E_CONFLICT: no ledger is known. The
 * caller releases, also after a failure. */
fm_status wallet_consent_begin(struct wallet_draft *d, const struct wallet *w, const char *grantee,
                               const char *did, int64_t now_ms, struct base_err *err) FM_CHECK;
void wallet_draft_release(struct wallet_draft *d);

/* Builds, signs and keeps. consent: all but subject and mandate; not_before becomes the draft's
 * moment, and expires moves with it. *out borrows from the wallet. */
fm_status wallet_consent_sign(const json_t **out, struct wallet *w, const struct wallet_draft *d,
                              struct ledger_consent *consent, const char *identifier,
                              struct base_err *err) FM_CHECK;

/* What opens its commitment: {"consent", "nonce"}. The caller owns *out. */
fm_status wallet_consent_opening(json_t **out, const struct wallet *w, const json_t *record,
                                 struct base_err *err) FM_CHECK;
/* Signs a revocation, once; *out borrows from the record. */
fm_status wallet_consent_revoke(const json_t **out, const struct wallet *w, json_t *record,
                                int64_t now_s, struct base_err *err) FM_CHECK;

/* ---- finding them again ---- */

/* In a trail: the consents that the wallet has, and those that its keys signed though it does not
 * know (it was recovered, or is an old copy); under mandates whose DIDs are up to 40 numbers beyond
 * the last it knows. What a mandate's commitment hides no trail shows: the member that attested it
 * gives it again. */
struct wallet_search {
    struct wallet *w;
    json_t *dids;
};
/* The wallet outlives the search. The caller releases, also after a failure. */
fm_status wallet_search_begin(struct wallet_search *s, struct wallet *w,
                              struct base_err *err) FM_CHECK;
void wallet_search_release(struct wallet_search *s);
/* The record of that consent, NULL if it is somebody else's; one that was not known is kept now. */
fm_status wallet_search_consent(json_t **out, struct wallet_search *s, const json_t *document,
                                struct base_err *err) FM_CHECK;

#endif
