#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "exchange/data/number.h"
#include "exchange/data/store_table.h"

struct data_rows {
    struct data_store *store;
    const struct data_schema *schema;
    sqlite3_stmt *stmt;
    char table[DATA_NAME_MAX + 1];
    bool scaled, dead;
    struct data_findings *findings; /* where faults go, NULL: to the caller */
    int64_t taken;
    size_t width;
    size_t *columns;
    struct data_cell *cells;
};

/* ---- one value; errors still lack their place ---- */

static fm_status text_cell(struct data_cell *cell, const struct data_column *column,
                           sqlite3_stmt *stmt, int at, struct base_err *err)
{
    cell->text = (const char *)sqlite3_column_text(stmt, at);
    cell->len = (size_t)sqlite3_column_bytes(stmt, at);
    if (cell->text == NULL)
        return base_err_memory(err, "text");
    return data_column_check_text(column, cell->text, cell->len, err);
}

/* As the importer writes: an INTEGER, or a TEXT. */
static fm_status scaled_cell(struct data_cell *cell, const struct data_column *column,
                             sqlite3_stmt *stmt, int at, struct base_err *err)
{
    bool text = column->type.kind == DATA_TEXT;

    if (sqlite3_column_type(stmt, at) != (text ? SQLITE_TEXT : SQLITE_INTEGER))
        return base_err_set(err, FM_E_CORRUPT, "not stored as the importer stores it");
    if (text)
        return text_cell(cell, column, stmt, at, err);
    cell->value = sqlite3_column_int64(stmt, at);
    return data_column_check(column, cell->value, err);
}

static fm_status number_cell(struct data_cell *cell, const struct data_column *column,
                             int64_t unscaled, unsigned scale, struct base_err *err)
{
    enum data_kind kind = column->type.kind;

    if (kind == DATA_DATE || kind == DATA_TEXT)
        return base_err_set(err, FM_E_INPUT, "a number in a %s column",
                            kind == DATA_DATE ? "DATE" : "TEXT");
    if (!data_number_rescale(&cell->value, unscaled, scale, column->type.scale))
        return base_err_set(err, FM_E_INPUT, "a number that does not fit the column's type");
    return data_column_check(column, cell->value, err);
}

/* A natural value of somebody else's table. */
static fm_status plain_cell(struct data_cell *cell, const struct data_column *column,
                            sqlite3_stmt *stmt, int at, struct base_err *err)
{
    int64_t unscaled;
    unsigned scale;
    fm_status st;

    switch (sqlite3_column_type(stmt, at)) {
    case SQLITE_INTEGER:
        return number_cell(cell, column, sqlite3_column_int64(stmt, at), 0, err);
    case SQLITE_FLOAT:
        if (!data_number_from_real(&unscaled, &scale, sqlite3_column_double(stmt, at)))
            return base_err_set(err, FM_E_INPUT, "a REAL that is no decimal of at most 18 digits");
        return number_cell(cell, column, unscaled, scale, err);
    case SQLITE_TEXT:
        st = text_cell(cell, column, stmt, at, err);
        if (column->type.kind == DATA_TEXT || st == FM_E_MEMORY)
            return st;
        st = data_value_parse(&cell->value, &column->type, cell->text, cell->len, err);
        cell->text = NULL;
        cell->len = 0;
        return st == FM_OK ? data_column_check(column, cell->value, err) : st;
    default:
        return base_err_set(err, FM_E_INPUT, "a BLOB");
    }
}

static fm_status read_cell(struct data_rows *rows, size_t i, struct base_err *err)
{
    const struct data_column *column = &rows->schema->columns[rows->columns[i]];
    struct data_cell *cell = &rows->cells[i];
    int at = (int)i + 1;

    memset(cell, 0, sizeof *cell);
    if (sqlite3_column_type(rows->stmt, at) == SQLITE_NULL) {
        cell->null = true;
        if (!column->nullable)
            return base_err_set(err, FM_E_INPUT, "NULL in a column that is not nullable");
        return FM_OK;
    }
    return rows->scaled ? scaled_cell(cell, column, rows->stmt, at, err)
                        : plain_cell(cell, column, rows->stmt, at, err);
}

/* ---- rows ---- */

/* A fault of the data goes to the findings, if somebody gathers them; anything else ends the
 * reading. */
static fm_status fault(struct data_rows *rows, const char *column, const struct base_err *what,
                       struct base_err *err)
{
    long long rowid = (long long)sqlite3_column_int64(rows->stmt, 0);
    bool of_data = what->code == FM_E_INPUT || what->code == FM_E_CORRUPT;

    if (rows->findings != NULL && of_data) {
        data_findings_add(rows->findings, column, what->text, rowid);
        return FM_OK;
    }
    return base_err_set(err, what->code, "%s: %s, row %lld%s%s: %s", rows->store->db.path,
                        rows->table, rowid, column != NULL ? ", column " : "",
                        column != NULL ? column : "", what->text);
}

