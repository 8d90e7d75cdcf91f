/* Consents in their modes, mandates, revocations. */
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "did/key_did.h"
#include "ledger/proof/inner.h"
#include "ledger/proof/shape.h"
#include "ledger/proof/tx.h"

#define CONSENT_TYPE "FirmianaConsent"
#define MANDATE_TYPE "FirmianaMandate"
#define REVOCATION_TYPE "FirmianaRevocation"

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

/* ---- mandate ---- */

static const struct ledger_member mandate_members[] = {
    {"type", LEDGER_IS_TEXT, false},       {"chain", LEDGER_IS_HASH, false},
    {"attestor", LEDGER_IS_ALIAS, false},  {"representative", LEDGER_IS_DID, false},
    {"commitment", LEDGER_IS_HASH, false}, {"scheme", LEDGER_IS_NAME, false},
    {"expires", LEDGER_IS_NUMBER, false},  {"proof", LEDGER_IS_OBJECT, true},
    {NULL, LEDGER_IS_OBJECT, false},
};

fm_status ledger_mandate_parse(struct ledger_mandate *out, const json_t *json, struct base_err *err)
{
    fm_status st = ledger_shape_check(json, mandate_members, err);

    *out = (struct ledger_mandate){0};
    if (st == FM_OK)
        st = check_type(json, MANDATE_TYPE, err);
    if (st == FM_OK)
        st = base_json_get_hex(out->chain, 32, json, "chain", err);
    if (st == FM_OK)
        st = base_json_get_hex(out->commitment, 32, json, "commitment", err);
    if (st != FM_OK)
        return base_err_prefix(err, "mandate");
    out->attestor = text(json, "attestor");
    out->representative = text(json, "representative");
    out->scheme = text(json, "scheme");
    out->expires = json_integer_value(json_object_get(json, "expires"));
    return FM_OK;
}

fm_status ledger_mandate_build(json_t **out, const struct ledger_mandate *mandate,
                               struct base_err *err)
{
    char chain[65], commitment[65];
    struct ledger_mandate probe;
    fm_status st;

    base_hex(chain, mandate->chain, 32);
    base_hex(commitment, mandate->commitment, 32);
    *out = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "type", MANDATE_TYPE, "chain", chain,
                     "attestor", mandate->attestor, "representative", mandate->representative,
                     "commitment", commitment, "scheme", mandate->scheme, "expires",
                     (json_int_t)mandate->expires);
    if (*out == NULL)
        return base_err_memory(err, "mandate");
    st = ledger_mandate_parse(&probe, *out, err);
    if (st != FM_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return st;
}

/* ---- consent: reading ---- */

static const struct ledger_member consent_members[] = {
    {"type", LEDGER_IS_TEXT, false},       {"chain", LEDGER_IS_HASH, false},
    {"mode", LEDGER_IS_NAME, false},       {"subject", LEDGER_IS_DID, true},
    {"commitment", LEDGER_IS_HASH, false}, {"scheme", LEDGER_IS_NAME, false},
    {"grantee", LEDGER_IS_ALIAS, false},   {"purpose", LEDGER_IS_TEXT, true},
    {"contract", LEDGER_IS_HASH, true},    {"not_before", LEDGER_IS_NUMBER, false},
    {"expires", LEDGER_IS_NUMBER, false},  {"uses", LEDGER_IS_COUNT, false},
    {"attestor", LEDGER_IS_ALIAS, true},   {"evidence", LEDGER_IS_HASH, true},
    {"mandate", LEDGER_IS_OBJECT, true},   {"proof", LEDGER_IS_OBJECT, true},
    {NULL, LEDGER_IS_OBJECT, false},
};
/* Two proofs are an array. */
static const struct ledger_member countersigned_members[] = {
    {"type", LEDGER_IS_TEXT, false},       {"chain", LEDGER_IS_HASH, false},
    {"mode", LEDGER_IS_NAME, false},       {"subject", LEDGER_IS_DID, false},
    {"commitment", LEDGER_IS_HASH, false}, {"scheme", LEDGER_IS_NAME, false},
    {"grantee", LEDGER_IS_ALIAS, false},   {"purpose", LEDGER_IS_TEXT, true},
    {"contract", LEDGER_IS_HASH, true},    {"not_before", LEDGER_IS_NUMBER, false},
    {"expires", LEDGER_IS_NUMBER, false},  {"uses", LEDGER_IS_COUNT, false},
    {"attestor", LEDGER_IS_ALIAS, false},  {"evidence", LEDGER_IS_HASH, true},
    {"proof", LEDGER_IS_ARRAY, false},     {NULL, LEDGER_IS_OBJECT, false},
};

/* Which members a mode has beside those that every consent has. */
static const struct mode {
    const char *name;
    bool subject_must, attestor, evidence, mandate;
} modes[] = {
    {"signed", true, false, false, false},
    {"attested", false, true, true, false},
    {"mandate", true, false, false, true},
};

