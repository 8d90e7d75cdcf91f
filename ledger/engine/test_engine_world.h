/* For the engine's tests: a whole consortium in one process and in virtual time. Real replicas on a
 * memory file system, real signatures; the network loses, doubles, delays and reorders as a seed
 * says, links break, nodes restart from disk. After every single event the world asserts safety:
 *
 *   W1  no two honest nodes have different app_hashes at a height that both have (in worlds where
 *       the sequencer is honest), and never two different ones that are final (in all worlds);
 *   W2  a node's final height never falls, restarts included;
 *   W3  what is final at some node has been executed by a quorum of members, with the same hash;
 *   W4  an honest sequencer is never more than one non-empty block ahead of its final one;
 *   W5  (world_check_final()) every state that was ever final anywhere is part of every log.
 *
 * Where sequencers change (`handover`), blocks that are not final may be taken back: then W1 holds
 * of final ones, and W2 and W5 say the rest.
 *
 * A member may have two nodes (twins): both honest code, the same key, separate disks, each seen by
 * some of the others. Together they are a sequencer that lies. */
#ifndef FIRMIANA_LEDGER_TEST_ENGINE_WORLD_H
#define FIRMIANA_LEDGER_TEST_ENGINE_WORLD_H

#include "base/random.h"
#include "ledger/engine/engine.h"
#include "ledger/proof/tx.h"

#define WORLD_START_MS 1763600000000 /* 2025-11-20, when virtual time is 0 */

enum {
    WORLD_NODES = 8,
    WORLD_HEIGHTS = 4096,
    WORLD_TXS = 20000,
};

struct world;

struct world_node {
    struct world *world;
    char alias[33];
    char path[128];
    size_t member;
    unsigned side; /* for partitions and twins */
    struct ledger_chain *chain;
    struct ledger_engine *engine; /* NULL while it is down */
    struct ledger_engine_params params;
    int64_t clock_off;
    int64_t tick_at;
    uint64_t final_height, height; /* the greatest ever */
    unsigned events[16];           /* by kind */
    char text[512];                /* of FORKED, else of the last event but FINAL and RESULT */
};

struct world_tx {
    uint8_t *bytes;
    size_t len;
    uint8_t id[32];
    size_t node; /* who submitted it */
    unsigned results;
    bool lost; /* its submitter restarted */
    enum ledger_verdict verdict;
    uint64_t height;
    int64_t submitted_ms, result_ms;
};

struct world_message {
    int64_t at;
    uint64_t order;
    size_t from, to;
    uint8_t *bytes;
    size_t len;
};

struct world {
    uint64_t rng;
    char dir[64];
    size_t n_members, n_nodes, quorum;
    struct did_secret *secret[WORLD_NODES], *officer[WORLD_NODES];
    char did[WORLD_NODES][DID_FIRMIANA_TEXT];
    uint8_t chain_id[32];
    struct base_buf genesis;
    struct world_node node[WORLD_NODES];
    bool up[WORLD_NODES][WORLD_NODES];
    /* The network's temper, in percent and ms. */
    unsigned loss, doubled;
    int64_t delay_min, delay_max;
    unsigned lost_kinds; /* bits of enum ledger_message_kind: all of these are lost ... */
    size_t lost_to;      /* ... on their way to this node; WORLD_NODES: to any */
    bool handover;       /* sequencers change */
    bool liar;           /* the sequencer has twins: W1's first half does not hold */
    bool two_faced;      /* between a node of the sequencer and other sides pass heads alone */
    int64_t now;
    struct world_message *queue; /* a heap */
    size_t queued, queue_cap;
    uint64_t order;
    uint64_t sent, events, peer_errors, world_errors;
    unsigned sent_by_kind[8];
    uint8_t hash[WORLD_HEIGHTS][32], final_hash[WORLD_HEIGHTS][32];
    bool has_hash[WORLD_HEIGHTS], has_final[WORLD_HEIGHTS];
    uint64_t final_size[WORLD_HEIGHTS];
    struct world_tx tx[WORLD_TXS];
    size_t n_txs;
    uint64_t tx_counter;
};

/* FIRMIANA_SEED, or the time; world_seed() sets and prints it. */
extern uint64_t world_base_seed;
void world_seed(void);
uint64_t world_random(struct world *w);
/* Fails the test with the text unless st is FM_OK. */
void world_must(fm_status st, const struct base_err *err);

/* Members bank_a, bank_b, ...; bank_a sequences; a node each, all links down. */
struct world *world_new(uint64_t seed, size_t members, size_t quorum);
/* The same with all nodes started and linked. */
struct world *world_running(uint64_t seed, size_t members, size_t quorum);
void world_free(struct world *w);
/* A second node of a member that has one. Before world_start(). Returns its index. */
size_t world_twin(struct world *w, size_t member);

void world_start(struct world *w, size_t node);
void world_stop(struct world *w, size_t node); /* as by kill: no farewell */
void world_link(struct world *w, size_t a, size_t b, bool up);
void world_link_all(struct world *w, bool up); /* all pairs but twins of one member */
void world_make_genesis(struct world *w);
void world_remove_files(const struct world_node *n);
/* Copies a stopped node's disk aside, and puts the copy back in its place. */
void world_save(struct world *w, size_t node);
void world_restore(struct world *w, size_t node);
/* Links exactly the pairs of equal side. */
void world_split(struct world *w);

/* A fresh transaction of the node's member; every seventh will be refused. */
void world_submit(struct world *w, size_t node);
/* Submits these bytes (taken over). expected: what the node must say of it. */
void world_submit_bytes(struct world *w, size_t node, struct base_buf *bytes,
                        enum ledger_verdict expected);
/* A transaction of any type, signed by the member's node or officer as the type asks. Takes body.
 */
void world_sign(struct world *w, struct base_buf *out, size_t member, enum ledger_tx_type type,
                json_t *body, int64_t not_after);
/* The officers of a member approve another sequencer, at that node. What the engine said. */
fm_status world_approve(struct world *w, size_t node, size_t member, uint64_t epoch,
                        size_t sequencer);
/* W5. */
void world_check_final(struct world *w);
/* Signs a dataset.publish without submitting it. */
void world_make_tx(struct world *w, struct base_buf *out, size_t member, bool good,
                   int64_t not_after);

/* After every call of an engine: counts its errors, asserts safety. */
void world_after(struct world *w, struct world_node *n, fm_status st, const struct base_err *err);
struct ledger_now world_now(const struct world *w, const struct world_node *n);

/* Delivers and ticks until virtual time `until`. */
void world_run(struct world *w, int64_t until);
/* Until nothing awaits a result, or the time is over. Whether nothing does. */
bool world_run_settled(struct world *w, int64_t until);
/* Puts a message on its way, whoever wrote it. */
void world_hand(struct world *w, size_t from, size_t to, const void *bytes, size_t len);
struct world_message world_dequeue(struct world *w); /* the next one; there is one */

/* Events of a kind, over all nodes. */
uint64_t world_total(const struct world *w, enum ledger_engine_event_kind kind);
/* Prints where each node stands: for a test that is about to fail. */
void world_print(const struct world *w);

/* Injected failures of the replica: the at-th call from now on of execute or cosign fails with
 * FM_E_IO. 0: none. Links with --wrap. */
extern uint64_t world_fail_at, world_calls;

#endif
