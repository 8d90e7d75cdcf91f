#include "exchange/data/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "exchange/data/import_infer.h"
#include "exchange/data/import_own.h"

/* ---- names ---- */

static fm_status check_table_name(const char *table, struct base_err *err)
{
    if (!data_name_valid(table))
        return base_err_set(err, FM_E_ARG,
                            "--table: the table's name is not an identifier of letters, digits and "
                            "'_', at most %d bytes",
                            DATA_NAME_MAX);
    if (strncasecmp(table, "sqlite_", 7) == 0 || strncasecmp(table, "firmiana_", 9) == 0)
        return base_err_set(err, FM_E_ARG, "table %s: names with sqlite_ or firmiana_ are taken",
                            table);
    return FM_OK;
}

static fm_status map_columns(struct data_import_work *w, struct base_err *err)
{
    const struct data_schema *schema = &w->out->schema;
    size_t n = data_csv_column_count(w->csv);
    const char *file = data_csv_name(w->csv);
    bool *seen = calloc(schema->column_count, sizeof *seen);
    fm_status st = FM_OK;

    w->column_of = calloc(n, sizeof *w->column_of);
    if (seen == NULL || w->column_of == NULL)
        st = base_err_memory(err, "import");
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        const char *name = data_csv_column(w->csv, i);
        /* Inferred names follow the header's order; declared ones are looked up. */
        size_t c = w->job->schema == NULL && w->job->mode != DATA_IMPORT_DELTA
                       ? i
                       : data_schema_find(schema, name);
        if (c == DATA_NO_COLUMN)
            st = base_err_set(err, FM_E_INPUT, "%s: line 1: column %.63s is not in the schema",
                              file, name);
        else if (seen[c])
            st = base_err_set(err, FM_E_INPUT, "%s: line 1: column %.63s stands there twice", file,
                              name);
        else
            seen[c] = true;
        w->column_of[i] = c;
    }
    for (size_t c = 0; st == FM_OK && c < schema->column_count; c++)
        if (!seen[c])
            st = base_err_set(err, FM_E_INPUT, "%s: line 1: the schema's column %s is missing",
                              file, schema->columns[c].name);
    free(seen);
    return st;
}

/* ---- the table ---- */

static fm_status refuse_existing(struct data_import_work *w, struct base_err *err)
{
    sqlite3_stmt *stmt = NULL;
    bool row = false;
    fm_status st = data_db_prepare(
        &stmt, &w->db, "SELECT type FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE", err);

    if (st == FM_OK && sqlite3_bind_text(stmt, 1, w->job->table, -1, SQLITE_STATIC) != SQLITE_OK)
        st = data_db_error(&w->db, err);
    if (st == FM_OK)
        st = data_db_step(&row, &w->db, stmt, err);
    if (st == FM_OK && row) {
        const char *type = (const char *)sqlite3_column_text(stmt, 0);
        bool table = type != NULL && strcmp(type, "table") == 0;
        if (!table || w->job->mode == DATA_IMPORT_NEW)
            st = base_err_set(err, FM_E_CONFLICT, "%s: there is a%s %s already: %s", w->db.path,
                              table ? " table" : "n index, view or trigger", w->job->table,
                              table ? "replace it (--replace), change it (--update KEY), or "
                                      "choose another name"
                                    : "choose another name");
    }
    (void)sqlite3_finalize(stmt);
    return st;
}

static fm_status create_table(struct data_import_work *w, struct base_err *err)
{
    const struct data_schema *schema = &w->out->schema;
    struct base_buf sql = {0};
    fm_status st;

    base_buf_putf(&sql, "DROP TABLE IF EXISTS \"%s\"; CREATE TABLE \"%s\" (", w->job->table,
                  w->job->table);
    for (size_t i = 0; i < schema->column_count; i++) {
        const struct data_column *c = &schema->columns[i];
        base_buf_putf(&sql, "%s\"%s\" %s%s", i > 0 ? ", " : "", c->name,
                      c->type.kind == DATA_TEXT ? "TEXT" : "INTEGER",
                      c->nullable ? "" : " NOT NULL");
    }
    base_buf_put_str(&sql, ") STRICT; CREATE TABLE IF NOT EXISTS firmiana_schema (table_name TEXT "
                           "PRIMARY KEY COLLATE NOCASE, schema TEXT NOT NULL, origin TEXT NOT NULL "
                           "CHECK (origin IN ('declared', 'inferred'))) STRICT");
    st = base_buf_status(&sql, "table definition", err);
    if (st == FM_OK)
        st = data_db_exec(&w->db, base_buf_cstr(&sql), err);
    base_buf_release(&sql);
    return st;
}

