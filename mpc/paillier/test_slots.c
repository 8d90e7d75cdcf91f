/* Proofs of slots: every number of a small range and the borders of long ones verify; every byte
 * changed in turn, another bond, claim or ciphertext do not; and no cheat gets a slot out of its
 * range past the verifier. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/profile.h"
#include "mpc/paillier/proof_slots_own.h"
#include "mpc/paillier/test_tools.h"

enum { BITS = 512, MOST = 8, GENERATORS = 300 };

static struct base_err err;
static struct mpc_pai_bond bond = {{4, 5, 6}, 2};
static struct test_key key;
static struct mpc_pai_generators *generators;

/* n ciphertexts, their claims and proofs. */
struct vector {
    size_t n;
    struct mpc_pai_slot slots[MOST][MOST];
    struct mpc_pai_slot_claim claims[MOST];
    struct mpc_pai_plain m;
    struct mpc_pai_cipher c;
    uint64_t r[MOST * BITS / 64];
    struct base_buf proof;
};

static void vector_new(struct vector *v, size_t n)
{
    *v = (struct vector){.n = n};
    TEST_OK(mpc_pai_plain_init(&v->m, key.n, n, &err));
    TEST_OK(mpc_pai_cipher_init(&v->c, key.n, n, &err));
    for (size_t i = 0; i < n; i++) {
        v->claims[i].slots = v->slots[i];
        TEST_OK(mpc_pai_limbs_random_below(v->r + key.n->n2->k * i, key.n->n2->m, BITS,
                                           base_random_system(), &err));
    }
}

static void vector_free(struct vector *v)
{
    base_buf_release(&v->proof);
    mpc_pai_cipher_release(&v->c);
    mpc_pai_plain_release(&v->m);
}

static void add_slot(struct vector *v, size_t i, unsigned at, uint64_t least, uint64_t span)
{
    v->slots[i][v->claims[i].count++] = (struct mpc_pai_slot){at, least, span};
}

/* m[i] += x 2^at, x signed: a cheat's too. */
static void put(struct vector *v, size_t i, __int128 x, unsigned at)
{
    mpz_t m, t;

    mpz_inits(m, t, NULL);
    mpc_pai_mpz_from_limbs(m, v->m.w + v->m.k * i, v->m.k);
    mpz_set_ui(t, (unsigned long)(x < 0 ? -x : x));
    mpz_mul_2exp(t, t, at);
    (x < 0 ? mpz_sub : mpz_add)(m, m, t);
    mpz_mod(m, m, key.n->n);
    mpc_pai_limbs_from_mpz(v->m.w + v->m.k * i, v->m.k, m);
    mpz_clears(m, t, NULL);
}

static void encrypt(struct vector *v)
{
    TEST_OK(mpc_pai_std_encrypt_r(&v->c, key.std, &v->m, v->r, &err));
}

static fm_status prove(struct vector *v)
{
    encrypt(v);
    base_buf_clear(&v->proof);
    return mpc_pai_slots_prove(&v->proof, &v->c, v->claims, generators, &v->m, v->r, &bond,
                               base_random_system(), &err);
}

static fm_status check_bytes(size_t *wrong, const struct vector *v, const struct base_buf *b)
{
    return mpc_pai_slots_verify(wrong, &v->c, v->claims, generators, b->p, b->len, &bond,
                                base_random_system(), &err);
}

static void verifies(struct vector *v)
{
    size_t wrong;

    TEST_OK(prove(v));
    assert_int_equal(v->proof.len, mpc_pai_slots_bytes(v->claims, v->n, BITS));
    TEST_OK(check_bytes(&wrong, v, &v->proof));
    assert_int_equal(wrong, v->n);
}

static void is_wrong(const struct vector *v, size_t at)
{
    size_t wrong;

    assert_int_equal(check_bytes(&wrong, v, &v->proof), FM_E_PEER);
    assert_int_equal(wrong, at);
    assert_string_equal(err.text, "party 2: its slots proof does not verify");
}

/* ---- honest ---- */

static void every_number(void **state)
{
    (void)state;
    for (uint64_t span = 0; span < 6; span++) {
        struct vector v;
        vector_new(&v, span + 2);
        for (size_t i = 0; i < span + 2; i++) {
            add_slot(&v, i, 3, 5, span);
            put(&v, i, 5 + (__int128)i, 3);
        }
        assert_int_equal(prove(&v), FM_E_LIMIT); /* the last is span + 1 */
        assert_non_null(strstr(err.text, "slot 0 is out of its range"));
        put(&v, span + 1, -1, 3);
        verifies(&v);
        vector_free(&v);
    }
}

