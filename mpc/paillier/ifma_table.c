/* Fixed bases. Row j of a table holds base^(v 2^(6 j)) for 0 <= v < 64, digit by digit: the 64
 * values of one digit stand side by side in eight registers, and four two-register permutations and
 * three blends pick each lane's: what is read does not depend on what is picked. */
#include <string.h>

#include "base/secret.h"
#include "mpc/paillier/ifma_pow.h"
#include "mpc/paillier/limbs.h"

enum {
    BITS = 6,
    VALUES = 1 << BITS,
    REGISTERS = VALUES / IFMA_LANES,
    TOGETHER =
        8 /* groups that pass over the table side by side, so that a row is read into cache once */
};

static size_t row_words(const struct mpc_pai_ifma *c)
{
    return 2 * c->l * VALUES;
}

/* Eight rows at once, one a lane: power holds their bases. */
static void fill_rows(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s, uint64_t *rows,
                      size_t count, const __m512i *power, __m512i *value)
{
    size_t el = 2 * c->l;

    memcpy(value, c->one, el * sizeof *value);
    for (size_t v = 0; v < VALUES; v++) {
        const uint64_t *w = (const uint64_t *)value;
        for (size_t lane = 0; lane < count; lane++)
            for (size_t d = 0; d < el; d++)
                rows[lane * row_words(c) + d * VALUES + v] = w[d * IFMA_LANES + lane];
        mpc_pai_ifma_mul(c, s, value, value, power);
    }
}

static void fill_table(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s, uint64_t *w,
                       size_t rows, __m512i *base, __m512i *power, __m512i *value)
{
    size_t el = 2 * c->l;

    for (size_t j = 0; j < rows; j += IFMA_LANES) {
        size_t count = rows - j < IFMA_LANES ? rows - j : IFMA_LANES;
        for (unsigned lane = 0; lane < IFMA_LANES; lane++) {
            for (size_t d = 0; d < el; d++)
                power[d] = _mm512_mask_mov_epi64(power[d], (__mmask8)(1u << lane), base[d]);
            for (int i = 0; i < BITS; i++)
                mpc_pai_ifma_square(c, s, base, base);
        }
        fill_rows(c, s, w + j * row_words(c), count, power, value);
    }
}

fm_status mpc_pai_ifma_table_new(const struct mpc_pai_ring *r, struct mpc_pai_table *t,
                                 const mp_limb_t *base, struct base_err *err)
{
    const struct mpc_pai_ifma *c = r->own;
    size_t el = 2 * c->l, rows = (t->bits + BITS - 1) / BITS, words = 3 * el * IFMA_LANES;
    struct mpc_pai_ifma_scratch *s = mpc_pai_ifma_scratch_new(err);
    __m512i *power = (__m512i *)mpc_pai_words_new(words);
    fm_status st = s != NULL && power != NULL ? FM_OK : base_err_memory(err, "paillier: table");
    mp_limb_t *same = mpc_pai_words_new(2 * r->k * IFMA_LANES);

    t->words = rows * row_words(c);
    t->w = mpc_pai_words_new(t->words);
    if (st == FM_OK && (t->w == NULL || same == NULL))
        st = base_err_memory(err, "paillier: table");
    for (size_t i = 0; st == FM_OK && i < IFMA_LANES; i++)
        memcpy(same + 2 * r->k * i, base, 2 * r->k * sizeof *same);
    if (st == FM_OK)
        st = r->ops->load(r, (uint64_t *)(power + el), same, 2 * r->k, IFMA_LANES, err);
    if (st == FM_OK)
        fill_table(c, s, t->w, rows, power + el, power, power + 2 * el);
    mpc_pai_words_free(same, 2 * r->k * IFMA_LANES);
    mpc_pai_words_free((uint64_t *)power, words);
    mpc_pai_ifma_scratch_free(s);
    return st;
}

