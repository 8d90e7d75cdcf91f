/* The uses of every column, for a dozen and more queries. */
#include "exchange/sql/bind/test_fixture.h"

#include "exchange/sql/plan/uses.h"

static const struct {
    const char *text;
    const char *uses; /* of bank_b, where the table is federated: "column:use,use column:use" */
} cases[] = {
    {"SELECT COUNT(*) FROM loans", ""},
    {"SELECT COUNT(balance) FROM loans", "balance:aggregate"},
    {"SELECT SUM(balance) FROM loans WHERE closed", "balance:aggregate closed:filter"},
    {"SELECT MIN(balance), AVG(overdue_days) FROM loans", "balance:extreme overdue_days:aggregate"},
    {"SELECT SUM(balance), MAX(balance) FROM loans WHERE balance > 5",
     "balance:aggregate,extreme,filter"},
    {"SELECT SUM(balance) FROM loans WHERE overdue_days > $1",
     "balance:aggregate overdue_days:filter,parameter"},
    {"SELECT SUM(balance) FROM loans WHERE overdue_days BETWEEN 5 AND $1 AND product = 'a'",
     "balance:aggregate overdue_days:filter,parameter product:filter"},
    {"SELECT SUM(balance) FROM loans WHERE closed AND ($1 = 5 OR product IS NULL)",
     "balance:aggregate closed:filter product:filter,parameter"},
    {"SELECT SUM(CASE WHEN subject_id = 5 THEN balance END) FROM loans",
     "balance:aggregate subject_id:condition"},
    {"SELECT SUM(CASE WHEN subject_id = $1 THEN balance ELSE overdue_days END) FROM loans",
     "balance:aggregate overdue_days:aggregate subject_id:condition,parameter"},
    {"SELECT MAX(CASE WHEN closed THEN balance END) FROM loans",
     "balance:extreme closed:condition"},
    {"SELECT COUNT(*) FROM loans WHERE CASE WHEN closed THEN balance ELSE 1 END > 3",
     "balance:filter closed:filter"},
    {"SELECT SUM(balance * overdue_days) FROM loans",
     "balance:aggregate,condition overdue_days:aggregate,condition"},
    {"SELECT SUM(balance * 2 + overdue_days) FROM loans",
     "balance:aggregate overdue_days:aggregate"},
    {"SELECT SUM(CASE WHEN $1 = 1 THEN balance ELSE overdue_days END) FROM loans",
     "balance:aggregate,parameter overdue_days:aggregate,parameter"},
    {"SELECT SUM(COALESCE(balance, overdue_days)) FROM loans",
     "balance:aggregate,condition overdue_days:aggregate"},
    {"SELECT SUM(NULLIF(balance, $1)) FROM loans", "balance:aggregate,condition,parameter"},
    {"SELECT COUNT(*) FROM loans WHERE (opened = $1) IS TRUE AND NOT closed",
     "closed:filter opened:filter,parameter"},
    {"SELECT COUNT(*) FROM loans WHERE UPPER(product) LIKE 'A%'", "product:filter"},
    {"SELECT SUM(LENGTH(product || $1)) FROM loans WHERE product || $1 < 'b'",
     "product:aggregate,filter,parameter"},
    {"SELECT SUBSTR(product, 1, 2) AS p, COUNT(*) FROM loans GROUP BY p", "product:group"},
    {"SELECT SUM(IF(product ILIKE '%x%', balance, 0)) FROM loans",
     "balance:aggregate product:condition"},
    {"SELECT COUNT(CASE overdue_days WHEN 1 THEN 0 WHEN $1 THEN 0 END) FROM loans",
     "overdue_days:condition,parameter"},
};

static void put_entry(struct base_buf *out, const struct sql_use_entry *e)
{
    static const unsigned alphabetical[] = {3, 4, 6, 0, 2, 1, 7, 5, 8};
    const char *separator = ":";

    if (out->len > 0)
        base_buf_put_u8(out, ' ');
    base_buf_put_str(out, e->column);
    for (size_t i = 0; i < SQL_USE_COUNT; i++) {
        if ((e->uses >> alphabetical[i] & 1) == 0)
            continue;
        base_buf_putf(out, "%s%s", separator, sql_use_name(alphabetical[i]));
        separator = ",";
    }
}

static void test_uses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sql_request r = fixture_request(cases[i].text);
        struct sql_plan plan;
        struct sql_uses uses;
        struct sql_use_entry e;
        struct base_buf got = {0};
        struct base_err err;

        fixture_compile(&plan, &r);
        assert_int_equal(sql_uses_derive(&uses, &plan, &err), FM_OK);
        for (size_t j = 0; sql_uses_at(&uses, j, &e); j++) {
            if (strcmp(e.member, "bank_b") == 0)
                put_entry(&got, &e);
        }
        if (strcmp(base_buf_cstr(&got), cases[i].uses) != 0)
            print_error("of: %s\n", r.text);
        assert_string_equal(base_buf_cstr(&got), cases[i].uses);
        base_buf_release(&got);
        sql_uses_release(&uses);
        sql_plan_release(&plan);
    }
}

static void test_printed(void **state)
{
    struct sql_request r = fixture_request("SELECT SUM(balance)\nFROM bank_b.loans\nWHERE balance "
                                           "> $1 AND balance < 7");
    struct sql_plan plan;
    struct sql_uses uses;
    struct base_buf text = {0};
    struct base_err err;

    (void)state;
    fixture_compile(&plan, &r);
    assert_int_equal(sql_uses_derive(&uses, &plan, &err), FM_OK);
    sql_uses_print(&text, &uses);
    assert_string_equal(base_buf_cstr(&text),
                        "column                                   use        in the text "
                        "(line:column)\n"
                        "bank_b.loans.balance                     filter     at 3:7, 3:24\n"
                        "bank_b.loans.balance                     aggregate  at 1:12\n"
                        "bank_b.loans.balance                     parameter  at 3:7\n");
    base_buf_release(&text);
    sql_uses_release(&uses);
    sql_plan_release(&plan);
}

static void test_json(void **state)
{
    struct sql_request r = fixture_request("SELECT SUM(balance) FROM loans WHERE balance > 5");
    struct sql_plan plan;
    struct sql_uses uses;
    struct base_buf text = {0};
    struct base_err err;
    json_t *json;

    (void)state;
    fixture_compile(&plan, &r);
    assert_int_equal(sql_uses_derive(&uses, &plan, &err), FM_OK);
    assert_int_equal(sql_uses_json(&json, &uses, "bank_c", &err), FM_OK);
    assert_int_equal(base_json_canonical(&text, json, &err), FM_OK);
    assert_string_equal(base_buf_cstr(&text),
                        "[{\"column\":\"balance\",\"dataset\":\"loans\",\"member\":\"bank_c\","
                        "\"uses\":[\"aggregate\",\"filter\"]}]");
    json_decref(json);
    assert_int_equal(sql_uses_json(&json, &uses, NULL, &err), FM_OK);
    assert_int_equal(json_array_size(json), 3);
    json_decref(json);
    base_buf_release(&text);
    sql_uses_release(&uses);
    sql_plan_release(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uses),
        cmocka_unit_test(test_printed),
        cmocka_unit_test(test_json),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
