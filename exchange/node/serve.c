#include "exchange/node/serve.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "base/secret.h"
#include "exchange/node/loop.h"
#include "exchange/node/rpc.h"
#include "net/zmq.h"

/* Everything a node stands on, opened in this order and closed in the other. */
struct service {
    pthread_mutex_t vouching_lock; /* guards vouching against the network's thread */
    struct node *vouching;         /* the node while it says who is who; then NULL */
    struct node_log *log;
    struct node_loop *loop;
    struct node *node;
    struct net_identity *identity;
    struct net_zmq *zmq;
    struct metrics_port *metrics;
};

/* The network outlives the node by the moment that it needs to say good-bye; whoever knocks then
 * finds nobody who knows it. */
static bool key_of(void *ctx, const char *peer, uint8_t out33[NET_KEY])
{
    struct service *s = ctx;
    bool known = false;

    pthread_mutex_lock(&s->vouching_lock);
    if (s->vouching != NULL) {
        struct net_keys keys = node_keys(s->vouching);
        known = keys.key_of(keys.ctx, peer, out33);
    }
    pthread_mutex_unlock(&s->vouching_lock);
    return known;
}

static void vouch(struct service *s, struct node *node)
{
    pthread_mutex_lock(&s->vouching_lock);
    s->vouching = node;
    pthread_mutex_unlock(&s->vouching_lock);
}

static fm_status open_node(struct service *s, const struct home *home,
                           const struct serve_keys *keys, const void *genesis, size_t genesis_len,
                           struct base_err *err)
{
    struct node_config config = {.home = *home,
                                 .assertion = keys->assertion,
                                 .salts = keys->salts,
                                 .officer = keys->officer,
                                 .genesis = genesis,
                                 .genesis_len = genesis_len,
                                 .clock = base_clock_system(),
                                 .random = base_random_system(),
                                 .waits = net_waits_threads(),
                                 .wake = node_loop_wake};
    fm_status st = node_log_open(&s->log, home->log, base_clock_system(), err);

    if (st == FM_OK)
        node_log_set_level(s->log, home->log_level);
    if (st == FM_OK)
        st = node_loop_new(&s->loop, err);
    config.log = s->log;
    config.wake_ctx = s->loop;
    return st == FM_OK ? node_new(&s->node, &config, err) : st;
}

static fm_status open_network(struct service *s, const struct home *home,
                              const struct serve_keys *keys, struct base_err *err)
{
    struct net_zmq_config config = {.bind = home->listen, .keys = {key_of, s}};
    fm_status st = net_identity_from_seed(&s->identity, home->alias,
                                          did_secret_bytes(keys->authentication), err);

    config.identity = s->identity;
    vouch(s, s->node);
    if (st == FM_OK)
        st = net_zmq_open(&s->zmq, &config, err);
    if (st == FM_OK)
        st = node_attach(s->node, net_zmq_node(s->zmq), err);
    if (st == FM_OK && home->metrics[0] != '\0')
        st = metrics_port_open(&s->metrics, home->metrics, node_write_metrics, s->node, err);
    if (st == FM_OK)
        node_loop_metrics(s->loop, s->metrics);
    return st;
}

/* Where the node listens for its people; the home's node.sock leads there in any case. */
static fm_status socket_of(char out[HOME_PATH], const struct home *home, struct base_err *err)
{
    char link[HOME_PATH];
    fm_status st = home_path(link, home->dir, "node.sock", err);

    /* With a socket of its own the link's path may be too long for one. */
    if (st == FM_OK && rpc_server_probe(link, err) == FM_E_CONFLICT)
        return err->code;
    if (st == FM_OK)
        st = home_path(out, home->dir, home->socket[0] != '\0' ? home->socket : "node.sock", err);
    if (st != FM_OK || home->socket[0] == '\0')
        return st;
    if ((unlink(link) != 0 && errno != ENOENT) || symlink(out, link) != 0)
        return base_err_errno(err, link);
    return FM_OK;
}

fm_status serve_node(const struct home *home, const struct serve_keys *keys, const void *genesis,
                     size_t genesis_len, void (*ready)(void *ctx), void *ready_ctx,
                     struct base_err *err)
{
    struct service s = {.vouching_lock = PTHREAD_MUTEX_INITIALIZER};
    char socket_path[HOME_PATH];
    fm_status st = socket_of(socket_path, home, err);

    if (st == FM_OK)
        st = open_node(&s, home, keys, genesis, genesis_len, err);
    if (st == FM_OK)
        st = open_network(&s, home, keys, err);
    if (st == FM_OK) {
        node_log_put(s.log, "info", "node.start", NULL, "%s listens on %s", home->alias,
                     net_zmq_endpoint(s.zmq));
        st = node_loop_run(s.loop, s.node, net_zmq_node(s.zmq), net_zmq_fd(s.zmq), socket_path,
                           ready, ready_ctx, err);
        node_log_put(s.log, st == FM_OK ? "info" : "error", "node.stop", NULL, "%s",
                     st == FM_OK ? "asked to" : err->text);
    }
    vouch(&s, NULL);
    metrics_port_close(s.metrics);
    node_free(s.node); /* closes its sessions, which the network still carries */
    net_zmq_close(s.zmq);
    net_identity_free(s.identity);
    node_loop_free(s.loop);
    node_log_close(s.log);
    pthread_mutex_destroy(&s.vouching_lock);
    return st;
}
