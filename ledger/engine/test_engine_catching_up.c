/* Who was away while others went on, and has only liars to ask: no block is executed that a quorum
 * did not sign, so that no single member can fork a replica for good. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/engine/engine_message.h"
#include "ledger/engine/test_engine_world.h"

enum { BLOCKS = 4, LIAR = 2, LATE = 3 };

/* A truthful answer of the liar's, to be made false. */
struct answer {
    struct base_buf block[BLOCKS], leaf[BLOCKS];
    struct ledger_message message;
};

static void answer_make(struct answer *a, struct world *w, uint64_t from, uint64_t size)
{
    struct ledger_reader *reader = ledger_chain_reader(w->node[LIAR].chain);
    struct base_err err = {0};

    *a = (struct answer){
        .message = {
            .kind = LEDGER_MESSAGE_BLOCKS, .n_blocks = BLOCKS, .n_leaves = BLOCKS, .size = size}};
    for (size_t i = 0; i < BLOCKS; i++) {
        world_must(ledger_reader_block(reader, &a->block[i], from + i, &err), &err);
        world_must(ledger_reader_block_leaf(reader, &a->leaf[i], &a->message.index, from + i, &err),
                   &err);
    }
    a->message.blocks = a->block;
    a->message.leaves = a->leaf;
    world_must(ledger_reader_inclusion(reader, &a->message.proof, a->message.index, size, &err),
               &err);
}

static void answer_release(struct answer *a)
{
    for (size_t i = 0; i < BLOCKS; i++) {
        base_buf_release(&a->block[i]);
        base_buf_release(&a->leaf[i]);
    }
}

/* ---- lies ---- */

/* Decodes block i, lets `change` do what it wants, encodes it again. */
static void edit(struct answer *a, size_t i, struct world *w,
                 void (*change)(struct ledger_block *block, struct world *w))
{
    struct base_buf old = a->block[i];
    struct ledger_block block;
    struct ledger_bytes *txs;
    struct base_err err = {0};

    a->block[i] = (struct base_buf){0};
    world_must(ledger_block_decode(&block, &txs, old.p, old.len, &err), &err);
    change(&block, w);
    world_must(ledger_block_encode(&a->block[i], &block, &err), &err);
    free(txs);
    base_buf_release(&old);
}

static struct base_buf own_tx;

/* Valid in all: a member's own transaction in place of another's. */
static void another_tx(struct ledger_block *block, struct world *w)
{
    base_buf_clear(&own_tx);
    world_make_tx(w, &own_tx, LIAR, true, WORLD_START_MS + w->now + 60000);
    assert_true(block->count > 0);
    ((struct ledger_bytes *)(uintptr_t)block->txs)[0] = (struct ledger_bytes){own_tx.p, own_tx.len};
}

static void no_tx(struct ledger_block *block, struct world *w)
{
    (void)w;
    block->count = 0;
}

static void another_time(struct ledger_block *block, struct world *w)
{
    (void)w;
    block->time_ms++;
}

/* The k-th lie; false when there is no such one. i: the block that it is about. */
static bool tell_lie(struct answer *a, unsigned k, size_t i, struct world *w)
{
    struct base_buf swap = a->leaf[i];
    size_t other = (i + 1) % BLOCKS;

    switch (k) {
    case 0:
        edit(a, i, w, another_tx);
        return true;
    case 1:
        edit(a, i, w, no_tx);
        return true;
    case 2:
        edit(a, i, w, another_time);
        return true;
    case 3:
        a->leaf[i] = a->leaf[other];
        a->leaf[other] = swap;
        return true;
    case 4: /* a digit of the leaf: what execution will make of the block, say */
        a->leaf[i].p[a->leaf[i].len / 2] ^= 1;
        return true;
    case 5:
        base_buf_clear(&a->leaf[i]);
        return true;
    case 6:
        a->message.proof.hash[i % a->message.proof.n][0] ^= 1;
        return true;
    case 7:
        a->message.proof.n--;
        return true;
    case 8:
        a->message.index -= 1 + i;
        return true;
    case 9: /* its own transaction, and a leaf to suit it */
        edit(a, i, w, another_tx);
        a->leaf[i].len = 0;
        return true;
    default:
        return false;
    }
}

static void hand(struct world *w, const struct ledger_message *message)
{
    struct base_buf bytes = {0};
    struct base_err err = {0};

    world_must(ledger_message_encode(&bytes, message, &err), &err);
    world_hand(w, LIAR, LATE, bytes.p, bytes.len);
    base_buf_release(&bytes);
    world_run(w, w->now + 5);
}

/* bank_d was away for some blocks, the sequencer is gone now, and answers to bank_d are held up. It
 * knows how far a quorum has come. Returns that size. */
