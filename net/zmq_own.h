/* The ZeroMQ node from the inside: zmq.c (opening, the I/O thread), zmq_wire.c (orders to that
 * thread), zmq_socket.c (sockets and their options), zmq_guard.c (who may stay connected). */
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

enum {
    NET_ZMQ_GRACE_MS =
        100, /* from a break to the end: ZeroMQ tells of it before its last frames come */
    ARRIVALS_KEPT = 256
};

/* A TCP connection, seen from beside ZeroMQ (zmq_guard.c). */
struct visitor {
    int fd;
    uint64_t cookie; /* of the socket; 0: nobody */
    int64_t since_ms;
    int64_t gone_ms; /* ZeroMQ told that it broke */
    int64_t end_ms;  /* the mesh hung up: when to shut it down */
    uint8_t address[16];
    struct net_route route; /* len 0 before the first frame */
    uint64_t taken;         /* bytes that came out of ZeroMQ as frames */
    bool live;              /* authenticated */
    bool dialled;           /* by this node, who expects much as soon as the other end knows it */
};

/* How often an address came of late: a bucket of credit, in thousandths of a connection. */
struct arrivals {
    uint8_t address[16];
    int64_t last_ms, credit;
};

struct dealer {
    struct dealer *next;
    struct net_route route;
    void *socket, *monitor;
    struct visitor line; /* once connected */
    bool drained;
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
    struct dealer *dealers;      /* the I/O thread's own */
    struct net_route last_route; /* the last frame's, and its descriptor: they often come in rows */
    int last_fd;
    struct visitor *visitors; /* by descriptor */
    unsigned visitors_len;
    bool drained; /* nothing waited at the ROUTER after the last turn */
    struct arrivals arrivals[ARRIVALS_KEPT];
    pthread_mutex_t lock; /* over the following */
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
/* Takes what has come by a dealer, or by the ROUTER if that is NULL, at most so many frames; the
 * node's lock is held. Returns how many. */
unsigned net_zmq_receive(struct net_zmq *z, struct dealer *d, unsigned most);
/* Takes what the dealer's monitor tells: that it is connected, or no longer. */
void net_zmq_dealer_listen(struct dealer *d, int64_t now);
void net_zmq_close_sockets(struct net_zmq *z);

/* zmq_guard.c */
/* The next that a monitor tells; value is the descriptor, for ACCEPTED, CONNECTED and DISCONNECTED.
 */
bool net_zmq_monitor_take(void *monitor, unsigned *event, int *value);
/* Who came to the ROUTER and who left. */
void net_zmq_guard_listen(struct net_zmq *z, int64_t now);
/* A frame, or a part of one, came out of the ROUTER by this route. */
void net_zmq_guard_frame(struct net_zmq *z, zmq_msg_t *message, const struct net_route *route);
void net_zmq_guard_where(void *z, const struct net_route *route, char out[NET_WHERE]);
void net_zmq_guard_hangup(struct net_zmq *z, const struct net_route *route, int64_t now);
/* Ends what is over its bounds; returns when to look again. */
int64_t net_zmq_guard_tick(struct net_zmq *z, int64_t now);
/* The same for a connection that this node dialled: begun; a frame of that length came; why it must
 * end (NULL: it need not). drained: all frames that ZeroMQ had of it were taken at the last turn.
 */
void net_zmq_guard_begin(struct visitor *v, int fd, int64_t now);
void net_zmq_guard_seen(struct visitor *v, size_t len);
const char *net_zmq_guard_judge(const struct visitor *v, bool drained, uint32_t handshake_ms,
                                int64_t now);

#endif
