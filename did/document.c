#include "did/document.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "did/document_impl.h"
#include "did/scid.h"

/* ---- small words ---- */

void did_chain_text(char out[DID_CHAIN_TEXT], const uint8_t genesis_hash32[32])
{
    base_hex(out, genesis_hash32, (DID_CHAIN_TEXT - 1) / 2);
}

bool did_method_split(char did[DID_METHOD_TEXT], const char *method)
{
    const char *hash = strchr(method, '#');
    size_t len = hash == NULL ? 0 : (size_t)(hash - method);

    did[0] = '\0';
    if (len == 0 || len >= DID_METHOD_TEXT)
        return false;
    memcpy(did, method, len);
    did[len] = '\0';
    return true;
}

bool did_alias_is_valid(const char *alias)
{
    size_t len = strlen(alias);

    if (len < 1 || len > DID_ALIAS_MAX || alias[0] < 'a' || alias[0] > 'z')
        return false;
    return strspn(alias, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

void did_recovery_commit(uint8_t out32[32], const struct did_key *key)
{
    static const char domain[] = "firmiana:did:recovery:1"; /* its NUL is hashed too */
    struct base_hash hash;

    base_hash_init(&hash);
    base_hash_update(&hash, domain, sizeof domain);
    base_hash_update(&hash, key->suite->multicodec, sizeof key->suite->multicodec);
    base_hash_update(&hash, key->bytes, key->suite->key_len);
    base_hash_final(&hash, out32);
}

/* ---- reading ---- */

void did_document_free(struct did_document *doc)
{
    if (doc == NULL)
        return;
    json_decref(doc->json);
    free(doc);
}

fm_status did_document_bind(struct did_document **out, const struct did_document *doc,
                            const uint8_t genesis_hash32[32], uint32_t rules_version,
                            struct base_err *err)
{
    char chain[DID_CHAIN_TEXT];
    struct base_buf did = {0};
    json_t *json = NULL;
    fm_status st;

    *out = NULL;
    if (strcmp(doc->chain, DID_CHAIN_PLACEHOLDER) != 0)
        return base_err_set(err, FM_E_CONFLICT, "%s belongs to a ledger already", doc->did);
    did_chain_text(chain, genesis_hash32);
    base_buf_putf(&did, DID_METHOD_PREFIX "%s:%s", chain, strrchr(doc->did, ':') + 1);
    if (!did.failed)
        json = did_scid_substitute(doc->json, doc->did, base_buf_cstr(&did));
    st = json == NULL ? base_err_memory(err, "DID document")
                      : did_document_parse(out, json, rules_version, err);
    json_decref(json);
    base_buf_release(&did);
    return st;
}

const json_t *did_document_json(const struct did_document *doc)
{
    return doc->json;
}

const char *did_document_id(const struct did_document *doc)
{
    return doc->did;
}

const char *did_document_chain(const struct did_document *doc)
{
    return doc->chain;
}

const char *did_document_alias(const struct did_document *doc)
{
    return doc->alias;
}

const struct did_method *did_document_methods(const struct did_document *doc, size_t *count)
{
    *count = doc->n_methods;
    return doc->methods;
}

const uint8_t *did_document_hash32(const struct did_document *doc)
{
    return doc->hash32;
}

const uint8_t *did_document_previous32(const struct did_document *doc)
{
    return doc->previous32;
}

const uint8_t *did_document_recovery32(const struct did_document *doc)
{
    return doc->recovery32;
}

int64_t did_document_version(const struct did_document *doc)
{
    return doc->version;
}

size_t did_document_threshold(const struct did_document *doc)
{
    return doc->threshold;
}

bool did_document_is_deactivated(const struct did_document *doc)
{
    return doc->deactivated;
}

size_t did_document_key_count(const struct did_document *doc, enum did_role role)
{
    size_t count = 0;

    for (size_t i = 0; i < doc->n_methods; i++)
        count += (doc->methods[i].roles & (unsigned)role) != 0;
    return count;
}

const struct did_method *did_document_find(const struct did_document *doc, const char *id)
{
    for (size_t i = 0; i < doc->n_methods; i++)
        if (strcmp(doc->methods[i].id, id) == 0)
            return &doc->methods[i];
    return NULL;
}

/* ---- keys and signatures ---- */

fm_status did_document_key(const struct did_document *doc, struct did_key *out, enum did_role role,
                           const char *method, struct base_err *err)
{
    const struct did_method *found = did_document_find(doc, method);

    memset(out, 0, sizeof *out);
    if (doc->deactivated)
        return base_err_set(err, FM_E_AUTH, "%s is deactivated", doc->did);
    if (found == NULL)
        return base_err_set(err, FM_E_AUTH, "version %lld of %s (%s) has no key '%.192s'",
                            (long long)doc->version, doc->did, doc->alias, method);
    if ((found->roles & (unsigned)role) == 0)
        return base_err_set(err, FM_E_AUTH, "key %s of %s (%s) has not the role %s",
                            strrchr(found->id, '#') + 1, doc->did, doc->alias, did_role_name(role));
    *out = found->key;
    return FM_OK;
}

static fm_status resolve(void *ctx, struct did_key *out, const char *method, enum did_role role,
                         struct base_err *err)
{
    return did_document_key(ctx, out, role, method, err);
}

struct did_resolver did_document_resolver(const struct did_document *doc)
{
    return (struct did_resolver){resolve, (void *)(uintptr_t)doc};
}

fm_status did_document_verify_officers(const struct did_document *doc, size_t *count,
                                       const json_t *object, uint32_t rules_version,
                                       struct base_err *err)
{
    struct did_resolver resolver = did_document_resolver(doc);
    struct did_proof proofs[DID_PROOF_SET_MAX];
    size_t signers;
    fm_status st = did_proof_verify_set(proofs, &signers, object, DID_ROLE_INVOCATION,
                                        rules_version, &resolver, err);

    if (count != NULL)
        *count = signers;
    if (st == FM_OK && signers < doc->threshold)
        st = base_err_set(err, FM_E_AUTH, "%zu of %s's officers signed, %zu must", signers,
                          doc->alias, doc->threshold);
    return st;
}
