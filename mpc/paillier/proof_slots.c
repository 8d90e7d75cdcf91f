/* Slots: what prover and verifier share, and the prover. */
#include "mpc/paillier/proof_slots.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/proof_batch.h"
#include "mpc/paillier/proof_slots_own.h"

enum { SUM = 8 /* limbs of a slot's sum and of its shift */ };

/* ---- claims ---- */

static unsigned length_of(uint64_t v)
{
    return v == 0 ? 0 : 64 - (unsigned)__builtin_clzll(v);
}

size_t mpc_pai_slot_bits(const struct mpc_pai_slot_claim *claim)
{
    size_t bits = 0;

    for (size_t j = 0; j < claim->count; j++)
        bits += length_of(claim->slots[j].span);
    return bits;
}

size_t mpc_pai_slots_bytes(const struct mpc_pai_slot_claim *claims, size_t n, unsigned key_bits)
{
    size_t bytes = 2;

    for (size_t i = 0; i < n; i++)
        bytes += SLOTS_POINTS * SLOTS_POINT + 64 + 3 * (size_t)key_bits / 8 +
                 SLOTS_ANSWER * mpc_pai_slot_bits(&claims[i]);
    return bytes;
}

void mpc_pai_slots_list(struct slots_bit *bits, const struct mpc_pai_slot_claim *claim)
{
    size_t at = 0;

    for (size_t j = 0; j < claim->count; j++) {
        uint64_t span = claim->slots[j].span, most = span;
        for (unsigned i = 0; i < length_of(span); i++) {
            bool last = i + 1 == length_of(span);
            bits[at++] = (struct slots_bit){j, last ? most : (uint64_t)1 << i};
            most -= last ? 0 : (uint64_t)1 << i;
        }
    }
}

/* ---- numbers ---- */

/* x += v 2^at, x of n limbs, v of SUM limbs of which the last is 0; t: n limbs of scratch. */
static void add_shifted(uint64_t *x, size_t n, const uint64_t *v, unsigned at, uint64_t *t)
{
    size_t limb = at / 64, room = n - limb < SUM ? n - limb : SUM;
    uint64_t shifted[SUM];

    if (at % 64 == 0)
        memcpy(shifted, v, sizeof shifted);
    else
        (void)mpn_lshift(shifted, v, SUM, at % 64);
    memset(t, 0, n * sizeof *t);
    memcpy(t + limb, shifted, room * sizeof *t);
    (void)mpn_add_n(x, x, t, (mp_size_t)n);
    base_wipe(shifted, sizeof shifted);
}

fm_status mpc_pai_slots_weigh(uint64_t *x, const struct mpc_pai_modulus *n,
                              const struct mpc_pai_slot_claim *claim, const struct slots_bit *bits,
                              size_t count, const uint64_t *v, const uint64_t *e,
                              struct base_err *err)
{
    size_t k = n->n2->k, limbs = k + SUM, at = 0;
    uint64_t *sum = mpc_pai_words_new(2 * limbs), slot[SUM];
    fm_status st;

    if (sum == NULL)
        return base_err_memory(err, "paillier: proofs");
    for (size_t j = 0; j < claim->count; j++) {
        memset(slot, 0, sizeof slot);
        for (; at < count && bits[at].slot == j; at++)
            slot[SLOTS_SCALAR] +=
                mpn_addmul_1(slot, v + SLOTS_SCALAR * at, SLOTS_SCALAR, bits[at].weight);
        if (e != NULL) {
            uint64_t more[SUM] = {0};
            more[2] = mpn_mul_1(more, e, 2, claim->slots[j].least);
            (void)mpn_add_n(slot, slot, more, SUM);
        }
        add_shifted(sum, limbs, slot, claim->slots[j].at, sum + limbs);
    }
    base_wipe(slot, sizeof slot);
    st = mpc_pai_limbs_mod(x, sum, limbs, n->n2->m, k, err);
    mpc_pai_words_free(sum, 2 * limbs);
    return st;
}

/* ---- challenges ---- */

static void put_u64(struct mpc_pai_transcript *t, uint64_t v)
{
    uint8_t bytes[8];

    base_store_u64(bytes, v);
    mpc_pai_transcript_put(t, bytes, sizeof bytes);
}

/* A number below n^2. */
static void put_limbs(struct mpc_pai_transcript *t, const uint64_t *x, size_t limbs)
{
    uint8_t bytes[2 * MPC_PAI_MAX_BITS / 8];

    mpc_pai_limbs_store(bytes, 8 * limbs, x, limbs);
    mpc_pai_transcript_put(t, bytes, 8 * limbs);
}

