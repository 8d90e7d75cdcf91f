/* Proofs about keys, ciphertexts and shares; Fiat-Shamir, bound to a session and to the party that
 * proves (transcript.h). A proof is bytes: u8 version 1, u8 which, then numbers, each u16 length
 * and big-endian bytes without leading zeros. Verifying reads nothing that it has not checked,
 * refuses with FM_E_PEER "party N: ..." whatever is wrong, and takes the prover's word for nothing.
 *
 * What each says, and who uses it:
 *
 *   modulus         n is a product of two primes, both 3 mod 4, and gcd(n, phi(n)) = 1: CGGMP,
 *                   eprint 2021/060, figure 16, 128 rounds. Every key that another made: psi-sum's
 *                   holder, triples' asker.
 *   ring pedersen   s is a power of t mod N: figure 17, 128 rounds. Whoever will verify ranges or
 *                   equality makes parameters and proves them, before.
 *   slots           proof_slots.h: every number that plaintexts hold in slots (plain.h) is within
 *                   its declared range, exactly. aggregate: each provider.
 *   range           a ciphertext's plaintext is an integer |k| < 2^(l + 210), made from |k| < 2^l:
 *                   figure 14. Of several slots it says nothing about each, and of one it is wide;
 *                   where a plaintext is one long number it costs less than slots. Triples against
 *                   those who do not follow the protocol: both operands.
 *   equality        the same, for two ciphertexts under two keys, and they hold the same k. A value
 *                   sent under two keys; no protocol of the product does that yet.
 *   share           threshold.h: a part of a decryption is right. aggregate: each decryptor.
 *
 * Honest provers are hidden statistically, by masks 80 bits longer than what they hide. Range and
 * equality rest on strong RSA for the verifier's modulus, whose factors the prover must not know:
 * the parameters are the verifier's own, and each verifier has its own proof. */
#ifndef FIRMIANA_MPC_PAILLIER_PROOF_H
#define FIRMIANA_MPC_PAILLIER_PROOF_H

#include "mpc/paillier/cipher.h"
#include "mpc/paillier/transcript.h"

/* out: appended. The prover's powers are ring.h's, of secret exponents; putting the two primes'
 * halves together takes GMP's ordinary arithmetic, once a key. 128 rounds of 6 half-length powers
 * and of 1 power; bytes: 128 (bits/4 + 6). */
fm_status mpc_pai_modulus_prove(struct base_buf *out, const struct mpc_pai_secret *secret,
                                const struct mpc_pai_bond *bond, struct base_err *err) FM_CHECK;
fm_status mpc_pai_modulus_verify(const struct mpc_pai_modulus *n, const void *proof, size_t len,
                                 const struct mpc_pai_bond *bond, struct base_err *err) FM_CHECK;

/* Commitments s^k t^m mod n. Public; its maker also has the trapdoor. */
struct mpc_pai_pedersen {
    mpz_t n, s, t;
};
struct mpc_pai_pedersen_secret;

void mpc_pai_pedersen_init(struct mpc_pai_pedersen *pp);
void mpc_pai_pedersen_release(struct mpc_pai_pedersen *pp);
/* From safe primes (slow: threshold.h); bits 2048, 3072, 4096. */
fm_status mpc_pai_pedersen_generate(struct mpc_pai_pedersen *pp,
                                    struct mpc_pai_pedersen_secret **secret, unsigned bits,
                                    struct base_err *err) FM_CHECK;
void mpc_pai_pedersen_secret_free(struct mpc_pai_pedersen_secret *secret);
fm_status mpc_pai_pedersen_prove(struct base_buf *out, const struct mpc_pai_pedersen *pp,
                                 const struct mpc_pai_pedersen_secret *secret,
                                 const struct mpc_pai_bond *bond, struct base_err *err) FM_CHECK;
/* Before a prover uses another's parameters: else what it commits may not be hidden. */
fm_status mpc_pai_pedersen_verify(const struct mpc_pai_pedersen *pp, const void *proof, size_t len,
                                  const struct mpc_pai_bond *bond, struct base_err *err) FM_CHECK;

enum { MPC_PAI_RANGE_SLACK = 212 }; /* bits that a false k may have beyond l, rounded up */

/* Ciphertext `at` of each of one (range) or two (equality) vectors, |k| < 2^value_bits, value_bits
 * <= 62. */
struct mpc_pai_statement {
    const struct mpc_pai_cipher *c[2];
    size_t at[2];
    unsigned keys; /* 1 or 2 */
    unsigned value_bits;
};
/* r[i]: the unit with which ciphertext i was made (mpc_pai_std_encrypt_r), k limbs. Errors:
 * FM_E_LIMIT if k is out of range. */
fm_status mpc_pai_range_prove(struct base_buf *out, const struct mpc_pai_statement *what,
                              const struct mpc_pai_pedersen *pp, int64_t k,
                              const uint64_t *const r[2], const struct mpc_pai_bond *bond,
                              const struct base_random *random, struct base_err *err) FM_CHECK;
/* Of one whole plaintext, as it is packed (plain.h, slots): 0 <= m[at] < 2^value_bits, value_bits <
 * bits - MPC_PAI_RANGE_SLACK. It then says that no sum of a few such wraps around n. */
fm_status mpc_pai_range_prove_plain(struct base_buf *out, const struct mpc_pai_statement *what,
                                    const struct mpc_pai_pedersen *pp,
                                    const struct mpc_pai_plain *m, const uint64_t *r,
                                    const struct mpc_pai_bond *bond,
                                    const struct base_random *random,
                                    struct base_err *err) FM_CHECK;
fm_status mpc_pai_range_verify(const struct mpc_pai_statement *what,
                               const struct mpc_pai_pedersen *pp, const void *proof, size_t len,
                               const struct mpc_pai_bond *bond, struct base_err *err) FM_CHECK;

/* Ranges of a whole vector, the same proofs eight at a time and with tables for the verifier's
 * bases: 0 <= m[i] < 2^value_bits[i] in c[i], made with the unit r + k i of k limbs, value_bits[i]
 * + 212 < the key's bits. out: for each in turn u16 length and the proof. At 2048 bits three
 * take a third, eight a seventh, 64 a tenth of what they take one by one (benches/bench_proofs).
 * Errors:
 * FM_E_LIMIT if a plaintext is out of range; FM_E_PEER and the first that is *wrong (n: what comes
 * after them). */
fm_status mpc_pai_range_prove_all(struct base_buf *out, const struct mpc_pai_cipher *c,
                                  const unsigned *value_bits, const struct mpc_pai_pedersen *pp,
                                  const struct mpc_pai_plain *m, const uint64_t *r,
                                  const struct mpc_pai_bond *bond, const struct base_random *random,
                                  struct base_err *err) FM_CHECK;
fm_status mpc_pai_range_verify_all(size_t *wrong, const struct mpc_pai_cipher *c,
                                   const unsigned *value_bits, const struct mpc_pai_pedersen *pp,
                                   const void *proofs, size_t len, const struct mpc_pai_bond *bond,
                                   struct base_err *err) FM_CHECK;

#endif
