/* Signature suites behind one interface: a const table of rows, one row per suite. Nothing outside
 * this folder knows which arithmetic signs. Here: `ed25519`, `p256`, `sm2`.
 *
 * The acceptance rule is consensus: two nodes that disagree about one signature split the ledger.
 * So a rule is named by the ledger's rules_version, is checked by us and not left to the library,
 * and never changes under its number. Rules version 1, suite ed25519:
 *
 *   1. the public key A and the signature's R are 32 bytes, little-endian y with the sign of x in
 *      the top bit, with y < p = 2^255 - 19 (canonical);
 *   2. neither A nor R is one of the eight points of small order (which also removes the two
 *      encodings with x = 0, the only ones whose sign bit could be non-canonical);
 *   3. S, little-endian, is below the group order L;
 *   4. the cofactorless equation: encode([S]B - [k]A) equals the bytes of R, with
 *      k = SHA-512(R || A || M). A that is no point on the curve never satisfies it.
 *
 * This is RFC 8032, section 5.1.7 without its multiplication by 8, hardened as in "Taming the many
 * EdDSAs" (eprint 2020/1244, section 5: SUF-CMA and strong binding), and deliberately not ZIP 215,
 * which accepts non-canonical and small-order points. Checks 1 to 3 are our own code; 4 is
 * libsodium's, which takes half of OpenSSL's time. A build of it whose equation is cofactored is
 * recognised by two known signatures before the first use, and every operation then fails with
 * FM_E_UNSUPPORTED: such a node stops instead of disagreeing. Secret keys are OpenSSL's.
 *
 * Rules version 2 adds two suites; before it they are refused. Both: the public key is a compressed
 * point of 33 bytes, 02 or 03 and x < p, on the curve; r and s, 32 bytes each, big-endian, are from
 * 1 to n - 1; nothing else is a signature (no DER). Encodings, ranges and the equation's verdict
 * are our own code over OpenSSL's numbers and points, so that no build of it accepts more or less.
 *
 *   p256  ECDSA with SHA-256, FIPS 186-5, section 6.4: x(e/s G + r/s Q) = r mod n, e = SHA-256(M).
 *         (r, n - s) holds where (r, s) does, as the standard and other implementations have it:
 *         whatever is named by a hash is named without its proof.
 *   sm2   SM2 with SM3, GB/T 32918.2-2016, sections 7.1 and 5.5, on the curve of GB/T 32918.5-2017:
 *         r + s is not 0 mod n and e + x(s G + (r + s) Q) = r mod n, e = SM3(Z || M),
 *         Z = SM3(ENTL || ID || a || b || xG || yG || xQ || yQ) with the ID of GM/T 0009-2012,
 *         "1234567812345678": the DID is inside M already. An OpenSSL that fails the standard's own
 *         example is recognised before the first use.
 *
 * The process's profile (base/profile.h), which a genesis fixes, allows sm2 alone or all but sm2; a
 * genesis without a profile allows all. A key that is not allowed is FM_E_AUTH, as one is that the
 * rules do not have yet.
 *
 * Signing is OpenSSL's, with fresh randomness for p256 and sm2: two signatures of one message
 * differ. Secrets are from 1 to n - 2, big-endian. */
#ifndef FIRMIANA_DID_SUITE_H
#define FIRMIANA_DID_SUITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "base/status.h"

#ifndef DID_RULES_VERSION   /* ledger/proof/rules.h */
#define DID_RULES_VERSION 4 /* the newest rules that this build knows */
#endif

/* Over all suites: p256 and sm2 keys are compressed points of 33 bytes, signatures r || s. */
#define DID_KEY_MAX 33
#define DID_SECRET_MAX 32
#define DID_SIGNATURE_MAX 64

/* The signer's ID in SM2 signatures (GM/T 0009-2012, section 10). */
#define DID_SM2_SIGNER_ID "1234567812345678"

/* The hash that a suite's Data Integrity proofs are made with (proof.h). */
enum did_digest { DID_DIGEST_SHA256, DID_DIGEST_SM3 };

/* What a suite computes from a key once, for verifying: a curve's y. A function of the key alone.
 */
#define DID_KEY_AID 32

struct did_key;

/* A row. Every slot is filled. impl is the suite's own form of a secret key. */
struct did_suite {
    const char *name;        /* "ed25519": key files, --json */
    const char *cryptosuite; /* "eddsa-jcs-2022": the W3C name inside a proof */
    uint8_t multicodec[2];   /* what stands before the key in a Multikey */
    uint32_t since;          /* the first rules version that has it */
    enum did_digest digest;
    size_t key_len, secret_len, signature_len;
    /* FM_E_AUTH, with the reason, if the encoding may not be used as a key (rules 1 and 2). Fills
     * aid. */
    fm_status (*check_key)(uint8_t aid[DID_KEY_AID], const uint8_t *key, uint32_t rules_version,
                           struct base_err *err);
    /* Opens a secret of secret_len bytes and computes its public key, with its aid. FM_E_INPUT: out
     * of range. */
    fm_status (*open)(void **impl, struct did_key *key, const uint8_t *secret,
                      struct base_err *err);
    void (*close)(void *impl);
    fm_status (*sign)(void *impl, uint8_t *signature, const void *message, size_t message_len,
                      struct base_err *err);
    /* The lengths are right already; FM_E_AUTH is the only verdict against a signature. */
    fm_status (*verify)(const struct did_key *key, uint32_t rules_version, const uint8_t *signature,
                        const void *message, size_t message_len, struct base_err *err);
};

