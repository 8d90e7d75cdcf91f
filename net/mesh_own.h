/* The mesh from the inside: mesh.c (frames and time), peers.c (who they are), link.c (connections),
 * control.c (control messages), beat.c (heartbeats), held.c (frames that came early), sessions.c
 * (sessions of the mesh).
 */
#ifndef FIRMIANA_NET_MESH_OWN_H
#define FIRMIANA_NET_MESH_OWN_H

#include "net/channel.h"
#include "net/mesh.h"
#include "net/reason.h"
#include "net/seal.h"
#include "net/session_own.h"

enum {
    NET_PATIENCE_MS = 500,     /* after a session's deadline, before the mesh ends it itself */
    NET_CLOSED_REMEMBERED = 64 /* session ids of one connection that may still get frames */
};

enum net_link_state {
    NET_LINK_SHAKING,
    NET_LINK_WAITING,
    NET_LINK_LIVE,
    NET_LINK_BURNT, /* a stranger's route that failed: ignored until its deadline */
    NET_LINK_ENDED  /* freed at the end of the call */
};

/* A control message on its way out. */
struct net_outgoing {
    struct net_outgoing *next;
    size_t len, at; /* of bytes: type u16, then the message */
    uint8_t bytes[];
};

/* The control stream of a link. */
struct net_control {
    struct net_seal out, in;
    struct net_outgoing *queue, **queue_end;
    size_t queued;           /* what the queue's messages cost */
    uint64_t sent, granted;  /* window, outgoing */
    uint64_t received;       /* window, incoming: all that came ... */
    uint64_t taken, told;    /* ... what the node took, and what the peer knows of that */
    struct base_buf message; /* being put together */
    uint64_t message_cost;
};

/* A session of a peer that is not open here (yet). */
struct net_held {
    struct net_held *next;
    uint64_t id;
    int64_t since_ms;
    struct net_frames frames;
    unsigned count;
    size_t bytes;
    bool left;       /* the peer has closed its end */
    bool aborted;    /* or ended it: */
    uint8_t culprit; /* party number in the session's order */
    enum net_reason reason;
};

struct net_link {
    struct net_link *next;
    uint64_t number;
    enum net_link_state state;
    struct net_route route;
    struct net_channel *channel;
    struct net_peer *peer; /* dialled: from the start; accepted: once authenticated */
    int64_t since_ms, heard_ms, beat_ms;
    struct net_control control;
    struct net_held *held;
    uint64_t closed[NET_CLOSED_REMEMBERED];
    unsigned closed_next;
};

struct net_peer {
    struct net_peer *next;
    char name[NET_NAME_MAX + 1];
    char *endpoint;
    bool wanted; /* false: removed, freed when nothing refers to it */
    struct net_link *live;
    struct net_link *dialling;
    int64_t redial_at;
    uint32_t redial_ms;
    uint64_t told_link;  /* the link the node was told is up; 0: told it is down */
    struct base_err why; /* of the last end */
};

struct net_mesh {
    struct net_mesh_config config;
    struct net_keys keys; /* the config's, for wanted peers in the right order of names only */
    struct net_peer *peers;
    struct net_link *links; /* live ones first */
    struct net_session *sessions;
    uint64_t numbers;   /* last link number given */
    uint64_t strangers; /* connections that came to us and never authenticated */
    bool halted;
    uint64_t strangers_told; /* of these, the node has heard */
    int64_t strangers_told_ms;
    struct base_err stranger; /* the last of them */
};

void net_mesh_tell_strangers(struct net_mesh *mesh);
int64_t net_mesh_now(const struct net_mesh *mesh);
const char *net_mesh_self(const struct net_mesh *mesh);
struct net_peer *net_mesh_peer(const struct net_mesh *mesh, const char *name);

/* peers.c: frees peers that are no longer wanted, and links that ended; last thing in each call. */
void net_mesh_sweep(struct net_mesh *mesh);
void net_mesh_peers_free(struct net_mesh *mesh);

/* A new event with its peer's name, or NULL when memory is out. */
struct net_event *net_event_new(enum net_event_kind kind, const char *peer);
/* Tells the node about peers that came or went, as far as it does not know yet. */
void net_mesh_tell_peers(struct net_mesh *mesh);

/* link.c */
struct net_link *net_link_new(struct net_mesh *mesh, const struct net_route *route,
                              struct net_peer *dialled, struct base_err *err);
