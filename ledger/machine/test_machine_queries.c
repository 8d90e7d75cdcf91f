#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "ledger/machine/test_machine.h"
#include "ledger/store/test_town.h"

#define EVERY_BANK (1U << BANK_A | 1U << BANK_B | 1U << BANK_C)

/* ---- consents ---- */

static struct base_buf consent_tx(struct town *t, json_t *consent)
{
    return town_tx(t, LEDGER_TX_CONSENT_GRANT, BANK_B, json_pack("{s:o}", "consent", consent));
}

static struct base_buf revocation_tx(struct town *t, const struct did_secret *key, const char *id)
{
    return town_tx(t, LEDGER_TX_CONSENT_REVOKE, BANK_C,
                   json_pack("{s:o}", "revocation", town_revocation(t, key, id)));
}

void test_consents(void **state)
{
    struct town t;
    struct did_secret *subject, *stranger;
    const char *const other_chain =
        "00000000000000000000000000000000000000000000000000000000000000ff";
    struct town_id id;
    json_t *consent;

    (void)state;
    town_init(&t, NULL);
    subject = town_secret(&t);
    stranger = town_secret(&t);
    town_refused(&t, consent_tx(&t, town_consent(&t, NULL, json_pack("{s:n}", "scheme"))),
                 LEDGER_RULE_CONSENT_SHAPE);
    town_refused(&t,
                 consent_tx(&t, town_consent(&t, NULL, json_pack("{s:s}", "chain", other_chain))),
                 LEDGER_RULE_CONSENT_CHAIN);
    town_refused(
        &t,
        consent_tx(&t, town_consent(&t, NULL,
                                    json_pack("{s:I}", "expires", (json_int_t)t.time_ms + 1000))),
        LEDGER_RULE_CONSENT_EXPIRED);
    town_refused(&t, consent_tx(&t, town_consent(&t, NULL, json_pack("{s:i}", "uses", 6))),
                 LEDGER_RULE_LIMIT_CONSENT_USES);
    town_refused(&t,
                 consent_tx(&t, town_consent(&t, NULL, json_pack("{s:s}", "grantee", "nobody"))),
                 LEDGER_RULE_MEMBER_UNKNOWN);
    /* Changed after it was signed. */
    consent = town_consent(&t, NULL, NULL);
    assert_int_equal(json_object_set_new(consent, "uses", json_integer(3)), 0);
    town_refused(&t, consent_tx(&t, consent), LEDGER_RULE_CONSENT_PROOF);

    consent = town_consent(&t, subject, NULL);
    id = town_inner_id(consent);
    town_ok(&t, consent_tx(&t, json_incref(consent)));
    town_refused(&t, consent_tx(&t, consent), LEDGER_RULE_CONSENT_DUPLICATE);
    town_refused(&t, revocation_tx(&t, subject, town_hash(t.genesis).text),
                 LEDGER_RULE_CONSENT_UNKNOWN);
    town_refused(&t, revocation_tx(&t, stranger, id.text), LEDGER_RULE_CONSENT_PROOF);
    town_refused(&t,
                 town_tx(&t, LEDGER_TX_CONSENT_REVOKE, BANK_C,
                         json_pack("{s:{s:s}}", "revocation", "type", "FirmianaRevocation")),
                 LEDGER_RULE_CONSENT_SHAPE);
    town_ok(&t, revocation_tx(&t, subject, id.text));
    town_refused(&t, revocation_tx(&t, subject, id.text), LEDGER_RULE_CONSENT_REVOKED);
    did_secret_free(subject);
    did_secret_free(stranger);
    town_release(&t);
}

/* ---- queries ---- */

static struct base_buf open_tx(struct town *t, json_t *body)
{
    return town_tx(t, LEDGER_TX_QUERY_OPEN, BANK_A, body);
}

