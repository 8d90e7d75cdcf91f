/* Credentials in a wallet (did/credential): verified when they come in, shown under a verifier's
 * challenge.
 *
 *   content.credentials  {"credential": the object, or an SD-JWT's text, "did": the subject's,
 *                        "form", "id": hash of its text, "issuer", "type", "until"?: seconds}
 *
 * Each is about a DID that this wallet gave to one counterpart (consent.h): who is shown it learns
 * that DID, and two verifiers that are shown the same credential can link it. */
#ifndef FIRMIANA_EXCHANGE_WALLET_HOLDER_H
#define FIRMIANA_EXCHANGE_WALLET_HOLDER_H

#include "did/credential/credential.h"
#include "did/credential/schemas.h"
#include "exchange/wallet/wallet.h"

#define WALLET_CREDENTIAL_MAX (1u << 20)

/* text: JSON with a Data Integrity proof, or an SD-JWT VC. It is held against each schema
 * that it names, of this program or of more (did/credential/schemas.h). *record borrows from the
 * wallet. Errors: verdicts as credential_verify(); FM_E_NOT_FOUND (about no DID of this wallet),
 * FM_E_CONFLICT (it is there), FM_E_UNSUPPORTED (a plain JWT, which cannot be shown under a
 * challenge), FM_E_REFUSED (an SD-JWT without holder), FM_E_LIMIT. */
fm_status wallet_credential_receive(const json_t **record, struct wallet *w, const char *text,
                                    const struct credential_verifier *v,
                                    const struct credential_schemas *more,
                                    struct base_err *err) FM_CHECK;

/* What one verifier asked for. */
struct wallet_request {
    const char *challenge, *domain;
    const char *const *disclose; /* of an SD-JWT: pointers, "" for all */
    size_t disclose_count;
    int64_t now_s;
};

/* Records of one holder's DID: credentials with proofs together, or one SD-JWT. *out: the object,
 * or a string. FM_E_ARG: they do not go together. */
fm_status wallet_credential_present(json_t **out, const struct wallet *w, const json_t *records,
                                    const struct wallet_request *request,
                                    struct base_err *err) FM_CHECK;

fm_status wallet_credential_remove(struct wallet *w, const json_t *record,
                                   struct base_err *err) FM_CHECK;

#endif