static fm_status check_mode(struct ledger_consent *out, const json_t *json, struct base_err *err)
{
    const struct mode *m = modes;

    while (m < modes + sizeof modes / sizeof modes[0] && strcmp(m->name, out->mode) != 0)
        m++;
    if (m == modes + sizeof modes / sizeof modes[0])
        return base_err_set(err, FM_E_INPUT, "mode '%s' is not one of: signed, attested, mandate",
                            out->mode);
    if (m->subject_must && out->subject == NULL)
        return base_err_set(err, FM_E_INPUT, "member 'subject' is missing");
    if (m->attestor != (json_object_get(json, "attestor") != NULL))
        return base_err_set(err, FM_E_INPUT, "member 'attestor' %s",
                            m->attestor ? "is missing" : "has no place in this mode");
    if (!m->evidence && out->has_evidence)
        return base_err_set(err, FM_E_INPUT, "member 'evidence' has no place in this mode");
    if (m->mandate != (out->mandate != NULL))
        return base_err_set(err, FM_E_INPUT, "member 'mandate' %s",
                            m->mandate ? "is missing" : "has no place in this mode");
    if (out->subject == NULL && !out->has_evidence)
        return base_err_set(err, FM_E_INPUT,
                            "member 'evidence' is missing: without a key of the subject's there is "
                            "a paper");
    return FM_OK;
}

/* The mandate is for this company and this representative, and lasts as long as the consent. */
static fm_status check_mandate(struct ledger_consent *out, struct base_err *err)
{
    struct ledger_mandate m;
    fm_status st = ledger_mandate_parse(&m, out->mandate, err);

    if (st != FM_OK)
        return st;
    if (memcmp(m.chain, out->chain, 32) != 0)
        return base_err_set(err, FM_E_INPUT, "mandate: it is for another ledger");
    if (strcmp(m.representative, out->subject) != 0)
        return base_err_set(err, FM_E_INPUT, "mandate: it is another representative's");
    if (memcmp(m.commitment, out->commitment, 32) != 0 || strcmp(m.scheme, out->scheme) != 0)
        return base_err_set(err, FM_E_INPUT, "mandate: it is for another company");
    if (out->expires > m.expires)
        return base_err_set(err, FM_E_INPUT, "mandate: it ends before the consent does");
    out->attestor = m.attestor;
    return FM_OK;
}

static void take_texts(struct ledger_consent *out, const json_t *json)
{
    out->mode = text(json, "mode");
    out->subject = text(json, "subject");
    out->scheme = text(json, "scheme");
    out->grantee = text(json, "grantee");
    out->purpose = text(json, "purpose");
    out->attestor = text(json, "attestor");
    out->mandate = json_object_get(json, "mandate");
    out->has_contract = json_object_get(json, "contract") != NULL;
    out->has_evidence = json_object_get(json, "evidence") != NULL;
    out->not_before = json_integer_value(json_object_get(json, "not_before"));
    out->expires = json_integer_value(json_object_get(json, "expires"));
    out->uses = json_integer_value(json_object_get(json, "uses"));
}

