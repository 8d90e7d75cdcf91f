/* The mesh's peers: who they are, and what the node was told about them. */
#include <stdlib.h>
#include <string.h>

#include "net/mesh_own.h"

struct net_peer *net_mesh_peer(const struct net_mesh *mesh, const char *name)
{
    for (struct net_peer *p = mesh->peers; p; p = p->next)
        if (p->wanted && strcmp(p->name, name) == 0)
            return p;
    return NULL;
}

bool net_mesh_peer_live(const struct net_mesh *mesh, const char *peer)
{
    const struct net_peer *p = net_mesh_peer(mesh, peer);

    return p && p->live;
}

uint64_t net_mesh_strangers(const struct net_mesh *mesh)
{
    return mesh->strangers;
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

static void peer_free(struct net_peer *p)
{
    free(p->endpoint);
    free(p);
}

void net_mesh_peers_free(struct net_mesh *mesh)
{
    struct net_peer *peer;

    while ((peer = mesh->peers)) {
        mesh->peers = peer->next;
        peer_free(peer);
    }
}

void net_mesh_sweep(struct net_mesh *mesh)
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
    net_mesh_sweep(mesh);
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
    net_mesh_sweep(mesh);
}
