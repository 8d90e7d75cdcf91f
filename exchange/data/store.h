/* A provider's SQLite file, read only and frozen: everything read through one store belongs to the
 * same state of the file, whatever others write meanwhile. (With SQLite's default journal a writer
 * waits until the store is closed; with WAL it need not.)
 *
 * Two kinds of tables, told apart by a row in firmiana_schema (schema.md, "Tables in SQLite"):
 * imported ones hold scaled integers; plain ones hold natural values, which are converted, exactly,
 * as they are read. */
#ifndef FIRMIANA_EXCHANGE_DATA_STORE_H
#define FIRMIANA_EXCHANGE_DATA_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "exchange/data/cell.h"
#include "exchange/data/notes.h"
#include "exchange/data/schema.h"

struct data_store;

/* Opens and freezes. The caller frees *out (NULL on failure) with data_store_free().
 * Not thread-safe: one thread at a time.
 * Errors: FM_E_IO (no such file, no permission), FM_E_INPUT (not a database), FM_E_CORRUPT,
 * FM_E_CONFLICT (another process holds it for longer than 2 s). */
fm_status data_store_open(struct data_store **out, const char *path, struct base_err *err) FM_CHECK;
void data_store_free(struct data_store *store);

/* Names of the ordinary tables, sorted; those of SQLite and of Firmiana itself are not among them,
 * nor those whose names are no identifiers. Release with data_notes_release(). */
fm_status data_store_tables(struct data_notes *names, struct data_store *store,
                            struct base_err *err) FM_CHECK;

enum data_origin {
    DATA_DECLARED, /* the schema was given at the import: it may be published */
    DATA_INFERRED, /* types inferred at the import, ranges and row count from the rows now */
    DATA_PLAIN,    /* everything derived from the rows now */
};

/* The table's schema. Unless it is declared, each derived fact adds a line to *notes, which the
 * caller shows (release with data_notes_release(), also after a failure).
 * Errors: FM_E_NOT_FOUND (no such table); FM_E_UNSUPPORTED (a view, a virtual table, no usable
 * column); FM_E_CORRUPT (the stored schema is not one). */
fm_status data_store_schema(struct data_schema *out, enum data_origin *origin,
                            struct data_notes *notes, struct data_store *store, const char *table,
                            struct base_err *err) FM_CHECK;

/* Whether the table keeps what the schema promises: every value's type, range and nullability, the
 * row count, the rows of each subject and key. Reads the whole table once (check.h says when more).
 * Errors: FM_E_INPUT with every kind of fault, the first rows and their number (findings.h):
 * "bank.db: loans, rows 3, 17, 21 and 9 more, column balance: outside the declared range ...";
 * then, if each row by itself is as declared, keys and subject: "bank.db: loans, column cn_id: the
 * value of row 4 stands in 9 rows, the schema declares at most 4; so do 2 other values". */
fm_status data_store_check(struct data_store *store, const char *table,
                           const struct data_schema *schema, struct base_err *err) FM_CHECK;

/* ---- rows ---- */

struct data_rows;

/* Rows in rowid order, with the chosen columns of the schema (columns == NULL: all of them; n is
 * then ignored). The schema may be another than the stored one (a declaration for a plain table, a
 * later version), but an imported table's types must be the stored ones. store and schema must
 * outlive *out, which data_rows_free() frees. Errors: FM_E_NOT_FOUND (table), FM_E_INPUT (no such
 * column, other type). */
fm_status data_rows_open(struct data_rows **out, struct data_store *store, const char *table,
                         const struct data_schema *schema, const size_t *columns, size_t n,
                         struct base_err *err) FM_CHECK;
size_t data_rows_width(const struct data_rows *rows);

/* The next row's cells; *row is NULL at the end. Every value is checked against the schema; more
 * rows than schema->rows are an error. *rowid may be NULL. After an error nothing more comes. */
fm_status data_rows_next(const struct data_cell **row, int64_t *rowid, struct data_rows *rows,
                         struct base_err *err) FM_CHECK;
void data_rows_free(struct data_rows *rows);

/* The same rows for whoever asks for a source (root.h), from the first one on with each call; valid
 * as long as rows. */
struct data_row_source data_rows_source(struct data_rows *rows);

#endif