static fm_status read_consent(struct ledger_consent *out, const json_t *json, struct base_err *err)
{
    bool two = json_is_array(json_object_get(json, "proof"));
    fm_status st = ledger_shape_check(json, two ? countersigned_members : consent_members, err);

    if (st == FM_OK)
        st = check_type(json, CONSENT_TYPE, err);
    if (st == FM_OK)
        st = base_json_get_hex(out->chain, 32, json, "chain", err);
    if (st == FM_OK)
        st = base_json_get_hex(out->commitment, 32, json, "commitment", err);
    if (st != FM_OK)
        return st;
    take_texts(out, json);
    st = check_mode(out, json, err);
    if (st == FM_OK && out->mandate != NULL)
        st = check_mandate(out, err);
    if (st != FM_OK)
        return st;
    if (out->has_contract == (out->purpose != NULL))
        return base_err_set(err, FM_E_INPUT, "exactly one of 'purpose' and 'contract' is named");
    if (out->not_before >= out->expires)
        return base_err_set(err, FM_E_INPUT, "it expires before it begins");
    if (out->has_contract)
        st = base_json_get_hex(out->contract, 32, json, "contract", err);
    if (st == FM_OK && out->has_evidence)
        st = base_json_get_hex(out->evidence, 32, json, "evidence", err);
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

bool ledger_consent_is_self_attested(const struct ledger_consent *consent)
{
    return consent->attestor != NULL && strcmp(consent->attestor, consent->grantee) == 0;
}

/* ---- consent: proofs ---- */

/* The methods that may stand in a proof here: a did:key's, and the attestor's. */
static fm_status resolve_either(void *ctx, struct did_key *out, const char *method,
                                enum did_role role, struct base_err *err)
{
    const struct did_document *attestor = ctx;

    if (strncmp(method, "did:key:", 8) == 0)
        return did_proof_resolve_did_key(NULL, out, method, role, err);
    if (attestor == NULL)
        return base_err_set(err, FM_E_AUTH, "a proof by %s is not asked for here", method);
    return did_document_key(attestor, out, role, method, err);
}

static bool is_key_of(const struct did_proof *proof, const struct did_key *subject)
{
    return strncmp(proof->method, "did:key:", 8) == 0 && did_key_equal(&proof->key, subject);
}

/* Exactly these: one by the key that subject is (unless NULL), one by the attestor (unless NULL).
 */
static fm_status verify_by(const json_t *json, const char *subject,
                           const struct did_document *attestor, uint32_t rules_version,
                           struct base_err *err)
{
    const struct did_resolver resolver = {resolve_either, (void *)(uintptr_t)attestor};
    struct did_proof proofs[DID_PROOF_SET_MAX];
    bool by_subject = false, by_attestor = false;
    struct did_key key = {0};
    size_t n = 0;
    fm_status st = subject != NULL ? did_key_did_decode(&key, subject, rules_version, err) : FM_OK;

    if (st == FM_OK)
        st = did_proof_verify_set(proofs, &n, json, DID_ROLE_ASSERTION, rules_version, &resolver,
                                  err);
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        if (strncmp(proofs[i].method, "did:key:", 8) != 0)
            by_attestor = true;
        else if (subject != NULL && is_key_of(&proofs[i], &key))
            by_subject = true;
        else
            st = base_err_set(err, FM_E_AUTH, "the proof is not by the subject's key");
    }
    if (st == FM_OK && by_subject != (subject != NULL))
        st = base_err_set(err, FM_E_AUTH, "the subject has not signed it");
    if (st == FM_OK && by_attestor != (attestor != NULL))
        st = base_err_set(err, FM_E_AUTH, "the attestor has not signed it");
    if (st == FM_OK && n != (size_t)by_subject + (size_t)by_attestor)
        st = base_err_set(err, FM_E_AUTH, "it has more proofs than are asked for");
    return st;
}

fm_status ledger_consent_verify(const struct ledger_consent *consent, const json_t *json,
                                const struct did_document *attestor, uint32_t rules_version,
                                struct base_err *err)
{
    bool mandated = consent->mandate != NULL;
    fm_status st = FM_OK;

    if ((consent->attestor != NULL) != (attestor != NULL))
        return base_err_set(err, FM_E_ARG, "consent: the attestor's document is needed with it");
    if (mandated && verify_by(consent->mandate, NULL, attestor, rules_version, err) != FM_OK)
        return base_err_prefix(err, "consent: mandate");
    st = verify_by(json, consent->subject, mandated ? NULL : attestor, rules_version, err);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "consent");
}

/* ---- consent: writing ---- */

fm_status ledger_consent_build(json_t **out, const struct ledger_consent *consent,
                               const struct did_secret *secret, struct base_err *err)
{
    char chain[65], commitment[65], contract[65], evidence[65], subject[DID_KEY_DID_TEXT] = "";
    const char *mode = consent->mode != NULL ? consent->mode : "signed";
    struct ledger_consent probe;
    json_t *json;
    fm_status st = FM_OK;

    *out = NULL;
    if (secret != NULL)
        st = did_key_did_encode(subject, did_secret_key(secret), err);
    if (st != FM_OK)
        return st;
    base_hex(chain, consent->chain, 32);
    base_hex(commitment, consent->commitment, 32);
    base_hex(contract, consent->contract, 32);
    base_hex(evidence, consent->evidence, 32);
    json = json_pack(
        "{s:s, s:s, s:s, s:s*, s:s, s:s, s:s, s:s*, s:s*, s:I, s:I, s:I, s:s*, s:s*, s:O*}", "type",
        CONSENT_TYPE, "chain", chain, "mode", mode, "subject", secret != NULL ? subject : NULL,
        "commitment", commitment, "scheme", consent->scheme, "grantee", consent->grantee, "purpose",
        consent->purpose, "contract", consent->has_contract ? contract : NULL, "not_before",
        (json_int_t)consent->not_before, "expires", (json_int_t)consent->expires, "uses",
        (json_int_t)consent->uses, "attestor",
        strcmp(mode, "attested") == 0 ? consent->attestor : NULL, "evidence",
        consent->has_evidence ? evidence : NULL, "mandate", consent->mandate);
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

fm_status ledger_revocation_verify(const json_t *json, const char *subject,
                                   const struct did_document *attestor, uint32_t rules_version,
                                   struct base_err *err)
{
    const char *method = text(json_object_get(json, "proof"), "verificationMethod");
    bool by_key = method != NULL && strncmp(method, "did:key:", 8) == 0;
    fm_status st;

    if ((by_key ? subject == NULL : attestor == NULL))
        st = base_err_set(err, FM_E_AUTH, "it is by neither the subject nor the attestor");
    else
        st = verify_by(json, by_key ? subject : NULL, by_key ? NULL : attestor, rules_version, err);
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
