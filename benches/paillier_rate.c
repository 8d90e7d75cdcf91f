/* How fast this processor issues 52-bit multiply-adds. */
#include <time.h>

#include "benches/paillier_by_hand.h"

#if defined(__x86_64__)
#include <immintrin.h>

enum { CHAINS = 12, STEPS = 2000000 };

__attribute__((target("avx512f,avx512ifma"))) static double rate(void)
{
    __m512i a[CHAINS], x = _mm512_set1_epi64(12345), y = _mm512_set1_epi64(777);
    struct timespec from, to;

    for (int i = 0; i < CHAINS; i++)
        a[i] = _mm512_set1_epi64(i);
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    for (int s = 0; s < STEPS; s++) {
        _Pragma("GCC unroll 12") for (int i = 0; i < CHAINS; i++) a[i] =
            _mm512_madd52lo_epu64(a[i], x, y);
        __asm__ volatile("" : "+v"(x));
    }
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    for (int i = 1; i < CHAINS; i++)
        a[0] = _mm512_add_epi64(a[0], a[i]);
    __asm__ volatile("" : : "v"(a[0]));
    return (double)CHAINS * STEPS /
           ((double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec));
}

double by_hand_ifma_rate(void)
{
    return __builtin_cpu_supports("avx512ifma") ? rate() : 0;
}
#else
double by_hand_ifma_rate(void)
{
    return 0;
}
#endif
