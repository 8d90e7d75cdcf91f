/* A replica as one stream of bytes, from which another begins instead of executing all blocks. The
 * same replica gives the same bytes at every member, whatever it has pruned: a payload is in it if,
 * and only if, ledger_prune() would still keep it at this height. Where it was left out, its hash
 * is there, as after pruning. Integers are big-endian:
 *
 *   "FMSNAP1\n"
 *   genesis    length (4), canonical bytes
 *   tip        height (8), time (8), epoch (8), rules version (8), leaves (8)
 *   blocks     for each height from 0: time (8), first leaf (8), transactions (4)
 *   leaves     each: height (8), kind (1: 0 block, 1 transaction, 2 transaction without payload),
 *              payload hash (32); of a transaction: id (32), not_after while the id is remembered,
 *              else 0 (8), alias (1 + n), type (1 + n), result (4 + n); unless kind is 2: payload
 *              (4 + n)
 *   state      each key in byte order: key (2 + n), value (4 + n); then a key of length 0
 *
 * What a reader must be told by somebody it trusts: the height and its app_hash. All else is
 * checked against that before anything is kept, but for this, which is in no hash:
 *   - times of empty blocks: they rise between those of the blocks around them, and after the last
 *     one that is not empty up to what the reader calls latest. What CometBFT's next block says is
 *     later than all true ones; a false one later than it shows as another app_hash;
 *   - id, type and alias of transactions without payload. None is without whose type says that it
 *     is of members, documents or epochs, or whose id is remembered; but who lies about the type as
 *     well can leave out any. The state is not touched by it: but a trail exported
 *     there need not verify. The remedy is another member's snapshot. */
#ifndef FIRMIANA_LEDGER_SNAPSHOT_H
#define FIRMIANA_LEDGER_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/store/chain.h"

/* Takes bytes as they come. */
typedef fm_status ledger_snapshot_sink(void *ctx, const void *bytes, size_t len,
                                       struct base_err *err);

/* Writes what the reader sees; it is in a snapshot (ledger_reader_begin()). Bounded memory. */
fm_status ledger_snapshot_write(struct ledger_reader *reader, ledger_snapshot_sink *sink, void *ctx,
                                struct base_err *err) FM_CHECK;

/* Fills a replica that is at its genesis, in one write transaction, and checks all of it as
 * ledger_check() does. latest_ms: no block's time is after it. Errors, the replica is then what it
 * was: FM_E_CONFLICT (it is not at its genesis), FM_E_INPUT (malformed, of another ledger, or not
 * at that height), FM_E_INVALID (it does not lead to that app_hash, or is not whole), FM_E_IO,
 * FM_E_MEMORY (100 bytes a key of the state, and 128 MiB).
 */
fm_status ledger_snapshot_read(struct ledger_chain *chain, const void *bytes, size_t len,
                               uint64_t height, const uint8_t app_hash32[32], int64_t latest_ms,
                               struct base_err *err) FM_CHECK;

/* Does a snapshot of `total` bytes at most, of which these are the first, begin as one that
 * ledger_snapshot_read() might take? The genesis must be among them. For whoever gathers the rest.
 * Errors: FM_E_INPUT. */
fm_status ledger_snapshot_begins(struct ledger_chain *chain, const void *bytes, size_t len,
                                 uint64_t total, uint64_t height, int64_t latest_ms,
                                 struct base_err *err) FM_CHECK;

#endif
