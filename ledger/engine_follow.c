/* The followers' part: blocks in, in order, from the sequencer alone; and catching up. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/engine_own.h"

void engine_follow_note(struct ledger_engine *engine)
{
    bool lagging = engine_behind(engine);

    for (size_t i = 0; i < engine->n_members; i++)
        lagging |= engine->members[i].ahead_size > engine_head(engine)->log_size;
    if (lagging && !engine->lagging)
        engine->lag_ms = engine->now.mono_ms;
    engine->lagging = lagging;
    if (!lagging)
        engine->lag_told = false;
}

void engine_follow_complain(struct ledger_engine *engine)
{
    const struct engine_member *sequencer = engine_member_find(engine, engine->sequencer);
    struct ledger_engine_event event = {.kind = LEDGER_ENGINE_BEHIND,
                                        .height = engine_head(engine)->height,
                                        .size = engine->known_size};
    unsigned long long height = event.height, size = event.size;

    if (!engine_behind(engine) || engine->forked || engine->lag_told ||
        engine->now.mono_ms - engine->lag_ms < engine->params.heartbeat_ms)
        return;
    engine->lag_told = true;
    if (engine_sequencing(engine))
        engine_tell(engine, &event,
                    "we sequence, but our replica ends at block %llu while members signed a later "
                    "state (%llu entries): it is an old copy; no block is made before it has "
                    "caught up",
                    height, size);
    else if (sequencer != NULL && sequencer->up && sequencer->height <= event.height)
        engine_tell(engine, &event,
                    "members signed a state of %llu entries, but %s shows us no block after %llu: "
                    "compare with the other members whether it lies or is an old copy",
                    size, engine->sequencer, height);
    else
        engine_tell(engine, &event, "our replica is at block %llu, behind %s: catching up", height,
                    engine->sequencer);
}

fm_status engine_follow_ask(struct ledger_engine *engine, struct base_err *err)
{
    struct engine_member *sequencer = engine_member_find(engine, engine->sequencer);
    struct ledger_message message = {.kind = LEDGER_MESSAGE_WANT,
                                     .height = engine_head(engine)->height + 1};
    int64_t now = engine->now.mono_ms;

    if (engine_sequencing(engine) || engine->forked || sequencer == NULL || !sequencer->up)
        return FM_OK;
    /* A cosignature that overtook its block is no reason to ask; the block comes by itself. */
    if (sequencer->height < message.height &&
        !(engine->lagging && now - engine->lag_ms >= engine->params.resend_ms))
        return FM_OK;
    if (engine->asked == message.height && now - engine->asked_ms < engine->params.resend_ms)
        return FM_OK;
    engine->asked = message.height;
    engine->asked_ms = now;
    return engine_send(engine, sequencer, &message, err);
}

/* S1 and S2 of engine.h. */
static bool time_is_good(struct ledger_engine *engine, const struct ledger_block *block)
{
    struct ledger_engine_event event = {
        .kind = LEDGER_ENGINE_SKEW, .height = block->height, .alias = engine->sequencer};
    int64_t off = block->time_ms - engine->now.unix_ms;

    if (engine->known_size > engine_head(engine)->log_size)
        return true; /* a quorum has made a later state final: this is catching up */
    if (off <= engine->params.skew_ms &&
        (engine->sequencer_now == INT64_MIN ||
         block->time_ms >= engine->sequencer_now - engine->params.skew_ms))
        return true;
    if (engine->skew_told != block->height)
        engine_tell(engine, &event,
                    "block %llu of %s is held back: its time is %lld ms %s our clock: check both "
                    "clocks",
                    (unsigned long long)block->height, engine->sequencer,
                    (long long)(off < 0 ? -off : off), off < 0 ? "behind" : "ahead of");
    engine->skew_told = block->height;
    return false;
}

/* The next block, from the sequencer's channel. */
static fm_status follow(struct ledger_engine *engine, const struct ledger_block *block,
                        struct base_err *err)
{
    struct ledger_outcome *outcomes;
    fm_status st;

    if (!time_is_good(engine, block))
        return FM_OK;
    outcomes = calloc(block->count + 1, sizeof *outcomes);
    if (outcomes == NULL)
        return base_err_memory(err, "a block's outcomes");
    st = engine_execute(engine, outcomes, block, err);
    free(outcomes);
    if (st == FM_E_INPUT || st == FM_E_LIMIT) {
        err->code = FM_E_PEER;
        st = base_err_prefix(err, "block %llu of %s", (unsigned long long)block->height,
                             engine->sequencer);
    }
    return st;
}

static fm_status only_sequencer(const struct ledger_engine *engine,
                                const struct engine_member *from, struct base_err *err)
{
    if (strcmp(from->alias, engine->sequencer) != 0)
        return base_err_set(err, FM_E_PEER, "%s sends a block, but %s sequences", from->alias,
                            engine->sequencer);
    return FM_OK;
}

/* Executes the block if it is the next one. *height: its own. */
static fm_status offer(struct ledger_engine *engine, struct engine_member *from, uint64_t *height,
                       const struct base_buf *bytes, struct base_err *err)
{
    struct ledger_bytes *txs = NULL;
    struct ledger_block block;
    fm_status st = ledger_block_decode(&block, &txs, bytes->p, bytes->len, err);

    if (st == FM_E_INPUT) {
        err->code = FM_E_PEER;
        return base_err_prefix(err, "a block of %s", from->alias);
    }
    if (st != FM_OK)
        return st;
    *height = block.height;
    if (from->height < block.height)
        from->height = block.height;
    if (block.height == engine_head(engine)->height + 1 && !engine->forked)
        st = follow(engine, &block, err);
    free(txs);
    return st;
}

