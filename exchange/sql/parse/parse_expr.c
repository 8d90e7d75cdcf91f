#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "exchange/sql/parse/parse.h"

struct sql_syntax *sql_syntax_new(struct sql_parser *p, enum sql_syntax_kind kind, int at,
                                  size_t args)
{
    struct sql_syntax *s = sql_arena_alloc(p->arena, sizeof *s);

    if (s == NULL)
        return NULL;
    s->kind = kind;
    s->at = at;
    s->args = sql_arena_array(p->arena, args, sizeof(struct sql_syntax *));
    s->arg_count = args;
    return s->args != NULL ? s : NULL;
}

static fm_status new_node(struct sql_syntax **out, struct sql_parser *p, enum sql_syntax_kind kind,
                          int at, size_t args, struct base_err *err)
{
    *out = sql_syntax_new(p, kind, at, args);
    return *out != NULL ? FM_OK : base_err_memory(err, "SQL");
}

static fm_status new_text(struct sql_syntax **out, struct sql_parser *p, enum sql_syntax_kind kind,
                          int at, const char *text, struct base_err *err)
{
    fm_status st = new_node(out, p, kind, at, 0, err);

    if (st != FM_OK)
        return st;
    (*out)->text = sql_arena_text(p->arena, text);
    return (*out)->text != NULL ? FM_OK : base_err_memory(err, "SQL");
}

/* Wraps *inout in NOT. */
static fm_status negate(struct sql_syntax **inout, struct sql_parser *p, struct base_err *err)
{
    struct sql_syntax *inner = *inout;
    fm_status st = new_node(inout, p, SQL_SYNTAX_NOT, inner->at, 1, err);

    if (st == FM_OK)
        (*inout)->args[0] = inner;
    return st;
}

const char *sql_parse_string(const PgQuery__Node *node)
{
    if (node == NULL || node->node_case != PG_QUERY__NODE__NODE_STRING)
        return "";
    return node->string->sval;
}

/* ---- leaves ---- */

static fm_status parse_const(struct sql_syntax **out, struct sql_parser *p,
                             const PgQuery__AConst *c, struct base_err *err)
{
    char digits[16];

    if (c->isnull)
        return new_node(out, p, SQL_SYNTAX_NULL, c->location, 0, err);
    switch (c->val_case) {
    case PG_QUERY__A__CONST__VAL_IVAL:
        (void)snprintf(digits, sizeof digits, "%d", (int)c->ival->ival);
        return new_text(out, p, SQL_SYNTAX_NUMBER, c->location, digits, err);
    case PG_QUERY__A__CONST__VAL_FVAL:
        return new_text(out, p, SQL_SYNTAX_NUMBER, c->location, c->fval->fval, err);
    case PG_QUERY__A__CONST__VAL_SVAL:
        return new_text(out, p, SQL_SYNTAX_STRING, c->location, c->sval->sval, err);
    case PG_QUERY__A__CONST__VAL_BOOLVAL:
        return new_node(out, p, c->boolval->boolval ? SQL_SYNTAX_TRUE : SQL_SYNTAX_FALSE,
                        c->location, 0, err);
    default:
        return SQL_UNSUPPORTED(p, c->location, err,
                               "bit strings are not offered: write an integer or a 'text'");
    }
}

static fm_status parse_column(struct sql_syntax **out, struct sql_parser *p,
                              const PgQuery__ColumnRef *c, struct base_err *err)
{
    size_t n = c->n_fields;
    fm_status st;

    if (n > 0 && c->fields[n - 1]->node_case == PG_QUERY__NODE__NODE_A_STAR)
        return SQL_UNSUPPORTED(p, c->location, err,
                               "* stands alone in a SELECT list, or in COUNT(*)");
    if (n > 3)
        return SQL_UNSUPPORTED(p, c->location, err,
                               "a column has at most three parts: member.table.column");
    st = new_text(out, p, SQL_SYNTAX_COLUMN, c->location, sql_parse_string(c->fields[n - 1]), err);
    if (st != FM_OK)
        return st;
    if (n > 1)
        (*out)->qualifier = sql_arena_text(p->arena, sql_parse_string(c->fields[n - 2]));
    if (n > 2)
        (*out)->owner = sql_arena_text(p->arena, sql_parse_string(c->fields[0]));
    if ((n > 1 && (*out)->qualifier == NULL) || (n > 2 && (*out)->owner == NULL))
        return base_err_memory(err, "SQL");
    return FM_OK;
}

