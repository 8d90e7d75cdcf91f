#include "tests/sql/oracle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool oracle_ask(struct slt_record *record, struct pool *pool, const char *lite, char *types,
                size_t types_size)
{
    char **values = NULL;
    size_t columns;
    sqlite3_stmt *s;
    bool done;

    if (sqlite3_prepare_v2(pool->db, lite, -1, &s, NULL) != SQLITE_OK) {
        printf("sqlite: %s\n%s\n", sqlite3_errmsg(pool->db), lite);
        exit(8);
    }
    columns = (size_t)sqlite3_column_count(s);
    memset(types, 0, types_size);
    memset(types, 'T', columns < types_size ? columns : types_size - 1);
    while (sqlite3_step(s) == SQLITE_ROW) {
        values = realloc(values, (record->value_count + columns) * sizeof *values);
        if (values == NULL)
            abort();
        for (size_t c = 0; c < columns; c++) {
            const char *text = (const char *)sqlite3_column_text(s, (int)c);
            values[record->value_count++] = strdup(text != NULL ? text : "NULL");
        }
    }
    done = sqlite3_finalize(s) == SQLITE_OK; /* integer overflow: no oracle */
    record->types = types;
    record->values = values;
    return done;
}

void oracle_release(struct slt_record *record)
{
    for (size_t i = 0; i < record->value_count; i++)
        free(record->values[i]);
    free((void *)record->values);
    record->values = NULL;
    record->value_count = 0;
}
