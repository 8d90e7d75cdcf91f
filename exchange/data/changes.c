#include "exchange/data/changes.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/secret.h"
#include "exchange/data/db.h"
#include "exchange/data/root.h"

enum { DIGEST = 16 };

struct data_changes_writer {
    struct data_db db;
    struct data_changes_job job;
    sqlite3_stmt *insert;  /* of a digest */
    struct base_buf bytes; /* of a row */
    int64_t before, now;   /* versions; before 0: none */
};

static const char schema_sql[] =
    "CREATE TABLE IF NOT EXISTS versions (id INTEGER PRIMARY KEY, dataset TEXT NOT NULL COLLATE "
    "NOCASE, root BLOB NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS digests (version INTEGER NOT NULL, row INTEGER NOT NULL, digest "
    "BLOB NOT NULL, PRIMARY KEY (version, row)) STRICT, WITHOUT ROWID;"
    "CREATE TEMP TABLE new_rows (row INTEGER PRIMARY KEY, digest BLOB NOT NULL);"
    "CREATE TEMP TABLE old_rows (row INTEGER PRIMARY KEY, digest BLOB NOT NULL)";

/* Rows of ?1 that are not, alike, under the same rowid in ?2. */
#define DIFFERENT(into)                                                                          \
    "INSERT INTO temp." into " SELECT row, digest FROM digests AS a WHERE version = ?1 AND NOT " \
    "EXISTS (SELECT 1 FROM digests AS b WHERE b.version = ?2 AND b.row = a.row AND b.digest = "  \
    "a.digest)"

/* ---- statements ---- */

/* One statement with up to two numbers; *out (may be NULL) is the first column of its one row. */
static fm_status run(int64_t *out, const struct data_db *db, const char *sql, int64_t one,
                     int64_t two, struct base_err *err)
{
    sqlite3_stmt *stmt = NULL;
    bool row = false;
    fm_status st = data_db_prepare(&stmt, db, sql, err);

    if (st == FM_OK && sqlite3_bind_parameter_count(stmt) > 0 &&
        sqlite3_bind_int64(stmt, 1, one) != SQLITE_OK)
        st = data_db_error(db, err);
    if (st == FM_OK && sqlite3_bind_parameter_count(stmt) > 1 &&
        sqlite3_bind_int64(stmt, 2, two) != SQLITE_OK)
        st = data_db_error(db, err);
    if (st == FM_OK)
        st = data_db_step(&row, db, stmt, err);
    if (out != NULL)
        *out = st == FM_OK && row ? sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_finalize(stmt);
    return st;
}

/* The same about a dataset and a root. */
static fm_status about(int64_t *out, const struct data_db *db, const char *sql, const char *dataset,
                       const uint8_t root32[32], struct base_err *err)
{
    sqlite3_stmt *stmt = NULL;
    bool row = false;
    fm_status st = data_db_prepare(&stmt, db, sql, err);

    *out = 0;
    if (st == FM_OK && (sqlite3_bind_text(stmt, 1, dataset, -1, SQLITE_STATIC) != SQLITE_OK ||
                        sqlite3_bind_blob(stmt, 2, root32, 32, SQLITE_STATIC) != SQLITE_OK))
        st = data_db_error(db, err);
    if (st == FM_OK)
        st = data_db_step(&row, db, stmt, err);
    if (st == FM_OK && row)
        *out = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return st;
}

/* ---- digests ---- */

/* H("firmiana/row-digest/1" || secret || b_i): the secret in front is a key, because nobody sees a
 * digest whose message he could lengthen, and only half of it is kept. */
static fm_status digest_row(uint8_t out32[32], struct base_buf *bytes, const uint8_t secret32[32],
                            const struct data_cell *row, size_t columns, struct base_err *err)
{
    fm_status st;

    base_buf_clear(bytes);
    base_buf_put_str(bytes, "firmiana/row-digest/1");
    base_buf_put(bytes, secret32, 32);
    data_row_encode(bytes, row, columns);
    st = base_buf_status(bytes, "row digests", err);
    if (st == FM_OK)
        base_hash(out32, bytes->p, bytes->len);
    return st;
}

fm_status data_changes_row(struct data_changes_writer *w, int64_t rowid,
                           const struct data_cell *row, size_t columns, struct base_err *err)
{
    uint8_t digest[32];
    bool more;
    fm_status st = digest_row(digest, &w->bytes, w->job.secret32, row, columns, err);

    if (st == FM_OK &&
        (sqlite3_bind_int64(w->insert, 2, rowid) != SQLITE_OK ||
         sqlite3_bind_blob(w->insert, 3, digest, DIGEST, SQLITE_STATIC) != SQLITE_OK))
        st = data_db_error(&w->db, err);
    if (st == FM_OK)
        st = data_db_step(&more, &w->db, w->insert, err);
    (void)sqlite3_reset(w->insert);
    return st;
}

/* ---- comparing ---- */

