#include "exchange/sql/plan/catalog.h"

#include <string.h>
#include <strings.h>

void sql_catalog_release(struct sql_catalog *catalog)
{
    sql_arena_release(&catalog->arena);
    *catalog = (struct sql_catalog){0};
}

const struct sql_dataset *sql_catalog_find(const struct sql_catalog *catalog, const char *member,
                                           const char *name)
{
    for (size_t i = 0; i < catalog->dataset_count; i++) {
        const struct sql_dataset *d = &catalog->datasets[i];
        if (strcmp(d->member, member) == 0 && strcmp(d->name, name) == 0)
            return d;
    }
    return NULL;
}

const struct sql_column *sql_dataset_column(const struct sql_dataset *dataset, const char *name)
{
    const struct sql_column *other = NULL;
    size_t matches = 0;

    for (size_t i = 0; i < dataset->column_count; i++) {
        const struct sql_column *c = &dataset->columns[i];
        if (strcmp(c->name, name) == 0)
            return c;
        if (strcasecmp(c->name, name) == 0) {
            other = c;
            matches++;
        }
    }
    return matches == 1 ? other : NULL;
}

int64_t sql_dataset_key(const struct sql_dataset *dataset, const char *column)
{
    int64_t most = 0;

    for (size_t i = 0; i < dataset->key_count; i++) {
        if (strcmp(dataset->keys[i].column, column) == 0)
            most = dataset->keys[i].max_rows;
    }
    if (most == 0 && dataset->subject_column != NULL &&
        strcmp(dataset->subject_column, column) == 0)
        most = dataset->max_rows_per_subject;
    return most;
}
