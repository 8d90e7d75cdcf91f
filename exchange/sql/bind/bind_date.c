/* Dates: intervals, and EXTRACT. */
#include <assert.h>

#include "exchange/data/date.h"
#include "exchange/sql/bind/bind.h"

/* ---- NULL goes through ---- */

/* *inout becomes NULL where an operand is: a CASE by itself takes its ELSE there. */
fm_status sql_bind_null_with(size_t *inout, struct sql_binder *b, const size_t *operands,
                             size_t count, int at, struct base_err *err)
{
    struct sql_range range = b->plan->nodes[*inout].range;
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < count; i++) {
        size_t args[3] = {0, 0, *inout};
        if (!b->plan->nodes[operands[i]].nullable)
            continue;
        st = sql_bind_make(&args[0], b, SQL_OP_IS_NULL, at, &operands[i], 1, err);
        if (st == FM_OK)
            st = sql_bind_null(&args[1], b, b->plan->nodes[*inout].type, at, err);
        if (st == FM_OK)
            st = sql_bind_make(inout, b, SQL_OP_CASE, at, args, 3, err);
        if (st == FM_OK)
            b->plan->nodes[*inout].range = range;
    }
    return st;
}

/* ---- date + interval ---- */

static int days_in(int year, int month)
{
    int64_t first, next;

    if (month == 12)
        return 31;
    if (!data_date_from_civil(&first, year, month, 1) ||
        !data_date_from_civil(&next, year, month + 1, 1))
        return 0;
    return (int)(next - first);
}

/* As in PostgreSQL: the same day of the month, or the month's last one. */
static fm_status add_months(size_t *inout, struct sql_binder *b, int months, int at,
                            struct base_err *err)
{
    struct sql_node n = b->plan->nodes[*inout];
    int year, month, day, last;
    int64_t total, days;

    if (n.op != SQL_OP_CONST || n.null)
        return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, at, err,
                              "months and years are added to dates that are written out: move the "
                              "interval to the other side of the comparison, or add days");
    data_date_to_civil(&year, &month, &day, (int64_t)n.value);
    total = (int64_t)year * 12 + (month - 1) + months;
    if (total < 12 || total >= 12 * 10000)
        return SQL_BIND_ERROR(b, FM_E_INPUT, at, err, "this date leaves the years 1 to 9999");
    last = days_in((int)(total / 12), (int)(total % 12) + 1);
    if (!data_date_from_civil(&days, (int)(total / 12), (int)(total % 12) + 1,
                              day < last ? day : last))
        return SQL_BIND_ERROR(b, FM_E_INPUT, at, err, "this date leaves the years 1 to 9999");
    return sql_bind_const(inout, b, n.type, days, at, err);
}

static fm_status check_dates(const struct sql_binder *b, size_t node, int at, struct base_err *err)
{
    struct sql_range r = b->plan->nodes[node].range;

    if (r.lo > r.hi || (r.lo >= DATA_DATE_MIN && r.hi <= DATA_DATE_MAX))
        return FM_OK;
    return SQL_BIND_ERROR(b, FM_E_LIMIT, at, err,
                          "this date could leave the years 1 to 9999: declare a narrower range");
}

static fm_status add_days(size_t *inout, struct sql_binder *b, size_t days, int at,
                          struct base_err *err)
{
    struct sql_node x = b->plan->nodes[*inout], y = b->plan->nodes[days];
    fm_status st;

    if (x.op == SQL_OP_CONST && y.op == SQL_OP_CONST && !x.null && !y.null)
        st = sql_bind_const(inout, b, x.type, x.value + y.value, at, err);
    else
        st = sql_bind_make(inout, b, SQL_OP_ADD, at, (const size_t[2]){*inout, days}, 2, err);
    return st == FM_OK ? check_dates(b, *inout, at, err) : st;
}

static fm_status add_interval(size_t *out, struct sql_binder *b, const struct sql_syntax *date,
                              const struct sql_syntax *interval, int sign, int at,
                              struct base_err *err)
{
    const struct sql_expect expect = {{.kind = DATA_DATE}, {DATA_DATE_MIN, DATA_DATE_MAX}};
    const struct data_type integer = {.kind = DATA_INTEGER};
    size_t days;
    fm_status st = sql_bind_expr(out, b, date, &expect, err);

    if (st == FM_OK && b->plan->nodes[*out].type.kind != DATA_DATE)
        return SQL_BIND_ERROR(b, FM_E_INPUT, at, err, "an interval is added to a date");
    if (st == FM_OK && interval->number != 0)
        st = add_months(out, b, sign * interval->number, at, err);
    if (st != FM_OK || interval->days == 0)
        return st;
    st = sql_bind_const(&days, b, integer, sign * interval->days, at, err);
    return st == FM_OK ? add_days(out, b, days, at, err) : st;
}

bool sql_bind_is_date_sum(const struct sql_syntax *s)
{
    return s->args[0]->kind == SQL_SYNTAX_INTERVAL || s->args[1]->kind == SQL_SYNTAX_INTERVAL;
}

fm_status sql_bind_date_sum(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                            struct base_err *err)
{
    int sign = s->kind == SQL_SYNTAX_ADD ? 1 : -1;

    if (s->args[1]->kind == SQL_SYNTAX_INTERVAL)
        return add_interval(out, b, s->args[0], s->args[1], sign, s->at, err);
    if (sign < 0)
        return SQL_BIND_ERROR(b, FM_E_INPUT, s->at, err, "an interval minus a date is nothing");
    return add_interval(out, b, s->args[1], s->args[0], sign, s->at, err);
}

