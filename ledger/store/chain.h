/* A replica of a ledger: the pure machine (machine.h), the log and the state tree, in one SQLite
 * file. Engines, the node and the command line use this header and nothing below it.
 *
 * Threads: a ledger_chain belongs to one thread at a time and is the file's only writer. Any number
 * of ledger_readers, each used by one thread at a time, read the same file beside it; each call
 * sees one whole block, never half of one. ledger_chain_reader() is the chain's own reader, for
 * the chain's thread.
 *
 * Crashes: a block is one SQLite write transaction (WAL, synchronous=FULL). After
 * ledger_chain_execute() returned FM_OK the block survives power loss; before, it is there whole or
 * not at all.
 *
 * Memory: everything returned in a base_buf or json_t belongs to the caller. */
#ifndef FIRMIANA_LEDGER_CHAIN_H
#define FIRMIANA_LEDGER_CHAIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "ledger/machine/block.h"
#include "ledger/proof/epoch.h"
#include "ledger/proof/log_proof.h"

struct ledger_chain;
struct ledger_reader;

struct ledger_head {
    uint64_t height; /* 0 right after genesis; counts empty blocks too */
    int64_t time_ms;
    uint64_t log_size;      /* leaves; always ends with a block leaf */
    uint8_t app_hash[32];   /* root of the log */
    uint8_t state_root[32]; /* as in the newest block leaf */
    uint64_t epoch;
    uint64_t rules_version;
};

/* ---- The writer ---- */

/* A new ledger at path (which must not exist) from a genesis document in canonical JSON. Executes
 * block 0. It is made as PATH.new and then given its name: after a crash it is there whole or not
 * at all. Errors: FM_E_CONFLICT (path exists), FM_E_INPUT (genesis, with the member that is wrong),
 * FM_E_UNSUPPORTED (a rules_version we lack), FM_E_IO; no file is left behind. */
fm_status ledger_chain_create(struct ledger_chain **out, const char *path, const void *genesis,
                              size_t len, struct base_err *err) FM_CHECK;

/* Errors: FM_E_NOT_FOUND, FM_E_INPUT (not a Firmiana ledger, or of a schema version we do not
 * know), FM_E_CORRUPT (SQLite or our own hashes disagree with what is stored), FM_E_CONFLICT
 * (another process writes it), FM_E_UNSUPPORTED (its rules_version is beyond ours), FM_E_IO. */
fm_status ledger_chain_open(struct ledger_chain **out, const char *path,
                            struct base_err *err) FM_CHECK;

/* NULL is allowed. */
void ledger_chain_close(struct ledger_chain *chain);

/* Borrowed; valid until the chain is closed. */
struct ledger_reader *ledger_chain_reader(struct ledger_chain *chain);
const struct ledger_head *ledger_chain_head(const struct ledger_chain *chain);
const uint8_t *ledger_chain_id(const struct ledger_chain *chain); /* 32 bytes: H(genesis) */
/* How far behind the log its index of ids may be (store.h); of effect on speed alone. */
void ledger_chain_set_recent(struct ledger_chain *chain, size_t leaves);
/* How the state tree comes into the file (store.h); of effect on speed alone. */
void ledger_chain_set_sweep(struct ledger_chain *chain, unsigned depth, size_t changes);

/* CheckTx: what would become of tx if it were alone in the next block at time now_ms (moved to just
 * after the head's time if it is not later). Changes nothing; a signature that it verified is
 * remembered, so that execution does not verify it again. FM_OK also for a verdict of dropped or
 * refused; an error is the world's (FM_E_IO, FM_E_MEMORY). */
fm_status ledger_chain_check(struct ledger_chain *chain, struct ledger_outcome *out, const void *tx,
                             size_t len, int64_t now_ms, struct base_err *err) FM_CHECK;

/* Of the candidates, in order, those that a block at time_ms can admit (authentic, in time, not
 * repeated, not twice in here; by the state of the head; EXECUTED: nor beyond their sender's quota
 * of refused ones), as long as the block's limits allow.
 * chosen: room for count indices; *n_chosen are written, ascending. *n_seen says how many
 * candidates were looked at: those that were and are not chosen can be thrown away, the rest no
 * longer fitted and come again. */
