/* Inside of oblivious/: whether rows have the same key, and whether any row does. */
#ifndef FIRMIANA_MPC_OBLIVIOUS_SAME_KEY_H
#define FIRMIANA_MPC_OBLIVIOUS_SAME_KEY_H

#include "mpc/protocol.h"

/* z[i] = x[0][i] == y[0][i] and x[1][i] == y[1][i] and ...: bits, width 1. Columns in pairs of one
 * domain and width, ring or bits; 1 to 64 of them. All compared at once: one mpc_equal_list, and
 * ceil(log2 count) rounds of ANDs. */
fm_status mpc_same_key(struct mpc_share **z, const struct mpc_share *const *x,
                       const struct mpc_share *const *y, size_t count,
                       struct base_err *err) FM_CHECK;

/* z[0] = is any bit of x (width 1) set: mpc_any() or, in the few-rounds profile and from 512 rows,
 * whether their number is not 0: 8 n + 24 bytes over all parties and an equality of log2 n bits, in
 * 3 + that of log2 log2 n rounds instead of log2 n. */
fm_status mpc_some(struct mpc_share **z, const struct mpc_share *x, struct base_err *err) FM_CHECK;

#endif
