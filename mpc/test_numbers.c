/* Taking numbers apart, lesser and greater, division by public numbers: on every row and in both
 * profiles, exhaustive where that is small, else with values that seek corners; ANDs and rounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mpc/circuit/adder.h"
#include "mpc/circuit/decompose.h"
#include "mpc/circuit/divide.h"
#include "mpc/circuit/extreme.h"
#include "mpc/circuit/select.h"
#include "mpc/oblivious/test_rows.h"
#include "mpc/rep3/b2a.h"
#include "mpc/rep3/rep3.h"

enum { MOST = 300 };

struct numbers {
    size_t n;
    struct mpc_range range;
    int64_t x[MOST];
    int64_t y[MOST];
    int64_t c;
    int64_t got[MOST];
    int64_t want[MOST];
    uint64_t ands;
    uint64_t rounds;
};

static int64_t floor_div(int64_t x, int64_t c)
{
    return x / c - (x % c != 0 && x < 0);
}

static fm_status within(const struct mpc_share *z, const int64_t *want, const char *what,
                        struct base_err *err)
{
    struct mpc_range r = mpc_share_range(z);

    for (size_t i = 0; i < mpc_share_n(z); i++)
        if (want[i] < r.lo || want[i] > r.hi)
            return base_err_set(err, FM_E_INVALID, "%s: %lld outside %lld..%lld", what,
                                (long long)want[i], (long long)r.lo, (long long)r.hi);
    return FM_OK;
}

static fm_status truncates(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct numbers *k = arg;
    static const unsigned by[] = {0, 1, 5, 20, 31, 62, 63};
    int64_t want[MOST];
    struct mpc_share *x, *z;

    TRY(feed(s, &x, 0, k->x, k->n, k->range, err));
    for (size_t b = 0; b < sizeof by / sizeof by[0]; b++) {
        for (size_t i = 0; i < k->n; i++)
            want[i] = k->x[i] >> by[b];
        TRY(mpc_truncate(&z, x, by[b], err));
        TRY(within(z, want, "truncate", err));
        TRY(same(s, z, k->got, want, "truncate", err));
    }
    return FM_OK;
}

static fm_status bits(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct numbers *k = arg;
    struct mpc_share *x, *bit[64];
    int64_t want[MOST];
    unsigned width;

    TRY(feed(s, &x, 0, k->x, k->n, k->range, err));
    width = mpc_share_width(x);
    TRY(mpc_ring_bits(bit, x, width, err));
    for (unsigned j = 0; j < width; j++) {
        for (size_t i = 0; i < k->n; i++)
            want[i] = (int64_t)((uint64_t)k->x[i] >> j & 1);
        TRY(same(s, bit[j], k->got, want, "bit", err));
    }
    return FM_OK;
}

static fm_status lesser_and_greater(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct numbers *k = arg;
    struct mpc_share *x, *y, *z, *bx, *by;
    int64_t want[2][MOST];

    for (size_t i = 0; i < k->n; i++) {
        want[0][i] = k->x[i] < k->y[i] ? k->x[i] : k->y[i];
        want[1][i] = k->x[i] < k->y[i] ? k->y[i] : k->x[i];
    }
    TRY(feed(s, &x, 0, k->x, k->n, k->range, err));
    TRY(feed(s, &y, 0, k->y, k->n, k->range, err));
    TRY(mpc_min(&z, x, y, MPC_SIGNED, err));
    TRY(within(z, want[0], "min", err));
    TRY(same(s, z, k->got, want[0], "min", err));
    TRY(mpc_max(&z, x, y, MPC_SIGNED, err));
    TRY(within(z, want[1], "max", err));
    TRY(same(s, z, k->got, want[1], "max", err));
    TRY(mpc_a2b_list(&bx, (const struct mpc_share *const *)&x, &(unsigned){64}, 1, err));
    TRY(mpc_a2b_list(&by, (const struct mpc_share *const *)&y, &(unsigned){64}, 1, err));
    TRY(mpc_min(&z, bx, by, MPC_SIGNED, err));
    TRY(same(s, z, k->got, want[0], "min, bits", err));
    for (size_t i = 0; i < k->n; i++)
        want[1][i] = (uint64_t)k->x[i] < (uint64_t)k->y[i] ? k->y[i] : k->x[i];
    TRY(mpc_max(&z, bx, by, MPC_UNSIGNED, err));
    return same(s, z, k->got, want[1], "max, bits unsigned", err);
}

static void random_numbers(struct numbers *k, struct mpc_range range, uint64_t seed)
{
    struct test_rng rng = {seed};

    k->range = range;
    for (size_t i = 0; i < k->n; i++) {
        k->x[i] = rng_in(&rng, range);
        k->y[i] = i % 5 == 0 ? k->x[i] : rng_in(&rng, range);
    }
}

static void numbers_come_apart(void **state)
{
    static const struct mpc_range ranges[] = {
        {0, 0}, {0, 1}, {-1, 0}, {-3, 900}, {0, INT64_C(1) << 40}, {INT64_MIN, INT64_MAX}};
    static const size_t lengths[] = {0, 1, 65, MOST};
    static struct numbers k;

    (void)state;
    for (size_t r = 0; r < sizeof ranges / sizeof ranges[0]; r++) {
        k.n = lengths[r % 4];
        random_numbers(&k, ranges[r], 40 + r);
        on_every_row(truncates, &k);
        on_every_row(bits, &k);
        on_every_row(lesser_and_greater, &k);
    }
}

/* Every value of every small range, and what it costs. */
static fm_status one_hot(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct numbers *k = arg;
    unsigned values = (unsigned)(k->range.hi - k->range.lo) + 1;
    struct mpc_share *x, *z, *plane;
    struct mpc_stats before, after;
    int64_t want[MOST];

    TRY(feed(s, &x, 0, k->x, k->n, k->range, err));
    TRY(mpc_one_hot(&z, x, err));
    assert_int_equal(mpc_share_width(z), values);
    for (unsigned v = 0; v < values; v++) {
        for (size_t i = 0; i < k->n; i++)
            want[i] = k->x[i] == k->range.lo + (int64_t)v;
        TRY(mpc_planes(&plane, z, v, 1, err));
        TRY(same(s, plane, k->got, want, "one-hot", err));
    }
    mpc_share_free(z);
    TRY(mpc_bits_constant(s, &x, 1, values > 128 ? 8 : 3, k->n, err));
    mpc_session_stats(s, &before);
    TRY(mpc_one_hot(&z, x, err));
    mpc_session_stats(s, &after);
    if (mpc_session_self(s) == 0) {
        k->ands = after.and_gates - before.and_gates;
        k->rounds = after.rounds - before.rounds;
    }
    return FM_OK;
}

