/* Blocks that others ordered: external.h. */
#include "ledger/engine/external.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "ledger/engine/engine_own.h"
#include "ledger/engine/engine_turns.h"
#include "ledger/store/snapshot.h"

/* A block between its two steps. */
struct engine_block {
    struct base_buf bytes; /* what txs point into */
    struct ledger_bytes *txs;
    struct ledger_block block;
    struct ledger_outcome *outcomes;
    uint8_t app_hash[32]; /* where we said that it leads */
    bool staged;          /* it waits in the replica's open transaction */
};

static void block_free(struct engine_block *b)
{
    if (b == NULL)
        return;
    base_buf_release(&b->bytes);
    free(b->txs);
    free(b->outcomes);
    free(b);
}

static fm_status block_copy(struct engine_block **out, const struct ledger_block *block,
                            struct base_err *err)
{
    struct engine_block *b = calloc(1, sizeof *b);
    size_t at = 0;

    *out = b;
    if (b == NULL)
        return base_err_memory(err, "block");
    b->txs = calloc(block->count + 1, sizeof *b->txs);
    b->outcomes = calloc(block->count + 1, sizeof *b->outcomes);
    for (size_t i = 0; i < block->count; i++)
        base_buf_put(&b->bytes, block->txs[i].p, block->txs[i].len);
    if (b->txs == NULL || b->outcomes == NULL || b->bytes.failed)
        return base_err_memory(err, "block");
    for (size_t i = 0; i < block->count; at += block->txs[i++].len)
        b->txs[i] = (struct ledger_bytes){b->bytes.p + at, block->txs[i].len};
    b->block = *block;
    b->block.txs = b->txs;
    return FM_OK;
}

bool engine_external(const struct ledger_engine *engine)
{
    return engine->call.broadcast != NULL;
}

void engine_unstage(struct ledger_engine *engine)
{
    if (engine->given == NULL || !engine->given->staged)
        return;
    engine->given->staged = false;
    ledger_chain_discard(engine->chain);
}

void ledger_engine_discard(struct ledger_engine *engine)
{
    engine_unstage(engine);
    block_free(engine->given);
    engine->given = NULL;
}

void engine_external_release(struct ledger_engine *engine)
{
    ledger_engine_discard(engine);
}

static fm_status stopped(const struct ledger_engine *engine, struct base_err *err)
{
    return !engine->forked ? FM_OK
                           : base_err_set(err, FM_E_CONFLICT,
                                          "the ledger has forked and this node has stopped: see "
                                          "`firmiana status`");
}

static int64_t block_time(const struct ledger_engine *engine, int64_t time_ms)
{
    int64_t head = engine_head(engine)->time_ms;

    return time_ms > head ? time_ms : head + 1; /* X2 */
}

/* ---- transactions ---- */

fm_status ledger_engine_told(struct ledger_engine *engine, const uint8_t id[32],
                             enum ledger_receipt_status status, const char *detail,
                             struct ledger_now now, struct base_err *err)
{
    engine_begin(engine, now);
    engine_submit_receipt(engine, id, status, detail);
    return engine_end(engine, FM_OK, err);
}

/* X5. Those that wait are asked about again after each block. */
static bool take_place(struct ledger_engine *engine, const char *alias)
{
    struct engine_member *m = engine_member_find(engine, alias);

    if (m == NULL || m->refused_waiting >= engine->refused_per_day)
        return m == NULL; /* admitted: it is in the state that is read next */
    m->refused_waiting++;
    return true;
}

static void forget_places(struct ledger_engine *engine)
{
    for (size_t i = 0; i < engine->n_members; i++)
        engine->members[i].refused_waiting = 0;
}

fm_status ledger_engine_check(struct ledger_engine *engine, struct ledger_outcome *outcome,
                              const void *tx, size_t len, enum ledger_engine_asked asked,
                              struct ledger_now now, struct base_err *err)
{
    struct ledger_engine_event event = {
        .kind = LEDGER_ENGINE_WAITING, .outcome = outcome, .tx = tx, .tx_len = len};
    bool full = false;
    fm_status st;

    engine_begin(engine, now);
    engine_unstage(engine);
    st = ledger_chain_check(engine->chain, outcome, tx, len, now.unix_ms, err);
    if (st == FM_OK && outcome->verdict == LEDGER_REFUSED)
        full = !take_place(engine, outcome->alias);
    if (st == FM_OK && outcome->verdict == LEDGER_OK && asked == LEDGER_ASKED_FIRST &&
        strcmp(outcome->alias, engine->members[engine->self].alias) != 0) {
        event.alias = outcome->alias;
        engine_tell(engine, &event, "a transaction of %s waits for a block", outcome->alias);
    }
    st = engine_end(engine, st, err);
    if (st != FM_OK || !full)
        return st;
    return base_err_set(err, FM_E_LIMIT,
                        "%llu transactions of %s that a rule refuses wait already: later again",
                        (unsigned long long)engine->refused_per_day, outcome->alias);
}

/* ---- proposals ---- */

/* Candidates in the order in which a block takes them. */
struct draft {
    size_t *order;
    struct ledger_bytes *txs;
};

