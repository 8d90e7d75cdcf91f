/* Range, and equality under two keys: CGGMP, eprint 2021/060, figure 14, with one (range) or two
 * (equality) ciphertexts of the same k. Signs are taken out first: the proof is about k + 2^l >= 0
 * and c (1 + n)^(2^l), so that all numbers of the prover are natural ones, of lengths that do not
 * tell k. */
#include <assert.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/proof_own.h"

enum { MASK = MPC_PAI_RANGE_MASK, HIDE = MPC_PAI_PROOF_HIDE, LIMBS = 2 * MPC_PAI_MAX_LIMBS };

void mpc_pai_range_message_init(struct mpc_pai_range_message *m)
{
    mpz_inits(m->S, m->C, m->z1, m->z3, m->A[0], m->A[1], m->z2[0], m->z2[1], NULL);
}

void mpc_pai_range_message_release(struct mpc_pai_range_message *m)
{
    mpz_clears(m->S, m->C, m->z1, m->z3, m->A[0], m->A[1], m->z2[0], m->z2[1], NULL);
}

fm_status mpc_pai_range_claim_init(struct mpc_pai_range_claim *q,
                                   const struct mpc_pai_statement *what, struct base_err *err)
{
    mp_limb_t limbs[LIMBS];
    fm_status st = FM_OK;
    mpz_t t;

    assert((what->keys == 1 || what->keys == 2) && what->value_bits >= 1);
    q->keys = what->keys, q->shift = what->value_bits;
    mpz_inits(q->n2[0], q->n2[1], q->c[0], q->c[1], t, NULL);
    for (unsigned i = 0; st == FM_OK && i < q->keys; i++) {
        const struct mpc_pai_modulus *key = what->c[i]->key;
        struct mpc_pai_vec one;
        assert(what->value_bits <= 62 || what->value_bits + MPC_PAI_RANGE_SLACK < key->bits);
        q->n[i] = (const mpz_t *)&key->n;
        mpz_mul(q->n2[i], key->n, key->n);
        st = mpc_pai_vec_init(&one, key->n2, 1, err);
        if (st == FM_OK) {
            mpc_pai_vec_move(&one, 0, &what->c[i]->v, what->at[i]);
            st = mpc_pai_vec_store_whole(limbs, &one, err);
        }
        mpc_pai_vec_release(&one);
        if (st != FM_OK)
            break;
        mpc_pai_mpz_from_limbs(q->c[i], limbs, 2 * key->n2->k);
        mpz_mul_2exp(t, key->n, q->shift);
        mpz_add_ui(t, t, 1);
        mpz_mul(q->c[i], q->c[i], t);
        mpz_mod(q->c[i], q->c[i], q->n2[i]);
    }
    mpz_clear(t);
    return st;
}

void mpc_pai_range_claim_release(struct mpc_pai_range_claim *q)
{
    mpz_clears(q->n2[0], q->n2[1], q->c[0], q->c[1], NULL);
}

void mpc_pai_range_challenge(mpz_t e, const struct mpc_pai_range_claim *q,
                             const struct mpc_pai_pedersen *pp,
                             const struct mpc_pai_range_message *m, const struct mpc_pai_bond *bond)
{
    struct mpc_pai_transcript t;
    uint8_t seed[32];

    mpc_pai_transcript_init(&t, q->keys == 1 ? "range" : "equality", bond);
    mpc_pai_transcript_put(&t, &q->shift, sizeof q->shift);
    mpc_pai_transcript_put_mpz(&t, pp->n);
    mpc_pai_transcript_put_mpz(&t, pp->s);
    mpc_pai_transcript_put_mpz(&t, pp->t);
    mpc_pai_transcript_put_mpz(&t, m->S);
    mpc_pai_transcript_put_mpz(&t, m->C);
    for (unsigned i = 0; i < q->keys; i++) {
        mpc_pai_transcript_put_mpz(&t, *q->n[i]);
        mpc_pai_transcript_put_mpz(&t, q->c[i]);
        mpc_pai_transcript_put_mpz(&t, m->A[i]);
    }
    mpc_pai_transcript_end(&t, seed);
    mpz_import(e, MPC_PAI_CHALLENGE_BITS / 8, 1, 1, 1, 0, seed);
}

/* z = s^a t^b mod n. */
static void commit(mpz_t z, const struct mpc_pai_pedersen *pp, const mpz_t a, const mpz_t b)
{
    mpz_t t;

    mpz_init(t);
    mpc_pai_proof_pow(z, pp->s, a, pp->n);
    mpc_pai_proof_pow(t, pp->t, b, pp->n);
    mpz_mul(z, z, t);
    mpz_mod(z, z, pp->n);
    mpz_clear(t);
}

/* z = (1 + m n) r^n mod n^2. */
static void encrypt(mpz_t z, const mpz_t m, const mpz_t r, const mpz_t n, const mpz_t n2)
{
    mpz_t t;

    mpz_init(t);
    mpz_powm_sec(t, r, n, n2);
    mpz_mul(z, m, n);
    mpz_add_ui(z, z, 1);
    mpz_mul(z, z, t);
    mpz_mod(z, z, n2);
    mpz_clear(t);
}

