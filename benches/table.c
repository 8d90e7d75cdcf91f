#include "benches/table.h"

#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/data/import.h"

static fm_status schema_of(struct data_schema *out, const struct bench_table *table,
                           struct base_err *err)
{
    struct base_buf text = {0};
    json_t *json = NULL;
    fm_status st;

    *out = (struct data_schema){0};
    base_buf_putf(&text, "{\"version\":1,\"rows\":%lld,%s}",
                  (long long)(table->rows + 63) / 64 * 64, table->schema);
    st = base_buf_status(&text, "schema", err);
    if (st == FM_OK)
        st = base_json_parse(&json, base_buf_cstr(&text), text.len, err);
    if (st == FM_OK)
        st = data_schema_from_json(out, json, err);
    json_decref(json);
    base_buf_release(&text);
    return st;
}

static fm_status write_csv(const char *path, const struct bench_table *table, struct base_err *err)
{
    FILE *f = fopen(path, "w");
    fm_status st = FM_OK;

    if (f == NULL)
        return base_err_errno(err, path);
    table->put(f, table->arg);
    if (ferror(f) != 0)
        st = base_err_errno(err, path);
    if (fclose(f) != 0 && st == FM_OK)
        st = base_err_errno(err, path);
    return st;
}

fm_status bench_table_write(const char *folder, const struct bench_table *table, long long *rows,
                            struct base_err *err)
{
    struct data_import_result result;
    struct data_schema schema;
    char csv[1024], db[1024];
    struct data_import job = {.csv_path = csv,
                              .separator = ',',
                              .db_path = db,
                              .table = table->name,
                              .schema = &schema,
                              .mode = DATA_IMPORT_NEW};
    fm_status st;

    if (strlen(folder) > 900)
        return base_err_set(err, FM_E_ARG, "the folder's name is too long");
    st = schema_of(&schema, table, err);
    if (st != FM_OK)
        return st;
    (void)snprintf(csv, sizeof csv, "%s/%s.csv", folder, table->name);
    (void)snprintf(db, sizeof db, "%s/bank_%c.db", folder, 'a' + (char)table->bank);
    st = write_csv(csv, table, err);
    if (st == FM_OK)
        st = data_import(&result, &job, err);
    if (st == FM_OK)
        data_import_release(&result);
    (void)unlink(csv);
    *rows = schema.rows;
    data_schema_release(&schema);
    return st;
}
