/* The whole language: what texts become, operator by operator, and what is refused. */
#include "exchange/sql/bind/test_world.h"

#include "exchange/sql/plan/uses.h"

static const struct {
    const char *text;
    const char *operators; /* as they are printed */
} plans[] = {
    {"SELECT SUM(balance) + 1 AS s FROM loans WHERE closed AND grade > 5",
     "1    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "2    filter   (closed AND (grade > 5))  [3000 rows]\n"
     "3    group    sum#1 = sum(balance)  [1 row]\n"
     "4    project  s#2 = (sum#1 + 1.00)  [1 row]\n"},
    {"SELECT grade, COUNT(*), SUM(balance) AS total FROM loans WHERE NOT closed GROUP BY grade "
     "HAVING COUNT(*) > 5 ORDER BY total DESC, grade LIMIT 3",
     "1    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "2    filter   (NOT closed)  [3000 rows]\n"
     "3    group    by grade (7 possible keys): count#1 = count(*), sum#2 = sum(balance)  [7 "
     "rows]\n"
     "4    filter   (count#1 > 5)  [7 rows]\n"
     "5    sort     by sum#2 DESC, grade NULLS FIRST  [7 rows]\n"
     "6    limit    3, offset 0  [3 rows]\n"},
    {"SELECT p.age, AVG(l.balance) FROM loans l JOIN people p ON l.person = p.person WHERE p.age > "
     "30 AND l.grade < 3 GROUP BY p.age ORDER BY 1",
     "1    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "2    filter   (loans.grade < 3)  [3000 rows]\n"
     "3    scan     bank_c.people  [5000 rows]\n"
     "4    filter   (people.age > 30)  [5000 rows]\n"
     "5    join     inner, 2 with 4 ON loans.person = people.person; at most 1 of 4 for a key  "
     "[3000 rows]\n"
     "6    group    by people.age: avg#1 = avg(loans.balance)  [83 rows]\n"
     "7    sort     by people.age NULLS FIRST  [83 rows]\n"},
    {"SELECT d.region, SUM(l.balance) FROM loans l, people p, districts d WHERE l.person = "
     "p.person AND p.district = d.district AND d.region < 5 GROUP BY d.region",
     "1    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "2    scan     bank_c.people  [5000 rows]\n"
     "3    join     inner, 1 with 2 ON loans.person = people.person; at most 1 of 2 for a key  "
     "[3000 rows]\n"
     "4    scan     bank_c.districts  [80 rows]\n"
     "5    filter   (districts.region < 5)  [80 rows]\n"
     "6    join     inner, 3 with 5 ON people.district = districts.district; at most 1 of 5 for a "
     "key  [3000 rows]\n"
     "7    group    by districts.region (8 possible keys): sum#1 = sum(loans.balance)  [8 rows]\n"},
    {"SELECT p.district, COUNT(l.id) FROM people p LEFT JOIN bank_a.loans l ON l.person = p.person "
     "AND l.closed AND p.age > 3 GROUP BY p.district",
     "1    scan     bank_c.people  [5000 rows]\n"
     "2    scan     bank_a.loans (recipient)  [1000 rows]\n"
     "3    filter   loans.closed  [1000 rows]\n"
     "4    join     left, 1 with 3 ON people.person = loans.person AND (people.age > 3); at most 5 "
     "of 3 for a key  [25000 rows]\n"
     "5    group    by people.district: count#1 = count(loans.id)  [80 rows]\n"},
    {"SELECT COUNT(*) FROM people RIGHT JOIN loans USING (person) WHERE age IS NULL",
     "1    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "2    scan     bank_c.people  [5000 rows]\n"
     "3    join     left, 1 with 2 ON loans.person = people.person; at most 1 of 2 for a key  "
     "[3000 rows]\n"
     "4    filter   (people.age IS NULL)  [3000 rows]\n"
     "5    group    count#1 = count(*)  [1 row]\n"},
    {"SELECT COUNT(*) FROM loans WHERE person IN (SELECT person FROM people WHERE age < 30)",
     "1    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "2    scan     bank_c.people  [5000 rows]\n"
     "3    filter   (people.age < 30)  [5000 rows]\n"
     "4    join     mark, 1 with 3 ON loans.person = people.person; at most 1 of 3 for a key  "
     "[3000 rows]\n"
     "5    filter   match#1  [3000 rows]\n"
     "6    group    count#2 = count(*)  [1 row]\n"},
    {"SELECT COUNT(*) FROM loans l WHERE NOT EXISTS (SELECT 1 FROM people p WHERE p.person = "
     "l.person AND p.age > 50)",
     "1    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "2    scan     bank_c.people  [5000 rows]\n"
     "3    filter   (people.age > 50)  [5000 rows]\n"
     "4    join     mark, 1 with 3 ON loans.person = people.person; at most 1 of 3 for a key  "
     "[3000 rows]\n"
     "5    filter   (NOT match#1)  [3000 rows]\n"
     "6    group    count#2 = count(*)  [1 row]\n"},
    {"SELECT COUNT(*) FROM loans WHERE balance > (SELECT AVG(balance) FROM loans)",
     "1    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "2    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "3    group    avg#1 = avg(loans.balance)  [1 row]\n"
     "4    join     single, 1 with 3; at most 1 of 3 for a key  [3000 rows]\n"
     "5    filter   (loans.balance > avg#1)  [3000 rows]\n"
     "6    group    count#2 = count(*)  [1 row]\n"},
    {"SELECT COUNT(*) FROM loans l WHERE balance > (SELECT AVG(m.balance) FROM loans m WHERE "
     "m.grade = l.grade)",
     "1    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "2    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "3    group    by loans.grade (7 possible keys): avg#1 = avg(loans.balance)  [7 rows]\n"
     "4    join     single, 1 with 3 ON loans.grade = loans.grade; at most 1 of 3 for a key  [3000 "
     "rows]\n"
     "5    filter   (loans.balance > avg#1)  [3000 rows]\n"
     "6    group    count#2 = count(*)  [1 row]\n"},
    {"WITH big AS (SELECT person, SUM(balance) AS s FROM loans GROUP BY person) SELECT COUNT(*) "
     "FROM big WHERE s > 1000",
     "1    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "2    group    by person: sum#1 = sum(balance)  [3000 rows]\n"
     "3    filter   (sum#1 > 1000.00)  [3000 rows]\n"
     "4    group    count#2 = count(*)  [1 row]\n"},
    {"SELECT grade FROM loans UNION SELECT age FROM people ORDER BY 1",
     "1    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "2    scan     bank_c.people  [5000 rows]\n"
     "3    union    1 and 2  [8000 rows]\n"
     "4    group    by grade#1  [100 rows]\n"
     "5    sort     by grade#1 NULLS FIRST  [100 rows]\n"},
    {"SELECT grade, balance FROM loans UNION ALL SELECT age, 7 FROM people",
     "1    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "2    scan     bank_c.people  [5000 rows]\n"
     "3    project  column2#1 = 7  [5000 rows]\n"
     "4    project  balance#2 = column2#1  [5000 rows]\n"
     "5    union    1 and 4  [8000 rows]\n"},
    {"SELECT DISTINCT product FROM loans",
     "1    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "2    group    by product  [3000 rows]\n"},
    {"SELECT id, ROW_NUMBER() OVER (PARTITION BY grade ORDER BY balance DESC) AS r FROM loans",
     "1    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "2    window   row_number#1 = row_number() over (by grade in order of balance DESC)  [3000 "
     "rows]\n"},
    {"SELECT EXTRACT(QUARTER FROM opened) AS q, COUNT(*) FILTER (WHERE closed) FROM loans WHERE "
     "opened < DATE '2015-02-01' GROUP BY q",
     "1    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "2    filter   (opened < DATE '2015-02-01')  [3000 rows]\n"
     "3    project  key#1 = CASE WHEN (opened >= DATE '2024-10-01') THEN 4 WHEN (opened >= DATE "
     "'2024-07-01') THEN 3 WHEN (opened >= DATE '2024-04-01') THEN 2 WHEN (opened >= DATE "
     "'2024-01-01') THEN 1 WHEN (opened >= DATE '2023-10-01') THEN 4 WHEN (opened >= DATE "
     "'2023-07-01') THEN 3 WHEN (opened >= DATE '2023-04-01') THEN 2 WHEN (opened >= DATE "
     "'2023-01-01') THEN 1 WHEN (opened >= DATE '2022-10-01') THEN 4 WHEN (opened >= DATE "
     "'2022-07-01') THEN  WHEN  THEN  WHEN  THEN  WHEN  THEN  WHEN  THEN  WHEN  THEN  WHEN  THEN  "
     "WHEN  THEN  WHEN  THEN  WHEN  THEN  WHEN  THEN  WHEN  THEN  WHEN  THEN  WHEN  THEN  WHEN  "
     "THEN  WHEN  THEN  WHEN  THEN  WHEN  THEN  WHEN  THEN  WHEN  THEN  WHEN  THEN  WHEN  THEN  "
     "WHEN  THEN  WHEN  THEN  WHEN  THEN  WHEN  THEN  WHEN  THEN  WHEN  THEN  WHEN  THEN  WHEN  "
     "THEN  ELSE  END...  [3000 rows]\n"
     "4    group    by key#1 (4 possible keys): count#2 = count(CASE WHEN closed THEN 1 ELSE NULL "
     "END)  [4 rows]\n"},
    {"SELECT BOOL_OR(closed), COUNT(DISTINCT product) FROM loans",
     "1    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "2    group    max#1 = max(CASE WHEN closed THEN 1 WHEN (NOT closed) THEN 0 ELSE NULL END), "
     "count#2 = count(DISTINCT product)  [1 row]\n"
     "3    project  bool_or#3 = (max#1 = 1)  [1 row]\n"},
    {"SELECT id / 3, CAST(balance AS INTEGER), opened + 30 FROM bank_a.loans ORDER BY id LIMIT 5 "
     "OFFSET 2",
     "1    scan     bank_a.loans (recipient)  [1000 rows]\n"
     "2    project  column1#1 = (id / 3), column2#2 = ROUND(balance, 0), column3#3 = (opened + 30) "
     " [1000 rows]\n"
     "3    sort     by id NULLS FIRST  [1000 rows]\n"
     "4    limit    5, offset 2  [5 rows]\n"},
    {"SELECT COUNT(*) FROM loans a JOIN people b ON a.person = b.person JOIN districts c ON "
     "b.district = c.district AND c.region > b.age",
     "1    scan     bank_a.loans (recipient), bank_b.loans  [3000 rows]\n"
     "2    scan     bank_c.people  [5000 rows]\n"
     "3    join     inner, 1 with 2 ON loans.person = people.person; at most 1 of 2 for a key  "
     "[3000 rows]\n"
     "4    scan     bank_c.districts  [80 rows]\n"
     "5    join     inner, 3 with 4 ON people.district = districts.district; at most 1 of 4 for a "
     "key  [3000 rows]\n"
     "6    filter   (districts.region > people.age)  [3000 rows]\n"
     "7    group    count#1 = count(*)  [1 row]\n"},
};

static void test_plans(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        struct sql_request r = fixture_request(plans[i].text);
        struct sql_plan plan;
        struct base_buf text = {0};
        const char *first, *end;

        fixture_compile(&plan, &r);
        sql_plan_print(&text, &plan);
        first = strstr(base_buf_cstr(&text), "\n1    ") + 1;
        end = strstr(first, "\noutput ") + 1;
        if (strlen(plans[i].operators) != (size_t)(end - first) ||
            memcmp(first, plans[i].operators, (size_t)(end - first)) != 0)
            fail_msg("of: %s\ngot:\n%.*swant:\n%s", r.text, (int)(end - first), first,
                     plans[i].operators);
        base_buf_release(&text);
        sql_plan_release(&plan);
    }
}

