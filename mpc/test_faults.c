/* Fault loops over one program that uses every interactive operation: a party dies at each of its
 * messages, a message is lost, an outside owner deals inconsistent shares, an operation fails, an
 * allocation fails. Each time every party ends with the right answer or a named error, and nobody
 * hangs; the sanitizer build watches for leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mpc/circuit/aggregate.h"
#include "mpc/circuit/compare.h"
#include "mpc/circuit/divide.h"
#include "mpc/circuit/select.h"
#include "mpc/test_breaks.h"

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

static void story_new(void *of)
{
    struct story *k = of;

    memset(k, 0, sizeof *k);
    for (int i = 0; i < N; i++) {
        k->x[i] = i;
        k->y[i] = 35;
    }
}

/* Every party ended well with the right answer, or with an error that names somebody. */
static void all_is_told_or_named(const struct world *w, const void *of, unsigned culprit)
{
    const struct story *k = of;

    if (w->status[0] == FM_OK)
        assert_memory_equal(k->answer[0], right, sizeof right);
    if (w->status[3] == FM_OK)
        assert_memory_equal(k->answer[3], right, sizeof right);
    breaks_must_name(w, culprit);
}

/* Nor is anything else said to those who lost a peer. */
static void the_peer_is_lost(const struct world *w, const void *of, unsigned culprit)
{
    all_is_told_or_named(w, of, culprit);
    for (unsigned p = 0; p < w->parties; p++) {
        if (w->status[p] == FM_OK || p == culprit)
            continue;
        assert_memory_equal(w->err[p].text, "rep3 ", 5);
        assert_int_equal(w->status[p], FM_E_PEER);
    }
}

static struct story story;
static const struct breaks breaks = {
    .tale = tale, .story = &story, .begin = story_new, .judge = all_is_told_or_named};
static const struct breaks deaths = {
    .tale = tale, .story = &story, .begin = story_new, .judge = the_peer_is_lost};

static void without_faults(void **state)
{
    (void)state;
    breaks_nothing(&breaks);
}

static void a_party_dies_at_each_message(void **state)
{
    (void)state;
    assert_true(breaks_parties(&deaths, 4, 1) > 300);
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
    (void)state;
    assert_true(breaks_operations(&breaks, 1) > 50);
}

static void an_allocation_fails(void **state)
{
    (void)state;
    assert_true(breaks_allocations(&breaks, 200, 7) > 200);
}

/* To bits and back. Where the link chooses the way, each party chooses for itself: one without the
 * memory for that must fail, not go another way than the others. */
static fm_status there_and_back(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct story *k = arg;
    unsigned self = mpc_session_self(s);
    struct mpc_share *x = NULL, *bits = NULL, *back = NULL;
    int64_t *out = k->x;

    TRY(mpc_constant(s, &x, 19, N, err));
    TRY(mpc_a2b(&bits, x, err));
    TRY(mpc_b2a(&back, bits, MPC_SIGNED, err));
    return mpc_reveal((const struct mpc_share *const[]){back}, 1, (const unsigned[]){0}, 1,
                      self == 0 ? &out : NULL, err);
}

static void is_nineteen(const struct world *w, const void *of, unsigned culprit)
{
    const struct story *k = of;

    for (int i = 0; w->status[0] == FM_OK && i < N; i++)
        assert_int_equal(k->x[i], 19);
    breaks_must_name(w, culprit);
}

static void an_allocation_fails_in_choosing(void **state)
{
    (void)state;
    for (enum mpc_profile p = MPC_LAN; p <= MPC_WAN; p++) {
        const struct breaks b = {there_and_back, &story, p, story_new, is_nineteen};
        assert_true(breaks_allocations(&b, 100, 7) > 20);
    }
}

static void secret_memory_is_wiped(void **state)
{
    unsigned freed[2], dirty[2];

    (void)state;
    breaks_blocks(&freed[0], &dirty[0]);
    breaks_nothing(&breaks);
    breaks_blocks(&freed[1], &dirty[1]);
    print_message("%u blocks\n", freed[1] - freed[0]);
    assert_true(freed[1] - freed[0] > 30);
    assert_int_equal(dirty[1], dirty[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_faults),
        cmocka_unit_test(a_party_dies_at_each_message),
        cmocka_unit_test(a_message_is_lost),
        cmocka_unit_test(inconsistent_shares_are_noticed),
        cmocka_unit_test(an_operation_fails),
        cmocka_unit_test(an_allocation_fails),
        cmocka_unit_test(an_allocation_fails_in_choosing),
        cmocka_unit_test(secret_memory_is_wiped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
