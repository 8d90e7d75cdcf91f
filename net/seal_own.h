/* The ways to seal, behind seal.h: a row each. */
#ifndef FIRMIANA_NET_SEAL_OWN_H
#define FIRMIANA_NET_SEAL_OWN_H

#include <stdbool.h>

#include "net/seal.h"

/* All return false when OpenSSL fails, which is memory, or an algorithm that it lacks. */
struct net_seal_kind {
    const char *name;
    /* seal->ctx is there; sets the keys of seal->secret32. */
    fm_status (*install)(struct net_seal *seal, struct base_err *err);
    /* head: NET_HEAD bytes, authenticated. tag: NET_TAG bytes. out may be in. */
    bool (*seal)(struct net_seal *seal, uint8_t *out, uint8_t *tag, const uint8_t *head,
                 const uint8_t *in, size_t len);
    /* Also false if the tag is not right; out may then hold anything. */
    bool (*open)(struct net_seal *seal, uint8_t *out, const uint8_t *tag, const uint8_t *head,
                 const uint8_t *in, size_t len);
};

extern const struct net_seal_kind net_seal_gcm, net_seal_sm4;

/* iv12 XOR the counter, big-endian, in its last eight bytes (RFC 8446, section 5.3). */
void net_seal_nonce(uint8_t out12[12], const struct net_seal *seal);

#endif
