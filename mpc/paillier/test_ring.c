/* Every engine against GMP's mpz, on inputs that seek corners: all ones, near the modulus, zero,
 * one; at all lengths up to a few batches; moduli at the edges of their size. */
#include <stdlib.h>
#include <string.h>

#include "mpc/paillier/test_tools.h"

enum { MOST = 19, EXPONENT_LIMBS = 3 };

struct trial {
    const struct mpc_pai_ring *r;
    size_t n, k2;
    mpz_t m2, x[MOST], y[MOST], e[MOST], want[MOST];
    mp_limb_t *xl, *yl, *el;
    struct mpc_pai_vec xv, yv, zv, one;
    struct base_err err;
};

static void trial_init(struct trial *t, const struct mpc_pai_ring *r, size_t n)
{
    memset(t, 0, sizeof *t);
    t->r = r, t->n = n, t->k2 = 2 * r->k;
    mpz_init(t->m2);
    mpc_pai_mpz_from_limbs(t->m2, r->m2, t->k2);
    t->xl = mpc_pai_words_new(t->k2 * MOST);
    t->yl = mpc_pai_words_new(t->k2 * MOST);
    t->el = mpc_pai_words_new(EXPONENT_LIMBS * MOST);
    for (size_t i = 0; i < MOST; i++) {
        mpz_inits(t->x[i], t->y[i], t->e[i], t->want[i], NULL);
        test_below(t->x[i], t->m2);
        test_below(t->y[i], t->m2);
        mpc_pai_limbs_from_mpz(t->xl + t->k2 * i, t->k2, t->x[i]);
        mpc_pai_limbs_from_mpz(t->yl + t->k2 * i, t->k2, t->y[i]);
    }
    TEST_OK(mpc_pai_vec_init(&t->xv, r, n, &t->err));
    TEST_OK(mpc_pai_vec_init(&t->yv, r, n, &t->err));
    TEST_OK(mpc_pai_vec_init(&t->zv, r, n, &t->err));
    TEST_OK(mpc_pai_vec_init(&t->one, r, 1, &t->err));
    TEST_OK(mpc_pai_vec_load(&t->xv, t->xl, t->k2, &t->err));
    TEST_OK(mpc_pai_vec_load(&t->yv, t->yl, t->k2, &t->err));
}

static void trial_release(struct trial *t)
{
    mpc_pai_words_free(t->xl, t->k2 * MOST);
    mpc_pai_words_free(t->yl, t->k2 * MOST);
    mpc_pai_words_free(t->el, EXPONENT_LIMBS * MOST);
    mpc_pai_vec_release(&t->xv);
    mpc_pai_vec_release(&t->yv);
    mpc_pai_vec_release(&t->zv);
    mpc_pai_vec_release(&t->one);
    for (size_t i = 0; i < MOST; i++)
        mpz_clears(t->x[i], t->y[i], t->e[i], t->want[i], NULL);
    mpz_clear(t->m2);
}

static void expect(struct trial *t, const struct mpc_pai_vec *z, const char *what)
{
    uint64_t *got = mpc_pai_words_new(t->k2 * z->n);
    mpz_t v;

    mpz_init(v);
    TEST_OK(mpc_pai_vec_store_whole(got, z, &t->err));
    for (size_t i = 0; i < z->n; i++) {
        mpc_pai_mpz_from_limbs(v, got + t->k2 * i, t->k2);
        if (mpz_cmp(v, t->want[i]) != 0)
            fail_msg("%s: %s: m of %zu bits, element %zu of %zu", t->r->ops->name, what, t->r->bits,
                     i, z->n);
    }
    mpz_clear(v);
    mpc_pai_words_free(got, t->k2 * z->n);
}

