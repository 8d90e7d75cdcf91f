/* Real credit data between members, against SQLite: Berka's loans with accounts and districts of
 * others, and a scorecard over the German applicants' codes. usage: credit [--list] FOLDER      the
 * folder has berka/ and german.data; exit codes as conformance's */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sql/ask.h"
#include "tests/sql/oracle.h"
#include "tests/sql/verdict.h"

#define KEY "INTEGER NOT NULL"

static const struct {
    const char *file, *table, *member, *header;
    char separator;
    size_t column_count;
    const char *columns[21];
} sources[] = {
    {"berka/loan.csv",
     "loan",
     "bank_a",
     NULL,
     ';',
     7,
     {KEY, KEY, KEY, KEY, KEY, "DECIMAL(12,2)", "TEXT"}},
    {"berka/account.csv", "account", "bank_b", NULL, ';', 4, {KEY, KEY, "TEXT", KEY}},
    {"berka/client.csv", "client", "bank_b", NULL, ';', 3, {KEY, "TEXT", KEY}},
    {"berka/disp.csv", "disp", "bank_b", NULL, ';', 4, {KEY, KEY, KEY, "TEXT"}},
    {"berka/district.csv",
     "district",
     "bank_c",
     NULL,
     ';',
     16,
     {KEY, "TEXT", "TEXT", KEY, KEY, KEY, KEY, KEY, KEY, "DECIMAL(5,1)", KEY, "TEXT", "TEXT", KEY,
      "TEXT", KEY}},
    {"german.data",
     "applicant",
     "bank_a",
     "status months history purpose amount savings employed rate sex debtors since property age "
     "plans housing credits job "
     "people phone abroad class\n",
     ' ',
     21,
     {"TEXT", KEY, "TEXT", "TEXT", KEY, "TEXT", "TEXT", KEY,    "TEXT", "TEXT", KEY,
      "TEXT", KEY, "TEXT", "TEXT", KEY, "TEXT", KEY,    "TEXT", "TEXT", KEY}},
};

/* A points table, as a credit officer writes it. */
#define SCORE                                                                                \
    "(CASE status WHEN 'A11' THEN 0 WHEN 'A12' THEN 15 WHEN 'A13' THEN 30 ELSE 45 END"       \
    " + CASE WHEN history IN ('A33', 'A34') THEN 25 WHEN history = 'A32' THEN 15 ELSE 0 END" \
    " + CASE savings WHEN 'A61' THEN 0 WHEN 'A65' THEN 10 ELSE 20 END"                       \
    " + CASE WHEN age < 25 THEN 0 WHEN age < 35 THEN 8 ELSE 15 END - months / 2 - amount / 1000)"

static const char *const queries[] = {
    "SELECT COUNT(*), SUM(amount), AVG(duration) FROM loan WHERE status = 'D'",
    "SELECT status, COUNT(*), SUM(amount), MAX(duration) FROM loan GROUP BY status",
    "SELECT COUNT(*), SUM(l.amount) FROM loan l JOIN account a ON l.account_id = a.account_id "
    "WHERE a.frequency = 'POPLATEK TYDNE'",
    "SELECT a.frequency, COUNT(*), SUM(l.amount) FROM loan l JOIN account a ON l.account_id = "
    "a.account_id GROUP BY a.frequency",
    "SELECT d.A3, COUNT(*), SUM(l.amount), MAX(l.duration) FROM loan l JOIN account a ON "
    "l.account_id = a.account_id "
    "JOIN district d ON a.district_id = d.A1 GROUP BY d.A3",
    "SELECT d.A3, l.status, COUNT(*) FROM loan l JOIN account a USING (account_id) JOIN district d "
    "ON a.district_id = d.A1 "
    "WHERE d.A11 > 9000 GROUP BY d.A3, l.status HAVING COUNT(*) >= 3",
    "SELECT COUNT(*) FROM account a WHERE NOT EXISTS (SELECT 1 FROM loan l WHERE l.account_id = "
    "a.account_id)",
    "SELECT a.district_id, COUNT(l.loan_id) AS n FROM account a LEFT JOIN loan l ON l.account_id = "
    "a.account_id "
    "GROUP BY a.district_id ORDER BY n DESC, a.district_id LIMIT 10",
    "SELECT COUNT(DISTINCT a.district_id) FROM loan l JOIN account a ON l.account_id = "
    "a.account_id WHERE l.status IN ('B', 'D')",
    "SELECT COUNT(*) FROM loan WHERE account_id IN (SELECT account_id FROM account WHERE "
    "district_id = 1)",
    "SELECT purpose, COUNT(*), SUM(amount), MIN(age) FROM applicant GROUP BY purpose",
    "SELECT COUNT(*), SUM(amount) FROM applicant WHERE " SCORE " >= 40",
    "SELECT class, COUNT(*), AVG(" SCORE "), SUM(CASE WHEN " SCORE
    " >= 40 THEN 1 ELSE 0 END) FROM applicant GROUP BY class",
    "SELECT q.pass, COUNT(*), SUM(q.class) FROM (SELECT " SCORE
    " >= 40 AS pass, class FROM applicant) q GROUP BY q.pass",
    "SELECT " SCORE " AS score FROM applicant WHERE amount = 1169",
};

static const char *owner_of(const char *table)
{
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        if (strcmp(sources[i].table, table) == 0)
            return sources[i].member;
    }
    abort();
}

static fm_status load(struct pool *pool, const char *folder, struct base_err *err)
{
    char path[512];

    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        const struct pool_file file = {.path = path,
                                       .table = sources[i].table,
                                       .declared = sources[i].columns,
                                       .column_count = sources[i].column_count,
                                       .separator = sources[i].separator,
                                       .header = sources[i].header,
                                       .ended = sources[i].separator == ' '};
        fm_status st;
        (void)snprintf(path, sizeof path, "%s/%s", folder, sources[i].file);
        st = pool_load(pool, &file, err);
        if (st != FM_OK)
            return st;
    }
    return pool_read(pool, owner_of, err);
}

static void run(struct verdict *v, struct pool *pool, const struct sql_catalog *catalog,
                const char *folder)
{
    (void)folder;
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        struct slt_record record = {.kind = SLT_QUERY, .sql = queries[i]};
        char types[64];
        if (oracle_ask(&record, pool, queries[i], types, sizeof types))
            verdict_query(v, &record, pool, catalog, "credit");
        oracle_release(&record);
    }
}

int main(int argc, char **argv)
{
    static const struct verdict_program program = {"credit", "german.data", load, run};

    return verdict_main(&program, argc, argv);
}
