/* The canonical form of a plan: plan.md says it precisely. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "exchange/sql/plan/intern.h"
#include "exchange/sql/plan/plan.h"
#include "exchange/sql/plan/plan_own.h"
#include "exchange/sql/plan/walk.h"

const char *sql_op_name(enum sql_op op)
{
    static const char *const names[SQL_OP_COUNT_OF_OPS] = {
        [SQL_OP_COLUMN] = "column",   [SQL_OP_CONST] = "const",
        [SQL_OP_PARAM] = "param",     [SQL_OP_RESCALE] = "rescale",
        [SQL_OP_NEG] = "neg",         [SQL_OP_ADD] = "add",
        [SQL_OP_SUB] = "sub",         [SQL_OP_MUL] = "mul",
        [SQL_OP_EQ] = "eq",           [SQL_OP_NE] = "ne",
        [SQL_OP_LT] = "lt",           [SQL_OP_LE] = "le",
        [SQL_OP_GT] = "gt",           [SQL_OP_GE] = "ge",
        [SQL_OP_AND] = "and",         [SQL_OP_OR] = "or",
        [SQL_OP_NOT] = "not",         [SQL_OP_IS_NULL] = "is_null",
        [SQL_OP_IS_TRUE] = "is_true", [SQL_OP_CASE] = "case",
        [SQL_OP_DIV] = "div",         [SQL_OP_MOD] = "mod",
        [SQL_OP_ROUND] = "round",     [SQL_OP_LIKE] = "like",
        [SQL_OP_CONCAT] = "concat",   [SQL_OP_LENGTH] = "length",
        [SQL_OP_UPPER] = "upper",     [SQL_OP_LOWER] = "lower",
        [SQL_OP_TRIM] = "trim",       [SQL_OP_SUBSTR] = "substr",
        [SQL_OP_REPLACE] = "replace", [SQL_OP_POSITION] = "position",
        [SQL_OP_AS_TEXT] = "as_text"};

    return names[op];
}

/* Expressions on their way to a list in which every one stands once, operands first. */
struct writer {
    const struct sql_plan *plan;
    json_t *nodes;
    size_t *place; /* of a plan's node in the list; SQL_NONE: not there yet */
    struct sql_intern seen;
};

static json_t *type_json(struct data_type type, struct sql_range range)
{
    char name[DATA_TYPE_TEXT];

    if (type.kind == DATA_DECIMAL && type.precision == 0)
        type = sql_type_fit(type, range);
    data_type_format(name, &type);
    return json_string(name);
}

static json_t *range_json(struct data_type type, struct sql_range range)
{
    char lo[SQL_WIDE_TEXT], hi[SQL_WIDE_TEXT];

    sql_value_format(lo, type, range.lo);
    sql_value_format(hi, type, range.hi);
    return json_pack("[s, s]", lo, hi);
}

static bool has_range(struct data_type type)
{
    return type.kind != DATA_TEXT && type.kind != DATA_BOOLEAN;
}

/* The kind and, for DECIMAL, the scale: precision would follow the number of rows, and with it the
 * hash. */
static void put_kind(json_t *o, struct data_type type)
{
    static const char *const names[] = {[DATA_INTEGER] = "INTEGER",
                                        [DATA_DECIMAL] = "DECIMAL",
                                        [DATA_BOOLEAN] = "BOOLEAN",
                                        [DATA_DATE] = "DATE",
                                        [DATA_TEXT] = "TEXT"};

    (void)json_object_set_new(o, "type", json_string(names[type.kind]));
    if (type.kind == DATA_DECIMAL)
        (void)json_object_set_new(o, "scale", json_integer((json_int_t)type.scale));
}

static void put_const(json_t *o, const struct sql_node *n)
{
    char value[SQL_WIDE_TEXT];

    put_kind(o, n->type);
    if (n->null) {
        (void)json_object_set_new(o, "null", json_true());
    } else if (n->type.kind == DATA_TEXT) {
        (void)json_object_set_new(o, "value", json_string(n->text));
    } else {
        sql_value_format(value, n->type, n->value);
        (void)json_object_set_new(o, "value", json_string(value));
    }
}

static json_t *node_json(const struct writer *w, const struct sql_node *n)
{
    json_t *o = json_pack("{s:s}", "op", sql_op_name(n->op));
    json_t *args;

    if (n->op == SQL_OP_COLUMN)
        (void)json_object_set_new(o, "column", json_integer((json_int_t)n->index));
    else if (n->op == SQL_OP_PARAM)
        (void)json_object_set_new(o, "number", json_integer((json_int_t)n->index + 1));
    else if (n->op == SQL_OP_CONST)
        put_const(o, n);
    else if (n->op == SQL_OP_RESCALE || n->op == SQL_OP_DIV || n->op == SQL_OP_ROUND ||
             n->op == SQL_OP_TRIM)
        (void)json_object_set_new(o, "digits", json_integer((json_int_t)n->digits));
    if (n->arg_count == 0)
        return o;
    args = json_array();
    for (size_t i = 0; i < n->arg_count; i++)
        (void)json_array_append_new(args, json_integer((json_int_t)w->place[n->args[i]]));
    (void)json_object_set_new(o, "args", args);
    return o;
}

