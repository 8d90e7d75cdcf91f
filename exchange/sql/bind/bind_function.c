/* Division, CAST, ABS, GREATEST and LEAST. What CASE can say is CASE. */
#include <assert.h>
#include <string.h>

#include "exchange/sql/bind/bind.h"

fm_status sql_bind_const(size_t *out, struct sql_binder *b, struct data_type type, sql_wide value,
                         int at, struct base_err *err)
{
    struct sql_node node = {
        .op = SQL_OP_CONST, .type = type, .value = value, .range = {value, value}, .at = at};

    return sql_bind_add(out, b, node, err);
}

static fm_status needs_numbers(const struct sql_binder *b, size_t node, const char *what,
                               struct base_err *err)
{
    const struct sql_node *n = &b->plan->nodes[node];
    char name[DATA_TYPE_TEXT];

    if (sql_type_is_number(n->type))
        return FM_OK;
    sql_bind_type_name(name, n);
    return SQL_BIND_ERROR(b, FM_E_INPUT, n->at, err, "%s needs numbers, this is %s", what, name);
}

/* ---- / and % ---- */

static sql_wide size_of(struct sql_range r)
{
    sql_wide size = r.hi > -r.lo ? r.hi : -r.lo;

    return size < 0 ? 0 : size;
}

/* Six digits more than the dividend has, or as many as keep |x| 10^k below 2^62. */
static fm_status decimal_digits(unsigned *out, const struct sql_binder *b, const size_t args[2],
                                int at, struct base_err *err)
{
    const struct sql_node *x = &b->plan->nodes[args[0]], *y = &b->plan->nodes[args[1]];
    const sql_wide limit = (sql_wide)1 << 62;
    unsigned most = x->type.scale + SQL_AVG_DIGITS, scale;

    for (scale = most < SQL_MAX_SCALE ? most : SQL_MAX_SCALE;; scale--) {
        unsigned shift = scale + y->type.scale - x->type.scale;
        if (scale + y->type.scale >= x->type.scale && shift <= 18 &&
            size_of(x->range) * sql_ten_to(shift) < limit) {
            *out = shift;
            return FM_OK;
        }
        if (scale == 0 || scale + y->type.scale <= x->type.scale)
            return SQL_BIND_ERROR(b, FM_E_LIMIT, at, err,
                                  "this quotient could leave 64 bits: declare a narrower range for "
                                  "the dividend, or fewer digits for the divisor");
    }
}

static fm_status bind_division(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                               struct base_err *err)
{
    const char *sign = s->kind == SQL_SYNTAX_DIV ? "/" : s->kind == SQL_SYNTAX_MOD ? "%" : "DIV";
    size_t args[2];
    unsigned digits = 0;
    bool whole;
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < 2; i++) {
        st = sql_bind_expr(&args[i], b, s->args[i], NULL, err);
        if (st == FM_OK)
            st = needs_numbers(b, args[i], sign, err);
    }
    if (st != FM_OK)
        return st;
    if (b->plan->nodes[args[1]].op == SQL_OP_CONST && b->plan->nodes[args[1]].value == 0)
        return SQL_BIND_ERROR(b, FM_E_INPUT, s->at, err, "%s by zero", sign);
    whole = b->plan->nodes[args[0]].type.kind == DATA_INTEGER &&
            b->plan->nodes[args[1]].type.kind == DATA_INTEGER;
    if (s->kind != SQL_SYNTAX_DIV && !whole)
        return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, s->at, err, "%s is offered of integers", sign);
    if (!whole)
        st = decimal_digits(&digits, b, args, s->at, err);
    if (st != FM_OK)
        return st;
    return sql_bind_make_digits(out, b, s->kind == SQL_SYNTAX_MOD ? SQL_OP_MOD : SQL_OP_DIV, s->at,
                                args, 2, digits, err);
}

/* ---- CAST ---- */

