#include "base/aead.h"

#include <limits.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/profile.h"
#include "base/secret.h"
#include "base/sm4.h"

/* One call of either: what to work with. */
struct job {
    uint8_t *out;
    const uint8_t *key32, *nonce12, *in;
    struct base_aead_with with;
    size_t len;
};

/* fail, the algorithm's own fault or memory, is no verdict; forged is one. */
enum verdict { GOOD, FORGED, FAILED };

struct base_aead {
    const char *name;
    bool (*seal)(const struct job *j, uint8_t *tag);
    enum verdict (*open)(const struct job *j, const uint8_t *tag);
};

/* ---- AES-256-GCM ---- */

static EVP_CIPHER_CTX *gcm_begin(const struct job *j, int encrypt)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n;

    if (ctx != NULL &&
        EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, j->key32, j->nonce12, encrypt) == 1 &&
        (j->with.len == 0 ||
         EVP_CipherUpdate(ctx, NULL, &n, j->with.bytes, (int)j->with.len) == 1) &&
        (j->len == 0 || EVP_CipherUpdate(ctx, j->out, &n, j->in, (int)j->len) == 1))
        return ctx;
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
}

static bool gcm_seal(const struct job *j, uint8_t *tag)
{
    EVP_CIPHER_CTX *ctx = gcm_begin(j, 1);
    uint8_t none[16];
    int n;
    bool good = ctx != NULL && EVP_CipherFinal_ex(ctx, none, &n) == 1 &&
                EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, BASE_AEAD_TAG, tag) == 1;

    EVP_CIPHER_CTX_free(ctx);
    return good;
}

static enum verdict gcm_open(const struct job *j, const uint8_t *tag)
{
    EVP_CIPHER_CTX *ctx = gcm_begin(j, 0);
    uint8_t none[16];
    int n;
    enum verdict is = FAILED;

    if (ctx != NULL &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, BASE_AEAD_TAG, (void *)(uintptr_t)tag) == 1)
        is = EVP_CipherFinal_ex(ctx, none, &n) == 1 ? GOOD : FORGED;
    EVP_CIPHER_CTX_free(ctx);
    return is;
}

/* ---- SM4-CTR and HMAC-SM3 ---- */

static bool sm4_apply(const struct job *j)
{
    static const char label[] = "firmiana sm4-ctr";
    struct base_sm4 *sm4 = NULL;
    uint8_t key[32], iv[16] = {0};
    bool good;

    memcpy(iv, j->nonce12, BASE_AEAD_NONCE);
    good = base_hmac(key, "SM3", j->key32, 32, label, sizeof label - 1) &&
           (sm4 = base_sm4_new(key)) != NULL && base_sm4_ctr(sm4, j->out, j->in, j->len, iv);
    base_wipe(key, sizeof key);
    base_sm4_free(sm4);
    return good;
}

static bool sm3_mac(uint8_t mac[32], const struct job *j, const uint8_t *sealed)
{
    static const char label[] = "firmiana hmac-sm3";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SM3"}, 0),
        OSSL_PARAM_construct_end()};
    EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;
    uint8_t key[32], with_len[8];
    size_t got;
    bool good;

    base_store_u64(with_len, j->with.len);
    good = ctx != NULL && base_hmac(key, "SM3", j->key32, 32, label, sizeof label - 1) &&
           EVP_MAC_init(ctx, key, sizeof key, params) == 1 &&
           EVP_MAC_update(ctx, j->nonce12, BASE_AEAD_NONCE) == 1 &&
           EVP_MAC_update(ctx, with_len, sizeof with_len) == 1 &&
           EVP_MAC_update(ctx, j->with.bytes, j->with.len) == 1 &&
           EVP_MAC_update(ctx, sealed, j->len) == 1 && EVP_MAC_final(ctx, mac, &got, 32) == 1;
    base_wipe(key, sizeof key);
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(hmac);
    return good;
}

static bool sm4_seal(const struct job *j, uint8_t *tag)
{
    uint8_t mac[32];

    if (!sm4_apply(j) || !sm3_mac(mac, j, j->out))
        return false;
    memcpy(tag, mac, BASE_AEAD_TAG);
    return true;
}

static enum verdict sm4_open(const struct job *j, const uint8_t *tag)
{
    uint8_t mac[32];

    if (!sm3_mac(mac, j, j->in))
        return FAILED;
    if (!base_equal(mac, tag, BASE_AEAD_TAG))
        return FORGED;
    return sm4_apply(j) ? GOOD : FAILED;
}

/* ---- the table ---- */

static const struct base_aead rows[] = {{"aes-256-gcm", gcm_seal, gcm_open},
                                        {"sm4-ctr-hmac-sm3", sm4_seal, sm4_open}};

const struct base_aead *base_aead_usual(void)
{
    return &rows[base_profile_is_national() ? 1 : 0];
}

const struct base_aead *base_aead_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

const char *base_aead_name(const struct base_aead *aead)
{
    return aead->name;
}

static fm_status check_lengths(const struct base_aead *aead, struct base_aead_with with, size_t len,
                               struct base_err *err)
{
    if (len <= INT_MAX - BASE_AEAD_TAG && with.len <= INT_MAX)
        return FM_OK;
    return base_err_set(err, FM_E_LIMIT, "%s: %zu bytes are too many", aead->name, len);
}

fm_status base_aead_seal(const struct base_aead *aead, uint8_t *out, const uint8_t key32[32],
                         const uint8_t nonce12[BASE_AEAD_NONCE], struct base_aead_with with,
                         const void *plain, size_t len, struct base_err *err)
{
    const struct job j = {out, key32, nonce12, plain, with, len};
    fm_status st = check_lengths(aead, with, len, err);

    return st != FM_OK || aead->seal(&j, out + len) ? st : base_err_memory(err, aead->name);
}

fm_status base_aead_open(const struct base_aead *aead, uint8_t *out, const uint8_t key32[32],
                         const uint8_t nonce12[BASE_AEAD_NONCE], struct base_aead_with with,
                         const uint8_t *sealed, size_t len, struct base_err *err)
{
    const struct job j = {out, key32, nonce12, sealed, with, len};
    uint8_t tag[BASE_AEAD_TAG];
    enum verdict is;
    fm_status st = check_lengths(aead, with, len, err);

    if (st != FM_OK)
        return st;
    memcpy(tag, sealed + len, sizeof tag); /* out may lie over it */
    is = aead->open(&j, tag);
    if (is == GOOD)
        return FM_OK;
    base_wipe(out, len);
    return is == FORGED ? base_err_set(err, FM_E_AUTH, "%s: it does not open", aead->name)
                        : base_err_memory(err, aead->name);
}
