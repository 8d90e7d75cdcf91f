#include "exchange/data/kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/aead.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/secret.h"
#include "exchange/data/kept_own.h"
#include "exchange/data/row_bytes.h"

const char data_kept_sql[] =
    "CREATE TABLE IF NOT EXISTS datasets (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE "
    "COLLATE "
    "NOCASE) STRICT;"
    "CREATE TABLE IF NOT EXISTS published (id INTEGER PRIMARY KEY AUTOINCREMENT, dataset INTEGER "
    "NOT NULL, number INTEGER NOT NULL, root BLOB NOT NULL, schema TEXT NOT NULL, seed BLOB, "
    "forgotten INTEGER NOT NULL DEFAULT 0) STRICT;"
    "CREATE TABLE IF NOT EXISTS contents (dataset INTEGER NOT NULL, row INTEGER NOT NULL, since "
    "INTEGER NOT NULL, until INTEGER, digest BLOB NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY "
    "(dataset, row, since)) STRICT, WITHOUT ROWID;";

/* ---- statements ---- */

static fm_status run_one(int64_t *out, const struct data_db *db, sqlite3_stmt *stmt,
                         struct base_err *err)
{
    bool row = false;
    fm_status st = data_db_step(&row, db, stmt, err);

    if (out != NULL)
        *out = st == FM_OK && row ? sqlite3_column_int64(stmt, 0) : 0;
    (void)sqlite3_finalize(stmt);
    return st;
}

fm_status data_kept_run(int64_t *out, const struct data_db *db, const char *sql,
                        const int64_t numbers[3], struct base_err *err)
{
    sqlite3_stmt *stmt = NULL;
    fm_status st = data_db_prepare(&stmt, db, sql, err);

    for (int i = 0; st == FM_OK && i < sqlite3_bind_parameter_count(stmt); i++)
        if (sqlite3_bind_int64(stmt, i + 1, numbers[i]) != SQLITE_OK)
            st = data_db_error(db, err);
    if (st == FM_OK)
        return run_one(out, db, stmt, err);
    (void)sqlite3_finalize(stmt);
    return st;
}

fm_status data_kept_about(int64_t *out, const struct data_db *db, const char *sql, const char *text,
                          const uint8_t *root32, struct base_err *err)
{
    sqlite3_stmt *stmt = NULL;
    fm_status st = data_db_prepare(&stmt, db, sql, err);

    if (st == FM_OK && (sqlite3_bind_text(stmt, 1, text, -1, SQLITE_STATIC) != SQLITE_OK ||
                        (sqlite3_bind_parameter_count(stmt) > 1 &&
                         sqlite3_bind_blob(stmt, 2, root32, 32, SQLITE_STATIC) != SQLITE_OK)))
        st = data_db_error(db, err);
    if (st == FM_OK)
        return run_one(out, db, stmt, err);
    (void)sqlite3_finalize(stmt);
    return st;
}

/* ---- sealing ---- */

void data_kept_key(uint8_t key32[32], const uint8_t secret32[32], const uint8_t seed[KEPT_SEED])
{
    static const char label[] = "firmiana/kept-rows/1";
    uint8_t message[sizeof label - 1 + 32 + KEPT_SEED];

    memcpy(message, label, sizeof label - 1);
    memcpy(message + sizeof label - 1, secret32, 32);
    memcpy(message + sizeof label - 1 + 32, seed, KEPT_SEED);
    base_hash(key32, message, sizeof message);
    base_wipe(message, sizeof message);
}

/* A rowid has one content a version, and each version a key: no nonce comes twice. */
static void nonce_of(uint8_t nonce12[BASE_AEAD_NONCE], int64_t rowid)
{
    memset(nonce12, 0, BASE_AEAD_NONCE);
    base_store_u64(nonce12 + 4, (uint64_t)rowid);
}

fm_status data_kept_seal(struct base_buf *out, const uint8_t key32[32], int64_t rowid,
                         const uint8_t digest[KEPT_DIGEST], const uint8_t *row, size_t len,
                         struct base_err *err)
{
    const struct base_aead_with with = {digest, KEPT_DIGEST};
    uint8_t nonce[BASE_AEAD_NONCE], *sealed;

    base_buf_clear(out);
    sealed = base_buf_extend(out, len + BASE_AEAD_TAG);
    if (sealed == NULL)
        return base_err_memory(err, "kept row");
    nonce_of(nonce, rowid);
    return base_aead_seal(base_aead_usual(), sealed, key32, nonce, with, row, len, err);
}

/* ---- one version ---- */

struct seed {
    int64_t since;
    uint8_t key[32];
};

struct data_kept {
    struct data_db db;
    int64_t dataset, version;
    struct data_schema schema;
    struct seed *seeds; /* ascending */
    size_t seed_count;
    sqlite3_stmt *rows;
    struct base_buf bytes; /* of the row that was given last */
    struct data_cell *cells;
};

