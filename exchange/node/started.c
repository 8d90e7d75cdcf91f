#include "exchange/node/started.h"

#include <sqlite3.h>
#include <stdlib.h>

struct node_started {
    sqlite3 *db;
    sqlite3_stmt *insert;
    sqlite3_stmt *has;
};

/* "FMSS": SQLite's application_id of this file. */
#define APPLICATION_ID 1179472723

static fm_status sql_error(struct node_started *s, const char *what, struct base_err *err)
{
    int code = s->db != NULL ? sqlite3_errcode(s->db) : SQLITE_NOMEM;
    fm_status st = code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? FM_E_CORRUPT : FM_E_IO;

    return base_err_set(err, st, "%s: %s", what,
                        s->db != NULL ? sqlite3_errmsg(s->db) : "out of memory");
}

static fm_status check_ours(struct node_started *s, const char *path, struct base_err *err)
{
    sqlite3_stmt *q = NULL;
    fm_status st = FM_OK;
    int id = 0, tables = 0;

    if (sqlite3_prepare_v2(
            s->db,
            "SELECT (SELECT * FROM pragma_application_id), (SELECT count(*) FROM sqlite_master)",
            -1, &q, NULL) != SQLITE_OK ||
        sqlite3_step(q) != SQLITE_ROW)
        st = sql_error(s, path, err);
    else {
        id = sqlite3_column_int(q, 0);
        tables = sqlite3_column_int(q, 1);
    }
    (void)sqlite3_finalize(q);
    if (st == FM_OK && id != APPLICATION_ID && tables > 0)
        st = base_err_set(err, FM_E_CORRUPT,
                          "%s: an SQLite file, but not Firmiana's list of sessions", path);
    return st;
}

fm_status node_started_open(struct node_started **out, const char *path, struct base_err *err)
{
    static const char setup[] =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA application_id=1179472723;"
        "CREATE TABLE IF NOT EXISTS started(query TEXT NOT NULL, attempt INTEGER NOT NULL, at_ms "
        "INTEGER NOT NULL,"
        " PRIMARY KEY(query, attempt)) STRICT, WITHOUT ROWID";
    struct node_started *s = calloc(1, sizeof *s);
    fm_status st = FM_OK;

    *out = NULL;
    if (s == NULL)
        return base_err_memory(err, path);
    if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
        SQLITE_OK)
        st = sql_error(s, path, err);
    if (st == FM_OK)
        st = check_ours(s, path, err);
    if (st == FM_OK && (sqlite3_exec(s->db, setup, NULL, NULL, NULL) != SQLITE_OK ||
                        sqlite3_prepare_v2(s->db, "INSERT INTO started VALUES(?1, ?2, ?3)", -1,
                                           &s->insert, NULL) != SQLITE_OK ||
                        sqlite3_prepare_v2(s->db, "SELECT count(*) FROM started WHERE query = ?1",
                                           -1, &s->has, NULL) != SQLITE_OK))
        st = sql_error(s, path, err);
    if (st != FM_OK) {
        node_started_close(s);
        return st;
    }
    *out = s;
    return FM_OK;
}

void node_started_close(struct node_started *started)
{
    if (started == NULL)
        return;
    (void)sqlite3_finalize(started->insert);
    (void)sqlite3_finalize(started->has);
    (void)sqlite3_close(started->db);
    free(started);
}

fm_status node_started_mark(struct node_started *started, const char *query_hex, int attempt,
                            long long now_ms, struct base_err *err)
{
    int step;
    fm_status st = FM_OK;

    (void)sqlite3_bind_text(started->insert, 1, query_hex, -1, SQLITE_TRANSIENT);
    (void)sqlite3_bind_int(started->insert, 2, attempt);
    (void)sqlite3_bind_int64(started->insert, 3, now_ms);
    step = sqlite3_step(started->insert);
    if (step == SQLITE_CONSTRAINT)
        st = base_err_set(err, FM_E_CONFLICT,
                          "query %.16s, attempt %d, was started here before: it never runs twice",
                          query_hex, attempt);
    else if (step != SQLITE_DONE)
        st = sql_error(started, "sessions.db", err);
    (void)sqlite3_reset(started->insert);
    return st;
}

fm_status node_started_has(bool *out, struct node_started *started, const char *query_hex,
                           struct base_err *err)
{
    fm_status st = FM_OK;

    *out = true;
    (void)sqlite3_bind_text(started->has, 1, query_hex, -1, SQLITE_TRANSIENT);
    if (sqlite3_step(started->has) == SQLITE_ROW)
        *out = sqlite3_column_int(started->has, 0) > 0;
    else
        st = sql_error(started, "sessions.db", err);
    (void)sqlite3_reset(started->has);
    return st;
}
