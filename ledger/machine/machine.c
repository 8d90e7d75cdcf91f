#include "ledger/machine/machine.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ledger/machine/machine_admit.h"

#define DAY_MS 86400000

fm_status ledger_machine_new(struct ledger_machine **out, const struct ledger_state_source *source,
                             const uint8_t chain[32], struct base_err *err)
{
    struct ledger_machine *machine = calloc(1, sizeof *machine);
    fm_status st;

    *out = NULL;
    if (machine == NULL)
        return base_err_memory(err, "ledger machine");
    memcpy(machine->chain, chain, sizeof machine->chain);
    base_hex(machine->chain_text, chain, 32);
    machine->threads = 1;
    machine->newest_rules = LEDGER_RULES_VERSION;
    machine->verdicts = calloc(LEDGER_VERDICTS, sizeof *machine->verdicts);
    st = ledger_view_init(&machine->view, source, err);
    machine->parsed = calloc(LEDGER_PARSED, sizeof *machine->parsed);
    if (st == FM_OK && (machine->verdicts == NULL || machine->parsed == NULL))
        st = base_err_memory(err, "ledger machine");
    if (st != FM_OK) {
        ledger_machine_free(machine);
        return st;
    }
    *out = machine;
    return FM_OK;
}

void ledger_machine_free(struct ledger_machine *machine)
{
    if (machine == NULL)
        return;
    ledger_view_release(&machine->view);
    ledger_documents_release(&machine->documents);
    for (size_t i = 0; machine->parsed != NULL && i < LEDGER_PARSED; i++)
        ledger_tx_release(&machine->parsed[i].tx);
    free(machine->parsed);
    free(machine->verdicts);
    free(machine);
}

void ledger_machine_set_threads(struct ledger_machine *machine, unsigned threads)
{
    machine->threads = threads;
}

void ledger_step_release(struct ledger_step *step)
{
    free(step->updates);
    base_buf_release(&step->bytes);
    json_decref(step->values);
    memset(step, 0, sizeof *step);
}

void ledger_machine_applied(struct ledger_machine *machine, struct ledger_step *step)
{
    ledger_view_applied(&machine->view, step->values);
}

void ledger_machine_forget(struct ledger_machine *machine)
{
    ledger_view_reset(&machine->view);
    (void)json_object_clear(machine->view.cache);
    machine->view.cache_bytes = 0;
}

fm_status ledger_machine_follows(struct ledger_machine *machine, uint64_t head_height,
                                 int64_t head_time_ms, const struct ledger_block *block,
                                 struct base_err *err)
{
    json_t *param;
    struct ledger_context c = {0};
    int64_t bytes = 0;
    size_t i;
    fm_status st;

    if (block->height != head_height + 1)
        return base_err_set(err, FM_E_INPUT, "block %llu does not follow block %llu",
                            (unsigned long long)block->height, (unsigned long long)head_height);
    if (block->time_ms <= head_time_ms || block->time_ms > BASE_JSON_MAX_INT)
        return base_err_set(err, FM_E_INPUT, "block %llu: its time %lld is not after %lld",
                            (unsigned long long)block->height, (long long)block->time_ms,
                            (long long)head_time_ms);
    st = ledger_param_get(machine, &param, block->height, err);
    if (st != FM_OK)
        return st;
    c.limits = json_object_get(param, "limits");
    assert(block->vouched <= block->count);
    for (i = block->vouched; i < block->count && bytes <= ledger_limit(&c, "block_bytes"); i++)
        bytes += (int64_t)block->txs[i].len;
    if ((int64_t)(block->count - block->vouched) > ledger_limit(&c, "block_txs"))
        st = base_err_set(err, FM_E_LIMIT, "block %llu: more than block_txs = %lld transactions",
                          (unsigned long long)block->height,
                          (long long)ledger_limit(&c, "block_txs"));
    else if (bytes > ledger_limit(&c, "block_bytes"))
        st = base_err_set(err, FM_E_LIMIT, "block %llu: more than block_bytes = %lld bytes",
                          (unsigned long long)block->height,
                          (long long)ledger_limit(&c, "block_bytes"));
    json_decref(param);
    return st;
}

/* ---- one transaction ---- */

