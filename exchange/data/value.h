/* Values of a dataset: exact text <-> scaled 64-bit integer for every column type, with no floating
 * point anywhere. A small floor of its own (it links base alone): the importer, the store, the row
 * roots and the printing of SQL results all stand on it.
 *
 *   type           a value is                                        texts read        text written
 *   INTEGER        the integer                                       -12  007  1E+3    -12
 *   DECIMAL(p,s)   the number times 10^s; 1 <= p <= 18, s <= p       -1.5  .5  1.5E-1  -1.50
 *   BOOLEAN        0 or 1                                            true FALSE 0 1    true, false
 *   DATE           days since 1970-01-01, proleptic Gregorian        2024-02-29        2024-02-29
 *                  years 0001 to 9999
 *   TEXT(n)        not a number: valid UTF-8 without NUL, at most n bytes, compared byte by byte.
 *                  Normalisation (NFC) is the data owner's business and is not checked here.
 *
 * Error texts never quote the value: they go into logs, and a bank's data do not. */
#ifndef FIRMIANA_EXCHANGE_DATA_VALUE_H
#define FIRMIANA_EXCHANGE_DATA_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum data_kind { DATA_INTEGER, DATA_DECIMAL, DATA_BOOLEAN, DATA_DATE, DATA_TEXT };

#define DATA_PRECISION_MAX 18 /* 10^18 - 1 is the widest run of nines that int64 holds */
#define DATA_TEXT_MAX 4096

/* precision and scale are set for DECIMAL and zero otherwise; max_bytes for TEXT alike. */
struct data_type {
    enum data_kind kind;
    unsigned precision;
    unsigned scale;
    unsigned max_bytes;
};

/* Room for the text of any type, and of any value that is not TEXT at scales up to
 * DATA_SCALE_PRINT_MAX, with its NUL. */
#define DATA_TYPE_TEXT 24
#define DATA_VALUE_TEXT 48
#define DATA_SCALE_PRINT_MAX 38

/* "DECIMAL(12,2)" -> type. Exactly the written form: upper case, no blanks, no leading zeros.
 * Errors: FM_E_INPUT with the forms that exist. */
fm_status data_type_parse(struct data_type *out, const char *text, struct base_err *err) FM_CHECK;
void data_type_format(char out[DATA_TYPE_TEXT], const struct data_type *type);
bool data_type_equal(const struct data_type *a, const struct data_type *b);
/* The least and greatest value that the type can hold (0, 0 for TEXT). */
void data_type_limits(int64_t *min, int64_t *max, const struct data_type *type);

/* Any decimal number: optional sign, digits with at most one point, at least one digit; then
 * possibly an exponent, as spreadsheets write it; no blanks or separators. "-12.50" gives -1250 and
 * scale 2. With an exponent the scale is the least that is exact: "1.50E+02" gives 150 and 0.
 * Errors: FM_E_INPUT, not a number or beyond 64 bits. */
fm_status data_number_parse(int64_t *unscaled, unsigned *scale, const char *text, size_t len,
                            struct base_err *err) FM_CHECK;

/* value * 10^(to - from), exactly; false if it does not fit or digits would be lost. */
bool data_number_rescale(int64_t *out, int64_t value, unsigned from, unsigned to) FM_CHECK;

/* text[0..len) -> value of the type (any but TEXT). *out is 0 on failure.
 * Errors: FM_E_INPUT "not a DECIMAL(12,2): more than 2 fraction digits" and so on. */
fm_status data_value_parse(int64_t *out, const struct data_type *type, const char *text, size_t len,
                           struct base_err *err) FM_CHECK;

/* value -> the one text that this room writes for it. Any int64 is accepted for INTEGER and
 * DECIMAL, whatever the precision and up to DATA_SCALE_PRINT_MAX digits of scale: sums and averages
 * are printed with this too. A DATE must lie within DATA_DATE_MIN..MAX (date.h), a BOOLEAN be 0
 * or 1. */
void data_value_format(char out[DATA_VALUE_TEXT], const struct data_type *type, int64_t value);

/* FM_OK if text may stand in a TEXT(max_bytes) column: UTF-8 (no surrogates, no overlong forms,
 * nothing above U+10FFFF), no NUL, not too long. */
fm_status data_text_check(const struct data_type *type, const char *text, size_t len,
                          struct base_err *err) FM_CHECK;

#endif
