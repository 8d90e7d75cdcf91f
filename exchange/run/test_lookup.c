/* A join of two tables of one member is made at home. Law: whoever owns the second table, the
 * answer, what is suppressed and what is noted are the same; only less is shared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/run/estimate.h"
#include "exchange/run/test_lookup.h"
#include "exchange/sql/physical/explain.h"

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

enum { LINE = 200 };

/* Rows in no order, and whether a value is there, NULL or suppressed. */
static void write_result(struct base_buf *out, const struct sql_result *r)
{
    char(*lines)[LINE] = calloc(r->row_count + 1, sizeof *lines);

    assert_non_null(lines);
    for (size_t row = 0; row < r->row_count; row++)
        for (size_t c = 0; c < r->column_count; c++) {
            const struct sql_result_cell *cell = &r->cells[row * r->column_count + c];
            size_t at = strlen(lines[row]);
            bool value = cell->state == SQL_CELL_VALUE;
            (void)snprintf(lines[row] + at, LINE - at, "%d:%s:%lld|", (int)cell->state,
                           value && cell->text != NULL ? cell->text : "",
                           value && cell->text == NULL ? (long long)cell->value : 0);
        }
    qsort(lines, r->row_count, sizeof *lines, by_text);
    for (size_t row = 0; row < r->row_count; row++)
        base_buf_putf(out, "%s\n", lines[row]);
    for (size_t i = 0; i < r->note_count; i++)
        base_buf_putf(out, "%s\n", r->notes[i]);
    free(lines);
}

/* ---- the law ---- */

