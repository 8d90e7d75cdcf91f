/* Records of signatures under documents (did/signature.h), by did:keys. Laws: whose proofs verify
 * says what one of the specimens says: the same document, signers, order and purpose; a signer is
 * done only who signed, and in order none before his turn. */
#include <string.h>

#include "base/json.h"
#include "did/key_did.h"
#include "did/signature.h"
#include "tests/fuzz/fuzz.h"

enum { SIGNERS = 3, SIGNED_AT = 1795168260 };

static struct fuzz_corpus contents; /* records without their signatures */

static void put_content(struct base_buf *out, const json_t *record)
{
    json_t *bare = json_copy((json_t *)(uintptr_t)record);
    struct base_err err = {0};

    (void)json_object_del(bare, "signatures");
    fuzz_law(base_json_canonical(out, bare, &err) == FM_OK, "a record is canonical JSON");
    json_decref(bare);
}

static void check(const struct did_signature_report *report, const json_t *record)
{
    size_t missing = 0, done = 0;
    struct base_buf bytes = {0};

    fuzz_law(report->count <= DID_SIGNERS_MAX, "there is room for the signers");
    for (size_t i = 0; i < report->count; i++) {
        const struct did_signature_signer *s = &report->signer[i];
        missing += !s->done;
        done += s->done;
        fuzz_law(!s->done || (s->by_key && s->created_s == SIGNED_AT),
                 "a proof is by the signer's key, from when it was made");
        fuzz_law(!report->in_order || !s->done || missing == 0, "none signs before his turn");
    }
    fuzz_law(missing == report->missing, "those who are missing are counted");
    if (done == 0)
        return; /* anybody may write what nobody has signed */
    put_content(&bytes, record);
    fuzz_law(fuzz_is_specimen(&contents, bytes.p, bytes.len), "nobody signed what is no specimen");
    base_buf_release(&bytes);
}

static void run(const uint8_t *data, size_t size)
{
    static struct did_signature_report report;
    struct base_err err = {0};
    json_t *record = NULL;

    if (base_json_parse_canonical(&record, data, size, &err) != FM_OK)
        return;
    if (did_signature_verify(&report, record, &did_signature_did_keys, 1, &err) == FM_OK)
        check(&report, record);
    else
        fuzz_law((err.code == FM_E_INPUT || err.code == FM_E_AUTH || err.code == FM_E_INVALID) &&
                     err.text[0] != '\0',
                 "a refusal is a verdict, and says why");
    json_decref(record);
}

/* Signed by the signers from `first` to before `end`, in their order. */
static void add_record(struct fuzz_corpus *corpus, bool in_order, size_t first, size_t end)
{
    static const struct did_signature_document document = {
        .name = "contract.pdf", .size = 12, .sha256 = {1, 2}, .sm3 = {3, 4}};
    struct did_secret *secret[SIGNERS];
    char did[SIGNERS][DID_KEY_DID_TEXT], method[DID_KEY_METHOD_TEXT];
    struct base_buf bytes = {0};
    struct base_err err = {0};
    json_t *signers = json_array(), *record;

    for (size_t i = 0; i < SIGNERS; i++) {
        const uint8_t seed[32] = {(uint8_t)(i + 1)};
        fuzz_law(did_secret_import(&secret[i], did_suite_ed25519(), seed, 32, &err) == FM_OK &&
                     did_key_did_encode(did[i], did_secret_key(secret[i]), &err) == FM_OK &&
                     json_array_append_new(signers, json_string(did[i])) == 0,
                 err.text);
    }
    fuzz_law(did_signature_new(&record, &document, signers, in_order,
                               in_order ? "to be kept" : NULL, &err) == FM_OK,
             err.text);
    for (size_t i = 0; i < SIGNERS; i++) {
        if (i >= first && i < end)
            fuzz_law(did_key_method_encode(method, did_secret_key(secret[i]), &err) == FM_OK &&
                         did_signature_sign(record, secret[i], method, DID_ROLE_ASSERTION,
                                            SIGNED_AT, &err) == FM_OK,
                     err.text);
        did_secret_free(secret[i]);
    }
    put_content(&bytes, record);
    fuzz_add(&contents, bytes.p, bytes.len);
    base_buf_clear(&bytes);
    fuzz_law(base_json_canonical(&bytes, record, &err) == FM_OK, err.text);
    fuzz_add(corpus, bytes.p, bytes.len);
    base_buf_release(&bytes);
    json_decref(signers);
    json_decref(record);
}

static void begin(struct fuzz_corpus *corpus)
{
    add_record(corpus, false, 0, SIGNERS);
    add_record(corpus, true, 0, SIGNERS);
    add_record(corpus, true, 0, 2);
    add_record(corpus, true, 1, 2); /* before his turn: refused */
    add_record(corpus, false, 2, SIGNERS);
}

static const char *const words[] = {"signatures",
                                    "signers",
                                    "in_order",
                                    "after",
                                    "document",
                                    "sha256",
                                    "sm3",
                                    "size",
                                    "purpose",
                                    "proofPurpose",
                                    "assertionMethod",
                                    "capabilityInvocation",
                                    "proofValue",
                                    "created",
                                    "did:key:z6Mk",
                                    "FirmianaSignature",
                                    NULL};
const struct fuzz_target fuzz_target = {"signature", FUZZ_JSON, 8192, words, begin, run};
