/* Fixed bases, by a comb (C. H. Lim, P. J. Lee, CRYPTO '94): with F combs and rows of w = 8 teeth,
 * bit F (w t + i) + f of an exponent is bit i of the digit d(t, f), row t of the table holds
 *     T_t[v] = product of base^(2^(F (w t + i))) over the bits i of v,   0 <= v < 256,
 * and the power is product over f of (product over t of T_t[d(t, f)])^(2^f): as many products as
 * digits, F - 1 squarings, and a table that is 1 / F as long as one without combs; each row is read
 * once for all F digits.
 * w: for n of 2048 bits a digit costs a product, 8400 cycles, and 80 digits of 4, 8, 16 or 32
 * cycles to pick for w = 6, 7, 8 or 9: 1450, 1290, 1210 or 1220 cycles a bit.
 *
 * The 256 values of one digit stand side by side in 32 registers: 16 two-register permutations and
 * 15 blends pick each lane's, so that what is read does not depend on what is picked. */
#include <string.h>

#include "base/secret.h"
#include "mpc/paillier/ifma_pow.h"
#include "mpc/paillier/limbs.h"

enum {
    TEETH = 8,
    VALUES = 1 << TEETH,
    REGISTERS = VALUES / IFMA_LANES,
    COMBS_MOST = 4,
    WORDS_ENOUGH = 6 << 17, /* 6 MiB: a larger table gets another comb */
    TOGETHER = 8            /* groups that pass over the table side by side */
};

static size_t row_words(const struct mpc_pai_ifma *c)
{
    return 2 * c->l * VALUES;
}

static size_t rows_of(const struct mpc_pai_table *t)
{
    return (t->bits + t->combs * TEETH - 1) / (t->combs * TEETH);
}

/* z = one lane's number of x, in that lane. */
static void put_lane(__m512i *z, const __m512i *x, unsigned lane, size_t el)
{
    for (size_t d = 0; d < el; d++)
        z[d] = _mm512_mask_mov_epi64(z[d], (__mmask8)(1u << lane), x[d]);
}

/* Eight rows at once, one a lane. tooth: TEETH elements; made: the last value made whose lowest bit
 * is i, for each i, and 1. */
static void fill_rows(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s, uint64_t *rows,
                      size_t count, const __m512i *tooth, __m512i *made)
{
    size_t el = 2 * c->l;

    memcpy(made + TEETH * el, c->one, el * sizeof *made);
    for (unsigned v = 0; v < VALUES; v++) {
        unsigned low = v == 0 ? TEETH : (unsigned)__builtin_ctz(v), rest = v & (v - 1);
        unsigned before = v == 0 || rest == 0 ? TEETH : (unsigned)__builtin_ctz(rest);
        __m512i *value = made + low * el;
        const uint64_t *w = (const uint64_t *)value;
        if (v > 0)
            mpc_pai_ifma_mul(c, s, value, made + before * el, tooth + low * el);
        for (size_t lane = 0; lane < count; lane++)
            for (size_t d = 0; d < el; d++)
                rows[lane * row_words(c) + d * VALUES + v] = w[d * IFMA_LANES + lane];
    }
}

/* base: eight times the base; tooth, made: TEETH and TEETH + 1 elements. */
static void fill_table(const struct mpc_pai_table *t, struct mpc_pai_ifma_scratch *s, __m512i *base,
                       __m512i *tooth, __m512i *made)
{
    const struct mpc_pai_ifma *c = t->ring->own;
    size_t el = 2 * c->l, rows = rows_of(t);

    for (size_t j = 0; j < rows; j += IFMA_LANES) {
        size_t count = rows - j < IFMA_LANES ? rows - j : IFMA_LANES;
        for (unsigned lane = 0; lane < count; lane++)
            for (size_t i = 0; i < TEETH; i++) {
                put_lane(tooth + i * el, base, lane, el);
                for (unsigned f = 0; f < t->combs; f++)
                    mpc_pai_ifma_square(c, s, base, base);
            }
        fill_rows(c, s, t->w + j * row_words(c), count, tooth, made);
    }
}

