/* What a protocol needs of a network, and all that mpc/ may see of net/: n parties, numbered 0 ..
 * n-1 in the order of the session descriptor, an ordered, reliable, authenticated and confidential
 * channel between any two, several independent streams on each, and abort.
 *
 * A transport belongs to one query session and is used by that session's threads; one stream is
 * used by one thread at a time. Calls block the calling thread until done, or until the session's
 * deadline (FM_E_TIMEOUT naming who was waited for), or until any party leaves, aborts or
 * misbehaves (FM_E_PEER naming it). After the first failure every call on every stream fails with
 * that same error: a session is never half alive.
 *
 * Messages: one send of len bytes is met by exactly one recv of the same len by the peer on the
 * same stream, in order; a message of another length ends the session (FM_E_PEER). Lengths are
 * public and part of every protocol's specification. A transport may cut messages into frames; that
 * is not seen here.
 *
 * Counters are exact and count payload bytes, as papers do; a round is counted when a recv follows
 * at least one send of this party on the same stream since its last counted round. */
#ifndef FIRMIANA_NET_TRANSPORT_H
#define FIRMIANA_NET_TRANSPORT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

enum { NET_MAX_PARTIES = 16, NET_MAX_STREAMS = 64 };

/* The window: a send waits only while the peer has so much of this stream not yet taken by its
 * recv calls that the message would not fit; so parties that all send first and receive afterwards
 * never block one another as long as what each sends to one peer on one stream between two receives
 * stays within the window, counting NET_WINDOW_MESSAGE bytes for each message (and for each MiB)
 * beside its length. Longer messages are fine in one direction, but in an exchange must be cut into
 * pieces, send and recv in turn. */
enum { NET_WINDOW_BYTES = 32 << 20, NET_WINDOW_MESSAGE = 64 };

struct net_stats {
    uint64_t bytes_sent;
    uint64_t bytes_received;
    uint64_t messages_sent;
    uint64_t rounds; /* the greatest count over the streams */
};

struct net_transport;

struct net_transport_ops {
    /* Queues a copy; blocks while the window of that peer and stream is full. */
    fm_status (*send)(struct net_transport *t, unsigned stream, unsigned to, const void *bytes,
                      size_t len, struct base_err *err);
    /* Fills out[0..len) with the next message of that peer on that stream. */
    fm_status (*recv)(struct net_transport *t, unsigned stream, unsigned from, void *out,
                      size_t len, struct base_err *err);
    /* Ends the session for everyone. reason is one word of a closed list, never data. Idempotent.
     */
    void (*abort)(struct net_transport *t, const char *reason);
    void (*stats)(const struct net_transport *t, struct net_stats *out);
};

/* The face that implementations put first in their own struct. */
struct net_transport {
    const struct net_transport_ops *ops;
    unsigned self;
    unsigned parties;
    const char *const *names; /* names[i]: the alias of party i, for error texts */
};

static inline fm_status FM_CHECK net_send(struct net_transport *t, unsigned stream, unsigned to,
                                          const void *bytes, size_t len, struct base_err *err)
{
    return t->ops->send(t, stream, to, bytes, len, err);
}

static inline fm_status FM_CHECK net_recv(struct net_transport *t, unsigned stream, unsigned from,
                                          void *out, size_t len, struct base_err *err)
{
    return t->ops->recv(t, stream, from, out, len, err);
}

static inline void net_abort(struct net_transport *t, const char *reason)
{
    t->ops->abort(t, reason);
}

static inline void net_stats_get(const struct net_transport *t, struct net_stats *out)
{
    t->ops->stats(t, out);
}

#endif
