/* What is refused, where in the text and in which words. */
#include "exchange/sql/bind/test_fixture.h"

#include <stdlib.h>

#include "exchange/sql/parse/syntax.h"

/* ---- refusals: status and the whole sentence ---- */

static const struct {
    const char *text;
    fm_status status;
    const char *sentence;
} refusals[] = {
    {"SELEC 1", FM_E_INPUT, "line 1, column 1: syntax error at or near \"SELEC\""},
    {"SELECT COUNT(*)\nFROM loans\n  WHERE 'é' = = 1", FM_E_INPUT,
     "line 3, column 15: syntax error at or near \"=\""},
    {"", FM_E_INPUT, "line 1, column 1: no statement: write SELECT COUNT(*) FROM ..."},
    {"SELECT COUNT(*) FROM loans; SELECT 2", FM_E_UNSUPPORTED,
     "line 1, column 28: a second statement: give one SELECT at a time"},
    {"DELETE FROM loans", FM_E_UNSUPPORTED, "line 1, column 1: not a SELECT: queries only read"},
    {"SELECT COUNT(*) FROM loans a JOIN loans b ON TRUE", FM_E_UNSUPPORTED,
     "line 1, column 35: nothing joins this table with those before it: write ON a.x = b.x, "
     "equality of columns, joined by AND"},
    {"SELECT SUMM(balance) FROM loans", FM_E_UNSUPPORTED,
     "line 1, column 8: function summ is not offered: did you mean sum?"},
    {"SELECT COUNT(*) FROM loans WHERE SUM(balance) > 5", FM_E_UNSUPPORTED,
     "line 1, column 34: sum inside WHERE: aggregates stand in the SELECT list, HAVING and ORDER "
     "BY"},
    {"SELECT COUNT(*) FROM loans WHERE product LIKE closed", FM_E_UNSUPPORTED,
     "line 1, column 42: LIKE takes a pattern written out, as in x LIKE 'a%'; ESCAPE one "
     "character"},
    {"SELECT COUNT(*) FROM loans WHERE product LIKE 'a\\%'", FM_E_UNSUPPORTED,
     "line 1, column 42: a pattern with \\ means different things in different databases: write "
     "LIKE '...' ESCAPE '\\', or another character"},
    {"SELECT COUNT(*) FROM loans WHERE product LIKE 'a#' ESCAPE '#'", FM_E_INPUT,
     "line 1, column 42: the pattern ends with its escape character"},
    {"SELECT COUNT(*) FROM loans WHERE overdue_days LIKE 'a%'", FM_E_INPUT,
     "line 1, column 34: LIKE needs TEXT, this is INTEGER: write CAST(x AS TEXT)"},
    {"SELECT COUNT(*) FROM loans WHERE SUBSTR(product, 0) = 'a'", FM_E_UNSUPPORTED,
     "line 1, column 50: SUBSTRING takes a whole number written out, 1 or more"},
    {"SELECT COUNT(*) FROM loans WHERE UPPER(product, 1) = 'a'", FM_E_INPUT,
     "line 1, column 34: upper takes exactly one argument"},
    {"SELECT COUNT(*) FROM loans WHERE REPLACE(product, 'a', product) = 'a'", FM_E_UNSUPPORTED,
     "line 1, column 56: REPLACE takes a 'text' written out"},
    {"SELECT COUNT(*) FROM loans WHERE balance::float = 1", FM_E_UNSUPPORTED,
     "line 1, column 41: a cast to float8 is not offered: casts give INTEGER, DECIMAL(p,s) or "
     "TEXT, and dates are written DATE 'YYYY-MM-DD'"},
    {"SELECT COUNT(*) FROM loan", FM_E_NOT_FOUND,
     "line 1, column 22: unknown table 'loan': did you mean loans?"},
    {"SELECT COUNT(*) FROM bank_d.loans", FM_E_NOT_FOUND,
     "line 1, column 22: no member 'bank_d' publishes datasets: did you mean bank_a?"},
    {"SELECT COUNT(*) FROM notes", FM_E_CONFLICT,
     "line 1, column 22: bank_a and bank_b declare 'notes' with different columns ('x' differs): "
     "query bank_a.notes alone, or let both publish the same columns"},
    {"SELECT SUM(balence) FROM loans", FM_E_NOT_FOUND,
     "line 1, column 12: unknown column 'balence' of loans: did you mean balance?"},
    {"SELECT SUM(x.balance) FROM loans l", FM_E_NOT_FOUND,
     "line 1, column 12: unknown table 'x' before a column: here it is called l"},
    {"SELECT COUNT(*) FROM loans WHERE product = 5", FM_E_INPUT,
     "line 1, column 42: TEXT(12) cannot be compared with INTEGER: write both sides in one type"},
    {"SELECT COUNT(*) FROM loans WHERE closed > TRUE", FM_E_UNSUPPORTED,
     "line 1, column 41: BOOLEAN has no order here: write x, NOT x, or x = y"},
    {"SELECT COUNT(*) FROM loans WHERE opened", FM_E_INPUT,
     "line 1, column 34: WHERE needs a condition, this is DATE: compare it, as in x = y"},
    {"SELECT MAX(closed) FROM loans", FM_E_INPUT,
     "line 1, column 12: max of BOOLEAN is not offered: write max(CASE WHEN ... THEN 1 ELSE 0 "
     "END)"},
    {"SELECT SUM(opened) FROM loans", FM_E_INPUT,
     "line 1, column 12: sum of DATE is not offered: use COUNT, MIN or MAX"},
    {"SELECT MAX(product) FROM loans", FM_E_INPUT,
     "line 1, column 12: max of TEXT(12) is not offered: use COUNT"},
    {"SELECT SUM(opened + 1) FROM loans", FM_E_LIMIT,
     "line 1, column 19: this date could leave the years 1 to 9999: declare a narrower range"},
    {"SELECT COUNT(*) FROM loans WHERE opened > '2024-02-30'", FM_E_INPUT,
     "line 1, column 43: '2024-02-30' is not a day: write DATE 'YYYY-MM-DD'"},
    {"SELECT COUNT(*) FROM loans WHERE balance > 1e30", FM_E_INPUT,
     "line 1, column 44: 1e30 is not an exact number of 64 bits with at most 18 digits after the "
     "point"},
    {"SELECT COUNT(*) FROM loans WHERE overdue_days = NULL OR $2 = 5", FM_E_INPUT,
     "parameter $1 is not used, though $2 is: number them from $1"},
    {"SELECT SUM($1) FROM loans", FM_E_INPUT,
     "line 1, column 12: nothing here says the type of $1: compare it with a column, or declare it "
     "in the contract"},
    {"SELECT SUM(CASE WHEN closed THEN 1 ELSE opened END) FROM loans", FM_E_INPUT,
     "line 1, column 41: the alternatives of CASE are INTEGER and DATE: write all in one type"},
    {"SELECT SUM(WIDE) FROM bank_a.loans", FM_E_LIMIT,
     "line 1, column 8: sum over 1000 rows could leave 64 bits: declare column 'WIDE' of loans "
     "within -9223372036854775 to 9223372036854775 (it is declared -9223372036854775808 to "
     "9223372036854775807)"},
    {"SELECT MAX(balance * balance * balance) FROM loans", FM_E_LIMIT,
     "line 1, column 30: this product could leave 64 bits: declare column 'balance' of loans "
     "within "
     "-100.00 to 20971.51 (it is declared -100.00 to 999999.99)"},
    {"SELECT MAX(-wide) FROM loans", FM_E_LIMIT,
     "line 1, column 12: the negated value could leave 64 bits: declare column 'WIDE' of loans "
     "within -9223372036854775807 to 9223372036854775807 (it is declared -9223372036854775808 to "
     "9223372036854775807)"},
    {"SELECT MAX(overdue_days * 9000000000000000000) FROM loans", FM_E_LIMIT,
     "line 1, column 25: this product could leave 64 bits: declare column 'overdue_days' of loans "
     "within 0 to 1 (it is declared 0 to 3650)"},
    {"SELECT SUM(9000000000000000000 * 2) FROM loans", FM_E_LIMIT,
     "line 1, column 32: this product could leave 64 bits, and narrowing one column's range is not "
     "enough: use smaller constants, or narrow all ranges in it"},
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct sql_request r = fixture_request(refusals[i].text);
        struct sql_plan plan;
        struct base_err err = {0};

        if (sql_plan_compile(&plan, &r, &err) == FM_OK) {
            sql_plan_release(&plan);
            fail_msg("compiled: %s", r.text);
        }
        if (strcmp(err.text, refusals[i].sentence) != 0)
            print_error("of: %s\n", r.text);
        assert_string_equal(err.text, refusals[i].sentence);
        assert_int_equal(err.code, refusals[i].status);
    }
}

