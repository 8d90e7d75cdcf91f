/* Any t parties of n decrypt, fewer do not; a wrong share is found and its party named; proofs say
 * nothing in another session or from another party; sessions decrypt once, with enough
 * contributors. */
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/paillier/test_tools.h"
#include "mpc/paillier/threshold_own.h"

enum { PARTIES = 5, T = 3, N = 4 };

static struct base_err err;
static struct mpc_pai_thr *key;
static struct mpc_pai_thr_share *shares[MPC_PAI_THR_PARTIES];
static const uint8_t session[32] = {9};
static const int64_t values[N] = {0, -7, INT64_MAX, INT64_MIN};
static struct mpc_pai_cipher c;
static struct mpc_pai_plain m;
static struct mpc_pai_thr_part parts[PARTIES];

static struct mpc_pai_bond bond_of(uint32_t party)
{
    struct mpc_pai_bond b = {.party = party};

    memcpy(b.session32, session, sizeof session);
    return b;
}

static void deal(const struct mpc_pai_ring_ops *engine)
{
    mpz_t p, q;

    mpz_inits(p, q, NULL);
    TEST_OK(mpc_pai_prime_new(p, 128, MPC_PAI_SAFE, &err));
    do
        TEST_OK(mpc_pai_prime_new(q, 128, MPC_PAI_SAFE, &err));
    while (mpz_cmp(p, q) == 0);
    TEST_OK(mpc_pai_thr_deal_with(&key, shares, T, PARTIES, p, q, "the notary", engine, &err));
    mpz_clears(p, q, NULL);
    TEST_OK(mpc_pai_plain_init(&m, mpc_pai_std_modulus(mpc_pai_thr_as_std(key)), N, &err));
    TEST_OK(mpc_pai_cipher_init(&c, m.key, N, &err));
    TEST_OK(mpc_pai_plain_from_i64(&m, values, &err));
    TEST_OK(mpc_pai_std_encrypt(&c, mpc_pai_thr_as_std(key), &m, base_random_system(), &err));
    for (uint32_t i = 0; i < PARTIES; i++) {
        struct mpc_pai_bond bond = bond_of(i + 1);
        TEST_OK(
            mpc_pai_thr_part_new(&parts[i], key, shares[i], &c, &bond, base_random_system(), &err));
    }
}

static void forget(void)
{
    for (int i = 0; i < PARTIES; i++) {
        mpc_pai_thr_part_release(&parts[i]);
        mpc_pai_thr_share_free(shares[i]);
    }
    mpc_pai_cipher_release(&c);
    mpc_pai_plain_release(&m);
    mpc_pai_thr_free(key);
}

static void check_plain(void)
{
    int64_t got[N];

    TEST_OK(mpc_pai_plain_to_i64(got, &m, &err));
    assert_memory_equal(got, values, sizeof got);
}

static void any_three(void)
{
    uint32_t wrong;

    for (unsigned set = 1; set < 1u << PARTIES; set++) {
        struct mpc_pai_thr_part some[PARTIES];
        size_t n = 0;
        for (unsigned i = PARTIES; i-- > 0;)
            if (set >> i & 1)
                some[n++] = parts[i];
        memset(m.w, 0, m.n * m.k * sizeof *m.w);
        if (n >= T) {
            TEST_OK(mpc_pai_thr_combine(&m, &wrong, key, some, n, &c, session, &err));
            assert_int_equal(wrong, 0);
            check_plain();
        } else {
            assert_int_equal(mpc_pai_thr_combine(&m, &wrong, key, some, n, &c, session, &err),
                             FM_E_NOT_FOUND);
        }
    }
    for (int i = 1; i < PARTIES; i++) { /* one party many times is one party */
        struct mpc_pai_thr_part same[3] = {parts[0], parts[0], parts[0]};
        assert_int_equal(mpc_pai_thr_combine(&m, &wrong, key, same, 3, &c, session, &err),
                         FM_E_NOT_FOUND);
    }
}

/* One number of part i is changed: the others decrypt, i is named; with only t parts, nothing is.
 */
static void expect_named(uint32_t i, const char *what)
{
    char name[32];
    uint32_t wrong;

    (void)snprintf(name, sizeof name, "party %u: ", i + 1);
    if (mpc_pai_thr_combine(&m, &wrong, key, parts, PARTIES, &c, session, &err) != FM_OK)
        fail_msg("%s: %s", what, err.text);
    assert_int_equal(wrong, 1u << i);
    check_plain();
    if (i < T) {
        assert_int_equal(mpc_pai_thr_combine(&m, &wrong, key, parts, T, &c, session, &err),
                         FM_E_PEER);
        assert_non_null(strstr(err.text, name));
    }
}

