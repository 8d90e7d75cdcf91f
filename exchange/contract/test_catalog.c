/* What is no dataset is refused by name, and an error leaves nothing behind: JSON's blocks are
 * counted, so that the plain build sees a leak too. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "exchange/contract/compile.h"

static size_t held;

static void *counting_malloc(size_t size)
{
    void *p = malloc(size);

    held += p != NULL;
    return p;
}

static void counting_free(void *p)
{
    held -= p != NULL;
    free(p);
}

static json_t *parse(const char *text)
{
    struct base_err err = {0};
    json_t *json = NULL;

    if (base_json_parse(&json, text, strlen(text), &err) != FM_OK)
        fail_msg("%s: %s", text, err.text);
    return json;
}

#define SCHEMA                                                                      \
    "{\"schema\":{\"columns\":[{\"name\":\"id\",\"type\":\"INTEGER\",\"range\":["   \
    "1,99],\"nullable\":false}],\"subject\":{\"column\":\"id\",\"scheme\":\"t.id\"" \
    "},\"max_rows_per_subject\":2,\"rows\":50,\"keys\":[],\"version\":1}}"

static const char spec_text[] =
    "{\"name\":\"n\",\"purpose\":\"test\",\"sql\":\"SELECT COUNT(*) FROM loans\","
    "\"compute\":[\"a\",\"b\",\"c\"],\"recipients\":[\"a\"],\"parameters\":[],"
    "\"consent\":{\"requirement\":\"none\",\"basis\":\"test\"}}";

static void refused(const char *datasets_text, fm_status code, const char *text)
{
    json_t *spec = parse(spec_text), *datasets = parse(datasets_text), *dids = parse("{}"), *out;
    struct base_err err = {0};

    if (contract_build(&out, spec, "a", datasets, dids, 0, &err) != code ||
        strcmp(err.text, text) != 0)
        fail_msg("%s '%s', wanted %s '%s'", fm_status_name(err.code), err.text,
                 fm_status_name(code), text);
    assert_null(out);
    json_decref(spec);
    json_decref(datasets);
    json_decref(dids);
    assert_int_equal(held, 0);
}

static void what_is_no_dataset_is_named(void **state)
{
    (void)state;
    refused("{\"loans\":" SCHEMA "}", FM_E_INPUT, "dataset loans: no schema");
    refused("{\"a/loans\":{}}", FM_E_INPUT, "dataset a/loans: no schema");
    refused("{\"a/loans\":{\"schema\":[]}}", FM_E_INPUT, "dataset a/loans: no schema");
    refused("{\"a/loans\":7}", FM_E_INPUT, "dataset a/loans: no schema");
    refused("{\"a/loans\":" SCHEMA ",\"loans\":" SCHEMA "}", FM_E_INPUT,
            "dataset loans: no schema");
    refused("{\"a/loans\":" SCHEMA ",\"b/loans\":" SCHEMA "}", FM_E_NOT_FOUND,
            "dataset a/loans: not on the ledger");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_no_dataset_is_named)};

    json_set_alloc_funcs(counting_malloc, counting_free);
    return cmocka_run_group_tests_name("contract catalog", tests, NULL, NULL);
}
