/* The hashes. base_hash is that of every format of Firmiana (log, state tree, ids, commitments):
 * SHA-256, or SM3 (GB/T 32905-2016) where the ledger's profile is national (profile.h). base_sha256
 * is for what others have specified, whatever the profile. Both have 32 bytes. OpenSSL does the
 * work. */
#ifndef FIRMIANA_BASE_HASH_H
#define FIRMIANA_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

#define BASE_HASH_SIZE 32

void base_sha256(uint8_t out32[BASE_HASH_SIZE], const void *bytes, size_t len);

/* Of the profile that the process has adopted. */
void base_hash(uint8_t out32[BASE_HASH_SIZE], const void *bytes, size_t len);

/* OpenSSL's name of base_hash, for HMAC and HKDF: "SHA256" or "SM3". */
const char *base_hash_name(void);

/* HMAC (RFC 2104) over the hash of that OpenSSL's name, "SHA256" or "SM3": base_hash_name() says
 * which is the profile's. False is want of memory, or an OpenSSL without SM3. */
bool base_hmac(uint8_t out32[BASE_HASH_SIZE], const char *hash, const void *key, size_t key_len,
               const void *bytes, size_t len) FM_CHECK;

/* Streaming: init, update any number of times, final (which also releases). Aborts when OpenSSL has
 * not the hash, which would be an installation without its default provider. */
struct base_hash {
    void *ctx;
};
void base_hash_init(struct base_hash *h);
void base_sha256_init(struct base_hash *h);
void base_sm3_init(struct base_hash *h);
void base_hash_update(struct base_hash *h, const void *bytes, size_t len);
void base_hash_final(struct base_hash *h, uint8_t out32[BASE_HASH_SIZE]);

#endif
