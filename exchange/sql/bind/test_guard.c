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
    /* Windows and orders. */
    {"SELECT SUM(balance), SUM(balance) FILTER (WHERE s <> 5) FROM (SELECT balance, SUM(person) "
     "OVER (PARTITION BY id) AS s FROM bank_b.loans) t",
     FM_E_REFUSED,
     "line 1, column 83: 'person' names single subjects or rows of others: with a minimum group of "
     "5 it may be joined on and counted, and nothing else"},
    {"SELECT SUM(balance) FILTER (WHERE rn <> 1) FROM (SELECT balance, ROW_NUMBER() OVER (ORDER BY "
     "person) AS rn FROM bank_b.loans) t",
     FM_E_REFUSED,
     "line 1, column 66: 'person' names single subjects or rows of others: with a minimum group of "
     "5 it may be joined on and counted, and nothing else"},
    {"SELECT SUM(balance) FILTER (WHERE n <> 1) FROM (SELECT balance, COUNT(*) OVER (ORDER BY "
     "balance) AS n FROM bank_b.loans) t",
     FM_E_REFUSED,
     "line 1, column 65: with a minimum group of 5, OVER over rows of others may tell one row from "
     "the rest: GROUP them first"},
    {"SELECT SUM(balance) FROM (SELECT balance FROM bank_b.loans ORDER BY balance LIMIT 1999) t",
     FM_E_REFUSED,
     "line 1, column 83: with a minimum group of 5, LIMIT or OFFSET over rows of others may tell "
     "one row from the rest: GROUP them first"},
    {"SELECT SUM(balance) FROM (SELECT balance FROM bank_b.loans ORDER BY balance OFFSET 1) t",
     FM_E_REFUSED,
     "line 1, column 84: with a minimum group of 5, LIMIT or OFFSET over rows of others may tell "
     "one row from the rest: GROUP them first"},
    {"SELECT r, n FROM (SELECT grade, COUNT(*) AS n, RANK() OVER (ORDER BY MAX(person)) AS r FROM "
     "loans GROUP BY grade) t",
     FM_E_REFUSED,
     "line 1, column 74: 'person' names single subjects or rows of others: with a minimum group of "
     "5 it may be joined on and counted, and nothing else"},
    /* Join keys that are constants in disguise. */
    {"SELECT SUM(balance) FROM bank_b.loans WHERE person NOT IN (SELECT 5 FROM bank_a.loans)",
     FM_E_REFUSED,
     "line 1, column 52: 'person' names single subjects or rows of others: with a minimum group of "
     "5 it is joined with columns as members publish them, not with what a query makes"},
    {"SELECT SUM(balance) FROM bank_b.loans WHERE person NOT IN (SELECT CAST($1 AS INTEGER) FROM "
     "bank_a.loans)",
     FM_E_REFUSED,
     "line 1, column 52: 'person' names single subjects or rows of others: with a minimum group of "
     "5 it is joined with columns as members publish them, not with what a query makes"},
    {"SELECT SUM(l.balance) FROM bank_a.loans a JOIN bank_b.loans l ON l.id = a.grade + 4",
     FM_E_REFUSED,
     "line 1, column 48: 'id' names single subjects or rows of others: with a minimum group of 5 "
     "it is joined with columns as members publish them, not with what a query makes"},
    {"SELECT SUM(l.balance) FROM bank_a.loans a LEFT JOIN bank_b.loans l ON a.grade + 4 = l.id",
     FM_E_REFUSED,
     "line 1, column 53: 'id' names single subjects or rows of others: with a minimum group of 5 "
     "it is joined with columns as members publish them, not with what a query makes"},
