#include "ledger/proof/base64.h"

#include <string.h>

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void ledger_base64_put(struct base_buf *out, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i += 3) {
        size_t n = len - i < 3 ? len - i : 3;
        uint32_t v = (uint32_t)bytes[i] << 16 | (n > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) |
                     (n > 2 ? bytes[i + 2] : 0);
        base_buf_put_u8(out, (uint8_t)digits[v >> 18]);
        base_buf_put_u8(out, (uint8_t)digits[v >> 12 & 63]);
        base_buf_put_u8(out, n > 1 ? (uint8_t)digits[v >> 6 & 63] : '=');
        base_buf_put_u8(out, n > 2 ? (uint8_t)digits[v & 63] : '=');
    }
}

bool ledger_base64_take(uint8_t *out, size_t out_len, struct base_cur *cur)
{
    const uint8_t *text = base_cur_take(cur, (out_len + 2) / 3 * 4);
    uint32_t bits = 0;
    unsigned have = 0;
    size_t n = 0;

    for (; text != NULL && n < out_len; text++) {
        const char *digit = *text == 0 ? NULL : strchr(digits, *text);
        if (digit == NULL)
            return false;
        bits = bits << 6 | (uint32_t)(digit - digits);
        have += 6;
        if (have >= 8) {
            have -= 8;
            out[n++] = (uint8_t)(bits >> have);
        }
    }
    if (text == NULL || (bits & ((1u << have) - 1)) != 0)
        return false;
    for (; n % 3 != 0; n++)
        if (*text++ != '=')
            return false;
    return true;
}
