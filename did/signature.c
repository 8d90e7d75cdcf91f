#include "did/signature.h"

#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "base/text.h"
#include "did/document.h"

static const char type_name[] = "FirmianaSignature";

/* ---- the form ---- */

static fm_status check_text(const json_t *object, const char *name, size_t max,
                            struct base_err *err)
{
    const char *text;
    fm_status st = base_json_get_str(&text, object, name, err);

    if (st != FM_OK)
        return st;
    if (text[0] == '\0' || strlen(text) > max)
        return base_err_set(err, FM_E_INPUT, "member '%s' must have 1 to %zu bytes", name, max);
    for (const char *p = text; *p != '\0'; p++)
        if (base_text_is_control(p))
            return base_err_set(err, FM_E_INPUT, "member '%s' has a control character", name);
    return FM_OK;
}

static fm_status read_document(struct did_signature_document *out, const json_t *record,
                               struct base_err *err)
{
    static const char *const names[] = {"name", "sha256", "size", "sm3", NULL};
    json_t *object;
    fm_status st = base_json_get_object(&object, record, "document", err);

    if (st == FM_OK)
        st = base_json_only(object, names, err);
    if (st == FM_OK)
        st = check_text(object, "name", DID_SIGNATURE_NAME_MAX, err);
    if (st == FM_OK)
        st = base_json_get_str(&out->name, object, "name", err);
    if (st == FM_OK)
        st = base_json_get_int(&out->size, object, "size", err);
    if (st == FM_OK && out->size < 0)
        st = base_err_set(err, FM_E_INPUT, "member 'size' must not be negative");
    if (st == FM_OK)
        st = base_json_get_hex(out->sha256, 32, object, "sha256", err);
    if (st == FM_OK)
        st = base_json_get_hex(out->sm3, 32, object, "sm3", err);
    return st;
}

static fm_status read_signers(struct did_signature_report *out, const json_t *record,
                              struct base_err *err)
{
    json_t *signers;
    fm_status st = base_json_get_array(&signers, record, "signers", err);

    if (st != FM_OK)
        return st;
    out->count = json_array_size(signers);
    if (out->count < 1 || out->count > DID_SIGNERS_MAX)
        return base_err_set(err, FM_E_INPUT, "member 'signers' must have 1 to %d DIDs",
                            DID_SIGNERS_MAX);
    for (size_t i = 0; i < out->count; i++) {
        const char *did = json_string_value(json_array_get(signers, i));
        if (did == NULL || strncmp(did, "did:", 4) != 0 || strchr(did, '#') != NULL ||
            strlen(did) >= DID_METHOD_TEXT)
            return base_err_set(err, FM_E_INPUT, "signer %zu is not a DID", i + 1);
        for (size_t j = 0; j < i; j++)
            if (strcmp(out->signer[j].did, did) == 0)
                return base_err_set(err, FM_E_INPUT, "signer %zu is signer %zu again", i + 1,
                                    j + 1);
        out->signer[i] = (struct did_signature_signer){.did = did};
    }
    out->missing = out->count;
    return FM_OK;
}

/* All but the proofs. Fills the report as if nobody had signed. */
static fm_status read_record(struct did_signature_report *out, json_t **signatures,
                             const json_t *record, struct base_err *err)
{
    static const char *const names[] = {"document", "in_order", "purpose", "signatures",
                                        "signers",  "type",     "version", NULL};
    const char *type;
    int64_t version;
    fm_status st = base_json_only(record, names, err);

    *out = (struct did_signature_report){0};
    if (st == FM_OK)
        st = base_json_get_str(&type, record, "type", err);
    if (st == FM_OK && strcmp(type, type_name) != 0)
        st = base_err_set(err, FM_E_INPUT, "member 'type' must be %s", type_name);
    if (st == FM_OK)
        st = base_json_get_int(&version, record, "version", err);
    if (st == FM_OK && version != 1)
        st = base_err_set(err, FM_E_INPUT, "member 'version' must be 1");
    if (st == FM_OK)
        st = read_document(&out->document, record, err);
    if (st == FM_OK)
        st = base_json_get_bool(&out->in_order, record, "in_order", err);
    if (st == FM_OK && json_object_get(record, "purpose") != NULL)
        st = check_text(record, "purpose", DID_SIGNATURE_PURPOSE_MAX, err);
    if (st == FM_OK)
        st = read_signers(out, record, err);
    if (st == FM_OK)
        st = base_json_get_array(signatures, record, "signatures", err);
    out->purpose = json_string_value(json_object_get(record, "purpose"));
    return st;
}

