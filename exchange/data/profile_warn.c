/* What a person should look at before declaring a column: each a line, with the first place. */
#include "exchange/data/profile_advice.h"

/* One column's warnings under way; the first failure stays. */
struct warnings {
    struct data_notes *out;
    const struct data_profile *p;
    const struct data_profile_column *c;
    const struct data_type *type;
    struct base_err *err;
    fm_status st;
};

static uint64_t of(const struct warnings *w, enum data_shape shape)
{
    return w->c->shapes[shape].count;
}

/* "12 values (the first in line 17) WHAT" */
static void about(struct warnings *w, const struct data_tally *t, const char *what)
{
    if (w->st != FM_OK || t->count == 0)
        return;
    if (t->count == 1)
        w->st = data_notes_add(w->out, w->err, "1 value (%s %llu) %s", w->p->unit,
                               (unsigned long long)t->first, what);
    else
        w->st = data_notes_add(w->out, w->err, "%llu values (first in %s %llu) %s",
                               (unsigned long long)t->count, w->p->unit,
                               (unsigned long long)t->first, what);
}

static void plain(struct warnings *w, const char *what)
{
    if (w->st == FM_OK)
        w->st = data_notes_add(w->out, w->err, "%s", what);
}

static void about_days(struct warnings *w)
{
    static const enum data_shape days[] = {DATA_SHAPE_DAY, DATA_SHAPE_DAY_DOTS,
                                           DATA_SHAPE_DAY_SLASHES, DATA_SHAPE_DAY_YEAR_1ST,
                                           DATA_SHAPE_TIME};
    size_t forms = 0;

    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++)
        forms += of(w, days[i]) > 0;
    if (forms > 1)
        plain(w, "days are written in several ways: bring them to YYYY-MM-DD");
    about(w, &w->c->shapes[DATA_SHAPE_DAY_DOTS],
          "are days as DD.MM.YYYY: write YYYY-MM-DD, and the column is a DATE");
    about(
        w, &w->c->shapes[DATA_SHAPE_DAY_SLASHES],
        "are days with slashes or dashes, and which number is the month nobody can tell for sure: "
        "write YYYY-MM-DD");
    about(w, &w->c->shapes[DATA_SHAPE_DAY_YEAR_1ST],
          "are days with other marks: write YYYY-MM-DD, and the column is a DATE");
    about(w, &w->c->shapes[DATA_SHAPE_TIME],
          "are days with a time: a DATE has none; cut it off, or keep it as TEXT");
    if (w->type->kind == DATA_TEXT && forms == 1 && of(w, DATA_SHAPE_DAY) == w->c->infer.values)
        plain(w, "written like days, but some of them do not exist");
    if (w->type->kind == DATA_INTEGER && w->c->not_days.count == 0)
        plain(
            w,
            "every number is a day written YYYYMMDD or YYMMDD: write YYYY-MM-DD if days are meant");
}

static void about_numbers(struct warnings *w)
{
    const struct data_profile_column *c = w->c;
    size_t length = data_profile_length(c);

    about(w, &c->shapes[DATA_SHAPE_LEADING_ZERO],
          "begin with a zero: kept as TEXT, since a number would lose it");
    if (of(w, DATA_SHAPE_LEADING_ZERO) == 0 && of(w, DATA_SHAPE_WHOLE) == c->infer.values &&
        length > 0 && data_profile_is_identifier(c, w->type)) {
        uint64_t shorter = 0;
        for (size_t i = 0; i < length; i++)
            shorter += c->lengths[i];
        if (shorter > 0 && w->st == FM_OK)
            w->st = data_notes_add(w->out, w->err,
                                   "%llu values have fewer than %zu digits: were zeros in front "
                                   "lost, in a spreadsheet for instance?",
                                   (unsigned long long)shorter, length);
    }
    about(w, &c->shapes[DATA_SHAPE_EXPONENT],
          "have an exponent: a spreadsheet may have rounded them");
    about(w, &c->shapes[DATA_SHAPE_COMMA_NUMBER],
          "are numbers with a comma: write a point and no marks between groups of digits");
    if (w->type->kind == DATA_INTEGER && !c->not_bit && c->infer.values > 1)
        plain(w, "only 0 and 1: declare BOOLEAN if it is a truth value");
}

static void about_texts(struct warnings *w)
{
    const struct data_profile_column *c = w->c;
    uint64_t others, values = c->infer.values;
    enum data_shape most = data_profile_main_shape(&others, c);

    about(w, &c->shapes[DATA_SHAPE_YES_NO], "say yes or no: write true or false for a BOOLEAN");
    about(w, &c->shapes[DATA_SHAPE_NO_VALUE],
          "are a word for 'no value' and count as a value: leave the field empty for NULL");
    about(w, &c->blanks_around, "begin or end with a blank: no other text is equal to them");
    about(w, &c->damaged, "hold U+FFFD: an earlier conversion has lost letters");
    if (w->type->kind == DATA_TEXT && most != DATA_SHAPE_TEXT && others > 0 &&
        others <= values / 10 && c->not_cn_id && w->st == FM_OK)
        w->st = data_notes_add(
            w->out, w->err, "mixed: %llu of %llu values are not %s as the others are",
            (unsigned long long)others, (unsigned long long)values, data_shape_name(most));
}

static void about_use(struct warnings *w)
{
    const struct data_profile_column *c = w->c;
    uint64_t values = c->infer.values, distinct = data_distinct_values(&c->distinct);

    if (values == 0)
        return;
    if (!c->not_cn_id)
        plain(w, "every value is a Chinese identity number (GB 11643) with a right check digit: "
                 "personal data; declare it as the subject, scheme cn.id");
    else if (data_profile_is_identifier(c, w->type))
        plain(w,
              "looks like an identifier: declare it as the subject or as a key, or leave it out");
    if (w->type->kind == DATA_TEXT && c->bytes / values >= 20 && distinct > values / 2 &&
        c->blank_inside.count > values / 2)
        plain(w, "free text: it may name persons, and no query can use it but for equality; leave "
                 "it out");
    if (distinct == 1 && values > 1)
        plain(w, "one value everywhere: it tells nothing, leave it out");
    if (c->infer.nulls / 19 >= values && c->infer.nulls > 0)
        plain(w, "NULL in 19 of 20 rows or more");
}

fm_status data_profile_warn(struct data_notes *out, const struct data_profile *p,
                            const struct data_profile_column *c, const struct data_type *type,
                            struct base_err *err)
{
    struct warnings w = {out, p, c, type, err, FM_OK};

    if (c->renamed)
        plain(&w, "the header's name is no identifier: this one was made of it");
    about_use(&w);
    about_days(&w);
    about_numbers(&w);
    about_texts(&w);
    return w.st;
}
