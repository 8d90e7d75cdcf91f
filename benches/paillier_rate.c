/* How fast this processor issues 52-bit multiply-adds, and how many of them operations take. */
#include <string.h>
#include <time.h>

#include "benches/paillier_by_hand.h"
#include "mpc/paillier/key_own.h"
#include "mpc/paillier/triples.h"

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

static double ifma_rate(void)
{
    return __builtin_cpu_supports("avx512ifma") ? rate() : 0;
}
#else
static double ifma_rate(void)
{
    return 0;
}
#endif

/* Multiply-adds of a product of l digits in base n. */
static double product(double l)
{
    return (l < 40 ? 10 : 8.5) * l * l + 2 * l;
}

/* Multiply-adds of eight operations, with the best windows (ifma.h). */
static double multiply_adds(const char *op, const char *kind, unsigned bits)
{
    double l = (double)((bits + 51) / 52), h = (double)((bits / 2 + 51) / 52), b = bits;
    double m = product(l), s = 7 * l * l + 3 * l, mh = product(h), sh = 7 * h * h + 3 * h;

    if (strcmp(op, "decrypt") == 0 || strcmp(kind, "owner") == 0)
        return b * sh + b / 5 * mh;
    if (strcmp(op, "add") == 0)
        return m;
    if (strcmp(op, "mul64") == 0)
        return 64 * s + 30 * m;
    if (strcmp(op, "dot") == 0)
        return 30 * m;
    if (strcmp(op, "mul") == 0)
        return b * s + b / 5 * m;
    if (strcmp(op, "triple") == 0) { /* two encryptions, two terms, a share of what returns */
        double slots = (double)(mpc_pai_triples_block(bits) / 8);
        return b / 8 * m + 60 * m + (b * s + b / 6 * m + 2 * (b / 2 * sh + b / 10 * mh)) / slots;
    }
    if (strcmp(kind, "djn") == 0)
        return b / 2 / 8 * m;
    if (strcmp(kind, "sub") == 0)
        return mpc_pai_sub_exponent_bits(bits) / 8 * m;
    return b * s + b / 6 * m;
}

double by_hand_floor_us(const char *op, const char *kind, unsigned bits)
{
    return multiply_adds(op, kind, bits) / ifma_rate() / 8 * 1e6;
}
