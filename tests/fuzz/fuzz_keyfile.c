/* Files with a sealed key. scrypt, which is slow by design, is a hash of the same inputs here: the
 * program's EVP_KDF_derive comes before libcrypto's (ELF symbol resolution), in this program alone.
 *
 * Laws: what is public reads as it was written; a file opens only if it is, byte by byte, one that
 * was sealed, and only under its passphrase; no file asks for more than the limit. */
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "did/keyfile.h"
#include "tests/fuzz/fuzz.h"

enum { SEALED_AT = 1795168260 };

static struct did_passphrase *right, *wrong;
static struct fuzz_corpus good;

int EVP_KDF_derive(EVP_KDF_CTX *ctx, unsigned char *key, size_t keylen, const OSSL_PARAM params[])
    __attribute__((visibility("default")));

int EVP_KDF_derive(EVP_KDF_CTX *ctx, unsigned char *key, size_t keylen, const OSSL_PARAM params[])
{
    struct base_buf all = {0};
    uint64_t memory = 0;
    uint8_t hash[32];

    fuzz_law(strcmp(EVP_KDF_get0_name(EVP_KDF_CTX_kdf(ctx)), "SCRYPT") == 0 && keylen == 32,
             "only scrypt is asked for, and 32 bytes");
    for (const OSSL_PARAM *p = params; p->key != NULL; p++) {
        base_buf_put_u32(&all, (uint32_t)p->data_size);
        base_buf_put(&all, p->data, p->data_size);
        if (strcmp(p->key, OSSL_KDF_PARAM_SCRYPT_N) == 0)
            fuzz_law(OSSL_PARAM_get_uint64(p, &memory) == 1 && memory <= 1 << 20, "n is bounded");
    }
    base_sha256(hash, all.p, all.len);
    memcpy(key, hash, 32);
    base_buf_release(&all);
    return 1;
}

static void check_public(const struct did_keyfile *info, const uint8_t *data, size_t size)
{
    struct base_err err = {0};
    json_t *json;

    fuzz_law(size > 1 && size <= DID_KEYFILE_MAX && data[size - 1] == '\n' &&
                 base_json_parse_canonical(&json, data, size - 1, &err) == FM_OK,
             "a key file is one canonical line");
    json_decref(json);
    fuzz_law(info->role[0] != '\0' && strlen(info->role) <= DID_KEYFILE_ROLE_MAX, "it has a role");
}

static void try_file(const uint8_t *data, size_t size)
{
    struct did_keyfile info, opened;
    struct did_secret *secret = NULL;
    struct base_err err = {0};
    fm_status peeked = did_keyfile_peek(&info, data, size, &err), st;

    if (peeked == FM_OK)
        check_public(&info, data, size);
    else
        fuzz_law((peeked == FM_E_CORRUPT || peeked == FM_E_LIMIT) && err.text[0] != '\0',
                 "a refusal says why");
    st = did_keyfile_open(&secret, &opened, data, size, right, &err);
    fuzz_law((st == FM_OK) == (secret != NULL), "a key comes with success, and only then");
    if (st == FM_OK) {
        fuzz_law(fuzz_is_specimen(&good, data, size), "nothing altered opens");
        fuzz_law(peeked == FM_OK && strcmp(opened.role, info.role) == 0 &&
                     opened.created_s == SEALED_AT,
                 "what is public was sealed with it");
        did_secret_free(secret);
    } else {
        fuzz_law(st == FM_E_CORRUPT || st == FM_E_LIMIT || st == FM_E_AUTH, "by its own codes");
        fuzz_law(peeked != FM_OK || st == FM_E_AUTH, "what reads fails by its seal alone");
    }
    fuzz_law(did_keyfile_open(&secret, NULL, data, size, wrong, &err) != FM_OK,
             "another passphrase opens nothing");
}

/* What somebody makes of it who can compute a checksum. */
static void run(const uint8_t *data, size_t size)
{
    struct base_buf fixed = {0};
    struct base_err err = {0};
    json_t *json = NULL;
    uint8_t hash[32];
    char hex[33];

    try_file(data, size);
    if (size < 2 || base_json_parse(&json, (const char *)data, size, &err) != FM_OK)
        return;
    if (json_object_del(json, "checksum") == 0 && base_json_hash(hash, json, &err) == FM_OK) {
        base_hex(hex, hash, 16);
        fuzz_law(json_object_set_new(json, "checksum", json_string(hex)) == 0 &&
                     base_json_canonical(&fixed, json, &err) == FM_OK,
                 "there is memory");
        base_buf_put_u8(&fixed, '\n');
        try_file(fixed.p, fixed.len);
        base_buf_release(&fixed);
    }
    json_decref(json);
}

static fm_status count_up(void *ctx, void *out, size_t len, struct base_err *err)
{
    uint8_t *next = ctx;

    (void)err;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (*next)++;
    return FM_OK;
}

static void begin(struct fuzz_corpus *corpus)
{
    static uint8_t next;
    const struct base_random random = {count_up, &next};
    const struct did_suite *const suites[] = {did_suite_ed25519(), did_suite_p256(),
                                              did_suite_sm2()};
    static const char *const roles[] = {"subject", "assertionMethod", "recovery"};
    struct base_err err = {0};

    fuzz_law(did_passphrase_from_bytes(&right, "battery staple", 14, &err) == FM_OK &&
                 did_passphrase_from_bytes(&wrong, "battery stable", 14, &err) == FM_OK,
             err.text);
    for (size_t i = 0; i < 3; i++) {
        const uint8_t seed[32] = {(uint8_t)(i + 1)};
        struct did_secret *secret;
        struct base_buf file = {0};
        fuzz_law(did_secret_import(&secret, suites[i], seed, 32, &err) == FM_OK &&
                     did_keyfile_seal(&file, secret, roles[i], SEALED_AT, right, &did_kdf_default,
                                      &random, &err) == FM_OK,
                 err.text);
        fuzz_add(corpus, file.p, file.len);
        fuzz_add(&good, file.p, file.len);
        base_buf_release(&file);
        did_secret_free(secret);
    }
}

static const char *const words[] = {
    "\n",      " ",      "checksum", "aes-256-gcm", "created", "firmiana-key-1", "kdf",   "scrypt",
    "salt",    "nonce",  "public",   "role",        "sealed",  "suite",          "p256",  "sm2",
    "ed25519", "\"n\":", "\"r\":",   "\"p\":",      "1048576", "2097152",        "16384", NULL};
const struct fuzz_target fuzz_target = {"keyfile", FUZZ_JSON_LINES, 2048, words, begin, run};
