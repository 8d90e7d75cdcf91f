/* Parts of a threshold decryption, their proofs, and putting them together: threshold.h. */
#include <assert.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/paillier/limbs.h"
#include "mpc/paillier/threshold_own.h"

enum {
    CHALLENGE_BYTES = MPC_PAI_CHALLENGE_BITS / 8,
    CHALLENGE_LIMBS = MPC_PAI_CHALLENGE_BITS / 64
};

/* What the proof is about: bases C = prod c^(4 rho) and v, and their powers P = prod c_i^(2 rho),
 * v_i. */
struct claim {
    struct mpc_pai_vec bases, powers; /* two elements each */
    uint8_t seed[32];
};

static void claim_release(struct claim *q)
{
    mpc_pai_vec_release(&q->bases);
    mpc_pai_vec_release(&q->powers);
}

static fm_status claim_seed(struct claim *q, const struct mpc_pai_thr *key, uint32_t party,
                            const struct mpc_pai_cipher *part, const struct mpc_pai_cipher *c,
                            const struct mpc_pai_bond *bond, struct base_err *err)
{
    struct mpc_pai_transcript t;
    fm_status st;

    mpc_pai_transcript_init(&t, "threshold share", bond);
    mpc_pai_transcript_put(&t, &key->t, sizeof key->t);
    mpc_pai_transcript_put(&t, &key->parties, sizeof key->parties);
    mpc_pai_transcript_put_mpz(&t, key->v);
    mpc_pai_transcript_put_mpz(&t, key->vi[party - 1]);
    st = mpc_pai_transcript_put_cipher(&t, c, err);
    if (st == FM_OK)
        st = mpc_pai_transcript_put_cipher(&t, part, err);
    mpc_pai_transcript_end(&t, q->seed);
    return st;
}

/* z[at] = (prod x[i]^rho[i])^(2^squarings). */
static fm_status combined(struct mpc_pai_vec *z, size_t at, const struct mpc_pai_cipher *x,
                          const uint64_t *rho, unsigned squarings, struct base_err *err)
{
    struct mpc_pai_vec one;
    fm_status st = mpc_pai_vec_init(&one, x->v.ring, 1, err);

    if (st == FM_OK)
        st = mpc_pai_vec_dot(&one, &x->v, rho, MPC_PAI_CHALLENGE_BITS, err);
    while (st == FM_OK && squarings-- > 0)
        st = mpc_pai_vec_mul_var(&one, &one, &one, err);
    if (st == FM_OK)
        mpc_pai_vec_move(z, at, &one, 0);
    mpc_pai_vec_release(&one);
    return st;
}

static fm_status put_number(struct mpc_pai_vec *z, size_t at, const mpz_t v, struct base_err *err)
{
    mp_limb_t limbs[2 * MPC_PAI_MAX_LIMBS];
    struct mpc_pai_vec one;
    fm_status st = mpc_pai_vec_init(&one, z->ring, 1, err);

    mpc_pai_limbs_from_mpz(limbs, 2 * z->ring->k, v);
    if (st == FM_OK)
        st = mpc_pai_vec_load(&one, limbs, 2 * z->ring->k, err);
    if (st == FM_OK)
        mpc_pai_vec_move(z, at, &one, 0);
    mpc_pai_vec_release(&one);
    return st;
}

static fm_status claim_init(struct claim *q, const struct mpc_pai_thr *key, uint32_t party,
                            const struct mpc_pai_cipher *part, const struct mpc_pai_cipher *c,
                            const struct mpc_pai_bond *bond, struct base_err *err)
{
    const struct mpc_pai_ring *r = key->std->n.n2;
    size_t words = c->v.n * CHALLENGE_LIMBS;
    uint64_t *rho = mpc_pai_words_new(words);
    fm_status st = rho != NULL ? FM_OK : base_err_memory(err, "paillier: proof");

    *q = (struct claim){0};
    if (st == FM_OK)
        st = claim_seed(q, key, party, part, c, bond, err);
    if (st == FM_OK)
        st = mpc_pai_vec_init(&q->bases, r, 2, err);
    if (st == FM_OK)
        st = mpc_pai_vec_init(&q->powers, r, 2, err);
    if (st == FM_OK) {
        mpc_pai_expand(rho, words * sizeof *rho, q->seed, "coefficients");
        st = combined(&q->bases, 0, c, rho, 2, err);
    }
    if (st == FM_OK)
        st = combined(&q->powers, 0, part, rho, 1, err);
    if (st == FM_OK)
        st = put_number(&q->bases, 1, key->v, err);
    if (st == FM_OK)
        st = put_number(&q->powers, 1, key->vi[party - 1], err);
    mpc_pai_words_free(rho, words);
    return st;
}

