/* Inside of rep3: carries by groups (group.c). */
#ifndef FIRMIANA_MPC_REP3_GROUP_H
#define FIRMIANA_MPC_REP3_GROUP_H

#include "mpc/rep3/state.h"

/* One x = u + v whose carry out of the lowest `bits` positions is wanted. gp is made by the caller
 * with rep3_group_planes() planes and filled here: with M = rep3_group_count(), planes 0 .. M-1
 * generate, M .. 2M-2 propagate (of groups 1 .. M-1), then u ^ v at position `bits`. */
struct rep3_group {
    const struct mpc_share *x;
    struct mpc_share *gp;
    unsigned bits; /* 0..63 */
    unsigned size; /* positions in one group, 1..4 */
};

unsigned rep3_group_count(unsigned bits, unsigned size);
unsigned rep3_group_planes(unsigned bits, unsigned size);
/* 2 rounds for the whole list. Bytes over all parties for 64 elements: */
uint64_t rep3_group_bytes(unsigned bits, unsigned size);
fm_status rep3_group_all(struct mpc_session *s, const struct rep3_group *items, size_t count,
                         struct base_err *err) FM_CHECK;

#endif
