/* Plans for people. */
#include <string.h>

#include "exchange/sql/plan/plan_own.h"

/* Expressions are printed up to this many bytes: a table line, not a listing. */
enum { PRINT_CUT = 400 };

/* What operators make has a number beside its name, which need not be the only one of its kind. */
void sql_print_column(struct base_buf *out, const struct sql_plan *plan, size_t column)
{
    const struct sql_plan_column *c = &plan->columns[column];

    if (column >= plan->column_count)
        base_buf_putf(out, "%s#%zu", c->name, column - plan->column_count + 1);
    else if (plan->table_count > 1)
        base_buf_putf(out, "%s.%s", plan->tables[c->table].name, c->name);
    else
        base_buf_put_str(out, c->name);
}

static void put_operator(struct base_buf *out, const char *word)
{
    base_buf_putf(out, " %s ", word);
}

static const char *infix(enum sql_op op)
{
    static const char *const words[SQL_OP_COUNT_OF_OPS] = {
        [SQL_OP_ADD] = "+", [SQL_OP_SUB] = "-",     [SQL_OP_MUL] = "*",    [SQL_OP_EQ] = "=",
        [SQL_OP_NE] = "<>", [SQL_OP_LT] = "<",      [SQL_OP_LE] = "<=",    [SQL_OP_GT] = ">",
        [SQL_OP_GE] = ">=", [SQL_OP_AND] = "AND",   [SQL_OP_OR] = "OR",    [SQL_OP_DIV] = "/",
        [SQL_OP_MOD] = "%", [SQL_OP_LIKE] = "LIKE", [SQL_OP_CONCAT] = "||"};

    return words[op];
}

static void put_const(struct base_buf *out, const struct sql_node *n)
{
    char value[SQL_WIDE_TEXT];

    if (n->null) {
        base_buf_put_str(out, "NULL");
    } else if (n->type.kind == DATA_TEXT) {
        base_buf_put_u8(out, '\'');
        for (const char *p = n->text; *p != '\0'; p++) {
            if (*p == '\'')
                base_buf_put_u8(out, '\'');
            base_buf_put_u8(out, (uint8_t)*p);
        }
        base_buf_put_u8(out, '\'');
    } else {
        sql_value_format(value, n->type, n->value);
        base_buf_putf(out, n->type.kind == DATA_DATE ? "DATE '%s'" : "%s", value);
    }
}

static void put_expr(struct base_buf *out, const struct sql_plan *plan, size_t node, size_t start);

static void put_case(struct base_buf *out, const struct sql_plan *plan, const struct sql_node *n,
                     size_t start)
{
    base_buf_put_str(out, "CASE");
    for (size_t i = 0; i + 1 < n->arg_count; i += 2) {
        base_buf_put_str(out, " WHEN ");
        put_expr(out, plan, n->args[i], start);
        base_buf_put_str(out, " THEN ");
        put_expr(out, plan, n->args[i + 1], start);
    }
    base_buf_put_str(out, " ELSE ");
    put_expr(out, plan, n->args[n->arg_count - 1], start);
    base_buf_put_str(out, " END");
}

/* Functions by their canonical names, as f(x, y). */
static void put_call(struct base_buf *out, const struct sql_plan *plan, const struct sql_node *n,
                     size_t start)
{
    base_buf_putf(out, "%s(", sql_op_name(n->op));
    for (size_t i = 0; i < n->arg_count && out->len - start <= PRINT_CUT; i++) {
        base_buf_put_str(out, i > 0 ? ", " : "");
        put_expr(out, plan, n->args[i], start);
    }
    base_buf_put_u8(out, ')');
}

static void put_expr(struct base_buf *out, const struct sql_plan *plan, size_t node, size_t start)
{
    const struct sql_node *n = &plan->nodes[node];

    /* Shared operands could make a printed expression exponentially long. */
    if (out->len - start > PRINT_CUT)
        return;
    switch (n->op) {
    case SQL_OP_COLUMN:
        sql_print_column(out, plan, n->index);
        return;
    case SQL_OP_CONST:
        put_const(out, n);
        return;
    case SQL_OP_PARAM:
        base_buf_putf(out, "$%zu", n->index + 1);
        return;
    case SQL_OP_RESCALE:
        put_expr(out, plan, n->args[0], start);
        return;
    case SQL_OP_ROUND:
        base_buf_put_str(out, "ROUND(");
        put_expr(out, plan, n->args[0], start);
        base_buf_putf(out, ", %u)", n->type.scale);
        return;
    case SQL_OP_CASE:
        put_case(out, plan, n, start);
        return;
    default:
        break;
    }
    if (sql_op_is_local(n->op) && infix(n->op) == NULL) {
        put_call(out, plan, n, start);
        return;
    }
    base_buf_put_u8(out, '(');
    if (n->op == SQL_OP_NEG || n->op == SQL_OP_NOT)
        base_buf_put_str(out, n->op == SQL_OP_NEG ? "-" : "NOT ");
    for (size_t i = 0; i < n->arg_count && out->len - start <= PRINT_CUT; i++) {
        if (i > 0)
            put_operator(out, infix(n->op));
        put_expr(out, plan, n->args[i], start);
    }
    if (n->op == SQL_OP_IS_NULL || n->op == SQL_OP_IS_TRUE)
        base_buf_put_str(out, n->op == SQL_OP_IS_NULL ? " IS NULL" : " IS TRUE");
    base_buf_put_u8(out, ')');
}