fm_status engine_follow_block(struct ledger_engine *engine, struct engine_member *from,
                              const struct ledger_message *message, struct base_err *err)
{
    uint64_t head = engine_head(engine)->height, height;
    fm_status st = only_sequencer(engine, from, err);

    /* First its checkpoint: it waits as one that is ahead of us, for the block to bring us there.
     */
    if (st == FM_OK)
        st = engine_final_take(engine, from, message->checkpoint, err);
    if (st == FM_OK)
        st = offer(engine, from, &height, &message->blocks[0], err);
    if (st != FM_OK)
        return st;
    if (height == head && height > 0 && !engine_settled(engine))
        return engine_final_push(engine, from, err); /* it lacks our cosignature */
    return engine_follow_ask(engine, err);
}

fm_status engine_follow_blocks(struct ledger_engine *engine, struct engine_member *from,
                               const struct ledger_message *message, struct base_err *err)
{
    uint64_t head = engine_head(engine)->height, height;
    fm_status st = only_sequencer(engine, from, err);

    if (st == FM_OK && message->n_blocks == 0)
        st = base_err_set(err, FM_E_PEER, "%s cannot give us block %llu: its payloads were erased",
                          from->alias, (unsigned long long)head + 1);
    if (st == FM_OK && message->checkpoint != NULL)
        st = engine_final_take(engine, from, message->checkpoint, err);
    for (size_t i = 0; st == FM_OK && i < message->n_blocks; i++)
        st = offer(engine, from, &height, &message->blocks[i], err);
    if (st != FM_OK)
        return st;
    return engine_follow_ask(engine, err);
}

/* ---- where others stand ---- */

static void note_clock(struct ledger_engine *engine, struct engine_member *from, int64_t now_ms)
{
    int64_t off = now_ms - engine->now.unix_ms;
    bool good = off <= engine->params.skew_ms && off >= -engine->params.skew_ms;
    struct ledger_engine_event event = {.kind = LEDGER_ENGINE_SKEW, .alias = from->alias};

    if (!good && (from->clock_good || !from->told))
        engine_tell(engine, &event, "the clock of %s is %lld ms %s ours: check both", from->alias,
                    (long long)(off < 0 ? -off : off), off < 0 ? "behind" : "ahead of");
    from->clock_good = good;
}

fm_status engine_follow_head(struct ledger_engine *engine, struct engine_member *from,
                             const struct ledger_message *message, struct base_err *err)
{
    const struct ledger_head *head = engine_head(engine);
    bool sequencer = strcmp(from->alias, engine->sequencer) == 0;
    fm_status st = FM_OK;

    note_clock(engine, from, message->now_ms);
    from->told = true;
    if (message->height > from->height) /* heads may overtake each other */
        from->height = message->height;
    if (sequencer && from->clock_good && message->height == head->height &&
        message->now_ms > engine->sequencer_now)
        engine->sequencer_now = message->now_ms;
    if (engine->forked)
        return FM_OK;
    if (message->final < engine->final_size)
        st = engine_final_show(engine, from, err);
    else if (message->size == head->log_size && memcmp(message->root, head->app_hash, 32) != 0)
        st = engine_final_push(engine, from, err); /* so that it sees whose signatures we have */
    return st == FM_OK ? engine_follow_ask(engine, err) : st;
}

/* As many blocks as fit; none if the first one's payloads were erased here. */
static fm_status gather(struct ledger_engine *engine, struct ledger_message *message,
                        uint64_t height, struct base_err *err)
{
    size_t max = ledger_message_block_max(engine->block_bytes, engine->block_txs), total = 0;
    struct base_buf block = {0};
    fm_status st = FM_OK;

    while (message->n_blocks < LEDGER_MESSAGE_BLOCKS_MAX && height <= engine_head(engine)->height) {
        st = ledger_reader_block(ledger_chain_reader(engine->chain), &block, height, err);
        if (st == FM_E_NOT_FOUND)
            st = FM_OK;
        else if (st == FM_OK && (message->n_blocks == 0 || block.len <= max - total)) {
            total += block.len;
            message->blocks[message->n_blocks++] = block;
            block = (struct base_buf){0};
            height++;
            if (total < max)
                continue;
        }
        break;
    }
    base_buf_release(&block);
    return st;
}

fm_status engine_follow_want(struct ledger_engine *engine, struct engine_member *from,
                             uint64_t height, struct base_err *err)
{
    struct ledger_message message = {.kind = LEDGER_MESSAGE_BLOCKS};
    struct base_buf text = {0};
    fm_status st;

    if (height == 0 || height > engine_head(engine)->height || engine->forked)
        return FM_OK; /* it is ahead of us, or what we have is in doubt */
    if (height <= from->served &&
        engine->now.mono_ms - from->served_ms < engine->params.resend_ms / 2)
        return FM_OK; /* doubled on its way */
    from->served = height;
    from->served_ms = engine->now.mono_ms;
    message.blocks = calloc(LEDGER_MESSAGE_BLOCKS_MAX, sizeof *message.blocks);
    if (message.blocks == NULL)
        return base_err_memory(err, "blocks for a peer");
    st = gather(engine, &message, height, err);
    if (st == FM_OK && height + message.n_blocks > engine_head(engine)->height) {
        st = engine_final_text(engine, &text, err);
        message.checkpoint = text.len > 0 ? base_buf_cstr(&text) : NULL;
    }
    if (st == FM_OK)
        st = engine_send(engine, from, &message, err);
    base_buf_release(&text);
    ledger_message_release(&message);
    return st;
}
