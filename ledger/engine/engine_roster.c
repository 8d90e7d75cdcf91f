#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ledger/engine/engine_own.h"
#include "ledger/engine/external.h"

struct engine_member *engine_member_find(const struct ledger_engine *engine, const char *alias)
{
    for (size_t i = 0; i < engine->n_members; i++)
        if (strcmp(engine->members[i].alias, alias) == 0)
            return &engine->members[i];
    return NULL;
}

struct engine_member *engine_member_by_did(const struct ledger_engine *engine, const char *did)
{
    for (size_t i = 0; i < engine->n_members; i++)
        if (engine->members[i].known && strcmp(engine->members[i].did, did) == 0)
            return &engine->members[i];
    return NULL;
}

/* The array has its full length from the start, so that pointers into it stay good. */
fm_status engine_member_get(struct engine_member **out, struct ledger_engine *engine,
                            const char *alias, struct base_err *err)
{
    struct engine_member *member = engine_member_find(engine, alias);

    *out = member;
    if (member != NULL)
        return FM_OK;
    if (!did_alias_is_valid(alias))
        return base_err_set(err, FM_E_INPUT, "'%.40s' is no member's alias", alias);
    if (engine->n_members == LEDGER_ENGINE_NAMES)
        return base_err_set(err, FM_E_LIMIT, "more than %d members and peers", LEDGER_ENGINE_NAMES);
    member = &engine->members[engine->n_members++];
    *member = (struct engine_member){0};
    (void)snprintf(member->alias, sizeof member->alias, "%s", alias);
    *out = member;
    return FM_OK;
}

void engine_member_reset(struct engine_member *member)
{
    member->up = member->told = member->clock_good = false;
    member->epoch = member->height = member->served = 0;
    member->cosigned_epoch = member->cosigned = 0;
}

void engine_roster_release(struct ledger_engine *engine)
{
    for (size_t i = 0; i < engine->n_members; i++) {
        base_buf_release(&engine->members[i].ahead);
        engine_epoch_release(&engine->members[i]);
    }
    free(engine->members);
    engine->members = NULL;
    engine->n_members = 0;
}

static fm_status load_member(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    struct ledger_engine *engine = ctx;
    struct engine_member *member;
    const char *did, *status;
    fm_status st = engine_member_get(&member, engine, key + strlen("member/"), err);

    if (st == FM_OK)
        st = base_json_get_str(&did, value, "did", err);
    if (st == FM_OK)
        st = base_json_get_str(&status, value, "status", err);
    if (st != FM_OK)
        return st;
    member->known = true;
    member->active = strcmp(status, "active") == 0;
    (void)snprintf(member->did, sizeof member->did, "%s", did);
    engine->active += member->active;
    return FM_OK;
}

static fm_status get_u64(uint64_t *out, const json_t *o, const char *name, struct base_err *err)
{
    int64_t v;
    fm_status st = base_json_get_int(&v, o, name, err);

    *out = st == FM_OK && v > 0 ? (uint64_t)v : 0;
    return st;
}

static fm_status load_param(struct ledger_engine *engine, const json_t *param, struct base_err *err)
{
    json_t *limits;
    const char *sequencer;
    uint64_t quorum;
    fm_status st = base_json_get_str(&sequencer, param, "sequencer", err);

    if (st == FM_OK)
        st = get_u64(&quorum, param, "quorum", err);
    if (st == FM_OK)
        st = base_json_get_object(&limits, param, "limits", err);
    if (st == FM_OK)
        st = get_u64(&engine->tx_bytes, limits, "tx_bytes", err);
    if (st == FM_OK)
        st = get_u64(&engine->block_txs, limits, "block_txs", err);
    if (st == FM_OK)
        st = get_u64(&engine->block_bytes, limits, "block_bytes", err);
    if (st == FM_OK)
        st = get_u64(&engine->refused_per_day, limits, "refused_per_day", err);
    if (st != FM_OK)
        return st;
    if (engine_external(engine))
        sequencer = LEDGER_EXTERNAL_NAME;
    if (strcmp(engine->sequencer, sequencer) != 0) {
        (void)snprintf(engine->sequencer, sizeof engine->sequencer, "%s", sequencer);
        engine->sequencer_now = INT64_MIN;
        engine->heard_ms = engine->silent_told_ms = engine->now.mono_ms;
        engine->silent = false;
        engine->asked = 0;
        for (struct ledger_outbox_item *it = engine->outbox.first; it != NULL; it = it->next)
            it->next_send = it->sent_ms = 0; /* to the new one, at once */
    }
    engine->quorum = (size_t)quorum;
    return FM_OK;
}

fm_status engine_roster_load(struct ledger_engine *engine, struct base_err *err)
{
    struct ledger_reader *reader = ledger_chain_reader(engine->chain);
    json_t *param = NULL;
    fm_status st = ledger_reader_get(reader, &param, "param", err);

    if (st == FM_OK)
        st = load_param(engine, param, err);
    json_decref(param);
    if (st != FM_OK)
        return base_err_prefix(err, "ledger parameters");
    for (size_t i = 0; i < engine->n_members; i++)
        engine->members[i].known = engine->members[i].active = false;
    engine->active = 0;
    return ledger_reader_list(reader, "member/", load_member, engine, err);
}
