#include "exchange/node/started.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ledger/sum_vfs.h"

struct node_started {
    sqlite3 *db;
    sqlite3_stmt *insert;
    sqlite3_stmt *has;
    sqlite3_stmt *keep;
    sqlite3_stmt *opening;
};

/* "FMSS": SQLite's application_id of this file. */
#define APPLICATION_ID 1179472723

static fm_status sql_error(struct node_started *s, const char *what, struct base_err *err)
{
    int code = s->db != NULL ? sqlite3_extended_errcode(s->db) : SQLITE_NOMEM;

    if ((code & 0xff) == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_IOERR_DATA)
        return base_err_set(err, FM_E_CORRUPT,
                            "%s: damaged: %s: put a backup in its place, or remove it when the "
                            "deadline of every open query is past",
                            what,
                            code == SQLITE_IOERR_DATA ? "a page of it is not what was written"
                                                      : sqlite3_errmsg(s->db));
    if ((code & 0xff) == SQLITE_FULL)
        return base_err_set(err, FM_E_IO, "%s: the disk is full: make room, then start the node",
                            what);
    return base_err_set(err, FM_E_IO, "%s: %s", what,
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

/* The file is there, and its owner's alone, before SQLite puts anything in; its log and index take
 * their modes from it. */
static fm_status make_private(const char *path, struct base_err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    fm_status st = FM_OK;

    if (fd < 0 || fchmod(fd, 0600) != 0)
        st = base_err_errno(err, path);
    if (fd >= 0)
        (void)close(fd);
    return st;
}

static bool prepare(sqlite3_stmt **out, struct node_started *s, const char *sql)
{
    return sqlite3_prepare_v2(s->db, sql, -1, out, NULL) == SQLITE_OK;
}

fm_status node_started_open(struct node_started **out, const char *path, struct base_err *err)
{
    static const char setup[] =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA application_id=1179472723;"
        "CREATE TABLE IF NOT EXISTS started(query TEXT NOT NULL, attempt INTEGER NOT NULL, at_ms "
        "INTEGER NOT NULL,"
        " PRIMARY KEY(query, attempt)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS opening(requester TEXT NOT NULL PRIMARY KEY, at_ms INTEGER NOT "
        "NULL, opening TEXT NOT NULL) STRICT, WITHOUT ROWID";
    struct node_started *s = calloc(1, sizeof *s);
    fm_status st = FM_OK;

    *out = NULL;
    if (s == NULL)
        return base_err_memory(err, path);
    st = make_private(path, err);
    if (st == FM_OK && (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                        ledger_sum_vfs()) != SQLITE_OK ||
                        ledger_sum_enable(s->db) != SQLITE_OK))
        st = sql_error(s, path, err);
    if (st == FM_OK)
        st = check_ours(s, path, err);
    if (st == FM_OK &&
        (sqlite3_exec(s->db, setup, NULL, NULL, NULL) != SQLITE_OK ||
         !prepare(&s->insert, s, "INSERT INTO started VALUES(?1, ?2, ?3)") ||
         !prepare(&s->has, s, "SELECT count(*) FROM started WHERE query = ?1") ||
         !prepare(&s->keep, s, "INSERT INTO opening VALUES(?1, ?2, ?3)") ||
         !prepare(&s->opening, s, "SELECT opening FROM opening WHERE requester = ?1")))
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
    (void)sqlite3_finalize(started->keep);
    (void)sqlite3_finalize(started->opening);
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

fm_status node_started_keep_opening(struct node_started *started, const char *requester_hex,
                                    const char *opening, long long now_ms, struct base_err *err)
{
    fm_status st = FM_OK;

    (void)sqlite3_bind_text(started->keep, 1, requester_hex, -1, SQLITE_TRANSIENT);
    (void)sqlite3_bind_int64(started->keep, 2, now_ms);
    (void)sqlite3_bind_text(started->keep, 3, opening, -1, SQLITE_STATIC);
    if (sqlite3_step(started->keep) != SQLITE_DONE)
        st = sql_error(started, "sessions.db", err);
    (void)sqlite3_reset(started->keep);
    (void)sqlite3_clear_bindings(started->keep);
    return st;
}

fm_status node_started_opening(struct base_buf *out, struct node_started *started,
                               const char *requester_hex, struct base_err *err)
{
    fm_status st;
    int step;

    (void)sqlite3_bind_text(started->opening, 1, requester_hex, -1, SQLITE_TRANSIENT);
    step = sqlite3_step(started->opening);
    if (step == SQLITE_ROW) {
        base_buf_put_str(out, (const char *)sqlite3_column_text(started->opening, 0));
        st = base_buf_status(out, "opening", err);
    } else if (step == SQLITE_DONE)
        st = base_err_set(
            err, FM_E_NOT_FOUND,
            "sessions.db: no opening of that query's requester: it was not asked here");
    else
        st = sql_error(started, "sessions.db", err);
    (void)sqlite3_reset(started->opening);
    return st;
}
