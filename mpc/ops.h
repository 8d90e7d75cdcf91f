/* Operations on shares: see protocol.h for how they are used, and for the rules on ranges, aliasing
 * and errors that hold for all of them. circuit/ has what is built from them. */
#ifndef FIRMIANA_MPC_OPS_H
#define FIRMIANA_MPC_OPS_H

#include "mpc/session.h"

/* ---- local operations: no messages ---- */

/* Public vectors as shares: n copies of value. */
fm_status mpc_constant(struct mpc_session *s, struct mpc_share **out, int64_t value, size_t n,
                       struct base_err *err) FM_CHECK;
/* Plane j of every element = bit j of value (bit 63 for j > 63). */
fm_status mpc_bits_constant(struct mpc_session *s, struct mpc_share **out, int64_t value,
                            unsigned width, size_t n, struct base_err *err) FM_CHECK;

fm_status mpc_add(struct mpc_share **out, const struct mpc_share *x, const struct mpc_share *y,
                  struct base_err *err) FM_CHECK;
fm_status mpc_sub(struct mpc_share **out, const struct mpc_share *x, const struct mpc_share *y,
                  struct base_err *err) FM_CHECK;
/* Mod 2^64 whatever the ranges say; the result has the full range. For circuits that know better.
 */
fm_status mpc_add_wrapping(struct mpc_share **out, const struct mpc_share *x,
                           const struct mpc_share *y, struct base_err *err) FM_CHECK;
fm_status mpc_sub_wrapping(struct mpc_share **out, const struct mpc_share *x,
                           const struct mpc_share *y, struct base_err *err) FM_CHECK;
fm_status mpc_neg(struct mpc_share **out, const struct mpc_share *x, struct base_err *err) FM_CHECK;
fm_status mpc_scale(struct mpc_share **out, const struct mpc_share *x, int64_t c,
                    struct base_err *err) FM_CHECK;
fm_status mpc_add_constant(struct mpc_share **out, const struct mpc_share *x, int64_t c,
                           struct base_err *err) FM_CHECK;
fm_status mpc_sum(struct mpc_share **out, const struct mpc_share *x,
                  struct base_err *err) FM_CHECK; /* one element; of an empty vector: 0 */
fm_status mpc_xor(struct mpc_share **out, const struct mpc_share *x, const struct mpc_share *y,
                  struct base_err *err) FM_CHECK;
fm_status mpc_not(struct mpc_share **out, const struct mpc_share *x, struct base_err *err) FM_CHECK;
/* Elements [from, from + n) of x. */
fm_status mpc_slice(struct mpc_share **out, const struct mpc_share *x, size_t from, size_t n,
                    struct base_err *err) FM_CHECK;
/* x[0], x[1], ... one after another; same domain and width; the range is the hull. */
fm_status mpc_concat(struct mpc_share **out, const struct mpc_share *const *x, size_t count,
                     struct base_err *err) FM_CHECK;
/* n copies of the one element of x. */
fm_status mpc_spread(struct mpc_share **out, const struct mpc_share *x, size_t n,
                     struct base_err *err) FM_CHECK;
/* z[i] = x[map[i]] for 0 <= i < n: a public choice of places. FM_E_ARG where map leaves x; map is
 * not read, and may be NULL, where this party does not compute. */
fm_status mpc_gather(struct mpc_share **out, const struct mpc_share *x, const uint32_t *map,
                     size_t n, struct base_err *err) FM_CHECK;
/* z[i] = x[p[i]] - x[q[i]], ring: what a list of comparisons of rows begins with. */
fm_status mpc_gather_sub(struct mpc_share **out, const struct mpc_share *x, const uint32_t *p,
                         const uint32_t *q, size_t n, struct base_err *err) FM_CHECK;
/* z[i] = x[0] + .. + x[i], XOR for bits. Mod 2^64: the result has the full range where its own
 * range does not fit. */
