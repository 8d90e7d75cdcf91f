/* Fault loops over one program that uses every interactive operation: a party dies at each of its
 * messages, a message is lost, an outside owner deals inconsistent shares, an operation fails, an
 * allocation fails. Each time every party ends with the right answer or a named error, and nobody
 * hangs; the sanitizer build watches for leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mpc/circuit/aggregate.h"
#include "mpc/circuit/compare.h"
#include "mpc/circuit/divide.h"
#include "mpc/circuit/select.h"
#include "mpc/debug/debug.h"
#include "mpc/test_world.h"

enum { N = 70, RIGHT_ANSWERS = 5 };

struct story {
    int64_t answer[WORLD_PARTIES][RIGHT_ANSWERS];
    int64_t x[N];
    int64_t y[N];
};

static const int64_t right[RIGHT_ANSWERS] = {69 * 35, 69, 35, 34,
                                             19}; /* sum, max, count, mean rounded, ... */

/* x = 0..69 of party 0, y = 35 of the outsider. Parties 0 and 3 are told. */
static fm_status tale(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct story *story = arg;
    unsigned self = mpc_session_self(s);
    bool told = self == 0 || self == 3;
    struct mpc_input items[2] = {{.domain = MPC_RING64,
                                  .owner = 0,
                                  .n = N,
                                  .range = {0, 100},
                                  .values = self == 0 ? story->x : NULL},
                                 {.domain = MPC_RING64,
                                  .owner = 3,
                                  .n = N,
                                  .range = {0, 100},
                                  .values = self == 3 ? story->y : NULL}};
    struct mpc_share *in[2] = {NULL};
    struct mpc_share *z[12] = {NULL};
    struct mpc_perm *perm = NULL;
    int64_t *out[RIGHT_ANSWERS];
    int64_t opened[N];
    int64_t *place = opened;
    uint8_t coin[16];
    fm_status status;

    TRY(mpc_input(s, in, items, 2, err));
    TRY(mpc_less(&z[0], in[0], in[1], err));  /* 35 times */
    TRY(mpc_equal(&z[1], in[0], in[1], err)); /* once */
    TRY(mpc_or(&z[2], z[0], z[1], err));
    TRY(mpc_bits_constant(s, &z[3], -1, 1, N, err));
    TRY(mpc_sum_where(&z[4], in[0], z[3], err));        /* 69 * 35 */
    TRY(mpc_max_where(&z[5], &z[6], in[0], z[3], err)); /* 69 */
    TRY(mpc_count(&z[7], z[0], err));                   /* 35 */
    TRY(mpc_slice(&z[8], in[1], 0, 1, err));
    TRY(mpc_divide(&z[9], &z[10], z[4], z[5], err)); /* 35, 0 */
    TRY(mpc_add_constant(&z[11], z[9], -1, err));    /* 34 */
    mpc_share_free(z[10]);
    TRY(mpc_constant(s, &z[10], 19, 1, err));
    TRY(mpc_perm_random(s, &perm, N, err));
    {
        struct mpc_share *moved = NULL;
        status =
            mpc_perm_apply(perm, MPC_FORWARD, &moved, (const struct mpc_share *const *)in, 1, err);
        mpc_perm_free(perm);
        TRY(status);
        /* the sorted opened column is 0..69 whatever the data's order: nothing is said by it */
        TRY(mpc_open_masked((const struct mpc_share *const *)&moved, 1, &place, err));
        mpc_share_free(moved);
    }
    TRY(mpc_coin(s, coin, sizeof coin, err));
    for (unsigned i = 0; i < RIGHT_ANSWERS; i++)
        out[i] = &story->answer[self][i];
    return mpc_reveal((const struct mpc_share *const[]){z[4], z[5], z[7], z[11], z[10]},
                      RIGHT_ANSWERS, (const unsigned[]){0, 3}, 2, told ? out : NULL, err);
}

static void story_new(struct story *story)
{
    memset(story, 0, sizeof *story);
    for (int i = 0; i < N; i++) {
        story->x[i] = i;
        story->y[i] = 35;
    }
}

/* Every party ended well with the right answer, or with an error that names somebody. */
static void all_is_told_or_named(const struct world *w, const struct story *story, unsigned culprit)
{
    for (unsigned p = 0; p < w->parties; p++) {
        char name[8];

        if (w->status[p] == FM_OK && (p == 0 || p == 3))
            assert_memory_equal(story->answer[p], right, sizeof right);
        if (w->status[p] == FM_OK || p == culprit)
            continue;
        snprintf(name, sizeof name, "p%u", culprit);
        if (strstr(w->err[p].text, name) == NULL || strncmp(w->err[p].text, "rep3 ", 5) != 0)
            fail_msg("party %u: %s: does not name %s and the operation", p, w->err[p].text, name);
        assert_int_equal(w->status[p], FM_E_PEER);
    }
}

static void without_faults(void **state)
{
    struct world w = {.row = mpc_protocol_find("rep3"), .outsiders = 1};
    struct story story;

    (void)state;
    story_new(&story);
    world_must_run(&w, tale, &story);
    all_is_told_or_named(&w, &story, WORLD_PARTIES);
}

