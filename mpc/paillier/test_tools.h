/* For the tests of this folder: corner-seeking numbers from a printed seed, small keys of each
 * kind. */
#ifndef FIRMIANA_MPC_PAILLIER_TEST_TOOLS_H
#define FIRMIANA_MPC_PAILLIER_TEST_TOOLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gmp.h>

#include "mpc/paillier/cipher.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/limbs.h"

/* Reproducible: FIRMIANA_SEED, else a new one, printed. */
void test_seed(void);
uint64_t test_random(void);
/* Long runs of zeros and of ones, 0, 1, all ones. */
void test_limbs(mp_limb_t *x, size_t n);
/* Below m: 0, 1, m - 1, near m, corner-seeking, uniform. */
void test_below(mpz_t v, const mpz_t m);

#define TEST_OK(call) assert_int_equal((call), FM_OK)

/* A key of one kind with its secret, of any size, on one engine. */
struct test_key {
    enum mpc_pai_kind kind;
    struct mpc_pai_std *std;
    struct mpc_pai_djn *djn;
    struct mpc_pai_sub *sub;
    struct mpc_pai_secret *secret;
    const struct mpc_pai_modulus *n;
};
void test_key_new(struct test_key *k, enum mpc_pai_kind kind, unsigned bits,
                  const struct mpc_pai_ring_ops *engine);
void test_key_free(struct test_key *k);
fm_status test_encrypt(struct mpc_pai_cipher *c, const struct test_key *k,
                       const struct mpc_pai_plain *m, struct base_err *err);

#endif
