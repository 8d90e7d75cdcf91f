#include "did/keyfile.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <stdio.h>
#include <string.h>

#include "base/aead.h"
#include "base/json.h"
#include "base/secret.h"
#include "did/moment.h"
#include "did/multibase.h"

#define FORMAT "firmiana-key-1"
#define KEY_LEN 32
#define SALT_LEN 32
#define NONCE_LEN 12
#define TAG_LEN BASE_AEAD_TAG
#define CHECKSUM_LEN 16
#define PBKDF2 "pbkdf2-hmac-sm3"
#define PBKDF2_PER_N 8 /* iterations for each of scrypt's n: 262144 by default */
#define PBKDF2_LEAST (1 << 17)
#define PBKDF2_MOST (1 << 24)
#define KDF_MEMORY_MAX ((uint64_t)1 << 30)

const struct did_kdf did_kdf_default = {1u << 15, 8, 1};

/* A key file taken apart. */
struct sealed {
    struct did_keyfile info;
    const struct base_aead *aead;
    struct did_kdf kdf;
    uint32_t iterations; /* of PBKDF2; 0: scrypt, as kdf has it */
    uint8_t salt[SALT_LEN], nonce[NONCE_LEN];
    uint8_t sealed[DID_SECRET_MAX + TAG_LEN];
};

static bool role_is_valid(const char *role)
{
    size_t len = strspn(role, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-");

    return len >= 1 && len <= DID_KEYFILE_ROLE_MAX && role[len] == '\0';
}

static bool kdf_is_valid(int64_t n, int64_t r, int64_t p)
{
    return n >= 1 << 14 && n <= 1 << 20 && (n & (n - 1)) == 0 && r >= 1 && r <= 32 && p >= 1 &&
           p <= 16 && (uint64_t)n * (uint64_t)r * 128 <= KDF_MEMORY_MAX;
}

/* The national AEAD goes with the national way to a key. */
static bool is_national(const struct base_aead *aead)
{
    return strcmp(base_aead_name(aead), "sm4-ctr-hmac-sm3") == 0;
}

/* ---- cryptography ---- */

static fm_status derive_national(uint8_t key[KEY_LEN], const struct did_passphrase *pass,
                                 const struct sealed *s, struct base_err *err)
{
    size_t len;
    const char *bytes = did_passphrase_bytes(pass, &len);

    if (PKCS5_PBKDF2_HMAC(bytes, (int)len, s->salt, SALT_LEN, (int)s->iterations, EVP_sm3(),
                          KEY_LEN, key) != 1)
        return base_err_memory(err, "PBKDF2"); /* UNTESTED: memory, or an OpenSSL without SM3 */
    return FM_OK;
}

static fm_status derive_scrypt(uint8_t key[KEY_LEN], const struct did_passphrase *pass,
                               const struct did_kdf *kdf, const uint8_t salt[SALT_LEN],
                               struct base_err *err)
{
    uint64_t n = kdf->n, most = 2 * KDF_MEMORY_MAX;
    uint32_t r = kdf->r, p = kdf->p;
    size_t len;
    const char *bytes = did_passphrase_bytes(pass, &len);
    /* OpenSSL only reads through these pointers. */
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_PASSWORD, (void *)(uintptr_t)bytes, len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)salt, SALT_LEN),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_N, &n),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_R, &r),
        OSSL_PARAM_construct_uint32(OSSL_KDF_PARAM_SCRYPT_P, &p),
        OSSL_PARAM_construct_uint64(OSSL_KDF_PARAM_SCRYPT_MAXMEM, &most),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *scrypt;
    EVP_KDF_CTX *ctx = NULL;
    fm_status st = FM_OK;

    (void)ERR_set_mark();
    scrypt = EVP_KDF_fetch(NULL, "SCRYPT", NULL);
    if (scrypt != NULL)
        ctx = EVP_KDF_CTX_new(scrypt);
    if (ctx == NULL || EVP_KDF_derive(ctx, key, KEY_LEN, params) != 1)
        st = base_err_set(err, FM_E_MEMORY, "scrypt needs %llu MiB of memory",
                          (unsigned long long)(n * r / 8192));
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(scrypt);
    (void)ERR_pop_to_mark();
    return st;
}

static fm_status derive(uint8_t key[KEY_LEN], const struct did_passphrase *pass,
                        const struct sealed *s, struct base_err *err)
{
    return s->iterations > 0 ? derive_national(key, pass, s, err)
                             : derive_scrypt(key, pass, &s->kdf, s->salt, err);
}

/* ---- the JSON around it ---- */

static fm_status checksum(char hex[2 * CHECKSUM_LEN + 1], const json_t *without,
                          struct base_err *err)
{
    uint8_t hash32[32];
    fm_status st = base_json_sha256(hash32, without, err);

