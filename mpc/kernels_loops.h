/* The loops of all kernels, compiled once for each instruction set: the including file defines
 * KERNELS (the table to fill), KERNELS_NAME and KERNELS_LANES (words in a register), and brings
 * transpose64(), and transpose64_mixed(), after which column j is word COLUMN_AT(j). */
#include <string.h>

#include "mpc/kernels_own.h"

static void k_add(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = x[i] + y[i];
}

static void k_sub(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = x[i] - y[i];
}

static void k_scale(uint64_t *z, const uint64_t *x, uint64_t c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = x[i] * c;
}

static void k_add_scaled(uint64_t *z, const uint64_t *x, uint64_t c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] += c * x[i];
}

static void k_add_constant(uint64_t *z, uint64_t c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] += c;
}

static void k_fill(uint64_t *z, uint64_t c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = c;
}

static uint64_t k_sum(const uint64_t *x, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i];
    return sum;
}

static void k_mul(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = x[i] * y[i];
}

static uint64_t k_dot(const uint64_t *x, const uint64_t *y, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

static void k_xor(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = x[i] ^ y[i];
}

static void k_and(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = x[i] & y[i];
}

static void k_not(uint64_t *z, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = ~z[i];
}

static uint64_t k_popcount(const uint64_t *plane, size_t n)
{
    uint64_t count = 0;

    for (size_t w = 0; w < n / 64; w++)
        count += (uint64_t)__builtin_popcountll(plane[w]);
    if (n % 64 != 0)
        count += (uint64_t)__builtin_popcountll(plane[n / 64] & ((UINT64_C(1) << n % 64) - 1));
    return count;
}

static void k_rep3_mul(uint64_t *z, const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                       const uint64_t *yb, const uint64_t *r0, const uint64_t *r1, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = xa[i] * (ya[i] + yb[i]) + xb[i] * ya[i] + r0[i] - r1[i];
}

static void k_rep3_and(uint64_t *z, const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                       const uint64_t *yb, const uint64_t *r0, const uint64_t *r1, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = (xa[i] & (ya[i] ^ yb[i])) ^ (xb[i] & ya[i]) ^ r0[i] ^ r1[i];
}

static void k_rep3_mul_add(uint64_t *z, const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                           const uint64_t *yb, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] += xa[i] * (ya[i] + yb[i]) + xb[i] * ya[i];
}

static uint64_t k_rep3_dot(const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
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

static void k_signed_less(uint64_t *z, const uint64_t *a, const uint64_t *v, const uint64_t *f,
                          size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t minus = 0 - bit_of(v, i); /* all ones where the sign is -1: -a = ~a + 1 */
        z[i] = (a[i] ^ minus) - minus - f[i];
    }
}

static void k_signed_plus_less(uint64_t *z, const uint64_t *a, const uint64_t *v, const uint64_t *f,
                               size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t minus = 0 - bit_of(v, i);
        z[i] = (a[i] ^ minus) - minus - minus - f[i];
    }
}

/* Several words at a time. The loops over sets of positions unroll (CMakeLists.txt allows gcc to),
 * so that what they index stays in registers; the vectoriser alone does not see through them. */
typedef uint64_t lanes __attribute__((vector_size(8 * KERNELS_LANES), aligned(8), may_alias));
#define INLINE static inline __attribute__((always_inline))

/* products[S] = product of the words bits[j * n] over j in S; S = 0: all ones. */
INLINE void all_products(lanes *products, const uint64_t *bits, unsigned size, size_t n)
{
    products[0] = ~(lanes){0};
    for (unsigned j = 0; j < size; j++)
        for (unsigned s = 0; s < 1u << j; s++)
            products[(1u << j) + s] = products[s] & *(const lanes *)(bits + j * n);
}

/* The same for single words: what is left at the end. */
INLINE void word_products(uint64_t *products, const uint64_t *bits, unsigned size, size_t n)
{
    products[0] = ~UINT64_C(0);
    for (unsigned j = 0; j < size; j++)
        for (unsigned s = 0; s < 1u << j; s++)
            products[(1u << j) + s] = products[s] & bits[j * n];
}