static void a_party_dies_at_each_message(void **state)
{
    unsigned total = 0;

    (void)state;
    for (unsigned culprit = 0; culprit < 4; culprit++) {
        for (uint64_t at = 1;; at++) {
            struct world w = {.row = mpc_protocol_find("rep3"),
                              .outsiders = 1,
                              .fault_kind = NET_LOOP_KILL,
                              .fault_party = culprit,
                              .fault_at = at};
            struct story story;

            story_new(&story);
            world_run(&w, tale, &story);
            if (!w.fault_fired)
                break;
            assert_int_equal(w.status[culprit], FM_E_CANCELLED);
            all_is_told_or_named(&w, &story, culprit);
            total++;
        }
    }
    print_message("%u deaths\n", total);
    assert_true(total > 300);
}

static void a_message_is_lost(void **state)
{
    (void)state;
    for (uint64_t at = 1; at < 400; at += 37) {
        struct world w = {.row = mpc_protocol_find("rep3"),
                          .outsiders = 1,
                          .fault_kind = NET_LOOP_DROP,
                          .fault_party = NET_LOOP_ANY,
                          .fault_at = at,
                          .timeout_ms = 150};
        struct story story;
        bool failed = false;

        story_new(&story);
        world_run(&w, tale, &story);
        for (unsigned p = 0; p < w.parties; p++) {
            failed = failed || w.status[p] != FM_OK;
            if (w.status[p] != FM_OK)
                assert_true(w.status[p] == FM_E_TIMEOUT || w.status[p] == FM_E_PEER);
        }
        assert_true(failed || !w.fault_fired);
    }
}

/* Each of the outside owner's messages altered in turn: the holders notice and name it. */
static void inconsistent_shares_are_noticed(void **state)
{
    (void)state;
    for (uint64_t at = 1; at <= 6; at++) {
        struct world w = {.row = mpc_protocol_find("rep3"),
                          .outsiders = 1,
                          .fault_kind = NET_LOOP_ALTER,
                          .fault_party = 3,
                          .fault_at = at,
                          .fault_bit = 77};
        struct story story;
        bool named = false;

        story_new(&story);
        world_run(&w, tale, &story);
        assert_true(w.fault_fired);
        for (unsigned p = 0; p < 3; p++) {
            assert_int_equal(w.status[p], FM_E_PEER);
            named =
                named || strstr(w.err[p].text, "rep3 input: p3 sent different shares to") != NULL;
        }
        assert_true(named);
        assert_int_not_equal(w.status[3], FM_OK);
    }
}

static void an_operation_fails(void **state)
{
    unsigned failed = 0;

    (void)state;
    for (uint64_t at = 1;; at++) {
        struct mpc_debug debug[WORLD_PARTIES];
        struct world w = {.outsiders = 1};
        struct story story;

        for (unsigned p = 0; p < WORLD_PARTIES; p++) {
            mpc_debug_init(&debug[p], mpc_protocol_find("rep3"));
            w.row_of[p] = &debug[p].row;
        }
        debug[1].fail_at = at;
        story_new(&story);
        world_run(&w, tale, &story);
        if (w.status[1] == FM_OK)
            break;
        assert_int_equal(w.status[1], FM_E_IO);
        assert_non_null(strstr(w.err[1].text, "fails on demand"));
        for (unsigned p = 0; p < 4; p++)
            if (p != 1 && w.status[p] != FM_OK)
                assert_non_null(strstr(w.err[p].text, "p1"));
        failed++;
    }
    print_message("%u operations failed\n", failed);
    assert_true(failed > 50);
}

/* The linker sends every allocation of this program here (--wrap). */
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

/* Shares, generator buffers and staging are the aligned blocks: each must be zero when it is freed.
 */
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

static void arm(unsigned self)
{
    allocations_left = self == 2 ? fail_allocation : 0;
}

static void disarm(unsigned self)
{
    (void)self;
    allocations_left = 0;
}

static void an_allocation_fails(void **state)
{
    uint64_t at;

    (void)state;
    for (at = 1;; at += at < 200 ? 1 : 7) {
        struct world w = {
            .row = mpc_protocol_find("rep3"), .outsiders = 1, .before = arm, .after = disarm};
        struct story story;

        fail_allocation = at;
        allocation_failed = false;
        story_new(&story);
        world_run(&w, tale, &story);
        if (!allocation_failed)
            break;
        if (w.status[2] != FM_E_MEMORY)
            fail_msg("allocation %llu: %s", (unsigned long long)at, w.err[2].text);
        for (unsigned p = 0; p < 4; p++)
            if (p != 2 && w.status[p] != FM_OK)
                assert_non_null(strstr(w.err[p].text, "p2"));
    }
    print_message("%llu allocations\n", (unsigned long long)at);
    assert_true(at > 200);
}

static void secret_memory_is_wiped(void **state)
{
    struct world w = {.row = mpc_protocol_find("rep3"), .outsiders = 1};
    struct story story;

    (void)state;
    blocks_freed = blocks_dirty = 0;
    story_new(&story);
    world_must_run(&w, tale, &story);
    print_message("%u blocks\n", blocks_freed);
    assert_true(blocks_freed > 30);
    assert_int_equal(blocks_dirty, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_faults),         cmocka_unit_test(a_party_dies_at_each_message),
        cmocka_unit_test(a_message_is_lost),      cmocka_unit_test(inconsistent_shares_are_noticed),
        cmocka_unit_test(an_operation_fails),     cmocka_unit_test(an_allocation_fails),
        cmocka_unit_test(secret_memory_is_wiped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
