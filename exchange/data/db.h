/* A SQLite file with its name, opened the way this room needs it, and SQLite's failures in our
 * words. Private to exchange/data. */
#ifndef FIRMIANA_EXCHANGE_DATA_DB_H
#define FIRMIANA_EXCHANGE_DATA_DB_H

#include <sqlite3.h>
#include <stdbool.h>

#include "base/status.h"
#include "exchange/data/schema.h"

#define DATA_BUSY_TIMEOUT_MS 2000

enum data_db_mode {
    DATA_DB_READ,  /* the file must exist; nothing is ever written to it */
    DATA_DB_WRITE, /* created, readable by its owner alone, if it does not exist */
};

struct data_db {
    sqlite3 *sqlite;
    char *path;
    bool created; /* by this opening, and still empty */
};

/* Checks that it is a SQLite database. The file's own triggers, views and functions are not
 * trusted. Errors: FM_E_IO, FM_E_INPUT (not a database), FM_E_CORRUPT, FM_E_CONFLICT (in use). */
fm_status data_db_open(struct data_db *out, const char *path, enum data_db_mode mode,
                       struct base_err *err) FM_CHECK;
/* Closes; removes a file that the opening created and that is still empty. */
void data_db_close(struct data_db *db);

/* The last failure of the connection as "PATH: what". */
fm_status data_db_error(const struct data_db *db, struct base_err *err);
fm_status data_db_exec(const struct data_db *db, const char *sql, struct base_err *err) FM_CHECK;
fm_status data_db_prepare(sqlite3_stmt **out, const struct data_db *db, const char *sql,
                          struct base_err *err) FM_CHECK;
/* One step: *row says whether there is a row. */
fm_status data_db_step(bool *row, const struct data_db *db, sqlite3_stmt *stmt,
                       struct base_err *err) FM_CHECK;

/* Fails with FM_E_INPUT if a value stands in more rows of `table` (scaled storage) than the schema
 * allows, for the subject and for every key. name: what the error calls the table. */
fm_status data_db_check_keys(const struct data_db *db, const char *table, const char *name,
                             const struct data_schema *schema, struct base_err *err) FM_CHECK;

#endif
