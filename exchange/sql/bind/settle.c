/* From what the binder made to the plan: what nobody needs goes, columns, expressions and operators
 * get their numbers for good. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/sql/bind/bind.h"
#include "exchange/sql/plan/walk.h"

struct settling {
    struct sql_binder *b;
    struct sql_plan *plan;
    bool **need;   /* of each operator: which columns those above it, or its own work, need */
    size_t *place; /* new number of a column or of a node */
};

/* ---- operators ---- */

static size_t count_rels(const struct sql_rel *rel)
{
    size_t n = 1;

    for (size_t i = 0; i < rel->input_count; i++)
        n += count_rels(rel->inputs[i]);
    return n;
}

static void list_rels(struct sql_plan *plan, struct sql_rel *rel)
{
    for (size_t i = 0; i < rel->input_count; i++)
        list_rels(plan, rel->inputs[i]);
    rel->id = plan->rel_count;
    plan->rels[plan->rel_count++] = rel;
}

/* Operators that made what nobody needs are gone themselves. */
static struct sql_rel *skip_idle(struct sql_rel *rel)
{
    while ((rel->kind == SQL_REL_PROJECT && rel->make_count == 0) ||
           (rel->kind == SQL_REL_WINDOW && rel->window_count == 0))
        rel = rel->inputs[0];
    for (size_t i = 0; i < rel->input_count; i++)
        rel->inputs[i] = skip_idle(rel->inputs[i]);
    return rel;
}

static void list_again(struct settling *s, bool **need, struct sql_rel *rel)
{
    for (size_t i = 0; i < rel->input_count; i++)
        list_again(s, need, rel->inputs[i]);
    need[s->plan->rel_count] = s->need[rel->id];
    rel->id = s->plan->rel_count;
    s->plan->rels[s->plan->rel_count++] = rel;
}

/* ---- what is needed ---- */

static void set_flag(size_t *number, void *context)
{
    ((bool *)context)[*number] = true;
}

/* Marks the columns that the expressions of an operator read. */
static bool need_nodes(struct settling *s, struct sql_rel *rel, bool *columns)
{
    const struct sql_plan *plan = s->plan;
    bool *needed = calloc(plan->node_count + 1, sizeof *needed);

    if (needed == NULL)
        return false;
    sql_walk_nodes(rel, set_flag, needed);
    for (size_t i = plan->node_count; i-- > 0;) {
        const struct sql_node *n = &plan->nodes[i];
        if (!needed[i])
            continue;
        if (n->op == SQL_OP_COLUMN)
            columns[n->index] = true;
        for (size_t k = 0; k < n->arg_count; k++)
            needed[n->args[k]] = true;
        if ((n->op == SQL_OP_DIV || n->op == SQL_OP_MOD) && plan->nodes[n->args[1]].range.lo <= 0 &&
            plan->nodes[n->args[1]].range.hi >= 0)
            rel->flags |= SQL_FLAG_DIVISION_BY_ZERO;
    }
    free(needed);
    return true;
}

/* Makes, items and windows whose columns nobody needs. */
static void drop_idle(struct sql_rel *rel, const bool *need)
{
    size_t n = 0;

    for (size_t i = 0; i < rel->make_count; i++) {
        if (need[rel->makes[i].column])
            rel->makes[n++] = rel->makes[i];
    }
    rel->make_count = n;
    n = 0;
    for (size_t i = 0; i < rel->item_count; i++) {
        if (need[rel->items[i].column])
            rel->items[n++] = rel->items[i];
    }
    rel->item_count = n;
    n = 0;
    for (size_t i = 0; i < rel->window_count; i++) {
        if (need[rel->windows[i].column])
            rel->windows[n++] = rel->windows[i];
    }
    rel->window_count = n;
}

/* The columns of a UNION that are needed, and of its inputs those that they are made of. */
static void drop_given(struct sql_rel *rel, const bool *need)
{
    size_t n = 0;

    for (size_t i = 0; i < rel->column_count; i++) {
        if (!need[rel->columns[i]])
            continue;
        rel->columns[n] = rel->columns[i];
        for (size_t k = 0; k < rel->input_count; k++)
            rel->given[k][n] = rel->given[k][i];
        n++;
    }
    rel->column_count = n;
}

static fm_status need_below(struct settling *s, struct sql_rel *rel, struct base_err *err)
{
    size_t n = s->plan->column_count;
    bool *need = s->need[rel->id], *own = calloc(n + 1, sizeof *own);
    fm_status st = FM_OK;

    if (own == NULL)
        return base_err_memory(err, "SQL plan");
    drop_idle(rel, need);
    if (rel->kind == SQL_REL_UNION)
        drop_given(rel, need);
    sql_walk_read(rel, set_flag, own);
    if (!need_nodes(s, rel, own))
        st = base_err_memory(err, "SQL plan");
    for (size_t i = 0; st == FM_OK && i < rel->input_count; i++) {
        const struct sql_rel *input = rel->inputs[i];
        bool *below = sql_arena_array(&s->plan->arena, n, sizeof *below);
        s->need[input->id] = below;
        if (below == NULL)
            st = base_err_memory(err, "SQL plan");
        for (size_t c = 0; st == FM_OK && c < n; c++)
            below[c] = (need[c] || own[c]) && sql_rel_has(s->b, input, c);
    }
    free(own);
    return st;
}

