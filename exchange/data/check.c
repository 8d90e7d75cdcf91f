/* Whether a table keeps what its schema promises, in one scan: hashes tell that keys are as
 * declared (crowd.h). Where they do not, SQLite counts: an imported table where it stands; of a
 * plain one, the converted values ("5.0" and "5.00" are one) go to a temporary database first,
 * which SQLite keeps in a file of its own, so memory stays bounded. */
#include "exchange/data/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "exchange/data/crowd.h"
#include "exchange/data/store_table.h"

static bool is_key(const struct data_schema *schema, size_t column)
{
    for (size_t i = 0; i < schema->key_count; i++)
        if (schema->keys[i].column == column)
            return true;
    return schema->subject == column;
}

static size_t key_columns(size_t *out, const struct data_schema *schema)
{
    size_t n = 0;

    for (size_t c = 0; c < schema->column_count; c++)
        if (is_key(schema, c))
            out[n++] = c;
    return n;
}

static fm_status open_scratch(struct data_db *out, sqlite3_stmt **insert,
                              const struct data_store *store, const struct data_schema *schema,
                              const size_t *columns, size_t n, struct base_err *err)
{
    struct base_buf sql = {0};
    fm_status st;

    *out = (struct data_db){.path = store->db.path};
    if (sqlite3_open_v2("", &out->sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
        SQLITE_OK)
        return out->sqlite != NULL ? data_db_error(out, err) : base_err_memory(err, out->path);
    base_buf_put_str(&sql, "BEGIN; CREATE TABLE keys (");
    for (size_t i = 0; i < n; i++)
        base_buf_putf(&sql, "%s\"%s\"", i > 0 ? ", " : "", schema->columns[columns[i]].name);
    base_buf_put_str(&sql, ")");
    st = base_buf_status(&sql, "key check", err);
    if (st == FM_OK)
        st = data_db_exec(out, base_buf_cstr(&sql), err);
    base_buf_clear(&sql);
    base_buf_put_str(&sql, "INSERT INTO keys (");
    for (size_t i = 0; i < n; i++)
        base_buf_putf(&sql, "\"%s\", ", schema->columns[columns[i]].name);
    base_buf_put_str(&sql, "_rowid_) VALUES (");
    for (size_t i = 0; i < n; i++)
        base_buf_put_str(&sql, "?, ");
    base_buf_put_str(&sql, "?)");
    if (st == FM_OK)
        st = base_buf_status(&sql, "key check", err);
    if (st == FM_OK)
        st = data_db_prepare(insert, out, base_buf_cstr(&sql), err);
    base_buf_release(&sql);
    return st;
}

static fm_status copy_row(const struct data_db *scratch, sqlite3_stmt *insert,
                          const struct data_cell *row, size_t n, int64_t rowid,
                          struct base_err *err)
{
    int code = SQLITE_OK;
    bool more;
    fm_status st;

    for (size_t i = 0; code == SQLITE_OK && i < n; i++) {
        int at = (int)i + 1;
        if (row[i].null)
            code = sqlite3_bind_null(insert, at);
        else if (row[i].text != NULL)
            code = sqlite3_bind_text(insert, at, row[i].text, (int)row[i].len, SQLITE_STATIC);
        else
            code = sqlite3_bind_int64(insert, at, row[i].value);
    }
    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(insert, (int)n + 1, rowid);
    if (code != SQLITE_OK)
        return data_db_error(scratch, err);
    st = data_db_step(&more, scratch, insert, err);
    (void)sqlite3_reset(insert);
    return st;
}

static fm_status check_copies(struct data_store *store, const char *table,
                              const struct data_schema *schema, const size_t *columns, size_t n,
                              struct base_err *err)
{
    struct data_db scratch;
    sqlite3_stmt *insert = NULL;
    struct data_rows *rows = NULL;
    const struct data_cell *row = NULL;
    int64_t rowid = 0;
    fm_status st = open_scratch(&scratch, &insert, store, schema, columns, n, err);

    if (st == FM_OK)
        st = data_rows_open(&rows, store, table, schema, columns, n, err);
    while (st == FM_OK) {
        st = data_rows_next(&row, &rowid, rows, err);
        if (st != FM_OK || row == NULL)
            break;
        st = copy_row(&scratch, insert, row, n, rowid, err);
    }
    if (st == FM_OK)
        st = data_db_check_keys(&scratch, "keys", table, schema, err);
    data_rows_free(rows);
    (void)sqlite3_finalize(insert);
    (void)sqlite3_close(scratch.sqlite);
    return st;
}

/* ---- one scan ---- */

struct data_check {
    struct data_store *store;
    const char *table;
    const struct data_schema *schema;
    struct data_rows *rows;
    struct data_findings findings;
    size_t columns[DATA_KEYS_MAX + 1], n; /* those with a bound, in the schema's order */
    struct data_crowd crowds[DATA_KEYS_MAX + 1];
    size_t pool; /* bytes for hashes */
};

/* The least bound that a column has. */
static int64_t most_rows(const struct data_schema *schema, size_t column)
{
    int64_t most = schema->subject == column ? schema->max_rows_per_subject : INT64_MAX;

    for (size_t i = 0; i < schema->key_count; i++)
        if (schema->keys[i].column == column && schema->keys[i].max_rows < most)
            most = schema->keys[i].max_rows;
    return most;
}

fm_status data_check_new(struct data_check **out, struct data_store *store, const char *table,
                         const struct data_schema *schema, struct base_err *err)
{
    struct data_check *c = calloc(1, sizeof *c);
    fm_status st;

    *out = NULL;
    if (c == NULL)
        return base_err_memory(err, store->db.path);
    c->store = store;
    c->table = table;
    c->schema = schema;
    c->pool = DATA_CROWD_BYTES;
    c->n = key_columns(c->columns, schema);
    for (size_t i = 0; i < c->n; i++)
        data_crowd_init(&c->crowds[i], most_rows(schema, c->columns[i]), &c->pool);
    st = data_rows_open(&c->rows, store, table, schema, NULL, 0, err);
    if (st != FM_OK) {
        data_check_free(c);
        return st;
    }
    data_rows_gather(c->rows, &c->findings);
    *out = c;
    return FM_OK;
}

void data_check_free(struct data_check *check)
{
    if (check == NULL)
        return;
    for (size_t i = 0; i < check->n; i++)
        data_crowd_release(&check->crowds[i]);
    data_rows_free(check->rows);
    free(check);
}

fm_status data_check_next(const struct data_cell **row, int64_t *rowid, struct data_check *check,
                          struct base_err *err)
{
    fm_status st;

    do
        st = data_rows_next(row, rowid, check->rows, err);
    while (st == FM_OK && *row != NULL && check->findings.count > 0);
    if (st == FM_OK && check->findings.count > 0) {
        *row = NULL;
        return data_findings_status(&check->findings, check->store->db.path, check->table, err);
    }
    for (size_t i = 0; st == FM_OK && *row != NULL && i < check->n; i++)
        data_crowd_add(&check->crowds[i], &(*row)[check->columns[i]]);
    return st;
}

/* By SQLite, which also says where. */
static fm_status count_keys(const struct data_check *c, struct base_err *err)
{
    struct data_schema stored;
    enum data_origin origin;
    bool scaled = false;
    fm_status st = data_store_stored(&stored, &origin, &scaled, c->store, c->table, err);

    if (st != FM_OK)
        return st;
    data_schema_release(&stored);
    if (scaled)
        return data_db_check_keys(&c->store->db, c->table, c->table, c->schema, err);
    return check_copies(c->store, c->table, c->schema, c->columns, c->n, err);
}

fm_status data_check_keys(struct data_check *check, struct base_err *err)
{
    bool perhaps = false;
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && !perhaps && i < check->n; i++)
        st = data_crowd_perhaps(&perhaps, &check->crowds[i], err);
    return st == FM_OK && perhaps ? count_keys(check, err) : st;
}

fm_status data_store_check(struct data_store *store, const char *table,
                           const struct data_schema *schema, struct base_err *err)
{
    const struct data_cell *row = NULL;
    struct data_check *check;
    fm_status st = data_check_new(&check, store, table, schema, err);

    if (st != FM_OK)
        return st;
    do
        st = data_check_next(&row, NULL, check, err);
    while (st == FM_OK && row != NULL);
    if (st == FM_OK)
        st = data_check_keys(check, err);
    data_check_free(check);
    return st;
}