static uint64_t late_one(struct world *w)
{
    struct ledger_engine_status s;

    world_run(w, 1500);
    world_stop(w, LATE);
    for (unsigned i = 0; i < 12; i++) {
        world_submit(w, i % 3);
        world_run(w, w->now + 40);
    }
    world_run(w, w->now + 2000);
    assert_true(w->node[0].height > 2 * BLOCKS);
    world_stop(w, 0);
    w->lost_kinds = 1u << LEDGER_MESSAGE_BLOCKS;
    w->lost_to = LATE;
    world_start(w, LATE);
    world_link_all(w, true);
    world_run(w, w->now + 1500);
    ledger_engine_status(w->node[LATE].engine, &s);
    assert_int_equal(s.state, LEDGER_ENGINE_BEHIND);
    assert_int_equal(s.known_size, ledger_chain_head(w->node[LIAR].chain)->log_size);
    return s.known_size;
}

static void expect_unmoved(struct world *w)
{
    assert_int_equal(ledger_chain_head(w->node[LATE].chain)->height, 0);
    assert_int_equal(ledger_engine_state(w->node[LATE].engine), LEDGER_ENGINE_BEHIND);
    assert_int_equal(w->node[LATE].events[LEDGER_ENGINE_FORKED], 0);
}

static void lies_are_refused_at_once(void **state)
{
    struct world *w = world_running(world_base_seed, 4, 3);
    uint64_t size = late_one(w), errors = w->peer_errors;
    struct answer a;
    unsigned lies = 0;

    (void)state;
    for (unsigned k = 0;; k++) {
        bool more = false;
        for (size_t i = 0; i < BLOCKS; i++) {
            answer_make(&a, w, 1, size);
            more = tell_lie(&a, k, i, w);
            if (more)
                hand(w, &a.message);
            answer_release(&a);
            lies += more;
            expect_unmoved(w);
            assert_int_equal(w->peer_errors - errors, lies);
        }
        if (!more)
            break;
    }
    assert_int_equal(lies, 10 * BLOCKS);
    answer_make(&a, w, 1, size); /* and the truth, by the same mouth */
    hand(w, &a.message);
    answer_release(&a);
    assert_int_equal(ledger_chain_head(w->node[LATE].chain)->height, BLOCKS);
    assert_int_equal(w->peer_errors - errors, lies);
    w->lost_kinds = 0;
    world_run(w, w->now + 3000);
    assert_int_equal(ledger_chain_head(w->node[LATE].chain)->height, w->node[1].height);
    assert_int_equal(ledger_engine_state(w->node[LATE].engine), LEDGER_ENGINE_SETTLED);
    base_buf_release(&own_tx);
    own_tx = (struct base_buf){0};
    world_free(w);
}

/* What claims no proof is not executed either: no fault of an honest one, who may not have come as
 * far as the quorum. Nor is what is proven for a state that nobody asked about, nor a new block
 * from one who does not sequence. */
static void what_is_not_proven_waits(void **state)
{
    struct world *w = world_running(world_base_seed, 4, 3);
    uint64_t size = late_one(w), errors = w->peer_errors;
    struct ledger_message block = {.kind = LEDGER_MESSAGE_BLOCK, .n_blocks = 1};
    struct base_buf text = {0};
    struct base_err err = {0};
    struct answer a;

    (void)state;
    for (unsigned lie = 0; lie < 2; lie++) {
        answer_make(&a, w, 1, size);
        if (lie)
            edit(&a, 0, w, another_tx);
        a.message.n_leaves = 0;
        hand(w, &a.message);
        expect_unmoved(w);
        a.message.n_leaves = BLOCKS;
        a.message.size--;
        hand(w, &a.message);
        expect_unmoved(w);
        assert_int_equal(w->peer_errors, errors);
        answer_release(&a);
    }
    answer_make(&a, w, 1, size);
    edit(&a, 0, w, another_tx);
    world_must(
        ledger_reader_final(ledger_chain_reader(w->node[LIAR].chain), &size, &size, &text, &err),
        &err);
    block.blocks = a.block;
    block.checkpoint = base_buf_cstr(&text);
    hand(w, &block);
    expect_unmoved(w);
    assert_int_equal(w->peer_errors, errors + 1);
    answer_release(&a);
    base_buf_release(&text);
    base_buf_release(&own_tx);
    own_tx = (struct base_buf){0};
    w->lost_kinds = 0;
    world_run(w, w->now + 3000);
    assert_int_equal(ledger_chain_head(w->node[LATE].chain)->height, w->node[1].height);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lies_are_refused_at_once),
        cmocka_unit_test(what_is_not_proven_waits),
    };

    world_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
