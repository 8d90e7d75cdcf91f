/* A file of the schema before: brought up to date when a node opens it, in one step or not at all,
 * and then as if it had always been of today's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "ledger/store/sum_vfs.h"
#include "ledger/store/test_town.h"
#include "ledger/store/upkeep.h"

static struct base_err err;
static char folder[64], path[96];

static void must(fm_status st)
{
    if (st != FM_OK)
        fail_msg("%s", err.text);
}

static void sql(const char *text)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, ledger_sum_vfs()),
                     SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", text, sqlite3_errmsg(db));
    (void)sqlite3_close(db);
}

static int64_t number(const char *query)
{
    sqlite3_stmt *stmt;
    sqlite3 *db;
    int64_t n;

    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, ledger_sum_vfs()),
                     SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    n = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    return n;
}

/* As version 5 had it: every page of the state tree, in one order. */
#define BACK_TO_5                                                 \
    "UPDATE page SET at = at + 4611686018427387904 WHERE at < 0;" \
    "DROP TABLE change; DROP TABLE tree;"

static const char back_to_5[] = "BEGIN;" BACK_TO_5 "PRAGMA user_version = 5; COMMIT";

/* As version 4 had it: every id in tx. */
#define BACK_TO_4                                                                  \
    BACK_TO_5 "INSERT INTO tx SELECT id, leaf, not_after FROM recent ORDER BY id;" \
              "DROP TABLE recent; DROP TABLE merged;"

static const char back_to_4[] = "BEGIN;" BACK_TO_4 "PRAGMA user_version = 4; COMMIT";

/* As version 3 had it: pages by depth first. */
#define BACK_TO_3                                                             \
    BACK_TO_4                                                                 \
    "CREATE TABLE page3 (at INTEGER PRIMARY KEY, page BLOB NOT NULL) STRICT;" \
    "INSERT INTO page3 SELECT ((at & 15) << 56) | (at >> 4), page FROM page;" \
    "DROP TABLE page; ALTER TABLE page3 RENAME TO page;"

static const char back_to_3[] = "BEGIN;" BACK_TO_3 "PRAGMA user_version = 3; COMMIT";

/* As version 2 had it: every remembered id in three orders, its time in two of them. */
static const char back_to_2[] =
    "BEGIN;" BACK_TO_3 "INSERT INTO state SELECT 'seen/' || lower(hex(id)),"
    " CAST('{\"not_after\":' || not_after || '}' AS BLOB) FROM seen;"
    "CREATE TABLE seen2 (not_after INTEGER, id TEXT, PRIMARY KEY (not_after, id))"
    " STRICT, WITHOUT ROWID;"
    "INSERT INTO seen2 SELECT not_after, lower(hex(id)) FROM seen;"
    "CREATE TABLE tx2 (id BLOB PRIMARY KEY, leaf INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "INSERT INTO tx2 SELECT id, leaf FROM tx;"
    "DROP TABLE seen; DROP TABLE tx;"
    "ALTER TABLE seen2 RENAME TO seen; ALTER TABLE tx2 RENAME TO tx;"
    "PRAGMA user_version = 2; COMMIT";

static struct base_buf publish(struct town *t, int64_t version)
{
    return town_tx(t, LEDGER_TX_DATASET_PUBLISH, BANK_A, town_dataset(t, version, 1, "balance"));
}

static void check(struct town *t)
{
    struct ledger_check_report report;

    must(ledger_check(ledger_chain_reader(t->chain), &report, NULL, &err));
    assert_int_equal(report.height, ledger_chain_head(t->chain)->height);
}

/* Two that are forgotten, two that are remembered; then an older file. *last: the newest one's
 * bytes. */
static void play(struct town *t, struct base_buf *last)
{
    struct base_buf tx;

    town_init(t, path);
    town_ok(t, publish(t, 1));
    town_ok(t, publish(t, 2));
    town_wait(t, 2 * DAY_MS);
    town_ok(t, publish(t, 3));
    tx = publish(t, 4);
    base_buf_put(last, tx.p, tx.len);
    town_ok(t, tx);
    ledger_chain_close(t->chain);
    t->chain = NULL;
    assert_int_equal(number("SELECT count(*) FROM seen"), 2);
    sql(back_to_2);
    assert_int_equal(number("SELECT count(*) FROM state WHERE key GLOB 'seen/*'"), 2);
}

