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
 * checked against that before anything is kept, but for this: times of empty blocks, and id, alias
 * and type of transactions whose payloads are left out, are in no hash; epoch and rules version
 * show at the next block, which then has another hash. */
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
 * ledger_check() does. Errors, the replica is then what it was: FM_E_CONFLICT (it is not at its
 * genesis), FM_E_INPUT (malformed, of another ledger, or not at that height), FM_E_INVALID (it does
 * not lead to that app_hash, or is not whole), FM_E_IO, FM_E_MEMORY (64 bytes a key of the state).
 */
fm_status ledger_snapshot_read(struct ledger_chain *chain, const void *bytes, size_t len,
                               uint64_t height, const uint8_t app_hash32[32],
                               struct base_err *err) FM_CHECK;

#endif
