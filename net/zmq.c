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
    LOOK_MS = 50,      /* at the connections that this node dialled */
    BATCH = 64,        /* frames from one socket before the next has its turn */
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
        else
            net_zmq_guard_hangup(z, &o->route, base_clock_mono_ms(z->node.waits->clock));
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

/* Returns whether all that had come was taken. */
static bool receive(struct net_zmq *z, struct dealer *d, unsigned most)
{
    unsigned n;

    net_node_lock(&z->node);
    n = net_zmq_receive(z, d, most);
    net_node_unlock(&z->node);
    return n < most;
}

/* The items are in the order of the dealers, and only all_orders() changes those. */
static void take_what_came(struct net_zmq *z, const zmq_pollitem_t *items, unsigned n)
{
    int64_t now = base_clock_mono_ms(z->node.waits->clock);
    struct dealer *d = z->dealers;

    if (items[2].revents) /* first: a frame's connection is known before the frame */
        net_zmq_guard_listen(z, now);
    z->drained = !items[1].revents || receive(z, NULL, BATCH);
    for (unsigned i = 3; i + 1 < n; i += 2, d = d->next) {
        if (items[i + 1].revents)
            net_zmq_dealer_listen(d, now);
        d->drained = !items[i].revents || receive(z, d, BATCH);
    }
}

/* Ends the route of a dealer's connection that is over its bounds. */
static void judge(struct net_zmq *z, struct dealer *d, int64_t now)
{
    const char *why;

    net_node_lock(&z->node);
    if (!d->line.live)
        d->line.live = net_mesh_route_live(z->node.mesh, &d->route);
    why = net_zmq_guard_judge(&d->line, d->drained, z->timing.handshake_ms, now);
    if (why)
        net_mesh_route_gone(z->node.mesh, &d->route, why);
    net_node_unlock(&z->node);
}

/* Ends the routes whose connection broke a while ago: what the peer said before it left has come by
 * now, and counts. Returns when to look again. */
static int64_t end_broken(struct net_zmq *z, int64_t now)
{
    int64_t next = INT64_MAX;

    for (struct dealer *d = z->dealers; d; d = d->next) {
        int64_t due = d->broken_ms + NET_ZMQ_GRACE_MS;
        if (d->broken_ms == 0)
            continue;
        if (now < due) {
            next = due < next ? due : next;
            continue;
        }
        d->broken_ms =
            INT64_MAX - NET_ZMQ_GRACE_MS; /* once: the mesh hangs it up, if it still has it */
        (void)receive(z, d, UINT32_MAX);
        net_node_lock(&z->node);
        net_mesh_route_gone(z->node.mesh, &d->route, "the connection broke, or nobody listens");
        net_node_unlock(&z->node);
    }
    return next;
}

/* Looks at all connections from beside; returns when to look again. */
static int64_t watch(struct net_zmq *z, int64_t now)
{
    int64_t next = net_zmq_guard_tick(z, now);

    for (struct dealer *d = z->dealers; d; d = d->next)
        if (d->line.cookie != 0 && d->broken_ms == 0) {
            judge(z, d, now);
            next = now + LOOK_MS < next ? now + LOOK_MS : next;
        }
    return next;
}

static void io_thread(void *arg)
{
    struct net_zmq *z = arg;
    zmq_pollitem_t items[ITEMS];
    int64_t next = 0, look = 0;
    bool tick = true;

    while (!all_orders(z, &tick)) {
        int64_t now = base_clock_mono_ms(z->node.waits->clock);
        int64_t wait, broken = end_broken(z, now);
        unsigned n;
        if (now >= look)
            look = watch(z, now);
        if (tick || now >= next) {
            net_node_lock(&z->node);
            next = net_mesh_tick(z->node.mesh);
            net_node_unlock(&z->node);
            tick = false;
            if (next > now + POLL_MAX_MS)
                next = now + POLL_MAX_MS;
            continue; /* that may have placed orders */
        }
        wait = (broken < next ? broken : next) - now;
        if (look < now + wait)
            wait = look - now;
        n = items_of(z, items);
        if (zmq_poll(items, (int)n, (long)wait) < 0 && errno != EINTR)
            break; /* UNTESTED: the context was terminated, which only close does, after us */
        take_what_came(z, items, n);
        if (items[2].revents)
            look = 0;
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
    free(z->visitors);
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
    z->last_fd = -1;
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
