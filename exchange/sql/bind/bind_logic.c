/* Comparisons, and everything that becomes CASE. */
#include "exchange/sql/bind/bind.h"

/* ---- comparisons ---- */

/* An operand that may be bound already (once, for several comparisons). */
struct operand {
    const struct sql_syntax *syntax;
    size_t node; /* SQL_NONE: not yet */
};

static fm_status bind_operand(struct operand *o, struct sql_binder *b,
                              const struct sql_expect *expect, struct base_err *err)
{
    return o->node != SQL_NONE ? FM_OK : sql_bind_expr(&o->node, b, o->syntax, expect, err);
}

/* Binds the operand that has a type of its own first, then the other by its light. */
static fm_status bind_both(struct operand *left, struct operand *right, struct sql_binder *b,
                           struct base_err *err)
{
    bool left_first = left->node != SQL_NONE || !sql_bind_is_loose(b, left->syntax) ||
                      (right->node == SQL_NONE && right->syntax->kind != SQL_SYNTAX_STRING &&
                       sql_bind_is_loose(b, right->syntax));
    struct operand *first = left_first ? left : right;
    struct operand *second = left_first ? right : left;
    struct sql_expect expect;
    fm_status st = bind_operand(first, b, NULL, err);

    if (st != FM_OK)
        return st;
    expect = sql_bind_expect(b, first->node);
    return bind_operand(second, b, &expect, err);
}

static bool is_equality(enum sql_op op)
{
    return op == SQL_OP_EQ || op == SQL_OP_NE;
}

static fm_status check_types(const struct sql_binder *b, enum sql_op op, size_t left, size_t right,
                             int at, struct base_err *err)
{
    const struct sql_node *l = &b->plan->nodes[left], *r = &b->plan->nodes[right];
    char left_name[DATA_TYPE_TEXT], right_name[DATA_TYPE_TEXT];

    if (l->type.kind != r->type.kind &&
        !(sql_type_is_number(l->type) && sql_type_is_number(r->type))) {
        sql_bind_type_name(left_name, l);
        sql_bind_type_name(right_name, r);
        return SQL_BIND_ERROR(b, FM_E_INPUT, at, err,
                              "%s cannot be compared with %s: write both sides in one type",
                              left_name, right_name);
    }
    if (l->type.kind == DATA_BOOLEAN && !is_equality(op))
        return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, at, err,
                              "BOOLEAN has no order here: write x, NOT x, or x = y");
    return FM_OK;
}

/* A comparison with 1.500 is one with 1.5: zeros at the end of a literal cost no digits. A new
 * node, because the operand of a CASE is shared by all its comparisons. */
static fm_status drop_zeros(size_t *inout, struct sql_binder *b, unsigned scale,
                            struct base_err *err)
{
    struct sql_node n = b->plan->nodes[*inout];

    if (n.op != SQL_OP_CONST || n.null || n.type.scale <= scale || n.value % 10 != 0)
        return FM_OK;
    while (n.type.scale > scale && n.value % 10 == 0) {
        n.value /= 10;
        n.type.scale--;
    }
    n.range = (struct sql_range){n.value, n.value};
    return sql_bind_add(inout, b, n, err);
}

static fm_status align_comparison(size_t args[2], struct sql_binder *b, struct base_err *err)
{
    fm_status st = FM_OK;

    if (!sql_type_is_number(b->plan->nodes[args[0]].type))
        return FM_OK;
    for (size_t i = 0; st == FM_OK && i < 2; i++)
        st = drop_zeros(&args[i], b, b->plan->nodes[args[1 - i]].type.scale, err);
    return st == FM_OK ? sql_bind_align(&args[0], &args[1], b, err) : st;
}

static fm_status compare(size_t *out, struct sql_binder *b, enum sql_op op, struct operand left,
                         struct operand right, int at, struct base_err *err)
{
    size_t args[2];
    fm_status st = bind_both(&left, &right, b, err);

