/* Compaction: the rows that are wanted come first, all in the order they stood in.
 *
 * One pass of a radix sort over a secret bit (Asharov et al., CCS 2022, section 4.3): with ones[i]
 * the number of wanted rows up to row i and all the number of them all, row i goes to ones[i] - 1
 * if it is wanted and to all + i - ones[i] if not: a product chooses between the two, and the ranks
 * become an order (order.h).
 *
 * Cost over rep3, n rows, all parties: 80 n bytes, 4 rounds, where the bit is ring elements 0 / 1;
 * bit2a's 24 n and 2 rounds more where it is a bit. */
#ifndef FIRMIANA_MPC_OBLIVIOUS_COMPACT_H
#define FIRMIANA_MPC_OBLIVIOUS_COMPACT_H

#include "mpc/oblivious/order.h"

/* wanted: bits of width 1, or ring of range within 0..1. How many there are stays secret. */
fm_status mpc_compact(struct mpc_order **out, const struct mpc_share *wanted,
                      struct base_err *err) FM_CHECK;

#endif