/* date + integer, date - integer: days. */
fm_status sql_bind_date_days(size_t *out, struct sql_binder *b, enum sql_op op, size_t date,
                             size_t days, int at, struct base_err *err)
{
    struct sql_node n = b->plan->nodes[days];
    fm_status st = FM_OK;

    if (op == SQL_OP_SUB && n.op == SQL_OP_CONST && !n.null)
        st = sql_bind_const(&days, b, n.type, -n.value, at, err);
    else if (op == SQL_OP_SUB)
        st = sql_bind_make(&days, b, SQL_OP_NEG, at, &days, 1, err);
    *out = date;
    return st == FM_OK ? add_days(out, b, days, at, err) : st;
}

/* ---- EXTRACT ---- */

/* A CASE with one alternative for each year (quarter, month) that the declared range touches. */
enum { MAX_PERIODS = 480 };

struct periods {
    size_t count;
    unsigned months; /* of one */
    int first;       /* year * 12 + month - 1 of the first one's first month */
};

static struct periods periods_of(struct sql_range r, char field)
{
    struct periods p = {.months = field == 'y' ? 12 : field == 'q' ? 3 : 1};
    int year, month, day, last;

    data_date_to_civil(&year, &month, &day, (int64_t)r.hi);
    last = (year * 12 + month - 1) / (int)p.months;
    data_date_to_civil(&year, &month, &day, (int64_t)r.lo);
    p.first = (year * 12 + month - 1) / (int)p.months;
    p.count = (size_t)(last - p.first + 1);
    p.first *= (int)p.months;
    return p;
}

/* What the period that starts with this month is called, or its first day. */
static fm_status period_value(size_t *out, struct sql_binder *b, int month, char field, int at,
                              struct base_err *err)
{
    const struct data_type integer = {.kind = DATA_INTEGER}, date = {.kind = DATA_DATE};
    int64_t days = 0;

    if (field == 'y')
        return sql_bind_const(out, b, integer, month / 12, at, err);
    if (field == 'q')
        return sql_bind_const(out, b, integer, month % 12 / 3 + 1, at, err);
    if (field == 'm')
        return sql_bind_const(out, b, integer, month % 12 + 1, at, err);
    if (!data_date_from_civil(&days, month / 12, month % 12 + 1, 1))
        return base_err_set(err, FM_E_INPUT, "a date outside the years 1 to 9999");
    return sql_bind_const(out, b, date, days, at, err);
}

static fm_status period_case(size_t *out, struct sql_binder *b, size_t x, const struct periods *p,
                             char field, int at, struct base_err *err)
{
    const struct data_type date = {.kind = DATA_DATE};
    size_t n = 2 * p->count - 1, *args = sql_arena_array(&b->plan->arena, n, sizeof *args);
    fm_status st = FM_OK;

    if (args == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; st == FM_OK && i < p->count; i++) {
        int month = p->first + (int)((p->count - 1 - i) * p->months);
        bool last = i + 1 == p->count;
        size_t bound;
        int64_t days = 0;
        st = period_value(&args[last ? n - 1 : 2 * i + 1], b, month, field, at, err);
        if (st != FM_OK || last)
            continue;
        if (!data_date_from_civil(&days, month / 12, month % 12 + 1, 1))
            return base_err_set(err, FM_E_INPUT, "a date outside the years 1 to 9999");
        st = sql_bind_const(&bound, b, date, days, at, err);
        if (st == FM_OK)
            st = sql_bind_make(&args[2 * i], b, SQL_OP_GE, at, (const size_t[2]){x, bound}, 2, err);
    }
    if (st != FM_OK)
        return st;
    *out = args[0];
    if (n > 1)
        st = sql_bind_make(out, b, SQL_OP_CASE, at, args, n, err);
    if (st == FM_OK && n > 1)
        b->plan->nodes[*out].calendar = true;
    return st;
}

fm_status sql_bind_extract(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                           struct base_err *err)
{
    const struct sql_expect expect = {{.kind = DATA_DATE}, {DATA_DATE_MIN, DATA_DATE_MAX}};
    const struct data_type integer = {.kind = DATA_INTEGER};
    struct periods p;
    size_t x, parts[2];
    fm_status st = sql_bind_expr(&x, b, s->args[0], &expect, err);

    if (st != FM_OK)
        return st;
    if (b->plan->nodes[x].type.kind != DATA_DATE)
        return SQL_BIND_ERROR(b, FM_E_INPUT, s->at, err, "EXTRACT takes a date");
    p = periods_of(b->plan->nodes[x].range, s->text[0]);
    if (p.count > MAX_PERIODS)
        return SQL_BIND_ERROR(b, FM_E_LIMIT, s->at, err,
                              "the declared dates span %zu %ss: declare a range of at most %d, or "
                              "compare the date itself",
                              p.count, s->text[0] == 'd' ? "month" : s->text, MAX_PERIODS);
    st = period_case(out, b, x, &p, s->text[0], s->at, err);
    if (st == FM_OK && s->text[0] == 'd') {
        parts[0] = x;
        parts[1] = *out;
        st = sql_bind_make(&parts[0], b, SQL_OP_SUB, s->at, parts, 2, err);
        if (st == FM_OK)
            st = sql_bind_const(&parts[1], b, integer, 1, s->at, err);
        if (st == FM_OK)
            st = sql_bind_make(out, b, SQL_OP_ADD, s->at, parts, 2, err);
        if (st == FM_OK)
            b->plan->nodes[*out].range = (struct sql_range){1, 31};
    }
    return st == FM_OK ? sql_bind_null_with(out, b, &x, 1, s->at, err) : st;
}
