/* Checking a DID document, member by member: method.md section 2. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "did/copy.h"
#include "did/document_impl.h"
#include "did/multibase.h"
#include "did/scid.h"

static const char *const contexts[2] = {"https://www.w3.org/ns/did/v1",
                                        "https://w3id.org/security/multikey/v1"};

/* Else a threshold could ask for more signatures than a proof set holds. */
_Static_assert(DID_PROOF_SET_MAX >= DID_KEYS_MAX, "all officers fit into one proof set");

/* ---- the whole ---- */

static fm_status check_bytes(struct did_document *doc, const json_t *json, struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st = base_json_canonical(&bytes, json, err);

    if (st == FM_OK && bytes.len > DID_DOCUMENT_MAX)
        st = base_err_set(err, FM_E_INPUT, "%zu bytes long, at most %d are allowed", bytes.len,
                          DID_DOCUMENT_MAX);
    if (st == FM_OK)
        base_hash(doc->hash32, bytes.p, bytes.len);
    base_buf_release(&bytes);
    return st;
}

static fm_status check_context(const json_t *json, struct base_err *err)
{
    json_t *list;
    fm_status st = base_json_get_array(&list, json, "@context", err);

    if (st != FM_OK)
        return st;
    if (json_array_size(list) == 2) {
        const char *first = json_string_value(json_array_get(list, 0));
        const char *second = json_string_value(json_array_get(list, 1));
        if (first != NULL && strcmp(first, contexts[0]) == 0 && second != NULL &&
            strcmp(second, contexts[1]) == 0)
            return FM_OK;
    }
    return base_err_set(err, FM_E_INPUT, "member '@context' must be [\"%s\", \"%s\"]", contexts[0],
                        contexts[1]);
}

static fm_status check_id(struct did_document *doc, char scid[DID_SCID_TEXT], struct base_err *err)
{
    const char *did;
    fm_status st = base_json_get_str(&did, doc->json, "id", err);

    if (st != FM_OK)
        return st;
    if (!did_scid_split(doc->chain, scid, did))
        return base_err_set(err, FM_E_INPUT, "id '%.100s' is not did:firmiana:<chain>:<id>", did);
    (void)snprintf(doc->did, sizeof doc->did, "%s", did);
    return FM_OK;
}

/* ---- the member "firmiana" ---- */

static fm_status check_version(struct did_document *doc, const json_t *own, struct base_err *err)
{
    fm_status st = base_json_get_int(&doc->version, own, "version", err);

    if (st != FM_OK)
        return st;
    if (doc->version < 1)
        return base_err_set(err, FM_E_INPUT, "version must be 1 or more");
    if (doc->version > 1)
        return base_json_get_hex(doc->previous32, 32, own, "previous", err);
    if (json_object_get(own, "previous") != NULL)
        return base_err_set(err, FM_E_INPUT, "version 1 has no member 'previous'");
    return FM_OK;
}

static fm_status check_own(struct did_document *doc, struct base_err *err)
{
    static const char *const members[] = {"alias",     "deactivated", "previous", "recovery",
                                          "threshold", "version",     NULL};
    const char *alias;
    int64_t threshold;
    json_t *own;
    fm_status st;

    if ((st = base_json_get_object(&own, doc->json, "firmiana", err)) != FM_OK)
        return st;
    if ((st = base_json_only(own, members, err)) != FM_OK ||
        (st = base_json_get_str(&alias, own, "alias", err)) != FM_OK ||
        (st = base_json_get_bool(&doc->deactivated, own, "deactivated", err)) != FM_OK ||
        (st = base_json_get_hex(doc->recovery32, 32, own, "recovery", err)) != FM_OK ||
        (st = base_json_get_int(&threshold, own, "threshold", err)) != FM_OK ||
        (st = check_version(doc, own, err)) != FM_OK)
        return base_err_prefix(err, "firmiana");
    if (!did_alias_is_valid(alias))
        return base_err_set(err, FM_E_INPUT,
                            "firmiana: alias '%.40s' must be [a-z][a-z0-9_]*, at most %d "
                            "characters",
                            alias, DID_ALIAS_MAX);
    if (threshold < 0 || threshold > DID_KEYS_MAX)
        return base_err_set(err, FM_E_INPUT, "firmiana: threshold must be 0 to %d", DID_KEYS_MAX);
    (void)snprintf(doc->alias, sizeof doc->alias, "%s", alias);
    doc->threshold = (size_t)threshold;
    return FM_OK;
}

/* ---- keys ---- */

static fm_status check_method(struct did_document *doc, const json_t *json, uint32_t rules_version,
                              struct base_err *err)
{
    static const char *const members[] = {"controller", "id", "publicKeyMultibase", "type", NULL};
    struct did_method *method = &doc->methods[doc->n_methods];
    const char *id, *type, *controller, *multikey;
    fm_status st;

