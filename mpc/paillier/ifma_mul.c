/* The kernel: ifma.h derives it. */
#include "mpc/paillier/ifma.h"

#include <stdbool.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 10")

enum { T = IFMA_TILE, SELECT = 0xCA /* a ? b : c, bit by bit */ };
/* What a sweep finds in the columns that it stands over: what is in memory; that, but in the last
 * ten nothing; nothing; or what w begins with (ifma.h) and in the last ten nothing. */
enum found { ALL, ALL_BUT_LAST, NOTHING, BEGINNING };

INLINE __m512i lo(__m512i sum, __m512i a, __m512i b)
{
    return _mm512_madd52lo_epu64(sum, a, b);
}

INLINE __m512i hi(__m512i sum, __m512i a, __m512i b)
{
    return _mm512_madd52hi_epu64(sum, a, b);
}

/* Ten digits y times the tile a, added to the columns that the window w stands over. Each step the
 * lowest column is finished, goes to memory, and its register takes the next one, of `next` (NULL:
 * nothing was there). */
INLINE void block_near(__m512i w[T], __m512i *t, const __m512i a[T], const __m512i *y, __m512i near,
                       const __m512i *next)
{
    UNROLL for (int s = 0; s < T; s++)
    {
        __m512i d = y[s], last = s == 0 ? near : d; /* what a[T - 1] is multiplied by */
        UNROLL for (int i = 0; i < T; i++) w[(s + i) % T] =
            lo(w[(s + i) % T], a[i], i == T - 1 ? last : d);
        t[s] = w[s];
        UNROLL for (int i = 0; i + 1 < T; i++) w[(s + i + 1) % T] = hi(w[(s + i + 1) % T], a[i], d);
        w[s] = hi(next == NULL ? _mm512_setzero_si512() : next[s], a[T - 1], last);
    }
}

INLINE void block(__m512i w[T], __m512i *t, const __m512i a[T], const __m512i *y,
                  const __m512i *next)
{
    block_near(w, t, a, y, y[0], next);
}

/* The tile times itself, each product of two different digits once, by twice the other: bit 0 of
 * `twice` is the bit that its neighbour below carried over, which a neighbour must not count. */
INLINE void diagonal(__m512i w[T], __m512i *t, const __m512i a[T], const __m512i *twice,
                     const __m512i *next)
{
    const __m512i even = _mm512_set1_epi64((long long)(IFMA_MASK - 1));

    UNROLL for (int s = 0; s < T; s++)
    {
        __m512i d = twice[s], near = _mm512_and_si512(d, even);
        UNROLL for (int i = 0; i <= s; i++) w[(s + i) % T] = lo(w[(s + i) % T], a[i],
                                                                i == s       ? a[i]
                                                                : i + 1 == s ? near
                                                                             : d);
        t[s] = w[s];
        w[s] = next == NULL ? _mm512_setzero_si512() : next[s];
        UNROLL for (int i = 0; i <= s; i++) w[(s + i + 1) % T] = hi(w[(s + i + 1) % T], a[i],
                                                                    i == s       ? a[i]
                                                                    : i + 1 == s ? near
                                                                                 : d);
    }
}

INLINE void window_load(__m512i w[T], const __m512i *t)
{
    UNROLL for (int i = 0; i < T; i++) w[i] = t == NULL ? _mm512_setzero_si512() : t[i];
}

INLINE void window_store(__m512i *t, const __m512i w[T])
{
    UNROLL for (int i = 0; i < T; i++) t[i] = w[i];
}

/* t += tile * y, y of l digits. */
INLINE void sweep_inline(__m512i *t, const __m512i *tile, const __m512i *y, size_t l,
                         enum found found, const __m512i *beginning)
{
    const __m512i *from = found == NOTHING ? NULL : found == BEGINNING ? beginning : t;
    __m512i w[T], a[T];
    size_t j = 0;

    window_load(a, tile);
    window_load(w, from);
    for (; j + T < l; j += T)
        block(w, t + j, a, y + j, from == NULL ? NULL : from + j + T);
    block(w, t + j, a, y + j, found == ALL ? t + j + T : NULL);
    window_store(t + l, w);
}

static void sweep(__m512i *t, const __m512i *tile, const __m512i *y, size_t l)
{
    sweep_inline(t, tile, y, l, ALL, NULL);
}

static void sweep_later(__m512i *t, const __m512i *tile, const __m512i *y, size_t l)
{
    sweep_inline(t, tile, y, l, ALL_BUT_LAST, NULL);
}

static void sweep_empty(__m512i *t, const __m512i *tile, const __m512i *y, size_t l)
{
    sweep_inline(t, tile, y, l, NOTHING, NULL);
}

