/* Contracts: built from a specification, parsed, compiled again and compared; and the commitments
 * that query.open carries, against bytes put together here by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/json.h"
#include "exchange/contract/compile.h"

enum { NOW_MS = 1000000 };

static const uint8_t chain[32] = {7, 7, 7};

static json_t *parse(const char *text)
{
    struct base_err err = {0};
    json_t *json = NULL;

    if (base_json_parse(&json, text, strlen(text), &err) != FM_OK)
        fail_msg("%s: %s", text, err.text);
    return json;
}

/* ---- a small consortium ---- */

static const char schema_text[] =
    "{\"columns\":[{\"name\":\"subject_id\",\"type\":\"INTEGER\",\"range\":[1,99],\"nullable\":"
    "false},{\"name\":\"balance\",\"type\":\"DECIMAL(6,2)\",\"range\":[\"0.00\",\"999.99\"],"
    "\"nullable\":true},{\"name\":\"late\",\"type\":\"INTEGER\",\"range\":[0,90],\"nullable\":"
    "false}],\"subject\":{\"column\":\"subject_id\",\"scheme\":\"t.id\"},"
    "\"max_rows_per_subject\":2,\"rows\":50,\"keys\":[],\"version\":1}";

static const char spec_text[] =
    "{\"name\":\"sums\",\"purpose\":\"test\",\"sql\":\"SELECT SUM(balance) AS s, COUNT(*) AS n "
    "FROM loans WHERE late > $1\",\"compute\":[\"a\",\"b\",\"c\"],\"recipients\":[\"a\"],"
    "\"parameters\":[{\"name\":\"$1\",\"type\":\"INTEGER\",\"range\":[0,90]}],"
    "\"consent\":{\"requirement\":\"none\",\"basis\":\"statistics\"}}";

static json_t *datasets(void)
{
    static const char *const keys[] = {"a/loans", "b/loans"};
    json_t *all = json_object();

    for (size_t i = 0; i < 2; i++) {
        json_t *schema = parse(schema_text);
        struct base_err err = {0};
        uint8_t hash[32];
        char hex[65];
        assert_int_equal(base_json_hash(hash, schema, &err), FM_OK);
        base_hex(hex, hash, 32);
        json_object_set_new(
            all, keys[i],
            json_pack("{s:o,s:s,s:i}", "schema", schema, "schema_hash", hex, "data_version", 1));
    }
    return all;
}

static json_t *build(const char *text, struct base_err *err)
{
    json_t *spec = parse(text), *all = datasets(), *out = NULL;
    json_t *dids = json_pack("{s:s,s:s,s:s}", "a", "did:a", "b", "did:b", "c", "did:c");

    *err = (struct base_err){0};
    if (contract_build(&out, spec, "a", all, dids, NOW_MS, err) != FM_OK)
        assert_null(out);
    json_decref(spec);
    json_decref(all);
    json_decref(dids);
    return out;
}

static json_t *built(void)
{
    struct base_err err;
    json_t *contract = build(spec_text, &err);

    if (contract == NULL)
        fail_msg("%s", err.text);
    return contract;
}

/* Parses, compiles and compares, as a node does before its officer signs. */
static fm_status check(const json_t *json, const json_t *all, struct base_err *err)
{
    struct contract c;
    struct sql_plan plan;
    fm_status st;

    *err = (struct base_err){0};
    st = contract_parse(&c, json, err);
    if (st != FM_OK)
        return st;
    st = contract_compile(&plan, &c, all, err);
    if (st == FM_OK)
        sql_plan_release(&plan);
    contract_release(&c);
    return st;
}

