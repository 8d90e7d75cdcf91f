#include "ledger/verify/signed.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/sm3.h"

void ledger_signed_release(struct ledger_signed *s)
{
    json_decref(s->record);
    s->record = NULL;
    if (s->anchored)
        ledger_certificate_report_release(&s->certificate);
    s->anchored = false;
}

bool ledger_signed_begins(const char first[3])
{
    return memcmp(first, "{\"d", 3) == 0;
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

/* ---- reading ---- */

static fm_status read_record(struct ledger_signed *out, struct base_buf *line, FILE *f,
                             struct base_err *err)
{
    int c = 0;
    fm_status st;

    errno = 0;
    while (line->len < DID_SIGNATURE_RECORD_MAX && c != '\n' && (c = getc(f)) != EOF)
        base_buf_put_u8(line, (uint8_t)c);
    if (ferror(f))
        return base_err_errno(err, "read");
    st = base_buf_status(line, "signatures", err);
    if (st != FM_OK)
        return st;
    if (c != '\n')
        return base_err_set(err, FM_E_INVALID, "its first line does not end");
    return base_json_parse_canonical(&out->record, line->p, line->len - 1, err);
}

/* ---- signatures under members' keys ---- */

struct by_members {
    struct ledger_signed *out;
    const struct ledger_members *members;
};

static fm_status key_of(void *ctx, struct did_key *out, const char *method, enum did_role role,
                        struct base_err *err)
{
    const struct by_members *by = ctx;
    struct did_resolver resolver = ledger_members_resolver(by->members);

    if (strncmp(method, "did:key:", 8) == 0)
        return did_proof_resolve_did_key(NULL, out, method, role, err);
    return resolver.key(resolver.ctx, out, method, role, err);
}

static fm_status threshold_of(void *ctx, size_t *out, const char *did, struct base_err *err)
{
    const struct by_members *by = ctx;
    const struct ledger_identity *member = ledger_members_by_did(by->members, did);

    if (member == NULL)
        return base_err_set(err, FM_E_AUTH, "%.120s was no member", did);
    *out = did_document_threshold(member->doc);
    return FM_OK;
}

/* What does not hold is one verdict, whatever its kind. */
static fm_status as_verdict(fm_status st, struct base_err *err)
{
    return st == FM_E_INPUT || st == FM_E_AUTH ? (err->code = FM_E_INVALID) : st;
}

/* At the deposit: with the members' documents as they were then. */
static fm_status judge(void *ctx, const struct ledger_members *members, struct base_err *err)
{
    struct by_members by = {ctx, members};
    const struct did_signature_keys keys = {{key_of, &by}, threshold_of};

    return as_verdict(
        did_signature_verify(&by.out->signatures, by.out->record, &keys, DID_RULES_VERSION, err),
        err);
}

static fm_status check_digest(const struct ledger_certificate *c, const struct base_buf *line,
                              struct base_err *err)
{
    const struct base_sm3_part part = {line->p, line->len};
    uint8_t digest[32];
    fm_status st = FM_OK;

    if (strcmp(c->algorithm, "sm3") == 0)
        st = base_sm3(digest, &part, 1, err);
    else
        base_hash(digest, line->p, line->len);
    if (st == FM_OK && memcmp(digest, c->item.digest, 32) != 0)
        st = base_err_set(err, FM_E_INVALID,
                          "its certificate is for other signatures than those before it");
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
    struct base_buf line = {0};
    int next;
    fm_status st;

    *out = (struct ledger_signed){0};
    st = as_verdict(read_record(out, &line, file, err), err);
    if (st == FM_OK) {
        next = getc(file);
        out->anchored = next != EOF;
        if (out->anchored && ungetc(next, file) == EOF)
            st = base_err_errno(err, "read");
    }
    if (st == FM_OK && out->anchored) {
        st = ledger_certificate_verify_judged(&out->certificate, file, expect_chain32, ca_file,
                                              judge, out, err);
        if (st == FM_OK)
            st = check_digest(&out->certificate.certificate, &line, err);
    } else if (st == FM_OK) {
        st = as_verdict(
            did_signature_verify(&out->signatures, out->record, keys, DID_RULES_VERSION, err), err);
    }
    base_buf_release(&line);
    return st == FM_OK ? check_missing(&out->signatures, err) : st;
}
