/* The homomorphic laws, for each kind of key on each engine, at small sizes and at a full one, with
 * values at the borders of the range. GMP decrypts beside us by the definition. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mpc/paillier/test_tools.h"

enum { N = 9 };

static unsigned bits_now;
static enum mpc_pai_kind first_kind = MPC_PAI_STD, last_kind = MPC_PAI_SUB;

struct world {
    struct test_key key;
    mpz_t n, x[N], y[N], want;
    struct mpc_pai_plain xm, ym, zm;
    struct mpc_pai_cipher xc, yc, zc, one;
    struct base_err err;
};

static void put(struct mpc_pai_plain *m, size_t i, const mpz_t v)
{
    mpc_pai_limbs_from_mpz(m->w + m->k * i, m->k, v);
}

static void world_init(struct world *w, enum mpc_pai_kind kind,
                       const struct mpc_pai_ring_ops *engine)
{
    memset(w, 0, sizeof *w);
    test_key_new(&w->key, kind, bits_now, engine);
    mpz_inits(w->n, w->want, NULL);
    mpz_set(w->n, w->key.n->n);
    TEST_OK(mpc_pai_plain_init(&w->xm, w->key.n, N, &w->err));
    TEST_OK(mpc_pai_plain_init(&w->ym, w->key.n, N, &w->err));
    TEST_OK(mpc_pai_plain_init(&w->zm, w->key.n, N, &w->err));
    TEST_OK(mpc_pai_cipher_init(&w->xc, w->key.n, N, &w->err));
    TEST_OK(mpc_pai_cipher_init(&w->yc, w->key.n, N, &w->err));
    TEST_OK(mpc_pai_cipher_init(&w->zc, w->key.n, N, &w->err));
    TEST_OK(mpc_pai_cipher_init(&w->one, w->key.n, 1, &w->err));
    for (size_t i = 0; i < N; i++) {
        mpz_inits(w->x[i], w->y[i], NULL);
        test_below(w->x[i], w->n);
        test_below(w->y[i], w->n);
        put(&w->xm, i, w->x[i]);
        put(&w->ym, i, w->y[i]);
    }
    TEST_OK(test_encrypt(&w->xc, &w->key, &w->xm, &w->err));
    TEST_OK(test_encrypt(&w->yc, &w->key, &w->ym, &w->err));
}

static void world_release(struct world *w)
{
    for (size_t i = 0; i < N; i++)
        mpz_clears(w->x[i], w->y[i], NULL);
    mpc_pai_plain_release(&w->xm);
    mpc_pai_plain_release(&w->ym);
    mpc_pai_plain_release(&w->zm);
    mpc_pai_cipher_release(&w->xc);
    mpc_pai_cipher_release(&w->yc);
    mpc_pai_cipher_release(&w->zc);
    mpc_pai_cipher_release(&w->one);
    mpz_clears(w->n, w->want, NULL);
    test_key_free(&w->key);
}

static void check(const struct mpc_pai_plain *m, size_t i, const mpz_t want, const char *law)
{
    mpz_t v;

    mpz_init(v);
    mpc_pai_mpz_from_limbs(v, m->w + m->k * i, m->k);
    if (mpz_cmp(v, want) != 0)
        fail_msg("%s: element %zu", law, i);
    mpz_clear(v);
}

/* zc decrypts to op(x, y): op 0 x, '+', '-', '*'. */
static void check_all(struct world *w, char op, const char *law)
{
    TEST_OK(mpc_pai_decrypt(&w->zm, w->key.secret, &w->zc, &w->err));
    for (size_t i = 0; i < N; i++) {
        if (op == '+')
            mpz_add(w->want, w->x[i], w->y[i]);
        else if (op == '-')
            mpz_sub(w->want, w->x[i], w->y[i]);
        else if (op == '*')
            mpz_mul(w->want, w->x[i], w->y[i]);
        else
            mpz_set(w->want, w->x[i]);
        mpz_mod(w->want, w->want, w->n);
        check(&w->zm, i, w->want, law);
    }
}

