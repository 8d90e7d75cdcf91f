/* Changes between versions: what is said of random edits is what was edited; versions that were
 * never published are forgotten; a failure keeps what was there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exchange/data/changes.h"
#include "exchange/data/store.h"
#include "exchange/data/testing.h"

static const char schema_text[] =
    "{\"columns\":[{\"name\":\"k\",\"type\":\"INTEGER\",\"range\":[0,999999],\"nullable\":false},"
    "{\"name\":\"t\",\"type\":\"TEXT(8)\",\"nullable\":true}],\"rows\":5000,\"version\":1}";
static const uint8_t secret[32] = {4, 2};

/* The table as it is now, under a root of that number, after the published one (0: none). */
static struct data_changes note(unsigned published, unsigned root, fm_status want)
{
    uint8_t published32[32] = {(uint8_t)published, 1}, root32[32] = {(uint8_t)root, 1};
    struct data_changes_job job = {.path = testing_path("versions.db"),
                                   .secret32 = secret,
                                   .table = "t",
                                   .data_version = published + 1,
                                   .published32 = published > 0 ? published32 : NULL};
    struct data_changes_writer *w = NULL;
    const struct data_cell *row = NULL;
    struct data_rows *rows = NULL;
    struct data_store *store;
    struct data_schema schema;
    struct data_changes out = {.known = false};
    int64_t rowid;
    struct base_err err = {0};
    json_t *json = NULL;
    fm_status st;

    assert_int_equal(base_json_parse(&json, schema_text, strlen(schema_text), &err), FM_OK);
    assert_int_equal(data_schema_from_json(&schema, json, &err), FM_OK);
    job.schema = &schema;
    assert_int_equal(data_store_open(&store, testing_path("d.db"), &err), FM_OK);
    st = data_changes_begin(&w, &job, &err);
    if (st == FM_OK)
        st = data_rows_open(&rows, store, "t", &schema, NULL, 0, &err);
    while (st == FM_OK) {
        st = data_rows_next(&row, &rowid, rows, &err);
        if (st != FM_OK || row == NULL)
            break;
        st = data_changes_row(w, rowid, row, schema.column_count, &err);
    }
    if (st == FM_OK)
        st = data_changes_end(&out, w, root32, &err);
    if (st != want)
        fail_msg("%s", err.text);
    data_changes_free(w);
    data_rows_free(rows);
    data_store_free(store);
    data_schema_release(&schema);
    json_decref(json);
    return out;
}

static void edit(const char *sql)
{
    (void)testing_sql(testing_path("d.db"), sql);
}

static void start(void)
{
    (void)remove(testing_path("d.db"));
    (void)remove(testing_path("versions.db"));
    edit(
        "CREATE TABLE t (k INTEGER, t TEXT); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + "
        "1 FROM n WHERE i < 1000) INSERT INTO t SELECT i, 'a' || i FROM n");
}

static void expect(struct data_changes c, uint64_t same, uint64_t changed, uint64_t added,
                   uint64_t removed)
{
    assert_true(c.known);
    assert_int_equal(c.same, same);
    assert_int_equal(c.changed, changed);
    assert_int_equal(c.added, added);
    assert_int_equal(c.removed, removed);
}

static void edits_are_told(void **state)
{
    (void)state;
    start();
    assert_false(note(0, 1, FM_OK).known);
    expect(note(1, 2, FM_OK), 1000, 0, 0, 0);
    edit("UPDATE t SET t = NULL WHERE k % 100 = 7");
    expect(note(2, 3, FM_OK), 990, 10, 0, 0);
    edit("INSERT INTO t VALUES (5001, 'x'), (5002, 'x'), (5002, 'x')");
    expect(note(3, 4, FM_OK), 1000, 0, 3, 0);
    edit("DELETE FROM t WHERE k IN (2, 500, 5002)");
    expect(note(4, 5, FM_OK), 999, 0, 0, 4);
    /* All of it at once. */
    edit("UPDATE t SET k = k + 1 WHERE k = 800; INSERT INTO t VALUES (6000, ''); DELETE FROM t "
         "WHERE k = 3");
    expect(note(5, 6, FM_OK), 997, 1, 1, 1);
}

