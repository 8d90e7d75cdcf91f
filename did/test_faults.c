/* Memory runs out: the i-th allocation fails, i = 1, 2, 3, ..., ours, jansson's and OpenSSL's
 * alike, until a run asks for fewer. Every operation must then say FM_E_MEMORY or do its work;
 * above all it must not call a good signature bad, or sign or return half an object.
 *
 * Ours come through the linker's --wrap, jansson's through json_set_alloc_funcs(), OpenSSL's
 * through CRYPTO_set_mem_functions(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/crypto.h>

#include "base/hash.h"
#include "base/json.h"
#include "did/keyfile.h"
#include "did/succession.h"
#include "did/test_tools.h"

static long left = -1; /* allocations until one fails; -1: none does */

static bool fails(void)
{
    return left >= 0 && left-- == 0;
}

void *__real_malloc(size_t len);
void *__real_calloc(size_t n, size_t len);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t n, size_t len);

void *__wrap_malloc(size_t len)
{
    return fails() ? NULL : __real_malloc(len);
}

void *__wrap_calloc(size_t n, size_t len)
{
    return fails() ? NULL : __real_calloc(n, len);
}

/* Hashing aborts when it cannot get memory (base/hash.h): a node that stops is right, but a test
 * that stops is not, so memory is plentiful there. */
void __real_base_hash(uint8_t out32[32], const void *bytes, size_t len);
void __wrap_base_hash(uint8_t out32[32], const void *bytes, size_t len);
void __real_base_sha256(uint8_t out32[32], const void *bytes, size_t len);
void __wrap_base_sha256(uint8_t out32[32], const void *bytes, size_t len);
void __real_base_hash_init(struct base_hash *h);
void __wrap_base_hash_init(struct base_hash *h);

void __wrap_base_hash(uint8_t out32[32], const void *bytes, size_t len)
{
    long saved = left;

    left = -1;
    __real_base_hash(out32, bytes, len);
    left = saved;
}

void __wrap_base_sha256(uint8_t out32[32], const void *bytes, size_t len)
{
    long saved = left;

    left = -1;
    __real_base_sha256(out32, bytes, len);
    left = saved;
}

void __wrap_base_hash_init(struct base_hash *h)
{
    long saved = left;

    left = -1;
    __real_base_hash_init(h);
    left = saved;
}

/* jansson's parser drops characters from strings and calls good tokens bad when it cannot get
 * memory; nobody above it can tell. So none fails while it parses; what comes after is ours. */
fm_status __real_base_json_parse_canonical(json_t **out, const void *bytes, size_t len,
                                           struct base_err *err);
fm_status __wrap_base_json_parse_canonical(json_t **out, const void *bytes, size_t len,
                                           struct base_err *err);

fm_status __wrap_base_json_parse_canonical(json_t **out, const void *bytes, size_t len,
                                           struct base_err *err)
{
    long saved = left;
    fm_status st;

    left = -1;
    st = __real_base_json_parse_canonical(out, bytes, len, err);
    left = saved;
    return st;
}

static void *openssl_malloc(size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails() ? NULL : __real_malloc(len);
}

static void *openssl_realloc(void *p, size_t len, const char *file, int line)
{
    (void)file;
    (void)line;
    return fails() ? NULL : realloc(p, len);
}

static void openssl_free(void *p, const char *file, int line)
{
    (void)file;
    (void)line;
    free(p);
}

static void *jansson_malloc(size_t len)
{
    return fails() ? NULL : __real_malloc(len);
}

static struct tools_random rnd;
static struct tools_member member;
static struct did_document *second;
static json_t *one, *set; /* signed objects */
static struct did_passphrase *pass;

static json_t *object(void)
{
    return json_pack("{s:s, s:s, s:[i,i,i], s:{s:s}}", "@context", "https://example/", "type",
                     "query.open", "list", 1, 2, 3, "body", "text", "abc");
}

