/* Random queries over random tables with NULLs and duplicates, against SQLite over the pooled rows.
 * usage: differential [--seed S] [--queries N] [--list]         exit code 1 if an answer was wrong
 * t is spread over three members, u over two, w is one member's. A wrong answer is printed with its
 * seed and made smaller first: part after part is left out as long as the rest is wrong too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sql/ask.h"
#include "tests/sql/oracle.h"
#include "tests/sql/query.h"
#include "tests/sql/verdict.h"

enum { MEMBERS = 3, MAX_ROWS = 14 };

static const char *const members[MEMBERS] = {"bank_a", "bank_b", "bank_c"};

/* ---- tables ---- */

static void run_sql(struct pool *pool, const char *sql)
{
    struct base_err err;

    if (pool_execute(pool, sql, &err) != FM_OK) {
        printf("%s\n%s\n", err.text, sql);
        exit(8);
    }
}

/* ", " before, a number, after; or a NULL. */
static void put_value(struct base_buf *sql, struct dice *dice, const char *before, uint32_t below,
                      const char *after, uint32_t one_in_null)
{
    if (dice_below(dice, one_in_null) == 0)
        base_buf_put_str(sql, ", NULL");
    else
        base_buf_putf(sql, ", %s%u%s", before, dice_below(dice, below), after);
}

static void fill(struct pool *pool, struct dice *dice, const char *member, const char *table,
                 unsigned *key)
{
    static const char *const texts[] = {"red", "blue", "green", ""};
    struct base_buf sql = {0};

    base_buf_putf(&sql,
                  "CREATE TABLE %s.%s (k INTEGER NOT NULL, g INTEGER, v INTEGER, n INTEGER, s "
                  "VARCHAR, d DATE)",
                  member, table);
    run_sql(pool, base_buf_cstr(&sql));
    for (uint32_t rows = dice_below(dice, MAX_ROWS); rows > 0; rows--) {
        *key += 1 + dice_below(dice, 3);
        base_buf_clear(&sql);
        base_buf_putf(&sql, "INSERT INTO %s.%s VALUES (%u", member, table, *key);
        put_value(&sql, dice, "", 4, "", 8);
        put_value(&sql, dice, "-5 + ", 60, "", 6);
        put_value(&sql, dice, "", 12, "", 10);
        if (dice_below(dice, 8) == 0)
            base_buf_put_str(&sql, ", NULL");
        else
            base_buf_putf(&sql, ", '%s'", texts[dice_below(dice, 4)]);
        put_value(&sql, dice, "printf('2020-03-%02d', ", 28, " + 1)", 8);
        base_buf_put_str(&sql, ")");
        run_sql(pool, base_buf_cstr(&sql));
    }
    base_buf_release(&sql);
}

static void make_world(struct pool *pool, struct dice *dice)
{
    static const struct {
        const char *name;
        unsigned first, last;
    } tables[] = {{"t", 0, 2}, {"u", 0, 1}, {"w", 2, 2}};
    struct base_buf sql = {0};
    struct base_err err;

    if (pool_open(pool, &err) != FM_OK)
        exit(8);
    for (unsigned m = 0; m < MEMBERS; m++) {
        base_buf_clear(&sql);
        base_buf_putf(&sql, "ATTACH ':memory:' AS %s", members[m]);
        run_sql(pool, base_buf_cstr(&sql));
    }
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        unsigned key = 0;
        base_buf_clear(&sql);
        base_buf_putf(&sql, "CREATE TEMP VIEW %s AS ", tables[i].name);
        for (unsigned m = tables[i].first; m <= tables[i].last; m++) {
            fill(pool, dice, members[m], tables[i].name, &key);
            base_buf_putf(&sql, "%sSELECT * FROM %s.%s", m > tables[i].first ? " UNION ALL " : "",
                          members[m], tables[i].name);
        }
        run_sql(pool, base_buf_cstr(&sql));
    }
    base_buf_release(&sql);
    if (pool_read(pool, NULL, &err) != FM_OK) {
        printf("%s\n", err.text);
        exit(8);
    }
}

/* ---- queries ---- */

/* One query: judged, unless SQLite can't answer it. True if it went wrong. */
static bool judge(struct verdict *v, struct pool *pool, const struct sql_catalog *catalog,
                  const struct query *q, const char *where)
{
    struct base_buf ours = {0}, lite = {0};
    struct slt_record record = {.kind = SLT_QUERY,
                                .sort = query_ordered(q) ? SLT_NOSORT : SLT_ROWSORT};
    size_t wrong = v->wrong;
    char types[64];

    query_write(q, &ours, &lite);
    record.sql = base_buf_cstr(&ours);
    if (oracle_ask(&record, pool, base_buf_cstr(&lite), types, sizeof types))
        verdict_query(v, &record, pool, catalog, where);
    oracle_release(&record);
    base_buf_release(&ours);
    base_buf_release(&lite);
    return v->wrong > wrong;
}

/* Leaves out what can be left out; SQLite must still take the rest, or it proves nothing. */
static void make_smaller(struct pool *pool, const struct sql_catalog *catalog, struct query *q)
{
    struct verdict quiet = {.quiet = true};
    struct base_buf ours = {0}, lite = {0};
    sqlite3_stmt *s;

    for (size_t i = 0; i < q->part_count; i++) {
        bool stays = true;
        q->parts[i].off = true;
        query_write(q, &ours, &lite);
        if (sqlite3_prepare_v2(pool->db, base_buf_cstr(&lite), -1, &s, NULL) == SQLITE_OK) {
            (void)sqlite3_finalize(s);
            stays = !judge(&quiet, pool, catalog, q, "");
        }
        q->parts[i].off = !stays;
    }
    query_write(q, &ours, &lite);
    printf("smaller: %s\nSQLite:  %s\n", base_buf_cstr(&ours), base_buf_cstr(&lite));
    base_buf_release(&ours);
    base_buf_release(&lite);
}

int main(int argc, char **argv)
{
    static struct verdict v;
    uint64_t seed = 1;
    size_t queries = 300;

    for (int at = 1; at < argc; at++) {
        if (strcmp(argv[at], "--list") == 0)
            v.list = true;
        else if (strcmp(argv[at], "--seed") == 0 && at + 1 < argc)
            seed = strtoull(argv[++at], NULL, 10);
        else if (strcmp(argv[at], "--queries") == 0 && at + 1 < argc)
            queries = (size_t)strtoull(argv[++at], NULL, 10);
    }
    for (size_t i = 0; i < queries; i += 20, seed++) {
        struct dice dice = {seed};
        struct sql_catalog catalog = {0};
        struct pool pool = {0};
        struct base_err err;
        char where[64];
        make_world(&pool, &dice);
        if (ask_catalog(&catalog, &pool, &err) != FM_OK) {
            printf("%s\n", err.text);
            return 8;
        }
        (void)snprintf(where, sizeof where, "--seed %llu --queries 20", (unsigned long long)seed);
        for (size_t n = 0; n < 20; n++) {
            struct query q;
            query_make(&q, &dice);
            if (judge(&v, &pool, &catalog, &q, where))
                make_smaller(&pool, &catalog, &q);
            query_release(&q);
        }
        sql_catalog_release(&catalog);
        pool_close(&pool);
    }
    return verdict_print(&v, "differential");
}
