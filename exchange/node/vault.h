/* Sealing at rest of what a node keeps about people: base/aead.h under a key that is derived from
 * one of the node's sealed keys, so that a stolen disk or backup without the passphrase shows
 * nothing.
 *
 *   key   HKDF-Expand(secret, "firmiana vault v1")
 *   tag   HKDF-Expand(secret, "firmiana vault tag v1" || H(text)), 16 bytes: finds
 * what is about a text without opening everything; equal texts have equal tags box   nonce (12,
 * random) || ciphertext || tag (16); what it is for (kind and name) is authenticated with it,
 * so no box stands for another */
#ifndef FIRMIANA_EXCHANGE_NODE_VAULT_H
#define FIRMIANA_EXCHANGE_NODE_VAULT_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/random.h"

enum { VAULT_TAG = 16, VAULT_OVERHEAD = 12 + 16 };

/* Secret; the caller wipes it. */
struct vault {
    uint8_t secret[32];
    uint8_t key[32];
};

fm_status vault_init(struct vault *v, const uint8_t secret32[32], struct base_err *err) FM_CHECK;
void vault_release(struct vault *v);

fm_status vault_tag(const struct vault *v, uint8_t out[VAULT_TAG], const char *text,
                    struct base_err *err) FM_CHECK;

/* Appends a box. */
fm_status vault_seal(const struct vault *v, struct base_buf *out, const char *kind,
                     const char *name, const void *bytes, size_t len,
                     const struct base_random *random, struct base_err *err) FM_CHECK;
/* Appends what is in it; the caller releases *out as a secret. FM_E_CORRUPT: damaged, of another
 * kind or name, or sealed under another key. */
fm_status vault_open(const struct vault *v, struct base_buf *out, const char *kind,
                     const char *name, const void *box, size_t len, struct base_err *err) FM_CHECK;

#endif
