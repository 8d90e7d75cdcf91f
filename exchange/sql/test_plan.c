/* Text to plan: what is refused, where and in which words; what the hash depends on; ranges. */
#include "exchange/sql/test_fixture.h"

#include <stdio.h>

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
    {"SELECT balance FROM loans", FM_E_UNSUPPORTED,
     "line 1, column 8: rows of others are never revealed: select aggregates, such as COUNT(*), "
     "SUM(x), MIN(x), MAX(x), AVG(x)"},
    {"SELECT * FROM loans", FM_E_UNSUPPORTED,
     "line 1, column 8: * would reveal rows of others: select aggregates, as COUNT(*)"},
    {"SELECT COUNT(*) + 1 FROM loans", FM_E_UNSUPPORTED,
     "line 1, column 8: an expression over aggregates is not offered yet: select the aggregates "
     "themselves and compute with them afterwards"},
    {"SELECT COUNT(*) FROM loans GROUP BY product", FM_E_UNSUPPORTED,
     "line 1, column 1: GROUP BY is not offered yet: run one query for each group with WHERE"},
    {"SELECT COUNT(*) FROM loans a JOIN loans b ON TRUE", FM_E_UNSUPPORTED,
     "line 1, column 1: JOIN is not offered yet: query one table"},
    {"SELECT COUNT(DISTINCT product) FROM loans", FM_E_UNSUPPORTED,
     "line 1, column 8: DISTINCT inside an aggregate is not offered yet: leave it out"},
    {"SELECT SUM(balance) FILTER (WHERE closed) FROM loans", FM_E_UNSUPPORTED,
     "line 1, column 8: FILTER is not offered yet: write sum(CASE WHEN ... THEN ... END)"},
    {"SELECT SUMM(balance) FROM loans", FM_E_UNSUPPORTED,
     "line 1, column 8: function summ is not offered: did you mean sum?"},
    {"SELECT COUNT(*) FROM loans WHERE SUM(balance) > 5", FM_E_UNSUPPORTED,
     "line 1, column 34: sum inside WHERE or another aggregate: aggregates stand in the SELECT "
     "list alone"},
    {"SELECT SUM(balance / 2) FROM loans", FM_E_UNSUPPORTED,
     "line 1, column 20: operator / is not offered yet: multiply instead, or use AVG"},
    {"SELECT COUNT(*) FROM loans WHERE product LIKE 'a%'", FM_E_UNSUPPORTED,
     "line 1, column 42: LIKE is not offered: text is compared with = and IN"},
    {"SELECT COUNT(*) FROM loans WHERE balance::text = 'a'", FM_E_UNSUPPORTED,
     "line 1, column 41: a cast to text is not offered: write the value in the type it has, or "
     "DATE 'YYYY-MM-DD'"},
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
    {"SELECT COUNT(*) FROM loans WHERE product < 'a'", FM_E_UNSUPPORTED,
     "line 1, column 42: TEXT has no order here: compare it with =, <> or IN"},
    {"SELECT COUNT(*) FROM loans WHERE closed > TRUE", FM_E_UNSUPPORTED,
     "line 1, column 41: BOOLEAN has no order here: write x, NOT x, or x = y"},
    {"SELECT COUNT(*) FROM loans WHERE overdue_days", FM_E_INPUT,
     "line 1, column 34: WHERE needs a condition, this is INTEGER: compare it, as in x <> 0"},
    {"SELECT SUM(closed) FROM loans", FM_E_INPUT,
     "line 1, column 12: sum of BOOLEAN is not offered: write sum(CASE WHEN ... THEN 1 ELSE 0 "
     "END)"},
    {"SELECT SUM(opened) FROM loans", FM_E_INPUT,
     "line 1, column 12: sum of DATE is not offered: use COUNT, MIN or MAX"},
    {"SELECT MAX(product) FROM loans", FM_E_INPUT,
     "line 1, column 12: max of TEXT(12) is not offered: use COUNT"},
    {"SELECT SUM(opened + 1) FROM loans", FM_E_INPUT,
     "line 1, column 12: + needs numbers, this is DATE: only DATE - DATE is offered"},
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
    {"SELECT COUNT(CASE WHEN closed THEN product END) FROM loans", FM_E_UNSUPPORTED,
     "line 1, column 14: CASE, COALESCE and NULLIF give numbers, dates or truth values here: "
     "compare texts inside WHEN instead"},
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

/* ---- the hash ---- */

static void hash_text(char out[65], const struct sql_request *r)
{
    struct sql_plan plan;
    struct base_err err;
    uint8_t hash[32];

    fixture_compile(&plan, r);
    assert_int_equal(sql_plan_hash(hash, &plan, &err), FM_OK);
    base_hex(out, hash, 32);
    sql_plan_release(&plan);
}

