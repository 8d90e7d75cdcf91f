/* Where an input lies while a target runs: at the very end of what may be read. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

/* The sanitizer's; without it they are not there. */
void __asan_poison_memory_region(void const volatile *p, size_t n) __attribute__((weak));

static uint8_t *room; /* up to the page that nobody may touch */
static size_t room_len;

static void make_room(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    room_len = (fuzz_target.max_len + page) / page * page;
    fuzz_law(posix_memalign((void **)&room, page, room_len + page) == 0 &&
                 mprotect(room + room_len, page, PROT_NONE) == 0,
             "there is memory for an input");
}

void fuzz_run(const uint8_t *data, size_t size)
{
    uint8_t *exact;

    fuzz_arena_clear();
    if (__asan_poison_memory_region != NULL) { /* a block of its own, of exactly that length */
        exact = malloc(size > 0 ? size : 1);
        fuzz_law(exact != NULL, "there is memory for an input");
    } else {
        if (room == NULL)
            make_room();
        fuzz_law(size <= room_len, "an input is no longer than the target says");
        exact = room + room_len - size;
    }
    if (size > 0)
        memcpy(exact, data, size);
    fuzz_target.run(exact, size);
    if (__asan_poison_memory_region != NULL)
        free(exact);
}
