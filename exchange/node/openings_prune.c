#include "exchange/node/openings_prune.h"

#include <unistd.h>

#include "exchange/node/openings.h"
#include "exchange/node/started_own.h"
#include "ledger/store/sum_vfs.h"

static fm_status run(struct node_started *s, const char *sql, const char *path,
                     struct base_err *err)
{
    if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK)
        return FM_OK;
    return (sqlite3_errcode(s->db) & 0xff) == SQLITE_BUSY
               ? base_err_set(err, FM_E_CONFLICT,
                              "%s: another process has it open: stop the node first", path)
               : node_started_error(s, path, err);
}

static fm_status erase(struct node_started *s, const char *query_hex, const char *path,
                       struct base_err *err)
{
    static const char *const deletions[] = {
        "DELETE FROM sealed WHERE kind = '" OPENING_KIND "' AND name = ?1",
        "DELETE FROM about WHERE kind = '" OPENING_KIND "' AND name = ?1",
        "DELETE FROM sealed WHERE kind = '" OPENING_INPUT "' AND instr(name, ?1 || '/') = 1"};
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < sizeof deletions / sizeof *deletions; i++) {
        sqlite3_stmt *q = NULL;

        if (sqlite3_prepare_v2(s->db, deletions[i], -1, &q, NULL) != SQLITE_OK ||
            sqlite3_bind_text(q, 1, query_hex, -1, SQLITE_TRANSIENT) != SQLITE_OK ||
            sqlite3_step(q) != SQLITE_DONE)
            st = node_started_error(s, path, err);
        (void)sqlite3_finalize(q);
    }
    return st;
}

/* Names are read from a list of their own, so that rows may go meanwhile. */
static fm_status erase_gone(struct node_started *s, uint64_t *n, const char *path,
                            fm_status (*gone)(void *ctx, bool *out, const char *query_hex,
                                              struct base_err *err),
                            void *ctx, struct base_err *err)
{
    sqlite3_stmt *q = NULL;
    fm_status st = run(s,
                       "CREATE TEMP TABLE names AS SELECT name FROM sealed WHERE kind = "
                       "'" OPENING_KIND "'",
                       path, err);
    int step = SQLITE_DONE;

    if (st == FM_OK &&
        sqlite3_prepare_v2(s->db, "SELECT name FROM temp.names", -1, &q, NULL) != SQLITE_OK)
        st = node_started_error(s, path, err);
    while (st == FM_OK && (step = sqlite3_step(q)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(q, 0);
        bool yes = false;

        st = name != NULL ? gone(ctx, &yes, name, err) : base_err_memory(err, path);
        if (st == FM_OK && yes)
            st = erase(s, name, path, err);
        *n += st == FM_OK && yes;
    }
    if (st == FM_OK && step != SQLITE_DONE)
        st = node_started_error(s, path, err);
    (void)sqlite3_finalize(q);
    return st;
}

fm_status node_openings_prune(uint64_t *n, const char *path,
                              fm_status (*gone)(void *ctx, bool *out, const char *query_hex,
                                                struct base_err *err),
                              void *ctx, struct base_err *err)
{
    struct node_started s = {0};
    fm_status st = FM_OK;

    *n = 0;
    if (access(path, F_OK) != 0)
        return base_err_set(err, FM_E_NOT_FOUND, "%s: not there", path);
    if (sqlite3_open_v2(path, &s.db, SQLITE_OPEN_READWRITE, ledger_sum_vfs()) != SQLITE_OK)
        st = node_started_error(&s, path, err);
    if (st == FM_OK)
        st = run(&s,
                 "PRAGMA temp_store = MEMORY; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
                 "BEGIN IMMEDIATE",
                 path, err);
    if (st == FM_OK) {
        st = erase_gone(&s, n, path, gone, ctx, err);
        if (st == FM_OK)
            st = run(&s, "COMMIT", path, err);
        if (st == FM_OK)
            st = run(&s,
                     "DROP TABLE temp.names; PRAGMA locking_mode = EXCLUSIVE; VACUUM;"
                     "PRAGMA wal_checkpoint(TRUNCATE)",
                     path, err);
    }
    (void)sqlite3_close(s.db); /* rolls back what is not committed */
    return st;
}
