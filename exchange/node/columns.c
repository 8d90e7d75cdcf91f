#include "exchange/node/columns.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"

struct column {
    atomic_uint holders;
    uint8_t root[32];
    char name[DATA_NAME_MAX + 1];
    size_t rows, cap;
    uint8_t *null;
    int64_t value[];
};

static size_t bytes_of(const struct column *c)
{
    return sizeof *c + c->cap * (sizeof c->value[0] + sizeof c->null[0]);
}

struct column *column_new(const uint8_t root32[32], const char *name, size_t rows)
{
    struct column *c = NULL;

    if (rows <= (SIZE_MAX - sizeof *c) / 16)
        c = malloc(sizeof *c + rows * (sizeof c->value[0] + sizeof c->null[0]));
    if (c == NULL)
        return NULL;
    atomic_init(&c->holders, 1);
    memcpy(c->root, root32, sizeof c->root);
    (void)snprintf(c->name, sizeof c->name, "%s", name);
    c->rows = 0;
    c->cap = rows;
    c->null = (uint8_t *)(c->value + rows);
    return c;
}

bool column_add(struct column *column, const struct data_cell *cell)
{
    if (column->rows == column->cap)
        return false;
    column->value[column->rows] = cell->value;
    column->null[column->rows++] = cell->null;
    return true;
}

struct column *column_hold(struct column *column)
{
    atomic_fetch_add(&column->holders, 1);
    return column;
}

void column_release(struct column *column)
{
    if (column == NULL || atomic_fetch_sub(&column->holders, 1) > 1)
        return;
    base_wipe(column, bytes_of(column));
    free(column);
}

size_t column_rows(const struct column *column)
{
    return column->rows;
}

struct data_cell column_cell(const struct column *column, size_t i)
{
    return (struct data_cell){.null = column->null[i] != 0, .value = column->value[i]};
}

/* ---- the cache ---- */

struct columns_entry {
    struct columns_entry *next;
    struct column *column;
};

static bool is_it(const struct column *c, const uint8_t root32[32], const char *name)
{
    return memcmp(c->root, root32, sizeof c->root) == 0 && strcmp(c->name, name) == 0;
}

static struct columns_entry **look(struct columns *columns, const uint8_t root32[32],
                                   const char *name)
{
    struct columns_entry **at = &columns->first;

    while (*at != NULL && !is_it((*at)->column, root32, name))
        at = &(*at)->next;
    return at;
}

static void drop(struct columns_entry **at)
{
    struct columns_entry *e = *at;

    *at = e->next;
    column_release(e->column);
    free(e);
}

/* Those that no longer fit go, the longest unused first. */
static void shrink(struct columns *columns)
{
    struct columns_entry **at = &columns->first;
    uint64_t bytes = 0;

    while (*at != NULL) {
        bytes += bytes_of((*at)->column);
        if (bytes > columns->limit)
            drop(at);
        else
            at = &(*at)->next;
    }
}

void columns_put(struct columns *columns, struct column *column)
{
    struct columns_entry *e;

    if (bytes_of(column) > columns->limit || *look(columns, column->root, column->name) != NULL)
        return;
    e = malloc(sizeof *e);
    if (e == NULL)
        return;
    *e = (struct columns_entry){columns->first, column_hold(column)};
    columns->first = e;
    shrink(columns);
}

struct column *columns_find(struct columns *columns, const uint8_t root32[32], const char *name)
{
    struct columns_entry **at = look(columns, root32, name), *e = *at;

    if (e == NULL)
        return NULL;
    *at = e->next;
    e->next = columns->first;
    columns->first = e;
    return column_hold(e->column);
}

void columns_clear(struct columns *columns)
{
    while (columns->first != NULL)
        drop(&columns->first);
}
