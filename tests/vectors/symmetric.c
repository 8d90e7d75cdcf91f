/* Ciphers, hashes, MACs and what is derived with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/aead.h"
#include "base/hash.h"
#include "base/profile.h"
#include "base/sm3.h"
#include "base/sm4.h"
#include "did/test_tools.h"
#include "net/seal.h"
#include "tests/vectors/vectors.h"

enum { MOST = 1024 };
static size_t ran, not_ours; /* of the file under way */
static const char *hash;     /* that its cases are about */

static bool is(const json_t *test, const char *member, const char *value)
{
    return strcmp(vectors_text(test, member), value) == 0;
}

static void run(const char *file, void (*one)(const json_t *group, const json_t *test))
{
    json_t *all = tools_vectors(file);

    ran = not_ours = 0;
    vectors_each(all, one);
    print_message("%s: %zu cases, and %zu of a form that we do not have\n", file, ran, not_ours);
    assert_true(ran > 0);
    json_decref(all);
}

static void check(const json_t *test, bool right)
{
    ran++;
    if (right != is(test, "result", "valid"))
        fail_msg("tcId %lld (%s): we say %s",
                 (long long)json_integer_value(json_object_get(test, "tcId")),
                 vectors_text(test, "comment"), right ? "valid" : "invalid");
}

/* Files are sealed with keys of 256 bits, nonces of 96 and tags of 128. */
static void aes_gcm(const json_t *group, const json_t *test)
{
    const struct base_aead *aead = base_aead_by_name("aes-256-gcm");
    uint8_t key[32], nonce[12], plain[MOST], sealed[MOST], box[MOST], out[MOST];
    struct base_aead_with with;
    uint8_t said[MOST];
    struct base_err err = {0};
    size_t len;
    fm_status st;

    if (json_integer_value(json_object_get(group, "keySize")) != 256 ||
        json_integer_value(json_object_get(group, "ivSize")) != 96) {
        not_ours++;
        return;
    }
    assert_int_equal(vectors_hex(key, 32, test, "key"), 32);
    assert_int_equal(vectors_hex(nonce, 12, test, "iv"), 12);
    len = vectors_hex(plain, MOST, test, "msg");
    with = (struct base_aead_with){said, vectors_hex(said, MOST, test, "aad")};
    assert_int_equal(vectors_hex(sealed, MOST - 16, test, "ct"), len);
    assert_int_equal(vectors_hex(sealed + len, 16, test, "tag"), 16);
    st = base_aead_open(aead, out, key, nonce, with, sealed, len, &err);
    assert_true(st == FM_OK || st == FM_E_AUTH);
    check(test, st == FM_OK && memcmp(out, plain, len) == 0);
    assert_int_equal(base_aead_seal(aead, box, key, nonce, with, plain, len, &err), FM_OK);
    assert_int_equal(memcmp(box, sealed, len + 16) == 0, is(test, "result", "valid"));
}

void vectors_aes_gcm(const char *file)
{
    run(file, aes_gcm);
}

static void hmac(const json_t *group, const json_t *test)
{
    uint8_t key[MOST], message[MOST], tag[32], out[32];
    size_t key_len = vectors_hex(key, MOST, test, "key");
    size_t len = vectors_hex(message, MOST, test, "msg"),
           tag_len = vectors_hex(tag, 32, test, "tag");

    (void)group;
    assert_true(base_hmac(out, hash, key, key_len, message, len));
    check(test, memcmp(out, tag, tag_len) == 0); /* or its beginning */
}

void vectors_hmac(const char *file)
{
    hash = strstr(file, "sm3") != NULL ? "SM3" : "SHA256";
    run(file, hmac);
}

/* Extract as net/agree.c does it, then net_expand(), which gives up to 32 bytes under the profile's
 * hash: they are how every longer output begins. */
static void hkdf(const json_t *group, const json_t *test)
{
    uint8_t ikm[MOST], salt[MOST], info[MOST], okm[32 * 256], secret[32], out[32];
    size_t ikm_len = vectors_hex(ikm, MOST, test, "ikm"),
           salt_len = vectors_hex(salt, MOST, test, "salt");
    size_t info_len = vectors_hex(info, MOST, test, "info");
    size_t size = (size_t)json_integer_value(json_object_get(test, "size"));
    size_t len = size < 32 ? size : 32;
    struct base_err err = {0};

    (void)group;
    if (!is(test, "result", "valid")) { /* more than 255 blocks: we never ask for a second one */
        assert_true(size > 255 * 32);
        not_ours++;
        return;
    }
    assert_int_equal(vectors_hex(okm, sizeof okm, test, "okm"), size);
    assert_true(base_hmac(secret, hash, salt, salt_len, ikm, ikm_len));
    assert_int_equal(net_expand(out, len, secret, "", info, info_len, &err), FM_OK);
    check(test, memcmp(out, okm, len) == 0);
}

void vectors_hkdf(const char *file)
{
    struct base_err err = {0};
    bool national = strstr(file, "sm3") != NULL;

    hash = national ? "SM3" : "SHA256";
    if (national)
        assert_int_equal(base_profile_adopt(BASE_PROFILE_NATIONAL, &err), FM_OK);
    assert_string_equal(base_hash_name(), hash);
    run(file, hkdf);
    base_profile_forget();
}