fm_status ledger_chain_propose(struct ledger_chain *chain, enum ledger_select_by by, size_t *chosen,
                               size_t *n_chosen, size_t *n_seen,
                               const struct ledger_bytes *candidates, size_t count, int64_t time_ms,
                               struct base_err *err) FM_CHECK;

/* Executes and commits one block. outcomes: room for block->count, or NULL if nobody asks. The same
 * blocks give the same head on every replica. On any error the replica stays at the block before,
 * usable. Errors: FM_E_INPUT (height or time does not follow the head), FM_E_LIMIT (more
 * transactions or bytes than the ledger's limits), FM_E_UNSUPPORTED (rules we lack), FM_E_IO (disk
 * full, ...), FM_E_CORRUPT, FM_E_MEMORY. */
fm_status ledger_chain_execute(struct ledger_chain *chain, struct ledger_outcome *outcomes,
                               const struct ledger_block *block, struct base_err *err) FM_CHECK;

/* The same in two steps, for an engine that asks for a block's hash before it decides to keep it:
 * stage executes, and *after is where the block leads; nothing is on disk yet, and readers see the
 * block before. Until it is committed or discarded (discarding nothing is fine) no other call on
 * the chain is allowed but those on its reader. Errors of stage as of ledger_chain_execute(), and
 * nothing is staged then; after a failed commit the replica stays at the block before. */
fm_status ledger_chain_stage(struct ledger_chain *chain, struct ledger_head *after,
                             struct ledger_outcome *outcomes, const struct ledger_block *block,
                             struct base_err *err) FM_CHECK;
fm_status ledger_chain_commit(struct ledger_chain *chain, struct base_err *err) FM_CHECK;
void ledger_chain_discard(struct ledger_chain *chain);
/* What the staged block changes: key to value, null where it is removed. Lent until the block is
 * committed or discarded; NULL: none is staged. */
const json_t *ledger_chain_staged(const struct ledger_chain *chain);

/* Takes a checkpoint with one or more cosignature lines (format.md section 7) from anyone. If it
 * agrees with our log, each line must be by a member active since then, under its current
 * assertionMethod key, neither newer than the checkpoint; then it is stored, once. A size of before
 * the quorum was last set is not made final. *n_new counts lines
 * that were not there before; *final_size is the newest final size afterwards (0: none). Lines for
 * sizes below the final one are checked and forgotten. Errors, nothing is stored unless said:
 * FM_E_INPUT (malformed, of another ledger, no lines), FM_E_AUTH (a line by nobody we know, or
 * whose signature is wrong), FM_E_NOT_FOUND (ahead of this replica: catch up and offer it again),
 * FM_E_CONFLICT: validly cosigned, but its root is not ours, or its size ends no block of ours (and
 * it is not what a change of epochs left behind: format.md section 7; of that nothing is kept).
 * Then a fork is proven: the checkpoint and our own newest one are both kept as evidence, and
 * ledger_reader_evidence() shows them. */
fm_status ledger_chain_cosign(struct ledger_chain *chain, size_t *n_new, uint64_t *final_size,
                              const char *checkpoint, size_t len, struct base_err *err) FM_CHECK;

/* Takes the replica back to the block of this height, which is not before the newest final one: for
 * blocks that never became final and are not part of what a new sequencer goes on from. One write
 * transaction. Errors: FM_E_ARG (beyond the head, or final), FM_E_NOT_FOUND (more than
 * LEDGER_UNDO_MAX blocks ago), FM_E_CORRUPT, FM_E_IO; the replica then stays where it was. */
#define LEDGER_UNDO_MAX 64
fm_status ledger_chain_rollback(struct ledger_chain *chain, uint64_t height,
                                struct base_err *err) FM_CHECK;

/* Goes back to the block before the first of these, if there are later ones, and executes them, all
 * in one write transaction: the last is the first of a new epoch, whose base is not where this
 * replica stands; it holds one transaction. outcomes: room for those of all of them, in order.
 * Errors: as both; FM_E_REFUSED: there, the last one's transaction is refused or dropped, and the
 * replica stays where it was. */
