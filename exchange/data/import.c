#include "exchange/data/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "exchange/data/csv.h"
#include "exchange/data/db.h"
#include "exchange/data/import_infer.h"

/* One import under way. */
struct work {
    const struct data_import *job;
    struct data_import_result *out;
    struct data_csv *csv;
    struct data_db db;
    sqlite3_stmt *insert;
    size_t *column_of; /* schema column of each field */

    /* Values that are not as declared. After the first one rows are only checked, to say how many
     * there are. */
    struct base_err first_fault;
    uint64_t seen, faults, last_fault_line;
};

/* ---- names ---- */

static fm_status check_table_name(const char *table, struct base_err *err)
{
    if (!data_name_valid(table))
        return base_err_set(err, FM_E_ARG,
                            "the table's name is not an identifier of letters, digits and '_', at "
                            "most %d bytes",
                            DATA_NAME_MAX);
    if (strncasecmp(table, "sqlite_", 7) == 0 || strncasecmp(table, "firmiana_", 9) == 0)
        return base_err_set(err, FM_E_ARG, "table %s: names with sqlite_ or firmiana_ are taken",
                            table);
    return FM_OK;
}

static fm_status map_columns(struct work *w, struct base_err *err)
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
        size_t c = w->job->schema == NULL ? i : data_schema_find(schema, name);
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

static fm_status refuse_existing(struct work *w, struct base_err *err)
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
                              table ? "replace it, or choose another name" : "choose another name");
    }
    (void)sqlite3_finalize(stmt);
    return st;
}

static fm_status create_table(struct work *w, struct base_err *err)
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

static fm_status store_schema(struct work *w, struct base_err *err)
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

static fm_status prepare_insert(struct work *w, struct base_err *err)
{
    struct base_buf sql = {0};
    fm_status st;

    base_buf_putf(&sql, "INSERT INTO \"%s\" VALUES (", w->job->table);
    for (size_t i = 0; i < w->out->schema.column_count; i++)
        base_buf_put_str(&sql, i > 0 ? ",?" : "?");
    base_buf_put_str(&sql, ")");
    st = base_buf_status(&sql, "insert", err);
    if (st == FM_OK)
        st = data_db_prepare(&w->insert, &w->db, base_buf_cstr(&sql), err);
    base_buf_release(&sql);
    return st;
}

/* ---- rows ---- */

/* Checks one field and binds it. Errors still lack their place. */
static fm_status bind_field(struct work *w, const struct data_column *column, int parameter,
                            const struct data_csv_field *field, struct base_err *err)
{
    int64_t value = 0;
    fm_status st = FM_OK;
    int code;

    if (data_csv_is_null(field)) {
        if (!column->nullable)
            return base_err_set(err, FM_E_INPUT, "NULL in a column that is not nullable");
        code = sqlite3_bind_null(w->insert, parameter);
    } else if (column->type.kind == DATA_TEXT) {
        st = data_text_check(&column->type, field->text, field->len, err);
        if (st != FM_OK)
            return st;
        code = sqlite3_bind_text(w->insert, parameter, field->text, (int)field->len, SQLITE_STATIC);
    } else {
        st = data_value_parse(&value, &column->type, field->text, field->len, err);
        if (st == FM_OK)
            st = data_column_check(column, value, err);
        if (st != FM_OK)
            return st;
        code = sqlite3_bind_int64(w->insert, parameter, value);
    }
    return code == SQLITE_OK ? FM_OK : data_db_error(&w->db, err);
}

/* Notes a fault of the data; any other failure ends the import. */
static fm_status fault(struct work *w, uint64_t line, struct base_err *err)
{
    if (err->code != FM_E_INPUT)
        return err->code;
    if (w->faults++ == 0)
        w->first_fault = *err;
    w->last_fault_line = line;
    return FM_OK;
}

