/* One sequencer succeeds another: deciding, promising, taking over, following (engine_epoch.c has
 * the table, epoch.h the rules). */
#define _GNU_SOURCE /* memmem() */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "ledger/engine/engine_own.h"
#include "ledger/proof/rules.h"
#include "ledger/proof/tx.h"

#define LIFE_MS 60000  /* of an epoch transaction: it is executed at once */
#define GUIDE_BEATS 10 /* heartbeats after which a guide who led nowhere is let go */

/* ---- what is decided ---- */

struct candidate {
    uint64_t epoch;
    const char *sequencer;
    size_t approvals, promises;
};

static bool is_for(const struct engine_part *part, const struct candidate *c)
{
    return part->epoch == c->epoch && strcmp(part->sequencer, c->sequencer) == 0;
}

static bool is_alive(const struct ledger_engine *engine, const struct engine_member *m)
{
    return m->active && m->approval.epoch > engine_head(engine)->epoch &&
           m->approval.not_after >= engine->now.unix_ms;
}

static void count(const struct ledger_engine *engine, struct candidate *c)
{
    c->approvals = c->promises = 0;
    for (size_t i = 0; i < engine->n_members; i++) {
        const struct engine_member *m = &engine->members[i];
        c->approvals += is_alive(engine, m) && is_for(&m->approval, c);
        c->promises += m->active && is_for(&m->promise, c);
    }
}

static bool is_approved(const struct ledger_engine *engine, const struct candidate *c)
{
    return 2 * c->approvals > engine->active;
}

/* The one that more than half approve, of the latest epoch; else the one with most approvals. */
static bool find_candidate(const struct ledger_engine *engine, struct candidate *best)
{
    *best = (struct candidate){0};
    for (size_t i = 0; engine->parts > 0 && i < engine->n_members; i++) {
        const struct engine_member *m = &engine->members[i];
        struct candidate c = {m->approval.epoch, m->approval.sequencer, 0, 0};
        bool better;
        if (!is_alive(engine, m))
            continue;
        count(engine, &c);
        if (is_approved(engine, &c) != is_approved(engine, best))
            better = is_approved(engine, &c);
        else if (is_approved(engine, &c))
            better = c.epoch > best->epoch;
        else
            better = c.approvals > best->approvals ||
                     (c.approvals == best->approvals && c.epoch > best->epoch);
        if (better)
            *best = c;
    }
    return best->epoch > 0;
}

static void tell_progress(struct ledger_engine *engine, const struct candidate *c)
{
    struct ledger_engine_event event = {.kind = LEDGER_ENGINE_HANDOVER, .alias = c->sequencer};
    uint64_t told = c->epoch << 24 | (uint64_t)(c->approvals & 0xfff) << 12 | (c->promises & 0xfff);

    if (told == engine->handover_told)
        return;
    engine->handover_told = told;
    engine_tell(engine, &event,
                "epoch %llu, %s to sequence: %zu members approve, %zu are needed; %zu nodes have "
                "promised, %zu are needed",
                (unsigned long long)c->epoch, c->sequencer, c->approvals, engine->active / 2 + 1,
                c->promises, engine->quorum);
}

/* ---- promising: E1 ---- */

static struct ledger_epoch_head here(const struct ledger_engine *engine)
{
    const struct ledger_head *head = engine_head(engine);
    struct ledger_epoch_head h = {.epoch = head->epoch, .size = head->log_size};

    memcpy(h.root, head->app_hash, sizeof h.root);
    return h;
}

/* A transaction of this node, signed with its key, in canonical bytes. */
static fm_status sign(struct ledger_engine *engine, struct base_buf *out, enum ledger_tx_type type,
                      int64_t not_after, json_t *body, struct base_err *err)
{
    const char *did = engine->members[engine->self].did;
    json_t *tx = NULL;
    fm_status st =
        ledger_tx_build(&tx, ledger_chain_id(engine->chain), type, did, not_after, body, err);

    if (st == FM_OK)
        st = engine->call.sign(engine->call.ctx, tx, engine->now.unix_ms / 1000, err);
    if (st == FM_OK)
        st = base_json_canonical(out, tx, err);
    if (st == FM_OK)
        st = base_buf_status(out, "epoch", err);
    json_decref(tx);
    return st;
}