static void products(struct trial *t)
{
    for (size_t i = 0; i < t->n; i++)
        mpz_set(t->want[i], t->x[i]);
    expect(t, &t->xv, "load and store");
    for (size_t i = 0; i < t->n; i++) {
        mpz_mul(t->want[i], t->x[i], t->y[i]);
        mpz_mod(t->want[i], t->want[i], t->m2);
    }
    TEST_OK(mpc_pai_vec_mul(&t->zv, &t->xv, &t->yv, &t->err));
    expect(t, &t->zv, "mul");
    TEST_OK(mpc_pai_vec_mul_var(&t->zv, &t->xv, &t->yv, &t->err));
    expect(t, &t->zv, "mul_var");
    memcpy(t->zv.w, t->xv.w, t->zv.words * 8);
    TEST_OK(mpc_pai_vec_mul(&t->zv, &t->zv, &t->yv, &t->err));
    expect(t, &t->zv, "mul in place");
    mpz_set_ui(t->want[0], 1);
    for (size_t i = 0; i < t->n; i++) {
        mpz_mul(t->want[0], t->want[0], t->x[i]);
        mpz_mod(t->want[0], t->want[0], t->m2);
    }
    TEST_OK(mpc_pai_vec_product_var(&t->one, &t->xv, &t->err));
    expect(t, &t->one, "product");
}

static void draw_exponents(struct trial *t, size_t bits)
{
    size_t limbs = (bits + 63) / 64;

    test_limbs(t->el, limbs * MOST);
    for (size_t i = 0; i < MOST; i++) {
        if (bits % 64 != 0)
            t->el[limbs * i + limbs - 1] &= ((mp_limb_t)1 << (bits % 64)) - 1;
        mpc_pai_mpz_from_limbs(t->e[i], t->el + limbs * i, limbs);
    }
}

/* Rows of eight; want[i] is x[i]^e[i] before and after. */
static void dots(struct trial *t, size_t bits)
{
    size_t rows = t->n / MPC_PAI_BATCH;
    struct mpc_pai_vec x = t->xv, z = t->zv;
    mpz_t own[MPC_PAI_BATCH];

    x.n = rows * MPC_PAI_BATCH, z.n = MPC_PAI_BATCH;
    for (size_t i = 0; i < MPC_PAI_BATCH; i++) {
        mpz_init_set(own[i], t->want[i]);
        for (size_t row = 1; row < rows; row++) {
            mpz_mul(t->want[i], t->want[i], t->want[row * MPC_PAI_BATCH + i]);
            mpz_mod(t->want[i], t->want[i], t->m2);
        }
    }
    TEST_OK(mpc_pai_vec_dots(&z, &x, t->el, bits, &t->err));
    expect(t, &z, "dots");
    for (size_t i = 0; i < MPC_PAI_BATCH; i++) {
        mpz_set(t->want[i], own[i]);
        mpz_clear(own[i]);
    }
}

static void powers(struct trial *t, size_t bits)
{
    struct mpc_pai_table *table;

    draw_exponents(t, bits);
    for (size_t i = 0; i < t->n; i++)
        mpz_powm(t->want[i], t->x[i], t->e[0], t->m2);
    TEST_OK(mpc_pai_vec_pow(&t->zv, &t->xv, t->el, bits, &t->err));
    expect(t, &t->zv, "pow");
    TEST_OK(mpc_pai_vec_pow_public(&t->zv, &t->xv, t->el, bits, &t->err));
    expect(t, &t->zv, "pow_public");
    for (size_t i = 0; i < t->n; i++)
        mpz_powm(t->want[i], t->x[0], t->e[i], t->m2);
    TEST_OK(mpc_pai_table_new(&table, t->r, t->xl, bits, &t->err));
    TEST_OK(mpc_pai_table_pow(table, &t->zv, t->el, &t->err));
    expect(t, &t->zv, "table");
    mpc_pai_table_free(table);
    for (size_t i = 0; i < t->n; i++)
        mpz_powm(t->want[i], t->x[i], t->e[i], t->m2);
    memcpy(t->zv.w, t->xv.w, t->zv.words * 8);
    TEST_OK(mpc_pai_vec_pow_each(&t->zv, &t->zv, t->el, bits, &t->err));
    expect(t, &t->zv, "pow_each in place");
    if (t->n >= 2 * MPC_PAI_BATCH)
        dots(t, bits);
    for (size_t i = 1; i < t->n; i++) {
        mpz_mul(t->want[0], t->want[0], t->want[i]);
        mpz_mod(t->want[0], t->want[0], t->m2);
    }
    TEST_OK(mpc_pai_vec_dot(&t->one, &t->xv, t->el, bits, &t->err));
    expect(t, &t->one, "dot");
}

