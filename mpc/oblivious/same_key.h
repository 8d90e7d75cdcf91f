/* Inside of oblivious/: whether rows have the same key. */
#ifndef FIRMIANA_MPC_OBLIVIOUS_SAME_KEY_H
#define FIRMIANA_MPC_OBLIVIOUS_SAME_KEY_H

#include "mpc/protocol.h"

/* z[i] = x[0][i] == y[0][i] and x[1][i] == y[1][i] and ...: bits, width 1. Columns in pairs of one
 * domain and width, ring or bits; 1 to 64 of them. All compared at once: one mpc_equal_list, and
 * ceil(log2 count) rounds of ANDs. */
fm_status mpc_same_key(struct mpc_share **z, const struct mpc_share *const *x,
                       const struct mpc_share *const *y, size_t count,
                       struct base_err *err) FM_CHECK;

#endif