/* The challenge that the commitments, two elements, call for. */
static fm_status challenge_of(uint8_t out[CHALLENGE_BYTES], const struct claim *q,
                              const struct mpc_pai_vec *commitments,
                              const struct mpc_pai_bond *bond, struct base_err *err)
{
    uint64_t whole[4 * MPC_PAI_MAX_LIMBS];
    struct mpc_pai_transcript t;
    uint8_t seed[32];

    if (mpc_pai_vec_store_whole(whole, commitments, err) != FM_OK)
        return err->code;
    mpc_pai_transcript_init(&t, "threshold share, committed", bond);
    mpc_pai_transcript_put(&t, q->seed, sizeof q->seed);
    mpc_pai_transcript_put(&t, whole, 4 * commitments->ring->k * sizeof *whole);
    mpc_pai_transcript_end(&t, seed);
    memcpy(out, seed, CHALLENGE_BYTES);
    return FM_OK;
}

/* answer = mask + challenge x, without a branch on mask or x. */
static void answer_of(mpz_t answer, const mp_limb_t *mask, size_t limbs,
                      const uint8_t challenge[CHALLENGE_BYTES],
                      const struct mpc_pai_thr_share *share)
{
    mp_limb_t e[CHALLENGE_LIMBS], z[MPC_PAI_THR_LIMBS + CHALLENGE_LIMBS] = {0};
    size_t xn = (share->exponent_bits + 63) / 64;
    mp_limb_t scratch[4 * MPC_PAI_THR_LIMBS];

    assert((size_t)mpn_sec_mul_itch((mp_size_t)xn, CHALLENGE_LIMBS) <=
               sizeof scratch / sizeof *scratch &&
           limbs <= sizeof z / sizeof *z && xn + CHALLENGE_LIMBS <= sizeof z / sizeof *z);
    mpc_pai_limbs_load(e, CHALLENGE_LIMBS, challenge, CHALLENGE_BYTES);
    mpn_sec_mul(z, share->x, (mp_size_t)xn, e, CHALLENGE_LIMBS, scratch);
    (void)mpn_add_n(z, z, mask, (mp_size_t)limbs);
    mpc_pai_mpz_from_limbs(answer, z, limbs);
    base_wipe(z, sizeof z);
    base_wipe(scratch, sizeof scratch);
}

static fm_status prove(struct mpc_pai_thr_part *part, const struct claim *q,
                       const struct mpc_pai_thr_share *share, unsigned bits,
                       const struct mpc_pai_bond *bond, const struct base_random *random,
                       struct base_err *err)
{
    size_t mask_bits = mpc_pai_thr_answer_bits(bits) - 1;
    size_t limbs = (mpc_pai_thr_answer_bits(bits) + 63) / 64;
    mp_limb_t mask[MPC_PAI_THR_LIMBS + CHALLENGE_LIMBS] = {0};
    struct mpc_pai_vec a;
    fm_status st = mpc_pai_vec_init(&a, q->bases.ring, 2, err);

    if (st == FM_OK)
        st = mpc_pai_limbs_random_bits(mask, mask_bits, random, err);
    if (st == FM_OK)
        st = mpc_pai_vec_pow(&a, &q->bases, mask, mask_bits, err);
    if (st == FM_OK)
        st = challenge_of(part->challenge, q, &a, bond, err);
    if (st == FM_OK)
        answer_of(part->answer, mask, limbs, part->challenge, share);
    base_wipe(mask, sizeof mask);
    mpc_pai_vec_release(&a);
    return st;
}