/* alpha, mu, gamma, r[i]: the prover's masks. mu is HIDE bits longer than k and t's order together,
 * so that t^mu is uniform whatever the verifier knows of that order; gamma than e mu. */
struct masks {
    mpz_t alpha, mu, gamma, r[2];
};

static fm_status draw(struct masks *x, const struct mpc_pai_range_claim *q,
                      const struct mpc_pai_pedersen *pp, const struct base_random *random,
                      struct base_err *err)
{
    size_t hat = mpz_sizeinbase(pp->n, 2), l = q->shift + 1;
    fm_status st;

    mpz_inits(x->alpha, x->mu, x->gamma, x->r[0], x->r[1], NULL);
    st = mpc_pai_proof_random(x->alpha, l + MASK, random, err);
    if (st == FM_OK)
        st = mpc_pai_proof_random(x->mu, l + HIDE + hat, random, err);
    if (st == FM_OK)
        st = mpc_pai_proof_random(x->gamma, l + MASK + HIDE + hat, random, err);
    for (unsigned i = 0; st == FM_OK && i < q->keys; i++)
        st = mpc_pai_proof_random_below(x->r[i], *q->n[i], random, err);
    return st;
}

static void masks_release(struct masks *x)
{
    mpz_clears(x->alpha, x->mu, x->gamma, x->r[0], x->r[1], NULL);
}

static void answer(struct mpc_pai_range_message *m, const struct mpc_pai_range_claim *q,
                   const struct masks *x, const mpz_t k, const mpz_t e, const uint64_t *const r[2])
{
    mpz_t rho;

    mpz_init(rho);
    mpz_mul(m->z1, e, k);
    mpz_add(m->z1, m->z1, x->alpha);
    mpz_mul(m->z3, e, x->mu);
    mpz_add(m->z3, m->z3, x->gamma);
    for (unsigned i = 0; i < q->keys; i++) {
        mpc_pai_mpz_from_limbs(rho, r[i], mpz_size(*q->n[i]));
        mpc_pai_proof_pow(m->z2[i], rho, e, *q->n[i]);
        mpz_mul(m->z2[i], m->z2[i], x->r[i]);
        mpz_mod(m->z2[i], m->z2[i], *q->n[i]);
    }
    mpz_clear(rho);
}

void mpc_pai_range_put(struct base_buf *out, const struct mpc_pai_range_message *m, unsigned keys)
{
    mpc_pai_proof_head(out, MPC_PAI_PROOF_RANGE);
    mpc_pai_proof_put(out, m->S);
    mpc_pai_proof_put(out, m->C);
    mpc_pai_proof_put(out, m->z1);
    mpc_pai_proof_put(out, m->z3);
    for (unsigned i = 0; i < keys; i++) {
        mpc_pai_proof_put(out, m->A[i]);
        mpc_pai_proof_put(out, m->z2[i]);
    }
}

fm_status mpc_pai_range_prove_lifted(struct base_buf *out, const struct mpc_pai_statement *what,
                                     const struct mpc_pai_pedersen *pp, const mpz_t lifted,
                                     const uint64_t *const r[2], const struct mpc_pai_bond *bond,
                                     const struct base_random *random, struct base_err *err)
{
    struct mpc_pai_range_message m;
    struct masks x;
    struct mpc_pai_range_claim q;
    fm_status st;
    mpz_t e;

    mpc_pai_range_message_init(&m);
    mpz_init(e);
    st = mpc_pai_range_claim_init(&q, what, err);
    if (st == FM_OK) {
        st = draw(&x, &q, pp, random, err);
        if (st == FM_OK) {
            commit(m.S, pp, lifted, x.mu);
            commit(m.C, pp, x.alpha, x.gamma);
            for (unsigned i = 0; i < q.keys; i++)
                encrypt(m.A[i], x.alpha, x.r[i], *q.n[i], q.n2[i]);
            mpc_pai_range_challenge(e, &q, pp, &m, bond);
            answer(&m, &q, &x, lifted, e, r);
            mpc_pai_range_put(out, &m, q.keys);
            st = base_buf_status(out, "paillier: proof", err);
        }
        masks_release(&x);
    }
    mpc_pai_range_claim_release(&q);
    mpz_clear(e);
    mpc_pai_range_message_release(&m);
    return st;
}

fm_status mpc_pai_range_prove(struct base_buf *out, const struct mpc_pai_statement *what,
                              const struct mpc_pai_pedersen *pp, int64_t k,
                              const uint64_t *const r[2], const struct mpc_pai_bond *bond,
                              const struct base_random *random, struct base_err *err)
{
    uint64_t lifted = (uint64_t)k + ((uint64_t)1 << what->value_bits);
    fm_status st;
    mpz_t v;

    if (lifted == 0 || lifted >> (what->value_bits + 1) != 0)
        return base_err_set(err, FM_E_LIMIT, "paillier: a value of more than %u bits",
                            what->value_bits);
    mpz_init_set_ui(v, lifted);
    st = mpc_pai_range_prove_lifted(out, what, pp, v, r, bond, random, err);
    mpz_clear(v);
    return st;
}

