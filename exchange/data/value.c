#include "exchange/data/value.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "exchange/data/date.h"
#include "exchange/data/number.h"

/* ---- types ---- */

/* A decimal number of 1 to 5 digits without leading zeros, ended by `end`; advances *p past it. */
static bool small_number(unsigned *out, const char **p, char end)
{
    const char *s = *p;
    unsigned v = 0;

    if (*s == '0' && s[1] != end)
        return false;
    for (; *s >= '0' && *s <= '9'; s++) {
        if (s - *p >= 5)
            return false;
        v = v * 10 + (unsigned)(*s - '0');
    }
    if (s == *p || *s != end)
        return false;
    *out = v;
    *p = s + 1;
    return true;
}

static bool type_scan(struct data_type *out, const char *text)
{
    const char *p;

    memset(out, 0, sizeof *out);
    if (strcmp(text, "INTEGER") == 0) {
        out->kind = DATA_INTEGER;
        return true;
    }
    if (strcmp(text, "BOOLEAN") == 0) {
        out->kind = DATA_BOOLEAN;
        return true;
    }
    if (strcmp(text, "DATE") == 0) {
        out->kind = DATA_DATE;
        return true;
    }
    if (strncmp(text, "DECIMAL(", 8) == 0) {
        p = text + 8;
        out->kind = DATA_DECIMAL;
        return small_number(&out->precision, &p, ',') && small_number(&out->scale, &p, ')') &&
               *p == '\0' && out->precision >= 1 && out->precision <= DATA_PRECISION_MAX &&
               out->scale <= out->precision;
    }
    if (strncmp(text, "TEXT(", 5) == 0) {
        p = text + 5;
        out->kind = DATA_TEXT;
        return small_number(&out->max_bytes, &p, ')') && *p == '\0' && out->max_bytes >= 1 &&
               out->max_bytes <= DATA_TEXT_MAX;
    }
    return false;
}

fm_status data_type_parse(struct data_type *out, const char *text, struct base_err *err)
{
    if (type_scan(out, text))
        return FM_OK;
    memset(out, 0, sizeof *out);
    return base_err_set(err, FM_E_INPUT,
                        "unknown type '%.40s': write INTEGER, DECIMAL(p,s) with p <= %d and "
                        "s <= p, BOOLEAN, DATE or TEXT(n) with n <= %d",
                        text, DATA_PRECISION_MAX, DATA_TEXT_MAX);
}

void data_type_format(char out[DATA_TYPE_TEXT], const struct data_type *type)
{
    switch (type->kind) {
    case DATA_INTEGER:
        (void)snprintf(out, DATA_TYPE_TEXT, "INTEGER");
        return;
    case DATA_DECIMAL:
        (void)snprintf(out, DATA_TYPE_TEXT, "DECIMAL(%u,%u)", type->precision % 100,
                       type->scale % 100);
        return;
    case DATA_BOOLEAN:
        (void)snprintf(out, DATA_TYPE_TEXT, "BOOLEAN");
        return;
    case DATA_DATE:
        (void)snprintf(out, DATA_TYPE_TEXT, "DATE");
        return;
    case DATA_TEXT:
        (void)snprintf(out, DATA_TYPE_TEXT, "TEXT(%u)", type->max_bytes);
        return;
    }
    abort(); /* our bug: an enum value that does not exist */
}

bool data_type_equal(const struct data_type *a, const struct data_type *b)
{
    return a->kind == b->kind && a->precision == b->precision && a->scale == b->scale &&
           a->max_bytes == b->max_bytes;
}

static int64_t power_of_ten(unsigned exponent)
{
    int64_t v = 1;

    assert(exponent <= DATA_PRECISION_MAX);
    while (exponent-- > 0)
        v *= 10;
    return v;
}

void data_type_limits(int64_t *min, int64_t *max, const struct data_type *type)
{
    *min = *max = 0;
    switch (type->kind) {
    case DATA_INTEGER:
        *min = INT64_MIN;
        *max = INT64_MAX;
        return;
    case DATA_DECIMAL:
        *max = power_of_ten(type->precision) - 1;
        *min = -*max;
        return;
    case DATA_BOOLEAN:
        *max = 1;
        return;
    case DATA_DATE:
        *min = DATA_DATE_MIN;
        *max = DATA_DATE_MAX;
        return;
    case DATA_TEXT:
        return;
    }
}

/* ---- numbers ---- */

static fm_status not_a(const struct data_type *type, const char *why, struct base_err *err)
{
    char name[DATA_TYPE_TEXT];

    data_type_format(name, type);
    return base_err_set(err, FM_E_INPUT, "not a%s %s: %s", type->kind == DATA_INTEGER ? "n" : "",
                        name, why);
}

static fm_status parse_integer(int64_t *out, const struct data_type *type, const char *text,
                               size_t len, struct base_err *err)
{
    struct data_number n;

    switch (data_number_scan(&n, text, len)) {
    case DATA_NUMBER_OK:
        if (!n.whole)
            return not_a(type, "it has a fraction", err);
        *out = n.unscaled;
        return FM_OK;
    case DATA_NUMBER_TOO_BIG:
        return not_a(type, "it is beyond 64 bits", err);
    case DATA_NUMBER_SYNTAX:
    default:
        return not_a(type, "write digits and a sign", err);
    }
}

