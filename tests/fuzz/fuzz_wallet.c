/* Wallets' files. scrypt and HKDF are a hash of the same inputs here, as in fuzz_keyfile.c.
 *
 * Laws: a file opens only if it is, byte by byte, one that was written, and only under its
 * passphrase; what opens is written and opens again; a refusal is by its own codes and says why. */
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "exchange/wallet/key.h"
#include "tests/fuzz/fuzz.h"

static struct did_passphrase *right, *wrong;
static struct fuzz_corpus good;

int EVP_KDF_derive(EVP_KDF_CTX *ctx, unsigned char *key, size_t keylen, const OSSL_PARAM params[])
    __attribute__((visibility("default")));

int EVP_KDF_derive(EVP_KDF_CTX *ctx, unsigned char *key, size_t keylen, const OSSL_PARAM params[])
{
    struct base_buf all = {0};
    uint64_t memory = 0;
    uint8_t hash[32];

    (void)ctx;
    fuzz_law(keylen <= 32, "keys have at most 32 bytes");
    for (const OSSL_PARAM *p = params; p->key != NULL; p++) {
        base_buf_put_u32(&all, (uint32_t)p->data_size);
        base_buf_put(&all, p->data, p->data_size);
        if (strcmp(p->key, OSSL_KDF_PARAM_SCRYPT_N) == 0)
            fuzz_law(OSSL_PARAM_get_uint64(p, &memory) == 1 && memory <= 1 << 20, "n is bounded");
    }
    base_sha256(hash, all.p, all.len);
    memcpy(key, hash, keylen);
    base_buf_release(&all);
    return 1;
}

static void written_again(struct wallet *w)
{
    struct base_buf bytes = {0};
    struct base_err err = {0};
    struct wallet again;

    fuzz_law(wallet_write(&bytes, w, base_random_system(), &err) == FM_OK &&
                 wallet_read(&again, bytes.p, bytes.len, right, &err) == FM_OK &&
                 json_equal(again.content, w->content),
             "what opens is written, and opens again");
    wallet_release(&again);
    base_buf_release(&bytes);
}

static void run(const uint8_t *data, size_t size)
{
    struct base_err err = {0};
    struct wallet w;
    fm_status st = wallet_read(&w, data, size, right, &err);

    if (st == FM_OK) {
        fuzz_law(fuzz_is_specimen(&good, data, size), "nothing altered opens");
        written_again(&w);
    } else {
        fuzz_law(st == FM_E_CORRUPT || st == FM_E_LIMIT || st == FM_E_AUTH || st == FM_E_CONFLICT,
                 "by its own codes");
        fuzz_law(err.text[0] != '\0' && w.master == NULL && w.content == NULL,
                 "a refusal says why, and leaves nothing");
    }
    wallet_release(&w);
    fuzz_law(wallet_read(&w, data, size, wrong, &err) != FM_OK, "no other passphrase opens it");
}

static void begin(struct fuzz_corpus *corpus)
{
    static const char *const lists[] = {"consents", "credentials", "identities", "mandates"};
    struct base_err err = {0};

    fuzz_law(did_passphrase_from_bytes(&right, "battery staple", 14, &err) == FM_OK &&
                 did_passphrase_from_bytes(&wrong, "battery stable", 14, &err) == FM_OK,
             err.text);
    for (size_t i = 0; i < 3; i++) {
        const uint8_t seed[32] = {(uint8_t)(i + 1)};
        struct base_buf file = {0};
        struct wallet w;
        fuzz_law(wallet_new(&w, seed, did_suite_ed25519(), 1795168260, right, NULL,
                            base_random_system(), &err) == FM_OK,
                 err.text);
        for (size_t k = 0; k < i; k++)
            fuzz_law(json_array_append_new(wallet_list(&w, lists[k]),
                                           json_pack("{s:s,s:i}", "id", "1f", "n", 3)) == 0,
                     "there is memory");
        fuzz_law(wallet_write(&file, &w, base_random_system(), &err) == FM_OK, err.text);
        fuzz_add(corpus, file.p, file.len);
        fuzz_add(&good, file.p, file.len);
        base_buf_release(&file);
        wallet_release(&w);
    }
}

static const char *const words[] = {
    "\n",       "content", "format", "firmiana-wallet-1", "key",         "nonce", "sealed",
    "checksum", "suite",   "sm2",    "ed25519",           "aes-256-gcm", "role",  "consents",
    "wallet",   "scrypt",  "\"n\":", "2097152",           NULL};
const struct fuzz_target fuzz_target = {"wallet", FUZZ_JSON_LINES, 4096, words, begin, run};
