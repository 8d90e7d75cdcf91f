/* Randomness and time come in through seams, so that a whole consortium runs in one test, in
 * virtual time. Product code uses base_random_system() and base_clock_system(); nothing else reads
 * the OS directly. */
#ifndef FIRMIANA_BASE_RANDOM_H
#define FIRMIANA_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* Cryptographically strong bytes. fill() writes all len bytes or fails; it never returns fewer.
 * Thread-safe if the source says so (the system source is). */
struct base_random {
    fm_status (*fill)(void *ctx, void *out, size_t len, struct base_err *err);
    void *ctx;
};

/* OpenSSL's private DRBG (RAND_priv_bytes), seeded by the OS. Thread-safe. */
const struct base_random *base_random_system(void);
fm_status base_random_fill(const struct base_random *random, void *out, size_t len,
                           struct base_err *err) FM_CHECK;

/* Wall clock and monotonic clock, in milliseconds. */
struct base_clock {
    int64_t (*unix_ms)(void *ctx); /* since 1970-01-01T00:00:00Z */
    int64_t (*mono_ms)(void *ctx); /* since some fixed moment; never goes back */
    void *ctx;
};

const struct base_clock *base_clock_system(void);
int64_t base_clock_unix_ms(const struct base_clock *clock);
int64_t base_clock_mono_ms(const struct base_clock *clock);

#endif