fm_status ledger_chain_switch(struct ledger_chain *chain, struct ledger_outcome *outcomes,
                              const struct ledger_block *blocks, size_t n,
                              struct base_err *err) FM_CHECK;

/* What this node must not forget (engine_epoch.h), under a name; stored when it returns. value
 * NULL: removes it. */
fm_status ledger_chain_note(struct ledger_chain *chain, const char *name, const void *value,
                            size_t len, struct base_err *err) FM_CHECK;
/* All of them, in the order of names; fn must not write. */
fm_status ledger_chain_notes(struct ledger_chain *chain,
                             fm_status (*fn)(void *ctx, const char *name, const void *value,
                                             size_t len, struct base_err *err),
                             void *ctx, struct base_err *err) FM_CHECK;

/* Forgets the payload of a transaction's leaf, on disk too; its hash and all proofs stay. Erasing
 * twice is FM_OK. FM_E_ARG for a block leaf, FM_E_NOT_FOUND beyond the log. */
fm_status ledger_chain_erase(struct ledger_chain *chain, uint64_t leaf,
                             struct base_err *err) FM_CHECK;

/* ---- Readers ---- */

/* Another connection to the ledger at path, read only. Errors as ledger_chain_open(). */
fm_status ledger_reader_open(struct ledger_reader **out, const char *path,
                             struct base_err *err) FM_CHECK;
void ledger_reader_close(struct ledger_reader *reader); /* NULL is allowed */

/* Between begin and end all calls see the same block. May not be nested. */
fm_status ledger_reader_begin(struct ledger_reader *reader, struct base_err *err) FM_CHECK;
void ledger_reader_end(struct ledger_reader *reader);

fm_status ledger_reader_head(struct ledger_reader *reader, struct ledger_head *out,
                             struct base_err *err) FM_CHECK;
const uint8_t *ledger_reader_id(const struct ledger_reader *reader); /* 32 bytes: H(genesis) */
/* Appends the canonical genesis. */
fm_status ledger_reader_genesis(struct ledger_reader *reader, struct base_buf *out,
                                struct base_err *err) FM_CHECK;

/* Appends block `height` in the encoding of format.md section 9, for a follower: its admitted
 * transactions only, which execute to the same hashes. FM_E_NOT_FOUND: beyond the head, block 0
 * (that is the genesis), or a payload was erased. */
fm_status ledger_reader_block(struct ledger_reader *reader, struct base_buf *out, uint64_t height,
                              struct base_err *err) FM_CHECK;

/* Appends the payload of block `height`'s block leaf (format.md section 5) and says which leaf it
 * is; nothing, with the log's size before that block, if the block is empty. FM_E_NOT_FOUND beyond
 * the head. */
fm_status ledger_reader_block_leaf(struct ledger_reader *reader, struct base_buf *out,
                                   uint64_t *leaf, uint64_t height, struct base_err *err) FM_CHECK;
/* The block that the log's first `size` leaves end with. FM_E_NOT_FOUND if none does. */
fm_status ledger_reader_block_at(struct ledger_reader *reader, uint64_t *height, uint64_t size,
                                 struct base_err *err) FM_CHECK;

/* One transaction of the log. payload is empty when it was erased. */
struct ledger_entry {
    uint64_t leaf;
    uint64_t height;
    int64_t time_ms;
    uint8_t id[32];
    uint8_t payload_hash[32];
    bool is_block; /* a block leaf: no id, alias, type, result */
    bool erased;
    char alias[33]; /* the sender's alias */
    char type[32];
    char rule[48]; /* "" when ok */
    char detail[LEDGER_DETAIL_TEXT];
    struct base_buf payload;
    struct base_buf summary; /* one line for people: see ledger_reader_entries() */
};
void ledger_entry_release(struct ledger_entry *entry);

/* The transaction with this id. FM_E_NOT_FOUND if it is not on the log. */
fm_status ledger_reader_tx(struct ledger_reader *reader, struct ledger_entry *out,
                           const uint8_t id[32], struct base_err *err) FM_CHECK;
fm_status ledger_reader_leaf(struct ledger_reader *reader, struct ledger_entry *out, uint64_t leaf,
                             struct base_err *err) FM_CHECK;
