/* The application under a scripted engine: every order of crash and replay, and what the protocol
 * does not allow. The oracle is the default engine's path over the same blocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ledger/abci/test_fake.h"
#include "ledger/engine/engine_message.h"

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

/* ---- blocks, crashes, replay ---- */

static void test_same_blocks_same_hashes(void **state)
{
    (void)state;
    assert_true(f->height > 10);
    fake_replay(f, f->height);
    fake_crash(f);
    fake_start(f);
    fake_at(f, f->height);
}

/* Where the node dies while a block is made. */
enum moment {
    BEFORE,
    FINALIZED,       /* executed, not committed */
    FINALIZED_TWICE, /* the engine asked again */
    DISTURBED,       /* somebody needed the replica in between */
    COMMITTED,       /* the engine may not know it */
    MOMENTS
};

static void live_until(uint64_t height, enum moment moment)
{
    if (moment >= FINALIZED)
        assert_string_equal(fake_finalize(f, height), "");
    if (moment == FINALIZED_TWICE)
        assert_string_equal(fake_finalize(f, height), "");
    if (moment == DISTURBED)
        (void)fake_check(f, "x", 1);
    if (moment == COMMITTED)
        assert_string_equal(fake_commit(f), "");
}

static void test_crash_at_every_moment_of_every_block(void **state)
{
    (void)state;
    assert_string_equal(fake_init_chain(f), "");
    for (uint64_t height = 1; height <= f->height; height++) {
        for (enum moment m = BEFORE; m < MOMENTS; m++) {
            live_until(height, m);
            fake_crash(f);
            fake_start(f);
            fake_at(f, m == COMMITTED ? height : height - 1);
        }
    }
}

/* The engine alone dies, the node lives on: nothing of its half block is left. */
static void test_engine_dies_alone(void **state)
{
    (void)state;
    assert_string_equal(fake_init_chain(f), "");
    for (uint64_t height = 1; height <= f->height; height++) {
        assert_string_equal(fake_finalize(f, height), "");
        for (int i = 0; i < FAKE_CONNECTIONS; i++) {
            (void)close(f->fd[i]);
            ledger_frames_release(&f->frames[i]);
        }
        while (ledger_abci_server_connections(f->server) > 0)
            fake_serve(f);
        for (int i = FAKE_CONNECTIONS; i-- > 0;) /* in another order than before */
            fake_connect(f, i);
        assert_true(strstr(fake_commit(f), "no block is there") != NULL);
        fake_replay(f, height);
    }
}

/* Between FinalizeBlock and Commit others need the replica: both see the block before, and the
 * block is what it was. */
static void test_requests_between_finalize_and_commit(void **state)
{
    struct base_buf tx;
    uint64_t last = f->height;

    (void)state;
    fake_replay(f, last - 1);
    tx = town_tx(&f->town, LEDGER_TX_DATASET_PUBLISH, BANK_A,
                 town_dataset(&f->town, 4, 1, "balance"));
    assert_string_equal(fake_finalize(f, last), "");
    fake_at(f, last - 1);
    assert_int_equal(fake_check(f, tx.p, tx.len), 0);
    fake_at(f, last - 1);
    assert_string_equal(fake_commit(f), "");
    fake_at(f, last);
    assert_true(strstr(fake_commit(f), "no block is there") != NULL);
    base_buf_release(&tx);
}

static void test_wrong_heights(void **state)
{
    (void)state;
    fake_replay(f, 3);
    assert_true(strstr(fake_finalize(f, 5), "block 5 cannot follow our block 3") != NULL);
    assert_true(strstr(fake_finalize(f, 3), "block 3 cannot follow our block 3") != NULL);
    assert_true(strstr(fake_finalize(f, 0), "there is no block 0") != NULL);
    assert_true(strstr(fake_commit(f), "no block is there to commit") != NULL);
    fake_at(f, 3);
    fake_replay(f, f->height);
}

/* ---- InitChain ---- */

