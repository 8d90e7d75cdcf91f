#include "did/resolution.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "did/moment.h"
#include "did/scid.h"

#define CONTEXT "https://w3id.org/did-resolution/v1"

bool did_is_member(const char *did)
{
    char chain[DID_CHAIN_TEXT], id[DID_SCID_TEXT];

    return did_scid_split(chain, id, did) && strcmp(chain, DID_CHAIN_PLACEHOLDER) != 0;
}

/* ---- a DID's history ---- */

void did_history_release(struct did_history *history)
{
    free(history->versions);
    *history = (struct did_history){0};
}

fm_status did_history_add(struct did_history *history, const struct did_version *version,
                          struct base_err *err)
{
    struct did_version *grown = history->versions;

    if ((history->n & (history->n + 1)) == 0) /* room is 2 n + 1: at 0, 1, 3, 7, ... */
        grown = realloc(grown, (2 * history->n + 1) * sizeof *grown);
    if (grown == NULL)
        return base_err_memory(err, "history");
    history->versions = grown;
    history->versions[history->n++] = *version;
    return FM_OK;
}

fm_status did_history_json(json_t **out, const struct did_history *history, struct base_err *err)
{
    bool failed = false;

    *out = json_array();
    for (size_t i = 0; i < history->n; i++) {
        const struct did_version *v = &history->versions[i];
        char hash[65];
        base_hex(hash, v->hash32, 32);
        failed |= json_array_append_new(*out, json_pack("{s:s, s:s, s:I, s:I}", "by", v->by, "hash",
                                                        hash, "height", (json_int_t)v->height,
                                                        "time", (json_int_t)v->time_ms)) != 0;
    }
    if (*out != NULL && !failed)
        return FM_OK;
    json_decref(*out);
    *out = NULL;
    return base_err_memory(err, "history");
}

static fm_status parse_version(struct did_version *v, const json_t *item,
                               const struct did_version *before, struct base_err *err)
{
    const char *by;
    fm_status st;

    *v = (struct did_version){0};
    if ((st = base_json_get_hex(v->hash32, 32, item, "hash", err)) != FM_OK ||
        (st = base_json_get_int(&v->height, item, "height", err)) != FM_OK ||
        (st = base_json_get_int(&v->time_ms, item, "time", err)) != FM_OK ||
        (st = base_json_get_str(&by, item, "by", err)) != FM_OK)
        return st;
    if (strlen(by) >= sizeof v->by)
        return base_err_set(err, FM_E_INPUT, "member 'by' is too long");
    memcpy(v->by, by, strlen(by));
    if (v->height < 0 || v->time_ms < 0 ||
        (before != NULL && (v->height < before->height || v->time_ms < before->time_ms)))
        return base_err_set(err, FM_E_INPUT, "heights and times of versions must rise");
    return FM_OK;
}

fm_status did_history_parse(struct did_history *out, const json_t *json, struct base_err *err)
{
    fm_status st =
        json_is_array(json) ? FM_OK : base_err_set(err, FM_E_INPUT, "versions must be an array");

    *out = (struct did_history){0};
    for (size_t i = 0; st == FM_OK && i < json_array_size(json); i++) {
        struct did_version v;
        st = parse_version(&v, json_array_get(json, i), i > 0 ? &out->versions[i - 1] : NULL, err);
        if (st == FM_OK)
            st = did_history_add(out, &v, err);
    }
    if (st != FM_OK)
        did_history_release(out);
    return st;
}

size_t did_history_override(const struct did_history *history, size_t at)
{
    const struct did_version *v = &history->versions[at];

    if (strcmp(v->by, "did.update") != 0 && strcmp(v->by, "did.deactivate") != 0)
        return SIZE_MAX;
    for (size_t i = at + 1; i < history->n; i++)
        if (strcmp(history->versions[i].by, "did.recover") == 0)
            return history->versions[i].time_ms - v->time_ms < DID_OVERRIDE_MS ? i : SIZE_MAX;
    return SIZE_MAX;
}

/* ---- which version ---- */

fm_status did_which_version(struct did_which *out, const char *text, struct base_err *err)
{
    size_t len = strspn(text, "0123456789");

    if (len < 1 || len > 15 || text[len] != '\0' || text[0] == '0')
        return base_err_set(err, FM_E_ARG, "version '%.40s': versions are 1, 2, 3, ...", text);
    *out = (struct did_which){DID_AT_VERSION, strtoll(text, NULL, 10)};
    return FM_OK;
}

