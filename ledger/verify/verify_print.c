#include "ledger/verify/verify_print.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/text.h"
#include "did/moment.h"

/* What an answer's value rests on, by protocol: design.md section 7. */
static const struct {
    const char *protocol, *model;
} models[] = {
    {"rep3",
     "at most one of the three compute parties is corrupt, and follows the protocol (semi-honest)"},
    {"aggregate", "the key's dealer forgot what it dealt, and fewer compute parties than the key's "
                  "threshold are "
                  "corrupt; they cannot lie about the sum, providers can about their rows"},
    {"psi-sum", "both parties follow the protocol (semi-honest)"},
};

static const char *model_of(const char *protocol)
{
    for (size_t i = 0; i < sizeof models / sizeof *models; i++) {
        if (strcmp(models[i].protocol, protocol) == 0)
            return models[i].model;
    }
    return "a protocol that this tool does not know: see its documentation";
}

static const char *moment(char out[DID_MOMENT_TEXT], int64_t ms)
{
    struct base_err err = {0};

    if (did_moment_format(out, ms / 1000, &err) != FM_OK)
        (void)snprintf(out, DID_MOMENT_TEXT, "(no such time)");
    return out;
}

static const char *status_of(const struct ledger_verified_query *q)
{
    return q->closed ? ledger_receipt_outcome_name(q->outcome) : "open";
}

static const struct ledger_verified_contract *contract_of(const struct ledger_verified *r,
                                                          const struct ledger_verified_query *q)
{
    return q->contract == LEDGER_NO_INDEX ? NULL : &r->contracts[q->contract];
}

static unsigned long long ull(uint64_t n)
{
    return (unsigned long long)n;
}

/* ---- text ---- */

static void print_ledger(FILE *out, const struct ledger_verified *r)
{
    const struct ledger_terms *terms = ledger_members_terms(r->members);
    char hex[65], when[DID_MOMENT_TEXT];

    base_hex(hex, r->chain, 32);
    (void)fprintf(out, "valid: ledger \"%s\"\n  chain    %s\n", terms->name, hex);
    base_hex(hex, r->root, 32);
    (void)fprintf(out,
                  "  log      %llu entries, %llu blocks, to height %llu at %s\n  root     %s\n",
                  ull(r->size), ull(r->blocks), ull(r->height), moment(when, r->time_ms), hex);
    (void)fprintf(out,
                  "  final    cosigned by %zu of %zu active members, quorum %llu:", r->checkpoint.n,
                  ledger_members_active(r->members), ull(terms->quorum));
    for (size_t i = 0; i < r->checkpoint.n; i++)
        (void)fprintf(out, " %s",
                      ledger_members_by_did(r->members, r->checkpoint.cosigner[i].name)->alias);
    (void)fputs("\n  members ", out);
    for (size_t i = 0; i < ledger_members_count(r->members); i++) {
        const struct ledger_identity *m = ledger_members_at(r->members, i);
        (void)fprintf(out, " %s (version %lld%s)", m->alias,
                      (long long)did_document_version(m->doc), m->active ? "" : ", suspended");
    }
    (void)fprintf(out, "\n  entries  %llu accepted, %llu refused; %llu of them not disclosed\n",
                  ull(r->accepted), ull(r->refused), ull(r->hidden));
    if (r->compact)
        (void)fprintf(out, "  compact  %llu more entries, blocks' own included, are left out\n",
                      ull(r->skipped));
    if (r->consents_signed + r->consents_attested + r->consents_mandated > 0)
        (void)fprintf(out,
                      "  consents %llu signed by a key alone, %llu attested by a member, %llu by "
                      "mandate\n",
                      ull(r->consents_signed), ull(r->consents_attested),
                      ull(r->consents_mandated));
    if (r->consents_self_attested > 0)
        (void)fprintf(out, "  FLAG     %llu consents attested by the very member that may ask\n",
                      ull(r->consents_self_attested));
    if (r->states > 0)
        (void)fprintf(out, "  state    %llu values or absences proved\n", ull(r->states));
}

