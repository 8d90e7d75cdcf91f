/* What this node handed in itself and waits for: re-sent to the sequencer until it is on the log,
 * reported once when its block is final or it can no longer get in. In memory alone: after a
 * restart the submitter asks again, which is harmless (the id is the same).
 *
 * States of an item:  waiting --(a receipt "admitted")--> waiting, re-sent seldom
 *                     waiting --(in an executed block)--> placed --(that block final)--> reported
 *                     placed --(that block taken back)--> waiting
 *                     waiting --(receipt "dropped", or not_after passed)--> reported */
#ifndef FIRMIANA_LEDGER_ENGINE_OUTBOX_H
#define FIRMIANA_LEDGER_ENGINE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"
#include "ledger/engine/engine_ids.h"
#include "ledger/machine/block.h"

struct ledger_outbox_item {
    struct ledger_ids_node node; /* first: the table hands out nodes */
    struct ledger_outbox_item *prev, *next;
    struct ledger_bytes tx;
    int64_t not_after;
    int64_t next_send;             /* monotonic ms; 0: at once */
    int64_t sent_ms;               /* monotonic: when it was first sent over this channel */
    uint64_t height;               /* of the block it is in; 0: waiting */
    struct ledger_outcome outcome; /* once placed */
};

struct ledger_outbox {
    struct ledger_ids ids;
    struct ledger_outbox_item *first, *last; /* in the order of submission */
    size_t max;
    size_t placed; /* items with a height */
};

fm_status ledger_outbox_init(struct ledger_outbox *outbox, size_t max,
                             struct base_err *err) FM_CHECK;
void ledger_outbox_release(struct ledger_outbox *outbox);

size_t ledger_outbox_count(const struct ledger_outbox *outbox);
struct ledger_outbox_item *ledger_outbox_find(const struct ledger_outbox *outbox,
                                              const uint8_t id[32]);
/* Copies tx. Errors: FM_E_LIMIT (max items wait already), FM_E_MEMORY. The id is not in yet. */
fm_status ledger_outbox_add(struct ledger_outbox *outbox, struct ledger_outbox_item **item,
                            const uint8_t id[32], const void *tx, size_t len, int64_t not_after,
                            struct base_err *err) FM_CHECK;
/* The item's transaction is in the block of that height (not 0). */
void ledger_outbox_place(struct ledger_outbox *outbox, struct ledger_outbox_item *item,
                         uint64_t height, const struct ledger_outcome *outcome);
/* The block was taken back: it waits again. */
void ledger_outbox_displace(struct ledger_outbox *outbox, struct ledger_outbox_item *item);
void ledger_outbox_remove(struct ledger_outbox *outbox, struct ledger_outbox_item *item);

#endif
