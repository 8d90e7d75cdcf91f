/* One scan says what three said: faults and keys as data_store_check() tells them, the root as
 * data_root_compute() gives it, changes as they were made; and who stands in too many rows is never
 * overlooked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exchange/data/crowd.h"
#include "exchange/data/publish.h"
#include "exchange/data/testing.h"

static const uint8_t secret[32] = {4, 2};

#define COLUMNS                                                                                \
    "{\"columns\":[{\"name\":\"a\",\"type\":\"INTEGER\",\"range\":[0,899],\"nullable\":true}," \
    "{\"name\":\"t\",\"type\":\"TEXT(8)\",\"nullable\":false}],\"version\":1,"                 \
    "\"keys\":[{\"column\":\"a\",\"max_rows\":7},{\"column\":\"t\",\"max_rows\":1}],"

/* Opens the table with the schema, says what both ways say, and that it is the same. */
static fm_status publish(struct data_published *out, const char *schema_text,
                         const uint8_t *published32, const atomic_bool *stop, struct base_err *err)
{
    struct data_publish_job job = {.table = "t",
                                   .key = {secret, 3},
                                   .digests = testing_path("versions.db"),
                                   .published32 = published32,
                                   .stop = stop};
    struct base_err checked = {0};
    struct data_schema schema;
    uint8_t root[32] = {0};
    json_t *json = NULL;
    fm_status st, want;

    assert_int_equal(base_json_parse(&json, schema_text, strlen(schema_text), err), FM_OK);
    if (data_schema_from_json(&schema, json, err) != FM_OK)
        fail_msg("%s", err->text);
    assert_int_equal(data_store_open(&job.store, testing_path("d.db"), err), FM_OK);
    job.schema = &schema;
    st = data_publish(out, &job, err);
    want = data_store_check(job.store, "t", &schema, &checked);
    if (stop == NULL) {
        assert_int_equal(st, want);
        assert_string_equal(err->text, checked.text);
    }
    if (st == FM_OK) {
        struct data_rows *rows;
        struct data_row_source source;
        assert_int_equal(data_rows_open(&rows, job.store, "t", &schema, NULL, 0, err), FM_OK);
        source = data_rows_source(rows);
        assert_int_equal(data_root_compute(root, &source, &schema, &job.key, err), FM_OK);
        assert_memory_equal(root, out->root32, 32);
        data_rows_free(rows);
    }
    data_store_free(job.store);
    data_schema_release(&schema);
    json_decref(json);
    return st;
}

static void table(const char *edit)
{
    (void)remove(testing_path("d.db"));
    (void)remove(testing_path("versions.db"));
    (void)testing_sql(testing_path("d.db"),
                      "CREATE TABLE t (a INTEGER, t TEXT); WITH RECURSIVE n(i) AS (SELECT 0 UNION "
                      "ALL SELECT i + 1 FROM n WHERE i < 4999) INSERT INTO t SELECT i % 900, 'n' "
                      "|| i FROM n");
    (void)testing_sql(testing_path("d.db"), edit);
}

