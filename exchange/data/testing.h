/* For the tests of this room alone: a folder that goes away, files in it, SQL beside our back. */
#ifndef FIRMIANA_EXCHANGE_DATA_TESTING_H
#define FIRMIANA_EXCHANGE_DATA_TESTING_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

/* cmocka group fixtures: make a fresh folder under /tmp; remove it with everything inside. */
int testing_folder_make(void **state);
int testing_folder_remove(void **state);

/* "FOLDER/NAME". Valid until the 64th call after. */
const char *testing_path(const char *name);
void testing_write(const char *path, const void *bytes, size_t len);
bool testing_exists(const char *path);

/* Runs SQL with SQLite itself; any failure fails the test. The first column of the first row as
 * text ("NULL", or "-" without a row), valid until the next call. */
const char *testing_sql(const char *db_path, const char *sql);

#endif
