#include "net/node.h"

#include <assert.h>

#include "net/node_own.h"

void net_node_lock(struct net_node *node)
{
    node->waits->lock(node->lock);
}

void net_node_unlock(struct net_node *node)
{
    node->waits->unlock(node->lock);
}

/* The mesh calls this under the lock, because every call of the mesh is. */
static void queue_event(void *ctx, struct net_event *event)
{
    struct net_node *node = ctx;
    bool first = !node->events;

    event->next = NULL;
    *node->events_end = event;
    node->events_end = &event->next;
    node->waits->wake(node->lock);
    if (first && node->notify)
        node->notify(node->notify_ctx, true);
}

fm_status net_node_init(struct net_node *node, const struct net_node_config *config,
                        struct base_err *err)
{
    struct net_mesh_config mesh = {.identity = config->identity,
                                   .keys = config->keys,
                                   .timing = config->timing,
                                   .wire = config->wire,
                                   .waits = config->waits,
                                   .event = queue_event,
                                   .event_ctx = node};
    fm_status rv;

    *node = (struct net_node){
        .waits = config->waits, .notify = config->notify, .notify_ctx = config->notify_ctx};
    node->events_end = &node->events;
    if (!(node->lock = node->waits->create(node->waits->ctx)))
        return base_err_memory(err, "node");
    rv = net_mesh_new(&node->mesh, &mesh, err);
    if (rv != FM_OK)
        net_node_release(node);
    return rv;
}

void net_node_release(struct net_node *node)
{
    struct net_event *e;

    net_mesh_free(node->mesh);
    if (!node->events_end)
        return; /* never begun */
    while ((e = node->events)) {
        node->events = e->next;
        net_event_free(e);
    }
    if (node->lock)
        node->waits->destroy(node->lock);
    node->lock = NULL;
    node->mesh = NULL;
}

struct net_event *net_node_event(struct net_node *node, int64_t until_ms)
{
    struct net_event *e;

    net_node_lock(node);
    while (!node->events && !node->woken && base_clock_mono_ms(node->waits->clock) < until_ms)
        node->waits->sleep(node->lock, until_ms);
    if (until_ms > 0)
        node->woken = false;
    e = node->events;
    if (e) {
        node->events = e->next;
        if (!node->events) {
            node->events_end = &node->events;
            if (node->notify)
                node->notify(node->notify_ctx, false);
        }
    }
    net_node_unlock(node);
    return e;
}

void net_node_wake(struct net_node *node)
{
    net_node_lock(node);
    node->woken = true;
    node->waits->wake(node->lock);
    net_node_unlock(node);
}

void net_node_event_done(struct net_node *node, struct net_event *event)
{
    if (!event)
        return;
    net_node_lock(node);
    net_mesh_taken(node->mesh, event);
    net_node_unlock(node);
    net_event_free(event);
}

fm_status net_node_peers_set(struct net_node *node, const struct net_peer_config *peers, size_t n,
                             struct base_err *err)
{
    fm_status rv;

    net_node_lock(node);
    rv = net_mesh_peers_set(node->mesh, peers, n, err);
    net_node_unlock(node);
    return rv;
}

void net_node_recheck(struct net_node *node)
{
    net_node_lock(node);
    net_mesh_recheck(node->mesh);
    net_node_unlock(node);
}

bool net_node_peer_live(struct net_node *node, const char *peer)
{
    bool live;

    net_node_lock(node);
    live = net_mesh_peer_live(node->mesh, peer);
    net_node_unlock(node);
    return live;
}

uint64_t net_node_strangers(struct net_node *node)
{
    uint64_t n;

    net_node_lock(node);
    n = net_mesh_strangers(node->mesh);
    net_node_unlock(node);
    return n;
}

fm_status net_node_send(struct net_node *node, const char *peer, uint16_t type, const void *bytes,
                        size_t len, struct base_err *err)
{
    fm_status rv;

    net_node_lock(node);
    rv = net_mesh_control_send(node->mesh, peer, type, bytes, len, err);
    net_node_unlock(node);
    return rv;
}

fm_status net_node_session_open(struct net_node *node, struct net_session **out,
                                const struct net_session_config *config, struct base_err *err)
{
    fm_status rv;

    net_node_lock(node);
    rv = net_mesh_session_open(node->mesh, out, config, err);
    net_node_unlock(node);
    return rv;
}

void net_node_session_close(struct net_node *node, struct net_session *s)
{
    net_node_lock(node);
    for (struct net_event *e = node->events; e; e = e->next)
        if (e->session == s)
            e->session = NULL;
    net_mesh_session_close(node->mesh, s);
    net_node_unlock(node);
}

const struct net_waits *net_node_waits(const struct net_node *node)
{
    return node->waits;
}