/* The version's row in `published`: id and schema. */
static fm_status find_version(struct data_kept *k, const char *table, const uint8_t root32[32],
                              struct base_err *err)
{
    static const char sql[] =
        "SELECT p.id, p.dataset, p.number, p.forgotten, p.schema FROM published AS p JOIN datasets "
        "AS d ON p.dataset = d.id WHERE d.name = ?1 AND p.root = ?2 ORDER BY p.id DESC LIMIT 1";
    sqlite3_stmt *stmt = NULL;
    json_t *schema = NULL;
    bool row = false;
    fm_status st = data_db_prepare(&stmt, &k->db, sql, err);

    if (st == FM_OK && (sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC) != SQLITE_OK ||
                        sqlite3_bind_blob(stmt, 2, root32, 32, SQLITE_STATIC) != SQLITE_OK))
        st = data_db_error(&k->db, err);
    if (st == FM_OK)
        st = data_db_step(&row, &k->db, stmt, err);
    if (st == FM_OK && !row)
        st = base_err_set(err, FM_E_NOT_FOUND, "%s keeps no rows of that version", k->db.path);
    if (st == FM_OK && sqlite3_column_int64(stmt, 3) != 0)
        st = base_err_set(err, FM_E_NOT_FOUND,
                          "version %lld was forgotten here, and its rows with it",
                          (long long)sqlite3_column_int64(stmt, 2));
    if (st == FM_OK) {
        k->version = sqlite3_column_int64(stmt, 0);
        k->dataset = sqlite3_column_int64(stmt, 1);
        st = base_json_parse(&schema, (const char *)sqlite3_column_text(stmt, 4),
                             (size_t)sqlite3_column_bytes(stmt, 4), err);
        if (st == FM_OK)
            st = data_schema_from_json(&k->schema, schema, err);
        json_decref(schema);
        if (st == FM_E_INPUT)
            st = err->code = FM_E_CORRUPT;
    }
    (void)sqlite3_finalize(stmt);
    return st;
}

/* The keys of all versions whose contents this one may have. */
static fm_status load_seeds(struct data_kept *k, const uint8_t *secret32, struct base_err *err)
{
    const int64_t about[3] = {k->dataset, k->version};
    sqlite3_stmt *stmt = NULL;
    int64_t n = 0;
    bool row = true;
    fm_status st = data_kept_run(
        &n, &k->db,
        "SELECT count(*) FROM published WHERE dataset = ?1 AND id <= ?2 AND seed IS NOT NULL",
        about, err);

    if (st == FM_OK)
        st = data_db_prepare(&stmt, &k->db,
                             "SELECT id, seed FROM published WHERE dataset = ?1 AND id <= ?2 AND "
                             "seed IS NOT NULL ORDER BY id",
                             err);
    if (st == FM_OK && (k->seeds = calloc((size_t)n + 1, sizeof *k->seeds)) == NULL)
        st = base_err_memory(err, "kept rows");
    if (st == FM_OK && (sqlite3_bind_int64(stmt, 1, k->dataset) != SQLITE_OK ||
                        sqlite3_bind_int64(stmt, 2, k->version) != SQLITE_OK))
        st = data_db_error(&k->db, err);
    while (st == FM_OK && row && k->seed_count <= (size_t)n) {
        struct seed *s = &k->seeds[k->seed_count];
        st = data_db_step(&row, &k->db, stmt, err);
        if (st != FM_OK || !row || k->seed_count == (size_t)n)
            break;
        s->since = sqlite3_column_int64(stmt, 0);
        if (sqlite3_column_bytes(stmt, 1) != KEPT_SEED)
            st = base_err_set(err, FM_E_CORRUPT, "%s: a seed is not %d bytes long", k->db.path,
                              KEPT_SEED);
        else
            data_kept_key(s->key, secret32, sqlite3_column_blob(stmt, 1));
        k->seed_count++;
    }
    (void)sqlite3_finalize(stmt);
    return st;
}

static fm_status open_rows(struct data_kept *k, struct base_err *err)
{
    fm_status st = data_db_prepare(
        &k->rows, &k->db,
        "SELECT row, since, digest, sealed FROM contents WHERE dataset = ?1 AND since <= ?2 AND "
        "(until IS NULL OR until > ?2) ORDER BY row",
        err);

    if (st == FM_OK && (sqlite3_bind_int64(k->rows, 1, k->dataset) != SQLITE_OK ||
                        sqlite3_bind_int64(k->rows, 2, k->version) != SQLITE_OK))
        st = data_db_error(&k->db, err);
    if (st == FM_OK && (k->cells = calloc(k->schema.column_count, sizeof *k->cells)) == NULL)
        st = base_err_memory(err, "kept rows");
    return st;
}

