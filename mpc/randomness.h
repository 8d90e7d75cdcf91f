/* Two kinds of randomness, never mixed, so two C types.
 *
 * Private: this party's own, from the system (or a test's seam); nobody else can know it.
 * Joint: a generator whose key this party shares with others; all holders draw the same words as
 * long as they draw in the same order. AES-128-CTR (SM4-CTR where the profile is national) over
 * zeros, from OpenSSL (base/sm4.h), in blocks of 16 KiB; the key is HKDF(ikm = seed, salt =
 * context, info = "firmiana mpc joint v1" | 0 | label | 0 | stream u32). */
#ifndef FIRMIANA_MPC_RANDOMNESS_H
#define FIRMIANA_MPC_RANDOMNESS_H

#include <stddef.h>
#include <stdint.h>

#include "base/random.h"
#include "base/sm4.h"
#include "base/status.h"

enum { MPC_SEED = 32, MPC_JOINT_WORDS = 2048 };

struct mpc_private {
    const struct base_random *source;
};
fm_status mpc_private_fill(const struct mpc_private *random, void *out, size_t len,
                           struct base_err *err) FM_CHECK;

struct mpc_joint {
    void *cipher;         /* OpenSSL's, or */
    struct base_sm4 *sm4; /* where the profile is national */
    uint64_t block;       /* of sm4: the next one */
    uint64_t *words;      /* MPC_JOINT_WORDS */
    size_t used;
};

/* {0} is a released one. The seed is the caller's to wipe. */
fm_status mpc_joint_init(struct mpc_joint *joint, const uint8_t seed[MPC_SEED],
                         const uint8_t context32[32], const char *label, unsigned stream,
                         struct base_err *err) FM_CHECK;
void mpc_joint_release(struct mpc_joint *joint);

/* The next words in place: returns them and how many there are (at least 1); take says how many of
 * them were used. For kernels that read the generator's buffer directly. */
const uint64_t *mpc_joint_peek(struct mpc_joint *joint, size_t *available);
void mpc_joint_take(struct mpc_joint *joint, size_t words);
void mpc_joint_fill(struct mpc_joint *joint, uint64_t *out, size_t words);

#endif
