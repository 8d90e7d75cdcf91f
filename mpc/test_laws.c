/* One suite of laws for every row of the operations table: what each operation must equal, at
 * lengths that cut words and chunks in odd places, with values that seek corners. The oracle is
 * plain C arithmetic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "mpc/debug/debug.h"
#include "mpc/test_world.h"

struct laws {
    size_t n;
    int64_t *x;
    int64_t *y;
    uint64_t *bits; /* 0 / 1 */
    int64_t *got;
    struct test_rng rng;
    unsigned outsider; /* who owns y */
};

static void laws_new(struct laws *l, size_t n, uint64_t seed)
{
    *l = (struct laws){.n = n, .rng = {seed}};
    l->x = calloc(n + 1, 8);
    l->y = calloc(n + 1, 8);
    l->bits = calloc(n + 1, 8);
    l->got = calloc(3 * n + 64, 8);
    for (size_t i = 0; i < n; i++) {
        l->x[i] = rng_value(&l->rng);
        l->y[i] = i % 5 == 0 ? l->x[i] : rng_value(&l->rng);
        l->bits[i] = rng_next(&l->rng) >> 63;
    }
}

static void laws_free(struct laws *l)
{
    free(l->x);
    free(l->y);
    free(l->bits);
    free(l->got);
}

