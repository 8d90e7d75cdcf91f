/* CometBFT's JSON-RPC, from a thread of its own, because what it does may wait for our answers over
 * ABCI: transactions are handed in (broadcast_tx_sync), and its state is asked for now and then. */
#ifndef FIRMIANA_EXCHANGE_COMET_RPC_H
#define FIRMIANA_EXCHANGE_COMET_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/engine/engine_message.h"

/* What it said to a transaction. */
struct comet_told {
    struct comet_told *next;
    uint8_t id[32];
    enum ledger_receipt_status status;
    char detail[160];
};

/* Where it stands, as it last said. */
struct comet_view {
    bool answers; /* its newest answer is not old */
    bool catching_up;
    int64_t height, peers;
};

struct comet_rpc;

/* unix_path: of its socket, or address ("127.0.0.1:PORT"); the other NULL. wake is called on the
 * thread when something was told. */
fm_status comet_rpc_open(struct comet_rpc **out, const char *unix_path, const char *address,
                         void (*wake)(void *ctx), void *wake_ctx, struct base_err *err) FM_CHECK;
void comet_rpc_close(struct comet_rpc *rpc); /* NULL is allowed */

/* Copies tx. Never blocks; where it is not heard of, comet_rpc_told() says FULL: again later. */
void comet_rpc_broadcast(struct comet_rpc *rpc, const uint8_t id[32], const void *tx, size_t len);
/* The next answer, the caller's to free(); NULL: none now. */
struct comet_told *comet_rpc_told(struct comet_rpc *rpc);
void comet_rpc_view(struct comet_rpc *rpc, struct comet_view *out);

/* What an answer to broadcast_tx_sync means: for tests, too. */
void comet_rpc_judge(struct comet_told *told, const char *answer, size_t len);

#endif
