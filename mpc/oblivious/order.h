/* Orders: permutations of rows that no party knows, held as a random permutation that no party
 * knows (mpc_perm_random) followed by one that all compute parties know. Any number of columns may
 * be moved by one order; each costs one shuffle, whatever made the order.
 *
 * Why the public half says nothing: it is sigma o pi^-1 for the wanted sigma and a uniform pi that
 * is independent of everything else, so it is uniform itself (Asharov et al., CCS 2022, eprint
 * 2022/1595, section 4.2: shuffle, open, apply). pi is never used to open anything else.
 *
 * A place is where a row goes; ranks[i] is the place of row i; index[j] is the row at place j.
 *
 * Costs over rep3, all parties, for n rows (W = ceil(n / 64) words a plane):
 *     random            none
 *     of_ranks          56 n                  3 rounds
 *     apply, to_ranks   32 a word and column  2 rounds
 *     compose           88 n                  5 rounds */
#ifndef FIRMIANA_MPC_OBLIVIOUS_ORDER_H
#define FIRMIANA_MPC_OBLIVIOUS_ORDER_H

#include "mpc/protocol.h"

struct mpc_order;

size_t mpc_order_n(const struct mpc_order *order);
void mpc_order_free(struct mpc_order *order); /* NULL allowed; before its session is closed */

/* A uniformly random one. */
fm_status mpc_order_random(struct mpc_session *s, struct mpc_order **out, size_t n,
                           struct base_err *err) FM_CHECK;
/* Row i goes to place ranks[i]: ring, each of 0..n-1 once. FM_E_ARG if they are not that (found
 * after the opening: all compute parties see it, the transport is aborted). */
fm_status mpc_order_of_ranks(struct mpc_order **out, const struct mpc_share *ranks,
                             struct base_err *err) FM_CHECK;
/* For those who found the public half themselves (arrange.h): place j takes row map[j] of what perm
 * puts out. Takes over perm and map (malloc'd, NULL where this party does not compute), also when
 * it fails. map is a permutation. */
fm_status mpc_order_of_halves(struct mpc_order **out, struct mpc_session *s, struct mpc_perm *perm,
                              uint32_t *map, size_t n, struct base_err *err) FM_CHECK;

/* Forward: z[j] = the row of x that goes to place j. Inverse: z[i] = x[place of row i]. Each column
 * has n elements; outputs are freshly shared. */
fm_status mpc_order_apply(const struct mpc_order *order, enum mpc_direction direction,
                          struct mpc_share **z, const struct mpc_share *const *x, size_t count,
                          struct base_err *err) FM_CHECK;
/* Forward, but only the first k places come out. The cost is that of all n. */
fm_status mpc_order_first(const struct mpc_order *order, size_t k, struct mpc_share **z,
                          const struct mpc_share *const *x, size_t count,
                          struct base_err *err) FM_CHECK;
/* ranks, and index: ring, range 0..n-1. */
fm_status mpc_order_to_ranks(const struct mpc_order *order, struct mpc_share **ranks,
                             struct base_err *err) FM_CHECK;
fm_status mpc_order_to_index(const struct mpc_order *order, struct mpc_share **index,
                             struct base_err *err) FM_CHECK;
/* As moving by `first` and then by `then`. */
fm_status mpc_order_compose(struct mpc_order **out, const struct mpc_order *first,
                            const struct mpc_order *then, struct base_err *err) FM_CHECK;

/* The public column 0, 1, ..., n - 1 (ring). No messages. */
fm_status mpc_count_up(struct mpc_session *s, struct mpc_share **out, size_t n,
                       struct base_err *err) FM_CHECK;

#endif
