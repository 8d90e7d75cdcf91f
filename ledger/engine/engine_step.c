/* The steps: what comes in, and what is due after it. engine.h has the table of states. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/engine/engine_own.h"

/* ---- a new head ---- */

fm_status engine_new_head(struct ledger_engine *engine, const struct ledger_head *before,
                          const struct ledger_outcome *outcomes, const struct ledger_block *block,
                          struct base_err *err)
{
    fm_status st;

    if (before->log_size == engine_head(engine)->log_size) /* empty: the state is what it was */
        return FM_OK;
    engine->before_size = before->log_size;
    memcpy(engine->before_root, before->app_hash, sizeof before->app_hash);
    base_buf_clear(&engine->head_block);
    for (size_t i = 0; i < engine->n_members; i++) /* those are over its predecessor */
        engine->members[i].has_line = engine->members[i].line_own = engine->members[i].line_stored =
            false;
    if (block != NULL)
        engine_submit_placed(engine, outcomes, block->count, block->height);
    st = engine_roster_load(engine, err);
    return st == FM_OK ? engine_final_moved(engine, err) : st;
}

fm_status engine_execute(struct ledger_engine *engine, struct ledger_outcome *outcomes,
                         const struct ledger_block *block, struct base_err *err)
{
    struct ledger_head before = *engine_head(engine);
    fm_status st;

    assert(!engine->forked && block->height == before.height + 1); /* G1, G5 */
    st = ledger_chain_execute(engine->chain, outcomes, block, err);
    return st == FM_OK ? engine_new_head(engine, &before, outcomes, block, err) : st;
}

static void tell_epoch(struct ledger_engine *engine, uint64_t dropped)
{
    struct ledger_engine_event event = {.kind = LEDGER_ENGINE_EPOCH,
                                        .height = engine_head(engine)->height,
                                        .size = engine_head(engine)->log_size,
                                        .alias = engine->sequencer};
    char more[128] = "";

    if (dropped > 0)
        (void)snprintf(more, sizeof more,
                       "; %llu blocks that were never final are dropped, and their transactions "
                       "wait again",
                       (unsigned long long)dropped);
    engine_tell(engine, &event, "epoch %llu begins with block %llu: %s sequences%s",
                (unsigned long long)engine_head(engine)->epoch, (unsigned long long)event.height,
                engine->sequencer, more);
}

fm_status engine_switch(struct ledger_engine *engine, const struct ledger_block *blocks, size_t n,
                        struct base_err *err)
{
    uint64_t before = engine_head(engine)->height, first = blocks[0].height;
    struct ledger_outcome *outcomes, *at;
    size_t count = 0;
    fm_status st;

    assert(!engine->forked);
    for (size_t i = 0; i < n; i++)
        count += blocks[i].count;
    at = outcomes = calloc(count + 1, sizeof *outcomes);
    if (outcomes == NULL)
        return base_err_memory(err, "a block's outcomes");
    st = ledger_chain_switch(engine->chain, outcomes, blocks, n, err);
    if (st == FM_OK) {
        engine_submit_displaced(engine, first);
        for (size_t i = 0; i < n; at += blocks[i++].count)
            engine_submit_placed(engine, at, blocks[i].count, blocks[i].height);
        st = engine_new_head(engine, &(struct ledger_head){0}, NULL, NULL, err);
        tell_epoch(engine, before >= first ? before - first + 1 : 0);
    }
    free(outcomes);
    return st;
}

/* ---- every step begins and ends here ---- */

void engine_begin(struct ledger_engine *engine, struct ledger_now now)
{
    assert(!engine->busy && "a callback called back into the engine");
    engine->busy = true;
    engine->now = now;
    if (engine->started)
        return;
    engine->started = true;
    engine->heard_ms = engine->silent_told_ms = engine->push_ms = engine->scan_ms = now.mono_ms;
    engine->beat_ms = now.mono_ms - engine->params.heartbeat_ms;
    engine->cut_ms = now.mono_ms - engine->params.interval_ms;
}

static void check(const struct ledger_engine *engine)
{
    const struct ledger_head *head = engine_head(engine);

    assert(engine->final_size <= head->log_size && engine->final_height <= head->height); /* G4 */
    assert(engine->n_members <= LEDGER_ENGINE_NAMES);                                     /* G6 */
    assert(ledger_outbox_count(&engine->outbox) <= engine->outbox.max);
    (void)engine;
    (void)head;
}