/* Two sums in one. */
#define WEIGHS                                                                                  \
    "a CASE that adds up one thing for some rows and another for others may tell few from "     \
    "the rest: with a minimum group of 5 write an aggregate for each alternative, with FILTER " \
    "(WHERE ...)"
    {"SELECT SUM(balance * CASE WHEN grade = 5 THEN 2 ELSE 1 END) FROM loans", FM_E_REFUSED,
     "line 1, column 22: " WEIGHS},
    {"SELECT SUM(CASE WHEN grade = 5 THEN 1000 * grade ELSE grade END) FROM loans", FM_E_REFUSED,
     "line 1, column 12: " WEIGHS},
    {"SELECT AVG(CASE grade WHEN 5 THEN 1 WHEN 6 THEN 1000 ELSE 0 END) FROM loans", FM_E_REFUSED,
     "line 1, column 12: " WEIGHS},
    {"SELECT SUM(grade + COALESCE(CASE WHEN grade = 5 THEN grade * 1000 END, grade)) FROM loans",
     FM_E_REFUSED, "line 1, column 20: " WEIGHS},
    {"SELECT SUM(w * grade) FROM (SELECT grade, CASE WHEN closed THEN 7 ELSE 1 END AS w FROM "
     "loans) t",
     FM_E_REFUSED, "line 1, column 43: " WEIGHS},
    {"SELECT MAX(CASE WHEN grade = 5 THEN grade + 100 ELSE grade END) FROM loans", FM_E_REFUSED,
     "line 1, column 12: " WEIGHS},
    /* what a subquery made is no column of a dataset, also where a GROUP stands between */
    {"SELECT SUM(CASE WHEN grade = 5 THEN big ELSE small END) FROM (SELECT grade, balance * 1000 "
     "AS big, balance AS small FROM loans) t",
     FM_E_REFUSED, "line 1, column 12: " WEIGHS},
    {"SELECT SUM(CASE WHEN p.age = 50 THEN t.w ELSE p.age END) FROM people p JOIN (SELECT DISTINCT "
     "grade * 10 AS w FROM loans) t ON p.district = t.w",
     FM_E_REFUSED, "line 1, column 12: " WEIGHS},
    {"SELECT SUM(CASE WHEN p.age = 50 THEN t.big ELSE t.small END) FROM people p JOIN (SELECT "
     "grade, MAX(grade * 1000) AS big, MAX(grade) AS small FROM loans GROUP BY grade) t ON "
     "p.district = t.grade",
     FM_E_REFUSED, "line 1, column 12: " WEIGHS},
    {"SELECT SUM(CASE WHEN grade = 5 THEN (SELECT MAX(grade * 1000) FROM loans) ELSE (SELECT "
     "MAX(grade) FROM loans) END) FROM loans",
     FM_E_REFUSED, "line 1, column 12: " WEIGHS},
    {"SELECT SUM(EXTRACT(MONTH FROM CASE WHEN grade = 5 THEN DATE '2000-02-01' ELSE DATE "
     "'2000-01-01' END)) FROM loans",
     FM_E_REFUSED, "line 1, column 31: " WEIGHS},
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
     "(CASE WHEN (grade = 5) THEN true ELSE false END AND ((balance * CASE WHEN (grade = 5) THEN 1 "
     "ELSE 0 END) <> 0.00))"},
    {"SELECT SUM(balance + CASE WHEN grade = 5 THEN balance ELSE 0 END) FROM loans", 1, 25, true,
     "CASE WHEN (grade = 5) THEN true ELSE false END"},
    {"SELECT SUM(CASE WHEN closed THEN CASE WHEN grade = 5 THEN balance ELSE 0 END END) FROM loans",
     1, 25, true,
     "CASE WHEN closed THEN CASE WHEN (grade = 5) THEN true ELSE false END ELSE false END"},
    {"SELECT COUNT(DISTINCT CASE WHEN grade = 5 THEN balance ELSE 0 END) FROM loans", 1, 25, true,
     "CASE WHEN (grade = 5) THEN true ELSE false END"},
    {"SELECT AVG(COALESCE(balance, 0)) FROM loans", 1, 25, true,
     "CASE WHEN (NOT (balance IS NULL)) THEN true ELSE false END"},
    /* Nor do factors that are 0 for all but a few. */
    {"SELECT SUM(balance * POSITION('rare' IN product)) FROM loans", 1, 25, true,
     "((position(product, 'rare') <> 0) AND ((balance * position(product, 'rare')) <> 0.00))"},
    {"SELECT SUM(balance * LENGTH(CASE WHEN grade = 5 THEN product ELSE '' END)) FROM loans", 1, 25,
     true,
     "((CASE WHEN (grade = 5) THEN true ELSE false END AND (length(CASE WHEN (grade = 5) THEN "
     "product ELSE '' END) <> 0)) AND ((balance * length(CASE WHEN (grade = 5) THEN product ELSE "
     "'' END)) <> 0.00))"},
    {"SELECT SUM(balance * (grade / 7)) FROM loans", 1, 25, true,
     "(((grade / 7) <> 0) AND ((balance * (grade / 7)) <> 0.00))"},
    {"SELECT SUM(balance * (grade - 3)) FROM loans", 1, 25, true,
     "((balance * (grade - 3)) <> 0.00)"},
    {"SELECT SUM(grade % 5) FROM loans", 1, 25, true, "((grade % 5) <> 0)"},
    {"SELECT SUM(ROUND(balance / 999999, 0) + 1) FROM loans", 1, 25, true,
     "(((balance / 999999) <> 0.00000000) AND (ROUND((balance / 999999), 0) <> 0))"},
    {"SELECT COUNT(DISTINCT UPPER(CASE WHEN grade = 5 THEN product ELSE 'x' END)) FROM loans", 1,
     25, true, "CASE WHEN (grade = 5) THEN true ELSE false END"},
    /* What is 0 is a constant however it is written, and what a subquery made is what it is made
     * of.
     */
    {"SELECT SUM(CASE WHEN grade = 5 THEN balance ELSE 0 + 0 END) FROM loans", 1, 25, true,
     "CASE WHEN (grade = 5) THEN true ELSE false END"},
    {"SELECT SUM(w) FROM (SELECT CASE WHEN grade = 5 THEN balance ELSE 0 END AS w FROM loans) t", 1,
     25, true, "CASE WHEN (grade = 5) THEN true ELSE false END"},
    {"SELECT SUM(v) FROM (SELECT w + 1 AS v FROM (SELECT grade % 3 AS w FROM loans) s) t", 1, 25,
     true, "((grade % 3) <> 0)"},
    /* Alternatives that are columns as they are, the same with either sign, or years. */
    {"SELECT SUM(ABS(grade - 3)) FROM loans", 1, 25, true, NULL},
    {"SELECT SUM(GREATEST(l.grade, p.age)) FROM loans l JOIN people p ON l.person = p.person", 2,
     25, true, NULL},
    {"SELECT SUM(CASE WHEN closed THEN grade WHEN grade > 3 THEN grade END) FROM loans", 1, 25,
     true, NULL},
    /* A factor that is never 0 hides nobody, nor does one that is the same for all. */
    {"SELECT SUM(grade * (1 + grade)) FROM loans", 1, 25, true, NULL},
    {"SELECT SUM(balance * 2 + 0 * balance) FROM loans", 1, 25, true, NULL},
    {"SELECT AVG(EXTRACT(YEAR FROM opened)) FROM loans", 1, 25, true, NULL},
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
    {"SELECT grade, RANK() OVER (ORDER BY SUM(balance)) FROM loans GROUP BY grade ORDER BY grade "
     "LIMIT 3",
     1, 25, true, NULL},
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