static fm_status draft_init(struct draft *d, const struct ledger_bytes *candidates, size_t count,
                            uint64_t first, struct base_err *err)
{
    fm_status st;

    d->order = calloc(count + 1, sizeof *d->order);
    d->txs = calloc(count + 1, sizeof *d->txs);
    if (d->order == NULL || d->txs == NULL)
        return base_err_memory(err, "candidates for a block");
    st = ledger_turns(d->order, candidates, count, first, err);
    for (size_t i = 0; st == FM_OK && i < count; i++)
        d->txs[i] = candidates[d->order[i]];
    return st;
}

static void draft_release(struct draft *d)
{
    free(d->order);
    free(d->txs);
}

fm_status ledger_engine_propose(struct ledger_engine *engine, size_t *chosen, size_t *n_chosen,
                                const struct ledger_bytes *candidates, size_t count,
                                uint64_t max_bytes, int64_t time_ms, struct ledger_now now,
                                struct base_err *err)
{
    struct draft d = {0};
    uint64_t bytes = 0;
    size_t n_seen;
    fm_status st;

    engine_begin(engine, now);
    engine_unstage(engine);
    *n_chosen = 0;
    if (now.unix_ms - time_ms > engine->params.skew_ms / 2) /* X4 */
        return engine_end(engine, FM_OK, err);
    st = draft_init(&d, candidates, count, engine_head(engine)->height, err);
    if (st == FM_OK)
        st = ledger_chain_propose(engine->chain, LEDGER_SELECT_EXECUTED, chosen, n_chosen, &n_seen,
                                  d.txs, count, block_time(engine, time_ms), err);
    for (size_t i = 0; st == FM_OK && i < *n_chosen; i++) {
        bytes += d.txs[chosen[i]].len;
        chosen[i] = d.order[chosen[i]];
        if (bytes > max_bytes)
            *n_chosen = i;
    }
    draft_release(&d);
    return engine_end(engine, st, err);
}

/* Refused before, and how often? Counts this time too. */
static unsigned late_before(struct ledger_engine *engine, const struct ledger_block *block)
{
    struct engine_late it = {.height = block->height}, *late = engine->late;
    struct base_hash sha;
    size_t at = 0;

    base_hash_init(&sha);
    base_hash_update(&sha, &block->time_ms, sizeof block->time_ms);
    for (size_t i = 0; i < block->count; i++) {
        base_hash_update(&sha, &block->txs[i].len, sizeof block->txs[i].len);
        base_hash_update(&sha, block->txs[i].p, block->txs[i].len);
    }
    base_hash_final(&sha, it.hash);
    while (at < ENGINE_LATE - 1 &&
           (late[at].height != it.height || memcmp(late[at].hash, it.hash, sizeof it.hash) != 0))
        at++;
    if (late[at].height == it.height && memcmp(late[at].hash, it.hash, sizeof it.hash) == 0)
        it.times = late[at].times;
    memmove(late + 1, late, at * sizeof *late);
    late[0] = it;
    return late[0].times++;
}

static fm_status judge_late(struct ledger_engine *engine, const struct ledger_block *block,
                            struct base_err *err)
{
    int64_t late = engine->now.unix_ms - block->time_ms;

    if (block->count == 0 || late <= engine->params.skew_ms ||
        late_before(engine, block) >= ENGINE_LATE_REFUSALS)
        return FM_OK;
    return base_err_set(err, FM_E_REFUSED,
                        "its time is %lld ms behind our clock, and it has transactions",
                        (long long)late);
}

static fm_status judge(struct ledger_engine *engine, size_t *chosen,
                       const struct ledger_block *block, struct base_err *err)
{
    struct ledger_engine_event event = {.kind = LEDGER_ENGINE_SKEW};
    int64_t ahead = block->time_ms - engine->now.unix_ms;
    size_t n_chosen = 0, n_seen = 0;
    fm_status st;

    if (block->height != engine_head(engine)->height + 1)
        return base_err_set(err, FM_E_REFUSED, "it is block %llu, and our head is %llu",
                            (unsigned long long)block->height,
                            (unsigned long long)engine_head(engine)->height);
    if (ahead > engine->params.skew_ms) {
        if (engine->skew_told != block->height)
            engine_tell(engine, &event, "block %llu is %lld ms in the future: check the clocks",
                        (unsigned long long)block->height, (long long)ahead);
        engine->skew_told = block->height;
        return base_err_set(err, FM_E_REFUSED, "its time is %lld ms ahead of our clock",
                            (long long)ahead);
    }
    st = judge_late(engine, block, err);
    if (st == FM_OK)
        st =
            ledger_chain_propose(engine->chain, LEDGER_SELECT_EXECUTED, chosen, &n_chosen, &n_seen,
                                 block->txs, block->count, block_time(engine, block->time_ms), err);
    if (st == FM_OK && n_chosen != block->count)
        st = base_err_set(err, FM_E_REFUSED,
                          "%zu of its %zu transactions may not stand in a block, or do not fit",
                          block->count - n_chosen, block->count);
    return st;
}

