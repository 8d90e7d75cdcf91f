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

struct net_peer *net_mesh_peer(const struct net_mesh *mesh, const char *name)
{
    for (struct net_peer *p = mesh->peers; p; p = p->next)
        if (p->wanted && strcmp(p->name, name) == 0)
            return p;
    return NULL;
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

/* If memory for an event is out, the next tick tries again: the node's picture may be late, never
 * wrong for good. */
void net_mesh_tell_peers(struct net_mesh *mesh)
{
    struct net_event *e;

    for (struct net_peer *p = mesh->peers; p; p = p->next) {
        uint64_t live = p->live ? p->live->number : 0;
        if (p->told_link != 0 && p->told_link != live &&
            (e = net_event_new(NET_PEER_DOWN, p->name))) {
            e->why = p->why;
            p->told_link = 0;
            mesh->config.event(mesh->config.event_ctx, e);
        }
        if (p->told_link == 0 && live != 0 && (e = net_event_new(NET_PEER_UP, p->name))) {
            p->told_link = live;
            mesh->config.event(mesh->config.event_ctx, e);
        }
    }
}

/* Strangers and peers we have not been told of have no key, whatever the node would say. */
static bool key_of(void *ctx, const char *peer, uint8_t out32[NET_KEY])
{
    const struct net_mesh *mesh = ctx;

    return net_mesh_peer(mesh, peer) &&
           mesh->config.keys.key_of(mesh->config.keys.ctx, peer, out32);
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

static void peer_free(struct net_peer *p)
{
    free(p->endpoint);
    free(p);
}

void net_mesh_free(struct net_mesh *mesh)
{
    struct net_link *link;
    struct net_peer *peer;

    if (!mesh)
        return;
    assert(!mesh->sessions);
    while ((link = mesh->links)) {
        mesh->links = link->next;
        net_link_free(link);
    }
    while ((peer = mesh->peers)) {
        mesh->peers = peer->next;
        peer_free(peer);
    }
    free(mesh);
}

static fm_status check_peers(const struct net_mesh *mesh, const struct net_peer_config *peers,
                             size_t n, struct base_err *err)
{
    if (n > NET_PEERS_MAX)
        return base_err_set(err, FM_E_LIMIT, "%zu peers: the most is %d", n, NET_PEERS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (!net_name_ok(peers[i].name))
            return base_err_set(err, FM_E_ARG, "'%.80s' is no peer's name", peers[i].name);
        if (strcmp(peers[i].name, net_mesh_self(mesh)) == 0)
            return base_err_set(err, FM_E_ARG, "%s cannot be its own peer", peers[i].name);
        for (size_t j = 0; j < i; j++)
            if (strcmp(peers[i].name, peers[j].name) == 0)
                return base_err_set(err, FM_E_ARG, "peer %s is listed twice", peers[i].name);
    }
    return FM_OK;
}

static struct net_peer *peer_new(const struct net_mesh *mesh, const struct net_peer_config *config)
{
    struct net_peer *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    if (config->endpoint && !(p->endpoint = strdup(config->endpoint))) {
        free(p);
        return NULL;
    }
    strcpy(p->name, config->name);
    p->redial_ms = mesh->config.timing.redial_min_ms;
    p->wanted = true;
    return p;
}

/* A peer that is listed again keeps its connection, with the new endpoint for the next one. */
static void adopt(struct net_mesh *mesh, struct net_peer *fresh)
{
    struct net_peer *old = net_mesh_peer(mesh, fresh->name);

    if (!old) {
        fresh->next = mesh->peers;
        mesh->peers = fresh;
        return;
    }
    free(old->endpoint);
    old->endpoint = fresh->endpoint;
    free(fresh);
}

static void drop_missing(struct net_mesh *mesh, const struct net_peer_config *peers, size_t n)
{
    struct base_err why;

    for (struct net_peer *p = mesh->peers; p; p = p->next) {
        size_t i = 0;
        while (i < n && strcmp(peers[i].name, p->name) != 0)
            i++;
        if (i < n)
            continue;
        p->wanted = false;
        base_err_set(&why, FM_E_REFUSED, "%s was removed from this node's peers", p->name);
        if (p->live)
            net_link_end(mesh, p->live, NET_R_REFUSED, NET_TELL, &why);
        if (p->dialling)
            net_link_end(mesh, p->dialling, NET_R_REFUSED, NET_SILENT, &why);
    }
}

static void sweep(struct net_mesh *mesh)
{
    struct net_peer **at = &mesh->peers;
    struct net_peer *p;

    net_links_sweep(mesh);
    while ((p = *at)) {
        if (p->wanted || p->told_link != 0) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        peer_free(p);
    }
}

fm_status net_mesh_peers_set(struct net_mesh *mesh, const struct net_peer_config *peers, size_t n,
                             struct base_err *err)
{
    struct net_peer *fresh[NET_PEERS_MAX];
    fm_status rv = check_peers(mesh, peers, n, err);

    if (rv != FM_OK)
        return rv;
    for (size_t i = 0; i < n; i++)
        if (!(fresh[i] = peer_new(mesh, &peers[i]))) {
            while (i > 0)
                peer_free(fresh[--i]);
            return base_err_memory(err, "peers");
        }
    drop_missing(mesh, peers, n);
    for (size_t i = 0; i < n; i++)
        adopt(mesh, fresh[i]);
    sweep(mesh);
    mesh->config.wire->wake(mesh->config.wire->ctx);
    return FM_OK;
}

void net_mesh_recheck(struct net_mesh *mesh)
{
    struct base_err why;

    for (struct net_peer *p = mesh->peers; p; p = p->next) {
        if (!p->live || net_channel_key_current(p->live->channel))
            continue;
        base_err_set(&why, FM_E_AUTH, "the key of %s is no longer valid", p->name);
        net_link_end(mesh, p->live, NET_R_KEY, NET_TELL, &why);
    }
    sweep(mesh);
}

/* Room for one more stranger: the oldest makes it, so that a flood cannot lock out a peer whose
 * handshake takes a few milliseconds. */
static void make_room(struct net_mesh *mesh)
{
    struct net_link *oldest = NULL;
    struct base_err why;
    unsigned n = 0;

    for (struct net_link *l = mesh->links; l; l = l->next) {
        if (l->peer || l->state == NET_LINK_ENDED)
            continue;
        oldest = oldest ? oldest : l; /* the list is in order of age */
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
    sweep(mesh);
}

void net_mesh_route_gone(struct net_mesh *mesh, const struct net_route *route, const char *why)
{
    struct net_link *link = net_link_find(mesh, route);
    struct base_err err;

    if (!link)
        return;
    base_err_set(&err, FM_E_PEER, "connection to %s: %s",
                 link->peer ? link->peer->name : "a stranger", why);
    net_link_end(mesh, link, NET_R_GONE, NET_SILENT, &err);
    sweep(mesh);
}

void net_mesh_probe(struct net_mesh *mesh)
{
    struct base_err why;

    for (struct net_link *l = mesh->links; l; l = l->next)
        if (l->state == NET_LINK_LIVE &&
            net_control_emit(mesh, l, NET_HEARTBEAT, NULL, 0, &why) != FM_OK)
            net_link_end(mesh, l, NET_R_ERROR, NET_SILENT, &why);
    sweep(mesh);
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
    net_mesh_tell_peers(mesh);
    sweep(mesh);
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
    sweep(mesh);
}

bool net_mesh_peer_live(const struct net_mesh *mesh, const char *peer)
{
    const struct net_peer *p = net_mesh_peer(mesh, peer);

    return p && p->live;
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
    sweep(mesh);
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
    sweep(mesh);
}
