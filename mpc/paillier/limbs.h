/* Numbers as arrays of 64-bit limbs, least significant first, of a length that the caller knows and
 * that is no secret: what Paillier's secrets live in. GMP's mpn_sec_* do the arithmetic, so neither
 * branches nor addresses follow the values. Depends on base and GMP alone. */
#ifndef FIRMIANA_MPC_PAILLIER_LIMBS_H
#define FIRMIANA_MPC_PAILLIER_LIMBS_H

#include <gmp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "base/status.h"

_Static_assert(GMP_NUMB_BITS == 64 && sizeof(mp_limb_t) == 8, "limbs are 64-bit words");

/* From now on GMP wipes whatever it frees, in the whole process: its numbers here are keys. Without
 * memory it ends the process with one line, as GMP itself does. Any number of calls, any thread. */
void mpc_pai_gmp_init(void);

/* Zeroed, aligned to 64 bytes; NULL when memory is out. free wipes words words first. */
uint64_t *mpc_pai_words_new(size_t words);
void mpc_pai_words_free(uint64_t *p, size_t words);

/* Big-endian bytes: exactly len on both sides; load zero-fills, and takes len <= 8 n. store writes
 * the low len bytes. */
void mpc_pai_limbs_load(mp_limb_t *x, size_t n, const uint8_t *bytes, size_t len);
void mpc_pai_limbs_store(uint8_t *bytes, size_t len, const mp_limb_t *x, size_t n);

/* x = v, zero-filled to n limbs; v < 2^(64 n) (asserted). */
void mpc_pai_limbs_from_mpz(mp_limb_t *x, size_t n, const mpz_t v);
void mpc_pai_mpz_from_limbs(mpz_t v, const mp_limb_t *x, size_t n);

/* Uniform below 2^bits, in ceil(bits / 64) limbs; uniform in [1, m), m of `bits` bits, by
 * rejection: how many tries it takes says nothing about the outcome. */
fm_status mpc_pai_limbs_random_bits(mp_limb_t *x, size_t bits, const struct base_random *random,
                                    struct base_err *err) FM_CHECK;
fm_status mpc_pai_limbs_random_below(mp_limb_t *x, const mp_limb_t *m, size_t bits,
                                     const struct base_random *random,
                                     struct base_err *err) FM_CHECK;

/* All ones if x < y (x == 0), else 0; no branch. */
mp_limb_t mpc_pai_limbs_less(const mp_limb_t *x, const mp_limb_t *y, size_t n);
mp_limb_t mpc_pai_limbs_zero(const mp_limb_t *x, size_t n);
/* x = y where mask is all ones; x stays where it is 0. */
void mpc_pai_limbs_pick(mp_limb_t *x, const mp_limb_t *y, size_t n, mp_limb_t mask);
/* x -= m where x >= m. */
void mpc_pai_limbs_reduce_once(mp_limb_t *x, const mp_limb_t *m, size_t n);

/* z = x y mod m, x and y of n limbs, m of n limbs with a top limb that is not 0. z may be x or y.
 */
fm_status mpc_pai_limbs_mulmod(mp_limb_t *z, const mp_limb_t *x, const mp_limb_t *y,
                               const mp_limb_t *m, size_t n, struct base_err *err) FM_CHECK;
/* z = x mod m, x of xn >= n limbs. */
fm_status mpc_pai_limbs_mod(mp_limb_t *z, const mp_limb_t *x, size_t xn, const mp_limb_t *m,
                            size_t n, struct base_err *err) FM_CHECK;

/* A prime of exactly bits bits, its two top bits set, from OpenSSL's private generator:
 * MPC_PAI_BLUM is 3 mod 4, MPC_PAI_SAFE 2 q + 1 with q prime. p is initialised by the caller. */
enum mpc_pai_prime { MPC_PAI_BLUM, MPC_PAI_SAFE };
fm_status mpc_pai_prime_new(mpz_t p, unsigned bits, enum mpc_pai_prime kind,
                            struct base_err *err) FM_CHECK;

#endif