static void test_brought_up_to_date(void **state)
{
    struct ledger_reader *reader;
    struct base_buf last = {0};
    struct town t;

    (void)state;
    play(&t, &last);
    assert_int_equal(ledger_reader_open(&reader, path, &err), FM_E_INPUT);
    assert_non_null(strstr(err.text, "start the node once (firmiana node)"));
    must(ledger_chain_open(&t.chain, path, &err));
    assert_int_equal(number("PRAGMA user_version"), 6);
    assert_int_equal(number("SELECT count(*) FROM seen"), 2);
    assert_int_equal(number("SELECT count(*) FROM tx"), 4);
    assert_int_equal(number("SELECT count(*) FROM tx WHERE not_after = 0"), 2);
    assert_int_equal(number("SELECT count(*) FROM state WHERE key GLOB 'seen/*'"), 0);
    check(&t);
    /* Each of these blocks is compared with a replica in memory. */
    town_refused(&t, last, LEDGER_DROP_REPEATED);
    town_ok(&t, publish(&t, 5));
    must(ledger_chain_rollback(t.chain, ledger_chain_head(t.chain)->height - 1, &err));
    ledger_chain_close(t.chain);
    must(ledger_chain_open(&t.chain, path, &err)); /* and a file of today's is left alone */
    check(&t);
    town_release(&t);
}

/* What was remembered before is forgotten in its time. */
static void test_goes_on(void **state)
{
    struct base_buf last = {0};
    struct town t;

    (void)state;
    play(&t, &last);
    base_buf_release(&last);
    must(ledger_chain_open(&t.chain, path, &err));
    town_wait(&t, 2 * DAY_MS);
    town_ok(&t, publish(&t, 5));
    assert_int_equal(number("SELECT count(*) FROM seen"), 1);
    check(&t);
    town_release(&t);
}

/* txs: rows of the index then. */
static void from_a_version_between(const char *back, int txs)
{
    struct base_buf last = {0};
    struct town t;

    play(&t, &last);
    must(ledger_chain_open(&t.chain, path, &err));
    town_ok(&t, publish(&t, 5));
    ledger_chain_close(t.chain);
    assert_int_equal(number("SELECT count(*) FROM recent"), 1);
    sql(back);
    must(ledger_chain_open(&t.chain, path, &err));
    assert_int_equal(number("PRAGMA user_version"), 6);
    assert_int_equal(number("SELECT count(*) FROM tx"), txs);
    check(&t);
    town_refused(&t, last, LEDGER_DROP_REPEATED);
    town_ok(&t, publish(&t, 6));
    check(&t);
    town_release(&t);
}

static void test_from_version_3(void **state)
{
    (void)state;
    from_a_version_between(back_to_3, 5);
}

static void test_from_version_4(void **state)
{
    (void)state;
    from_a_version_between(back_to_4, 5);
}

static void test_from_version_5(void **state)
{
    (void)state;
    from_a_version_between(back_to_5, 4);
}

/* Fails in the middle, and all is as it was. */
static void test_all_or_nothing(void **state)
{
    struct base_buf last = {0};
    struct town t;
    int64_t tables;

    (void)state;
    play(&t, &last);
    base_buf_release(&last);
    tables = number("SELECT count(*) FROM sqlite_schema");
    sql("UPDATE state SET value = CAST('{' AS BLOB)"
        " WHERE key = (SELECT max(key) FROM state WHERE key GLOB 'seen/*')");
    assert_int_not_equal(ledger_chain_open(&t.chain, path, &err), FM_OK);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(number("PRAGMA user_version"), 2);
    assert_int_equal(number("SELECT count(*) FROM state WHERE key GLOB 'seen/*'"), 2);
    assert_int_equal(number("SELECT count(*) FROM sqlite_schema"), tables);
    sql("PRAGMA user_version = 1");
    assert_int_equal(ledger_chain_open(&t.chain, path, &err), FM_E_INPUT);
    assert_non_null(strstr(err.text, "schema has version 1"));
    town_release(&t);
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/firmiana-older-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/a.ledger", folder);
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const endings[] = {"", "-wal", "-shm", "-journal", ".lock"};
    char name[160];

    (void)state;
    for (size_t k = 0; k < sizeof endings / sizeof endings[0]; k++) {
        (void)snprintf(name, sizeof name, "%s%s", path, endings[k]);
        (void)unlink(name);
    }
    return rmdir(folder);
}

int main(void)
{
#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(test_brought_up_to_date), WITH_FOLDER(test_goes_on),
        WITH_FOLDER(test_from_version_3),     WITH_FOLDER(test_from_version_4),
        WITH_FOLDER(test_from_version_5),     WITH_FOLDER(test_all_or_nothing),
    };
    return cmocka_run_group_tests_name("a ledger of an older version", tests, NULL, NULL);
}
