/* The examples in method.md and sm2-jcs.md are what the code does: every hash, id and signature of
 * them, read from the texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/profile.h"
#include "did/key_did.h"
#include "did/multibase.h"
#include "did/proof.h"
#include "did/scid.h"
#include "did/sm2_own.h"
#include "did/succession.h"
#include "did/test_tools.h"

/* ---- the texts ---- */

static struct base_buf text;

static void read_text(const char *path)
{
    struct base_err err = {0};

    base_buf_release(&text);
    if (base_file_read(&text, path, 1 << 20, &err) != FM_OK)
        fail_msg("%s", err.text);
}

/* Line `line` of the n-th block between lines of ``` that stands under a heading. free(). */
static char *block(const char *heading, size_t n, size_t line)
{
    const char *at = strstr(base_buf_cstr(&text), heading);

    assert_non_null(at);
    for (size_t i = 0; i < 2 * n + 1; i++) {
        at = strstr(at, "\n```");
        assert_non_null(at);
        at = strchr(at + 1, '\n');
    }
    for (size_t i = 0; i < line; i++)
        at = strchr(at + 1, '\n');
    return strndup(at + 1, strcspn(at + 1, "\n"));
}

/* The text says these bytes in hex: in `code`, or alone on a line. */
static void says(const uint8_t *bytes, size_t len)
{
    char hex[2 * 64 + 1], code[2 * 64 + 3], line[2 * 64 + 3];

    assert_true(len <= 64);
    base_hex(hex, bytes, len);
    (void)snprintf(code, sizeof code, "`%s`", hex);
    (void)snprintf(line, sizeof line, "\n%s\n", hex);
    if (strstr(base_buf_cstr(&text), code) == NULL && strstr(base_buf_cstr(&text), line) == NULL)
        fail_msg("the text does not say %s", hex);
}

static json_t *canonical(char *line)
{
    struct base_err err = {0};
    json_t *json;

    if (base_json_parse_canonical(&json, line, strlen(line), &err) != FM_OK)
        fail_msg("%.60s...: %s", line, err.text);
    free(line);
    return json;
}

static const char *member(const json_t *object, const char *name)
{
    const char *value = json_string_value(json_object_get(object, name));

    assert_non_null(value);
    return value;
}

/* ---- keys of 32 equal bytes ---- */

static struct did_secret *key_of(uint8_t byte)
{
    struct did_secret *secret;
    struct base_err err = {0};
    uint8_t bytes[32];

    memset(bytes, byte, 32);
    assert_int_equal(did_secret_import(&secret, did_suite_usual(), bytes, 32, &err), FM_OK);
    return secret;
}

static void says_recovery(const struct did_document *doc, uint8_t byte)
{
    struct did_secret *secret = key_of(byte);
    uint8_t commit[32];

    did_recovery_commit(commit, did_secret_key(secret));
    assert_memory_equal(commit, did_document_recovery32(doc), 32);
    did_secret_free(secret);
}

/* Those of a document, in its order. */
static void has_keys(const struct did_document *doc, const uint8_t *bytes, size_t count)
{
    size_t n;
    const struct did_method *methods = did_document_methods(doc, &n);

    assert_int_equal(n, count);
    for (size_t i = 0; i < n; i++) {
        struct did_secret *secret = key_of(bytes[i]);
        assert_true(did_key_equal(&methods[i].key, did_secret_key(secret)));
        did_secret_free(secret);
    }
}

/* ---- method.md ---- */

/* The n-th block's document of version 1: its id from its template, step by step, and its chain. */
static void first_document(struct did_document **out, size_t n)
{
    static const char template[] = "did:firmiana:{CHAIN}:{SCID}";
    json_t *json = canonical(block("## 8. Worked", n, 0)), *bare;
    struct base_buf multihash = {0}, id = {0};
    struct base_err err = {0};
    uint8_t hash[32], genesis[32];
    bool national = base_profile_is_national();

    assert_int_equal(did_document_parse(out, json, DID_RULES_VERSION, &err), FM_OK);
    bare = did_scid_substitute(json, member(json, "id"), template);
    assert_int_equal(base_json_hash(hash, bare, &err), FM_OK);
    says(hash, 32);
    base_buf_put(&multihash, national ? "\xcd\xa6\x01\x20" : "\x12\x20", national ? 4 : 2);
    says(multihash.p, multihash.len);
    base_buf_put(&multihash, hash, 32);
    did_base58_encode(&id, multihash.p, multihash.len);
    assert_string_equal(strrchr(member(json, "id"), ':') + 1, base_buf_cstr(&id));
    base_hash(genesis, "firmiana example genesis", 24);
    assert_int_equal(did_succession_check_first(*out, genesis, &err), FM_OK);
    says(did_document_recovery32(*out), 32);
    says_recovery(*out, 4);
    has_keys(*out, (const uint8_t[]){1, 2, 3}, 3);
    base_buf_release(&multihash);
    base_buf_release(&id);
    json_decref(bare);
    json_decref(json);
}

/* The n-th block's transaction, whose proof stands under that authority; a bit less, and it does
 * not. *next: its document, if it has one. */
