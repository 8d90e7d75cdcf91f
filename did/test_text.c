/* The text forms: base58btc, multibase, Multikey, did:key and moments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "did/key_did.h"
#include "did/moment.h"
#include "did/multibase.h"
#include "did/test_tools.h"

/* ---- base58btc and multibase ---- */

static void base58_vectors(void **state)
{
    json_t *file = tools_vectors("multibase/base58_encode_decode.json");
    json_t *pair;
    size_t i;

    (void)state;
    json_array_foreach(file, i, pair)
    {
        const char *hex = json_string_value(json_array_get(pair, 0));
        const char *text = json_string_value(json_array_get(pair, 1));
        size_t len = strlen(hex) / 2, got;
        uint8_t bytes[512], back[512];
        struct base_buf out = {0};
        assert_true(base_unhex(bytes, len, hex, 2 * len));
        did_base58_encode(&out, bytes, len);
        assert_string_equal(base_buf_cstr(&out), text);
        assert_true(did_base58_decode(back, len, &got, text, strlen(text)));
        assert_int_equal(got, len);
        assert_memory_equal(back, bytes, len);
        if (len > 0)
            assert_false(did_base58_decode(back, len - 1, &got, text, strlen(text)));
        base_buf_release(&out);
    }
    assert_int_equal(json_array_size(file), 14);
    json_decref(file);
}

/* The base58btc line of a multibase vector file. */
static void multibase_line(const char *name, const char *plain, size_t len)
{
    char *text = tools_text(name);
    char *line = strstr(text, "base58btc, \"");
    uint8_t bytes[32];
    struct base_buf out = {0};
    struct base_err err = {0};

    assert_non_null(line);
    line += strlen("base58btc, \"");
    line[strcspn(line, "\"")] = '\0';
    assert_int_equal(did_multibase_decode(bytes, len, line, &err), FM_OK);
    assert_memory_equal(bytes, plain, len);
    did_multibase_encode(&out, bytes, len);
    assert_string_equal(base_buf_cstr(&out), line);
    assert_int_equal(did_multibase_decode(bytes, len + 1, line, &err), FM_E_INPUT);
    assert_int_equal(did_multibase_decode(bytes, len - 1, line, &err), FM_E_INPUT);
    base_buf_release(&out);
    free(text);
}

static void multibase_vectors(void **state)
{
    (void)state;
    multibase_line("multibase/basic.csv", "yes mani !", 10);
    multibase_line("multibase/leading_zero.csv", "\0yes mani !", 11);
    multibase_line("multibase/two_leading_zeros.csv", "\0\0yes mani !", 12);
}

/* Every text of one or two bytes: what decodes, re-encodes to itself. */
static void base58_is_a_bijection(void **state)
{
    size_t decoded = 0;

    (void)state;
    for (uint32_t n = 0; n < 0x10000; n++) {
        char text[2];
        uint8_t bytes[4];
        size_t got, len = n < 0x100 ? 1 : 2;
        struct base_buf out = {0};
        for (size_t i = 0; i < len; i++)
            text[i] = (char)(n >> (8 * i) & 0xff);
        if (!did_base58_decode(bytes, sizeof bytes, &got, text, len))
            continue;
        decoded++;
        did_base58_encode(&out, bytes, got);
        assert_int_equal(out.len, len);
        assert_memory_equal(out.p, text, len);
        base_buf_release(&out);
    }
    assert_int_equal(decoded, 58 + 58 * 58);
}

static void strange_multibase_is_refused(void **state)
{
    static const char *const texts[] = {"",
                                        "z",
                                        "Z7Pznk19",
                                        "f00",
                                        "z0",
                                        "zO",
                                        "zI",
                                        "zl",
                                        "z7paNL19x",
                                        "z7paNL19xttacUY ",
                                        " z7paNL19xttacUY"};
    uint8_t bytes[10];
    struct base_err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(did_multibase_decode(bytes, 10, texts[i], &err), FM_E_INPUT);
}

/* ---- did:key ---- */

static void seed_of(uint8_t out32[32], const json_t *vector)
{
    const char *hex = json_string_value(json_object_get(vector, "seed"));

    assert_true(base_unhex(out32, 32, hex, strlen(hex)));
}

