#include "exchange/data/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/data/value.h"

/* An exponent: e or E, a sign if any, one to three digits that end the text. */
static bool exponent_scan(int *out, const char *text, size_t len)
{
    bool negative = len > 1 && text[1] == '-';
    size_t i = len > 1 && (text[1] == '-' || text[1] == '+') ? 2 : 1;
    size_t digits = len - i;
    int v = 0;

    if (len <= i || digits > 3)
        return false;
    for (; i < len; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        v = v * 10 + (text[i] - '0');
    }
    *out = negative ? -v : v;
    return true;
}

/* unscaled * 10^(exponent - fraction) with the fewest fraction digits that hold it. */
static enum data_number_fault number_place(struct data_number *out, int fraction, int exponent)
{
    int scale = fraction - exponent;

    for (; scale < 0 && out->unscaled != 0; scale++)
        if (__builtin_mul_overflow(out->unscaled, 10, &out->unscaled))
            return DATA_NUMBER_TOO_BIG;
    for (; scale > 0 && out->unscaled % 10 == 0 && out->unscaled != 0; scale--)
        out->unscaled /= 10;
    if (out->unscaled == 0)
        scale = 0;
    out->whole = scale == 0;
    out->scale = (unsigned)scale;
    return scale > DATA_SCALE_PRINT_MAX ? DATA_NUMBER_TOO_BIG : DATA_NUMBER_OK;
}

enum data_number_fault data_number_scan(struct data_number *out, const char *text, size_t len)
{
    /* The sign is kept apart while digits gather, so that INT64_MIN needs no special case. */
    bool negative = len > 0 && text[0] == '-';
    size_t i = len > 0 && (text[0] == '-' || text[0] == '+');
    uint64_t magnitude = 0, limit = (uint64_t)INT64_MAX + (negative ? 1 : 0);
    size_t digits = 0, fraction = 0;
    bool point = false, big = false, exponent = false;
    int shift = 0;

    for (; i < len && !exponent; i++) {
        unsigned d = (unsigned)(unsigned char)text[i] - '0';
        if (text[i] == '.' && !point) {
            point = true;
        } else if ((text[i] == 'e' || text[i] == 'E') && digits > 0) {
            if (!exponent_scan(&shift, text + i, len - i))
                return DATA_NUMBER_SYNTAX;
            exponent = true;
        } else if (d > 9) {
            return DATA_NUMBER_SYNTAX;
        } else {
            digits++;
            fraction += point;
            if (magnitude > (limit - d) / 10)
                big = true;
            else
                magnitude = magnitude * 10 + d;
        }
    }
    if (digits == 0)
        return DATA_NUMBER_SYNTAX;
    if (big || fraction > DATA_SCALE_PRINT_MAX)
        return DATA_NUMBER_TOO_BIG;
    out->scale = (unsigned)fraction;
    out->unscaled = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    out->whole = !point;
    return exponent ? number_place(out, (int)fraction, shift) : DATA_NUMBER_OK;
}

fm_status data_number_parse(int64_t *unscaled, unsigned *scale, const char *text, size_t len,
                            struct base_err *err)
{
    struct data_number n;

    *unscaled = 0;
    *scale = 0;
    switch (data_number_scan(&n, text, len)) {
    case DATA_NUMBER_OK:
        *unscaled = n.unscaled;
        *scale = n.scale;
        return FM_OK;
    case DATA_NUMBER_TOO_BIG:
        return base_err_set(err, FM_E_INPUT, "the number has more digits than 64 bits hold");
    case DATA_NUMBER_SYNTAX:
    default:
        return base_err_set(err, FM_E_INPUT, "not a number: write digits, a point and a sign");
    }
}

bool data_number_rescale(int64_t *out, int64_t value, unsigned from, unsigned to)
{
    for (; from < to; from++)
        if (__builtin_mul_overflow(value, 10, &value))
            return false;
    for (; from > to; from--) {
        if (value % 10 != 0)
            return false;
        value /= 10;
    }
    *out = value;
    return true;
}

bool data_number_from_real(int64_t *unscaled, unsigned *scale, double real)
{
    char text[64];
    struct data_number n;

    if (!(real > -1e18 && real < 1e18))
        return false;
    for (int digits = 0; digits <= 15; digits++) {
        (void)snprintf(text, sizeof text, "%.*f", digits, real);
        if (strtod(text, NULL) != real)
            continue;
        if (data_number_scan(&n, text, strlen(text)) != DATA_NUMBER_OK)
            return false;
        *unscaled = n.unscaled;
        *scale = n.scale;
        return true;
    }
    return false;
}
