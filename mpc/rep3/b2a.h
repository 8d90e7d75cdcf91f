/* Inside of rep3: the three ways of b2a. Which is taken: rep3_b2a() in b2a.c. */
#ifndef FIRMIANA_MPC_REP3_B2A_H
#define FIRMIANA_MPC_REP3_B2A_H

#include "mpc/rep3/rep3.h"
#include "mpc/rep3/state.h"

/* z = the integer that the planes of x write, by a masked addition bit by bit (b2a_mask.c).
 * positions: x's width, below 64; or 64, to which x is then extended: no carry to inject. */
fm_status rep3_b2a_masked(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                          enum mpc_sign sign, unsigned positions, struct base_err *err) FM_CHECK;
struct mpc_rep3_cost rep3_b2a_masked_cost(unsigned positions);
/* The same by masked wires (b2a_wires.c); widths from 2 on. */
fm_status rep3_b2a_by_wires(struct mpc_session *s, struct mpc_share *z, const struct mpc_share *x,
                            enum mpc_sign sign, struct base_err *err) FM_CHECK;
/* bytes: UINT64_MAX where there is no memory to count them. */
struct mpc_rep3_cost rep3_b2a_wires_cost(unsigned width);
/* What b2a of one column costs, whichever way it takes: bytes over all parties (UINT64_MAX: memory
 * is out, and b2a fails); returns rounds. */
unsigned rep3_b2a_cost(uint64_t *bytes, unsigned width, size_t n, enum mpc_profile profile);

#endif
