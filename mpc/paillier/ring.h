/* Vectors over Z_{m^2} for an odd m: n^2 of a key, p^2 and q^2 of its owner. What Paillier computes
 * is products and powers here. Two engines behind one table, chosen when the ring is made:
 *   gmp    limbs, mpn_sec_*: everywhere;
 *   ifma   batches of eight elements, one a lane, on AVX-512 IFMA; two digits in base m,
 *          Montgomery form from load to store (ring_ifma.c, square_ifma.h).
 * Both give equal results. Elements lie in words whose meaning is the engine's own; load and store
 * translate. Time and addresses depend on sizes and on public exponents alone, except where a name
 * ends in _var. m itself may be secret. */
#ifndef FIRMIANA_MPC_PAILLIER_RING_H
#define FIRMIANA_MPC_PAILLIER_RING_H

#include <gmp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum {
    MPC_PAI_MAX_BITS = 4096,
    MPC_PAI_MAX_LIMBS = MPC_PAI_MAX_BITS / 64,
    MPC_PAI_BATCH = 8 /* elements that an engine may hold side by side */
};

struct mpc_pai_ring;
struct mpc_pai_table;

struct mpc_pai_ring_ops {
    const char *name;
    fm_status (*prepare)(struct mpc_pai_ring *r, struct base_err *err);
    void (*release)(struct mpc_pai_ring *r);
    size_t (*words)(const struct mpc_pai_ring *r, size_t n);
    fm_status (*load)(const struct mpc_pai_ring *r, uint64_t *z, const mp_limb_t *x, size_t limbs,
                      size_t n, struct base_err *err);
    fm_status (*store)(const struct mpc_pai_ring *r, mp_limb_t *lo, mp_limb_t *hi,
                       const uint64_t *z, size_t n, struct base_err *err);
    void (*move)(const struct mpc_pai_ring *r, uint64_t *z, size_t i, const uint64_t *x, size_t j);
    void (*pick)(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x, const uint64_t *mask,
                 size_t n);
    fm_status (*mul)(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                     const uint64_t *y, size_t n, struct base_err *err);
    fm_status (*mul_var)(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                         const uint64_t *y, size_t n, struct base_err *err);
    fm_status (*pow)(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                     const mp_limb_t *e, size_t bits, size_t n, struct base_err *err);
    fm_status (*pow_public)(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                            const mp_limb_t *e, size_t bits, size_t n, struct base_err *err);
    fm_status (*pow_each)(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                          const mp_limb_t *e, size_t bits, size_t n, struct base_err *err);
    fm_status (*dot)(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                     const mp_limb_t *e, size_t bits, size_t n, struct base_err *err);
    fm_status (*dots)(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                      const mp_limb_t *e, size_t bits, size_t n, size_t terms,
                      struct base_err *err);
    fm_status (*table_new)(const struct mpc_pai_ring *r, struct mpc_pai_table *t,
                           const mp_limb_t *base, struct base_err *err);
    fm_status (*table_pow)(const struct mpc_pai_table *t, uint64_t *z, const mp_limb_t *e, size_t n,
                           struct base_err *err);
};

struct mpc_pai_ring {
    const struct mpc_pai_ring_ops *ops;
    size_t bits;   /* of m */
    size_t k;      /* limbs of m: ceil(bits / 64), the top one not 0 */
    mp_limb_t *m;  /* k limbs */
    mp_limb_t *m2; /* m^2, k2 limbs */
    size_t k2;     /* limbs of m^2, top one not 0: 2 k or 2 k - 1 */
    uint64_t *one; /* 1, as a vector of one element */
    size_t one_words;
    void *own; /* the engine's constants */
    size_t own_words;
};

/* Powers of one base, for exponents of up to `bits` bits. */
struct mpc_pai_table {
    const struct mpc_pai_ring *ring;
    size_t bits;
    unsigned combs; /* the engine's own */
    uint64_t *w;
    size_t words;
};

extern const struct mpc_pai_ring_ops mpc_pai_ring_gmp;

/* The engines that this processor runs and that take a modulus of so many bits: i = 0 is the best;
 * NULL past the last. */
const struct mpc_pai_ring_ops *mpc_pai_engine_at(size_t i, size_t bits);
/* m: odd, > 1, of at most 4096 bits (asserted). engine NULL: the best. Free with _free, which
 * wipes. */
fm_status mpc_pai_ring_new(struct mpc_pai_ring **out, const mpz_t m,
                           const struct mpc_pai_ring_ops *engine, struct base_err *err) FM_CHECK;
void mpc_pai_ring_free(struct mpc_pai_ring *r);