static const struct world_refusal refusals[] = {
    {"SELECT COUNT(*) FROM loans a JOIN people b ON a.grade = b.district", FM_E_UNSUPPORTED,
     "line 1, column 35: JOIN on 'grade' and 'district': neither side declares how many rows one "
     "key may have: publish one with \"keys\", or group it by the key first"},
    {"SELECT COUNT(*) FROM loans l LEFT JOIN people p ON l.grade = p.district", FM_E_UNSUPPORTED,
     "line 1, column 40: LEFT or RIGHT JOIN where 'district' of the side that may be missing has "
     "no declared number of rows per key: publish it with \"keys\", or group that side by the key "
     "first"},
    {"SELECT COUNT(*) FROM loans, people", FM_E_UNSUPPORTED,
     "line 1, column 29: nothing joins this table with those before it: write ON a.x = b.x, "
     "equality of columns, joined by AND"},
    {"SELECT COUNT(*) FROM loans JOIN people ON loans.person < people.person", FM_E_UNSUPPORTED,
     "line 1, column 33: nothing joins this table with those before it: write ON a.x = b.x, "
     "equality of columns, joined by AND"},
    {"SELECT COUNT(*) FROM loans JOIN people ON loans.opened = people.person", FM_E_INPUT,
     "line 1, column 56: DATE cannot be compared with INTEGER: write both sides in one type"},
    {"SELECT person FROM loans JOIN people ON loans.person = people.person", FM_E_INPUT,
     "line 1, column 8: column 'person' is in loans and in people: write loans.person or "
     "people.person"},
    {"SELECT COUNT(*) FROM loans NATURAL JOIN people", FM_E_UNSUPPORTED,
     "line 1, column 41: NATURAL JOIN and names for joins are not offered: write USING (column) or "
     "ON a.x = b.x"},
    {"SELECT COUNT(*) FROM loans FULL JOIN people USING (person)", FM_E_UNSUPPORTED,
     "line 1, column 38: FULL JOIN is not offered: write a LEFT JOIN UNION ALL the rows that only "
     "the other side has"},
    {"SELECT COUNT(*) FROM loans JOIN people USING (persn)", FM_E_NOT_FOUND,
     "line 1, column 33: unknown column 'persn' of loans: did you mean person?"},
    {"SELECT COUNT(*) FROM loans JOIN loans USING (id)", FM_E_INPUT,
     "line 1, column 33: two tables are called loans: give one another name, as in FROM loans x"},
    {"SELECT x.age FROM loans l JOIN people p ON l.person = p.person", FM_E_NOT_FOUND,
     "line 1, column 8: unknown table 'x' before a column"},
    {"SELECT p.agee FROM loans l JOIN people p ON l.person = p.person", FM_E_NOT_FOUND,
     "line 1, column 8: unknown column 'agee' of people: did you mean age?"},
    {"SELECT balance, COUNT(*) FROM loans GROUP BY grade", FM_E_INPUT,
     "line 1, column 8: column 'balance' is not in GROUP BY: add it there, or put it into an "
     "aggregate, as in MAX(balance)"},
    {"SELECT balance, COUNT(*) FROM loans", FM_E_INPUT,
     "line 1, column 8: column 'balance' beside aggregates: put it into an aggregate, or GROUP BY "
     "it"},
    {"SELECT *, COUNT(*) FROM loans GROUP BY grade", FM_E_INPUT,
     "line 1, column 8: * beside GROUP BY or aggregates: name the columns of GROUP BY"},
    {"SELECT grade FROM loans GROUP BY grade HAVING balance > 5", FM_E_INPUT,
     "line 1, column 47: column 'balance' is not in GROUP BY: add it there, or put it into an "
     "aggregate, as in MAX(balance)"},
    {"SELECT grade FROM loans GROUP BY SUM(balance)", FM_E_UNSUPPORTED,
     "line 1, column 34: sum inside GROUP BY: aggregates stand in the SELECT list, HAVING and "
     "ORDER BY"},
    {"SELECT SUM(COUNT(*)) FROM loans", FM_E_UNSUPPORTED,
     "line 1, column 12: count inside another aggregate: aggregates stand in the SELECT list, "
     "HAVING and ORDER BY"},
    {"SELECT balance FROM loans LIMIT 5", FM_E_UNSUPPORTED,
     "line 1, column 33: LIMIT without ORDER BY: rows have no order of their own, say which come "
     "first"},
    {"SELECT balance FROM loans ORDER BY balance LIMIT $1", FM_E_UNSUPPORTED,
     "line 1, column 50: LIMIT takes a number written out: it decides how much is computed"},
    {"SELECT balance, id AS balance FROM loans ORDER BY balance", FM_E_INPUT,
     "line 1, column 51: ORDER BY balance: two columns of the result have this name: give one "
     "another alias, or write its number"},
    {"SELECT balance FROM loans ORDER BY 3", FM_E_INPUT,
     "line 1, column 36: ORDER BY 3: the SELECT list has 1 columns"},
    {"SELECT DISTINCT grade FROM loans ORDER BY balance", FM_E_INPUT,
     "line 1, column 43: ORDER BY beside DISTINCT takes columns of the SELECT list"},
    {"SELECT DISTINCT ON (grade) balance FROM loans", FM_E_UNSUPPORTED,
     "line 1, column 1: DISTINCT ON is not offered: write GROUP BY, or plain DISTINCT"},
    {"SELECT grade FROM loans UNION SELECT age, district FROM people", FM_E_INPUT,
     "line 1, column 19: UNION of 1 and 2 columns: select as many on both sides"},
    {"SELECT grade FROM loans UNION SELECT product FROM loans", FM_E_INPUT,
     "UNION, column 1: line 1, column 1: INTEGER cannot be compared with TEXT(12): write both "
     "sides in one type"},
    {"SELECT grade FROM loans EXCEPT ALL SELECT age FROM people", FM_E_UNSUPPORTED,
     "line 1, column 1: INTERSECT ALL and EXCEPT ALL are not offered: leave ALL out"},
    {"SELECT grade FROM loans EXCEPT SELECT product FROM loans", FM_E_INPUT,
     "EXCEPT, column 1: line 1, column 1: INTEGER cannot be compared with TEXT(12): write both "
     "sides in one type"},
    {"SELECT x.a FROM (SELECT grade FROM loans) AS x (a, b)", FM_E_INPUT,
     "line 1, column 8: 2 names for 1 columns: give each column one"},
    {"SELECT COUNT(*) FROM loans AS x (a)", FM_E_UNSUPPORTED,
     "line 1, column 22: new names for the columns of a dataset are not offered: leave the list "
     "out, or write (SELECT x AS y ... FROM loans) AS x"},
    {"SELECT COUNT(*) FROM loans WHERE NOT grade < ANY (SELECT region FROM districts)",
     FM_E_UNSUPPORTED, "line 1, column 44: ANY and ALL stand in WHERE, joined by AND"},
    {"SELECT grade FROM loans UNION SELECT age FROM people ORDER BY age", FM_E_INPUT,
     "line 1, column 63: ORDER BY of a UNION takes names or numbers of its columns"},
    {"SELECT COUNT(*) FROM loans WHERE grade IN (SELECT age, district FROM people)", FM_E_INPUT,
     "line 1, column 40: this subquery gives 2 columns: select one"},
    {"SELECT COUNT(*) FROM loans WHERE grade > ALL (SELECT age FROM people)", FM_E_UNSUPPORTED,
     "line 1, column 40: 3000 rows with each of 5000 are more than 131072 pairs: compare with "
     "(SELECT MIN(...) ...) or MAX instead"},
    {"SELECT COUNT(*) FROM loans WHERE EXISTS (SELECT 1 FROM people)", FM_E_UNSUPPORTED,
     "line 1, column 34: EXISTS without inner = outer in its WHERE: compare (SELECT COUNT(*) ...) "
     "> 0 instead"},
    {"SELECT COUNT(*) FROM loans l WHERE EXISTS (SELECT 1 FROM people p WHERE p.age > l.person)",
     FM_E_UNSUPPORTED,
     "line 1, column 79: nothing joins this table with those before it: write ON a.x = b.x, "
     "equality of columns, joined by AND"},
    {"SELECT COUNT(*) FROM loans l WHERE 2 < (SELECT COUNT(*) + 1 FROM people p WHERE p.person = "
     "l.person)",
     FM_E_UNSUPPORTED,
     "line 1, column 40: COUNT in a subquery with inner = outer: LEFT JOIN a grouped subquery and "
     "write COALESCE(n, 0)"},
    {"SELECT COUNT(*) FROM loans l WHERE EXISTS (SELECT 1 FROM people p WHERE p.age > l.balance OR "
     "l.balance IS NULL)",
     FM_E_UNSUPPORTED,
     "line 1, column 81: 'balance' of the query around this one: offered only as inner = outer in "
     "its WHERE, joined by AND"},
    {"SELECT COUNT(*) FROM (SELECT grade FROM loans)", FM_E_INPUT,
     "line 1, column 22: subquery in FROM must have an alias"},
    {"WITH RECURSIVE t AS (SELECT grade FROM loans) SELECT COUNT(*) FROM t", FM_E_UNSUPPORTED,
     "line 1, column 1: WITH RECURSIVE is not offered: write plain WITH"},
    {"SELECT RANK() OVER (PARTITION BY grade) FROM loans", FM_E_INPUT,
     "line 1, column 8: rank needs ORDER BY inside OVER"},
    {"SELECT AVG(balance) OVER (PARTITION BY grade) FROM loans", FM_E_UNSUPPORTED,
     "line 1, column 8: avg OVER is not offered: windows are ROW_NUMBER, RANK, SUM and COUNT"},
    {"SELECT grade FROM loans WHERE ROW_NUMBER() OVER (ORDER BY id) < 5", FM_E_UNSUPPORTED,
     "line 1, column 31: row_number OVER inside WHERE: windows stand in the SELECT list; to filter "
     "by one, SELECT FROM a subquery"},
    {"SELECT SUM(balance) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM loans",
     FM_E_UNSUPPORTED,
     "line 1, column 26: named windows and frames are not offered: write OVER (PARTITION BY ... "
     "ORDER BY ...)"},
    {"SELECT ROW_NUMBER() FROM loans", FM_E_INPUT,
     "line 1, column 8: row_number needs OVER (PARTITION BY ... ORDER BY ...)"},
    {"SELECT balance / 0 FROM loans", FM_E_INPUT, "line 1, column 16: / by zero"},
    {"SELECT balance % 2 FROM loans", FM_E_UNSUPPORTED,
     "line 1, column 16: % is offered of integers"},
    {"SELECT CAST(balance AS DECIMAL(3,0)) FROM loans", FM_E_LIMIT,
     "line 1, column 8: a value of INTEGER may not fit DECIMAL(3,0): cast to more digits, or "
     "declare a narrower range"},
    {"SELECT CAST(product AS INTEGER) FROM loans", FM_E_INPUT,
     "line 1, column 13: CAST needs numbers, this is TEXT(12)"},
    {"SELECT EXTRACT(DOW FROM opened) FROM loans", FM_E_UNSUPPORTED,
     "line 1, column 8: EXTRACT gives YEAR, QUARTER, MONTH or DAY of a date"},
    {"SELECT opened + INTERVAL '1 month' FROM loans", FM_E_UNSUPPORTED,
     "line 1, column 15: months and years are added to dates that are written out: move the "
     "interval to the other side of the comparison, or add days"},
    {"SELECT INTERVAL '1 day' FROM loans", FM_E_INPUT,
     "line 1, column 8: an interval stands beside a date: write x + INTERVAL '3 days'"},
    {"SELECT opened + INTERVAL '2 hours' FROM loans", FM_E_INPUT,
     "line 1, column 17: an interval is whole days, weeks, months or years: write INTERVAL '3 "
     "months'"},
    {"SELECT GREATEST(product, 'a') FROM loans", FM_E_INPUT,
     "line 1, column 8: GREATEST and LEAST take numbers or dates: others have no order here"},
    {"SELECT PERCENTILE_DISC(2) WITHIN GROUP (ORDER BY balance) FROM loans", FM_E_INPUT,
     "line 1, column 24: PERCENTILE_DISC takes a number from 0 to 1 with at most 6 digits"},
    {"SELECT VAR_POP(balance * 1000) FROM loans", FM_E_LIMIT,
     "line 1, column 8: var_pop over 3000 rows: its sums could leave 64 bits: declare a range "
     "nearer to zero, or compute with fewer digits"},
    {"SELECT SUM(a.balance * b.balance * 1000000) FROM loans a JOIN loans b ON a.id = b.id",
     FM_E_LIMIT,
     "line 1, column 34: this product could leave 64 bits: declare column 'balance' of loans "
     "within 0.00 to 922.33 (it is declared 0.00 to 999999.99)"},
    {"SELECT balance AS x FROM loans WHERE x > 5", FM_E_NOT_FOUND,
     "line 1, column 38: unknown column 'x' of loans"},
};

