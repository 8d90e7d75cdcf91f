/* From a request to a plan: outputs, parameters, the guard; the binder's other files do the rest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/sql/bind.h"

const char *sql_fn_name(enum sql_fn fn)
{
    static const char *const names[] = {[SQL_COUNT] = "count",
                                        [SQL_SUM] = "sum",
                                        [SQL_MIN] = "min",
                                        [SQL_MAX] = "max",
                                        [SQL_AVG] = "avg",
                                        [SQL_VAR_POP] = "var_pop",
                                        [SQL_VAR_SAMP] = "var_samp",
                                        [SQL_STDDEV_POP] = "stddev_pop",
                                        [SQL_STDDEV_SAMP] = "stddev_samp",
                                        [SQL_PERCENTILE_DISC] = "percentile_disc",
                                        [SQL_BOOL_AND] = "bool_and",
                                        [SQL_BOOL_OR] = "bool_or",
                                        [SQL_ROW_NUMBER] = "row_number",
                                        [SQL_RANK] = "rank"};

    return names[fn];
}

void sql_plan_release(struct sql_plan *plan)
{
    sql_arena_release(&plan->arena);
    *plan = (struct sql_plan){0};
}

/* ---- outputs ---- */

static enum sql_fn fn_of(const char *name)
{
    enum sql_fn fn = SQL_COUNT;

    while (fn < SQL_AVG && strcmp(sql_fn_name(fn), name) != 0)
        fn++;
    return fn;
}

static fm_status check_argument(const struct sql_binder *b, const struct sql_output *o,
                                struct base_err *err)
{
    const struct sql_node *n = &b->plan->nodes[o->arg];
    const char *fn = sql_fn_name(o->fn);
    char name[DATA_TYPE_TEXT];

    if (o->fn == SQL_COUNT || sql_type_is_number(n->type))
        return FM_OK;
    if (n->type.kind == DATA_DATE && (o->fn == SQL_MIN || o->fn == SQL_MAX))
        return FM_OK;
    sql_bind_type_name(name, n);
    if (n->type.kind == DATA_BOOLEAN)
        return SQL_BIND_ERROR(b, FM_E_INPUT, n->at, err,
                              "%s of BOOLEAN is not offered: write %s(CASE WHEN ... THEN 1 ELSE 0 "
                              "END)",
                              fn, fn);
    return SQL_BIND_ERROR(b, FM_E_INPUT, n->at, err, "%s of %s is not offered: use COUNT%s", fn,
                          name, n->type.kind == DATA_DATE ? ", MIN or MAX" : "");
}

/* AVG divides in one step, (2 |sum| 10^d + n) / 2n, or in two where that could leave 64 bits: the
 * quotient q and remainder r of |sum| / n, then (2 r 10^d + n) / 2n, and q 10^d + that. In the two
 * steps every value is at most (greatest |x| + 1) 10^d, or 2 n 10^d + n, which SQL_MAX_TOTAL_ROWS
 * keeps below 2^62; so the digits depend on the argument alone, not on how many rows there are. */
static unsigned average_digits(const struct sql_node *arg)
{
    const sql_wide limit = (sql_wide)1 << 62;
    sql_wide size = arg->range.hi > -arg->range.lo ? arg->range.hi : -arg->range.lo;
    unsigned d = SQL_AVG_DIGITS;

    if (size < 0)
        size = 0;
    while (d > 0 && ((size + 1) * sql_ten_to(d) >= limit || arg->type.scale + d > SQL_MAX_SCALE))
        d--;
    return d;
}