static void one_hot_of_every_small_range(void **state)
{
    static const unsigned values[] = {1, 2, 3, 4, 5, 8, 9, 17, 64, 100, 256};
    static struct numbers k;

    (void)state;
    for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
        struct mpc_circuit_cost cost = mpc_one_hot_cost(values[v] > 128 ? 256 : 8);

        k.range = (struct mpc_range){-5, -6 + (int64_t)values[v]};
        k.n = 0;
        for (unsigned i = 0; i < values[v]; i++)
            k.x[k.n++] = -5 + (int64_t)i;
        on_every_row(one_hot, &k);
        assert_int_equal(k.ands, cost.ands * k.n); /* rep3 was the last one */
        assert_int_equal(k.rounds, cost.rounds);
    }
    assert_int_equal(mpc_one_hot_cost(2).ands, 0);
    assert_int_equal(mpc_one_hot_cost(64).ands, 57);
    assert_int_equal(mpc_one_hot_cost(64).rounds, 3);
}

static fm_status divides(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct numbers *k = arg;
    struct mpc_share *x, *z;

    for (size_t i = 0; i < k->n; i++)
        k->want[i] = floor_div(k->x[i], k->c);
    TRY(feed(s, &x, 0, k->x, k->n, k->range, err));
    TRY(mpc_divide_public(&z, x, k->c, err));
    TRY(within(z, k->want, "divide", err));
    return same(s, z, k->got, k->want, "divide", err);
}