static fm_status cast_scale(size_t *out, struct sql_binder *b, struct data_type type, int at,
                            struct base_err *err)
{
    unsigned scale = b->plan->nodes[*out].type.scale;
    struct sql_range limits = sql_type_range(type);
    char name[DATA_TYPE_TEXT], from[DATA_TYPE_TEXT];
    fm_status st = FM_OK;

    if (scale > type.scale)
        st = sql_bind_make_digits(out, b, SQL_OP_ROUND, at, out, 1, scale - type.scale, err);
    else
        st = sql_bind_rescale(out, b, type.scale, err);
    if (st != FM_OK || b->plan->nodes[*out].range.lo > b->plan->nodes[*out].range.hi ||
        sql_range_holds(limits, b->plan->nodes[*out].range))
        return st;
    data_type_format(name, &type);
    sql_bind_type_name(from, &b->plan->nodes[*out]);
    return SQL_BIND_ERROR(
        b, FM_E_LIMIT, at, err,
        "a value of %s may not fit %s: cast to more digits, or declare a narrower "
        "range",
        from, name);
}

/* 1, 0 or NULL. */
fm_status sql_bind_truth_number(size_t *inout, struct sql_binder *b, int at, struct base_err *err)
{
    const struct data_type integer = {.kind = DATA_INTEGER};
    const size_t condition = *inout;
    size_t args[3] = {condition, SQL_NONE, SQL_NONE};
    fm_status st = sql_bind_const(&args[1], b, integer, 1, at, err);

    if (st == FM_OK)
        st = sql_bind_const(&args[2], b, integer, 0, at, err);
    if (st == FM_OK)
        st = sql_bind_make(inout, b, SQL_OP_CASE, at, args, 3, err);
    return st == FM_OK ? sql_bind_null_with(inout, b, &condition, 1, at, err) : st;
}

static fm_status bind_cast(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                           struct base_err *err)
{
    struct sql_expect expect;
    size_t given;
    fm_status st;

    if (strcmp(s->text, "TEXT") == 0 || strcmp(s->text, "DECIMAL") == 0) {
        st = sql_bind_expr(out, b, s->args[0], NULL, err);
        if (st != FM_OK || s->text[0] == 'T')
            return st == FM_OK ? sql_bind_as_text(out, b, s->at, err) : st;
        return needs_numbers(b, *out, "CAST", err);
    }
    st = data_type_parse(&expect.type, s->text, err);

    if (st != FM_OK)
        return SQL_BIND_ERROR(b, FM_E_INPUT, s->at, err,
                              "%s is no type: write DECIMAL(p,s) with p "
                              "at most 18",
                              s->text);
    expect.range = sql_type_range(expect.type);
    st = sql_bind_expr(&given, b, s->args[0], &expect, err);
    if (st != FM_OK)
        return st;
    if (b->plan->nodes[given].type.kind == DATA_BOOLEAN && expect.type.kind == DATA_INTEGER) {
        *out = given;
        return sql_bind_truth_number(out, b, s->at, err);
    }
    st = needs_numbers(b, given, "CAST", err);
    *out = given;
    return st == FM_OK ? cast_scale(out, b, expect.type, s->at, err) : st;
}

/* ---- ABS, GREATEST, LEAST ---- */

static fm_status bind_abs(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                          struct base_err *err)
{
    size_t x, zero, args[3];
    struct sql_range r;
    struct data_type type;
    fm_status st = sql_bind_expr(&x, b, s->args[0], NULL, err);

    if (st == FM_OK)
        st = needs_numbers(b, x, "ABS", err);
    if (st != FM_OK)
        return st;
    r = b->plan->nodes[x].range;
    type = b->plan->nodes[x].type;
    *out = x;
    if (r.lo >= 0)
        return FM_OK;
    st = sql_bind_const(&zero, b, type, 0, s->at, err);
    if (st == FM_OK)
        st = sql_bind_make(&args[0], b, SQL_OP_LT, s->at, (const size_t[2]){x, zero}, 2, err);
    if (st == FM_OK)
        st = sql_bind_make(&args[1], b, SQL_OP_NEG, s->at, &x, 1, err);
    args[2] = x;
    if (st == FM_OK)
        st = sql_bind_make(out, b, SQL_OP_CASE, s->at, args, 3, err);
    if (st == FM_OK)
        b->plan->nodes[*out].range = (struct sql_range){r.hi < 0 ? -r.hi : 0, size_of(r)};
    return st;
}