static void wrong_ones(void)
{
    struct mpc_pai_thr_share *swap = shares[0];
    struct mpc_pai_cipher was;
    struct mpc_pai_thr_part made;
    struct mpc_pai_bond bond = bond_of(1);

    for (uint32_t i = 0; i < PARTIES; i++) {
        parts[i].challenge[3] ^= 4;
        expect_named(i, "challenge");
        parts[i].challenge[3] ^= 4;
        mpz_add_ui(parts[i].answer, parts[i].answer, 1);
        expect_named(i, "answer");
        mpz_sub_ui(parts[i].answer, parts[i].answer, 1);
        mpz_setbit(parts[i].answer, mpc_pai_thr_answer_bits(256));
        expect_named(i, "too long an answer");
        mpz_clrbit(parts[i].answer, mpc_pai_thr_answer_bits(256));
        for (size_t j = 0; j < N; j++) {
            was = parts[i].c;
            TEST_OK(mpc_pai_cipher_init(&parts[i].c, was.key, N, &err));
            memcpy(parts[i].c.v.w, was.v.w, was.v.words * 8);
            mpc_pai_cipher_move(&parts[i].c, j, &was, (j + 1) % N);
            expect_named(i, "one ciphertext of the part");
            mpc_pai_cipher_release(&parts[i].c);
            parts[i].c = was;
        }
    }
    swap->x[0] ^= 2; /* a party that computes honestly with a wrong share */
    TEST_OK(mpc_pai_thr_part_new(&made, key, swap, &c, &bond, base_random_system(), &err));
    swap->x[0] ^= 2;
    assert_int_equal(mpc_pai_thr_part_verify(key, &made, &c, &bond, &err), FM_E_PEER);
    assert_string_equal(err.text, "party 1: its decryption share does not verify");
    mpc_pai_thr_part_release(&made);
    bond.session32[5] ^= 1;
    assert_int_equal(mpc_pai_thr_part_verify(key, &parts[0], &c, &bond, &err), FM_E_PEER);
    bond = bond_of(2);
    assert_int_equal(mpc_pai_thr_part_verify(key, &parts[0], &c, &bond, &err), FM_E_PEER);
    assert_int_equal(
        mpc_pai_thr_part_new(&made, key, shares[0], &c, &bond, base_random_system(), &err),
        FM_E_ARG);
}

static void threshold(void **state)
{
    (void)state;
    for (size_t e = 0; mpc_pai_engine_at(e, 256) != NULL; e++) {
        deal(mpc_pai_engine_at(e, 256));
        assert_string_equal(mpc_pai_thr_dealer(key), "the notary");
        any_three();
        wrong_ones();
        forget();
    }
}

static void sessions(void **state)
{
    struct mpc_pai_bond bond = bond_of(1);
    struct mpc_pai_thr_session s;
    struct mpc_pai_thr_part part[3];
    uint32_t wrong;
    int64_t got[N];

    (void)state;
    deal(NULL);
    for (uint32_t i = 0; i < 3; i++) {
        bond = bond_of(i + 1);
        TEST_OK(mpc_pai_thr_session_init(&s, key, N, 2, &err));
        TEST_OK(mpc_pai_thr_session_add(&s, &c, &err));
        assert_int_equal(
            mpc_pai_thr_session_part(&part[i], &s, shares[i], &bond, base_random_system(), &err),
            FM_E_REFUSED);
        assert_string_equal(err.text, "paillier: 1 contributors, the contract asks for 2");
        TEST_OK(mpc_pai_thr_session_add(&s, &c, &err));
        TEST_OK(
            mpc_pai_thr_session_part(&part[i], &s, shares[i], &bond, base_random_system(), &err));
        assert_int_equal(
            mpc_pai_thr_session_part(&parts[0], &s, shares[i], &bond, base_random_system(), &err),
            FM_E_CONFLICT);
        assert_int_equal(mpc_pai_thr_session_add(&s, &c, &err), FM_E_CONFLICT);
        if (i < 2)
            mpc_pai_thr_session_release(&s);
    }
    TEST_OK(mpc_pai_thr_combine(&m, &wrong, key, part, 3, &s.sum, session, &err));
    m.n = 2; /* the last two overflow an int64 when doubled */
    TEST_OK(mpc_pai_plain_to_i64(got, &m, &err));
    m.n = N;
    assert_true(got[0] == 0 && got[1] == -14);
    mpc_pai_thr_session_release(&s);
    for (int i = 0; i < 3; i++)
        mpc_pai_thr_part_release(&part[i]);
    forget();
}

