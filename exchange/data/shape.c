#include "exchange/data/shape.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Does the text follow the pattern? '9' stands for a digit, anything else for itself. */
static bool follows(const char *text, size_t len, const char *pattern)
{
    size_t n = strlen(pattern);

    if (len < n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (pattern[i] == '9' ? !is_digit(text[i]) : text[i] != pattern[i])
            return false;
    return true;
}

static bool one_of(const char *text, size_t len, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strlen(*words) == len && strncasecmp(*words, text, len) == 0)
            return true;
    return false;
}

/* Two parts of one or two digits and a year, with `mark` between: 31.12.2024, 1/2/2024. */
static bool day_with(const char *text, size_t len, char mark)
{
    size_t i = 0;

    for (int part = 0; part < 2; part++) {
        size_t from = i;
        while (i < len && is_digit(text[i]))
            i++;
        if (i - from < 1 || i - from > 2 || i == len || text[i] != mark)
            return false;
        i++;
    }
    return len - i == 4 && follows(text + i, 4, "9999");
}

/* Digits in groups, with a comma somewhere, as people write numbers. */
static bool comma_number(const char *text, size_t len)
{
    size_t digits = 0, commas = 0;

    for (size_t i = len > 0 && (text[0] == '-' || text[0] == '+'); i < len; i++) {
        if (is_digit(text[i]))
            digits++;
        else if (text[i] == ',')
            commas++;
        else if (text[i] != '.')
            return false;
    }
    return digits > 0 && commas > 0 && is_digit(text[len - 1]);
}

static enum data_shape day_shape(const char *text, size_t len)
{
    if (len == 10 && follows(text, len, "9999-99-99"))
        return DATA_SHAPE_DAY;
    if (len > 10 &&
        (follows(text, len, "9999-99-99 99:99") || follows(text, len, "9999-99-99T99:99")))
        return DATA_SHAPE_TIME;
    if (len == 10 && (follows(text, len, "9999/99/99") || follows(text, len, "9999.99.99")))
        return DATA_SHAPE_DAY_YEAR_1ST;
    if (len <= 10 && day_with(text, len, '.'))
        return DATA_SHAPE_DAY_DOTS;
    if (len <= 10 && (day_with(text, len, '/') || day_with(text, len, '-')))
        return DATA_SHAPE_DAY_SLASHES;
    return DATA_SHAPE_TEXT;
}

static enum data_shape number_shape(const char *text, size_t len)
{
    size_t sign = len > 0 && (text[0] == '-' || text[0] == '+'), i = sign, points = 0, digits = 0;

    for (; i < len && (is_digit(text[i]) || text[i] == '.'); i++) {
        digits += is_digit(text[i]);
        points += text[i] == '.';
    }
    if (digits == 0 || points > 1)
        return DATA_SHAPE_TEXT;
    if (i < len && (text[i] == 'e' || text[i] == 'E')) {
        i++;
        if (i < len && (text[i] == '-' || text[i] == '+'))
            i++;
        if (i == len)
            return DATA_SHAPE_TEXT;
        while (i < len && is_digit(text[i]))
            i++;
        return i == len ? DATA_SHAPE_EXPONENT : DATA_SHAPE_TEXT;
    }
    if (i < len)
        return DATA_SHAPE_TEXT;
    if (len > sign + 1 && text[sign] == '0' && is_digit(text[sign + 1]))
        return DATA_SHAPE_LEADING_ZERO;
    return points > 0 ? DATA_SHAPE_FRACTION : DATA_SHAPE_WHOLE;
}

enum data_shape data_shape_of(const char *text, size_t len)
{
    static const char *const truth[] = {"true", "false", NULL};
    static const char *const yes_no[] = {"yes", "no", "y", "n", "ja", "nein", "on", "off", NULL};
    static const char *const no_value[] = {"null", "n/a", "#n/a", "none", "nan", "nil",
                                           "-",    "--",  "?",    ".",    "",    NULL};
    enum data_shape shape;

    if (one_of(text, len, no_value))
        return DATA_SHAPE_NO_VALUE;
    shape = number_shape(text, len);
    if (shape == DATA_SHAPE_TEXT)
        shape = day_shape(text, len);
    if (shape == DATA_SHAPE_TEXT && comma_number(text, len))
        return DATA_SHAPE_COMMA_NUMBER;
    if (shape == DATA_SHAPE_TEXT && one_of(text, len, truth))
        return DATA_SHAPE_TRUTH;
    if (shape == DATA_SHAPE_TEXT && one_of(text, len, yes_no))
        return DATA_SHAPE_YES_NO;
    return shape;
}

const char *data_shape_name(enum data_shape shape)
{
    static const char *const names[DATA_SHAPE_COUNT] = {
        [DATA_SHAPE_WHOLE] = "a whole number",
        [DATA_SHAPE_FRACTION] = "a number with a point",
        [DATA_SHAPE_EXPONENT] = "a number with an exponent",
        [DATA_SHAPE_LEADING_ZERO] = "digits with a leading zero",
        [DATA_SHAPE_COMMA_NUMBER] = "a number with a comma",
        [DATA_SHAPE_DAY] = "a day written YYYY-MM-DD",
        [DATA_SHAPE_DAY_DOTS] = "a day written DD.MM.YYYY",
        [DATA_SHAPE_DAY_SLASHES] = "a day written DD/MM/YYYY or MM/DD/YYYY",
        [DATA_SHAPE_DAY_YEAR_1ST] = "a day written YYYY/MM/DD",
        [DATA_SHAPE_TIME] = "a day with a time",
        [DATA_SHAPE_TRUTH] = "true or false",
        [DATA_SHAPE_YES_NO] = "yes or no",
        [DATA_SHAPE_NO_VALUE] = "a word for 'no value'",
        [DATA_SHAPE_TEXT] = "a text",
    };

    return names[shape];
}