fm_status mpc_pai_thr_part_new(struct mpc_pai_thr_part *part, const struct mpc_pai_thr *key,
                               const struct mpc_pai_thr_share *share,
                               const struct mpc_pai_cipher *c, const struct mpc_pai_bond *bond,
                               const struct base_random *random, struct base_err *err)
{
    struct claim q = {0};
    fm_status st;

    assert(c->key == &key->std->n);
    if (!base_equal(share->id, key->std->n.id, sizeof share->id) || share->party != bond->party)
        return base_err_set(err, FM_E_ARG,
                            "paillier: party %u's share is not one of this key's or not hers",
                            share->party);
    *part = (struct mpc_pai_thr_part){.party = share->party};
    mpz_init(part->answer);
    st = mpc_pai_cipher_init(&part->c, c->key, c->v.n, err);
    if (st == FM_OK)
        st = mpc_pai_vec_pow(&part->c.v, &c->v, share->x, share->exponent_bits, err);
    if (st == FM_OK)
        st = mpc_pai_vec_mul(&part->c.v, &part->c.v, &part->c.v, err);
    if (st == FM_OK)
        st = claim_init(&q, key, share->party, &part->c, c, bond, err);
    if (st == FM_OK)
        st = prove(part, &q, share, key->std->n.bits, bond, random, err);
    claim_release(&q);
    if (st != FM_OK)
        mpc_pai_thr_part_release(part);
    return st;
}

void mpc_pai_thr_part_release(struct mpc_pai_thr_part *part)
{
    mpc_pai_cipher_release(&part->c);
    mpz_clear(part->answer);
}

/* a = bases^answer / powers^challenge. */
static fm_status recommit(struct mpc_pai_vec *a, const struct claim *q,
                          const struct mpc_pai_thr_part *part, struct base_err *err)
{
    mp_limb_t z[MPC_PAI_THR_LIMBS + CHALLENGE_LIMBS], e[CHALLENGE_LIMBS];
    size_t bits = mpz_sizeinbase(part->answer, 2);
    struct mpc_pai_vec down;
    fm_status st = mpc_pai_vec_init(&down, a->ring, 2, err);

    mpc_pai_limbs_from_mpz(z, sizeof z / sizeof *z, part->answer);
    mpc_pai_limbs_load(e, CHALLENGE_LIMBS, part->challenge, CHALLENGE_BYTES);
    if (st == FM_OK)
        st = mpc_pai_vec_inverse_var(&down, &q->powers, err);
    if (st == FM_OK)
        st = mpc_pai_vec_pow_public(&down, &down, e, MPC_PAI_CHALLENGE_BITS, err);
    if (st == FM_OK)
        st = mpc_pai_vec_pow_public(a, &q->bases, z, bits, err);
    if (st == FM_OK)
        st = mpc_pai_vec_mul_var(a, a, &down, err);
    mpc_pai_vec_release(&down);
    return st;
}

fm_status mpc_pai_thr_part_verify(const struct mpc_pai_thr *key,
                                  const struct mpc_pai_thr_part *part,
                                  const struct mpc_pai_cipher *c, const struct mpc_pai_bond *bond,
                                  struct base_err *err)
{
    uint8_t want[CHALLENGE_BYTES];
    struct mpc_pai_vec a = {0};
    struct claim q = {0};
    fm_status st;

    if (part->party < 1 || part->party > key->parties || part->party != bond->party ||
        part->c.key != c->key || part->c.v.n != c->v.n || mpz_sgn(part->answer) < 0 ||
        mpz_sizeinbase(part->answer, 2) > mpc_pai_thr_answer_bits(key->std->n.bits))
        return base_err_set(err, FM_E_PEER, "party %u: its decryption share has a wrong shape",
                            part->party);
    st = claim_init(&q, key, part->party, &part->c, c, bond, err);
    if (st == FM_OK)
        st = mpc_pai_vec_init(&a, q.bases.ring, 2, err);
    if (st == FM_OK)
        st = recommit(&a, &q, part, err);
    if (st == FM_OK)
        st = challenge_of(want, &q, &a, bond, err);
    if (st == FM_OK && !base_equal(want, part->challenge, sizeof want))
        st = base_err_set(err, FM_E_PEER, "party %u: its decryption share does not verify",
                          part->party);
    else if (st == FM_E_INPUT) /* a power without an inverse */
        st = base_err_set(err, FM_E_PEER, "party %u: its decryption share is no unit", part->party);
    mpc_pai_vec_release(&a);
    claim_release(&q);
    return st;
}

