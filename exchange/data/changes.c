#include "exchange/data/changes_own.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/secret.h"
#include "exchange/data/root.h"

/* ---- rows ---- */

/* H("firmiana/row-digest/1" || secret || b_i): the secret in front is a key, because nobody sees a
 * digest whose message he could lengthen, and only half of it is kept. */
static const char digest_label[] = "firmiana/row-digest/1";
enum { DIGEST_HEAD = sizeof digest_label - 1 + 32 };

static fm_status digest_row(struct data_changes_writer *w, uint8_t out32[32],
                            const struct data_cell *row, size_t columns, struct base_err *err)
{
    fm_status st;

    base_buf_clear(&w->row);
    base_buf_put(&w->row, digest_label, sizeof digest_label - 1);
    base_buf_put(&w->row, w->job.secret32, 32);
    data_row_encode(&w->row, row, columns);
    st = base_buf_status(&w->row, "row digests", err);
    if (st == FM_OK)
        base_hash(out32, w->row.p, w->row.len);
    return st;
}

static fm_status put(struct data_changes_writer *w, sqlite3_stmt *stmt, int64_t rowid,
                     const void *digest, struct base_err *err)
{
    bool more;
    fm_status st = FM_OK;

    if (sqlite3_bind_int64(stmt, 1, rowid) != SQLITE_OK ||
        sqlite3_bind_blob(stmt, 2, digest, KEPT_DIGEST, SQLITE_STATIC) != SQLITE_OK)
        st = data_db_error(&w->db, err);
    if (st == FM_OK)
        st = data_db_step(&more, &w->db, stmt, err);
    (void)sqlite3_reset(stmt);
    return st;
}

/* The next content of before; none is left once w->open is NULL. */
fm_status data_changes_step_open(struct data_changes_writer *w, struct base_err *err)
{
    bool more;
    fm_status st = data_db_step(&more, &w->db, w->open, err);

    if (st == FM_OK && !more) {
        (void)sqlite3_finalize(w->open);
        w->open = NULL;
    } else if (st == FM_OK && sqlite3_column_bytes(w->open, 1) != KEPT_DIGEST) {
        st = base_err_set(err, FM_E_CORRUPT, "%s: a row's digest is not %d bytes long", w->db.path,
                          KEPT_DIGEST);
    }
    return st;
}

enum sameness {
    OTHER,
    SAME,
    SAME_ENDED /* by a version that stands beside this one: it begins here once more */
};

/* Those of base up to a rowid are over, but for one with that rowid and digest. */
static fm_status end_until(struct data_changes_writer *w, enum sameness *same, int64_t rowid,
                           const uint8_t *digest, struct base_err *err)
{
    fm_status st = FM_OK;

    *same = OTHER;
    while (st == FM_OK && w->open != NULL && sqlite3_column_int64(w->open, 0) <= rowid) {
        int64_t at = sqlite3_column_int64(w->open, 0);
        const void *then = sqlite3_column_blob(w->open, 1);
        if (digest != NULL && at == rowid && memcmp(then, digest, KEPT_DIGEST) == 0)
            *same = sqlite3_column_type(w->open, 2) == SQLITE_NULL ? SAME : SAME_ENDED;
        else
            st = put(w, w->list[ENDED], at, then, err);
        if (st == FM_OK)
            st = data_changes_step_open(w, err);
    }
    return st;
}

static fm_status keep(struct data_changes_writer *w, int64_t rowid, const uint8_t *digest,
                      enum sameness same, struct base_err *err)
{
    fm_status st = data_kept_seal(&w->sealed, w->key, rowid, digest, w->row.p + DIGEST_HEAD,
                                  w->row.len - DIGEST_HEAD, err);

    if (st == FM_OK &&
        sqlite3_bind_blob64(w->insert, 3, w->sealed.p, w->sealed.len, SQLITE_STATIC) != SQLITE_OK)
        st = data_db_error(&w->db, err);
    if (st == FM_OK)
        st = put(w, w->insert, rowid, digest, err);
    /* Without anything to compare with nobody asks what began. */
    return st == FM_OK && w->before != 0 && same == OTHER
               ? put(w, w->list[BEGAN], rowid, digest, err)
               : st;
}

fm_status data_changes_row(struct data_changes_writer *w, int64_t rowid,
                           const struct data_cell *row, size_t columns, struct base_err *err)
{
    uint8_t digest[32];
    enum sameness same;
    fm_status st = digest_row(w, digest, row, columns, err);

    if (st == FM_OK)
        st = end_until(w, &same, rowid, digest, err);
    if (st == FM_OK && same != SAME)
        st = keep(w, rowid, digest, same, err);
    w->rows++;
    return st;
}

/* ---- comparing ---- */