static void one_scan_says_the_same(void **state)
{
    static const struct {
        const char *edit, *schema;
        fm_status want;
    } cases[] = {
        {"SELECT 1", COLUMNS "\"rows\":5000}", FM_OK},
        {"SELECT 1", COLUMNS "\"rows\":70000}", FM_OK},
        {"DELETE FROM t", COLUMNS "\"rows\":10}", FM_OK},
        {"SELECT 1", COLUMNS "\"rows\":4990}", FM_E_INPUT},
        {"UPDATE t SET a = 900 WHERE _rowid_ % 7 = 3", COLUMNS "\"rows\":5000}", FM_E_INPUT},
        {"UPDATE t SET t = NULL WHERE _rowid_ = 5000", COLUMNS "\"rows\":5000}", FM_E_INPUT},
        {"UPDATE t SET t = 'longer than 8' WHERE _rowid_ IN (1, 9)", COLUMNS "\"rows\":5000}",
         FM_E_INPUT},
        {"UPDATE t SET t = 'n1' WHERE _rowid_ = 4000", COLUMNS "\"rows\":5000}", FM_E_INPUT},
        {"UPDATE t SET a = 3 WHERE a = 4", COLUMNS "\"rows\":5000}", FM_E_INPUT},
        {"UPDATE t SET a = NULL WHERE a = 4", COLUMNS "\"rows\":5000}", FM_OK},
        {"UPDATE t SET a = '5.0' WHERE a = 4", COLUMNS "\"rows\":5000}", FM_E_INPUT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct data_published p;
        struct base_err err = {0};
        table(cases[i].edit);
        if (publish(&p, cases[i].schema, NULL, NULL, &err) != cases[i].want)
            fail_msg("%s: %s", cases[i].edit, err.text);
        assert_string_equal(p.unknown, "");
        /* Of what was refused nothing is kept. */
        assert_string_equal(
            testing_sql(testing_path("versions.db"),
                        cases[i].want == FM_OK
                            ? "SELECT count(*) FROM published WHERE root <> zeroblob(32)"
                            : "SELECT count(*) FROM sqlite_master"),
            cases[i].want == FM_OK ? "1" : "0");
    }
}

static void changes_go_along(void **state)
{
    struct data_published first, second;
    struct base_err err = {0};

    (void)state;
    table("SELECT 1");
    assert_int_equal(publish(&first, COLUMNS "\"rows\":5000}", NULL, NULL, &err), FM_OK);
    assert_false(first.changes.known);
    (void)testing_sql(testing_path("d.db"), "UPDATE t SET a = 899 WHERE _rowid_ IN (1, 2); DELETE "
                                            "FROM t WHERE _rowid_ = 4000");
    assert_int_equal(publish(&second, COLUMNS "\"rows\":5000}", first.root32, NULL, &err), FM_OK);
    assert_true(second.changes.known);
    assert_int_equal(second.changes.changed, 2);
    assert_int_equal(second.changes.removed, 1);
    assert_int_equal(second.changes.same, 4997);
}

/* A publication does not hang on the comparison: its database is none. */
static void without_digests_it_is_published(void **state)
{
    struct data_published p;
    struct base_err err = {0};

    (void)state;
    table("SELECT 1");
    testing_write(testing_path("versions.db"), "this is no database, and long enough to tell", 44);
    assert_int_equal(publish(&p, COLUMNS "\"rows\":5000}", NULL, NULL, &err), FM_OK);
    assert_false(p.changes.known);
    assert_non_null(strstr(p.unknown, "versions.db"));
}

static void it_can_be_stopped(void **state)
{
    const atomic_bool stop = true;
    struct data_published p;
    struct base_err err = {0};

    (void)state;
    table("SELECT 1");
    assert_int_equal(publish(&p, COLUMNS "\"rows\":5000}", NULL, &stop, &err), FM_E_CANCELLED);
}

/* Against counting: the most rows of a value, exactly, for values without collisions. */
static void crowds_are_never_overlooked(void **state)
{
    struct base_err err = {0};
    uint64_t dice = 88172645463325252U;

    (void)state;
    for (int round = 0; round < 200; round++) {
        unsigned values = 1 + (unsigned)(round % 50), counts[50] = {0}, most = 0;
        size_t n = (size_t)round * 13;
        for (int64_t bound = 0; bound < 2; bound++) {
            size_t pool = DATA_CROWD_BYTES;
            struct data_crowd c;
            bool perhaps;
            uint64_t again = dice;
            data_crowd_init(&c, bound == 0 ? most : (int64_t)most - 1, &pool);
            memset(counts, 0, sizeof counts);
            for (size_t i = 0; i < n; i++) {
                struct data_cell cell = {.null = i % 11 == 5};
                again ^= again << 13, again ^= again >> 7, again ^= again << 17;
                cell.value = (int64_t)(again % values);
                if (!cell.null && ++counts[cell.value] > most)
                    most = counts[cell.value];
                data_crowd_add(&c, &cell);
            }
            c.most = bound == 0 ? (int64_t)most : (int64_t)most - 1;
            assert_int_equal(data_crowd_perhaps(&perhaps, &c, &err), FM_OK);
            assert_int_equal(perhaps, bound == 1 && most > 0);
            assert_int_equal(pool, DATA_CROWD_BYTES);
        }
        dice ^= dice << 13, dice ^= dice >> 7, dice ^= dice << 17;
    }
}

/* Without room it knows nothing, and says so. */
static void without_room_it_is_perhaps(void **state)
{
    struct base_err err = {0};
    size_t pool = 10000;
    struct data_crowd c;
    bool perhaps;

    (void)state;
    data_crowd_init(&c, 1000000, &pool);
    for (int64_t i = 0; i < 5000; i++)
        data_crowd_add(&c, &(struct data_cell){.value = i});
    assert_int_equal(data_crowd_perhaps(&perhaps, &c, &err), FM_OK);
    assert_true(perhaps);
    assert_int_equal(pool, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_scan_says_the_same),
        cmocka_unit_test(changes_go_along),
        cmocka_unit_test(without_digests_it_is_published),
        cmocka_unit_test(it_can_be_stopped),
        cmocka_unit_test(crowds_are_never_overlooked),
        cmocka_unit_test(without_room_it_is_perhaps),
    };

    return cmocka_run_group_tests(tests, testing_folder_make, testing_folder_remove);
}
