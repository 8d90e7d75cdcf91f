/* The suites p256 and sm2 beside somebody else's answers: Wycheproof, the standards' examples, the
 * W3C's documents, and OpenSSL's own verifiers over signatures that sit at every edge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "base/bytes.h"
#include "did/curve.h"
#include "did/key_did.h"
#include "did/multibase.h"
#include "did/proof.h"
#include "did/suite.h"
#include "did/test_tools.h"

#define P256_ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define SM2_ORDER "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123"

static const struct did_resolver by_did_key = {did_proof_resolve_did_key, NULL};

static fm_status judge(const struct did_suite *suite, const uint8_t *key, const uint8_t *signature,
                       size_t signature_len, const void *message, size_t message_len,
                       struct base_err *err)
{
    struct did_key k;
    fm_status st = did_key_make(&k, suite, key, 33, DID_RULES_VERSION, err);

    if (st == FM_OK)
        st = did_key_verify(&k, DID_RULES_VERSION, signature, signature_len, message, message_len,
                            err);
    return st;
}

static fm_status verify(const struct did_suite *suite, const uint8_t *key, const uint8_t *signature,
                        size_t signature_len, const void *message, size_t message_len)
{
    struct base_err err = {0};

    return judge(suite, key, signature, signature_len, message, message_len, &err);
}

static const char *member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    assert_non_null(text);
    return text;
}

static size_t unhex(uint8_t *out, size_t cap, const char *text)
{
    size_t len = strlen(text) / 2;

    assert_true(len <= cap);
    assert_true(base_unhex(out, len, text, strlen(text)));
    return len;
}

/* ---- others' vectors ---- */

#define NO_MATCH "p256: the signature does not match key and message"
#define BAD_R "p256: the signature's r is zero or not below the group order"
#define BAD_S "p256: the signature's s is zero or not below the group order"

/* Each class of Wycheproof's, and which of our rules it breaks first. */
static const struct tools_reason reasons[] = {
    {"SignatureSize", "", "", TOOLS_LENGTH},
    {"IntegerOverflow", "", "", TOOLS_LENGTH},
    {"RangeCheck", "", "", TOOLS_LENGTH},
    {"ModifiedInteger", "", "", NO_MATCH},
    {"PointDuplication", "", "", NO_MATCH},
    {"InvalidSignature", "r=1 and s=1", "", NO_MATCH},
    {"InvalidSignature", "r=1 and s=n - 1", "", NO_MATCH},
    {"InvalidSignature", "r=1 and ", "", BAD_S},
    {"InvalidSignature", "r=n - 1 and s=1", "", NO_MATCH},
    {"InvalidSignature", "r=n - 1 and s=n - 1", "", NO_MATCH},
    {"InvalidSignature", "r=n - 1 and ", "", BAD_S},
    {"InvalidSignature", "special case values", "", BAD_R},
    {"ArithmeticError", "r too large", "", BAD_R},
    {"ArithmeticError", "r is larger than n", "", BAD_R},
    {"ArithmeticError", "r was not reduced mod n", "", BAD_R},
    {"ArithmeticError", "s == 0", "", BAD_S},
    {"ArithmeticError", "s is larger than n", "", BAD_S},
    {"ArithmeticError", "x-coordinate 0", "0100", TOOLS_LENGTH}, /* r = 2^256, in 33 bytes */
    {"ArithmeticError", "", "", NO_MATCH},
};

