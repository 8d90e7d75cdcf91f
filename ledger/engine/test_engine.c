/* The engine among honest members: costs in messages and delays; a network that loses, doubles and
 * reorders; disks that fail. test_engine_world.h says what is asserted after every event. */
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

/* ---- costs ---- */

static void costs_are_as_the_header_says(void **state)
{
    static const size_t sizes[][2] = {{4, 3}, {5, 4}, {7, 5}};

    (void)state;
    for (size_t k = 0; k < 3; k++) {
        size_t n = sizes[k][0];
        struct world *w = world_running(world_base_seed, n, sizes[k][1]);
        unsigned before[8], *now = w->sent_by_kind;
        assert_true(world_run_settled(w, 500)); /* genesis itself becomes final */
        world_run(w, 1500);
        for (size_t submitter = 0; submitter < 2; submitter++) {
            memcpy(before, now, sizeof before);
            world_submit(w, submitter);
            world_run(w, w->now + 100);
            assert_int_equal(w->tx[submitter].results, 1);
            /* submit, block, cosignatures */
            assert_int_equal(w->tx[submitter].result_ms - w->tx[submitter].submitted_ms,
                             submitter == 0 ? 2 : 3);
            assert_int_equal(now[LEDGER_MESSAGE_SUBMIT] - before[LEDGER_MESSAGE_SUBMIT], submitter);
            assert_int_equal(now[LEDGER_MESSAGE_RECEIPT] - before[LEDGER_MESSAGE_RECEIPT],
                             submitter);
            assert_int_equal(now[LEDGER_MESSAGE_BLOCK] - before[LEDGER_MESSAGE_BLOCK], n - 1);
            assert_int_equal(now[LEDGER_MESSAGE_CHECKPOINT] - before[LEDGER_MESSAGE_CHECKPOINT],
                             (n - 1) * (n - 1));
            assert_int_equal(now[LEDGER_MESSAGE_HEAD], before[LEDGER_MESSAGE_HEAD]);
            assert_int_equal(now[LEDGER_MESSAGE_WANT], before[LEDGER_MESSAGE_WANT]);
        }
        world_free(w);
    }
}

static void many_at_once_share_blocks(void **state)
{
    struct world *w = world_running(world_base_seed, 4, 3);
    uint64_t blocks;

    (void)state;
    world_run(w, 1500);
    for (unsigned i = 0; i < 250; i++)
        world_submit(w, i % 4);
    assert_true(world_run_settled(w, 5000));
    blocks = ledger_chain_head(w->node[0].chain)->height;
    assert_in_range(blocks, 3, 8); /* 100 in a block at most */
    for (size_t i = 0; i < w->n_txs; i++)
        assert_int_equal(w->tx[i].verdict, i % 7 == 3 ? LEDGER_REFUSED : LEDGER_OK);
    /* Cosignatures that came after the quorum's are stored too. */
    world_run(w, w->now + 3000);
    for (size_t i = 0; i < 4; i++) {
        struct ledger_checkpoint c;
        struct base_buf text = {0};
        struct base_err err = {0};
        uint64_t size, height;
        assert_int_equal(
            ledger_reader_final(ledger_chain_reader(w->node[i].chain), &size, &height, &text, &err),
            FM_OK);
        assert_int_equal(ledger_checkpoint_parse(&c, base_buf_cstr(&text), text.len, &err), FM_OK);
        assert_int_equal(c.n, 4);
        assert_int_equal(height, blocks);
        base_buf_release(&text);
    }
    world_free(w);
}

/* ---- what gets lost is sent again soon, and not only with the next heartbeat ---- */

static void lost_messages_are_soon_repaired(void **state)
{
    static const unsigned kinds[] = {1u << LEDGER_MESSAGE_SUBMIT, 1u << LEDGER_MESSAGE_RECEIPT,
                                     1u << LEDGER_MESSAGE_BLOCK, 1u << LEDGER_MESSAGE_CHECKPOINT,
                                     1u << LEDGER_MESSAGE_BLOCK | 1u << LEDGER_MESSAGE_CHECKPOINT};

    (void)state;
    for (size_t k = 0; k < 5; k++) {
        for (size_t to = 0; to <= 4; to++) { /* on the way to each node, then to all */
            struct world *w = world_running(world_base_seed, 4, 3);
            world_run(w, 1500);
            w->lost_kinds = kinds[k];
            w->lost_to = to == 4 ? WORLD_NODES : to;
            world_submit(w, 1);
            world_run(w, w->now + 20);
            /* Only who has heard nothing at all needs a heartbeat. */
            w->lost_kinds = k == 4 ? 0 : 1u << LEDGER_MESSAGE_HEAD;
            w->lost_to = WORLD_NODES;
            if (!world_run_settled(w, w->now + (k == 4 ? 1000 : 450)))
                world_print(w);
            assert_true(world_run_settled(w, w->now));
            assert_int_equal(w->peer_errors, 0);
            world_free(w);
        }
    }
}

