/* Paillier keys. P. Paillier, Eurocrypt 1999; g = 1 + n throughout. A key's modulus n = p q has
 * 2048, 3072 or 4096 bits and two primes of equal length, so that gcd(n, (p-1)(q-1)) = 1.
 *
 * Kinds are types of their own, and differ in how a ciphertext is blinded and in what is assumed
 * beside that factoring is hard:
 *
 *   mpc_pai_std   r^n, r uniform in Z*_n. Decisional composite residuosity (DCR).
 *   mpc_pai_djn   (h^n)^a, a of n/2 bits, h = -y^2 mod n. DCR, n a Blum integer with
 *                 gcd(p-1, q-1) = 2; short exponents: Damgard, Jurik, Nielsen, "A generalization of
 *                 Paillier's public-key system with applications to electronic voting", IJIS 2010,
 *                 section 4.2.
 *   mpc_pai_sub   (h^n)^a, a of 448 bits (n of 2048) or 512; h = -y^(2b) mod n with
 *                 b = (p-1)(q-1)/(4 p1 q1). DCR in the subgroup that h spans, of order 2 p1 q1 with
 *                 primes p1 | p-1, q1 | q-1 of half as many bits each: Ma, Han, Lei, "Optimized
 *                 Paillier's cryptosystem with fast encryption and decryption", ACSAC 2021, section
 *                 3. Not as old, nor as much studied, as the two above.
 *   threshold     threshold.h
 *
 * The last two hide only from those who do not hold the factors: what goes back to the key's owner
 * after a secret scalar was multiplied in is re-randomised with r^n (mpc_pai_std_rerandomise; a djn
 * or sub key hands out its std view for that) and carries a statistical mask of 40 bits (plain.h).
 *
 * Secrets: mpc_pai_secret, wiped when freed. Its primes come from OpenSSL's private generator. */
#ifndef FIRMIANA_MPC_PAILLIER_KEY_H
#define FIRMIANA_MPC_PAILLIER_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"

struct mpc_pai_modulus; /* n: all that adding, checking and serialising ciphertexts needs */
struct mpc_pai_std;
struct mpc_pai_djn;
struct mpc_pai_sub;
struct mpc_pai_secret; /* p and q: decrypts, and encrypts faster */

/* New keys. bits: 2048, 3072 or 4096. Errors: FM_E_ARG for another size. The caller frees all. */
fm_status mpc_pai_std_generate(struct mpc_pai_std **key, struct mpc_pai_secret **secret,
                               unsigned bits, struct base_err *err) FM_CHECK;
fm_status mpc_pai_djn_generate(struct mpc_pai_djn **key, struct mpc_pai_secret **secret,
                               unsigned bits, struct base_err *err) FM_CHECK;
fm_status mpc_pai_sub_generate(struct mpc_pai_sub **key, struct mpc_pai_secret **secret,
                               unsigned bits, struct base_err *err) FM_CHECK;
void mpc_pai_std_free(struct mpc_pai_std *key);
void mpc_pai_djn_free(struct mpc_pai_djn *key);
void mpc_pai_sub_free(struct mpc_pai_sub *key);
void mpc_pai_secret_free(struct mpc_pai_secret *secret);

/* Borrowed from the key, valid as long as it. */
const struct mpc_pai_modulus *mpc_pai_std_modulus(const struct mpc_pai_std *key);
const struct mpc_pai_modulus *mpc_pai_djn_modulus(const struct mpc_pai_djn *key);
const struct mpc_pai_modulus *mpc_pai_sub_modulus(const struct mpc_pai_sub *key);
const struct mpc_pai_std *mpc_pai_djn_as_std(const struct mpc_pai_djn *key);
const struct mpc_pai_std *mpc_pai_sub_as_std(const struct mpc_pai_sub *key);

unsigned mpc_pai_modulus_bits(const struct mpc_pai_modulus *n);
/* The profile's hash (base/hash.h) of the bytes of n, big-endian: which key a ciphertext is for. */
const uint8_t *mpc_pai_modulus_id32(const struct mpc_pai_modulus *n);
/* "gmp" or "ifma": what computes. */
const char *mpc_pai_modulus_engine(const struct mpc_pai_modulus *n);
/* Does this secret belong to that key? */
int mpc_pai_secret_opens(const struct mpc_pai_secret *secret, const struct mpc_pai_modulus *n);

/* Bytes. Public: u8 version 1, u8 kind (1 std, 2 djn, 3 sub), u16 bits, n; djn and sub then h; each
 * of bits/8 bytes. Secret: u8 version 1, u8 0x10, u16 bits, p, q, each of bits/16 bytes: to be
 * sealed by whoever stores them. Loading refuses with FM_E_INPUT: another version, kind, size or
 * length; n of fewer bits, even, prime, a perfect power or with a factor below 2^16; h not a unit,
 * or not of Jacobi symbol 1; p or q not prime, equal, too close (FIPS 186-5, A.1.3: 2^(bits/2 -
 * 100)) or of another length. That n has just two factors is not seen by looking: proof.h. */
fm_status mpc_pai_std_put(struct base_buf *out, const struct mpc_pai_std *key,
                          struct base_err *err) FM_CHECK;
fm_status mpc_pai_djn_put(struct base_buf *out, const struct mpc_pai_djn *key,
                          struct base_err *err) FM_CHECK;
fm_status mpc_pai_sub_put(struct base_buf *out, const struct mpc_pai_sub *key,
                          struct base_err *err) FM_CHECK;
fm_status mpc_pai_secret_put(struct base_buf *out, const struct mpc_pai_secret *secret,
                             struct base_err *err) FM_CHECK;
fm_status mpc_pai_std_get(struct mpc_pai_std **key, const void *bytes, size_t len,
                          struct base_err *err) FM_CHECK;
fm_status mpc_pai_djn_get(struct mpc_pai_djn **key, const void *bytes, size_t len,
                          struct base_err *err) FM_CHECK;
fm_status mpc_pai_sub_get(struct mpc_pai_sub **key, const void *bytes, size_t len,
                          struct base_err *err) FM_CHECK;
fm_status mpc_pai_secret_get(struct mpc_pai_secret **secret, const void *bytes, size_t len,
                             struct base_err *err) FM_CHECK;

#endif
