/* A join and the grouping above it, over the join's table. */
#include <stdlib.h>
#include <string.h>

#include "exchange/run/join.h"
#include "exchange/run/query_group.h"

enum { LEFT = 1, RIGHT = 2 }; /* the probing side, the table */

/* ---- which joins ---- */

static const struct sql_rel *only_user(const struct sql_plan *plan, const struct sql_rel *rel)
{
    for (size_t i = rel->id + 1; i < plan->rel_count; i++)
        for (size_t k = 0; k < plan->rels[i]->input_count; k++)
            if (plan->rels[i]->inputs[k] == rel)
                return plan->rels[i];
    return NULL;
}

/* Whose rows have the columns that a node reads: LEFT, RIGHT, both, or 0 for none. -1: memory. */
static int sides_of(const struct query *q, const struct query_rows *left,
                    const struct query_rows *right, size_t node)
{
    bool *read = calloc(node + 1, sizeof *read);
    int sides = 0;

    if (read == NULL)
        return -1;
    read[node] = true;
    for (size_t i = node + 1; i > 0; i--) { /* operands stand before their users */
        const struct sql_node *n = &q->plan->nodes[i - 1];

        if (!read[i - 1])
            continue;
        if (n->op == SQL_OP_COLUMN)
            sides |= query_find(left, n->index) != RUN_NONE    ? LEFT
                     : query_find(right, n->index) != RUN_NONE ? RIGHT
                                                               : LEFT | RIGHT;
        for (size_t k = 0; k < n->arg_count; k++)
            read[n->args[k]] = true;
    }
    free(read);
    return sides;
}

/* An argument as a product of one of each side, or of one alone; SQL_NONE: no factor. */
struct factors {
    size_t left;
    size_t right;
};

static bool place(struct factors *f, size_t node, int sides)
{
    size_t *at = sides == LEFT ? &f->left : &f->right;

    if (sides < 0 || sides == (LEFT | RIGHT) || *at != SQL_NONE)
        return false;
    *at = node;
    return true;
}

static bool split(struct factors *f, const struct query *q, const struct query_rows *left,
                  const struct query_rows *right, const struct sql_item *item)
{
    const struct sql_node *n;

    *f = (struct factors){SQL_NONE, SQL_NONE};
    if (item->arg == SQL_NONE || place(f, item->arg, sides_of(q, left, right, item->arg)))
        return true;
    n = &q->plan->nodes[item->arg];
    return item->fn != SQL_COUNT && n->op == SQL_OP_MUL && n->arg_count == 2 &&
           place(f, n->args[0], sides_of(q, left, right, n->args[0])) &&
           place(f, n->args[1], sides_of(q, left, right, n->args[1]));
}

/* SQL_NONE: nowhere. */
static size_t column_at(const struct query_rows *rows, size_t column)
{
    return column != SQL_NONE ? query_find(rows, column) : RUN_NONE;
}

static bool item_fits(const struct query *q, const struct query_rows *left,
                      const struct query_rows *right, const struct sql_item *item)
{
    struct factors f;
    int sides = item->counted != SQL_NONE ? sides_of(q, left, right, item->counted) : 0;

    return (item->fn == SQL_COUNT || item->fn == SQL_SUM || item->fn == SQL_AVG) &&
           !item->distinct && item->filter == SQL_NONE && sides >= 0 && sides != (LEFT | RIGHT) &&
           split(&f, q, left, right, item);
}

/* The table's column that a key of the GROUP is, or is equal to; RUN_NONE: none. Where texts are to
 * be shown it must have their words. */
static size_t table_key(const struct query_rows *left, const struct query_rows *right,
                        const struct sql_join *j, size_t key)
{
    size_t at = query_find(right, key), from = query_find(left, key), to;

    if (at != RUN_NONE || from == RUN_NONE)
        return at;
    for (size_t i = 0; i < j->key_count; i++) {
        to = query_find(right, j->right[i]);
        if (j->left[i] == key && to != RUN_NONE &&
            right->r.columns[to].word_count >= left->r.columns[from].word_count)
            return to;
    }
    return RUN_NONE;
}

