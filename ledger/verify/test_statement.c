/* A member's statement against a bundle: the truth is borne out, every lie in it is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/proof/opening.h"
#include "ledger/verify/statement.h"
#include "ledger/verify/test_story.h"

#define SUBJECT "11010519491231002X" /* of world_consent() */

static const char salt[] = "5a17000000000000000000000000000000000000000000000000000000000000";
static const char nonce[] = "0700000000000000000000000000000000000000000000000000000000000000";

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

/* What the asker of one query keeps. */
static json_t *opening(const json_t *consent_id, const char *value, const char *ticket)
{
    json_t *consents = json_array();

    if (consent_id != NULL)
        assert_int_equal(
            json_array_append_new(consents, json_pack("{s:i,s:O,s:s}", "parameter", 1, "consent",
                                                      consent_id, "nonce", nonce)),
            0);
    return json_pack("{s:[{s:s,s:s,s:s}],s:o,s:s,s:s,s:s}", "parameters", "name", "$1", "value",
                     value, "salt", salt, "consents", consents, "requester", "ann (uid 7)",
                     "ticket", ticket, "salt", salt);
}

static void commit(char parameters[65], char requester[65], const char *value, const char *ticket)
{
    uint8_t s[32], h[32], all[32];

    assert_true(base_unhex(s, 32, salt, 64));
    must(ledger_parameter_commit(h, w->chain, s, "$1", value, &err));
    base_hash(all, h, 32);
    base_hex(parameters, all, 32);
    must(ledger_requester_commit(h, w->chain, s, "ann (uid 7)", ticket, &err));
    base_hex(requester, h, 32);
}

/* query.open about that value: its leaf is put, its id is told. */
static json_t *ask(char id[65], const json_t *contract, const json_t *consent_id, const char *value,
                   const char *ticket, enum ledger_rule rule)
{
    char contract_id[65], parameters[65], requester[65];
    json_t *consents = json_array(), *tx;
    uint8_t hash[32];

    world_id(hash, contract);
    base_hex(contract_id, hash, 32);
    commit(parameters, requester, value, ticket);
    if (consent_id != NULL)
        assert_int_equal(json_array_append_new(consents, json_pack("{s:i,s:O}", "parameter", 1,
                                                                   "consent", consent_id)),
                         0);
    tx = world_tx(w, LEDGER_TX_QUERY_OPEN, 0,
                  json_pack("{s:s, s:I, s:o, s:s, s:s, s:[s,s,s], s:I}", "contract", contract_id,
                            "height", (json_int_t)w->height, "consents", consents, "parameters",
                            parameters, "requester", requester, "compute", "bank_a", "bank_b",
                            "bank_c", "deadline", (json_int_t)(w->time_ms + 60000)));
    must(ledger_tx_id(hash, tx, &err));
    base_hex(id, hash, 32);
    (void)world_put(w, json_incref(tx), rule);
    return tx;
}

static json_t *item(const char *id, json_t *opened, const char *outcome, const char *rule)
{
    return json_pack("{s:s,s:o,s:s,s:s*}", "query", id, "opening", opened, "outcome", outcome,
                     "rule", rule);
}

/* Signed by that member's node. queries is used up. */
static json_t *statement(size_t member, json_t *queries)
{
    char chain[65];
    json_t *s;

    base_hex(chain, w->chain, 32);
    s = json_pack("{s:s,s:s,s:s,s:I,s:I,s:s,s:o}", "type", "FirmianaStatement", "chain", chain,
                  "member", w->m[member].alias, "made", (json_int_t)w->time_ms, "size",
                  (json_int_t)w->log.size, "subject", SUBJECT, "queries", queries);
    must(ledger_receipt_sign(s, w->m[member].did, w->m[member].node, w->time_ms / 1000, &err));
    return s;
}

