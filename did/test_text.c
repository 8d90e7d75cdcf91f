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

/* Texts in other bases: none is read, in whatever case. */
static void other_bases_are_refused(void **state)
{
    char *text = tools_text("multibase/case_insensitivity.csv"), *rest = NULL;
    size_t refused = 0;

    (void)state;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        uint8_t bytes[11];
        struct base_err err = {0};
        char *at = strstr(line, ", \"");
        if (refused == 0 && strncmp(line, "non-canonical", 13) == 0)
            continue; /* what all of them mean */
        assert_non_null(at);
        at[strlen(at) - 1] = '\0';
        tools_expect(did_multibase_decode(bytes, 11, at + 3, &err), FM_E_INPUT, &err, "base58btc");
        refused++;
    }
    assert_int_equal(refused, 12);
    free(text);
}

/* The registry: 'z' is base58btc and final, and the only first character that is read. */
static void multibase_registry(void **state)
{
    char *text = tools_text("multibase/multibase_table.csv"), *rest = NULL;
    size_t read = 0, refused = 0;

    (void)state;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char encoded[] = "?7paNL19xttacUY", first[8] = "";
        uint8_t bytes[10];
        struct base_err err = {0};
        if (sscanf(line, "U+%*4x, %7[^,],", first) != 1 || first[1] != '\0')
            continue; /* the head, NUL, and what is beyond ASCII */
        encoded[0] = first[0];
        if (did_multibase_decode(bytes, 10, encoded, &err) == FM_OK) {
            assert_non_null(strstr(line, "base58btc"));
            assert_non_null(strstr(line, "final"));
            read++;
        } else {
            refused++;
        }
    }
    assert_int_equal(read, 1);
    assert_true(refused >= 20);
    free(text);
}

/* The registry of multicodecs has our suites' prefixes, which are its codes as varints. */
static void multicodec_registry(void **state)
{
    const struct did_suite *const suites[] = {did_suite_ed25519(), did_suite_p256(),
                                              did_suite_sm2()};
    static const char *const names[] = {"\ned25519-pub,", "\np256-pub,", "\nsm2-pub,"};
    char *text = tools_text("multibase/multicodec_table.csv");

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const char *line = strstr(text, names[i]), *at = line == NULL ? NULL : strstr(line, "0x");
        unsigned long code = at == NULL ? 0 : strtoul(at, NULL, 16);
        assert_int_equal(suites[i]->multicodec[0], 0x80 | (code & 0x7f));
        assert_int_equal(suites[i]->multicodec[1], code >> 7);
    }
    free(text);
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

/* The public key as the vector's document gives it: in base58, or a JWK, whose y is its parity. */
static void key_of(uint8_t out[DID_KEY_MAX], size_t len, const json_t *method)
{
    const char *base58 = json_string_value(json_object_get(method, "publicKeyBase58"));
    const json_t *jwk = json_object_get(method, "publicKeyJwk");
    const char *x = json_string_value(json_object_get(jwk, "x"));
    const char *y = json_string_value(json_object_get(jwk, "y"));
    struct base_buf bytes = {0};
    size_t got;

    if (base58 != NULL) {
        assert_true(did_base58_decode(out, len, &got, base58, strlen(base58)));
        assert_int_equal(got, len);
        return;
    }
    assert_true(base_unbase64url(&bytes, x, strlen(x)));
    assert_int_equal(bytes.len, 32);
    memcpy(out + len - 32, bytes.p, 32);
    base_buf_clear(&bytes);
    if (len == 33) {
        assert_true(base_unbase64url(&bytes, y, strlen(y)));
        assert_int_equal(bytes.len, 32);
        out[0] = (uint8_t)(2 + (bytes.p[31] & 1));
    }
    base_buf_release(&bytes);
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
    uint8_t bytes[DID_KEY_MAX];
    json_t *ours;

    assert_int_equal(did_key_did_document(&ours, did, DID_RULES_VERSION, &err), FM_OK);
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        assert_true(json_equal(json_object_get(ours, same[i]), json_object_get(theirs, same[i])));
    our_method = json_array_get(json_object_get(ours, "verificationMethod"), 0);
    assert_true(json_equal(json_object_get(our_method, "id"), json_object_get(their_method, "id")));
    assert_true(json_equal(json_object_get(our_method, "controller"),
                           json_object_get(their_method, "controller")));
    assert_int_equal(did_multikey_decode(
                         &key, json_string_value(json_object_get(our_method, "publicKeyMultibase")),
                         DID_RULES_VERSION, &err),
                     FM_OK);
    key_of(bytes, key.suite->key_len, their_method);
    assert_memory_equal(key.bytes, bytes, key.suite->key_len);
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

/* P-256 is ours, the other suites are not, and X25519 keys do not sign. */
static void other_suites_are_refused(void **state)
{
    static const char *const files[] = {"did-key/bls12381.json", "did-key/rsa.json",
                                        "did-key/secp256k1.json", "did-key/nist-curves.json",
                                        "did-key/x25519.json"};
    size_t p256_keys = 0, others = 0;

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        json_t *file = tools_vectors(files[i]);
        const json_t *all = json_object_get(file, "didDocument");
        const char *did;
        json_t *vector;
        json_object_foreach(all == NULL ? file : (json_t *)(uintptr_t)all, did, vector)
        {
            struct did_key key;
            struct base_err err = {0};
            bool is_p256 = strncmp(did, "did:key:zDn", 11) == 0;
            fm_status st = did_key_did_decode(&key, did, DID_RULES_VERSION, &err);
            if (is_p256)
                compare_documents(did, json_object_get(vector, "didDocument"));
            else
                tools_expect(
                    st, FM_E_INPUT, &err,
                    strlen(did) < DID_KEY_DID_TEXT
                        ? "a key of a suite that is not known here"
                        : "is not a Multikey in base58btc"); /* that long are none of ours */
            assert_int_equal(did_key_did_decode(&key, did, 1, &err), FM_E_INPUT);
            *(is_p256 ? &p256_keys : &others) += 1;
        }
        json_decref(file);
    }
    assert_int_equal(p256_keys, 3);
    assert_true(others >= 15);
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
        cmocka_unit_test(other_bases_are_refused),
        cmocka_unit_test(multibase_registry),
        cmocka_unit_test(multicodec_registry),
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
