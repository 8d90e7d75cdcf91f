/* AES-256-GCM. */
#include <openssl/evp.h>

#include "base/secret.h"
#include "net/seal_own.h"

static fm_status install(struct net_seal *seal, struct base_err *err)
{
    uint8_t key[32];
    fm_status rv = net_expand(key, sizeof key, seal->secret32, "firmiana key", NULL, 0, err);

    if (rv == FM_OK && EVP_CipherInit_ex(seal->ctx, EVP_aes_256_gcm(), NULL, key, NULL,
                                         seal->way == NET_SEAL) != 1)
        /* UNTESTED: OpenSSL without its default provider */
        rv = base_err_memory(err, "AES-256-GCM");
    base_wipe(key, sizeof key);
    return rv;
}

static bool begin(struct net_seal *seal, uint8_t *out, const uint8_t *head, const uint8_t *in,
                  size_t len)
{
    uint8_t nonce[12];
    int n;

    net_seal_nonce(nonce, seal);
    return EVP_CipherInit_ex(seal->ctx, NULL, NULL, NULL, nonce, -1) == 1 &&
           EVP_CipherUpdate(seal->ctx, NULL, &n, head, NET_HEAD) == 1 &&
           (len == 0 || EVP_CipherUpdate(seal->ctx, out, &n, in, (int)len) == 1);
}

static bool seal_frame(struct net_seal *seal, uint8_t *out, uint8_t *tag, const uint8_t *head,
                       const uint8_t *in, size_t len)
{
    int n;

    return begin(seal, out, head, in, len) && EVP_CipherFinal_ex(seal->ctx, out + len, &n) == 1 &&
           EVP_CIPHER_CTX_ctrl(seal->ctx, EVP_CTRL_AEAD_GET_TAG, NET_TAG, tag) == 1;
}

static bool open_frame(struct net_seal *seal, uint8_t *out, const uint8_t *tag, const uint8_t *head,
                       const uint8_t *in, size_t len)
{
    uint8_t none[16];
    int n;

    return begin(seal, out, head, in, len) &&
           EVP_CIPHER_CTX_ctrl(seal->ctx, EVP_CTRL_AEAD_SET_TAG, NET_TAG, (void *)(uintptr_t)tag) ==
               1 &&
           EVP_CipherFinal_ex(seal->ctx, none, &n) == 1;
}

const struct net_seal_kind net_seal_gcm = {
    .name = "AES-256-GCM", .install = install, .seal = seal_frame, .open = open_frame};
