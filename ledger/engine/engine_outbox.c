#include "ledger/engine/engine_outbox.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

fm_status ledger_outbox_init(struct ledger_outbox *outbox, size_t max, struct base_err *err)
{
    *outbox = (struct ledger_outbox){.max = max};
    return ledger_ids_init(&outbox->ids, max, err);
}

void ledger_outbox_release(struct ledger_outbox *outbox)
{
    while (outbox->first != NULL)
        ledger_outbox_remove(outbox, outbox->first);
    ledger_ids_release(&outbox->ids);
    *outbox = (struct ledger_outbox){0};
}

size_t ledger_outbox_count(const struct ledger_outbox *outbox)
{
    return outbox->ids.count;
}

struct ledger_outbox_item *ledger_outbox_find(const struct ledger_outbox *outbox,
                                              const uint8_t id[32])
{
    return (struct ledger_outbox_item *)ledger_ids_find(&outbox->ids, id);
}

fm_status ledger_outbox_add(struct ledger_outbox *outbox, struct ledger_outbox_item **item,
                            const uint8_t id[32], const void *tx, size_t len, int64_t not_after,
                            struct base_err *err)
{
    struct ledger_outbox_item *it;

    *item = NULL;
    assert(ledger_outbox_find(outbox, id) == NULL);
    if (ledger_outbox_count(outbox) >= outbox->max)
        return base_err_set(err, FM_E_LIMIT,
                            "%zu submissions of this node wait for the ledger already: try again "
                            "when some are final",
                            outbox->max);
    it = malloc(sizeof *it + len);
    if (it == NULL)
        return base_err_memory(err, "submission");
    *it = (struct ledger_outbox_item){
        .tx = {(uint8_t *)(it + 1), len}, .not_after = not_after, .prev = outbox->last};
    memcpy(it + 1, tx, len);
    memcpy(it->node.id, id, sizeof it->node.id);
    if (outbox->last == NULL)
        outbox->first = it;
    else
        outbox->last->next = it;
    outbox->last = it;
    ledger_ids_add(&outbox->ids, &it->node);
    *item = it;
    return FM_OK;
}

void ledger_outbox_place(struct ledger_outbox *outbox, struct ledger_outbox_item *item,
                         uint64_t height, const struct ledger_outcome *outcome)
{
    assert(height > 0 && item->height == 0);
    item->height = height;
    item->outcome = *outcome;
    outbox->placed++;
}

void ledger_outbox_displace(struct ledger_outbox *outbox, struct ledger_outbox_item *item)
{
    assert(item->height > 0);
    item->height = 0;
    outbox->placed--;
}

void ledger_outbox_remove(struct ledger_outbox *outbox, struct ledger_outbox_item *item)
{
    if (item->prev == NULL)
        outbox->first = item->next;
    else
        item->prev->next = item->next;
    if (item->next == NULL)
        outbox->last = item->prev;
    else
        item->next->prev = item->prev;
    if (item->height > 0)
        outbox->placed--;
    ledger_ids_remove(&outbox->ids, &item->node);
    free(item);
}
