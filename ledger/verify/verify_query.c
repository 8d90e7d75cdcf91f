/* Accepted contracts, consents, queries and receipts: what a reader of the trail is told about
 * them, and the proofs inside them. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "ledger/proof/shape.h"
#include "ledger/verify/verify_impl.h"

static const char *text(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static uint32_t find(const struct ledger_id_map *map, const uint8_t id32[32])
{
    const int64_t *at = ledger_id_map_get(map, id32);

    return at == NULL ? LEDGER_NO_INDEX : (uint32_t)*at;
}

/* ---- contracts ---- */

/* Adds an alias once; false when memory is out. */
static bool add_once(json_t *list, const char *alias)
{
    size_t i;
    json_t *item;

    json_array_foreach(list, i, item)
    {
        if (strcmp(json_string_value(item), alias) == 0)
            return true;
    }
    return json_array_append_new(list, json_string(alias)) == 0;
}

#define TABLES_MAX 64

/* The compute parties, recipients and providers: who must sign that a query is done. */
static fm_status needed_signers(json_t **out, const json_t *contract, struct base_err *err)
{
    const json_t *lists[2] = {json_object_get(contract, "compute"),
                              json_object_get(contract, "recipients")};
    const json_t *tables = json_object_get(contract, "tables");
    json_t *list = json_array();
    bool good = list != NULL && json_array_size(tables) <= TABLES_MAX, room = true;

    for (size_t k = 0; k < 2 && good; k++) {
        good = json_array_size(lists[k]) <= DID_PROOF_SET_MAX;
        for (size_t i = 0; i < json_array_size(lists[k]) && good && room; i++) {
            const char *alias = json_string_value(json_array_get(lists[k], i));
            good = alias != NULL;
            room = !good || add_once(list, alias);
        }
    }
    for (size_t i = 0; i < json_array_size(tables) && good && room; i++) {
        const char *alias = text(json_array_get(tables, i), "provider");
        good = alias != NULL;
        room = !good || add_once(list, alias);
    }
    if (good && room) {
        *out = list;
        return FM_OK;
    }
    json_decref(list);
    if (list == NULL || !room)
        return base_err_memory(err, "contract");
    return ledger_verify_fail(err, "its parties are malformed");
}

static char *copy(const char *s)
{
    size_t n = strlen(s) + 1;
    char *p = malloc(n);

    if (p != NULL)
        memcpy(p, s, n);
    return p;
}

static fm_status accept_contract(struct ledger_verifier *v, const struct ledger_tx *tx,
                                 struct base_err *err)
{
    static const char *const names[] = {"name", "purpose", "protocol", "asker"};
    struct ledger_verified *out = v->out;
    struct ledger_verified_contract *c;
    fm_status st;

    out->check = "contract";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (text(tx->body, names[i]) == NULL)
            return ledger_verify_fail(err, "member '%s' is missing", names[i]);
    }
    st = ledger_verify_room((void **)&out->contracts, &out->cap_contracts, out->n_contracts,
                            sizeof *c, err);
    if (st != FM_OK)
        return st;
    c = &out->contracts[out->n_contracts];
    *c = (struct ledger_verified_contract){0};
    st = base_json_hash(c->id, tx->body, err);
    if (st == FM_OK && ledger_id_map_get(&v->contracts, c->id) != NULL)
        st = ledger_verify_fail(err, "the contract is on the log already");
    if (st == FM_OK)
        st = needed_signers(&c->needed, tx->body, err);
    if (st != FM_OK)
        return st;
    out->n_contracts++; /* from here on the report owns it */
    c->name = copy(text(tx->body, "name"));
    c->purpose = copy(text(tx->body, "purpose"));
    c->protocol = copy(text(tx->body, "protocol"));
    c->asker = copy(text(tx->body, "asker"));
    if (c->name == NULL || c->purpose == NULL || c->protocol == NULL || c->asker == NULL)
        return base_err_memory(err, "contract");
    return ledger_id_map_put(&v->contracts, c->id, (int64_t)out->n_contracts - 1, INT64_MIN, err);
}

/* ---- consents ---- */

/* The attestor's document at this leaf; NULL if there is none, or it is no active member. */
static const struct did_document *attestor_of(const struct ledger_verifier *v, const char *alias)
{
    const struct ledger_identity *m =
        alias != NULL && alias[0] != '\0' ? ledger_members_by_alias(v->out->members, alias) : NULL;

    return m != NULL && m->active ? m->doc : NULL;
}

static void count_consent(struct ledger_verified *out, const struct ledger_consent *consent)
{
    out->consents_signed += consent->attestor == NULL;
    out->consents_attested += consent->attestor != NULL && consent->mandate == NULL;
    out->consents_mandated += consent->mandate != NULL;
    out->consents_self_attested += ledger_consent_is_self_attested(consent);
}

static fm_status accept_consent(struct ledger_verifier *v, const struct ledger_tx *tx,
                                struct base_err *err)
{
    const json_t *json = json_object_get(tx->body, "consent");
    const struct did_document *attestor = NULL;
    struct ledger_verified_subject *subject;
    struct ledger_consent consent;
    fm_status st;

