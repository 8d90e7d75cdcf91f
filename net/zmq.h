/* A node over ZeroMQ: one I/O thread owns a ROUTER bound to the node's one port and a DEALER for
 * each peer it dials. Worker threads and the node's own thread only pass frames to it; bulk frames
 * are not copied on the way. With glibc, opening a node tells malloc to keep up to 64 MiB of freed
 * memory. */
#ifndef FIRMIANA_NET_ZMQ_H
#define FIRMIANA_NET_ZMQ_H

#include "net/node.h"

struct net_zmq;

struct net_zmq_config {
    const char *bind; /* "tcp://0.0.0.0:7400"; "tcp://127.0.0.1:*" takes any free port */
    const struct net_identity *identity; /* outlives the node */
    struct net_keys keys;
    struct net_timing timing; /* zeros for the defaults */
};

/* Binds and starts; peers come with net_node_peers_set(). Errors: FM_E_CONFLICT (the port is in
 * use), FM_E_ARG (not an endpoint), FM_E_IO, FM_E_MEMORY. */
fm_status net_zmq_open(struct net_zmq **out, const struct net_zmq_config *config,
                       struct base_err *err) FM_CHECK;

struct net_node *net_zmq_node(struct net_zmq *z);
/* Readable (poll, epoll) while events wait for net_node_event(). Not to be read by the caller. */
int net_zmq_fd(const struct net_zmq *z);
/* Where it listens, with the port that was taken. */
const char *net_zmq_endpoint(const struct net_zmq *z);

/* Tells the peers, flushes what was sent (for at most a second where a peer does not take it), and
 * frees everything. All sessions must be closed. NULL is allowed. */
void net_zmq_close(struct net_zmq *z);

#endif
