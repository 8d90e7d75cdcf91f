#include "exchange/data/profile.h"

#include <stdlib.h>
#include <string.h>

#include "exchange/data/csv.h"
#include "exchange/data/date.h"
#include "exchange/data/import_infer.h"
#include "exchange/data/number.h"

static void tally(struct data_tally *t, uint64_t line)
{
    if (t->count++ == 0)
        t->first = line;
}

static bool has_blank_inside(const char *text, size_t len)
{
    return len > 2 && memchr(text + 1, ' ', len - 2) != NULL;
}

static bool has_replacement(const char *text, size_t len)
{
    for (size_t i = 0; i + 2 < len; i++)
        if (memcmp(text + i, "\xef\xbf\xbd", 3) == 0)
            return true;
    return false;
}

/* 20241231 or 241231: digits that are a day of the last or of this century. */
static bool is_compact_day(const char *text, size_t len)
{
    size_t year_len = len == 8 ? 4 : 2;
    int64_t days;
    int year = 0, rest = 0;

    if (len != 8 && len != 6)
        return false;
    for (size_t i = 0; i < len; i++) {
        int digit = text[i] - '0';
        if (digit < 0 || digit > 9)
            return false;
        if (i < year_len)
            year = year * 10 + digit;
        else
            rest = rest * 10 + digit;
    }
    if (len == 6)
        year += 1900; /* a leap year then is one now, but for 1900 itself */
    return year >= 1900 && year < 2100 && data_date_from_civil(&days, year, rest / 100, rest % 100);
}

/* GB 11643: the digits with weights 2^(17-i) and the check digit (X is ten) add up to 1 mod 11. */
static bool is_cn_id(const char *text, size_t len)
{
    unsigned sum = 0, weight = 1;

    if (len != 18)
        return false;
    for (size_t i = 18; i-- > 0; weight = weight * 2 % 11) {
        bool ten = i == 17 && (text[i] == 'X' || text[i] == 'x');
        unsigned digit = (unsigned)(unsigned char)text[i] - '0';
        if (!ten && digit > 9)
            return false;
        sum += weight * (ten ? 10 : digit);
    }
    return sum % 11 == 1;
}

static void look(struct data_profile_column *c, const char *text, size_t len, uint64_t line)
{
    tally(&c->shapes[data_shape_of(text, len)], line);
    if (len > 0 &&
        (text[0] == ' ' || text[0] == '\t' || text[len - 1] == ' ' || text[len - 1] == '\t'))
        tally(&c->blanks_around, line);
    if (has_blank_inside(text, len))
        tally(&c->blank_inside, line);
    if (has_replacement(text, len))
        tally(&c->damaged, line);
    if (!is_compact_day(text, len))
        tally(&c->not_days, line);
    c->not_cn_id |= !c->not_cn_id && !is_cn_id(text, len);
    c->not_bit |= len != 1 || (text[0] != '0' && text[0] != '1');
    c->lengths[len < DATA_PROFILE_LENGTHS ? len : DATA_PROFILE_LENGTHS - 1]++;
    c->bytes += len;
}

/* What the inference changed its mind about tells which line forced it. */
static void note_lines(struct data_profile_column *c, const struct data_infer *before,
                       uint64_t line)
{
    const struct data_infer *now = &c->infer;
    bool first = before->values == 0, scaled = now->scale > before->scale;

    if (first || scaled)
        c->line_scale = line;
    if (first || now->max_bytes > before->max_bytes)
        c->line_longest = line;
    if (!now->not_number) {
        int64_t least = before->number_min, greatest = before->number_max;
        bool comparable = data_number_rescale(&least, least, before->scale, now->scale) &&
                          data_number_rescale(&greatest, greatest, before->scale, now->scale);
        if (first || !comparable || now->number_min < least)
            c->line_least = line;
        if (first || !comparable || now->number_max > greatest)
            c->line_greatest = line;
    } else if (!now->not_date) {
        if (first || now->date_min < before->date_min)
            c->line_least = line;
        if (first || now->date_max > before->date_max)
            c->line_greatest = line;
    }
}

/* Counts the value, not its spelling: 1.5 and 1.50 and 15E-1 are one. (What was counted as a number
 * in a column that turns out to be text stays so; its shortest spelling is the same either way.) */
static fm_status count(struct data_profile_column *c, const char *text, size_t len,
                       struct base_err *err)
{
    struct data_number n;
    char value[DATA_VALUE_TEXT];

    if (!c->infer.not_number && data_number_scan(&n, text, len) == DATA_NUMBER_OK) {
        for (; n.scale > 0 && n.unscaled % 10 == 0; n.scale--)
            n.unscaled /= 10;
        data_value_format(value, &(struct data_type){.kind = DATA_DECIMAL, .scale = n.scale},
                          n.unscaled);
        len = strlen(value);
        text = value;
    } else if (!c->infer.not_boolean && len > 0) {
        text = text[0] == 't' || text[0] == 'T' ? "true" : "false";
        len = strlen(text);
    }
    return data_distinct_add(&c->distinct, text, len, err);
}

static fm_status take(struct data_profile_column *c, const char *text, size_t len, uint64_t line,
                      struct base_err *err)
{
    struct data_infer before = c->infer;

    data_infer_text(&c->infer, text, len, line);
    note_lines(c, &before, line);
    look(c, text, len, line);
    return count(c, text, len, err);
}

