/* Mutated SQL: whatever comes in, a plan or one line of error comes out. Meant for the sanitizer
 * build; the seed is printed, and the text of a crash is the last one that FIRMIANA_FUZZ_SHOW=1
 * prints. */
#include "exchange/sql/bind/test_fixture.h"

#include <stdio.h>
#include <stdlib.h>

#include "exchange/sql/physical/physical.h"
#include "exchange/sql/plan/uses.h"

static uint64_t rng_state;

static uint32_t rng(uint32_t below)
{
    rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(rng_state >> 33) % below;
}

static const char *const corpus[] = {
    "SELECT COUNT(*), SUM(balance * 2.5) AS s, AVG(-balance) FROM loans l WHERE l.overdue_days "
    "BETWEEN $1 AND 90 AND (product IN ('a', 'b') OR closed IS NOT TRUE)",
    "SELECT MIN(CASE overdue_days WHEN 1 THEN balance WHEN 2 THEN 5 ELSE NULL END) FROM "
    "bank_a.loans WHERE NOT (opened >= DATE '2020-01-01' AND closed)",
    "SELECT MAX(COALESCE(NULLIF(overdue_days, 0), wide, 7)) FROM bank_c.loans WHERE balance <> "
    "1.50 OR product IS NULL",
    "SELECT overdue_days, COUNT(DISTINCT product) AS n, SUM(balance) FILTER (WHERE closed) FROM "
    "loans GROUP BY 1 HAVING COUNT(*) > $1 ORDER BY n DESC, 1 LIMIT 3 OFFSET 1",
    "WITH x AS (SELECT subject_id AS s, SUM(balance) AS b FROM loans GROUP BY subject_id) SELECT "
    "COUNT(*), AVG(l.balance / 3) FROM loans l LEFT JOIN x ON l.subject_id = x.s AND x.b > 5 WHERE "
    "l.overdue_days NOT IN (SELECT overdue_days FROM bank_a.loans) OR EXISTS (SELECT 1 FROM loans "
    "m "
    "WHERE m.subject_id = l.subject_id AND m.closed)",
    "SELECT closed, RANK() OVER (PARTITION BY closed ORDER BY balance DESC NULLS LAST) FROM "
    "bank_a.loans WHERE balance > (SELECT AVG(balance) FROM loans) UNION ALL SELECT closed, "
    "EXTRACT(YEAR FROM opened) FROM loans WHERE opened < DATE '2020-01-31' + INTERVAL '1 month'",
};

static const char *const pieces[] = {"SELECT ",
                                     "GROUP BY ",
                                     "ORDER BY ",
                                     "JOIN loans ON ",
                                     "USING (closed)",
                                     "IN (SELECT ",
                                     "EXISTS (SELECT ",
                                     "OVER (",
                                     "UNION ",
                                     "DISTINCT ",
                                     "/",
                                     "SUM(",
                                     "GREATEST(",
                                     "CAST(",
                                     "EXTRACT(YEAR FROM ",
                                     "x.",
                                     "FROM ",
                                     "WHERE ",
                                     "loans",
                                     "balance",
                                     "overdue_days",
                                     "product",
                                     "closed",
                                     "opened",
                                     "wide",
                                     "(",
                                     ")",
                                     "*",
                                     "+",
                                     "-",
                                     ",",
                                     "=",
                                     "<>",
                                     "<",
                                     ">=",
                                     "'a'",
                                     "''",
                                     "1",
                                     "0.5",
                                     "9223372036854775807",
                                     "-9223372036854775808",
                                     "1e18",
                                     "NULL",
                                     "TRUE",
                                     "$1",
                                     "$2",
                                     "$64",
                                     "CASE WHEN ",
                                     " THEN ",
                                     " ELSE ",
                                     " END",
                                     "AND ",
                                     "OR ",
                                     "NOT ",
                                     "BETWEEN ",
                                     "IN (",
                                     "IS NULL",
                                     "COALESCE(",
                                     "NULLIF(",
                                     "SUM(",
                                     "COUNT(",
                                     "MIN(",
                                     "AVG(",
                                     "DATE '2024-02-29'",
                                     "GROUP BY ",
                                     "ORDER BY ",
                                     "LIMIT 1",
                                     "WITH ",
                                     "UNION ",
                                     "::int",
                                     "[1]",
                                     "\"",
                                     "é",
                                     ";",
                                     "--",
                                     "/*",
                                     "bank_a.",
                                     "EXISTS (",
                                     "ARRAY[",
                                     "ROW(",
                                     "OVER ()",
                                     "FILTER (WHERE ",
                                     "DISTINCT "};