/* Counts one more refused entry of the sender today. *full: there is no room for one. */
static fm_status take_quota(struct ledger_context *c, bool *full, struct base_err *err)
{
    int64_t day = c->time_ms / DAY_MS, refused = 0;
    char key[LEDGER_KEY_TEXT];
    const json_t *quota;
    fm_status st = ledger_view_get(c->view, &quota, ledger_key(key, "quota", c->alias), err);

    if (st != FM_OK)
        return st;
    if (ledger_int(quota, "day") == day)
        refused = ledger_int(quota, "refused");
    *full = refused >= ledger_limit(c, "refused_per_day");
    if (*full)
        return FM_OK;
    return ledger_view_put(
        c->view, key,
        json_pack("{s:I, s:I}", "day", (json_int_t)day, "refused", (json_int_t)refused + 1), err);
}

static void fill_outcome(struct ledger_outcome *out, enum ledger_verdict verdict,
                         enum ledger_rule rule, const char *detail)
{
    out->verdict = verdict;
    out->rule = rule;
    ledger_detail_set(out->detail, detail);
}

/* Role, then the type's rules: what they changed is kept or gone when this returns. */
static fm_status run_rules(struct ledger_context *c, const struct ledger_prepared *p,
                           struct ledger_outcome *out, struct base_err *err)
{
    bool full;
    fm_status st;

    if (p->auth_rule != LEDGER_RULE_OK)
        st = ledger_refuse(c, p->auth_rule, err, "%s", ledger_rule_text(p->auth_rule));
    else
        st = ledger_rule_run(c, err);
    if (st == FM_OK) {
        fill_outcome(out, LEDGER_OK, LEDGER_RULE_OK, "");
        return ledger_remember_id(c, err);
    }
    if (st != FM_E_REFUSED)
        return st;
    assert(c->rule != LEDGER_RULE_OK && !ledger_rule_drops(c->rule));
    ledger_view_undo(c->view);
    st = take_quota(c, &full, err);
    if (st != FM_OK)
        return st;
    if (full) {
        fill_outcome(out, LEDGER_DROPPED, LEDGER_DROP_QUOTA, "");
        (void)snprintf(out->detail, sizeof out->detail, "%s: %.120s", ledger_rule_code(c->rule),
                       c->detail);
        return FM_OK;
    }
    fill_outcome(out, LEDGER_REFUSED, c->rule, c->detail);
    return ledger_remember_id(c, err);
}

fm_status ledger_machine_run_one(struct ledger_machine *machine, struct ledger_context *c,
                                 struct ledger_prepared *p, struct ledger_outcome *out,
                                 struct base_err *err)
{
    fm_status st;

    memset(out, 0, sizeof *out);
    st = ledger_admit(machine, c, p, err);
    if (st != FM_OK)
        return st;
    if (p->tx.json != NULL) {
        memcpy(out->id, p->tx.id, sizeof out->id);
        out->type = ledger_tx_type_name(p->tx.type);
        out->not_after = p->tx.not_after;
    }
    if (p->drop == LEDGER_RULE_OK)
        (void)snprintf(out->alias, sizeof out->alias, "%s", c->alias);
    if (p->drop != LEDGER_RULE_OK)
        fill_outcome(out, LEDGER_DROPPED, p->drop, p->detail);
    else
        st = run_rules(c, p, out, err);
    if (st == FM_OK && out->verdict != LEDGER_DROPPED)
        return ledger_view_keep(&machine->view, err);
    ledger_view_drop(&machine->view);
    return st;
}

/* ---- a block ---- */

static fm_status forget_one(void *ctx, const char *id, struct base_err *err)
{
    char key[LEDGER_KEY_TEXT];

    return ledger_view_remove(ctx, ledger_key(key, "seen", id), err);
}

/* Removes what is past its not_after: no block can admit it again. */
static fm_status forget_ids(struct ledger_machine *machine, int64_t time_ms, struct base_err *err)
{
    const struct ledger_state_source *source = machine->view.source;
    fm_status st = source->expired(source->ctx, time_ms, forget_one, &machine->view, err);

    return st == FM_OK ? ledger_view_keep(&machine->view, err) : st;
}

