/* A node's own rules, before it says ready: authority at its newest height, the plan compiled by
 * itself, the openings against their commitments. node_data.c: its own data against what it
 * published. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "did/document.h"
#include "exchange/contract/compile.h"
#include "exchange/node/node_key.h"
#include "exchange/node/openings.h"
#include "ledger/proof/inner.h"

void node_plan_free(struct sql_plan *plan)
{
    if (plan == NULL)
        return;
    sql_plan_release(plan);
    free(plan);
}

fm_status node_state(struct node *node, json_t **out, struct base_err *err, const char *fmt, ...)
{
    char key[256];
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(key, sizeof key, fmt, args);
    va_end(args);
    *out = NULL;
    if (n < 0 || n >= (int)sizeof key)
        return base_err_set(err, FM_E_NOT_FOUND, "no such entry on the ledger");
    return ledger_reader_get(ledger_chain_reader(node->chain), out, key, err);
}

static bool text_is(const json_t *object, const char *name, const char *want)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL && strcmp(text, want) == 0;
}

/* ---- authority ---- */

/* Active at the head, and still under the document that the descriptor names: with a rotated key
 * the session's channels and proofs are nobody's any more. */
static fm_status member_holds(struct node *node, const char *alias, int64_t version,
                              const char **rule, struct base_err *err)
{
    struct did_document *doc = NULL;
    json_t *member;
    fm_status st = ledger_reader_member(ledger_chain_reader(node->chain), &member, alias, err);

    if (st == FM_OK && !text_is(member, "status", "active")) {
        *rule = "member.suspended";
        st = base_err_set(err, FM_E_REFUSED, "%s is suspended", alias);
    }
    if (st == FM_OK)
        st = did_document_parse(&doc, json_object_get(member, "document"), DID_RULES_VERSION, err);
    if (st == FM_OK && did_document_version(doc) != version) {
        *rule = "key.rotated";
        st = base_err_set(err, FM_E_REFUSED, "%s has a new DID document since the query was opened",
                          alias);
    }
    did_document_free(doc);
    json_decref(member);
    return st;
}

/* A revocation that this node was given counts from that moment, final or not. */
static bool holds_revocation(const struct node *node, const char *key)
{
    for (const struct node_submission *s = node->submissions; s != NULL; s = s->next)
        if (strcmp(s->revokes, key) == 0)
            return true;
    for (const struct node_revocation *r = node->revocations; r != NULL; r = r->next)
        if (strcmp(r->revokes, key) == 0)
            return true;
    return false;
}

static fm_status permission_holds(struct node *node, const char *key, const char *what,
                                  const char **rule, const char *rule_if_not, struct base_err *err)
{
    json_t *value;
    fm_status st = node_state(node, &value, err, "%s", key);

    if (st == FM_E_NOT_FOUND ||
        (st == FM_OK && (!text_is(value, "status", "active") || holds_revocation(node, key)))) {
        *rule = rule_if_not;
        st = base_err_set(err, FM_E_REFUSED, "%s", what);
    }
    json_decref(value);
    return st;
}

static fm_status authorization_holds(struct node *node, const char *contract, const char *alias,
                                     const char **rule, struct base_err *err)
{
    char key[128], what[96];

    (void)snprintf(key, sizeof key, "authorization/%.64s/%.32s", contract, alias);
    (void)snprintf(what, sizeof what, "%.32s has withdrawn its authorization", alias);
    return permission_holds(node, key, what, rule, "authorization.revoked", err);
}

static fm_status consents_hold(struct node *node, const struct node_query *q, const char **rule,
                               struct base_err *err)
{
    json_t *item;
    size_t i;

    json_array_foreach(json_object_get(q->open, "consents"), i, item)
    {
        char key[128];
        (void)snprintf(key, sizeof key, "consent/%.64s",
                       json_string_value(json_object_get(item, "consent")));
        if (permission_holds(node, key, "the subject has withdrawn its consent", rule,
                             "consent.revoked", err) != FM_OK)
            return err->code;
    }
    return FM_OK;
}