/* ... but not to a sequencer that answers, only late: once its answers are known to take longer
 * than resend_ms, each submission goes out once. */
static void what_is_answered_late_is_not_sent_again(void **state)
{
    struct world *w = world_running(world_base_seed, 4, 3);
    unsigned before;

    (void)state;
    world_run(w, 1500);
    w->delay_min = w->delay_max = 300;
    world_submit(w, 1);
    assert_true(world_run_settled(w, w->now + 5000));
    before = w->sent_by_kind[LEDGER_MESSAGE_SUBMIT];
    for (size_t i = 0; i < 50; i++) {
        world_submit(w, 1);
        world_run(w, w->now + 50);
    }
    assert_true(world_run_settled(w, w->now + 5000));
    assert_int_equal(w->sent_by_kind[LEDGER_MESSAGE_SUBMIT] - before, 50);
    world_free(w);
}

/* An answer counts from the question that it answers: who had one long ago, and asks again because
 * no block comes, does not take the sequencer for slow, and sends what is lost again soon. */
static void an_answer_is_to_the_last_question(void **state)
{
    struct world *w = world_running(world_base_seed, 4, 3);
    unsigned before;

    (void)state;
    world_run(w, 1500);
    before = w->sent_by_kind[LEDGER_MESSAGE_SUBMIT];
    w->lost_kinds = 1u << LEDGER_MESSAGE_BLOCK | 1u << LEDGER_MESSAGE_BLOCKS;
    w->lost_to = 1;
    world_submit(w, 1);
    world_run(w, w->now + 2500);
    assert_int_equal(w->sent_by_kind[LEDGER_MESSAGE_SUBMIT] - before, 2);
    w->lost_kinds = 0;
    assert_true(world_run_settled(w, w->now + 5000));
    w->lost_kinds = 1u << LEDGER_MESSAGE_SUBMIT;
    w->lost_to = WORLD_NODES;
    world_submit(w, 1);
    world_run(w, w->now + 20);
    w->lost_kinds = 0;
    assert_true(world_run_settled(w, w->now + 1000));
    world_free(w);
}

/* ---- a hostile network ---- */

static void disturb(struct world *w)
{
    size_t i = world_random(w) % w->n_nodes, j = world_random(w) % w->n_nodes;

    switch (world_random(w) % 12) {
    case 0: /* restart */
        if (w->node[i].engine != NULL)
            world_stop(w, i);
        world_start(w, i);
        break;
    case 1:
        if (w->node[i].engine != NULL)
            world_stop(w, i);
        break;
    case 2:
        for (i = 0; i < w->n_nodes; i++)
            if (w->node[i].engine == NULL)
                world_start(w, i);
        world_link_all(w, true);
        break;
    case 3: /* a partition */
        for (i = 0; i < w->n_nodes; i++)
            w->node[i].side = world_random(w) % 2;
        world_split(w);
        break;
    case 4:
        world_link(w, i, j, !w->up[i][j]);
        break;
    case 5:
        w->loss = (unsigned)(world_random(w) % 60);
        w->doubled = (unsigned)(world_random(w) % 60);
        w->delay_max = 1 + (int64_t)(world_random(w) % 200);
        break;
    default:
        world_submit(w, i);
        world_submit(w, j);
    }
}

