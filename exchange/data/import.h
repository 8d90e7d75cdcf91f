/* CSV file -> STRICT SQLite table with its schema beside it (schema.md, "Tables in SQLite"). */
#ifndef FIRMIANA_EXCHANGE_DATA_IMPORT_H
#define FIRMIANA_EXCHANGE_DATA_IMPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"
#include "exchange/data/notes.h"
#include "exchange/data/schema.h"

enum data_import_mode {
    DATA_IMPORT_NEW,     /* FM_E_CONFLICT if the table exists */
    DATA_IMPORT_REPLACE, /* an existing table and its schema are dropped, in the same transaction */
    DATA_IMPORT_DELTA,   /* rows with the key of an existing row change it, the others are added */
};

/* Called every DATA_PROGRESS_ROWS rows and at the end of each pass. bytes_total is 0 if unknown. A
 * false answer ends the import with FM_E_CANCELLED. */
#define DATA_PROGRESS_ROWS 16384
enum data_import_pass { DATA_IMPORT_INFER, DATA_IMPORT_WRITE };
struct data_progress {
    bool (*tick)(void *ctx, enum data_import_pass pass, uint64_t rows, uint64_t bytes,
                 uint64_t bytes_total);
    void *ctx;
};

struct data_import {
    const char *csv_path;
    char separator; /* 0: detect (csv.h) */
    const char *db_path;
    const char *table;
    const struct data_schema *schema; /* NULL: types, ranges and row count are inferred */
    enum data_import_mode mode;
    const char *key;               /* DATA_IMPORT_DELTA: a column in which no value stands twice */
    struct data_progress progress; /* tick may be NULL */
};

/* What was done. Release with data_import_release(); empty after a failure. */
struct data_import_result {
    uint64_t rows;             /* in the table */
    uint64_t changed, added;   /* DATA_IMPORT_DELTA: by this file */
    struct data_schema schema; /* as stored */
    struct data_notes notes;   /* what was inferred or renamed, a line each */
};

/* Reads the file once with a schema and twice without (a pipe therefore needs one). With a schema
 * the header's names must be the schema's, in any order; every value, the row count and the rows of
 * each subject and key are checked. Without one, names that are no identifiers are made ones, and a
 * note says so. A delta goes by the schema that the table was imported with (FM_E_UNSUPPORTED if
 * that was inferred) and keeps it; its file has all columns; a key may stand in it once, and no row
 * may lack one. One transaction: on any failure the database is as it was before, and a file that
 * did not exist does not exist. Memory is bounded by one row and SQLite's page cache. Errors:
 * FM_E_INPUT, FM_E_LIMIT "FILE: line 17, column 9 (balance): ...; and 11 more such faults up to
 * line 99"; FM_E_CONFLICT (table exists, database in use); FM_E_ARG (names); FM_E_IO; FM_E_CORRUPT;
 * FM_E_CANCELLED. */
fm_status data_import(struct data_import_result *out, const struct data_import *job,
                      struct base_err *err) FM_CHECK;
void data_import_release(struct data_import_result *result);

#endif
