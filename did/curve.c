#include "did/curve.h"

#include <gmp.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <string.h>

/* An ECDSA or SM2 signature in DER: two integers of at most 33 bytes and 6 bytes around them. */
#define DER_MAX 72

bool did_curve_open(struct did_curve *curve)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(OBJ_sn2nid(curve->group_name));

    /* Both live as long as the process. */
    curve->group = group;
    curve->order = group == NULL ? NULL : EC_GROUP_get0_order(group);
    curve->prime = group == NULL ? NULL : EC_GROUP_get0_field(group);
    return curve->order != NULL && curve->prime != NULL;
}

/* ---- encodings ---- */

static bool ran_out_of_memory(void)
{
    return ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE;
}

static fm_status decompress(EC_POINT *point, const struct did_curve *curve,
                            const uint8_t key[DID_CURVE_KEY], const BIGNUM *x, struct base_err *err)
{
    if ((key[0] != 2 && key[0] != 3) || BN_cmp(x, curve->prime) >= 0)
        return base_err_set(err, FM_E_AUTH, "%s: the public key is not canonically encoded",
                            curve->suite);
    if (EC_POINT_oct2point(curve->group, point, key, DID_CURVE_KEY, NULL) == 1)
        return FM_OK;
    return ran_out_of_memory()
               ? base_err_memory(err, "public key")
               : base_err_set(err, FM_E_AUTH, "%s: the public key is not on the curve",
                              curve->suite);
}

fm_status did_curve_decompress(uint8_t y[DID_KEY_AID], const struct did_curve *curve,
                               const uint8_t key[DID_CURVE_KEY], struct base_err *err)
{
    EC_POINT *point = EC_POINT_new(curve->group);
    BIGNUM *x = BN_bin2bn(key + 1, DID_CURVE_SCALAR, NULL), *n = BN_new();
    fm_status st;

    (void)ERR_set_mark();
    if (point == NULL || x == NULL || n == NULL)
        st = base_err_memory(err, "public key");
    else
        st = decompress(point, curve, key, x, err);
    if (st == FM_OK && (EC_POINT_get_affine_coordinates(curve->group, point, NULL, n, NULL) != 1 ||
                        BN_bn2binpad(n, y, DID_KEY_AID) != DID_KEY_AID))
        st = base_err_memory(err, "public key");
    (void)ERR_pop_to_mark();
    EC_POINT_free(point);
    BN_free(x);
    BN_free(n);
    return st;
}

fm_status did_curve_point(EC_POINT **out, const struct did_curve *curve, const struct did_key *key,
                          BN_CTX *ctx, struct base_err *err)
{
    EC_POINT *point = EC_POINT_new(curve->group);
    BIGNUM *x = BN_bin2bn(key->bytes + 1, DID_CURVE_SCALAR, NULL);
    BIGNUM *y = BN_bin2bn(key->aid, DID_KEY_AID, NULL);
    bool ok;

    (void)ERR_set_mark();
    /* It also looks whether the point is on the curve, as it is: the key was made. */
    ok = point != NULL && x != NULL && y != NULL &&
         EC_POINT_set_affine_coordinates(curve->group, point, x, y, ctx) == 1;
    (void)ERR_pop_to_mark();
    BN_free(x);
    BN_free(y);
    if (!ok) {
        EC_POINT_free(point);
        point = NULL;
    }
    *out = point;
    return ok ? FM_OK : base_err_memory(err, "public key");
}

static bool in_range(const BIGNUM *n, const struct did_curve *curve)
{
    return !BN_is_zero(n) && BN_cmp(n, curve->order) < 0;
}

