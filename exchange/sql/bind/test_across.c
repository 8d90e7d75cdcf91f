/* What reaches across tables and subqueries: outer columns of one name, ties that a join leaves
 * open, parameters met at a distance, a text's length found in several places. */
#include "exchange/sql/bind/test_world.h"

#include "exchange/sql/plan/uses.h"

/* ---- outer columns ---- */

static const struct world_refusal refusals[] = {
    {"SELECT COUNT(*) FROM districts o, people p WHERE o.district = p.district AND EXISTS (SELECT "
     "1 FROM districts x WHERE x.region > o.district AND x.region < p.district)",
     FM_E_UNSUPPORTED,
     "line 1, column 129: 'district' of the query around this one: offered only as inner = outer "
     "in its WHERE, joined by AND"},
};

static void test_refusals(void **state)
{
    (void)state;
    world_refuse(refusals, sizeof refusals / sizeof refusals[0], 1);
}

/* ---- ties ---- */

static const struct {
    const char *text;
    size_t orders;
} ties[] = {
    {"SELECT p.district, d.district, COUNT(*) FROM people p LEFT JOIN districts d ON p.district = "
     "d.district GROUP BY p.district, d.district ORDER BY p.district LIMIT 1",
     1},
    {"SELECT p.district, d.district, COUNT(*) FROM people p LEFT JOIN districts d ON p.district = "
     "d.district AND p.age > 50 GROUP BY p.district, d.district ORDER BY p.district LIMIT 1",
     2},
};

static void test_ties(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ties / sizeof ties[0]; i++) {
        struct sql_request r = fixture_request(ties[i].text);
        struct sql_plan plan;
        size_t orders = 0;

        fixture_compile(&plan, &r);
        for (size_t k = 0; k < plan.rel_count; k++) {
            if (plan.rels[k]->kind == SQL_REL_SORT)
                orders = plan.rels[k]->order_count;
        }
        assert_int_equal(orders, ties[i].orders);
        sql_plan_release(&plan);
    }
}

/* ---- parameters ---- */

static const struct {
    const char *text;
    const char *column; /* of bank_b's loans or bank_c's people */
    bool meets;
} meetings[] = {
    {"SELECT COUNT(*) FROM (SELECT grade, CAST($1 AS INTEGER) AS p FROM loans) t WHERE t.grade "
     "> t.p",
     "grade", true},
    {"SELECT COUNT(*) FROM (SELECT grade - $1 AS d FROM loans) t WHERE t.d > 0", "grade", true},
    {"SELECT COUNT(*) FROM (SELECT grade - 3 AS d FROM loans) t WHERE t.d > 0", "grade", false},
    {"SELECT COUNT(*) FROM districts d JOIN (SELECT grade + $1 AS k FROM loans) o ON d.district = "
     "o.k",
     "grade", true},
    {"SELECT COUNT(*) FROM districts d JOIN (SELECT grade + $1 AS k FROM loans) o ON d.district = "
     "o.k",
     "district", true},
    {"SELECT COUNT(*) FROM districts d JOIN loans o ON d.district = o.grade + 1", "grade", false},
    {"SELECT COUNT(*) FROM districts d JOIN loans o ON d.district = o.grade + $1", "grade", true},
    {"SELECT COUNT(*) FROM loans WHERE grade + $1 IN (SELECT district FROM people)", "district",
     true},
    {"SELECT SUM(grade / $1) FROM loans", "grade", true},
    {"SELECT SUM(grade % $1) FROM loans", "grade", true},
    {"SELECT SUM(ROUND(balance * $1)) FROM loans", "balance", true},
    {"SELECT SUM(grade * $1) FROM loans", "grade", false},
    {"SELECT SUM(POSITION($1 IN product)) FROM loans", "product", true},
    {"SELECT COUNT(*) FROM (SELECT SUM(balance) * $1 AS s FROM loans GROUP BY grade) t WHERE s > 5",
     "balance", true},
    {"SELECT COUNT(*) FROM (SELECT SUM(grade + $1) OVER (PARTITION BY person) AS s FROM loans) t "
     "WHERE s > 5",
     "grade", true},
    {"SELECT grade + $1 FROM loans INTERSECT SELECT district FROM people", "district", true},
    {"SELECT MAX(grade * $1 + person) FROM loans", "grade", true},
    {"SELECT COUNT(DISTINCT grade * $1 + person) FROM loans", "grade", true},
    {"SELECT grade FROM loans ORDER BY grade * $1 + person", "grade", true},
    /* a recipient's table is a list of parameters */
    {"SELECT o.grade, SUM(d.region) FROM bank_a.loans o, districts d WHERE d.region < o.grade "
     "GROUP "
     "BY o.grade",
     "region", true},
    {"SELECT o.grade, (SELECT SUM(d.region) FROM districts d WHERE d.region < o.grade) FROM "
     "bank_a.loans o",
     "region", true},
    {"SELECT o.grade, SUM(p.age) FROM bank_a.loans o JOIN people p ON o.person = p.person AND "
     "p.age < o.grade GROUP BY o.grade",
     "age", true},
    {"SELECT COUNT(*) FROM people p WHERE p.age > (SELECT MAX(grade) FROM bank_a.loans)", "age",
     true},
    {"SELECT COUNT(*) FROM people p WHERE p.age > (SELECT COUNT(*) FROM bank_a.loans)", "age",
     true},
    {"SELECT COUNT(*) FROM people p WHERE p.age > (SELECT MAX(grade) FROM loans)", "age", false},
    {"SELECT COUNT(*) FROM people p JOIN bank_a.loans o ON o.person = p.person WHERE o.grade < 3 "
     "AND p.age > 30",
     "age", false},
};

