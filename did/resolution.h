/* What resolving a DID gives: a DID Resolution result (W3C DID Core 1.0, section 7.1; DID
 * Resolution 0.3), whichever method the DID has and wherever its document came from:
 *
 *   {"@context", "didDocument", "didDocumentMetadata", "didResolutionMetadata"}
 *
 * and picking one version of a document out of a DID's history on its ledger (method.md, section
 * 4). Nothing here looks anything up. */
#ifndef FIRMIANA_DID_RESOLUTION_H
#define FIRMIANA_DID_RESOLUTION_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "did/document.h"
#include "did/succession.h"
#include "did/url.h"

/* A did:firmiana on a ledger: 32 hex digits and an id. */
bool did_is_member(const char *did);

/* ---- a DID's history ---- */

/* One version: where it began on the ledger, and by what. */
struct did_version {
    uint8_t hash32[32]; /* of the document */
    int64_t height, time_ms;
    char by[32]; /* the transaction's type; "genesis"; "" where that was erased */
};
/* Versions 1 to n. versions: free(). */
struct did_history {
    struct did_version *versions;
    size_t n;
};
void did_history_release(struct did_history *history); /* {0} is fine */
fm_status did_history_add(struct did_history *history, const struct did_version *version,
                          struct base_err *err) FM_CHECK;

/* As a node says it: [{"by", "hash", "height", "time"} ...], and back. FM_E_INPUT unless heights
 * and times rise. */
fm_status did_history_json(json_t **out, const struct did_history *history,
                           struct base_err *err) FM_CHECK;
fm_status did_history_parse(struct did_history *out, const json_t *json,
                            struct base_err *err) FM_CHECK;

/* The recovery that overrides version `at` (an index), or SIZE_MAX. */
size_t did_history_override(const struct did_history *history, size_t at);

/* Which version is asked for. */
struct did_which {
    enum { DID_NEWEST, DID_AT_VERSION, DID_AT_HEIGHT, DID_AT_TIME } by;
    int64_t value; /* version; height; milliseconds since 1970 */
};
/* From the text of a version ("3"). FM_E_ARG. */
fm_status did_which_version(struct did_which *out, const char *text, struct base_err *err) FM_CHECK;
/* From a moment (moment.h): versionTime. FM_E_ARG. */
fm_status did_which_time(struct did_which *out, const char *text, struct base_err *err) FM_CHECK;

/* The index of the version that was current then. FM_E_NOT_FOUND: it had none then, or not yet. */
fm_status did_history_pick(size_t *at, const struct did_history *history,
                           const struct did_which *which, struct base_err *err) FM_CHECK;

/* ---- results ---- */

/* The result for a member's document, version `at` of its history. document must be that
 * version's: its hash is compared (FM_E_INVALID), and parsing proves the id (document.h). */
fm_status did_resolution_of_member(json_t **out, const char *did, const struct did_history *history,
                                   size_t at, const json_t *document,
                                   struct base_err *err) FM_CHECK;
/* The result for a document of another method, without metadata. */
fm_status did_resolution_of(json_t **out, json_t *document, struct base_err *err) FM_CHECK;
/* The result that says why there is none: why's code becomes "invalidDid" (FM_E_ARG),
 * "methodNotSupported" (FM_E_UNSUPPORTED), "notFound" (FM_E_NOT_FOUND), "invalidDidDocument"
 * (FM_E_INPUT, FM_E_INVALID) or "internalError"; its text, "message". */
fm_status did_resolution_failed(json_t **out, const struct base_err *why,
                                struct base_err *err) FM_CHECK;

/* Whether the document that was resolved says that its DID is at its end. */
bool did_resolution_is_deactivated(const json_t *result);

/* What a fragment names in a document: a verification method or a service, wherever it stands.
 * borrowed. FM_E_NOT_FOUND: nothing. */
fm_status did_dereference(const json_t **out, const json_t *document, const char *did,
                          const char *fragment, struct base_err *err) FM_CHECK;
/* The dereferencing result (DID Core 1.0, section 7.2) for it. */
fm_status did_dereferenced(json_t **out, const json_t *content, const json_t *resolution,
                           struct base_err *err) FM_CHECK;

#endif
