#include "exchange/sql/physical/explain.h"

#include <string.h>

#include "exchange/sql/physical/local.h"
#include "exchange/sql/physical/local_join.h"
#include "exchange/sql/physical/physical.h"
#include "exchange/sql/plan/plan_own.h"

/* Who makes the operator alone, in the clear; all operators below it are of one member too. */
static const char *made_at(const struct sql_plan *plan, const struct sql_rel *rel)
{
    while (rel->kind != SQL_REL_SCAN)
        rel = rel->inputs[rel->kind == SQL_REL_JOIN ? 1 : 0];
    return plan->sources[plan->tables[rel->table].first_source].member;
}

static json_t *operator_json(const struct sql_plan *plan, const struct sql_rel *rel,
                             enum sql_place place)
{
    struct base_buf does = {0};
    json_t *inputs = json_array(), *o;

    sql_print_rel(&does, plan, rel);
    for (size_t i = 0; i < rel->input_count; i++)
        (void)json_array_append_new(inputs, json_integer((json_int_t)rel->inputs[i]->id + 1));
    o = json_pack("{s:I, s:s, s:s, s:o, s:I}", "number", (json_int_t)rel->id + 1, "operator",
                  place == SQL_LOCAL_JOIN ? "local join" : sql_rel_name(rel->kind), "does",
                  base_buf_cstr(&does), "inputs", inputs, "rows", (json_int_t)rel->rows);
    base_buf_release(&does);
    if (place != SQL_IN_SHARES)
        (void)json_object_set_new(o, "local", json_string(made_at(plan, rel)));
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

/* An owner that breaks its declarations at home shares nothing. */
static unsigned all_flags(const struct sql_plan *plan, const enum sql_place *places)
{
    unsigned all = 0;

    for (size_t i = 0; i < plan->rel_count; i++)
        all |= places[i] == SQL_IN_SHARES ? plan->rels[i]->flags : 0;
    return all;
}

static json_t *flags_json(unsigned flags)
{
    json_t *list = json_array();

    for (unsigned bit = 0; bit < SQL_FLAG_COUNT; bit++) {
        if ((flags >> bit & 1) != 0)
            (void)json_array_append_new(list, json_string(sql_flag_name(bit)));
    }
    return list;
}

static json_t *learns_json(const struct sql_plan *plan, unsigned flags)
{
    json_t *list = json_array();
    bool hidden = false;

    for (size_t i = 0; i < plan->param_count; i++)
        hidden = hidden || plan->params[i].hidden;
    for (size_t i = 0; i < plan->recipient_count; i++)
        (void)json_array_append_new(
            list, json_pack("{s:s, s:s}", "who", plan->recipients[i], "what",
                            flags != 0 ? "the result, and what the data broke" : "the result"));
    (void)json_array_append_new(
        list, json_pack("{s:s, s:s}", "who", "providers and compute parties", "what",
                        hidden ? "the query, declared sizes and bounds, public parameters"
                               : "the query, its parameters, declared sizes and bounds"));
    (void)json_array_append_new(list,
                                json_pack("{s:s, s:s}", "who", "all members", "what",
                                          "who asked under which contract, when, and the outcome"));
    return list;
}

/* The scan whose shares this one reads: the same dataset, shared once; SQL_NONE: its own. */
static size_t shared_with(const struct sql_plan *plan, const struct sql_plan *runs, size_t scan)
{
    size_t host = sql_plan_host_of(runs, plan->rels[scan]->table);

    if (plan->rels[scan]->kind != SQL_REL_SCAN || host == plan->rels[scan]->table)
        return SQL_NONE;
    for (size_t i = 0; i < plan->rel_count; i++)
        if (plan->rels[i]->kind == SQL_REL_SCAN && plan->rels[i]->table == host)
            return i;
    return SQL_NONE;
}

static json_t *operators_json(const struct sql_plan *plan, const struct sql_plan *runs,
                              const enum sql_place *places)
{
    json_t *operators = json_array();

    for (size_t i = 0; i < plan->rel_count; i++) {
        json_t *o = operator_json(plan, plan->rels[i], places[i]);
        size_t with = places[i] == SQL_IN_SHARES ? shared_with(plan, runs, i) : SQL_NONE;
        if (with != SQL_NONE)
            (void)json_object_set_new(o, "shared_with", json_integer((json_int_t)with + 1));
        (void)json_array_append_new(operators, o);
    }
    return operators;
}

/* runs: the plan as it runs; or the plan itself, if it cannot. */
static fm_status explain(json_t **out, const struct sql_plan *plan, const struct sql_plan *runs,
                         const enum sql_place *places, struct base_err *err)
{
    unsigned flags = all_flags(plan, places);

    *out = json_pack("{s:o, s:o, s:o, s:o}", "operators", operators_json(plan, runs, places),
                     "outputs", outputs_json(plan), "learns", learns_json(plan, flags), "flags",
                     flags_json(flags));
    return *out != NULL ? FM_OK : base_err_memory(err, "explanation");
}

fm_status sql_explain_json(json_t **out, const struct sql_plan *plan, struct base_err *err)
{
    struct sql_arena arena = {0};
    const struct sql_plan *runs = plan, *joined;
    enum sql_place *places = sql_arena_array(&arena, plan->rel_count + 1, sizeof *places);
    struct base_err why = {0};
    fm_status st = places != NULL ? sql_local_joins(&joined, places, &arena, plan, err)
                                  : base_err_memory(err, "explanation");

    *out = NULL;
    if (st == FM_OK && sql_plan_runs(plan, &why) == FM_OK)
        st = sql_local_rewrite(&runs, &arena, plan, err);
    if (st == FM_OK)
        st = explain(out, plan, runs, places, err);
    if (st == FM_OK && why.text[0] != '\0')
        (void)json_object_set_new(*out, "not_run", json_string(why.text));
    sql_arena_release(&arena);
    return st;
}
