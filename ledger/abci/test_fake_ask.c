/* The requests of the scripted engine, and what must be true of every answer. */
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

/* What went wrong, "" if nothing; the answer is freed. */
static const char *exception_of(Abci__Response *r)
{
    static char text[512];

    assert_non_null(r);
    (void)snprintf(text, sizeof text, "%s",
                   r->value_case == ABCI__RESPONSE__VALUE_EXCEPTION ? r->exception->text : "");
    abci__response__free_unpacked(r, NULL);
    return text;
}

uint64_t fake_info(struct fake *f)
{
    Abci__Request q = ABCI__REQUEST__INIT;
    Abci__Empty empty = ABCI__EMPTY__INIT;
    Abci__Response *r;
    uint64_t height;

    q.value_case = ABCI__REQUEST__VALUE_INFO;
    q.info = &empty;
    r = fake_ask(f, FAKE_QUERY, &q);
    assert_true(r != NULL && r->value_case == ABCI__RESPONSE__VALUE_INFO);
    height = (uint64_t)r->info->last_height;
    assert_true(height <= f->height);
    assert_int_equal(r->info->last_app_hash.len, 32);
    assert_memory_equal(r->info->last_app_hash.data, f->blocks[height].after.app_hash, 32);
    abci__response__free_unpacked(r, NULL);
    return height;
}

const char *fake_init_chain(struct fake *f)
{
    Abci__Request q = ABCI__REQUEST__INIT;
    Abci__RequestInitChain init = ABCI__REQUEST_INIT_CHAIN__INIT;
    char chain[LEDGER_ABCI_CHAIN_TEXT], hex[65], state[128];
    Abci__Response *r;

    ledger_abci_chain_text(chain, f->town.chain_id);
    base_hex(hex, f->town.chain_id, 32);
    (void)snprintf(state, sizeof state, "{\n  \"chain\": \"%s\"\n}", hex);
    init.chain_id = chain;
    init.initial_height = 1;
    init.app_state.data = (uint8_t *)state;
    init.app_state.len = strlen(state);
    q.value_case = ABCI__REQUEST__VALUE_INIT_CHAIN;
    q.init_chain = &init;
    r = fake_ask(f, FAKE_CONSENSUS, &q);
    if (r != NULL && r->value_case == ABCI__RESPONSE__VALUE_INIT_CHAIN)
        assert_memory_equal(r->init_chain->app_hash.data, f->blocks[0].after.app_hash, 32);
    return exception_of(r);
}

enum { PROVEN = 4 };

/* A request of a block, and what it points to. */
struct asked {
    Abci__RequestBlock in;
    Abci__Timestamp time;
    Abci__Misbehavior proven[PROVEN], *list[PROVEN];
    Abci__Validator who[PROVEN];
    Abci__Timestamp when[PROVEN];
    struct ledger_misbehavior what[PROVEN];
};

static void fill_time(Abci__Timestamp *time, int64_t ms)
{
    abci__timestamp__init(time);
    time->seconds = ms / 1000;
    time->nanos = (int32_t)(ms % 1000) * 1000000 + 999; /* below a ms nothing counts */
}

/* What the engine vouches for reaches the node as CometBFT tells it. */
static void fill_proven(struct asked *a, size_t i, const struct ledger_bytes *entry,
                        const uint8_t chain32[32])
{
    struct base_err err = {0};
    json_t *payload;

    assert_true(i < PROVEN);
    assert_int_equal(base_json_parse_canonical(&payload, entry->p, entry->len, &err), FM_OK);
    assert_int_equal(ledger_misbehavior_read(&a->what[i], payload, chain32, &err), FM_OK);
    json_decref(payload);
    abci__validator__init(&a->who[i]);
    a->who[i].address = (ProtobufCBinaryData){20, a->what[i].validator};
    a->who[i].power = 10;
    fill_time(&a->when[i], a->what[i].time_ms);
    abci__misbehavior__init(&a->proven[i]);
    a->proven[i].type = a->what[i].act == LEDGER_ACT_VOTED_TWICE ? 1 : 2;
    a->proven[i].validator = &a->who[i];
    a->proven[i].height = (int64_t)a->what[i].height;
    a->proven[i].time = &a->when[i];
    a->list[i] = &a->proven[i];
}