static int64_t add64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static int64_t sub64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static int64_t mul64(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

/* Reveals z to party 0 and, there, compares element i with expected(l, i). */
static fm_status expect(struct laws *l, const struct mpc_share *z, size_t n,
                        int64_t (*expected)(const struct laws *, size_t), const char *what,
                        struct base_err *err)
{
    bool here = mpc_session_self(mpc_share_session(z)) == 0;

    if (mpc_share_n(z) != n)
        return base_err_set(err, FM_E_INVALID, "%s: %zu elements, not %zu", what, mpc_share_n(z),
                            n);
    TRY(tell(z, 0, l->got, err));
    for (size_t i = 0; here && i < n; i++)
        if (l->got[i] != expected(l, i))
            return base_err_set(err, FM_E_INVALID, "%s: element %zu of %zu is %lld, not %lld", what,
                                i, n, (long long)l->got[i], (long long)expected(l, i));
    return FM_OK;
}

static int64_t is_x(const struct laws *l, size_t i)
{
    return l->x[i];
}
static int64_t is_sum(const struct laws *l, size_t i)
{
    return add64(l->x[i], l->y[i]);
}
static int64_t is_difference(const struct laws *l, size_t i)
{
    return sub64(l->x[i], l->y[i]);
}
static int64_t is_negative(const struct laws *l, size_t i)
{
    return sub64(0, l->x[i]);
}
static int64_t is_scaled(const struct laws *l, size_t i)
{
    return mul64(l->x[i], -77);
}
static int64_t is_shifted(const struct laws *l, size_t i)
{
    return add64(l->x[i], INT64_MAX - 5);
}
static int64_t is_product(const struct laws *l, size_t i)
{
    return mul64(l->x[i], l->y[i]);
}
static int64_t is_total(const struct laws *l, size_t i)
{
    int64_t sum = 0;

    (void)i;
    for (size_t j = 0; j < l->n; j++)
        sum = add64(sum, l->x[j]);
    return sum;
}
static int64_t is_dot(const struct laws *l, size_t i)
{
    int64_t sum = 0;

    (void)i;
    for (size_t j = 0; j < l->n; j++)
        sum = add64(sum, mul64(l->x[j], l->y[j]));
    return sum;
}
static int64_t is_dot_of_columns(const struct laws *l, size_t i)
{
    return add64(add64(mul64(l->x[i], l->y[i]), mul64(l->y[i], l->x[0])), mul64(l->x[i], l->x[i]));
}
static int64_t is_constant(const struct laws *l, size_t i)
{
    (void)l;
    (void)i;
    return -123456789;
}
static int64_t is_first(const struct laws *l, size_t i)
{
    (void)i;
    return l->x[0];
}
static int64_t is_sliced(const struct laws *l, size_t i)
{
    return l->x[i + l->n / 3];
}
static int64_t is_joined(const struct laws *l, size_t i)
{
    return i < l->n ? l->x[i] : i < 2 * l->n ? l->y[i - l->n] : l->x[i - 2 * l->n];
}

static fm_status ring_laws(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct laws *l = arg;
    struct mpc_share *x;
    struct mpc_share *y;
    struct mpc_share *z[8] = {NULL};
    size_t n = l->n;

    TRY(feed(s, &x, 0, l->x, n, MPC_RANGE_FULL, err));
    TRY(feed(s, &y, l->outsider, l->y, n, MPC_RANGE_FULL, err));
    TRY(expect(l, x, n, is_x, "input", err));
    TRY(mpc_add(&z[0], x, y, err));
    TRY(expect(l, z[0], n, is_sum, "add", err));
    TRY(mpc_sub(&z[1], x, y, err));
    TRY(expect(l, z[1], n, is_difference, "sub", err));
    TRY(mpc_neg(&z[2], x, err));
    TRY(expect(l, z[2], n, is_negative, "neg", err));
    TRY(mpc_scale(&z[3], x, -77, err));
    TRY(expect(l, z[3], n, is_scaled, "scale", err));
    TRY(mpc_add_constant(&z[4], x, INT64_MAX - 5, err));
    TRY(expect(l, z[4], n, is_shifted, "add constant", err));
    TRY(mpc_sum(&z[5], x, err));
    TRY(expect(l, z[5], 1, is_total, "sum", err));
    TRY(mpc_constant(s, &z[6], -123456789, n, err));
    TRY(expect(l, z[6], n, is_constant, "constant", err));
    mpc_share_free_all(z, 8);
    TRY(mpc_mul(&z[0], x, y, err));
    TRY(expect(l, z[0], n, is_product, "mul", err));
    TRY(mpc_dot(&z[1], x, y, err));
    TRY(expect(l, z[1], 1, is_dot, "dot", err));
    /* (x + y)(x - y) = x x - y y: in secret, and in a list */
    TRY(mpc_add(&z[2], x, y, err));
    TRY(mpc_sub(&z[3], x, y, err));
    TRY(mpc_mul_list(&z[4], (const struct mpc_share *const[]){z[2], x, y},
                     (const struct mpc_share *const[]){z[3], x, y}, 3, err));
    TRY(mpc_sub(&z[7], z[5], z[6], err));
    mpc_share_free(z[5]);
    TRY(mpc_sub(&z[5], z[7], z[4], err));
    TRY(tell(z[5], 0, l->got, err));
    for (size_t i = 0; mpc_session_self(s) == 0 && i < n; i++)
        if (l->got[i] != 0)
            return base_err_set(err, FM_E_INVALID, "(x+y)(x-y) differs from xx-yy at %zu", i);
    mpc_share_free_all(z, 8);
    TRY(mpc_slice(&z[0], x, n / 3, n - n / 3, err));
    TRY(expect(l, z[0], n - n / 3, is_sliced, "slice", err));
    TRY(mpc_concat(&z[1], (const struct mpc_share *const[]){x, y, x}, 3, err));
    TRY(expect(l, z[1], 3 * n, is_joined, "concat", err));
    if (n > 0) {
        TRY(mpc_slice(&z[2], x, 0, 1, err));
        TRY(mpc_spread(&z[3], z[2], n, err));
        TRY(expect(l, z[3], n, is_first, "spread", err));
        TRY(mpc_dot_columns(&z[5], (const struct mpc_share *const[]){x, y, x},
                            (const struct mpc_share *const[]){y, z[2], x}, 3, err));
        TRY(expect(l, z[5], n, is_dot_of_columns, "dot of columns", err));
    }
    /* operands are unchanged and may be the same column twice */
    TRY(mpc_mul(&z[4], x, x, err));
    TRY(expect(l, x, n, is_x, "operand after mul", err));
    return FM_OK;
}

static int64_t low(int64_t v, unsigned width)
{
    return (int64_t)((uint64_t)v << (64 - width) >> (64 - width));
}
static int64_t is_low13(const struct laws *l, size_t i)
{
    return low(l->x[i], 13);
}
static int64_t is_xor(const struct laws *l, size_t i)
{
    return l->x[i] ^ l->y[i];
}
static int64_t is_and(const struct laws *l, size_t i)
{
    return l->x[i] & l->y[i];
}
static int64_t is_or(const struct laws *l, size_t i)
{
    return l->x[i] | l->y[i];
}
static int64_t is_not(const struct laws *l, size_t i)
{
    return ~l->x[i];
}
static int64_t is_masked(const struct laws *l, size_t i)
{
    return l->bits[i] != 0 ? l->x[i] : 0;
}
static int64_t is_bit(const struct laws *l, size_t i)
{
    return (int64_t)l->bits[i];
}
static int64_t is_count(const struct laws *l, size_t i)
{
    int64_t count = 0;

    (void)i;
    for (size_t j = 0; j < l->n; j++)
        count += (int64_t)l->bits[j];
    return count;
}
static int64_t is_sign(const struct laws *l, size_t i)
{
    return l->x[i] < 0;
}
static int64_t is_bit12(const struct laws *l, size_t i)
{
    return l->x[i] >> 12 & 1;
}
static int64_t is_equal(const struct laws *l, size_t i)
{
    return l->x[i] == l->y[i];
}
static int64_t is_low_zero(const struct laws *l, size_t i)
{
    return low(l->x[i], 13) == 0;
}
static int64_t is_signed13(const struct laws *l, size_t i)
{
    return (int64_t)((uint64_t)l->x[i] << 51) >> 51;
}
static int64_t is_minus_one(const struct laws *l, size_t i)
{
    (void)l;
    (void)i;
    return -1;
}

static fm_status bit_laws(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct laws *l = arg;
    struct mpc_share *x;
    struct mpc_share *y;
    struct mpc_share *b;
    struct mpc_share *z[5] = {NULL};
    size_t n = l->n;

    TRY(feed_bits(s, &x, l->outsider, (uint64_t *)l->x, n, 64, err));
    TRY(feed_bits(s, &y, 0, (uint64_t *)l->y, n, 64, err));
    TRY(feed_bits(s, &b, 0, l->bits, n, 1, err));
    TRY(expect(l, x, n, is_x, "bits input", err));
    TRY(mpc_xor(&z[0], x, y, err));
    TRY(expect(l, z[0], n, is_xor, "xor", err));
    TRY(mpc_and(&z[1], x, y, err));
    TRY(expect(l, z[1], n, is_and, "and", err));
    TRY(mpc_or(&z[2], x, y, err));
    TRY(expect(l, z[2], n, is_or, "or", err));
    TRY(mpc_not(&z[3], x, err));
    TRY(expect(l, z[3], n, is_not, "not", err));
    TRY(mpc_and(&z[4], b, x, err));
    TRY(expect(l, z[4], n, is_masked, "and with one plane", err));
    mpc_share_free_all(z, 5);
    TRY(mpc_planes(&z[0], x, 0, 13, err));
    TRY(expect(l, z[0], n, is_low13, "planes", err));
    TRY(mpc_b2a(&z[1], z[0], MPC_UNSIGNED, err));
    TRY(expect(l, z[1], n, is_low13, "b2a unsigned", err));
    TRY(mpc_b2a(&z[2], z[0], MPC_SIGNED, err));
    TRY(expect(l, z[2], n, is_signed13, "b2a signed", err));
    if (n <= 1000) {
        TRY(mpc_b2a(&z[3], x, MPC_SIGNED, err));
        TRY(expect(l, z[3], n, is_x, "b2a of 64 bits", err));
    }
    TRY(mpc_bits_constant(s, &z[4], -1, 64, n, err));
    TRY(expect(l, z[4], n, is_minus_one, "bits constant", err));
    mpc_share_free_all(z, 5);
    TRY(mpc_bit2a(&z[0], b, err));
    TRY(expect(l, z[0], n, is_bit, "bit2a", err));
    TRY(mpc_bit_count_list(&z[1], (const struct mpc_share *const[]){b, b}, 2, err));
    TRY(expect(l, z[1], 1, is_count, "bit count", err));
    TRY(expect(l, z[2], 1, is_count, "bit count of the second", err));
    mpc_share_free_all(z, 5);
    TRY(mpc_slice(&z[0], x, n / 3, n - n / 3, err));
    TRY(expect(l, z[0], n - n / 3, is_sliced, "slice of bits", err));
    TRY(mpc_concat(&z[1], (const struct mpc_share *const[]){x, y, x}, 3, err));
    TRY(expect(l, z[1], 3 * n, is_joined, "concat of bits", err));
    if (n > 0) {
        TRY(mpc_slice(&z[2], x, 0, 1, err));
        TRY(mpc_spread(&z[3], z[2], n, err));
        TRY(expect(l, z[3], n, is_first, "spread of bits", err));
    }
    return FM_OK;
}

static fm_status conversion_laws(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct laws *l = arg;
    struct mpc_share *x;
    struct mpc_share *y;
    struct mpc_share *d;
    struct mpc_share *z[2] = {NULL};
    const struct mpc_share *both[2];
    unsigned widths[2] = {64, 13};
    size_t n = l->n;

    TRY(feed(s, &x, l->outsider, l->x, n, MPC_RANGE_FULL, err));
    TRY(feed(s, &y, 0, l->y, n, MPC_RANGE_FULL, err));
    both[0] = both[1] = x;
    TRY(mpc_a2b_list(z, both, widths, 2, err));
    TRY(expect(l, z[0], n, is_x, "a2b", err));
    TRY(expect(l, z[1], n, is_low13, "a2b of 13 bits", err));
    mpc_share_free_all(z, 2);
    TRY(mpc_msb_list(z, both, widths, 2, err));
    TRY(expect(l, z[0], n, is_sign, "msb", err));
    TRY(expect(l, z[1], n, is_bit12, "msb at 13", err));
    mpc_share_free_all(z, 2);
    TRY(mpc_sub(&d, x, y, err));
    both[0] = d;
    TRY(mpc_eqz_list(z, both, widths, 2, err));
    TRY(expect(l, z[0], n, is_equal, "eqz", err));
    TRY(expect(l, z[1], n, is_low_zero, "eqz at 13", err));
    mpc_share_free_all(z, 2);
    return FM_OK;
}

static int compare_int64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

/* A shuffle keeps the multiset, moves all columns alike, and is undone by its inverse. */
static fm_status permutation_laws(struct mpc_session *s, void *arg, struct base_err *err)
{
    struct laws *l = arg;
    struct mpc_share *c[2];
    struct mpc_share *z[2] = {NULL};
    struct mpc_share *back[2] = {NULL};
    struct mpc_perm *perm;
    size_t n = l->n;
    bool here = mpc_session_self(s) == 0;
    int64_t *sorted = calloc(n + 1, 8);
    int64_t *shuffled = calloc(n + 1, 8);
    fm_status status = FM_OK;

    TRY(feed(s, &c[0], 0, l->x, n, MPC_RANGE_FULL, err));
    TRY(feed_bits(s, &c[1], l->outsider, (uint64_t *)l->x, n, 64, err));
    TRY(mpc_perm_random(s, &perm, n, err));
    TRY(mpc_perm_apply(perm, MPC_FORWARD, z, (const struct mpc_share *const *)c, 2, err));
    TRY(mpc_perm_apply(perm, MPC_INVERSE, back, (const struct mpc_share *const *)z, 2, err));
    TRY(expect(l, back[0], n, is_x, "shuffled and back", err));
    TRY(expect(l, back[1], n, is_x, "bits shuffled and back", err));
    TRY(tell(z[0], 0, shuffled, err));
    TRY(tell(z[1], 0, l->got, err));
    if (here) {
        if (memcmp(shuffled, l->got, n * 8) != 0)
            status = base_err_set(err, FM_E_INVALID, "two columns went different ways");
        if (n > 50 && memcmp(shuffled, l->x, n * 8) == 0)
            status = base_err_set(err, FM_E_INVALID, "the shuffle moved nothing");
        memcpy(sorted, l->x, n * 8);
        qsort(sorted, n, 8, compare_int64);
        qsort(shuffled, n, 8, compare_int64);
        if (memcmp(shuffled, sorted, n * 8) != 0)
            status = base_err_set(err, FM_E_INVALID, "the shuffle changed the multiset");
    }
    free(sorted);
    free(shuffled);
    mpc_perm_free(perm);
    return status;
}

static const size_t lengths[] = {0, 1, 2, 3, 63, 64, 65, 127, 1000};

static void all_laws(const struct mpc_protocol *row, const struct mpc_protocol *const *row_of,
                     size_t n, uint64_t seed, enum mpc_profile profile)
{
    static const struct {
        const char *name;
        world_program *program;
    } suites[] = {{"ring", ring_laws},
                  {"bits", bit_laws},
                  {"conversions", conversion_laws},
                  {"permutations", permutation_laws}};
    struct laws l;

    laws_new(&l, n, seed);
    l.outsider = row->parties; /* the first party that does not compute */
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        struct world w = {.row = row, .outsiders = 1, .profile = profile};

        for (unsigned p = 0; row_of != NULL && p < WORLD_PARTIES; p++)
            w.row_of[p] = row_of[p];
        world_run(&w, suites[i].program, &l);
        for (unsigned p = 0; p < w.parties; p++)
            if (w.status[p] != FM_OK)
                fail_msg("%s, %s laws, n = %zu, seed %llu, party %u: %s", row->name, suites[i].name,
                         n, (unsigned long long)seed, p, w.err[p].text);
        world_clear(&w);
    }
    laws_free(&l);
}

