/* Fair turns among those who wait for a block that others order: the engine below keeps what came
 * in one queue, and who sends thousands at once stands in front of everybody. A block takes the
 * first transaction of each sender, then the second one of each, ...: engine_pool.h does the same
 * where this node sequences, by the channel that a transaction came by.
 *
 * Which sender begins follows from `first`, so that nobody is first in every block. Each sender's
 * own stay in their order. It is the proposer's own choice: who judges a block asks for none. */
#ifndef FIRMIANA_LEDGER_ENGINE_TURNS_H
#define FIRMIANA_LEDGER_ENGINE_TURNS_H

#include "base/status.h"
#include "ledger/machine/block.h"

/* order: room for count; a permutation of 0 .. count - 1. Whose a transaction is is what it says
 * itself (nothing is checked here: what lies is dropped later); what says nothing is one sender's.
 * Time: count times the senders, of whom those beyond LEDGER_TURNS_SENDERS share a turn. */
#define LEDGER_TURNS_SENDERS 256
fm_status ledger_turns(size_t *order, const struct ledger_bytes *txs, size_t count, uint64_t first,
                       struct base_err *err) FM_CHECK;

#endif
