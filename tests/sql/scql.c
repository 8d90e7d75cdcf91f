/* SCQL's regression queries against their expected rows, each table with the member that SCQL gives
 * it to. usage: scql [--list] FOLDER      the folder has data/ and expected/; exit codes as
 * conformance's Columns have the types that their names say; dates with a time of day have no type
 * here and come in as text. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "exchange/data/csv.h"
#include "tests/sql/ask.h"
#include "tests/sql/verdict.h"

/* alice_tbl_0 is alice's. */
static const char *owner_of(const char *table)
{
    static const char *const members[] = {"alice", "bob", "carol"};

    for (size_t i = 0; i < 3; i++) {
        if (strncmp(table, members[i], strlen(members[i])) == 0)
            return members[i];
    }
    return members[0];
}

static fm_status load_table(struct pool *pool, const char *path, const char *name,
                            struct base_err *err)
{
    const char *declared[DATA_CSV_COLUMNS_MAX];
    struct pool_file file = {
        .path = path, .table = name, .declared = declared, .separator = ',', .empty_text = true};
    struct data_csv *csv;
    fm_status st = data_csv_open(&csv, path, ',', err);

    if (st != FM_OK)
        return st;
    file.column_count = data_csv_column_count(csv);
    for (size_t c = 0; c < file.column_count; c++) {
        const char *column = data_csv_column(csv, c);
        declared[c] = strstr(column, "_int_") != NULL     ? "INTEGER"
                      : strstr(column, "_float_") != NULL ? "REAL"
                                                          : "TEXT";
    }
    data_csv_free(csv);
    return pool_load(pool, &file, err);
}

static fm_status load(struct pool *pool, const char *folder, struct base_err *err)
{
    char path[512], name[256];
    struct dirent *entry;
    fm_status st = FM_OK;
    DIR *dir;

    (void)snprintf(path, sizeof path, "%s/data", folder);
    dir = opendir(path);
    while (st == FM_OK && dir != NULL && (entry = readdir(dir)) != NULL) {
        size_t len = strlen(entry->d_name);
        if (len < 5 || len >= sizeof name || strcmp(entry->d_name + len - 4, ".csv") != 0)
            continue;
        (void)snprintf(name, sizeof name, "%.*s", (int)(len - 4), entry->d_name);
        (void)snprintf(path, sizeof path, "%s/data/%s", folder, entry->d_name);
        st = load_table(pool, path, name, err);
    }
    if (dir != NULL)
        (void)closedir(dir);
    return st == FM_OK ? pool_read(pool, owner_of, err) : st;
}

/* ---- one query ---- */

static char *value_text(const json_t *value)
{
    char text[64] = "NULL";

    if (json_is_string(value))
        return strdup(json_string_value(value));
    if (json_is_integer(value))
        (void)snprintf(text, sizeof text, "%lld", (long long)json_integer_value(value));
    else if (json_is_real(value))
        (void)snprintf(text, sizeof text, "%.9f", json_real_value(value));
    else if (json_is_boolean(value))
        (void)snprintf(text, sizeof text, "%d", json_is_true(value));
    return strdup(text);
}

/* The expected rows are the oracle's: its text, with alice_tbl_0 for alice.tbl_0. SCQL leaves small
 * groups out without saying so; the oracle's text says so. */
static char *query_text(const json_t *query)
{
    char *text = strdup(json_string_value(json_object_get(query, "oracle_query")));

    if (text == NULL)
        abort();
    for (char *at = strstr(text, ".tbl_"); at != NULL; at = strstr(at, ".tbl_"))
        *at = '_';
    for (char *at = strchr(text, '"'); at != NULL; at = strchr(at, '"'))
        *at = '\''; /* MySQL's other quotes */
    for (char *at = strstr(text, ".UPPER_"); at != NULL; at = strstr(at, ".UPPER_"))
        *at = '_';
    return text;
}

/* Expected as MySQL has it. */
static bool divides_integers(const char *name)
{
    return strcmp(name, "arithmetic (divide)") == 0 ||
           strcmp(name, "arithmetic (divide) where(null)") == 0;
}

static void run_query(struct verdict *v, const struct pool *pool, const struct sql_catalog *catalog,
                      const json_t *query)
{
    const json_t *rows = json_object_get(query, "rows"), *row;
    size_t columns = json_array_size(json_object_get(query, "columns")), r;
    struct slt_record record = {.kind = SLT_QUERY, .sort = SLT_ROWSORT};
    char **values = calloc(json_array_size(rows) * columns + 1, sizeof *values);
    char types[DATA_CSV_COLUMNS_MAX] = "", *text = query_text(query);

    if (divides_integers(json_string_value(json_object_get(query, "name")))) {
        verdict_refused(
            v, "integers divide into decimals in MySQL, and are cut off in SQLite and here", "",
            text);
        free(values);
        free(text);
        return;
    }
    memset(types, 'T', columns);
    record.types = types;
    record.sql = text;
    record.values = values;
    json_array_foreach(rows, r, row)
    {
        for (size_t c = 0; c < columns; c++)
            values[record.value_count++] = value_text(json_array_get(row, c));
    }
    verdict_query(v, &record, pool, catalog, json_string_value(json_object_get(query, "name")));
    for (size_t i = 0; i < record.value_count; i++)
        free(values[i]);
    free(values);
    free(text);
}

/* Queries without rows that can be compared (no oracle, or cut short) are left out, and counted. */
static size_t run_file(struct verdict *v, const struct pool *pool,
                       const struct sql_catalog *catalog, const char *folder, const char *name)
{
    size_t left_out = 0, i;
    char path[512];
    json_t *all, *query;

    (void)snprintf(path, sizeof path, "%s/expected/%s.expected.json", folder, name);
    all = json_load_file(path, 0, NULL);
    json_array_foreach(all, i, query)
    {
        if (json_object_get(query, "rows") == NULL ||
            json_object_get(query, "rows_truncated_to") != NULL)
            left_out++;
        else
            run_query(v, pool, catalog, query);
    }
    json_decref(all);
    return left_out;
}

static void run(struct verdict *v, struct pool *pool, const struct sql_catalog *catalog,
                const char *folder)
{
    size_t left_out = run_file(v, pool, catalog, folder, "single_party");

    left_out += run_file(v, pool, catalog, folder, "two_parties");
    printf("%zu queries have no rows to compare with\n", left_out);
}

int main(int argc, char **argv)
{
    static const struct verdict_program program = {"SCQL", "two_parties.json", load, run};

    return verdict_main(&program, argc, argv);
}