fm_status node_authority(struct node *node, const struct node_query *q, const char **rule,
                         struct base_err *err)
{
    const struct session_facts *f = session_get_facts(q->session);
    const char *contract = json_string_value(json_object_get(q->open, "contract"));
    fm_status st = FM_OK;

    for (unsigned i = 0; st == FM_OK && i < f->party_count; i++)
        st = member_holds(node, f->parties[i].alias, q->versions[i], rule, err);
    for (unsigned i = 0; st == FM_OK && i < q->contract.table_count; i++)
        st = authorization_holds(node, contract, q->contract.tables[i].provider, rule, err);
    return st == FM_OK ? consents_hold(node, q, rule, err) : st;
}

/* ---- the plan ---- */

struct dataset_list {
    json_t *all;
};

static fm_status take_dataset(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    struct dataset_list *l = ctx;

    if (json_object_set(l->all, key + strlen("dataset/"), (json_t *)(uintptr_t)value) != 0)
        return base_err_memory(err, "datasets");
    return FM_OK;
}

fm_status node_datasets(struct node *node, json_t **out, struct base_err *err)
{
    struct dataset_list l = {json_object()};
    fm_status st = l.all != NULL ? FM_OK : base_err_memory(err, "datasets");

    if (st == FM_OK)
        st =
            ledger_reader_list(ledger_chain_reader(node->chain), "dataset/", take_dataset, &l, err);
    *out = l.all;
    return st;
}

fm_status node_compile(struct node *node, struct node_query *q, const char **rule,
                       struct base_err *err)
{
    json_t *datasets = NULL;
    fm_status st = node_datasets(node, &datasets, err);

    q->plan = st == FM_OK ? calloc(1, sizeof *q->plan) : NULL;
    if (st == FM_OK && q->plan == NULL)
        st = base_err_memory(err, "plan");
    if (st == FM_OK) {
        st = contract_compile(q->plan, &q->contract, datasets, err);
        if (st != FM_OK) {
            free(q->plan);
            q->plan = NULL;
            if (st != FM_E_MEMORY) { /* A contract that does not compile here is refused, whatever
                                        the reason. */
                *rule = "contract.plan";
                err->code = st = FM_E_REFUSED;
            }
        }
    }
    json_decref(datasets);
    return st;
}

/* ---- openings ---- */

/* The consent speaks of identifiers of the kind that the provider's subjects have. */
static fm_status check_scheme(struct node *node, const struct contract_table *t, const char *scheme,
                              struct base_err *err)
{
    json_t *value;
    const json_t *subject;
    fm_status st = node_state(node, &value, err, "dataset/%s/%s", t->provider, t->dataset);

    subject = json_object_get(json_object_get(value, "schema"), "subject");
    if (st == FM_OK && !text_is(subject, "scheme", scheme))
        st = base_err_set(err, FM_E_REFUSED,
                          "the consent is by a subject under the scheme %s, and dataset %s/%s has "
                          "another",
                          scheme, t->provider, t->dataset);
    json_decref(value);
    return st;
}

/* The consent for the subject's parameter commits to that very value. */
static fm_status check_subject(struct node *node, const struct node_query *q,
                               const struct contract_opening *openings, const json_t *json,
                               struct base_err *err)
{
    int64_t parameter = q->contract.subject_parameter;
    uint8_t nonce[32], commitment[32], want[32];
    json_t *value = NULL, *item;
    const char *identifier, *scheme;
    fm_status st;
    size_t i;

    if (parameter == 0)
        return FM_OK;
    identifier = openings[parameter - 1].value;
    if (identifier == NULL)
        return base_err_set(err, FM_E_REFUSED,
                            "the subject's parameter is hidden: its consent cannot be checked");
    st = contract_open_consent(nonce, json, parameter, err);
    json_array_foreach(json_object_get(q->open, "consents"), i, item)
    {
        if (st != FM_OK || json_integer_value(json_object_get(item, "parameter")) != parameter)
            continue;
        st = node_state(node, &value, err, "consent/%s",
                        json_string_value(json_object_get(item, "consent")));
    }
    if (st == FM_OK)
        st = base_json_get_hex(want, 32, json_object_get(value, "consent"), "commitment", err);
    ledger_subject_commit(commitment, node->chain_id, identifier, strlen(identifier), nonce);
    if (st == FM_OK && memcmp(commitment, want, 32) != 0)
        st = base_err_set(err, FM_E_REFUSED,
                          "the consent is not by the subject that the query asks about");
    if (st == FM_OK)
        st = base_json_get_str(&scheme, json_object_get(value, "consent"), "scheme", err);
    for (unsigned k = 0; st == FM_OK && k < q->contract.table_count; k++)
        st = check_scheme(node, &q->contract.tables[k], scheme, err);
    json_decref(value);
    return st;
}

