#include "base/random.h"

#include <limits.h>
#include <openssl/rand.h>
#include <time.h>

static fm_status system_fill(void *ctx, void *out, size_t len, struct base_err *err)
{
    unsigned char *p = out;

    (void)ctx;
    while (len > 0) {
        int chunk = len > INT_MAX ? INT_MAX : (int)len;
        if (RAND_priv_bytes(p, chunk) != 1)
            return base_err_set(err, FM_E_IO,
                                "OpenSSL's random generator failed; is /dev/urandom there?");
        p += chunk;
        len -= (size_t)chunk;
    }
    return FM_OK;
}

const struct base_random *base_random_system(void)
{
    static const struct base_random source = {system_fill, NULL};
    return &source;
}

fm_status base_random_fill(const struct base_random *random, void *out, size_t len,
                           struct base_err *err)
{
    return random->fill(random->ctx, out, len, err);
}

static int64_t read_ms(clockid_t id)
{
    struct timespec t;

    if (clock_gettime(id, &t) != 0)
        return 0; /* UNTESTED: both clocks always exist on Linux. */
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t system_unix_ms(void *ctx)
{
    (void)ctx;
    return read_ms(CLOCK_REALTIME);
}

static int64_t system_mono_ms(void *ctx)
{
    (void)ctx;
    return read_ms(CLOCK_MONOTONIC);
}

const struct base_clock *base_clock_system(void)
{
    static const struct base_clock clock = {system_unix_ms, system_mono_ms, NULL};
    return &clock;
}

int64_t base_clock_unix_ms(const struct base_clock *clock)
{
    return clock->unix_ms(clock->ctx);
}

int64_t base_clock_mono_ms(const struct base_clock *clock)
{
    return clock->mono_ms(clock->ctx);
}