static void wycheproof_p256(void **state)
{
    json_t *file = tools_vectors("wycheproof/ecdsa_secp256r1_sha256_p1363_test.json");
    json_t *group, *test;
    size_t i, j, count[2] = {0, 0};

    (void)state;
    json_array_foreach(json_object_get(file, "testGroups"), i, group)
    {
        uint8_t point[65], key[33], message[2048], signature[2048];
        assert_int_equal(
            unhex(point, sizeof point, member(json_object_get(group, "publicKey"), "uncompressed")),
            65);
        key[0] = (uint8_t)(2 + (point[64] & 1));
        memcpy(key + 1, point + 1, 32);
        json_array_foreach(json_object_get(group, "tests"), j, test)
        {
            size_t message_len = unhex(message, sizeof message, member(test, "msg"));
            size_t signature_len = unhex(signature, sizeof signature, member(test, "sig"));
            int valid = strcmp(member(test, "result"), "valid") == 0;
            struct base_err err = {0};
            fm_status st =
                judge(did_suite_p256(), key, signature, signature_len, message, message_len, &err);
            if (st != (valid ? FM_OK : FM_E_AUTH))
                fail_msg("tcId %lld: %s", json_integer_value(json_object_get(test, "tcId")),
                         fm_status_name(st));
            if (!valid)
                tools_expect_reason(reasons, sizeof reasons / sizeof reasons[0], test,
                                    signature_len, &err);
            count[valid]++;
        }
    }
    print_message("wycheproof: %zu valid, %zu invalid\n", count[1], count[0]);
    assert_int_equal(count[0] + count[1],
                     json_integer_value(json_object_get(file, "numberOfTests")));
    json_decref(file);
}

/* GB/T 32918.5-2017, annex A.2, from the secret key on. */
static void standard_sm2(void **state)
{
    json_t *file = tools_vectors("sm/sm2_standard_examples.json"), *example;
    size_t i, seen = 0;

    (void)state;
    json_array_foreach(file, i, example)
    {
        struct base_err err = {0};
        struct did_secret *secret;
        uint8_t d[32], x[32], y[32], signature[64];
        if (strcmp(member(example, "kind"), "sign") != 0 ||
            strcmp(member(example, "id"), DID_SM2_SIGNER_ID) != 0)
            continue;
        (void)unhex(d, 32, member(example, "d"));
        (void)unhex(x, 32, member(example, "public_x"));
        (void)unhex(y, 32, member(example, "public_y"));
        (void)unhex(signature, 32, member(example, "r"));
        (void)unhex(signature + 32, 32, member(example, "s"));
        assert_int_equal(did_secret_import(&secret, did_suite_sm2(), d, 32, &err), FM_OK);
        assert_int_equal(did_secret_key(secret)->bytes[0], 2 + (y[31] & 1));
        assert_memory_equal(did_secret_key(secret)->bytes + 1, x, 32);
        assert_int_equal(verify(did_suite_sm2(), did_secret_key(secret)->bytes, signature, 64,
                                member(example, "message"), strlen(member(example, "message"))),
                         FM_OK);
        did_secret_free(secret);
        seen++;
    }
    assert_int_equal(seen, 1);
    json_decref(file);
}

/* vc-di-ecdsa 1.0, appendix A: ecdsa-jcs-2019 with P-256. */
static void w3c_p256(void **state)
{
    json_t *document = tools_vectors("vc-di-ecdsa/ecdsa-jcs-2019-p256/signedJCSECDSAP256.json");
    json_t *keys = tools_vectors("vc-di-ecdsa/p256KeyPair.json");
    json_t *config = tools_vectors("vc-di-ecdsa/ecdsa-jcs-2019-p256/proofConfigJCSECDSAP256.json");
    json_t *bare = tools_vectors("vc-di-ecdsa/unsigned.json");
    char *wanted = tools_text("vc-di-ecdsa/ecdsa-jcs-2019-p256/combinedHashJCSECDSAP256.txt");
    char hex[129], multikey[DID_MULTIKEY_TEXT];
    uint8_t hash64[64], private_bytes[34];
    struct did_secret *secret;
    struct did_proof proof;
    struct base_err err = {0};

    (void)state;
    assert_int_equal(did_proof_hash(hash64, bare, config, DID_DIGEST_SHA256, &err), FM_OK);
    base_hex(hex, hash64, 64);
    assert_string_equal(hex, wanted);
    assert_int_equal(did_proof_verify(&proof, document, DID_ROLE_ASSERTION, DID_RULES_VERSION,
                                      &by_did_key, &err),
                     FM_OK);
    assert_int_equal(
        did_multibase_decode(private_bytes, 34, member(keys, "secretKeyMultibase"), &err), FM_OK);
    assert_memory_equal(private_bytes, "\x86\x26", 2); /* multicodec p256-priv, 0x1306 */
    assert_int_equal(did_secret_import(&secret, did_suite_p256(), private_bytes + 2, 32, &err),
                     FM_OK);
    assert_int_equal(did_multikey_encode(multikey, did_secret_key(secret), &err), FM_OK);
    assert_string_equal(multikey, member(keys, "publicKeyMultibase"));
    assert_true(did_key_equal(did_secret_key(secret), &proof.key));
    assert_int_equal(json_object_set_new(document, "validFrom", json_string("2024")), 0);
    assert_int_equal(did_proof_verify(&proof, document, DID_ROLE_ASSERTION, DID_RULES_VERSION,
                                      &by_did_key, &err),
                     FM_E_AUTH);
    did_secret_free(secret);
    json_decref(document);
    json_decref(keys);
    json_decref(config);
    json_decref(bare);
    free(wanted);
}

