/* Sorting a uniformly shuffled column of distinct keys by opened comparisons.
 *
 * WHY THIS SAYS NOTHING. The rows were moved by a permutation that is uniform and that no party
 * knows, and no two keys are equal. Then the order in which the shuffled rows stand is itself
 * uniform among all n! and independent of the keys. Every comparison's outcome, and therefore every
 * choice of the next comparisons and every message's length, is a function of that order alone: a
 * simulator draws a uniform order and plays the sort on it. (Hamada et al., ICISC 2012; Asharov et
 * al., CCS 2022, section 5.) Equal keys would show that they are equal: the caller makes them
 * distinct by appending the row's number, which makes the sort stable as well.
 *
 * HOW. In stages, on all segments of rows that are not yet in order at once. In a short segment all
 * pairs are compared. From a long one a sample is taken (its first rows), all pairs of the sample
 * are compared, and every other row finds its place among p = 2^t - 1 of the sample's rows in t
 * levels, one comparison each; the rows between two of these are a segment of the next stage. Few
 * rounds and n up to 9362: at once, by comparisons with all p of them. Which lengths are short, and
 * the sample's size, are functions of the segments' lengths, n and the session's profile: all pairs
 * of a stage come to about n / 2 (few bytes: n / 8) comparisons, or a number that grows with what a
 * round is worth (choice.h) if that is more.
 *
 * Cost, few rounds: n = 10^3: 100 n comparisons in 4 batches; 10^4: 18 n in 16; 10^5: 18 n in 29;
 * 10^6: 22 n in 31 (log2 n! is 8.5 n, 11.8 n, 15.2 n, 18.5 n). A batch is one mpc_msb_linked and
 * one opening of a bit. */
#ifndef FIRMIANA_MPC_OBLIVIOUS_ARRANGE_H
#define FIRMIANA_MPC_OBLIVIOUS_ARRANGE_H

#include "mpc/protocol.h"

enum { MPC_ARRANGE_LIMBS = 24 };

/* Rows are keys of `limbs` ring columns, the most significant first, each of a range that spans
 * less than 2^62; compared limb by limb. All keys distinct, shuffled as said above: the caller's to
 * ensure. place[j], 0 <= j < first, becomes the row that is number j in ascending order, the rest
 * of place[n] the other rows in any order; first = n sorts all. Only where this party computes. */
fm_status mpc_arrange(uint32_t *place, const struct mpc_share *const *limb, size_t limbs,
                      size_t first, struct base_err *err) FM_CHECK;

#endif
