/* The state tree in a store against its definition: whatever is changed, in whatever portions,
 * committed, rolled back and reopened, with regions and sweeps of all sizes, the writing connection
 * finds the root of what it has written; one that reads, open all the while, proves what was
 * committed; and what waits stays bounded. And pages written for a transaction do not become more
 * with the ledger (test_flat).
 *
 *   test_tree [SEED] */
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
#include "ledger/proof/state_proof.h"
#include "ledger/store/store_impl.h"

enum { PATHS = 2500, ROUNDS = 300, MOST = 120 };

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

/* Many of one region, some that agree further than a page id of the table page is long. */
static void path_of(uint8_t out32[32], size_t i)
{
    uint64_t in[2] = {i, seed};

    base_hash(out32, in, sizeof in);
    if (i % 4 == 1)
        memset(out32, 0x5a, 1);
    else if (i % 4 == 2)
        memset(out32, 0xff, 2);
    else if (i % 64 == 3)
        memset(out32, 0xff, 9);
}

/* ---- the definition (format.md section 6) ---- */

struct world {
    uint32_t value[PATHS]; /* 0: absent */
    uint8_t root[32];
};

struct entry {
    uint8_t path[32], value_hash[32];
};

static void value_of(uint8_t out32[32], uint32_t value)
{
    base_hash(out32, &value, sizeof value);
}

