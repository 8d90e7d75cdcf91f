/* One entry of a pool, sealed and opened: base/aead.h (pool.h). */
#ifndef FIRMIANA_MPC_PAILLIER_POOL_SEAL_H
#define FIRMIANA_MPC_PAILLIER_POOL_SEAL_H

#include "base/random.h"

enum { MPC_PAI_SEAL_NONCE = 12, MPC_PAI_SEAL_TAG = 16 };

/* out: nonce, len bytes, tag. */
fm_status mpc_pai_seal(uint8_t *out, const uint8_t key32[32], const uint8_t *ad, size_t ad_len,
                       const uint8_t *plain, size_t len, const struct base_random *random,
                       struct base_err *err) FM_CHECK;
/* FM_E_CORRUPT if it was not sealed so; plain is zero then. */
fm_status mpc_pai_unseal(uint8_t *plain, const uint8_t key32[32], const uint8_t *ad, size_t ad_len,
                         const uint8_t *sealed, size_t len, struct base_err *err) FM_CHECK;

#endif
