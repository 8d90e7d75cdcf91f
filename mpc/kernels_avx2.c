/* For processors with AVX2: compiled with -mavx2, called only where they have it. */
#define KERNELS mpc_kernels_avx2
#define KERNELS_NAME "avx2"
#define KERNELS_LANES 4

#include "mpc/kernels_swap.h"

#include "mpc/kernels_loops.h"
