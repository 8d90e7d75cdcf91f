/* epoch: another sequencer (epoch.h).
 *
 *   param.epoch e --epoch, N > e--> N, with param.sequencer its sender */
#include <stdio.h>
#include <string.h>

#include "ledger/machine/machine_rule.h"
#include "ledger/proof/epoch.h"

static fm_status active_document(void *ctx, const struct did_document **out, const char *did,
                                 struct base_err *err)
{
    struct ledger_context *c = ctx;
    const json_t *member;
    fm_status st = FM_OK;

    *out = NULL;
    if (strlen(did) < DID_FIRMIANA_TEXT)
        st = ledger_document_get(c, out, did, err);
    if (st != FM_OK || *out == NULL)
        return st;
    st = ledger_member_get(c, &member, did_document_alias(*out), err);
    if (st == FM_OK && !ledger_member_is_active(member))
        *out = NULL;
    return st;
}

static fm_status log_at(void *ctx, bool *ends, struct ledger_epoch_head *out, uint64_t size,
                        struct base_err *err)
{
    const struct ledger_context *c = ctx;
    const struct ledger_state_source *source = c->view->source;

    return source->log_at(source->ctx, ends, out, size, err);
}

static fm_status put_param(struct ledger_context *c, const json_t *param, struct base_err *err)
{
    json_t *next = json_copy((json_t *)(uintptr_t)param);

    if (next != NULL &&
        (json_object_set(next, "epoch", json_object_get(c->body, "epoch")) != 0 ||
         json_object_set(next, "sequencer", json_object_get(c->body, "sequencer")) != 0)) {
        json_decref(next);
        next = NULL;
    }
    return ledger_view_put(c->view, "param", next, err);
}

fm_status ledger_rule_epoch(struct ledger_context *c, struct base_err *err)
{
    struct ledger_electorate who = {
        .rules_version = c->rules_version, .document = active_document, .log_at = log_at, .ctx = c};
    struct ledger_epoch_verdict verdict;
    char key[LEDGER_KEY_TEXT], name[24];
    const json_t *param;
    fm_status st = ledger_view_get(c->view, &param, "param", err);

    if (st == FM_OK)
        st = ledger_member_count_active(c, &who.active, err);
    if (st != FM_OK)
        return st;
    memcpy(who.chain, c->chain, sizeof who.chain);
    who.epoch = (uint64_t)ledger_int(param, "epoch");
    who.quorum = (size_t)ledger_int(param, "quorum");
    st = ledger_epoch_judge(&verdict, &who, c->alias, c->body, err);
    if (st == FM_E_REFUSED)
        return ledger_refuse_as(c, verdict.rule, err);
    if (st != FM_OK)
        return st;
    if (verdict.min_not_after < c->time_ms ||
        verdict.max_not_after - c->time_ms > ledger_limit(c, "not_after_ms"))
        return ledger_refuse(c, LEDGER_RULE_EPOCH_APPROVAL, err,
                             "an approval's not_after has passed, or is too far ahead");
    st = put_param(c, param, err);
    (void)snprintf(name, sizeof name, "%lld", (long long)ledger_int(c->body, "epoch"));
    if (st == FM_OK)
        st = ledger_view_put(c->view, ledger_key(key, "epoch", name),
                             json_pack("{s:s, s:I, s:I}", "sequencer", c->alias, "base",
                                       (json_int_t)verdict.greatest.size, "height",
                                       (json_int_t)c->height),
                             err);
    return st;
}

fm_status ledger_rule_epoch_part(struct ledger_context *c, struct base_err *err)
{
    return ledger_refuse(c, LEDGER_RULE_EPOCH_PLACE, err, "%s stands inside an epoch transaction",
                         ledger_tx_type_name(c->tx->type));
}
