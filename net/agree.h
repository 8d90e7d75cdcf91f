/* The handshake of channels where the profile is national: a signed Diffie-Hellman agreement on the
 * SM2 curve, SIGMA-I (Krawczyk, CRYPTO 2003, section 5.2) with SM2 signatures, SM3 and HMAC-SM3,
 * and SM4-CTR with HMAC-SM3 for what comes after the first message. wire.md has every byte. What
 * TLS 1.3 does with these algorithms (RFC 8998: curveSM2, sm2sig_sm3, SM4) in the same three
 * flights; OpenSSL 3.0 has them, but no such TLS.
 *
 * Why not the key exchange of GB/T 32918.3: both must know each other's name and key before the
 * first message, so both would travel in the clear; and OpenSSL has none, so that we would have to
 * compute with secret scalars ourselves.
 *
 * Without I/O, as channel.h, which alone uses it:
 *   HELLO --(answer came)--> DONE (dialler)     HELLO --(hello came)--> PROOF --(proof came)-->
 * DONE Anything else is an error, after which it may only be released. */
#ifndef FIRMIANA_NET_AGREE_H
#define FIRMIANA_NET_AGREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "net/identity.h"

enum { NET_AGREE_HELLO = 1, NET_AGREE_ANSWER, NET_AGREE_PROOF, NET_AGREE_REFUSAL };

struct net_agree;

/* Judges a peer that has proved to hold the key. FM_E_AUTH: who it is not. */
struct net_agree_judge {
    fm_status (*accept)(void *ctx, const char *name, const uint8_t key33[NET_KEY],
                        struct base_err *err);
    void *ctx;
};

/* self, the identity's key and judge's context must outlive it. FM_E_MEMORY. */
fm_status net_agree_new(struct net_agree **out, const struct net_identity *self, bool dials,
                        struct net_agree_judge judge, struct base_err *err) FM_CHECK;
void net_agree_free(struct net_agree *a); /* wipes; NULL is fine */

/* As net_channel_handshake(). Errors: FM_E_AUTH, FM_E_PEER, FM_E_MEMORY. */
fm_status net_agree_step(struct net_agree *a, const void *in, size_t len, struct base_buf *out,
                         struct base_err *err) FM_CHECK;
bool net_agree_done(const struct net_agree *a);

/* A secret of label and context. Only after done. */
fm_status net_agree_export(const struct net_agree *a, uint8_t out32[32], const char *label,
                           const uint8_t context32[32], struct base_err *err) FM_CHECK;

/* Do these first bytes of a peer begin this handshake? */
bool net_agree_begins(const void *bytes, size_t len);

#endif
