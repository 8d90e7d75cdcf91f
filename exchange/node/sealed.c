/* Boxes in sessions.db: what the node keeps about people, sealed (vault.h). */
#include <string.h>

#include "exchange/node/started_own.h"

static bool prepare(sqlite3_stmt **out, struct node_started *s, const char *sql)
{
    return sqlite3_prepare_v2(s->db, sql, -1, out, NULL) == SQLITE_OK;
}

static fm_status run(struct node_started *s, const char *sql, struct base_err *err)
{
    return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? FM_OK
               : node_started_error(s, "sessions.db", err);
}

/* ---- putting ---- */

static fm_status put_box(struct node_started *s, const char *kind, const char *name,
                         const void *bytes, size_t len, long long now_ms, struct base_err *err)
{
    struct base_buf box = {0};
    sqlite3_stmt *q = NULL;
    fm_status st = vault_seal(&s->vault, &box, kind, name, bytes, len, s->random, err);
    int step;

    if (st == FM_OK && !prepare(&q, s, "INSERT INTO sealed VALUES(?1, ?2, ?3, ?4)"))
        st = node_started_error(s, "sessions.db", err);
    if (st == FM_OK) {
        (void)sqlite3_bind_text(q, 1, kind, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(q, 2, name, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(q, 3, now_ms);
        (void)sqlite3_bind_blob64(q, 4, box.p, box.len, SQLITE_STATIC);
        step = sqlite3_step(q);
        if (step == SQLITE_CONSTRAINT)
            st = base_err_set(err, FM_E_CONFLICT, "sessions.db has a %s of %.16s already", kind,
                              name);
        else if (step != SQLITE_DONE)
            st = node_started_error(s, "sessions.db", err);
    }
    (void)sqlite3_finalize(q);
    base_buf_release(&box);
    return st;
}

static fm_status put_about(struct node_started *s, const char *kind, const char *name,
                           const char *text, struct base_err *err)
{
    uint8_t tag[VAULT_TAG];
    sqlite3_stmt *q = NULL;
    fm_status st = vault_tag(&s->vault, tag, text, err);

    if (st == FM_OK && !prepare(&q, s, "INSERT OR IGNORE INTO about VALUES(?1, ?2, ?3)"))
        st = node_started_error(s, "sessions.db", err);
    if (st == FM_OK) {
        (void)sqlite3_bind_blob(q, 1, tag, sizeof tag, SQLITE_STATIC);
        (void)sqlite3_bind_text(q, 2, kind, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(q, 3, name, -1, SQLITE_STATIC);
        if (sqlite3_step(q) != SQLITE_DONE)
            st = node_started_error(s, "sessions.db", err);
    }
    (void)sqlite3_finalize(q);
    return st;
}

fm_status node_sealed_put(struct node_started *started, const char *kind, const char *name,
                          const void *bytes, size_t len, const char *const *abouts, size_t n,
                          long long now_ms, struct base_err *err)
{
    fm_status st = run(started, "BEGIN IMMEDIATE", err);

    if (st != FM_OK)
        return st;
    st = put_box(started, kind, name, bytes, len, now_ms, err);
    for (size_t i = 0; st == FM_OK && i < n; i++)
        st = put_about(started, kind, name, abouts[i], err);
    if (st == FM_OK)
        st = run(started, "COMMIT", err);
    if (st != FM_OK) /* the error is told already; a failed COMMIT may have rolled back */
        (void)sqlite3_exec(started->db, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

/* ---- getting ---- */

fm_status node_sealed_get(struct base_buf *out, struct node_started *started, const char *kind,
                          const char *name, struct base_err *err)
{
    sqlite3_stmt *q = NULL;
    fm_status st = FM_OK;
    int step = SQLITE_ERROR;

    if (prepare(&q, started, "SELECT box FROM sealed WHERE kind = ?1 AND name = ?2")) {
        (void)sqlite3_bind_text(q, 1, kind, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(q, 2, name, -1, SQLITE_STATIC);
        step = sqlite3_step(q);
    }
    if (step == SQLITE_ROW)
        st = vault_open(&started->vault, out, kind, name, sqlite3_column_blob(q, 0),
                        (size_t)sqlite3_column_bytes(q, 0), err);
    else if (step == SQLITE_DONE)
        st = base_err_set(err, FM_E_NOT_FOUND, "sessions.db has no %s of %.16s", kind, name);
    else
        st = node_started_error(started, "sessions.db", err);
    (void)sqlite3_finalize(q);
    return st;
}

fm_status node_sealed_remove(struct node_started *started, const char *kind, const char *name,
                             struct base_err *err)
{
    static const char *const statements[] = {"DELETE FROM sealed WHERE kind = ?1 AND name = ?2",
                                             "DELETE FROM about WHERE kind = ?1 AND name = ?2"};
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < 2; i++) {
        sqlite3_stmt *q = NULL;
        bool ready = prepare(&q, started, statements[i]);
        (void)sqlite3_bind_text(q, 1, kind, -1, SQLITE_STATIC);
        (void)sqlite3_bind_text(q, 2, name, -1, SQLITE_STATIC);
        if (!ready || sqlite3_step(q) != SQLITE_DONE)
            st = node_started_error(started, "sessions.db", err);
        (void)sqlite3_finalize(q);
    }
    return st;
}

fm_status node_sealed_expire(struct node_started *started, const char *kind, long long before_ms,
                             struct base_err *err)
{
    sqlite3_stmt *q = NULL;
    fm_status st = FM_OK;
    bool ready = prepare(&q, started, "DELETE FROM sealed WHERE kind = ?1 AND at_ms < ?2");

    (void)sqlite3_bind_text(q, 1, kind, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(q, 2, before_ms);
    if (!ready || sqlite3_step(q) != SQLITE_DONE)
        st = node_started_error(started, "sessions.db", err);
    (void)sqlite3_finalize(q);
    return st;
}

fm_status node_sealed_list(struct node_started *started, const char *kind, const char *about,
                           fm_status (*fn)(void *ctx, const char *name, long long at_ms,
                                           struct base_err *err),
                           void *ctx, struct base_err *err)
{
    static const char all[] = "SELECT name, at_ms FROM sealed WHERE kind = ?1 ORDER BY at_ms, name";
    static const char some[] =
        "SELECT s.name, s.at_ms FROM about a JOIN sealed s ON s.kind = a.kind AND s.name = a.name "
        "WHERE a.tag = ?2 AND a.kind = ?1 ORDER BY s.at_ms, s.name";
    uint8_t tag[VAULT_TAG];
    sqlite3_stmt *q = NULL;
    fm_status st = about != NULL ? vault_tag(&started->vault, tag, about, err) : FM_OK;
    int step = SQLITE_DONE;

    if (st == FM_OK && !prepare(&q, started, about != NULL ? some : all))
        st = node_started_error(started, "sessions.db", err);
    if (st == FM_OK) {
        (void)sqlite3_bind_text(q, 1, kind, -1, SQLITE_STATIC);
        if (about != NULL)
            (void)sqlite3_bind_blob(q, 2, tag, sizeof tag, SQLITE_STATIC);
    }
    while (st == FM_OK && (step = sqlite3_step(q)) == SQLITE_ROW)
        st = fn(ctx, (const char *)sqlite3_column_text(q, 0), sqlite3_column_int64(q, 1), err);
    if (st == FM_OK && step != SQLITE_DONE)
        st = node_started_error(started, "sessions.db", err);
    (void)sqlite3_finalize(q);
    return st;
}

/* ---- format 0 ---- */

fm_status node_sealed_migrate(struct node_started *s, struct base_err *err)
{
    sqlite3_stmt *q = NULL;
    fm_status st = FM_OK;
    int step = SQLITE_DONE;
    bool there;

    if (!prepare(&q, s, "SELECT count(*) FROM sqlite_master WHERE name = 'opening'") ||
        sqlite3_step(q) != SQLITE_ROW)
        st = node_started_error(s, "sessions.db", err);
    there = st == FM_OK && sqlite3_column_int(q, 0) == 1;
    (void)sqlite3_finalize(q);
    q = NULL;
    if (!there)
        return st;
    if (!prepare(&q, s, "SELECT requester, opening, at_ms FROM opening"))
        st = node_started_error(s, "sessions.db", err);
    while (st == FM_OK && (step = sqlite3_step(q)) == SQLITE_ROW)
        st = put_box(s, "unnamed", (const char *)sqlite3_column_text(q, 0),
                     sqlite3_column_text(q, 1), (size_t)sqlite3_column_bytes(q, 1),
                     sqlite3_column_int64(q, 2), err);
    if (st == FM_OK && step != SQLITE_DONE)
        st = node_started_error(s, "sessions.db", err);
    (void)sqlite3_finalize(q);
    return st == FM_OK ? run(s, "DROP TABLE opening", err) : st;
}
