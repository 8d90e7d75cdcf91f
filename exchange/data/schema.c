#include "exchange/data/schema.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void data_schema_release(struct data_schema *schema)
{
    for (size_t i = 0; schema->columns != NULL && i < schema->column_count; i++)
        json_decref(schema->columns[i].values);
    free(schema->columns);
    memset(schema, 0, sizeof *schema);
    schema->subject = DATA_NO_COLUMN;
}

fm_status data_schema_copy(struct data_schema *out, const struct data_schema *schema,
                           struct base_err *err)
{
    *out = *schema;
    out->columns = calloc(schema->column_count + 1, sizeof *out->columns);
    if (out->columns == NULL) {
        out->column_count = 0;
        data_schema_release(out);
        return base_err_memory(err, "schema");
    }
    memcpy(out->columns, schema->columns, schema->column_count * sizeof *out->columns);
    for (size_t i = 0; i < schema->column_count; i++) /* nobody changes it */
        json_incref(out->columns[i].values);
    return FM_OK;
}

size_t data_schema_find(const struct data_schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->column_count; i++)
        if (data_name_equal(schema->columns[i].name, name))
            return i;
    return DATA_NO_COLUMN;
}

fm_status data_column_check(const struct data_column *column, int64_t value, struct base_err *err)
{
    char least[DATA_VALUE_TEXT], greatest[DATA_VALUE_TEXT];

    assert(column->type.kind != DATA_TEXT);
    if (value >= column->min && value <= column->max)
        return FM_OK;
    data_value_format(least, &column->type, column->min);
    data_value_format(greatest, &column->type, column->max);
    return base_err_set(err, FM_E_INPUT, "outside the declared range %s to %s", least, greatest);
}

fm_status data_column_check_text(const struct data_column *column, const char *text, size_t len,
                                 struct base_err *err)
{
    const json_t *item;
    size_t i;
    fm_status st = data_text_check(&column->type, text, len, err);

    if (st != FM_OK || column->values == NULL)
        return st;
    json_array_foreach(column->values, i,
                       item) if (json_string_length(item) == len &&
                                 memcmp(json_string_value(item), text, len) == 0) return FM_OK;
    return base_err_set(err, FM_E_INPUT, "not one of the column's declared values");
}

/* ---- reading ---- */

static bool has_range(const struct data_type *type)
{
    return type->kind == DATA_INTEGER || type->kind == DATA_DECIMAL || type->kind == DATA_DATE;
}

/* One end of a range: an integer, or the text of a value of the column's type. */
static fm_status bound_read(int64_t *out, const struct data_type *type, const json_t *json,
                            struct base_err *err)
{
    if (json_is_integer(json) && type->kind == DATA_INTEGER) {
        *out = json_integer_value(json);
        return FM_OK;
    }
    if (json_is_string(json))
        return data_value_parse(out, type, json_string_value(json), json_string_length(json), err);
    return base_err_set(err, FM_E_INPUT, "write each end as %s",
                        type->kind == DATA_INTEGER ? "an integer" : "a string");
}

static fm_status range_read(struct data_column *column, const json_t *json, struct base_err *err)
{
    const json_t *range = json_object_get(json, "range");
    fm_status st;

    data_type_limits(&column->min, &column->max, &column->type);
    if (!has_range(&column->type)) {
        if (range != NULL)
            return base_err_set(err, FM_E_INPUT, "range: a %s column has none",
                                column->type.kind == DATA_TEXT ? "TEXT" : "BOOLEAN");
        return FM_OK;
    }
    if (!json_is_array(range) || json_array_size(range) != 2)
        return base_err_set(err, FM_E_INPUT, "range: needed, as [least, greatest]");
    st = bound_read(&column->min, &column->type, json_array_get(range, 0), err);
    if (st == FM_OK)
        st = bound_read(&column->max, &column->type, json_array_get(range, 1), err);
    if (st == FM_OK && column->min > column->max)
        st = base_err_set(err, FM_E_INPUT, "the least value is above the greatest");
    return st == FM_OK ? st : base_err_prefix(err, "range");
}

