/* What owners compute in the clear: texts, and what goes to them at all. */
#include "exchange/run/local_text.h"
#include "exchange/sql/bind/test_world.h"
#include "exchange/sql/physical/local.h"
#include "exchange/sql/physical/physical.h"

static struct text text_of(const char *s)
{
    return (struct text){s, strlen(s)};
}

static void require(struct text got, const char *want)
{
    assert_int_equal(got.len, strlen(want));
    assert_memory_equal(got.p, want, got.len);
}

static void test_like(void **state)
{
    static const struct {
        const char *x, *pattern;
        bool like;
    } cases[] = {{"", "", true},
                 {"", "%", true},
                 {"", "_", false},
                 {"abc", "abc", true},
                 {"abc", "ab", false},
                 {"abc", "%c", true},
                 {"abc", "a%", true},
                 {"abc", "%b%", true},
                 {"abc", "_b_", true},
                 {"abc", "____", false},
                 {"abcbc", "a%bc", true},
                 {"aaab", "%aab", true},
                 {"mississippi", "%iss%pi", true},
                 {"mississippi", "%iss%ip", false},
                 {"100%", "100\\%", true},
                 {"100x", "100\\%", false},
                 {"a_b", "a\\_b", true},
                 {"axb", "a\\_b", false},
                 {"\\", "\\\\", true},
                 {"\xc3\xa9t\xc3\xa9", "_t_", true},
                 {"\xc3\xa9", "__", false},
                 {"\xe9\x87\x91\xe8\x9e\x8d", "%\xe8\x9e\x8d", true},
                 {"Abc", "a%", false}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (text_like(text_of(cases[i].x), text_of(cases[i].pattern)) != cases[i].like)
            fail_msg("'%s' LIKE '%s'", cases[i].x, cases[i].pattern);
}

static void test_texts(void **state)
{
    const struct text x = text_of("\xc3\xa9"
                                  "cole d'\xc3\xa9t\xc3\xa9");
    char out[64];

    (void)state;
    assert_int_equal(text_length(x), 11);
    require(text_part(x, 2, 4), "cole");
    require(text_part(x, 1, 1), "\xc3\xa9");
    require(text_part(x, 12, 5), "");
    require(text_part(x, 9, 100), "\xc3\xa9t\xc3\xa9");
    require(text_part(x, 3, 0), "");
    require(text_trim(x, text_of("\xc3\xa9t"), true, true), "cole d'");
    require(text_trim(x, text_of("\xc3\xa9"), true, false), "cole d'\xc3\xa9t\xc3\xa9");
    require(text_trim(text_of("xxx"), text_of("x"), true, true), "");
    assert_int_equal(text_position(x, text_of("d'")), 7);
    assert_int_equal(text_position(x, text_of("")), 1);
    assert_int_equal(text_position(x, text_of("z")), 0);
    assert_int_equal(text_compare(text_of("ab"), text_of("abc")), -1);
    assert_int_equal(text_compare(text_of("\xc3\xa9"), text_of("z")), 1);
    assert_int_equal(text_compare(text_of(""), text_of("")), 0);
    require((struct text){out, text_upper(out, x)}, "\xc3\xa9"
                                                    "COLE D'\xc3\xa9T\xc3\xa9");
    require((struct text){out, text_lower(out, text_of("AbZ["))}, "abz[");
    require((struct text){out, text_replace(out, sizeof out, text_of("aaa"), text_of("aa"),
                                            text_of("b"))},
            "ba");
    require((struct text){out, text_replace(out, 2, text_of("aa"), text_of("a"), text_of("xyz"))},
            "xy");
    require(
        (struct text){out, text_replace(out, sizeof out, text_of("a"), text_of(""), text_of("x"))},
        "a");
}

/* ---- what is shared: names of input steps, in order ---- */

static void shares(const char *text, const char *want)
{
    struct sql_request r = fixture_request(text);
    struct sql_physical p;
    struct base_buf got = {0};
    struct sql_plan plan;
    struct base_err err;

    fixture_compile(&plan, &r);
    if (sql_physical_make(&p, &plan, &err) != FM_OK)
        fail_msg("%s\n%s", text, err.text);
    for (size_t i = 0; i < p.step_count; i++) {
        const struct sql_step *s = &p.steps[i];
        if (!sql_step_is_source_input(s))
            continue;
        base_buf_putf(&got, "%s%s", got.len > 0 ? "; " : "", sql_step_name(s->op));
        if (s->op != SQL_STEP_VALID)
            base_buf_putf(&got, " %s", p.plan->columns[s->index].name);
        assert_int_equal(s->shape, SQL_ROWS);
    }
    assert_string_equal(base_buf_cstr(&got), want);
    base_buf_release(&got);
    sql_physical_release(&p);
    sql_plan_release(&plan);
}

static void test_what_is_shared(void **state)
{
    (void)state;
    /* a filter is a column of truth values; a product is one column and not two */
    shares("SELECT COUNT(*) FROM loans WHERE product LIKE 'a%' AND balance > 5",
           "valid; column ((product LIKE 'a%') AND (balance > 5.00))");
    shares("SELECT SUM(balance * grade) FROM loans",
           "valid; known (balance * grade); column (balance * grade)");
    /* sums are free, whoever adds */
    shares("SELECT SUM(grade + id) FROM loans", "valid; column id; column grade");
    /* seen through a subquery, and not through GROUP BY */
    shares("SELECT SUM(x.d * x.d) FROM (SELECT grade * 2 AS d FROM loans) AS x",
           "valid; column ((grade * 2) * (grade * 2))");
    shares("SELECT x.grade, x.n * x.grade FROM (SELECT grade, COUNT(*) AS n FROM loans GROUP BY "
           "grade) AS x",
           "valid; column grade");
    /* each owner its own part of what both decide */
    shares("SELECT COUNT(*) FROM loans JOIN people USING (person) WHERE (grade > 3 AND closed) OR "
           "age > 50 OR id < 7",
           "valid; column person; column (((grade > 3) AND closed) OR (id < 7)); valid; column "
           "person; column (age > 50); known (age > 50)");
    /* above a LEFT JOIN only what is NULL without a row */
    shares("SELECT COUNT(*) FROM loans LEFT JOIN people USING (person) WHERE age * 2 > 7",
           "valid; column person; valid; column person; column ((age * 2) > 7); known ((age * 2) > "
           "7)");
    shares("SELECT COUNT(*) FROM loans LEFT JOIN people USING (person) WHERE COALESCE(age, 1) > 7",
           "valid; column person; valid; column age; known age; column person");
    /* a dataset that is mentioned twice, once: what both need, or make alike, is one column */
    shares("SELECT COUNT(*) FROM loans x JOIN loans y USING (id) WHERE x.grade * 2 > 7 AND "
           "y.grade * 2 > 7",
           "valid; column id; column ((grade * 2) > 7)");
    shares("SELECT SUM(x.grade), SUM(y.person) FROM loans x JOIN loans y USING (id) WHERE y.grade "
           "BETWEEN 2 AND 5",
           "valid; column grade; column id; column person; column ((grade >= 2) AND (grade <= 5))");
    shares("SELECT COUNT(*) FROM loans WHERE balance > (SELECT AVG(balance) FROM loans WHERE grade "
           "> 3)",
           "valid; column balance; known balance; column (grade > 3)");
    /* rows that its owner joins by itself are no rows to share */
    shares("SELECT COUNT(*) FROM people JOIN districts USING (district) WHERE region > age",
           "valid; column (found#2 AND (region > age)); known (found#2 AND (region > age))");
    /* a division by 0 is said, so it is not done at home; one that cannot be, is */
    shares("SELECT id / grade, grade / (id - 1) FROM loans",
           "valid; column grade; column id; column (id / grade)");
}

/* ---- refusals ---- */

static void test_refused(void **state)
{
    static const struct {
        const char *text, *sentence;
    } cases[] = {
        {"SELECT COUNT(*) FROM loans JOIN people USING (person) WHERE product || CAST(age AS TEXT) "
         "= 'a'",
         "line 1, column 69: concat is computed by the owner of the rows, before they are shared: "
         "it takes columns of one table, below its GROUP BY, UNION or LEFT JOIN; write it in a "
         "subquery of FROM"},
        {"SELECT product, UPPER(product) FROM loans GROUP BY product",
         "line 1, column 17: upper is computed by the owner of the rows, before they are shared: "
         "it takes columns of one table, below its GROUP BY, UNION or LEFT JOIN; write it in a "
         "subquery of FROM"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sql_request r = fixture_request(cases[i].text);
        struct sql_plan plan;
        struct base_err err = {0};

        fixture_compile(&plan, &r);
        assert_int_equal(sql_plan_runs(&plan, &err), FM_E_UNSUPPORTED);
        assert_string_equal(err.text, cases[i].sentence);
        sql_plan_release(&plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_like), cmocka_unit_test(test_texts),
                                       cmocka_unit_test(test_what_is_shared),
                                       cmocka_unit_test(test_refused)};

    return cmocka_run_group_tests(tests, world_setup, fixture_teardown);
}
