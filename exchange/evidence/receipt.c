#include "exchange/evidence/receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

enum { PIECE = 1 << 16, NAME_MAX_BYTES = 255 };

void evidence_receipt_release(struct evidence_receipt *r)
{
    for (size_t i = 0; i < r->n; i++)
        free(r->names[i]);
    free(r->names);
    free(r->items);
    base_buf_release(&r->token);
    *r = (struct evidence_receipt){0};
}

/* ---- digests ---- */

static fm_status digest_stream(uint8_t out32[32], FILE *f, const EVP_MD *md, struct base_err *err)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t *piece = malloc(PIECE);
    unsigned len = 0;
    size_t got;
    bool good = ctx != NULL && piece != NULL && EVP_DigestInit_ex(ctx, md, NULL) == 1;

    while (good && (got = fread(piece, 1, PIECE, f)) > 0)
        good = EVP_DigestUpdate(ctx, piece, got) == 1;
    good = good && EVP_DigestFinal_ex(ctx, out32, &len) == 1 && len == 32;
    EVP_MD_CTX_free(ctx);
    free(piece);
    return good ? FM_OK : base_err_memory(err, "digest");
}

fm_status evidence_digest_file(uint8_t out32[32], const char *path, const char *algorithm,
                               struct base_err *err)
{
    const EVP_MD *md = EVP_get_digestbyname(algorithm);
    FILE *f;
    fm_status st;

    if (md == NULL)
        return base_err_set(err, FM_E_UNSUPPORTED, "this OpenSSL does not have %s", algorithm);
    f = fopen(path, "rb");
    if (f == NULL)
        return base_err_errno(err, path);
    st = digest_stream(out32, f, md, err);
    if (st == FM_OK && ferror(f))
        st = base_err_errno(err, path);
    (void)fclose(f);
    return st;
}

/* ---- items ---- */

static fm_status make_room(struct evidence_receipt *r, struct base_err *err)
{
    size_t cap = r->cap == 0 ? 64 : 2 * r->cap;
    struct ledger_evidence_item *items;
    char **names;

    if (r->n < r->cap)
        return FM_OK;
    if (r->n == LEDGER_EVIDENCE_MAX)
        return base_err_set(err, FM_E_LIMIT, "one anchor holds at most %d documents",
                            LEDGER_EVIDENCE_MAX);
    items = realloc(r->items, cap * sizeof *items);
    if (items != NULL)
        r->items = items;
    names = realloc(r->names, cap * sizeof *names);
    if (names != NULL)
        r->names = names;
    if (items == NULL || names == NULL)
        return base_err_memory(err, "receipt");
    r->cap = cap;
    return FM_OK;
}

