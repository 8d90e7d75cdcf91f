#include "net/mesh.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "net/mesh_own.h"

int64_t net_mesh_now(const struct net_mesh *mesh)
{
    return base_clock_mono_ms(mesh->config.waits->clock);
}

const char *net_mesh_self(const struct net_mesh *mesh)
{
    return net_identity_name(mesh->config.identity);
}

struct net_event *net_event_new(enum net_event_kind kind, const char *peer)
{
    struct net_event *e = calloc(1, sizeof *e);

    if (e) {
        e->kind = kind;
        strcpy(e->peer, peer);
    }
    return e;
}

void net_event_free(struct net_event *event)
{
    if (!event)
        return;
    free(event->bytes);
    free(event);
}

/* Strangers and peers we have not been told of have no key, whatever the node would say. */
static bool key_of(void *ctx, const char *peer, uint8_t out33[NET_KEY])
{
    const struct net_mesh *mesh = ctx;

    return net_mesh_peer(mesh, peer) &&
           mesh->config.keys.key_of(mesh->config.keys.ctx, peer, out33);
}

static void default_to(uint32_t *value, uint32_t standard)
{
    if (*value == 0)
        *value = standard;
}

fm_status net_mesh_new(struct net_mesh **out, const struct net_mesh_config *config,
                       struct base_err *err)
{
    struct net_mesh *mesh = calloc(1, sizeof *mesh);
    struct net_timing *t;

    *out = NULL;
    if (!mesh)
        return base_err_memory(err, "mesh");
    mesh->config = *config;
    mesh->strangers_told_ms = INT64_MIN / 2;
    mesh->keys = (struct net_keys){key_of, mesh};
    t = &mesh->config.timing;
    default_to(&t->heartbeat_ms, 1000);
    default_to(&t->silence_ms, 10000);
    default_to(&t->handshake_ms, 5000);
    default_to(&t->redial_min_ms, 100);
    default_to(&t->redial_max_ms, 5000);
    default_to(&t->hold_ms, 10000);
    *out = mesh;
    return FM_OK;
}

void net_mesh_free(struct net_mesh *mesh)
{
    struct net_link *link;

    if (!mesh)
        return;
    assert(!mesh->sessions);
    while ((link = mesh->links)) {
        mesh->links = link->next;
        net_link_free(link);
    }
    net_mesh_peers_free(mesh);
    free(mesh);
}

void net_mesh_tell_strangers(struct net_mesh *mesh)
{
    int64_t now = net_mesh_now(mesh);
    struct net_event *e;

    if (mesh->strangers == mesh->strangers_told ||
        now < mesh->strangers_told_ms + NET_STRANGERS_TELL_MS ||
        !(e = net_event_new(NET_STRANGERS, "")))
        return;
    e->strangers = mesh->strangers - mesh->strangers_told;
    e->why = mesh->stranger;
    mesh->strangers_told = mesh->strangers;
    mesh->strangers_told_ms = now;
    mesh->config.event(mesh->config.event_ctx, e);
}

void net_mesh_stranger(struct net_mesh *mesh, const char *where, const char *why)
{
    mesh->strangers++;
    base_err_set(&mesh->stranger, FM_E_PEER, "%s%s%s", where, where[0] ? ": " : "", why);
    net_mesh_tell_strangers(mesh);
}

/* Room for one more stranger: the oldest makes it, one that failed before one that may still be a
 * peer, so that a flood cannot lock out a peer whose handshake takes a few milliseconds. */
static void make_room(struct net_mesh *mesh)
{
    struct net_link *oldest = NULL;
    struct base_err why;
    unsigned n = 0;

    for (struct net_link *l = mesh->links; l; l = l->next) {
        if (l->peer || l->state == NET_LINK_ENDED)
            continue;
        if (!oldest || (oldest->state != NET_LINK_BURNT && l->state == NET_LINK_BURNT))
            oldest = l; /* the list is in order of age */
        n++;
    }
    if (n < NET_STRANGERS_MAX)
        return;
    base_err_set(&why, FM_E_LIMIT, "too many strangers");
    net_link_end(mesh, oldest, NET_R_LIMIT, NET_SILENT, &why);
}

void net_mesh_frame(struct net_mesh *mesh, struct net_frame *frame)
{
    struct net_link *link = net_link_find(mesh, &frame->route);
    struct net_head head;
    struct base_err err;

    if (!link && !mesh->halted && frame->route.id[0] != 'D' &&
        net_head_read(&head, frame->bytes, frame->len, &err) == FM_OK &&
        head.kind == NET_KIND_HANDSHAKE) {
        make_room(mesh);
        link = net_link_new(mesh, &frame->route, NULL, &err);
    }
    if (link && !mesh->halted)
        net_link_frame(mesh, link, frame);
    else
        net_frame_free(frame);
    net_mesh_sweep(mesh);
}

