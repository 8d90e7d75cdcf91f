/* What the ways of sm4.h share. */
#ifndef FIRMIANA_BASE_SM4_OWN_H
#define FIRMIANA_BASE_SM4_OWN_H

#include <stddef.h>
#include <stdint.h>

enum { SM4_ROUNDS = 32 };

#ifdef BASE_SM4_GFNI
void base_sm4_gfni_keys(uint32_t *keys, const uint8_t key16[16]);
void base_sm4_gfni_ctr(uint8_t *out, const uint8_t *in, size_t len, const uint8_t counter16[16],
                       const uint32_t *keys);
#endif

#endif