/* n elements; wiped when freed. z = NULL on failure. */
struct mpc_pai_vec {
    const struct mpc_pai_ring *ring;
    size_t n;
    uint64_t *w;
    size_t words;
};

fm_status mpc_pai_vec_init(struct mpc_pai_vec *v, const struct mpc_pai_ring *r, size_t n,
                           struct base_err *err) FM_CHECK;
void mpc_pai_vec_release(struct mpc_pai_vec *v);

/* Integers of `limbs` limbs each, at most 4 k, one after another; any value: it is reduced mod m^2.
 */
fm_status mpc_pai_vec_load(struct mpc_pai_vec *z, const mp_limb_t *x, size_t limbs,
                           struct base_err *err) FM_CHECK;
/* z = lo + hi m with 0 <= lo, hi < m; k limbs an element. */
fm_status mpc_pai_vec_store(mp_limb_t *lo, mp_limb_t *hi, const struct mpc_pai_vec *z,
                            struct base_err *err) FM_CHECK;
/* The same as one integer below m^2, 2 k limbs an element. */
fm_status mpc_pai_vec_store_whole(mp_limb_t *x, const struct mpc_pai_vec *z,
                                  struct base_err *err) FM_CHECK;
/* z[i] = x[j]. */
void mpc_pai_vec_move(struct mpc_pai_vec *z, size_t i, const struct mpc_pai_vec *x, size_t j);
/* z[i] = x[i] where mask[i] is all ones; z[i] stays where it is 0. */
void mpc_pai_vec_pick(struct mpc_pai_vec *z, const struct mpc_pai_vec *x, const uint64_t *mask);
/* z[i] = x[i] y[i]; z may be x or y. */
fm_status mpc_pai_vec_mul(struct mpc_pai_vec *z, const struct mpc_pai_vec *x,
                          const struct mpc_pai_vec *y, struct base_err *err) FM_CHECK;
fm_status mpc_pai_vec_mul_var(struct mpc_pai_vec *z, const struct mpc_pai_vec *x,
                              const struct mpc_pai_vec *y, struct base_err *err) FM_CHECK;
/* z[i] = x[i]^e with one exponent of bits >= 1 bits (ceil(bits / 64) limbs, all of them used):
 * secret; public (its bits steer what is done, the bases stay secret). z[i] = x[i]^e[i]: secret,
 * each its own, one after another. z may be x. */
fm_status mpc_pai_vec_pow(struct mpc_pai_vec *z, const struct mpc_pai_vec *x, const mp_limb_t *e,
                          size_t bits, struct base_err *err) FM_CHECK;
fm_status mpc_pai_vec_pow_public(struct mpc_pai_vec *z, const struct mpc_pai_vec *x,
                                 const mp_limb_t *e, size_t bits, struct base_err *err) FM_CHECK;
fm_status mpc_pai_vec_pow_each(struct mpc_pai_vec *z, const struct mpc_pai_vec *x,
                               const mp_limb_t *e, size_t bits, struct base_err *err) FM_CHECK;
/* z (one element) = product of x[i]^e[i]. */
fm_status mpc_pai_vec_dot(struct mpc_pai_vec *z, const struct mpc_pai_vec *x, const mp_limb_t *e,
                          size_t bits, struct base_err *err) FM_CHECK;
/* z[i] = product over t of x[z->n t + i]^e[z->n t + i]; x->n a multiple of z->n, which is one of
 * MPC_PAI_BATCH. */
fm_status mpc_pai_vec_dots(struct mpc_pai_vec *z, const struct mpc_pai_vec *x, const mp_limb_t *e,
                           size_t bits, struct base_err *err) FM_CHECK;
/* z (one element) = product of x[i]; z[i] = 1 / x[i], x public. Errors: FM_E_INPUT naming an index
 * if an element has no inverse. */
fm_status mpc_pai_vec_product_var(struct mpc_pai_vec *z, const struct mpc_pai_vec *x,
                                  struct base_err *err) FM_CHECK;
fm_status mpc_pai_vec_inverse_var(struct mpc_pai_vec *z, const struct mpc_pai_vec *x,
                                  struct base_err *err) FM_CHECK;

/* base: 2 k limbs, below m^2. */
fm_status mpc_pai_table_new(struct mpc_pai_table **out, const struct mpc_pai_ring *r,
                            const mp_limb_t *base, size_t bits, struct base_err *err) FM_CHECK;
void mpc_pai_table_free(struct mpc_pai_table *t);
/* z[i] = base^e[i], e[i] of ceil(bits / 64) limbs, below 2^bits. */
fm_status mpc_pai_table_pow(const struct mpc_pai_table *t, struct mpc_pai_vec *z,
                            const mp_limb_t *e, struct base_err *err) FM_CHECK;

#endif
