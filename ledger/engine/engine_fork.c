/* Signed contradictions: kept, judged, shown to the others. */
#include <string.h>

#include "ledger/engine/engine_own.h"

/* The rule of engine.h: does what we know stop us? */
static bool stops_us(const struct ledger_engine *engine)
{
    const struct engine_member *sequencer = engine_member_find(engine, engine->sequencer);
    size_t loyal = 0;

    for (size_t i = 0; i < engine->n_members; i++)
        loyal += engine->members[i].active && !engine->members[i].accused;
    return (sequencer != NULL && sequencer->accused) || engine->members[engine->self].accused ||
           loyal < engine->quorum;
}

/* The block of ours that covers a log of this size. */
static uint64_t height_of(struct ledger_engine *engine, uint64_t size)
{
    struct ledger_entry entry = {0};
    struct base_err err = {0};
    uint64_t height = 0;

    if (size > 0 &&
        ledger_reader_leaf(ledger_chain_reader(engine->chain), &entry, size - 1, &err) == FM_OK)
        height = entry.height;
    ledger_entry_release(&entry);
    return height;
}

/* Keeps the two sides for engine_fork_warn(): theirs as it came, ours over the same size if a block
 * of ours ends there and we hold signatures, else what our replica kept. */
static fm_status keep_proof(struct ledger_engine *engine, const char *theirs, const char *ours,
                            uint64_t size, struct base_err *err)
{
    struct base_buf *out = &engine->proof_ours;
    struct ledger_checkpoint c = {0};
    fm_status st;

    base_buf_clear(&engine->proof_theirs);
    base_buf_put_str(&engine->proof_theirs, theirs);
    base_buf_clear(out);
    st = ledger_reader_checkpoint(ledger_chain_reader(engine->chain), out, size, err);
    if (st == FM_OK)
        st = ledger_checkpoint_parse(&c, base_buf_cstr(out), out->len, err);
    if (st != FM_OK || c.n == 0) {
        base_buf_clear(out);
        base_buf_put_str(out, ours);
    }
    if (st != FM_OK && st != FM_E_INPUT && st != FM_E_NOT_FOUND)
        return st;
    st = base_buf_status(&engine->proof_theirs, "proof of a fork", err);
    return st == FM_OK ? base_buf_status(out, "proof of a fork", err) : st;
}

static fm_status load_one(void *ctx, const char *theirs, const char *ours, struct base_err *err)
{
    struct ledger_engine *engine = ctx;
    struct ledger_checkpoint c;
    fm_status st = ledger_checkpoint_parse(&c, theirs, strlen(theirs), err);

    if (st != FM_OK)
        return base_err_prefix(err, "stored evidence");
    for (size_t i = 0; i < c.n; i++) {
        struct engine_member *m = engine_member_by_did(engine, c.cosigner[i].name);
        if (m != NULL)
            m->accused = true;
    }
    return engine->forked ? FM_OK : keep_proof(engine, theirs, ours, c.size, err);
}

fm_status engine_fork_load(struct ledger_engine *engine, struct base_err *err)
{
    fm_status st =
        ledger_reader_evidence(ledger_chain_reader(engine->chain), load_one, engine, err);

    engine->forked = st == FM_OK && stops_us(engine);
    return st;
}

void engine_fork_tell(struct ledger_engine *engine)
{
    struct ledger_engine_event event = {.kind = LEDGER_ENGINE_FORKED};
    struct ledger_checkpoint c;
    struct base_err err = {0};

    engine->fork_told = true;
    if (ledger_checkpoint_parse(&c, base_buf_cstr(&engine->proof_theirs), engine->proof_theirs.len,
                                &err) != FM_OK)
        c.size = 0;
    event.size = c.size;
    event.height = height_of(engine, c.size);
    engine_tell(
        engine, &event,
        "the ledger has forked at block %llu (%llu entries): members signed two histories, "
        "both kept as evidence (firmiana ledger evidence); this node has stopped at block %llu, "
        "final is block %llu",
        (unsigned long long)event.height, (unsigned long long)event.size,
        (unsigned long long)engine_head(engine)->height, (unsigned long long)engine->final_height);
}

/* One line that contradicts us. *forged: its signature is not even right. */
static fm_status accuse_one(struct ledger_engine *engine, struct engine_member *m,
                            const struct ledger_checkpoint *one, bool *forged, struct base_err *err)
{
    struct ledger_engine_event event = {.kind = LEDGER_ENGINE_ACCUSED, .alias = m->alias};
    struct base_buf text = {0}, ours = {0};
    uint64_t final_size;
    size_t n_new;
    fm_status st = ledger_checkpoint_encode(&text, one, err);

    engine_unstage(engine);
    if (st == FM_OK)
        st = ledger_chain_cosign(engine->chain, &n_new, &final_size, base_buf_cstr(&text), text.len,
                                 err);
    *forged = st == FM_E_AUTH || st == FM_E_INPUT;
    if (st == FM_E_CONFLICT) {
        m->accused = true;
        event.size = one->size;
        event.height = height_of(engine, one->size);
        st = engine_final_text(engine, &ours, err);
        if (st == FM_OK)
            st = keep_proof(engine, base_buf_cstr(&text), base_buf_cstr(&ours), one->size, err);
        engine_tell(engine, &event,
                    "%s signed a state of %llu entries that contradicts our block %llu: kept as "
                    "evidence",
                    m->alias, (unsigned long long)event.size, (unsigned long long)event.height);
    }
    base_buf_release(&text);
    base_buf_release(&ours);
    return *forged ? FM_OK : st;
}

fm_status engine_fork_accuse(struct ledger_engine *engine, const struct engine_member *from,
                             const struct ledger_checkpoint *c, struct base_err *err)
{
    struct ledger_checkpoint one = *c;
    bool any_forged = false;
    /* First our own side, signatures and all: it is the other half of the proof. */
    fm_status st = engine->forked ? FM_OK : engine_final_store_late(engine, err);

    for (size_t i = 0; st == FM_OK && i < c->n; i++) {
        struct engine_member *m = engine_member_by_did(engine, c->cosigner[i].name);
        bool forged = false;
        if (m != NULL && m->accused)
            continue;
        one.n = 1;
        one.cosigner[0] = c->cosigner[i];
        if (m != NULL)
            st = accuse_one(engine, m, &one, &forged, err);
        any_forged |= forged || m == NULL;
        if (st == FM_OK && !engine->forked && stops_us(engine)) {
            engine->forked = true;
            engine_fork_tell(engine);
            st = engine_fork_warn(engine, err);
        }
    }
    if (st == FM_OK && any_forged)
        st =
            base_err_set(err, FM_E_PEER,
                         "a checkpoint of %s contradicts our log, but its signatures are not right",
                         from->alias);
    return st;
}

fm_status engine_fork_warn(struct ledger_engine *engine, struct base_err *err)
{
    struct base_buf *sides[2] = {&engine->proof_theirs, &engine->proof_ours};
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < 2; i++) {
        struct ledger_message message = {.kind = LEDGER_MESSAGE_CHECKPOINT,
                                         .checkpoint = base_buf_cstr(sides[i])};
        if (sides[i]->len > 0)
            st = engine_send(engine, NULL, &message, err);
    }
    return st;
}