static void print_query(FILE *out, const struct ledger_verified *r,
                        const struct ledger_verified_query *q)
{
    const struct ledger_verified_contract *c = contract_of(r, q);
    char id[65], contract[65], opened[DID_MOMENT_TEXT], closed[DID_MOMENT_TEXT];

    base_hex(id, q->id, 32);
    id[12] = '\0';
    (void)fprintf(out, "  %s  query %s by %s", moment(opened, q->opened_ms), id,
                  ledger_members_at(r->members, q->asker)->alias);
    if (c != NULL) {
        base_hex(contract, c->id, 32);
        contract[12] = '\0';
        (void)fprintf(out, " under %s \"%s\" for \"%s\"", contract, BASE_LINE(c->name),
                      BASE_LINE(c->purpose));
    } else {
        (void)fputs(" under a contract not disclosed", out);
    }
    (void)fprintf(out, ": %s", status_of(q));
    if (q->rule != NULL)
        (void)fprintf(out, " (%s)", q->rule);
    if (q->party != NULL)
        (void)fprintf(out, ", naming %s", q->party);
    if (q->closed)
        (void)fprintf(out, ", signed by %u, closed %s", q->signers, moment(closed, q->closed_ms));
    if (q->receipts > 0)
        (void)fprintf(out, ", %u receipts of single parties", q->receipts);
    (void)fputs("\n", out);
}

static const char *culprit(char address[41], const struct ledger_misbehavior *what)
{
    base_hex(address, what->validator, sizeof what->validator);
    return what->member[0] != '\0' ? what->member : address;
}

static void print_misbehaviors(FILE *out, const struct ledger_verified *r)
{
    char address[41], when[DID_MOMENT_TEXT], recorded[DID_MOMENT_TEXT], id[65];

    (void)fputs("proven against validators, by the engine of every member that cosigned\n", out);
    for (size_t i = 0; i < r->n_misbehaviors; i++) {
        const struct ledger_verified_misbehavior *m = &r->misbehaviors[i];
        base_hex(id, m->id, 32);
        id[12] = '\0';
        (void)fprintf(
            out, "  %s  the validator of %s %s at block %llu; recorded in block %llu, %s (%s)\n",
            moment(when, m->what.time_ms), culprit(address, &m->what), ledger_act_text(m->what.act),
            ull(m->what.height), ull(m->recorded), moment(recorded, m->recorded_ms), id);
    }
}

static void print_refusals(FILE *out, const struct ledger_verified *r)
{
    (void)fputs("refused\n", out);
    for (unsigned i = 0; i < LEDGER_RULE_COUNT; i++) {
        if (r->by_rule[i] > 0)
            (void)fprintf(out, "  %6llu  %-28s %s\n", ull(r->by_rule[i]),
                          ledger_rule_code((enum ledger_rule)i),
                          ledger_rule_text((enum ledger_rule)i));
    }
}

/* Each protocol once, in the order of the contracts. */
static void print_models(FILE *out, const struct ledger_verified *r)
{
    for (size_t i = 0; i < r->n_contracts; i++) {
        size_t j = 0;
        while (strcmp(r->contracts[j].protocol, r->contracts[i].protocol) != 0)
            j++;
        if (j == i)
            (void)fprintf(out,
                          "  that an answer is right: it rests on the threat model of %s: %s\n",
                          r->contracts[i].protocol, model_of(r->contracts[i].protocol));
    }
}

static void print_not_proved(FILE *out, const struct ledger_verified *r, bool chain_was_given)
{
    (void)fputs("not proved by this bundle\n", out);
    print_models(out, r);
    (void)fputs("  that each rule was applied: the cosigners say so, who executed every block\n",
                out);
    if (r->hidden + r->skipped > 0)
        (void)fprintf(out, "  what %llu entries say that are not disclosed\n",
                      ull(r->hidden + r->skipped));
    if (!chain_was_given)
        (void)fputs("  that this is your ledger: compare the chain id with the one you know, or "
                    "give it with --chain\n",
                    out);
}

