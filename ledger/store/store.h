/* A replica's SQLite file, as typed reads and writes; chain.h gives them their meaning.
 *
 * One file, WAL, synchronous=FULL: what is committed survives power loss, and what is not is rolled
 * back to the last whole block when the file is next opened. application_id and user_version say
 * what the file is; every page has a checksum (sum_vfs.h). A store is one connection and belongs to
 * one thread at a time; one writing store (held by a lock on PATH.lock) and any number of reading
 * ones may be open together.
 *
 * Tables, schema version 6 (all local: other replicas see hashes, blocks and bundles only):
 *
 *   tip          the one row of where the replica stands: chain, genesis, height, time, the log's
 *                frontier (log.h), state root, hash of the newest block leaf's payload, epoch,
 *                rules version, newest final size
 *   block        height -> time, first leaf, number of transactions (empty blocks too)
 *   leaf         place in the log -> payload hash, payload (NULL once erased), height; for
 *                transactions also id, alias, type, result
 *   tx           transaction id -> leaf, not_after (0 where version 2 had forgotten it)
 *   recent       leaf -> id, not_after: the newest transactions, which go into tx together
 *   merged       how often rows left recent or tx (store_recent.c, R1 and R2)
 *   node         level << 56 | index -> hash of a perfect subtree of the log, levels
 *                LEDGER_STORE_NODE_LEVEL and up (the lower ones follow from the leaves)
 *   state        key -> value, format.md section 6, but for seen/ID
 *   seen         (not_after, id): the state's seen/ID, whose value says not_after. So an id, whose
 *                place in any order of ids is random, is written into one such order alone, tx's
 *   page         prefix << 4 | nibbles -> page of the state tree (state.h) with up to 14 nibbles,
 *                the prefix filled up to 14 with zeros: a fan stands beside its children, so that
 *                a change often writes one page of the file instead of two. 2^62 is subtracted
 *                where it has two nibbles at most. Pages further down may be older than the state:
 *   deep_page    page id -> page, for longer ones: where somebody ground hashes for it
 *   change       in order: what the state tree's pages are behind by, for each of some changes its
 *                path, 0, or 1 and the value's hash (store_tree.c, S1 to S5)
 *   tree         how far the sweep that writes them has come
 *   cosignature  (size, alias) -> checkpoint with that one line, for the newest final size and
 * later
 *   evidence     pairs of checkpoints that contradict each other
 *   undo         height -> the tip before that block and the values that it replaced, for the
 * newest blocks that are not final note         name -> what this node alone must not forget (the
 * engine's promises) */
#ifndef FIRMIANA_LEDGER_STORE_H
#define FIRMIANA_LEDGER_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "ledger/machine/machine.h"
#include "ledger/machine/seal.h"
#include "ledger/proof/log.h"
#include "ledger/proof/log_proof.h"
#include "ledger/proof/state.h"

#define LEDGER_STORE_NODE_LEVEL 4
#define LEDGER_STORE_RECENT 32768 /* leaves, of which ids wait for their place in tx */

struct ledger_store;

enum ledger_store_mode {
    LEDGER_STORE_CREATE, /* empty tables; what is left of an earlier attempt is removed */
    LEDGER_STORE_WRITE,
    LEDGER_STORE_READ,
};

/* Errors: as ledger_chain_create(), ledger_chain_open(), ledger_reader_open(). */
fm_status ledger_store_open(struct ledger_store **out, const char *path,
                            enum ledger_store_mode mode, struct base_err *err) FM_CHECK;
void ledger_store_close(struct ledger_store *store); /* NULL is allowed */
/* Removes a file that was created and is still open, with all that belongs to it. */
void ledger_store_abandon(struct ledger_store *store);
/* Closes a file that was created and gives it the name `path`, which must be free: FM_E_CONFLICT.
 * In one step, for good: after a crash the file is there whole or not at all. */
fm_status ledger_store_place(struct ledger_store *store, const char *path,
                             struct base_err *err) FM_CHECK;

/* A write or read transaction. Reads outside of one see one statement's snapshot each. A failed
 * commit has rolled back. */
fm_status ledger_store_begin_write(struct ledger_store *store, struct base_err *err) FM_CHECK;
fm_status ledger_store_begin_read(struct ledger_store *store, struct base_err *err) FM_CHECK;
fm_status ledger_store_commit(struct ledger_store *store, struct base_err *err) FM_CHECK;
void ledger_store_rollback(struct ledger_store *store); /* nothing open is fine; ends a read too */

