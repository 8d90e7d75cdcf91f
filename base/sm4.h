/* SM4 in counter mode (GB/T 32907-2016, GB/T 17964-2021): 64 blocks at once on AVX-512 with GFNI
 * where the processor has them, else by OpenSSL, whose tables are secret addresses; equal bytes. */
#ifndef FIRMIANA_BASE_SM4_H
#define FIRMIANA_BASE_SM4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct base_sm4; /* one key; one thread at a time */

/* NULL without memory, or where this OpenSSL has no SM4. */
struct base_sm4 *base_sm4_new(const uint8_t key16[16]);
void base_sm4_free(struct base_sm4 *sm4); /* wipes; NULL is allowed */

/* out = in, or zeros where in is NULL, xor the encryptions of counter16, counter16 + 1, ..., which
 * is big-endian and mod 2^128. out may be in. False is an OpenSSL that fails. */
bool base_sm4_ctr(struct base_sm4 *sm4, uint8_t *out, const uint8_t *in, size_t len,
                  const uint8_t counter16[16]);

/* For tests and measurements: from now on OpenSSL's alone for this key. */
void base_sm4_use_openssl(struct base_sm4 *sm4);

#endif
