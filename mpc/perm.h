/* Inside of mpc/: a permutation handle. What it holds is the row's. */
#ifndef FIRMIANA_MPC_PERM_H
#define FIRMIANA_MPC_PERM_H

#include "mpc/share.h"

struct mpc_perm {
    struct mpc_session *session;
    size_t n;
    uint32_t *map[MPC_MAX_COMPONENTS];     /* n each, or NULL: output i comes from input map[i] */
    uint32_t *inverse[MPC_MAX_COMPONENTS]; /* likewise, of the inverse */
    unsigned turn;                         /* the row's */
};

/* Room for map k and its inverse. */
fm_status mpc_perm_map_new(struct mpc_perm *perm, unsigned k, struct base_err *err) FM_CHECK;
/* Draws map k uniformly from joint (Fisher and Yates; Knuth, TAOCP 2, 3.4.2) and sets inverse[k].
 */
void mpc_perm_draw(struct mpc_perm *perm, unsigned k, struct mpc_joint *joint);
/* Wipes and frees all maps: the perm_free of rows that hold nothing else. */
void mpc_perm_release_maps(struct mpc_perm *perm);

#endif
