/* What encryption shares with proofs and threshold keys. */
#ifndef FIRMIANA_MPC_PAILLIER_CIPHER_OWN_H
#define FIRMIANA_MPC_PAILLIER_CIPHER_OWN_H

#include "mpc/paillier/cipher.h"

/* z = 1 + m n. */
fm_status mpc_pai_embed(struct mpc_pai_vec *z, const struct mpc_pai_plain *m,
                        struct base_err *err) FM_CHECK;

#endif
