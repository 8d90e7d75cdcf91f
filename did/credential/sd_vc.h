/* SD-JWT VC: credentials whose holder chooses what to show (draft-ietf-oauth-sd-jwt-vc, over
 * RFC 9901). The issuer-signed JWT has the header {"alg", "kid", "typ": "dc+sd-jwt"}; "kid" is the
 * issuer's verification method and "iss" its DID, so that keys are found as everywhere here: the
 * draft leaves that to those who deploy it. alg: EdDSA, ES256, or SM2 by its object identifier
 * (jwk.h). Claims are plain JSON: "vct" (the type), "iss", and what the issuer says; "nbf" and
 * "exp" bound it; "cnf" holds the holder's key as a JWK, by which the Key Binding JWT is signed.
 * "credentialStatus" is that of the data model 2.0 (status_list.h): "status" of the draft, with
 * Token Status Lists, is refused as not known here.
 *
 * What judges the credential may not be hidden, or the holder could leave it out: iss, nbf, exp,
 * cnf, vct, vct#integrity, aka_vcts, status, credentialStatus, credentialSchema. */
#ifndef FIRMIANA_DID_CREDENTIAL_SD_VC_H
#define FIRMIANA_DID_CREDENTIAL_SD_VC_H

#include "base/bytes.h"
#include "base/random.h"
#include "did/credential/credential.h"
#include "did/credential/sd_jwt.h"
#include "did/key_did.h"

#define CREDENTIAL_SD_FORM "dc+sd-jwt"

/* A presentation may have been made at most so long ago, and so far ahead of our clock. */
#define CREDENTIAL_SD_PAST_S 3600
#define CREDENTIAL_SD_AHEAD_S 60

/* Completes the claims ("iss"; "iat" if it is not there; "cnf" if there is a holder) and appends
 * the SD-JWT to `out`. claims: changed, and undefined afterwards. holder: whose key must sign each
 * presentation; NULL: whoever has the credential may show it. Errors: as credential_sd_hide();
 * FM_E_INPUT (no vct, or a claim of the wrong form), FM_E_ARG (a pointer to what may not be
 * hidden), FM_E_CONFLICT (another issuer). */
fm_status credential_sd_issue(struct base_buf *out, json_t *claims,
                              const struct credential_sd_wish *wish, const struct did_key *holder,
                              const struct did_secret *secret, const char *method, int64_t now_s,
                              const struct base_random *random, struct base_err *err) FM_CHECK;

/* Every claim of the top level that may be hidden: what issuers hide who do not choose. The caller
 * owns *out, an array of pointers. */
fm_status credential_sd_usual(json_t **out, const json_t *claims, struct base_err *err) FM_CHECK;

/* The same from an order as JSON, which is how a command asks a node:
 * {"decoys"?: number, "hidden"?: [pointer ...], "holder"?: did:key}, "hidden" missing: the usual.
 * FM_E_INPUT for another form. */
fm_status credential_sd_issue_ordered(struct base_buf *out, json_t *claims, const json_t *order,
                                      const struct did_secret *secret, const char *method,
                                      int64_t now_s, const struct base_random *random,
                                      struct base_err *err) FM_CHECK;

/* Whom a presentation is for, and what that verifier asked to be signed. */
struct credential_sd_request {
    const char *nonce, *audience;
};

/* What a holder has: an array of {"pointer", "value", "inside"?}, one for each Disclosure;
 * "inside" is the pointer of the hidden claim that must be shown with it. Its signature is not
 * looked at: verify first. The caller owns *out. */
fm_status credential_sd_list(json_t **out, const char *text, struct base_err *err) FM_CHECK;

/* Appends what the verifier gets: the JWT, the Disclosures of the claims at these pointers, of what
 * is inside them and of what they are inside of, and the Key Binding JWT, signed by `secret`.
 * request NULL: no Key Binding, for credentials without "cnf". shown NULL: all.
 * Errors: FM_E_NOT_FOUND (no such claim), FM_E_INPUT (not an SD-JWT of a holder),
 * FM_E_AUTH (another key than "cnf"). */
fm_status credential_sd_present(struct base_buf *out, const char *text, const char *const *shown,
                                size_t shown_count, const struct did_secret *secret,
                                const struct credential_sd_request *request, int64_t now_s,
                                struct base_err *err) FM_CHECK;

/* What a verified one says. */
struct credential_sd_facts {
    struct credential_facts common; /* issuer, form, period; proof.created_s is "iat", or 0 */
    const char *type;               /* vct */
    char holder[DID_KEY_DID_TEXT];  /* the holder's key as a did:key, "" without "cnf" */
    bool is_bound;                  /* the holder signed for this request */
};

/* Verifies as RFC 9901, section 7.3, with v's keys, lists and clock; *claims: what was disclosed,
 * owned by the caller; facts borrow from it. request: Key Binding is required, for it; NULL: this
 * is a credential and no presentation, FM_E_ARG if it is one. Verdicts as credential_verify(). */
fm_status credential_sd_verify(struct credential_sd_facts *out, json_t **claims, const char *text,
                               const struct credential_sd_request *request,
                               const struct credential_verifier *v, struct base_err *err) FM_CHECK;

#endif