/* ---- OpenSSL's verifiers ---- */

struct curve {
    const struct did_suite *suite;
    const char *type, *group, *digest, *order;
    const char *id; /* NULL: none */
};

static void curve_of(struct curve *c, size_t i)
{
    *c = i == 0
             ? (struct curve){did_suite_p256(), "EC", "prime256v1", "SHA256", P256_ORDER, NULL}
             : (struct curve){did_suite_sm2(), "SM2", "SM2", "SM3", SM2_ORDER, DID_SM2_SIGNER_ID};
}

static EVP_PKEY *their_key(const struct curve *c, const uint8_t key[33])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, c->type, NULL);
    OSSL_PARAM params[3] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)c->group,
                                         0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (uint8_t *)(uintptr_t)key, 33),
        OSSL_PARAM_construct_end()};
    EVP_PKEY *pkey = NULL;

    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    if (EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static bool they_accept(const struct curve *c, EVP_PKEY *pkey, const uint8_t signature[64],
                        const void *message, size_t message_len)
{
    const OSSL_PARAM with_id[2] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_DIST_ID, (char *)(uintptr_t)c->id,
                                          c->id == NULL ? 0 : strlen(c->id)),
        OSSL_PARAM_construct_end()};
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    ECDSA_SIG *pair = ECDSA_SIG_new();
    unsigned char *der = NULL;
    int len;
    bool yes;

    assert_true(
        ECDSA_SIG_set0(pair, BN_bin2bn(signature, 32, NULL), BN_bin2bn(signature + 32, 32, NULL)));
    len = i2d_ECDSA_SIG(pair, &der);
    assert_true(len > 0);
    assert_int_equal(EVP_DigestVerifyInit_ex(ctx, NULL, c->digest, NULL, NULL, pkey,
                                             c->id == NULL ? NULL : with_id),
                     1);
    yes = EVP_DigestVerify(ctx, der, (size_t)len, message, message_len) == 1;
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
    EVP_MD_CTX_free(ctx);
    return yes;
}

/* One half of a signature moved: to 0, 1, n - 1, n, n + 1, 2^256 - 1, or to its negative. */
static void move(uint8_t half[32], size_t how, const char *order_hex)
{
    BIGNUM *n = NULL, *v = BN_bin2bn(half, 32, NULL);

    assert_true(BN_hex2bn(&n, order_hex) > 0);
    if (how == 6)
        assert_true(BN_sub(v, n, v));
    else if (how == 5)
        assert_true(BN_one(v) && BN_lshift(v, v, 256) && BN_sub_word(v, 1));
    else if (how < 2)
        assert_true(BN_set_word(v, how));
    else
        assert_true(BN_copy(v, n) && BN_add_word(v, how == 4) && BN_sub_word(v, how == 2));
    assert_int_equal(BN_bn2binpad(v, half, 32), 32);
    BN_free(n);
    BN_free(v);
}

