/* The engine among liars: a sequencer with two faces or a false clock, forged and contradicting
 * signatures, damaged messages. */
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

/* ---- a lying sequencer ---- */

/* bank_a has two nodes: one shows its blocks to bank_b alone, the other to all others. Both hear
 * everybody's heads, so both think that a quorum is there. */
static void lying_sequencer(uint64_t seed, size_t members, size_t quorum)
{
    struct world *w = world_new(seed, members, quorum);
    size_t twin = world_twin(w, 0);

    for (size_t i = 0; i < w->n_nodes; i++) {
        w->node[i].side = i == 1 || i == twin;
        world_start(w, i);
    }
    world_link_all(w, true);
    assert_true(world_run_settled(w, 1500)); /* genesis is one */
    w->two_faced = true;
    for (size_t b = 2; b < members; b++)
        world_link(w, 1, b, false);
    for (size_t i = 0; i < members; i++)
        world_submit(w, i);
    world_run(w, w->now + 3000);
    assert_true(w->node[2].final_height > 0);
    /* The minority executed another block, but cannot make it final. */
    assert_int_equal(w->node[1].height, 1);
    assert_int_equal(w->node[1].final_height, 0);
    for (size_t b = 2; b < members; b++)
        world_link(w, 1, b, true);
    for (size_t i = 1; i < members; i++)
        world_submit(w, i);
    world_run(w, w->now + 6000);
    /* bank_b alone has seen one history only; it knows of the other and cosigns nothing more. */
    assert_int_equal(w->node[1].final_height, 0);
    assert_int_not_equal(ledger_engine_state(w->node[1].engine), LEDGER_ENGINE_SETTLED);
    assert_int_not_equal(ledger_engine_state(w->node[1].engine), LEDGER_ENGINE_PENDING);
    for (size_t i = 2; i < members; i++) {
        struct world_node *n = &w->node[i];
        if (ledger_engine_state(n->engine) != LEDGER_ENGINE_STOPPED)
            world_print(w);
        assert_int_equal(ledger_engine_state(n->engine), LEDGER_ENGINE_STOPPED);
        assert_int_equal(n->events[LEDGER_ENGINE_FORKED], 1);
        assert_non_null(strstr(n->text, "the ledger has forked at block"));
        world_stop(w, i); /* the evidence is on disk */
        world_start(w, i);
        assert_int_equal(ledger_engine_state(n->engine), LEDGER_ENGINE_STOPPED);
        world_run(w, w->now + 10);
        assert_int_equal(n->events[LEDGER_ENGINE_FORKED], 2);
    }
    world_free(w);
}

static void a_lying_sequencer_is_found_out(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 2; i++) {
        lying_sequencer(world_base_seed + i, 4, 3);
        lying_sequencer(world_base_seed + i, 5, 4);
    }
}

/* The same under a hostile network with random sides: never two final states at a height (W1). */
static void a_lying_sequencer_never_gets_two_finals(void **state)
{
    (void)state;
    for (uint64_t k = 0; k < 2; k++) {
        struct world *w = world_new(world_base_seed + k, 5, 4);
        (void)world_twin(w, 0);
        for (size_t i = 0; i < w->n_nodes; i++)
            world_start(w, i);
        world_link_all(w, true);
        w->two_faced = true;
        w->loss = 10;
        w->doubled = 10;
        w->delay_max = 40;
        for (unsigned i = 0; i < 30; i++) {
            size_t at = world_random(w) % w->n_nodes;
            for (size_t j = 1; j < w->n_nodes; j++)
                w->node[j].side = world_random(w) % 2; /* the first twin stays on side 0 */
            if (i % 10 == 9) {
                world_stop(w, at);
                world_start(w, at);
                world_link_all(w, true);
            }
            for (unsigned j = 0; j < 4; j++)
                world_submit(w, world_random(w) % w->n_nodes);
            world_run(w, w->now + (int64_t)(world_random(w) % 1500));
        }
        print_message("  %llu accusations, %llu stopped\n",
                      (unsigned long long)world_total(w, LEDGER_ENGINE_ACCUSED),
                      (unsigned long long)world_total(w, LEDGER_ENGINE_FORKED));
        world_free(w);
    }
}

/* ---- one member that lies ---- */

/* A checkpoint with these members' signatures, sent from one member's channel to node `to`
 * (WORLD_NODES: to all). root NULL: an invented one. forged: the signatures are not right. */