static void differ(struct world *w)
{
    size_t words = 2 * w->xc.v.ring->k * N;
    uint64_t *a = mpc_pai_words_new(words), *b = mpc_pai_words_new(words);

    TEST_OK(mpc_pai_vec_store_whole(a, &w->xc.v, &w->err));
    TEST_OK(mpc_pai_vec_store_whole(b, &w->zc.v, &w->err));
    for (size_t i = 0; i < N; i++)
        assert_memory_not_equal(a + words / N * i, b + words / N * i, words / N * 8);
    mpc_pai_words_free(a, words);
    mpc_pai_words_free(b, words);
}

static void sums(struct world *w)
{
    const struct base_random *random = base_random_system();

    TEST_OK(mpc_pai_add(&w->zc, &w->xc, &w->yc, &w->err));
    check_all(w, '+', "x + y");
    TEST_OK(mpc_pai_subtract(&w->zc, &w->xc, &w->yc, &w->err));
    check_all(w, '-', "x - y");
    TEST_OK(mpc_pai_add_plain(&w->zc, &w->xc, &w->ym, &w->err));
    check_all(w, '+', "x + m");
    TEST_OK(mpc_pai_mul(&w->zc, &w->xc, &w->ym, &w->err));
    check_all(w, '*', "x times a residue");
    TEST_OK(mpc_pai_owner_encrypt(&w->zc, w->key.secret, &w->xm, random, &w->err));
    check_all(w, 0, "the owner's encryption");
    if (w->key.kind == MPC_PAI_STD)
        TEST_OK(mpc_pai_std_rerandomise(&w->zc, w->key.std, &w->xc, random, &w->err));
    else if (w->key.kind == MPC_PAI_DJN)
        TEST_OK(mpc_pai_djn_rerandomise(&w->zc, w->key.djn, &w->xc, random, &w->err));
    else
        TEST_OK(mpc_pai_sub_rerandomise(&w->zc, w->key.sub, &w->xc, random, &w->err));
    check_all(w, 0, "re-randomised");
    differ(w);
    TEST_OK(mpc_pai_sum(&w->one, &w->xc, &w->err));
    TEST_OK(mpc_pai_decrypt(&(struct mpc_pai_plain){w->zm.key, 1, w->zm.k, w->zm.w}, w->key.secret,
                            &w->one, &w->err));
    mpz_set_ui(w->want, 0);
    for (size_t i = 0; i < N; i++)
        mpz_add(w->want, w->want, w->x[i]);
    mpz_mod(w->want, w->want, w->n);
    check(&w->zm, 0, w->want, "sum");
}

/* y := by, as residues. */
static void scalars(struct world *w, uint64_t *u, int64_t *s)
{
    static const int64_t corners[] = {0, 1, -1, INT64_MIN, INT64_MAX};

    for (size_t i = 0; i < N; i++) {
        u[i] = test_random() % 3 == 0 ? (uint64_t)0 - (test_random() % 3) : test_random();
        s[i] = i < 5 ? corners[i] : (int64_t)test_random();
        mpz_set_ui(w->y[i], u[i]);
    }
}

static void products(struct world *w)
{
    struct mpc_pai_plain first = {w->zm.key, 1, w->zm.k, w->zm.w};
    uint64_t u[N];
    int64_t s[N];

    scalars(w, u, s);
    TEST_OK(mpc_pai_mul_u64(&w->zc, &w->xc, u, &w->err));
    check_all(w, '*', "x times a word");
    TEST_OK(mpc_pai_dot_u64(&w->one, &w->xc, u, &w->err));
    for (int round = 0; round < 2; round++) {
        TEST_OK(mpc_pai_decrypt(&first, w->key.secret, &w->one, &w->err));
        mpz_set_ui(w->want, 0);
        for (size_t i = 0; i < N; i++)
            mpz_addmul(w->want, w->x[i], w->y[i]);
        mpz_mod(w->want, w->want, w->n);
        check(&w->zm, 0, w->want, "dot product");
        for (size_t i = 0; i < N; i++)
            mpz_set_si(w->y[i], s[i]);
        TEST_OK(mpc_pai_dot_i64(&w->one, &w->xc, s, &w->err));
    }
    TEST_OK(mpc_pai_mul_i64(&w->zc, &w->xc, s, &w->err));
    check_all(w, '*', "x times a signed word");
}

