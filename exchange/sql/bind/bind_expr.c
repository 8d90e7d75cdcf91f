/* Arithmetic and logic: dispatch over the syntax tree, whose depth the parser has bounded. */
#include <assert.h>

#include "exchange/sql/bind/bind.h"

static fm_status not_a_number(const struct sql_binder *b, size_t node, const char *op,
                              struct base_err *err)
{
    const struct sql_node *n = &b->plan->nodes[node];
    char name[DATA_TYPE_TEXT];

    sql_bind_type_name(name, n);
    if (n->type.kind == DATA_BOOLEAN)
        return SQL_BIND_ERROR(
            b, FM_E_INPUT, n->at, err,
            "%s needs numbers, this is BOOLEAN: write CASE WHEN ... THEN 1 ELSE 0 "
            "END",
            op);
    return SQL_BIND_ERROR(
        b, FM_E_INPUT, n->at, err, "%s needs numbers, this is %s%s", op, name,
        n->type.kind == DATA_DATE ? ": only DATE - DATE and DATE + or - days are offered" : "");
}

static fm_status bind_arithmetic(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                                 struct base_err *err)
{
    enum sql_op op = s->kind == SQL_SYNTAX_ADD   ? SQL_OP_ADD
                     : s->kind == SQL_SYNTAX_SUB ? SQL_OP_SUB
                                                 : SQL_OP_MUL;
    const char *sign = op == SQL_OP_ADD ? "+" : op == SQL_OP_SUB ? "-" : "*";
    const struct sql_node *nodes;
    size_t args[2];
    fm_status st = FM_OK;

    if (op != SQL_OP_MUL && sql_bind_is_date_sum(s))
        return sql_bind_date_sum(out, b, s, err);
    for (size_t i = 0; st == FM_OK && i < 2; i++)
        st = sql_bind_expr(&args[i], b, s->args[i], NULL, err);
    if (st != FM_OK)
        return st;
    nodes = b->plan->nodes;
    if (op == SQL_OP_SUB && nodes[args[0]].type.kind == DATA_DATE &&
        nodes[args[1]].type.kind == DATA_DATE)
        return sql_bind_make(out, b, op, s->at, args, 2, err);
    if (op != SQL_OP_MUL && nodes[args[0]].type.kind == DATA_DATE &&
        nodes[args[1]].type.kind == DATA_INTEGER)
        return sql_bind_date_days(out, b, op, args[0], args[1], s->at, err);
    for (size_t i = 0; i < 2; i++) {
        if (!sql_type_is_number(nodes[args[i]].type))
            return not_a_number(b, args[i], sign, err);
    }
    if (op != SQL_OP_MUL)
        st = sql_bind_align(&args[0], &args[1], b, err);
    return st == FM_OK ? sql_bind_make(out, b, op, s->at, args, 2, err) : st;
}

static fm_status bind_negation(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                               struct base_err *err)
{
    size_t arg;
    struct sql_node n;
    fm_status st = sql_bind_expr(&arg, b, s->args[0], NULL, err);

    if (st != FM_OK)
        return st;
    n = b->plan->nodes[arg];
    if (!sql_type_is_number(n.type))
        return not_a_number(b, arg, "-", err);
    if (n.op != SQL_OP_CONST)
        return sql_bind_make(out, b, SQL_OP_NEG, s->at, &arg, 1, err);
    /* -(5) is the literal -5. */
    n.value = -n.value;
    n.range = (struct sql_range){n.value, n.value};
    return sql_bind_add(out, b, n, err);
}

static fm_status not_zero(size_t *inout, struct sql_binder *b, struct base_err *err)
{
    const struct sql_node n = b->plan->nodes[*inout];
    size_t args[2] = {*inout, SQL_NONE};
    fm_status st = sql_bind_const(&args[1], b, n.type, 0, n.at, err);

    return st == FM_OK ? sql_bind_make(inout, b, SQL_OP_NE, n.at, args, 2, err) : st;
}

fm_status sql_bind_condition(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                             const char *where, struct base_err *err)
{
    const struct sql_expect boolean = {{.kind = DATA_BOOLEAN}, {0, 1}};
    const struct sql_node *n;
    char name[DATA_TYPE_TEXT];
    fm_status st = sql_bind_expr(out, b, s, &boolean, err);

    if (st != FM_OK)
        return st;
    n = &b->plan->nodes[*out];
    if (n->type.kind == DATA_BOOLEAN)
        return FM_OK;
    if (sql_type_is_number(n->type)) /* as in SQLite: whether it is not 0 */
        return not_zero(out, b, err);
    sql_bind_type_name(name, n);
    return SQL_BIND_ERROR(b, FM_E_INPUT, n->at, err,
                          "%s needs a condition, this is %s: compare it, as in x = y", where, name);
}

/* How many operands AND / OR have once nested ones of the same kind are opened up: PostgreSQL
 * flattens a AND b AND c but not a AND (b AND c), and parentheses mean nothing here. */
static size_t flat_count(const struct sql_syntax *s, enum sql_syntax_kind kind)
{
    size_t n = 0;

    if (s->kind != kind)
        return 1;
    for (size_t i = 0; i < s->arg_count; i++)
        n += flat_count(s->args[i], kind);
    return n;
}

