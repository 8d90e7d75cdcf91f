/* From a request to a plan: parameters and recipients; the binder's other files do the rest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/sql/bind/bind.h"

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

/* Room, in bytes, for a text parameter that only meets functions, as in UPPER($1): nothing there
 * says how long it may be. Who needs more declares it. */
enum { UNMEASURED_TEXT = 256 };

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
        if (p->type.kind == DATA_TEXT && p->type.max_bytes == 0)
            p->type.max_bytes = UNMEASURED_TEXT;
        p->known = true;
        *again = true;
    }
    if (r->param_count > plan->param_count)
        return base_err_set(err, FM_E_INPUT,
                            "parameter $%zu is declared and not used: leave it out",
                            plan->param_count + 1);
    return FM_OK;
}

/* ---- recipients ---- */

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

static fm_status bind_once(struct sql_given *given, struct sql_binder *b,
                           const struct sql_query *query, struct base_err *err)
{
    struct sql_plan *plan = b->plan;

    plan->node_count = plan->column_count = plan->table_count = plan->source_count = 0;
    b->rels_made = 0;
    b->depth = 0;
    return sql_bind_query(given, b, query, NULL, NULL, err);
}

/* Twice if the first time found types of parameters: ranges that went by a narrower one are redone.
 */
static fm_status bind_all(struct sql_binder *b, const struct sql_query *query, struct base_err *err)
{
    struct sql_plan *plan = b->plan;
    struct sql_given given;
    bool again = false;
    fm_status st = declare_params(plan, b->request, err);

    if (st == FM_OK)
        st = bind_recipients(plan, b->request, err);
    if (st == FM_OK)
        st = bind_once(&given, b, query, err);
    if (st == FM_OK)
        st = settle_params(&again, plan, b->request, err);
    if (st == FM_OK && again)
        st = bind_once(&given, b, query, err);
    if (st == FM_OK)
        st = sql_bind_guards(b, given.rel, err);
    return st == FM_OK ? sql_plan_settle(b, &given, err) : st;
}

enum numbers { AS_WRITTEN, WITHOUT_LAST_ZEROS };

static fm_status compile(struct sql_plan *out, const struct sql_request *request,
                         enum numbers numbers, struct base_err *err)
{
    struct sql_query *query;
    struct sql_binder b = {
        .plan = out, .request = request, .short_numbers = numbers == WITHOUT_LAST_ZEROS};
    fm_status st;

    *out = (struct sql_plan){0};
    st = sql_parse(&query, &out->arena, request->text, request->len, err);
    if (st == FM_OK) {
        out->text = b.text = query->text;
        st = bind_all(&b, query, err);
    }
    if (st != FM_OK)
        sql_plan_release(out);
    return st;
}

/* x * 0.0001000000 has six digits more than x * 0.0001, and no other value. That text is planned as
 * it is written, unless it leaves 64 bits so, and not without the zeros. */
fm_status sql_plan_compile(struct sql_plan *out, const struct sql_request *request,
                           struct base_err *err)
{
    struct base_err again;
    fm_status st = compile(out, request, AS_WRITTEN, err);

    if (st != FM_E_LIMIT || compile(out, request, WITHOUT_LAST_ZEROS, &again) != FM_OK)
        return st;
    base_err_clear(err);
    return FM_OK;
}
