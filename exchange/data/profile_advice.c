#include "exchange/data/profile_advice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/data/profile_round.h"

typedef unsigned long long ull;

/* ---- what kind of column ---- */

enum data_shape data_profile_main_shape(uint64_t *others, const struct data_profile_column *c)
{
    enum data_shape most = DATA_SHAPE_TEXT;

    for (enum data_shape s = 0; s < DATA_SHAPE_COUNT; s++)
        if (c->shapes[s].count > c->shapes[most].count)
            most = s;
    *others = c->infer.values - c->shapes[most].count;
    return most;
}

size_t data_profile_length(const struct data_profile_column *c)
{
    for (size_t n = 5; n < DATA_PROFILE_LENGTHS - 1; n++)
        if (c->lengths[n] > 0 && c->lengths[n] >= c->infer.values - c->infer.values / 10)
            return n;
    return 0;
}

bool data_profile_is_identifier(const struct data_profile_column *c, const struct data_type *type)
{
    uint64_t values = c->infer.values;
    size_t length = data_profile_length(c);

    if (values < 20 || (type->kind != DATA_INTEGER && type->kind != DATA_TEXT) ||
        c->blank_inside.count > 0 || c->not_days.count == 0)
        return false;
    if (data_distinct_most_rows(&c->distinct) == 1)
        return true;
    return data_distinct_values(&c->distinct) >= values / 4 && length > 0 &&
           (type->kind == DATA_TEXT || c->infer.number_min >= 0);
}

/* ---- in words ---- */

/* "990 are a whole number (first in line 2), 10 are a text (first in line 17)" */
static void put_shapes(struct base_buf *out, const struct data_profile *p,
                       const struct data_profile_column *c)
{
    bool told[DATA_SHAPE_COUNT] = {false};

    for (int i = 0; i < 3; i++) {
        int most = -1;
        for (int s = 0; s < DATA_SHAPE_COUNT; s++)
            if (!told[s] && c->shapes[s].count > 0 &&
                (most < 0 || c->shapes[s].count > c->shapes[most].count))
                most = s;
        if (most < 0)
            return;
        told[most] = true;
        base_buf_putf(out, "%s%llu %s %s (first in %s %llu)", i > 0 ? ", " : "",
                      (ull)c->shapes[most].count, c->shapes[most].count > 1 ? "are" : "is",
                      data_shape_name((enum data_shape)most), p->unit, (ull)c->shapes[most].first);
    }
}

static void put_text_reason(struct base_buf *out, const struct data_profile *p,
                            const struct data_profile_column *c)
{
    uint64_t others;
    enum data_shape most = data_profile_main_shape(&others, c);

    if (c->infer.values == 0)
        base_buf_put_str(out, "no value but NULL");
    else if (others > 0)
        put_shapes(out, p, c);
    else if (most == DATA_SHAPE_TEXT)
        base_buf_put_str(out, "no value is a number, a day or a truth value");
    else
        base_buf_putf(out, "every value is %s", data_shape_name(most));
    if (others == 0 && (most == DATA_SHAPE_WHOLE || most == DATA_SHAPE_FRACTION))
        base_buf_putf(out, ", that in %s %llu of more than 18 digits", p->unit,
                      (ull)c->infer.why_row);
    base_buf_putf(out, "; the longest, of %zu bytes, in %s %llu", c->infer.max_bytes, p->unit,
                  (ull)c->line_longest);
}

static void put_why(struct base_buf *out, const struct data_profile *p,
                    const struct data_profile_column *c, const struct data_type *type)
{
    switch (type->kind) {
    case DATA_INTEGER:
        base_buf_put_str(out, "every value is a whole number");
        return;
    case DATA_DECIMAL:
        base_buf_putf(out,
                      "every value is a number; %s %llu has %u digits behind the point, as many as "
                      "any",
                      p->unit, (ull)c->line_scale, type->scale);
        return;
    case DATA_BOOLEAN:
        base_buf_put_str(out, "every value is true or false");
        return;
    case DATA_DATE:
        base_buf_put_str(out, "every value is a day written YYYY-MM-DD");
        return;
    case DATA_TEXT:
        put_text_reason(out, p, c);
        return;
    }
}

static void put_seen(struct base_buf *out, const struct data_profile *p,
                     const struct data_profile_column *c, const struct data_column *seen)
{
    char least[DATA_VALUE_TEXT], greatest[DATA_VALUE_TEXT];
    const struct data_distinct *d = &c->distinct;

    if (c->infer.values > 0 && seen->type.kind != DATA_TEXT && seen->type.kind != DATA_BOOLEAN) {
        data_value_format(least, &seen->type, seen->min);
        data_value_format(greatest, &seen->type, seen->max);
        base_buf_putf(out, "%s (%s %llu) to %s (%s %llu), ", least, p->unit, (ull)c->line_least,
                      greatest, p->unit, (ull)c->line_greatest);
    }
    if (c->infer.nulls == 0)
        base_buf_put_str(out, "no NULL, ");
    else
        base_buf_putf(out, "%llu NULL, ", (ull)c->infer.nulls);
    base_buf_putf(out, "%s%llu different value%s", data_distinct_exact(d) ? "" : "about ",
                  (ull)data_distinct_values(d), data_distinct_values(d) == 1 ? "" : "s");
    if (data_distinct_most_rows(d) > 1)
        base_buf_putf(out, ", the most frequent in %llu rows%s", (ull)data_distinct_most_rows(d),
                      data_distinct_exact(d) ? "" : " or more");
}