static fm_status promise(struct ledger_engine *engine, const struct candidate *c,
                         struct base_err *err)
{
    struct engine_member *self = &engine->members[engine->self];
    struct ledger_epoch_head head = here(engine);
    struct ledger_epoch_part part = {c->epoch, c->sequencer, head};
    int64_t not_after = engine->now.unix_ms + LIFE_MS;
    struct base_buf bytes = {0};
    json_t *body = NULL;
    fm_status st;

    if (!self->active || engine_known_ahead(engine) || c->epoch <= self->promise.epoch ||
        c->epoch <= engine_head(engine)->epoch)
        return FM_OK;
    st = ledger_epoch_promise_body(&body, c->epoch, c->sequencer, &head, err);
    if (st == FM_OK)
        st = sign(engine, &bytes, LEDGER_TX_EPOCH_PROMISE, not_after, body, err);
    if (st == FM_OK)
        st = engine_epoch_keep(engine, self, true, &part, not_after, bytes.p, bytes.len, NULL, err);
    base_buf_release(&bytes);
    json_decref(body);
    return st == FM_OK ? FM_OK
                       : base_err_prefix(err, "promising epoch %llu", (unsigned long long)c->epoch);
}

/* ---- taking over: E3 ---- */

/* The member with the greatest head among those who promised; *m is that head. */
static struct engine_member *greatest(struct ledger_engine *engine, const struct candidate *c,
                                      struct ledger_epoch_head *m)
{
    struct engine_member *owner = NULL;

    *m = (struct ledger_epoch_head){0};
    for (size_t i = 0; i < engine->n_members; i++) {
        struct engine_member *at = &engine->members[i];
        if (!at->active || !is_for(&at->promise, c))
            continue;
        /* Of equals, whoever can be asked. */
        if (owner == NULL || ledger_epoch_compare(&at->promise.head, m) > 0 ||
            (ledger_epoch_compare(&at->promise.head, m) == 0 && !owner->up && at->up)) {
            owner = at;
            *m = at->promise.head;
        }
    }
    return owner;
}

static fm_status add_part(json_t *list, const struct engine_part *part, struct base_err *err)
{
    json_t *tx;
    fm_status st = base_json_parse(&tx, (const char *)part->tx.p, part->tx.len, err);

    if (st == FM_OK && json_array_append_new(list, tx) != 0)
        st = base_err_memory(err, "epoch");
    return st;
}

static fm_status epoch_body(const struct ledger_engine *engine, const struct candidate *c,
                            json_t **out, struct base_err *err)
{
    json_t *approvals = json_array(), *promises = json_array();
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < engine->n_members; i++) {
        const struct engine_member *m = &engine->members[i];
        if (is_alive(engine, m) && is_for(&m->approval, c))
            st = add_part(approvals, &m->approval, err);
        if (st == FM_OK && m->active && is_for(&m->promise, c))
            st = add_part(promises, &m->promise, err);
    }
    *out = json_pack("{s:I, s:s, s:o, s:o}", "epoch", (json_int_t)c->epoch, "sequencer",
                     c->sequencer, "approvals", approvals, "promises", promises);
    return st == FM_OK && *out == NULL ? base_err_memory(err, "epoch") : st;
}

/* The first block of the epoch, with its transaction alone. */
static fm_status open_epoch(struct ledger_engine *engine, const struct candidate *c,
                            struct base_err *err)
{
    struct ledger_engine_event event = {.kind = LEDGER_ENGINE_EPOCH, .alias = c->sequencer};
    struct ledger_block block = {.height = engine_head(engine)->height + 1,
                                 .time_ms = engine_sequence_time(engine)};
    struct ledger_outcome outcome = {0};
    struct base_buf bytes = {0};
    struct ledger_bytes tx;
    json_t *body = NULL;
    fm_status st = epoch_body(engine, c, &body, err);

