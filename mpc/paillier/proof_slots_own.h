/* What the files of proof_slots.h share: scalars and points of P-256 or SM2's curve, bits,
 * challenges. */
#ifndef FIRMIANA_MPC_PAILLIER_PROOF_SLOTS_OWN_H
#define FIRMIANA_MPC_PAILLIER_PROOF_SLOTS_OWN_H

#include <openssl/ec.h>

#include "mpc/curve/curve.h"
#include "mpc/paillier/proof_own.h"
#include "mpc/paillier/proof_slots.h"

enum {
    SLOTS_SCALAR = 4,    /* limbs, least significant first, below q */
    SLOTS_POINT = 33,    /* bytes, compressed */
    SLOTS_MASK = 223,    /* bits of a_i */
    SLOTS_ANSWER = 28,   /* bytes of z_i */
    SLOTS_LIFT_LIMB = 3, /* 2^224 is 2^32 in this limb: all of B's scalars are of one length */
    SLOTS_POINTS = 4     /* B, A, T1, T0 */
};

/* ---- proof_points.c ---- */

/* q: of P-256 or, where the profile is national, of SM2's curve. */
const uint64_t *mpc_pai_slots_order(void);

/* One of the two: g and h of P-256, or `own` of SM2's curve, count of them and then G and H. */
struct mpc_pai_generators {
    size_t count;
    EC_GROUP *group;
    EC_POINT **g;
    EC_POINT *h;
    struct mpc_curve_point *own;
};

struct slots_point {
    EC_POINT *p256;
    struct mpc_curve_point sm2;
};

/* sum of x_i G_i (i < count) + at_g G + at_h H; G is the curve's own. */
struct slots_combination {
    const uint64_t *x;
    size_t count;
    uint64_t at_g[SLOTS_SCALAR], at_h[SLOTS_SCALAR];
};
/* Its bytes, compressed. */
fm_status mpc_pai_points_commit(uint8_t *out33, const struct mpc_pai_generators *g,
                                const struct slots_combination *c, struct base_err *err) FM_CHECK;
/* With n points more, scalars y: is the sum the neutral element? */
fm_status mpc_pai_points_vanish(bool *zero, const struct mpc_pai_generators *g,
                                const struct slots_combination *c, const struct slots_point *points,
                                const uint64_t *y, size_t n, struct base_err *err) FM_CHECK;
/* False if the bytes are none of the curve, or memory is out. p: zeroed before, released after. */
bool mpc_pai_point_read(struct slots_point *p, const struct mpc_pai_generators *g,
                        const uint8_t *bytes33);
void mpc_pai_point_release(struct slots_point *p);

/* Scalars: z may be x or y. */
void mpc_pai_scalar_add(uint64_t *z, const uint64_t *x, const uint64_t *y);
void mpc_pai_scalar_negate(uint64_t *z, const uint64_t *x);
fm_status mpc_pai_scalar_mul(uint64_t *z, const uint64_t *x, const uint64_t *y,
                             struct base_err *err) FM_CHECK;
/* z += x y. */
fm_status mpc_pai_scalar_mul_add(uint64_t *z, const uint64_t *x, const uint64_t *y,
                                 struct base_err *err) FM_CHECK;

/* ---- proof_points_sm2.c: the same of SM2's curve ---- */

fm_status mpc_pai_sm2_generators(struct mpc_pai_generators *g, struct base_err *err) FM_CHECK;
fm_status mpc_pai_sm2_commit(uint8_t *out33, const struct mpc_pai_generators *g,
                             const struct slots_combination *c, struct base_err *err) FM_CHECK;
fm_status mpc_pai_sm2_vanish(bool *zero, const struct mpc_pai_generators *g,
                             const struct slots_combination *c, const struct slots_point *points,
                             const uint64_t *y, size_t n, struct base_err *err) FM_CHECK;

/* ---- proof_slots_check.c ---- */

/* Is the claim as proof_slots.h says, under a key of key_bits? */
bool mpc_pai_slots_well(const struct mpc_pai_slot_claim *claim, unsigned key_bits);

/* ---- proof_slots.c ---- */

struct slots_bit {
    size_t slot;
    uint64_t weight;
};
/* bits: as many as mpc_pai_slot_bits says. */
void mpc_pai_slots_list(struct slots_bit *bits, const struct mpc_pai_slot_claim *claim);

/* x = sum over bits of v_i weight_i 2^at + e sum of least 2^at, mod n: k limbs; v_i of SLOTS_SCALAR
 * limbs, below 2^224; e of two, or NULL. */
fm_status mpc_pai_slots_weigh(uint64_t *x, const struct mpc_pai_modulus *n,
                              const struct mpc_pai_slot_claim *claim, const struct slots_bit *bits,
                              size_t count, const uint64_t *v, const uint64_t *e,
                              struct base_err *err) FM_CHECK;

/* One ciphertext's challenges: c, U: its 2 k limbs; first: B and A, second: T1 and T0. */
struct slots_statement {
    const struct mpc_pai_modulus *n;
    const struct mpc_pai_slot_claim *claim;
    const struct mpc_pai_bond *bond;
    const uint64_t *c;
};
fm_status mpc_pai_slots_challenge_y(uint64_t *y, uint8_t seed32[32],
                                    const struct slots_statement *s, const uint8_t *first,
                                    struct base_err *err) FM_CHECK;
void mpc_pai_slots_challenge_e(uint64_t *e, const struct slots_statement *s,
                               const uint8_t seed32[32], const uint8_t *second, const uint64_t *u);

/* The prover's part for any beta below 2^64, all ciphertexts' one after another: a cheat's too. */
fm_status mpc_pai_slots_prove_bits(struct base_buf *out, const struct mpc_pai_cipher *c,
                                   const struct mpc_pai_slot_claim *claims,
                                   const struct mpc_pai_generators *g, const uint64_t *beta,
                                   const uint64_t *r, const struct mpc_pai_bond *bond,
                                   const struct base_random *random, struct base_err *err) FM_CHECK;

#endif
