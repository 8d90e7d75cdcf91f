/* A delta: a file of rows, each with a key. The row of the table that has the key becomes as the
 * file says, and keeps its place (its rowid, and so its index in the root); a key that the table
 * does not have is a new row at the end. Readers see the table before or after, never between:
 * everything is one transaction.
 *
 * A unique index over the key serves the file's rows and proves on the way that the key is one. It
 * is gone before the transaction ends: the table is its owner's, and other tools read it too. */
#include "base/bytes.h"
#include "exchange/data/import_own.h"
#include "exchange/data/store.h"
#include "exchange/data/store_table.h"

fm_status data_delta_schema(struct data_import_work *w, struct base_err *err)
{
    const struct data_import *job = w->job;
    enum data_origin origin = DATA_PLAIN;
    struct data_store *store;
    bool found = false;
    fm_status st = data_store_open(&store, job->db_path, err);

    if (st != FM_OK)
        return st;
    st = data_store_find(store, job->table, err);
    if (st == FM_OK)
        st = data_store_stored(&w->out->schema, &origin, &found, store, job->table, err);
    data_store_free(store);
    if (st == FM_OK && (!found || origin != DATA_DECLARED)) {
        data_schema_release(&w->out->schema);
        st = base_err_set(err, FM_E_UNSUPPORTED,
                          "%s: %s was not imported with a declared schema: import it whole, with "
                          "--schema and --replace; then --update takes what changed",
                          job->db_path, job->table);
    }
    return st;
}

static const char *key_name(const struct data_import_work *w)
{
    return w->out->schema.columns[w->column_of[w->key_field]].name;
}

static fm_status find_key(struct data_import_work *w, struct base_err *err)
{
    size_t key = data_schema_find(&w->out->schema, w->job->key);

    if (key == DATA_NO_COLUMN)
        return base_err_set(err, FM_E_NOT_FOUND, "%s: %s has no column %.63s", w->db.path,
                            w->job->table, w->job->key);
    for (size_t i = 0; i < data_csv_column_count(w->csv); i++)
        if (w->column_of[i] == key)
            w->key_field = i;
    return FM_OK;
}

static fm_status index_key(struct data_import_work *w, struct base_err *err)
{
    struct base_buf sql = {0};
    fm_status st;

    base_buf_putf(&sql,
                  "CREATE TEMP TABLE delta_keys (k PRIMARY KEY) WITHOUT ROWID; "
                  "CREATE UNIQUE INDEX firmiana_delta ON \"%s\" (\"%s\")",
                  w->job->table, key_name(w));
    st = base_buf_status(&sql, "delta", err);
    if (st == FM_OK)
        st = data_db_exec(&w->db, base_buf_cstr(&sql), err);
    if (st != FM_OK && (sqlite3_errcode(w->db.sqlite) & 0xff) == SQLITE_CONSTRAINT)
        st =
            base_err_set(err, FM_E_INPUT,
                         "%s: %s, column %s: a value stands in several rows, so it is no key for a "
                         "delta",
                         w->db.path, w->job->table, key_name(w));
    base_buf_release(&sql);
    return st;
}

/* UPDATE of the row with the key, if any value is another. */
static fm_status prepare_change(struct data_import_work *w, struct base_err *err)
{
    const struct data_schema *schema = &w->out->schema;
    struct base_buf sql = {0};
    fm_status st;

    base_buf_putf(&sql, "UPDATE \"%s\" SET ", w->job->table);
    for (size_t i = 0; i < schema->column_count; i++)
        base_buf_putf(&sql, "%s\"%s\" = ?%zu", i > 0 ? ", " : "", schema->columns[i].name, i + 1);
    base_buf_putf(&sql, " WHERE \"%s\" = ?%zu AND (", key_name(w), w->column_of[w->key_field] + 1);
    for (size_t i = 0; i < schema->column_count; i++)
        base_buf_putf(&sql, "%s\"%s\" IS NOT ?%zu", i > 0 ? " OR " : "", schema->columns[i].name,
                      i + 1);
    base_buf_put_str(&sql, ")");
    st = base_buf_status(&sql, "delta", err);
    if (st == FM_OK)
        st = data_db_prepare(&w->change, &w->db, base_buf_cstr(&sql), err);
    base_buf_release(&sql);
    return st;
}

