/* This node's own submissions: engine_outbox.h has their states. */
#include <stdio.h>
#include <string.h>

#include "ledger/engine/engine_own.h"
#include "ledger/proof/rules.h"

/* After the sequencer said that it has the transaction, asking again is only a precaution against
 * its restart. */
#define PATIENCE 10
/* ... and after no answer at all, however long answers have taken. */
#define PATIENCE_MOST 50

/* A scan sends no more than this, so that a full outbox does not fill the channel's queue when the
 * sequencer comes back. */
#define SCAN_SENDS 256

/* A sequencer with much to do answers late, and each submission that came twice would make it later
 * still: what was sent is not lost until well past the time that answers take. */
static int64_t patience(const struct ledger_engine *engine)
{
    int64_t least = engine->params.resend_ms, ms = 4 * engine->answer_ms;

    return ms < least ? least : ms < PATIENCE_MOST * least ? ms : PATIENCE_MOST * least;
}

/* The longest of late: what is longer counts at once, what is shorter by and by. */
static void note_answer(struct ledger_engine *engine, const struct ledger_outbox_item *item)
{
    int64_t ms = engine->now.mono_ms - item->sent_ms, before = engine->answer_ms * 7 / 8;

    if (item->sent_ms > 0)
        engine->answer_ms = ms > before ? ms : before;
}

static void report(struct ledger_engine *engine, struct ledger_outbox_item *item,
                   const struct ledger_outcome *outcome, uint64_t height)
{
    struct ledger_engine_event event = {
        .kind = LEDGER_ENGINE_RESULT, .height = height, .id = item->node.id, .outcome = outcome};
    char hex[17];

    base_hex(hex, item->node.id, 8);
    if (outcome->verdict == LEDGER_OK)
        engine_tell(engine, &event, "transaction %s is final in block %llu", hex,
                    (unsigned long long)height);
    else if (outcome->verdict == LEDGER_REFUSED)
        engine_tell(engine, &event, "transaction %s is refused in block %llu: %s: %s", hex,
                    (unsigned long long)height, ledger_rule_code(outcome->rule), outcome->detail);
    else
        engine_tell(engine, &event, "transaction %s is not on the ledger: %s", hex,
                    outcome->detail);
    ledger_outbox_remove(&engine->outbox, item);
}

static void report_dropped(struct ledger_engine *engine, struct ledger_outbox_item *item,
                           const char *detail)
{
    struct ledger_outcome outcome = {.verdict = LEDGER_DROPPED};

    memcpy(outcome.id, item->node.id, sizeof outcome.id);
    (void)snprintf(outcome.detail, sizeof outcome.detail, "%s", detail);
    report(engine, item, &outcome, 0);
}

void engine_submit_placed(struct ledger_engine *engine, const struct ledger_outcome *outcomes,
                          size_t count, uint64_t height)
{
    if (ledger_outbox_count(&engine->outbox) == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        struct ledger_outbox_item *item = ledger_outbox_find(&engine->outbox, outcomes[i].id);
        if (item != NULL && item->height == 0 && outcomes[i].verdict != LEDGER_DROPPED)
            ledger_outbox_place(&engine->outbox, item, height, &outcomes[i]);
    }
}

void engine_submit_displaced(struct ledger_engine *engine, uint64_t height)
{
    struct ledger_outbox_item *item = engine->outbox.first;

    for (; item != NULL && engine->outbox.placed > 0; item = item->next)
        if (item->height >= height) {
            ledger_outbox_displace(&engine->outbox, item);
            item->next_send = engine->now.mono_ms;
            item->sent_ms = 0;
        }
}

void engine_submit_final(struct ledger_engine *engine)
{
    struct ledger_outbox_item *item = engine->outbox.first, *next;

    for (; item != NULL && engine->outbox.placed > 0; item = next) {
        next = item->next;
        if (item->height > 0 && item->height <= engine->final_height) {
            struct ledger_outcome outcome = item->outcome;
            report(engine, item, &outcome, item->height);
        }
    }
}

void engine_submit_receipt(struct ledger_engine *engine, const uint8_t id[32],
                           enum ledger_receipt_status status, const char *detail)
{
    struct ledger_outbox_item *item = ledger_outbox_find(&engine->outbox, id);

    if (item == NULL || item->height > 0)
        return; /* late or doubled */
    note_answer(engine, item);
    item->sent_ms = 0; /* what is sent from now on asks anew */
    switch (status) {
    case LEDGER_RECEIPT_ADMITTED:
    case LEDGER_RECEIPT_KNOWN:
        item->next_send = engine->now.mono_ms + PATIENCE * engine->params.resend_ms;
        break;
    case LEDGER_RECEIPT_DROPPED:
        report_dropped(engine, item, detail == NULL ? "the sequencer gave no reason" : detail);
        break;
    case LEDGER_RECEIPT_FULL:
    case LEDGER_RECEIPT_COUNT:
    default:
        item->next_send = engine->now.mono_ms + engine->params.heartbeat_ms;
    }
}