fm_status did_which_time(struct did_which *out, const char *text, struct base_err *err)
{
    int64_t unix_s;

    if (!did_moment_parse_any(&unix_s, text))
        return base_err_set(err, FM_E_ARG, "time '%.40s': written like 2026-11-20T09:51:00Z", text);
    /* A version of that very second counts: blocks have milliseconds, moments have not. */
    *out = (struct did_which){DID_AT_TIME, unix_s * 1000 + 999};
    return FM_OK;
}

fm_status did_history_pick(size_t *at, const struct did_history *history,
                           const struct did_which *which, struct base_err *err)
{
    size_t n = 0;

    while (n < history->n &&
           (which->by == DID_NEWEST || (which->by == DID_AT_VERSION && (int64_t)n < which->value) ||
            (which->by == DID_AT_HEIGHT && history->versions[n].height <= which->value) ||
            (which->by == DID_AT_TIME && history->versions[n].time_ms <= which->value)))
        n++;
    *at = n - 1;
    if (which->by == DID_AT_VERSION && (int64_t)n != which->value)
        return base_err_set(err, FM_E_NOT_FOUND, "it has no version %lld: the newest is %zu",
                            (long long)which->value, history->n);
    if (n == 0)
        return base_err_set(err, FM_E_NOT_FOUND,
                            history->n == 0 ? "there is no such member"
                                            : "the DID did not exist then");
    return FM_OK;
}

/* ---- results ---- */

/* All three are used up. */
static fm_status make_result(json_t **out, json_t *document, json_t *document_metadata,
                             json_t *resolution_metadata, struct base_err *err)
{
    *out = json_pack("{s:s, s:o, s:o, s:o}", "@context", CONTEXT, "didDocument", document,
                     "didDocumentMetadata", document_metadata, "didResolutionMetadata",
                     resolution_metadata);
    return *out != NULL ? FM_OK : base_err_memory(err, "resolution");
}

static fm_status set_moment(json_t *metadata, const char *name, int64_t time_ms,
                            struct base_err *err)
{
    char text[DID_MOMENT_TEXT];
    fm_status st = did_moment_format(text, time_ms / 1000, err);

    if (st == FM_OK && json_object_set_new(metadata, name, json_string(text)) != 0)
        st = base_err_memory(err, "resolution");
    return st;
}

static fm_status set_version(json_t *metadata, const char *name, size_t version,
                             struct base_err *err)
{
    json_t *text = json_sprintf("%zu", version);

    return json_object_set_new(metadata, name, text) == 0 ? FM_OK
                                                          : base_err_memory(err, "resolution");
}

static fm_status member_metadata(json_t *m, const struct did_history *history, size_t at,
                                 const struct did_document *doc, struct base_err *err)
{
    const struct did_version *v = &history->versions[at];
    size_t override = did_history_override(history, at);
    char hash[65];
    fm_status st = set_moment(m, "created", history->versions[0].time_ms, err);

    if (st == FM_OK && at > 0)
        st = set_moment(m, "updated", v->time_ms, err);
    if (st == FM_OK)
        st = set_version(m, "versionId", at + 1, err);
    if (st == FM_OK && at + 1 < history->n)
        st = set_moment(m, "nextUpdate", v[1].time_ms, err);
    if (st == FM_OK && at + 1 < history->n)
        st = set_version(m, "nextVersionId", at + 2, err);
    if (st == FM_OK && override != SIZE_MAX)
        st = set_version(m, "overriddenBy", override + 1, err);
    base_hex(hash, v->hash32, 32);
    if (st == FM_OK &&
        ((did_document_is_deactivated(doc) &&
          json_object_set_new(m, "deactivated", json_true()) != 0) ||
         json_object_set_new(m, "ledger",
                             json_pack("{s:s, s:s, s:I}", "by", v->by, "documentHash", hash,
                                       "height", (json_int_t)v->height)) != 0))
        st = base_err_memory(err, "resolution");
    return st;
}

