/* The ledger's state machine: blocks in; outcomes and state updates out. Pure: what it computes
 * depends on the state it reads through `struct ledger_state_source` and on the block, and on
 * nothing else (no clock, no randomness, no floats, no order of a hash table). It keeps a cache of
 * parsed values, which changes speed alone. Log, trees and disks are the caller's (seal.h,
 * chain.h).
 *
 * Invariants, of the state after every block (test_invariants.c asserts them by number, over whole
 * states, after every block of every machine test):
 *
 * - M1: consent/ID: 0 <= left <= consent.uses; consent.uses - left is the number of queries that
 *   name it, less those closed with a refund.
 * - M2: authorization/C/A: 0 <= used <= runs, and A is a provider of contract C.
 * - M3: query/ID is opened once and leaves `open` at most once; asker/A lists exactly A's open
 *   queries, each with the query's own deadline.
 * - M4: seen/ID: one for each admitted transaction whose not_after is not before the time of the
 *   newest non-empty block, and no other.
 * - M5: height rises by one, time strictly: ledger_machine_follows() refuses other blocks.
 * - M6: member/A: the current document of its DID carries alias A; no two members share a DID;
 *   active members are at least `quorum`, and from rules version 2 on fewer than 2 * quorum.
 * - M7: did/D: hash is that of document; did/D/N exists for N = 1 up to the document's version,
 * with heights that do not fall, the last with this hash. A deactivated DID's member is suspended.
 * - M8: pending/A points at an open proposal about A (about the parameters: A is *), and every open
 *   proposal is pointed at.
 * - M9: dataset/A/D: A is a member; schema_hash is that of schema; data_version only rises; the
 *   version/A/D/N of the newest N, where there is one, has its root, rows and schema_hash.
 * - M10: quota/A: refused <= limits.refused_per_day.
 * - M11: query/ID: its receipts are sorted, distinct, and parties of the query.
 * - M12: param.epoch is 0, or the greatest N of which there is an epoch/N, whose sequencer is
 *   param.sequencer; bases of later epochs are not before those of earlier ones.
 * - M13: misbehavior/ID: of a block before the one that recorded it, and its member is one. */
#ifndef FIRMIANA_LEDGER_MACHINE_H
#define FIRMIANA_LEDGER_MACHINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/status.h"
#include "ledger/machine/block.h"
#include "ledger/proof/epoch.h"

/* Where the machine reads: the state as it was after the block before. Errors are the world's. */
struct ledger_state_source {
    /* Appends the value under key, and says whether there is one. */
    fm_status (*get)(void *ctx, struct base_buf *value, bool *found, const char *key,
                     struct base_err *err);
    /* Calls fn for every key with the prefix, in byte order. */
    fm_status (*list)(void *ctx, const char *prefix,
                      fm_status (*fn)(void *fn_ctx, const char *key, const void *value, size_t len,
                                      struct base_err *err),
                      void *fn_ctx, struct base_err *err);
    /* Calls fn for the id (64 hex digits) of every seen/ID with not_after < before_ms, in any
     * order. */
    fm_status (*expired)(void *ctx, int64_t before_ms,
                         fm_status (*fn)(void *fn_ctx, const char *id, struct base_err *err),
                         void *fn_ctx, struct base_err *err);
    /* Whether there is seen/ID, for the id of a transaction with that not_after: who knows it finds
     * the id among those that end at the same time, which came lately. */
    fm_status (*seen)(void *ctx, bool *found, const uint8_t id[32], int64_t not_after,
                      struct base_err *err);
    /* Whether the log's first `size` leaves (0: all) end with a block leaf, and that state. */
    fm_status (*log_at)(void *ctx, bool *ends, struct ledger_epoch_head *out, uint64_t size,
                        struct base_err *err);
    void *ctx;
};

struct ledger_machine;

/* chain: H(genesis). source must outlive the machine. */
fm_status ledger_machine_new(struct ledger_machine **out, const struct ledger_state_source *source,
                             const uint8_t chain[32], struct base_err *err) FM_CHECK;
void ledger_machine_free(struct ledger_machine *machine); /* NULL is allowed */
/* How many threads may check signatures; 1 to begin with. Changes speed alone. */
void ledger_machine_set_threads(struct ledger_machine *machine, unsigned threads);
/* The newest rules to follow, 1 to LEDGER_RULES_VERSION: to see how an older program will fare. */
void ledger_machine_set_newest_rules(struct ledger_machine *machine, uint32_t newest);

/* One change of the state. value is canonical JSON, NULL for a key that is removed. */
struct ledger_update {
    const char *key;
    const uint8_t *value;
    size_t len;
};

/* What a block did. Owned by the caller; {0} to begin with, ledger_step_release() to end. */
struct ledger_step {
    struct ledger_update *updates; /* by key, in byte order, distinct */
    size_t n_updates;
    uint64_t epoch;         /* after it */
    uint64_t rules_version; /* those it followed */
    size_t admitted;        /* transactions that enter the log; 0: the block is empty, no updates */
    struct base_buf bytes;  /* what updates point into */
    json_t *values;         /* the same, parsed, for the machine's cache */
};
void ledger_step_release(struct ledger_step *step);

/* Checks a genesis (format.md section 1) and gives the state that it makes. Errors: FM_E_INPUT with
 * the member that is wrong, FM_E_UNSUPPORTED (rules_version). */
fm_status ledger_machine_genesis(struct ledger_machine *machine, struct ledger_step *out,
                                 const json_t *genesis, struct base_err *err) FM_CHECK;

/* FM_E_INPUT if a block of this height and time cannot follow that head (M5), FM_E_LIMIT if it
 * holds more transactions or bytes than param.limits allow, FM_E_UNSUPPORTED if it follows rules
 * that this program does not have: nothing of such a block is ever executed. */
fm_status ledger_machine_follows(struct ledger_machine *machine, uint64_t head_height,
                                 int64_t head_time_ms, const struct ledger_block *block,
                                 struct base_err *err) FM_CHECK;

/* Runs a block. outcomes: room for block->count; their `leaf` is counted from first_leaf. The state
 * that `source` gives must not change until the step is applied or thrown away. Errors are the
 * world's; the step is then empty. */
fm_status ledger_machine_step(struct ledger_machine *machine, struct ledger_step *out,
                              struct ledger_outcome *outcomes, const struct ledger_block *block,
                              uint64_t first_leaf, struct base_err *err) FM_CHECK;

/* The caller has stored the step's updates: `source` gives them from now on. */
void ledger_machine_applied(struct ledger_machine *machine, struct ledger_step *step);

/* The source went back to an earlier block: forgets every value that was read from it. */
void ledger_machine_forget(struct ledger_machine *machine);

/* What a block of this transaction alone would do with it; changes nothing. */
fm_status ledger_machine_try(struct ledger_machine *machine, struct ledger_outcome *out,
                             const struct ledger_bytes *tx, uint64_t height, int64_t time_ms,
                             struct base_err *err) FM_CHECK;

/* Of txs, in order, those that a block at time_ms may hold, up to the block's limits. As
 * ledger_chain_propose(). */
fm_status ledger_machine_select(struct ledger_machine *machine, enum ledger_select_by by,
                                size_t *chosen, size_t *n_chosen, size_t *n_seen,
                                const struct ledger_bytes *txs, size_t count, uint64_t height,
                                int64_t time_ms, struct base_err *err) FM_CHECK;

/* {"code":"ok"} or {"code":"refused",...}: appends the canonical result of format.md section 4. */
fm_status ledger_outcome_result(struct base_buf *out, const struct ledger_outcome *outcome,
                                struct base_err *err) FM_CHECK;

#endif
