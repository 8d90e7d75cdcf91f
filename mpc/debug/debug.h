/* A row around another row: counts operations, rounds and bytes, checks which session every share
 * belongs to, and fails on demand at operation k. For tests and for developers of circuits; it adds
 * no security and changes no result.
 *
 *   struct mpc_debug d;
 *   mpc_debug_init(&d, mpc_protocol_find("rep3"));
 *   config.protocol = &d.row;         one mpc_debug per session, and it must outlive it */
#ifndef FIRMIANA_MPC_DEBUG_H
#define FIRMIANA_MPC_DEBUG_H

#include "mpc/protocol.h"

struct mpc_debug_count {
    uint64_t calls;
    uint64_t rounds; /* of the outermost operations: what they called in turn is theirs */
    uint64_t bytes;  /* sent by this party, likewise */
};

struct mpc_debug {
    struct mpc_protocol row; /* first: the session's row pointer leads back here */
    const struct mpc_protocol *inner;
    char name[64]; /* "debug(rep3)" */
    struct mpc_debug_count count[MPC_OP_COUNT];
    uint64_t operations; /* fallible ones so far, inner ones too; the first is number 1 */
    uint64_t fail_at;    /* 0: never. Operation number fail_at ends with FM_E_IO before it begins */
    unsigned depth;
    bool
        foreign; /* a local operation met a share of another session: the next fallible one fails */
};

void mpc_debug_init(struct mpc_debug *debug, const struct mpc_protocol *inner);

#endif