static fm_status make_columns(struct data_profile *p, size_t n, struct base_err *err)
{
    p->columns = calloc(n, sizeof *p->columns);
    if (p->columns == NULL)
        return base_err_memory(err, "profile");
    p->column_count = n;
    p->slots_left = DATA_PROFILE_SLOTS;
    for (size_t i = 0; i < n; i++)
        data_distinct_init(&p->columns[i].distinct, &p->slots_left);
    return FM_OK;
}

void data_profile_release(struct data_profile *profile)
{
    for (size_t i = 0; i < profile->column_count; i++)
        data_distinct_release(&profile->columns[i].distinct);
    free(profile->columns);
    memset(profile, 0, sizeof *profile);
}

/* ---- files ---- */

static fm_status name_columns(struct data_profile *p, const struct data_csv *csv,
                              struct base_err *err)
{
    for (size_t i = 0; i < p->column_count; i++) {
        const char *header = data_csv_column(csv, i);
        char *name = p->columns[i].name;
        if (!data_import_name(name, header))
            return base_err_set(err, FM_E_INPUT,
                                "%s: line 1: the name of column %zu cannot be made an identifier "
                                "of at most %d bytes: rename it",
                                data_csv_name(csv), i + 1, DATA_NAME_MAX);
        p->columns[i].renamed = strcmp(name, header) != 0;
        for (size_t k = 0; k < i; k++)
            if (data_name_equal(name, p->columns[k].name))
                return base_err_set(err, FM_E_INPUT, "%s: line 1: there are two columns named %s",
                                    data_csv_name(csv), name);
    }
    return FM_OK;
}

static fm_status read_file(struct data_profile *p, struct data_csv *csv,
                           const struct data_progress *progress, struct base_err *err)
{
    const struct data_csv_field *row;
    fm_status st;

    for (;;) {
        st = data_csv_next(&row, csv, err);
        if (st != FM_OK || row == NULL)
            break;
        p->rows++;
        for (size_t i = 0; st == FM_OK && i < p->column_count; i++) {
            if (data_csv_is_null(&row[i]))
                data_infer_null(&p->columns[i].infer);
            else
                st = take(&p->columns[i], row[i].text, row[i].len, row[i].line, err);
        }
        if (st == FM_OK && p->rows % DATA_PROGRESS_ROWS == 0)
            st = data_import_tick(progress, csv, DATA_IMPORT_INFER, p->rows, err);
        if (st != FM_OK)
            return st;
    }
    return st;
}

fm_status data_profile_csv(struct data_profile *out, const char *path, char separator,
                           const struct data_progress *progress, struct base_err *err)
{
    struct data_csv *csv;
    fm_status st = data_csv_open(&csv, path, separator, err);

    *out = (struct data_profile){.unit = "line"};
    if (st != FM_OK)
        return st;
    out->separator = data_csv_separator(csv);
    out->has_mark = data_csv_has_mark(csv);
    st = make_columns(out, data_csv_column_count(csv), err);
    if (st == FM_OK)
        st = name_columns(out, csv, err);
    if (st == FM_OK)
        st = read_file(out, csv, progress, err);
    data_csv_free(csv);
    if (st != FM_OK)
        data_profile_release(out);
    return st;
}

/* ---- tables ---- */

static fm_status take_cell(struct data_profile_column *c, const struct data_column *column,
                           const struct data_cell *cell, uint64_t row, struct base_err *err)
{
    char text[DATA_VALUE_TEXT];

    if (cell->null) {
        data_infer_null(&c->infer);
        return FM_OK;
    }
    if (cell->text != NULL)
        return take(c, cell->text, cell->len, row, err);
    data_value_format(text, &column->type, cell->value);
    return take(c, text, strlen(text), row, err);
}

static fm_status read_table(struct data_profile *p, struct data_store *store, const char *table,
                            const struct data_schema *schema, struct base_err *err)
{
    const struct data_cell *row = NULL;
    struct data_rows *rows = NULL;
    int64_t rowid = 0;
    fm_status st = data_rows_open(&rows, store, table, schema, NULL, 0, err);

    while (st == FM_OK) {
        st = data_rows_next(&row, &rowid, rows, err);
        if (st != FM_OK || row == NULL)
            break;
        p->rows++;
        for (size_t i = 0; st == FM_OK && i < p->column_count; i++)
            st = take_cell(&p->columns[i], &schema->columns[i], &row[i], (uint64_t)rowid, err);
    }
    data_rows_free(rows);
    return st;
}

fm_status data_profile_table(struct data_profile *out, struct data_notes *notes,
                             struct data_store *store, const char *table, struct base_err *err)
{
    struct data_schema schema;
    enum data_origin origin;
    fm_status st = data_store_schema(&schema, &origin, notes, store, table, err);

    *out = (struct data_profile){.unit = "row"};
    if (st != FM_OK)
        return st;
    st = make_columns(out, schema.column_count, err);
    for (size_t i = 0; st == FM_OK && i < schema.column_count; i++)
        memcpy(out->columns[i].name, schema.columns[i].name, sizeof out->columns[i].name);
    if (st == FM_OK)
        st = read_table(out, store, table, &schema, err);
    data_schema_release(&schema);
    if (st != FM_OK)
        data_profile_release(out);
    return st;
}
