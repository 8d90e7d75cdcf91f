/* Lists of gates, for circuits: wires are planes of bits shares; one call runs all gates of a list
 * in one round. Where this party does not compute, running does nothing. */
#ifndef FIRMIANA_MPC_GATES_H
#define FIRMIANA_MPC_GATES_H

#include "mpc/protocol.h"

/* A growing list. {0} is an empty one. A push that finds no memory is remembered and reported by
 * the run. */
struct mpc_gates {
    struct mpc_gate *gate;
    size_t len;
    size_t cap;
    bool failed;
};

static inline struct mpc_wire mpc_wire_of(const struct mpc_share *x, unsigned plane)
{
    /* A wire is read-only unless it stands as z; the table's gate has one type for both. */
    return (struct mpc_wire){(struct mpc_share *)(uintptr_t)x, plane};
}

static inline struct mpc_wire mpc_wire_none(void)
{
    return (struct mpc_wire){NULL, 0};
}

/* z = (x & y) ^ w, or x ^ y: which, says the run. */
void mpc_gates_push(struct mpc_gates *gates, struct mpc_wire z, struct mpc_wire x,
                    struct mpc_wire y, struct mpc_wire w);
void mpc_gates_clear(struct mpc_gates *gates);
void mpc_gates_release(struct mpc_gates *gates);

/* Run the list and clear it. and: 1 round. */
fm_status mpc_gates_and(struct mpc_session *s, struct mpc_gates *gates,
                        struct base_err *err) FM_CHECK;
fm_status mpc_gates_xor(struct mpc_session *s, struct mpc_gates *gates,
                        struct base_err *err) FM_CHECK;
void mpc_wire_flip(struct mpc_session *s, struct mpc_wire wire);

#endif
