/* What comes over the ABCI socket: an input is a stream of frames, in pieces of a length that its
 * first byte says, handed to the decoder and the application over a replica with some blocks; an
 * input that begins with 0xff is a snapshot, offered to a replica at its genesis.
 *
 * Laws: each whole frame has exactly one answer, itself a whole frame that decodes; the same stream
 * in other pieces has the same frames; only a Commit moves the head, by one; whatever was asked,
 * the next block leads where it always does; and a snapshot that is taken leads to the trusted
 * app_hash and is found whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ledger/abci/test_fake.h"
#include "ledger/store/snapshot.h"
#include "ledger/store/upkeep.h"
#include "tests/fuzz/fuzz.h"

static struct fake node, empty; /* with half of the story; with none of it */
static uint64_t told;           /* the height of both snapshots and blocks that are there */

static void check_answers(const struct base_buf *out, size_t asked)
{
    struct ledger_frames frames = {0};
    struct base_err err = {0};
    const uint8_t *bytes;
    size_t len, answers = 0;
    bool got = true;

    ledger_frames_put(&frames, out->p, out->len);
    while (got) {
        Abci__Response *r;
        fuzz_law(ledger_frames_next(&frames, &got, &bytes, &len, &err) == FM_OK,
                 "answers are frames");
        if (!got)
            break;
        r = abci__response__unpack(NULL, len, bytes);
        fuzz_law(r != NULL && r->value_case != ABCI__RESPONSE__VALUE__NOT_SET, "answers decode");
        abci__response__free_unpacked(r, NULL);
        answers++;
    }
    fuzz_law(frames.at == frames.in.len, "answers are whole");
    fuzz_law(answers == asked, "each request has one answer");
    ledger_frames_release(&frames);
}

/* All frames of the stream; returns how many, and where the last one ends. */
static size_t feed(const uint8_t *data, size_t size, size_t piece, struct base_buf *out,
                   struct base_buf *seen)
{
    struct ledger_frames frames = {0};
    struct base_err err = {0};
    size_t asked = 0;

    for (size_t at = 0; at < size; at += piece) {
        const uint8_t *bytes;
        bool got = true;
        size_t len;
        ledger_frames_put(&frames, data + at, piece < size - at ? piece : size - at);
        while (got && ledger_frames_next(&frames, &got, &bytes, &len, &err) == FM_OK && got) {
            uint64_t before = ledger_chain_head(node.chain)->height;
            base_buf_put(seen, bytes, len);
            base_buf_put_u8(seen, 0);
            asked++;
            if (out == NULL)
                continue;
            fuzz_law(ledger_abci_answer(node.app, out, bytes, len, &err) == FM_OK,
                     "no request harms the replica");
            fuzz_law(ledger_chain_head(node.chain)->height - before <= 1, "a block at a time");
        }
        if (err.code != FM_OK)
            break; /* the stream is lost */
    }
    ledger_frames_release(&frames);
    return asked;
}

static void run_frames(const uint8_t *data, size_t size)
{
    struct base_buf out = {0}, a = {0}, b = {0};
    struct base_err err = {0};
    size_t piece = size > 0 ? data[0] % 64 + 1 : 1, asked;

    asked = size > 0 ? feed(data + 1, size - 1, piece, &out, &a) : 0;
    check_answers(&out, asked);
    if (size > 0)
        (void)feed(data + 1, size - 1, size, NULL, &b);
    fuzz_law(a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0),
             "pieces make no difference");
    ledger_engine_discard(node.engine);
    fuzz_law(ledger_chain_rollback(node.chain, told, &err) == FM_OK, "back to where we were");
    base_buf_release(&out);
    base_buf_release(&a);
    base_buf_release(&b);
}

static void run_snapshot(const uint8_t *data, size_t size)
{
    const struct ledger_head *want = &node.blocks[told].after;
    struct base_err err = {0};
    fm_status st =
        ledger_snapshot_read(empty.chain, data, size, told, want->app_hash, INT64_MAX, &err);

    if (st != FM_OK) {
        fuzz_law(st == FM_E_INPUT || st == FM_E_INVALID || st == FM_E_CORRUPT || st == FM_E_ARG,
                 "a bad snapshot is refused as one");
        fuzz_law(ledger_chain_head(empty.chain)->height == 0, "a refused snapshot leaves nothing");
        return;
    }
    fuzz_law(memcmp(ledger_chain_head(empty.chain)->app_hash, want->app_hash, 32) == 0,
             "a snapshot that is taken leads to the trusted hash");
    fake_crash(&empty);
    fuzz_law(remove(empty.path) == 0, "a new replica");
    fake_start(&empty);
}