/* Calls fn for the log's entries from leaf `from` to the end of the log, in order, block leaves
 * included; entry is lent for the call. fn's error ends the walk and is returned. */
typedef fm_status ledger_entry_fn(void *ctx, struct ledger_entry *entry, struct base_err *err);
fm_status ledger_reader_entries(struct ledger_reader *reader, uint64_t from, ledger_entry_fn *fn,
                                void *ctx, struct base_err *err) FM_CHECK;

/* The value under a key of format.md section 6, at the head. FM_E_NOT_FOUND. */
fm_status ledger_reader_get(struct ledger_reader *reader, json_t **value, const char *key,
                            struct base_err *err) FM_CHECK;
/* All keys with a prefix, in byte order. fn's error ends the walk and is returned. */
typedef fm_status ledger_state_fn(void *ctx, const char *key, const json_t *value,
                                  struct base_err *err);
fm_status ledger_reader_list(struct ledger_reader *reader, const char *prefix, ledger_state_fn *fn,
                             void *ctx, struct base_err *err) FM_CHECK;

/* A member with its current document: {"alias", "did", "roles", "endpoint", "status", "since",
 * "document"}. name is an alias or a DID. FM_E_NOT_FOUND. */
fm_status ledger_reader_member(struct ledger_reader *reader, json_t **out, const char *name,
                               struct base_err *err) FM_CHECK;

/* The newest final state: its size, the height of the block that it ends with, and the checkpoint
 * text with every cosignature that we hold for it. FM_E_NOT_FOUND while nothing is final yet. text
 * may be NULL. */
fm_status ledger_reader_final(struct ledger_reader *reader, uint64_t *size, uint64_t *height,
                              struct base_buf *text, struct base_err *err) FM_CHECK;
/* The checkpoint over the log as it was at `size`, with whatever cosignatures we hold for it (none
 * too): what a member that lags behind asks for. */
fm_status ledger_reader_checkpoint(struct ledger_reader *reader, struct base_buf *text,
                                   uint64_t size, struct base_err *err) FM_CHECK;
/* The state that the log's first `size` leaves end with; *ends is false if no block ends there. */
fm_status ledger_reader_state_at(struct ledger_reader *reader, bool *ends,
                                 struct ledger_epoch_head *out, uint64_t size,
                                 struct base_err *err) FM_CHECK;
/* The proven forks: the foreign checkpoint, and our own at that moment. */
typedef fm_status ledger_evidence_fn(void *ctx, const char *theirs, const char *ours,
                                     struct base_err *err);
fm_status ledger_reader_evidence(struct ledger_reader *reader, ledger_evidence_fn *fn, void *ctx,
                                 struct base_err *err) FM_CHECK;

/* The node over the leaves [index << level, (index + 1) << level), and H(payload) of a leaf: what
 * the log is published from. FM_E_NOT_FOUND beyond the log. */
fm_status ledger_reader_node(struct ledger_reader *reader, uint8_t out32[32], unsigned level,
                             uint64_t index, struct base_err *err) FM_CHECK;
fm_status ledger_reader_payload_hash(struct ledger_reader *reader, uint8_t out32[32], uint64_t leaf,
                                     struct base_err *err) FM_CHECK;

/* Proofs, for sizes up to the log's (format.md section 5, log_proof.h) and for the state at the
 * head (section 6; of presence or absence, in the form of bundle lines). FM_E_NOT_FOUND beyond the
 * log, FM_E_ARG as ledger_log_prove_inclusion() and ledger_log_prove_consistency(). */
fm_status ledger_reader_inclusion(struct ledger_reader *reader, struct ledger_log_proof *proof,
                                  uint64_t leaf, uint64_t size, struct base_err *err) FM_CHECK;
fm_status ledger_reader_consistency(struct ledger_reader *reader, struct ledger_log_proof *proof,
                                    uint64_t old_size, uint64_t new_size,
                                    struct base_err *err) FM_CHECK;
fm_status ledger_reader_state_proof(struct ledger_reader *reader, json_t **proof, const char *key,
                                    struct base_err *err) FM_CHECK;

#endif
