/* One value of a row as this room hands it out, and where rows come from. */
#ifndef FIRMIANA_EXCHANGE_DATA_CELL_H
#define FIRMIANA_EXCHANGE_DATA_CELL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct data_cell {
    bool null;
    int64_t value;    /* 0 for NULL and for TEXT */
    const char *text; /* TEXT: len bytes, not NUL-terminated, valid until the next row; else NULL */
    size_t len;
};

/* Rows one after another; *row is NULL behind the last one. */
struct data_row_source {
    fm_status (*next)(void *ctx, const struct data_cell **row, struct base_err *err);
    void *ctx;
};

#endif
