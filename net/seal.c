#include "net/seal_own.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/profile.h"
#include "base/secret.h"
#include "base/sm4.h"

enum { INFO_MAX = 96 };

fm_status net_expand(uint8_t *out, size_t out_len, const uint8_t secret32[32], const char *label,
                     const void *context, size_t context_len, struct base_err *err)
{
    size_t label_len = strlen(label);
    int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    uint8_t info[INFO_MAX];
    char digest[8];
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    int ok;

    assert(out_len <= 32 && label_len + context_len <= sizeof info);
    strcpy(digest, base_hash_name());
    memcpy(info, label, label_len);
    if (context_len > 0)
        memcpy(info + label_len, context, context_len);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret32, 32),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, label_len + context_len),
        OSSL_PARAM_construct_end()};
    ok = ctx && EVP_KDF_derive(ctx, out, out_len, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok ? FM_OK : base_err_memory(err, "HKDF");
}

/* Keys and IV base of the present secret; the counter begins again. */
static fm_status install(struct net_seal *seal, struct base_err *err)
{
    fm_status rv = seal->kind->install(seal, err);

    if (rv == FM_OK)
        rv = net_expand(seal->iv12, sizeof seal->iv12, seal->secret32, "firmiana iv", NULL, 0, err);
    seal->counter = 0;
    seal->blocks = 0;
    return rv;
}

fm_status net_seal_init(struct net_seal *seal, enum net_seal_way way, const uint8_t secret32[32],
                        uint64_t limit_blocks, struct base_err *err)
{
    fm_status rv;

    *seal = (struct net_seal){.kind = base_profile_is_national() ? &net_seal_sm4 : &net_seal_gcm,
                              .way = way,
                              .limit_blocks = limit_blocks};
    memcpy(seal->secret32, secret32, 32);
    seal->ctx = EVP_CIPHER_CTX_new();
    rv = seal->ctx ? install(seal, err) : base_err_memory(err, seal->kind->name);
    if (rv != FM_OK)
        net_seal_release(seal);
    return rv;
}

void net_seal_release(struct net_seal *seal)
{
    EVP_CIPHER_CTX_free(seal->ctx); /* OpenSSL wipes the key schedule */
    EVP_MAC_CTX_free(seal->mac);
    base_sm4_free(seal->sm4);
    base_wipe(seal, sizeof *seal);
}

/* Moves on to the next key of the chain when this frame would pass the limit. Both ends count
 * alike, because both see the same lengths in the same order. A forged length can move the opener
 * to a key too early, but then the frame does not open and the connection ends. */
static fm_status turn_key(struct net_seal *seal, size_t len, struct base_err *err)
{
    uint64_t blocks = 2 + ((uint64_t)len + 15) / 16; /* the tag's, the head's, the payload's */
    uint8_t next[32];
    fm_status rv = FM_OK;

    if (seal->blocks > 0 && seal->blocks + blocks > seal->limit_blocks) {
        rv = net_expand(next, sizeof next, seal->secret32, "firmiana rekey", NULL, 0, err);
        if (rv == FM_OK) {
            memcpy(seal->secret32, next, sizeof next);
            rv = install(seal, err);
        }
        base_wipe(next, sizeof next);
    }
    seal->blocks += blocks;
    return rv;
}

void net_seal_nonce(uint8_t out12[12], const struct net_seal *seal)
{
    uint8_t counter[8];

    base_store_u64(counter, seal->counter);
    memcpy(out12, seal->iv12, 12);
    for (int i = 0; i < 8; i++)
        out12[4 + i] ^= counter[i];
}

fm_status net_seal_frame(struct net_seal *seal, uint8_t *frame, const struct net_head *head,
                         const uint8_t *plain, struct base_err *err)
{
    uint8_t *sealed = frame + NET_HEAD;
    fm_status rv;

    assert(seal->way == NET_SEAL && head->len <= NET_FRAME_PAYLOAD_MAX);
    rv = turn_key(seal, head->len, err);
    if (rv != FM_OK)
        return rv;
    net_head_write(frame, head);
    if (!seal->kind->seal(seal, sealed, sealed + head->len, frame, plain, head->len))
        return base_err_memory(err, seal->kind->name); /* UNTESTED: ciphers in memory don't fail */
    seal->counter++;
    return FM_OK;
}

fm_status net_seal_open(struct net_seal *seal, uint8_t *plain, const uint8_t *frame,
                        const struct net_head *head, struct base_err *err)
{
    const uint8_t *sealed = frame + NET_HEAD;
    uint8_t tag[NET_TAG];
    fm_status rv;

    assert(seal->way == NET_OPEN && head->len <= NET_FRAME_PAYLOAD_MAX);
    rv = turn_key(seal, head->len, err);
    if (rv != FM_OK)
        return rv;
    memcpy(tag, sealed + head->len, NET_TAG);
    if (!seal->kind->open(seal, plain, tag, frame, sealed, head->len)) {
        base_wipe(plain, head->len);
        return base_err_set(err, FM_E_AUTH,
                            "frame %llu of stream %u does not open: lost, doubled or altered",
                            (unsigned long long)seal->counter, head->stream);
    }
    seal->counter++;
    return FM_OK;
}
