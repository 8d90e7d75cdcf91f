/* Signatures of documents: who signed exactly these bytes, one or several signers, each on his own
 * or one after the other. A record is one JSON object beside the document, which it does not hold:
 *
 *   {"document": {"name", "sha256", "size", "sm3"}, "in_order": bool, "purpose"?: text,
 *    "signatures": [proof ...], "signers": [DID ...], "type": "FirmianaSignature", "version": 1}
 *
 * A proof (proof.h) is over the record without "signatures", so that nobody can later change the
 * document, the signers or the purpose. In order, it is also over "after", the proofs before it:
 * who countersigns signs what the others did, and in which order (the proof chains of VC Data
 * Integrity, section 2.1.2, with our closed form of proofs).
 *
 * A signer signs with
 *   a key of role assertionMethod: a person by its did:key, a member by its node; or
 *   as many officers' keys (capabilityInvocation) as the member's document asks for: its threshold.
 * The first of the two that is whole counts, and no proof may follow it. In order, a signer's first
 * proof comes after the signer before him is whole.
 *
 * Keys are those of the moment that the resolver stands for. Anchored (ledger/verify/signed.h),
 * that is when the record was put on the ledger: a later rotation, or theft, changes nothing. */
#ifndef FIRMIANA_DID_SIGNATURE_H
#define FIRMIANA_DID_SIGNATURE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "did/proof.h"

#define DID_SIGNERS_MAX 32
#define DID_SIGNATURE_NAME_MAX 255     /* bytes of a document's name */
#define DID_SIGNATURE_PURPOSE_MAX 1000 /* bytes */
#define DID_SIGNATURE_RECORD_MAX \
    (1u << 19) /* bytes of a record: all signers by 32 officers each fit */

struct did_signature_document {
    const char *name; /* what the first signer called it */
    int64_t size;
    uint8_t sha256[32], sm3[32];
};

/* Who may be believed about keys. did:key is known without it. */
struct did_signature_keys {
    struct did_resolver resolver;
    /* How many officers must sign for this DID. */
    fm_status (*threshold)(void *ctx, size_t *out, const char *did, struct base_err *err);
};

/* Texts are borrowed from the record. */
struct did_signature_signer {
    const char *did;
    bool done;
    bool by_key;       /* by one key of role assertionMethod */
    size_t officers;   /* who signed, else */
    size_t threshold;  /* of them; 0 while none has signed */
    int64_t created_s; /* what the last proof says; proves nothing */
};

struct did_signature_report {
    struct did_signature_document document;
    const char *purpose; /* NULL: none */
    bool in_order;
    size_t count, missing; /* signers, and how many of them are not done */
    struct did_signature_signer signer[DID_SIGNERS_MAX];
};

/* A record that nobody has signed. signers: an array of DIDs, copied. purpose: NULL is allowed.
 * FM_E_INPUT names what is wrong. The caller owns *out. */
fm_status did_signature_new(json_t **out, const struct did_signature_document *document,
                            const json_t *signers, bool in_order, const char *purpose,
                            struct base_err *err) FM_CHECK;

/* Appends this key's proof. role: assertionMethod or capabilityInvocation. Whether it is this
 * signer's turn, verifying tells. FM_E_INPUT (not a record), FM_E_AUTH (not one of its signers),
 * FM_E_CONFLICT (this key has signed). On failure the record is unchanged. */
fm_status did_signature_sign(json_t *record, const struct did_secret *secret, const char *method,
                             enum did_role role, int64_t created_s, struct base_err *err) FM_CHECK;

/* Checks the form and every proof. FM_OK also if signers are missing: out->missing says how many.
 * FM_E_INPUT (form), FM_E_AUTH (a proof that does not hold, or by nobody who should), FM_E_INVALID
 * (out of order, one too many) are verdicts; others are not. */
fm_status did_signature_verify(struct did_signature_report *out, const json_t *record,
                               const struct did_signature_keys *keys, uint32_t rules_version,
                               struct base_err *err) FM_CHECK;

/* The keys of did:key, and of nobody else. */
extern const struct did_signature_keys did_signature_did_keys;

#endif