/* The call that did/keyfile.c makes, with salts of its own length and at least 2^17 iterations;
 * whole files by another's program are in did/test_keyfile.c. */
static void pbkdf2(const json_t *group, const json_t *test)
{
    uint8_t password[MOST], salt[MOST], want[MOST], out[MOST];
    size_t len = vectors_hex(password, MOST, test, "password");
    size_t salt_len = vectors_hex(salt, MOST, test, "salt"),
           size = vectors_hex(want, MOST, test, "dk");
    int rounds = (int)json_integer_value(json_object_get(test, "iterationCount"));

    (void)group;
    assert_int_equal(PKCS5_PBKDF2_HMAC((const char *)password, (int)len, salt, (int)salt_len,
                                       rounds, EVP_sm3(), (int)size, out),
                     1);
    check(test, memcmp(out, want, size) == 0);
}

void vectors_pbkdf2_sm3(const char *file)
{
    run(file, pbkdf2);
}

/* ---- OpenSSL's text files ---- */

/* "text" or hex. */
static size_t input_of(uint8_t *out, const char *group, const char *name)
{
    char *text = vectors_evp_value(group, name);
    size_t len;

    assert_non_null(text);
    if (text[0] == '"') {
        len = strlen(text) - 2;
        assert_true(len <= MOST);
        memcpy(out, text + 1, len);
    } else {
        len = vectors_unhex(out, MOST, text);
    }
    free(text);
    return len;
}

/* Each group that has the name: `one` says whether it is a case of ours. */
static void run_evp(const char *file, const char *name,
                    bool (*one)(const char *group, const char *value))
{
    char *text = tools_text(file), *group;
    const char *at = text;

    ran = not_ours = 0;
    while ((group = vectors_evp_next(&at, name)) != NULL) {
        char *value = vectors_evp_value(group, name);
        if (one(group, value))
            ran++;
        else
            not_ours++;
        free(value);
        free(group);
    }
    print_message("%s: %zu cases, and %zu of a form that we do not have\n", file, ran, not_ours);
    free(text);
}

static bool digest(const char *group, const char *algorithm)
{
    uint8_t message[MOST], want[MOST], out[32];
    struct base_sm3_part part = {message, 0};
    struct base_hash streamed;
    struct base_err err = {0};

    if (strcmp(algorithm, "SM3") != 0)
        return false;
    part.len = input_of(message, group, "Input");
    assert_int_equal(input_of(want, group, "Output"), 32);
    assert_int_equal(base_sm3(out, &part, 1, &err), FM_OK);
    assert_memory_equal(out, want, 32);
    base_sm3_init(&streamed);
    for (size_t i = 0; i < part.len; i++) /* byte by byte */
        base_hash_update(&streamed, message + i, 1);
    base_hash_final(&streamed, out);
    assert_memory_equal(out, want, 32);
    return true;
}

void vectors_evp_sm3(const char *file)
{
    run_evp(file, "Digest", digest);
    assert_int_equal(ran, 8);
}

static bool evp_hmac(const char *group, const char *mac)
{
    uint8_t message[MOST], key[MOST], want[MOST], out[32];
    size_t len = input_of(message, group, "Input"), key_len = input_of(key, group, "Key");

    assert_string_equal(mac, "HMAC");
    assert_int_equal(input_of(want, group, "Output"), 32);
    assert_true(base_hmac(out, "SM3", key, key_len, message, len));
    assert_memory_equal(out, want, 32);
    return true;
}

void vectors_evp_hmac_sm3(const char *file)
{
    run_evp(file, "MAC", evp_hmac);
    assert_int_equal(ran, 4);
}

/* Counter mode, and ECB of one block, which is counter mode's of zeros, by each implementation. */
static bool sm4(const char *group, const char *cipher)
{
    uint8_t key[MOST], iv[MOST], plain[MOST], want[MOST], out[MOST];
    bool ctr = strcmp(cipher, "SM4-CTR") == 0;
    size_t len;

    if (!ctr && strcmp(cipher, "SM4-ECB") != 0)
        return false;
    assert_int_equal(input_of(key, group, "Key"), 16);
    len = input_of(plain, group, "Plaintext");
    assert_int_equal(input_of(want, group, "Ciphertext"), len);
    if (ctr)
        assert_int_equal(input_of(iv, group, "IV"), 16);
    else
        assert_int_equal(len, 16);
    for (int openssl = 0; openssl < 2; openssl++) {
        struct base_sm4 *own = base_sm4_new(key);
        assert_non_null(own);
        if (openssl)
            base_sm4_use_openssl(own);
        assert_true(base_sm4_ctr(own, out, ctr ? plain : NULL, len, ctr ? iv : plain));
        assert_memory_equal(out, want, len);
        base_sm4_free(own);
    }
    return true;
}

void vectors_evp_sm4(const char *file)
{
    run_evp(file, "Cipher", sm4);
    assert_int_equal(ran, 2);
}
