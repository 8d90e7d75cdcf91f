/* Lesser and greater of two columns, element by element; and exact division by a public number.
 * Written once over the operations table. */
#ifndef FIRMIANA_MPC_CIRCUIT_EXTREME_H
#define FIRMIANA_MPC_CIRCUIT_EXTREME_H

#include "mpc/protocol.h"

/* z[i] = the lesser / greater of x[i] and y[i]. Both ring, or both bits of one width up to 64 (read
 * as `sign` says). Lengths equal.
 * Ring: mpc_less and one mpc_select: rep3: 3 rounds and 16 bytes a party more than the comparison
 * (compare.h: 4.2 at 20 bits, 14.0 at 63); free where the ranges do not overlap. Bits of width k:
 * mpc_carry_cost(k) and k ANDs, 1 round more. */
fm_status mpc_min(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                  enum mpc_sign sign, struct base_err *err) FM_CHECK;
fm_status mpc_max(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                  enum mpc_sign sign, struct base_err *err) FM_CHECK;

#endif