/* The asker knows its hidden values; they must be what it committed to, or its own shares would be
 * of something else. */
static fm_status keep_values(struct node_query *q, const struct contract_opening *openings,
                             struct base_err *err)
{
    q->values = json_array();
    for (unsigned i = 0; i < q->contract.parameter_count; i++) {
        const char *value = openings[i].value;
        if (value == NULL)
            value = json_string_value(json_object_get(q->hidden, q->contract.parameters[i].name));
        if (json_array_append_new(q->values, value != NULL ? json_string(value) : json_null()) != 0)
            return base_err_memory(err, "parameters");
        if (value != NULL && q->plan != NULL) {
            struct sql_value parsed;
            if (sql_param_parse(&parsed, q->plan, i, value, err) != FM_OK)
                return err->code;
        }
    }
    return FM_OK;
}

/* What a provider's rows are asked about, it writes down before it answers, even if it refuses: a
 * refused question was asked about somebody too. The asker has kept its own. */
static fm_status keep_opening(struct node *node, const struct node_query *q, const json_t *opened,
                              struct base_err *err)
{
    json_t *kept;
    fm_status st;

    if (q->asked_here || !contract_is_provider(&q->contract, node->config.home.alias))
        return FM_OK;
    kept = node_opening_of_party(&q->contract, q->open, opened);
    st = kept != NULL ? node_opening_keep(node, q->query_hex, kept, err)
                      : base_err_memory(err, "opening");
    json_decref(kept);
    return st;
}

static fm_status take_openings(struct node *node, struct node_query *q, const json_t *json,
                               const char **rule, struct base_err *err)
{
    struct contract_opening openings[CONTRACT_MAX_PARAMETERS];
    uint8_t committed[32];
    fm_status st = base_json_get_hex(committed, 32, q->open, "parameters", err);

    *rule = "parameter.opening";
    if (st == FM_OK)
        st = contract_open_parameters(openings, &q->contract, json, node->chain_id, committed, err);
    if (st == FM_OK)
        st = keep_values(q, openings, err);
    if (st == FM_OK)
        st = keep_opening(node, q, json, err);
    if (st == FM_OK) {
        *rule = "consent.subject";
        st = check_subject(node, q, openings, json, err);
    }
    if (st == FM_E_INPUT || st == FM_E_NOT_FOUND)
        err->code = st = FM_E_REFUSED;
    return st;
}

/* A compute party of `aggregate` without its share could never end the query. */
static fm_status take_key(struct node *node, struct node_query *q, const char **rule,
                          struct base_err *err)
{
    const struct session_facts *f = session_get_facts(q->session);
    fm_status st;

    if (strcmp(q->contract.protocol, "aggregate") != 0)
        return FM_OK;
    *rule = "node.key";
    job_pooled_free(q->pooled);
    st = node_key_take(&q->pooled, node, &q->contract,
                       (f->parties[f->self].roles & SESSION_COMPUTE) != 0, err);
    if (st != FM_OK && st != FM_E_MEMORY)
        err->code = st = FM_E_REFUSED;
    return st;
}

fm_status node_prepare(struct node *node, struct node_query *q, const json_t *openings,
                       json_t **inputs, const char **rule, struct base_err *err)
{
    fm_status st = node_authority(node, q, rule, err);

    if (st == FM_OK)
        st = take_openings(node, q, openings, rule, err);
    if (st == FM_OK)
        st = take_key(node, q, rule, err);
    return st == FM_OK ? node_own_rows(node, q, inputs, rule, err) : st;
}
