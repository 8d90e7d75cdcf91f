#include "net/sm2.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <string.h>

#include "base/secret.h"

static const char signer_id[] = "1234567812345678";

/* OpenSSL's key of what OSSL_PARAM_BLD holds: a public key, or a pair. NULL if the bytes are no
 * point of the curve, or memory is out. */
static EVP_PKEY *from_parts(int selection, const BIGNUM *n, const uint8_t point33[NET_SM2_POINT])
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;

    if (build != NULL && ctx != NULL && (point33[0] == 2 || point33[0] == 3) &&
        OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "SM2", 0) == 1 &&
        (n == NULL || OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, n) == 1) &&
        OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point33, NET_SM2_POINT))
        params = OSSL_PARAM_BLD_to_param(build);
    if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, selection, params) != 1)
        key = NULL;
    OSSL_PARAM_free(params); /* wipes what it holds in the secure heap */
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

fm_status net_sm2_from_secret(EVP_PKEY **out, const uint8_t secret32[32], struct base_err *err)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_sm2);
    EC_POINT *point = group != NULL ? EC_POINT_new(group) : NULL;
    BIGNUM *n = BN_secure_new(), *last = group != NULL ? BN_dup(EC_GROUP_get0_order(group)) : NULL;
    BN_CTX *ctx = BN_CTX_secure_new();
    uint8_t point33[NET_SM2_POINT];
    fm_status st = FM_OK;

    *out = NULL;
    if (point == NULL || n == NULL || last == NULL || ctx == NULL || BN_sub_word(last, 1) != 1 ||
        BN_bin2bn(secret32, 32, n) == NULL) {
        st = base_err_memory(err, "SM2 key"); /* UNTESTED: memory, or an OpenSSL without SM2 */
    } else if (BN_is_zero(n) || BN_cmp(n, last) >= 0) {
        st = base_err_set(err, FM_E_ARG, "SM2: the secret key is not between 1 and order - 2");
    } else {
        BN_set_flags(n, BN_FLG_CONSTTIME);
        if (EC_POINT_mul(group, point, n, NULL, NULL, ctx) != 1 ||
            EC_POINT_point2oct(group, point, POINT_CONVERSION_COMPRESSED, point33, NET_SM2_POINT,
                               ctx) != NET_SM2_POINT ||
            (*out = from_parts(EVP_PKEY_KEYPAIR, n, point33)) == NULL)
            st = base_err_memory(err, "SM2 key"); /* UNTESTED: memory */
    }
    BN_clear_free(n);
    BN_free(last);
    BN_CTX_free(ctx);
    EC_POINT_clear_free(point);
    EC_GROUP_free(group);
    return st;
}

bool net_sm2_public(uint8_t out33[NET_SM2_POINT], const EVP_PKEY *key)
{
    uint8_t point[65];
    size_t len = 0;

    if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point, &len) !=
            1 ||
        (len != 65 && len != NET_SM2_POINT))
        return false;
    out33[0] = len == 65 ? (uint8_t)(2 | (point[64] & 1)) : point[0];
    memcpy(out33 + 1, point + 1, 32);
    return true;
}

/* ---- signatures ---- */

static void with_id(OSSL_PARAM params[2])
{
    params[0] = OSSL_PARAM_construct_octet_string(
        OSSL_PKEY_PARAM_DIST_ID, (char *)(uintptr_t)signer_id, sizeof signer_id - 1);
    params[1] = OSSL_PARAM_construct_end();
}

fm_status net_sm2_sign(uint8_t *signature, size_t *len, EVP_PKEY *key, const void *message,
                       size_t message_len, struct base_err *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    OSSL_PARAM params[2];
    bool good;

    with_id(params);
    *len = NET_SM2_SIGNATURE_MAX;
    good = ctx != NULL && EVP_DigestSignInit_ex(ctx, NULL, "SM3", NULL, NULL, key, params) == 1 &&
           EVP_DigestSign(ctx, signature, len, message, message_len) == 1;
    EVP_MD_CTX_free(ctx);
    return good ? FM_OK : base_err_memory(err, "SM2 signature"); /* UNTESTED: memory, randomness */
}

fm_status net_sm2_verify(const uint8_t key33[NET_SM2_POINT], const uint8_t *signature, size_t len,
                         const void *message, size_t message_len, struct base_err *err)
{
    EVP_PKEY *key = from_parts(EVP_PKEY_PUBLIC_KEY, NULL, key33);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    OSSL_PARAM params[2];
    bool good;

    with_id(params);
    good = key != NULL && ctx != NULL &&
           EVP_DigestVerifyInit_ex(ctx, NULL, "SM3", NULL, NULL, key, params) == 1 &&
           EVP_DigestVerify(ctx, signature, len, message, message_len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return good ? FM_OK : base_err_set(err, FM_E_AUTH, "its signature is not by its key");
}

/* ---- agreement ---- */

fm_status net_sm2_ephemeral(EVP_PKEY **out, uint8_t public33[NET_SM2_POINT], struct base_err *err)
{
    *out = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "SM2");
    if (*out != NULL && net_sm2_public(public33, *out))
        return FM_OK;
    EVP_PKEY_free(*out); /* UNTESTED: memory, randomness */
    *out = NULL;
    return base_err_memory(err, "SM2 key");
}

fm_status net_sm2_agree(uint8_t out32[32], EVP_PKEY *ephemeral,
                        const uint8_t theirs33[NET_SM2_POINT], struct base_err *err)
{
    EVP_PKEY *theirs = EVP_PKEY_new();
    EVP_PKEY_CTX *ctx = theirs != NULL ? EVP_PKEY_CTX_new(ephemeral, NULL) : NULL;
    size_t len = 32;
    /* A key of type "EC" on this curve can be made, but not imported; setting the point says
     * whether it is one of the curve's, of which each but infinity has the curve's prime order. */
    bool good = ctx != NULL && (theirs33[0] == 2 || theirs33[0] == 3) &&
                EVP_PKEY_copy_parameters(theirs, ephemeral) == 1 &&
                EVP_PKEY_set1_encoded_public_key(theirs, theirs33, NET_SM2_POINT) == 1 &&
                EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, theirs) == 1 &&
                EVP_PKEY_derive(ctx, out32, &len) == 1 && len == 32;

    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(theirs);
    ERR_clear_error();
    if (good)
        return FM_OK;
    base_wipe(out32, 32);
    return base_err_set(err, FM_E_PEER, "handshake: the peer's ephemeral key is no point");
}