/* The last bytes of a name, from the beginning of a character on, without control characters. */
static char *tame(const char *name)
{
    size_t len = strlen(name), skip = len > NAME_MAX_BYTES ? len - NAME_MAX_BYTES : 0;
    char *copy;

    while (skip > 0 && ((unsigned char)name[skip] & 0xc0) == 0x80)
        skip++;
    copy = malloc(len - skip + 2);
    if (copy == NULL)
        return NULL;
    memcpy(copy, name + skip, len - skip + 1);
    for (char *p = copy; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            *p = '?';
    if (copy[0] == '\0')
        memcpy(copy, "-", 2);
    return copy;
}

fm_status evidence_receipt_add(struct evidence_receipt *r, const uint8_t digest32[32],
                               const char *name, const struct base_random *random,
                               struct base_err *err)
{
    struct ledger_evidence_item *item;
    fm_status st = base_text_is_utf8(name, strlen(name))
                       ? make_room(r, err)
                       : base_err_set(err, FM_E_INPUT, "its name is not UTF-8 text");

    if (st != FM_OK)
        return st;
    item = &r->items[r->n];
    memcpy(item->digest, digest32, 32);
    st = base_random_fill(random, item->salt, sizeof item->salt, err);
    if (st != FM_OK)
        return st;
    r->names[r->n] = tame(name);
    if (r->names[r->n] == NULL)
        return base_err_memory(err, "receipt");
    r->n++;
    return FM_OK;
}

fm_status evidence_receipt_seal(struct evidence_receipt *r, struct base_err *err)
{
    struct ledger_evidence_tree *tree;
    fm_status st = ledger_evidence_tree_new(&tree, r->algorithm, r->items, r->n, err);

    if (st == FM_OK)
        ledger_evidence_tree_root(tree, r->root);
    ledger_evidence_tree_free(tree);
    return st;
}

/* ---- the file ---- */

static json_t *item_json(const struct ledger_evidence_item *item, const char *name)
{
    char digest[65], salt[65];

    base_hex(digest, item->digest, 32);
    base_hex(salt, item->salt, 32);
    return json_pack("{s:s, s:s, s:s}", "name", name, "digest", digest, "salt", salt);
}

fm_status evidence_receipt_save(const struct evidence_receipt *r, const char *path,
                                struct base_err *err)
{
    struct base_buf text = {0}, token = {0};
    json_t *items = json_array(), *json;
    char chain[65], root[65];
    bool good = items != NULL;
    fm_status st;

    base_hex(chain, r->chain, 32);
    base_hex(root, r->root, 32);
    for (size_t i = 0; good && i < r->n; i++)
        good = json_array_append_new(items, item_json(&r->items[i], r->names[i])) == 0;
    json = json_pack("{s:s, s:s, s:s, s:s, s:o}", "type", "FirmianaDeposit", "chain", chain,
                     "algorithm", r->algorithm, "root", root, "items", items);
    base_base64url(&token, r->token.p, r->token.len);
    if (good && json != NULL && r->token.len > 0)
        good = json_object_set_new(json, "token", json_string(base_buf_cstr(&token))) == 0;
    st = good && json != NULL ? base_json_canonical(&text, json, err)
                              : base_err_memory(err, "receipt");
    base_buf_put_str(&text, "\n");
    if (st == FM_OK)
        st = base_buf_status(&text, "receipt", err);
    if (st == FM_OK) /* salts: whoever has them can try documents */
        st = base_file_write(path, text.p, text.len, 0600, err);
    base_buf_release(&text);
    base_buf_release(&token);
    json_decref(json);
    return st;
}

static fm_status read_item(struct evidence_receipt *out, const json_t *json, struct base_err *err)
{
    const char *name;
    fm_status st = make_room(out, err);

    if (st == FM_OK)
        st = base_json_get_str(&name, json, "name", err);
    if (st == FM_OK)
        st = base_json_get_hex(out->items[out->n].digest, 32, json, "digest", err);
    if (st == FM_OK)
        st = base_json_get_hex(out->items[out->n].salt, 32, json, "salt", err);
    if (st != FM_OK)
        return st;
    out->names[out->n] = tame(name);
    if (out->names[out->n] == NULL)
        return base_err_memory(err, "receipt");
    out->n++;
    return FM_OK;
}

static fm_status read(struct evidence_receipt *out, const json_t *json, struct base_err *err)
{
    const char *algorithm, *token = json_string_value(json_object_get(json, "token"));
    uint8_t root[32];
    json_t *items;
    fm_status st = base_json_get_str(&algorithm, json, "algorithm", err);

    if (st == FM_OK && !ledger_evidence_is_algorithm(algorithm))
        st = base_err_set(err, FM_E_INPUT, "member 'algorithm' must be sha256 or sm3");
    if (st == FM_OK)
        st = base_json_get_hex(out->chain, 32, json, "chain", err);
    if (st == FM_OK)
        st = base_json_get_hex(root, 32, json, "root", err);
    if (st == FM_OK)
        st = base_json_get_array(&items, json, "items", err);
    if (st != FM_OK)
        return st;
    (void)snprintf(out->algorithm, sizeof out->algorithm, "%s", algorithm);
    for (size_t i = 0; st == FM_OK && i < json_array_size(items); i++) {
        st = read_item(out, json_array_get(items, i), err);
        if (st != FM_OK)
            (void)base_err_prefix(err, "items[%zu]", i);
    }
    if (st == FM_OK && token != NULL && !base_unbase64url(&out->token, token, strlen(token)))
        st = base_err_set(err, FM_E_INPUT, "member 'token' is not base64url");
    if (st == FM_OK)
        st = evidence_receipt_seal(out, err);
    if (st == FM_OK && memcmp(root, out->root, 32) != 0)
        st = base_err_set(err, FM_E_INPUT, "the root is not that of the items");
    return st;
}

fm_status evidence_receipt_load(struct evidence_receipt *out, const char *path,
                                struct base_err *err)
{
    json_t *json;
    fm_status st = base_json_load_file(&json, path, EVIDENCE_RECEIPT_MAX, err);

    *out = (struct evidence_receipt){0};
    if (st != FM_OK)
        return st;
    st = read(out, json, err);
    json_decref(json);
    if (st != FM_OK) {
        evidence_receipt_release(out);
        return base_err_prefix(err, "%s", path);
    }
    return FM_OK;
}

/* ---- certificates ---- */

fm_status evidence_receipt_certify(struct ledger_certificate *out, const struct evidence_receipt *r,
                                   const uint8_t digest32[32], const uint8_t tx32[32],
                                   struct base_err *err)
{
    struct ledger_evidence_tree *tree;
    size_t i = 0;
    fm_status st;

    *out = (struct ledger_certificate){0};
    while (i < r->n && memcmp(r->items[i].digest, digest32, 32) != 0)
        i++;
    if (i == r->n)
        return base_err_set(err, FM_E_NOT_FOUND,
                            "it is not among the %zu documents of this receipt: another file, or "
                            "changed since",
                            r->n);
    st = ledger_evidence_tree_new(&tree, r->algorithm, r->items, r->n, err);
    if (st == FM_OK)
        st = ledger_evidence_tree_prove(tree, &out->path, i, err);
    ledger_evidence_tree_free(tree);
    memcpy(out->chain, r->chain, 32);
    memcpy(out->tx, tx32, 32);
    memcpy(out->algorithm, r->algorithm, sizeof out->algorithm);
    out->item = r->items[i];
    out->index = i;
    out->count = r->n;
    (void)snprintf(out->name, sizeof out->name, "%s", r->names[i]);
    base_buf_put(&out->token, r->token.p, r->token.len);
    return st == FM_OK ? base_buf_status(&out->token, "certificate", err) : st;
}