void test_query_open(void **state)
{
    struct town t;
    json_t *c;

    (void)state;
    town_init(&t, NULL);
    c = town_set_up(&t, town_contract_group(&t));
    town_refused(&t,
                 open_tx(&t, town_with(town_open(&t, c, NULL), "contract",
                                       json_string(town_hash(t.genesis).text))),
                 LEDGER_RULE_CONTRACT_UNKNOWN);
    town_refused(&t, town_tx(&t, LEDGER_TX_QUERY_OPEN, BANK_B, town_open(&t, c, NULL)),
                 LEDGER_RULE_QUERY_ASKER);
    town_refused(&t,
                 open_tx(&t, town_with(town_open(&t, c, NULL), "height",
                                       json_integer((json_int_t)t.memory.tip.height + 1))),
                 LEDGER_RULE_QUERY_HEIGHT);
    town_refused(
        &t,
        open_tx(&t, town_with(town_open(&t, c, NULL), "deadline", json_integer(t.time_ms + 1000))),
        LEDGER_RULE_QUERY_DEADLINE);
    town_refused(&t,
                 open_tx(&t, town_with(town_open(&t, c, NULL), "deadline",
                                       json_integer(t.time_ms + 1000 + HOUR_MS + 1))),
                 LEDGER_RULE_LIMIT_DEADLINE);
    town_refused(&t,
                 open_tx(&t, town_with(town_open(&t, c, NULL), "compute",
                                       json_pack("[s,s,s]", "bank_b", "bank_a", "bank_c"))),
                 LEDGER_RULE_QUERY_COMPUTE);
    town_refused(&t, open_tx(&t, town_open(&t, c, town_hash(t.genesis).text)),
                 LEDGER_RULE_QUERY_PARAMETER);
    town_ok(&t, open_tx(&t, town_with(town_open(&t, c, NULL), "deadline",
                                      json_integer(t.time_ms + 1000 + HOUR_MS))));
    town_wait(&t, 51 * DAY_MS);
    town_refused(&t, open_tx(&t, town_open(&t, c, NULL)), LEDGER_RULE_AUTHORIZATION_EXPIRED);
    town_wait(&t, 50 * DAY_MS);
    town_refused(&t, open_tx(&t, town_open(&t, c, NULL)), LEDGER_RULE_CONTRACT_EXPIRED);
    json_decref(c);
    town_release(&t);
}

static void suspend(struct town *t, const char *alias, int first, int second, int third)
{
    struct base_buf tx = town_tx(t, LEDGER_TX_MEMBER_SUSPEND, first,
                                 json_pack("{s:s, s:s}", "alias", alias, "reason", "test"));
    struct town_id id = town_tx_id(&tx);

    town_ok(t, tx);
    town_ok(t, town_tx(t, LEDGER_TX_MEMBER_VOTE, second,
                       json_pack("{s:s, s:b}", "proposal", id.text, "accept", 1)));
    town_ok(t, town_tx(t, LEDGER_TX_MEMBER_VOTE, third,
                       json_pack("{s:s, s:b}", "proposal", id.text, "accept", 1)));
}

/* What was right when the contract was authorized, and no longer is. */
void test_query_world(void **state)
{
    struct town t;
    json_t *c;

    (void)state;
    town_init(&t, NULL);
    c = town_set_up(&t, town_contract_group(&t));
    town_ok(&t, town_revoke_tx(&t, c, BANK_C));
    town_refused(&t, open_tx(&t, town_open(&t, c, NULL)), LEDGER_RULE_AUTHORIZATION_REVOKED);
    town_ok(&t, town_grant_tx(&t, town_grant(&t, c, BANK_C, 1), BANK_C));
    town_ok(&t, open_tx(&t, town_open(&t, c, NULL)));
    town_refused(&t, open_tx(&t, town_open(&t, c, NULL)), LEDGER_RULE_AUTHORIZATION_EXHAUSTED);
    town_ok(&t, town_grant_tx(&t, town_grant(&t, c, BANK_C, 9), BANK_C));
    /* More data of the same schema is what queries are for; another schema is not. */
    town_ok(&t, town_publish(&t, BANK_B, 2, 1, "balance"));
    town_ok(&t, open_tx(&t, town_open(&t, c, NULL)));
    town_ok(&t, town_publish(&t, BANK_B, 3, 2, "overdue"));
    town_refused(&t, open_tx(&t, town_open(&t, c, NULL)), LEDGER_RULE_CONTRACT_DATASET);
    suspend(&t, "bank_b", BANK_A, BANK_C, REGULATOR);
    town_refused(&t, open_tx(&t, town_open(&t, c, NULL)), LEDGER_RULE_MEMBER_SUSPENDED);
    json_decref(c);

    /* Nobody authorized this one. */
    town_release(&t);
    town_init(&t, NULL);
    json_decref(town_set_up(&t, town_contract_subject(&t)));
    c = town_contract_group(&t);
    town_ok(&t, town_propose_contract(&t, json_incref(c)));
    town_refused(&t, open_tx(&t, town_open(&t, c, NULL)), LEDGER_RULE_AUTHORIZATION_MISSING);
    json_decref(c);
    town_release(&t);
}

