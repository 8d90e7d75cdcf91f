/* The reader is a cursor over one block of the file. A row gathers in `text` with the quotes
 * removed; fields are offsets until the row is whole, because `text` may move while it grows. */
#include "exchange/data/csv.h"

#include <string.h>

#include "base/text.h"
#include "exchange/data/csv_reader.h"
#include "exchange/data/value.h"

fm_status data_csv_fault(struct data_csv *csv, fm_status code, uint64_t line, uint64_t column,
                         const char *what, struct base_err *err)
{
    return base_err_set(err, code, "%s: line %llu, column %llu: %s", csv->name,
                        (unsigned long long)line, (unsigned long long)column, what);
}

/* ---- bytes ---- */

/* Fills the whole block, however small the portions of a pipe: the header is looked at as one. */
fm_status data_csv_fill(struct data_csv *csv, struct base_err *err)
{
    size_t got;
    fm_status st;

    if (csv->at < csv->end || csv->ended)
        return FM_OK;
    csv->at = csv->end = 0;
    do {
        got = 0;
        st = csv->source.read(csv->source.ctx, csv->block + csv->end, sizeof csv->block - csv->end,
                              &got, err);
        if (st != FM_OK)
            return base_err_prefix(err, "%s", csv->name);
        csv->end += got;
    } while (got > 0 && csv->end < sizeof csv->block);
    csv->taken += csv->end;
    csv->ended = csv->end == 0;
    return FM_OK;
}

/* The byte under the cursor; -1 at the end of the file. */
static fm_status peek(int *c, struct data_csv *csv, struct base_err *err)
{
    fm_status st = data_csv_fill(csv, err);

    *c = st == FM_OK && !csv->ended ? csv->block[csv->at] : -1;
    return st;
}

static void step(struct data_csv *csv)
{
    uint8_t c = csv->block[csv->at++];

    if (c == '\n') {
        csv->line++;
        csv->column = 1;
    } else if ((c & 0xc0) != 0x80) {
        csv->column++;
    }
}

static fm_status append(struct data_csv *csv, const uint8_t *bytes, size_t n, struct base_err *err)
{
    const struct data_csv_field *field = &csv->fields[csv->field_count];

    if (n > DATA_CSV_FIELD_MAX - (csv->text.len - csv->offsets[csv->field_count]))
        return data_csv_fault(csv, FM_E_LIMIT, field->line, field->column,
                              "the field is longer than 65536 bytes", err);
    if (n > DATA_CSV_ROW_MAX - csv->text.len)
        return data_csv_fault(csv, FM_E_LIMIT, field->line, field->column,
                              "the row is longer than 1048576 bytes", err);
    base_buf_put(&csv->text, bytes, n);
    return csv->text.failed ? base_err_memory(err, "CSV row") : FM_OK;
}

/* ---- fields ---- */

static fm_status unquoted(struct data_csv *csv, struct base_err *err)
{
    for (;;) {
        size_t from, i;
        int c;
        fm_status st = peek(&c, csv, err);
        if (st != FM_OK)
            return st;
        if (c == -1 || c == csv->separator || c == '\r' || c == '\n')
            return FM_OK;
        if (c == '"')
            return data_csv_fault(
                csv, FM_E_INPUT, csv->line, csv->column,
                "a quote inside an unquoted field: quote the whole field and double it", err);
        if (c == 0)
            return data_csv_fault(csv, FM_E_INPUT, csv->line, csv->column, "a NUL character", err);
        from = csv->at;
        for (i = from; i < csv->end && csv->plain[csv->block[i]]; i++)
            csv->column += (csv->block[i] & 0xc0) != 0x80;
        csv->at = i;
        st = append(csv, csv->block + from, i - from, err);
        if (st != FM_OK)
            return st;
    }
}

/* Text inside quotes up to the next quote, NUL or end of the block. */
static fm_status quoted_run(struct data_csv *csv, struct base_err *err)
{
    size_t from = csv->at;

    while (csv->at < csv->end && csv->block[csv->at] != '"' && csv->block[csv->at] != 0)
        step(csv);
    return append(csv, csv->block + from, csv->at - from, err);
}

/* Behind the opening quote, up to and past the closing one; *c is what follows it. */
static fm_status quoted_body(int *c, struct data_csv *csv, struct base_err *err)
{
    const struct data_csv_field *field = &csv->fields[csv->field_count];

    for (;;) {
        fm_status st = peek(c, csv, err);
        if (st != FM_OK)
            return st;
        if (*c == -1)
            return data_csv_fault(csv, FM_E_INPUT, field->line, field->column,
                                  "the quoted field that begins here has no closing quote", err);
        if (*c == 0)
            return data_csv_fault(csv, FM_E_INPUT, csv->line, csv->column, "a NUL character", err);
        if (*c == '"') {
            step(csv);
            st = peek(c, csv, err);
            if (st != FM_OK || *c != '"')
                return st;
            step(csv);
            st = append(csv, (const uint8_t *)"\"", 1, err);
        } else {
            st = quoted_run(csv, err);
        }
        if (st != FM_OK)
            return st;
    }
}

/* The cursor stands on the opening quote. */
static fm_status quoted(struct data_csv *csv, struct base_err *err)
{
    fm_status st;
    int c;

    csv->fields[csv->field_count].quoted = true;
    step(csv);
    st = quoted_body(&c, csv, err);
    if (st == FM_OK && c != -1 && c != csv->separator && c != '\r' && c != '\n')
        return data_csv_fault(
            csv, FM_E_INPUT, csv->line, csv->column,
            "text behind a closing quote: a quote inside a field is written twice", err);
    return st;
}