    if (st == FM_OK)
        st = sign(engine, &bytes, LEDGER_TX_EPOCH, block.time_ms + LIFE_MS, body, err);
    json_decref(body);
    tx = (struct ledger_bytes){bytes.p, bytes.len};
    block.txs = &tx;
    block.count = 1;
    if (st == FM_OK)
        st = ledger_chain_check(engine->chain, &outcome, bytes.p, bytes.len, block.time_ms, err);
    engine->takeover_ms = engine->now.mono_ms + engine->params.heartbeat_ms;
    if (st == FM_OK && outcome.verdict == LEDGER_OK) {
        event.height = block.height;
        engine->guide = LEDGER_ENGINE_NAMES;
        st = engine_execute(engine, &outcome, &block, err);
        if (st == FM_OK)
            engine_tell(engine, &event, "epoch %llu begins with block %llu: we sequence",
                        (unsigned long long)c->epoch, (unsigned long long)block.height);
    } else if (st == FM_OK) {
        event.kind = LEDGER_ENGINE_HANDOVER;
        engine_tell(engine, &event, "epoch %llu cannot begin: %s: %s", (unsigned long long)c->epoch,
                    ledger_rule_code(outcome.rule), outcome.detail);
    }
    base_buf_release(&bytes);
    engine_epoch_forget(engine);
    return st;
}

static fm_status take_over(struct ledger_engine *engine, const struct candidate *c,
                           struct base_err *err)
{
    struct ledger_epoch_head m, head = here(engine);
    struct engine_member *owner = greatest(engine, c, &m);

    if (c->promises < engine->quorum || owner == NULL ||
        !is_for(&engine->members[engine->self].promise, c) || engine_known_ahead(engine))
        return FM_OK;
    if (head.epoch != m.epoch || head.size != m.size ||
        memcmp(head.root, m.root, sizeof m.root) != 0) {
        engine->guide = (size_t)(owner - engine->members);
        engine->guide_ms = engine->now.mono_ms;
        return owner->up ? engine_follow_ask(engine, err) : FM_OK;
    }
    if (engine->now.mono_ms < engine->takeover_ms || !engine_sequence_clocks(engine))
        return FM_OK;
    return open_epoch(engine, c, err);
}

fm_status engine_epoch_step(struct ledger_engine *engine, struct base_err *err)
{
    struct candidate c;
    fm_status st;

    if (engine->guide < engine->n_members &&
        (!engine->members[engine->guide].up ||
         engine->now.mono_ms - engine->guide_ms > GUIDE_BEATS * engine->params.heartbeat_ms))
        engine->guide = LEDGER_ENGINE_NAMES;
    if (engine->parts == 0 || engine->forked || !find_candidate(engine, &c))
        return FM_OK;
    if (is_approved(engine, &c)) {
        st = promise(engine, &c, err);
        if (st != FM_OK)
            return st;
        count(engine, &c);
    }
    tell_progress(engine, &c);
    if (!is_approved(engine, &c) || strcmp(c.sequencer, engine->members[engine->self].alias) != 0)
        return FM_OK;
    return take_over(engine, &c, err);
}

/* ---- following ---- */

/* The block's transaction, if it is an epoch's of later than our head. */
static fm_status read_opening(const struct ledger_engine *engine, bool *opens,
                              struct ledger_epoch_part *part, struct ledger_tx *tx,
                              const struct ledger_block *block, struct base_err *err)
{
    static const char mark[] = "\"type\":\"epoch\"";
    fm_status st;

    *opens = false;
    *tx = (struct ledger_tx){0};
    if (block->count != 1 ||
        memmem(block->txs[0].p, block->txs[0].len, mark, sizeof mark - 1) == NULL)
        return FM_OK;
    st = ledger_tx_parse(tx, block->txs[0].p, block->txs[0].len, (size_t)engine->tx_bytes, err);
    if (st == FM_E_INPUT || st == FM_E_LIMIT)
        return FM_OK; /* execution will say what it is */
    if (st != FM_OK || tx->type != LEDGER_TX_EPOCH)
        return st;
    st = ledger_epoch_read(part, tx->body, err);
    *opens = st == FM_OK && part->epoch > engine_head(engine)->epoch;
    return st;
}