static void test_refusals(void **state)
{
    (void)state;
    world_refuse(refusals, sizeof refusals / sizeof refusals[0], 1);
}

/* Every operator's columns are made below it, or by it; inputs stand before their users; what is
 * declared is among the facts. */
static void check_shape(const struct sql_plan *plan)
{
    bool *there = test_calloc(plan->column_count + plan->made_count + 1, sizeof *there);

    for (size_t r = 0; r < plan->rel_count; r++) {
        const struct sql_rel *rel = plan->rels[r];
        assert_int_equal(rel->id, r);
        assert_true(rel->rows >= 1);
        for (size_t i = 0; i < rel->input_count; i++)
            assert_true(rel->inputs[i]->id < r);
        for (size_t i = 0; i < rel->column_count; i++)
            assert_true(rel->columns[i] < plan->column_count + plan->made_count);
        for (size_t i = 0; rel->kind == SQL_REL_SCAN && i < rel->column_count; i++) {
            size_t c = rel->columns[i];
            assert_true(c == rel->others || plan->columns[c].table == rel->table);
            there[c] = true;
        }
    }
    for (size_t c = 0; c < plan->column_count; c++)
        assert_true(there[c]);
    for (size_t i = 0; i < plan->output_count; i++) {
        const struct sql_rel *last = plan->rels[plan->rel_count - 1];
        bool found = false;
        for (size_t k = 0; k < last->column_count; k++)
            found = found || last->columns[k] == plan->outputs[i].column;
        assert_true(found);
    }
    test_free(there);
}

