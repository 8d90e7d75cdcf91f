/* The kernel: ifma.h derives it. */
#include "mpc/paillier/ifma.h"

#include <stdbool.h>

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 10")

enum { T = IFMA_TILE };
enum fresh { NOTHING, LAST, ALL }; /* which of the columns that a sweep meets were never written */

INLINE __m512i lo(__m512i sum, __m512i a, __m512i b)
{
    return _mm512_madd52lo_epu64(sum, a, b);
}

INLINE __m512i hi(__m512i sum, __m512i a, __m512i b)
{
    return _mm512_madd52hi_epu64(sum, a, b);
}

/* Ten digits y times the tile a, added to the columns that the window w stands over. Each step the
 * lowest column is finished, goes to memory, and its register takes the next one. */
INLINE void block_near(__m512i w[T], __m512i *t, const __m512i a[T], const __m512i *y, __m512i near,
                       bool fresh)
{
    UNROLL for (int s = 0; s < T; s++)
    {
        __m512i d = y[s], last = s == 0 ? near : d; /* what a[T - 1] is multiplied by */
        UNROLL for (int i = 0; i < T; i++) w[(s + i) % T] =
            lo(w[(s + i) % T], a[i], i == T - 1 ? last : d);
        t[s] = w[s];
        UNROLL for (int i = 0; i + 1 < T; i++) w[(s + i + 1) % T] = hi(w[(s + i + 1) % T], a[i], d);
        w[s] = hi(fresh ? _mm512_setzero_si512() : t[s + T], a[T - 1], last);
    }
}

INLINE void block(__m512i w[T], __m512i *t, const __m512i a[T], const __m512i *y, bool fresh)
{
    block_near(w, t, a, y, y[0], fresh);
}

/* The tile times itself, each product of two different digits once, by twice the other: bit 0 of
 * `twice` is the bit that its neighbour below carried over, which a neighbour must not count. */
INLINE void diagonal(__m512i w[T], __m512i *t, const __m512i a[T], const __m512i *twice, bool fresh)
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
        w[s] = fresh ? _mm512_setzero_si512() : t[s + T];
        UNROLL for (int i = 0; i <= s; i++) w[(s + i + 1) % T] = hi(w[(s + i + 1) % T], a[i],
                                                                    i == s       ? a[i]
                                                                    : i + 1 == s ? near
                                                                                 : d);
    }
}

INLINE void window_load(__m512i w[T], const __m512i *t, bool fresh)
{
    UNROLL for (int i = 0; i < T; i++) w[i] = fresh ? _mm512_setzero_si512() : t[i];
}

INLINE void window_store(__m512i *t, const __m512i w[T])
{
    UNROLL for (int i = 0; i < T; i++) t[i] = w[i];
}

/* t += tile * y, y of l digits. */
INLINE void sweep_inline(__m512i *t, const __m512i *tile, const __m512i *y, size_t l,
                         enum fresh fresh)
{
    __m512i w[T], a[T];
    size_t j = 0;

    window_load(a, tile, false);
    window_load(w, t, fresh == ALL);
    for (; j + T < l; j += T)
        block(w, t + j, a, y + j, fresh == ALL);
    block(w, t + j, a, y + j, fresh != NOTHING);
    window_store(t + l, w);
}

static void sweep(__m512i *t, const __m512i *tile, const __m512i *y, size_t l)
{
    sweep_inline(t, tile, y, l, NOTHING);
}

static void sweep_last(__m512i *t, const __m512i *tile, const __m512i *y, size_t l)
{
    sweep_inline(t, tile, y, l, LAST);
}

static void sweep_all(__m512i *t, const __m512i *tile, const __m512i *y, size_t l)
{
    sweep_inline(t, tile, y, l, ALL);
}

static void sweep_first(__m512i *t, const __m512i *tile, const __m512i *y, size_t l, bool first)
{
    if (first)
        sweep_all(t, tile, y, l);
    else
        sweep_last(t, tile, y, l);
}

/* t += tile * (tile, then twice the digits above it), l digits from the tile on. The first of those
 * is its neighbour's alone without the bit that the neighbour carried. */
