/* The node's CometBFT: its folder, its process, the ABCI server that it talks to and the RPC that
 * we talk to. One thread, the node's, drives it. */
#ifndef FIRMIANA_EXCHANGE_COMET_COMET_H
#define FIRMIANA_EXCHANGE_COMET_COMET_H

#include <jansson.h>
#include <poll.h>

#include "exchange/comet/files.h"
#include "ledger/abci/server.h"

#define COMET_FDS LEDGER_ABCI_FDS

struct comet_config {
    struct comet_settings settings; /* lent */
    const char *program;            /* lent */
    struct ledger_chain *chain;     /* lent, as the engine */
    const char *path;               /* of the chain's file, lent */
    uint64_t snapshot_every;        /* blocks */
    struct ledger_engine *engine;
    struct ledger_now (*now)(void *ctx);
    void (*event)(void *ctx, const char *text); /* for the log: one line */
    void *ctx;
    void (*wake)(void *ctx); /* from another thread: comet_tick() has work */
    void *wake_ctx;
};

struct comet;

/* Checks the program, writes its files, listens and starts it. */
fm_status comet_open(struct comet **out, const struct comet_config *config,
                     struct base_err *err) FM_CHECK;
/* Ends it, answering until it is gone (five seconds at most). NULL is allowed. */
void comet_close(struct comet *comet);

void comet_broadcast(struct comet *comet, const uint8_t id[32], const void *tx, size_t len);

/* What to watch, and serving it. Errors: what the world did to the ledger. */
void comet_poll(const struct comet *comet, struct pollfd fds[COMET_FDS]);
fm_status comet_serve(struct comet *comet, const struct pollfd fds[COMET_FDS],
                      struct base_err *err) FM_CHECK;
/* Takes what the RPC told to the engine; starts the process again when it is due. Errors: the
 * engine's. */
fm_status comet_tick(struct comet *comet, struct base_err *err) FM_CHECK;

/* {"state": "running", "starting" or "stopped", "version", "pid", "restarts", "connections",
 * "height", "peers", "catching_up", "validators": [alias], "misbehavior": record.h}, new; NULL
 * without memory. */
json_t *comet_status(const struct comet *comet);

#endif