static void hash_of(char out[65], const char *text)
{
    struct sql_request r = fixture_request(text);

    hash_text(out, &r);
}

static const char *const respellings[] = {
    "SELECT COUNT(*) AS n, SUM(balance) AS total FROM loans WHERE overdue_days > 90 AND product IN "
    "('card', 'car') AND balance <> 1.50 AND opened >= DATE '2020-01-01'",
    "select count( * ) n,sum( balance ) total\n\tfrom loans -- a remark\n where overdue_days>90 "
    "and "
    "product in('card','car') and balance != 1.5 and opened >= '2020-01-01'",
    "SELECT COUNT(*) AS n, SUM((balance)) AS total FROM loans AS l WHERE ((l.overdue_days > (90)) "
    "AND (product = 'card' OR product = 'car')) AND (balance <> 1.500 AND l.opened >= "
    "'2020-01-01'::date)",
    "SELECT COUNT(*) AS n, SUM(loans.BALANCE) AS total FROM loans WHERE Overdue_Days > +90 AND "
    "product IN ('card', 'car') AND balance <> 1.50 /* same */ AND opened >= DATE '2020-01-01';",
};

static void test_respelling(void **state)
{
    char first[65], again[65];

    (void)state;
    hash_of(first, respellings[0]);
    for (size_t i = 1; i < sizeof respellings / sizeof respellings[0]; i++) {
        hash_of(again, respellings[i]);
        assert_string_equal(first, again);
    }
}

/* Each differs in meaning from every other. */
static const char *const meanings[] = {
    "SELECT SUM(balance) FROM loans WHERE overdue_days > 90",
    "SELECT SUM(balance) FROM loans WHERE overdue_days >= 90",
    "SELECT SUM(balance) FROM loans WHERE overdue_days > 91",
    "SELECT SUM(balance) FROM loans WHERE 90 < overdue_days",
    "SELECT SUM(balance) FROM loans WHERE NOT overdue_days > 90",
    "SELECT SUM(balance) FROM loans WHERE overdue_days > $1",
    "SELECT SUM(balance) FROM loans",
    "SELECT SUM(balance) FROM bank_a.loans",
    "SELECT SUM(balance) FROM bank_b.loans",
    "SELECT SUM(balance) AS s FROM loans",
    "SELECT AVG(balance) FROM loans",
    "SELECT COUNT(balance) FROM loans",
    "SELECT COUNT(*) FROM loans",
    "SELECT COUNT(*), COUNT(*) FROM loans",
    "SELECT SUM(balance * 2) FROM loans",
    "SELECT SUM(balance * 2.0) FROM loans",
    "SELECT SUM(balance + overdue_days) FROM loans",
    "SELECT SUM(overdue_days + balance) FROM loans",
    "SELECT SUM(balance - overdue_days) FROM loans",
    "SELECT SUM(CASE WHEN closed THEN balance END) FROM loans",
    "SELECT SUM(CASE WHEN closed THEN balance ELSE 0 END) FROM loans",
    "SELECT SUM(CASE WHEN product = 'a' THEN balance ELSE 0 END) FROM loans",
    "SELECT SUM(CASE WHEN product = 'b' THEN balance ELSE 0 END) FROM loans",
    "SELECT SUM(CASE WHEN product IS NULL THEN balance ELSE 0 END) FROM loans",
};

static void test_meanings_differ(void **state)
{
    enum { N = sizeof meanings / sizeof meanings[0] };
    static char hashes[N + 3][65];
    struct sql_request r = fixture_request(meanings[0]);
    const char *other[] = {"bank_b"};

    (void)state;
    for (size_t i = 0; i < N; i++)
        hash_of(hashes[i], meanings[i]);
    r.minimum = 3;
    hash_text(hashes[N], &r);
    r.minimum = 1;
    r.recipients = other;
    hash_text(hashes[N + 1], &r);
    r = fixture_request(meanings[5]);
    r.params = &(struct sql_param_decl){.hidden = true};
    r.param_count = 1;
    hash_text(hashes[N + 2], &r);
    for (size_t i = 0; i < N + 3; i++) {
        for (size_t j = 0; j < i; j++) {
            if (strcmp(hashes[i], hashes[j]) == 0)
                fail_msg("one hash: %zu and %zu", j, i);
        }
    }
}

