/* audit.subject and audit.query: who asked about this person, and one query's whole story; from the
 * openings that this node keeps, each held against what the ledger has committed. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "exchange/node/openings.h"
#include "exchange/node/requests_own.h"
#include "ledger/proof/opening.h"

enum { ITEMS_MAX = 10000 };

static const char *text(const json_t *object, const char *name)
{
    const char *t = json_string_value(json_object_get(object, name));

    return t != NULL ? t : "";
}

/* One query, as this node and its replica know it. */
struct known {
    char query_hex[65];
    struct ledger_entry entry;                 /* query.open */
    json_t *body, *state, *contract, *opening; /* NULL: not there */
};

static void release(struct known *k)
{
    ledger_entry_release(&k->entry);
    json_decref(k->body);
    json_decref(k->state);
    json_decref(k->contract);
    json_decref(k->opening);
}

/* A value of the state, or NULL if there is none. */
static fm_status find(struct node *node, json_t **out, const char *prefix, const char *name,
                      struct base_err *err)
{
    fm_status st = node_state(node, out, err, "%s/%.64s", prefix, name);

    return st == FM_E_NOT_FOUND ? FM_OK : st;
}

static fm_status look_up(struct node *node, struct known *k, const char *query_hex,
                         struct base_err *err)
{
    json_t *tx = NULL, *value = NULL;
    uint8_t id[32];
    fm_status st;

    (void)snprintf(k->query_hex, sizeof k->query_hex, "%s", query_hex);
    if (!base_unhex(id, 32, query_hex, strlen(query_hex)))
        return base_err_set(err, FM_E_ARG, "a query's id has 64 lower-case hex digits");
    st = ledger_reader_tx(ledger_chain_reader(node->chain), &k->entry, id, err);
    if (st == FM_OK && strcmp(k->entry.type, "query.open") != 0)
        st = base_err_set(err, FM_E_NOT_FOUND, "%.12s is a %s, not a query", query_hex,
                          k->entry.type);
    if (st == FM_OK && !k->entry.erased)
        st = base_json_parse_canonical(&tx, k->entry.payload.p, k->entry.payload.len, err);
    k->body = json_incref(json_object_get(tx, "body"));
    if (st == FM_OK)
        st = find(node, &k->state, "query", query_hex, err);
    if (st == FM_OK)
        st = find(node, &value, "contract", text(k->body != NULL ? k->body : k->state, "contract"),
                  err);
    k->contract = json_incref(json_object_get(value, "contract"));
    if (st == FM_OK) {
        st = node_opening_get(node, &k->opening, query_hex, err);
        st = st == FM_E_NOT_FOUND ? FM_OK : st;
    }
    json_decref(value);
    json_decref(tx);
    return st;
}

/* ---- verdicts ---- */

/* "proved", or what is not as the ledger has it. */
static fm_status judge(struct node *node, const struct known *k, char out[BASE_ERR_TEXT],
                       struct base_err *err)
{
    struct base_err why = {0};
    fm_status st;

    (void)snprintf(out, BASE_ERR_TEXT, "proved");
    if (k->opening == NULL)
        (void)snprintf(out, BASE_ERR_TEXT,
                       "commitments only: this node keeps no opening of the query");
    else if (k->body == NULL)
        (void)snprintf(out, BASE_ERR_TEXT,
                       "not proved: the entry's payload has been erased from this replica");
    else {
        st = ledger_opening_check(k->opening, k->body, node->chain_id, &why);
        if (st != FM_OK && st != FM_E_INVALID && st != FM_E_INPUT) {
            *err = why;
            return st;
        }
        if (st != FM_OK)
            (void)snprintf(out, BASE_ERR_TEXT, "NOT proved: %.400s", why.text);
    }
    return FM_OK;
}

/* ---- consents ---- */

static const char *owner_verdict(const struct node *node, const struct known *k, size_t i,
                                 const json_t *consent)
{
    struct base_err err = {0};

    if (k->opening == NULL || consent == NULL)
        return "not shown here";
    switch (ledger_opening_check_consent(k->opening, i, consent, node->chain_id, &err)) {
    case FM_OK:
        return "proved";
    case FM_E_INVALID:
        return "NOT the subject's: another person gave it";
    default:
        return "not shown here";
    }
}