static void divides_by_public_numbers(void **state)
{
    static const int64_t by[] = {1,
                                 2,
                                 3,
                                 7,
                                 10,
                                 12,
                                 97,
                                 100,
                                 1 << 20,
                                 1000003,
                                 (1LL << 40) - 1,
                                 3LL << 50,
                                 4096,
                                 (1LL << 33) + 1};
    static const struct mpc_range ranges[] = {{-20, 140},
                                              {0, 1000000},
                                              {-(INT64_C(1) << 60), INT64_C(1) << 60},
                                              {0, (INT64_C(1) << 62) - 1}};
    static struct numbers k;
    struct test_rng rng = {21};

    (void)state;
    for (size_t r = 0; r < sizeof ranges / sizeof ranges[0]; r++)
        for (size_t c = 0; c < sizeof by / sizeof by[0]; c++) {
            k.n = 161;
            k.c = by[c];
            random_numbers(&k, ranges[r], 7 + c);
            for (size_t i = 0; i < k.n; i++) { /* about multiples, where quotients change */
                int64_t m = floor_div(k.x[i], k.c) * k.c + (int64_t)(i % 3) - 1;

                if (r == 0)
                    m = -20 + (int64_t)i; /* all of them */
                if (rng_next(&rng) % 4 != 0 && m >= ranges[r].lo && m <= ranges[r].hi)
                    k.x[i] = m;
            }
            on_every_row(divides, &k);
        }
}

enum what { MIN, MAX, BITS, TRUNCATE, ABS, NEGATIVE, ONE_HOT, DIVIDE };

struct cost {
    enum what what;
    unsigned width;
    uint64_t bytes[3];
    uint64_t rounds;
};

static fm_status costed(struct mpc_session *s, void *arg, struct base_err *err)
{
    static const int64_t zeros[640];
    struct cost *k = arg;
    struct mpc_range range = {-(INT64_C(1) << (k->width - 1)), (INT64_C(1) << (k->width - 1)) - 1};
    struct mpc_range from_zero = {0, k->what == ONE_HOT ? 63 : (INT64_C(1) << (k->width - 1)) - 1};
    struct mpc_range divisor = {0, 1023};
    struct mpc_share *x, *y, *z[64];
    struct mpc_stats before, after;

    if (k->what == ABS)
        range.lo++; /* which has no absolute value in 64 bits */
    TRY(feed(s, &x, 0, zeros, 640, k->what >= ONE_HOT ? from_zero : range, err));
    TRY(feed(s, &y, 0, zeros, 640, k->what == DIVIDE ? divisor : range, err));
    mpc_session_stats(s, &before);
    if (k->what == MIN)
        TRY(mpc_min(z, x, y, MPC_SIGNED, err));
    else if (k->what == MAX)
        TRY(mpc_max(z, x, y, MPC_SIGNED, err));
    else if (k->what == ABS)
        TRY(mpc_abs(z, x, err));
    else if (k->what == NEGATIVE)
        TRY(mpc_negative(z, x, err));
    else if (k->what == ONE_HOT)
        TRY(mpc_one_hot(z, x, err));
    else if (k->what == DIVIDE)
        TRY(mpc_divide(z, z + 1, x, y, err));
    else if (k->what == BITS)
        TRY(mpc_ring_bits(z, x, k->width, err));
    else
        TRY(mpc_truncate(z, x, k->width - 1, err));
    mpc_session_stats(s, &after);
    k->bytes[mpc_session_self(s)] = after.bytes_sent - before.bytes_sent;
    if (mpc_session_self(s) == 0)
        k->rounds = after.rounds - before.rounds;
    return FM_OK;
}

