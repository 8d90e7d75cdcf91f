/* Proofs: right ones verify; every byte changed in turn, another session, party, key or statement,
 * and what a cheat would send, do not. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mpc/paillier/proof_own.h"
#include "mpc/paillier/test_tools.h"

static struct base_err err;
static struct mpc_pai_bond bond = {{1, 2, 3}, 2};

/* Bytes are changed here and there, in the full run all of them. */
static void each_byte(const struct base_buf *good, fm_status (*check)(const struct base_buf *))
{
    bool all = getenv("FIRMIANA_FULL") != NULL && atoi(getenv("FIRMIANA_FULL")) != 0;
    size_t step = all ? 1 : good->len / 40 + 1;
    struct base_buf b = {0};

    TEST_OK(check(good));
    base_buf_put(&b, good->p, good->len);
    for (size_t i = 0; i < b.len; i += step) {
        uint8_t was = b.p[i];
        b.p[i] ^= (uint8_t)(1u << test_random() % 8);
        if (check(&b) != FM_E_PEER)
            fail_msg("byte %zu of %zu changed, and the proof verifies", i, b.len);
        b.p[i] = was;
    }
    for (size_t len = 0; len < good->len; len += step) {
        b.len = len;
        assert_int_equal(check(&b), FM_E_PEER);
    }
    b.len = good->len;
    base_buf_put_u8(&b, 0);
    assert_int_equal(check(&b), FM_E_PEER);
    assert_non_null(strstr(err.text, "party 2: its"));
    base_buf_release(&b);
    bond.session32[7] ^= 1;
    assert_int_equal(check(good), FM_E_PEER);
    bond.session32[7] ^= 1;
    bond.party = 3;
    assert_int_equal(check(good), FM_E_PEER);
    bond.party = 2;
}

static const struct mpc_pai_modulus *modulus_checked;

static fm_status check_modulus(const struct base_buf *b)
{
    return mpc_pai_modulus_verify(modulus_checked, b->p, b->len, &bond, &err);
}

static void right_modulus(void **state)
{
    struct test_key k, other;
    struct base_buf b = {0};

    (void)state;
    test_key_new(&k, MPC_PAI_DJN, 256, NULL);
    test_key_new(&other, MPC_PAI_DJN, 256, NULL);
    TEST_OK(mpc_pai_modulus_prove(&b, k.secret, &bond, &err));
    modulus_checked = k.n;
    each_byte(&b, check_modulus);
    modulus_checked = other.n;
    assert_int_equal(check_modulus(&b), FM_E_PEER);
    modulus_checked = k.n;
    base_buf_put_u8(&b, 0); /* the same numbers, the first with a zero in front */
    memmove(b.p + 5, b.p + 4, b.len - 5);
    b.p[4] = 0, b.p[3]++;
    assert_int_equal(check_modulus(&b), FM_E_PEER);
    base_buf_release(&b);
    test_key_free(&k);
    test_key_free(&other);
}

/* A modulus of three primes: its maker can answer no better than by luck. */
static void three_primes(void **state)
{
    struct mpc_pai_secret *secret;
    struct mpc_pai_std *key;
    struct base_buf b = {0};
    mpz_t p, q, n;

    (void)state;
    mpz_inits(p, q, n, NULL);
    TEST_OK(mpc_pai_prime_new(p, 64, MPC_PAI_BLUM, &err));
    TEST_OK(mpc_pai_prime_new(q, 64, MPC_PAI_BLUM, &err));
    mpz_mul(p, p, q); /* 1 mod 4, not prime */
    TEST_OK(mpc_pai_prime_new(q, 128, MPC_PAI_BLUM, &err));
    mpz_mul(n, p, q);
    TEST_OK(mpc_pai_std_make(&key, n, NULL, &err));
    TEST_OK(mpc_pai_secret_make(&secret, p, q, NULL, &err));
    TEST_OK(mpc_pai_modulus_prove(&b, secret, &bond, &err));
    modulus_checked = mpc_pai_std_modulus(key);
    assert_int_equal(check_modulus(&b), FM_E_PEER);
    base_buf_release(&b);
    mpc_pai_secret_free(secret);
    mpc_pai_std_free(key);
    mpz_clears(p, q, n, NULL);
}