static fm_status flush(FILE *out, struct base_err *err)
{
    if (fflush(out) != 0 || ferror(out))
        return base_err_errno(err, "standard output");
    return FM_OK;
}

fm_status ledger_verify_print_text(FILE *out, const struct ledger_verified *report,
                                   bool chain_was_given, struct base_err *err)
{
    print_ledger(out, report);
    if (report->n_queries > 0)
        (void)fputs("queries\n", out);
    for (size_t i = 0; i < report->n_queries; i++)
        print_query(out, report, &report->queries[i]);
    if (report->n_misbehaviors > 0)
        print_misbehaviors(out, report);
    if (report->refused > 0)
        print_refusals(out, report);
    print_not_proved(out, report, chain_was_given);
    return flush(out, err);
}

/* ---- JSON ---- */

static json_t *hex_json(const uint8_t hash32[32])
{
    char hex[65];

    base_hex(hex, hash32, 32);
    return json_string(hex);
}

static json_t *counts_json(const struct ledger_verified *r)
{
    json_t *refused = json_object(), *accepted = json_object();

    for (unsigned i = 0; i < LEDGER_RULE_COUNT; i++) {
        if (r->by_rule[i] > 0)
            (void)json_object_set_new(refused, ledger_rule_code((enum ledger_rule)i),
                                      json_integer((json_int_t)r->by_rule[i]));
    }
    for (unsigned i = 0; i < LEDGER_TX_TYPE_COUNT; i++) {
        if (r->by_type[i] > 0)
            (void)json_object_set_new(accepted, ledger_tx_type_name((enum ledger_tx_type)i),
                                      json_integer((json_int_t)r->by_type[i]));
    }
    return json_pack("{s:I, s:I, s:I, s:I, s:o, s:o, s:{s:I, s:I, s:I, s:I}}", "transactions",
                     (json_int_t)r->transactions, "accepted", (json_int_t)r->accepted, "refused",
                     (json_int_t)r->refused, "not_disclosed", (json_int_t)r->hidden,
                     "accepted_by_type", accepted, "refused_by_rule", refused, "consents", "signed",
                     (json_int_t)r->consents_signed, "attested", (json_int_t)r->consents_attested,
                     "mandate", (json_int_t)r->consents_mandated, "self_attested",
                     (json_int_t)r->consents_self_attested);
}

static json_t *members_json(const struct ledger_verified *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < ledger_members_count(r->members); i++) {
        const struct ledger_identity *m = ledger_members_at(r->members, i);
        bool cosigned = false;
        for (size_t k = 0; k < r->checkpoint.n; k++)
            cosigned =
                cosigned || strcmp(r->checkpoint.cosigner[k].name, did_document_id(m->doc)) == 0;
        (void)json_array_append_new(list,
                                    json_pack("{s:s, s:s, s:I, s:b, s:b}", "alias", m->alias, "did",
                                              did_document_id(m->doc), "version",
                                              (json_int_t)did_document_version(m->doc), "active",
                                              (int)m->active, "cosigned", (int)cosigned));
    }
    return list;
}

static json_t *query_json(const struct ledger_verified *r, const struct ledger_verified_query *q)
{
    const struct ledger_verified_contract *c = contract_of(r, q);

    return json_pack("{s:o, s:s, s:o*, s:s*, s:s*, s:s*, s:s, s:s*, s:s*, s:I, s:I, s:I, s:I, s:I}",
                     "id", hex_json(q->id), "asker", ledger_members_at(r->members, q->asker)->alias,
                     "contract", c == NULL ? NULL : hex_json(c->id), "name",
                     c == NULL ? NULL : c->name, "purpose", c == NULL ? NULL : c->purpose,
                     "protocol", c == NULL ? NULL : c->protocol, "status", status_of(q), "rule",
                     q->rule, "party", q->party, "height", (json_int_t)q->height, "opened_ms",
                     (json_int_t)q->opened_ms, "closed_ms", (json_int_t)q->closed_ms, "signers",
                     (json_int_t)q->signers, "receipts", (json_int_t)q->receipts);
}

