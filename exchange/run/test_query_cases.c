#include "exchange/run/test_query.h"

const struct query_case query_cases[] = {
    /* rows, projections, conditions */
    {"SELECT k, g, v, b, t, u FROM a", false, NULL},
    {"SELECT t, v + k * 2, -v FROM a WHERE v > 100 AND t <> 'ab'", false, NULL},
    {"SELECT u, CASE WHEN v > 20000 THEN 1 WHEN b THEN 2 ELSE k END FROM a", false, NULL},
    {"SELECT u, v / 7, v % 7, v / k FROM a WHERE k > 0", false, NULL},
    {"SELECT u, CASE WHEN k <> 0 THEN v / k END FROM a", false, NULL},
    {"SELECT u, COALESCE(v, g, -1), NULLIF(k, 3), ABS(v) FROM a", false, NULL},
    {"SELECT u FROM bank_b.b WHERE t IN ('a', 'ab', 'twelve bytes') OR t IS NULL", false,
     "SELECT u FROM b WHERE t IN ('a', 'ab', 'twelve bytes') OR t IS NULL"},
    /* what owners compute before they share */
    {"SELECT u, UPPER(t) || '-' || CAST(k AS TEXT) FROM a WHERE t LIKE 'a%' OR t IS NULL", false,
     NULL},
    {"SELECT SUBSTR(t, 1, 2) AS s, COUNT(*), SUM(v * k) FROM a GROUP BY s", false, NULL},
    {"SELECT a.u, LENGTH(b.t) FROM a LEFT JOIN b ON a.u = b.u WHERE a.t < 'b' AND b.t >= 'a'",
     false, NULL},
    {"SELECT x.u, x.c FROM (SELECT u, CASE WHEN b THEN 'yes' WHEN k > 3 THEN t END AS c FROM a) "
     "AS x WHERE x.c <> 'ab'",
     false, NULL},
    /* groups */
    {"SELECT k, COUNT(*), SUM(v), MIN(v), MAX(v) FROM a GROUP BY k", false, NULL},
    {"SELECT g, t, COUNT(*), COUNT(v), COUNT(DISTINCT v) FROM a GROUP BY g, t", false, NULL},
    {"SELECT t, SUM(v) FROM a GROUP BY t HAVING COUNT(*) > 1", false, NULL},
    {"SELECT t, b, COUNT(*), SUM(v), COUNT(v), SUM(k) FILTER (WHERE g > 0) FROM a GROUP BY t, b",
     false, NULL},
    {"SELECT t, g, COUNT(*) FROM a WHERE k < 5 GROUP BY g, t ORDER BY t DESC NULLS LAST, g NULLS "
     "FIRST",
     true, NULL},
    {"SELECT DISTINCT t FROM a", false, NULL},
    {"SELECT g, b, COUNT(*), SUM(u) FROM a WHERE v > 0 GROUP BY g, b", false, NULL},
    {"SELECT k + 1, SUM(v * 2) FILTER (WHERE b) FROM a GROUP BY k + 1", false, NULL},
    {"SELECT COUNT(*), COUNT(DISTINCT t), SUM(v), MAX(u) FROM a WHERE k < 5", false, NULL},
    {"SELECT COUNT(DISTINCT v), SUM(DISTINCT k) FROM a", false, NULL},
    {"SELECT DISTINCT t, g FROM a", false, NULL},
    {"SELECT k, SUM(v) - MIN(v) FROM a GROUP BY k", false, NULL},
    /* order */
    {"SELECT u, v FROM a ORDER BY v NULLS LAST, u", true, NULL},
    {"SELECT t, b, u FROM a ORDER BY b DESC NULLS LAST, u DESC", true, NULL},
    {"SELECT u, v FROM a ORDER BY v DESC NULLS LAST, u LIMIT 3", true, NULL},
    {"SELECT u FROM a ORDER BY u LIMIT 4 OFFSET 2", true, NULL},
    {"SELECT g, SUM(v) AS s FROM a GROUP BY g ORDER BY s DESC NULLS LAST, g NULLS FIRST", true,
     NULL},
    {"SELECT k, COUNT(*) FROM a GROUP BY k ORDER BY k LIMIT 2", true, NULL},
    /* the groups' own order serves */
    {"SELECT u, k, SUM(v) FROM a GROUP BY k, u ORDER BY u DESC", true, NULL},
    {"SELECT g, v, COUNT(*) FROM a GROUP BY v, g ORDER BY g DESC NULLS FIRST, v NULLS LAST LIMIT 5",
     true, NULL},
    {"SELECT u + 1, k FROM (SELECT u, k FROM a GROUP BY u, k) AS x ORDER BY u DESC, k LIMIT 3",
     true, NULL},
    {"SELECT g, g, COUNT(DISTINCT k) FROM a GROUP BY g, g ORDER BY g NULLS LAST", true, NULL},
    {"SELECT g, g, MAX(3) FROM a GROUP BY g, g ORDER BY g NULLS FIRST, g DESC", true, NULL},
    {"SELECT u, COUNT(*) FROM a GROUP BY u HAVING SUM(v) > 100 ORDER BY u", true, NULL},
    {"SELECT v, u FROM (SELECT DISTINCT u, v FROM a) AS x ORDER BY v DESC NULLS LAST, u", true,
     NULL},
    /* and through HAVING, and other names */
    {"SELECT v, g, COUNT(*) FROM a GROUP BY g, v HAVING COUNT(*) < 3 ORDER BY v DESC NULLS LAST, g "
     "NULLS FIRST LIMIT 4",
     true, NULL},
    {"SELECT x, s FROM (SELECT v AS x, SUM(u) AS s FROM a GROUP BY v HAVING SUM(u) > 2) AS y WHERE "
     "s < 900 ORDER BY x NULLS LAST",
     true, NULL},
    /* an order below serves groups and windows */
    {"SELECT v, COUNT(*), COUNT(DISTINCT u), SUM(u), MAX(u) FROM (SELECT DISTINCT v, u FROM a) AS "
     "x GROUP BY v",
     false, NULL},
    {"SELECT z, COUNT(*) FROM (SELECT y AS z, u FROM (SELECT DISTINCT v AS y, u FROM a) AS x WHERE "
     "u > 2) AS w GROUP BY z ORDER BY z DESC NULLS LAST",
     true, NULL},
    {"SELECT v, COUNT(DISTINCT u) FROM (SELECT v, u, t FROM a GROUP BY v, u, t HAVING COUNT(*) > "
     "0) AS x GROUP BY v HAVING COUNT(*) > 0",
     false, NULL},
    {"SELECT v, u, s, SUM(s) OVER (PARTITION BY v ORDER BY u), COUNT(*) OVER (PARTITION BY v) FROM "
     "(SELECT v, u, SUM(k) AS s FROM a GROUP BY v, u HAVING SUM(k) <> 1) AS x",
     false, NULL},
    {"SELECT v, u, RANK() OVER (PARTITION BY t ORDER BY v, u) FROM a WHERE u > 5", false, NULL},
    {"SELECT u, SUM(v) OVER (PARTITION BY t ORDER BY k), COUNT(*) OVER (PARTITION BY t), RANK() "
     "OVER (PARTITION BY t ORDER BY k) FROM a WHERE u > 5",
     false, NULL},
    {"SELECT v, MAX(n), COUNT(*) FROM (SELECT v, u, COUNT(*) OVER (PARTITION BY v ORDER BY u) AS n "
     "FROM a) AS x WHERE u <> 10 GROUP BY v ORDER BY v NULLS LAST",
     true, NULL},
    {"SELECT x.v, COUNT(*), SUM(b.k) FROM (SELECT DISTINCT v, u FROM a) AS x LEFT JOIN b ON x.u = "
     "b.u GROUP BY x.v",
     false, NULL},
    {"SELECT x.v, x.u, b.k FROM (SELECT v, u FROM a GROUP BY v, u) AS x JOIN b ON x.u = b.u ORDER "
     "BY x.v NULLS FIRST, x.u",
     true, NULL},
    {"SELECT v, SUM(u) FROM (SELECT v, u FROM a ORDER BY v NULLS FIRST, u LIMIT 9) AS x GROUP BY v",
     false, NULL},
    {"SELECT t, COUNT(*) FROM (SELECT t, u FROM a ORDER BY t NULLS FIRST, u LIMIT 9) AS x GROUP BY "
     "t ORDER BY t NULLS FIRST",
     true, NULL},
    {"SELECT k FROM a GROUP BY k, u ORDER BY k DESC", true, NULL},
    /* unions */
    {"SELECT k, t FROM a UNION ALL SELECT k, t FROM b", false, NULL},
    {"SELECT k, t FROM a UNION SELECT k, t FROM b", false, NULL},
    {"SELECT k, t FROM a INTERSECT SELECT k, t FROM b", false, NULL},
    {"SELECT g FROM a EXCEPT SELECT g FROM b ORDER BY g NULLS FIRST", true, NULL},
    {"SELECT t FROM a INTERSECT SELECT t FROM b UNION SELECT 'none'  FROM b", false, NULL},
    /* texts that several decide */
    {"SELECT a.u, CASE WHEN a.k > b.k THEN a.t WHEN b.k = 1 THEN 'longer than both' ELSE b.t END "
     "FROM a JOIN b ON a.u = b.u",
     false, NULL},
    {"SELECT a.u, a.t < b.t, a.t >= b.t FROM a JOIN b ON a.u = b.u WHERE a.t <> b.t", false, NULL},
    {"SELECT COUNT(*) FROM a LEFT JOIN b ON a.u = b.u WHERE COALESCE(b.t, 'm') > a.t", false, NULL},
    {"SELECT COUNT(DISTINCT COALESCE(b.t, 'ab')) FROM a LEFT JOIN b ON a.u = b.u", false, NULL},
    /* every row with every row */
    {"SELECT a.u, b.u FROM a, b WHERE a.v < b.v", false, NULL},
    {"SELECT COUNT(*), SUM(a.k * b.k) FROM a CROSS JOIN b", false, NULL},
    {"SELECT u FROM a WHERE v > ANY (SELECT v FROM b WHERE k > 1)", false,
     "SELECT u FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.k > 1 AND a.v > b.v)"},
    {"SELECT u FROM a WHERE k <> ALL (SELECT k FROM b WHERE u > 500)", false,
     "SELECT u FROM a WHERE k NOT IN (SELECT k FROM b WHERE u > 500)"},
    /* joins */
    {"SELECT a.u, a.v, b.v FROM a JOIN b ON a.u = b.u", false, NULL},
    {"SELECT a.u, b.t FROM a LEFT JOIN b ON a.u = b.u", false, NULL},
    {"SELECT a.u, b.t FROM a LEFT JOIN b ON a.u = b.u AND a.v < b.v", false, NULL},
    {"SELECT b.u, a.t FROM a RIGHT JOIN b ON a.u = b.u", false, NULL},
    {"SELECT a.t, COUNT(*), SUM(b.v) FROM a JOIN b ON a.u = b.u GROUP BY a.t", false, NULL},
    {"SELECT a.u, b.u FROM a JOIN b ON a.t = b.t WHERE a.k < b.k", false, NULL},
    {"SELECT a.k, SUM(b.k) FROM a JOIN b ON a.t = b.t AND a.g = b.g GROUP BY a.k", false, NULL},
    {"SELECT x.u, y.v FROM a AS x JOIN a AS y ON x.u = y.u WHERE y.k > 1", false, NULL},
    /* subqueries */
    {"SELECT u FROM a WHERE u IN (SELECT u FROM b WHERE k > 0)", false, NULL},
    {"SELECT u FROM a WHERE g NOT IN (SELECT g FROM b WHERE k = 1)", false, NULL},
    {"SELECT u FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.u = a.u)", false, NULL},
    {"SELECT u FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.t = a.t)", false, NULL},
    {"SELECT u FROM a WHERE (SELECT COUNT(*) FROM b WHERE k > 3) > 0", false, NULL},
    {"SELECT u FROM a WHERE (SELECT MAX(g) FROM b WHERE k > 3) IS NULL AND k = 2", false, NULL},
    {"SELECT u, v FROM a WHERE v > (SELECT AVG(k) FROM b)", false, NULL},
    {"SELECT u FROM a WHERE v = (SELECT MAX(v) FROM a)", false, NULL},
    {"SELECT s, COUNT(*) FROM (SELECT k, SUM(g) AS s FROM a GROUP BY k) AS x GROUP BY s", false,
     NULL},
    {"WITH big AS (SELECT u, v FROM a WHERE v > 1000) SELECT COUNT(*), SUM(v) FROM big", false,
     NULL},
    {"SELECT x.h, SUM(x.w) FROM (SELECT g, k FROM a) AS x (h, w) GROUP BY x.h", false,
     "SELECT g, SUM(k) FROM a GROUP BY g"},
    {"SELECT SUM(b), COUNT(*) FROM a WHERE k", false, NULL},
    {"SELECT u, (SELECT COUNT(*) FROM b WHERE b.k < a.k) FROM a", false, NULL},
    {"SELECT u, (SELECT SUM(x.v) FROM a x WHERE x.v BETWEEN a.v - 900 AND a.v) FROM a", false,
     NULL},
    {"SELECT u FROM a WHERE NOT EXISTS (SELECT 1 FROM b WHERE b.g = a.g AND b.v <> a.v)", false,
     NULL},
    {"SELECT u, (SELECT COUNT(v) FROM b WHERE b.g = a.g) FROM a", false, NULL},
    {"SELECT y.u FROM a JOIN a AS y ON a.u = y.u WHERE EXISTS (SELECT 1 FROM b WHERE b.k = a.k AND "
     "b.u < y.k AND b.u > y.k - 5)",
     false, NULL},
    /* windows */
    {"SELECT u, PERCENT_RANK() OVER (PARTITION BY g ORDER BY u) = 1 FROM a", false, NULL},
    {"SELECT u, ROW_NUMBER() OVER (PARTITION BY k ORDER BY u) FROM a", false, NULL},
    {"SELECT u, SUM(v) OVER (PARTITION BY k ORDER BY u), RANK() OVER (PARTITION BY g ORDER BY k) "
     "FROM a",
     false, NULL},
    /* one column by two names: an order by one of them and something else does not serve both */
    {"SELECT u, ROW_NUMBER() OVER (PARTITION BY p, k ORDER BY u) AS r0, ROW_NUMBER() OVER "
     "(PARTITION BY p, q ORDER BY u) AS r1 FROM (SELECT CASE WHEN v > 2 THEN g ELSE 3 END AS p, "
     "CASE WHEN v > 2 THEN g ELSE 3 END AS q, k, u, v FROM a) AS s",
     false, NULL},
};