/* A column of 0 and 1 is summed as its rows of 1 are counted. */
static void test_flags(void **state)
{
    static const char catalog_text[] =
        "{\"datasets\":[{\"member\":\"bank_b\",\"name\":\"loans\",\"version\":1,\"rows\":2000,"
        "\"columns\":[{\"name\":\"person\",\"type\":\"INTEGER\"},"
        "{\"name\":\"flag\",\"type\":\"INTEGER\",\"range\":[0,1]}],"
        "\"subject\":{\"column\":\"person\",\"scheme\":\"cn.id\"},\"max_rows_per_subject\":5}]}";
    struct sql_catalog catalog;
    struct base_err err;
    json_t *json;

    (void)state;
    assert_int_equal(base_json_parse(&json, catalog_text, strlen(catalog_text), &err), FM_OK);
    assert_int_equal(sql_catalog_from_json(&catalog, json, &err), FM_OK);
    for (int64_t minimum = 1; minimum <= 5; minimum += 4) {
        struct sql_request r = fixture_request("SELECT SUM(1 + flag) FROM loans");
        struct base_buf text = {0};
        struct sql_plan plan;

        r.minimum = minimum;
        r.catalog = &catalog;
        fixture_compile(&plan, &r);
        if (plan.outputs[0].counted != SQL_NONE)
            sql_plan_print_expr(&text, &plan, plan.outputs[0].counted);
        assert_string_equal(base_buf_cstr(&text), minimum == 1 ? "" : "(flag <> 0)");
        base_buf_release(&text);
        sql_plan_release(&plan);
    }
    sql_catalog_release(&catalog);
    json_decref(json);
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

/* ---- members that do not declare the same subjects ---- */

#define MIXED_LOANS(member, subject)                                                          \
    "{\"member\":\"" member "\",\"name\":\"loans\",\"version\":1,\"rows\":2000,\"columns\":[" \
    "{\"name\":\"id\",\"type\":\"INTEGER\"},{\"name\":\"person\",\"type\":\"INTEGER\"},"      \
    "{\"name\":\"balance\",\"type\":\"INTEGER\",\"range\":[0,1000]}]" subject "}"
#define MIXED_BY(column) \
    ",\"subject\":{\"column\":\"" column "\",\"scheme\":\"cn.id\"},\"max_rows_per_subject\":5"
#define MIXED_KEY ",\"keys\":[{\"column\":\"id\",\"max_rows\":1}]"
#define MIXED_LOG                                                                      \
    "{\"member\":\"bank_a\",\"name\":\"log\",\"version\":1,\"rows\":100,\"columns\":[" \
    "{\"name\":\"loan\",\"type\":\"INTEGER\"}]}"

#define MIXED(a, b, c)                                                                  \
    "{\"datasets\":[" MIXED_LOG "," MIXED_LOANS("bank_a", a MIXED_KEY) "," MIXED_LOANS( \
        "bank_b", b MIXED_KEY) "," MIXED_LOANS("bank_c", c MIXED_KEY) "]}"

/* Subjects of bank_a, who receives, of bank_b and of bank_c; which column's values are counted, or
 * why there is no plan. loan of the log has no bound, so a person may be there many times. */
static const struct mixed {
    const char *catalog;
    const char *counted;
    const char *sentence;
} mixed[] = {
    {MIXED("", MIXED_BY("person"), MIXED_BY("person")), "person", NULL},
    {MIXED(MIXED_BY("id"), MIXED_BY("person"), MIXED_BY("person")), "person", NULL},
    {MIXED(MIXED_BY("person"), MIXED_BY("person"), ""), NULL,
     "line 1, column 46: minimum group 5: not all members declare the same subject column in "
     "'loans', so its subjects cannot be counted: name one member's, or let all publish it alike"},
    {MIXED(MIXED_BY("person"), "", MIXED_BY("person")), NULL,
     "line 1, column 46: minimum group 5: not all members declare the same subject column in "
     "'loans', so its subjects cannot be counted: name one member's, or let all publish it alike"},
    {MIXED(MIXED_BY("person"), MIXED_BY("person"), MIXED_BY("id")), NULL,
     "line 1, column 46: minimum group 5: not all members declare the same subject column in "
     "'loans', so its subjects cannot be counted: name one member's, or let all publish it alike"},
};

static struct sql_catalog mixed_catalog(const char *text)
{
    struct sql_catalog catalog;
    struct base_err err;
    json_t *json;

    if (base_json_parse(&json, text, strlen(text), &err) != FM_OK ||
        sql_catalog_from_json(&catalog, json, &err) != FM_OK)
        fail_msg("%s", err.text);
    json_decref(json);
    return catalog;
}

static void check_mixed(const struct mixed *m)
{
    struct sql_catalog catalog = mixed_catalog(m->catalog);
    struct sql_request r =
        fixture_request("SELECT SUM(l.balance) FROM bank_a.log g JOIN loans l ON g.loan = l.id");
    struct sql_plan plan;
    struct base_err err = {0};
    fm_status st;

    r.minimum = 5;
    r.catalog = &catalog;
    st = sql_plan_compile(&plan, &r, &err);
    if (m->sentence != NULL) {
        assert_int_equal(st, FM_E_REFUSED);
        assert_string_equal(err.text, m->sentence);
    } else {
        assert_string_equal(err.text, "");
        assert_int_equal(st, FM_OK);
        for (size_t i = 0; i < plan.rel_count; i++) {
            const struct sql_rel *rel = plan.rels[i];
            if (rel->kind != SQL_REL_GROUP)
                continue;
            assert_int_equal(rel->guard_count, 1);
            assert_int_equal(rel->guards[0].rows, 0);
            assert_string_equal(plan.columns[rel->guards[0].subject].name, m->counted);
        }
        sql_plan_release(&plan);
    }
    sql_catalog_release(&catalog);
}

static void test_mixed(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof mixed / sizeof mixed[0]; i++)
        check_mixed(&mixed[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bypasses), cmocka_unit_test(test_guards),
        cmocka_unit_test(test_flags),    cmocka_unit_test(test_minimum_one),
        cmocka_unit_test(test_mixed),
    };

    return cmocka_run_group_tests(tests, world_setup, fixture_teardown);
}
