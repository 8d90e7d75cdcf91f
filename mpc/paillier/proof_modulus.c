/* That n is a Paillier-Blum modulus: CGGMP, eprint 2021/060, figure 16. */
#include <stdlib.h>
#include <string.h>

#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/proof_own.h"

static const char *const name = "modulus";

static void seed_of(uint8_t seed32[32], const mpz_t n, const mpz_t w,
                    const struct mpc_pai_bond *bond)
{
    struct mpc_pai_transcript t;

    mpc_pai_transcript_init(&t, name, bond);
    mpc_pai_transcript_put_mpz(&t, n);
    mpc_pai_transcript_put_mpz(&t, w);
    mpc_pai_transcript_end(&t, seed32);
}

/* One prime's exponents: of a square root's square root, of an n-th root, of Euler's criterion. */
struct half {
    mpz_t p, fourth, nth, euler;
};

static void half_init(struct half *h, const struct mpc_pai_side *side, size_t l, const mpz_t n)
{
    mpz_t order;

    mpz_inits(h->p, h->fourth, h->nth, h->euler, order, NULL);
    mpc_pai_mpz_from_limbs(h->p, side->p2->m, l);
    mpz_sub_ui(order, h->p, 1);
    mpz_invert(h->nth, n, order);
    mpz_fdiv_q_2exp(h->euler, order, 1);
    mpz_add_ui(h->fourth, h->p, 1);
    mpz_fdiv_q_2exp(h->fourth, h->fourth, 2);
    mpz_mul(h->fourth, h->fourth, h->fourth);
    mpz_mod(h->fourth, h->fourth, h->euler); /* a square's order divides (p - 1) / 2 */
    mpz_clear(order);
}

static void half_release(struct half *h)
{
    mpz_clears(h->p, h->fourth, h->nth, h->euler, NULL);
}

/* z = y^e mod p q, by halves; inverse: 1 / p mod q. */
static void root(mpz_t z, const mpz_t y, const struct half h[2], const mpz_t e[2],
                 const mpz_t inverse)
{
    mpz_t a, b;

    mpz_inits(a, b, NULL);
    mpz_mod(a, y, h[0].p);
    mpz_mod(b, y, h[1].p);
    mpc_pai_proof_pow(a, a, e[0], h[0].p);
    mpc_pai_proof_pow(b, b, e[1], h[1].p);
    mpz_sub(b, b, a);
    mpz_mul(b, b, inverse);
    mpz_mod(b, b, h[1].p);
    mpz_mul(b, b, h[0].p);
    mpz_add(z, a, b);
    mpz_clears(a, b, NULL);
}

static int is_square(const mpz_t y, const struct half *h)
{
    mpz_t t;
    int square;

    mpz_init(t);
    mpz_mod(t, y, h->p);
    mpc_pai_proof_pow(t, t, h->euler, h->p);
    square = mpz_cmp_ui(t, 1) == 0;
    mpz_clear(t);
    return square;
}

/* +-1 and 1 or w times y is a square for one choice of the two: that is said, and its fourth root.
 */
static void put_round(struct base_buf *out, mpz_t y, const mpz_t n, const mpz_t w,
                      const struct half h[2], const mpz_t inverse)
{
    const mpz_t *fourth[2] = {(const mpz_t *)&h[0].fourth, (const mpz_t *)&h[1].fourth};
    mpz_t e[2], z, x;
    int a = 0, b = 0;

    mpz_inits(e[0], e[1], z, x, NULL);
    mpz_set(e[0], h[0].nth);
    mpz_set(e[1], h[1].nth);
    root(z, y, h, (const mpz_t *)e, inverse);
    if (is_square(y, &h[0]) != is_square(y, &h[1])) {
        b = 1;
        mpz_mul(y, y, w);
        mpz_mod(y, y, n);
    }
    if (!is_square(y, &h[0])) {
        a = 1;
        mpz_sub(y, n, y);
    }
    mpz_set(e[0], *fourth[0]);
    mpz_set(e[1], *fourth[1]);
    root(x, y, h, (const mpz_t *)e, inverse);
    base_buf_put_u8(out, (uint8_t)(a | b << 1));
    mpc_pai_proof_put(out, x);
    mpc_pai_proof_put(out, z);
    mpz_clears(e[0], e[1], z, x, NULL);
}

