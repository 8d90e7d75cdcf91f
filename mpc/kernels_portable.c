/* For any processor. */
#define KERNELS mpc_kernels_portable
#define KERNELS_NAME "portable"
#define KERNELS_LANES 2

#include "mpc/kernels_swap.h"

#include "mpc/kernels_loops.h"