static bool group_fits(const struct query *q, const struct query_rows *left,
                       const struct query_rows *right, const struct sql_join *j,
                       const struct sql_rel *group)
{
    bool fits = group != NULL && group->kind == SQL_REL_GROUP && group->key_count > 0;

    for (size_t i = 0; fits && i < group->key_count; i++)
        fits = table_key(left, right, j, group->keys[i]) != RUN_NONE;
    for (size_t i = 0; fits && i < group->item_count; i++)
        fits = item_fits(q, left, right, &group->items[i]);
    for (size_t i = 0; fits && i < group->guard_count; i++)
        fits = group->guards[i].rows > 0 && (group->guards[i].others == SQL_NONE ||
                                             column_at(left, group->guards[i].others) != RUN_NONE ||
                                             column_at(right, group->guards[i].others) != RUN_NONE);
    return fits;
}

static bool join_fits(const struct query_rows *left, const struct query_rows *right,
                      const struct sql_join *j)
{
    return j->kind == SQL_JOIN_INNER && j->key_count > 0 && j->key_count < MPC_SORT_KEYS &&
           j->condition == SQL_NONE && j->right_max == 1 && j->left_max != 1 &&
           right->r.rows <= left->r.rows;
}

fm_status query_match(bool *taken, struct query *q, struct query_rows *left,
                      const struct sql_rel *join, struct base_err *err)
{
    struct query_rows *right = &q->rows[join->inputs[1]->id];
    const struct sql_join *j = &join->join;
    size_t left_keys[MPC_SORT_KEYS], right_keys[MPC_SORT_KEYS];
    struct run_join how = {.kind = RUN_INNER,
                           .left_keys = left_keys,
                           .right_keys = right_keys,
                           .key_count = j->key_count,
                           .bound = 1};
    fm_status st;

    *taken = false;
    if (!join_fits(left, right, j) || !group_fits(q, left, right, j, only_user(q->plan, join)))
        return FM_OK;
    st = query_find_all(left_keys, left, j->left, j->key_count, err);
    if (st == FM_OK)
        st = query_find_all(right_keys, right, j->right, j->key_count, err);
    if (st == FM_OK)
        st = run_match(&q->path, &left->r, &right->r, &how, err);
    *taken = st == FM_OK && q->path != NULL;
    if (*taken)
        q->fused = join;
    return st;
}

/* ---- what is added up ---- */

/* Probing rows of a match that count for something. */
struct mask {
    const struct mpc_share *known; /* of an argument; NULL: always */
    size_t others;                 /* column; RUN_NONE: all rows */
    size_t counted;                /* node; SQL_NONE: no condition */
    struct mpc_share *ring;        /* as 0 / 1 */
    size_t count;                  /* its sum, or RUN_NONE */
};

enum { SUMS = 96 }; /* of columns at once */

struct fused {
    struct grouped_query *g;
    struct query_rows *left, *right;
    struct run_work *w;
    size_t mask_count;
    struct mask masks[SUMS];
    size_t sum_count;
    const struct mpc_share *x[SUMS]; /* what is added up, of the probing rows */
    struct mpc_share *z[SUMS];       /* the table's sums of it */
    struct item *items;              /* the plan's, then those of guards */
};

/* An item: the sum over the probing rows, times what the table's row has. */
struct item {
    struct factors of;
    size_t left_at, right_at; /* their columns */
    size_t count, sum;        /* numbers of sums; sum: RUN_NONE for COUNT */
    bool left_all;            /* every probing row of a match counts */
    size_t others, counted;   /* of a guard, where they are the table's: column and node */
    struct run_presummed made;
};

static size_t add_sum(struct fused *f, const struct mpc_share *x)
{
    if (f->w->status != FM_OK)
        return 0;
    if (f->sum_count == SUMS) {
        f->w->status = base_err_set(f->w->err, FM_E_LIMIT,
                                    "more than %d sums of a grouped join's rows", (int)SUMS);
        return 0;
    }
    f->x[f->sum_count] = x;
    return f->sum_count++;
}

