/* Frames and connections that misbehave; and cosignatures, which travel as under the default
 * engine. */
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
static struct base_err err;

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

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

/* ---- frames ---- */

static void put_info(struct base_buf *out)
{
    Abci__Request q = ABCI__REQUEST__INIT;
    Abci__Empty empty = ABCI__EMPTY__INIT;
    size_t len;

    q.value_case = ABCI__REQUEST__VALUE_INFO;
    q.info = &empty;
    len = abci__request__get_packed_size(&q);
    ledger_frame_length(out, len);
    (void)abci__request__pack(&q, base_buf_extend(out, len));
}

static void expect(int connection, Abci__Response__ValueCase which)
{
    Abci__Response *r = fake_take(f, connection);

    assert_non_null(r);
    assert_int_equal(r->value_case, which);
    abci__response__free_unpacked(r, NULL);
}

static void put_echo(struct base_buf *out, size_t n)
{
    Abci__Request q = ABCI__REQUEST__INIT;
    Abci__Text text = ABCI__TEXT__INIT;
    char *words = malloc(n + 1);
    size_t len;

    assert_non_null(words);
    memset(words, 'w', n);
    words[n] = '\0';
    text.text = words;
    q.value_case = ABCI__REQUEST__VALUE_ECHO;
    q.echo = &text;
    len = abci__request__get_packed_size(&q);
    ledger_frame_length(out, len);
    (void)abci__request__pack(&q, base_buf_extend(out, len));
    free(words);
}

/* Byte by byte; many in one write; and an answer larger than any socket's buffer. */
static void test_torn_and_gathered_frames(void **state)
{
    struct base_buf one = {0}, big = {0};
    Abci__Response *r;

    (void)state;
    put_info(&one);
    put_echo(&one, 300); /* a length of two bytes */
    for (size_t i = 0; i < one.len; i++) {
        fake_send(f, FAKE_QUERY, one.p + i, 1);
        fake_serve(f);
    }
    expect(FAKE_QUERY, ABCI__RESPONSE__VALUE_INFO);
    expect(FAKE_QUERY, ABCI__RESPONSE__VALUE_ECHO);
    for (int i = 0; i < 500; i++)
        put_echo(&big, (size_t)i * 13);
    fake_send(f, FAKE_QUERY, big.p, big.len);
    for (size_t i = 0; i < 500; i++) { /* in order */
        r = fake_take(f, FAKE_QUERY);
        assert_non_null(r);
        assert_int_equal(strlen(r->echo->text), i * 13);
        abci__response__free_unpacked(r, NULL);
    }
    base_buf_clear(&big);
    put_echo(&big, (size_t)8 << 20);
    fake_send(f, FAKE_QUERY, big.p, big.len);
    r = fake_take(f, FAKE_QUERY);
    assert_non_null(r);
    assert_int_equal(strlen(r->echo->text), 8 << 20);
    abci__response__free_unpacked(r, NULL);
    base_buf_release(&one);
    base_buf_release(&big);
}

/* A stream that is none loses its own connection; the others, and the block under way, do not mind.
 */
static void test_lost_streams(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"\x81\x80\x80\x20", 4},                          /* 64 MiB and one byte */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10}, /* 2^64 - 1 */
        {"\x80\x80\x80\x80\x00", 5},                      /* zero, at length */
    };

    (void)state;
    assert_string_equal(fake_init_chain(f), "");
    assert_string_equal(fake_finalize(f, 1), "");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fake_send(f, FAKE_SNAPSHOT, bad[i].bytes, bad[i].len);
        assert_null(fake_take(f, FAKE_SNAPSHOT));
        (void)close(f->fd[FAKE_SNAPSHOT]);
        ledger_frames_release(&f->frames[FAKE_SNAPSHOT]);
        fake_connect(f, FAKE_SNAPSHOT);
    }
    assert_string_equal(fake_commit(f), "");
    fake_at(f, 1);
}

/* A frame that is no request we know: an exception, and the connection goes on. */
static void test_requests_that_are_none(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"\x00", 1},                 /* empty */
        {"\x02\xff\xff", 3},         /* no protobuf */
        {"\x02\x22\x00", 3},         /* SetOption, of 0.34 */
        {"\x04\x42\x7f\x0a\x01", 5}, /* CheckTx longer than its frame */
        {"\x03\xda\x3e\x00", 4},     /* a field of the future alone */
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        fake_send(f, FAKE_MEMPOOL, bad[i].bytes, bad[i].len);
        expect(FAKE_MEMPOOL, ABCI__RESPONSE__VALUE_EXCEPTION);
    }
    assert_int_equal(fake_check(f, "x", 1), 1);
}

static void test_a_fifth_connection(void **state)
{
    int first = f->fd[FAKE_QUERY];
    Abci__Response *r;
    struct base_buf info = {0};

    (void)state;
    put_info(&info);
    fake_connect(f, FAKE_QUERY);
    fake_send(f, FAKE_QUERY, info.p, info.len);
    r = fake_take(f, FAKE_QUERY);
    assert_null(r);
    (void)close(f->fd[FAKE_QUERY]);
    f->fd[FAKE_QUERY] = first;
    ledger_frames_release(&f->frames[FAKE_QUERY]);
    assert_int_equal(fake_info(f), 0);
    base_buf_release(&info);
}

/* ---- finality ---- */

