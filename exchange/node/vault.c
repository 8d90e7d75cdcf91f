#include "exchange/node/vault.h"

#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/hash.h"
#include "base/secret.h"
#include "net/seal.h"

enum { NONCE = 12, GCM_TAG = 16 };

fm_status vault_init(struct vault *v, const uint8_t secret32[32], struct base_err *err)
{
    memcpy(v->secret, secret32, sizeof v->secret);
    return net_expand(v->key, sizeof v->key, secret32, "firmiana vault v1", NULL, 0, err);
}

void vault_release(struct vault *v)
{
    base_wipe(v, sizeof *v);
}

fm_status vault_tag(const struct vault *v, uint8_t out[VAULT_TAG], const char *text,
                    struct base_err *err)
{
    uint8_t hash[32];

    base_hash(hash, text, strlen(text));
    return net_expand(out, VAULT_TAG, v->secret, "firmiana vault tag v1", hash, sizeof hash, err);
}

/* Key, nonce and what is authenticated beside the content. enc as EVP_CipherInit_ex() has it. */
static EVP_CIPHER_CTX *begin(const struct vault *v, int enc, const uint8_t nonce[NONCE],
                             const char *kind, const char *name)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n;

    if (ctx != NULL && EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, v->key, nonce, enc) == 1 &&
        EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *)kind, (int)strlen(kind) + 1) == 1 &&
        EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *)name, (int)strlen(name)) == 1)
        return ctx;
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
}

fm_status vault_seal(const struct vault *v, struct base_buf *out, const char *kind,
                     const char *name, const void *bytes, size_t len,
                     const struct base_random *random, struct base_err *err)
{
    uint8_t nonce[NONCE], *box;
    EVP_CIPHER_CTX *ctx;
    bool ok;
    int n = 0;

    if (len > INT_MAX - VAULT_OVERHEAD)
        return base_err_set(err, FM_E_LIMIT, "vault: %zu bytes are too many", len);
    if (base_random_fill(random, nonce, sizeof nonce, err) != FM_OK)
        return err->code;
    box = base_buf_extend(out, len + VAULT_OVERHEAD);
    if (box == NULL)
        return base_err_memory(err, "vault");
    memcpy(box, nonce, NONCE);
    ctx = begin(v, 1, nonce, kind, name);
    ok = ctx != NULL && EVP_CipherUpdate(ctx, box + NONCE, &n, bytes, (int)len) == 1 &&
         (size_t)n == len && EVP_CipherFinal_ex(ctx, box + NONCE + len, &n) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, GCM_TAG, box + NONCE + len) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok ? FM_OK : base_err_memory(err, "vault");
}

fm_status vault_open(const struct vault *v, struct base_buf *out, const char *kind,
                     const char *name, const void *box, size_t len, struct base_err *err)
{
    const uint8_t *p = box;
    uint8_t tag[GCM_TAG], *plain;
    size_t inside = len - VAULT_OVERHEAD, before = out->len;
    EVP_CIPHER_CTX *ctx;
    bool ok;
    int n = 0;

    if (len < VAULT_OVERHEAD || len > INT_MAX)
        return base_err_set(err, FM_E_CORRUPT, "%s %.16s: too short to be sealed", kind, name);
    plain = base_buf_extend(out, inside);
    ctx = begin(v, 0, p, kind, name);
    if (plain == NULL || ctx == NULL) {
        EVP_CIPHER_CTX_free(ctx);
        return base_err_memory(err, "vault");
    }
    memcpy(tag, p + NONCE + inside, sizeof tag);
    ok = EVP_CipherUpdate(ctx, plain, &n, p + NONCE, (int)inside) == 1 &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, GCM_TAG, tag) == 1 &&
         EVP_CipherFinal_ex(ctx, plain + n, &n) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (ok)
        return FM_OK;
    base_wipe(plain, inside);
    out->len = before;
    return base_err_set(err, FM_E_CORRUPT,
                        "%s %.16s does not open: it was altered, or sealed under another key", kind,
                        name);
}
