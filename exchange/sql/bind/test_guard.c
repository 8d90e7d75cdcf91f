/* The minimum-group guard against every known way round it. bank_a receives; a group is 5. */
#include "exchange/sql/bind/test_world.h"

static const struct world_refusal bypasses[] = {
    {"SELECT COUNT(*) FROM loans WHERE person = 5", FM_E_REFUSED,
     "line 1, column 34: 'person' names single subjects or rows of others: with a minimum group of "
     "5 it may be joined on and counted, and nothing else"},
    {"SELECT SUM(CASE WHEN id = 5 THEN balance END) FROM loans", FM_E_REFUSED,
     "line 1, column 22: 'id' names single subjects or rows of others: with a minimum group of 5 "
     "it may be joined on and counted, and nothing else"},
    {"SELECT SUM(balance) FILTER (WHERE id = 5) FROM loans", FM_E_REFUSED,
     "line 1, column 35: 'id' names single subjects or rows of others: with a minimum group of 5 "
     "it may be joined on and counted, and nothing else"},
    {"SELECT COUNT(*) FROM loans WHERE person IN (1, 2)", FM_E_REFUSED,
     "line 1, column 34: 'person' names single subjects or rows of others: with a minimum group of "
     "5 it may be joined on and counted, and nothing else"},
    {"SELECT id, SUM(balance) FROM loans GROUP BY id", FM_E_REFUSED,
     "line 1, column 1: 'id' names single subjects or rows of others: with a minimum group of 5 it "
     "may be joined on and counted, and nothing else"},
    {"SELECT person FROM loans", FM_E_REFUSED,
     "line 1, column 20: with a minimum group of 5 no rows of others are shown: select aggregates, "
     "such as COUNT(*), SUM(x), AVG(x)"},
    {"SELECT MAX(person) FROM loans", FM_E_REFUSED,
     "line 1, column 12: 'person' names single subjects or rows of others: with a minimum group of "
     "5 it may be joined on and counted, and nothing else"},
    {"SELECT COUNT(*) FROM bank_a.loans WHERE id = 5", FM_E_REFUSED,
     "minimum group 5 can never be met: every provider of 'loans' is a recipient"},
    {"SELECT COUNT(*) FROM districts", FM_E_REFUSED,
     "minimum group 5: bank_c.districts declares no subject, so its subjects cannot be counted: "
     "publish it with a subject column"},
    {"SELECT SUM(x) FROM (SELECT balance AS x FROM loans UNION ALL SELECT salary FROM districts) t",
     FM_E_NOT_FOUND, "line 1, column 69: unknown column 'salary' of districts"},
    {"SELECT grade + 0 * person AS k, COUNT(*) FROM loans GROUP BY k", FM_E_REFUSED,
     "line 1, column 20: 'person' names single subjects or rows of others: with a minimum group of "
     "5 it may be joined on and counted, and nothing else"},
    {"SELECT COUNT(*) FROM loans WHERE person IN (SELECT person FROM people WHERE person = 5)",
     FM_E_REFUSED,
     "line 1, column 77: 'person' names single subjects or rows of others: with a minimum group of "
     "5 it may be joined on and counted, and nothing else"},
    {"SELECT COUNT(*) FROM loans WHERE CAST(person AS TEXT) LIKE '4694%'", FM_E_REFUSED,
     "line 1, column 39: 'person' names single subjects or rows of others: with a minimum group of "
     "5 it may be joined on and counted, and nothing else"},
    {"SELECT COUNT(*) FROM loans WHERE LENGTH(CAST(id AS TEXT)) = 2", FM_E_REFUSED,
     "line 1, column 46: 'id' names single subjects or rows of others: with a minimum group of 5 "
     "it may be joined on and counted, and nothing else"},
    {"SELECT COUNT(*) FROM loans l WHERE 2 < (SELECT COUNT(*) FROM people p WHERE p.person = "
     "l.person)",
     FM_E_UNSUPPORTED,
     "line 1, column 40: COUNT in a subquery with inner = outer: LEFT JOIN a grouped subquery and "
     "write COALESCE(n, 0)"},
    {"SELECT id FROM loans EXCEPT SELECT district FROM districts", FM_E_UNSUPPORTED,
     "line 1, column 1: with a minimum group of 5, aggregates over a UNION of rows are not "
     "offered: aggregate each side, or let members publish one dataset"},
    {"SELECT COUNT(*) FROM bank_a.loans WHERE person IN (SELECT person FROM people WHERE age > 50)",
     FM_E_REFUSED, "minimum group 5 can never be met: every provider of 'loans' is a recipient"},
    {"SELECT COUNT(*) FROM loans WHERE grade IN (SELECT age FROM people)", FM_E_REFUSED,
     "line 1, column 40: the rows of 'people' in this subquery may be those of one subject: with a "
     "minimum group of 5 it must compare subject with subject, or aggregate"},
    {"SELECT COUNT(*) FROM loans WHERE grade NOT IN (SELECT person FROM people WHERE age > 50)",
     FM_E_REFUSED,
     "line 1, column 40: the rows of 'people' in this subquery may be those of one subject: with a "
     "minimum group of 5 it must compare subject with subject, or aggregate"},
    {"SELECT COUNT(*) FROM loans l WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.age = l.grade)",
     FM_E_REFUSED,
     "line 1, column 40: the rows of 'people' in this subquery may be those of one subject: with a "
     "minimum group of 5 it must compare subject with subject, or aggregate"},
    {"SELECT SUM(balance), SUM(balance) FILTER (WHERE person <> 5) FROM loans", FM_E_REFUSED,
     "line 1, column 49: 'person' names single subjects or rows of others: with a minimum group of "
     "5 it may be joined on and counted, and nothing else"},
    {"SELECT COUNT(*) FROM loans WHERE id < $1", FM_E_REFUSED,
     "line 1, column 34: 'id' names single subjects or rows of others: with a minimum group of 5 "
     "it "
     "may be joined on and counted, and nothing else"},
    {"SELECT MIN(id), MAX(id) FROM loans", FM_E_REFUSED,
     "line 1, column 12: 'id' names single subjects or rows of others: with a minimum group of 5 "
     "it "
     "may be joined on and counted, and nothing else"},
    {"SELECT COUNT(*) FROM bank_a.loans", FM_E_REFUSED,
     "minimum group 5 can never be met: every provider of 'loans' is a recipient"},
};