fm_status data_kept_open(struct data_kept **out, const char *path, const uint8_t *secret32,
                         const char *table, const uint8_t root32[32], struct base_err *err)
{
    struct data_kept *k = calloc(1, sizeof *k);
    int64_t tables = 0;
    fm_status st;

    *out = NULL;
    if (k == NULL)
        return base_err_memory(err, path);
    if (access(path, F_OK) != 0) {
        free(k);
        return base_err_set(err, FM_E_NOT_FOUND, "no rows of published versions are kept here");
    }
    st = data_db_open(&k->db, path, DATA_DB_READ, err);
    if (st == FM_OK)
        (void)sqlite3_busy_timeout(k->db.sqlite, KEPT_WAIT_MS);
    if (st == FM_OK) /* from here to the end one state of the file */
        st = data_db_exec(&k->db, "BEGIN", err);
    if (st == FM_OK)
        st = data_kept_about(&tables, &k->db, "SELECT count(*) FROM sqlite_schema WHERE name = ?1",
                             "contents", NULL, err);
    if (st == FM_OK && tables == 0)
        st = base_err_set(err, FM_E_NOT_FOUND, "%s keeps no rows of that version", path);
    if (st == FM_OK)
        st = find_version(k, table, root32, err);
    if (st == FM_OK)
        st = load_seeds(k, secret32, err);
    if (st == FM_OK)
        st = open_rows(k, err);
    if (st == FM_OK)
        *out = k;
    else
        data_kept_free(k);
    return st;
}

void data_kept_free(struct data_kept *k)
{
    if (k == NULL)
        return;
    (void)sqlite3_finalize(k->rows);
    data_db_close(&k->db);
    data_schema_release(&k->schema);
    if (k->seeds != NULL)
        base_wipe(k->seeds, k->seed_count * sizeof *k->seeds);
    free(k->seeds);
    free(k->cells);
    base_buf_release_secret(&k->bytes);
    free(k);
}

const struct data_schema *data_kept_schema(const struct data_kept *k)
{
    return &k->schema;
}

/* ---- its rows ---- */

static int by_since(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = ((const struct seed *)b)->since;

    return (x > y) - (x < y);
}

static fm_status unseal(struct data_kept *k, struct base_err *err)
{
    int64_t rowid = sqlite3_column_int64(k->rows, 0), since = sqlite3_column_int64(k->rows, 1);
    size_t len = (size_t)sqlite3_column_bytes(k->rows, 3);
    const struct seed *seed =
        k->seed_count > 0 ? bsearch(&since, k->seeds, k->seed_count, sizeof *k->seeds, by_since)
                          : NULL;
    const struct base_aead_with with = {sqlite3_column_blob(k->rows, 2), KEPT_DIGEST};
    uint8_t nonce[BASE_AEAD_NONCE], *row;
    fm_status st;

    if (seed == NULL || len < BASE_AEAD_TAG || sqlite3_column_bytes(k->rows, 2) != KEPT_DIGEST)
        return base_err_set(err, FM_E_CORRUPT, "%s: row %lld of a published version is damaged",
                            k->db.path, (long long)rowid);
    base_buf_clear(&k->bytes);
    row = base_buf_extend(&k->bytes, len - BASE_AEAD_TAG);
    if (row == NULL)
        return base_err_memory(err, "kept row");
    nonce_of(nonce, rowid);
    st = base_aead_open(base_aead_usual(), row, seed->key, nonce, with,
                        sqlite3_column_blob(k->rows, 3), len - BASE_AEAD_TAG, err);
    if (st == FM_E_AUTH)
        st = base_err_set(err, FM_E_CORRUPT,
                          "%s: row %lld of a published version was altered, or sealed with another "
                          "salt key than this home's",
                          k->db.path, (long long)rowid);
    return st;
}

static fm_status next_row(void *ctx, const struct data_cell **row, struct base_err *err)
{
    struct data_kept *k = ctx;
    bool more;
    fm_status st = data_db_step(&more, &k->db, k->rows, err);

    *row = NULL;
    if (st != FM_OK || !more)
        return st;
    st = unseal(k, err);
    if (st == FM_OK && !data_row_decode(k->cells, k->schema.column_count, k->bytes.p, k->bytes.len))
        st = base_err_set(err, FM_E_CORRUPT, "%s: row %lld is none of its version's schema",
                          k->db.path, (long long)sqlite3_column_int64(k->rows, 0));
    if (st == FM_OK)
        *row = k->cells;
    return st;
}

struct data_row_source data_kept_source(struct data_kept *k)
{
    (void)sqlite3_reset(k->rows);
    return (struct data_row_source){next_row, k};
}