static void costs(enum what what, unsigned width, enum mpc_profile profile, uint64_t bytes_of_64,
                  uint64_t rounds)
{
    struct world w = {.row = mpc_protocol_find("rep3"), .profile = profile};
    struct cost k = {.what = what, .width = width};
    uint64_t bytes;

    world_must_run(&w, costed, &k);
    bytes = k.bytes[0] + k.bytes[1] + k.bytes[2];
    if (bytes != 10 * bytes_of_64 || k.rounds != rounds)
        fail_msg("circuit %d, width %u: %llu bytes in %llu rounds, not %llu in %llu", what, width,
                 (unsigned long long)bytes, (unsigned long long)k.rounds,
                 (unsigned long long)(10 * bytes_of_64), (unsigned long long)rounds);
}

static void costs_are_what_headers_say(void **state)
{
    static const unsigned widths[] = {2, 20, 63};

    (void)state;
    for (unsigned i = 0; i < 3; i++)
        for (unsigned p = 0; p < 2; p++) {
            unsigned k = widths[i];
            enum mpc_profile profile = p == 0 ? MPC_FEW_ROUNDS : MPC_FEW_BYTES;
            struct mpc_rep3_cost less = mpc_rep3_msb_cost(k + 1, 1, profile);
            struct mpc_rep3_cost sign = mpc_rep3_msb_cost(k, 1, profile);
            struct mpc_rep3_cost a2b = mpc_rep3_a2b_cost(k, profile);

            costs(MIN, k, profile, less.bytes + 48 * 64, less.rounds + 3);
            costs(MAX, k, profile, less.bytes + 48 * 64, less.rounds + 3);
            costs(NEGATIVE, k, profile, sign.bytes, sign.rounds);
            costs(ABS, k, profile, sign.bytes + 48 * 64, sign.rounds + 3);
            costs(BITS, k, profile, a2b.bytes + 24 * 64 * k, a2b.rounds + 2);
            costs(TRUNCATE, k, profile, a2b.bytes + 24 * 64, a2b.rounds + 2); /* one bit is left */
        }
}

/* Twenty steps by a divisor of ten bits; 64 values from six bits. Short columns: b2a by injection.
 */
static void steps_cost_what_headers_say(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        enum mpc_profile p = i == 0 ? MPC_FEW_ROUNDS : MPC_FEW_BYTES;
        struct mpc_rep3_cost num = mpc_rep3_a2b_cost(20, p), den = mpc_rep3_a2b_cost(10, p);
        struct mpc_rep3_cost bits = mpc_rep3_a2b_cost(6, p);
        struct mpc_circuit_cost step = mpc_sum_cost(12, p), hot = mpc_one_hot_cost(64);

        costs(ONE_HOT, 6, p, bits.bytes + 24 * hot.ands, bits.rounds + hot.rounds);
        if (p == MPC_FEW_ROUNDS)
            costs(DIVIDE, 21, p,
                  num.bytes + den.bytes + 20 * 24 * (step.ands + 10) + 24 * 64 * (20 + 10),
                  num.rounds + 20 * (step.rounds + 1) + 2 + 2);
    }
}

/* Divisions of 640 numbers of 0..most by c. */
struct quotient {
    int64_t most;
    int64_t c;
    unsigned width;          /* of 0..most, where bits of it are left away first, else 0 */
    unsigned leave, product; /* how many; the width of what is cut by `shift` bits */
    unsigned shift, rest;    /* the width of the remainder less c */
    uint64_t bytes[3];
    uint64_t rounds;
};