static void what_was_built_compiles(void **state)
{
    json_t *json = built(), *all = datasets();
    const json_t *uses;
    struct contract c;
    struct base_err err;
    uint8_t hash[32], want[32];

    (void)state;
    assert_int_equal(check(json, all, &err), FM_OK);
    assert_int_equal(contract_parse(&c, json, &err), FM_OK);
    assert_int_equal(base_json_hash(want, json, &err), FM_OK);
    assert_memory_equal(c.id, want, 32);
    assert_string_equal(c.asker, "a");
    assert_string_equal(c.link, "lan");
    assert_string_equal(c.compute[2], "c");
    assert_int_equal(c.table_count, 2);
    assert_int_equal(c.expires, NOW_MS + INT64_C(31536000000));
    assert_int_equal(c.minimum_group, 5);
    assert_int_equal(c.subject_parameter, 0);
    assert_true(contract_is_provider(&c, "b") && !contract_is_provider(&c, "c"));
    assert_true(contract_is_recipient(&c, "a") && !contract_is_recipient(&c, "b"));
    assert_int_equal(contract_uses_of(&uses, hash, &c, "b", &err), FM_OK);
    assert_int_equal(base_json_hash(want, uses, &err), FM_OK);
    assert_memory_equal(hash, want, 32);
    assert_int_equal(contract_uses_of(&uses, hash, &c, "c", &err), FM_E_NOT_FOUND);
    contract_release(&c);
    json_decref(json);
    json_decref(all);
}

/* ---- altered contracts ---- */

static void set_text(json_t *json, const char *name, const char *value)
{
    assert_int_equal(json_object_set_new(json, name, json_string(value)), 0);
}

static void an_altered_contract_is_refused(void **state)
{
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    static const struct {
        const char *member, *value;
    } texts[] = {
        {"sql", "SELECT SUM(balance) AS s, COUNT(*) AS n FROM loans WHERE late >= $1"},
        {"sql", "SELECT MAX(balance) AS s, COUNT(*) AS n FROM loans WHERE late > $1"},
        {"sql", "SELECT SUM(balance) AS s, COUNT(*) AS n FROM b.loans WHERE late > $1"},
        {"plan_hash", zeros},
    };
    json_t *all = datasets();
    struct base_err err;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *json = built();
        set_text(json, texts[i].member, texts[i].value);
        assert_int_equal(check(json, all, &err), FM_E_REFUSED);
        assert_string_equal(err.text,
                            "the contract's SQL does not compile to the plan that it names");
        (void)json_object_set_new(json_object_get(json, "plan"), "format", json_integer(2));
        assert_int_equal(check(json, all, &err), FM_E_REFUSED);
        assert_string_equal(err.text,
                            "the contract's plan is of format 2, and this release makes plans of "
                            "format 3: draft the contract anew, and propose it");
        json_decref(json);
    }
    json_decref(all);
}

static void altered_guards_and_parameters_change_the_plan(void **state)
{
    json_t *json = built(), *all = datasets();
    struct base_err err;

    (void)state;
    json_object_set_new(json, "minimum_group", json_integer(4));
    assert_int_equal(check(json, all, &err), FM_E_REFUSED);
    json_decref(json);
    json = built();
    json_object_set_new(json_array_get(json_object_get(json, "parameters"), 0), "range",
                        parse("[0,80]"));
    assert_int_equal(check(json, all, &err), FM_E_REFUSED);
    json_decref(json);
    json = built();
    json_object_set_new(json, "recipients", parse("[\"a\",\"b\"]"));
    assert_int_equal(check(json, all, &err), FM_E_REFUSED);
    json_decref(json);
    json = built();
    json_object_set_new(json, "recipients", parse("[\"d\"]"));
    assert_int_equal(check(json, all, &err), FM_E_REFUSED);
    assert_non_null(strstr(err.text, "recipient d is neither asker, provider nor compute party"));
    json_decref(json);
    json_decref(all);
}

/* Uses that the officers would see, but that are not the plan's: fewer, more, or for nobody. */
static void altered_uses_are_refused(void **state)
{
    static const char *const others[] = {
        "{}", "{\"a\":[],\"b\":[]}",
        "{\"a\":[{\"column\":\"late\",\"uses\":[\"filter\"]}],\"b\":[{\"column\":\"late\","
        "\"uses\":[\"filter\"]}]}"};
    json_t *all = datasets();
    struct base_err err;

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        json_t *json = built();
        json_object_set_new(json, "uses", parse(others[i]));
        assert_int_equal(check(json, all, &err), FM_E_REFUSED);
        assert_string_equal(err.text, "the contract's uses are not those of its plan");
        json_decref(json);
    }
    json_decref(all);
}