/* Ours and theirs say the same of: good signatures; each half moved to each edge; a bit flipped. */
static void one_verdict(void **state)
{
    size_t accepted = 0, refused = 0;

    (void)state;
    for (size_t which = 0; which < 2; which++)
        for (uint64_t seed = 0; seed < 8; seed++) {
            struct tools_random rnd;
            struct base_err err = {0};
            struct did_secret *secret;
            struct curve c;
            uint8_t good[64], message[40];
            const uint8_t *key;
            EVP_PKEY *pkey;
            curve_of(&c, which);
            tools_random_init(&rnd, seed);
            assert_int_equal(base_random_fill(&rnd.random, message, sizeof message, &err), FM_OK);
            assert_int_equal(did_secret_generate(&secret, c.suite, &rnd.random, &err), FM_OK);
            assert_int_equal(did_secret_sign(secret, good, message, sizeof message, &err), FM_OK);
            key = did_secret_key(secret)->bytes;
            pkey = their_key(&c, key);
            assert_non_null(pkey);
            for (size_t variant = 0; variant < 1 + 2 * 7 + 8; variant++) {
                uint8_t signature[64];
                fm_status st;
                memcpy(signature, good, 64);
                if (variant > 14)
                    signature[tools_random_below(&rnd, 64)] ^=
                        (uint8_t)(1u << tools_random_below(&rnd, 8));
                else if (variant > 0)
                    move(signature + 32 * ((variant - 1) % 2), (variant - 1) / 2, c.order);
                st = verify(c.suite, key, signature, 64, message, sizeof message);
                assert_int_equal(st, they_accept(&c, pkey, signature, message, sizeof message)
                                         ? FM_OK
                                         : FM_E_AUTH);
                if (variant == 0)
                    assert_int_equal(st, FM_OK);
                *(st == FM_OK ? &accepted : &refused) += 1;
            }
            EVP_PKEY_free(pkey);
            did_secret_free(secret);
        }
    print_message("%zu accepted, %zu refused, as OpenSSL does\n", accepted, refused);
    assert_true(accepted >= 16 && refused >= 16);
}

/* ---- keys ---- */

/* Keys that are no points, or are written otherwise than they must be; and every one that OpenSSL
 * takes in the compressed form, we take. */
static void only_canonical_points(void **state)
{
    size_t on = 0, off = 0;

    (void)state;
    for (size_t which = 0; which < 2; which++) {
        struct base_err err = {0};
        struct did_key out;
        struct curve c;
        uint8_t key[33] = {2};
        curve_of(&c, which);
        for (uint8_t x = 0; x < 64; x++) {
            EVP_PKEY *pkey;
            fm_status st;
            key[32] = x;
            pkey = their_key(&c, key);
            st = did_key_make(&out, c.suite, key, 33, DID_RULES_VERSION, &err);
            assert_int_equal(st, pkey != NULL ? FM_OK : FM_E_AUTH);
            *(st == FM_OK ? &on : &off) += 1;
            EVP_PKEY_free(pkey);
        }
        memset(key + 1, 0xff, 32); /* x above p */
        tools_expect(did_key_make(&out, c.suite, key, 33, DID_RULES_VERSION, &err), FM_E_AUTH, &err,
                     "not canonically encoded");
        for (unsigned first = 0; first < 256; first++) {
            memset(key, 0, sizeof key);
            key[0] = (uint8_t)first;
            if (first != 2 && first != 3)
                assert_int_equal(did_key_make(&out, c.suite, key, 33, DID_RULES_VERSION, &err),
                                 FM_E_AUTH);
        }
    }
    assert_true(on > 32 && off > 32);
}

static void secrets_have_a_range(void **state)
{
    (void)state;
    for (size_t which = 0; which < 2; which++) {
        struct base_err err = {0};
        struct did_secret *secret;
        struct curve c;
        uint8_t order[32], bytes[32] = {0};
        curve_of(&c, which);
        assert_int_equal(unhex(order, 32, c.order), 32);
        assert_int_equal(did_secret_import(&secret, c.suite, bytes, 32, &err), FM_E_INPUT);
        bytes[31] = 1;
        assert_int_equal(did_secret_import(&secret, c.suite, bytes, 32, &err), FM_OK);
        did_secret_free(secret);
        for (uint8_t below = 0; below < 3; below++) { /* n, n - 1, n - 2 */
            memcpy(bytes, order, 32);
            bytes[31] = (uint8_t)(bytes[31] - below);
            assert_int_equal(did_secret_import(&secret, c.suite, bytes, 32, &err),
                             below == 2 ? FM_OK : FM_E_INPUT);
            did_secret_free(secret);
        }
    }
}

/* ---- in the product's own clothes ---- */

/* A document signed with each suite verifies; not with a bit of it changed, not with another
 * suite's name in the proof, and not under rules that do not have the suite. */
