#include "exchange/resolve/resolve.h"

#include <string.h>

#include "did/key_did.h"
#include "did/web.h"

#define FETCH_TIMEOUT_MS 10000

void resolve_found_release(struct resolve_found *found)
{
    did_history_release(&found->history);
    json_decref(found->document);
    *found = (struct resolve_found){0};
}

/* ---- methods ---- */

static fm_status of_member(json_t **result, const struct resolve_sources *sources,
                           const struct did_url *url, const struct did_which *which,
                           struct base_err *err)
{
    struct resolve_found found = {0};
    fm_status st;

    if (!did_is_member(url->did))
        return base_err_set(err, FM_E_ARG,
                            "'%.100s' is no did:firmiana: that is 32 hex digits, ':' and a hash",
                            url->did);
    if (sources->member == NULL)
        return base_err_set(err, FM_E_ARG,
                            "a did:firmiana is looked up on its ledger: give --home (a member's "
                            "node) or --trail FILE");
    st = sources->member(sources->ctx, &found, url->did, which, err);
    if (st == FM_OK)
        st = did_resolution_of_member(result, url->did, &found.history, found.at, found.document,
                                      err);
    resolve_found_release(&found);
    return st;
}

/* No ledger, so no versions. */
static fm_status check_newest(const struct did_which *which, const char *method,
                              struct base_err *err)
{
    return which->by == DID_NEWEST ? FM_OK
                                   : base_err_set(err, FM_E_UNSUPPORTED,
                                                  "did:%s has no versions to choose from", method);
}

static fm_status of_key(json_t **result, const struct resolve_sources *sources,
                        const struct did_url *url, const struct did_which *which,
                        struct base_err *err)
{
    json_t *document = NULL;
    fm_status st = check_newest(which, url->method, err);

    (void)sources;
    if (st == FM_OK) {
        st = did_key_did_document(&document, url->did, DID_RULES_VERSION, err);
        if (st == FM_E_INPUT || st == FM_E_AUTH) /* the DID is the key */
            st = err->code = FM_E_ARG;
    }
    if (st == FM_OK)
        st = did_resolution_of(result, document, err);
    json_decref(document);
    return st;
}

static fm_status of_web(json_t **result, const struct resolve_sources *sources,
                        const struct did_url *url, const struct did_which *which,
                        struct base_err *err)
{
    char address[DID_URL_TEXT];
    struct resolve_fetch what = {address, sources->ca_file, DID_WEB_DOCUMENT_MAX, FETCH_TIMEOUT_MS};
    struct base_buf bytes = {0};
    json_t *document = NULL;
    fm_status st = check_newest(which, url->method, err);

    if (st == FM_OK)
        st = did_web_address(address, url->id, err);
    if (st == FM_OK)
        st = resolve_fetch(&bytes, &what, err);
    if (st == FM_OK && did_web_parse(&document, url->did, bytes.p, bytes.len, err) != FM_OK)
        st = base_err_prefix(err, "%s", address);
    if (st == FM_OK)
        st = did_resolution_of(result, document, err);
    json_decref(document);
    base_buf_release(&bytes);
    return st;
}

static const struct {
    const char *name;
    fm_status (*resolve)(json_t **result, const struct resolve_sources *sources,
                         const struct did_url *url, const struct did_which *which,
                         struct base_err *err);
} methods[] = {{"firmiana", of_member}, {"key", of_key}, {"web", of_web}};

static fm_status by_method(json_t **result, const struct resolve_sources *sources,
                           const struct did_url *url, const struct did_which *which,
                           struct base_err *err)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (strcmp(url->method, methods[i].name) == 0)
            return methods[i].resolve(result, sources, url, which, err);
    return base_err_set(err, FM_E_UNSUPPORTED,
                        "did:%.40s: known here are did:firmiana, did:key and did:web", url->method);
}

/* ---- parameters ---- */

static fm_status read_parameters(struct did_which *which, const struct did_url *url,
                                 struct base_err *err)
{
    static const char *const known[] = {"versionId", "versionTime", NULL};
    struct did_which said = {0};
    char version[64], time[64], other[64];
    fm_status st = did_url_parameter(version, sizeof version, url, "versionId", err);

    if (st == FM_OK)
        st = did_url_parameter(time, sizeof time, url, "versionTime", err);
    if (st != FM_OK)
        return st;
    did_url_other_parameter(other, url, known);
    if (other[0] != '\0' || url->path != NULL)
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "known in a DID URL are the parameters versionId and versionTime and a "
                            "fragment, not %s",
                            other[0] != '\0' ? other : "a path");
    if ((version[0] != '\0') + (time[0] != '\0') + (which->by != DID_NEWEST) > 1)
        return base_err_set(err, FM_E_ARG,
                            "say which version once: by its number, a time or a "
                            "height");
    if (version[0] != '\0')
        st = did_which_version(&said, version, err);
    else if (time[0] != '\0')
        st = did_which_time(&said, time, err);
    if (st == FM_OK && said.by != DID_NEWEST)
        *which = said;
    return st;
}

/* ---- the whole ---- */

static fm_status fail(json_t **result, fm_status st, struct base_err *err)
{
    struct base_err second = {0};

    json_decref(*result);
    if (did_resolution_failed(result, err, &second) != FM_OK)
        *result = NULL;
    return st;
}

fm_status resolve_url(json_t **result, const struct resolve_sources *sources, const char *url,
                      const struct did_which *which, struct base_err *err)
{
    struct did_which wanted = *which;
    struct did_url parts;
    const json_t *content;
    json_t *resolution = NULL;
    fm_status st = did_url_parse(&parts, url, err);

    *result = NULL;
    if (st == FM_OK)
        st = read_parameters(&wanted, &parts, err);
    if (st == FM_OK)
        st = by_method(&resolution, sources, &parts, &wanted, err);
    if (st == FM_OK && parts.fragment == NULL) {
        *result = resolution;
        return FM_OK;
    }
    if (st == FM_OK)
        st = did_dereference(&content, json_object_get(resolution, "didDocument"), parts.did,
                             parts.fragment, err);
    if (st == FM_OK)
        st = did_dereferenced(result, content, resolution, err);
    json_decref(resolution);
    return st == FM_OK ? FM_OK : fail(result, st, err);
}

fm_status resolve_did(json_t **result, const struct resolve_sources *sources, const char *did,
                      const struct did_which *which, struct base_err *err)
{
    if (strpbrk(did, "/?#") != NULL) {
        *result = NULL;
        return fail(result, base_err_set(err, FM_E_ARG, "'%.80s' is a DID URL, not a DID", did),
                    err);
    }
    return resolve_url(result, sources, did, which, err);
}
