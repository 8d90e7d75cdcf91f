#include "ledger/inner.h"

#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "did/key_did.h"
#include "ledger/shape.h"
#include "ledger/tx.h"

#define CONSENT_TYPE "FirmianaConsent"
#define REVOCATION_TYPE "FirmianaRevocation"

void ledger_subject_commit(uint8_t out32[32], const uint8_t chain32[32], const char *identifier,
                           size_t len, const uint8_t nonce32[32])
{
    static const char domain[] = "firmiana/subject/v1"; /* its closing NUL is the 0x00 */
    struct base_sha256 h;
    uint8_t length[8];

    base_store_u64(length, len);
    base_sha256_init(&h);
    base_sha256_update(&h, domain, sizeof domain);
    base_sha256_update(&h, chain32, 32);
    base_sha256_update(&h, length, sizeof length);
    base_sha256_update(&h, identifier, len);
    base_sha256_update(&h, nonce32, 32);
    base_sha256_final(&h, out32);
}

/* A string, after the shape was checked; NULL if it is not there. */
static const char *text(const json_t *json, const char *name)
{
    return json_string_value(json_object_get(json, name));
}

static fm_status check_type(const json_t *json, const char *type, struct base_err *err)
{
    if (strcmp(text(json, "type"), type) != 0)
        return base_err_set(err, FM_E_INPUT, "member 'type' must be '%s'", type);
    return FM_OK;
}

/* ---- consent ---- */

static const struct ledger_member consent_members[] = {
    {"type", LEDGER_IS_TEXT, false},       {"chain", LEDGER_IS_HASH, false},
    {"mode", LEDGER_IS_NAME, false},       {"subject", LEDGER_IS_DID, false},
    {"commitment", LEDGER_IS_HASH, false}, {"scheme", LEDGER_IS_NAME, false},
    {"grantee", LEDGER_IS_ALIAS, false},   {"purpose", LEDGER_IS_TEXT, true},
    {"contract", LEDGER_IS_HASH, true},    {"not_before", LEDGER_IS_NUMBER, false},
    {"expires", LEDGER_IS_NUMBER, false},  {"uses", LEDGER_IS_COUNT, false},
    {"proof", LEDGER_IS_OBJECT, true},     {NULL, LEDGER_IS_OBJECT, false},
};

static fm_status read_consent(struct ledger_consent *out, const json_t *json, struct base_err *err)
{
    fm_status st = ledger_shape_check(json, consent_members, err);

    if (st == FM_OK)
        st = check_type(json, CONSENT_TYPE, err);
    if (st == FM_OK)
        st = base_json_get_hex(out->chain, 32, json, "chain", err);
    if (st == FM_OK)
        st = base_json_get_hex(out->commitment, 32, json, "commitment", err);
    if (st != FM_OK)
        return st;
    out->mode = text(json, "mode");
    out->subject = text(json, "subject");
    out->scheme = text(json, "scheme");
    out->grantee = text(json, "grantee");
    out->purpose = text(json, "purpose");
    out->has_contract = json_object_get(json, "contract") != NULL;
    out->not_before = json_integer_value(json_object_get(json, "not_before"));
    out->expires = json_integer_value(json_object_get(json, "expires"));
    out->uses = json_integer_value(json_object_get(json, "uses"));
    if (strcmp(out->mode, "signed") != 0)
        return base_err_set(err, FM_E_INPUT, "mode '%s' is not one of: signed", out->mode);
    if (out->has_contract == (out->purpose != NULL))
        return base_err_set(err, FM_E_INPUT, "exactly one of 'purpose' and 'contract' is named");
    if (out->not_before >= out->expires)
        return base_err_set(err, FM_E_INPUT, "it expires before it begins");
    if (out->has_contract)
        st = base_json_get_hex(out->contract, 32, json, "contract", err);
    if (st == FM_OK)
        st = ledger_tx_id(out->id, json, err);
    return st;
}

fm_status ledger_consent_parse(struct ledger_consent *out, const json_t *json, struct base_err *err)
{
    fm_status st;

    *out = (struct ledger_consent){0};
    st = read_consent(out, json, err);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "consent");
}

