/* The engine's parts by themselves: candidates, submissions, messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/json.h"
#include "ledger/engine/engine_message.h"
#include "ledger/engine/engine_outbox.h"
#include "ledger/engine/engine_pool.h"

static uint64_t rng;

static uint64_t next_random(void) /* SplitMix64 */
{
    uint64_t z = rng += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void id_of(uint8_t id[32], uint64_t n)
{
    base_hash(id, &n, sizeof n);
}

/* ---- the pool ---- */

static void add(struct ledger_pool *pool, const char *from, uint64_t n, fm_status expected)
{
    struct base_err err = {0};
    uint8_t id[32];

    id_of(id, n);
    assert_int_equal(ledger_pool_add(pool, from, id, &n, sizeof n, &err), expected);
}

static uint64_t number_of(const struct ledger_pool_item *item)
{
    uint64_t n;

    memcpy(&n, item->tx.p, sizeof n);
    return n;
}

static void pool_is_bounded_for_each_member(void **state)
{
    struct ledger_pool pool;
    struct base_err err = {0};
    uint8_t id[32];

    (void)state;
    assert_int_equal(ledger_pool_init(&pool, 3, 1000, &err), FM_OK);
    for (uint64_t n = 0; n < 3; n++)
        add(&pool, "bank_a", n, FM_OK);
    add(&pool, "bank_a", 3, FM_E_LIMIT);
    add(&pool, "bank_b", 3, FM_OK);
    add(&pool, "bank_b", 0, FM_E_CONFLICT); /* bank_a handed it in */
    assert_int_equal(ledger_pool_count(&pool), 4);
    id_of(id, 1);
    assert_true(ledger_pool_remove(&pool, id));
    assert_false(ledger_pool_remove(&pool, id));
    assert_false(ledger_pool_has(&pool, id));
    add(&pool, "bank_a", 4, FM_OK);
    ledger_pool_release(&pool);

    assert_int_equal(ledger_pool_init(&pool, 10, 20, &err), FM_OK); /* by bytes */
    add(&pool, "bank_a", 0, FM_OK);
    add(&pool, "bank_a", 1, FM_OK);
    add(&pool, "bank_a", 2, FM_E_LIMIT);
    assert_string_equal(err.text, "");
    ledger_pool_release(&pool);
}

static void pool_takes_turns(void **state)
{
    static const char *const names[] = {"bank_a", "bank_b", "bank_c"};
    struct ledger_pool_item *items[64];
    struct ledger_pool pool;
    struct base_err err = {0};
    size_t per[3] = {0}, n;

    (void)state;
    assert_int_equal(ledger_pool_init(&pool, 1000, 100000, &err), FM_OK);
    for (uint64_t i = 0; i < 900; i++) /* bank_a floods, the others hand in a few */
        add(&pool, names[0], i, FM_OK);
    for (uint64_t i = 0; i < 5; i++) {
        add(&pool, names[1], 10000 + i, FM_OK);
        add(&pool, names[2], 20000 + i, FM_OK);
    }
    n = ledger_pool_pick(&pool, items, 12, 100000);
    assert_int_equal(n, 12);
    for (size_t i = 0; i < n; i++)
        per[number_of(items[i]) / 10000]++;
    for (size_t m = 0; m < 3; m++)
        assert_int_equal(per[m], 4);
    n = ledger_pool_pick(&pool, items, 64, 100000);
    assert_int_equal(n, 64); /* 5 + 5 + 54 */
    for (size_t m = 0; m < 3; m++) {
        uint64_t last = 0;
        for (size_t i = 0; i < n; i++) { /* order of arrival within a member */
            if (number_of(items[i]) / 10000 != m)
                continue;
            assert_true(number_of(items[i]) >= last);
            last = number_of(items[i]);
        }
    }
    assert_int_equal(ledger_pool_pick(&pool, items, 64, 8 * 7 + 3), 7);
    assert_int_equal(ledger_pool_pick(&pool, items, 64, 1), 1); /* one always */
    ledger_pool_release(&pool);
}

/* Against a plain array. */
static void pool_random(void **state)
{
    enum { IDS = 400 };
    struct ledger_pool_item *items[IDS];
    struct ledger_pool pool;
    struct base_err err = {0};
    bool there[IDS] = {false};
    size_t count = 0;

    (void)state;
    assert_int_equal(ledger_pool_init(&pool, IDS, 1 << 20, &err), FM_OK);
    for (unsigned step = 0; step < 20000; step++) {
        uint64_t n = next_random() % IDS;
        char from[8];
        uint8_t id[32];
        id_of(id, n);
        (void)snprintf(from, sizeof from, "m%u", (unsigned)(next_random() % 5));
        if (next_random() % 2 == 0) {
            add(&pool, from, n, there[n] ? FM_E_CONFLICT : FM_OK);
            count += !there[n];
            there[n] = true;
        } else {
            assert_int_equal(ledger_pool_remove(&pool, id), there[n]);
            count -= there[n];
            there[n] = false;
        }
        assert_int_equal(ledger_pool_count(&pool), count);
        if (step % 100 == 0) {
            bool seen[IDS] = {false};
            assert_int_equal(ledger_pool_pick(&pool, items, IDS, 1 << 20), count);
            for (size_t i = 0; i < count; i++) {
                assert_true(there[number_of(items[i])] && !seen[number_of(items[i])]);
                seen[number_of(items[i])] = true;
            }
        }
    }
    ledger_pool_release(&pool);
}

/* ---- the outbox ---- */

static void outbox_keeps_order_and_bounds(void **state)
{
    struct ledger_outbox outbox;
    struct ledger_outbox_item *item[4];
    struct ledger_outcome outcome = {.verdict = LEDGER_OK};
    struct base_err err = {0};
    uint8_t id[32];

    (void)state;
    assert_int_equal(ledger_outbox_init(&outbox, 3, &err), FM_OK);
    for (uint64_t n = 0; n < 3; n++) {
        id_of(id, n);
        assert_int_equal(ledger_outbox_add(&outbox, &item[n], id, &n, sizeof n, 5, &err), FM_OK);
        assert_ptr_equal(ledger_outbox_find(&outbox, id), item[n]);
    }
    id_of(id, 3);
    assert_int_equal(ledger_outbox_add(&outbox, &item[3], id, "x", 1, 5, &err), FM_E_LIMIT);
    assert_string_equal(err.text, "3 submissions of this node wait for the ledger already: try "
                                  "again when some are final");
    assert_null(item[3]);
    ledger_outbox_place(&outbox, item[1], 7, &outcome);
    assert_int_equal(outbox.placed, 1);
    ledger_outbox_remove(&outbox, item[1]);
    assert_int_equal(outbox.placed, 0);
    assert_ptr_equal(outbox.first, item[0]);
    assert_ptr_equal(outbox.first->next, item[2]);
    ledger_outbox_remove(&outbox, item[2]);
    assert_ptr_equal(outbox.last, item[0]);
    ledger_outbox_release(&outbox);
}

/* ---- messages ---- */

static struct base_buf sample(size_t len)
{
    struct base_buf b = {0};

    for (size_t i = 0; i < len; i++)
        base_buf_put_u8(&b, (uint8_t)next_random());
    return b;
}

static struct ledger_message sample_message(enum ledger_message_kind kind, struct base_buf *blocks)
{
    struct ledger_message m = {.kind = kind, .height = next_random() % 1000};

    switch (kind) {
    case LEDGER_MESSAGE_SUBMIT:
        m.tx = blocks[0];
        break;
    case LEDGER_MESSAGE_RECEIPT:
        memset(m.id, 0x5a, sizeof m.id);
        m.status = (enum ledger_receipt_status)(next_random() % LEDGER_RECEIPT_COUNT);
        m.detail = next_random() % 2 ? "line \"one\"" : NULL;
        break;
    case LEDGER_MESSAGE_HEAD:
        m.size = next_random() % 100000;
        m.final = m.size / 2;
        m.epoch = 3;
        m.now_ms = 1700000000123;
        memset(m.root, 0xc3, sizeof m.root);
        break;
    case LEDGER_MESSAGE_BLOCK:
    case LEDGER_MESSAGE_BLOCKS:
    case LEDGER_MESSAGE_CHECKPOINT:
        m.blocks = blocks;
        m.n_blocks = kind == LEDGER_MESSAGE_BLOCKS ? 3 : 1;
        m.checkpoint = "firmiana/ab\n12\nAAAA\n\n\xe2\x80\x94 did BBBB\n";
        if (kind == LEDGER_MESSAGE_BLOCKS && next_random() % 2) {
            m.leaves = blocks; /* any bytes */
            m.n_leaves = 3;
            m.index = next_random() % 1000;
            m.size = m.index + 1;
            m.proof.n = (unsigned)(next_random() % 5);
        }
        break;
    case LEDGER_MESSAGE_WANT:
        m.size = next_random() % 3;
        break;
    case LEDGER_MESSAGE_COUNT:
    default:
        break;
    }
    return m;
}

static void messages_round_trip(void **state)
{
    struct base_err err = {0};

    (void)state;
    for (unsigned i = 0; i < 50 * LEDGER_MESSAGE_COUNT; i++) {
        struct base_buf blocks[3] = {sample(i), sample(0), sample(77)}, bytes = {0}, again = {0};
        struct ledger_message back,
            m = sample_message((enum ledger_message_kind)(i % LEDGER_MESSAGE_COUNT), blocks);
        assert_int_equal(ledger_message_encode(&bytes, &m, &err), FM_OK);
        assert_int_equal(ledger_message_decode(&back, bytes.p, bytes.len, &err), FM_OK);
        assert_int_equal(back.kind, m.kind);
        assert_int_equal(ledger_message_encode(&again, &back, &err), FM_OK);
        assert_int_equal(again.len, bytes.len);
        assert_memory_equal(again.p, bytes.p, bytes.len);
        ledger_message_release(&back);
        base_buf_release(&bytes);
        base_buf_release(&again);
        for (size_t k = 0; k < 3; k++)
            base_buf_release(&blocks[k]);
    }
}

static void refused(const char *text, const char *why)
{
    struct ledger_message m;
    struct base_err err = {0};

    assert_int_equal(ledger_message_decode(&m, text, strlen(text), &err), FM_E_INPUT);
    assert_string_equal(err.text, why);
}

static void messages_are_strict(void **state)
{
    (void)state;
    refused("{\"from\":1}", "member 'm' is missing");
    refused("{\"from\":1,\"m\":\"wants\"}", "no engine message is called 'wants'");
    refused("{\"from\": 1,\"m\":\"want\"}", "JSON is not in canonical form (RFC 8785)");
    refused("{\"from\":-1,\"m\":\"want\"}", "want: member 'from' must not be negative");
    refused("{\"from\":1,\"m\":\"want\",\"x\":1}", "want: unknown member 'x'");
    refused("{\"m\":\"want\"}", "want: member 'from' is missing");
    refused("{\"m\":\"submit\",\"tx\":\"AA=\"}", "submit: member 'tx' must be base64url");
    refused("{\"m\":\"submit\"}", "submit: member 'tx' must be base64url");
    refused("{\"m\":\"checkpoint\"}", "checkpoint: member 'checkpoint' is missing");
    refused("{\"blocks\":[\"AA\",7],\"m\":\"blocks\"}",
            "blocks: member 'blocks' must be base64url");
    refused("{\"from\":1,\"m\":\"want\",\"size\":0}",
            "want: member 'size' must not be 0: leave it out");
    refused("{\"blocks\":[\"AA\"],\"m\":\"blocks\",\"proof\":[]}",
            "blocks: member 'leaves' is missing");
    refused("{\"blocks\":[\"AA\"],\"leaves\":[],\"m\":\"blocks\",\"proof\":[]}",
            "blocks: member 'leaves' must have one for each block");
    refused("{\"blocks\":[\"AA\"],\"leaves\":[\"AA\"],\"m\":\"blocks\",\"proof\":[]}",
            "blocks: member 'index' is missing");
    refused("[1]", "member 'm' is missing");
}

/* Whatever is decoded from damaged bytes encodes to exactly those bytes. */
static void messages_mutated(void **state)
{
    struct base_err err = {0};

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        struct base_buf blocks[3] = {sample(9), sample(0), sample(30)}, bytes = {0}, again = {0};
        struct ledger_message back,
            m = sample_message((enum ledger_message_kind)(i % LEDGER_MESSAGE_COUNT), blocks);
        assert_int_equal(ledger_message_encode(&bytes, &m, &err), FM_OK);
        for (unsigned k = 0; k <= i % 3; k++)
            bytes.p[next_random() % bytes.len] =
                i % 2 ? (uint8_t)next_random() : (uint8_t) "{}[]\",:0a"[next_random() % 9];
        if (ledger_message_decode(&back, bytes.p, bytes.len - i % 5 / 4, &err) == FM_OK) {
            assert_int_equal(ledger_message_encode(&again, &back, &err), FM_OK);
            assert_memory_equal(again.p, bytes.p, again.len);
            ledger_message_release(&back);
        }
        base_buf_release(&bytes);
        base_buf_release(&again);
        for (size_t k = 0; k < 3; k++)
            base_buf_release(&blocks[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_is_bounded_for_each_member),
        cmocka_unit_test(pool_takes_turns),
        cmocka_unit_test(pool_random),
        cmocka_unit_test(outbox_keeps_order_and_bounds),
        cmocka_unit_test(messages_round_trip),
        cmocka_unit_test(messages_are_strict),
        cmocka_unit_test(messages_mutated),
    };
    const char *seed = getenv("FIRMIANA_SEED");

    rng = seed != NULL ? strtoull(seed, NULL, 10) : (uint64_t)time(NULL);
    print_message("seed %llu (FIRMIANA_SEED)\n", (unsigned long long)rng);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
