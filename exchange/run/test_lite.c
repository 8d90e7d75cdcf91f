#include "exchange/run/test_lite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

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

int64_t lite_average(int64_t sum, int64_t n, unsigned digits)
{
    __int128 x = sum < 0 ? -(__int128)sum : sum, q;

    for (unsigned i = 0; i < digits; i++)
        x *= 10;
    q = x / n + (x % n * 2 >= n);
    return (int64_t)(sum < 0 ? -q : q);
}

bool lite_ask(int64_t *out, struct gen_world *w, sqlite3 *oracle, const char *what,
              const char *where, const char *more)
{
    const char *sql = gen_text(w, "SELECT %s FROM t WHERE (%s)%s", what, where, more);
    sqlite3_stmt *s;
    bool known;

    if (sqlite3_prepare_v2(oracle, sql, -1, &s, NULL) != SQLITE_OK)
        fail_msg("sqlite: %s\n%s", sqlite3_errmsg(oracle), sql);
    if (sqlite3_step(s) != SQLITE_ROW)
        fail_msg("sqlite: %s\n%s", sqlite3_errmsg(oracle), sql);
    known = sqlite3_column_type(s, 0) != SQLITE_NULL;
    if (known && sqlite3_column_type(s, 0) != SQLITE_INTEGER)
        fail_msg("sqlite left 64 bits, which the planner should have refused:\n%s", sql);
    *out = sqlite3_column_int64(s, 0);
    (void)sqlite3_finalize(s);
    return known;
}
