#include "ledger/transparency/vkey.h"

#include <string.h>

#include "base/profile.h"
#include "ledger/proof/base64.h"

/* The type, then the public key. */
struct form {
    const struct did_suite *(*suite)(void);
    const char *type;
    size_t type_len;
    char begins; /* the base64 */
};
static const struct form forms[] = {
    {did_suite_ed25519, "\x04", 1, 'B'},
    {did_suite_sm2, LEDGER_COSIGNATURE_SM2, sizeof LEDGER_COSIGNATURE_SM2 - 1, '/'},
};
enum { KEY_BYTES = sizeof LEDGER_COSIGNATURE_SM2 - 1 + 33 };
_Static_assert(LEDGER_COSIGNATURE_TYPE == 4, "the first form's type");

fm_status ledger_vkey_put(struct base_buf *out, const char *name, const struct did_key *key,
                          struct base_err *err)
{
    const struct form *form = &forms[key->suite == did_suite_sm2()];
    uint8_t id[4], bytes[KEY_BYTES];
    fm_status st = ledger_cosigner_name(name, err);

    if (st != FM_OK)
        return st;
    if (key->suite != did_suite_usual())
        return base_err_set(err, FM_E_UNSUPPORTED, "cosignatures are by %s keys, not %s",
                            did_suite_usual()->name, key->suite->name);
    ledger_cosignature_key_id(id, name, key);
    memcpy(bytes, form->type, form->type_len);
    memcpy(bytes + form->type_len, key->bytes, key->suite->key_len);
    base_buf_put_str(out, name);
    base_buf_put_str(out, "+");
    base_buf_put_hex(out, id, sizeof id);
    base_buf_put_str(out, "+");
    ledger_base64_put(out, bytes, form->type_len + key->suite->key_len);
    base_buf_put_str(out, "\n");
    return base_buf_status(out, "key", err);
}

/* An SM2 key is of a national ledger, whose hash its key id needs. */
static fm_status read_key(struct ledger_vkey *out, const uint8_t id[4], struct base_cur *cur,
                          struct base_err *err)
{
    const struct form *form = &forms[cur->left > 0 && cur->p[0] == forms[1].begins];
    const struct did_suite *suite = form->suite();
    uint8_t want[4], bytes[KEY_BYTES];
    fm_status st;

    if (!ledger_base64_take(bytes, form->type_len + suite->key_len, cur) ||
        memcmp(bytes, form->type, form->type_len) != 0)
        return base_err_set(err, FM_E_INPUT, "not NAME+ID+KEY of a cosigner");
    if (cur->left > 0 && base_cur_u8(cur) != '\n')
        return base_err_set(err, FM_E_INPUT, "something stands behind the key");
    if (suite == did_suite_sm2() && base_profile_adopt(BASE_PROFILE_NATIONAL, err) != FM_OK)
        return err->code;
    st = did_key_make(&out->key, suite, bytes + form->type_len, suite->key_len, DID_RULES_VERSION,
                      err);
    if (st != FM_OK)
        return st;
    ledger_cosignature_key_id(want, out->name, &out->key);
    if (memcmp(id, want, sizeof want) != 0)
        return base_err_set(err, FM_E_INPUT, "the key id is another key's");
    return FM_OK;
}

static fm_status read_line(struct ledger_vkey *out, struct base_cur *cur, struct base_err *err)
{
    uint8_t c, id[4];
    const uint8_t *hex;
    size_t n = 0;

    while ((c = base_cur_u8(cur)) != '+') {
        if (c <= 0x20 || c >= 0x7f || n + 1 >= sizeof out->name)
            return base_err_set(err, FM_E_INPUT, "no name and '+'");
        out->name[n++] = (char)c;
    }
    out->name[n] = '\0';
    hex = base_cur_take(cur, 8);
    if (n == 0 || hex == NULL || !base_unhex(id, sizeof id, (const char *)hex, 8) ||
        base_cur_u8(cur) != '+')
        return base_err_set(err, FM_E_INPUT, "not NAME+ID+KEY of a cosigner");
    return read_key(out, id, cur, err);
}

fm_status ledger_vkeys_parse(struct ledger_vkey *out, size_t max, size_t *n, const char *text,
                             size_t len, struct base_err *err)
{
    struct base_cur cur = base_cur_make(text, len);

    for (*n = 0; cur.left > 0; ++*n) {
        fm_status st;

        if (*n == max)
            return base_err_set(err, FM_E_LIMIT, "more than %zu keys", max);
        st = read_line(&out[*n], &cur, err);
        if (st != FM_OK)
            return base_err_prefix(err, "key %zu", *n + 1);
        if (out[*n].key.suite != out[0].key.suite)
            return base_err_set(err, FM_E_INPUT, "key %zu: %s, but key 1 is of suite %s", *n + 1,
                                out[*n].key.suite->name, out[0].key.suite->name);
        for (size_t i = 0; i < *n; i++)
            if (strcmp(out[i].name, out[*n].name) == 0)
                return base_err_set(err, FM_E_INPUT, "key %zu: %s has one already", *n + 1,
                                    out[i].name);
    }
    return FM_OK;
}

fm_status ledger_vkeys_count(size_t *count, const struct ledger_checkpoint *checkpoint,
                             const struct ledger_vkey *keys, size_t n, struct base_err *err)
{
    *count = 0;
    for (size_t i = 0; i < checkpoint->n; i++) {
        const struct ledger_cosignature *line = &checkpoint->cosigner[i];
        size_t k = 0;
        fm_status st;

        while (k < n && strcmp(keys[k].name, line->name) != 0)
            k++;
        if (k == n)
            continue;
        st = ledger_cosignature_verify_key(line, checkpoint, &keys[k].key, DID_RULES_VERSION, err);
        if (st != FM_OK)
            return base_err_prefix(err, "cosignature of %s", line->name);
        ++*count;
    }
    return FM_OK;
}
