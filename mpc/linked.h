/* Linked signs, for rows that have no faster way. */
#ifndef FIRMIANA_MPC_LINKED_H
#define FIRMIANA_MPC_LINKED_H

#include "mpc/protocol.h"

/* The slot msb_linked over the other slots: the signs of x[k] and of -x[k] in one msb of 2 count -
 * 1 vectors, then count - 1 ANDs, one after another. */
fm_status mpc_msb_linked_by_signs(struct mpc_session *s, struct mpc_share *z,
                                  const struct mpc_share *const *x, const unsigned *width,
                                  size_t count, struct base_err *err);

#endif
