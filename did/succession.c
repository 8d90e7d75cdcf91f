#include "did/succession.h"

#include <string.h>

#include "did/key_did.h"

fm_status did_succession_check_first(const struct did_document *doc,
                                     const uint8_t genesis_hash32[32], struct base_err *err)
{
    char chain[DID_CHAIN_TEXT];

    did_chain_text(chain, genesis_hash32);
    if (strcmp(did_document_chain(doc), chain) != 0)
        return base_err_set(err, FM_E_REFUSED, "did-chain: %s is not a DID of ledger %s",
                            did_document_id(doc), chain);
    if (did_document_version(doc) != 1)
        return base_err_set(err, FM_E_REFUSED, "did-version: %s begins with version %lld, not 1",
                            did_document_id(doc), (long long)did_document_version(doc));
    if (did_document_is_deactivated(doc))
        return base_err_set(err, FM_E_REFUSED, "did-deactivated: %s would begin deactivated",
                            did_document_id(doc));
    return FM_OK;
}

/* Who may change the recovery hash, and who must. */
static fm_status check_recovery(const struct did_document *prev, const struct did_document *next,
                                enum did_authority authority, struct base_err *err)
{
    bool same = memcmp(did_document_recovery32(prev), did_document_recovery32(next), 32) == 0;

    if (authority == DID_BY_OFFICERS && !same)
        return base_err_set(err, FM_E_REFUSED,
                            "did-recovery: only the recovery key may change the recovery hash of "
                            "%s",
                            did_document_id(prev));
    if (authority != DID_BY_OFFICERS && authority != DID_BY_MEMBERS && same &&
        !did_document_is_deactivated(next))
        return base_err_set(err, FM_E_REFUSED,
                            "did-recovery: the recovery key of %s is used up: commit to a new one",
                            did_document_id(prev));
    return FM_OK;
}

fm_status did_succession_check_next(const struct did_document *prev,
                                    const struct did_document *next, enum did_authority authority,
                                    struct base_err *err)
{
    const char *did = did_document_id(prev);

    if (did_document_is_deactivated(prev) && authority != DID_BY_UNDOING)
        return base_err_set(err, FM_E_REFUSED, "did-deactivated: %s is deactivated for good", did);
    if (authority == DID_BY_UNDOING &&
        (!did_document_is_deactivated(prev) || did_document_is_deactivated(next)))
        return base_err_set(err, FM_E_REFUSED, "did-deactivated: no deactivation of %s is undone",
                            did);
    if (strcmp(did, did_document_id(next)) != 0)
        return base_err_set(err, FM_E_REFUSED, "did-id: %s cannot follow %s", did_document_id(next),
                            did);
    if (strcmp(did_document_alias(prev), did_document_alias(next)) != 0)
        return base_err_set(err, FM_E_REFUSED, "did-alias: the alias of %s is '%s' and stays so",
                            did, did_document_alias(prev));
    if (did_document_version(next) != did_document_version(prev) + 1)
        return base_err_set(err, FM_E_REFUSED, "did-version: version %lld of %s cannot follow %lld",
                            (long long)did_document_version(next), did,
                            (long long)did_document_version(prev));
    if (memcmp(did_document_previous32(next), did_document_hash32(prev), 32) != 0)
        return base_err_set(err, FM_E_REFUSED,
                            "did-previous: 'previous' is not the hash of version %lld of %s",
                            (long long)did_document_version(prev), did);
    if (authority == DID_BY_MEMBERS && did_document_is_deactivated(next))
        return base_err_set(err, FM_E_REFUSED, "did-deactivated: a vote does not deactivate %s",
                            did);
    return check_recovery(prev, next, authority, err);
}

/* ---- signatures ---- */

static bool is_by_did_key(const json_t *object)
{
    const char *method =
        json_string_value(json_object_get(json_object_get(object, "proof"), "verificationMethod"));

    return method != NULL && strncmp(method, "did:key:", 8) == 0;
}

/* Knows one key: the one that the document commits to. */
static fm_status resolve_recovery(void *ctx, struct did_key *out, const char *method,
                                  enum did_role role, struct base_err *err)
{
    const struct did_document *doc = ctx;
    uint8_t hash32[32];
    fm_status st = did_key_method_decode(out, method, DID_RULES_VERSION, err);

    (void)role;
    if (st != FM_OK)
        return st;
    did_recovery_commit(hash32, out);
    if (memcmp(hash32, did_document_recovery32(doc), 32) != 0)
        return base_err_set(err, FM_E_AUTH, "not the recovery key of %s", did_document_id(doc));
    return FM_OK;
}

fm_status did_succession_verify(enum did_authority *out, const struct did_document *prev,
                                const json_t *object, uint32_t rules_version, struct base_err *err)
{
    const struct did_resolver recovery = {resolve_recovery, (void *)(uintptr_t)prev};
    struct did_proof proof;

    if (did_document_is_deactivated(prev))
        return base_err_set(err, FM_E_AUTH, "%s is deactivated", did_document_id(prev));
    if (is_by_did_key(object)) {
        *out = DID_BY_RECOVERY;
        return did_proof_verify(&proof, object, DID_ROLE_INVOCATION, rules_version, &recovery, err);
    }
    *out = DID_BY_OFFICERS;
    return did_document_verify_officers(prev, NULL, object, rules_version, err);
}
