/* The suite `sm2`: SM2 signatures with SM3 (GB/T 32918.2-2016) over the recommended curve
 * (GB/T 32918.5-2017), with the signer's ID of GM/T 0009, as suite.h states. */
#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <string.h>

#include "base/bytes.h"
#include "base/sm3.h"
#include "did/sm2_own.h"

static const char signer_id[] = DID_SM2_SIGNER_ID;
#define ID_LEN (sizeof signer_id - 1)

static struct did_curve curve = {.suite = "sm2", .key_type = "SM2", .group_name = "SM2"};
static struct did_sm2_prefix prefix;

/* ---- what is signed ---- */

bool did_sm2_prefix(struct did_sm2_prefix *out, const struct did_curve *c, const char *id)
{
    BIGNUM *a = BN_new(), *b = BN_new(), *x = BN_new(), *y = BN_new();
    size_t id_len = strlen(id);
    uint8_t *at = out->bytes + 2 + id_len;
    bool ok;

    assert(id_len <= DID_SM2_ID_MAX);
    out->bytes[0] = (uint8_t)(id_len * 8 >> 8); /* in bits */
    out->bytes[1] = (uint8_t)(id_len * 8);
    memcpy(out->bytes + 2, id, id_len);
    out->len = 2 + id_len + 4 * 32;
    ok = a != NULL && b != NULL && x != NULL && y != NULL &&
         EC_GROUP_get_curve(c->group, NULL, a, b, NULL) == 1 &&
         EC_POINT_get_affine_coordinates(c->group, EC_GROUP_get0_generator(c->group), x, y, NULL) ==
             1 &&
         BN_bn2binpad(a, at, 32) == 32 && BN_bn2binpad(b, at + 32, 32) == 32 &&
         BN_bn2binpad(x, at + 64, 32) == 32 && BN_bn2binpad(y, at + 96, 32) == 32;
    BN_free(a);
    BN_free(b);
    BN_free(x);
    BN_free(y);
    return ok;
}

fm_status did_sm2_hash(uint8_t z32[32], uint8_t e32[32], const struct did_curve *c,
                       const struct did_sm2_prefix *before, const EC_POINT *q, const void *message,
                       size_t message_len, BN_CTX *ctx, struct base_err *err)
{
    BIGNUM *x = BN_CTX_get(ctx), *y = BN_CTX_get(ctx);
    uint8_t xy[64];
    const struct base_sm3_part whole[2] = {{before->bytes, before->len}, {xy, sizeof xy}};
    const struct base_sm3_part signing[2] = {{z32, 32}, {message, message_len}};
    fm_status st;

    if (y == NULL || EC_POINT_get_affine_coordinates(c->group, q, x, y, ctx) != 1 ||
        BN_bn2binpad(x, xy, 32) != 32 || BN_bn2binpad(y, xy + 32, 32) != 32)
        return base_err_memory(err, "signature");
    st = base_sm3(z32, whole, 2, err);
    return st != FM_OK ? st : base_sm3(e32, signing, 2, err);
}

/* ---- verifying ---- */

fm_status did_sm2_check(const struct did_curve *c, const EC_POINT *q, const BIGNUM *e,
                        const BIGNUM *r, const BIGNUM *s, BN_CTX *ctx, struct base_err *err)
{
    BIGNUM *t = BN_CTX_get(ctx), *x = BN_CTX_get(ctx);
    bool infinite;
    fm_status st;

    if (x == NULL || BN_mod_add(t, r, s, c->order, ctx) != 1)
        return base_err_memory(err, "signature");
    if (BN_is_zero(t))
        return base_err_set(err, FM_E_AUTH, "sm2: the signature's r + s is zero");
    st = did_curve_sum(x, &infinite, c, s, q, t, ctx, err);
    if (st == FM_OK && !infinite && BN_mod_add(x, x, e, c->order, ctx) != 1)
        st = base_err_memory(err, "signature");
    if (st == FM_OK && (infinite || BN_cmp(x, r) != 0))
        st = base_err_set(err, FM_E_AUTH, "sm2: the signature does not match key and message");
    return st;
}

static fm_status check_signature(const struct did_key *key, const uint8_t *signature,
                                 const void *message, size_t message_len, BN_CTX *ctx,
                                 struct base_err *err)
{
    BIGNUM *e = BN_CTX_get(ctx), *r = BN_CTX_get(ctx), *s = BN_CTX_get(ctx);
    EC_POINT *q = NULL;
    uint8_t z[32], hash[32];
    fm_status st;

