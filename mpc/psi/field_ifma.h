/* The field of 2^255 - 19, eight numbers side by side, on AVX-512 IFMA: five digits of 51 bits,
 * one register each.
 *
 * A multiply-add takes factors below 2^52, of which it keeps the lower or the upper 52 bits of the
 * product: the upper ones stand at 2^52 = 2 2^51, so count twice in the next column. Products take
 * and give digits below 2^51 + 2^14 ("reduced"): a column sums at most 5 2^52 + 2 (5 2^52) < 2^56,
 * and with 19 times the column five above it, below 2^61; one parallel carry brings that to
 * 2^51 + 19 2^10. Sums and differences of up to eight reduced numbers are carried before they are
 * factors. No branch or address depends on a number. */
#ifndef FIRMIANA_MPC_PSI_FIELD_IFMA_H
#define FIRMIANA_MPC_PSI_FIELD_IFMA_H

#include <immintrin.h>
#include <stdint.h>

#define FIELD_INLINE static inline __attribute__((always_inline))
#define FIELD_UNROLL _Pragma("GCC unroll 10")

enum { FIELD_DIGITS = 5, FIELD_BITS = 51, FIELD_LANES = 8 };
#define FIELD_MASK (((long long)1 << FIELD_BITS) - 1)

struct field {
    __m512i v[FIELD_DIGITS];
};

FIELD_INLINE __m512i field_set(long long x)
{
    return _mm512_set1_epi64(x);
}

FIELD_INLINE struct field field_const(const uint64_t x[FIELD_DIGITS])
{
    struct field z;

    FIELD_UNROLL for (int i = 0; i < FIELD_DIGITS; i++) z.v[i] = field_set((long long)x[i]);
    return z;
}

FIELD_INLINE struct field field_small(long long x)
{
    struct field z = {{field_set(x)}};

    FIELD_UNROLL for (int i = 1; i < FIELD_DIGITS; i++) z.v[i] = _mm512_setzero_si512();
    return z;
}

/* Reduced, from digits below 2^62. */
FIELD_INLINE struct field field_carry(struct field x)
{
    const __m512i mask = field_set(FIELD_MASK);
    __m512i c[FIELD_DIGITS];
    struct field z;

    FIELD_UNROLL for (int i = 0; i < FIELD_DIGITS; i++) c[i] =
        _mm512_srli_epi64(x.v[i], FIELD_BITS);
    z.v[0] = _mm512_madd52lo_epu64(_mm512_and_si512(x.v[0], mask), c[4], field_set(19));
    FIELD_UNROLL for (int i = 1; i < FIELD_DIGITS; i++) z.v[i] =
        _mm512_add_epi64(_mm512_and_si512(x.v[i], mask), c[i - 1]);
    return z;
}

/* Not reduced. */
FIELD_INLINE struct field field_plus(struct field x, struct field y)
{
    FIELD_UNROLL for (int i = 0; i < FIELD_DIGITS; i++) x.v[i] = _mm512_add_epi64(x.v[i], y.v[i]);
    return x;
}

/* Not reduced; y: a sum of up to six reduced numbers. 8 p is added, so that no digit is negative.
 */
FIELD_INLINE struct field field_minus(struct field x, struct field y)
{
    FIELD_UNROLL for (int i = 0; i < FIELD_DIGITS; i++)
    {
        __m512i p8 = field_set(8 * (FIELD_MASK - (i == 0 ? 18 : 0)));
        x.v[i] = _mm512_add_epi64(x.v[i], _mm512_sub_epi64(p8, y.v[i]));
    }
    return x;
}

FIELD_INLINE struct field field_add(struct field x, struct field y)
{
    return field_carry(field_plus(x, y));
}

FIELD_INLINE struct field field_sub(struct field x, struct field y)
{
    return field_carry(field_minus(x, y));
}

FIELD_INLINE struct field field_neg(struct field x)
{
    return field_sub(field_small(0), x);
}

