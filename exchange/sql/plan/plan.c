/* What holds for every plan: its end, names of functions, values for its parameters. */
#include <string.h>

#include "exchange/sql/plan/plan.h"

void sql_plan_release(struct sql_plan *plan)
{
    sql_arena_release(&plan->arena);
    *plan = (struct sql_plan){0};
}

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
                                        [SQL_ROW_NUMBER] = "row_number",
                                        [SQL_RANK] = "rank"};

    return names[fn];
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
