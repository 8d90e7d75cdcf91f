#include "mpc/randomness.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/profile.h"
#include "base/secret.h"

enum { JOINT_BYTES = MPC_JOINT_WORDS * 8 };

fm_status mpc_private_fill(const struct mpc_private *random, void *out, size_t len,
                           struct base_err *err)
{
    return base_random_fill(random->source, out, len, err);
}

static int derive(uint8_t key16[16], const uint8_t seed[MPC_SEED], const uint8_t context32[32],
                  const uint8_t *info, size_t info_len)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    uint8_t key[MPC_SEED];
    uint8_t salt[32];
    char *digest = (char *)(uintptr_t)base_hash_name(); /* is only read */
    OSSL_PARAM params[5];
    int ok;

    memcpy(key, seed, sizeof key);
    memcpy(salt, context32, sizeof salt);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key, sizeof key);
    params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt, sizeof salt);
    params[3] =
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info, info_len);
    params[4] = OSSL_PARAM_construct_end();
    ok = ctx != NULL && EVP_KDF_derive(ctx, key16, 16, params) == 1;
    base_wipe(key, sizeof key);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok;
}

fm_status mpc_joint_init(struct mpc_joint *joint, const uint8_t seed[MPC_SEED],
                         const uint8_t context32[32], const char *label, unsigned stream,
                         struct base_err *err)
{
    const uint8_t iv[16] = {0};
    uint8_t key[16];
    struct base_buf info = {0};
    EVP_CIPHER_CTX *cipher = NULL;
    fm_status status;

    memset(joint, 0, sizeof *joint);
    base_buf_put(&info, "firmiana mpc joint v1", 22);
    base_buf_put(&info, label, strlen(label) + 1);
    base_buf_put_u32(&info, stream);
    status = base_buf_status(&info, "joint generator", err);
    if (status != FM_OK)
        goto out;
    cipher = EVP_CIPHER_CTX_new();
    joint->words = aligned_alloc(64, JOINT_BYTES);
    if (cipher == NULL || joint->words == NULL) {
        status = base_err_memory(err, "joint generator");
        goto out;
    }
    /* UNTESTED: an OpenSSL without HKDF or AES would be an installation without its default
     * provider. */
    if (!derive(key, seed, context32, info.p, info.len) ||
        (base_profile_is_national()
             ? (joint->sm4 = base_sm4_new(key)) == NULL
             : EVP_EncryptInit_ex(cipher, EVP_aes_128_ctr(), NULL, key, iv) != 1)) {
        status = base_err_set(err, FM_E_IO,
                              "joint generator: OpenSSL offers no HKDF, AES-CTR or SM4-CTR");
        goto out;
    }
    joint->cipher = cipher;
    joint->used = MPC_JOINT_WORDS;
    cipher = NULL;
out:
    base_wipe(key, sizeof key);
    EVP_CIPHER_CTX_free(cipher);
    base_buf_release(&info);
    if (status != FM_OK)
        mpc_joint_release(joint);
    return status;
}

void mpc_joint_release(struct mpc_joint *joint)
{
    if (joint->words != NULL)
        base_wipe(joint->words, JOINT_BYTES);
    free(joint->words);
    EVP_CIPHER_CTX_free(joint->cipher); /* wipes its key */
    base_sm4_free(joint->sm4);
    memset(joint, 0, sizeof *joint);
}

/* The next `words` words of the stream, an even number and at most MPC_JOINT_WORDS. */
static void generate(struct mpc_joint *joint, uint64_t *out, size_t words)
{
    static const uint8_t zeros[JOINT_BYTES];
    int len = 0;

    if (joint->sm4 != NULL) {
        uint8_t counter[16] = {0};
        base_store_u64(counter + 8, joint->block);
        if (!base_sm4_ctr(joint->sm4, (uint8_t *)out, NULL, words * 8, counter))
            abort();
        joint->block += words / 2;
        return;
    }
    if (EVP_EncryptUpdate(joint->cipher, (uint8_t *)out, &len, zeros, (int)(words * 8)) != 1 ||
        (size_t)len != words * 8)
        abort(); /* AES-CTR in memory has no way to fail; going on without randomness is no option
                  */
}

static void refill(struct mpc_joint *joint)
{
    generate(joint, joint->words, MPC_JOINT_WORDS);
    joint->used = 0;
}

const uint64_t *mpc_joint_peek(struct mpc_joint *joint, size_t *available)
{
    if (joint->used == MPC_JOINT_WORDS)
        refill(joint);
    *available = MPC_JOINT_WORDS - joint->used;
    return joint->words + joint->used;
}

void mpc_joint_take(struct mpc_joint *joint, size_t words)
{
    joint->used += words;
}

void mpc_joint_fill(struct mpc_joint *joint, uint64_t *out, size_t words)
{
    while (words > 0) {
        size_t have;
        const uint64_t *next;

        /* Whole blocks go where they are wanted. */
        if (joint->used == MPC_JOINT_WORDS && words >= MPC_JOINT_WORDS) {
            generate(joint, out, MPC_JOINT_WORDS);
            out += MPC_JOINT_WORDS;
            words -= MPC_JOINT_WORDS;
            continue;
        }
        next = mpc_joint_peek(joint, &have);
        if (have > words)
            have = words;
        memcpy(out, next, have * 8);
        mpc_joint_take(joint, have);
        out += have;
        words -= have;
    }
}
