#include "exchange/wallet/history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ledger/proof/inner.h"
#include "ledger/proof/tx.h"

enum { LEAF_TEXT = 17 };

fm_status wallet_history_begin(struct wallet_history *h, struct wallet *w, struct base_err *err)
{
    *h = (struct wallet_history){.told = json_object(), .events = json_object()};
    return h->told != NULL && h->events != NULL ? wallet_search_begin(&h->search, w, err)
                                                : base_err_memory(err, "history");
}

void wallet_history_release(struct wallet_history *h)
{
    wallet_search_release(&h->search);
    json_decref(h->told);
    json_decref(h->events);
    h->told = h->events = NULL;
}

/* ---- statements ---- */

static bool is_owner(const struct wallet *w, const char *subject)
{
    const json_t *record;
    size_t i;

    json_array_foreach(wallet_list(w, "consents"), i,
                       record) if (strcmp(wallet_text(record, "identifier"), subject) ==
                                   0) return true;
    return false;
}

fm_status wallet_history_hear(struct wallet_history *h, const struct ledger_statement *statement,
                              const char *identifier, struct base_err *err)
{
    const json_t *queries = json_object_get(ledger_statement_json(statement), "queries"), *item;
    const char *subject = ledger_statement_subject(statement);
    size_t i;

    if (subject == NULL || !((identifier != NULL && strcmp(identifier, subject) == 0) ||
                             is_owner(h->search.w, subject)))
        return base_err_set(err, FM_E_INVALID,
                            "the statement is not about an identifier that the wallet's consents "
                            "name, nor the one given");
    json_array_foreach(queries, i, item)
    {
        const char *id = wallet_text(item, "query");
        const json_t *opening = json_object_get(item, "opening");
        json_t *list = json_object_get(h->told, id);
        if (list == NULL &&
            ((list = json_array()) == NULL || json_object_set_new(h->told, id, list) != 0))
            return base_err_memory(err, "history");
        if (json_array_append_new(list, json_pack("{s:s,s:O*,s:O*}", "member",
                                                  ledger_statement_member(statement), "requester",
                                                  json_object_get(opening, "requester"), "ticket",
                                                  json_object_get(opening, "ticket"))) != 0)
            return base_err_memory(err, "history");
    }
    return FM_OK;
}

/* ---- trails ---- */

struct reading {
    struct wallet_history *h;
    const struct ledger_verified *report;
};

static const json_t *record_of(const struct wallet_history *h, const char *id)
{
    const json_t *record;
    size_t i;

    json_array_foreach(wallet_list(h->search.w, "consents"), i,
                       record) if (strcmp(wallet_text(record, "id"), id) == 0) return record;
    return NULL;
}

/* Two trails of one ledger have the same entry at a leaf. */
static fm_status put(struct wallet_history *h, json_t *event, const struct wallet_entry *e,
                     struct base_err *err)
{
    char at[LEAF_TEXT], id[65];
    const json_t *before;
    uint8_t id32[32];
    fm_status st = event != NULL ? ledger_tx_id(id32, e->tx, err) : base_err_memory(err, "history");

    if (st != FM_OK) {
        json_decref(event);
        return st;
    }
    (void)snprintf(at, sizeof at, "%016llx", (unsigned long long)e->leaf);
    base_hex(id, id32, 32);
    before = json_object_get(h->events, at);
    if (before != NULL && strcmp(wallet_text(before, "id"), id) != 0)
        st = base_err_set(err, FM_E_INVALID,
                          "leaf %llu is not what it is in a trail before: keep both as evidence "
                          "that members signed two histories",
                          (unsigned long long)e->leaf);
    if (st == FM_OK &&
        (json_object_set_new(event, "id", json_string(id)) != 0 ||
         json_object_set_new(event, "leaf", json_integer((json_int_t)e->leaf)) != 0 ||
         json_object_set_new(event, "height", json_integer((json_int_t)e->height)) != 0 ||
         json_object_set_new(event, "time", json_integer(e->time_ms)) != 0 ||
         json_object_set(h->events, at, event) != 0))
        st = base_err_memory(err, "history");
    json_decref(event);
    return st;
}

static const char *outcome_of(const struct ledger_verified_query *q)
{
    if (q == NULL || !q->closed)
        return "open";
    return q->outcome == LEDGER_RECEIPT_DONE ? "answered" : ledger_receipt_outcome_name(q->outcome);
}

static const struct ledger_verified_query *query_of(const struct ledger_verified *report,
                                                    const uint8_t id32[32])
{
    for (size_t i = 0; i < report->n_queries; i++)
        if (memcmp(report->queries[i].id, id32, 32) == 0)
            return &report->queries[i];
    return NULL;
}

