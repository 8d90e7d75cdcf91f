/* SM4-CTR (GB/T 32907-2016, 17964) and HMAC-SM3, encrypt-then-MAC with a key for each. The MAC is
 * over nonce || head || ciphertext, of which nonce and head have fixed lengths, and is cut to 16
 * bytes, so that frames are as long as GCM's (RFC 2104, section 5: not below half of the hash). The
 * counter block is nonce || 0: at most 2^16 blocks a frame. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/secret.h"
#include "base/sm4.h"
#include "net/seal_own.h"

static bool set_mac(struct net_seal *seal, const uint8_t key[32])
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SM3"}, 0),
        OSSL_PARAM_construct_end()};

    if (seal->mac == NULL) {
        EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);

        seal->mac = hmac != NULL ? EVP_MAC_CTX_new(hmac) : NULL;
        EVP_MAC_free(hmac);
    }
    return seal->mac != NULL && EVP_MAC_init(seal->mac, key, 32, params) == 1;
}

static fm_status install(struct net_seal *seal, struct base_err *err)
{
    uint8_t key[16], mac[32];
    fm_status rv = net_expand(key, sizeof key, seal->secret32, "firmiana key", NULL, 0, err);

    if (rv == FM_OK)
        rv = net_expand(mac, sizeof mac, seal->secret32, "firmiana mac", NULL, 0, err);
    base_sm4_free(seal->sm4);
    seal->sm4 = rv == FM_OK ? base_sm4_new(key) : NULL;
    if (rv == FM_OK && (seal->sm4 == NULL || !set_mac(seal, mac)))
        /* UNTESTED: OpenSSL without SM4 or SM3 */
        rv = base_err_set(err, FM_E_UNSUPPORTED, "this OpenSSL has no SM4 or no SM3");
    base_wipe(key, sizeof key);
    base_wipe(mac, sizeof mac);
    return rv;
}

static bool apply(struct net_seal *seal, uint8_t *out, const uint8_t *in, size_t len)
{
    uint8_t iv[16] = {0};

    net_seal_nonce(iv, seal);
    return base_sm4_ctr(seal->sm4, out, in, len, iv);
}

static bool mac_of(uint8_t mac[32], struct net_seal *seal, const uint8_t *head,
                   const uint8_t *sealed, size_t len)
{
    uint8_t nonce[12];
    size_t got = 0;

    net_seal_nonce(nonce, seal);
    return EVP_MAC_init(seal->mac, NULL, 0, NULL) == 1 &&
           EVP_MAC_update(seal->mac, nonce, sizeof nonce) == 1 &&
           EVP_MAC_update(seal->mac, head, NET_HEAD) == 1 &&
           EVP_MAC_update(seal->mac, sealed, len) == 1 &&
           EVP_MAC_final(seal->mac, mac, &got, 32) == 1 && got == 32;
}

static bool seal_frame(struct net_seal *seal, uint8_t *out, uint8_t *tag, const uint8_t *head,
                       const uint8_t *in, size_t len)
{
    uint8_t mac[32];

    if (!apply(seal, out, in, len) || !mac_of(mac, seal, head, out, len))
        return false;
    memcpy(tag, mac, NET_TAG);
    return true;
}

static bool open_frame(struct net_seal *seal, uint8_t *out, const uint8_t *tag, const uint8_t *head,
                       const uint8_t *in, size_t len)
{
    uint8_t mac[32];

    return mac_of(mac, seal, head, in, len) && base_equal(mac, tag, NET_TAG) &&
           apply(seal, out, in, len);
}

const struct net_seal_kind net_seal_sm4 = {
    .name = "SM4-CTR with HMAC-SM3", .install = install, .seal = seal_frame, .open = open_frame};
