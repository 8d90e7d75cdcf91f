/* What the prover and the verifier of range proofs of a vector share. */
#include <stdlib.h>
#include <string.h>

#include "mpc/paillier/cipher_own.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/proof_batch.h"

enum { TABLES = 32 /* from so many proofs on, tables of the verifier's bases are worth making */ };

void mpc_pai_batch_release(struct mpc_pai_batch *b)
{
    for (size_t i = 0; b->claim != NULL && b->message != NULL && i < b->n; i++) {
        mpc_pai_range_claim_release(&b->claim[i]);
        mpc_pai_range_message_release(&b->message[i]);
    }
    free(b->claim);
    free(b->message);
    mpc_pai_table_free(b->s);
    mpc_pai_table_free(b->t);
    mpc_pai_ring_free(b->ring);
    mpc_pai_words_free(b->challenge, b->n * MPC_PAI_CHALLENGE_LIMBS);
}

static fm_status table_of(struct mpc_pai_table **table, const struct mpc_pai_ring *ring,
                          const mpz_t base, size_t bits, struct base_err *err)
{
    mp_limb_t limbs[2 * MPC_PAI_MAX_LIMBS];

    mpc_pai_limbs_from_mpz(limbs, 2 * ring->k, base);
    return mpc_pai_table_new(table, ring, limbs, bits, err);
}

fm_status mpc_pai_batch_init(struct mpc_pai_batch *b, const struct mpc_pai_cipher *c,
                             const unsigned *value_bits, const struct mpc_pai_pedersen *pp,
                             struct base_err *err)
{
    size_t n = c->v.n, bits = 0; /* of the longest value */
    fm_status st = FM_OK;

    *b = (struct mpc_pai_batch){.n = n, .k = c->v.ring->k, .c = c, .pp = pp};
    for (size_t i = 0; i < n; i++)
        bits = value_bits[i] > bits ? value_bits[i] : bits;
    if (bits + MPC_PAI_RANGE_MASK + 4 >= c->key->bits)
        return base_err_set(err, FM_E_LIMIT, "paillier: no proof of %zu bits under a key of %u",
                            bits, c->key->bits);
    b->s_bits = bits + 1 + MPC_PAI_RANGE_MASK; /* of z1, and of z3 */
    b->t_bits = b->s_bits + MPC_PAI_PROOF_HIDE + mpz_sizeinbase(pp->n, 2) + 1;
    b->sw = (b->s_bits + 63) / 64;
    b->tw = (b->t_bits + 63) / 64;
    b->claim = calloc(n, sizeof *b->claim);
    b->message = calloc(n, sizeof *b->message);
    b->challenge = mpc_pai_words_new(n * MPC_PAI_CHALLENGE_LIMBS);
    if (b->claim == NULL || b->message == NULL || b->challenge == NULL)
        return base_err_memory(err, "paillier: proofs");
    for (size_t i = 0; i < n; i++)
        mpc_pai_range_message_init(&b->message[i]);
    for (size_t i = 0; i < n; i++) { /* each is initialised, whatever it says */
        struct mpc_pai_statement what = {{c}, {i}, 1, value_bits[i]};
        fm_status one = mpc_pai_range_claim_init(&b->claim[i], &what, err);
        st = st == FM_OK ? one : st;
    }
    if (st == FM_OK)
        st = mpc_pai_ring_new(&b->ring, pp->n, NULL, err);
    if (st == FM_OK && n >= TABLES)
        st = table_of(&b->s, b->ring, pp->s, b->s_bits, err);
    if (st == FM_OK && n >= TABLES)
        st = table_of(&b->t, b->ring, pp->t, b->t_bits, err);
    return st;
}

/* z = base^e, by its table if there is one. */
static fm_status power(struct mpc_pai_vec *z, const struct mpc_pai_table *table, const mpz_t base,
                       const uint64_t *e, size_t bits, struct base_err *err)
{
    size_t k = z->ring->k;
    uint64_t *same;
    fm_status st;

    if (table != NULL)
        return mpc_pai_table_pow(table, z, e, err);
    same = mpc_pai_words_new(k * z->n);
    if (same == NULL)
        return base_err_memory(err, "paillier: proofs");
    for (size_t i = 0; i < z->n; i++)
        mpc_pai_limbs_from_mpz(same + k * i, k, base);
    st = mpc_pai_vec_load(z, same, k, err);
    if (st == FM_OK)
        st = mpc_pai_vec_pow_each(z, z, e, bits, err);
    mpc_pai_words_free(same, k * z->n);
    return st;
}

fm_status mpc_pai_batch_commit(struct mpc_pai_vec *z, const struct mpc_pai_batch *b,
                               const uint64_t *a, const uint64_t *e, struct base_err *err)
{
    struct mpc_pai_vec t;
    fm_status st = mpc_pai_vec_init(&t, b->ring, z->n, err);

    if (st == FM_OK)
        st = power(z, b->s, b->pp->s, a, b->s_bits, err);
    if (st == FM_OK)
        st = power(&t, b->t, b->pp->t, e, b->t_bits, err);
    if (st == FM_OK)
        st = mpc_pai_vec_mul(z, z, &t, err);
    mpc_pai_vec_release(&t);
    return st;
}

fm_status mpc_pai_batch_low(uint64_t *lo, const struct mpc_pai_vec *x, struct base_err *err)
{
    size_t words = x->n * x->ring->k;
    uint64_t *hi = mpc_pai_words_new(words);
    fm_status st =
        hi != NULL ? mpc_pai_vec_store(lo, hi, x, err) : base_err_memory(err, "paillier: proofs");

    mpc_pai_words_free(hi, words);
    return st;
}

fm_status mpc_pai_batch_encrypt(struct mpc_pai_vec *z, const struct mpc_pai_modulus *key,
                                const uint64_t *a, size_t stride, const uint64_t *r,
                                struct base_err *err)
{
    struct mpc_pai_plain m;
    struct mpc_pai_vec t = {0};
    fm_status st = mpc_pai_plain_init(&m, key, z->n, err);

    if (st == FM_OK)
        st = mpc_pai_vec_init(&t, key->n2, z->n, err);
    for (size_t i = 0; st == FM_OK && i < z->n; i++)
        memcpy(m.w + m.k * i, a + stride * i, (stride < m.k ? stride : m.k) * sizeof *a);
    if (st == FM_OK)
        st = mpc_pai_vec_load(z, r, m.k, err);
    if (st == FM_OK)
        st = mpc_pai_vec_pow_public(z, z, key->n2->m, key->bits, err);
    if (st == FM_OK)
        st = mpc_pai_embed(&t, &m, err);
    if (st == FM_OK)
        st = mpc_pai_vec_mul(z, z, &t, err);
    mpc_pai_vec_release(&t);
    mpc_pai_plain_release(&m);
    return st;
}

void mpc_pai_batch_challenges(struct mpc_pai_batch *b, const struct mpc_pai_bond *bond)
{
    mpz_t e;

    mpz_init(e);
    for (size_t i = 0; i < b->n; i++) {
        mpc_pai_range_challenge(e, &b->claim[i], b->pp, &b->message[i], bond);
        mpc_pai_limbs_from_mpz(b->challenge + MPC_PAI_CHALLENGE_LIMBS * i, MPC_PAI_CHALLENGE_LIMBS,
                               e);
    }
    mpz_clear(e);
}
