/* The three-piece sigmoid against its formula in long double (64 bits of mantissa: exact here), on
 * every row and in both profiles; every value of a small range, else random ones and those about
 * the corners; costs; refusals. And a whole score: columns times secret weights. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mpc/circuit/adder.h"
#include "mpc/circuit/sigmoid.h"
#include "mpc/oblivious/test_rows.h"
#include "mpc/rep3/b2a.h"
#include "mpc/rep3/rep3.h"

enum { MOST = 512, FEATURES = 5 };

struct numbers {
    size_t n;
    unsigned from;
    unsigned to;
    struct mpc_range range;
    int64_t z[MOST];
    int64_t got[MOST];
    int64_t want[MOST];
};

static int64_t sigmoid(int64_t z, unsigned from, unsigned to)
{
    long double clamped = fminl(fmaxl(ldexpl((long double)z, -(int)from) + 0.5L, 0), 1);

    return (int64_t)floorl(ldexpl(clamped, (int)to));
}

static fm_status takes_pieces(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct numbers *k = arg;
    struct mpc_share *z, *y;

    TRY(feed(s, &z, 0, k->z, k->n, k->range, err));
    TRY(mpc_sigmoid_pieces(&y, z, k->from, k->to, err));
    if (mpc_share_range(y).lo != 0 || mpc_share_range(y).hi != INT64_C(1) << k->to)
        return base_err_set(err, FM_E_INVALID, "sigmoid: not of range 0..1");
    return same(s, y, k->got, k->want, "sigmoid", err);
}

static void compare(struct numbers *k)
{
    for (size_t i = 0; i < k->n; i++)
        k->want[i] = sigmoid(k->z[i], k->from, k->to);
    on_every_row(takes_pieces, k);
}

static void every_small_number(void **state)
{
    static const unsigned to[] = {1, 3, 4};
    static struct numbers k = {.n = 140, .from = 4, .range = {-70, 69}};

    (void)state;
    for (size_t i = 0; i < k.n; i++)
        k.z[i] = (int64_t)i - 70;
    for (size_t t = 0; t < sizeof to / sizeof to[0]; t++) {
        k.to = to[t];
        compare(&k);
    }
}

static void random_numbers_and_corners(void **state)
{
    static const struct {
        unsigned from;
        unsigned to;
        int64_t most;
    } sizes[] = {{32, 16, INT64_C(1) << 43},
                 {60, 60, INT64_C(3) << 60},
                 {20, 1, 1000},
                 {1, 1, INT64_C(1) << 40}};
    static struct numbers k = {.n = 300};
    struct test_rng rng = {5};

    (void)state;
    for (size_t t = 0; t < sizeof sizes / sizeof sizes[0]; t++) {
        int64_t half = INT64_C(1) << (sizes[t].from - 1);

        k.from = sizes[t].from;
        k.to = sizes[t].to;
        k.range = (struct mpc_range){-sizes[t].most, sizes[t].most};
        for (size_t i = 0; i < k.n; i++) {
            int64_t step = INT64_C(1) << (k.from - k.to);
            int64_t corner =
                (i % 2 == 0 ? half : -half) + ((int64_t)(i % 9) - 4) * (i % 3 ? step : 1);

            k.z[i] = rng_in(&rng, k.range);
            if (i % 4 == 0 && corner >= k.range.lo && corner <= k.range.hi)
                k.z[i] = corner;
        }
        compare(&k);
    }
}

/* Columns of 4 fraction bits, weights likewise, a bias: rows of a table scored. */
struct table {
    int64_t x[FEATURES][MOST];
    int64_t w[FEATURES];
    int64_t want[MOST];
    int64_t got[MOST];
};

static fm_status scores(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct table *t = arg;
    const struct mpc_range range = {-128, 127};
    struct mpc_share *x[FEATURES], *w[FEATURES], *z, *y;

    for (size_t j = 0; j < FEATURES; j++) {
        TRY(feed(s, &x[j], 0, t->x[j], MOST, range, err));
        TRY(feed(s, &w[j], 0, &t->w[j], 1, range, err));
    }
    TRY(mpc_dot_columns(&z, (const struct mpc_share *const *)x, (const struct mpc_share *const *)w,
                        FEATURES, err));
    TRY(mpc_sigmoid_pieces(&y, z, 8, 4, err));
    return same(s, y, t->got, t->want, "score", err);
}

