#include "mpc/kernels.h"

#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "shares travel as the machine's words, which the formats say are little-endian");

void mpc_k_add(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = x[i] + y[i];
}

void mpc_k_sub(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = x[i] - y[i];
}

void mpc_k_scale(uint64_t *z, const uint64_t *x, uint64_t c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = x[i] * c;
}

void mpc_k_add_scaled(uint64_t *z, const uint64_t *x, uint64_t c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] += c * x[i];
}

void mpc_k_add_constant(uint64_t *z, uint64_t c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] += c;
}

void mpc_k_fill(uint64_t *z, uint64_t c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = c;
}

uint64_t mpc_k_sum(const uint64_t *x, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

void mpc_k_mul(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = x[i] * y[i];
}

uint64_t mpc_k_dot(const uint64_t *x, const uint64_t *y, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

void mpc_k_xor(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = x[i] ^ y[i];
}

void mpc_k_and(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = x[i] & y[i];
}

void mpc_k_not(uint64_t *z, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = ~z[i];
}

uint64_t mpc_k_popcount(const uint64_t *plane, size_t n)
{
    uint64_t count = 0;

    for (size_t w = 0; w < n / 64; w++)
        count += (uint64_t)__builtin_popcountll(plane[w]);
    if (n % 64 != 0)
        count += (uint64_t)__builtin_popcountll(plane[n / 64] & ((UINT64_C(1) << n % 64) - 1));
    return count;
}

void mpc_k_rep3_mul(uint64_t *z, const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                    const uint64_t *yb, const uint64_t *r0, const uint64_t *r1, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = xa[i] * (ya[i] + yb[i]) + xb[i] * ya[i] + r0[i] - r1[i];
}

void mpc_k_rep3_and(uint64_t *z, const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                    const uint64_t *yb, const uint64_t *r0, const uint64_t *r1, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = (xa[i] & (ya[i] ^ yb[i])) ^ (xb[i] & ya[i]) ^ r0[i] ^ r1[i];
}

uint64_t mpc_k_rep3_dot(const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                        const uint64_t *yb, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += xa[i] * (ya[i] + yb[i]) + xb[i] * ya[i];
    return sum;
}

static inline uint64_t bit_of(const uint64_t *plane, size_t i)
{
    return plane[i / 64] >> i % 64 & 1;
}

void mpc_k_signed_less(uint64_t *z, const uint64_t *a, const uint64_t *v, const uint64_t *f,
                       size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t minus = 0 - bit_of(v, i); /* all ones where the sign is -1: -a = ~a + 1 */
        z[i] = (a[i] ^ minus) - minus - f[i];
    }
}

void mpc_k_signed_plus_less(uint64_t *z, const uint64_t *a, const uint64_t *v, const uint64_t *f,
                            size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t minus = 0 - bit_of(v, i);
        z[i] = (a[i] ^ minus) - minus - minus - f[i];
    }
}

/* products[S] = product of the words bits[j * n] over j in S; S = 0: all ones. */
static inline void all_products(uint64_t *products, const uint64_t *bits, unsigned size, size_t n)
{
    products[0] = ~UINT64_C(0);
    for (unsigned j = 0; j < size; j++)
        for (unsigned s = 0; s < 1u << j; s++)
            products[(1u << j) + s] = products[s] & bits[j * n];
}

/* Called with a constant size, so that each is a loop over words without inner loops. */
static inline void monomials(uint64_t *out, const uint64_t *bits, unsigned size, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t u[16];

        all_products(u, bits + i, size, n);
        for (unsigned s = 1; s < 1u << size; s++)
            out[(s - 1) * n + i] ^= u[s];
    }
}

void mpc_k_monomials(uint64_t *out, const uint64_t *bits, unsigned size, size_t n)
{
    if (size == 1)
        monomials(out, bits, 1, n);
    else if (size == 2)
        monomials(out, bits, 2, n);
    else if (size == 3)
        monomials(out, bits, 3, n);
    else
        monomials(out, bits, 4, n);
}

static inline void group_products(uint64_t *g, uint64_t *p, const uint64_t *m, const uint64_t *bits,
                                  unsigned size, size_t n)
{
    const unsigned all = (1u << size) - 1;

    for (size_t i = 0; i < n; i++) {
        uint64_t v[16];
        uint64_t generate = g[i];
        uint64_t propagate = p[i];

        all_products(v, bits + i, size, n);
        for (unsigned s = 1; s <= all; s++) {
            unsigned lowest = s & (0 - s);
            unsigned above = all & ~(lowest - 1) & ~s;
            uint64_t part = m[(s - 1) * n + i];

            generate ^= part & v[lowest | above];
            propagate ^= part & v[all & ~s];
        }
        g[i] = generate;
        p[i] = propagate;
    }
}

