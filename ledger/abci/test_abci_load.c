/* What a member's invalid transactions cost the others, counted in blocks, not in seconds; and
 * rules that change under a running network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "ledger/abci/test_fake.h"

/* More than one block holds, and more than one member's quota. */
enum { INVALID = 2500, FORGED = 500, VALID = 8, TXS = INVALID + VALID };
enum { QUOTA = 200, BLOCK_TXS = 2000 }; /* of the town's genesis */

static struct fake *f;

static int set_up(void **state)
{
    (void)state;
    f = calloc(1, sizeof *f);
    assert_non_null(f);
    fake_init_validators(f, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_release(f);
    free(f);
    return 0;
}

/* ---- a flood ---- */

/* CometBFT's: what waits for a block, in the order in which it came. */
struct mempool {
    struct base_buf tx[TXS];
    size_t n;
};

static void mempool_put(struct mempool *m, struct base_buf tx)
{
    assert_int_equal(fake_check(f, tx.p, tx.len), 0);
    m->tx[m->n++] = tx;
}

/* What came there in spite of us. */
static void mempool_force(struct mempool *m, struct base_buf tx)
{
    m->tx[m->n++] = tx;
}

/* The town's block of these, executed, and its replica beside it; what the mempool has left is
 * asked about again. */
static void decide(struct mempool *m, struct ledger_outcome *out, struct base_buf *taken, size_t n)
{
    size_t left = 0;

    town_block(&f->town, out, taken, n, 1000); /* releases them */
    fake_hear(f);
    fake_replay(f, f->height);
    for (size_t i = 0; i < m->n; i++) {
        if (fake_recheck(f, m->tx[i].p, m->tx[i].len) == 0)
            m->tx[left++] = m->tx[i];
        else
            base_buf_release(&m->tx[i]);
    }
    m->n = left;
}

/* A block of what the proposer takes, decided. How many of it were ok, refused, dropped; and the
 * last of those that were ok. */
static size_t next_block(struct mempool *m, size_t count[3])
{
    struct ledger_outcome *out = calloc(m->n + 1, sizeof *out);
    struct base_buf *taken = calloc(m->n + 1, sizeof *taken);
    size_t *chosen = calloc(m->n + 1, sizeof *chosen), n, left = 0, last = 0;

    assert_true(out != NULL && taken != NULL && chosen != NULL);
    memset(count, 0, 3 * sizeof count[0]);
    f->now.unix_ms = f->town.time_ms + 1000;
    n = fake_prepare(f, f->now.unix_ms, m->tx, m->n, 1 << 23, chosen);
    for (size_t i = 0; i < n; i++) {
        taken[i] = m->tx[chosen[i]];
        m->tx[chosen[i]] = (struct base_buf){0};
    }
    for (size_t i = 0; i < m->n; i++)
        if (m->tx[i].p != NULL)
            m->tx[left++] = m->tx[i];
    m->n = left;
    decide(m, out, taken, n);
    for (size_t i = 0; i < n; i++) {
        count[out[i].verdict == LEDGER_OK ? 0 : out[i].verdict == LEDGER_REFUSED ? 1 : 2]++;
        if (out[i].verdict == LEDGER_OK)
            last = i;
    }
    free(chosen);
    free(taken);
    free(out);
    return last;
}

static void turn_away_forged(struct town *t)
{
    struct base_buf forged = town_publish(t, BANK_B, 1, 1, "balance");

    for (size_t i = 0; i < FORGED; i++) {
        forged.p[i % forged.len] ^= 1;
        assert_int_equal(fake_check(f, forged.p, forged.len), 1);
        forged.p[i % forged.len] ^= 1;
    }
    base_buf_release(&forged);
}

/* A proposer that is not honest puts as many as it likes in: nobody votes for more than the quota.
 */
static void judge_beyond_quota(const struct mempool *m)
{
    enum { ACCEPT = 1, REJECT = 2 };
    struct ledger_bytes list[QUOTA + 1];
    struct ledger_block block = {.txs = list, .count = QUOTA + 1};

    for (size_t i = 0; i < block.count; i++)
        list[i] = (struct ledger_bytes){m->tx[i].p, m->tx[i].len};
    block.height = f->height + 1;
    block.time_ms = f->now.unix_ms = f->town.time_ms + 1000;
    assert_int_equal(fake_process(f, &block), REJECT);
    assert_non_null(strstr(f->event, "1 of its 201 transactions may not stand in a block"));
    block.count--;
    assert_int_equal(fake_process(f, &block), ACCEPT);
}

static void test_flood(void **state)
{
    struct mempool *m = calloc(1, sizeof *m);
    struct town *t = &f->town;
    size_t count[3];

    (void)state;
    assert_non_null(m);
    t->unchecked = true;
    town_ok(t, town_publish(t, BANK_A, 1, 1, "balance"));
    fake_hear(f);
    fake_replay(f, f->height);
    turn_away_forged(t); /* not authentic: at the door, and no block ever holds one */
    /* Authentic, and refused by a rule: bank_b publishes versions that do not follow. */
    for (size_t i = 0; i < INVALID; i++)
        mempool_force(m, town_publish(t, BANK_B, 100 + (int64_t)i, 1, "balance"));
    judge_beyond_quota(m);
    for (size_t i = 0; i < VALID; i++) /* behind all of them */
        mempool_put(m, town_publish(t, BANK_A, 2 + (int64_t)i, 1, "balance"));
    /* They take every second place of the very next block. */
    assert_in_range(next_block(m, count), 0, 2 * VALID - 1);
    assert_int_equal(count[0], VALID);
    assert_int_equal(count[1], QUOTA); /* on the log; of the rest nothing is kept */
    assert_int_equal(count[2], 0);     /* nor executed by anyone */
    assert_int_equal(m->n, 0);
    /* More of it today does not come in at all. */
    for (size_t i = 0; i < 100; i++) {
        struct base_buf more = town_publish(t, BANK_B, 9000 + (int64_t)i, 1, "balance");
        assert_int_equal(fake_check(f, more.p, more.len), 1);
        base_buf_release(&more);
    }
    mempool_put(m, town_publish(t, BANK_C, 1, 1, "balance"));
    (void)next_block(m, count);
    assert_int_equal(count[0], 1);
    free(m);
}

/* X5: a quota of what is refused waits, of each member; the rest is turned away for now, block
 * after block, until the day's quota is used up, and then for good. */
static void test_flood_at_the_door(void **state)
{
    enum { ROOM = 0, NEVER = 1, LATER = 2, MORE = 20 };
    struct town *t = &f->town;
    struct base_buf tx[QUOTA + MORE], others = town_publish(t, BANK_A, 7, 1, "balance"), *log;
    struct ledger_outcome out[QUOTA];

    (void)state;
    t->unchecked = true;
    for (size_t i = 0; i < QUOTA + MORE; i++)
        tx[i] = town_publish(t, BANK_B, 100 + (int64_t)i, 1, "balance");
    for (size_t i = 0; i < QUOTA + MORE; i++)
        assert_int_equal(fake_check(f, tx[i].p, tx[i].len), i < QUOTA ? ROOM : LATER);
    assert_int_equal(fake_check(f, others.p, others.len), ROOM); /* a quota of its own */
    for (int i = 0; i < 2; i++) { /* empty blocks: asked again, the others not let in between */
        town_wait(t, 1000);
        fake_hear(f);
        fake_replay(f, f->height);
        for (size_t k = 0; k < QUOTA; k++)
            assert_int_equal(fake_recheck(f, tx[k].p, tx[k].len), ROOM);
        assert_int_equal(fake_check(f, tx[QUOTA].p, tx[QUOTA].len), LATER);
    }
    log = calloc(QUOTA, sizeof *log);
    assert_non_null(log);
    memcpy(log, tx, QUOTA * sizeof *log);
    town_block(t, out, log, QUOTA, 1000); /* releases them */
    fake_hear(f);
    fake_replay(f, f->height);
    for (size_t i = 0; i < QUOTA; i++)
        assert_int_equal(out[i].verdict, LEDGER_REFUSED);
    for (size_t i = QUOTA; i < QUOTA + MORE; i++) {
        assert_int_equal(fake_check(f, tx[i].p, tx[i].len), NEVER);
        base_buf_release(&tx[i]);
    }
    base_buf_release(&others);
    free(log);
}

/* Nothing is wrong with any of them, and one member has more than a block holds. */
static void test_one_member_has_much_to_say(void **state)
{
    struct mempool *m = calloc(1, sizeof *m);
    struct town *t = &f->town;
    size_t count[3];

    (void)state;
    assert_non_null(m);
    for (size_t i = 0; i < BLOCK_TXS + 50; i++)
        mempool_force(m, town_publish(t, BANK_B, 1 + (int64_t)i, 1, "balance"));
    for (size_t i = 0; i < VALID; i++)
        mempool_put(m, town_publish(t, BANK_A, 1 + (int64_t)i, 1, "balance"));
    (void)next_block(m, count);
    assert_int_equal(count[0], BLOCK_TXS); /* its versions follow: its order was kept */
    assert_int_equal(count[1] + count[2], 0);
    assert_int_equal(m->n, 50 + VALID); /* those of bank_a are not among them */
    for (size_t i = 0; i < m->n; i++)
        assert_non_null(strstr(base_buf_cstr(&m->tx[i]), did_document_id(t->who[BANK_B].doc)));
    (void)next_block(m, count);
    assert_int_equal(count[0], 50 + VALID);
    assert_int_equal(m->n, 0);
    free(m);
}

/* ---- new rules ---- */

static void vote_rules(struct town *t)
{
    struct base_buf tx =
        town_tx(t, LEDGER_TX_PARAMETER_PROPOSE, BANK_A,
                json_pack("{s:{s:i, s:I}, s:s}", "rules", "version", 2, "height",
                          (json_int_t)ledger_chain_head(t->chain)->height + 6, "reason", "test"));
    struct town_id id = town_tx_id(&tx);

    town_ok(t, tx);
    for (int i = BANK_B; i <= BANK_C; i++)
        town_ok(t, town_tx(t, LEDGER_TX_MEMBER_VOTE, i,
                           json_pack("{s:s, s:b}", "proposal", id.text, "accept", 1)));
}

/* An older program executes the last block under its rules, and nothing of the next, however often
 * it is asked and started; nor does it propose or vote for one. A newer one goes on from there, to
 * the same hashes as a replica that was new all along. */
static void test_older_program_stops_in_time(void **state)
{
    struct town *t = &f->town;
    uint64_t last;

    (void)state;
    vote_rules(t);
    for (int64_t v = 1; ledger_chain_head(t->chain)->rules_version < 2; v++)
        town_ok(t, town_publish(t, BANK_A, v, 1, "balance"));
    last = ledger_chain_head(t->chain)->height - 1; /* under version 1 */
    town_ok(t, town_publish(t, BANK_B, 1, 1, "balance"));
    fake_hear(f);
    fake_crash(f);
    f->newest_rules = 1;
    fake_start(f);
    fake_replay(f, last);
    for (int i = 0; i < 3; i++) {
        Abci__Request q = ABCI__REQUEST__INIT;
        Abci__RequestPrepare prepare = ABCI__REQUEST_PREPARE__INIT;
        Abci__Response *r;
        assert_non_null(strstr(fake_finalize(f, last + 1),
                               "follows rules version 2, this program has 1: install a newer one"));
        assert_non_null(strstr(fake_commit(f), "no block is there to commit"));
        q.value_case = ABCI__REQUEST__VALUE_PREPARE;
        q.prepare = &prepare;
        prepare.height = (int64_t)last + 1;
        r = fake_ask(f, FAKE_CONSENSUS, &q);
        assert_true(r != NULL &&
                    (r->value_case == ABCI__RESPONSE__VALUE_EXCEPTION || r->prepare->n_txs == 0));
        abci__response__free_unpacked(r, NULL);
        fake_at(f, last);
        if (i == 1) {
            fake_crash(f);
            fake_start(f);
        }
    }
    fake_crash(f); /* the newer program is installed */
    f->newest_rules = 0;
    fake_start(f);
    fake_replay(f, f->height);
    assert_int_equal(ledger_chain_head(f->chain)->rules_version, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_flood, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_flood_at_the_door, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_one_member_has_much_to_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_older_program_stops_in_time, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