INLINE void sweep_square_inline(__m512i *t, const __m512i *tile, const __m512i *twice, size_t l,
                                bool first)
{
    const __m512i even = _mm512_set1_epi64((long long)(IFMA_MASK - 1));
    __m512i w[T], a[T];

    window_load(a, tile, false);
    window_load(w, t, first);
    if (l == T) {
        diagonal(w, t, a, twice, true);
    } else {
        __m512i near = _mm512_and_si512(twice[T], even);
        size_t j = T;
        diagonal(w, t, a, twice, first);
        if (l == 2 * T) {
            block_near(w, t + j, a, twice + j, near, true);
        } else {
            block_near(w, t + j, a, twice + j, near, first);
            for (j += T; j + T < l; j += T)
                block(w, t + j, a, twice + j, first);
            block(w, t + j, a, twice + j, true);
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

    window_load(w, t, false);
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

/* The rest of t += q m, columns T and up. */
static void quotient_rest(const struct mpc_pai_ifma *c, __m512i *t, const __m512i *q)
{
    __m512i w[T], a[T];

    window_load(a, q, false);
    window_load(w, t + T, false);
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
        block(w, t + j, a, c->m + j, false);
    window_store(t + c->l, w);
}

/* w += R - 1 - q + e, for ten digits. */
static void take_quotient(__m512i *w, const __m512i *q, const __m512i *e)
{
    const __m512i mask = _mm512_set1_epi64((long long)IFMA_MASK);

    UNROLL for (int i = 0; i < T; i++) w[i] =
        _mm512_add_epi64(w[i], _mm512_add_epi64(_mm512_xor_si512(q[i], mask), e[i]));
}

/* Carries, both halves side by side. */
static void normalise(__m512i *z, const __m512i *t, const __m512i *w, size_t l)
{
    const __m512i mask = _mm512_set1_epi64((long long)IFMA_MASK);
    __m512i a = _mm512_setzero_si512(), b = a;

    for (size_t i = 0; i < l; i++) {
        a = _mm512_add_epi64(a, t[i]);
        b = _mm512_add_epi64(b, w[i]);
        z[i] = _mm512_and_si512(a, mask);
        z[l + i] = _mm512_and_si512(b, mask);
        a = _mm512_srli_epi64(a, IFMA_DIGIT);
        b = _mm512_srli_epi64(b, IFMA_DIGIT);
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
        sweep_first(t, x + k, y, l, k == 0);
        quotient(c, s->q, t);
        sweep_first(w, x + k, y + l, l, k == 0);
        sweep(w, x + l + k, y, l);
        take_quotient(w, s->q, c->e + k);
        quotient(c, s->q + T, w);
        quotient_rest(c, t, s->q);
        quotient_rest(c, w, s->q + T);
    }
    normalise(z, s->t + l, s->w + l, l);
}

void mpc_pai_ifma_square(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s, __m512i *z,
                         const __m512i *x)
{
    const __m512i mask = _mm512_set1_epi64((long long)IFMA_MASK);
    size_t l = c->l;
    __m512i below = _mm512_setzero_si512(), below1 = below;

    for (size_t i = 0; i < l; i++) {
        __m512i a = x[i], b = x[l + i];
        s->twice[i] = _mm512_or_si512(_mm512_and_si512(_mm512_slli_epi64(a, 1), mask), below);
        s->twice[l + i] = _mm512_or_si512(_mm512_and_si512(_mm512_slli_epi64(b, 1), mask), below1);
        below = _mm512_srli_epi64(a, IFMA_DIGIT - 1);
        below1 = _mm512_srli_epi64(b, IFMA_DIGIT - 1);
    }
    for (size_t k = 0; k < l; k += T) {
        __m512i *t = s->t + k, *w = s->w + k;
        sweep_square(t + k, x + k, s->twice + k, l - k, k == 0);
        quotient(c, s->q, t);
        sweep_first(w, x + k, s->twice + l, l, k == 0);
        take_quotient(w, s->q, c->e + k);
        quotient(c, s->q + T, w);
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
                sweep_first(t, tile, c->k[j], l, k == 0);
            else
                sweep(t, tile, c->k[j], l);
            if (j == 0)
                sweep_first(w, tile, c->k[j] + l, l, k == 0);
            else
                sweep(w, tile, c->k[j] + l, l);
        }
        quotient(c, s->q, t);
        take_quotient(w, s->q, c->e + k);
        quotient(c, s->q + T, w);
        quotient_rest(c, t, s->q);
        quotient_rest(c, w, s->q + T);
    }
    normalise(z, s->t + l, s->w + l, l);
}
