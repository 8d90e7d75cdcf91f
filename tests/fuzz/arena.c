/* JSON trees of the inputs live in an arena: under the sanitizers an allocation of jansson's costs
 * more than what is done with it. Poisoned bytes stand between the blocks, and freed ones are
 * poisoned and not used again before the next input, so overruns and uses after free are still
 * seen; and what an input leaves behind is seen at once, not when the process ends. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

enum { ARENA = 64 << 20, GAP = 16 };

/* The sanitizer's; without it they are not there. */
void __asan_poison_memory_region(void const volatile *p, size_t n) __attribute__((weak));
void __asan_unpoison_memory_region(void const volatile *p, size_t n) __attribute__((weak));

static uint8_t *arena;
static uint32_t *lengths; /* of the block that begins at each multiple of GAP */
static size_t used;
static size_t live; /* blocks */

static void poison(void *p, size_t n)
{
    if (__asan_poison_memory_region != NULL)
        __asan_poison_memory_region(p, n);
}

static void unpoison(void *p, size_t n)
{
    if (__asan_unpoison_memory_region != NULL)
        __asan_unpoison_memory_region(p, n);
}

static bool is_ours(const void *p)
{
    return (const uint8_t *)p >= arena && (const uint8_t *)p < arena + ARENA;
}

/* A block, then a gap. */
static void *take(size_t n)
{
    size_t room = (n + 2 * GAP - 1) / GAP * GAP;
    uint8_t *p = arena + used;

    fuzz_law(n <= ARENA && used + room <= ARENA, "an input's JSON trees stay below 64 MiB");
    unpoison(p, n);
    lengths[used / GAP] = (uint32_t)n;
    used += room;
    live++;
    return p;
}

static void give(void *p)
{
    if (p == NULL)
        return;
    if (!is_ours(p)) { /* a specimen's, from before */
        free(p);
        return;
    }
    poison(p, lengths[((uint8_t *)p - arena) / GAP]);
    live--;
}

void fuzz_arena_begin(void)
{
    arena = malloc(ARENA);
    lengths = calloc(ARENA / GAP, sizeof *lengths);
    fuzz_law(arena != NULL && lengths != NULL, "there is memory for JSON trees");
    poison(arena, ARENA);
    json_set_alloc_funcs(take, give);
}

void fuzz_arena_clear(void)
{
    fuzz_law(live == 0, "an input's JSON trees are all let go");
    used = 0;
}

void fuzz_arena_end(void)
{
    json_set_alloc_funcs(malloc, free);
    unpoison(arena, ARENA);
    free(arena);
    free(lengths);
}