fm_status mpc_pai_ifma_table_new(const struct mpc_pai_ring *r, struct mpc_pai_table *t,
                                 const mp_limb_t *base, struct base_err *err)
{
    const struct mpc_pai_ifma *c = r->own;
    size_t el = 2 * c->l, words = (2 * TEETH + 2) * el * IFMA_LANES;
    struct mpc_pai_ifma_scratch *s = mpc_pai_ifma_scratch_new(err);
    __m512i *all = (__m512i *)mpc_pai_words_new(words);
    fm_status st = s != NULL && all != NULL ? FM_OK : base_err_memory(err, "paillier: table");
    mp_limb_t *same = mpc_pai_words_new(2 * r->k * IFMA_LANES);

    t->combs = 1;
    while (t->combs < COMBS_MOST && rows_of(t) * row_words(c) > WORDS_ENOUGH)
        t->combs *= 2;
    t->words = rows_of(t) * row_words(c);
    t->w = mpc_pai_words_new(t->words);
    if (st == FM_OK && (t->w == NULL || same == NULL))
        st = base_err_memory(err, "paillier: table");
    for (size_t i = 0; st == FM_OK && i < IFMA_LANES; i++)
        memcpy(same + 2 * r->k * i, base, 2 * r->k * sizeof *same);
    if (st == FM_OK)
        st = r->ops->load(r, (uint64_t *)all, same, 2 * r->k, IFMA_LANES, err);
    if (st == FM_OK)
        fill_table(t, s, all, all + el, all + (1 + TEETH) * el);
    mpc_pai_words_free(same, 2 * r->k * IFMA_LANES);
    mpc_pai_words_free((uint64_t *)all, words);
    mpc_pai_ifma_scratch_free(s);
    return st;
}

/* Which of the values each lane takes: bits 0 to 3 steer the permutations. */
struct which {
    __m512i value;
    __mmask8 bit[TEETH];
};

static inline __m512i pick_64(const __m512i *p, const struct which *which)
{
    __m512i a = _mm512_permutex2var_epi64(p[0], which->value, p[1]);
    __m512i b = _mm512_permutex2var_epi64(p[2], which->value, p[3]);
    __m512i e = _mm512_permutex2var_epi64(p[4], which->value, p[5]);
    __m512i f = _mm512_permutex2var_epi64(p[6], which->value, p[7]);

    a = _mm512_mask_mov_epi64(a, which->bit[4], b);
    e = _mm512_mask_mov_epi64(e, which->bit[4], f);
    return _mm512_mask_mov_epi64(a, which->bit[5], e);
}

static inline __m512i pick_128(const __m512i *p, const struct which *which)
{
    return _mm512_mask_mov_epi64(pick_64(p, which), which->bit[6],
                                 pick_64(p + REGISTERS / 4, which));
}

/* z = each lane's value of the digits [from, from + IFMA_TILE). */
static void pick_tile(__m512i *z, const uint64_t *row, size_t from, const struct which *which)
{
    const __m512i *p = (const __m512i *)row + from * REGISTERS;

    for (size_t d = from; d < from + IFMA_TILE; d++, p += REGISTERS)
        z[d] = _mm512_mask_mov_epi64(pick_128(p, which), which->bit[7],
                                     pick_128(p + REGISTERS / 2, which));
}

/* For n groups, tile by tile, so that each line of the row comes from far away once; the next row
 * is asked for meanwhile (an address past the last row is never read). */
static void pick(const struct mpc_pai_ifma *c, __m512i *z, const uint64_t *row,
                 const struct which *which, size_t n)
{
    size_t el = 2 * c->l, tile_words = (size_t)IFMA_TILE * VALUES;

    for (size_t d = 0; d < el; d += IFMA_TILE) {
        const char *next = (const char *)(row + row_words(c) + d * VALUES);
        for (size_t g = 0; g < n; g++)
            pick_tile(z + g * el, row, d, &which[g]);
        for (size_t i = 0; i < tile_words * 8; i += 64)
            _mm_prefetch(next + i, _MM_HINT_T1);
    }
}