static struct mpc_pai_pedersen pp;
static struct mpc_pai_pedersen_secret *trapdoor;

static fm_status check_pedersen(const struct base_buf *b)
{
    return mpc_pai_pedersen_verify(&pp, b->p, b->len, &bond, &err);
}

static void parameters(void **state)
{
    struct base_buf b = {0};
    mpz_t was;

    (void)state;
    TEST_OK(mpc_pai_pedersen_prove(&b, &pp, trapdoor, &bond, &err));
    each_byte(&b, check_pedersen);
    mpz_init_set(was, pp.s);
    base_buf_clear(&b);
    do /* no power of t: a square's powers have Jacobi symbol 1 */
        mpz_add_ui(pp.s, pp.s, 1);
    while (mpz_jacobi(pp.s, pp.n) != -1);
    TEST_OK(mpc_pai_pedersen_prove(&b, &pp, trapdoor, &bond, &err));
    assert_int_equal(check_pedersen(&b), FM_E_PEER);
    mpz_set_ui(pp.s, 1);
    assert_int_equal(check_pedersen(&b), FM_E_PEER);
    mpz_set(pp.s, was);
    mpz_clear(was);
    base_buf_release(&b);
}

enum { BITS = 40 };
static struct test_key keys[2];
static struct mpc_pai_cipher c[2];
static uint64_t r_limbs[2][8];
static struct mpc_pai_statement statement;

static fm_status check_range(const struct base_buf *b)
{
    return mpc_pai_range_verify(&statement, &pp, b->p, b->len, &bond, &err);
}

/* c[i] = k[i] with known r. */
static void encrypt_known(const int64_t k[2])
{
    for (int i = 0; i < 2; i++) {
        struct mpc_pai_plain m;
        TEST_OK(mpc_pai_plain_init(&m, keys[i].n, 1, &err));
        TEST_OK(mpc_pai_plain_from_i64(&m, &k[i], &err));
        TEST_OK(mpc_pai_limbs_random_below(r_limbs[i], keys[i].n->n2->m, keys[i].n->bits,
                                           base_random_system(), &err));
        TEST_OK(mpc_pai_std_encrypt_r(&c[i], keys[i].std, &m, r_limbs[i], &err));
        mpc_pai_plain_release(&m);
    }
}

static fm_status prove_range(struct base_buf *b, int64_t k)
{
    const uint64_t *r[2] = {r_limbs[0], r_limbs[1]};

    base_buf_clear(b);
    return mpc_pai_range_prove(b, &statement, &pp, k, r, &bond, base_random_system(), &err);
}

static void ranges(void **state)
{
    static const int64_t good[] = {0, 1, -1, ((int64_t)1 << BITS) - 1, 1 - ((int64_t)1 << BITS)};
    struct base_buf b = {0};

    (void)state;
    for (unsigned k = 1; k <= 2; k++) {
        statement = (struct mpc_pai_statement){{&c[0], &c[1]}, {0, 0}, k, BITS};
        for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
            encrypt_known((int64_t[2]){good[i], good[i]});
            TEST_OK(prove_range(&b, good[i]));
            TEST_OK(check_range(&b));
        }
        each_byte(&b, check_range);
        statement.value_bits = BITS + 1; /* another statement */
        assert_int_equal(check_range(&b), FM_E_PEER);
        statement.value_bits = BITS;
        encrypt_known((int64_t[2]){4, 4}); /* other ciphertexts */
        assert_int_equal(check_range(&b), FM_E_PEER);
        TEST_OK(prove_range(&b, 5)); /* a plaintext that is not there */
        assert_int_equal(check_range(&b), FM_E_PEER);
        assert_int_equal(prove_range(&b, (int64_t)1 << BITS), FM_E_LIMIT);
        assert_int_equal(prove_range(&b, -((int64_t)1 << BITS)), FM_E_LIMIT);
    }
    encrypt_known((int64_t[2]){4, 5}); /* not equal */
    TEST_OK(prove_range(&b, 4));
    assert_int_equal(check_range(&b), FM_E_PEER);
    assert_string_equal(err.text, "party 2: its equality proof does not verify");
    base_buf_release(&b);
}

