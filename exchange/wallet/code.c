#include "exchange/wallet/code.h"

#include <errno.h>
#include <qrencode.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/hash.h"

enum { QUIET = 4, PIXELS = 4, HASH_DIGITS = 8, HEADER_MAX = 32 };
#define PREFIX "FIRMIANA:"

/* ---- one text, several codes ---- */

static void hash_of(char out[HASH_DIGITS + 1], const char *text, size_t len)
{
    uint8_t hash[32];
    char hex[65];

    base_sha256(hash, text, len);
    base_hex(hex, hash, 32);
    memcpy(out, hex, HASH_DIGITS);
    out[HASH_DIGITS] = '\0';
}

static fm_status check_text(const char *text, struct base_err *err)
{
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            return base_err_set(err, FM_E_INPUT, "byte %zu is not of one printable line",
                                (size_t)(c - text));
    return *text != '\0' ? FM_OK : base_err_set(err, FM_E_INPUT, "there is nothing to show");
}

fm_status wallet_codes_split(struct wallet_codes *out, const char *text, size_t most,
                             struct base_err *err)
{
    size_t len = strlen(text), room = most - HEADER_MAX, n = 1, each = len;
    char hash[HASH_DIGITS + 1];
    fm_status st = check_text(text, err);

    *out = (struct wallet_codes){.count = 0};
    if (st != FM_OK)
        return st;
    if (len > most || strncmp(text, PREFIX, strlen(PREFIX)) == 0) {
        n = (len + room - 1) / room;
        each = (len + n - 1) / n;
    }
    if (n > WALLET_CODES_MAX)
        return base_err_set(err, FM_E_LIMIT,
                            "it has %zu bytes, and %d codes of this size hold %zu: hand over the "
                            "file instead",
                            len, WALLET_CODES_MAX, room * WALLET_CODES_MAX);
    hash_of(hash, text, len);
    for (size_t i = 0; i < n; i++) {
        size_t from = i * each, part = len - from < each ? len - from : each;
        struct base_buf code = {0};
        if (len > most || strncmp(text, PREFIX, strlen(PREFIX)) == 0)
            base_buf_putf(&code, PREFIX "%zu/%zu:%s:", i + 1, n, hash);
        base_buf_put(&code, text + from, part);
        if (!code.failed)
            out->texts[out->count] = strdup(base_buf_cstr(&code));
        base_buf_release(&code);
        if (out->texts[out->count++] == NULL) {
            wallet_codes_release(out);
            return base_err_memory(err, "codes");
        }
    }
    return FM_OK;
}

void wallet_codes_release(struct wallet_codes *codes)
{
    for (size_t i = 0; i < codes->count; i++)
        free(codes->texts[i]);
    codes->count = 0;
}

/* ---- several codes, one text ---- */

struct parts {
    struct {
        const char *text;
        size_t len;
    } part[WALLET_CODES_MAX];
    unsigned long count;
    char hash[HASH_DIGITS + 1];
};

/* A number from 1 to 16 and the character behind it. */
static bool take_number(unsigned long *out, const char **at, const char *end, char behind)
{
    unsigned long n = 0;
    const char *from = *at;

    while (*at < end && **at >= '0' && **at <= '9' && n <= WALLET_CODES_MAX)
        n = n * 10 + (unsigned long)(*(*at)++ - '0');
    if (*at == from || *from == '0' || n < 1 || n > WALLET_CODES_MAX || *at == end ||
        **at != behind)
        return false;
    (*at)++;
    *out = n;
    return true;
}

static fm_status take_part(struct parts *p, const char *line, size_t len, struct base_err *err)
{
    const char *at = line + strlen(PREFIX), *end = line + len;
    unsigned long i, n;

    if (!take_number(&i, &at, end, '/') || !take_number(&n, &at, end, ':') || i > n ||
        end - at < HASH_DIGITS + 1 || at[HASH_DIGITS] != ':')
        return base_err_set(err, FM_E_INPUT,
                            "a code begins with " PREFIX " and does not go on as "
                            "i/n:hash:");
    if (p->count == 0) {
        p->count = n;
        memcpy(p->hash, at, HASH_DIGITS);
    }
    if (p->count != n || memcmp(p->hash, at, HASH_DIGITS) != 0)
        return base_err_set(err, FM_E_INPUT, "the codes are of more than one text");
    at += HASH_DIGITS + 1;
    p->part[i - 1].text = at;
    p->part[i - 1].len = (size_t)(end - at);
    return FM_OK;
}

static fm_status put_together(struct base_buf *out, const struct parts *p, struct base_err *err)
{
    char hash[HASH_DIGITS + 1];
    size_t before = out->len;

    for (unsigned long i = 0; i < p->count; i++) {
        if (p->part[i].text == NULL)
            return base_err_set(err, FM_E_INPUT, "code %lu of %lu is missing", i + 1, p->count);
        base_buf_put(out, p->part[i].text, p->part[i].len);
    }
    if (base_buf_status(out, "codes", err) != FM_OK)
        return err->code;
    hash_of(hash, (const char *)out->p + before, out->len - before);
    return strcmp(hash, p->hash) == 0
               ? FM_OK
               : base_err_set(err, FM_E_INPUT, "the codes do not make up what they were made of");
}