/* Never to change within plan format 1: contracts on ledgers carry these. */
static const struct {
    const char *text;
    const char *hash;
} golden[] = {
    {"SELECT COUNT(*) FROM loans",
     "d12c7751b0f7e7cf46423f82d4e1017165704123a6595330dda9b9d2761dc3e1"},
    {"SELECT COUNT(*), SUM(balance), AVG(balance), MAX(overdue_days) FROM loans WHERE overdue_days "
     "BETWEEN $1 AND 90 AND product IN ('a', 'b')",
     "7bf88118a13562ff5ed1a6b80ce4eba4c239fa96de0d5b9690949da952664915"},
    {"SELECT MIN(COALESCE(balance, 0)), SUM(CASE product WHEN 'x' THEN balance * 1.5 WHEN 'y' THEN "
     "-1 END) AS s FROM bank_c.loans WHERE (closed IS NOT TRUE OR opened - DATE '2020-02-29' > 7) "
     "AND NULLIF(overdue_days, 0) <> 5",
     "83f44cbf28d1bb4c641909d3093c9e8209451846945102d574632ac049c65261"},
};

static void test_golden_hashes(void **state)
{
    char hash[65];

    (void)state;
    for (size_t i = 0; i < sizeof golden / sizeof golden[0]; i++) {
        hash_of(hash, golden[i].text);
        assert_string_equal(hash, golden[i].hash);
    }
}

/* Row counts and bounds belong to the data, not to the plan: publishing more rows under the same
 * schema voids no contract. */
static void test_hash_without_row_counts(void **state)
{
    char before[65], after[65];
    struct sql_request r = fixture_request("SELECT SUM(balance), AVG(balance) FROM loans");
    int64_t rows = fixture_catalog.datasets[0].rows;

    (void)state;
    r.minimum = 7;
    hash_text(before, &r);
    fixture_catalog.datasets[0].rows = 100000;
    fixture_catalog.datasets[1].max_rows_per_subject = 6;
    hash_text(after, &r);
    fixture_catalog.datasets[0].rows = rows;
    fixture_catalog.datasets[1].max_rows_per_subject = 5;
    assert_string_equal(before, after);
}

/* ---- types and ranges of outputs ---- */

static const struct {
    const char *text;
    const char *type;
    int64_t lo, hi;
} typed[] = {
    {"SELECT COUNT(*) FROM loans", "INTEGER", 0, 6000},
    {"SELECT SUM(overdue_days) FROM loans", "INTEGER", 0, 6000 * 3650},
    {"SELECT MIN(overdue_days - 10) FROM loans", "INTEGER", -10, 3640},
    {"SELECT MAX(opened) FROM loans", "DATE", -719162, 2932896},
    {"SELECT MAX(balance * overdue_days) FROM loans", "DECIMAL(12,2)", -36500000, 364999996350},
    {"SELECT MAX(-balance) FROM loans", "DECIMAL(8,2)", -99999999, 10000},
    {"SELECT MAX(balance + 1.125) FROM loans", "DECIMAL(10,3)", -98875, 1000001115},
    {"SELECT AVG(overdue_days) FROM loans", "DECIMAL(10,6)", 0, 3650000000},
    {"SELECT AVG(balance) FROM loans", "DECIMAL(14,8)", -10000000000, 99999999000000},
    {"SELECT MAX(CASE WHEN closed THEN 7 WHEN closed THEN -3 END) FROM loans", "INTEGER", -3, 7},
    {"SELECT MAX(opened - opened) FROM loans", "INTEGER", -3652058, 3652058},
    /* 1.6e14 at scale 2: six more digits would pass 2^62, four do not. */
    {"SELECT AVG(balance * overdue_days * 500) FROM loans", "DECIMAL(19,6)", -182500000000000,
     1824999981750000000},
};

static void test_output_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
        struct sql_request r = fixture_request(typed[i].text);
        struct sql_plan plan;
        char name[DATA_TYPE_TEXT];

        fixture_compile(&plan, &r);
        data_type_format(name, &plan.outputs[0].type);
        if (strcmp(name, typed[i].type) != 0)
            print_error("of: %s\n", r.text);
        assert_string_equal(name, typed[i].type);
        assert_int_equal((int64_t)plan.outputs[0].range.lo, typed[i].lo);
        assert_int_equal((int64_t)plan.outputs[0].range.hi, typed[i].hi);
        sql_plan_release(&plan);
    }
}

/* ---- parameters ---- */

