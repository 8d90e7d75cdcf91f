/* What workers do: send and receive on a session's streams. session_own.h has the structures. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "net/session_own.h"

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Ends the session by what this worker met, and returns what all its calls return from now on. */
static fm_status give_up(struct net_session *s, unsigned culprit, enum net_reason reason,
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

static fm_status timed_out(struct net_session *s, unsigned whom, const char *what,
                           struct base_err *err)
{
    struct base_err why;

    base_err_set(&why, FM_E_TIMEOUT, "the session's deadline passed while waiting for %s to %s",
                 s->names[whom], what);
    return give_up(s, whom, NET_R_TIMEOUT, &why, err);
}

static fm_status damaged(struct net_session *s, unsigned party, struct base_err *err)
{
    struct base_err why = *err;

    base_err_prefix(&why, "connection to %s", s->names[party]);
    why.code = FM_E_PEER;
    return give_up(s, party, NET_R_DAMAGED, &why, err);
}

static fm_status out_of_memory(struct net_session *s, struct base_err *err)
{
    struct base_err why = *err;

    return give_up(s, s->face.self, NET_R_ERROR, &why, err);
}

static fm_status stream_secret(uint8_t out32[32], const struct net_far *far, uint8_t way,
                               unsigned stream, struct base_err *err)
{
    uint8_t context[2] = {way, (uint8_t)stream};

    return net_expand(out32, 32, far->secret32, "firmiana stream", context, sizeof context, err);
}

/* The worker's pipe with a party; its keys are derived when it is first used. */
static fm_status pipe_of(struct net_session *s, unsigned stream, unsigned party,
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

static fm_status check_args(const struct net_session *s, unsigned stream, unsigned party,
                            struct base_err *err)
{
    if (stream >= NET_MAX_STREAMS)
        return base_err_set(err, FM_E_ARG, "stream %u: the highest is %d", stream,
                            NET_MAX_STREAMS - 1);
    if (party >= s->face.parties || party == s->face.self)
        return base_err_set(err, FM_E_ARG, "party %u: not another party of this session", party);
    return FM_OK;
}

/* Seals one frame and hands it to the wire. */
static fm_status emit(struct net_session *s, unsigned stream, unsigned to, struct net_pipe *p,
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
    return FM_OK;
}

/* A window announcement: what the peer's recv took so far, of what we sent. */
static fm_status read_window(struct net_session *s, unsigned party, struct net_pipe *p,
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
        return damaged(s, party, err);
    taken = base_load_u64(bytes);
    if (taken < p->granted || taken > p->sent) {
        struct base_err why;
        base_err_set(&why, FM_E_PEER, "%s says it took more than was sent", s->names[party]);
        return give_up(s, party, NET_R_PROTOCOL, &why, err);
    }
    p->granted = taken;
    return FM_OK;
}

/* Takes one frame from the inbox while waiting for the window: an announcement is read, payload is
 * opened where it is and set aside, because frames open in order only (invariant 4). */
static fm_status set_aside(struct net_session *s, unsigned party, struct net_pipe *p,
                           struct net_frame *frame, struct base_err *err)
{
    struct net_head head;

    if (net_head_read(&head, frame->bytes, frame->len, err) != FM_OK)
        assert(!"the mesh read this head before");
    if (head.type == NET_WINDOW)
        return read_window(s, party, p, frame, &head, err);
    if (net_seal_open(&p->in, frame->bytes + NET_HEAD, frame->bytes, &head, err) != FM_OK) {
        net_frame_free(frame);
        return damaged(s, party, err);
    }
    frame->opened = true;
    net_frames_put(&p->opened, frame);
    return FM_OK;
}

/* The next frame of the inbox; NULL if there is none. The lane's lock is held. */
static struct net_frame *take_inbox(struct net_pipe *p)
{
    struct net_frame *frame = net_frames_take(&p->inbox);

    if (frame && frame->bytes[2] == NET_WINDOW)
        p->windows--;
    return frame;
}

/* Why a worker of this lane cannot go on with a party; FM_OK if it can. The lane's lock is held and
 * given up on failure. */
static fm_status stopped(struct net_session *s, struct net_lane *lane, unsigned party,
                         struct base_err *err)
{
    struct base_err why;

    if (!lane->failed && !(lane->left & 1u << party))
        return FM_OK;
    s->waits->unlock(lane->wait);
    base_err_set(&why, FM_E_PEER, "%s closed its end of the session", s->names[party]);
    return give_up(s, party, NET_R_GONE, &why, err);
}

/* Waits until the window has room for a frame and counts it as sent. */
static fm_status take_room(struct net_session *s, struct net_lane *lane, unsigned to,
                           struct net_pipe *p, uint64_t cost, struct base_err *err)
{
    struct net_frame *frame;
    fm_status rv;

    for (;;) {
        s->waits->lock(lane->wait);
        rv = stopped(s, lane, to, err);
        if (rv != FM_OK)
            return rv;
        if (p->sent + cost - p->granted <= NET_WINDOW_BYTES)
            break;
        frame = take_inbox(p);
        if (!frame) {
            if (s->waits->clock->mono_ms(s->waits->clock->ctx) >= s->deadline_ms) {
                s->waits->unlock(lane->wait);
                return timed_out(s, to, "receive", err);
            }
            s->waits->sleep(lane->wait, s->deadline_ms);
        }
        s->waits->unlock(lane->wait);
        if (frame)
            rv = set_aside(s, to, p, frame, err);
        if (rv != FM_OK)
            return rv;
    }
    p->sent += cost;
    s->waits->unlock(lane->wait);
    return FM_OK;
}

static fm_status session_send(struct net_transport *t, unsigned stream, unsigned to,
                              const void *bytes, size_t len, struct base_err *err)
{
    struct net_session *s = (struct net_session *)t;
    struct net_lane *lane;
    struct net_pipe *p;
    const uint8_t *at = bytes;
    size_t left = len;
    fm_status rv = check_args(s, stream, to, err);

    if (rv == FM_OK)
        rv = pipe_of(s, stream, to, &p, err);
    if (rv != FM_OK)
        return rv;
    lane = &s->lane[stream];
    do {
        uint32_t n = (uint32_t)min_u64(left, NET_FRAME_PAYLOAD_MAX);
        rv = take_room(s, lane, to, p, net_frame_cost(n), err);
        if (rv == FM_OK)
            rv = emit(s, stream, to, p, n == left ? NET_DATA_END : NET_DATA_PART, at, n, err);
        if (rv != FM_OK)
            return rv;
        at = n > 0 ? at + n : at;
        left -= n;
    } while (left > 0);
    s->waits->lock(lane->wait);
    net_count_send(&lane->count, len);
    s->waits->unlock(lane->wait);
    return FM_OK;
}

/* Waits for the next payload frame of a party, sealed in the inbox or set aside before. */
static fm_status next_frame(struct net_session *s, struct net_lane *lane, unsigned from,
                            struct net_pipe *p, struct net_frame **out, struct base_err *err)
{
    struct net_frame *frame;
    struct net_head head;
    fm_status rv;

    for (;;) {
        s->waits->lock(lane->wait);
        if (lane->failed) /* whatever is in the inbox: a session is never half alive */
            return stopped(s, lane, from, err);
        frame = net_frames_take(&p->opened);
        if (!frame)
            frame = take_inbox(p);
        if (!frame) {
            rv = stopped(s, lane, from, err);
            if (rv != FM_OK)
                return rv;
            if (s->waits->clock->mono_ms(s->waits->clock->ctx) >= s->deadline_ms) {
                s->waits->unlock(lane->wait);
                return timed_out(s, from, "send", err);
            }
            s->waits->sleep(lane->wait, s->deadline_ms);
        }
        s->waits->unlock(lane->wait);
        if (!frame)
            continue;
        if (net_head_read(&head, frame->bytes, frame->len, err) != FM_OK)
            assert(!"the mesh read this head before");
        if (head.type != NET_WINDOW)
            break;
        rv = read_window(s, from, p, frame, &head, err);
        if (rv != FM_OK)
            return rv;
    }
    *out = frame;
    return FM_OK;
}

/* Counts a frame as taken and tells the peer from time to time. */
static fm_status give_room(struct net_session *s, struct net_lane *lane, unsigned stream,
                           unsigned from, struct net_pipe *p, uint64_t cost, struct base_err *err)
{
    uint8_t taken[8];

    s->waits->lock(lane->wait);
    assert(p->inbox_cost >= cost);
    p->inbox_cost -= cost;
    s->waits->unlock(lane->wait);
    p->taken += cost;
    if (p->taken - p->told < NET_WINDOW_STEP)
        return FM_OK;
    p->told = p->taken;
    base_store_u64(taken, p->taken);
    return emit(s, stream, from, p, NET_WINDOW, taken, sizeof taken, err);
}

static fm_status wrong_length(struct net_session *s, unsigned from, unsigned stream, size_t due,
                              struct base_err *err)
{
    struct base_err why;

    base_err_set(&why, FM_E_PEER, "%s sent a message on stream %u that is not of the %zu bytes due",
                 s->names[from], stream, due);
    return give_up(s, from, NET_R_PROTOCOL, &why, err);
}

/* Puts one frame's payload at out, of which `room` bytes are still to come. */
static fm_status place(struct net_session *s, unsigned stream, unsigned from, struct net_pipe *p,
                       struct net_frame *frame, uint8_t *out, size_t room, size_t due,
                       struct net_head *head, struct base_err *err)
{
    uint8_t *inside = frame->bytes + NET_HEAD;
    bool fits;

    if (net_head_read(head, frame->bytes, frame->len, err) != FM_OK)
        assert(!"the mesh read this head before");
    fits = head->type == NET_DATA_END ? head->len == room : head->len < room && head->len > 0;
    /* A frame that does not fit is opened all the same: only if it is authentic is the peer at
     * fault, and not the connection. */
    if (!frame->opened && net_seal_open(&p->in, fits ? out : inside, frame->bytes, head, err))
        return damaged(s, from, err);
    if (!fits)
        return wrong_length(s, from, stream, due, err);
    if (frame->opened && head->len > 0)
        memcpy(out, inside, head->len);
    if (s->flags & NET_SESSION_TRANSCRIPT)
        net_transcript_add(&p->read, s->far[from].salt32, frame->bytes, out, head->len);
    return FM_OK;
}

static fm_status session_recv(struct net_transport *t, unsigned stream, unsigned from, void *out,
                              size_t len, struct base_err *err)
{
    struct net_session *s = (struct net_session *)t;
    struct net_lane *lane;
    struct net_pipe *p;
    struct net_frame *frame = NULL;
    struct net_head head;
    uint8_t nothing[1], *at = len > 0 ? out : nothing;
    size_t left = len;
    fm_status rv = check_args(s, stream, from, err);

    if (rv == FM_OK)
        rv = pipe_of(s, stream, from, &p, err);
    if (rv != FM_OK)
        return rv;
    lane = &s->lane[stream];
    do {
        rv = next_frame(s, lane, from, p, &frame, err);
        if (rv != FM_OK)
            return rv;
        rv = place(s, stream, from, p, frame, at, left, len, &head, err);
        net_frame_free(frame);
        if (rv == FM_OK)
            rv = give_room(s, lane, stream, from, p, net_frame_cost(head.len), err);
        if (rv != FM_OK)
            return rv;
        at += head.len;
        left -= head.len;
    } while (left > 0);
    s->waits->lock(lane->wait);
    net_count_recv(&lane->count, len);
    s->waits->unlock(lane->wait);
    return FM_OK;
}

static void session_abort(struct net_transport *t, const char *word)
{
    struct net_session *s = (struct net_session *)t;
    struct net_failure f = {.reason = net_reason_of(word), .culprit = s->face.self, .report = true};

    base_err_set(&f.err, FM_E_CANCELLED, "this party left the session: %s",
                 net_reason_word(f.reason));
    net_session_fail(s, &f);
}

static void session_stats(const struct net_transport *t, struct net_stats *out)
{
    const struct net_session *s = (const struct net_session *)t;

    memset(out, 0, sizeof *out);
    for (unsigned i = 0; i < NET_MAX_STREAMS; i++) {
        s->waits->lock(s->lane[i].wait);
        net_count_add(out, &s->lane[i].count);
        s->waits->unlock(s->lane[i].wait);
    }
}

const struct net_transport_ops net_session_ops = {session_send, session_recv, session_abort,
                                                  session_stats};
