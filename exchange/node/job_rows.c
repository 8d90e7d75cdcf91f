#include "exchange/node/job_rows.h"

#include <stdlib.h>
#include <string.h>

static fm_status find_columns(struct job_rows *r, const struct sql_plan *plan, size_t table,
                              struct base_err *err)
{
    for (size_t i = 0; i < plan->column_count; i++) {
        if (plan->columns[i].table != table)
            continue;
        r->place[r->columns] = i;
        r->index[r->columns] = data_schema_find(&r->rows->schema, plan->columns[i].name);
        if (r->index[r->columns++] == DATA_NO_COLUMN)
            return base_err_set(err, FM_E_NOT_FOUND, "%s has no column %s", r->rows->table,
                                plan->columns[i].name);
    }
    r->count = r->columns;
    if (r->count == 0) { /* It still counts rows: any one column will do to walk them. */
        r->index[0] = 0;
        r->count = 1;
    }
    return FM_OK;
}

static const struct data_column *schema_of(const struct job_rows *r, size_t i)
{
    return &r->rows->schema.columns[r->index[i]];
}

fm_status job_rows_init(struct job_rows *out, struct node_rows *rows, const struct sql_plan *plan,
                        size_t table, struct columns *cache, struct base_err *err)
{
    *out = (struct job_rows){.rows = rows};
    if (rows == NULL)
        return FM_OK;
    if (find_columns(out, plan, table, err) != FM_OK)
        return err->code;
    for (size_t i = 0; rows->rooted && i < out->count; i++)
        out->column[i] = columns_find(cache, rows->root, schema_of(out, i)->name);
    return FM_OK;
}

static void forget_columns(struct job_rows *r)
{
    for (size_t i = 0; i < r->count; i++) {
        column_release(r->column[i]);
        r->column[i] = NULL;
    }
}

fm_status job_rows_open(struct job_rows *r, struct base_err *err)
{
    bool all = r->rows != NULL;

    for (size_t i = 0; i < r->count; i++)
        all = all && r->column[i] != NULL;
    if (r->rows == NULL || all)
        return FM_OK;
    forget_columns(r);
    for (size_t i = 0; r->rows->rooted && i < r->count; i++)
        if (schema_of(r, i)->type.kind != DATA_TEXT) /* NULL: then it is not kept */
            r->column[i] =
                column_new(r->rows->root, schema_of(r, i)->name, (size_t)r->rows->schema.rows);
    return data_rows_open(&r->reader, r->rows->store, r->rows->table, &r->rows->schema, r->index,
                          r->count, err);
}

static void next_from_memory(struct job_rows *r, struct sql_cell *cells, bool *end)
{
    *end = r->at == column_rows(r->column[0]);
    for (size_t i = 0; !*end && i < r->columns; i++) {
        struct data_cell cell = column_cell(r->column[i], r->at);
        cells[r->place[i]] = (struct sql_cell){.null = cell.null, .value = cell.value};
    }
    r->at += !*end;
}

fm_status job_rows_next(void *ctx, struct sql_cell *cells, bool *end, struct base_err *err)
{
    struct job_rows *r = ctx;
    const struct data_cell *row;

    if (r->reader == NULL) {
        next_from_memory(r, cells, end);
        return FM_OK;
    }
    if (data_rows_next(&row, NULL, r->reader, err) != FM_OK)
        return err->code;
    *end = row == NULL;
    r->whole = r->whole || *end;
    for (size_t i = 0; row != NULL && i < r->count; i++) {
        if (r->column[i] != NULL && !column_add(r->column[i], &row[i]))
            return base_err_set(err, FM_E_INPUT, "%s has more rows than its schema declares",
                                r->rows->table);
        if (i < r->columns)
            cells[r->place[i]] =
                (struct sql_cell){row[i].null, row[i].value, row[i].text, row[i].len};
    }
    return FM_OK;
}

void job_rows_keep(struct job_rows *r, struct columns *cache)
{
    for (size_t i = 0; r->reader != NULL && r->whole && i < r->count; i++)
        if (r->column[i] != NULL)
            columns_put(cache, r->column[i]);
}

void job_rows_release(struct job_rows *r)
{
    forget_columns(r);
    data_rows_free(r->reader);
    node_rows_free(r->rows);
    *r = (struct job_rows){.rows = NULL};
}

void job_rows_free_all(struct job_rows *rows, size_t count)
{
    for (size_t i = 0; rows != NULL && i < count; i++)
        job_rows_release(&rows[i]);
    free(rows);
}