fm_status did_signature_new(json_t **out, const struct did_signature_document *document,
                            const json_t *signers, bool in_order, const char *purpose,
                            struct base_err *err)
{
    struct did_signature_report report;
    char sha256[65], sm3[65];
    json_t *record, *ignored;
    fm_status st;

    *out = NULL;
    base_hex(sha256, document->sha256, 32);
    base_hex(sm3, document->sm3, 32);
    record = json_pack("{s:{s:s, s:s, s:I, s:s}, s:b, s:s*, s:[], s:o, s:s, s:i}", "document",
                       "name", document->name, "sha256", sha256, "size", (json_int_t)document->size,
                       "sm3", sm3, "in_order", (int)in_order, "purpose", purpose, "signatures",
                       "signers", json_deep_copy(signers), "type", type_name, "version", 1);
    if (record == NULL)
        return base_err_set(err, FM_E_INPUT, "the document's name or the purpose is not UTF-8");
    st = read_record(&report, &ignored, record, err);
    if (st == FM_OK)
        *out = record;
    else
        json_decref(record);
    return st;
}

/* ---- what is signed ---- */

/* The record without its signatures and, in order, with the first `before` of them. NULL: memory.
 */
static json_t *statement_of(const json_t *record, bool in_order, size_t before)
{
    json_t *statement = json_copy((json_t *)record), *after;
    const json_t *signatures = json_object_get(record, "signatures");

    if (statement == NULL || json_object_del(statement, "signatures") != 0 || !in_order ||
        before == 0)
        return statement;
    after = json_array();
    for (size_t i = 0; i < before; i++)
        (void)json_array_append(after, json_array_get(signatures, i));
    if (json_array_size(after) == before && json_object_set_new(statement, "after", after) == 0)
        return statement;
    json_decref(statement);
    return NULL;
}

static struct did_signature_signer *find_signer(struct did_signature_report *report,
                                                const char *method)
{
    char did[DID_METHOD_TEXT];

    if (!did_method_split(did, method))
        return NULL;
    for (size_t i = 0; i < report->count; i++)
        if (strcmp(report->signer[i].did, did) == 0)
            return &report->signer[i];
    return NULL;
}

/* Whether one of the first n proofs is by this key. */
static bool has_signed(const json_t *signatures, size_t n, const char *method)
{
    for (size_t i = 0; i < n; i++) {
        const char *other =
            json_string_value(json_object_get(json_array_get(signatures, i), "verificationMethod"));
        if (other != NULL && strcmp(other, method) == 0)
            return true;
    }
    return false;
}

fm_status did_signature_sign(json_t *record, const struct did_secret *secret, const char *method,
                             enum did_role role, int64_t created_s, struct base_err *err)
{
    struct did_signature_report report;
    json_t *signatures, *statement;
    size_t n;
    fm_status st = read_record(&report, &signatures, record, err);

    if (st != FM_OK)
        return st;
    n = json_array_size(signatures);
    if (find_signer(&report, method) == NULL)
        return base_err_set(err, FM_E_AUTH, "%.120s is not one of the signers", method);
    if (has_signed(signatures, n, method))
        return base_err_set(err, FM_E_CONFLICT, "%.120s has signed already", method);
    statement = statement_of(record, report.in_order, n);
    if (statement == NULL)
        return base_err_memory(err, "signature");
    st = did_proof_add(statement, secret, method, role, created_s, err);
    if (st == FM_OK && json_array_append(signatures, json_object_get(statement, "proof")) != 0)
        st = base_err_memory(err, "signature");
    json_decref(statement);
    return st;
}

/* ---- verifying ---- */

static fm_status did_key_only(void *ctx, struct did_key *out, const char *method,
                              enum did_role role, struct base_err *err)
{
    if (strncmp(method, "did:key:", 8) == 0)
        return did_proof_resolve_did_key(ctx, out, method, role, err);
    return base_err_set(err, FM_E_NOT_FOUND,
                        "the keys of %.90s are not at hand: give its document or a member's node, "
                        "or have the signatures anchored",
                        method);
}

