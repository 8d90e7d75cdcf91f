#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

void base_buf_release(struct base_buf *buf)
{
    free(buf->p);
    *buf = (struct base_buf){0};
}

void base_buf_release_secret(struct base_buf *buf)
{
    base_wipe(buf->p, buf->cap);
    base_buf_release(buf);
}

void base_buf_clear(struct base_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
}

/* Room for extra bytes plus a closing NUL. The old block is wiped when it moves, because any buffer
 * may hold a secret that its owner later releases with base_buf_release_secret(). */
static bool reserve(struct base_buf *buf, size_t extra)
{
    size_t need, cap;
    uint8_t *p;

    if (buf->failed)
        return false;
    if (extra > SIZE_MAX / 2 - buf->len - 1) {
        buf->failed = true;
        return false;
    }
    need = buf->len + extra + 1;
    if (need <= buf->cap)
        return true;
    cap = buf->cap < 64 ? 64 : buf->cap;
    while (cap < need)
        cap *= 2;
    p = malloc(cap);
    if (p == NULL) {
        buf->failed = true;
        return false;
    }
    if (buf->len > 0)
        memcpy(p, buf->p, buf->len);
    base_wipe(buf->p, buf->cap);
    free(buf->p);
    buf->p = p;
    buf->cap = cap;
    return true;
}

uint8_t *base_buf_extend(struct base_buf *buf, size_t len)
{
    uint8_t *at;

    if (!reserve(buf, len))
        return NULL;
    at = buf->p + buf->len;
    buf->len += len;
    return at;
}

void base_buf_put(struct base_buf *buf, const void *bytes, size_t len)
{
    uint8_t *at = base_buf_extend(buf, len);

    if (at != NULL && len > 0)
        memcpy(at, bytes, len);
}

void base_buf_put_str(struct base_buf *buf, const char *text)
{
    base_buf_put(buf, text, strlen(text));
}

void base_buf_putf(struct base_buf *buf, const char *fmt, ...)
{
    va_list args, again;
    int len;

    va_start(args, fmt);
    va_copy(again, args);
    len = vsnprintf(NULL, 0, fmt, args);
    if (len < 0)
        buf->failed = true; /* UNTESTED: only a broken locale or format gets here. */
    else if (reserve(buf, (size_t)len)) {
        (void)vsnprintf((char *)buf->p + buf->len, (size_t)len + 1, fmt, again);
        buf->len += (size_t)len;
    }
    va_end(again);
    va_end(args);
}

static void put_be(struct base_buf *buf, uint64_t v, size_t width)
{
    uint8_t *at = base_buf_extend(buf, width);

    if (at == NULL)
        return;
    for (size_t i = 0; i < width; i++)
        at[i] = (uint8_t)(v >> (8 * (width - 1 - i)));
}

void base_buf_put_u8(struct base_buf *buf, uint8_t v)
{
    put_be(buf, v, 1);
}

void base_buf_put_u16(struct base_buf *buf, uint16_t v)
{
    put_be(buf, v, 2);
}

void base_buf_put_u32(struct base_buf *buf, uint32_t v)
{
    put_be(buf, v, 4);
}

void base_buf_put_u64(struct base_buf *buf, uint64_t v)
{
    put_be(buf, v, 8);
}

void base_buf_put_hex(struct base_buf *buf, const uint8_t *bytes, size_t len)
{
    if (len <= SIZE_MAX / 4 && reserve(buf, 2 * len)) {
        base_hex((char *)buf->p + buf->len, bytes, len);
        buf->len += 2 * len;
    }
}

fm_status base_buf_status(const struct base_buf *buf, const char *what, struct base_err *err)
{
    return buf->failed ? base_err_memory(err, what) : FM_OK;
}

const char *base_buf_cstr(struct base_buf *buf)
{
    if (!reserve(buf, 0))
        return "";
    buf->p[buf->len] = 0;
    return (const char *)buf->p;
}

struct base_cur base_cur_make(const void *bytes, size_t len)
{
    return (struct base_cur){bytes, len, false};
}

const uint8_t *base_cur_take(struct base_cur *cur, size_t len)
{
    const uint8_t *at = cur->p;

    if (cur->bad || len > cur->left) {
        cur->bad = true;
        return NULL;
    }
    if (len > 0)
        cur->p += len;
    cur->left -= len;
    return at;
}