    base_hex(hex, hash32, CHECKSUM_LEN);
    return st;
}

/* The object without "checksum" and "sealed": what is authenticated. */
static fm_status make_head(json_t **out, const struct sealed *s, struct base_err *err)
{
    char created[DID_MOMENT_TEXT], multikey[DID_MULTIKEY_TEXT];
    char salt[2 * SALT_LEN + 1], nonce[2 * NONCE_LEN + 1];
    json_t *kdf;
    fm_status st = did_moment_format(created, s->info.created_s, err);

    *out = NULL;
    if (st == FM_OK)
        st = did_multikey_encode(multikey, &s->info.key, err);
    if (st != FM_OK)
        return st;
    base_hex(salt, s->salt, SALT_LEN);
    base_hex(nonce, s->nonce, NONCE_LEN);
    kdf = s->iterations > 0
              ? json_pack("{s:s, s:I, s:s}", "name", PBKDF2, "iterations",
                          (json_int_t)s->iterations, "salt", salt)
              : json_pack("{s:s, s:I, s:I, s:I, s:s}", "name", "scrypt", "n", (json_int_t)s->kdf.n,
                          "p", (json_int_t)s->kdf.p, "r", (json_int_t)s->kdf.r, "salt", salt);
    *out = json_pack("{s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s}", "aead", base_aead_name(s->aead),
                     "created", created, "format", FORMAT, "kdf", kdf, "nonce", nonce, "public",
                     multikey, "role", s->info.role, "suite", s->info.key.suite->name);
    return *out == NULL ? base_err_memory(err, "key file") : FM_OK;
}

/* Adds "sealed" and "checksum" to the head and writes it out. */
static fm_status put_file(struct base_buf *out, json_t *head, const struct sealed *s,
                          struct base_err *err)
{
    char sealed[2 * sizeof s->sealed + 1], sum[2 * CHECKSUM_LEN + 1];
    fm_status st;

    base_hex(sealed, s->sealed, s->info.key.suite->secret_len + TAG_LEN);
    if (json_object_set_new(head, "sealed", json_string(sealed)) != 0)
        return base_err_memory(err, "key file");
    st = checksum(sum, head, err);
    if (st == FM_OK && json_object_set_new(head, "checksum", json_string(sum)) != 0)
        st = base_err_memory(err, "key file");
    if (st == FM_OK)
        st = base_json_canonical(out, head, err);
    base_buf_put_u8(out, '\n');
    return st == FM_OK ? base_buf_status(out, "key file", err) : st;
}

fm_status did_keyfile_seal(struct base_buf *out, const struct did_secret *secret, const char *role,
                           int64_t created_s, const struct did_passphrase *pass,
                           const struct did_kdf *kdf, const struct base_random *random,
                           struct base_err *err)
{
    struct sealed s = {.info = {.key = *did_secret_key(secret), .created_s = created_s},
                       .aead = base_aead_usual(),
                       .kdf = *kdf};
    struct base_buf aad = {0};
    json_t *head = NULL;
    uint8_t *key = NULL;
    fm_status st;

    if (!role_is_valid(role))
        return base_err_set(err, FM_E_ARG, "role '%.40s' of a key must be 1 to %d of [A-Za-z0-9-]",
                            role, DID_KEYFILE_ROLE_MAX);
    if (!kdf_is_valid(kdf->n, kdf->r, kdf->p))
        return base_err_set(err, FM_E_ARG, "scrypt parameters n %lu, r %lu, p %lu are out of range",
                            (unsigned long)kdf->n, (unsigned long)kdf->r, (unsigned long)kdf->p);
    if (is_national(s.aead))
        s.iterations = kdf->n * PBKDF2_PER_N;
    (void)snprintf(s.info.role, sizeof s.info.role, "%s", role);
    if ((st = base_random_fill(random, s.salt, sizeof s.salt, err)) != FM_OK ||
        (st = base_random_fill(random, s.nonce, sizeof s.nonce, err)) != FM_OK ||
        (st = make_head(&head, &s, err)) != FM_OK)
        return st;
    key = base_secret_alloc(KEY_LEN);
    if (key == NULL)
        st = base_err_memory(err, "key file");
    if (st == FM_OK)
        st = base_json_canonical(&aad, head, err);
    if (st == FM_OK)
        st = derive(key, pass, &s, err);
    if (st == FM_OK)
        st = base_aead_seal(s.aead, s.sealed, key, s.nonce, (struct base_aead_with){aad.p, aad.len},
                            did_secret_bytes(secret), s.info.key.suite->secret_len, err);
    if (st == FM_OK)
        st = put_file(out, head, &s, err);
    base_secret_free(key, KEY_LEN);
    base_buf_release(&aad);
    json_decref(head);
    return st;
}

