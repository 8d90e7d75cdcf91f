/* What data_store_check() finds in a table full of faults is what SQLite counts there, and keys
 * whose values stand in too many rows are counted alike. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exchange/data/findings.h"
#include "exchange/data/store.h"
#include "exchange/data/testing.h"

#define COLUMNS                                                                                \
    "{\"columns\":[{\"name\":\"a\",\"type\":\"INTEGER\",\"range\":[0,899],\"nullable\":true}," \
    "{\"name\":\"b\",\"type\":\"INTEGER\",\"range\":[5,1000],\"nullable\":false}],\"version\":1,"

static void schema_of(struct data_schema *out, const char *text)
{
    struct base_err err = {0};
    json_t *json = NULL;

    if (base_json_parse(&json, text, strlen(text), &err) != FM_OK ||
        data_schema_from_json(out, json, &err) != FM_OK)
        fail_msg("%s", err.text);
    json_decref(json);
}

static void check(struct base_err *err, const char *db, const char *schema_text)
{
    struct data_schema schema;
    struct data_store *store;

    memset(err, 0, sizeof *err);
    schema_of(&schema, schema_text);
    assert_int_equal(data_store_open(&store, db, err), FM_OK);
    if (data_store_check(store, "t", &schema, err) == FM_OK)
        assert_string_equal(err->text, "");
    data_store_free(store);
    data_schema_release(&schema);
}

/* The first rows with a fault, in the words of findings.h, made by SQLite. */
static const char *rows_where(const char *db, const char *condition)
{
    char sql[512];

    (void)snprintf(
        sql, sizeof sql,
        "SELECT 'rows ' || group_concat(r, ', ') || ' and ' || ((SELECT COUNT(*) FROM t WHERE "
        "%s) - 3) || ' more' FROM (SELECT _rowid_ AS r FROM t WHERE %s ORDER BY 1 LIMIT 3)",
        condition, condition);
    return testing_sql(db, sql);
}

static void faults_are_counted(void **state)
{
    static const char *const faults[][3] = {
        {"a > 899", "a", "outside the declared range 0 to 899"},
        {"b < 5", "b", "outside the declared range 5 to 1000"},
        {"b IS NULL", "b", "NULL in a column that is not nullable"},
    };
    const char *db = testing_path("faults.db");
    struct base_err err;
    char want[256];

    (void)state;
    (void)testing_sql(db, "CREATE TABLE t (a INTEGER, b INTEGER); WITH RECURSIVE n(i) AS (SELECT 1 "
                          "UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO t SELECT "
                          "nullif(i * 7919 % 1000, 3), nullif(i * 104729 % 1000, 500) FROM n");
    check(&err, db, COLUMNS "\"rows\":5000}");
    assert_int_equal(err.code, FM_E_INPUT);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        (void)snprintf(want, sizeof want, "%s, column %s: %s", rows_where(db, faults[i][0]),
                       faults[i][1], faults[i][2]);
        if (strstr(err.text, want) == NULL)
            fail_msg("%s\nis not in\n%s", want, err.text);
    }
    check(&err, db, COLUMNS "\"rows\":4900}");
    assert_non_null(strstr(err.text, "rows 4901, 4902, 4903 and 97 more: more rows than the 4900"));
    /* The good rows by themselves are as declared. */
    (void)testing_sql(db, "DELETE FROM t WHERE a > 899 OR b < 5 OR b IS NULL");
    check(&err, db, COLUMNS "\"rows\":5000}");
    assert_string_equal(err.text, "");
}

static void crowded_values(void **state)
{
    const char *db = testing_path("keys.db");
    struct base_err err;

    (void)state;
    (void)testing_sql(db, "CREATE TABLE t (a INTEGER, b INTEGER); INSERT INTO t VALUES (9, 5), "
                          "(1, 5), (9, 6), (1, 7), (9, 8), (NULL, 9), (NULL, 9), (NULL, 9)");
    check(&err, db, COLUMNS "\"rows\":8,\"keys\":[{\"column\":\"a\",\"max_rows\":1}]}");
    assert_non_null(strstr(err.text, "keys.db: t, column a: the value of row 1 stands in 3 rows, "
                                     "the schema declares at most 1; so does 1 other value"));
    check(&err, db, COLUMNS "\"rows\":8,\"keys\":[{\"column\":\"a\",\"max_rows\":2}]}");
    assert_non_null(strstr(err.text, "stands in 3 rows, the schema declares at most 2"));
    assert_null(strstr(err.text, "so do"));
    check(&err, db, COLUMNS "\"rows\":8,\"keys\":[{\"column\":\"a\",\"max_rows\":3}]}");
    assert_string_equal(err.text, "");
}

/* However many kinds, one line that fits, with the first of them whole and the rest counted. */
static void many_kinds(void **state)
{
    struct data_findings findings = {.count = 0};
    struct base_err err = {0};
    char what[200];

    (void)state;
    assert_int_equal(data_findings_status(&findings, "p.db", "t", &err), FM_OK);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(what, sizeof what, "fault %d %.150s", i,
                       "of many words, so that few of them have a place in one line of text, and "
                       "others must be counted where they cannot be shown");
        data_findings_add(&findings, "column", what, i);
        if (i == 7)
            assert_int_equal(data_findings_status(&findings, "p.db", "t", &err), FM_E_INPUT);
    }
    assert_non_null(strstr(err.text, "p.db: t, row 0, column column: fault 0 of many"));
    assert_non_null(strstr(err.text, "; and 6 other kinds of fault"));
    assert_int_equal(data_findings_status(&findings, "p.db", "t", &err), FM_E_INPUT);
    assert_non_null(strstr(err.text, "; and many other kinds of fault"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_counted),
        cmocka_unit_test(crowded_values),
        cmocka_unit_test(many_kinds),
    };

    return cmocka_run_group_tests(tests, testing_folder_make, testing_folder_remove);
}