/* Rows in the table, which stay as many but for those added. */
static fm_status count_rows(struct data_import_work *w, struct base_err *err)
{
    struct base_buf sql = {0};
    sqlite3_stmt *stmt = NULL;
    bool row = false;
    fm_status st;

    base_buf_putf(&sql, "SELECT COUNT(*) FROM \"%s\"", w->job->table);
    st = base_buf_status(&sql, "delta", err);
    if (st == FM_OK)
        st = data_db_prepare(&stmt, &w->db, base_buf_cstr(&sql), err);
    if (st == FM_OK)
        st = data_db_step(&row, &w->db, stmt, err);
    if (st == FM_OK && row)
        w->out->rows = (uint64_t)sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    base_buf_release(&sql);
    return st;
}

fm_status data_delta_begin(struct data_import_work *w, struct base_err *err)
{
    fm_status st = find_key(w, err);

    if (st == FM_OK)
        st = index_key(w, err);
    if (st == FM_OK)
        st = prepare_change(w, err);
    if (st == FM_OK)
        st = data_import_prepare_insert(w, "INSERT OR IGNORE", err);
    if (st == FM_OK)
        st = data_db_prepare(&w->seen_key, &w->db,
                             "INSERT OR IGNORE INTO temp.delta_keys VALUES "
                             "(?1)",
                             err);
    return st == FM_OK ? count_rows(w, err) : st;
}

fm_status data_delta_end(struct data_import_work *w, struct base_err *err)
{
    return data_db_exec(&w->db, "DROP INDEX firmiana_delta", err);
}

/* A fault of the row's key, at its place. */
static fm_status key_fault(struct data_import_work *w, const struct data_csv_field *row,
                           const char *what, struct base_err *err)
{
    const struct data_csv_field *key = &row[w->key_field];

    (void)base_err_set(err, FM_E_INPUT, "%s: line %llu, column %llu (%s): %s",
                       data_csv_name(w->csv), (unsigned long long)key->line,
                       (unsigned long long)key->column, key_name(w), what);
    return data_import_fault(w, key->line, err);
}

static fm_status bind_key(struct data_import_work *w, const struct data_csv_field *key,
                          struct base_err *err)
{
    const struct data_type *type = &w->out->schema.columns[w->column_of[w->key_field]].type;
    int64_t value;
    int code;

    if (type->kind == DATA_TEXT) {
        code = sqlite3_bind_text(w->seen_key, 1, key->text, (int)key->len, SQLITE_STATIC);
    } else {
        fm_status st = data_value_parse(&value, type, key->text, key->len, err);
        if (st != FM_OK)
            return st;
        code = sqlite3_bind_int64(w->seen_key, 1, value);
    }
    return code == SQLITE_OK ? FM_OK : data_db_error(&w->db, err);
}

/* A key that is missing, or that the file has had, is a fault of the row. */
static fm_status check_key(struct data_import_work *w, const struct data_csv_field *row,
                           struct base_err *err)
{
    const struct data_csv_field *key = &row[w->key_field];
    struct base_err what = {.code = FM_OK};
    fm_status st = FM_OK;

    if (data_csv_is_null(key)) {
        st = key_fault(w, row, "NULL where the key must stand", &what);
    } else {
        st = bind_key(w, key, err);
        if (st == FM_OK)
            st = data_import_run(w, w->seen_key, err);
        if (st == FM_OK && sqlite3_changes(w->db.sqlite) == 0)
            st = key_fault(w, row, "the key stands in this file twice", &what);
    }
    return st;
}

fm_status data_delta_row(struct data_import_work *w, const struct data_csv_field *row,
                         struct base_err *err)
{
    fm_status st = data_import_bind(w, w->change, row, err);

    if (st == FM_OK && w->faults == 0)
        st = check_key(w, row, err);
    if (st != FM_OK || w->faults > 0)
        return st;
    st = data_import_run(w, w->change, err);
    if (st != FM_OK || sqlite3_changes(w->db.sqlite) > 0) {
        w->out->changed += st == FM_OK;
        return st;
    }
    /* The same as before, or not there. */
    st = data_import_bind(w, w->insert, row, err);
    if (st == FM_OK)
        st = data_import_run(w, w->insert, err);
    if (st != FM_OK || sqlite3_changes(w->db.sqlite) == 0)
        return st;
    w->out->added++;
    if (++w->out->rows > (uint64_t)w->out->schema.rows)
        return base_err_set(err, FM_E_INPUT,
                            "%s: line %llu: with it the table has more rows than the %lld of the "
                            "schema",
                            data_csv_name(w->csv), (unsigned long long)row[0].line,
                            (long long)w->out->schema.rows);
    return FM_OK;
}