static size_t find_mask(struct fused *f, const struct mpc_share *known, size_t others,
                        size_t counted)
{
    struct run_relation *r = &f->left->r;
    struct mpc_share *truth = NULL;
    struct mask *m = f->masks;

    for (; m < f->masks + f->mask_count; m++)
        if (m->known == known && m->others == others && m->counted == counted)
            return (size_t)(m - f->masks);
    if (f->w->status == FM_OK && f->mask_count == SUMS)
        f->w->status = base_err_set(f->w->err, FM_E_LIMIT,
                                    "more than %d masks of a grouped join's rows", (int)SUMS);
    if (f->w->status == FM_OK && counted != SQL_NONE)
        f->w->status = query_truth(&truth, f->g->q, f->left, counted, f->w->err);
    if (f->w->status != FM_OK)
        return 0;
    *m = (struct mask){known, others, counted, NULL, RUN_NONE};
    truth = run_and(f->w, run_hold(f->w, truth), run_truth(f->w, r, others));
    m->ring = run_bit2a(f->w, run_and(f->w, r->valid, run_and(f->w, known, truth)));
    return f->mask_count++;
}

static size_t count_of(struct fused *f, size_t mask)
{
    struct mask *m = &f->masks[mask];

    if (f->w->status == FM_OK && m->count == RUN_NONE)
        m->count = add_sum(f, m->ring);
    return f->w->status == FM_OK ? m->count : 0;
}

static size_t sum_of(struct fused *f, const struct mpc_share *x, size_t mask)
{
    return f->w->status == FM_OK ? add_sum(f, run_mul(f->w, x, f->masks[mask].ring)) : 0;
}

/* The column of a factor; RUN_NONE for none. */
static size_t column_of(struct fused *f, struct query_rows *rows, size_t node)
{
    size_t at = RUN_NONE;

    if (node != SQL_NONE && f->w->status == FM_OK)
        f->w->status = query_as_column(&at, f->g->q, rows, node, f->w->err);
    return f->w->status == FM_OK ? at : RUN_NONE;
}

static const struct mpc_share *known_of(const struct query_rows *rows, size_t at)
{
    return at != RUN_NONE ? rows->r.columns[at].known : NULL;
}

static struct mpc_range times(struct sql_range r, size_t rows)
{
    sql_wide lo = r.lo < 0 ? r.lo * (sql_wide)rows : 0, hi = r.hi > 0 ? r.hi * (sql_wide)rows : 0;

    return (struct mpc_range){lo > INT64_MIN ? (int64_t)lo : INT64_MIN,
                              hi < INT64_MAX ? (int64_t)hi : INT64_MAX};
}

/* The probing side of an item. */
static void ask_item(struct fused *f, size_t i)
{
    const struct sql_item *item = &f->g->rel->items[i];
    struct item *it = &f->items[i];
    const struct mpc_share *known;
    size_t mask;

    *it = (struct item){.sum = RUN_NONE, .others = RUN_NONE, .counted = SQL_NONE};
    (void)split(&it->of, f->g->q, f->left, f->right, item);
    it->left_at = column_of(f, f->left, it->of.left);
    known = known_of(f->left, it->left_at);
    it->left_all = known == NULL;
    mask = find_mask(f, known, RUN_NONE, SQL_NONE);
    it->count = count_of(f, mask);
    if (item->fn == SQL_COUNT || f->w->status != FM_OK)
        return;
    it->sum =
        it->left_at != RUN_NONE ? sum_of(f, f->left->r.columns[it->left_at].x, mask) : it->count;
    it->made.sums = times(f->g->q->plan->nodes[item->arg].range, f->left->r.rows);
}

