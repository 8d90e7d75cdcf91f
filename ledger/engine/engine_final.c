/* Cosignatures: ours, those of others, and what they prove. */
#include <assert.h>
#include <string.h>

#include "ledger/engine/engine_own.h"

/* ---- checkpoints over our head ---- */

static struct engine_member *own(const struct ledger_engine *engine)
{
    return &engine->members[engine->self];
}

static void checkpoint_begin(const struct ledger_engine *engine, struct ledger_checkpoint *c)
{
    memcpy(c->chain, ledger_chain_id(engine->chain), sizeof c->chain);
    c->size = engine_head(engine)->log_size;
    memcpy(c->root, engine_head(engine)->app_hash, sizeof c->root);
    c->epoch = engine_head(engine)->epoch;
    c->n = 0;
}

/* The member with the smallest alias greater than `after` among those whose line is wanted. */
static struct engine_member *next_line(const struct ledger_engine *engine, const char *after,
                                       bool unstored_only)
{
    struct engine_member *best = NULL;

    for (size_t i = 0; i < engine->n_members; i++) {
        struct engine_member *m = &engine->members[i];
        if (m->has_line && !(unstored_only && m->line_stored) && strcmp(m->alias, after) > 0 &&
            (best == NULL || strcmp(m->alias, best->alias) < 0))
            best = m;
    }
    return best;
}

/* All lines that we hold, in the order of aliases, as format.md wants them. */
static void checkpoint_fill(const struct ledger_engine *engine, struct ledger_checkpoint *c,
                            bool unstored_only)
{
    const struct engine_member *m = next_line(engine, "", unstored_only);

    checkpoint_begin(engine, c);
    for (; m != NULL && c->n < LEDGER_COSIGNERS_MAX; m = next_line(engine, m->alias, unstored_only))
        c->cosigner[c->n++] = m->line;
}

fm_status engine_final_text(const struct ledger_engine *engine, struct base_buf *out,
                            struct base_err *err)
{
    struct ledger_checkpoint c;

    if (engine_settled(engine))
        return ledger_reader_checkpoint(ledger_chain_reader(engine->chain), out,
                                        engine_head(engine)->log_size, err);
    checkpoint_fill(engine, &c, false);
    return c.n == 0 ? FM_OK : ledger_checkpoint_encode(out, &c, err);
}

/* ---- what we hold becomes what our replica stores, and final ---- */

static fm_status offer(struct ledger_engine *engine, const struct ledger_checkpoint *c,
                       uint64_t *final_size, struct base_err *err)
{
    struct base_buf text = {0};
    size_t n_new;
    fm_status st = ledger_checkpoint_encode(&text, c, err);

    engine_unstage(engine);
    if (st == FM_OK)
        st = ledger_chain_cosign(engine->chain, &n_new, final_size, base_buf_cstr(&text), text.len,
                                 err);
    base_buf_release(&text);
    return st;
}

/* Together they would not do: some line is not right. Finds out which, and forgets it; its owner
 * will send it again. */
static fm_status store_one_by_one(struct ledger_engine *engine, uint64_t *final_size,
                                  struct base_err *err)
{
    struct ledger_checkpoint c;
    fm_status st = FM_OK;

    checkpoint_begin(engine, &c);
    for (size_t i = 0; st == FM_OK && i < engine->n_members; i++) {
        struct engine_member *m = &engine->members[i];
        if (!m->has_line || m->line_stored)
            continue;
        c.n = 1;
        c.cosigner[0] = m->line;
        st = offer(engine, &c, final_size, err);
        m->line_stored = st == FM_OK;
        if (st == FM_E_AUTH || st == FM_E_INPUT) {
            m->has_line = m->line_own = false;
            st = FM_OK;
        }
    }
    return st;
}

static fm_status advance(struct ledger_engine *engine, uint64_t final_size, struct base_err *err)
{
    struct ledger_engine_event event = {.kind = LEDGER_ENGINE_FINAL};
    fm_status st;

    assert(final_size >= engine->final_size); /* G4 */
    if (final_size == engine->final_size)
        return FM_OK;
    st = ledger_reader_final(ledger_chain_reader(engine->chain), &engine->final_size,
                             &engine->final_height, NULL, err);
    if (st != FM_OK)
        return st;
    if (!engine_later(engine, engine->known_epoch, engine->known_size)) {
        engine->known_epoch = engine_head(engine)->epoch;
        engine->known_size = engine->final_size;
    }
    engine->push_ms = engine->now.mono_ms;
    event.height = engine->final_height;
    event.size = engine->final_size;
    engine_tell(engine, &event, "block %llu is final", (unsigned long long)event.height);
    engine_submit_final(engine);
    return FM_OK;
}