static const struct {
    const char *text;
    int64_t minimum;
    size_t lookups, apart; /* where places and regions are bank_c's, it joins these two */
} laws[] = {
    {"SELECT l.person, l.amount, p.label, p.size FROM loans l JOIN places p ON l.place = p.code", 1,
     1, 0},
    {"SELECT l.person, p.region, r.title, r.size FROM loans l LEFT JOIN places p ON l.place = "
     "p.code LEFT JOIN regions r ON p.region = r.code AND r.size > l.amount",
     1, 2, 0},
    {"SELECT l.person, r.title FROM loans l JOIN (SELECT p.code, g.title FROM places p JOIN "
     "regions g ON p.region = g.code WHERE p.label <> g.title) r ON l.place = r.code",
     1, 2, 1},
    {"SELECT l.person, COALESCE(r.title, 'none') FROM loans l LEFT JOIN (SELECT p.code, g.title "
     "FROM places p JOIN regions g ON p.region = g.code) r ON l.place = r.code",
     1, 2, 1},
    {"SELECT person, amount FROM loans WHERE place IN (SELECT code FROM places WHERE size > 2) AND "
     "amount > 3",
     1, 1, 0},
    {"SELECT person, place FROM loans WHERE place NOT IN (SELECT region FROM places)", 1, 1, 0},
    {"SELECT person, place NOT IN (SELECT code FROM places WHERE size < 4) FROM loans", 1, 1, 0},
    {"SELECT person, amount FROM loans l WHERE NOT EXISTS (SELECT 1 FROM places p WHERE p.region = "
     "l.place AND p.size < l.amount)",
     1, 0, 0},
    {"SELECT person, (SELECT size FROM places p WHERE p.code = l.place) + amount FROM loans l", 1,
     1, 0},
    {"SELECT x.grade, p.label, COUNT(*), SUM(l.amount + p.size) FROM loans l JOIN risks x ON "
     "l.person = x.person JOIN places p ON l.place = p.code WHERE p.size + l.amount > 3 GROUP BY "
     "x.grade, p.label",
     1, 1, 0},
    {"SELECT x.grade, p.size, p.label FROM risks x JOIN places p ON x.region = p.code", 1, 0, 0},
    {"SELECT x.person, p.label, l.amount FROM risks x LEFT JOIN loans l ON x.grade = l.person AND "
     "l.amount > 5 LEFT JOIN places p ON l.place = p.code",
     1, 1, 0},
    {"SELECT COUNT(*), SUM(CASE WHEN p.label = l.note THEN l.amount END) FROM loans l JOIN places "
     "p ON l.place = p.code",
     1, 1, 0},
    /* what is made of rows that find none is NULL where nothing may be, and dropped */
    {"SELECT l.person, p.size * l.person FROM loans l JOIN places p ON l.place = p.code", 1, 1, 0},
    {"SELECT x.person, l.place NOT IN (SELECT region FROM places WHERE size > 80) FROM risks x "
     "LEFT JOIN loans l ON x.grade = l.person AND l.person > 2 AND l.amount > 12",
     1, 0, 0},
    {"SELECT x.person, p.size FROM risks x LEFT JOIN loans l ON x.grade = l.person JOIN places p "
     "ON l.place = p.code",
     1, 1, 0},
    /* several rows of a key: each makes a row */
    {"SELECT l.person, l.amount, p.code, p.size FROM loans l JOIN places p ON l.place = p.region",
     1, 1, 0},
    {"SELECT l.person, p.code, q.label, r.title FROM loans l LEFT JOIN places p ON l.place = "
     "p.region AND p.size > l.amount LEFT JOIN places q ON p.region = q.region AND q.size < 3 LEFT "
     "JOIN regions r ON q.region = r.code WHERE p.size IS NULL OR p.size > 1",
     1, 3, 1},
    {"SELECT x.grade, COUNT(*), SUM(p.size), SUM(l.amount) FROM loans l JOIN places p ON l.place = "
     "p.region JOIN risks x ON l.person = x.person WHERE p.size > 1 GROUP BY x.grade",
     2, 1, 0},
    {"SELECT r.title, COUNT(*), COUNT(p.code) FROM regions r LEFT JOIN places p ON r.code = "
     "p.region GROUP BY r.title",
     2, 1, 1},
    {"SELECT person, l.amount FROM loans l WHERE l.place IN (SELECT p.code FROM places p JOIN "
     "places q ON p.region = q.region WHERE p.size > q.size)",
     1, 1, 1},
    {"SELECT l.person, p.code FROM loans l JOIN places p ON l.place = p.region WHERE l.amount > "
     "(SELECT AVG(amount) FROM loans)",
     1, 1, 0},
    {"SELECT person, amount FROM loans WHERE person IN (SELECT l.person FROM loans l JOIN places p "
     "ON l.place = p.region)",
     1, 1, 0},
    /* what is no NULL without a match stays in shares */
    {"SELECT l.person, p.r FROM loans l LEFT JOIN (SELECT code, COALESCE(region, 3) AS r FROM "
     "places) p ON l.place = p.code",
     1, 0, 0},
    /* guarded: subjects of loans, and of regions, in the rows where they were found */
    {"SELECT p.region, COUNT(*), SUM(l.amount), COUNT(p.label) FROM loans l JOIN places p ON "
     "l.place = p.code GROUP BY p.region",
     2, 1, 0},
    {"SELECT l.note, COUNT(*), SUM(r.size), SUM(l.amount) FROM loans l JOIN places p ON l.place = "
     "p.code JOIN regions r ON p.region = r.code GROUP BY l.note",
     2, 2, 1},
    {"SELECT l.note, COUNT(*), SUM(r.size), SUM(l.amount) FROM loans l LEFT JOIN places p ON "
     "l.place = p.code LEFT JOIN regions r ON p.region = r.code GROUP BY l.note",
     2, 2, 1},
    {"SELECT x.grade, COUNT(*), SUM(r.size) FROM risks x LEFT JOIN loans l ON x.grade = l.person "
     "LEFT JOIN places p ON l.place = p.code LEFT JOIN regions r ON p.region = r.code GROUP BY "
     "x.grade",
     2, 2, 1},
    /* what a DISTINCT hides is not read again to count by */
    {"SELECT SUM(t.w) FROM regions p JOIN (SELECT DISTINCT CASE WHEN amount > 3 THEN place ELSE 0 "
     "END AS w FROM loans) t ON p.size = t.w",
     2, 0, 0},
};