fm_status wallet_codes_join(struct base_buf *out, const char *lines, struct base_err *err)
{
    const char *single = NULL;
    struct parts p = {.count = 0};
    size_t single_len = 0;

    for (const char *line = lines; *line != '\0';) {
        size_t len = strcspn(line, "\r\n");
        if (len >= strlen(PREFIX) && strncmp(line, PREFIX, strlen(PREFIX)) == 0) {
            if (take_part(&p, line, len, err) != FM_OK)
                return err->code;
        } else if (len > 0) {
            if (single != NULL && (len != single_len || strncmp(line, single, len) != 0))
                return base_err_set(err, FM_E_INPUT, "the codes are of more than one text");
            single = line;
            single_len = len;
        }
        line += len + strspn(line + len, "\r\n");
    }
    if (single != NULL && p.count > 0)
        return base_err_set(err, FM_E_INPUT, "the codes are of more than one text");
    if (p.count > 0)
        return put_together(out, &p, err);
    if (single == NULL)
        return base_err_set(err, FM_E_INPUT, "there is no code in it");
    base_buf_put(out, single, single_len);
    return base_buf_status(out, "codes", err);
}

/* ---- pictures ---- */

static fm_status encode(QRcode **out, const char *text, struct base_err *err)
{
    *out = QRcode_encodeData((int)strlen(text), (const unsigned char *)text, 0, QR_ECLEVEL_M);
    if (*out != NULL)
        return FM_OK;
    return errno == ERANGE
               ? base_err_set(err, FM_E_LIMIT, "%zu bytes are too many for one code", strlen(text))
               : base_err_errno(err, "QR code");
}

static bool is_dark(const QRcode *code, int x, int y)
{
    int w = code->width;

    x -= QUIET;
    y -= QUIET;
    return x >= 0 && y >= 0 && x < w && y < w && (code->data[y * w + x] & 1) != 0;
}

fm_status wallet_code_terminal(struct base_buf *out, const char *text, struct base_err *err)
{
    static const char *const blocks[4] = {"\xe2\x96\x88", "\xe2\x96\x84", "\xe2\x96\x80", " "};
    QRcode *code;
    fm_status st = encode(&code, text, err);

    if (st != FM_OK)
        return st;
    for (int y = 0; y < code->width + 2 * QUIET; y += 2) {
        for (int x = 0; x < code->width + 2 * QUIET; x++)
            base_buf_put_str(out, blocks[is_dark(code, x, y) + 2 * is_dark(code, x, y + 1)]);
        base_buf_put_str(out, "\n");
    }
    QRcode_free(code);
    return base_buf_status(out, "QR code", err);
}

fm_status wallet_code_svg(struct base_buf *out, const char *text, struct base_err *err)
{
    QRcode *code;
    fm_status st = encode(&code, text, err);
    int side;

    if (st != FM_OK)
        return st;
    side = code->width + 2 * QUIET;
    base_buf_putf(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%dmm\" height=\"%dmm\" "
                  "viewBox=\"0 0 %d %d\">\n<path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/>\n<path d=\"",
                  side, side, side, side, side, side);
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            int from = x;
            while (is_dark(code, x, y))
                x++;
            if (x > from)
                base_buf_putf(out, "M%d %dh%dv1h-%dz", from, y, x - from, x - from);
        }
    base_buf_put_str(out, "\"/>\n</svg>\n");
    QRcode_free(code);
    return base_buf_status(out, "QR code", err);
}

static void put_chunk(struct base_buf *out, const char type[5], const uint8_t *bytes, size_t len)
{
    size_t from;

    base_buf_put_u32(out, (uint32_t)len);
    from = out->len;
    base_buf_put_str(out, type);
    base_buf_put(out, bytes, len);
    if (!out->failed)
        base_buf_put_u32(out, (uint32_t)crc32(0, out->p + from, (uInt)(out->len - from)));
}

/* One bit a pixel, 1 is white; each row begins with its filter, none. */
static void put_rows(struct base_buf *rows, const QRcode *code)
{
    int side = code->width + 2 * QUIET, pixels = side * PIXELS;

    for (int y = 0; y < pixels; y++) {
        base_buf_put_u8(rows, 0);
        for (int x = 0; x < pixels; x += 8) {
            unsigned bits = 0;
            for (int i = 0; i < 8; i++)
                bits = bits << 1 | !is_dark(code, (x + i) / PIXELS, y / PIXELS);
            base_buf_put_u8(rows, (uint8_t)bits);
        }
    }
}

fm_status wallet_code_png(struct base_buf *out, const char *text, struct base_err *err)
{
    struct base_buf head = {0}, rows = {0};
    uint8_t *packed = NULL;
    uLongf packed_len = 0;
    QRcode *code;
    fm_status st = encode(&code, text, err);

    if (st != FM_OK)
        return st;
    put_rows(&rows, code);
    packed_len = compressBound(rows.len);
    packed = malloc(packed_len);
    if (packed == NULL || rows.failed || compress(packed, &packed_len, rows.p, rows.len) != Z_OK)
        st = base_err_memory(err, "QR code");
    for (int i = 0; i < 2; i++)
        base_buf_put_u32(&head, (uint32_t)((code->width + 2 * QUIET) * PIXELS));
    base_buf_put(&head, "\1\0\0\0\0", 5); /* one bit, grey; deflate, filters, no interlace */
    if (st == FM_OK) {
        base_buf_put(out, "\x89PNG\r\n\x1a\n", 8);
        put_chunk(out, "IHDR", head.p, head.len);
        put_chunk(out, "IDAT", packed, packed_len);
        put_chunk(out, "IEND", (const uint8_t *)"", 0);
        st = base_buf_status(out, "QR code", err);
    }
    free(packed);
    base_buf_release(&head);
    base_buf_release(&rows);
    QRcode_free(code);
    return st;
}