static uint64_t corner_span(void)
{
    uint64_t power = (uint64_t)1 << test_random() % 40;
    uint64_t spans[] = {0, 1, power, power - 1, power + 1, test_random() >> 30};

    return spans[test_random() % 6];
}

static void fill(struct vector *v, size_t i)
{
    unsigned at = (unsigned)(test_random() % 20);

    while (v->claims[i].count < 5) {
        uint64_t span = corner_span(), least = corner_span();
        uint64_t u[] = {0, span, span == UINT64_MAX ? span : test_random() % (span + 1)};
        add_slot(v, i, at, least, span);
        put(v, i, (__int128)least + u[test_random() % 3], at);
        at += 43 + (unsigned)(test_random() % 30);
    }
}

static void borders(void **state)
{
    struct vector v;

    (void)state;
    for (size_t n = 1; n <= MOST; n += n < 3 ? 1 : 5) {
        vector_new(&v, n);
        for (size_t i = 0; i < n; i++)
            fill(&v, i);
        verifies(&v);
        vector_free(&v);
    }
    vector_new(&v, 2); /* no slot at all, and one of the longest */
    add_slot(&v, 1, 64, ((uint64_t)1 << 62), ((uint64_t)1 << 62) - 1);
    put(&v, 1, ((__int128)1 << 63) - 1, 64);
    verifies(&v);
    vector_free(&v);
}

static void changed(void **state)
{
    bool all = getenv("FIRMIANA_FULL") != NULL && atoi(getenv("FIRMIANA_FULL")) != 0;
    struct base_buf b = {0};
    struct vector v;
    size_t wrong, step;

    (void)state;
    vector_new(&v, 3);
    for (size_t i = 0; i < 3; i++) {
        add_slot(&v, i, 10, 7, 4);
        add_slot(&v, i, 40, 0, 1000);
        put(&v, i, 9, 10);
        put(&v, i, 1000, 40);
    }
    verifies(&v);
    step = all ? 1 : v.proof.len / 60 + 1;
    base_buf_put(&b, v.proof.p, v.proof.len);
    for (size_t at = 0; at < b.len; at += step) {
        size_t whose = at < 2 ? 0 : (at - 2) / ((b.len - 2) / 3);
        uint8_t was = b.p[at];
        b.p[at] ^= (uint8_t)(1u << test_random() % 8);
        assert_int_equal(check_bytes(&wrong, &v, &b), FM_E_PEER);
        assert_int_equal(wrong, whose);
        b.p[at] = was;
        b.len = at;
        assert_int_equal(check_bytes(&wrong, &v, &b), FM_E_PEER);
        b.len = v.proof.len;
    }
    base_buf_put_u8(&b, 0);
    assert_int_equal(check_bytes(&wrong, &v, &b), FM_E_PEER);
    assert_int_equal(wrong, 3);
    base_buf_release(&b);
    bond.party = 3;
    assert_int_equal(check_bytes(&wrong, &v, &v.proof), FM_E_PEER);
    bond.party = 2;
    bond.session32[9] ^= 1;
    is_wrong(&v, 0);
    bond.session32[9] ^= 1;
    v.slots[2][1].span = 1001;
    is_wrong(&v, 2);
    v.slots[2][1].span = 1000;
    mpc_pai_cipher_move(&v.c, 1, &v.c, 0);
    is_wrong(&v, 1);
    vector_free(&v);
}

/* ---- cheats ---- */

/* Slots of ciphertext 1 of 3, at 10 (7 to 11) and 40 (0 to 1000), each with a right proof's bits;
 * the caller then changes the plaintext or the bits. */
static void cheat_new(struct vector *v, uint64_t beta[3 * 13])
{
    vector_new(v, 3);
    for (size_t i = 0; i < 3; i++) {
        add_slot(v, i, 10, 7, 4);
        add_slot(v, i, 40, 0, 1000);
        put(v, i, 7 + 1, 10);
        put(v, i, 512, 40);
        memset(beta + 13 * i, 0, 13 * sizeof *beta);
        beta[13 * i] = 1;      /* 1, 2, 1 */
        beta[13 * i + 12] = 1; /* 1, 2, 4, ..., 256, 489 */
        beta[13 * i + 3] = beta[13 * i + 4] = beta[13 * i + 5 + 2] = 1, beta[13 * i + 6] = 0;
        beta[13 * i + 7] = 1, beta[13 * i + 5] = 1; /* 1 + 2 + 4 + 16 + 489 = 512 */
        beta[13 * i + 6] = 0;
    }
}