INLINE void monomials_of(uint64_t *out, const uint64_t *bits, unsigned size, size_t n)
{
    size_t i = 0;

    for (; i + KERNELS_LANES <= n; i += KERNELS_LANES) {
        lanes u[16];

        all_products(u, bits + i, size, n);
        for (unsigned s = 1; s < 1u << size; s++)
            *(lanes *)(out + (s - 1) * n + i) ^= u[s];
    }
    for (; i < n; i++) {
        uint64_t u[16];

        word_products(u, bits + i, size, n);
        for (unsigned s = 1; s < 1u << size; s++)
            out[(s - 1) * n + i] ^= u[s];
    }
}

static void k_monomials(uint64_t *out, const uint64_t *bits, unsigned size, size_t n)
{
    if (size == 1)
        monomials_of(out, bits, 1, n);
    else if (size == 2)
        monomials_of(out, bits, 2, n);
    else if (size == 3)
        monomials_of(out, bits, 3, n);
    else
        monomials_of(out, bits, 4, n);
}

/* g(S) of a group of positions `all`: the lowest of S and those above it that are not in S. */
INLINE unsigned partner(unsigned s, unsigned all)
{
    unsigned lowest = s & (0 - s);

    return lowest | (all & ~(lowest - 1) & ~s);
}

INLINE void products_of(uint64_t *g, uint64_t *p, const uint64_t *m, const uint64_t *bits,
                        unsigned size, size_t n)
{
    const unsigned all = (1u << size) - 1;
    size_t i = 0;

    for (; i + KERNELS_LANES <= n; i += KERNELS_LANES) {
        lanes v[16];
        lanes generate = *(const lanes *)(g + i);
        lanes propagate = *(const lanes *)(p + i);

        all_products(v, bits + i, size, n);
        for (unsigned s = 1; s <= all; s++) {
            lanes part = *(const lanes *)(m + (s - 1) * n + i);

            generate ^= part & v[partner(s, all)];
            propagate ^= part & v[all & ~s];
        }
        *(lanes *)(g + i) = generate;
        *(lanes *)(p + i) = propagate;
    }
    for (; i < n; i++) {
        uint64_t v[16];

        word_products(v, bits + i, size, n);
        for (unsigned s = 1; s <= all; s++) {
            g[i] ^= m[(s - 1) * n + i] & v[partner(s, all)];
            p[i] ^= m[(s - 1) * n + i] & v[all & ~s];
        }
    }
}

/* The lowest group's, for which nobody asks p: one of up to sixteen, so left as it comes. */
static void generate_only(uint64_t *g, const uint64_t *m, const uint64_t *bits, unsigned size,
                          size_t n)
{
    const unsigned all = (1u << size) - 1;

    for (size_t i = 0; i < n; i++) {
        uint64_t v[16];

        word_products(v, bits + i, size, n);
        for (unsigned s = 1; s <= all; s++)
            g[i] ^= m[(s - 1) * n + i] & v[partner(s, all)];
    }
}

static void k_group_products(uint64_t *g, uint64_t *p, const uint64_t *m, const uint64_t *bits,
                             unsigned size, size_t n)
{
    if (p == NULL)
        generate_only(g, m, bits, size, n);
    else if (size == 1)
        products_of(g, p, m, bits, 1, n);
    else if (size == 2)
        products_of(g, p, m, bits, 2, n);
    else if (size == 3)
        products_of(g, p, m, bits, 3, n);
    else
        products_of(g, p, m, bits, 4, n);
}

static void k_xor_product(uint64_t *z, const uint64_t *bits, unsigned size, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t product = bits[i];

        for (unsigned j = 1; j < size; j++)
            product &= bits[j * n + i];
        z[i] ^= product;
    }
}

/* The sums from `from` on as one block, zeros past the n-th. Terms are of one component (0, 2) or
 * of two (0 to 3), with or without what is subtracted. */
INLINE void load_block(uint64_t block[64], const uint64_t *const *t, uint64_t c, size_t from,
                       size_t n)
{
    size_t rows = n - from < 64 ? n - from : 64;

    if (t[1] == NULL && t[2] == NULL)
        for (size_t i = 0; i < rows; i++)
            block[i] = t[0][from + i] + c;
    else if (t[2] == NULL)
        for (size_t i = 0; i < rows; i++)
            block[i] = t[0][from + i] + t[1][from + i] + c;
    else if (t[1] == NULL)
        for (size_t i = 0; i < rows; i++)
            block[i] = t[0][from + i] - t[2][from + i] + c;
    else
        for (size_t i = 0; i < rows; i++)
            block[i] = t[0][from + i] + t[1][from + i] - t[2][from + i] - t[3][from + i] + c;
    memset(block + rows, 0, (64 - rows) * 8);
}

