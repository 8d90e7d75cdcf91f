#include "ledger/proof/tx.h"

#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/proof/shape.h"
#include "ledger/proof/tx_impl.h"

_Static_assert(LEDGER_RULES_VERSION == DID_RULES_VERSION,
               "every rules version says how keys verify");

static const struct ledger_member envelope[] = {
    {"chain", LEDGER_IS_HASH, false},  {"type", LEDGER_IS_TEXT, false},
    {"sender", LEDGER_IS_DID, false},  {"not_after", LEDGER_IS_NUMBER, false},
    {"body", LEDGER_IS_OBJECT, false}, {"proof", LEDGER_IS_OBJECT, true},
    {NULL, LEDGER_IS_OBJECT, false},
};

/* ---- parsing ---- */

fm_status ledger_tx_id(uint8_t out32[32], const json_t *object, struct base_err *err)
{
    json_t *bare = json_copy((json_t *)(uintptr_t)object);
    fm_status st;

    memset(out32, 0, 32);
    if (bare == NULL)
        return base_err_memory(err, "transaction id");
    (void)json_object_del(bare, "proof"); /* an object that has none is its own bare form */
    st = base_json_hash(out32, bare, err);
    json_decref(bare);
    return st;
}

/* Recurses at most `room` deep, whatever the tree. */
static bool fits_depth(const json_t *v, unsigned room)
{
    const char *key;
    json_t *item;
    size_t i;

    if (room == 0)
        return !json_is_object(v) && !json_is_array(v);
    json_array_foreach(v, i, item)
    {
        if (!fits_depth(item, room - 1))
            return false;
    }
    json_object_foreach((json_t *)(uintptr_t)v, key, item)
    {
        if (!fits_depth(item, room - 1))
            return false;
    }
    return true;
}

fm_status ledger_tx_check_envelope(const json_t *json, struct base_err *err)
{
    json_t *bare;
    fm_status st;

    if (!json_is_array(json_object_get(json, "proof")))
        return ledger_shape_check(json, envelope, err);
    /* The table cannot say that it may be an array: it is set aside first. */
    bare = json_copy((json_t *)(uintptr_t)json);
    if (bare == NULL)
        return base_err_memory(err, "transaction");
    (void)json_object_del(bare, "proof");
    st = ledger_shape_check(bare, envelope, err);
    json_decref(bare);
    return st;
}

/* Everything but the id. */
static fm_status parse(struct ledger_tx *tx, struct base_err *err)
{
    const char *type;
    fm_status st;

    if (!json_is_object(tx->json))
        return base_err_set(err, FM_E_INPUT, "not an object");
    if (!fits_depth(tx->json, LEDGER_TX_DEPTH))
        return base_err_set(err, FM_E_INPUT, "nested deeper than %d levels", LEDGER_TX_DEPTH);
    tx->proof = json_object_get(tx->json, "proof");
    st = ledger_tx_check_envelope(tx->json, err);
    if (st == FM_OK && tx->proof == NULL)
        st = base_err_set(err, FM_E_INPUT, "member 'proof' is missing");
    if (st == FM_OK)
        st = base_json_get_hex(tx->chain, 32, tx->json, "chain", err);
    if (st != FM_OK)
        return st;
    tx->sender = json_string_value(json_object_get(tx->json, "sender"));
    tx->not_after = json_integer_value(json_object_get(tx->json, "not_after"));
    tx->body = json_object_get(tx->json, "body");
    type = json_string_value(json_object_get(tx->json, "type"));
    tx->type = ledger_tx_type_find(type);
    if (tx->type == LEDGER_TX_TYPE_COUNT)
        return base_err_set(err, FM_E_INPUT, "there is no transaction type '%.40s'", type);
    return ledger_tx_check_body(tx->type, tx->body, err);
}

static fm_status parsed(struct ledger_tx *tx, fm_status st, struct base_err *err)
{
    if (st != FM_OK) {
        ledger_tx_release(tx);
        (void)base_err_prefix(err, "transaction");
    }
    return st;
}

fm_status ledger_tx_parse_json(struct ledger_tx *tx, json_t *json, struct base_err *err)
{
    fm_status st;

    *tx = (struct ledger_tx){.json = json_incref(json)};
    st = parse(tx, err);
    if (st == FM_OK)
        st = ledger_tx_id(tx->id, tx->json, err);
    return parsed(tx, st, err);
}

/* The id from the transaction's own canonical bytes, without writing them again. */
static void hash_without(uint8_t out32[32], const uint8_t *bytes, size_t len,
                         const struct base_json_span *span)
{
    struct base_hash h;

    base_hash_init(&h);
    base_hash_update(&h, bytes, span->from);
    base_hash_update(&h, bytes + span->to, len - span->to);
    base_hash_final(&h, out32);
}

fm_status ledger_tx_parse(struct ledger_tx *tx, const void *bytes, size_t len, size_t max_len,
                          struct base_err *err)
{
    struct base_json_span proof;
    fm_status st;

    *tx = (struct ledger_tx){0};
    if (len > max_len)
        return base_err_set(err, FM_E_LIMIT, "transaction: %zu bytes, more than tx_bytes, %zu", len,
                            max_len);
    st = base_json_parse_canonical_span(&tx->json, &proof, "proof", bytes, len, err);
    if (st != FM_OK)
        return base_err_prefix(err, "transaction");
    st = parse(tx, err);
    if (st == FM_OK && proof.to > 0)
        hash_without(tx->id, bytes, len, &proof);
    else if (st == FM_OK)
        st = ledger_tx_id(tx->id, tx->json, err);
    return parsed(tx, st, err);
}

