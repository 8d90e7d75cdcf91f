#include "ledger/engine/engine_turns.h"

#include <stdlib.h>
#include <string.h>

/* Those of one sender, in their order: a list through `next`. */
struct line {
    struct ledger_bytes sender;
    size_t first, last;
};

#define NONE SIZE_MAX

struct turns {
    struct line line[LEDGER_TURNS_SENDERS];
    size_t n;
    size_t *next; /* of each transaction; NONE: the last of its line */
};

/* Canonical bytes end with ..., "sender":"DID","type":"TYPE"}: neither value has a quote in it.
 * Bytes that are not canonical are in no block, whatever they seem to say. */
static struct ledger_bytes sender_of(const struct ledger_bytes *tx)
{
    static const char name[] = ",\"sender\":\"";
    enum { NAME = sizeof name - 1, TAIL = 256 };
    size_t least = tx->len > TAIL ? tx->len - TAIL : 0;
    const uint8_t *from, *end;

    for (size_t at = tx->len > NAME ? tx->len - NAME : 0; at > least; at--) {
        if (memcmp(tx->p + at, name, NAME) != 0)
            continue;
        from = tx->p + at + NAME;
        end = memchr(from, '"', tx->len - at - NAME);
        return (struct ledger_bytes){from, end != NULL ? (size_t)(end - from) : 0};
    }
    return (struct ledger_bytes){NULL, 0};
}

static struct line *line_of(struct turns *t, const struct ledger_bytes *sender)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->line[i].sender.len == sender->len &&
            (sender->len == 0 || memcmp(t->line[i].sender.p, sender->p, sender->len) == 0))
            return &t->line[i];
    if (t->n == LEDGER_TURNS_SENDERS)
        return &t->line[t->n - 1];
    t->line[t->n] = (struct line){*sender, NONE, NONE};
    return &t->line[t->n++];
}

static void line_up(struct turns *t, const struct ledger_bytes *txs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct ledger_bytes sender = sender_of(&txs[i]);
        struct line *line = line_of(t, &sender);
        if (line->first == NONE)
            line->first = i;
        else
            t->next[line->last] = i;
        line->last = i;
        t->next[i] = NONE;
    }
}

fm_status ledger_turns(size_t *order, const struct ledger_bytes *txs, size_t count, uint64_t first,
                       struct base_err *err)
{
    struct turns *t = calloc(1, sizeof *t);
    size_t n = 0;

    if (t != NULL)
        t->next = calloc(count + 1, sizeof *t->next);
    if (t == NULL || t->next == NULL) {
        free(t);
        return base_err_memory(err, "candidates for a block");
    }
    line_up(t, txs, count);
    for (size_t at = t->n > 0 ? (size_t)(first % t->n) : 0; n < count; at = (at + 1) % t->n) {
        struct line *line = &t->line[at];
        if (line->first == NONE)
            continue;
        order[n++] = line->first;
        line->first = t->next[line->first];
    }
    free(t->next);
    free(t);
    return FM_OK;
}
