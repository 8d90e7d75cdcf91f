/* Signatures and agreements on keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/bytes.h"
#include "did/sm2_own.h"
#include "did/test_tools.h"
#include "mpc/curve/curve.h"
#include "tests/vectors/vectors.h"

enum { MOST = 5000 };
static size_t ran, not_ours; /* of the file under way */

static void run(const char *file, void (*one)(const json_t *group, const json_t *test))
{
    json_t *all = tools_vectors(file);

    ran = not_ours = 0;
    vectors_each(all, one);
    print_message("%s: %zu cases, and %zu of a form that we do not have\n", file, ran, not_ours);
    json_decref(all);
}

static const char *result_of(const json_t *test)
{
    return vectors_text(test, "result");
}

static long long id_of(const json_t *test)
{
    return json_integer_value(json_object_get(test, "tcId"));
}

/* ---- Diffie-Hellman ---- */

/* mpc/curve multiplies points for private set intersection; it reads the compressed form alone. A
 * point that is given as x and y is taken by its x, so only valid ones can be. */
static void ecdh(const json_t *group, const json_t *test)
{
    static const uint8_t named[21] = {0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce,
                                      0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
                                      0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03};
    uint8_t der[MOST], point[33], digits[MOST], want[32], x32[32];
    size_t len = vectors_hex(der, MOST, test, "public"), n;
    struct mpc_curve_point p, z;
    struct base_err err = {0};
    uint64_t scalar[4];
    bool compressed = len == 59, valid = strcmp(result_of(test), "invalid") != 0;

    (void)group;
    if ((len != 91 && !compressed) || memcmp(der + 3, named, 21) != 0 ||
        (!compressed && (!valid || der[26] != 4))) {
        not_ours++;
        return;
    }
    point[0] = compressed ? der[26] : (uint8_t)(2 + (der[90] & 1));
    memcpy(point + 1, der + 27, 32);
    ran++;
    if (mpc_curve_get(&p, point, mpc_curve_p256()) != valid)
        fail_msg("tcId %lld: a point is judged otherwise", id_of(test));
    if (!valid)
        return;
    n = vectors_hex(digits, sizeof digits, test, "private");
    for (size_t i = 32; i < n; i++)
        assert_int_equal(digits[n - 1 - i], 0);
    for (size_t i = 0; i < 4; i++)
        scalar[i] = 0;
    for (size_t i = 0; i < n && i < 32; i++) /* least significant byte first */
        scalar[i / 8] |= (uint64_t)digits[n - 1 - i] << 8 * (i % 8);
    assert_int_equal(mpc_curve_sum(&z, scalar, &p, 1, mpc_curve_p256(), &err), FM_OK);
    assert_true(mpc_curve_x(x32, &z, mpc_curve_p256()));
    assert_int_equal(vectors_hex(want, 32, test, "shared"), 32);
    if (memcmp(x32, want, 32) != 0)
        fail_msg("tcId %lld: another point", id_of(test));
}

void vectors_ecdh_p256(const char *file)
{
    run(file, ecdh);
    assert_true(ran > 300);
}

/* Channels agree on keys with X25519 inside OpenSSL's TLS: its libcrypto, as TLS calls it. */
static void x25519(const json_t *group, const json_t *test)
{
    uint8_t theirs[32], own[32], want[32], out[32] = {0};
    size_t len = 32;
    EVP_PKEY *ours, *peer;
    EVP_PKEY_CTX *ctx;
    bool zero = true, agreed;

    (void)group;
    assert_int_equal(vectors_hex(theirs, 32, test, "public"), 32);
    assert_int_equal(vectors_hex(own, 32, test, "private"), 32);
    assert_int_equal(vectors_hex(want, 32, test, "shared"), 32);
    for (size_t i = 0; i < 32; i++)
        zero = zero && want[i] == 0;
    ours = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, own, 32);
    peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, NULL, theirs, 32);
    ctx = EVP_PKEY_CTX_new(ours, NULL);
    assert_true(ours != NULL && peer != NULL && ctx != NULL);
    agreed = EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
             EVP_PKEY_derive(ctx, out, &len) == 1;
    ran++;
    if (agreed == zero) /* RFC 8446, 7.4.2: all zeros are refused */
        fail_msg("tcId %lld: %s", id_of(test), agreed ? "agreed on zeros" : "refused");
    if (agreed && memcmp(out, want, 32) != 0)
        fail_msg("tcId %lld: another secret", id_of(test));
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(ours);
    EVP_PKEY_free(peer);
}

void vectors_x25519(const char *file)
{
    run(file, x25519);
    assert_int_equal(not_ours, 0);
}

