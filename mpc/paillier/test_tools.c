#include "mpc/paillier/test_tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state;

void test_seed(void)
{
    const char *given = getenv("FIRMIANA_SEED");
    struct base_err err;

    if (given != NULL)
        state = strtoull(given, NULL, 10);
    else
        TEST_OK(base_random_fill(base_random_system(), &state, sizeof state, &err));
    print_message("FIRMIANA_SEED=%llu\n", (unsigned long long)state);
}

uint64_t test_random(void) /* splitmix64 */
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void test_limbs(mp_limb_t *x, size_t n)
{
    unsigned how = (unsigned)(test_random() % 4);

    for (size_t i = 0; i < n; i++)
        x[i] = how == 0 ? 0 : how == 1 ? ~(mp_limb_t)0 : test_random();
    for (size_t at = 0; how == 3 && at < 64 * n;) { /* runs */
        size_t run = 1 + test_random() % 200;
        mp_limb_t bit = test_random() & 1;
        for (; run-- > 0 && at < 64 * n; at++)
            x[at / 64] = (x[at / 64] & ~((mp_limb_t)1 << (at % 64))) | bit << (at % 64);
    }
}

void test_below(mpz_t v, const mpz_t m)
{
    mp_limb_t x[4 * MPC_PAI_MAX_LIMBS];

    test_limbs(x, mpz_size(m));
    switch (test_random() % 6) {
    case 0:
        mpz_set_ui(v, test_random() % 3);
        break;
    case 1:
        mpz_sub_ui(v, m, 1 + test_random() % 3);
        break;
    default:
        mpz_import(v, mpz_size(m), -1, 8, 0, 0, x);
    }
    mpz_mod(v, v, m);
}

void test_key_new(struct test_key *k, enum mpc_pai_kind kind, unsigned bits,
                  const struct mpc_pai_ring_ops *engine)
{
    struct mpc_pai_any any;
    struct base_err err;
    mpz_t p, q, b, n, h;

    *k = (struct test_key){.kind = kind};
    mpc_pai_gmp_init();
    mpz_inits(p, q, n, h, NULL);
    mpz_init_set_ui(b, 1);
    TEST_OK(mpc_pai_primes_new(p, q, b, bits, kind, &err));
    mpz_mul(n, p, q);
    TEST_OK(mpc_pai_blinding_base(h, n, b, &err));
    TEST_OK(mpc_pai_secret_make(&k->secret, p, q, engine, &err));
    TEST_OK(mpc_pai_any_make(&any, kind, n, h, engine, &err));
    k->std = any.std, k->djn = any.djn, k->sub = any.sub;
    k->n = mpc_pai_any_modulus(&any);
    mpz_clears(p, q, n, h, b, NULL);
}

void test_key_free(struct test_key *k)
{
    mpc_pai_std_free(k->std);
    mpc_pai_djn_free(k->djn);
    mpc_pai_sub_free(k->sub);
    mpc_pai_secret_free(k->secret);
}

fm_status test_encrypt(struct mpc_pai_cipher *c, const struct test_key *k,
                       const struct mpc_pai_plain *m, struct base_err *err)
{
    const struct base_random *random = base_random_system();

    if (k->kind == MPC_PAI_STD)
        return mpc_pai_std_encrypt(c, k->std, m, random, err);
    if (k->kind == MPC_PAI_DJN)
        return mpc_pai_djn_encrypt(c, k->djn, m, random, err);
    return mpc_pai_sub_encrypt(c, k->sub, m, random, err);
}