static size_t splice(char *text, size_t len, size_t cap)
{
    const char *piece = pieces[rng(sizeof pieces / sizeof pieces[0])];
    size_t n = strlen(piece), at = rng((uint32_t)len + 1);

    if (len + n >= cap)
        return len;
    memmove(text + at + n, text + at, len - at);
    memcpy(text + at, piece, n);
    return len + n;
}

static size_t cut(char *text, size_t len)
{
    size_t at, n;

    if (len == 0)
        return 0;
    at = rng((uint32_t)len);
    n = 1 + rng(len - at > 12 ? 12 : (uint32_t)(len - at));
    memmove(text + at, text + at + n, len - at - n);
    return len - n;
}

static size_t mutate(char *text, size_t len, size_t cap)
{
    switch (rng(4)) {
    case 0:
        if (len > 0)
            text[rng((uint32_t)len)] = (char)rng(256);
        return len;
    case 1:
        return cut(text, len);
    default:
        return splice(text, len, cap);
    }
}

static void compile_anything(const char *text, size_t len)
{
    struct sql_request r = fixture_request("");
    struct sql_plan plan;
    struct sql_uses uses;
    struct sql_physical physical;
    struct base_err err = {0};
    struct base_buf shown = {0};
    uint8_t hash[32];

    r.text = text;
    r.len = len;
    r.minimum = 2;
    if (sql_plan_compile(&plan, &r, &err) != FM_OK) {
        assert_true(err.text[0] != '\0');
        return;
    }
    assert_int_equal(sql_plan_hash(hash, &plan, &err), FM_OK);
    assert_int_equal(sql_uses_derive(&uses, &plan, &err), FM_OK);
    for (size_t i = 0; i < plan.column_count; i++)
        assert_true(uses.columns[i] != 0 || plan.minimum > 1);
    sql_plan_print(&shown, &plan);
    sql_uses_print(&shown, &uses);
    if (plan.simple) {
        assert_int_equal(sql_physical_make(&physical, &plan, &err), FM_OK);
        sql_physical_print(&shown, &physical);
        sql_physical_release(&physical);
    }
    base_buf_release(&shown);
    sql_uses_release(&uses);
    sql_plan_release(&plan);
}

static void test_mutations(void **state)
{
    const char *rounds = getenv("FIRMIANA_FUZZ_ROUNDS"), *seed = getenv("FIRMIANA_FUZZ_SEED");
    long n = rounds != NULL ? atol(rounds) : 6000;
    char text[2048];

    (void)state;
    rng_state = seed != NULL ? strtoull(seed, NULL, 10) : 20261120;
    print_message("seed %llu\n", (unsigned long long)rng_state);
    for (long i = 0; i < n; i++) {
        const char *start = corpus[rng(sizeof corpus / sizeof corpus[0])];
        size_t len = strlen(start);

        memcpy(text, start, len);
        for (uint32_t k = 1 + rng(4); k > 0; k--)
            len = mutate(text, len, sizeof text);
        if (getenv("FIRMIANA_FUZZ_SHOW") != NULL)
            (void)fprintf(stderr, "%.*s\n", (int)len, text);
        compile_anything(text, len);
    }
}

/* Texts built to nest: refused at the bound, not a stack overflow. */
static void nest(const char *open, const char *core, const char *close, size_t depth)
{
    struct base_buf text = {0};

    base_buf_put_str(&text, "SELECT MAX(");
    for (size_t i = 0; i < depth; i++)
        base_buf_put_str(&text, open);
    base_buf_put_str(&text, core);
    for (size_t i = 0; i < depth; i++)
        base_buf_put_str(&text, close);
    base_buf_put_str(&text, ") FROM loans");
    compile_anything((const char *)text.p, text.len);
    base_buf_release(&text);
}

static void test_nesting(void **state)
{
    static const size_t depths[] = {1, 60, 240, 249, 250, 251, 260, 1990, 2100, 8000};

    (void)state;
    for (size_t i = 0; i < sizeof depths / sizeof depths[0]; i++) {
        nest("(", "overdue_days", ")", depths[i]);
        nest("-(", "overdue_days", ")", depths[i]);
        nest("", "overdue_days", "+1", depths[i]);
        nest("1+(", "overdue_days", ")", depths[i]);
        nest("", "overdue_days", " IS NULL", depths[i]);
        nest("CASE WHEN closed THEN ", "overdue_days", " END", depths[i]);
        nest("CASE ", "overdue_days", " WHEN 1 THEN 2 WHEN 3 THEN 4 END", depths[i]);
        nest("NULLIF(", "overdue_days", ",0)", depths[i]);
        nest("COALESCE(", "overdue_days", ",0)", depths[i]);
        nest("", "overdue_days", "::int", depths[i]);
        nest("(SELECT ", "overdue_days", ")", depths[i]);
        nest("", "1) FROM loans UNION SELECT COUNT(1", "", depths[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_nesting),
    };

    return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
