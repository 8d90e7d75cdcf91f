/* New nodes of the plan: the one place where types, ranges and NULL rules of operations stand. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/sql/bind/bind.h"

fm_status sql_bind_add(size_t *out, struct sql_binder *b, struct sql_node node,
                       struct base_err *err)
{
    struct sql_plan *plan = b->plan;
    size_t *args = NULL;

    if (plan->node_count == SQL_MAX_NODES)
        return SQL_BIND_ERROR(b, FM_E_LIMIT, node.at, err,
                              "the query has more than %d operations: split it", SQL_MAX_NODES);
    if (plan->node_count == b->node_cap) {
        size_t cap = b->node_cap == 0 ? 64 : 2 * b->node_cap;
        struct sql_node *more = sql_arena_array(&plan->arena, cap, sizeof *more);
        if (more == NULL)
            return base_err_memory(err, "SQL plan");
        if (plan->node_count > 0)
            memcpy(more, plan->nodes, plan->node_count * sizeof *more);
        plan->nodes = more;
        b->node_cap = cap;
    }
    args = sql_arena_array(&plan->arena, node.arg_count, sizeof *args);
    if (args == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < node.arg_count; i++)
        args[i] = node.args[i];
    node.args = args;
    *out = plan->node_count++;
    plan->nodes[*out] = node;
    return FM_OK;
}

static struct sql_range range_now(const struct sql_plan *plan, const struct sql_node *node)
{
    /* sql_range_of() reads ranges by node index; here they stand in the nodes themselves. */
    struct sql_range args[2];
    size_t first_two[2] = {0, 1};
    struct sql_node shape = *node;

    if (node->op == SQL_OP_CASE) {
        struct sql_range hull = {1, 0};
        for (size_t i = 0; i < node->arg_count; i++) {
            struct sql_range r = plan->nodes[node->args[i]].range;
            if ((i % 2 == 1 || i + 1 == node->arg_count) && r.lo <= r.hi)
                hull = hull.lo > hull.hi ? r : sql_range_hull(hull, r);
        }
        return hull;
    }
    for (size_t i = 0; i < 2 && i < node->arg_count; i++)
        args[i] = plan->nodes[node->args[i]].range;
    shape.args = first_two;
    return sql_range_of(&shape, args);
}

/* Of the alternatives of a CASE. */
static unsigned longest(const struct sql_plan *plan, const struct sql_node *node)
{
    unsigned most = 1;

    for (size_t i = 0; i < node->arg_count; i++) {
        const struct sql_node *n = &plan->nodes[node->args[i]];
        bool result = i % 2 == 1 || i + 1 == node->arg_count;
        if (result && n->type.max_bytes > most)
            most = n->type.max_bytes;
    }
    return most;
}

static struct data_type type_of(const struct sql_plan *plan, const struct sql_node *node)
{
    struct data_type type = plan->nodes[node->args[0]].type;
    struct data_type other = node->arg_count > 1 ? plan->nodes[node->args[1]].type : type;

    switch (node->op) {
    case SQL_OP_RESCALE:
        type.kind = DATA_DECIMAL;
        type.scale += node->digits;
        type.precision = 0;
        return type;
    case SQL_OP_NEG:
    case SQL_OP_ADD:
        type.precision = 0;
        return type;
    case SQL_OP_SUB:
        /* DATE - DATE is a number of days. */
        type.precision = 0;
        return type.kind == DATA_DATE ? (struct data_type){.kind = DATA_INTEGER} : type;
    case SQL_OP_MUL:
        type.scale += other.scale;
        type.precision = 0;
        type.kind = type.kind == DATA_DECIMAL ? DATA_DECIMAL : other.kind;
        return type;
    case SQL_OP_CASE:
        other.precision = 0;
        if (other.kind == DATA_TEXT)
            other.max_bytes = longest(plan, node);
        return other;
    case SQL_OP_DIV:
        if (type.kind == DATA_INTEGER && other.kind == DATA_INTEGER)
            return (struct data_type){.kind = DATA_INTEGER};
        return (struct data_type){.kind = DATA_DECIMAL,
                                  .scale = type.scale + node->digits - other.scale};
    case SQL_OP_MOD:
        return (struct data_type){.kind = DATA_INTEGER};
    case SQL_OP_ROUND:
        type.scale -= node->digits;
        type.precision = 0;
        if (type.scale == 0)
            type.kind = DATA_INTEGER;
        return type;
    default:
        return (struct data_type){.kind = DATA_BOOLEAN};
    }
}

/* Strict operations are NULL if an operand is; a CASE if a result is; IS tests never. */
static bool nullable_of(const struct sql_plan *plan, const struct sql_node *node)
{
    bool nullable = false;

    if (node->op == SQL_OP_IS_NULL || node->op == SQL_OP_IS_TRUE)
        return false;
    for (size_t i = 0; i < node->arg_count; i++) {
        if (node->op != SQL_OP_CASE || i % 2 == 1 || i + 1 == node->arg_count)
            nullable = nullable || plan->nodes[node->args[i]].nullable;
    }
    if (node->op == SQL_OP_DIV || node->op == SQL_OP_MOD) {
        struct sql_range y = plan->nodes[node->args[1]].range;
        nullable = nullable || (y.lo <= 0 && y.hi >= 0);
    }
    return nullable;
}