static void hand_checkpoint(struct world *w, size_t from, size_t to, uint64_t size,
                            const uint8_t *root, size_t first, size_t last, bool forged)
{
    struct ledger_checkpoint c = {.size = size};
    struct ledger_message m = {.kind = LEDGER_MESSAGE_CHECKPOINT};
    struct base_buf text = {0}, bytes = {0};
    struct base_err err = {0};

    memcpy(c.chain, w->chain_id, 32);
    memset(c.root, 0x66, 32);
    if (root != NULL)
        memcpy(c.root, root, 32);
    for (size_t i = first; i <= last; i++) {
        struct ledger_cosignature *line = &c.cosigner[c.n++];
        assert_int_equal(ledger_cosign(line, &c, w->did[i], w->secret[i], 1763600000, &err), FM_OK);
        line->signature[40] ^= forged;
    }
    assert_int_equal(ledger_checkpoint_encode(&text, &c, &err), FM_OK);
    m.checkpoint = base_buf_cstr(&text);
    assert_int_equal(ledger_message_encode(&bytes, &m, &err), FM_OK);
    for (size_t i = 0; i < w->n_nodes; i++)
        if (i != from && (to == WORLD_NODES || to == i))
            world_hand(w, from, i, bytes.p, bytes.len);
    base_buf_release(&text);
    base_buf_release(&bytes);
}

static void hand_lie(struct world *w, size_t liar, uint64_t size)
{
    hand_checkpoint(w, liar, WORLD_NODES, size, NULL, liar, liar, false);
}

static void forged_signatures_do_nothing(void **state)
{
    struct world *w = world_running(world_base_seed, 4, 4); /* everybody is needed */
    struct ledger_engine_status s;
    const struct ledger_head *head;

    (void)state;
    world_run(w, 1500);
    hand_checkpoint(w, 3, 0, 1000, NULL, 0, 3, true); /* a quorum is ahead? */
    hand_checkpoint(w, 3, 1, 1000, NULL, 0, 3, true);
    hand_checkpoint(w, 3, 1, 1, NULL, 0, 3, true); /* all others contradict us? */
    world_run(w, w->now + 5);
    for (size_t i = 0; i < 2; i++) {
        ledger_engine_status(w->node[i].engine, &s);
        assert_int_equal(s.known_size, 1);
        assert_int_equal(s.state, LEDGER_ENGINE_SETTLED);
    }
    assert_int_equal(w->peer_errors, 1);
    assert_int_equal(world_total(w, LEDGER_ENGINE_ACCUSED), 0);

    /* bank_d is quicker than bank_b and gives a false signature in its name: the true one, from
     * bank_b's own channel, takes its place at once. */
    w->delay_min = w->delay_max = 10;
    world_submit(w, 0);
    world_run(w, w->now + 11);
    w->delay_min = w->delay_max = 1;
    head = ledger_chain_head(w->node[3].chain);
    hand_checkpoint(w, 3, 0, head->log_size, head->app_hash, 1, 1, true);
    assert_true(world_run_settled(w, w->now + 40));
    world_free(w);
}

static void one_member_cannot_stop_everybody(void **state)
{
    struct world *w = world_running(world_base_seed, 4, 3);

    (void)state;
    world_run(w, 1500);
    for (unsigned i = 0; i < 8; i++)
        world_submit(w, i % 4);
    assert_true(world_run_settled(w, 4000));
    hand_lie(w, 3, ledger_chain_head(w->node[0].chain)->log_size);
    hand_lie(w, 3, 2); /* no block ends there, or another root */
    hand_lie(w, 3, 100000);
    world_run(w, w->now + 100);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(w->node[i].events[LEDGER_ENGINE_ACCUSED], 1);
        assert_non_null(strstr(w->node[i].text, "bank_d signed a state of"));
    }
    world_submit(w, 1);
    assert_true(world_run_settled(w, w->now + 4000));
    world_stop(w, 2); /* remembered, and still no reason to stop */
    world_start(w, 2);
    world_link_all(w, true);
    world_submit(w, 2);
    assert_true(world_run_settled(w, w->now + 4000));
    assert_int_equal(world_total(w, LEDGER_ENGINE_FORKED), 0);

    hand_lie(w, 2,
             ledger_chain_head(w->node[0].chain)->log_size); /* a second one: no quorum left */
    world_run(w, w->now + 100);
    assert_int_equal(ledger_engine_state(w->node[0].engine), LEDGER_ENGINE_STOPPED);
    assert_int_equal(ledger_engine_state(w->node[1].engine), LEDGER_ENGINE_STOPPED);
    world_free(w);
}

/* A sequencer that lies about time: valid in all else, dated before what it told us; or that
 * vouches for what only a ledger of validators has. Then the truth. */