/* ---- bounds ---- */

static void check_nesting(size_t depth, const char *sentence)
{
    struct base_buf text = {0};
    struct sql_request r;
    struct sql_plan plan;
    struct base_err err = {0};

    base_buf_put_str(&text, "SELECT MAX(");
    for (size_t i = 0; i < depth; i++)
        base_buf_put_str(&text, "1-(");
    base_buf_put_str(&text, "overdue_days");
    for (size_t i = 0; i < depth; i++)
        base_buf_put_str(&text, ")");
    base_buf_put_str(&text, ") FROM loans");
    r = fixture_request(base_buf_cstr(&text));
    if (sql_plan_compile(&plan, &r, &err) == FM_OK)
        sql_plan_release(&plan);
    assert_string_equal(err.text, sentence);
    base_buf_release(&text);
}

static void test_bounds(void **state)
{
    struct sql_request r = fixture_request("");
    struct sql_plan plan;
    struct base_err err;
    char *text = calloc(1, SQL_MAX_TEXT_BYTES + 1);

    (void)state;
    check_nesting(249, "");
    check_nesting(250, "line 1, column 756: expressions nest deeper than 250: split the query");
    check_nesting(1100,
                  "line 1, column 3010: more than 2000 operators and keywords: split the query");
    r.text = memset(text, ' ', SQL_MAX_TEXT_BYTES + 1);
    r.len = SQL_MAX_TEXT_BYTES + 1;
    assert_int_equal(sql_plan_compile(&plan, &r, &err), FM_E_LIMIT);
    assert_string_equal(err.text, "SQL text of 65537 bytes: at most 65536 are read");
    r.text = "SELECT COUNT(*) FROM loans WHERE product = '\xff'";
    r.len = strlen(r.text);
    assert_int_equal(sql_plan_compile(&plan, &r, &err), FM_E_INPUT);
    assert_string_equal(err.text, "SQL text is not valid UTF-8 without NUL");
    free(text);
}

