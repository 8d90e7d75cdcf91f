/* Lanes: one party's operations on long vectors, done by several threads at once.
 *
 * A session with `streams` > 1 over a row that allows it has as many lanes. Lane 0 is the session
 * itself, on the caller's thread; each other lane is a session of its own inside it (own stream,
 * own generators, own pool) with a thread of its own. An operation on long vectors is cut into one
 * slice a lane: the row sees ordinary shorter vectors, and knows nothing of threads. Slices begin
 * at multiples of MPC_LANE_ELEMENTS, so no two lanes write one cache line.
 *
 * The same streams at all parties: what lane k sends is met by lane k. How an operation is cut is a
 * function of lengths and of the number of lanes, both public. Bytes are those of one lane, because
 * slices cut no word and a row that chooses by length sees the whole column's; rounds are those of
 * the lane with most.
 *
 * INVARIANTS. A lane's thread touches views (slices of the outputs and operands, disjoint between
 * lanes where written) and its own session, nothing else. The session's other calls are never made
 * while lanes run: mpc_lanes_run() returns when all have ended. */
#ifndef FIRMIANA_MPC_LANES_H
#define FIRMIANA_MPC_LANES_H

#include "mpc/share.h"

enum {
    MPC_LANE_ELEMENTS = 512, /* a slice's grain: 64 bytes of one plane */
    MPC_LANES_FROM = 32768   /* elements of a list, below which one lane does it all: its messages
                                would be shorter than what waking a thread takes */
};

/* Makes the lanes of a freshly opened session: nothing where streams is 1, or the row has one. */
fm_status mpc_lanes_open(struct mpc_session *s, struct base_err *err) FM_CHECK;
void mpc_lanes_close(struct mpc_session *s);

/* Whether a list with so many elements in all is cut. Never inside a lane. */
bool mpc_lanes_wanted(const struct mpc_session *s, size_t elements);

/* Lane k's part of a job. A failure has aborted the transport, or is the caller's mistake and then
 * the same in all lanes. */
typedef fm_status mpc_lane_fn(struct mpc_session *lane, const void *job, unsigned k, unsigned lanes,
                              struct base_err *err);
/* Runs fn in every lane; the first failure by lane number. Adds what the lanes counted to the
 * session's statistics. */
fm_status mpc_lanes_run(struct mpc_session *s, mpc_lane_fn *fn, const void *job,
                        struct base_err *err) FM_CHECK;

/* Where lane k's slice of n elements begins; that of lane k + 1 is its end. */
size_t mpc_lane_begin(size_t n, unsigned k, unsigned lanes);
/* Elements from.. from + n of x, as a share of that lane. from: a lane's begin. The view owns
 * nothing and is not freed. */
void mpc_share_view(struct mpc_share *view, struct mpc_session *lane, const struct mpc_share *x,
                    size_t from, size_t n);

/* One list operation of the table, whole or in slices. What is not used stays NULL. */
struct mpc_list_call {
    enum mpc_op op; /* MUL, A2B, B2A, BIT2A, MSB, EQZ, MSB_LINKED (one z) */
    struct mpc_share *const *z;
    const struct mpc_share *const *x;
    const struct mpc_share *const *y; /* MUL; MSB, EQZ: NULL, or some may be, or have one element */
    const unsigned *width;            /* MSB, EQZ */
    enum mpc_sign sign;               /* B2A */
    size_t count;
};
fm_status mpc_list_run(struct mpc_session *s, const struct mpc_list_call *call,
                       struct base_err *err) FM_CHECK;
/* row->and on a list of gates, likewise. */
fm_status mpc_gate_list_run(struct mpc_session *s, const struct mpc_gate *gates, size_t count,
                            struct base_err *err) FM_CHECK;

#endif
