/* Constant time: secrets are marked as undefined memory, and Valgrind complains of every branch and
 * every address that depends on them. Runs the engine on GMP, which is the one that Valgrind runs.
 * What it is told to let pass, and why, stands in ct.supp. With the argument "leak" it does what
 * must be found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/memcheck.h>

#include "mpc/curve/curve.h"
#include "mpc/paillier/test_tools.h"
#include "mpc/paillier/threshold_own.h"

enum { N = 2, BITS = 256 };

static struct base_err err;

static void hide(void *p, size_t len)
{
    (void)VALGRIND_MAKE_MEM_UNDEFINED(p, len);
}

static void show(void *p, size_t len)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(p, len);
}

static void hide_vec(struct mpc_pai_vec *v)
{
    hide(v->w, v->words * sizeof *v->w);
}

static void show_cipher(struct mpc_pai_cipher *c)
{
    show(c->v.w, c->v.words * sizeof *c->v.w);
}

/* Randomness is secret. */
static fm_status secret_fill(void *ctx, void *out, size_t len, struct base_err *e)
{
    fm_status st;

    (void)ctx;
    st = base_random_fill(base_random_system(), out, len, e);
    hide(out, len);
    return st;
}

static const struct base_random secret_random = {secret_fill, NULL};

static void hide_key(struct mpc_pai_secret *s)
{
    for (int i = 0; i < 2; i++) {
        struct mpc_pai_ring *r = s->side[i].p2;
        hide(r->m, r->k * sizeof *r->m);
        hide(r->m2, r->k2 * sizeof *r->m2);
        hide(s->side[i].order, sizeof s->side[i].order);
        hide(s->side[i].h, sizeof s->side[i].h);
    }
    hide(s->p_inverse, sizeof s->p_inverse);
    hide(s->p2_inverse, sizeof s->p2_inverse);
}

/* A secret is freed as it was made. */
static void show_key(struct mpc_pai_secret *s)
{
    for (int i = 0; i < 2; i++) {
        show(s->side[i].p2->m, s->side[i].p2->k * 8);
        show(s->side[i].p2->m2, s->side[i].p2->k2 * 8);
    }
}

static void crypt(enum mpc_pai_kind kind)
{
    struct mpc_pai_plain m;
    struct mpc_pai_cipher c;
    struct test_key k;
    int64_t v[N] = {-3, 1234567};
    fm_status st;

    test_key_new(&k, kind, BITS, &mpc_pai_ring_gmp);
    TEST_OK(mpc_pai_plain_init(&m, k.n, N, &err));
    TEST_OK(mpc_pai_cipher_init(&c, k.n, N, &err));
    hide(v, sizeof v);
    TEST_OK(mpc_pai_plain_from_i64(&m, v, &err));
    st = kind == MPC_PAI_STD   ? mpc_pai_std_encrypt(&c, k.std, &m, &secret_random, &err)
         : kind == MPC_PAI_DJN ? mpc_pai_djn_encrypt(&c, k.djn, &m, &secret_random, &err)
                               : mpc_pai_sub_encrypt(&c, k.sub, &m, &secret_random, &err);
    TEST_OK(st);
    hide_key(k.secret);
    TEST_OK(mpc_pai_owner_encrypt(&c, k.secret, &m, &secret_random, &err));
    show_cipher(&c);
    TEST_OK(mpc_pai_decrypt(&m, k.secret, &c, &err));
    show_key(k.secret);
    mpc_pai_cipher_release(&c);
    mpc_pai_plain_release(&m);
    test_key_free(&k);
}

static void scalars(void)
{
    uint64_t u[N] = {5, ~(uint64_t)0};
    int64_t s[N] = {-5, 77};
    struct mpc_pai_cipher c, z, one;
    struct mpc_pai_plain m;
    struct test_key k;

    test_key_new(&k, MPC_PAI_STD, BITS, &mpc_pai_ring_gmp);
    TEST_OK(mpc_pai_plain_init(&m, k.n, N, &err));
    TEST_OK(mpc_pai_cipher_init(&c, k.n, N, &err));
    TEST_OK(mpc_pai_cipher_init(&z, k.n, N, &err));
    TEST_OK(mpc_pai_cipher_init(&one, k.n, 1, &err));
    TEST_OK(test_encrypt(&c, &k, &m, &err));
    hide(u, sizeof u);
    hide(s, sizeof s);
    hide(m.w, m.n * m.k * 8);
    TEST_OK(mpc_pai_mul_u64(&z, &c, u, &err));
    TEST_OK(mpc_pai_mul_i64(&z, &c, s, &err));
    TEST_OK(mpc_pai_mul(&z, &c, &m, &err));
    TEST_OK(mpc_pai_dot_u64(&one, &c, u, &err));
    TEST_OK(mpc_pai_dot_i64(&one, &c, s, &err));
    hide_vec(&c.v);
    TEST_OK(mpc_pai_add_plain(&z, &c, &m, &err));
    mpc_pai_cipher_release(&c);
    mpc_pai_cipher_release(&z);
    mpc_pai_cipher_release(&one);
    mpc_pai_plain_release(&m);
    test_key_free(&k);
}

