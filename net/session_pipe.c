/* One stream with one peer, as its worker sees it: keys, frames out, frames in. session_own.h has
 * the structures. */
#include <assert.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "net/session_own.h"

/* Ends the session by what this worker met, and returns what all its calls return from now on. */
fm_status net_session_give_up(struct net_session *s, unsigned culprit, enum net_reason reason,
                              const struct base_err *why, struct base_err *err)
{
    struct net_failure f = {.reason = reason,
                            .culprit = culprit,
                            .report = true,
                            .damaged = reason == NET_R_DAMAGED || reason == NET_R_PROTOCOL,
                            .err = *why};

    net_session_fail(s, &f);
    return net_session_state(s, NULL, err);
}

fm_status net_session_damaged(struct net_session *s, unsigned party, struct base_err *err)
{
    struct base_err why = *err;

    base_err_prefix(&why, "connection to %s", s->names[party]);
    why.code = FM_E_PEER;
    return net_session_give_up(s, party, NET_R_DAMAGED, &why, err);
}

static fm_status out_of_memory(struct net_session *s, struct base_err *err)
{
    struct base_err why = *err;

    return net_session_give_up(s, s->face.self, NET_R_ERROR, &why, err);
}

static fm_status stream_secret(uint8_t out32[32], const struct net_far *far, uint8_t way,
                               unsigned stream, struct base_err *err)
{
    uint8_t context[2] = {way, (uint8_t)stream};

    return net_expand(out32, 32, far->secret32, "firmiana stream", context, sizeof context, err);
}

/* The worker's pipe with a party; its keys are derived when it is first used. */
fm_status net_pipe_get(struct net_session *s, unsigned stream, unsigned party,
                       struct net_pipe **out, struct base_err *err)
{
    struct net_lane *lane = &s->lane[stream];
    const struct net_far *far = &s->far[party];
    struct net_pipe *p;
    uint8_t secret[32];
    fm_status rv;

    s->waits->lock(lane->wait);
    if (!lane->pipe[party])
        lane->pipe[party] = calloc(1, sizeof *p);
    p = lane->pipe[party];
    s->waits->unlock(lane->wait);
    if (!p)
        return base_err_memory(err, "stream");
    *out = p;
    if (p->keyed)
        return FM_OK;
    rv = stream_secret(secret, far, far->out_way, stream, err);
    if (rv == FM_OK)
        rv = net_seal_init(&p->out, NET_SEAL, secret, NET_SEAL_BLOCKS, err);
    if (rv == FM_OK)
        rv = stream_secret(secret, far, far->in_way, stream, err);
    if (rv == FM_OK)
        rv = net_seal_init(&p->in, NET_OPEN, secret, NET_SEAL_BLOCKS, err);
    if (rv != FM_OK)
        net_seal_release(&p->out);
    p->keyed = rv == FM_OK;
    base_wipe(secret, sizeof secret);
    return rv;
}

/* Seals one frame and hands it to the wire. */
fm_status net_pipe_emit(struct net_session *s, unsigned stream, unsigned to, struct net_pipe *p,
                        enum net_frame_type type, const uint8_t *bytes, uint32_t len,
                        struct base_err *err)
{
    struct net_head head = {NET_KIND_SEALED, (uint8_t)type, (uint8_t)stream, len, s->far[to].id};
    struct net_frame *frame = net_frame_new(NET_HEAD + (size_t)len + NET_TAG);
    fm_status rv;

    if (!frame) {
        base_err_memory(err, "frame");
        return out_of_memory(s, err);
    }
    rv = net_seal_frame(&p->out, frame->bytes, &head, bytes, err);
    if (rv != FM_OK) {
        net_frame_free(frame);
        return out_of_memory(s, err);
    }
    if (type != NET_WINDOW && (s->flags & NET_SESSION_TRANSCRIPT))
        net_transcript_add(&p->wrote, s->far[to].salt32, frame->bytes, bytes, len);
    frame->route = s->far[to].route;
    s->wire->send(s->wire->ctx, frame);
    atomic_fetch_add_explicit(&p->placed, 1, memory_order_release);
    return FM_OK;
}

/* A window announcement: what the peer's recv took so far, of what we sent. */
fm_status net_pipe_read_window(struct net_session *s, unsigned party, struct net_pipe *p,
                               struct net_frame *frame, const struct net_head *head,
                               struct base_err *err)
{
    uint8_t bytes[8];
    uint64_t taken;
    fm_status rv;

    assert(head->len == sizeof bytes); /* net_session_deliver() saw to it */
    rv = net_seal_open(&p->in, bytes, frame->bytes, head, err);
    net_frame_free(frame);
    if (rv != FM_OK)
        return net_session_damaged(s, party, err);
    taken = base_load_u64(bytes);
    if (taken < p->granted || taken > p->sent) {
        struct base_err why;
        base_err_set(&why, FM_E_PEER, "%s says it took more than was sent", s->names[party]);
        return net_session_give_up(s, party, NET_R_PROTOCOL, &why, err);
    }
    p->granted = taken;
    return FM_OK;
}

/* Takes one frame from the inbox while waiting for the window: an announcement is read, payload is
 * opened where it is and set aside, because frames open in order only (invariant 4). */
fm_status net_pipe_set_aside(struct net_session *s, unsigned party, struct net_pipe *p,
                             struct net_frame *frame, struct base_err *err)
{
    struct net_head head;

    if (net_head_read(&head, frame->bytes, frame->len, err) != FM_OK)
        assert(!"the mesh read this head before");
    if (head.type == NET_WINDOW)
        return net_pipe_read_window(s, party, p, frame, &head, err);
    if (net_seal_open(&p->in, frame->bytes + NET_HEAD, frame->bytes, &head, err) != FM_OK) {
        net_frame_free(frame);
        return net_session_damaged(s, party, err);
    }
    frame->opened = true;
    net_frames_put(&p->opened, frame);
    return FM_OK;
}

/* The next frame of the inbox; NULL if there is none. The lane's lock is held. */
struct net_frame *net_pipe_take_inbox(struct net_pipe *p)
{
    struct net_frame *frame = net_frames_take(&p->inbox);

    if (frame && frame->bytes[2] == NET_WINDOW)
        p->windows--;
    return frame;
}
