/* What store.c and store_tasks.c share: copies.db and one way to run a statement. */
#ifndef FIRMIANA_EXCHANGE_COPIES_STORE_OWN_H
#define FIRMIANA_EXCHANGE_COPIES_STORE_OWN_H

#include <sqlite3.h>

#include "exchange/copies/store.h"

struct copies_store {
    sqlite3 *db;
    char dir[COPIES_PATH / 2]; /* .../copies */
};

/* Prepares a statement and binds its parameters: one letter each, s: text or NULL, i: int64_t. */
fm_status copies_sql(sqlite3_stmt **out, struct copies_store *s, struct base_err *err,
                     const char *sql, const char *binds, ...) FM_CHECK;
/* One row more? Finalises the statement when there is none, and then *q is NULL. */
fm_status copies_step(bool *row, struct copies_store *s, sqlite3_stmt **q,
                      struct base_err *err) FM_CHECK;
/* Runs a prepared statement that gives no rows (st: what copies_sql() said). */
fm_status copies_run(struct copies_store *s, fm_status st, sqlite3_stmt *q,
                     struct base_err *err) FM_CHECK;
/* A text of the row, which must fit; "" for NULL. */
fm_status copies_column(char *out, size_t size, sqlite3_stmt *q, int column,
                        struct base_err *err) FM_CHECK;
/* A column of JSON, new; NULL in the column is NULL. */
fm_status copies_column_json(json_t **out, sqlite3_stmt *q, int column,
                             struct base_err *err) FM_CHECK;
/* A file of these goes; that there is none is fine. */
void copies_unlink(const struct copies_store *s, const char *kind, const char *owner,
                   const char *address);

#endif
