/* What the store's files share: the connection, and its statements. */
#ifndef FIRMIANA_LEDGER_STORE_IMPL_H
#define FIRMIANA_LEDGER_STORE_IMPL_H

#include <sqlite3.h>

#include "ledger/store/store.h"
#include "ledger/store/store_tree.h"

/* Every statement, prepared when first used. */
enum ledger_sql {
    LEDGER_SQL_BEGIN_WRITE,
    LEDGER_SQL_BEGIN_READ,
    LEDGER_SQL_COMMIT,
    LEDGER_SQL_ROLLBACK,
    LEDGER_SQL_GET_TIP,
    LEDGER_SQL_PUT_TIP,
    LEDGER_SQL_PUT_FINAL,
    LEDGER_SQL_PUT_GENESIS,
    LEDGER_SQL_GET_GENESIS,
    LEDGER_SQL_GET_STATE,
    LEDGER_SQL_PUT_STATE,
    LEDGER_SQL_DEL_STATE,
    LEDGER_SQL_LIST_STATE,
    LEDGER_SQL_GET_SEEN,
    LEDGER_SQL_LIST_SEEN,
    LEDGER_SQL_REMEMBERED_LEAVES,
    LEDGER_SQL_PUT_SEEN,
    LEDGER_SQL_DEL_SEEN,
    LEDGER_SQL_EXPIRED_SEEN,
    LEDGER_SQL_GET_PAGE,
    LEDGER_SQL_PUT_PAGE,
    LEDGER_SQL_DEL_PAGE,
    LEDGER_SQL_GET_DEEP,
    LEDGER_SQL_PUT_DEEP,
    LEDGER_SQL_DEL_DEEP,
    LEDGER_SQL_GET_TREE,
    LEDGER_SQL_PUT_TREE,
    LEDGER_SQL_PUT_CHANGE,
    LEDGER_SQL_LIST_CHANGE,
    LEDGER_SQL_DROP_CHANGE,
    LEDGER_SQL_PUT_LEAF,
    LEDGER_SQL_GET_LEAVES,
    LEDGER_SQL_LIST_IDENTITY,
    LEDGER_SQL_GET_LEAF_HASH,
    LEDGER_SQL_ERASE_LEAF,
    LEDGER_SQL_GET_TX,
    LEDGER_SQL_PUT_RECENT,
    LEDGER_SQL_LIST_RECENT,
    LEDGER_SQL_SPAN_RECENT,
    LEDGER_SQL_MERGE_RECENT,
    LEDGER_SQL_CLEAR_RECENT,
    LEDGER_SQL_GET_MERGED,
    LEDGER_SQL_STEP_MERGED,
    LEDGER_SQL_PUT_NODE,
    LEDGER_SQL_GET_NODE,
    LEDGER_SQL_PUT_BLOCK,
    LEDGER_SQL_GET_BLOCK,
    LEDGER_SQL_PUT_UNDO,
    LEDGER_SQL_GET_UNDO,
    LEDGER_SQL_DROP_UNDO,
    LEDGER_SQL_UNDO_TIP,
    LEDGER_SQL_UNDO_ROW,
    LEDGER_SQL_UNDO_TXS,
    LEDGER_SQL_UNDO_RECENT,
    LEDGER_SQL_UNDO_LEAVES,
    LEDGER_SQL_UNDO_NODES,
    LEDGER_SQL_UNDO_BLOCK,
    LEDGER_SQL_UNDO_COSIGNATURES,
    LEDGER_SQL_PUT_NOTE,
    LEDGER_SQL_DEL_NOTE,
    LEDGER_SQL_LIST_NOTES,
    LEDGER_SQL_PUT_COSIGNATURE,
    LEDGER_SQL_LIST_COSIGNATURES,
    LEDGER_SQL_DROP_COSIGNATURES,
    LEDGER_SQL_PUT_EVIDENCE,
    LEDGER_SQL_LIST_EVIDENCE,
    LEDGER_SQL_COUNT
};

extern const char ledger_store_schema[];
/* To the next version's tables. */
extern const char ledger_store_from_2[], ledger_store_from_3[], ledger_store_from_4[],
    ledger_store_from_5[];
extern const char *const ledger_store_sql[LEDGER_SQL_COUNT];

