/* The node's door for its own people: a unix socket, one request a connection. The client sends one
 * line of JSON and reads lines of JSON until one has "end": true. Who the peer is, the kernel says
 * (SO_PEERCRED, SO_PEERGROUPS); the handler admits it or not.
 *
 *   request   {"do": NAME, ...}
 *   progress  {"progress": text}
 *   stop      {"stop": true}      from the client, once: end what was asked for, and answer still
 *   answer    {"end": true, "ok": {...}}  or  {"end": true, "error": {"code": name, "text": one
 * line}}
 *
 * A file that the node shall write into comes with the request's first byte, opened by the client
 * (SCM_RIGHTS): the node opens no path that others choose.
 *
 * A client that goes away before the end cancels its call. Requests are at most RPC_MAX_REQUEST
 * bytes. */
#ifndef FIRMIANA_EXCHANGE_NODE_RPC_H
#define FIRMIANA_EXCHANGE_NODE_RPC_H

#include <jansson.h>
#include <poll.h>
#include <stddef.h>

#include "base/status.h"
#include "exchange/node/roles.h"

enum { RPC_MAX_REQUEST = 16 << 20, RPC_MAX_CLIENTS = 32 };

struct rpc_server;
struct rpc_call; /* one request under way; gone after its last answer or its cancellation */

struct rpc_handler {
    void *ctx;
    /* May this peer ask anything at all? The error is its answer. */
    fm_status (*admit)(void *ctx, const struct node_peer *peer, struct base_err *err);
    void (*request)(void *ctx, struct rpc_call *call, const json_t *request);
    void (*cancelled)(void *ctx, struct rpc_call *call); /* the client left: forget the call */
    void (*stop)(void *ctx, struct rpc_call *call);      /* the client waits for the end */
};

/* FM_E_CONFLICT if somebody listens there, which is how a running node is found before anything of
 * its home is touched; FM_E_ARG if no socket can have such a path. */
fm_status rpc_server_probe(const char *path, struct base_err *err) FM_CHECK;

/* Creates the socket with that mode (0600, or 0666 where admit() lets others in). A stale socket
 * file that nobody listens on is replaced; a live one is FM_E_CONFLICT. */
fm_status rpc_server_open(struct rpc_server **out, const char *path, unsigned mode,
                          const struct rpc_handler *handler, struct base_err *err) FM_CHECK;
void rpc_server_close(struct rpc_server *server); /* NULL allowed; removes the socket file */

/* What to poll for; returns how many were written (at most RPC_MAX_CLIENTS + 1). Then hand the same
 * array back. */
size_t rpc_server_poll(const struct rpc_server *server, struct pollfd *fds);
void rpc_server_serve(struct rpc_server *server, const struct pollfd *fds, size_t count);

/* Who asks; the file that came with the request (the call's own; -1 for none). */
const struct node_peer *rpc_call_peer(const struct rpc_call *call);
int rpc_call_file(const struct rpc_call *call);

/* Answers. value is borrowed. After _ok and _error the call is gone. */
void rpc_progress(struct rpc_call *call, const char *text);
void rpc_ok(struct rpc_call *call, const json_t *value);
void rpc_error(struct rpc_call *call, const struct base_err *err);

/* The client's side: sends one request and waits. progress may be NULL. *value is new, the "ok"
 * object. timeout_ms limits the wait between two lines. Errors: the node's own, with its code;
 * FM_E_NOT_FOUND if no node listens. */
fm_status rpc_request(json_t **value, const char *path, const json_t *request, int timeout_ms,
                      void (*progress)(void *ctx, const char *text), void *ctx,
                      struct base_err *err) FM_CHECK;
/* The same, lending the node a file to write into (-1: none). */
fm_status rpc_request_file(json_t **value, const char *path, const json_t *request, int file,
                           int timeout_ms, void (*progress)(void *ctx, const char *text), void *ctx,
                           struct base_err *err) FM_CHECK;

/* The same for a call that may take long and that its user may end. tick (every RPC_TICK_MS at the
 * latest, and after a signal) says what the user wants by now. */
enum { RPC_TICK_MS = 200 };
enum rpc_wish {
    RPC_GO_ON,
    RPC_STOP, /* ask the node to end it; its answer is still waited for */
    RPC_LEAVE /* FM_E_CANCELLED at once; the node ends it by itself */
};
struct rpc_watch {
    void (*progress)(void *ctx, const char *text); /* may be NULL */
    enum rpc_wish (*tick)(void *ctx);              /* may be NULL */
    void *ctx;
};
fm_status rpc_request_watched(json_t **value, const char *path, const json_t *request, int file,
                              int timeout_ms, const struct rpc_watch *watch,
                              struct base_err *err) FM_CHECK;

#endif
