/* Asks the processor; compiled for any. */
#include "mpc/paillier/ring_ifma.h"

bool mpc_pai_ifma_here(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512ifma");
}