static void inverses(struct trial *t)
{
    uint64_t mask[MOST];
    int all = 1;

    for (size_t i = 0; i < t->n; i++)
        all = mpz_invert(t->want[i], t->x[i], t->m2) && all;
    if (all) {
        TEST_OK(mpc_pai_vec_inverse_var(&t->zv, &t->xv, &t->err));
        expect(t, &t->zv, "inverse");
    } else {
        assert_int_equal(mpc_pai_vec_inverse_var(&t->zv, &t->xv, &t->err), FM_E_INPUT);
    }
    for (size_t i = 0; i < t->n; i++) {
        mask[i] = (uint64_t)0 - (test_random() & 1);
        mpz_set(t->want[i], mask[i] ? t->y[i] : t->x[i]);
    }
    memcpy(t->zv.w, t->xv.w, t->zv.words * 8);
    mpc_pai_vec_pick(&t->zv, &t->yv, mask);
    expect(t, &t->zv, "pick");
}

/* Odd, of exactly so many bits: just above a power of two, just below, or random. */
static void modulus(mpz_t m, unsigned bits, unsigned how)
{
    mp_limb_t x[MPC_PAI_MAX_LIMBS];

    mpz_set_ui(m, 1);
    mpz_mul_2exp(m, m, bits - (how == 1 ? 0 : 1));
    if (how == 0)
        mpz_add_ui(m, m, 1);
    else if (how == 1)
        mpz_sub_ui(m, m, 1);
    else {
        mpz_t v;
        mpz_init(v);
        test_limbs(x, MPC_PAI_MAX_LIMBS);
        mpz_import(v, (bits - 1) / 64, -1, 8, 0, 0, x);
        mpz_ior(m, m, v);
        mpz_setbit(m, 0);
        mpz_clear(v);
    }
}

static void try_modulus(const mpz_t m, size_t n, size_t bits)
{
    for (size_t i = 0; mpc_pai_engine_at(i, mpz_sizeinbase(m, 2)) != NULL; i++) {
        const struct mpc_pai_ring_ops *engine = mpc_pai_engine_at(i, mpz_sizeinbase(m, 2));
        struct mpc_pai_ring *r;
        struct base_err err;
        struct trial t;
        TEST_OK(mpc_pai_ring_new(&r, m, engine, &err));
        trial_init(&t, r, n);
        products(&t);
        powers(&t, bits);
        inverses(&t);
        trial_release(&t);
        mpc_pai_ring_free(r);
    }
}

static void engines_agree_with_mpz(void **state)
{
    static const unsigned sizes[] = {17, 64, 128, 130, 512, 1024, 1536, 2048, 3072, 4096};
    size_t rounds = getenv("FIRMIANA_FULL") != NULL && atoi(getenv("FIRMIANA_FULL")) != 0 ? 40 : 1;
    mpz_t m;

    (void)state;
    mpz_init(m);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (unsigned how = 0; how < 3; how++)
            for (size_t round = 0; round < rounds * (sizes[s] < 1024 ? 8 : 1); round++) {
                modulus(m, sizes[s], how);
                try_modulus(m, 1 + test_random() % MOST, 1 + test_random() % (64 * EXPONENT_LIMBS));
            }
    mpz_clear(m);
}

/* Exponents so long that a table gets several combs (ifma_table.c), and more numbers than pass over
 * it side by side. */
