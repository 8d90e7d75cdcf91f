#include "ledger/store/store.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "ledger/store/store_impl.h"

/* ---- statements ---- */

fm_status ledger_store_fail(struct ledger_store *store, struct base_err *err)
{
    int code = store->db != NULL ? sqlite3_errcode(store->db) : SQLITE_NOMEM;
    const char *text = store->db != NULL ? sqlite3_errmsg(store->db) : "out of memory";

    if (code == SQLITE_IOERR_DATA)
        return ledger_store_corrupt(store, "a page of it is not what was written", err);
    switch (code & 0xff) {
    case SQLITE_NOMEM:
        return base_err_memory(err, "ledger store");
    case SQLITE_FULL:
        return base_file_full(store->path, err);
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
        if (store->db != NULL && sqlite3_system_errno(store->db) == ENOSPC)
            return base_file_full(store->path, err);
        if (store->db != NULL && sqlite3_system_errno(store->db) != 0)
            return base_err_set(err, FM_E_IO, "%s: %s: %s", store->path, text,
                                strerror(sqlite3_system_errno(store->db)));
        return base_err_set(err, FM_E_IO, "%s: %s", store->path, text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return base_err_set(err, FM_E_CONFLICT, "%s: another process is writing it", store->path);
    case SQLITE_NOTADB:
        return base_err_set(err, FM_E_INPUT, "%s: not a Firmiana ledger", store->path);
    case SQLITE_CORRUPT:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return ledger_store_corrupt(store, text, err);
    case SQLITE_READONLY:
        return base_err_set(err, FM_E_IO,
                            "%s: it may not be written: is its folder or disk read-only?",
                            store->path);
    default:
        return base_err_set(err, FM_E_IO, "%s: %s", store->path, text);
    }
}

fm_status ledger_store_corrupt(struct ledger_store *store, const char *what, struct base_err *err)
{
    return base_err_set(err, FM_E_CORRUPT,
                        "%s: damaged: %s: put a backup in its place (firmiana ledger restore), or "
                        "remove it: the node then fetches all from the other members",
                        store->path, what);
}

sqlite3_stmt *ledger_store_stmt(struct ledger_store *store, enum ledger_sql sql,
                                struct base_err *err)
{
    if (store->stmt[sql] == NULL &&
        sqlite3_prepare_v3(store->db, ledger_store_sql[sql], -1, SQLITE_PREPARE_PERSISTENT,
                           &store->stmt[sql], NULL) != SQLITE_OK) {
        (void)ledger_store_fail(store, err);
        return NULL;
    }
    (void)sqlite3_reset(store->stmt[sql]);
    (void)sqlite3_clear_bindings(store->stmt[sql]);
    return store->stmt[sql];
}

fm_status ledger_store_walk(struct ledger_store *store, sqlite3_stmt **stmt, enum ledger_sql sql,
                            struct base_err *err)
{
    if (sqlite3_prepare_v2(store->db, ledger_store_sql[sql], -1, stmt, NULL) != SQLITE_OK)
        return ledger_store_fail(store, err);
    return FM_OK;
}

fm_status ledger_store_row(struct ledger_store *store, sqlite3_stmt *stmt, bool *row,
                           struct base_err *err)
{
    int code = sqlite3_step(stmt);

    *row = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE ? FM_OK : ledger_store_fail(store, err);
}

fm_status ledger_store_run(struct ledger_store *store, sqlite3_stmt *stmt, struct base_err *err)
{
    bool row;
    fm_status st = ledger_store_row(store, stmt, &row, err);

    (void)sqlite3_reset(stmt);
    return st;
}

bool ledger_store_hash(uint8_t out32[32], sqlite3_stmt *stmt, int column)
{
    const void *bytes = sqlite3_column_blob(stmt, column);

    if (bytes == NULL || sqlite3_column_bytes(stmt, column) != 32)
        return false;
    memcpy(out32, bytes, 32);
    return true;
}

void ledger_store_bytes(struct base_buf *out, sqlite3_stmt *stmt, int column)
{
    const void *bytes = sqlite3_column_blob(stmt, column);

    base_buf_put(out, bytes != NULL ? bytes : "", (size_t)sqlite3_column_bytes(stmt, column));
}

void ledger_store_bind(sqlite3_stmt *stmt, int at, const void *bytes, size_t len)
{
    /* Failure (memory) leaves NULL there, which every column refuses when the statement runs. */
    (void)sqlite3_bind_blob64(stmt, at, len > 0 ? bytes : "", (sqlite3_uint64)len, SQLITE_STATIC);
}

/* ---- transactions ---- */

static fm_status run_plain(struct ledger_store *store, enum ledger_sql sql, struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, sql, err);

    return stmt != NULL ? ledger_store_run(store, stmt, err) : err->code;
}

fm_status ledger_store_begin_write(struct ledger_store *store, struct base_err *err)
{
    return run_plain(store, LEDGER_SQL_BEGIN_WRITE, err);
}

fm_status ledger_store_begin_read(struct ledger_store *store, struct base_err *err)
{
    return run_plain(store, LEDGER_SQL_BEGIN_READ, err);
}

