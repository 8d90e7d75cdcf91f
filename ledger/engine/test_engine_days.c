/* The engine on bad days: the sequencer is gone or comes back with an old disk, a node was away, a
 * member is suspended, clocks are wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/engine/engine_message.h"
#include "ledger/engine/test_engine_world.h"

/* ---- operating ---- */

static void a_silent_sequencer_is_named(void **state)
{
    struct world *w = world_running(world_base_seed, 4, 3);
    const struct world_node *b = &w->node[1];

    (void)state;
    world_run(w, 3000);
    assert_int_equal(world_total(w, LEDGER_ENGINE_SILENT), 0);
    world_stop(w, 0);
    world_submit(w, 1);
    world_run(w, 9500);
    assert_int_equal(b->events[LEDGER_ENGINE_SILENT], 1);
    assert_string_equal(
        b->text, "sequencer bank_a silent for 5 s: nothing becomes final until it is back, or "
                 "members hand over to another (firmiana ledger epoch approve)");
    world_run(w, 14500);
    assert_int_equal(b->events[LEDGER_ENGINE_SILENT], 2);
    assert_int_equal(w->tx[0].results, 0);
    world_start(w, 0);
    world_link_all(w, true);
    assert_true(world_run_settled(w, w->now + 2000));
    assert_int_equal(b->events[LEDGER_ENGINE_HEARD], 1);
    assert_int_equal(w->tx[0].verdict, LEDGER_OK);
    world_free(w);
}

static void a_submission_expires(void **state)
{
    struct world *w = world_running(world_base_seed, 4, 3);
    struct world_tx *tx = &w->tx[0];
    struct ledger_now now = {.unix_ms = 1763600000000 + 1500, .mono_ms = 1500};
    struct ledger_outcome outcome;
    struct base_buf bytes = {0};
    struct base_err err = {0};

    (void)state;
    world_run(w, 1500);
    world_stop(w, 0);
    world_make_tx(w, &bytes, 1, true, now.unix_ms + 4000);
    assert_int_equal(
        ledger_engine_submit(w->node[1].engine, &outcome, bytes.p, bytes.len, now, &err), FM_OK);
    *tx = (struct world_tx){.bytes = bytes.p, .len = bytes.len, .node = 1};
    memcpy(tx->id, outcome.id, 32);
    w->n_txs = 1;
    assert_int_equal(
        ledger_engine_submit(w->node[1].engine, &outcome, bytes.p, bytes.len, now, &err),
        FM_E_CONFLICT);
    assert_string_equal(err.text, "this transaction is on its way already");
    world_run(w, 9000);
    assert_int_equal(tx->results, 0);
    world_run(w, 12000);
    assert_int_equal(tx->results, 1);
    assert_int_equal(tx->verdict, LEDGER_DROPPED);
    now.unix_ms += 12000;
    now.mono_ms += 12000;
    assert_int_equal(
        ledger_engine_submit(w->node[1].engine, &outcome, bytes.p, bytes.len, now, &err),
        FM_E_REFUSED);
    assert_memory_equal(err.text, "the ledger would not take it: ", 30);
    world_free(w);
}

static void who_was_away_catches_up(void **state)
{
    struct world *w = world_running(world_base_seed, 4, 3);
    unsigned blocks;

    (void)state;
    world_run(w, 1500);
    world_stop(w, 3);
    for (unsigned i = 0; i < 60; i++) {
        world_submit(w, i % 3);
        world_run(w, w->now + 10);
    }
    assert_true(ledger_chain_head(w->node[0].chain)->height > 40);
    blocks = w->sent_by_kind[LEDGER_MESSAGE_BLOCKS];
    world_start(w, 3);
    world_link_all(w, true);
    assert_true(world_run_settled(w, w->now + 1000));
    assert_in_range(w->sent_by_kind[LEDGER_MESSAGE_BLOCKS] - blocks, 1, 3);
    assert_int_equal(w->peer_errors, 0);
    world_free(w);
}

/* ... unless those who have the blocks have pruned them: one may, and all may not. */
static void pruned_blocks_are_fetched_elsewhere(void **state)
{
    struct world *w = world_running(world_base_seed, 4, 3);
    const struct world_node *d = &w->node[3];
    struct base_err err;
    uint64_t before, leaf;

    (void)state;
    world_run(w, 1500);
    world_stop(w, 3);
    leaf = ledger_chain_head(w->node[0].chain)->log_size; /* the first that it misses */
    for (unsigned i = 0; i < 5; i++) {
        world_submit(w, i % 3);
        world_run(w, w->now + 50);
    }
    world_must(ledger_chain_erase(w->node[0].chain, leaf, &err), &err);
    world_start(w, 3);
    world_link_all(w, true);
    world_run(w, w->now + 3000);
    assert_int_equal(d->height, w->node[0].height);
    world_stop(w, 3);
    leaf = ledger_chain_head(w->node[0].chain)->log_size;
    world_submit(w, 1);
    world_run(w, w->now + 500);
    before = d->height;
    for (unsigned i = 0; i < 3; i++)
        world_must(ledger_chain_erase(w->node[i].chain, leaf, &err), &err);
    world_start(w, 3);
    world_link_all(w, true);
    world_run(w, w->now + 10000);
    assert_int_equal(d->height, before);
    assert_non_null(strstr(d->text, "has pruned it; others are asked in turn"));
    assert_in_range(d->events[LEDGER_ENGINE_BEHIND], 1, 4); /* said, not shouted */
    assert_int_equal(w->peer_errors, 0);
    world_free(w);
}