/* A table beside those of the plan, before them, or none: b's node would open rows that the plan
 * does not speak of. */
static void altered_tables_are_refused(void **state)
{
    json_t *all = datasets();
    struct base_err err;

    (void)state;
    json_object_set(all, "b/notes", json_object_get(all, "b/loans"));
    for (int how = 0; how < 4; how++) {
        json_t *json = built(), *tables = json_object_get(json, "tables");
        json_t *more = json_deep_copy(json_array_get(tables, 1));
        set_text(more, "dataset", "notes");
        if (how == 0)
            json_array_insert(tables, 0, more);
        else if (how == 1)
            json_array_append(tables, more);
        else if (how == 2)
            set_text(json_array_get(tables, 0), "table", "a.loans");
        else
            json_object_set_new(json_array_get(tables, 1), "schema_version", json_integer(2));
        assert_int_equal(check(json, all, &err), FM_E_REFUSED);
        assert_string_equal(err.text, "the contract's tables are not those of its plan");
        json_decref(more);
        json_decref(json);
    }
    json_decref(all);
}

static void a_changed_dataset_is_refused(void **state)
{
    json_t *json = built(), *all = datasets();
    struct base_err err;

    (void)state;
    json_object_del(all, "b/loans");
    assert_int_equal(check(json, all, &err), FM_E_REFUSED);
    assert_non_null(strstr(err.text, "dataset b/loans is no longer what the contract pins"));
    json_decref(all);
    all = datasets();
    set_text(json_object_get(all, "a/loans"), "schema_hash",
             "1111111111111111111111111111111111111111111111111111111111111111");
    assert_int_equal(check(json, all, &err), FM_E_REFUSED);
    json_decref(all);
    all = datasets(); /* one more provider than the contract pins changes nothing */
    json_object_set(all, "c/loans", json_object_get(all, "a/loans"));
    assert_int_equal(check(json, all, &err), FM_OK);
    json_decref(all);
    json_decref(json);
}

static void every_missing_member_is_named(void **state)
{
    static const char *const needed[] = {
        "name",    "asker",      "purpose", "sql",        "protocol", "minimum_group", "expires",
        "compute", "recipients", "tables",  "parameters", "consent",  "plan_hash"};
    struct base_err err;
    struct contract c;

    (void)state;
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        json_t *json = built();
        assert_int_equal(json_object_del(json, needed[i]), 0);
        err = (struct base_err){0};
        assert_int_equal(contract_parse(&c, json, &err), FM_E_INPUT);
        assert_non_null(strstr(err.text, needed[i]));
        assert_null(c.json);
        json_object_set_new(json, needed[i], json_null());
        assert_int_equal(contract_parse(&c, json, &err), FM_E_INPUT);
        json_decref(json);
    }
}

/* ---- specifications ---- */

static void a_wrong_specification_says_where(void **state)
{
    static const struct {
        const char *from, *to, *says;
    } edits[] = {
        {"\"purpose\":\"test\"", "\"porpose\":\"test\"", "porpose"},
        {"\"name\":\"sums\"", "\"name\":5", "name"},
        {"[0,90]", "[0]", "parameter 1: member 'range' must be [least, greatest]"},
        {"[0,90]", "[0,true]", "parameter 1: member 'range' must be [least, greatest]"},
        {"\"recipients\":[\"a\"]", "\"recipients\":[]", "1 to 8 recipients"},
        {"\"recipients\":[\"a\"]", "\"recipients\":[7]", "recipients"},
        {"SUM(balance)", "SUM(balanse)", "did you mean balance"},
        {"{\"name\":\"$1\",\"type\":\"INTEGER\",\"range\":[0,90]}", "9", "parameter 1"},
        {"\"type\":\"INTEGER\",\"range\"", "\"type\":\"NUMBER\",\"range\"", "NUMBER"},
        {"FROM loans", "FROM lones", "loans"},
        {"\"name\":\"sums\"", "\"name\":\"sums\",\"link\":\"far\"",
         "member 'link' must be lan, metro or wan"},
    };
    struct base_err err;

    (void)state;
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        const char *at = strstr(spec_text, edits[i].from);
        struct base_buf text = {0};
        json_t *json;
        assert_non_null(at);
        base_buf_put(&text, spec_text, (size_t)(at - spec_text));
        base_buf_put_str(&text, edits[i].to);
        base_buf_put_str(&text, at + strlen(edits[i].from));
        json = build(base_buf_cstr(&text), &err);
        if (json != NULL || strstr(err.text, edits[i].says) == NULL)
            fail_msg("%s: '%s' does not say '%s'", edits[i].to, err.text, edits[i].says);
        base_buf_release(&text);
    }
    assert_null(build("[]", &err));
    assert_string_equal(err.text, "contract specification: must be a JSON object");
}

