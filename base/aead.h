/* Sealing small things at rest: authenticated encryption with a nonce of 12 bytes that the caller
 * draws afresh each time, and a tag of 16.
 *
 *   aes-256-gcm        SP 800-38D
 *   sm4-ctr-hmac-sm3   encrypt-then-MAC, with a key for each: SM4-CTR under the first 16 bytes of
 *                      HMAC-SM3(key, "firmiana sm4-ctr"), first counter block nonce || 00000000;
 * the tag is the first 16 bytes of HMAC-SM3(HMAC-SM3(key, "firmiana hmac-sm3"), nonce || u64 length
 * of the associated data || these || ciphertext), checked before anything is decrypted
 *
 * The second is the national profile's (base/profile.h). Lengths below 2^31. */
#ifndef FIRMIANA_BASE_AEAD_H
#define FIRMIANA_BASE_AEAD_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { BASE_AEAD_NONCE = 12, BASE_AEAD_TAG = 16 };

struct base_aead;

const struct base_aead *base_aead_usual(void);               /* by the profile */
const struct base_aead *base_aead_by_name(const char *name); /* NULL if there is none */
const char *base_aead_name(const struct base_aead *aead);

/* What is authenticated beside the content. */
struct base_aead_with {
    const void *bytes;
    size_t len;
};

/* out: len bytes, then the tag; may be plain. FM_E_MEMORY, FM_E_LIMIT. */
fm_status base_aead_seal(const struct base_aead *aead, uint8_t *out, const uint8_t key32[32],
                         const uint8_t nonce12[BASE_AEAD_NONCE], struct base_aead_with with,
                         const void *plain, size_t len, struct base_err *err) FM_CHECK;
/* sealed: len bytes, then the tag. FM_E_AUTH if it was not sealed so; out is zero then. */
fm_status base_aead_open(const struct base_aead *aead, uint8_t *out, const uint8_t key32[32],
                         const uint8_t nonce12[BASE_AEAD_NONCE], struct base_aead_with with,
                         const uint8_t *sealed, size_t len, struct base_err *err) FM_CHECK;

#endif