static fm_status bind_row(struct work *w, const struct data_csv_field *row, struct base_err *err)
{
    const struct data_schema *schema = &w->out->schema;
    const char *file = data_csv_name(w->csv);
    size_t n = data_csv_column_count(w->csv);
    struct base_err what;
    fm_status st = FM_OK;

    if (w->out->rows == (uint64_t)schema->rows) {
        (void)base_err_set(&what, FM_E_INPUT,
                           "%s: line %llu: more rows than the %lld of the schema", file,
                           (unsigned long long)row[0].line, (long long)schema->rows);
        return fault(w, row[0].line, &what);
    }
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        const struct data_column *column = &schema->columns[w->column_of[i]];
        if (bind_field(w, column, (int)w->column_of[i] + 1, &row[i], &what) == FM_OK)
            continue;
        (void)base_err_prefix(&what, "%s: line %llu, column %llu (%s)", file,
                              (unsigned long long)row[i].line, (unsigned long long)row[i].column,
                              column->name);
        st = fault(w, row[i].line, &what);
    }
    if (st != FM_OK)
        *err = what;
    return st;
}

static fm_status insert_row(struct work *w, const struct data_csv_field *row, struct base_err *err)
{
    fm_status st = bind_row(w, row, err);
    bool more;

    if (st != FM_OK || w->faults > 0)
        return st;
    st = data_db_step(&more, &w->db, w->insert, err);
    (void)sqlite3_reset(w->insert);
    if (st == FM_OK)
        w->out->rows++;
    return st;
}

static fm_status faults_status(const struct work *w, struct base_err *err)
{
    if (w->faults == 0)
        return FM_OK;
    if (w->faults == 1)
        return base_err_set(err, FM_E_INPUT, "%s", w->first_fault.text);
    return base_err_set(err, FM_E_INPUT, "%.380s; and %llu more such fault%s up to line %llu",
                        w->first_fault.text, (unsigned long long)(w->faults - 1),
                        w->faults > 2 ? "s" : "", (unsigned long long)w->last_fault_line);
}

static fm_status insert_all(struct work *w, struct base_err *err)
{
    const struct data_csv_field *row;
    fm_status st;

    for (;;) {
        st = data_csv_next(&row, w->csv, err);
        if (st != FM_OK || row == NULL)
            break;
        st = insert_row(w, row, err);
        if (st == FM_OK && ++w->seen % DATA_PROGRESS_ROWS == 0)
            st = data_import_tick(&w->job->progress, w->csv, DATA_IMPORT_WRITE, w->seen, err);
        if (st != FM_OK)
            return st;
    }
    if (st != FM_OK)
        return st;
    return data_import_tick(&w->job->progress, w->csv, DATA_IMPORT_WRITE, w->out->rows, err);
}

/* ---- the whole ---- */

/* Everything between BEGIN and COMMIT. */
static fm_status write_table(struct work *w, struct base_err *err)
{
    fm_status st = refuse_existing(w, err);

    if (st == FM_OK)
        st = create_table(w, err);
    if (st == FM_OK)
        st = prepare_insert(w, err);
    if (st == FM_OK)
        st = insert_all(w, err);
    if (w->faults > 0 && st != FM_E_CANCELLED)
        st = faults_status(w, err);
    if (st == FM_OK)
        st = data_db_check_keys(&w->db, w->job->table, w->job->table, &w->out->schema, err);
    if (st == FM_OK)
        st = store_schema(w, err);
    return st;
}

static fm_status transaction(struct work *w, struct base_err *err)
{
    fm_status st = data_db_exec(&w->db, "BEGIN IMMEDIATE", err);

    if (st != FM_OK)
        return st;
    st = write_table(w, err);
    (void)sqlite3_finalize(w->insert);
    w->insert = NULL;
    if (st == FM_OK)
        st = data_db_exec(&w->db, "COMMIT", err);
    /* SQLite has rolled back by itself after some failures; then this one changes nothing. */
    if (st != FM_OK)
        (void)sqlite3_exec(w->db.sqlite, "ROLLBACK", NULL, NULL, NULL);
    return st;
}

static fm_status take_schema(struct work *w, struct base_err *err)
{
    fm_status st;

    if (w->job->schema != NULL)
        return data_schema_copy(&w->out->schema, w->job->schema, err);
    st = data_import_infer(w->out, w->csv, &w->job->progress, err);
    return st == FM_OK ? data_csv_rewind(w->csv, err) : st;
}

fm_status data_import(struct data_import_result *out, const struct data_import *job,
                      struct base_err *err)
{
    struct work w = {.job = job, .out = out};
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
    result->rows = 0;
}