static fm_status drop_rels(struct settling *s, struct sql_rel *root, struct base_err *err)
{
    size_t n = s->plan->rel_count;
    bool **need = sql_arena_array(&s->plan->arena, n + 1, sizeof(bool *));

    if (need == NULL)
        return base_err_memory(err, "SQL plan");
    root = skip_idle(root);
    s->plan->rel_count = 0;
    list_again(s, need, root);
    need[s->plan->rel_count] = s->need[n];
    s->need = need;
    return FM_OK;
}

static fm_status list_columns(struct settling *s, struct sql_rel *rel, struct base_err *err)
{
    const bool *need = s->need[rel->id];
    size_t *columns, n = 0;

    if (rel->kind == SQL_REL_UNION)
        return FM_OK;
    columns = sql_arena_array(&s->plan->arena, s->plan->column_count, sizeof *columns);
    if (columns == NULL)
        return base_err_memory(err, "SQL plan");
    if (rel->kind == SQL_REL_GROUP) {
        for (size_t i = 0; i < rel->key_count; i++)
            columns[n++] = rel->keys[i];
        for (size_t i = 0; i < rel->item_count; i++)
            columns[n++] = rel->items[i].column;
    }
    for (size_t c = 0; rel->kind != SQL_REL_GROUP && c < s->plan->column_count; c++) {
        if (need[c])
            columns[n++] = c;
    }
    rel->columns = columns;
    rel->column_count = n;
    return FM_OK;
}

/* ---- facts ---- */

static fm_status add_facts(struct settling *s, struct sql_rel *rel, struct base_err *err)
{
    bool grouped = rel->kind == SQL_REL_GROUP && rel->key_count > 0;

    rel->facts = sql_arena_array(&s->plan->arena, rel->column_count + 1, sizeof *rel->facts);
    if (rel->facts == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < rel->column_count + grouped; i++) {
        bool keys = i == rel->column_count;
        size_t n = keys ? rel->key_count : 1;
        int64_t most = sql_rel_max(s->b, rel, keys ? rel->keys : &rel->columns[i], n);
        size_t *columns = sql_arena_array(&s->plan->arena, n, sizeof *columns);
        if (columns == NULL)
            return base_err_memory(err, "SQL plan");
        if (most == 0 || (keys && n == 1))
            continue;
        memcpy(columns, keys ? rel->keys : &rel->columns[i], n * sizeof *columns);
        rel->facts[rel->fact_count++] = (struct sql_fact){n, columns, most};
    }
    return FM_OK;
}

/* ---- new numbers ---- */

static void renumber(size_t *number, void *context)
{
    const size_t *place = context;

    *number = place[*number];
}

struct numbering {
    struct settling *s;
    size_t next;
};

static void take_number(size_t *number, void *context)
{
    struct numbering *n = context;

    if (n->s->place[*number] == SQL_NONE)
        n->s->place[*number] = n->next++;
}

static bool stands_before(const struct sql_plan_column *x, const struct sql_plan_column *y)
{
    return x->table != y->table ? x->table < y->table : strcmp(x->name, y->name) < 0;
}

/* First what providers put in, by table and name; then what operators make, in their order. */
static void number_columns(struct settling *s)
{
    struct sql_plan *plan = s->plan;
    struct numbering made = {s, 0};
    size_t n = plan->column_count;
    bool *kept = s->need[plan->rel_count];

    for (size_t c = 0; c < n; c++) {
        s->place[c] = SQL_NONE;
        kept[c] = false;
    }
    for (size_t r = 0; r < plan->rel_count; r++) {
        for (size_t i = 0; plan->rels[r]->kind == SQL_REL_SCAN && i < plan->rels[r]->column_count;
             i++) {
            size_t c = plan->rels[r]->columns[i];
            kept[c] = plan->columns[c].table != SQL_NONE;
        }
    }
    for (size_t c = 0; c < n; c++) {
        size_t rank = 0;
        for (size_t k = 0; kept[c] && k < n; k++)
            rank += kept[k] && stands_before(&plan->columns[k], &plan->columns[c]);
        if (kept[c]) {
            s->place[c] = rank;
            made.next++;
        }
    }
    plan->column_count = made.next;
    for (size_t r = 0; r < plan->rel_count; r++)
        sql_walk_made(plan->rels[r], take_number, &made);
    plan->made_count = made.next - plan->column_count;
}

static int compare_numbers(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;

    return (x > y) - (x < y);
}