/* Grants this consent and asks under it. */
static struct base_buf ask_with(struct town *t, const json_t *c, json_t *changes)
{
    json_t *consent = town_consent(t, NULL, changes);
    struct town_id id = town_inner_id(consent);

    town_ok(t, consent_tx(t, consent));
    return open_tx(t, town_open(t, c, id.text));
}

void test_query_consent(void **state)
{
    struct town t;
    struct did_secret *subject;
    struct town_id id, contract;
    json_t *c, *consent;
    int i;

    (void)state;
    town_init(&t, NULL);
    c = town_set_up(&t, town_contract_subject(&t));
    contract = town_hash(c);
    town_refused(&t, open_tx(&t, town_open(&t, c, NULL)), LEDGER_RULE_CONSENT_MISSING);
    town_refused(&t, open_tx(&t, town_open(&t, c, town_hash(t.genesis).text)),
                 LEDGER_RULE_CONSENT_UNKNOWN);
    town_refused(&t, ask_with(&t, c, json_pack("{s:s}", "grantee", "bank_b")),
                 LEDGER_RULE_CONSENT_GRANTEE);
    town_refused(&t, ask_with(&t, c, json_pack("{s:s}", "purpose", "marketing")),
                 LEDGER_RULE_CONSENT_PURPOSE);
    town_refused(
        &t,
        ask_with(&t, c, json_pack("{s:n, s:s}", "purpose", "contract", town_hash(t.genesis).text)),
        LEDGER_RULE_CONSENT_CONTRACT);
    town_ok(&t, ask_with(&t, c, json_pack("{s:n, s:s}", "purpose", "contract", contract.text)));
    town_refused(&t,
                 ask_with(&t, c, json_pack("{s:I}", "not_before", (json_int_t)t.time_ms + HOUR_MS)),
                 LEDGER_RULE_CONSENT_NOT_YET);

    subject = town_secret(&t);
    consent = town_consent(&t, subject, NULL);
    id = town_inner_id(consent);
    town_ok(&t, consent_tx(&t, consent));
    {
        json_t *body = town_open(&t, c, id.text);
        json_t *item = json_array_get(json_object_get(body, "consents"), 0);

        assert_int_equal(json_object_set_new(item, "parameter", json_integer(2)), 0);
        town_refused(&t, open_tx(&t, body), LEDGER_RULE_CONSENT_SUBJECT);
        body = town_open(&t, c, id.text);
        item = json_array_get(json_object_get(body, "consents"), 0);
        assert_int_equal(json_array_append(json_object_get(body, "consents"), item), 0);
        town_refused(&t, open_tx(&t, body), LEDGER_RULE_CONSENT_SUBJECT);
        body = town_open(&t, c, id.text);
        item = json_array_get(json_object_get(body, "consents"), 0);
        assert_int_equal(json_object_set_new(item, "parameter", json_integer(3)), 0);
        town_refused(&t, open_tx(&t, body), LEDGER_RULE_QUERY_PARAMETER);
    }
    for (i = 0; i < 2; i++)
        town_ok(&t, open_tx(&t, town_open(&t, c, id.text)));
    town_refused(&t, open_tx(&t, town_open(&t, c, id.text)), LEDGER_RULE_CONSENT_USED_UP);
    town_ok(&t, revocation_tx(&t, subject, id.text));
    town_refused(&t, open_tx(&t, town_open(&t, c, id.text)), LEDGER_RULE_CONSENT_REVOKED);
    did_secret_free(subject);

    consent = town_consent(&t, NULL, NULL);
    id = town_inner_id(consent);
    town_ok(&t, consent_tx(&t, consent));
    town_wait(&t, 11 * DAY_MS);
    town_refused(&t, open_tx(&t, town_open(&t, c, id.text)), LEDGER_RULE_LIMIT_UNRECEIPTED_QUERIES);
    json_decref(c);
    town_release(&t);

    /* Late, and of a mode that the contract does not take. */
    town_init(&t, NULL);
    c = town_set_up(&t, town_contract_subject(&t));
    consent = town_consent(&t, NULL, NULL);
    id = town_inner_id(consent);
    town_ok(&t, consent_tx(&t, consent));
    town_wait(&t, 11 * DAY_MS);
    town_refused(&t, open_tx(&t, town_open(&t, c, id.text)), LEDGER_RULE_CONSENT_EXPIRED);
    json_decref(c);
    c = town_with(town_contract_subject(&t), "consent.modes", json_pack("[s]", "attested"));
    town_refused(&t, ask_with(&t, town_set_up(&t, c), NULL), LEDGER_RULE_CONSENT_MODE);
    json_decref(c);
    town_release(&t);
}

