/* libsodium's products, and which way is taken. */
#include "mpc/psi/curve.h"

#include <sodium.h>

#include "base/secret.h"
#ifdef MPC_PAI_IFMA
#include "mpc/paillier/ring_ifma.h"
#endif

/* libsodium refuses the neutral element and what is no canonical encoding, but 1.0.18 does not look
 * at the top bit, which RFC 9496 (4.3.1) wants clear. */
static unsigned sodium_times(uint8_t z[][32], const uint8_t x[][32], size_t n,
                             const uint8_t scalar[32])
{
    unsigned bad = 0;

    for (size_t i = 0; i < n; i++) {
        unsigned top = x[i][31] >> 7;
        bad |= (unsigned)(crypto_scalarmult_ristretto255(z[i], scalar, x[i]) != 0 || top != 0) << i;
    }
    return bad;
}

static unsigned sodium_times_derived(uint8_t z[][32], const uint8_t h[][64], size_t n,
                                     const uint8_t scalar[32])
{
    uint8_t point[32];
    unsigned bad = 0;

    for (size_t i = 0; i < n; i++) {
        (void)crypto_core_ristretto255_from_hash(point, h[i]);
        bad |= (unsigned)(crypto_scalarmult_ristretto255(z[i], scalar, point) != 0) << i;
    }
    base_wipe(point, sizeof point);
    return bad;
}

const struct mpc_psi_curve mpc_psi_curve_sodium = {"sodium", sodium_times, sodium_times_derived};

const struct mpc_psi_curve *mpc_psi_curve_best(void)
{
#ifdef MPC_PAI_IFMA
    if (mpc_pai_ifma_here())
        return &mpc_psi_curve_ifma;
#endif
    return &mpc_psi_curve_sodium;
}
