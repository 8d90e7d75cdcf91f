/* Constants of a modulus, and numbers into lanes and out of them. Powers: ifma_pow.c. */
#include "mpc/paillier/ring_ifma.h"

#include <assert.h>
#include <string.h>

#include "base/secret.h"
#include "mpc/paillier/ifma_pow.h"
#include "mpc/paillier/limbs.h"

enum { LIMBS = MPC_PAI_MAX_LIMBS + 1 }; /* a digit below 2 m may have a bit more than m */

bool mpc_pai_ifma_takes(size_t bits)
{
    return bits <= MPC_PAI_MAX_BITS;
}

size_t mpc_pai_ifma_digits(size_t bits)
{
    size_t tile = IFMA_TILE * IFMA_DIGIT;

    return (bits + IFMA_SPARE_BITS + tile - 1) / tile * IFMA_TILE;
}

/* Digit i, of 52 bits, of a number of n limbs. */
static uint64_t digit_of(const mp_limb_t *x, size_t n, size_t i)
{
    size_t bit = i * IFMA_DIGIT, limb = bit / 64, shift = bit % 64;
    uint64_t v = limb < n ? x[limb] >> shift : 0;

    if (shift > 64 - IFMA_DIGIT && limb + 1 < n)
        v |= x[limb + 1] << (64 - shift);
    return v & IFMA_MASK;
}

static void limbs_of(mp_limb_t *x, size_t n, const uint64_t *z, size_t l, size_t lane)
{
    memset(x, 0, n * sizeof *x);
    for (size_t i = 0; i < l; i++) {
        uint64_t d = z[i * IFMA_LANES + lane] & IFMA_MASK;
        size_t bit = i * IFMA_DIGIT, limb = bit / 64, shift = bit % 64;
        if (limb < n)
            x[limb] |= d << shift;
        if (shift > 64 - IFMA_DIGIT && limb + 1 < n)
            x[limb + 1] |= d >> (64 - shift);
    }
}

/* v in all lanes. */
static void spread(__m512i *z, const mpz_t v, size_t l)
{
    mp_limb_t x[2 * LIMBS];

    mpc_pai_limbs_from_mpz(x, 2 * LIMBS, v);
    for (size_t i = 0; i < l; i++)
        z[i] = _mm512_set1_epi64((long long)digit_of(x, 2 * LIMBS, i));
    base_wipe(x, sizeof x);
}

/* R^power mod m^2 as two digits in base m. */
static void spread_power(__m512i *z, unsigned power, const mpz_t m, size_t l)
{
    mpz_t v, hi, m2;

    mpz_inits(v, hi, m2, NULL);
    mpz_mul(m2, m, m);
    mpz_set_ui(v, 1);
    mpz_mul_2exp(v, v, power * l * IFMA_DIGIT);
    mpz_mod(v, v, m2);
    mpz_fdiv_qr(hi, v, v, m);
    spread(z, v, l);
    spread(z + l, hi, l);
    mpz_clears(v, hi, m2, NULL);
}

static void constants(struct mpc_pai_ifma *c, const mpz_t m)
{
    size_t l = c->l;
    mpz_t v, digit;

    mpz_inits(v, digit, NULL);
    spread(c->m, m, l);
    mpz_set_ui(digit, 1);
    mpz_mul_2exp(digit, digit, IFMA_DIGIT);
    mpz_neg(v, m);
    mpz_invert(v, v, digit);
    c->n0 = _mm512_set1_epi64((long long)mpz_get_ui(v));
    mpz_set_ui(v, 1);
    mpz_mul_2exp(v, v, l * IFMA_DIGIT);
    mpz_ui_sub(v, 1, v);
    mpz_mod(v, v, m);
    spread(c->e, v, l);
    for (size_t i = 0; i < l; i++)
        c->e[i] = _mm512_add_epi64(c->e[i], _mm512_set1_epi64(2 * (long long)IFMA_MASK));
    spread_power(c->one, 1, m, l);
    mpz_set_ui(v, 1);
    spread(c->unit, v, 2 * l);
    for (unsigned j = 0; j < IFMA_CHUNKS; j++)
        spread_power(c->k[j], j + 2, m, l);
    mpz_clears(v, digit, NULL);
}

