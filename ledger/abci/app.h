/* The ledger as an ABCI 2.0 application: requests of CometBFT in, responses out, in order; the
 * state machine and the replica are those of every engine (external.h). No sockets: server.h.
 *
 *   request               what it does
 *   Echo, Flush           answered as they are
 *   Info                  where the replica stands: the last block committed, its app_hash
 *   InitChain             checks that the chain is ours and nothing is executed yet; any number of
 *                         times; app_hash of the genesis. The replica began with genesis.json
 *   CheckTx               code 0: it may wait for a block, also where a rule will refuse it (that
 *                         belongs on the log); else it is dropped
 *   PrepareProposal       of the candidates those that a block may hold
 *   ProcessProposal       rejects whatever PrepareProposal would not have made, times of the
 *                         future, and transactions in a block whose time is long past
 *   ExtendVote, Verify... nothing is ever extended: empty, and anything else is rejected
 *   FinalizeBlock         executes, nothing on disk; a result for each transaction, the app_hash.
 *                         validator_updates and the room in a block as the members voted. What it
 *                         tells of misbehavior comes before the transactions, as entries that the
 *                         engine vouches for (ledger/proof/misbehavior.h)
 *   Commit                on disk, in one step
 *   Query                 /p2p/filter/id/ID: is this peer a member's; state: the value under a key;
 *                         tx: the transaction of an id
 *   ListSnapshots,        the newest two snapshots (ledger/store/snapshot.h) made by this process,
 * in LoadSnapshotChunk     chunks of 1 MiB; metadata: each chunk's SHA-256; hash: that of metadata
 *   OfferSnapshot,        for a replica at its genesis: the first chunk must begin as a snapshot of
 *                         this ledger and height; each chunk is held against its hash, the
 *   ApplySnapshotChunk    whole against the app_hash that CometBFT's light client trusts
 *
 * Who orders blocks, validators.h says: a suspended member's votes count no more from the second
 * block after. CometBFT's filter (Query) lets its node in no more either; a connection that stands
 * goes on until one of the two ends starts anew, and carries nothing that counts. What is final
 * needs the quorum of the ledger's own active members in any case (engine.h).
 *
 * What a request asks against the protocol (a block that does not follow, a chain that is not ours)
 * is answered with an exception, upon which CometBFT stops: no guess is better than that. */
#ifndef FIRMIANA_LEDGER_ABCI_APP_H
#define FIRMIANA_LEDGER_ABCI_APP_H

#include <jansson.h>
#include <stdbool.h>

#include "ledger/engine/external.h"
#include "ledger/proof/misbehavior.h"

/* CometBFT's chain_id: "firmiana-" and the first 32 hex digits of the chain. */
#define LEDGER_ABCI_CHAIN_TEXT 42
void ledger_abci_chain_text(char out[LEDGER_ABCI_CHAIN_TEXT], const uint8_t chain32[32]);

/* CometBFT's block max_bytes under these limits (format.md section 1). */
int64_t ledger_abci_room(const json_t *limits);

/* What CometBFT has proven of a validator, and put into a block. */
struct ledger_abci_misbehavior {
    struct ledger_misbehavior what;
    uint64_t in_block; /* where that is proven */
};

struct ledger_abci_host {
    struct ledger_engine *engine; /* lent */
    struct ledger_chain *chain;   /* lent: the engine's */
    struct ledger_now (*now)(void *ctx);
    /* What people should know: one line. */
    void (*event)(void *ctx, const char *text);
    /* May a CometBFT node with this id (40 hex digits) connect? */
    bool (*peer)(void *ctx, const char *id);
    void *ctx;
    /* Every so many blocks a snapshot is made in this folder, on a thread of its own, from this
     * file of the chain's; 0: none. Lent. */
    uint64_t snapshot_every;
    const char *snapshots, *path;
    /* May come more than once for the same. From rules version 3 on it is an entry of the log too.
     */
    void (*misbehaved)(void *ctx, const struct ledger_abci_misbehavior *what);
};

struct ledger_abci_app;
fm_status ledger_abci_app_new(struct ledger_abci_app **out, const struct ledger_abci_host *host,
                              struct base_err *err) FM_CHECK;
void ledger_abci_app_free(struct ledger_abci_app *app); /* NULL is allowed */

/* Appends the response's frame to a request (without its length). Errors: what the world did to us
 * (disk, memory); an exception with the same text is appended then, and the node must stop. */
fm_status ledger_abci_answer(struct ledger_abci_app *app, struct base_buf *out, const void *request,
                             size_t len, struct base_err *err) FM_CHECK;

/* CometBFT is gone: what it began is forgotten. */
void ledger_abci_gone(struct ledger_abci_app *app);

#endif