static fm_status compare(struct data_changes *out, const struct data_db *db, int64_t before,
                         int64_t now, struct base_err *err)
{
    static const char moved_sql[] =
        "SELECT coalesce(SUM(min(a.n, b.n)), 0) FROM (SELECT digest, COUNT(*) AS n FROM "
        "temp.new_rows GROUP BY digest) AS a JOIN (SELECT digest, COUNT(*) AS n FROM temp.old_rows "
        "GROUP BY digest) AS b ON a.digest = b.digest";
    static const char changed_sql[] =
        "SELECT COUNT(*) FROM temp.new_rows AS a JOIN temp.old_rows AS b ON a.row = b.row WHERE "
        "a.digest NOT IN (SELECT digest FROM temp.old_rows) AND b.digest NOT IN (SELECT digest "
        "FROM temp.new_rows)";
    int64_t rows = 0, added = 0, removed = 0, moved = 0, changed = 0;
    fm_status st = run(NULL, db, DIFFERENT("new_rows"), now, before, err);

    if (st == FM_OK)
        st = run(NULL, db, DIFFERENT("old_rows"), before, now, err);
    if (st == FM_OK)
        st = run(&rows, db, "SELECT COUNT(*) FROM digests WHERE version = ?1", now, 0, err);
    if (st == FM_OK)
        st = run(&added, db, "SELECT COUNT(*) FROM temp.new_rows", 0, 0, err);
    if (st == FM_OK)
        st = run(&removed, db, "SELECT COUNT(*) FROM temp.old_rows", 0, 0, err);
    if (st == FM_OK)
        st = run(&moved, db, moved_sql, 0, 0, err);
    if (st == FM_OK)
        st = run(&changed, db, changed_sql, 0, 0, err);
    if (st != FM_OK)
        return st;
    *out = (struct data_changes){.known = true,
                                 .same = (uint64_t)(rows - added + moved),
                                 .changed = (uint64_t)changed,
                                 .added = (uint64_t)(added - moved - changed),
                                 .removed = (uint64_t)(removed - moved - changed)};
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
        uint8_t line[1 + 8 + DIGEST] = {mark};

        st = data_db_step(&row, db, stmt, err);
        if (st != FM_OK || !row)
            break;
        base_store_u64(line + 1, (uint64_t)sqlite3_column_int64(stmt, 0));
        if (sqlite3_column_bytes(stmt, 1) != DIGEST) {
            st = base_err_set(err, FM_E_CORRUPT, "a row's digest is not %d bytes long", DIGEST);
            break;
        }
        memcpy(line + 9, sqlite3_column_blob(stmt, 1), DIGEST);
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

/* ---- from the first row to the last ---- */

/* Everything but the published version of this dataset goes; the new one comes, whose root is not
 * known yet. */
static fm_status new_version(struct data_changes_writer *w, struct base_err *err)
{
    static const uint8_t none32[32];
    const struct data_changes_job *job = &w->job;
    const uint8_t *published = job->published32 != NULL ? job->published32 : none32;
    int64_t ignored;
    fm_status st =
        about(&w->before, &w->db, "SELECT id FROM versions WHERE dataset = ?1 AND root = ?2",
              job->table, published, err);

    if (st == FM_OK)
        st = about(&ignored, &w->db,
                   "DELETE FROM digests WHERE version IN (SELECT id FROM versions WHERE dataset = "
                   "?1 AND root <> ?2)",
                   job->table, published, err);
    if (st == FM_OK)
        st = about(&ignored, &w->db, "DELETE FROM versions WHERE dataset = ?1 AND root <> ?2",
                   job->table, published, err);
    if (st == FM_OK)
        st = about(&ignored, &w->db, "INSERT INTO versions (dataset, root) VALUES (?1, ?2)",
                   job->table, none32, err);
    if (st == FM_OK) {
        w->now = sqlite3_last_insert_rowid(w->db.sqlite);
        st = data_db_prepare(&w->insert, &w->db, "INSERT INTO digests VALUES (?1, ?2, ?3)", err);
    }
    if (st == FM_OK && sqlite3_bind_int64(w->insert, 1, w->now) != SQLITE_OK)
        st = data_db_error(&w->db, err);
    return st;
}

fm_status data_changes_begin(struct data_changes_writer **out, const struct data_changes_job *job,
                             struct base_err *err)
{
    struct data_changes_writer *w = calloc(1, sizeof *w);
    fm_status st;

    *out = NULL;
    if (w == NULL)
        return base_err_memory(err, job->path);
    w->job = *job;
    st = data_db_open(&w->db, job->path, DATA_DB_WRITE, err);
    if (st != FM_OK) {
        free(w);
        return st;
    }
    st = data_db_exec(&w->db, "BEGIN IMMEDIATE", err);
    if (st == FM_OK)
        st = data_db_exec(&w->db, schema_sql, err);
    if (st == FM_OK)
        st = new_version(w, err);
    if (st != FM_OK) {
        data_changes_free(w);
        return st;
    }
    *out = w;
    return FM_OK;
}

static fm_status name_version(struct data_changes_writer *w, const uint8_t root32[32],
                              struct base_err *err)
{
    int64_t ignored;

    return about(&ignored, &w->db,
                 "UPDATE versions SET root = ?2 WHERE dataset = ?1 AND root = zeroblob(32)",
                 w->job.table, root32, err);
}

fm_status data_changes_end(struct data_changes *out, struct data_changes_writer *w,
                           const uint8_t root32[32], struct base_err *err)
{
    fm_status st = name_version(w, root32, err);

    *out = (struct data_changes){.known = false};
    if (st == FM_OK && w->before != 0)
        st = compare(out, &w->db, w->before, w->now, err);
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
    if (sqlite3_get_autocommit(w->db.sqlite) == 0)
        (void)sqlite3_exec(w->db.sqlite, "ROLLBACK", NULL, NULL, NULL);
    data_db_close(&w->db);
    base_buf_release_secret(&w->bytes);
    free(w);
}