/* bank_a's node comes back with the disk of an hour ago. It must not make a second history: it
 * takes over what a quorum signed, from whoever has it, and then sequences. */
static void an_old_copy_of_the_sequencer_catches_up_first(void **state)
{
    struct world *w = world_running(world_base_seed, 4, 3);
    uint64_t height;

    (void)state;
    world_run(w, 1500);
    world_submit(w, 1);
    assert_true(world_run_settled(w, 3000));
    world_stop(w, 0);
    world_save(w, 0);
    world_start(w, 0);
    world_link_all(w, true);
    world_submit(w, 1);
    assert_true(world_run_settled(w, w->now + 3000));
    height = ledger_chain_head(w->node[1].chain)->height;
    world_stop(w, 0);
    world_restore(w, 0);
    world_start(w, 0);
    world_link_all(w, true);
    for (unsigned i = 0; i < 5; i++)
        world_submit(w, i % 4);
    assert_true(world_run_settled(w, w->now + 1500));
    assert_true(ledger_chain_head(w->node[0].chain)->height > height);
    for (size_t i = 0; i < w->n_txs; i++)
        assert_true(w->tx[i].results == 1 || w->tx[i].lost);
    assert_int_equal(world_total(w, LEDGER_ENGINE_FORKED), 0);
    assert_int_equal(world_total(w, LEDGER_ENGINE_ACCUSED), 0);
    assert_int_equal(w->peer_errors, 0);
    world_free(w);
}

/* ---- members that come to count no more ---- */

static void vote(struct world *w, size_t member, json_t *body, enum ledger_tx_type type)
{
    struct base_buf tx = {0};

    world_sign(w, &tx, member, type, body, 1763600000000 + 3600000);
    world_submit_bytes(w, member, &tx, LEDGER_OK);
    assert_true(world_run_settled(w, w->now + 3000));
}

static void a_suspended_member_follows_and_does_not_count(void **state)
{
    struct world *w = world_running(world_base_seed, 5, 3);
    struct ledger_engine_status s;
    struct ledger_checkpoint c;
    struct base_buf text = {0};
    struct base_err err = {0};
    uint64_t size, height;
    unsigned checkpoints;
    char proposal[65];

    (void)state;
    world_run(w, 1500);
    vote(w, 1, json_pack("{s:s, s:s}", "alias", "bank_d", "reason", "left"),
         LEDGER_TX_MEMBER_SUSPEND);
    base_hex(proposal, w->tx[0].id, 32);
    vote(w, 2, json_pack("{s:s, s:b}", "proposal", proposal, "accept", 1), LEDGER_TX_MEMBER_VOTE);
    vote(w, 0, json_pack("{s:s, s:b}", "proposal", proposal, "accept", 1), LEDGER_TX_MEMBER_VOTE);
    ledger_engine_status(w->node[3].engine, &s);
    assert_int_equal(s.active, 4);
    world_run(w, w->now + 1000 - w->now % 1000 + 500);
    checkpoints = w->sent_by_kind[LEDGER_MESSAGE_CHECKPOINT];
    world_submit(w, 1);
    assert_true(world_run_settled(w, w->now + 100)); /* bank_d executes it too */
    assert_int_equal(w->sent_by_kind[LEDGER_MESSAGE_CHECKPOINT] - checkpoints, 3 * 4);
    world_run(w, w->now + 3000);
    assert_int_equal(
        ledger_reader_final(ledger_chain_reader(w->node[0].chain), &size, &height, &text, &err),
        FM_OK);
    assert_int_equal(ledger_checkpoint_parse(&c, base_buf_cstr(&text), text.len, &err), FM_OK);
    assert_int_equal(c.n, 4);
    for (size_t i = 0; i < c.n; i++)
        assert_string_not_equal(c.cosigner[i].name, w->did[3]);
    base_buf_release(&text);
    world_stop(w, 1); /* of the four that count, two are left: bank_d's does not help */
    world_stop(w, 2);
    world_submit(w, 4);
    world_run(w, w->now + 4000);
    assert_int_equal(w->tx[w->n_txs - 1].results, 0);
    world_start(w, 2);
    world_link_all(w, true);
    world_run(w, w->now + 4000);
    assert_int_equal(w->tx[w->n_txs - 1].results, 1);
    world_free(w);
}

/* ---- clocks ---- */

static struct world *with_clock(size_t node, int64_t off)
{
    struct world *w = world_new(world_base_seed, 4, 3);

    w->node[node].clock_off = off;
    for (size_t i = 0; i < 4; i++)
        world_start(w, i);
    world_link_all(w, true);
    world_run(w, 1500);
    return w;
}

