/* Operators while they are made: what their rows have, and how many there may be. The recursions
 * are as deep as queries and joins nest, which the parser has bounded. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/sql/bind/bind.h"

enum { MAX_RELS = 2048, MAX_MADE = 65536 };

fm_status sql_rel_new(struct sql_rel **out, struct sql_binder *b, enum sql_rel_kind kind,
                      struct sql_rel *input, int at, struct base_err *err)
{
    struct sql_rel *rel;

    if (b->rels_made == MAX_RELS)
        return SQL_BIND_ERROR(b, FM_E_LIMIT, at, err,
                              "the query has more than %d operators: split it", MAX_RELS);
    *out = rel = sql_arena_alloc(&b->plan->arena, sizeof *rel);
    if (rel == NULL)
        return base_err_memory(err, "SQL plan");
    *rel = (struct sql_rel){.kind = kind,
                            .id = b->rels_made++,
                            .at = at,
                            .table = SQL_NONE,
                            .others = SQL_NONE,
                            .condition = SQL_NONE};
    rel->join = (struct sql_join){.condition = SQL_NONE, .mark = SQL_NONE};
    if (input == NULL)
        return FM_OK;
    rel->inputs = sql_arena_array(&b->plan->arena, 1, sizeof *rel->inputs);
    if (rel->inputs == NULL)
        return base_err_memory(err, "SQL plan");
    rel->inputs[0] = input;
    rel->input_count = 1;
    rel->rows = input->rows;
    return FM_OK;
}

static bool grow(struct sql_binder *b)
{
    struct sql_plan *plan = b->plan;
    size_t cap = b->column_cap == 0 ? 64 : 2 * b->column_cap;
    struct sql_plan_column *columns = sql_arena_array(&plan->arena, cap, sizeof *columns);
    struct sql_rel **made_by = sql_arena_array(&plan->arena, cap, sizeof *made_by);

    if (columns == NULL || made_by == NULL)
        return false;
    if (plan->column_count > 0) {
        memcpy(columns, plan->columns, plan->column_count * sizeof *columns);
        memcpy(made_by, b->made_by, plan->column_count * sizeof(struct sql_rel *));
    }
    plan->columns = columns;
    b->made_by = made_by;
    b->column_cap = cap;
    return true;
}

/* Until sql_plan_settle(), column_count counts those that operators make too. */
fm_status sql_rel_make(size_t *out, struct sql_binder *b, struct sql_rel *rel,
                       struct sql_plan_column column, struct base_err *err)
{
    struct sql_plan *plan = b->plan;

    if (plan->column_count == MAX_MADE)
        return SQL_BIND_ERROR(b, FM_E_LIMIT, rel->at, err,
                              "the query has more than %d columns: split it", MAX_MADE);
    if (plan->column_count == b->column_cap && !grow(b))
        return base_err_memory(err, "SQL plan");
    *out = plan->column_count++;
    plan->columns[*out] = column;
    b->made_by[*out] = rel;
    return FM_OK;
}

static bool listed(const size_t *list, size_t count, size_t column)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == column)
            return true;
    }
    return false;
}

bool sql_rel_has(const struct sql_binder *b, const struct sql_rel *rel, size_t column)
{
    if (b->made_by[column] == rel)
        return true;
    switch (rel->kind) {
    case SQL_REL_SCAN:
    case SQL_REL_UNION:
        return false;
    case SQL_REL_GROUP:
        return listed(rel->keys, rel->key_count, column);
    case SQL_REL_JOIN:
        if (rel->join.kind != SQL_JOIN_MARK && sql_rel_has(b, rel->inputs[1], column))
            return true;
        break;
    default:
        break;
    }
    return sql_rel_has(b, rel->inputs[0], column);
}

bool sql_rel_nulls(const struct sql_binder *b, const struct sql_rel *rel, size_t column)
{
    if (b->made_by[column] == rel || rel->input_count == 0)
        return false;
    if (rel->kind == SQL_REL_JOIN && rel->join.kind != SQL_JOIN_MARK &&
        sql_rel_has(b, rel->inputs[1], column))
        return rel->join.kind != SQL_JOIN_INNER || sql_rel_nulls(b, rel->inputs[1], column);
    return sql_rel_nulls(b, rel->inputs[0], column);
}

/* Counts the columns that a node reads, inside and outside of rel. One bit a node, on the stack:
 * there is no memory to be out of, and no answer for that. */
static void look(const struct sql_binder *b, const struct sql_rel *rel, size_t node, size_t *inside,
                 size_t *outside)
{
    uint64_t needed[SQL_MAX_NODES / 64];

    assert(node < SQL_MAX_NODES);
    memset(needed, 0, (node / 64 + 1) * sizeof *needed);
    needed[node / 64] = (uint64_t)1 << node % 64;
    *inside = *outside = 0;
    for (size_t i = node + 1; i-- > 0;) {
        const struct sql_node *n = &b->plan->nodes[i];
        if ((needed[i / 64] >> i % 64 & 1) == 0)
            continue;
        if (n->op == SQL_OP_COLUMN) {
            if (sql_rel_has(b, rel, n->index))
                ++*inside;
            else
                ++*outside;
        }
        for (size_t j = 0; j < n->arg_count; j++)
            needed[n->args[j] / 64] |= (uint64_t)1 << n->args[j] % 64;
    }
}

