/* The sequencer's candidates for coming blocks: bounded, and fair between members. Each member that
 * hands in transactions has a queue of its own with its own bounds, and blocks are filled from the
 * queues in turn, so that a member who floods delays nobody but itself. Whose transaction it is
 * follows from the channel it came by, which cannot be forged.
 *
 * Invariants: (1) ids are unique over all queues; (2) no queue exceeds its bounds; (3) within a
 * queue, order of arrival is kept. */
#ifndef FIRMIANA_LEDGER_ENGINE_POOL_H
#define FIRMIANA_LEDGER_ENGINE_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/engine/engine_ids.h"
#include "ledger/machine/block.h"

#define LEDGER_POOL_ALIAS 33

/* A candidate. Owned by the pool. */
struct ledger_pool_item {
    struct ledger_ids_node node; /* first: the table hands out nodes */
    struct ledger_pool_item *next;
    struct ledger_bytes tx;
    char from[LEDGER_POOL_ALIAS];
};

struct ledger_pool_queue {
    char from[LEDGER_POOL_ALIAS];
    struct ledger_pool_item *first, *last;
    struct ledger_pool_item *cursor; /* within one pick: the next one to take */
    size_t count, bytes;
};

struct ledger_pool {
    struct ledger_ids ids;
    struct ledger_pool_queue *queues;
    size_t n_queues;
    size_t turn;                 /* the queue that comes first next time */
    size_t max_count, max_bytes; /* of each queue */
};

fm_status ledger_pool_init(struct ledger_pool *pool, size_t max_count, size_t max_bytes,
                           struct base_err *err) FM_CHECK;
void ledger_pool_release(struct ledger_pool *pool);

size_t ledger_pool_count(const struct ledger_pool *pool);
bool ledger_pool_has(const struct ledger_pool *pool, const uint8_t id[32]);

/* Copies tx. Errors: FM_E_CONFLICT (it is there), FM_E_LIMIT (the member's queue is full),
 * FM_E_MEMORY. The number of distinct `from` is the caller's to bound (members of the ledger). */
fm_status ledger_pool_add(struct ledger_pool *pool, const char *from, const uint8_t id[32],
                          const void *tx, size_t len, struct base_err *err) FM_CHECK;

/* Up to max candidates, at most max_bytes together (but always one), one from each queue in turn;
 * each call begins with another queue. Returns how many. The items stay in the pool and must not be
 * removed before the caller is done with the array. */
size_t ledger_pool_pick(struct ledger_pool *pool, struct ledger_pool_item **items, size_t max,
                        size_t max_bytes);

/* False if there is none with this id. */
bool ledger_pool_remove(struct ledger_pool *pool, const uint8_t id[32]);

#endif
