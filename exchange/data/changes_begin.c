#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/random.h"
#include "base/secret.h"
#include "exchange/data/changes_own.h"

static const char temp_sql[] =
    "DROP TABLE IF EXISTS digests; DROP TABLE IF EXISTS versions;" /* of before rows were kept */
    "CREATE TEMP TABLE new_rows (row INTEGER PRIMARY KEY, digest BLOB NOT NULL);"
    "CREATE TEMP TABLE old_rows (row INTEGER PRIMARY KEY, digest BLOB NOT NULL)";

/* Of versions that were kept after the published one, those with its number or a lower one never
 * became one: what they ended goes on, what they began is gone. One with a higher number may still
 * be decided (its transaction is on its way), or was, if this node's ledger is behind: then all
 * stay, and the new version stands beside them. */
static fm_status undo_refused(struct data_changes_writer *w, int64_t published,
                              struct base_err *err)
{
    static const char *const sql[] = {
        "DELETE FROM contents WHERE dataset = ?1 AND since > ?2",
        "UPDATE contents SET until = NULL WHERE dataset = ?1 AND until > ?2",
        "DELETE FROM published WHERE dataset = ?1 AND id > ?2",
    };
    const int64_t about[3] = {w->dataset, published};
    int64_t newest = 0;
    fm_status st = data_kept_run(
        &newest, &w->db,
        "SELECT coalesce(max(number), 0) FROM published WHERE dataset = ?1 AND id > ?2", about,
        err);
    bool decided = newest > 0 && newest < (int64_t)w->job.data_version;

    for (size_t i = 0; st == FM_OK && decided && i < sizeof sql / sizeof sql[0]; i++)
        st = data_kept_run(NULL, &w->db, sql[i], about, err);
    return st;
}

/* Nor did those before it with its number, be it with the same root (asked for again, unchanged):
 * what nothing but one of them has is gone. */
static fm_status undo_beside(struct data_changes_writer *w, int64_t published, struct base_err *err)
{
#define BESIDE                                                                                  \
    "FROM published AS p, published AS q WHERE q.id = ?2 AND p.dataset = ?1 AND p.id < ?2 AND " \
    "p.number = q.number"
    static const char *const sql[] = {
        "DELETE FROM contents WHERE dataset = ?1 AND since IN (SELECT p.id " BESIDE
        ") AND until <= (SELECT min(n.id) FROM published AS n WHERE n.dataset = ?1 AND n.id > "
        "contents.since)",
        "DELETE FROM published WHERE id IN (SELECT p.id " BESIDE
        ") AND id NOT IN (SELECT since FROM contents WHERE dataset = ?1)",
    };
    const int64_t about[3] = {w->dataset, published};
    int64_t beside = 0;
    fm_status st = data_kept_run(&beside, &w->db, "SELECT count(*) " BESIDE, about, err);
#undef BESIDE

    for (size_t i = 0; st == FM_OK && beside > 0 && i < sizeof sql / sizeof sql[0]; i++)
        st = data_kept_run(NULL, &w->db, sql[i], about, err);
    return st;
}

static fm_status find_before(struct data_changes_writer *w, struct base_err *err)
{
    static const uint8_t none32[32];
    const struct data_changes_job *job = &w->job;
    bool first = job->published32 == NULL || memcmp(job->published32, none32, 32) == 0;
    int64_t published = 0;
    fm_status st = data_kept_about(
        NULL, &w->db, "INSERT OR IGNORE INTO datasets (name) VALUES (?1)", job->table, NULL, err);

    if (st == FM_OK)
        st = data_kept_about(&w->dataset, &w->db, "SELECT id FROM datasets WHERE name = ?1",
                             job->table, NULL, err);
    if (st == FM_OK && !first)
        st = data_kept_about(&published, &w->db,
                             "SELECT id FROM published WHERE dataset = (SELECT id FROM datasets "
                             "WHERE name = ?1) AND root = ?2 ORDER BY id DESC LIMIT 1",
                             job->table, job->published32, err);
    /* If another home published, nothing is known of what came after, and all stays. */
    w->base = first || published != 0 ? published : INT64_MAX;
    if (st == FM_OK && w->base == published)
        st = undo_refused(w, published, err);
    if (st == FM_OK && published != 0)
        st = undo_beside(w, published, err);
    if (st == FM_OK && published != 0)
        st = data_kept_run(&w->before, &w->db,
                           "SELECT id FROM published WHERE id = ?1 AND forgotten = 0",
                           (const int64_t[3]){published}, err);
    return st;
}