/* Plaintexts of any length, proved with arithmetic that is right: up to the slack they pass, beyond
 * it the answer is too long, whatever else holds. */
static fm_status prove_length(unsigned bits)
{
    const uint64_t *r[2] = {r_limbs[0], r_limbs[1]};
    struct mpc_pai_plain m;
    struct base_buf b = {0};
    fm_status st;
    mpz_t v, lift;

    mpz_init(v);
    mpz_init_set_ui(lift, 1);
    mpz_mul_2exp(v, lift, bits);
    mpz_mul_2exp(lift, lift, statement.value_bits);
    TEST_OK(mpc_pai_plain_init(&m, keys[0].n, 1, &err));
    mpc_pai_limbs_from_mpz(m.w, m.k, v);
    TEST_OK(mpc_pai_std_encrypt_r(&c[0], keys[0].std, &m, r_limbs[0], &err));
    mpz_add(v, v, lift);
    TEST_OK(
        mpc_pai_range_prove_lifted(&b, &statement, &pp, v, r, &bond, base_random_system(), &err));
    st = check_range(&b);
    mpc_pai_plain_release(&m);
    base_buf_release(&b);
    mpz_clears(v, lift, NULL);
    return st;
}

static void too_long(void **state)
{
    (void)state;
    statement = (struct mpc_pai_statement){{&c[0], &c[1]}, {0, 0}, 1, 8};
    encrypt_known((int64_t[2]){100, 100});
    TEST_OK(prove_length(7));
    TEST_OK(prove_length(8 + 20)); /* within the slack */
    assert_int_equal(prove_length(8 + 211), FM_E_PEER);
    assert_int_equal(prove_length(400), FM_E_PEER);
}

static fm_status fill_fives(void *ctx, void *out, size_t len, struct base_err *e)
{
    (void)ctx, (void)e;
    memset(out, 0x55, len);
    return FM_OK;
}

/* S = s^(k + 2^BITS) t^mu, where mu has as many bits as hide k from whoever knows t's order. */
static void commits_under_a_long_mask(const void *proof, size_t len, uint64_t k)
{
    size_t bits = BITS + 1 + MPC_PAI_PROOF_HIDE + mpz_sizeinbase(pp.n, 2);
    struct base_cur cur = base_cur_make(proof, len);
    mpz_t S, want, mu, lifted;

    mpz_inits(S, want, mu, NULL);
    mpz_init_set_ui(lifted, k + ((uint64_t)1 << BITS));
    mpc_pai_proof_get_head(&cur, MPC_PAI_PROOF_RANGE);
    mpc_pai_proof_take(S, &cur);
    mpz_setbit(mu, 64 * ((bits + 63) / 64));
    mpz_tdiv_q_ui(mu, mu, 3); /* 0x55 in every byte */
    mpz_fdiv_r_2exp(mu, mu, bits);
    mpz_powm(want, pp.s, lifted, pp.n);
    mpz_powm(mu, pp.t, mu, pp.n);
    mpz_mul(want, want, mu);
    mpz_mod(want, want, pp.n);
    assert_true(!cur.bad && mpz_cmp(S, want) == 0);
    mpz_clears(S, want, mu, lifted, NULL);
}

