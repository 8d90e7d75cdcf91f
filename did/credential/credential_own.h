/* What the two ways of signing a credential share: inside this folder alone. */
#ifndef FIRMIANA_DID_CREDENTIAL_CREDENTIAL_OWN_H
#define FIRMIANA_DID_CREDENTIAL_CREDENTIAL_OWN_H

#include "did/credential/credential.h"

/* issuer becomes the DID of method, or is it; then the shape is checked. */
fm_status credential_complete(json_t *credential, const char *method,
                              struct base_err *err) FM_CHECK;

/* All but the signature, which out->proof tells was verified: shape, whose key, period, status. */
fm_status credential_judge(struct credential_facts *out, const json_t *credential,
                           const struct credential_verifier *v, struct base_err *err) FM_CHECK;

#endif
