/* The handover to another sequencer, in virtual time: epoch.h's promise that nothing final is lost,
 * while nodes die, come back, are cut off, and people approve this and that. */
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

static bool full(void)
{
    const char *value = getenv("FIRMIANA_FULL");

    return value != NULL && strcmp(value, "1") == 0;
}

static struct world *running(uint64_t seed, size_t members, size_t quorum)
{
    struct world *w = world_running(seed, members, quorum);

    w->handover = true;
    world_run(w, 1500);
    return w;
}

static uint64_t epoch_of(const struct world *w, size_t node)
{
    return ledger_chain_head(w->node[node].chain)->epoch;
}

static const char *sequencer_of(const struct world *w, size_t node)
{
    static struct ledger_engine_status s;

    ledger_engine_status(w->node[node].engine, &s);
    return s.sequencer;
}

/* The officers of all members from `first` on, each at its own node. */
static void all_approve(struct world *w, size_t first, uint64_t epoch, size_t sequencer)
{
    for (size_t i = first; i < w->n_members; i++)
        assert_int_equal(world_approve(w, i, i, epoch, sequencer), FM_OK);
}

static void must_settle(struct world *w, int64_t within)
{
    if (!world_run_settled(w, w->now + within)) {
        world_print(w);
        fail_msg("not settled within %lld ms", (long long)within);
    }
}

static void finish(struct world *w)
{
    for (size_t i = 0; i < w->n_txs; i++)
        assert_true(w->tx[i].results == 1 || w->tx[i].lost);
    assert_int_equal(world_total(w, LEDGER_ENGINE_FORKED), 0);
    assert_int_equal(world_total(w, LEDGER_ENGINE_ACCUSED), 0);
    world_check_final(w);
    world_free(w);
}

/* ---- what people do when the sequencer is gone ---- */

static void a_lost_sequencer_is_replaced(void **state)
{
    struct world *w = running(world_base_seed, 4, 3);
    struct ledger_handover h;

    (void)state;
    world_submit(w, 2);
    world_run(w, w->now + 50);
    world_stop(w, 0);
    world_submit(w, 2); /* has nowhere to go */
    world_run(w, w->now + 3000);
    assert_int_equal(w->tx[1].results, 0);
    ledger_engine_handover(w->node[2].engine, &h);
    assert_int_equal(h.epoch, 0);
    assert_int_equal(h.next_epoch, 1);
    assert_int_equal(world_approve(w, 1, 1, 1, 1), FM_OK);
    assert_int_equal(world_approve(w, 2, 2, 1, 1), FM_OK);
    world_run(w, w->now + 100);
    ledger_engine_handover(w->node[3].engine, &h);
    assert_int_equal(h.epoch, 1);
    assert_string_equal(h.sequencer, "bank_b");
    assert_int_equal(h.approvals, 2);
    assert_int_equal(h.approvals_needed, 3);
    assert_int_equal(h.promises, 0);
    assert_false(h.pledged);
    assert_int_equal(world_approve(w, 1, 3, 1, 1), FM_OK); /* anybody's node will do */
    world_run(w, w->now + 100);
    for (size_t i = 1; i < 4; i++) {
        assert_int_equal(epoch_of(w, i), 1);
        assert_string_equal(sequencer_of(w, i), "bank_b");
    }
    assert_int_equal(w->tx[1].results, 1); /* it was handed in again by itself */
    /* The old one comes back and follows. */
    world_start(w, 0);
    world_link_all(w, true);
    world_submit(w, 0);
    must_settle(w, 3000);
    assert_string_equal(sequencer_of(w, 0), "bank_b");
    world_submit(w, 1);
    world_submit(w, 0);
    must_settle(w, 300);
    assert_int_equal(w->peer_errors, 0);
    finish(w);
}

