/* The validator beside the JSON Schema organisation's own test suite (Debian's
 * json-schema-test-suite, or the folder in $JSON_SCHEMA_TESTS), and what it must refuse. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/json.h"
#include "did/credential/json_schema_own.h"
#include "did/credential/schemas.h"
#include "did/test_tools.h"

#define SUITE "/usr/share/json-schema-test-suite/tests/draft7"

static const char *const files[] = {
    "additionalProperties",
    "allOf",
    "anyOf",
    "boolean_schema",
    "const",
    "enum",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "oneOf",
    "pattern",
    "properties",
    "ref",
    "required",
    "type",
    "uniqueItems",
    "defs",
    "infinite-loop-detection",
};

/* Values outside base/json.h's subset are not ours to judge. */
static bool is_ours(const json_t *value, unsigned depth)
{
    const json_t *below;
    const char *name;
    size_t i;
    bool ours = !json_is_real(value) && depth < BASE_JSON_MAX_DEPTH;

    json_array_foreach(value, i, below) ours = ours && is_ours(below, depth + 1);
    json_object_foreach((json_t *)(uintptr_t)value, name, below) ours =
        ours && is_ours(below, depth + 1);
    return ours;
}

struct tally {
    unsigned right, left_out, schemas, unknown;
};

static void run_group(struct tally *t, const char *file, const json_t *group)
{
    const json_t *schema = json_object_get(group, "schema"), *test;
    struct base_err err = {0};
    size_t i;

    if (credential_json_schema_check(schema, &err) != FM_OK) {
        t->unknown++;
        return;
    }
    t->schemas++;
    json_array_foreach(json_object_get(group, "tests"), i, test)
    {
        const json_t *value = json_object_get(test, "data");
        bool valid = json_is_true(json_object_get(test, "valid"));
        fm_status st;
        if (!is_ours(value, 0) || !is_ours(schema, 0)) {
            t->left_out++;
            continue;
        }
        st = credential_json_schema_validate(schema, schema, value, CREDENTIAL_SCHEMA_WHOLE, &err);
        if ((st != FM_OK && st != FM_E_INVALID) || (st == FM_OK) != valid)
            fail_msg("%s: %s: %s: %s %s", file,
                     json_string_value(json_object_get(group, "description")),
                     json_string_value(json_object_get(test, "description")), fm_status_name(st),
                     err.text);
        t->right++;
    }
}

static void the_suite(void **state)
{
    const char *folder = getenv("JSON_SCHEMA_TESTS");
    struct tally t = {0};

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[512];
        json_t *groups, *group;
        size_t k;
        (void)snprintf(path, sizeof path, "%s/%s.json", folder == NULL ? SUITE : folder, files[i]);
        groups = json_load_file(path, JSON_ALLOW_NUL, NULL);
        json_array_foreach(groups, k, group) run_group(&t, files[i], group);
        json_decref(groups);
    }
    if (t.right == 0)
        skip();
    printf("%u cases of %u schemas right; %u schemas with keywords not known here, %u values with "
           "fractions left out\n",
           t.right, t.schemas, t.unknown, t.left_out);
    assert_true(t.right > 200);
}

/* ---- ours ---- */

static json_t *json_of(const char *text)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);

    if (json == NULL)
        fail_msg("no JSON: %s", text);
    return json;
}

static void expect_schema(const char *text, fm_status wanted, const char *say)
{
    json_t *schema = json_of(text);
    struct base_err err = {0};

    tools_expect(credential_json_schema_check(schema, &err), wanted, &err, say);
    json_decref(schema);
}