static void long_table(const mpz_t m, const struct mpc_pai_ring_ops *engine, size_t bits, size_t n)
{
    size_t limbs = (bits + 63) / 64, k2;
    mp_limb_t *e, *base, *got;
    struct mpc_pai_table *table;
    struct mpc_pai_ring *r;
    struct mpc_pai_vec z;
    struct base_err err;
    mpz_t x, want, v, m2;

    mpz_inits(x, want, v, m2, NULL);
    mpz_mul(m2, m, m);
    TEST_OK(mpc_pai_ring_new(&r, m, engine, &err));
    k2 = 2 * r->k;
    e = mpc_pai_words_new(limbs * n);
    base = mpc_pai_words_new(k2);
    got = mpc_pai_words_new(k2 * n);
    test_below(x, m2);
    mpc_pai_limbs_from_mpz(base, k2, x);
    for (size_t i = 0; i < n; i++) {
        test_limbs(e + limbs * i, limbs);
        if (bits % 64 != 0)
            e[limbs * (i + 1) - 1] &= ((mp_limb_t)1 << bits % 64) - 1;
    }
    TEST_OK(mpc_pai_vec_init(&z, r, n, &err));
    TEST_OK(mpc_pai_table_new(&table, r, base, bits, &err));
    TEST_OK(mpc_pai_table_pow(table, &z, e, &err));
    TEST_OK(mpc_pai_vec_store_whole(got, &z, &err));
    for (size_t i = 0; i < n; i++) {
        mpc_pai_mpz_from_limbs(v, e + limbs * i, limbs);
        mpz_powm(want, x, v, m2);
        mpc_pai_mpz_from_limbs(v, got + k2 * i, k2);
        if (mpz_cmp(v, want) != 0)
            fail_msg("%s: long table: %zu bits, number %zu of %zu", engine->name, bits, i, n);
    }
    mpc_pai_table_free(table);
    mpc_pai_vec_release(&z);
    mpc_pai_words_free(e, limbs * n);
    mpc_pai_words_free(base, k2);
    mpc_pai_words_free(got, k2 * n);
    mpc_pai_ring_free(r);
    mpz_clears(x, want, v, m2, NULL);
}

static void long_exponents_agree_with_mpz(void **state)
{
    static const size_t bits[] = {615, 1023, 1229, 1300};
    mpz_t m;

    (void)state;
    mpz_init(m);
    for (size_t b = 0; b < sizeof bits / sizeof *bits; b++)
        for (size_t i = 0; mpc_pai_engine_at(i, 1024) != NULL; i++) {
            modulus(m, 1024, (unsigned)b % 3);
            long_table(m, mpc_pai_engine_at(i, 1024), bits[b], 60 + test_random() % 10);
        }
    mpz_clear(m);
}

static void helpers(void **state)
{
    mp_limb_t x[5], y[5];
    mpz_t a, b;

    (void)state;
    mpz_inits(a, b, NULL);
    for (int i = 0; i < 20000; i++) {
        size_t n = 1 + test_random() % 5;
        int less;
        test_limbs(x, n);
        test_limbs(y, n);
        if (test_random() % 4 == 0)
            memcpy(y, x, n * sizeof *x);
        mpc_pai_mpz_from_limbs(a, x, n);
        mpc_pai_mpz_from_limbs(b, y, n);
        less = mpz_cmp(a, b) < 0;
        assert_true(mpc_pai_limbs_less(x, y, n) == (less ? ~(mp_limb_t)0 : 0));
        assert_true(mpc_pai_limbs_zero(x, n) == (mpz_sgn(a) == 0 ? ~(mp_limb_t)0 : 0));
    }
    mpz_clears(a, b, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(helpers),
        cmocka_unit_test(engines_agree_with_mpz),
        cmocka_unit_test(long_exponents_agree_with_mpz),
    };

    mpc_pai_gmp_init();
    test_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
