#include "ledger/proof/epoch.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ledger/proof/tx.h"

#define PARTS_MAX 256 /* in one list: no ledger has more members that act */

int ledger_epoch_compare(const struct ledger_epoch_head *a, const struct ledger_epoch_head *b)
{
    if (a->epoch != b->epoch)
        return a->epoch < b->epoch ? -1 : 1;
    return a->size < b->size ? -1 : a->size > b->size;
}

static fm_status refuse(enum ledger_rule *out, enum ledger_rule rule, struct base_err *err,
                        const char *text)
{
    *out = rule;
    return base_err_set(err, FM_E_REFUSED, "%s", text);
}

/* ---- parts ---- */

static uint64_t number(const json_t *o, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(o, name));
}

fm_status ledger_epoch_read(struct ledger_epoch_part *out, const json_t *body, struct base_err *err)
{
    const json_t *head = json_object_get(body, "head");

    *out = (struct ledger_epoch_part){
        .epoch = number(body, "epoch"),
        .sequencer = json_string_value(json_object_get(body, "sequencer")),
        .head = {.epoch = number(head, "epoch"), .size = number(head, "size")}};
    return head == NULL ? FM_OK : base_json_get_hex(out->head.root, 32, head, "root", err);
}

fm_status ledger_epoch_promise_body(json_t **out, uint64_t epoch, const char *sequencer,
                                    const struct ledger_epoch_head *head, struct base_err *err)
{
    char root[65];

    base_hex(root, head->root, 32);
    *out = json_pack("{s:I, s:s, s:{s:I, s:I, s:s}}", "epoch", (json_int_t)epoch, "sequencer",
                     sequencer, "head", "epoch", (json_int_t)head->epoch, "size",
                     (json_int_t)head->size, "root", root);
    return *out != NULL ? FM_OK : base_err_memory(err, "promise");
}

fm_status ledger_epoch_check_part(const struct ledger_electorate *who, const struct ledger_tx *tx,
                                  enum ledger_rule *rule, struct base_err *err)
{
    bool promise = tx->type == LEDGER_TX_EPOCH_PROMISE;
    enum ledger_rule mine = promise ? LEDGER_RULE_EPOCH_PROMISE : LEDGER_RULE_EPOCH_APPROVAL;
    const struct did_document *doc = NULL;
    struct ledger_epoch_part part;
    struct ledger_tx_auth auth;
    fm_status st = ledger_epoch_read(&part, tx->body, err);

    if (st != FM_OK)
        return st;
    if (!promise && tx->type != LEDGER_TX_EPOCH_APPROVE)
        return refuse(rule, mine, err, "it is neither an approval nor a promise");
    if (memcmp(tx->chain, who->chain, 32) != 0)
        return refuse(rule, mine, err, "it is for another ledger");
    if (part.epoch <= who->epoch)
        return refuse(rule, LEDGER_RULE_EPOCH_NUMBER, err,
                      "its epoch is not after the present one");
    if (promise && part.head.epoch >= part.epoch)
        return refuse(rule, mine, err, "its head is not of an earlier epoch");
    st = who->document(who->ctx, &doc, tx->sender, err);
    if (st != FM_OK)
        return st;
    if (doc == NULL)
        return refuse(rule, mine, err, "its sender is no active member");
    st = ledger_tx_authenticate(&auth, tx, doc, who->rules_version, err);
    if (st == FM_E_AUTH || st == FM_E_INPUT)
        return refuse(rule, mine, err, "a proof does not verify under the sender's document");
    if (st == FM_OK && auth.rule != LEDGER_RULE_OK)
        return refuse(rule, mine, err, ledger_rule_text(auth.rule));
    return st;
}

/* ---- lists ---- */

struct judging {
    const struct ledger_electorate *who;
    struct ledger_epoch_verdict *out;
    const char *sequencer;
    uint64_t epoch;
    const char *sender[PARTS_MAX]; /* of one list */
    struct ledger_epoch_head head[PARTS_MAX];
};

/* Part i of a list: parsed on its own, for exactly this epoch and sequencer, by somebody new. */
static fm_status judge_part(struct judging *j, const json_t *item, size_t i, bool promise,
                            struct base_err *err)
{
    enum ledger_rule mine = promise ? LEDGER_RULE_EPOCH_PROMISE : LEDGER_RULE_EPOCH_APPROVAL;
    struct ledger_epoch_part part;
    struct ledger_tx tx;
    fm_status st = ledger_tx_parse_json(&tx, (json_t *)(uintptr_t)item, err);

