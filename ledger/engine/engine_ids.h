/* A table of things by their 32-byte id, for the engine's two lists of transactions. Intrusive: the
 * thing embeds a node, the table owns nothing. Ids are hashes, so their first bytes spread; whoever
 * grinds ids for one bucket slows the look-up among his own entries, whose number is bounded. */
#ifndef FIRMIANA_LEDGER_ENGINE_IDS_H
#define FIRMIANA_LEDGER_ENGINE_IDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

struct ledger_ids_node {
    uint8_t id[32];
    struct ledger_ids_node *next; /* in its bucket */
};

struct ledger_ids {
    struct ledger_ids_node **bucket;
    size_t n_buckets; /* a power of two */
    size_t count;
};

/* expected: about how many entries there will be at most. */
fm_status ledger_ids_init(struct ledger_ids *ids, size_t expected, struct base_err *err) FM_CHECK;
void ledger_ids_release(struct ledger_ids *ids); /* the entries are the caller's */

/* NULL if there is none. */
struct ledger_ids_node *ledger_ids_find(const struct ledger_ids *ids, const uint8_t id[32]);
/* node->id is set and not in the table yet. */
void ledger_ids_add(struct ledger_ids *ids, struct ledger_ids_node *node);
/* node is in the table. */
void ledger_ids_remove(struct ledger_ids *ids, struct ledger_ids_node *node);

#endif
