/* The one resolver: did:firmiana from a member's node or an exported trail, did:key from itself,
 * did:web over HTTPS. Gives W3C results (did/resolution.h), for DIDs and for DID URLs with a
 * fragment and the parameters versionId and versionTime. */
#ifndef FIRMIANA_EXCHANGE_RESOLVE_H
#define FIRMIANA_EXCHANGE_RESOLVE_H

#include "did/resolution.h"
#include "exchange/resolve/fetch.h"

/* What a source knows of a member's DID. */
struct resolve_found {
    struct did_history history;
    size_t at;        /* the version that was asked for */
    json_t *document; /* its document; owned */
};
void resolve_found_release(struct resolve_found *found); /* {0} is fine */

struct resolve_sources {
    /* Finds a member's DID. FM_E_NOT_FOUND: it knows none of that name or version. NULL: no ledger
     * is at hand. */
    fm_status (*member)(void *ctx, struct resolve_found *out, const char *did,
                        const struct did_which *which, struct base_err *err);
    void *ctx;
    const char *ca_file; /* of did:web: see fetch.h */
};

/* did: without path, query and fragment. *result is the caller's whatever comes back: on failure
 * it says which of W3C's errors it is, and is NULL for want of memory alone. Errors: FM_E_ARG (not
 * a DID), FM_E_UNSUPPORTED (method or parameter), FM_E_NOT_FOUND, and those of what was read. */
fm_status resolve_did(json_t **result, const struct resolve_sources *sources, const char *did,
                      const struct did_which *which, struct base_err *err) FM_CHECK;

/* The same for a DID URL. Its parameters may not contradict which (FM_E_ARG); with a fragment the
 * result is that of dereferencing. A path is FM_E_UNSUPPORTED. */
fm_status resolve_url(json_t **result, const struct resolve_sources *sources, const char *url,
                      const struct did_which *which, struct base_err *err) FM_CHECK;

#endif
