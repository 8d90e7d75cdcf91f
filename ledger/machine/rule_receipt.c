/* query.close and query.receipt: what became of a query, signed by those who took part (design.md
 * section 6.5).
 *
 *   open --query.close--> done | refused | aborted     (once; by the asker alone)
 *   any  --query.receipt--> the same status, one more party has filed
 *
 * Giving a consent's use back. It is not enough that the asker says that nothing was shared:
 * whoever has the answer would say so too. The use comes back when the asker's close, of a query
 * that is not done, says shared = false, no receipt before said otherwise, and either
 *   - every provider has proved it: who would have sent shares did not; or
 *   - every compute party has proved it: who would have received them has not, and never will,
 * since a node that signs this never starts the query; a share that reached one of them against its
 *     word says nothing without the others'.
 * Proofs count from the close and from the parties' own receipts, before it and after it: a node
 * that was dead when the query ended files its receipt when it comes back, and a provider that
 * never comes back takes no use with it. `unshared` lists who has proved it, `shared` that somebody
 * said otherwise; both only of queries that took a consent's use. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ledger/machine/machine_rule.h"
#include "ledger/proof/inner.h"

/* A receipt with all that it is about. */
struct matter {
    const json_t *inner;
    struct ledger_receipt receipt;
    char query_id[LEDGER_HASH_TEXT];
    const json_t *query;
    const json_t *contract;
    struct ledger_parties parties;
    bool signed_by[LEDGER_PARTIES_MAX]; /* by place in parties */
};

static fm_status find_query(struct ledger_context *c, struct matter *m, struct base_err *err)
{
    fm_status st;

    m->inner = json_object_get(c->body, "receipt");
    st = ledger_receipt_parse(&m->receipt, m->inner, err);
    if (st != FM_OK)
        return ledger_refuse_as(c, LEDGER_RULE_QUERY_RECEIPT, err);
    base_hex(m->query_id, m->receipt.query, sizeof m->receipt.query);
    st = ledger_state_get(c, &m->query, "query", m->query_id, err);
    if (st != FM_OK)
        return st;
    if (m->query == NULL)
        return ledger_refuse(c, LEDGER_RULE_QUERY_UNKNOWN, err, "there is no query %s",
                             m->query_id);
    st = ledger_contract_get(c, &m->contract, ledger_text(m->query, "contract"), err);
    if (st == FM_OK && (m->contract == NULL || !ledger_parties_of(&m->parties, m->contract)))
        st = base_err_set(err, FM_E_CORRUPT, "query %s: its contract is not in the state",
                          m->query_id);
    return st;
}

/* What the receipt says about the query must be what the ledger knows of it. */
static fm_status check_match(struct ledger_context *c, const struct matter *m, struct base_err *err)
{
    char plan_hash[LEDGER_HASH_TEXT];

    base_hex(plan_hash, m->receipt.plan_hash, sizeof m->receipt.plan_hash);
    if (memcmp(m->receipt.chain, c->chain, 32) != 0)
        return ledger_refuse(c, LEDGER_RULE_QUERY_RECEIPT, err,
                             "the receipt is for another ledger");
    if (!ledger_text_is(m->contract, "plan_hash", plan_hash))
        return ledger_refuse(c, LEDGER_RULE_QUERY_RECEIPT, err,
                             "plan_hash is not that of the contract");
    if (!ledger_text_is(m->contract, "protocol", m->receipt.protocol))
        return ledger_refuse(c, LEDGER_RULE_QUERY_RECEIPT, err,
                             "protocol is not that of the contract");
    if (m->receipt.party != NULL && ledger_parties_find(&m->parties, m->receipt.party) == 0)
        return ledger_refuse(c, LEDGER_RULE_QUERY_RECEIPT, err, "%s is no party of the query",
                             m->receipt.party);
    return FM_OK;
}

/* ---- who signed ---- */

static fm_status resolve_member(void *ctx, struct did_key *out, const char *method,
                                enum did_role role, struct base_err *err)
{
    struct ledger_context *c = ctx;
    char did[DID_METHOD_TEXT];
    const struct did_document *document;
    fm_status st;

