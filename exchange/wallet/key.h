/* The keys and nonces of a wallet, derived from its secret, each for one counterpart: HKDF-Expand
 * (RFC 5869, base_hash) with a label for the use and, as context, the hash of the counterpart's
 * DID, a NUL, a number (8 bytes) and which attempt (1 byte; a suite may refuse one secret in 2^32).
 * Nobody who has some of them can tell that others are of the same wallet: HKDF is a pseudorandom
 * function of the secret.
 *
 *   pairwise   the subject's DID towards that counterpart: credentials are issued to it. Number 0
 *   consent    a consent's own, by its moment (consent.h): on the ledger, which all members read,
 *              not even two consents for one bank have a key in common
 *   mandate    a representative's towards the member that attests the mandate: stands in every
 *              consent under it, since companies are not persons
 *   nonce      of a consent's commitment to the subject's identifier
 *
 * The phrase: the secret in bech32m (bech32m.h), "firmiana1..." (ed25519) or "firmianasm1..."
 * (sm2), in groups of four. */
#ifndef FIRMIANA_EXCHANGE_WALLET_KEY_H
#define FIRMIANA_EXCHANGE_WALLET_KEY_H

#include "did/key_did.h"
#include "exchange/wallet/wallet.h"

enum wallet_use { WALLET_PAIRWISE, WALLET_CONSENT, WALLET_MANDATE };

/* "pairwise", "consent", "mandate". */
const char *wallet_use_name(enum wallet_use use);

fm_status wallet_key(struct did_secret **out, const struct wallet *w, enum wallet_use use,
                     const char *peer, uint64_t number, struct base_err *err) FM_CHECK;
/* Its did:key alone. */
fm_status wallet_did(char out[DID_KEY_DID_TEXT], const struct wallet *w, enum wallet_use use,
                     const char *peer, uint64_t number, struct base_err *err) FM_CHECK;
fm_status wallet_nonce(uint8_t out32[32], const struct wallet *w, const char *peer, uint64_t number,
                       struct base_err *err) FM_CHECK;

#define WALLET_PHRASE_TEXT 120

/* For the owner's eyes; the caller wipes it. */
fm_status wallet_phrase(char out[WALLET_PHRASE_TEXT], const struct wallet *w,
                        struct base_err *err) FM_CHECK;
/* Spaces and hyphens may stand anywhere. FM_E_INPUT says what is wrong, by the character's number.
 */
fm_status wallet_phrase_read(uint8_t out32[32], const struct did_suite **suite, const char *text,
                             size_t len, struct base_err *err) FM_CHECK;

#endif