    v->out->check = "consent";
    st = ledger_consent_parse(&consent, json, err);
    if (st == FM_OK && memcmp(consent.chain, v->out->chain, 32) != 0)
        st = ledger_verify_fail(err, "it is for another ledger");
    if (st == FM_OK && ledger_id_map_get(&v->consents, consent.id) != NULL)
        st = ledger_verify_fail(err, "it is on the log already");
    if (st == FM_OK && consent.uses > v->terms->consent_uses)
        st = ledger_verify_fail(err, "it grants more uses than the ledger allows");
    if (st == FM_OK)
        attestor = attestor_of(v, consent.attestor);
    if (st == FM_OK && consent.attestor != NULL && attestor == NULL)
        st = ledger_verify_fail(err, "%s, who attests, is no active member", consent.attestor);
    if (st == FM_OK)
        st = ledger_consent_verify(&consent, json, attestor, v->terms->rules_version, err);
    if (st == FM_OK)
        st = ledger_verify_room((void **)&v->subjects, &v->cap_subjects, v->n_subjects,
                                sizeof *v->subjects, err);
    if (st != FM_OK)
        return st;
    count_consent(v->out, &consent);
    subject = &v->subjects[v->n_subjects];
    *subject = (struct ledger_verified_subject){0};
    if (consent.subject != NULL) {
        assert(strlen(consent.subject) < sizeof subject->key); /* a did:key: its proof says so */
        (void)snprintf(subject->key, sizeof subject->key, "%s", consent.subject);
    }
    if (consent.attestor != NULL)
        (void)snprintf(subject->attestor, sizeof subject->attestor, "%s", consent.attestor);
    return ledger_id_map_put(&v->consents, consent.id, (int64_t)v->n_subjects++, INT64_MIN, err);
}

static fm_status accept_revocation(struct ledger_verifier *v, const struct ledger_tx *tx,
                                   struct base_err *err)
{
    const json_t *json = json_object_get(tx->body, "revocation");
    const struct ledger_verified_subject *subject;
    struct ledger_revocation revocation;
    uint32_t at;
    fm_status st;

    v->out->check = "consent";
    st = ledger_revocation_parse(&revocation, json, err);
    if (st != FM_OK)
        return st;
    if (memcmp(revocation.chain, v->out->chain, 32) != 0)
        return ledger_verify_fail(err, "the revocation is for another ledger");
    at = find(&v->consents, revocation.consent);
    if (at != LEDGER_NO_INDEX) {
        subject = &v->subjects[at];
        return ledger_revocation_verify(json, subject->key[0] != '\0' ? subject->key : NULL,
                                        attestor_of(v, subject->attestor), v->terms->rules_version,
                                        err);
    }
    if (!ledger_verify_may_be_hidden(v))
        return ledger_verify_fail(err, "the revoked consent is not on the log");
    return FM_OK; /* the consent is not disclosed, so whose key it is cannot be seen */
}

/* ---- queries ---- */

static fm_status accept_open(struct ledger_verifier *v, const struct ledger_tx *tx,
                             const struct ledger_identity *sender, struct base_err *err)
{
    struct ledger_verified *out = v->out;
    struct ledger_verified_query *q;
    uint8_t contract[32];
    fm_status st;

    out->check = "query";
    st = base_json_get_hex(contract, 32, tx->body, "contract", err);
    if (st == FM_OK)
        st = ledger_verify_room((void **)&out->queries, &out->cap_queries, out->n_queries,
                                sizeof *q, err);
    if (st != FM_OK)
        return st;
    q = &out->queries[out->n_queries];
    *q = (struct ledger_verified_query){.asker = (uint32_t)sender->index,
                                        .contract = find(&v->contracts, contract)};
    memcpy(q->id, tx->id, 32);
    if (q->contract == LEDGER_NO_INDEX && !ledger_verify_may_be_hidden(v))
        return ledger_verify_fail(err, "its contract is not on the log");
    if (q->contract != LEDGER_NO_INDEX &&
        strcmp(out->contracts[q->contract].asker, sender->alias) != 0)
        return ledger_verify_fail(err, "%s may not ask under this contract", sender->alias);
    return ledger_id_map_put(&v->queries, q->id, (int64_t)out->n_queries++, INT64_MIN, err);
}

/* ---- receipts ---- */

/* Verifies the receipt's proofs and tells who signed, each member once. */
static fm_status find_signers(struct ledger_verifier *v, const json_t *json,
                              const struct ledger_identity **who, size_t *n, struct base_err *err)
{
    const struct did_resolver resolver = ledger_members_resolver(v->out->members);
    struct did_proof proofs[DID_PROOF_SET_MAX];
    fm_status st = ledger_receipt_verify(proofs, n, json, v->terms->rules_version, &resolver, err);

    for (size_t i = 0; st == FM_OK && i < *n; i++) {
        char did[DID_METHOD_TEXT];
        bool split = did_method_split(did, proofs[i].method);
        who[i] = split ? ledger_members_by_did(v->out->members, did) : NULL;
        assert(who[i] != NULL); /* the resolver found the key there */
    }
    return st;
}

