/* ZeroMQ's sockets: options, frames in and out. Only the I/O thread is here, except that binding
 * happens before it starts, and that ZeroMQ frees sent frames in a thread of its own. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/zmq_own.h"

enum {
    LINGER_MS = 1000,
    NEVER_MS = 3600 * 1000, /* -1 would drop frames that came before the connection broke */
    COPY_BELOW = 4096,      /* smaller frames are cheaper to copy than to hand over */
    AUTO_ID = 5 /* length of the routing ids that a ROUTER makes itself; they begin with 0 */
};

/* A frame that came: ZeroMQ's message is its memory. */
struct arrived {
    struct net_frame frame;
    zmq_msg_t message;
};

static int set_int(void *socket, int option, int value)
{
    return zmq_setsockopt(socket, option, &value, sizeof value);
}

/* No high-water marks: what may wait for a peer, or come from one, is bounded above, by the windows
 * of its streams, and a mark would make the I/O thread drop frames; what a stranger sends is
 * bounded by zmq_guard.c. Nor any pings: the mesh has its own heartbeats. Either would let any
 * stranger end this process: libzmq 4.3.4 stops reading at the mark, and when the connection is
 * then reset and there is a ping to send or to answer, it fails an assertion
 * (stream_engine_base.cpp,
 * !_io_error). Nothing is reconnected behind our back, because a new connection needs a new
 * handshake. */
static bool set_options(struct net_zmq *z, void *s)
{
    int64_t most = NET_FRAME_MAX;

    return set_int(s, ZMQ_SNDHWM, 0) == 0 && set_int(s, ZMQ_RCVHWM, 0) == 0 &&
           zmq_setsockopt(s, ZMQ_MAXMSGSIZE, &most, sizeof most) == 0 &&
           set_int(s, ZMQ_LINGER, LINGER_MS) == 0 && set_int(s, ZMQ_RECONNECT_IVL, NEVER_MS) == 0 &&
           set_int(s, ZMQ_HANDSHAKE_IVL, (int)z->timing.handshake_ms) == 0 &&
           set_int(s, ZMQ_CONNECT_TIMEOUT, (int)z->timing.handshake_ms) == 0 &&
           set_int(s, ZMQ_IPV6, 1) == 0;
}

/* A socket that tells when a connection of s is made or breaks. */
static void *monitor_new(struct net_zmq *z, void *s)
{
    static const int events = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_CONNECTED | ZMQ_EVENT_DISCONNECTED |
                              ZMQ_EVENT_CLOSED | ZMQ_EVENT_CONNECT_RETRIED |
                              ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                              ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    char name[64];
    void *pair;

    snprintf(name, sizeof name, "inproc://monitor-%p", s);
    if (zmq_socket_monitor(s, name, events) != 0 || !(pair = zmq_socket(z->context, ZMQ_PAIR)))
        return NULL;
    if (set_int(pair, ZMQ_LINGER, 0) == 0 && zmq_connect(pair, name) == 0)
        return pair;
    zmq_close(pair);
    return NULL;
}

static void close_both(void *socket, void *monitor)
{
    if (monitor) {
        zmq_socket_monitor(socket, NULL, 0);
        zmq_close(monitor);
    }
    if (socket)
        zmq_close(socket);
}

fm_status net_zmq_bind(struct net_zmq *z, const char *bind, struct base_err *err)
{
    size_t len = sizeof z->endpoint;

    if (!(z->router = zmq_socket(z->context, ZMQ_ROUTER)) || !set_options(z, z->router) ||
        set_int(z->router, ZMQ_ROUTER_MANDATORY, 1) != 0 ||
        !(z->monitor = monitor_new(z, z->router)))
        return base_err_set(err, FM_E_IO, "ZeroMQ socket: %s", zmq_strerror(errno));
    if (zmq_bind(z->router, bind) == 0) {
        if (zmq_getsockopt(z->router, ZMQ_LAST_ENDPOINT, z->endpoint, &len) != 0)
            return base_err_set(err, FM_E_IO, "%s: %s", bind, zmq_strerror(errno));
        return FM_OK;
    }
    if (errno == EADDRINUSE)
        return base_err_set(err, FM_E_CONFLICT,
                            "%s: the port is in use; stop the program that has it, or choose "
                            "another in node.json",
                            bind);
    if (errno == EINVAL || errno == EPROTONOSUPPORT || errno == ENODEV)
        return base_err_set(err, FM_E_ARG, "%.200s: not an address to listen on (tcp://HOST:PORT)",
                            bind);
    return base_err_set(err, FM_E_IO, "%s: %s", bind, zmq_strerror(errno));
}

static void route_gone(struct net_zmq *z, const struct net_route *route, const char *why)
{
    net_node_lock(&z->node);
    net_mesh_route_gone(z->node.mesh, route, why);
    net_node_unlock(&z->node);
}

void net_zmq_dial(struct net_zmq *z, const struct net_route *route, const char *endpoint)
{
    struct dealer *d = calloc(1, sizeof *d);
    char why[300];

    if (d && (d->socket = zmq_socket(z->context, ZMQ_DEALER)) && set_options(z, d->socket) &&
        (d->monitor = monitor_new(z, d->socket)) && zmq_connect(d->socket, endpoint) == 0) {
        d->route = *route;
        d->next = z->dealers;
        z->dealers = d;
        return;
    }
    snprintf(why, sizeof why, "%.200s: %s", endpoint, zmq_strerror(errno));
    if (d)
        close_both(d->socket, d->monitor);
    free(d);
    route_gone(z, route, why);
}

