/* That a transaction costs a ledger of 10^5 entries no more of its file than one of 10^3 or 10^4:
 * counted, not timed. Blocks as ledger_chain_run() writes them, of transactions without signatures:
 * leaves, ids, updates, the state tree, what takes a block back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "ledger/store/store_impl.h"

enum { BLOCK = 500, PAYLOAD = 700, UPDATES = BLOCK + 1 };

static struct base_err err;
static char folder[64], path[96];

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

static struct {
    struct ledger_store *store;
    struct ledger_tip tip;
    uint64_t txs;
} ledger;

static int64_t ends_at(uint64_t n)
{
    return (int64_t)(3600000 + 2 * n + n * 7919 % 1000); /* in time's order, but for a second */
}

static void node(void *ctx, unsigned level, uint64_t index, const uint8_t hash32[32])
{
    struct ledger_seal_sink sink = ledger_store_sink(ledger.store);

    (void)ctx;
    must(sink.node(sink.ctx, level, index, hash32, &err));
}

static void put_leaf(const uint8_t *payload, size_t len, const struct ledger_outcome *outcome)
{
    struct ledger_seal_sink sink = ledger_store_sink(ledger.store);
    const struct ledger_log_sink nodes = {node, NULL};
    struct ledger_seal_leaf leaf = {.leaf = ledger.tip.log.size,
                                    .height = ledger.tip.height,
                                    .payload = payload,
                                    .len = len,
                                    .outcome = outcome,
                                    .result = (const uint8_t *)"{}",
                                    .result_len = 2};
    uint8_t hash[32];

    base_hash(leaf.payload_hash, payload, len);
    must(sink.leaf(sink.ctx, &leaf, &err));
    ledger_log_leaf_hash(hash, leaf.payload_hash);
    ledger_log_append(&ledger.tip.log, hash, &nodes);
}

static void put_txs(void)
{
    uint8_t payload[PAYLOAD] = {0};

    for (uint64_t n = ledger.txs; n < ledger.txs + BLOCK; n++) {
        struct ledger_outcome outcome = {.type = "dataset.publish", .not_after = ends_at(n)};

        memcpy(payload, &n, sizeof n);
        base_hash(outcome.id, &n, sizeof n);
        memcpy(outcome.alias, "bank_a", 7);
        put_leaf(payload, sizeof payload, &outcome);
    }
    put_leaf(payload, 300, NULL);
}

/* A remembered id each, and one value that every block changes. */
static void put_state(void)
{
    static char key[UPDATES][80], value[UPDATES][40];
    static struct ledger_update update[UPDATES];
    static struct ledger_state_change change[UPDATES];
    struct ledger_state_pages pages = ledger_store_pages(ledger.store);

    for (size_t i = 0; i < UPDATES; i++) {
        uint64_t n = ledger.txs + i;
        uint8_t id[32];
        int len;

        base_hash(id, &n, sizeof n);
        memcpy(key[i], "seen/", 5);
        base_hex(key[i] + 5, id, sizeof id);
        if (i == BLOCK)
            (void)snprintf(key[i], sizeof key[i], "dataset/bank_a/loans");
        len = snprintf(value[i], sizeof value[i], "{\"not_after\":%lld}", (long long)ends_at(n));
        update[i] = (struct ledger_update){key[i], (const uint8_t *)value[i], (size_t)len};
        ledger_state_path(change[i].path, key[i]);
        base_hash(change[i].value_hash, value[i], (size_t)len);
        change[i].removed = false;
    }
    must(ledger_store_put_undo(ledger.store, ledger.tip.height, update, UPDATES, &err));
    if (ledger.tip.height > 64)
        must(ledger_store_drop_undo(ledger.store, ledger.tip.height - 64, &err));
    must(ledger_store_put_updates(ledger.store, update, UPDATES, &err));
    must(ledger_state_update(ledger.tip.state_root, &pages, change, UPDATES, &err));
}

static void put_block(void)
{
    struct ledger_store_block row = {++ledger.tip.height, (int64_t)ledger.tip.height,
                                     ledger.tip.log.size, BLOCK};

    must(ledger_store_begin_write(ledger.store, &err));
    must(ledger_store_put_block(ledger.store, &row, &err));
    put_txs();
    put_state();
    must(ledger_store_merge_due_ids(ledger.store, &err));
    must(ledger_store_put_tip(ledger.store, &ledger.tip, &err));
    must(ledger_store_commit(ledger.store, &err));
    ledger.txs += BLOCK;
}

static int pages_written(void)
{
    int now, high;

    assert_int_equal(
        sqlite3_db_status(ledger.store->db, SQLITE_DBSTATUS_CACHE_WRITE, &now, &high, 0),
        SQLITE_OK);
    return now;
}

/* Pages of a transaction on the way to so many entries. */
static double grow_to(uint64_t txs)
{
    uint64_t from = ledger.txs;
    int before = pages_written();

    while (ledger.txs < txs)
        put_block();
    return (double)(pages_written() - before) / (double)(txs - from);
}

static void test_pages_for_a_transaction(void **state)
{
    double at_3, at_4, between, at_5;
    uint8_t chain[32] = {1};

    (void)state;
    must(ledger_store_open(&ledger.store, path, LEDGER_STORE_CREATE, &err));
    must(ledger_store_begin_write(ledger.store, &err));
    must(ledger_store_put_genesis(ledger.store, chain, "{}", 2, &err));
    must(ledger_store_commit(ledger.store, &err));
    at_3 = grow_to(1000);
    (void)grow_to(5000);
    at_4 = grow_to(10000);
    between = grow_to(90000); /* ids have gone into their index twice, sweeps went by */
    at_5 = grow_to(100000);
    print_message("pages written for a transaction: %.3f up to 10^3 entries, %.3f before 10^4, "
                  "%.3f after it, %.3f before 10^5\n",
                  at_3, at_4, between, at_5);
    assert_true(at_4 < 2 * at_3);
    assert_true(between < 1.3 * at_4);
    assert_true(at_5 < 1.3 * at_4);
    ledger_store_abandon(ledger.store);
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s/firmiana-flat-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/a.db", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_pages_for_a_transaction)};

    return cmocka_run_group_tests_name("what a ledger costs as it grows", tests, make_folder,
                                       remove_folder);
}
