#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/json.h"
#include "did/multibase.h"
#include "did/succession.h"
#include "did/test_fixture.h"

/* ---- ids ---- */

/* method.md section 3, done by hand over text instead of over trees. */
static void id_is_hash_of_template(void **state)
{
    const char *did = did_document_id(member.doc);
    struct base_buf bytes = {0}, template = {0}, id = {0};
    struct base_err err = {0};
    uint8_t multihash[34] = {0x12, 0x20};
    const char *at, *hit;

    (void)state;
    assert_int_equal(base_json_canonical(&bytes, did_document_json(member.doc), &err), FM_OK);
    for (at = base_buf_cstr(&bytes); (hit = strstr(at, did)) != NULL; at = hit + strlen(did)) {
        base_buf_put(&template, at, (size_t)(hit - at));
        base_buf_put_str(&template, "did:firmiana:{CHAIN}:{SCID}");
    }
    base_buf_put_str(&template, at);
    base_hash(multihash + 2, template.p, template.len);
    did_base58_encode(&id, multihash, sizeof multihash);
    assert_string_equal(strrchr(did, ':') + 1, base_buf_cstr(&id));
    assert_memory_equal(did, "did:firmiana:f14231a1a00102030405060708090a0b:Qm", 48);
    assert_int_equal(strlen(did), 92);
    base_buf_release(&bytes);
    base_buf_release(&template);
    base_buf_release(&id);
}

/* The same keys give the same id before and after genesis. */
static void genesis_binds_the_chain(void **state)
{
    struct did_draft draft = {0};
    struct did_document *before, *after, *again;
    struct base_err err = {0};
    size_t count;
    const struct did_method *methods = did_document_methods(member.doc, &count);

    (void)state;
    assert_int_equal(
        did_draft_first(&draft, NULL, "bank_a", did_document_recovery32(member.doc), &err), FM_OK);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(did_draft_add(&draft, &methods[i].key, methods[i].roles, &err), FM_OK);
    draft.threshold = 2;
    assert_int_equal(did_draft_build(&before, &draft, DID_RULES_VERSION, &err), FM_OK);
    assert_string_equal(did_document_chain(before), "{CHAIN}");
    assert_string_equal(strrchr(did_document_id(before), ':'),
                        strrchr(did_document_id(member.doc), ':'));
    assert_int_equal(did_succession_check_first(before, tools_genesis32, &err), FM_E_REFUSED);
    assert_int_equal(did_document_bind(&after, before, tools_genesis32, DID_RULES_VERSION, &err),
                     FM_OK);
    assert_memory_equal(did_document_hash32(after), did_document_hash32(member.doc), 32);
    assert_int_equal(did_succession_check_first(after, tools_genesis32, &err), FM_OK);
    assert_int_equal(did_document_bind(&again, after, tools_genesis32, DID_RULES_VERSION, &err),
                     FM_E_CONFLICT);
    did_document_free(before);
    did_document_free(after);
    did_draft_release(&draft);
}

/* ---- drafts, words, roles ---- */

