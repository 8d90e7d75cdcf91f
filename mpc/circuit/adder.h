/* Boolean addition, comparison and zero test over gates: the circuits under the rows' own
 * conversions and under circuit/. Written once over the and / xor slots; lists share their rounds.
 *
 * Two k-bit numbers u, v are given as u and p = u ^ v. Carries: c_0 = 0, c_{j+1} = maj(u_j, v_j,
 * c_j).
 *
 *   - Few rounds: g_j = u_j & v_j = (u_j & p_j) ^ u_j in 1 round; then (g, p) pairs are combined,
 *     (g, p)_hi o (g, p)_lo = (g_hi ^ p_hi g_lo, p_hi p_lo), in a tree (one carry) or, for all
 *     carries, in Sklansky's prefix network (IRE Trans. Electronic Computers, 1960).
 *   - Few bytes: c_{j+1} = u_j ^ (p_j & (u_j ^ c_j)), one AND a bit, one round a bit.
 *
 * Which: the fixed profile's, or by link and length the quicker (choice.h).
 *
 * A borrow of x - y is the same with u = y, p = ~(x ^ y); the difference bit is then ~(p_j ^ c_j).
 */
#ifndef FIRMIANA_MPC_CIRCUIT_ADDER_H
#define FIRMIANA_MPC_CIRCUIT_ADDER_H

#include "mpc/protocol.h"

/* bits <= 64 planes of u and p, from plane 0. */
struct mpc_adder {
    const struct mpc_share *u;
    const struct mpc_share *p;
    unsigned bits;
};

struct mpc_circuit_cost {
    uint64_t ands; /* per element */
    unsigned rounds;
};

/* z[i] (width 1) = carry out of all `bits` positions, XOR top[i] unless its share is NULL. bits may
 * be 0: then there is no carry. */
fm_status mpc_adder_carry(struct mpc_session *s, struct mpc_share *const *z,
                          const struct mpc_adder *in, const struct mpc_wire *top, size_t count,
                          struct base_err *err) FM_CHECK;
/* The same on a fixed profile, whatever the session's. */
fm_status mpc_adder_carry_by(struct mpc_session *s, enum mpc_profile fixed,
                             struct mpc_share *const *z, const struct mpc_adder *in,
                             const struct mpc_wire *top, size_t count,
                             struct base_err *err) FM_CHECK;
/* profile: a fixed one, here and below. */
struct mpc_circuit_cost mpc_carry_cost(unsigned bits, enum mpc_profile profile);

/* The same from generate and propagate planes of whole groups of positions, the lowest first: g has
 * `groups` planes from plane 0, p those of all groups but the lowest, from plane p_from. */
struct mpc_groups {
    const struct mpc_share *g;
    const struct mpc_share *p;
    unsigned p_from;
    unsigned groups; /* at most 64; 0: no carry */
};
fm_status mpc_adder_groups(struct mpc_session *s, struct mpc_share *const *z,
                           const struct mpc_groups *in, const struct mpc_wire *top, size_t count,
                           struct base_err *err) FM_CHECK;
struct mpc_circuit_cost mpc_groups_cost(unsigned groups);

/* z[i] (width `bits`) = u + v mod 2^bits. */
fm_status mpc_adder_sum(struct mpc_session *s, struct mpc_share *const *z,
                        const struct mpc_adder *in, size_t count, struct base_err *err) FM_CHECK;
fm_status mpc_adder_sum_by(struct mpc_session *s, enum mpc_profile fixed,
                           struct mpc_share *const *z, const struct mpc_adder *in, size_t count,
                           struct base_err *err) FM_CHECK;
struct mpc_circuit_cost mpc_sum_cost(unsigned bits, enum mpc_profile profile);

/* The way that the session goes: a fixed profile. cost_of: mpc_carry_cost or mpc_sum_cost. */
enum mpc_profile mpc_adder_choose(const struct mpc_session *s, const struct mpc_adder *in,
                                  size_t count,
                                  struct mpc_circuit_cost (*cost_of)(unsigned, enum mpc_profile));

/* z[i] (width 1) = AND of all planes of x[i]: width - 1 ANDs, ceil(log2 width) rounds. */
fm_status mpc_all_planes(struct mpc_session *s, struct mpc_share *const *z,
                         const struct mpc_share *const *x, size_t count,
                         struct base_err *err) FM_CHECK;
struct mpc_circuit_cost mpc_all_cost(unsigned width);

#endif