/* Does all that is due now, whatever the step was. A misbehaved peer does not keep it from that. */
static fm_status settle(struct ledger_engine *engine, struct base_err *err)
{
    fm_status st = FM_OK;

    engine_follow_note(engine);
    st = engine_epoch_step(engine, err);
    if (st == FM_OK)
        st = engine_final_cosign(engine, err);
    if (st == FM_OK && !engine->forked)
        st = engine_final_try(engine, err);
    while (st == FM_OK && engine_sequence_due(engine) &&
           engine->now.mono_ms - engine->cut_ms >= engine->params.interval_ms) {
        st = engine_sequence_cut(engine, err);
        if (st == FM_OK)
            st = engine_final_try(engine, err); /* a quorum of one */
    }
    return st;
}

fm_status engine_end(struct ledger_engine *engine, fm_status step, struct base_err *err)
{
    struct base_err later = {0};
    fm_status st = FM_OK;

    if (step == FM_OK || step == FM_E_PEER)
        st = settle(engine, &later);
    check(engine);
    engine->busy = false;
    if (st == FM_OK)
        return step;
    *err = later;
    return st;
}

/* ---- messages ---- */

/* What engines have to say to each other where others order the ledger. */
static bool is_for_us(const struct ledger_engine *engine, enum ledger_message_kind kind)
{
    return !engine_external(engine) || kind == LEDGER_MESSAGE_CHECKPOINT ||
           kind == LEDGER_MESSAGE_HEAD;
}

typedef fm_status handler_fn(struct ledger_engine *engine, struct engine_member *from,
                             const struct ledger_message *message, struct base_err *err);

static fm_status on_submit(struct ledger_engine *engine, struct engine_member *from,
                           const struct ledger_message *message, struct base_err *err)
{
    if (engine->forked)
        return FM_OK;
    return engine_sequence_submit(engine, from, message->tx.p, message->tx.len, err);
}

static fm_status on_receipt(struct ledger_engine *engine, struct engine_member *from,
                            const struct ledger_message *message, struct base_err *err)
{
    if (strcmp(from->alias, engine->sequencer) != 0 && engine_changing(engine))
        return FM_OK; /* of the one before */
    if (strcmp(from->alias, engine->sequencer) != 0)
        return base_err_set(err, FM_E_PEER, "%s sends a receipt, but %s sequences", from->alias,
                            engine->sequencer);
    engine_submit_receipt(engine, message->id, message->status, message->detail);
    return FM_OK;
}

static fm_status on_checkpoint(struct ledger_engine *engine, struct engine_member *from,
                               const struct ledger_message *message, struct base_err *err)
{
    fm_status st = engine_final_take(engine, from, message->checkpoint, err);

    return st == FM_OK ? engine_follow_ask(engine, err) : st;
}

static fm_status on_want(struct ledger_engine *engine, struct engine_member *from,
                         const struct ledger_message *message, struct base_err *err)
{
    return engine_follow_want(engine, from, message->height, message->size, err);
}

static fm_status on_epoch(struct ledger_engine *engine, struct engine_member *from,
                          const struct ledger_message *message, struct base_err *err)
{
    return engine_epoch_take(engine, from, message->tx.p, message->tx.len, err);
}

/* The table of engine.h; what depends on the state is inside the handlers. */
static handler_fn *const handlers[LEDGER_MESSAGE_COUNT] = {
    [LEDGER_MESSAGE_SUBMIT] = on_submit,
    [LEDGER_MESSAGE_RECEIPT] = on_receipt,
    [LEDGER_MESSAGE_BLOCK] = engine_follow_block,
    [LEDGER_MESSAGE_CHECKPOINT] = on_checkpoint,
    [LEDGER_MESSAGE_HEAD] = engine_follow_head,
    [LEDGER_MESSAGE_WANT] = on_want,
    [LEDGER_MESSAGE_BLOCKS] = engine_follow_blocks,
    [LEDGER_MESSAGE_EPOCH] = on_epoch,
};

