/* Arithmetic that SQL rounds: exact, half away from zero. All are vectors; shares are the work's.
 * Costs are those of circuit/divide.h for each element: a division is long (about 300 rounds at 40
 * by 20 bits), so operators divide as few rows as they can. */
#ifndef FIRMIANA_EXCHANGE_RUN_ARITH_H
#define FIRMIANA_EXCHANGE_RUN_ARITH_H

#include "exchange/run/work.h"

enum run_rounding { RUN_HALF_AWAY, RUN_TOWARDS_ZERO };

/* x * 10^digits / y for y >= 0, num of any sign; anything in range where y is 0. In two divisions
 * where 10^digits would push the dividend past 63 bits: |x| = q y + r, then the digits of q and
 * those of r / y. most: the greatest |x| / y, where the caller knows it (and y is never 0 then), or
 * INT64_MAX. FM_E_LIMIT where not even that fits. */
struct mpc_share *run_ratio(struct run_work *w, const struct mpc_share *x,
                            const struct mpc_share *y, unsigned digits, int64_t most,
                            enum run_rounding rounding);
/* The same for y of any sign. */
struct mpc_share *run_quotient(struct run_work *w, const struct mpc_share *x,
                               const struct mpc_share *y, unsigned digits,
                               enum run_rounding rounding);
/* x / c for a public c >= 1: two truncations and a comparison rather than a division. */
struct mpc_share *run_quotient_public(struct run_work *w, const struct mpc_share *x, int64_t c,
                                      enum run_rounding rounding);
/* |x|, and x where the bit is not set, -x where it is. */
struct mpc_share *run_abs(struct run_work *w, const struct mpc_share *x);
struct mpc_share *run_negate_where(struct run_work *w, const struct mpc_share *bit,
                                   const struct mpc_share *x);
struct mpc_share *run_negative(struct run_work *w, const struct mpc_share *x);

/* The largest integer whose square is at most x >= 0. Bit by bit: half the bits of x comparisons
 * and products, one after another. */
struct mpc_share *run_square_root(struct run_work *w, const struct mpc_share *x);

#endif