static fm_status no_threshold(void *ctx, size_t *out, const char *did, struct base_err *err)
{
    (void)ctx;
    (void)out;
    return base_err_set(err, FM_E_NOT_FOUND, "%.120s: its officers are not at hand", did);
}

const struct did_signature_keys did_signature_did_keys = {{did_key_only, NULL}, no_threshold};

/* Whether this signer may still sign now. */
static fm_status check_turn(const struct did_signature_report *report,
                            const struct did_signature_signer *signer, struct base_err *err)
{
    if (signer->done)
        return base_err_set(err, FM_E_INVALID, "%.120s had signed already", signer->did);
    for (const struct did_signature_signer *s = report->signer; report->in_order && s < signer; s++)
        if (!s->done)
            return base_err_set(err, FM_E_INVALID,
                                "it is not yet the turn of %.90s: %.90s comes before", signer->did,
                                s->did);
    return FM_OK;
}

static fm_status read_role(enum did_role *out, const json_t *proof, struct base_err *err)
{
    const char *purpose;
    fm_status st = base_json_get_str(&purpose, proof, "proofPurpose", err);

    if (st != FM_OK)
        return st;
    *out = DID_ROLE_ASSERTION;
    if (strcmp(purpose, did_role_name(DID_ROLE_INVOCATION)) == 0)
        *out = DID_ROLE_INVOCATION;
    else if (strcmp(purpose, did_role_name(DID_ROLE_ASSERTION)) != 0)
        return base_err_set(err, FM_E_INPUT,
                            "proofPurpose must be assertionMethod or capabilityInvocation");
    return FM_OK;
}

static fm_status count_in(struct did_signature_report *report, struct did_signature_signer *signer,
                          enum did_role role, const struct did_signature_keys *keys,
                          struct base_err *err)
{
    fm_status st;

    if (role == DID_ROLE_ASSERTION || strncmp(signer->did, "did:key:", 8) == 0) {
        signer->by_key = signer->done = true;
    } else {
        st = keys->threshold(keys->resolver.ctx, &signer->threshold, signer->did, err);
        if (st != FM_OK)
            return st;
        signer->officers++;
        signer->done = signer->threshold > 0 && signer->officers >= signer->threshold;
    }
    if (signer->done)
        report->missing--;
    return FM_OK;
}

static fm_status verify_one(struct did_signature_report *report, const json_t *record,
                            const json_t *signatures, size_t at,
                            const struct did_signature_keys *keys, uint32_t rules_version,
                            struct base_err *err)
{
    json_t *proof = json_array_get(signatures, at), *statement;
    struct did_signature_signer *signer;
    struct did_proof verified;
    enum did_role role;
    const char *method;
    fm_status st = base_json_get_str(&method, proof, "verificationMethod", err);

    if (st == FM_OK)
        st = read_role(&role, proof, err);
    if (st != FM_OK)
        return st;
    signer = find_signer(report, method);
    if (signer == NULL)
        return base_err_set(err, FM_E_AUTH, "%.120s is not one of the signers", method);
    if (has_signed(signatures, at, method))
        return base_err_set(err, FM_E_INVALID, "%.120s signed twice", method);
    st = check_turn(report, signer, err);
    if (st != FM_OK)
        return st;
    statement = statement_of(record, report->in_order, at);
    if (statement == NULL || json_object_set(statement, "proof", proof) != 0)
        st = base_err_memory(err, "signature");
    else
        st = did_proof_verify(&verified, statement, role, rules_version, &keys->resolver, err);
    json_decref(statement);
    if (st != FM_OK)
        return st;
    signer->created_s = verified.created_s;
    return count_in(report, signer, role, keys, err);
}

fm_status did_signature_verify(struct did_signature_report *out, const json_t *record,
                               const struct did_signature_keys *keys, uint32_t rules_version,
                               struct base_err *err)
{
    json_t *signatures;
    fm_status st = read_record(out, &signatures, record, err);

    if (st != FM_OK)
        return st;
    if (json_array_size(signatures) > (size_t)DID_SIGNERS_MAX * DID_SIGNERS_MAX)
        return base_err_set(err, FM_E_INPUT, "more signatures than all signers can give");
    for (size_t i = 0; i < json_array_size(signatures); i++) {
        st = verify_one(out, record, signatures, i, keys, rules_version, err);
        if (st != FM_OK)
            return base_err_prefix(err, "signature %zu", i + 1);
    }
    return FM_OK;
}
