#include "ledger/engine/engine.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/engine/engine_own.h"

/* ---- small views ---- */

const struct ledger_head *engine_head(const struct ledger_engine *engine)
{
    return ledger_chain_head(engine->chain);
}

bool engine_sequencing(const struct ledger_engine *engine)
{
    return strcmp(engine->members[engine->self].alias, engine->sequencer) == 0;
}

bool engine_settled(const struct ledger_engine *engine)
{
    return engine->final_size == engine_head(engine)->log_size;
}

bool engine_behind(const struct ledger_engine *engine)
{
    const struct engine_member *sequencer = engine_member_find(engine, engine->sequencer);

    if (engine_known_ahead(engine))
        return true;
    return !engine_sequencing(engine) && sequencer != NULL && sequencer->up &&
           sequencer->epoch == engine_head(engine)->epoch &&
           sequencer->height > engine_head(engine)->height;
}

bool engine_later(const struct ledger_engine *engine, uint64_t epoch, uint64_t size)
{
    const struct ledger_head *head = engine_head(engine);

    return epoch != head->epoch ? epoch > head->epoch : size > head->log_size;
}

bool engine_known_ahead(const struct ledger_engine *engine)
{
    return engine_later(engine, engine->known_epoch, engine->known_size);
}

enum ledger_engine_state ledger_engine_state(const struct ledger_engine *engine)
{
    if (engine->forked)
        return LEDGER_ENGINE_STOPPED;
    if (engine_behind(engine))
        return LEDGER_ENGINE_LAGGING;
    return engine_settled(engine) ? LEDGER_ENGINE_SETTLED : LEDGER_ENGINE_PENDING;
}

const char *ledger_engine_state_name(enum ledger_engine_state state)
{
    static const char *const names[] = {[LEDGER_ENGINE_SETTLED] = "settled",
                                        [LEDGER_ENGINE_PENDING] = "pending",
                                        [LEDGER_ENGINE_LAGGING] = "behind",
                                        [LEDGER_ENGINE_STOPPED] = "forked"};
    return names[state];
}

void ledger_engine_status(const struct ledger_engine *engine, struct ledger_engine_status *out)
{
    *out = (struct ledger_engine_status){
        .state = ledger_engine_state(engine),
        .sequencer = engine->sequencer,
        .sequencing = engine_sequencing(engine),
        .height = engine_head(engine)->height,
        .size = engine_head(engine)->log_size,
        .final_height = engine->final_height,
        .final_size = engine->final_size,
        .known_size = engine->known_size,
        .quorum = engine->quorum,
        .active = engine->active,
        .pool = ledger_pool_count(&engine->pool),
        .outbox = ledger_outbox_count(&engine->outbox),
    };
    for (size_t i = 0; i < engine->n_members; i++)
        out->up += engine->members[i].up;
}

size_t ledger_engine_message_max(const struct ledger_engine *engine)
{
    return ledger_message_max(engine->block_bytes, engine->block_txs, LEDGER_ENGINE_NAMES);
}

/* ---- out ---- */

void engine_tell(struct ledger_engine *engine, struct ledger_engine_event *event, const char *fmt,
                 ...)
{
    char text[BASE_ERR_TEXT];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    event->text = text;
    engine->call.event(engine->call.ctx, event);
}

fm_status engine_send(struct ledger_engine *engine, const struct engine_member *to,
                      const struct ledger_message *message, struct base_err *err)
{
    struct base_buf bytes = {0};
    fm_status st = ledger_message_encode(&bytes, message, err);

    for (size_t i = 0; st == FM_OK && i < engine->n_members; i++) {
        const struct engine_member *m = &engine->members[i];
        if (m->up && (to == NULL || m == to))
            engine->call.send(engine->call.ctx, m->alias, bytes.p, bytes.len);
    }
    base_buf_release(&bytes);
    return st;
}

fm_status engine_send_head(struct ledger_engine *engine, const struct engine_member *to,
                           struct base_err *err)
{
    const struct ledger_head *head = engine_head(engine);
    struct ledger_message message = {.kind = LEDGER_MESSAGE_HEAD,
                                     .height = head->height,
                                     .size = head->log_size,
                                     .final = engine->final_size,
                                     .epoch = head->epoch,
                                     .now_ms = engine->now.unix_ms};

