/* Powers on AVX-512 IFMA: the slots of the engine's table that ring.h describes. */
#ifndef FIRMIANA_MPC_PAILLIER_IFMA_POW_H
#define FIRMIANA_MPC_PAILLIER_IFMA_POW_H

#include "mpc/paillier/ifma.h"

/* NULL, with the error said, when memory is out; free wipes. */
struct mpc_pai_ifma_scratch *mpc_pai_ifma_scratch_new(struct base_err *err);
void mpc_pai_ifma_scratch_free(struct mpc_pai_ifma_scratch *s);

fm_status mpc_pai_ifma_pow(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                           const mp_limb_t *e, size_t bits, size_t n,
                           struct base_err *err) FM_CHECK;
fm_status mpc_pai_ifma_pow_public(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                                  const mp_limb_t *e, size_t bits, size_t n,
                                  struct base_err *err) FM_CHECK;
fm_status mpc_pai_ifma_pow_each(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                                const mp_limb_t *e, size_t bits, size_t n,
                                struct base_err *err) FM_CHECK;
fm_status mpc_pai_ifma_dot(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                           const mp_limb_t *e, size_t bits, size_t n,
                           struct base_err *err) FM_CHECK;
fm_status mpc_pai_ifma_dots(const struct mpc_pai_ring *r, uint64_t *z, const uint64_t *x,
                            const mp_limb_t *e, size_t bits, size_t n, size_t terms,
                            struct base_err *err) FM_CHECK;
fm_status mpc_pai_ifma_table_new(const struct mpc_pai_ring *r, struct mpc_pai_table *t,
                                 const mp_limb_t *base, struct base_err *err) FM_CHECK;
fm_status mpc_pai_ifma_table_pow(const struct mpc_pai_table *t, uint64_t *z, const mp_limb_t *e,
                                 size_t n, struct base_err *err) FM_CHECK;

#endif
