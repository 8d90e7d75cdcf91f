#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <pthread.h>

#include "base/bytes.h"
#include "did/suite.h"
#include "did/test_tools.h"

/* Makes the key and checks the signature: either may refuse. */
static fm_status verify(const uint8_t *key, size_t key_len, const uint8_t *signature,
                        size_t signature_len, const void *message, size_t message_len,
                        struct base_err *err)
{
    struct did_key k;
    fm_status st = did_key_make(&k, did_suite_ed25519(), key, key_len, DID_RULES_VERSION, err);

    if (st != FM_OK)
        return st;
    return did_key_verify(&k, DID_RULES_VERSION, signature, signature_len, message, message_len,
                          err);
}

/* Hex of any length, for vectors. out has room for 2048 bytes. */
static size_t unhex(uint8_t *out, const char *text)
{
    size_t len = strlen(text) / 2;

    assert_true(len <= 2048);
    assert_true(base_unhex(out, len, text, strlen(text)));
    return len;
}

/* ---- another's oracle ---- */

static const char *member(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

#define L_HEX "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"
#define P_HEX "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
#define ZEROS_31 "00000000000000000000000000000000000000000000000000000000000000"
#define NO_MATCH "ed25519: the signature does not match key and message"
#define SMALL_R "ed25519: the signature's R is a point of small order"
#define LARGE_S "ed25519: the signature's S is not below the group order"

/* Each class of Wycheproof's, and which of our rules it breaks first. */
static const struct tools_reason reasons[] = {
    {"TruncatedSignature", "", "", TOOLS_LENGTH},
    {"SignatureWithGarbage", "", "", TOOLS_LENGTH},
    {"CompressedSignature", "", "", TOOLS_LENGTH},
    {"SignatureMalleability", "", "", LARGE_S},
    {"InvalidKtv", "S just above the bound", "", LARGE_S},
    {"InvalidEncoding", "R==0", "", SMALL_R},
    {"InvalidEncoding", "R encodes y = 1 with the sign bit", "", SMALL_R},
    {"InvalidEncoding", "invalid R", "ffffffff",
     "ed25519: the signature's R is not canonically encoded"},
    {"InvalidEncoding", "", "", NO_MATCH},
    {"InvalidSignature", "special values", "00" ZEROS_31, SMALL_R},
    {"InvalidSignature", "special values", "01" ZEROS_31, SMALL_R},
    {"InvalidSignature", "special values", P_HEX,
     "ed25519: the signature's R is not canonically encoded"},
    {"InvalidSignature", "special values", L_HEX L_HEX, LARGE_S},
    {"InvalidSignature", "special values", L_HEX P_HEX, LARGE_S},
    {"InvalidSignature", "special values", L_HEX, NO_MATCH},
};

static void wycheproof(void **state)
{
    json_t *file = tools_vectors("wycheproof/ed25519_test.json");
    json_t *group, *test;
    size_t i, j, count[2] = {0, 0};

    (void)state;
    json_array_foreach(json_object_get(file, "testGroups"), i, group)
    {
        uint8_t key[2048], message[2048], signature[2048];
        size_t key_len = unhex(key, member(json_object_get(group, "publicKey"), "pk"));
        json_array_foreach(json_object_get(group, "tests"), j, test)
        {
            struct base_err err = {0};
            size_t message_len = unhex(message, member(test, "msg"));
            size_t signature_len = unhex(signature, member(test, "sig"));
            int valid = strcmp(member(test, "result"), "valid") == 0;
            fm_status st =
                verify(key, key_len, signature, signature_len, message, message_len, &err);
            if (st != (valid ? FM_OK : FM_E_AUTH))
                fail_msg("tcId %lld: %s %s", json_integer_value(json_object_get(test, "tcId")),
                         fm_status_name(st), err.text);
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

/* The text after "name = " or "name=" on the first such line at or after *at, which moves past it.
 * NULL if a blank line comes first. */
static char *field(const char **at, const char *name)
{
    size_t len = strlen(name);

    for (const char *line = *at; *line != '\0' && *line != '\n'; line = strchr(line, '\n') + 1) {
        const char *p = line + len;
        if (strncmp(line, name, len) != 0)
            continue;
        p += strspn(p, " =");
        *at = strchr(p, '\n') + 1;
        return strndup(p, strcspn(p, "\n"));
    }
    return NULL;
}

/* The last 32 bytes of the DER in the PEM block that follows `label`. */
static void pem_tail(uint8_t out32[32], const char *text, const char *label)
{
    const char *at = strstr(text, label);
    struct base_buf der = {0};
    char line[128] = {0};
    size_t len;

    assert_non_null(at);
    at = strchr(strchr(at, '\n') + 1, '\n') + 1;
    len = strcspn(at, "=\n");
    assert_true(len < sizeof line);
    memcpy(line, at, len);
    for (char *c = line; *c != '\0'; c++)
        *c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c);
    assert_true(base_unbase64url(&der, line, len));
    assert_true(der.len > 32);
    memcpy(out32, der.p + der.len - 32, 32);
    base_buf_release(&der);
}

/* RFC 8032, section 7.1, in OpenSSL's copy. */
static void rfc8032(void **state)
{
    char *text = tools_text("openssl_evp/evppkey_ecx.txt");

    (void)state;
    for (char n = '1'; n <= '5'; n++) {
        char label[] = "Key=ED25519-?\n", public_label[] = "Key=ED25519-?-PUBLIC\n";
        char use[] = "Key = ED25519-?\nInput";
        uint8_t seed[32], public_key[32], message[2048], expected[2048], signature[64];
        struct did_secret *secret;
        struct base_err err = {0};
        const char *at;
        char *input, *output;
        size_t message_len;

        label[12] = public_label[12] = use[14] = n;
        pem_tail(seed, text, label);
        pem_tail(public_key, text, public_label);
        at = strstr(text, use);
        assert_non_null(at);
        input = field(&at, "Input");
        output = field(&at, "Output");
        assert_true(input != NULL && output != NULL);
        if (input[0] == '"') /* an empty message is written "" */
            input[0] = '\0';
        message_len = unhex(message, input);
        assert_int_equal(unhex(expected, output), 64);
        assert_int_equal(did_secret_import(&secret, did_suite_ed25519(), seed, 32, &err), FM_OK);
        assert_memory_equal(did_secret_key(secret)->bytes, public_key, 32);
        assert_int_equal(did_secret_sign(secret, signature, message, message_len, &err), FM_OK);
        assert_memory_equal(signature, expected, 64);
        assert_int_equal(verify(public_key, 32, signature, 64, message, message_len, &err), FM_OK);
        did_secret_free(secret);
        free(input);
        free(output);
    }
    free(text);
}

/* eprint 2020/1244, table 6: twelve signatures on which verifiers in the wild disagree. */
static const struct {
    const char *message, *key, *signature, *refusal; /* NULL: accepted */
} eddsa_cases[12] = {
    {"8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
     "0000000000000000000000000000000000000000000000000000000000000000",
     "public key is a point of small order"},
    {"9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"
     "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
     "public key is a point of small order"},
    {"aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"
     "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
     "R is a point of small order"},
    {"9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
     "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
     NULL},
    {"e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
     "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
     "does not match"},
    {"e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7"
     "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
     "does not match"},
    {"85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
     "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
     "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e"
     "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
     "not below the group order"},
    {"85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
     "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
     "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942"
     "7e71f98a4734e74f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c2",
     "not below the group order"},
    {"9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "03be9678ac102edcd92b0210bb34d7428d12ffc5df5f37e359941266a4e35f0f",
     "R is a point of small order"},
    {"9bedc267423725d473888631ebf45988bad3db83851ee85c85e241a07d148b41",
     "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "ca8c5b64cd208982aa38d4936621a4775aa233aa0505711d8fdcfdaa943d4908",
     "R is a point of small order"},
    {"e96b7021eb39c1a163b6da4e3093dcd3f21387da4cc4572be588fafae23c155b",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc"
     "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
     "public key is a point of small order"},
    {"39a591f5321bbe07fd5a23dc2f39d025d74526615746727ceefd6e82ae65c06f",
     "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
     "a9d55260f765261eb9b84e106f665e00b867287a761990d7135963ee0a7d59dc"
     "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
     "public key is a point of small order"},
};

static void taming_the_many_eddsas(void **state)
{
    (void)state;
    for (size_t i = 0; i < 12; i++) {
        uint8_t key[2048], message[2048], signature[2048];
        struct base_err err = {0};
        fm_status st;

        (void)unhex(key, eddsa_cases[i].key);
        (void)unhex(message, eddsa_cases[i].message);
        (void)unhex(signature, eddsa_cases[i].signature);
        st = verify(key, 32, signature, 64, message, 32, &err);
        if (st != (eddsa_cases[i].refusal == NULL ? FM_OK : FM_E_AUTH) ||
            (eddsa_cases[i].refusal != NULL && strstr(err.text, eddsa_cases[i].refusal) == NULL))
            fail_msg("case %zu: %s %s", i, fm_status_name(st), err.text);
    }
}

/* ---- encodings ---- */

/* d y^4 + 2 y^2 = 1 mod p, with d = -121665 / 121666. */
static int has_order_8(const BIGNUM *y, const BIGNUM *p, BN_CTX *ctx)
{
    BIGNUM *d = BN_new(), *y2 = BN_new(), *sum = BN_new(), *n = BN_new();
    int yes;

    assert_true(BN_set_word(n, 121666) && BN_mod_inverse(d, n, p, ctx) != NULL);
    assert_true(BN_mul_word(d, 121665) && BN_nnmod(d, d, p, ctx) && BN_sub(d, p, d));
    assert_true(BN_mod_sqr(y2, y, p, ctx) && BN_mod_sqr(sum, y2, p, ctx));
    assert_true(BN_mod_mul(sum, sum, d, p, ctx) && BN_mod_add(sum, sum, y2, p, ctx));
    assert_true(BN_mod_add(sum, sum, y2, p, ctx));
    yes = BN_is_one(sum);
    BN_free(d);
    BN_free(y2);
    BN_free(sum);
    BN_free(n);
    return yes;
}

/* Small order and non-canonical keys, found by arithmetic instead of from the table in ed25519.c:
 * every y below 32, and every y from p - 32 to 2^255 - 1, with both signs. */
static void only_sound_keys(void **state)
{
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *p = BN_new(), *y = BN_new();
    struct base_err err = {0};
    struct did_key key;

    (void)state;
    assert_true(BN_set_bit(p, 255) && BN_sub_word(p, 19));
    for (int i = -32; i < 32 + 19; i++)
        for (uint8_t sign = 0; sign < 2; sign++) {
            uint8_t bytes[32];
            int is_small, in_range;
            assert_true(i < 0 || i >= 32 ? BN_copy(y, p) != NULL : BN_set_word(y, 0));
            assert_true(i < 0 ? BN_sub_word(y, (BN_ULONG)-i)
                              : BN_add_word(y, (BN_ULONG)(i < 32 ? i : i - 32)));
            is_small = i == 0 || i == 1 || i == -1;
            in_range = i < 32;
            assert_int_equal(BN_bn2lebinpad(y, bytes, 32), 32);
            bytes[31] = (uint8_t)(bytes[31] | sign << 7);
            assert_int_equal(did_key_make(&key, did_suite_ed25519(), bytes, 32, 1, &err),
                             is_small || !in_range ? FM_E_AUTH : FM_OK);
        }
    for (int half = 0; half < 2; half++) {
        static const char y8[] = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a";
        uint8_t bytes[32];
        assert_int_equal(unhex(bytes, y8), 32);
        assert_non_null(BN_lebin2bn(bytes, 32, y));
        if (half == 1)
            assert_true(BN_sub(y, p, y));
        assert_true(has_order_8(y, p, ctx));
        assert_int_equal(BN_bn2lebinpad(y, bytes, 32), 32);
        assert_int_equal(did_key_make(&key, did_suite_ed25519(), bytes, 32, 1, &err), FM_E_AUTH);
        bytes[31] |= 0x80;
        assert_int_equal(did_key_make(&key, did_suite_ed25519(), bytes, 32, 1, &err), FM_E_AUTH);
    }
    BN_free(p);
    BN_free(y);
    BN_CTX_free(ctx);
}

/* ---- laws ---- */

/* sign, verify; then every single bit of key, signature and message flipped is refused. */
static void every_bit_counts(void **state)
{
    struct tools_random rnd;
    struct base_err err = {0};
    struct did_secret *secret;
    uint8_t key[32], signature[64], message[33];

    (void)state;
    tools_random_init(&rnd, 1);
    secret = tools_secret(&rnd);
    memcpy(key, did_secret_key(secret)->bytes, 32);
    memset(message, 0xa5, sizeof message);
    assert_int_equal(did_secret_sign(secret, signature, message, sizeof message, &err), FM_OK);
    assert_int_equal(verify(key, 32, signature, 64, message, sizeof message, &err), FM_OK);
    for (size_t bit = 0; bit < 8 * (32 + 64 + sizeof message); bit++) {
        uint8_t mask = (uint8_t)(1u << bit % 8);
        size_t at = bit / 8;
        uint8_t *byte = at < 32 ? &key[at] : at < 96 ? &signature[at - 32] : &message[at - 96];
        *byte ^= mask;
        assert_int_equal(verify(key, 32, signature, 64, message, sizeof message, &err), FM_E_AUTH);
        *byte ^= mask;
    }
    assert_int_equal(verify(key, 32, signature, 63, message, sizeof message, &err), FM_E_AUTH);
    assert_int_equal(verify(key, 31, signature, 64, message, sizeof message, &err), FM_E_AUTH);
    assert_string_equal(err.text, "ed25519 public key has 31 bytes, not 32");
    assert_int_equal(verify(key, 32, signature, 64, message, sizeof message - 1, &err), FM_E_AUTH);
    did_secret_free(secret);
}

static void unknown_rules_are_no_verdict(void **state)
{
    struct tools_random rnd;
    struct base_err err = {0};
    struct did_secret *secret;
    struct did_key key;
    uint8_t signature[64];

    (void)state;
    tools_random_init(&rnd, 2);
    secret = tools_secret(&rnd);
    assert_int_equal(did_secret_sign(secret, signature, "m", 1, &err), FM_OK);
    for (uint32_t rules = 0; rules < DID_RULES_VERSION + 3; rules++) {
        fm_status wanted = rules >= 1 && rules <= DID_RULES_VERSION ? FM_OK : FM_E_UNSUPPORTED;
        assert_int_equal(did_key_verify(did_secret_key(secret), rules, signature, 64, "m", 1, &err),
                         wanted);
        assert_int_equal(
            did_key_make(&key, did_suite_ed25519(), did_secret_key(secret)->bytes, 32, rules, &err),
            wanted);
    }
    did_secret_free(secret);
}

static fm_status no_randomness(void *ctx, void *out, size_t len, struct base_err *err)
{
    (void)ctx;
    (void)out;
    (void)len;
    return base_err_set(err, FM_E_IO, "the generator is broken");
}

static void keys_come_and_go(void **state)
{
    const struct base_random broken = {no_randomness, NULL};
    struct did_secret *secret, *copy;
    struct base_err err = {0};

    (void)state;
    assert_int_equal(did_secret_generate(&secret, did_suite_ed25519(), &broken, &err), FM_E_IO);
    assert_null(secret);
    assert_string_equal(err.text, "new ed25519 key: the generator is broken");
    assert_int_equal(did_secret_generate(&secret, did_suite_ed25519(), base_random_system(), &err),
                     FM_OK);
    assert_int_equal(
        did_secret_import(&copy, did_suite_ed25519(), did_secret_bytes(secret), 32, &err), FM_OK);
    assert_true(did_key_equal(did_secret_key(secret), did_secret_key(copy)));
    did_secret_free(copy);
    assert_int_equal(
        did_secret_import(&copy, did_suite_ed25519(), did_secret_bytes(secret), 31, &err),
        FM_E_INPUT);
    assert_null(copy);
    did_secret_free(secret);
    did_secret_free(NULL);
    assert_null(did_suite_by_name("rsa"));
    assert_ptr_equal(did_suite_by_name("ed25519"), did_suite_ed25519());
    assert_null(did_suite_by_multicodec((const uint8_t[2]){0xec, 0x01}));
    assert_ptr_equal(did_suite_by_multicodec((const uint8_t[2]){0xed, 0x01}), did_suite_ed25519());
}

/* One key, four threads: signatures are deterministic, so each must be the first one again. */
struct worker {
    const struct did_secret *secret;
    const uint8_t *expected;
    bool right;
};

static void *work(void *arg)
{
    struct worker *w = arg;
    struct base_err err = {0};
    uint8_t signature[64];

    w->right = true;
    for (int i = 0; i < 100; i++)
        w->right = w->right && did_secret_sign(w->secret, signature, "m", 1, &err) == FM_OK &&
                   memcmp(signature, w->expected, 64) == 0 &&
                   did_key_verify(did_secret_key(w->secret), DID_RULES_VERSION, signature, 64, "m",
                                  1, &err) == FM_OK;
    return NULL;
}

static void threads_share_a_key(void **state)
{
    struct tools_random rnd;
    struct base_err err = {0};
    struct did_secret *secret;
    struct worker workers[4];
    pthread_t threads[4];
    uint8_t expected[64];

    (void)state;
    tools_random_init(&rnd, 4);
    secret = tools_secret(&rnd);
    assert_int_equal(did_secret_sign(secret, expected, "m", 1, &err), FM_OK);
    for (size_t i = 0; i < 4; i++) {
        workers[i] = (struct worker){secret, expected, false};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(workers[i].right);
    }
    did_secret_free(secret);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wycheproof),
        cmocka_unit_test(rfc8032),
        cmocka_unit_test(taming_the_many_eddsas),
        cmocka_unit_test(only_sound_keys),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(unknown_rules_are_no_verdict),
        cmocka_unit_test(keys_come_and_go),
        cmocka_unit_test(threads_share_a_key),
    };
    return cmocka_run_group_tests_name("did suite", tests, NULL, NULL);
}
