#include "tests/sql/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/data/value.h"
#include "tests/sql/ask.h"

/* The error without place and names, so that equal reasons are counted together. */
static void count_reason(struct verdict *v, const char *text)
{
    char reason[sizeof v->reasons->text] = "";
    const char *colon = strstr(text, ": ");
    size_t len = 0, i;

    for (const char *p = colon != NULL ? colon + 2 : text; *p != '\0' && len + 2 < sizeof reason;
         p++) {
        if (*p == '\'') {
            const char *end = strchr(p + 1, '\'');
            reason[len++] = '\'';
            p = end != NULL ? end : p;
        } else if (*p < '0' || *p > '9') {
            reason[len++] = *p;
        }
    }
    for (i = 0; i < v->reason_count && strcmp(v->reasons[i].text, reason) != 0; i++)
        continue;
    if (i == sizeof v->reasons / sizeof *v->reasons)
        return;
    if (i == v->reason_count)
        memcpy(v->reasons[v->reason_count++].text, reason, sizeof reason);
    v->reasons[i].count++;
}

/* ---- how a file writes a value ---- */

/* 'I': truncated to an integer. 'R': three digits, as C's %.3f of the exact value. Else as it is.
 */
static char *written(const struct sql_result *result, size_t at, char letter)
{
    const struct sql_result_column *column = &result->columns[at % result->column_count];
    const struct sql_result_cell *cell = &result->cells[at];
    bool number = column->type.kind == DATA_INTEGER || column->type.kind == DATA_DECIMAL;
    char text[DATA_VALUE_TEXT] = "NULL";

    if (cell->state == SQL_CELL_VALUE && column->type.kind == DATA_TEXT)
        return strdup(cell->text);
    if (cell->state == SQL_CELL_VALUE)
        data_value_format(text, &column->type, cell->value);
    if (cell->state == SQL_CELL_VALUE && number && letter == 'I') {
        char *point = strchr(text, '.');
        if (point != NULL)
            *point = '\0';
        if (strcmp(text, "-0") == 0)
            (void)strcpy(text, "0");
    } else if (cell->state == SQL_CELL_VALUE && number && letter == 'R') {
        (void)snprintf(text, sizeof text, "%.3f", strtod(text, NULL));
    }
    return strdup(text);
}

static bool right(const struct slt_record *record, const struct sql_result *result)
{
    size_t count = result->row_count * result->column_count, letters = strlen(record->types);
    char **values = calloc(count + 1, sizeof *values), **own = calloc(count + 1, sizeof *own);
    bool agrees;

    if (values == NULL || own == NULL)
        abort();
    for (size_t i = 0; i < count; i++) {
        size_t column = i % result->column_count;
        own[i] = values[i] = written(result, i, column < letters ? record->types[column] : 'T');
    }
    agrees = slt_agrees(record, values, count, result->column_count);
    for (size_t i = 0; i < count; i++)
        free(own[i]);
    free(own);
    free(values);
    return agrees;
}

void verdict_refused(struct verdict *v, const char *text, const char *where, const char *sql)
{
    v->unsupported++;
    count_reason(v, text);
    if (v->list)
        printf("%s: %s\n%s\n", where, text, sql);
}

void verdict_query(struct verdict *v, const struct slt_record *record, const struct pool *pool,
                   const struct sql_catalog *catalog, const char *where)
{
    struct sql_result result = {0};
    struct base_err err = {0};

    if (ask(&result, pool, catalog, record->sql, &err) != FM_OK) {
        verdict_refused(v, err.text, where, record->sql);
        return;
    }
    if (right(record, &result)) {
        v->passed++;
    } else {
        v->wrong++;
        if (!v->quiet)
            printf("%s: WRONG\n%s\n", where, record->sql);
    }
    sql_result_release(&result);
}

static int by_count(const void *a, const void *b)
{
    const struct verdict_reason *x = a, *y = b;

    return (x->count < y->count) - (x->count > y->count);
}

int verdict_print(struct verdict *v, const char *what)
{
    qsort(v->reasons, v->reason_count, sizeof *v->reasons, by_count);
    for (size_t i = 0; i < v->reason_count; i++)
        printf("%6zu  %s\n", v->reasons[i].count, v->reasons[i].text);
    printf("%s: passed %zu, unsupported %zu, wrong %zu\n", what, v->passed, v->unsupported,
           v->wrong);
    return v->wrong > 0 ? 1 : 0;
}

int verdict_main(const struct verdict_program *program, int argc, char **argv)
{
    struct verdict v = {.list = argc > 2 && strcmp(argv[1], "--list") == 0};
    const char *folder = argc > 1 ? argv[argc - 1] : "";
    struct sql_catalog catalog = {0};
    struct base_err err = {0};
    struct pool pool = {0};
    char path[512];
    FILE *there;

    (void)snprintf(path, sizeof path, "%s/%s", folder, program->there);
    there = fopen(path, "r");
    if (there == NULL) {
        printf("skipped: the public files are not there\n");
        return 77;
    }
    (void)fclose(there);
    if (pool_open(&pool, &err) != FM_OK || program->load(&pool, folder, &err) != FM_OK ||
        ask_catalog(&catalog, &pool, &err) != FM_OK) {
        printf("%s\n", err.text);
        return 8;
    }
    program->run(&v, &pool, &catalog, folder);
    sql_catalog_release(&catalog);
    pool_close(&pool);
    return verdict_print(&v, program->what);
}
