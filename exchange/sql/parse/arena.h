/* Memory that is freed all at once: a parse tree or a plan lives in one arena. */
#ifndef FIRMIANA_EXCHANGE_SQL_PARSE_ARENA_H
#define FIRMIANA_EXCHANGE_SQL_PARSE_ARENA_H

#include <stddef.h>

/* {0} is an empty arena. Blocks never move, so pointers into it hold until sql_arena_release(). */
struct sql_arena {
    struct sql_arena_block *head;
};

void sql_arena_release(struct sql_arena *arena);

/* len zeroed bytes aligned for any type; NULL when memory is out. len 0 gives a valid pointer. */
void *sql_arena_alloc(struct sql_arena *arena, size_t len);
/* count * size zeroed bytes; NULL when memory is out or the product overflows. */
void *sql_arena_array(struct sql_arena *arena, size_t count, size_t size);
/* A NUL-terminated copy; NULL when memory is out. */
char *sql_arena_text(struct sql_arena *arena, const char *text);

#endif
