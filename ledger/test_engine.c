/* The engine among honest and hostile networks: safety after every event, liveness once the network
 * is well again, costs in messages and delays. test_engine_world.h says how. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "ledger/engine_message.h"
#include "ledger/test_engine_world.h"

static uint64_t base_seed;

static struct world *running(uint64_t seed, size_t members, size_t quorum)
{
    struct world *w = world_new(seed, members, quorum);

    for (size_t i = 0; i < members; i++)
        world_start(w, i);
    world_link_all(w, true);
    return w;
}

static uint64_t total(const struct world *w, enum ledger_engine_event_kind kind)
{
    uint64_t n = 0;

    for (size_t i = 0; i < w->n_nodes; i++)
        n += w->node[i].events[kind];
    return n;
}

/* ---- costs ---- */

static void costs_are_as_the_header_says(void **state)
{
    static const size_t sizes[][2] = {{4, 3}, {5, 4}, {7, 5}};

    (void)state;
    for (size_t k = 0; k < 3; k++) {
        size_t n = sizes[k][0];
        struct world *w = running(base_seed, n, sizes[k][1]);
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
    struct world *w = running(base_seed, 4, 3);
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
            struct world *w = running(base_seed, 4, 3);
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
    struct world *w = running(seed, members, quorum);

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
    assert_int_equal(total(w, LEDGER_ENGINE_FORKED), 0);
    assert_int_equal(total(w, LEDGER_ENGINE_ACCUSED), 0);
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
        hostile_network(base_seed + i, sizes[i % 6][0], sizes[i % 6][1], 60);
}

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
        lying_sequencer(base_seed + i, 4, 3);
        lying_sequencer(base_seed + i, 5, 4);
    }
}

/* The same under a hostile network with random sides: never two final states at a height (W1). */
static void a_lying_sequencer_never_gets_two_finals(void **state)
{
    (void)state;
    for (uint64_t k = 0; k < 2; k++) {
        struct world *w = world_new(base_seed + k, 5, 4);
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
                      (unsigned long long)total(w, LEDGER_ENGINE_ACCUSED),
                      (unsigned long long)total(w, LEDGER_ENGINE_FORKED));
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
    struct world *w = running(base_seed, 4, 4); /* everybody is needed */
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
    assert_int_equal(total(w, LEDGER_ENGINE_ACCUSED), 0);

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
    struct world *w = running(base_seed, 4, 3);

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
    assert_int_equal(total(w, LEDGER_ENGINE_FORKED), 0);

    hand_lie(w, 2,
             ledger_chain_head(w->node[0].chain)->log_size); /* a second one: no quorum left */
    world_run(w, w->now + 100);
    assert_int_equal(ledger_engine_state(w->node[0].engine), LEDGER_ENGINE_STOPPED);
    assert_int_equal(ledger_engine_state(w->node[1].engine), LEDGER_ENGINE_STOPPED);
    world_free(w);
}

/* ---- operating ---- */

static void a_silent_sequencer_is_named(void **state)
{
    struct world *w = running(base_seed, 4, 3);
    const struct world_node *b = &w->node[1];

    (void)state;
    world_run(w, 3000);
    assert_int_equal(total(w, LEDGER_ENGINE_SILENT), 0);
    world_stop(w, 0);
    world_submit(w, 1);
    world_run(w, 9500);
    assert_int_equal(b->events[LEDGER_ENGINE_SILENT], 1);
    assert_string_equal(b->text,
                        "sequencer bank_a silent for 5 s: nothing becomes final until it is back");
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
    struct world *w = running(base_seed, 4, 3);
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
    struct world *w = running(base_seed, 4, 3);
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

/* bank_a's node comes back with the disk of an hour ago. It must not make a second history. */
static void an_old_copy_of_the_sequencer_waits(void **state)
{
    struct world *w = running(base_seed, 4, 3);
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
    world_run(w, w->now + 5000);
    assert_int_equal(ledger_engine_state(w->node[0].engine), LEDGER_ENGINE_LAGGING);
    assert_int_equal(w->node[0].events[LEDGER_ENGINE_BEHIND], 1);
    assert_non_null(strstr(w->node[0].text, "it is an old copy"));
    assert_int_equal(ledger_chain_head(w->node[0].chain)->height, height - 1);
    for (size_t i = 1; i < 4; i++)
        assert_int_equal(ledger_chain_head(w->node[i].chain)->height, height);
    assert_int_equal(total(w, LEDGER_ENGINE_FORKED), 0);
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
    struct world *w = running(base_seed, 5, 3);
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
    struct world *w = world_new(base_seed, 4, 3);

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

/* A sequencer that lies about time: valid in all else, dated before what it told us. */
static void a_backdated_block_is_held_back(void **state)
{
    struct world *w = running(base_seed, 4, 3);
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
    for (int64_t ago = 10000; ago >= 0; ago -= 10000) {
        block.time_ms = 1763600000000 + w->now - ago;
        base_buf_clear(&block_bytes);
        base_buf_clear(&bytes);
        assert_int_equal(ledger_block_encode(&block_bytes, &block, &err), FM_OK);
        assert_int_equal(ledger_message_encode(&bytes, &m, &err), FM_OK);
        w->liar = true;
        world_hand(w, 3, 1, bytes.p, bytes.len); /* from the sequencer alone */
        world_run(w, w->now + 5);
        assert_int_equal(w->peer_errors, ago == 0 ? 2 : 1);
        assert_int_equal(ledger_chain_head(w->node[1].chain)->height, 0);
        world_hand(w, 0, 1, bytes.p, bytes.len);
        world_run(w, w->now + 20);
        assert_int_equal(ledger_chain_head(w->node[1].chain)->height, ago == 0);
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
    struct world *w = running(base_seed, 4, 3);

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
    assert_int_equal(total(w, LEDGER_ENGINE_FORKED), 0);
    for (size_t i = 0; i < 64; i++)
        base_buf_release(&stolen[i]);
    world_free(w);
}

static void every_failure_of_the_disk_is_survived(void **state)
{
    bool injected = true;

    (void)state;
    for (uint64_t at = 1; injected; at += at < 12 ? 1 : 17) {
        struct world *w = running(base_seed, 4, 3);
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
    struct world *w = world_new(base_seed, 4, 3);
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
        cmocka_unit_test(safe_and_live_in_hostile_networks),
        cmocka_unit_test(a_lying_sequencer_is_found_out),
        cmocka_unit_test(a_lying_sequencer_never_gets_two_finals),
        cmocka_unit_test(forged_signatures_do_nothing),
        cmocka_unit_test(one_member_cannot_stop_everybody),
        cmocka_unit_test(a_silent_sequencer_is_named),
        cmocka_unit_test(a_submission_expires),
        cmocka_unit_test(who_was_away_catches_up),
        cmocka_unit_test(an_old_copy_of_the_sequencer_waits),
        cmocka_unit_test(a_suspended_member_follows_and_does_not_count),
        cmocka_unit_test(wrong_clocks),
        cmocka_unit_test(a_backdated_block_is_held_back),
        cmocka_unit_test(damaged_messages_do_no_harm),
        cmocka_unit_test(every_failure_of_the_disk_is_survived),
        cmocka_unit_test(wrong_use_is_refused),
    };
    const char *seed = getenv("FIRMIANA_SEED");

    base_seed = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
    print_message("seed %llu (FIRMIANA_SEED)\n", (unsigned long long)base_seed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
