/* Ciphertexts, always as vectors; one is a vector of length 1. They stay in the engine's own form
 * (on AVX-512 IFMA: Montgomery form, eight side by side) from one operation to the next, and become
 * bytes only for the wire. All operands of an operation belong to the same key (asserted) and have
 * equal lengths (asserted) unless said otherwise; z may be x or y. The key outlives them.
 *
 * Costs are products mod n^2 a ciphertext, bits = length of n: see benches/bench_paillier. Leaks:
 * lengths. */
#ifndef FIRMIANA_MPC_PAILLIER_CIPHER_H
#define FIRMIANA_MPC_PAILLIER_CIPHER_H

#include "base/random.h"
#include "mpc/paillier/key.h"
#include "mpc/paillier/plain.h"
#include "mpc/paillier/ring.h"

struct mpc_pai_cipher {
    const struct mpc_pai_modulus *key;
    struct mpc_pai_vec v;
};

fm_status
mpc_pai_cipher_init(struct mpc_pai_cipher *c, const struct mpc_pai_modulus *key, size_t n,
                    struct base_err *err) FM_CHECK; /* to be written to before it is read */
void mpc_pai_cipher_release(struct mpc_pai_cipher *c);
void mpc_pai_cipher_move(struct mpc_pai_cipher *z, size_t i, const struct mpc_pai_cipher *x,
                         size_t j);

/* Fresh encryptions: (1 + m n) times a blinding of the key's kind, drawn from random. The owner's
 * is distributed as std's (s^p mod p^2, s^q mod q^2 with fresh s: r^n mod p^2 for uniform r is s^p
 * for uniform s, since gcd(q, p-1) = 1), at a quarter of its cost. */
fm_status mpc_pai_std_encrypt(struct mpc_pai_cipher *c, const struct mpc_pai_std *key,
                              const struct mpc_pai_plain *m, const struct base_random *random,
                              struct base_err *err) FM_CHECK;
fm_status mpc_pai_djn_encrypt(struct mpc_pai_cipher *c, const struct mpc_pai_djn *key,
                              const struct mpc_pai_plain *m, const struct base_random *random,
                              struct base_err *err) FM_CHECK;
fm_status mpc_pai_sub_encrypt(struct mpc_pai_cipher *c, const struct mpc_pai_sub *key,
                              const struct mpc_pai_plain *m, const struct base_random *random,
                              struct base_err *err) FM_CHECK;
fm_status mpc_pai_owner_encrypt(struct mpc_pai_cipher *c, const struct mpc_pai_secret *secret,
                                const struct mpc_pai_plain *m, const struct base_random *random,
                                struct base_err *err) FM_CHECK;

/* Blindings alone, encryptions of 0 made ahead of time (pool.h); and an encryption with one of
 * them, which must never serve twice. */
fm_status mpc_pai_std_blinding(struct mpc_pai_cipher *z, const struct mpc_pai_std *key,
                               const struct base_random *random, struct base_err *err) FM_CHECK;
fm_status mpc_pai_djn_blinding(struct mpc_pai_cipher *z, const struct mpc_pai_djn *key,
                               const struct base_random *random, struct base_err *err) FM_CHECK;
fm_status mpc_pai_sub_blinding(struct mpc_pai_cipher *z, const struct mpc_pai_sub *key,
                               const struct base_random *random, struct base_err *err) FM_CHECK;
fm_status mpc_pai_encrypt_with(struct mpc_pai_cipher *c, const struct mpc_pai_cipher *blinding,
                               const struct mpc_pai_plain *m, struct base_err *err) FM_CHECK;
/* With given r, n values of k limbs, units: std's blinding for proofs, which must know r. */
fm_status mpc_pai_std_encrypt_r(struct mpc_pai_cipher *c, const struct mpc_pai_std *key,
                                const struct mpc_pai_plain *m, const uint64_t *r,
                                struct base_err *err) FM_CHECK;