/* ---- commitments ---- */

static void a_commitment_is_what_the_header_says(void **state)
{
    static const uint8_t salt[32] = {1, 2, 3};
    static const char object[] = "{\"name\":\"$1\",\"value\":\"30\"}";
    static const char who[] = "{\"requester\":\"ann\",\"ticket\":\"T-1\"}";
    struct base_err err = {0};
    struct base_buf bytes = {0};
    uint8_t got[32], want[32], other[32];

    (void)state;
    base_buf_put(&bytes, "firmiana/parameter/v1", 22);
    base_buf_put(&bytes, chain, 32);
    base_buf_put(&bytes, salt, 32);
    base_buf_put(&bytes, object, strlen(object));
    base_hash(want, bytes.p, bytes.len);
    assert_int_equal(contract_parameter_commit(got, chain, salt, "$1", "30", &err), FM_OK);
    assert_memory_equal(got, want, 32);
    base_buf_clear(&bytes);
    base_buf_put(&bytes, "firmiana/requester/v1", 22);
    base_buf_put(&bytes, chain, 32);
    base_buf_put(&bytes, salt, 32);
    base_buf_put(&bytes, who, strlen(who));
    base_hash(want, bytes.p, bytes.len);
    assert_int_equal(contract_requester_commit(got, chain, salt, "ann", "T-1", &err), FM_OK);
    assert_memory_equal(got, want, 32);
    /* The border between the two texts counts. */
    assert_int_equal(contract_requester_commit(other, chain, salt, "annT", "-1", &err), FM_OK);
    assert_memory_not_equal(got, other, 32);
    base_buf_release(&bytes);
}

/* Two parameters, the second hidden: as the asker commits to them, and opens the first. */
static void committed(struct contract *c, uint8_t hash32[32], json_t **openings)
{
    struct contract_opening o[2] = {{.salt = {1}}, {.salt = {2}}};
    struct base_err err = {0};
    char salt[65], hidden[65];

    *c = (struct contract){.parameter_count = 2};
    c->parameters[0] = (struct contract_parameter){"$1", "INTEGER", false, false};
    c->parameters[1] = (struct contract_parameter){"$2", "INTEGER", true, false};
    assert_int_equal(contract_parameter_commit(o[0].hash, chain, o[0].salt, "$1", "30", &err), 0);
    assert_int_equal(contract_parameter_commit(o[1].hash, chain, o[1].salt, "$2", "31", &err), 0);
    contract_parameters_hash(hash32, o, 2);
    base_hex(salt, o[0].salt, 32);
    base_hex(hidden, o[1].hash, 32);
    *openings = json_pack("{s:[{s:s,s:s},{s:s}],s:[]}", "parameters", "value", "30", "salt", salt,
                          "hash", hidden, "consents");
}

static void openings_open_what_was_committed(void **state)
{
    struct contract_opening o[CONTRACT_MAX_PARAMETERS];
    struct base_err err = {0};
    struct contract c;
    uint8_t hash[32], elsewhere[32] = {8};
    json_t *json;

    (void)state;
    committed(&c, hash, &json);
    assert_int_equal(contract_open_parameters(o, &c, json, chain, hash, &err), FM_OK);
    assert_string_equal(o[0].value, "30");
    assert_null(o[1].value);
    assert_int_equal(contract_open_parameters(o, &c, json, elsewhere, hash, &err), FM_E_REFUSED);
    hash[31] ^= 1;
    assert_int_equal(contract_open_parameters(o, &c, json, chain, hash, &err), FM_E_REFUSED);
    assert_string_equal(err.text, "the parameters are not those that query.open committed to");
    json_decref(json);
}

