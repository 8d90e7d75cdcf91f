#include "ledger/verify/signed.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

void ledger_signed_release(struct ledger_signed *s)
{
    ledger_anchored_release(&s->file);
}

bool ledger_signed_begins(const char *text)
{
    static const char first[] = "{\"document\":";

    return strncmp(text, first, sizeof first - 1) == 0;
}

/* ---- the document ---- */

static fm_status hash_stream(struct did_signature_document *out, FILE *f, EVP_MD_CTX *sha256,
                             EVP_MD_CTX *sm3, struct base_err *err)
{
    uint8_t piece[16384];
    size_t got;
    bool ok = sha256 != NULL && sm3 != NULL && EVP_DigestInit_ex(sha256, EVP_sha256(), NULL) == 1 &&
              EVP_DigestInit_ex(sm3, EVP_sm3(), NULL) == 1;

    out->size = 0;
    while (ok && (got = fread(piece, 1, sizeof piece, f)) > 0) {
        ok = EVP_DigestUpdate(sha256, piece, got) == 1 && EVP_DigestUpdate(sm3, piece, got) == 1;
        out->size += (int64_t)got;
    }
    ok = ok && EVP_DigestFinal_ex(sha256, out->sha256, NULL) == 1 &&
         EVP_DigestFinal_ex(sm3, out->sm3, NULL) == 1;
    return ok ? FM_OK
              : base_err_set(err, FM_E_UNSUPPORTED, "this OpenSSL cannot compute SHA-256 and SM3");
}

fm_status ledger_signed_digest(struct did_signature_document *out, const char *path,
                               struct base_err *err)
{
    const char *slash = strrchr(path, '/');
    FILE *f = fopen(path, "rb");
    EVP_MD_CTX *sha256 = EVP_MD_CTX_new(), *sm3 = EVP_MD_CTX_new();
    fm_status st = f == NULL ? base_err_errno(err, path) : FM_OK;

    *out = (struct did_signature_document){.name = slash != NULL ? slash + 1 : path};
    errno = 0;
    if (st == FM_OK)
        st = hash_stream(out, f, sha256, sm3, err);
    if (st == FM_OK && ferror(f))
        st = base_err_errno(err, path);
    EVP_MD_CTX_free(sha256);
    EVP_MD_CTX_free(sm3);
    if (f != NULL)
        (void)fclose(f);
    return st;
}

fm_status ledger_signed_compare(const struct ledger_signed *s, const char *path,
                                struct base_err *err)
{
    const struct did_signature_document *signed_one = &s->signatures.document;
    struct did_signature_document given;
    fm_status st = ledger_signed_digest(&given, path, err);

    if (st != FM_OK)
        return st;
    if (given.size != signed_one->size || memcmp(given.sha256, signed_one->sha256, 32) != 0 ||
        memcmp(given.sm3, signed_one->sm3, 32) != 0)
        return base_err_set(err, FM_E_INVALID, "%s is not the document that was signed", path);
    return FM_OK;
}

fm_status ledger_certificate_compare(const struct ledger_certificate_report *r, const char *path,
                                     struct base_err *err)
{
    struct did_signature_document given;
    fm_status st = ledger_signed_digest(&given, path, err);
    bool sm3 = strcmp(r->certificate.algorithm, "sm3") == 0;

    if (st == FM_OK && memcmp(sm3 ? given.sm3 : given.sha256, r->certificate.item.digest, 32) != 0)
        st = base_err_set(err, FM_E_INVALID, "%s is not the document that was deposited", path);
    return st;
}

/* ---- signatures ---- */

/* The officers that a member asked for then. */
static fm_status threshold_of(void *ctx, size_t *out, const char *did, struct base_err *err)
{
    const struct ledger_identity *member = ledger_members_by_did(ctx, did);

    if (member == NULL)
        return base_err_set(err, FM_E_AUTH, "%.120s was no member", did);
    *out = did_document_threshold(member->doc);
    return FM_OK;
}

struct judging {
    struct did_signature_report *out;
    const struct did_signature_keys *now; /* where it is not anchored */
};

static fm_status judge(void *ctx, const json_t *record, const struct ledger_members *members,
                       struct base_err *err)
{
    const struct judging *j = ctx;
    const struct did_signature_keys then = {ledger_anchored_resolver(members), threshold_of};

    return did_signature_verify(j->out, record, members != NULL ? &then : j->now, DID_RULES_VERSION,
                                err);
}

/* None by a key that came with a change which a recovery overrode (did/method.md, section 4). Each
 * proof is verified: its method and purpose are what they must be. */
static fm_status check_standing(struct ledger_signed *s, struct base_err *err)
{
    const json_t *list = json_object_get(s->file.record, "signatures");
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < json_array_size(list); i++) {
        const json_t *proof = json_array_get(list, i);
        const char *method = json_string_value(json_object_get(proof, "verificationMethod"));
        const char *purpose = json_string_value(json_object_get(proof, "proofPurpose"));
        bool officer = purpose != NULL && strcmp(purpose, did_role_name(DID_ROLE_INVOCATION)) == 0;
        enum did_role role = officer ? DID_ROLE_INVOCATION : DID_ROLE_ASSERTION;
        char did[DID_METHOD_TEXT];
        int64_t until_ms;

        if (method == NULL || !did_method_split(did, method))
            continue;
        st = ledger_verified_stands(s->file.certificate.log, did, method, role, err);
        if (st != FM_OK)
            (void)base_err_prefix(err, "signature %zu", i + 1);
        until_ms = ledger_verified_open_until(s->file.certificate.log, did, method, role);
        if (until_ms > s->open_until_ms)
            s->open_until_ms = until_ms;
    }
    return st;
}

static fm_status check_missing(const struct did_signature_report *r, struct base_err *err)
{
    for (size_t i = 0; i < r->count; i++)
        if (!r->signer[i].done)
            return base_err_set(err, FM_E_INVALID, "%zu of %zu signers %s missing: %.120s first",
                                r->missing, r->count, r->missing == 1 ? "is" : "are",
                                r->signer[i].did);
    return FM_OK;
}

fm_status ledger_signed_verify(struct ledger_signed *out, FILE *file, const uint8_t *expect_chain32,
                               const char *ca_file, const struct did_signature_keys *keys,
                               struct base_err *err)
{
    struct judging judging = {&out->signatures, keys};
    const struct ledger_anchored_judge by = {judge, &judging};
    fm_status st;

    *out = (struct ledger_signed){0};
    st = ledger_anchored_verify(&out->file, file, DID_SIGNATURE_RECORD_MAX, expect_chain32, ca_file,
                                &by, err);
    if (st == FM_OK && out->file.anchored)
        st = check_standing(out, err);
    return st == FM_OK ? check_missing(&out->signatures, err) : st;
}
