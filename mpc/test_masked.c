/* Conversions by masked circuits (rep3/masked.h), at every width: against plain C, exhaustively for
 * the small ones, with and without something subtracted, in short and long lists; and what travels
 * is a function of lengths and widths alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "mpc/test_world.h"

enum { MOST = 20000, WIDE = 64 };

struct numbers {
    size_t n;
    unsigned width;
    bool one; /* what is subtracted has one element */
    int64_t x[MOST];
    int64_t y[MOST];
    int64_t got[4][MOST];
};

static uint64_t low(uint64_t x, unsigned width)
{
    return x << (64 - width) >> (64 - width);
}

static fm_status convert(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct numbers *k = arg;
    const unsigned width[2] = {k->width, k->width};
    struct mpc_share *x, *y, *z[4], *pair[2];
    const struct mpc_share *left[2], *right[2] = {NULL, NULL};

    TRY(feed(s, &x, 0, k->x, k->n, MPC_RANGE_FULL, err));
    TRY(feed(s, &y, 1, k->y, k->one ? 1 : k->n, MPC_RANGE_FULL, err));
    left[0] = left[1] = x;
    right[1] = y;
    TRY(mpc_a2b_list(z, left, width, 1, err));
    TRY(mpc_msb_diff_list(pair, left, right, width, 2, err));
    z[1] = pair[1];
    TRY(mpc_xor(&z[2], pair[0], pair[1], err));
    TRY(mpc_eqz_diff_list(&z[3], left, &right[1], width, 1, err));
    for (unsigned i = 0; i < 4; i++)
        TRY(tell(z[i], 0, k->got[i], err));
    return FM_OK;
}

static void check(struct numbers *k, enum mpc_profile profile)
{
    struct world w = {.row = mpc_protocol_find("rep3"), .profile = profile};

    world_must_run(&w, convert, k);
    world_clear(&w);
    for (size_t i = 0; i < k->n; i++) {
        uint64_t x = (uint64_t)k->x[i];
        uint64_t d = x - (uint64_t)k->y[k->one ? 0 : i];
        uint64_t top = d >> (k->width - 1) & 1;

        if ((uint64_t)k->got[0][i] != low(x, k->width) || (uint64_t)k->got[1][i] != top ||
            (uint64_t)k->got[2][i] != (top ^ (x >> (k->width - 1) & 1)) ||
            (k->got[3][i] != 0) != (low(d, k->width) == 0))
            fail_msg("width %u, n = %zu: element %zu, %llx less %llx", k->width, k->n, i,
                     (unsigned long long)x, (unsigned long long)(x - d));
    }
}

/* All pairs of numbers of up to 5 bits; all numbers of up to 9. */
static void small_widths_exhaustively(void **state)
{
    static struct numbers k;

    (void)state;
    for (k.width = 1; k.width <= 9; k.width++) {
        unsigned pairs = k.width <= 5 ? k.width : 0;

        k.n = (size_t)1 << (k.width + pairs);
        for (size_t i = 0; i < k.n; i++) {
            k.x[i] = (int64_t)(i & ((1u << k.width) - 1));
            k.y[i] = (int64_t)(i >> k.width);
        }
        k.one = pairs == 0;
        check(&k, MPC_FEW_ROUNDS);
        check(&k, MPC_FEW_BYTES);
    }
}

/* Corners: long runs, ends of ranges, equal pairs, pairs that differ in one bit. */
static void every_width(void **state)
{
    static struct numbers k;
    struct test_rng rng = {31};

    (void)state;
    for (k.width = 1; k.width <= WIDE; k.width++) {
        k.n = 1 + rng_next(&rng) % 200;
        k.one = k.width % 3 == 0;
        for (size_t i = 0; i < k.n; i++) {
            k.x[i] = rng_value(&rng);
            k.y[i] = i % 4 == 0   ? k.x[i]
                     : i % 4 == 1 ? k.x[i] ^ (int64_t)(UINT64_C(1) << rng_next(&rng) % 64)
                                  : rng_value(&rng);
        }
        check(&k, MPC_FEW_ROUNDS);
    }
}

