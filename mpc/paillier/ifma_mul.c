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

/* A quotient's digits depend on each other one by one; what stands after it in each round does not
 * depend on them, and fills the time. */
void mpc_pai_ifma_mul(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s, __m512i *z,
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
    normalise(z, s->t + l, s->w + l, l);
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
