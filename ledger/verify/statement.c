#include "ledger/verify/statement.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/json.h"
#include "ledger/proof/inner.h"
#include "ledger/proof/opening.h"
#include "ledger/proof/shape.h"

#define QUERIES_MAX 100000

struct ledger_statement {
    json_t *json;
    json_t *by_query; /* id -> item of "queries", until it is seen */
    json_t
        *consents; /* id -> the inner document, of those that an opening names; null until seen */
    uint8_t chain[32];
    size_t shown; /* consents shown to be the subject's */
};

static const struct ledger_member statement_members[] = {
    {"type", LEDGER_IS_TEXT, false},     {"chain", LEDGER_IS_HASH, false},
    {"member", LEDGER_IS_ALIAS, false},  {"made", LEDGER_IS_NUMBER, false},
    {"size", LEDGER_IS_COUNT, false},    {"subject", LEDGER_IS_TEXT, true},
    {"queries", LEDGER_IS_ARRAY, false}, {"proof", LEDGER_IS_OBJECT, false},
    {NULL, LEDGER_IS_OBJECT, false},
};
static const struct ledger_member query_members[] = {
    {"query", LEDGER_IS_HASH, false},   {"opening", LEDGER_IS_OBJECT, false},
    {"outcome", LEDGER_IS_NAME, false}, {"rule", LEDGER_IS_TEXT, true},
    {NULL, LEDGER_IS_OBJECT, false},
};

static const char *text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* ---- reading ---- */

static bool names_subject(const json_t *opening, const char *subject)
{
    const json_t *list = json_object_get(opening, "parameters");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *value = text(json_array_get(list, i), "value");
        if (value != NULL && strcmp(value, subject) == 0)
            return true;
    }
    return false;
}

static fm_status take_query(struct ledger_statement *s, json_t *item, struct base_err *err)
{
    const json_t *opening = json_object_get(item, "opening");
    const json_t *consents = json_object_get(opening, "consents");
    const char *subject = text(s->json, "subject"), *id = text(item, "query");

    if (json_object_get(s->by_query, id) != NULL)
        return base_err_set(err, FM_E_INPUT, "query %.12s stands in it twice", id);
    if (subject != NULL && !names_subject(opening, subject))
        return base_err_set(err, FM_E_INPUT, "query %.12s has no parameter that is the subject",
                            id);
    if (json_object_set(s->by_query, id, item) != 0)
        return base_err_memory(err, "statement");
    for (size_t i = 0; i < json_array_size(consents); i++) {
        const char *consent = text(json_array_get(consents, i), "consent");
        if (consent == NULL)
            return base_err_set(err, FM_E_INPUT, "query %.12s: a consent without id", id);
        if (json_object_set_new(s->consents, consent, json_null()) != 0)
            return base_err_memory(err, "statement");
    }
    return FM_OK;
}

static fm_status read_all(struct ledger_statement *s, struct base_err *err)
{
    const json_t *queries = json_object_get(s->json, "queries");
    fm_status st = ledger_shape_check(s->json, statement_members, err);

    if (st == FM_OK && strcmp(text(s->json, "type"), "FirmianaStatement") != 0)
        st = base_err_set(err, FM_E_INPUT, "member 'type' must be 'FirmianaStatement'");
    if (st == FM_OK)
        st = base_json_get_hex(s->chain, 32, s->json, "chain", err);
    if (st == FM_OK)
        st = ledger_shape_check_items(queries, "queries", QUERIES_MAX, query_members, err);
    for (size_t i = 0; st == FM_OK && i < json_array_size(queries); i++)
        st = take_query(s, json_array_get(queries, i), err);
    return st;
}

fm_status ledger_statement_new(struct ledger_statement **out, json_t *json, struct base_err *err)
{
    struct ledger_statement *s = calloc(1, sizeof *s);
    fm_status st;

    *out = NULL;
    if (s == NULL)
        return base_err_memory(err, "statement");
    s->json = json_incref(json);
    s->by_query = json_object();
    s->consents = json_object();
    st = s->by_query != NULL && s->consents != NULL ? read_all(s, err)
                                                    : base_err_memory(err, "statement");
    if (st != FM_OK) {
        ledger_statement_free(s);
        return base_err_prefix(err, "statement");
    }
    *out = s;
    return FM_OK;
}

void ledger_statement_free(struct ledger_statement *s)
{
    if (s == NULL)
        return;
    json_decref(s->json);
    json_decref(s->by_query);
    json_decref(s->consents);
    free(s);
}

const json_t *ledger_statement_json(const struct ledger_statement *s)
{
    return s->json;
}

const char *ledger_statement_member(const struct ledger_statement *s)
{
    return text(s->json, "member");
}

const char *ledger_statement_subject(const struct ledger_statement *s)
{
    return text(s->json, "subject");
}

uint64_t ledger_statement_size(const struct ledger_statement *s)
{
    return (uint64_t)json_integer_value(json_object_get(s->json, "size"));
}

size_t ledger_statement_count(const struct ledger_statement *s)
{
    return json_array_size(json_object_get(s->json, "queries"));
}

size_t ledger_statement_consents(const struct ledger_statement *s)
{
    return s->shown;
}

/* ---- the log ---- */

