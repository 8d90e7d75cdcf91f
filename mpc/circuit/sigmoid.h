/* The three-piece sigmoid of fixed-point numbers, exact to the last bit, for scores under a
 * logistic regression: 0 below -1/2, 1 from 1/2 on, z + 1/2 between (Mohassel and Zhang, IEEE S&P
 * 2017, section IV.D; eprint 2017/396). Written once over the operations table.
 *
 * A score is sum x_j w_j + b of columns x_j and secret weights w_j: with both at f fraction bits,
 * mpc_dot_columns() gives it at 2f, exactly, and nothing is cut there: the one rounding is the one
 * below. So a result depends on the inputs alone, not on masks or on the protocol.
 *
 * Cost, k the width of z + 1/2 (at least from + 2): one a2b of k bits, the zero test of its k -
 * from high planes (mpc_all_cost), to + 1 ANDs in one round, one b2a of to + 1 bits. */
#ifndef FIRMIANA_MPC_CIRCUIT_SIGMOID_H
#define FIRMIANA_MPC_CIRCUIT_SIGMOID_H

#include "mpc/protocol.h"

enum { MPC_SIGMOID_MOST = 60 };

/* z: ring, `from` fraction bits. y: ring, `to` fraction bits, range 0..2^to:
 *     y = floor(2^to * min(max(z / 2^from + 1/2, 0), 1)).
 * FM_E_ARG unless 1 <= to <= from <= MPC_SIGMOID_MOST; FM_E_LIMIT where z + 1/2 could leave 64
 * bits. */
fm_status mpc_sigmoid_pieces(struct mpc_share **y, const struct mpc_share *z, unsigned from,
                             unsigned to, struct base_err *err) FM_CHECK;

#endif