/* Runs a block's transactions and leaves their changes in the view. */
static fm_status run_block(struct ledger_machine *machine, enum ledger_parsed_use use,
                           struct ledger_outcome *outcomes, size_t *admitted, uint32_t *rules,
                           const struct ledger_block *block, uint64_t first_leaf,
                           struct base_err *err)
{
    struct ledger_prepared *prepared = ledger_prepared_new(block->count);
    struct ledger_context c = {.height = block->height, .time_ms = block->time_ms};
    json_t *param = NULL;
    size_t at, i, n;
    fm_status st;

    *admitted = 0;
    *rules = 0;
    if (prepared == NULL)
        return base_err_memory(err, "ledger machine");
    st = ledger_param_get(machine, &param, block->height, err);
    if (st != FM_OK)
        goto done;
    c.limits = json_object_get(param, "limits");
    c.rules_version = *rules = (uint32_t)ledger_int(param, "rules_version");
    for (i = 0; st == FM_OK && i < block->vouched; i++) {
        st = ledger_vouched_run(machine, &c, &block->txs[i], &outcomes[i], err);
        if (st == FM_OK && outcomes[i].verdict != LEDGER_DROPPED)
            outcomes[i].leaf = first_leaf + (*admitted)++;
    }
    for (at = block->vouched; st == FM_OK && at < block->count; at += n) {
        n = block->count - at < LEDGER_BATCH ? block->count - at : LEDGER_BATCH;
        st = ledger_prepare(machine, prepared, use, block->txs + at, n, param, block->time_ms, err);
        for (i = 0; st == FM_OK && i < n; i++) {
            struct ledger_outcome *out = &outcomes[at + i];

            st = ledger_machine_run_one(machine, &c, &prepared[i], out, err);
            if (st == FM_OK && out->verdict != LEDGER_DROPPED)
                out->leaf = first_leaf + (*admitted)++;
        }
        ledger_prepared_release(prepared, n);
    }
done:
    json_decref(param);
    free(prepared);
    return st;
}

fm_status ledger_machine_step(struct ledger_machine *machine, struct ledger_step *out,
                              struct ledger_outcome *outcomes, const struct ledger_block *block,
                              uint64_t first_leaf, struct base_err *err)
{
    const json_t *param = NULL;
    uint32_t rules;
    fm_status st;

    memset(out, 0, sizeof *out);
    st = run_block(machine, LEDGER_PARSED_TAKE, outcomes, &out->admitted, &rules, block, first_leaf,
                   err);
    if (st == FM_OK && out->admitted > 0)
        st = ledger_param_settle(machine, block->height, err);
    if (st == FM_OK)
        st = ledger_view_get(&machine->view, &param, "param", err);
    out->epoch = (uint64_t)ledger_int(param, "epoch");
    out->rules_version = rules;
    if (st == FM_OK && out->admitted > 0)
        st = forget_ids(machine, block->time_ms, err);
    if (st == FM_OK)
        st = ledger_view_updates(&machine->view, out, err);
    ledger_view_reset(&machine->view);
    if (st != FM_OK) {
        ledger_step_release(out);
        return base_err_prefix(err, "block %llu", (unsigned long long)block->height);
    }
    return FM_OK;
}

fm_status ledger_machine_try(struct ledger_machine *machine, struct ledger_outcome *out,
                             const struct ledger_bytes *tx, uint64_t height, int64_t time_ms,
                             struct base_err *err)
{
    struct ledger_block block = {height, time_ms, tx, 1, 0};
    size_t admitted;
    uint32_t rules;
    fm_status st = run_block(machine, LEDGER_PARSED_KEEP, out, &admitted, &rules, &block, 0, err);

    ledger_view_reset(&machine->view);
    return st;
}

/* ---- results ---- */

fm_status ledger_outcome_result(struct base_buf *out, const struct ledger_outcome *outcome,
                                struct base_err *err)
{
    json_t *result;
    fm_status st;

    assert(outcome->verdict != LEDGER_DROPPED);
    if (outcome->verdict == LEDGER_OK)
        result = json_pack("{s:s}", "code", "ok");
    else
        result = json_pack("{s:s, s:s, s:s}", "code", "refused", "rule",
                           ledger_rule_code(outcome->rule), "detail", outcome->detail);
    if (result == NULL)
        return base_err_memory(err, "result");
    st = base_json_canonical(out, result, err);
    json_decref(result);
    return st;
}
