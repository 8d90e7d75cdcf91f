#include "exchange/sql/plan/type.h"

#include <assert.h>
#include <stdio.h>

#include "exchange/data/date.h"

bool sql_type_is_number(struct data_type type)
{
    return type.kind == DATA_INTEGER || type.kind == DATA_DECIMAL;
}

struct sql_range sql_type_range(struct data_type type)
{
    int64_t lo, hi;

    data_type_limits(&lo, &hi, &type);
    return (struct sql_range){lo, hi};
}

struct data_type sql_type_fit(struct data_type type, struct sql_range range)
{
    unsigned digits = type.scale > 0 ? type.scale : 1;

    if (type.kind != DATA_DECIMAL)
        return type;
    while (digits < 36 && (range.hi >= sql_ten_to(digits) || range.lo <= -sql_ten_to(digits)))
        digits++;
    type.precision = digits;
    return type;
}

struct sql_range sql_range_hull(struct sql_range a, struct sql_range b)
{
    return (struct sql_range){a.lo < b.lo ? a.lo : b.lo, a.hi > b.hi ? a.hi : b.hi};
}

bool sql_range_holds(struct sql_range outer, struct sql_range inner)
{
    return outer.lo <= inner.lo && inner.hi <= outer.hi;
}

sql_wide sql_range_fill(struct sql_range range)
{
    if (range.lo > 0)
        return range.lo;
    return range.hi < 0 ? range.hi : 0;
}

unsigned sql_range_bits(struct sql_range range)
{
    unsigned bits = 1;

    while (bits < 127 &&
           (range.lo < -((sql_wide)1 << (bits - 1)) || range.hi > ((sql_wide)1 << (bits - 1)) - 1))
        bits++;
    return bits;
}

sql_wide sql_ten_to(unsigned digits)
{
    sql_wide power = 1;

    assert(digits <= 36);
    while (digits-- > 0)
        power *= 10;
    return power;
}

void sql_wide_format(char out[SQL_WIDE_TEXT], sql_wide value, unsigned scale)
{
    unsigned __int128 left = value < 0 ? -(unsigned __int128)value : (unsigned __int128)value;
    char digits[SQL_WIDE_TEXT];
    unsigned n = 0;
    char *p = out;

    assert(scale <= 36);
    /* Least digit first; at least one digit stands before the point. */
    while (left != 0 || n <= scale) {
        digits[n++] = (char)('0' + (int)(left % 10));
        left /= 10;
    }
    if (value < 0)
        *p++ = '-';
    while (n > 0) {
        if (n == scale)
            *p++ = '.';
        *p++ = digits[--n];
    }
    *p = '\0';
}

void sql_value_format(char out[SQL_WIDE_TEXT], struct data_type type, sql_wide value)
{
    bool date = type.kind == DATA_DATE && value >= DATA_DATE_MIN && value <= DATA_DATE_MAX;

    _Static_assert((int)DATA_VALUE_TEXT <= (int)SQL_WIDE_TEXT, "one buffer serves both");
    if (date || type.kind == DATA_BOOLEAN)
        data_value_format(out, &type, (int64_t)value);
    else
        sql_wide_format(out, value, type.scale);
}