/* 2 lambda of chosen[at] at 0, over the chosen parties, times D: an integer. */
static void lagrange(mpz_t lambda, const struct mpc_pai_thr *key,
                     const struct mpc_pai_thr_part *const *chosen, size_t at)
{
    mpz_t below;

    mpz_init_set_ui(below, 1);
    mpz_mul_ui(lambda, key->delta, 2);
    for (size_t j = 0; j < key->t; j++) {
        if (j == at)
            continue;
        mpz_mul_si(lambda, lambda, -(long)chosen[j]->party);
        mpz_mul_si(below, below, (long)chosen[at]->party - (long)chosen[j]->party);
    }
    mpz_divexact(lambda, lambda, below);
    mpz_clear(below);
}

/* z = prod c_i^(2 lambda_i) = c^(4 D^2 d) = 1 + 4 D^2 m n. */
static fm_status interpolate(struct mpc_pai_vec *z, const struct mpc_pai_thr *key,
                             const struct mpc_pai_thr_part *const *chosen, struct base_err *err)
{
    struct mpc_pai_vec one;
    fm_status st = mpc_pai_vec_init(&one, z->ring, z->n, err);
    mpz_t lambda;

    mpz_init(lambda);
    for (size_t i = 0; st == FM_OK && i < key->t; i++) {
        mp_limb_t e[16];
        struct mpc_pai_vec *to = i == 0 ? z : &one;
        const struct mpc_pai_vec *from = &chosen[i]->c.v;
        lagrange(lambda, key, chosen, i);
        if (mpz_sgn(lambda) < 0) {
            st = mpc_pai_vec_inverse_var(to, from, err);
            from = to;
            mpz_neg(lambda, lambda);
        }
        mpc_pai_limbs_from_mpz(e, sizeof e / sizeof *e, lambda);
        if (st == FM_OK)
            st = mpc_pai_vec_pow_public(to, from, e, mpz_sizeinbase(lambda, 2), err);
        if (st == FM_OK && i > 0)
            st = mpc_pai_vec_mul_var(z, z, &one, err);
    }
    mpz_clear(lambda);
    mpc_pai_vec_release(&one);
    return st;
}

/* m = L(z) / (4 D^2) mod n. */
static fm_status read_out(struct mpc_pai_plain *m, const struct mpc_pai_thr *key,
                          const struct mpc_pai_vec *z, struct base_err *err)
{
    const struct mpc_pai_ring *r = z->ring;
    mp_limb_t scale[MPC_PAI_MAX_LIMBS];
    uint64_t *lo = mpc_pai_words_new(r->k * z->n);
    fm_status st =
        lo != NULL ? mpc_pai_vec_store(lo, m->w, z, err) : base_err_memory(err, "paillier: parts");
    mpz_t v;

    mpz_init(v);
    mpz_mul(v, key->delta, key->delta);
    mpz_mul_2exp(v, v, 2);
    mpz_invert(v, v, key->std->n.n);
    mpc_pai_limbs_from_mpz(scale, r->k, v);
    mpz_clear(v);
    for (size_t i = 0; st == FM_OK && i < z->n; i++) {
        if (lo[r->k * i] != 1 || (r->k > 1 && mpc_pai_limbs_zero(lo + r->k * i + 1, r->k - 1) == 0))
            st = base_err_set(err, FM_E_INVALID,
                              "paillier: ciphertext %zu: the parts do not fit together", i);
        else
            st = mpc_pai_limbs_mulmod(m->w + r->k * i, m->w + r->k * i, scale, r->m, r->k, err);
    }
    mpc_pai_words_free(lo, r->k * z->n);
    return st;
}

/* The first t right parts of different parties; FM_E_PEER if there are fewer. */
static fm_status choose(const struct mpc_pai_thr_part **chosen, uint32_t *wrong,
                        const struct mpc_pai_thr *key, const struct mpc_pai_thr_part *parts,
                        size_t n, const struct mpc_pai_cipher *c, const uint8_t session32[32],
                        struct base_err *err)
{
    struct base_err first = {0};
    uint32_t right = 0;
    size_t have = 0;

