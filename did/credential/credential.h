/* Verifiable credentials and presentations (VC Data Model 2.0) under Data Integrity proofs:
 * eddsa-jcs-2022, ecdsa-jcs-2019 and our sm2-jcs (did/proof.h). The resolver that the caller gives
 * says whose keys are whose; here is decided that the right one signed, that nothing has expired,
 * and that nothing was revoked or suspended: such a credential is invalid, not flagged. */
#ifndef FIRMIANA_DID_CREDENTIAL_CREDENTIAL_H
#define FIRMIANA_DID_CREDENTIAL_CREDENTIAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "did/credential/shape.h"
#include "did/proof.h"

/* Where status lists come from: *out is the list credential with that id, owned by the verifier.
 * FM_E_NOT_FOUND if there is none; then the credential cannot be judged. */
struct credential_lists {
    fm_status (*list)(void *ctx, json_t **out, const char *id, struct base_err *err);
    void *ctx;
};

struct credential_verifier {
    const struct did_resolver *resolver;
    const struct credential_lists *lists; /* NULL: a credential with a status list is refused */
    uint32_t rules_version;
    int64_t now_s;
};

/* What a verified credential says, borrowed from it where it is text. */
struct credential_facts {
    const char *issuer;
    const char *form; /* "eddsa-jcs-2022", ... or "vc+jwt" */
    struct did_proof proof;
    int64_t valid_from_s, valid_until_s; /* 0 and INT64_MAX if it does not say */
};

/* Completes and signs: issuer becomes the DID of `method` (or must be it), and the shape is
 * checked, and so is what schemas ask that come with this program (schemas.h). role
 * assertionMethod. Errors: FM_E_INPUT (shape), FM_E_INVALID (schema), FM_E_CONFLICT (signed
 * already, or another issuer). On failure the credential may have an issuer, but has no proof. */
fm_status credential_issue(json_t *credential, const struct did_secret *secret, const char *method,
                           int64_t created_s, struct base_err *err) FM_CHECK;

/* Verdicts: FM_OK; FM_E_INPUT (malformed), FM_E_AUTH (signature, or a key that is not the
 * issuer's), FM_E_INVALID (not yet valid, expired, revoked, suspended, not as its
 * schema asks). No verdict: FM_E_NOT_FOUND
 * (a status list), FM_E_UNSUPPORTED (a kind of status or proof not known here), and others. */
fm_status credential_verify(struct credential_facts *out, const json_t *credential,
                            const struct credential_verifier *v, struct base_err *err) FM_CHECK;

/* The two halves of it, for who knows the issuer's keys of two times: the shape and the signature,
 * which fill out->proof and form; then, after the first, whose key it was, the period and the
 * status, whose lists are verified under v's keys. */
fm_status credential_verify_signature(struct credential_facts *out, const json_t *credential,
                                      const struct credential_verifier *v,
                                      struct base_err *err) FM_CHECK;
fm_status credential_verify_claims(struct credential_facts *out, const json_t *credential,
                                   const struct credential_verifier *v,
                                   struct base_err *err) FM_CHECK;

/* A presentation of credentials (an array; copied) by the DID of `method`, role authentication.
 * challenge: the verifier's, fresh for each request; domain: who asked. Both are needed: without
 * them a presentation could be shown again by whoever saw it. The caller owns *out. */
fm_status credential_present(json_t **out, const json_t *credentials,
                             const struct did_secret *secret, const char *method,
                             const char *challenge, const char *domain, int64_t created_s,
                             struct base_err *err) FM_CHECK;

/* Every subject of it is that DID: FM_E_AUTH if not. Who shows a credential asks this first. */
fm_status credential_check_subjects(const json_t *credential, const char *holder,
                                    struct base_err *err) FM_CHECK;

/* Verifies the presentation, each credential in it, and that each one's subjects are the holder, by
 * id: a credential about somebody else, or about nobody by name, proves nothing about who shows it,
 * and whoever holds a copy could. facts may be
 * NULL; else it has room for CREDENTIAL_SUBJECTS_MAX. Errors as credential_verify(), naming which
 * credential; FM_E_INVALID if there is none. */
fm_status credential_verify_presentation(struct credential_facts *facts, size_t *count,
                                         const char **holder, const json_t *presentation,
                                         const char *challenge, const char *domain,
                                         const struct credential_verifier *v,
                                         struct base_err *err) FM_CHECK;

#endif