static fm_status compare(struct data_changes *out, const struct data_changes_writer *w,
                         struct base_err *err)
{
    static const char moved_sql[] =
        "SELECT coalesce(SUM(min(a.n, b.n)), 0) FROM (SELECT digest, COUNT(*) AS n FROM "
        "temp.new_rows GROUP BY digest) AS a JOIN (SELECT digest, COUNT(*) AS n FROM temp.old_rows "
        "GROUP BY digest) AS b ON a.digest = b.digest";
    static const char changed_sql[] =
        "SELECT COUNT(*) FROM temp.new_rows AS a JOIN temp.old_rows AS b ON a.row = b.row WHERE "
        "a.digest NOT IN (SELECT digest FROM temp.old_rows) AND b.digest NOT IN (SELECT digest "
        "FROM temp.new_rows)";
    static const int64_t none[3] = {0};
    int64_t began = 0, ended = 0, moved = 0, changed = 0;
    fm_status st = data_kept_run(&began, &w->db, "SELECT COUNT(*) FROM temp.new_rows", none, err);

    if (st == FM_OK)
        st = data_kept_run(&ended, &w->db, "SELECT COUNT(*) FROM temp.old_rows", none, err);
    if (st == FM_OK)
        st = data_kept_run(&moved, &w->db, moved_sql, none, err);
    if (st == FM_OK)
        st = data_kept_run(&changed, &w->db, changed_sql, none, err);
    if (st != FM_OK)
        return st;
    *out = (struct data_changes){.known = true,
                                 .same = w->rows - (uint64_t)(began - moved),
                                 .changed = (uint64_t)changed,
                                 .added = (uint64_t)(began - moved - changed),
                                 .removed = (uint64_t)(ended - moved - changed)};
    return FM_OK;
}

/* The rows of one of the two lists into the hash. */
static fm_status hash_rows(struct base_hash *h, const struct data_db *db, const char *sql,
                           uint8_t mark, struct base_err *err)
{
    sqlite3_stmt *stmt = NULL;
    bool row = true;
    fm_status st = data_db_prepare(&stmt, db, sql, err);

    while (st == FM_OK && row) {
        uint8_t line[1 + 8 + KEPT_DIGEST] = {mark};

        st = data_db_step(&row, db, stmt, err);
        if (st != FM_OK || !row)
            break;
        base_store_u64(line + 1, (uint64_t)sqlite3_column_int64(stmt, 0));
        memcpy(line + 9, sqlite3_column_blob(stmt, 1), KEPT_DIGEST); /* as put() wrote it */
        base_hash_update(h, line, sizeof line);
    }
    (void)sqlite3_finalize(stmt);
    return st;
}

static fm_status hash_changes(struct data_changes *out, const struct data_changes_writer *w,
                              const uint8_t root32[32], struct base_err *err)
{
    static const char domain[] = "firmiana/changes/1";
    struct base_hash h;
    fm_status st;

    base_hash_init(&h);
    base_hash_update(&h, domain, sizeof domain - 1);
    base_hash_update(&h, w->job.published32, 32);
    base_hash_update(&h, root32, 32);
    st = hash_rows(&h, &w->db, "SELECT row, digest FROM temp.old_rows ORDER BY row", 0, err);
    if (st == FM_OK)
        st = hash_rows(&h, &w->db, "SELECT row, digest FROM temp.new_rows ORDER BY row", 1, err);
    base_hash_final(&h, out->digest32);
    return st;
}

/* ---- the end ---- */

/* What ended did so with this version, and so did all that only versions beside it have; and the
 * version has its root. */
static fm_status finish(struct data_changes_writer *w, const uint8_t root32[32],
                        struct base_err *err)
{
    const int64_t about[3] = {w->dataset, w->now, w->base};
    fm_status st =
        data_kept_run(NULL, &w->db,
                      "UPDATE contents SET until = ?2 WHERE dataset = ?1 AND since < ?2 AND until "
                      "IS NULL AND (since > ?3 OR row IN (SELECT row FROM temp.old_rows))",
                      about, err);

    if (st == FM_OK)
        st = data_kept_about(
            NULL, &w->db,
            "UPDATE published SET root = ?2 WHERE root = zeroblob(32) AND dataset = "
            "(SELECT id FROM datasets WHERE name = ?1)",
            w->job.table, root32, err);
    return st;
}

fm_status data_changes_end(struct data_changes *out, struct data_changes_writer *w,
                           const uint8_t root32[32], struct base_err *err)
{
    enum sameness same;
    fm_status st = end_until(w, &same, INT64_MAX, NULL, err);

    *out = (struct data_changes){.known = false};
    if (st == FM_OK)
        st = finish(w, root32, err);
    if (st == FM_OK && w->before != 0)
        st = compare(out, w, err);
    if (st == FM_OK && w->before != 0)
        st = hash_changes(out, w, root32, err);
    if (st == FM_OK)
        st = data_db_exec(&w->db, "COMMIT", err);
    if (st != FM_OK)
        *out = (struct data_changes){.known = false};
    return st;
}

void data_changes_free(struct data_changes_writer *w)
{
    if (w == NULL)
        return;
    (void)sqlite3_finalize(w->insert);
    (void)sqlite3_finalize(w->list[ENDED]);
    (void)sqlite3_finalize(w->list[BEGAN]);
    (void)sqlite3_finalize(w->open);
    if (sqlite3_get_autocommit(w->db.sqlite) == 0)
        (void)sqlite3_exec(w->db.sqlite, "ROLLBACK", NULL, NULL, NULL);
    data_db_close(&w->db);
    base_buf_release_secret(&w->row);
    base_buf_release(&w->sealed);
    base_wipe(w->key, sizeof w->key);
    free(w);
}