static void fill_block(struct asked *a, ProtobufCBinaryData *txs, const struct fake *f,
                       const struct ledger_block *block)
{
    abci__request_block__init(&a->in);
    fill_time(&a->time, block->time_ms);
    for (size_t i = 0; i < block->vouched; i++)
        fill_proven(a, i, &block->txs[i], f->town.chain_id);
    for (size_t i = block->vouched; i < block->count; i++)
        txs[i - block->vouched] =
            (ProtobufCBinaryData){block->txs[i].len, (uint8_t *)(uintptr_t)block->txs[i].p};
    a->in.misbehavior = a->list;
    a->in.n_misbehavior = block->vouched;
    a->in.txs = txs;
    a->in.n_txs = block->count - block->vouched;
    a->in.height = (int64_t)block->height;
    a->in.time = &a->time;
}

/* Each time the same: what CometBFT would do with it depends on nothing else. */
static void keep_told(struct fake_block *b, const Abci__ResponseFinalize *out)
{
    Abci__ResponseFinalize told = ABCI__RESPONSE_FINALIZE__INIT;
    struct base_buf bytes = {0};
    size_t len;

    told.validator_updates = out->validator_updates;
    told.n_validator_updates = out->n_validator_updates;
    told.consensus_param_updates = out->consensus_param_updates;
    len = abci__response_finalize__get_packed_size(&told);
    (void)abci__response_finalize__pack(&told, base_buf_extend(&bytes, len));
    if (b->asked)
        assert_true(bytes.len == b->told.len && (len == 0 || memcmp(bytes.p, b->told.p, len) == 0));
    base_buf_release(&b->told);
    b->told = bytes;
    b->asked = true;
}

const char *fake_finalize(struct fake *f, uint64_t height)
{
    struct fake_block *b = &f->blocks[height];
    Abci__Request q = ABCI__REQUEST__INIT;
    ProtobufCBinaryData *txs = calloc(b->block.count + 1, sizeof *txs);
    struct asked asked;
    Abci__Response *r;

    assert_non_null(txs);
    fill_block(&asked, txs, f, &b->block);
    q.value_case = ABCI__REQUEST__VALUE_FINALIZE;
    q.finalize = &asked.in;
    r = fake_ask(f, FAKE_CONSENSUS, &q);
    free(txs);
    if (r != NULL && r->value_case == ABCI__RESPONSE__VALUE_FINALIZE) {
        assert_int_equal(r->finalize->app_hash.len, 32);
        assert_memory_equal(r->finalize->app_hash.data, b->after.app_hash, 32);
        assert_int_equal(r->finalize->n_tx_results, b->block.count - b->block.vouched);
        keep_told(b, r->finalize);
        for (size_t i = 0; i < r->finalize->n_tx_results; i++)
            assert_true((r->finalize->tx_results[i]->code == 2) == (b->nonsense && i == 1));
    }
    return exception_of(r);
}

const char *fake_commit(struct fake *f)
{
    Abci__Request q = ABCI__REQUEST__INIT;
    Abci__Empty empty = ABCI__EMPTY__INIT;

    q.value_case = ABCI__REQUEST__VALUE_COMMIT;
    q.commit = &empty;
    return exception_of(fake_ask(f, FAKE_CONSENSUS, &q));
}