static fm_status store(struct ledger_engine *engine, struct base_err *err)
{
    uint64_t final_size = engine->final_size;
    struct ledger_checkpoint c;
    fm_status st;

    checkpoint_fill(engine, &c, true);
    if (c.n == 0)
        return FM_OK;
    st = offer(engine, &c, &final_size, err);
    if (st == FM_OK) {
        for (size_t i = 0; i < engine->n_members; i++)
            engine->members[i].line_stored = engine->members[i].has_line;
    } else if (st == FM_E_AUTH || st == FM_E_INPUT) {
        st = store_one_by_one(engine, &final_size, err);
    }
    return st == FM_OK ? advance(engine, final_size, err) : st;
}

fm_status engine_final_try(struct ledger_engine *engine, struct base_err *err)
{
    size_t n = 0;

    if (engine_settled(engine))
        return FM_OK;
    for (size_t i = 0; i < engine->n_members; i++)
        n += engine->members[i].has_line && engine->members[i].active;
    return n < engine->quorum ? FM_OK : store(engine, err);
}

fm_status engine_final_store_late(struct ledger_engine *engine, struct base_err *err)
{
    return store(engine, err);
}

/* ---- ours ---- */

static fm_status send_text(struct ledger_engine *engine, const struct engine_member *to,
                           struct base_buf *text, struct base_err *err)
{
    struct ledger_message message = {.kind = LEDGER_MESSAGE_CHECKPOINT,
                                     .checkpoint = base_buf_cstr(text)};

    return text->len == 0 ? FM_OK : engine_send(engine, to, &message, err);
}

fm_status engine_final_cosign(struct ledger_engine *engine, struct base_err *err)
{
    struct engine_member *self = own(engine);
    struct base_buf text = {0};
    struct ledger_checkpoint c;
    fm_status st;

    if (engine->forked || engine_settled(engine) || !self->active || self->has_line ||
        engine_behind(engine) || engine_pledged(engine))
        return FM_OK;             /* G5, E2 */
    checkpoint_begin(engine, &c); /* G2: our own replica's head and no other */
    st = engine->call.cosign(engine->call.ctx, &c.cosigner[0], &c, engine->now.unix_ms / 1000, err);
    if (st != FM_OK)
        return base_err_prefix(err, "cosigning block %llu",
                               (unsigned long long)engine_head(engine)->height);
    c.n = 1;
    self->line = c.cosigner[0];
    self->has_line = self->line_own = true;
    self->line_stored = false;
    engine->push_ms = engine->now.mono_ms;
    engine->push_delay = engine->params.resend_ms;
    if (engine_sequencing(engine) && engine_head(engine)->height > 0)
        return engine_sequence_show(engine, NULL, err);
    st = ledger_checkpoint_encode(&text, &c, err);
    if (st == FM_OK)
        st = send_text(engine, NULL, &text, err);
    base_buf_release(&text);
    return st;
}

fm_status engine_final_show(struct ledger_engine *engine, const struct engine_member *to,
                            struct base_err *err)
{
    struct base_buf text = {0};
    uint64_t size, height;
    fm_status st = FM_OK;

    if (engine->final_size > 0)
        st = ledger_reader_final(ledger_chain_reader(engine->chain), &size, &height, &text, err);
    if (st == FM_OK)
        st = send_text(engine, to, &text, err);
    base_buf_release(&text);
    return st;
}

fm_status engine_final_push(struct ledger_engine *engine, const struct engine_member *to,
                            struct base_err *err)
{
    bool block = engine_sequencing(engine) && engine_head(engine)->height > 0;
    struct base_buf text = {0};
    fm_status st;

    if (engine->forked || engine_settled(engine) || !own(engine)->has_line)
        return engine_final_show(engine, to, err);
    st = engine_final_text(engine, &text, err);
    for (size_t i = 0; st == FM_OK && i < engine->n_members; i++) {
        const struct engine_member *m = &engine->members[i];
        if (!m->up || (to != NULL && to != m))
            continue;
        if (block && !m->has_line)
            st = engine_sequence_show(engine, m, err);
        else
            st = send_text(engine, m, &text, err);
    }
    base_buf_release(&text);
    return st;
}

/* ---- those of others ---- */

static fm_status document_of(struct did_document **out, struct ledger_engine *engine,
                             const char *alias, struct base_err *err)
{
    json_t *member = NULL;
    fm_status st = ledger_reader_member(ledger_chain_reader(engine->chain), &member, alias, err);

    if (st == FM_OK)
        st = did_document_parse(out, json_object_get(member, "document"),
                                (uint32_t)engine_head(engine)->rules_version, err);
    json_decref(member);
    return st;
}

