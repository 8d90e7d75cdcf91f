#include "exchange/run/test_lite.h"

#include <stdlib.h>

static const char *const infix[SQL_OP_COUNT_OF_OPS] = {
    [SQL_OP_ADD] = "+", [SQL_OP_SUB] = "-",   [SQL_OP_MUL] = "*", [SQL_OP_EQ] = "=",
    [SQL_OP_NE] = "<>", [SQL_OP_LT] = "<",    [SQL_OP_LE] = "<=", [SQL_OP_GT] = ">",
    [SQL_OP_GE] = ">=", [SQL_OP_AND] = "AND", [SQL_OP_OR] = "OR"};

static const char *value(struct gen_world *w, bool null, const char *text, int64_t number)
{
    if (null)
        return "NULL";
    return text != NULL ? gen_text(w, "'%s'", text) : gen_text(w, "(%lld)", (long long)number);
}

static const char *param(struct gen_world *w, const struct gen_query *q,
                         const struct sql_plan *plan, size_t index)
{
    struct sql_value v;
    struct base_err err;

    if (sql_param_parse(&v, plan, index, q->params[index].text, &err) != FM_OK)
        abort();
    return value(w, false, plan->params[index].type.kind == DATA_TEXT ? v.text : NULL, v.value);
}

static const char *case_of(struct gen_world *w, const struct gen_query *q,
                           const struct sql_plan *plan, const struct sql_node *n)
{
    const char *all = "CASE";

    for (size_t i = 0; i + 1 < n->arg_count; i += 2)
        all = gen_text(w, "%s WHEN %s THEN %s", all, lite_expr(w, q, plan, n->args[i]),
                       lite_expr(w, q, plan, n->args[i + 1]));
    return gen_text(w, "(%s ELSE %s END)", all, lite_expr(w, q, plan, n->args[n->arg_count - 1]));
}

const char *lite_expr(struct gen_world *w, const struct gen_query *q, const struct sql_plan *plan,
                      size_t node)
{
    const struct sql_node *n = &plan->nodes[node];
    const char *all = n->arg_count > 0 ? lite_expr(w, q, plan, n->args[0]) : "";

    switch (n->op) {
    case SQL_OP_COLUMN:
        return plan->columns[n->index].name;
    case SQL_OP_CONST:
        return value(w, n->null, n->type.kind == DATA_TEXT ? n->text : NULL, (int64_t)n->value);
    case SQL_OP_PARAM:
        return param(w, q, plan, n->index);
    case SQL_OP_RESCALE:
        return gen_text(w, "(%s * %lld)", all, (long long)sql_ten_to(n->digits));
    case SQL_OP_NEG:
        return gen_text(w, "(-%s)", all);
    case SQL_OP_NOT:
        return gen_text(w, "(NOT %s)", all);
    case SQL_OP_IS_NULL:
        return gen_text(w, "(%s IS NULL)", all);
    case SQL_OP_IS_TRUE:
        return gen_text(w, "(%s IS TRUE)", all);
    case SQL_OP_CASE:
        return case_of(w, q, plan, n);
    default:
        break;
    }
    for (size_t i = 1; i < n->arg_count; i++)
        all = gen_text(w, "%s %s %s", all, infix[n->op], lite_expr(w, q, plan, n->args[i]));
    return gen_text(w, "(%s)", all);
}