/* One of two: the greater (less) of those that are not NULL. x where y IS NULL or x >= y, else y;
 * where x alone is NULL, the comparison is not true. */
static fm_status choose(size_t *x, struct sql_binder *b, size_t y, enum sql_op op, int at,
                        struct base_err *err)
{
    struct sql_range p, q;
    size_t args[3], parts[2];
    fm_status st = sql_bind_equal(x, &y, b, at, err);

    if (st == FM_OK &&
        (b->plan->nodes[*x].type.kind == DATA_TEXT || b->plan->nodes[*x].type.kind == DATA_BOOLEAN))
        return SQL_BIND_ERROR(
            b, FM_E_INPUT, at, err,
            "GREATEST and LEAST take numbers or dates: others have no order here");
    if (st == FM_OK)
        st = sql_bind_make(&parts[0], b, op, at, (const size_t[2]){*x, y}, 2, err);
    args[0] = parts[0];
    if (st == FM_OK && b->plan->nodes[y].nullable) {
        st = sql_bind_make(&parts[1], b, SQL_OP_IS_NULL, at, &y, 1, err);
        if (st == FM_OK)
            st = sql_bind_make(&args[0], b, SQL_OP_OR, at, parts, 2, err);
    }
    if (st != FM_OK)
        return st;
    p = b->plan->nodes[*x].range;
    q = b->plan->nodes[y].range;
    args[1] = *x;
    args[2] = y;
    st = sql_bind_make(x, b, SQL_OP_CASE, at, args, 3, err);
    if (st == FM_OK && !b->plan->nodes[args[1]].nullable && !b->plan->nodes[y].nullable)
        b->plan->nodes[*x].range =
            op == SQL_OP_GE
                ? (struct sql_range){p.lo > q.lo ? p.lo : q.lo, p.hi > q.hi ? p.hi : q.hi}
                : (struct sql_range){p.lo < q.lo ? p.lo : q.lo, p.hi < q.hi ? p.hi : q.hi};
    return st;
}

static fm_status bind_extreme(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                              struct base_err *err)
{
    enum sql_op op = s->kind == SQL_SYNTAX_GREATEST ? SQL_OP_GE : SQL_OP_LE;
    struct sql_expect expect;
    size_t first = 0;
    fm_status st;

    while (first + 1 < s->arg_count && sql_bind_is_loose(b, s->args[first]))
        first++;
    st = sql_bind_expr(out, b, s->args[first], NULL, err);
    if (st != FM_OK)
        return st;
    expect = sql_bind_expect(b, *out);
    for (size_t i = 0; st == FM_OK && i < s->arg_count; i++) {
        size_t next;
        if (i == first)
            continue;
        st = sql_bind_expr(&next, b, s->args[i], &expect, err);
        if (st == FM_OK)
            st = choose(out, b, next, op, s->at, err);
    }
    return st;
}

fm_status sql_bind_function(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                            struct base_err *err)
{
    switch (s->kind) {
    case SQL_SYNTAX_FUNCTION:
        return strcmp(s->text, "div") == 0 ? bind_division(out, b, s, err)
                                           : sql_bind_text(out, b, s, err);
    case SQL_SYNTAX_DIV:
    case SQL_SYNTAX_MOD:
        return bind_division(out, b, s, err);
    case SQL_SYNTAX_CAST:
        return bind_cast(out, b, s, err);
    case SQL_SYNTAX_ABS:
        return bind_abs(out, b, s, err);
    case SQL_SYNTAX_EXTRACT:
        return sql_bind_extract(out, b, s, err);
    default:
        return bind_extreme(out, b, s, err);
    }
}