/* Ascending, so that equal lists are written alike and none stands twice. */
static fm_status values_read(struct data_column *column, const json_t *json, struct base_err *err)
{
    json_t *values = json_object_get(json, "values"), *item;
    const char *last = NULL;
    fm_status st = FM_OK;
    size_t i;

    if (values == NULL)
        return FM_OK;
    if (column->type.kind != DATA_TEXT)
        return base_err_set(err, FM_E_INPUT, "values: only a TEXT column has them");
    if (!json_is_array(values) || json_array_size(values) < 1 ||
        json_array_size(values) > DATA_VALUES_MAX)
        return base_err_set(err, FM_E_INPUT, "values: a list of 1 to %d texts", DATA_VALUES_MAX);
    json_array_foreach(values, i, item)
    {
        if (!json_is_string(item))
            return base_err_set(err, FM_E_INPUT, "values[%zu]: must be a text", i);
        st = data_text_check(&column->type, json_string_value(item), json_string_length(item), err);
        if (st == FM_OK && last != NULL && strcmp(last, json_string_value(item)) >= 0)
            st = base_err_set(err, FM_E_INPUT, "must stand after the one before it, byte by byte");
        if (st != FM_OK)
            return base_err_prefix(err, "values[%zu]", i);
        last = json_string_value(item);
    }
    column->values = json_deep_copy(values);
    return column->values != NULL ? FM_OK : base_err_memory(err, "schema");
}

static fm_status column_read(struct data_schema *schema, const json_t *json, struct base_err *err)
{
    static const char *const members[] = {"name", "type", "range", "nullable", "values", NULL};
    struct data_column *column = &schema->columns[schema->column_count];
    const char *name, *type;
    fm_status st;

    if (!json_is_object(json))
        return base_err_set(err, FM_E_INPUT, "must be an object");
    st = base_json_get_str(&name, json, "name", err);
    if (st != FM_OK)
        return st;
    if (!data_name_valid(name))
        return base_err_set(err, FM_E_INPUT,
                            "the name is not an identifier of letters, digits and '_', at most "
                            "%d bytes",
                            DATA_NAME_MAX);
    if (data_schema_find(schema, name) != DATA_NO_COLUMN)
        return base_err_set(err, FM_E_INPUT, "'%s': a column of that name stands before", name);
    memcpy(column->name, name, strlen(name) + 1);
    st = base_json_only(json, members, err);
    if (st == FM_OK)
        st = base_json_get_str(&type, json, "type", err);
    if (st == FM_OK)
        st = data_type_parse(&column->type, type, err);
    if (st == FM_OK)
        st = range_read(column, json, err);
    if (st == FM_OK && json_object_get(json, "nullable") != NULL)
        st = base_json_get_bool(&column->nullable, json, "nullable", err);
    if (st == FM_OK)
        st = values_read(column, json, err);
    if (st != FM_OK)
        return base_err_prefix(err, "'%s'", name);
    schema->column_count++;
    return FM_OK;
}

static fm_status columns_read(struct data_schema *out, const json_t *json, struct base_err *err)
{
    json_t *columns, *item;
    fm_status st = base_json_get_array(&columns, json, "columns", err);
    size_t i;

    if (st != FM_OK)
        return st;
    if (json_array_size(columns) < 1 || json_array_size(columns) > DATA_COLUMNS_MAX)
        return base_err_set(err, FM_E_INPUT, "columns: 1 to %d are possible", DATA_COLUMNS_MAX);
    out->columns = calloc(json_array_size(columns), sizeof *out->columns);
    if (out->columns == NULL)
        return base_err_memory(err, "schema");
    json_array_foreach(columns, i, item)
    {
        st = column_read(out, item, err);
        if (st != FM_OK)
            return base_err_prefix(err, "columns[%zu]", i);
    }
    return FM_OK;
}

/* member `name` of json, 1..limit. */
static fm_status count_read(int64_t *out, const json_t *json, const char *name, int64_t limit,
                            struct base_err *err)
{
    fm_status st = base_json_get_int(out, json, name, err);

    if (st == FM_OK && (*out < 1 || *out > limit))
        return base_err_set(err, FM_E_INPUT, "%s: must lie within 1 and %lld", name,
                            (long long)limit);
    return st;
}

static fm_status column_named(size_t *out, const struct data_schema *schema, const json_t *json,
                              struct base_err *err)
{
    const char *name;
    fm_status st = base_json_get_str(&name, json, "column", err);

    if (st != FM_OK)
        return st;
    *out = data_schema_find(schema, name);
    if (*out == DATA_NO_COLUMN || strcmp(schema->columns[*out].name, name) != 0)
        return base_err_set(err, FM_E_INPUT, "there is no column '%.63s'", name);
    return FM_OK;
}

