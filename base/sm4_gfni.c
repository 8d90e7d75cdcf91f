/* SM4 with AVX-512 and GFNI: 16 blocks are four vectors, one for each word of the block, and four
 * times 16 are under way at once. No table, so no address follows key or data.
 *
 * The S-box is S(x) = A (A x + c)^-1 + c, c = 0xd3, with the inverse in GF(2)[x] / (x^8 + x^7 +
 * x^6 + x^5 + x^4 + x^2 + 1) (Liu et al., "Analysis of the SMS4 block cipher", ACISP 2007). GFNI
 * inverts in AES's field: with an isomorphism M of the one into the other that is
 * A M^-1 (M A x + M c)^-1 + c, an affine map and an inverse with an affine map, whose matrices
 * stand below as GFNI wants them. Whether they are right, the tests see: all bytes of OpenSSL's. */
#include <immintrin.h>
#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "base/sm4_own.h"

enum { GROUP = 16, GROUPS = 4, BLOCK = 16 };

/* M A and M c; A M^-1 and c. */
#define BEFORE 0x4c287db91a22505d
#define BEFORE_C 0x3e
#define AFTER 0xf3ab34a974a6b589
#define AFTER_C 0xd3

static inline __m512i sbox(__m512i x)
{
    x = _mm512_gf2p8affine_epi64_epi8(x, _mm512_set1_epi64((long long)BEFORE), BEFORE_C);
    return _mm512_gf2p8affineinv_epi64_epi8(x, _mm512_set1_epi64((long long)AFTER), AFTER_C);
}

/* 0x96: of three, the sum. */
static inline __m512i add3(__m512i a, __m512i b, __m512i c)
{
    return _mm512_ternarylogic_epi32(a, b, c, 0x96);
}

/* x0 += L(S(x1 + x2 + x3 + key)). */
static inline __m512i turn(__m512i x0, __m512i x1, __m512i x2, __m512i x3, __m512i key)
{
    __m512i s = sbox(_mm512_xor_si512(add3(x1, x2, x3), key));
    __m512i t = add3(s, _mm512_rol_epi32(s, 2), _mm512_rol_epi32(s, 10));

    return add3(add3(x0, _mm512_rol_epi32(s, 18), _mm512_rol_epi32(s, 24)), t,
                _mm512_setzero_si512());
}

struct group {
    __m512i w[4];
};

static inline void encrypt(struct group *g, int groups, const uint32_t *keys)
{
    for (int r = 0; r < SM4_ROUNDS; r += 4) {
#pragma GCC unroll 4
        for (int k = 0; k < 4; k++) {
            __m512i key = _mm512_set1_epi32((int)keys[r + k]);
#pragma GCC unroll 4
            for (int i = 0; i < groups; i++)
                g[i].w[k] = turn(g[i].w[k], g[i].w[(k + 1) % 4], g[i].w[(k + 2) % 4],
                                 g[i].w[(k + 3) % 4], key);
        }
    }
}

/* The block counter: two halves, big-endian in memory. */
struct counter {
    uint64_t high, low;
};

/* Counter blocks so that lane 4 l + j (l: of 128 bits) has number 4 j + l: as put() wants them. */
static inline void set(struct group *g, const struct counter *c)
{
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);

    g->w[0] = _mm512_set1_epi32((int)(uint32_t)(c->high >> 32));
    g->w[1] = _mm512_set1_epi32((int)(uint32_t)c->high);
    g->w[2] = _mm512_set1_epi32((int)(uint32_t)(c->low >> 32));
    g->w[3] = _mm512_add_epi32(_mm512_set1_epi32((int)(uint32_t)c->low), order);
    if ((uint32_t)c->low > UINT32_MAX - GROUP) { /* a carry: by hand, once in 2^28 times */
        uint32_t w[3][GROUP];
        for (uint64_t lane = 0; lane < GROUP; lane++) {
            uint64_t low = c->low + 4 * (lane % 4) + lane / 4, high = c->high + (low < c->low);
            w[0][lane] = (uint32_t)(high >> 32);
            w[1][lane] = (uint32_t)high;
            w[2][lane] = (uint32_t)(low >> 32);
        }
        for (int k = 0; k < 3; k++)
            g->w[k] = _mm512_loadu_si512(w[k]);
    }
}

