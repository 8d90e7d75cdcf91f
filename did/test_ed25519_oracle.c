/* The rule of suite.h, for which the suite asks libsodium, beside the same rule put together
 * otherwise: encodings and orders by arithmetic (BN, and points added up), the equation by OpenSSL.
 * Both must give one verdict on every key and signature here: all points of small order and all
 * encodings that are not canonical, as A and as R, with S at every edge; signatures over points of
 * mixed order, which libraries are known to disagree about; Wycheproof's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <sodium.h>

#include "base/bytes.h"
#include "did/suite.h"
#include "did/test_tools.h"

#define L_HEX "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed"
#define P_HEX "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed"
#define P_LESS_24_HEX "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffd5"
#define ORDER_8 "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"

static size_t accepted, refused;

/* ---- the same rule once more ---- */

/* Little-endian; the top bit is dropped where it is a sign. */
static bool is_below(const uint8_t le[32], const char *bound_hex, bool has_sign)
{
    BIGNUM *bound = NULL, *n;
    uint8_t bytes[32];
    bool yes;

    memcpy(bytes, le, 32);
    if (has_sign)
        bytes[31] &= 0x7f;
    n = BN_lebin2bn(bytes, 32, NULL);
    assert_true(n != NULL && BN_hex2bn(&bound, bound_hex) > 0);
    yes = BN_cmp(n, bound) < 0;
    BN_free(n);
    BN_free(bound);
    return yes;
}

/* Doubled three times a point of small order is the neutral one, (0, 1). */
static bool is_small(const uint8_t point[32])
{
    static const uint8_t neutral[32] = {1};
    uint8_t sum[32];

    memcpy(sum, point, 32);
    for (int i = 0; i < 3; i++)
        if (crypto_core_ed25519_add(sum, sum, sum) != 0)
            return false; /* no point at all: the equation's matter */
    return memcmp(sum, neutral, 32) == 0;
}

static bool openssl_holds(const uint8_t key[32], const uint8_t signature[64], const void *message,
                          size_t len)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, 32);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool yes;

    assert_true(pkey != NULL && ctx != NULL);
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey), 1);
    yes = EVP_DigestVerify(ctx, signature, 64, message, len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return yes;
}

static bool oracle(const uint8_t key[32], const uint8_t signature[64], const void *message,
                   size_t len)
{
    return is_below(key, P_HEX, true) && is_below(signature, P_HEX, true) && !is_small(key) &&
           !is_small(signature) && is_below(signature + 32, L_HEX, false) &&
           openssl_holds(key, signature, message, len);
}

/* Both verdicts, which must be one; returns it. */
static bool agree(const uint8_t key[32], const uint8_t signature[64], const void *message,
                  size_t len)
{
    struct base_err err = {0};
    struct did_key k;
    fm_status st = did_key_make(&k, did_suite_ed25519(), key, 32, DID_RULES_VERSION, &err);
    bool expected = oracle(key, signature, message, len);

    if (st == FM_OK)
        st = did_key_verify(&k, DID_RULES_VERSION, signature, 64, message, len, &err);
    if (st != (expected ? FM_OK : FM_E_AUTH)) {
        char text[2][129];
        base_hex(text[0], key, 32);
        base_hex(text[1], signature, 64);
        fail_msg("key %s, signature %s: %s", text[0], text[1], fm_status_name(st));
    }
    accepted += expected;
    refused += !expected;
    return expected;
}

/* ---- encodings ---- */

/* y = base + i, little-endian, with that sign of x. */
static void encode(uint8_t out[32], const char *base_hex_be, unsigned i, unsigned sign)
{
    BIGNUM *n = NULL;

    assert_true(BN_hex2bn(&n, base_hex_be) > 0 && BN_add_word(n, i));
    assert_int_equal(BN_bn2lebinpad(n, out, 32), 32);
    out[31] = (uint8_t)((out[31] & 0x7f) | sign << 7);
    BN_free(n);
}

