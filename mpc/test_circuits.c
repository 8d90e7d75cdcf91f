/* Circuits on every row and in both profiles, against plain C: exhaustive at small widths,
 * corner-seeking at large ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "mpc/circuit/aggregate.h"
#include "mpc/circuit/compare.h"
#include "mpc/circuit/divide.h"
#include "mpc/circuit/select.h"
#include "mpc/test_world.h"

struct columns {
    size_t n;
    struct mpc_range range;
    int64_t *x;
    int64_t *y;
    uint64_t *mask;
    int64_t *got;
    int64_t c;
};

typedef int64_t expectation(const struct columns *k, size_t i);

static fm_status expect(struct columns *k, struct mpc_share *z, size_t n, expectation *expected,
                        const char *what, struct base_err *err)
{
    bool here = mpc_session_self(mpc_share_session(z)) == 0;
    struct mpc_range range = mpc_share_range(z);

    if (mpc_share_n(z) != n)
        return base_err_set(err, FM_E_INVALID, "%s: %zu elements, not %zu", what, mpc_share_n(z),
                            n);
    TRY(tell(z, 0, k->got, err));
    for (size_t i = 0; here && i < n; i++) {
        if (k->got[i] != expected(k, i))
            return base_err_set(err, FM_E_INVALID, "%s: (%lld, %lld) c = %lld gives %lld, not %lld",
                                what, (long long)k->x[i], (long long)k->y[i], (long long)k->c,
                                (long long)k->got[i], (long long)expected(k, i));
        if (mpc_share_domain(z) == MPC_RING64 && (k->got[i] < range.lo || k->got[i] > range.hi))
            return base_err_set(err, FM_E_INVALID, "%s: %lld leaves its range %lld..%lld", what,
                                (long long)k->got[i], (long long)range.lo, (long long)range.hi);
    }
    mpc_share_free(z);
    return FM_OK;
}

static int64_t is_less(const struct columns *k, size_t i)
{
    return k->x[i] < k->y[i];
}
static int64_t is_greater(const struct columns *k, size_t i)
{
    return k->x[i] > k->y[i];
}
static int64_t is_equal(const struct columns *k, size_t i)
{
    return k->x[i] == k->y[i];
}
static int64_t is_less_c(const struct columns *k, size_t i)
{
    return k->x[i] < k->c;
}
static int64_t is_greater_c(const struct columns *k, size_t i)
{
    return k->x[i] > k->c;
}
static int64_t is_equal_c(const struct columns *k, size_t i)
{
    return k->x[i] == k->c;
}
static int64_t is_less_first(const struct columns *k, size_t i)
{
    return k->x[i] < k->y[0];
}
static int64_t is_equal_first(const struct columns *k, size_t i)
{
    return k->x[0] == k->y[i];
}
static int64_t is_less_unsigned(const struct columns *k, size_t i)
{
    return (uint64_t)k->x[i] < (uint64_t)k->y[i];
}

static fm_status comparisons(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct columns *k = arg;
    struct mpc_share *x;
    struct mpc_share *y;
    struct mpc_share *first;
    struct mpc_share *z[2];
    struct mpc_share *bits[2];
    const int64_t at[] = {k->range.lo, k->range.hi, 0, 1, -1, k->c};

    TRY(feed(s, &x, 0, k->x, k->n, k->range, err));
    TRY(feed(s, &y, 0, k->y, k->n, k->range, err));
    TRY(mpc_less_list(z, (const struct mpc_share *const[]){x, y},
                      (const struct mpc_share *const[]){y, x}, 2, err));
    TRY(expect(k, z[0], k->n, is_less, "less", err));
    TRY(expect(k, z[1], k->n, is_greater, "less, swapped", err));
    TRY(mpc_equal(&z[0], x, y, err));
    TRY(expect(k, z[0], k->n, is_equal, "equal", err));
    for (size_t i = 0; i < sizeof at / sizeof at[0]; i++) {
        struct columns here = *k;

        here.c = at[i];
        TRY(mpc_less_public(&z[0], x, here.c, err));
        TRY(expect(&here, z[0], k->n, is_less_c, "less public", err));
        TRY(mpc_greater_public(&z[0], x, here.c, err));
        TRY(expect(&here, z[0], k->n, is_greater_c, "greater public", err));
        TRY(mpc_equal_public(&z[0], x, here.c, err));
        TRY(expect(&here, z[0], k->n, is_equal_c, "equal public", err));
    }
    TRY(mpc_slice(&first, y, 0, 1, err));
    TRY(mpc_less(&z[0], x, first, err));
    TRY(expect(k, z[0], k->n, is_less_first, "less than one", err));
    TRY(mpc_slice(&first, x, 0, 1, err));
    TRY(mpc_equal(&z[0], first, y, err));
    TRY(expect(k, z[0], k->n, is_equal_first, "equal to one", err));
    TRY(mpc_a2b(&bits[0], x, err));
    TRY(mpc_a2b(&bits[1], y, err));
    TRY(mpc_less_bits(&z[0], bits[0], bits[1], MPC_SIGNED, err));
    TRY(expect(k, z[0], k->n, is_less, "less, bits signed", err));
    TRY(mpc_less_bits(&z[0], bits[0], bits[1], MPC_UNSIGNED, err));
    TRY(expect(k, z[0], k->n, is_less_unsigned, "less, bits unsigned", err));
    TRY(mpc_equal_list(z, (const struct mpc_share *const[]){bits[0], x},
                       (const struct mpc_share *const[]){bits[1], y}, 2, err));
    TRY(expect(k, z[0], k->n, is_equal, "equal, bits", err));
    return expect(k, z[1], k->n, is_equal, "equal, in a mixed list", err);
}

static int64_t is_selected(const struct columns *k, size_t i)
{
    return k->mask[i] != 0 ? k->x[i] : k->y[i];
}
static int64_t is_kept(const struct columns *k, size_t i)
{
    return k->mask[i] != 0 ? k->x[i] : 0;
}
static int64_t is_one_selected(const struct columns *k, size_t i)
{
    return k->mask[0] != 0 ? k->x[i] : k->y[i];
}
static int64_t is_abs(const struct columns *k, size_t i)
{
    return k->x[i] < 0 ? -k->x[i] : k->x[i];
}
static int64_t is_negative(const struct columns *k, size_t i)
{
    return k->x[i] < 0;
}

static fm_status selections(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct columns *k = arg;
    struct mpc_share *x;
    struct mpc_share *y;
    struct mpc_share *mask;
    struct mpc_share *one;
    struct mpc_share *z;
    struct mpc_share *t;
    struct mpc_share *bits[2];

    TRY(feed(s, &x, 0, k->x, k->n, k->range, err));
    TRY(feed(s, &y, 0, k->y, k->n, k->range, err));
    TRY(feed_bits(s, &mask, 0, k->mask, k->n, 1, err));
    TRY(mpc_select(&z, mask, x, y, err));
    TRY(expect(k, z, k->n, is_selected, "select", err));
    TRY(mpc_keep(&z, mask, x, err));
    TRY(expect(k, z, k->n, is_kept, "keep", err));
    TRY(mpc_slice(&one, mask, 0, 1, err));
    TRY(mpc_select(&z, one, x, y, err));
    TRY(expect(k, z, k->n, is_one_selected, "select by one bit", err));
    TRY(mpc_a2b(&bits[0], x, err));
    TRY(mpc_a2b(&bits[1], y, err));
    TRY(mpc_select(&t, mask, bits[0], bits[1], err));
    TRY(mpc_b2a(&z, t, MPC_SIGNED, err));
    TRY(expect(k, z, k->n, is_selected, "select, bits", err));
    TRY(mpc_select(&t, one, bits[0], bits[1], err));
    TRY(mpc_b2a(&z, t, MPC_SIGNED, err));
    TRY(expect(k, z, k->n, is_one_selected, "select by one bit, bits", err));
    TRY(mpc_keep(&t, mask, bits[0], err));
    TRY(mpc_b2a(&z, t, MPC_SIGNED, err));
    TRY(expect(k, z, k->n, is_kept, "keep, bits", err));
    TRY(mpc_negative(&z, x, err));
    TRY(expect(k, z, k->n, is_negative, "negative", err));
    if (k->range.lo == INT64_MIN) {
        struct base_err refused;

        if (mpc_abs(&z, x, &refused) != FM_E_LIMIT)
            return base_err_set(err, FM_E_INVALID, "abs of the full range was not refused");
        return FM_OK;
    }
    TRY(mpc_abs(&z, x, err));
    return expect(k, z, k->n, is_abs, "abs", err);
}

static int64_t is_count(const struct columns *k, size_t i)
{
    int64_t count = 0;

    (void)i;
    for (size_t j = 0; j < k->n; j++)
        count += (int64_t)k->mask[j];
    return count;
}
static int64_t is_any(const struct columns *k, size_t i)
{
    return is_count(k, i) > 0;
}
static int64_t is_sum(const struct columns *k, size_t i)
{
    uint64_t sum = 0;

    (void)i;
    for (size_t j = 0; j < k->n; j++)
        sum += k->mask[j] != 0 ? (uint64_t)k->x[j] : 0;
    return (int64_t)sum;
}
static int64_t is_min(const struct columns *k, size_t i)
{
    int64_t best = INT64_MAX;

    for (size_t j = 0; j < k->n; j++)
        if (k->mask[j] != 0 && k->x[j] < best)
            best = k->x[j];
    return is_any(k, i) ? best : 0;
}
static int64_t is_max(const struct columns *k, size_t i)
{
    int64_t best = INT64_MIN;

    for (size_t j = 0; j < k->n; j++)
        if (k->mask[j] != 0 && k->x[j] > best)
            best = k->x[j];
    return is_any(k, i) ? best : 0;
}

static fm_status aggregates(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct columns *k = arg;
    struct mpc_share *x;
    struct mpc_share *mask;
    struct mpc_share *any;
    struct mpc_share *bit01;
    struct mpc_share *z[2];

    TRY(feed(s, &x, 0, k->x, k->n, k->range, err));
    TRY(feed_bits(s, &mask, 0, k->mask, k->n, 1, err));
    TRY(mpc_count(&z[0], mask, err));
    TRY(expect(k, z[0], 1, is_count, "count", err));
    TRY(mpc_sum_where(&z[0], x, mask, err));
    TRY(expect(k, z[0], 1, is_sum, "sum where", err));
    TRY(mpc_bit2a(&bit01, mask, err));
    TRY(mpc_sum_where_list(z, (const struct mpc_share *const[]){x, bit01}, bit01, 2, err));
    TRY(expect(k, z[0], 1, is_sum, "sum where, list", err));
    TRY(expect(k, z[1], 1, is_count, "sum of the mask itself", err));
    TRY(mpc_min_where(&z[0], &any, x, mask, err));
    TRY(expect(k, z[0], 1, is_min, "min", err));
    TRY(expect(k, any, 1, is_any, "any of min", err));
    TRY(mpc_max_where(&z[0], &any, x, mask, err));
    TRY(expect(k, z[0], 1, is_max, "max", err));
    TRY(expect(k, any, 1, is_any, "any of max", err));
    TRY(mpc_any(&any, mask, err));
    return expect(k, any, 1, is_any, "any", err);
}

static int64_t is_quotient(const struct columns *k, size_t i)
{
    return k->x[i] / k->y[i];
}
static int64_t is_remainder(const struct columns *k, size_t i)
{
    return k->x[i] % k->y[i];
}
static int64_t is_rounded(const struct columns *k, size_t i)
{
    __int128 num = k->x[i] < 0 ? -(__int128)k->x[i] : k->x[i];
    int64_t q = (int64_t)((2 * num + k->y[i]) / (2 * (__int128)k->y[i]));

    return k->x[i] < 0 ? -q : q;
}

/* c: the greatest divisor. Division itself where no dividend is negative, rounding always. */
static fm_status divisions(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct columns *k = arg;
    struct mpc_share *x;
    struct mpc_share *y;
    struct mpc_share *z[2];

    TRY(feed(s, &x, 0, k->x, k->n, k->range, err));
    TRY(feed(s, &y, 0, k->y, k->n, (struct mpc_range){0, k->c}, err));
    TRY(mpc_divide_round(&z[0], x, y, err));
    TRY(expect(k, z[0], k->n, is_rounded, "divide, rounded", err));
    if (k->range.lo < 0)
        return FM_OK;
    TRY(mpc_divide(&z[0], &z[1], x, y, err));
    TRY(expect(k, z[0], k->n, is_quotient, "quotient", err));
    return expect(k, z[1], k->n, is_remainder, "remainder", err);
}

