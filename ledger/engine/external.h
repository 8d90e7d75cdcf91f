/* The engine under others who order the ledger (CometBFT, by ledger/abci): blocks come from them,
 * in their order and with their times; what is final stays what engine.h says, by the same
 * checkpoints and the same messages between nodes. An engine is of this kind from the start, when
 * its callbacks have a `broadcast`; members and epochs then name no sequencer of ours.
 *
 * A block comes in two steps: finalize executes it and says where it leads, commit keeps it. In
 * between, nothing is on disk, and whoever else needs the replica gets it as it was: the block is
 * then taken out and executed again at its commit, which must lead to the same hash.
 *
 * Invariants, beside engine.h's (G1 and G3 are theirs who order):
 *   X1  only finalize and commit move the head, commit by exactly the block finalized last;
 *   X2  a block's time in ms is max(theirs, the head's + 1): a function of block and state, so that
 *       times rise strictly, as the machine demands, on every node alike;
 *   X3  judge accepts whatever propose made from the same head, at the same limits, within
 *       skew_ms / 2;
 *   X4  a block with transactions is voted for while its time is within skew_ms of our clock.
 *       CometBFT's times are those of the votes for the block before: the first block after a halt
 *       or an idle while is late, and must be empty; the next has a fresh time. So what ran out
 *       meanwhile (consents, not_after, deadlines) has run out. It is our vote alone: finalize
 *       executes whatever a quorum decided, and replays years later.
 *       But CometBFT's locks outlive rounds. Where some are locked on a block that the others heard
 *       of too late, none but that block can ever be decided; each round it is proposed again. So a
 *       late block is refused ENGINE_LATE_REFUSALS times, and then accepted: honest proposers never
 *       propose a late block anew, and while a quorum is there an empty block is decided before one
 *       dishonest proposer has had so many turns. What is left is one who, in a halt, reaches a
 *       quorum's members by turns over several of its rounds, and proposes first when it ends.
 *   X5  of one member's transactions that wait for a block here, no more than its quota of refused
 *       ones for a day are such as a rule would refuse now: those beyond wait at home, and nobody
 *       else looks at them twice, carries them on, proposes or votes for them. What depends on an
 *       earlier one that has not yet been executed counts as refused: later it is not.
 *
 * All are steps: engine.h says how they fail. */
#ifndef FIRMIANA_LEDGER_ENGINE_EXTERNAL_H
#define FIRMIANA_LEDGER_ENGINE_EXTERNAL_H

#include "ledger/engine/engine.h"
#include "ledger/engine/engine_message.h"

/* In the place of the sequencer's alias; none has a capital letter. */
#define LEDGER_EXTERNAL_NAME "CometBFT"

/* What they said to a transaction that `broadcast` gave them. Errors: as other steps. */
fm_status ledger_engine_told(struct ledger_engine *engine, const uint8_t id[32],
                             enum ledger_receipt_status status, const char *detail,
                             struct ledger_now now, struct base_err *err) FM_CHECK;

enum ledger_engine_asked { LEDGER_ASKED_FIRST, LEDGER_ASKED_AGAIN };

/* May this transaction wait for a block, or still wait (AGAIN: no event is told of it)? *outcome as
 * ledger_chain_check(): LEDGER_DROPPED if not. FM_E_LIMIT: not now (X5), the engine is as it was.
 * After each commit all that still wait are asked about again, before any other: the engine below
 * must see to that. */
fm_status ledger_engine_check(struct ledger_engine *engine, struct ledger_outcome *outcome,
                              const void *tx, size_t len, enum ledger_engine_asked asked,
                              struct ledger_now now, struct base_err *err) FM_CHECK;

/* A proposal: chosen (room for count) gets the indices of those candidates that a block may hold,
 * in the block's order, with no more than max_bytes together: the first one of each sender, then
 * the second one of each, ... (engine_turns.h), and of each no more that a rule refuses than its
 * quota leaves: who floods delays itself. None if time_ms is more than skew_ms / 2 ago: the other
 * half is for the way to the others, and their clocks. */
fm_status ledger_engine_propose(struct ledger_engine *engine, size_t *chosen, size_t *n_chosen,
                                const struct ledger_bytes *candidates, size_t count,
                                uint64_t max_bytes, int64_t time_ms, struct ledger_now now,
                                struct base_err *err) FM_CHECK;

/* Would we vote for this block? FM_E_REFUSED if not, with the reason: it is not the next one, holds
 * what no honest proposer would put there (a transaction that it would drop, for the quota too; in
 * whatever order), is from the future by our clock, or late (X4). */
fm_status ledger_engine_judge(struct ledger_engine *engine, const struct ledger_block *block,
                              struct ledger_now now, struct base_err *err) FM_CHECK;

/* Executes the next block; again if need be (what was finalized before is forgotten). outcomes:
 * room for block->count. The block is copied. Errors also: FM_E_CONFLICT (the height is not the
 * next, or the ledger has forked), FM_E_LIMIT. */
fm_status ledger_engine_finalize(struct ledger_engine *engine, struct ledger_head *after,
                                 struct ledger_outcome *outcomes, const struct ledger_block *block,
                                 struct ledger_now now, struct base_err *err) FM_CHECK;

/* Keeps it, on disk. FM_E_CONFLICT: nothing was finalized. */
fm_status ledger_engine_commit(struct ledger_engine *engine, struct ledger_now now,
                               struct base_err *err) FM_CHECK;

/* No block of others is later than this: by our clock, and what theirs may be ahead. */
int64_t ledger_engine_latest(const struct ledger_engine *engine, struct ledger_now now);

/* Begins with a snapshot (ledger/store/snapshot.h), whose height and app_hash are trusted. Errors
 * also: as ledger_snapshot_read(). */
fm_status ledger_engine_restore(struct ledger_engine *engine, const void *bytes, size_t len,
                                uint64_t height, const uint8_t app_hash32[32],
                                struct ledger_now now, struct base_err *err) FM_CHECK;

/* Whoever finalized it is gone and will do it again. Nothing finalized is fine. */
void ledger_engine_discard(struct ledger_engine *engine);

#endif
