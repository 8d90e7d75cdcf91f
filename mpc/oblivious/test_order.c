/* Orders, on every row and in both profiles, against permutations in plain C; what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "mpc/oblivious/sort.h"
#include "mpc/oblivious/test_rows.h"

enum { MOST = 130 };

struct orders {
    size_t n;
    int64_t ranks[2][MOST];
    int64_t x[MOST];
    uint64_t words[MOST];
    int64_t got[MOST];
};

static fm_status try_orders(struct mpc_session *s, struct orders *k, struct mpc_order *const o[3],
                            struct mpc_share *x, struct mpc_share *bits, struct base_err *err)
{
    int64_t want[4][MOST];
    struct mpc_share *z[2];
    const struct mpc_share *both[2] = {x, bits};

    for (size_t i = 0; i < k->n; i++) {
        size_t place = (size_t)k->ranks[0][i];

        want[0][place] = (int64_t)i;
        want[1][place] = k->x[i];
        want[2][place] = (int64_t)k->words[i];
        want[3][i] = k->ranks[1][place];
    }
    TRY(mpc_order_to_ranks(o[0], &z[0], err));
    TRY(same(s, z[0], k->got, k->ranks[0], "ranks", err));
    TRY(mpc_order_to_index(o[0], &z[0], err));
    TRY(same(s, z[0], k->got, want[0], "index", err));
    TRY(mpc_order_to_ranks(o[2], &z[0], err));
    TRY(same(s, z[0], k->got, want[3], "composed", err));
    TRY(mpc_order_first(o[0], k->n / 2, z, both, 2, err));
    TRY(same(s, z[0], k->got, want[1], "first places", err));
    TRY(same(s, z[1], k->got, want[2], "first places, bits", err));
    TRY(mpc_order_apply(o[0], MPC_FORWARD, z, both, 2, err));
    both[0] = z[0];
    both[1] = z[1];
    TRY(mpc_order_apply(o[0], MPC_INVERSE, z, both, 2, err));
    TRY(same(s, z[0], k->got, k->x, "there and back", err));
    return same(s, z[1], k->got, (const int64_t *)k->words, "there and back, bits", err);
}

static fm_status orders_program(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct orders *k = arg;
    struct mpc_range range = {0, k->n == 0 ? 0 : (int64_t)k->n - 1};
    struct mpc_order *o[4] = {NULL};
    struct mpc_share *ranks[2];
    struct mpc_share *x;
    struct mpc_share *bits;
    fm_status status;

    TRY(feed(s, &ranks[0], 0, k->ranks[0], k->n, range, err));
    TRY(feed(s, &ranks[1], 0, k->ranks[1], k->n, range, err));
    TRY(feed(s, &x, 0, k->x, k->n, MPC_RANGE_FULL, err));
    TRY(feed_bits(s, &bits, 0, k->words, k->n, 9, err));
    status = mpc_order_of_ranks(&o[0], ranks[0], err);
    if (status == FM_OK)
        status = mpc_order_of_ranks(&o[1], ranks[1], err);
    if (status == FM_OK)
        status = mpc_order_compose(&o[2], o[0], o[1], err);
    if (status == FM_OK)
        status = try_orders(s, k, o, x, bits, err);
    for (unsigned i = 0; i < 3; i++)
        mpc_order_free(o[i]);
    return status;
}

static void orders_move_rows(void **state)
{
    static const size_t lengths[] = {0, 1, 2, 64, 129};
    static struct orders k;

    (void)state;
    for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
        struct test_rng rng = {3 + l};

        k.n = lengths[l];
        for (size_t i = 0; i < k.n; i++) {
            k.ranks[0][i] = k.ranks[1][i] = (int64_t)i;
            k.x[i] = rng_value(&rng);
            k.words[i] = rng_next(&rng) % 512;
        }
        for (size_t i = k.n; i > 1; i--)
            for (unsigned e = 0; e < 2; e++) {
                size_t j = (size_t)(rng_next(&rng) % i);
                int64_t swap = k.ranks[e][j];

                k.ranks[e][j] = k.ranks[e][i - 1];
                k.ranks[e][i - 1] = swap;
            }
        on_every_row(orders_program, &k);
    }
}

/* Every random order of three rows comes up. */
static fm_status random_program(struct mpc_session *s, void *arg, struct base_err *err)
{
    unsigned *seen = arg;

    for (unsigned i = 0; i < 200; i++) {
        struct mpc_order *order;
        struct mpc_share *index = NULL;
        int64_t got[3] = {0};
        fm_status status = mpc_order_random(s, &order, 3, err);

        if (status == FM_OK)
            status = mpc_order_to_index(order, &index, err);
        mpc_order_free(order);
        TRY(status);
        TRY(tell(index, 0, got, err));
        if (mpc_session_self(s) == 0)
            *seen |= 1u << (got[0] * 3 + got[1]);
    }
    return FM_OK;
}

