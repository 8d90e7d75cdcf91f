/* W3C Data Integrity proofs over JSON objects: cryptosuites `eddsa-jcs-2022` (vc-di-eddsa 1.0,
 * section 3.3), `ecdsa-jcs-2019` with P-256 (vc-di-ecdsa 1.0, section 3.3) and our `sm2-jcs`, which
 * is the same with SM2 and SM3. What is signed, for an object O with member "proof" P:
 *
 *   H(JCS(P without "proofValue")) || H(JCS(O without "proof")), 64 bytes,
 *
 * with H the suite's hash, SHA-256 or SM3 (did_suite.digest),
 *
 * signed with the suite of the key; the signature is "proofValue", base58btc with 'z'. A proof has
 * exactly these members:
 *
 *   "@context"            only if O has one; equal to it (W3C lets P's be a prefix of O's, which
 *                         would leave the rest of O's unsigned: refused here)
 *   "created"             "2026-11-20T09:51:00Z" (moment.h); says when, proves nothing
 *   "cryptosuite"         the suite's W3C name
 *   "proofPurpose"        a role's name (role.h)
 *   "proofValue"          multibase, exactly the suite's signature length
 *   "type"                "DataIntegrityProof"
 *   "verificationMethod"  the key's id: "did:...#z6Mk..."
 *
 * O is JSON of base/json.h's subset; where a proof has terms (below), or answers a challenge, it is
 * anybody's (base/json_any.h), which is all of RFC 8785.
 *
 * One proof, exactly, is an object. Where the caller allows k of m, several proofs are a proof set:
 * an array of 2 to DID_PROOF_SET_MAX such objects in strictly ascending order of their
 * verificationMethod (bytes), with pairwise different keys. Each signs O without any proof, so
 * signers need not wait for each other and cannot see or sign each other's proofs. A set of one is
 * written as an object, so that a set too has one encoding only. Every proof of a set must verify:
 * one bad proof spoils it, however many are good.
 *
 * Nothing here decides what a key may do: the resolver knows that. */
#ifndef FIRMIANA_DID_PROOF_H
#define FIRMIANA_DID_PROOF_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "did/role.h"
#include "did/suite.h"

#define DID_METHOD_TEXT 192  /* longest verification method id, with the closing NUL */
#define DID_PROOF_SET_MAX 32 /* as many as a document can have officers */

/* What a proof of a credential or a presentation may say beside the closed form above, which is the
 * ledger's: W3C's "id" and "nonce" (signed, without a meaning here), "expires", "challenge" and
 * "domain"; and "created" in anybody's form of a moment, or none at all. */
struct did_proof_terms {
    const char *challenge, *domain; /* exactly these must stand in it; NULL: none may */
    int64_t now_s;                  /* "expires" must lie after it */
};

/* Finds the key of a verification method that has the role. Fails with FM_E_AUTH if the method is
 * unknown or lacks the role; any other error stops the verification without a verdict. */
struct did_resolver {
    fm_status (*key)(void *ctx, struct did_key *out, const char *method, enum did_role role,
                     struct base_err *err);
    void *ctx;
};

/* Resolves verification methods of did:key and nothing else: a subject's signature. ctx is not
 * used. A did:key has every role. */
fm_status did_proof_resolve_did_key(void *ctx, struct did_key *out, const char *method,
                                    enum did_role role, struct base_err *err);

/* What a verified proof says. */
struct did_proof {
    char method[DID_METHOD_TEXT];
    struct did_key key;
    int64_t created_s;
};

/* Adds "proof" to object. created_s: seconds since 1970. FM_E_CONFLICT if there is one already;
 * FM_E_INPUT if the object is outside the JSON subset. On failure object is unchanged. */
fm_status did_proof_add(json_t *object, const struct did_secret *secret, const char *method,
                        enum did_role role, int64_t created_s, struct base_err *err) FM_CHECK;

/* The same with a challenge and a domain, each NULL for none. */
fm_status did_proof_add_answer(json_t *object, const struct did_secret *secret, const char *method,
                               enum did_role role, int64_t created_s, const char *challenge,
                               const char *domain, struct base_err *err) FM_CHECK;

/* The same as one signer of a proof set: an object without proof, with one, or with a set. Existing
 * proofs are kept and not checked. FM_E_CONFLICT if this method has signed already, FM_E_LIMIT when
 * the set is full. */
fm_status did_proof_add_to_set(json_t *object, const struct did_secret *secret, const char *method,
                               enum did_role role, int64_t created_s,
                               struct base_err *err) FM_CHECK;

/* Verifies that object carries exactly one proof, for that role, under those rules.
 * Errors: FM_E_INPUT (not of the form above), FM_E_AUTH (wrong purpose, key without the role, bad
 * signature): both are verdicts. Others (memory, unknown rules) are not. *out is zero on failure.
 */
fm_status did_proof_verify(struct did_proof *out, const json_t *object, enum did_role role,
                           uint32_t rules_version, const struct did_resolver *resolver,
                           struct base_err *err) FM_CHECK;

/* The same with what the terms add (NULL: nothing). created_s of *out is 0 if the proof
 * does not say. FM_E_AUTH: another challenge or domain; FM_E_INVALID: expired. */
fm_status did_proof_verify_terms(struct did_proof *out, const json_t *object, enum did_role role,
                                 const struct did_proof_terms *terms, uint32_t rules_version,
                                 const struct did_resolver *resolver,
                                 struct base_err *err) FM_CHECK;

/* Verifies one proof or a set. *out_count says how many signers (at least 1, all of different
 * keys); comparing it with a threshold is the caller's, who knows the m. */
fm_status did_proof_verify_set(struct did_proof out[DID_PROOF_SET_MAX], size_t *out_count,
                               const json_t *object, enum did_role role, uint32_t rules_version,
                               const struct did_resolver *resolver, struct base_err *err) FM_CHECK;

/* The same for who has hashed the object already: bare32 is base_hash of its canonical bytes
 * without "proof", whatever the suites of the proofs. */
fm_status did_proof_verify_hashed(struct did_proof out[DID_PROOF_SET_MAX], size_t *out_count,
                                  const json_t *object, const uint8_t bare32[32],
                                  enum did_role role, uint32_t rules_version,
                                  const struct did_resolver *resolver,
                                  struct base_err *err) FM_CHECK;

/* The 64 bytes that proof (with or without its proofValue) signs over object (with or without its
 * proof). */
fm_status did_proof_hash(uint8_t out64[64], const json_t *object, const json_t *proof,
                         enum did_digest digest, struct base_err *err) FM_CHECK;

#endif
