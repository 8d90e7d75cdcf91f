#include "exchange/data/import_infer.h"

#include <stdlib.h>
#include <string.h>

#include "exchange/data/infer.h"

fm_status data_import_tick(const struct data_progress *progress, const struct data_csv *csv,
                           enum data_import_pass pass, uint64_t rows, struct base_err *err)
{
    if (progress->tick == NULL ||
        progress->tick(progress->ctx, pass, rows, data_csv_bytes_read(csv),
                       data_csv_bytes_total(csv)))
        return FM_OK;
    return base_err_set(err, FM_E_CANCELLED, "%s: the import was cancelled", data_csv_name(csv));
}

bool data_import_name(char out[DATA_NAME_MAX + 1], const char *header)
{
    size_t len = strlen(header), at = 0;

    while (len > 0 && (header[len - 1] == ' ' || header[len - 1] == '\t'))
        len--;
    for (; len > 0 && (*header == ' ' || *header == '\t'); len--)
        header++;
    if (len > 0 && *header >= '0' && *header <= '9')
        out[at++] = '_';
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)header[i];
        bool fits =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c >= 0x80;
        if (at == DATA_NAME_MAX)
            return false;
        if (fits)
            out[at++] = (char)c;
        else if (at == 0 || out[at - 1] != '_' || c == '_')
            out[at++] = '_';
    }
    out[at] = '\0';
    return data_name_valid(out);
}

static fm_status name_column(struct data_import_result *result, const struct data_csv *csv,
                             struct base_err *err)
{
    struct data_schema *schema = &result->schema;
    size_t i = schema->column_count;
    const char *header = data_csv_column(csv, i);
    struct data_column *column = &schema->columns[i];
    fm_status st = FM_OK;

    if (!data_import_name(column->name, header))
        return base_err_set(err, FM_E_INPUT,
                            "%s: line 1: the name of column %zu cannot be made an identifier of at "
                            "most %d bytes: rename it",
                            data_csv_name(csv), i + 1, DATA_NAME_MAX);
    if (data_schema_find(schema, column->name) != DATA_NO_COLUMN)
        return base_err_set(err, FM_E_INPUT, "%s: line 1: there are two columns named %s",
                            data_csv_name(csv), column->name);
    if (strcmp(column->name, header) != 0)
        st = data_notes_add(&result->notes, err, "column %zu is named %s", i + 1, column->name);
    schema->column_count++;
    return st;
}

static fm_status read_all(struct data_infer *columns, uint64_t *rows, struct data_csv *csv,
                          const struct data_progress *progress, struct base_err *err)
{
    const struct data_csv_field *row;
    size_t n = data_csv_column_count(csv);
    fm_status st;

    for (*rows = 0;; (*rows)++) {
        st = data_csv_next(&row, csv, err);
        if (st != FM_OK || row == NULL)
            break;
        for (size_t i = 0; i < n; i++) {
            if (data_csv_is_null(&row[i]))
                data_infer_null(&columns[i]);
            else
                data_infer_text(&columns[i], row[i].text, row[i].len, *rows + 1);
        }
        if (*rows == DATA_ROWS_MAX)
            return base_err_set(err, FM_E_LIMIT, "%s: line %llu: more than %d rows",
                                data_csv_name(csv), (unsigned long long)row[0].line, DATA_ROWS_MAX);
        if (*rows % DATA_PROGRESS_ROWS == DATA_PROGRESS_ROWS - 1)
            st = data_import_tick(progress, csv, DATA_IMPORT_INFER, *rows + 1, err);
        if (st != FM_OK)
            return st;
    }
    return st == FM_OK ? data_import_tick(progress, csv, DATA_IMPORT_INFER, *rows, err) : st;
}

static fm_status finish(struct data_import_result *result, const struct data_infer *columns,
                        const struct data_csv *csv, struct base_err *err)
{
    char remark[DATA_INFER_REMARK], type[DATA_TYPE_TEXT];
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < result->schema.column_count; i++) {
        struct data_column *column = &result->schema.columns[i];
        st = data_infer_finish(column, remark, &columns[i], err);
        if (st != FM_OK)
            return base_err_prefix(err, "%s: column %s", data_csv_name(csv), column->name);
        data_type_format(type, &column->type);
        if (remark[0] != '\0')
            st = data_notes_add(&result->notes, err, "column %s is %s: %s", column->name, type,
                                remark);
    }
    return st;
}

fm_status data_import_infer(struct data_import_result *result, struct data_csv *csv,
                            const struct data_progress *progress, struct base_err *err)
{
    size_t n = data_csv_column_count(csv);
    struct data_infer *columns = calloc(n, sizeof *columns);
    struct data_schema *schema = &result->schema;
    uint64_t rows = 0;
    fm_status st = FM_OK;

    schema->columns = calloc(n, sizeof *schema->columns);
    schema->version = 1;
    if (columns == NULL || schema->columns == NULL)
        st = base_err_memory(err, "schema inference");
    while (st == FM_OK && schema->column_count < n)
        st = name_column(result, csv, err);
    if (st == FM_OK)
        st = read_all(columns, &rows, csv, progress, err);
    if (st == FM_OK)
        st = finish(result, columns, csv, err);
    schema->rows = rows > 0 ? (int64_t)rows : 1;
    free(columns);
    return st;
}
