/* Gathered writes of the WAL (sum_vfs.c, W1 to W5): what other connections see after each commit is
 * what was committed, however little is synced and however often a cache too small spills; a failed
 * write is a failed transaction; and nothing of one that was taken back is written after others. */
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
#include <sqlite3.h>

#include "ledger/store/sum_vfs.h"

static char folder[64], path[96];

/* ---- a disk that fails on demand, below ---- */

static sqlite3_vfs failing, *real;
static sqlite3_io_methods failing_methods;
static const sqlite3_io_methods *real_methods;
static int until_failure = -1; /* writes of a WAL; -1: never */
static int failures;

static int failing_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    if (until_failure == 0) {
        failures++;
        return SQLITE_IOERR_WRITE;
    }
    if (until_failure > 0)
        until_failure--;
    return real_methods->xWrite(f, p, n, at);
}

static int failing_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
    int code = real->xOpen(real, name, f, flags, out);

    (void)v;
    if (f->pMethods != NULL && (flags & SQLITE_OPEN_WAL) != 0) {
        real_methods = f->pMethods;
        failing_methods = *f->pMethods;
        failing_methods.xWrite = failing_write;
        f->pMethods = &failing_methods;
    }
    return code;
}

static void install(void)
{
    real = sqlite3_vfs_find(NULL);
    failing = *real;
    failing.zName = "failing";
    failing.xOpen = failing_open;
    assert_int_equal(sqlite3_vfs_register(&failing, 1), SQLITE_OK);
}

/* ---- connections ---- */

static sqlite3 *open_db(void)
{
    sqlite3 *db;

    assert_int_equal(
        sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, ledger_sum_vfs()),
        SQLITE_OK);
    return db;
}

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt;
    int64_t n;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    n = sqlite3_column_int64(stmt, 0);
    (void)sqlite3_finalize(stmt);
    return n;
}

static sqlite3 *make_db(const char *synchronous)
{
    sqlite3 *db = open_db();
    char text[64];

    assert_int_equal(ledger_sum_enable(db), SQLITE_OK);
    (void)snprintf(text, sizeof text, "PRAGMA synchronous = %s", synchronous);
    run(db, "PRAGMA journal_mode = WAL");
    run(db, text);
    run(db, "PRAGMA cache_size = 4; PRAGMA wal_autocheckpoint = 60");
    run(db, "CREATE TABLE t (at INTEGER PRIMARY KEY, round INTEGER, bytes BLOB)");
    run(db, "CREATE TABLE n (value INTEGER PRIMARY KEY); INSERT INTO n WITH RECURSIVE c(v) AS"
            " (SELECT 1 UNION ALL SELECT v + 1 FROM c WHERE v < 120) SELECT v FROM c");
    return db;
}

/* Sums over everything, which only the right rows give. */
#define SUM \
    "SELECT coalesce(sum(at * 31 + round * 7 + unicode(hex(bytes)) + length(bytes)), 0) FROM t"

static void remove_db(sqlite3 *db)
{
    static const char *const endings[] = {"", "-wal", "-shm"};
    char name[128];

    (void)sqlite3_close(db);
    for (size_t k = 0; k < 3; k++) {
        (void)snprintf(name, sizeof name, "%s%s", path, endings[k]);
        (void)unlink(name);
    }
}

/* ---- tests ---- */

/* A transaction with rows all over the table, and a part of it taken back. */
static void change(sqlite3 *db, int round)
{
    char sql[512];

    (void)snprintf(
        sql, sizeof sql,
        "BEGIN IMMEDIATE;"
        "REPLACE INTO t SELECT (value * 7919 + %d) %% 400, %d, zeroblob(%d + value %% 900)"
        " FROM n WHERE value <= %d;"
        "SAVEPOINT s; UPDATE t SET round = -1 WHERE at %% 3 = %d; ROLLBACK TO s; RELEASE s;",
        round * 13, round, round % 50, 1 + round * 11 % 120, round % 3);
    run(db, sql);
}