/* What a connection has read of the table recent (store_recent.c). */
struct ledger_recent_row {
    uint8_t id[32];
    uint64_t leaf;
    int64_t not_after;
    uint32_t next; /* of the same place, older */
};
struct ledger_recent {
    bool loaded;
    int64_t merged; /* the count it was read at */
    struct ledger_recent_row *row;
    uint32_t *head;       /* room of them */
    size_t n, room, kept; /* the first so many are committed */
    bool replaced;        /* ... unless they came about in this very transaction */
    uint8_t (*absent)[32];
};

struct ledger_store {
    sqlite3 *db;
    sqlite3_stmt *stmt[LEDGER_SQL_COUNT];
    char *path;
    int lock_fd; /* -1: a reader */
    uint8_t chain[32];
    struct ledger_recent recent;
    size_t merge_at; /* leaves */
    struct ledger_tree tree;
};

/* ---- ids (store_recent.c) ---- */

/* *found, then leaf and not_after of the transaction. */
fm_status ledger_recent_find(struct ledger_store *store, struct ledger_recent_row *out, bool *found,
                             const uint8_t id[32], struct base_err *err) FM_CHECK;
fm_status ledger_recent_put(struct ledger_store *store, const uint8_t id[32], uint64_t leaf,
                            int64_t not_after, struct base_err *err) FM_CHECK;
/* Rows were taken out of the tables: no connection may trust what it read. */
fm_status ledger_recent_step(struct ledger_store *store, struct base_err *err) FM_CHECK;
/* Whenever a transaction ended. */
void ledger_recent_committed(struct ledger_store *store);
void ledger_recent_rolled_back(struct ledger_store *store);
void ledger_recent_release(struct ledger_recent *recent);

/* ---- files (store_open.c) ---- */

/* One writer: a lock beside the file, so that SQLite's own locks on it are left alone. *fd is the
 * caller's to close. FM_E_CONFLICT: somebody has it. */
fm_status ledger_store_lock(int *fd, const char *path, struct base_err *err) FM_CHECK;

/* A database's files: all of them, all but the lock, or what stands beside the database and its
 * lock. */
enum ledger_store_files { LEDGER_FILES_ALL, LEDGER_FILES_BUT_LOCK, LEDGER_FILES_BESIDE };
void ledger_store_remove_files(const char *path, enum ledger_store_files which);

/* Gives a closed file without a WAL the name `path`, for good; what else belonged to `from` is
 * removed. FM_E_CONFLICT: the name is taken. */
fm_status ledger_store_name(const char *from, const char *path, struct base_err *err) FM_CHECK;

/* ---- statements ---- */

/* The statement, reset and without bindings; NULL with err set. */
sqlite3_stmt *ledger_store_stmt(struct ledger_store *store, enum ledger_sql sql,
                                struct base_err *err);
/* A statement of its own, for a walk whose callback may use the same one again: the caller
 * finalizes it. */
fm_status ledger_store_walk(struct ledger_store *store, sqlite3_stmt **stmt, enum ledger_sql sql,
                            struct base_err *err) FM_CHECK;
/* Steps a statement that gives no rows, and resets it. */
fm_status ledger_store_run(struct ledger_store *store, sqlite3_stmt *stmt,
                           struct base_err *err) FM_CHECK;
/* Steps a statement: *row says whether a row is there. The caller resets it after use. */
fm_status ledger_store_row(struct ledger_store *store, sqlite3_stmt *stmt, bool *row,
                           struct base_err *err) FM_CHECK;
/* The newest error of SQLite as a status: full disk and I/O FM_E_IO, corruption FM_E_CORRUPT, ...
 */
fm_status ledger_store_fail(struct ledger_store *store, struct base_err *err);
/* What a row holds is not what we wrote. */
fm_status ledger_store_corrupt(struct ledger_store *store, const char *what, struct base_err *err);

/* A column as exactly 32 bytes; false if it is anything else. */
bool ledger_store_hash(uint8_t out32[32], sqlite3_stmt *stmt, int column) FM_CHECK;
/* Appends a column's bytes. */
void ledger_store_bytes(struct base_buf *out, sqlite3_stmt *stmt, int column);
/* Binds bytes that live until the statement ran. */
void ledger_store_bind(sqlite3_stmt *stmt, int at, const void *bytes, size_t len);

#endif