/* The digits d(row, comb) of `lanes` exponents; 0 in the lanes past them. */
static struct which which_of(const struct mpc_pai_table *t, const mp_limb_t *e, size_t lanes,
                             size_t row, size_t comb)
{
    uint64_t w[IFMA_LANES] = {0};
    size_t limbs = (t->bits + 63) / 64;
    struct which which;

    for (size_t i = 0; i < TEETH; i++) {
        size_t at = t->combs * (TEETH * row + i) + comb;
        for (size_t lane = 0; at < t->bits && lane < IFMA_LANES && lane < lanes; lane++)
            w[lane] |= (e[limbs * lane + at / 64] >> at % 64 & 1) << i;
    }
    which.value = _mm512_loadu_si512(w);
    for (int i = 0; i < TEETH; i++)
        which.bit[i] = _mm512_test_epi64_mask(which.value, _mm512_set1_epi64(1LL << i));
    base_wipe(w, sizeof w);
    return which;
}

/* At most TOGETHER groups. entry, acc: an element for each of them and comb. */
static void pow_together(const struct mpc_pai_table *t, struct mpc_pai_ifma_scratch *s, __m512i *z,
                         const mp_limb_t *e, size_t n, __m512i *entry, __m512i *acc)
{
    const struct mpc_pai_ifma *c = t->ring->own;
    size_t el = 2 * c->l, limbs = (t->bits + 63) / 64, groups = (n + IFMA_LANES - 1) / IFMA_LANES;
    struct which which[COMBS_MOST * TOGETHER];

    for (size_t row = 0; row < rows_of(t); row++) {
        for (size_t i = 0; i < t->combs * groups; i++) {
            size_t at = i % groups * IFMA_LANES;
            which[i] = which_of(t, e + limbs * at, n - at, row, i / groups);
        }
        pick(c, row == 0 ? acc : entry, t->w + row * row_words(c), which, t->combs * groups);
        for (size_t i = 0; row > 0 && i < t->combs * groups; i++)
            mpc_pai_ifma_mul(c, s, acc + i * el, acc + i * el, entry + i * el);
    }
    for (size_t f = t->combs - 1; f > 0; f--)
        for (size_t g = 0; g < groups; g++) {
            __m512i *sum = acc + ((t->combs - 1) * groups + g) * el;
            mpc_pai_ifma_square(c, s, sum, sum);
            mpc_pai_ifma_mul(c, s, sum, sum, acc + ((f - 1) * groups + g) * el);
        }
    memcpy(z, acc + (t->combs - 1) * groups * el, groups * el * sizeof *z);
    base_wipe(which, sizeof which);
}

fm_status mpc_pai_ifma_table_pow(const struct mpc_pai_table *t, uint64_t *z, const mp_limb_t *e,
                                 size_t n, struct base_err *err)
{
    const struct mpc_pai_ifma *c = t->ring->own;
    size_t el = 2 * c->l, limbs = (t->bits + 63) / 64, step = TOGETHER * IFMA_LANES;
    size_t most = TOGETHER * t->combs * el, words = 2 * most * IFMA_LANES;
    struct mpc_pai_ifma_scratch *s = mpc_pai_ifma_scratch_new(err);
    __m512i *entry = (__m512i *)mpc_pai_words_new(words);
    fm_status st = s != NULL && entry != NULL ? FM_OK : base_err_memory(err, "paillier: table");

    for (size_t from = 0; st == FM_OK && from < n; from += step)
        pow_together(t, s, (__m512i *)(z + from * el), e + limbs * from,
                     n - from < step ? n - from : step, entry, entry + most);
    mpc_pai_words_free((uint64_t *)entry, words);
    mpc_pai_ifma_scratch_free(s);
    return st;
}