static void columns_new(struct columns *k, size_t n)
{
    *k = (struct columns){.n = n};
    k->x = calloc(n + 1, 8);
    k->y = calloc(n + 1, 8);
    k->mask = calloc(n + 1, 8);
    k->got = calloc(n + 1, 8);
}

static void columns_free(struct columns *k)
{
    free(k->x);
    free(k->y);
    free(k->mask);
    free(k->got);
}

static void on_every_row(world_program *program, struct columns *k, const char *what)
{
    for (size_t r = 0; mpc_protocol_at(r) != NULL; r++) {
        for (unsigned profile = 0; profile < 2; profile++) {
            struct world w = {.row = mpc_protocol_at(r), .profile = (enum mpc_profile)profile};

            world_run(&w, program, k);
            for (unsigned p = 0; p < w.parties; p++)
                if (w.status[p] != FM_OK)
                    fail_msg("%s on %s, profile %u, n = %zu, party %u: %s", what, w.row->name,
                             profile, k->n, p, w.err[p].text);
            world_clear(&w);
        }
    }
}

/* Every pair of two's complement numbers of each small width. */
static void small_widths_exhaustively(void **state)
{
    (void)state;
    for (unsigned width = 1; width <= 5; width++) {
        int64_t half = INT64_C(1) << (width - 1);
        size_t side = (size_t)1 << width;
        struct columns k;

        columns_new(&k, side * side);
        k.range = (struct mpc_range){-half, half - 1};
        for (size_t i = 0; i < k.n; i++) {
            k.x[i] = (int64_t)(i % side) - half;
            k.y[i] = (int64_t)(i / side) - half;
            k.mask[i] = i / 3 % 2;
        }
        k.c = 3;
        on_every_row(comparisons, &k, "comparisons");
        on_every_row(selections, &k, "selections");
        columns_free(&k);
    }
}