static fm_status parse_decimal(int64_t *out, const struct data_type *type, const char *text,
                               size_t len, struct base_err *err)
{
    int64_t min, max, v;
    struct data_number n;
    char why[64];

    data_type_limits(&min, &max, type);
    switch (data_number_scan(&n, text, len)) {
    case DATA_NUMBER_OK:
        if (n.scale > type->scale) {
            (void)snprintf(why, sizeof why, "more than %u fraction digits", type->scale);
            return not_a(type, why, err);
        }
        if (data_number_rescale(&v, n.unscaled, n.scale, type->scale) && v >= min && v <= max) {
            *out = v;
            return FM_OK;
        }
        /* fall through */
    case DATA_NUMBER_TOO_BIG:
        (void)snprintf(why, sizeof why, "more than %u digits before the point",
                       type->precision - type->scale);
        return not_a(type, why, err);
    case DATA_NUMBER_SYNTAX:
    default:
        return not_a(type, "write digits, a point and a sign", err);
    }
}

static bool same_word(const char *word, const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len && word[i] != '\0'; i++)
        if ((text[i] | 0x20) != word[i])
            return false;
    return i == len && word[i] == '\0';
}

static fm_status parse_boolean(int64_t *out, const struct data_type *type, const char *text,
                               size_t len, struct base_err *err)
{
    if (len == 1 && (text[0] == '0' || text[0] == '1'))
        *out = text[0] - '0';
    else if (same_word("true", text, len))
        *out = 1;
    else if (same_word("false", text, len))
        *out = 0;
    else
        return not_a(type, "write true, false, 1 or 0", err);
    return FM_OK;
}

static bool digits_only(int *out, const char *text, size_t n)
{
    int v = 0;

    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        v = v * 10 + (text[i] - '0');
    }
    *out = v;
    return true;
}

static fm_status parse_date(int64_t *out, const struct data_type *type, const char *text,
                            size_t len, struct base_err *err)
{
    int year, month, day;

    if (len != 10 || text[4] != '-' || text[7] != '-' || !digits_only(&year, text, 4) ||
        !digits_only(&month, text + 5, 2) || !digits_only(&day, text + 8, 2))
        return not_a(type, "write YYYY-MM-DD", err);
    if (!data_date_from_civil(out, year, month, day))
        return not_a(type, "there is no such day", err);
    return FM_OK;
}

/* ---- values ---- */

fm_status data_value_parse(int64_t *out, const struct data_type *type, const char *text, size_t len,
                           struct base_err *err)
{
    *out = 0;
    switch (type->kind) {
    case DATA_INTEGER:
        return parse_integer(out, type, text, len, err);
    case DATA_DECIMAL:
        return parse_decimal(out, type, text, len, err);
    case DATA_BOOLEAN:
        return parse_boolean(out, type, text, len, err);
    case DATA_DATE:
        return parse_date(out, type, text, len, err);
    case DATA_TEXT:
        break;
    }
    abort(); /* our bug: a text has no number */
}

static void format_scaled(char out[DATA_VALUE_TEXT], int64_t value, unsigned scale)
{
    uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char digits[DATA_VALUE_TEXT]; /* least significant first */
    size_t n = 0, at = 0;

    assert(scale <= DATA_SCALE_PRINT_MAX);
    while (magnitude > 0 || n <= scale) {
        digits[n++] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    }
    if (value < 0)
        out[at++] = '-';
    while (n > 0) {
        if (n == scale)
            out[at++] = '.';
        out[at++] = digits[--n];
    }
    out[at] = '\0';
}

void data_value_format(char out[DATA_VALUE_TEXT], const struct data_type *type, int64_t value)
{
    int year, month, day;

    switch (type->kind) {
    case DATA_INTEGER:
        format_scaled(out, value, 0);
        return;
    case DATA_DECIMAL:
        format_scaled(out, value, type->scale);
        return;
    case DATA_BOOLEAN:
        assert(value == 0 || value == 1);
        (void)snprintf(out, DATA_VALUE_TEXT, "%s", value != 0 ? "true" : "false");
        return;
    case DATA_DATE:
        data_date_to_civil(&year, &month, &day, value);
        (void)snprintf(out, DATA_VALUE_TEXT, "%04d-%02d-%02d", year, month, day);
        return;
    case DATA_TEXT:
        break;
    }
    abort(); /* our bug: a text is printed as it is */
}

/* ---- text ---- */

fm_status data_text_check(const struct data_type *type, const char *text, size_t len,
                          struct base_err *err)
{
    char why[64];

    if (len > type->max_bytes) {
        (void)snprintf(why, sizeof why, "%zu bytes are more than %u", len, type->max_bytes);
        return not_a(type, why, err);
    }
    if (len > 0 && memchr(text, 0, len) != NULL)
        return not_a(type, "it holds a NUL character", err);
    if (!base_text_is_utf8(text, len))
        return not_a(type, "it is not valid UTF-8", err);
    return FM_OK;
}