static fm_status bind_flat(size_t *args, size_t *count, struct sql_binder *b,
                           const struct sql_syntax *s, enum sql_syntax_kind kind,
                           struct base_err *err)
{
    fm_status st = FM_OK;

    if (s->kind != kind)
        return sql_bind_condition(&args[(*count)++], b, s, kind == SQL_SYNTAX_AND ? "AND" : "OR",
                                  err);
    for (size_t i = 0; st == FM_OK && i < s->arg_count; i++)
        st = bind_flat(args, count, b, s->args[i], kind, err);
    return st;
}

static fm_status bind_junction(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                               struct base_err *err)
{
    size_t n = flat_count(s, s->kind), count = 0;
    size_t *args = sql_arena_array(&b->plan->arena, n, sizeof *args);
    fm_status st;

    if (args == NULL)
        return base_err_memory(err, "SQL plan");
    st = bind_flat(args, &count, b, s, s->kind, err);
    if (st != FM_OK)
        return st;
    assert(count == n);
    return sql_bind_make(out, b, s->kind == SQL_SYNTAX_AND ? SQL_OP_AND : SQL_OP_OR, s->at, args, n,
                         err);
}

/* NOT x, x IS TRUE, x IS FALSE (which is (NOT x) IS TRUE). */
static fm_status bind_truth(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                            struct base_err *err)
{
    size_t arg;
    fm_status st = sql_bind_condition(&arg, b, s->args[0],
                                      s->kind == SQL_SYNTAX_NOT       ? "NOT"
                                      : s->kind == SQL_SYNTAX_IS_TRUE ? "IS TRUE"
                                                                      : "IS FALSE",
                                      err);

    if (st == FM_OK && s->kind != SQL_SYNTAX_IS_TRUE)
        st = sql_bind_make(&arg, b, SQL_OP_NOT, s->at, &arg, 1, err);
    if (st == FM_OK && s->kind != SQL_SYNTAX_NOT)
        st = sql_bind_make(&arg, b, SQL_OP_IS_TRUE, s->at, &arg, 1, err);
    *out = arg;
    return st;
}

fm_status sql_bind_expr(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                        const struct sql_expect *expect, struct base_err *err)
{
    size_t arg, key = sql_bind_key(b, s);
    fm_status st;

    *out = SQL_NONE;
    if (key != SQL_NONE)
        return sql_bind_reference(out, b, b->level->rel, key, s->at, err);
    switch (s->kind) {
    case SQL_SYNTAX_ADD:
    case SQL_SYNTAX_SUB:
    case SQL_SYNTAX_MUL:
        return bind_arithmetic(out, b, s, err);
    case SQL_SYNTAX_NEG:
        return bind_negation(out, b, s, err);
    case SQL_SYNTAX_AND:
    case SQL_SYNTAX_OR:
        return bind_junction(out, b, s, err);
    case SQL_SYNTAX_NOT:
    case SQL_SYNTAX_IS_TRUE:
    case SQL_SYNTAX_IS_FALSE:
        return bind_truth(out, b, s, err);
    case SQL_SYNTAX_IS_NULL:
        st = sql_bind_expr(&arg, b, s->args[0], NULL, err);
        return st == FM_OK ? sql_bind_make(out, b, SQL_OP_IS_NULL, s->at, &arg, 1, err) : st;
    case SQL_SYNTAX_CASE:
    case SQL_SYNTAX_SIMPLE_CASE:
    case SQL_SYNTAX_COALESCE:
    case SQL_SYNTAX_NULLIF:
        return sql_bind_case(out, b, s, err);
    case SQL_SYNTAX_CALL:
        return s->over != NULL ? sql_bind_window(out, b, s, err)
                               : sql_bind_aggregate(out, b, s, err);
    case SQL_SYNTAX_DIV:
    case SQL_SYNTAX_MOD:
    case SQL_SYNTAX_CAST:
    case SQL_SYNTAX_FUNCTION:
    case SQL_SYNTAX_ABS:
    case SQL_SYNTAX_EXTRACT:
    case SQL_SYNTAX_GREATEST:
    case SQL_SYNTAX_LEAST:
        return sql_bind_function(out, b, s, err);
    case SQL_SYNTAX_INTERVAL:
        return SQL_BIND_ERROR(b, FM_E_INPUT, s->at, err,
                              "an interval stands beside a date: write x + INTERVAL '3 days'");
    case SQL_SYNTAX_IN_QUERY:
    case SQL_SYNTAX_EXISTS:
    case SQL_SYNTAX_QUANTIFIED:
    case SQL_SYNTAX_SUBQUERY:
        return sql_bind_subquery(out, b, s, false, err);
    case SQL_SYNTAX_COLUMN:
    case SQL_SYNTAX_NUMBER:
    case SQL_SYNTAX_STRING:
    case SQL_SYNTAX_DATE:
    case SQL_SYNTAX_TRUE:
    case SQL_SYNTAX_FALSE:
    case SQL_SYNTAX_NULL:
    case SQL_SYNTAX_PARAM:
        return sql_bind_leaf(out, b, s, expect, err);
    default:
        return sql_bind_comparison(out, b, s, err);
    }
}
