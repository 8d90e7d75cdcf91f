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

#endif
