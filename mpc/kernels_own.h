/* The sets of kernels behind kernels.h, one for each instruction set, and what they mean there. */
#ifndef FIRMIANA_MPC_KERNELS_OWN_H
#define FIRMIANA_MPC_KERNELS_OWN_H

#include "mpc/kernels.h"

struct mpc_kernels {
    const char *name;
    void (*add)(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n);
    void (*sub)(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n);
    void (*scale)(uint64_t *z, const uint64_t *x, uint64_t c, size_t n);
    void (*add_scaled)(uint64_t *z, const uint64_t *x, uint64_t c, size_t n);
    void (*add_constant)(uint64_t *z, uint64_t c, size_t n);
    void (*fill)(uint64_t *z, uint64_t c, size_t n);
    uint64_t (*sum)(const uint64_t *x, size_t n);
    void (*mul)(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n);
    uint64_t (*dot)(const uint64_t *x, const uint64_t *y, size_t n);
    void (*xor)(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n);
    void (*and)(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n);
    void (*not )(uint64_t *z, size_t n);
    uint64_t (*popcount)(const uint64_t *plane, size_t n);
    void (*rep3_mul)(uint64_t *z, const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                     const uint64_t *yb, const uint64_t *r0, const uint64_t *r1, size_t n);
    void (*rep3_and)(uint64_t *z, const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                     const uint64_t *yb, const uint64_t *r0, const uint64_t *r1, size_t n);
    void (*rep3_mul_add)(uint64_t *z, const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                         const uint64_t *yb, size_t n);
    uint64_t (*rep3_dot)(const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                         const uint64_t *yb, size_t n);
    void (*signed_less)(uint64_t *z, const uint64_t *a, const uint64_t *v, const uint64_t *f,
                        size_t n);
    void (*signed_plus_less)(uint64_t *z, const uint64_t *a, const uint64_t *v, const uint64_t *f,
                             size_t n);
    void (*monomials)(uint64_t *out, const uint64_t *bits, unsigned size, size_t n);
    void (*group_products)(uint64_t *g, uint64_t *p, const uint64_t *m, const uint64_t *bits,
                           unsigned size, size_t n);
    void (*xor_product)(uint64_t *z, const uint64_t *bits, unsigned size, size_t n);
    void (*masked_and)(uint64_t *z, const uint64_t *const *m, const uint64_t *const *lambda,
                       unsigned k, const uint64_t *const *times, uint64_t known, size_t n);
    void (*and_xor)(uint64_t *z, uint64_t *w, const uint64_t *x, const uint64_t *y,
                    const uint64_t *r, size_t n);
    void (*sum_to_planes)(uint64_t *planes, size_t stride, unsigned width,
                          const uint64_t *const *terms, uint64_t c, size_t n);
    void (*to_planes)(uint64_t *planes, size_t stride, unsigned width, const uint64_t *values,
                      size_t n);
    void (*from_planes)(uint64_t *values, const uint64_t *planes, size_t stride, unsigned width,
                        size_t n);
    void (*bits_to_words)(uint64_t *z, const uint64_t *plane, size_t n);
    void (*gather)(uint64_t *z, const uint64_t *x, const uint32_t *map, size_t n);
    uint32_t (*most)(const uint32_t *x, size_t n);
    void (*gather_sub)(uint64_t *z, const uint64_t *x, const uint32_t *p, const uint32_t *q,
                       size_t n);
    void (*gather_bits)(uint64_t *z, const uint64_t *x, const uint32_t *map, size_t n);
    void (*scatter)(uint64_t *z, const uint64_t *x, const uint32_t *map, size_t n);
    void (*scatter_bits)(uint64_t *z, const uint64_t *x, const uint32_t *map, size_t n);
};

/* The best set that this processor runs; chosen once. */
const struct mpc_kernels *mpc_kernels(void);
/* For tests: set i of those that this processor runs, or NULL past the last. */
const struct mpc_kernels *mpc_kernels_at(size_t i);

extern const struct mpc_kernels mpc_kernels_portable;
#ifdef MPC_KERNELS_X86
extern const struct mpc_kernels mpc_kernels_avx2;   /* AVX2 */
extern const struct mpc_kernels mpc_kernels_avx512; /* AVX-512 F BW DQ VL VBMI VPOPCNTDQ, GFNI */
#endif

#endif