static void test_shapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof plans / sizeof plans[0]; i++) {
        struct sql_request r = fixture_request(plans[i].text);
        struct sql_plan plan;

        fixture_compile(&plan, &r);
        check_shape(&plan);
        sql_plan_release(&plan);
    }
}

/* A key's bound decides which side is looked up in, and how many rows can come out. */
static void test_bounds(void **state)
{
    struct sql_request r =
        fixture_request("SELECT COUNT(*) FROM people p JOIN bank_a.loans l ON l.person = p.person");
    struct sql_plan plan;
    const struct sql_rel *join;

    (void)state;
    fixture_compile(&plan, &r);
    join = plan.rels[2];
    assert_int_equal(join->kind, SQL_REL_JOIN);
    assert_int_equal(join->inputs[0]->rows, 1000); /* loans probe people, whose key is unique */
    assert_int_equal(join->join.right_max, 1);
    assert_int_equal(join->join.left_max, 5);
    assert_int_equal(join->rows, 1000);
    sql_plan_release(&plan);
}

/* The hash holds no numbers of rows; a LIMIT that is not there is none of them. */
static void test_hash_without_rows(void **state)
{
    struct sql_request r = fixture_request("SELECT grade, COUNT(*) FROM loans l JOIN people p ON "
                                           "l.person = p.person GROUP BY grade ORDER BY grade "
                                           "OFFSET 1");
    int64_t *rows = &fixture_catalog.datasets[2].rows, before = *rows;
    struct sql_plan plan;
    struct base_err err;
    uint8_t hashes[2][32];

    (void)state;
    r.minimum = 3;
    for (int i = 0; i < 2; i++) {
        fixture_compile(&plan, &r);
        assert_int_equal(sql_plan_hash(hashes[i], &plan, &err), FM_OK);
        sql_plan_release(&plan);
        *rows = 100000;
    }
    *rows = before;
    assert_memory_equal(hashes[0], hashes[1], 32);
}