static fm_status ifma_prepare(struct mpc_pai_ring *r, struct base_err *err)
{
    size_t l = mpc_pai_ifma_digits(r->bits), head = (sizeof(struct mpc_pai_ifma) + 63) / 64 * 8;
    struct mpc_pai_ifma *c;
    __m512i *at;
    mpz_t m;

    r->own_words = head + (2 + 2 * (2 + IFMA_CHUNKS)) * l * IFMA_LANES;
    r->own = mpc_pai_words_new(r->own_words);
    if (r->own == NULL)
        return base_err_memory(err, "paillier: ring");
    c = r->own;
    at = (__m512i *)((uint64_t *)r->own + head);
    c->l = l;
    c->m = at, at += l;
    c->e = at, at += l;
    c->one = at, at += 2 * l;
    c->unit = at, at += 2 * l;
    for (unsigned j = 0; j < IFMA_CHUNKS; j++, at += 2 * l)
        c->k[j] = at;
    mpz_init(m);
    mpc_pai_mpz_from_limbs(m, r->m, r->k);
    constants(c, m);
    mpz_clear(m);
    return FM_OK;
}

static void ifma_release(struct mpc_pai_ring *r)
{
    mpc_pai_words_free(r->own, r->own_words);
}

static size_t ifma_words(const struct mpc_pai_ring *r, size_t n)
{
    return (n + IFMA_LANES - 1) / IFMA_LANES * mpc_pai_ifma_digits(r->bits) * 2 * IFMA_LANES;
}

/* Montgomery form of whole numbers: the sum of digits-of-l chunks times R^(j+2) / R, then times R /
 * R to come back below 2 m. Lanes without a number get 0. */
static fm_status ifma_load(const struct mpc_pai_ring *r, uint64_t *z, const mp_limb_t *x,
                           size_t limbs, size_t n, struct base_err *err)
{
    const struct mpc_pai_ifma *c = r->own;
    size_t l = c->l, bits = limbs * 64, per = l * IFMA_DIGIT, chunks = (bits + per - 1) / per;
    size_t words = chunks * l * IFMA_LANES;
    struct mpc_pai_ifma_scratch *s = mpc_pai_ifma_scratch_new(err);
    uint64_t *t = mpc_pai_words_new(words);
    fm_status st = FM_OK;

    assert(chunks <= IFMA_CHUNKS);
    if (s == NULL || t == NULL)
        st = base_err_memory(err, "paillier: load");
    for (size_t g = 0; st == FM_OK && g < n; g += IFMA_LANES) {
        __m512i *to = (__m512i *)(z + g / IFMA_LANES * 2 * l * IFMA_LANES);
        memset(t, 0, words * sizeof *t);
        for (size_t lane = 0; lane < IFMA_LANES && g + lane < n; lane++)
            for (size_t i = 0; i < chunks * l; i++)
                t[i * IFMA_LANES + lane] = digit_of(x + limbs * (g + lane), limbs, i);
        mpc_pai_ifma_combine(c, s, to, (const __m512i *)t, chunks);
        mpc_pai_ifma_mul(c, s, to, to, c->one);
    }
    mpc_pai_words_free(t, words);
    mpc_pai_ifma_scratch_free(s);
    return st;
}

/* u + v m with u, v < 2 m, both made less than m: one from u carries into v. */
static void canonical(mp_limb_t *u, mp_limb_t *v, const struct mpc_pai_ring *r)
{
    mp_limb_t m[LIMBS], borrow;
    size_t n = r->k + 1;

    memcpy(m, r->m, r->k * sizeof *m);
    m[r->k] = 0;
    borrow = mpn_sub_n(u, u, m, (mp_size_t)n);
    (void)mpn_cnd_add_n(borrow, u, u, m, (mp_size_t)n);
    for (size_t i = 0, carry = 1 - borrow; i < n; i++) {
        v[i] += carry;
        carry &= (size_t)(v[i] == 0);
    }
    mpc_pai_limbs_reduce_once(v, m, n);
    base_wipe(m, sizeof m);
}

