/* What a profile allows, and how documents of the national one name themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/json.h"
#include "base/profile.h"
#include "did/multibase.h"
#include "did/scid.h"
#include "did/succession.h"
#include "did/test_tools.h"

static const struct did_suite *(*const suites[3])(void) = {did_suite_ed25519, did_suite_p256,
                                                           did_suite_sm2};

static void adopt(enum base_profile profile)
{
    struct base_err err = {0};

    base_profile_forget();
    assert_int_equal(base_profile_adopt(profile, &err), FM_OK);
}

static int forget(void **state)
{
    (void)state;
    base_profile_forget();
    return 0;
}

/* None is made, and none that there was signs. */
static void expect_secret(const struct did_secret *secret, bool allowed, uint8_t *signature)
{
    const struct did_suite *suite = did_secret_key(secret)->suite;
    struct did_secret *fresh;
    struct base_err err = {0};
    uint8_t other[64];

    assert_int_equal(did_secret_sign(secret, allowed ? signature : other, "abc", 3, &err),
                     allowed ? FM_OK : FM_E_AUTH);
    assert_int_equal(
        did_secret_import(&fresh, suite, did_secret_bytes(secret), suite->secret_len, &err),
        allowed ? FM_OK : FM_E_AUTH);
    if (allowed)
        did_secret_free(fresh);
    else
        assert_memory_equal(err.text, suite->name, strlen(suite->name));
}

static void keys_of_other_suites_are_refused_by_name(void **state)
{
    static const struct {
        enum base_profile profile;
        bool allows[3];
        const char *says;
    } cases[] = {{BASE_PROFILE_OPEN, {true, true, true}, ""},
                 {BASE_PROFILE_INTERNATIONAL,
                  {true, true, false},
                  "are not allowed: the profile is international (ed25519, p256)"},
                 {BASE_PROFILE_NATIONAL,
                  {false, false, true},
                  "are not allowed: the profile is national (sm2)"}};
    struct did_secret *secret[3];
    uint8_t signature[3][DID_SIGNATURE_MAX];
    struct base_err err = {0};

    (void)state;
    for (int s = 0; s < 3; s++) {
        assert_int_equal(did_secret_generate(&secret[s], suites[s](), base_random_system(), &err),
                         FM_OK);
        assert_int_equal(did_secret_sign(secret[s], signature[s], "abc", 3, &err), FM_OK);
    }
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        adopt(cases[c].profile);
        for (int s = 0; s < 3; s++) {
            const struct did_key *key = did_secret_key(secret[s]);
            struct did_key made;
            fm_status st = did_key_make(&made, key->suite, key->bytes, key->suite->key_len,
                                        DID_RULES_VERSION, &err);

            if (!cases[c].allows[s])
                tools_expect(st, FM_E_AUTH, &err, cases[c].says);
            assert_int_equal(st, cases[c].allows[s] ? FM_OK : FM_E_AUTH);
            /* A key that was made before somebody adopted a profile does not verify either. */
            st = did_key_verify(key, DID_RULES_VERSION, signature[s], key->suite->signature_len,
                                "abc", 3, &err);
            assert_int_equal(st, cases[c].allows[s] ? FM_OK : FM_E_AUTH);
            if (st != FM_OK)
                assert_memory_equal(err.text, key->suite->name, strlen(key->suite->name));
            expect_secret(secret[s], cases[c].allows[s], signature[s]);
        }
    }
    for (int s = 0; s < 3; s++)
        did_secret_free(secret[s]);
}

/* The id of a first document is the multihash of its text with the placeholders: computed here from
 * its canonical bytes with OpenSSL's hash alone. */
static void expect_id(const struct did_document *doc, const EVP_MD *md, const uint8_t *prefix,
                      size_t prefix_len)
{
    uint8_t hash[36];
    unsigned len = 0;
    struct base_buf text = {0}, id = {0};
    struct base_err err = {0};
    json_t *template = did_scid_substitute(did_document_json(doc), did_document_id(doc),
                                           "did:firmiana:{CHAIN}:{SCID}");

    assert_non_null(template);
    assert_int_equal(base_json_canonical(&text, template, &err), FM_OK);
    memcpy(hash, prefix, prefix_len);
    assert_int_equal(EVP_Digest(text.p, text.len, hash + prefix_len, &len, md, NULL), 1);
    did_base58_encode(&id, hash, prefix_len + 32);
    assert_string_equal(strrchr(did_document_id(doc), ':') + 1, base_buf_cstr(&id));
    assert_true(strlen(did_document_id(doc)) < DID_FIRMIANA_TEXT);
    json_decref(template);
    base_buf_release(&text);
    base_buf_release(&id);
}

static void documents_name_their_hash(void **state)
{
    static const uint8_t sha256[] = {0x12, 0x20}, sm3[] = {0xcd, 0xa6, 0x01, 0x20};
    struct tools_random random;
    struct tools_member here, there;
    struct did_document *again = NULL;
    struct base_err err = {0};

    (void)state;
    tools_random_init(&random, 7);
    adopt(BASE_PROFILE_INTERNATIONAL);
    tools_member_init(&here, &random, "bank_a");
    expect_id(here.doc, EVP_sha256(), sha256, sizeof sha256);
    assert_int_equal(strlen(strrchr(did_document_id(here.doc), ':') + 1), 46);
    adopt(BASE_PROFILE_NATIONAL);
    tools_member_init(&there, &random, "bank_a");
    expect_id(there.doc, EVP_sm3(), sm3, sizeof sm3);
    assert_int_equal(strlen(strrchr(did_document_id(there.doc), ':') + 1), 50);
    assert_int_equal(
        did_document_parse(&again, did_document_json(there.doc), DID_RULES_VERSION, &err), FM_OK);
    did_document_free(again);
    /* Each is nothing under the other profile. */
    tools_expect(did_document_parse(&again, did_document_json(here.doc), DID_RULES_VERSION, &err),
                 FM_E_AUTH, &err, "ed25519 keys and signatures are not allowed");
    adopt(BASE_PROFILE_INTERNATIONAL);
    tools_expect(did_document_parse(&again, did_document_json(there.doc), DID_RULES_VERSION, &err),
                 FM_E_AUTH, &err, "sm2 keys and signatures are not allowed");
    tools_member_release(&here);
    tools_member_release(&there);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(keys_of_other_suites_are_refused_by_name, forget),
        cmocka_unit_test_teardown(documents_name_their_hash, forget),
    };
    return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
