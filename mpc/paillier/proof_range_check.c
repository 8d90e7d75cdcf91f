/* The verifier of range proofs of a vector. */
#include <string.h>

#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/proof_batch.h"

/* One of the messages' numbers, of all proofs, as limbs: the one at that offset. */
static void numbers(uint64_t *to, size_t limbs, const struct mpc_pai_batch *b, size_t offset)
{
    for (size_t i = 0; i < b->n; i++) {
        const void *v = (const char *)&b->message[i] + offset;
        mpc_pai_limbs_from_mpz(to + limbs * i, limbs, *(const mpz_t *)v);
    }
}

/* Reads all; wrong: the first that is not well formed. */
static fm_status take_all(struct mpc_pai_batch *b, size_t *wrong, const void *bytes, size_t len,
                          const struct mpc_pai_bond *bond, struct base_err *err)
{
    struct base_cur cur = base_cur_make(bytes, len);

    for (size_t i = 0; i < b->n; i++) {
        size_t size = base_cur_u16(&cur);
        const uint8_t *proof = base_cur_take(&cur, size);
        struct base_cur one = base_cur_make(proof, proof != NULL ? size : 0);
        *wrong = i;
        if (proof == NULL || !mpc_pai_range_well_formed(&b->message[i], &b->claim[i], b->pp, &one))
            return mpc_pai_proof_bad(err, bond, "range");
    }
    *wrong = b->n;
    return cur.left == 0 ? FM_OK : mpc_pai_proof_bad(err, bond, "range");
}

/* s^z1 t^z3 = C S^e mod N: both sides to left and right, k limbs of N each. */
static fm_status commitments(uint64_t *left, uint64_t *right, const struct mpc_pai_batch *b,
                             struct base_err *err)
{
    size_t hat = b->ring->k, words = b->n * (b->sw + b->tw + hat);
    uint64_t *z1 = mpc_pai_words_new(words), *z3 = z1 + b->n * b->sw, *v = z3 + b->n * b->tw;
    struct mpc_pai_vec x, y = {0};
    fm_status st = mpc_pai_vec_init(&x, b->ring, b->n, err);

    if (st == FM_OK)
        st = mpc_pai_vec_init(&y, b->ring, b->n, err);
    if (st == FM_OK && z1 == NULL)
        st = base_err_memory(err, "paillier: proofs");
    if (st == FM_OK) {
        numbers(z1, b->sw, b, offsetof(struct mpc_pai_range_message, z1));
        numbers(z3, b->tw, b, offsetof(struct mpc_pai_range_message, z3));
        st = mpc_pai_batch_commit(&x, b, z1, z3, err);
    }
    if (st == FM_OK)
        st = mpc_pai_batch_low(left, &x, err);
    if (st == FM_OK) {
        numbers(v, hat, b, offsetof(struct mpc_pai_range_message, S));
        st = mpc_pai_vec_load(&x, v, hat, err);
    }
    if (st == FM_OK)
        st = mpc_pai_vec_pow_each(&x, &x, b->challenge, MPC_PAI_CHALLENGE_BITS, err);
    if (st == FM_OK) {
        numbers(v, hat, b, offsetof(struct mpc_pai_range_message, C));
        st = mpc_pai_vec_load(&y, v, hat, err);
    }
    if (st == FM_OK)
        st = mpc_pai_vec_mul(&x, &x, &y, err);
    if (st == FM_OK)
        st = mpc_pai_batch_low(right, &x, err);
    mpc_pai_vec_release(&y);
    mpc_pai_vec_release(&x);
    mpc_pai_words_free(z1, words);
    return st;
}

/* (1 + n)^z1 z2^n = A c^e mod n^2, likewise; 2 k limbs each. */
static fm_status ciphertexts(uint64_t *left, uint64_t *right, const struct mpc_pai_batch *b,
                             struct base_err *err)
{
    const struct mpc_pai_ring *n2 = b->c->key->n2;
    size_t k = b->k, words = b->n * 2 * k;
    uint64_t *v = mpc_pai_words_new(words), *z2 = mpc_pai_words_new(b->n * k);
    struct mpc_pai_vec x, y = {0};
    fm_status st = mpc_pai_vec_init(&x, n2, b->n, err);

