/* did:key for subjects: the DID is the key. "did:key:" and the Multikey; its only verification
 * method is "did:key:z6Mk...#z6Mk...". Nothing is stored anywhere, so there is no rotation and no
 * revocation: a fresh key per consent. W3C CCG did:key v0.9, with type Multikey. */
#ifndef FIRMIANA_DID_KEY_DID_H
#define FIRMIANA_DID_KEY_DID_H

#include <jansson.h>

#include "base/status.h"
#include "did/multibase.h"
#include "did/suite.h"

#define DID_KEY_DID_TEXT (8 + DID_MULTIKEY_TEXT)
#define DID_KEY_METHOD_TEXT (DID_KEY_DID_TEXT + DID_MULTIKEY_TEXT)

fm_status did_key_did_encode(char out[DID_KEY_DID_TEXT], const struct did_key *key,
                             struct base_err *err) FM_CHECK;
/* The DID alone, without a fragment. Errors as did_multikey_decode(). */
fm_status did_key_did_decode(struct did_key *out, const char *did, uint32_t rules_version,
                             struct base_err *err) FM_CHECK;

/* The id of its verification method, as a proof names it, and back. Decoding fails with FM_E_INPUT
 * unless DID and fragment name the same key. */
fm_status did_key_method_encode(char out[DID_KEY_METHOD_TEXT], const struct did_key *key,
                                struct base_err *err) FM_CHECK;
fm_status did_key_method_decode(struct did_key *out, const char *method, uint32_t rules_version,
                                struct base_err *err) FM_CHECK;

/* The DID document that the DID stands for: one Multikey method in authentication,
 * assertionMethod, capabilityInvocation and capabilityDelegation. No keyAgreement: we derive no
 * encryption key from a signing key. The caller owns *out (json_decref). */
fm_status did_key_did_document(json_t **out, const char *did, uint32_t rules_version,
                               struct base_err *err) FM_CHECK;

#endif
