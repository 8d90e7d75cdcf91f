/* The engine on AVX-512 IFMA. Elements lie in groups of eight: digit i of all eight, then digit i +
 * 1; 2 l digits (ifma.h). */
#ifndef FIRMIANA_MPC_PAILLIER_RING_IFMA_H
#define FIRMIANA_MPC_PAILLIER_RING_IFMA_H

#include <stdbool.h>
#include <stddef.h>

#include "mpc/paillier/ring.h"

extern const struct mpc_pai_ring_ops mpc_pai_ring_ifma;
bool mpc_pai_ifma_here(void);         /* does this processor have it? */
bool mpc_pai_ifma_takes(size_t bits); /* a modulus of so many bits */

#endif