/* ---- ECDSA in DER, which is never ours ---- */

/* r || s of a DER signature; false if it is none, or does not fit. */
static bool plain_of(uint8_t out64[64], const uint8_t *der, size_t len)
{
    const uint8_t *at = der;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &at, (long)len);
    uint8_t *again = NULL;
    int again_len = pair == NULL ? -1 : i2d_ECDSA_SIG(pair, &again);
    bool ok = again_len == (int)len && memcmp(again, der, len) == 0 &&
              !BN_is_negative(ECDSA_SIG_get0_r(pair)) && !BN_is_negative(ECDSA_SIG_get0_s(pair)) &&
              BN_bn2binpad(ECDSA_SIG_get0_r(pair), out64, 32) == 32 &&
              BN_bn2binpad(ECDSA_SIG_get0_s(pair), out64 + 32, 32) == 32;

    OPENSSL_free(again);
    ECDSA_SIG_free(pair);
    return ok;
}

/* The DER itself is refused, for its length (one of 64 bytes, for what it says); what it holds,
 * written as ours, is judged as the file says. */
static void ecdsa(const json_t *group, const json_t *test)
{
    uint8_t point[65], compressed[33], der[MOST], message[MOST], plain[64];
    size_t der_len = vectors_hex(der, MOST, test, "sig");
    size_t len = vectors_hex(message, MOST, test, "msg");
    struct base_err err = {0};
    struct did_key key;
    fm_status st;

    assert_int_equal(vectors_hex(point, 65, json_object_get(group, "publicKey"), "uncompressed"),
                     65);
    compressed[0] = (uint8_t)(2 + (point[64] & 1));
    memcpy(compressed + 1, point + 1, 32);
    assert_int_equal(did_key_make(&key, did_suite_p256(), compressed, 33, DID_RULES_VERSION, &err),
                     FM_OK);
    st = did_key_verify(&key, DID_RULES_VERSION, der, der_len, message, len, &err);
    tools_expect(st, FM_E_AUTH, &err, der_len == 64 ? "p256: the signature" : "bytes, not 64");
    if (!plain_of(plain, der, der_len)) {
        assert_string_equal(result_of(test), "invalid");
        not_ours++;
        return;
    }
    ran++;
    st = did_key_verify(&key, DID_RULES_VERSION, plain, 64, message, len, &err);
    if (st != (strcmp(result_of(test), "valid") == 0 ? FM_OK : FM_E_AUTH))
        fail_msg("tcId %lld: %s", id_of(test), fm_status_name(st));
}

void vectors_ecdsa_der(const char *file)
{
    run(file, ecdsa);
    assert_true(ran > 240);
}

/* ---- SM2 ---- */

static BIGNUM *number(const char *hex)
{
    BIGNUM *n = NULL;

    assert_true(BN_hex2bn(&n, hex) > 0);
    return n;
}

static BIGNUM *member(const json_t *object, const char *name)
{
    return number(vectors_text(object, name));
}

static EC_GROUP *group_of(const json_t *params)
{
    static const char *const names[] = {"p", "a", "b", "gx", "gy", "n"};
    BIGNUM *v[6];
    EC_GROUP *group;
    EC_POINT *g;

    for (size_t i = 0; i < 6; i++)
        v[i] = member(params, names[i]);
    group = EC_GROUP_new_curve_GFp(v[0], v[1], v[2], NULL);
    g = EC_POINT_new(group);
    assert_int_equal(EC_POINT_set_affine_coordinates(group, g, v[3], v[4], NULL), 1);
    assert_int_equal(EC_GROUP_set_generator(group, g, v[5], BN_value_one()), 1);
    EC_POINT_free(g);
    for (size_t i = 0; i < 6; i++)
        BN_free(v[i]);
    return group;
}

static void same(const uint8_t *bytes, const json_t *example, const char *name)
{
    uint8_t want[32];

    assert_int_equal(vectors_hex(want, 32, example, name), 32);
    assert_memory_equal(bytes, want, 32);
}