bool sql_rel_has_all(const struct sql_binder *b, const struct sql_rel *rel, size_t node)
{
    size_t inside, outside;

    look(b, rel, node, &inside, &outside);
    return outside == 0;
}

bool sql_rel_has_any(const struct sql_binder *b, const struct sql_rel *rel, size_t node)
{
    size_t inside, outside;

    look(b, rel, node, &inside, &outside);
    return inside > 0;
}

/* ---- how many rows of one value ---- */

static int64_t least(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static int64_t times(int64_t a, int64_t b)
{
    int64_t product;

    return __builtin_mul_overflow(a, b, &product) ? 0 : product;
}

static int64_t scan_max(const struct sql_binder *b, const struct sql_rel *rel, size_t column)
{
    const struct sql_table *t = &b->plan->tables[rel->table];
    int64_t sum = 0;

    if (b->plan->columns[column].table != rel->table)
        return 0;
    for (size_t i = 0; i < t->source_count; i++) {
        int64_t most =
            sql_dataset_key(b->datasets[t->first_source + i], b->plan->columns[column].name);
        if (most == 0)
            return 0;
        sum += most;
    }
    return sum;
}

static int64_t join_max(const struct sql_binder *b, const struct sql_rel *rel,
                        const size_t *columns, size_t count)
{
    const struct sql_join *j = &rel->join;
    size_t n = 0, *left = calloc(2 * count + 2, sizeof *left), *right;
    int64_t by_left = 0, by_right = 0;
    size_t m = 0;

    if (left == NULL)
        return 0;
    right = left + count + 1;
    for (size_t i = 0; i < count; i++) {
        bool is_left = sql_rel_has(b, rel->inputs[0], columns[i]);
        if (is_left)
            left[n++] = columns[i];
        else
            right[m++] = columns[i];
    }
    if (n > 0)
        by_left = sql_rel_max(b, rel->inputs[0], left, n);
    if (m > 0)
        by_right = sql_rel_max(b, rel->inputs[1], right, m);
    free(left);
    /* One row of each side, and one of the other. */
    if (by_left > 0 && by_right > 0 && j->kind == SQL_JOIN_INNER && by_left == 1 && by_right == 1)
        return 1;
    if (j->kind == SQL_JOIN_MARK || j->kind == SQL_JOIN_SINGLE)
        return by_left;
    by_left = times(by_left, j->right_max);
    by_right = j->kind == SQL_JOIN_INNER ? times(by_right, j->left_max) : 0;
    return least(by_left, by_right);
}

int64_t sql_rel_max(const struct sql_binder *b, const struct sql_rel *rel, const size_t *columns,
                    size_t count)
{
    int64_t most = 0;
    bool all = true;

    if (rel->rows == 1)
        return 1;
    switch (rel->kind) {
    case SQL_REL_SCAN:
        for (size_t i = 0; i < count; i++)
            most = least(most, scan_max(b, rel, columns[i]));
        break;
    case SQL_REL_GROUP:
        for (size_t i = 0; i < rel->key_count; i++)
            all = all && listed(columns, count, rel->keys[i]);
        most = all ? 1 : 0;
        break;
    case SQL_REL_JOIN:
        most = join_max(b, rel, columns, count);
        break;
    case SQL_REL_UNION:
        break;
    default:
        most = sql_rel_max(b, rel->inputs[0], columns, count);
        break;
    }
    return most > rel->rows ? rel->rows : most;
}

/* ---- conditions, as far down as they go ---- */

static fm_status conjoin(size_t *inout, struct sql_binder *b, size_t more, struct base_err *err)
{
    const struct sql_node *x = &b->plan->nodes[*inout], *y = &b->plan->nodes[more];
    size_t nx = x->op == SQL_OP_AND ? x->arg_count : 1, ny = y->op == SQL_OP_AND ? y->arg_count : 1;
    size_t *args = sql_arena_array(&b->plan->arena, nx + ny, sizeof *args);

    if (args == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < nx; i++)
        args[i] = x->op == SQL_OP_AND ? x->args[i] : *inout;
    for (size_t i = 0; i < ny; i++)
        args[nx + i] = y->op == SQL_OP_AND ? y->args[i] : more;
    return sql_bind_make(inout, b, SQL_OP_AND, x->at, args, nx + ny, err);
}

/* The side of a join that has all of the condition's columns and loses nothing by it; or -1. */
static int side_of(const struct sql_binder *b, const struct sql_rel *rel, size_t condition)
{
    if (rel->kind != SQL_REL_JOIN)
        return -1;
    if (sql_rel_has_all(b, rel->inputs[0], condition))
        return 0;
    return rel->join.kind == SQL_JOIN_INNER && sql_rel_has_all(b, rel->inputs[1], condition) ? 1
                                                                                             : -1;
}

fm_status sql_rel_filter(struct sql_rel **inout, struct sql_binder *b, size_t condition,
                         struct base_err *err)
{
    struct sql_rel *rel = *inout, *below = rel->kind == SQL_REL_FILTER ? rel->inputs[0] : rel;
    int side = side_of(b, below, condition);
    fm_status st;

    if (side >= 0)
        return sql_rel_filter(&below->inputs[side], b, condition, err);
    if (rel->kind == SQL_REL_FILTER)
        return conjoin(&rel->condition, b, condition, err);
    st = sql_rel_new(inout, b, SQL_REL_FILTER, rel, b->plan->nodes[condition].at, err);
    if (st == FM_OK)
        (*inout)->condition = condition;
    return st;
}
