/* The sequencer's part: candidates in, blocks out. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/engine/engine_own.h"

static fm_status receipt(struct ledger_engine *engine, struct engine_member *to,
                         const uint8_t id[32], enum ledger_receipt_status status,
                         const char *detail, struct base_err *err)
{
    struct ledger_message message = {
        .kind = LEDGER_MESSAGE_RECEIPT, .status = status, .detail = detail};

    if (to == &engine->members[engine->self]) {
        engine_submit_receipt(engine, id, status, detail);
        return FM_OK;
    }
    if (!to->up)
        return FM_OK;
    memcpy(message.id, id, sizeof message.id);
    return engine_send(engine, to, &message, err);
}

/* A transaction that would be dropped: perhaps because it is on the log already. */
static fm_status answer_dropped(struct ledger_engine *engine, struct engine_member *to,
                                const struct ledger_outcome *outcome, struct base_err *err)
{
    struct ledger_entry entry = {0};
    fm_status st = ledger_reader_tx(ledger_chain_reader(engine->chain), &entry, outcome->id, err);

    if (st == FM_OK)
        st = receipt(engine, to, outcome->id, LEDGER_RECEIPT_KNOWN, NULL, err);
    else if (st == FM_E_NOT_FOUND)
        st = receipt(engine, to, outcome->id, LEDGER_RECEIPT_DROPPED, outcome->detail, err);
    ledger_entry_release(&entry);
    return st;
}

fm_status engine_sequence_submit(struct ledger_engine *engine, struct engine_member *from,
                                 const void *tx, size_t len, struct base_err *err)
{
    struct ledger_engine_event event = {.kind = LEDGER_ENGINE_WAITING, .tx = tx, .tx_len = len};
    struct ledger_outcome outcome;
    fm_status st;

    if (!engine_sequencing(engine) && engine_changing(engine))
        return FM_OK; /* it will hand it to whoever sequences, once it knows */
    if (!engine_sequencing(engine))
        return base_err_set(err, FM_E_PEER, "%s submits to us, but %s sequences", from->alias,
                            engine->sequencer);
    if (len > engine->tx_bytes)
        return base_err_set(err, FM_E_PEER, "%s submits a transaction of %zu bytes, more than %llu",
                            from->alias, len, (unsigned long long)engine->tx_bytes);
    st = ledger_chain_check(engine->chain, &outcome, tx, len, engine->now.unix_ms, err);
    if (st != FM_OK)
        return st;
    if (ledger_pool_has(&engine->pool, outcome.id))
        return receipt(engine, from, outcome.id, LEDGER_RECEIPT_ADMITTED, NULL, err);
    if (outcome.verdict == LEDGER_DROPPED)
        return answer_dropped(engine, from, &outcome, err);
    st = ledger_pool_add(&engine->pool, from->alias, outcome.id, tx, len, err);
    if (st == FM_E_LIMIT)
        return receipt(engine, from, outcome.id, LEDGER_RECEIPT_FULL, NULL, err);
    if (st == FM_OK && from != &engine->members[engine->self]) {
        event.alias = from->alias;
        event.outcome = &outcome;
        engine_tell(engine, &event, "a transaction of %s waits for a block", from->alias);
    }
    return st != FM_OK ? st : receipt(engine, from, outcome.id, LEDGER_RECEIPT_ADMITTED, NULL, err);
}

/* ---- making a block ---- */

/* Peers, us included, whose clocks agree with ours: without a quorum of them nothing we make could
 * become final, or it would be with a time that nobody else has. */
bool engine_sequence_clocks(const struct ledger_engine *engine)
{
    size_t n = engine->members[engine->self].active;

    for (size_t i = 0; i < engine->n_members; i++) {
        const struct engine_member *m = &engine->members[i];
        n += i != engine->self && m->active && m->up && m->told && m->clock_good;
    }
    return n >= engine->quorum;
}

bool engine_sequence_due(const struct ledger_engine *engine)
{
    return engine_sequencing(engine) && !engine->forked && engine_settled(engine) &&
           !engine_behind(engine) && !engine_pledged(engine) &&
           engine->members[engine->self].active && ledger_pool_count(&engine->pool) > 0 &&
           engine_sequence_clocks(engine);
}

/* What one attempt at a block works on. */
struct draft {
    struct ledger_pool_item **items; /* candidates, then only the chosen ones */
    struct ledger_bytes *txs;        /* theirs */
    struct ledger_outcome *outcomes;
    size_t *chosen;
    size_t n;
};

static fm_status draft_init(struct draft *d, size_t max, struct base_err *err)
{
    *d = (struct draft){.items = calloc(max, sizeof *d->items),
                        .txs = calloc(max, sizeof *d->txs),
                        .outcomes = calloc(max, sizeof *d->outcomes),
                        .chosen = calloc(max, sizeof *d->chosen)};
    if (d->items == NULL || d->txs == NULL || d->outcomes == NULL || d->chosen == NULL)
        return base_err_memory(err, "candidates for a block");
    return FM_OK;
}

static void draft_release(struct draft *d)
{
    free(d->items);
    free(d->txs);
    free(d->outcomes);
    free(d->chosen);
}