static void what_does_not_count_is_refused(void **state)
{
    struct world *w = running(world_base_seed, 4, 3);

    (void)state;
    assert_int_equal(world_approve(w, 1, 1, 2, 1), FM_OK);
    assert_int_equal(world_approve(w, 1, 1, 1, 2), FM_E_CONFLICT); /* it approved a later one */
    world_run(w, w->now + 3000);
    assert_int_equal(epoch_of(w, 0), 0); /* one is not enough */
    world_submit(w, 3);
    must_settle(w, 300); /* and hinders nobody */
    all_approve(w, 1, 3, 2);
    world_run(w, w->now + 300);
    assert_int_equal(epoch_of(w, 0), 3);
    assert_int_equal(world_approve(w, 1, 1, 3, 1), FM_E_REFUSED); /* that one has begun */
    finish(w);
}

/* A block that reached too few is dropped by those who have it, and its transaction comes back. */
static void what_was_never_final_is_dropped(void **state)
{
    (void)state;
    for (int with_witness = 0; with_witness < 2; with_witness++) {
        struct world *w = running(world_base_seed, 5, 3);
        world_submit(w, 1);
        while (ledger_chain_head(w->node[0].chain)->height == 0)
            world_run(w, w->now + 1);
        for (size_t i = 2; i < 5; i++) /* what is on its way is lost */
            world_link(w, 0, i, false);
        world_run(w, w->now + 20); /* bank_a and bank_b have block 1, nobody else */
        assert_int_equal(ledger_chain_head(w->node[1].chain)->height, 1);
        assert_int_equal(ledger_chain_head(w->node[2].chain)->height, 0);
        world_stop(w, 0);
        if (!with_witness) { /* the quorum that promises knows nothing of it */
            for (size_t i = 2; i < 5; i++)
                world_link(w, 1, i, false);
            all_approve(w, 2, 1, 4);
            world_run(w, w->now + 500);
            assert_int_equal(epoch_of(w, 2), 1);
            world_link_all(w, true);
            world_run(w, w->now + 2500);
            assert_int_equal(w->node[1].events[LEDGER_ENGINE_EPOCH], 1);
            assert_non_null(strstr(w->node[1].text, "1 blocks that were never final are dropped"));
        } else { /* it is adopted: bank_b's promise names it, and bank_e fetches it */
            all_approve(w, 1, 1, 4);
            world_run(w, w->now + 2500);
        }
        for (size_t i = 1; i < 5; i++)
            assert_string_equal(sequencer_of(w, i), "bank_e");
        assert_int_equal(w->tx[0].results, 1);
        assert_int_equal(w->tx[0].verdict, LEDGER_OK);
        world_start(w, 0);
        world_link_all(w, true);
        world_submit(w, 0);
        must_settle(w, 3000);
        finish(w);
    }
}

/* E2: the old sequencer is well, and has heard of nothing. Whoever has promised gives it no
 * signature any more, though the new one cannot be reached. */
static void who_has_promised_signs_nothing_old(void **state)
{
    struct world *w = running(world_base_seed, 5, 3);

    (void)state;
    for (size_t i = 2; i < 5; i++) { /* a, b | c, d, e */
        world_link(w, 0, i, false);
        world_link(w, 1, i, false);
    }
    for (size_t i = 2; i < 5; i++)
        assert_int_equal(world_approve(w, 2, i, 1, 4), FM_OK);
    while (epoch_of(w, 4) == 0)
        world_run(w, w->now + 1);
    world_link(w, 4, 2, false); /* its first block is lost */
    world_link(w, 4, 3, false);
    assert_int_equal(epoch_of(w, 2), 0);
    w->lost_kinds = 1u << LEDGER_MESSAGE_EPOCH;
    w->lost_to = WORLD_NODES;
    world_link(w, 2, 0, true); /* a, b, c | d | e */
    world_link(w, 2, 1, true);
    world_run(w, w->now + 2000);
    world_submit(w, 1);
    world_run(w, w->now + 3000);
    assert_int_equal(ledger_chain_head(w->node[0].chain)->height, 1); /* it did make a block */
    assert_int_equal(w->tx[0].results, 0);
    w->lost_kinds = 0;
    world_link_all(w, true);
    must_settle(w, 6000);
    assert_string_equal(sequencer_of(w, 0), "bank_e");
    assert_int_equal(w->node[0].events[LEDGER_ENGINE_EPOCH], 1);
    finish(w);
}