/* The eight points of small order, as multiples of one of order 8. */
static void torsion(uint8_t out[8][32])
{
    assert_true(base_unhex(out[1], 32, ORDER_8, 64));
    for (int i = 2; i <= 8; i++)
        assert_int_equal(crypto_core_ed25519_add(out[i % 8], out[i - 1], out[1]), 0);
}

enum { SPECIALS = 8 + 2 * 19 + 2 * 24 + 2 * 24 };

/* Points of small order; every y that is not canonical; the y nearest to both ends, with points
 * and without. */
static void specials(uint8_t out[SPECIALS][32])
{
    size_t n = 8;

    torsion(out);
    for (unsigned i = 0; i < 19; i++)
        for (unsigned sign = 0; sign < 2; sign++)
            encode(out[n++], P_HEX, i, sign);
    for (unsigned i = 0; i < 24; i++)
        for (unsigned sign = 0; sign < 2; sign++)
            encode(out[n++], "00", i, sign);
    for (unsigned i = 0; i < 24; i++)
        for (unsigned sign = 0; sign < 2; sign++)
            encode(out[n++], P_LESS_24_HEX, i, sign);
    assert_int_equal(n, SPECIALS);
}

/* S, and S beside every edge that a check can have. */
enum { EDGES = 10 };

static void edges(uint8_t out[EDGES][32], const uint8_t s[32])
{
    BIGNUM *l = NULL, *n = BN_lebin2bn(s, 32, NULL);

    assert_true(BN_hex2bn(&l, L_HEX) > 0 && n != NULL && BN_add(n, n, l));
    memset(out, 0, 32 * (size_t)EDGES);
    memcpy(out[0], s, 32);
    assert_int_equal(BN_bn2lebinpad(n, out[1], 32), 32); /* S + L */
    assert_int_equal(BN_bn2lebinpad(l, out[2], 32), 32);
    assert_true(BN_sub_word(l, 1));
    assert_int_equal(BN_bn2lebinpad(l, out[3], 32), 32);
    assert_true(BN_add_word(l, 2));
    assert_int_equal(BN_bn2lebinpad(l, out[4], 32), 32);
    out[5][0] = 1;
    memset(out[6], 0xff, 32);
    for (size_t i = 7; i < 9; i++) { /* S with a bit above 2^252, which lax checks let pass */
        memcpy(out[i], s, 32);
        out[i][31] |= (uint8_t)(0x20 << (i - 7));
    }
    BN_free(l);
    BN_free(n);
} /* out[9]: zero */

static void special_points_and_edges(void **state)
{
    static const char message[] = "special";
    static uint8_t special[SPECIALS][32];
    uint8_t s[EDGES][32], signature[64], key[32];
    struct base_err err = {0};
    struct did_secret *secret;
    struct tools_random rnd;

    (void)state;
    accepted = refused = 0;
    tools_random_init(&rnd, 25519);
    secret = tools_secret(&rnd);
    specials(special);
    memcpy(key, did_secret_key(secret)->bytes, 32);
    assert_int_equal(did_secret_sign(secret, signature, message, 7, &err), FM_OK);
    edges(s, signature + 32);
    for (size_t a = 0; a <= SPECIALS; a++)
        for (size_t r = 0; r <= SPECIALS; r++)
            for (size_t i = 0; i < (a == SPECIALS || r == SPECIALS || a == r ? EDGES : 1U); i++) {
                uint8_t bytes[64];
                memcpy(bytes, r < SPECIALS ? special[r] : signature, 32);
                memcpy(bytes + 32, s[i], 32);
                (void)agree(a < SPECIALS ? special[a] : key, bytes, message, 7);
            }
    assert_int_equal(accepted, 1); /* the one that was signed */
    did_secret_free(secret);
}

/* ---- mixed order ---- */

static void scalar_of_hash(uint8_t out[32], const uint8_t r[32], const uint8_t a[32],
                           const void *message, size_t len)
{
    crypto_hash_sha512_state h;
    uint8_t wide[64];

    (void)crypto_hash_sha512_init(&h);
    (void)crypto_hash_sha512_update(&h, r, 32);
    (void)crypto_hash_sha512_update(&h, a, 32);
    (void)crypto_hash_sha512_update(&h, message, len);
    (void)crypto_hash_sha512_final(&h, wide);
    crypto_core_ed25519_scalar_reduce(out, wide);
}

