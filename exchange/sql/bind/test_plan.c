/* Text to plan: what the hash depends on, types and ranges, parameters, the guard, the catalog. */
#include "exchange/sql/bind/test_fixture.h"

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

/* Zeros at the end of a number are digits of the result, as long as there is room for them. */
static void test_last_zeros(void **state)
{
    char few[65], zeros[65];

    (void)state;
    hash_of(few, "SELECT SUM(balance) * 0.5 AS x FROM loans");
    hash_of(zeros, "SELECT SUM(balance) * 0.500 AS x FROM loans");
    assert_string_not_equal(few, zeros);
    hash_of(few, "SELECT SUM(balance) * 0.0001 AS x FROM loans");
    hash_of(zeros, "SELECT SUM(balance) * 0.00010000000000 AS x FROM loans");
    assert_string_equal(few, zeros);
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
    "SELECT COUNT(*) FROM loans WHERE product LIKE 'a%'",
    "SELECT COUNT(*) FROM loans WHERE product LIKE 'a_'",
    "SELECT COUNT(*) FROM loans WHERE product NOT LIKE 'a%'",
    "SELECT COUNT(*) FROM loans WHERE product LIKE 'a#%' ESCAPE '#'",
    "SELECT COUNT(*) FROM loans WHERE UPPER(product) = 'A'",
    "SELECT COUNT(*) FROM loans WHERE LOWER(product) = 'A'",
    "SELECT COUNT(*) FROM loans WHERE TRIM(product) = 'A'",
    "SELECT COUNT(*) FROM loans WHERE LTRIM(product) = 'A'",
    "SELECT COUNT(*) FROM loans WHERE SUBSTR(product, 1, 1) = 'A'",
    "SELECT COUNT(*) FROM loans WHERE SUBSTR(product, 2, 1) = 'A'",
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

/* Never to change within plan format 3: contracts on ledgers carry these. */
static const struct {
    const char *text;
    const char *hash;
} golden[] = {
    {"SELECT COUNT(*) FROM loans",
     "ac7cbd31ef46829e4beacd0d3f1c65253da4423bb934c448dcd8959a9b9a3eb7"},
    {"SELECT COUNT(*), SUM(balance), AVG(balance), MAX(overdue_days) FROM loans WHERE overdue_days "
     "BETWEEN $1 AND 90 AND product IN ('a', 'b')",
     "a13136b546193d3ff2e785a917d34beede918e8b5e124d1bb19f6111d8acebf9"},
    {"SELECT MIN(COALESCE(balance, 0)), SUM(CASE product WHEN 'x' THEN balance * 1.5 WHEN 'y' THEN "
     "-1 END) AS s FROM bank_c.loans WHERE (closed IS NOT TRUE OR opened - DATE '2020-02-29' > 7) "
     "AND NULLIF(overdue_days, 0) <> 5",
     "a97d96093aca3c28243c176025a7a7ca947b4409d7659e3a739a89c33aa371e5"},
    {"SELECT COUNT(*), SUM(LENGTH(TRIM(BOTH 'x' FROM product))) FROM loans WHERE UPPER(REPLACE("
     "product, 'a', 'b')) LIKE '%!_B' ESCAPE '!' AND SUBSTRING(product FROM 2 FOR 3) || 'c' < 'd' "
     "AND POSITION('e' IN product) > 0 AND CAST(overdue_days AS TEXT) <> '7'",
     "e92abcc0672a16fa2b9d5d5d286da997187fa83b9b524d061f6620e79f8f1fe8"},
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

/* Of the columns of a union: the hull of what the members declare. */
static void test_union_of_declarations(void **state)
{
    struct sql_request r = fixture_request("SELECT SUM(overdue_days), MAX(opened) FROM loans");
    struct sql_column *c = &fixture_catalog.datasets[1].columns[2];
    struct sql_column before = *c;
    struct sql_plan plan;

    (void)state;
    assert_string_equal(c->name, "overdue_days");
    c->range = (struct sql_range){-7, 9999};
    fixture_catalog.datasets[2].columns[3].nullable = true;
    fixture_compile(&plan, &r);
    assert_string_equal(plan.columns[0].name, "opened");
    assert_true(plan.columns[0].nullable);
    assert_int_equal((int64_t)plan.columns[1].range.lo, -7);
    assert_int_equal((int64_t)plan.columns[1].range.hi, 9999);
    assert_int_equal((int64_t)plan.outputs[0].range.lo, -7 * 6000);
    sql_plan_release(&plan);
    *c = before;
    fixture_catalog.datasets[2].columns[3].nullable = false;
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

/* ---- declared values of texts ---- */

/* Of bank_a and bank_b, each a list, or "" for none. *plan of GROUP BY t. */
static void compile_values(struct sql_plan *plan, const char *a, const char *b)
{
    struct sql_request r = fixture_request("SELECT t, COUNT(*) FROM s GROUP BY t");
    struct sql_catalog catalog;
    struct base_buf text = {0};
    struct base_err err;
    json_t *json;

    base_buf_put_str(&text, "{\"datasets\":[");
    for (int i = 0; i < 2; i++)
        base_buf_putf(&text,
                      "%s{\"member\":\"bank_%c\",\"name\":\"s\",\"version\":1,\"rows\":500,"
                      "\"columns\":[{\"name\":\"t\",\"type\":\"TEXT(3)\",\"nullable\":true%s%s}]}",
                      i > 0 ? "," : "", 'a' + i, *(i == 0 ? a : b) != '\0' ? ",\"values\":" : "",
                      i == 0 ? a : b);
    base_buf_put_str(&text, "]}");
    assert_int_equal(base_json_parse(&json, base_buf_cstr(&text), text.len, &err), FM_OK);
    if (sql_catalog_from_json(&catalog, json, &err) != FM_OK)
        fail_msg("%s", err.text);
    r.catalog = &catalog;
    fixture_compile(plan, &r);
    sql_catalog_release(&catalog);
    json_decref(json);
    base_buf_release(&text);
}

static void check_values(const char *a, const char *b, const char *all, int64_t groups)
{
    struct sql_plan plan;
    struct base_buf text = {0};
    struct base_err err;
    json_t *json, *values;

    compile_values(&plan, a, b);
    assert_int_equal(sql_plan_json(&json, &plan, &err), FM_OK);
    values = json_object_get(json_array_get(json_object_get(json, "columns"), 0), "values");
    if (values != NULL)
        assert_int_equal(base_json_canonical(&text, values, &err), FM_OK);
    assert_string_equal(base_buf_cstr(&text), all);
    for (size_t i = 0; i < plan.rel_count; i++) {
        if (plan.rels[i]->kind != SQL_REL_GROUP)
            continue;
        assert_int_equal(plan.rels[i]->domain, groups);
        assert_int_equal(plan.rels[i]->rows, groups > 0 ? groups : 1000);
    }
    json_decref(json);
    base_buf_release(&text);
    sql_plan_release(&plan);
}

static void test_declared_values(void **state)
{
    struct base_buf many = {0}, more = {0};

    (void)state;
    check_values("", "", "", 0);
    check_values("[\"a\",\"b\"]", "", "", 0); /* bank_b's may be anything */
    check_values("[\"a\",\"b\"]", "[\"a\",\"b\"]", "[\"a\",\"b\"]", 3); /* and NULL */
    check_values("[\"\",\"b\"]", "[\"a\",\"c\"]", "[\"\",\"a\",\"b\",\"c\"]", 5);
    /* 64 values of one and as many of another: too many to say. */
    for (int i = 0; i < 64; i++) {
        base_buf_putf(&many, "%s\"%c%c\"", i > 0 ? "," : "[", 'a' + i / 8, 'a' + i % 8);
        base_buf_putf(&more, "%s\"%c%cx\"", i > 0 ? "," : "[", 'a' + i / 8, 'a' + i % 8);
    }
    base_buf_put_str(&many, "]");
    base_buf_put_str(&more, "]");
    check_values(base_buf_cstr(&many), base_buf_cstr(&more), "", 0);
    base_buf_release(&many);
    base_buf_release(&more);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_respelling),      cmocka_unit_test(test_meanings_differ),
        cmocka_unit_test(test_golden_hashes),   cmocka_unit_test(test_hash_without_row_counts),
        cmocka_unit_test(test_output_types),    cmocka_unit_test(test_union_of_declarations),
        cmocka_unit_test(test_parameters),      cmocka_unit_test(test_parameter_hull),
        cmocka_unit_test(test_guard),           cmocka_unit_test(test_catalog_round_trip),
        cmocka_unit_test(test_declared_values), cmocka_unit_test(test_last_zeros),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
