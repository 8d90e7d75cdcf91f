#include "ledger/proof/checkpoint.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "ledger/proof/base64.h"

#define ORIGIN "firmiana/"
#define DASH "\xe2\x80\x94 " /* U+2014 and a space */
#define EPOCH "epoch "
#define LINE_BYTES (4 + 8 + 64)

/* ---- signing ---- */

static void put_body(struct base_buf *out, const struct ledger_checkpoint *c)
{
    base_buf_put_str(out, ORIGIN);
    base_buf_put_hex(out, c->chain, 32);
    base_buf_putf(out, "\n%llu\n", (unsigned long long)c->size);
    ledger_base64_put(out, c->root, 32);
    base_buf_put_str(out, "\n");
    if (c->epoch > 0)
        base_buf_putf(out, EPOCH "%llu\n", (unsigned long long)c->epoch);
}

static fm_status signed_message(struct base_buf *out, const struct ledger_checkpoint *c,
                                int64_t time_s, struct base_err *err)
{
    base_buf_putf(out, "cosignature/v1\ntime %lld\n", (long long)time_s);
    put_body(out, c);
    return base_buf_status(out, "cosignature", err);
}

void ledger_cosignature_key_id(uint8_t out4[4], const char *name, const struct did_key *key)
{
    static const char ed25519[] = {0x0a, LEDGER_COSIGNATURE_TYPE};
    static const char sm2[] = "\x0a" LEDGER_COSIGNATURE_SM2;
    struct base_hash h;
    uint8_t hash[32];

    base_hash_init(&h);
    base_hash_update(&h, name, strlen(name));
    if (key->suite == did_suite_sm2())
        base_hash_update(&h, sm2, sizeof sm2 - 1);
    else
        base_hash_update(&h, ed25519, sizeof ed25519);
    base_hash_update(&h, key->bytes, key->suite->key_len);
    base_hash_final(&h, hash);
    memcpy(out4, hash, 4);
}

static bool name_char(uint8_t c)
{
    return c > 0x20 && c < 0x7f && c != '+';
}

fm_status ledger_cosigner_name(const char *name, struct base_err *err)
{
    size_t n = 0;

    while (name_char((uint8_t)name[n]))
        n++;
    return name[n] == '\0' && n > 0 && n < DID_FIRMIANA_TEXT
               ? FM_OK
               : base_err_set(err, FM_E_ARG,
                              "a cosigner's name is 1 to %d printable ASCII characters, with no "
                              "space and no '+': as witness.example/1",
                              DID_FIRMIANA_TEXT - 1);
}

fm_status ledger_cosign(struct ledger_cosignature *out, const struct ledger_checkpoint *checkpoint,
                        const char *did, const struct did_secret *secret, int64_t time_s,
                        struct base_err *err)
{
    const struct did_key *key = did_secret_key(secret);
    struct base_buf message = {0};
    fm_status st;

    memset(out, 0, sizeof *out);
    if (key->suite != did_suite_usual())
        return base_err_set(err, FM_E_UNSUPPORTED, "cosignatures are by %s keys, not %s",
                            did_suite_usual()->name, key->suite->name);
    if (time_s <= 0)
        return base_err_set(err, FM_E_ARG, "cosignature: no such time");
    st = ledger_cosigner_name(did, err);
    if (st != FM_OK)
        return st;
    st = signed_message(&message, checkpoint, time_s, err);
    if (st == FM_OK)
        st = did_secret_sign(secret, out->signature, message.p, message.len, err);
    base_buf_release(&message);
    if (st != FM_OK)
        return st;
    (void)snprintf(out->name, sizeof out->name, "%s", did);
    ledger_cosignature_key_id(out->key_id, did, key);
    out->time_s = time_s;
    return FM_OK;
}

fm_status ledger_cosignature_verify(const struct ledger_cosignature *cosignature,
                                    const struct ledger_checkpoint *checkpoint,
                                    const struct did_document *doc, uint32_t rules_version,
                                    struct base_err *err)
{
    struct base_buf message = {0};
    size_t n;
    const struct did_method *method = did_document_methods(doc, &n);
    fm_status st;

    if (strcmp(cosignature->name, did_document_id(doc)) != 0)
        return base_err_set(err, FM_E_AUTH, "the cosignature is another member's");
    st = signed_message(&message, checkpoint, cosignature->time_s, err);
    if (st != FM_OK)
        goto done;
    st = base_err_set(err, FM_E_AUTH, "%s has no assertionMethod key with this key id",
                      did_document_alias(doc));
    for (size_t i = 0; i < n; i++) {
        uint8_t id[4];
        ledger_cosignature_key_id(id, cosignature->name, &method[i].key);
        if ((method[i].roles & DID_ROLE_ASSERTION) == 0 ||
            method[i].key.suite != did_suite_usual() ||
            memcmp(id, cosignature->key_id, sizeof id) != 0)
            continue;
        st = did_key_verify(&method[i].key, rules_version, cosignature->signature,
                            sizeof cosignature->signature, message.p, message.len, err);
        if (st != FM_E_AUTH)
            break;
    }
done:
    base_buf_release(&message);
    return st;
}

fm_status ledger_cosignature_verify_key(const struct ledger_cosignature *cosignature,
                                        const struct ledger_checkpoint *checkpoint,
                                        const struct did_key *key, uint32_t rules_version,
                                        struct base_err *err)
{
    struct base_buf message = {0};
    uint8_t id[4];
    fm_status st;

    ledger_cosignature_key_id(id, cosignature->name, key);
    if (key->suite != did_suite_usual() || memcmp(id, cosignature->key_id, sizeof id) != 0)
        return base_err_set(err, FM_E_AUTH, "it is by another key");
    st = signed_message(&message, checkpoint, cosignature->time_s, err);
    if (st == FM_OK)
        st = did_key_verify(key, rules_version, cosignature->signature,
                            sizeof cosignature->signature, message.p, message.len, err);
    base_buf_release(&message);
    return st;
}

