#include "exchange/sql/parse/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 16384 };

struct sql_arena_block {
    struct sql_arena_block *next;
    size_t used;
    size_t cap;
    alignas(max_align_t) unsigned char bytes[];
};

void sql_arena_release(struct sql_arena *arena)
{
    struct sql_arena_block *b = arena->head;

    while (b != NULL) {
        struct sql_arena_block *next = b->next;
        free(b);
        b = next;
    }
    arena->head = NULL;
}

static struct sql_arena_block *add_block(struct sql_arena *arena, size_t len)
{
    size_t cap = len > BLOCK_SIZE ? len : BLOCK_SIZE;
    struct sql_arena_block *b = calloc(1, sizeof *b + cap);

    if (b == NULL)
        return NULL;
    b->cap = cap;
    b->next = arena->head;
    arena->head = b;
    return b;
}

void *sql_arena_alloc(struct sql_arena *arena, size_t len)
{
    const size_t unit = alignof(max_align_t);
    struct sql_arena_block *b = arena->head;
    void *p;

    if (len > SIZE_MAX / 2)
        return NULL;
    len = (len + unit - 1) / unit * unit;
    if (b == NULL || b->cap - b->used < len)
        b = add_block(arena, len);
    if (b == NULL)
        return NULL;
    p = b->bytes + b->used;
    b->used += len;
    return p;
}

void *sql_arena_array(struct sql_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return sql_arena_alloc(arena, count * size);
}

char *sql_arena_text(struct sql_arena *arena, const char *text)
{
    size_t len = strlen(text) + 1;
    char *copy = sql_arena_alloc(arena, len);

    if (copy != NULL)
        memcpy(copy, text, len);
    return copy;
}
