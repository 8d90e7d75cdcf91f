/* One connection: from a route that nobody trusts to an authenticated channel, and its end. mesh.h
 * draws the states. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "net/mesh_own.h"

struct net_link *net_link_find(const struct net_mesh *mesh, const struct net_route *route)
{
    for (struct net_link *l = mesh->links; l; l = l->next)
        if (l->state != NET_LINK_ENDED && net_route_equal(&l->route, route))
            return l;
    return NULL;
}

static void append(struct net_mesh *mesh, struct net_link *link)
{
    struct net_link **at = &mesh->links;

    while (*at)
        at = &(*at)->next;
    *at = link;
}

struct net_link *net_link_new(struct net_mesh *mesh, const struct net_route *route,
                              struct net_peer *dialled, struct base_err *err)
{
    struct net_link *link = calloc(1, sizeof *link);

    if (!link) {
        base_err_memory(err, "connection");
        return NULL;
    }
    link->number = ++mesh->numbers;
    link->route = *route;
    link->peer = dialled;
    link->since_ms = link->heard_ms = link->beat_ms = net_mesh_now(mesh);
    if (net_channel_new(&link->channel, mesh->config.identity, &mesh->keys,
                        dialled ? NET_DIALS : NET_ACCEPTS, dialled ? dialled->name : NULL,
                        err) != FM_OK) {
        free(link);
        return NULL;
    }
    append(mesh, link);
    return link;
}

void net_link_free(struct net_link *link)
{
    struct net_held *h;

    while ((h = link->held)) {
        link->held = h->next;
        net_held_free(h);
    }
    net_control_release(&link->control);
    net_channel_free(link->channel);
    free(link);
}

void net_links_sweep(struct net_mesh *mesh)
{
    struct net_link **at = &mesh->links;
    struct net_link *link;

    while ((link = *at)) {
        if (link->state != NET_LINK_ENDED) {
            at = &link->next;
            continue;
        }
        *at = link->next;
        net_link_free(link);
    }
}

/* When to dial again. A connection that lasted resets the wait; one that broke at once does not, or
 * a peer that ends each connection would be dialled in a tight loop. */
static void plan_redial(struct net_mesh *mesh, struct net_peer *peer, int64_t lasted_ms)
{
    const struct net_timing *t = &mesh->config.timing;

    if (lasted_ms > t->redial_max_ms)
        peer->redial_ms = t->redial_min_ms;
    peer->redial_at = net_mesh_now(mesh) + peer->redial_ms;
    peer->redial_ms =
        peer->redial_ms < t->redial_max_ms / 2 ? 2 * peer->redial_ms : t->redial_max_ms;
}

void net_link_end(struct net_mesh *mesh, struct net_link *link, enum net_reason reason,
                  enum net_tell tell, const struct base_err *why)
{
    struct net_peer *peer = link->peer;
    uint8_t word = (uint8_t)reason;
    struct base_err ignored;
    struct net_event *e;

    if (link->state == NET_LINK_ENDED)
        return;
    if (link->state == NET_LINK_SHAKING && !(peer && peer->dialling == link))
        net_link_stranger(mesh, link, why);
    if (link->state == NET_LINK_LIVE && tell == NET_TELL)
        (void)!net_control_emit(mesh, link, NET_CLOSE, &word, 1, &ignored); /* as far as it goes */
    if (link->state != NET_LINK_BURNT)                                      /* burn() has done it */
        mesh->config.wire->hangup(mesh->config.wire->ctx, &link->route);
    if (peer && peer->live == link) {
        peer->live = NULL;
        peer->why = *why;
        plan_redial(mesh, peer, net_mesh_now(mesh) - link->since_ms);
        link->state = NET_LINK_ENDED;
        net_sessions_link_ended(mesh, link, reason, why);
    } else if (peer && peer->dialling == link) {
        peer->dialling = NULL;
        plan_redial(mesh, peer, 0);
        if ((e = net_event_new(NET_PEER_REFUSED, peer->name))) {
            e->why = *why;
            mesh->config.event(mesh->config.event_ctx, e);
        }
    }
    link->state = NET_LINK_ENDED;
    net_mesh_tell_peers(mesh);
}

void net_link_stranger(struct net_mesh *mesh, const struct net_link *link,
                       const struct base_err *why)
{
    char where[NET_WHERE] = "";

    if (mesh->config.wire->where)
        mesh->config.wire->where(mesh->config.wire->ctx, &link->route, where);
    net_mesh_stranger(mesh, where, why->text);
}

