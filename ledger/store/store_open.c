/* A store's file: opened, locked, made, named, closed. The lock needs flock(), which POSIX does not
 * have. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "ledger/store/store_impl.h"
#include "ledger/store/sum_vfs.h"

#define APPLICATION_ID 0x464d4c47 /* "FMLG" */
#define SCHEMA_VERSION 6
#define SCHEMA_OLDEST 2 /* the oldest that is brought up to date */

/* ---- opening ---- */

fm_status ledger_store_lock(int *fd, const char *path, struct base_err *err)
{
    struct base_buf name = {0};
    fm_status st;

    *fd = -1;
    base_buf_put_str(&name, path);
    base_buf_put_str(&name, ".lock");
    st = base_buf_status(&name, "ledger store", err);
    if (st == FM_OK) {
        *fd = open(base_buf_cstr(&name), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (*fd < 0)
            st = base_err_errno(err, base_buf_cstr(&name));
        else if (flock(*fd, LOCK_EX | LOCK_NB) != 0)
            st = errno == EWOULDBLOCK
                     ? base_err_set(err, FM_E_CONFLICT,
                                    "%s: another process writes it: stop that one first", path)
                     : base_err_errno(err, base_buf_cstr(&name));
    }
    if (st != FM_OK && *fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
    base_buf_release(&name);
    return st;
}

static fm_status exec(struct ledger_store *store, const char *sql, struct base_err *err)
{
    if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return ledger_store_fail(store, err);
    return FM_OK;
}

static fm_status read_number(struct ledger_store *store, const char *sql, int64_t *out,
                             struct base_err *err)
{
    sqlite3_stmt *stmt = NULL;
    bool row = false;
    fm_status st = FM_OK;

    if (sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL) != SQLITE_OK)
        st = ledger_store_fail(store, err);
    if (st == FM_OK)
        st = ledger_store_row(store, stmt, &row, err);
    *out = row ? sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_finalize(stmt);
    return st;
}

/* Brings an older file to the tables of now, or leaves it as it was. */
static fm_status migrate(struct ledger_store *store, int64_t version, struct base_err *err)
{
    char number[64];
    fm_status st = exec(store, "BEGIN IMMEDIATE", err);

    if (st != FM_OK)
        return st;
    (void)snprintf(number, sizeof number, "PRAGMA user_version = %d; COMMIT", SCHEMA_VERSION);
    if (version < 3)
        st = exec(store, ledger_store_from_2, err);
    if (st == FM_OK && version < 4)
        st = exec(store, ledger_store_from_3, err);
    if (st == FM_OK && version < 5)
        st = exec(store, ledger_store_from_4, err);
    if (st == FM_OK)
        st = exec(store, ledger_store_from_5, err);
    if (st == FM_OK)
        st = exec(store, number, err);
    if (st != FM_OK)
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

static fm_status check_version(struct ledger_store *store, enum ledger_store_mode mode,
                               int64_t version, struct base_err *err)
{
    bool older = version >= SCHEMA_OLDEST && version < SCHEMA_VERSION;

    if (version == SCHEMA_VERSION || (older && mode == LEDGER_STORE_WRITE))
        return FM_OK;
    if (older)
        return base_err_set(err, FM_E_INPUT,
                            "%s: an older version of Firmiana wrote it: start the node once "
                            "(firmiana node), which brings it up to date; a backup: firmiana "
                            "ledger restore",
                            store->path);
    return base_err_set(err, FM_E_INPUT,
                        "%s: its schema has version %lld, this program knows version %d",
                        store->path, (long long)version, SCHEMA_VERSION);
}

static fm_status check_file(struct ledger_store *store, enum ledger_store_mode mode,
                            struct base_err *err)
{
    int sums = -1; /* asks */
    sqlite3_stmt *stmt;
    int64_t application, version;
    bool row = false;
    fm_status st = read_number(store, "PRAGMA application_id", &application, err);

    if (st == FM_OK)
        st = read_number(store, "PRAGMA user_version", &version, err);
    if (st != FM_OK)
        return st;
    if (application != APPLICATION_ID)
        return base_err_set(err, FM_E_INPUT, "%s: not a Firmiana ledger", store->path);
    st = check_version(store, mode, version, err);
    if (st != FM_OK)
        return st;
    if (sqlite3_file_control(store->db, "main", SQLITE_FCNTL_RESERVE_BYTES, &sums) != SQLITE_OK ||
        sums != LEDGER_SUM)
        return ledger_store_corrupt(store, "its pages have no checksums", err);
    st = version != SCHEMA_VERSION ? migrate(store, version, err) : FM_OK;
    if (st != FM_OK)
        return st;
    if (sqlite3_prepare_v2(store->db, "SELECT chain FROM tip", -1, &stmt, NULL) != SQLITE_OK)
        return ledger_store_fail(store, err);
    st = ledger_store_row(store, stmt, &row, err);
    if (st == FM_OK && (!row || !ledger_store_hash(store->chain, stmt, 0)))
        st = ledger_store_corrupt(store, "it has no genesis", err);
    (void)sqlite3_finalize(stmt);
    return st;
}

static fm_status set_up(struct ledger_store *store, enum ledger_store_mode mode,
                        struct base_err *err)
{
    char numbers[128];
    fm_status st;

    (void)sqlite3_extended_result_codes(store->db, 1);
    (void)sqlite3_busy_timeout(store->db, 5000);
    st = exec(store, "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;", err);
    if (st == FM_OK && mode == LEDGER_STORE_CREATE) {
        (void)snprintf(numbers, sizeof numbers,
                       "PRAGMA application_id = %d;"
                       " PRAGMA user_version = %d;",
                       APPLICATION_ID, SCHEMA_VERSION);
        if (ledger_sum_enable(store->db) != SQLITE_OK)
            st = ledger_store_fail(store, err);
        if (st == FM_OK)
            st = exec(store, "PRAGMA journal_mode = WAL;", err);
        if (st == FM_OK)
            st = exec(store, numbers, err);
    }
    /* 16 MiB: a commit that has split a page goes through all of the cache (SQLite renumbers
     * siblings by way of a page beyond the end, and cuts the cache off behind the file's end); four
     * times as much saved fewer reads than that cost, up to 60,000 entries. */
    if (st == FM_OK && mode != LEDGER_STORE_READ)
        st = exec(store,
                  "PRAGMA synchronous = FULL; PRAGMA cache_size = -16384;"
                  " PRAGMA wal_autocheckpoint = 16000;",
                  err);
    if (st == FM_OK && mode == LEDGER_STORE_CREATE)
        st = exec(store, ledger_store_schema, err);
    else if (st == FM_OK)
        st = check_file(store, mode, err);
    return st;
}

void ledger_store_remove_files(const char *path, enum ledger_store_files which)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal", ".lock"};
    size_t from = which == LEDGER_FILES_BESIDE ? 1 : 0, to = which == LEDGER_FILES_ALL ? 5 : 4;
    struct base_buf name = {0};

    for (; from < to; from++) {
        base_buf_clear(&name);
        base_buf_put_str(&name, path);
        base_buf_put_str(&name, endings[from]);
        if (!name.failed)
            (void)unlink(base_buf_cstr(&name));
    }
    base_buf_release(&name);
}

/* Even a ledger that was just begun has a page: its WAL holds only what comes after that. */
static fm_status check_filled(struct ledger_store *store, struct base_err *err)
{
    struct stat info;

    if (stat(store->path, &info) == 0 && S_ISREG(info.st_mode) && info.st_size == 0)
        return ledger_store_corrupt(store, "it is empty, as a full disk leaves a file", err);
    return FM_OK;
}

static fm_status check_path(const char *path, enum ledger_store_mode mode, struct base_err *err)
{
    struct stat info;
    bool there = stat(path, &info) == 0;

    if (!there && errno != ENOENT)
        return base_err_errno(err, path);
    if (mode != LEDGER_STORE_CREATE && !there)
        return base_err_set(err, FM_E_NOT_FOUND, "%s: there is no such file", path);
    return FM_OK;
}

fm_status ledger_store_open(struct ledger_store **out, const char *path,
                            enum ledger_store_mode mode, struct base_err *err)
{
    struct ledger_store *store;
    int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    fm_status st = check_path(path, mode, err);

    *out = NULL;
    if (st != FM_OK)
        return st;
    store = calloc(1, sizeof *store);
    if (store == NULL)
        return base_err_memory(err, "ledger store");
    store->lock_fd = -1;
    store->merge_at = LEDGER_STORE_RECENT;
    ledger_store_set_sweep(store, LEDGER_TREE_DEPTH, LEDGER_TREE_SWEEP);
    store->path = strdup(path);
    if (store->path == NULL)
        st = base_err_memory(err, "ledger store");
    if (st == FM_OK && mode != LEDGER_STORE_READ)
        st = ledger_store_lock(&store->lock_fd, path, err);
    if (st == FM_OK && mode == LEDGER_STORE_CREATE)
        ledger_store_remove_files(path, LEDGER_FILES_BUT_LOCK);
    else if (st == FM_OK)
        st = check_filled(store, err);
    /* A reader too must write: the -shm file of the WAL is its way to the writer. */
    flags |= mode == LEDGER_STORE_CREATE ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                         : SQLITE_OPEN_READWRITE;
    if (st == FM_OK && sqlite3_open_v2(path, &store->db, flags, ledger_sum_vfs()) != SQLITE_OK)
        st = ledger_store_fail(store, err);
    /* Where it may not write SQLite reads, and the first block would fail. */
    if (st == FM_OK && mode != LEDGER_STORE_READ && sqlite3_db_readonly(store->db, "main") != 0)
        st = base_err_set(err, FM_E_IO,
                          "%s: it may not be written: is its folder or disk read-only?", path);
    if (st == FM_OK)
        st = set_up(store, mode, err);
    if (st == FM_OK && mode == LEDGER_STORE_READ)
        st = exec(store, "PRAGMA query_only = ON;", err);
    if (st != FM_OK) {
        if (mode == LEDGER_STORE_CREATE && store->db != NULL)
            ledger_store_abandon(store);
        else
            ledger_store_close(store);
        return st;
    }
    *out = store;
    return FM_OK;
}

void ledger_store_close(struct ledger_store *store)
{
    size_t i;

    if (store == NULL)
        return;
    for (i = 0; i < LEDGER_SQL_COUNT; i++)
        (void)sqlite3_finalize(store->stmt[i]);
    (void)sqlite3_close(store->db);
    if (store->lock_fd >= 0)
        (void)close(store->lock_fd);
    ledger_recent_release(&store->recent);
    ledger_tree_release(&store->tree);
    free(store->path);
    free(store);
}

void ledger_store_abandon(struct ledger_store *store)
{
    char *path = strdup(store->path);

    if (path != NULL)
        ledger_store_remove_files(
            path, LEDGER_FILES_ALL); /* the lock is ours until the store is closed */
    ledger_store_close(store);
    free(path);
}

/* link() does not replace, as rename() would. */
fm_status ledger_store_name(const char *from, const char *path, struct base_err *err)
{
    fm_status st;

    if (access(path, F_OK) == 0)
        return base_err_set(err, FM_E_CONFLICT, "%s: exists already: name a new file", path);
    /* The WAL of a file that is no more would be played into the new one. */
    ledger_store_remove_files(path, LEDGER_FILES_BESIDE);
    st = base_file_sync_folder(path, err);
    if (st != FM_OK)
        return st;
    if (link(from, path) != 0)
        return errno == EEXIST
                   ? base_err_set(err, FM_E_CONFLICT, "%s: exists already: name a new file", path)
                   : base_err_errno(err, path);
    ledger_store_remove_files(from, LEDGER_FILES_ALL);
    return base_file_sync_folder(path, err);
}

fm_status ledger_store_place(struct ledger_store *store, const char *path, struct base_err *err)
{
    char *from = strdup(store->path);
    int lock = dup(store->lock_fd); /* until the file is where it belongs */
    fm_status st = from != NULL ? exec(store, "PRAGMA wal_checkpoint(TRUNCATE);", err)
                                : base_err_memory(err, "ledger store");

    if (st != FM_OK) {
        ledger_store_abandon(store);
    } else {
        ledger_store_close(store);
        st = ledger_store_name(from, path, err);
        if (st != FM_OK)
            ledger_store_remove_files(from, LEDGER_FILES_ALL);
    }
    if (lock >= 0)
        (void)close(lock);
    free(from);
    return st;
}
