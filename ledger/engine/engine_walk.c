/* Blocks come in: which of them we execute, and in which order. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/engine/engine_own.h"

/* S1 and S2 of engine.h. */
static bool time_is_good(struct ledger_engine *engine, const struct engine_member *from,
                         const struct ledger_block *block)
{
    /* What leads to a later epoch was made before it, perhaps long ago: S2 is not for that. */
    bool sequencer = strcmp(from->alias, engine->sequencer) == 0 &&
                     engine->guide != (size_t)(from - engine->members);
    struct ledger_engine_event event = {
        .kind = LEDGER_ENGINE_SKEW, .height = block->height, .alias = from->alias};
    int64_t off = block->time_ms - engine->now.unix_ms;

    if (engine_known_ahead(engine))
        return true; /* a quorum has made a later state final: this is catching up */
    if (off <= engine->params.skew_ms &&
        (!sequencer || engine->sequencer_now == INT64_MIN ||
         block->time_ms >= engine->sequencer_now - engine->params.skew_ms))
        return true;
    if (engine->skew_told != block->height)
        engine_tell(engine, &event,
                    "block %llu of %s is held back: its time is %lld ms %s our clock: check both "
                    "clocks",
                    (unsigned long long)block->height, from->alias,
                    (long long)(off < 0 ? -off : off), off < 0 ? "behind" : "ahead of");
    engine->skew_told = block->height;
    return false;
}

/* The next block, from one whose blocks we may take. */
static fm_status follow(struct ledger_engine *engine, const struct engine_member *from,
                        const struct ledger_block *block, struct base_err *err)
{
    struct ledger_outcome *outcomes;
    fm_status st;

    if (!time_is_good(engine, from, block))
        return FM_OK;
    outcomes = calloc(block->count + 1, sizeof *outcomes);
    if (outcomes == NULL)
        return base_err_memory(err, "a block's outcomes");
    st = engine_execute(engine, outcomes, block, err);
    free(outcomes);
    if (st == FM_E_INPUT || st == FM_E_LIMIT) {
        err->code = FM_E_PEER;
        st = base_err_prefix(err, "block %llu of %s", (unsigned long long)block->height,
                             from->alias);
    }
    return st;
}

/* Is a block that we have, but which is not final, the same? */
static fm_status is_ours(struct ledger_engine *engine, bool *same, uint64_t height,
                         const struct base_buf *bytes, struct base_err *err)
{
    struct base_buf ours = {0};
    fm_status st = ledger_reader_block(ledger_chain_reader(engine->chain), &ours, height, err);

    *same = st == FM_OK && ours.len == bytes->len && memcmp(ours.p, bytes->p, ours.len) == 0;
    base_buf_release(&ours);
    return st == FM_E_NOT_FOUND ? FM_OK : st;
}

/* One message's blocks. joined is the height up to which they are known to be ours. */
struct walk {
    struct engine_member *from;
    struct ledger_block *block;
    struct ledger_bytes **txs; /* what each block's txs point at */
    size_t n, at;
    uint64_t joined;
    bool asked;  /* for by us: it is no fault that we need them no more */
    bool proven; /* to lead to a state that a quorum signed */
    bool stop;
};

static void walk_release(struct walk *w)
{
    for (size_t i = 0; w->txs != NULL && i < w->n; i++)
        free(w->txs[i]);
    free(w->txs);
    free(w->block);
}

static fm_status walk_init(struct walk *w, struct ledger_engine *engine, struct engine_member *from,
                           const struct ledger_message *message, struct base_err *err)
{
    const struct ledger_head *head = engine_head(engine);
    fm_status st = FM_OK;

    *w = (struct walk){.from = from,
                       .block = calloc(message->n_blocks + 1, sizeof *w->block),
                       .txs = calloc(message->n_blocks + 1, sizeof *w->txs),
                       .joined = engine->final_height,
                       .asked = message->kind == LEDGER_MESSAGE_BLOCKS};
    if (w->block == NULL || w->txs == NULL)
        return base_err_memory(err, "blocks of a peer");
    for (; st == FM_OK && w->n < message->n_blocks; w->n++)
        st = ledger_block_decode(&w->block[w->n], &w->txs[w->n], message->blocks[w->n].p,
                                 message->blocks[w->n].len, err);
    /* What one node sequences, no validators vote on. */
    for (size_t i = 0; st == FM_OK && i < w->n; i++)
        if (w->block[i].vouched > 0)
            st = base_err_set(err, FM_E_INPUT, "they tell of validators, and there are none");
    for (size_t i = 1; st == FM_OK && i < w->n; i++)
        if (w->block[i].height != w->block[i - 1].height + 1)
            st = base_err_set(err, FM_E_INPUT, "they do not follow each other");
    /* Whether what comes is what the quorum signed is known before any of it is executed. */
    if (st == FM_OK)
        st = engine_proof_check(engine, &w->proven, message, w->block, w->n, err);
    if (st == FM_E_INPUT || st == FM_E_INVALID) {
        err->code = FM_E_PEER;
        return base_err_prefix(err, "blocks of %s", from->alias);
    }
    if (st == FM_OK && w->n > 0 && from->epoch <= head->epoch &&
        from->height < w->block[w->n - 1].height) {
        from->epoch = head->epoch;
        from->height = w->block[w->n - 1].height;
    }
    return st;
}

/* From here on their blocks are not ours, or not yet: if one of them opens a later epoch, those up
 * to it may be what we must switch to. */
