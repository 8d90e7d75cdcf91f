/* Writing a schema: the normal form of schema.md. Jansson reports a failed allocation by -1 or
 * NULL; both end in one place. */
#include "exchange/data/schema.h"

static json_t *bound_json(const struct data_type *type, int64_t value)
{
    char text[DATA_VALUE_TEXT];

    if (type->kind == DATA_INTEGER && value >= -BASE_JSON_MAX_INT && value <= BASE_JSON_MAX_INT)
        return json_integer(value);
    data_value_format(text, type, value);
    return json_string(text);
}

static json_t *column_json(const struct data_column *column)
{
    char type[DATA_TYPE_TEXT];
    json_t *out;

    data_type_format(type, &column->type);
    out = json_pack("{s:s, s:s, s:b}", "name", column->name, "type", type, "nullable",
                    column->nullable ? 1 : 0);
    if (out != NULL && column->values != NULL &&
        json_object_set(out, "values", column->values) != 0) {
        json_decref(out);
        return NULL;
    }
    if (out == NULL || column->type.kind == DATA_BOOLEAN || column->type.kind == DATA_TEXT)
        return out;
    if (json_object_set_new(out, "range",
                            json_pack("[o, o]", bound_json(&column->type, column->min),
                                      bound_json(&column->type, column->max))) != 0) {
        json_decref(out);
        return NULL;
    }
    return out;
}

static json_t *columns_json(const struct data_schema *schema)
{
    json_t *out = json_array();

    for (size_t i = 0; out != NULL && i < schema->column_count; i++) {
        if (json_array_append_new(out, column_json(&schema->columns[i])) != 0) {
            json_decref(out);
            out = NULL;
        }
    }
    return out;
}

static json_t *keys_json(const struct data_schema *schema)
{
    json_t *out = json_array();

    for (size_t i = 0; out != NULL && i < schema->key_count; i++) {
        const struct data_key *key = &schema->keys[i];
        json_t *item = json_pack("{s:s, s:I}", "column", schema->columns[key->column].name,
                                 "max_rows", (json_int_t)key->max_rows);
        if (json_array_append_new(out, item) != 0) {
            json_decref(out);
            out = NULL;
        }
    }
    return out;
}

fm_status data_schema_to_json(json_t **out, const struct data_schema *schema, struct base_err *err)
{
    json_t *json = json_pack("{s:o, s:o, s:I, s:I}", "columns", columns_json(schema), "keys",
                             keys_json(schema), "rows", (json_int_t)schema->rows, "version",
                             (json_int_t)schema->version);
    int failed = json == NULL;

    *out = NULL;
    if (!failed && schema->subject != DATA_NO_COLUMN) {
        failed |= json_object_set_new(json, "subject",
                                      json_pack("{s:s, s:s}", "column",
                                                schema->columns[schema->subject].name, "scheme",
                                                schema->scheme)) != 0;
        failed |= json_object_set_new(json, "max_rows_per_subject",
                                      json_integer(schema->max_rows_per_subject)) != 0;
    }
    if (failed) {
        json_decref(json);
        return base_err_memory(err, "schema");
    }
    *out = json;
    return FM_OK;
}

fm_status data_schema_hash(uint8_t out32[32], const struct data_schema *schema,
                           struct base_err *err)
{
    json_t *json;
    fm_status st = data_schema_to_json(&json, schema, err);

    if (st != FM_OK)
        return st;
    st = base_json_hash(out32, json, err);
    json_decref(json);
    return st;
}