void ledger_tx_release(struct ledger_tx *tx)
{
    json_decref(tx->json);
    *tx = (struct ledger_tx){0};
}

/* ---- authenticating ---- */

/* Resolves any method of the document, whatever role is asked for, and remembers whether one lacked
 * it: a key without the role is authentic, and refused by name. */
struct any_role {
    const struct did_document *doc;
    bool lacked;
};

static fm_status resolve_any_role(void *ctx, struct did_key *out, const char *method,
                                  enum did_role role, struct base_err *err)
{
    struct any_role *r = ctx;
    size_t n;
    const struct did_method *m = did_document_methods(r->doc, &n);

    for (size_t i = 0; i < n; i++) {
        if (strcmp(m[i].id, method) == 0) {
            *out = m[i].key;
            r->lacked = r->lacked || (m[i].roles & (unsigned)role) == 0;
            return FM_OK;
        }
    }
    return base_err_set(err, FM_E_AUTH, "the sender's document has no key %s", method);
}

static fm_status by_recovery(struct ledger_tx_auth *auth, const struct ledger_tx *tx,
                             const struct did_document *doc, uint32_t rules_version,
                             struct base_err *err)
{
    static const struct did_resolver resolver = {did_proof_resolve_did_key, NULL};
    struct did_proof proof;
    uint8_t commitment[32];
    fm_status st =
        did_proof_verify(&proof, tx->json, DID_ROLE_INVOCATION, rules_version, &resolver, err);

    if (st != FM_OK)
        return st;
    did_recovery_commit(commitment, &proof.key);
    if (memcmp(commitment, did_document_recovery32(doc), 32) != 0)
        return base_err_set(err, FM_E_AUTH, "the key is not the sender's recovery key");
    auth->signers = 1;
    memcpy(auth->method, proof.method, sizeof auth->method);
    auth->rule = ledger_tx_type_authority(tx->type) == LEDGER_BY_RECOVERY ? LEDGER_RULE_OK
                                                                          : LEDGER_RULE_AUTH_ROLE;
    return FM_OK;
}

/* The purpose that the first proof claims: all of a set must claim the same (did_proof_verify_set()
 * sees to it). */
static fm_status claimed_role(enum did_role *out, const json_t *first, struct base_err *err)
{
    const char *purpose = json_string_value(json_object_get(first, "proofPurpose"));

    for (size_t i = 0; i < DID_ROLE_COUNT && purpose != NULL; i++) {
        if (strcmp(did_role_name(did_roles[i]), purpose) == 0) {
            *out = did_roles[i];
            return FM_OK;
        }
    }
    return base_err_set(err, FM_E_INPUT, "proof: no known proofPurpose");
}

static fm_status by_document(struct ledger_tx_auth *auth, const struct ledger_tx *tx,
                             const json_t *first, const struct did_document *doc,
                             uint32_t rules_version, struct base_err *err)
{
    struct any_role any = {.doc = doc, .lacked = false};
    const struct did_resolver resolver = {resolve_any_role, &any};
    struct did_proof proofs[DID_PROOF_SET_MAX];
    enum ledger_authority authority = ledger_tx_type_authority(tx->type);
    enum did_role role = DID_ROLE_INVOCATION;
    fm_status st = claimed_role(&role, first, err);

    if (st == FM_OK && json_is_array(tx->proof) &&
        (role != DID_ROLE_INVOCATION || did_document_threshold(doc) <= 1))
        st = base_err_set(err, FM_E_INPUT, "proof: several, where one is asked for");
    if (st == FM_OK)
        st = did_proof_verify_hashed(proofs, &auth->signers, tx->json, tx->id, role, rules_version,
                                     &resolver, err);
    if (st != FM_OK)
        return st;
    memcpy(auth->method, proofs[0].method, sizeof auth->method);
    auth->rule = LEDGER_RULE_OK;
    if (any.lacked || authority == LEDGER_BY_RECOVERY ||
        role != (authority == LEDGER_BY_NODE ? DID_ROLE_ASSERTION : DID_ROLE_INVOCATION))
        auth->rule = LEDGER_RULE_AUTH_ROLE;
    else if (authority == LEDGER_BY_OFFICERS && auth->signers < did_document_threshold(doc))
        auth->rule = LEDGER_RULE_AUTH_THRESHOLD;
    return FM_OK;
}

fm_status ledger_tx_authenticate(struct ledger_tx_auth *auth, const struct ledger_tx *tx,
                                 const struct did_document *doc, uint32_t rules_version,
                                 struct base_err *err)
{
    const json_t *first = json_is_array(tx->proof) ? json_array_get(tx->proof, 0) : tx->proof;
    const char *method = json_string_value(json_object_get(first, "verificationMethod"));

    *auth = (struct ledger_tx_auth){.rule = LEDGER_RULE_AUTH_ROLE};
    if (strcmp(tx->sender, did_document_id(doc)) != 0)
        return base_err_set(err, FM_E_ARG, "the document is not the sender's");
    if (method == NULL)
        return base_err_set(err, FM_E_INPUT, "proof: no verificationMethod");
    if (json_is_object(tx->proof) && strncmp(method, "did:key:", 8) == 0)
        return by_recovery(auth, tx, doc, rules_version, err);
    return by_document(auth, tx, first, doc, rules_version, err);
}
