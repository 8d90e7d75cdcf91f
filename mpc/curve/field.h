/* Numbers mod a prime p of 256 bits with p = -1 mod 2^64 (of SM2 and of P-256), as four limbs,
 * least significant first, in Montgomery's form x 2^256 mod p, below p. Neither branches nor
 * addresses follow the values. z may be x or y everywhere. */
#ifndef FIRMIANA_MPC_CURVE_FIELD_H
#define FIRMIANA_MPC_CURVE_FIELD_H

#include <stdint.h>

enum { CURVE_LIMBS = 4 };

struct curve_field {
    uint64_t p[CURVE_LIMBS];
    uint64_t r2[CURVE_LIMBS], r3[CURVE_LIMBS]; /* 2^512, 2^768 mod p */
    uint64_t one[CURVE_LIMBS];
};

void mpc_curve_add(uint64_t *z, const uint64_t *x, const uint64_t *y, const struct curve_field *f);
void mpc_curve_sub(uint64_t *z, const uint64_t *x, const uint64_t *y, const struct curve_field *f);
/* x y / 2^256; one of the two may be any number of 256 bits. */
void mpc_curve_mul(uint64_t *z, const uint64_t *x, const uint64_t *y, const struct curve_field *f);
/* x^e, e of four limbs and public. */
void mpc_curve_pow(uint64_t *z, const uint64_t *x, const uint64_t *e, const struct curve_field *f);
/* 1 / x; 0 of 0. */
void mpc_curve_invert(uint64_t *z, const uint64_t *x, const struct curve_field *f);

/* All ones if x = 0, x = y; else 0. */
uint64_t mpc_curve_is_zero(const uint64_t *x);
uint64_t mpc_curve_equal(const uint64_t *x, const uint64_t *y);
/* z = x where mask is all ones; z stays where it is 0. */
void mpc_curve_pick(uint64_t *z, const uint64_t *x, uint64_t mask);

/* Big-endian bytes of the number itself. load: false, and z is 0, if it is not below p; which is
 * public. */
int mpc_curve_load(uint64_t *z, const uint8_t *bytes32, const struct curve_field *f);
void mpc_curve_store(uint8_t *bytes32, const uint64_t *x, const struct curve_field *f);
/* Of 48 bytes, mod p. */
void mpc_curve_load_wide(uint64_t *z, const uint8_t *bytes48, const struct curve_field *f);
/* All ones if the number itself is odd. */
uint64_t mpc_curve_is_odd(const uint64_t *x, const struct curve_field *f);

#endif