fm_status mpc_pai_slots_challenge_y(uint64_t *y, uint8_t seed32[32],
                                    const struct slots_statement *s, const uint8_t *first,
                                    struct base_err *err)
{
    struct mpc_pai_transcript t;
    uint8_t wide[48];
    uint64_t limbs[6];

    mpc_pai_transcript_init(&t, "slots", s->bond);
    mpc_pai_transcript_put_mpz(&t, s->n->n);
    put_limbs(&t, s->c, 2 * s->n->n2->k);
    put_u64(&t, s->claim->count);
    for (size_t j = 0; j < s->claim->count; j++) {
        put_u64(&t, s->claim->slots[j].at);
        put_u64(&t, s->claim->slots[j].least);
        put_u64(&t, s->claim->slots[j].span);
    }
    mpc_pai_transcript_put(&t, first, 2 * SLOTS_POINT);
    mpc_pai_transcript_end(&t, seed32);
    mpc_pai_expand(wide, sizeof wide, seed32, "y");
    mpc_pai_limbs_load(limbs, 6, wide, sizeof wide);
    return mpc_pai_limbs_mod(y, limbs, 6, mpc_pai_slots_order(), SLOTS_SCALAR, err);
}

void mpc_pai_slots_challenge_e(uint64_t *e, const struct slots_statement *s,
                               const uint8_t seed32[32], const uint8_t *second, const uint64_t *u)
{
    struct mpc_pai_transcript t;
    uint8_t seed[32];

    mpc_pai_transcript_init(&t, "slots, second", s->bond);
    mpc_pai_transcript_put(&t, seed32, 32);
    mpc_pai_transcript_put(&t, second, 2 * SLOTS_POINT);
    put_limbs(&t, u, 2 * s->n->n2->k);
    mpc_pai_transcript_end(&t, seed);
    mpc_pai_limbs_load(e, 2, seed, MPC_PAI_CHALLENGE_BITS / 8);
}

/* ---- the prover ---- */

/* One ciphertext under way: rho, rho', tau, tau'. */
struct one {
    struct slots_statement s;
    size_t count;
    struct slots_bit *bits;
    const uint64_t *beta;
    uint64_t *a, *z; /* SLOTS_SCALAR limbs a bit */
    uint64_t blind[4][SLOTS_SCALAR], y[SLOTS_SCALAR], e[2];
    uint8_t seed[32];
    uint8_t points[SLOTS_POINTS * SLOTS_POINT];
};

struct prover {
    const struct mpc_pai_generators *g;
    struct one *one;
    size_t n, k, bits;
    struct slots_bit *list;
    uint64_t *words; /* everything below */
    size_t word_count;
    uint64_t *a, *z, *c, *u, *v, *unit, *x, *e;
};

static fm_status prover_init(struct prover *p, const struct mpc_pai_cipher *c,
                             const struct mpc_pai_slot_claim *claims, const uint64_t *beta,
                             const struct mpc_pai_bond *bond, struct base_err *err)
{
    size_t at = 0;

    *p = (struct prover){.n = c->v.n, .k = c->key->n2->k};
    for (size_t i = 0; i < p->n; i++)
        p->bits += mpc_pai_slot_bits(&claims[i]);
    p->one = calloc(p->n, sizeof *p->one);
    p->list = calloc(p->bits + 1, sizeof *p->list);
    p->word_count = 2 * SLOTS_SCALAR * p->bits + p->n * (7 * p->k + 2);
    p->words = mpc_pai_words_new(p->word_count + 1);
    if (p->one == NULL || p->list == NULL || p->words == NULL)
        return base_err_memory(err, "paillier: proofs");
    p->a = p->words, p->z = p->a + SLOTS_SCALAR * p->bits, p->c = p->z + SLOTS_SCALAR * p->bits;
    p->u = p->c + 2 * p->k * p->n, p->v = p->u + 2 * p->k * p->n;
    p->unit = p->v + p->k * p->n, p->x = p->unit + p->k * p->n, p->e = p->x + p->k * p->n;
    for (size_t i = 0; i < p->n; i++) {
        struct one *o = &p->one[i];
        o->s = (struct slots_statement){c->key, &claims[i], bond, p->c + 2 * p->k * i};
        o->count = mpc_pai_slot_bits(&claims[i]);
        o->bits = p->list + at, o->beta = beta + at;
        o->a = p->a + SLOTS_SCALAR * at, o->z = p->z + SLOTS_SCALAR * at;
        mpc_pai_slots_list(o->bits, &claims[i]);
        at += o->count;
    }
    return mpc_pai_vec_store_whole(p->c, &c->v, err);
}