/* Type and range of what an aggregate gives; refuses a SUM that could leave 64 bits. */
static fm_status type_output(struct sql_output *o, const struct sql_binder *b, struct base_err *err)
{
    const struct sql_plan *plan = b->plan;
    const struct sql_node *n = o->arg != SQL_NONE ? &plan->nodes[o->arg] : NULL;
    char what[48];

    if (o->fn == SQL_COUNT) {
        o->type = (struct data_type){.kind = DATA_INTEGER};
        o->range = (struct sql_range){0, plan->rows};
        return FM_OK;
    }
    o->type = n->type;
    o->range = n->range.lo > n->range.hi ? (struct sql_range){0, 0} : n->range;
    if (o->fn == SQL_SUM || o->fn == SQL_AVG) {
        struct sql_range sum = sql_range_times(o->range, plan->rows);
        (void)snprintf(what, sizeof what, "%s over %lld rows", sql_fn_name(o->fn),
                       (long long)plan->rows);
        if (!sql_range_fits(sum))
            return sql_range_refuse(plan, o->arg, plan->rows, what, o->at, err);
        if (o->fn == SQL_SUM)
            o->range = sum;
    }
    if (o->fn == SQL_AVG) {
        o->digits = average_digits(n);
        o->type.kind = DATA_DECIMAL;
        o->type.scale += o->digits;
        o->type.precision = 0;
        o->range.lo *= sql_ten_to(o->digits);
        o->range.hi *= sql_ten_to(o->digits);
    }
    if (o->type.precision == 0)
        o->type = sql_type_fit(o->type, o->range);
    return FM_OK;
}

static fm_status bind_output(struct sql_output *o, struct sql_binder *b,
                             const struct sql_syntax_item *item, struct base_err *err)
{
    const struct sql_syntax *call = item->expr;
    fm_status st = FM_OK;

    *o = (struct sql_output){.fn = fn_of(call->text), .arg = SQL_NONE, .at = call->at};
    o->name = sql_arena_text(&b->plan->arena, item->alias != NULL ? item->alias : call->text);
    if (o->name == NULL)
        return base_err_memory(err, "SQL plan");
    if (call->arg_count > 0)
        st = sql_bind_expr(&o->arg, b, call->args[0], NULL, err);
    if (st == FM_OK && call->arg_count > 0)
        st = check_argument(b, o, err);
    return st == FM_OK ? type_output(o, b, err) : st;
}

/* ---- parameters ---- */

static fm_status declare_bound(sql_wide *out, const struct data_type *type, const char *text,
                               struct base_err *err)
{
    int64_t value;
    fm_status st = data_value_parse(&value, type, text, strlen(text), err);

    *out = value;
    return st;
}

static fm_status declare_param(struct sql_param *p, const struct sql_param_decl *d,
                               struct base_err *err)
{
    fm_status st;

    *p = (struct sql_param){.range = {1, 0}, .hidden = d->hidden};
    if (d->type == NULL)
        return FM_OK;
    p->known = true;
    p->declared = true;
    st = data_type_parse(&p->type, d->type, err);
    if (st != FM_OK)
        return st;
    p->range = sql_type_range(p->type);
    if (p->type.kind == DATA_TEXT || d->least == NULL || d->greatest == NULL)
        return FM_OK;
    st = declare_bound(&p->range.lo, &p->type, d->least, err);
    if (st == FM_OK)
        st = declare_bound(&p->range.hi, &p->type, d->greatest, err);
    if (st == FM_OK && p->range.lo > p->range.hi)
        st = base_err_set(err, FM_E_INPUT, "its range begins above its end");
    return st;
}

static fm_status declare_params(struct sql_plan *plan, const struct sql_request *r,
                                struct base_err *err)
{
    plan->params = sql_arena_array(&plan->arena, SQL_MAX_PARAMS, sizeof *plan->params);
    if (plan->params == NULL)
        return base_err_memory(err, "SQL plan");
    if (r->param_count > SQL_MAX_PARAMS)
        return base_err_set(err, FM_E_INPUT, "%zu parameters are declared: at most %d",
                            r->param_count, SQL_MAX_PARAMS);
    for (size_t i = 0; i < SQL_MAX_PARAMS; i++)
        plan->params[i].range = (struct sql_range){1, 0};
    for (size_t i = 0; i < r->param_count; i++) {
        if (declare_param(&plan->params[i], &r->params[i], err) != FM_OK)
            return base_err_prefix(err, "parameter $%zu", i + 1);
    }
    return FM_OK;
}

