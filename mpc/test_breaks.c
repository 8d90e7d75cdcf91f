#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mpc/debug/debug.h"
#include "mpc/test_breaks.h"

void breaks_must_name(const struct world *w, unsigned culprit)
{
    char name[8];

    (void)snprintf(name, sizeof name, "p%u", culprit);
    for (unsigned p = 0; p < w->parties; p++)
        if (p != culprit && w->status[p] != FM_OK && strstr(w->err[p].text, name) == NULL)
            fail_msg("party %u: %s: does not name %s", p, w->err[p].text, name);
}

static void run(struct world *w, const struct breaks *b)
{
    w->outsiders = 1;
    b->begin(b->story);
    world_run(w, b->tale, b->story);
}

void breaks_nothing(const struct breaks *b)
{
    struct world w = {.row = mpc_protocol_find("rep3"), .outsiders = 1};

    b->begin(b->story);
    world_must_run(&w, b->tale, b->story);
    b->judge(&w, b->story, WORLD_PARTIES);
}

unsigned breaks_parties(const struct breaks *b, unsigned culprits, uint64_t step)
{
    unsigned total = 0;

    for (unsigned culprit = 0; culprit < culprits; culprit++)
        for (uint64_t at = step == 1 ? 1 : 1 + culprit;; at += step) {
            struct world w = {.row = mpc_protocol_find("rep3"),
                              .fault_kind = NET_LOOP_KILL,
                              .fault_party = culprit,
                              .fault_at = at};

            run(&w, b);
            if (!w.fault_fired)
                break;
            assert_int_equal(w.status[culprit], FM_E_CANCELLED);
            b->judge(&w, b->story, culprit);
            total++;
        }
    print_message("%u deaths\n", total);
    return total;
}

unsigned breaks_operations(const struct breaks *b, uint64_t step)
{
    unsigned failed = 0;

    for (uint64_t at = 1;; at += step) {
        struct mpc_debug debug[WORLD_PARTIES];
        struct world w = {0};

        for (unsigned p = 0; p < WORLD_PARTIES; p++) {
            mpc_debug_init(&debug[p], mpc_protocol_find("rep3"));
            w.row_of[p] = &debug[p].row;
        }
        debug[1].fail_at = at;
        run(&w, b);
        if (w.status[1] == FM_OK)
            break;
        assert_int_equal(w.status[1], FM_E_IO);
        assert_non_null(strstr(w.err[1].text, "fails on demand"));
        b->judge(&w, b->story, 1);
        failed++;
    }
    print_message("%u operations failed\n", failed);
    return failed;
}

/* ---- memory: the linker sends every allocation of the program here (--wrap) ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
void __real_free(void *p);
void __wrap_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);

static _Thread_local uint64_t allocations_left; /* 0: not armed; 1: the next one fails */
static uint64_t fail_allocation;
static bool allocation_failed;

static bool refuse(void)
{
    if (allocations_left == 0 || --allocations_left > 0)
        return false;
    allocation_failed = true;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return refuse() ? NULL : __real_malloc(size);
}
void *__wrap_calloc(size_t count, size_t size)
{
    return refuse() ? NULL : __real_calloc(count, size);
}
void *__wrap_realloc(void *p, size_t size)
{
    return refuse() ? NULL : __real_realloc(p, size);
}

enum { BLOCKS = 4096 };
static pthread_mutex_t blocks_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    const uint8_t *p;
    size_t size;
} blocks[BLOCKS];
static unsigned blocks_freed;
static unsigned blocks_dirty;

void *__wrap_aligned_alloc(size_t align, size_t size)
{
    void *p = refuse() ? NULL : __real_aligned_alloc(align, size);

    pthread_mutex_lock(&blocks_lock);
    for (unsigned i = 0; p != NULL && i < BLOCKS; i++) {
        if (blocks[i].p != NULL)
            continue;
        blocks[i].p = p;
        blocks[i].size = size;
        break;
    }
    pthread_mutex_unlock(&blocks_lock);
    return p;
}

void __wrap_free(void *p)
{
    pthread_mutex_lock(&blocks_lock);
    for (unsigned i = 0; p != NULL && i < BLOCKS; i++) {
        uint8_t any = 0;

        if (blocks[i].p != p)
            continue;
        for (size_t k = 0; k < blocks[i].size; k++)
            any |= blocks[i].p[k];
        blocks[i].p = NULL;
        blocks_freed++;
        blocks_dirty += any != 0;
        break;
    }
    pthread_mutex_unlock(&blocks_lock);
    __real_free(p);
}

void breaks_blocks(unsigned *freed, unsigned *dirty)
{
    *freed = blocks_freed;
    *dirty = blocks_dirty;
}

static void arm(unsigned self)
{
    allocations_left = self == 2 ? fail_allocation : 0;
}

static void disarm(unsigned self)
{
    (void)self;
    allocations_left = 0;
}

uint64_t breaks_allocations(const struct breaks *b, uint64_t first, uint64_t step)
{
    uint64_t at;

    for (at = 1;; at += at < first ? 1 : step) {
        struct world w = {.row = mpc_protocol_find("rep3"),
                          .profile = b->profile,
                          .before = arm,
                          .after = disarm};

        fail_allocation = at;
        allocation_failed = false;
        run(&w, b);
        if (!allocation_failed)
            break;
        if (w.status[2] != FM_E_MEMORY)
            fail_msg("allocation %llu: %s", (unsigned long long)at, w.err[2].text);
        b->judge(&w, b->story, 2);
    }
    print_message("%llu allocations\n", (unsigned long long)at);
    return at;
}
