#include <stdio.h>
#include <string.h>

#include "ledger/verify/verify_impl.h"

static fm_status active_document(void *ctx, const struct did_document **out, const char *did,
                                 struct base_err *err)
{
    const struct ledger_verifier *v = ctx;
    const struct ledger_identity *m = ledger_members_by_did(v->out->members, did);

    (void)err;
    *out = m != NULL && m->active ? m->doc : NULL;
    return FM_OK;
}

/* The log as it was before this block: its own leaves end no block yet. */
static fm_status log_at(void *ctx, bool *ends, struct ledger_epoch_head *out, uint64_t size,
                        struct base_err *err)
{
    const struct ledger_verifier *v = ctx;
    size_t low = 0, high = v->n_ends;

    (void)err;
    *out = (struct ledger_epoch_head){0};
    if (size == 0 && v->n_ends > 0)
        size = v->ends[v->n_ends - 1].size;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (v->ends[mid].size < size)
            low = mid + 1;
        else
            high = mid;
    }
    *ends = low < v->n_ends && v->ends[low].size == size;
    if (*ends)
        *out = v->ends[low];
    return FM_OK;
}

fm_status ledger_verify_epoch(struct ledger_verifier *v, const struct ledger_tx *tx,
                              const struct ledger_identity *sender, struct base_err *err)
{
    struct ledger_electorate who = {.rules_version = v->terms->rules_version,
                                    .epoch = (uint64_t)v->epoch,
                                    .active = ledger_members_active(v->out->members),
                                    .quorum = (size_t)v->terms->quorum,
                                    .document = active_document,
                                    .log_at = log_at,
                                    .ctx = v};
    struct ledger_open_block *b = &v->block;
    struct ledger_epoch_verdict verdict;
    fm_status st;

    v->out->check = "epoch";
    memcpy(who.chain, v->out->chain, sizeof who.chain);
    st = ledger_epoch_judge(&verdict, &who, sender->alias, tx->body, err);
    if (st != FM_OK)
        return st;
    /* The block's time judges the approvals as it judges the transaction. */
    if (verdict.min_not_after < b->min_not_after) {
        b->min_not_after = verdict.min_not_after;
        b->min_leaf = v->reader.leaf;
    }
    if (verdict.max_not_after > b->max_not_after) {
        b->max_not_after = verdict.max_not_after;
        b->max_leaf = v->reader.leaf;
    }
    v->epoch = json_integer_value(json_object_get(tx->body, "epoch"));
    (void)snprintf(v->sequencer, sizeof v->sequencer, "%s", sender->alias);
    return FM_OK;
}
