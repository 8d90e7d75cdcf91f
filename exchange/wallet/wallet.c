#include "exchange/wallet/wallet.h"

#include <string.h>

#include "base/aead.h"
#include "base/json_any.h"
#include "base/profile.h"
#include "base/secret.h"
#include "did/multibase.h"
#include "net/seal.h"

#define FORMAT "firmiana-wallet-1"

static const char *const lists[] = {"consents", "credentials", "identities", "mandates", NULL};

/* ---- the secret ---- */

static fm_status seal_master(struct wallet *w, const struct did_passphrase *pass,
                             const struct did_kdf *kdf, const struct base_random *random,
                             struct base_err *err)
{
    struct base_buf bytes = {0};
    json_t *key = NULL;
    fm_status st = did_keyfile_seal(&bytes, w->master, "wallet", w->info.created_s, pass,
                                    kdf != NULL ? kdf : &did_kdf_default, random, err);

    if (st == FM_OK)
        st = base_json_parse_canonical(&key, bytes.p, bytes.len - 1, err);
    base_buf_release(&bytes);
    if (st != FM_OK)
        return st;
    json_decref(w->key);
    w->key = key;
    return FM_OK;
}

fm_status wallet_reseal(struct wallet *w, const struct did_passphrase *pass,
                        const struct did_kdf *kdf, const struct base_random *random,
                        struct base_err *err)
{
    return seal_master(w, pass, kdf, random, err);
}

fm_status wallet_new(struct wallet *w, const uint8_t *secret32, const struct did_suite *suite,
                     int64_t now_s, const struct did_passphrase *pass, const struct did_kdf *kdf,
                     const struct base_random *random, struct base_err *err)
{
    fm_status st;

    *w = (struct wallet){.info = {.created_s = now_s, .role = "wallet"}};
    st = secret32 != NULL ? did_secret_import(&w->master, suite, secret32, 32, err)
                          : did_secret_generate(&w->master, did_suite_usual(), random, err);
    if (st == FM_OK) {
        w->info.key = *did_secret_key(w->master);
        st = seal_master(w, pass, kdf, random, err);
    }
    if (st == FM_OK && (w->content = json_object()) == NULL)
        st = base_err_memory(err, "wallet");
    for (size_t i = 0; st == FM_OK && lists[i] != NULL; i++)
        if (json_object_set_new(w->content, lists[i], json_array()) != 0)
            st = base_err_memory(err, "wallet");
    if (st == FM_OK && secret32 != NULL &&
        json_object_set_new(w->content, "recovered", json_true()) != 0)
        st = base_err_memory(err, "wallet");
    if (st != FM_OK)
        wallet_release(w);
    return st;
}

void wallet_release(struct wallet *w)
{
    did_secret_free(w->master);
    json_decref(w->key);
    json_decref(w->content);
    *w = (struct wallet){0};
}

/* ---- the content's seal ---- */

struct seal {
    const struct base_aead *aead;
    uint8_t *key; /* 32 bytes, secret memory */
    struct base_buf with;
};

static void seal_release(struct seal *s)
{
    base_secret_free(s->key, 32);
    base_buf_release(&s->with);
}

static fm_status seal_make(struct seal *s, const struct wallet *w, struct base_err *err)
{
    char public[DID_MULTIKEY_TEXT];
    fm_status st = did_multikey_encode(public, &w->info.key, err);

    *s = (struct seal){.aead = base_aead_by_name(wallet_text(w->key, "aead")),
                       .key = base_secret_alloc(32)};
    base_buf_put(&s->with, FORMAT, sizeof FORMAT); /* with its NUL */
    if (st == FM_OK)
        base_buf_put_str(&s->with, public);
    if (st == FM_OK && (s->key == NULL || s->aead == NULL))
        st = base_err_memory(err, "wallet");
    if (st == FM_OK)
        st = base_buf_status(&s->with, "wallet", err);
    return st == FM_OK ? net_expand(s->key, 32, did_secret_bytes(w->master),
                                    "firmiana wallet 1 content", NULL, 0, err)
                       : st;
}

