/* Joins: keys become columns, sides are turned so that the one that is looked up in is unique. */
#include <assert.h>

#include "exchange/sql/bind/bind.h"

fm_status sql_bind_reference(size_t *out, struct sql_binder *b, const struct sql_rel *rel,
                             size_t column, int at, struct base_err *err)
{
    const struct sql_plan_column *c = &b->plan->columns[column];
    struct sql_node node = {.op = SQL_OP_COLUMN,
                            .type = c->type,
                            .range = c->range,
                            .nullable = c->nullable || sql_rel_nulls(b, rel, column),
                            .index = column,
                            .at = at};

    return sql_bind_add(out, b, node, err);
}

/* May new columns join those that this operator makes? Not if they need these themselves. */
static bool makes_for(const struct sql_binder *b, const struct sql_rel *rel, size_t node)
{
    return rel->kind == SQL_REL_PROJECT && sql_rel_has_all(b, rel->inputs[0], node);
}

fm_status sql_bind_as_column(size_t *column, struct sql_binder *b, struct sql_rel **rel,
                             size_t node, const char *name, struct base_err *err)
{
    struct sql_node n = b->plan->nodes[node];
    struct sql_plan_column made = {
        .name = name, .type = n.type, .range = n.range, .nullable = n.nullable, .table = SQL_NONE};
    struct sql_make *makes;
    fm_status st = FM_OK;

    if (n.op == SQL_OP_COLUMN) {
        *column = n.index;
        return FM_OK;
    }
    if (made.range.lo > made.range.hi)
        made.range = (struct sql_range){0, 0};
    if (!makes_for(b, *rel, node))
        st = sql_rel_new(rel, b, SQL_REL_PROJECT, *rel, n.at, err);
    if (st == FM_OK)
        st = sql_rel_make(column, b, *rel, made, err);
    if (st != FM_OK)
        return st;
    makes = sql_arena_array(&b->plan->arena, (*rel)->make_count + 1, sizeof *makes);
    if (makes == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < (*rel)->make_count; i++)
        makes[i] = (*rel)->makes[i];
    makes[(*rel)->make_count++] = (struct sql_make){*column, node};
    (*rel)->makes = makes;
    return FM_OK;
}

fm_status sql_bind_equal(size_t *left, size_t *right, struct sql_binder *b, int at,
                         struct base_err *err)
{
    const struct sql_node *l = &b->plan->nodes[*left], *r = &b->plan->nodes[*right];
    char left_name[DATA_TYPE_TEXT], right_name[DATA_TYPE_TEXT];

    if (sql_type_is_number(l->type) && sql_type_is_number(r->type))
        return sql_bind_align(left, right, b, err);
    if (l->type.kind == r->type.kind)
        return FM_OK;
    sql_bind_type_name(left_name, l);
    sql_bind_type_name(right_name, r);
    return SQL_BIND_ERROR(b, FM_E_INPUT, at, err,
                          "%s cannot be compared with %s: write both sides in one type", left_name,
                          right_name);
}

static const char *key_name(const struct sql_binder *b, const size_t *keys, size_t count)
{
    return count > 0 ? b->plan->columns[keys[0]].name : "";
}

/* Neither side says how many rows of a key there are: the result could be as long as all pairs. */
static fm_status check_bounds(struct sql_rel *rel, const struct sql_binder *b, struct base_err *err)
{
    struct sql_join *j = &rel->join;
    bool whole = j->key_count == 0;
    sql_wide pairs = (sql_wide)rel->inputs[0]->rows * rel->inputs[1]->rows;

    if (whole && j->kind == SQL_JOIN_MARK && pairs > SQL_MAX_PAIRS)
        return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, rel->at, err,
                              "%lld rows with each of %lld are more than %d pairs: compare with "
                              "(SELECT MIN(...) ...) or MAX instead",
                              (long long)rel->inputs[0]->rows, (long long)rel->inputs[1]->rows,
                              (int)SQL_MAX_PAIRS);
    if (whole && j->kind != SQL_JOIN_SINGLE && pairs > SQL_MAX_PAIRS)
        return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, rel->at, err,
                              "nothing joins this table with those before it: write ON a.x = b.x, "
                              "equality of columns, joined by AND");
    if (j->kind == SQL_JOIN_MARK || j->kind == SQL_JOIN_SINGLE || j->right_max > 0)
        return FM_OK;
    if (j->kind == SQL_JOIN_LEFT)
        return SQL_BIND_ERROR(
            b, FM_E_UNSUPPORTED, rel->at, err,
            "LEFT or RIGHT JOIN where '%s' of the side that may be missing has no "
            "declared number of rows per key: publish it with \"keys\", or group "
            "that side by the key first",
            key_name(b, j->right, j->key_count));
    return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, rel->at, err,
                          "JOIN on '%s' and '%s': neither side declares how many rows one key may "
                          "have: publish one with \"keys\", or group it by the key first",
                          key_name(b, j->left, j->key_count), key_name(b, j->right, j->key_count));
}

