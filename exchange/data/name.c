/* Names of columns and tables. They are shown to officers who sign for them, so two names that look
 * the same, or that hide something, must not pass. */
#include <string.h>

#include "base/text.h"
#include "exchange/data/schema.h"

static bool letter(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

/* Spaces, joiners, direction marks and controls outside ASCII; `name` is valid UTF-8. */
static bool has_invisible(const char *name)
{
    static const struct {
        uint32_t first, last;
    } hidden[] = {{0x80, 0xa0},     {0xad, 0xad},     {0x61c, 0x61c},   {0x180e, 0x180e},
                  {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f}, {0x3000, 0x3000},
                  {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff}};
    const uint8_t *p = (const uint8_t *)name;

    while (*p != 0) {
        unsigned more = *p < 0x80 ? 0 : *p < 0xe0 ? 1 : *p < 0xf0 ? 2 : 3;
        uint32_t c = more == 0 ? *p : *p & (0x3fu >> more);
        p++;
        while (more-- > 0)
            c = c << 6 | (*p++ & 0x3fu);
        for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++)
            if (c >= hidden[i].first && c <= hidden[i].last)
                return true;
    }
    return false;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

bool data_name_equal(const char *a, const char *b)
{
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return *a == *b;
}

bool data_name_valid(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len > DATA_NAME_MAX || !letter((unsigned char)name[0]))
        return false;
    for (size_t i = 1; i < len; i++)
        if (!letter((unsigned char)name[i]) && !(name[i] >= '0' && name[i] <= '9'))
            return false;
    /* SQLite's own word for the number of a row, by which this room reads them. */
    if (data_name_equal(name, "_rowid_"))
        return false;
    return base_text_is_utf8(name, len) && !has_invisible(name);
}
