/* Inside of rep3: the two ways of b2a. Which is taken: rep3_b2a() in b2a.c. */
#ifndef FIRMIANA_MPC_REP3_B2A_H
#define FIRMIANA_MPC_REP3_B2A_H

#include "mpc/rep3/rep3.h"
#include "mpc/rep3/state.h"

/* z = the integer that the planes of x write, by a masked addition (b2a_mask.c). positions: x's
 * width, below 64; or 64, to which x is then extended: no carry to inject. adder: the addition's
 * profile, a fixed one. */
fm_status rep3_b2a_masked(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                          enum mpc_sign sign, unsigned positions, enum mpc_profile adder,
                          struct base_err *err) FM_CHECK;
/* What b2a of one column costs, whichever way it takes: bytes over all parties; returns rounds. */
unsigned rep3_b2a_cost(uint64_t *bytes, unsigned width, size_t n, enum mpc_profile profile);
struct mpc_rep3_cost rep3_b2a_masked_cost(unsigned positions, enum mpc_profile adder);

#endif