static int by_path(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

static void define(uint8_t out32[32], const struct entry *e, size_t n, unsigned bit)
{
    uint8_t in[65];
    size_t k = 0;

    memset(out32, 0, 32);
    if (n == 0)
        return;
    in[0] = n > 1;
    if (n == 1) {
        memcpy(in + 1, e, 64);
    } else {
        while (k < n && (e[k].path[bit / 8] >> (7 - bit % 8) & 1) == 0)
            k++;
        define(in + 1, e, k, bit + 1);
        define(in + 33, e + k, n - k, bit + 1);
    }
    base_hash(out32, in, sizeof in);
}

static void check_root(const struct world *w)
{
    static struct entry e[PATHS];
    uint8_t root[32];
    size_t n = 0;

    for (size_t i = 0; i < PATHS; i++)
        if (w->value[i] != 0) {
            path_of(e[n].path, i);
            value_of(e[n++].value_hash, w->value[i]);
        }
    qsort(e, n, sizeof e[0], by_path);
    define(root, e, n, 0);
    if (memcmp(root, w->root, sizeof root) != 0)
        fail_msg("seed %llu: another root of %zu keys", (unsigned long long)seed, n);
}

/* ---- a store ---- */

static void update(struct ledger_store *store, struct world *w, size_t n, bool removes)
{
    static struct ledger_state_change change[PATHS];
    static uint32_t taken[PATHS], round;
    struct ledger_state_pages pages = ledger_store_pages(store);
    size_t k = 0;

    round++;
    for (size_t j = 0; j < n; j++) {
        size_t i = dice(PATHS);
        struct ledger_state_change *c = &change[k];

        if (taken[i] == round)
            continue;
        taken[i] = round;
        path_of(c->path, i);
        c->removed = removes ? dice(8) != 0 : dice(4) == 0;
        w->value[i] = c->removed ? 0 : (uint32_t)dice(1000000) + 1;
        value_of(c->value_hash, w->value[i]);
        k++;
    }
    must(ledger_state_update(w->root, &pages, change, k, &err));
}

static void prove(struct ledger_store *reader, const struct world *w, size_t i)
{
    struct ledger_state_pages pages = ledger_store_pages(reader);
    struct ledger_state_proof proof;
    uint8_t at[32], value[32];
    fm_status st;

    path_of(at, i);
    value_of(value, w->value[i]);
    must(ledger_state_prove(&proof, at, &pages, &err));
    st = w->value[i] != 0 ? ledger_state_verify_present(&proof, w->root, at, value, &err)
                          : ledger_state_verify_absent(&proof, w->root, at, &err);
    must(st);
}

static void prove_some(struct ledger_store *reader, const struct world *w, bool snapshot)
{
    if (snapshot)
        must(ledger_store_begin_read(reader, &err));
    for (size_t k = 0; k < 6; k++)
        prove(reader, w, dice(PATHS));
    if (snapshot)
        ledger_store_rollback(reader);
}

static int64_t number(struct ledger_store *store, const char *sql)
{
    sqlite3_stmt *stmt;
    int64_t n;

    assert_int_equal(sqlite3_prepare_v2(store->db, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    n = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return n;
}

static struct ledger_store *create(void)
{
    struct ledger_store *store;
    uint8_t chain[32] = {1};

    must(ledger_store_open(&store, path, LEDGER_STORE_CREATE, &err));
    must(ledger_store_begin_write(store, &err));
    must(ledger_store_put_genesis(store, chain, "{}", 2, &err));
    must(ledger_store_commit(store, &err));
    return store;
}

static struct ledger_store *reopen(struct ledger_store *store, enum ledger_store_mode mode)
{
    ledger_store_close(store);
    must(ledger_store_open(&store, path, mode, &err));
    return store;
}

static int refuse(void *ctx)
{
    (void)ctx;
    return 1;
}

/* One transaction of some updates, which may be taken back. */
static void change(struct ledger_store *writer, struct ledger_store *reader, struct world *now,
                   struct world *kept, bool removes)
{
    must(ledger_store_begin_write(writer, &err));
    for (size_t step = dice(4); step > 0; step--)
        update(writer, now, 1 + dice(dice(20) == 0 ? 10 * MOST : MOST), removes);
    if (dice(2) == 0)
        prove_some(reader, kept, dice(2) == 0);
    if (dice(3) == 0)
        prove_some(writer, now, false);
    if (dice(8) == 0) {
        ledger_store_rollback(writer);
        *now = *kept;
    } else if (dice(8) == 0) { /* at the last moment, when all is written */
        (void)sqlite3_commit_hook(writer->db, refuse, NULL);
        assert_int_not_equal(ledger_store_commit(writer, &err), FM_OK);
        (void)sqlite3_commit_hook(writer->db, NULL, NULL);
        *now = *kept;
    } else {
        must(ledger_store_commit(writer, &err));
        *kept = *now;
    }
    check_root(kept);
}

static void test_against_the_definition(void **state)
{
    static struct world now, kept;
    struct ledger_store *writer = create(), *reader;
    unsigned depth = 1;
    size_t sweep = 100;

    (void)state;
    dice_state = seed * 0x9e3779b97f4a7c15ULL | 1;
    must(ledger_store_open(&reader, path, LEDGER_STORE_READ, &err));
    for (int round = 0; round < ROUNDS; round++) {
        if (dice(30) == 0)
            depth = 1 + (unsigned)dice(LEDGER_TREE_DEPTH);
        if (dice(30) == 0)
            sweep = 1 + dice(dice(2) == 0 ? 20 : 3000);
        ledger_store_set_sweep(writer, depth, sweep);
        change(writer, reader, &now, &kept, round / 60 % 3 == 2);
        if (dice(2) == 0)
            prove_some(reader, &kept, true);
        if (dice(20) == 0)
            writer = reopen(writer, LEDGER_STORE_WRITE);
        if (dice(20) == 0)
            reader = reopen(reader, LEDGER_STORE_READ);
    }
    for (size_t i = 0; i < PATHS; i++) {
        prove(writer, &kept, i);
        prove(reader, &kept, i);
    }
    ledger_store_close(reader);
    ledger_store_abandon(writer);
}

/* S3: rows go, however often the file is opened anew, and only when they may, whatever was taken
 * back. */
static void test_what_waits_is_bounded(void **state)
{
    enum { SWEEP = 400, EACH = 10 };
    static struct world now;
    struct ledger_store *store = create();

    (void)state;
    dice_state = 3;
    for (int round = 0; round < 800; round++) {
        static struct world kept;

        ledger_store_set_sweep(store, 2, SWEEP);
        must(ledger_store_begin_write(store, &err));
        kept = now;
        update(store, &now, EACH, false);
        if (round % 2 == 0) { /* at the last moment, when all is written */
            (void)sqlite3_commit_hook(store->db, refuse, NULL);
            assert_int_not_equal(ledger_store_commit(store, &err), FM_OK);
            (void)sqlite3_commit_hook(store->db, NULL, NULL);
            now = kept;
            continue;
        }
        must(ledger_store_commit(store, &err));
        assert_true(number(store, "SELECT sum(length(changes)) FROM change") <=
                    65 * (2 * SWEEP + 2 * EACH));
        if (dice(20) == 0)
            store = reopen(store, LEDGER_STORE_WRITE);
    }
    check_root(&now);
    assert_true(number(store, "SELECT min(seq) FROM change") > 100);
    store = reopen(store, LEDGER_STORE_WRITE);
    for (size_t i = 0; i < PATHS; i++)
        prove(store, &now, i);
    ledger_store_abandon(store);
}

/* A row that is not what was written is damage, not a wrong proof. */
static void test_damaged_rows(void **state)
{
    static const char *const harm[] = {
        "UPDATE change SET changes = substr(changes, 1, length(changes) - 1)",
        "UPDATE change SET changes = CAST(substr(changes, 1, 32) || x'07' || substr(changes, 34)"
        " AS BLOB)",
        "UPDATE tree SET depth = 9", "UPDATE tree SET region = -1", "DELETE FROM tree"};
    struct ledger_state_pages pages;
    uint8_t root[32];

    (void)state;
    for (size_t i = 0; i < sizeof harm / sizeof harm[0]; i++) {
        static struct world now;
        struct ledger_store *store = create();

        memset(&now, 0, sizeof now);
        must(ledger_store_begin_write(store, &err));
        update(store, &now, 5, false);
        must(ledger_store_commit(store, &err));
        assert_int_equal(sqlite3_exec(store->db, harm[i], NULL, NULL, NULL), SQLITE_OK);
        store = reopen(store, LEDGER_STORE_WRITE);
        pages = ledger_store_pages(store);
        assert_int_equal(ledger_state_root(root, &pages, &err), FM_E_CORRUPT);
        ledger_store_abandon(store);
    }
}

/* A tree of all depths as versions 5 and 3 had it: each page in the file, in their order. */
static void test_brought_up_to_date(void **state)
{
    static const char *const back[] = {
        "BEGIN; UPDATE page SET at = at + (1 << 62) WHERE at < 0; DROP TABLE change;"
        " DROP TABLE tree; PRAGMA user_version = 5; COMMIT",
        "BEGIN; CREATE TABLE page3 (at INTEGER PRIMARY KEY, page BLOB NOT NULL) STRICT;"
        " INSERT INTO page3 SELECT ((at & 15) << 56) | (at >> 4 & 0xffffffffffffff), page FROM"
        " (SELECT CASE WHEN at < 0 THEN at + (1 << 62) ELSE at END AS at, page FROM page);"
        " DROP TABLE page; ALTER TABLE page3 RENAME TO page; DROP TABLE recent; DROP TABLE merged;"
        " DROP TABLE change; DROP TABLE tree; PRAGMA user_version = 3; COMMIT"};
    static struct world now;

    (void)state;
    for (size_t k = 0; k < sizeof back / sizeof back[0]; k++) {
        struct ledger_store *store = create();

        memset(&now, 0, sizeof now);
        dice_state = 77;
        ledger_store_set_sweep(store, 3, 1); /* an update as long as a sweep goes into the file */
        must(ledger_store_begin_write(store, &err));
        update(store, &now, 3 * PATHS, false);
        must(ledger_store_commit(store, &err));
        assert_int_equal(number(store, "SELECT sum(length(changes)) FROM change"), 0);
        assert_true(number(store, "SELECT count(*) FROM page WHERE at < 0") > 100);
        assert_true(number(store, "SELECT count(*) FROM page") > 300);
        assert_true(number(store, "SELECT count(*) FROM deep_page") > 0);
        assert_int_equal(sqlite3_exec(store->db, back[k], NULL, NULL, NULL), SQLITE_OK);
        store = reopen(store, LEDGER_STORE_WRITE);
        assert_int_equal(number(store, "PRAGMA user_version"), 6);
        for (size_t i = 0; i < PATHS; i++)
            prove(store, &now, i);
        must(ledger_store_begin_write(store, &err));
        update(store, &now, 100, true);
        must(ledger_store_commit(store, &err));
        check_root(&now);
        for (size_t i = 0; i < PATHS; i++)
            prove(store, &now, i);
        ledger_store_abandon(store);
    }
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s/firmiana-tree-XXXXXX",
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
        cmocka_unit_test(test_against_the_definition),
        cmocka_unit_test(test_what_waits_is_bounded),
        cmocka_unit_test(test_damaged_rows),
        cmocka_unit_test(test_brought_up_to_date),
    };

    seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
    (void)printf("seed %llu\n", (unsigned long long)seed);
    return cmocka_run_group_tests_name("the state tree in a store", tests, make_folder,
                                       remove_folder);
}