    if (!json_is_object(json))
        return base_err_set(err, FM_E_INPUT, "must be an object");
    if ((st = base_json_only(json, members, err)) != FM_OK ||
        (st = base_json_get_str(&id, json, "id", err)) != FM_OK ||
        (st = base_json_get_str(&type, json, "type", err)) != FM_OK ||
        (st = base_json_get_str(&controller, json, "controller", err)) != FM_OK ||
        (st = base_json_get_str(&multikey, json, "publicKeyMultibase", err)) != FM_OK ||
        (st = did_multikey_decode(&method->key, multikey, rules_version, err)) != FM_OK)
        return st;
    if (strcmp(type, "Multikey") != 0)
        return base_err_set(err, FM_E_INPUT, "type must be 'Multikey'");
    if (strcmp(controller, doc->did) != 0)
        return base_err_set(err, FM_E_INPUT, "controller must be the document's id");
    (void)snprintf(method->id, sizeof method->id, "%s#%s", doc->did, multikey);
    if (strcmp(id, method->id) != 0)
        return base_err_set(err, FM_E_INPUT,
                            "id must be the document's id, '#' and publicKeyMultibase");
    for (size_t i = 0; i < doc->n_methods; i++)
        if (did_key_equal(&doc->methods[i].key, &method->key))
            return base_err_set(err, FM_E_INPUT, "the same key as verificationMethod[%zu]", i);
    doc->n_methods++;
    return FM_OK;
}

static fm_status check_methods(struct did_document *doc, uint32_t rules_version,
                               struct base_err *err)
{
    json_t *list, *item;
    size_t i;
    fm_status st = base_json_get_array(&list, doc->json, "verificationMethod", err);

    if (st != FM_OK)
        return st;
    if (json_array_size(list) > DID_KEYS_MAX)
        return base_err_set(err, FM_E_INPUT, "more than %d verification methods", DID_KEYS_MAX);
    json_array_foreach(list, i, item)
    {
        st = check_method(doc, item, rules_version, err);
        if (st != FM_OK)
            return base_err_prefix(err, "verificationMethod[%zu]", i);
    }
    return FM_OK;
}

/* A role's list of references; every one must resolve. */
static fm_status check_role(struct did_document *doc, enum did_role role, struct base_err *err)
{
    const char *name = did_role_name(role);
    json_t *list, *item;
    size_t i;
    fm_status st = base_json_get_array(&list, doc->json, name, err);

    if (st != FM_OK)
        return st;
    json_array_foreach(list, i, item)
    {
        const char *id = json_string_value(item);
        size_t at = 0;
        while (id != NULL && at < doc->n_methods && strcmp(doc->methods[at].id, id) != 0)
            at++;
        if (id == NULL || at == doc->n_methods)
            return base_err_set(err, FM_E_INPUT, "%s[%zu] names no verification method", name, i);
        if ((doc->methods[at].roles & (unsigned)role) != 0)
            return base_err_set(err, FM_E_INPUT, "%s[%zu] is there twice", name, i);
        doc->methods[at].roles |= (unsigned)role;
    }
    return FM_OK;
}

static fm_status check_roles(struct did_document *doc, struct base_err *err)
{
    for (size_t i = 0; i < DID_ROLE_COUNT; i++) {
        fm_status st = check_role(doc, did_roles[i], err);
        if (st != FM_OK)
            return st;
    }
    for (size_t i = 0; i < doc->n_methods; i++) {
        unsigned roles = doc->methods[i].roles;
        if (roles == 0)
            return base_err_set(err, FM_E_INPUT, "verificationMethod[%zu] has no role", i);
        if ((roles & DID_ROLE_INVOCATION) != 0 && roles != DID_ROLE_INVOCATION)
            return base_err_set(err, FM_E_INPUT,
                                "verificationMethod[%zu] is an officer's key and an online key: "
                                "use two keys",
                                i);
    }
    return FM_OK;
}

static fm_status check_numbers(const struct did_document *doc, struct base_err *err)
{
    size_t officers = did_document_key_count(doc, DID_ROLE_INVOCATION);

    if (doc->deactivated) {
        if (doc->n_methods != 0 || doc->threshold != 0 ||
            json_object_get(doc->json, "service") != NULL)
            return base_err_set(err, FM_E_INPUT,
                                "deactivated: no keys, no services and threshold 0 are allowed");
        return FM_OK;
    }
    for (size_t i = 0; i < DID_ROLE_COUNT; i++)
        if (did_document_key_count(doc, did_roles[i]) == 0)
            return base_err_set(err, FM_E_INPUT, "no key has the role %s",
                                did_role_name(did_roles[i]));
    if (doc->threshold < 1 || doc->threshold > officers)
        return base_err_set(err, FM_E_INPUT, "threshold %zu with %zu officers (%s)", doc->threshold,
                            officers, did_role_name(DID_ROLE_INVOCATION));
    return FM_OK;
}

/* ---- services ---- */

static bool is_service_type(const char *text)
{
    size_t len = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");

    return len >= 1 && len <= 64 && text[len] == '\0';
}

/* scheme://rest: printable ASCII without space, quotes and braces. */
static bool is_endpoint(const char *text)
{
    size_t scheme = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789+.-");

    if (scheme == 0 || strncmp(text + scheme, "://", 3) != 0 || text[scheme + 3] == '\0' ||
        strlen(text) > 256)
        return false;
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~' || strchr("\"<>\\^`{|}", *text) != NULL)
            return false;
    return true;
}