/* ---- opening ---- */

static fm_status parse_pbkdf2(struct sealed *s, const json_t *kdf, struct base_err *err)
{
    static const char *const members[] = {"iterations", "name", "salt", NULL};
    int64_t iterations;
    fm_status st;

    if ((st = base_json_only(kdf, members, err)) != FM_OK ||
        (st = base_json_get_int(&iterations, kdf, "iterations", err)) != FM_OK ||
        (st = base_json_get_hex(s->salt, SALT_LEN, kdf, "salt", err)) != FM_OK)
        return st;
    if (iterations < PBKDF2_LEAST || iterations > PBKDF2_MOST)
        return base_err_set(err, FM_E_LIMIT, "%lld iterations of " PBKDF2 " are out of range",
                            (long long)iterations);
    s->iterations = (uint32_t)iterations;
    return FM_OK;
}

static fm_status parse_kdf(struct sealed *s, const json_t *json, struct base_err *err)
{
    static const char *const members[] = {"n", "name", "p", "r", "salt", NULL};
    int64_t n, r, p;
    const char *name;
    json_t *kdf;
    fm_status st;

    if ((st = base_json_get_object(&kdf, json, "kdf", err)) != FM_OK ||
        (st = base_json_get_str(&name, kdf, "name", err)) != FM_OK)
        return st;
    if (strcmp(name, is_national(s->aead) ? PBKDF2 : "scrypt") != 0)
        return base_err_set(err, FM_E_INPUT, "kdf '%.40s' is not known with this aead", name);
    if (is_national(s->aead))
        return parse_pbkdf2(s, kdf, err);
    if ((st = base_json_only(kdf, members, err)) != FM_OK ||
        (st = base_json_get_int(&n, kdf, "n", err)) != FM_OK ||
        (st = base_json_get_int(&r, kdf, "r", err)) != FM_OK ||
        (st = base_json_get_int(&p, kdf, "p", err)) != FM_OK ||
        (st = base_json_get_hex(s->salt, SALT_LEN, kdf, "salt", err)) != FM_OK)
        return st;
    if (!kdf_is_valid(n, r, p))
        return base_err_set(err, FM_E_LIMIT,
                            "scrypt parameters n %lld, r %lld, p %lld are out of range",
                            (long long)n, (long long)r, (long long)p);
    s->kdf = (struct did_kdf){(uint32_t)n, (uint32_t)r, (uint32_t)p};
    return FM_OK;
}

static fm_status parse_fields(struct sealed *s, const json_t *json, struct base_err *err)
{
    static const char *const members[] = {"aead",   "checksum", "created", "format", "kdf", "nonce",
                                          "public", "role",     "sealed",  "suite",  NULL};
    const char *aead, *created, *multikey, *role, *suite;
    fm_status st;

    if ((st = base_json_only(json, members, err)) != FM_OK ||
        (st = base_json_get_str(&aead, json, "aead", err)) != FM_OK)
        return st;
    if ((s->aead = base_aead_by_name(aead)) == NULL)
        return base_err_set(err, FM_E_INPUT, "aead '%.40s' is not known", aead);
    if ((st = base_json_get_str(&created, json, "created", err)) != FM_OK ||
        (st = base_json_get_str(&multikey, json, "public", err)) != FM_OK ||
        (st = base_json_get_str(&role, json, "role", err)) != FM_OK ||
        (st = base_json_get_str(&suite, json, "suite", err)) != FM_OK ||
        (did_suite_by_name(suite) != NULL &&
         (st = did_suite_allowed(did_suite_by_name(suite), err)) != FM_OK) ||
        (st = base_json_get_hex(s->nonce, NONCE_LEN, json, "nonce", err)) != FM_OK ||
        (st = parse_kdf(s, json, err)) != FM_OK ||
        (st = did_multikey_decode(&s->info.key, multikey, DID_RULES_VERSION, err)) != FM_OK)
        return st;
    if (strcmp(suite, s->info.key.suite->name) != 0)
        return base_err_set(err, FM_E_INPUT, "suite and public key do not belong together");
    if (!did_moment_parse(&s->info.created_s, created))
        return base_err_set(err, FM_E_INPUT, "created is no moment");
    if (!role_is_valid(role))
        return base_err_set(err, FM_E_INPUT, "role is not 1 to %d of [A-Za-z0-9-]",
                            DID_KEYFILE_ROLE_MAX);
    (void)snprintf(s->info.role, sizeof s->info.role, "%s", role);
    return base_json_get_hex(s->sealed, s->info.key.suite->secret_len + TAG_LEN, json, "sealed",
                             err);
}

