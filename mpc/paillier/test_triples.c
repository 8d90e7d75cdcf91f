/* Triples multiply; the same message twice gives other ciphertexts; damaged ones are refused. */
#include "mpc/paillier/triples.h"

#include <string.h>

#include "mpc/paillier/test_tools.h"

enum { MOST = 250 };

struct party {
    uint64_t a[MOST], b[MOST], c[MOST];
};

static void draw(struct party *p, size_t n)
{
    test_limbs(p->a, n);
    test_limbs(p->b, n);
    memset(p->c, 0, sizeof p->c);
}

static void run(const struct test_key *key, size_t n)
{
    const struct base_random *random = base_random_system();
    struct base_buf asked = {0}, answer = {0}, other = {0};
    struct party p[2];
    struct base_err err;
    uint64_t c[MOST];

    draw(&p[0], n);
    draw(&p[1], n);
    TEST_OK(mpc_pai_triples_ask(&asked, key->djn, p[0].a, p[0].b, n, random, &err));
    TEST_OK(mpc_pai_triples_answer(&answer, p[1].c, key->djn, asked.p, asked.len, p[1].a, p[1].b, n,
                                   random, &err));
    TEST_OK(mpc_pai_triples_take(p[0].c, key->djn, key->secret, answer.p, answer.len, p[0].a,
                                 p[0].b, n, &err));
    for (size_t i = 0; i < n; i++)
        assert_true((p[0].a[i] + p[1].a[i]) * (p[0].b[i] + p[1].b[i]) == p[0].c[i] + p[1].c[i]);
    memcpy(c, p[1].c, sizeof c);
    TEST_OK(mpc_pai_triples_answer(&other, p[1].c, key->djn, asked.p, asked.len, p[1].a, p[1].b, n,
                                   random, &err));
    assert_int_equal(other.len, answer.len);
    if (n > 0) {
        assert_memory_not_equal(other.p + MPC_PAI_CIPHER_HEAD, answer.p + MPC_PAI_CIPHER_HEAD, 64);
        assert_memory_not_equal(c, p[1].c, n * sizeof *c);
        assert_int_equal(mpc_pai_triples_answer(&other, c, key->djn, asked.p, asked.len - 1, p[1].a,
                                                p[1].b, n, random, &err),
                         FM_E_INPUT);
        asked.p[1] ^= 1;
        assert_int_equal(mpc_pai_triples_answer(&other, c, key->djn, asked.p, asked.len, p[1].a,
                                                p[1].b, n, random, &err),
                         FM_E_INPUT);
        base_buf_put_u8(&answer, 0);
        assert_int_equal(mpc_pai_triples_take(c, key->djn, key->secret, answer.p, answer.len,
                                              p[0].a, p[0].b, n, &err),
                         FM_E_INPUT);
    }
    base_buf_release(&asked);
    base_buf_release(&answer);
    base_buf_release(&other);
}

static void test_they_multiply(void **ctx)
{
    struct test_key key;

    (void)ctx;
    test_seed();
    for (size_t e = 0; mpc_pai_engine_at(e, 1024) != NULL; e++) { /* 6 slots: a block is 48 */
        test_key_new(&key, MPC_PAI_DJN, 1024, mpc_pai_engine_at(e, 1024));
        run(&key, 0);
        run(&key, 1);
        run(&key, 48);
        run(&key, e == 0 ? 250 : 49);
        test_key_free(&key);
    }
}

/* What the asker opens: each slot is a product of its own under a mask of 169 bits. */
static void test_masks(void **ctx)
{
    const struct base_random *random = base_random_system();
    uint64_t a[48] = {0}, c[48], any = 0;
    struct base_buf asked = {0}, answer = {0};
    struct mpc_pai_cipher opened;
    struct mpc_pai_plain m;
    struct test_key key;
    struct base_err err;

    (void)ctx;
    test_key_new(&key, MPC_PAI_DJN, 1024, NULL);
    TEST_OK(mpc_pai_triples_ask(&asked, key.djn, a, a, 48, random, &err));
    TEST_OK(
        mpc_pai_triples_answer(&answer, c, key.djn, asked.p, asked.len, a, a, 48, random, &err));
    TEST_OK(mpc_pai_cipher_get(&opened, key.n, 8, answer.p, answer.len, &err));
    TEST_OK(mpc_pai_plain_init(&m, key.n, 8, &err));
    TEST_OK(mpc_pai_decrypt(&m, key.secret, &opened, &err));
    for (size_t slot = 0; slot < 6; slot++, any = 0) { /* bits 129 to 168, of 8 masks together */
        for (size_t i = 0; i < 8; i++)
            for (size_t bit = 129; bit < 169; bit++) {
                size_t at = slot * 170 + bit;
                any |= (m.w[m.k * i + at / 64] >> (at % 64) & 1) << (bit - 129);
            }
        assert_true(__builtin_popcountll(any) > 20); /* all but a few of 40 */
    }
    mpc_pai_plain_release(&m);
    mpc_pai_cipher_release(&opened);
    base_buf_release(&asked);
    base_buf_release(&answer);
    test_key_free(&key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_they_multiply),
        cmocka_unit_test(test_masks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
