/* A query session over the mesh: a struct net_transport for worker threads. Workers seal in their
 * own threads and hand frames to the wire; the thread that drives the mesh puts incoming sealed
 * frames into the inbox of their stream, and the worker opens them straight into its caller's
 * memory.
 *
 * States: OPEN --(first failure: abort, peer, timeout, damage)--> FAILED; either --(close)-->
 * freed. In FAILED all calls fail with the failure that came first.
 *
 * Invariants:
 * 1. `failure` is set at most once, under `lock`; every lane's `failed` follows, under its own
 * lock.
 * 2. What a pipe's inbox and its opened frames cost never exceeds NET_WINDOW_BYTES: the peer's
 *    sender keeps to that, and one that does not is cut off.
 * 3. A pipe's seals, opened frames and transcripts are touched by its stream's worker only; its
 *    inbox is shared, under the lane's lock.
 * 4. Frames of one pipe are opened in the order in which they were sent. */
#ifndef FIRMIANA_NET_SESSION_H
#define FIRMIANA_NET_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "net/transport.h"

struct net_session;

enum net_session_flags {
    NET_SESSION_PLAIN = 0,
    NET_SESSION_TRANSCRIPT = 1 /* keep hashes of all frames (about 1.5 GB/s a core) */
};

struct net_session_config {
    uint8_t descriptor32[32]; /* hash of the session descriptor, the same at all parties */
    unsigned parties;         /* 1 .. NET_MAX_PARTIES */
    const char *const *names; /* in descriptor order, with this node's own */
    int64_t deadline_ms;      /* on the monotonic clock; INT64_MAX for none */
    unsigned flags;
};

/* The transport; valid until the session is closed. */
struct net_transport *net_session_transport(struct net_session *s);

/* Salted hashes of all payload frames exchanged with a party, in the order of their streams: what
 * this end sent is what that end received, if both finished. The salt is 32 bytes from the TLS
 * exporter, known to the two ends alone. Call when no thread uses the transport.
 * Errors: FM_E_ARG, FM_E_UNSUPPORTED without NET_SESSION_TRANSCRIPT. wire.md, "Transcript". */
fm_status net_session_transcript(struct net_session *s, unsigned party, uint8_t sent32[32],
                                 uint8_t received32[32], struct base_err *err) FM_CHECK;

/* FM_OK, or the failure that ended the session, and whose doing it was (a party number, or the
 * number of parties if nobody's). culprit may be NULL. */
fm_status net_session_state(struct net_session *s, unsigned *culprit, struct base_err *err);

#endif
