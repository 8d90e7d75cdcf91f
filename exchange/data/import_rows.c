#include "exchange/data/import_infer.h"
#include "exchange/data/import_own.h"

fm_status data_import_prepare_insert(struct data_import_work *w, const char *verb,
                                     struct base_err *err)
{
    struct base_buf sql = {0};
    fm_status st;

    base_buf_putf(&sql, "%s INTO \"%s\" VALUES (", verb, w->job->table);
    for (size_t i = 0; i < w->out->schema.column_count; i++)
        base_buf_put_str(&sql, i > 0 ? ",?" : "?");
    base_buf_put_str(&sql, ")");
    st = base_buf_status(&sql, "insert", err);
    if (st == FM_OK)
        st = data_db_prepare(&w->insert, &w->db, base_buf_cstr(&sql), err);
    base_buf_release(&sql);
    return st;
}

/* Checks one field and binds it. Errors still lack their place. */
static fm_status bind_field(struct data_import_work *w, sqlite3_stmt *stmt,
                            const struct data_column *column, int parameter,
                            const struct data_csv_field *field, struct base_err *err)
{
    int64_t value = 0;
    fm_status st = FM_OK;
    int code;

    if (data_csv_is_null(field)) {
        if (!column->nullable)
            return base_err_set(err, FM_E_INPUT, "NULL in a column that is not nullable");
        code = sqlite3_bind_null(stmt, parameter);
    } else if (column->type.kind == DATA_TEXT) {
        st = data_column_check_text(column, field->text, field->len, err);
        if (st != FM_OK)
            return st;
        code = sqlite3_bind_text(stmt, parameter, field->text, (int)field->len, SQLITE_STATIC);
    } else {
        st = data_value_parse(&value, &column->type, field->text, field->len, err);
        if (st == FM_OK)
            st = data_column_check(column, value, err);
        if (st != FM_OK)
            return st;
        code = sqlite3_bind_int64(stmt, parameter, value);
    }
    return code == SQLITE_OK ? FM_OK : data_db_error(&w->db, err);
}

fm_status data_import_fault(struct data_import_work *w, uint64_t line, struct base_err *err)
{
    if (err->code != FM_E_INPUT)
        return err->code;
    if (w->faults++ == 0)
        w->first_fault = *err;
    w->last_fault_line = line;
    return FM_OK;
}

fm_status data_import_bind(struct data_import_work *w, sqlite3_stmt *stmt,
                           const struct data_csv_field *row, struct base_err *err)
{
    const struct data_schema *schema = &w->out->schema;
    const char *file = data_csv_name(w->csv);
    size_t n = data_csv_column_count(w->csv);
    struct base_err what;
    fm_status st = FM_OK;

    if (w->job->mode != DATA_IMPORT_DELTA && w->out->rows == (uint64_t)schema->rows) {
        (void)base_err_set(&what, FM_E_INPUT,
                           "%s: line %llu: more rows than the %lld of the schema", file,
                           (unsigned long long)row[0].line, (long long)schema->rows);
        return data_import_fault(w, row[0].line, &what);
    }
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        const struct data_column *column = &schema->columns[w->column_of[i]];
        if (bind_field(w, stmt, column, (int)w->column_of[i] + 1, &row[i], &what) == FM_OK)
            continue;
        (void)base_err_prefix(&what, "%s: line %llu, column %llu (%s)", file,
                              (unsigned long long)row[i].line, (unsigned long long)row[i].column,
                              column->name);
        st = data_import_fault(w, row[i].line, &what);
    }
    if (st != FM_OK)
        *err = what;
    return st;
}

fm_status data_import_run(struct data_import_work *w, sqlite3_stmt *stmt, struct base_err *err)
{
    bool more;
    fm_status st = data_db_step(&more, &w->db, stmt, err);

    (void)sqlite3_reset(stmt);
    return st;
}

static fm_status insert_row(struct data_import_work *w, const struct data_csv_field *row,
                            struct base_err *err)
{
    fm_status st = data_import_bind(w, w->insert, row, err);

    if (st != FM_OK || w->faults > 0)
        return st;
    st = data_import_run(w, w->insert, err);
    if (st == FM_OK)
        w->out->rows++;
    return st;
}

static fm_status faults_status(const struct data_import_work *w, struct base_err *err)
{
    if (w->faults == 0)
        return FM_OK;
    if (w->faults == 1)
        return base_err_set(err, FM_E_INPUT, "%s", w->first_fault.text);
    return base_err_set(err, FM_E_INPUT, "%.380s; and %llu more such fault%s up to line %llu",
                        w->first_fault.text, (unsigned long long)(w->faults - 1),
                        w->faults > 2 ? "s" : "", (unsigned long long)w->last_fault_line);
}

static fm_status read_rows(struct data_import_work *w, struct base_err *err)
{
    const struct data_csv_field *row;
    fm_status st;

    for (;;) {
        st = data_csv_next(&row, w->csv, err);
        if (st != FM_OK || row == NULL)
            break;
        st = w->job->mode == DATA_IMPORT_DELTA ? data_delta_row(w, row, err)
                                               : insert_row(w, row, err);
        if (st == FM_OK && ++w->seen % DATA_PROGRESS_ROWS == 0)
            st = data_import_tick(&w->job->progress, w->csv, DATA_IMPORT_WRITE, w->seen, err);
        if (st != FM_OK)
            return st;
    }
    if (st != FM_OK)
        return st;
    return data_import_tick(&w->job->progress, w->csv, DATA_IMPORT_WRITE, w->seen, err);
}

fm_status data_import_rows(struct data_import_work *w, struct base_err *err)
{
    fm_status st = read_rows(w, err);

    /* The first fault came before whatever ended the reading. */
    return w->faults > 0 && st != FM_E_CANCELLED ? faults_status(w, err) : st;
}