static fm_status divided(struct mpc_session *s, void *arg, struct base_err *err)
{
    static const int64_t zeros[640];
    struct quotient *k = arg;
    struct mpc_share *x, *z;
    struct mpc_stats before, after;

    TRY(feed(s, &x, 0, zeros, 640, (struct mpc_range){0, k->most}, err));
    mpc_session_stats(s, &before);
    TRY(mpc_divide_public(&z, x, k->c, err));
    mpc_session_stats(s, &after);
    k->bytes[mpc_session_self(s)] = after.bytes_sent - before.bytes_sent;
    if (mpc_session_self(s) == 0)
        k->rounds = after.rounds - before.rounds;
    return FM_OK;
}

/* Truncation of a number of `width` bits. */
static void add_truncation(struct mpc_rep3_cost *sum, unsigned width, unsigned by,
                           enum mpc_profile p)
{
    struct mpc_rep3_cost bits = mpc_rep3_a2b_cost(width, p);
    uint64_t bytes;

    sum->rounds += bits.rounds + rep3_b2a_cost(&bytes, width - by, 640, p);
    sum->bytes += 10 * bits.bytes + bytes;
}

static void divisions_by_public_numbers_cost_what_headers_say(void **state)
{
    static const struct quotient rows[] = {
        {.most = 1000000, .c = 7, .product = 63, .shift = 44, .rest = 4},
        {.most = 1000000, .c = 1000, .product = 62, .shift = 51, .rest = 11},
        {.most = INT64_C(100000000000),
         .c = 1000,
         .width = 38,
         .leave = 6,
         .product = 62,
         .shift = 34,
         .rest = 11},
    };

    (void)state;
    for (enum mpc_profile p = MPC_FEW_ROUNDS; p <= MPC_FEW_BYTES; p++)
        for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
            struct quotient k = rows[i];
            struct world w = {.row = mpc_protocol_find("rep3"), .profile = p};
            struct mpc_rep3_cost less = mpc_rep3_msb_cost(k.rest, 640, p);
            struct mpc_rep3_cost sum = {10 * less.bytes + 24 * 640, less.rounds + 2, 0};

            if (k.width > 0)
                add_truncation(&sum, k.width, k.leave, p);
            add_truncation(&sum, k.product, k.shift, p);
            world_must_run(&w, divided, &k);
            assert_int_equal(k.bytes[0] + k.bytes[1] + k.bytes[2], sum.bytes);
            assert_int_equal(k.rounds, sum.rounds);
        }
}

static fm_status bad_arguments(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct mpc_share *x, *few, *wide, *planes, *z;

    (void)arg;
    TRY(mpc_constant(s, &x, 5, 4, err));
    TRY(mpc_constant(s, &few, 5, 3, err));
    TRY(mpc_bits_constant(s, &planes, 5, 9, 4, err));
    TRY(mpc_random_share(s, &wide, MPC_RING64, 0, 4, err));
    REFUSED(mpc_truncate(&z, planes, 1, err), FM_E_ARG, "takes a ring column");
    REFUSED(mpc_truncate(&z, x, 64, err), FM_E_ARG, "by 64 bits");
    REFUSED(mpc_one_hot(&z, wide, err), FM_E_LIMIT, "at most 256 values");
    REFUSED(mpc_one_hot(&z, planes, err), FM_E_LIMIT, "at most 256 values");
    REFUSED(mpc_min(&z, x, few, MPC_SIGNED, err), FM_E_ARG, "lengths 4 and 3 differ");
    REFUSED(mpc_max(&z, x, planes, MPC_SIGNED, err), FM_E_ARG, "takes a ring column");
    REFUSED(mpc_divide_public(&z, x, 0, err), FM_E_ARG, "1 or more");
    REFUSED(mpc_divide_public(&z, wide, 3, err), FM_E_LIMIT, "below 2^61");
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
        cmocka_unit_test(numbers_come_apart),
        cmocka_unit_test(one_hot_of_every_small_range),
        cmocka_unit_test(divides_by_public_numbers),
        cmocka_unit_test(costs_are_what_headers_say),
        cmocka_unit_test(steps_cost_what_headers_say),
        cmocka_unit_test(divisions_by_public_numbers_cost_what_headers_say),
        cmocka_unit_test(bad_arguments_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
