/* Two-digit arithmetic mod m^2, eight numbers side by side, on AVX-512 IFMA.
 *
 * x = x0 + x1 m, each of x0, x1 in l digits of 52 bits, below 2 m; R = 2^(52 l) >= 16 m. Montgomery
 * form: x stands for x / R. With t = x0 y0 and q = -t / m mod R, u = (t + q m) / R, so that
 * x0 y0 = R u - q m exactly, and
 *     x y / R = u + m (x0 y1 + x1 y0 - q) / R  (mod m^2).
 * So a product is two ordinary Montgomery reductions by m: 10 l^2 + 2 l multiply-adds, a squaring
 * 7 l^2 + 3 l, where reducing by m^2 as one number of 2 l digits takes 16 l^2 + 2 l and 12 l^2 + 4
 * l.
 * - Where l is 40, 60 or 80, a product's three products of l digits are made by halves
 *   (Karatsuba, once): 8.5 l^2 + 2 l.
 * - q is taken as (R - 1 - q) + e with e = 1 - R mod m: w begins with R - 1 + e, each digit with
 * 2^52 - 1 of it, so that taking q's digits one by one makes no column negative; and with 2^52 - 1
 * more in each column below l, which rounds up what the column carries when it is cleared.
 * Digits in memory may have anything above their 52 bits: multiply-adds do not look at it.
 * Bounds: u < (4 m^2 + R m) / R <= 1.25 m; the high digit < (8 m^2 + R + m + R m) / R < 1.5 m + 2.
 * A column sums at most 6 l + 4 numbers of 52 bits, below 2^61 for l <= 80, and by halves 2^61.
 *
 * Besides its multiply-adds a squaring takes 7 vector instructions for each digit (to double it, to
 * carry) and 60 to 70 for each tile (three or two for each digit of both quotients, and to take one
 * away), which go to the same two ports: 270 to 2860 multiply-adds for l = 20, so that no more than
 * 91 % of these ports' time is the multiply-adds'. Measured in one run with their rate: 86 to 87 %;
 * 93 % for l = 40. Decryption by a 2048-bit key, 2 (1024 squarings, 256 products, a table), is
 * 8.0 million of them for eight, 167 us each at 6.0 10^9 a second: what is under that, is under
 * what this arithmetic can do on such a processor.
 *
 * Digits are taken in tiles of ten: the ten of one factor, ten accumulators and one digit of the
 * other factor stay in 21 of the 32 registers, so nothing spills (ifma_mul.c). No branch or address
 * depends on a number. Multiply-adds: S. Gueron, V. Krasnov, "Accelerating big integer arithmetic
 * using Intel IFMA extensions", ARITH 2016; the split: anchored in Paillier 1999 and Damgard,
 * Jurik, Nielsen's base-n digits. */
#ifndef FIRMIANA_MPC_PAILLIER_IFMA_H
#define FIRMIANA_MPC_PAILLIER_IFMA_H

#include <immintrin.h>

#include "mpc/paillier/ring.h"

enum {
    IFMA_TILE = 10,
    IFMA_DIGIT = 52,
    IFMA_LANES = 8,
    IFMA_DIGITS_MAX = 80,
    IFMA_SPARE_BITS = 4, /* R >= 16 m */
    IFMA_CHUNKS = 5      /* a number to load has at most so many times l digits */
};
#define IFMA_MASK (((uint64_t)1 << IFMA_DIGIT) - 1)

struct mpc_pai_ifma {
    size_t l;
    __m512i n0;              /* -1 / m mod 2^52 */
    __m512i *m;              /* l digits, each in all lanes; so are all that follow */
    __m512i *e;              /* what w begins with: digits of 1 - R mod m, each and 2 (2^52 - 1) */
    __m512i *one;            /* R mod m^2, 2 l digits */
    __m512i *unit;           /* 1 */
    __m512i *k[IFMA_CHUNKS]; /* R^(j + 2) mod m^2 */
};

size_t mpc_pai_ifma_digits(size_t bits); /* l */

/* Columns of a product; the caller wipes them. */
struct mpc_pai_ifma_scratch {
    __m512i t[2 * IFMA_DIGITS_MAX + IFMA_TILE];
    __m512i w[2 * IFMA_DIGITS_MAX + IFMA_TILE];
    __m512i q[IFMA_DIGITS_MAX];
    __m512i twice[IFMA_DIGITS_MAX];
    __m512i mid[IFMA_DIGITS_MAX + IFMA_TILE];
    __m512i sum[4][IFMA_DIGITS_MAX / 2];
};

/* z = x y / R, z = x^2 / R for eight numbers of 2 l digits: x0 then x1. z may be x or y. */
void mpc_pai_ifma_mul(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s, __m512i *z,
                      const __m512i *x, const __m512i *y);
void mpc_pai_ifma_square(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s, __m512i *z,
                         const __m512i *x);
/* z = (sum of x[j] k[j], x[j] of l digits, any) / R for j < chunks; below 6 m, not 2 m. */
void mpc_pai_ifma_combine(const struct mpc_pai_ifma *c, struct mpc_pai_ifma_scratch *s, __m512i *z,
                          const __m512i *x, size_t chunks);

#endif