void net_link_dial(struct net_mesh *mesh, struct net_peer *peer);
void net_link_frame(struct net_mesh *mesh, struct net_link *link, struct net_frame *frame);
/* The link is over; the text says why. tell: send the peer a CLOSE if there is a way. */
enum net_tell { NET_TELL, NET_SILENT };
void net_link_end(struct net_mesh *mesh, struct net_link *link, enum net_reason reason,
                  enum net_tell tell, const struct base_err *why);
/* Counts a connection that never authenticated as turned away. */
void net_link_stranger(struct net_mesh *mesh, const struct net_link *link,
                       const struct base_err *why);
int64_t net_link_tick(struct net_mesh *mesh, struct net_link *link);
void net_links_sweep(struct net_mesh *mesh);
void net_link_free(struct net_link *link);
struct net_link *net_link_find(const struct net_mesh *mesh, const struct net_route *route);

/* control.c */
fm_status net_control_init(struct net_control *c, struct net_channel *channel,
                           struct base_err *err) FM_CHECK;
void net_control_release(struct net_control *c);
fm_status net_control_queue(struct net_control *c, const char *peer, uint16_t type,
                            const void *bytes, size_t len, struct base_err *err) FM_CHECK;
/* Sends what the window allows. */
fm_status net_control_flush(struct net_mesh *mesh, struct net_link *link,
                            struct base_err *err) FM_CHECK;
/* Sends one frame of the mesh's own: type above NET_DATA_END. */
fm_status net_control_emit(struct net_mesh *mesh, struct net_link *link, enum net_frame_type type,
                           const void *bytes, uint32_t len, struct base_err *err) FM_CHECK;
/* A control frame that has been opened; acts on it. FM_E_PEER ends the link. */
fm_status net_control_frame(struct net_mesh *mesh, struct net_link *link,
                            const struct net_head *head, const uint8_t *plain,
                            struct base_err *err) FM_CHECK;
fm_status net_control_taken(struct net_mesh *mesh, struct net_link *link, uint64_t cost,
                            struct base_err *err) FM_CHECK;

/* beat.c */
fm_status net_beat_send(struct net_mesh *mesh, struct net_link *link,
                        struct base_err *err) FM_CHECK;
bool net_beat_length_ok(uint32_t len);
/* FM_E_AUTH if a frame that was sent before the heartbeat did not come: it is lost. */
fm_status net_beat_take(struct net_mesh *mesh, struct net_link *link, const uint8_t *plain,
                        uint32_t len, struct base_err *err) FM_CHECK;

/* sessions.c */
/* The session of this id on this link, and which of its parties the link's peer is; NULL if none is
 * open. */
struct net_session *net_sessions_find(const struct net_mesh *mesh, const struct net_link *link,
                                      uint64_t id, unsigned *party);
/* A frame of a session from a live link: takes it. FM_E_PEER ends the link. */
fm_status net_sessions_frame(struct net_mesh *mesh, struct net_link *link, struct net_frame *frame,
                             const struct net_head *head, struct base_err *err) FM_CHECK;
void net_sessions_abort(struct net_mesh *mesh, struct net_link *link, uint64_t id, unsigned culprit,
                        enum net_reason reason);
void net_sessions_bye(struct net_mesh *mesh, struct net_link *link, uint64_t id);
/* The link is ending: so do the sessions on it. */
void net_sessions_link_ended(struct net_mesh *mesh, struct net_link *link, enum net_reason reason,
                             const struct base_err *why);
int64_t net_sessions_tick(struct net_mesh *mesh);

/* held.c */
/* The held session of this id, made if there is none and room; NULL otherwise. */
struct net_held *net_held_get(struct net_mesh *mesh, struct net_link *link, uint64_t id);
bool net_held_known(const struct net_link *link, uint64_t id);
/* Takes the frame. False: no room, and it was dropped. */
bool net_held_put(struct net_mesh *mesh, struct net_link *link, uint64_t id,
                  struct net_frame *frame);
struct net_held *net_held_take(struct net_link *link, uint64_t id); /* NULL if none; caller frees */
void net_held_free(struct net_held *held);
/* Drops what is too old, telling the peer; returns when to look again. */
int64_t net_held_tick(struct net_mesh *mesh, struct net_link *link);
void net_closed_remember(struct net_link *link, uint64_t id);
bool net_closed_known(const struct net_link *link, uint64_t id);

#endif