    if (st != FM_OK)
        return st;
    args[0] = left.node;
    args[1] = right.node;
    st = check_types(b, op, args[0], args[1], at, err);
    if (st == FM_OK)
        st = align_comparison(args, b, err);
    return st == FM_OK ? sql_bind_make(out, b, op, at, args, 2, err) : st;
}

/* The first operand of BETWEEN, IN and simple CASE: bound now if it has a type of its own. A
 * parameter or a literal is bound anew in each comparison. */
static fm_status bind_subject(struct operand *out, struct sql_binder *b, const struct sql_syntax *s,
                              struct base_err *err)
{
    *out = (struct operand){s, SQL_NONE};
    return sql_bind_is_loose(b, s) ? FM_OK : sql_bind_expr(&out->node, b, s, NULL, err);
}

/* x BETWEEN a AND b is x >= a AND x <= b. */
static fm_status bind_between(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                              struct base_err *err)
{
    struct operand x;
    size_t args[2];
    fm_status st = bind_subject(&x, b, s->args[0], err);

    if (st == FM_OK)
        st = compare(&args[0], b, SQL_OP_GE, x, (struct operand){s->args[1], SQL_NONE}, s->at, err);
    if (st == FM_OK)
        st = compare(&args[1], b, SQL_OP_LE, x, (struct operand){s->args[2], SQL_NONE}, s->at, err);
    return st == FM_OK ? sql_bind_make(out, b, SQL_OP_AND, s->at, args, 2, err) : st;
}

/* x IN (a, b) is x = a OR x = b; x IN (a) is x = a. */
static fm_status bind_in(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                         struct base_err *err)
{
    size_t n = s->arg_count - 1;
    size_t *args = sql_arena_array(&b->plan->arena, n, sizeof *args);
    struct operand x;
    fm_status st = bind_subject(&x, b, s->args[0], err);

    if (st == FM_OK && args == NULL)
        st = base_err_memory(err, "SQL plan");
    for (size_t i = 0; st == FM_OK && i < n; i++)
        st = compare(&args[i], b, SQL_OP_EQ, x, (struct operand){s->args[i + 1], SQL_NONE}, s->at,
                     err);
    if (st != FM_OK)
        return st;
    *out = args[0];
    return n == 1 ? FM_OK : sql_bind_make(out, b, SQL_OP_OR, s->at, args, n, err);
}

static enum sql_op op_of(enum sql_syntax_kind kind)
{
    switch (kind) {
    case SQL_SYNTAX_EQ:
        return SQL_OP_EQ;
    case SQL_SYNTAX_NE:
        return SQL_OP_NE;
    case SQL_SYNTAX_LT:
        return SQL_OP_LT;
    case SQL_SYNTAX_LE:
        return SQL_OP_LE;
    case SQL_SYNTAX_GT:
        return SQL_OP_GT;
    default:
        return SQL_OP_GE;
    }
}

fm_status sql_bind_compare(size_t *out, struct sql_binder *b, enum sql_syntax_kind kind,
                           size_t left, size_t right, int at, struct base_err *err)
{
    return compare(out, b, op_of(kind), (struct operand){NULL, left}, (struct operand){NULL, right},
                   at, err);
}

fm_status sql_bind_comparison(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                              struct base_err *err)
{
    if (s->kind == SQL_SYNTAX_BETWEEN)
        return bind_between(out, b, s, err);
    if (s->kind == SQL_SYNTAX_IN)
        return bind_in(out, b, s, err);
    return compare(out, b, op_of(s->kind), (struct operand){s->args[0], SQL_NONE},
                   (struct operand){s->args[1], SQL_NONE}, s->at, err);
}

/* ---- CASE ---- */

/* The alternatives of a CASE: nodes[i] for syntax[i]; a missing ELSE has NULL for its syntax. */
struct results {
    size_t count;
    const struct sql_syntax **syntax;
    size_t *nodes;
};

