/* Compaction: the rows that are wanted come first, all in the order they stood in.
 *
 * One pass of a radix sort over a secret bit: digit.h.
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