static struct base_buf close_tx(struct town *t, const json_t *c, const char *id,
                                enum ledger_outcome_kind outcome, bool shared, unsigned signers)
{
    return town_tx(t, LEDGER_TX_QUERY_CLOSE, BANK_A,
                   json_pack("{s:o}", "receipt", town_receipt(t, c, id, outcome, shared, signers)));
}

void test_query_limits(void **state)
{
    struct town t;
    struct town_id id[4];
    json_t *c;
    int i;

    (void)state;
    town_init(&t, NULL);
    c = town_set_up(&t, town_contract_group(&t));
    for (i = 0; i < 4; i++)
        id[i] = town_ask(&t, c);
    town_refused(&t, open_tx(&t, town_open(&t, c, NULL)), LEDGER_RULE_LIMIT_OPEN_QUERIES);
    town_wait(&t, HOUR_MS);
    town_refused(&t, open_tx(&t, town_open(&t, c, NULL)), LEDGER_RULE_LIMIT_UNRECEIPTED_QUERIES);
    /* Late closes count: with one left unreceipted it may ask again. */
    for (i = 0; i < 3; i++)
        town_ok(&t, close_tx(&t, c, id[i].text, LEDGER_RECEIPT_ABORTED, true, 1U << BANK_A));
    town_ok(&t, open_tx(&t, town_open(&t, c, NULL)));
    json_decref(c);
    town_release(&t);
}

static struct base_buf receipt_tx(struct town *t, int who, json_t *receipt)
{
    return town_tx(t, LEDGER_TX_QUERY_RECEIPT, who, json_pack("{s:o}", "receipt", receipt));
}

