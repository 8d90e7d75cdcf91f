/* The index of ids against a plain list: whatever is put in, merged, committed, rolled back and
 * reopened in whatever order, the writing connection finds what it has written, and one that reads,
 * open all the while, what was committed; and neither finds anything else.
 *
 *   test_recent [SEED] */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "ledger/store/store_impl.h"
#include "ledger/store/test_town.h"

enum { IDS = 6000, ROUNDS = 400 };

static struct base_err err;
static uint64_t seed, dice_state;
static char folder[64], path[96];

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("seed %llu: %s", (unsigned long long)seed, err.text);
}

static size_t dice(size_t n)
{
    dice_state ^= dice_state >> 12;
    dice_state ^= dice_state << 25;
    dice_state ^= dice_state >> 27;
    return (size_t)((dice_state * 2685821657736338717ULL) >> 33) % n;
}

static void id_of(uint8_t out32[32], size_t i)
{
    uint64_t in[2] = {i, seed};

    base_hash(out32, in, sizeof in);
    if (i % 3 == 0) /* many of one place */
        memset(out32, 7, 8);
}

/* The oracle: id i stands at leaf[i]; 0: nowhere. */
struct list {
    uint64_t leaf[IDS];
    size_t n; /* ids below it have been given out */
    uint64_t end;
};

static void check_one(struct ledger_store *store, const struct list *list, size_t i)
{
    struct ledger_recent_row row;
    uint8_t id[32];
    bool found;

    id_of(id, i);
    must(ledger_recent_find(store, &row, &found, id, &err));
    if (found != (list->leaf[i] != 0) ||
        (found && (row.leaf != list->leaf[i] || row.not_after != (int64_t)i * 10)))
        fail_msg("seed %llu: id %zu", (unsigned long long)seed, i);
}

static void check_some(struct ledger_store *store, const struct list *list)
{
    for (size_t k = 0; k < 12; k++)
        check_one(store, list, dice(list->n + 8 < IDS ? list->n + 8 : IDS));
}

static void put_some(struct ledger_store *store, struct list *list)
{
    uint8_t id[32];

    for (size_t k = dice(30); k > 0 && list->n < IDS; k--) {
        id_of(id, list->n);
        list->leaf[list->n] = ++list->end;
        must(ledger_recent_put(store, id, list->end, (int64_t)list->n * 10, &err));
        list->n++;
        if (dice(4) == 0)
            list->end += dice(3); /* leaves that end blocks */
    }
}

static struct ledger_store *reopen(struct ledger_store *store, enum ledger_store_mode mode)
{
    ledger_store_close(store);
    must(ledger_store_open(&store, path, mode, &err));
    return store;
}

static void test_against_a_list(void **state)
{
    static struct list now, kept;
    struct ledger_store *writer, *reader;
    uint8_t chain[32] = {1};

    (void)state;
    dice_state = seed * 0x9e3779b97f4a7c15ULL | 1;
    must(ledger_store_open(&writer, path, LEDGER_STORE_CREATE, &err));
    must(ledger_store_begin_write(writer, &err));
    must(ledger_store_put_genesis(writer, chain, "{}", 2, &err));
    must(ledger_store_commit(writer, &err));
    must(ledger_store_open(&reader, path, LEDGER_STORE_READ, &err));
    for (int round = 0; round < ROUNDS; round++) {
        if (dice(2) == 0)
            ledger_store_set_recent(writer, 1 + dice(300));
        must(ledger_store_begin_write(writer, &err));
        for (size_t step = dice(4); step > 0; step--) {
            put_some(writer, &now);
            if (dice(3) != 0)
                check_some(writer, &now);
            if (dice(6) == 0)
                must(ledger_store_merge_ids(writer, &err));
            else if (dice(2) == 0)
                must(ledger_store_merge_due_ids(writer, &err));
        }
        if (dice(2) == 0)
            check_some(reader, &kept);
        if (dice(4) == 0) {
            ledger_store_rollback(writer);
            now = kept;
        } else {
            must(ledger_store_commit(writer, &err));
            kept = now;
        }
        check_some(writer, &kept);
        if (dice(2) == 0)
            check_some(reader, &kept);
        if (dice(40) == 0)
            writer = reopen(writer, LEDGER_STORE_WRITE);
        if (dice(40) == 0)
            reader = reopen(reader, LEDGER_STORE_READ);
    }
    for (size_t i = 0; i < kept.n; i++) {
        check_one(writer, &kept, i);
        check_one(reader, &kept, i);
    }
    assert_true(kept.n > 1000);
    ledger_store_close(reader);
    ledger_store_abandon(writer);
}

