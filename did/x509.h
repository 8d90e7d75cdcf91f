/* A member's X.509 certificate, bound to its DID: a record that the member signed and that carries
 * the certificate, so that whoever trusts the CA knows which organisation the DID is.
 *
 *   {"certificates": [base64url of DER ...], "did", "proof", "type": "FirmianaX509"}
 *
 * certificates: the member's own, then any between it and the CA's root; 1 to 8 of at most 16384
 * bytes. proof (proof.h): by a key of the document, as assertionMethod or capabilityInvocation. The
 * record is good at a moment if, all of it:
 *
 *   1. the proof verifies under the document;
 *   2. the certificate is the proof's key's own ("key": its holder signed, which a certificate with
 *      a key that merely stands in a document would not show), or a URI in its subjectAltName is
 *      the DID ("name": the CA says so);
 *   3. no URI there is another DID;
 *   4. a chain leads from it to one of the given roots, all valid at that moment, intermediates
 *      being CAs, keys and digests of at least 112 bits (OpenSSL's X509_verify_cert, strict);
 *   5. it is no CA's, may sign (keyUsage, if there: digitalSignature or nonRepudiation), and is for
 *      people or organisations (extendedKeyUsage, if there: clientAuth, emailProtection, document
 *      signing or any), as are the CAs between it and the root;
 *   6. where revocation lists are given, there is one for every CA of the chain, and none of them
 *      names a certificate of it.
 *
 * Keys of certificates: Ed25519, P-256, SM2 for "key", anything that OpenSSL verifies for "name".
 * SM2 signatures are checked with the signer's ID of GM/T 0009-2012; of revocation lists OpenSSL 3
 * cannot, so lists signed by SM2 are refused (FM_E_UNSUPPORTED). */
#ifndef FIRMIANA_DID_X509_H
#define FIRMIANA_DID_X509_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "did/document.h"

#define DID_X509_RECORD_MAX ((size_t)256 << 10)
#define DID_X509_CERTIFICATES_MAX 8
#define DID_X509_NAME 256

/* Makes a record from certificates in PEM, the member's own first, and signs it. method: of the key
 * in the member's document. The certificate is not judged here, except that rule 2 holds. Errors:
 * FM_E_INPUT (no certificates, too many or too long), FM_E_CONFLICT (rule 2), FM_E_ARG (method). */
fm_status did_x509_attach(json_t **out, const char *pem, size_t len, const char *method,
                          const struct did_secret *secret, enum did_role role, int64_t created_s,
                          struct base_err *err) FM_CHECK;

struct did_x509_terms {
    const char *roots; /* PEM: the CAs to trust, and nothing else */
    size_t roots_len;
    const char *crls; /* PEM; NULL: revocation is not looked at */
    size_t crls_len;
    int64_t at_s; /* the moment */
    uint32_t rules_version;
};

struct did_x509_facts {
    bool by_key, by_name;
    enum did_role role;          /* of the key that signed the record */
    char subject[DID_X509_NAME]; /* RFC 2253; cut if it is longer */
    char issuer[DID_X509_NAME];
    char serial[64]; /* hex */
    int64_t from_s, until_s;
};

/* The DID that a record is about, borrowed from it; FM_E_INPUT if it is no such record. */
fm_status did_x509_did(const char **out, const json_t *record, struct base_err *err) FM_CHECK;

/* Checks a record against the document of its DID. Verdicts: FM_OK; FM_E_INPUT (malformed),
 * FM_E_AUTH (proof, chain), FM_E_INVALID (not bound to the DID, not valid at that moment, revoked,
 * not for this). FM_E_ARG: roots or crls hold none, or cannot be read. */
fm_status did_x509_verify(struct did_x509_facts *out, const json_t *record,
                          const struct did_document *doc, const struct did_x509_terms *terms,
                          struct base_err *err) FM_CHECK;

#endif
