/* A whole node in this process, from opened keys to SIGTERM: what `firmiana node` and the processes
 * of `firmiana local query` run. */
#ifndef FIRMIANA_EXCHANGE_NODE_SERVE_H
#define FIRMIANA_EXCHANGE_NODE_SERVE_H

#include "did/suite.h"
#include "exchange/node/home.h"

/* A member's keys, opened. officer stays NULL in a real node. */
struct serve_keys {
    struct did_secret *authentication; /* channels */
    struct did_secret *assertion;      /* queries, receipts, cosignatures */
    struct did_secret *salts;          /* published rows */
    struct did_secret *officer;        /* throwaway consortia alone */
};

/* Runs until SIGTERM or SIGINT. genesis may be NULL if the home has a ledger. ready: see
 * node_loop_run(). */
fm_status serve_node(const struct home *home, const struct serve_keys *keys, const void *genesis,
                     size_t genesis_len, void (*ready)(void *ctx), void *ready_ctx,
                     struct base_err *err) FM_CHECK;

#endif