/* One proof by exactly the key that the did:key is. */
static fm_status verify_by(const json_t *json, const char *subject, uint32_t rules_version,
                           struct base_err *err)
{
    static const struct did_resolver resolver = {did_proof_resolve_did_key, NULL};
    struct did_proof proof;
    struct did_key key;
    fm_status st = did_key_did_decode(&key, subject, rules_version, err);

    if (st == FM_OK)
        st = did_proof_verify(&proof, json, DID_ROLE_ASSERTION, rules_version, &resolver, err);
    if (st == FM_OK && !did_key_equal(&key, &proof.key))
        st = base_err_set(err, FM_E_AUTH, "the proof is not by the subject's key");
    return st;
}

fm_status ledger_consent_verify(const struct ledger_consent *consent, const json_t *json,
                                uint32_t rules_version, struct base_err *err)
{
    fm_status st = verify_by(json, consent->subject, rules_version, err);

    return st == FM_OK ? FM_OK : base_err_prefix(err, "consent");
}

fm_status ledger_consent_build(json_t **out, const struct ledger_consent *consent,
                               const struct did_secret *secret, struct base_err *err)
{
    char chain[65], commitment[65], contract[65], subject[DID_KEY_DID_TEXT];
    struct ledger_consent probe;
    json_t *json;
    fm_status st = did_key_did_encode(subject, did_secret_key(secret), err);

    *out = NULL;
    if (st != FM_OK)
        return st;
    base_hex(chain, consent->chain, 32);
    base_hex(commitment, consent->commitment, 32);
    base_hex(contract, consent->contract, 32);
    json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s*, s:s*, s:I, s:I, s:I}", "type", CONSENT_TYPE,
        "chain", chain, "mode", "signed", "subject", subject, "commitment", commitment, "scheme",
        consent->scheme, "grantee", consent->grantee, "purpose", consent->purpose, "contract",
        consent->has_contract ? contract : NULL, "not_before", (json_int_t)consent->not_before,
        "expires", (json_int_t)consent->expires, "uses", (json_int_t)consent->uses);
    if (json == NULL)
        return base_err_memory(err, "consent");
    st = ledger_consent_parse(&probe, json, err);
    if (st != FM_OK) {
        json_decref(json);
        return st;
    }
    *out = json;
    return FM_OK;
}

/* ---- revocation ---- */

static const struct ledger_member revocation_members[] = {
    {"type", LEDGER_IS_TEXT, false},    {"chain", LEDGER_IS_HASH, false},
    {"consent", LEDGER_IS_HASH, false}, {"proof", LEDGER_IS_OBJECT, true},
    {NULL, LEDGER_IS_OBJECT, false},
};

fm_status ledger_revocation_parse(struct ledger_revocation *out, const json_t *json,
                                  struct base_err *err)
{
    fm_status st = ledger_shape_check(json, revocation_members, err);

    memset(out, 0, sizeof *out);
    if (st == FM_OK)
        st = check_type(json, REVOCATION_TYPE, err);
    if (st == FM_OK)
        st = base_json_get_hex(out->chain, 32, json, "chain", err);
    if (st == FM_OK)
        st = base_json_get_hex(out->consent, 32, json, "consent", err);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "revocation");
}

fm_status ledger_revocation_verify(const json_t *json, const char *subject, uint32_t rules_version,
                                   struct base_err *err)
{
    fm_status st = verify_by(json, subject, rules_version, err);

    return st == FM_OK ? FM_OK : base_err_prefix(err, "revocation");
}

fm_status ledger_revocation_build(json_t **out, const uint8_t chain32[32],
                                  const uint8_t consent32[32], struct base_err *err)
{
    char chain[65], consent[65];

    base_hex(chain, chain32, 32);
    base_hex(consent, consent32, 32);
    *out =
        json_pack("{s:s, s:s, s:s}", "type", REVOCATION_TYPE, "chain", chain, "consent", consent);
    return *out != NULL ? FM_OK : base_err_memory(err, "revocation");
}

fm_status ledger_subject_sign(json_t *inner, const struct did_secret *secret, int64_t created_s,
                              struct base_err *err)
{
    char method[DID_KEY_METHOD_TEXT];
    fm_status st = did_key_method_encode(method, did_secret_key(secret), err);

    if (st == FM_OK)
        st = did_proof_add(inner, secret, method, DID_ROLE_ASSERTION, created_s, err);
    return st;
}
