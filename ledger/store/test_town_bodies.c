#include "ledger/store/test_town.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "did/draft.h"
#include "did/succession.h"

static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

/* ---- bodies ---- */

static struct town_id hash_of(const char *text)
{
    struct town_id id;
    uint8_t hash[32];

    base_hash(hash, text, strlen(text));
    base_hex(id.text, hash, 32);
    return id;
}

static json_t *schema(int64_t version, const char *column)
{
    return json_pack("{s:I, s:[{s:s, s:s}]}", "version", (json_int_t)version, "columns", "name",
                     column, "type", "INTEGER");
}

json_t *town_dataset(struct town *t, int64_t data_version, int64_t schema_version,
                     const char *column)
{
    (void)t;
    return json_pack("{s:s, s:o, s:I, s:s, s:i}", "dataset", "loans", "schema",
                     schema(schema_version, column), "data_version", (json_int_t)data_version,
                     "root", hash_of("rows").text, "rows", 1000);
}

static json_t *make_contract(struct town *t, const char *name, json_t *parameters, json_t *consent,
                             int minimum)
{
    json_t *tables = json_array(), *uses = json_object(), *plan, *s = schema(1, "balance");
    int i;

    for (i = BANK_A; i <= BANK_C; i++) {
        assert_int_equal(
            json_array_append_new(
                tables, json_pack("{s:s, s:s, s:s, s:s, s:i, s:s}", "table", "loans", "provider",
                                  t->who[i].alias, "did", did_document_id(t->who[i].doc), "dataset",
                                  "loans", "schema_version", 1, "schema_hash", town_hash(s).text)),
            0);
        assert_int_equal(json_object_set_new(
                             uses, t->who[i].alias,
                             json_pack("[{s:s, s:[s]}]", "column", "balance", "uses", "aggregate")),
                         0);
    }
    json_decref(s);
    plan = json_pack("{s:s, s:s}", "sum", "balance", "of", name);
    return json_pack("{s:i, s:s, s:i, s:s, s:s, s:s, s:s, s:[s,s,s], s:[s], s:o, s:o, s:i, s:o, "
                     "s:I, s:s, s:o, s:o}",
                     "format", 1, "name", name, "version", 1, "asker", "bank_a", "purpose",
                     "credit decision", "sql", "SELECT SUM(balance) FROM loans", "protocol", "rep3",
                     "compute", "bank_a", "bank_b", "bank_c", "recipients", "bank_a", "tables",
                     tables, "parameters", parameters, "minimum_group", minimum, "consent", consent,
                     "expires", (json_int_t)(t->time_ms + 100 * DAY_MS), "plan_hash",
                     town_hash(plan).text, "plan", plan, "uses", uses);
}

json_t *town_contract_subject(struct town *t)
{
    return make_contract(
        t, "exposure",
        json_pack("[{s:s, s:s, s:b, s:b}, {s:s, s:s, s:b, s:b}]", "name", "$1", "type", "TEXT",
                  "hidden", 0, "subject", 1, "name", "$2", "type", "INTEGER", "hidden", 0,
                  "subject", 0),
        json_pack("{s:s, s:i, s:[s]}", "requirement", "subject", "parameter", 1, "modes", "signed"),
        1);
}

json_t *town_contract_group(struct town *t)
{
    return make_contract(t, "portfolio", json_array(),
                         json_pack("{s:s, s:s}", "requirement", "none", "basis", "statute"), 5);
}

json_t *town_grant(struct town *t, const json_t *contract, int provider, int64_t runs)
{
    const json_t *uses = json_object_get(json_object_get(contract, "uses"), t->who[provider].alias);

    return json_pack("{s:s, s:s, s:O, s:I, s:I}", "contract", town_hash(contract).text, "uses_hash",
                     town_hash(uses).text, "uses", uses, "expires",
                     (json_int_t)(t->time_ms + 50 * DAY_MS), "runs", (json_int_t)runs);
}

json_t *town_open(struct town *t, const json_t *contract, const char *consent_id)
{
    json_t *consents = consent_id == NULL
                           ? json_array()
                           : json_pack("[{s:i, s:s}]", "parameter", 1, "consent", consent_id);

    return json_pack("{s:s, s:I, s:o, s:s, s:s, s:O, s:I}", "contract", town_hash(contract).text,
                     "height", (json_int_t)t->memory.tip.height, "consents", consents, "parameters",
                     hash_of("parameters").text, "requester", hash_of("requester").text, "compute",
                     json_object_get(contract, "compute"), "deadline",
                     (json_int_t)(t->time_ms + HOUR_MS / 2));
}

