/* Credentials and presentations of others: JSON with a Data Integrity proof, or a JWT; with status
 * lists. A text that begins with a brace is JSON; one that begins with 'u' is the text of a status
 * list; anything else a JWT.
 *
 * Laws: what is valid says what one of the specimens says, for all that is signed in it; a revoked
 * one never is; a JWT's parts are written as they were read; a list of bits that unpacks packs into
 * one with the same bits. */
#include <stdlib.h>
#include <string.h>

#include "base/json_any.h"
#include "did/credential/jwt.h"
#include "did/credential/status_list.h"
#include "did/key_did.h"
#include "tests/fuzz/fuzz.h"

#define LIST_ID "https://bank-a.example/status/3"
#define CHALLENGE "c-1795168260"
#define DOMAIN "bank-b.example"

enum { NOW = 1795168260, REVOKED = 7 };

static struct person {
    struct did_secret *secret;
    char did[DID_KEY_DID_TEXT], method[DID_KEY_METHOD_TEXT];
} issuer, holder;

static struct fuzz_corpus contents; /* of what is valid, without its proof */
static json_t *status_list;

/* ---- the verifier ---- */

static fm_status find_list(void *ctx, json_t **out, const char *id, struct base_err *err)
{
    (void)ctx;
    if (strcmp(id, LIST_ID) != 0)
        return base_err_set(err, FM_E_NOT_FOUND, "no such list");
    *out = json_incref(status_list);
    return FM_OK;
}

static const struct did_resolver resolver = {did_proof_resolve_did_key, NULL};
static const struct credential_lists lists = {find_list, NULL};
static const struct credential_verifier verifier = {&resolver, &lists, 1, NOW};

static void put_content(struct base_buf *out, const json_t *signed_object)
{
    json_t *bare = json_copy((json_t *)(uintptr_t)signed_object);
    struct base_err err = {0};

    (void)json_object_del(bare, "proof");
    fuzz_law(base_json_any_canonical(out, bare, &err) == FM_OK, "what is valid is canonical JSON");
    json_decref(bare);
}

static void is_known(const json_t *signed_object)
{
    struct base_buf bytes = {0};

    put_content(&bytes, signed_object);
    fuzz_law(fuzz_is_specimen(&contents, bytes.p, bytes.len), "nobody signed what is no specimen");
    base_buf_release(&bytes);
}

static void check_json(const json_t *json)
{
    static struct credential_facts facts[CREDENTIAL_SUBJECTS_MAX];
    struct base_err err = {0};
    const char *who;
    size_t count;
    bool set;

    if (credential_verify(facts, json, &verifier, &err) == FM_OK)
        is_known(json);
    else
        fuzz_law(err.text[0] != '\0', "a refusal says why");
    if (credential_verify_presentation(facts, &count, &who, json, CHALLENGE, DOMAIN, &verifier,
                                       &err) == FM_OK) {
        is_known(json);
        fuzz_law(strcmp(who, holder.did) == 0, "who shows it is who holds it");
    }
    /* As a status entry of our list, and as a list of our entry. */
    if (credential_status_read(&set, json_object_get(json, "credentialStatus"), status_list,
                               &err) != FM_OK)
        fuzz_law(err.text[0] != '\0', "a refusal says why");
}

static void check_bits(const char *text)
{
    struct credential_bits bits, again;
    struct base_buf packed = {0};
    struct base_err err = {0};

    if (credential_bits_decode(&bits, text, &err) != FM_OK) {
        fuzz_law(err.text[0] != '\0', "a refusal says why");
        return;
    }
    fuzz_law(bits.count <= CREDENTIAL_STATUS_MAX, "no longer than the limit");
    fuzz_law(credential_bits_encode(&packed, &bits, &err) == FM_OK &&
                 credential_bits_decode(&again, base_buf_cstr(&packed), &err) == FM_OK &&
                 again.count == bits.count && memcmp(again.bytes, bits.bytes, bits.count / 8) == 0,
             "a list packs into one with the same bits");
    credential_bits_release(&bits);
    credential_bits_release(&again);
    base_buf_release(&packed);
}

/* The three parts, put together again. */
static void check_parts(const char *text)
{
    struct credential_jws jws;
    struct base_buf again = {0};
    struct base_err err = {0};

    if (credential_jws_split(&jws, text, &err) != FM_OK) {
        fuzz_law(err.text[0] != '\0', "a refusal says why");
        return;
    }
    base_base64url(&again, jws.header.p, jws.header.len);
    base_buf_put_u8(&again, '.');
    base_base64url(&again, jws.payload.p, jws.payload.len);
    fuzz_law(again.len == jws.signed_len, "what is signed is header, point, payload");
    base_buf_put_u8(&again, '.');
    base_base64url(&again, jws.signature.p, jws.signature.len);
    fuzz_law(strcmp(base_buf_cstr(&again), text) == 0, "each part has one text");
    credential_jws_release(&jws);
    base_buf_release(&again);
}

static void check_jwt(const char *text)
{
    struct credential_facts facts;
    struct base_err err = {0};
    json_t *payload = NULL;

    check_parts(text);
    if (credential_jwt_verify(&facts, &payload, text, &verifier, &err) == FM_OK) {
        is_known(payload);
        json_decref(payload);
    } else {
        fuzz_law(err.text[0] != '\0', "a refusal says why");
    }
}

