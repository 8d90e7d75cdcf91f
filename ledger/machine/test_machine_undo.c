/* A deactivation by officers, undone by the recovery key: in time and not, before the rules that
 * allow it and after, again and again; and the verifier, whose rules are its own, says the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "did/draft.h"
#include "did/succession.h"
#include "ledger/machine/test_machine.h"
#include "ledger/machine/test_machine_trail.h"
#include "ledger/verify/members.h"

static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

static void expect(struct town *t, struct base_buf tx, enum ledger_rule rule)
{
    if (rule == LEDGER_RULE_OK)
        town_ok(t, tx);
    else
        town_refused(t, tx, rule);
}

/* Deactivated; that long after, the recovery key tries. */
static void try_after(int rules, int64_t wait_ms, enum ledger_rule rule)
{
    struct did_document *last;
    struct did_secret *old;
    struct town t;
    json_t *body;

    trail_begin(&t, rules, TRAIL_PLAIN);
    old = t.who[BANK_C].recovery;
    town_ok(&t, town_deactivate(&t, BANK_C));
    body = town_come_back(&t, BANK_C, &last);
    /* town_run()'s block is a second after the one before. */
    if (wait_ms > 1000)
        town_wait(&t, wait_ms - 1000);
    expect(&t, town_recovery(&t, BANK_C, body, old), rule);
    if (rule == LEDGER_RULE_OK) {
        /* It signs for itself again; its membership is the members' affair. */
        town_refused(&t, town_publish(&t, BANK_C, 1, 1, "balance"), LEDGER_RULE_MEMBER_SUSPENDED);
        assert_string_equal(
            json_string_value(json_object_get(trail_state(&t, "member/bank_c"), "status")),
            "suspended");
        /* The key that was shown is used up. */
        body = town_update(did_document_hash32(last),
                           json_incref((json_t *)(uintptr_t)did_document_json(last)));
        town_refused(&t, town_recovery(&t, BANK_C, body, old), LEDGER_DROP_PROOF);
    }
    ledger_verified_free(trail_verify(&t, 1 << BANK_A | 1 << BANK_B | 1 << REGULATOR));
    did_document_free(last);
    did_secret_free(old);
    trail_end(&t);
}

void test_deactivation_undone(void **state)
{
    (void)state;
    try_after(3, 1000, LEDGER_RULE_OK);
    try_after(3, DID_OVERRIDE_MS - 1, LEDGER_RULE_OK);
    try_after(3, DID_OVERRIDE_MS, LEDGER_RULE_DID_SUCCESSION);
    try_after(2, 1000, LEDGER_RULE_DID_SUCCESSION);
    try_after(1, 1000, LEDGER_RULE_DID_SUCCESSION);
}

/* Undone, and deactivated again by the recovery key itself: that stands, however early. */
void test_deactivation_for_good(void **state)
{
    struct did_document *last, *end;
    struct did_draft draft = {0};
    struct did_secret *old, *second;
    struct base_buf block[2];
    struct ledger_outcome out[2];
    struct town t;
    json_t *body, *wrong;

    (void)state;
    trail_begin(&t, 3, TRAIL_PLAIN);
    old = t.who[BANK_C].recovery;
    block[0] = town_deactivate(&t, BANK_C);
    body = town_come_back(&t, BANK_C, &last);
    /* What stays deactivated undoes nothing. */
    block[1] = town_recovery(&t, BANK_C, body, old);
    town_block(&t, out, block, 2, 1000); /* in one block */
    assert_int_equal(out[0].verdict, LEDGER_OK);
    assert_int_equal(out[1].verdict, LEDGER_OK);

    second = t.who[BANK_C].recovery;
    must(did_draft_next(&draft, t.who[BANK_C].doc, &err));
    did_draft_deactivate(&draft);
    must(did_draft_build(&end, &draft, DID_RULES_VERSION, &err));
    did_draft_release(&draft);
    town_ok(&t, town_recovery(&t, BANK_C,
                              town_update(did_document_hash32(t.who[BANK_C].doc),
                                          json_incref((json_t *)(uintptr_t)did_document_json(end))),
                              second));
    did_document_free(last);
    wrong = town_come_back(&t, BANK_C, &last);
    town_refused(&t, town_recovery(&t, BANK_C, wrong, second), LEDGER_RULE_DID_SUCCESSION);
    ledger_verified_free(trail_verify(&t, 1 << BANK_A | 1 << BANK_B | 1 << REGULATOR));
    did_document_free(end);
    did_document_free(last);
    did_secret_free(old);
    did_secret_free(second);
    trail_end(&t);
}

/* An accepted transaction as the verifier follows it. */
static void follow(struct ledger_members *m, struct base_buf bytes)
{
    struct ledger_tx tx;

    must(ledger_tx_parse(&tx, bytes.p, bytes.len, 1 << 20, &err));
    must(ledger_members_apply(m, &tx, &err));
    ledger_tx_release(&tx);
    base_buf_release(&bytes);
}

/* A log that has accepted it too late is not believed. */
void test_undoing_is_judged(void **state)
{
    static const struct {
        int64_t after_ms;
        fm_status want;
    } cases[] = {{0, FM_OK}, {DID_OVERRIDE_MS - 1, FM_OK}, {DID_OVERRIDE_MS, FM_E_INVALID}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ledger_members *m;
        struct did_document *last;
        struct did_secret *old;
        struct base_buf first;
        struct town t;
        town_init_rules(&t, NULL, 3);
        old = t.who[BANK_C].recovery;
        must(ledger_members_new(&m, t.genesis, t.chain_id, &err));
        first = town_deactivate(&t, BANK_C);
        follow(m, first);
        must(ledger_members_end_block(m, 1, 5000, &err));
        follow(m, town_recovery(&t, BANK_C, town_come_back(&t, BANK_C, &last), old));
        assert_int_equal(ledger_members_end_block(m, 2, 5000 + cases[i].after_ms, &err),
                         cases[i].want);
        assert_false(ledger_members_by_alias(m, "bank_c")->active);
        ledger_members_free(m);
        did_document_free(last);
        did_secret_free(old);
        town_release(&t);
    }
}