/* A guard's count of item `of`, or of the group: of is then rel->item_count. */
static void ask_guard(struct fused *f, size_t of, const struct sql_guard *guard)
{
    const struct sql_rel *rel = f->g->rel;
    const struct item *from = of < rel->item_count ? &f->items[of] : NULL;
    struct item *it = &f->items[f->g->item_count];
    size_t counted = from != NULL ? rel->items[of].counted : SQL_NONE;

    *it = (struct item){.of = from != NULL ? from->of : (struct factors){SQL_NONE, SQL_NONE},
                        .left_at = from != NULL ? from->left_at : RUN_NONE,
                        .sum = RUN_NONE,
                        .others = column_at(f->right, guard->others),
                        .counted = SQL_NONE};
    if (counted != SQL_NONE && sides_of(f->g->q, f->left, f->right, counted) != LEFT) {
        it->counted = counted;
        counted = SQL_NONE;
    }
    it->count = count_of(f, find_mask(f, known_of(f->left, it->left_at),
                                      column_at(f->left, guard->others), counted));
}

/* ---- the table's rows ---- */

/* 0 where the table's row does not count; ring NULL: all do. */
static struct mpc_share *of_table(struct fused *f, struct mpc_share *x, struct mpc_share *ring)
{
    return ring != NULL ? run_mul(f->w, x, ring) : x;
}

/* The table's side of an item: what its sums are multiplied by. */
static void make_item(struct fused *f, struct item *it)
{
    struct run_relation *r = &f->right->r;
    struct mpc_share *truth = NULL, *ring;

    it->right_at = column_of(f, f->right, it->of.right);
    if (it->counted != SQL_NONE && f->w->status == FM_OK)
        f->w->status = query_truth(&truth, f->g->q, f->right, it->counted, f->w->err);
    if (f->w->status != FM_OK)
        return;
    truth = run_and(f->w, run_hold(f->w, truth), run_truth(f->w, r, it->others));
    truth = run_and(f->w, known_of(f->right, it->right_at), truth);
    ring = truth != NULL ? run_bit2a(f->w, truth) : NULL;
    it->made.always = it->left_all && truth == NULL;
    it->made.count = of_table(f, f->z[it->count], ring);
    it->made.counts = (struct mpc_range){0, (int64_t)f->left->r.rows};
    if (it->sum == RUN_NONE || f->w->status != FM_OK)
        return;
    it->made.sum = f->z[it->sum];
    if (it->right_at != RUN_NONE)
        it->made.sum = run_mul(f->w, it->made.sum, r->columns[it->right_at].x);
    it->made.sum = of_table(f, it->made.sum, ring);
}

/* Rows of the table without partners are no more, and what the probing rows broke is said. */
static void settle(struct fused *f)
{
    struct run_relation *l = &f->left->r, *r = &f->right->r;
    size_t all = f->masks[0].count;
    struct mpc_share *some;

    for (size_t i = 0; i < f->sum_count && f->w->status == FM_OK; i++)
        (void)run_hold(f->w, f->z[i]);
    some = f->w->status == FM_OK ? run_not(f->w, run_equal_public(f->w, f->z[all], 0)) : NULL;
    if (f->w->status == FM_OK)
        f->w->status = run_filter(r, some, f->w->err);
    query_orders_filtered(f->right);
    for (int flag = 0; f->w->status == FM_OK && flag < RUN_FLAGS; flag++) {
        run_raise(f->w, r, (enum run_flag)flag, l->flag[flag]);
        l->flag[flag] = NULL;
    }
}

