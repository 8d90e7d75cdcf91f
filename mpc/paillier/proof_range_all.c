/* The prover of range proofs of a vector. */
#include <assert.h>
#include <string.h>

#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/proof_batch.h"

/* The prover's secrets: alpha behind lifted, gamma behind mu, as one vector each; units of k limbs.
 */
struct secrets {
    uint64_t *lifted, *alpha, *mu, *gamma, *unit;
    size_t words;
    uint64_t *all;
};

static fm_status secrets_init(struct secrets *x, const struct mpc_pai_batch *b,
                              const struct mpc_pai_plain *m, const unsigned *value_bits,
                              const struct base_random *random, struct base_err *err)
{
    size_t hidden = MPC_PAI_PROOF_HIDE + mpz_sizeinbase(b->pp->n, 2); /* proof_range.c, masks */
    size_t s_all = b->n * b->sw, t_all = b->n * b->tw;
    fm_status st = FM_OK;

    x->words = 2 * s_all + 2 * t_all + b->n * b->k;
    x->all = mpc_pai_words_new(x->words);
    if (x->all == NULL)
        return base_err_memory(err, "paillier: proofs");
    x->lifted = x->all, x->alpha = x->lifted + s_all, x->mu = x->alpha + s_all;
    x->gamma = x->mu + t_all, x->unit = x->gamma + t_all;
    for (size_t i = 0; st == FM_OK && i < b->n; i++) {
        size_t l = value_bits[i] + 1;
        const struct mpc_pai_ring *n2 = b->c->key->n2;
        uint64_t *lifted = x->lifted + b->sw * i, beyond = 0;
        for (size_t bit = value_bits[i]; bit < 64 * m->k; bit++)
            beyond |= m->w[m->k * i + bit / 64] >> (bit % 64) & 1;
        if (beyond != 0)
            return base_err_set(err, FM_E_LIMIT, "paillier: plaintext %zu has more than %u bits", i,
                                value_bits[i]);
        memcpy(lifted, m->w + m->k * i, (b->sw < m->k ? b->sw : m->k) * sizeof *lifted);
        lifted[value_bits[i] / 64] |= (uint64_t)1 << (value_bits[i] % 64);
        st = mpc_pai_limbs_random_bits(x->alpha + b->sw * i, l + MPC_PAI_RANGE_MASK, random, err);
        if (st == FM_OK)
            st = mpc_pai_limbs_random_bits(x->mu + b->tw * i, l + hidden, random, err);
        if (st == FM_OK)
            st = mpc_pai_limbs_random_bits(x->gamma + b->tw * i, l + MPC_PAI_RANGE_MASK + hidden,
                                           random, err);
        if (st == FM_OK)
            st =
                mpc_pai_limbs_random_below(x->unit + b->k * i, n2->m, b->c->key->bits, random, err);
    }
    return st;
}

/* S, C, A of all messages. */
static fm_status first_half(struct mpc_pai_batch *b, const struct secrets *x, struct base_err *err)
{
    size_t hat = b->ring->k, words = b->n * (2 * hat + 2 * b->k);
    uint64_t *S = mpc_pai_words_new(words), *C = S + b->n * hat, *A = C + b->n * hat;
    struct mpc_pai_vec z, a = {0};
    fm_status st = mpc_pai_vec_init(&z, b->ring, 2 * b->n, err);

    if (st == FM_OK)
        st = mpc_pai_vec_init(&a, b->c->key->n2, b->n, err);
    if (st == FM_OK && S == NULL)
        st = base_err_memory(err, "paillier: proofs");
    if (st == FM_OK)
        st = mpc_pai_batch_commit(&z, b, x->lifted, x->mu, err);
    if (st == FM_OK)
        st = mpc_pai_batch_low(S, &z, err); /* and C */
    if (st == FM_OK)
        st = mpc_pai_batch_encrypt(&a, b->c->key, x->alpha, b->sw, x->unit, err);
    if (st == FM_OK)
        st = mpc_pai_vec_store_whole(A, &a, err);
    for (size_t i = 0; st == FM_OK && i < b->n; i++) {
        mpc_pai_mpz_from_limbs(b->message[i].S, S + hat * i, hat);
        mpc_pai_mpz_from_limbs(b->message[i].C, C + hat * i, hat);
        mpc_pai_mpz_from_limbs(b->message[i].A[0], A + 2 * b->k * i, 2 * b->k);
    }
    mpc_pai_vec_release(&a);
    mpc_pai_vec_release(&z);
    mpc_pai_words_free(S, words);
    return st;
}