/* Imported anew with one line more at the front: every row has moved, one was added. */
static void moved_rows_are_the_same(void **state)
{
    (void)state;
    start();
    (void)note(0, 1, FM_OK);
    edit("UPDATE t SET _rowid_ = -_rowid_ - 1; UPDATE t SET _rowid_ = -_rowid_; INSERT INTO t "
         "(_rowid_, k, t) VALUES (1, 0, 'first')");
    expect(note(1, 2, FM_OK), 1000, 0, 1, 0);
    edit("DELETE FROM t WHERE _rowid_ = 1; UPDATE t SET _rowid_ = -_rowid_ + 1; UPDATE t SET "
         "_rowid_ = -_rowid_; UPDATE t SET t = 'b' WHERE k = 700");
    expect(note(2, 3, FM_OK), 999, 0, 1, 2);
}

static void random_edits(void **state)
{
    uint64_t x = 88172645463325252U;

    (void)state;
    start();
    (void)note(0, 1, FM_OK);
    for (unsigned round = 1; round < 12; round++) {
        char sql[256];
        unsigned changed, removed, added = round * 7 % 5;
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        (void)snprintf(sql, sizeof sql, "SELECT COUNT(*) FROM t WHERE k %% 17 = %u",
                       (unsigned)(x % 17));
        changed = (unsigned)atoi(testing_sql(testing_path("d.db"), sql));
        (void)snprintf(sql, sizeof sql, "UPDATE t SET t = 'r%u' WHERE k %% 17 = %u", round,
                       (unsigned)(x % 17));
        edit(sql);
        (void)snprintf(sql, sizeof sql,
                       "SELECT COUNT(*) FROM t WHERE k %% 17 <> %u AND k %% 31 = %u",
                       (unsigned)(x % 17), (unsigned)(x >> 9) % 31);
        removed = (unsigned)atoi(testing_sql(testing_path("d.db"), sql));
        (void)snprintf(sql, sizeof sql, "DELETE FROM t WHERE k %% 17 <> %u AND k %% 31 = %u",
                       (unsigned)(x % 17), (unsigned)(x >> 9) % 31);
        edit(sql);
        for (unsigned i = 0; i < added; i++) {
            (void)snprintf(sql, sizeof sql, "INSERT INTO t (_rowid_, k, t) VALUES (%u, %u, 'n')",
                           10000 + round * 100 + i, 17 * 31 * (round * 10 + i) + 5000);
            edit(sql);
        }
        struct data_changes c = note(round, round + 1, FM_OK);
        assert_int_equal(c.changed, changed);
        assert_int_equal(c.added, added);
        assert_int_equal(c.removed, removed);
    }
}

static void kept(const char *versions, const char *contents)
{
    assert_string_equal(testing_sql(testing_path("versions.db"), "SELECT COUNT(*) FROM published"),
                        versions);
    assert_string_equal(testing_sql(testing_path("versions.db"), "SELECT COUNT(*) FROM contents"),
                        contents);
}

static void what_was_not_published(void **state)
{
    (void)state;
    start();
    (void)note(0, 1, FM_OK);
    edit("UPDATE t SET t = 'x' WHERE k = 1");
    expect(note(1, 2, FM_OK), 999, 1, 0, 0);
    /* 2 was refused: what follows is compared with 1 still. */
    edit("UPDATE t SET t = 'x' WHERE k = 2");
    expect(note(1, 3, FM_OK), 998, 2, 0, 0);
    kept("3", "1003"); /* it may be on its way */
    /* 3 is published: 2 is gone, and what it had. */
    edit("UPDATE t SET t = 'x' WHERE k = 3");
    expect(note(3, 4, FM_OK), 999, 1, 0, 0);
    kept("3", "1003");
    /* Or 2 is, after all that. */
    edit("UPDATE t SET t = 'a3' WHERE k = 3");
    expect(note(3, 5, FM_OK), 1000, 0, 0, 0);
    expect(note(4, 6, FM_OK), 999, 1, 0, 0);
    kept("4", "1004");
    /* Another computer published: nothing to compare with, and no guess. */
    assert_false(note(9, 7, FM_OK).known);
    /* A failure half-way changes nothing. */
    edit("UPDATE t SET k = -1 WHERE k = 900");
    assert_false(note(7, 8, FM_E_INPUT).known);
    edit("UPDATE t SET k = 900 WHERE k = -1");
    expect(note(7, 8, FM_OK), 1000, 0, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_are_told),
        cmocka_unit_test(moved_rows_are_the_same),
        cmocka_unit_test(random_edits),
        cmocka_unit_test(what_was_not_published),
    };

    return cmocka_run_group_tests_name("exchange/data: changes", tests, testing_folder_make,
                                       testing_folder_remove);
}