static fm_status store_schema(struct data_import_work *w, struct base_err *err)
{
    struct base_buf text = {0};
    sqlite3_stmt *stmt = NULL;
    json_t *json = NULL;
    bool row;
    fm_status st = data_schema_to_json(&json, &w->out->schema, err);

    if (st == FM_OK)
        st = base_json_canonical(&text, json, err);
    if (st == FM_OK)
        st = data_db_prepare(&stmt, &w->db,
                             "INSERT OR REPLACE INTO firmiana_schema VALUES (?1, ?2, ?3)", err);
    if (st == FM_OK && (sqlite3_bind_text(stmt, 1, w->job->table, -1, SQLITE_STATIC) != SQLITE_OK ||
                        sqlite3_bind_text(stmt, 2, (const char *)text.p, (int)text.len,
                                          SQLITE_STATIC) != SQLITE_OK ||
                        sqlite3_bind_text(stmt, 3, w->job->schema != NULL ? "declared" : "inferred",
                                          -1, SQLITE_STATIC) != SQLITE_OK))
        st = data_db_error(&w->db, err);
    if (st == FM_OK)
        st = data_db_step(&row, &w->db, stmt, err);
    (void)sqlite3_finalize(stmt);
    json_decref(json);
    base_buf_release(&text);
    return st;
}

/* ---- the whole ---- */

/* Everything between BEGIN and COMMIT. */
static fm_status write_table(struct data_import_work *w, struct base_err *err)
{
    bool delta = w->job->mode == DATA_IMPORT_DELTA;
    fm_status st = delta ? data_delta_begin(w, err) : refuse_existing(w, err);

    if (st == FM_OK && !delta)
        st = create_table(w, err);
    if (st == FM_OK && !delta)
        st = data_import_prepare_insert(w, "INSERT", err);
    if (st == FM_OK)
        st = data_import_rows(w, err);
    if (st == FM_OK && delta)
        st = data_delta_end(w, err);
    if (st == FM_OK)
        st = data_db_check_keys(&w->db, w->job->table, w->job->table, &w->out->schema, err);
    if (st == FM_OK && !delta)
        st = store_schema(w, err);
    return st;
}

static fm_status transaction(struct data_import_work *w, struct base_err *err)
{
    fm_status st = data_db_exec(&w->db, "BEGIN IMMEDIATE", err);

    if (st != FM_OK)
        return st;
    st = write_table(w, err);
    (void)sqlite3_finalize(w->insert);
    (void)sqlite3_finalize(w->change);
    (void)sqlite3_finalize(w->seen_key);
    if (st == FM_OK)
        st = data_db_exec(&w->db, "COMMIT", err);
    /* SQLite has rolled back by itself after some failures; then this one changes nothing. */
    if (st != FM_OK)
        (void)sqlite3_exec(w->db.sqlite, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

static fm_status take_schema(struct data_import_work *w, struct base_err *err)
{
    fm_status st;

    if (w->job->mode == DATA_IMPORT_DELTA)
        return data_delta_schema(w, err);
    if (w->job->schema != NULL)
        return data_schema_copy(&w->out->schema, w->job->schema, err);
    st = data_import_infer(w->out, w->csv, &w->job->progress, err);
    return st == FM_OK ? data_csv_rewind(w->csv, err) : st;
}

fm_status data_import(struct data_import_result *out, const struct data_import *job,
                      struct base_err *err)
{
    struct data_import_work w = {.job = job, .out = out};
    fm_status st;

    memset(out, 0, sizeof *out);
    out->schema.subject = DATA_NO_COLUMN;
    st = check_table_name(job->table, err);
    if (st != FM_OK)
        return st;
    st = data_csv_open(&w.csv, job->csv_path, job->separator, err);
    if (st != FM_OK)
        return st;
    st = take_schema(&w, err);
    if (st == FM_OK)
        st = map_columns(&w, err);
    if (st == FM_OK)
        st = data_db_open(&w.db, job->db_path, DATA_DB_WRITE, err);
    if (st == FM_OK) {
        st = transaction(&w, err);
        data_db_close(&w.db);
    }
    free(w.column_of);
    data_csv_free(w.csv);
    if (st != FM_OK)
        data_import_release(out);
    return st;
}

void data_import_release(struct data_import_result *result)
{
    data_schema_release(&result->schema);
    data_notes_release(&result->notes);
    result->rows = result->changed = result->added = 0;
}