static fm_status new_results(struct results *r, struct sql_binder *b, size_t count,
                             struct base_err *err)
{
    r->count = count;
    r->syntax = sql_arena_array(&b->plan->arena, count, sizeof *r->syntax);
    r->nodes = sql_arena_array(&b->plan->arena, count, sizeof *r->nodes);
    if (r->syntax == NULL || r->nodes == NULL)
        return base_err_memory(err, "SQL plan");
    return FM_OK;
}

static fm_status check_alike(const struct sql_binder *b, const struct results *r, size_t first,
                             size_t i, struct base_err *err)
{
    const struct sql_node *f = &b->plan->nodes[r->nodes[first]];
    const struct sql_node *n = &b->plan->nodes[r->nodes[i]];
    char first_name[DATA_TYPE_TEXT], name[DATA_TYPE_TEXT];

    if (f->type.kind == n->type.kind ||
        (sql_type_is_number(f->type) && sql_type_is_number(n->type)))
        return FM_OK;
    sql_bind_type_name(first_name, f);
    sql_bind_type_name(name, n);
    return SQL_BIND_ERROR(b, FM_E_INPUT, n->at, err,
                          "the alternatives of CASE are %s and %s: write all in one type",
                          first_name, name);
}

/* No alternative has a type of its own: TEXT where one is a 'text'. */
static bool is_text(const struct results *r)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->syntax[i] != NULL && r->syntax[i]->kind == SQL_SYNTAX_STRING)
            return true;
    }
    return false;
}

/* Binds all results, those with a type of their own first, and brings them to one type. */
static fm_status bind_results(struct results *r, struct sql_binder *b, int at, struct base_err *err)
{
    size_t first = SQL_NONE;
    struct sql_expect expect;
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < r->count; i++) {
        r->nodes[i] = SQL_NONE;
        if (r->syntax[i] == NULL || sql_bind_is_loose(b, r->syntax[i]))
            continue;
        st = sql_bind_expr(&r->nodes[i], b, r->syntax[i], NULL, err);
        if (st == FM_OK && first == SQL_NONE)
            first = i;
        if (st == FM_OK)
            st = check_alike(b, r, first, i, err);
    }
    if (st != FM_OK)
        return st;
    if (first == SQL_NONE)
        expect = (struct sql_expect){{.kind = is_text(r) ? DATA_TEXT : DATA_INTEGER}, {0, 0}};
    else
        expect = sql_bind_expect(b, r->nodes[first]);
    for (size_t i = 0; st == FM_OK && i < r->count; i++) {
        if (r->syntax[i] == NULL)
            st = sql_bind_null(&r->nodes[i], b, expect.type, at, err);
        else if (r->nodes[i] == SQL_NONE)
            st = sql_bind_expr(&r->nodes[i], b, r->syntax[i], &expect, err);
        if (st == FM_OK && first == SQL_NONE)
            first = i;
        if (st == FM_OK)
            st = check_alike(b, r, first, i, err);
    }
    return st;
}

static fm_status align_results(struct results *r, struct sql_binder *b, struct base_err *err)
{
    unsigned scale = 0;
    fm_status st = FM_OK;

    for (size_t i = 0; i < r->count; i++) {
        if (b->plan->nodes[r->nodes[i]].type.scale > scale)
            scale = b->plan->nodes[r->nodes[i]].type.scale;
    }
    for (size_t i = 0; st == FM_OK && i < r->count; i++)
        st = sql_bind_rescale(&r->nodes[i], b, scale, err);
    return st;
}

/* One CASE node from conditions[0..n) and results[0..n], the last being ELSE. */
static fm_status make_case(size_t *out, struct sql_binder *b, int at, const size_t *conditions,
                           const struct results *r, struct base_err *err)
{
    size_t n = 2 * r->count - 1;
    size_t *args = sql_arena_array(&b->plan->arena, n, sizeof *args);

    if (args == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i + 1 < r->count; i++) {
        args[2 * i] = conditions[i];
        args[2 * i + 1] = r->nodes[i];
    }
    args[n - 1] = r->nodes[r->count - 1];
    return sql_bind_make(out, b, SQL_OP_CASE, at, args, n, err);
}

