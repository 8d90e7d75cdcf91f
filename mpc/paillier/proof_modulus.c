/* That n is a Paillier-Blum modulus: CGGMP, eprint 2021/060, figure 16. */
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
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

/* out: y^e mod p for all rounds, l limbs each; y: of 2 l limbs. */
static fm_status powers(uint64_t *out, const struct mpc_pai_side *side, const mpz_t e,
                        const uint64_t *y, size_t l, struct base_err *err)
{
    mp_limb_t limbs[MPC_PAI_MAX_LIMBS / 2];
    uint64_t *high = mpc_pai_words_new(MPC_PAI_PROOF_ROUNDS * l);
    struct mpc_pai_vec x;
    fm_status st = mpc_pai_vec_init(&x, side->p2, MPC_PAI_PROOF_ROUNDS, err);

    mpc_pai_limbs_from_mpz(limbs, l, e);
    if (st == FM_OK && high == NULL)
        st = base_err_memory(err, "paillier: proof");
    if (st == FM_OK)
        st = mpc_pai_vec_load(&x, y, 2 * l, err);
    if (st == FM_OK)
        st = mpc_pai_vec_pow(&x, &x, limbs, side->p2->bits, err);
    if (st == FM_OK)
        st = mpc_pai_vec_store(out, high, &x, err);
    mpc_pai_vec_release(&x);
    mpc_pai_words_free(high, MPC_PAI_PROOF_ROUNDS * l);
    base_wipe(limbs, sizeof limbs);
    return st;
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

/* Is it 1? n limbs. */
static int is_one(const uint64_t *x, size_t n)
{
    return x[0] == 1 && mpc_pai_limbs_zero(x + 1, n - 1) != 0;
}

/* All rounds: roots in halves (l limbs each), what y was multiplied by. */
struct rounds {
    size_t l, words;
    uint64_t *all, *y, *euler[2], *nth[2], *fourth[2];
    uint8_t ab[MPC_PAI_PROOF_ROUNDS];
};

static fm_status rounds_init(struct rounds *r, size_t l, struct base_err *err)
{
    size_t each = MPC_PAI_PROOF_ROUNDS * l;

    r->l = l, r->words = 8 * each;
    r->all = mpc_pai_words_new(r->words);
    if (r->all == NULL)
        return base_err_memory(err, "paillier: proof");
    r->y = r->all; /* of 2 l limbs */
    for (size_t s = 0; s < 2; s++) {
        r->euler[s] = r->all + (2 + s) * each;
        r->nth[s] = r->all + (4 + s) * each;
        r->fourth[s] = r->all + (6 + s) * each;
    }
    return FM_OK;
}

/* +-1 and 1 or w times y is a square for one choice of the two: that is noted, and y replaced. */
static void choose(struct rounds *r, const mpz_t n, const mpz_t w, int w_is_square)
{
    mpz_t y;

    mpz_init(y);
    for (size_t i = 0; i < MPC_PAI_PROOF_ROUNDS; i++) {
        uint64_t *at = r->y + 2 * r->l * i;
        int square = is_one(r->euler[0] + r->l * i, r->l);
        int b = square != is_one(r->euler[1] + r->l * i, r->l);
        int a = !(b ? square == w_is_square : square);
        mpc_pai_mpz_from_limbs(y, at, 2 * r->l);
        if (b)
            mpz_mul(y, y, w);
        if (a)
            mpz_neg(y, y);
        mpz_mod(y, y, n);
        mpc_pai_limbs_from_mpz(at, 2 * r->l, y);
        r->ab[i] = (uint8_t)(a | b << 1);
    }
    mpz_clear(y);
}

/* The number that is a mod p and b mod q, to out; inverse: 1 / p mod q. */
static void put_whole(struct base_buf *out, const uint64_t *a, const uint64_t *b, size_t l,
                      const struct half h[2], const mpz_t inverse)
{
    mpz_t u, v;

    mpz_inits(u, v, NULL);
    mpc_pai_mpz_from_limbs(u, a, l);
    mpc_pai_mpz_from_limbs(v, b, l);
    mpz_sub(v, v, u);
    mpz_mul(v, v, inverse);
    mpz_mod(v, v, h[1].p);
    mpz_mul(v, v, h[0].p);
    mpz_add(u, u, v);
    mpc_pai_proof_put(out, u);
    mpz_clears(u, v, NULL);
}

static fm_status fill_rounds(struct rounds *r, const struct mpc_pai_secret *secret,
                             const struct half h[2], const mpz_t n, const mpz_t w,
                             const uint8_t seed[32], struct base_err *err)
{
    fm_status st = FM_OK;
    mpz_t y;

    mpz_init(y);
    for (unsigned i = 0; i < MPC_PAI_PROOF_ROUNDS; i++) {
        mpc_pai_proof_hash_below(y, n, seed, i);
        mpc_pai_limbs_from_mpz(r->y + 2 * r->l * i, 2 * r->l, y);
    }
    mpz_clear(y);
    for (int s = 0; st == FM_OK && s < 2; s++) {
        st = powers(r->nth[s], &secret->side[s], h[s].nth, r->y, r->l, err);
        if (st == FM_OK)
            st = powers(r->euler[s], &secret->side[s], h[s].euler, r->y, r->l, err);
    }
    if (st != FM_OK)
        return st;
    choose(r, n, w, is_square(w, &h[0]));
    for (int s = 0; st == FM_OK && s < 2; s++)
        st = powers(r->fourth[s], &secret->side[s], h[s].fourth, r->y, r->l, err);
    return st;
}

fm_status mpc_pai_modulus_prove(struct base_buf *out, const struct mpc_pai_secret *secret,
                                const struct mpc_pai_bond *bond, struct base_err *err)
{
    struct rounds r = {0};
    struct half h[2];
    mpz_t n, w, inverse;
    uint8_t seed[32];
    fm_status st = rounds_init(&r, secret->l, err);

    mpz_inits(n, w, inverse, NULL);
    mpc_pai_mpz_from_limbs(n, secret->n, 2 * secret->l);
    half_init(&h[0], &secret->side[0], secret->l, n);
    half_init(&h[1], &secret->side[1], secret->l, n);
    mpc_pai_mpz_from_limbs(inverse, secret->p_inverse, secret->l);
    while (st == FM_OK && mpz_jacobi(w, n) != -1)
        st = mpc_pai_proof_random_below(w, n, base_random_system(), err);
    if (st == FM_OK) {
        seed_of(seed, n, w, bond);
        st = fill_rounds(&r, secret, h, n, w, seed, err);
    }
    if (st == FM_OK) {
        mpc_pai_proof_head(out, MPC_PAI_PROOF_MODULUS);
        mpc_pai_proof_put(out, w);
        for (size_t i = 0; i < MPC_PAI_PROOF_ROUNDS; i++) {
            size_t at = r.l * i;
            base_buf_put_u8(out, r.ab[i]);
            put_whole(out, r.fourth[0] + at, r.fourth[1] + at, r.l, h, inverse);
            put_whole(out, r.nth[0] + at, r.nth[1] + at, r.l, h, inverse);
        }
        st = base_buf_status(out, "paillier: proof", err);
    }
    half_release(&h[0]);
    half_release(&h[1]);
    mpc_pai_words_free(r.all, r.words);
    mpz_clears(n, w, inverse, NULL);
    return st;
}

/* x^4 = (-1)^a w^b y; z to limbs, to be raised to n with the others'. */
static int round_holds(uint64_t *to, const struct mpc_pai_modulus *key, const mpz_t w, mpz_t y,
                       struct base_cur *cur)
{
    unsigned ab = base_cur_u8(cur);
    mpz_t x, z;
    int holds;

    mpz_inits(x, z, NULL);
    mpc_pai_proof_take(x, cur);
    mpc_pai_proof_take(z, cur);
    holds = !cur->bad && ab < 4 && mpz_cmp(x, key->n) < 0 && mpz_cmp(z, key->n) < 0;
    if (holds) {
        mpc_pai_limbs_from_mpz(to, key->n2->k, z);
        if ((ab & 2) != 0)
            mpz_mul(y, y, w);
        if ((ab & 1) != 0)
            mpz_neg(y, y);
        mpz_mod(y, y, key->n);
        mpz_powm_ui(x, x, 4, key->n);
        holds = mpz_cmp(x, y) == 0;
    }
    mpz_clears(x, z, NULL);
    return holds;
}

/* z^n = y for all rounds: mod n^2, whose low digit it is. */
static fm_status nth_powers(int *hold, const uint64_t *z, const uint64_t *y,
                            const struct mpc_pai_modulus *key, struct base_err *err)
{
    size_t words = MPC_PAI_PROOF_ROUNDS * key->n2->k;
    uint64_t *low = mpc_pai_words_new(2 * words);
    struct mpc_pai_vec x;
    fm_status st = mpc_pai_vec_init(&x, key->n2, MPC_PAI_PROOF_ROUNDS, err);

    if (st == FM_OK && low == NULL)
        st = base_err_memory(err, "paillier: proof");
    if (st == FM_OK)
        st = mpc_pai_vec_load(&x, z, key->n2->k, err);
    if (st == FM_OK)
        st = mpc_pai_vec_pow_public(&x, &x, key->n2->m, key->bits, err);
    if (st == FM_OK)
        st = mpc_pai_vec_store(low, low + words, &x, err);
    *hold = st == FM_OK && memcmp(low, y, words * sizeof *low) == 0;
    mpc_pai_vec_release(&x);
    mpc_pai_words_free(low, 2 * words);
    return st;
}

fm_status mpc_pai_modulus_verify(const struct mpc_pai_modulus *key, const void *proof, size_t len,
                                 const struct mpc_pai_bond *bond, struct base_err *err)
{
    struct base_cur cur = base_cur_make(proof, len);
    size_t k = key->n2->k, words = 2 * MPC_PAI_PROOF_ROUNDS * k;
    uint64_t *z = mpc_pai_words_new(words), *ys = z + words / 2;
    uint8_t seed[32];
    fm_status st = z != NULL ? FM_OK : base_err_memory(err, "paillier: proof");
    mpz_t w, y;
    int holds;

    mpz_inits(w, y, NULL);
    mpc_pai_proof_get_head(&cur, MPC_PAI_PROOF_MODULUS);
    mpc_pai_proof_take(w, &cur);
    holds = !cur.bad && mpz_cmp(w, key->n) < 0 && mpz_jacobi(w, key->n) == -1 &&
            mpz_odd_p(key->n) && mpz_probab_prime_p(key->n, 40) == 0;
    if (holds)
        seed_of(seed, key->n, w, bond);
    for (unsigned i = 0; st == FM_OK && holds && i < MPC_PAI_PROOF_ROUNDS; i++) {
        mpc_pai_proof_hash_below(y, key->n, seed, i);
        mpc_pai_limbs_from_mpz(ys + k * i, k, y);
        holds = round_holds(z + k * i, key, w, y, &cur);
    }
    holds = holds && cur.left == 0;
    if (st == FM_OK && holds)
        st = nth_powers(&holds, z, ys, key, err);
    mpz_clears(w, y, NULL);
    mpc_pai_words_free(z, words);
    return st != FM_OK || holds ? st : mpc_pai_proof_bad(err, bond, name);
}