static void run(const uint8_t *data, size_t size)
{
    /* The replicas keep trees from before the first input, and from one to the next. */
    json_set_alloc_funcs(malloc, free);
    if (size > 0 && data[0] == 0xff)
        run_snapshot(data + 1, size - 1);
    else
        run_frames(data, size);
}

/* ---- specimens ---- */

static void add_request(struct fuzz_corpus *corpus, const Abci__Request *q)
{
    size_t len = abci__request__get_packed_size(q);
    struct base_buf out = {0};

    base_buf_put_u8(&out, 16);
    ledger_frame_length(&out, len);
    (void)abci__request__pack(q, base_buf_extend(&out, len));
    fuzz_add(corpus, out.p, out.len);
    base_buf_release(&out);
}

static void add_block(struct fuzz_corpus *corpus, const struct ledger_block *block,
                      Abci__Request__ValueCase which)
{
    Abci__Request q = ABCI__REQUEST__INIT;
    Abci__RequestBlock in = ABCI__REQUEST_BLOCK__INIT;
    Abci__Timestamp time = ABCI__TIMESTAMP__INIT;
    ProtobufCBinaryData txs[16];

    for (size_t i = 0; i < block->count && i < 16; i++)
        txs[i] = (ProtobufCBinaryData){block->txs[i].len, (uint8_t *)(uintptr_t)block->txs[i].p};
    time.seconds = block->time_ms / 1000;
    in.txs = txs;
    in.n_txs = block->count < 16 ? block->count : 16;
    in.height = (int64_t)block->height;
    in.time = &time;
    q.value_case = which;
    q.process = &in; /* one of a union of pointers */
    add_request(corpus, &q);
}

static void add_plain(struct fuzz_corpus *corpus)
{
    static Abci__Empty nothing = ABCI__EMPTY__INIT;
    static const Abci__Request__ValueCase all[] = {
        ABCI__REQUEST__VALUE_FLUSH, ABCI__REQUEST__VALUE_INFO, ABCI__REQUEST__VALUE_COMMIT,
        ABCI__REQUEST__VALUE_LIST_SNAPSHOTS, ABCI__REQUEST__VALUE_EXTEND_VOTE};
    Abci__Request q = ABCI__REQUEST__INIT;
    Abci__RequestQuery query = ABCI__REQUEST_QUERY__INIT;
    Abci__RequestCheckTx check = ABCI__REQUEST_CHECK_TX__INIT;

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        q.value_case = all[i];
        q.info = &nothing;
        add_request(corpus, &q);
    }
    query.path = (char *)(uintptr_t) "state";
    query.data = (ProtobufCBinaryData){13, (uint8_t *)(uintptr_t) "member/bank_a"};
    q.value_case = ABCI__REQUEST__VALUE_QUERY;
    q.query = &query;
    add_request(corpus, &q);
    check.tx = (ProtobufCBinaryData){node.blocks[told + 1].block.txs[0].len,
                                     (uint8_t *)(uintptr_t)node.blocks[told + 1].block.txs[0].p};
    q.value_case = ABCI__REQUEST__VALUE_CHECK_TX;
    q.check_tx = &check;
    add_request(corpus, &q);
}

static fm_status gather(void *ctx, const void *bytes, size_t len, struct base_err *err)
{
    base_buf_put(ctx, bytes, len);
    return base_buf_status(ctx, "snapshot", err);
}

static void add_snapshot(struct fuzz_corpus *corpus)
{
    struct ledger_reader *reader = ledger_chain_reader(node.chain);
    struct base_buf out = {0};
    struct base_err err = {0};

    base_buf_put_u8(&out, 0xff);
    fuzz_law(ledger_reader_begin(reader, &err) == FM_OK &&
                 ledger_snapshot_write(reader, gather, &out, &err) == FM_OK,
             "a snapshot is made");
    ledger_reader_end(reader);
    fuzz_add(corpus, out.p, out.len);
    base_buf_release(&out);
}

static void end(void)
{
    fake_release(&node);
    fake_release(&empty);
}

static void begin(struct fuzz_corpus *corpus)
{
    fake_init(&node);
    fake_init(&empty);
    (void)atexit(end);
    told = node.height - 3;
    fake_replay(&node, told);
    add_plain(corpus);
    add_block(corpus, &node.blocks[told + 1].block, ABCI__REQUEST__VALUE_FINALIZE);
    add_block(corpus, &node.blocks[told + 1].block, ABCI__REQUEST__VALUE_PROCESS);
    add_snapshot(corpus);
}

static const char *const words[] = {"FMSNAP1\n",       "state",    "tx",
                                    "/p2p/filter/id/", "\x5a\x00", "\x2a\x00",
                                    "\xff\x01",        "\x80\x80", NULL};
const struct fuzz_target fuzz_target = {"abci", FUZZ_BYTES, 1 << 17, words, begin, run};
