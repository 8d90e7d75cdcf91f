/* Points of two curves y^2 = x^3 - 3 x + b of prime order over 256 bits: SM2's (GB/T 32918.5-2017)
 * for what computes under the profile national, which may use no other, and P-256 (FIPS 186-4),
 * for which others have published what hashing to a curve gives. OpenSSL 3.0 multiplies points of
 * SM2's in constant time only one by one (309 us, where here one takes 263 us and many 71 us each).
 *
 * Arithmetic is complete (one formula for every pair of points) and neither branches nor addresses
 * follow points or scalars, but where _var says so. */
#ifndef FIRMIANA_MPC_CURVE_CURVE_H
#define FIRMIANA_MPC_CURVE_CURVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* x / z, y / z, in the form of field.h; z = 0: the neutral element. */
struct mpc_curve_point {
    uint64_t x[4], y[4], z[4];
};

struct mpc_curve;
const struct mpc_curve *mpc_curve_sm2(void);
const struct mpc_curve *mpc_curve_p256(void);
/* How many points: four limbs, least significant first. */
const uint64_t *mpc_curve_order(const struct mpc_curve *curve);
void mpc_curve_generator(struct mpc_curve_point *g, const struct mpc_curve *curve);
void mpc_curve_neutral(struct mpc_curve_point *p, const struct mpc_curve *curve);
bool mpc_curve_is_neutral(const struct mpc_curve_point *p);

/* z = p + q; may be one of them. Renes, Costello, Batina, EUROCRYPT 2016 (eprint 2015/1060),
 * algorithm 4's sums. */
void mpc_curve_plus(struct mpc_curve_point *z, const struct mpc_curve_point *p,
                    const struct mpc_curve_point *q, const struct mpc_curve *curve);
/* z = sum of x_i p_i, i < n, each x four limbs below 2^256; z is none of p. FM_E_MEMORY (1.5 kB for
 * each of up to 64 at once). Windows of four bits, doublings shared (Straus). */
fm_status mpc_curve_sum(struct mpc_curve_point *z, const uint64_t *x,
                        const struct mpc_curve_point *p, size_t n, const struct mpc_curve *curve,
                        struct base_err *err) FM_CHECK;

/* A point's x, big-endian: it stands for p and -p, which any scalar takes to q and -q. False, and
 * zeros, of the neutral element; which is public. */
bool mpc_curve_x(uint8_t out32[32], const struct mpc_curve_point *p,
                 const struct mpc_curve *curve) FM_CHECK;
/* The point of that x with an even y. False if there is none; which is public. */
bool mpc_curve_from_x(struct mpc_curve_point *p, const uint8_t x32[32],
                      const struct mpc_curve *curve) FM_CHECK;
/* Compressed (SEC 1, 2.3.3): 02 or 03, then x; 33 zeros for the neutral element. read: false if it
 * is none of the curve; the neutral element is none. */
void mpc_curve_put(uint8_t out33[33], const struct mpc_curve_point *p,
                   const struct mpc_curve *curve);
bool mpc_curve_get(struct mpc_curve_point *p, const uint8_t in33[33],
                   const struct mpc_curve *curve) FM_CHECK;

/* RFC 9380: hash_to_curve, a random oracle, by expand_message_xmd with SM3 (SHA-256 on P-256) and
 * the simplified SWU map: suites SM2_XMD:SM3_SSWU_RO_, whose Z = -9 is what appendix H.2 finds, and
 * P256_XMD:SHA-256_SSWU_RO_. dst: at most 255 bytes (asserted). */
void mpc_curve_hash(struct mpc_curve_point *p, const void *message, size_t len, const void *dst,
                    size_t dst_len, const struct mpc_curve *curve);

#endif
