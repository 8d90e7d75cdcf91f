/* Public keys as JWKs: RFC 7517; OKP with Ed25519 (RFC 8037, section 2), EC with P-256 (RFC 7518,
 * section 6.2). SM2 has no registered names in JOSE. RFC 7515, section 4.1.1, and RFC 7517, section
 * 4.1, allow names that cannot collide: here the object identifiers of GM/T 0006, as URNs
 * (RFC 3061), so that any reader of the standard can say what they mean:
 *
 *   alg      urn:oid:1.2.156.10197.1.501   SM2 signature with SM3, ID of GM/T 0009
 *   crv      urn:oid:1.2.156.10197.1.301   the curve of GB/T 32918.5; kty EC
 *   _sd_alg  urn:oid:1.2.156.10197.1.401   SM3 (sd_jwt.h) */
#ifndef FIRMIANA_DID_CREDENTIAL_JWK_H
#define FIRMIANA_DID_CREDENTIAL_JWK_H

#include <jansson.h>

#include "base/status.h"
#include "did/suite.h"

#define CREDENTIAL_ALG_SM2 "urn:oid:1.2.156.10197.1.501"
#define CREDENTIAL_HASH_SM3 "urn:oid:1.2.156.10197.1.401"

/* The "alg" of a suite's signatures in JWTs: EdDSA, ES256, or SM2's name of above. */
const char *credential_alg(const struct did_suite *suite);

/* Exactly the members that a public key of its kind has. The caller owns *out. */
fm_status credential_jwk_make(json_t **out, const struct did_key *key,
                              struct base_err *err) FM_CHECK;

/* Members that say what a key is for ("kid", "alg", "use", ...) are ignored, a secret "d" is
 * refused. Errors: FM_E_INPUT (not the form of a JWK), FM_E_UNSUPPORTED (another kind of key),
 * FM_E_AUTH (no point of the curve, or a suite that the rules or the profile do not have). */
fm_status credential_jwk_read(struct did_key *out, const json_t *jwk, uint32_t rules_version,
                              struct base_err *err) FM_CHECK;

#endif