/* ---- catalogs ---- */

static void check_catalog_error(const char *text, const char *sentence)
{
    struct base_err err;
    struct sql_catalog catalog;
    json_t *json;

    assert_int_equal(base_json_parse(&json, text, strlen(text), &err), FM_OK);
    assert_int_equal(sql_catalog_from_json(&catalog, json, &err), FM_E_INPUT);
    assert_string_equal(err.text, sentence);
    json_decref(json);
}

static void test_catalog_errors(void **state)
{
    (void)state;
    check_catalog_error("{\"datasets\":[{\"member\":\"Bank\",\"name\":\"t\"}]}",
                        "catalog: member 'Bank' is not an alias like bank_a");
    check_catalog_error("{\"datasets\":[{\"member\":\"a\",\"name\":\"t\",\"version\":1,\"rows\":0,"
                        "\"columns\":[]}]}",
                        "catalog: dataset a.t: member 'rows' must be 1 to 4294967296");
    check_catalog_error("{\"datasets\":[{\"member\":\"a\",\"name\":\"t\",\"version\":1,\"rows\":1,"
                        "\"columns\":[{\"name\":\"c\",\"type\":\"INTEGER\",\"range\":[5,4]}]}]}",
                        "catalog: dataset a.t: column 'c': member 'range' begins above its end");
    check_catalog_error(
        "{\"datasets\":[{\"member\":\"a\",\"name\":\"t\",\"version\":1,\"rows\":1,"
        "\"columns\":[{\"name\":\"c\",\"type\":\"TEXT(3)\",\"range\":[5,4]}]}]}",
        "catalog: dataset a.t: column 'c': member 'range' is for numbers and dates");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_catalog_errors),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