    if (st == FM_E_INPUT)
        return refuse(&j->out->rule, mine, err, "it is malformed");
    if (st != FM_OK)
        return st;
    if (tx.type != (promise ? LEDGER_TX_EPOCH_PROMISE : LEDGER_TX_EPOCH_APPROVE))
        st = refuse(&j->out->rule, mine, err, "it is of another type");
    if (st == FM_OK)
        st = ledger_epoch_read(&part, tx.body, err);
    if (st == FM_OK && (part.epoch != j->epoch || strcmp(part.sequencer, j->sequencer) != 0))
        st = refuse(&j->out->rule, mine, err, "it is for another epoch or sequencer");
    if (st == FM_OK)
        st = ledger_epoch_check_part(j->who, &tx, &j->out->rule, err);
    j->sender[i] = json_string_value(json_object_get(item, "sender"));
    for (size_t k = 0; st == FM_OK && k < i; k++)
        if (strcmp(j->sender[k], j->sender[i]) == 0)
            st = refuse(&j->out->rule, mine, err, "a member stands there twice");
    if (st == FM_OK && promise)
        j->head[i] = part.head;
    if (st == FM_OK && !promise) {
        if (tx.not_after < j->out->min_not_after)
            j->out->min_not_after = tx.not_after;
        if (tx.not_after > j->out->max_not_after)
            j->out->max_not_after = tx.not_after;
    }
    ledger_tx_release(&tx);
    return st;
}

static fm_status judge_list(struct judging *j, const json_t *list, bool promise,
                            struct base_err *err)
{
    const char *name = promise ? "promises" : "approvals";
    enum ledger_rule mine = promise ? LEDGER_RULE_EPOCH_PROMISE : LEDGER_RULE_EPOCH_APPROVAL;
    size_t n = json_array_size(list);

    if (n > PARTS_MAX || (promise ? n < j->who->quorum : 2 * n <= j->who->active))
        return refuse(&j->out->rule, mine, err, n > PARTS_MAX ? "too many" : "too few");
    for (size_t i = 0; i < n; i++) {
        fm_status st = judge_part(j, json_array_get(list, i), i, promise, err);

        if (st != FM_OK)
            return base_err_prefix(err, "%s[%zu]", name, i);
    }
    return FM_OK;
}

/* ---- the base: E3 ---- */

static fm_status judge_base(struct judging *j, size_t n, struct base_err *err)
{
    struct ledger_epoch_head *m = &j->out->greatest, ours;
    bool ends = false;
    fm_status st;

    for (size_t i = 0; i < n; i++)
        if (i == 0 || ledger_epoch_compare(&j->head[i], m) > 0)
            *m = j->head[i];
    st = j->who->log_at(j->who->ctx, &ends, &ours, 0, err);
    if (st == FM_OK && ours.size != m->size) {
        j->out->rule = LEDGER_RULE_EPOCH_BASE;
        st = base_err_set(err, FM_E_REFUSED,
                          "the log before it has %llu entries, the greatest head %llu",
                          (unsigned long long)ours.size, (unsigned long long)m->size);
    }
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        const struct ledger_epoch_head *h = &j->head[i];

        if (h->epoch != m->epoch)
            continue;
        st = j->who->log_at(j->who->ctx, &ends, &ours, h->size, err);
        if (st == FM_OK &&
            (!ends || ours.epoch != h->epoch || memcmp(ours.root, h->root, 32) != 0)) {
            j->out->rule = LEDGER_RULE_EPOCH_BASE;
            st = base_err_set(err, FM_E_REFUSED,
                              "promises[%zu]: the log before it does not hold that head of %llu "
                              "entries",
                              i, (unsigned long long)h->size);
        }
    }
    return st;
}

fm_status ledger_epoch_judge(struct ledger_epoch_verdict *out, const struct ledger_electorate *who,
                             const char *alias, const json_t *body, struct base_err *err)
{
    const json_t *promises = json_object_get(body, "promises");
    struct judging *j = calloc(1, sizeof *j);
    struct ledger_epoch_part part;
    fm_status st;

    *out = (struct ledger_epoch_verdict){.min_not_after = INT64_MAX, .max_not_after = INT64_MIN};
    if (j == NULL)
        return base_err_memory(err, "epoch");
    st = ledger_epoch_read(&part, body, err);
    *j = (struct judging){.who = who, .out = out, .sequencer = part.sequencer, .epoch = part.epoch};
    if (st == FM_OK && part.epoch <= who->epoch)
        st = refuse(&out->rule, LEDGER_RULE_EPOCH_NUMBER, err,
                    "the epoch is not after the present one");
    if (st == FM_OK && strcmp(alias, part.sequencer) != 0)
        st = refuse(&out->rule, LEDGER_RULE_EPOCH_SEQUENCER, err,
                    "the sender is not the sequencer that it names");
    if (st == FM_OK)
        st = judge_list(j, json_object_get(body, "approvals"), false, err);
    if (st == FM_OK)
        st = judge_list(j, promises, true, err);
    if (st == FM_OK)
        st = judge_base(j, json_array_size(promises), err);
    free(j);
    return st;
}
