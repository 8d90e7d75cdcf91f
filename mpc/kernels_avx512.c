/* For processors with AVX-512 (F, BW, DQ, VL, VBMI, VPOPCNTDQ) and GFNI: Ice Lake, Zen 4 and later.
 * Compiled with these, called only where they are. */
#define KERNELS mpc_kernels_avx512
#define KERNELS_NAME "avx512"
#define KERNELS_LANES 8

#include <immintrin.h>
#include <stdint.h>

/* Rows 8q .. 8q + 7 to 64 bytes, byte j holding their bits j: bytes of one column side by side,
 * last row first, as the matrix of GF2P8AFFINEQB wants them; times the identity is its transpose.
 */
static inline __m512i columns_of(const uint64_t rows[8])
{
    const __m512i identity = _mm512_set1_epi64((long long)0x8040201008040201);
    uint8_t order[64];

    for (unsigned i = 0; i < 64; i++)
        order[i] = (uint8_t)((7 - i % 8) * 8 + i / 8);
    return _mm512_gf2p8affine_epi64_epi8(
        identity, _mm512_permutexvar_epi8(_mm512_loadu_si512(order), _mm512_loadu_si512(rows)), 0);
}

/* One 64 x 64 bit block, rows to columns in place, but in another order: byte j of the q-th eight
 * rows is byte q of column j, so what is left is to interleave eight times 64 bytes. Unpacking
 * works within lanes of 16 bytes: the k-th result has columns 2k and 2k + 1 of each lane. */
static inline void transpose64_mixed(uint64_t block[64])
{
    __m512i r[8];
    __m512i t[8];

    for (unsigned q = 0; q < 8; q++)
        r[q] = columns_of(block + 8 * q);
    for (unsigned q = 0; q < 4; q++) {
        t[q] = _mm512_unpacklo_epi8(r[2 * q], r[2 * q + 1]);
        t[q + 4] = _mm512_unpackhi_epi8(r[2 * q], r[2 * q + 1]);
    }
    for (unsigned half = 0; half < 2; half++) {
        for (unsigned q = 0; q < 2; q++) {
            __m512i lo = t[4 * half + 2 * q];
            __m512i hi = t[4 * half + 2 * q + 1];

            r[4 * half + q] = _mm512_unpacklo_epi16(lo, hi);
            r[4 * half + 2 + q] = _mm512_unpackhi_epi16(lo, hi);
        }
    }
    for (unsigned quarter = 0; quarter < 4; quarter++) {
        __m512i lo = r[2 * quarter];
        __m512i hi = r[2 * quarter + 1];

        _mm512_storeu_si512(block + 16 * quarter, _mm512_unpacklo_epi32(lo, hi));
        _mm512_storeu_si512(block + 16 * quarter + 8, _mm512_unpackhi_epi32(lo, hi));
    }
}
#define COLUMN_AT(j) ((j) % 16 / 2 * 8 + (j) / 16 * 2 + (j) % 2)

static void transpose64(uint64_t block[64])
{
    uint64_t mixed[64];

    for (unsigned i = 0; i < 64; i++)
        mixed[i] = block[i];
    transpose64_mixed(mixed);
    for (unsigned j = 0; j < 64; j++)
        block[j] = mixed[COLUMN_AT(j)];
}

#include "mpc/kernels_loops.h"
