#include "did/scid.h"

#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "did/copy.h"
#include "did/multibase.h"

#define PREFIX_LEN (sizeof DID_METHOD_PREFIX - 1)
#define MULTIHASH_LEN 34 /* 0x12 (sha2-256), 0x20 (32 bytes), the hash */

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
    uint8_t bytes[MULTIHASH_LEN];
    size_t len;

    return strlen(text) == DID_SCID_TEXT - 1 &&
           did_base58_decode(bytes, sizeof bytes, &len, text, DID_SCID_TEXT - 1) &&
           len == MULTIHASH_LEN && bytes[0] == 0x12 && bytes[1] == 0x20;
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
    memcpy(id, colon + 1, DID_SCID_TEXT);
    return true;
}

/* ---- the id ---- */

fm_status did_scid_compute(char id[DID_SCID_TEXT], const json_t *document, const char *did,
                           struct base_err *err)
{
    uint8_t multihash[MULTIHASH_LEN] = {0x12, 0x20};
    json_t *template = did_scid_substitute(document, did, DID_TEMPLATE);
    struct base_buf text = {0};
    fm_status st;

    id[0] = '\0';
    if (template == NULL)
        return base_err_memory(err, "DID document");
    st = base_json_hash(multihash + 2, template, err);
    json_decref(template);
    if (st != FM_OK)
        return st;
    did_base58_encode(&text, multihash, sizeof multihash);
    st = base_buf_status(&text, "DID", err);
    /* 58^45 < 0x1220 * 2^256 < 58^46: always 46 characters. */
    if (st == FM_OK)
        memcpy(id, base_buf_cstr(&text), DID_SCID_TEXT);
    base_buf_release(&text);
    return st;
}
