/* The control stream of a link: whole messages for the node, in order, under a window; and the
 * mesh's own frames, which need none because they are acted on at once. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "net/mesh_own.h"

fm_status net_control_init(struct net_control *c, struct net_channel *channel, struct base_err *err)
{
    static const uint8_t no_context[32];
    uint8_t secret[32], key[32];
    uint8_t dials[2] = {0, 0}, accepts[2] = {1, 0};
    bool dialler = net_channel_side(channel) == NET_DIALS;
    fm_status rv;

    c->queue_end = &c->queue;
    rv = net_channel_export(channel, secret, "control", no_context, err);
    if (rv == FM_OK)
        rv = net_expand(key, 32, secret, "firmiana stream", dialler ? dials : accepts, 2, err);
    if (rv == FM_OK)
        rv = net_seal_init(&c->out, NET_SEAL, key, NET_SEAL_BLOCKS, err);
    if (rv == FM_OK)
        rv = net_expand(key, 32, secret, "firmiana stream", dialler ? accepts : dials, 2, err);
    if (rv == FM_OK)
        rv = net_seal_init(&c->in, NET_OPEN, key, NET_SEAL_BLOCKS, err);
    base_wipe(secret, sizeof secret);
    base_wipe(key, sizeof key);
    return rv;
}

void net_control_release(struct net_control *c)
{
    struct net_outgoing *o;

    while ((o = c->queue)) {
        c->queue = o->next;
        free(o);
    }
    base_buf_release(&c->message);
    net_seal_release(&c->out);
    net_seal_release(&c->in);
}

static size_t outgoing_cost(size_t len)
{
    return len + NET_WINDOW_MESSAGE * (1 + len / NET_FRAME_PAYLOAD_MAX);
}

fm_status net_control_queue(struct net_control *c, const char *peer, uint16_t type,
                            const void *bytes, size_t len, struct base_err *err)
{
    struct net_outgoing *o;

    if (len > NET_CONTROL_MAX)
        return base_err_set(err, FM_E_LIMIT, "message of %zu bytes to %s: the most is %d", len,
                            peer, NET_CONTROL_MAX);
    if (c->queued + outgoing_cost(len + 2) > NET_QUEUE_MAX)
        return base_err_set(err, FM_E_LIMIT, "%s does not take its messages: %zu bytes are waiting",
                            peer, c->queued);
    if (!(o = malloc(sizeof *o + 2 + len)))
        return base_err_memory(err, "control message");
    o->next = NULL;
    o->len = len + 2;
    o->at = 0;
    o->bytes[0] = (uint8_t)(type >> 8);
    o->bytes[1] = (uint8_t)type;
    if (len > 0)
        memcpy(o->bytes + 2, bytes, len);
    *c->queue_end = o;
    c->queue_end = &o->next;
    c->queued += outgoing_cost(o->len);
    return FM_OK;
}

static fm_status emit(struct net_mesh *mesh, struct net_link *link, enum net_frame_type type,
                      const void *bytes, uint32_t len, struct base_err *err)
{
    struct net_head head = {NET_KIND_SEALED, (uint8_t)type, 0, len, 0};
    struct net_frame *frame;
    fm_status rv;

    if (mesh->halted)
        return FM_OK;
    if (!(frame = net_frame_new(NET_HEAD + (size_t)len + NET_TAG)))
        return base_err_memory(err, "frame");
    rv = net_seal_frame(&link->control.out, frame->bytes, &head, bytes, err);
    if (rv != FM_OK) {
        net_frame_free(frame);
        return rv;
    }
    frame->route = link->route;
    mesh->config.wire->send(mesh->config.wire->ctx, frame);
    return FM_OK;
}

fm_status net_control_emit(struct net_mesh *mesh, struct net_link *link, enum net_frame_type type,
                           const void *bytes, uint32_t len, struct base_err *err)
{
    assert(type > NET_DATA_END);
    return emit(mesh, link, type, bytes, len, err);
}

fm_status net_control_flush(struct net_mesh *mesh, struct net_link *link, struct base_err *err)
{
    struct net_control *c = &link->control;
    struct net_outgoing *o;

    while ((o = c->queue)) {
        size_t left = o->len - o->at;
        uint32_t n = left < NET_FRAME_PAYLOAD_MAX ? (uint32_t)left : NET_FRAME_PAYLOAD_MAX;
        fm_status rv;
        if (c->sent + net_frame_cost(n) - c->granted > NET_WINDOW_BYTES)
            return FM_OK;
        rv = emit(mesh, link, n == left ? NET_DATA_END : NET_DATA_PART, o->bytes + o->at, n, err);
        if (rv != FM_OK)
            return rv;
        c->sent += net_frame_cost(n);
        o->at += n;
        if (o->at < o->len)
            continue;
        c->queued -= outgoing_cost(o->len);
        c->queue = o->next;
        if (!c->queue)
            c->queue_end = &c->queue;
        free(o);
    }
    return FM_OK;
}

/* Hands a whole message to the node. Its cost is given back when the node took it. */
static fm_status deliver(struct net_mesh *mesh, struct net_link *link, struct base_err *err)
{
    struct net_control *c = &link->control;
    struct net_event *e;

    if (c->message.len < 2)
        return base_err_set(err, FM_E_PEER, "%s sent a message without a type", link->peer->name);
    e = net_event_new(NET_MESSAGE, link->peer->name);
    if (!e || !(e->bytes = malloc(c->message.len))) {
        net_event_free(e);
        return base_err_memory(err, "control message");
    }
    e->type = (uint16_t)(c->message.p[0] << 8 | c->message.p[1]);
    e->len = c->message.len - 2;
    memcpy(e->bytes, c->message.p + 2, e->len);
    e->link = link->number;
    e->cost = c->message_cost;
    c->message_cost = 0;
    if (c->message.cap > NET_FRAME_PAYLOAD_MAX)
        base_buf_release(&c->message);
    else
        base_buf_clear(&c->message);
    mesh->config.event(mesh->config.event_ctx, e);
    return FM_OK;
}

