/* Heartbeats: that a connection lives, and how many frames each stream of its sessions has sent on
 * it. A lost frame shows in its stream only when the next one does not open, and often there is
 * none: the peer waits for an answer. Frames of all streams of a connection come in the order in
 * which they were sent, so when a heartbeat comes, what it counts has come before it, or never
 * will.
 *
 * Counts of arrivals are of frames that nobody has opened yet. Somebody between the ends who takes
 * a frame away and puts another in its place keeps the count right, but that other frame is then in
 * the stream that is waited for, and does not open. */
#include "base/bytes.h"
#include "net/mesh_own.h"

enum { ENTRY = 8 + 1 + 8 }; /* session, stream, frames */

static struct net_pipe *pipe_of(struct net_session *s, unsigned stream, unsigned party,
                                uint64_t *came)
{
    struct net_lane *lane = &s->lane[stream];
    struct net_pipe *p;

    s->waits->lock(lane->wait);
    p = lane->pipe[party];
    *came = p ? p->came : 0;
    s->waits->unlock(lane->wait);
    return p;
}

/* A frame is counted after it was handed to the wire, so none that is counted comes after this
 * heartbeat. */
static void put_counts(struct base_buf *out, struct net_session *s, unsigned party)
{
    for (unsigned stream = 0; stream < NET_MAX_STREAMS; stream++) {
        uint64_t came, sent = 0;
        struct net_pipe *p = pipe_of(s, stream, party, &came);
        if (p)
            sent = atomic_load_explicit(&p->placed, memory_order_acquire);
        if (sent == 0 || out->len + ENTRY > NET_FRAME_PAYLOAD_MAX)
            continue;
        base_buf_put_u64(out, s->far[party].id);
        base_buf_put_u8(out, (uint8_t)stream);
        base_buf_put_u64(out, sent);
    }
}

fm_status net_beat_send(struct net_mesh *mesh, struct net_link *link, struct base_err *err)
{
    struct base_buf out = {0};
    fm_status rv;

    for (struct net_session *s = mesh->sessions; s; s = s->next)
        for (unsigned i = 0; i < s->face.parties; i++)
            if (s->far[i].link == link->number)
                put_counts(&out, s, i);
    rv = base_buf_status(&out, "heartbeat", err);
    if (rv == FM_OK)
        rv = net_control_emit(mesh, link, NET_HEARTBEAT, out.p, (uint32_t)out.len, err);
    base_buf_release(&out);
    link->beat_ms = net_mesh_now(mesh);
    return rv;
}

bool net_beat_length_ok(uint32_t len)
{
    return len % ENTRY == 0;
}

fm_status net_beat_take(struct net_mesh *mesh, struct net_link *link, const uint8_t *plain,
                        uint32_t len, struct base_err *err)
{
    struct base_cur cur = base_cur_make(plain, len);

    while (cur.left >= ENTRY) {
        uint64_t id = base_cur_u64(&cur), came, sent;
        unsigned stream = base_cur_u8(&cur), party;
        struct net_session *s = net_sessions_find(mesh, link, id, &party);
        sent = base_cur_u64(&cur);
        if (stream >= NET_MAX_STREAMS)
            return base_err_set(err, FM_E_PEER, "%s counts frames of stream %u", link->peer->name,
                                stream);
        if (!s) /* closed here, or not open yet: then a later heartbeat finds it */
            continue;
        (void)pipe_of(s, stream, party, &came);
        if (came < sent)
            return base_err_set(
                err, FM_E_AUTH, "%s sent %llu frames on stream %u, of which %llu came",
                link->peer->name, (unsigned long long)sent, stream, (unsigned long long)came);
    }
    return FM_OK;
}