    if (!did_method_split(did, method) || strlen(did) >= DID_FIRMIANA_TEXT)
        return base_err_set(err, FM_E_AUTH, "%s names no member's key", method);
    st = ledger_document_get(c, &document, did, err);
    if (st != FM_OK)
        return st;
    if (document == NULL)
        return base_err_set(err, FM_E_AUTH, "%s is no member", did);
    return did_document_key(document, out, role, method, err);
}

/* Verifies the receipt's proofs and marks the parties whose they are. */
static fm_status find_signers(struct ledger_context *c, struct matter *m, struct base_err *err)
{
    struct did_proof *signers = calloc(DID_PROOF_SET_MAX, sizeof *signers);
    struct did_resolver resolver = {resolve_member, c};
    size_t i, k, n = 0;
    fm_status st;

    if (signers == NULL)
        return base_err_memory(err, "receipt");
    st = ledger_receipt_verify(signers, &n, m->inner, c->rules_version, &resolver, err);
    if (st != FM_OK)
        st = ledger_refuse_as(c, LEDGER_RULE_QUERY_RECEIPT_PROOF, err);
    for (i = 0; st == FM_OK && i < n; i++) {
        char did[DID_METHOD_TEXT] = "";
        const struct did_document *document = NULL;
        const char *alias = "";

        if (did_method_split(did, signers[i].method))
            st = ledger_document_get(c, &document, did, err);
        if (document != NULL)
            alias = did_document_alias(document);
        for (k = 0; k < m->parties.count && strcmp(m->parties.who[k].alias, alias) != 0; k++)
            ;
        if (st == FM_OK && k == m->parties.count)
            st = ledger_refuse(c, LEDGER_RULE_QUERY_PARTY, err, "%s is no party of the query",
                               alias);
        else if (st == FM_OK)
            m->signed_by[k] = true;
    }
    free(signers);
    return st;
}