const size_t query_case_count = sizeof query_cases / sizeof query_cases[0];

const struct query_case fused_cases[] = {
    {"SELECT b.k, COUNT(*), SUM(a.v), COUNT(a.v) FROM a JOIN b ON a.k = b.u GROUP BY b.k", false,
     NULL},
    {"SELECT b.t, b.g, COUNT(*), SUM(a.v), MIN(3) FROM a JOIN b ON a.k = b.u GROUP BY b.t, b.g",
     false, NULL},
    /* the keys tell the table's rows apart */
    {"SELECT a.k, COUNT(*), SUM(a.v), SUM(b.v), COUNT(b.v) FROM a JOIN b ON a.k = b.u GROUP BY a.k",
     false, NULL},
    {"SELECT b.t, b.u, SUM(a.v * b.k), SUM(a.u * b.v), COUNT(a.t) FROM a JOIN b ON a.k = b.u GROUP "
     "BY b.u, b.t ORDER BY b.u DESC",
     true, NULL},
    {"SELECT b.u, SUM(a.v) AS s FROM a JOIN b ON a.g = b.u WHERE a.v > 100 AND b.v < 80000 GROUP "
     "BY b.u ORDER BY s DESC, b.u LIMIT 2",
     true, NULL},
    {"SELECT b.k, SUM(a.u) FROM a JOIN b ON a.g = b.u GROUP BY b.k, b.g HAVING SUM(a.u) > 300",
     false, NULL},
    /* small domains */
    {"SELECT b.b, COUNT(b.v), COUNT(a.t), SUM(b.v - 3), AVG(a.v) > 10000 FROM a JOIN b ON a.k = "
     "b.u GROUP BY b.b",
     false, NULL},
    {"SELECT b.t, SUM(b.v) FROM a JOIN b ON a.k = b.u GROUP BY b.t ORDER BY b.t DESC", true, NULL},
    /* conditions inside; one that reads both sides is not taken over */
    {"SELECT b.t, SUM(CASE WHEN a.b THEN a.v END), COUNT(CASE WHEN b.b THEN 1 END), SUM(2) FROM a "
     "JOIN b ON a.k = b.u GROUP BY b.t",
     false, NULL},
    {"SELECT b.t, SUM(CASE WHEN a.b THEN b.v END) FROM a JOIN b ON a.k = b.u GROUP BY b.t", false,
     NULL},
    /* several joins */
    {"SELECT c.t, COUNT(*), SUM(a.v), SUM(b.v) FROM a JOIN b ON a.k = b.u JOIN b AS c ON a.g = c.u "
     "GROUP BY c.t",
     false, NULL},
    {"SELECT b.k, COUNT(*), SUM(a.v) FROM a JOIN b ON a.k = b.u AND a.g = b.g GROUP BY b.k", false,
     NULL},
};