void test_receipts(void **state)
{
    struct town t;
    struct town_id id;
    json_t *c, *r;

    (void)state;
    town_init(&t, NULL);
    c = town_set_up(&t, town_contract_subject(&t));
    id = town_ask(&t, c);
    town_refused(&t,
                 close_tx(&t, c, town_hash(t.genesis).text, LEDGER_RECEIPT_DONE, true, EVERY_BANK),
                 LEDGER_RULE_QUERY_UNKNOWN);
    town_refused(
        &t,
        town_tx(&t, LEDGER_TX_QUERY_CLOSE, BANK_B,
                json_pack("{s:o}", "receipt",
                          town_receipt(&t, c, id.text, LEDGER_RECEIPT_DONE, true, EVERY_BANK))),
        LEDGER_RULE_QUERY_ASKER);
    town_refused(&t,
                 close_tx(&t, c, id.text, LEDGER_RECEIPT_DONE, true, 1U << BANK_A | 1U << BANK_B),
                 LEDGER_RULE_QUERY_RECEIPT_SIGNERS);
    town_refused(&t, close_tx(&t, c, id.text, LEDGER_RECEIPT_ABORTED, true, 1U << BANK_B),
                 LEDGER_RULE_QUERY_RECEIPT_SIGNERS);
    town_refused(&t,
                 close_tx(&t, c, id.text, LEDGER_RECEIPT_DONE, true, EVERY_BANK | 1U << REGULATOR),
                 LEDGER_RULE_QUERY_PARTY);
    town_refused(&t,
                 close_tx(&t, c, id.text, LEDGER_RECEIPT_DONE, true, EVERY_BANK | 1U << NEWCOMER),
                 LEDGER_RULE_QUERY_RECEIPT_PROOF);
    r = town_receipt(&t, c, id.text, LEDGER_RECEIPT_DONE, true, EVERY_BANK);
    assert_int_equal(json_object_set_new(r, "shared", json_false()), 0);
    town_refused(&t, town_tx(&t, LEDGER_TX_QUERY_CLOSE, BANK_A, json_pack("{s:o}", "receipt", r)),
                 LEDGER_RULE_QUERY_RECEIPT_PROOF);
    {
        json_t *other =
            town_with(json_incref(c), "plan_hash", json_string(town_hash(t.genesis).text));

        town_refused(&t, close_tx(&t, other, id.text, LEDGER_RECEIPT_DONE, true, EVERY_BANK),
                     LEDGER_RULE_QUERY_RECEIPT);
        json_decref(other);
    }
    /* A party's own statement: once, with its own proof alone, by a party. */
    town_refused(
        &t,
        receipt_tx(&t, REGULATOR,
                   town_receipt(&t, c, id.text, LEDGER_RECEIPT_DONE, true, 1U << REGULATOR)),
        LEDGER_RULE_QUERY_PARTY);
    town_refused(&t,
                 receipt_tx(&t, BANK_B,
                            town_receipt(&t, c, id.text, LEDGER_RECEIPT_DONE, true,
                                         1U << BANK_B | 1U << BANK_C)),
                 LEDGER_RULE_QUERY_RECEIPT_SIGNERS);
    town_ok(&t, receipt_tx(&t, BANK_B,
                           town_receipt(&t, c, id.text, LEDGER_RECEIPT_DONE, true, 1U << BANK_B)));
    town_refused(&t,
                 receipt_tx(&t, BANK_B,
                            town_receipt(&t, c, id.text, LEDGER_RECEIPT_DONE, true, 1U << BANK_B)),
                 LEDGER_RULE_QUERY_RECEIPT_TWICE);
    town_ok(&t, close_tx(&t, c, id.text, LEDGER_RECEIPT_ABORTED, true, 1U << BANK_A));
    town_refused(&t, close_tx(&t, c, id.text, LEDGER_RECEIPT_DONE, true, EVERY_BANK),
                 LEDGER_RULE_QUERY_NOT_OPEN);
    town_refused(&t,
                 receipt_tx(&t, BANK_A,
                            town_receipt(&t, c, id.text, LEDGER_RECEIPT_DONE, true, 1U << BANK_A)),
                 LEDGER_RULE_QUERY_RECEIPT_TWICE);
    town_ok(&t, receipt_tx(&t, BANK_C,
                           town_receipt(&t, c, id.text, LEDGER_RECEIPT_DONE, true, 1U << BANK_C)));
    id = town_ask(&t, c);
    town_ok(&t, close_tx(&t, c, id.text, LEDGER_RECEIPT_DONE, true, EVERY_BANK));
    json_decref(c);
    /* Parties that do not stand in the order of their names: the receipts do (M11). */
    c = town_set_up(&t, town_with(town_contract_subject(&t), "compute",
                                  json_pack("[s,s,s]", "bank_c", "bank_b", "bank_a")));
    id = town_ask(&t, c);
    town_ok(&t, close_tx(&t, c, id.text, LEDGER_RECEIPT_DONE, true, EVERY_BANK));
    json_decref(c);
    town_release(&t);
}