static void heard(struct ledger_engine *engine, const struct engine_member *from)
{
    struct ledger_engine_event event = {.kind = LEDGER_ENGINE_HEARD, .alias = from->alias};

    if (strcmp(from->alias, engine->sequencer) != 0)
        return;
    engine->heard_ms = engine->silent_told_ms = engine->now.mono_ms;
    if (engine->silent)
        engine_tell(engine, &event, "sequencer %s is back", from->alias);
    engine->silent = false;
}

static fm_status receive(struct ledger_engine *engine, const char *alias, const void *bytes,
                         size_t len, struct base_err *err)
{
    struct engine_member *from = engine_member_find(engine, alias);
    struct ledger_message message;
    fm_status st;

    if (from == NULL || from == &engine->members[engine->self])
        return base_err_set(err, FM_E_PEER, "a message from '%.40s', who is not a peer", alias);
    if (!from->up)
        return FM_OK; /* left over from a channel that is closed */
    if (len > ledger_engine_message_max(engine))
        return base_err_set(err, FM_E_PEER, "a message of %zu bytes from %s: too long", len, alias);
    st = ledger_message_decode(&message, bytes, len, err);
    if (st == FM_E_INPUT) {
        err->code = FM_E_PEER;
        return base_err_prefix(err, "a message from %s", alias);
    }
    if (st != FM_OK)
        return st;
    heard(engine, from);
    st = is_for_us(engine, message.kind)
             ? handlers[message.kind](engine, from, &message, err)
             : base_err_set(err, FM_E_PEER,
                            "%s sends '%s', but %s orders this ledger: its node was set up for "
                            "another engine",
                            alias, ledger_message_name(message.kind), engine->sequencer);
    ledger_message_release(&message);
    return st;
}

fm_status ledger_engine_receive(struct ledger_engine *engine, const char *from, const void *bytes,
                                size_t len, struct ledger_now now, struct base_err *err)
{
    engine_begin(engine, now);
    return engine_end(engine, receive(engine, from, bytes, len, err), err);
}

/* ---- time ---- */

static void complain_of_silence(struct ledger_engine *engine)
{
    struct ledger_engine_event event = {.kind = LEDGER_ENGINE_SILENT,
                                        .alias = engine->sequencer,
                                        .silent_ms = engine->now.mono_ms - engine->heard_ms};

    if (engine_sequencing(engine) ||
        engine->now.mono_ms - engine->silent_told_ms < engine->params.silence_ms)
        return;
    engine->silent = true;
    engine->silent_told_ms = engine->now.mono_ms;
    if (engine_external(engine))
        engine_tell(engine, &event,
                    "no block for %lld s: %s runs here, but more than a third of the validators "
                    "are unreachable, or we are cut off; nothing is lost",
                    (long long)(event.silent_ms / 1000), engine->sequencer);
    else
        engine_tell(
            engine, &event,
            "sequencer %s silent for %lld s: nothing becomes final until it is back, or members "
            "hand over to another (firmiana ledger epoch approve)",
            engine->sequencer, (long long)(event.silent_ms / 1000));
}

static fm_status push_if_due(struct ledger_engine *engine, struct base_err *err)
{
    int64_t delay = engine->push_delay;

    if (engine->now.mono_ms - engine->push_ms < delay)
        return FM_OK;
    engine->push_ms = engine->now.mono_ms;
    engine->push_delay =
        delay * 2 < engine->params.heartbeat_ms ? delay * 2 : engine->params.heartbeat_ms;
    if (engine_settled(engine))
        return engine_final_store_late(engine, err);
    return engine_behind(engine) ? FM_OK : engine_final_push(engine, NULL, err);
}

static int64_t scan_interval(const struct ledger_engine *engine)
{
    return engine->params.resend_ms / 4 + 1;
}

static fm_status tick(struct ledger_engine *engine, struct base_err *err)
{
    int64_t now = engine->now.mono_ms;
    fm_status st = FM_OK;

    if (engine->forked && !engine->fork_told)
        engine_fork_tell(engine); /* it was known when we started */
    complain_of_silence(engine);
    engine_follow_note(engine);
    engine_follow_complain(engine);
    if (!engine->forked)
        st = push_if_due(engine, err);
    if (st == FM_OK)
        st = engine_follow_ask(engine, err);
    if (st == FM_OK && now - engine->scan_ms >= scan_interval(engine))
        st = engine_submit_scan(engine, err);
    if (st == FM_OK && now - engine->beat_ms >= engine->params.heartbeat_ms) {
        engine->beat_ms = now;
        st = engine_send_head(engine, NULL, err);
        if (st == FM_OK)
            st = engine_epoch_push(engine, NULL, err);
        if (st == FM_OK && engine->forked)
            st = engine_fork_warn(engine, err);
    }
    return st;
}

