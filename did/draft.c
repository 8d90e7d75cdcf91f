#include "did/draft.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "did/copy.h"
#include "did/multibase.h"
#include "did/scid.h"

/* ---- filling ---- */

fm_status did_draft_first(struct did_draft *draft, const char *chain, const char *alias,
                          const uint8_t recovery32[32], struct base_err *err)
{
    did_draft_release(draft);
    if (!did_alias_is_valid(alias))
        return base_err_set(err, FM_E_ARG,
                            "alias '%.40s' must be [a-z][a-z0-9_]*, at most %d characters", alias,
                            DID_ALIAS_MAX);
    if (chain == NULL)
        chain = DID_CHAIN_PLACEHOLDER;
    if (strlen(chain) >= sizeof draft->chain)
        return base_err_set(err, FM_E_ARG, "chain '%.40s' is too long", chain);
    (void)snprintf(draft->chain, sizeof draft->chain, "%s", chain);
    (void)snprintf(draft->alias, sizeof draft->alias, "%s", alias);
    memcpy(draft->recovery32, recovery32, 32);
    draft->version = 1;
    draft->threshold = 1;
    return FM_OK;
}

fm_status did_draft_next(struct did_draft *draft, const struct did_document *doc,
                         struct base_err *err)
{
    size_t count;
    const struct did_method *methods = did_document_methods(doc, &count);
    json_t *service = json_object_get(did_document_json(doc), "service");

    did_draft_release(draft);
    if (did_document_is_deactivated(doc))
        return base_err_set(err, FM_E_CONFLICT, "%s is deactivated: nothing follows",
                            did_document_id(doc));
    (void)snprintf(draft->did, sizeof draft->did, "%s", did_document_id(doc));
    (void)snprintf(draft->chain, sizeof draft->chain, "%s", did_document_chain(doc));
    (void)snprintf(draft->alias, sizeof draft->alias, "%s", did_document_alias(doc));
    draft->version = did_document_version(doc) + 1;
    memcpy(draft->previous32, did_document_hash32(doc), 32);
    memcpy(draft->recovery32, did_document_recovery32(doc), 32);
    draft->threshold = did_document_threshold(doc);
    for (size_t i = 0; i < count; i++) {
        draft->keys[i].key = methods[i].key;
        draft->keys[i].roles = methods[i].roles;
    }
    draft->n_keys = count;
    if (service != NULL && (draft->service = did_copy(service)) == NULL)
        return base_err_memory(err, "DID document");
    return FM_OK;
}

void did_draft_release(struct did_draft *draft)
{
    json_decref(draft->service);
    memset(draft, 0, sizeof *draft);
}

/* ---- changing ---- */

/* n_keys if it is not there. */
static size_t find(const struct did_draft *draft, const struct did_key *key)
{
    size_t at = 0;

    while (at < draft->n_keys && !did_key_equal(&draft->keys[at].key, key))
        at++;
    return at;
}

fm_status did_draft_add(struct did_draft *draft, const struct did_key *key, unsigned roles,
                        struct base_err *err)
{
    size_t at = find(draft, key);

    if (at == DID_KEYS_MAX)
        return base_err_set(err, FM_E_LIMIT, "a DID document has at most %d keys", DID_KEYS_MAX);
    if (at == draft->n_keys) {
        draft->keys[at].key = *key;
        draft->keys[at].roles = 0;
        draft->n_keys++;
    }
    draft->keys[at].roles |= roles;
    return FM_OK;
}

fm_status did_draft_remove(struct did_draft *draft, const struct did_key *key, struct base_err *err)
{
    size_t at = find(draft, key);

    if (at == draft->n_keys)
        return base_err_set(err, FM_E_NOT_FOUND, "%s has no such key", draft->alias);
    draft->n_keys--;
    memmove(&draft->keys[at], &draft->keys[at + 1], (draft->n_keys - at) * sizeof draft->keys[0]);
    return FM_OK;
}

fm_status did_draft_rotate(struct did_draft *draft, const struct did_key *old_key,
                           const struct did_key *new_key, struct base_err *err)
{
    size_t at = find(draft, old_key);

    if (at == draft->n_keys)
        return base_err_set(err, FM_E_NOT_FOUND, "%s has no such key to rotate", draft->alias);
    if (find(draft, new_key) != draft->n_keys)
        return base_err_set(err, FM_E_CONFLICT, "%s has the new key already", draft->alias);
    draft->keys[at].key = *new_key;
    return FM_OK;
}

