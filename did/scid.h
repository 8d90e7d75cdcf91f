/* Self-certifying ids: the syntax of did:firmiana and the computation of its <id>. method.md
 * section 3. Internal to did/. */
#ifndef FIRMIANA_DID_SCID_H
#define FIRMIANA_DID_SCID_H

#include <jansson.h>
#include <stdbool.h>

#include "base/status.h"
#include "did/document.h"

/* base58btc of a multihash, with the closing NUL: of SHA-256, 12 20 ..., 46 characters; of SM3,
 * cd a6 01 20 ..., 50. */
#define DID_SCID_TEXT 51

/* A copy of value in which every string that is `from`, or begins with `from` and '#', begins with
 * `to` instead. NULL when memory is out. value must have passed base_json_hash(), which bounds its
 * depth. */
json_t *did_scid_substitute(const json_t *value, const char *from, const char *to);

/* Splits "did:firmiana:<chain>:<id>". False unless chain is 32 lower-case hex digits or "{CHAIN}",
 * and id is base58btc of a multihash of SHA-256 or SM3. */
bool did_scid_split(char chain[DID_CHAIN_TEXT], char id[DID_SCID_TEXT], const char *did) FM_CHECK;

/* The <id> of a first document whose DID is `did` so far: substitutes the template DID
 * "did:firmiana:{CHAIN}:{SCID}", canonicalises, hashes (base_hash), encodes. */
fm_status did_scid_compute(char id[DID_SCID_TEXT], const json_t *document, const char *did,
                           struct base_err *err) FM_CHECK;

#define DID_METHOD_PREFIX "did:firmiana:"
#define DID_TEMPLATE DID_METHOD_PREFIX DID_CHAIN_PLACEHOLDER ":" DID_SCID_PLACEHOLDER

#endif