fm_status ledger_engine_tick(struct ledger_engine *engine, struct ledger_now now,
                             struct base_err *err)
{
    engine_begin(engine, now);
    return engine_end(engine, tick(engine, err), err);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t ledger_engine_wait(const struct ledger_engine *engine, int64_t now_mono_ms)
{
    int64_t at;

    if (!engine->started)
        return 0;
    at = engine->beat_ms + engine->params.heartbeat_ms;
    if (!engine_sequencing(engine)) /* who complains of nobody's silence waits for none */
        at = earlier(at, engine->silent_told_ms + engine->params.silence_ms);
    if (!engine->forked)
        at = earlier(at, engine->push_ms + engine->push_delay);
    if (ledger_outbox_count(&engine->outbox) > engine->outbox.placed)
        at = earlier(at, engine->scan_ms + scan_interval(engine));
    if (engine->lagging)
        at = earlier(at, engine->now.mono_ms + engine->params.resend_ms);
    if (engine_sequence_due(engine))
        at = earlier(at, engine->cut_ms + engine->params.interval_ms);
    return at <= now_mono_ms ? 0 : at - now_mono_ms;
}

/* ---- submissions, peers ---- */

fm_status ledger_engine_submit(struct ledger_engine *engine, struct ledger_outcome *outcome,
                               const void *tx, size_t len, struct ledger_now now,
                               struct base_err *err)
{
    fm_status st;

    engine_begin(engine, now);
    memset(outcome, 0, sizeof *outcome);
    if (engine->forked)
        st = base_err_set(err, FM_E_CONFLICT,
                          "the ledger has forked and this node has stopped: see `firmiana status`");
    else
        st = engine_submit(engine, outcome, tx, len, err);
    return engine_end(engine, st, err);
}

fm_status ledger_engine_approve(struct ledger_engine *engine, const void *tx, size_t len,
                                struct ledger_now now, struct base_err *err)
{
    fm_status st;

    engine_begin(engine, now);
    if (engine->forked)
        st = base_err_set(err, FM_E_CONFLICT,
                          "the ledger has forked and this node has stopped: see `firmiana status`");
    else if (engine_external(engine))
        st = base_err_set(err, FM_E_UNSUPPORTED,
                          "%s orders this ledger: there is no sequencer to hand over from",
                          engine->sequencer);
    else
        st = engine_epoch_take(engine, NULL, tx, len, err);
    return engine_end(engine, st, err);
}

fm_status ledger_engine_peer_up(struct ledger_engine *engine, const char *alias,
                                struct ledger_now now, struct base_err *err)
{
    struct engine_member *peer;
    fm_status st;

    engine_begin(engine, now);
    st = engine_member_get(&peer, engine, alias, err);
    if (st == FM_OK && peer == &engine->members[engine->self])
        st = base_err_set(err, FM_E_ARG, "%s is this node itself", alias);
    if (st == FM_OK) {
        engine_member_reset(peer);
        peer->up = true;
        if (strcmp(alias, engine->sequencer) == 0) {
            engine->sequencer_now = INT64_MIN;
            engine->asked = 0;
            for (struct ledger_outbox_item *it = engine->outbox.first; it != NULL; it = it->next)
                it->next_send = it->sent_ms = 0;
        }
        /* Signatures before the head: whoever restarted from an old copy must see its own newer
         * signature before our head lets it go on. */
        st = engine_final_push(engine, peer, err);
    }
    if (st == FM_OK)
        st = engine_epoch_push(engine, peer, err);
    if (st == FM_OK)
        st = engine_send_head(engine, peer, err);
    return engine_end(engine, st, err);
}

void ledger_engine_peer_down(struct ledger_engine *engine, const char *alias)
{
    struct engine_member *peer = engine_member_find(engine, alias);

    if (peer == NULL)
        return;
    engine_member_reset(peer);
    if (strcmp(alias, engine->sequencer) == 0)
        engine->sequencer_now = INT64_MIN;
}