/* ---- text ---- */

fm_status ledger_checkpoint_encode(struct base_buf *out, const struct ledger_checkpoint *checkpoint,
                                   struct base_err *err)
{
    assert(checkpoint->n <= LEDGER_COSIGNERS_MAX);
    put_body(out, checkpoint);
    base_buf_put_str(out, "\n");
    for (size_t i = 0; i < checkpoint->n; i++) {
        const struct ledger_cosignature *c = &checkpoint->cosigner[i];
        uint8_t bytes[LINE_BYTES];
        memcpy(bytes, c->key_id, 4);
        base_store_u64(bytes + 4, (uint64_t)c->time_s);
        memcpy(bytes + 12, c->signature, 64);
        base_buf_put_str(out, DASH);
        base_buf_put_str(out, c->name);
        base_buf_put_str(out, " ");
        ledger_base64_put(out, bytes, sizeof bytes);
        base_buf_put_str(out, "\n");
    }
    return base_buf_status(out, "checkpoint", err);
}

static bool take_text(struct base_cur *cur, const char *text)
{
    size_t n = strlen(text);
    const uint8_t *p = base_cur_take(cur, n);

    return p != NULL && memcmp(p, text, n) == 0;
}

static bool take_size(uint64_t *out, struct base_cur *cur)
{
    *out = 0;
    for (unsigned i = 0; i < 16; i++) { /* 2^53 has 16 digits */
        uint8_t c = base_cur_u8(cur);
        if (c == '\n')
            return i > 0;
        if (c < '0' || c > '9')
            return false;
        *out = *out * 10 + (uint64_t)(c - '0');
    }
    return base_cur_u8(cur) == '\n';
}

static bool take_line(struct ledger_cosignature *out, struct base_cur *cur)
{
    uint8_t bytes[LINE_BYTES], c;
    size_t n = 0;
    uint64_t time;

    if (!take_text(cur, DASH))
        return false;
    while ((c = base_cur_u8(cur)) != ' ') {
        if (!name_char(c) || n + 1 >= sizeof out->name)
            return false;
        out->name[n++] = (char)c;
    }
    out->name[n] = '\0';
    if (n == 0 || !ledger_base64_take(bytes, sizeof bytes, cur) || !take_text(cur, "\n"))
        return false;
    memcpy(out->key_id, bytes, 4);
    time = base_load_u64(bytes + 4);
    out->time_s = (int64_t)(time & INT64_MAX);
    memcpy(out->signature, bytes + 12, 64);
    return time > 0 && time <= INT64_MAX;
}

static fm_status read_lines(struct ledger_checkpoint *out, struct base_cur *cur,
                            struct base_err *err)
{
    const uint8_t *hex;
    size_t first = 5; /* the first cosignature's line */

    hex = take_text(cur, ORIGIN) ? base_cur_take(cur, 64) : NULL;
    if (hex == NULL || !base_unhex(out->chain, 32, (const char *)hex, 64) || !take_text(cur, "\n"))
        return base_err_set(err, FM_E_INPUT, "line 1 is not " ORIGIN " and a chain id");
    if (!take_size(&out->size, cur))
        return base_err_set(err, FM_E_INPUT, "line 2 is not a tree size");
    if (!ledger_base64_take(out->root, 32, cur) || !take_text(cur, "\n"))
        return base_err_set(err, FM_E_INPUT, "line 3 is not a root hash");
    if (cur->left > 0 && *cur->p == EPOCH[0] &&
        (!take_text(cur, EPOCH) || !take_size(&out->epoch, cur)))
        return base_err_set(err, FM_E_INPUT, "line 4 is not an epoch");
    first += out->epoch > 0;
    if (!take_text(cur, "\n"))
        return base_err_set(err, FM_E_INPUT, "line %zu is not empty", first - 1);
    while (cur->left > 0) {
        if (out->n == LEDGER_COSIGNERS_MAX)
            return base_err_set(err, FM_E_INPUT, "more than %d cosignatures", LEDGER_COSIGNERS_MAX);
        if (!take_line(&out->cosigner[out->n], cur))
            return base_err_set(err, FM_E_INPUT, "line %zu is not a cosignature", out->n + first);
        for (size_t i = 0; i < out->n; i++) {
            if (strcmp(out->cosigner[i].name, out->cosigner[out->n].name) == 0)
                return base_err_set(err, FM_E_INPUT, "line %zu repeats a cosigner", out->n + first);
        }
        out->n++;
    }
    return FM_OK;
}

fm_status ledger_checkpoint_parse(struct ledger_checkpoint *out, const char *text, size_t len,
                                  struct base_err *err)
{
    struct base_cur cur = base_cur_make(text, len);
    struct base_buf again = {0};
    fm_status st;

    memset(out, 0, sizeof *out);
    st = read_lines(out, &cur, err);
    if (st == FM_OK)
        st = ledger_checkpoint_encode(&again, out, err);
    if (st == FM_OK && (again.len != len || memcmp(again.p, text, len) != 0))
        st = base_err_set(err, FM_E_INPUT, "not written as it must be");
    base_buf_release(&again);
    return st == FM_OK ? FM_OK : base_err_prefix(err, "checkpoint");
}

bool ledger_checkpoint_same(const struct ledger_checkpoint *a, const struct ledger_checkpoint *b)
{
    return memcmp(a->chain, b->chain, 32) == 0 && a->size == b->size &&
           memcmp(a->root, b->root, 32) == 0 && a->epoch == b->epoch;
}
