/* Slots: the verifier. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/proof_batch.h"
#include "mpc/paillier/proof_slots_own.h"

bool mpc_pai_slots_well(const struct mpc_pai_slot_claim *claim, unsigned key_bits)
{
    static const uint64_t limit = (uint64_t)1 << 63;
    unsigned from = 0;

    for (size_t j = 0; j < claim->count; j++) {
        const struct mpc_pai_slot *s = &claim->slots[j];
        if (s->span >= limit || s->least >= limit - s->span)
            return false;
        if (s->at < from || s->at >= key_bits)
            return false;
        from = s->at;
        for (uint64_t most = s->least + s->span; most != 0; most >>= 1)
            from++;
    }
    return from < key_bits;
}

/* One proof as it came, and its challenges. */
struct one {
    struct slots_statement s;
    size_t count;
    struct slots_bit *bits;
    struct slots_point points[SLOTS_POINTS];
    uint64_t open1[SLOTS_SCALAR], open2[SLOTS_SCALAR]; /* e rho + rho', e tau + tau' */
    uint64_t *z;
    uint64_t y[SLOTS_SCALAR], e[SLOTS_SCALAR];
};

struct verifier {
    const struct mpc_pai_cipher *c;
    const struct mpc_pai_generators *g;
    const struct base_random *random;
    struct one *one;
    size_t n, k, most; /* most: bits of a ciphertext */
    struct slots_bit *list;
    uint64_t *words; /* everything below */
    size_t word_count;
    uint64_t *z, *own, *u, *v, *x, *e, *left, *right;
};

static fm_status verifier_init(struct verifier *w, const struct mpc_pai_slot_claim *claims,
                               const struct mpc_pai_bond *bond, struct base_err *err)
{
    size_t bits = 0, at = 0;

    w->n = w->c->v.n, w->k = w->c->key->n2->k;
    for (size_t i = 0; i < w->n; i++)
        bits += mpc_pai_slot_bits(&claims[i]);
    w->one = calloc(w->n, sizeof *w->one);
    w->list = calloc(bits + 1, sizeof *w->list);
    w->word_count = SLOTS_SCALAR * bits + w->n * (10 * w->k + 2) + 1;
    w->words = mpc_pai_words_new(w->word_count);
    if (w->one == NULL || w->list == NULL || w->words == NULL)
        return base_err_memory(err, "paillier: proofs");
    w->z = w->words, w->own = w->z + SLOTS_SCALAR * bits, w->u = w->own + 2 * w->k * w->n;
    w->v = w->u + 2 * w->k * w->n, w->x = w->v + w->k * w->n, w->e = w->x + w->k * w->n;
    w->left = w->e + 2 * w->n, w->right = w->left + 2 * w->k * w->n;
    for (size_t i = 0; i < w->n; i++) {
        struct one *o = &w->one[i];
        assert(mpc_pai_slots_well(&claims[i], w->c->key->bits));
        o->s = (struct slots_statement){w->c->key, &claims[i], bond, w->own + 2 * w->k * i};
        o->count = mpc_pai_slot_bits(&claims[i]);
        o->bits = w->list + at, o->z = w->z + SLOTS_SCALAR * at;
        mpc_pai_slots_list(o->bits, &claims[i]);
        at += o->count;
        w->most = o->count > w->most ? o->count : w->most;
    }
    assert(w->most <= w->g->count);
    return mpc_pai_vec_store_whole(w->own, &w->c->v, err);
}

static void verifier_release(struct verifier *w)
{
    for (size_t i = 0; w->one != NULL && i < w->n; i++)
        for (size_t p = 0; p < SLOTS_POINTS; p++)
            mpc_pai_point_release(&w->one[i].points[p]);
    free(w->one);
    free(w->list);
    mpc_pai_words_free(w->words, w->words != NULL ? w->word_count : 0);
}

/* ---- bytes ---- */

/* A number of `limbs` limbs, less than bound if there is one. */
static bool take(uint64_t *x, struct base_cur *cur, size_t limbs, size_t len, const uint64_t *bound)
{
    const uint8_t *bytes = base_cur_take(cur, len);

    if (bytes == NULL)
        return false;
    mpc_pai_limbs_load(x, limbs, bytes, len);
    return bound == NULL || mpc_pai_limbs_less(x, bound, limbs) != 0;
}

static bool is_unit(const uint64_t *v, const struct mpc_pai_modulus *n)
{
    mpz_t x;
    bool unit;

    mpz_init(x);
    mpc_pai_mpz_from_limbs(x, v, n->n2->k);
    mpz_gcd(x, x, n->n);
    unit = mpz_cmp_ui(x, 1) == 0;
    mpz_clear(x);
    return unit;
}