/* A stranger's connection failed. Its route is ignored for the
 * rest of its time, so that it cannot try again on the same connection, which the wire ends as soon
 * as it can. */
static void burn(struct net_mesh *mesh, struct net_link *link, const struct base_err *why)
{
    net_link_stranger(mesh, link, why);
    mesh->config.wire->hangup(mesh->config.wire->ctx, &link->route);
    link->state = NET_LINK_BURNT;
    net_channel_free(link->channel);
    link->channel = NULL;
}

static void fail(struct net_mesh *mesh, struct net_link *link, const struct base_err *why)
{
    enum net_reason reason = why->code == FM_E_AUTH                              ? NET_R_DAMAGED
                             : why->code == FM_E_PEER || why->code == FM_E_INPUT ? NET_R_PROTOCOL
                                                                                 : NET_R_ERROR;

    if (link->peer)
        net_link_end(mesh, link, reason, NET_TELL, why);
    else
        burn(mesh, link, why);
}

static fm_status send_handshake(struct net_mesh *mesh, struct net_link *link,
                                const struct base_buf *out, struct base_err *err)
{
    struct net_head head = {NET_KIND_HANDSHAKE, 0, 0, (uint32_t)out->len, 0};
    struct net_frame *frame;

    if (out->len == 0 || mesh->halted)
        return FM_OK;
    assert(out->len <= NET_FRAME_PAYLOAD_MAX);
    if (!(frame = net_frame_new(NET_HEAD + out->len)))
        return base_err_memory(err, "frame");
    net_head_write(frame->bytes, &head);
    memcpy(frame->bytes + NET_HEAD, out->p, out->len);
    frame->route = link->route;
    mesh->config.wire->send(mesh->config.wire->ctx, frame);
    return FM_OK;
}

/* The peer is authenticated and knows it: the newest connection is the one that counts. */
static void go_live(struct net_mesh *mesh, struct net_link *link)
{
    struct net_peer *peer = link->peer;
    struct base_err why;
    struct net_link **at = &mesh->links;

    assert(peer && strcmp(peer->name, net_channel_peer(link->channel)) == 0);
    if (peer->dialling == link)
        peer->dialling = NULL;
    if (peer->live) {
        base_err_set(&why, FM_E_PEER, "%s opened a newer connection", peer->name);
        net_link_end(mesh, peer->live, NET_R_REPLACED, NET_TELL, &why);
    }
    assert(!peer->live);
    peer->live = link;
    link->state = NET_LINK_LIVE;
    link->since_ms = net_mesh_now(mesh);
    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    link->next = mesh->links;
    mesh->links = link;
    net_mesh_tell_peers(mesh);
}

/* TLS is through. The dialler waits for a first sealed frame; the accepter knows whom it has and
 * sends that frame. */
static fm_status authenticated(struct net_mesh *mesh, struct net_link *link, struct base_err *err)
{
    const char *name = net_channel_peer(link->channel);
    fm_status rv = net_control_init(&link->control, link->channel, err);

    if (rv != FM_OK)
        return rv;
    if (link->peer) {
        link->state = NET_LINK_WAITING;
        return FM_OK;
    }
    if (strcmp(name, net_mesh_self(mesh)) >= 0)
        return base_err_set(err, FM_E_PEER, "%s dialled, but waits to be dialled by us", name);
    link->peer = net_mesh_peer(mesh, name);
    assert(link->peer); /* mesh->keys knows wanted peers only */
    go_live(mesh, link);
    return net_beat_send(mesh, link, err);
}

static void shake(struct net_mesh *mesh, struct net_link *link, const uint8_t *bytes, size_t len)
{
    struct base_buf out = {0};
    struct base_err err, second;
    fm_status rv = net_channel_handshake(link->channel, bytes, len, &out, &err), sent;

    sent = send_handshake(mesh, link, &out, rv == FM_OK ? &err : &second);
    base_buf_release(&out);
    if (rv == FM_OK)
        rv = sent;
    if (rv == FM_OK && link->state == NET_LINK_SHAKING && net_channel_done(link->channel))
        rv = authenticated(mesh, link, &err);
    if (rv == FM_OK)
        return;
    if (link->peer)
        base_err_prefix(&err, "connection to %s", link->peer->name);
    fail(mesh, link, &err);
}

