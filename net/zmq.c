#include "net/zmq.h"

#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "net/zmq_own.h"

enum {
    POLL_MAX_MS = 200, /* at the latest: timers of connections that strangers began */
    PROBE_MS = 50,
    PROBES = 4,
    GRACE_MS = 100, /* from a break to the end: ZeroMQ tells of it before its last frames come */
    BATCH = 64,     /* frames from one socket before the next has its turn */
    ITEMS = 3 + 2 * NET_PEERS_MAX
};

static void carry_out(struct net_zmq *z, struct order *o)
{
    struct dealer **at = &z->dealers;

    switch (o->kind) {
    case ORDER_SEND:
        net_zmq_send(z, o->frame);
        o->frame = NULL;
        break;
    case ORDER_DIAL:
        net_zmq_dial(z, &o->route, o->endpoint);
        break;
    case ORDER_HANGUP:
        while (*at && !net_route_equal(&(*at)->route, &o->route))
            at = &(*at)->next;
        if (*at)
            net_zmq_hangup(z, at);
        break;
    }
}

/* Until none is left: carrying one out can place others. Returns whether the node stops. */
static bool all_orders(struct net_zmq *z, bool *tick)
{
    struct order *o, *next;
    bool stop;

    while ((o = net_zmq_orders_take(z, tick, &stop)))
        for (; o; o = next) {
            next = o->next;
            carry_out(z, o);
            net_zmq_order_free(o);
        }
    return stop;
}

/* A peer that dialled us and is gone shows only when something is sent to it. */
static void probe(struct net_zmq *z)
{
    z->probes--;
    net_node_lock(&z->node);
    net_mesh_probe(z->node.mesh);
    net_node_unlock(&z->node);
}

static unsigned items_of(struct net_zmq *z, zmq_pollitem_t *items)
{
    unsigned n = 0;

    items[n++] = (zmq_pollitem_t){.fd = z->order_fd, .events = ZMQ_POLLIN};
    items[n++] = (zmq_pollitem_t){.socket = z->router, .events = ZMQ_POLLIN};
    items[n++] = (zmq_pollitem_t){.socket = z->monitor, .events = ZMQ_POLLIN};
    for (struct dealer *d = z->dealers; d && n + 2 <= ITEMS; d = d->next) {
        items[n++] = (zmq_pollitem_t){.socket = d->socket, .events = ZMQ_POLLIN};
        items[n++] = (zmq_pollitem_t){.socket = d->monitor, .events = ZMQ_POLLIN};
    }
    return n;
}

static void receive(struct net_zmq *z, void *socket, const struct net_route *route, unsigned most)
{
    net_node_lock(&z->node);
    net_zmq_receive(z, socket, route, most);
    net_node_unlock(&z->node);
}

/* The items are in the order of the dealers, and only all_orders() changes those. */
static void take_what_came(struct net_zmq *z, const zmq_pollitem_t *items, unsigned n)
{
    struct dealer *d = z->dealers;

    if (items[1].revents)
        receive(z, z->router, NULL, BATCH);
    if (items[2].revents && net_zmq_broken(z->monitor))
        z->probes = PROBES;
    for (unsigned i = 3; i + 1 < n; i += 2, d = d->next) {
        if (items[i].revents)
            receive(z, d->socket, &d->route, BATCH);
        if (items[i + 1].revents && net_zmq_broken(d->monitor) && d->broken_ms == 0)
            d->broken_ms = base_clock_mono_ms(z->node.waits->clock);
    }
}

/* Ends the routes whose connection broke a while ago: what the peer said before it left has come by
 * now, and counts. Returns when to look again. */
static int64_t end_broken(struct net_zmq *z, int64_t now)
{
    int64_t next = INT64_MAX;

    for (struct dealer *d = z->dealers; d; d = d->next) {
        if (d->broken_ms == 0)
            continue;
        if (now < d->broken_ms + GRACE_MS) {
            next = d->broken_ms + GRACE_MS < next ? d->broken_ms + GRACE_MS : next;
            continue;
        }
        d->broken_ms = INT64_MAX - GRACE_MS; /* once: the mesh hangs it up, if it still has it */
        receive(z, d->socket, &d->route, UINT32_MAX);
        net_node_lock(&z->node);
        net_mesh_route_gone(z->node.mesh, &d->route, "the connection broke, or nobody listens");
        net_node_unlock(&z->node);
    }
    return next;
}

