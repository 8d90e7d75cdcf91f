/* Literals, columns and parameters. */
#include <string.h>

#include "exchange/sql/bind/bind.h"

bool sql_bind_is_loose(const struct sql_binder *b, const struct sql_syntax *s)
{
    if (s->kind == SQL_SYNTAX_PARAM)
        return s->number < 1 || (size_t)s->number > b->plan->param_count ||
               !b->plan->params[s->number - 1].known;
    return s->kind == SQL_SYNTAX_NULL || s->kind == SQL_SYNTAX_STRING;
}

static fm_status bind_number(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                             struct base_err *err)
{
    struct sql_node node = {.op = SQL_OP_CONST, .at = s->at};
    struct base_err why;
    int64_t value;
    unsigned scale;

    if (data_number_parse(&value, &scale, s->text, strlen(s->text), &why) != FM_OK ||
        scale > SQL_MAX_SCALE || value == INT64_MIN)
        return SQL_BIND_ERROR(
            b, FM_E_INPUT, s->at, err,
            "%.40s is not an exact number of 64 bits with at most %d digits after "
            "the point",
            s->text, SQL_MAX_SCALE);
    for (; b->short_numbers && scale > 0 && value % 10 == 0; scale--)
        value /= 10;
    node.value = value;
    node.range = (struct sql_range){value, value};
    node.type.kind = scale > 0 ? DATA_DECIMAL : DATA_INTEGER;
    node.type.scale = scale;
    return sql_bind_add(out, b, node, err);
}

static fm_status bind_date(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                           struct base_err *err)
{
    struct sql_node node = {.op = SQL_OP_CONST, .type = {.kind = DATA_DATE}, .at = s->at};
    struct base_err why;
    int64_t days;

    if (data_value_parse(&days, &node.type, s->text, strlen(s->text), &why) != FM_OK)
        return SQL_BIND_ERROR(b, FM_E_INPUT, s->at, err,
                              "'%.40s' is not a day: write DATE 'YYYY-MM-DD'", s->text);
    node.value = days;
    node.range = (struct sql_range){days, days};
    return sql_bind_add(out, b, node, err);
}

/* A bare 'string' is TEXT, or a DATE where a date is expected, as in PostgreSQL. */
static fm_status bind_string(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                             const struct sql_expect *expect, struct base_err *err)
{
    struct sql_node node = {.op = SQL_OP_CONST, .type = {.kind = DATA_TEXT}, .at = s->at};

    if (expect != NULL && expect->type.kind == DATA_DATE)
        return bind_date(out, b, s, err);
    node.type.max_bytes = *s->text != '\0' ? (unsigned)strlen(s->text) : 1;
    node.text = sql_arena_text(&b->plan->arena, s->text);
    if (node.text == NULL)
        return base_err_memory(err, "SQL plan");
    return sql_bind_add(out, b, node, err);
}

/* The range in the parameter's own scale, rounded outward, cut to 64 bits. */
static struct sql_range at_scale(struct sql_range r, unsigned from, unsigned to)
{
    for (; from < to; from++) {
        r.lo = r.lo < INT64_MIN / 10 ? INT64_MIN : r.lo * 10;
        r.hi = r.hi > INT64_MAX / 10 ? INT64_MAX : r.hi * 10;
    }
    for (; from > to; from--) {
        r.lo = r.lo / 10 - (r.lo % 10 < 0);
        r.hi = r.hi / 10 + (r.hi % 10 > 0);
    }
    return r;
}

/* The first place that says a type gives a parameter its type; all that do widen its range, and the
 * longest text that any of them has room for sets a text's. The
 * binder runs again with what was found, so that ranges that went by a narrower one are redone. */
static void infer(struct sql_param *p, const struct sql_expect *expect)
{
    bool first = p->range.lo > p->range.hi;

    if (first)
        p->type = expect->type;
    if (first)
        p->range = expect->range;
    else if (sql_type_is_number(p->type) && sql_type_is_number(expect->type))
        p->range =
            sql_range_hull(p->range, at_scale(expect->range, expect->type.scale, p->type.scale));
    else if (p->type.kind == expect->type.kind)
        p->range = sql_range_hull(p->range, expect->range);
    if (p->type.kind == DATA_TEXT && expect->type.kind == DATA_TEXT &&
        expect->type.max_bytes > p->type.max_bytes)
        p->type.max_bytes = expect->type.max_bytes;
}

static fm_status bind_param(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                            const struct sql_expect *expect, struct base_err *err)
{
    struct sql_node node = {.op = SQL_OP_PARAM, .at = s->at};
    struct sql_param *p;

    if (s->number < 1 || s->number > SQL_MAX_PARAMS)
        return SQL_BIND_ERROR(b, FM_E_INPUT, s->at, err, "parameters are $1 to $%d",
                              SQL_MAX_PARAMS);
    p = &b->plan->params[s->number - 1];
    if ((size_t)s->number > b->plan->param_count)
        b->plan->param_count = (size_t)s->number;
    if (!p->known && expect == NULL)
        return SQL_BIND_ERROR(b, FM_E_INPUT, s->at, err,
                              "nothing here says the type of $%d: compare it with a column, or "
                              "declare it in the contract",
                              s->number);
    if (!p->known)
        infer(p, expect);
    node.index = (size_t)s->number - 1;
    node.type = p->known ? p->type : expect->type;
    node.range = p->known ? p->range : expect->range;
    return sql_bind_add(out, b, node, err);
}

fm_status sql_bind_leaf(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                        const struct sql_expect *expect, struct base_err *err)
{
    const struct data_type integer = {.kind = DATA_INTEGER};
    struct sql_node node = {.op = SQL_OP_CONST, .at = s->at};
    fm_status st;

    switch (s->kind) {
    case SQL_SYNTAX_COLUMN:
        st = sql_bind_column(&node, b, s, err);
        return st == FM_OK ? sql_bind_add(out, b, node, err) : st;
    case SQL_SYNTAX_NUMBER:
        return bind_number(out, b, s, err);
    case SQL_SYNTAX_DATE:
        return bind_date(out, b, s, err);
    case SQL_SYNTAX_STRING:
        return bind_string(out, b, s, expect, err);
    case SQL_SYNTAX_PARAM:
        return bind_param(out, b, s, expect, err);
    case SQL_SYNTAX_NULL:
        /* Where nothing says its type, any will do. */
        return sql_bind_null(out, b, expect != NULL ? expect->type : integer, s->at, err);
    default: /* TRUE, FALSE */
        node.type.kind = DATA_BOOLEAN;
        node.value = s->kind == SQL_SYNTAX_TRUE;
        node.range = (struct sql_range){node.value, node.value};
        return sql_bind_add(out, b, node, err);
    }
}