fm_status did_resolution_of_member(json_t **out, const char *did, const struct did_history *history,
                                   size_t at, const json_t *document, struct base_err *err)
{
    struct did_document *doc = NULL;
    json_t *metadata = json_object();
    fm_status st = metadata != NULL ? did_document_parse(&doc, document, DID_RULES_VERSION, err)
                                    : base_err_memory(err, "resolution");

    *out = NULL;
    if (st == FM_OK && strcmp(did_document_id(doc), did) != 0)
        st = base_err_set(err, FM_E_INVALID, "the document is %s's", did_document_id(doc));
    if (st == FM_OK && (did_document_version(doc) != (int64_t)at + 1 ||
                        memcmp(did_document_hash32(doc), history->versions[at].hash32, 32) != 0))
        st = base_err_set(err, FM_E_INVALID, "the document is not version %zu of %s", at + 1, did);
    if (st == FM_OK && at > 0 &&
        memcmp(did_document_previous32(doc), history->versions[at - 1].hash32, 32) != 0)
        st = base_err_set(err, FM_E_INVALID, "version %zu of %s does not follow version %zu",
                          at + 1, did, at);
    if (st == FM_OK)
        st = member_metadata(metadata, history, at, doc, err);
    if (st == FM_OK)
        st = make_result(out, json_deep_copy(document), json_incref(metadata),
                         json_pack("{s:s}", "contentType", "application/did+ld+json"), err);
    json_decref(metadata);
    did_document_free(doc);
    return st;
}

fm_status did_resolution_of(json_t **out, json_t *document, struct base_err *err)
{
    const char *type = json_object_get(document, "@context") != NULL ? "application/did+ld+json"
                                                                     : "application/did+json";

    return make_result(out, json_incref(document), json_object(),
                       json_pack("{s:s}", "contentType", type), err);
}

fm_status did_resolution_failed(json_t **out, const struct base_err *why, struct base_err *err)
{
    const char *error = "internalError";

    if (why->code == FM_E_ARG)
        error = "invalidDid";
    else if (why->code == FM_E_UNSUPPORTED)
        error = "methodNotSupported";
    else if (why->code == FM_E_NOT_FOUND)
        error = "notFound";
    else if (why->code == FM_E_INPUT || why->code == FM_E_INVALID)
        error = "invalidDidDocument";
    return make_result(out, json_null(), json_object(),
                       json_pack("{s:s, s:s}", "error", error, "message", why->text), err);
}

bool did_resolution_is_deactivated(const json_t *result)
{
    return json_is_true(
        json_object_get(json_object_get(result, "didDocumentMetadata"), "deactivated"));
}

/* ---- fragments ---- */

static bool is_named(const json_t *item, const char *did, const char *fragment)
{
    const char *id = json_string_value(json_object_get(item, "id"));
    size_t len = strlen(did);

    if (id != NULL && strncmp(id, did, len) == 0)
        id += len;
    return id != NULL && id[0] == '#' && strcmp(id + 1, fragment) == 0;
}

fm_status did_dereference(const json_t **out, const json_t *document, const char *did,
                          const char *fragment, struct base_err *err)
{
    /* A relationship may hold a method of its own, where others name one (DID Core, 5.3). */
    static const char *const lists[] = {"verificationMethod",   "service",
                                        "authentication",       "assertionMethod",
                                        "capabilityInvocation", "capabilityDelegation",
                                        "keyAgreement"};

    for (size_t l = 0; l < sizeof lists / sizeof lists[0]; l++) {
        const json_t *list = json_object_get(document, lists[l]);
        for (size_t i = 0; i < json_array_size(list); i++)
            if (is_named(json_array_get(list, i), did, fragment)) {
                *out = json_array_get(list, i);
                return FM_OK;
            }
    }
    *out = NULL;
    return base_err_set(err, FM_E_NOT_FOUND, "the document has nothing with the id #%.100s",
                        fragment);
}

fm_status did_dereferenced(json_t **out, const json_t *content, const json_t *resolution,
                           struct base_err *err)
{
    *out = json_pack("{s:s, s:O, s:O, s:O}", "@context", CONTEXT, "contentMetadata",
                     json_object_get(resolution, "didDocumentMetadata"), "contentStream", content,
                     "dereferencingMetadata", json_object_get(resolution, "didResolutionMetadata"));
    return *out != NULL ? FM_OK : base_err_memory(err, "resolution");
}