static fm_status check_service(const struct did_document *doc, const json_t *list, size_t at,
                               struct base_err *err)
{
    static const char *const members[] = {"id", "serviceEndpoint", "type", NULL};
    const json_t *json = json_array_get(list, at);
    const char *id, *type, *endpoint, *fragment;
    size_t did_len = strlen(doc->did), len;
    fm_status st;

    if (!json_is_object(json))
        return base_err_set(err, FM_E_INPUT, "must be an object");
    if ((st = base_json_only(json, members, err)) != FM_OK ||
        (st = base_json_get_str(&id, json, "id", err)) != FM_OK ||
        (st = base_json_get_str(&type, json, "type", err)) != FM_OK ||
        (st = base_json_get_str(&endpoint, json, "serviceEndpoint", err)) != FM_OK)
        return st;
    if (strncmp(id, doc->did, did_len) != 0 || id[did_len] != '#')
        return base_err_set(err, FM_E_INPUT, "id must be the document's id, '#' and a name");
    fragment = id + did_len + 1;
    len = strspn(fragment, "abcdefghijklmnopqrstuvwxyz0123456789-");
    if (len < 1 || len > 32 || fragment[len] != '\0')
        return base_err_set(err, FM_E_INPUT, "the name after '#' must be [a-z0-9-]+, at most 32");
    if (!is_service_type(type))
        return base_err_set(err, FM_E_INPUT, "type must be 1 to 64 letters and digits");
    if (!is_endpoint(endpoint))
        return base_err_set(err, FM_E_INPUT, "serviceEndpoint must be a URI like https://host");
    for (size_t i = 0; i < at; i++)
        if (json_equal(json_object_get(json_array_get(list, i), "id"), json_object_get(json, "id")))
            return base_err_set(err, FM_E_INPUT, "the same id as service[%zu]", i);
    return FM_OK;
}

static fm_status check_services(const struct did_document *doc, struct base_err *err)
{
    json_t *list;
    fm_status st;

    if (json_object_get(doc->json, "service") == NULL)
        return FM_OK;
    if ((st = base_json_get_array(&list, doc->json, "service", err)) != FM_OK)
        return st;
    if (json_array_size(list) < 1 || json_array_size(list) > DID_SERVICES_MAX)
        return base_err_set(err, FM_E_INPUT, "service must have 1 to %d entries, or be left out",
                            DID_SERVICES_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        st = check_service(doc, list, i, err);
        if (st != FM_OK)
            return base_err_prefix(err, "service[%zu]", i);
    }
    return FM_OK;
}

/* ---- all together ---- */

static fm_status check_scid(const struct did_document *doc, const char *scid, struct base_err *err)
{
    char computed[DID_SCID_TEXT];
    fm_status st;

    if (doc->version != 1)
        return FM_OK; /* Its first version vouches for the id: succession.h. */
    st = did_scid_compute(computed, doc->json, doc->did, err);
    if (st == FM_OK && strcmp(computed, scid) != 0)
        st = base_err_set(err, FM_E_INPUT, "the id does not prove this document: it hashes to %s",
                          computed);
    return st;
}

static fm_status check(struct did_document *doc, uint32_t rules_version, struct base_err *err)
{
    static const char *const members[] = {"@context",
                                          "assertionMethod",
                                          "authentication",
                                          "capabilityInvocation",
                                          "firmiana",
                                          "id",
                                          "verificationMethod",
                                          "service",
                                          NULL};
    char scid[DID_SCID_TEXT];
    fm_status st;

    if (!json_is_object(doc->json))
        return base_err_set(err, FM_E_INPUT, "must be a JSON object");
    if ((st = base_json_only(doc->json, members, err)) != FM_OK ||
        (st = check_context(doc->json, err)) != FM_OK || (st = check_id(doc, scid, err)) != FM_OK ||
        (st = check_own(doc, err)) != FM_OK ||
        (st = check_methods(doc, rules_version, err)) != FM_OK ||
        (st = check_roles(doc, err)) != FM_OK || (st = check_numbers(doc, err)) != FM_OK ||
        (st = check_services(doc, err)) != FM_OK || (st = check_scid(doc, scid, err)) != FM_OK)
        return st;
    return FM_OK;
}

fm_status did_document_parse(struct did_document **out, const json_t *json, uint32_t rules_version,
                             struct base_err *err)
{
    struct did_document *doc = calloc(1, sizeof *doc);
    fm_status st;

    *out = NULL;
    if (doc == NULL)
        return base_err_memory(err, "DID document");
    /* Depth is bounded before anything walks the tree to copy it. */
    st = check_bytes(doc, json, err);
    if (st == FM_OK) {
        doc->json = did_copy(json);
        st = doc->json == NULL ? base_err_memory(err, "DID document")
                               : check(doc, rules_version, err);
    }
    if (st != FM_OK) {
        did_document_free(doc);
        return base_err_prefix(err, "DID document");
    }
    *out = doc;
    return FM_OK;
}
