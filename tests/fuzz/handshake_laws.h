/* Handshake frames, at a stranger's first contact, under whatever profile is adopted. The first
 * byte says who reads: an even one a node that accepts, an odd one a node that dialled. The rest is
 * frames: 2 bytes of length each, then the bytes.
 *
 * The node's randomness is the same each time (same_random.h), so that the flights of the recorded
 * handshake are answers to it, and what is altered in them is behind the keys.
 *
 * Laws: an accepted head, written again, is the same 16 bytes; a handshake ends only as the
 * recorded one did, with its peer and its secret, so nothing that is signed was altered; what a
 * node answers stays within the limit. */
#ifndef FIRMIANA_TESTS_FUZZ_HANDSHAKE_LAWS_H
#define FIRMIANA_TESTS_FUZZ_HANDSHAKE_LAWS_H

#include "tests/fuzz/fuzz.h"

void handshake_begin(struct fuzz_corpus *corpus);
void handshake_run(const uint8_t *data, size_t size);

#endif