/* ---- operators ---- */

static fm_status parse_binary(struct sql_syntax **out, struct sql_parser *p,
                              enum sql_syntax_kind kind, int at, const PgQuery__Node *left,
                              const PgQuery__Node *right, struct base_err *err)
{
    fm_status st = new_node(out, p, kind, at, 2, err);

    if (st == FM_OK)
        st = sql_parse_expr(&(*out)->args[0], p, left, err);
    if (st == FM_OK)
        st = sql_parse_expr(&(*out)->args[1], p, right, err);
    return st;
}

static const struct {
    const char *text;
    enum sql_syntax_kind kind;
} operators[] = {{"+", SQL_SYNTAX_ADD}, {"-", SQL_SYNTAX_SUB}, {"*", SQL_SYNTAX_MUL},
                 {"/", SQL_SYNTAX_DIV}, {"%", SQL_SYNTAX_MOD}, {"=", SQL_SYNTAX_EQ},
                 {"<>", SQL_SYNTAX_NE}, {"<", SQL_SYNTAX_LT},  {"<=", SQL_SYNTAX_LE},
                 {">", SQL_SYNTAX_GT},  {">=", SQL_SYNTAX_GE}};

static fm_status parse_operator(struct sql_syntax **out, struct sql_parser *p,
                                const PgQuery__AExpr *e, struct base_err *err)
{
    const char *name = e->n_name == 1 ? sql_parse_string(e->name[0]) : "";
    fm_status st;

    if (e->lexpr == NULL && strcmp(name, "+") == 0)
        return sql_parse_expr(out, p, e->rexpr, err);
    if (e->lexpr == NULL && strcmp(name, "-") == 0) {
        st = new_node(out, p, SQL_SYNTAX_NEG, e->location, 1, err);
        return st == FM_OK ? sql_parse_expr(&(*out)->args[0], p, e->rexpr, err) : st;
    }
    for (size_t i = 0; e->lexpr != NULL && i < sizeof operators / sizeof operators[0]; i++) {
        if (strcmp(operators[i].text, name) == 0)
            return parse_binary(out, p, operators[i].kind, e->location, e->lexpr, e->rexpr, err);
    }
    if (e->lexpr != NULL && strcmp(name, "||") == 0) {
        st = parse_binary(out, p, SQL_SYNTAX_FUNCTION, e->location, e->lexpr, e->rexpr, err);
        if (st == FM_OK)
            (*out)->text = "||";
        return st;
    }
    return SQL_UNSUPPORTED(p, e->location, err,
                           "operator %.20s is not offered: use + - * / %% and comparisons", name);
}

static fm_status parse_between(struct sql_syntax **out, struct sql_parser *p,
                               const PgQuery__AExpr *e, struct base_err *err)
{
    const PgQuery__List *bounds = e->rexpr->list;
    fm_status st = new_node(out, p, SQL_SYNTAX_BETWEEN, e->location, 3, err);

    if (st == FM_OK)
        st = sql_parse_expr(&(*out)->args[0], p, e->lexpr, err);
    for (size_t i = 0; st == FM_OK && i < 2; i++)
        st = sql_parse_expr(&(*out)->args[i + 1], p, bounds->items[i], err);
    return st;
}

static fm_status parse_in(struct sql_syntax **out, struct sql_parser *p, const PgQuery__AExpr *e,
                          struct base_err *err)
{
    const PgQuery__List *list = e->rexpr->list;
    fm_status st = new_node(out, p, SQL_SYNTAX_IN, e->location, list->n_items + 1, err);

    if (st == FM_OK)
        st = sql_parse_expr(&(*out)->args[0], p, e->lexpr, err);
    for (size_t i = 0; st == FM_OK && i < list->n_items; i++)
        st = sql_parse_expr(&(*out)->args[i + 1], p, list->items[i], err);
    return st;
}

