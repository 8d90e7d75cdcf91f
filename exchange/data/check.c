/* Whether a table keeps what its schema promises. Keys are counted by SQLite. An imported table is
 * counted where it stands; of a plain one, the converted values ("5.0" and "5.00" are one) go to a
 * temporary database first, which SQLite keeps in a file of its own, so memory stays bounded. */
#include <string.h>

#include "base/bytes.h"
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

static fm_status each_row(struct data_store *store, const char *table,
                          const struct data_schema *schema, struct base_err *err)
{
    struct data_findings findings = {.count = 0};
    const struct data_cell *row;
    struct data_rows *rows;
    fm_status st = data_rows_open(&rows, store, table, schema, NULL, 0, err);

    if (st != FM_OK)
        return st;
    data_rows_gather(rows, &findings);
    do
        st = data_rows_next(&row, NULL, rows, err);
    while (st == FM_OK && row != NULL);
    data_rows_free(rows);
    return st == FM_OK ? data_findings_status(&findings, store->db.path, table, err) : st;
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

fm_status data_store_check(struct data_store *store, const char *table,
                           const struct data_schema *schema, struct base_err *err)
{
    size_t columns[DATA_KEYS_MAX + 1];
    size_t n = key_columns(columns, schema);
    struct data_schema stored;
    enum data_origin origin;
    bool scaled = false;
    fm_status st = each_row(store, table, schema, err);

    if (st == FM_OK)
        st = data_store_stored(&stored, &origin, &scaled, store, table, err);
    if (st != FM_OK)
        return st;
    data_schema_release(&stored);
    if (n == 0)
        return FM_OK;
    if (scaled)
        return data_db_check_keys(&store->db, table, table, schema, err);
    return check_copies(store, table, schema, columns, n, err);
}
