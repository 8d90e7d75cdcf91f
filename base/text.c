#include "base/text.h"

#include <stdint.h>
#include <string.h>

/* Length of the UTF-8 sequence at p[0..left), 0 if it is not one (Unicode, table 3-7). */
static size_t utf8_sequence(const uint8_t *p, size_t left)
{
    uint8_t low = 0x80, high = 0xbf;
    size_t n;

    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (p[0] == 0xe0)
        low = 0xa0; /* below it: overlong */
    if (p[0] == 0xed)
        high = 0x9f; /* above it: surrogates */
    if (p[0] == 0xf0)
        low = 0x90;
    if (p[0] == 0xf4)
        high = 0x8f; /* above it: beyond U+10FFFF */
    if (left < n || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

bool base_text_is_utf8(const char *text, size_t len)
{
    const uint8_t *p = (const uint8_t *)text;

    while (len > 0) {
        size_t n = utf8_sequence(p, len);
        if (n == 0)
            return false;
        p += n;
        len -= n;
    }
    return true;
}

bool base_text_is_control(const char *utf8)
{
    const unsigned char *c = (const unsigned char *)utf8;

    if (c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0))
        return true;
    if (c[0] == 0xd8)
        return c[1] == 0x9c;
    if (c[0] != 0xe2)
        return false;
    return (c[1] == 0x80 && (c[2] == 0x8e || c[2] == 0x8f || (c[2] >= 0xa8 && c[2] <= 0xae))) ||
           (c[1] == 0x81 && c[2] >= 0xa6 && c[2] <= 0xa9);
}

static size_t length_of(const char *utf8)
{
    size_t n = 1;

    while (((unsigned char)utf8[n] & 0xc0) == 0x80)
        n++;
    return n;
}

const char *base_text_line(char out[BASE_TEXT_LINE], const char *utf8)
{
    static const char more[] = "...";
    size_t at = 0, n;

    for (; *utf8 != '\0'; utf8 += n) {
        bool control = base_text_is_control(utf8);
        n = length_of(utf8);
        if (at + n + sizeof more > BASE_TEXT_LINE) {
            memcpy(out + at, more, sizeof more);
            return out;
        }
        memcpy(out + at, control ? "?" : utf8, control ? 1 : n);
        at += control ? 1 : n;
    }
    out[at] = '\0';
    return out;
}

void base_text_tame(char *utf8, const char *keep)
{
    char *out = utf8;

    while (*utf8 != '\0') {
        size_t n = length_of(utf8);
        if (base_text_is_control(utf8) && strchr(keep, *utf8) == NULL) {
            *out++ = '?';
        } else {
            memmove(out, utf8, n);
            out += n;
        }
        utf8 += n;
    }
    *out = '\0';
}