static void random_columns(struct columns *k, size_t n, struct mpc_range range, uint64_t seed)
{
    struct test_rng rng = {seed};

    columns_new(k, n);
    k->range = range;
    for (size_t i = 0; i < n; i++) {
        k->x[i] = rng_in(&rng, range);
        k->y[i] = i % 4 == 0 ? k->x[i] : rng_in(&rng, range);
        k->mask[i] = rng_next(&rng) >> 63;
    }
    k->c = rng_in(&rng, range);
}

static const struct mpc_range ranges[] = {{0, 1},
                                          {0, 999999},
                                          {-1, 0},
                                          {-5000000, 70},
                                          {7, 7},
                                          {-(INT64_C(1) << 62) + 1, (INT64_C(1) << 62) - 1},
                                          {INT64_MIN + 1, INT64_MAX},
                                          {INT64_MIN, INT64_MAX}};

static void wide_ranges(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        struct columns k;

        random_columns(&k, 301, ranges[i], 900 + i);
        on_every_row(comparisons, &k, "comparisons, seed 900 + range");
        on_every_row(selections, &k, "selections, seed 900 + range");
        columns_free(&k);
    }
}

static void aggregates_of_all_lengths(void **state)
{
    static const size_t lengths[] = {0, 1, 2, 3, 5, 64, 65, 257, 1000, 4097};
    static const struct mpc_range some[] = {
        {0, 99999}, {-70, 5}, {-90, -3}, {3, 70}, {-(INT64_C(1) << 40), INT64_C(1) << 40}};

    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (unsigned masks = 0; masks < 3; masks++) {
            struct columns k;

            random_columns(&k, lengths[i], some[i % 5], 50 + i);
            for (size_t j = 0; masks > 0 && j < k.n; j++)
                k.mask[j] = masks == 2;
            on_every_row(aggregates, &k, "aggregates, seed 50 + length's place");
            columns_free(&k);
        }
    }
}