/* For work that goes through all of a large ledger in other orders than the file's: 128 MiB of its
 * pages may stay in memory, until what is usual is set again. */
enum ledger_store_cache { LEDGER_CACHE_USUAL, LEDGER_CACHE_LARGE };
void ledger_store_set_cache(struct ledger_store *store, enum ledger_store_cache cache);

/* Where the replica stands. */
struct ledger_store_tip {
    struct ledger_tip tip;
    uint64_t final_size; /* 0: none */
};
fm_status ledger_store_get_tip(struct ledger_store *store, struct ledger_store_tip *out,
                               struct base_err *err) FM_CHECK;
fm_status ledger_store_put_tip(struct ledger_store *store, const struct ledger_tip *tip,
                               struct base_err *err) FM_CHECK;
fm_status ledger_store_put_final(struct ledger_store *store, uint64_t size,
                                 struct base_err *err) FM_CHECK;
/* The first row of tip, with the genesis. */
fm_status ledger_store_put_genesis(struct ledger_store *store, const uint8_t chain[32],
                                   const void *genesis, size_t len, struct base_err *err) FM_CHECK;
fm_status ledger_store_get_genesis(struct ledger_store *store, struct base_buf *genesis,
                                   struct base_err *err) FM_CHECK;
/* From memory; read when the store was opened (or the genesis put). */
const uint8_t *ledger_store_chain(const struct ledger_store *store);

/* ---- state (store_state.c) ---- */

/* Views on this store, valid as long as it; the source without log_at, which is the chain's. */
struct ledger_state_source ledger_store_source(struct ledger_store *store);
struct ledger_state_pages ledger_store_pages(struct ledger_store *store);
/* How the tree's pages come into the file (store_tree.c); of effect on speed alone. depth: 1 to 3;
 * changes: those between one sweep's begin and the next one's. */
void ledger_store_set_sweep(struct ledger_store *store, unsigned depth, size_t changes);
fm_status ledger_store_put_updates(struct ledger_store *store, const struct ledger_update *updates,
                                   size_t n, struct base_err *err) FM_CHECK;

/* ---- log (store_log.c) ---- */

/* Where sealing puts leaves and nodes. */
struct ledger_seal_sink ledger_store_sink(struct ledger_store *store);

/* Hashes for proofs (log_proof.h). */
struct ledger_log_source ledger_store_log(struct ledger_store *store);
/* H(payload) of a leaf. FM_E_NOT_FOUND beyond the log. */
fm_status ledger_store_payload_hash(struct ledger_store *store, uint8_t out32[32], uint64_t leaf,
                                    struct base_err *err) FM_CHECK;

struct ledger_store_block {
    uint64_t height;
    int64_t time_ms;
    uint64_t first_leaf;
    uint64_t txs;
};
fm_status ledger_store_put_block(struct ledger_store *store, const struct ledger_store_block *block,
                                 struct base_err *err) FM_CHECK;
/* FM_E_NOT_FOUND. */
fm_status ledger_store_get_block(struct ledger_store *store, struct ledger_store_block *out,
                                 uint64_t height, struct base_err *err) FM_CHECK;

/* A row of leaf. Texts are copies. */
struct ledger_store_leaf {
    uint64_t leaf, height;
    int64_t time_ms; /* of its block */
    bool is_block, erased;
    uint8_t id[32], payload_hash[32];
    char alias[40], type[32];
    struct base_buf payload, result; /* owned: ledger_store_leaf_release() */
};
void ledger_store_leaf_release(struct ledger_store_leaf *leaf);
/* FM_E_NOT_FOUND. */
fm_status ledger_store_get_leaf(struct ledger_store *store, struct ledger_store_leaf *out,
                                uint64_t leaf, struct base_err *err) FM_CHECK;
fm_status ledger_store_find_tx(struct ledger_store *store, uint64_t *leaf, const uint8_t id[32],
                               struct base_err *err) FM_CHECK;
/* Ids wait until they are this many leaves apart, or an eighth of the log, but at most four times
 * as many; LEDGER_STORE_RECENT where nobody says. About 60 bytes each in memory. */
