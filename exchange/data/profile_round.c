#include "exchange/data/profile_round.h"

#include "exchange/data/date.h"

int64_t data_round_up(int64_t v)
{
    int64_t unit = 1;

    while (unit < v) {
        if (v <= 2 * unit)
            return 2 * unit;
        if (unit <= INT64_MAX / 5 && v <= 5 * unit)
            return 5 * unit;
        if (unit > INT64_MAX / 10)
            return INT64_MAX;
        unit *= 10;
    }
    return unit;
}

static unsigned digits_of(int64_t v)
{
    unsigned n = 1;

    for (; v / 10 != 0; v /= 10)
        n++;
    return n;
}

static void round_number(struct data_column *c)
{
    c->min = c->min >= 0 ? 0 : c->min < -INT64_MAX ? INT64_MIN : -data_round_up(-c->min);
    c->max = c->max <= 0 ? 0 : data_round_up(c->max);
}

/* 10000012 to 99999871 -> 10000000 to 99999999; nothing if the lengths differ. */
static void round_length(struct data_column *c)
{
    unsigned n = digits_of(c->max);
    int64_t least = 1;

    if (c->min <= 0 || digits_of(c->min) != n || n > 18) {
        round_number(c);
        return;
    }
    for (unsigned i = 1; i < n; i++)
        least *= 10;
    c->min = least;
    c->max = least * 10 - 1;
}

static void round_precision(struct data_column *c)
{
    unsigned low, high;
    int64_t least, greatest;

    low = digits_of(c->min);
    high = digits_of(c->max);
    c->type.precision = low > high ? low : high;
    if (c->type.precision < c->type.scale)
        c->type.precision = c->type.scale;
    if (c->type.precision < 1)
        c->type.precision = 1;
    if (c->type.precision > DATA_PRECISION_MAX)
        c->type.precision = DATA_PRECISION_MAX;
    data_type_limits(&least, &greatest, &c->type);
    c->min = c->min < least ? least : c->min;
    c->max = c->max > greatest ? greatest : c->max;
}

static void round_days(struct data_column *c)
{
    int year, month, day;

    data_date_to_civil(&year, &month, &day, c->min);
    if (!data_date_from_civil(&c->min, year < 10 ? 1 : year - year % 10, 1, 1))
        c->min = DATA_DATE_MIN;
    data_date_to_civil(&year, &month, &day, c->max);
    if (!data_date_from_civil(&c->max, year - year % 10 + 9, 12, 31))
        c->max = DATA_DATE_MAX;
}

void data_round_column(struct data_column *column, enum data_round how)
{
    switch (column->type.kind) {
    case DATA_INTEGER:
        if (how == DATA_ROUND_SAME_LENGTH)
            round_length(column);
        else
            round_number(column);
        return;
    case DATA_DECIMAL:
        round_number(column);
        round_precision(column);
        return;
    case DATA_DATE:
        round_days(column);
        return;
    case DATA_TEXT:
        if (how == DATA_ROUND_OUTWARDS && column->type.max_bytes < DATA_TEXT_MAX)
            column->type.max_bytes = (column->type.max_bytes + 7) / 8 * 8;
        return;
    case DATA_BOOLEAN:
        return;
    }
}