static void answer(struct base_buf *out, const struct town *t, size_t law, size_t lookups)
{
    struct asked q;
    struct sql_result result = {0};
    struct base_err err;

    town_compile(&q, t, laws[law].text, laws[law].minimum);
    if (q.physical.plan->lookup_count != lookups)
        fail_msg("%zu local joins, not %zu: %s", q.physical.plan->lookup_count, lookups,
                 laws[law].text);
    if (town_run(&result, &q, t, &err) != FM_OK)
        fail_msg("%s\n%s", laws[law].text, err.text);
    write_result(out, &result);
    sql_result_release(&result);
    town_release(&q);
}

static void test_whoever_owns(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 25; seed++) {
        struct town here = {0}, there = {.apart = true};

        town_fill(&here, seed);
        town_fill(&there, seed);
        town_publish(&here);
        town_publish(&there);
        for (size_t i = 0; i < sizeof laws / sizeof laws[0]; i++) {
            struct base_buf one = {0}, other = {0};

            answer(&one, &here, i, laws[i].lookups);
            answer(&other, &there, i, laws[i].apart);
            if (strcmp(base_buf_cstr(&one), base_buf_cstr(&other)) != 0)
                fail_msg("seed %llu: %s\nat home:\n%s\nin shares:\n%s", (unsigned long long)seed,
                         laws[i].text, base_buf_cstr(&one), base_buf_cstr(&other));
            base_buf_release(&one);
            base_buf_release(&other);
        }
        sql_catalog_release(&here.catalog);
        sql_catalog_release(&there.catalog);
    }
}

/* ---- what it costs and shows ---- */

static void estimate(struct mpc_reckoned *out, const struct town *t, const char *text)
{
    static const unsigned zeros[TABLES * 4];
    struct sql_estimate e;
    struct base_err err;
    struct asked q;

    town_compile(&q, t, text, 1);
    if (sql_estimate(&e,
                     &(struct sql_estimate_config){.physical = &q.physical,
                                                   .parties = 3,
                                                   .compute = {0, 1, 2},
                                                   .sources = zeros,
                                                   .recipients = zeros},
                     &err) != FM_OK)
        fail_msg("%s\n%s", text, err.text);
    *out = e.all;
    sql_estimate_release(&e);
    town_release(&q);
}

/* An INNER join at home costs, to the byte, what a filter of the owner's own costs. */
static void test_cost(void **state)
{
    static const char joined[] = "SELECT note, COUNT(*) FROM loans l JOIN places p ON l.place = "
                                 "p.code AND p.size > 3 GROUP BY note";
    struct town here = {0}, there = {.apart = true};
    struct mpc_reckoned home, apart, filter;

    (void)state;
    town_publish(&here);
    town_publish(&there);
    estimate(&home, &here, joined);
    estimate(&apart, &there, joined);
    estimate(&filter, &here,
             "SELECT note, COUNT(*) FROM loans WHERE person * person > 3 GROUP BY note");
    assert_int_equal(home.rounds, filter.rounds);
    assert_int_equal(home.bytes, filter.bytes);
    assert_true(apart.rounds > home.rounds && apart.bytes > home.bytes);
    sql_catalog_release(&here.catalog);
    sql_catalog_release(&there.catalog);
}

static const char *shown(const json_t *operators, size_t i, const char *name)
{
    const char *text = json_string_value(json_object_get(json_array_get(operators, i), name));

    return text != NULL ? text : "";
}