/* z = e a + mask. */
static void add_up(mpz_t z, const uint64_t *e, const uint64_t *a, const uint64_t *mask, size_t n)
{
    mpz_t v;

    mpz_init(v);
    mpc_pai_mpz_from_limbs(v, a, n);
    mpc_pai_mpz_from_limbs(z, e, MPC_PAI_CHALLENGE_LIMBS);
    mpz_mul(z, z, v);
    mpc_pai_mpz_from_limbs(v, mask, n);
    mpz_add(z, z, v);
    mpz_clear(v);
}

/* z1, z3, z2 = unit r^e mod n. */
static fm_status second_half(struct mpc_pai_batch *b, const struct secrets *x, const uint64_t *r,
                             struct base_err *err)
{
    const struct mpc_pai_ring *n2 = b->c->key->n2;
    uint64_t *z2 = mpc_pai_words_new(b->n * b->k);
    struct mpc_pai_vec z, t = {0};
    fm_status st = mpc_pai_vec_init(&z, n2, b->n, err);

    if (st == FM_OK)
        st = mpc_pai_vec_init(&t, n2, b->n, err);
    if (st == FM_OK && z2 == NULL)
        st = base_err_memory(err, "paillier: proofs");
    if (st == FM_OK)
        st = mpc_pai_vec_load(&z, r, b->k, err);
    if (st == FM_OK)
        st = mpc_pai_vec_pow_each(&z, &z, b->challenge, MPC_PAI_CHALLENGE_BITS, err);
    if (st == FM_OK)
        st = mpc_pai_vec_load(&t, x->unit, b->k, err);
    if (st == FM_OK)
        st = mpc_pai_vec_mul(&z, &z, &t, err);
    if (st == FM_OK)
        st = mpc_pai_batch_low(z2, &z, err);
    for (size_t i = 0; st == FM_OK && i < b->n; i++) {
        const uint64_t *e = b->challenge + MPC_PAI_CHALLENGE_LIMBS * i;
        size_t s = b->sw * i, t_at = b->tw * i;
        add_up(b->message[i].z1, e, x->lifted + s, x->alpha + s, b->sw);
        add_up(b->message[i].z3, e, x->mu + t_at, x->gamma + t_at, b->tw);
        mpc_pai_mpz_from_limbs(b->message[i].z2[0], z2 + b->k * i, b->k);
    }
    mpc_pai_vec_release(&t);
    mpc_pai_vec_release(&z);
    mpc_pai_words_free(z2, b->n * b->k);
    return st;
}

fm_status mpc_pai_range_prove_all(struct base_buf *out, const struct mpc_pai_cipher *c,
                                  const unsigned *value_bits, const struct mpc_pai_pedersen *pp,
                                  const struct mpc_pai_plain *m, const uint64_t *r,
                                  const struct mpc_pai_bond *bond, const struct base_random *random,
                                  struct base_err *err)
{
    struct secrets x = {0};
    struct base_buf one = {0};
    struct mpc_pai_batch b;
    fm_status st = mpc_pai_batch_init(&b, c, value_bits, pp, err);

    assert(m->n == c->v.n && m->key == c->key);
    if (st == FM_OK)
        st = secrets_init(&x, &b, m, value_bits, random, err);
    if (st == FM_OK)
        st = first_half(&b, &x, err);
    if (st == FM_OK) {
        mpc_pai_batch_challenges(&b, bond);
        st = second_half(&b, &x, r, err);
    }
    for (size_t i = 0; st == FM_OK && i < b.n; i++) {
        base_buf_clear(&one);
        mpc_pai_range_put(&one, &b.message[i], 1);
        base_buf_put_u16(out, (uint16_t)one.len);
        base_buf_put(out, one.p, one.len);
        st = base_buf_status(&one, "paillier: proofs", err);
    }
    base_buf_release(&one);
    mpc_pai_words_free(x.all, x.words);
    mpc_pai_batch_release(&b);
    return st == FM_OK ? base_buf_status(out, "paillier: proofs", err) : st;
}
