/* Inside of rep3: carries by groups (group.c). */
#ifndef FIRMIANA_MPC_REP3_GROUP_H
#define FIRMIANA_MPC_REP3_GROUP_H

#include "mpc/rep3/state.h"

/* One x = u + v whose carry out of the lowest `bits` positions is wanted. gp is made by the caller
 * and filled here: with M = rep3_group_count(), M planes that generate, M - 1 that propagate (of
 * groups 1 .. M-1; if linked, M, group 0's first), and u ^ v at position `bits`. */
struct rep3_group {
    const struct mpc_share *x;
    struct mpc_share *gp;
    unsigned bits;   /* 1..63 */
    unsigned size;   /* positions in one group, 1..4 */
    unsigned g_at;   /* the plane of gp where they begin */
    unsigned p_at;   /* likewise */
    unsigned top_at; /* the one of u ^ v */
    bool linked;     /* another x's carry will come in: bits >= 1 */
};
unsigned rep3_group_count(unsigned bits, unsigned size);
/* 2 rounds for the whole list. Bytes over all parties for 64 elements: */
uint64_t rep3_group_bytes(unsigned bits, unsigned size);
fm_status rep3_group_all(struct mpc_session *s, const struct rep3_group *items, size_t count,
                         struct base_err *err) FM_CHECK;

#endif
