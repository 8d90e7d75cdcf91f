/* When a consent's use comes back, and when it does not (rule_receipt.c). */
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

static struct base_buf consent_tx(struct town *t, json_t *consent)
{
    return town_tx(t, LEDGER_TX_CONSENT_GRANT, BANK_B, json_pack("{s:o}", "consent", consent));
}

static struct base_buf open_tx(struct town *t, json_t *body)
{
    return town_tx(t, LEDGER_TX_QUERY_OPEN, BANK_A, body);
}

static struct base_buf close_tx(struct town *t, const json_t *c, const char *id,
                                enum ledger_outcome_kind outcome, bool shared, unsigned signers)
{
    return town_tx(t, LEDGER_TX_QUERY_CLOSE, BANK_A,
                   json_pack("{s:o}", "receipt", town_receipt(t, c, id, outcome, shared, signers)));
}

static struct base_buf receipt_tx(struct town *t, int who, json_t *receipt)
{
    return town_tx(t, LEDGER_TX_QUERY_RECEIPT, who, json_pack("{s:o}", "receipt", receipt));
}

/* Uses left of the one consent in the state whose id is this. */
static int64_t left_of(const struct town *t, const struct town_id *id)
{
    char key[80] = "consent/";
    json_t *value;
    int64_t left;

    memcpy(key + 8, id->text, 65);
    value = json_loads(json_string_value(json_object_get(t->memory.state, key)), 0, NULL);
    assert_non_null(value);
    left = json_integer_value(json_object_get(value, "left"));
    json_decref(value);
    return left;
}

/* A query under a fresh consent of two uses: their ids. */
static void open_with_consent(struct town *t, const json_t *c, struct town_id *query,
                              struct town_id *consent_id)
{
    json_t *consent = town_consent(t, NULL, NULL);
    struct base_buf tx;

    *consent_id = town_inner_id(consent);
    town_ok(t, consent_tx(t, consent));
    tx = open_tx(t, town_open(t, c, consent_id->text));
    *query = town_tx_id(&tx);
    town_ok(t, tx);
    assert_int_equal(left_of(t, consent_id), 1);
}

static void file_own(struct town *t, const json_t *c, const struct town_id *query, int who,
                     bool shared)
{
    town_ok(t,
            receipt_tx(t, who,
                       town_receipt(t, c, query->text, LEDGER_RECEIPT_ABORTED, shared, 1U << who)));
}

static void aborted_by_asker(struct town *t, const json_t *c, const struct town_id *query,
                             unsigned signers)
{
    town_ok(t, close_tx(t, c, query->text, LEDGER_RECEIPT_ABORTED, false, signers));
}

/* A provider that was dead when the query ended says so when it is back; and before the close as
 * well as after it. One that shared, or says so, keeps the use spent. */
void test_refund_by_own_receipts(void **state)
{
    struct town_id query, consent;
    struct town t;
    json_t *c;

    (void)state;
    town_init(&t, NULL);
    c = town_set_up(&t, town_contract_subject(&t));
    open_with_consent(&t, c, &query, &consent); /* one before, one with, one after the close */
    file_own(&t, c, &query, BANK_B, false);
    aborted_by_asker(&t, c, &query, 1U << BANK_A);
    assert_int_equal(left_of(&t, &consent), 1);
    file_own(&t, c, &query, BANK_C, false);
    assert_int_equal(left_of(&t, &consent), 2);
    open_with_consent(&t, c, &query, &consent); /* all before it */
    file_own(&t, c, &query, BANK_B, false);
    file_own(&t, c, &query, BANK_C, false);
    assert_int_equal(left_of(&t, &consent), 1);
    aborted_by_asker(&t, c, &query, 1U << BANK_A);
    assert_int_equal(left_of(&t, &consent), 2);
    open_with_consent(&t, c, &query, &consent); /* one says otherwise, first or last */
    file_own(&t, c, &query, BANK_B, true);
    aborted_by_asker(&t, c, &query, 1U << BANK_A);
    file_own(&t, c, &query, BANK_C, false);
    assert_int_equal(left_of(&t, &consent), 1);
    open_with_consent(&t, c, &query, &consent);
    aborted_by_asker(&t, c, &query, 1U << BANK_A | 1U << BANK_B);
    file_own(&t, c, &query, BANK_C, true);
    assert_int_equal(left_of(&t, &consent), 1);
    open_with_consent(&t, c, &query, &consent); /* the asker itself shared */
    town_ok(&t, close_tx(&t, c, query.text, LEDGER_RECEIPT_ABORTED, true, 1U << BANK_A));
    file_own(&t, c, &query, BANK_B, false);
    file_own(&t, c, &query, BANK_C, false);
    assert_int_equal(left_of(&t, &consent), 1);
    json_decref(c);
    town_release(&t);
}