    if (st == FM_OK)
        st = mpc_pai_vec_init(&y, n2, b->n, err);
    if (st == FM_OK && (v == NULL || z2 == NULL))
        st = base_err_memory(err, "paillier: proofs");
    if (st == FM_OK) {
        numbers(v, 2 * k, b, offsetof(struct mpc_pai_range_message, z1));
        numbers(z2, k, b, offsetof(struct mpc_pai_range_message, z2[0]));
        st = mpc_pai_batch_encrypt(&x, b->c->key, v, 2 * k, z2, err);
    }
    if (st == FM_OK)
        st = mpc_pai_vec_store_whole(left, &x, err);
    if (st == FM_OK) {
        for (size_t i = 0; i < b->n; i++)
            mpc_pai_limbs_from_mpz(v + 2 * k * i, 2 * k, b->claim[i].c[0]);
        st = mpc_pai_vec_load(&x, v, 2 * k, err);
    }
    if (st == FM_OK)
        st = mpc_pai_vec_pow_each(&x, &x, b->challenge, MPC_PAI_CHALLENGE_BITS, err);
    if (st == FM_OK) {
        numbers(v, 2 * k, b, offsetof(struct mpc_pai_range_message, A[0]));
        st = mpc_pai_vec_load(&y, v, 2 * k, err);
    }
    if (st == FM_OK)
        st = mpc_pai_vec_mul(&x, &x, &y, err);
    if (st == FM_OK)
        st = mpc_pai_vec_store_whole(right, &x, err);
    mpc_pai_vec_release(&y);
    mpc_pai_vec_release(&x);
    mpc_pai_words_free(v, words);
    mpc_pai_words_free(z2, b->n * k);
    return st;
}

/* The first of n numbers of `limbs` limbs in which left and right differ; n: none. */
static size_t first_difference(const uint64_t *left, const uint64_t *right, size_t limbs, size_t n)
{
    size_t i = 0;

    while (i < n && memcmp(left + limbs * i, right + limbs * i, limbs * sizeof *left) == 0)
        i++;
    return i;
}

fm_status mpc_pai_range_verify_all(size_t *wrong, const struct mpc_pai_cipher *c,
                                   const unsigned *value_bits, const struct mpc_pai_pedersen *pp,
                                   const void *proofs, size_t len, const struct mpc_pai_bond *bond,
                                   struct base_err *err)
{
    struct mpc_pai_batch b;
    fm_status st = mpc_pai_batch_init(&b, c, value_bits, pp, err);
    size_t hat = st == FM_OK ? b.ring->k : 0, limbs = hat > 2 * b.k ? hat : 2 * b.k, at;
    size_t words = 2 * b.n * limbs;
    uint64_t *left = mpc_pai_words_new(words), *right = left + b.n * limbs;

    *wrong = b.n;
    if (st == FM_OK && left == NULL)
        st = base_err_memory(err, "paillier: proofs");
    if (st == FM_OK)
        st = take_all(&b, wrong, proofs, len, bond, err);
    if (st == FM_OK) {
        mpc_pai_batch_challenges(&b, bond);
        st = commitments(left, right, &b, err);
    }
    if (st == FM_OK) {
        *wrong = first_difference(left, right, hat, b.n);
        st = ciphertexts(left, right, &b, err);
    }
    if (st == FM_OK) {
        at = first_difference(left, right, 2 * b.k, b.n);
        *wrong = at < *wrong ? at : *wrong;
        if (*wrong < b.n)
            st = mpc_pai_proof_bad(err, bond, "range");
    }
    mpc_pai_words_free(left, words);
    mpc_pai_batch_release(&b);
    return st;
}