/* Nothing of places is put in, and the logical plan stays what it was. */
static void test_shown(void **state)
{
    static const char text[] =
        "SELECT l.note, SUM(p.size) FROM loans l JOIN places p ON l.place = p.code GROUP BY l.note";
    struct town t = {0};
    struct asked q;
    struct base_err err;
    uint8_t before[32], after[32];
    json_t *json;
    const json_t *operators;

    (void)state;
    town_publish(&t);
    town_compile(&q, &t, text, 1);
    sql_physical_release(&q.physical);
    assert_int_equal(sql_plan_hash(before, &q.plan, &err), FM_OK);
    assert_int_equal(sql_physical_make(&q.physical, &q.plan, &err), FM_OK);
    assert_int_equal(sql_plan_hash(after, &q.plan, &err), FM_OK);
    assert_memory_equal(before, after, 32);
    for (size_t i = 0; i < q.physical.step_count; i++)
        if (sql_step_is_source_input(&q.physical.steps[i]))
            assert_int_equal(sql_step_table(q.physical.plan, &q.physical.steps[i]), 0);
    assert_int_equal(sql_explain_json(&json, &q.plan, &err), FM_OK);
    operators = json_object_get(json, "operators");
    assert_string_equal(shown(operators, 0, "operator"), "scan");
    assert_string_equal(shown(operators, 0, "local"), "");
    assert_string_equal(shown(operators, 1, "operator"), "scan");
    assert_string_equal(shown(operators, 1, "local"), "bank_b");
    assert_string_equal(shown(operators, 2, "operator"), "local join");
    assert_string_equal(shown(operators, 2, "local"), "bank_b");
    assert_int_equal(json_array_size(json_object_get(json, "flags")), 0);
    json_decref(json);
    town_release(&q);
    town_compile(&q, &t,
                 "SELECT COUNT(*) FROM loans WHERE amount > (SELECT AVG(amount) FROM loans)", 1);
    assert_int_equal(sql_explain_json(&json, &q.plan, &err), FM_OK);
    operators = json_object_get(json, "operators");
    assert_null(json_object_get(json_array_get(operators, 0), "shared_with"));
    assert_int_equal(
        json_integer_value(json_object_get(json_array_get(operators, 1), "shared_with")), 1);
    json_decref(json);
    town_release(&q);
    sql_catalog_release(&t.catalog);
}

/* What a dataset declares of its keys and is not true: nothing is shared. */
static void test_broken(void **state)
{
    static const char *const queries[] = {
        "SELECT l.person, p.size FROM loans l JOIN places p ON l.place = p.code",
        "SELECT l.person, p.size FROM loans l LEFT JOIN places p ON l.place = p.code",
        "SELECT person, (SELECT size FROM places p WHERE p.code = l.place) FROM loans l",
        "SELECT person FROM loans WHERE place IN (SELECT code FROM places)"};
    struct town t = {0};

    (void)state;
    town_fill(&t, 7);
    town_publish(&t);
    t.rows[PLACES].cells[1][0] = t.rows[PLACES].cells[4][0] = town_number(5);
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; i++) {
        struct sql_result result = {0};
        struct base_err err;
        struct asked q;

        town_compile(&q, &t, queries[i], 1);
        assert_int_equal(town_run(&result, &q, &t, &err), i < 3 ? FM_E_INPUT : FM_OK);
        if (i < 3)
            assert_string_equal(err.text,
                                "query input: bank_b.places: 2 rows have the same key, which its "
                                "schema rules out: check \"keys\" and publish it again");
        sql_result_release(&result);
        town_release(&q);
    }
    /* NULL is no value, and of those there may be many */
    t.rows[PLACES].cells[1][0] = t.rows[PLACES].cells[4][0] = (struct sql_cell){.null = true};
    {
        struct sql_result result = {0};
        struct base_err err;
        struct asked q;

        town_compile(&q, &t, queries[0], 1);
        assert_int_equal(town_run(&result, &q, &t, &err), FM_OK);
        sql_result_release(&result);
        t.rows[PLACES].cells[2][2] = town_number(91);
        assert_int_equal(town_run(&result, &q, &t, &err), FM_E_INPUT);
        assert_string_equal(err.text, "query input: bank_b.places: row 3, column 'size' is outside "
                                      "its declared range");
        sql_result_release(&result);
        town_release(&q);
    }
    sql_catalog_release(&t.catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_whoever_owns),
                                       cmocka_unit_test(test_cost), cmocka_unit_test(test_shown),
                                       cmocka_unit_test(test_broken)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
