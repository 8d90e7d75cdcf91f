#include "exchange/data/row_bytes.h"

#include <string.h>

enum { CELL_NULL, CELL_VALUE, CELL_TEXT };

void data_row_encode(struct base_buf *out, const struct data_cell *row, size_t columns)
{
    base_buf_put_u8(out, row != NULL);
    if (row == NULL)
        return;
    base_buf_put_u32(out, (uint32_t)columns);
    for (size_t i = 0; i < columns; i++) {
        if (row[i].null) {
            base_buf_put_u8(out, CELL_NULL);
        } else if (row[i].text != NULL) {
            base_buf_put_u8(out, CELL_TEXT);
            base_buf_put_u32(out, (uint32_t)row[i].len);
            base_buf_put(out, row[i].text, row[i].len);
        } else {
            base_buf_put_u8(out, CELL_VALUE);
            base_buf_put_u64(out, (uint64_t)row[i].value);
        }
    }
}

bool data_row_decode(struct data_cell *cells, size_t columns, const uint8_t *bytes, size_t len)
{
    struct base_cur cur = base_cur_make(bytes, len);
    bool good = base_cur_u8(&cur) == 1 && base_cur_u32(&cur) == columns;

    for (size_t i = 0; good && i < columns; i++) {
        uint8_t tag = base_cur_u8(&cur);
        cells[i] = (struct data_cell){.null = tag == CELL_NULL};
        if (tag == CELL_TEXT) {
            cells[i].len = base_cur_u32(&cur);
            cells[i].text = (const char *)base_cur_take(&cur, cells[i].len);
        } else if (tag == CELL_VALUE) {
            cells[i].value = (int64_t)base_cur_u64(&cur);
        }
        good = !cur.bad && tag <= CELL_TEXT;
    }
    return good && !cur.bad && cur.left == 0;
}

/* A value as JSON text, NULL when memory is out. The type's limits are checked before the value is
 * formatted, because the calendar ends somewhere. */
static json_t *value_text(bool *fits, const struct data_type *type, int64_t value)
{
    char text[DATA_VALUE_TEXT];
    int64_t min, max;

    data_type_limits(&min, &max, type);
    *fits = value >= min && value <= max;
    if (!*fits)
        return NULL;
    data_value_format(text, type, value);
    return json_string(text);
}

static fm_status cell_json(json_t **out, struct base_cur *cur, const struct data_column *column,
                           struct base_err *err)
{
    uint8_t tag = base_cur_u8(cur);
    bool text = column->type.kind == DATA_TEXT, fits = true;

    *out = NULL;
    if (tag == CELL_NULL && !cur->bad)
        return FM_OK;
    if (tag != (text ? CELL_TEXT : CELL_VALUE))
        return base_err_set(err, FM_E_INVALID, "column %s: not a value of its type", column->name);
    if (text) {
        uint32_t len = base_cur_u32(cur);
        const char *bytes = (const char *)base_cur_take(cur, len);
        fits = bytes != NULL && data_text_check(&column->type, bytes, len, err) == FM_OK;
        if (fits)
            *out = json_stringn(bytes, len);
    } else {
        int64_t value = (int64_t)base_cur_u64(cur);
        *out = value_text(&fits, &column->type, value);
    }
    if (!fits || cur->bad) {
        json_decref(*out);
        *out = NULL;
        return base_err_set(err, FM_E_INVALID, "column %s: not a value of its type", column->name);
    }
    return *out != NULL ? FM_OK : base_err_memory(err, "row");
}

static fm_status cells_json(json_t *values, json_t *nulls, struct base_cur *cur,
                            const struct data_schema *schema, struct base_err *err)
{
    json_t *value;
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < schema->column_count; i++) {
        const char *name = schema->columns[i].name;
        int failed;
        st = cell_json(&value, cur, &schema->columns[i], err);
        if (st != FM_OK)
            break;
        failed = value != NULL ? json_object_set_new(values, name, value)
                               : json_array_append_new(nulls, json_string(name));
        if (failed)
            st = base_err_memory(err, "row");
    }
    return st;
}

fm_status data_row_to_json(json_t **out, const uint8_t *bytes, size_t len,
                           const struct data_schema *schema, uint64_t index, struct base_err *err)
{
    struct base_cur cur = base_cur_make(bytes, len);
    uint8_t present = base_cur_u8(&cur);
    json_t *values = json_object(), *nulls = json_array(), *json = NULL;
    fm_status st = FM_OK;

    *out = NULL;
    if (values == NULL || nulls == NULL)
        st = base_err_memory(err, "row");
    if (st == FM_OK && present > 1)
        st = base_err_set(err, FM_E_INVALID, "the row begins with neither 0 nor 1");
    if (st == FM_OK && present == 1 && base_cur_u32(&cur) != schema->column_count)
        st = base_err_set(err, FM_E_INVALID, "the row has other columns than the schema");
    if (st == FM_OK && present == 1)
        st = cells_json(values, nulls, &cur, schema, err);
    if (st == FM_OK && base_cur_end(&cur, "the row", err) != FM_OK) {
        err->code = FM_E_INVALID;
        st = FM_E_INVALID;
    }
    if (st == FM_OK) {
        json = present == 1 ? json_pack("{s:I, s:b, s:O, s:O}", "index", (json_int_t)index,
                                        "present", 1, "values", values, "null", nulls)
                            : json_pack("{s:I, s:b}", "index", (json_int_t)index, "present", 0);
        if (json == NULL)
            st = base_err_memory(err, "row");
    }
    json_decref(values);
    json_decref(nulls);
    *out = json;
    return st;
}