fm_status mpc_prefix(struct mpc_share **out, const struct mpc_share *x,
                     struct base_err *err) FM_CHECK;
/* Planes [from, from + width) of x (bits). */
fm_status mpc_planes(struct mpc_share **out, const struct mpc_share *x, unsigned from,
                     unsigned width, struct base_err *err) FM_CHECK;

/* ---- products. Lists: all vectors of a list share one round; lengths may differ between items
 * ---- */

/* z[i] = x[i] * y[i] elementwise. rep3: 1 round, 8 bytes an element and party.
 * Araki et al., CCS 2016, section 2.2 (eprint 2016/768). */
fm_status mpc_mul_list(struct mpc_share **z, const struct mpc_share *const *x,
                       const struct mpc_share *const *y, size_t count,
                       struct base_err *err) FM_CHECK;
fm_status mpc_mul(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                  struct base_err *err) FM_CHECK;
/* z[i] = sum over j of x[i][j] * y[i][j]: one element. rep3: 1 round, 8 bytes a party and item. */
fm_status mpc_dot_list(struct mpc_share **z, const struct mpc_share *const *x,
                       const struct mpc_share *const *y, size_t count,
                       struct base_err *err) FM_CHECK;
fm_status mpc_dot(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                  struct base_err *err) FM_CHECK;
/* z[i] = x[0][i] * y[0][i] + x[1][i] * y[1][i] + ..., all x of one length; a y of one element
 * multiplies every element of its x: a table times a secret vector of weights. Costs one product,
 * whatever the number of columns: rep3: 1 round, 8 bytes an element and party. Not cut into lanes.
 */
fm_status mpc_dot_columns(struct mpc_share **z, const struct mpc_share *const *x,
                          const struct mpc_share *const *y, size_t count,
                          struct base_err *err) FM_CHECK;
/* Bitwise; widths equal, or one of them 1 and then applied to every plane of the other. rep3: 1
 * round, 8 * width * ceil(n/64) bytes a party. OR costs the same. */
fm_status mpc_and_list(struct mpc_share **z, const struct mpc_share *const *x,
                       const struct mpc_share *const *y, size_t count,
                       struct base_err *err) FM_CHECK;
fm_status mpc_and(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                  struct base_err *err) FM_CHECK;
fm_status mpc_or(struct mpc_share **z, const struct mpc_share *x, const struct mpc_share *y,
                 struct base_err *err) FM_CHECK;

/* ---- conversions, in lists like the products. Costs per protocol: rep3/rep3.h ---- */

/* z[i] = the low width[i] planes of x[i] (two's complement), width 1..64. */
fm_status mpc_a2b_list(struct mpc_share **z, const struct mpc_share *const *x,
                       const unsigned *width, size_t count, struct base_err *err) FM_CHECK;
/* At the width of its range. */
fm_status mpc_a2b(struct mpc_share **z, const struct mpc_share *x, struct base_err *err) FM_CHECK;
/* The integer that the planes write; width 1..64 (unsigned: 1..63). */
fm_status mpc_b2a(struct mpc_share **z, const struct mpc_share *x, enum mpc_sign sign,
                  struct base_err *err) FM_CHECK;
/* x[i] of width 1 -> ring elements 0 or 1. */
fm_status mpc_bit2a_list(struct mpc_share **z, const struct mpc_share *const *x, size_t count,
                         struct base_err *err) FM_CHECK;
fm_status mpc_bit2a(struct mpc_share **z, const struct mpc_share *x, struct base_err *err) FM_CHECK;
/* z[i] = bit width[i]-1 of x[i]: the sign, if x[i] fits width[i] bits of two's complement. */
fm_status mpc_msb_list(struct mpc_share **z, const struct mpc_share *const *x,
                       const unsigned *width, size_t count, struct base_err *err) FM_CHECK;
/* The same of x[i] - y[i] mod 2^64, which is not written anywhere: for operands that are not needed
 * otherwise. y[i] may have one element, which is then taken from all of x[i]; or be NULL: 0. */
