/* A consortium with tables to join, for the tests of the whole language. bank_a receives. */
#ifndef FIRMIANA_EXCHANGE_SQL_BIND_TEST_WORLD_H
#define FIRMIANA_EXCHANGE_SQL_BIND_TEST_WORLD_H

#include "exchange/sql/bind/test_fixture.h"

#define WORLD_LOANS(member, rows)                                                                 \
    "{\"member\":\"" member "\",\"name\":\"loans\",\"version\":1,\"rows\":" rows ",\"columns\":[" \
    "{\"name\":\"id\",\"type\":\"INTEGER\",\"range\":[1,1000000]},"                               \
    "{\"name\":\"person\",\"type\":\"INTEGER\",\"range\":[1,99999]},"                             \
    "{\"name\":\"balance\",\"type\":\"DECIMAL(12,2)\",\"range\":[\"0.00\",\"999999.99\"],"        \
    "\"nullable\":true},"                                                                         \
    "{\"name\":\"opened\",\"type\":\"DATE\",\"range\":[\"2015-01-01\",\"2024-12-31\"]},"          \
    "{\"name\":\"closed\",\"type\":\"BOOLEAN\"},"                                                 \
    "{\"name\":\"product\",\"type\":\"TEXT(12)\",\"nullable\":true},"                             \
    "{\"name\":\"grade\",\"type\":\"INTEGER\",\"range\":[1,7]}],"                                 \
    "\"subject\":{\"column\":\"person\",\"scheme\":\"cn.id\"},\"max_rows_per_subject\":5,"        \
    "\"keys\":[{\"column\":\"id\",\"max_rows\":1}]}"

static const char world_text[] = "{\"datasets\":[" WORLD_LOANS("bank_a", "1000") "," WORLD_LOANS(
    "bank_b",
    "2000") ","
            "{\"member\":\"bank_c\",\"name\":\"people\",\"version\":1,\"rows\":5000,\"columns\":["
            "{\"name\":\"person\",\"type\":\"INTEGER\",\"range\":[1,99999]},"
            "{\"name\":\"age\",\"type\":\"INTEGER\",\"range\":[18,99],\"nullable\":true},"
            "{\"name\":\"district\",\"type\":\"INTEGER\",\"range\":[1,80]}],"
            "\"subject\":{\"column\":\"person\",\"scheme\":\"cn.id\"},\"max_rows_per_subject\":1},"
            "{\"member\":\"bank_c\",\"name\":\"districts\",\"version\":1,\"rows\":80,\"columns\":["
            "{\"name\":\"district\",\"type\":\"INTEGER\",\"range\":[1,80]},"
            "{\"name\":\"region\",\"type\":\"INTEGER\",\"range\":[1,8]}],"
            "\"keys\":[{\"column\":\"district\",\"max_rows\":1}]}]}";

static inline int world_setup(void **state)
{
    struct base_err err;
    json_t *json;

    (void)state;
    if (base_json_parse(&json, world_text, strlen(world_text), &err) != FM_OK ||
        sql_catalog_from_json(&fixture_catalog, json, &err) != FM_OK) {
        print_error("%s\n", err.text);
        return -1;
    }
    json_decref(json);
    return 0;
}

/* One line of error, of what must not compile. */
struct world_refusal {
    const char *text;
    fm_status status;
    const char *sentence;
};

static inline void world_refuse(const struct world_refusal *cases, size_t count, int64_t minimum)
{
    for (size_t i = 0; i < count; i++) {
        struct sql_request r = fixture_request(cases[i].text);
        struct sql_plan plan;
        struct base_err err = {0};

        r.minimum = minimum;
        if (sql_plan_compile(&plan, &r, &err) == FM_OK) {
            sql_plan_release(&plan);
            fail_msg("compiled: %s", r.text);
        }
        if (strcmp(err.text, cases[i].sentence) != 0)
            print_error("of: %s\n", r.text);
        assert_string_equal(err.text, cases[i].sentence);
        assert_int_equal(err.code, cases[i].status);
    }
}

#endif