static void schemas(void **state)
{
    (void)state;
    expect_schema("{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\"}", FM_OK, "");
    expect_schema("true", FM_OK, "");
    expect_schema("{\"$schema\":\"http://json-schema.org/draft-07/schema#\"}", FM_E_INPUT,
                  "/$schema: must be 'https://json-schema.org");
    expect_schema("{\"properties\":{\"a\":{\"format\":\"date\"}}}", FM_E_UNSUPPORTED,
                  "/properties/a/format: this keyword is not known");
    expect_schema("{\"patternProperties\":{}}", FM_E_UNSUPPORTED, "/patternProperties");
    expect_schema("{\"not\":{}}", FM_E_UNSUPPORTED, "/not");
    expect_schema("[]", FM_E_INPUT, "the whole: a schema must be an object");
    expect_schema("{\"items\":[{}]}", FM_E_INPUT, "/items: a schema must be");
    expect_schema("{\"type\":\"float\"}", FM_E_INPUT, "/type: must be the name of a type");
    expect_schema("{\"type\":[]}", FM_E_INPUT, "/type: must hold names of types");
    expect_schema("{\"type\":[[\"string\"]]}", FM_E_INPUT, "/type: must hold names of types");
    expect_schema("{\"required\":\"a\"}", FM_E_INPUT, "/required: must be an array");
    expect_schema("{\"required\":[1]}", FM_E_INPUT, "/required: must hold strings");
    expect_schema("{\"minLength\":-1}", FM_E_INPUT, "/minLength: must be a number from 0");
    expect_schema("{\"minimum\":1.5}", FM_E_INPUT, "/minimum: must be an integer");
    expect_schema("{\"allOf\":[]}", FM_E_INPUT, "/allOf: must be an array of schemas");
    expect_schema("{\"anyOf\":[1]}", FM_E_INPUT, "/anyOf/0: a schema must be");
    expect_schema("{\"properties\":[]}", FM_E_INPUT, "/properties: must be an object of schemas");
    expect_schema("{\"uniqueItems\":1}", FM_E_INPUT, "/uniqueItems: must be true or false");
    expect_schema("{\"enum\":1}", FM_E_INPUT, "/enum: must be an array");
    expect_schema("{\"title\":1}", FM_E_INPUT, "/title: must be a string");
    expect_schema("{\"$ref\":\"#/$defs/a\"}", FM_E_INPUT, "/$ref: must be '#' or");
    expect_schema("{\"$ref\":\"#/$defs/a/b\",\"$defs\":{\"a/b\":{}}}", FM_E_INPUT,
                  "/$ref: must be");
    expect_schema("{\"pattern\":\"a{64}\"}", FM_OK, "");
    expect_schema("{\"pattern\":\"[{9}]a{1,40}b{24}\"}", FM_OK, "");
    expect_schema("{\"pattern\":\"a{1,40}b{25}\"}", FM_E_INPUT, "repetitions of at most 64");
    expect_schema("{\"$ref\":\"https://x.example/s\"}", FM_E_INPUT, "/$ref: must be '#' or");
    expect_schema("{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{}}}", FM_OK, "");
}

static void patterns(void **state)
{
    static const char *const fine[] = {"[.]?x",    "[a^b]", "^[0-9]{17}[0-9X]$",
                                       "^a?b*c+$", "a.c",   "^[a-z][a-z0-9_]*$",
                                       "^[^a]$",   ""};
    static const char *const wrong[] = {
        "(a)",  "a|b",     "\\\\d",        "[[:alpha:]]", "a{256}", "a{1,999}", "a{9}{9}",
        "a**",  "*a",      "^*a",          "[",           "a{",     "[a^]",     "[[a]",
        "[]a]", "\\u00e9", "[[.hyphen.]]", "{2}",
    };
    char text[128];

    (void)state;
    for (size_t i = 0; i < sizeof fine / sizeof fine[0]; i++) {
        (void)snprintf(text, sizeof text, "{\"pattern\":\"%s\"}", fine[i]);
        expect_schema(text, FM_OK, "");
    }
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        (void)snprintf(text, sizeof text, "{\"pattern\":\"%s\"}", wrong[i]);
        expect_schema(text, FM_E_INPUT, "/pattern: must be a pattern without groups");
    }
}

static void expect_verdict(const char *schema_text, const char *value_text,
                           enum credential_schema_whole whole, fm_status wanted, const char *say)
{
    json_t *schema = json_of(schema_text), *value = json_of(value_text);
    struct base_err err = {0};

    tools_expect(credential_json_schema_check(schema, &err), FM_OK, &err, "");
    tools_expect(credential_json_schema_validate(schema, schema, value, whole, &err), wanted, &err,
                 say);
    json_decref(schema);
    json_decref(value);
}

