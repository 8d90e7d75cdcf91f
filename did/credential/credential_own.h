/* What the ways of signing a credential share: inside this folder alone. */
#ifndef FIRMIANA_DID_CREDENTIAL_CREDENTIAL_OWN_H
#define FIRMIANA_DID_CREDENTIAL_CREDENTIAL_OWN_H

#include "did/credential/credential.h"
#include "did/credential/jwt.h"

/* issuer becomes the DID of method, or is it; then the shape is checked. */
fm_status credential_complete(json_t *credential, const char *method,
                              struct base_err *err) FM_CHECK;

/* All but the signature, which out->proof tells was verified: shape, whose key, period, status. */
fm_status credential_judge(struct credential_facts *out, const json_t *credential,
                           const struct credential_verifier *v, struct base_err *err) FM_CHECK;

/* The status of a credential of facts' issuer: one entry, or an array of them; NULL is fine. */
fm_status credential_check_status(const struct credential_facts *facts, const json_t *status,
                                  const struct credential_verifier *v,
                                  struct base_err *err) FM_CHECK;

/* The DID of the verification method that signed, or FM_E_AUTH: "WHAT is DID, but ... signed". */
fm_status credential_check_signer(const struct did_proof *proof, const char *did, const char *what,
                                  struct base_err *err) FM_CHECK;

/* The header, of that typ, and the signature of an issuer's key, which v resolves. Fills method and
 * key of *proof. text: what jws was split from. */
fm_status credential_jws_verify(struct did_proof *proof, const struct credential_jws *jws,
                                const char *text, const char *typ,
                                const struct credential_verifier *v, struct base_err *err) FM_CHECK;

/* "exp" and "nbf" (RFC 7519), where they stand. FM_E_INVALID, or FM_E_INPUT for another form. */
fm_status credential_jwt_period(const json_t *claims, int64_t now_s, struct base_err *err) FM_CHECK;

#endif
