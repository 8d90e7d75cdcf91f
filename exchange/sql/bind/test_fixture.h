/* A small consortium for the tests of this folder. */
#ifndef FIRMIANA_EXCHANGE_SQL_BIND_TEST_FIXTURE_H
#define FIRMIANA_EXCHANGE_SQL_BIND_TEST_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "exchange/sql/bind/compile.h"

#define FIXTURE_LOANS(member, rows)                                                               \
    "{\"member\":\"" member "\",\"name\":\"loans\",\"version\":1,\"rows\":" rows ",\"columns\":[" \
    "{\"name\":\"subject_id\",\"type\":\"INTEGER\",\"range\":[10000000,99999999]},"               \
    "{\"name\":\"balance\",\"type\":\"DECIMAL(12,2)\",\"range\":[\"-100.00\",\"999999.99\"],"     \
    "\"nullable\":true},"                                                                         \
    "{\"name\":\"overdue_days\",\"type\":\"INTEGER\",\"range\":[0,3650],\"nullable\":true},"      \
    "{\"name\":\"opened\",\"type\":\"DATE\"},"                                                    \
    "{\"name\":\"closed\",\"type\":\"BOOLEAN\"},"                                                 \
    "{\"name\":\"product\",\"type\":\"TEXT(12)\",\"nullable\":true},"                             \
    "{\"name\":\"WIDE\",\"type\":\"INTEGER\"}],"                                                  \
    "\"subject\":{\"column\":\"subject_id\",\"scheme\":\"cn.id\"},\"max_rows_per_subject\":5}"

static const char fixture_catalog_text[] =
    "{\"datasets\":[" FIXTURE_LOANS("bank_a", "1000") "," FIXTURE_LOANS("bank_c", "3000") "," //
    FIXTURE_LOANS(
        "bank_b",
        "2000") ","
                "{\"member\":\"bank_a\",\"name\":\"notes\",\"version\":2,\"rows\":10,\"columns\":["
                "{\"name\":\"x\",\"type\":\"INTEGER\",\"range\":[-5,5]}]},"
                "{\"member\":\"bank_b\",\"name\":\"notes\",\"version\":1,\"rows\":10,\"columns\":["
                "{\"name\":\"x\",\"type\":\"DECIMAL(3,1)\"}]}]}";

static struct sql_catalog fixture_catalog;
static const char *fixture_recipients[] = {"bank_a"};

static inline int fixture_setup(void **state)
{
    struct base_err err;
    json_t *json;

    (void)state;
    if (base_json_parse(&json, fixture_catalog_text, strlen(fixture_catalog_text), &err) != FM_OK)
        return -1;
    if (sql_catalog_from_json(&fixture_catalog, json, &err) != FM_OK) {
        print_error("%s\n", err.text);
        return -1;
    }
    json_decref(json);
    return 0;
}

static inline int fixture_teardown(void **state)
{
    (void)state;
    sql_catalog_release(&fixture_catalog);
    return 0;
}

static inline struct sql_request fixture_request(const char *text)
{
    return (struct sql_request){.text = text,
                                .len = strlen(text),
                                .catalog = &fixture_catalog,
                                .recipients = fixture_recipients,
                                .recipient_count = 1,
                                .minimum = 1};
}

/* Compiles what must compile. */
static inline void fixture_compile(struct sql_plan *plan, const struct sql_request *request)
{
    struct base_err err;

    if (sql_plan_compile(plan, request, &err) != FM_OK)
        fail_msg("%s\n  %s", request->text, err.text);
}

#endif
