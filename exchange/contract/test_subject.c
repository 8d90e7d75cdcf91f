/* What a contract under one subject's consent may ask: that subject's rows, whatever the SQL looks
 * like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "exchange/contract/compile.h"

#define COLUMNS                                                                          \
    "\"columns\":[{\"name\":\"subject_id\",\"type\":\"INTEGER\",\"range\":[1,999],"      \
    "\"nullable\":false},{\"name\":\"other_id\",\"type\":\"INTEGER\",\"range\":[1,999]," \
    "\"nullable\":false},{\"name\":\"balance\",\"type\":\"INTEGER\",\"range\":[0,1000]," \
    "\"nullable\":false}],\"keys\":[],\"rows\":100,\"version\":1"
#define HASH "\"0000000000000000000000000000000000000000000000000000000000000000\""
#define SUBJECT(column) \
    ",\"max_rows_per_subject\":2,\"subject\":{\"column\":\"" column "\",\"scheme\":\"x\"}"
#define DATASET(more) "{\"schema_hash\":" HASH ",\"schema\":{" COLUMNS more "}}"

static const char same[] = "{\"bank_a/loans\":" DATASET(
    SUBJECT("subject_id")) ",\"bank_b/loans\":" DATASET(SUBJECT("subject_id")) "}";
static const char mixed[] = "{\"bank_a/loans\":" DATASET(
    SUBJECT("subject_id")) ",\"bank_b/loans\":" DATASET(SUBJECT("other_id")) "}";
static const char nobody[] =
    "{\"bank_a/loans\":" DATASET(SUBJECT("subject_id")) ",\"bank_b/loans\":" DATASET("") "}";

static fm_status draft(const char *datasets_text, const char *where, const char *consent,
                       const char *hidden, struct base_err *err)
{
    json_t *datasets = json_loads(datasets_text, 0, NULL);
    json_t *dids = json_pack("{s:s,s:s}", "bank_a", "did:a", "bank_b", "did:b"), *out = NULL;
    json_t *spec, *parameters;
    char sql[256], text[512];
    fm_status st;

    assert_non_null(datasets);
    (void)snprintf(sql, sizeof sql, "SELECT SUM(balance) AS s FROM loans%s%s",
                   where[0] != '\0' ? " WHERE " : "", where);
    (void)snprintf(text, sizeof text,
                   "[{\"name\":\"$1\",\"type\":\"INTEGER\",\"subject\":true,\"hidden\":%s}%s]",
                   hidden,
                   strstr(where, "$2") != NULL ? ",{\"name\":\"$2\",\"type\":\"INTEGER\"}" : "");
    parameters = json_loads(text, 0, NULL);
    spec = json_pack("{s:s,s:s,s:s,s:[sss],s:[s],s:o,s:i,s:o}", "name", "n", "purpose", "p", "sql",
                     sql, "compute", "bank_a", "bank_b", "bank_c", "recipients", "bank_a",
                     "parameters", parameters, "minimum_group", 1, "consent",
                     json_loads(consent, 0, NULL));
    assert_non_null(spec);
    st = contract_build(&out, spec, "bank_a", datasets, dids, 0, err);
    json_decref(out);
    json_decref(spec);
    json_decref(dids);
    json_decref(datasets);
    return st;
}

static const char first[] = "{\"requirement\":\"subject\",\"parameter\":1,\"modes\":[\"signed\"]}";

static void one_subject_is_enough(void **state)
{
    static const char *const good[] = {
        "subject_id = $1",
        "$1 = subject_id",
        "balance > 5 AND subject_id = $1",
        "(balance > 5 AND (other_id = 3 AND subject_id = $1)) AND NOT balance = 7",
        "subject_id IN ($1)",
        "subject_id = $1 AND (balance = $2 OR other_id = $2)",
    };
    struct base_err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (draft(same, good[i], first, "false", &err) != FM_OK)
            fail_msg("%s: %s", good[i], err.text);
}

static void others_are_refused(void **state)
{
    static const char *const bad[] = {
        "subject_id = $1 OR balance >= 0",
        "NOT subject_id = $1",
        "subject_id <> $1",
        "subject_id >= $1",
        "subject_id IN ($1, 7)",
        "subject_id BETWEEN $1 AND 999",
        "other_id = $1",
        "subject_id + 0 = $1",
        "subject_id = $2 AND balance > $1",
        "(subject_id = $1) IS NOT TRUE",
        "CASE WHEN subject_id = $1 THEN TRUE ELSE TRUE END",
        "subject_id = 7 AND balance <> $1",
        "(subject_id = $1 AND balance > 5) OR (subject_id = $1 AND balance < 6)",
    };
    struct base_err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (draft(same, bad[i], first, "false", &err) != FM_E_REFUSED)
            fail_msg("%s: %s", bad[i], err.text);
    assert_int_equal(draft(same, "subject_id = $1 OR balance > 1", first, "false", &err),
                     FM_E_REFUSED);
    assert_string_equal(err.text, "consent: rows of others than $1 would count: write WHERE "
                                  "subject_id = $1 AND ...");
}

/* Each dataset's own subject column counts; without one there is nobody to consent. */
static void datasets_decide(void **state)
{
    struct base_err err = {0};

    (void)state;
    assert_int_equal(draft(mixed, "subject_id = $1", first, "false", &err), FM_E_REFUSED);
    assert_int_equal(draft(mixed, "subject_id = $1 AND other_id = $1", first, "false", &err),
                     FM_OK);
    assert_int_equal(draft(nobody, "subject_id = $1", first, "false", &err), FM_E_REFUSED);
    assert_string_equal(err.text, "dataset bank_b/loans declares no subject: nobody could consent "
                                  "to a query of it");
}

static void requirement_is_known(void **state)
{
    struct base_err err = {0};

    (void)state;
    assert_int_equal(draft(same, "subject_id = $1", first, "true", &err), FM_E_REFUSED);
    assert_int_equal(draft(same, "subject_id = $1", "{\"requirement\":\"rows\"}", "false", &err),
                     FM_E_REFUSED);
    assert_int_equal(draft(same, "subject_id = $1",
                           "{\"requirement\":\"subject\",\"parameter\":2,\"modes\":[\"signed\"]}",
                           "false", &err),
                     FM_E_REFUSED);
    assert_int_equal(
        draft(same, "balance > $1", "{\"requirement\":\"none\",\"basis\":\"b\"}", "false", &err),
        FM_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_subject_is_enough),
        cmocka_unit_test(others_are_refused),
        cmocka_unit_test(datasets_decide),
        cmocka_unit_test(requirement_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