/* A consented query that is done, one refused on the ledger, one still open. */
static json_t *story(void)
{
    struct did_secret *key = world_secret(w);
    json_t *consent = world_consent(w, key), *contract = world_contract(w), *tx, *queries, *said;
    char done[65], refused[65], open[65], id[65];
    json_t *consent_id;
    uint8_t hash[32];

    must(ledger_tx_id(hash, consent, &err));
    base_hex(id, hash, 32);
    consent_id = json_string(id);
    (void)world_put(w, world_tx(w, LEDGER_TX_CONTRACT_PROPOSE, 0, json_incref(contract)),
                    LEDGER_RULE_OK);
    (void)world_put(w, story_consent(consent), LEDGER_RULE_OK);
    (void)world_block(w);
    tx = ask(done, contract, consent_id, SUBJECT, "T-1", LEDGER_RULE_OK);
    (void)world_put(w, story_close(world_receipt(w, tx, LEDGER_RECEIPT_DONE, 7)), LEDGER_RULE_OK);
    json_decref(tx);
    json_decref(ask(refused, contract, NULL, SUBJECT, "T-2", LEDGER_RULE_CONSENT_MISSING));
    tx = ask(open, contract, consent_id, SUBJECT, "T-3", LEDGER_RULE_OK);
    (void)world_block(w);
    queries = json_pack("[o,o,o]", item(done, opening(consent_id, SUBJECT, "T-1"), "done", NULL),
                        item(refused, opening(NULL, SUBJECT, "T-2"), "refused", "consent.missing"),
                        item(open, opening(consent_id, SUBJECT, "T-3"), "open", NULL));
    said = statement(0, queries);
    /* What comes later is not what it speaks of. */
    (void)world_put(w, story_close(world_receipt(w, tx, LEDGER_RECEIPT_ABORTED, 7)),
                    LEDGER_RULE_OK);
    (void)world_put(w, world_tx(w, LEDGER_TX_DID_UPDATE, 0, world_next_document(w, 0, false)),
                    LEDGER_RULE_OK);
    story_finish();
    json_decref(tx);
    json_decref(consent_id);
    json_decref(contract);
    did_secret_free(key);
    return said;
}

struct memory {
    size_t at;
};

static fm_status read_memory(void *ctx, void *out, size_t len, size_t *got, struct base_err *e)
{
    struct memory *m = ctx;

    (void)e;
    *got = w->bundle.len - m->at < len ? w->bundle.len - m->at : len;
    memcpy(out, w->bundle.p + m->at, *got);
    m->at += *got;
    return FM_OK;
}

/* json is used up. */
static fm_status check(json_t *json)
{
    struct memory m = {0};
    const struct ledger_bundle_source source = {read_memory, &m};
    struct ledger_verified *report = NULL;
    struct ledger_statement *s;
    fm_status st = ledger_statement_new(&s, json, &err);

    json_decref(json);
    if (st != FM_OK)
        return st;
    st = ledger_verify_statement(&report, &source, w->chain, s, &err);
    if (st == FM_OK) {
        assert_int_equal(ledger_statement_count(s), 3);
        assert_int_equal(ledger_statement_consents(s), 2);
    } else if (strcmp(report->check, "statement") != 0)
        fail_msg("check %s: %s", report->check, err.text);
    ledger_verified_free(report);
    ledger_statement_free(s);
    return st;
}

static void the_truth_is_borne_out(void **state)
{
    (void)state;
    must(check(story()));
}

/* Signs what was changed: the lie is the member's own. It has rotated its key since, so the old one
 * signs. */
static json_t *signed_again(json_t *json)
{
    assert_int_equal(json_object_del(json, "proof"), 0);
    must(ledger_receipt_sign(json, w->m[0].did, w->m[0].old_node, w->time_ms / 1000, &err));
    return json;
}

static json_t *at(json_t *json, size_t query)
{
    return json_array_get(json_object_get(json, "queries"), query);
}

static void set(json_t *object, const char *name, const char *value)
{
    assert_int_equal(json_object_set_new(object, name, json_string(value)), 0);
}