/* A = aB + iT, R = rB + jT, S = r + ka: right under the cofactored equation always, and under ours
 * where k i + j is a multiple of 8. (k as an integer, reduced mod L: OpenSSL and libsodium alike.)
 */
static void points_of_mixed_order(void **state)
{
    uint8_t t[8][32], seed[64], a[32], r[32], k[32], key[32], signature[64];
    struct tools_random rnd;
    struct base_err err = {0};
    size_t right = 0, all = 0;

    (void)state;
    torsion(t);
    tools_random_init(&rnd, 8);
    for (unsigned round = 0; round < 4; round++)
        for (unsigned i = 0; i < 8; i++)
            for (unsigned j = 0; j < 8; j++) {
                bool expected, is_right;
                assert_int_equal(rnd.random.fill(rnd.random.ctx, seed, 64, &err), FM_OK);
                crypto_core_ed25519_scalar_reduce(a, seed);
                assert_int_equal(rnd.random.fill(rnd.random.ctx, seed, 64, &err), FM_OK);
                crypto_core_ed25519_scalar_reduce(r, seed);
                assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(key, a), 0);
                assert_int_equal(crypto_core_ed25519_add(key, key, t[i]), 0);
                assert_int_equal(crypto_scalarmult_ed25519_base_noclamp(signature, r), 0);
                assert_int_equal(crypto_core_ed25519_add(signature, signature, t[j]), 0);
                scalar_of_hash(k, signature, key, "mixed", 5);
                crypto_core_ed25519_scalar_mul(signature + 32, k, a);
                crypto_core_ed25519_scalar_add(signature + 32, signature + 32, r);
                expected = ((k[0] & 7U) * i + j) % 8 == 0;
                is_right = agree(key, signature, "mixed", 5);
                assert_int_equal(is_right, expected);
                right += is_right;
                all++;
            }
    assert_true(right > all / 16 && right < all / 2);
}

/* ---- Wycheproof ---- */

/* Each test's key and signature, and with each special point in the place of A or of R. */
static void wycheproof_and_specials(void **state)
{
    json_t *file = tools_vectors("wycheproof/ed25519_test.json"), *group, *test;
    static uint8_t special[SPECIALS][32];
    size_t i, j, n = 0;

    (void)state;
    specials(special);
    json_array_foreach(json_object_get(file, "testGroups"), i, group)
    {
        const char *pk =
            json_string_value(json_object_get(json_object_get(group, "publicKey"), "pk"));
        json_array_foreach(json_object_get(group, "tests"), j, test)
        {
            const char *msg = json_string_value(json_object_get(test, "msg"));
            const char *sig = json_string_value(json_object_get(test, "sig"));
            uint8_t key[32], signature[64], message[2048];
            size_t len = strlen(msg) / 2;
            if (strlen(sig) != 128)
                continue; /* the length is did_key_verify()'s own */
            assert_true(len <= sizeof message && base_unhex(key, 32, pk, 64) &&
                        base_unhex(signature, 64, sig, 128) &&
                        base_unhex(message, len, msg, 2 * len));
            assert_int_equal(agree(key, signature, message, len),
                             strcmp(json_string_value(json_object_get(test, "result")), "valid") ==
                                 0);
            (void)agree(special[n % SPECIALS], signature, message, len);
            memcpy(signature, special[n++ % SPECIALS], 32);
            (void)agree(key, signature, message, len);
        }
    }
    assert_true(n > 80);
    json_decref(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(special_points_and_edges),
        cmocka_unit_test(points_of_mixed_order),
        cmocka_unit_test(wycheproof_and_specials),
    };
    return sodium_init() < 0
               ? 1
               : cmocka_run_group_tests_name("ed25519, by two libraries", tests, NULL, NULL);
}
