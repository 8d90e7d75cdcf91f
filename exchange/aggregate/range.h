/* Range proofs of `aggregate`: a verifier's own parameters as bytes, and the proofs of a whole
 * vector (mpc/paillier/proof.h says what they prove, and on what they rest).
 *
 * Parameters are made once by each decryptor, with a proof bound to the ledger and its alias; their
 * factors are forgotten right then. Bytes: u8 version 1, u16 bits, n, s, t of bits/8 bytes each,
 * the proof. Providers verify them before they commit anything under them: 0.3 s at 2048 bits, so
 * what has been verified once is remembered while the node lives.
 *
 * Proofs of a vector: for each ciphertext u16 length and the proof, in its order. */
#ifndef FIRMIANA_EXCHANGE_AGGREGATE_RANGE_H
#define FIRMIANA_EXCHANGE_AGGREGATE_RANGE_H

#include <pthread.h>

#include "mpc/paillier/proof.h"

enum { RANGE_PARAMS_BITS = 2048, RANGE_PARAMS_MOST = 1 << 18, RANGE_PROOF_MOST = 1 << 14 };

/* Whose parameters, on which ledger. */
void range_bond(struct mpc_pai_bond *out, const uint8_t chain32[32], const char *alias);

/* New ones, appended. Two safe primes: 1 to 3 s of processor time. */
fm_status range_params_make(struct base_buf *out, const struct mpc_pai_bond *bond,
                            struct base_err *err) FM_CHECK;

/* Those that were verified before. */
struct range_seen {
    pthread_mutex_t lock;
    uint8_t hash[64][32];
    unsigned next;
};
fm_status range_seen_init(struct range_seen *seen, struct base_err *err) FM_CHECK;
void range_seen_release(struct range_seen *seen);

/* Reads and verifies another's; seen may be NULL. pp is initialised by the caller. FM_E_PEER if
 * they are wrong. */
fm_status range_params_read(struct mpc_pai_pedersen *pp, struct range_seen *seen, const void *bytes,
                            size_t len, const struct mpc_pai_bond *bond,
                            struct base_err *err) FM_CHECK;
/* One's own, as this node made them: not verified again. */
fm_status range_params_own(struct mpc_pai_pedersen *pp, const void *bytes, size_t len,
                           struct base_err *err) FM_CHECK;

/* Ciphertext i holds plaintext i of m, 0 <= m[i] < 2^bits_of(ctx, i), and was made with the unit
 * r + k i of k = m->k limbs. */
struct range_vector {
    const struct mpc_pai_cipher *c;
    unsigned (*bits_of)(const void *ctx, size_t i);
    const void *ctx;
};
fm_status range_prove(struct base_buf *out, const struct range_vector *v,
                      const struct mpc_pai_plain *m, const uint64_t *r,
                      const struct mpc_pai_pedersen *pp, const struct mpc_pai_bond *bond,
                      const struct base_random *random, struct base_err *err) FM_CHECK;
/* FM_E_PEER says which ciphertext. */
fm_status range_verify(const struct range_vector *v, const void *bytes, size_t len,
                       const struct mpc_pai_pedersen *pp, const struct mpc_pai_bond *bond,
                       struct base_err *err) FM_CHECK;

#endif