fm_status did_curve_signature(BIGNUM *r, BIGNUM *s, const struct did_curve *curve,
                              const uint8_t signature[DID_CURVE_SIGNATURE], struct base_err *err)
{
    if (BN_bin2bn(signature, DID_CURVE_SCALAR, r) == NULL ||
        BN_bin2bn(signature + DID_CURVE_SCALAR, DID_CURVE_SCALAR, s) == NULL)
        return base_err_memory(err, "signature");
    if (!in_range(r, curve) || !in_range(s, curve))
        return base_err_set(err, FM_E_AUTH,
                            "%s: the signature's %c is zero or not below the group order",
                            curve->suite, in_range(r, curve) ? 's' : 'r');
    return FM_OK;
}

fm_status did_curve_sum(BIGNUM *x, bool *infinite, const struct did_curve *curve, const BIGNUM *a,
                        const EC_POINT *q, const BIGNUM *b, BN_CTX *ctx, struct base_err *err)
{
    EC_POINT *sum = EC_POINT_new(curve->group);
    bool ok;

    (void)ERR_set_mark();
    ok = sum != NULL && EC_POINT_mul(curve->group, sum, a, q, b, ctx) == 1;
    *infinite = ok && EC_POINT_is_at_infinity(curve->group, sum) == 1;
    if (ok && !*infinite)
        ok = EC_POINT_get_affine_coordinates(curve->group, sum, x, NULL, ctx) == 1;
    (void)ERR_pop_to_mark();
    EC_POINT_free(sum);
    return ok ? FM_OK : base_err_memory(err, "signature"); /* arithmetic has no other way to fail */
}

/* Euclid over GMP's limbs, without allocating: of U = a + order and V = order it gives S with
 * U S + T V = 1, so that S = 1 / a modulo the order; |S| < order. OpenSSL's takes five times as
 * long. */
fm_status did_curve_invert_var(BIGNUM *out, const struct did_curve *curve, const BIGNUM *a,
                               struct base_err *err)
{
    enum { LIMBS = DID_CURVE_SCALAR * 8 / GMP_NUMB_BITS };
    mp_limb_t u[LIMBS + 2], v[LIMBS + 1], order[LIMBS], g[LIMBS + 1], s[LIMBS + 2] = {0};
    uint8_t bytes[DID_CURVE_SCALAR], inverse[DID_CURVE_SCALAR + sizeof(mp_limb_t)];
    mp_size_t n = 0;
    size_t len;

    if (BN_bn2binpad(curve->order, bytes, sizeof bytes) < 0 ||
        mpn_set_str(order, bytes, sizeof bytes, 256) != LIMBS ||
        BN_bn2binpad(a, bytes, sizeof bytes) < 0)
        return base_err_memory(err, "signature");
    memset(u, 0, sizeof u);
    (void)mpn_set_str(u, bytes, sizeof bytes, 256);
    u[LIMBS] = mpn_add_n(u, u, order, LIMBS);
    memcpy(v, order, sizeof order);
    (void)mpn_gcdext(g, s, &n, u, u[LIMBS] != 0 ? LIMBS + 1 : LIMBS, v, LIMBS);
    for (mp_size_t i = n < 0 ? -n : n; i < LIMBS; i++)
        s[i] = 0; /* scratch */
    if (n < 0)
        (void)mpn_sub_n(s, order, s, LIMBS);
    for (n = LIMBS; n > 1 && s[n - 1] == 0;)
        n--;
    len = mpn_get_str(inverse, 256, s, n);
    return BN_bin2bn(inverse, (int)len, out) != NULL ? FM_OK : base_err_memory(err, "signature");
}

/* ---- secret keys ---- */