static void hidden_from_the_verifier(void **state)
{
    static const struct base_random fives = {fill_fives, NULL};
    static const unsigned value_bits = BITS;
    const uint64_t *r[2] = {r_limbs[0], NULL};
    struct mpc_pai_plain m;
    struct base_buf b = {0};

    (void)state;
    statement = (struct mpc_pai_statement){{&c[0], NULL}, {0, 0}, 1, BITS};
    encrypt_known((int64_t[2]){77, 77});
    TEST_OK(mpc_pai_range_prove(&b, &statement, &pp, 77, r, &bond, &fives, &err));
    TEST_OK(check_range(&b));
    commits_under_a_long_mask(b.p, b.len, 77);
    base_buf_clear(&b);
    TEST_OK(mpc_pai_plain_init(&m, keys[0].n, 1, &err));
    m.w[0] = 77;
    TEST_OK(
        mpc_pai_range_prove_all(&b, &c[0], &value_bits, &pp, &m, r_limbs[0], &bond, &fives, &err));
    commits_under_a_long_mask(b.p + 2, b.len - 2, 77);
    mpc_pai_plain_release(&m);
    base_buf_release(&b);
}

enum { MANY = 27, FEW = 5 }; /* with tables, and without */

/* A vector with plaintexts at the borders of ranges of their own, and all its proofs. */
struct many {
    struct mpc_pai_plain m;
    struct mpc_pai_cipher c;
    uint64_t r[8 * MANY];
    unsigned bits[MANY];
    struct base_buf proofs;
};

static void many_new(struct many *x, size_t count)
{
    const struct mpc_pai_modulus *n = keys[0].n;
    size_t k = n->n2->k;

    *x = (struct many){0};
    TEST_OK(mpc_pai_plain_init(&x->m, n, count, &err));
    TEST_OK(mpc_pai_cipher_init(&x->c, n, count, &err));
    for (size_t i = 0; i < count; i++) {
        uint64_t top = ((uint64_t)1 << (x->bits[i] = 1 + (unsigned)(test_random() % BITS))) - 1;
        x->m.w[x->m.k * i] = i % 3 == 0 ? top : i % 3 == 1 ? 0 : test_random() & top;
        TEST_OK(mpc_pai_limbs_random_below(x->r + k * i, n->n2->m, n->bits, base_random_system(),
                                           &err));
    }
    TEST_OK(mpc_pai_std_encrypt_r(&x->c, keys[0].std, &x->m, x->r, &err));
    TEST_OK(mpc_pai_range_prove_all(&x->proofs, &x->c, x->bits, &pp, &x->m, x->r, &bond,
                                    base_random_system(), &err));
}

static void many_free(struct many *x)
{
    base_buf_release(&x->proofs);
    mpc_pai_cipher_release(&x->c);
    mpc_pai_plain_release(&x->m);
}

static fm_status check_many(size_t *wrong, const struct many *x, const struct base_buf *proofs)
{
    return mpc_pai_range_verify_all(wrong, &x->c, x->bits, &pp, proofs->p, proofs->len, &bond,
                                    &err);
}

/* The proofs that are made together are those that are made one by one. */
static void ranges_of(size_t count)
{
    struct base_buf single = {0}, one = {0};
    struct base_cur cur;
    struct many x;
    size_t wrong;

    many_new(&x, count);
    TEST_OK(check_many(&wrong, &x, &x.proofs));
    cur = base_cur_make(x.proofs.p, x.proofs.len);
    for (size_t i = 0; i < count; i++) {
        struct mpc_pai_statement what = {{&x.c}, {i}, 1, x.bits[i]};
        const uint64_t *r[2] = {x.r + keys[0].n->n2->k * i, NULL};
        size_t len = base_cur_u16(&cur);
        TEST_OK(mpc_pai_range_verify(&what, &pp, base_cur_take(&cur, len), len, &bond, &err));
        base_buf_clear(&one);
        TEST_OK(mpc_pai_range_prove(&one, &what, &pp, (int64_t)x.m.w[x.m.k * i], r, &bond,
                                    base_random_system(), &err));
        base_buf_put_u16(&single, (uint16_t)one.len);
        base_buf_put(&single, one.p, one.len);
    }
    TEST_OK(check_many(&wrong, &x, &single));
    base_buf_release(&one);
    base_buf_release(&single);
    many_free(&x);
}