void net_link_dial(struct net_mesh *mesh, struct net_peer *peer)
{
    struct net_route route = {.len = 9, .id = {'D'}};
    struct base_err err;
    struct net_link *link;

    assert(!peer->live && !peer->dialling && strcmp(net_mesh_self(mesh), peer->name) < 0);
    base_store_u64(route.id + 1, mesh->numbers + 1);
    link = net_link_new(mesh, &route, peer, &err);
    if (!link) {
        plan_redial(mesh, peer, 0);
        return;
    }
    peer->dialling = link;
    mesh->config.wire->dial(mesh->config.wire->ctx, &route, peer->endpoint);
    shake(mesh, link, NULL, 0);
}

/* A sealed frame of an authenticated peer: opens control frames, passes on session frames. */
static void sealed(struct net_mesh *mesh, struct net_link *link, struct net_frame *frame,
                   const struct net_head *head)
{
    uint8_t *plain = frame->bytes + NET_HEAD;
    struct base_err err;
    fm_status rv;

    if (head->session != 0 && link->state == NET_LINK_LIVE) {
        rv = net_sessions_frame(mesh, link, frame, head, &err);
        frame = NULL;
    } else if (head->session != 0) {
        rv = base_err_set(&err, FM_E_PEER, "session frame before the connection was confirmed");
    } else {
        rv = net_seal_open(&link->control.in, plain, frame->bytes, head, &err);
        if (rv == FM_OK && link->state == NET_LINK_WAITING)
            go_live(mesh, link);
        if (rv == FM_OK)
            rv = net_control_frame(mesh, link, head, plain, &err);
    }
    net_frame_free(frame);
    if (rv == FM_OK) {
        link->heard_ms = net_mesh_now(mesh);
        return;
    }
    base_err_prefix(&err, "connection to %s", link->peer->name);
    fail(mesh, link, &err);
}

void net_link_frame(struct net_mesh *mesh, struct net_link *link, struct net_frame *frame)
{
    struct net_head head;
    struct base_err err = {0};
    fm_status rv = net_head_read(&head, frame->bytes, frame->len, &err);
    bool shaking = link->state == NET_LINK_SHAKING || link->state == NET_LINK_WAITING;

    if (link->state == NET_LINK_BURNT || link->state == NET_LINK_ENDED) {
        net_frame_free(frame);
        return;
    }
    if (rv == FM_OK && head.kind == NET_KIND_HANDSHAKE && shaking) {
        shake(mesh, link, frame->bytes + NET_HEAD, head.len);
        net_frame_free(frame);
        return;
    }
    if (rv == FM_OK && head.kind == NET_KIND_SEALED && link->state != NET_LINK_SHAKING) {
        sealed(mesh, link, frame, &head);
        return;
    }
    net_frame_free(frame);
    if (rv == FM_OK)
        base_err_set(&err, FM_E_PEER, "a %s frame out of turn",
                     head.kind == NET_KIND_SEALED ? "sealed" : "handshake");
    if (link->peer)
        base_err_prefix(&err, "connection to %s", link->peer->name);
    fail(mesh, link, &err);
}

static int64_t live_tick(struct net_mesh *mesh, struct net_link *link)
{
    const struct net_timing *t = &mesh->config.timing;
    int64_t now = net_mesh_now(mesh), next = net_held_tick(mesh, link);
    struct base_err why;

    if (now >= link->heard_ms + t->silence_ms) {
        base_err_set(&why, FM_E_PEER, "%s has been silent for %u ms", link->peer->name,
                     t->silence_ms);
        net_link_end(mesh, link, NET_R_GONE, NET_TELL, &why);
        return now;
    }
    if (now >= link->beat_ms + t->heartbeat_ms && net_beat_send(mesh, link, &why) != FM_OK) {
        net_link_end(mesh, link, NET_R_ERROR, NET_SILENT, &why);
        return now;
    }
    if (link->heard_ms + t->silence_ms < next)
        next = link->heard_ms + t->silence_ms;
    if (link->beat_ms + t->heartbeat_ms < next)
        next = link->beat_ms + t->heartbeat_ms;
    return next;
}

int64_t net_link_tick(struct net_mesh *mesh, struct net_link *link)
{
    int64_t due = link->since_ms + mesh->config.timing.handshake_ms;
    struct base_err why;

    if (link->state == NET_LINK_LIVE)
        return live_tick(mesh, link);
    if (link->state == NET_LINK_ENDED)
        return INT64_MAX;
    if (net_mesh_now(mesh) < due)
        return due;
    base_err_set(&why, FM_E_TIMEOUT, "connection to %s: no handshake within %u ms",
                 link->peer ? link->peer->name : "a stranger", mesh->config.timing.handshake_ms);
    net_link_end(mesh, link, NET_R_TIMEOUT, NET_SILENT, &why);
    return INT64_MAX;
}
