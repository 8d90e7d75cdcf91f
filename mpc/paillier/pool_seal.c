#include "mpc/paillier/pool_seal.h"

#include "base/aead.h"

fm_status mpc_pai_seal(uint8_t *out, const uint8_t key32[32], const uint8_t *ad, size_t ad_len,
                       const uint8_t *plain, size_t len, const struct base_random *random,
                       struct base_err *err)
{
    fm_status st = base_random_fill(random, out, MPC_PAI_SEAL_NONCE, err);

    return st != FM_OK ? st
                       : base_aead_seal(base_aead_usual(), out + MPC_PAI_SEAL_NONCE, key32, out,
                                        (struct base_aead_with){ad, ad_len}, plain, len, err);
}

fm_status mpc_pai_unseal(uint8_t *plain, const uint8_t key32[32], const uint8_t *ad, size_t ad_len,
                         const uint8_t *sealed, size_t len, struct base_err *err)
{
    fm_status st =
        base_aead_open(base_aead_usual(), plain, key32, sealed, (struct base_aead_with){ad, ad_len},
                       sealed + MPC_PAI_SEAL_NONCE, len, err);

    return st != FM_E_AUTH
               ? st
               : base_err_set(err, FM_E_CORRUPT, "does not open: another key, or it was changed");
}