static void change(struct did_document **next, const struct did_document *prev, size_t n,
                   const char *type, enum did_authority wanted)
{
    json_t *tx = canonical(block("## 8. Worked", n, 0)), *body = json_object_get(tx, "body");
    enum did_authority authority;
    struct base_err err = {0};
    uint8_t previous[32];

    assert_string_equal(member(tx, "type"), type);
    assert_string_equal(member(tx, "sender"), did_document_id(prev));
    assert_int_equal(base_json_get_hex(previous, 32, body, "previous", &err), FM_OK);
    assert_memory_equal(previous, did_document_hash32(prev), 32);
    says(previous, 32);
    tools_expect(did_succession_verify(&authority, prev, tx, DID_RULES_VERSION, &err), FM_OK, &err,
                 "");
    assert_int_equal(authority, wanted);
    if (next != NULL) {
        assert_int_equal(
            did_document_parse(next, json_object_get(body, "document"), DID_RULES_VERSION, &err),
            FM_OK);
        tools_expect(did_succession_check_next(prev, *next, authority, &err), FM_OK, &err, "");
        says(did_document_hash32(*next), 32);
    }
    json_object_set_new(tx, "not_after", json_integer(1));
    tools_expect(did_succession_verify(&authority, prev, tx, DID_RULES_VERSION, &err), FM_E_AUTH,
                 &err, "does not match");
    json_decref(tx);
}

static void worked_example(void **state)
{
    struct did_document *v1, *v2, *v3;

    (void)state;
    read_text("did/method.md");
    first_document(&v1, 0);
    change(&v2, v1, 1, "did.update", DID_BY_OFFICERS);
    has_keys(v2, (const uint8_t[]){1, 7, 3}, 3);
    change(&v3, v2, 2, "did.recover", DID_BY_RECOVERY);
    has_keys(v3, (const uint8_t[]){1, 7, 5}, 3);
    says_recovery(v3, 6);
    change(NULL, v3, 3, "did.deactivate", DID_BY_OFFICERS);
    did_document_free(v1);
    did_document_free(v2);
    did_document_free(v3);
}

static void national_example(void **state)
{
    struct did_document *v1;
    struct base_err err = {0};
    uint8_t genesis[32];

    (void)state;
    read_text("did/method.md");
    assert_int_equal(base_profile_adopt(BASE_PROFILE_NATIONAL, &err), FM_OK);
    first_document(&v1, 4);
    base_hash(genesis, "firmiana example genesis", 24);
    says(genesis, 16);
    did_document_free(v1);
    base_profile_forget();
}

/* ---- sm2-jcs.md ---- */

/* Z and e of the key that signs, as the text has them. */
static void says_digests(const struct did_key *key, const uint8_t *message, size_t len)
{
    struct did_curve curve = {.suite = "sm2", .key_type = "SM2", .group_name = "SM2"};
    struct did_sm2_prefix prefix;
    struct base_err err = {0};
    BN_CTX *ctx = BN_CTX_new();
    uint8_t z[32], e[32];
    EC_POINT *q;

    BN_CTX_start(ctx);
    assert_true(did_curve_open(&curve) && did_sm2_prefix(&prefix, &curve, DID_SM2_SIGNER_ID));
    assert_int_equal(did_curve_point(&q, &curve, key, ctx, &err), FM_OK);
    assert_int_equal(did_sm2_hash(z, e, &curve, &prefix, q, message, len, ctx, &err), FM_OK);
    says(z, 32);
    says(e, 32);
    EC_POINT_free(q);
    EC_GROUP_free((EC_GROUP *)(uintptr_t)curve.group);
    BN_CTX_end(ctx);
    BN_CTX_free(ctx);
}

static void sm2_jcs(void **state)
{
    static const char heading[] = "## 5. Test vector";
    static const struct did_resolver by_did_key = {did_proof_resolve_did_key, NULL};
    json_t *options, *bare, *secured, *proof;
    struct did_proof found;
    struct base_err err = {0};
    uint8_t hash[64];

    (void)state;
    read_text("did/sm2-jcs.md");
    options = canonical(block(heading, 0, 0));
    bare = canonical(block(heading, 0, 1));
    secured = canonical(block(heading, 2, 0));
    tools_expect(
        did_proof_verify(&found, secured, DID_ROLE_ASSERTION, DID_RULES_VERSION, &by_did_key, &err),
        FM_OK, &err, "");
    assert_ptr_equal(found.key.suite, did_suite_sm2());
    says(found.key.bytes, 33);
    assert_int_equal(did_proof_hash(hash, bare, options, DID_DIGEST_SM3, &err), FM_OK);
    says(hash, 32);
    says(hash + 32, 32);
    says_digests(&found.key, hash, sizeof hash);
    proof = json_incref(json_object_get(secured, "proof"));
    assert_int_equal(json_object_del(secured, "proof"), 0);
    assert_int_equal(json_object_del(proof, "proofValue"), 0);
    assert_true(json_equal(secured, bare) && json_equal(proof, options));
    json_decref(proof);
    json_decref(options);
    json_decref(bare);
    json_decref(secured);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(worked_example),
        cmocka_unit_test(national_example),
        cmocka_unit_test(sm2_jcs),
    };
    int failed = cmocka_run_group_tests_name("the texts' examples", tests, NULL, NULL);

    base_buf_release(&text);
    return failed;
}