static void prover_release(struct prover *p)
{
    if (p->one != NULL)
        base_wipe(p->one, p->n * sizeof *p->one);
    free(p->one);
    free(p->list);
    mpc_pai_words_free(p->words, p->words != NULL ? p->word_count + 1 : 0);
}

/* 1: B and A. */
static fm_status first(struct one *o, const struct mpc_pai_generators *g,
                       const struct base_random *random, struct base_err *err)
{
    struct slots_combination b = {.count = o->count}, a = {.x = o->a, .count = o->count};
    uint64_t *lifted = mpc_pai_words_new(SLOTS_SCALAR * o->count + 1);
    fm_status st = lifted != NULL ? FM_OK : base_err_memory(err, "paillier: proofs");

    for (size_t i = 0; st == FM_OK && i < 4; i++)
        st = mpc_pai_limbs_random_below(o->blind[i], mpc_pai_slots_order(), 256, random, err);
    for (size_t i = 0; st == FM_OK && i < o->count; i++) {
        lifted[SLOTS_SCALAR * i] = o->beta[i];
        lifted[SLOTS_SCALAR * i + SLOTS_LIFT_LIMB] = (uint64_t)1 << 32;
        st = mpc_pai_limbs_random_bits(o->a + SLOTS_SCALAR * i, SLOTS_MASK, random, err);
    }
    if (st == FM_OK) {
        b.x = lifted;
        memcpy(b.at_h, o->blind[0], sizeof b.at_h);
        memcpy(a.at_h, o->blind[1], sizeof a.at_h);
        st = mpc_pai_points_commit(o->points, g, &b, err);
    }
    if (st == FM_OK)
        st = mpc_pai_points_commit(o->points + SLOTS_POINT, g, &a, err);
    mpc_pai_words_free(lifted, SLOTS_SCALAR * o->count + 1);
    return st;
}

/* t1 = sum y^i a_i (1 - 2 beta_i), t0 = -sum y^i a_i^2; y from y^1 on. */
static fm_status terms(uint64_t *t1, uint64_t *t0, const struct one *o, struct base_err *err)
{
    uint64_t power[SLOTS_SCALAR], ya[SLOTS_SCALAR];
    fm_status st = FM_OK;

    memcpy(power, o->y, sizeof power);
    for (size_t i = 0; st == FM_OK && i < o->count; i++) {
        const uint64_t *a = o->a + SLOTS_SCALAR * i;
        uint64_t twice[SLOTS_SCALAR] = {o->beta[i] << 1, o->beta[i] >> 63}, one_less[SLOTS_SCALAR];
        static const uint64_t unity[SLOTS_SCALAR] = {1};
        mpc_pai_scalar_negate(one_less, twice);
        mpc_pai_scalar_add(one_less, one_less, unity);
        st = mpc_pai_scalar_mul(ya, power, a, err);
        if (st == FM_OK)
            st = mpc_pai_scalar_mul_add(t1, ya, one_less, err);
        if (st == FM_OK)
            st = mpc_pai_scalar_mul_add(t0, ya, a, err);
        if (st == FM_OK)
            st = mpc_pai_scalar_mul(power, power, o->y, err);
    }
    mpc_pai_scalar_negate(t0, t0);
    base_wipe(ya, sizeof ya);
    return st;
}

/* 2 and 3: T1 and T0. */
static fm_status second(struct one *o, const struct mpc_pai_generators *g, struct base_err *err)
{
    struct slots_combination t1 = {.count = 0}, t0 = {.count = 0};
    fm_status st = mpc_pai_slots_challenge_y(o->y, o->seed, &o->s, o->points, err);

    if (st == FM_OK)
        st = terms(t1.at_g, t0.at_g, o, err);
    if (st == FM_OK) {
        memcpy(t1.at_h, o->blind[2], sizeof t1.at_h);
        memcpy(t0.at_h, o->blind[3], sizeof t0.at_h);
        st = mpc_pai_points_commit(o->points + 2 * SLOTS_POINT, g, &t1, err);
    }
    if (st == FM_OK)
        st = mpc_pai_points_commit(o->points + 3 * SLOTS_POINT, g, &t0, err);
    base_wipe(&t1, sizeof t1);
    base_wipe(&t0, sizeof t0);
    return st;
}