static void drafts_say_what_is_wrong(void **state)
{
    static const uint8_t recovery32[32] = {1};
    struct did_secret *secret = tools_secret(&rnd);
    const struct did_key *key = did_secret_key(secret);
    const struct did_key *node = did_secret_key(member.node);
    struct did_draft draft = {0};
    struct did_document *doc;
    struct base_err err = {0};

    (void)state;
    assert_int_equal(did_draft_first(&draft, NULL, "Bank", recovery32, &err), FM_E_ARG);
    assert_int_equal(
        did_draft_first(&draft, "f14231a1a00102030405060708090a0b0", "bank", recovery32, &err),
        FM_E_ARG);
    assert_int_equal(did_draft_first(&draft, "F14231", "bank", recovery32, &err), FM_OK);
    assert_int_equal(did_draft_build(&doc, &draft, DID_RULES_VERSION, &err), FM_E_INPUT);
    assert_null(doc);
    assert_int_equal(did_draft_next(&draft, member.doc, &err), FM_OK);
    assert_int_equal(did_draft_remove(&draft, key, &err), FM_E_NOT_FOUND);
    assert_int_equal(did_draft_rotate(&draft, key, node, &err), FM_E_NOT_FOUND);
    assert_int_equal(did_draft_rotate(&draft, did_secret_key(member.channel), node, &err),
                     FM_E_CONFLICT);
    assert_int_equal(did_draft_remove(&draft, node, &err), FM_OK);
    assert_int_equal(did_draft_build(&doc, &draft, DID_RULES_VERSION, &err), FM_E_INPUT);
    assert_non_null(strstr(err.text, "no key has the role assertionMethod"));
    while (draft.n_keys < DID_KEYS_MAX) {
        struct did_secret *more = tools_secret(&rnd);
        assert_int_equal(did_draft_add(&draft, did_secret_key(more), DID_ROLE_ASSERTION, &err),
                         FM_OK);
        did_secret_free(more);
    }
    assert_int_equal(did_draft_add(&draft, key, DID_ROLE_ASSERTION, &err), FM_E_LIMIT);
    assert_int_equal(
        did_draft_add(&draft, did_secret_key(member.channel), DID_ROLE_ASSERTION, &err), FM_OK);
    assert_int_equal(draft.n_keys, DID_KEYS_MAX);
    assert_int_equal(did_draft_build(&doc, &draft, DID_RULES_VERSION, &err), FM_OK);
    did_document_free(doc);
    did_draft_release(&draft);
    did_secret_free(secret);
}

static void words(void **state)
{
    static const char *const bad[] = {
        "", "Bank", "1bank", "_b", "bank-a", "b\xc3\xa4nk", "a23456789012345678901234567890123"};
    char did[DID_METHOD_TEXT], text[300];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(did_alias_is_valid(bad[i]));
    assert_true(did_alias_is_valid("a2345678901234567890123456789012"));
    assert_true(did_alias_is_valid("b_1"));
    assert_true(did_method_split(did, "did:x:y#key#more"));
    assert_string_equal(did, "did:x:y");
    assert_false(did_method_split(did, "did:x:y"));
    assert_false(did_method_split(did, "#key"));
    memset(text, 'd', sizeof text);
    text[DID_METHOD_TEXT - 1] = '#';
    text[sizeof text - 1] = '\0';
    assert_true(did_method_split(did, text));
    text[DID_METHOD_TEXT - 1] = 'd';
    text[DID_METHOD_TEXT] = '#';
    assert_false(did_method_split(did, text));
}

static void roles_are_looked_up(void **state)
{
    struct did_key key;
    struct base_err err = {0};
    const char *node = tools_method(member.doc, member.node);

    (void)state;
    assert_int_equal(did_document_key(member.doc, &key, DID_ROLE_ASSERTION, node, &err), FM_OK);
    assert_true(did_key_equal(&key, did_secret_key(member.node)));
    assert_int_equal(did_document_key(member.doc, &key, DID_ROLE_INVOCATION, node, &err),
                     FM_E_AUTH);
    assert_non_null(strstr(err.text, "has not the role capabilityInvocation"));
    assert_int_equal(did_document_key(member.doc, &key, DID_ROLE_ASSERTION, "did:x#y", &err),
                     FM_E_AUTH);
    assert_non_null(strstr(err.text, "has no key 'did:x#y'"));
    assert_int_equal(did_document_key_count(member.doc, DID_ROLE_INVOCATION), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(id_is_hash_of_template),   cmocka_unit_test(genesis_binds_the_chain),
        cmocka_unit_test(drafts_say_what_is_wrong), cmocka_unit_test(words),
        cmocka_unit_test(roles_are_looked_up),
    };
    return cmocka_run_group_tests_name("did document", tests, setup, teardown);
}
