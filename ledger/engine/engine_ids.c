#include "ledger/engine/engine_ids.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

fm_status ledger_ids_init(struct ledger_ids *ids, size_t expected, struct base_err *err)
{
    size_t n = 16;

    while (n < expected && n < (size_t)1 << 20)
        n *= 2;
    *ids = (struct ledger_ids){.bucket = calloc(n, sizeof *ids->bucket), .n_buckets = n};
    return ids->bucket == NULL ? base_err_memory(err, "table of transaction ids") : FM_OK;
}

void ledger_ids_release(struct ledger_ids *ids)
{
    free(ids->bucket);
    *ids = (struct ledger_ids){0};
}

static struct ledger_ids_node **bucket_of(const struct ledger_ids *ids, const uint8_t id[32])
{
    return &ids->bucket[base_load_u64(id) & (ids->n_buckets - 1)];
}

struct ledger_ids_node *ledger_ids_find(const struct ledger_ids *ids, const uint8_t id[32])
{
    struct ledger_ids_node *node = *bucket_of(ids, id);

    while (node != NULL && memcmp(node->id, id, sizeof node->id) != 0)
        node = node->next;
    return node;
}

void ledger_ids_add(struct ledger_ids *ids, struct ledger_ids_node *node)
{
    struct ledger_ids_node **bucket = bucket_of(ids, node->id);

    node->next = *bucket;
    *bucket = node;
    ids->count++;
}

void ledger_ids_remove(struct ledger_ids *ids, struct ledger_ids_node *node)
{
    struct ledger_ids_node **at = bucket_of(ids, node->id);

    while (*at != node) {
        assert(*at != NULL);
        at = &(*at)->next;
    }
    *at = node->next;
    ids->count--;
}