static void other_openings_do_not(void **state)
{
    static const struct {
        size_t which;
        const char *text;
        fm_status want;
    } others[] = {
        {0, "{\"value\":\"31\",\"salt\":\"01%s\"}", FM_E_REFUSED},
        {0, "{\"value\":\"30\",\"salt\":\"02%s\"}", FM_E_REFUSED},
        {1, "{\"hash\":\"01%s\"}", FM_E_REFUSED},
        {0, "{\"value\":\"30\"}", FM_E_INPUT},
        {0, "{\"value\":30,\"salt\":\"01%s\"}", FM_E_INPUT},
        {0, "{\"value\":\"30\",\"salt\":\"01\"}", FM_E_INPUT},
        {0, "{\"hash\":\"01%s\"}", FM_E_INPUT}, /* a shown parameter cannot be hidden */
        {1, "{\"value\":\"31\",\"salt\":\"02%s\"}", FM_E_INPUT}, /* nor the other way round */
        {0, "7", FM_E_INPUT},
    };
    char zeros[63];

    (void)state;
    memset(zeros, '0', 62);
    zeros[62] = '\0';
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct contract_opening o[CONTRACT_MAX_PARAMETERS];
        struct base_err err = {0};
        struct base_buf text = {0};
        const char *mark = strstr(others[i].text, "%s");
        struct contract c;
        uint8_t hash[32];
        json_t *json, *one = NULL;
        committed(&c, hash, &json);
        base_buf_put(&text, others[i].text,
                     mark != NULL ? (size_t)(mark - others[i].text) : strlen(others[i].text));
        if (mark != NULL) {
            base_buf_put_str(&text, zeros);
            base_buf_put_str(&text, mark + 2);
        }
        one = json_loads(base_buf_cstr(&text), JSON_DECODE_ANY, NULL);
        assert_non_null(one);
        json_array_set_new(json_object_get(json, "parameters"), others[i].which, one);
        if (contract_open_parameters(o, &c, json, chain, hash, &err) != others[i].want)
            fail_msg("%s: %s", base_buf_cstr(&text), err.text);
        base_buf_release(&text);
        json_decref(json);
    }
}

static void too_few_openings_and_consents(void **state)
{
    struct contract_opening o[CONTRACT_MAX_PARAMETERS];
    struct base_err err = {0};
    struct contract c;
    uint8_t hash[32], nonce[32];
    json_t *json, *consents = parse("[{\"parameter\":2,\"nonce\":\"00000000000000000000000000000000"
                                    "00000000000000000000000000000009\"}]");

    (void)state;
    committed(&c, hash, &json);
    json_array_remove(json_object_get(json, "parameters"), 1);
    assert_int_equal(contract_open_parameters(o, &c, json, chain, hash, &err), FM_E_INPUT);
    assert_string_equal(err.text, "openings: 1 parameters for a contract of 2");
    json_object_set_new(json, "consents", consents);
    assert_int_equal(contract_open_consent(nonce, json, 2, &err), FM_OK);
    assert_int_equal(nonce[31], 9);
    assert_int_equal(contract_open_consent(nonce, json, 1, &err), FM_E_INPUT);
    assert_string_equal(err.text, "openings: no consent for parameter 1");
    json_object_del(json, "consents");
    assert_int_equal(contract_open_consent(nonce, json, 2, &err), FM_E_INPUT);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_built_compiles),
        cmocka_unit_test(an_altered_contract_is_refused),
        cmocka_unit_test(altered_guards_and_parameters_change_the_plan),
        cmocka_unit_test(altered_uses_are_refused),
        cmocka_unit_test(altered_tables_are_refused),
        cmocka_unit_test(a_changed_dataset_is_refused),
        cmocka_unit_test(every_missing_member_is_named),
        cmocka_unit_test(a_wrong_specification_says_where),
        cmocka_unit_test(a_commitment_is_what_the_header_says),
        cmocka_unit_test(openings_open_what_was_committed),
        cmocka_unit_test(other_openings_do_not),
        cmocka_unit_test(too_few_openings_and_consents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