static const char *ask_init(const char *chain, const char *state, int64_t height)
{
    static char text[512];
    Abci__Request q = ABCI__REQUEST__INIT;
    Abci__RequestInitChain init = ABCI__REQUEST_INIT_CHAIN__INIT;
    Abci__Response *r;

    init.chain_id = (char *)(uintptr_t)chain;
    init.initial_height = height;
    init.app_state = (ProtobufCBinaryData){strlen(state), (uint8_t *)(uintptr_t)state};
    q.value_case = ABCI__REQUEST__VALUE_INIT_CHAIN;
    q.init_chain = &init;
    r = fake_ask(f, FAKE_CONSENSUS, &q);
    assert_true(r != NULL && r->value_case == ABCI__RESPONSE__VALUE_EXCEPTION);
    (void)snprintf(text, sizeof text, "%s", r->exception->text);
    abci__response__free_unpacked(r, NULL);
    return text;
}

static void test_init_chain(void **state)
{
    char chain[LEDGER_ABCI_CHAIN_TEXT], good[128], hex[65];

    (void)state;
    ledger_abci_chain_text(chain, f->town.chain_id);
    base_hex(hex, f->town.chain_id, 32);
    (void)snprintf(good, sizeof good, "{\"chain\":\"%s\"}", hex);
    for (int i = 0; i < 3; i++)
        assert_string_equal(fake_init_chain(f), "");
    assert_true(strstr(ask_init("firmiana-00", good, 1), "another consortium") != NULL);
    assert_true(strstr(ask_init(chain, good, 2), "begins at block 2") != NULL);
    assert_true(strstr(ask_init(chain, "{", 1), "InitChain: ") != NULL);
    assert_true(strstr(ask_init(chain, "{}", 1), "member 'chain' is missing") != NULL);
    hex[63] = hex[63] == '0' ? '1' : '0'; /* beyond what the chain's name shows */
    (void)snprintf(good, sizeof good, "{\"chain\":\"%s\"}", hex);
    assert_true(strstr(ask_init(chain, good, 1), "of another ledger") != NULL);
    fake_replay(f, 1);
    assert_true(strstr(fake_init_chain(f), "this replica has 1") != NULL);
    fake_replay(f, 2);
}

/* Nothing is kept before block 1 is: whoever died before it is asked for the beginning again, as
 * often as that happens. */
static void test_init_chain_again_before_block_1(void **state)
{
    (void)state;
    for (enum moment m = BEFORE; m < COMMITTED; m++) {
        for (int i = 0; i < 2; i++) {
            assert_int_equal(fake_info(f), 0);
            assert_string_equal(fake_init_chain(f), "");
            live_until(1, m);
            fake_crash(f);
            fake_start(f);
            fake_at(f, 0);
        }
    }
    assert_string_equal(fake_init_chain(f), "");
    live_until(1, COMMITTED);
    fake_crash(f);
    fake_start(f);
    assert_int_equal(fake_info(f), 1); /* no InitChain follows */
    fake_replay(f, f->height);
}

/* ---- proposals ---- */

static size_t prepare(const struct base_buf *txs, size_t n, int64_t max_bytes, size_t chosen[])
{
    return fake_prepare(f, f->now.unix_ms, txs, n, max_bytes, chosen);
}

