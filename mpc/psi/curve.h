/* Products in ristretto255 (RFC 9496) by one secret scalar, in batches: eight at a time on AVX-512
 * IFMA where the processor has it, else one after the other by libsodium; equal results. Time and
 * addresses depend on n alone. */
#ifndef FIRMIANA_MPC_PSI_CURVE_H
#define FIRMIANA_MPC_PSI_CURVE_H

#include <stddef.h>
#include <stdint.h>

enum { MPC_PSI_BATCH = 8 };

/* One way to multiply; n <= MPC_PSI_BATCH. scalar: below the group's order, not 0. The answer: bit
 * i is set where number i is none (z[i] is unspecified then): an encoding that RFC 9496 refuses, or
 * a point that times the scalar is neutral. z may be x. */
struct mpc_psi_curve {
    const char *name;
    /* z[i] = scalar x[i] */
    unsigned (*times)(uint8_t z[][32], const uint8_t x[][32], size_t n, const uint8_t scalar[32]);
    /* z[i] = scalar (the point derived from the 64 bytes h[i], RFC 9496, 4.3.4) */
    unsigned (*times_derived)(uint8_t z[][32], const uint8_t h[][64], size_t n,
                              const uint8_t scalar[32]);
};

extern const struct mpc_psi_curve mpc_psi_curve_sodium;
#ifdef MPC_PAI_IFMA
extern const struct mpc_psi_curve mpc_psi_curve_ifma; /* only where mpc_pai_ifma_here() */
#endif
/* The faster that this processor runs. */
const struct mpc_psi_curve *mpc_psi_curve_best(void);

#endif