static void run(const uint8_t *data, size_t size)
{
    struct base_err err = {0};
    json_t *json = NULL;
    char *text;

    if (size > 0 && data[0] == '{') {
        if (base_json_any_parse(&json, (const char *)data, size, &err) == FM_OK)
            check_json(json);
        json_decref(json);
        return;
    }
    text = malloc(size + 1);
    fuzz_law(text != NULL, "there is memory");
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    if (text[0] == 'u')
        check_bits(text);
    else
        check_jwt(text);
    free(text);
}

/* ---- specimens ---- */

static void make_person(struct person *p, uint8_t n)
{
    const uint8_t seed[32] = {n};
    struct base_err err = {0};

    fuzz_law(did_secret_import(&p->secret, did_suite_ed25519(), seed, 32, &err) == FM_OK &&
                 did_key_did_encode(p->did, did_secret_key(p->secret), &err) == FM_OK &&
                 did_key_method_encode(p->method, did_secret_key(p->secret), &err) == FM_OK,
             err.text);
}

static void make_list(struct fuzz_corpus *corpus)
{
    struct credential_bits bits;
    struct base_err err = {0};
    struct base_buf text = {0};

    fuzz_law(credential_bits_make(&bits, CREDENTIAL_STATUS_MIN, &err) == FM_OK, err.text);
    credential_bits_set(&bits, REVOKED, true);
    fuzz_law(credential_status_list(&status_list, LIST_ID, issuer.did, "revocation", &bits, NOW - 9,
                                    &err) == FM_OK &&
                 credential_issue(status_list, issuer.secret, issuer.method, NOW - 9, &err) ==
                     FM_OK &&
                 credential_bits_encode(&text, &bits, &err) == FM_OK,
             err.text);
    fuzz_add(corpus, text.p, text.len);
    credential_bits_release(&bits);
    base_buf_release(&text);
}

static json_t *make_credential(size_t index)
{
    struct base_err err = {0};
    json_t *status, *c;

    c = json_pack("{s:[s], s:[s,s], s:s, s:s, s:{s:s, s:s, s:i}}", "@context", CREDENTIAL_CONTEXT,
                  "type", "VerifiableCredential", "Diploma", "validFrom", "2026-01-01T00:00:00Z",
                  "validUntil", "2027-01-01T08:00:00+08:00", "credentialSubject", "id", holder.did,
                  "degree", "Bachelor", "year", 2025);
    fuzz_law(c != NULL, "there is memory");
    if (index != SIZE_MAX) {
        fuzz_law(credential_status_entry(&status, LIST_ID, "revocation", index, &err) == FM_OK,
                 err.text);
        fuzz_law(json_object_set_new(c, "credentialStatus", status) == 0, "there is memory");
    }
    return c;
}

static void add_json(struct fuzz_corpus *corpus, const json_t *json)
{
    struct base_buf bytes = {0};
    struct base_err err = {0};

    fuzz_law(base_json_canonical(&bytes, json, &err) == FM_OK, err.text);
    fuzz_add(corpus, bytes.p, bytes.len);
    base_buf_release(&bytes);
}

static void note_content(const json_t *json)
{
    struct base_buf bytes = {0};

    put_content(&bytes, json);
    fuzz_add(&contents, bytes.p, bytes.len);
    base_buf_release(&bytes);
}

static void add_credential(struct fuzz_corpus *corpus, size_t index)
{
    json_t *c = make_credential(index), *shown = NULL, *array, *plain = make_credential(index);
    struct base_buf jwt = {0};
    struct base_err err = {0};
    struct credential_facts facts;
    bool valid = index != REVOKED;

    fuzz_law(credential_issue(c, issuer.secret, issuer.method, NOW - 5, &err) == FM_OK, err.text);
    fuzz_law((credential_verify(&facts, c, &verifier, &err) == FM_OK) == valid,
             "a credential is valid unless it is revoked");
    array = json_pack("[O]", c);
    fuzz_law(credential_present(&shown, array, holder.secret, holder.method, CHALLENGE, DOMAIN,
                                NOW - 1, &err) == FM_OK &&
                 credential_jwt_issue(&jwt, plain, issuer.secret, issuer.method, &err) == FM_OK,
             err.text);
    add_json(corpus, c);
    add_json(corpus, shown);
    fuzz_add(corpus, jwt.p, jwt.len);
    if (valid) {
        note_content(c);
        note_content(shown);
        note_content(plain);
    }
    json_decref(array);
    json_decref(shown);
    json_decref(plain);
    json_decref(c);
    base_buf_release(&jwt);
}

static void begin(struct fuzz_corpus *corpus)
{
    make_person(&issuer, 1);
    make_person(&holder, 2);
    make_list(corpus);
    add_credential(corpus, SIZE_MAX);
    add_credential(corpus, REVOKED + 1);
    add_credential(corpus, REVOKED);
    add_json(corpus, status_list);
    note_content(status_list);
}

static const char *const words[] = {"proof",
                                    "proofPurpose",
                                    "authentication",
                                    "assertionMethod",
                                    "challenge",
                                    "domain",
                                    "expires",
                                    "nonce",
                                    "validFrom",
                                    "validUntil",
                                    "credentialStatus",
                                    "BitstringStatusListEntry",
                                    "statusListIndex",
                                    "statusPurpose",
                                    "suspension",
                                    "7",
                                    "8",
                                    "131072",
                                    "issuer",
                                    "holder",
                                    "2027-01-01T00:00:00Z",
                                    "eyJhbGciOiJub25lIn0",
                                    ".",
                                    "=",
                                    "-",
                                    "_",
                                    NULL};
const struct fuzz_target fuzz_target = {"credential", FUZZ_JSON, 8192, words, begin, run};