static void renumber_columns(struct settling *s, struct sql_rel *rel)
{
    for (size_t i = 0; i < rel->fact_count; i++) {
        size_t *columns = (size_t *)(uintptr_t)rel->facts[i].columns;
        for (size_t k = 0; k < rel->facts[i].column_count; k++)
            columns[k] = s->place[columns[k]];
    }
    if (rel->kind != SQL_REL_UNION) {
        for (size_t i = 0; i < rel->column_count; i++)
            rel->columns[i] = s->place[rel->columns[i]];
    }
    sql_walk_made(rel, renumber, s->place);
    sql_walk_read(rel, renumber, s->place);
    if (rel->kind != SQL_REL_UNION && rel->kind != SQL_REL_GROUP)
        qsort(rel->columns, rel->column_count, sizeof *rel->columns, compare_numbers);
}

static fm_status settle_columns(struct settling *s, size_t old_count, struct base_err *err)
{
    struct sql_plan *plan = s->plan;
    struct sql_plan_column *columns =
        sql_arena_array(&plan->arena, plan->column_count + plan->made_count, sizeof *columns);

    if (columns == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t c = 0; c < old_count; c++) {
        if (s->place[c] != SQL_NONE)
            columns[s->place[c]] = plan->columns[c];
    }
    for (size_t r = 0; r < plan->rel_count; r++)
        renumber_columns(s, plan->rels[r]);
    for (size_t i = 0; i < plan->node_count; i++) {
        if (plan->nodes[i].op == SQL_OP_COLUMN)
            plan->nodes[i].index = s->place[plan->nodes[i].index];
    }
    plan->columns = columns;
    return FM_OK;
}

/* Expressions that nothing uses any more go. */
static fm_status settle_nodes(struct settling *s, struct base_err *err)
{
    struct sql_plan *plan = s->plan;
    bool *needed = calloc(plan->node_count + 1, sizeof *needed);
    size_t *place = calloc(plan->node_count + 1, sizeof *place);
    size_t n = 0;

    if (needed == NULL || place == NULL) {
        free(needed);
        free(place);
        return base_err_memory(err, "SQL plan");
    }
    for (size_t r = 0; r < plan->rel_count; r++)
        sql_walk_nodes(plan->rels[r], set_flag, needed);
    for (size_t i = plan->node_count; i-- > 0;) {
        for (size_t k = 0; needed[i] && k < plan->nodes[i].arg_count; k++)
            needed[plan->nodes[i].args[k]] = true;
    }
    for (size_t i = 0; i < plan->node_count; i++) {
        struct sql_node node = plan->nodes[i];
        size_t *args = (size_t *)(uintptr_t)node.args;
        for (size_t k = 0; needed[i] && k < node.arg_count; k++)
            args[k] = place[args[k]];
        place[i] = n;
        if (needed[i])
            plan->nodes[n++] = node;
    }
    plan->node_count = n;
    for (size_t r = 0; r < plan->rel_count; r++)
        sql_walk_nodes(plan->rels[r], renumber, place);
    free(needed);
    free(place);
    return FM_OK;
}

fm_status sql_plan_settle(struct sql_binder *b, const struct sql_given *given, struct base_err *err)
{
    struct sql_plan *plan = b->plan;
    struct settling s = {.b = b, .plan = plan};
    size_t n = count_rels(given->rel), columns = plan->column_count;
    fm_status st = FM_OK;

    plan->rel_count = 0;
    plan->rels = sql_arena_array(&plan->arena, n, sizeof(struct sql_rel *));
    s.need = sql_arena_array(&plan->arena, n + 1, sizeof(bool *));
    s.place = sql_arena_array(&plan->arena, columns, sizeof *s.place);
    if (plan->rels == NULL || s.need == NULL || s.place == NULL)
        return base_err_memory(err, "SQL plan");
    list_rels(plan, given->rel);
    s.need[n] = sql_arena_array(&plan->arena, columns, sizeof(bool));
    s.need[n - 1] = sql_arena_array(&plan->arena, columns, sizeof(bool));
    if (s.need[n] == NULL || s.need[n - 1] == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < given->count; i++)
        s.need[n - 1][given->columns[i]] = true;
    for (size_t r = n; st == FM_OK && r-- > 0;)
        st = need_below(&s, plan->rels[r], err);
    if (st == FM_OK)
        st = drop_rels(&s, given->rel, err);
    n = plan->rel_count;
    for (size_t r = 0; st == FM_OK && r < n; r++)
        st = list_columns(&s, plan->rels[r], err);
    for (size_t r = 0; st == FM_OK && r < n; r++)
        st = add_facts(&s, plan->rels[r], err);
    if (st == FM_OK)
        st = settle_nodes(&s, err);
    if (st != FM_OK)
        return st;
    number_columns(&s);
    st = settle_columns(&s, columns, err);
    return st == FM_OK ? sql_settle_result(plan, given, s.place, err) : st;
}