/* Reads one proof, and draws its challenges. */
static bool take_one(struct verifier *w, size_t i, struct base_cur *cur, fm_status *st,
                     struct base_err *err)
{
    struct one *o = &w->one[i];
    const struct mpc_pai_ring *n2 = w->c->key->n2;
    const uint8_t *points = base_cur_take(cur, SLOTS_POINTS * SLOTS_POINT);
    uint64_t *u = w->u + 2 * w->k * i, *v = w->v + w->k * i;
    size_t bytes = w->c->key->bits / 8;
    uint8_t seed[32];
    bool well = points != NULL;

    for (size_t p = 0; well && p < SLOTS_POINTS; p++)
        well = mpc_pai_point_read(&o->points[p], w->g, points + SLOTS_POINT * p);
    well = well && take(u, cur, 2 * w->k, 2 * bytes, n2->m2) && take(v, cur, w->k, bytes, n2->m) &&
           is_unit(v, w->c->key) && take(o->open1, cur, SLOTS_SCALAR, 32, mpc_pai_slots_order()) &&
           take(o->open2, cur, SLOTS_SCALAR, 32, mpc_pai_slots_order());
    for (size_t b = 0; well && b < o->count; b++)
        well = take(o->z + SLOTS_SCALAR * b, cur, SLOTS_SCALAR, SLOTS_ANSWER, NULL);
    if (!well)
        return false;
    *st = mpc_pai_slots_challenge_y(o->y, seed, &o->s, points, err);
    mpc_pai_slots_challenge_e(o->e, &o->s, seed, points + 2 * SLOTS_POINT, u);
    memcpy(w->e + 2 * i, o->e, 2 * sizeof *o->e);
    return true;
}

static fm_status take_all(struct verifier *w, size_t *wrong, const void *proof, size_t len,
                          const struct mpc_pai_bond *bond, struct base_err *err)
{
    struct base_cur cur = base_cur_make(proof, len);
    fm_status st = FM_OK;

    *wrong = 0;
    mpc_pai_proof_get_head(&cur, MPC_PAI_PROOF_SLOTS);
    for (size_t i = 0; st == FM_OK && i < w->n; i++) {
        *wrong = i;
        if (cur.bad || !take_one(w, i, &cur, &st, err))
            return mpc_pai_proof_bad(err, bond, "slots");
    }
    *wrong = w->n;
    if (st == FM_OK && cur.left != 0)
        st = mpc_pai_proof_bad(err, bond, "slots");
    return st;
}

/* ---- points ---- */

static fm_status draw(uint64_t *weight, const struct verifier *w, struct base_err *err)
{
    memset(weight, 0, SLOTS_SCALAR * sizeof *weight);
    return mpc_pai_limbs_random_bits(weight, 128, w->random, err);
}

/* Adds one proof's two equations, each times a weight, to the sum; y: of its points. */
static fm_status weigh(struct slots_combination *sum, uint64_t *x, uint64_t *y,
                       const struct verifier *w, const struct one *o, struct base_err *err)
{
    uint64_t first[SLOTS_SCALAR], second[SLOTS_SCALAR], power[SLOTS_SCALAR];
    uint64_t lift[SLOTS_SCALAR] = {[SLOTS_LIFT_LIMB] = (uint64_t)1 << 32}, t[SLOTS_SCALAR];
    fm_status st = draw(first, w, err);

    if (st == FM_OK)
        st = draw(second, w, err);
    if (st == FM_OK)
        st = mpc_pai_scalar_mul(lift, lift, o->e, err);
    memcpy(power, o->y, sizeof power);
    for (size_t i = 0; st == FM_OK && i < o->count; i++) {
        const uint64_t *z = o->z + SLOTS_SCALAR * i;
        uint64_t less[SLOTS_SCALAR];
        mpc_pai_scalar_add(t, z, lift);
        st = mpc_pai_scalar_mul_add(x + SLOTS_SCALAR * i, t, first, err);
        mpc_pai_scalar_negate(less, z);
        mpc_pai_scalar_add(less, less, o->e);
        if (st == FM_OK)
            st = mpc_pai_scalar_mul(t, z, less, err);
        if (st == FM_OK)
            st = mpc_pai_scalar_mul(t, t, power, err);
        if (st == FM_OK)
            st = mpc_pai_scalar_mul_add(sum->at_g, t, second, err);
        if (st == FM_OK)
            st = mpc_pai_scalar_mul(power, power, o->y, err);
    }
    if (st == FM_OK)
        st = mpc_pai_scalar_mul_add(sum->at_h, o->open1, first, err);
    if (st == FM_OK)
        st = mpc_pai_scalar_mul_add(sum->at_h, o->open2, second, err);
    mpc_pai_scalar_negate(y + SLOTS_SCALAR, first);
    mpc_pai_scalar_negate(y + 3 * SLOTS_SCALAR, second);
    if (st == FM_OK)
        st = mpc_pai_scalar_mul(y, y + SLOTS_SCALAR, o->e, err);
    return st == FM_OK ? mpc_pai_scalar_mul(y + 2 * SLOTS_SCALAR, y + 3 * SLOTS_SCALAR, o->e, err)
                       : st;
}