/* ---- uses ---- */

static const struct {
    const char *text;
    const char *column; /* of bank_b, or of bank_c: "dataset.column" */
    unsigned uses;
} uses[] = {
    {"SELECT grade, COUNT(*) FROM loans GROUP BY grade", "loans.grade", SQL_USE_GROUP},
    {"SELECT balance FROM loans", "loans.balance", SQL_USE_REVEAL},
    {"SELECT balance + 1 FROM loans ORDER BY balance", "loans.balance",
     SQL_USE_REVEAL | SQL_USE_ORDER},
    {"SELECT CASE WHEN grade > 3 THEN 1 ELSE 0 END FROM loans", "loans.grade", SQL_USE_CONDITION},
    {"SELECT COUNT(*) FROM loans GROUP BY grade HAVING SUM(balance) > $1", "loans.balance",
     SQL_USE_AGGREGATE | SQL_USE_FILTER | SQL_USE_PARAMETER},
    {"SELECT COUNT(*) FROM loans JOIN people USING (person)", "people.person", SQL_USE_JOIN},
    {"SELECT COUNT(*) FROM loans WHERE person IN (SELECT person FROM people WHERE age < $1)",
     "people.age", SQL_USE_FILTER | SQL_USE_PARAMETER},
    {"SELECT PERCENTILE_DISC(0.5) WITHIN GROUP (ORDER BY balance) FROM loans", "loans.balance",
     SQL_USE_EXTREME},
    {"SELECT DISTINCT product FROM loans", "loans.product", SQL_USE_GROUP},
    {"SELECT COUNT(*) FILTER (WHERE closed) FROM loans", "loans.closed", SQL_USE_CONDITION},
    {"SELECT RANK() OVER (PARTITION BY grade ORDER BY balance) FROM loans", "loans.grade",
     SQL_USE_GROUP},
    {"SELECT MAX(s) FROM (SELECT SUM(balance) AS s FROM loans GROUP BY grade) t", "loans.balance",
     SQL_USE_AGGREGATE | SQL_USE_EXTREME},
    {"SELECT a.grade FROM loans a JOIN loans b ON a.id = b.id WHERE b.grade > 3", "loans.grade",
     SQL_USE_REVEAL | SQL_USE_FILTER},
    {"SELECT grade FROM loans UNION ALL SELECT age FROM people", "people.age", SQL_USE_REVEAL},
};

static void test_uses(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        struct sql_request r = fixture_request(uses[i].text);
        struct sql_plan plan;
        struct sql_uses derived;
        struct sql_use_entry e;
        struct base_err err;
        unsigned found = 0;

        fixture_compile(&plan, &r);
        assert_int_equal(sql_uses_derive(&derived, &plan, &err), FM_OK);
        for (size_t k = 0; sql_uses_at(&derived, k, &e); k++) {
            const char *dot = strchr(uses[i].column, '.');
            if (strcmp(e.member, "bank_a") != 0 && strcmp(e.column, dot + 1) == 0 &&
                strncmp(e.dataset, uses[i].column, (size_t)(dot - uses[i].column)) == 0)
                found |= e.uses;
        }
        if (found != uses[i].uses)
            print_error("of: %s\n", r.text);
        assert_int_equal(found, uses[i].uses);
        sql_uses_release(&derived);
        sql_plan_release(&plan);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_hash_without_rows),
        cmocka_unit_test(test_uses),
    };

    return cmocka_run_group_tests(tests, world_setup, fixture_teardown);
}
