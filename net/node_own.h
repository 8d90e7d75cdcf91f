/* What the wires need of a node: its lock, around every call of the mesh. */
#ifndef FIRMIANA_NET_NODE_OWN_H
#define FIRMIANA_NET_NODE_OWN_H

#include "net/node.h"

struct net_node {
    struct net_wait *lock; /* over everything here; sleepers wait for events */
    const struct net_waits *waits;
    struct net_mesh *mesh;
    struct net_event *events, **events_end;
    bool woken; /* net_node_wake() was called, and nobody noticed yet */
    /* Called under the lock when the queue of events becomes non-empty or empty. May be NULL. */
    void (*notify)(void *ctx, bool pending);
    void *notify_ctx;
};

struct net_node_config {
    const struct net_identity *identity;
    struct net_keys keys;
    struct net_timing timing;
    const struct net_wire *wire;
    const struct net_waits *waits;
    void (*notify)(void *ctx, bool pending);
    void *notify_ctx;
};

fm_status net_node_init(struct net_node *node, const struct net_node_config *config,
                        struct base_err *err) FM_CHECK;
/* Sessions must be closed. {0} is allowed. */
void net_node_release(struct net_node *node);
void net_node_lock(struct net_node *node);
void net_node_unlock(struct net_node *node);

#endif