/* Whether this line is the member's, by the document that our replica has of it. */
static fm_status verify(struct ledger_engine *engine, bool *good, const struct engine_member *m,
                        const struct ledger_checkpoint *c, size_t line, struct base_err *err)
{
    struct did_document *doc = NULL;
    fm_status st = document_of(&doc, engine, m->alias, err);

    if (st == FM_OK)
        st = ledger_cosignature_verify(&c->cosigner[line], c, doc,
                                       (uint32_t)engine_head(engine)->rules_version, err);
    did_document_free(doc);
    *good = st == FM_OK;
    return st == FM_E_AUTH ? FM_OK : st;
}

/* Beyond our head: kept until our head gets there. If a quorum signed it, or we did, then it is
 * real, and we are behind. (Documents that changed since may hide this; the next one will show.) */
static fm_status take_ahead(struct ledger_engine *engine, struct engine_member *from,
                            const struct ledger_checkpoint *c, const char *text,
                            struct base_err *err)
{
    size_t signers = 0;
    bool ours = false;
    fm_status st = FM_OK;

    if (c->epoch > from->ahead_epoch ||
        (c->epoch == from->ahead_epoch && c->size >= from->ahead_size)) {
        base_buf_clear(&from->ahead);
        base_buf_put_str(&from->ahead, text);
        from->ahead_epoch = c->epoch;
        from->ahead_size = c->size;
        st = base_buf_status(&from->ahead, "checkpoint ahead of us", err);
    }
    if (c->epoch < engine->known_epoch ||
        (c->epoch == engine->known_epoch && c->size <= engine->known_size))
        return st;
    for (size_t i = 0; st == FM_OK && i < c->n; i++) {
        const struct engine_member *m = engine_member_by_did(engine, c->cosigner[i].name);
        bool good = false;
        if (m == NULL || !(m == own(engine) || (c->n >= engine->quorum && m->active)))
            continue;
        st = verify(engine, &good, m, c, i, err);
        signers += good && m->active;
        ours |= good && m == own(engine);
    }
    if (st == FM_OK && (signers >= engine->quorum || ours)) {
        engine->known_epoch = c->epoch;
        engine->known_size = c->size;
        memcpy(engine->known_root, c->root, sizeof engine->known_root);
    }
    return st;
}

static void collect(struct ledger_engine *engine, const struct engine_member *from,
                    const struct ledger_checkpoint *c)
{
    for (size_t i = 0; i < c->n; i++) {
        struct engine_member *m = engine_member_by_did(engine, c->cosigner[i].name);
        /* Others may relay a line, and lie; the owner's word replaces theirs. */
        if (m == NULL || !m->active ||
            (m->has_line && (m->line_stored || m->line_own || m != from)))
            continue;
        m->line = c->cosigner[i];
        m->has_line = true;
        m->line_own = m == from;
        m->line_stored = false;
    }
}

/* Our root when our log had this size; *is_end false if no block of ours ended there. */
static fm_status root_at(struct ledger_engine *engine, uint64_t size, uint8_t root[32],
                         bool *is_end, struct base_err *err)
{
    struct base_buf text = {0};
    struct ledger_checkpoint c;
    fm_status st;

    *is_end = true;
    if (size == engine_head(engine)->log_size) {
        memcpy(root, engine_head(engine)->app_hash, 32);
        return FM_OK;
    }
    if (size == engine->before_size) {
        memcpy(root, engine->before_root, 32);
        return FM_OK;
    }
    st = ledger_reader_checkpoint(ledger_chain_reader(engine->chain), &text, size, err);
    if (st == FM_OK)
        st = ledger_checkpoint_parse(&c, base_buf_cstr(&text), text.len, err);
    if (st == FM_OK)
        memcpy(root, c.root, 32);
    base_buf_release(&text);
    *is_end = st == FM_OK;
    return st == FM_E_INPUT || st == FM_E_NOT_FOUND ? FM_OK : st;
}

/* Returns whether it had told as much before. */
static bool note_cosigned(struct engine_member *from, const struct ledger_checkpoint *c)
{
    bool repeated = from->cosigned_epoch > c->epoch ||
                    (from->cosigned_epoch == c->epoch && from->cosigned >= c->size);

    if (!repeated) {
        from->cosigned_epoch = c->epoch;
        from->cosigned = c->size;
    }
    return repeated;
}