void sql_plan_print_expr(struct base_buf *out, const struct sql_plan *plan, size_t node)
{
    size_t start = out->len;

    put_expr(out, plan, node, start);
    if (out->len - start > PRINT_CUT)
        base_buf_put_str(out, "...");
}

static void put_typed(struct base_buf *out, struct data_type type, struct sql_range range)
{
    char name[DATA_TYPE_TEXT], lo[SQL_WIDE_TEXT], hi[SQL_WIDE_TEXT];

    if (type.kind == DATA_DECIMAL && type.precision == 0)
        type = sql_type_fit(type, range);
    data_type_format(name, &type);
    base_buf_putf(out, " %s", name);
    if (type.kind == DATA_TEXT || type.kind == DATA_BOOLEAN)
        return;
    sql_value_format(lo, type, range.lo);
    sql_value_format(hi, type, range.hi);
    base_buf_putf(out, " %s to %s", lo, hi);
}

static void print_tables(struct base_buf *out, const struct sql_plan *plan)
{
    for (size_t i = 0; i < plan->source_count; i++) {
        const struct sql_source *s = &plan->sources[i];
        base_buf_putf(out, "source    %s.%s, schema %lld, %lld rows%s\n", s->member, s->dataset,
                      (long long)s->version, (long long)s->rows, s->recipient ? ", recipient" : "");
    }
    for (size_t i = 0; i < plan->column_count; i++) {
        const struct sql_plan_column *c = &plan->columns[i];
        base_buf_put_str(out, "column    ");
        sql_print_column(out, plan, i);
        put_typed(out, c->type, c->range);
        base_buf_put_str(out, c->nullable ? ", may be NULL\n" : "\n");
    }
    for (size_t i = 0; i < plan->param_count; i++) {
        const struct sql_param *p = &plan->params[i];
        base_buf_putf(out, "parameter $%zu", i + 1);
        put_typed(out, p->type, p->range);
        base_buf_put_str(out, p->hidden ? ", hidden\n" : "\n");
    }
}

const char *sql_flag_name(unsigned bit)
{
    static const char *const names[SQL_FLAG_COUNT] = {"a key with more rows than declared",
                                                      "a second row of a scalar subquery",
                                                      "a division by zero"};

    return names[bit];
}

static void print_flags(struct base_buf *out, const struct sql_plan *plan)
{
    unsigned all = 0;

    for (size_t i = 0; i < plan->rel_count; i++)
        all |= plan->rels[i]->flags;
    for (unsigned bit = 0; bit < SQL_FLAG_COUNT; bit++) {
        if ((all >> bit & 1) != 0)
            base_buf_putf(out, "flag      %s, said beside the result\n", sql_flag_name(bit));
    }
}

void sql_plan_print(struct base_buf *out, const struct sql_plan *plan)
{
    print_tables(out, plan);
    for (size_t i = 0; i < plan->rel_count; i++) {
        const struct sql_rel *rel = plan->rels[i];
        base_buf_putf(out, "%-4zu %-8s ", i + 1, sql_rel_name(rel->kind));
        sql_print_rel(out, plan, rel);
        base_buf_putf(out, "  [%lld row%s]\n", (long long)rel->rows, rel->rows == 1 ? "" : "s");
    }
    for (size_t i = 0; i < plan->output_count; i++) {
        const struct sql_output *o = &plan->outputs[i];
        base_buf_putf(out, "output    %s = ", o->name);
        sql_print_column(out, plan, o->column);
        put_typed(out, o->type, o->range);
        base_buf_put_str(out, "\n");
    }
    print_flags(out, plan);
    base_buf_put_str(out, "reveal to");
    for (size_t i = 0; i < plan->recipient_count; i++)
        base_buf_putf(out, "%s %s", i > 0 ? "," : "", plan->recipients[i]);
    base_buf_put_str(out, "\n");
}
