#include "exchange/data/db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"

fm_status data_db_error(const struct data_db *db, struct base_err *err)
{
    int code = sqlite3_errcode(db->sqlite) & 0xff;
    const char *text = sqlite3_errmsg(db->sqlite);

    switch (code) {
    case SQLITE_NOMEM:
        return base_err_memory(err, db->path);
    case SQLITE_NOTADB:
        return base_err_set(err, FM_E_INPUT, "%s: not a SQLite database", db->path);
    case SQLITE_CORRUPT:
        return base_err_set(err, FM_E_CORRUPT, "%s: the database is damaged: %s", db->path, text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return base_err_set(err, FM_E_CONFLICT,
                            "%s: another process is using it: try again when it is done", db->path);
    case SQLITE_FULL:
        return base_err_set(err, FM_E_IO, "%s: no space left on the disk", db->path);
    case SQLITE_READONLY:
        return base_err_set(err, FM_E_IO, "%s: it cannot be written: %s", db->path, text);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return base_err_set(err, FM_E_IO, "%s: %s", db->path, text);
    default:
        return base_err_set(err, FM_E_INPUT, "%s: %s", db->path, text);
    }
}

fm_status data_db_exec(const struct data_db *db, const char *sql, struct base_err *err)
{
    if (sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL) == SQLITE_OK)
        return FM_OK;
    return data_db_error(db, err);
}

fm_status data_db_prepare(sqlite3_stmt **out, const struct data_db *db, const char *sql,
                          struct base_err *err)
{
    if (sqlite3_prepare_v2(db->sqlite, sql, -1, out, NULL) == SQLITE_OK)
        return FM_OK;
    *out = NULL;
    return data_db_error(db, err);
}

fm_status data_db_step(bool *row, const struct data_db *db, sqlite3_stmt *stmt,
                       struct base_err *err)
{
    int code = sqlite3_step(stmt);

    *row = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE ? FM_OK : data_db_error(db, err);
}

/* ---- opening ---- */

/* SQLite would create the file readable by all; a bank's rows are its owner's alone. */
static fm_status touch(bool *created, const char *path, enum data_db_mode mode,
                       struct base_err *err)
{
    int flags = mode == DATA_DB_WRITE ? O_RDWR | O_CREAT | O_EXCL : O_RDONLY;
    int fd = open(path, flags | O_CLOEXEC, S_IRUSR | S_IWUSR);

    *created = mode == DATA_DB_WRITE && fd >= 0;
    if (fd < 0 && !(mode == DATA_DB_WRITE && errno == EEXIST))
        return base_err_errno(err, path);
    if (fd >= 0)
        (void)close(fd);
    return FM_OK;
}

static fm_status configure(const struct data_db *db, struct base_err *err)
{
    fm_status st;

    (void)sqlite3_busy_timeout(db->sqlite, DATA_BUSY_TIMEOUT_MS);
    (void)sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    (void)sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    (void)sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    /* Or a name in double quotes that is no column would silently be a string. */
    (void)sqlite3_db_config(db->sqlite, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    st = data_db_exec(db, "PRAGMA cell_size_check = ON", err);
    /* The first read of the file: what is no database says so here. */
    return st == FM_OK ? data_db_exec(db, "SELECT COUNT(*) FROM sqlite_schema", err) : st;
}

fm_status data_db_open(struct data_db *out, const char *path, enum data_db_mode mode,
                       struct base_err *err)
{
    int flags = mode == DATA_DB_WRITE ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
    fm_status st;

    memset(out, 0, sizeof *out);
    if (path[0] == ':')
        return base_err_set(err, FM_E_ARG, "%s: a database file's name cannot begin with ':'",
                            path);
    out->path = strdup(path);
    if (out->path == NULL)
        return base_err_memory(err, path);
    st = touch(&out->created, path, mode, err);
    if (st == FM_OK &&
        sqlite3_open_v2(path, &out->sqlite, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        st = out->sqlite != NULL ? data_db_error(out, err) : base_err_memory(err, path);
    if (st == FM_OK)
        st = configure(out, err);
    if (st != FM_OK)
        data_db_close(out);
    return st;
}

void data_db_close(struct data_db *db)
{
    struct stat info;

    (void)sqlite3_close(db->sqlite);
    if (db->created && stat(db->path, &info) == 0 && info.st_size == 0)
        (void)unlink(db->path);
    free(db->path);
    memset(db, 0, sizeof *db);
}

/* ---- keys ---- */

/* The values that stand in too many rows: the one that comes first in the table, and how many. */
struct crowded {
    int64_t row, rows;
    uint64_t values;
};

static fm_status find_crowded(struct crowded *out, const struct data_db *db, sqlite3_stmt *stmt,
                              struct base_err *err)
{
    bool more = true;
    fm_status st;

    *out = (struct crowded){0};
    while ((st = data_db_step(&more, db, stmt, err)) == FM_OK && more) {
        int64_t row = sqlite3_column_int64(stmt, 0);
        if (out->values == 0 || row < out->row) {
            out->row = row;
            out->rows = sqlite3_column_int64(stmt, 1);
        }
        out->values++;
    }
    return st;
}

static fm_status check_key(const struct data_db *db, const char *table, const char *name,
                           const char *column, int64_t max_rows, struct base_err *err)
{
    struct base_buf sql = {0};
    sqlite3_stmt *stmt = NULL;
    struct crowded found = {0};
    char others[64] = "";
    fm_status st;

    base_buf_putf(&sql,
                  "SELECT MIN(_rowid_), COUNT(*) FROM \"%s\" WHERE \"%s\" IS NOT NULL GROUP BY "
                  "\"%s\" HAVING COUNT(*) > %lld",
                  table, column, column, (long long)max_rows);
    st = base_buf_status(&sql, "key check", err);
    if (st == FM_OK)
        st = data_db_prepare(&stmt, db, base_buf_cstr(&sql), err);
    if (st == FM_OK)
        st = find_crowded(&found, db, stmt, err);
    if (found.values == 2)
        (void)snprintf(others, sizeof others, "; so does 1 other value");
    if (found.values > 2)
        (void)snprintf(others, sizeof others, "; so do %llu other values",
                       (unsigned long long)(found.values - 1));
    if (st == FM_OK && found.values > 0)
        st = base_err_set(err, FM_E_INPUT,
                          "%s: %s, column %s: the value of row %lld stands in %lld rows, the "
                          "schema declares at most %lld%s",
                          db->path, name, column, (long long)found.row, (long long)found.rows,
                          (long long)max_rows, others);
    (void)sqlite3_finalize(stmt);
    base_buf_release(&sql);
    return st;
}

fm_status data_db_check_keys(const struct data_db *db, const char *table, const char *name,
                             const struct data_schema *schema, struct base_err *err)
{
    fm_status st = FM_OK;

    if (schema->subject != DATA_NO_COLUMN)
        st = check_key(db, table, name, schema->columns[schema->subject].name,
                       schema->max_rows_per_subject, err);
    for (size_t i = 0; st == FM_OK && i < schema->key_count; i++)
        if (schema->keys[i].column != schema->subject)
            st = check_key(db, table, name, schema->columns[schema->keys[i].column].name,
                           schema->keys[i].max_rows, err);
    return st;
}