    memcpy(message.root, head->app_hash, sizeof message.root);
    if (engine->told_now < message.now_ms)
        engine->told_now = message.now_ms;
    return engine_send(engine, to, &message, err);
}

/* ---- life ---- */

struct ledger_engine_params ledger_engine_defaults(void)
{
    return (struct ledger_engine_params){.interval_ms = 2,
                                         .resend_ms = 200,
                                         .heartbeat_ms = 1000,
                                         .silence_ms = 5000,
                                         .skew_ms = 5000,
                                         .pool_txs = 4096,
                                         .pool_bytes = (size_t)16 << 20,
                                         .outbox_txs = 8192};
}

static fm_status check_params(const struct ledger_engine_params *p, struct base_err *err)
{
    const int64_t day = 86400000;

    if (p->interval_ms < 0 || p->interval_ms > day || p->resend_ms < 1 || p->resend_ms > day ||
        p->heartbeat_ms < 1 || p->heartbeat_ms > day || p->silence_ms < 1 || p->silence_ms > day ||
        p->skew_ms < 1 || p->skew_ms > day)
        return base_err_set(err, FM_E_ARG, "ledger engine: a time is out of range (1 ms to a day)");
    if (p->pool_txs < 1 || p->pool_txs > 1u << 20 || p->outbox_txs < 1 ||
        p->outbox_txs > 1u << 20 || p->pool_bytes < 1)
        return base_err_set(err, FM_E_ARG, "ledger engine: a queue's length is out of range");
    return FM_OK;
}

fm_status ledger_engine_new(struct ledger_engine **out, struct ledger_chain *chain,
                            const char *alias, const struct ledger_engine_callbacks *callbacks,
                            const struct ledger_engine_params *params, struct base_err *err)
{
    struct ledger_engine *engine = calloc(1, sizeof *engine);
    struct engine_member *self;
    fm_status st;

    *out = NULL;
    if (engine == NULL)
        return base_err_memory(err, "ledger engine");
    engine->chain = chain;
    engine->call = *callbacks;
    engine->params = params == NULL ? ledger_engine_defaults() : *params;
    engine->sequencer_now = INT64_MIN;
    engine->guide = LEDGER_ENGINE_NAMES;
    engine->push_delay = engine->params.resend_ms;
    engine->members = calloc(LEDGER_ENGINE_NAMES, sizeof *engine->members);
    st = engine->members == NULL ? base_err_memory(err, "ledger engine")
                                 : check_params(&engine->params, err);
    if (st == FM_OK)
        st = ledger_pool_init(&engine->pool, engine->params.pool_txs, engine->params.pool_bytes,
                              err);
    if (st == FM_OK)
        st = ledger_outbox_init(&engine->outbox, engine->params.outbox_txs, err);
    if (st == FM_OK)
        st = engine_roster_load(engine, err);
    if (st != FM_OK)
        goto fail;
    self = engine_member_find(engine, alias);
    if (self == NULL && engine_external(engine)) { /* it follows until it is one */
        st = engine_member_get(&self, engine, alias, err);
        if (st != FM_OK)
            goto fail;
    } else if (self == NULL) {
        st = base_err_set(err, FM_E_NOT_FOUND, "the ledger has no member '%.40s'", alias);
        goto fail;
    }
    engine->self = (size_t)(self - engine->members);
    st = engine_final_load(engine, err);
    if (st == FM_OK)
        st = engine_epoch_load(engine, err);
    if (st != FM_OK)
        goto fail;
    *out = engine;
    return FM_OK;
fail:
    ledger_engine_free(engine);
    return st;
}

void ledger_engine_free(struct ledger_engine *engine)
{
    if (engine == NULL)
        return;
    engine_external_release(engine);
    ledger_outbox_release(&engine->outbox);
    ledger_pool_release(&engine->pool);
    engine_roster_release(engine);
    base_buf_release(&engine->head_block);
    base_buf_release(&engine->proof_theirs);
    base_buf_release(&engine->proof_ours);
    free(engine);
}
