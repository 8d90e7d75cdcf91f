/* A node on the network, as exchange/ uses it: the same calls whether the frames go over ZeroMQ
 * (net_zmq_open) or through memory in virtual time (net_sim_node). All calls are thread-safe except
 * the closing ones, and none blocks but net_node_event(). */
#ifndef FIRMIANA_NET_NODE_H
#define FIRMIANA_NET_NODE_H

#include "net/mesh.h"

struct net_node;

/* The next event, or NULL if none came before the monotonic clock reached until_ms (0: do not
 * wait). The caller gives it back with net_node_event_done(). */
struct net_event *net_node_event(struct net_node *node, int64_t until_ms);
/* Makes a net_node_event() that waits, or else the next one that would, return NULL at once: the
 * node has something to do that did not come over the network. */
void net_node_wake(struct net_node *node);
/* Frees an event and, for messages, lets the peer send more: call it when done, not before. NULL is
 * allowed. */
void net_node_event_done(struct net_node *node, struct net_event *event);

/* The mesh's calls (mesh.h) under the node's lock. */
fm_status net_node_peers_set(struct net_node *node, const struct net_peer_config *peers, size_t n,
                             struct base_err *err) FM_CHECK;
void net_node_recheck(struct net_node *node);
bool net_node_peer_live(struct net_node *node, const char *peer);
uint64_t net_node_strangers(struct net_node *node);
fm_status net_node_send(struct net_node *node, const char *peer, uint16_t type, const void *bytes,
                        size_t len, struct base_err *err) FM_CHECK;
fm_status net_node_session_open(struct net_node *node, struct net_session **out,
                                const struct net_session_config *config,
                                struct base_err *err) FM_CHECK;
/* No thread may be inside its transport. Events about it that are still queued lose it. */
void net_node_session_close(struct net_node *node, struct net_session *s);

/* Threads and clock of this node: real, or those of the simulation. */
const struct net_waits *net_node_waits(const struct net_node *node);

#endif
