/* Aggregates of a column under a secret mask: `where` is MPC_BITS of width 1 and the column's
 * length (a WHERE result AND the valid bit AND "is not NULL"). Results have one element. */
#ifndef FIRMIANA_MPC_CIRCUIT_AGGREGATE_H
#define FIRMIANA_MPC_CIRCUIT_AGGREGATE_H

#include "mpc/protocol.h"

/* How many bits are set: ring, range 0..n. rep3: 2 rounds, 8n + 24 bytes over all parties. */
fm_status mpc_count(struct mpc_share **z, const struct mpc_share *where,
                    struct base_err *err) FM_CHECK;
/* Sum of x over the elements where the mask is set: ring, range that of any sub-sum. One bit2a and
 * one dot: rep3 3 rounds, 24n + 24 bytes over all parties. */
fm_status mpc_sum_where(struct mpc_share **z, const struct mpc_share *x,
                        const struct mpc_share *where, struct base_err *err) FM_CHECK;
/* The same for several columns under one mask, or under the mask as ring elements 0 / 1 already at
 * hand (mpc_bit2a): one dot each, all in one round. */
fm_status mpc_sum_where_list(struct mpc_share **z, const struct mpc_share *const *x,
                             const struct mpc_share *bit01, size_t count,
                             struct base_err *err) FM_CHECK;

/* Least / greatest of x over the elements where the mask is set, by a tournament in boolean form of
 * the range's width k. any (bits, width 1) says whether there was one; where not, value is 0.
 * value: ring, range that of x widened to hold 0. Cost: one a2b of width k, kn ANDs to void masked
 * elements, then ceil(log2 n) levels that halve, in all n - 1 comparisons of mpc_carry_cost(k) + k
 * + 1 ANDs, each level one comparison's rounds + 1; then k ANDs and one b2a. */
fm_status mpc_min_where(struct mpc_share **value, struct mpc_share **any, const struct mpc_share *x,
                        const struct mpc_share *where, struct base_err *err) FM_CHECK;
fm_status mpc_max_where(struct mpc_share **value, struct mpc_share **any, const struct mpc_share *x,
                        const struct mpc_share *where, struct base_err *err) FM_CHECK;
/* any[0] = OR of all bits of where (0 if n = 0). n - 1 ANDs, ceil(log2 n) rounds. */
fm_status mpc_any(struct mpc_share **any, const struct mpc_share *where,
                  struct base_err *err) FM_CHECK;

#endif
