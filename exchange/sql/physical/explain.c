#include "exchange/sql/physical/explain.h"

#include <string.h>

#include "exchange/sql/physical/physical.h"
#include "exchange/sql/plan/plan_own.h"

static json_t *operator_json(const struct sql_plan *plan, const struct sql_rel *rel)
{
    struct base_buf does = {0};
    json_t *inputs = json_array(), *o;

    sql_print_rel(&does, plan, rel);
    for (size_t i = 0; i < rel->input_count; i++)
        (void)json_array_append_new(inputs, json_integer((json_int_t)rel->inputs[i]->id + 1));
    o = json_pack("{s:I, s:s, s:s, s:o, s:I}", "number", (json_int_t)rel->id + 1, "operator",
                  sql_rel_name(rel->kind), "does", base_buf_cstr(&does), "inputs", inputs, "rows",
                  (json_int_t)rel->rows);
    base_buf_release(&does);
    return o;
}

static json_t *outputs_json(const struct sql_plan *plan)
{
    json_t *list = json_array();

    for (size_t i = 0; i < plan->output_count; i++) {
        char type[DATA_TYPE_TEXT];
        data_type_format(type, &plan->outputs[i].type);
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s}", "name", plan->outputs[i].name, "type", type));
    }
    return list;
}

static unsigned all_flags(const struct sql_plan *plan)
{
    unsigned all = 0;

    for (size_t i = 0; i < plan->rel_count; i++)
        all |= plan->rels[i]->flags;
    return all;
}

static json_t *flags_json(const struct sql_plan *plan)
{
    json_t *list = json_array();

    for (unsigned bit = 0; bit < SQL_FLAG_COUNT; bit++) {
        if ((all_flags(plan) >> bit & 1) != 0)
            (void)json_array_append_new(list, json_string(sql_flag_name(bit)));
    }
    return list;
}

static json_t *learns_json(const struct sql_plan *plan)
{
    json_t *list = json_array();
    bool hidden = false, flags = all_flags(plan) != 0;

    for (size_t i = 0; i < plan->param_count; i++)
        hidden = hidden || plan->params[i].hidden;
    for (size_t i = 0; i < plan->recipient_count; i++)
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s}", "who", plan->recipients[i], "what",
                            flags ? "the result, and what the data broke" : "the result"));
    (void)json_array_append_new(
        list, json_pack("{s:s, s:s}", "who", "providers and compute parties", "what",
                        hidden ? "the query, declared sizes and bounds, public parameters"
                               : "the query, its parameters, declared sizes and bounds"));
    (void)json_array_append_new(list,
                                json_pack("{s:s, s:s}", "who", "all members", "what",
                                          "who asked under which contract, when, and the outcome"));
    return list;
}

fm_status sql_explain_json(json_t **out, const struct sql_plan *plan, struct base_err *err)
{
    json_t *operators = json_array();
    struct base_err why;

    for (size_t i = 0; i < plan->rel_count; i++)
        (void)json_array_append_new(operators, operator_json(plan, plan->rels[i]));
    *out = json_pack("{s:o, s:o, s:o, s:o}", "operators", operators, "outputs", outputs_json(plan),
                     "learns", learns_json(plan), "flags", flags_json(plan));
    if (*out == NULL)
        return base_err_memory(err, "explanation");
    if (sql_plan_runs(plan, &why) != FM_OK)
        (void)json_object_set_new(*out, "not_run", json_string(why.text));
    return FM_OK;
}
