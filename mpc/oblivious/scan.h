/* Scans: what a row learns from the rows above it, within segments whose beginnings are secret.
 *
 * head: bits of width 1, or ring elements 0 / 1: set where a segment begins. Rows above the first
 * head form a segment of their own (mpc_fill_down(): they get 0).
 *
 * Copies and sums need no logarithm of levels. The rows that are heads are compacted (compact.h),
 * there the steps from each to the next are local differences, the steps move back to where the
 * heads stand, are voided elsewhere by one product, and a local prefix sum turns them into copies
 * (XOR for bits). A segmented sum is the prefix sum less a copy of what it was before the segment.
 *
 *     over rep3, all parties:  fill_down   compaction, then 64 a word + 24 a product; 5 rounds more
 *                              scan_sum    as fill_down of one ring column: 168 n in 9 rounds
 * (heads as bits: bit2a, 24 n and 2 rounds more)
 *
 * Least and greatest need comparisons: few rounds and n up to 65536: Sklansky's network, n / 2
 * log2 n combinations in log2 n levels; else up and down a tree (Brent and Kung, IEEE Trans.
 * Computers, 1982), fewer than 2 n in 2 log2 n - 1 levels. A link takes the quicker (choice.h). A
 * combination is one comparison, one bit2a, one mul and two ANDs. OR, of bits: mpc_scan_or(). */
#ifndef FIRMIANA_MPC_OBLIVIOUS_SCAN_H
#define FIRMIANA_MPC_OBLIVIOUS_SCAN_H

#include "mpc/protocol.h"

/* z[i] = x[i - 1], z[0] = 0. And z[i] = x[i] - x[i - 1] mod 2^64, XOR for bits. No messages. */
fm_status mpc_row_above(struct mpc_share **z, const struct mpc_share *x,
                        struct base_err *err) FM_CHECK;
fm_status mpc_steps(struct mpc_share **z, const struct mpc_share *x, struct base_err *err) FM_CHECK;

/* z[c][i] = x[c] at the last head up to row i. Ring or bits. All columns share the rounds. */
fm_status mpc_fill_down(struct mpc_share **z, const struct mpc_share *const *x, size_t count,
                        const struct mpc_share *head, struct base_err *err) FM_CHECK;
/* z[c][i] = sum of x[c] from the last head to row i; mod 2^64 where the column's own sum could pass
 * 64 bits. */
fm_status mpc_scan_sum(struct mpc_share **z, const struct mpc_share *const *x, size_t count,
                       const struct mpc_share *head, struct base_err *err) FM_CHECK;
/* How many rows from the last head to row i, of those where `where` (bits, width 1) is set; NULL:
 * of all. */
fm_status mpc_scan_count(struct mpc_share **z, const struct mpc_share *where,
                         const struct mpc_share *head, struct base_err *err) FM_CHECK;
/* z[i] = least / greatest of x (ring) from the last head to row i. head: bits. */
fm_status mpc_scan_min(struct mpc_share **z, const struct mpc_share *x,
                       const struct mpc_share *head, struct base_err *err) FM_CHECK;
fm_status mpc_scan_max(struct mpc_share **z, const struct mpc_share *x,
                       const struct mpc_share *head, struct base_err *err) FM_CHECK;

/* z[i] = OR of x (bits of any width, plane by plane) from the last head to row i; head: bits. The
 * first row counts as a head. In 2 ceil(log2 n) rounds, each two of them 2 w + 1 gates for w
 * planes: cheaper than a compaction up to some 10^2 planes. Kogge and Stone, IEEE Trans. Computers,
 * 1973. */
fm_status mpc_scan_or(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *head,
                      struct base_err *err) FM_CHECK;

/* z[i] = x[i - rows], 0 in the first rows. No messages. */
fm_status mpc_rows_above(struct mpc_share **z, const struct mpc_share *x, size_t rows,
                         struct base_err *err) FM_CHECK;

#endif
