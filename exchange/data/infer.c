#include "exchange/data/infer.h"

#include <stdio.h>
#include <string.h>

void data_infer_null(struct data_infer *infer)
{
    infer->nulls++;
}

void data_infer_broken(struct data_infer *infer, const char *what, uint64_t row)
{
    if (infer->broken != NULL)
        return;
    infer->broken = what;
    infer->broken_row = row;
}

static void no_number(struct data_infer *infer, const char *why, uint64_t row)
{
    if (infer->not_number)
        return;
    infer->not_number = true;
    infer->why_late = infer->values > 0;
    infer->why = why;
    infer->why_row = row;
}

static void widen(int64_t *min, int64_t *max, int64_t value, uint64_t values_before)
{
    if (values_before == 0 || value < *min)
        *min = value;
    if (values_before == 0 || value > *max)
        *max = value;
}

/* Brings the range so far and the new value to the wider of both scales. */
static void take_number(struct data_infer *infer, int64_t value, unsigned scale, uint64_t row)
{
    unsigned wider = scale > infer->scale ? scale : infer->scale;

    if (wider > DATA_PRECISION_MAX || !data_number_rescale(&value, value, scale, wider) ||
        !data_number_rescale(&infer->number_min, infer->number_min, infer->scale, wider) ||
        !data_number_rescale(&infer->number_max, infer->number_max, infer->scale, wider)) {
        no_number(infer, "has more than 18 digits", row);
        return;
    }
    infer->scale = wider;
    widen(&infer->number_min, &infer->number_max, value, infer->values);
}

static bool leading_zero(const char *text, size_t len)
{
    size_t sign = len > 0 && (text[0] == '-' || text[0] == '+');

    return len > sign + 1 && text[sign] == '0' && text[sign + 1] != '.';
}

static void try_number(struct data_infer *infer, const char *text, size_t len, uint64_t row)
{
    bool exponent = memchr(text, 'e', len) != NULL || memchr(text, 'E', len) != NULL;
    struct base_err err;
    int64_t value;
    unsigned scale;

    if (leading_zero(text, len)) {
        no_number(infer, "has a leading zero", row);
    } else if (data_number_parse(&value, &scale, text, len, &err) != FM_OK) {
        no_number(infer, "is not a number of at most 18 digits", row);
    } else {
        if (exponent && infer->exponent_row == 0)
            infer->exponent_row = row;
        infer->point |= scale > 0 || (!exponent && memchr(text, '.', len) != NULL);
        take_number(infer, value, scale, row);
    }
}

static void try_date(struct data_infer *infer, const char *text, size_t len)
{
    static const struct data_type date = {.kind = DATA_DATE};
    struct base_err err;
    int64_t value;

    if (data_value_parse(&value, &date, text, len, &err) != FM_OK)
        infer->not_date = true;
    else
        widen(&infer->date_min, &infer->date_max, value, infer->values);
}

static void try_boolean(struct data_infer *infer, const char *text, size_t len)
{
    static const struct data_type boolean = {.kind = DATA_BOOLEAN};
    struct base_err err;
    int64_t value;

    if (len < 4 || data_value_parse(&value, &boolean, text, len, &err) != FM_OK)
        infer->not_boolean = true;
}

void data_infer_text(struct data_infer *infer, const char *text, size_t len, uint64_t row)
{
    if (!infer->not_number)
        try_number(infer, text, len, row);
    if (!infer->not_date)
        try_date(infer, text, len);
    if (!infer->not_boolean)
        try_boolean(infer, text, len);
    if (len > infer->max_bytes)
        infer->max_bytes = len;
    infer->text = true;
    infer->values++;
}

void data_infer_number(struct data_infer *infer, int64_t unscaled, unsigned scale, uint64_t row)
{
    infer->native = true;
    infer->not_date = infer->not_boolean = true;
    infer->point |= scale > 0;
    if (!infer->not_number)
        take_number(infer, unscaled, scale, row);
    infer->values++;
}

static unsigned digits_of(int64_t value)
{
    unsigned n = 1;

    while (value / 10 != 0) {
        value /= 10;
        n++;
    }
    return n;
}

/* False if the number has more digits than a DECIMAL. */
static bool number_finish(struct data_column *out, const struct data_infer *infer)
{
    unsigned low = digits_of(infer->number_min), high = digits_of(infer->number_max);
    unsigned precision = low > high ? low : high;

    out->type.kind = infer->point ? DATA_DECIMAL : DATA_INTEGER;
    out->min = infer->number_min;
    out->max = infer->number_max;
    if (!infer->point)
        return true;
    if (precision > DATA_PRECISION_MAX)
        return false;
    out->type.scale = infer->scale;
    out->type.precision = precision > infer->scale ? precision : infer->scale;
    return true;
}

static fm_status text_finish(struct data_column *out, const struct data_infer *infer,
                             struct base_err *err)
{
    if (infer->native && infer->text)
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "row %llu: it mixes numbers and texts that are none",
                            (unsigned long long)infer->why_row);
    if (infer->native)
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "row %llu: it has numbers of more than %d digits",
                            (unsigned long long)infer->why_row, DATA_PRECISION_MAX);
    if (infer->max_bytes > DATA_TEXT_MAX)
        return base_err_set(err, FM_E_UNSUPPORTED,
                            "its longest text has %zu bytes, %d are possible", infer->max_bytes,
                            DATA_TEXT_MAX);
    out->type.kind = DATA_TEXT;
    out->type.max_bytes = infer->max_bytes > 0 ? (unsigned)infer->max_bytes : 1;
    out->min = out->max = 0;
    return FM_OK;
}

fm_status data_infer_finish(struct data_column *out, char remark[DATA_INFER_REMARK],
                            const struct data_infer *infer, struct base_err *err)
{
    bool number = infer->values > 0 && !infer->not_number;

    remark[0] = '\0';
    memset(&out->type, 0, sizeof out->type);
    out->nullable = infer->nulls > 0;
    if (infer->broken != NULL)
        return base_err_set(err, FM_E_UNSUPPORTED, "row %llu: %s",
                            (unsigned long long)infer->broken_row, infer->broken);
    if (number && number_finish(out, infer)) {
        if (infer->exponent_row > 0)
            (void)snprintf(
                remark, DATA_INFER_REMARK,
                "row %llu is written with an exponent: a spreadsheet may have rounded it",
                (unsigned long long)infer->exponent_row);
        return FM_OK;
    }
    memset(&out->type, 0, sizeof out->type);
    if (infer->values > 0 && !infer->not_date) {
        out->type.kind = DATA_DATE;
        out->min = infer->date_min;
        out->max = infer->date_max;
        return FM_OK;
    }
    if (infer->values > 0 && !infer->not_boolean) {
        out->type.kind = DATA_BOOLEAN;
        out->min = 0;
        out->max = 1;
        return FM_OK;
    }
    if (number)
        (void)snprintf(remark, DATA_INFER_REMARK, "its numbers need more than %d digits",
                       DATA_PRECISION_MAX);
    else if (infer->why_late)
        (void)snprintf(remark, DATA_INFER_REMARK, "row %llu %s", (unsigned long long)infer->why_row,
                       infer->why);
    else if (infer->values == 0)
        (void)snprintf(remark, DATA_INFER_REMARK, "it has no value but NULL");
    return text_finish(out, infer, err);
}