/* Of our head's epoch and longer; or of a later one, beyond what we know to be final. */
static bool is_beyond(const struct ledger_engine *engine, const struct ledger_checkpoint *c)
{
    const struct ledger_head *head = engine_head(engine);

    return c->epoch == head->epoch ? c->size > head->log_size
                                   : c->epoch > head->epoch && c->size > engine->final_size;
}

/* Lines over a state of ours that our head has left behind, and that is not final. */
static fm_status store_behind(struct ledger_engine *engine, const struct engine_member *from,
                              const struct ledger_checkpoint *c, struct base_err *err)
{
    uint64_t final_size = engine->final_size;
    fm_status st = offer(engine, c, &final_size, err);

    if (st == FM_OK)
        return advance(engine, final_size, err);
    err->code = st == FM_E_AUTH || st == FM_E_INPUT ? FM_E_PEER : st;
    return base_err_prefix(err, "a checkpoint of %s", from->alias);
}

fm_status engine_final_take(struct ledger_engine *engine, struct engine_member *from,
                            const char *text, struct base_err *err)
{
    uint64_t head_size = engine_head(engine)->log_size;
    struct ledger_checkpoint c;
    bool repeated = false, is_end = false;
    uint8_t root[32];
    fm_status st = ledger_checkpoint_parse(&c, text, strlen(text), err);

    if (st == FM_OK && c.n == 0)
        st = base_err_set(err, FM_E_INPUT, "it has no cosignature");
    if (st == FM_OK && memcmp(c.chain, ledger_chain_id(engine->chain), sizeof c.chain) != 0)
        st = base_err_set(err, FM_E_INPUT, "it is of another ledger");
    if (st != FM_OK) {
        err->code = st == FM_E_INPUT ? FM_E_PEER : st;
        return base_err_prefix(err, "a checkpoint of %s", from->alias);
    }
    for (size_t i = 0; i < c.n; i++)
        if (strcmp(c.cosigner[i].name, from->did) == 0)
            repeated = note_cosigned(from, &c);
    if (is_beyond(engine, &c))
        return take_ahead(engine, from, &c, text, err);
    if (c.epoch < engine_head(engine)->epoch && c.size > head_size)
        return FM_OK; /* left behind: our log cannot hold it any more */
    st = root_at(engine, c.size, root, &is_end, err);
    if (st != FM_OK)
        return st;
    if (!is_end || memcmp(root, c.root, sizeof root) != 0)
        return engine_fork_accuse(engine, from, &c, err);
    if (c.size == head_size && !engine->forked)
        collect(engine, from, &c);
    else if (engine_external(engine) && c.size > engine->final_size && !engine->forked)
        st = store_behind(engine, from, &c, err); /* blocks do not wait for finality there */
    if (st != FM_OK)
        return st;
    /* It asks again, so it has not seen what we have. */
    if (repeated && c.n < engine->quorum && c.size <= engine->final_size)
        return engine_final_show(engine, from, err);
    return FM_OK;
}

fm_status engine_final_moved(struct ledger_engine *engine, struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < engine->n_members; i++) {
        struct engine_member *m = &engine->members[i];
        struct base_buf text = m->ahead;
        if (m->ahead_size == 0 || engine_later(engine, m->ahead_epoch, m->ahead_size))
            continue;
        m->ahead = (struct base_buf){0};
        m->ahead_epoch = m->ahead_size = 0;
        st = engine_final_take(engine, m, base_buf_cstr(&text), err);
        if (st == FM_E_PEER)
            st = FM_OK; /* it was believed until we could check */
        base_buf_release(&text);
    }
    return st;
}

/* ---- after a restart ---- */

fm_status engine_final_load(struct ledger_engine *engine, struct base_err *err)
{
    struct ledger_reader *reader = ledger_chain_reader(engine->chain);
    struct base_buf text = {0};
    struct ledger_checkpoint c;
    fm_status st =
        ledger_reader_final(reader, &engine->final_size, &engine->final_height, NULL, err);

    if (st == FM_E_NOT_FOUND) {
        engine->final_size = engine->final_height = 0;
        st = FM_OK;
    }
    engine->known_size = engine->final_size;
    if (st == FM_OK && !engine_settled(engine)) {
        st = ledger_reader_checkpoint(reader, &text, engine_head(engine)->log_size, err);
        if (st == FM_OK)
            st = ledger_checkpoint_parse(&c, base_buf_cstr(&text), text.len, err);
        if (st == FM_OK) {
            collect(engine, own(engine), &c);
            for (size_t i = 0; i < engine->n_members; i++)
                engine->members[i].line_stored = engine->members[i].has_line;
        }
    }
    base_buf_release(&text);
    return st == FM_OK ? engine_fork_load(engine, err) : st;
}
