/* The ZeroMQ node from the inside: zmq.c (opening, the I/O thread), zmq_wire.c (orders to that
 * thread), zmq_socket.c (sockets and their options). */
#ifndef FIRMIANA_NET_ZMQ_OWN_H
#define FIRMIANA_NET_ZMQ_OWN_H

#include <pthread.h>
#include <zmq.h>

#include "net/node_own.h"
#include "net/zmq.h"

/* What other threads ask of the I/O thread, in order. */
enum order_kind { ORDER_SEND, ORDER_DIAL, ORDER_HANGUP };

struct order {
    struct order *next;
    enum order_kind kind;
    struct net_frame *frame; /* SEND: with its route; otherwise NULL */
    struct net_route route;
    char *endpoint; /* DIAL */
};

struct dealer {
    struct dealer *next;
    struct net_route route;
    void *socket, *monitor;
    int64_t broken_ms; /* when the monitor told that it broke; 0: it holds */
};

struct net_zmq {
    struct net_node node;
    struct net_wire wire;
    struct net_timing timing;
    void *context, *router, *monitor;
    char endpoint[256];
    int event_fd; /* the node's events */
    struct net_task *thread;
    struct dealer *dealers; /* the I/O thread's own */
    unsigned probes;        /* heartbeats still to be sent to find out who is gone */
    pthread_mutex_t lock;   /* over the following */
    struct order *orders, **orders_end;
    bool signalled, tick, stop;
    int order_fd;
};

/* zmq_wire.c */
void net_zmq_wire_init(struct net_zmq *z);
/* All orders that wait; clears the signal. Says whether a tick was asked for, and the end. */
struct order *net_zmq_orders_take(struct net_zmq *z, bool *tick, bool *stop);
void net_zmq_order_free(struct order *o);
void net_zmq_stop(struct net_zmq *z);

/* zmq_socket.c */
fm_status net_zmq_bind(struct net_zmq *z, const char *bind, struct base_err *err) FM_CHECK;
void net_zmq_dial(struct net_zmq *z, const struct net_route *route, const char *endpoint);
void net_zmq_hangup(struct net_zmq *z, struct dealer **at);
void net_zmq_send(struct net_zmq *z, struct net_frame *frame);
/* Takes what has come, at most so many frames; the node's lock is held. Returns how many. */
unsigned net_zmq_receive(struct net_zmq *z, void *socket, const struct net_route *route,
                         unsigned most);
/* Whether the monitor tells of a broken connection; empties it. */
bool net_zmq_broken(void *monitor);
void net_zmq_close_sockets(struct net_zmq *z);

#endif
