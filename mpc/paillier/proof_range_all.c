/* Range proofs of a whole vector: the same proofs as proof_range.c makes and reads, one a lane. The
 * verifier's bases get tables; rings compute mod N^2 and n^2, and what is wanted mod N and n is the
 * low digit. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/paillier/cipher_own.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/proof_own.h"

enum { CHALLENGE_LIMBS = MPC_PAI_CHALLENGE_BITS / 64 };

/* n proofs under way; numbers of `wide` limbs for exponents of the verifier's bases. */
struct batch {
    size_t n, k, wide;
    const struct mpc_pai_cipher *c;
    const struct mpc_pai_pedersen *pp;
    struct mpc_pai_range_claim *claim;
    struct mpc_pai_range_message *message;
    struct mpc_pai_ring *ring; /* of the verifier's modulus */
    struct mpc_pai_table *s, *t;
    uint64_t *challenge; /* n of CHALLENGE_LIMBS */
};

static void batch_release(struct batch *b)
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
    mpc_pai_words_free(b->challenge, b->n * CHALLENGE_LIMBS);
}

static fm_status table_of(struct mpc_pai_table **table, const struct mpc_pai_ring *ring,
                          const mpz_t base, size_t bits, struct base_err *err)
{
    mp_limb_t limbs[2 * MPC_PAI_MAX_LIMBS];

    mpc_pai_limbs_from_mpz(limbs, 2 * ring->k, base);
    return mpc_pai_table_new(table, ring, limbs, bits, err);
}

static fm_status batch_init(struct batch *b, const struct mpc_pai_cipher *c,
                            const unsigned *value_bits, const struct mpc_pai_pedersen *pp,
                            struct base_err *err)
{
    size_t n = c->v.n, bits = 0;
    fm_status st = FM_OK;

    *b = (struct batch){.n = n, .k = c->v.ring->k, .c = c, .pp = pp};
    for (size_t i = 0; i < n; i++)
        bits = value_bits[i] > bits ? value_bits[i] : bits;
    if (bits + MPC_PAI_RANGE_MASK + 4 >= c->key->bits)
        return base_err_set(err, FM_E_LIMIT, "paillier: no proof of %zu bits under a key of %u",
                            bits, c->key->bits);
    bits += 1 + MPC_PAI_RANGE_MASK + mpz_sizeinbase(pp->n, 2) + 1; /* of z3 */
    b->wide = (bits + 63) / 64;
    b->claim = calloc(n, sizeof *b->claim);
    b->message = calloc(n, sizeof *b->message);
    b->challenge = mpc_pai_words_new(n * CHALLENGE_LIMBS);
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
    if (st == FM_OK)
        st = table_of(&b->s, b->ring, pp->s, bits, err);
    if (st == FM_OK)
        st = table_of(&b->t, b->ring, pp->t, bits, err);
    return st;
}

/* z = s^a t^b mod N^2. */
static fm_status commit(struct mpc_pai_vec *z, const struct batch *b, const uint64_t *a,
                        const uint64_t *e, struct base_err *err)
{
    struct mpc_pai_vec t;
    fm_status st = mpc_pai_vec_init(&t, b->ring, b->n, err);

    if (st == FM_OK)
        st = mpc_pai_table_pow(b->s, z, a, err);
    if (st == FM_OK)
        st = mpc_pai_table_pow(b->t, &t, e, err);
    if (st == FM_OK)
        st = mpc_pai_vec_mul(z, z, &t, err);
    mpc_pai_vec_release(&t);
    return st;
}

/* lo: n numbers of the ring's k limbs, x mod m. */
static fm_status low(uint64_t *lo, const struct mpc_pai_vec *x, struct base_err *err)
{
    size_t words = x->n * x->ring->k;
    uint64_t *hi = mpc_pai_words_new(words);
    fm_status st =
        hi != NULL ? mpc_pai_vec_store(lo, hi, x, err) : base_err_memory(err, "paillier: proofs");

    mpc_pai_words_free(hi, words);
    return st;
}

/* One of the messages' numbers, of all proofs, as limbs: the one at that offset. */
static void numbers(uint64_t *to, size_t limbs, const struct batch *b, size_t offset)
{
    for (size_t i = 0; i < b->n; i++) {
        const void *v = (const char *)&b->message[i] + offset;
        mpc_pai_limbs_from_mpz(to + limbs * i, limbs, *(const mpz_t *)v);
    }
}