    *wrong = 0;
    for (size_t i = 0; i < n; i++) {
        struct mpc_pai_bond bond = {.party = parts[i].party};
        uint32_t bit = parts[i].party >= 1 && parts[i].party <= MPC_PAI_THR_PARTIES
                           ? (uint32_t)1 << (parts[i].party - 1)
                           : 0;
        fm_status st;
        memcpy(bond.session32, session32, sizeof bond.session32);
        if ((right & bit) != 0)
            continue;
        st = mpc_pai_thr_part_verify(key, &parts[i], c, &bond, err);
        if (st == FM_E_PEER) {
            *wrong |= bit;
            if (first.code == FM_OK)
                first = *err;
            continue;
        }
        if (st != FM_OK)
            return st;
        right |= bit;
        if (have < key->t)
            chosen[have++] = &parts[i];
    }
    if (have == key->t)
        return FM_OK;
    if (first.code == FM_OK)
        return base_err_set(err, FM_E_NOT_FOUND,
                            "paillier: %zu parts of a decryption that takes %u", have, key->t);
    *err = first;
    return base_err_prefix(err, "paillier: %zu right parts, %u are needed", have, key->t);
}

fm_status mpc_pai_thr_combine(struct mpc_pai_plain *m, uint32_t *wrong,
                              const struct mpc_pai_thr *key, const struct mpc_pai_thr_part *parts,
                              size_t n, const struct mpc_pai_cipher *c, const uint8_t session32[32],
                              struct base_err *err)
{
    const struct mpc_pai_thr_part *chosen[MPC_PAI_THR_PARTIES];
    struct mpc_pai_vec z;
    fm_status st;

    assert(m->n == c->v.n && c->key == &key->std->n);
    st = choose(chosen, wrong, key, parts, n, c, session32, err);
    if (st != FM_OK)
        return st;
    st = mpc_pai_vec_init(&z, c->v.ring, c->v.n, err);
    if (st == FM_OK)
        st = interpolate(&z, key, chosen, err);
    if (st == FM_OK)
        st = read_out(m, key, &z, err);
    mpc_pai_vec_release(&z);
    return st;
}

fm_status mpc_pai_thr_session_init(struct mpc_pai_thr_session *s, const struct mpc_pai_thr *key,
                                   size_t length, unsigned minimum, struct base_err *err)
{
    *s = (struct mpc_pai_thr_session){.key = key, .minimum = minimum < 1 ? 1 : minimum};
    return mpc_pai_cipher_init(&s->sum, &key->std->n, length, err);
}

void mpc_pai_thr_session_release(struct mpc_pai_thr_session *s)
{
    mpc_pai_cipher_release(&s->sum);
}

fm_status mpc_pai_thr_session_add(struct mpc_pai_thr_session *s, const struct mpc_pai_cipher *c,
                                  struct base_err *err)
{
    if (s->state != MPC_PAI_THR_OPEN)
        return base_err_set(err, FM_E_CONFLICT,
                            "paillier: this session was decrypted: no more contributions");
    if (c->key != s->sum.key || c->v.n != s->sum.v.n)
        return base_err_set(err, FM_E_INPUT,
                            "paillier: a contribution of %zu ciphertexts, not %zu of this key",
                            c->v.n, s->sum.v.n);
    if (s->contributors++ == 0) {
        memcpy(s->sum.v.w, c->v.w, c->v.words * sizeof *c->v.w);
        return FM_OK;
    }
    return mpc_pai_add(&s->sum, &s->sum, c, err);
}

fm_status mpc_pai_thr_session_part(struct mpc_pai_thr_part *part, struct mpc_pai_thr_session *s,
                                   const struct mpc_pai_thr_share *share,
                                   const struct mpc_pai_bond *bond,
                                   const struct base_random *random, struct base_err *err)
{
    if (s->state != MPC_PAI_THR_OPEN)
        return base_err_set(err, FM_E_CONFLICT, "paillier: this session was decrypted before");
    if (s->contributors < s->minimum)
        return base_err_set(err, FM_E_REFUSED,
                            "paillier: %u contributors, the contract asks for %u", s->contributors,
                            s->minimum);
    s->state = MPC_PAI_THR_DONE;
    return mpc_pai_thr_part_new(part, s->key, share, &s->sum, bond, random, err);
}