static int setup(void **state)
{
    struct did_draft draft = {0};
    struct base_err err = {0};

    (void)state;
    tools_random_init(&rnd, 11);
    tools_member_init(&member, &rnd, "bank_a");
    assert_int_equal(did_draft_next(&draft, member.doc, &err), FM_OK);
    assert_int_equal(did_draft_build(&second, &draft, DID_RULES_VERSION, &err), FM_OK);
    did_draft_release(&draft);
    one = object();
    set = object();
    assert_int_equal(did_proof_add(one, member.node, tools_method(member.doc, member.node),
                                   DID_ROLE_ASSERTION, 0, &err),
                     FM_OK);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(did_proof_add_to_set(set, member.officer[i],
                                              tools_method(member.doc, member.officer[i]),
                                              DID_ROLE_INVOCATION, 0, &err),
                         FM_OK);
    assert_int_equal(did_passphrase_from_bytes(&pass, "x", 1, &err), FM_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tools_member_release(&member);
    did_document_free(second);
    json_decref(one);
    json_decref(set);
    did_passphrase_free(pass);
    return 0;
}

/* ---- the operations; each checks what it made when it says FM_OK ---- */

static fm_status verify_one(struct base_err *err)
{
    struct did_resolver resolver = did_document_resolver(member.doc);
    struct did_proof proof;

    return did_proof_verify(&proof, one, DID_ROLE_ASSERTION, DID_RULES_VERSION, &resolver, err);
}

static fm_status verify_officers(struct base_err *err)
{
    enum did_authority authority;

    return did_succession_verify(&authority, member.doc, set, DID_RULES_VERSION, err);
}

static fm_status parse(struct base_err *err)
{
    struct did_document *doc;
    fm_status st = did_document_parse(&doc, did_document_json(member.doc), DID_RULES_VERSION, err);

    if (st == FM_OK)
        assert_memory_equal(did_document_hash32(doc), did_document_hash32(member.doc), 32);
    assert_true((st == FM_OK) == (doc != NULL));
    if (st == FM_OK)
        assert_true(json_equal((json_t *)(uintptr_t)did_document_json(doc),
                               (json_t *)(uintptr_t)did_document_json(member.doc)));
    did_document_free(doc);
    return st;
}

static fm_status next(struct base_err *err)
{
    struct did_draft draft = {0};
    struct did_document *doc = NULL;
    fm_status st = did_draft_next(&draft, member.doc, err);

    if (st == FM_OK)
        st = did_draft_build(&doc, &draft, DID_RULES_VERSION, err);
    if (st == FM_OK)
        assert_memory_equal(did_document_hash32(doc), did_document_hash32(second), 32);
    did_document_free(doc);
    did_draft_release(&draft);
    return st;
}

static fm_status first(struct base_err *err)
{
    size_t count;
    const struct did_method *methods = did_document_methods(member.doc, &count);
    struct did_draft draft = {0};
    struct did_document *doc = NULL, *bound = NULL;
    fm_status st = did_draft_first(&draft, NULL, did_document_alias(member.doc),
                                   did_document_recovery32(member.doc), err);

    for (size_t i = 0; st == FM_OK && i < count; i++)
        st = did_draft_add(&draft, &methods[i].key, methods[i].roles, err);
    draft.threshold = 2;
    if (st == FM_OK)
        st = did_draft_build(&doc, &draft, DID_RULES_VERSION, err);
    if (st == FM_OK)
        st = did_document_bind(&bound, doc, tools_genesis32, DID_RULES_VERSION, err);
    if (st == FM_OK)
        assert_memory_equal(did_document_hash32(bound), did_document_hash32(member.doc), 32);
    did_document_free(doc);
    did_document_free(bound);
    did_draft_release(&draft);
    return st;
}

/* Signs a fresh copy, made while memory is plentiful. */
static fm_status sign(struct base_err *err)
{
    long saved = left;
    const char *method;
    json_t *fresh;
    fm_status st;

    left = -1;
    method = tools_method(member.doc, member.node);
    fresh = object();
    left = saved;
    st = did_proof_add(fresh, member.node, method, DID_ROLE_ASSERTION, 0, err);
    saved = left;
    left = -1;
    if (st == FM_OK)
        assert_true(json_equal(fresh, one));
    else
        assert_null(json_object_get(fresh, "proof"));
    json_decref(fresh);
    left = saved;
    return st;
}

static fm_status cosign(struct base_err *err)
{
    long saved = left;
    const char *method;
    json_t *before, *after;
    size_t count;
    fm_status st;

    left = -1;
    method = tools_method(member.doc, member.officer[2]);
    before = json_deep_copy(set);
    after = json_deep_copy(set);
    left = saved;
    st = did_proof_add_to_set(after, member.officer[2], method, DID_ROLE_INVOCATION, 0, err);
    saved = left;
    left = -1;
    if (st == FM_OK) {
        struct base_err none = {0};
        assert_int_equal(
            did_document_verify_officers(member.doc, &count, after, DID_RULES_VERSION, &none),
            FM_OK);
        assert_int_equal(count, 3);
    } else {
        assert_true(json_equal(before, after));
    }
    json_decref(before);
    json_decref(after);
    left = saved;
    return st;
}

static fm_status new_key(struct base_err *err)
{
    struct did_secret *secret;
    fm_status st =
        did_secret_import(&secret, did_suite_ed25519(), did_secret_bytes(member.node), 32, err);

    if (st == FM_OK)
        assert_true(did_key_equal(did_secret_key(secret), did_secret_key(member.node)));
    did_secret_free(secret);
    return st;
}

static fm_status key_file(struct base_err *err)
{
    static const struct did_kdf light = {1u << 14, 1, 1};
    struct base_buf file = {0};
    struct did_secret *back = NULL;
    fm_status st =
        did_keyfile_seal(&file, member.node, "subject", 0, pass, &light, &rnd.random, err);

    if (st == FM_OK)
        st = did_keyfile_open(&back, NULL, file.p, file.len, pass, err);
    if (st == FM_OK)
        assert_true(did_key_equal(did_secret_key(back), did_secret_key(member.node)));
    did_secret_free(back);
    base_buf_release(&file);
    return st;
}

/* ---- the loop ---- */

static void run(const char *name, fm_status (*operation)(struct base_err *err))
{
    struct base_err err = {0};
    long i, failed = 0;

    assert_int_equal(operation(&err), FM_OK);
    for (i = 0;; i++) {
        bool injected;
        fm_status st;
        left = i;
        st = operation(&err);
        injected = left < 0;
        left = -1;
        if (st != FM_OK && st != FM_E_MEMORY)
            fail_msg("%s, allocation %ld: %s: %s", name, i, fm_status_name(st), err.text);
        failed += st == FM_E_MEMORY;
        if (!injected)
            break;
    }
    print_message("%s: %ld allocations, %ld failures reported\n", name, i, failed);
    assert_true(failed > 0);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    run("verify", verify_one);
    run("verify officers", verify_officers);
    run("parse", parse);
    run("next", next);
    run("first", first);
    run("sign", sign);
    run("cosign", cosign);
    run("new key", new_key);
    run("key file", key_file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
    };

    /* Before anything else has asked OpenSSL for memory. */
    if (CRYPTO_set_mem_functions(openssl_malloc, openssl_realloc, openssl_free) != 1)
        return 1;
    json_set_alloc_funcs(jansson_malloc, free);
    return cmocka_run_group_tests_name("did faults", tests, setup, teardown);
}