/* Post-order; the depth is bounded by the parser's (SQL_MAX_DEPTH) times what desugaring adds. */
static fm_status write_node(struct writer *w, size_t node, struct base_err *err)
{
    const struct sql_node *n = &w->plan->nodes[node];
    struct base_buf key = {0};
    size_t place;
    bool fresh = false;
    json_t *o;
    fm_status st = FM_OK;

    if (w->place[node] != SQL_NONE)
        return FM_OK;
    for (size_t i = 0; st == FM_OK && i < n->arg_count; i++)
        st = write_node(w, n->args[i], err);
    if (st != FM_OK)
        return st;
    place = json_array_size(w->nodes);
    o = node_json(w, n);
    if (o == NULL)
        return base_err_memory(err, "SQL plan");
    st = base_json_canonical(&key, o, err);
    if (st == FM_OK && !sql_intern_find(&w->seen, key.p, key.len, &place, &fresh))
        st = base_err_memory(err, "SQL plan");
    if (st == FM_OK && fresh && json_array_append(w->nodes, o) != 0)
        st = base_err_memory(err, "SQL plan");
    w->place[node] = place;
    base_buf_release(&key);
    json_decref(o);
    return st;
}

struct writing {
    struct writer *w;
    fm_status st;
    struct base_err *err;
};

static void write_one(size_t *node, void *context)
{
    struct writing *x = context;

    if (x->st == FM_OK)
        x->st = write_node(x->w, *node, x->err);
}

static fm_status write_nodes(struct writer *w, struct base_err *err)
{
    const struct sql_plan *plan = w->plan;
    struct writing x = {w, FM_OK, err};

    for (size_t i = 0; i < plan->node_count; i++)
        w->place[i] = SQL_NONE;
    for (size_t i = 0; i < plan->rel_count; i++)
        sql_walk_nodes(plan->rels[i], write_one, &x);
    return x.st;
}

static json_t *sources_json(const struct sql_plan *plan, const struct sql_table *t)
{
    json_t *list = json_array();

    for (size_t i = 0; i < t->source_count; i++) {
        const struct sql_source *s = &plan->sources[t->first_source + i];
        (void)json_array_append_new(list,
                                    json_pack("{s:s, s:s, s:I}", "member", s->member, "dataset",
                                              s->dataset, "version", (json_int_t)s->version));
    }
    return list;
}

static json_t *columns_json(const struct sql_plan *plan)
{
    json_t *list = json_array();

    for (size_t i = 0; i < plan->column_count; i++) {
        const struct sql_plan_column *c = &plan->columns[i];
        json_t *o =
            json_pack("{s:I, s:s, s:o, s:b}", "table", (json_int_t)c->table, "name", c->name,
                      "type", type_json(c->type, c->range), "nullable", (int)c->nullable);
        if (has_range(c->type))
            (void)json_object_set_new(o, "range", range_json(c->type, c->range));
        if (c->value_count > 0)
            (void)json_object_set_new(o, "values", sql_values_json(c->values, c->value_count));
        (void)json_array_append_new(list, o);
    }
    return list;
}

static json_t *params_json(const struct sql_plan *plan)
{
    json_t *list = json_array();

    for (size_t i = 0; i < plan->param_count; i++) {
        const struct sql_param *p = &plan->params[i];
        json_t *o =
            json_pack("{s:o, s:b}", "type", type_json(p->type, p->range), "hidden", (int)p->hidden);
        if (has_range(p->type))
            (void)json_object_set_new(o, "range", range_json(p->type, p->range));
        (void)json_array_append_new(list, o);
    }
    return list;
}

static json_t *tables_json(const struct sql_plan *plan)
{
    json_t *list = json_array();

    for (size_t i = 0; i < plan->table_count; i++)
        (void)json_array_append_new(list, sources_json(plan, &plan->tables[i]));
    return list;
}

static json_t *outputs_json(const struct sql_plan *plan)
{
    json_t *list = json_array();

    for (size_t i = 0; i < plan->output_count; i++) {
        const struct sql_output *out = &plan->outputs[i];
        json_t *o = json_pack("{s:s, s:I}", "name", out->name, "column", (json_int_t)out->column);
        put_kind(o, out->type);
        (void)json_array_append_new(list, o);
    }
    return list;
}

static json_t *plan_object(struct writer *w)
{
    const struct sql_plan *plan = w->plan;
    json_t *recipients = json_array();
    json_t *o;

    for (size_t i = 0; i < plan->recipient_count; i++)
        (void)json_array_append_new(recipients, json_string(plan->recipients[i]));
    o = json_pack("{s:i, s:I, s:o, s:o, s:o, s:o, s:O, s:o, s:o}", "format", (int)SQL_PLAN_FORMAT,
                  "minimum", (json_int_t)plan->minimum, "recipients", recipients, "tables",
                  tables_json(plan), "columns", columns_json(plan), "parameters", params_json(plan),
                  "nodes", w->nodes, "operators", sql_rels_json(plan, w->place), "outputs",
                  outputs_json(plan));
    return o;
}

fm_status sql_plan_json(json_t **out, const struct sql_plan *plan, struct base_err *err)
{
    struct writer w = {.plan = plan, .nodes = json_array()};
    fm_status st = FM_OK;

    *out = NULL;
    w.place = malloc((plan->node_count + 1) * sizeof *w.place);
    if (w.place == NULL || w.nodes == NULL)
        st = base_err_memory(err, "SQL plan");
    if (st == FM_OK)
        st = write_nodes(&w, err);
    if (st == FM_OK) {
        *out = plan_object(&w);
        if (*out == NULL)
            st = base_err_memory(err, "SQL plan");
    }
    sql_intern_release(&w.seen);
    json_decref(w.nodes);
    free(w.place);
    return st;
}

fm_status sql_plan_hash(uint8_t out32[32], const struct sql_plan *plan, struct base_err *err)
{
    json_t *json;
    fm_status st = sql_plan_json(&json, plan, err);

    memset(out32, 0, 32);
    if (st != FM_OK)
        return st;
    st = base_json_hash(out32, json, err);
    json_decref(json);
    return st;
}
