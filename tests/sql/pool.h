/* Tables for tests of SQL: SQLite holds them, whoever made them, and from there they are read as
 * members have them: typed cells, and the facts that a provider would declare about them.
 * Everything that is declared is taken from the rows here (ranges, the greatest number of rows with
 * one value): these are tests, and the data are public. */
#ifndef FIRMIANA_TESTS_SQL_POOL_H
#define FIRMIANA_TESTS_SQL_POOL_H

#include <jansson.h>
#include <sqlite3.h>

#include "exchange/data/value.h"
#include "exchange/sql/parse/arena.h"

struct pool_cell {
    bool null;
    int64_t value; /* scaled; TEXT has text and len */
    const char *text;
    size_t len;
};

struct pool_column {
    const char *name;
    struct data_type type;
    bool nullable;
    int64_t min, max;
    int64_t most; /* rows with one value other than NULL */
};

/* cells: row after row. */
struct pool_table {
    const char *place; /* SQLite's database: main, or the member's */
    const char *name;
    const char *member;
    size_t column_count;
    struct pool_column *columns;
    size_t row_count;
    struct pool_cell *cells;
    struct sql_arena arena;
};

/* Zero-initialise, then pool_open(). */
struct pool {
    sqlite3 *db;
    size_t table_count;
    struct pool_table *tables;
};

fm_status pool_open(struct pool *pool, struct base_err *err) FM_CHECK;
void pool_close(struct pool *pool);

/* Any statement. FM_E_INPUT: what SQLite says. */
fm_status pool_execute(struct pool *pool, const char *sql, struct base_err *err) FM_CHECK;

/* A new table from a file with a header line (exchange/data/csv.h). `declared` has an SQL type for
 * each of its columns, in order; `skip` lines after the header are none of its rows. Fields go in
 * as text, to be read as `declared` says. */
struct pool_file {
    const char *path;
    const char *table;
    const char *const *declared;
    size_t column_count;
    size_t skip;
    char separator;     /* a blank too */
    const char *header; /* with its newline, where the file has none; or NULL */
    bool ended;         /* rows end with a separator that the header does not have */
    bool empty_text;    /* an empty field of a TEXT column is an empty text, not NULL */
};
fm_status pool_load(struct pool *pool, const struct pool_file *file, struct base_err *err) FM_CHECK;

/* Reads every table anew, after statements have changed some. member_of names the owner of a table;
 * NULL: three members take turns. Errors: FM_E_UNSUPPORTED: a column's type or a value is none of
 * ours. */
typedef const char *pool_owner(const char *table);
fm_status pool_read(struct pool *pool, pool_owner *member_of, struct base_err *err) FM_CHECK;

/* The catalog that the owners would publish: a new tree. */
json_t *pool_catalog(const struct pool *pool);

const struct pool_table *pool_find(const struct pool *pool, const char *member, const char *table);

#endif
