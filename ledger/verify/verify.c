#include "ledger/verify/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ledger/proof/profile.h"
#include "ledger/verify/verify_impl.h"

fm_status ledger_verify_fail(struct base_err *err, const char *fmt, ...)
{
    char text[BASE_ERR_TEXT];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return base_err_set(err, FM_E_INVALID, "%s", text);
}

bool ledger_verify_may_be_hidden(const struct ledger_verifier *v)
{
    return v->out->hidden_accepted > 0 || v->out->skipped > 0;
}

fm_status ledger_verify_room(void **array, size_t *cap, size_t n, size_t size, struct base_err *err)
{
    size_t more = *cap == 0 ? 16 : 2 * *cap;
    void *p;

    if (n < *cap)
        return FM_OK;
    p = realloc(*array, more * size);
    if (p == NULL)
        return base_err_memory(err, "verifier");
    *array = p;
    *cap = more;
    return FM_OK;
}

/* ---- lines in their order ---- */

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

/* Where the log ends now, with the epoch of this block leaf. */
static fm_status note_end(struct ledger_verifier *v, struct base_err *err)
{
    struct ledger_epoch_head *end;
    fm_status st =
        ledger_verify_room((void **)&v->ends, &v->cap_ends, v->n_ends, sizeof *v->ends, err);

    if (st != FM_OK)
        return st;
    end = &v->ends[v->n_ends++];
    *end = (struct ledger_epoch_head){.epoch = (uint64_t)v->epoch, .size = v->log.size};
    ledger_log_root(end->root, &v->log);
    return FM_OK;
}

static fm_status read_genesis(struct ledger_verifier *v, const uint8_t *expect_chain32,
                              struct base_err *err)
{
    uint8_t hash[32];
    fm_status st;

    v->out->check = "order";
    if (v->reader.kind != LEDGER_BUNDLE_GENESIS)
        return ledger_verify_fail(err, "a bundle begins with its genesis");
    v->out->check = "chain";
    if (ledger_profile_adopt(v->reader.genesis, err) != FM_OK)
        return err->code == FM_E_INPUT ? ledger_verify_fail(err, "%s", err->text) : err->code;
    st = base_json_hash(hash, v->reader.genesis, err);
    if (st != FM_OK)
        return st;
    if (memcmp(hash, v->reader.chain, 32) != 0)
        return ledger_verify_fail(err, "the genesis has another hash");
    if (expect_chain32 != NULL && memcmp(hash, expect_chain32, 32) != 0)
        return ledger_verify_fail(err, "it is not the ledger that was asked for");
    memcpy(v->out->chain, hash, 32);
    v->out->compact = v->reader.format == LEDGER_BUNDLE_COMPACT;
    v->out->check = "genesis";
    (void)snprintf(v->sequencer, sizeof v->sequencer, "%s",
                   text_of(v->reader.genesis, "sequencer"));
    st = ledger_members_new(&v->out->members, v->reader.genesis, hash, err);
    if (st == FM_OK)
        v->terms = ledger_members_terms(v->out->members);
    return st;
}

static fm_status query_end(void *ctx, struct ledger_statement_end *out, const uint8_t query32[32],
                           struct base_err *err)
{
    const struct ledger_verifier *v = ctx;
    const int64_t *at = ledger_id_map_get(&v->queries, query32);
    const struct ledger_verified_query *q;

    if (at == NULL)
        return base_err_set(err, FM_E_NOT_FOUND, "a query of it is not on the log");
    q = &v->out->queries[*at];
    out->outcome = q->closed ? ledger_receipt_outcome_name(q->outcome) : "open";
    out->rule = q->rule;
    return FM_OK;
}

/* When the log has the size at which the statement was made: the members and queries of that
 * moment are those that it speaks of. */
static fm_status settle_statement(struct ledger_verifier *v, struct base_err *err)
{
    struct ledger_statement *s = v->statement;

    if (s == NULL || ledger_statement_size(s) != v->log.size)
        return FM_OK;
    v->out->check = "statement";
    v->statement = NULL;
    return ledger_statement_settle(s, v->out->chain, v->out->members, query_end, v, err);
}

