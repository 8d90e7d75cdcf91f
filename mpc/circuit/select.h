/* Choice by a secret truth value, and what follows from it. `bit` is MPC_BITS of width 1 and n
 * elements, or of one element, which then chooses for the whole column. */
#ifndef FIRMIANA_MPC_CIRCUIT_SELECT_H
#define FIRMIANA_MPC_CIRCUIT_SELECT_H

#include "mpc/protocol.h"

/* z[i] = bit[i] ? x[i] : y[i].
 * Ring: one bit2a and one mul: rep3 3 rounds, 48 bytes an element over all parties. Range: the
 * hull. Bits: one AND a plane, 1 round. x and y of the same width. */
fm_status mpc_select(struct mpc_share **z, const struct mpc_share *bit, const struct mpc_share *x,
                     const struct mpc_share *y, struct base_err *err) FM_CHECK;
/* The same where the bit is at hand as ring elements 0 / 1 (mpc_bit2a), so that several selections
 * by one mask pay for its conversion once: 1 mul. */
fm_status mpc_select_ring(struct mpc_share **z, const struct mpc_share *bit01,
                          const struct mpc_share *x, const struct mpc_share *y,
                          struct base_err *err) FM_CHECK;
/* z[i] = bit[i] ? x[i] : 0. Ring: bit2a and mul; bits: one AND a plane. */
fm_status mpc_keep(struct mpc_share **z, const struct mpc_share *bit, const struct mpc_share *x,
                   struct base_err *err) FM_CHECK;
/* |x|, ring. FM_E_LIMIT if the range holds INT64_MIN. One msb, one bit2a, one mul. */
fm_status mpc_abs(struct mpc_share **z, const struct mpc_share *x, struct base_err *err) FM_CHECK;
/* x < 0 as a bit: mpc_msb at the width of the range; free where the range decides. */
fm_status mpc_negative(struct mpc_share **z, const struct mpc_share *x,
                       struct base_err *err) FM_CHECK;

#endif