static void a_backdated_block_is_held_back(void **state)
{
    static const struct {
        int64_t ago;
        size_t vouched;
        int heard, taken; /* errors of peers: from another, and then from the sequencer */
    } told[] = {{10000, 0, 1, 1}, {0, 1, 2, 3}, {0, 0, 4, 4}};
    struct world *w = world_running(world_base_seed, 4, 3);
    struct ledger_checkpoint c = {.size = 3, .n = 1};
    struct base_buf tx = {0}, block_bytes = {0}, text = {0}, bytes = {0};
    struct ledger_message m = {.kind = LEDGER_MESSAGE_BLOCK, .blocks = &block_bytes, .n_blocks = 1};
    struct base_err err = {0};
    struct ledger_bytes one;
    struct ledger_block block = {.height = 1, .txs = &one, .count = 1};

    (void)state;
    world_run(w, 20000);
    world_make_tx(w, &tx, 1, true, 1763600000000 + 60000);
    one = (struct ledger_bytes){tx.p, tx.len};
    memcpy(c.chain, w->chain_id, 32);
    assert_int_equal(ledger_cosign(&c.cosigner[0], &c, w->did[0], w->secret[0], 1763600000, &err),
                     FM_OK);
    assert_int_equal(ledger_checkpoint_encode(&text, &c, &err), FM_OK);
    m.checkpoint = base_buf_cstr(&text);
    for (size_t i = 0; i < 3; i++) {
        block.time_ms = 1763600000000 + w->now - told[i].ago;
        block.vouched = told[i].vouched;
        base_buf_clear(&block_bytes);
        base_buf_clear(&bytes);
        assert_int_equal(ledger_block_encode(&block_bytes, &block, &err), FM_OK);
        assert_int_equal(ledger_message_encode(&bytes, &m, &err), FM_OK);
        w->liar = true;
        world_hand(w, 3, 1, bytes.p, bytes.len); /* from the sequencer alone */
        world_run(w, w->now + 5);
        assert_int_equal(w->peer_errors, told[i].heard);
        assert_int_equal(ledger_chain_head(w->node[1].chain)->height, 0);
        world_hand(w, 0, 1, bytes.p, bytes.len);
        world_run(w, w->now + 20);
        assert_int_equal(w->peer_errors, told[i].taken);
        assert_int_equal(ledger_chain_head(w->node[1].chain)->height, i == 2);
        assert_int_equal(w->node[1].events[LEDGER_ENGINE_SKEW], 1);
    }
    /* ... and a false signature over what the block leads to stops bank_b, with the proof. */
    assert_int_equal(ledger_engine_state(w->node[1].engine), LEDGER_ENGINE_STOPPED);
    base_buf_release(&tx);
    base_buf_release(&block_bytes);
    base_buf_release(&text);
    base_buf_release(&bytes);
    world_free(w);
}

/* ---- damage ---- */

static struct base_buf stolen[64];
static size_t n_stolen;

/* Damaged and invented messages from a member's own channel. */
static void damaged_messages_do_no_harm(void **state)
{
    struct world *w = world_running(world_base_seed, 4, 3);

    (void)state;
    world_run(w, 1500);
    for (unsigned round = 0; round < 30; round++) {
        for (unsigned i = 0; i < 4; i++)
            world_submit(w, i);
        for (size_t i = 0; i < w->queued && n_stolen < 64; i++) {
            base_buf_clear(&stolen[n_stolen]);
            base_buf_put(&stolen[n_stolen++], w->queue[i].bytes, w->queue[i].len);
        }
        for (unsigned i = 0; i < 60 && n_stolen > 0; i++) {
            struct base_buf copy = {0}, *b = &stolen[world_random(w) % n_stolen];
            base_buf_put(&copy, b->p, b->len);
            for (unsigned k = 0; k < i % 3; k++) /* 0: a replay */
                copy.p[world_random(w) % copy.len] = (uint8_t)world_random(w);
            world_hand(w, 3, world_random(w) % 3, copy.p, copy.len);
            base_buf_release(&copy);
        }
        world_run(w, w->now + 40);
        n_stolen = round % 4 == 3 ? 0 : n_stolen;
    }
    assert_true(world_run_settled(w, w->now + 5000));
    assert_true(w->peer_errors > 0);
    assert_int_equal(world_total(w, LEDGER_ENGINE_FORKED), 0);
    for (size_t i = 0; i < 64; i++)
        base_buf_release(&stolen[i]);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lying_sequencer_is_found_out),
        cmocka_unit_test(a_lying_sequencer_never_gets_two_finals),
        cmocka_unit_test(forged_signatures_do_nothing),
        cmocka_unit_test(one_member_cannot_stop_everybody),
        cmocka_unit_test(a_backdated_block_is_held_back),
        cmocka_unit_test(damaged_messages_do_no_harm),
    };

    world_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
