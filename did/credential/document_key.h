/* Keys of DID documents of other methods than ours, did:web for one: a verification method that
 * stands in the relationship of a role, with a Multikey (publicKeyMultibase) or a JWK
 * (publicKeyJwk). DID Core 1.0, sections 5.2 and 5.3. That the document is the DID's, the caller
 * knows. */
#ifndef FIRMIANA_DID_CREDENTIAL_DOCUMENT_KEY_H
#define FIRMIANA_DID_CREDENTIAL_DOCUMENT_KEY_H

#include <jansson.h>

#include "base/status.h"
#include "did/role.h"
#include "did/suite.h"

/* FM_E_AUTH: the document has no such method, or not in that role; FM_E_INPUT: it is malformed;
 * FM_E_UNSUPPORTED: another controller's, or a key of a kind that is not known here. */
fm_status credential_document_key(struct did_key *out, const json_t *document, const char *method,
                                  enum did_role role, uint32_t rules_version,
                                  struct base_err *err) FM_CHECK;

#endif
