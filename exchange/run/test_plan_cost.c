/* What whole plans cost, to the byte and the round, from the runner over a session that counts
 * (estimate.h): where operators share a sort, or one takes another over. Runs agree with these
 * numbers (test_query.c, test_run.c). A change here is a change of what every query of its kind
 * costs: say so in the commit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "exchange/run/estimate.h"
#include "exchange/sql/bind/compile.h"

/* facts (20,000 rows) refer to dims (2,000) by k; c: as many rows as facts, no key. */
static const char tables[] =
    "{\"datasets\":["
    "{\"member\":\"bank_a\",\"name\":\"facts\",\"version\":1,\"rows\":20000,\"columns\":["
    "{\"name\":\"k\",\"type\":\"INTEGER\",\"range\":[0,1999]},"
    "{\"name\":\"g\",\"type\":\"INTEGER\",\"range\":[0,999]},"
    "{\"name\":\"h\",\"type\":\"INTEGER\",\"range\":[0,999]},"
    "{\"name\":\"v\",\"type\":\"INTEGER\",\"range\":[0,100000]}]},"
    "{\"member\":\"bank_b\",\"name\":\"dims\",\"version\":1,\"rows\":2000,\"columns\":["
    "{\"name\":\"k\",\"type\":\"INTEGER\",\"range\":[0,1999]},"
    "{\"name\":\"r\",\"type\":\"INTEGER\",\"range\":[0,99]}],"
    "\"keys\":[{\"column\":\"k\",\"max_rows\":1}]}]}";

struct cost {
    uint64_t rounds, bytes;
};

static uint64_t memory_of(const struct sql_physical *p, bool computes, const bool *mine)
{
    uint64_t bytes = 0;
    struct base_err err;

    assert_int_equal(sql_memory(&bytes, p, MPC_LAN, computes, mine, &err), FM_OK);
    return bytes;
}

/* A party's parts add up; a compute party holds all columns, a provider its own. */
static void check_memory(const struct sql_physical *p)
{
    static const bool none[4], first[4] = {true};
    uint64_t receives = memory_of(p, false, none), computes = memory_of(p, true, none);

    assert_true(computes > receives + 16 * 20000);
    assert_true(memory_of(p, false, first) >= receives + 8 * 20000);
    assert_int_equal(memory_of(p, true, first) - computes, memory_of(p, false, first) - receives);
}

static struct cost cost_of(const char *text)
{
    const char *recipient = "bank_a";
    const unsigned sources[2] = {0, 1}, recipients[1] = {0};
    struct sql_catalog catalog = {0};
    struct sql_plan plan;
    struct sql_physical physical;
    struct sql_estimate e;
    struct base_err err;
    json_t *json;
    struct sql_estimate_config c = {.physical = &physical,
                                    .parties = 3,
                                    .compute = {0, 1, 2},
                                    .sources = sources,
                                    .recipients = recipients};
    struct sql_request r = {.text = text,
                            .len = strlen(text),
                            .catalog = &catalog,
                            .recipients = &recipient,
                            .recipient_count = 1,
                            .minimum = 1};
    struct cost cost;

    assert_int_equal(base_json_parse(&json, tables, strlen(tables), &err), FM_OK);
    if (sql_catalog_from_json(&catalog, json, &err) != FM_OK ||
        sql_plan_compile(&plan, &r, &err) != FM_OK ||
        sql_physical_make(&physical, &plan, &err) != FM_OK || sql_estimate(&e, &c, &err) != FM_OK)
        fail_msg("%s\n%s", err.text, text);
    cost = (struct cost){e.all.rounds, e.all.bytes};
    check_memory(&physical);
    sql_estimate_release(&e);
    sql_physical_release(&physical);
    sql_plan_release(&plan);
    sql_catalog_release(&catalog);
    json_decref(json);
    return cost;
}

struct price {
    const char *text;
    uint64_t rounds, bytes;
};

static void check_prices(const struct price *prices, size_t count)
{
    bool same = true;

    for (size_t i = 0; i < count; i++) {
        struct cost c = cost_of(prices[i].text);

        if (c.rounds == prices[i].rounds && c.bytes == prices[i].bytes)
            continue;
        print_error("%s\n%llu rounds, %llu bytes\n", prices[i].text, (unsigned long long)c.rounds,
                    (unsigned long long)c.bytes);
        same = false;
    }
    assert_true(same);
}

#define CHECK(list) check_prices(list, sizeof(list) / sizeof(list)[0])

static void test_joins(void **state)
{
    static const struct price prices[] = {
        /* taken over by the grouping; by row; not taken over, as MAX is of the probing side */
        {"SELECT r, COUNT(*), SUM(v) FROM facts JOIN dims ON facts.k = dims.k GROUP BY r", 214,
         18163688},
        {"SELECT facts.k, COUNT(*), SUM(v) FROM facts JOIN dims ON facts.k = dims.k GROUP BY "
         "facts.k",
         157, 16204224},
        {"SELECT r, COUNT(*), MAX(v) FROM facts JOIN dims ON facts.k = dims.k GROUP BY r", 419,
         36455424},
    };

    (void)state;
    CHECK(prices);
}

static void test_orders(void **state)
{
    static const struct price prices[] = {
        /* ORDER BY after GROUP BY: nothing, and through HAVING a compaction */
        {"SELECT g, COUNT(*) FROM facts GROUP BY g ORDER BY g", 129, 11708080},
        {"SELECT g, h, COUNT(*) FROM facts GROUP BY g, h HAVING COUNT(*) > 2 ORDER BY h DESC, g",
         159, 24075792},
        /* DISTINCT, then GROUP BY */
        {"SELECT g, COUNT(*) FROM (SELECT DISTINCT g, h FROM facts) AS x GROUP BY g", 166,
         20055320},
        /* windows after GROUP BY; one sort for two windows; GROUP BY after a window */
        {"SELECT g, h, SUM(n) OVER (PARTITION BY g ORDER BY h), COUNT(*) OVER (PARTITION BY g) "
         "FROM (SELECT g, h, COUNT(*) AS n FROM facts GROUP BY g, h) AS x",
         336, 52493504},
        {"SELECT v, SUM(v) OVER (PARTITION BY g ORDER BY h), COUNT(*) OVER (PARTITION BY g) FROM "
         "facts",
         200, 35513152},
        {"SELECT g, MAX(n) FROM (SELECT g, COUNT(*) OVER (PARTITION BY g ORDER BY h) AS n FROM "
         "facts) AS x GROUP BY g",
         314, 34087600},
    };

    (void)state;
    CHECK(prices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_joins), cmocka_unit_test(test_orders)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