static bool meets(const char *text, const char *column)
{
    struct sql_param_decl number = {.type = "INTEGER", .least = "-9", .greatest = "9"};
    struct sql_request r = fixture_request(text);
    struct sql_plan plan;
    struct sql_uses derived;
    struct sql_use_entry e;
    struct base_err err;
    unsigned found = 0;

    r.params = &number;
    r.param_count = strstr(text, "$1") != NULL && strstr(text, "POSITION") == NULL;
    fixture_compile(&plan, &r);
    assert_int_equal(sql_uses_derive(&derived, &plan, &err), FM_OK);
    for (size_t k = 0; sql_uses_at(&derived, k, &e); k++) {
        if (strcmp(e.member, "bank_a") != 0 && strcmp(e.column, column) == 0)
            found |= e.uses;
    }
    assert_true(found != 0);
    sql_uses_release(&derived);
    sql_plan_release(&plan);
    return (found & SQL_USE_PARAMETER) != 0;
}

static void test_meetings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof meetings / sizeof meetings[0]; i++) {
        if (meets(meetings[i].text, meetings[i].column) != meetings[i].meets)
            fail_msg("%s of: %s", meetings[i].column, meetings[i].text);
    }
}

/* ---- the longest text that a parameter may be ---- */

static void test_text_parameters(void **state)
{
    static const struct {
        const char *text;
        unsigned bytes;
    } cases[] = {
        {"SELECT COUNT(*) FROM loans WHERE UPPER($1) = 'A' AND product = $1", 12},
        {"SELECT COUNT(*) FROM loans WHERE product = $1 AND UPPER($1) = 'A'", 12},
        {"SELECT COUNT(*) FROM loans WHERE product = $1 AND product || product < $1", 24},
        {"SELECT SUM(POSITION($1 IN product)) FROM loans", 256},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sql_request r = fixture_request(cases[i].text);
        struct sql_plan plan;

        fixture_compile(&plan, &r);
        assert_int_equal(plan.params[0].type.max_bytes, cases[i].bytes);
        sql_plan_release(&plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_meetings),
        cmocka_unit_test(test_text_parameters),
    };

    return cmocka_run_group_tests(tests, world_setup, fixture_teardown);
}