/* A leaf's data is H(payload), disclosed or not. */
static fm_status read_leaf(struct ledger_verifier *v, struct base_err *err)
{
    uint8_t leaf_hash[32];
    fm_status st = settle_statement(v, err);

    if (st != FM_OK)
        return st;
    v->out->leaf = v->reader.leaf;
    v->out->check = "order";
    if (v->reader.leaf != v->log.size)
        return ledger_verify_fail(err, "leaf %llu is expected here",
                                  (unsigned long long)v->log.size);
    if (v->reader.payload != NULL && json_object_get(v->reader.payload, "kind") != NULL)
        st = ledger_verify_block(v, err);
    else
        st = ledger_verify_tx(v, err);
    if (st != FM_OK)
        return st;
    ledger_log_leaf_hash(leaf_hash, v->reader.payload_hash);
    ledger_log_append(&v->log, leaf_hash, NULL);
    v->out->size = v->log.size;
    v->out->leaf = LEDGER_NO_LEAF;
    return v->after_block ? note_end(v, err) : FM_OK;
}

static fm_status end_statement(struct ledger_verifier *v, struct base_err *err)
{
    fm_status st = settle_statement(v, err);

    if (st != FM_OK || v->statement == NULL)
        return st;
    v->out->check = "statement";
    return ledger_verify_fail(err,
                              "it was made at %llu leaves, and the bundle has %llu: export a newer "
                              "one",
                              (unsigned long long)ledger_statement_size(v->statement),
                              (unsigned long long)v->log.size);
}

static fm_status read_lines(struct ledger_verifier *v, const uint8_t *expect_chain32,
                            struct base_err *err)
{
    enum ledger_bundle_kind before = LEDGER_BUNDLE_GENESIS, kind;
    fm_status st;

    for (;;) {
        v->out->check = "line";
        st = ledger_bundle_next(&v->reader, err);
        v->out->line = v->reader.line;
        if (st != FM_OK)
            return st;
        if (v->terms == NULL) {
            st = read_genesis(v, expect_chain32, err);
            if (st != FM_OK)
                return st;
            continue;
        }
        v->out->check = before == LEDGER_BUNDLE_CHECKPOINT ? "end" : "order";
        kind = v->reader.kind == LEDGER_BUNDLE_SKIP ? LEDGER_BUNDLE_LEAF : v->reader.kind;
        if (kind == LEDGER_BUNDLE_GENESIS || kind < before ||
            (before == LEDGER_BUNDLE_CHECKPOINT && kind != LEDGER_BUNDLE_END))
            return ledger_verify_fail(err, "this line has no place here");
        v->out->check = "end";
        if (v->reader.kind == LEDGER_BUNDLE_END && before != LEDGER_BUNDLE_CHECKPOINT)
            return ledger_verify_fail(err, "the bundle ends without a checkpoint");
        if (v->reader.kind == LEDGER_BUNDLE_END)
            return end_statement(v, err);
        before = kind;
        st = v->reader.kind == LEDGER_BUNDLE_SKIP ? ledger_verify_skip(v, err)
             : kind == LEDGER_BUNDLE_LEAF         ? read_leaf(v, err)
             : kind == LEDGER_BUNDLE_STATE        ? ledger_verify_state(v, err)
                                                  : ledger_verify_checkpoint(v, err);
        if (st != FM_OK)
            return st;
    }
}

/* ---- the whole ---- */

static bool is_verdict(fm_status st)
{
    switch (st) {
    case FM_E_ARG:
    case FM_E_INPUT:
    case FM_E_REFUSED:
    case FM_E_AUTH:
    case FM_E_INVALID:
    case FM_E_CONFLICT:
    case FM_E_NOT_FOUND:
    case FM_E_LIMIT:
        return true;
    default:
        return false;
    }
}

/* Checks that depend on who the members are fail too where a change of theirs is not disclosed. */
static bool depends_on_members(const char *check)
{
    static const char *const checks[] = {"transaction", "proof", "result", "identity",   "receipt",
                                         "cosignature", "state", "epoch",  "misbehavior"};

    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        if (strcmp(checks[i], check) == 0)
            return true;
    }
    return false;
}

static void hint_at_hidden(const struct ledger_verified *out, struct base_err *err)
{
    char text[BASE_ERR_TEXT];

    if (out->hidden_accepted + out->skipped == 0 || !depends_on_members(out->check))
        return;
    memcpy(text, err->text, sizeof text);
    (void)base_err_set(err, err->code,
                       "%s (%llu %s are not disclosed: a bundle must disclose those that change "
                       "members)",
                       text, (unsigned long long)(out->hidden_accepted + out->skipped),
                       out->compact ? "entries" : "accepted entries");
}