static void put_declare(struct base_buf *out, const struct data_advice *a)
{
    const struct data_column *c = &a->proposal;
    char type[DATA_TYPE_TEXT], least[DATA_VALUE_TEXT], greatest[DATA_VALUE_TEXT];

    data_type_format(type, &c->type);
    base_buf_put_str(out, type);
    if (c->type.kind != DATA_TEXT && c->type.kind != DATA_BOOLEAN) {
        data_value_format(least, &c->type, c->min);
        data_value_format(greatest, &c->type, c->max);
        base_buf_putf(out, ", range %s to %s", least, greatest);
    }
    base_buf_put_str(out, c->nullable ? ", nullable" : ", not nullable");
    if (a->key_rows > 0)
        base_buf_putf(out, "; as a key: at most %lld row%s with one value", (long long)a->key_rows,
                      a->key_rows > 1 ? "s" : "");
}

/* Fills a line of the advice with what the function puts. */
static fm_status finish_line(char out[256], struct base_buf *text, struct base_err *err)
{
    fm_status st = base_buf_status(text, "advice", err);

    if (st == FM_OK)
        (void)snprintf(out, 256, "%s", base_buf_cstr(text));
    base_buf_clear(text);
    return st;
}

static void propose(struct data_advice *out, const struct data_profile_column *c)
{
    bool identifier = data_profile_is_identifier(c, &out->proposal.type);

    if (identifier)
        out->key_rows = data_distinct_most_rows(&c->distinct) == 1
                            ? 1
                            : data_round_up((int64_t)data_distinct_most_rows(&c->distinct));
    data_round_column(&out->proposal, identifier || data_profile_length(c) > 0
                                          ? DATA_ROUND_SAME_LENGTH
                                          : DATA_ROUND_OUTWARDS);
}

fm_status data_profile_advise(struct data_advice *out, const struct data_profile *profile, size_t i,
                              struct base_err *err)
{
    const struct data_profile_column *c = &profile->columns[i];
    char remark[DATA_INFER_REMARK];
    struct base_buf text = {0};
    struct data_column seen;
    fm_status st;

    memset(out, 0, sizeof *out);
    memcpy(out->proposal.name, c->name, sizeof out->proposal.name);
    st = data_infer_finish(&out->proposal, remark, &c->infer, err);
    if (st != FM_OK)
        return base_err_prefix(err, "column %s", c->name);
    seen = out->proposal;
    data_type_format(out->type, &seen.type);
    propose(out, c);
    put_why(&text, profile, c, &seen.type);
    st = finish_line(out->why, &text, err);
    put_seen(&text, profile, c, &seen);
    if (st == FM_OK)
        st = finish_line(out->seen, &text, err);
    put_declare(&text, out);
    if (st == FM_OK)
        st = finish_line(out->declare, &text, err);
    base_buf_release(&text);
    if (st == FM_OK)
        st = data_profile_warn(&out->warnings, profile, c, &seen.type, err);
    return st;
}

void data_advice_release(struct data_advice *advice)
{
    data_notes_release(&advice->warnings);
}

/* ---- the draft ---- */

int64_t data_profile_padded_rows(const struct data_profile *profile)
{
    int64_t room = profile->rows < 10 ? 10 : (int64_t)(profile->rows + profile->rows / 10);
    int64_t unit = 1;

    while (room / unit >= 100)
        unit *= 10;
    room = (room + unit - 1) / unit * unit;
    return room < DATA_ROWS_MAX ? room : DATA_ROWS_MAX;
}

static fm_status draft_column(struct data_schema *schema, json_t *notes,
                              const struct data_profile *profile, size_t i, struct base_err *err)
{
    struct data_advice a;
    fm_status st = data_profile_advise(&a, profile, i, err);
    char line[640];
    int failed = 0;

    if (st == FM_OK) {
        schema->columns[schema->column_count++] = a.proposal;
        if (a.key_rows > 0 && schema->key_count < DATA_KEYS_MAX)
            schema->keys[schema->key_count++] = (struct data_key){i, a.key_rows};
        (void)snprintf(line, sizeof line, "%s: seen: %s. Why: %s", a.proposal.name, a.seen, a.why);
        failed = json_array_append_new(notes, json_string(line));
    }
    for (size_t k = 0; k < a.warnings.count && !failed && st == FM_OK; k++) {
        (void)snprintf(line, sizeof line, "%s: %s", a.proposal.name, a.warnings.items[k]);
        failed = json_array_append_new(notes, json_string(line));
    }
    data_advice_release(&a);
    return failed ? base_err_memory(err, "draft") : st;
}

fm_status data_profile_draft(json_t **out, const struct data_profile *profile, struct base_err *err)
{
    struct data_schema schema = {.subject = DATA_NO_COLUMN, .version = 1};
    json_t *notes = json_pack("[s,s]",
                              "Proposals from the data, rounded outwards. Everything outside this "
                              "member becomes public when it is published: look at each, name the "
                              "subject if rows are about somebody, then delete the member 'draft'.",
                              "Leave room: data beyond a declared range, bound or row count is "
                              "refused later, until a schema with a higher version is published.");
    fm_status st = FM_OK;

    *out = NULL;
    schema.columns = calloc(profile->column_count, sizeof *schema.columns);
    if (schema.columns == NULL || notes == NULL)
        st = base_err_memory(err, "draft");
    schema.rows = data_profile_padded_rows(profile);
    for (size_t i = 0; st == FM_OK && i < profile->column_count; i++)
        st = draft_column(&schema, notes, profile, i, err);
    if (st == FM_OK)
        st = data_schema_to_json(out, &schema, err);
    if (st == FM_OK && json_object_set(*out, "draft", notes) != 0) {
        json_decref(*out);
        *out = NULL;
        st = base_err_memory(err, "draft");
    }
    json_decref(notes);
    data_schema_release(&schema);
    return st;
}