/* An example of the standard: ZA, e, and the signature, which another message does not have. */
static void sm2_example(const json_t *example)
{
    const char *message = vectors_text(example, "message");
    struct did_curve curve = {.suite = "sm2",
                              .group = group_of(json_object_get(example, "params"))};
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *x = member(example, "public_x"), *y = member(example, "public_y");
    BIGNUM *r = member(example, "r"), *s = member(example, "s"), *e = BN_new();
    EC_POINT *q = EC_POINT_new(curve.group);
    struct did_sm2_prefix prefix;
    struct base_err err = {0};
    uint8_t z[32], hash[32];

    BN_CTX_start(ctx);
    curve.order = EC_GROUP_get0_order(curve.group);
    curve.prime = EC_GROUP_get0_field(curve.group);
    assert_int_equal(EC_POINT_set_affine_coordinates(curve.group, q, x, y, ctx), 1);
    assert_true(did_sm2_prefix(&prefix, &curve, vectors_text(example, "id")));
    assert_int_equal(did_sm2_hash(z, hash, &curve, &prefix, q, message, strlen(message), ctx, &err),
                     FM_OK);
    same(z, example, "ZA");
    same(hash, example, "e");
    assert_non_null(BN_bin2bn(hash, 32, e));
    assert_int_equal(did_sm2_check(&curve, q, e, r, s, ctx, &err), FM_OK);
    assert_int_equal(BN_add_word(e, 1), 1);
    tools_expect(did_sm2_check(&curve, q, e, r, s, ctx, &err), FM_E_AUTH, &err, "does not match");
    assert_int_equal(BN_sub(s, curve.order, r), 1);
    tools_expect(did_sm2_check(&curve, q, e, r, s, ctx, &err), FM_E_AUTH, &err, "r + s is zero");
    BN_CTX_end(ctx);
    BN_CTX_free(ctx);
    EC_POINT_free(q);
    EC_GROUP_free((EC_GROUP *)(uintptr_t)curve.group);
    BN_free(x);
    BN_free(y);
    BN_free(r);
    BN_free(s);
    BN_free(e);
}

static void sm2_any(const json_t *group, const json_t *test)
{
    (void)group;
    if (strcmp(vectors_text(test, "kind"), "sign") != 0) {
        not_ours++; /* SM2 encryption */
        return;
    }
    sm2_example(test);
    ran++;
}

void vectors_sm2_standard(const char *file)
{
    run(file, sm2_any);
    assert_int_equal(ran, 2);
}

/* "Verify = KEY" with a digest for e: what did_sm2_check() takes. */
static void sm2_verify(const char *group, const EC_POINT *key, const struct did_curve *curve)
{
    char *input = vectors_evp_value(group, "Input"), *output = vectors_evp_value(group, "Output");
    uint8_t der[MOST], plain[64];
    BIGNUM *e = number(input), *r, *s;
    BN_CTX *ctx = BN_CTX_new();
    struct base_err err = {0};

    assert_true(plain_of(plain, der, vectors_unhex(der, MOST, output)));
    r = BN_bin2bn(plain, 32, NULL);
    s = BN_bin2bn(plain + 32, 32, NULL);
    BN_CTX_start(ctx);
    assert_int_equal(did_sm2_check(curve, key, e, r, s, ctx, &err), FM_OK);
    assert_int_equal(BN_add_word(r, 1), 1);
    assert_int_equal(did_sm2_check(curve, key, e, r, s, ctx, &err), FM_E_AUTH);
    BN_CTX_end(ctx);
    BN_CTX_free(ctx);
    BN_free(e);
    BN_free(r);
    BN_free(s);
    free(input);
    free(output);
    ran++;
}

void vectors_evp_sm2(const char *file)
{
    char *text = tools_text(file), *group;
    const char *at = text;
    BIO *pem = BIO_new_mem_buf(strstr(text, "-----BEGIN PRIVATE KEY-----"), -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(pem, NULL, NULL, NULL);
    struct did_curve curve = {.suite = "sm2", .key_type = "SM2", .group_name = "SM2"};
    BIGNUM *x = NULL, *y = NULL;
    EC_POINT *q;

    ran = not_ours = 0;
    assert_non_null(key);
    assert_true(did_curve_open(&curve));
    q = EC_POINT_new(curve.group);
    assert_true(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
                EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1 &&
                EC_POINT_set_affine_coordinates(curve.group, q, x, y, NULL) == 1);
    while ((group = vectors_evp_next(&at, "Input")) != NULL) {
        char *verify = vectors_evp_value(group, "Verify");
        char *digest = vectors_evp_value(group, "Ctrl");
        if (verify != NULL && strcmp(digest, "digest:SM3") == 0)
            sm2_verify(group, q, &curve);
        else
            not_ours++; /* encryption, and what OpenSSL's interface refuses */
        free(verify);
        free(digest);
        free(group);
    }
    print_message("%s: %zu cases, and %zu of a form that we do not have\n", file, ran, not_ours);
    assert_int_equal(ran, 2);
    EC_POINT_free(q);
    BN_free(x);
    BN_free(y);
    EC_GROUP_free((EC_GROUP *)(uintptr_t)curve.group);
    EVP_PKEY_free(key);
    BIO_free(pem);
    free(text);
}
