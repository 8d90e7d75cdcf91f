/* Ranges: what the planner knows about every value before anything is computed. Values are the
 * scaled 64-bit integers of exchange/data/value.h; planning itself computes in 128 bits, so that it
 * can prove that a run never leaves 64. */
#ifndef FIRMIANA_EXCHANGE_SQL_PLAN_TYPE_H
#define FIRMIANA_EXCHANGE_SQL_PLAN_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exchange/data/value.h"

typedef __int128 sql_wide;

/* Digits after the point that a computed DECIMAL may have. */
enum { SQL_MAX_SCALE = 18 };

/* Inclusive. BOOLEAN is 0 .. 1; of TEXT it means nothing and is 0 .. 0. */
struct sql_range {
    sql_wide lo;
    sql_wide hi;
};

#define SQL_INT64_RANGE ((struct sql_range){INT64_MIN, INT64_MAX})

/* INTEGER and DECIMAL. */
bool sql_type_is_number(struct data_type type);
/* The widest range that a value of the type may have. */
struct sql_range sql_type_range(struct data_type type);
/* A computed DECIMAL gets the precision that its range needs. Other types are returned as they are.
 */
struct data_type sql_type_fit(struct data_type type, struct sql_range range);

struct sql_range sql_range_hull(struct sql_range a, struct sql_range b);
bool sql_range_holds(struct sql_range outer, struct sql_range inner);
/* The value nearest to zero in the range: what stands in rows that are padding or NULL. */
sql_wide sql_range_fill(struct sql_range range);
/* The least k such that every value is a signed k-bit integer, at least 1. */
unsigned sql_range_bits(struct sql_range range);

/* 10^digits, digits <= 36. */
sql_wide sql_ten_to(unsigned digits);

enum { SQL_WIDE_TEXT = 64 };
/* "-12.50" with scale 2, whatever the size: for error texts about ranges that leave 64 bits. */
void sql_wide_format(char out[SQL_WIDE_TEXT], sql_wide value, unsigned scale);
/* A value of any type but TEXT, as people write it; beyond the type's own limits as a number. */
void sql_value_format(char out[SQL_WIDE_TEXT], struct data_type type, sql_wide value);

#endif
