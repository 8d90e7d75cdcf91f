#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "exchange/sql/plan/catalog.h"

/* ---- in ---- */

static bool is_alias(const char *s)
{
    if (*s < 'a' || *s > 'z')
        return false;
    for (; *s != '\0'; s++) {
        if (!((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9') || *s == '_'))
            return false;
    }
    return true;
}

/* One end of a range: an integer, or the text of a value. */
static fm_status read_bound(sql_wide *out, struct data_type type, const json_t *v,
                            struct base_err *err)
{
    char text[32];
    const char *p = json_string_value(v);
    int64_t value;
    fm_status st;

    if (json_is_integer(v)) {
        (void)snprintf(text, sizeof text, "%lld", (long long)json_integer_value(v));
        p = text;
    }
    if (p == NULL)
        return base_err_set(err, FM_E_INPUT, "member 'range' must hold integers or strings");
    st = data_value_parse(&value, &type, p, strlen(p), err);
    *out = value;
    return st == FM_OK ? st : base_err_prefix(err, "member 'range'");
}

static fm_status read_range(struct sql_range *out, struct data_type type, const json_t *column,
                            struct base_err *err)
{
    const json_t *range = json_object_get(column, "range");
    struct sql_range widest = sql_type_range(type);
    fm_status st;

    *out = widest;
    if (range == NULL)
        return FM_OK;
    if (type.kind == DATA_BOOLEAN || type.kind == DATA_TEXT)
        return base_err_set(err, FM_E_INPUT, "member 'range' is for numbers and dates");
    if (json_array_size(range) != 2)
        return base_err_set(err, FM_E_INPUT, "member 'range' must be [least, greatest]");
    st = read_bound(&out->lo, type, json_array_get(range, 0), err);
    if (st == FM_OK)
        st = read_bound(&out->hi, type, json_array_get(range, 1), err);
    if (st != FM_OK)
        return st;
    if (out->lo > out->hi)
        return base_err_set(err, FM_E_INPUT, "member 'range' begins above its end");
    if (!sql_range_holds(widest, *out))
        return base_err_set(err, FM_E_INPUT, "member 'range' is wider than the column's type");
    return FM_OK;
}

static fm_status read_values(struct sql_column *out, struct sql_arena *arena, const json_t *json,
                             struct base_err *err)
{
    const json_t *values = json_object_get(json, "values");

    if (values == NULL)
        return FM_OK;
    if (out->type.kind != DATA_TEXT || json_array_size(values) == 0 ||
        json_array_size(values) > SQL_MAX_VALUES)
        return base_err_set(err, FM_E_INPUT, "member 'values' is for TEXT: 1 to %d texts",
                            SQL_MAX_VALUES);
    out->values = sql_arena_array(arena, json_array_size(values), sizeof(char *));
    if (out->values == NULL)
        return base_err_memory(err, "catalog");
    for (size_t i = 0; i < json_array_size(values); i++) {
        const char *text = json_string_value(json_array_get(values, i));

        if (text == NULL || strlen(text) > out->type.max_bytes ||
            (i > 0 && strcmp(out->values[i - 1], text) >= 0))
            return base_err_set(err, FM_E_INPUT,
                                "member 'values': texts within TEXT(%u), ascending",
                                out->type.max_bytes);
        out->values[i] = sql_arena_text(arena, text);
        if (out->values[i] == NULL)
            return base_err_memory(err, "catalog");
    }
    out->value_count = json_array_size(values);
    return FM_OK;
}

static fm_status read_column(struct sql_column *out, struct sql_arena *arena, const json_t *json,
                             struct base_err *err)
{
    static const char *const members[] = {"name", "type", "range", "nullable", "values", NULL};
    const char *name, *type;
    fm_status st = base_json_only(json, members, err);

    if (st == FM_OK)
        st = base_json_get_str(&name, json, "name", err);
    if (st != FM_OK)
        return st;
    if (*name == '\0' || strlen(name) > 63)
        return base_err_set(err, FM_E_INPUT, "column name must have 1 to 63 bytes");
    st = base_json_get_str(&type, json, "type", err);
    if (st == FM_OK)
        st = data_type_parse(&out->type, type, err);
    if (st == FM_OK)
        st = read_range(&out->range, out->type, json, err);
    if (st == FM_OK && json_object_get(json, "nullable") != NULL)
        st = base_json_get_bool(&out->nullable, json, "nullable", err);
    if (st == FM_OK)
        st = read_values(out, arena, json, err);
    if (st != FM_OK)
        return base_err_prefix(err, "column '%s'", name);
    out->name = sql_arena_text(arena, name);
    return out->name != NULL ? FM_OK : base_err_memory(err, "catalog");
}

static fm_status read_columns(struct sql_dataset *out, struct sql_arena *arena, const json_t *json,
                              struct base_err *err)
{
    json_t *columns;
    fm_status st = base_json_get_array(&columns, json, "columns", err);

    if (st != FM_OK)
        return st;
    if (json_array_size(columns) == 0 || json_array_size(columns) > SQL_MAX_COLUMNS)
        return base_err_set(err, FM_E_INPUT, "a dataset has 1 to %d columns", SQL_MAX_COLUMNS);
    out->columns = sql_arena_array(arena, json_array_size(columns), sizeof *out->columns);
    if (out->columns == NULL)
        return base_err_memory(err, "catalog");
    for (size_t i = 0; st == FM_OK && i < json_array_size(columns); i++) {
        st = read_column(&out->columns[i], arena, json_array_get(columns, i), err);
        for (size_t j = 0; st == FM_OK && j < i; j++) {
            if (strcmp(out->columns[j].name, out->columns[i].name) == 0)
                st = base_err_set(err, FM_E_INPUT, "column '%s' is declared twice",
                                  out->columns[i].name);
        }
        out->column_count = i + 1;
    }
    return st;
}

static fm_status read_subject(struct sql_dataset *out, struct sql_arena *arena, const json_t *json,
                              struct base_err *err)
{
    static const char *const members[] = {"column", "scheme", NULL};
    json_t *subject = json_object_get(json, "subject");
    const char *column, *scheme;
    fm_status st;

    if (subject == NULL && json_object_get(json, "max_rows_per_subject") == NULL)
        return FM_OK;
    st = base_json_get_object(&subject, json, "subject", err);
    if (st == FM_OK)
        st = base_json_only(subject, members, err);
    if (st == FM_OK)
        st = base_json_get_str(&column, subject, "column", err);
    if (st == FM_OK)
        st = base_json_get_str(&scheme, subject, "scheme", err);
    if (st == FM_OK)
        st = base_json_get_int(&out->max_rows_per_subject, json, "max_rows_per_subject", err);
    if (st != FM_OK)
        return st;
    if (sql_dataset_column(out, column) == NULL)
        return base_err_set(err, FM_E_INPUT, "subject column '%s' is not among the columns",
                            column);
    if (out->max_rows_per_subject < 1 || out->max_rows_per_subject > out->rows)
        return base_err_set(err, FM_E_INPUT,
                            "member 'max_rows_per_subject' must be 1 to the number of rows");
    out->subject_column = sql_arena_text(arena, column);
    out->subject_scheme = sql_arena_text(arena, scheme);
    if (out->subject_column == NULL || out->subject_scheme == NULL)
        return base_err_memory(err, "catalog");
    return FM_OK;
}

static fm_status read_keys(struct sql_dataset *out, struct sql_arena *arena, const json_t *json,
                           struct base_err *err)
{
    static const char *const members[] = {"column", "max_rows", NULL};
    json_t *keys;
    fm_status st;

    if (json_object_get(json, "keys") == NULL)
        return FM_OK;
    st = base_json_get_array(&keys, json, "keys", err);
    if (st != FM_OK)
        return st;
    out->keys = sql_arena_array(arena, json_array_size(keys), sizeof *out->keys);
    if (out->keys == NULL)
        return base_err_memory(err, "catalog");
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);
        struct sql_key *k = &out->keys[i];
        const char *column;
        st = base_json_only(key, members, err);
        if (st == FM_OK)
            st = base_json_get_str(&column, key, "column", err);
        if (st == FM_OK)
            st = base_json_get_int(&k->max_rows, key, "max_rows", err);
        if (st != FM_OK)
            return base_err_prefix(err, "member 'keys'");
        if (sql_dataset_column(out, column) == NULL)
            return base_err_set(err, FM_E_INPUT, "key '%s' is not among the columns", column);
        if (k->max_rows < 1 || k->max_rows > out->rows)
            return base_err_set(err, FM_E_INPUT,
                                "key '%s': member 'max_rows' must be 1 to the number of rows",
                                column);
        k->column = sql_arena_text(arena, column);
        if (k->column == NULL)
            return base_err_memory(err, "catalog");
    }
    out->key_count = json_array_size(keys);
    return FM_OK;
}

static fm_status read_dataset(struct sql_dataset *out, struct sql_arena *arena, const json_t *json,
                              struct base_err *err)
{
    static const char *const members[] = {
        "member", "name", "version", "rows", "columns", "subject", "max_rows_per_subject",
        "keys",   NULL};
    const char *member, *name;
    fm_status st = base_json_get_str(&member, json, "member", err);

    if (st == FM_OK)
        st = base_json_get_str(&name, json, "name", err);
    if (st != FM_OK)
        return st;
    if (!is_alias(member) || strlen(member) > 63)
        return base_err_set(err, FM_E_INPUT, "member '%s' is not an alias like bank_a", member);
    if (*name == '\0' || strlen(name) > 63)
        return base_err_set(err, FM_E_INPUT, "member 'name' must have 1 to 63 bytes");
    out->member = sql_arena_text(arena, member);
    out->name = sql_arena_text(arena, name);
    if (out->member == NULL || out->name == NULL)
        return base_err_memory(err, "catalog");
    st = base_json_only(json, members, err);
    if (st == FM_OK)
        st = base_json_get_int(&out->version, json, "version", err);
    if (st == FM_OK)
        st = base_json_get_int(&out->rows, json, "rows", err);
    if (st == FM_OK && out->version < 1)
        st = base_err_set(err, FM_E_INPUT, "member 'version' must be 1 or more");
    if (st == FM_OK && (out->rows < 1 || out->rows > SQL_MAX_ROWS))
        st = base_err_set(err, FM_E_INPUT, "member 'rows' must be 1 to %lld",
                          (long long)SQL_MAX_ROWS);
    if (st == FM_OK)
        st = read_columns(out, arena, json, err);
    if (st == FM_OK)
        st = read_subject(out, arena, json, err);
    if (st == FM_OK)
        st = read_keys(out, arena, json, err);
    return st == FM_OK ? st : base_err_prefix(err, "dataset %s.%s", member, name);
}

static int compare_datasets(const void *a, const void *b)
{
    const struct sql_dataset *x = a, *y = b;
    int by_name = strcmp(x->name, y->name);

    return by_name != 0 ? by_name : strcmp(x->member, y->member);
}

static fm_status read_catalog(struct sql_catalog *out, const json_t *json, struct base_err *err)
{
    static const char *const members[] = {"datasets", NULL};
    json_t *datasets;
    size_t n;
    fm_status st = base_json_only(json, members, err);

    if (st == FM_OK)
        st = base_json_get_array(&datasets, json, "datasets", err);
    if (st != FM_OK)
        return st;
    n = json_array_size(datasets);
    if (n > SQL_MAX_DATASETS)
        return base_err_set(err, FM_E_INPUT, "more than %d datasets", SQL_MAX_DATASETS);
    out->datasets = sql_arena_array(&out->arena, n, sizeof *out->datasets);
    if (out->datasets == NULL)
        return base_err_memory(err, "catalog");
    for (size_t i = 0; i < n; i++) {
        st = read_dataset(&out->datasets[i], &out->arena, json_array_get(datasets, i), err);
        if (st != FM_OK)
            return st;
    }
    out->dataset_count = n;
    qsort(out->datasets, n, sizeof *out->datasets, compare_datasets);
    for (size_t i = 1; i < n; i++) {
        const struct sql_dataset *d = &out->datasets[i];
        if (compare_datasets(d - 1, d) == 0)
            return base_err_set(err, FM_E_INPUT, "dataset %s.%s is declared twice", d->member,
                                d->name);
    }
    return FM_OK;
}

fm_status sql_catalog_from_json(struct sql_catalog *out, const json_t *json, struct base_err *err)
{
    fm_status st;

    *out = (struct sql_catalog){0};
    st = read_catalog(out, json, err);
    if (st == FM_OK)
        return st;
    sql_catalog_release(out);
    return base_err_prefix(err, "catalog");
}

/* ---- out ---- */

/* Numbers that JSON may hold stay numbers, everything else is text. */
static json_t *bound_json(struct data_type type, sql_wide value)
{
    char text[SQL_WIDE_TEXT];

    if (type.kind == DATA_INTEGER && value >= -BASE_JSON_MAX_INT && value <= BASE_JSON_MAX_INT)
        return json_integer((json_int_t)value);
    sql_value_format(text, type, value);
    return json_string(text);
}

json_t *sql_values_json(const char *const *values, size_t count)
{
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(list, json_string(values[i]));
    return list;
}

static json_t *column_json(const struct sql_column *c)
{
    char type[DATA_TYPE_TEXT];
    json_t *o;

    data_type_format(type, &c->type);
    o = json_pack("{s:s, s:s, s:b}", "name", c->name, "type", type, "nullable", (int)c->nullable);
    if (o != NULL && c->type.kind != DATA_BOOLEAN && c->type.kind != DATA_TEXT)
        (void)json_object_set_new(o, "range",
                                  json_pack("[o, o]", bound_json(c->type, c->range.lo),
                                            bound_json(c->type, c->range.hi)));
    if (o != NULL && c->value_count > 0)
        (void)json_object_set_new(o, "values", sql_values_json(c->values, c->value_count));
    return o;
}

static json_t *dataset_json(const struct sql_dataset *d)
{
    json_t *columns = json_array();
    json_t *o;

    for (size_t i = 0; i < d->column_count; i++)
        (void)json_array_append_new(columns, column_json(&d->columns[i]));
    o = json_pack("{s:s, s:s, s:I, s:I, s:o}", "member", d->member, "name", d->name, "version",
                  (json_int_t)d->version, "rows", (json_int_t)d->rows, "columns", columns);
    if (o != NULL && d->subject_column != NULL) {
        (void)json_object_set_new(
            o, "subject",
            json_pack("{s:s, s:s}", "column", d->subject_column, "scheme", d->subject_scheme));
        (void)json_object_set_new(o, "max_rows_per_subject",
                                  json_integer((json_int_t)d->max_rows_per_subject));
    }
    if (o != NULL && d->key_count > 0) {
        json_t *keys = json_array();
        for (size_t i = 0; i < d->key_count; i++)
            (void)json_array_append_new(keys,
                                        json_pack("{s:s, s:I}", "column", d->keys[i].column,
                                                  "max_rows", (json_int_t)d->keys[i].max_rows));
        (void)json_object_set_new(o, "keys", keys);
    }
    return o;
}

fm_status sql_catalog_to_json(json_t **out, const struct sql_catalog *catalog, struct base_err *err)
{
    json_t *datasets = json_array();

    for (size_t i = 0; i < catalog->dataset_count; i++)
        (void)json_array_append_new(datasets, dataset_json(&catalog->datasets[i]));
    *out = json_pack("{s:o}", "datasets", datasets);
    return *out != NULL ? FM_OK : base_err_memory(err, "catalog JSON");
}