static uint64_t get_be(struct base_cur *cur, size_t width)
{
    const uint8_t *at = base_cur_take(cur, width);
    uint64_t v = 0;

    for (size_t i = 0; at != NULL && i < width; i++)
        v = v << 8 | at[i];
    return v;
}

uint8_t base_cur_u8(struct base_cur *cur)
{
    return (uint8_t)get_be(cur, 1);
}

uint16_t base_cur_u16(struct base_cur *cur)
{
    return (uint16_t)get_be(cur, 2);
}

uint32_t base_cur_u32(struct base_cur *cur)
{
    return (uint32_t)get_be(cur, 4);
}

uint64_t base_cur_u64(struct base_cur *cur)
{
    return get_be(cur, 8);
}

void base_cur_copy(struct base_cur *cur, void *out, size_t len)
{
    const uint8_t *at = base_cur_take(cur, len);

    if (len == 0)
        return;
    if (at != NULL)
        memcpy(out, at, len);
    else
        memset(out, 0, len);
}

fm_status base_cur_end(const struct base_cur *cur, const char *what, struct base_err *err)
{
    if (cur->bad)
        return base_err_set(err, FM_E_INPUT, "%s: truncated", what);
    if (cur->left > 0)
        return base_err_set(err, FM_E_INPUT, "%s: %zu bytes left over", what, cur->left);
    return FM_OK;
}

void base_hex(char *out, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

bool base_unhex(uint8_t *out, size_t out_len, const char *text, size_t text_len)
{
    if (text_len / 2 != out_len || text_len % 2 != 0)
        return false;
    for (size_t i = 0; i < out_len; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static const char base64url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base_base64url(struct base_buf *out, const uint8_t *bytes, size_t len)
{
    size_t whole = len / 3, rest = len % 3;
    uint8_t *at = len <= SIZE_MAX / 2 ? base_buf_extend(out, 4 * whole + rest + (rest > 0)) : NULL;
    uint32_t bits;

    if (at == NULL) {
        out->failed = true;
        return;
    }
    for (; whole > 0; whole--, bytes += 3) {
        bits = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 8 | bytes[2];
        for (unsigned shift = 24; shift > 0; shift -= 6)
            *at++ = (uint8_t)base64url_digits[bits >> (shift - 6) & 63];
    }
    if (rest == 0)
        return;
    bits = (uint32_t)bytes[0] << 16 | (rest == 2 ? (uint32_t)bytes[1] << 8 : 0);
    *at++ = (uint8_t)base64url_digits[bits >> 18];
    *at++ = (uint8_t)base64url_digits[bits >> 12 & 63];
    if (rest == 2)
        *at = (uint8_t)base64url_digits[bits >> 6 & 63];
}

/* A digit's value plus one; 0 for what is no digit. A table indexed by the text leaks it through
 * the cache: constant time is not needed, because what is decoded is public (bytes.h). */
static const uint8_t base64url_values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64,
};

bool base_unbase64url(struct base_buf *out, const char *text, size_t text_len)
{
    size_t before = out->len;
    uint8_t *at = base_buf_extend(out, text_len / 4 * 3 + text_len % 4 * 3 / 4), *first = at;
    uint32_t bits = 0;
    unsigned held = 0;

    if (text_len % 4 == 1)
        return false;
    if (at == NULL)
        return true; /* and *out says that it failed */
    for (size_t i = 0; i < text_len; i++) {
        uint8_t value = base64url_values[(uint8_t)text[i]];
        if (value == 0) {
            out->len = before + (size_t)(at - first);
            return false;
        }
        bits = bits << 6 | (uint32_t)(value - 1);
        held += 6;
        if (held >= 8) {
            held -= 8;
            *at++ = (uint8_t)(bits >> held);
        }
    }
    return (bits & ((1u << held) - 1)) == 0;
}

void base_store_u64(uint8_t out8[8], uint64_t v)
{
    for (size_t i = 0; i < 8; i++)
        out8[i] = (uint8_t)(v >> (56 - 8 * i));
}

uint64_t base_load_u64(const uint8_t in8[8])
{
    uint64_t v = 0;

    for (size_t i = 0; i < 8; i++)
        v = v << 8 | in8[i];
    return v;
}
