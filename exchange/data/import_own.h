/* What the files of the import share: import.c (the table and the transaction), import_rows.c (a
 * file's rows), import_delta.c (rows that change a table). Private to exchange/data. */
#ifndef FIRMIANA_EXCHANGE_DATA_IMPORT_OWN_H
#define FIRMIANA_EXCHANGE_DATA_IMPORT_OWN_H

#include "exchange/data/csv.h"
#include "exchange/data/db.h"
#include "exchange/data/import.h"

/* One import under way. */
struct data_import_work {
    const struct data_import *job;
    struct data_import_result *out;
    struct data_csv *csv;
    struct data_db db;
    sqlite3_stmt *insert;
    size_t *column_of; /* schema column of each field */

    /* A delta's: where the key stands, and its statements beside `insert`. */
    size_t key_field;
    sqlite3_stmt *change, *seen_key;

    /* Values that are not as declared. After the first one rows are only checked, to say how many
     * there are. */
    struct base_err first_fault;
    uint64_t seen, faults, last_fault_line;
};

/* Checks a row's fields and binds them to a statement whose parameters are the schema's columns. A
 * fault of the data is noted in the work, and FM_OK. */
fm_status data_import_bind(struct data_import_work *w, sqlite3_stmt *stmt,
                           const struct data_csv_field *row, struct base_err *err) FM_CHECK;
/* Notes a fault of the data; any other failure comes back. */
fm_status data_import_fault(struct data_import_work *w, uint64_t line,
                            struct base_err *err) FM_CHECK;
/* Steps and resets it. */
fm_status data_import_run(struct data_import_work *w, sqlite3_stmt *stmt,
                          struct base_err *err) FM_CHECK;
/* INSERT of all columns, with an ending. */
fm_status data_import_prepare_insert(struct data_import_work *w, const char *verb,
                                     struct base_err *err) FM_CHECK;
/* All rows of the file into the table. */
fm_status data_import_rows(struct data_import_work *w, struct base_err *err) FM_CHECK;

/* ---- deltas ---- */

/* The schema that the table was declared with: a delta does not change it. */
fm_status data_delta_schema(struct data_import_work *w, struct base_err *err) FM_CHECK;
/* Before the first row, and after the last. */
fm_status data_delta_begin(struct data_import_work *w, struct base_err *err) FM_CHECK;
fm_status data_delta_end(struct data_import_work *w, struct base_err *err) FM_CHECK;
/* The row changes the one with its key, or is added. */
fm_status data_delta_row(struct data_import_work *w, const struct data_csv_field *row,
                         struct base_err *err) FM_CHECK;

#endif
