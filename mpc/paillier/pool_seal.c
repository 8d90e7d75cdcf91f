#include "mpc/paillier/pool_seal.h"

#include <openssl/evp.h>

#include "base/secret.h"

fm_status mpc_pai_seal(uint8_t *out, const uint8_t key32[32], const uint8_t *ad, size_t ad_len,
                       const uint8_t *plain, size_t len, const struct base_random *random,
                       struct base_err *err)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    uint8_t *to = out + MPC_PAI_SEAL_NONCE;
    int n;
    fm_status st = base_random_fill(random, out, MPC_PAI_SEAL_NONCE, err);

    if (st == FM_OK &&
        (c == NULL || !EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key32, out) ||
         !EVP_EncryptUpdate(c, NULL, &n, ad, (int)ad_len) ||
         !EVP_EncryptUpdate(c, to, &n, plain, (int)len) || !EVP_EncryptFinal_ex(c, to + n, &n) ||
         !EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, MPC_PAI_SEAL_TAG, to + len)))
        st = base_err_memory(err, "paillier: sealing");
    EVP_CIPHER_CTX_free(c);
    return st;
}

fm_status mpc_pai_unseal(uint8_t *plain, const uint8_t key32[32], const uint8_t *ad, size_t ad_len,
                         const uint8_t *sealed, size_t len, struct base_err *err)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    const uint8_t *from = sealed + MPC_PAI_SEAL_NONCE;
    uint8_t tag[MPC_PAI_SEAL_TAG];
    fm_status st = FM_OK;
    int n;

    for (size_t i = 0; i < sizeof tag; i++)
        tag[i] = from[len + i];
    if (c == NULL || !EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key32, sealed) ||
        !EVP_DecryptUpdate(c, NULL, &n, ad, (int)ad_len) ||
        !EVP_DecryptUpdate(c, plain, &n, from, (int)len) ||
        !EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, MPC_PAI_SEAL_TAG, tag))
        st = base_err_memory(err, "paillier: opening");
    else if (EVP_DecryptFinal_ex(c, plain + n, &n) <= 0)
        st = base_err_set(err, FM_E_CORRUPT, "does not open: another key, or it was changed");
    if (st != FM_OK)
        base_wipe(plain, len);
    EVP_CIPHER_CTX_free(c);
    return st;
}
