/* A plan's operators, one after another. */
#include "exchange/run/query.h"

#include <stdlib.h>
#include <string.h>

#include "exchange/run/order.h"
#include "exchange/run/query_group.h"
#include "exchange/run/reveal.h"
#include "exchange/sql/physical/local.h"
#include "mpc/oblivious/join.h"

void query_rows_release(struct query_rows *rows)
{
    query_orders_drop(rows);
    if (rows->r.session != NULL)
        run_relation_release(&rows->r);
}

/* ---- columns by their numbers in the plan ---- */

size_t query_find(const struct query_rows *rows, size_t column)
{
    for (size_t i = 0; i < rows->r.count; i++)
        if (rows->ids[i] == column)
            return i;
    return RUN_NONE;
}

fm_status query_find_all(size_t *out, const struct query_rows *rows, const size_t *columns,
                         size_t count, struct base_err *err)
{
    for (size_t i = 0; i < count; i++) {
        out[i] = query_find(rows, columns[i]);
        if (out[i] == RUN_NONE)
            return base_err_set(err, FM_E_ARG, "the plan hands on column %zu, which is not there",
                                columns[i]);
    }
    return FM_OK;
}

/* Columns that a guard above asks for stay, whether the operators between list them or not. */
static bool guarded(const struct sql_plan *plan, size_t column)
{
    for (size_t i = 0; i < plan->rel_count; i++)
        for (size_t k = 0; k < plan->rels[i]->guard_count; k++)
            if (plan->rels[i]->guards[k].others == column ||
                plan->rels[i]->guards[k].subject == column)
                return true;
    return false;
}

static bool lists(const struct sql_rel *rel, size_t column)
{
    for (size_t i = 0; i < rel->column_count; i++)
        if (rel->columns[i] == column)
            return true;
    return false;
}

fm_status query_arrange(struct query *q, struct query_rows *rows, const struct sql_rel *rel,
                        struct base_err *err)
{
    size_t at[RUN_MAX_COLUMNS], ids[RUN_MAX_COLUMNS], n = rel->column_count;
    fm_status st;

    if (n + rows->r.count > RUN_MAX_COLUMNS)
        return base_err_set(err, FM_E_LIMIT, "rows of more than %d columns", (int)RUN_MAX_COLUMNS);
    st = query_find_all(at, rows, rel->columns, n, err);
    for (size_t i = 0; i < rows->r.count; i++)
        if (rows->ids[i] != SQL_NONE && guarded(q->plan, rows->ids[i]) && !lists(rel, rows->ids[i]))
            at[n++] = i;
    for (size_t i = 0; st == FM_OK && i < n; i++)
        ids[i] = rows->ids[at[i]];
    if (st == FM_OK)
        query_orders_project(rows, at, n);
    if (st == FM_OK)
        st = run_relation_project(&rows->r, at, n, err);
    if (st == FM_OK && n > 0)
        memcpy(rows->ids, ids, n * sizeof ids[0]);
    return st;
}

fm_status query_append(struct query_rows *rows, struct run_column column, size_t id,
                       struct base_err *err)
{
    fm_status st = run_relation_add(&rows->r, column, err);

    if (st == FM_OK)
        rows->ids[rows->r.count - 1] = id;
    return st;
}

/* ---- scans ---- */

/* Is it a scan of the rows, or of the column, that a step put in? */
static bool scans(const struct query *q, const struct sql_rel *rel, const struct sql_step *s)
{
    if (rel->kind != SQL_REL_SCAN)
        return false;
    if (s->op == SQL_STEP_VALID)
        return sql_plan_host_of(q->plan, rel->table) == s->index;
    for (size_t i = 0; i < rel->column_count; i++)
        if (sql_plan_same(q->plan, rel->columns[i]) == s->index)
            return true;
    return false;
}

/* What was put in: taken over, or a copy if a scan further on needs it as well. */
static fm_status take(struct mpc_share **out, struct query *q, const struct sql_rel *rel,
                      struct sql_step like, struct base_err *err)
{
    const struct sql_physical *p = q->inputs->p;

    *out = NULL;
    for (size_t i = 0; i < p->step_count; i++) {
        const struct sql_step *s = &p->steps[i];
        struct mpc_share **x = &q->inputs->regs[i].share;

        if (s->op != like.op || s->index != like.index || s->constant != like.constant)
            continue;
        for (size_t r = rel->id + 1; r < q->plan->rel_count; r++)
            if (scans(q, q->plan->rels[r], s))
                return mpc_slice(out, *x, 0, mpc_share_n(*x), err);
        *out = *x;
        *x = NULL;
        return FM_OK;
    }
    return FM_OK;
}

/* Which rows come from no recipient: public, by their place. */
static fm_status others(struct run_column *out, const struct query *q, size_t table,
                        struct base_err *err)
{
    struct run_work w = run_work(q->c->session, err);
    const struct mpc_share *parts[MPC_MAX_LIST];
    size_t n = 0;