static fm_status make(size_t *out, struct sql_binder *b, struct sql_node node, struct base_err *err)
{
    static const char *const what[SQL_OP_COUNT_OF_OPS] = {
        [SQL_OP_RESCALE] = "this value, brought to the scale of the other operand,",
        [SQL_OP_NEG] = "the negated value",
        [SQL_OP_ADD] = "this sum",
        [SQL_OP_SUB] = "this difference",
        [SQL_OP_MUL] = "this product"};
    fm_status st;

    node.type = type_of(b->plan, &node);
    node.nullable = nullable_of(b->plan, &node);
    node.range = range_now(b->plan, &node);
    st = sql_bind_add(out, b, node, err);
    if (st == FM_OK && what[node.op] != NULL && !sql_range_fits(node.range))
        st = sql_range_refuse(b->plan, *out, 0, what[node.op], node.at, err);
    if (st == FM_OK && sql_type_is_number(node.type) && node.type.scale > SQL_MAX_SCALE)
        st = SQL_BIND_ERROR(b, FM_E_LIMIT, node.at, err,
                            "the result has %u digits after the point: at most %d are kept exactly",
                            node.type.scale, SQL_MAX_SCALE);
    return st;
}

fm_status sql_bind_make(size_t *out, struct sql_binder *b, enum sql_op op, int at,
                        const size_t *args, size_t arg_count, struct base_err *err)
{
    struct sql_node node = {.op = op, .at = at, .args = args, .arg_count = arg_count};

    assert(arg_count > 0);
    return make(out, b, node, err);
}

fm_status sql_bind_make_digits(size_t *out, struct sql_binder *b, enum sql_op op, int at,
                               const size_t *args, size_t arg_count, unsigned digits,
                               struct base_err *err)
{
    struct sql_node node = {
        .op = op, .at = at, .args = args, .arg_count = arg_count, .digits = digits};

    return make(out, b, node, err);
}

fm_status sql_bind_rescale(size_t *inout, struct sql_binder *b, unsigned scale,
                           struct base_err *err)
{
    struct sql_node node = b->plan->nodes[*inout];
    unsigned digits = scale - node.type.scale;
    size_t arg = *inout;

    assert(scale >= node.type.scale);
    if (digits == 0)
        return FM_OK;
    if (scale > SQL_MAX_SCALE)
        return SQL_BIND_ERROR(b, FM_E_LIMIT, node.at, err,
                              "%u digits after the point: at most %d are kept exactly", scale,
                              SQL_MAX_SCALE);
    if (node.op == SQL_OP_CONST) {
        sql_wide value = node.null ? 0 : node.value * sql_ten_to(digits);
        if (value > INT64_MAX || value < -(sql_wide)INT64_MAX)
            return SQL_BIND_ERROR(b, FM_E_LIMIT, node.at, err,
                                  "this number at %u digits after the point leaves 64 bits", scale);
        node.value = value;
        node.type = (struct data_type){.kind = DATA_DECIMAL, .scale = scale};
        if (!node.null)
            node.range = (struct sql_range){value, value};
        return sql_bind_add(inout, b, node, err);
    }
    node = (struct sql_node){
        .op = SQL_OP_RESCALE, .at = node.at, .digits = digits, .args = &arg, .arg_count = 1};
    return make(inout, b, node, err);
}

fm_status sql_bind_align(size_t *left, size_t *right, struct sql_binder *b, struct base_err *err)
{
    unsigned scale = b->plan->nodes[*left].type.scale;
    fm_status st;

    if (b->plan->nodes[*right].type.scale > scale)
        scale = b->plan->nodes[*right].type.scale;
    st = sql_bind_rescale(left, b, scale, err);
    return st == FM_OK ? sql_bind_rescale(right, b, scale, err) : st;
}

fm_status sql_bind_null(size_t *out, struct sql_binder *b, struct data_type type, int at,
                        struct base_err *err)
{
    /* The empty range: NULL adds no value to any hull. */
    struct sql_node node = {.op = SQL_OP_CONST,
                            .type = type,
                            .range = {1, 0},
                            .nullable = true,
                            .null = true,
                            .at = at};

    node.type.precision = 0;
    return sql_bind_add(out, b, node, err);
}

struct sql_expect sql_bind_expect(const struct sql_binder *b, size_t node)
{
    const struct sql_node *n = &b->plan->nodes[node];

    return (struct sql_expect){sql_type_fit(n->type, n->range), n->range};
}

void sql_bind_type_name(char out[DATA_TYPE_TEXT], const struct sql_node *node)
{
    struct data_type type = node->type;

    if (type.precision == 0)
        type = sql_type_fit(type, node->range);
    data_type_format(out, &type);
}