static bool signed_by(const struct ledger_identity *const *who, size_t n, const char *alias)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(who[i]->alias, alias) == 0)
            return true;
    }
    return false;
}

/* done: every compute party, provider and recipient; else: the asker. */
static fm_status check_close(struct ledger_verifier *v, const struct ledger_verified_query *q,
                             const struct ledger_receipt *receipt,
                             const struct ledger_identity *const *who, size_t n,
                             struct base_err *err)
{
    const struct ledger_verified_contract *c;
    size_t i;
    json_t *alias;

    if (receipt->outcome != LEDGER_RECEIPT_DONE)
        return signed_by(who, n, ledger_members_at(v->out->members, q->asker)->alias)
                   ? FM_OK
                   : ledger_verify_fail(err, "the asker did not sign it");
    if (q->contract == LEDGER_NO_INDEX)
        return FM_OK; /* whose proofs are needed stands in the contract, which is not disclosed */
    c = &v->out->contracts[q->contract];
    json_array_foreach(c->needed, i, alias)
    {
        if (!signed_by(who, n, json_string_value(alias)))
            return ledger_verify_fail(err, "it says done, and %s did not sign it",
                                      json_string_value(alias));
    }
    return FM_OK;
}

static fm_status close_query(struct ledger_verifier *v, uint32_t at,
                             const struct ledger_receipt *receipt, size_t n_signers,
                             struct base_err *err)
{
    struct ledger_verified_query *q = &v->out->queries[at];
    struct ledger_open_block *b = &v->block;
    fm_status st = ledger_verify_room((void **)&b->closed, &b->cap_closed, b->n_closed,
                                      sizeof *b->closed, err);

    if (st != FM_OK)
        return st;
    b->closed[b->n_closed++] = at;
    q->closed = true;
    q->outcome = receipt->outcome;
    q->signers = (uint32_t)n_signers;
    q->rule = receipt->rule == NULL ? NULL : copy(receipt->rule);
    q->party = receipt->party == NULL ? NULL : copy(receipt->party);
    if ((receipt->rule != NULL && q->rule == NULL) || (receipt->party != NULL && q->party == NULL))
        return base_err_memory(err, "receipt");
    return FM_OK;
}

static fm_status accept_receipt(struct ledger_verifier *v, const struct ledger_tx *tx,
                                const struct ledger_identity *sender, struct base_err *err)
{
    const struct ledger_identity *who[DID_PROOF_SET_MAX];
    const json_t *json = json_object_get(tx->body, "receipt");
    bool closes = tx->type == LEDGER_TX_QUERY_CLOSE;
    struct ledger_receipt receipt;
    struct ledger_verified_query *q;
    uint32_t at;
    size_t n = 0;
    fm_status st;

    v->out->check = "receipt";
    st = ledger_receipt_parse(&receipt, json, err);
    if (st == FM_OK && memcmp(receipt.chain, v->out->chain, 32) != 0)
        st = ledger_verify_fail(err, "it is for another ledger");
    if (st == FM_OK)
        st = find_signers(v, json, who, &n, err);
    if (st != FM_OK)
        return st;
    if (!closes && (n != 1 || who[0] != sender))
        return ledger_verify_fail(err, "a party's own receipt carries its own proof, no other");
    v->out->check = "query";
    at = find(&v->queries, receipt.query);
    if (at == LEDGER_NO_INDEX)
        return ledger_verify_may_be_hidden(v)
                   ? FM_OK
                   : ledger_verify_fail(err, "the query was never opened");
    q = &v->out->queries[at];
    if (!closes) {
        q->receipts++;
        return FM_OK;
    }
    if (q->closed)
        return ledger_verify_fail(err, "the query is closed already");
    if (q->asker != sender->index)
        return ledger_verify_fail(err, "only its asker closes a query");
    v->out->check = "receipt";
    st = check_close(v, q, &receipt, who, n, err);
    if (st == FM_OK)
        st = close_query(v, at, &receipt, n, err);
    return st;
}

fm_status ledger_verify_accepted(struct ledger_verifier *v, const struct ledger_tx *tx,
                                 const struct ledger_identity *sender, struct base_err *err)
{
    switch (tx->type) {
    case LEDGER_TX_CONTRACT_PROPOSE:
        return accept_contract(v, tx, err);
    case LEDGER_TX_CONSENT_GRANT:
        return accept_consent(v, tx, err);
    case LEDGER_TX_CONSENT_REVOKE:
        return accept_revocation(v, tx, err);
    case LEDGER_TX_QUERY_OPEN:
        return accept_open(v, tx, sender, err);
    case LEDGER_TX_QUERY_CLOSE:
    case LEDGER_TX_QUERY_RECEIPT:
        return accept_receipt(v, tx, sender, err);
    default:
        return FM_OK;
    }
}
