/* Inside of rep3: the two rounds of bit injection (inject.c), unit by unit, for those who let other
 * messages travel beside them. A unit is MPC_CHUNK_WORDS elements of an item, or what is left. */
#ifndef FIRMIANA_MPC_REP3_INJECT_H
#define FIRMIANA_MPC_REP3_INJECT_H

#include "mpc/rep3/state.h"

struct rep3_inject {
    const struct mpc_share *const *x; /* width 1 */
    struct mpc_share *const *z;
    size_t out; /* the item that produce stands in, and its next element */
    size_t out_at;
    size_t in;
    size_t in_at;
    unsigned out_dealer;
    unsigned in_dealer;
    uint64_t *total; /* bit_count: this party's summand of each item */
};

/* To the first unit, whose dealer is given; before each of the two rounds. */
void rep3_inject_restart(struct rep3_inject *f, unsigned dealer);
/* The shape of rep3_flow's functions; ctx is a struct rep3_inject. First the dealing, then, when
 * all of it is done, the sign. */
fm_status rep3_inject_deal_out(struct mpc_session *s, void *ctx, size_t unit,
                               struct base_err *err) FM_CHECK;
fm_status rep3_inject_deal_in(struct mpc_session *s, void *ctx, size_t unit,
                              struct base_err *err) FM_CHECK;
fm_status rep3_inject_sign_out(struct mpc_session *s, void *ctx, size_t unit,
                               struct base_err *err) FM_CHECK;
fm_status rep3_inject_sign_in(struct mpc_session *s, void *ctx, size_t unit,
                              struct base_err *err) FM_CHECK;

#endif