static void bytes(void **state)
{
    struct base_buf b = {0};
    struct mpc_pai_thr_part part;
    struct mpc_pai_thr_share *share;
    struct mpc_pai_bond bond = bond_of(2);
    struct mpc_pai_thr *again;

    (void)state;
    deal(NULL);
    TEST_OK(mpc_pai_thr_part_put(&b, &parts[1], &err));
    TEST_OK(mpc_pai_thr_part_get(&part, key, N, b.p, b.len, &err));
    TEST_OK(mpc_pai_thr_part_verify(key, &part, &c, &bond, &err));
    mpc_pai_thr_part_release(&part);
    assert_int_equal(mpc_pai_thr_part_get(&part, key, N, b.p, b.len - 1, &err), FM_E_INPUT);
    assert_int_equal(mpc_pai_thr_part_get(&part, key, N, b.p, 10, &err), FM_E_INPUT);
    assert_int_equal(mpc_pai_thr_part_get(&part, key, N - 1, b.p, b.len, &err), FM_E_INPUT);
    b.p[2] = PARTIES + 1;
    assert_int_equal(mpc_pai_thr_part_get(&part, key, N, b.p, b.len, &err), FM_E_INPUT);
    base_buf_clear(&b);
    TEST_OK(mpc_pai_thr_share_put(&b, shares[3], &err));
    TEST_OK(mpc_pai_thr_share_get(&share, key, b.p, b.len, &err));
    assert_memory_equal(share->x, shares[3]->x, sizeof share->x);
    mpc_pai_thr_share_free(share);
    assert_int_equal(mpc_pai_thr_share_get(&share, key, b.p, b.len - 1, &err), FM_E_INPUT);
    b.p[10] ^= 1;
    assert_int_equal(mpc_pai_thr_share_get(&share, key, b.p, b.len, &err), FM_E_INPUT);
    base_buf_clear(&b);
    TEST_OK(mpc_pai_thr_put(&b, key, &err));
    assert_int_equal(mpc_pai_thr_get(&again, b.p, b.len, &err),
                     FM_E_INPUT); /* too small for a product */
    assert_string_equal(err.text, "paillier: a threshold key of 256 bits");
    assert_int_equal(mpc_pai_thr_deal(&again, shares + PARTIES, 2, 3, 1024, "x", &err), FM_E_ARG);
    base_buf_release(&b);
    forget();
}

/* At a size that the product takes. Two primes, not safe ones: nothing here depends on that. */
static void full_size(void **state)
{
    struct mpc_pai_thr_share *two[2];
    struct mpc_pai_thr *big, *again;
    struct base_buf b = {0}, twice = {0};
    mpz_t p, q;

    (void)state;
    mpz_inits(p, q, NULL);
    TEST_OK(mpc_pai_primes_new(p, q, p, 2048, MPC_PAI_DJN, &err));
    TEST_OK(mpc_pai_thr_deal_with(&big, two, 2, 2, p, q, "d", NULL, &err));
    TEST_OK(mpc_pai_thr_put(&b, big, &err));
    TEST_OK(mpc_pai_thr_get(&again, b.p, b.len, &err));
    TEST_OK(mpc_pai_thr_put(&twice, again, &err));
    assert_true(b.len == twice.len && memcmp(b.p, twice.p, b.len) == 0);
    mpc_pai_thr_free(again);
    for (size_t len = 0; len < b.len; len += 97)
        assert_int_equal(mpc_pai_thr_get(&again, b.p, len, &err), FM_E_INPUT);
    memset(b.p + b.len - 512, 0xff, 512);
    assert_int_equal(mpc_pai_thr_get(&again, b.p, b.len, &err), FM_E_INPUT);
    memset(b.p + b.len - 512, 0, 512);
    assert_int_equal(mpc_pai_thr_get(&again, b.p, b.len, &err), FM_E_INPUT);
    assert_string_equal(err.text, "paillier: a verification value is no unit");
    b.p[4 + 256] = 3;
    assert_int_equal(mpc_pai_thr_get(&again, b.p, b.len, &err), FM_E_INPUT);
    base_buf_release(&b);
    base_buf_release(&twice);
    mpc_pai_thr_share_free(two[0]);
    mpc_pai_thr_share_free(two[1]);
    mpc_pai_thr_free(big);
    mpz_clears(p, q, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(threshold), cmocka_unit_test(sessions),
                                       cmocka_unit_test(bytes), cmocka_unit_test(full_size)};

    mpc_pai_gmp_init();
    test_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