static json_t *misbehaviors_json(const struct ledger_verified *r)
{
    json_t *list = json_array();
    char address[41];

    for (size_t i = 0; i < r->n_misbehaviors; i++) {
        const struct ledger_verified_misbehavior *m = &r->misbehaviors[i];
        base_hex(address, m->what.validator, sizeof m->what.validator);
        (void)json_array_append_new(
            list, json_pack("{s:o, s:s, s:s*, s:s, s:I, s:I, s:I, s:I}", "id", hex_json(m->id),
                            "act", ledger_act_code(m->what.act), "member",
                            m->what.member[0] != '\0' ? m->what.member : NULL, "validator", address,
                            "height", (json_int_t)m->what.height, "time_ms",
                            (json_int_t)m->what.time_ms, "recorded", (json_int_t)m->recorded,
                            "recorded_ms", (json_int_t)m->recorded_ms));
    }
    return list;
}

static fm_status put_json(FILE *out, json_t *json, struct base_err *err)
{
    fm_status st = FM_OK;

    if (json == NULL)
        return base_err_memory(err, "report");
    if (json_dumpf(json, out, JSON_COMPACT) != 0)
        st = base_err_errno(err, "standard output");
    json_decref(json);
    return st;
}

static json_t *head_json(const struct ledger_verified *r)
{
    const struct ledger_terms *terms = ledger_members_terms(r->members);

    return json_pack("{s:s, s:o, s:I, s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:o, s:o, s:o}", "name",
                     terms->name, "chain", hex_json(r->chain), "size", (json_int_t)r->size,
                     "blocks", (json_int_t)r->blocks, "height", (json_int_t)r->height, "time_ms",
                     (json_int_t)r->time_ms, "root", hex_json(r->root), "quorum",
                     (json_int_t)terms->quorum, "left_out", (json_int_t)r->skipped, "states",
                     (json_int_t)r->states, "members", members_json(r), "entries", counts_json(r),
                     "misbehavior", misbehaviors_json(r));
}

fm_status ledger_verify_print_json(FILE *out, const struct ledger_verified *report,
                                   const struct ledger_statement *statement, const char *why,
                                   struct base_err *err)
{
    fm_status st;

    if (why != NULL) {
        json_t *leaf =
            report->leaf == LEDGER_NO_LEAF ? NULL : json_integer((json_int_t)report->leaf);
        st = put_json(out,
                      json_pack("{s:b, s:I, s:o*, s:s, s:s}", "valid", 0, "line",
                                (json_int_t)report->line, "leaf", leaf, "check", report->check,
                                "error", why),
                      err);
        (void)fputs("\n", out);
        return st == FM_OK ? flush(out, err) : st;
    }
    /* Queries may be many: they are written one by one, not gathered. */
    (void)fputs("{\"valid\":true,\"ledger\":", out);
    st = put_json(out, head_json(report), err);
    if (st == FM_OK && statement != NULL) {
        (void)fputs(",\"statement\":", out);
        st = put_json(out, ledger_statement_report(statement), err);
    }
    (void)fputs(",\"queries\":[", out);
    for (size_t i = 0; st == FM_OK && i < report->n_queries; i++) {
        if (i > 0)
            (void)fputs(",", out);
        st = put_json(out, query_json(report, &report->queries[i]), err);
    }
    (void)fputs("]}\n", out);
    return st == FM_OK ? flush(out, err) : st;
}
