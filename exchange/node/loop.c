#define _GNU_SOURCE
#include "exchange/node/loop.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "exchange/node/notify.h"
#include "exchange/node/rpc.h"

enum { DRAIN_MS = 5000 };

struct node_loop {
    int wake_fd;
    int signal_fd;
    struct metrics_port *metrics; /* NULL: none */
};

void node_loop_metrics(struct node_loop *loop, struct metrics_port *port)
{
    loop->metrics = port;
}

void node_loop_wake(void *ctx)
{
    struct node_loop *loop = ctx;
    uint64_t one = 1;

    /* The counter can only be full when a wake is pending anyway. */
    if (write(loop->wake_fd, &one, sizeof one) < 0)
        return;
}

static fm_status open_signals(struct node_loop *loop, struct base_err *err)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return base_err_set(err, FM_E_IO, "signals cannot be blocked");
    loop->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return loop->signal_fd >= 0 ? FM_OK : base_err_errno(err, "signalfd");
}

fm_status node_loop_new(struct node_loop **out, struct base_err *err)
{
    struct node_loop *loop = calloc(1, sizeof *loop);
    fm_status st = FM_OK;

    *out = NULL;
    if (loop == NULL)
        return base_err_memory(err, "loop");
    loop->signal_fd = -1;
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake_fd < 0)
        st = base_err_errno(err, "eventfd");
    if (st == FM_OK)
        st = open_signals(loop, err);
    if (st != FM_OK) {
        node_loop_free(loop);
        return st;
    }
    *out = loop;
    return FM_OK;
}

void node_loop_free(struct node_loop *loop)
{
    if (loop == NULL)
        return;
    if (loop->wake_fd >= 0)
        (void)close(loop->wake_fd);
    if (loop->signal_fd >= 0)
        (void)close(loop->signal_fd);
    free(loop);
}

/* ---- requests ---- */

static void reply_progress(void *ctx, const char *text)
{
    rpc_progress(ctx, text);
}

static void reply_ok(void *ctx, const json_t *value)
{
    rpc_ok(ctx, value);
}

static void reply_error(void *ctx, const struct base_err *err)
{
    rpc_error(ctx, err);
}

static void on_request(void *ctx, struct rpc_call *call, const json_t *request)
{
    struct node_reply reply = {.ctx = call,
                               .file = rpc_call_file(call),
                               .progress = reply_progress,
                               .ok = reply_ok,
                               .error = reply_error};

    node_who(ctx, &reply.who, rpc_call_peer(call));
    node_request(ctx, request, &reply);
}

static fm_status on_admit(void *ctx, const struct node_peer *peer, struct base_err *err)
{
    struct node_person who;

    node_who(ctx, &who, peer);
    return node_roles_check(node_get_roles(ctx), &who, NODE_ANYONE, "this node", err);
}

static void on_cancelled(void *ctx, struct rpc_call *call)
{
    node_cancel(ctx, call);
}

static void on_stop(void *ctx, struct rpc_call *call)
{
    node_stop_call(ctx, call);
}

/* ---- the loop ---- */

/* SIGHUP opens the log again; the others end the loop. */
static bool signalled(const struct node_loop *loop, struct node *node)
{
    struct signalfd_siginfo info;

    while (read(loop->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo != SIGHUP)
            return true;
        else
            node_reopen_log(node);
    return false;
}

struct driven {
    struct node *node;
    struct net_node *net;
    int net_fd;
    struct rpc_server *rpc;
};

static void deliver_events(const struct driven *d)
{
    struct net_event *event;

    while ((event = net_node_event(d->net, 0)) != NULL) {
        node_on_event(d->node, event);
        net_node_event_done(d->net, event);
    }
}

static fm_status turn(struct node_loop *loop, const struct driven *d, struct base_err *err)
{
    struct pollfd fds[RPC_MAX_CLIENTS + 5 + NODE_FDS];
    size_t n = rpc_server_poll(d->rpc, fds + 4);
    int64_t wait = node_wait_ms(d->node);
    uint64_t count;

    fds[0] = (struct pollfd){.fd = loop->wake_fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = loop->signal_fd, .events = POLLIN};
    fds[2] = (struct pollfd){.fd = d->net_fd, .events = POLLIN};
    fds[3] = (struct pollfd){.fd = -1}; /* poll() passes it over */
    if (loop->metrics != NULL) {
        int most = metrics_port_wait_ms(loop->metrics);
        fds[3] = (struct pollfd){.fd = metrics_port_fd(loop->metrics), .events = POLLIN};
        wait = most >= 0 && most < wait ? most : wait;
    }
    node_poll(d->node, fds + 4 + n);
    if (poll(fds, n + 4 + NODE_FDS,
             wait < 0      ? 0
             : wait > 1000 ? 1000
                           : (int)wait) < 0 &&
        errno != EINTR)
        return base_err_errno(err, "poll");
    if (read(loop->wake_fd, &count, sizeof count) < 0 && errno != EAGAIN)
        return base_err_errno(err, "eventfd");
    deliver_events(d);
    node_on_jobs(d->node);
    node_serve(d->node, fds + 4 + n);
    rpc_server_serve(d->rpc, fds + 4, n);
    node_on_tick(d->node);
    if (loop->metrics != NULL)
        metrics_port_serve(loop->metrics);
    return node_health(d->node, err);
}

static fm_status run(struct node_loop *loop, const struct driven *d, struct base_err *err)
{
    int64_t drain_until = INT64_MAX, beat = notify_watchdog_ms(), beat_at = 0;
    bool draining = false;
    fm_status st = FM_OK;

    while (st == FM_OK) {
        int64_t now = base_clock_mono_ms(base_clock_system());
        if (!draining && signalled(loop, d->node)) {
            draining = true;
            drain_until = now + DRAIN_MS;
            notify_send("STOPPING=1");
        }
        if (beat > 0 && now >= beat_at) {
            notify_send("WATCHDOG=1");
            beat_at = now + beat;
        }
        if (draining && (node_drain(d->node) || now > drain_until))
            break;
        st = turn(loop, d, err);
    }
    return st;
}

fm_status node_loop_run(struct node_loop *loop, struct node *node, struct net_node *net, int net_fd,
                        const char *socket_path, void (*ready)(void *ctx), void *ready_ctx,
                        struct base_err *err)
{
    const struct rpc_handler handler = {node, on_admit, on_request, on_cancelled, on_stop};
    struct driven d = {node, net, net_fd, NULL};
    fm_status st = rpc_server_open(&d.rpc, socket_path,
                                   node_get_roles(node)->count > 0 ? 0666 : 0600, &handler, err);

    if (st != FM_OK)
        return st;
    if (ready != NULL)
        ready(ready_ctx);
    st = run(loop, &d, err);
    rpc_server_close(d.rpc);
    return st;
}