static void lies_are_found(void **state)
{
    json_t *truth = story();
    static const struct {
        size_t query;
        const char *where, *name, *value, *found;
    } lies[] = {
        {0, "opening", "ticket", "T-9", "requester and ticket are not those"},
        {2, "opening", "ticket", "T-1", "requester and ticket are not those"},
        {1, "opening", "requester", "bob (uid 8)", "requester and ticket are not those"},
        {0, "opening", "salt", nonce, "requester and ticket are not those"},
        {0, "parameter", "salt", nonce, "the parameters are not those"},
        {0, "parameter", "name", "$2", "the parameters are not those"},
        {0, "parameter", "value", "someone else", "no parameter that is the subject"},
        {0, "consent", "nonce", salt, "given by another subject"},
        {0, "consent", "consent", salt, "the consents are not those"},
        {0, "item", "outcome", "aborted", "stands at done there, not at aborted"},
        {2, "item", "outcome", "aborted", "stands at open there, not at aborted"},
        {0, "item", "rule", "x", "stands at done there"},
        {1, "item", "outcome", "done", "the ledger refused it by consent.missing"},
        {1, "item", "rule", "consent.revoked", "the ledger refused it by consent.missing"},
        {1, "item", "query", salt, "is not on the log up to there"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        json_t *lie = json_deep_copy(truth), *q = at(lie, lies[i].query);
        json_t *o = json_object_get(q, "opening");
        json_t *target = strcmp(lies[i].where, "opening") == 0 ? o
                         : strcmp(lies[i].where, "parameter") == 0
                             ? json_array_get(json_object_get(o, "parameters"), 0)
                         : strcmp(lies[i].where, "consent") == 0
                             ? json_array_get(json_object_get(o, "consents"), 0)
                             : q;
        fm_status st;
        set(target, lies[i].name, lies[i].value);
        st = check(signed_again(lie));
        if ((st != FM_E_INVALID && st != FM_E_INPUT) || strstr(err.text, lies[i].found) == NULL)
            fail_msg("lie %zu: %s", i, st == FM_OK ? "not found" : err.text);
    }
    json_decref(truth);
}

static void found(json_t *lie, const char *text)
{
    fm_status st = check(lie);

    if ((st != FM_E_INVALID && st != FM_E_INPUT) || strstr(err.text, text) == NULL)
        fail_msg("'%s': %s", text, st == FM_OK ? "not found" : err.text);
}

static void the_frame_counts_too(void **state)
{
    json_t *truth = story(), *lie;

    (void)state;
    lie = json_deep_copy(truth); /* not signed again */
    set(lie, "subject", SUBJECT);
    set(at(lie, 0), "outcome", "aborted");
    found(lie, "proof");
    lie = json_deep_copy(truth); /* by somebody else */
    set(lie, "member", "bank_b");
    found(signed_again(lie), "(bank_b) has no key");
    lie = json_deep_copy(truth);
    set(lie, "chain", salt);
    found(signed_again(lie), "are not those"); /* commitments are of their own ledger */
    lie = json_deep_copy(truth);
    assert_int_equal(json_object_set_new(lie, "size", json_integer(100000)), 0);
    found(signed_again(lie), "the bundle has");
    lie = json_deep_copy(truth); /* before any of it */
    assert_int_equal(json_object_set_new(lie, "size", json_integer(1)), 0);
    found(signed_again(lie), "is not on the log up to there");
    lie = json_deep_copy(truth); /* a query counted twice */
    assert_int_equal(json_array_append(json_object_get(lie, "queries"), at(lie, 0)), 0);
    found(signed_again(lie), "stands in it twice");
    lie = json_deep_copy(truth);
    set(lie, "more", "x");
    found(signed_again(lie), "more");
    /* With the new key it is not signed by the key of that moment. */
    lie = json_deep_copy(truth);
    assert_int_equal(json_object_del(lie, "proof"), 0);
    must(ledger_receipt_sign(lie, w->m[0].did, w->m[0].node, w->time_ms / 1000, &err));
    found(lie, "proof by");
    json_decref(truth);
}

int main(void)
{
    const struct CMUnitTest tests[] = {T(the_truth_is_borne_out), T(lies_are_found),
                                       T(the_frame_counts_too)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