static void io_thread(void *arg)
{
    struct net_zmq *z = arg;
    zmq_pollitem_t items[ITEMS];
    int64_t next = 0;
    bool tick = true;

    while (!all_orders(z, &tick)) {
        int64_t now = base_clock_mono_ms(z->node.waits->clock);
        int64_t wait, broken = end_broken(z, now);
        unsigned n;
        if (tick || now >= next) {
            if (z->probes > 0)
                probe(z);
            net_node_lock(&z->node);
            next = net_mesh_tick(z->node.mesh);
            net_node_unlock(&z->node);
            tick = false;
            if (next > now + POLL_MAX_MS)
                next = now + POLL_MAX_MS;
            if (z->probes > 0 && next > now + PROBE_MS)
                next = now + PROBE_MS;
            continue; /* that may have placed orders */
        }
        wait = (broken < next ? broken : next) - now;
        n = items_of(z, items);
        if (zmq_poll(items, (int)n, (long)wait) < 0 && errno != EINTR)
            break; /* UNTESTED: the context was terminated, which only close does, after us */
        take_what_came(z, items, n);
        if (z->probes == PROBES)
            tick = true;
    }
    net_zmq_close_sockets(z);
}

/* Under the node's lock. */
static void notify(void *ctx, bool pending)
{
    struct net_zmq *z = ctx;
    uint64_t n = 1;
    ssize_t done = pending ? write(z->event_fd, &n, sizeof n) : read(z->event_fd, &n, sizeof n);

    assert(done == sizeof n); /* it is written when it is 0 and read when it is 1 */
    (void)done;
}

static struct net_timing with_defaults(struct net_timing t)
{
    t.heartbeat_ms = t.heartbeat_ms ? t.heartbeat_ms : 1000;
    t.silence_ms = t.silence_ms ? t.silence_ms : 10000;
    t.handshake_ms = t.handshake_ms ? t.handshake_ms : 5000;
    return t;
}

static void zmq_release(struct net_zmq *z)
{
    struct order *o;

    net_zmq_close_sockets(z);
    if (z->context)
        zmq_ctx_term(z->context);
    while ((o = z->orders)) {
        z->orders = o->next;
        net_zmq_order_free(o);
    }
    net_node_release(&z->node);
    if (z->event_fd >= 0)
        close(z->event_fd);
    if (z->order_fd >= 0)
        close(z->order_fd);
    pthread_mutex_destroy(&z->lock);
    free(z);
}

/* Frames of 1 MiB come and go all the time; by default malloc gives such blocks back to the kernel
 * and takes them again, a page fault for each 4 kB. Measured on loopback: 40 % more bytes a second.
 */
static void keep_freed_memory(void)
{
#ifdef __GLIBC__
    mallopt(M_MMAP_THRESHOLD, 4 << 20);
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
#endif
}

fm_status net_zmq_open(struct net_zmq **out, const struct net_zmq_config *config,
                       struct base_err *err)
{
    struct net_zmq *z = calloc(1, sizeof *z);
    struct net_node_config node = {.identity = config->identity,
                                   .keys = config->keys,
                                   .waits = net_waits_threads(),
                                   .notify = notify,
                                   .notify_ctx = z};
    fm_status rv;

    *out = NULL;
    if (!z)
        return base_err_memory(err, "network node");
    z->timing = node.timing = with_defaults(config->timing);
    keep_freed_memory();
    node.wire = &z->wire;
    net_zmq_wire_init(z);
    pthread_mutex_init(&z->lock, NULL);
    z->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    z->order_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (z->event_fd < 0 || z->order_fd < 0 || !(z->context = zmq_ctx_new())) {
        rv = base_err_errno(err, "network node");
        goto fail;
    }
    rv = net_zmq_bind(z, config->bind, err);
    if (rv == FM_OK)
        rv = net_node_init(&z->node, &node, err);
    if (rv == FM_OK)
        rv = node.waits->spawn(node.waits->ctx, &z->thread, io_thread, z, err);
    if (rv != FM_OK)
        goto fail;
    *out = z;
    return FM_OK;
fail:
    zmq_release(z);
    return rv;
}

struct net_node *net_zmq_node(struct net_zmq *z)
{
    return &z->node;
}

int net_zmq_fd(const struct net_zmq *z)
{
    return z->event_fd;
}

const char *net_zmq_endpoint(const struct net_zmq *z)
{
    return z->endpoint;
}

void net_zmq_close(struct net_zmq *z)
{
    if (!z)
        return;
    net_node_lock(&z->node);
    net_mesh_shutdown(z->node.mesh);
    net_node_unlock(&z->node);
    net_zmq_stop(z);
    z->node.waits->join(z->thread);
    zmq_release(z);
}
