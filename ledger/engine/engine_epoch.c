/* The change of epochs among engines: what members approve and nodes promise, kept and passed on;
 * engine_succeed.c does what follows from it. epoch.h has the rules (E1 to E4) and why they
 * suffice.
 *
 *   what a node knows                               what it does
 *   an approval or a promise, valid and new         keeps it, passes it on          take_part()
 *   more than half approve (N, S)                   promises to S, persistently     promise()
 *   it is S, and a quorum has promised              fetches M, opens epoch N        take_over()
 *   a block that opens a later epoch, and holds     switches to it       engine_epoch_follow()
 *   such a block, but on a base that we lack        lets its sender guide us there      (guide)
 *
 * A node keeps one approval and one promise of each member, the newest: what it holds is bounded.
 * Which of two approvals of one epoch is newer, their not_after says, so all nodes agree in the
 * end.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ledger/engine/engine_own.h"
#include "ledger/proof/rules.h"
#include "ledger/proof/tx.h"

bool engine_pledged(const struct ledger_engine *engine)
{
    return engine->members[engine->self].promise.epoch > engine_head(engine)->epoch;
}

bool engine_changing(const struct ledger_engine *engine)
{
    uint64_t epoch = engine_head(engine)->epoch;

    if (epoch > 0 || engine->known_epoch > 0 || engine->parts > 0)
        return true;
    for (size_t i = 0; i < engine->n_members; i++)
        if (engine->members[i].epoch > epoch || engine->members[i].ahead_epoch > epoch)
            return true;
    return false;
}

static void part_release(struct engine_part *part)
{
    base_buf_release(&part->tx);
    *part = (struct engine_part){0};
}

void engine_epoch_release(struct engine_member *member)
{
    part_release(&member->approval);
    part_release(&member->promise);
}

/* Those of epochs that have begun are of no more use; our own promise among them. */
void engine_epoch_forget(struct ledger_engine *engine)
{
    uint64_t epoch = engine_head(engine)->epoch;

    engine->parts = 0;
    for (size_t i = 0; i < engine->n_members; i++) {
        struct engine_member *m = &engine->members[i];
        if (m->approval.epoch <= epoch)
            part_release(&m->approval);
        if (m->promise.epoch <= epoch)
            part_release(&m->promise);
        engine->parts += (size_t)(m->approval.epoch > 0) + (size_t)(m->promise.epoch > 0);
    }
}

/* ---- who may decide, by our replica ---- */

struct electors {
    struct ledger_engine *engine;
    struct did_document *doc; /* of the one asked for last */
};

static fm_status document_of(void *ctx, const struct did_document **out, const char *did,
                             struct base_err *err)
{
    struct electors *e = ctx;
    const struct engine_member *m = engine_member_by_did(e->engine, did);
    json_t *member = NULL;
    fm_status st;

    *out = NULL;
    if (m == NULL || !m->active)
        return FM_OK;
    st = ledger_reader_member(ledger_chain_reader(e->engine->chain), &member, m->alias, err);
    did_document_free(e->doc);
    e->doc = NULL;
    if (st == FM_OK)
        st = did_document_parse(&e->doc, json_object_get(member, "document"),
                                (uint32_t)engine_head(e->engine)->rules_version, err);
    json_decref(member);
    *out = e->doc;
    return st;
}

static fm_status check_part(struct ledger_engine *engine, const struct ledger_tx *tx,
                            struct base_err *err)
{
    struct electors e = {.engine = engine};
    struct ledger_electorate who = {.rules_version = (uint32_t)engine_head(engine)->rules_version,
                                    .epoch = engine_head(engine)->epoch,
                                    .active = engine->active,
                                    .quorum = engine->quorum,
                                    .document = document_of,
                                    .ctx = &e};
    enum ledger_rule rule;
    fm_status st;

    memcpy(who.chain, ledger_chain_id(engine->chain), sizeof who.chain);
    st = ledger_epoch_check_part(&who, tx, &rule, err);
    did_document_free(e.doc);
    return st;
}

/* ---- approvals and promises come and stay ---- */

static bool is_newer(const struct engine_part *than, const struct ledger_epoch_part *part,
                     int64_t not_after)
{
    if (part->epoch != than->epoch)
        return part->epoch > than->epoch;
    return not_after > than->not_after;
}

static fm_status keep(struct engine_part *out, const struct ledger_epoch_part *part,
                      int64_t not_after, const void *tx, size_t len, struct base_err *err)
{
    base_buf_clear(&out->tx);
    base_buf_put(&out->tx, tx, len);
    out->epoch = part->epoch;
    out->not_after = not_after;
    out->head = part->head;
    (void)snprintf(out->sequencer, sizeof out->sequencer, "%s", part->sequencer);
    return base_buf_status(&out->tx, "epoch", err);
}

static fm_status store(struct ledger_engine *engine, const struct engine_member *m, bool promise,
                       const void *tx, size_t len, struct base_err *err)
{
    char name[DID_ALIAS_MAX + 16];

    (void)snprintf(name, sizeof name, "%s/%s", promise ? "promise" : "approval", m->alias);
    return ledger_chain_note(engine->chain, name, tx, len, err);
}

static fm_status pass_on(struct ledger_engine *engine, const struct engine_member *except,
                         const struct engine_member *only, const struct engine_part *part,
                         struct base_err *err)
{
    struct ledger_message message = {.kind = LEDGER_MESSAGE_EPOCH, .tx = part->tx};
    fm_status st = FM_OK;

