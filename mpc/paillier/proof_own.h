/* What the proofs share. */
#ifndef FIRMIANA_MPC_PAILLIER_PROOF_OWN_H
#define FIRMIANA_MPC_PAILLIER_PROOF_OWN_H

#include "mpc/paillier/proof.h"

enum {
    MPC_PAI_PROOF_MODULUS = 0x31,
    MPC_PAI_PROOF_PEDERSEN = 0x32,
    MPC_PAI_PROOF_RANGE = 0x33,
    MPC_PAI_PROOF_SLOTS = 0x34,
    MPC_PAI_PROOF_ROUNDS = 128,
    MPC_PAI_PROOF_HIDE = 80,
    MPC_PAI_RANGE_MASK = MPC_PAI_CHALLENGE_BITS + MPC_PAI_PROOF_HIDE
};

void mpc_pai_proof_head(struct base_buf *out, unsigned which);
void mpc_pai_proof_put(struct base_buf *out, const mpz_t v); /* v >= 0 */
/* FM_E_PEER "party N: ..." */
fm_status mpc_pai_proof_bad(struct base_err *err, const struct mpc_pai_bond *bond,
                            const char *proof);
/* cur->bad if it is not such a proof's beginning, or not a canonical number. */
void mpc_pai_proof_get_head(struct base_cur *cur, unsigned which);
void mpc_pai_proof_take(mpz_t v, struct base_cur *cur);

/* Uniform in [0, 2^bits), and below m but for a bias of 2^-128; secret. */
fm_status mpc_pai_proof_random(mpz_t v, size_t bits, const struct base_random *random,
                               struct base_err *err) FM_CHECK;
fm_status mpc_pai_proof_random_below(mpz_t v, const mpz_t m, const struct base_random *random,
                                     struct base_err *err) FM_CHECK;
/* z = b^e mod m, e secret and of at most bits bits; the same time for every such e. */
void mpc_pai_proof_pow(mpz_t z, const mpz_t b, const mpz_t e, const mpz_t m);
/* A challenge's number below m, the same for all who have the seed. */
void mpc_pai_proof_hash_below(mpz_t v, const mpz_t m, const uint8_t seed32[32], unsigned index);

struct mpc_pai_pedersen_secret {
    mpz_t lambda, phi; /* s = t^lambda; phi: a multiple of t's order */
};
/* From given primes, for tests too. */
fm_status mpc_pai_pedersen_make(struct mpc_pai_pedersen *pp,
                                struct mpc_pai_pedersen_secret **secret, const mpz_t p,
                                const mpz_t q, struct base_err *err) FM_CHECK;

/* proof_range.c: a range's or an equality's statement in numbers. */
struct mpc_pai_range_claim {
    unsigned keys, shift; /* shift = value_bits: k + 2^shift < 2^(shift + 1) */
    const mpz_t *n[2];
    mpz_t n2[2], c[2]; /* c: of k + 2^shift */
};
/* What the prover sends. */
struct mpc_pai_range_message {
    mpz_t S, C, z1, z3, A[2], z2[2];
};
void mpc_pai_range_message_init(struct mpc_pai_range_message *m);
void mpc_pai_range_message_release(struct mpc_pai_range_message *m);
/* To be released whatever it returns. */
fm_status mpc_pai_range_claim_init(struct mpc_pai_range_claim *q,
                                   const struct mpc_pai_statement *what,
                                   struct base_err *err) FM_CHECK;
void mpc_pai_range_claim_release(struct mpc_pai_range_claim *q);
void mpc_pai_range_challenge(mpz_t e, const struct mpc_pai_range_claim *q,
                             const struct mpc_pai_pedersen *pp,
                             const struct mpc_pai_range_message *m,
                             const struct mpc_pai_bond *bond);
void mpc_pai_range_put(struct base_buf *out, const struct mpc_pai_range_message *m, unsigned keys);
/* Reads a proof: every number is there, below its modulus, the answers below their bounds. */
int mpc_pai_range_well_formed(struct mpc_pai_range_message *m, const struct mpc_pai_range_claim *q,
                              const struct mpc_pai_pedersen *pp, struct base_cur *cur);

/* The prover's part for any lifted >= 0 that stands in c (1 + n)^(2^l): a cheat's too. */
fm_status mpc_pai_range_prove_lifted(struct base_buf *out, const struct mpc_pai_statement *what,
                                     const struct mpc_pai_pedersen *pp, const mpz_t lifted,
                                     const uint64_t *const r[2], const struct mpc_pai_bond *bond,
                                     const struct base_random *random,
                                     struct base_err *err) FM_CHECK;

#endif