fm_status mpc_msb_diff_list(struct mpc_share **z, const struct mpc_share *const *x,
                            const struct mpc_share *const *y, const unsigned *width, size_t count,
                            struct base_err *err) FM_CHECK;
/* z[i] = the sign of the first of x[0][i], x[1][i], ... that is not zero, 0 if all are: what a
 * comparison of numbers of several limbs, the most significant first, comes to. x[k] and x[k] - 1
 * must fit width[k] bits of two's complement; equal lengths. rep3, few rounds:
 * mpc_rep3_linked_cost(); two of 43 bits: 19 bytes a party, 7 rounds, as one msb of the joint width
 * would cost. */
fm_status mpc_msb_linked(struct mpc_share **z, const struct mpc_share *const *x,
                         const unsigned *width, size_t count, struct base_err *err) FM_CHECK;
/* z[i] = 1 where x[i] is 0 mod 2^width[i]. */
fm_status mpc_eqz_list(struct mpc_share **z, const struct mpc_share *const *x,
                       const unsigned *width, size_t count, struct base_err *err) FM_CHECK;
fm_status mpc_eqz_diff_list(struct mpc_share **z, const struct mpc_share *const *x,
                            const struct mpc_share *const *y, const unsigned *width, size_t count,
                            struct base_err *err) FM_CHECK;
/* How many elements of a width-1 share are 1: one ring element, range 0..n. Cheaper than bit2a +
 * sum. */
fm_status mpc_bit_count_list(struct mpc_share **z, const struct mpc_share *const *x, size_t count,
                             struct base_err *err) FM_CHECK;

/* ---- permutations, joint randomness, preprocessing ---- */

/* A uniformly random permutation of n elements that no party knows. */
fm_status mpc_perm_random(struct mpc_session *s, struct mpc_perm **out, size_t n,
                          struct base_err *err) FM_CHECK;
/* Moves all columns x[0..count) of n elements by the same permutation; MPC_INVERSE undoes
 * MPC_FORWARD. Outputs are freshly shared. rep3: 2 rounds, 32 bytes an element and column over all
 * parties, of which one sends half (another one for each handle).
 */
fm_status mpc_perm_apply(const struct mpc_perm *perm, enum mpc_direction direction,
                         struct mpc_share **z, const struct mpc_share *const *x, size_t count,
                         struct base_err *err) FM_CHECK;
void mpc_perm_free(struct mpc_perm *perm); /* NULL allowed; before its session is closed */

/* len bytes that all compute parties know and none chose (zeros at an outsider). rep3: 1 round. */
fm_status mpc_coin(struct mpc_session *s, uint8_t *out, size_t len, struct base_err *err) FM_CHECK;
/* A sharing of secret random bits, or of random ring elements (full range, width is then ignored).
 * rep3: no messages. */
fm_status mpc_random_share(struct mpc_session *s, struct mpc_share **out, enum mpc_domain domain,
                           unsigned width, size_t n, struct base_err *err) FM_CHECK;
/* Secret random bits, width 1: mpc_random_share() for bits. */
fm_status mpc_random_bit(struct mpc_session *s, struct mpc_share **out, size_t n,
                         struct base_err *err) FM_CHECK;

/* What a plan will need, for protocols with a preprocessing phase; may be called once, before
 * input. */
struct mpc_counts {
    uint64_t mul;      /* ring products */
    uint64_t and_bits; /* AND gates */
    uint64_t bit2a;    /* bits converted */
    uint64_t a2b_bits; /* bits produced by a2b, msb, eqz */
};
fm_status mpc_prepare(struct mpc_session *s, const struct mpc_counts *counts,
                      struct base_err *err) FM_CHECK;
/* Verifies everything so far in a malicious row; reveal and open call it themselves. */
fm_status mpc_check(struct mpc_session *s, struct base_err *err) FM_CHECK;

#endif
