/* Time that passes under CometBFT, without blocks and with empty ones: what ran out meanwhile has
 * run out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/abci/test_fake.h"

static struct fake *f;

static int set_up(void **state)
{
    (void)state;
    f = calloc(1, sizeof *f);
    assert_non_null(f);
    fake_init(f);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_release(f);
    free(f);
    return 0;
}

/* Almost half an hour, which the query has, without a quorum or idle: the block that follows has
 * the time from before it. What ran out meanwhile has run out, whoever proposes otherwise. */
static void test_halt(void **state)
{
    enum { ACCEPT = 1, REJECT = 2, HALT_MS = 29 * 60 * 1000 };
    struct town *t = &f->town;
    json_t *c = town_set_up(t, town_contract_subject(t)), *consent;
    struct town_id id;
    struct base_buf open;
    struct ledger_outcome outcome;
    struct ledger_bytes tx;
    struct ledger_block block = {.txs = &tx, .count = 1};
    size_t first;

    (void)state;
    consent = town_consent(t, NULL,
                           json_pack("{s:I}", "expires", (json_int_t)(t->time_ms + HALT_MS / 2)));
    id = town_inner_id(consent);
    town_ok(t, town_tx(t, LEDGER_TX_CONSENT_GRANT, BANK_B, json_pack("{s:o}", "consent", consent)));
    open = town_tx(t, LEDGER_TX_QUERY_OPEN, BANK_A, town_open(t, c, id.text));
    fake_hear(f);
    fake_replay(f, f->height);
    tx = (struct ledger_bytes){open.p, open.len};
    block.height = f->height + 1;
    block.time_ms = t->time_ms + 1000;
    f->now.unix_ms = block.time_ms + 2500; /* before the halt */
    assert_int_equal(fake_prepare(f, block.time_ms, &open, 1, 1 << 20, &first), 1);
    assert_int_equal(fake_process(f, &block), ACCEPT);
    f->now.unix_ms++; /* no more proposed, but what was under way may arrive */
    assert_int_equal(fake_prepare(f, block.time_ms, &open, 1, 1 << 20, &first), 0);
    f->now.unix_ms = block.time_ms + 5000;
    assert_int_equal(fake_process(f, &block), ACCEPT);
    f->now.unix_ms++;
    assert_int_equal(fake_process(f, &block), REJECT);
    assert_true(strstr(f->event, "5001 ms behind our clock") != NULL);
    f->now.unix_ms = block.time_ms + HALT_MS; /* after it */
    assert_int_equal(fake_prepare(f, block.time_ms, &open, 1, 1 << 20, &first), 0);
    assert_int_equal(fake_process(f, &block), REJECT);
    for (int i = 0; i < 5; i++) { /* others, between: it is not refused afresh for them */
        block.time_ms--;
        assert_int_equal(fake_process(f, &block), REJECT);
    }
    block.time_ms += 5;
    assert_int_equal(fake_process(f, &block), ACCEPT); /* a third time: others are locked on it */
    block.count = 0;
    assert_int_equal(fake_process(f, &block), ACCEPT);
    town_wait(t, 1000); /* the empty one is decided; what follows has the time of its votes */
    block.time_ms = f->now.unix_ms;
    block.height++;
    block.count = 1;
    fake_hear(f);
    fake_replay(f, f->height);
    assert_int_equal(fake_prepare(f, block.time_ms, &open, 1, 1 << 20, &first), 1);
    assert_int_equal(fake_process(f, &block), ACCEPT);
    town_block(t, &outcome, &open, 1, block.time_ms - t->time_ms); /* releases it */
    assert_int_equal(outcome.verdict, LEDGER_REFUSED);
    assert_int_equal(outcome.rule, LEDGER_RULE_CONSENT_EXPIRED);
    fake_hear(f);
    fake_replay(f, f->height);
    json_decref(c);
}

/* A consent to bank_a for so long, relayed by bank_b. */
static struct town_id consent_for(int64_t ms)
{
    struct town *t = &f->town;
    json_t *consent =
        town_consent(t, NULL, json_pack("{s:I}", "expires", (json_int_t)(t->time_ms + ms)));
    struct town_id id = town_inner_id(consent);

    town_ok(t, town_tx(t, LEDGER_TX_CONSENT_GRANT, BANK_B, json_pack("{s:o}", "consent", consent)));
    return id;
}

/* Through every request that a transaction meets: it may wait, is proposed, voted for, executed. */
static struct ledger_outcome decide(struct base_buf tx)
{
    enum { ACCEPT = 1 };
    struct ledger_bytes bytes = {tx.p, tx.len};
    struct ledger_block block = {.txs = &bytes, .count = 1, .height = f->height + 1};
    struct ledger_outcome outcome;
    size_t first;

    block.time_ms = f->now.unix_ms = f->town.time_ms + 1000;
    assert_int_equal(fake_check(f, tx.p, tx.len), 0); /* a refused one belongs on the log */
    assert_int_equal(fake_prepare(f, block.time_ms, &tx, 1, 1 << 20, &first), 1);
    assert_int_equal(fake_process(f, &block), ACCEPT);
    town_block(&f->town, &outcome, &tx, 1, 1000); /* releases it */
    fake_hear(f);
    fake_replay(f, f->height);
    return outcome;
}

/* An idle hour, with an empty block now and then and a node that is started again in it. A consent
 * for half an hour is over; one for two hours holds. */
static void test_idle_hour(void **state)
{
    enum { TURNS = 12 };
    struct town *t = &f->town;
    json_t *c = town_set_up(t, town_contract_subject(t));
    struct town_id brief = consent_for(HOUR_MS / 2), lasting = consent_for(2 * HOUR_MS);
    struct base_buf before;
    struct ledger_outcome outcome;

    (void)state;
    before = town_tx(t, LEDGER_TX_QUERY_OPEN, BANK_A, town_open(t, c, brief.text));
    fake_hear(f);
    fake_replay(f, f->height);
    outcome = decide(town_tx(t, LEDGER_TX_QUERY_OPEN, BANK_A, town_open(t, c, brief.text)));
    assert_int_equal(outcome.verdict, LEDGER_OK); /* it holds as yet, and has a use left */
    for (int i = 0; i < TURNS; i++) {
        town_wait(t, HOUR_MS / TURNS);
        f->now.unix_ms = t->time_ms + 100;
        fake_hear(f);
        if (i == TURNS / 2) {
            fake_crash(f);
            fake_start(f);
        }
        fake_replay(f, f->height);
    }
    outcome = decide(town_tx(t, LEDGER_TX_QUERY_OPEN, BANK_A, town_open(t, c, brief.text)));
    assert_int_equal(outcome.verdict, LEDGER_REFUSED);
    assert_int_equal(outcome.rule, LEDGER_RULE_CONSENT_EXPIRED);
    assert_int_equal(fake_check(f, before.p, before.len), 1); /* its own time is over too */
    base_buf_release(&before);
    outcome = decide(town_tx(t, LEDGER_TX_QUERY_OPEN, BANK_A, town_open(t, c, lasting.text)));
    assert_int_equal(outcome.verdict, LEDGER_OK);
    json_decref(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_halt, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_idle_hour, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
