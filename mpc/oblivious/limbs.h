/* Inside of oblivious/: sort keys as few, short numbers. Pieces of all keys, the most significant
 * first and the row's number last, are packed into limbs: ring columns of at most 62 bits, whose
 * order limb by limb is the order of the rows. */
#ifndef FIRMIANA_MPC_OBLIVIOUS_LIMBS_H
#define FIRMIANA_MPC_OBLIVIOUS_LIMBS_H

#include "mpc/oblivious/arrange.h"
#include "mpc/oblivious/sort.h"

struct mpc_piece {
    struct mpc_share *ring; /* of range 0 .. 2^width - 1, cannot be cut; or NULL */
    struct mpc_share *bits; /* unsigned, can be cut anywhere; or NULL */
    unsigned width;
};

enum { MPC_PIECES = 2 * MPC_SORT_KEYS + 1 };

struct mpc_pieces {
    struct mpc_piece piece[MPC_PIECES];
    size_t len;
};

/* FM_E_ARG on keys that are not as sort.h says. */
fm_status mpc_pieces_of_keys(struct mpc_pieces *p, const struct mpc_sort_key *keys, size_t count,
                             struct base_err *err) FM_CHECK;
/* Adds x, ring of range 0..something, as the least significant. Takes it over. */
void mpc_pieces_add(struct mpc_pieces *p, struct mpc_share *x);
void mpc_pieces_release(struct mpc_pieces *p);
unsigned mpc_pieces_width(const struct mpc_pieces *p);

/* limb[0..*limbs): the caller's to free. FM_E_LIMIT if MPC_ARRANGE_LIMBS do not hold the keys. */
fm_status mpc_pieces_pack(struct mpc_share **limb, size_t *limbs, const struct mpc_pieces *p,
                          struct base_err *err) FM_CHECK;

#endif