/* Do the equations on the curve of proofs [from, to) hold? */
static fm_status points_hold(bool *hold, const struct verifier *w, size_t from, size_t to,
                             struct base_err *err)
{
    size_t n = to - from, words = SLOTS_SCALAR * (w->most + SLOTS_POINTS * n);
    uint64_t *x = mpc_pai_words_new(words), *y = x + SLOTS_SCALAR * w->most;
    struct slots_combination sum = {.x = x, .count = w->most};
    struct slots_point *points = calloc(SLOTS_POINTS * n, sizeof *points);
    fm_status st = x != NULL && points != NULL ? FM_OK : base_err_memory(err, "paillier: proofs");

    *hold = false;
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        const struct one *o = &w->one[from + i];
        memcpy(points + SLOTS_POINTS * i, o->points, sizeof o->points);
        st = weigh(&sum, x, y + SLOTS_SCALAR * SLOTS_POINTS * i, w, o, err);
    }
    if (st == FM_OK)
        st = mpc_pai_points_vanish(hold, w->g, &sum, points, y, SLOTS_POINTS * n, err);
    free(points);
    mpc_pai_words_free(x, words);
    return st;
}

/* ---- ciphertexts ---- */

/* U c^e and (1 + n)^x v^n, of all. */
static fm_status both_sides(struct verifier *w, struct base_err *err)
{
    const struct mpc_pai_modulus *n = w->c->key;
    struct mpc_pai_vec x, y = {0};
    fm_status st = mpc_pai_vec_init(&x, n->n2, w->n, err);

    for (size_t i = 0; st == FM_OK && i < w->n; i++) {
        const struct one *o = &w->one[i];
        st =
            mpc_pai_slots_weigh(w->x + w->k * i, n, o->s.claim, o->bits, o->count, o->z, o->e, err);
    }
    if (st == FM_OK)
        st = mpc_pai_vec_init(&y, n->n2, w->n, err);
    if (st == FM_OK)
        st = mpc_pai_batch_encrypt(&x, n, w->x, w->k, w->v, err);
    if (st == FM_OK)
        st = mpc_pai_vec_store_whole(w->left, &x, err);
    if (st == FM_OK)
        st = mpc_pai_vec_load(&y, w->u, 2 * w->k, err);
    if (st == FM_OK)
        st = mpc_pai_vec_pow_each(&x, &w->c->v, w->e, MPC_PAI_CHALLENGE_BITS, err);
    if (st == FM_OK)
        st = mpc_pai_vec_mul(&x, &x, &y, err);
    if (st == FM_OK)
        st = mpc_pai_vec_store_whole(w->right, &x, err);
    mpc_pai_vec_release(&y);
    mpc_pai_vec_release(&x);
    return st;
}

/* The first proof that does not hold. */
static fm_status find(size_t *wrong, const struct verifier *w, bool together, struct base_err *err)
{
    size_t limbs = 2 * w->k;
    fm_status st = FM_OK;

    for (*wrong = 0; st == FM_OK && *wrong < w->n; (*wrong)++) {
        bool holds = together;
        if (!together)
            st = points_hold(&holds, w, *wrong, *wrong + 1, err);
        if (st != FM_OK || !holds ||
            mpn_cmp(w->left + limbs * *wrong, w->right + limbs * *wrong, (mp_size_t)limbs) != 0)
            break;
    }
    return st;
}

fm_status mpc_pai_slots_verify(size_t *wrong, const struct mpc_pai_cipher *c,
                               const struct mpc_pai_slot_claim *claims,
                               const struct mpc_pai_generators *g, const void *proof, size_t len,
                               const struct mpc_pai_bond *bond, const struct base_random *random,
                               struct base_err *err)
{
    struct verifier w = {.c = c, .g = g, .random = random};
    bool together = false;
    fm_status st = verifier_init(&w, claims, bond, err);

    *wrong = w.n;
    if (st == FM_OK)
        st = take_all(&w, wrong, proof, len, bond, err);
    if (st == FM_OK)
        st = points_hold(&together, &w, 0, w.n, err);
    if (st == FM_OK)
        st = both_sides(&w, err);
    if (st == FM_OK)
        st = find(wrong, &w, together, err);
    if (st == FM_OK && *wrong < w.n)
        st = mpc_pai_proof_bad(err, bond, "slots");
    verifier_release(&w);
    return st;
}