/* 3: U of all. */
static fm_status blindings(struct prover *p, const struct mpc_pai_cipher *c,
                           const struct base_random *random, struct base_err *err)
{
    const struct mpc_pai_modulus *n = c->key;
    struct mpc_pai_vec u;
    fm_status st = mpc_pai_vec_init(&u, n->n2, p->n, err);

    for (size_t i = 0; st == FM_OK && i < p->n; i++) {
        const struct one *o = &p->one[i];
        st =
            mpc_pai_slots_weigh(p->x + p->k * i, n, o->s.claim, o->bits, o->count, o->a, NULL, err);
        if (st == FM_OK)
            st = mpc_pai_limbs_random_below(p->unit + p->k * i, n->n2->m, n->bits, random, err);
    }
    if (st == FM_OK)
        st = mpc_pai_batch_encrypt(&u, n, p->x, p->k, p->unit, err);
    if (st == FM_OK)
        st = mpc_pai_vec_store_whole(p->u, &u, err);
    mpc_pai_vec_release(&u);
    return st;
}

/* 4 and 5: v = u r^e mod n of all. */
static fm_status units(struct prover *p, const struct mpc_pai_cipher *c, const uint64_t *r,
                       struct base_err *err)
{
    struct mpc_pai_vec v, u = {0};
    fm_status st = mpc_pai_vec_init(&v, c->key->n2, p->n, err);

    if (st == FM_OK)
        st = mpc_pai_vec_init(&u, c->key->n2, p->n, err);
    if (st == FM_OK)
        st = mpc_pai_vec_load(&v, r, p->k, err);
    if (st == FM_OK)
        st = mpc_pai_vec_pow_each(&v, &v, p->e, MPC_PAI_CHALLENGE_BITS, err);
    if (st == FM_OK)
        st = mpc_pai_vec_load(&u, p->unit, p->k, err);
    if (st == FM_OK)
        st = mpc_pai_vec_mul(&v, &v, &u, err);
    if (st == FM_OK)
        st = mpc_pai_batch_low(p->v, &v, err);
    mpc_pai_vec_release(&u);
    mpc_pai_vec_release(&v);
    return st;
}

static void put(struct base_buf *out, const uint64_t *x, size_t limbs, size_t len)
{
    uint8_t *to = base_buf_extend(out, len);

    if (to != NULL)
        mpc_pai_limbs_store(to, len, x, limbs);
}

/* z_i = e beta_i + a_i; without a carry beyond 2^224 where beta_i is 0 or 1. */
static void answer(struct one *o)
{
    for (size_t i = 0; i < o->count; i++) {
        uint64_t *z = o->z + SLOTS_SCALAR * i, more[SLOTS_SCALAR] = {0};
        more[2] = mpn_mul_1(more, o->e, 2, o->beta[i]);
        (void)mpn_add_n(z, o->a + SLOTS_SCALAR * i, more, SLOTS_SCALAR);
    }
}

static fm_status put_one(struct base_buf *out, const struct prover *p, size_t i,
                         struct base_err *err)
{
    struct one *o = &p->one[i];
    uint64_t e[SLOTS_SCALAR] = {o->e[0], o->e[1]};
    fm_status st = mpc_pai_scalar_mul_add(o->blind[1], o->blind[0], e, err);

    if (st == FM_OK)
        st = mpc_pai_scalar_mul_add(o->blind[3], o->blind[2], e, err);
    if (st != FM_OK)
        return st;
    answer(o);
    base_buf_put(out, o->points, sizeof o->points);
    put(out, p->u + 2 * p->k * i, 2 * p->k, o->s.n->bits / 4);
    put(out, p->v + p->k * i, p->k, o->s.n->bits / 8);
    put(out, o->blind[1], SLOTS_SCALAR, 32);
    put(out, o->blind[3], SLOTS_SCALAR, 32);
    for (size_t b = 0; b < o->count; b++)
        put(out, o->z + SLOTS_SCALAR * b, SLOTS_SCALAR, SLOTS_ANSWER);
    return FM_OK;
}

fm_status mpc_pai_slots_prove_bits(struct base_buf *out, const struct mpc_pai_cipher *c,
                                   const struct mpc_pai_slot_claim *claims,
                                   const struct mpc_pai_generators *g, const uint64_t *beta,
                                   const uint64_t *r, const struct mpc_pai_bond *bond,
                                   const struct base_random *random, struct base_err *err)
{
    struct prover p;
    fm_status st = prover_init(&p, c, claims, beta, bond, err);

    for (size_t i = 0; st == FM_OK && i < p.n; i++) {
        assert(p.one[i].count <= g->count);
        st = first(&p.one[i], g, random, err);
        if (st == FM_OK)
            st = second(&p.one[i], g, err);
    }
    if (st == FM_OK)
        st = blindings(&p, c, random, err);
    for (size_t i = 0; st == FM_OK && i < p.n; i++) {
        struct one *o = &p.one[i];
        mpc_pai_slots_challenge_e(o->e, &o->s, o->seed, o->points + 2 * SLOTS_POINT,
                                  p.u + 2 * p.k * i);
        memcpy(p.e + 2 * i, o->e, sizeof o->e);
    }
    if (st == FM_OK)
        st = units(&p, c, r, err);
    if (st == FM_OK)
        mpc_pai_proof_head(out, MPC_PAI_PROOF_SLOTS);
    for (size_t i = 0; st == FM_OK && i < p.n; i++)
        st = put_one(out, &p, i, err);
    prover_release(&p);
    return st == FM_OK ? base_buf_status(out, "paillier: proofs", err) : st;
}