void did_draft_deactivate(struct did_draft *draft)
{
    draft->deactivated = true;
    draft->n_keys = 0;
    draft->threshold = 0;
    json_decref(draft->service);
    draft->service = NULL;
}

/* ---- building ---- */

/* Appends a verification method and its references. Returns 0, or -1 when memory is out. */
static int put_key(json_t *json, const char *did, const char *multikey, unsigned roles)
{
    char id[DID_METHOD_TEXT];
    int failed;

    (void)snprintf(id, sizeof id, "%s#%s", did, multikey);
    failed = json_array_append_new(json_object_get(json, "verificationMethod"),
                                   json_pack("{s:s, s:s, s:s, s:s}", "id", id, "type", "Multikey",
                                             "controller", did, "publicKeyMultibase", multikey));
    for (size_t i = 0; i < DID_ROLE_COUNT; i++)
        if ((roles & (unsigned)did_roles[i]) != 0)
            failed |= json_array_append_new(json_object_get(json, did_role_name(did_roles[i])),
                                            json_string(id));
    return failed;
}

static fm_status put_keys(json_t *json, const struct did_draft *draft, const char *did,
                          struct base_err *err)
{
    for (size_t i = 0; i < draft->n_keys; i++) {
        char multikey[DID_MULTIKEY_TEXT];
        fm_status st = did_multikey_encode(multikey, &draft->keys[i].key, err);
        if (st != FM_OK)
            return st;
        if (put_key(json, did, multikey, draft->keys[i].roles) != 0)
            return base_err_memory(err, "DID document");
    }
    return FM_OK;
}

/* The tree of a draft under the DID `did`. */
static fm_status make_json(json_t **out, const struct did_draft *draft, const char *did,
                           struct base_err *err)
{
    char previous[65], recovery[65];
    json_t *json;
    fm_status st;

    base_hex(previous, draft->previous32, 32);
    base_hex(recovery, draft->recovery32, 32);
    json = json_pack("{s:[s,s], s:s, s:[], s:[], s:[], s:[], s:{s:s, s:b, s:s, s:I, s:I}, s:O*}",
                     "@context", "https://www.w3.org/ns/did/v1",
                     "https://w3id.org/security/multikey/v1", "id", did, "verificationMethod",
                     "authentication", "assertionMethod", "capabilityInvocation", "firmiana",
                     "alias", draft->alias, "deactivated", draft->deactivated ? 1 : 0, "recovery",
                     recovery, "threshold", (json_int_t)draft->threshold, "version",
                     (json_int_t)draft->version, "service", draft->service);
    *out = NULL;
    if (json == NULL)
        return base_err_memory(err, "DID document");
    /* Not "s:s*" above: that leaves the member out when memory runs out. */
    if (draft->version > 1 && json_object_set_new(json_object_get(json, "firmiana"), "previous",
                                                  json_string(previous)) != 0) {
        json_decref(json);
        return base_err_memory(err, "DID document");
    }
    st = put_keys(json, draft, did, err);
    if (st != FM_OK) {
        json_decref(json);
        return st;
    }
    *out = json;
    return FM_OK;
}

/* A first document is written under the template DID, hashed, and renamed. */
static fm_status make_first(json_t **out, const struct did_draft *draft, struct base_err *err)
{
    char scid[DID_SCID_TEXT], did[DID_FIRMIANA_TEXT];
    json_t *json;
    fm_status st = make_json(&json, draft, DID_TEMPLATE, err);

    *out = NULL;
    if (st != FM_OK)
        return st;
    st = did_scid_compute(scid, json, DID_TEMPLATE, err);
    if (st == FM_OK) {
        (void)snprintf(did, sizeof did, DID_METHOD_PREFIX "%s:%s", draft->chain, scid);
        *out = did_scid_substitute(json, DID_TEMPLATE, did);
        if (*out == NULL)
            st = base_err_memory(err, "DID document");
    }
    json_decref(json);
    return st;
}

fm_status did_draft_build(struct did_document **out, const struct did_draft *draft,
                          uint32_t rules_version, struct base_err *err)
{
    json_t *json = NULL;
    fm_status st = draft->did[0] == '\0' ? make_first(&json, draft, err)
                                         : make_json(&json, draft, draft->did, err);

    *out = NULL;
    if (st == FM_OK)
        st = did_document_parse(out, json, rules_version, err);
    json_decref(json);
    return st;
}