/* Takes a candidate out of the pool for good and tells who handed it in. */
static fm_status discard(struct ledger_engine *engine, struct ledger_pool_item *item,
                         struct ledger_outcome *outcome, struct base_err *err)
{
    struct engine_member *from = engine_member_find(engine, item->from);

    memcpy(outcome->id, item->node.id, sizeof outcome->id);
    (void)ledger_pool_remove(&engine->pool, outcome->id);
    return from == NULL ? FM_OK : answer_dropped(engine, from, outcome, err);
}

/* Leaves in the draft what a block at this time can admit, and in the pool what did not fit. */
static fm_status choose(struct ledger_engine *engine, struct draft *d, int64_t time_ms,
                        struct base_err *err)
{
    size_t n_chosen, n_seen, next = 0;
    fm_status st = ledger_chain_propose(engine->chain, LEDGER_SELECT_ADMITTED, d->chosen, &n_chosen,
                                        &n_seen, d->txs, d->n, time_ms, err);

    for (size_t i = 0; st == FM_OK && i < n_seen; i++) {
        struct ledger_outcome outcome;
        if (next < n_chosen && d->chosen[next] == i) {
            d->items[next] = d->items[i];
            d->txs[next] = d->txs[i];
            next++;
            continue;
        }
        st = ledger_chain_check(engine->chain, &outcome, d->txs[i].p, d->txs[i].len, time_ms, err);
        if (st == FM_OK)
            st = discard(engine, d->items[i], &outcome, err);
    }
    d->n = next;
    return st;
}

/* The block is executed. Keeps its bytes for resending, without what was dropped after all, and
 * empties the pool of it. */
static fm_status conclude(struct ledger_engine *engine, struct draft *d,
                          const struct ledger_block *block, struct base_err *err)
{
    struct ledger_block kept = *block;
    fm_status st;

    kept.count = 0;
    for (size_t i = 0; i < d->n; i++) {
        if (d->outcomes[i].verdict != LEDGER_DROPPED)
            d->txs[kept.count++] = d->txs[i];
    }
    base_buf_clear(&engine->head_block);
    st = ledger_block_encode(&engine->head_block, &kept, err);
    for (size_t i = 0; i < d->n; i++) {
        if (st == FM_OK && d->outcomes[i].verdict == LEDGER_DROPPED)
            st = discard(engine, d->items[i], &d->outcomes[i], err);
        else
            (void)ledger_pool_remove(&engine->pool, d->items[i]->node.id);
    }
    return st;
}

int64_t engine_sequence_time(const struct ledger_engine *engine)
{
    int64_t t = engine->now.unix_ms;

    /* What a wrong clock told, nobody believed: S2. */
    if (t < engine->told_now && engine->told_now - t <= engine->params.skew_ms)
        t = engine->told_now;
    if (t <= engine_head(engine)->time_ms)
        t = engine_head(engine)->time_ms + 1;
    return t;
}

fm_status engine_sequence_cut(struct ledger_engine *engine, struct base_err *err)
{
    size_t max = (size_t)engine->block_txs;
    struct ledger_block block = {.time_ms = engine_sequence_time(engine)};
    struct draft d;
    fm_status st;

    assert(engine_sequence_due(engine)); /* G3, G5 */
    if (engine->params.block_txs > 0 && engine->params.block_txs < max)
        max = engine->params.block_txs;
    st = draft_init(&d, max, err);
    if (st != FM_OK)
        goto done;
    engine->cut_ms = engine->now.mono_ms;
    d.n = ledger_pool_pick(&engine->pool, d.items, max, (size_t)engine->block_bytes);
    for (size_t i = 0; i < d.n; i++)
        d.txs[i] = d.items[i]->tx;
    st = choose(engine, &d, block.time_ms, err);
    if (st != FM_OK || d.n == 0)
        goto done;
    block.height = engine_head(engine)->height + 1;
    block.txs = d.txs;
    block.count = d.n;
    st = engine_execute(engine, d.outcomes, &block, err);
    if (st == FM_OK)
        st = conclude(engine, &d, &block, err);
    if (st == FM_OK)
        st = engine_final_cosign(engine, err);
done:
    draft_release(&d);
    if (st != FM_OK)
        return base_err_prefix(err, "making block %llu", (unsigned long long)block.height);
    return FM_OK;
}

fm_status engine_sequence_show(struct ledger_engine *engine, const struct engine_member *to,
                               struct base_err *err)
{
    struct ledger_message message = {
        .kind = LEDGER_MESSAGE_BLOCK, .blocks = &engine->head_block, .n_blocks = 1};
    struct base_buf text = {0};
    fm_status st = FM_OK;

    if (engine->head_block.len == 0)
        st = ledger_reader_block(ledger_chain_reader(engine->chain), &engine->head_block,
                                 engine_head(engine)->height, err);
    if (st == FM_E_NOT_FOUND)
        return FM_OK; /* its payloads were erased: the checkpoint alone must do */
    if (st == FM_OK)
        st = engine_final_text(engine, &text, err);
    if (st == FM_OK) {
        message.checkpoint = base_buf_cstr(&text);
        st = engine_send(engine, to, &message, err);
    }
    base_buf_release(&text);
    return st;
}