/* A reader's snapshot stays what it was while ids move from one table to the other. */
static void test_in_a_snapshot(void **state)
{
    static struct list before, after;
    struct ledger_store *writer, *reader;
    uint8_t chain[32] = {1};

    (void)state;
    dice_state = 5;
    must(ledger_store_open(&writer, path, LEDGER_STORE_CREATE, &err));
    must(ledger_store_begin_write(writer, &err));
    must(ledger_store_put_genesis(writer, chain, "{}", 2, &err));
    while (before.n < 100)
        put_some(writer, &before);
    must(ledger_store_commit(writer, &err));
    after = before;
    must(ledger_store_open(&reader, path, LEDGER_STORE_READ, &err));
    must(ledger_store_begin_read(reader, &err));
    check_some(reader, &before);
    must(ledger_store_begin_write(writer, &err));
    must(ledger_store_merge_ids(writer, &err));
    put_some(writer, &after);
    put_some(writer, &after);
    must(ledger_store_commit(writer, &err));
    for (size_t i = 0; i < after.n; i++)
        check_one(reader, &before, i);
    ledger_store_rollback(reader);
    for (size_t i = 0; i < after.n; i++)
        check_one(reader, &after, i);
    ledger_store_close(reader);
    ledger_store_abandon(writer);
}

static bool is_there(struct ledger_chain *chain, const struct base_buf *tx)
{
    struct ledger_entry entry = {0};
    struct town_id id = town_tx_id(tx);
    uint8_t bytes[32];
    fm_status st;

    assert_true(base_unhex(bytes, 32, id.text, 64));
    st = ledger_reader_tx(ledger_chain_reader(chain), &entry, bytes, &err);
    ledger_entry_release(&entry);
    assert_true(st == FM_OK || st == FM_E_NOT_FOUND);
    return st == FM_OK;
}

/* A block is taken back and another put in its place: the same leaves, other ids. Merged or not. */
static void test_another_block_there(void **state)
{
    struct town t;

    (void)state;
    for (size_t recent = 1; recent <= 100; recent += 99) {
        struct base_buf tx[2];

        town_init(&t, path);
        ledger_chain_set_recent(t.chain, recent);
        tx[0] = town_publish(&t, BANK_A, 1, 1, "balance");
        tx[1] = town_publish(&t, BANK_B, 1, 1, "balance");
        for (size_t i = 0; i < 6; i++) {
            const struct base_buf *in = &tx[i % 2], *out = &tx[1 - i % 2];
            struct ledger_bytes bytes = {in->p, in->len};
            struct ledger_block block = {1, t.time_ms + 1000, &bytes, 1, 0};
            struct ledger_outcome outcome;

            must(ledger_chain_execute(t.chain, &outcome, &block, &err));
            assert_int_equal(outcome.verdict, LEDGER_OK);
            assert_true(is_there(t.chain, in));
            assert_false(is_there(t.chain, out));
            must(ledger_chain_check(t.chain, &outcome, in->p, in->len, t.time_ms, &err));
            assert_int_equal(outcome.rule, LEDGER_DROP_REPEATED);
            must(ledger_chain_check(t.chain, &outcome, out->p, out->len, t.time_ms, &err));
            assert_int_equal(outcome.verdict, LEDGER_OK);
            must(ledger_chain_rollback(t.chain, 0, &err));
            assert_false(is_there(t.chain, in));
        }
        base_buf_release(&tx[0]);
        base_buf_release(&tx[1]);
        town_release(&t);
        ledger_store_remove_files(path, LEDGER_FILES_ALL);
    }
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s/firmiana-recent-XXXXXX",
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

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_list),
        cmocka_unit_test(test_in_a_snapshot),
        cmocka_unit_test(test_another_block_there),
    };

    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
    (void)printf("seed %llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests_name("ids", tests, make_folder, remove_folder);
}