/* True if every party that is one of `kinds` signed; else *missing is one that did not. */
static bool all_signed(const struct matter *m, unsigned kinds, const char **missing)
{
    size_t i;

    for (i = 0; i < m->parties.count; i++) {
        if ((m->parties.who[i].is & kinds) != 0 && !m->signed_by[i]) {
            *missing = m->parties.who[i].alias;
            return false;
        }
    }
    return true;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The query's receipts, with those who signed this one, sorted. */
static json_t *receipts_with_signers(const struct matter *m)
{
    const json_t *before = json_object_get(m->query, "receipts");
    const char *names[LEDGER_PARTIES_MAX];
    json_t *after = json_array();
    size_t i, n = 0;

    for (i = 0; i < m->parties.count; i++)
        if (m->signed_by[i] || ledger_names_has(before, m->parties.who[i].alias))
            names[n++] = m->parties.who[i].alias;
    qsort(names, n, sizeof names[0], compare_texts);
    for (i = 0; i < n; i++) {
        if (json_array_append_new(after, json_string(names[i])) != 0) {
            json_decref(after);
            return NULL;
        }
    }
    return after;
}

/* ---- what is said of sharing ---- */

static bool says_unshared(const struct matter *m)
{
    return m->receipt.outcome != LEDGER_RECEIPT_DONE && !m->receipt.shared;
}

/* Has this party proved, here or before, that it shared nothing? */
static bool unshared_has(const struct matter *m, const char *alias)
{
    size_t i;

    for (i = 0; i < m->parties.count; i++)
        if (strcmp(m->parties.who[i].alias, alias) == 0 && m->signed_by[i] && says_unshared(m))
            return true;
    return ledger_names_has(json_object_get(m->query, "unshared"), alias);
}

static bool all_unshared(const struct matter *m, unsigned kind)
{
    size_t i;

    for (i = 0; i < m->parties.count; i++)
        if ((m->parties.who[i].is & kind) != 0 && !unshared_has(m, m->parties.who[i].alias))
            return false;
    return true;
}

static bool nothing_was_shared(const struct matter *m)
{
    return json_object_get(m->query, "shared") == NULL &&
           (all_unshared(m, LEDGER_PARTY_PROVIDER) || all_unshared(m, LEDGER_PARTY_COMPUTE));
}

static json_t *unshared_names(const struct matter *m)
{
    const char *names[LEDGER_PARTIES_MAX];
    json_t *list = json_array();
    size_t i, n = 0;

    for (i = 0; i < m->parties.count; i++)
        if (unshared_has(m, m->parties.who[i].alias))
            names[n++] = m->parties.who[i].alias;
    qsort(names, n, sizeof names[0], compare_texts);
    for (i = 0; i < n; i++) {
        if (json_array_append_new(list, json_string(names[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* A copy of the query with the receipts filed; NULL when memory is out. */
static json_t *query_with_receipts(const struct matter *m)
{
    json_t *copy = json_copy((json_t *)(uintptr_t)m->query);

    if (copy != NULL && json_object_set_new(copy, "receipts", receipts_with_signers(m)) != 0) {
        json_decref(copy);
        copy = NULL;
    }
    return copy;
}

/* The same, with what was said of sharing, where a consent's use hangs on it. */
static json_t *query_with_statements(const struct matter *m)
{
    json_t *copy = query_with_receipts(m);
    bool failed = false;

    if (copy == NULL || json_array_size(json_object_get(m->query, "consents")) == 0)
        return copy;
    if (says_unshared(m))
        failed = json_object_set_new(copy, "unshared", unshared_names(m)) != 0;
    else
        failed = json_object_set_new(copy, "shared", json_true()) != 0;
    if (failed) {
        json_decref(copy);
        copy = NULL;
    }
    return copy;
}

/* ---- query.close ---- */

/* Gives the use back that query.open took. Authorizations' runs stay spent: the provider was
 * asked. */
static fm_status refund(struct ledger_context *c, const struct matter *m, struct base_err *err)
{
    const json_t *consents = json_object_get(m->query, "consents");
    char key[LEDGER_KEY_TEXT];
    size_t i;
    fm_status st = FM_OK;

    for (i = 0; st == FM_OK && i < json_array_size(consents); i++) {
        const json_t *value;
        json_t *copy;

        (void)ledger_key(key, "consent", ledger_text(json_array_get(consents, i), "consent"));
        st = ledger_view_get(c->view, &value, key, err);
        if (st != FM_OK)
            break;
        copy = json_copy((json_t *)(uintptr_t)value);
        if (copy != NULL &&
            json_object_set_new(copy, "left", json_integer(ledger_int(value, "left") + 1)) != 0) {
            json_decref(copy);
            copy = NULL;
        }
        st = ledger_view_put(c->view, key, copy, err);
    }
    return st;
}

/* Takes the query off its asker's list. */
static fm_status forget_open(struct ledger_context *c, const struct matter *m, struct base_err *err)
{
    const json_t *asker, *open;
    char key[LEDGER_KEY_TEXT];
    json_t *list;
    size_t i;
    fm_status st = ledger_state_get(c, &asker, "asker", c->alias, err);

    if (st != FM_OK)
        return st;
    open = json_object_get(asker, "open");
    list = json_array();
    for (i = 0; i < json_array_size(open); i++) {
        json_t *item = json_array_get(open, i);

        if (!ledger_text_is(item, "query", m->query_id) && json_array_append(list, item) != 0) {
            json_decref(list);
            return base_err_memory(err, "query");
        }
    }
    return ledger_view_put(c->view, ledger_key(key, "asker", c->alias),
                           json_pack("{s:o}", "open", list), err);
}

static fm_status check_close_signers(struct ledger_context *c, const struct matter *m,
                                     struct base_err *err)
{
    unsigned needed = m->receipt.outcome == LEDGER_RECEIPT_DONE
                          ? LEDGER_PARTY_COMPUTE | LEDGER_PARTY_PROVIDER | LEDGER_PARTY_RECIPIENT
                          : LEDGER_PARTY_ASKER;
    const char *missing;

    if (!all_signed(m, needed, &missing))
        return ledger_refuse(c, LEDGER_RULE_QUERY_RECEIPT_SIGNERS, err,
                             "a receipt with outcome %s needs the proof of %s",
                             ledger_receipt_outcome_name(m->receipt.outcome), missing);
    return FM_OK;
}

static fm_status put_closed(struct ledger_context *c, const struct matter *m, bool refunded,
                            struct base_err *err)
{
    char key[LEDGER_KEY_TEXT];
    json_t *copy = query_with_statements(m);

    if (copy != NULL &&
        (json_object_set_new(copy, "status",
                             json_string(ledger_receipt_outcome_name(m->receipt.outcome))) != 0 ||
         (m->receipt.rule != NULL &&
          json_object_set_new(copy, "rule", json_string(m->receipt.rule)) != 0) ||
         (refunded && json_object_set_new(copy, "refunded", json_true()) != 0) ||
         (m->receipt.party != NULL &&
          json_object_set_new(copy, "party", json_string(m->receipt.party)) != 0))) {
        json_decref(copy);
        copy = NULL;
    }
    return ledger_view_put(c->view, ledger_key(key, "query", m->query_id), copy, err);
}

fm_status ledger_rule_query_close(struct ledger_context *c, struct base_err *err)
{
    struct matter m = {0};
    bool refunded;
    fm_status st = find_query(c, &m, err);

    if (st != FM_OK)
        return st;
    if (!ledger_text_is(m.query, "asker", c->alias))
        return ledger_refuse(c, LEDGER_RULE_QUERY_ASKER, err, "only %s may close the query",
                             ledger_text(m.query, "asker"));
    if (!ledger_text_is(m.query, "status", "open"))
        return ledger_refuse(c, LEDGER_RULE_QUERY_NOT_OPEN, err, "the query is closed: %s",
                             ledger_text(m.query, "status"));
    st = check_match(c, &m, err);
    if (st == FM_OK)
        st = find_signers(c, &m, err);
    if (st == FM_OK)
        st = check_close_signers(c, &m, err);
    refunded = says_unshared(&m) && nothing_was_shared(&m);
    if (st == FM_OK && refunded)
        st = refund(c, &m, err);
    if (st == FM_OK)
        st = forget_open(c, &m, err);
    if (st == FM_OK)
        st = put_closed(c, &m, refunded, err);
    return st;
}

/* ---- query.receipt ---- */

/* A provider's word may be the last one that a closed query's consent waited for. */
static fm_status put_filed(struct ledger_context *c, const struct matter *m, struct base_err *err)
{
    bool refunded = !ledger_text_is(m->query, "status", "open") &&
                    !ledger_text_is(m->query, "status", "done") && says_unshared(m) &&
                    json_object_get(m->query, "refunded") == NULL && nothing_was_shared(m);
    json_t *copy = query_with_statements(m);
    char key[LEDGER_KEY_TEXT];
    fm_status st = FM_OK;

    if (refunded)
        st = refund(c, m, err);
    if (copy != NULL && refunded && json_object_set_new(copy, "refunded", json_true()) != 0) {
        json_decref(copy);
        copy = NULL;
    }
    if (st != FM_OK) {
        json_decref(copy);
        return st;
    }
    return ledger_view_put(c->view, ledger_key(key, "query", m->query_id), copy, err);
}

fm_status ledger_rule_query_receipt(struct ledger_context *c, struct base_err *err)
{
    struct matter m = {0};
    size_t i;
    fm_status st = find_query(c, &m, err);

    if (st != FM_OK)
        return st;
    if (ledger_parties_find(&m.parties, c->alias) == 0)
        return ledger_refuse(c, LEDGER_RULE_QUERY_PARTY, err, "%s is no party of the query",
                             c->alias);
    if (ledger_names_has(json_object_get(m.query, "receipts"), c->alias))
        return ledger_refuse(c, LEDGER_RULE_QUERY_RECEIPT_TWICE, err, "%s has filed its receipt",
                             c->alias);
    st = check_match(c, &m, err);
    if (st == FM_OK)
        st = find_signers(c, &m, err);
    if (st != FM_OK)
        return st;
    for (i = 0; i < m.parties.count; i++)
        if (m.signed_by[i] != (strcmp(m.parties.who[i].alias, c->alias) == 0))
            return ledger_refuse(c, LEDGER_RULE_QUERY_RECEIPT_SIGNERS, err,
                                 "a party's own receipt carries its own proof and no other");
    return put_filed(c, &m, err);
}
