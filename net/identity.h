/* Who a node is on the network: a name and the party's authentication key. That is an Ed25519 key
 * in a self-issued X.509 certificate or, where the profile is national, an SM2 key (agree.h). The
 * certificate carries nothing that anybody believes: whether the key is right is asked of the
 * caller (net_keys). */
#ifndef FIRMIANA_NET_IDENTITY_H
#define FIRMIANA_NET_IDENTITY_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

/* NET_KEY: a public key; Ed25519's 32 bytes and a zero, or a compressed point of SM2. */
enum { NET_NAME_MAX = 63, NET_SEED = 32, NET_KEY = 33 };

/* [a-z][a-z0-9_]*, at most NET_NAME_MAX: a member's alias. */
bool net_name_ok(const char *name);

/* Which key a peer must have at this moment. Asked at each handshake and at each recheck; true and
 * the key, or false if the peer is unknown, suspended or otherwise unwanted. Called with net's
 * locks held: it must not call back into net, and must be thread-safe. */
struct net_keys {
    bool (*key_of)(void *ctx, const char *peer, uint8_t out33[NET_KEY]);
    void *ctx;
};

struct net_identity;

/* key: a private key, Ed25519 or SM2 as the profile has it, shared (its reference count goes up).
 * Errors: FM_E_ARG (name, or another kind of key), FM_E_MEMORY. */
fm_status net_identity_new(struct net_identity **out, const char *name, EVP_PKEY *key,
                           struct base_err *err) FM_CHECK;
/* The same from the 32-byte seed of RFC 8032, or SM2's secret, 1 to order - 2, big-endian. */
fm_status net_identity_from_seed(struct net_identity **out, const char *name,
                                 const uint8_t seed32[NET_SEED], struct base_err *err) FM_CHECK;
void net_identity_free(struct net_identity *id);

const char *net_identity_name(const struct net_identity *id);
const uint8_t *net_identity_key(const struct net_identity *id); /* the public key */

/* The private key, borrowed: for signing in agree.h. */
EVP_PKEY *net_identity_pkey(const struct net_identity *id);

/* Decides on a peer's certificate during a handshake; chain_len counts the certificates it sent. */
struct net_verifier {
    bool (*accept)(struct net_verifier *self, X509 *cert, int chain_len);
};

/* A TLS connection with this identity's certificate and Firmiana's settings: TLS 1.3 only, X25519,
 * Ed25519, AES-256-GCM; mutual; no tickets, resumption, early data, compression or renegotiation.
 * The verifier must outlive it. NULL when memory is out, and for an SM2 key. */
SSL *net_identity_ssl(const struct net_identity *id, struct net_verifier *verifier);

/* Reads a peer's certificate: its name and key, if it is self-signed, Ed25519, and names exactly
 * one acceptable common name. Errors: FM_E_AUTH saying what is wrong. */
fm_status net_certificate_read(char name[NET_NAME_MAX + 1], uint8_t key33[NET_KEY], X509 *cert,
                               struct base_err *err) FM_CHECK;

#endif