static const struct ledger_verified_contract *contract_of(const struct ledger_verified *report,
                                                          const char *hex)
{
    uint8_t id[32];

    if (!base_unhex(id, 32, hex, strlen(hex)))
        return NULL;
    for (size_t i = 0; i < report->n_contracts; i++)
        if (memcmp(report->contracts[i].id, id, 32) == 0)
            return &report->contracts[i];
    return NULL;
}

/* A consent of this wallet that the query names; "" if none. */
static const char *consent_of(const struct wallet_history *h, const json_t *body)
{
    const json_t *use;
    size_t i;

    json_array_foreach(json_object_get(body, "consents"), i,
                       use) if (record_of(h, wallet_text(use, "consent")) !=
                                NULL) return wallet_text(use, "consent");
    return "";
}

static fm_status asked(const struct reading *r, const struct wallet_entry *e, struct base_err *err)
{
    const json_t *body = json_object_get(e->tx, "body"), *told;
    const char *consent = consent_of(r->h, body), *hex = wallet_text(body, "contract");
    const struct ledger_verified_contract *contract = contract_of(r->report, hex);
    const struct ledger_identity *asker =
        ledger_members_by_did(r->report->members, wallet_text(e->tx, "sender"));
    const struct ledger_verified_query *q;
    uint8_t id32[32];
    char id[65];
    fm_status st = ledger_tx_id(id32, e->tx, err);

    base_hex(id, id32, 32);
    told = json_object_get(r->h->told, id);
    if (st != FM_OK || (consent[0] == '\0' && told == NULL))
        return st;
    q = e->rule == NULL ? query_of(r->report, id32) : NULL;
    return put(r->h,
               json_pack("{s:s,s:s*,s:s,s:s,s:s,s:s*,s:s*,s:s,s:s*,s:s*,s:o*,s:O*}", "what",
                         "asked", "consent", consent[0] != '\0' ? consent : NULL, "member",
                         asker != NULL ? asker->alias : wallet_text(e->tx, "sender"), "query", id,
                         "contract", hex, "name", contract != NULL ? contract->name : NULL,
                         "purpose", contract != NULL ? contract->purpose : NULL, "outcome",
                         e->rule != NULL ? "refused" : outcome_of(q), "rule",
                         e->rule != NULL ? e->rule
                         : q != NULL     ? q->rule
                                         : NULL,
                         "party", q != NULL ? q->party : NULL, "closed",
                         q != NULL && q->closed ? json_integer(q->closed_ms) : NULL, "told", told),
               e, err);
}

static fm_status changed(struct wallet_history *h, const char *what, const json_t *record,
                         const struct wallet_entry *e, struct base_err *err)
{
    return put(h,
               json_pack("{s:s,s:s,s:s}", "what", what, "consent", wallet_text(record, "id"),
                         "member", wallet_text(json_object_get(record, "consent"), "grantee")),
               e, err);
}

static fm_status see(void *ctx, const struct wallet_entry *e, struct base_err *err)
{
    const char *type = wallet_text(e->tx, "type");
    const json_t *body = json_object_get(e->tx, "body"), *mine;
    struct reading *r = ctx;
    json_t *record = NULL;
    fm_status st;

    if (strcmp(type, "query.open") == 0)
        return asked(r, e, err);
    if (e->rule != NULL)
        return FM_OK;
    if (strcmp(type, "consent.grant") == 0) {
        st = wallet_search_consent(&record, &r->h->search, json_object_get(body, "consent"), err);
        return st == FM_OK && record != NULL ? changed(r->h, "granted", record, e, err) : st;
    }
    if (strcmp(type, "consent.revoke") != 0)
        return FM_OK;
    mine = record_of(r->h, wallet_text(json_object_get(body, "revocation"), "consent"));
    return mine != NULL ? changed(r->h, "withdrawn", mine, e, err) : FM_OK;
}

fm_status wallet_history_read(struct wallet_history *h, const struct ledger_bundle_source *source,
                              const struct ledger_verified *report, struct base_err *err)
{
    struct reading r = {h, report};

    return wallet_trail_walk(source, see, &r, err);
}

/* ---- in order ---- */

static int by_leaf(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

fm_status wallet_history_events(json_t **out, const struct wallet_history *h, struct base_err *err)
{
    size_t n = json_object_size(h->events), i = 0;
    const char **keys = calloc(n + 1, sizeof *keys), *key;
    fm_status st = FM_OK;
    json_t *event;

    *out = json_array();
    if (keys == NULL || *out == NULL)
        st = base_err_memory(err, "history");
    if (st == FM_OK) {
        json_object_foreach(h->events, key, event) keys[i++] = key;
        qsort(keys, n, sizeof *keys, by_leaf);
    }
    for (i = 0; st == FM_OK && i < n; i++)
        if (json_array_append(*out, json_object_get(h->events, keys[i])) != 0)
            st = base_err_memory(err, "history");
    free(keys);
    return st;
}
