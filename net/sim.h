/* Many nodes in one process, in virtual time, reproducible from a seed: the same channels, mesh and
 * sessions as over ZeroMQ, with real TLS handshakes, over a wire in memory that can lose, double,
 * alter and forge frames, cut nodes off and kill them.
 *
 * Tasks are real threads, but exactly one runs at any moment; it hands on the baton when it blocks
 * inside net (or in net_sim_sleep). When all are blocked, time jumps to the next thing due. So a
 * task must not wait for another by any other means than the seam in wait.h.
 *
 * What is not from the seed: TLS's own random numbers, so frames differ in content between runs;
 * their number, order, size and time do not. */
#ifndef FIRMIANA_NET_SIM_H
#define FIRMIANA_NET_SIM_H

#include "net/node.h"

struct net_sim;
struct net_sim_node;

enum { NET_SIM_NODES_MAX = 16 };

fm_status net_sim_new(struct net_sim **out, uint64_t seed, struct base_err *err) FM_CHECK;
/* All tasks must have ended and all sessions been closed. */
void net_sim_free(struct net_sim *sim);

/* A node with its own key (derived from seed and name), connected to no one yet. keys: NULL for a
 * book of all nodes of the simulation; then net_sim_rotate() changes what it says. */
fm_status net_sim_node_new(struct net_sim *sim, struct net_sim_node **out, const char *name,
                           const struct net_keys *keys, const struct net_timing *timing,
                           struct base_err *err) FM_CHECK;
/* The same for a node whose key is known outside the simulation: that of this 32-byte seed. */
fm_status net_sim_node_with_key(struct net_sim *sim, struct net_sim_node **out, const char *name,
                                const uint8_t seed32[32], const struct net_keys *keys,
                                const struct net_timing *timing, struct base_err *err) FM_CHECK;
struct net_node *net_sim_node(struct net_sim_node *node);
const uint8_t *net_sim_node_key(const struct net_sim_node *node); /* public, 32 bytes */
/* Makes all nodes peers of one another. */
fm_status net_sim_connect_all(struct net_sim *sim, struct base_err *err) FM_CHECK;
/* From now on the book says another key for this node; ask net_node_recheck(). */
void net_sim_rotate(struct net_sim *sim, const char *name);

/* The node dies: nothing of it is sent or heard any more, its sessions fail with FM_E_CANCELLED,
 * its peers' wires notice at once. */
void net_sim_kill(struct net_sim *sim, struct net_sim_node *node);
bool net_sim_dead(const struct net_sim_node *node);

/* Frames between the two are lost from now on (true), or no longer. */
void net_sim_cut(struct net_sim *sim, const char *a, const char *b, bool cut);
/* Each frame takes between min and max ms (1 and 1 unless set), in order on each connection. */
void net_sim_latency(struct net_sim *sim, uint32_t min_ms, uint32_t max_ms);

enum net_sim_fault {
    NET_SIM_LOST,
    NET_SIM_DOUBLED,
    NET_SIM_ALTERED,         /* one bit, chosen by the seed */
    NET_SIM_STRANGER_BEFORE, /* a copy comes from a stranger's connection first */
    NET_SIM_STRANGER_ALONE,  /* ... and the frame itself is lost */
    NET_SIM_SENDER_DIES,
    NET_SIM_FAULTS
};
/* Injects the fault at the at-th frame on the wire from now (from 1), handshakes and heartbeats
 * counted too. */
void net_sim_fault(struct net_sim *sim, enum net_sim_fault fault, uint64_t at);
bool net_sim_fault_fired(const struct net_sim *sim);
uint64_t net_sim_frames(const struct net_sim *sim); /* all frames sent so far */

/* A stranger connects to a node: raw frames, which it makes itself. Each call with the same number
 * uses the same connection. Frames the node sends back are dropped. */
void net_sim_stranger(struct net_sim *sim, struct net_sim_node *to, unsigned number,
                      const void *frame, size_t len);

/* Starts a task; it runs in net_sim_run(). Also through net_node_waits()->spawn. */
fm_status net_sim_spawn(struct net_sim *sim, void (*fn)(void *arg), void *arg,
                        struct base_err *err) FM_CHECK;
/* Inside a task: lets virtual time pass. */
void net_sim_sleep(struct net_sim *sim, uint32_t ms);

/* Runs until all tasks have ended, or until ms more of virtual time have passed (a test then fails:
 * FM_E_TIMEOUT names how many tasks hang). Without tasks it runs for the whole time. */
fm_status net_sim_run(struct net_sim *sim, uint32_t ms, struct base_err *err) FM_CHECK;

const struct base_clock *net_sim_clock(const struct net_sim *sim);
/* Deterministic bytes from the seed, for tests only. */
const struct base_random *net_sim_random(struct net_sim *sim);

#endif