/* Fresh, as mpc_pai_std_encrypt, and r (as many, the caller's to wipe) tells with which units. */
fm_status mpc_pai_std_encrypt_keep(struct mpc_pai_cipher *c, uint64_t *r,
                                   const struct mpc_pai_std *key, const struct mpc_pai_plain *m,
                                   const struct base_random *random, struct base_err *err) FM_CHECK;

/* By the factors, Chinese remainders (Paillier 1999, section 7). Errors: FM_E_ARG if the secret is
 * not the ciphertexts' key's. */
fm_status mpc_pai_decrypt(struct mpc_pai_plain *m, const struct mpc_pai_secret *secret,
                          const struct mpc_pai_cipher *c, struct base_err *err) FM_CHECK;

/* Re-randomised: times a fresh blinding. What returns to the key's owner takes std's. */
fm_status mpc_pai_std_rerandomise(struct mpc_pai_cipher *z, const struct mpc_pai_std *key,
                                  const struct mpc_pai_cipher *x, const struct base_random *random,
                                  struct base_err *err) FM_CHECK;
fm_status mpc_pai_djn_rerandomise(struct mpc_pai_cipher *z, const struct mpc_pai_djn *key,
                                  const struct mpc_pai_cipher *x, const struct base_random *random,
                                  struct base_err *err) FM_CHECK;
fm_status mpc_pai_sub_rerandomise(struct mpc_pai_cipher *z, const struct mpc_pai_sub *key,
                                  const struct mpc_pai_cipher *x, const struct base_random *random,
                                  struct base_err *err) FM_CHECK;

/* Of plaintexts: x + y; x - y; x + m; sum of all (z of length 1). 1 product; 4 and an inversion a
 * vector; 1; 1. */
fm_status mpc_pai_add(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                      const struct mpc_pai_cipher *y, struct base_err *err) FM_CHECK;
fm_status mpc_pai_subtract(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                           const struct mpc_pai_cipher *y, struct base_err *err) FM_CHECK;
fm_status mpc_pai_add_plain(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                            const struct mpc_pai_plain *m, struct base_err *err) FM_CHECK;
fm_status mpc_pai_sum(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                      struct base_err *err) FM_CHECK;
/* x times a secret plaintext: below 2^64; signed; any residue. About 64 squarings and 30 products;
 * the same and an inversion a vector; bits squarings. The result is not re-randomised. */
fm_status mpc_pai_mul_u64(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                          const uint64_t *by, struct base_err *err) FM_CHECK;
fm_status mpc_pai_mul_i64(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                          const int64_t *by, struct base_err *err) FM_CHECK;
fm_status mpc_pai_mul(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                      const struct mpc_pai_plain *by, struct base_err *err) FM_CHECK;
/* sum of x[i] by[i], z of length 1: the squarings are shared, 30 products a term and lane. */
fm_status mpc_pai_dot_u64(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                          const uint64_t *by, struct base_err *err) FM_CHECK;
fm_status mpc_pai_dot_i64(struct mpc_pai_cipher *z, const struct mpc_pai_cipher *x,
                          const int64_t *by, struct base_err *err) FM_CHECK;

/* Bytes: u8 version 1, u8 0x20, u16 bits, 32 bytes of the key's id, u32 count, then 2 bits/8 bytes
 * each, big-endian. get initialises c (release it only after FM_OK) and refuses with FM_E_INPUT:
 * another version or kind; a ciphertext for another key; a wrong length; more than max of them; one
 * not in Z*_{n^2} (not below n^2, or sharing a factor with n), by its place. */
enum { MPC_PAI_CIPHER_HEAD = 40 }; /* what stands before the ciphertexts */
fm_status mpc_pai_cipher_put(struct base_buf *out, const struct mpc_pai_cipher *c,
                             struct base_err *err) FM_CHECK;
fm_status mpc_pai_cipher_get(struct mpc_pai_cipher *c, const struct mpc_pai_modulus *key,
                             size_t max, const void *bytes, size_t len,
                             struct base_err *err) FM_CHECK;

#endif