static void test_parameters(void **state)
{
    struct sql_request r = fixture_request("SELECT COUNT(*) FROM loans WHERE overdue_days > $1 AND "
                                           "balance BETWEEN $2 AND 5 AND product = $3");
    struct sql_param_decl declared[] = {{.type = "INTEGER", .least = "5", .greatest = "6"}};
    struct sql_plan plan;
    struct sql_value v;
    struct base_err err;

    (void)state;
    fixture_compile(&plan, &r);
    assert_int_equal(plan.param_count, 3);
    assert_int_equal(sql_param_parse(&v, &plan, 0, "3650", &err), FM_OK);
    assert_int_equal(v.value, 3650);
    assert_int_equal(sql_param_parse(&v, &plan, 0, "3651", &err), FM_E_INPUT);
    assert_string_equal(err.text, "parameter $1 must be 0 to 3650");
    assert_int_equal(sql_param_parse(&v, &plan, 0, "x", &err), FM_E_INPUT);
    assert_int_equal(sql_param_parse(&v, &plan, 1, "-100.00", &err), FM_OK);
    assert_int_equal(v.value, -10000);
    assert_int_equal(sql_param_parse(&v, &plan, 1, "1.234", &err), FM_E_INPUT);
    assert_int_equal(sql_param_parse(&v, &plan, 2, "card", &err), FM_OK);
    assert_string_equal(v.text, "card");
    assert_int_equal(sql_param_parse(&v, &plan, 3, "1", &err), FM_E_INPUT);
    assert_string_equal(err.text, "the query has no parameter $4");
    sql_plan_release(&plan);

    r.params = declared;
    r.param_count = 1;
    fixture_compile(&plan, &r);
    assert_int_equal(sql_param_parse(&v, &plan, 0, "7", &err), FM_E_INPUT);
    assert_string_equal(err.text, "parameter $1 must be 5 to 6");
    sql_plan_release(&plan);
    r = fixture_request("SELECT COUNT(*) FROM loans");
    r.params = declared;
    r.param_count = 1;
    assert_int_equal(sql_plan_compile(&plan, &r, &err), FM_E_INPUT);
    assert_string_equal(err.text, "parameter $1 is declared and not used: leave it out");
}

/* $1 is compared with two columns: its range is the hull, and the first comparison knows it. */
static void test_parameter_hull(void **state)
{
    struct sql_request r =
        fixture_request("SELECT COUNT(*) FROM loans WHERE overdue_days < $1 OR subject_id = $1");
    struct sql_plan plan;

    (void)state;
    fixture_compile(&plan, &r);
    assert_int_equal((int64_t)plan.params[0].range.lo, 0);
    assert_int_equal((int64_t)plan.params[0].range.hi, 99999999);
    for (size_t i = 0; i < plan.node_count; i++) {
        if (plan.nodes[i].op == SQL_OP_PARAM)
            assert_int_equal((int64_t)plan.nodes[i].range.hi, 99999999);
    }
    sql_plan_release(&plan);
}

/* ---- the guard ---- */

static void test_guard(void **state)
{
    struct sql_request r = fixture_request("SELECT COUNT(*) FROM loans");
    struct sql_plan plan;
    struct base_err err;

    (void)state;
    r.minimum = 10;
    fixture_compile(&plan, &r);
    /* Others are bank_b and bank_c; a subject may have 5 rows in each. */
    assert_int_equal(plan.guard_rows, 100);
    sql_plan_release(&plan);
    r.minimum = 501;
    assert_int_equal(sql_plan_compile(&plan, &r, &err), FM_E_REFUSED);
    assert_string_equal(err.text,
                        "minimum group 501 can never be met: providers that are no recipient "
                        "declare 5000 rows, with at most 10 a subject");
    r = fixture_request("SELECT COUNT(*) FROM bank_a.loans");
    r.minimum = 2;
    assert_int_equal(sql_plan_compile(&plan, &r, &err), FM_E_REFUSED);
    assert_string_equal(err.text,
                        "minimum group 2 can never be met: every provider of 'loans' is a "
                        "recipient");
    r = fixture_request("SELECT COUNT(*) FROM bank_b.notes");
    r.minimum = 2;
    assert_int_equal(sql_plan_compile(&plan, &r, &err), FM_E_REFUSED);
    assert_string_equal(err.text,
                        "minimum group 2: bank_b.notes declares no subject, so its subjects cannot "
                        "be counted: publish it with a subject column");
}

/* ---- the catalog ---- */

static void test_catalog_round_trip(void **state)
{
    struct base_err err;
    struct sql_catalog again;
    struct base_buf first = {0}, second = {0};
    json_t *json;

    (void)state;
    assert_int_equal(sql_catalog_to_json(&json, &fixture_catalog, &err), FM_OK);
    assert_int_equal(base_json_canonical(&first, json, &err), FM_OK);
    assert_int_equal(sql_catalog_from_json(&again, json, &err), FM_OK);
    json_decref(json);
    assert_int_equal(sql_catalog_to_json(&json, &again, &err), FM_OK);
    assert_int_equal(base_json_canonical(&second, json, &err), FM_OK);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.p, second.p, first.len);
    json_decref(json);
    sql_catalog_release(&again);
    base_buf_release(&first);
    base_buf_release(&second);
}

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
        cmocka_unit_test(test_respelling),
        cmocka_unit_test(test_meanings_differ),
        cmocka_unit_test(test_golden_hashes),
        cmocka_unit_test(test_hash_without_row_counts),
        cmocka_unit_test(test_output_types),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_parameter_hull),
        cmocka_unit_test(test_guard),
        cmocka_unit_test(test_catalog_round_trip),
        cmocka_unit_test(test_catalog_errors),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