/* The new version's line; its root is not known yet. */
static fm_status new_version(struct data_changes_writer *w, struct base_err *err)
{
    uint8_t seed[KEPT_SEED];
    sqlite3_stmt *stmt = NULL;
    json_t *schema = NULL;
    char *text = NULL;
    bool row;
    fm_status st = data_schema_to_json(&schema, w->job.schema, err);

    if (st == FM_OK && (text = json_dumps(schema, JSON_COMPACT)) == NULL)
        st = base_err_memory(err, w->job.path);
    if (st == FM_OK)
        st = base_random_fill(base_random_system(), seed, sizeof seed, err);
    if (st == FM_OK)
        st = data_db_prepare(&stmt, &w->db,
                             "INSERT INTO published (dataset, number, root, schema, seed) VALUES "
                             "(?1, ?2, zeroblob(32), ?3, ?4)",
                             err);
    if (st == FM_OK && (sqlite3_bind_int64(stmt, 1, w->dataset) != SQLITE_OK ||
                        sqlite3_bind_int64(stmt, 2, (int64_t)w->job.data_version) != SQLITE_OK ||
                        sqlite3_bind_text(stmt, 3, text, -1, SQLITE_STATIC) != SQLITE_OK ||
                        sqlite3_bind_blob(stmt, 4, seed, KEPT_SEED, SQLITE_STATIC) != SQLITE_OK))
        st = data_db_error(&w->db, err);
    if (st == FM_OK)
        st = data_db_step(&row, &w->db, stmt, err);
    (void)sqlite3_finalize(stmt);
    if (st == FM_OK) {
        w->now = sqlite3_last_insert_rowid(w->db.sqlite);
        w->base = w->base < w->now ? w->base : w->now - 1;
        data_kept_key(w->key, w->job.secret32, seed);
    }
    free(text);
    json_decref(schema);
    return st;
}

static fm_status prepare(struct data_changes_writer *w, struct base_err *err)
{
    static const char *const lists[] = {"INSERT INTO temp.old_rows VALUES (?1, ?2)",
                                        "INSERT INTO temp.new_rows VALUES (?1, ?2)"};
    fm_status st = data_db_prepare(&w->insert, &w->db,
                                   "INSERT INTO contents (row, digest, sealed, dataset, since) "
                                   "VALUES (?1, ?2, ?3, ?4, ?5)",
                                   err);

    for (size_t i = 0; st == FM_OK && i < 2; i++)
        st = data_db_prepare(&w->list[i], &w->db, lists[i], err);
    /* Whether a SELECT meets what is inserted while it runs is not said: it leaves it out. */
    if (st == FM_OK)
        st = data_db_prepare(
            &w->open, &w->db,
            "SELECT row, digest, until FROM contents WHERE dataset = ?1 AND since <= "
            "?2 AND (until IS NULL OR until > ?2) ORDER BY row",
            err);
    if (st == FM_OK && (sqlite3_bind_int64(w->insert, 4, w->dataset) != SQLITE_OK ||
                        sqlite3_bind_int64(w->insert, 5, w->now) != SQLITE_OK ||
                        sqlite3_bind_int64(w->open, 1, w->dataset) != SQLITE_OK ||
                        sqlite3_bind_int64(w->open, 2, w->base) != SQLITE_OK))
        st = data_db_error(&w->db, err);
    return st == FM_OK ? data_changes_step_open(w, err) : st;
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
    (void)sqlite3_busy_timeout(w->db.sqlite, KEPT_WAIT_MS);
    st = data_db_exec(&w->db, "PRAGMA secure_delete = ON; BEGIN IMMEDIATE", err);
    if (st == FM_OK)
        st = data_db_exec(&w->db, data_kept_sql, err);
    if (st == FM_OK)
        st = data_db_exec(&w->db, temp_sql, err);
    if (st == FM_OK)
        st = find_before(w, err);
    if (st == FM_OK)
        st = new_version(w, err);
    if (st == FM_OK)
        st = prepare(w, err);
    if (st != FM_OK) {
        data_changes_free(w);
        return st;
    }
    *out = w;
    return FM_OK;
}
