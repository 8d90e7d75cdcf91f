/* Oblivious algorithms whose operations, messages and allocations fail one after another: every
 * party ends with an error that names who failed, or with the right answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "mpc/circuit/decompose.h"
#include "mpc/circuit/divide.h"
#include "mpc/circuit/extreme.h"
#include "mpc/debug/debug.h"
#include "mpc/oblivious/group.h"
#include "mpc/oblivious/join.h"
#include "mpc/oblivious/scan.h"
#include "mpc/oblivious/test_rows.h"

enum { N = 12, ANSWERS = 4 };

struct story {
    int64_t key[N];
    uint64_t null; /* one plane */
    int64_t answer[ANSWERS];
};

/* Keys 0, 0, 0, 1, 1, 1, ...: four groups of three, of which the second has no key. */
static void story_new(struct story *k)
{
    memset(k, 0, sizeof *k);
    for (int i = 0; i < N; i++) {
        k->key[i] = i / 3;
        k->null |= (uint64_t)(i / 3 == 1) << i;
    }
}

static const int64_t right[ANSWERS] = {9, 6, 3, 3};

static fm_status grouped(struct mpc_share **z, const struct mpc_share *key,
                         const struct mpc_share *null, struct base_err *err)
{
    struct mpc_sort_key by = {.x = key, .null = null};
    struct mpc_group_item items[3] = {{.kind = MPC_GROUP_MAX, .x = key},
                                      {.kind = MPC_GROUP_COUNT, .x = null},
                                      {.kind = MPC_GROUP_SUM, .x = key}};
    struct mpc_grouped g;

    TRY(mpc_group(&g,
                  &(struct mpc_group_by){
                      .keys = &by, .keys_len = 1, .items = items, .items_len = 3, .groups = 5},
                  err));
    TRY(mpc_sum(&z[0], g.item[2], err)); /* of all keys: 18, less 9 */
    TRY(mpc_add_constant(&z[1], z[0], -9, err));
    TRY(mpc_sum(&z[2], g.item[0], err)); /* 0 + 1 + 2 + 3 */
    mpc_grouped_release(&g);
    return FM_OK;
}

static fm_status tale(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct story *k = arg;
    struct mpc_share *key, *wide, *null, *z[3], *last, *hot, *third, *least, *count;
    const struct mpc_share *nulls[1];
    struct mpc_lookup by = {.keys = 1, .values_len = 1, .table.n = N, .probe.n = N};
    struct mpc_sort_key top = {.flags = MPC_SORT_DESCENDING};
    struct mpc_input item = {.domain = MPC_BITS,
                             .owner = 0,
                             .n = N,
                             .width = 1,
                             .planes = mpc_session_self(s) == 0 ? &k->null : NULL};
    struct mpc_order *order;
    struct mpc_found found;
    int64_t *out[ANSWERS] = {&k->answer[0], &k->answer[1], &k->answer[2], &k->answer[3]};
    fm_status status;

    TRY(feed(s, &key, 0, k->key, N, (struct mpc_range){0, 99}, err));
    TRY(feed(s, &wide, 0, k->key, N, MPC_RANGE_FULL, err));
    TRY(mpc_input(s, &null, &item, 1, err));
    TRY(grouped(z, key, null, err));
    nulls[0] = null;
    by.table.key = by.probe.key = (const struct mpc_share *const *)&wide;
    by.table.null = nulls;
    by.values = (const struct mpc_share *const *)&key;
    TRY(mpc_find(&found, &by, err));
    top.x = found.value[0];
    TRY(mpc_top(&order, &top, 1, 1, err));
    status = mpc_order_first(order, 1, &last, &top.x, 1, err); /* 3 */
    mpc_order_free(order);
    TRY(status);
    TRY(mpc_scan_min(&least, key, null, err));
    TRY(mpc_scan_count(&count, null, null, err));
    TRY(mpc_min(&third, least, key, MPC_SIGNED, err));
    TRY(mpc_one_hot(&hot, null, err));
    mpc_share_free(third);
    TRY(mpc_divide_public(&third, z[1], 3, err)); /* 9 / 3 */
    return mpc_reveal((const struct mpc_share *const[]){z[1], z[2], last, third}, ANSWERS,
                      (const unsigned[]){0}, 1, mpc_session_self(s) == 0 ? out : NULL, err);
}

static void all_is_right_or_named(const struct world *w, const struct story *k, unsigned culprit)
{
    char name[8];

    snprintf(name, sizeof name, "p%u", culprit);
    if (w->status[0] == FM_OK)
        assert_memory_equal(k->answer, right, sizeof right);
    for (unsigned p = 0; p < w->parties; p++)
        if (p != culprit && w->status[p] != FM_OK && strstr(w->err[p].text, name) == NULL)
            fail_msg("party %u: %s: does not name %s", p, w->err[p].text, name);
}

static void without_faults(void **state)
{
    struct world w = {.row = mpc_protocol_find("rep3"), .outsiders = 1};
    struct story k;

    (void)state;
    story_new(&k);
    world_must_run(&w, tale, &k);
    assert_memory_equal(k.answer, right, sizeof right);
}

static void a_party_dies(void **state)
{
    unsigned total = 0;

    (void)state;
    for (unsigned culprit = 0; culprit < 3; culprit++)
        for (uint64_t at = 1 + culprit;; at += 9) {
            struct world w = {.row = mpc_protocol_find("rep3"),
                              .outsiders = 1,
                              .fault_kind = NET_LOOP_KILL,
                              .fault_party = culprit,
                              .fault_at = at};
            struct story k;

            story_new(&k);
            world_run(&w, tale, &k);
            if (!w.fault_fired)
                break;
            all_is_right_or_named(&w, &k, culprit);
            total++;
        }
    print_message("%u deaths\n", total);
    assert_true(total > 50);
}

static void an_operation_fails(void **state)
{
    unsigned failed = 0;

    (void)state;
    for (uint64_t at = 1;; at++) {
        struct mpc_debug debug[WORLD_PARTIES];
        struct world w = {.outsiders = 1};
        struct story k;

        for (unsigned p = 0; p < WORLD_PARTIES; p++) {
            mpc_debug_init(&debug[p], mpc_protocol_find("rep3"));
            w.row_of[p] = &debug[p].row;
        }
        debug[1].fail_at = at;
        story_new(&k);
        world_run(&w, tale, &k);
        if (w.status[1] == FM_OK)
            break;
        assert_int_equal(w.status[1], FM_E_IO);
        assert_non_null(strstr(w.err[1].text, "fails on demand"));
        all_is_right_or_named(&w, &k, 1);
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
void *__wrap_aligned_alloc(size_t align, size_t size)
{
    return refuse() ? NULL : __real_aligned_alloc(align, size);
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
    for (at = 1;; at += at < 30 ? 1 : 3) {
        struct world w = {
            .row = mpc_protocol_find("rep3"), .outsiders = 1, .before = arm, .after = disarm};
        struct story k;

        fail_allocation = at;
        allocation_failed = false;
        story_new(&k);
        world_run(&w, tale, &k);
        if (!allocation_failed)
            break;
        if (w.status[2] != FM_E_MEMORY)
            fail_msg("allocation %llu: %s", (unsigned long long)at, w.err[2].text);
        all_is_right_or_named(&w, &k, 2);
    }
    print_message("%llu allocations\n", (unsigned long long)at);
    assert_true(at > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_faults),
        cmocka_unit_test(a_party_dies),
        cmocka_unit_test(an_operation_fails),
        cmocka_unit_test(an_allocation_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