    for (size_t s = 0; s < q->plan->source_count && n < MPC_MAX_LIST; s++)
        if (q->plan->sources[s].table == table)
            parts[n++] =
                run_bits(&w, !q->plan->sources[s].recipient, (size_t)q->plan->sources[s].rows);
    out->x = run_take(&w, run_concat(&w, parts, n));
    return run_work_release(&w);
}

static fm_status scan_column(struct run_column *out, struct query *q, const struct sql_rel *rel,
                             size_t id, struct base_err *err)
{
    const struct sql_plan_column *c = &q->plan->columns[id];
    struct sql_step like = {.index = sql_plan_same(q->plan, id)};
    bool text = c->type.kind == DATA_TEXT;
    size_t words = text && c->shown ? sql_text_words(c->type) : 0;
    fm_status st;

    *out = (struct run_column){0};
    if (id == rel->others)
        return others(out, q, rel->table, err);
    out->words = words > 0 ? calloc(words, sizeof(struct mpc_share *)) : NULL;
    if (words > 0 && out->words == NULL)
        return base_err_memory(err, "query");
    out->word_count = words;
    like.op = text ? SQL_STEP_TEXT : SQL_STEP_COLUMN;
    st = take(&out->x, q, rel, like, err);
    like.op = SQL_STEP_KNOWN;
    if (st == FM_OK)
        st = take(&out->known, q, rel, like, err);
    like.op = SQL_STEP_WORD;
    for (; st == FM_OK && like.constant < (int64_t)words; like.constant++)
        st = take(&out->words[like.constant], q, rel, like, err);
    if (st == FM_OK && out->x == NULL)
        return base_err_set(err, FM_E_ARG, "column %zu was not put in", id);
    return st;
}

static fm_status scan(struct query *q, struct query_rows *rows, const struct sql_rel *rel,
                      struct base_err *err)
{
    const struct sql_step like = {.op = SQL_STEP_VALID,
                                  .index = sql_plan_host_of(q->plan, rel->table)};
    struct mpc_share *valid;
    fm_status st = take(&valid, q, rel, like, err);

    if (st != FM_OK)
        return st;
    if (valid == NULL)
        return base_err_set(err, FM_E_ARG, "table %zu was not put in", rel->table);
    run_relation_init(&rows->r, valid);
    for (size_t i = 0; st == FM_OK && i < rel->column_count; i++) {
        struct run_column c;

        st = scan_column(&c, q, rel, rel->columns[i], err);
        if (st == FM_OK)
            st = query_append(rows, c, rel->columns[i], err);
        else
            query_column_free(&c);
    }
    if (st == FM_OK && rel->others != SQL_NONE && !lists(rel, rel->others)) {
        struct run_column c = {0};

        st = others(&c, q, rel->table, err);
        if (st == FM_OK)
            st = query_append(rows, c, rel->others, err);
    }
    return st;
}

/* ---- filter, project, union ---- */

static fm_status filter(struct query *q, struct query_rows *rows, const struct sql_rel *rel,
                        struct base_err *err)
{
    struct mpc_share *truth;
    fm_status st = query_truth(&truth, q, rows, rel->condition, err);

    if (st == FM_OK)
        st = run_filter(&rows->r, truth, err);
    mpc_share_free(truth);
    query_orders_filtered(rows);
    return st;
}

/* Another name for a column that is there: the same shares. */
static fm_status alias(struct query_rows *rows, size_t at, size_t id, struct base_err *err)
{
    struct run_column c = rows->r.columns[at];

    if (c.word_count > 0) {
        struct mpc_share **words = calloc(c.word_count, sizeof(struct mpc_share *));

        if (words == NULL)
            return base_err_memory(err, "query");
        memcpy(words, c.words, c.word_count * sizeof(struct mpc_share *));
        c.words = words;
    }
    return query_append(rows, c, id, err);
}

static fm_status project(struct query *q, struct query_rows *rows, const struct sql_rel *rel,
                         struct base_err *err)
{
    size_t roots[RUN_MAX_COLUMNS], ids[RUN_MAX_COLUMNS], n = 0;
    bool worded[RUN_MAX_COLUMNS];
    struct run_column made[RUN_MAX_COLUMNS];
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < rel->make_count && n < RUN_MAX_COLUMNS; i++) {
        const struct sql_node *node = &q->plan->nodes[rel->makes[i].node];
        size_t at = node->op == SQL_OP_COLUMN ? query_find(rows, node->index) : RUN_NONE;

        if (at != RUN_NONE) {
            st = alias(rows, at, rel->makes[i].column, err);
            continue;
        }
        worded[n] = node->type.kind == DATA_TEXT && q->plan->columns[rel->makes[i].column].shown;
        roots[n] = rel->makes[i].node;
        ids[n++] = rel->makes[i].column;
    }
    if (st == FM_OK && n > 0) {
        size_t i = 0;

        st = query_eval(made, q, rows, roots, worded, n, err);
        for (; st == FM_OK && i < n; i++)
            st = query_append(rows, made[i], ids[i], err);
        for (; err != NULL && st != FM_OK && i < n; i++)
            query_column_free(&made[i]);
    }
    return st;
}