/* L(c^lambda mod n^2) / lambda, lambda = lcm(p-1, q-1), as the paper's first page has it. */
static void by_definition(struct world *w)
{
    size_t k2 = 2 * w->xc.v.ring->k;
    uint64_t *whole = mpc_pai_words_new(k2 * N);
    mpz_t p, q, lambda, c, n2;

    mpz_inits(p, q, lambda, c, n2, NULL);
    mpc_pai_mpz_from_limbs(p, w->key.secret->side[0].order, w->key.secret->l);
    mpc_pai_mpz_from_limbs(q, w->key.secret->side[1].order, w->key.secret->l);
    mpz_lcm(lambda, p, q);
    mpz_mul(n2, w->n, w->n);
    TEST_OK(mpc_pai_vec_store_whole(whole, &w->xc.v, &w->err));
    for (size_t i = 0; i < N; i++) {
        mpc_pai_mpz_from_limbs(c, whole + k2 * i, k2);
        mpz_powm(c, c, lambda, n2);
        mpz_sub_ui(c, c, 1);
        assert_true(mpz_divisible_p(c, w->n));
        mpz_divexact(c, c, w->n);
        mpz_invert(p, lambda, w->n);
        mpz_mul(c, c, p);
        mpz_mod(c, c, w->n);
        assert_int_equal(mpz_cmp(c, w->x[i]), 0);
    }
    mpz_clears(p, q, lambda, c, n2, NULL);
    mpc_pai_words_free(whole, k2 * N);
}

static void laws(void **state)
{
    (void)state;
    for (int kind = (int)first_kind; kind <= (int)last_kind; kind++)
        for (size_t e = 0; mpc_pai_engine_at(e, bits_now) != NULL; e++) {
            struct world w;
            world_init(&w, (enum mpc_pai_kind)kind, mpc_pai_engine_at(e, bits_now));
            assert_string_equal(mpc_pai_modulus_engine(w.key.n),
                                mpc_pai_engine_at(e, bits_now)->name);
            sums(&w);
            by_definition(&w);
            products(&w);
            world_release(&w);
        }
}

static void a_wrong_secret_is_refused(void **state)
{
    struct world a, b;

    (void)state;
    world_init(&a, MPC_PAI_STD, NULL);
    world_init(&b, MPC_PAI_STD, NULL);
    assert_int_equal(mpc_pai_decrypt(&a.zm, b.key.secret, &a.xc, &a.err), FM_E_ARG);
    assert_string_equal(a.err.text, "paillier: this secret key is not the ciphertexts'");
    assert_int_equal(
        mpc_pai_owner_encrypt(&a.zc, b.key.secret, &a.xm, base_random_system(), &a.err), FM_E_ARG);
    world_release(&a);
    world_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(laws),
                                       cmocka_unit_test(a_wrong_secret_is_refused)};
    const struct CMUnitTest full[] = {cmocka_unit_test(laws)};
    bool thorough = getenv("FIRMIANA_FULL") != NULL && atoi(getenv("FIRMIANA_FULL")) != 0;
    int failed = 0;

    test_seed();
    for (bits_now = 256; bits_now <= (thorough ? 1024 : 384); bits_now += 128)
        failed += cmocka_run_group_tests(tests, NULL, NULL);
    if (!thorough) /* the kinds differ in little but the search for primes */
        first_kind = last_kind = MPC_PAI_DJN;
    for (bits_now = 2048; bits_now <= (thorough ? 4096 : 2048); bits_now += 1024)
        failed += cmocka_run_group_tests(full, NULL, NULL);
    return failed;
}
