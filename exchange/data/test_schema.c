/* Schemas: what is read is written back in one normal form; everything else is refused with its
 * place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "exchange/data/schema.h"

#define COUNT(a) (sizeof(a) / sizeof(a)[0])

static fm_status read_text(struct data_schema *out, const char *text, struct base_err *err)
{
    json_t *json;
    fm_status st;

    assert_int_equal(base_json_parse(&json, text, strlen(text), err), FM_OK);
    st = data_schema_from_json(out, json, err);
    json_decref(json);
    return st;
}

static void expect_normal(const char *text, const char *normal)
{
    struct base_buf bytes = {0};
    struct base_err err = {0};
    struct data_schema s, copy;
    uint8_t hash[32], again[32];
    json_t *json;

    assert_int_equal(read_text(&s, text, &err), FM_OK);
    assert_int_equal(data_schema_to_json(&json, &s, &err), FM_OK);
    assert_int_equal(base_json_canonical(&bytes, json, &err), FM_OK);
    assert_string_equal(base_buf_cstr(&bytes), normal);
    json_decref(json);
    base_buf_release(&bytes);
    assert_int_equal(data_schema_hash(hash, &s, &err), FM_OK);
    assert_int_equal(data_schema_copy(&copy, &s, &err), FM_OK);
    assert_int_equal(data_schema_hash(again, &copy, &err), FM_OK);
    assert_memory_equal(hash, again, 32);
    data_schema_release(&copy);
    data_schema_release(&s);
}

static void normal_form(void **state)
{
    static const char normal[] =
        "{\"columns\":["
        "{\"name\":\"id\",\"nullable\":false,\"range\":[\"-9223372036854775808\",9007199254740991],"
        "\"type\":\"INTEGER\"},"
        "{\"name\":\"balance\",\"nullable\":true,\"range\":[\"-0.50\",\"5000000.00\"],"
        "\"type\":\"DECIMAL(12,2)\"},"
        "{\"name\":\"opened\",\"nullable\":false,\"range\":[\"1990-01-01\",\"2035-12-31\"],"
        "\"type\":\"DATE\"},"
        "{\"name\":\"closed\",\"nullable\":false,\"type\":\"BOOLEAN\"},"
        "{\"name\":\"\xe5\x90\x8d\",\"nullable\":false,\"type\":\"TEXT(12)\"}],"
        "\"keys\":[{\"column\":\"opened\",\"max_rows\":9}],\"max_rows_per_subject\":3,\"rows\":10,"
        "\"subject\":{\"column\":\"id\",\"scheme\":\"cn.id\"},\"version\":2}";

    (void)state;
    expect_normal(normal, normal);
    expect_normal("{\"version\":2, \"rows\":10, \"max_rows_per_subject\":3,"
                  "\"subject\":{\"scheme\":\"cn.id\",\"column\":\"id\"},"
                  "\"keys\":[{\"column\":\"opened\",\"max_rows\":9}],\"columns\":["
                  "{\"type\":\"INTEGER\",\"name\":\"id\",\"range\":[\"-9223372036854775808\","
                  "\"9007199254740991\"]},"
                  "{\"name\":\"balance\",\"type\":\"DECIMAL(12,2)\",\"nullable\":true,"
                  "\"range\":[\"-.5\",\"5000000\"]},"
                  "{\"name\":\"opened\",\"type\":\"DATE\",\"range\":[\"1990-01-01\","
                  "\"2035-12-31\"]},"
                  "{\"name\":\"closed\",\"type\":\"BOOLEAN\"},"
                  "{\"name\":\"\xe5\x90\x8d\",\"type\":\"TEXT(12)\",\"nullable\":false}]}",
                  normal);
    expect_normal("{\"columns\":[{\"name\":\"a\",\"type\":\"BOOLEAN\"}],\"rows\":1,\"version\":1}",
                  "{\"columns\":[{\"name\":\"a\",\"nullable\":false,\"type\":\"BOOLEAN\"}],"
                  "\"keys\":[],\"rows\":1,\"version\":1}");
    expect_normal("{\"rows\":1,\"version\":1,\"columns\":[{\"values\":[\"\",\"ab\",\"b\"],"
                  "\"name\":\"a\",\"type\":\"TEXT(2)\"}]}",
                  "{\"columns\":[{\"name\":\"a\",\"nullable\":false,\"type\":\"TEXT(2)\","
                  "\"values\":[\"\",\"ab\",\"b\"]}],\"keys\":[],\"rows\":1,\"version\":1}");
}

static void test_declared_values(void **state)
{
    static const char text[] = "{\"columns\":[{\"name\":\"a\",\"type\":\"TEXT(4)\",\"values\":["
                               "\"\",\"ab\",\"b\"]},{\"name\":\"c\",\"type\":\"TEXT(4)\"}],"
                               "\"rows\":1,\"version\":1}";
    struct data_schema s, copy;
    struct base_err err;
    json_t *json;

    (void)state;
    assert_int_equal(base_json_parse(&json, text, strlen(text), &err), FM_OK);
    assert_int_equal(data_schema_from_json(&s, json, &err), FM_OK);
    json_decref(json);
    assert_int_equal(data_schema_copy(&copy, &s, &err), FM_OK);
    data_schema_release(&s);
    assert_int_equal(data_column_check_text(&copy.columns[0], "ab", 2, &err), FM_OK);
    assert_int_equal(data_column_check_text(&copy.columns[0], "", 0, &err), FM_OK);
    assert_int_equal(data_column_check_text(&copy.columns[0], "a", 1, &err), FM_E_INPUT);
    assert_string_equal(err.text, "not one of the column's declared values");
    assert_int_equal(data_column_check_text(&copy.columns[0], "ab\0b", 4, &err), FM_E_INPUT);
    assert_int_equal(data_column_check_text(&copy.columns[1], "a", 1, &err), FM_OK);
    data_schema_release(&copy);
}

#define COL(rest) "{\"columns\":[" rest "],\"rows\":5,\"version\":1}"
#define INT_A "{\"name\":\"a\",\"type\":\"INTEGER\",\"range\":[0,9]}"
#define INT_N "{\"name\":\"n\",\"type\":\"INTEGER\",\"range\":[0,9],\"nullable\":true}"
#define REST(rest) "{\"columns\":[" INT_A "," INT_N "],\"version\":1" rest "}"

static const struct {
    const char *text, *want;
} refused[] = {
    {"[]", "schema: must be an object"},
    {COL(""), "columns: 1 to 512 are possible"},
    {"{\"rows\":5,\"version\":1}", "columns"},
    {REST(",\"rows\":5,\"row\":5"), "'row'"},
    {COL("5"), "columns[0]: must be an object"},
    {COL("{\"type\":\"DATE\"}"), "columns[0]: "},
    {COL("{\"name\":\"1a\",\"type\":\"DATE\"}"),
     "columns[0]: the name is not an identifier of letters, digits and '_', at most 63 bytes"},
    {COL("{\"name\":\"a\xe2\x80\x8b\",\"type\":\"DATE\"}"), "not an identifier"},
    {COL("{\"name\":\"a b\",\"type\":\"DATE\"}"), "not an identifier"},
    {COL("{\"name\":\"a\\\"b\",\"type\":\"DATE\"}"), "not an identifier"},
    {COL(INT_A ",{\"name\":\"A\",\"type\":\"BOOLEAN\"}"),
     "columns[1]: 'A': a column of that name stands before"},
    {COL("{\"name\":\"a\",\"type\":\"BOOLEAN\",\"nulable\":true}"), "columns[0]: 'a': "},
    {COL("{\"name\":\"a\",\"type\":\"REAL\"}"), "columns[0]: 'a': unknown type 'REAL': "},
    {COL("{\"name\":\"a\",\"type\":\"BOOLEAN\",\"range\":[0,1]}"),
     "columns[0]: 'a': range: a BOOLEAN column has none"},
    {COL("{\"name\":\"a\",\"type\":\"TEXT(5)\",\"range\":[0,1]}"),
     "columns[0]: 'a': range: a TEXT column has none"},
    {COL("{\"name\":\"a\",\"type\":\"BOOLEAN\",\"values\":[\"t\"]}"),
     "columns[0]: 'a': values: only a TEXT column has them"},
    {COL("{\"name\":\"a\",\"type\":\"TEXT(5)\",\"values\":[]}"),
     "columns[0]: 'a': values: a list of 1 to 64 texts"},
    {COL("{\"name\":\"a\",\"type\":\"TEXT(5)\",\"values\":\"t\"}"),
     "columns[0]: 'a': values: a list of 1 to 64 texts"},
    {COL("{\"name\":\"a\",\"type\":\"TEXT(5)\",\"values\":[\"b\",\"a\"]}"),
     "columns[0]: 'a': values[1]: must stand after the one before it, byte by byte"},
    {COL("{\"name\":\"a\",\"type\":\"TEXT(5)\",\"values\":[\"a\",\"a\"]}"),
     "columns[0]: 'a': values[1]: must stand after the one before it, byte by byte"},
    {COL("{\"name\":\"a\",\"type\":\"TEXT(5)\",\"values\":[1]}"),
     "columns[0]: 'a': values[0]: must be a text"},
    {COL("{\"name\":\"a\",\"type\":\"TEXT(5)\",\"values\":[\"longer\"]}"),
     "columns[0]: 'a': values[0]: "},
    {COL("{\"name\":\"a\",\"type\":\"INTEGER\"}"),
     "columns[0]: 'a': range: needed, as [least, greatest]"},
    {COL("{\"name\":\"a\",\"type\":\"INTEGER\",\"range\":[1]}"),
     "columns[0]: 'a': range: needed, as [least, greatest]"},
    {COL("{\"name\":\"a\",\"type\":\"INTEGER\",\"range\":[true,1]}"),
     "columns[0]: 'a': range: write each end as an integer"},
    {COL("{\"name\":\"a\",\"type\":\"DECIMAL(5,2)\",\"range\":[0,1]}"),
     "columns[0]: 'a': range: write each end as a string"},
    {COL("{\"name\":\"a\",\"type\":\"DECIMAL(5,2)\",\"range\":[\"0\",\"1000\"]}"),
     "columns[0]: 'a': range: not a DECIMAL(5,2): more than 3 digits before the point"},
    {COL("{\"name\":\"a\",\"type\":\"DATE\",\"range\":[\"2024-01-01\",\"2023-02-29\"]}"),
     "columns[0]: 'a': range: not a DATE: there is no such day"},
    {COL("{\"name\":\"a\",\"type\":\"INTEGER\",\"range\":[2,1]}"),
     "columns[0]: 'a': range: the least value is above the greatest"},
    {REST(""), "rows"},
    {REST(",\"rows\":0"), "rows: must lie within 1 and 1000000000"},
    {REST(",\"rows\":1000000001"), "rows: must lie within 1 and 1000000000"},
    {REST(",\"rows\":5,\"max_rows_per_subject\":1"), "max_rows_per_subject: there is no subject"},
    {REST(",\"rows\":5,\"subject\":\"a\""), "subject: must be an object"},
    {REST(",\"rows\":5,\"subject\":{\"column\":\"b\",\"scheme\":\"x\"}"),
     "subject: there is no column 'b'"},
    {REST(",\"rows\":5,\"subject\":{\"column\":\"A\",\"scheme\":\"x\"}"),
     "subject: there is no column 'A'"},
    {REST(",\"rows\":5,\"subject\":{\"column\":\"a\",\"scheme\":\"X\"}"),
     "subject: scheme: write lower-case letters, digits and dots"},
    {REST(",\"rows\":5,\"subject\":{\"column\":\"a\",\"scheme\":\"x\"}"), "max_rows_per_subject"},
    {REST(",\"rows\":5,\"subject\":{\"column\":\"n\",\"scheme\":\"x\"},"
          "\"max_rows_per_subject\":1"),
     "subject: the column must be INTEGER or TEXT and not nullable"},
    {REST(",\"rows\":5,\"subject\":{\"column\":\"a\",\"scheme\":\"x\"},"
          "\"max_rows_per_subject\":6"),
     "max_rows_per_subject: must lie within 1 and 5"},
    {REST(",\"rows\":5,\"keys\":{}"), "keys"},
    {REST(",\"rows\":5,\"keys\":[1]"), "keys[0]: must be an object"},
    {REST(",\"rows\":5,\"keys\":[{\"column\":\"a\",\"max_rows\":0}]"),
     "keys[0]: max_rows: must lie within 1 and 5"},
    {REST(",\"rows\":5,\"keys\":[{\"column\":\"a\",\"max_rows\":1},"
          "{\"column\":\"a\",\"max_rows\":1}]"),
     "keys[1]: the column is a key already"},
    {REST(",\"rows\":5,\"subject\":{\"column\":\"a\",\"scheme\":\"x\"},"
          "\"max_rows_per_subject\":2,\"keys\":[{\"column\":\"a\",\"max_rows\":1}]"),
     "keys[0]: max_rows differs from max_rows_per_subject for the same column"},
    {"{\"columns\":[" INT_A "],\"rows\":1}", "version"},
    {"{\"columns\":[" INT_A "],\"rows\":1,\"version\":0}", "version: must lie within 1"},
};

static void refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        struct base_err err = {0};
        struct data_schema s;
        if (read_text(&s, refused[i].text, &err) != FM_E_INPUT ||
            strstr(err.text, refused[i].want) == NULL)
            fail_msg("case %zu: '%s'", i, err.text);
        assert_null(s.columns);
    }
}

static void names(void **state)
{
    struct base_err err = {0};
    struct data_schema s;
    char longest[DATA_NAME_MAX + 2];

    (void)state;
    memset(longest, 'a', sizeof longest);
    longest[DATA_NAME_MAX] = '\0';
    assert_true(data_name_valid(longest));
    longest[DATA_NAME_MAX] = 'a';
    longest[DATA_NAME_MAX + 1] = '\0';
    assert_false(data_name_valid(longest));
    assert_false(data_name_valid(""));
    assert_false(data_name_valid("a\xff"));
    assert_true(data_name_valid("_x9"));
    assert_false(data_name_valid("_RowID_"));
    assert_int_equal(read_text(&s, COL(INT_A "," INT_N), &err), FM_OK);
    assert_int_equal(data_schema_find(&s, "N"), 1);
    assert_true(data_schema_find(&s, "nn") == DATA_NO_COLUMN);
    assert_int_equal(data_column_check(&s.columns[0], 9, &err), FM_OK);
    assert_int_equal(data_column_check(&s.columns[0], 10, &err), FM_E_INPUT);
    assert_string_equal(err.text, "outside the declared range 0 to 9");
    assert_int_equal(data_column_check(&s.columns[0], -1, &err), FM_E_INPUT);
    data_schema_release(&s);
    assert_int_equal(data_schema_load(&s, "/nonexistent/s.json", &err), FM_E_IO);
    assert_null(s.columns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(normal_form),
        cmocka_unit_test(test_declared_values),
        cmocka_unit_test(refusals),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests_name("exchange/data: schemas", tests, NULL, NULL);
}