static void divisions_exhaustively(void **state)
{
    struct columns k;

    (void)state;
    columns_new(&k, 64 * 15);
    k.range = (struct mpc_range){0, 63};
    k.c = 15;
    for (size_t i = 0; i < k.n; i++) {
        k.x[i] = (int64_t)(i % 64);
        k.y[i] = (int64_t)(i / 64) + 1;
    }
    on_every_row(divisions, &k, "division");
    k.range = (struct mpc_range){-32, 31};
    for (size_t i = 0; i < k.n; i++)
        k.x[i] -= 32;
    on_every_row(divisions, &k, "signed division");
    columns_free(&k);
}

static void divisions_of_wide_numbers(void **state)
{
    static const struct {
        int64_t num;
        int64_t den;
    } tops[] = {{INT64_C(1) << 61, 1},
                {INT64_C(1) << 60, INT64_C(1) << 60},
                {999999999999, 300000},
                {5, INT64_C(1) << 61}};

    (void)state;
    for (size_t t = 0; t < sizeof tops / sizeof tops[0]; t++) {
        for (unsigned sign = 0; sign < 2; sign++) {
            struct test_rng rng = {33 + t};
            struct columns k;

            columns_new(&k, 9);
            k.range = (struct mpc_range){sign != 0 ? -tops[t].num : 0, tops[t].num};
            k.c = tops[t].den;
            for (size_t i = 0; i < k.n; i++) {
                k.x[i] = rng_in(&rng, k.range);
                k.y[i] = rng_in(&rng, (struct mpc_range){1, k.c});
            }
            on_every_row(divisions, &k, "wide division, seed 33 + t");
            columns_free(&k);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_widths_exhaustively), cmocka_unit_test(wide_ranges),
        cmocka_unit_test(aggregates_of_all_lengths), cmocka_unit_test(divisions_exhaustively),
        cmocka_unit_test(divisions_of_wide_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