static void whole_scores(void **state)
{
    static struct table t;
    struct test_rng rng = {9};

    (void)state;
    for (size_t j = 0; j < FEATURES; j++)
        t.w[j] = rng_in(&rng, (struct mpc_range){-128, 127}) / 8;
    for (size_t i = 0; i < MOST; i++) {
        int64_t z = 0;

        for (size_t j = 0; j < FEATURES; j++) {
            t.x[j][i] = rng_in(&rng, (struct mpc_range){-128, 127}) / 8;
            z += t.x[j][i] * t.w[j];
        }
        t.want[i] = sigmoid(z, 8, 4);
    }
    on_every_row(scores, &t);
}

struct cost {
    uint64_t bytes[3];
    uint64_t rounds;
};

static fm_status costed(struct mpc_session *s, void *arg, struct base_err *err)
{
    static int64_t zeros[6400];
    struct cost *k = arg;
    struct mpc_share *z, *y;
    struct mpc_stats before, after;

    TRY(feed(s, &z, 0, zeros, 6400, (struct mpc_range){-(1 << 20), (1 << 20) - 1 - (1 << 15)},
             err));
    mpc_session_stats(s, &before);
    TRY(mpc_sigmoid_pieces(&y, z, 16, 12, err));
    mpc_session_stats(s, &after);
    k->bytes[mpc_session_self(s)] = after.bytes_sent - before.bytes_sent;
    if (mpc_session_self(s) == 0)
        k->rounds = after.rounds - before.rounds;
    return FM_OK;
}

/* k = 21, 5 high planes, 13 planes out: 6400 * 13 > 65536, so b2a injects nothing. */
static void costs_are_what_headers_say(void **state)
{
    (void)state;
    for (unsigned p = 0; p < 2; p++) {
        struct world w = {.row = mpc_protocol_find("rep3"),
                          .profile = p == 0 ? MPC_FEW_ROUNDS : MPC_FEW_BYTES};
        struct mpc_rep3_cost a2b = mpc_rep3_a2b_cost(21, w.profile);
        struct mpc_circuit_cost all = mpc_all_cost(5);
        uint64_t back;
        unsigned back_rounds = rep3_b2a_cost(&back, 13, 6400, w.profile);
        struct cost k = {.rounds = 0};
        uint64_t bytes;

        world_must_run(&w, costed, &k);
        bytes = a2b.bytes + 24 * (all.ands + 13) + back / 100;
        assert_int_equal(k.bytes[0] + k.bytes[1] + k.bytes[2], 100 * bytes);
        assert_int_equal(k.rounds, a2b.rounds + all.rounds + 1 + back_rounds);
    }
}

static fm_status bad_arguments(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct mpc_share *x, *few, *most, *planes, *z;

    (void)arg;
    TRY(mpc_constant(s, &x, 5, 4, err));
    TRY(mpc_constant(s, &few, 5, 3, err));
    TRY(mpc_constant(s, &most, INT64_MAX, 4, err));
    TRY(mpc_bits_constant(s, &planes, 5, 9, 4, err));
    REFUSED(mpc_sigmoid_pieces(&z, planes, 4, 4, err), FM_E_ARG, "takes a ring column");
    REFUSED(mpc_sigmoid_pieces(&z, x, 4, 5, err), FM_E_ARG, "from 4 to 5");
    REFUSED(mpc_sigmoid_pieces(&z, x, 4, 0, err), FM_E_ARG, "from 4 to 0");
    REFUSED(mpc_sigmoid_pieces(&z, x, 61, 4, err), FM_E_ARG, "<= 60");
    REFUSED(mpc_sigmoid_pieces(&z, most, 4, 4, err), FM_E_LIMIT, "64 bits");
#define COLUMNS(...) ((const struct mpc_share *const[]){__VA_ARGS__})
    REFUSED(mpc_dot_columns(&z, COLUMNS(x, few), COLUMNS(x, few), 2, err), FM_E_ARG,
            "lengths 4 and 3 differ");
    REFUSED(mpc_dot_columns(&z, COLUMNS(x), COLUMNS(few), 1, err), FM_E_ARG,
            "lengths 4 and 3 differ");
    REFUSED(mpc_dot_columns(&z, COLUMNS(x), COLUMNS(planes), 1, err), FM_E_ARG,
            "takes a ring column");
    REFUSED(mpc_dot_columns(&z, COLUMNS(most, most), COLUMNS(x, x), 2, err), FM_E_LIMIT, "64 bits");
    REFUSED(mpc_dot_columns(&z, COLUMNS(x), COLUMNS(x), 0, err), FM_E_ARG, "0 columns");
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
        cmocka_unit_test(every_small_number),
        cmocka_unit_test(random_numbers_and_corners),
        cmocka_unit_test(whole_scores),
        cmocka_unit_test(costs_are_what_headers_say),
        cmocka_unit_test(bad_arguments_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
