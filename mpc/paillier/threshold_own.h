/* What threshold keys hold, for this folder and its tests. */
#ifndef FIRMIANA_MPC_PAILLIER_THRESHOLD_OWN_H
#define FIRMIANA_MPC_PAILLIER_THRESHOLD_OWN_H

#include "mpc/paillier/key_own.h"
#include "mpc/paillier/threshold.h"

enum {
    MPC_PAI_KIND_THR = 4,
    MPC_PAI_KIND_SHARE = 0x14,
    MPC_PAI_KIND_PART = 0x24,
    MPC_PAI_THR_FACTORIAL_BITS = 118, /* of 32! */
    MPC_PAI_THR_HIDE_BITS = 128, /* by how much the proof's mask is longer than what it hides */
    MPC_PAI_THR_LIMBS = (2 * MPC_PAI_MAX_BITS + 128 + 512) / 64
};

struct mpc_pai_thr {
    struct mpc_pai_std *std;
    unsigned t, parties;
    char dealer[MPC_PAI_THR_DEALER];
    mpz_t delta; /* parties! */
    mpz_t v, vi[MPC_PAI_THR_PARTIES];
};

/* x = D f(party), in limbs of exponent_bits. */
struct mpc_pai_thr_share {
    uint32_t party;
    uint8_t id[32];
    size_t exponent_bits;
    mp_limb_t x[MPC_PAI_THR_LIMBS];
};

size_t mpc_pai_thr_exponent_bits(unsigned bits); /* of x */
size_t mpc_pai_thr_answer_bits(unsigned bits);   /* of the proof's answer */

/* Of any size, for tests; primes: safe ones, engine NULL: the best. */
fm_status mpc_pai_thr_deal_with(struct mpc_pai_thr **key, struct mpc_pai_thr_share **shares,
                                unsigned t, unsigned parties, const mpz_t p, const mpz_t q,
                                const char *dealer, const struct mpc_pai_ring_ops *engine,
                                struct base_err *err) FM_CHECK;
fm_status mpc_pai_thr_alloc(struct mpc_pai_thr **key, const mpz_t n, unsigned t, unsigned parties,
                            const char *dealer, const struct mpc_pai_ring_ops *engine,
                            struct base_err *err) FM_CHECK;

#endif