/* Ten columns to five digits: 2^255 = 19. */
FIELD_INLINE struct field field_fold(const __m512i c[2 * FIELD_DIGITS])
{
    struct field z;

    FIELD_UNROLL for (int k = 0; k < FIELD_DIGITS; k++)
    {
        __m512i h = c[k + FIELD_DIGITS], h9 = _mm512_add_epi64(h, _mm512_slli_epi64(h, 3));
        z.v[k] = _mm512_add_epi64(_mm512_add_epi64(c[k], h), _mm512_add_epi64(h9, h9));
    }
    return field_carry(z);
}

FIELD_INLINE struct field field_mul(struct field x, struct field y)
{
    __m512i low[2 * FIELD_DIGITS], high[2 * FIELD_DIGITS];

    FIELD_UNROLL for (int k = 0; k < 2 * FIELD_DIGITS; k++) low[k] = high[k] =
        _mm512_setzero_si512();
    FIELD_UNROLL for (int i = 0; i < FIELD_DIGITS; i++)
    {
        FIELD_UNROLL for (int j = 0; j < FIELD_DIGITS; j++) low[i + j] =
            _mm512_madd52lo_epu64(low[i + j], x.v[i], y.v[j]);
        FIELD_UNROLL for (int j = 0; j < FIELD_DIGITS; j++) high[i + j + 1] =
            _mm512_madd52hi_epu64(high[i + j + 1], x.v[i], y.v[j]);
    }
    FIELD_UNROLL for (int k = 0; k < 2 * FIELD_DIGITS; k++) low[k] =
        _mm512_add_epi64(low[k], _mm512_add_epi64(high[k], high[k]));
    return field_fold(low);
}

/* Products of two different digits once: columns once, twice and four times. */
FIELD_INLINE struct field field_square(struct field x)
{
    __m512i once[2 * FIELD_DIGITS], twice[2 * FIELD_DIGITS], four[2 * FIELD_DIGITS];

    FIELD_UNROLL for (int k = 0; k < 2 * FIELD_DIGITS; k++) once[k] = twice[k] = four[k] =
        _mm512_setzero_si512();
    FIELD_UNROLL for (int i = 0; i < FIELD_DIGITS; i++)
    {
        once[2 * i] = _mm512_madd52lo_epu64(once[2 * i], x.v[i], x.v[i]);
        FIELD_UNROLL for (int j = i + 1; j < FIELD_DIGITS; j++) twice[i + j] =
            _mm512_madd52lo_epu64(twice[i + j], x.v[i], x.v[j]);
        twice[2 * i + 1] = _mm512_madd52hi_epu64(twice[2 * i + 1], x.v[i], x.v[i]);
        FIELD_UNROLL for (int j = i + 1; j < FIELD_DIGITS; j++) four[i + j + 1] =
            _mm512_madd52hi_epu64(four[i + j + 1], x.v[i], x.v[j]);
    }
    FIELD_UNROLL for (int k = 0; k < 2 * FIELD_DIGITS; k++)
    {
        __m512i two = _mm512_add_epi64(twice[k], _mm512_add_epi64(four[k], four[k]));
        once[k] = _mm512_add_epi64(once[k], _mm512_add_epi64(two, two));
    }
    return field_fold(once);
}

/* y where the lane's bit is set. */
FIELD_INLINE struct field field_pick(struct field x, __mmask8 which, struct field y)
{
    FIELD_UNROLL for (int i = 0; i < FIELD_DIGITS; i++) x.v[i] =
        _mm512_mask_mov_epi64(x.v[i], which, y.v[i]);
    return x;
}

/* Below p, each digit below 2^51; x reduced. */
struct field mpc_psi_field_canonical(struct field x);
__mmask8 mpc_psi_field_zero(struct field x);
__mmask8 mpc_psi_field_negative(struct field x); /* odd */
struct field mpc_psi_field_abs(struct field x);
/* *z = the root of u / v that is not negative, or of i u / v; true where u / v is a square
 * (RFC 9496, 4.2, SQRT_RATIO_M1). */
__mmask8 mpc_psi_field_root(struct field *z, struct field u, struct field v);
/* Little-endian; the top bit of each is left out. */
struct field mpc_psi_field_load(const uint8_t x[FIELD_LANES][32]);
void mpc_psi_field_store(uint8_t z[FIELD_LANES][32], struct field x);

#endif
