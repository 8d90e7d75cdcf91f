/* Fiat-Shamir: a challenge is the profile's hash (base/hash.h) over everything that the prover was
 * bound to before, each part with its length in front: the proof's name, the session, the party
 * that proves, the statement, the commitments. So a proof says nothing in another session or from
 * another party. */
#ifndef FIRMIANA_MPC_PAILLIER_TRANSCRIPT_H
#define FIRMIANA_MPC_PAILLIER_TRANSCRIPT_H

#include <gmp.h>
#include <stdbool.h>

#include "base/hash.h"
#include "mpc/paillier/cipher.h"

/* Whose proof, in which session: both sides know them by themselves. */
struct mpc_pai_bond {
    uint8_t session32[32];
    uint32_t party;
};

enum { MPC_PAI_CHALLENGE_BITS = 128 };

struct mpc_pai_transcript {
    struct base_hash h;
};

void mpc_pai_transcript_init(struct mpc_pai_transcript *t, const char *proof,
                             const struct mpc_pai_bond *bond);
void mpc_pai_transcript_put(struct mpc_pai_transcript *t, const void *bytes, size_t len);
void mpc_pai_transcript_put_mpz(struct mpc_pai_transcript *t, const mpz_t v); /* v >= 0 */
fm_status mpc_pai_transcript_put_cipher(struct mpc_pai_transcript *t,
                                        const struct mpc_pai_cipher *c,
                                        struct base_err *err) FM_CHECK;
/* Ends the transcript: 32 bytes, from which expand draws as many as are wanted (counter mode). */
void mpc_pai_transcript_end(struct mpc_pai_transcript *t, uint8_t seed32[32]);
void mpc_pai_expand(void *out, size_t len, const uint8_t seed32[32], const char *what);

#endif