static fm_status take_payload(struct net_mesh *mesh, struct net_link *link,
                              const struct net_head *head, const uint8_t *plain,
                              struct base_err *err)
{
    struct net_control *c = &link->control;
    fm_status rv;

    c->received += net_frame_cost(head->len);
    if (c->received - c->taken > NET_WINDOW_BYTES)
        return base_err_set(err, FM_E_PEER, "%s overran the control window", link->peer->name);
    if (c->message.len + head->len > NET_CONTROL_MAX + 2)
        return base_err_set(err, FM_E_PEER, "%s sent a message of more than %d bytes",
                            link->peer->name, NET_CONTROL_MAX);
    c->message_cost += net_frame_cost(head->len);
    base_buf_put(&c->message, plain, head->len);
    rv = base_buf_status(&c->message, "control message", err);
    if (rv == FM_OK && head->type == NET_DATA_END)
        rv = deliver(mesh, link, err);
    return rv;
}

static fm_status take_window(struct net_mesh *mesh, struct net_link *link, uint64_t taken,
                             struct base_err *err)
{
    struct net_control *c = &link->control;

    if (taken < c->granted || taken > c->sent)
        return base_err_set(err, FM_E_PEER, "%s says it took more than was sent", link->peer->name);
    c->granted = taken;
    return net_control_flush(mesh, link, err);
}

/* The peer ends the connection: nothing is sent back. */
static void take_close(struct net_mesh *mesh, struct net_link *link, unsigned reason)
{
    struct base_err why;

    base_err_set(&why, FM_E_PEER, "%s closed the connection: %s", link->peer->name,
                 net_reason_word(reason));
    net_link_end(mesh, link, reason == NET_R_SHUTDOWN ? NET_R_SHUTDOWN : NET_R_GONE, NET_SILENT,
                 &why);
}

fm_status net_control_frame(struct net_mesh *mesh, struct net_link *link,
                            const struct net_head *head, const uint8_t *plain, struct base_err *err)
{
    static const uint32_t lengths[] = {
        [NET_WINDOW] = 8, [NET_SESSION_ABORT] = 10, [NET_SESSION_BYE] = 8, [NET_CLOSE] = 1};

    if (head->type == NET_DATA_PART || head->type == NET_DATA_END)
        return take_payload(mesh, link, head, plain, err);
    if (head->type < NET_WINDOW || head->type > NET_CLOSE ||
        (head->type == NET_HEARTBEAT ? !net_beat_length_ok(head->len)
                                     : head->len != lengths[head->type]))
        return base_err_set(err, FM_E_PEER, "%s sent a control frame of type %u with %u bytes",
                            link->peer->name, head->type, head->len);
    switch (head->type) {
    case NET_WINDOW:
        return take_window(mesh, link, base_load_u64(plain), err);
    case NET_SESSION_ABORT:
        net_sessions_abort(mesh, link, base_load_u64(plain), plain[8], plain[9]);
        return FM_OK;
    case NET_SESSION_BYE:
        net_sessions_bye(mesh, link, base_load_u64(plain));
        return FM_OK;
    case NET_CLOSE:
        take_close(mesh, link, plain[0]);
        return FM_OK;
    default:
        return net_beat_take(mesh, link, plain, head->len, err);
    }
}

fm_status net_control_taken(struct net_mesh *mesh, struct net_link *link, uint64_t cost,
                            struct base_err *err)
{
    struct net_control *c = &link->control;
    uint8_t taken[8];

    assert(c->taken + cost <= c->received);
    c->taken += cost;
    if (c->taken - c->told < NET_WINDOW_STEP)
        return FM_OK;
    c->told = c->taken;
    base_store_u64(taken, c->taken);
    return emit(mesh, link, NET_WINDOW, taken, sizeof taken, err);
}
