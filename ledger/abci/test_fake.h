/* A scripted engine in the place of CometBFT, for tests: it connects to the real server over its
 * unix socket, by the real wire format, and asks whatever the script says. The member's node is in
 * the same process, and the same thread: who waits for an answer serves meanwhile. A crash closes
 * everything without a word and opens it again from disk. */
#ifndef FIRMIANA_LEDGER_ABCI_TEST_FAKE_H
#define FIRMIANA_LEDGER_ABCI_TEST_FAKE_H

#include "abci.pb-c.h"
#include "ledger/abci/frame.h"
#include "ledger/abci/server.h"
#include "ledger/store/test_town.h"

enum { FAKE_QUERY, FAKE_SNAPSHOT, FAKE_MEMPOOL, FAKE_CONSENSUS, FAKE_CONNECTIONS };
enum { FAKE_BLOCKS = 64, FAKE_SNAPSHOT_EVERY = 4 };

/* A block as the engine decided it, with the hash that the default engine's path gives for it. */
struct fake_block {
    struct base_buf told; /* the validators and the room that FinalizeBlock answered, packed */
    bool asked;
    struct ledger_block block;
    struct ledger_bytes *txs;
    bool nonsense; /* its second transaction is none */
    struct base_buf bytes;
    struct ledger_head after;
};

struct fake {
    struct town town; /* tells the story, and is the oracle */
    char folder[64], path[96], socket[96], snapshots[96];
    struct fake_block blocks[FAKE_BLOCKS]; /* [0] is the genesis */
    uint64_t height;                       /* of the newest */
    /* The node. */
    struct ledger_chain *chain;
    struct ledger_engine *engine;
    struct ledger_abci_app *app;
    struct ledger_abci_server *server;
    uint32_t newest_rules; /* of an older program; 0: all */
    bool mute;             /* its signer is out of reach */
    struct ledger_now now;
    struct base_buf line; /* its newest checkpoint message */
    size_t broadcasts, finals, waiting;
    char event[512]; /* the newest of the application */
    struct ledger_abci_misbehavior misbehavior;
    unsigned misbehaviors;
    /* The engine's ends. */
    int fd[FAKE_CONNECTIONS];
    struct ledger_frames frames[FAKE_CONNECTIONS];
};

/* A town with a story of blocks of all kinds, told by the default engine's path, and a node of
 * bank_b that has none of them yet. */
void fake_init(struct fake *f);
/* ... of members that are validators, under these rules, and without a story. */
void fake_init_validators(struct fake *f, int rules);
void fake_release(struct fake *f);
void fake_hear(struct fake *f); /* the engine decides the blocks that the town has made since */
/* The node without its engine, as after a crash: nothing is said, nothing flushed. */
void fake_crash(struct fake *f);
void fake_start(struct fake *f);
void fake_connect(struct fake *f, int connection);

/* Asks and waits. NULL: the server hung up. The answer is the caller's to free. */
Abci__Response *fake_ask(struct fake *f, int connection, const Abci__Request *request);
void fake_send(struct fake *f, int connection, const void *bytes, size_t len);
Abci__Response *fake_take(struct fake *f, int connection); /* the next answer */
void fake_serve(struct fake *f);                           /* once, of what has come */

/* ---- requests of the script; those that check fail the test ---- */

uint64_t fake_info(struct fake *f); /* the height; its hash is checked */
/* The answer's exception, "" if there is none. Lent until the next call. */
const char *fake_init_chain(struct fake *f);
const char *fake_finalize(struct fake *f, uint64_t height); /* its app_hash is checked */
const char *fake_commit(struct fake *f);
uint32_t fake_check(struct fake *f, const void *tx, size_t len);
/* PrepareProposal of the next block: how many of the candidates it takes, and which, in the block's
 * order. chosen: room for n. */
size_t fake_prepare(struct fake *f, int64_t time_ms, const struct base_buf *txs, size_t n,
                    int64_t max_bytes, size_t chosen[]);
uint32_t fake_recheck(struct fake *f, const void *tx, size_t len);
uint32_t fake_process(struct fake *f, const struct ledger_block *block);
/* As CometBFT does after a start: Info, InitChain if need be, and blocks up to a height. */
void fake_replay(struct fake *f, uint64_t to);
/* The replica stands exactly where the oracle stood after that block. */
void fake_at(struct fake *f, uint64_t height);

#endif