static fm_status parse_a_expr(struct sql_syntax **out, struct sql_parser *p,
                              const PgQuery__AExpr *e, struct base_err *err)
{
    fm_status st;

    switch (e->kind) {
    case PG_QUERY__A__EXPR__KIND__AEXPR_OP:
        return parse_operator(out, p, e, err);
    case PG_QUERY__A__EXPR__KIND__AEXPR_BETWEEN:
        return parse_between(out, p, e, err);
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_BETWEEN:
        st = parse_between(out, p, e, err);
        return st == FM_OK ? negate(out, p, err) : st;
    case PG_QUERY__A__EXPR__KIND__AEXPR_IN:
        st = parse_in(out, p, e, err);
        if (st == FM_OK && strcmp(sql_parse_string(e->name[0]), "<>") == 0)
            st = negate(out, p, err);
        return st;
    case PG_QUERY__A__EXPR__KIND__AEXPR_NULLIF:
        return parse_binary(out, p, SQL_SYNTAX_NULLIF, e->location, e->lexpr, e->rexpr, err);
    case PG_QUERY__A__EXPR__KIND__AEXPR_LIKE:
    case PG_QUERY__A__EXPR__KIND__AEXPR_ILIKE:
        st = sql_parse_like(out, p, e, err);
        if (st == FM_OK && sql_parse_string(e->name[0])[0] == '!')
            st = negate(out, p, err);
        return st;
    case PG_QUERY__A__EXPR__KIND__AEXPR_SIMILAR:
        return SQL_UNSUPPORTED(p, e->location, err, "SIMILAR TO is not offered: write LIKE");
    case PG_QUERY__A__EXPR__KIND__AEXPR_DISTINCT:
    case PG_QUERY__A__EXPR__KIND__AEXPR_NOT_DISTINCT:
        return SQL_UNSUPPORTED(p, e->location, err,
                               "IS DISTINCT FROM is not offered: write = and IS NULL");
    default:
        return SQL_UNSUPPORTED(p, e->location, err,
                               "ANY, ALL and SYMMETRIC are not offered: write the comparisons out");
    }
}

static fm_status parse_bool(struct sql_syntax **out, struct sql_parser *p,
                            const PgQuery__BoolExpr *e, struct base_err *err)
{
    enum sql_syntax_kind kind = e->boolop == PG_QUERY__BOOL_EXPR_TYPE__AND_EXPR  ? SQL_SYNTAX_AND
                                : e->boolop == PG_QUERY__BOOL_EXPR_TYPE__OR_EXPR ? SQL_SYNTAX_OR
                                                                                 : SQL_SYNTAX_NOT;
    fm_status st = new_node(out, p, kind, e->location, e->n_args, err);

    for (size_t i = 0; st == FM_OK && i < e->n_args; i++)
        st = sql_parse_expr(&(*out)->args[i], p, e->args[i], err);
    return st;
}

static fm_status parse_test(struct sql_syntax **out, struct sql_parser *p,
                            enum sql_syntax_kind kind, int at, const PgQuery__Node *arg,
                            struct base_err *err)
{
    fm_status st = new_node(out, p, kind, at, 1, err);

    return st == FM_OK ? sql_parse_expr(&(*out)->args[0], p, arg, err) : st;
}

static fm_status parse_boolean_test(struct sql_syntax **out, struct sql_parser *p,
                                    const PgQuery__BooleanTest *t, struct base_err *err)
{
    enum sql_syntax_kind kind = SQL_SYNTAX_IS_NULL;
    bool inverted = t->booltesttype == PG_QUERY__BOOL_TEST_TYPE__IS_NOT_TRUE ||
                    t->booltesttype == PG_QUERY__BOOL_TEST_TYPE__IS_NOT_FALSE ||
                    t->booltesttype == PG_QUERY__BOOL_TEST_TYPE__IS_NOT_UNKNOWN;
    fm_status st;

    if (t->booltesttype == PG_QUERY__BOOL_TEST_TYPE__IS_TRUE ||
        t->booltesttype == PG_QUERY__BOOL_TEST_TYPE__IS_NOT_TRUE)
        kind = SQL_SYNTAX_IS_TRUE;
    else if (t->booltesttype == PG_QUERY__BOOL_TEST_TYPE__IS_FALSE ||
             t->booltesttype == PG_QUERY__BOOL_TEST_TYPE__IS_NOT_FALSE)
        kind = SQL_SYNTAX_IS_FALSE;
    st = parse_test(out, p, kind, t->location, t->arg, err);
    return st == FM_OK && inverted ? negate(out, p, err) : st;
}