/* ---- bits of a plaintext ---- */

/* Bits [at, at + 64) of w. */
static uint64_t word_at(const uint64_t *w, size_t k, size_t at)
{
    size_t i = at / 64;
    unsigned shift = at % 64;
    uint64_t low = i < k ? w[i] >> shift : 0;
    uint64_t high = shift != 0 && i + 1 < k ? w[i + 1] << (64 - shift) : 0;

    return low | high;
}

/* Of one plaintext; *out_of: is 1 if a slot is out of its range, the last such one is *which. */
static void bits_of(uint64_t *beta, uint64_t *out_of, size_t *which,
                    const struct mpc_pai_slot_claim *claim, const uint64_t *w, size_t k,
                    unsigned key_bits)
{
    *out_of = 0;
    for (size_t j = 0; j < claim->count; j++) {
        const struct mpc_pai_slot *s = &claim->slots[j];
        unsigned end = j + 1 < claim->count ? claim->slots[j + 1].at : key_bits, wide = end - s->at;
        unsigned length = length_of(s->span);
        uint64_t v = word_at(w, k, s->at), beyond = 0, half = ((uint64_t)1 << length) >> 1, top;
        for (unsigned at = s->at + 64; at < end; at++) /* past the word */
            beyond |= w[at / 64] >> (at % 64) & 1;
        if (wide < 64)
            v &= ((uint64_t)1 << wide) - 1;
        v -= s->least; /* less than that is a number above 2^63 */
        beyond |= (s->span - v) >> 63 | v >> 63;
        *which ^= (*which ^ j) & ((uint64_t)0 - beyond);
        *out_of |= beyond;
        if (length == 0)
            continue;
        top = (uint64_t)0 - ((half - 1 - v) >> 63); /* v >= half: the last weight is in */
        v -= (s->span - (half - 1)) & top;
        for (unsigned i = 0; i + 1 < length; i++)
            *beta++ = v >> i & 1;
        *beta++ = top & 1;
    }
    if (claim->count == 0 || claim->slots[0].at > 0) {
        uint64_t any = 0;
        for (unsigned at = 0; at < (claim->count > 0 ? claim->slots[0].at : key_bits); at++)
            any |= w[at / 64] >> (at % 64) & 1;
        *out_of |= any;
    }
}

fm_status mpc_pai_slots_prove(struct base_buf *out, const struct mpc_pai_cipher *c,
                              const struct mpc_pai_slot_claim *claims,
                              const struct mpc_pai_generators *g, const struct mpc_pai_plain *m,
                              const uint64_t *r, const struct mpc_pai_bond *bond,
                              const struct base_random *random, struct base_err *err)
{
    size_t bits = 0, at = 0, slot = 0;
    fm_status st = FM_OK;
    uint64_t *beta, beyond;

    assert(m->n == c->v.n && m->key == c->key);
    for (size_t i = 0; i < m->n; i++)
        bits += mpc_pai_slot_bits(&claims[i]);
    beta = mpc_pai_words_new(bits + 1);
    if (beta == NULL)
        return base_err_memory(err, "paillier: proofs");
    for (size_t i = 0; st == FM_OK && i < m->n; i++) {
        assert(mpc_pai_slots_well(&claims[i], c->key->bits));
        bits_of(beta + at, &beyond, &slot, &claims[i], m->w + m->k * i, m->k, c->key->bits);
        if (beyond != 0)
            st = base_err_set(err, FM_E_LIMIT,
                              "paillier: plaintext %zu, slot %zu is out of its range", i, slot);
        at += mpc_pai_slot_bits(&claims[i]);
    }
    if (st == FM_OK)
        st = mpc_pai_slots_prove_bits(out, c, claims, g, beta, r, bond, random, err);
    mpc_pai_words_free(beta, bits + 1);
    return st;
}
