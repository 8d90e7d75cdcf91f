/* A session from the inside, for session.c, session_io.c and the mesh that drives them. */
#ifndef FIRMIANA_NET_SESSION_OWN_H
#define FIRMIANA_NET_SESSION_OWN_H

#include <stdatomic.h>

#include "net/count.h"
#include "net/frame.h"
#include "net/identity.h"
#include "net/reason.h"
#include "net/seal.h"
#include "net/session.h"
#include "net/transcript.h"
#include "net/wait.h"
#include "net/wire.h"

enum {
    /* Window announcements that may wait unread: an honest peer sends one for each quarter of the
     * window that it took, so four can be due. */
    NET_WINDOWS_WAITING = 16,
    NET_WINDOW_STEP = NET_WINDOW_BYTES / 4
};

/* What a payload frame costs of the window. */
static inline uint64_t net_frame_cost(uint32_t len)
{
    return (uint64_t)len + NET_WINDOW_MESSAGE;
}

/* One stream with one peer. */
struct net_pipe {
    /* Under the lane's lock. */
    struct net_frames inbox;
    uint64_t inbox_cost; /* of inbox and opened */
    unsigned windows;
    uint64_t came; /* frames, opened or not, for heartbeats (beat.c) */
    /* Frames handed to the wire: the worker counts, heartbeats read. */
    atomic_uint_least64_t placed;
    /* The worker's own. */
    bool keyed;
    struct net_seal out, in;
    struct net_frames opened;
    uint64_t sent, granted; /* window: what went out, what the peer says it took */
    uint64_t taken, told;   /* window: what our recv took, what the peer was told */
    struct net_transcript wrote, read;
};

/* One stream with all peers. */
struct net_lane {
    struct net_wait *wait;
    bool failed;
    unsigned left; /* bit i: party i has closed its end in peace */
    struct net_count count;
    struct net_pipe *pipe[NET_MAX_PARTIES];
};

/* What the session keeps of another party's channel. */
struct net_far {
    uint64_t link; /* the mesh's number of the connection */
    struct net_route route;
    uint8_t out_way, in_way; /* direction bytes of the key derivation */
    uint8_t secret32[32];
    uint8_t salt32[32];
    uint64_t id; /* of this session, on this channel */
};

struct net_failure {
    enum net_reason reason;
    unsigned culprit; /* parties: nobody's doing */
    bool report;      /* the other parties must be told, and were not yet */
    bool damaged;     /* the culprit's connection must end as well */
    struct base_err err;
};

struct net_session {
    struct net_transport face; /* first: a transport pointer is a session pointer */
    const struct net_wire *wire;
    const struct net_waits *waits;
    struct net_session *next; /* the mesh's list */
    uint8_t descriptor32[32];
    unsigned flags;
    int64_t deadline_ms;
    char names[NET_MAX_PARTIES][NET_NAME_MAX + 1];
    const char *name_of[NET_MAX_PARTIES];
    struct net_far far[NET_MAX_PARTIES];
    struct net_lane lane[NET_MAX_STREAMS];
    struct net_wait *lock; /* over the following */
    bool failed;
    bool told; /* the node got its event */
    struct net_failure failure;
};

extern const struct net_transport_ops net_session_ops;

/* Session without its far ends, which the mesh fills in before anybody uses it. Checks names and
 * finds self among them. Errors: FM_E_ARG, FM_E_MEMORY. */
fm_status net_session_new(struct net_session **out, const struct net_session_config *config,
                          const char *self, const struct net_wire *wire,
                          const struct net_waits *waits, struct base_err *err) FM_CHECK;
void net_session_free(struct net_session *s);

/* Ends the session unless it ended before: sets the failure and wakes all workers. No lane's lock
 * is held. Any thread. */
void net_session_fail(struct net_session *s, const struct net_failure *failure);

/* An authenticated peer's frame for this session: takes it. Errors: FM_E_PEER if the peer overran
 * its window or broke the format; the frame is freed then too. */
fm_status net_session_deliver(struct net_session *s, unsigned party, struct net_frame *frame,
                              const struct net_head *head, struct base_err *err) FM_CHECK;

/* The party has closed its end after its last frame: receives beyond that fail. */
void net_session_left(struct net_session *s, unsigned party);

/* Takes what is to be reported, once: true if the others must be told now. */
bool net_session_take_report(struct net_session *s, struct net_failure *out);
bool net_session_failed(struct net_session *s);

/* session_pipe.c, for workers only; no lock is held, except where said. Those that fail have ended
 * the session, and return its failure. */
fm_status net_session_give_up(struct net_session *s, unsigned culprit, enum net_reason reason,
                              const struct base_err *why, struct base_err *err) FM_CHECK;
fm_status net_session_damaged(struct net_session *s, unsigned party, struct base_err *err) FM_CHECK;
/* The worker's pipe with a party; its keys are derived when it is first used. Does not end the
 * session. */
fm_status net_pipe_get(struct net_session *s, unsigned stream, unsigned party,
                       struct net_pipe **out, struct base_err *err) FM_CHECK;
fm_status net_pipe_emit(struct net_session *s, unsigned stream, unsigned to, struct net_pipe *p,
                        enum net_frame_type type, const uint8_t *bytes, uint32_t len,
                        struct base_err *err) FM_CHECK;
fm_status net_pipe_read_window(struct net_session *s, unsigned party, struct net_pipe *p,
                               struct net_frame *frame, const struct net_head *head,
                               struct base_err *err) FM_CHECK;
fm_status net_pipe_set_aside(struct net_session *s, unsigned party, struct net_pipe *p,
                             struct net_frame *frame, struct base_err *err) FM_CHECK;
/* The next frame of the inbox; NULL if there is none. The lane's lock is held. */
struct net_frame *net_pipe_take_inbox(struct net_pipe *p);

/* Party number of a name, or face.parties. */
unsigned net_session_party(const struct net_session *s, const char *name);

#endif