void ledger_store_set_recent(struct ledger_store *store, size_t leaves);
/* In a write transaction: puts all that wait into their places; the other one if it is time. */
fm_status ledger_store_merge_ids(struct ledger_store *store, struct base_err *err) FM_CHECK;
fm_status ledger_store_merge_due_ids(struct ledger_store *store, struct base_err *err) FM_CHECK;
/* Calls fn for the leaves from <= leaf < to, in order. The leaf is lent for the call. */
fm_status ledger_store_each_leaf(struct ledger_store *store, uint64_t from, uint64_t to,
                                 fm_status (*fn)(void *ctx, struct ledger_store_leaf *leaf,
                                                 struct base_err *err),
                                 void *ctx, struct base_err *err) FM_CHECK;
/* Calls fn with every leaf < to, in order, whose accepted transaction may have changed members,
 * documents or parameters. Reads no payload. */
fm_status ledger_store_each_identity(struct ledger_store *store, uint64_t to,
                                     fm_status (*fn)(void *ctx, uint64_t leaf,
                                                     struct base_err *err),
                                     void *ctx, struct base_err *err) FM_CHECK;
/* Overwrites the payload on disk (but for copies that SQLite left where rows have moved). */
fm_status ledger_store_erase(struct ledger_store *store, uint64_t leaf,
                             struct base_err *err) FM_CHECK;
/* The same for many, and for every copy: BEGIN, any number of rows in a transaction, END, which
 * writes the file anew. FM_E_CONFLICT if somebody else has it open. */
enum ledger_store_scrub { LEDGER_SCRUB_BEGIN, LEDGER_SCRUB_END };
fm_status ledger_store_scrub(struct ledger_store *store, enum ledger_store_scrub step,
                             struct base_err *err) FM_CHECK;
fm_status ledger_store_erase_row(struct ledger_store *store, uint64_t leaf,
                                 struct base_err *err) FM_CHECK;

/* ---- the newest blocks, back again (store_undo.c) ---- */

/* Keeps what taking block `height` back needs: the tip, and for each update the value before it.
 * Before the updates and the tip are put. */
fm_status ledger_store_put_undo(struct ledger_store *store, uint64_t height,
                                const struct ledger_update *updates, size_t n,
                                struct base_err *err) FM_CHECK;
/* Forgets those up to a height. */
fm_status ledger_store_drop_undo(struct ledger_store *store, uint64_t height,
                                 struct base_err *err) FM_CHECK;
/* Takes the newest block, of that height, back: state, state tree, log and tip are as before it.
 * FM_E_NOT_FOUND: nothing was kept for it. FM_E_CORRUPT: the state tree does not come back to its
 * old root. */
fm_status ledger_store_undo(struct ledger_store *store, uint64_t height,
                            struct base_err *err) FM_CHECK;

/* Notes. value NULL: removes it. */
fm_status ledger_store_put_note(struct ledger_store *store, const char *name, const void *value,
                                size_t len, struct base_err *err) FM_CHECK;
fm_status ledger_store_each_note(struct ledger_store *store,
                                 fm_status (*fn)(void *ctx, const char *name, const void *value,
                                                 size_t len, struct base_err *err),
                                 void *ctx, struct base_err *err) FM_CHECK;

/* ---- finality (store_final.c) ---- */

/* *fresh: it was not there before. */
fm_status ledger_store_put_cosignature(struct ledger_store *store, bool *fresh, uint64_t size,
                                       const char *alias, const char *line,
                                       struct base_err *err) FM_CHECK;
/* In the order of aliases. */
fm_status ledger_store_each_cosignature(struct ledger_store *store, uint64_t size,
                                        fm_status (*fn)(void *ctx, const char *alias,
                                                        const char *line, struct base_err *err),
                                        void *ctx, struct base_err *err) FM_CHECK;
/* Forgets those of smaller sizes. */
fm_status ledger_store_drop_cosignatures(struct ledger_store *store, uint64_t below_size,
                                         struct base_err *err) FM_CHECK;
/* Once per text. */
fm_status ledger_store_put_evidence(struct ledger_store *store, const char *theirs,
                                    const char *ours, struct base_err *err) FM_CHECK;
fm_status ledger_store_each_evidence(struct ledger_store *store,
                                     fm_status (*fn)(void *ctx, const char *theirs,
                                                     const char *ours, struct base_err *err),
                                     void *ctx, struct base_err *err) FM_CHECK;

#endif