/* After the first pass: every parameter must have been given a type somewhere. */
static fm_status settle_params(bool *again, struct sql_plan *plan, const struct sql_request *r,
                               struct base_err *err)
{
    *again = false;
    for (size_t i = 0; i < plan->param_count; i++) {
        struct sql_param *p = &plan->params[i];
        if (p->known)
            continue;
        if (p->range.lo > p->range.hi)
            return base_err_set(err, FM_E_INPUT,
                                "parameter $%zu is not used, though $%zu is: number them from $1",
                                i + 1, plan->param_count);
        p->known = true;
        *again = true;
    }
    if (r->param_count > plan->param_count)
        return base_err_set(err, FM_E_INPUT,
                            "parameter $%zu is declared and not used: leave it out",
                            plan->param_count + 1);
    return FM_OK;
}

/* ---- the guard ---- */

static fm_status bind_guard(struct sql_plan *plan, const struct sql_request *r,
                            struct base_err *err)
{
    sql_wide per_subject = 0, rows = 0;

    plan->minimum = r->minimum;
    if (r->minimum < 1 || r->minimum > SQL_MAX_ROWS)
        return base_err_set(err, FM_E_INPUT, "the minimum group must be 1 to %lld subjects",
                            (long long)SQL_MAX_ROWS);
    if (r->minimum == 1)
        return FM_OK;
    for (size_t i = 0; i < plan->source_count; i++) {
        const struct sql_source *s = &plan->sources[i];
        if (s->recipient)
            continue;
        if (s->max_rows_per_subject == 0)
            return base_err_set(err, FM_E_REFUSED,
                                "minimum group %lld: %s.%s declares no subject, so its subjects "
                                "cannot be counted: publish it with a subject column",
                                (long long)r->minimum, s->member, s->dataset);
        per_subject += s->max_rows_per_subject;
        rows += s->rows;
    }
    if (rows == 0)
        return base_err_set(err, FM_E_REFUSED,
                            "minimum group %lld can never be met: every provider of '%s' is a "
                            "recipient",
                            (long long)r->minimum, plan->table);
    if (per_subject * r->minimum > rows)
        return base_err_set(err, FM_E_REFUSED,
                            "minimum group %lld can never be met: providers that are no recipient "
                            "declare %lld rows, with at most %lld a subject",
                            (long long)r->minimum, (long long)rows, (long long)per_subject);
    plan->guard_rows = (int64_t)(per_subject * r->minimum);
    return FM_OK;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static fm_status bind_recipients(struct sql_plan *plan, const struct sql_request *r,
                                 struct base_err *err)
{
    if (r->recipient_count == 0)
        return base_err_set(err, FM_E_INPUT, "a query needs at least one recipient");
    plan->recipients = sql_arena_array(&plan->arena, r->recipient_count, sizeof(char *));
    if (plan->recipients == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < r->recipient_count; i++) {
        plan->recipients[i] = sql_arena_text(&plan->arena, r->recipients[i]);
        if (plan->recipients[i] == NULL)
            return base_err_memory(err, "SQL plan");
    }
    plan->recipient_count = r->recipient_count;
    qsort(plan->recipients, plan->recipient_count, sizeof(char *), compare_names);
    for (size_t i = 1; i < plan->recipient_count; i++) {
        if (strcmp(plan->recipients[i - 1], plan->recipients[i]) == 0)
            return base_err_set(err, FM_E_INPUT, "recipient %s is named twice",
                                plan->recipients[i]);
    }
    return FM_OK;
}

/* ---- all of it ---- */

/* Columns by name, so that the order in which a query mentions them does not matter. */
static fm_status sort_columns(struct sql_plan *plan, struct base_err *err)
{
    size_t n = plan->column_count;
    /* Behind them, room for those that operators make. */
    struct sql_plan_column *sorted =
        sql_arena_array(&plan->arena, n + plan->output_count + 1, sizeof *sorted);
    size_t *rank = sql_arena_array(&plan->arena, n, sizeof *rank);

    if (sorted == NULL || rank == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < n; j++)
            rank[i] += strcmp(plan->columns[j].name, plan->columns[i].name) < 0;
        sorted[rank[i]] = plan->columns[i];
    }
    for (size_t i = 0; i < plan->node_count; i++) {
        if (plan->nodes[i].op == SQL_OP_COLUMN)
            plan->nodes[i].index = rank[plan->nodes[i].index];
    }
    plan->columns = sorted;
    return FM_OK;
}