static void sweep_beginning(__m512i *t, const __m512i *tile, const __m512i *y, size_t l,
                            const __m512i *beginning)
{
    sweep_inline(t, tile, y, l, BEGINNING, beginning);
}

/* The first sweep over a tile's columns: of t, and of w. */
static void sweep_t(__m512i *t, const __m512i *tile, const __m512i *y, size_t l, bool first)
{
    if (first)
        sweep_empty(t, tile, y, l);
    else
        sweep_later(t, tile, y, l);
}

static void sweep_w(__m512i *w, const __m512i *tile, const __m512i *y, size_t l, bool first,
                    const struct mpc_pai_ifma *c)
{
    if (first)
        sweep_beginning(w, tile, y, l, c->e);
    else
        sweep_later(w, tile, y, l);
}

/* t += tile * (tile, then twice the digits above it), l digits from the tile on. The first of those
 * is its neighbour's alone without the bit that the neighbour carried. */
INLINE void sweep_square_inline(__m512i *t, const __m512i *tile, const __m512i *twice, size_t l,
                                bool first)
{
    const __m512i even = _mm512_set1_epi64((long long)(IFMA_MASK - 1)), *from = first ? NULL : t;
    __m512i w[T], a[T];

    window_load(a, tile);
    window_load(w, from);
    if (l == T) {
        diagonal(w, t, a, twice, NULL);
    } else {
        __m512i near = _mm512_and_si512(twice[T], even);
        size_t j = T;
        diagonal(w, t, a, twice, first ? NULL : t + T);
        if (l == 2 * T) {
            block_near(w, t + j, a, twice + j, near, NULL);
        } else {
            block_near(w, t + j, a, twice + j, near, first ? NULL : t + 2 * T);
            for (j += T; j + T < l; j += T)
                block(w, t + j, a, twice + j, first ? NULL : t + j + T);
            block(w, t + j, a, twice + j, NULL);
        }
    }
    window_store(t + l, w);
}

static void sweep_square_first(__m512i *t, const __m512i *tile, const __m512i *twice, size_t l)
{
    sweep_square_inline(t, tile, twice, l, true);
}

static void sweep_square(__m512i *t, const __m512i *tile, const __m512i *twice, size_t l,
                         bool first)
{
    if (first)
        sweep_square_first(t, tile, twice, l);
    else
        sweep_square_inline(t, tile, twice, l, false);
}

/* The ten quotient digits that clear columns t[0..T), to q; what they carry into column T goes
 * there. A column that becomes 0 mod 2^52 carries its upper part, and one more unless it was 0
 * before. */
static void quotient(const struct mpc_pai_ifma *c, __m512i *q, __m512i *t)
{
    const __m512i mask = _mm512_set1_epi64((long long)IFMA_MASK), zero = _mm512_setzero_si512();
    __m512i w[T], carry = zero;

    window_load(w, t);
    UNROLL for (int i = 0; i < T; i++)
    {
        __m512i sum = _mm512_add_epi64(w[i], carry), d = lo(zero, sum, c->n0);
        q[i] = d;
        carry = _mm512_srli_epi64(_mm512_add_epi64(sum, mask), IFMA_DIGIT);
        if (i + 1 < T)
            carry = hi(carry, d, c->m[0]);
        UNROLL for (int k = 1; k < T - i; k++)
        {
            w[i + k] = lo(w[i + k], d, c->m[k]);
            if (i + k + 1 < T)
                w[i + k + 1] = hi(w[i + k + 1], d, c->m[k]);
        }
    }
    t[T] = _mm512_add_epi64(t[T], carry);
}

/* The same for w less ten digits, where each column holds 2^52 - 1 too much, so that its upper part
 * is what it carries: the low digit of (column + 1) n0 is that of column n0, and n0. */
static void quotient_less(const struct mpc_pai_ifma *c, __m512i *q, __m512i *t, const __m512i *less)
{
    __m512i w[T], carry = _mm512_setzero_si512();

    UNROLL for (int i = 0; i < T; i++) w[i] = _mm512_sub_epi64(t[i], less[i]);
    UNROLL for (int i = 0; i < T; i++)
    {
        __m512i sum = _mm512_add_epi64(w[i], carry), d = lo(c->n0, sum, c->n0);
        q[i] = d;
        carry = _mm512_srli_epi64(sum, IFMA_DIGIT);
        if (i + 1 < T)
            carry = hi(carry, d, c->m[0]);
        UNROLL for (int k = 1; k < T - i; k++)
        {
            w[i + k] = lo(w[i + k], d, c->m[k]);
            if (i + k + 1 < T)
                w[i + k + 1] = hi(w[i + k + 1], d, c->m[k]);
        }
    }
    t[T] = _mm512_add_epi64(t[T], carry);
}

