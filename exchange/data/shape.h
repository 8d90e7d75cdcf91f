/* How a value is written, which says more than its type: a day as 31.12.2024 is a text to every
 * parser and a day to every person. Private to exchange/data. */
#ifndef FIRMIANA_EXCHANGE_DATA_SHAPE_H
#define FIRMIANA_EXCHANGE_DATA_SHAPE_H

#include <stddef.h>

enum data_shape {
    DATA_SHAPE_WHOLE,        /* 12  -7 */
    DATA_SHAPE_FRACTION,     /* 12.50 */
    DATA_SHAPE_EXPONENT,     /* 1.2E+5 */
    DATA_SHAPE_LEADING_ZERO, /* 007 */
    DATA_SHAPE_COMMA_NUMBER, /* 1.234,50  1,234.50  12,5 */
    DATA_SHAPE_DAY,          /* 2024-12-31 */
    DATA_SHAPE_DAY_DOTS,     /* 31.12.2024 */
    DATA_SHAPE_DAY_SLASHES,  /* 12/31/2024 */
    DATA_SHAPE_DAY_YEAR_1ST, /* 2024/12/31  2024.12.31 */
    DATA_SHAPE_TIME,         /* 2024-12-31 23:59 */
    DATA_SHAPE_TRUTH,        /* true  FALSE */
    DATA_SHAPE_YES_NO,       /* yes  N */
    DATA_SHAPE_NO_VALUE,     /* NULL  n/a  -  ? */
    DATA_SHAPE_TEXT,
    DATA_SHAPE_COUNT
};

/* Looks at how it is written, not at whether such a number fits or such a day exists. */
enum data_shape data_shape_of(const char *text, size_t len);
/* "a whole number", "a day written DD.MM.YYYY", ... */
const char *data_shape_name(enum data_shape shape);

#endif
