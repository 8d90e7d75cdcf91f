/* What keys hold, for the files of this folder and their tests. Sizes are not looked at here: tests
 * use small ones. */
#ifndef FIRMIANA_MPC_PAILLIER_KEY_OWN_H
#define FIRMIANA_MPC_PAILLIER_KEY_OWN_H

#include <gmp.h>

#include "mpc/paillier/key.h"
#include "mpc/paillier/ring.h"

enum { MPC_PAI_VERSION = 1, MPC_PAI_KIND_SECRET = 0x10, MPC_PAI_KIND_CIPHER = 0x20 };
enum mpc_pai_kind { MPC_PAI_STD = 1, MPC_PAI_DJN = 2, MPC_PAI_SUB = 3 };

struct mpc_pai_modulus {
    unsigned bits;
    mpz_t n;
    struct mpc_pai_ring *n2;
    uint8_t id[32];
};

struct mpc_pai_std {
    struct mpc_pai_modulus n;
};

/* Blinding with powers of h^n. */
struct mpc_pai_short {
    struct mpc_pai_std std;
    mpz_t h;
    unsigned exponent_bits;
    struct mpc_pai_table *table; /* of h^n mod n^2 */
};

struct mpc_pai_djn {
    struct mpc_pai_short s;
};

struct mpc_pai_sub {
    struct mpc_pai_short s;
};

/* One prime's side: l limbs a number, l = limbs of p. */
struct mpc_pai_side {
    struct mpc_pai_ring *p2;                /* Z_{p^2} */
    mp_limb_t order[MPC_PAI_MAX_LIMBS / 2]; /* p - 1 */
    mp_limb_t h[MPC_PAI_MAX_LIMBS / 2];     /* 1 / L(g^(p-1) mod p^2) mod p, which is 1 / -q */
};

struct mpc_pai_secret {
    unsigned bits;
    size_t l;                                   /* limbs of p, and of q */
    struct mpc_pai_side side[2];                /* p, q */
    mp_limb_t p_inverse[MPC_PAI_MAX_LIMBS / 2]; /* 1 / p mod q */
    mp_limb_t p2_inverse[MPC_PAI_MAX_LIMBS];    /* 1 / p^2 mod q^2 */
    mp_limb_t n[MPC_PAI_MAX_LIMBS];             /* 2 l limbs */
    uint8_t id[32];
};

/* 2048, 3072 or 4096, else FM_E_ARG. */
fm_status mpc_pai_check_bits(unsigned bits, struct base_err *err) FM_CHECK;
unsigned mpc_pai_sub_exponent_bits(unsigned bits); /* 448 for 2048 and less, else 512 */

/* The primes of one kind; p, q initialised by the caller; sub also gives b = (p-1)(q-1)/(4 p1 q1)
 * in cofactor. bits a multiple of 128, at least 256. */
fm_status mpc_pai_primes_new(mpz_t p, mpz_t q, mpz_t cofactor, unsigned bits,
                             enum mpc_pai_kind kind, struct base_err *err) FM_CHECK;

/* From parts known to be right. engine NULL: the best. The djn and sub ones take h. */
fm_status mpc_pai_std_make(struct mpc_pai_std **key, const mpz_t n,
                           const struct mpc_pai_ring_ops *engine, struct base_err *err) FM_CHECK;
fm_status mpc_pai_djn_make(struct mpc_pai_djn **key, const mpz_t n, const mpz_t h,
                           const struct mpc_pai_ring_ops *engine, struct base_err *err) FM_CHECK;
fm_status mpc_pai_sub_make(struct mpc_pai_sub **key, const mpz_t n, const mpz_t h,
                           const struct mpc_pai_ring_ops *engine, struct base_err *err) FM_CHECK;
fm_status mpc_pai_secret_make(struct mpc_pai_secret **secret, const mpz_t p, const mpz_t q,
                              const struct mpc_pai_ring_ops *engine, struct base_err *err) FM_CHECK;
/* A key of one kind, the others NULL. h is used where the kind has one. */
struct mpc_pai_any {
    struct mpc_pai_std *std;
    struct mpc_pai_djn *djn;
    struct mpc_pai_sub *sub;
};
fm_status mpc_pai_any_make(struct mpc_pai_any *key, enum mpc_pai_kind kind, const mpz_t n,
                           const mpz_t h, const struct mpc_pai_ring_ops *engine,
                           struct base_err *err) FM_CHECK;
const struct mpc_pai_modulus *mpc_pai_any_modulus(const struct mpc_pai_any *key);
void mpc_pai_any_free(struct mpc_pai_any *key);

/* h = -y^2 mod n, and -y^(2b) mod n, for a random unit y. */
fm_status mpc_pai_blinding_base(mpz_t h, const mpz_t n, const mpz_t b,
                                struct base_err *err) FM_CHECK;
/* FM_E_INPUT with the reason if n cannot be a modulus of so many bits. */
fm_status mpc_pai_modulus_check(const mpz_t n, unsigned bits, struct base_err *err) FM_CHECK;

#endif
