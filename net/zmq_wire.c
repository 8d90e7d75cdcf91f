/* How other threads reach the I/O thread: a queue under a lock, and a descriptor to wake it.
 * (Inproc sockets would need one for each worker thread, and cost more than this.) */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "net/zmq_own.h"

/* The lock is held. */
static void signal_thread(struct net_zmq *z)
{
    uint64_t one = 1;

    if (z->signalled)
        return;
    z->signalled = true;
    if (write(z->order_fd, &one, sizeof one) != sizeof one)
        z->signalled = false; /* UNTESTED: an eventfd takes 2^64 - 2 of these */
}

static void place(struct net_zmq *z, struct order *o)
{
    pthread_mutex_lock(&z->lock);
    *z->orders_end = o;
    z->orders_end = &o->next;
    signal_thread(z);
    pthread_mutex_unlock(&z->lock);
}

static struct order *order_new(enum order_kind kind)
{
    struct order *o = calloc(1, sizeof *o);

    if (o)
        o->kind = kind;
    return o;
}

/* A frame that cannot be queued is lost, and its connection with it: the next one will not open.
 * That is what memory running out does here. */
static void wire_send(void *ctx, struct net_frame *frame)
{
    struct order *o = order_new(ORDER_SEND);

    if (!o) {
        net_frame_free(frame);
        return;
    }
    o->frame = frame;
    place(ctx, o);
}

static void wire_dial(void *ctx, const struct net_route *route, const char *endpoint)
{
    struct order *o = order_new(ORDER_DIAL);

    if (!o || !(o->endpoint = strdup(endpoint))) {
        free(o); /* the handshake's deadline ends the attempt */
        return;
    }
    o->route = *route;
    place(ctx, o);
}

static void wire_hangup(void *ctx, const struct net_route *route)
{
    struct order *o = order_new(ORDER_HANGUP);

    if (!o)
        return; /* the socket stays until the node closes; its frames are ignored */
    o->route = *route;
    place(ctx, o);
}

static void wire_wake(void *ctx)
{
    struct net_zmq *z = ctx;

    pthread_mutex_lock(&z->lock);
    z->tick = true;
    signal_thread(z);
    pthread_mutex_unlock(&z->lock);
}

void net_zmq_stop(struct net_zmq *z)
{
    pthread_mutex_lock(&z->lock);
    z->stop = true;
    signal_thread(z);
    pthread_mutex_unlock(&z->lock);
}

void net_zmq_wire_init(struct net_zmq *z)
{
    z->orders_end = &z->orders;
    z->wire = (struct net_wire){.ctx = z,
                                .dial = wire_dial,
                                .hangup = wire_hangup,
                                .send = wire_send,
                                .where = net_zmq_guard_where,
                                .wake = wire_wake};
}

struct order *net_zmq_orders_take(struct net_zmq *z, bool *tick, bool *stop)
{
    struct order *orders;
    uint64_t n;

    pthread_mutex_lock(&z->lock);
    orders = z->orders;
    z->orders = NULL;
    z->orders_end = &z->orders;
    if (z->signalled && read(z->order_fd, &n, sizeof n) == sizeof n)
        z->signalled = false;
    *tick = *tick || z->tick;
    z->tick = false;
    *stop = z->stop;
    pthread_mutex_unlock(&z->lock);
    return orders;
}

void net_zmq_order_free(struct order *o)
{
    net_frame_free(o->frame);
    free(o->endpoint);
    free(o);
}