static fm_status check_checksum(json_t *json, struct base_err *err)
{
    char computed[2 * CHECKSUM_LEN + 1], written[2 * CHECKSUM_LEN + 1];
    const char *text;
    fm_status st = base_json_get_str(&text, json, "checksum", err);

    if (st != FM_OK)
        return st;
    (void)snprintf(written, sizeof written, "%s", text);
    if (strlen(text) != sizeof written - 1)
        return base_err_set(err, FM_E_INPUT, "checksum must be %d hex digits", 2 * CHECKSUM_LEN);
    (void)json_object_del(json, "checksum");
    st = checksum(computed, json, err);
    if (st == FM_OK && strcmp(computed, written) != 0)
        st = base_err_set(err, FM_E_INPUT, "checksum does not fit: the file is damaged");
    return st;
}

/* Takes the bytes apart; *head is then the authenticated part, the caller's to release. */
static fm_status parse(struct sealed *s, json_t **head, const void *bytes, size_t len,
                       struct base_err *err)
{
    const char *format;
    fm_status st;
    bool ends;

    memset(s, 0, sizeof *s);
    *head = NULL;
    if (len > DID_KEYFILE_MAX)
        return base_err_set(err, FM_E_CORRUPT, "longer than the %d bytes of any key file",
                            DID_KEYFILE_MAX);
    ends = len > 0 && ((const char *)bytes)[len - 1] == '\n';
    st = base_json_parse_canonical(head, bytes, ends ? len - 1 : len, err);
    if (st == FM_OK && !ends)
        st = base_err_set(err, FM_E_INPUT, "the newline that ends it is missing");
    if (!ends) /* and where it is cut */
        (void)base_err_prefix(err, "not a whole key file");
    if (st == FM_OK)
        st = base_json_get_str(&format, *head, "format", err);
    if (st == FM_OK && strcmp(format, FORMAT) != 0)
        st = base_err_set(err, FM_E_INPUT, "format '%.40s' is not '" FORMAT "'", format);
    if (st == FM_OK)
        st = check_checksum(*head, err);
    if (st == FM_OK)
        st = parse_fields(s, *head, err);
    if (st == FM_OK) {
        (void)json_object_del(*head, "sealed");
        return FM_OK;
    }
    json_decref(*head);
    *head = NULL;
    if (st == FM_E_INPUT || st == FM_E_AUTH) /* What is in a stored file was once what we wrote. */
        err->code = st = FM_E_CORRUPT;
    return st;
}

/* Decrypts and imports; the secret must belong to the public key beside it. */
static fm_status unseal(struct did_secret **out, const struct sealed *s, const json_t *head,
                        const struct did_passphrase *pass, struct base_err *err)
{
    size_t len = s->info.key.suite->secret_len;
    size_t room = KEY_LEN + DID_SECRET_MAX + TAG_LEN;
    uint8_t *key = base_secret_alloc(room);
    struct base_buf aad = {0};
    fm_status st = FM_OK;

    if (key == NULL)
        st = base_err_memory(err, "key file");
    if (st == FM_OK)
        st = base_json_canonical(&aad, head, err);
    if (st == FM_OK)
        st = derive(key, pass, s, err);
    if (st == FM_OK)
        st = base_aead_open(s->aead, key + KEY_LEN, key, s->nonce,
                            (struct base_aead_with){aad.p, aad.len}, s->sealed, len, err);
    if (st == FM_E_AUTH)
        st = base_err_set(err, FM_E_AUTH, "the passphrase is wrong");
    if (st == FM_OK)
        st = did_secret_import(out, s->info.key.suite, key + KEY_LEN, len, err);
    base_secret_free(key, room);
    base_buf_release(&aad);
    if (st == FM_OK && !did_key_equal(did_secret_key(*out), &s->info.key)) {
        did_secret_free(*out);
        *out = NULL;
        st = base_err_set(err, FM_E_CORRUPT, "the secret does not belong to the public key");
    }
    return st;
}

fm_status did_keyfile_open(struct did_secret **out, struct did_keyfile *info, const void *bytes,
                           size_t len, const struct did_passphrase *pass, struct base_err *err)
{
    struct sealed s;
    json_t *head;
    fm_status st = parse(&s, &head, bytes, len, err);

    *out = NULL;
    if (info != NULL)
        memset(info, 0, sizeof *info);
    if (st != FM_OK)
        return st;
    st = unseal(out, &s, head, pass, err);
    if (st == FM_OK && info != NULL)
        *info = s.info;
    json_decref(head);
    return st;
}

fm_status did_keyfile_peek(struct did_keyfile *info, const void *bytes, size_t len,
                           struct base_err *err)
{
    struct sealed s;
    json_t *head;
    fm_status st = parse(&s, &head, bytes, len, err);

    *info = s.info;
    json_decref(head);
    return st;
}
