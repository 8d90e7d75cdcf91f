/* TPC-H's queries on the public data at scale 0.001, tables spread over three members, and all of
 * one. usage: tpch [--list] FOLDER        the folder has queries/, sf-0.001/ and
 * expected_sf-0.001/; exit codes as conformance's */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/data/csv.h"
#include "tests/sql/ask.h"
#include "tests/sql/verdict.h"

#define KEY "INTEGER NOT NULL"
#define MONEY "DECIMAL(15,2)"

struct table {
    const char *name, *member;
    size_t column_count;
    const char *columns[16];
};

static const struct table tables[] = {
    {"customer",
     "bank_a",
     8,
     {KEY, "VARCHAR", "VARCHAR", KEY, "VARCHAR", MONEY, "VARCHAR", "VARCHAR"}},
    {"lineitem",
     "bank_b",
     16,
     {KEY, KEY, KEY, KEY, MONEY, MONEY, MONEY, MONEY, "VARCHAR", "VARCHAR", "DATE", "DATE", "DATE",
      "VARCHAR", "VARCHAR", "VARCHAR"}},
    {"nation", "bank_a", 4, {KEY, "VARCHAR", KEY, "VARCHAR"}},
    {"orders",
     "bank_c",
     9,
     {KEY, KEY, "VARCHAR", MONEY, "DATE", "VARCHAR", "VARCHAR", KEY, "VARCHAR"}},
    {"part",
     "bank_b",
     9,
     {KEY, "VARCHAR", "VARCHAR", "VARCHAR", "VARCHAR", KEY, "VARCHAR", MONEY, "VARCHAR"}},
    {"partsupp", "bank_c", 5, {KEY, KEY, KEY, MONEY, "VARCHAR"}},
    {"region", "bank_a", 3, {KEY, "VARCHAR", "VARCHAR"}},
    {"supplier", "bank_c", 7, {KEY, "VARCHAR", "VARCHAR", KEY, "VARCHAR", MONEY, "VARCHAR"}},
};

/* Or all tables are this member's, which joins them by itself as far as it can. */
static const char *of_one;

static const char *owner_of(const char *table)
{
    if (of_one != NULL)
        return of_one;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (strcmp(tables[i].name, table) == 0)
            return tables[i].member;
    }
    return "bank_a";
}

static fm_status load(struct pool *pool, const char *folder, struct base_err *err)
{
    char path[512];

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        const struct pool_file file = {.path = path,
                                       .table = tables[i].name,
                                       .declared = tables[i].columns,
                                       .column_count = tables[i].column_count,
                                       .skip = 1,
                                       .ended = true,
                                       .separator = '|'};
        fm_status st;
        (void)snprintf(path, sizeof path, "%s/sf-0.001/%s.tbl", folder, tables[i].name);
        st = pool_load(pool, &file, err);
        if (st != FM_OK)
            return st;
    }
    return pool_read(pool, owner_of, err);
}

/* ---- one query ---- */

static char *read_text(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = calloc(1, 65536);

    if (f == NULL || text == NULL || fread(text, 1, 65535, f) == 0)
        abort();
    (void)fclose(f);
    return text;
}

/* Expected rows as a record that wants them in this order, unless nothing orders them. */
static void read_expected(struct slt_record *record, char **values, size_t cap, const char *path,
                          char *types)
{
    const struct data_csv_field *row;
    struct base_err err;
    struct data_csv *csv;

    if (data_csv_open(&csv, path, ',', &err) != FM_OK)
        abort();
    memset(types, 'T', data_csv_column_count(csv));
    types[data_csv_column_count(csv)] = '\0';
    while (data_csv_next(&row, csv, &err) == FM_OK && row != NULL) {
        for (size_t c = 0; c < data_csv_column_count(csv) && record->value_count < cap; c++)
            values[record->value_count++] =
                data_csv_is_null(&row[c]) ? strdup("NULL") : strndup(row[c].text, row[c].len);
    }
    record->values = values;
    record->types = types;
    data_csv_free(csv);
}

static void run_query(struct verdict *v, const struct pool *pool, const struct sql_catalog *catalog,
                      const char *folder, unsigned number)
{
    static char *values[1 << 16];
    struct slt_record record = {.kind = SLT_QUERY};
    char path[512], types[512], *sql;

    (void)snprintf(path, sizeof path, "%s/expected_sf-0.001/q%02u.csv", folder, number);
    read_expected(&record, values, sizeof values / sizeof *values, path, types);
    (void)snprintf(path, sizeof path, "%s/queries/q%02u.sql", folder, number);
    record.sql = sql = read_text(path);
    verdict_query(v, &record, pool, catalog, path);
    for (size_t i = 0; i < record.value_count; i++)
        free(values[i]);
    free(sql);
}

static void run(struct verdict *v, struct pool *pool, const struct sql_catalog *catalog,
                const char *folder)
{
    for (unsigned q = 1; q <= 22; q++)
        run_query(v, pool, catalog, folder, q);
}

int main(int argc, char **argv)
{
    static const struct verdict_program spread = {"TPC-H", "queries/q01.sql", load, run},
                                        together = {"TPC-H, all tables of one member",
                                                    "queries/q01.sql", load, run};
    int code = verdict_main(&spread, argc, argv);

    of_one = "bank_a";
    return code == 0 ? verdict_main(&together, argc, argv) : code;
}