/* The rest of t += q m, columns T and up. */
static void quotient_rest(const struct mpc_pai_ifma *c, __m512i *t, const __m512i *q)
{
    __m512i w[T], a[T];

    window_load(a, q);
    window_load(w, t + T);
    UNROLL for (int k = 0; k < T; k++)
    {
        __m512i d = c->m[k];
        w[0] = hi(w[0], a[T - 1 - k], d);
        UNROLL for (int i = T - k; i < T; i++)
        {
            w[i + k - T] = lo(w[i + k - T], a[i], d);
            w[i + k - T + 1] = hi(w[i + k - T + 1], a[i], d);
        }
    }
    for (size_t j = T; j < c->l; j += T)
        block(w, t + j, a, c->m + j, t + j + T);
    window_store(t + c->l, w);
}

/* Carries, both halves side by side. */
static void normalise(__m512i *z, const __m512i *t, const __m512i *w, size_t l)
{
    __m512i a = _mm512_setzero_si512(), b = a;

    for (size_t i = 0; i < l; i++) {
        a = _mm512_add_epi64(a, t[i]);
        b = _mm512_add_epi64(b, w[i]);
        z[i] = a;
        z[l + i] = b;
        a = _mm512_srli_epi64(a, IFMA_DIGIT);
        b = _mm512_srli_epi64(b, IFMA_DIGIT);
    }
}

/* Digits of 2 x. */
static void double_digits(__m512i *z, const __m512i *x, size_t l)
{
    const __m512i above = _mm512_set1_epi64(-2);
    __m512i below = _mm512_setzero_si512();

    for (size_t i = 0; i < l; i++) {
        __m512i a = x[i];
        z[i] = _mm512_ternarylogic_epi64(above, _mm512_slli_epi64(a, 1), below, SELECT);
        below = _mm512_srli_epi64(a, IFMA_DIGIT - 1);
    }
}

/* ---- Karatsuba's way, once: for l a multiple of twenty, at least forty ---- */

/* Half as many digits: both halves' sum; and what it carries. */
struct half_sum {
    __m512i *d;
    __mmask8 carry;
};

static struct half_sum half_sum(__m512i *z, const __m512i *x, size_t h)
{
    const __m512i mask = _mm512_set1_epi64((long long)IFMA_MASK);
    __m512i sum, carry = _mm512_setzero_si512();

    for (size_t i = 0; i < h; i++) {
        sum = _mm512_add_epi64(_mm512_and_si512(x[i], mask), _mm512_and_si512(x[h + i], mask));
        sum = _mm512_add_epi64(sum, carry);
        z[i] = _mm512_and_si512(sum, mask);
        carry = _mm512_srli_epi64(sum, IFMA_DIGIT);
    }
    return (struct half_sum){z, _mm512_test_epi64_mask(carry, carry)};
}

/* The three products of the halves of x and y: low and high ones to t, that of their sums to mid;
 * the first ones there, or added. */
static void halves(__m512i *t, __m512i *mid, const __m512i *x, const __m512i *y,
                   const struct half_sum *sx, const struct half_sum *sy, size_t h, bool first)
{
    for (size_t k = 0; k < h; k += T)
        if (first) {
            sweep_t(t + k, x + k, y, h, k == 0);
            sweep_t(t + 2 * h + k, x + h + k, y + h, h, k == 0);
            sweep_t(mid + k, sx->d + k, sy->d, h, k == 0);
        } else {
            sweep(t + k, x + k, y, h);
            sweep(t + 2 * h + k, x + h + k, y + h, h);
            sweep(mid + k, sx->d + k, sy->d, h);
        }
    if (first)
        mid[2 * h] = _mm512_setzero_si512();
    for (size_t i = 0; i < h; i++) {
        __m512i m = _mm512_mask_add_epi64(mid[h + i], sx->carry, mid[h + i], sy->d[i]);
        mid[h + i] = _mm512_mask_add_epi64(m, sy->carry, m, sx->d[i]);
    }
    mid[2 * h] =
        _mm512_mask_add_epi64(mid[2 * h], sx->carry & sy->carry, mid[2 * h], _mm512_set1_epi64(1));
}

/* t += (mid - low - high) 2^(52 h). So that no column is negative where it is looked at, each gets
 * 2^61, which the next gives back. */