    if (s == NULL)
        return base_err_memory(err, "signature");
    st = did_curve_point(&q, &curve, key, ctx, err);
    if (st == FM_OK)
        st = did_curve_signature(r, s, &curve, signature, err);
    if (st == FM_OK)
        st = did_sm2_hash(z, hash, &curve, &prefix, q, message, message_len, ctx, err);
    if (st == FM_OK && BN_bin2bn(hash, sizeof hash, e) == NULL)
        st = base_err_memory(err, "signature");
    if (st == FM_OK)
        st = did_sm2_check(&curve, q, e, r, s, ctx, err);
    EC_POINT_free(q);
    return st;
}

static fm_status check_in_context(const struct did_key *key, const uint8_t *signature,
                                  const void *message, size_t message_len, struct base_err *err)
{
    BN_CTX *ctx = BN_CTX_new();
    fm_status st;

    if (ctx == NULL)
        return base_err_memory(err, "signature");
    (void)ERR_set_mark();
    BN_CTX_start(ctx);
    st = check_signature(key, signature, message, message_len, ctx, err);
    BN_CTX_end(ctx);
    BN_CTX_free(ctx);
    (void)ERR_pop_to_mark();
    return st;
}

/* ---- once per process ---- */

/* GB/T 32918.5-2017, annex A.2. */
static const char known_key[] =
    "0309f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020";
static const char known_signature[] =
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa";

static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
static bool library_is_fit;

static void look_at_library(void)
{
    struct did_key key = {.suite = NULL};
    uint8_t signature[DID_CURVE_SIGNATURE];
    struct base_err err = {0};

    library_is_fit =
        did_curve_open(&curve) && did_sm2_prefix(&prefix, &curve, signer_id) &&
        base_unhex(key.bytes, DID_CURVE_KEY, known_key, 2 * DID_CURVE_KEY) &&
        did_curve_decompress(key.aid, &curve, key.bytes, &err) == FM_OK &&
        base_unhex(signature, sizeof signature, known_signature, 2 * sizeof signature) &&
        check_in_context(&key, signature, "message digest", 14, &err) == FM_OK;
}

static fm_status check_library(struct base_err *err)
{
    if (CRYPTO_THREAD_run_once(&once, look_at_library) != 1 || !library_is_fit)
        /* UNTESTED: needs an OpenSSL without SM2 or SM3. */
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "sm2: this OpenSSL (%s) has no SM2 with SM3; install Debian's libssl3",
                            OpenSSL_version(OPENSSL_VERSION_STRING));
    return FM_OK;
}

/* ---- the row ---- */

static fm_status check_key(uint8_t aid[DID_KEY_AID], const uint8_t *key, uint32_t rules_version,
                           struct base_err *err)
{
    fm_status st = check_library(err);

    (void)rules_version; /* one rule since the version in which the suite came */
    return st != FM_OK ? st : did_curve_decompress(aid, &curve, key, err);
}

static fm_status verify(const struct did_key *key, uint32_t rules_version, const uint8_t *signature,
                        const void *message, size_t message_len, struct base_err *err)
{
    fm_status st = check_library(err);

    (void)rules_version;
    return st != FM_OK ? st : check_in_context(key, signature, message, message_len, err);
}

static fm_status open_secret(void **impl, struct did_key *key, const uint8_t *secret,
                             struct base_err *err)
{
    const OSSL_PARAM params[2] = {OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_DIST_ID,
                                                                    (char *)(uintptr_t)signer_id,
                                                                    ID_LEN),
                                  OSSL_PARAM_construct_end()};
    EVP_MD_CTX *ready = NULL;
    fm_status st = check_library(err);

    if (st == FM_OK)
        st = did_curve_secret(&ready, key, &curve, "SM3", params, secret, err);
    *impl = ready;
    return st;
}

static void close_secret(void *impl)
{
    EVP_MD_CTX_free(impl);
}

static fm_status sign(void *impl, uint8_t *signature, const void *message, size_t message_len,
                      struct base_err *err)
{
    return did_curve_sign(impl, signature, message, message_len, "sm2", err);
}

const struct did_suite *did_suite_sm2(void)
{
    static const struct did_suite row = {
        .name = "sm2",
        .cryptosuite = "sm2-jcs",
        .multicodec = {0x86, 0x24}, /* 0x1206 */
        .since = 2,
        .digest = DID_DIGEST_SM3,
        .key_len = DID_CURVE_KEY,
        .secret_len = DID_CURVE_SCALAR,
        .signature_len = DID_CURVE_SIGNATURE,
        .check_key = check_key,
        .open = open_secret,
        .close = close_secret,
        .sign = sign,
        .verify = verify,
    };
    return &row;
}
