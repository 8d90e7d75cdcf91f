/* Exact integer division by a secret divisor, for short vectors (AVG): restoring division in
 * boolean form, one quotient bit a step.
 *
 * num, den: ring, same length. den's range must lie in 0..2^62; an element that is 0 gives an
 * unspecified quotient and remainder within the declared ranges (the caller masks it: no
 * data-dependent error). Cost for numerator width a = bits of the greatest |num| and divisor width
 * b: a steps of mpc_sum_cost(b + 2) ANDs (1 + ceil(log2(b + 1)) rounds few-rounds, b + 1 few-bytes)
 * and b more in one round; before them both a2b at once, after them two b2a, of a and of b bits. At
 * a = 40, b = 20: 290 rounds. */
#ifndef FIRMIANA_MPC_CIRCUIT_DIVIDE_H
#define FIRMIANA_MPC_CIRCUIT_DIVIDE_H

#include "mpc/protocol.h"

/* num = quotient * den + remainder, 0 <= remainder < den. num's range must not go below 0. */
fm_status mpc_divide(struct mpc_share **quotient, struct mpc_share **remainder,
                     const struct mpc_share *num, const struct mpc_share *den,
                     struct base_err *err) FM_CHECK;
/* num / den rounded to the nearest integer, half away from zero (SQL's ROUND of an exact quotient),
 * num of any sign: sign(num) * floor((2|num| + den) / (2 den)). FM_E_LIMIT if 2|num| + den can pass
 * 2^63 - 1. */
fm_status mpc_divide_round(struct mpc_share **quotient, const struct mpc_share *num,
                           const struct mpc_share *den, struct base_err *err) FM_CHECK;

/* floor(x / c) for a public c >= 1, exact, x of any sign.
 * A power of two is a truncation (decompose.h). Else, with x >= 0 after adding a multiple of c: by
 * a multiplication with 2^s / c rounded down, x's low bits left away first where the product would
 * pass 62 bits; that gives the quotient or one less, and one comparison of the remainder with c
 * tells which. Quotients of more than 28 bits come in digits of 28, the highest first.
 * Cost, for each digit of the quotient: a truncation of the product, of up to 63 bits, by s; before
 * it one of x where low bits are left away (x of more than 31 bits); one msb of the width of the
 * remainder less c, bits of c and one; one bit2a. By 7 of 0..10^6: a2b 63, b2a 19, msb 4, bit2a.
 * FM_E_LIMIT where x, moved up by a multiple of c, could reach 2^62. */
fm_status mpc_divide_public(struct mpc_share **quotient, const struct mpc_share *x, int64_t c,
                            struct base_err *err) FM_CHECK;

#endif