/* ---- the prover ---- */

/* The prover's secrets, `wide` limbs each, and units and A's masks of k limbs. */
struct secrets {
    uint64_t *lifted, *alpha, *mu, *gamma, *unit;
    size_t words;
    uint64_t *all;
};

static fm_status secrets_init(struct secrets *x, const struct batch *b,
                              const struct mpc_pai_plain *m, const unsigned *value_bits,
                              const struct base_random *random, struct base_err *err)
{
    size_t hat = mpz_sizeinbase(b->pp->n, 2), each = b->n * b->wide;
    fm_status st = FM_OK;

    x->words = 4 * each + b->n * b->k;
    x->all = mpc_pai_words_new(x->words);
    if (x->all == NULL)
        return base_err_memory(err, "paillier: proofs");
    x->lifted = x->all, x->alpha = x->lifted + each, x->mu = x->alpha + each;
    x->gamma = x->mu + each, x->unit = x->gamma + each;
    for (size_t i = 0; st == FM_OK && i < b->n; i++) {
        size_t l = value_bits[i] + 1, at = b->wide * i;
        const struct mpc_pai_ring *n2 = b->c->key->n2;
        uint64_t beyond = 0;
        memcpy(x->lifted + at, m->w + m->k * i, m->k * sizeof *m->w);
        for (size_t bit = value_bits[i]; bit < 64 * m->k; bit++)
            beyond |= x->lifted[at + bit / 64] >> (bit % 64) & 1;
        if (beyond != 0)
            return base_err_set(err, FM_E_LIMIT, "paillier: plaintext %zu has more than %u bits", i,
                                value_bits[i]);
        x->lifted[at + value_bits[i] / 64] |= (uint64_t)1 << (value_bits[i] % 64);
        st = mpc_pai_limbs_random_bits(x->alpha + at, l + MPC_PAI_RANGE_MASK, random, err);
        if (st == FM_OK)
            st = mpc_pai_limbs_random_bits(x->mu + at, l + hat, random, err);
        if (st == FM_OK)
            st =
                mpc_pai_limbs_random_bits(x->gamma + at, l + MPC_PAI_RANGE_MASK + hat, random, err);
        if (st == FM_OK)
            st =
                mpc_pai_limbs_random_below(x->unit + b->k * i, n2->m, b->c->key->bits, random, err);
    }
    return st;
}