static void hostile_network(uint64_t seed, size_t members, size_t quorum, unsigned steps)
{
    struct world *w = world_running(seed, members, quorum);

    print_message("hostile network: seed %llu, %zu members\n", (unsigned long long)seed, members);
    for (unsigned i = 0; i < steps; i++) {
        disturb(w);
        world_run(w, w->now + (int64_t)(world_random(w) % 120));
    }
    w->loss = w->doubled = 0;
    w->delay_max = 5;
    for (size_t i = 0; i < w->n_nodes; i++)
        if (w->node[i].engine == NULL)
            world_start(w, i);
    world_link_all(w, true);
    if (!world_run_settled(w, w->now + 20000)) {
        world_print(w);
        fail_msg("not settled 20 s after the network healed");
    }
    for (size_t i = 0; i < w->n_txs; i++) {
        assert_true(w->tx[i].results >= 1);
        assert_int_not_equal(w->tx[i].verdict, LEDGER_DROPPED);
    }
    assert_int_equal(world_total(w, LEDGER_ENGINE_FORKED), 0);
    assert_int_equal(world_total(w, LEDGER_ENGINE_ACCUSED), 0);
    assert_int_equal(w->peer_errors, 0); /* nobody looks like a liar for the network's faults */
    print_message("  %llu events, %llu messages, %zu transactions, height %llu\n",
                  (unsigned long long)w->events, (unsigned long long)w->sent, w->n_txs,
                  (unsigned long long)ledger_chain_head(w->node[0].chain)->height);
    world_free(w);
}

static void safe_and_live_in_hostile_networks(void **state)
{
    static const size_t sizes[][2] = {{4, 3}, {5, 3}, {5, 4}, {7, 5}, {2, 2}, {1, 1}};
    const char *rounds = getenv("FIRMIANA_ROUNDS");
    unsigned n = rounds != NULL ? (unsigned)strtoul(rounds, NULL, 10) : 6;

    (void)state;
    for (unsigned i = 0; i < n; i++)
        hostile_network(world_base_seed + i, sizes[i % 6][0], sizes[i % 6][1], 50);
}

/* ---- failures ---- */

static void every_failure_of_the_disk_is_survived(void **state)
{
    bool injected = true;

    (void)state;
    for (uint64_t at = 1; injected; at += at < 10 ? 1 : 23) {
        struct world *w = world_running(world_base_seed, 4, 3);
        world_calls = 0;
        world_fail_at = at;
        world_run(w, 1500);
        for (unsigned i = 0; i < 8; i++) {
            world_submit(w, i % 4);
            world_run(w, w->now + 7);
        }
        injected = w->world_errors > 0;
        assert_true(world_run_settled(w, w->now + 4000));
        assert_int_equal(w->world_errors, injected);
        world_fail_at = 0;
        world_free(w);
    }
}

static void wrong_use_is_refused(void **state)
{
    struct world *w = world_new(world_base_seed, 4, 3);
    struct ledger_engine_params params = ledger_engine_defaults();
    struct ledger_engine_callbacks none = {0};
    struct ledger_engine *engine;
    struct ledger_now now = {1763600000000, 0};
    struct base_err err = {0};

    (void)state;
    assert_int_equal(ledger_engine_new(&engine, w->node[0].chain, "bank_x", &none, NULL, &err),
                     FM_E_NOT_FOUND);
    assert_string_equal(err.text, "the ledger has no member 'bank_x'");
    params.resend_ms = 0;
    assert_int_equal(ledger_engine_new(&engine, w->node[0].chain, "bank_a", &none, &params, &err),
                     FM_E_ARG);
    world_start(w, 0);
    engine = w->node[0].engine;
    assert_int_equal(ledger_engine_receive(engine, "bank_x", "{}", 2, now, &err), FM_E_PEER);
    assert_string_equal(err.text, "a message from 'bank_x', who is not a peer");
    assert_int_equal(ledger_engine_peer_up(engine, "bank_a", now, &err), FM_E_ARG);
    assert_int_equal(ledger_engine_receive(engine, "bank_b", "{}", 2, now, &err), FM_OK);
    assert_int_equal(ledger_engine_peer_up(engine, "bank_b", now, &err), FM_OK);
    assert_int_equal(ledger_engine_receive(engine, "bank_b", "{}", 2, now, &err), FM_E_PEER);
    assert_string_equal(err.text, "a message from bank_b: member 'm' is missing");
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(costs_are_as_the_header_says),
        cmocka_unit_test(many_at_once_share_blocks),
        cmocka_unit_test(lost_messages_are_soon_repaired),
        cmocka_unit_test(what_is_answered_late_is_not_sent_again),
        cmocka_unit_test(an_answer_is_to_the_last_question),
        cmocka_unit_test(safe_and_live_in_hostile_networks),
        cmocka_unit_test(every_failure_of_the_disk_is_survived),
        cmocka_unit_test(wrong_use_is_refused),
    };

    world_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