json_t *town_consent(struct town *t, struct did_secret *subject, json_t *changes)
{
    struct did_secret *key = subject != NULL ? subject : town_secret(t);
    struct ledger_consent consent = {.scheme = "cn.id",
                                     .grantee = "bank_a",
                                     .purpose = "credit decision",
                                     .not_before = t->time_ms,
                                     .expires = t->time_ms + 10 * DAY_MS,
                                     .uses = 2};
    uint8_t nonce[32];
    const char *name;
    json_t *json, *value;

    memcpy(consent.chain, t->chain_id, 32);
    t->secrets++;
    base_hash(nonce, &t->secrets, sizeof t->secrets);
    ledger_subject_commit(consent.commitment, t->chain_id, "110101199001010010", 18, nonce);
    must(ledger_consent_build(&json, &consent, key, &err));
    json_object_foreach(changes, name, value)
    {
        if (json_is_null(value))
            assert_int_equal(json_object_del(json, name), 0);
        else
            assert_int_equal(json_object_set(json, name, value), 0);
    }
    json_decref(changes);
    must(ledger_subject_sign(json, key, town_seconds(t), &err));
    if (subject == NULL)
        did_secret_free(key);
    return json;
}

json_t *town_revocation(struct town *t, const struct did_secret *subject, const char *consent_id)
{
    uint8_t id[32];
    json_t *json;

    assert_true(base_unhex(id, 32, consent_id, 64));
    must(ledger_revocation_build(&json, t->chain_id, id, &err));
    must(ledger_subject_sign(json, subject, town_seconds(t), &err));
    return json;
}

json_t *town_receipt(struct town *t, const json_t *contract, const char *query_id,
                     enum ledger_outcome_kind outcome, bool shared, unsigned signers)
{
    struct ledger_receipt r = {
        .attempt = 1, .protocol = "rep3", .outcome = outcome, .shared = shared};
    json_t *none = json_array(), *json;
    unsigned i;

    memcpy(r.chain, t->chain_id, 32);
    assert_true(base_unhex(r.query, 32, query_id, 64));
    assert_true(
        base_unhex(r.plan_hash, 32, json_string_value(json_object_get(contract, "plan_hash")), 64));
    if (outcome != LEDGER_RECEIPT_DONE)
        r.party = "bank_b";
    r.channels = r.inputs = r.result = none;
    must(ledger_receipt_build(&json, &r, &err));
    json_decref(none);
    for (i = 0; i < TOWN_PEOPLE; i++)
        if ((signers >> i & 1) != 0)
            must(ledger_receipt_sign(json, did_document_id(t->who[i].doc), t->who[i].node,
                                     town_seconds(t), &err));
    return json;
}

json_t *town_next_document(struct town *t, int who, bool recovery)
{
    struct town_person *p = &t->who[who];
    struct did_draft draft = {0};
    struct did_secret *node = town_secret(t);
    struct did_document *next;
    json_t *json;

    must(did_draft_next(&draft, p->doc, &err));
    must(did_draft_rotate(&draft, did_secret_key(p->node), did_secret_key(node), &err));
    if (recovery) {
        did_secret_free(p->recovery);
        p->recovery = town_secret(t);
        did_recovery_commit(draft.recovery32, did_secret_key(p->recovery));
    }
    must(did_draft_build(&next, &draft, DID_RULES_VERSION, &err));
    did_draft_release(&draft);
    did_secret_free(p->node);
    p->node = node;
    json = json_incref((json_t *)(uintptr_t)did_document_json(next));
    did_document_free(p->doc);
    p->doc = next;
    return json;
}

json_t *town_update(const uint8_t previous[32], json_t *document)
{
    char hash[65];

    base_hex(hash, previous, 32);
    return json_pack("{s:o, s:s}", "document", document, "previous", hash);
}

/* ---- stories ---- */

json_t *town_set_up(struct town *t, json_t *contract)
{
    int i;

    for (i = BANK_A; i <= BANK_C; i++) {
        if (json_object_get(t->memory.state, i == BANK_A   ? "dataset/bank_a/loans"
                                             : i == BANK_B ? "dataset/bank_b/loans"
                                                           : "dataset/bank_c/loans") == NULL)
            town_ok(t, town_tx(t, LEDGER_TX_DATASET_PUBLISH, i, town_dataset(t, 1, 1, "balance")));
    }
    town_ok(t, town_tx(t, LEDGER_TX_CONTRACT_PROPOSE, BANK_A, json_incref(contract)));
    for (i = BANK_A; i <= BANK_C; i++)
        town_ok(t, town_tx(t, LEDGER_TX_AUTHORIZATION_GRANT, i, town_grant(t, contract, i, 100)));
    return contract;
}

struct town_id town_ask(struct town *t, const json_t *contract)
{
    const char *requirement =
        json_string_value(json_object_get(json_object_get(contract, "consent"), "requirement"));
    bool subject = strcmp(requirement, "subject") == 0;
    struct town_id consent_id = {""}, id;
    struct base_buf tx;