fm_status ledger_store_commit(struct ledger_store *store, struct base_err *err)
{
    fm_status st = ledger_tree_finish(store, err);

    if (st == FM_OK)
        st = run_plain(store, LEDGER_SQL_COMMIT, err);
    if (st != FM_OK) {
        ledger_store_rollback(store);
        return st;
    }
    ledger_recent_committed(store);
    ledger_tree_committed(store);
    return FM_OK;
}

void ledger_store_rollback(struct ledger_store *store)
{
    struct base_err ignored;

    ledger_recent_rolled_back(store);
    ledger_tree_rolled_back(store);
    /* Some errors have rolled back already; then there is nothing to do. */
    if (sqlite3_get_autocommit(store->db) == 0 &&
        run_plain(store, LEDGER_SQL_ROLLBACK, &ignored) != FM_OK)
        return;
}

void ledger_store_set_cache(struct ledger_store *store, enum ledger_store_cache cache)
{
    const char *usual =
        store->lock_fd >= 0 ? "PRAGMA cache_size = -16384" : "PRAGMA cache_size = -2000";

    /* Speed alone depends on it. */
    (void)sqlite3_exec(store->db,
                       cache == LEDGER_CACHE_LARGE ? "PRAGMA cache_size = -131072" : usual, NULL,
                       NULL, NULL);
}

const uint8_t *ledger_store_chain(const struct ledger_store *store)
{
    return store->chain;
}

/* ---- the tip ---- */

fm_status ledger_store_put_genesis(struct ledger_store *store, const uint8_t chain[32],
                                   const void *genesis, size_t len, struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_PUT_GENESIS, err);

    if (stmt == NULL)
        return err->code;
    ledger_store_bind(stmt, 1, chain, 32);
    ledger_store_bind(stmt, 2, genesis, len);
    memcpy(store->chain, chain, sizeof store->chain);
    return ledger_store_run(store, stmt, err);
}

fm_status ledger_store_get_genesis(struct ledger_store *store, struct base_buf *genesis,
                                   struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_GET_GENESIS, err);
    bool row;
    fm_status st;

    if (stmt == NULL)
        return err->code;
    st = ledger_store_row(store, stmt, &row, err);
    if (st == FM_OK && row)
        ledger_store_bytes(genesis, stmt, 0);
    (void)sqlite3_reset(stmt);
    return st == FM_OK ? base_buf_status(genesis, "genesis", err) : st;
}

fm_status ledger_store_get_tip(struct ledger_store *store, struct ledger_store_tip *out,
                               struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_GET_TIP, err);
    struct base_err why;
    bool row;
    fm_status st;

    memset(out, 0, sizeof *out);
    if (stmt == NULL)
        return err->code;
    st = ledger_store_row(store, stmt, &row, err);
    if (st == FM_OK) {
        out->tip.height = (uint64_t)sqlite3_column_int64(stmt, 0);
        out->tip.time_ms = sqlite3_column_int64(stmt, 1);
        out->tip.epoch = (uint64_t)sqlite3_column_int64(stmt, 5);
        out->tip.rules_version = (uint64_t)sqlite3_column_int64(stmt, 6);
        out->final_size = (uint64_t)sqlite3_column_int64(stmt, 7);
        if (!row || !ledger_store_hash(out->tip.state_root, stmt, 3) ||
            !ledger_store_hash(out->tip.prev, stmt, 4) ||
            ledger_log_decode(&out->tip.log, sqlite3_column_blob(stmt, 2),
                              (size_t)sqlite3_column_bytes(stmt, 2), &why) != FM_OK)
            st = ledger_store_corrupt(store, "it does not say where it stands", err);
    }
    (void)sqlite3_reset(stmt);
    return st;
}

fm_status ledger_store_put_tip(struct ledger_store *store, const struct ledger_tip *tip,
                               struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_PUT_TIP, err);
    struct base_buf log = {0};
    fm_status st;

    if (stmt == NULL)
        return err->code;
    ledger_log_encode(&log, &tip->log);
    st = base_buf_status(&log, "ledger store", err);
    if (st == FM_OK) {
        (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)tip->height);
        (void)sqlite3_bind_int64(stmt, 2, tip->time_ms);
        ledger_store_bind(stmt, 3, log.p, log.len);
        ledger_store_bind(stmt, 4, tip->state_root, 32);
        ledger_store_bind(stmt, 5, tip->prev, 32);
        (void)sqlite3_bind_int64(stmt, 6, (sqlite3_int64)tip->epoch);
        (void)sqlite3_bind_int64(stmt, 7, (sqlite3_int64)tip->rules_version);
        st = ledger_store_run(store, stmt, err);
    }
    base_buf_release(&log);
    return st;
}

fm_status ledger_store_put_final(struct ledger_store *store, uint64_t size, struct base_err *err)
{
    sqlite3_stmt *stmt = ledger_store_stmt(store, LEDGER_SQL_PUT_FINAL, err);

    if (stmt == NULL)
        return err->code;
    (void)sqlite3_bind_int64(stmt, 1, (sqlite3_int64)size);
    return ledger_store_run(store, stmt, err);
}
