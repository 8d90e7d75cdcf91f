/* The narrowest column that holds all values shown: one pass, constant memory per column.
 *
 * INTEGER if every value is one; DECIMAL(p,s) with the most fraction digits and the most digits
 * seen (18 at most); DATE if every text is YYYY-MM-DD and a real day; BOOLEAN if every text is true
 * or false; else TEXT(n). Texts like 007 are identifiers, not numbers. A column of nothing but NULL
 * is TEXT(1). */
#ifndef FIRMIANA_EXCHANGE_DATA_INFER_H
#define FIRMIANA_EXCHANGE_DATA_INFER_H

#include "exchange/data/schema.h"

/* Zero-initialise. Private to infer.c but for its size. */
struct data_infer {
    uint64_t values, nulls;
    bool not_number, not_date, not_boolean, native, text, point, why_late;
    int64_t number_min, number_max; /* times 10^scale */
    unsigned scale;
    int64_t date_min, date_max;
    size_t max_bytes;
    const char *why; /* the first reason against a number */
    uint64_t why_row;
    uint64_t exponent_row; /* the first number with an exponent, or 0 */
    const char *broken;    /* no type holds the column */
    uint64_t broken_row;
};

void data_infer_null(struct data_infer *infer);
/* A text (of a CSV field, or of a TEXT cell). row is for remarks. */
void data_infer_text(struct data_infer *infer, const char *text, size_t len, uint64_t row);
/* A number that is no text: unscaled / 10^scale. */
void data_infer_number(struct data_infer *infer, int64_t unscaled, unsigned scale, uint64_t row);
/* A value that no type holds. what: a static string. */
void data_infer_broken(struct data_infer *infer, const char *what, uint64_t row);

/* Type, range and nullability into *out (the name is left alone); remark: what a person
 * should know (why it became TEXT, that numbers have exponents), or "".
 * Errors: FM_E_UNSUPPORTED, "row 5: ..." if no type holds the column. */
#define DATA_INFER_REMARK 128
fm_status data_infer_finish(struct data_column *out, char remark[DATA_INFER_REMARK],
                            const struct data_infer *infer, struct base_err *err) FM_CHECK;

#endif
