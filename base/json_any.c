#include "base/json_any.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_own.h"

/* ---- numbers ---- */

/* A number as 0.DIGITS * 10^point. */
struct decimal {
    char digits[20];
    int count, point;
};

static double value_of(uint64_t digits, int exponent)
{
    char text[40];

    (void)snprintf(text, sizeof text, "%llue%d", (unsigned long long)digits, exponent);
    return strtod(text, NULL);
}

/* With `count` digits: the nearest decimal or, if that is another double, its neighbour above:
 * below a power of two doubles are denser than above it, so the decimal farther off may be the one
 * that reads back. False if none of that length does. */
static bool with_digits(struct decimal *out, double n, int count)
{
    char text[40], *e;
    uint64_t digits = 0;
    int exponent;

    (void)snprintf(text, sizeof text, "%.*e", count - 1, n);
    e = strchr(text, 'e');
    exponent = atoi(e + 1) - (count - 1);
    for (const char *c = text; c < e; c++)
        if (*c != '.')
            digits = 10 * digits + (uint64_t)(*c - '0');
    for (uint64_t more = 0; more < 2; more++) {
        if (value_of(digits + more, exponent) != n)
            continue;
        out->count =
            snprintf(out->digits, sizeof out->digits, "%llu", (unsigned long long)(digits + more));
        out->point = exponent + out->count;
        while (out->count > 1 && out->digits[out->count - 1] == '0')
            out->count--;
        return true;
    }
    return false;
}

void base_json_number(char out[BASE_JSON_NUMBER_TEXT], double number)
{
    const char *sign = number < 0 ? "-" : "";
    struct decimal d = {"0", 1, 1};
    int least = 1, enough = 17; /* digits: 17 tell any two doubles apart */

    /* Where some decimal of n digits reads back, one of n + 1 does. */
    while (number != 0 && least < enough) {
        int middle = (least + enough) / 2;
        if (with_digits(&d, fabs(number), middle))
            enough = middle;
        else
            least = middle + 1;
    }
    if (number != 0)
        (void)with_digits(&d, fabs(number), least);
    if (d.point > 21 || d.point <= -6)
        (void)snprintf(out, BASE_JSON_NUMBER_TEXT, "%s%.1s%s%.*se%+d", sign, d.digits,
                       d.count > 1 ? "." : "", d.count - 1, d.digits + 1, d.point - 1);
    else if (d.point <= 0)
        (void)snprintf(out, BASE_JSON_NUMBER_TEXT, "%s0.%.*s%.*s", sign, -d.point, "000000",
                       d.count, d.digits);
    else if (d.point < d.count)
        (void)snprintf(out, BASE_JSON_NUMBER_TEXT, "%s%.*s.%.*s", sign, d.point, d.digits,
                       d.count - d.point, d.digits + d.point);
    else
        (void)snprintf(out, BASE_JSON_NUMBER_TEXT, "%s%.*s%.*s", sign, d.count, d.digits,
                       d.point - d.count, "00000000000000000000");
}

/* ---- trees ---- */

/* The integer that a real is, or NULL. */
static json_t *whole(const json_t *value)
{
    double n = json_real_value(value);

    return json_is_real(value) && fabs(n) <= (double)BASE_JSON_MAX_INT && n == floor(n)
               ? json_integer((json_int_t)n)
               : NULL;
}

/* Reals that are whole become integers. The tree is no deeper than BASE_JSON_MAX_DEPTH. */
static void settle(json_t *value)
{
    json_t *item, *n;
    size_t i;

    json_array_foreach(value, i, item)
    {
        n = whole(item);
        if (n != NULL)
            (void)json_array_set_new(value, i, n); /* does not allocate */
        else
            settle(item);
    }
    for (void *at = json_object_iter(value); at != NULL; at = json_object_iter_next(value, at)) {
        item = json_object_iter_value(at);
        n = whole(item);
        if (n != NULL)
            (void)json_object_iter_set_new(value, at, n);
        else
            settle(item);
    }
}

fm_status base_json_any_parse(json_t **out, const char *text, size_t len, struct base_err *err)
{
    fm_status st = base_json_load(out, text, len, BASE_JSON_ANY, err);

    if (st == FM_OK)
        settle(*out);
    return st;
}

fm_status base_json_any_canonical(struct base_buf *out, const json_t *value, struct base_err *err)
{
    fm_status st = base_json_check(value, BASE_JSON_ANY, err);

    if (st != FM_OK)
        return st;
    base_json_put(out, value);
    return base_buf_status(out, "canonical JSON", err);
}

fm_status base_json_any_parse_canonical(json_t **out, const void *bytes, size_t len,
                                        struct base_err *err)
{
    struct base_buf again = {0};
    fm_status st = base_json_any_parse(out, bytes, len, err);

    if (st != FM_OK)
        return st;
    st = base_json_any_canonical(&again, *out, err);
    if (st == FM_OK && (again.len != len || memcmp(again.p, bytes, len) != 0))
        st = base_err_set(err, FM_E_INPUT, "JSON is not in canonical form (RFC 8785)");
    base_buf_release_secret(&again);
    if (st != FM_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return st;
}