static void random_orders_are_random(void **state)
{
    (void)state;
    for (size_t i = 0; mpc_protocol_at(i) != NULL; i++) {
        struct world w = {.row = mpc_protocol_at(i)};
        unsigned seen = 0;

        world_must_run(&w, random_program, &seen);
        assert_int_equal(__builtin_popcount(seen), 6);
    }
}

/* Ranks that are none are found when they have been opened, and nobody is left waiting. */
static fm_status wrong_ranks(struct mpc_session *s, void *arg, struct base_err *err)
{
    const int64_t twice[4] = {0, 2, 2, 3};
    const int64_t beyond[4] = {0, 1, 2, 4};
    struct mpc_share *ranks;
    struct mpc_order *order;
    fm_status status;

    TRY(feed(s, &ranks, 0, *(bool *)arg ? twice : beyond, 4, (struct mpc_range){0, 9}, err));
    status = mpc_order_of_ranks(&order, ranks, err);
    if (status != FM_OK)
        return status;
    mpc_order_free(order); /* an outsider goes on until it hears of it */
    return tell(ranks, 3, (int64_t[4]){0}, err);
}

static void wrong_ranks_end_the_session(void **state)
{
    (void)state;
    for (unsigned twice = 0; twice < 2; twice++) {
        struct world w = {.row = mpc_protocol_find("rep3"), .outsiders = 1};
        bool arg = twice == 1;
        bool named = false;

        world_run(&w, wrong_ranks, &arg);
        for (unsigned p = 0; p < 4; p++) {
            assert_true(w.status[p] == FM_E_ARG || w.status[p] == FM_E_PEER);
            named |= strstr(w.err[p].text, "not each of 0..n-1 once") != NULL;
        }
        assert_true(named);
    }
}

static fm_status bad_arguments(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct mpc_session *other = arg;
    struct mpc_share *long_text, *four, *three, *bits, *elsewhere, *z[2];
    struct mpc_sort_key by[2] = {{0}};
    struct mpc_order *order, *out;

    TRY(mpc_constant(s, &four, 1, 4, err));
    TRY(mpc_constant(s, &three, 1, 3, err));
    TRY(mpc_constant(other, &elsewhere, 1, 4, err));
    TRY(mpc_bits_constant(s, &bits, 1, 2, 4, err));
    TRY(mpc_bits_constant(s, &long_text, 1, 1024, 4, err));
    TRY(mpc_order_random(s, &order, 4, err));
    by[0].x = four;
    by[1].x = three;
    REFUSED(mpc_sort(&out, by, 2, err), FM_E_ARG, "lengths 4 and 3 differ");
    REFUSED(mpc_sort(&out, by, 0, err), FM_E_ARG, "0 keys");
    by[1].x = elsewhere;
    REFUSED(mpc_sort(&out, by, 2, err), FM_E_ARG, "two sessions");
    by[1] = (struct mpc_sort_key){.x = four, .null = bits};
    REFUSED(mpc_sort(&out, by, 2, err), FM_E_ARG, "NULLs are told by bits of width 1");
    by[0] = by[1] = (struct mpc_sort_key){.x = long_text};
    REFUSED(mpc_sort(&out, by, 2, err), FM_E_LIMIT, "keys of 2050 bits");
    REFUSED(mpc_order_apply(order, MPC_FORWARD, z, (const struct mpc_share *const *)&three, 1, err),
            FM_E_ARG, "column 0 has 3");
    REFUSED(
        mpc_order_apply(order, MPC_INVERSE, z, (const struct mpc_share *const *)&elsewhere, 1, err),
        FM_E_ARG, "another session");
    REFUSED(mpc_order_first(order, 5, z, (const struct mpc_share *const *)&four, 1, err), FM_E_ARG,
            "5 places");
    REFUSED(mpc_order_of_ranks(&out, bits, err), FM_E_ARG, "takes a ring column");
    REFUSED(mpc_order_of_ranks(&out, four, err), FM_E_ARG, "not each of 0..n-1 once");
    mpc_order_free(order);
    return FM_OK;
}

static fm_status with_another_session(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct mpc_session_config c = {.protocol = mpc_protocol_find("plain"),
                                   .compute = (const unsigned[]){0},
                                   .compute_len = 1,
                                   .streams = 1,
                                   .random = base_random_system()};
    struct mpc_session *other;
    fm_status status;

    (void)arg;
    TRY(mpc_session_open(&other, &c, err));
    status = bad_arguments(s, other, err);
    mpc_session_close(other);
    return status;
}

static void bad_arguments_are_errors(void **state)
{
    struct world w = {.row = mpc_protocol_find("plain")};

    (void)state;
    world_must_run(&w, with_another_session, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(orders_move_rows),
        cmocka_unit_test(random_orders_are_random),
        cmocka_unit_test(wrong_ranks_end_the_session),
        cmocka_unit_test(bad_arguments_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