static fm_status ifma_store(const struct mpc_pai_ring *r, mp_limb_t *lo, mp_limb_t *hi,
                            const uint64_t *z, size_t n, struct base_err *err)
{
    const struct mpc_pai_ifma *c = r->own;
    size_t l = c->l, group = 2 * l * IFMA_LANES;
    struct mpc_pai_ifma_scratch *s = mpc_pai_ifma_scratch_new(err);
    uint64_t *t = mpc_pai_words_new(group);
    mp_limb_t u[LIMBS], v[LIMBS];
    fm_status st = FM_OK;

    if (s == NULL || t == NULL)
        st = base_err_memory(err, "paillier: store");
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        if (i % IFMA_LANES == 0)
            mpc_pai_ifma_mul(c, s, (__m512i *)t, (const __m512i *)(z + i / IFMA_LANES * group),
                             c->unit);
        limbs_of(u, r->k + 1, t, l, i % IFMA_LANES);
        limbs_of(v, r->k + 1, t + l * IFMA_LANES, l, i % IFMA_LANES);
        canonical(u, v, r);
        memcpy(lo + r->k * i, u, r->k * sizeof *lo);
        memcpy(hi + r->k * i, v, r->k * sizeof *hi);
    }
    base_wipe(u, sizeof u);
    base_wipe(v, sizeof v);
    mpc_pai_words_free(t, group);
    mpc_pai_ifma_scratch_free(s);
    return st;
}

static void ifma_move(const struct mpc_pai_ring *r, uint64_t *z, size_t i, const uint64_t *x,
                      size_t j)
{
    size_t digits = 2 * mpc_pai_ifma_digits(r->bits);
    uint64_t *to = z + i / IFMA_LANES * digits * IFMA_LANES + i % IFMA_LANES;
    const uint64_t *from = x + j / IFMA_LANES * digits * IFMA_LANES + j % IFMA_LANES;

    for (size_t d = 0; d < digits; d++)
        to[d * IFMA_LANES] = from[d * IFMA_LANES];
}

static void ifma_pick(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                      const uint64_t *mask, size_t n)
{
    size_t digits = 2 * mpc_pai_ifma_digits(r->bits);

    for (size_t g = 0; g < n; g += IFMA_LANES) {
        __m512i *to = (__m512i *)(z + g * digits);
        const __m512i *from = (const __m512i *)(x + g * digits);
        __mmask8 chosen = 0;
        for (size_t lane = 0; lane < IFMA_LANES && g + lane < n; lane++)
            chosen = (__mmask8)(chosen | (mask[g + lane] & 1) << lane);
        for (size_t d = 0; d < digits; d++)
            to[d] = _mm512_mask_mov_epi64(to[d], chosen, from[d]);
    }
}

static fm_status ifma_mul(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                          const uint64_t *y, size_t n, struct base_err *err)
{
    const struct mpc_pai_ifma *c = r->own;
    struct mpc_pai_ifma_scratch *s = mpc_pai_ifma_scratch_new(err);

    if (s == NULL)
        return err->code;
    for (size_t g = 0; g < n; g += IFMA_LANES) {
        size_t at = g * 2 * c->l;
        mpc_pai_ifma_mul(c, s, (__m512i *)(z + at), (const __m512i *)(x + at),
                         (const __m512i *)(y + at));
    }
    mpc_pai_ifma_scratch_free(s);
    return FM_OK;
}

const struct mpc_pai_ring_ops mpc_pai_ring_ifma = {
    .name = "ifma",
    .prepare = ifma_prepare,
    .release = ifma_release,
    .words = ifma_words,
    .load = ifma_load,
    .store = ifma_store,
    .move = ifma_move,
    .pick = ifma_pick,
    .mul = ifma_mul,
    .mul_var = ifma_mul,
    .pow = mpc_pai_ifma_pow,
    .pow_public = mpc_pai_ifma_pow_public,
    .pow_each = mpc_pai_ifma_pow_each,
    .dot = mpc_pai_ifma_dot,
    .dots = mpc_pai_ifma_dots,
    .table_new = mpc_pai_ifma_table_new,
    .table_pow = mpc_pai_ifma_table_pow,
};
