/* The suite `ed25519`: rules version 1 as suite.h states it. */
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

#include "base/bytes.h"
#include "did/suite.h"

#define KEY_LEN 32
#define SIGNATURE_LEN 64

/* ---- encodings: our own part of the rule, over public bytes ---- */

/* p = 2^255 - 19, little-endian. */
static const uint8_t field_prime[32] = {
    0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};

/* L = 2^252 + 27742317777372353535851937790883648493, little-endian. */
static const uint8_t group_order[32] = {
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10};

/* The y of the eight points whose order divides 8: 1 (order 1), p - 1 (order 2), 0 (order 4), and
 * the two roots of d y^4 + 2 y^2 = 1 (order 8), which says that doubling gives y = 0. */
static const uint8_t small_order_y[5][32] = {
    {0},
    {1},
    {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
     0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
    {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
     0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
     0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
     0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
     0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
};

/* Little-endian a < b. */
static bool is_below(const uint8_t a[32], const uint8_t b[32])
{
    for (size_t i = 32; i-- > 0;)
        if (a[i] != b[i])
            return a[i] < b[i];
    return false;
}

/* Rules 1 and 2. what names the point in the error text. */
static fm_status check_point(const uint8_t encoded[32], const char *what, struct base_err *err)
{
    uint8_t y[32];

    memcpy(y, encoded, 32);
    y[31] &= 0x7f;
    if (!is_below(y, field_prime))
        return base_err_set(err, FM_E_AUTH, "ed25519: %s is not canonically encoded", what);
    for (size_t i = 0; i < sizeof small_order_y / sizeof small_order_y[0]; i++)
        if (memcmp(y, small_order_y[i], 32) == 0)
            return base_err_set(err, FM_E_AUTH, "ed25519: %s is a point of small order", what);
    return FM_OK;
}

static fm_status check_key(uint8_t aid[DID_KEY_AID], const uint8_t *key, uint32_t rules_version,
                           struct base_err *err)
{
    (void)aid;           /* libsodium takes the key as it is written */
    (void)rules_version; /* There is one rule so far; suite.c has refused unknown versions. */
    return check_point(key, "the public key", err);
}

/* ---- arithmetic: libsodium's part ---- */

/* Rule 4. It checks rules 1 to 3 as well, in its own way, and after ours finds nothing more to
 * refuse (test_ed25519_oracle.c). It asks for no memory, so its "no" is a verdict. */
static bool holds(const uint8_t *key, const uint8_t *signature, const void *message,
                  size_t message_len)
{
    return crypto_sign_verify_detached(signature, message, message_len, key) == 0;
}

/* ---- once per process ---- */

/* Two signatures from eprint 2020/1244, table 6: both over points of mixed order. The first holds
 * under either equation; the second under the cofactored one alone. */
static const struct {
    const char *message, *key, *signature;
} known[2] = {
    {"9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"
     "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009"},
    {"e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
     "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
     "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"
     "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09"},
};

/* The library's answer about one of them. */
static bool known_holds(size_t i)
{
    uint8_t message[32], key[KEY_LEN], signature[SIGNATURE_LEN];

    return base_unhex(message, sizeof message, known[i].message, 2 * sizeof message) &&
           base_unhex(key, sizeof key, known[i].key, 2 * sizeof key) &&
           base_unhex(signature, sizeof signature, known[i].signature, 2 * sizeof signature) &&
           holds(key, signature, message, sizeof message);
}

static CRYPTO_ONCE once = CRYPTO_ONCE_STATIC_INIT;
static bool library_is_fit;

static void look_at_library(void)
{
    /* Where OpenSSL keeps its copy of secret keys. Failing leaves its ordinary heap, which it wipes
     * too; somebody who set the heap up before us has chosen its size. */
    (void)CRYPTO_secure_malloc_init(1u << 20, 64);
    library_is_fit = sodium_init() >= 0 && known_holds(0) && !known_holds(1);
}

static fm_status check_library(struct base_err *err)
{
    if (CRYPTO_THREAD_run_once(&once, look_at_library) != 1 || !library_is_fit)
        /* UNTESTED: needs a libsodium with another equation. */
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "ed25519: this libsodium (%s) does not follow the ledger's rule for "
                            "signatures; install Debian's libsodium23",
                            sodium_version_string());
    return FM_OK;
}

/* ---- the row ---- */

static fm_status verify(const struct did_key *key, uint32_t rules_version, const uint8_t *signature,
                        const void *message, size_t message_len, struct base_err *err)
{
    fm_status st = check_library(err);

    (void)rules_version;
    if (st == FM_OK)
        st = check_point(key->bytes, "the public key", err);
    if (st == FM_OK)
        st = check_point(signature, "the signature's R", err);
    if (st == FM_OK && !is_below(signature + 32, group_order))
        st =
            base_err_set(err, FM_E_AUTH, "ed25519: the signature's S is not below the group order");
    if (st == FM_OK && !holds(key->bytes, signature, message, message_len))
        st = base_err_set(err, FM_E_AUTH, "ed25519: the signature does not match key and message");
    return st;
}

static fm_status open_secret(void **impl, struct did_key *key, const uint8_t *secret,
                             struct base_err *err)
{
    size_t len = KEY_LEN;
    fm_status st = check_library(err);
    EVP_PKEY *pkey;

    *impl = NULL;
    if (st != FM_OK)
        return st;
    (void)ERR_set_mark();
    pkey = EVP_PKEY_new_raw_private_key_ex(NULL, "ED25519", NULL, secret, 32);
    if (pkey == NULL || EVP_PKEY_get_raw_public_key(pkey, key->bytes, &len) != 1) {
        EVP_PKEY_free(pkey);
        st = base_err_memory(err, "ed25519 secret key");
    } else {
        *impl = pkey;
    }
    (void)ERR_pop_to_mark();
    return st;
}

static void close_secret(void *impl)
{
    EVP_PKEY_free(impl);
}

static fm_status sign(void *impl, uint8_t *signature, const void *message, size_t message_len,
                      struct base_err *err)
{
    size_t len = SIGNATURE_LEN;
    fm_status st = FM_OK;
    EVP_MD_CTX *ctx;

    (void)ERR_set_mark();
    ctx = EVP_MD_CTX_new();
    if (ctx == NULL || EVP_DigestSignInit(ctx, NULL, NULL, NULL, impl) != 1 ||
        EVP_DigestSign(ctx, signature, &len, message, message_len) != 1)
        st = base_err_memory(err, "ed25519 sign"); /* OpenSSL has no other reason to fail here. */
    EVP_MD_CTX_free(ctx);
    (void)ERR_pop_to_mark();
    return st;
}

const struct did_suite *did_suite_ed25519(void)
{
    static const struct did_suite row = {
        .name = "ed25519",
        .cryptosuite = "eddsa-jcs-2022",
        .multicodec = {0xed, 0x01},
        .since = 1,
        .digest = DID_DIGEST_SHA256,
        .key_len = KEY_LEN,
        .secret_len = 32,
        .signature_len = SIGNATURE_LEN,
        .check_key = check_key,
        .open = open_secret,
        .close = close_secret,
        .sign = sign,
        .verify = verify,
    };
    return &row;
}