static void votes_may_split_and_be_repeated(void **state)
{
    struct world *w = running(world_base_seed, 4, 3);

    (void)state;
    world_stop(w, 0);
    assert_int_equal(world_approve(w, 1, 1, 1, 1), FM_OK);
    assert_int_equal(world_approve(w, 2, 2, 1, 2), FM_OK);
    assert_int_equal(world_approve(w, 3, 3, 1, 3), FM_OK);
    world_submit(w, 1);
    world_run(w, w->now + 3000);
    assert_int_equal(epoch_of(w, 1), 0);
    all_approve(w, 1, 2, 3);
    world_run(w, w->now + 300);
    assert_int_equal(epoch_of(w, 1), 2);
    assert_string_equal(sequencer_of(w, 1), "bank_d");
    assert_int_equal(w->tx[0].results, 1);
    world_start(w, 0);
    world_link_all(w, true);
    must_settle(w, 3000);
    finish(w);
}

/* ---- at every moment ---- */

/* A run of traffic during which bank_a dies after so many events, and may come back while the
 * others hand over; the new sequencer may die too. */
static void one_run(unsigned dies_after, unsigned back_after, bool second_dies)
{
    struct world *w = running(world_base_seed + dies_after, 5, 3);
    uint64_t start = w->events;

    w->delay_max = 5;
    for (unsigned i = 0; w->events < start + dies_after; i++) {
        world_submit(w, 1 + i % 4);
        for (unsigned k = 0; k < 3 && w->events < start + dies_after; k++)
            world_run(w, w->now + 1);
    }
    world_stop(w, 0);
    start = w->events;
    all_approve(w, 1, 1, 1);
    while (w->events < start + back_after)
        world_run(w, w->now + 1);
    if (second_dies) {
        world_stop(w, 1);
        for (size_t i = 2; i < 5; i++)
            (void)world_approve(w, i, i, 2, 2);
    }
    world_start(w, 0);
    world_link_all(w, true);
    world_submit(w, 0);
    world_run(w, w->now + 2000);
    if (second_dies) {
        world_start(w, 1);
        world_link_all(w, true);
    }
    must_settle(w, 6000);
    assert_true(epoch_of(w, 0) >= 1);
    finish(w);
}

static void the_sequencer_dies_at_every_moment(void **state)
{
    unsigned stride = full() ? 1 : 6;

    (void)state;
    for (unsigned at = 1; at < 60; at += stride)
        one_run(at, 1, false);
    for (unsigned back = 1; back < 90; back += stride)
        one_run(17, back, false);
    for (unsigned back = 1; back < 90; back += stride)
        one_run(23, back, true);
}

/* ---- anything, at any time ---- */

static void approve_something(struct world *w)
{
    size_t node = world_random(w) % w->n_nodes, who = world_random(w) % w->n_members;
    struct ledger_handover h;
    uint64_t epoch;

    if (w->node[node].engine == NULL)
        return;
    ledger_engine_handover(w->node[node].engine, &h);
    epoch = h.epoch > 0 && world_random(w) % 3 > 0 ? h.epoch : h.next_epoch;
    if (h.epoch > 0 && epoch == h.epoch && world_random(w) % 4 > 0)
        who = (size_t)(h.sequencer[5] - 'a');
    for (size_t i = 0; i < w->n_members; i++)
        if (world_random(w) % 3 > 0)
            (void)world_approve(w, node, i, epoch, who);
}

