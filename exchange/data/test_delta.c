/* Deltas: after any sequence of them the table holds what SQLite's own upsert makes of the same
 * rows, rowids included; refused ones leave the table as it was; a reader's snapshot never sees
 * half of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "exchange/data/import.h"
#include "exchange/data/store.h"
#include "exchange/data/testing.h"

static const char schema_text[] =
    "{\"columns\":[{\"name\":\"k\",\"type\":\"INTEGER\",\"range\":[0,999],\"nullable\":true},"
    "{\"name\":\"v\",\"type\":\"INTEGER\",\"range\":[0,99],\"nullable\":true},"
    "{\"name\":\"t\",\"type\":\"TEXT(8)\",\"nullable\":true}],\"rows\":700,\"version\":1}";

static fm_status import(struct data_import_result *r, const char *text, size_t len,
                        enum data_import_mode mode, const char *key, struct base_err *err)
{
    struct data_schema schema;
    json_t *json = NULL;
    struct data_import job = {.csv_path = testing_path("d.csv"),
                              .db_path = testing_path("d.db"),
                              .table = "t",
                              .schema = mode == DATA_IMPORT_DELTA ? NULL : &schema,
                              .mode = mode,
                              .key = key};
    fm_status st;

    assert_int_equal(base_json_parse(&json, schema_text, strlen(schema_text), err), FM_OK);
    assert_int_equal(data_schema_from_json(&schema, json, err), FM_OK);
    testing_write(testing_path("d.csv"), text, len);
    st = data_import(r, &job, err);
    data_schema_release(&schema);
    json_decref(json);
    return st;
}

static fm_status delta(struct data_import_result *r, const char *text, struct base_err *err)
{
    return import(r, text, strlen(text), DATA_IMPORT_DELTA, "k", err);
}

static const char *content(void)
{
    return testing_sql(testing_path("d.db"),
                       "SELECT group_concat(_rowid_ || ':' || coalesce(k, '-') || ',' || "
                       "coalesce(v, '-') || ',' || coalesce(t, '-'), ' ') FROM t");
}

static void start_with(const char *text)
{
    struct data_import_result r;
    struct base_err err = {0};

    if (import(&r, text, strlen(text), DATA_IMPORT_REPLACE, NULL, &err) != FM_OK)
        fail_msg("%s", err.text);
    data_import_release(&r);
}

static void one_delta(void **state)
{
    struct data_import_result r;
    struct base_err err = {0};

    (void)state;
    start_with("k,v,t\n1,10,a\n2,20,b\n3,,c\n,5,x\n");
    if (delta(&r, "t,k,v\nb,2,21\nc,3,\nd,9,90\na,01,10\n", &err) != FM_OK)
        fail_msg("%s", err.text);
    assert_int_equal(r.rows, 5);
    assert_int_equal(r.changed, 1);
    assert_int_equal(r.added, 1);
    data_import_release(&r);
    assert_string_equal(content(), "1:1,10,a 2:2,21,b 3:3,-,c 4:-,5,x 5:9,90,d");
    /* Nothing of ours stays: no index, no other schema. */
    assert_string_equal(testing_sql(testing_path("d.db"),
                                    "SELECT COUNT(*) FROM sqlite_schema WHERE type='index' "
                                    "AND name LIKE 'firmiana_d%'"),
                        "0");
    assert_string_equal(testing_sql(testing_path("d.db"), "SELECT origin FROM firmiana_schema"),
                        "declared");
}

/* SQLite's upsert is the oracle. */
static void many_deltas(void **state)
{
    const char *db = testing_path("d.db"), *other = testing_path("oracle.db");
    uint64_t x = 88172645463325252U;

    (void)state;
    start_with("k,v,t\n0,0,z\n");
    (void)testing_sql(other, "CREATE TABLE t (k INTEGER UNIQUE, v INTEGER, t TEXT); INSERT INTO t "
                             "VALUES (0, 0, 'z')");
    for (int round = 0; round < 12; round++) {
        struct base_buf csv = {0}, sql = {0};
        struct data_import_result r;
        struct base_err err = {0};
        char before[32], attach[256];
        base_buf_put_str(&csv, "k,v,t\n");
        base_buf_put_str(&sql, "BEGIN");
        for (unsigned i = 0; i < 50; i++) {
            unsigned k = i * 12 + (unsigned)(x % 12), v;
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            v = (unsigned)(x >> 20) % 4;
            base_buf_putf(&csv, "%u,%u,w%u\n", k, v, v);
            base_buf_putf(&sql,
                          "; INSERT INTO t VALUES (%u, %u, 'w%u') ON CONFLICT (k) DO UPDATE SET v "
                          "= excluded.v, t = excluded.t",
                          k, v, v);
        }
        base_buf_put_str(&sql, "; COMMIT");
        (void)snprintf(before, sizeof before, "%s", testing_sql(db, "SELECT COUNT(*) FROM t"));
        if (import(&r, base_buf_cstr(&csv), csv.len, DATA_IMPORT_DELTA, "k", &err) != FM_OK)
            fail_msg("round %d: %s", round, err.text);
        (void)testing_sql(other, base_buf_cstr(&sql));
        assert_int_equal(r.added, (long)r.rows - atol(before));
        data_import_release(&r);
        (void)snprintf(attach, sizeof attach,
                       "ATTACH '%s' AS o; SELECT COUNT(*) FROM (SELECT _rowid_, * FROM main.t "
                       "EXCEPT SELECT _rowid_, * FROM o.t UNION ALL SELECT _rowid_, * FROM o.t "
                       "EXCEPT SELECT _rowid_, * FROM main.t)",
                       other);
        assert_string_equal(testing_sql(db, attach), "0");
        base_buf_release(&csv);
        base_buf_release(&sql);
    }
}

