/* Drives a node with the real world: its network, its unix socket, signals, time. */
#ifndef FIRMIANA_EXCHANGE_NODE_LOOP_H
#define FIRMIANA_EXCHANGE_NODE_LOOP_H

#include "exchange/node/metrics.h"
#include "exchange/node/node.h"

struct node_loop;

/* Before node_new(): gives wake and wake_ctx for its config, and blocks SIGTERM, SIGINT and SIGHUP
 * in all threads made from now on (they arrive in the loop). */
fm_status node_loop_new(struct node_loop **out, struct base_err *err) FM_CHECK;
void node_loop_free(struct node_loop *loop); /* NULL is allowed */
void node_loop_wake(void *loop);

/* From now on the loop also serves this port (lent; NULL: none). */
void node_loop_metrics(struct node_loop *loop, struct metrics_port *port);

/* Runs until SIGTERM or SIGINT (running queries are ended first, FM_OK), or until the node is no
 * longer sound (its error). net_fd is readable while the
 * network has events. ready (may be NULL) is called once, when requests are taken. */
fm_status node_loop_run(struct node_loop *loop, struct node *node, struct net_node *net, int net_fd,
                        const char *socket_path, void (*ready)(void *ctx), void *ready_ctx,
                        struct base_err *err) FM_CHECK;

#endif