/* Bounds of both sides; an INNER join looks up in the side with fewer rows per key. */
static void turn(struct sql_rel *rel, const struct sql_binder *b)
{
    struct sql_join *j = &rel->join;
    struct sql_rel *left = rel->inputs[0], *right = rel->inputs[1];
    size_t *keys = j->left;
    int64_t most;

    j->left_max = j->key_count > 0 ? sql_rel_max(b, left, j->left, j->key_count) : left->rows;
    j->right_max = j->key_count > 0 ? sql_rel_max(b, right, j->right, j->key_count) : right->rows;
    if (j->key_count == 0 && j->kind == SQL_JOIN_SINGLE && right->rows > 1)
        j->right_max = 0; /* whether it has one row, the run will tell */
    most = j->left_max;
    if (j->kind != SQL_JOIN_INNER || most == 0 || (j->right_max > 0 && j->right_max <= most))
        return;
    rel->inputs[0] = right;
    rel->inputs[1] = left;
    j->left = j->right;
    j->right = keys;
    j->left_max = j->right_max;
    j->right_max = most;
}

static fm_status count_rows(struct sql_rel *rel, const struct sql_binder *b, struct base_err *err)
{
    const struct sql_join *j = &rel->join;
    sql_wide rows = rel->inputs[0]->rows;

    if (j->kind == SQL_JOIN_INNER || j->kind == SQL_JOIN_LEFT)
        rows *= j->right_max;
    if (j->kind == SQL_JOIN_INNER && j->left_max > 0 &&
        (sql_wide)rel->inputs[1]->rows * j->left_max < rows)
        rows = (sql_wide)rel->inputs[1]->rows * j->left_max;
    if (rows > SQL_MAX_TOTAL_ROWS)
        return SQL_BIND_ERROR(
            b, FM_E_LIMIT, rel->at, err,
            "this join could have more than %lld rows: declare fewer rows per key "
            "of '%s'",
            (long long)SQL_MAX_TOTAL_ROWS, key_name(b, j->right, j->key_count));
    rel->rows = (int64_t)rows;
    return FM_OK;
}

static fm_status key_columns(size_t **out, struct sql_binder *b, struct sql_rel **side,
                             const size_t *nodes, size_t count, struct base_err *err)
{
    size_t *columns = sql_arena_array(&b->plan->arena, count, sizeof *columns);
    fm_status st = FM_OK;

    if (columns == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; st == FM_OK && i < count; i++)
        st = sql_bind_as_column(&columns[i], b, side, nodes[i], "key", err);
    *out = columns;
    return st;
}

fm_status sql_bind_join(struct sql_rel **out, struct sql_binder *b, enum sql_join_kind kind,
                        struct sql_rel *left, struct sql_rel *right, const size_t *left_keys,
                        const size_t *right_keys, size_t key_count, int at, struct base_err *err)
{
    struct sql_join join = {
        .kind = kind, .key_count = key_count, .condition = SQL_NONE, .mark = SQL_NONE};
    struct sql_rel *rel;
    fm_status st = key_columns(&join.left, b, &left, left_keys, key_count, err);

    if (st == FM_OK)
        st = key_columns(&join.right, b, &right, right_keys, key_count, err);
    if (st == FM_OK)
        st = sql_rel_new(&rel, b, SQL_REL_JOIN, NULL, at, err);
    if (st != FM_OK)
        return st;
    rel->inputs = sql_arena_array(&b->plan->arena, 2, sizeof *rel->inputs);
    if (rel->inputs == NULL)
        return base_err_memory(err, "SQL plan");
    rel->inputs[0] = left;
    rel->inputs[1] = right;
    rel->input_count = 2;
    rel->join = join;
    turn(rel, b);
    *out = rel;
    st = check_bounds(rel, b, err);
    if (st == FM_OK)
        st = count_rows(rel, b, err);
    if (st != FM_OK)
        return st;
    if (key_count > 0 && rel->join.right_max > 0 &&
        (kind == SQL_JOIN_INNER || kind == SQL_JOIN_LEFT))
        rel->flags |= SQL_FLAG_KEY_REPEATED;
    if (kind == SQL_JOIN_SINGLE && rel->join.right_max != 1)
        rel->flags |= SQL_FLAG_SECOND_ROW;
    if (kind == SQL_JOIN_MARK)
        st = sql_rel_make(&rel->join.mark, b, rel,
                          (struct sql_plan_column){.name = "match",
                                                   .type = {.kind = DATA_BOOLEAN},
                                                   .range = {0, 1},
                                                   .table = SQL_NONE},
                          err);
    return st;
}
