/* JSON Schemas of others, and values that are asked: {"schema": ..., "value": ...}.
 *
 * Laws: a schema that is taken can be asked of any value, and gives a verdict, or says that it asks
 * too much; what obeys it obeys it too where parts may be missing. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "did/credential/schemas.h"
#include "tests/fuzz/fuzz.h"

static fm_status ask(const json_t *schema, const json_t *value, enum credential_schema_whole whole)
{
    struct base_err err = {0};
    fm_status st = credential_json_schema_validate(schema, schema, value, whole, &err);

    fuzz_law(st == FM_OK || ((st == FM_E_INVALID || st == FM_E_LIMIT) && err.text[0] != '\0'),
             "there is a verdict, and a refusal says why");
    return st;
}

static void check(const json_t *schema, json_t *value)
{
    bool is_whole = ask(schema, value, CREDENTIAL_SCHEMA_WHOLE) == FM_OK;
    bool is_part = ask(schema, value, CREDENTIAL_SCHEMA_PART) != FM_E_INVALID;

    fuzz_law(is_part || !is_whole, "what obeys a schema obeys it in part");
}

static void run(const uint8_t *data, size_t size)
{
    struct base_err err = {0};
    json_t *input, *schema, *value;

    if (base_json_parse(&input, (const char *)data, size, &err) != FM_OK)
        return;
    schema = json_object_get(input, "schema");
    value = json_object_get(input, "value");
    if (schema != NULL && value != NULL) {
        if (credential_json_schema_check(schema, &err) == FM_OK)
            check(schema, value);
        else
            fuzz_law((err.code == FM_E_INPUT || err.code == FM_E_UNSUPPORTED) &&
                         err.text[0] != '\0',
                     "a refusal says why");
    }
    json_decref(input);
}

static const char *const values[] = {
    "{\"schema\":{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"pattern\":"
    "\"^[a-z]{2,3}$\",\"maxLength\":3},\"b\":{\"items\":{\"$ref\":\"#/$defs/n\"},\"uniqueItems\":"
    "true,\"minItems\":1}},\"additionalProperties\":false,\"$defs\":{\"n\":{\"type\":[\"integer\","
    "\"boolean\"],\"minimum\":0,\"maximum\":9}}},\"value\":{\"a\":\"xy\",\"b\":[1,true]}}",
    "{\"schema\":{\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}],\"minProperties\":1},"
    "\"value\":{\"a\":{\"a\":{\"b\":1}}}}",
    "{\"schema\":{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"anyOf\":[{\"enum\":[1,\"x\"]},{"
    "\"maxProperties\":3}],\"allOf\":[{\"const\":{\"a\":1}},true]},\"value\":{\"a\":1}}",
};

static void begin(struct fuzz_corpus *corpus)
{
    static const char value[] = "{\"credentialSubject\":{\"id\":\"did:key:z6Mk\",\"name\":\"Li\","
                                "\"level\":\"basic\",\"kind\":\"diploma\",\"title\":\"BSc\","
                                "\"awardedOn\":\"2026-06-30\"}}";
    struct credential_schema one;

    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        fuzz_add(corpus, values[i], strlen(values[i]));
    for (size_t i = 0; credential_schema_at(&one, i); i++) {
        struct base_buf bytes = {0};
        struct base_err err = {0};
        json_t *input = json_pack("{s:o, s:o}", "schema", json_loads(one.text, 0, NULL), "value",
                                  json_loads(value, 0, NULL));
        fuzz_law(base_json_canonical(&bytes, input, &err) == FM_OK, err.text);
        fuzz_add(corpus, bytes.p, bytes.len);
        base_buf_release(&bytes);
        json_decref(input);
    }
}

static const char *const words[] = {
    "$ref",     "#",         "#/$defs/n", "$defs",    "type",        "string",     "object",
    "integer",  "array",     "enum",      "const",    "allOf",       "anyOf",      "oneOf",
    "required", "minLength", "pattern",   "^[a-z]*$", "a{255}",      "items",      "minItems",
    "[^a]",     "maximum",   "0",         "255",      "uniqueItems", "properties", NULL};
const struct fuzz_target fuzz_target = {"schema", FUZZ_JSON, 8192, words, begin, run};