fm_status mpc_pai_range_prove_plain(struct base_buf *out, const struct mpc_pai_statement *what,
                                    const struct mpc_pai_pedersen *pp,
                                    const struct mpc_pai_plain *m, const uint64_t *r,
                                    const struct mpc_pai_bond *bond,
                                    const struct base_random *random, struct base_err *err)
{
    const uint64_t *units[2] = {r, NULL};
    fm_status st;
    mpz_t v, lift;

    mpz_inits(v, lift, NULL);
    mpc_pai_mpz_from_limbs(v, m->w + m->k * what->at[0], m->k);
    mpz_setbit(lift, what->value_bits);
    if (mpz_cmp(v, lift) >= 0)
        st = base_err_set(err, FM_E_LIMIT, "paillier: a plaintext of more than %u bits",
                          what->value_bits);
    else {
        mpz_add(v, v, lift);
        st = mpc_pai_range_prove_lifted(out, what, pp, v, units, bond, random, err);
    }
    mpz_clears(v, lift, NULL);
    return st;
}

/* Every number is there, below its modulus, and the answer below its bound. */
int mpc_pai_range_well_formed(struct mpc_pai_range_message *m, const struct mpc_pai_range_claim *q,
                              const struct mpc_pai_pedersen *pp, struct base_cur *cur)
{
    size_t hat = mpz_sizeinbase(pp->n, 2);
    int well;

    mpc_pai_proof_get_head(cur, MPC_PAI_PROOF_RANGE);
    mpc_pai_proof_take(m->S, cur);
    mpc_pai_proof_take(m->C, cur);
    mpc_pai_proof_take(m->z1, cur);
    mpc_pai_proof_take(m->z3, cur);
    for (unsigned i = 0; i < q->keys; i++) {
        mpc_pai_proof_take(m->A[i], cur);
        mpc_pai_proof_take(m->z2[i], cur);
    }
    well = !cur->bad && cur->left == 0 && mpz_cmp(m->S, pp->n) < 0 && mpz_cmp(m->C, pp->n) < 0 &&
           mpz_sizeinbase(m->z1, 2) <= q->shift + 1 + MASK &&
           mpz_sizeinbase(m->z3, 2) <= q->shift + 1 + MASK + HIDE + hat + 1;
    for (unsigned i = 0; well && i < q->keys; i++) {
        mpz_t g;
        mpz_init(g);
        mpz_gcd(g, m->z2[i], *q->n[i]);
        well = mpz_cmp_ui(g, 1) == 0 && mpz_cmp(m->z2[i], *q->n[i]) < 0 &&
               mpz_cmp(m->A[i], q->n2[i]) < 0;
        mpz_clear(g);
    }
    return well;
}

/* s^z1 t^z3 = C S^e, and (1 + n)^z1 z2^n = A c^e for each key. */
static int equations_hold(const struct mpc_pai_range_message *m,
                          const struct mpc_pai_range_claim *q, const struct mpc_pai_pedersen *pp,
                          const mpz_t e)
{
    mpz_t left, right;
    int hold;

    mpz_inits(left, right, NULL);
    mpz_powm(left, pp->s, m->z1, pp->n);
    mpz_powm(right, pp->t, m->z3, pp->n);
    mpz_mul(left, left, right);
    mpz_mod(left, left, pp->n);
    mpz_powm(right, m->S, e, pp->n);
    mpz_mul(right, right, m->C);
    mpz_mod(right, right, pp->n);
    hold = mpz_cmp(left, right) == 0;
    for (unsigned i = 0; i < q->keys; i++) {
        encrypt(left, m->z1, m->z2[i], *q->n[i], q->n2[i]);
        mpz_powm(right, q->c[i], e, q->n2[i]);
        mpz_mul(right, right, m->A[i]);
        mpz_mod(right, right, q->n2[i]);
        hold = hold && mpz_cmp(left, right) == 0;
    }
    mpz_clears(left, right, NULL);
    return hold;
}

fm_status mpc_pai_range_verify(const struct mpc_pai_statement *what,
                               const struct mpc_pai_pedersen *pp, const void *proof, size_t len,
                               const struct mpc_pai_bond *bond, struct base_err *err)
{
    struct base_cur cur = base_cur_make(proof, len);
    struct mpc_pai_range_message m;
    struct mpc_pai_range_claim q;
    mpz_t e;
    fm_status st;

    mpc_pai_range_message_init(&m);
    mpz_init(e);
    st = mpc_pai_range_claim_init(&q, what, err);
    if (st == FM_OK && !mpc_pai_range_well_formed(&m, &q, pp, &cur))
        st = mpc_pai_proof_bad(err, bond, q.keys == 1 ? "range" : "equality");
    if (st == FM_OK) {
        mpc_pai_range_challenge(e, &q, pp, &m, bond);
        if (!equations_hold(&m, &q, pp, e))
            st = mpc_pai_proof_bad(err, bond, q.keys == 1 ? "range" : "equality");
    }
    mpc_pai_range_claim_release(&q);
    mpz_clear(e);
    mpc_pai_range_message_release(&m);
    return st;
}
