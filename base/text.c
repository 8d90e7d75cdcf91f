#include "base/text.h"

#include <string.h>

bool base_text_is_control(const char *utf8)
{
    const unsigned char *c = (const unsigned char *)utf8;

    if (c[0] < 0x20 || c[0] == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0))
        return true;
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
