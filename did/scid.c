#include "did/scid.h"

#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/profile.h"
#include "did/copy.h"
#include "did/multibase.h"

#define PREFIX_LEN (sizeof DID_METHOD_PREFIX - 1)
#define MULTIHASH_MAX 36

/* Multihashes: the code as a varint, 0x20 (32 bytes), the hash. text_len: 58^45 < 0x1220 * 2^256 <
 * 58^46 and 58^49 < 0xcda60120 * 2^256 < 58^50, so each has one length. */
static const struct form {
    uint8_t prefix[4];
    size_t prefix_len, text_len;
} forms[] = {{{0x12, 0x20}, 2, 46}, {{0xcd, 0xa6, 0x01, 0x20}, 4, 50}}; /* sha2-256, sm3-256 */

/* ---- substitution ---- */

static json_t *substitute_string(const char *text, const char *from, const char *to)
{
    size_t from_len = strlen(from);
    struct base_buf changed = {0};
    json_t *out;

    if (strncmp(text, from, from_len) != 0 || (text[from_len] != '\0' && text[from_len] != '#'))
        return json_string(text);
    base_buf_put_str(&changed, to);
    base_buf_put_str(&changed, text + from_len);
    out = changed.failed ? NULL : json_string(base_buf_cstr(&changed));
    base_buf_release(&changed);
    return out;
}

json_t *did_scid_substitute(const json_t *value, const char *from, const char *to)
{
    json_t *out, *item;
    const char *key;
    size_t i;
    int failed = 0;

    switch (json_typeof(value)) {
    case JSON_STRING:
        return substitute_string(json_string_value(value), from, to);
    case JSON_ARRAY:
        out = json_array();
        json_array_foreach(value, i, item)
        {
            failed |= json_array_append_new(out, did_scid_substitute(item, from, to));
        }
        break;
    case JSON_OBJECT:
        out = json_object();
        json_object_foreach((json_t *)(uintptr_t)value, key, item)
        {
            failed |= json_object_set_new(out, key, did_scid_substitute(item, from, to));
        }
        break;
    case JSON_INTEGER:
    case JSON_TRUE:
    case JSON_FALSE:
    case JSON_REAL:
    case JSON_NULL:
    default:
        return did_copy(value);
    }
    if (failed) {
        json_decref(out);
        return NULL;
    }
    return out;
}

/* ---- syntax ---- */

static bool is_chain(const char *text, size_t len)
{
    uint8_t bytes[(DID_CHAIN_TEXT - 1) / 2];

    if (len == sizeof DID_CHAIN_PLACEHOLDER - 1 && memcmp(text, DID_CHAIN_PLACEHOLDER, len) == 0)
        return true;
    return len == DID_CHAIN_TEXT - 1 && base_unhex(bytes, sizeof bytes, text, len);
}

static bool is_scid(const char *text)
{
    uint8_t bytes[MULTIHASH_MAX];
    size_t len;

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (strlen(text) == forms[i].text_len &&
            did_base58_decode(bytes, sizeof bytes, &len, text, forms[i].text_len) &&
            len == forms[i].prefix_len + 32 &&
            memcmp(bytes, forms[i].prefix, forms[i].prefix_len) == 0)
            return true;
    return false;
}

bool did_scid_split(char chain[DID_CHAIN_TEXT], char id[DID_SCID_TEXT], const char *did)
{
    const char *colon;
    size_t chain_len;

    if (strncmp(did, DID_METHOD_PREFIX, PREFIX_LEN) != 0)
        return false;
    did += PREFIX_LEN;
    colon = strchr(did, ':');
    if (colon == NULL)
        return false;
    chain_len = (size_t)(colon - did);
    if (!is_chain(did, chain_len) || !is_scid(colon + 1))
        return false;
    memcpy(chain, did, chain_len);
    chain[chain_len] = '\0';
    memcpy(id, colon + 1, strlen(colon + 1) + 1); /* is_scid() has measured it */
    return true;
}

/* ---- the id ---- */

fm_status did_scid_compute(char id[DID_SCID_TEXT], const json_t *document, const char *did,
                           struct base_err *err)
{
    const struct form *form = &forms[base_profile_is_national() ? 1 : 0];
    uint8_t multihash[MULTIHASH_MAX];
    json_t *template = did_scid_substitute(document, did, DID_TEMPLATE);
    struct base_buf text = {0};
    fm_status st;

    id[0] = '\0';
    if (template == NULL)
        return base_err_memory(err, "DID document");
    memcpy(multihash, form->prefix, sizeof form->prefix);
    st = base_json_hash(multihash + form->prefix_len, template, err);
    json_decref(template);
    if (st != FM_OK)
        return st;
    did_base58_encode(&text, multihash, form->prefix_len + 32);
    st = base_buf_status(&text, "DID", err);
    if (st == FM_OK)
        memcpy(id, base_buf_cstr(&text), form->text_len + 1);
    base_buf_release(&text);
    return st;
}