static void refusals(void **state)
{
    static const struct {
        const char *text, *want;
        fm_status code;
    } cases[] = {
        {"k,v,t\n1,11,a\n1,12,b\n", "line 3, column 1 (k): the key stands in this file twice",
         FM_E_INPUT},
        {"k,v,t\n1,11,a\n01,12,b\n", "line 3, column 1 (k): the key stands in this file twice",
         FM_E_INPUT},
        {"k,v,t\n7,1,a\n,12,b\n", "line 3, column 1 (k): NULL where the key must stand",
         FM_E_INPUT},
        {"k,v,t\n7,1,a\n8,100,b\n8,x,\n",
         "line 3, column 3 (v): outside the declared range 0 to 99; and 1 more such fault up to "
         "line 4",
         FM_E_INPUT},
        {"k,v\n1,2\n", "the schema's column t is missing", FM_E_INPUT},
        {"k,v,t,u\n1,2,a,b\n", "column u is not in the schema", FM_E_INPUT},
    };
    struct data_import_result r;
    struct base_err err = {0};
    struct base_buf many = {0};
    char first[64];

    (void)state;
    start_with("k,v,t\n1,10,a\n2,20,b\n");
    (void)snprintf(first, sizeof first, "%s", content());
    assert_string_equal(first, "1:1,10,a 2:2,20,b");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (delta(&r, cases[i].text, &err) != cases[i].code ||
            strstr(err.text, cases[i].want) == NULL)
            fail_msg("case %zu: %s", i, err.text);
        assert_string_equal(content(), first);
    }
    base_buf_put_str(&many, "k,v,t\n");
    for (unsigned i = 0; i < 699; i++)
        base_buf_putf(&many, "%u,1,\n", i + 3);
    assert_int_equal(delta(&r, base_buf_cstr(&many), &err), FM_E_INPUT);
    assert_non_null(strstr(err.text, "line 700: with it the table has more rows than the 700"));
    base_buf_release(&many);
    assert_string_equal(content(), first);
    assert_int_equal(import(&r, "k,v,t\n", 6, DATA_IMPORT_DELTA, "w", &err), FM_E_NOT_FOUND);
    /* A column whose values repeat is no key. */
    (void)testing_sql(testing_path("d.db"), "UPDATE t SET t = 'a'");
    assert_int_equal(import(&r, "k,v,t\n", 6, DATA_IMPORT_DELTA, "t", &err), FM_E_INPUT);
    assert_non_null(strstr(err.text, "column t: a value stands in several rows"));
    (void)testing_sql(testing_path("d.db"), "UPDATE firmiana_schema SET origin = 'inferred'");
    assert_int_equal(delta(&r, "k,v,t\n", &err), FM_E_UNSUPPORTED);
    (void)testing_sql(testing_path("d.db"), "DROP TABLE t");
    assert_int_equal(delta(&r, "k,v,t\n", &err), FM_E_NOT_FOUND);
}

/* Asked at every tick of a long delta, a reader sees the sum of before; asked afterwards, of after.
 */
struct reader {
    unsigned ticks;
};

static bool look_on(void *ctx, enum data_import_pass pass, uint64_t rows, uint64_t bytes,
                    uint64_t total)
{
    struct reader *reader = ctx;

    (void)pass, (void)rows, (void)bytes, (void)total;
    reader->ticks++;
    assert_string_equal(
        testing_sql(testing_path("d.db"), "SELECT SUM(v) || '/' || COUNT(*) FROM t"), "300/300");
    return true;
}

static void never_mixed(void **state)
{
    struct base_buf text = {0};
    struct reader reader = {0};
    struct data_import_result r;
    struct base_err err = {0};
    struct data_import job = {.csv_path = testing_path("d.csv"),
                              .db_path = testing_path("d.db"),
                              .table = "t",
                              .mode = DATA_IMPORT_DELTA,
                              .key = "k",
                              .progress = {look_on, &reader}};

    (void)state;
    base_buf_put_str(&text, "k,v,t\n");
    for (unsigned i = 0; i < 300; i++)
        base_buf_putf(&text, "%u,1,\n", i);
    start_with(base_buf_cstr(&text));
    base_buf_clear(&text);
    base_buf_put_str(&text, "k,v,t\n");
    for (unsigned i = 0; i < 400; i++)
        base_buf_putf(&text, "%u,2,\n", i);
    testing_write(job.csv_path, text.p, text.len);
    base_buf_release(&text);
    if (data_import(&r, &job, &err) != FM_OK)
        fail_msg("%s", err.text);
    assert_int_equal(r.changed, 300);
    assert_int_equal(r.added, 100);
    data_import_release(&r);
    assert_true(reader.ticks > 0);
    assert_string_equal(
        testing_sql(testing_path("d.db"), "SELECT SUM(v) || '/' || COUNT(*) FROM t"), "800/400");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_delta),
        cmocka_unit_test(many_deltas),
        cmocka_unit_test(refusals),
        cmocka_unit_test(never_mixed),
    };

    return cmocka_run_group_tests_name("exchange/data: deltas", tests, testing_folder_make,
                                       testing_folder_remove);
}
