/* All channels of one node, and its query sessions, as an engine without I/O: frames, times and
 * commands come in; frames go out through a net_wire, and events to the node. The same code runs
 * over ZeroMQ and, in virtual time, in memory.
 *
 * Of each pair the party with the smaller name dials. A route is worth nothing until its TLS
 * handshake is through; strangers can use up no more than NET_STRANGERS_MAX handshakes at a time,
 * each for handshake_ms. The newest authenticated connection of a peer replaces an older one.
 *
 * A link (one connection):
 *   dialler:  SHAKING --(TLS done)--> WAITING --(first sealed frame opens)--> LIVE --> ended
 *   accepter: SHAKING --(TLS done, heartbeat sent)--> LIVE --> ended
 * WAITING is there because TLS's client is done before the server has judged its certificate.
 *
 * Invariants, asserted in link.c:
 * 1. A peer has at most one LIVE link, and that link names the peer.
 * 2. Only LIVE links carry control messages and session frames.
 * 3. At most one link of a peer is being dialled, and only by the party with the smaller name.
 * 4. A session's far end belongs to one link; when that link ends, the session fails.
 *
 * Calls are made by one thread at a time (node.c has the lock). */
#ifndef FIRMIANA_NET_MESH_H
#define FIRMIANA_NET_MESH_H

#include "net/frame.h"
#include "net/identity.h"
#include "net/session.h"
#include "net/wait.h"
#include "net/wire.h"

enum {
    NET_CONTROL_MAX = 16 << 20, /* bytes of a control message */
    NET_QUEUE_MAX = 64 << 20,   /* control bytes that may wait for one peer */
    NET_PEERS_MAX = 64,
    NET_STRANGERS_MAX = 128, /* connections that have not authenticated */
    NET_STRANGERS_TELL_MS = 10000,
    NET_HELD_SESSIONS = 32,   /* of one peer: sessions that are not open here yet ... */
    NET_HELD_FRAMES = 4096,   /* ... and their frames ... */
    NET_HELD_BYTES = 64 << 20 /* ... and bytes */
};

/* Zero means the default. */
struct net_timing {
    uint32_t heartbeat_ms;  /* 1000: a heartbeat so often; a lost frame is noticed within two */
    uint32_t silence_ms;    /* 10000: a peer that is silent for longer is gone, stopped or not */
    uint32_t handshake_ms;  /* 5000: from the first byte to LIVE */
    uint32_t redial_min_ms; /* 100: wait before dialling again, doubled each time ... */
    uint32_t redial_max_ms; /* 5000: ... up to this */
    uint32_t hold_ms;       /* 10000: how long frames of an unopened session are kept */
};

struct net_peer_config {
    const char *name;
    const char
        *endpoint; /* for the wire; used if this node dials the peer; may be NULL otherwise */
};

enum net_event_kind {
    NET_PEER_UP,      /* peer */
    NET_PEER_DOWN,    /* peer, why */
    NET_STRANGERS,    /* strangers (how many since the last such event), why (the last of them) */
    NET_PEER_REFUSED, /* peer (if a name is known), why: a dialled connection did not come about */
    NET_MESSAGE,      /* peer, type, bytes */
    NET_SESSION_ENDED /* session (if still open), why: it failed; the node closes it */
};

struct net_event {
    struct net_event *next;
    enum net_event_kind kind;
    char peer[NET_NAME_MAX + 1];
    struct net_session *session;
    uint8_t descriptor32[32];
    uint16_t type;
    uint8_t *bytes;
    size_t len;
    struct base_err why;
    uint64_t strangers;
    uint64_t link, cost; /* for net_mesh_taken() */
};

void net_event_free(struct net_event *event); /* NULL is allowed */

struct net_mesh_config {
    const struct net_identity *identity; /* outlives the mesh */
    struct net_keys keys;
    struct net_timing timing;
    const struct net_wire *wire;
    const struct net_waits *waits;
    /* Takes the event. */
    void (*event)(void *ctx, struct net_event *event);
    void *event_ctx;
};

struct net_mesh;

fm_status net_mesh_new(struct net_mesh **out, const struct net_mesh_config *config,
                       struct base_err *err) FM_CHECK;
/* All sessions must be closed. Sends nothing: see net_mesh_shutdown(). */
void net_mesh_free(struct net_mesh *mesh);

/* From now on these are the peers; those missing are disconnected ("removed"), the new are dialled
 * at the next tick. Errors: FM_E_ARG (a bad name, own name, twice the same), FM_E_LIMIT,
 * FM_E_MEMORY; then nothing changed. */
fm_status net_mesh_peers_set(struct net_mesh *mesh, const struct net_peer_config *peers, size_t n,
                             struct base_err *err) FM_CHECK;

/* Asks for each connected peer's key again; ends connections whose key is no longer right, and the
 * sessions on them (reason "key"). After each ledger block. */
void net_mesh_recheck(struct net_mesh *mesh);

/* A frame came in; takes it. Never fails: whatever is wrong with it ends its own connection. */
void net_mesh_frame(struct net_mesh *mesh, struct net_frame *frame);
/* The wire lost this route. */
void net_mesh_route_gone(struct net_mesh *mesh, const struct net_route *route, const char *why);
/* A connection that never authenticated was ended, here or by the wire: where it came from ("" if
 * nobody knows), and why. The node hears of the first at once, of others every
 * NET_STRANGERS_TELL_MS. */
void net_mesh_stranger(struct net_mesh *mesh, const char *where, const char *why);
/* Whether the route is an authenticated connection: for a wire that gives strangers less. */
bool net_mesh_route_live(const struct net_mesh *mesh, const struct net_route *route);
/* Does what is due; returns when to be called next (monotonic ms), at the latest. */
int64_t net_mesh_tick(struct net_mesh *mesh);

/* Queues a control message, delivered whole, in order, if the connection lasts. Errors: FM_E_PEER
 * (not connected), FM_E_LIMIT (too long, or NET_QUEUE_MAX waiting: the peer does not take them),
 * FM_E_NOT_FOUND (no such peer), FM_E_MEMORY. */
fm_status net_mesh_control_send(struct net_mesh *mesh, const char *peer, uint16_t type,
                                const void *bytes, size_t len, struct base_err *err) FM_CHECK;
/* The node took a NET_MESSAGE: the peer may send more. */
void net_mesh_taken(struct net_mesh *mesh, const struct net_event *event);

bool net_mesh_peer_live(const struct net_mesh *mesh, const char *peer);
/* How many connections came to us and ended without having authenticated, so far: for people. */
uint64_t net_mesh_strangers(const struct net_mesh *mesh);

/* Opens a session with parties that are all connected. Frames that came early are in it already,
 * and if a party has left it already it begins in FAILED. Errors: FM_E_ARG, FM_E_PEER (not
 * connected), FM_E_CONFLICT (this descriptor is open already, or was closed before on the same
 * connection), FM_E_MEMORY. */
fm_status net_mesh_session_open(struct net_mesh *mesh, struct net_session **out,
                                const struct net_session_config *config,
                                struct base_err *err) FM_CHECK;
/* Ends and frees it; no thread may be inside its transport. In peace (the others may still read
 * what was sent), or, if it failed, telling the others why. */
void net_mesh_session_close(struct net_mesh *mesh, struct net_session *s);

/* Aborts sessions ("shutdown"), tells the peers, ends all connections. Sessions must still be
 * closed. */
void net_mesh_shutdown(struct net_mesh *mesh);
/* As if the process had died: nothing more is sent; sessions fail with FM_E_CANCELLED. For tests.
 */
void net_mesh_halt(struct net_mesh *mesh);

#endif