/* z = (1 + a n) r^n mod n^2; a: of `stride` limbs each, below n. */
static fm_status encrypt(struct mpc_pai_vec *z, const struct batch *b, const uint64_t *a,
                         size_t stride, const uint64_t *r, struct base_err *err)
{
    const struct mpc_pai_modulus *key = b->c->key;
    struct mpc_pai_plain m;
    struct mpc_pai_vec t = {0};
    fm_status st = mpc_pai_plain_init(&m, key, b->n, err);

    if (st == FM_OK)
        st = mpc_pai_vec_init(&t, key->n2, b->n, err);
    for (size_t i = 0; st == FM_OK && i < b->n; i++)
        memcpy(m.w + m.k * i, a + stride * i, (stride < m.k ? stride : m.k) * sizeof *a);
    if (st == FM_OK)
        st = mpc_pai_vec_load(z, r, b->k, err);
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

/* S, C, A of all messages. */
static fm_status first_half(struct batch *b, const struct secrets *x, struct base_err *err)
{
    size_t hat = b->ring->k, words = b->n * (2 * hat + 2 * b->k);
    uint64_t *S = mpc_pai_words_new(words), *C = S + b->n * hat, *A = C + b->n * hat;
    struct mpc_pai_vec z, a = {0};
    fm_status st = mpc_pai_vec_init(&z, b->ring, b->n, err);

    if (st == FM_OK)
        st = mpc_pai_vec_init(&a, b->c->key->n2, b->n, err);
    if (st == FM_OK && S == NULL)
        st = base_err_memory(err, "paillier: proofs");
    if (st == FM_OK)
        st = commit(&z, b, x->lifted, x->mu, err);
    if (st == FM_OK)
        st = low(S, &z, err);
    if (st == FM_OK)
        st = commit(&z, b, x->alpha, x->gamma, err);
    if (st == FM_OK)
        st = low(C, &z, err);
    if (st == FM_OK)
        st = encrypt(&a, b, x->alpha, b->wide, x->unit, err);
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

static void challenges(struct batch *b, const struct mpc_pai_bond *bond)
{
    mpz_t e;

    mpz_init(e);
    for (size_t i = 0; i < b->n; i++) {
        mpc_pai_range_challenge(e, &b->claim[i], b->pp, &b->message[i], bond);
        mpc_pai_limbs_from_mpz(b->challenge + CHALLENGE_LIMBS * i, CHALLENGE_LIMBS, e);
    }
    mpz_clear(e);
}

/* z = e a + mask. */
static void add_up(mpz_t z, const uint64_t *e, const uint64_t *a, const uint64_t *mask, size_t n)
{
    mpz_t v;

    mpz_init(v);
    mpc_pai_mpz_from_limbs(v, a, n);
    mpc_pai_mpz_from_limbs(z, e, CHALLENGE_LIMBS);
    mpz_mul(z, z, v);
    mpc_pai_mpz_from_limbs(v, mask, n);
    mpz_add(z, z, v);
    mpz_clear(v);
}

/* z1, z3, z2 = unit r^e mod n. */
static fm_status second_half(struct batch *b, const struct secrets *x, const uint64_t *r,
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
        st = low(z2, &z, err);
    for (size_t i = 0; st == FM_OK && i < b->n; i++) {
        const uint64_t *e = b->challenge + CHALLENGE_LIMBS * i;
        size_t at = b->wide * i;
        add_up(b->message[i].z1, e, x->lifted + at, x->alpha + at, b->wide);
        add_up(b->message[i].z3, e, x->mu + at, x->gamma + at, b->wide);
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
    struct batch b;
    fm_status st = batch_init(&b, c, value_bits, pp, err);

    assert(m->n == c->v.n && m->key == c->key);
    if (st == FM_OK)
        st = secrets_init(&x, &b, m, value_bits, random, err);
    if (st == FM_OK)
        st = first_half(&b, &x, err);
    if (st == FM_OK) {
        challenges(&b, bond);
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
    batch_release(&b);
    return st == FM_OK ? base_buf_status(out, "paillier: proofs", err) : st;
}

/* ---- the verifier ---- */

/* Reads all; wrong: the first that is not well formed. */
static fm_status take_all(struct batch *b, size_t *wrong, const void *bytes, size_t len,
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
static fm_status commitments(uint64_t *left, uint64_t *right, const struct batch *b,
                             struct base_err *err)
{
    size_t hat = b->ring->k, words = b->n * (2 * b->wide + hat);
    uint64_t *z1 = mpc_pai_words_new(words), *z3 = z1 + b->n * b->wide, *v = z3 + b->n * b->wide;
    struct mpc_pai_vec x, y = {0};
    fm_status st = mpc_pai_vec_init(&x, b->ring, b->n, err);

    if (st == FM_OK)
        st = mpc_pai_vec_init(&y, b->ring, b->n, err);
    if (st == FM_OK && z1 == NULL)
        st = base_err_memory(err, "paillier: proofs");
    if (st == FM_OK) {
        numbers(z1, b->wide, b, offsetof(struct mpc_pai_range_message, z1));
        numbers(z3, b->wide, b, offsetof(struct mpc_pai_range_message, z3));
        st = commit(&x, b, z1, z3, err);
    }
    if (st == FM_OK)
        st = low(left, &x, err);
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
        st = low(right, &x, err);
    mpc_pai_vec_release(&y);
    mpc_pai_vec_release(&x);
    mpc_pai_words_free(z1, words);
    return st;
}

/* (1 + n)^z1 z2^n = A c^e mod n^2, likewise; 2 k limbs each. */
static fm_status ciphertexts(uint64_t *left, uint64_t *right, const struct batch *b,
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
        st = encrypt(&x, b, v, 2 * k, z2, err);
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
    struct batch b;
    fm_status st = batch_init(&b, c, value_bits, pp, err);
    size_t hat = st == FM_OK ? b.ring->k : 0, limbs = hat > 2 * b.k ? hat : 2 * b.k, at;
    size_t words = 2 * b.n * limbs;
    uint64_t *left = mpc_pai_words_new(words), *right = left + b.n * limbs;

    *wrong = b.n;
    if (st == FM_OK && left == NULL)
        st = base_err_memory(err, "paillier: proofs");
    if (st == FM_OK)
        st = take_all(&b, wrong, proofs, len, bond, err);
    if (st == FM_OK) {
        challenges(&b, bond);
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
    batch_release(&b);
    return st;
}
