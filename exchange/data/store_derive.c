/* Schemas from rows, for tables that nobody declared. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/text.h"
#include "exchange/data/infer.h"
#include "exchange/data/number.h"
#include "exchange/data/store_table.h"

/* ---- plain tables: every value is looked at ---- */

/* Fills schema->columns with the names that are identifiers. */
static fm_status name_columns(struct data_schema *schema, struct data_notes *notes,
                              struct data_store *store, const char *table, struct base_err *err)
{
    sqlite3_stmt *stmt = NULL;
    bool row = true;
    fm_status st =
        data_db_prepare(&stmt, &store->db, "SELECT name FROM pragma_table_xinfo(?1)", err);

    if (st == FM_OK && sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC) != SQLITE_OK)
        st = data_db_error(&store->db, err);
    for (int n = 1; st == FM_OK && row; n++) {
        const char *name;
        st = data_db_step(&row, &store->db, stmt, err);
        if (st != FM_OK || !row)
            break;
        name = (const char *)sqlite3_column_text(stmt, 0);
        if (name == NULL || !data_name_valid(name))
            st = data_notes_add(
                notes, err, "%s: column %d is left out: its name is not an identifier", table, n);
        else if (schema->column_count == DATA_COLUMNS_MAX)
            st = data_notes_add(notes, err, "%s: column %s is left out: there are more than %d",
                                table, name, DATA_COLUMNS_MAX);
        else
            memcpy(schema->columns[schema->column_count++].name, name, strlen(name) + 1);
    }
    (void)sqlite3_finalize(stmt);
    return st;
}

static void look_at(struct data_infer *infer, sqlite3_stmt *stmt, int column, uint64_t row)
{
    int64_t unscaled;
    unsigned scale;

    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_NULL:
        data_infer_null(infer);
        return;
    case SQLITE_INTEGER:
        data_infer_number(infer, sqlite3_column_int64(stmt, column), 0, row);
        return;
    case SQLITE_FLOAT:
        if (data_number_from_real(&unscaled, &scale, sqlite3_column_double(stmt, column)))
            data_infer_number(infer, unscaled, scale, row);
        else
            data_infer_broken(infer, "a REAL that is no decimal of at most 18 digits", row);
        return;
    case SQLITE_TEXT: {
        const char *text = (const char *)sqlite3_column_text(stmt, column);
        size_t len = (size_t)sqlite3_column_bytes(stmt, column);
        if (text == NULL || memchr(text, 0, len) != NULL || !base_text_is_utf8(text, len))
            data_infer_broken(infer, "a text that is not UTF-8 without NUL", row);
        else
            data_infer_text(infer, text, len, row);
        return;
    }
    default:
        data_infer_broken(infer, "a BLOB", row);
    }
}

static fm_status look_at_rows(struct data_infer *infer, struct data_schema *schema,
                              struct data_store *store, const char *table, struct base_err *err)
{
    struct base_buf sql = {0};
    sqlite3_stmt *stmt = NULL;
    bool row = true;
    fm_status st;

    base_buf_put_str(&sql, "SELECT _rowid_");
    for (size_t i = 0; i < schema->column_count; i++)
        base_buf_putf(&sql, ", \"%s\"", schema->columns[i].name);
    base_buf_putf(&sql, " FROM \"%s\" ORDER BY _rowid_", table);
    st = base_buf_status(&sql, "table scan", err);
    if (st == FM_OK)
        st = data_db_prepare(&stmt, &store->db, base_buf_cstr(&sql), err);
    while (st == FM_OK && row) {
        st = data_db_step(&row, &store->db, stmt, err);
        if (st != FM_OK || !row)
            break;
        for (size_t i = 0; i < schema->column_count; i++)
            look_at(&infer[i], stmt, (int)i + 1, (uint64_t)sqlite3_column_int64(stmt, 0));
        if (schema->rows++ == DATA_ROWS_MAX)
            st = base_err_set(err, FM_E_LIMIT, "%s: %s has more than %d rows", store->db.path,
                              table, DATA_ROWS_MAX);
    }
    (void)sqlite3_finalize(stmt);
    base_buf_release(&sql);
    return st;
}

/* Keeps the columns that a type holds, and says which are left out. */
static fm_status settle(struct data_schema *schema, struct data_notes *notes,
                        const struct data_infer *infer, struct data_store *store, const char *table,
                        struct base_err *err)
{
    char remark[DATA_INFER_REMARK];
    size_t kept = 0;
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < schema->column_count; i++) {
        struct data_column *c = &schema->columns[i];
        struct base_err why = {0};
        if (data_infer_finish(c, remark, &infer[i], &why) != FM_OK) {
            st = data_notes_add(notes, err, "%s.%s is left out: %s", table, c->name, why.text);
            continue;
        }
        if (remark[0] != '\0')
            st = data_notes_add(notes, err, "%s.%s: %s", table, c->name, remark);
        if (c->type.kind == DATA_BOOLEAN) {
            /* Only a declaration makes a BOOLEAN of the words true and false. */
            c->type = (struct data_type){.kind = DATA_TEXT, .max_bytes = 5};
            c->max = 0;
        }
        schema->columns[kept++] = *c;
    }
    schema->column_count = kept;
    if (st == FM_OK && kept == 0)
        return base_err_set(err, FM_E_UNSUPPORTED, "%s: %s has no column that can be used: %s",
                            store->db.path, table,
                            notes->count > 0 ? notes->items[notes->count - 1] : "it has none");
    return st;
}