/* The sealed content as JSON. */
static fm_status put_content(json_t **out, const struct seal *s, const struct base_buf *plain,
                             const struct base_random *random, struct base_err *err)
{
    uint8_t nonce[BASE_AEAD_NONCE];
    char nonce_hex[2 * BASE_AEAD_NONCE + 1];
    struct base_buf sealed = {0}, text = {0};
    uint8_t *to = base_buf_extend(&sealed, plain->len + BASE_AEAD_TAG);
    fm_status st = to != NULL ? base_random_fill(random, nonce, sizeof nonce, err)
                              : base_err_memory(err, "wallet");

    *out = NULL;
    if (st == FM_OK)
        st = base_aead_seal(s->aead, to, s->key, nonce,
                            (struct base_aead_with){s->with.p, s->with.len}, plain->p, plain->len,
                            err);
    if (st == FM_OK) {
        base_base64url(&text, sealed.p, sealed.len);
        base_hex(nonce_hex, nonce, sizeof nonce);
        *out = json_pack("{s:s,s:s}", "nonce", nonce_hex, "sealed", base_buf_cstr(&text));
        st = *out != NULL ? base_buf_status(&text, "wallet", err) : base_err_memory(err, "wallet");
    }
    base_buf_release(&sealed);
    base_buf_release(&text);
    return st;
}

static fm_status put_file(struct base_buf *out, const struct wallet *w, json_t *content,
                          struct base_err *err)
{
    json_t *file = json_pack("{s:O,s:s,s:O}", "content", content, "format", FORMAT, "key", w->key);
    fm_status st =
        file != NULL ? base_json_canonical(out, file, err) : base_err_memory(err, "wallet");

    json_decref(file);
    base_buf_put_u8(out, '\n');
    if (st == FM_OK)
        st = base_buf_status(out, "wallet", err);
    if (st == FM_OK && out->len > WALLET_MAX)
        st = base_err_set(err, FM_E_LIMIT,
                          "the wallet would have %zu bytes, more than %zu: remove credentials that "
                          "are of no use any more",
                          out->len, WALLET_MAX);
    return st;
}

fm_status wallet_write(struct base_buf *out, const struct wallet *w,
                       const struct base_random *random, struct base_err *err)
{
    struct base_buf plain = {0};
    json_t *content = NULL;
    struct seal s;
    fm_status st = seal_make(&s, w, err);

    if (st == FM_OK)
        st = base_json_any_canonical(&plain, w->content, err);
    if (st == FM_OK)
        st = put_content(&content, &s, &plain, random, err);
    if (st == FM_OK)
        st = put_file(out, w, content, err);
    json_decref(content);
    base_buf_release_secret(&plain);
    seal_release(&s);
    return st;
}

/* ---- reading ---- */

/* The profile that the wallet was made for, before anything is hashed under another. */
static fm_status adopt(const json_t *key, struct base_err *err)
{
    if (strcmp(wallet_text(key, "suite"), "sm2") == 0)
        return base_profile_adopt(BASE_PROFILE_NATIONAL, err);
    if (base_profile_is_national())
        return base_err_set(err, FM_E_CONFLICT,
                            "it is a wallet of the profile international, and the national one was "
                            "asked for");
    return FM_OK;
}

static fm_status open_master(struct wallet *w, const struct did_passphrase *pass,
                             struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st = base_json_canonical(&bytes, w->key, err);

    base_buf_put_u8(&bytes, '\n');
    if (st == FM_OK)
        st = base_buf_status(&bytes, "wallet", err);
    if (st == FM_OK)
        st = did_keyfile_open(&w->master, &w->info, bytes.p, bytes.len, pass, err);
    if (st == FM_OK && strcmp(w->info.role, "wallet") != 0)
        st = base_err_set(err, FM_E_CORRUPT, "its key is no wallet's");
    base_buf_release(&bytes);
    return st;
}

static fm_status check_content(const json_t *content, struct base_err *err)
{
    static const char *const names[] = {"consents", "credentials", "identities", "ledger",
                                        "mandates", "recovered",   NULL};
    fm_status st = base_json_only(content, names, err);

    for (size_t i = 0; st == FM_OK && lists[i] != NULL; i++) {
        const json_t *item;
        json_t *list;
        size_t k;
        st = base_json_get_array(&list, content, lists[i], err);
        json_array_foreach(list, k, item) if (st == FM_OK && !json_is_object(item)) st =
            base_err_set(err, FM_E_INPUT, "%s: record %zu is none", lists[i], k);
    }
    return st;
}