static void find_sums(struct fused *f)
{
    struct grouped_query *g = f->g;
    const struct sql_rel *rel = g->rel;

    (void)count_of(f, find_mask(f, NULL, RUN_NONE, SQL_NONE)); /* the first: all partners */
    for (size_t i = 0; i < rel->item_count; i++, g->item_count++)
        ask_item(f, i);
    for (size_t i = 0; i <= rel->item_count && rel->guard_count > 0; i++) {
        g->guard_at[i] = g->item_count;
        for (size_t k = 0; k < rel->guard_count && f->w->status == FM_OK; k++) {
            if (g->item_count == GROUPED_ITEMS)
                f->w->status =
                    base_err_set(f->w->err, FM_E_LIMIT, "more than %d aggregates and guards",
                                 (int)GROUPED_ITEMS);
            else
                ask_guard(f, i, &rel->guards[k]);
            g->item_count += f->w->status == FM_OK;
        }
    }
    if (f->w->status == FM_OK)
        f->w->status = mpc_find_sums(f->z, g->q->path, f->x, f->sum_count, f->w->err);
    if (f->w->status != FM_OK)
        memset(f->z, 0, sizeof f->z);
    settle(f);
}

/* ---- the groups ---- */

/* No two rows of the table that exist have the same keys: those of the join, or others of which as
 * much is declared, are among them. */
static bool tells_apart(const struct fused *f, const size_t *columns, size_t count)
{
    bool all = true;

    for (size_t i = 0; all && i < count; i++) {
        size_t at = query_find(f->right, columns[i]), k = 0;

        while (k < f->g->rel->key_count && f->g->keys[k] != at)
            k++;
        all = at != RUN_NONE && k < f->g->rel->key_count;
    }
    return all;
}

static bool are_unique(const struct fused *f, const struct sql_rel *join)
{
    const struct sql_rel *table = join->inputs[1];
    bool unique = tells_apart(f, join->join.right, join->join.key_count);

    for (size_t i = 0; !unique && i < table->fact_count; i++) {
        const struct sql_fact *fact = &table->facts[i];

        unique = fact->max_rows == 1 && tells_apart(f, fact->columns, fact->column_count);
        for (size_t k = 0; unique && k < fact->column_count; k++) /* NULLs may repeat */
            unique = known_of(f->right, query_find(f->right, fact->columns[k])) == NULL;
    }
    return unique && f->right->r.rows <= (size_t)f->g->rel->rows;
}

static void group(struct fused *f, const struct sql_rel *join)
{
    struct grouped_query *g = f->g;

    if (f->w->status != FM_OK)
        return;
    f->w->status = grouped_arrange(g, f->w->err);
    for (size_t i = 0; f->w->status == FM_OK && i < g->rel->key_count; i++)
        g->keys[i] = table_key(f->left, f->right, &join->join, g->ids[i]);
    find_sums(f);
    for (size_t i = 0; f->w->status == FM_OK && i < g->item_count; i++) {
        make_item(f, &f->items[i]);
        g->items[i] =
            i < g->rel->item_count
                ? grouped_item(g, &g->rel->items[i])
                : (struct run_aggregate){
                      .fn = RUN_COUNT, .arg = RUN_NONE, .where = RUN_NONE, .range = MPC_RANGE_FULL};
        g->items[i].presummed = &f->items[i].made;
    }
    g->rows = f->right;
    if (f->w->status == FM_OK)
        f->w->status = grouped_run(g, are_unique(f, join), f->w->err);
}

fm_status query_group_matched(struct query *q, struct query_rows *rows, const struct sql_rel *rel,
                              struct base_err *err)
{
    const struct sql_rel *join = q->fused;
    struct run_work w = run_work(rows->r.session, err);
    struct grouped_query *g = calloc(1, sizeof *g);
    struct fused *f = calloc(1, sizeof *f);
    struct item *items = calloc(GROUPED_ITEMS, sizeof *items);

    if (g != NULL && f != NULL && items != NULL) {
        *g = (struct grouped_query){.q = q, .rows = rows, .rel = rel};
        *f = (struct fused){
            .g = g, .left = rows, .right = &q->rows[join->inputs[1]->id], .w = &w, .items = items};
        group(f, join);
        query_rows_release(rows);
        *rows = *f->right;
        memset(f->right, 0, sizeof *f->right);
    } else {
        w.status = base_err_memory(err, "query");
    }
    free(items);
    free(f);
    free(g);
    mpc_find_path_free(q->path);
    q->path = NULL;
    q->fused = NULL;
    return run_work_release(&w);
}