/* "cn.id": lower-case letters, digits and dots. */
static bool scheme_valid(const char *scheme)
{
    size_t len = strlen(scheme);

    return len > 0 && len <= DATA_SCHEME_MAX &&
           strspn(scheme, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

static fm_status subject_read(struct data_schema *out, const json_t *json, struct base_err *err)
{
    static const char *const members[] = {"column", "scheme", NULL};
    const json_t *subject = json_object_get(json, "subject");
    const char *scheme;
    enum data_kind kind;
    fm_status st;

    if (subject == NULL) {
        if (json_object_get(json, "max_rows_per_subject") != NULL)
            return base_err_set(err, FM_E_INPUT, "max_rows_per_subject: there is no subject");
        return FM_OK;
    }
    if (!json_is_object(subject))
        return base_err_set(err, FM_E_INPUT, "subject: must be an object");
    st = base_json_only(subject, members, err);
    if (st == FM_OK)
        st = column_named(&out->subject, out, subject, err);
    if (st == FM_OK)
        st = base_json_get_str(&scheme, subject, "scheme", err);
    if (st == FM_OK && !scheme_valid(scheme))
        st = base_err_set(err, FM_E_INPUT, "scheme: write lower-case letters, digits and dots");
    if (st != FM_OK)
        return base_err_prefix(err, "subject");
    memcpy(out->scheme, scheme, strlen(scheme) + 1);
    kind = out->columns[out->subject].type.kind;
    if (out->columns[out->subject].nullable || (kind != DATA_INTEGER && kind != DATA_TEXT))
        return base_err_set(err, FM_E_INPUT,
                            "subject: the column must be INTEGER or TEXT and not nullable");
    return count_read(&out->max_rows_per_subject, json, "max_rows_per_subject", out->rows, err);
}

static fm_status key_read(struct data_schema *out, const json_t *json, struct base_err *err)
{
    static const char *const members[] = {"column", "max_rows", NULL};
    struct data_key *key = &out->keys[out->key_count];
    fm_status st;

    if (!json_is_object(json))
        return base_err_set(err, FM_E_INPUT, "must be an object");
    st = base_json_only(json, members, err);
    if (st == FM_OK)
        st = column_named(&key->column, out, json, err);
    if (st == FM_OK)
        st = count_read(&key->max_rows, json, "max_rows", out->rows, err);
    for (size_t i = 0; st == FM_OK && i < out->key_count; i++)
        if (out->keys[i].column == key->column)
            st = base_err_set(err, FM_E_INPUT, "the column is a key already");
    if (st == FM_OK && key->column == out->subject && key->max_rows != out->max_rows_per_subject)
        st = base_err_set(err, FM_E_INPUT,
                          "max_rows differs from max_rows_per_subject for the same column");
    if (st == FM_OK)
        out->key_count++;
    return st;
}

static fm_status keys_read(struct data_schema *out, const json_t *json, struct base_err *err)
{
    json_t *keys, *item;
    fm_status st;
    size_t i;

    if (json_object_get(json, "keys") == NULL)
        return FM_OK;
    st = base_json_get_array(&keys, json, "keys", err);
    if (st != FM_OK)
        return st;
    if (json_array_size(keys) > DATA_KEYS_MAX)
        return base_err_set(err, FM_E_INPUT, "keys: at most %d are possible", DATA_KEYS_MAX);
    json_array_foreach(keys, i, item)
    {
        st = key_read(out, item, err);
        if (st != FM_OK)
            return base_err_prefix(err, "keys[%zu]", i);
    }
    return FM_OK;
}

fm_status data_schema_from_json(struct data_schema *out, const json_t *json, struct base_err *err)
{
    static const char *const members[] = {
        "columns", "subject", "max_rows_per_subject", "rows", "keys", "version", NULL};
    fm_status st;

    memset(out, 0, sizeof *out);
    out->subject = DATA_NO_COLUMN;
    if (!json_is_object(json))
        return base_err_set(err, FM_E_INPUT, "schema: must be an object");
    if (json_object_get(json, "draft") != NULL)
        return base_err_set(err, FM_E_INPUT,
                            "schema: it is a draft: look at each proposal, then delete its member "
                            "'draft'");
    st = base_json_only(json, members, err);
    if (st == FM_OK)
        st = columns_read(out, json, err);
    if (st == FM_OK)
        st = count_read(&out->rows, json, "rows", DATA_ROWS_MAX, err);
    if (st == FM_OK)
        st = subject_read(out, json, err);
    if (st == FM_OK)
        st = keys_read(out, json, err);
    if (st == FM_OK)
        st = count_read(&out->version, json, "version", BASE_JSON_MAX_INT, err);
    if (st != FM_OK)
        data_schema_release(out);
    return st;
}

fm_status data_schema_load(struct data_schema *out, const char *path, struct base_err *err)
{
    json_t *json;
    fm_status st = base_json_load_file(&json, path, DATA_SCHEMA_JSON_MAX, err);

    memset(out, 0, sizeof *out);
    out->subject = DATA_NO_COLUMN;
    if (st != FM_OK)
        return st;
    st = data_schema_from_json(out, json, err);
    json_decref(json);
    return st == FM_OK ? st : base_err_prefix(err, "%s", path);
}