static void test_proposals(void **state)
{
    struct town *t = &f->town;
    struct base_buf txs[5] = {{0}};
    struct ledger_bytes list[5];
    struct ledger_block block = {.txs = list};
    size_t chosen[5], begins;

    (void)state;
    fake_replay(f, f->height);
    begins = f->height % 3; /* whose turn it is */
    for (int i = 0; i < 3; i++)
        txs[i] = town_tx(t, LEDGER_TX_DATASET_PUBLISH, i, town_dataset(t, 4, 1, "balance"));
    base_buf_put(&txs[3], txs[0].p, txs[0].len); /* doubled */
    base_buf_put(&txs[4], txs[1].p, txs[1].len - 1);
    assert_int_equal(prepare(txs, 5, 1 << 20, chosen), 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(chosen[i], (begins + i) % 3);
    assert_int_equal(prepare(txs, 5, (int64_t)(txs[chosen[0]].len + txs[chosen[1]].len), chosen),
                     2);
    assert_int_equal(prepare(txs, 5, (int64_t)txs[begins].len - 1, chosen), 0);
    for (int i = 0; i < 5; i++)
        list[i] = (struct ledger_bytes){txs[i].p, txs[i].len};
    block.height = f->height + 1;
    block.time_ms = f->now.unix_ms;
    for (block.count = 0; block.count <= 5; block.count++) /* X3: what prepare made, and no more */
        assert_int_equal(fake_process(f, &block), block.count <= 3 ? 1 : 2);
    assert_true(strstr(f->event, "2 of its 5 transactions") != NULL);
    block.count = 2;
    block.time_ms = f->now.unix_ms + 5001; /* from the future */
    assert_int_equal(fake_process(f, &block), 2);
    assert_true(strstr(f->event, "5001 ms ahead of our clock") != NULL);
    block.time_ms = f->now.unix_ms + 5000;
    assert_int_equal(fake_process(f, &block), 1);
    block.height++;
    assert_int_equal(fake_process(f, &block), 2);
    for (int i = 0; i < 5; i++)
        base_buf_release(&txs[i]);
}

static void test_check_tx(void **state)
{
    struct town *t = &f->town;
    struct base_buf good, refused, late;

    (void)state;
    fake_replay(f, f->height);
    good = town_tx(t, LEDGER_TX_DATASET_PUBLISH, BANK_A, town_dataset(t, 4, 1, "balance"));
    refused = town_tx(t, LEDGER_TX_DATASET_PUBLISH, BANK_A, town_dataset(t, 9, 1, "balance"));
    late = town_tx(t, LEDGER_TX_DATASET_PUBLISH, BANK_C, town_dataset(t, 4, 1, "balance"));
    assert_int_equal(fake_check(f, good.p, good.len), 0);
    assert_int_equal(fake_check(f, refused.p, refused.len), 0); /* it belongs on the log */
    assert_int_equal(f->waiting, 1);                            /* the good one, of another */
    good.p[good.len / 2] ^= 1;
    assert_int_equal(fake_check(f, good.p, good.len), 1);
    f->now.unix_ms += 2 * HOUR_MS; /* an idle night: by our clock it has expired */
    assert_int_equal(fake_check(f, late.p, late.len), 1);
    base_buf_release(&good);
    base_buf_release(&refused);
    base_buf_release(&late);
}

/* ---- votes, queries ---- */

static void test_votes_and_queries(void **state)
{
    Abci__Request q = ABCI__REQUEST__INIT;
    Abci__RequestVerifyVote vote = ABCI__REQUEST_VERIFY_VOTE__INIT;
    Abci__RequestQuery query = ABCI__REQUEST_QUERY__INIT;
    static const struct {
        const char *path, *data;
        uint32_t code;
    } asked[] = {{"/p2p/filter/id/00112233445566778899aabbccddeeff00112233", "", 0},
                 {"/p2p/filter/id/10112233445566778899aabbccddeeff00112233", "", 1},
                 {"/p2p/filter/addr/10.0.0.1:3", "", 0},
                 {"state", "member/bank_a", 0},
                 {"state", "member/nobody", 1},
                 {"tx", "0123456789abcdef0123456789abcdef", 1},
                 {"tx", "short", 2},
                 {"nonsense", "", 2}};
    Abci__Response *r;

    (void)state;
    fake_replay(f, f->height);
    for (size_t i = 0; i < 2; i++) {
        vote.extension = (ProtobufCBinaryData){i, (uint8_t *)(uintptr_t) "x"};
        q.value_case = ABCI__REQUEST__VALUE_VERIFY_VOTE;
        q.verify_vote = &vote;
        r = fake_ask(f, FAKE_CONSENSUS, &q);
        assert_int_equal(r->verify_vote->result, i == 0 ? 1 : 2);
        abci__response__free_unpacked(r, NULL);
    }
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        query.path = (char *)(uintptr_t)asked[i].path;
        query.data =
            (ProtobufCBinaryData){strlen(asked[i].data), (uint8_t *)(uintptr_t)asked[i].data};
        query.prove = i % 2 == 1;
        q.value_case = ABCI__REQUEST__VALUE_QUERY;
        q.query = &query;
        r = fake_ask(f, FAKE_QUERY, &q);
        assert_int_equal(r->query->code, asked[i].code);
        assert_int_equal(r->query->height, f->height);
        abci__response__free_unpacked(r, NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_same_blocks_same_hashes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_crash_at_every_moment_of_every_block, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_engine_dies_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_requests_between_finalize_and_commit, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_heights, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_init_chain, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_init_chain_again_before_block_1, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_proposals, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_check_tx, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_votes_and_queries, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