static void caught(struct vector *v, const uint64_t *beta)
{
    encrypt(v);
    base_buf_clear(&v->proof);
    TEST_OK(mpc_pai_slots_prove_bits(&v->proof, &v->c, v->claims, generators, beta, v->r, &bond,
                                     base_random_system(), &err));
    is_wrong(v, 1);
    assert_int_equal(prove(v), FM_E_LIMIT); /* and none does so by mistake */
    assert_non_null(strstr(err.text, "plaintext 1, slot"));
    vector_free(v);
}

static void cheats(void **state)
{
    uint64_t beta[3 * 13];
    struct vector v;
    size_t wrong;
    static const struct {
        int64_t by;
        unsigned at;
    } plains[] = {{4, 10},    /* one more than its range */
                  {-2, 10},   /* one less */
                  {489, 40},  /* 1001 */
                  {-513, 40}, /* negative: borrows from everything above */
                  {-9, 10},   /* negative: borrows from the slot above */
                  {1, 30},    /* between the two slots: a carry on its way */
                  {1, 60},    /* above all */
                  {1, 3},     /* below all */
                  {1, 500}};  /* n's size */

    (void)state;
    cheat_new(&v, beta);
    encrypt(&v);
    TEST_OK(mpc_pai_slots_prove_bits(&v.proof, &v.c, v.claims, generators, beta, v.r, &bond,
                                     base_random_system(), &err));
    TEST_OK(check_bytes(&wrong, &v, &v.proof)); /* the frame is right */
    vector_free(&v);
    /* The plaintext is out of range and the bits are another's: the ciphertext's equation. */
    for (size_t i = 0; i < sizeof plains / sizeof *plains; i++) {
        cheat_new(&v, beta);
        put(&v, 1, plains[i].by, plains[i].at);
        caught(&v, beta);
    }
    /* The bits say what the plaintext is, and are none: the scalars' equation. */
    cheat_new(&v, beta);
    beta[13] = 5;
    put(&v, 1, 4, 10);
    caught(&v, beta);
    cheat_new(&v, beta);
    beta[13 + 12] = 2;
    put(&v, 1, 489, 40);
    caught(&v, beta);
    cheat_new(&v, beta);
    beta[13 + 1] = (uint64_t)250 << 30; /* carries into the slot above: 512 + 500 */
    put(&v, 1, (int64_t)500 << 30, 10);
    caught(&v, beta);
}

/* p in place of the blinding's unit: both sides of the ciphertexts' equation are then no units. */
static fm_status not_a_unit(void *ctx, void *out, size_t len, struct base_err *e)
{
    const struct mpc_pai_ring *p2 = key.secret->side[0].p2;
    fm_status st = base_random_fill(base_random_system(), out, len, e);

    (void)ctx;
    if (len == BITS / 8) {
        memset(out, 0, len);
        memcpy(out, p2->m, p2->k * sizeof *p2->m);
    }
    return st;
}

static void no_unit(void **state)
{
    const struct base_random random = {not_a_unit, NULL};
    struct vector v;

    (void)state;
    vector_new(&v, 1);
    add_slot(&v, 0, 0, 0, 1);
    verifies(&v);
    base_buf_clear(&v.proof);
    TEST_OK(
        mpc_pai_slots_prove(&v.proof, &v.c, v.claims, generators, &v.m, v.r, &bond, &random, &err));
    is_wrong(&v, 0);
    vector_free(&v);
}

static int run(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_number), cmocka_unit_test(borders),
                                       cmocka_unit_test(changed), cmocka_unit_test(cheats),
                                       cmocka_unit_test(no_unit)};
    int failed;

    test_key_new(&key, MPC_PAI_STD, BITS, NULL);
    TEST_OK(mpc_pai_generators_new(&generators, GENERATORS, &err));
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    mpc_pai_generators_free(generators);
    test_key_free(&key);
    return failed;
}

int main(void)
{
    int failed;

    test_seed();
    failed = run();
    TEST_OK(base_profile_adopt(BASE_PROFILE_NATIONAL, &err)); /* on SM2's curve */
    return failed + run();
}