static fm_status bind_when(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                           struct base_err *err)
{
    bool simple = s->kind == SQL_SYNTAX_SIMPLE_CASE;
    size_t whens = (s->arg_count - simple) / 2;
    bool has_else = (s->arg_count - simple) % 2 == 1;
    const struct sql_syntax *const *args = (const struct sql_syntax *const *)s->args + simple;
    size_t *conditions = sql_arena_array(&b->plan->arena, whens, sizeof *conditions);
    struct operand subject;
    struct results r;
    fm_status st = new_results(&r, b, whens + 1, err);

    if (st == FM_OK && conditions == NULL)
        st = base_err_memory(err, "SQL plan");
    if (st == FM_OK && simple)
        st = bind_subject(&subject, b, s->args[0], err);
    for (size_t i = 0; st == FM_OK && i < whens; i++) {
        const struct sql_syntax *when = args[2 * i];
        if (simple)
            st = compare(&conditions[i], b, SQL_OP_EQ, subject, (struct operand){when, SQL_NONE},
                         when->at, err);
        else
            st = sql_bind_condition(&conditions[i], b, when, "WHEN", err);
        r.syntax[i] = args[2 * i + 1];
    }
    if (st != FM_OK)
        return st;
    r.syntax[whens] = has_else ? args[2 * whens] : NULL;
    st = bind_results(&r, b, s->at, err);
    if (st == FM_OK)
        st = align_results(&r, b, err);
    return st == FM_OK ? make_case(out, b, s->at, conditions, &r, err) : st;
}

/* COALESCE(a, b, c) is CASE WHEN a IS NOT NULL THEN a WHEN b IS NOT NULL THEN b ELSE c END. */
static fm_status bind_coalesce(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                               struct base_err *err)
{
    size_t *conditions = sql_arena_array(&b->plan->arena, s->arg_count, sizeof *conditions);
    struct results r;
    fm_status st = new_results(&r, b, s->arg_count, err);

    if (st == FM_OK && conditions == NULL)
        st = base_err_memory(err, "SQL plan");
    if (st != FM_OK)
        return st;
    for (size_t i = 0; i < s->arg_count; i++)
        r.syntax[i] = s->args[i];
    st = bind_results(&r, b, s->at, err);
    for (size_t i = 0; st == FM_OK && i + 1 < r.count; i++) {
        st = sql_bind_make(&conditions[i], b, SQL_OP_IS_NULL, s->at, &r.nodes[i], 1, err);
        if (st == FM_OK)
            st = sql_bind_make(&conditions[i], b, SQL_OP_NOT, s->at, &conditions[i], 1, err);
    }
    if (st == FM_OK)
        st = align_results(&r, b, err);
    if (st != FM_OK)
        return st;
    *out = r.nodes[0];
    return r.count == 1 ? FM_OK : make_case(out, b, s->at, conditions, &r, err);
}

/* NULLIF(x, y) is CASE WHEN x = y THEN NULL ELSE x END. */
static fm_status bind_nullif(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                             struct base_err *err)
{
    size_t condition, nodes[2];
    struct results r = {.count = 2, .nodes = nodes};
    fm_status st = sql_bind_expr(&nodes[1], b, s->args[0], NULL, err);

    if (st == FM_OK)
        st = compare(&condition, b, SQL_OP_EQ, (struct operand){s->args[0], nodes[1]},
                     (struct operand){s->args[1], SQL_NONE}, s->at, err);
    if (st == FM_OK)
        st = sql_bind_null(&nodes[0], b, b->plan->nodes[nodes[1]].type, s->at, err);
    return st == FM_OK ? make_case(out, b, s->at, &condition, &r, err) : st;
}

fm_status sql_bind_case(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                        struct base_err *err)
{
    if (s->kind == SQL_SYNTAX_COALESCE)
        return bind_coalesce(out, b, s, err);
    return s->kind == SQL_SYNTAX_NULLIF ? bind_nullif(out, b, s, err) : bind_when(out, b, s, err);
}
