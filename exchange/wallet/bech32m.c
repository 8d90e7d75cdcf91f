#include "exchange/wallet/bech32m.h"

#include <stdio.h>
#include <string.h>

#include "base/secret.h"

enum { TEXT_MAX = BECH32M_TEXT - 1, CHECKSUM = 6, HRP_MAX = 83 };
#define CHECKSUM_OF_M 0x2bc830a3u

static const char charset[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

/* Every entry is looked at: which one was wanted shows in no address. */
static char char_of(uint8_t symbol)
{
    unsigned c = 0;

    for (unsigned i = 0; i < 32; i++)
        c |= (unsigned)charset[i] & (0u - (((i ^ symbol) - 1u) >> 31));
    return (char)c;
}

/* 0 to 31; above that: no character of the set. */
static unsigned symbol_of(char c)
{
    unsigned symbol = 0, found = 0;

    for (unsigned i = 0; i < 32; i++) {
        unsigned same = 0u - ((((unsigned)charset[i] ^ (unsigned char)c) - 1u) >> 31);
        symbol |= i & same;
        found |= same;
    }
    return symbol | (~found & 32u);
}

static uint32_t step(uint32_t state, unsigned value)
{
    static const uint32_t generator[] = {0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                         0x2a1462b3};
    uint32_t top = state >> 25;

    state = (state & 0x1ffffff) << 5 ^ value;
    for (unsigned i = 0; i < 5; i++)
        state ^= generator[i] & (0u - ((top >> i) & 1u));
    return state;
}

static uint32_t begin(const char *hrp)
{
    uint32_t state = 1;

    for (const char *c = hrp; *c != '\0'; c++)
        state = step(state, (unsigned char)*c >> 5);
    state = step(state, 0);
    for (const char *c = hrp; *c != '\0'; c++)
        state = step(state, (unsigned char)*c & 31u);
    return state;
}

/* ---- writing ---- */

fm_status bech32m_encode(char out[BECH32M_TEXT], const char *hrp, const uint8_t *bytes, size_t len,
                         struct base_err *err)
{
    size_t hrp_len = strlen(hrp), symbols = (len * 8 + 4) / 5, at = 0;
    uint32_t state = begin(hrp), held = 0;
    unsigned bits = 0;

    memset(out, 0, BECH32M_TEXT);
    if (hrp_len < 1 || len > TEXT_MAX || hrp_len + 1 + symbols + CHECKSUM > TEXT_MAX)
        return base_err_set(err, FM_E_ARG, "%zu bytes are too many for one text of bech32m", len);
    for (const char *c = hrp; *c != '\0'; c++)
        if (*c < 33 || *c > 126 || (*c >= 'A' && *c <= 'Z'))
            return base_err_set(err, FM_E_ARG, "bech32m: not a human readable part");
    memcpy(out, hrp, hrp_len);
    out[hrp_len] = '1';
    for (size_t i = 0; i < symbols; i++) {
        unsigned symbol;
        if (bits < 5) { /* the last one may have spare bits, zero */
            held = held << 8 | (at < len ? bytes[at] : 0u);
            at++;
            bits += 8;
        }
        bits -= 5;
        symbol = held >> bits & 31u;
        state = step(state, symbol);
        out[hrp_len + 1 + i] = char_of((uint8_t)symbol);
    }
    for (unsigned i = 0; i < CHECKSUM; i++)
        state = step(state, 0);
    state ^= CHECKSUM_OF_M;
    for (unsigned i = 0; i < CHECKSUM; i++)
        out[hrp_len + 1 + symbols + i] = char_of((uint8_t)(state >> 5 * (CHECKSUM - 1 - i) & 31u));
    base_wipe(&held, sizeof held);
    return FM_OK;
}

/* ---- reading ---- */

static fm_status check_characters(char lower[BECH32M_TEXT], const char *text, struct base_err *err)
{
    size_t upper = 0, small = 0, len = strlen(text);

    if (len > TEXT_MAX)
        return base_err_set(err, FM_E_INPUT, "it has %zu characters: at most %d belong to it", len,
                            TEXT_MAX);
    for (size_t i = 0; i <= len; i++) {
        char c = text[i];
        if (i < len && (c < 33 || c > 126))
            return base_err_set(err, FM_E_INPUT, "character %zu is not printable", i + 1);
        upper += c >= 'A' && c <= 'Z';
        small += c >= 'a' && c <= 'z';
        lower[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    return upper == 0 || small == 0
               ? FM_OK
               : base_err_set(err, FM_E_INPUT, "capitals and small letters are mixed");
}

fm_status bech32m_decode(struct bech32m *out, const char *text, struct base_err *err)
{
    char lower[BECH32M_TEXT] = "";
    const char *end;
    uint32_t state;
    size_t n, at;

    memset(out, 0, sizeof *out);
    if (check_characters(lower, text, err) != FM_OK) {
        base_wipe(lower, sizeof lower);
        return err->code;
    }
    end = strrchr(lower, '1');
    if (end == NULL || end == lower || end - lower > HRP_MAX || strlen(end + 1) < CHECKSUM) {
        base_wipe(lower, sizeof lower);
        return base_err_set(err, FM_E_INPUT, "it is not of the form name1characters: cut short?");
    }
    memcpy(out->hrp, lower, (size_t)(end - lower));
    state = begin(out->hrp);
    at = (size_t)(end - lower);
    n = strlen(end + 1);
    for (size_t i = 0; i < n; i++) {
        unsigned symbol = symbol_of(end[1 + i]);
        if (symbol > 31) {
            base_wipe(out, sizeof *out);
            base_wipe(lower, sizeof lower);
            return base_err_set(err, FM_E_INPUT,
                                "character %zu is not one of those used (1, b, i and o are not)",
                                at + 2 + i);
        }
        out->symbols[i] = (uint8_t)symbol;
        state = step(state, symbol);
    }
    base_wipe(lower, sizeof lower);
    out->count = n - CHECKSUM;
    if (state == CHECKSUM_OF_M)
        return FM_OK;
    base_wipe(out, sizeof *out);
    return base_err_set(err, FM_E_INPUT,
                        "the checksum does not fit: a character is wrong, missing or in the wrong "
                        "place");
}

fm_status bech32m_bytes(uint8_t *out, size_t len, const uint8_t *symbols, size_t count,
                        struct base_err *err)
{
    uint32_t held = 0;
    unsigned bits = 0;
    size_t at = 0;

    if (count * 5 / 8 != len || count * 5 - len * 8 > 4)
        return base_err_set(err, FM_E_INPUT, "it is not %zu bytes long", len);
    for (size_t i = 0; i < count; i++) {
        held = (held << 5 | symbols[i]) & 0xfffu;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            out[at++] = (uint8_t)(held >> bits);
        }
    }
    return (held & ((1u << bits) - 1)) == 0
               ? FM_OK
               : base_err_set(err, FM_E_INPUT, "its spare bits are not zero");
}
