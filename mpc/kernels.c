/* Which set of kernels runs, and the few that are the same everywhere. */
#include "mpc/kernels_own.h"

#include <stdatomic.h>
#include <stdbool.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "shares travel as the machine's words, which the formats say are little-endian");

const struct mpc_kernels *mpc_kernels_at(size_t i)
{
#ifdef MPC_KERNELS_X86
    bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                  __builtin_cpu_supports("avx512vbmi") &&
                  __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("gfni");

    if (avx512 && i-- == 0)
        return &mpc_kernels_avx512;
    if (__builtin_cpu_supports("avx2") && i-- == 0)
        return &mpc_kernels_avx2;
#endif
    return i == 0 ? &mpc_kernels_portable : NULL;
}

const struct mpc_kernels *mpc_kernels(void)
{
    /* Two threads may both choose: they choose the same. */
    static _Atomic(const struct mpc_kernels *) chosen;
    const struct mpc_kernels *set = atomic_load_explicit(&chosen, memory_order_relaxed);

    if (set == NULL) {
        set = mpc_kernels_at(0);
        atomic_store_explicit(&chosen, set, memory_order_relaxed);
    }
    return set;
}

void mpc_k_add(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n)
{
    mpc_kernels()->add(z, x, y, n);
}

void mpc_k_sub(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n)
{
    mpc_kernels()->sub(z, x, y, n);
}

void mpc_k_scale(uint64_t *z, const uint64_t *x, uint64_t c, size_t n)
{
    mpc_kernels()->scale(z, x, c, n);
}

void mpc_k_add_scaled(uint64_t *z, const uint64_t *x, uint64_t c, size_t n)
{
    mpc_kernels()->add_scaled(z, x, c, n);
}

void mpc_k_add_constant(uint64_t *z, uint64_t c, size_t n)
{
    mpc_kernels()->add_constant(z, c, n);
}

void mpc_k_fill(uint64_t *z, uint64_t c, size_t n)
{
    mpc_kernels()->fill(z, c, n);
}

uint64_t mpc_k_sum(const uint64_t *x, size_t n)
{
    return mpc_kernels()->sum(x, n);
}

void mpc_k_mul(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n)
{
    mpc_kernels()->mul(z, x, y, n);
}

uint64_t mpc_k_dot(const uint64_t *x, const uint64_t *y, size_t n)
{
    return mpc_kernels()->dot(x, y, n);
}

void mpc_k_xor(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n)
{
    mpc_kernels()->xor (z, x, y, n);
}

void mpc_k_and(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n)
{
    mpc_kernels()->and (z, x, y, n);
}

void mpc_k_not(uint64_t *z, size_t n)
{
    mpc_kernels()->not(z, n);
}

uint64_t mpc_k_popcount(const uint64_t *plane, size_t n)
{
    return mpc_kernels()->popcount(plane, n);
}

void mpc_k_rep3_mul(uint64_t *z, const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                    const uint64_t *yb, const uint64_t *r0, const uint64_t *r1, size_t n)
{
    mpc_kernels()->rep3_mul(z, xa, xb, ya, yb, r0, r1, n);
}

void mpc_k_rep3_and(uint64_t *z, const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                    const uint64_t *yb, const uint64_t *r0, const uint64_t *r1, size_t n)
{
    mpc_kernels()->rep3_and(z, xa, xb, ya, yb, r0, r1, n);
}

void mpc_k_rep3_mul_add(uint64_t *z, const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                        const uint64_t *yb, size_t n)
{
    mpc_kernels()->rep3_mul_add(z, xa, xb, ya, yb, n);
}

uint64_t mpc_k_rep3_dot(const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                        const uint64_t *yb, size_t n)
{
    return mpc_kernels()->rep3_dot(xa, xb, ya, yb, n);
}

void mpc_k_signed_less(uint64_t *z, const uint64_t *a, const uint64_t *v, const uint64_t *f,
                       size_t n)
{
    mpc_kernels()->signed_less(z, a, v, f, n);
}

void mpc_k_signed_plus_less(uint64_t *z, const uint64_t *a, const uint64_t *v, const uint64_t *f,
                            size_t n)
{
    mpc_kernels()->signed_plus_less(z, a, v, f, n);
}

void mpc_k_monomials(uint64_t *out, const uint64_t *bits, unsigned size, size_t n)
{
    mpc_kernels()->monomials(out, bits, size, n);
}

void mpc_k_group_products(uint64_t *g, uint64_t *p, const uint64_t *m, const uint64_t *bits,
                          unsigned size, size_t n)
{
    mpc_kernels()->group_products(g, p, m, bits, size, n);
}

void mpc_k_xor_product(uint64_t *z, const uint64_t *bits, unsigned size, size_t n)
{
    mpc_kernels()->xor_product(z, bits, size, n);
}

void mpc_k_masked_and(uint64_t *z, const uint64_t *const *m, const uint64_t *const *lambda,
                      unsigned k, const uint64_t *const *times, uint64_t known, size_t n)
{
    mpc_kernels()->masked_and(z, m, lambda, k, times, known, n);
}

void mpc_k_and_xor(uint64_t *z, uint64_t *w, const uint64_t *x, const uint64_t *y,
                   const uint64_t *r, size_t n)
{
    mpc_kernels()->and_xor(z, w, x, y, r, n);
}

void mpc_k_sum_to_planes(uint64_t *planes, size_t stride, unsigned width,
                         const uint64_t *const *terms, uint64_t c, size_t n)
{
    mpc_kernels()->sum_to_planes(planes, stride, width, terms, c, n);
}

void mpc_k_to_planes(uint64_t *planes, size_t stride, unsigned width, const uint64_t *values,
                     size_t n)
{
    mpc_kernels()->to_planes(planes, stride, width, values, n);
}

void mpc_k_from_planes(uint64_t *values, const uint64_t *planes, size_t stride, unsigned width,
                       size_t n)
{
    mpc_kernels()->from_planes(values, planes, stride, width, n);
}

void mpc_k_bits_to_words(uint64_t *z, const uint64_t *plane, size_t n)
{
    mpc_kernels()->bits_to_words(z, plane, n);
}

void mpc_k_gather(uint64_t *z, const uint64_t *x, const uint32_t *map, size_t n)
{
    mpc_kernels()->gather(z, x, map, n);
}

uint32_t mpc_k_most(const uint32_t *x, size_t n)
{
    return mpc_kernels()->most(x, n);
}

void mpc_k_gather_sub(uint64_t *z, const uint64_t *x, const uint32_t *p, const uint32_t *q,
                      size_t n)
{
    mpc_kernels()->gather_sub(z, x, p, q, n);
}

void mpc_k_gather_bits(uint64_t *z, const uint64_t *x, const uint32_t *map, size_t n)
{
    mpc_kernels()->gather_bits(z, x, map, n);
}

void mpc_k_scatter(uint64_t *z, const uint64_t *x, const uint32_t *map, size_t n)
{
    mpc_kernels()->scatter(z, x, map, n);
}

void mpc_k_scatter_bits(uint64_t *z, const uint64_t *x, const uint32_t *map, size_t n)
{
    mpc_kernels()->scatter_bits(z, x, map, n);
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