/* The public key as the vector's document gives it: base58 or a JWK. */
static void key_of(uint8_t out32[32], const json_t *method)
{
    const char *base58 = json_string_value(json_object_get(method, "publicKeyBase58"));
    const char *x =
        json_string_value(json_object_get(json_object_get(method, "publicKeyJwk"), "x"));
    struct base_buf jwk = {0};
    size_t len;

    if (base58 != NULL) {
        assert_true(did_base58_decode(out32, 32, &len, base58, strlen(base58)));
        assert_int_equal(len, 32);
        return;
    }
    assert_true(base_unbase64url(&jwk, x, strlen(x)));
    assert_int_equal(jwk.len, 32);
    memcpy(out32, jwk.p, 32);
    base_buf_release(&jwk);
}

/* The vectors' documents use older key types and derive a keyAgreement key; the rest is equal. */
static void compare_documents(const char *did, const json_t *theirs)
{
    static const char *const same[] = {"id", "authentication", "assertionMethod",
                                       "capabilityInvocation", "capabilityDelegation"};
    const json_t *their_method = json_array_get(json_object_get(theirs, "verificationMethod"), 0);
    const json_t *our_method;
    struct base_err err = {0};
    struct did_key key;
    uint8_t bytes[32];
    json_t *ours;

    assert_int_equal(did_key_did_document(&ours, did, DID_RULES_VERSION, &err), FM_OK);
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        assert_true(json_equal(json_object_get(ours, same[i]), json_object_get(theirs, same[i])));
    our_method = json_array_get(json_object_get(ours, "verificationMethod"), 0);
    assert_true(json_equal(json_object_get(our_method, "id"), json_object_get(their_method, "id")));
    key_of(bytes, their_method);
    assert_int_equal(did_multikey_decode(
                         &key, json_string_value(json_object_get(our_method, "publicKeyMultibase")),
                         DID_RULES_VERSION, &err),
                     FM_OK);
    assert_memory_equal(key.bytes, bytes, 32);
    assert_int_equal(did_key_method_decode(&key,
                                           json_string_value(json_object_get(our_method, "id")),
                                           DID_RULES_VERSION, &err),
                     FM_OK);
    json_decref(ours);
}

static void did_key_vectors(void **state)
{
    json_t *file = tools_vectors("did-key/ed25519-x25519.json");
    const char *did;
    json_t *vector;

    (void)state;
    json_object_foreach(file, did, vector)
    {
        char text[DID_KEY_DID_TEXT];
        uint8_t seed[32];
        struct did_secret *secret;
        struct base_err err = {0};
        seed_of(seed, vector);
        assert_int_equal(did_secret_import(&secret, did_suite_ed25519(), seed, 32, &err), FM_OK);
        assert_int_equal(did_key_did_encode(text, did_secret_key(secret), &err), FM_OK);
        assert_string_equal(text, did);
        compare_documents(did, json_object_get(vector, "didDocument"));
        did_secret_free(secret);
    }
    assert_int_equal(json_object_size(file), 5);
    json_decref(file);
}

static void other_suites_are_refused(void **state)
{
    static const char *const files[] = {"did-key/bls12381.json", "did-key/rsa.json",
                                        "did-key/secp256k1.json", "did-key/nist-curves.json"};

    int p256_keys = 0;

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        json_t *file = tools_vectors(files[i]);
        const char *did;
        json_t *vector;
        json_object_foreach(file, did, vector)
        {
            struct did_key key;
            struct base_err err = {0};
            bool is_p256 = strncmp(did, "did:key:zDn", 11) == 0;
            assert_int_equal(did_key_did_decode(&key, did, DID_RULES_VERSION, &err),
                             is_p256 ? FM_OK : FM_E_INPUT);
            assert_int_equal(did_key_did_decode(&key, did, 1, &err), FM_E_INPUT);
            p256_keys += is_p256;
        }
        json_decref(file);
    }
    assert_true(p256_keys >= 2);
}

#define KEY0 "z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
#define KEY1 "z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG"