/* Eight blocks at a time, so that whole cache lines of each plane are written. */
static void k_sum_to_planes(uint64_t *planes, size_t stride, unsigned width,
                            const uint64_t *const *terms, uint64_t c, size_t n)
{
    uint64_t block[64];
    uint64_t tile[64][8];
    size_t w = 0;

    for (; (w + 8) * 64 <= n; w += 8) {
        for (unsigned b = 0; b < 8; b++) {
            load_block(block, terms, c, (w + b) * 64, n);
            transpose64_mixed(block);
            for (unsigned j = 0; j < 64; j++)
                tile[j][b] = block[COLUMN_AT(j)];
        }
        for (unsigned j = 0; j < width; j++)
            memcpy(planes + j * stride + w, tile[j], 64);
    }
    for (; w * 64 < n; w++) {
        load_block(block, terms, c, w * 64, n);
        transpose64_mixed(block);
        for (unsigned j = 0; j < width; j++)
            planes[j * stride + w] = block[COLUMN_AT(j)];
    }
}

static void k_to_planes(uint64_t *planes, size_t stride, unsigned width, const uint64_t *values,
                        size_t n)
{
    k_sum_to_planes(planes, stride, width, (const uint64_t *const[4]){values}, 0, n);
}

#include "mpc/kernels_masked.h"

static void k_from_planes(uint64_t *values, const uint64_t *planes, size_t stride, unsigned width,
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

static void k_bits_to_words(uint64_t *z, const uint64_t *plane, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = bit_of(plane, i);
}

static void k_gather(uint64_t *z, const uint64_t *x, const uint32_t *map, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = x[map[i]];
}

static uint32_t k_most(const uint32_t *x, size_t n)
{
    uint32_t most = 0;

    for (size_t i = 0; i < n; i++)
        most = x[i] > most ? x[i] : most;
    return most;
}

static void k_gather_sub(uint64_t *z, const uint64_t *x, const uint32_t *p, const uint32_t *q,
                         size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[i] = x[p[i]] - x[q[i]];
}

static void k_gather_bits(uint64_t *z, const uint64_t *x, const uint32_t *map, size_t n)
{
    for (size_t w = 0; w * 64 < n; w++) {
        size_t rows = n - w * 64 < 64 ? n - w * 64 : 64;
        uint64_t word = 0;

        for (size_t i = 0; i < rows; i++)
            word |= bit_of(x, map[w * 64 + i]) << i;
        z[w] = word;
    }
}

static void k_scatter(uint64_t *z, const uint64_t *x, const uint32_t *map, size_t n)
{
    for (size_t i = 0; i < n; i++)
        z[map[i]] = x[i];
}

static void k_scatter_bits(uint64_t *z, const uint64_t *x, const uint32_t *map, size_t n)
{
    for (size_t w = 0; w * 64 < n; w++)
        z[w] = 0;
    for (size_t i = 0; i < n; i++)
        z[map[i] / 64] |= bit_of(x, i) << map[i] % 64;
}

const struct mpc_kernels KERNELS = {
    .name = KERNELS_NAME,
    .add = k_add,
    .sub = k_sub,
    .scale = k_scale,
    .add_scaled = k_add_scaled,
    .add_constant = k_add_constant,
    .fill = k_fill,
    .sum = k_sum,
    .mul = k_mul,
    .dot = k_dot,
    .xor = k_xor,
    .and = k_and,
    .not = k_not,
    .popcount = k_popcount,
    .rep3_mul = k_rep3_mul,
    .rep3_and = k_rep3_and,
    .rep3_mul_add = k_rep3_mul_add,
    .rep3_dot = k_rep3_dot,
    .signed_less = k_signed_less,
    .signed_plus_less = k_signed_plus_less,
    .monomials = k_monomials,
    .group_products = k_group_products,
    .xor_product = k_xor_product,
    .masked_and = k_masked_and,
    .and_xor = k_and_xor,
    .to_planes = k_to_planes,
    .sum_to_planes = k_sum_to_planes,
    .from_planes = k_from_planes,
    .bits_to_words = k_bits_to_words,
    .gather = k_gather,
    .most = k_most,
    .gather_sub = k_gather_sub,
    .gather_bits = k_gather_bits,
    .scatter = k_scatter,
    .scatter_bits = k_scatter_bits,
};
