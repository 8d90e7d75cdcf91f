/* What aggregates give: types and ranges, and the proof that no sum leaves 64 bits. */
#include <stdio.h>

#include "exchange/sql/bind/bind.h"

static sql_wide size_of(struct sql_range range)
{
    sql_wide size = range.hi > -range.lo ? range.hi : -range.lo;

    return size < 0 ? 0 : size;
}

/* AVG divides in one step, (2 |sum| 10^d + n) / 2n, or in two where that could leave 64 bits: the
 * quotient q and remainder r of |sum| / n, then (2 r 10^d + n) / 2n, and q 10^d + that. In the two
 * steps every value is at most (greatest |x| + 1) 10^d, or 2 n 10^d + n, which SQL_MAX_TOTAL_ROWS
 * keeps below 2^62; so the digits depend on the argument alone, not on how many rows there are. */
static unsigned digits_of(sql_wide size, unsigned scale)
{
    const sql_wide limit = (sql_wide)1 << 62;
    unsigned d = SQL_AVG_DIGITS;

    while (d > 0 && ((size + 1) * sql_ten_to(d) >= limit || scale + d > SQL_MAX_SCALE))
        d--;
    return d;
}

static void decimal(struct sql_plan_column *c, unsigned digits)
{
    c->type.kind = DATA_DECIMAL;
    c->type.scale += digits;
    c->type.precision = 0;
    c->range.lo *= sql_ten_to(digits);
    c->range.hi *= sql_ten_to(digits);
}

/* The digits of a deviation: the root is taken of a variance with twice as many, and room for the
 * root's trials (run_square_root). */
static unsigned root_digits_of(sql_wide square, unsigned scale)
{
    const sql_wide limit = (sql_wide)1 << 58;
    unsigned d = SQL_AVG_DIGITS;

    while (d > 0 && (square * sql_ten_to(2 * d) >= limit || scale + d > SQL_MAX_SCALE))
        d--;
    return d;
}

/* A variance is at most half the square of the range's width (of two rows, VAR_SAMP) and has twice
 * the argument's digits; a deviation is at most the width. n times the sum of squares must fit. */
static fm_status type_variance(struct sql_item *o, struct sql_plan_column *c,
                               const struct sql_binder *b, int64_t rows, struct base_err *err)
{
    sql_wide width = c->range.hi - c->range.lo, most = size_of(c->range), square;
    bool deviation = o->fn == SQL_STDDEV_POP || o->fn == SQL_STDDEV_SAMP;
    unsigned scale = c->type.scale;

    if (most >= (sql_wide)1 << 31 || most * rows >= (sql_wide)1 << 62 ||
        most * rows * most >= ((sql_wide)1 << 62) / rows || 2 * scale > SQL_MAX_SCALE)
        return SQL_BIND_ERROR(
            b, FM_E_LIMIT, o->at, err,
            "%s over %lld rows: its sums could leave 64 bits: declare a range nearer to zero, or "
            "compute with fewer digits",
            sql_fn_name(o->fn), (long long)rows);
    square = width * width / 2 + 1;
    c->range = (struct sql_range){0, deviation ? width : square};
    if (!deviation)
        c->type.scale = 2 * scale;
    o->digits = deviation ? root_digits_of(square, scale) : digits_of(square, 2 * scale);
    decimal(c, o->digits);
    return FM_OK;
}

static fm_status check_sum(struct sql_range *sum, const struct sql_item *o,
                           const struct sql_binder *b, int64_t rows, struct base_err *err)
{
    char what[48];

    *sum = sql_range_times(*sum, rows);
    (void)snprintf(what, sizeof what, "%s over %lld rows", sql_fn_name(o->fn), (long long)rows);
    return sql_range_fits(*sum) ? FM_OK : sql_range_refuse(b->plan, o->arg, rows, what, o->at, err);
}

fm_status sql_bind_item_type(struct sql_item *o, struct sql_plan_column *c,
                             const struct sql_binder *b, int64_t rows, struct base_err *err)
{
    const struct sql_node *n = o->arg != SQL_NONE ? &b->plan->nodes[o->arg] : NULL;
    struct sql_range sum;
    fm_status st = FM_OK;

    c->nullable = o->fn != SQL_COUNT;
    if (o->fn == SQL_COUNT) {
        c->type = (struct data_type){.kind = DATA_INTEGER};
        c->range = (struct sql_range){0, rows};
        return FM_OK;
    }
    c->type = n->type;
    c->range = n->range.lo > n->range.hi ? (struct sql_range){0, 0} : n->range;
    sum = c->range;
    if (o->fn == SQL_SUM || o->fn == SQL_AVG)
        st = check_sum(&sum, o, b, rows, err);
    if (o->fn == SQL_SUM)
        c->range = sum;
    if (o->fn == SQL_AVG) {
        o->digits = digits_of(size_of(n->range), n->type.scale);
        decimal(c, o->digits);
    }
    if (o->fn >= SQL_VAR_POP && o->fn <= SQL_STDDEV_SAMP)
        st = type_variance(o, c, b, rows, err);
    if (c->type.precision == 0)
        c->type = sql_type_fit(c->type, c->range);
    return st;
}
