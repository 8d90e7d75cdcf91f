/* A member's node: its replica and engine of the ledger, its channels to the other members, its
 * query sessions, and what its people ask of it. No sockets, signals or files of its own beyond the
 * replica and sessions.db: the loop (loop.h) drives it with real ones, a test with virtual ones.
 *
 * One thread drives a node; computations run beside it (job.h) and come back through node_on_job().
 */
#ifndef FIRMIANA_EXCHANGE_NODE_NODE_H
#define FIRMIANA_EXCHANGE_NODE_NODE_H

#include <jansson.h>
#include <poll.h>
#include <stdbool.h>

#include "base/random.h"
#include "base/status.h"
#include "did/suite.h"
#include "exchange/node/home.h"
#include "exchange/node/log.h"
#include "net/identity.h"
#include "net/node.h"

struct node;

struct node_config {
    struct home home;             /* copied */
    struct did_secret *assertion; /* lent: signs transactions, receipts, cosignatures */
    struct did_secret *salts;     /* lent: the secret behind the salts of published rows */
    struct did_secret *officer;   /* lent; NULL but in throwaway consortia (firmiana local query) */
    const void *genesis;          /* canonical; needed when the home has no ledger.db yet */
    size_t genesis_len;
    const struct base_clock *clock;
    const struct base_random *random;
    const struct net_waits *waits; /* threads or virtual tasks, for computations */
    /* Tells the driver that node_on_jobs() has work; called on a computation's thread. */
    void (*wake)(void *ctx);
    void *wake_ctx;
    struct node_log *log; /* lent */
};

/* Opens or creates the replica. Errors name the file. */
fm_status node_new(struct node **out, const struct node_config *config,
                   struct base_err *err) FM_CHECK;
/* Computations must have ended (node_drain). */
void node_free(struct node *node);

/* Who may speak on a channel at this moment: for net_mesh and net_zmq. Thread-safe. */
struct net_keys node_keys(struct node *node);
/* The node's network (lent); all members become its peers. Once, before any event. */
fm_status node_attach(struct node *node, struct net_node *net, struct base_err *err) FM_CHECK;

/* ---- events ---- */
/* Takes what net_node_event() gave (which stays the driver's to give back). */
void node_on_event(struct node *node, const struct net_event *event);
void node_on_jobs(struct node *node);
/* What else the driver's poll() is to watch, unused ones negative, and serving what it found. */
#define NODE_FDS 5
void node_poll(const struct node *node, struct pollfd fds[NODE_FDS]);
void node_serve(struct node *node, const struct pollfd fds[NODE_FDS]);
void node_on_tick(struct node *node);
/* Milliseconds until node_on_tick() has something to do. */
int64_t node_wait_ms(struct node *node);

/* ---- requests of its people (rpc.h; requests.c lists them) ---- */
struct node_reply {
    void *ctx; /* identifies the call */
    struct node_person who;
    int file; /* to write into, while node_request() runs; -1: none came */
    void (*progress)(void *ctx, const char *text);
    void (*ok)(void *ctx, const json_t *value);
    void (*error)(void *ctx, const struct base_err *err);
};
void node_request(struct node *node, const json_t *request, const struct node_reply *reply);
/* Who a peer is to this node, and who may do what. */
void node_who(const struct node *node, struct node_person *out, const struct node_peer *peer);
const struct node_roles *node_get_roles(const struct node *node);
/* The asker of that call is gone. */
void node_cancel(struct node *node, void *reply_ctx);
/* ... or wants it to end, and waits for that: a query is cancelled everywhere, a publication or an
 * export stops; what cannot be stopped any more ends as it would have. */
void node_stop_call(struct node *node, const void *reply_ctx);

/* SIGTERM: running queries are ended with a named error, new ones refused; true once nothing runs
 * any more. */
bool node_drain(struct node *node);
/* SIGHUP: the log's file is opened again; says in the log if that fails. */
void node_reopen_log(struct node *node);
/* For metrics_port_open(): ctx is the node. */
void node_write_metrics(void *ctx, struct base_buf *out);
/* A failure after which the node must stop (fork, disk): FM_OK while there is none. */
fm_status node_health(const struct node *node, struct base_err *err);

#endif
