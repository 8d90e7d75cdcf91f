/* One authenticated channel between two parties, without I/O: a TLS 1.3 handshake in memory, whose
 * records the caller carries, and then keys from its exporter (RFC 8446 section 7.5). After the
 * handshake no more TLS records flow, except an alert of a peer that refuses ours. Where the
 * profile is national, the handshake of agree.h in its place, with an exporter of its own; a peer
 * of the other profile is told apart by its first bytes.
 *
 * States: HANDSHAKE --(both Finished)--> DONE; any --(error)--> the caller frees it. The dialler is
 * DONE before the accepter has seen its certificate: it must not count on the channel until the
 * first sealed frame opens (link.c does this). Not thread-safe. */
#ifndef FIRMIANA_NET_CHANNEL_H
#define FIRMIANA_NET_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "net/identity.h"

/* Of each pair, the party with the smaller name (strcmp) dials: it is TLS's client. */
enum net_side { NET_DIALS, NET_ACCEPTS };

/* What one side may send in the handshake altogether; ours need less than 2 kB. */
enum { NET_HANDSHAKE_MAX = 16384 };

struct net_channel;

/* peer: whom the dialler wants to reach; NULL for the accepter, who learns it from the certificate.
 * self and keys must outlive the channel. */
fm_status net_channel_new(struct net_channel **out, const struct net_identity *self,
                          const struct net_keys *keys, enum net_side side, const char *peer,
                          struct base_err *err) FM_CHECK;
void net_channel_free(struct net_channel *ch);

/* Takes what the peer sent (the dialler begins with nothing) and appends to out what must be sent;
 * out may hold an alert for the peer when this fails. Errors: FM_E_AUTH (who the peer is not),
 * FM_E_PEER (not this protocol, or another profile), FM_E_LIMIT (NET_HANDSHAKE_MAX), FM_E_MEMORY.
 */
fm_status net_channel_handshake(struct net_channel *ch, const void *in, size_t len,
                                struct base_buf *out, struct base_err *err) FM_CHECK;

bool net_channel_done(const struct net_channel *ch);
enum net_side net_channel_side(const struct net_channel *ch);

/* The peer's name: authenticated once done; before that what the dialler wants, or "". */
const char *net_channel_peer(const struct net_channel *ch);

/* Asks net_keys again: false if the key that authenticated this channel is no longer the peer's. */
bool net_channel_key_current(const struct net_channel *ch);

/* A secret of this channel alone, the same at both ends: the exporter with "EXPORTER-firmiana-"
 * label and the context. Only after done. */
fm_status net_channel_export(struct net_channel *ch, uint8_t out32[32], const char *label,
                             const uint8_t context32[32], struct base_err *err) FM_CHECK;

#endif
