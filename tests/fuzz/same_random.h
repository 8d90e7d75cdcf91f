/* OpenSSL with randomness that is the same in every run, for targets of handshakes: what was
 * recorded of one handshake is then an answer to the next, and inputs reach what stands behind the
 * keys. Key generation and key agreement are remembered by their inputs, since they are most of a
 * handshake's time; what they give is exact, and nothing is left out. Only for fuzz targets:
 * linking this file into a program takes its randomness away. */
#ifndef FIRMIANA_TESTS_FUZZ_SAME_RANDOM_H
#define FIRMIANA_TESTS_FUZZ_SAME_RANDOM_H

#include <stdint.h>

/* Where one party's randomness stands. It begins as {seed, 0}. */
struct same_random {
    uint64_t seed, drawn;
};

/* From here on OpenSSL draws from this, which the caller keeps. */
void same_random_use(struct same_random *from);

#endif