static fm_status read_row(struct data_rows *rows, struct base_err *err)
{
    struct base_err what;
    fm_status st = FM_OK;

    if (rows->taken++ >= rows->schema->rows) {
        (void)base_err_set(&what, FM_E_INPUT, "more rows than the %lld declared",
                           (long long)rows->schema->rows);
        st = fault(rows, NULL, &what, err);
    }
    for (size_t i = 0; st == FM_OK && i < rows->width; i++)
        if (read_cell(rows, i, &what) != FM_OK)
            st = fault(rows, rows->schema->columns[rows->columns[i]].name, &what, err);
    return st;
}

fm_status data_rows_next(const struct data_cell **row, int64_t *rowid, struct data_rows *rows,
                         struct base_err *err)
{
    bool more;
    fm_status st;

    *row = NULL;
    if (rows->dead)
        return base_err_set(err, FM_E_INPUT, "%s: %s: not read further after an error",
                            rows->store->db.path, rows->table);
    st = data_db_step(&more, &rows->store->db, rows->stmt, err);
    if (st == FM_OK && more) {
        st = read_row(rows, err);
        if (rowid != NULL)
            *rowid = sqlite3_column_int64(rows->stmt, 0);
        if (st == FM_OK)
            *row = rows->cells;
    }
    rows->dead = st != FM_OK;
    return st;
}

static fm_status source_next(void *ctx, const struct data_cell **row, struct base_err *err)
{
    return data_rows_next(row, NULL, ctx, err);
}

struct data_row_source data_rows_source(struct data_rows *rows)
{
    (void)sqlite3_reset(rows->stmt);
    rows->taken = 0;
    rows->dead = false;
    return (struct data_row_source){source_next, rows};
}

void data_rows_gather(struct data_rows *rows, struct data_findings *findings)
{
    rows->findings = findings;
}

size_t data_rows_width(const struct data_rows *rows)
{
    return rows->width;
}

/* ---- opening ---- */

/* An imported table is read by the types it was written with, or not at all. */
static fm_status check_stored(struct data_rows *rows, struct base_err *err)
{
    struct data_schema stored;
    enum data_origin origin;
    fm_status st =
        data_store_stored(&stored, &origin, &rows->scaled, rows->store, rows->table, err);

    if (st != FM_OK || !rows->scaled)
        return st;
    for (size_t i = 0; st == FM_OK && i < rows->width; i++) {
        const struct data_column *want = &rows->schema->columns[rows->columns[i]];
        size_t c = data_schema_find(&stored, want->name);
        const struct data_type *have = c == DATA_NO_COLUMN ? NULL : &stored.columns[c].type;
        /* The lengths of texts and the precision of decimals may differ: ranges bound values. */
        if (have == NULL || have->kind != want->type.kind || have->scale != want->type.scale)
            st = base_err_set(err, FM_E_INPUT,
                              "%s: %s, column %s: the table was imported with another type",
                              rows->store->db.path, rows->table, want->name);
    }
    data_schema_release(&stored);
    return st;
}

static fm_status prepare(struct data_rows *rows, struct base_err *err)
{
    struct base_buf sql = {0};
    fm_status st;

    base_buf_put_str(&sql, "SELECT _rowid_");
    for (size_t i = 0; i < rows->width; i++)
        base_buf_putf(&sql, ", \"%s\"", rows->schema->columns[rows->columns[i]].name);
    base_buf_putf(&sql, " FROM \"%s\" ORDER BY _rowid_", rows->table);
    st = base_buf_status(&sql, "table scan", err);
    if (st == FM_OK)
        st = data_db_prepare(&rows->stmt, &rows->store->db, base_buf_cstr(&sql), err);
    base_buf_release(&sql);
    return st;
}

static fm_status choose(struct data_rows *rows, const size_t *columns, size_t n,
                        struct base_err *err)
{
    rows->width = columns != NULL ? n : rows->schema->column_count;
    rows->columns = calloc(rows->width + 1, sizeof *rows->columns);
    rows->cells = calloc(rows->width + 1, sizeof *rows->cells);
    if (rows->columns == NULL || rows->cells == NULL)
        return base_err_memory(err, rows->store->db.path);
    for (size_t i = 0; i < rows->width; i++)
        rows->columns[i] = columns != NULL ? columns[i] : i;
    return FM_OK;
}

fm_status data_rows_open(struct data_rows **out, struct data_store *store, const char *table,
                         const struct data_schema *schema, const size_t *columns, size_t n,
                         struct base_err *err)
{
    struct data_rows *rows;
    fm_status st = data_store_find(store, table, err);

    *out = NULL;
    if (st != FM_OK)
        return st;
    rows = calloc(1, sizeof *rows);
    if (rows == NULL)
        return base_err_memory(err, store->db.path);
    rows->store = store;
    rows->schema = schema;
    memcpy(rows->table, table, strlen(table) + 1);
    st = choose(rows, columns, n, err);
    if (st == FM_OK)
        st = check_stored(rows, err);
    if (st == FM_OK)
        st = prepare(rows, err);
    if (st != FM_OK) {
        data_rows_free(rows);
        return st;
    }
    *out = rows;
    return FM_OK;
}

void data_rows_free(struct data_rows *rows)
{
    if (rows == NULL)
        return;
    (void)sqlite3_finalize(rows->stmt);
    free(rows->columns);
    free(rows->cells);
    free(rows);
}