static void hear(int from, unsigned cosigners, uint64_t height)
{
    struct ledger_message message = {.kind = LEDGER_MESSAGE_CHECKPOINT};
    struct base_buf text, bytes = {0};

    text = town_checkpoint(&f->town, cosigners, f->blocks[height].after.app_hash,
                           f->blocks[height].after.log_size);
    message.checkpoint = base_buf_cstr(&text);
    must(ledger_message_encode(&bytes, &message, &err));
    must(ledger_engine_receive(f->engine, f->town.who[from].alias, bytes.p, bytes.len, f->now,
                               &err));
    base_buf_release(&text);
    base_buf_release(&bytes);
}

static uint64_t final_height(void)
{
    struct ledger_engine_status s;

    ledger_engine_status(f->engine, &s);
    assert_string_equal(s.sequencer, "CometBFT");
    assert_false(s.sequencing);
    return s.final_height;
}

static void others_up(void)
{
    must(ledger_engine_peer_up(f->engine, "bank_a", f->now, &err));
    must(ledger_engine_peer_up(f->engine, "bank_c", f->now, &err));
    must(ledger_engine_peer_up(f->engine, "regulator", f->now, &err));
}

/* A quorum of three: ours and two others', in the order in which they may come. */
static void test_cosignatures(void **state)
{
    (void)state;
    others_up();
    fake_replay(f, 1);
    assert_int_equal(final_height(), 0);
    assert_true(f->line.len > 0); /* we cosigned, and said so */
    hear(BANK_A, 1, 1);
    assert_int_equal(final_height(), 0);
    hear(BANK_C, 4, 1);
    assert_int_equal(final_height(), 1);
    /* Ahead of us: kept until we are there. */
    hear(BANK_A, 1, 2);
    hear(BANK_C, 4, 2);
    assert_int_equal(final_height(), 1);
    fake_replay(f, 2);
    assert_int_equal(final_height(), 2);
    /* Behind us: blocks do not wait. */
    fake_replay(f, 4);
    assert_int_equal(final_height(), 2);
    hear(BANK_A, 1, 3);
    hear(REGULATOR, 8, 3);
    assert_int_equal(final_height(), 3);
    /* Between a block's two steps. */
    hear(BANK_A, 1, 4);
    assert_string_equal(fake_finalize(f, 5), "");
    hear(REGULATOR, 8, 4);
    assert_int_equal(final_height(), 4);
    assert_string_equal(fake_commit(f), "");
    fake_at(f, 5);
    /* And after a restart. */
    hear(BANK_A, 1, 5);
    fake_crash(f);
    fake_start(f);
    assert_int_equal(final_height(), 4);
    others_up();
    hear(BANK_A, 1, 5);
    hear(BANK_C, 4, 5);
    assert_int_equal(final_height(), 5);
}

/* A member's cosignature that contradicts our log: kept, and we go on; two of four, and a quorum of
 * three is out of reach: we stop. */
static void test_contradictions(void **state)
{
    struct ledger_engine_status s;

    (void)state;
    others_up();
    fake_replay(f, 3);
    f->blocks[2].after.app_hash[0] ^= 1;
    hear(BANK_A, 1, 2);
    ledger_engine_status(f->engine, &s);
    assert_int_not_equal(s.state, LEDGER_ENGINE_STOPPED);
    assert_string_equal(fake_finalize(f, 4), "");
    assert_string_equal(fake_commit(f), "");
    hear(REGULATOR, 8, 2);
    ledger_engine_status(f->engine, &s);
    assert_int_equal(s.state, LEDGER_ENGINE_STOPPED);
    assert_true(strstr(fake_finalize(f, 5), "has forked") != NULL);
    assert_int_equal(fake_process(f, &f->blocks[5].block), 2);
}

/* Messages of the default engine have no business here. */
static void test_other_engines_messages(void **state)
{
    struct ledger_message message = {.kind = LEDGER_MESSAGE_SUBMIT};
    struct base_buf bytes = {0};
    fm_status st;

    (void)state;
    others_up();
    base_buf_put_str(&message.tx, "{}");
    must(ledger_message_encode(&bytes, &message, &err));
    st = ledger_engine_receive(f->engine, "bank_a", bytes.p, bytes.len, f->now, &err);
    assert_int_equal(st, FM_E_PEER);
    assert_true(strstr(err.text, "CometBFT orders this ledger") != NULL);
    base_buf_release(&message.tx);
    base_buf_release(&bytes);
}

static void test_submissions(void **state)
{
    struct ledger_outcome outcome;
    struct base_buf tx;
    int64_t patience = 4000;

    (void)state;
    fake_replay(f, f->height);
    tx = town_tx(&f->town, LEDGER_TX_DATASET_PUBLISH, BANK_B,
                 town_dataset(&f->town, 4, 1, "balance"));
    must(ledger_engine_submit(f->engine, &outcome, tx.p, tx.len, f->now, &err));
    assert_int_equal(f->broadcasts, 1);
    must(ledger_engine_told(f->engine, outcome.id, LEDGER_RECEIPT_FULL, NULL, f->now, &err));
    f->now.mono_ms += patience; /* full: once more, later */
    must(ledger_engine_tick(f->engine, f->now, &err));
    assert_int_equal(f->broadcasts, 2);
    must(ledger_engine_told(f->engine, outcome.id, LEDGER_RECEIPT_ADMITTED, NULL, f->now, &err));
    assert_int_equal(fake_check(f, tx.p, tx.len), 0);
    assert_int_equal(f->waiting, 0); /* our own needs no event */
    base_buf_release(&tx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_torn_and_gathered_frames, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_lost_streams, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_requests_that_are_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_fifth_connection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_cosignatures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_contradictions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_other_engines_messages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_submissions, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