/* ---- CASE, COALESCE ---- */

/* CASE x WHEN v ... keeps its operand: copying it to every WHEN would let nested ones explode. */
static fm_status parse_case(struct sql_syntax **out, struct sql_parser *p,
                            const PgQuery__CaseExpr *e, struct base_err *err)
{
    size_t first = e->arg != NULL;
    size_t n = first + 2 * e->n_args + (e->defresult != NULL);
    fm_status st = new_node(out, p, e->arg != NULL ? SQL_SYNTAX_SIMPLE_CASE : SQL_SYNTAX_CASE,
                            e->location, n, err);

    if (st == FM_OK && e->arg != NULL)
        st = sql_parse_expr(&(*out)->args[0], p, e->arg, err);
    for (size_t i = 0; st == FM_OK && i < e->n_args; i++) {
        const PgQuery__CaseWhen *w = e->args[i]->case_when;

        st = sql_parse_expr(&(*out)->args[first + 2 * i], p, w->expr, err);
        if (st == FM_OK)
            st = sql_parse_expr(&(*out)->args[first + 2 * i + 1], p, w->result, err);
    }
    if (st == FM_OK && e->defresult != NULL)
        st = sql_parse_expr(&(*out)->args[n - 1], p, e->defresult, err);
    return st;
}

static fm_status parse_coalesce(struct sql_syntax **out, struct sql_parser *p,
                                const PgQuery__CoalesceExpr *e, struct base_err *err)
{
    fm_status st = new_node(out, p, SQL_SYNTAX_COALESCE, e->location, e->n_args, err);

    for (size_t i = 0; st == FM_OK && i < e->n_args; i++)
        st = sql_parse_expr(&(*out)->args[i], p, e->args[i], err);
    return st;
}

static fm_status parse_min_max(struct sql_syntax **out, struct sql_parser *p,
                               const PgQuery__MinMaxExpr *e, struct base_err *err)
{
    enum sql_syntax_kind kind =
        e->op == PG_QUERY__MIN_MAX_OP__IS_GREATEST ? SQL_SYNTAX_GREATEST : SQL_SYNTAX_LEAST;
    fm_status st = new_node(out, p, kind, e->location, e->n_args, err);

    for (size_t i = 0; st == FM_OK && i < e->n_args; i++)
        st = sql_parse_expr(&(*out)->args[i], p, e->args[i], err);
    return st;
}

/* ---- subqueries ---- */

/* x op ANY (SELECT ...), x op ALL (SELECT ...) */
static fm_status parse_quantified(struct sql_syntax **out, struct sql_parser *p,
                                  const PgQuery__SubLink *s, struct base_err *err)
{
    const char *name = s->n_oper_name == 1 ? sql_parse_string(s->oper_name[0]) : "";
    fm_status st = new_node(out, p, SQL_SYNTAX_QUANTIFIED, s->location, 1, err);

    if (st != FM_OK)
        return st;
    (*out)->number = s->sub_link_type == PG_QUERY__SUB_LINK_TYPE__ALL_SUBLINK;
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++)
        if (operators[i].kind >= SQL_SYNTAX_EQ && operators[i].kind <= SQL_SYNTAX_GE &&
            strcmp(operators[i].text, name) == 0)
            (*out)->operation = operators[i].kind;
    if ((*out)->operation == 0)
        return SQL_UNSUPPORTED(p, s->location, err,
                               "ANY and ALL compare: write x < ANY (SELECT y ...)");
    st = sql_parse_expr(&(*out)->args[0], p, s->testexpr, err);
    p->near = s->location;
    return st == FM_OK ? sql_parse_subquery(&(*out)->query, p, s->subselect, err) : st;
}

