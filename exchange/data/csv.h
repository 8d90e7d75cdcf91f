/* CSV as RFC 4180 writes it, read as a stream: memory is bounded by one row, whatever the file's
 * size, and every error carries the line and the column where the fault begins.
 *
 * What is read: UTF-8 with or without a byte order mark; a header line; ',' or ';' (detected from
 * the header) or a separator that the caller names; lines ended by CRLF or LF, the last one with or
 * without; quoted fields with doubled quotes, separators and line breaks inside.
 * What is refused, because guessing would change data: UTF-16, NUL characters, a quote inside an
 * unquoted field, anything but a separator or a line end behind a closing quote, a CR without LF
 * outside quotes, a missing closing quote, rows with more or fewer fields than the header, empty
 * lines (except at the end of the file, or when there is one column, where they are a NULL), and
 * fields or rows beyond their limits.
 *
 * Lines and columns count from 1; columns count characters (Unicode code points), as editors do. A
 * line break inside quotes begins a new line. */
#ifndef FIRMIANA_EXCHANGE_DATA_CSV_H
#define FIRMIANA_EXCHANGE_DATA_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define DATA_CSV_FIELD_MAX 65536   /* bytes of one field, quotes removed */
#define DATA_CSV_ROW_MAX (1 << 20) /* bytes of one row's fields together */
#define DATA_CSV_COLUMNS_MAX 512
#define DATA_CSV_BLOCK 65536 /* read at once; a header line must end within one */

/* One field, valid until the next call on the reader. text is not NUL-terminated. */
struct data_csv_field {
    const char *text;
    size_t len;
    uint64_t line, column; /* where it begins; of a quoted field, its opening quote */
    bool quoted;
};

/* Where bytes come from. read() puts 1..cap bytes at out, or sets *got = 0 at the end. rewind()
 * starts over, or fails with FM_E_UNSUPPORTED if the source cannot. */
struct data_csv_source {
    fm_status (*read)(void *ctx, void *out, size_t cap, size_t *got, struct base_err *err);
    fm_status (*rewind)(void *ctx, struct base_err *err);
    void *ctx;
};

struct data_csv;

/* Opens a file, or a source under a name for error texts, and reads the header.
 * separator: ',' ';' '\t' '|', or 0 to detect it. The caller frees *out (NULL on failure) with
 * data_csv_free(); a source must outlive it.
 * Errors: FM_E_ARG (separator), FM_E_IO, FM_E_INPUT, FM_E_LIMIT "FILE: line 1, column 5: ...". */
fm_status data_csv_open(struct data_csv **out, const char *path, char separator,
                        struct base_err *err) FM_CHECK;
fm_status data_csv_open_source(struct data_csv **out, const struct data_csv_source *source,
                               const char *name, char separator, struct base_err *err) FM_CHECK;
void data_csv_free(struct data_csv *csv);

/* The header's fields: names as they stand there, none empty. Valid as long as the reader. */
size_t data_csv_column_count(const struct data_csv *csv);
const char *data_csv_column(const struct data_csv *csv, size_t i);
char data_csv_separator(const struct data_csv *csv);
bool data_csv_has_mark(const struct data_csv *csv); /* it began with a byte order mark */
const char *data_csv_name(const struct data_csv *csv);

/* The next row, with exactly data_csv_column_count() fields; *row is NULL at the end of the file.
 * After an error the reader gives nothing more. Errors: as for opening. */
fm_status data_csv_next(const struct data_csv_field **row, struct data_csv *csv,
                        struct base_err *err) FM_CHECK;

/* NULL is an unquoted field that is empty or NA. */
bool data_csv_is_null(const struct data_csv_field *field);

/* Back to the first row. FM_E_INPUT if the header is no longer the same. */
fm_status data_csv_rewind(struct data_csv *csv, struct base_err *err) FM_CHECK;

/* For progress: bytes read so far, and the size of the file (0 if unknown). */
uint64_t data_csv_bytes_read(const struct data_csv *csv);
uint64_t data_csv_bytes_total(const struct data_csv *csv);

#endif