static fm_status try_epoch(struct ledger_engine *engine, struct walk *w, bool *found,
                           struct base_err *err)
{
    bool opens = false, done = false;
    size_t end = w->at;
    fm_status st = FM_OK;

    for (; st == FM_OK && !opens && end < w->n && end - w->at < LEDGER_UNDO_MAX; end++)
        st = engine_epoch_opens(engine, &opens, &w->block[end], err);
    *found = opens;
    if (st != FM_OK || !opens)
        return st;
    w->stop = !time_is_good(engine, w->from, &w->block[end - 1]);
    if (!w->stop)
        st = engine_epoch_follow(engine, w->from, &w->block[w->at], end - w->at, &done, err);
    w->stop |= !done;
    w->at = end - 1;
    w->joined = w->block[w->at].height;
    return st;
}

/* A block that follows our head. */
static fm_status extend(struct ledger_engine *engine, struct walk *w, struct base_err *err)
{
    const struct ledger_block *block = &w->block[w->at];
    bool sequencer = strcmp(w->from->alias, engine->sequencer) == 0, found = false;
    fm_status st = engine_epoch_opens(engine, &found, block, err);

    if (st == FM_OK && found)
        return try_epoch(engine, w, &found, err);
    if (st == FM_OK && !engine_follow_may(engine, w->from, w->proven)) {
        w->stop = true;
        return w->asked || engine_changing(engine)
                   ? FM_OK
                   : base_err_set(err, FM_E_PEER, "%s sends a block, but %s sequences",
                                  w->from->alias, engine->sequencer);
    }
    if (w->joined != engine_head(engine)->height && !(sequencer && !engine_pledged(engine)))
        return st;
    if (st == FM_OK)
        st = follow(engine, w->from, block, err);
    if (st == FM_OK && engine_head(engine)->height == block->height)
        w->joined = block->height;
    return st;
}

static fm_status walk_one(struct ledger_engine *engine, struct walk *w,
                          const struct base_buf *bytes, struct base_err *err)
{
    uint64_t height = w->block[w->at].height, head = engine_head(engine)->height;
    bool same = false, found = false;
    fm_status st;

    if (height <= engine->final_height)
        return FM_OK;
    if (height == head + 1)
        return extend(engine, w, err);
    if (height > head)
        return try_epoch(engine, w, &found, err); /* which can only guide us */
    st = is_ours(engine, &same, height, bytes, err);
    if (same)
        w->joined = height;
    else if (st == FM_OK)
        st = try_epoch(engine, w, &found, err);
    if (st == FM_OK && !same && !found && engine_follow_may(engine, w->from, w->proven) &&
        engine_changing(engine))
        engine->diverged = w->stop = true; /* they part further down */
    return st;
}

static fm_status walk(struct ledger_engine *engine, struct walk *w, struct engine_member *from,
                      const struct ledger_message *message, struct base_err *err)
{
    fm_status st = walk_init(w, engine, from, message, err);

    engine->diverged = false;
    for (; st == FM_OK && !engine->forked && !w->stop && w->at < w->n; w->at++)
        st = walk_one(engine, w, &message->blocks[w->at], err);
    return st;
}

fm_status engine_follow_block(struct ledger_engine *engine, struct engine_member *from,
                              const struct ledger_message *message, struct base_err *err)
{
    uint64_t head = engine_head(engine)->height, height = 0;
    struct walk w = {0};
    /* First its checkpoint: it waits as one that is ahead of us, for the block to bring us there.
     */
    fm_status st = engine_final_take(engine, from, message->checkpoint, err);

    if (st == FM_OK)
        st = walk(engine, &w, from, message, err);
    if (st == FM_OK)
        height = w.block[0].height;
    walk_release(&w);
    if (st != FM_OK)
        return st;
    if (height == head && height > 0 && !engine_settled(engine))
        return engine_final_push(engine, from, err); /* it lacks our cosignature */
    return engine_follow_ask(engine, err);
}

/* Once for each block that we lack. */
static void tell_pruned(struct ledger_engine *engine, const struct engine_member *from)
{
    uint64_t height = engine_head(engine)->height + 1;
    struct ledger_engine_event event = {.kind = LEDGER_ENGINE_BEHIND,
                                        .height = height - 1,
                                        .size = engine->known_size,
                                        .alias = from->alias};

    if (engine->pruned_told == height)
        return;
    engine->pruned_told = height;
    engine->lag_told = true; /* this says more */
    engine_tell(engine, &event,
                "%s cannot give us block %llu: it has pruned it; others are asked in turn, and if "
                "all have, begin with a backup of a member's ledger (firmiana ledger backup, "
                "restore)",
                from->alias, (unsigned long long)height);
}

fm_status engine_follow_blocks(struct ledger_engine *engine, struct engine_member *from,
                               const struct ledger_message *message, struct base_err *err)
{
    struct walk w = {0};
    fm_status st = FM_OK;

    if (message->n_blocks == 0) {
        tell_pruned(engine, from);
        return FM_OK; /* others are asked in turn, when it is time */
    }
    if (st == FM_OK && message->checkpoint != NULL)
        st = engine_final_take(engine, from, message->checkpoint, err);
    if (st == FM_OK)
        st = walk(engine, &w, from, message, err);
    walk_release(&w);
    return st == FM_OK ? engine_follow_ask(engine, err) : st;
}