static fm_status open_content(struct wallet *w, const json_t *content, struct base_err *err)
{
    static const char *const names[] = {"nonce", "sealed", NULL};
    struct base_buf sealed = {0}, plain = {0};
    uint8_t nonce[BASE_AEAD_NONCE], *to = NULL;
    const char *text;
    struct seal s;
    fm_status st = seal_make(&s, w, err);

    if (st == FM_OK)
        st = base_json_only(content, names, err);
    if (st == FM_OK)
        st = base_json_get_hex(nonce, sizeof nonce, content, "nonce", err);
    if (st == FM_OK)
        st = base_json_get_str(&text, content, "sealed", err);
    if (st == FM_OK &&
        (!base_unbase64url(&sealed, text, strlen(text)) || sealed.len < BASE_AEAD_TAG))
        st = sealed.failed ? base_err_memory(err, "wallet")
                           : base_err_set(err, FM_E_INPUT, "member 'sealed' is no sealed content");
    if (st == FM_OK && (to = base_buf_extend(&plain, sealed.len - BASE_AEAD_TAG + 1)) == NULL)
        st = base_err_memory(err, "wallet");
    if (st == FM_OK)
        st = base_aead_open(s.aead, to, s.key, nonce, (struct base_aead_with){s.with.p, s.with.len},
                            sealed.p, sealed.len - BASE_AEAD_TAG, err);
    if (st == FM_E_AUTH) /* The passphrase was right: the key came out. */
        st = base_err_set(err, FM_E_CORRUPT, "its content was damaged, or is another wallet's");
    if (st == FM_OK)
        st = base_json_any_parse_canonical(&w->content, to, sealed.len - BASE_AEAD_TAG, err);
    if (st == FM_OK)
        st = check_content(w->content, err);
    base_buf_release(&sealed);
    base_buf_release_secret(&plain);
    seal_release(&s);
    return st;
}

static fm_status parse(json_t **file, json_t **content, json_t **key, const void *bytes, size_t len,
                       struct base_err *err)
{
    static const char *const names[] = {"content", "format", "key", NULL};
    const char *format;
    fm_status st;

    if (len < 1 || len > WALLET_MAX || ((const char *)bytes)[len - 1] != '\n')
        return base_err_set(err, FM_E_CORRUPT, "not a whole wallet (it ends with a newline)");
    st = base_json_parse_canonical(file, bytes, len - 1, err);
    if (st == FM_OK)
        st = base_json_get_str(&format, *file, "format", err);
    if (st == FM_OK && strcmp(format, FORMAT) != 0)
        st = base_err_set(err, FM_E_INPUT, "format '%.40s' is not '" FORMAT "'", format);
    if (st == FM_OK)
        st = base_json_only(*file, names, err);
    if (st == FM_OK)
        st = base_json_get_object(content, *file, "content", err);
    return st == FM_OK ? base_json_get_object(key, *file, "key", err) : st;
}

fm_status wallet_read(struct wallet *w, const void *bytes, size_t len,
                      const struct did_passphrase *pass, struct base_err *err)
{
    json_t *file = NULL, *content, *key;
    fm_status st = parse(&file, &content, &key, bytes, len, err);

    *w = (struct wallet){0};
    if (st == FM_OK)
        st = adopt(key, err);
    if (st == FM_OK) {
        w->key = json_incref(key);
        st = open_master(w, pass, err);
    }
    if (st == FM_OK)
        st = open_content(w, content, err);
    json_decref(file);
    if (st == FM_OK)
        return FM_OK;
    wallet_release(w);
    if (st == FM_E_INPUT) /* What is in a stored file was once what we wrote. */
        err->code = st = FM_E_CORRUPT;
    return st;
}

/* ---- records ---- */

json_t *wallet_list(const struct wallet *w, const char *name)
{
    return json_object_get(w->content, name);
}

const char *wallet_text(const json_t *record, const char *name)
{
    const char *text = json_string_value(json_object_get(record, name));

    return text != NULL ? text : "";
}

fm_status wallet_record(json_t **out, const struct wallet *w, const char *list, const char *what,
                        const char *digits, struct base_err *err)
{
    size_t i, len = strlen(digits), found = 0;
    json_t *item;

    *out = NULL;
    if (len < 4 || strspn(digits, "0123456789abcdef") != len)
        return base_err_set(err, FM_E_ARG, "a %s is named by 4 or more of its id's first digits",
                            what);
    json_array_foreach(wallet_list(w, list), i, item)
    {
        if (strncmp(wallet_text(item, "id"), digits, len) != 0)
            continue;
        *out = item;
        found++;
    }
    if (found == 1)
        return FM_OK;
    return found == 0
               ? base_err_set(err, FM_E_NOT_FOUND, "the wallet has no %s %.64s", what, digits)
               : base_err_set(err, FM_E_ARG, "%zu begin with %.64s: give more digits", found,
                              digits);
}
