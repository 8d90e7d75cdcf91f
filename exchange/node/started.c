#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "exchange/node/started_own.h"
#include "ledger/store/sum_vfs.h"

/* "FMSS": SQLite's application_id of this file. */
#define APPLICATION_ID 1179472723
enum { FORMAT = 1 };

fm_status node_started_error(struct node_started *s, const char *what, struct base_err *err)
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
        return base_file_full(what, err);
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
        st = node_started_error(s, path, err);
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

static fm_status run(struct node_started *s, const char *sql, const char *path,
                     struct base_err *err)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? FM_OK
               : node_started_error(s, path, err);
}

/* The format that the file has; a new one has none of its tables yet. */
static fm_status read_format(int *format, struct node_started *s, const char *path,
                             struct base_err *err)
{
    sqlite3_stmt *q = NULL;
    fm_status st = FM_OK;

    if (!prepare(&q, s, "PRAGMA user_version") || sqlite3_step(q) != SQLITE_ROW)
        st = node_started_error(s, path, err);
    else
        *format = sqlite3_column_int(q, 0);
    (void)sqlite3_finalize(q);
    if (st == FM_OK && *format > FORMAT)
        st = base_err_set(err, FM_E_UNSUPPORTED,
                          "%s: format %d, and this version knows %d: a newer firmiana wrote it",
                          path, *format, FORMAT);
    return st;
}

static fm_status set_up(struct node_started *s, const char *path, struct base_err *err)
{
    static const char tables[] =
        "BEGIN IMMEDIATE; PRAGMA application_id=1179472723;"
        "CREATE TABLE IF NOT EXISTS started(query TEXT NOT NULL, attempt INTEGER NOT NULL, at_ms "
        "INTEGER NOT NULL, PRIMARY KEY(query, attempt)) STRICT, WITHOUT ROWID;"
        "CREATE TABLE IF NOT EXISTS sealed(kind TEXT NOT NULL, name TEXT NOT NULL, at_ms INTEGER "
        "NOT NULL, box BLOB NOT NULL, PRIMARY KEY(kind, name)) STRICT;"
        "CREATE TABLE IF NOT EXISTS about(tag BLOB NOT NULL, kind TEXT NOT NULL, name TEXT NOT "
        "NULL, PRIMARY KEY(tag, kind, name)) STRICT, WITHOUT ROWID;";
    int format = 0;
    /* secure_delete: what is deleted is overwritten. */
    fm_status st = run(
        s, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON", path, err);

    if (st == FM_OK)
        st = read_format(&format, s, path, err);
    if (st != FM_OK || format == FORMAT)
        return st;
    st = run(s, tables, path, err);
    if (st == FM_OK)
        st = node_sealed_migrate(s, err);
    if (st == FM_OK)
        st = run(s, "COMMIT", path, err);
    /* The log that SQLite writes ahead still holds old pages: it goes too. Only then is it format
     * 1: whoever is interrupted here begins again. */
    if (st == FM_OK)
        st = run(s,
                 "PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(TRUNCATE);"
                 "PRAGMA user_version=1",
                 path, err);
    return st;
}

fm_status node_started_open(struct node_started **out, const char *path, const uint8_t secret32[32],
                            const struct base_random *random, struct base_err *err)
{
    struct node_started *s = calloc(1, sizeof *s);
    fm_status st = FM_OK;

    *out = NULL;
    if (s == NULL)
        return base_err_memory(err, path);
    s->random = random;
    st = vault_init(&s->vault, secret32, err);
    if (st == FM_OK)
        st = make_private(path, err);
    if (st == FM_OK && (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                        ledger_sum_vfs()) != SQLITE_OK ||
                        ledger_sum_enable(s->db) != SQLITE_OK))
        st = node_started_error(s, path, err);
    if (st == FM_OK)
        st = check_ours(s, path, err);
    if (st == FM_OK)
        st = set_up(s, path, err);
    if (st == FM_OK && (!prepare(&s->insert, s, "INSERT INTO started VALUES(?1, ?2, ?3)") ||
                        !prepare(&s->has, s, "SELECT count(*) FROM started WHERE query = ?1")))
        st = node_started_error(s, path, err);
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
    vault_release(&started->vault);
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
        st = node_started_error(started, "sessions.db", err);
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
        st = node_started_error(started, "sessions.db", err);
    (void)sqlite3_reset(started->has);
    return st;
}