/* One pass over the query. WHERE comes first: it is what gives parameters their types. */
static fm_status bind_query(struct sql_binder *b, struct base_err *err)
{
    struct sql_plan *plan = b->plan;
    const struct sql_query *q = b->query;
    fm_status st = FM_OK;

    plan->node_count = 0;
    plan->column_count = 0;
    plan->filter = SQL_NONE;
    if (q->where != NULL)
        st = sql_bind_condition(&plan->filter, b, q->where, "WHERE", err);
    for (size_t i = 0; st == FM_OK && i < q->item_count; i++)
        st = bind_output(&plan->outputs[i], b, &q->items[i], err);
    return st;
}

static fm_status bind_all(struct sql_binder *b, struct base_err *err)
{
    struct sql_plan *plan = b->plan;
    bool again = false;
    fm_status st = declare_params(plan, b->request, err);

    if (st == FM_OK)
        st = bind_recipients(plan, b->request, err);
    if (st == FM_OK)
        st = sql_bind_table(b, err);
    if (st != FM_OK)
        return st;
    plan->output_count = b->query->item_count;
    plan->outputs = sql_arena_array(&plan->arena, plan->output_count, sizeof *plan->outputs);
    plan->columns =
        sql_arena_array(&plan->arena, b->datasets[0]->column_count, sizeof *plan->columns);
    if (plan->outputs == NULL || plan->columns == NULL)
        return base_err_memory(err, "SQL plan");
    st = bind_query(b, err);
    if (st == FM_OK)
        st = settle_params(&again, plan, b->request, err);
    if (st == FM_OK && again)
        st = bind_query(b, err);
    if (st == FM_OK)
        st = bind_guard(plan, b->request, err);
    if (st == FM_OK)
        st = sort_columns(plan, err);
    return st == FM_OK ? sql_tree_simple(plan, err) : st;
}

fm_status sql_plan_compile(struct sql_plan *out, const struct sql_request *request,
                           struct base_err *err)
{
    struct sql_query query;
    struct sql_binder b = {.plan = out, .query = &query, .request = request};
    fm_status st;

    *out = (struct sql_plan){0};
    st = sql_parse(&query, &out->arena, request->text, request->len, err);
    out->text = query.text;
    if (st == FM_OK)
        st = bind_all(&b, err);
    if (st != FM_OK)
        sql_plan_release(out);
    return st;
}

fm_status sql_param_parse(struct sql_value *out, const struct sql_plan *plan, size_t index,
                          const char *text, struct base_err *err)
{
    const struct sql_param *p;
    char lo[SQL_WIDE_TEXT], hi[SQL_WIDE_TEXT];
    fm_status st;

    *out = (struct sql_value){.text = text};
    if (index >= plan->param_count)
        return base_err_set(err, FM_E_INPUT, "the query has no parameter $%zu", index + 1);
    p = &plan->params[index];
    if (p->type.kind == DATA_TEXT)
        st = data_text_check(&p->type, text, strlen(text), err);
    else
        st = data_value_parse(&out->value, &p->type, text, strlen(text), err);
    if (st != FM_OK)
        return base_err_prefix(err, "parameter $%zu", index + 1);
    if (p->type.kind == DATA_TEXT || (out->value >= p->range.lo && out->value <= p->range.hi))
        return FM_OK;
    sql_value_format(lo, p->type, p->range.lo);
    sql_value_format(hi, p->type, p->range.hi);
    return base_err_set(err, FM_E_INPUT, "parameter $%zu must be %s to %s", index + 1, lo, hi);
}