/* The lowest group's: one of up to sixteen, so left as it comes. */
static void group_generate(uint64_t *g, const uint64_t *m, const uint64_t *bits, unsigned size,
                           size_t n)
{
    const unsigned all = (1u << size) - 1;

    for (size_t i = 0; i < n; i++) {
        uint64_t v[16];

        all_products(v, bits + i, size, n);
        for (unsigned s = 1; s <= all; s++) {
            unsigned lowest = s & (0 - s);

            g[i] ^= m[(s - 1) * n + i] & v[lowest | (all & ~(lowest - 1) & ~s)];
        }
    }
}

void mpc_k_group_products(uint64_t *g, uint64_t *p, const uint64_t *m, const uint64_t *bits,
                          unsigned size, size_t n)
{
    if (p == NULL)
        group_generate(g, m, bits, size, n);
    else if (size == 1)
        group_products(g, p, m, bits, 1, n);
    else if (size == 2)
        group_products(g, p, m, bits, 2, n);
    else if (size == 3)
        group_products(g, p, m, bits, 3, n);
    else
        group_products(g, p, m, bits, 4, n);
}

void mpc_k_xor_product(uint64_t *z, const uint64_t *bits, unsigned size, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t product = bits[i];

        for (unsigned j = 1; j < size; j++)
            product &= bits[j * n + i];
        z[i] ^= product;
    }
}

/* One 64 x 64 bit block, rows to columns in place: swaps ever smaller off-diagonal squares (Warren,
 * Hacker's Delight, 7-3). */
static void transpose64(uint64_t block[64])
{
    uint64_t mask = UINT64_C(0x00000000FFFFFFFF);

    for (unsigned step = 32; step != 0; step >>= 1, mask ^= mask << step) {
        for (unsigned base = 0; base < 64; base += 2 * step) {
            for (unsigned i = base; i < base + step; i++) {
                uint64_t swap = ((block[i] >> step) ^ block[i + step]) & mask;
                block[i] ^= swap << step;
                block[i + step] ^= swap;
            }
        }
    }
}

void mpc_k_to_planes(uint64_t *planes, size_t stride, unsigned width, const uint64_t *values,
                     size_t n)
{
    uint64_t block[64];

    for (size_t w = 0; w * 64 < n; w++) {
        size_t rows = n - w * 64 < 64 ? n - w * 64 : 64;

        memcpy(block, values + w * 64, rows * 8);
        memset(block + rows, 0, (64 - rows) * 8);
        transpose64(block);
        for (unsigned j = 0; j < width; j++)
            planes[j * stride + w] = block[j];
    }
}

void mpc_k_from_planes(uint64_t *values, const uint64_t *planes, size_t stride, unsigned width,
                       size_t n)
{
    uint64_t block[64];

    for (size_t w = 0; w * 64 < n; w++) {
        size_t rows = n - w * 64 < 64 ? n - w * 64 : 64;

        for (unsigned j = 0; j < width; j++)
            block[j] = planes[j * stride + w];
        memset(block + width, 0, (64 - width) * 8);
        transpose64(block);
        memcpy(values + w * 64, block, rows * 8);
    }
}

void mpc_k_bits_to_words(uint64_t *z, const uint64_t *plane, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = bit_of(plane, i);
}

/* 64 bits of x from position `from`; those at or past `end` are not read for. */
static uint64_t take64(const uint64_t *x, size_t from, size_t end)
{
    size_t w = from / 64;
    unsigned shift = (unsigned)(from % 64);
    uint64_t bits = x[w] >> shift;

    if (shift != 0 && (w + 1) * 64 < end)
        bits |= x[w + 1] << (64 - shift);
    return bits;
}

void mpc_k_place_bits(uint64_t *z, size_t at, const uint64_t *x, size_t from, size_t n)
{
    size_t end = from + n;

    while (n > 0) {
        unsigned shift = (unsigned)(at % 64);
        size_t len = 64 - shift < n ? 64 - shift : n;
        uint64_t mask = len == 64 ? ~UINT64_C(0) : (UINT64_C(1) << len) - 1;
        uint64_t bits = take64(x, from, end) & mask;

        z[at / 64] = (z[at / 64] & ~(mask << shift)) | bits << shift;
        at += len;
        from += len;
        n -= len;
    }
}

void mpc_k_gather(uint64_t *z, const uint64_t *x, const uint32_t *map, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = x[map[i]];
}

void mpc_k_gather_bits(uint64_t *z, const uint64_t *x, const uint32_t *map, size_t n)
{
    for (size_t w = 0; w * 64 < n; w++) {
        size_t rows = n - w * 64 < 64 ? n - w * 64 : 64;
        uint64_t word = 0;

        for (size_t i = 0; i < rows; i++)
            word |= bit_of(x, map[w * 64 + i]) << i;
        z[w] = word;
    }
}