static const char *status_of(const struct node *node, const json_t *value)
{
    const json_t *consent = json_object_get(value, "consent");
    bool over = json_integer_value(json_object_get(consent, "expires")) <=
                base_clock_unix_ms(node->config.clock);

    return over && strcmp(text(value, "status"), "active") == 0 ? "expired" : text(value, "status");
}

/* Who says that it is this person's: NULL if nobody but a key does. */
static const char *attestor_of(const json_t *consent)
{
    const json_t *mandate = json_object_get(consent, "mandate");

    return json_string_value(json_object_get(mandate != NULL ? mandate : consent, "attestor"));
}

static fm_status put_consents(struct node *node, json_t *item, const struct known *k,
                              struct base_err *err)
{
    const json_t *from = json_object_get(k->body, "consents");
    json_t *list = json_array();
    fm_status st = list != NULL && json_object_set_new(item, "consents", list) == 0
                       ? FM_OK
                       : base_err_memory(err, "consents");

    for (size_t i = 0; st == FM_OK && i < json_array_size(from); i++) {
        const char *id = text(json_array_get(from, i), "consent");
        json_t *value = NULL;
        const json_t *consent;
        const char *attestor;
        st = find(node, &value, "consent", id, err);
        consent = json_object_get(value, "consent");
        attestor = attestor_of(consent);
        if (st == FM_OK &&
            json_array_append_new(
                list, json_pack("{s:s,s:s,s:s,s:s,s:s,s:I,s:s,s:s*,s:b}", "id", id, "mode",
                                text(consent, "mode"), "status", status_of(node, value), "grantee",
                                text(consent, "grantee"), "relay", text(value, "relay"), "expires",
                                (json_int_t)json_integer_value(json_object_get(consent, "expires")),
                                "subject", owner_verdict(node, k, i, consent), "attestor", attestor,
                                "self_attested",
                                (int)(attestor != NULL &&
                                      strcmp(attestor, text(consent, "grantee")) == 0))) != 0)
            st = base_err_memory(err, "consents");
        json_decref(value);
    }
    return st;
}

/* ---- one item of an answer ---- */

static const char *outcome_of(const struct known *k)
{
    if (k->entry.rule[0] != '\0')
        return "refused";
    return k->state != NULL ? text(k->state, "status") : "open";
}

static const char *rule_of(const struct known *k)
{
    return k->entry.rule[0] != '\0' ? k->entry.rule : text(k->state, "rule");
}

static json_t *parameters_of(const struct known *k)
{
    const json_t *from = json_object_get(k->opening, "parameters");
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(from); i++) {
        const json_t *p = json_array_get(from, i);
        (void)json_array_append_new(list, json_pack("{s:s,s:O*}", "name", text(p, "name"), "value",
                                                    json_object_get(p, "value")));
    }
    return list;
}

static fm_status describe(struct node *node, json_t **out, const struct known *k,
                          struct base_err *err)
{
    char verdict[BASE_ERR_TEXT];
    fm_status st = judge(node, k, verdict, err);
    json_t *item;

    *out = NULL;
    if (st != FM_OK)
        return st;
    item = json_pack(
        "{s:s,s:I,s:I,s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:O*,s:O*,s:O*}", "query",
        k->query_hex, "leaf", (json_int_t)k->entry.leaf, "height", (json_int_t)k->entry.height,
        "time", (json_int_t)k->entry.time_ms, "asker", k->entry.alias, "contract",
        text(k->body, "contract"), "name", text(k->contract, "name"), "purpose",
        text(k->contract, "purpose"), "outcome", outcome_of(k), "rule", rule_of(k), "party",
        text(k->state, "party"), "verdict", verdict, "parameters", parameters_of(k), "requester",
        json_object_get(k->opening, "requester"), "ticket", json_object_get(k->opening, "ticket"),
        "receipts", json_object_get(k->state, "receipts"));
    if (item == NULL)
        return base_err_memory(err, "audit");
    st = put_consents(node, item, k, err);
    if (st == FM_OK)
        *out = item;
    else
        json_decref(item);
    return st;
}

/* ---- the signed statement ---- */

static bool is_proved(const json_t *item)
{
    return strcmp(text(item, "verdict"), "proved") == 0;
}