const size_t fused_case_count = sizeof fused_cases / sizeof fused_cases[0];

const struct query_note query_notes[] = {
    {"SELECT u, v / k FROM a", "SELECT count(*) > 0 FROM a WHERE k = 0 AND v IS NOT NULL",
     "a division by zero", "SELECT u, v / k FROM a"},
    {"SELECT u, CASE WHEN k <> 0 THEN v / k END FROM a", "SELECT 0", "", NULL},
    {"SELECT u, v / k FROM a WHERE k <> 0", "SELECT 0", "", "SELECT u, v / k FROM a WHERE k <> 0"},
    {"SELECT u, CASE WHEN b THEN 1 ELSE v / k END FROM a",
     "SELECT count(*) > 0 FROM a WHERE b IS NOT 1 AND k = 0 AND v IS NOT NULL",
     "a division by zero", "SELECT u, CASE WHEN b THEN 1 ELSE v / k END FROM a"},
    {"SELECT u, CASE WHEN g > 0 THEN CASE WHEN b THEN v / k END ELSE 0 END FROM a",
     "SELECT count(*) > 0 FROM a WHERE g > 0 AND b AND k = 0 AND v IS NOT NULL",
     "a division by zero",
     "SELECT u, CASE WHEN g > 0 THEN CASE WHEN b THEN v / k END ELSE 0 END FROM a"},
    {"SELECT COUNT(*), SUM(CASE WHEN k <> 0 THEN v / k END) FROM a", "SELECT 0", "",
     "SELECT count(*), sum(CASE WHEN k <> 0 THEN v / k END) FROM a"},
    {"SELECT g, SUM(v / k) FILTER (WHERE k > 0) FROM a GROUP BY g", "SELECT 0", "",
     "SELECT g, sum(v / k) FILTER (WHERE k > 0) FROM a GROUP BY g"},
    {"SELECT u FROM a WHERE k <> 0 AND v / k > 3", "SELECT 0", "",
     "SELECT u FROM a WHERE k <> 0 AND v / k > 3"},
    {"SELECT u FROM a WHERE v > (SELECT v FROM b)", "SELECT count(*) > 1 FROM b",
     "a scalar subquery has more than one row", NULL},
    {"SELECT u, (SELECT b.v FROM b WHERE b.t = a.t) FROM a",
     "SELECT max(n) > 1 FROM (SELECT count(*) AS n FROM a JOIN b ON a.t = b.t GROUP BY a.rowid)",
     "a scalar subquery has more than one row",
     "SELECT u, (SELECT CASE WHEN count(*) = 1 THEN max(b.v) END FROM b WHERE b.t = a.t) FROM a"},
    {"SELECT u FROM a WHERE v > (SELECT v FROM b WHERE b.u = a.u)", "SELECT 0", "", NULL},
};

const struct query_note fused_notes[] = {
    {"SELECT b.t, SUM(b.v / b.k) FROM a JOIN b ON a.g = b.u GROUP BY b.t",
     "SELECT count(*) > 0 FROM a JOIN b ON a.g = b.u WHERE b.k = 0 AND b.v IS NOT NULL",
     "a division by zero", "SELECT b.t, sum(b.v / b.k) FROM a JOIN b ON a.g = b.u GROUP BY b.t"},
    {"SELECT b.t, SUM(a.v / a.k) FROM a JOIN b ON a.g = b.u GROUP BY b.t",
     "SELECT count(*) > 0 FROM a JOIN b ON a.g = b.u WHERE a.k = 0 AND a.v IS NOT NULL",
     "a division by zero", "SELECT b.t, sum(a.v / a.k) FROM a JOIN b ON a.g = b.u GROUP BY b.t"},
};

const size_t fused_note_count = sizeof fused_notes / sizeof fused_notes[0];
const size_t query_note_count = sizeof query_notes / sizeof query_notes[0];
