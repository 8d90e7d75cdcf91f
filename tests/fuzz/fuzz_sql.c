/* SQL. Laws: compiling twice gives the same plan; its canonical form is canonical; every expression
 * of it prints; uses and physical steps follow from it without failing; an error has a text. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "exchange/sql/bind/compile.h"
#include "exchange/sql/plan/uses.h"
#include "tests/fuzz/fuzz.h"

#define COLUMNS(rows)                                                                         \
    "\"version\":1,\"rows\":" rows ",\"columns\":["                                           \
    "{\"name\":\"subject_id\",\"type\":\"INTEGER\",\"range\":[10000000,99999999]},"           \
    "{\"name\":\"balance\",\"type\":\"DECIMAL(12,2)\",\"range\":[\"-100.00\",\"999999.99\"]," \
    "\"nullable\":true},"                                                                     \
    "{\"name\":\"days\",\"type\":\"INTEGER\",\"range\":[0,3650],\"nullable\":true},"          \
    "{\"name\":\"opened\",\"type\":\"DATE\"},{\"name\":\"closed\",\"type\":\"BOOLEAN\"},"     \
    "{\"name\":\"product\",\"type\":\"TEXT(12)\",\"nullable\":true},"                         \
    "{\"name\":\"wide\",\"type\":\"INTEGER\"}],"                                              \
    "\"subject\":{\"column\":\"subject_id\",\"scheme\":\"cn.id\"},\"max_rows_per_subject\":5}"

static struct sql_catalog catalog;

static void open_catalog(void)
{
    static const char text[] =
        "{\"datasets\":["
        "{\"member\":\"bank_a\",\"name\":\"loans\"," COLUMNS(
            "1000") ","
                    "{\"member\":\"bank_b\",\"name\":\"loans\"," COLUMNS("3000") "]}";
    struct base_err err = {0};
    json_t *json = NULL;

    fuzz_law(base_json_parse(&json, text, sizeof text - 1, &err) == FM_OK &&
                 sql_catalog_from_json(&catalog, json, &err) == FM_OK,
             err.text);
    json_decref(json);
}

static struct sql_request request_of(const uint8_t *data, size_t size)
{
    static const char *recipients[] = {"bank_a"};

    return (struct sql_request){.text = (const char *)data,
                                .len = size,
                                .catalog = &catalog,
                                .recipients = recipients,
                                .recipient_count = 1,
                                .minimum = 1};
}

static void check_plan(const struct sql_plan *plan)
{
    struct base_err err = {0};
    struct base_buf text = {0}, canonical = {0};
    json_t *json = NULL, *again = NULL, *list = NULL;
    struct sql_uses uses;

    fuzz_law(sql_plan_json(&json, plan, &err) == FM_OK, "an accepted plan has a canonical form");
    fuzz_law(base_json_canonical(&canonical, json, &err) == FM_OK, "which encodes");
    fuzz_law(base_json_parse_canonical(&again, canonical.p, canonical.len, &err) == FM_OK &&
                 json_equal(json, again),
             "and reads back as the same");
    sql_plan_print(&text, plan);
    for (size_t i = 0; i < plan->node_count; i++) {
        sql_plan_print_expr(&text, plan, i);
        for (size_t k = 0; k < plan->nodes[i].arg_count; k++)
            fuzz_law(plan->nodes[i].args[k] < i, "operands stand before their users");
    }
    fuzz_law(base_buf_status(&text, "print", &err) == FM_OK, "it prints");
    fuzz_law(sql_uses_derive(&uses, plan, &err) == FM_OK &&
                 sql_uses_json(&list, &uses, NULL, &err) == FM_OK,
             "its uses follow from it");
    sql_uses_print(&text, &uses);
    sql_uses_release(&uses);
    json_decref(list);
    json_decref(json);
    json_decref(again);
    base_buf_release(&text);
    base_buf_release(&canonical);
}

static void run(const uint8_t *data, size_t size)
{
    struct sql_request request = request_of(data, size);
    uint8_t hash[32], again[32];
    struct base_err err = {0};
    struct sql_plan plan;

    if (sql_plan_compile(&plan, &request, &err) != FM_OK) {
        fuzz_law(err.text[0] != '\0' && err.code != FM_E_MEMORY, "a refusal says why");
        return;
    }
    check_plan(&plan);
    fuzz_law(sql_plan_hash(hash, &plan, &err) == FM_OK, "a plan has a hash");
    sql_plan_release(&plan);
    fuzz_law(sql_plan_compile(&plan, &request, &err) == FM_OK &&
                 sql_plan_hash(again, &plan, &err) == FM_OK && memcmp(hash, again, 32) == 0,
             "compiling again gives the same plan");
    sql_plan_release(&plan);
}

static void begin(struct fuzz_corpus *corpus)
{
    static const char *const texts[] = {
        "SELECT COUNT(*) FROM loans",
        "SELECT COUNT(balance) AS n, SUM(balance) AS s, AVG(balance), MIN(days), MAX(opened) FROM "
        "bank_a.loans WHERE days > 30 AND NOT closed",
        "SELECT SUM(CASE WHEN product = 'mortgage' THEN balance ELSE 0 END) FROM loans WHERE "
        "subject_id = $1",
        "SELECT MAX(balance * 2 - days + 1.5) FROM loans WHERE opened BETWEEN DATE '2020-01-01' "
        "AND "
        "DATE '2024-12-31' OR product IN ('card', 'auto') AND balance IS NOT NULL",
        "SELECT COUNT(*) FROM loans WHERE (days <= $1 OR days >= $2) AND closed = false",
        "SELECT SUM(COALESCE(balance, 0)), AVG(NULLIF(days, 0)) FROM loans WHERE CASE days WHEN 1 "
        "THEN true ELSE closed END",
        "SELECT COUNT(*) FROM loans WHERE product <> 'it''s' AND -days < -(-3)",
    };
    struct base_err err = {0};

    open_catalog();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct sql_request request = request_of((const uint8_t *)texts[i], strlen(texts[i]));
        struct sql_plan plan;
        fuzz_law(sql_plan_compile(&plan, &request, &err) == FM_OK, err.text);
        sql_plan_release(&plan);
        fuzz_add(corpus, texts[i], strlen(texts[i]));
    }
}

static const char *const words[] = {" AND ",      " OR ",
                                    " NOT ",      "SELECT ",
                                    " FROM ",     " WHERE ",
                                    "loans",      "bank_b.",
                                    "balance",    "days",
                                    "opened",     "closed",
                                    "product",    "wide",
                                    "$1",         "$65",
                                    "COUNT(*)",   "SUM(",
                                    "AVG(",       "MIN(",
                                    "CASE WHEN ", " THEN ",
                                    " ELSE ",     " END",
                                    " IS NULL",   " IS NOT TRUE",
                                    " IN (",      " BETWEEN ",
                                    "DATE '",     "'card'",
                                    "NULL",       "true",
                                    "(",          ")",
                                    "*",          "-",
                                    "+",          "<=",
                                    "<>",         "::numeric",
                                    "--",         "/*",
                                    "*/",         ";",
                                    "||",         "1e99",
                                    "0.0000001",  "COALESCE(",
                                    " GROUP BY ", " UNION ",
                                    " LIMIT 1",   "(SELECT ",
                                    "U&'\\0041'", "E'\\x'",
                                    "$$",         NULL};
const struct fuzz_target fuzz_target = {"sql", FUZZ_BYTES, 2048, words, begin, run};
