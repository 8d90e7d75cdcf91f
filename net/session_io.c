/* What workers do: send and receive on a session's streams. session_own.h has the structures. */
#include <assert.h>
#include <string.h>

#include "base/bytes.h"
#include "net/session_own.h"

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static fm_status timed_out(struct net_session *s, unsigned whom, const char *what,
                           struct base_err *err)
{
    struct base_err why;

    base_err_set(&why, FM_E_TIMEOUT, "the session's deadline passed while waiting for %s to %s",
                 s->names[whom], what);
    return net_session_give_up(s, whom, NET_R_TIMEOUT, &why, err);
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
    return net_session_give_up(s, party, NET_R_GONE, &why, err);
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
        frame = net_pipe_take_inbox(p);
        if (!frame) {
            if (s->waits->clock->mono_ms(s->waits->clock->ctx) >= s->deadline_ms) {
                s->waits->unlock(lane->wait);
                return timed_out(s, to, "receive", err);
            }
            s->waits->sleep(lane->wait, s->deadline_ms);
        }
        s->waits->unlock(lane->wait);
        if (frame)
            rv = net_pipe_set_aside(s, to, p, frame, err);
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
        rv = net_pipe_get(s, stream, to, &p, err);
    if (rv != FM_OK)
        return rv;
    lane = &s->lane[stream];
    do {
        uint32_t n = (uint32_t)min_u64(left, NET_FRAME_PAYLOAD_MAX);
        rv = take_room(s, lane, to, p, net_frame_cost(n), err);
        if (rv == FM_OK)
            rv = net_pipe_emit(s, stream, to, p, n == left ? NET_DATA_END : NET_DATA_PART, at, n,
                               err);
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
            frame = net_pipe_take_inbox(p);
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
        rv = net_pipe_read_window(s, from, p, frame, &head, err);
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
    return net_pipe_emit(s, stream, from, p, NET_WINDOW, taken, sizeof taken, err);
}

static fm_status wrong_length(struct net_session *s, unsigned from, unsigned stream, size_t due,
                              struct base_err *err)
{
    struct base_err why;

    base_err_set(&why, FM_E_PEER, "%s sent a message on stream %u that is not of the %zu bytes due",
                 s->names[from], stream, due);
    return net_session_give_up(s, from, NET_R_PROTOCOL, &why, err);
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
        return net_session_damaged(s, from, err);
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
        rv = net_pipe_get(s, stream, from, &p, err);
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