static fm_status add_to_statement(json_t *queries, const struct known *k, struct base_err *err)
{
    const char *rule = rule_of(k);

    return json_array_append_new(queries, json_pack("{s:s,s:O,s:s,s:s*}", "query", k->query_hex,
                                                    "opening", k->opening, "outcome", outcome_of(k),
                                                    "rule", rule[0] != '\0' ? rule : NULL)) == 0
               ? FM_OK
               : base_err_memory(err, "statement");
}

/* queries is used up. */
static fm_status sign_statement(struct node *node, json_t **out, json_t *queries,
                                const char *subject, struct base_err *err)
{
    struct ledger_head head;
    json_t *proof = NULL, *s = NULL;
    fm_status st = ledger_reader_head(ledger_chain_reader(node->chain), &head, err);

    if (st == FM_OK) {
        s = json_pack("{s:s,s:s,s:s,s:I,s:I,s:s*,s:O}", "type", "FirmianaStatement", "chain",
                      node->chain_hex, "member", node->config.home.alias, "made",
                      (json_int_t)base_clock_unix_ms(node->config.clock), "size",
                      (json_int_t)head.log_size, "subject", subject, "queries", queries);
        st = s != NULL ? node_prove(node, s, &proof, err) : base_err_memory(err, "statement");
    }
    if (st == FM_OK && json_object_set_new(s, "proof", proof) != 0)
        st = base_err_memory(err, "statement");
    json_decref(queries);
    if (st == FM_OK)
        *out = s;
    else
        json_decref(s);
    return st;
}

/* ---- audit.subject ---- */

struct search {
    struct node *node;
    const char *subject;
    json_t *ids;
};

static fm_status take_id(void *ctx, const char *name, long long at_ms, struct base_err *err)
{
    struct search *s = ctx;

    (void)at_ms;
    if (json_array_size(s->ids) == ITEMS_MAX)
        return base_err_set(err, FM_E_LIMIT, "more than %d queries are about this subject",
                            ITEMS_MAX);
    return json_array_append_new(s->ids, json_string(name)) == 0 ? FM_OK
                                                                 : base_err_memory(err, "audit");
}

/* Is the value that of a parameter by which the contract means a person? Where the contract is
 * not known (the ledger refused the query for that) any parameter may be one. */
static bool is_about(const struct known *k, const char *subject)
{
    const json_t *kept = json_object_get(k->opening, "parameters");
    const json_t *declared = json_object_get(k->contract, "parameters");

    for (size_t i = 0; i < json_array_size(kept); i++)
        if (strcmp(text(json_array_get(kept, i), "value"), subject) == 0 &&
            (k->contract == NULL ||
             json_is_true(json_object_get(json_array_get(declared, i), "subject"))))
            return true;
    return false;
}

static fm_status answer_one(struct search *s, const char *id, json_t *items, json_t *queries,
                            struct base_err *err)
{
    struct known k = {.body = NULL};
    json_t *item = NULL;
    fm_status st = look_up(s->node, &k, id, err);

    if (st == FM_E_NOT_FOUND) /* kept, but it never reached the ledger: nobody was asked */
        st = FM_OK;
    else if (st == FM_OK && is_about(&k, s->subject)) {
        st = describe(s->node, &item, &k, err);
        if (st == FM_OK && is_proved(item))
            st = add_to_statement(queries, &k, err);
        if (st == FM_OK && json_array_append(items, item) != 0)
            st = base_err_memory(err, "audit");
    }
    json_decref(item);
    release(&k);
    return st;
}

void node_request_audit_subject(struct node *node, const json_t *request,
                                const struct node_reply *reply)
{
    struct search s = {node, NULL, json_array()};
    json_t *items = json_array(), *queries = json_array(), *statement = NULL;
    struct base_err err = {0};
    fm_status st = base_json_get_str(&s.subject, request, "identifier", &err);

    if (st == FM_OK && (s.subject[0] == '\0' || strlen(s.subject) > 256))
        st = base_err_set(&err, FM_E_ARG, "an identifier has 1 to 256 bytes");
    if (st == FM_OK)
        st = node_sealed_list(node->started, OPENING_KIND, s.subject, take_id, &s, &err);
    for (size_t i = 0; st == FM_OK && i < json_array_size(s.ids); i++)
        st = answer_one(&s, json_string_value(json_array_get(s.ids, i)), items, queries, &err);
    if (st == FM_OK)
        st = sign_statement(node, &statement, json_incref(queries), s.subject, &err);
    if (st == FM_OK)
        node_reply_value(reply, json_pack("{s:s,s:s,s:I,s:O,s:O}", "alias", node->config.home.alias,
                                          "subject", s.subject, "final_height",
                                          (json_int_t)node->final_height, "queries", items,
                                          "statement", statement));
    else
        node_reply_error(reply, &err);
    json_decref(statement);
    json_decref(queries);
    json_decref(items);
    json_decref(s.ids);
}

