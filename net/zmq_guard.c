/* The door. ZeroMQ takes in whoever comes, keeps them as long as they answer its pings, and gathers
 * a message of many parts whole, whatever its size, before anybody sees a part. So each
 * connection's TCP socket is watched from beside: the monitor tells of it, frames say which route
 * it is, and the kernel how many bytes it brought. What is over a bound is shut down, which ZeroMQ
 * takes for a connection that broke.
 *
 *   a stranger   (not LIVE in the mesh) handshake_ms + 1 s, and STRANGER_BYTES in all;
 *   strangers    NET_STRANGERS_MAX at a time, or the oldest of the address that has most goes;
 *   an address   ARRIVALS_BURST connections at once, ARRIVALS_PER_S a second;
 *   a peer       UNREAD_MAX bytes that came and were not seen as frames: an endless message.
 *
 * A descriptor is ZeroMQ's and may be closed and reused at any time; its socket's cookie tells
 * whether it is still the one that was meant. Only the I/O thread is here. */
#define _DEFAULT_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "net/zmq_own.h"

enum {
    STRANGER_BYTES = 64 << 10, /* a TLS handshake of at most 16 KiB, and ZeroMQ's own */
    UNREAD_MAX = 64 << 20,     /* more than the socket's buffer and a frame ... */
    BACKLOG_MAX = 1 << 30,     /* ... and when this node is behind with taking frames */
    OWN_BYTES_PER_S = 100,     /* pings of the peer's ZeroMQ */
    ARRIVALS_BURST = 64,
    ARRIVALS_PER_S = 16,
    GOODBYE_MS = 500, /* from the mesh's hanging up to the end: the last words are on their way */
    LOOK_STRANGER_MS = 10,
    LOOK_PEER_MS = 100,
    VISITORS_MAX = 1 << 20
};

static uint64_t cookie_of(int fd)
{
    uint64_t cookie = 0;
    socklen_t len = sizeof cookie;

    return getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) == 0 ? cookie : 0;
}

