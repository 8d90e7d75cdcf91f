/* Range proofs of a whole vector under way: the same proofs as proof_range.c makes and reads, one a
 * lane. Rings compute mod N^2 and n^2, and what is wanted mod N and n is the low digit. */
#ifndef FIRMIANA_MPC_PAILLIER_PROOF_BATCH_H
#define FIRMIANA_MPC_PAILLIER_PROOF_BATCH_H

#include "mpc/paillier/proof_own.h"

enum { MPC_PAI_CHALLENGE_LIMBS = MPC_PAI_CHALLENGE_BITS / 64 };

/* n proofs under way. Exponents of s have s_bits and sw limbs, those of t t_bits and tw. */
struct mpc_pai_batch {
    size_t n, k, s_bits, sw, t_bits, tw;
    const struct mpc_pai_cipher *c;
    const struct mpc_pai_pedersen *pp;
    struct mpc_pai_range_claim *claim;
    struct mpc_pai_range_message *message;
    struct mpc_pai_ring *ring;   /* of the verifier's modulus */
    struct mpc_pai_table *s, *t; /* NULL: without */
    uint64_t *challenge;         /* n of MPC_PAI_CHALLENGE_LIMBS */
};

/* To be released whatever it returns. FM_E_LIMIT if a range is too long for the key. */
fm_status mpc_pai_batch_init(struct mpc_pai_batch *b, const struct mpc_pai_cipher *c,
                             const unsigned *value_bits, const struct mpc_pai_pedersen *pp,
                             struct base_err *err) FM_CHECK;
void mpc_pai_batch_release(struct mpc_pai_batch *b);
/* z = s^a t^e mod N^2, z of any length. */
fm_status mpc_pai_batch_commit(struct mpc_pai_vec *z, const struct mpc_pai_batch *b,
                               const uint64_t *a, const uint64_t *e, struct base_err *err) FM_CHECK;
/* lo: x's numbers mod its ring's modulus, of the ring's k limbs. */
fm_status mpc_pai_batch_low(uint64_t *lo, const struct mpc_pai_vec *x,
                            struct base_err *err) FM_CHECK;
/* z = (1 + a n) r^n mod n^2; a: of `stride` limbs each, below n; r: of the key's. */
fm_status mpc_pai_batch_encrypt(struct mpc_pai_vec *z, const struct mpc_pai_modulus *key,
                                const uint64_t *a, size_t stride, const uint64_t *r,
                                struct base_err *err) FM_CHECK;
/* From S, C and A of all messages. */
void mpc_pai_batch_challenges(struct mpc_pai_batch *b, const struct mpc_pai_bond *bond);

#endif
