/* SHA-256, the hash of every format of Firmiana (log, state tree, ids, commitments). OpenSSL does
 * the work. */
#ifndef FIRMIANA_BASE_HASH_H
#define FIRMIANA_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#define BASE_HASH_SIZE 32

void base_sha256(uint8_t out32[BASE_HASH_SIZE], const void *bytes, size_t len);

/* Streaming: init, update any number of times, final (which also releases). Aborts when OpenSSL has
 * no SHA-256, which would be an installation without its default provider. */
struct base_sha256 {
    void *ctx;
};
void base_sha256_init(struct base_sha256 *h);
void base_sha256_update(struct base_sha256 *h, const void *bytes, size_t len);
void base_sha256_final(struct base_sha256 *h, uint8_t out32[BASE_HASH_SIZE]);

#endif