static void disturb(struct world *w)
{
    size_t i = world_random(w) % w->n_nodes, j = world_random(w) % w->n_nodes;

    switch (world_random(w) % 16) {
    case 0:
    case 1: /* restart */
        if (w->node[i].engine != NULL)
            world_stop(w, i);
        world_start(w, i);
        break;
    case 2:
        if (w->node[i].engine != NULL)
            world_stop(w, i);
        break;
    case 3:
    case 4:
        for (i = 0; i < w->n_nodes; i++)
            if (w->node[i].engine == NULL)
                world_start(w, i);
        world_link_all(w, true);
        break;
    case 5: /* a partition */
        for (i = 0; i < w->n_nodes; i++)
            w->node[i].side = world_random(w) % 2;
        world_split(w);
        break;
    case 6:
        world_link(w, i, j, !w->up[i][j]);
        break;
    case 7:
        w->loss = (unsigned)(world_random(w) % 60);
        w->doubled = (unsigned)(world_random(w) % 60);
        w->delay_max = 1 + (int64_t)(world_random(w) % 100);
        break;
    case 8:
    case 9:
    case 10:
        approve_something(w);
        break;
    default:
        world_submit(w, i);
        world_submit(w, j);
    }
}

static void chaos(uint64_t seed, size_t members, size_t quorum, unsigned steps)
{
    struct world *w = running(seed, members, quorum);
    uint64_t last = 0;
    struct ledger_handover h;

    print_message("handovers: seed %llu, %zu members\n", (unsigned long long)seed, members);
    for (unsigned i = 0; i < steps; i++) {
        disturb(w);
        world_run(w, w->now + (int64_t)(world_random(w) % 150));
    }
    w->loss = w->doubled = 0;
    w->delay_max = 5;
    for (size_t i = 0; i < w->n_nodes; i++)
        if (w->node[i].engine == NULL)
            world_start(w, i);
    world_link_all(w, true);
    world_run(w, w->now + 3000);
    /* Whatever was promised to whom: one more decision, by all, ends it. */
    for (size_t i = 0; i < w->n_nodes; i++) {
        ledger_engine_handover(w->node[i].engine, &h);
        last = h.next_epoch > last ? h.next_epoch : last;
    }
    for (size_t i = 0; i < w->n_nodes; i++)
        (void)world_approve(w, i, i, last, seed % members);
    world_run(w, w->now + 500);
    must_settle(w, 20000);
    assert_int_equal(epoch_of(w, 0), last);
    print_message("  %llu events, %zu transactions, height %llu, epoch %llu\n",
                  (unsigned long long)w->events, w->n_txs,
                  (unsigned long long)ledger_chain_head(w->node[0].chain)->height,
                  (unsigned long long)epoch_of(w, 0));
    assert_int_equal(w->peer_errors, 0);
    finish(w);
}

static void nothing_final_is_ever_lost(void **state)
{
    static const size_t sizes[][2] = {{4, 3}, {5, 3}, {5, 4}, {7, 4}, {3, 2}, {2, 2}};
    const char *rounds = getenv("FIRMIANA_ROUNDS");
    unsigned usual = full() ? 600 : 6;
    unsigned n = rounds != NULL ? (unsigned)strtoul(rounds, NULL, 10) : usual;

    (void)state;
    for (unsigned i = 0; i < n; i++)
        chaos(world_base_seed + i, sizes[i % 6][0], sizes[i % 6][1], 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_sequencer_is_replaced),
        cmocka_unit_test(what_does_not_count_is_refused),
        cmocka_unit_test(what_was_never_final_is_dropped),
        cmocka_unit_test(who_has_promised_signs_nothing_old),
        cmocka_unit_test(votes_may_split_and_be_repeated),
        cmocka_unit_test(the_sequencer_dies_at_every_moment),
        cmocka_unit_test(nothing_final_is_ever_lost),
    };

    world_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
