/* JOIN: pairs by keys, by nothing, marks, and the one row of a scalar subquery. */
#include <stdlib.h>

#include "exchange/run/join.h"
#include "exchange/run/query.h"
#include "exchange/run/sorted.h"

struct condition {
    struct query *q;
    size_t node;
    const struct query_rows *left, *right;
};

static fm_status truth_of(void *ctx, struct mpc_share **truth, struct run_relation *joined,
                          struct base_err *err)
{
    const struct condition *c = ctx;
    struct query_rows rows = {.r = *joined};
    size_t left = joined->count - c->right->r.count;
    fm_status st;

    for (size_t i = 0; i < joined->count; i++)
        rows.ids[i] = i < left ? c->left->ids[i] : c->right->ids[i - left];
    st = query_truth(truth, c->q, &rows, c->node, err);
    *joined = rows.r;
    return st;
}

/* The columns of the right side, behind `count` of the left's. */
static void join_ids(struct query_rows *left, const struct query_rows *right, size_t count,
                     size_t right_count)
{
    for (size_t i = 0; i < right_count; i++)
        left->ids[count + i] = right->ids[i];
}

/* IN, where NULL and false must be told apart. */
static fm_status mark_in(struct query_rows *left, struct query_rows *right,
                         const struct run_join *join, size_t mark, struct base_err *err)
{
    struct run_column c = {0};
    fm_status st;

    if (join->key_count != 1 || join->condition != NULL)
        return base_err_set(
            err, FM_E_UNSUPPORTED,
            "IN or NOT IN with a subquery that depends on the outer row, where NULLs "
            "matter: write EXISTS or NOT EXISTS");
    st = run_in(&c, &left->r, join->left_keys[0], &right->r, join->right_keys[0], err);
    return st == FM_OK ? query_append(left, c, mark, err) : st;
}

static fm_status scalars(struct query_rows *left, struct query_rows *right, struct base_err *err)
{
    size_t left_count = left->r.count, n = right->r.count;
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < n; i++) {
        struct run_relation one;

        st = run_relation_copy(&one, &right->r, err);
        if (st == FM_OK)
            st = run_relation_project(&one, &i, 1, err);
        if (st == FM_OK)
            st = run_scalar(&left->r, &one, err);
    }
    if (st == FM_OK)
        join_ids(left, right, left_count, n);
    query_rows_release(right);
    return st;
}

static size_t bound_of(int64_t declared, size_t rows)
{
    return declared > 0 && (uint64_t)declared < rows ? (size_t)declared : rows;
}

fm_status query_join(struct query *q, struct query_rows *left, struct query_rows *right,
                     const struct sql_rel *rel, struct base_err *err)
{
    static const enum run_join_kind kinds[] = {[SQL_JOIN_INNER] = RUN_INNER,
                                               [SQL_JOIN_LEFT] = RUN_LEFT,
                                               [SQL_JOIN_MARK] = RUN_MARK,
                                               [SQL_JOIN_SINGLE] = RUN_SINGLE};
    const struct sql_join *j = &rel->join;
    size_t left_keys[MPC_SORT_KEYS], right_keys[MPC_SORT_KEYS], count = left->r.count,
                                                                right_count = right->r.count;
    struct condition condition = {q, j->condition, left, right};
    struct run_join join = {.kind = kinds[j->kind],
                            .left_keys = left_keys,
                            .right_keys = right_keys,
                            .key_count = j->key_count,
                            .bound = bound_of(j->right_max, right->r.rows),
                            .left_unique = j->left_max == 1};
    size_t rows = left->r.rows;
    fm_status st;

    if (j->key_count >= MPC_SORT_KEYS)
        return base_err_set(err, FM_E_LIMIT, "a join on more than %d key columns",
                            (int)MPC_SORT_KEYS - 1);
    if (j->condition != SQL_NONE) {
        join.condition = truth_of;
        join.ctx = &condition;
    }
    st = query_find_all(left_keys, left, j->left, j->key_count, err);
    if (st == FM_OK)
        st = query_find_all(right_keys, right, j->right, j->key_count, err);
    if (st != FM_OK)
        return st;
    query_orders_drop(right);
    if (j->kind == SQL_JOIN_SINGLE && j->key_count == 0)
        return scalars(left, right, err);
    if (j->kind == SQL_JOIN_MARK && j->null_aware)
        return mark_in(left, right, &join, j->mark, err);
    st = j->key_count == 0 ? run_cross(&left->r, &right->r, &join, err)
                           : run_join(&left->r, &right->r, &join, err);
    if (left->r.rows != rows)
        query_orders_drop(left);
    else if (j->kind == SQL_JOIN_INNER) /* each of the left side's is where it stood */
        query_orders_filtered(left);
    if (st == FM_OK && j->kind == SQL_JOIN_MARK)
        left->ids[count] = j->mark;
    else if (st == FM_OK)
        join_ids(left, right, count, right_count);
    return st;
}