static void places(void **state)
{
    static const char nested[] =
        "{\"properties\":{\"a/b\":{\"items\":{\"required\":[\"c\"],\"properties\":"
        "{\"c\":{\"type\":\"string\"}},\"additionalProperties\":false}}}}";

    (void)state;
    expect_verdict(nested, "{\"a/b\":[{\"c\":\"x\"}]}", CREDENTIAL_SCHEMA_WHOLE, FM_OK, "");
    expect_verdict(nested, "{\"a/b\":[{\"c\":\"x\"},{}]}", CREDENTIAL_SCHEMA_WHOLE, FM_E_INVALID,
                   "/a~1b/1/c is missing");
    expect_verdict(nested, "{\"a/b\":[{\"c\":1}]}", CREDENTIAL_SCHEMA_WHOLE, FM_E_INVALID,
                   "/a~1b/0/c must be of type string");
    expect_verdict(nested, "{\"a/b\":[{\"c\":\"x\",\"d\":1}]}", CREDENTIAL_SCHEMA_WHOLE,
                   FM_E_INVALID, "/a~1b/0/d must not be there");
}

/* What a holder left out is not missed; what is there must be right. */
static void parts(void **state)
{
    static const char schema[] =
        "{\"required\":[\"a\",\"b\"],\"minProperties\":2,\"properties\":"
        "{\"a\":{\"minItems\":2,\"items\":{\"type\":\"integer\"}},"
        "\"b\":{\"oneOf\":[{\"required\":[\"x\"]},{\"required\":[\"y\"]}]}}}";

    (void)state;
    expect_verdict(schema, "{\"a\":[1]}", CREDENTIAL_SCHEMA_WHOLE, FM_E_INVALID, "");
    expect_verdict(schema, "{\"a\":[1]}", CREDENTIAL_SCHEMA_PART, FM_OK, "");
    expect_verdict(schema, "{\"b\":{}}", CREDENTIAL_SCHEMA_PART, FM_OK, "");
    expect_verdict(schema, "{\"a\":[\"x\"]}", CREDENTIAL_SCHEMA_PART, FM_E_INVALID,
                   "/a/0 must be of type");
}

static void work(void **state)
{
    static const char twice[] =
        "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"anyOf\":[{\"$ref\":\"#/$defs/a\"},"
        "{\"$ref\":\"#/$defs/a\"}]}}}";
    struct base_buf many = {0};

    (void)state;
    expect_verdict("{\"$ref\":\"#\"}", "1", CREDENTIAL_SCHEMA_WHOLE, FM_E_LIMIT, "back to itself");
    expect_verdict(twice, "1", CREDENTIAL_SCHEMA_WHOLE, FM_E_LIMIT, "back to itself");
    base_buf_put_str(&many, "[0");
    for (int i = 1; i < 1500; i++)
        base_buf_putf(&many, ",%d", i);
    base_buf_put_str(&many, "]");
    expect_verdict("{\"uniqueItems\":true}", base_buf_cstr(&many), CREDENTIAL_SCHEMA_WHOLE,
                   FM_E_LIMIT, "uniqueItems over 1500");
    base_buf_clear(&many);
    base_buf_put_u8(&many, '"');
    for (int i = 0; i < 1500; i++)
        base_buf_put_u8(&many, i * i % 7 % 2 == 0 ? 'a' : 'b');
    base_buf_put_u8(&many, '"');
    expect_verdict("{\"pattern\":\"^[ab]*$\"}", base_buf_cstr(&many), CREDENTIAL_SCHEMA_WHOLE,
                   FM_OK, "");
    expect_verdict("{\"pattern\":\"[ab]*a[ab]{63}c\"}", base_buf_cstr(&many),
                   CREDENTIAL_SCHEMA_WHOLE, FM_E_LIMIT, "pattern on 1500 bytes");
    base_buf_clear(&many);
    base_buf_put_str(&many, "\"b");
    for (int i = 0; i < CREDENTIAL_PATTERN_TEXT; i++)
        base_buf_put_u8(&many, 'a');
    base_buf_put_u8(&many, '"');
    expect_verdict("{\"pattern\":\"b\"}", base_buf_cstr(&many), CREDENTIAL_SCHEMA_WHOLE, FM_E_LIMIT,
                   "pattern on 4097");
    base_buf_release(&many);
}

/* What comes with the program. */
static void made(void **state)
{
    struct credential_schema one;
    size_t n = 0;

    (void)state;
    for (; credential_schema_at(&one, n); n++) {
        json_t *schema = json_of(one.text);
        assert_string_equal(json_string_value(json_object_get(schema, "$id")), one.id);
        json_decref(schema);
        expect_schema(one.text, FM_OK, "");
    }
    assert_int_equal(n, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_suite), cmocka_unit_test(schemas), cmocka_unit_test(patterns),
        cmocka_unit_test(places),    cmocka_unit_test(parts),   cmocka_unit_test(work),
        cmocka_unit_test(made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