static void every_row_keeps_the_laws(void **state)
{
    (void)state;
    for (size_t r = 0; mpc_protocol_at(r) != NULL; r++)
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
            all_laws(mpc_protocol_at(r), NULL, lengths[i], 1000 + i, MPC_FEW_ROUNDS);
}

static void few_bytes_keeps_the_laws(void **state)
{
    (void)state;
    for (size_t r = 0; mpc_protocol_at(r) != NULL; r++) {
        all_laws(mpc_protocol_at(r), NULL, 65, 77, MPC_FEW_BYTES);
        all_laws(mpc_protocol_at(r), NULL, 1000, 78, MPC_FEW_BYTES);
    }
}

static void long_columns_keep_the_laws(void **state)
{
    (void)state;
    all_laws(mpc_protocol_find("rep3"), NULL, MPC_CHUNK_WORDS + 1, 5, MPC_FEW_ROUNDS);
    all_laws(mpc_protocol_find("rep3"), NULL, 3 * MPC_CHUNK_WORDS + 77, 6, MPC_FEW_ROUNDS);
}

static void debug_rows_keep_the_laws(void **state)
{
    (void)state;
    for (size_t r = 0; mpc_protocol_at(r) != NULL; r++) {
        struct mpc_debug debug[WORLD_PARTIES];
        const struct mpc_protocol *row_of[WORLD_PARTIES];

        for (unsigned p = 0; p < WORLD_PARTIES; p++) {
            mpc_debug_init(&debug[p], mpc_protocol_at(r));
            row_of[p] = &debug[p].row;
        }
        all_laws(&debug[0].row, row_of, 65, 42, MPC_FEW_ROUNDS);
        assert_true(debug[0].count[MPC_OP_MUL].calls > 0);
        assert_true(debug[0].count[MPC_OP_AND].calls > 0);
        assert_false(debug[0].foreign);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_keeps_the_laws),
        cmocka_unit_test(few_bytes_keeps_the_laws),
        cmocka_unit_test(long_columns_keep_the_laws),
        cmocka_unit_test(debug_rows_keep_the_laws),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