static uint64_t bytes_of(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof info;

    memset(&info, 0, sizeof info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return 0;
    return info.tcpi_bytes_received;
}

/* Who it is, as far as fairness among strangers goes: an IPv4 address, or an IPv6 network of 64
 * bits. */
static void address_of(int fd, uint8_t out16[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct sockaddr_storage any;
    struct sockaddr_in6 in6;
    socklen_t len = sizeof any;

    memset(out16, 0, 16);
    if (getpeername(fd, (struct sockaddr *)&any, &len) != 0)
        return;
    if (any.ss_family == AF_INET) {
        struct sockaddr_in in;
        memcpy(&in, &any, sizeof in);
        memcpy(out16, mapped, 12);
        memcpy(out16 + 12, &in.sin_addr, 4);
    } else if (any.ss_family == AF_INET6) {
        memcpy(&in6, &any, sizeof in6);
        memcpy(out16, &in6.sin6_addr, memcmp(&in6.sin6_addr, mapped, 12) == 0 ? 16 : 8);
    }
}

/* Whether one more connection of this address is within its rate. */
static bool welcome(struct net_zmq *z, const uint8_t address16[16], int64_t now)
{
    struct arrivals *a = &z->arrivals[0];

    for (unsigned i = 0; i < ARRIVALS_KEPT; i++) {
        if (memcmp(z->arrivals[i].address, address16, 16) == 0) {
            a = &z->arrivals[i];
            break;
        }
        if (z->arrivals[i].last_ms < a->last_ms)
            a = &z->arrivals[i];
    }
    if (memcmp(a->address, address16, 16) != 0) {
        *a = (struct arrivals){.last_ms = now, .credit = ARRIVALS_BURST * 1000};
        memcpy(a->address, address16, 16);
    }
    a->credit += (now - a->last_ms) * ARRIVALS_PER_S;
    a->credit = a->credit > ARRIVALS_BURST * 1000 ? ARRIVALS_BURST * 1000 : a->credit;
    a->last_ms = now;
    if (a->credit < 1000)
        return false;
    a->credit -= 1000;
    return true;
}

static bool present(const struct visitor *v)
{
    return v->cookie != 0;
}

static void forget(struct visitor *v)
{
    *v = (struct visitor){0};
}

/* The address, as text for a log. */
static void spell(const struct visitor *v, char out[NET_WHERE])
{
    struct in6_addr in6;
    bool mapped = v->address[10] == 0xff && v->address[11] == 0xff;

    memcpy(&in6, v->address, 16);
    if (!inet_ntop(mapped ? AF_INET : AF_INET6, mapped ? v->address + 12 : (const void *)&in6, out,
                   NET_WHERE))
        out[0] = '\0'; /* UNTESTED: it fits */
}

/* A stranger goes, for this reason: the mesh counts it, by its route if it knows one. */
static void turn_away(struct net_zmq *z, const struct visitor *v, const char *why)
{
    char where[NET_WHERE];

    spell(v, where);
    net_node_lock(&z->node);
    if (v->route.len > 0)
        net_mesh_route_gone(z->node.mesh, &v->route, why);
    else
        net_mesh_stranger(z->node.mesh, where, why);
    net_node_unlock(&z->node);
}

static void shut(struct visitor *v)
{
    if (cookie_of(v->fd) == v->cookie)
        (void)shutdown(v->fd, SHUT_RDWR);
}

/* Tells the mesh that a route is gone. */
static void lose(struct net_zmq *z, const struct net_route *route, const char *why)
{
    net_node_lock(&z->node);
    net_mesh_route_gone(z->node.mesh, route, why);
    net_node_unlock(&z->node);
}

static unsigned strangers_of(const struct net_zmq *z, const uint8_t *address16)
{
    unsigned n = 0;

    for (unsigned i = 0; i < z->visitors_len; i++) {
        const struct visitor *v = &z->visitors[i];
        n += present(v) && !v->live && (!address16 || memcmp(v->address, address16, 16) == 0);
    }
    return n;
}

/* Room for one more: a flood from one address crowds out itself, not a member's slow handshake. */
static void make_room(struct net_zmq *z)
{
    struct visitor *oldest = NULL;
    unsigned most = 0;

    if (strangers_of(z, NULL) <= NET_STRANGERS_MAX)
        return;
    for (unsigned i = 0; i < z->visitors_len; i++) {
        struct visitor *v = &z->visitors[i];
        unsigned n;
        if (!present(v) || v->live)
            continue;
        n = strangers_of(z, v->address);
        if (n > most || (n == most && v->since_ms < oldest->since_ms)) {
            most = n;
            oldest = v;
        }
    }
    turn_away(z, oldest, "too many strangers");
    shut(oldest);
    forget(oldest);
}

static bool make_slot(struct net_zmq *z, unsigned fd)
{
    unsigned len = z->visitors_len ? z->visitors_len : 64;
    struct visitor *grown;

    while (len <= fd)
        len *= 2;
    if (len == z->visitors_len)
        return true;
    if (len > VISITORS_MAX || !(grown = realloc(z->visitors, len * sizeof *grown)))
        return false;
    memset(grown + z->visitors_len, 0, (len - z->visitors_len) * sizeof *grown);
    z->visitors = grown;
    z->visitors_len = len;
    return true;
}

void net_zmq_guard_begin(struct visitor *v, int fd, int64_t now)
{
    *v = (struct visitor){.fd = fd, .cookie = cookie_of(fd), .since_ms = now};
    if (present(v))
        address_of(fd, v->address);
}

static void arrived(struct net_zmq *z, int fd, int64_t now)
{
    struct visitor v;

    net_zmq_guard_begin(&v, fd, now);
    if (!present(&v))
        return; /* gone again */
    if (!welcome(z, v.address, now) || !make_slot(z, (unsigned)fd)) {
        turn_away(z, &v, "too many connections from there");
        shut(&v);
        return;
    }
    if (z->visitors[fd].live) /* its end was told of, and its last frames have had their time */
        lose(z, &z->visitors[fd].route, "the connection broke");
    z->visitors[fd] = v;
    make_room(z);
}

bool net_zmq_monitor_take(void *monitor, unsigned *event, int *value)
{
    uint8_t told[6], address[256];
    uint16_t kind;
    int32_t number;
    int n = zmq_recv(monitor, told, sizeof told, ZMQ_DONTWAIT);

    if (n < 0)
        return false;
    (void)zmq_recv(monitor, address, sizeof address, ZMQ_DONTWAIT);
    memcpy(&kind, told, 2);
    memcpy(&number, told + 2, 4);
    *event = kind;
    *value = number;
    return true;
}

void net_zmq_guard_listen(struct net_zmq *z, int64_t now)
{
    unsigned event;
    int fd;

    z->last_fd = -1;
    while (net_zmq_monitor_take(z->monitor, &event, &fd)) {
        if (event == ZMQ_EVENT_ACCEPTED)
            arrived(z, fd, now);
        else if (event == ZMQ_EVENT_DISCONNECTED && fd >= 0 && (unsigned)fd < z->visitors_len &&
                 present(&z->visitors[fd]) && z->visitors[fd].gone_ms == 0)
            z->visitors[fd].gone_ms = now;
    }
}

/* What a frame took of the bytes that came; ZeroMQ puts 2 or 9 before it. */
static uint64_t on_the_wire(size_t len)
{
    return len + (len < 256 ? 2 : 9);
}

void net_zmq_guard_seen(struct visitor *v, size_t len)
{
    v->taken += on_the_wire(len);
}

void net_zmq_guard_frame(struct net_zmq *z, zmq_msg_t *message, const struct net_route *route)
{
    bool again = z->last_fd >= 0 && net_route_equal(&z->last_route, route);
    int fd = again ? z->last_fd : zmq_msg_get(message, ZMQ_SRCFD);
    struct visitor *v;

    z->last_fd = fd;
    z->last_route = *route;
    if (fd < 0 || (unsigned)fd >= z->visitors_len || !present(&z->visitors[fd]))
        return;
    v = &z->visitors[fd];
    if (!net_route_equal(&v->route, route)) {
        if (v->live)
            return; /* a straggler of a connection that had this descriptor before */
        v->route = *route;
        v->taken = 0;
    }
    net_zmq_guard_seen(v, zmq_msg_size(message));
    /* Not at the next look only: until then more comes than has to be taken. */
    if (!v->live && v->taken > STRANGER_BYTES && !net_mesh_route_live(z->node.mesh, route))
        shut(v);
}

const char *net_zmq_guard_judge(const struct visitor *v, bool drained, uint32_t handshake_ms,
                                int64_t now)
{
    uint64_t came = bytes_of(v->fd), own = (uint64_t)(now - v->since_ms) * OWN_BYTES_PER_S / 1000;

    if (!v->live && now > v->since_ms + handshake_ms + 1000)
        return "it did not authenticate in time";
    if (!v->live && !v->dialled && came > STRANGER_BYTES)
        return "it sent too much before it authenticated";
    if (came > v->taken + own + (drained ? UNREAD_MAX : BACKLOG_MAX))
        return "it sends a message without an end";
    return NULL;
}

/* One look at one visitor. Returns whether it is still there. */
static bool look_at(struct net_zmq *z, struct visitor *v, int64_t now)
{
    const char *why;

    if (v->gone_ms != 0) {
        if (now < v->gone_ms + NET_ZMQ_GRACE_MS)
            return true;
        if (v->route.len > 0)
            lose(z, &v->route, "the connection broke");
        forget(v);
        return false;
    }
    if (v->end_ms != 0) {
        if (now < v->end_ms)
            return true;
        shut(v);
        forget(v);
        return false;
    }
    if (!v->live && v->route.len > 0) {
        net_node_lock(&z->node);
        v->live = net_mesh_route_live(z->node.mesh, &v->route);
        net_node_unlock(&z->node);
    }
    why = net_zmq_guard_judge(v, z->drained, z->timing.handshake_ms, now);
    if (!why)
        return true;
    if (v->live)
        lose(z, &v->route, why);
    else
        turn_away(z, v, why);
    shut(v);
    forget(v);
    return false;
}

int64_t net_zmq_guard_tick(struct net_zmq *z, int64_t now)
{
    int64_t next = INT64_MAX;

    for (unsigned i = 0; i < z->visitors_len; i++) {
        struct visitor *v = &z->visitors[i];
        int64_t again;
        if (!present(v) || !look_at(z, v, now))
            continue;
        again = now + (v->live ? LOOK_PEER_MS : LOOK_STRANGER_MS);
        next = again < next ? again : next;
    }
    return next;
}

void net_zmq_guard_where(void *ctx, const struct net_route *route, char out[NET_WHERE])
{
    struct net_zmq *z = ctx;

    for (unsigned i = 0; i < z->visitors_len; i++)
        if (present(&z->visitors[i]) && net_route_equal(&z->visitors[i].route, route))
            spell(&z->visitors[i], out);
}

void net_zmq_guard_hangup(struct net_zmq *z, const struct net_route *route, int64_t now)
{
    for (unsigned i = 0; i < z->visitors_len; i++)
        if (present(&z->visitors[i]) && net_route_equal(&z->visitors[i].route, route)) {
            z->visitors[i].end_ms = now + GOODBYE_MS;
            z->visitors[i].live = false;
        }
}