static fm_status say_where(struct ledger_verifier *v, fm_status st, struct base_err *err)
{
    const struct ledger_verified *out = v->out;

    if (!is_verdict(st))
        return base_err_prefix(err, "line %llu", (unsigned long long)out->line);
    err->code = FM_E_INVALID;
    hint_at_hidden(out, err);
    if (out->leaf == LEDGER_NO_LEAF)
        return base_err_prefix(err, "line %llu: %s", (unsigned long long)out->line, out->check);
    return base_err_prefix(err, "line %llu, leaf %llu: %s", (unsigned long long)out->line,
                           (unsigned long long)out->leaf, out->check);
}

static void verifier_release(struct ledger_verifier *v)
{
    ledger_bundle_reader_release(&v->reader);
    ledger_id_map_release(&v->seen);
    ledger_id_map_release(&v->queries);
    ledger_id_map_release(&v->contracts);
    ledger_id_map_release(&v->consents);
    ledger_verify_results_clear(&v->block);
    free(v->block.results_of);
    ledger_id_map_release(&v->lists);
    free(v->block.closed);
    free(v->block.lists);
    free(v->block.changed);
    free(v->subjects);
    free(v->last_state);
    free(v->ends);
}

fm_status ledger_verify(struct ledger_verified **out, const struct ledger_bundle_source *source,
                        const uint8_t *expect_chain32, struct base_err *err)
{
    return ledger_verify_statement(out, source, expect_chain32, NULL, err);
}

/* What a statement or a certificate adds to it. */
static fm_status verify(struct ledger_verifier *v, struct ledger_verified **out,
                        const struct ledger_bundle_source *source, const uint8_t *expect_chain32,
                        struct base_err *err)
{
    fm_status st;

    v->out = calloc(1, sizeof **out);
    *out = v->out;
    if (v->out == NULL)
        return base_err_memory(err, "verifier");
    v->out->leaf = LEDGER_NO_LEAF;
    v->block.min_not_after = INT64_MAX;
    v->block.max_not_after = INT64_MIN;
    ledger_bundle_reader_init(&v->reader, source);
    st = read_lines(v, expect_chain32, err);
    if (st == FM_OK && v->deposit != NULL && v->deposit->depositor[0] == '\0') {
        v->out->check = "certificate";
        st = ledger_verify_fail(err, "its deposit is not among what the bundle discloses");
    }
    if (st != FM_OK)
        st = say_where(v, st, err);
    else
        v->out->check = "";
    verifier_release(v);
    return st;
}

fm_status ledger_verify_statement(struct ledger_verified **out,
                                  const struct ledger_bundle_source *source,
                                  const uint8_t *expect_chain32, struct ledger_statement *statement,
                                  struct base_err *err)
{
    struct ledger_verifier v = {.statement = statement};

    return verify(&v, out, source, expect_chain32, err);
}

fm_status ledger_verify_certificate(struct ledger_verified **out,
                                    const struct ledger_bundle_source *source,
                                    const uint8_t *expect_chain32, struct ledger_deposit *deposit,
                                    struct base_err *err)
{
    struct ledger_verifier v = {.deposit = deposit};

    *deposit = (struct ledger_deposit){
        .certificate = deposit->certificate, .judge = deposit->judge, .ctx = deposit->ctx};
    return verify(&v, out, source, expect_chain32, err);
}

fm_status ledger_verified_complete(const struct ledger_verified *report, struct base_err *err)
{
    if (report->hidden_accepted + report->skipped == 0 ||
        report->documents == ledger_members_count(report->members))
        return FM_OK;
    return base_err_set(err, FM_E_INVALID,
                        "%llu accepted entries are not disclosed, and no proof of the state shows "
                        "that none of them changed a member's keys",
                        (unsigned long long)(report->hidden_accepted + report->skipped));
}

void ledger_verified_free(struct ledger_verified *report)
{
    if (report == NULL)
        return;
    for (size_t i = 0; i < report->n_contracts; i++) {
        struct ledger_verified_contract *c = &report->contracts[i];
        free(c->name);
        free(c->purpose);
        free(c->protocol);
        free(c->asker);
        json_decref(c->needed);
    }
    for (size_t i = 0; i < report->n_queries; i++) {
        free(report->queries[i].rule);
        free(report->queries[i].party);
    }
    free(report->contracts);
    free(report->queries);
    free(report->misbehaviors);
    for (size_t i = 0; i < report->n_lists; i++)
        free(report->lists[i].list);
    free(report->lists);
    ledger_verified_keys_release(report);
    ledger_members_free(report->members);
    free(report);
}
