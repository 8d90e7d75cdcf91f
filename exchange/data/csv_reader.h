/* The inside of the CSV reader, shared by its two files: csv.c (rows) and csv_open.c (sources, the
 * header). */
#ifndef FIRMIANA_EXCHANGE_DATA_CSV_READER_H
#define FIRMIANA_EXCHANGE_DATA_CSV_READER_H

#include "base/bytes.h"
#include "exchange/data/csv.h"

struct data_csv {
    struct data_csv_source source;
    int fd; /* -1: the source is the caller's */
    uint64_t size, taken;
    char *name;
    char separator;
    bool plain[256]; /* bytes that need no thought inside an unquoted field */

    uint8_t block[DATA_CSV_BLOCK];
    size_t at, end;
    bool ended, dead, has_mark;
    uint64_t line, column;

    struct base_buf text;
    struct data_csv_field fields[DATA_CSV_COLUMNS_MAX];
    size_t offsets[DATA_CSV_COLUMNS_MAX];
    size_t field_count;

    char **header;
    size_t header_count;
};

/* "NAME: line L, column C: WHAT" */
fm_status data_csv_fault(struct data_csv *csv, fm_status code, uint64_t line, uint64_t column,
                         const char *what, struct base_err *err);
/* Makes block[at] readable unless the file has ended. */
fm_status data_csv_fill(struct data_csv *csv, struct base_err *err) FM_CHECK;
/* One row of any number of fields into `fields`; field_count is 0 at the end of the file. */
fm_status data_csv_read_row(struct data_csv *csv, struct base_err *err) FM_CHECK;

#endif