/* Several units and batches, the last one not full. */
static void long_columns(void **state)
{
    static const unsigned widths[] = {64, 63, 21, 4};
    static struct numbers k;
    struct test_rng rng = {37};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        k.width = widths[i];
        k.n = MOST - 7 * i;
        for (size_t j = 0; j < k.n; j++) {
            k.x[j] = rng_value(&rng);
            k.y[j] = j % 3 == 0 ? k.x[j] : rng_value(&rng);
        }
        check(&k, MPC_FEW_ROUNDS);
    }
}

static void transcripts_do_not_depend_on_secrets(void **state)
{
    static struct numbers k = {.n = 9000, .width = 64};
    struct world first = {.row = mpc_protocol_find("rep3"), .trace = true};
    struct test_rng rng = {41};

    (void)state;
    world_must_run(&first, convert, &k); /* all zero */
    for (unsigned kind = 0; kind < 2; kind++) {
        struct world w = {.row = first.row, .trace = true};

        for (size_t i = 0; i < k.n; i++) {
            k.x[i] = kind == 0 ? -1 : rng_value(&rng);
            k.y[i] = kind == 0 ? 1 : rng_value(&rng);
        }
        world_must_run(&w, convert, &k);
        for (unsigned p = 0; p < 3; p++) {
            assert_true(strlen(w.traces[p]) > 100);
            assert_string_equal(w.traces[p], first.traces[p]);
        }
        world_clear(&w);
    }
    world_clear(&first);
}

static fm_status bad_arguments(struct mpc_session *s, void *arg, struct base_err *err)
{
    const unsigned width[1] = {9};
    const unsigned wide[1] = {65};
    struct mpc_session *other = arg;
    struct mpc_share *x, *few, *bits, *foreign, *z = NULL;
    struct base_err why = {0};
    const struct mpc_share *one[1], *minus[1];

    TRY(mpc_constant(s, &x, 5, 4, err));
    TRY(mpc_constant(s, &few, 5, 3, err));
    TRY(mpc_constant(other, &foreign, 5, 4, err));
    TRY(mpc_bits_constant(s, &bits, 5, 9, 4, err));
    one[0] = x;
    minus[0] = few;
    assert_int_equal(mpc_eqz_diff_list(&z, one, minus, width, 1, &why), FM_E_ARG);
    assert_non_null(strstr(why.text, "lengths 4 and 3 differ"));
    minus[0] = bits;
    assert_int_equal(mpc_msb_diff_list(&z, one, minus, width, 1, &why), FM_E_ARG);
    assert_non_null(strstr(why.text, "takes a ring column"));
    minus[0] = foreign;
    assert_int_equal(mpc_msb_diff_list(&z, one, minus, width, 1, &why), FM_E_ARG);
    assert_non_null(strstr(why.text, "of two sessions"));
    minus[0] = x;
    assert_int_equal(mpc_eqz_diff_list(&z, one, minus, wide, 1, &why), FM_E_ARG);
    assert_non_null(strstr(why.text, "width 65"));
    assert_int_equal(mpc_a2b_list(&z, one, wide, 1, &why), FM_E_ARG);
    assert_null(z);
    return FM_OK;
}

static void bad_arguments_are_errors(void **state)
{
    struct world w = {.row = mpc_protocol_find("plain")};
    struct mpc_session_config c = {.protocol = w.row,
                                   .compute = (const unsigned[]){0},
                                   .compute_len = 1,
                                   .streams = 1,
                                   .random = base_random_system()};
    struct mpc_session *other;
    struct base_err err = {0};

    (void)state;
    assert_int_equal(mpc_session_open(&other, &c, &err), FM_OK);
    world_must_run(&w, bad_arguments, other);
    mpc_session_close(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_widths_exhaustively),
        cmocka_unit_test(every_width),
        cmocka_unit_test(long_columns),
        cmocka_unit_test(transcripts_do_not_depend_on_secrets),
        cmocka_unit_test(bad_arguments_are_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