/* What waits for a connection that is over, or never was, could only hold up the end. */
void net_zmq_hangup(struct net_zmq *z, struct dealer **at)
{
    struct dealer *d = *at;

    *at = d->next;
    net_zmq_dealer_listen(d, base_clock_mono_ms(z->node.waits->clock));
    if (d->broken_ms != 0 || !d->line.dialled)
        (void)set_int(d->socket, ZMQ_LINGER, 0);
    close_both(d->socket, d->monitor);
    free(d);
}

/* In ZeroMQ's thread. Its own hand-over orders the memory; this pair of release and acquire says so
 * in terms that checkers of races see. */
static void free_sent(void *bytes, void *hint)
{
    struct net_frame *frame = hint;
    bool handed_over;

    (void)bytes;
    handed_over = atomic_load_explicit(&frame->handed_over, memory_order_acquire);
    assert(handed_over);
    net_frame_free(frame);
}

static void *socket_of(struct net_zmq *z, const struct net_route *route)
{
    for (struct dealer *d = z->dealers; d; d = d->next)
        if (net_route_equal(&d->route, route))
            return d->socket;
    return route->id[0] == 0 ? z->router : NULL;
}

static bool message_of(zmq_msg_t *message, struct net_frame *frame)
{
    uint8_t *bytes = frame->bytes;
    size_t len = frame->len;

    if (len < COPY_BELOW) {
        if (zmq_msg_init_size(message, len) != 0)
            return false;
        memcpy(zmq_msg_data(message), bytes, len);
        net_frame_free(frame);
        return true;
    }
    atomic_store_explicit(&frame->handed_over, true, memory_order_release);
    return zmq_msg_init_data(message, bytes, len, free_sent, frame) == 0;
}

/* The message is made before its route is sent, so that a half is never left behind. */
void net_zmq_send(struct net_zmq *z, struct net_frame *frame)
{
    struct net_route route = frame->route;
    void *s = socket_of(z, &route);
    zmq_msg_t message;

    if (!s || !message_of(&message, frame)) {
        net_frame_free(frame);
        return;
    }
    if ((s == z->router && zmq_send(s, route.id, route.len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) ||
        zmq_msg_send(&message, s, ZMQ_DONTWAIT) < 0) {
        zmq_msg_close(&message);
        route_gone(z, &route, "the connection broke");
    }
}

/* One more part came, by a dealer or, if that is NULL, by the ROUTER. */
static void seen(struct net_zmq *z, struct dealer *d, zmq_msg_t *part,
                 const struct net_route *route)
{
    if (d)
        net_zmq_guard_seen(&d->line, zmq_msg_size(part));
    else
        net_zmq_guard_frame(z, part, route);
}

static void arrived_release(struct net_frame *frame)
{
    struct arrived *a = (struct arrived *)frame;

    zmq_msg_close(&a->message);
    free(a);
}

/* Throws away the rest of a message of several parts: none of ours is. */
static bool skip_parts(struct net_zmq *z, struct dealer *d, void *socket,
                       const struct net_route *route)
{
    zmq_msg_t part;
    bool more = false;

    while (zmq_msg_init(&part) == 0 && zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) >= 0) {
        bool last = !zmq_msg_more(&part);
        seen(z, d, &part, route);
        zmq_msg_close(&part);
        more = true;
        if (last)
            break;
    }
    return more;
}

/* The routing id that a ROUTER puts before each message. Peers that chose one themselves are not
 * ours. */
static bool take_route(void *router, struct net_route *route, bool *usable)
{
    uint8_t id[256];
    int n = zmq_recv(router, id, sizeof id, ZMQ_DONTWAIT);

    if (n < 0)
        return false;
    *usable = n == AUTO_ID && id[0] == 0;
    route->len = AUTO_ID;
    memcpy(route->id, id, AUTO_ID);
    return true;
}

static bool receive_one(struct net_zmq *z, struct dealer *d)
{
    struct net_route route = d ? d->route : (struct net_route){0};
    void *socket = d ? d->socket : z->router;
    bool usable = true;
    struct arrived *a;

    if (!d && !take_route(socket, &route, &usable))
        return false;
    if (!usable || !(a = malloc(sizeof *a)))
        return skip_parts(z, d, socket, &route);
    if (zmq_msg_init(&a->message) != 0 || zmq_msg_recv(&a->message, socket, ZMQ_DONTWAIT) < 0) {
        free(a);
        return false;
    }
    a->frame = (struct net_frame){.route = route,
                                  .len = zmq_msg_size(&a->message),
                                  .bytes = zmq_msg_data(&a->message),
                                  .release = arrived_release};
    seen(z, d, &a->message, &route);
    if (zmq_msg_more(&a->message)) {
        skip_parts(z, d, socket, &route);
        net_frame_free(&a->frame);
    } else {
        net_mesh_frame(z->node.mesh, &a->frame);
    }
    return true;
}

unsigned net_zmq_receive(struct net_zmq *z, struct dealer *d, unsigned most)
{
    unsigned n = 0;

    while (n < most && receive_one(z, d))
        n++;
    return n;
}

void net_zmq_dealer_listen(struct dealer *d, int64_t now)
{
    unsigned event;
    int value;

    while (net_zmq_monitor_take(d->monitor, &event, &value))
        if (event == ZMQ_EVENT_CONNECTED) {
            net_zmq_guard_begin(&d->line, value, now);
            d->line.dialled = true;
        } else if (d->broken_ms == 0) {
            d->broken_ms = now;
        }
}

void net_zmq_close_sockets(struct net_zmq *z)
{
    while (z->dealers)
        net_zmq_hangup(z, &z->dealers);
    close_both(z->router, z->monitor);
    z->router = z->monitor = NULL;
}
