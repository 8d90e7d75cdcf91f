#include "exchange/sql/parse/place.h"

#include <stdarg.h>
#include <stdio.h>

struct sql_place sql_place_of(const char *text, int at)
{
    struct sql_place place = {1, 1};

    for (int i = 0; i < at && text[i] != '\0'; i++) {
        if (text[i] == '\n') {
            place.line++;
            place.column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80 || i == 0) {
            place.column++;
        }
    }
    return place;
}

int sql_place_byte(const char *text, int index)
{
    int i = 0;

    for (int left = index; text[i] != '\0'; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80 && left-- == 0)
            break;
    }
    return i;
}

fm_status sql_place_error(struct base_err *err, fm_status code, const char *text, int at,
                          const char *fmt, ...)
{
    struct sql_place place = sql_place_of(text, at);
    char sentence[BASE_ERR_TEXT];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(sentence, sizeof sentence, fmt, args);
    va_end(args);
    return base_err_set(err, code, "line %u, column %u: %.450s", place.line, place.column,
                        sentence);
}
