/* Taking numbers apart: bits as ring elements, one-hot form, exact truncation. Written once over
 * the operations table.
 *
 * Cost over rep3 (bytes the mean over parties at large n, W = ceil(n / 64) words a plane):
 *   - bits: one a2b of k bits and one bit2a of k columns: 8 n k bytes more, 2 rounds more.
 *   - one-hot of c values, k = ceil(log2 c) bits: one a2b of k bits, then at most 2^k - k - 1 ANDs
 * in ceil(log2 k) rounds (c = 2: none; 4: 1; 8: 4; 64: 57).
 *   - truncate: one a2b of k bits and one b2a of k - by. */
#ifndef FIRMIANA_MPC_CIRCUIT_DECOMPOSE_H
#define FIRMIANA_MPC_CIRCUIT_DECOMPOSE_H

#include "mpc/circuit/adder.h"
#include "mpc/protocol.h"

/* bit[j][i] = bit j of x[i] as a ring element 0 or 1, for 0 <= j < width, width 1..64: two's
 * complement, so that x = sum 2^j bit[j], less 2^width bit[width-1] if the range holds negative
 * numbers and width is its own (mpc_share_width). */
fm_status mpc_ring_bits(struct mpc_share **bit, const struct mpc_share *x, unsigned width,
                        struct base_err *err) FM_CHECK;

enum { MPC_ONE_HOT_MOST = 256 };

/* Plane v of *z (bits) = (x == lo + v), for all values lo..hi of x's range: hi - lo < 256. x: ring,
 * or bits of width 1..8, read unsigned: 2^width planes. */
fm_status mpc_one_hot(struct mpc_share **z, const struct mpc_share *x,
                      struct base_err *err) FM_CHECK;
/* The ANDs and rounds after the a2b. */
struct mpc_circuit_cost mpc_one_hot_cost(unsigned values);

/* floor(x / 2^by), 0 <= by < 64: exact, also for negative numbers. */
fm_status mpc_truncate(struct mpc_share **z, const struct mpc_share *x, unsigned by,
                       struct base_err *err) FM_CHECK;

#endif
