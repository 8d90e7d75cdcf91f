/* Inside of mpc/: a permutation handle. What it holds is the row's. */
#ifndef FIRMIANA_MPC_PERM_H
#define FIRMIANA_MPC_PERM_H

#include "mpc/share.h"

struct mpc_perm {
    struct mpc_session *session;
    size_t n;
    uint32_t *map[MPC_MAX_COMPONENTS]; /* n each, or NULL: output i comes from input map[i] */
    struct mpc_share *block[MPC_MAX_COMPONENTS]; /* whose memory map[i] is */
    unsigned turn;                               /* the row's */
};

/* Makes map k, drawn uniformly from joint, as all its holders do. Short ones by Fisher and Yates
 * (Knuth, TAOCP 2, 3.4.2). Long ones first throw every element into one of 256 buckets by a random
 * byte, then shuffle each bucket, in cache (Rao 1961; Sandelius 1962): given the buckets' sizes
 * every way to fill them is as likely as any other, and so is every order within each. */
fm_status mpc_perm_draw(struct mpc_perm *perm, unsigned k, struct mpc_joint *joint,
                        struct base_err *err) FM_CHECK;
/* to = from by map k, on one component of x (words of the ring, or planes). */
void mpc_perm_move(const struct mpc_perm *perm, unsigned k, enum mpc_direction direction,
                   const struct mpc_share *x, uint64_t *to, const uint64_t *from);
/* Wipes and frees all maps: the perm_free of rows that hold nothing else. */
void mpc_perm_release_maps(struct mpc_perm *perm);

#endif