static fm_status see_consent(struct ledger_statement *s, const struct ledger_tx *tx,
                             struct base_err *err)
{
    json_t *inner = json_object_get(tx->body, "consent");
    uint8_t id32[32];
    char id[65];
    fm_status st = ledger_tx_id(id32, inner, err);

    base_hex(id, id32, 32);
    if (st == FM_OK && json_object_get(s->consents, id) != NULL &&
        json_object_set(s->consents, id, inner) != 0)
        st = base_err_memory(err, "statement");
    return st;
}

/* The consents that an accepted query used: each of them was on the log before it. */
static fm_status check_consents(struct ledger_statement *s, const json_t *opening,
                                struct base_err *err)
{
    const json_t *list = json_object_get(opening, "consents");

    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const json_t *consent = json_object_get(s->consents, text(item, "consent"));
        fm_status st;
        if (text(item, "nonce") == NULL || !json_is_object(consent))
            continue; /* not shown by whoever kept it, or not disclosed by the bundle */
        st = ledger_opening_check_consent(opening, i, consent, s->chain, err);
        if (st == FM_OK)
            s->shown++;
        else if (st != FM_E_NOT_FOUND)
            return st;
    }
    return FM_OK;
}

static fm_status see_open(struct ledger_statement *s, const struct ledger_tx *tx, const char *id,
                          const json_t *item, enum ledger_rule rule, struct base_err *err)
{
    const json_t *opening = json_object_get(item, "opening");
    const char *said = text(item, "rule");
    fm_status st = ledger_opening_check(opening, tx->body, s->chain, err);

    if (st == FM_OK && rule == LEDGER_RULE_OK)
        st = check_consents(s, opening, err);
    if (st == FM_OK && rule != LEDGER_RULE_OK &&
        (strcmp(text(item, "outcome"), "refused") != 0 || said == NULL ||
         strcmp(said, ledger_rule_code(rule)) != 0))
        st = base_err_set(err, FM_E_INVALID, "the ledger refused it by %s", ledger_rule_code(rule));
    /* A refused one has ended; an accepted one is looked at again when the log has its size. */
    if (st == FM_OK && (rule == LEDGER_RULE_OK ? json_object_set_new(s->by_query, id, json_true())
                                               : json_object_del(s->by_query, id)) != 0)
        st = base_err_memory(err, "statement");
    return st == FM_OK ? FM_OK : base_err_prefix(err, "query %.12s", id);
}

fm_status ledger_statement_see(struct ledger_statement *s, const struct ledger_tx *tx,
                               enum ledger_rule rule, struct base_err *err)
{
    const json_t *item;
    char id[65];

    if (tx->type == LEDGER_TX_CONSENT_GRANT && rule == LEDGER_RULE_OK)
        return see_consent(s, tx, err);
    if (tx->type != LEDGER_TX_QUERY_OPEN)
        return FM_OK;
    base_hex(id, tx->id, 32);
    item = json_object_get(s->by_query, id);
    return json_is_object(item) ? see_open(s, tx, id, item, rule, err) : FM_OK;
}

/* ---- the end ---- */

static fm_status check_signer(const struct ledger_statement *s,
                              const struct ledger_members *members, struct base_err *err)
{
    const struct ledger_identity *member =
        ledger_members_by_alias(members, text(s->json, "member"));
    struct did_resolver resolver;
    struct did_proof proof;

    if (member == NULL)
        return base_err_set(err, FM_E_INVALID, "%s is no member", text(s->json, "member"));
    resolver = did_document_resolver(member->doc);
    return did_proof_verify(&proof, s->json, DID_ROLE_ASSERTION,
                            ledger_members_terms(members)->rules_version, &resolver, err);
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

fm_status ledger_statement_settle(struct ledger_statement *s, const uint8_t chain32[32],
                                  const struct ledger_members *members,
                                  fm_status (*end)(void *ctx, struct ledger_statement_end *out,
                                                   const uint8_t query32[32], struct base_err *err),
                                  void *ctx, struct base_err *err)
{
    const json_t *queries = json_object_get(s->json, "queries");
    fm_status st = check_signer(s, members, err);

    if (st == FM_OK && memcmp(chain32, s->chain, 32) != 0)
        st = base_err_set(err, FM_E_INVALID, "it is about another ledger");
    for (size_t i = 0; st == FM_OK && i < json_array_size(queries); i++) {
        const json_t *item = json_array_get(queries, i), *seen;
        const char *id = text(item, "query");
        struct ledger_statement_end is = {0};
        uint8_t query[32];
        seen = json_object_get(s->by_query, id);
        if (seen == NULL) /* refused by the ledger, and said so */
            continue;
        st = base_json_get_hex(query, 32, item, "query", err);
        if (st == FM_OK && !json_is_true(seen))
            st = base_err_set(err, FM_E_INVALID,
                              "query %.12s is not on the log up to there, or not disclosed", id);
        if (st == FM_OK)
            st = end(ctx, &is, query, err);
        if (st == FM_OK && (!same_text(is.outcome, text(item, "outcome")) ||
                            !same_text(is.rule, text(item, "rule"))))
            st = base_err_set(err, FM_E_INVALID, "query %.12s stands at %s%s%s there, not at %s",
                              id, is.outcome, is.rule != NULL ? " " : "",
                              is.rule != NULL ? is.rule : "", text(item, "outcome"));
    }
    return st;
}