    if (part->epoch <= engine_head(engine)->epoch)
        return FM_OK;
    for (size_t i = 0; st == FM_OK && i < engine->n_members; i++) {
        const struct engine_member *m = &engine->members[i];
        if (m != except && (only == NULL || m == only))
            st = m->up ? engine_send(engine, m, &message, err) : FM_OK;
    }
    return st;
}

fm_status engine_epoch_push(struct ledger_engine *engine, const struct engine_member *to,
                            struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && engine->parts > 0 && i < engine->n_members; i++) {
        st = pass_on(engine, NULL, to, &engine->members[i].approval, err);
        if (st == FM_OK)
            st = pass_on(engine, NULL, to, &engine->members[i].promise, err);
    }
    return st;
}

/* A valid part becomes the member's newest. Our own promise is for us alone to make,
 * but one that an earlier life of this node made counts: E1. */
fm_status engine_epoch_keep(struct ledger_engine *engine, struct engine_member *m, bool promise,
                            const struct ledger_epoch_part *part, int64_t not_after, const void *tx,
                            size_t len, const struct engine_member *except, struct base_err *err)
{
    struct engine_part *have = promise ? &m->promise : &m->approval;
    fm_status st = store(engine, m, promise, tx, len, err); /* on disk first: E1 */

    if (st == FM_OK)
        st = keep(have, part, not_after, tx, len, err);
    engine_epoch_forget(engine);
    return st == FM_OK ? pass_on(engine, except, NULL, have, err) : st;
}

static fm_status take_part(struct ledger_engine *engine, const struct engine_member *from,
                           const struct ledger_tx *tx, const void *bytes, size_t len,
                           struct base_err *err)
{
    bool promise = tx->type == LEDGER_TX_EPOCH_PROMISE;
    struct engine_member *m = engine_member_by_did(engine, tx->sender);
    struct engine_part *have;
    struct ledger_epoch_part part;
    fm_status st = ledger_epoch_read(&part, tx->body, err);

    if (st != FM_OK)
        return st;
    have = m == NULL ? NULL : promise ? &m->promise : &m->approval;
    if (have != NULL && have->epoch > 0 && !is_newer(have, &part, tx->not_after))
        return from != NULL
                   ? FM_OK
                   : base_err_set(err, FM_E_CONFLICT, "%s has approved %s for epoch %llu already",
                                  m->alias, have->sequencer, (unsigned long long)have->epoch);
    st = check_part(engine, tx, err);
    if (st != FM_OK)
        return st;
    return engine_epoch_keep(engine, m, promise, &part, tx->not_after, bytes, len, from, err);
}

fm_status engine_epoch_take(struct ledger_engine *engine, const struct engine_member *from,
                            const void *bytes, size_t len, struct base_err *err)
{
    struct ledger_epoch_part part;
    struct ledger_tx tx;
    fm_status st = ledger_tx_parse(&tx, bytes, len, (size_t)engine->tx_bytes, err);

    if (st == FM_OK) {
        st = ledger_epoch_read(&part, tx.body, err);
        if (st == FM_OK && from != NULL && part.epoch <= engine_head(engine)->epoch)
            st = FM_OK; /* it began meanwhile */
        else if (st == FM_OK && !engine->forked)
            st = take_part(engine, from, &tx, bytes, len, err);
        ledger_tx_release(&tx);
    }
    if (from != NULL && (st == FM_E_REFUSED || st == FM_E_INPUT || st == FM_E_LIMIT)) {
        /* By a replica that lacks blocks a member's newer key is not known. */
        if (engine_behind(engine))
            return FM_OK;
        err->code = FM_E_PEER;
        return base_err_prefix(err, "from %s", from->alias);
    }
    return st;
}

struct notes {
    struct ledger_engine *engine;
    struct base_buf old; /* names, each with its NUL */
};

static fm_status load_note(void *ctx, const char *name, const void *value, size_t len,
                           struct base_err *err)
{
    struct notes *n = ctx;
    bool promise = strncmp(name, "promise/", 8) == 0;
    struct engine_member *m;
    struct ledger_epoch_part part;
    struct ledger_tx tx;
    fm_status st;

    if (!promise && strncmp(name, "approval/", 9) != 0)
        return FM_OK;
    st = engine_member_get(&m, n->engine, strchr(name, '/') + 1, err);
    if (st == FM_OK)
        st = ledger_tx_parse(&tx, value, len, SIZE_MAX, err);
    if (st != FM_OK)
        return base_err_prefix(err, "stored %s", name);
    st = ledger_epoch_read(&part, tx.body, err);
    if (st == FM_OK && part.epoch > engine_head(n->engine)->epoch)
        st = keep(promise ? &m->promise : &m->approval, &part, tx.not_after, value, len, err);
    else if (st == FM_OK)
        base_buf_put(&n->old, name, strlen(name) + 1);
    ledger_tx_release(&tx);
    return st;
}

fm_status engine_epoch_load(struct ledger_engine *engine, struct base_err *err)
{
    struct notes n = {.engine = engine};
    fm_status st = ledger_chain_notes(engine->chain, load_note, &n, err);

    for (size_t at = 0; st == FM_OK && at < n.old.len; at += strlen((const char *)n.old.p + at) + 1)
        st = ledger_chain_note(engine->chain, (const char *)n.old.p + at, NULL, 0, err);
    base_buf_release(&n.old);
    engine_epoch_forget(engine);
    return st;
}