static fm_status parse_sublink(struct sql_syntax **out, struct sql_parser *p,
                               const PgQuery__SubLink *s, struct base_err *err)
{
    bool in = s->sub_link_type == PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK && s->n_oper_name == 0;
    enum sql_syntax_kind kind = in ? SQL_SYNTAX_IN_QUERY
                                : s->sub_link_type == PG_QUERY__SUB_LINK_TYPE__EXISTS_SUBLINK
                                    ? SQL_SYNTAX_EXISTS
                                    : SQL_SYNTAX_SUBQUERY;
    fm_status st;

    if (!in && (s->sub_link_type == PG_QUERY__SUB_LINK_TYPE__ANY_SUBLINK ||
                s->sub_link_type == PG_QUERY__SUB_LINK_TYPE__ALL_SUBLINK))
        return parse_quantified(out, p, s, err);
    if (!in && kind != SQL_SYNTAX_EXISTS &&
        s->sub_link_type != PG_QUERY__SUB_LINK_TYPE__EXPR_SUBLINK)
        return SQL_UNSUPPORTED(
            p, s->location, err,
            "ARRAY and rows of a subquery are not offered: write IN, ANY or EXISTS");
    st = new_node(out, p, kind, s->location, in ? 1 : 0, err);
    if (st == FM_OK && in)
        st = sql_parse_expr(&(*out)->args[0], p, s->testexpr, err);
    if (st != FM_OK)
        return st;
    p->near = s->location;
    return sql_parse_subquery(&(*out)->query, p, s->subselect, err);
}

/* ---- any expression ---- */

static fm_status parse_node(struct sql_syntax **out, struct sql_parser *p,
                            const PgQuery__Node *node, struct base_err *err)
{
    fm_status st;

    switch (node->node_case) {
    case PG_QUERY__NODE__NODE_A_CONST:
        return parse_const(out, p, node->a_const, err);
    case PG_QUERY__NODE__NODE_COLUMN_REF:
        return parse_column(out, p, node->column_ref, err);
    case PG_QUERY__NODE__NODE_PARAM_REF:
        st = new_node(out, p, SQL_SYNTAX_PARAM, node->param_ref->location, 0, err);
        if (st == FM_OK)
            (*out)->number = node->param_ref->number;
        return st;
    case PG_QUERY__NODE__NODE_TYPE_CAST:
        return sql_parse_cast(out, p, node->type_cast, err);
    case PG_QUERY__NODE__NODE_A_EXPR:
        return parse_a_expr(out, p, node->a_expr, err);
    case PG_QUERY__NODE__NODE_BOOL_EXPR:
        return parse_bool(out, p, node->bool_expr, err);
    case PG_QUERY__NODE__NODE_NULL_TEST:
        st = parse_test(out, p, SQL_SYNTAX_IS_NULL, node->null_test->location, node->null_test->arg,
                        err);
        if (st == FM_OK && node->null_test->nulltesttype == PG_QUERY__NULL_TEST_TYPE__IS_NOT_NULL)
            st = negate(out, p, err);
        return st;
    case PG_QUERY__NODE__NODE_BOOLEAN_TEST:
        return parse_boolean_test(out, p, node->boolean_test, err);
    case PG_QUERY__NODE__NODE_CASE_EXPR:
        return parse_case(out, p, node->case_expr, err);
    case PG_QUERY__NODE__NODE_COALESCE_EXPR:
        return parse_coalesce(out, p, node->coalesce_expr, err);
    case PG_QUERY__NODE__NODE_FUNC_CALL:
        return sql_parse_call(out, p, node->func_call, err);
    case PG_QUERY__NODE__NODE_SUB_LINK:
        return parse_sublink(out, p, node->sub_link, err);
    case PG_QUERY__NODE__NODE_MIN_MAX_EXPR:
        return parse_min_max(out, p, node->min_max_expr, err);
    default:
        return SQL_UNSUPPORTED(p, p->near, err,
                               "near here: this expression is not offered: use columns, literals, "
                               "$n, + - * / %%, comparisons, CASE, COALESCE, NULLIF, GREATEST, "
                               "LEAST, ABS, CAST and EXTRACT");
    }
}

fm_status sql_parse_expr(struct sql_syntax **out, struct sql_parser *p, const PgQuery__Node *node,
                         struct base_err *err)
{
    fm_status st;

    *out = NULL;
    if (++p->depth > SQL_MAX_DEPTH)
        st = sql_place_error(err, FM_E_LIMIT, p->text, p->near,
                             "expressions nest deeper than %d: split the query", SQL_MAX_DEPTH);
    else
        st = parse_node(out, p, node, err);
    if (st == FM_OK && (*out)->at >= 0)
        p->near = (*out)->at;
    p->depth--;
    return st;
}
