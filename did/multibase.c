#include "did/multibase.h"

#include <stdlib.h>
#include <string.h>

static const char alphabet[] = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/* ---- base58btc ---- */

void did_base58_encode(struct base_buf *out, const uint8_t *bytes, size_t len)
{
    /* log 256 / log 58 = 1.3658: 11 digits hold 8 bytes. */
    size_t zeros = 0, used = 0, cap = len / 8 * 11 + 11;
    uint8_t *digits = malloc(cap); /* little-endian, base 58 */
    uint8_t *at;

    while (zeros < len && bytes[zeros] == 0)
        zeros++;
    at = digits == NULL ? NULL : base_buf_extend(out, zeros);
    if (at == NULL) {
        out->failed = true;
        free(digits);
        return;
    }
    if (zeros > 0)
        memset(at, '1', zeros);
    for (size_t i = zeros; i < len; i++) {
        unsigned carry = bytes[i];
        for (size_t j = 0; j < used; j++) {
            carry += (unsigned)digits[j] << 8;
            digits[j] = (uint8_t)(carry % 58);
            carry /= 58;
        }
        for (; carry > 0; carry /= 58)
            digits[used++] = (uint8_t)(carry % 58);
    }
    while (used > 0)
        base_buf_put_u8(out, (uint8_t)alphabet[digits[--used]]);
    free(digits);
}

bool did_base58_decode(uint8_t *out, size_t cap, size_t *out_len, const char *text, size_t text_len)
{
    size_t zeros = 0, used = 0; /* out[0..used): least digit first, turned round below */

    *out_len = 0;
    while (zeros < text_len && text[zeros] == '1')
        zeros++;
    for (size_t i = zeros; i < text_len; i++) {
        const char *digit = text[i] == '\0' ? NULL : strchr(alphabet, text[i]);
        unsigned carry;
        if (digit == NULL)
            return false;
        carry = (unsigned)(digit - alphabet);
        for (size_t j = 0; j < used; j++) {
            carry += 58u * out[j];
            out[j] = (uint8_t)carry;
            carry >>= 8;
        }
        if (carry > 0) {
            if (used == cap)
                return false;
            out[used++] = (uint8_t)carry;
        }
    }
    if (zeros > cap - used)
        return false;
    memset(out + used, 0, zeros);
    used += zeros;
    for (size_t i = 0; i < used / 2; i++) {
        uint8_t swap = out[i];
        out[i] = out[used - 1 - i];
        out[used - 1 - i] = swap;
    }
    *out_len = used;
    return true;
}

/* ---- multibase and Multikey ---- */

void did_multibase_encode(struct base_buf *out, const uint8_t *bytes, size_t len)
{
    base_buf_put_u8(out, 'z');
    did_base58_encode(out, bytes, len);
}

fm_status did_multibase_decode(uint8_t *out, size_t len, const char *text, struct base_err *err)
{
    size_t text_len = strlen(text), got;

    memset(out, 0, len);
    if (text[0] != 'z')
        return base_err_set(err, FM_E_INPUT, "multibase text must begin with 'z' (base58btc)");
    if (!did_base58_decode(out, len, &got, text + 1, text_len - 1) || got != len) {
        memset(out, 0, len);
        return base_err_set(err, FM_E_INPUT, "multibase text is not base58btc of %zu bytes", len);
    }
    return FM_OK;
}

fm_status did_multikey_encode(char out[DID_MULTIKEY_TEXT], const struct did_key *key,
                              struct base_err *err)
{
    uint8_t bytes[2 + DID_KEY_MAX];
    struct base_buf text = {0};
    fm_status st;

    out[0] = '\0';
    memcpy(bytes, key->suite->multicodec, 2);
    memcpy(bytes + 2, key->bytes, key->suite->key_len);
    did_multibase_encode(&text, bytes, 2 + key->suite->key_len);
    base_buf_put_u8(&text, 0);
    st = base_buf_status(&text, "Multikey", err);
    /* 35 bytes are at most 49 characters of base58btc. */
    if (st == FM_OK)
        memcpy(out, text.p, text.len);
    base_buf_release(&text);
    return st;
}

fm_status did_multikey_decode(struct did_key *out, const char *text, uint32_t rules_version,
                              struct base_err *err)
{
    uint8_t bytes[2 + DID_KEY_MAX];
    const struct did_suite *suite;
    size_t len;

    memset(out, 0, sizeof *out);
    if (text[0] != 'z' || strlen(text) >= DID_MULTIKEY_TEXT ||
        !did_base58_decode(bytes, sizeof bytes, &len, text + 1, strlen(text) - 1) || len < 2)
        return base_err_set(err, FM_E_INPUT, "'%.80s' is not a Multikey in base58btc", text);
    suite = did_suite_by_multicodec(bytes);
    if (suite == NULL || suite->since > rules_version)
        return base_err_set(err, FM_E_INPUT,
                            "'%.80s' is a key of a suite that is not known here (known: %s)", text,
                            rules_version < 2 ? "ed25519" : "ed25519, p256, sm2");
    return did_key_make(out, suite, bytes + 2, len - 2, rules_version, err);
}
