/* The suite `p256`: ECDSA over P-256 with SHA-256 (FIPS 186-5, section 6.4), as suite.h states. */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

#include "base/hash.h"
#include "did/curve.h"

static struct did_curve curve = {.suite = "p256", .key_type = "EC", .group_name = "prime256v1"};
static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
static bool library_is_fit;

static void look_at_library(void)
{
    library_is_fit = did_curve_open(&curve);
}

static fm_status check_library(struct base_err *err)
{
    if (CRYPTO_THREAD_run_once(&once, look_at_library) != 1 || !library_is_fit)
        /* UNTESTED: needs an OpenSSL without the curve. */
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "p256: this OpenSSL (%s) does not have the curve; install Debian's "
                            "libssl3",
                            OpenSSL_version(OPENSSL_VERSION_STRING));
    return FM_OK;
}

static fm_status check_key(uint8_t aid[DID_KEY_AID], const uint8_t *key, uint32_t rules_version,
                           struct base_err *err)
{
    fm_status st = check_library(err);

    (void)rules_version; /* one rule since the version in which the suite came */
    return st != FM_OK ? st : did_curve_decompress(aid, &curve, key, err);
}

/* x(e/s G + r/s Q) = r modulo the order. */
static fm_status check_equation(const EC_POINT *q, const BIGNUM *e, const BIGNUM *r,
                                const BIGNUM *s, BN_CTX *ctx, struct base_err *err)
{
    BIGNUM *inverse = BN_CTX_get(ctx), *a = BN_CTX_get(ctx), *b = BN_CTX_get(ctx);
    BIGNUM *x = BN_CTX_get(ctx);
    bool infinite;
    fm_status st;

    if (x == NULL || did_curve_invert_var(inverse, &curve, s, err) != FM_OK ||
        BN_mod_mul(a, e, inverse, curve.order, ctx) != 1 ||
        BN_mod_mul(b, r, inverse, curve.order, ctx) != 1)
        return base_err_memory(err, "signature");
    st = did_curve_sum(x, &infinite, &curve, a, q, b, ctx, err);
    if (st == FM_OK && !infinite && BN_nnmod(x, x, curve.order, ctx) != 1)
        st = base_err_memory(err, "signature");
    if (st == FM_OK && (infinite || BN_cmp(x, r) != 0))
        st = base_err_set(err, FM_E_AUTH, "p256: the signature does not match key and message");
    return st;
}

static fm_status verify(const struct did_key *key, uint32_t rules_version, const uint8_t *signature,
                        const void *message, size_t message_len, struct base_err *err)
{
    uint8_t hash[BASE_HASH_SIZE];
    EC_POINT *q = NULL;
    BN_CTX *ctx = NULL;
    BIGNUM *e, *r, *s;
    fm_status st = check_library(err);

    (void)rules_version;
    if (st != FM_OK)
        return st;
    ctx = BN_CTX_new();
    if (ctx == NULL)
        return base_err_memory(err, "signature");
    (void)ERR_set_mark();
    BN_CTX_start(ctx);
    e = BN_CTX_get(ctx);
    r = BN_CTX_get(ctx);
    s = BN_CTX_get(ctx);
    base_sha256(hash, message, message_len);
    st = s == NULL || BN_bin2bn(hash, sizeof hash, e) == NULL
             ? base_err_memory(err, "signature")
             : did_curve_point(&q, &curve, key, ctx, err);
    if (st == FM_OK)
        st = did_curve_signature(r, s, &curve, signature, err);
    if (st == FM_OK)
        st = check_equation(q, e, r, s, ctx, err);
    EC_POINT_free(q);
    BN_CTX_end(ctx);
    BN_CTX_free(ctx);
    (void)ERR_pop_to_mark();
    return st;
}

static fm_status open_secret(void **impl, struct did_key *key, const uint8_t *secret,
                             struct base_err *err)
{
    EVP_MD_CTX *ready = NULL;
    fm_status st = check_library(err);

    if (st == FM_OK)
        st = did_curve_secret(&ready, key, &curve, "SHA256", NULL, secret, err);
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
    return did_curve_sign(impl, signature, message, message_len, "p256", err);
}

const struct did_suite *did_suite_p256(void)
{
    static const struct did_suite row = {
        .name = "p256",
        .cryptosuite = "ecdsa-jcs-2019",
        .multicodec = {0x80, 0x24}, /* 0x1200 */
        .since = 2,
        .digest = DID_DIGEST_SHA256,
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
