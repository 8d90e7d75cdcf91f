/* DID documents of members: did:firmiana:<chain>:<id>. method.md specifies them byte by byte; this
 * header parses and reads them, draft.h writes them, succession.h says which version may follow
 * which.
 *
 * Invariants of every parsed document:
 *   1. no unknown member at any level; canonical form at most DID_DOCUMENT_MAX bytes;
 *   2. every id in it is the document's own DID, or that DID with '#' and a fragment;
 *   3. a verification method's fragment is its Multikey, so an id names one key, for ever;
 *   4. keys are pairwise different, each has a role, and no officer's key has an online role;
 *   5. 1 <= threshold <= number of officers, and each online role has a key; or it is deactivated,
 *      and then there are no keys and threshold is 0;
 *   6. version 1 has the id that its content hashes to, and no "previous"; later ones have one. */
#ifndef FIRMIANA_DID_DOCUMENT_H
#define FIRMIANA_DID_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "did/proof.h"
#include "did/role.h"
#include "did/suite.h"

#define DID_CHAIN_TEXT 33    /* 32 hex digits, or "{CHAIN}" */
#define DID_FIRMIANA_TEXT 97 /* the longest did:firmiana, with the closing NUL */
#define DID_ALIAS_MAX 32
#define DID_KEYS_MAX 32
#define DID_SERVICES_MAX 16
#define DID_DOCUMENT_MAX 32768 /* 32 keys and 16 services of full length fit */

#define DID_CHAIN_PLACEHOLDER "{CHAIN}"
#define DID_SCID_PLACEHOLDER "{SCID}"

/* <chain>: the first 32 hex digits (128 bits) of the genesis hash. */
void did_chain_text(char out[DID_CHAIN_TEXT], const uint8_t genesis_hash32[32]);

/* The DID in front of a verification method's '#'. False if there is no '#', or it is longer than
 * any DID here. */
bool did_method_split(char did[DID_METHOD_TEXT], const char *method) FM_CHECK;

/* [a-z][a-z0-9_]*, at most DID_ALIAS_MAX. */
bool did_alias_is_valid(const char *alias) FM_CHECK;

/* H("firmiana:did:recovery:1" || 0x00 || multicodec prefix || key): what a document says
 * about its recovery key until that key is used. */
void did_recovery_commit(uint8_t out32[32], const struct did_key *key);

/* A key of a document. */
struct did_method {
    char id[DID_METHOD_TEXT];
    struct did_key key;
    unsigned roles; /* bits of enum did_role */
};

/* A parsed document: immutable, so many threads may read it. */
struct did_document;

/* Checks everything above. The tree is not kept: *out owns its own copy. rules_version decides
 * which keys are acceptable. Errors: FM_E_INPUT or FM_E_AUTH, with member, position and rule. */
fm_status did_document_parse(struct did_document **out, const json_t *json, uint32_t rules_version,
                             struct base_err *err) FM_CHECK;
void did_document_free(struct did_document *doc); /* NULL is fine */

/* The same document on a ledger: every "{CHAIN}" becomes the chain of that genesis. FM_E_CONFLICT
 * if it has a chain already. How genesis brings its members' documents to life (method.md). */
fm_status did_document_bind(struct did_document **out, const struct did_document *doc,
                            const uint8_t genesis_hash32[32], uint32_t rules_version,
                            struct base_err *err) FM_CHECK;

/* Borrowed from the document. */
const json_t *did_document_json(const struct did_document *doc);
const char *did_document_id(const struct did_document *doc);
const char *did_document_chain(const struct did_document *doc); /* hex, or "{CHAIN}" */
const char *did_document_alias(const struct did_document *doc);
const struct did_method *did_document_methods(const struct did_document *doc, size_t *count);
const uint8_t *did_document_hash32(const struct did_document *doc); /* base_hash of the JCS form */
const uint8_t *did_document_previous32(const struct did_document *doc); /* zeros in version 1 */
const uint8_t *did_document_recovery32(const struct did_document *doc);

int64_t did_document_version(const struct did_document *doc);
size_t did_document_threshold(const struct did_document *doc);
bool did_document_is_deactivated(const struct did_document *doc);
size_t did_document_key_count(const struct did_document *doc, enum did_role role);

/* The key of a verification method in a role. FM_E_AUTH, with the reason, if the document has no
 * such method or the method lacks the role. */
fm_status did_document_key(const struct did_document *doc, struct did_key *out, enum did_role role,
                           const char *method, struct base_err *err) FM_CHECK;

/* A resolver over one document, for did_proof_verify(): resolves its own methods and no others. */
struct did_resolver did_document_resolver(const struct did_document *doc);

/* Verifies that object is signed by at least `threshold` officers of the document, each with
 * purpose capabilityInvocation: one proof or a proof set. FM_E_AUTH says how many are missing.
 * count (may be NULL): how many signed. */
fm_status did_document_verify_officers(const struct did_document *doc, size_t *count,
                                       const json_t *object, uint32_t rules_version,
                                       struct base_err *err) FM_CHECK;

#endif
