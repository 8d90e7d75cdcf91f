/* Linked signs: on every row and in both profiles against plain C, exhaustive for two small limbs;
 * their cost on rep3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mpc/oblivious/test_rows.h"
#include "mpc/rep3/rep3.h"

enum { MOST = 1024, LIMBS = 6 };

struct limbs {
    size_t n;
    size_t count;
    unsigned width[LIMBS];
    int64_t x[LIMBS][MOST];
    int64_t got[MOST];
    int64_t want[MOST];
    uint64_t bytes[3];
    uint64_t rounds;
};

static fm_status program(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct limbs *k = arg;
    struct mpc_share *x[LIMBS], *z;
    struct mpc_stats before, after;

    for (size_t j = 0; j < k->count; j++)
        TRY(feed(s, &x[j], 0, k->x[j], k->n, MPC_RANGE_FULL, err));
    mpc_session_stats(s, &before);
    TRY(mpc_msb_linked(&z, (const struct mpc_share *const *)x, k->width, k->count, err));
    mpc_session_stats(s, &after);
    k->bytes[mpc_session_self(s) % 3] = after.bytes_sent - before.bytes_sent;
    if (mpc_session_self(s) == 0)
        k->rounds = after.rounds - before.rounds;
    return same(s, z, k->got, k->want, "linked", err);
}

static void solve(struct limbs *k)
{
    for (size_t i = 0; i < k->n; i++) {
        k->want[i] = 0;
        for (size_t j = 0; j < k->count; j++)
            if (k->x[j][i] != 0) {
                k->want[i] = k->x[j][i] < 0;
                break;
            }
    }
}

/* All pairs of 3-bit and 4-bit limbs, and all triples of 2-bit ones. */
static void small_limbs(void **state)
{
    static struct limbs k;

    (void)state;
    k.count = 2;
    k.width[0] = 3;
    k.width[1] = 4;
    k.n = 0;
    for (int64_t a = -3; a <= 3; a++)
        for (int64_t b = -7; b <= 7; b++) {
            k.x[0][k.n] = a;
            k.x[1][k.n++] = b;
        }
    solve(&k);
    on_every_row(program, &k);
    k.count = 3;
    k.width[0] = k.width[1] = k.width[2] = 2;
    k.n = 27;
    for (int i = 0; i < 27; i++) {
        k.x[0][i] = i / 9 - 1;
        k.x[1][i] = i / 3 % 3 - 1;
        k.x[2][i] = i % 3 - 1;
    }
    solve(&k);
    on_every_row(program, &k);
}

static void large_limbs(void **state)
{
    static struct limbs k;
    struct test_rng rng = {11};

    (void)state;
    for (unsigned round = 0; round < 40 * repeats(); round++) {
        k.count = 1 + rng_next(&rng) % LIMBS;
        k.n = round % 10 == 9 ? MOST : rng_next(&rng) % 100;
        for (size_t j = 0; j < k.count; j++) {
            unsigned w = k.width[j] = 1 + (unsigned)(rng_next(&rng) % 64);
            int64_t most = (int64_t)((UINT64_C(1) << (w - 1)) - 1);

            if (w == 1 && k.count > 1)
                k.width[j] = 2;
            for (size_t i = 0; i < k.n; i++)
                k.x[j][i] =
                    rng_next(&rng) % 3 == 0 ? 0 : rng_in(&rng, (struct mpc_range){-most, most});
        }
        solve(&k);
        on_every_row(program, &k);
    }
}

static void costs_are_what_the_header_says(void **state)
{
    static const unsigned shapes[][4] = {
        {43, 43, 0}, {21, 54, 0}, {2, 2, 0}, {63, 63, 63, 62}, {40, 0}};
    static struct limbs k;

    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        struct world w = {.row = mpc_protocol_find("rep3")};
        struct mpc_rep3_cost cost;

        k.n = 640;
        for (k.count = 0; k.count < 4 && shapes[i][k.count] != 0; k.count++)
            k.width[k.count] = shapes[i][k.count];
        cost = k.count > 1 ? mpc_rep3_linked_cost(k.width, k.count)
                           : mpc_rep3_msb_cost(k.width[0], k.n, MPC_FEW_ROUNDS);
        assert_true(cost.group > 0);
        memset(k.x, 0, sizeof k.x);
        solve(&k);
        world_must_run(&w, program, &k);
        assert_int_equal(k.bytes[0] + k.bytes[1] + k.bytes[2], cost.bytes * 10);
        assert_int_equal(k.rounds, cost.rounds);
        if (i == 0) {
            print_message("43 + 43 bits: %.1f bytes, %u rounds\n", (double)cost.bytes / 3 / 64,
                          cost.rounds);
            assert_true(cost.bytes <= 19 * 3 * 64 && cost.rounds <= 7);
        }
    }
}

static fm_status bad_arguments(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct mpc_share *x, *few, *bits, *z;
    const struct mpc_share *two[2];

    (void)arg;
    TRY(mpc_constant(s, &x, 5, 4, err));
    TRY(mpc_constant(s, &few, 5, 3, err));
    TRY(mpc_bits_constant(s, &bits, 5, 9, 4, err));
    two[0] = x;
    two[1] = few;
    REFUSED(mpc_msb_linked(&z, two, (const unsigned[]){9, 9}, 2, err), FM_E_ARG,
            "lengths 3 and 4 differ");
    two[1] = bits;
    REFUSED(mpc_msb_linked(&z, two, (const unsigned[]){9, 9}, 2, err), FM_E_ARG,
            "takes a ring column");
    two[1] = x;
    REFUSED(mpc_msb_linked(&z, two, (const unsigned[]){9, 65}, 2, err), FM_E_ARG, "width 65");
    REFUSED(mpc_msb_linked(&z, two, (const unsigned[]){9, 9}, 0, err), FM_E_ARG, "0 columns");
    return FM_OK;
}

static void bad_arguments_are_errors(void **state)
{
    struct world w = {.row = mpc_protocol_find("plain")};

    (void)state;
    world_must_run(&w, bad_arguments, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_limbs),
        cmocka_unit_test(large_limbs),
        cmocka_unit_test(costs_are_what_the_header_says),
        cmocka_unit_test(bad_arguments_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
