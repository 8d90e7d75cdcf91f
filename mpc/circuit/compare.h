/* Comparisons of columns, one truth value (bits, width 1) an element. Written once over the
 * operations table.
 *
 * Operands are both MPC_RING64, or both MPC_BITS (integers in two's complement, `sign` says how the
 * top plane is read; both of the same width). Lengths equal, or one operand has one element and is
 * compared with every element of the other.
 *
 * Ring operands: d = x - y is formed locally; its range gives the width k that is paid for (20-bit
 * columns: 21). less = sign bit of d (mpc_msb), equal = d is zero (mpc_eqz). When d can need 65
 * bits (full ranges), the signs of x and y are found too: x < y  =  sign(x) != sign(y) ? sign(x) :
 * sign(d), exact for all 2^128 pairs: three msb of width 64 in one list and an AND (42.3 bytes, 6
 * rounds; short lists 51.0, 5); magnitudes below 2^62 never pay it.
 *
 * Cost over rep3 (k = width of d, bytes the mean over parties at large n),
 * in the few-rounds profile, then in the few-bytes profile where it differs:
 *
 *   - less, ring: one msb of width k; k = 21: 4.2 bytes, 4 rounds; k = 64: 14.0 bytes, 5 rounds,
 *     up to 8192 elements in a list 17.0 bytes, 4 rounds. Few bytes: k - 1 ANDs, k rounds; k =
 * 64: 10.6 bytes, 64 rounds.
 *   - equal, ring: k - 1 ANDs in 1 + ceil(log3 k) rounds; k = 64: 10.4 bytes, 5 rounds. Up to 8192
 *     elements in a list, few rounds: 1 + ceil(log4 k); k = 64: 14.0 bytes, 4 rounds.
 *   - less, bits: mpc_carry_cost(k), 3k - 2 - L ANDs, 1 + L rounds, L = ceil(log2 k); or k, k.
 *   - equal, bits: k - 1 ANDs, ceil(log2 k) rounds.
 *
 * A link's profile takes whichever is quicker at that length (choice.h).
 * The exact counts: rep3/rep3.h, and mpc_carry_cost(), mpc_all_cost() of circuit/adder.h; tests
 * assert them.
 * Leaks nothing but lengths, widths and ranges. */
#ifndef FIRMIANA_MPC_CIRCUIT_COMPARE_H
#define FIRMIANA_MPC_CIRCUIT_COMPARE_H

#include "mpc/protocol.h"

/* z[i] = x[i] < y[i]. All comparisons of a list share their rounds. Ring operands. */
fm_status mpc_less_list(struct mpc_share **z, const struct mpc_share *const *x,
                        const struct mpc_share *const *y, size_t count,
                        struct base_err *err) FM_CHECK;
fm_status mpc_less(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                   struct base_err *err) FM_CHECK;
/* x < c and c < x, for public c. (x <= c is NOT(c < x), and so on: mpc_not() is free.) Comparisons
 * that the range decides cost nothing. */
fm_status mpc_less_public(struct mpc_share **z, const struct mpc_share *x, int64_t c,
                          struct base_err *err) FM_CHECK;
fm_status mpc_greater_public(struct mpc_share **z, const struct mpc_share *x, int64_t c,
                             struct base_err *err) FM_CHECK;
/* Integers in boolean form. */
fm_status mpc_less_bits(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                        enum mpc_sign sign, struct base_err *err) FM_CHECK;

/* z[i] = x[i] == y[i]; each item both ring or both bits (any width: a 128-bit text hash is width
 * 128). */
fm_status mpc_equal_list(struct mpc_share **z, const struct mpc_share *const *x,
                         const struct mpc_share *const *y, size_t count,
                         struct base_err *err) FM_CHECK;
fm_status mpc_equal(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                    struct base_err *err) FM_CHECK;
fm_status mpc_equal_public(struct mpc_share **z, const struct mpc_share *x, int64_t c,
                           struct base_err *err) FM_CHECK;

#endif