static void broken_did_keys_are_refused(void **state)
{
    static const char *const methods[] = {
        "did:key:" KEY0, "did:key:" KEY0 "#" KEY1, "did:key:" KEY0 "#" KEY0 "#",  "did:key:#",
        "#" KEY0,        "did:web:" KEY0 "#" KEY0, "did:key:" KEY0 "1#" KEY0 "1",
    };
    struct did_key key;
    struct base_err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        assert_int_not_equal(did_key_method_decode(&key, methods[i], DID_RULES_VERSION, &err),
                             FM_OK);
    assert_int_equal(did_key_did_decode(&key,
                                        "did:key:Z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp",
                                        DID_RULES_VERSION, &err),
                     FM_E_INPUT);
    assert_int_equal(did_key_did_decode(&key, "did:key:" KEY0 "#", DID_RULES_VERSION, &err),
                     FM_E_INPUT);
    assert_int_equal(did_key_did_decode(&key, "did:key:" KEY0, DID_RULES_VERSION, &err), FM_OK);
}

/* ---- moments ---- */

static void moments_agree_with_gmtime(void **state)
{
    struct base_err err = {0};
    int64_t back;

    (void)state;
    for (int64_t s = 0; s <= 253402300799; s += 101 * 86400 + 12345) {
        time_t t = (time_t)s;
        struct tm tm;
        char theirs[64], ours[DID_MOMENT_TEXT];
        assert_non_null(gmtime_r(&t, &tm));
        assert_int_not_equal(strftime(theirs, sizeof theirs, "%Y-%m-%dT%H:%M:%SZ", &tm), 0);
        assert_int_equal(did_moment_format(ours, s, &err), FM_OK);
        assert_string_equal(ours, theirs);
        assert_true(did_moment_parse(&back, ours));
        assert_true(back == s);
    }
}

/* Others' moments, beside what the clock says of them. */
static void foreign_moments(void **state)
{
    static const struct {
        const char *text;
        bool fine;
    } cases[] = {
        {"2026-11-20T09:51:00Z", true},
        {"2026-11-20T09:51:00.5Z", true},
        {"2026-11-20T09:51:00.123456789Z", true},
        {"2026-11-20T17:51:00+08:00", true},
        {"2026-11-20T03:21:00.25-06:30", true},
        {"2026-11-20T23:51:00+14:00", true},
        {"2026-11-20T09:51:00", false},
        {"2026-11-20T09:51:00.Z", false},
        {"2026-11-20T09:51:00.1234567890Z", false},
        {"2026-11-20T09:51:00+0800", false},
        {"2026-11-20T09:51:00+14:01", false},
        {"2026-11-20T09:51:00+08:60", false},
        {"2026-11-20T09:51:00ZZ", false},
        {"2026-02-30T09:51:00Z", false},
        {"2026-11-20 09:51:00Z", false},
        {"2026-11-20T09:51", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t s;
        assert_int_equal(did_moment_parse_any(&s, cases[i].text), cases[i].fine);
        assert_int_equal(s, cases[i].fine ? TOOLS_WHEN : 0);
    }
}

static void strange_moments_are_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "2026-11-20",
        "2026-11-20T09:51:00",
        "2026-11-20T09:51:00+00:00",
        "2026-11-20T09:51:00.0Z",
        "2026-11-20T09:51:00Z ",
        "2026-11-20t09:51:00z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "1900-01-01T00:00:00Z",
        "2026-11-31T00:00:00Z",
        "2026-11-00T00:00:00Z",
        "2026-11-20T24:00:00Z",
        "2026-11-20T23:60:00Z",
        "2026-11-20T23:59:60Z",
        " 026-11-20T09:51:00Z",
    };
    char out[DID_MOMENT_TEXT];
    struct base_err err = {0};
    int64_t s;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_false(did_moment_parse(&s, texts[i]));
    assert_true(did_moment_parse(&s, "2024-02-29T23:59:59Z"));
    assert_true(did_moment_parse(&s, "2000-02-29T00:00:00Z"));
    assert_int_equal(did_moment_format(out, -1, &err), FM_E_ARG);
    assert_int_equal(did_moment_format(out, 253402300800, &err), FM_E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base58_vectors),
        cmocka_unit_test(multibase_vectors),
        cmocka_unit_test(base58_is_a_bijection),
        cmocka_unit_test(strange_multibase_is_refused),
        cmocka_unit_test(did_key_vectors),
        cmocka_unit_test(other_suites_are_refused),
        cmocka_unit_test(broken_did_keys_are_refused),
        cmocka_unit_test(moments_agree_with_gmtime),
        cmocka_unit_test(foreign_moments),
        cmocka_unit_test(strange_moments_are_refused),
    };
    return cmocka_run_group_tests_name("did text", tests, NULL, NULL);
}