static fm_status hand_in(struct ledger_engine *engine, struct ledger_outbox_item *item,
                         struct base_err *err)
{
    struct engine_member *sequencer = engine_member_find(engine, engine->sequencer);
    struct ledger_message message = {.kind = LEDGER_MESSAGE_SUBMIT};

    item->next_send = engine->now.mono_ms + patience(engine);
    if (engine_external(engine)) {
        item->next_send = engine->now.mono_ms + PATIENCE * engine->params.resend_ms;
        engine->call.broadcast(engine->call.ctx, item->node.id, item->tx.p, item->tx.len);
        return FM_OK;
    }
    if (engine_sequencing(engine)) /* may report the item, and free it, at once */
        return engine_sequence_submit(engine, &engine->members[engine->self], item->tx.p,
                                      item->tx.len, err);
    if (sequencer == NULL || !sequencer->up)
        return FM_OK;
    if (item->sent_ms == 0)
        item->sent_ms = engine->now.mono_ms;
    base_buf_put(&message.tx, item->tx.p, item->tx.len);
    fm_status st = base_buf_status(&message.tx, "submission", err);
    if (st == FM_OK)
        st = engine_send(engine, sequencer, &message, err);
    base_buf_release(&message.tx);
    return st;
}

fm_status engine_submit_scan(struct ledger_engine *engine, struct base_err *err)
{
    struct ledger_outbox_item *item = engine->outbox.first, *next;
    size_t sends = 0;
    fm_status st = FM_OK;

    engine->scan_ms = engine->now.mono_ms;
    for (; st == FM_OK && item != NULL && !engine->forked; item = next) {
        next = item->next;
        if (item->height > 0)
            continue;
        if (engine->now.unix_ms > item->not_after + engine->params.skew_ms)
            report_dropped(engine, item, "it expired before the sequencer put it into a block");
        else if (item->next_send > engine->now.mono_ms)
            continue;
        else if (item->sent_ms > 0 && item->sent_ms + patience(engine) > engine->now.mono_ms)
            item->next_send = item->sent_ms + patience(engine); /* it has become slower since */
        else if (sends++ < SCAN_SENDS)
            st = hand_in(engine, item, err);
    }
    return st;
}

/* It is on the log already: perhaps of an earlier life of this node, perhaps not final yet. */
static fm_status place_known(struct ledger_engine *engine, struct ledger_outcome *outcome,
                             const void *tx, size_t len, struct ledger_entry *entry,
                             struct base_err *err)
{
    struct ledger_outbox_item *item;
    fm_status st;

    memset(outcome->detail, 0, sizeof outcome->detail);
    outcome->verdict = entry->rule[0] == '\0' ? LEDGER_OK : LEDGER_REFUSED;
    outcome->leaf = entry->leaf;
    outcome->rule = entry->rule[0] == '\0' ? LEDGER_RULE_OK : ledger_rule_find(entry->rule);
    (void)snprintf(outcome->detail, sizeof outcome->detail, "%s", entry->detail);
    st = ledger_outbox_add(&engine->outbox, &item, outcome->id, tx, len, INT64_MAX / 2, err);
    if (st != FM_OK)
        return st;
    ledger_outbox_place(&engine->outbox, item, entry->height, outcome);
    engine_submit_final(engine);
    return FM_OK;
}

fm_status engine_submit(struct ledger_engine *engine, struct ledger_outcome *outcome,
                        const void *tx, size_t len, struct base_err *err)
{
    struct ledger_outbox_item *item;
    struct ledger_entry entry = {0};
    fm_status st;

    engine_unstage(engine);
    st = ledger_chain_check(engine->chain, outcome, tx, len, engine->now.unix_ms, err);
    if (st != FM_OK)
        return st;
    if (ledger_outbox_find(&engine->outbox, outcome->id) != NULL)
        return base_err_set(err, FM_E_CONFLICT, "this transaction is on its way already");
    if (outcome->verdict == LEDGER_DROPPED) {
        st = ledger_reader_tx(ledger_chain_reader(engine->chain), &entry, outcome->id, err);
        if (st == FM_OK)
            st = place_known(engine, outcome, tx, len, &entry, err);
        else if (st == FM_E_NOT_FOUND)
            st = base_err_set(err, FM_E_REFUSED, "the ledger would not take it: %s",
                              outcome->detail);
        ledger_entry_release(&entry);
        return st;
    }
    st = ledger_outbox_add(&engine->outbox, &item, outcome->id, tx, len, outcome->not_after, err);
    return st != FM_OK ? st : hand_in(engine, item, err);
}