    if (subject) {
        json_t *consent = town_consent(t, NULL, NULL);

        consent_id = town_inner_id(consent);
        town_ok(
            t, town_tx(t, LEDGER_TX_CONSENT_GRANT, BANK_B, json_pack("{s:o}", "consent", consent)));
    }
    tx = town_tx(t, LEDGER_TX_QUERY_OPEN, BANK_A,
                 town_open(t, contract, subject ? consent_id.text : NULL));
    id = town_tx_id(&tx);
    town_ok(t, tx);
    return id;
}

struct base_buf town_checkpoint(struct town *t, unsigned cosigners, const uint8_t *root,
                                uint64_t size)
{
    static const int by_alias[] = {BANK_A, BANK_B, BANK_C, NEWCOMER, REGULATOR};
    struct ledger_checkpoint *cp = calloc(1, sizeof *cp);
    struct base_buf text = {0};
    size_t i;

    assert_non_null(cp);
    memcpy(cp->chain, t->chain_id, 32);
    cp->size = size;
    memcpy(cp->root, root, 32);
    for (i = 0; i < sizeof by_alias / sizeof by_alias[0]; i++) {
        const struct town_person *p = &t->who[by_alias[i]];

        if ((cosigners >> by_alias[i] & 1) != 0)
            must(ledger_cosign(&cp->cosigner[cp->n++], cp, did_document_id(p->doc), p->node,
                               town_seconds(t), &err));
    }
    must(ledger_checkpoint_encode(&text, cp, &err));
    free(cp);
    return text;
}

/* ---- transactions that several tests send ---- */

struct base_buf town_publish(struct town *t, int who, int64_t data, int64_t schema,
                             const char *column)
{
    return town_tx(t, LEDGER_TX_DATASET_PUBLISH, who, town_dataset(t, data, schema, column));
}

/* The body with one member changed: a path of at most two names, as "consent.basis". */
json_t *town_with(json_t *body, const char *path, json_t *value)
{
    const char *dot = strchr(path, '.');
    char first[32];
    json_t *copy = json_deep_copy(body), *at = copy;

    json_decref(body);
    if (dot != NULL) {
        memcpy(first, path, (size_t)(dot - path));
        first[dot - path] = '\0';
        at = json_object_get(copy, first);
        path = dot + 1;
    }
    if (value == NULL)
        assert_int_equal(json_object_del(at, path), 0);
    else
        assert_int_equal(json_object_set_new(at, path, value), 0);
    return copy;
}

struct base_buf town_propose_contract(struct town *t, json_t *contract)
{
    return town_tx(t, LEDGER_TX_CONTRACT_PROPOSE, BANK_A, contract);
}

struct base_buf town_grant_tx(struct town *t, json_t *body, int who)
{
    return town_tx(t, LEDGER_TX_AUTHORIZATION_GRANT, who, body);
}

struct base_buf town_revoke_tx(struct town *t, const json_t *contract, int who)
{
    return town_tx(t, LEDGER_TX_AUTHORIZATION_REVOKE, who,
                   json_pack("{s:s}", "contract", town_hash(contract).text));
}

/* ---- ends of DIDs, and beginnings again ---- */

struct base_buf town_deactivate(struct town *t, int who)
{
    char hash[65];

    base_hex(hash, did_document_hash32(t->who[who].doc), 32);
    return town_tx(t, LEDGER_TX_DID_DEACTIVATE, who, json_pack("{s:s}", "previous", hash));
}

json_t *town_come_back(struct town *t, int who, struct did_document **last)
{
    struct town_person *p = &t->who[who];
    struct did_draft draft = {0}, end = {0};
    struct did_document *next;
    json_t *body;

    must(did_draft_next(&end, p->doc, &err));
    did_draft_deactivate(&end);
    must(did_draft_build(last, &end, DID_RULES_VERSION, &err));
    did_draft_release(&end);
    must(did_draft_next(&draft, p->doc, &err));
    draft.version = did_document_version(*last) + 1;
    memcpy(draft.previous32, did_document_hash32(*last), 32);
    p->recovery = town_secret(t);
    did_recovery_commit(draft.recovery32, did_secret_key(p->recovery));
    must(did_draft_build(&next, &draft, DID_RULES_VERSION, &err));
    did_draft_release(&draft);
    body = town_update(did_document_hash32(*last),
                       json_incref((json_t *)(uintptr_t)did_document_json(next)));
    did_document_free(p->doc);
    p->doc = next;
    return body;
}

struct base_buf town_recovery(struct town *t, int who, json_t *body, struct did_secret *key)
{
    json_t *tx = town_unsigned(t, LEDGER_TX_DID_RECOVER, who, body);

    must(ledger_tx_sign(tx, key, town_seconds(t), &err));
    return town_bytes(tx);
}