/* The input's columns in the order of the union's. */
static fm_status take_part(struct run_relation *part, struct query_rows *in, const size_t *given,
                           size_t count, struct base_err *err)
{
    size_t at[RUN_MAX_COLUMNS];
    fm_status st;

    if (count > RUN_MAX_COLUMNS)
        return base_err_set(err, FM_E_LIMIT, "a UNION of more than %d columns",
                            (int)RUN_MAX_COLUMNS);
    st = query_find_all(at, in, given, count, err);
    if (st == FM_OK)
        st = run_relation_project(&in->r, at, count, err);
    if (st != FM_OK)
        return st;
    *part = in->r;
    in->r = (struct run_relation){0};
    return FM_OK;
}

static fm_status unite(struct query *q, struct query_rows *rows, const struct sql_rel *rel,
                       struct base_err *err)
{
    struct run_relation *parts = calloc(rel->input_count, sizeof *parts);
    fm_status st = parts != NULL ? FM_OK : base_err_memory(err, "query");

    for (size_t i = 0; st == FM_OK && i < rel->input_count; i++) {
        st = take_part(&parts[i], &q->rows[rel->inputs[i]->id], rel->given[i], rel->column_count,
                       err);
    }
    if (st == FM_OK)
        st = run_union_all(&rows->r, parts, rel->input_count, err);
    else
        for (size_t i = 0; parts != NULL && i < rel->input_count; i++)
            if (parts[i].session != NULL)
                run_relation_release(&parts[i]);
    for (size_t i = 0; st == FM_OK && i < rel->column_count; i++)
        rows->ids[i] = rel->columns[i];
    free(parts);
    return st;
}

/* ---- all ---- */

static const char *rel_name(enum sql_rel_kind kind)
{
    static const char *const names[] = {
        [SQL_REL_SCAN] = "scan", [SQL_REL_FILTER] = "filter", [SQL_REL_PROJECT] = "project",
        [SQL_REL_JOIN] = "join", [SQL_REL_GROUP] = "group",   [SQL_REL_WINDOW] = "window",
        [SQL_REL_SORT] = "sort", [SQL_REL_LIMIT] = "limit",   [SQL_REL_UNION] = "union"};

    return names[kind];
}

static void move_rows(struct query_rows *to, struct query_rows *from)
{
    *to = *from;
    from->r = (struct run_relation){0};
    for (size_t i = 0; i < QUERY_ORDERS; i++)
        from->orders[i] = (struct query_order){0};
}

static fm_status operate(struct query *q, const struct sql_rel *rel, struct base_err *err)
{
    struct query_rows *rows = &q->rows[rel->id];
    bool taken = false;
    fm_status st = FM_OK;

    if (rel->kind != SQL_REL_SCAN && rel->kind != SQL_REL_UNION)
        move_rows(rows, &q->rows[rel->inputs[0]->id]);
    switch (rel->kind) {
    case SQL_REL_SCAN:
        return scan(q, rows, rel, err);
    case SQL_REL_UNION:
        return unite(q, rows, rel, err);
    case SQL_REL_FILTER:
        st = filter(q, rows, rel, err);
        break;
    case SQL_REL_PROJECT:
        st = project(q, rows, rel, err);
        break;
    case SQL_REL_JOIN:
        st = query_match(&taken, q, rows, rel, err);
        if (taken)
            return st;
        if (st == FM_OK)
            st = query_join(q, rows, &q->rows[rel->inputs[1]->id], rel, err);
        break;
    case SQL_REL_GROUP:
        if (q->fused != NULL && q->fused == rel->inputs[0])
            return query_group_matched(q, rows, rel, err);
        return query_group(q, rows, rel, err);
    case SQL_REL_WINDOW:
        st = query_windows(q, rows, rel, err);
        break;
    case SQL_REL_SORT:
        st = query_sort(q, rows, rel, err);
        break;
    case SQL_REL_LIMIT:
        query_orders_drop(rows);
        st = run_limit(&rows->r, (size_t)rel->offset, (size_t)rel->limit, err);
        break;
    }
    return st == FM_OK ? query_arrange(q, rows, rel, err) : st;
}

fm_status query_run(struct query_rows *out, struct query *q, struct base_err *err)
{
    size_t n = q->plan->rel_count;
    fm_status st = FM_OK;

    q->rows = calloc(n, sizeof *q->rows);
    if (q->rows == NULL)
        return base_err_memory(err, "query");
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        const struct sql_rel *rel = q->plan->rels[i];

        sql_run_announce(q->inputs, rel_name(rel->kind));
        st = operate(q, rel, err);
        if (st != FM_OK)
            (void)base_err_prefix(err, "%s", rel_name(rel->kind));
    }
    if (st == FM_OK)
        move_rows(out, &q->rows[n - 1]);
    for (size_t i = 0; i < n; i++)
        query_rows_release(&q->rows[i]);
    free(q->rows);
    q->rows = NULL;
    mpc_find_path_free(q->path);
    q->path = NULL;
    return st;
}