/* What enters a transcript is sent, or known to both: no longer secret from then on. */
fm_status __real_mpc_pai_transcript_put_cipher(struct mpc_pai_transcript *t,
                                               const struct mpc_pai_cipher *c, struct base_err *e);
fm_status __wrap_mpc_pai_transcript_put_cipher(struct mpc_pai_transcript *t,
                                               const struct mpc_pai_cipher *c, struct base_err *e);
fm_status __wrap_mpc_pai_transcript_put_cipher(struct mpc_pai_transcript *t,
                                               const struct mpc_pai_cipher *c, struct base_err *e)
{
    show(c->v.w, c->v.words * sizeof *c->v.w);
    return __real_mpc_pai_transcript_put_cipher(t, c, e);
}

void __real_mpc_pai_transcript_put(struct mpc_pai_transcript *t, const void *bytes, size_t len);
void __wrap_mpc_pai_transcript_put(struct mpc_pai_transcript *t, const void *bytes, size_t len);
void __wrap_mpc_pai_transcript_put(struct mpc_pai_transcript *t, const void *bytes, size_t len)
{
    (void)VALGRIND_MAKE_MEM_DEFINED(bytes, len);
    __real_mpc_pai_transcript_put(t, bytes, len);
}

/* While a part is made, the one number that GMP's mpz holds is the proof's answer, which is sent.
 */
static bool makes_part;
void __real_mpc_pai_mpz_from_limbs(mpz_t v, const mp_limb_t *x, size_t n);
void __wrap_mpc_pai_mpz_from_limbs(mpz_t v, const mp_limb_t *x, size_t n);
void __wrap_mpc_pai_mpz_from_limbs(mpz_t v, const mp_limb_t *x, size_t n)
{
    if (makes_part)
        (void)VALGRIND_MAKE_MEM_DEFINED(x, n * sizeof *x);
    __real_mpc_pai_mpz_from_limbs(v, x, n);
}

/* One party's part of a decryption and its proof: the share and the proof's mask are secret. */
static void part(void)
{
    struct mpc_pai_bond bond = {{1}, 1};
    struct mpc_pai_thr_share *shares[2];
    struct mpc_pai_thr_part one;
    struct mpc_pai_cipher c;
    struct mpc_pai_plain m;
    struct mpc_pai_thr *key;
    mpz_t p, q;

    mpz_inits(p, q, NULL);
    TEST_OK(mpc_pai_prime_new(p, BITS / 2, MPC_PAI_BLUM, &err));
    TEST_OK(mpc_pai_prime_new(q, BITS / 2, MPC_PAI_BLUM, &err));
    TEST_OK(mpc_pai_thr_deal_with(&key, shares, 2, 2, p, q, "d", &mpc_pai_ring_gmp, &err));
    TEST_OK(mpc_pai_plain_init(&m, &key->std->n, N, &err));
    TEST_OK(mpc_pai_cipher_init(&c, &key->std->n, N, &err));
    TEST_OK(mpc_pai_std_encrypt(&c, key->std, &m, base_random_system(), &err));
    hide(shares[0]->x, sizeof shares[0]->x);
    makes_part = true;
    TEST_OK(mpc_pai_thr_part_new(&one, key, shares[0], &c, &bond, &secret_random, &err));
    makes_part = false;
    mpc_pai_thr_part_release(&one);
    mpc_pai_cipher_release(&c);
    mpc_pai_plain_release(&m);
    mpc_pai_thr_share_free(shares[0]);
    mpc_pai_thr_share_free(shares[1]);
    mpc_pai_thr_free(key);
    mpz_clears(p, q, NULL);
}

/* Points of SM2's curve: a secret identifier is hashed to one, multiplied by a secret, summed. */
static void points(void)
{
    const struct mpc_curve *curve = mpc_curve_sm2();
    struct mpc_curve_point p[3], z;
    uint64_t x[3 * 4];
    uint8_t message[40] = {0}, out[33];
    bool some;

    hide(message, sizeof message);
    TEST_OK(secret_fill(NULL, x, sizeof x, &err));
    for (int i = 0; i < 3; i++)
        mpc_curve_hash(&p[i], message, sizeof message - (size_t)i, "dst", 3, curve);
    TEST_OK(mpc_curve_sum(&z, x, p, 3, curve, &err));
    some = mpc_curve_x(out, &z, curve);
    show(&some, sizeof some);
    if (!some)
        abort();
    mpc_curve_put(out, &z, curve);
}

static int leak(void)
{
    uint64_t x[2] = {1, 2};

    hide(x, sizeof x);
    return x[0] > x[1] ? puts("more") : puts("not more");
}

int main(int argc, char **argv)
{
    if (RUNNING_ON_VALGRIND == 0) {
        fputs("test_pai_ct: says something under valgrind alone\n", stderr);
        return 77;
    }
    if (argc > 1 && strcmp(argv[1], "leak") == 0)
        return leak() < 0;
    mpc_pai_gmp_init();
    crypt(MPC_PAI_STD);
    crypt(MPC_PAI_DJN);
    crypt(MPC_PAI_SUB);
    part();
    scalars();
    points();
    return 0;
}