static EVP_PKEY *make_pkey(const struct did_curve *curve, const BIGNUM *n,
                           const uint8_t key[DID_CURVE_KEY])
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, curve->key_type, NULL);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *pkey = NULL;

    if (build != NULL && ctx != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, curve->group_name, 0) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, n) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, key, DID_CURVE_KEY))
        params = OSSL_PARAM_BLD_to_param(build);
    if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1)
        pkey = NULL;
    OSSL_PARAM_free(params); /* wipes what it holds in the secure heap */
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* n G, compressed and with its y. */
static bool make_public(struct did_key *key, const struct did_curve *curve, const BIGNUM *n)
{
    EC_POINT *point = EC_POINT_new(curve->group);
    BN_CTX *ctx = BN_CTX_secure_new();
    BIGNUM *y = BN_new();
    bool ok = point != NULL && ctx != NULL && y != NULL &&
              EC_POINT_mul(curve->group, point, n, NULL, NULL, ctx) == 1 &&
              EC_POINT_point2oct(curve->group, point, POINT_CONVERSION_COMPRESSED, key->bytes,
                                 DID_CURVE_KEY, ctx) == DID_CURVE_KEY &&
              EC_POINT_get_affine_coordinates(curve->group, point, NULL, y, ctx) == 1 &&
              BN_bn2binpad(y, key->aid, DID_KEY_AID) == DID_KEY_AID;

    EC_POINT_clear_free(point);
    BN_free(y);
    BN_CTX_free(ctx);
    return ok;
}

/* A context in which everything is looked up and set, to be copied for each signature. */
static EVP_MD_CTX *make_ready(EVP_PKEY *pkey, const char *digest, const OSSL_PARAM *params)
{
    EVP_MD_CTX *ready = pkey == NULL ? NULL : EVP_MD_CTX_new();

    if (ready != NULL && EVP_DigestSignInit_ex(ready, NULL, digest, NULL, NULL, pkey, params) == 1)
        return ready;
    EVP_MD_CTX_free(ready);
    return NULL;
}

fm_status did_curve_secret(EVP_MD_CTX **out, struct did_key *key, const struct did_curve *curve,
                           const char *digest, const OSSL_PARAM *params,
                           const uint8_t secret[DID_CURVE_SCALAR], struct base_err *err)
{
    BIGNUM *n = BN_secure_new(), *last = BN_dup(curve->order);
    EVP_PKEY *pkey = NULL;
    fm_status st = FM_OK;

    *out = NULL;
    (void)ERR_set_mark();
    if (n == NULL || last == NULL || BN_sub_word(last, 1) != 1 ||
        BN_bin2bn(secret, DID_CURVE_SCALAR, n) == NULL) {
        st = base_err_memory(err, "secret key");
    } else if (BN_is_zero(n) || BN_cmp(n, last) >= 0) {
        st = base_err_set(err, FM_E_INPUT, "%s: the secret key is not between 1 and order - 2",
                          curve->suite);
    } else {
        BN_set_flags(n, BN_FLG_CONSTTIME);
        if (make_public(key, curve, n))
            pkey = make_pkey(curve, n, key->bytes);
        *out = make_ready(pkey, digest, params);
        if (*out == NULL)
            st = base_err_memory(err, "secret key");
    }
    (void)ERR_pop_to_mark();
    EVP_PKEY_free(pkey);
    BN_clear_free(n);
    BN_free(last);
    return st;
}

fm_status did_curve_sign(const EVP_MD_CTX *ready, uint8_t signature[DID_CURVE_SIGNATURE],
                         const void *message, size_t message_len, const char *suite,
                         struct base_err *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t der[DER_MAX];
    const uint8_t *at = der;
    size_t len = sizeof der;
    ECDSA_SIG *pair = NULL;
    fm_status st = FM_OK;

    (void)ERR_set_mark();
    if (ctx == NULL || EVP_MD_CTX_copy_ex(ctx, ready) != 1 ||
        EVP_DigestSign(ctx, der, &len, message, message_len) != 1 ||
        (pair = d2i_ECDSA_SIG(NULL, &at, (long)len)) == NULL ||
        BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, DID_CURVE_SCALAR) < 0 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + DID_CURVE_SCALAR, DID_CURVE_SCALAR) < 0)
        st = base_err_memory(err, suite); /* or no randomness: there is no other reason */
    (void)ERR_pop_to_mark();
    ECDSA_SIG_free(pair);
    EVP_MD_CTX_free(ctx);
    return st;
}