static void wrong_clocks(void **state)
{
    struct world *w = with_clock(3, -60000);
    (void)state;
    /* One follower, slow: S1 holds blocks back, finality by the others frees them. */
    world_submit(w, 1);
    world_run(w, w->now + 50);
    assert_int_equal(w->tx[0].results, 1);
    assert_true(world_run_settled(w, w->now + 4000));
    assert_non_null(strstr(w->node[3].text, "block 1 of bank_a is held back: its time is "));
    world_stop(w, 2); /* with three left, its cosignature is needed, and is not given */
    world_submit(w, 1);
    world_run(w, w->now + 4000);
    assert_int_equal(w->tx[1].results, 0);
    world_start(w, 2);
    world_link_all(w, true);
    assert_true(world_run_settled(w, w->now + 4000));
    world_free(w);

    w = with_clock(0, 60000); /* the sequencer, fast: it makes no block at all */
    world_submit(w, 1);
    world_run(w, w->now + 5000);
    assert_int_equal(ledger_chain_head(w->node[0].chain)->height, 0);
    assert_non_null(strstr(w->node[0].text, "check both"));
    world_free(w);

    w = with_clock(0, 0); /* the sequencer's steps back: its blocks are not older than its word */
    w->node[0].clock_off = -3000;
    world_submit(w, 1);
    assert_true(world_run_settled(w, w->now + 4000));
    assert_in_range(ledger_chain_head(w->node[1].chain)->time_ms, 1763600001000, 1763600001500);
    world_free(w);
}

/* Clocks jump by an hour while transactions come, and are set right again: nothing is made or taken
 * with a wrong time, somebody says whose clock it is, and then it goes on. */
static void clocks_jump_and_are_set_right(void **state)
{
    static const int64_t jumps[] = {3600000, -3600000};

    (void)state;
    for (size_t who = 0; who < 2; who++) { /* the sequencer's, a follower's */
        for (size_t k = 0; k < 2; k++) {
            struct world *w = with_clock(0, 0);
            int64_t right = w->node[who].clock_off;
            uint64_t height;
            world_submit(w, 1);
            assert_true(world_run_settled(w, w->now + 2000));
            height = ledger_chain_head(w->node[0].chain)->height;
            w->node[who].clock_off += jumps[k];
            world_run(w, w->now + 2500); /* heads go round */
            world_submit(w, 2);
            world_run(w, w->now + 3000);
            if (who == 0) {
                assert_int_equal(ledger_chain_head(w->node[1].chain)->height, height);
                assert_non_null(strstr(w->node[1].text, "the clock of bank_a is 3"));
            } else { /* three of four are a quorum */
                assert_int_equal(w->tx[1].results, 1);
                assert_non_null(strstr(w->node[0].text, "the clock of bank_b is 3"));
            }
            w->node[who].clock_off = right;
            world_submit(w, 3);
            assert_true(world_run_settled(w, w->now + 4000));
            for (size_t i = 0; i < w->n_txs; i++)
                assert_int_equal(w->tx[i].results, 1);
            assert_in_range(ledger_chain_head(w->node[1].chain)->time_ms, 1763600000000,
                            1763600000000 + w->now + 1000);
            assert_int_equal(w->peer_errors, 0);
            world_free(w);
        }
    }
}

/* Away for long: it catches up in batches, says how far it is, and keeps little. */
static void who_was_away_for_months_catches_up(void **state)
{
    const char *full = getenv("FIRMIANA_FULL");
    unsigned blocks = full != NULL && strcmp(full, "1") == 0 ? 4000 : 500;
    struct world *w = world_running(world_base_seed, 4, 3);
    unsigned messages;

    (void)state;
    world_run(w, 1500);
    world_stop(w, 3);
    for (unsigned i = 0; i < blocks; i++) {
        world_submit(w, i % 3);
        world_run(w, w->now + 4);
    }
    assert_true(ledger_chain_head(w->node[0].chain)->height > blocks / 2);
    w->delay_min = w->delay_max = 2500;
    messages = w->sent_by_kind[LEDGER_MESSAGE_BLOCKS];
    world_start(w, 3);
    world_link_all(w, true);
    assert_true(world_run_settled(w, w->now + 400000));
    assert_true(w->sent_by_kind[LEDGER_MESSAGE_BLOCKS] - messages < 8 + blocks / 10);
    assert_true(w->node[3].events[LEDGER_ENGINE_BEHIND] >= 1);
    assert_int_equal(w->peer_errors, 0);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silent_sequencer_is_named),
        cmocka_unit_test(a_submission_expires),
        cmocka_unit_test(who_was_away_catches_up),
        cmocka_unit_test(pruned_blocks_are_fetched_elsewhere),
        cmocka_unit_test(an_old_copy_of_the_sequencer_catches_up_first),
        cmocka_unit_test(a_suspended_member_follows_and_does_not_count),
        cmocka_unit_test(wrong_clocks),
        cmocka_unit_test(clocks_jump_and_are_set_right),
        cmocka_unit_test(who_was_away_for_months_catches_up),
    };

    world_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