fm_status data_store_derive(struct data_schema *out, struct data_notes *notes,
                            struct data_store *store, const char *table, struct base_err *err)
{
    struct data_infer *infer = calloc(DATA_COLUMNS_MAX, sizeof *infer);
    fm_status st = FM_OK;

    out->subject = DATA_NO_COLUMN;
    out->version = 1;
    out->columns = calloc(DATA_COLUMNS_MAX, sizeof *out->columns);
    if (infer == NULL || out->columns == NULL)
        st = base_err_memory(err, store->db.path);
    if (st == FM_OK)
        st = name_columns(out, notes, store, table, err);
    if (st == FM_OK)
        st = look_at_rows(infer, out, store, table, err);
    if (st == FM_OK)
        st = settle(out, notes, infer, store, table, err);
    if (out->rows == 0)
        out->rows = 1;
    if (st == FM_OK)
        st = data_store_describe(notes, out, table, err);
    free(infer);
    return st;
}

/* ---- imported tables: types are known, SQLite finds the rest ---- */

static fm_status measure_column(struct data_column *column, struct data_store *store,
                                const char *table, struct base_err *err)
{
    bool text = column->type.kind == DATA_TEXT, row = false;
    struct base_buf sql = {0};
    sqlite3_stmt *stmt = NULL;
    fm_status st;

    base_buf_putf(&sql,
                  text ? "SELECT COUNT(*) - COUNT(\"%s\"), 0, MAX(length(CAST(\"%s\" AS BLOB))) "
                         "FROM \"%s\""
                       : "SELECT COUNT(*) - COUNT(\"%s\"), MIN(\"%s\"), MAX(\"%s\") FROM \"%s\"",
                  column->name, column->name, text ? table : column->name, table);
    st = base_buf_status(&sql, "table scan", err);
    if (st == FM_OK)
        st = data_db_prepare(&stmt, &store->db, base_buf_cstr(&sql), err);
    if (st == FM_OK)
        st = data_db_step(&row, &store->db, stmt, err);
    if (st == FM_OK) {
        column->nullable = sqlite3_column_int64(stmt, 0) > 0;
        if (text) {
            int64_t len = sqlite3_column_int64(stmt, 2);
            if (len > column->type.max_bytes)
                column->type.max_bytes = len < DATA_TEXT_MAX ? (unsigned)len : DATA_TEXT_MAX;
        } else if (column->type.kind != DATA_BOOLEAN &&
                   sqlite3_column_type(stmt, 1) == SQLITE_INTEGER) {
            int64_t min, max;
            data_type_limits(&min, &max, &column->type);
            column->min = sqlite3_column_int64(stmt, 1);
            column->max = sqlite3_column_int64(stmt, 2);
            /* Beyond the type's limits (somebody wrote past us): reading the row will say so. */
            column->min = column->min < min ? min : column->min > max ? max : column->min;
            column->max = column->max > max ? max : column->max < min ? min : column->max;
        }
    }
    (void)sqlite3_finalize(stmt);
    base_buf_release(&sql);
    return st;
}

fm_status data_store_measure(struct data_schema *schema, struct data_notes *notes,
                             struct data_store *store, const char *table, struct base_err *err)
{
    struct base_buf sql = {0};
    sqlite3_stmt *stmt = NULL;
    bool row = false;
    fm_status st;

    base_buf_putf(&sql, "SELECT COUNT(*) FROM \"%s\"", table);
    st = base_buf_status(&sql, "table scan", err);
    if (st == FM_OK)
        st = data_db_prepare(&stmt, &store->db, base_buf_cstr(&sql), err);
    if (st == FM_OK)
        st = data_db_step(&row, &store->db, stmt, err);
    if (st == FM_OK) {
        schema->rows = sqlite3_column_int64(stmt, 0);
        schema->rows = schema->rows > 0 ? schema->rows : 1;
    }
    (void)sqlite3_finalize(stmt);
    base_buf_release(&sql);
    if (st == FM_OK && schema->rows > DATA_ROWS_MAX)
        st = base_err_set(err, FM_E_LIMIT, "%s: %s has more than %d rows", store->db.path, table,
                          DATA_ROWS_MAX);
    for (size_t i = 0; st == FM_OK && i < schema->column_count; i++)
        st = measure_column(&schema->columns[i], store, table, err);
    return st == FM_OK ? data_store_describe(notes, schema, table, err) : st;
}
