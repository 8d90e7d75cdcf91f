#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "exchange/copies/store_own.h"

enum { MARGIN_MIB = 64 /* of a disk, for the ledger */ };

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS held(owner TEXT NOT NULL, address TEXT NOT NULL, size INTEGER NOT "
    "NULL, since_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, whole INTEGER NOT NULL, readers "
    "TEXT NOT NULL, PRIMARY KEY(owner, address)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS fetch(owner TEXT NOT NULL, address TEXT NOT NULL, who TEXT NOT "
    "NULL, allowed INTEGER NOT NULL, times INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms "
    "INTEGER NOT NULL, PRIMARY KEY(owner, address, who, allowed)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS known(id INTEGER PRIMARY KEY, address TEXT NOT NULL, owner TEXT "
    "NOT NULL, until_ms INTEGER NOT NULL, UNIQUE(address, owner)) STRICT;"
    "CREATE TABLE IF NOT EXISTS task(address TEXT NOT NULL, member TEXT NOT NULL, role INTEGER "
    "NOT NULL, state INTEGER NOT NULL, why TEXT NOT NULL, at_ms INTEGER NOT NULL, receipt TEXT, "
    "PRIMARY KEY(address, member, role)) STRICT, WITHOUT ROWID;"
    "COMMIT";

/* ---- statements ---- */

static fm_status db_error(struct copies_store *s, struct base_err *err)
{
    int code = s->db != NULL ? sqlite3_extended_errcode(s->db) : SQLITE_NOMEM;

    if ((code & 0xff) == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        return base_err_set(err, FM_E_CORRUPT, "%s/copies.db: damaged: put a backup in its place",
                            s->dir);
    if ((code & 0xff) == SQLITE_FULL)
        return base_file_full(s->dir, err);
    return base_err_set(err, FM_E_IO, "%s/copies.db: %s", s->dir,
                        s->db != NULL ? sqlite3_errmsg(s->db) : "out of memory");
}

fm_status copies_sql(sqlite3_stmt **out, struct copies_store *s, struct base_err *err,
                     const char *sql, const char *binds, ...)
{
    va_list args;
    int code;

    *out = NULL;
    code = sqlite3_prepare_v2(s->db, sql, -1, out, NULL);
    va_start(args, binds);
    for (int i = 1; code == SQLITE_OK && binds[i - 1] != '\0'; i++)
        code = binds[i - 1] == 's'
                   ? sqlite3_bind_text(*out, i, va_arg(args, const char *), -1, SQLITE_TRANSIENT)
                   : sqlite3_bind_int64(*out, i, va_arg(args, int64_t));
    va_end(args);
    if (code == SQLITE_OK)
        return FM_OK;
    (void)db_error(s, err);
    (void)sqlite3_finalize(*out);
    *out = NULL;
    return err->code;
}

fm_status copies_step(bool *row, struct copies_store *s, sqlite3_stmt **q, struct base_err *err)
{
    int code = sqlite3_step(*q);
    fm_status st = code == SQLITE_ROW || code == SQLITE_DONE ? FM_OK : db_error(s, err);

    *row = code == SQLITE_ROW;
    if (!*row) {
        (void)sqlite3_finalize(*q);
        *q = NULL;
    }
    return st;
}

fm_status copies_run(struct copies_store *s, fm_status st, sqlite3_stmt *q, struct base_err *err)
{
    bool row;

    if (st == FM_OK)
        st = copies_step(&row, s, &q, err);
    (void)sqlite3_finalize(q);
    return st;
}

fm_status copies_column(char *out, size_t size, sqlite3_stmt *q, int column, struct base_err *err)
{
    const char *text = (const char *)sqlite3_column_text(q, column);
    size_t len = (size_t)sqlite3_column_bytes(q, column);

    if (len >= size)
        return base_err_set(err, FM_E_CORRUPT, "copies.db: a text is too long");
    if (len > 0)
        memcpy(out, text, len);
    out[len] = '\0';
    return FM_OK;
}

fm_status copies_column_json(json_t **out, sqlite3_stmt *q, int column, struct base_err *err)
{
    const char *text = (const char *)sqlite3_column_text(q, column);

    *out = NULL;
    if (text == NULL)
        return FM_OK;
    if (base_json_parse(out, text, (size_t)sqlite3_column_bytes(q, column), err) == FM_OK)
        return FM_OK;
    return base_err_set(err, FM_E_CORRUPT, "copies.db: a row is damaged");
}

/* ---- files ---- */

void copies_store_path(const struct copies_store *s, char out[COPIES_PATH], const char *kind,
                       const char *owner, const char *address)
{
    (void)snprintf(out, COPIES_PATH, "%s/%s-%s%s%s", s->dir, kind, owner != NULL ? owner : "",
                   owner != NULL ? "-" : "", address);
}

void copies_unlink(const struct copies_store *s, const char *kind, const char *owner,
                   const char *address)
{
    char path[COPIES_PATH];

    copies_store_path(s, path, kind, owner, address);
    (void)unlink(path);
}

fm_status copies_store_room(const struct copies_store *s, int64_t size, struct base_err *err)
{
    struct statvfs disk;

    if (statvfs(s->dir, &disk) != 0)
        return base_err_errno(err, s->dir);
    if ((uint64_t)disk.f_bavail * disk.f_frsize < (uint64_t)size + ((uint64_t)MARGIN_MIB << 20))
        return base_file_full(s->dir, err);
    return FM_OK;
}

/* Is there a row that this file belongs to? */
static fm_status wanted(bool *out, struct copies_store *s, const char *name, struct base_err *err)
{
    const char *address = strrchr(name, '-'), *first = strchr(name, '-');
    char owner[COPIES_ALIAS] = "";
    sqlite3_stmt *q;
    fm_status st;

    *out = false;
    if (address == NULL || strlen(address + 1) != 64)
        return FM_OK;
    if (first != address && (size_t)(address - first) <= sizeof owner)
        memcpy(owner, first + 1, (size_t)(address - first) - 1);
    if (owner[0] != '\0')
        st = copies_sql(&q, s, err,
                        "SELECT 1 FROM held WHERE address = ?1 AND owner = ?2 AND whole = ?3",
                        "ssi", address + 1, owner, (int64_t)(strncmp(name, "kept-", 5) == 0));
    else
        st = copies_sql(&q, s, err,
                        strncmp(name, "out-", 4) == 0
                            ? "SELECT 1 FROM task WHERE address = ?1 AND role = 0 AND state = 0"
                            : "SELECT 1 FROM known WHERE address = ?1",
                        "s", address + 1);
    _Static_assert(COPIES_KEEPER == 0 && COPIES_WAITING == 0, "the numbers above");
    if (st == FM_OK)
        st = copies_step(out, s, &q, err);
    (void)sqlite3_finalize(q);
    return st;
}

static fm_status sweep(struct copies_store *s, struct base_err *err)
{
    char path[COPIES_PATH];
    fm_status st = FM_OK;
    struct dirent *e;
    DIR *d = opendir(s->dir);

    if (d == NULL)
        return base_err_errno(err, s->dir);
    while (st == FM_OK && (e = readdir(d)) != NULL) {
        bool keep = e->d_name[0] == '.' || strncmp(e->d_name, "copies.db", 9) == 0;
        if (!keep)
            st = wanted(&keep, s, e->d_name, err);
        (void)snprintf(path, sizeof path, "%s/%.300s", s->dir, e->d_name);
        if (st == FM_OK && !keep)
            (void)unlink(path);
    }
    (void)closedir(d);
    return st;
}

/* ---- life ---- */

fm_status copies_store_open(struct copies_store **out, const char *dir, struct base_err *err)
{
    struct copies_store *s = calloc(1, sizeof *s);
    char path[COPIES_PATH];
    fm_status st = FM_OK;

    *out = NULL;
    if (s == NULL)
        return base_err_memory(err, "copies");
    if (strlen(dir) + 16 > sizeof s->dir)
        st = base_err_set(err, FM_E_ARG, "%s: path too long", dir);
    (void)snprintf(s->dir, sizeof s->dir, "%.*s/copies", (int)sizeof s->dir - 16, dir);
    if (st == FM_OK && mkdir(s->dir, 0700) != 0 && errno != EEXIST)
        st = base_err_errno(err, s->dir);
    (void)snprintf(path, sizeof path, "%s/copies.db", s->dir);
    if (st == FM_OK && (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                                        NULL) != SQLITE_OK ||
                        sqlite3_exec(s->db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
                                     NULL, NULL, NULL) != SQLITE_OK ||
                        sqlite3_exec(s->db, schema, NULL, NULL, NULL) != SQLITE_OK))
        st = db_error(s, err);
    if (st == FM_OK)
        st = sweep(s, err);
    if (st != FM_OK) {
        copies_store_close(s);
        return st;
    }
    *out = s;
    return FM_OK;
}

void copies_store_close(struct copies_store *s)
{
    if (s == NULL)
        return;
    (void)sqlite3_close(s->db);
    free(s);
}

/* ---- what we keep ---- */

static fm_status read_held(struct copies_held *h, sqlite3_stmt *q, struct base_err *err)
{
    *h = (struct copies_held){.size = sqlite3_column_int64(q, 2),
                              .since_ms = sqlite3_column_int64(q, 3),
                              .until_ms = sqlite3_column_int64(q, 4),
                              .whole = sqlite3_column_int(q, 5) != 0};
    if (copies_column(h->owner, sizeof h->owner, q, 0, err) != FM_OK ||
        copies_column(h->address, sizeof h->address, q, 1, err) != FM_OK)
        return err->code;
    return copies_column_json(&h->readers, q, 6, err);
}

#define HELD "SELECT owner, address, size, since_ms, until_ms, whole, readers FROM held "

fm_status copies_held_get(struct copies_held *out, struct copies_store *s, const char *owner,
                          const char *address, struct base_err *err)
{
    sqlite3_stmt *q;
    bool row = false;
    fm_status st =
        copies_sql(&q, s, err, HELD "WHERE owner = ?1 AND address = ?2", "ss", owner, address);

    *out = (struct copies_held){0};
    if (st == FM_OK)
        st = copies_step(&row, s, &q, err);
    if (st == FM_OK)
        st = row ? read_held(out, q, err)
                 : base_err_set(err, FM_E_NOT_FOUND, "no copy %.16s of %s here", address, owner);
    (void)sqlite3_finalize(q);
    return st;
}

fm_status copies_held_put(struct copies_store *s, const struct copies_held *h, struct base_err *err)
{
    struct base_buf readers = {0};
    sqlite3_stmt *q = NULL;
    fm_status st = base_json_canonical(&readers, h->readers, err);

    if (st == FM_OK)
        st = copies_sql(&q, s, err, "INSERT OR REPLACE INTO held VALUES(?1,?2,?3,?4,?5,?6,?7)",
                        "ssiiiis", h->owner, h->address, h->size, h->since_ms, h->until_ms,
                        (int64_t)h->whole, base_buf_cstr(&readers));
    st = copies_run(s, st, q, err);
    base_buf_release(&readers);
    return st;
}

fm_status copies_held_remove(struct copies_store *s, const char *owner, const char *address,
                             struct base_err *err)
{
    sqlite3_stmt *q;
    fm_status st = copies_sql(&q, s, err, "DELETE FROM held WHERE owner = ?1 AND address = ?2",
                              "ss", owner, address);

    st = copies_run(s, st, q, err);
    if (st != FM_OK)
        return st;
    copies_unlink(s, "part", owner, address);
    copies_unlink(s, "kept", owner, address);
    st = copies_sql(&q, s, err, "DELETE FROM fetch WHERE owner = ?1 AND address = ?2", "ss", owner,
                    address);
    return copies_run(s, st, q, err);
}

fm_status copies_held_sum(int64_t *bytes, int64_t *count, struct copies_store *s, const char *owner,
                          const char *but, struct base_err *err)
{
    sqlite3_stmt *q;
    bool row = false;
    fm_status st = copies_sql(&q, s, err,
                              "SELECT coalesce(sum(size), 0), count(*) FROM held WHERE owner = ?1 "
                              "AND address <> ?2",
                              "ss", owner, but);

    if (st == FM_OK)
        st = copies_step(&row, s, &q, err);
    *bytes = row ? sqlite3_column_int64(q, 0) : 0;
    *count = row ? sqlite3_column_int64(q, 1) : 0;
    (void)sqlite3_finalize(q);
    return st;
}

fm_status copies_held_expire(int64_t *gone, struct copies_store *s, int64_t now_ms,
                             int64_t stale_ms, struct base_err *err)
{
    fm_status st = FM_OK;

    for (*gone = 0; st == FM_OK; (*gone)++) {
        struct copies_held h = {0};
        sqlite3_stmt *q;
        bool row = false;
        st = copies_sql(&q, s, err,
                        HELD "WHERE until_ms <= ?1 OR (whole = 0 AND since_ms < ?2) LIMIT 1", "ii",
                        now_ms, stale_ms);
        if (st == FM_OK)
            st = copies_step(&row, s, &q, err);
        if (st == FM_OK && row)
            st = read_held(&h, q, err);
        (void)sqlite3_finalize(q);
        json_decref(h.readers);
        if (st != FM_OK || !row)
            break;
        st = copies_held_remove(s, h.owner, h.address, err);
    }
    return st;
}

fm_status copies_held_list(json_t **out, struct copies_store *s, struct base_err *err)
{
    struct copies_held h;
    sqlite3_stmt *q;
    bool row = true;
    fm_status st = copies_sql(&q, s, err, HELD "ORDER BY since_ms, owner, address", "");

    *out = json_array();
    while (st == FM_OK && row) {
        st = copies_step(&row, s, &q, err);
        if (st != FM_OK || !row)
            break;
        st = read_held(&h, q, err);
        if (st == FM_OK)
            (void)json_array_append_new(
                *out, json_pack("{s:s,s:s,s:o,s:I,s:I,s:I,s:b}", "address", h.address, "owner",
                                h.owner, "readers", h.readers, "since", (json_int_t)h.since_ms,
                                "size", (json_int_t)h.size, "until", (json_int_t)h.until_ms,
                                "whole", (int)h.whole));
    }
    (void)sqlite3_finalize(q);
    return st;
}

fm_status copies_fetch_note(struct copies_store *s, const char *owner, const char *address,
                            const char *by, bool allowed, int64_t now_ms, struct base_err *err)
{
    sqlite3_stmt *q;
    fm_status st = copies_sql(&q, s, err,
                              "INSERT INTO fetch VALUES(?1,?2,?3,?4,1,?5,?5) ON CONFLICT DO UPDATE "
                              "SET times = times + 1, last_ms = ?5",
                              "sssii", owner, address, by, (int64_t)allowed, now_ms);

    return copies_run(s, st, q, err);
}

fm_status copies_fetch_list(json_t **out, struct copies_store *s, const char *owner,
                            const char *address, struct base_err *err)
{
    char by[COPIES_ALIAS];
    sqlite3_stmt *q;
    bool row = true;
    fm_status st = copies_sql(&q, s, err,
                              "SELECT who, allowed, times, first_ms, last_ms FROM fetch WHERE "
                              "owner = ?1 AND address = ?2 ORDER BY first_ms, who",
                              "ss", owner, address);

    *out = json_array();
    while (st == FM_OK && row) {
        st = copies_step(&row, s, &q, err);
        if (st != FM_OK || !row)
            break;
        st = copies_column(by, sizeof by, q, 0, err);
        if (st == FM_OK)
            (void)json_array_append_new(
                *out, json_pack("{s:b,s:s,s:I,s:I,s:I}", "allowed", sqlite3_column_int(q, 1), "by",
                                by, "first", (json_int_t)sqlite3_column_int64(q, 3), "last",
                                (json_int_t)sqlite3_column_int64(q, 4), "times",
                                (json_int_t)sqlite3_column_int64(q, 2)));
    }
    (void)sqlite3_finalize(q);
    return st;
}
