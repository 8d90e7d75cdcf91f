/* The local part of every operation: plain loops over words, no allocation, no branches on data.
 * A set for each instruction set (kernels_*.c), chosen once at run time; all give equal results.
 * Arrays may be equal or disjoint, never partly overlapping. */
#ifndef FIRMIANA_MPC_KERNELS_H
#define FIRMIANA_MPC_KERNELS_H

#include <stddef.h>
#include <stdint.h>

void mpc_k_add(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n);
void mpc_k_sub(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n);
void mpc_k_scale(uint64_t *z, const uint64_t *x, uint64_t c, size_t n);
void mpc_k_add_scaled(uint64_t *z, const uint64_t *x, uint64_t c, size_t n); /* z += c x */
void mpc_k_add_constant(uint64_t *z, uint64_t c, size_t n);
void mpc_k_fill(uint64_t *z, uint64_t c, size_t n);
uint64_t mpc_k_sum(const uint64_t *x, size_t n);
void mpc_k_mul(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n);
uint64_t mpc_k_dot(const uint64_t *x, const uint64_t *y, size_t n);
void mpc_k_xor(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n);
void mpc_k_and(uint64_t *z, const uint64_t *x, const uint64_t *y, size_t n);
void mpc_k_not(uint64_t *z, size_t n);
uint64_t mpc_k_popcount(const uint64_t *plane, size_t n); /* of the first n bits */

/* rep3: this party's summand of a product of replicated shares, masked by r0 - r1 (XOR for and):
 * z = xa (ya + yb) + xb ya + r0 - r1. */
void mpc_k_rep3_mul(uint64_t *z, const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                    const uint64_t *yb, const uint64_t *r0, const uint64_t *r1, size_t n);
void mpc_k_rep3_and(uint64_t *z, const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                    const uint64_t *yb, const uint64_t *r0, const uint64_t *r1, size_t n);
/* The same without a mask, added: z += xa (ya + yb) + xb ya. */
void mpc_k_rep3_mul_add(uint64_t *z, const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                        const uint64_t *yb, size_t n);
uint64_t mpc_k_rep3_dot(const uint64_t *xa, const uint64_t *xb, const uint64_t *ya,
                        const uint64_t *yb, size_t n);
/* rep3, bit injection: z[i] = a[i] * (1 - 2 bit i of v) - f[i], and the same plus that bit. */
void mpc_k_signed_less(uint64_t *z, const uint64_t *a, const uint64_t *v, const uint64_t *f,
                       size_t n);
void mpc_k_signed_plus_less(uint64_t *z, const uint64_t *a, const uint64_t *v, const uint64_t *f,
                            size_t n);

/* Groups of 1 <= size <= 4 positions (rep3/group.c). Planes lie one after another, n words each;
 * that of the monomial over the set S of positions, as a number of `size` bits, is number S - 1.
 * monomials: out[S] ^= product of bits[j] over j in S.
 * group_products: g ^= XOR of m[S] times the bits of g(S), p (unless NULL) likewise those not in S.
 * xor_product: z ^= product of all bits. */
void mpc_k_monomials(uint64_t *out, const uint64_t *bits, unsigned size, size_t n);
void mpc_k_group_products(uint64_t *g, uint64_t *p, const uint64_t *m, const uint64_t *bits,
                          unsigned size, size_t n);
void mpc_k_xor_product(uint64_t *z, const uint64_t *bits, unsigned size, size_t n);

/* Masked wires (rep3/masked.h), k <= 4. masked_and: z ^= this party's share of the AND of k of
 * them, given their m and its shares of lambda[S - 1] for all sets S, times times[0], or times[0] ^
 * times[1], unless these are NULL. known: all ones at the one party that adds what both know, else
 * 0. and_xor: z = x & y and w = z ^ r. */
void mpc_k_masked_and(uint64_t *z, const uint64_t *const *m, const uint64_t *const *lambda,
                      unsigned k, const uint64_t *const *times, uint64_t known, size_t n);
void mpc_k_and_xor(uint64_t *z, uint64_t *w, const uint64_t *x, const uint64_t *y,
                   const uint64_t *r, size_t n);

/* Plane j (at planes + j * stride) from bit j of the n values, for j < width <= 64; ceil(n / 64)
 * words a plane, bits past n zero. And back: values get the width low bits, zero above. */
void mpc_k_to_planes(uint64_t *planes, size_t stride, unsigned width, const uint64_t *values,
                     size_t n);
/* The same of terms[0] + terms[1] - terms[2] - terms[3] + c; all but the first may be NULL, for
 * zeros; 3 is there if 1 and 2 are, and only then. */
void mpc_k_sum_to_planes(uint64_t *planes, size_t stride, unsigned width,
                         const uint64_t *const *terms, uint64_t c, size_t n);
void mpc_k_from_planes(uint64_t *values, const uint64_t *planes, size_t stride, unsigned width,
                       size_t n);
/* z[i] = bit i of plane, as a word 0 or 1. */
void mpc_k_bits_to_words(uint64_t *z, const uint64_t *plane, size_t n);
/* Bits [at, at + n) of z become bits [from, from + n) of x; the others of z stay. */
void mpc_k_place_bits(uint64_t *z, size_t at, const uint64_t *x, size_t from, size_t n);
/* z[i] = x[map[i]], words and bits. */
void mpc_k_gather(uint64_t *z, const uint64_t *x, const uint32_t *map, size_t n);
uint32_t mpc_k_most(const uint32_t *x, size_t n); /* the greatest; 0 if n = 0 */
void mpc_k_gather_sub(uint64_t *z, const uint64_t *x, const uint32_t *p, const uint32_t *q,
                      size_t n); /* z[i] = x[p[i]] - x[q[i]] */
void mpc_k_gather_bits(uint64_t *z, const uint64_t *x, const uint32_t *map, size_t n);
/* z[map[i]] = x[i], words and bits, map a permutation: undoes the gather. */
void mpc_k_scatter(uint64_t *z, const uint64_t *x, const uint32_t *map, size_t n);
void mpc_k_scatter_bits(uint64_t *z, const uint64_t *x, const uint32_t *map, size_t n);

#endif