static void many_ranges(void **state)
{
    (void)state;
    ranges_of(MANY);
    ranges_of(FEW);
    ranges_of(1);
}

static void wrong_of(size_t count)
{
    size_t wrong, at = 0;
    struct many x;

    many_new(&x, count);
    for (size_t i = 0; i < count; i++) { /* one bit of each proof in turn */
        size_t len = (size_t)x.proofs.p[at] << 8 | x.proofs.p[at + 1];
        uint8_t *byte = x.proofs.p + at + 2 + test_random() % len, was = *byte;
        *byte ^= (uint8_t)(1u << test_random() % 8);
        assert_int_equal(check_many(&wrong, &x, &x.proofs), FM_E_PEER);
        assert_int_equal(wrong, i);
        *byte = was;
        at += 2 + len;
    }
    bond.session32[3] ^= 1;
    assert_int_equal(check_many(&wrong, &x, &x.proofs), FM_E_PEER);
    assert_int_equal(wrong, 0);
    bond.session32[3] ^= 1;
    base_buf_put_u8(&x.proofs, 0);
    assert_int_equal(check_many(&wrong, &x, &x.proofs), FM_E_PEER);
    assert_int_equal(wrong, count);
    x.proofs.len -= 2;
    assert_int_equal(check_many(&wrong, &x, &x.proofs), FM_E_PEER);
    assert_int_equal(wrong, count - 1);
    x.m.w[x.m.k * 4] = (uint64_t)1 << x.bits[4];
    assert_int_equal(mpc_pai_range_prove_all(&x.proofs, &x.c, x.bits, &pp, &x.m, x.r, &bond,
                                             base_random_system(), &err),
                     FM_E_LIMIT);
    assert_non_null(strstr(err.text, "plaintext 4"));
    base_buf_clear(&x.proofs);
    x.bits[4] = 20,
    x.m.w[x.m.k * 4] = 0xfffff; /* what the ciphertext does not hold: index 4 is 0 */
    TEST_OK(mpc_pai_range_prove_all(&x.proofs, &x.c, x.bits, &pp, &x.m, x.r, &bond,
                                    base_random_system(), &err));
    assert_int_equal(check_many(&wrong, &x, &x.proofs), FM_E_PEER);
    assert_int_equal(wrong, 4);
    many_free(&x);
}

static void many_that_are_wrong(void **state)
{
    (void)state;
    wrong_of(MANY);
    wrong_of(FEW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(right_modulus), cmocka_unit_test(three_primes),
        cmocka_unit_test(many_ranges),   cmocka_unit_test(many_that_are_wrong),
        cmocka_unit_test(parameters),    cmocka_unit_test(ranges),
        cmocka_unit_test(too_long),      cmocka_unit_test(hidden_from_the_verifier)};
    mpz_t p, q;
    int failed;

    mpc_pai_pedersen_init(&pp);
    test_seed();
    mpz_inits(p, q, NULL);
    TEST_OK(mpc_pai_prime_new(p, 128, MPC_PAI_SAFE, &err));
    TEST_OK(mpc_pai_prime_new(q, 128, MPC_PAI_SAFE, &err));
    TEST_OK(mpc_pai_pedersen_make(&pp, &trapdoor, p, q, &err));
    for (int i = 0; i < 2; i++) {
        test_key_new(&keys[i], MPC_PAI_STD, 512, NULL);
        TEST_OK(mpc_pai_cipher_init(&c[i], keys[i].n, 1, &err));
    }
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (int i = 0; i < 2; i++) {
        mpc_pai_cipher_release(&c[i]);
        test_key_free(&keys[i]);
    }
    mpc_pai_pedersen_secret_free(trapdoor);
    mpc_pai_pedersen_release(&pp);
    mpz_clears(p, q, NULL);
    return failed;
}