static void seen_by_others(const char *synchronous)
{
    sqlite3 *db = make_db(synchronous), *reader = open_db(), *behind = open_db(), *fresh;
    int64_t committed = number(db, SUM), held = committed;

    for (int round = 1; round <= 120; round++) {
        change(db, round);
        assert_int_equal(number(reader, SUM), committed); /* nothing that is not committed */
        if (round % 5 == 0) {
            run(db, "ROLLBACK");
        } else {
            committed = number(db, SUM);
            run(db, "COMMIT");
        }
        assert_int_equal(number(reader, SUM), committed);
        if (round % 20 == 1) { /* one that stays behind, so that the WAL grows */
            run(behind, "BEGIN");
            held = number(behind, SUM);
        }
        if (round % 20 < 10 && round % 20 > 0)
            assert_int_equal(number(behind, SUM), held);
        if (round % 20 == 10)
            run(behind, "ROLLBACK");
        fresh = open_db();
        assert_int_equal(number(fresh, SUM), committed);
        assert_int_equal(number(fresh, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"),
                         1);
        (void)sqlite3_close(fresh);
    }
    (void)sqlite3_close(reader);
    (void)sqlite3_close(behind);
    remove_db(db);
}

static void test_seen_by_others(void **state)
{
    (void)state;
    seen_by_others("FULL");
    seen_by_others("NORMAL");
    seen_by_others("OFF");
}

/* The i-th write fails, for all i until none does: the transaction says so, is then not there, nor
 * a part of it, and the next one goes as if nothing had been. */
static void failed_writes(const char *synchronous)
{
    bool failed = true;

    for (int i = 0; failed; i++) {
        sqlite3 *db = make_db(synchronous), *reader = open_db();
        int64_t before, after;

        change(db, 1);
        run(db, "COMMIT");
        before = number(db, SUM);
        failures = 0;
        until_failure = i;
        failed = sqlite3_exec(db, "UPDATE t SET round = round + 1, bytes = zeroblob(700)", NULL,
                              NULL, NULL) != SQLITE_OK;
        until_failure = -1;
        assert_true(failed == (failures > 0));
        after = number(db, SUM);
        assert_int_equal(number(reader, SUM), after);
        assert_true(failed ? after == before : after != before);
        change(db, 2);
        run(db, "COMMIT");
        assert_int_equal(number(reader, SUM), number(db, SUM));
        (void)sqlite3_close(reader);
        remove_db(db);
    }
}

static void test_failed_writes(void **state)
{
    (void)state;
    failed_writes("FULL");
    failed_writes("NORMAL");
    failed_writes("OFF");
}

/* One takes back what its cache has spilled, another commits in its place; then the first one
 * closes, or writes again. */
static void taken_back(const char *synchronous, bool closes)
{
    sqlite3 *first = make_db(synchronous), *second, *third;
    int64_t committed;

    change(first, 1);
    run(first, "COMMIT");
    second = open_db();
    run(second, "PRAGMA synchronous = FULL");
    run(first, "BEGIN IMMEDIATE; INSERT INTO t SELECT 5000 + value, 9, zeroblob(900) FROM n"
               " WHERE value < 80; ROLLBACK");
    change(second, 3);
    run(second, "COMMIT");
    change(second, 4);
    run(second, "COMMIT");
    committed = number(second, SUM);
    if (closes) {
        (void)sqlite3_close(first);
    } else {
        change(first, 5);
        committed = number(first, SUM);
        run(first, "COMMIT");
    }
    third = open_db();
    assert_int_equal(number(third, SUM), committed);
    assert_int_equal(number(third, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    (void)sqlite3_close(third);
    if (!closes)
        (void)sqlite3_close(first);
    remove_db(second);
}

static void test_taken_back(void **state)
{
    (void)state;
    for (int closes = 0; closes < 2; closes++) {
        taken_back("FULL", closes != 0);
        taken_back("NORMAL", closes != 0);
        taken_back("OFF", closes != 0);
    }
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "%s/firmiana-sums-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/a.db", folder);
    install();
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_seen_by_others),
        cmocka_unit_test(test_failed_writes),
        cmocka_unit_test(test_taken_back),
    };
    return cmocka_run_group_tests_name("gathered writes", tests, make_folder, remove_folder);
}