fm_status engine_epoch_opens(const struct ledger_engine *engine, bool *opens,
                             const struct ledger_block *block, struct base_err *err)
{
    struct ledger_epoch_part part;
    struct ledger_tx tx;
    fm_status st = read_opening(engine, opens, &part, &tx, block, err);

    ledger_tx_release(&tx);
    return st;
}

/* It does not hold where we stand. If all but its base is right, its sender leads us there. */
static fm_status be_guided(struct ledger_engine *engine, const struct engine_member *from,
                           const struct ledger_block *block, struct base_err *err)
{
    struct ledger_outcome outcome;
    fm_status st = ledger_chain_check(engine->chain, &outcome, block->txs[0].p, block->txs[0].len,
                                      block->time_ms, err);

    if (st != FM_OK)
        return st;
    if (outcome.verdict == LEDGER_OK || outcome.rule == LEDGER_RULE_EPOCH_BASE) {
        engine->guide = (size_t)(from - engine->members);
        engine->guide_ms = engine->now.mono_ms;
        return FM_OK;
    }
    if (engine_behind(engine))
        return FM_OK; /* its signers may be newer than our replica */
    return base_err_set(err, FM_E_PEER, "block %llu of %s opens no epoch here: %s: %s",
                        (unsigned long long)block->height, from->alias,
                        ledger_rule_code(outcome.rule), outcome.detail);
}

fm_status engine_epoch_follow(struct ledger_engine *engine, struct engine_member *from,
                              const struct ledger_block *blocks, size_t n, bool *done,
                              struct base_err *err)
{
    const struct ledger_block *last = &blocks[n - 1];
    struct ledger_epoch_part part = {0};
    struct ledger_tx tx;
    bool opens;
    fm_status st = read_opening(engine, &opens, &part, &tx, last, err);
    uint64_t epoch = part.epoch; /* part leads into tx */

    *done = false;
    ledger_tx_release(&tx);
    if (st != FM_OK)
        return st;
    assert(opens && !engine->forked);
    /* Promised a later one: this one may begin without us, and concerns us when a quorum has signed
     * it, or when it is on the way to the later one. */
    if (engine->members[engine->self].promise.epoch > epoch && !engine_known_ahead(engine) &&
        engine->guide != (size_t)(from - engine->members))
        return FM_OK;
    if (blocks[0].height > engine_head(engine)->height + 1)
        return be_guided(engine, from, last, err);
    st = engine_switch(engine, blocks, n, err);
    *done = st == FM_OK;
    if (st == FM_OK) {
        engine->guide = LEDGER_ENGINE_NAMES;
        engine_epoch_forget(engine);
    } else if (st == FM_E_REFUSED || st == FM_E_INPUT) { /* our blocks before it are others */
        engine->diverged = true;
        st = be_guided(engine, from, last, err);
    } else if (st == FM_E_LIMIT) {
        err->code = FM_E_PEER;
        st =
            base_err_prefix(err, "block %llu of %s", (unsigned long long)last->height, from->alias);
    }
    return st;
}

/* ---- views ---- */

void ledger_engine_handover(const struct ledger_engine *engine, struct ledger_handover *out)
{
    struct candidate c;

    *out = (struct ledger_handover){.next_epoch = engine_head(engine)->epoch + 1,
                                    .approvals_needed = engine->active / 2 + 1,
                                    .promises_needed = engine->quorum,
                                    .pledged = engine_pledged(engine)};
    for (size_t i = 0; i < engine->n_members; i++) {
        const struct engine_member *m = &engine->members[i];
        uint64_t epoch =
            m->approval.epoch > m->promise.epoch ? m->approval.epoch : m->promise.epoch;
        if (epoch >= out->next_epoch)
            out->next_epoch = epoch + 1;
    }
    if (!find_candidate(engine, &c))
        return;
    out->epoch = c.epoch;
    out->sequencer = c.sequencer;
    for (size_t i = 0; i < engine->n_members; i++) {
        const struct engine_member *m = &engine->members[i];
        if (m->active && is_alive(engine, m) && is_for(&m->approval, &c))
            out->approved[out->approvals++] = m->alias;
        if (m->active && is_for(&m->promise, &c))
            out->promised[out->promises++] = m->alias;
    }
}