static void test_bypasses(void **state)
{
    (void)state;
    world_refuse(bypasses, sizeof bypasses / sizeof bypasses[0], 5);
}

/* The last GROUP's guards. */
struct guarded {
    const char *text;
    size_t guards;
    int64_t rows;        /* of the first: 5 subjects times the rows that one may have */
    bool others;         /* does it ask which rows come from others? */
    const char *counted; /* of the first item; NULL: all rows with a value */
};

static const struct guarded guarded[] = {
    /* One's own rows do not count: they could be subtracted. */
    {"SELECT COUNT(*) FROM loans", 1, 25, true, NULL},
    {"SELECT COUNT(*) FROM bank_b.loans", 1, 25, false, NULL},
    /* Many rows of one subject are not many subjects: a join repeats them. */
    {"SELECT COUNT(*) FROM people p LEFT JOIN bank_a.loans l ON l.person = p.person", 1, 25, false,
     NULL},
    {"SELECT COUNT(*) FROM bank_a.loans l LEFT JOIN people p ON l.person = p.person", 1, 25, true,
     NULL},
    {"SELECT COUNT(*) FROM loans l JOIN people p ON l.person = p.person", 2, 25, true, NULL},
    /* No bound follows: subjects are counted one by one. */
    {"SELECT COUNT(*) FROM bank_a.loans l JOIN people p ON l.grade = p.person", 1, 0, false, NULL},
    /* Constants hide nobody. */
    {"SELECT SUM(CASE WHEN grade = 5 THEN balance ELSE 0 END) FROM loans", 1, 25, true,
     "CASE WHEN (grade = 5) THEN true ELSE false END"},
    {"SELECT SUM(CASE WHEN grade = 5 THEN balance ELSE 1 END) FROM loans", 1, 25, true,
     "CASE WHEN (grade = 5) THEN true ELSE false END"},
    {"SELECT SUM(CASE WHEN grade = 5 THEN 7 ELSE 0 END) FROM loans", 1, 25, true,
     "CASE WHEN (grade = 5) THEN true ELSE false END"},
    {"SELECT MAX(CASE WHEN grade = 5 THEN balance ELSE 0 END) FROM loans", 1, 25, true,
     "CASE WHEN (grade = 5) THEN true ELSE false END"},
    {"SELECT SUM(balance * CASE WHEN grade = 5 THEN 1 ELSE 0 END) FROM loans", 1, 25, true,
     "CASE WHEN (grade = 5) THEN true ELSE false END"},
    {"SELECT SUM(balance + CASE WHEN grade = 5 THEN balance ELSE 0 END) FROM loans", 1, 25, true,
     "CASE WHEN (grade = 5) THEN true ELSE false END"},
    {"SELECT SUM(CASE WHEN closed THEN CASE WHEN grade = 5 THEN balance ELSE 0 END END) FROM loans",
     1, 25, true,
     "CASE WHEN closed THEN CASE WHEN (grade = 5) THEN true ELSE false END ELSE false END"},
    {"SELECT COUNT(DISTINCT CASE WHEN grade = 5 THEN balance ELSE 0 END) FROM loans", 1, 25, true,
     "CASE WHEN (grade = 5) THEN true ELSE false END"},
    {"SELECT AVG(COALESCE(balance, 0)) FROM loans", 1, 25, true,
     "CASE WHEN (NOT (balance IS NULL)) THEN true ELSE false END"},
    /* NULL is no value, so a CASE without ELSE needs nothing more. */
    {"SELECT SUM(CASE WHEN grade = 5 THEN balance END) FROM loans", 1, 25, true, NULL},
    {"SELECT SUM(balance) FILTER (WHERE grade = 5) FROM loans", 1, 25, true, NULL},
    /* A subject decides over its own rows alone. */
    {"SELECT COUNT(*) FROM loans WHERE person IN (SELECT person FROM people WHERE age > 50)", 1, 25,
     true, NULL},
    {"SELECT COUNT(*) FROM loans l WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.person = "
     "l.person AND p.age > 50)",
     1, 25, true, NULL},
    {"SELECT COUNT(*) FROM loans WHERE grade IN (SELECT grade FROM loans GROUP BY grade)", 1, 25,
     true, NULL},
    /* Rows about nobody. */
    {"SELECT COUNT(*) FROM loans WHERE grade IN (SELECT district FROM districts)", 1, 25, true,
     NULL},
    /* What stands on groups that are guarded needs no guard of its own. */
    {"SELECT AVG(n) FROM (SELECT grade, COUNT(*) AS n FROM loans GROUP BY grade) t", 0, 0, false,
     NULL},
};