/* z = each lane's value of the digits [from, from + IFMA_TILE). */
static void pick_tile(__m512i *z, const uint64_t *row, size_t from, __m512i which)
{
    const __m512i *p = (const __m512i *)row + from * REGISTERS;
    __mmask8 odd = _mm512_test_epi64_mask(which, _mm512_set1_epi64(16));
    __mmask8 upper = _mm512_test_epi64_mask(which, _mm512_set1_epi64(32));

    for (size_t d = from; d < from + IFMA_TILE; d++, p += REGISTERS) {
        __m512i a = _mm512_permutex2var_epi64(p[0], which, p[1]);
        __m512i b = _mm512_permutex2var_epi64(p[2], which, p[3]);
        __m512i e = _mm512_permutex2var_epi64(p[4], which, p[5]);
        __m512i f = _mm512_permutex2var_epi64(p[6], which, p[7]);
        a = _mm512_mask_mov_epi64(a, odd, b);
        e = _mm512_mask_mov_epi64(e, odd, f);
        z[d] = _mm512_mask_mov_epi64(a, upper, e);
    }
}

/* For all groups, tile by tile, so that each line of the row comes from far away once; the next row
 * is asked for meanwhile (an address past the last row is never read). */
static void pick(const struct mpc_pai_ifma *c, __m512i *z, const uint64_t *row,
                 const __m512i *which, size_t groups)
{
    size_t el = 2 * c->l, tile_words = (size_t)IFMA_TILE * VALUES;

    for (size_t d = 0; d < el; d += IFMA_TILE) {
        const char *next = (const char *)(row + row_words(c) + d * VALUES);
        for (size_t g = 0; g < groups; g++)
            pick_tile(z + g * el, row, d, which[g]);
        for (size_t i = 0; i < tile_words * 8; i += 64)
            _mm_prefetch(next + i, _MM_HINT_T1);
    }
}

static __m512i sixes(const mp_limb_t *e, size_t limbs, size_t lanes, size_t at)
{
    uint64_t w[IFMA_LANES] = {0};
    size_t limb = at / 64, shift = at % 64;
    __m512i all;

    for (size_t i = 0; i < IFMA_LANES && i < lanes; i++, e += limbs) {
        w[i] = e[limb] >> shift;
        if (shift + BITS > 64 && limb + 1 < limbs)
            w[i] |= e[limb + 1] << (64 - shift);
        w[i] &= VALUES - 1;
    }
    all = _mm512_loadu_si512(w);
    base_wipe(w, sizeof w);
    return all;
}

/* At most TOGETHER groups. entry: one element for each. */
static void pow_together(const struct mpc_pai_table *t, struct mpc_pai_ifma_scratch *s, uint64_t *z,
                         const mp_limb_t *e, size_t n, __m512i *entry)
{
    const struct mpc_pai_ifma *c = t->ring->own;
    size_t el = 2 * c->l, limbs = (t->bits + 63) / 64, groups = (n + IFMA_LANES - 1) / IFMA_LANES;
    const uint64_t *row = t->w;
    __m512i which[TOGETHER];

    for (size_t at = 0; at < t->bits; at += BITS, row += row_words(c)) {
        for (size_t g = 0; g < groups; g++)
            which[g] = sixes(e + limbs * g * IFMA_LANES, limbs, n - g * IFMA_LANES, at);
        pick(c, at == 0 ? (__m512i *)z : entry, row, which, groups);
        for (size_t g = 0; at > 0 && g < groups; g++) {
            __m512i *acc = (__m512i *)z + g * el;
            mpc_pai_ifma_mul(c, s, acc, acc, entry + g * el);
        }
    }
    base_wipe(which, sizeof which);
}

fm_status mpc_pai_ifma_table_pow(const struct mpc_pai_table *t, uint64_t *z, const mp_limb_t *e,
                                 size_t n, struct base_err *err)
{
    const struct mpc_pai_ifma *c = t->ring->own;
    size_t el = 2 * c->l, limbs = (t->bits + 63) / 64, words = TOGETHER * el * IFMA_LANES;
    size_t step = TOGETHER * IFMA_LANES;
    struct mpc_pai_ifma_scratch *s = mpc_pai_ifma_scratch_new(err);
    __m512i *entry = (__m512i *)mpc_pai_words_new(words);
    fm_status st = s != NULL && entry != NULL ? FM_OK : base_err_memory(err, "paillier: table");

    for (size_t from = 0; st == FM_OK && from < n; from += step)
        pow_together(t, s, z + from * el, e + limbs * from, n - from < step ? n - from : step,
                     entry);
    mpc_pai_words_free((uint64_t *)entry, words);
    mpc_pai_ifma_scratch_free(s);
    return st;
}
