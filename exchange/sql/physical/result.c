#include "exchange/sql/physical/result.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/secret.h"

fm_status sql_result_init(struct sql_result *out, const struct sql_plan *plan, size_t row_count,
                          struct base_err *err)
{
    size_t n = plan->output_count;

    *out = (struct sql_result){.column_count = n, .row_count = row_count};
    out->columns = sql_arena_array(&out->arena, n, sizeof *out->columns);
    out->cells = sql_arena_array(&out->arena, n * row_count, sizeof *out->cells);
    for (size_t i = 0; out->columns != NULL && i < n; i++) {
        out->columns[i].name = sql_arena_text(&out->arena, plan->outputs[i].name);
        out->columns[i].type = plan->outputs[i].type;
        if (out->columns[i].name == NULL)
            out->columns = NULL;
    }
    if (out->columns != NULL && out->cells != NULL)
        return FM_OK;
    sql_result_release(out);
    return base_err_memory(err, "query result");
}

void sql_result_release(struct sql_result *result)
{
    sql_arena_release(&result->arena);
    *result = (struct sql_result){0};
}

/* What a cell shows: a text of the result's, or what is written into room. */
static const char *cell_text(char room[SQL_WIDE_TEXT], const struct sql_result *r, size_t row,
                             size_t column, const char *null, const char *suppressed)
{
    const struct sql_result_cell *c = &r->cells[row * r->column_count + column];

    if (c->state != SQL_CELL_VALUE)
        return c->state == SQL_CELL_NULL ? null : suppressed;
    if (c->text != NULL)
        return c->text;
    sql_value_format(room, r->columns[column].type, c->value);
    return room;
}

/* Characters, not bytes: names may be UTF-8. */
static size_t text_width(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static size_t column_width(const struct sql_result *r, size_t column)
{
    size_t width = text_width(r->columns[column].name);
    char room[SQL_WIDE_TEXT];

    for (size_t row = 0; row < r->row_count; row++) {
        const char *text = cell_text(room, r, row, column, "NULL", "(suppressed)");
        width = text_width(text) > width ? text_width(text) : width;
    }
    return width;
}

static void put_aligned(struct base_buf *out, const struct sql_result *r, size_t column,
                        const char *text, size_t width)
{
    bool right = sql_type_is_number(r->columns[column].type);
    bool last = column + 1 == r->column_count;
    size_t pad = width - text_width(text);

    for (size_t i = 0; right && i < pad; i++)
        base_buf_put_u8(out, ' ');
    base_buf_put_str(out, text);
    for (size_t i = 0; !right && !last && i < pad; i++)
        base_buf_put_u8(out, ' ');
    base_buf_put_str(out, last ? "\n" : "  ");
}

void sql_result_table(struct base_buf *out, const struct sql_result *r)
{
    char room[SQL_WIDE_TEXT];

    for (size_t c = 0; c < r->column_count; c++)
        put_aligned(out, r, c, r->columns[c].name, column_width(r, c));
    for (size_t c = 0; c < r->column_count; c++) {
        for (size_t i = column_width(r, c); i > 0; i--)
            base_buf_put_u8(out, '-');
        base_buf_put_str(out, c + 1 == r->column_count ? "\n" : "  ");
    }
    for (size_t row = 0; row < r->row_count; row++) {
        for (size_t c = 0; c < r->column_count; c++)
            put_aligned(out, r, c, cell_text(room, r, row, c, "NULL", "(suppressed)"),
                        column_width(r, c));
    }
    for (size_t i = 0; i < r->note_count; i++)
        base_buf_putf(out, "note: %s\n", r->notes[i]);
}

static void put_csv_text(struct base_buf *out, const char *name)
{
    bool plain = strpbrk(name, ",\"\r\n") == NULL && name[0] != '\0';

    if (plain && strcmp(name, "suppressed") != 0) {
        base_buf_put_str(out, name);
        return;
    }
    base_buf_put_u8(out, '"');
    for (; *name != '\0'; name++) {
        if (*name == '"')
            base_buf_put_u8(out, '"');
        base_buf_put_u8(out, (uint8_t)*name);
    }
    base_buf_put_u8(out, '"');
}

void sql_result_csv(struct base_buf *out, const struct sql_result *r)
{
    char room[SQL_WIDE_TEXT];

    for (size_t c = 0; c < r->column_count; c++) {
        base_buf_put_str(out, c > 0 ? "," : "");
        put_csv_text(out, r->columns[c].name);
    }
    base_buf_put_u8(out, '\n');
    for (size_t row = 0; row < r->row_count; row++) {
        for (size_t c = 0; c < r->column_count; c++) {
            const char *text = cell_text(room, r, row, c, "", "suppressed");
            base_buf_put_str(out, c > 0 ? "," : "");
            if (r->cells[row * r->column_count + c].text != NULL)
                put_csv_text(out, text);
            else
                base_buf_put_str(out, text);
        }
        base_buf_put_u8(out, '\n');
    }
}

static json_t *cell_json(const struct sql_result *r, size_t row, size_t column)
{
    const struct sql_result_cell *c = &r->cells[row * r->column_count + column];
    struct data_type type = r->columns[column].type;
    char text[SQL_WIDE_TEXT];

    if (c->state != SQL_CELL_VALUE)
        return json_null();
    if (c->text != NULL)
        return json_string(c->text);
    if (type.kind == DATA_BOOLEAN)
        return json_boolean(c->value != 0);
    if (type.kind == DATA_INTEGER && c->value <= BASE_JSON_MAX_INT &&
        c->value >= -BASE_JSON_MAX_INT)
        return json_integer((json_int_t)c->value);
    sql_value_format(text, type, c->value);
    return json_string(text);
}

/* Not base_json_canonical(): that has no null, and this is for people's tools, not for signing. */
void sql_result_json(struct base_buf *out, const struct sql_result *r)
{
    json_t *columns = json_array(), *rows = json_array(), *suppressed = json_array();
    json_t *notes = json_array();
    json_t *all;
    char *text;

    for (size_t c = 0; c < r->column_count; c++)
        (void)json_array_append_new(columns, json_string(r->columns[c].name));
    for (size_t row = 0; row < r->row_count; row++) {
        json_t *cells = json_array();
        for (size_t c = 0; c < r->column_count; c++) {
            (void)json_array_append_new(cells, cell_json(r, row, c));
            if (r->cells[row * r->column_count + c].state == SQL_CELL_SUPPRESSED)
                (void)json_array_append_new(suppressed,
                                            json_pack("[I, I]", (json_int_t)row, (json_int_t)c));
        }
        (void)json_array_append_new(rows, cells);
    }
    all = json_pack("{s:o, s:o}", "columns", columns, "rows", rows);
    if (json_array_size(suppressed) > 0)
        (void)json_object_set(all, "suppressed", suppressed);
    for (size_t i = 0; i < r->note_count; i++)
        (void)json_array_append_new(notes, json_string(r->notes[i]));
    if (r->note_count > 0)
        (void)json_object_set(all, "notes", notes);
    text = json_dumps(all, JSON_COMPACT);
    if (text == NULL)
        out->failed = true;
    else
        base_buf_putf(out, "%s\n", text);
    if (text != NULL)
        base_wipe(text, strlen(text));
    free(text);
    json_decref(all);
    json_decref(suppressed);
    json_decref(notes);
}