void net_mesh_route_gone(struct net_mesh *mesh, const struct net_route *route, const char *why)
{
    struct net_link *link = net_link_find(mesh, route);
    struct base_err err;

    if (!link)
        return;
    if (link->peer)
        base_err_set(&err, FM_E_PEER, "connection to %s: %s", link->peer->name, why);
    else
        base_err_set(&err, FM_E_PEER, "%s", why);
    net_link_end(mesh, link, NET_R_GONE, NET_SILENT, &err);
    net_mesh_sweep(mesh);
}

bool net_mesh_route_live(const struct net_mesh *mesh, const struct net_route *route)
{
    const struct net_link *link = net_link_find(mesh, route);

    return link && link->state == NET_LINK_LIVE;
}

static int64_t dial_tick(struct net_mesh *mesh, struct net_peer *p)
{
    if (!p->wanted || !p->endpoint || p->live || p->dialling ||
        strcmp(net_mesh_self(mesh), p->name) >= 0)
        return INT64_MAX;
    if (net_mesh_now(mesh) < p->redial_at)
        return p->redial_at;
    net_link_dial(mesh, p);
    return INT64_MAX;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t net_mesh_tick(struct net_mesh *mesh)
{
    int64_t next = INT64_MAX;

    if (mesh->halted)
        return INT64_MAX;
    for (struct net_peer *p = mesh->peers; p; p = p->next)
        next = sooner(next, dial_tick(mesh, p));
    for (struct net_link *l = mesh->links; l; l = l->next)
        next = sooner(next, net_link_tick(mesh, l));
    next = sooner(next, net_sessions_tick(mesh));
    net_mesh_tell_strangers(mesh);
    net_mesh_tell_peers(mesh);
    net_mesh_sweep(mesh);
    /* What these turns ended may have set nearer times. */
    for (struct net_peer *p = mesh->peers; p; p = p->next)
        if (p->wanted && !p->live && !p->dialling && p->endpoint &&
            strcmp(net_mesh_self(mesh), p->name) < 0)
            next = sooner(next, p->redial_at);
    return next;
}

fm_status net_mesh_control_send(struct net_mesh *mesh, const char *peer, uint16_t type,
                                const void *bytes, size_t len, struct base_err *err)
{
    struct net_peer *p = net_mesh_peer(mesh, peer);
    fm_status rv;

    if (!p)
        return base_err_set(err, FM_E_NOT_FOUND, "%.80s is not a peer of this node", peer);
    if (!p->live)
        return base_err_set(err, FM_E_PEER, "%s is not connected", peer);
    rv = net_control_queue(&p->live->control, peer, type, bytes, len, err);
    if (rv == FM_OK)
        rv = net_control_flush(mesh, p->live, err);
    return rv;
}

void net_mesh_taken(struct net_mesh *mesh, const struct net_event *event)
{
    struct base_err err;

    if (event->kind != NET_MESSAGE)
        return;
    for (struct net_link *l = mesh->links; l; l = l->next)
        if (l->number == event->link && l->state == NET_LINK_LIVE &&
            net_control_taken(mesh, l, event->cost, &err) != FM_OK)
            net_link_end(mesh, l, NET_R_ERROR, NET_SILENT, &err);
    net_mesh_sweep(mesh);
}

static void end_sessions(struct net_mesh *mesh, enum net_reason reason, const char *text,
                         enum net_tell tell)
{
    for (struct net_session *s = mesh->sessions; s; s = s->next) {
        struct net_failure f = {
            .reason = reason, .culprit = s->face.self, .report = tell == NET_TELL};
        base_err_set(&f.err, FM_E_CANCELLED, "%s", text);
        net_session_fail(s, &f);
    }
}

void net_mesh_shutdown(struct net_mesh *mesh)
{
    struct base_err why;

    end_sessions(mesh, NET_R_SHUTDOWN, "this node stops", NET_TELL);
    (void)net_sessions_tick(mesh);
    base_err_set(&why, FM_E_CANCELLED, "this node stops");
    for (struct net_link *l = mesh->links; l; l = l->next)
        net_link_end(mesh, l, NET_R_SHUTDOWN, NET_TELL, &why);
    mesh->halted = true;
    net_mesh_sweep(mesh);
}

void net_mesh_halt(struct net_mesh *mesh)
{
    struct base_err why;

    mesh->halted = true;
    end_sessions(mesh, NET_R_ERROR, "this node died", NET_SILENT);
    (void)net_sessions_tick(mesh);
    base_err_set(&why, FM_E_CANCELLED, "this node died");
    for (struct net_link *l = mesh->links; l; l = l->next)
        net_link_end(mesh, l, NET_R_ERROR, NET_SILENT, &why);
    net_mesh_sweep(mesh);
}