static uint32_t check(struct fake *f, const void *tx, size_t len, int32_t type)
{
    Abci__Request q = ABCI__REQUEST__INIT;
    Abci__RequestCheckTx in = ABCI__REQUEST_CHECK_TX__INIT;
    Abci__Response *r;
    uint32_t code;

    in.tx = (ProtobufCBinaryData){len, (uint8_t *)(uintptr_t)tx};
    in.type = type;
    q.value_case = ABCI__REQUEST__VALUE_CHECK_TX;
    q.check_tx = &in;
    r = fake_ask(f, FAKE_MEMPOOL, &q);
    assert_true(r != NULL && r->value_case == ABCI__RESPONSE__VALUE_CHECK_TX);
    code = r->check_tx->code;
    abci__response__free_unpacked(r, NULL);
    return code;
}

uint32_t fake_check(struct fake *f, const void *tx, size_t len)
{
    return check(f, tx, len, 0);
}

uint32_t fake_recheck(struct fake *f, const void *tx, size_t len)
{
    return check(f, tx, len, 1);
}

size_t fake_prepare(struct fake *f, int64_t time_ms, const struct base_buf *txs, size_t n,
                    int64_t max_bytes, size_t chosen[])
{
    Abci__Request q = ABCI__REQUEST__INIT;
    Abci__RequestPrepare in = ABCI__REQUEST_PREPARE__INIT;
    Abci__Timestamp time = ABCI__TIMESTAMP__INIT;
    ProtobufCBinaryData *list = calloc(n + 1, sizeof *list);
    Abci__Response *r;
    size_t got;

    assert_non_null(list);
    for (size_t i = 0; i < n; i++)
        list[i] = (ProtobufCBinaryData){txs[i].len, txs[i].p};
    time.seconds = time_ms / 1000;
    time.nanos = (int32_t)(time_ms % 1000) * 1000000;
    in.txs = list;
    in.n_txs = n;
    in.time = &time;
    in.height = (int64_t)f->height + 1;
    in.max_tx_bytes = max_bytes;
    q.value_case = ABCI__REQUEST__VALUE_PREPARE;
    q.prepare = &in;
    r = fake_ask(f, FAKE_CONSENSUS, &q);
    free(list);
    assert_true(r != NULL && r->value_case == ABCI__RESPONSE__VALUE_PREPARE);
    got = r->prepare->n_txs;
    assert_true(got <= n);
    for (size_t k = 0; k < got; k++) {
        const ProtobufCBinaryData *tx = &r->prepare->txs[k];
        for (chosen[k] = 0; chosen[k] < n; chosen[k]++)
            if (tx->len == txs[chosen[k]].len && memcmp(tx->data, txs[chosen[k]].p, tx->len) == 0)
                break;
        assert_true(chosen[k] < n);
    }
    abci__response__free_unpacked(r, NULL);
    return got;
}

uint32_t fake_process(struct fake *f, const struct ledger_block *block)
{
    Abci__Request q = ABCI__REQUEST__INIT;
    ProtobufCBinaryData *txs = calloc(block->count + 1, sizeof *txs);
    struct asked asked;
    Abci__Response *r;
    uint32_t status;

    assert_non_null(txs);
    fill_block(&asked, txs, f, block);
    q.value_case = ABCI__REQUEST__VALUE_PROCESS;
    q.process = &asked.in;
    r = fake_ask(f, FAKE_CONSENSUS, &q);
    free(txs);
    assert_true(r != NULL && r->value_case == ABCI__RESPONSE__VALUE_PROCESS);
    status = r->process->result;
    abci__response__free_unpacked(r, NULL);
    return status;
}

void fake_replay(struct fake *f, uint64_t to)
{
    uint64_t height = fake_info(f);

    if (height == 0)
        assert_string_equal(fake_init_chain(f), "");
    while (height++ < to) {
        assert_string_equal(fake_finalize(f, height), "");
        assert_string_equal(fake_commit(f), "");
    }
    fake_at(f, to);
}

void fake_at(struct fake *f, uint64_t height)
{
    assert_int_equal(fake_info(f), height);
    assert_memory_equal(ledger_chain_head(f->chain), &f->blocks[height].after,
                        sizeof(struct ledger_head));
}