static void join(__m512i *t, __m512i *mid, size_t h)
{
    const __m512i more = _mm512_set1_epi64(1LL << 61), back = _mm512_set1_epi64(1LL << 9);
    const __m512i both = _mm512_sub_epi64(more, back);

    for (size_t i = 0; i < 2 * h; i++) {
        __m512i less = _mm512_sub_epi64(i == 0 ? more : both, _mm512_add_epi64(t[i], t[2 * h + i]));
        mid[i] = _mm512_add_epi64(mid[i], less);
    }
    for (size_t i = 0; i < 2 * h; i++)
        t[h + i] = _mm512_add_epi64(t[h + i], mid[i]);
    t[3 * h] = _mm512_add_epi64(t[3 * h], _mm512_sub_epi64(mid[2 * h], back));
}

/* z = x y / R by halves: 75 % of the multiply-adds of the three products of l digits, as many as
 * before for the reductions, and 24 additions a digit. A squaring would gain nothing. */
static void mul_by_halves(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s,
                          const __m512i *x, const __m512i *y)
{
    size_t l = c->l, h = l / 2;
    struct half_sum x0 = half_sum(s->sum[0], x, h), x1 = half_sum(s->sum[1], x + l, h);
    struct half_sum y0 = half_sum(s->sum[2], y, h), y1 = half_sum(s->sum[3], y + l, h);

    halves(s->t, s->mid, x, y, &x0, &y0, h, true);
    join(s->t, s->mid, h);
    halves(s->w, s->mid, x, y + l, &x0, &y1, h, true);
    halves(s->w, s->mid, x + l, y, &x1, &y0, h, false);
    join(s->w, s->mid, h);
    for (size_t i = 0; i < l; i++)
        s->w[i] = _mm512_add_epi64(s->w[i], c->e[i]);
    for (size_t k = 0; k < l; k += T) {
        quotient(c, s->q, s->t + k);
        if (k > 0)
            quotient_rest(c, s->w + k - T, s->q + T);
        quotient_less(c, s->q + T, s->w + k, s->q);
        quotient_rest(c, s->t + k, s->q);
    }
    quotient_rest(c, s->w + l - T, s->q + T);
}

static void mul_by_tiles(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s,
                         const __m512i *x, const __m512i *y)
{
    size_t l = c->l;

    for (size_t k = 0; k < l; k += T) {
        __m512i *t = s->t + k, *w = s->w + k;
        sweep_t(t, x + k, y, l, k == 0);
        quotient(c, s->q, t);
        sweep_w(w, x + k, y + l, l, k == 0, c);
        sweep(w, x + l + k, y, l);
        quotient_less(c, s->q + T, w, s->q);
        quotient_rest(c, t, s->q);
        quotient_rest(c, w, s->q + T);
    }
}

/* A quotient's digits depend on each other one by one; what stands after it in each round does not
 * depend on them, and fills the time. */
void mpc_pai_ifma_mul(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s, __m512i *z,
                      const __m512i *x, const __m512i *y)
{
    if (c->l >= 4 * T && c->l % (2 * T) == 0)
        mul_by_halves(c, s, x, y);
    else
        mul_by_tiles(c, s, x, y);
    normalise(z, s->t + c->l, s->w + c->l, c->l);
}

void mpc_pai_ifma_square(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s, __m512i *z,
                         const __m512i *x)
{
    size_t l = c->l;

    double_digits(s->twice, x, l);
    for (size_t k = 0; k < l; k += T) {
        __m512i *t = s->t + k, *w = s->w + k;
        sweep_square(t + k, x + k, s->twice + k, l - k, k == 0);
        quotient(c, s->q, t);
        sweep_w(w, x + l + k, s->twice, l, k == 0, c);
        quotient_less(c, s->q + T, w, s->q);
        quotient_rest(c, t, s->q);
        quotient_rest(c, w, s->q + T);
    }
    normalise(z, s->t + l, s->w + l, l);
}

void mpc_pai_ifma_combine(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s, __m512i *z,
                          const __m512i *x, size_t chunks)
{
    size_t l = c->l;

    for (size_t k = 0; k < l; k += T) {
        __m512i *t = s->t + k, *w = s->w + k;
        for (size_t j = 0; j < chunks; j++) {
            const __m512i *tile = x + j * l + k;
            if (j == 0)
                sweep_t(t, tile, c->k[j], l, k == 0);
            else
                sweep(t, tile, c->k[j], l);
            if (j == 0)
                sweep_w(w, tile, c->k[j] + l, l, k == 0, c);
            else
                sweep(w, tile, c->k[j] + l, l);
        }
        quotient(c, s->q, t);
        quotient_less(c, s->q + T, w, s->q);
        quotient_rest(c, t, s->q);
        quotient_rest(c, w, s->q + T);
    }
    normalise(z, s->t + l, s->w + l, l);
}