/* The rows; NULL when there is no such suite. Rows live as long as the process. */
const struct did_suite *did_suite_ed25519(void);
const struct did_suite *did_suite_p256(void);
const struct did_suite *did_suite_sm2(void);
/* What new keys are made with: ed25519, or sm2 where the profile is national. */
const struct did_suite *did_suite_usual(void);
const struct did_suite *did_suite_by_name(const char *name);
/* FM_E_CONFLICT: the process has adopted a profile that has no keys of that suite. For keys of the
 * own, to be said before they are opened or made; a signature by one is FM_E_AUTH. */
fm_status did_suite_allowed(const struct did_suite *suite, struct base_err *err) FM_CHECK;
const struct did_suite *did_suite_by_multicodec(const uint8_t prefix2[2]);

/* A public key: a plain value, copied freely. Only did_key_make() and did_secret_key() fill it. */
struct did_key {
    const struct did_suite *suite;
    uint8_t bytes[DID_KEY_MAX]; /* suite->key_len of them; the rest is zero */
    uint8_t aid[DID_KEY_AID];   /* the suite's: not part of what the key is */
};

/* Checks the length and the suite's rule for keys. Errors: FM_E_AUTH (also for a suite that those
 * rules or the profile do not have); *out is then all zero. */
fm_status did_key_make(struct did_key *out, const struct did_suite *suite, const uint8_t *bytes,
                       size_t len, uint32_t rules_version, struct base_err *err) FM_CHECK;
bool did_key_equal(const struct did_key *a, const struct did_key *b);

/* Checks a signature under the rules of that version.
 * Errors: FM_E_AUTH is the verdict "not valid", the same on every node. Anything else
 * (FM_E_UNSUPPORTED: rules version or libsodium not known) is no verdict: the caller
 * must stop, not refuse. Time depends on public data only, which is all there is. */
fm_status did_key_verify(const struct did_key *key, uint32_t rules_version,
                         const uint8_t *signature, size_t signature_len, const void *message,
                         size_t message_len, struct base_err *err) FM_CHECK;

/* A secret key. Opaque; the secret bytes stand in pages of base_secret_alloc(), and OpenSSL's
 * working copy in its secure heap where the process could set one up (1 MiB, about ten thousand
 * keys). There is no copy function: one owner, did_secret_free() wipes both. A forked child must
 * not use a key that its parent opened (its pages are zero there). May be used by several threads
 * at once. Of a suite that the profile has not (base/profile.h) none is made, and none signs:
 * FM_E_AUTH. */
struct did_secret;

fm_status did_secret_generate(struct did_secret **out, const struct did_suite *suite,
                              const struct base_random *random, struct base_err *err) FM_CHECK;
/* From suite->secret_len bytes (Ed25519: the seed of RFC 8032). The caller wipes its own copy. */
fm_status did_secret_import(struct did_secret **out, const struct did_suite *suite,
                            const uint8_t *bytes, size_t len, struct base_err *err) FM_CHECK;
/* A key that stays elsewhere, in a token: signing is a call to it. */
struct did_signer {
    fm_status (*sign)(void *ctx, uint8_t *signature, const void *message, size_t message_len,
                      struct base_err *err);
    void (*close)(void *ctx);
};
/* ctx is the key's from then on, also if this fails. What comes back from the signer is verified at
 * each signature: FM_E_AUTH if it is not the key's. */
fm_status did_secret_elsewhere(struct did_secret **out, const struct did_key *key,
                               const struct did_signer *signer, void *ctx,
                               struct base_err *err) FM_CHECK;
void did_secret_free(struct did_secret *secret); /* NULL is fine */

const struct did_key *did_secret_key(const struct did_secret *secret);
/* The secret bytes themselves, suite->secret_len of them, borrowed: for sealing alone. NULL if the
 * key is elsewhere. */
const uint8_t *did_secret_bytes(const struct did_secret *secret);

/* Signs. signature: key's suite->signature_len bytes, zeroed on failure. Deterministic for
 * ed25519 alone. Time does not depend on the secret (OpenSSL's fixed-base multiplication). */
fm_status did_secret_sign(const struct did_secret *secret, uint8_t *signature, const void *message,
                          size_t message_len, struct base_err *err) FM_CHECK;

#endif