static fm_status field_read(struct data_csv *csv, struct base_err *err)
{
    struct data_csv_field *field = &csv->fields[csv->field_count];
    fm_status st;
    int c;

    field->line = csv->line;
    field->column = csv->column;
    field->quoted = false;
    csv->offsets[csv->field_count] = csv->text.len;
    st = peek(&c, csv, err);
    if (st == FM_OK)
        st = c == '"' ? quoted(csv, err) : unquoted(csv, err);
    if (st != FM_OK)
        return st;
    field->len = csv->text.len - csv->offsets[csv->field_count];
    csv->field_count++;
    return FM_OK;
}

/* ---- rows ---- */

/* What stands behind a field: a separator (*more), or the end of the row, which is consumed. */
static fm_status row_goes_on(bool *more, struct data_csv *csv, struct base_err *err)
{
    uint64_t column = csv->column;
    fm_status st;
    int c;

    *more = false;
    st = peek(&c, csv, err);
    if (st != FM_OK || c == -1)
        return st;
    if (c == csv->separator) {
        *more = true;
        step(csv);
        return FM_OK;
    }
    step(csv);
    if (c == '\n')
        return FM_OK;
    st = peek(&c, csv, err);
    if (st != FM_OK)
        return st;
    if (c != '\n')
        return data_csv_fault(csv, FM_E_INPUT, csv->line, column,
                              "a carriage return without a line feed outside quotes", err);
    step(csv);
    return FM_OK;
}

static bool all_ascii(const uint8_t *p, size_t n)
{
    uint8_t seen = 0;

    for (size_t i = 0; i < n; i++)
        seen |= p[i];
    return seen < 0x80;
}

/* Field by field: two halves of a sequence in neighbouring fields are not one. */
static fm_status row_check_utf8(struct data_csv *csv, struct base_err *err)
{
    if (all_ascii(csv->text.p, csv->text.len))
        return FM_OK;
    for (size_t i = 0; i < csv->field_count; i++) {
        const struct data_csv_field *f = &csv->fields[i];
        if (!base_text_is_utf8(f->text, f->len))
            return data_csv_fault(csv, FM_E_INPUT, f->line, f->column,
                                  "the field is not valid UTF-8: save the file as UTF-8", err);
    }
    return FM_OK;
}

fm_status data_csv_read_row(struct data_csv *csv, struct base_err *err)
{
    bool more = true;
    fm_status st;
    int c;

    base_buf_clear(&csv->text);
    csv->field_count = 0;
    st = peek(&c, csv, err);
    if (st != FM_OK || c == -1)
        return st;
    while (more) {
        if (csv->field_count == DATA_CSV_COLUMNS_MAX)
            return data_csv_fault(csv, FM_E_LIMIT, csv->line, csv->column, "more than 512 fields",
                                  err);
        st = field_read(csv, err);
        if (st == FM_OK)
            st = row_goes_on(&more, csv, err);
        if (st != FM_OK)
            return st;
    }
    for (size_t i = 0; i < csv->field_count; i++)
        csv->fields[i].text = csv->text.len > 0 ? (const char *)csv->text.p + csv->offsets[i] : "";
    return row_check_utf8(csv, err);
}

static bool row_is_blank(const struct data_csv *csv)
{
    return csv->field_count == 1 && csv->fields[0].len == 0 && !csv->fields[0].quoted;
}

/* Blank lines may close a file; a blank line with rows behind it is a fault. */
static fm_status skip_blank_end(struct data_csv *csv, struct base_err *err)
{
    uint64_t line = csv->fields[0].line;
    fm_status st = FM_OK;

    while (st == FM_OK && csv->field_count > 0 && row_is_blank(csv))
        st = data_csv_read_row(csv, err);
    if (st == FM_OK && csv->field_count > 0)
        return data_csv_fault(csv, FM_E_INPUT, line, 1, "an empty line between rows", err);
    return st;
}

static fm_status row_check_count(struct data_csv *csv, struct base_err *err)
{
    const struct data_csv_field *first = &csv->fields[0];

    if (csv->field_count == csv->header_count)
        return FM_OK;
    return base_err_set(err, FM_E_INPUT,
                        "%s: line %llu, column %llu: the row has %zu fields, the header has %zu",
                        csv->name, (unsigned long long)first->line,
                        (unsigned long long)first->column, csv->field_count, csv->header_count);
}

fm_status data_csv_next(const struct data_csv_field **row, struct data_csv *csv,
                        struct base_err *err)
{
    fm_status st;

    *row = NULL;
    if (csv->dead)
        return base_err_set(err, FM_E_INPUT, "%s: not read further after an error", csv->name);
    st = data_csv_read_row(csv, err);
    if (st == FM_OK && csv->header_count > 1 && row_is_blank(csv))
        st = skip_blank_end(csv, err);
    if (st == FM_OK && csv->field_count > 0) {
        st = row_check_count(csv, err);
        if (st == FM_OK)
            *row = csv->fields;
    }
    csv->dead = st != FM_OK;
    return st;
}

bool data_csv_is_null(const struct data_csv_field *field)
{
    return !field->quoted &&
           (field->len == 0 || (field->len == 2 && field->text[0] == 'N' && field->text[1] == 'A'));
}
