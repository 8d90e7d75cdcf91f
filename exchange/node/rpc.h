/* The node's door for its own people: a unix socket, one request a connection. The client sends one
 * line of JSON and reads lines of JSON until one has "end": true. Peers must run as the node's user
 * (or root): SO_PEERCRED.
 *
 *   request   {"do": NAME, ...}
 *   progress  {"progress": text}
 *   answer    {"end": true, "ok": {...}}  or  {"end": true, "error": {"code": name, "text": one
 * line}}
 *
 * A client that goes away before the end cancels its call. Requests are at most RPC_MAX_REQUEST
 * bytes. */
#ifndef FIRMIANA_EXCHANGE_NODE_RPC_H
#define FIRMIANA_EXCHANGE_NODE_RPC_H

#include <jansson.h>
#include <poll.h>
#include <stddef.h>

#include "base/status.h"

enum { RPC_MAX_REQUEST = 16 << 20, RPC_MAX_CLIENTS = 32 };

struct rpc_server;
struct rpc_call; /* one request under way; gone after its last answer or its cancellation */

struct rpc_handler {
    void *ctx;
    void (*request)(void *ctx, struct rpc_call *call, const json_t *request);
    void (*cancelled)(void *ctx, struct rpc_call *call); /* the client left: forget the call */
};

/* Creates the socket (mode 0600). A stale socket file that nobody listens on is replaced; a live
 * one is FM_E_CONFLICT. */
fm_status rpc_server_open(struct rpc_server **out, const char *path,
                          const struct rpc_handler *handler, struct base_err *err) FM_CHECK;
void rpc_server_close(struct rpc_server *server); /* NULL allowed; removes the socket file */

/* What to poll for; returns how many were written (at most RPC_MAX_CLIENTS + 1). Then hand the same
 * array back. */
size_t rpc_server_poll(const struct rpc_server *server, struct pollfd *fds);
void rpc_server_serve(struct rpc_server *server, const struct pollfd *fds, size_t count);

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

#endif