static void documents(void **state)
{
    const struct did_suite *const suites[3] = {did_suite_ed25519(), did_suite_p256(),
                                               did_suite_sm2()};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        json_t *object = json_pack("{s:s, s:i}", "name", "x", "n", 7), *proof;
        char method[DID_KEY_METHOD_TEXT];
        struct tools_random rnd;
        struct base_err err = {0};
        struct did_secret *secret;
        struct did_proof found;
        tools_random_init(&rnd, 5);
        assert_int_equal(did_secret_generate(&secret, suites[i], &rnd.random, &err), FM_OK);
        assert_int_equal(did_key_method_encode(method, did_secret_key(secret), &err), FM_OK);
        assert_int_equal(
            did_proof_add(object, secret, method, DID_ROLE_ASSERTION, TOOLS_WHEN, &err), FM_OK);
        proof = json_object_get(object, "proof");
        assert_string_equal(member(proof, "cryptosuite"), suites[i]->cryptosuite);
        assert_int_equal(did_proof_verify(&found, object, DID_ROLE_ASSERTION, 2, &by_did_key, &err),
                         FM_OK);
        tools_expect(did_proof_verify(&found, object, DID_ROLE_ASSERTION, 1, &by_did_key, &err),
                     i == 0 ? FM_OK : FM_E_INPUT, &err,
                     i == 0 ? "" : "is a key of a suite that is not known here (known: ed25519)");
        json_object_set_new(proof, "cryptosuite", json_string(suites[(i + 1) % 3]->cryptosuite));
        assert_int_equal(did_proof_verify(&found, object, DID_ROLE_ASSERTION, 2, &by_did_key, &err),
                         FM_E_AUTH);
        json_object_set_new(proof, "cryptosuite", json_string(suites[i]->cryptosuite));
        json_object_set_new(object, "n", json_integer(8));
        assert_int_equal(did_proof_verify(&found, object, DID_ROLE_ASSERTION, 2, &by_did_key, &err),
                         FM_E_AUTH);
        did_secret_free(secret);
        json_decref(object);
    }
}

/* Against OpenSSL's own, at both ends, around powers of two and at random. */
static void inverses(void **state)
{
    struct did_curve curves[2] = {{.suite = "p256", .group_name = "prime256v1"},
                                  {.suite = "sm2", .group_name = "SM2"}};
    BIGNUM *a = BN_new(), *ours = BN_new(), *theirs = BN_new();
    BN_CTX *ctx = BN_CTX_new();
    struct base_err err = {0};
    struct tools_random r;

    (void)state;
    tools_random_init(&r, 11);
    for (unsigned c = 0; c < 2; c++) {
        assert_true(did_curve_open(&curves[c]));
        for (int i = 0; i < 2100; i++) {
            uint8_t bytes[32];
            assert_int_equal(base_random_fill(&r.random, bytes, 32, &err), FM_OK);
            assert_non_null(BN_bin2bn(bytes, 32, a));
            if (i < 1536) { /* 2^k - 1, 2^k, 2^k + 1, and the same below the order */
                BN_zero(a);
                assert_int_equal(BN_set_bit(a, i / 6), 1);
                assert_int_equal(i % 3 == 0 ? BN_sub_word(a, 1) : BN_add_word(a, i % 3 == 2), 1);
                if (i % 6 > 2)
                    assert_int_equal(BN_sub(a, curves[c].order, a), 1);
            }
            assert_int_equal(BN_nnmod(a, a, curves[c].order, ctx), 1);
            if (BN_is_zero(a))
                continue;
            assert_non_null(BN_mod_inverse(theirs, a, curves[c].order, ctx));
            assert_int_equal(did_curve_invert_var(ours, &curves[c], a, &err), FM_OK);
            assert_int_equal(BN_cmp(ours, theirs), 0);
        }
        EC_GROUP_free((EC_GROUP *)(uintptr_t)curves[c].group);
    }
    BN_free(a);
    BN_free(ours);
    BN_free(theirs);
    BN_CTX_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wycheproof_p256),
        cmocka_unit_test(standard_sm2),
        cmocka_unit_test(w3c_p256),
        cmocka_unit_test(one_verdict),
        cmocka_unit_test(only_canonical_points),
        cmocka_unit_test(secrets_have_a_range),
        cmocka_unit_test(documents),
        cmocka_unit_test(inverses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
