#include "ledger/engine/engine_pool.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

fm_status ledger_pool_init(struct ledger_pool *pool, size_t max_count, size_t max_bytes,
                           struct base_err *err)
{
    *pool = (struct ledger_pool){.max_count = max_count, .max_bytes = max_bytes};
    return ledger_ids_init(&pool->ids, 4 * max_count, err);
}

void ledger_pool_release(struct ledger_pool *pool)
{
    for (size_t i = 0; i < pool->n_queues; i++) {
        struct ledger_pool_item *item = pool->queues[i].first;
        while (item != NULL) {
            struct ledger_pool_item *next = item->next;
            free(item);
            item = next;
        }
    }
    free(pool->queues);
    ledger_ids_release(&pool->ids);
    *pool = (struct ledger_pool){0};
}

size_t ledger_pool_count(const struct ledger_pool *pool)
{
    return pool->ids.count;
}

bool ledger_pool_has(const struct ledger_pool *pool, const uint8_t id[32])
{
    return ledger_ids_find(&pool->ids, id) != NULL;
}

static struct ledger_pool_queue *queue_find(struct ledger_pool *pool, const char *from)
{
    for (size_t i = 0; i < pool->n_queues; i++)
        if (strcmp(pool->queues[i].from, from) == 0)
            return &pool->queues[i];
    return NULL;
}

static struct ledger_pool_queue *queue_for(struct ledger_pool *pool, const char *from)
{
    struct ledger_pool_queue *queue = queue_find(pool, from), *more;

    if (queue != NULL)
        return queue;
    more = realloc(pool->queues, (pool->n_queues + 1) * sizeof *more);
    if (more == NULL)
        return NULL;
    pool->queues = more;
    queue = &more[pool->n_queues++];
    *queue = (struct ledger_pool_queue){0};
    (void)snprintf(queue->from, sizeof queue->from, "%s", from);
    return queue;
}

fm_status ledger_pool_add(struct ledger_pool *pool, const char *from, const uint8_t id[32],
                          const void *tx, size_t len, struct base_err *err)
{
    struct ledger_pool_queue *queue;
    struct ledger_pool_item *item;

    if (ledger_pool_has(pool, id))
        return base_err_set(err, FM_E_CONFLICT, "the transaction waits for a block already");
    queue = queue_for(pool, from);
    if (queue == NULL)
        return base_err_memory(err, "queue of transactions");
    if (queue->count >= pool->max_count || len > pool->max_bytes - queue->bytes)
        return base_err_set(err, FM_E_LIMIT, "%zu transactions of %s wait already: try again later",
                            queue->count, from);
    item = malloc(sizeof *item + len);
    if (item == NULL)
        return base_err_memory(err, "waiting transaction");
    *item = (struct ledger_pool_item){.tx = {(uint8_t *)(item + 1), len}};
    memcpy(item + 1, tx, len);
    memcpy(item->node.id, id, sizeof item->node.id);
    memcpy(item->from, queue->from, sizeof item->from);
    ledger_ids_add(&pool->ids, &item->node);
    if (queue->last == NULL)
        queue->first = item;
    else
        queue->last->next = item;
    queue->last = item;
    queue->count++;
    queue->bytes += len;
    return FM_OK;
}

/* The queues are walked side by side: their first items in turn, then their second ones, ... An
 * item that no longer fits ends the pick, so that order within queues is kept. */
size_t ledger_pool_pick(struct ledger_pool *pool, struct ledger_pool_item **items, size_t max,
                        size_t max_bytes)
{
    size_t n = 0, bytes = 0, empty = 0, at = pool->turn;

    for (size_t q = 0; q < pool->n_queues; q++)
        pool->queues[q].cursor = pool->queues[q].first;
    while (n < max && empty < pool->n_queues) {
        struct ledger_pool_queue *queue = &pool->queues[at++ % pool->n_queues];
        struct ledger_pool_item *item = queue->cursor;
        if (item == NULL) {
            empty++; /* so many in a row */
            continue;
        }
        if (n > 0 && (bytes >= max_bytes || item->tx.len > max_bytes - bytes))
            break;
        empty = 0;
        items[n++] = item;
        bytes += item->tx.len;
        queue->cursor = item->next;
    }
    if (pool->n_queues > 0)
        pool->turn = (pool->turn + 1) % pool->n_queues;
    return n;
}

bool ledger_pool_remove(struct ledger_pool *pool, const uint8_t id[32])
{
    struct ledger_ids_node *node = ledger_ids_find(&pool->ids, id);
    struct ledger_pool_item *item = (struct ledger_pool_item *)node, *before = NULL;
    struct ledger_pool_queue *queue;

    if (node == NULL)
        return false;
    queue = queue_find(pool, item->from);
    assert(queue != NULL);
    for (struct ledger_pool_item *at = queue->first; at != item; at = at->next)
        before = at;
    if (before == NULL)
        queue->first = item->next;
    else
        before->next = item->next;
    if (queue->last == item)
        queue->last = before;
    queue->count--;
    queue->bytes -= item->tx.len;
    ledger_ids_remove(&pool->ids, node);
    free(item);
    return true;
}
