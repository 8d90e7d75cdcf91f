#include "base/sm4.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "base/sm4_own.h"

struct base_sm4 {
    EVP_CIPHER_CTX *ctx;
    bool vectors;
    uint32_t keys[SM4_ROUNDS];
};

static bool has_vectors(void)
{
#ifdef BASE_SM4_GFNI
    return __builtin_cpu_supports("gfni") && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw");
#else
    return false;
#endif
}

struct base_sm4 *base_sm4_new(const uint8_t key16[16])
{
    struct base_sm4 *sm4 = calloc(1, sizeof *sm4);

    if (sm4 == NULL)
        return NULL;
    sm4->ctx = EVP_CIPHER_CTX_new();
    if (sm4->ctx == NULL || EVP_EncryptInit_ex(sm4->ctx, EVP_sm4_ctr(), NULL, key16, NULL) != 1) {
        base_sm4_free(sm4);
        return NULL;
    }
    sm4->vectors = has_vectors();
#ifdef BASE_SM4_GFNI
    if (sm4->vectors)
        base_sm4_gfni_keys(sm4->keys, key16);
#endif
    return sm4;
}

void base_sm4_free(struct base_sm4 *sm4)
{
    if (sm4 == NULL)
        return;
    EVP_CIPHER_CTX_free(sm4->ctx);
    base_wipe(sm4, sizeof *sm4);
    free(sm4);
}

void base_sm4_use_openssl(struct base_sm4 *sm4)
{
    sm4->vectors = false;
}

bool base_sm4_ctr(struct base_sm4 *sm4, uint8_t *out, const uint8_t *in, size_t len,
                  const uint8_t counter16[16])
{
    enum { PIECE = 1 << 30 }; /* EVP counts in int */

#ifdef BASE_SM4_GFNI
    if (sm4->vectors) {
        base_sm4_gfni_ctr(out, in, len, counter16, sm4->keys);
        return true;
    }
#endif
    if (in == NULL)
        memset(out, 0, len);
    if (EVP_EncryptInit_ex(sm4->ctx, NULL, NULL, NULL, counter16) != 1)
        return false;
    for (size_t at = 0; at < len; at += PIECE) {
        int n, piece = (int)(len - at < PIECE ? len - at : PIECE);
        if (EVP_EncryptUpdate(sm4->ctx, out + at, &n, (in != NULL ? in : out) + at, piece) != 1)
            return false;
    }
    return true;
}
