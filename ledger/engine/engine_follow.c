/* The followers' part: blocks in, in order, from the sequencer; and catching up, from anybody. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/engine/engine_own.h"

void engine_follow_note(struct ledger_engine *engine)
{
    bool lagging = engine_behind(engine);

    for (size_t i = 0; i < engine->n_members; i++)
        lagging |=
            engine->members[i].ahead_size > 0 &&
            engine_later(engine, engine->members[i].ahead_epoch, engine->members[i].ahead_size);
    if (lagging && !engine->lagging)
        engine->lag_ms = engine->now.mono_ms;
    engine->lagging = lagging;
    if (!lagging)
        engine->lag_told = false;
}

void engine_follow_complain(struct ledger_engine *engine)
{
    struct ledger_engine_event event = {.kind = LEDGER_ENGINE_BEHIND,
                                        .height = engine_head(engine)->height,
                                        .size = engine->known_size};
    int64_t patience = engine->lag_told ? engine->params.silence_ms : engine->params.heartbeat_ms;
    unsigned long long height = event.height, have = engine_head(engine)->log_size;
    bool stuck = engine->lag_told && engine->lag_height == event.height;

    if (!engine_behind(engine) || engine->forked || engine->now.mono_ms - engine->lag_ms < patience)
        return;
    engine->lag_ms = engine->now.mono_ms;
    engine->lag_height = event.height;
    if (engine->pruned_told == event.height + 1)
        return; /* it has been said why nothing comes */
    if (engine_sequencing(engine) && !engine->lag_told)
        engine_tell(engine, &event,
                    "we sequence, but our replica ends at block %llu while members signed a later "
                    "state (%llu entries): it is an old copy, and makes no block before it has "
                    "caught up",
                    height, (unsigned long long)event.size);
    else if (stuck)
        engine_tell(engine, &event,
                    "members signed a state of %llu entries, but nobody shows us a block after "
                    "%llu: are they connected?",
                    (unsigned long long)event.size, height);
    else if (engine_known_ahead(engine))
        engine_tell(engine, &event,
                    "catching up: our replica is at block %llu, %llu of %llu entries", height, have,
                    (unsigned long long)event.size);
    else
        engine_tell(engine, &event, "catching up: our replica is at block %llu, behind %s", height,
                    engine->sequencer);
    engine->lag_told = true;
}

/* ---- whom to ask, and whose blocks to take ---- */

static size_t index_of(const struct ledger_engine *engine, const struct engine_member *m)
{
    return (size_t)(m - engine->members);
}

/* The sequencer's blocks; and anybody's that lead to a state which a quorum signed, or to a later
 * epoch whose beginning we have checked. */
bool engine_follow_may(const struct ledger_engine *engine, const struct engine_member *from,
                       bool proven)
{
    if (proven || engine->guide == index_of(engine, from))
        return true;
    return strcmp(from->alias, engine->sequencer) == 0 && !engine_pledged(engine);
}

static bool tells_more(const struct ledger_engine *engine, const struct engine_member *m)
{
    const struct ledger_head *head = engine_head(engine);

    return m->epoch > head->epoch || m->ahead_epoch > head->epoch ||
           (m->epoch == head->epoch && m->height > head->height);
}

/* The next one in turn after the one asked last who is up and tells more than we have: of a later
 * epoch, or anything. */
static struct engine_member *next_source(struct ledger_engine *engine, bool any)
{
    const struct ledger_head *head = engine_head(engine);

    for (size_t k = 1; k <= engine->n_members; k++) {
        struct engine_member *m = &engine->members[(engine->asked_whom + k) % engine->n_members];
        bool later = m->epoch > head->epoch || m->ahead_epoch > head->epoch;
        if (m->up && index_of(engine, m) != engine->self && (any ? tells_more(engine, m) : later))
            return m;
    }
    return NULL;
}

/* NULL: nobody, or nobody now. *elsewhere: it is not (only) the sequencer that may know more. */
static struct engine_member *source(struct ledger_engine *engine, bool *elsewhere)
{
    struct engine_member *sequencer = engine_member_find(engine, engine->sequencer), *m;
    bool known = engine_known_ahead(engine);

    *elsewhere = true;
    if (engine->guide < engine->n_members)
        return engine->members[engine->guide].up ? &engine->members[engine->guide] : NULL;
    if (known && !engine_sequencing(engine) && sequencer != NULL && sequencer->up &&
        tells_more(engine, sequencer) && engine->asked_whom != index_of(engine, sequencer))
        return sequencer;
    m = next_source(engine, known);
    if (m != NULL)
        return m;
    *elsewhere = false;
    return engine_sequencing(engine) || engine_pledged(engine) || sequencer == NULL ||
                   !sequencer->up
               ? NULL
               : sequencer;
}

/* From whom the sequencer is not, or where epochs differ, we ask with an overlap: what follows our
 * head is only then known to follow it. What is final is common to all. */
static uint64_t first_wanted(const struct ledger_engine *engine, bool elsewhere)
{
    uint64_t head = engine_head(engine)->height, least = engine->final_height + 1;

    if (!elsewhere || head < least)
        return head + 1;
    if (head - least >= LEDGER_UNDO_MAX)
        least = head - LEDGER_UNDO_MAX + 1;
    return engine->diverged ? least : head;
}

fm_status engine_follow_ask(struct ledger_engine *engine, struct base_err *err)
{
    bool elsewhere;
    struct engine_member *whom = source(engine, &elsewhere);
    struct ledger_message message = {.kind = LEDGER_MESSAGE_WANT};
    int64_t now = engine->now.mono_ms;

    if (engine->forked || whom == NULL || engine_external(engine))
        return FM_OK;
    message.height = first_wanted(engine, elsewhere);
    message.size = engine_known_ahead(engine) ? engine->known_size : 0;
    /* A cosignature that overtook its block is no reason to ask; the block comes by itself. */
    if (!elsewhere && whom->height < message.height &&
        !(engine->lagging && now - engine->lag_ms >= engine->params.resend_ms))
        return FM_OK;
    if (engine->asked == message.height && now - engine->asked_ms < engine->params.resend_ms)
        return FM_OK;
    engine->asked = message.height;
    engine->asked_ms = now;
    engine->asked_whom = index_of(engine, whom);
    engine->asked_size = message.size;
    memcpy(engine->asked_root, engine->known_root, sizeof engine->asked_root);
    return engine_send(engine, whom, &message, err);
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
    event.kind = LEDGER_ENGINE_HEARD;
    if (good && !from->clock_good && from->told)
        engine_tell(engine, &event, "the clock of %s agrees with ours again", from->alias);
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
    /* Heads may overtake each other. */
    if (message->epoch > from->epoch) {
        from->epoch = message->epoch;
        from->height = message->height;
    } else if (message->epoch == from->epoch && message->height > from->height) {
        from->height = message->height;
    }
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
                             uint64_t height, uint64_t size, struct base_err *err)
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
    if (st == FM_OK && size > 0)
        st = engine_proof_add(engine, &message, height, size, err);
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