/* A fifth member, that computes. */
static void let_in(struct town *t)
{
    struct base_buf tx = town_tx(t, LEDGER_TX_MEMBER_PROPOSE, BANK_A,
                                 json_pack("{s:s, s:O, s:[s], s:s}", "alias", "newcomer",
                                           "document", did_document_json(t->who[NEWCOMER].doc),
                                           "roles", "compute", "endpoint", "127.0.0.1:7005"));
    struct town_id id = town_tx_id(&tx);

    town_ok(t, tx);
    for (int who = BANK_B; who <= BANK_C; who++)
        town_ok(t, town_tx(t, LEDGER_TX_MEMBER_VOTE, who,
                           json_pack("{s:s, s:b}", "proposal", id.text, "accept", 1)));
}

/* bank_c provides and does not compute: it never comes back, and those who would have received its
 * shares say that they have not. */
void test_refund_by_compute_parties(void **state)
{
    struct town_id query, consent;
    struct town t;
    json_t *c, *draft;

    (void)state;
    town_init(&t, NULL);
    let_in(&t);
    draft = town_contract_subject(&t);
    assert_int_equal(
        json_array_set_new(json_object_get(draft, "compute"), 2, json_string("newcomer")), 0);
    c = town_set_up(&t, draft);
    open_with_consent(&t, c, &query, &consent);
    aborted_by_asker(&t, c, &query, 1U << BANK_A | 1U << BANK_B);
    assert_int_equal(left_of(&t, &consent), 1);
    file_own(&t, c, &query, NEWCOMER, false);
    assert_int_equal(left_of(&t, &consent), 2);
    file_own(&t, c, &query, BANK_C, false); /* and nothing is given back twice */
    assert_int_equal(left_of(&t, &consent), 2);
    open_with_consent(&t, c, &query, &consent); /* bank_c shared, and nobody else knows of it */
    file_own(&t, c, &query, BANK_C, true);
    aborted_by_asker(&t, c, &query, 1U << BANK_A | 1U << BANK_B);
    file_own(&t, c, &query, NEWCOMER, false);
    assert_int_equal(left_of(&t, &consent), 1);
    json_decref(c);
    town_release(&t);
}

void test_refund(void **state)
{
    static const struct {
        enum ledger_outcome_kind outcome;
        bool shared;
        unsigned signers;
        int64_t left; /* of two */
    } cases[] = {
        {LEDGER_RECEIPT_DONE, true, EVERY_BANK, 1},
        {LEDGER_RECEIPT_ABORTED, true, EVERY_BANK, 1},    /* inputs were shared */
        {LEDGER_RECEIPT_ABORTED, false, 1U << BANK_A, 1}, /* so says the asker alone */
        {LEDGER_RECEIPT_ABORTED, false, 1U << BANK_A | 1U << BANK_B, 1},
        {LEDGER_RECEIPT_ABORTED, false, EVERY_BANK, 2},
        {LEDGER_RECEIPT_REFUSED, false, EVERY_BANK, 2},
    };
    struct town t;
    json_t *c;
    size_t i;

    (void)state;
    town_init(&t, NULL);
    c = town_set_up(&t, town_contract_subject(&t));
    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *consent = town_consent(&t, NULL, NULL);
        struct town_id consent_id = town_inner_id(consent), id;
        struct base_buf tx;

        town_ok(&t, consent_tx(&t, consent));
        tx = open_tx(&t, town_open(&t, c, consent_id.text));
        id = town_tx_id(&tx);
        town_ok(&t, tx);
        assert_int_equal(left_of(&t, &consent_id), 1);
        town_ok(&t, close_tx(&t, c, id.text, cases[i].outcome, cases[i].shared, cases[i].signers));
        assert_int_equal(left_of(&t, &consent_id), cases[i].left);
    }
    json_decref(c);
    town_release(&t);
}