fm_status ledger_engine_judge(struct ledger_engine *engine, const struct ledger_block *block,
                              struct ledger_now now, struct base_err *err)
{
    size_t *chosen = calloc(block->count + 1, sizeof *chosen);
    fm_status st;

    if (chosen == NULL)
        return base_err_memory(err, "proposal");
    engine_begin(engine, now);
    engine_unstage(engine);
    st = stopped(engine, err);
    if (st == FM_OK)
        st = judge(engine, chosen, block, err);
    free(chosen);
    return engine_end(engine, st, err);
}

/* ---- blocks ---- */

static fm_status finalize(struct ledger_engine *engine, struct ledger_head *after,
                          const struct ledger_block *block, struct base_err *err)
{
    fm_status st = stopped(engine, err);

    if (st == FM_OK && block->height != engine_head(engine)->height + 1)
        st = base_err_set(err, FM_E_CONFLICT, "block %llu cannot follow our block %llu",
                          (unsigned long long)block->height,
                          (unsigned long long)engine_head(engine)->height);
    /* Cosignatures over the head go to disk first: they outlive it, though it be not final. */
    if (st == FM_OK && !engine_settled(engine))
        st = engine_final_store_late(engine, err);
    if (st == FM_OK)
        st = block_copy(&engine->given, block, err);
    if (st != FM_OK)
        return st;
    engine->given->block.time_ms = block_time(engine, block->time_ms);
    st = ledger_chain_stage(engine->chain, after, engine->given->outcomes, &engine->given->block,
                            err);
    engine->given->staged = st == FM_OK;
    return st;
}

/* It was taken out for somebody else's sake. */
static fm_status stage_again(struct ledger_engine *engine, struct base_err *err)
{
    struct engine_block *b = engine->given;
    struct ledger_head after;
    fm_status st = ledger_chain_stage(engine->chain, &after, b->outcomes, &b->block, err);

    if (st != FM_OK)
        return st;
    b->staged = true;
    if (memcmp(after.app_hash, b->app_hash, sizeof b->app_hash) == 0)
        return FM_OK;
    engine_unstage(engine);
    return base_err_set(err, FM_E_CORRUPT,
                        "block %llu led to another hash when it was executed again: memory or "
                        "disk of this machine cannot be trusted",
                        (unsigned long long)b->block.height);
}

fm_status ledger_engine_finalize(struct ledger_engine *engine, struct ledger_head *after,
                                 struct ledger_outcome *outcomes, const struct ledger_block *block,
                                 struct ledger_now now, struct base_err *err)
{
    fm_status st;

    engine_begin(engine, now);
    ledger_engine_discard(engine);
    st = finalize(engine, after, block, err);
    if (st == FM_OK) {
        memcpy(engine->given->app_hash, after->app_hash, sizeof after->app_hash);
        if (block->count > 0)
            memcpy(outcomes, engine->given->outcomes, block->count * sizeof *outcomes);
    } else {
        ledger_engine_discard(engine);
    }
    st = engine_end(engine, st, err);
    /* Cosignatures that it stored took the block out; what it changes is asked for next. */
    if (st == FM_OK && !engine->given->staged)
        st = stage_again(engine, err);
    return st;
}

static fm_status commit(struct ledger_engine *engine, struct base_err *err)
{
    struct engine_block *b = engine->given;
    struct ledger_head before = *engine_head(engine);
    fm_status st = stopped(engine, err);

    if (st != FM_OK)
        return st;
    if (b == NULL)
        return base_err_set(err, FM_E_CONFLICT, "no block is there to commit");
    if (!b->staged)
        st = stage_again(engine, err);
    if (st != FM_OK)
        return st;
    b->staged = false; /* whatever comes of it */
    st = ledger_chain_commit(engine->chain, err);
    if (st != FM_OK)
        return st;
    engine->given = NULL;
    forget_places(engine);
    engine->heard_ms = engine->silent_told_ms = engine->now.mono_ms;
    engine->silent = false;
    st = engine_new_head(engine, &before, b->outcomes, &b->block, err);
    block_free(b);
    return st;
}

fm_status ledger_engine_commit(struct ledger_engine *engine, struct ledger_now now,
                               struct base_err *err)
{
    engine_begin(engine, now);
    return engine_end(engine, commit(engine, err), err);
}

int64_t ledger_engine_latest(const struct ledger_engine *engine, struct ledger_now now)
{
    return now.unix_ms + engine->params.skew_ms;
}

fm_status ledger_engine_restore(struct ledger_engine *engine, const void *bytes, size_t len,
                                uint64_t height, const uint8_t app_hash32[32],
                                struct ledger_now now, struct base_err *err)
{
    struct ledger_head before = *engine_head(engine);
    fm_status st;

    engine_begin(engine, now);
    ledger_engine_discard(engine);
    st = stopped(engine, err);
    if (st == FM_OK)
        st = ledger_snapshot_read(engine->chain, bytes, len, height, app_hash32,
                                  ledger_engine_latest(engine, now), err);
    if (st == FM_OK)
        st = engine_new_head(engine, &before, NULL, NULL, err);
    return engine_end(engine, st, err);
}
