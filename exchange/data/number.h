/* Reading decimal numbers without floating point: what value.c and data_number_parse() share. */
#ifndef FIRMIANA_EXCHANGE_DATA_NUMBER_H
#define FIRMIANA_EXCHANGE_DATA_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum data_number_fault { DATA_NUMBER_OK, DATA_NUMBER_SYNTAX, DATA_NUMBER_TOO_BIG };

struct data_number {
    int64_t unscaled;
    unsigned scale;
    bool whole; /* it has no point; or it has an exponent that leaves no fraction */
};

/* *out is unspecified unless the answer is DATA_NUMBER_OK. The texts: value.h. */
enum data_number_fault data_number_scan(struct data_number *out, const char *text, size_t len);

/* The shortest decimal that reads back as the same double; false if that needs more than 15
 * fraction digits or 18 digits in all, or is no number. 0.1 gives 1 and 1 although no double is a
 * tenth. */
bool data_number_from_real(int64_t *unscaled, unsigned *scale, double real);

#endif