/* 256 bytes: the words, last one first, of each block in turn. */
static inline void put(uint8_t *out, const uint8_t *in, const struct group *g)
{
    const __m512i swap = _mm512_set4_epi32(0x0c0d0e0f, 0x08090a0b, 0x04050607, 0x00010203);
    __m512i a = _mm512_unpacklo_epi32(g->w[3], g->w[2]),
            b = _mm512_unpackhi_epi32(g->w[3], g->w[2]),
            c = _mm512_unpacklo_epi32(g->w[1], g->w[0]),
            d = _mm512_unpackhi_epi32(g->w[1], g->w[0]);
    __m512i row[4] = {_mm512_unpacklo_epi64(a, c), _mm512_unpackhi_epi64(a, c),
                      _mm512_unpacklo_epi64(b, d), _mm512_unpackhi_epi64(b, d)};

    for (int i = 0; i < 4; i++) {
        __m512i v = _mm512_shuffle_epi8(row[i], swap);
        if (in != NULL)
            v = _mm512_xor_si512(v, _mm512_loadu_si512(in + 64 * i));
        _mm512_storeu_si512(out + 64 * i, v);
    }
}

static inline void advance(struct counter *c)
{
    c->low += GROUP;
    c->high += c->low < GROUP;
}

void base_sm4_gfni_ctr(uint8_t *out, const uint8_t *in, size_t len, const uint8_t counter16[16],
                       const uint32_t *keys)
{
    struct counter c = {base_load_u64(counter16), base_load_u64(counter16 + 8)};
    struct group g[GROUPS];
    uint8_t last[GROUP * BLOCK];
    size_t at = 0;

    for (; len - at >= sizeof last * GROUPS; at += sizeof last * GROUPS) {
        for (int i = 0; i < GROUPS; i++, advance(&c))
            set(&g[i], &c);
        encrypt(g, GROUPS, keys);
        for (size_t i = 0; i < GROUPS; i++)
            put(out + at + sizeof last * i, in != NULL ? in + at + sizeof last * i : NULL, &g[i]);
    }
    for (; at < len; at += sizeof last, advance(&c)) {
        size_t n = len - at < sizeof last ? len - at : sizeof last;
        set(g, &c);
        encrypt(g, 1, keys);
        if (n == sizeof last) {
            put(out + at, in != NULL ? in + at : NULL, g);
            continue;
        }
        put(last, NULL, g);
        for (size_t i = 0; i < n; i++)
            out[at + i] = (uint8_t)(last[i] ^ (in != NULL ? in[at + i] : 0));
        base_wipe(last, sizeof last);
        break;
    }
}

/* Round keys: as a round, with L'(s) = s + (s <<< 13) + (s <<< 23). */
void base_sm4_gfni_keys(uint32_t *keys, const uint8_t key16[16])
{
    static const uint32_t fk[4] = {0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc};
    uint32_t k[4];

    for (int i = 0; i < 4; i++)
        k[i] = (uint32_t)(base_load_u64(key16 + 8 * (i / 2)) >> (i % 2 == 0 ? 32 : 0)) ^ fk[i];
    for (uint32_t r = 0; r < SM4_ROUNDS; r++) {
        uint32_t ck = 0, s;
        for (uint32_t j = 0; j < 4; j++)
            ck = ck << 8 | (((4 * r + j) * 7) & 0xff);
        s = k[(r + 1) % 4] ^ k[(r + 2) % 4] ^ k[(r + 3) % 4] ^ ck;
        s = (uint32_t)_mm_cvtsi128_si32(_mm512_castsi512_si128(sbox(_mm512_set1_epi32((int)s))));
        k[r % 4] ^= s ^ (s << 13 | s >> 19) ^ (s << 23 | s >> 9);
        keys[r] = k[r % 4];
    }
    base_wipe(k, sizeof k);
}