static void check_guarded(const struct guarded *g)
{
    struct sql_request r = fixture_request(g->text);
    struct sql_plan plan;
    const struct sql_rel *group = NULL;
    struct base_buf text = {0};

    r.minimum = 5;
    fixture_compile(&plan, &r);
    for (size_t i = 0; i < plan.rel_count; i++)
        group = plan.rels[i]->kind == SQL_REL_GROUP ? plan.rels[i] : group;
    assert_non_null(group);
    if (group->guard_count != g->guards)
        print_error("of: %s\n", g->text);
    assert_int_equal(group->guard_count, g->guards);
    if (g->guards > 0) {
        if (group->guards[0].rows != g->rows)
            print_error("of: %s\n", g->text);
        assert_int_equal(group->guards[0].rows, g->rows);
        assert_int_equal(group->guards[0].others != SQL_NONE, g->others);
        assert_int_equal(group->guards[0].subject != SQL_NONE, g->rows == 0);
    }
    if (group->items[0].counted != SQL_NONE)
        sql_plan_print_expr(&text, &plan, group->items[0].counted);
    assert_string_equal(base_buf_cstr(&text), g->counted != NULL ? g->counted : "");
    base_buf_release(&text);
    sql_plan_release(&plan);
}

static void test_guards(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof guarded / sizeof guarded[0]; i++)
        check_guarded(&guarded[i]);
}

/* Narrowing down by a parameter has a use of its own, which has its own limit of runs. */
static void test_minimum_one(void **state)
{
    struct sql_request r = fixture_request("SELECT balance FROM loans WHERE person = 5");
    struct sql_plan plan;

    (void)state;
    fixture_compile(&plan, &r);
    sql_plan_release(&plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bypasses),
        cmocka_unit_test(test_guards),
        cmocka_unit_test(test_minimum_one),
    };

    return cmocka_run_group_tests(tests, world_setup, fixture_teardown);
}