fm_status mpc_pai_modulus_prove(struct base_buf *out, const struct mpc_pai_secret *secret,
                                const struct mpc_pai_bond *bond, struct base_err *err)
{
    struct half h[2];
    mpz_t n, w, y, inverse;
    uint8_t seed[32];
    fm_status st;

    mpz_inits(n, w, y, inverse, NULL);
    mpc_pai_mpz_from_limbs(n, secret->n, 2 * secret->l);
    half_init(&h[0], &secret->side[0], secret->l, n);
    half_init(&h[1], &secret->side[1], secret->l, n);
    mpc_pai_mpz_from_limbs(inverse, secret->p_inverse, secret->l);
    do
        st = mpc_pai_proof_random_below(w, n, base_random_system(), err);
    while (st == FM_OK && mpz_jacobi(w, n) != -1);
    if (st == FM_OK) {
        seed_of(seed, n, w, bond);
        mpc_pai_proof_head(out, MPC_PAI_PROOF_MODULUS);
        mpc_pai_proof_put(out, w);
        for (unsigned i = 0; i < MPC_PAI_PROOF_ROUNDS; i++) {
            mpc_pai_proof_hash_below(y, n, seed, i);
            put_round(out, y, n, w, (const struct half *)h, inverse);
        }
        st = base_buf_status(out, "paillier: proof", err);
    }
    half_release(&h[0]);
    half_release(&h[1]);
    mpz_clears(n, w, y, inverse, NULL);
    return st;
}

/* z^n = y and x^4 = (-1)^a w^b y. */
static int round_holds(const mpz_t n, const mpz_t w, mpz_t y, struct base_cur *cur)
{
    unsigned ab = base_cur_u8(cur);
    mpz_t x, z;
    int holds;

    mpz_inits(x, z, NULL);
    mpc_pai_proof_take(x, cur);
    mpc_pai_proof_take(z, cur);
    holds = !cur->bad && ab < 4 && mpz_cmp(x, n) < 0 && mpz_cmp(z, n) < 0;
    if (holds) {
        mpz_powm(z, z, n, n);
        holds = mpz_cmp(z, y) == 0;
        if ((ab & 2) != 0)
            mpz_mul(y, y, w);
        if ((ab & 1) != 0)
            mpz_neg(y, y);
        mpz_mod(y, y, n);
        mpz_powm_ui(x, x, 4, n);
        holds = holds && mpz_cmp(x, y) == 0;
    }
    mpz_clears(x, z, NULL);
    return holds;
}

fm_status mpc_pai_modulus_verify(const struct mpc_pai_modulus *key, const void *proof, size_t len,
                                 const struct mpc_pai_bond *bond, struct base_err *err)
{
    struct base_cur cur = base_cur_make(proof, len);
    uint8_t seed[32];
    mpz_t w, y;
    int holds;

    mpz_inits(w, y, NULL);
    mpc_pai_proof_get_head(&cur, MPC_PAI_PROOF_MODULUS);
    mpc_pai_proof_take(w, &cur);
    holds = !cur.bad && mpz_cmp(w, key->n) < 0 && mpz_jacobi(w, key->n) == -1 &&
            mpz_odd_p(key->n) && mpz_probab_prime_p(key->n, 40) == 0;
    if (holds)
        seed_of(seed, key->n, w, bond);
    for (unsigned i = 0; holds && i < MPC_PAI_PROOF_ROUNDS; i++) {
        mpc_pai_proof_hash_below(y, key->n, seed, i);
        holds = round_holds(key->n, w, y, &cur);
    }
    mpz_clears(w, y, NULL);
    return holds && cur.left == 0 ? FM_OK : mpc_pai_proof_bad(err, bond, name);
}