/* ---- audit.query ---- */

struct prefix {
    const char *digits;
    char id[65];
    unsigned found;
};

static fm_status match(void *ctx, const char *key, const json_t *value, struct base_err *err)
{
    struct prefix *p = ctx;

    (void)value;
    (void)err;
    (void)snprintf(p->id, sizeof p->id, "%s", key + strlen("query/"));
    p->found++;
    return FM_OK;
}

/* Refused ones are not in the state: they are named by all 64 digits. */
fm_status node_query_full_id(struct node *node, char out[65], const char *digits,
                             struct base_err *err)
{
    struct prefix p = {digits, "", 0};
    char key[16 + 65];
    fm_status st;

    if (strlen(digits) < 8 || strlen(digits) > 64 ||
        strspn(digits, "0123456789abcdef") != strlen(digits))
        return base_err_set(err, FM_E_ARG,
                            "a query is named by its id: 8 to 64 lower-case hex digits");
    (void)snprintf(out, 65, "%s", digits);
    if (strlen(digits) == 64)
        return FM_OK;
    (void)snprintf(key, sizeof key, "query/%s", digits);
    st = ledger_reader_list(ledger_chain_reader(node->chain), key, match, &p, err);
    if (st == FM_OK && p.found != 1)
        st = base_err_set(err, p.found == 0 ? FM_E_NOT_FOUND : FM_E_ARG,
                          "%s query on the ledger begins with %s", p.found == 0 ? "no" : "not one",
                          digits);
    memcpy(out, p.id, 65);
    return st;
}

/* Each provider's authorization, as it stands. */
static fm_status put_authorizations(struct node *node, json_t *item, const struct known *k,
                                    struct base_err *err)
{
    const json_t *tables = json_object_get(k->contract, "tables");
    json_t *list = json_object();
    fm_status st = list != NULL && json_object_set_new(item, "authorizations", list) == 0
                       ? FM_OK
                       : base_err_memory(err, "audit");

    for (size_t i = 0; st == FM_OK && i < json_array_size(tables); i++) {
        const char *provider = text(json_array_get(tables, i), "provider");
        json_t *value = NULL;
        st = node_state(node, &value, err, "authorization/%.64s/%.32s", text(k->body, "contract"),
                        provider);
        st = st == FM_E_NOT_FOUND ? FM_OK : st;
        if (st == FM_OK && value != NULL && json_object_set(list, provider, value) != 0)
            st = base_err_memory(err, "audit");
        json_decref(value);
    }
    return st;
}

void node_request_audit_query(struct node *node, const json_t *request,
                              const struct node_reply *reply)
{
    json_t *item = NULL, *queries = json_array(), *statement = NULL;
    struct known k = {.body = NULL};
    struct base_err err = {0};
    const char *digits;
    char id[65];
    fm_status st = base_json_get_str(&digits, request, "query", &err);

    if (st == FM_OK)
        st = node_query_full_id(node, id, digits, &err);
    if (st == FM_OK)
        st = look_up(node, &k, id, &err);
    if (st == FM_OK)
        st = describe(node, &item, &k, &err);
    if (st == FM_OK)
        st = put_authorizations(node, item, &k, &err);
    if (st == FM_OK && is_proved(item))
        st = add_to_statement(queries, &k, &err);
    if (st == FM_OK)
        st = sign_statement(node, &statement, json_incref(queries), NULL, &err);
    if (st == FM_OK)
        node_reply_value(reply, json_pack("{s:s,s:I,s:[O],s:O}", "alias", node->config.home.alias,
                                          "final_height", (json_int_t)node->final_height, "queries",
                                          item, "statement", statement));
    else
        node_reply_error(reply, &err);
    json_decref(statement);
    json_decref(queries);
    json_decref(item);
    release(&k);
}
