/* Credentials as JWTs, media type `vc+jwt` (W3C "Securing Verifiable Credentials using JOSE and
 * COSE" 1.0, section 3.1): the credential itself is the payload of a compact JWS (RFC 7515).
 * EdDSA with ed25519 (RFC 8037) and ES256 with p256 (RFC 7518, section 3.4); SM2 has no registered
 * name there, and is refused.
 *
 * The payload has the issuer once more as "iss", which other libraries look for; where a JWT has
 * it, it must be the issuer. "exp" and "nbf" (RFC 7519, whole seconds), which others add, are
 * obeyed beside validUntil and validFrom. The header has exactly "alg", "kid" (the verification
 * method) and "typ" ("vc+jwt"), and may have "cty" ("vc") and "iss" (the issuer). Nothing in it
 * chooses the algorithm: the key does, and "alg" must agree; "none" is no key's. */
#ifndef FIRMIANA_DID_CREDENTIAL_JWT_H
#define FIRMIANA_DID_CREDENTIAL_JWT_H

#include "base/bytes.h"
#include "did/credential/credential.h"

#define CREDENTIAL_JWT_MAX (4u << 20)

/* Completes the credential as credential_issue() does, adds "iss", and appends the JWT. The
 * credential must carry no proof. FM_E_UNSUPPORTED for sm2. */
fm_status credential_jwt_issue(struct base_buf *out, json_t *credential,
                               const struct did_secret *secret, const char *method,
                               struct base_err *err) FM_CHECK;

/* Verifies as credential_verify() does. *credential is the payload, owned by the caller; facts
 * borrow from it. facts->proof.created_s is 0: a JWT does not say. */
fm_status credential_jwt_verify(struct credential_facts *out, json_t **credential, const char *text,
                                const struct credential_verifier *v, struct base_err *err) FM_CHECK;

/* The JWS below it: signs header and payload, both used as they are. */
fm_status credential_jws_sign(struct base_buf *out, const void *header, size_t header_len,
                              const void *payload, size_t payload_len,
                              const struct did_secret *secret, struct base_err *err) FM_CHECK;

/* Splits at the two points and decodes. FM_E_INPUT unless there are exactly three parts of
 * base64url without padding. signed_len: how much of the text was signed. */
struct credential_jws {
    struct base_buf header, payload, signature;
    size_t signed_len;
};
fm_status credential_jws_split(struct credential_jws *out, const char *text,
                               struct base_err *err) FM_CHECK;
void credential_jws_release(struct credential_jws *jws);

#endif
