/* The operators of the rewritten plan: the same ones in the same order, each with its expressions
 * without what owners compute, and with the columns that are needed then. */
#include "exchange/sql/physical/local.h"

#include <stdlib.h>
#include <string.h>

#include "exchange/sql/physical/local_join.h"
#include "exchange/sql/physical/local_once.h"
#include "exchange/sql/physical/local_own.h"
#include "exchange/sql/plan/walk.h"

/* ---- memory ---- */

static void *copy(struct localising *m, const void *from, size_t count, size_t size)
{
    void *to = sql_arena_array(m->arena, count, size);

    if (to != NULL && count > 0)
        memcpy(to, from, count * size);
    return to;
}

static bool *flags(struct localising *m, size_t n)
{
    return sql_arena_array(m->arena, n + 1, sizeof(bool));
}

static size_t *numbers(struct localising *m, size_t n)
{
    size_t *list = sql_arena_array(m->arena, n + 1, sizeof *list);

    for (size_t i = 0; list != NULL && i < n; i++)
        list[i] = SQL_NONE;
    return list;
}

bool local_begin(struct localising *m)
{
    const struct sql_plan *in = m->in;
    size_t columns = sql_plan_columns(in), sets = in->rel_count * in->table_count;

    m->under = flags(m, sets);
    m->gone = flags(m, sets);
    m->owner = numbers(m, columns);
    m->made = numbers(m, columns);
    m->home = numbers(m, in->node_count);
    m->need = flags(m, in->node_count);
    m->visit = flags(m, in->node_count);
    m->place = numbers(m, in->node_count);
    m->derived = numbers(m, in->local_node_count);
    m->local_cap = in->local_node_count;
    m->facts = sql_arena_array(m->arena, in->node_count + 1, sizeof *m->facts);
    m->out = sql_arena_alloc(m->arena, sizeof *m->out);
    if (m->under == NULL || m->gone == NULL || m->owner == NULL || m->made == NULL ||
        m->home == NULL || m->need == NULL || m->visit == NULL || m->place == NULL ||
        m->derived == NULL || m->facts == NULL || m->out == NULL)
        return false;
    *m->out = *in;
    m->out->arena = (struct sql_arena){0};
    m->out->nodes = NULL;
    m->out->node_count = 0;
    m->column_cap = columns;
    m->out->columns = copy(m, in->columns, columns, sizeof *in->columns);
    m->out->outputs = copy(m, in->outputs, in->output_count, sizeof *in->outputs);
    m->out->rels = sql_arena_array(m->arena, in->rel_count + 1, sizeof(struct sql_rel *));
    for (size_t c = 0; c < columns; c++)
        m->owner[c] = sql_plan_host(in, c);
    return m->out->columns != NULL && m->out->outputs != NULL && m->out->rels != NULL;
}

/* A copy whose inputs are copies too. */
static struct sql_rel *copy_rel(struct localising *m, const struct sql_rel *rel)
{
    struct sql_rel *r = copy(m, rel, 1, sizeof *rel);

    if (r == NULL)
        return NULL;
    r->of = m->in->hosts != NULL ? rel->of : rel->id;
    r->inputs = sql_arena_array(m->arena, rel->input_count + 1, sizeof(struct sql_rel *));
    r->makes = copy(m, rel->makes, rel->make_count, sizeof *rel->makes);
    r->items = copy(m, rel->items, rel->item_count, sizeof *rel->items);
    r->windows = copy(m, rel->windows, rel->window_count, sizeof *rel->windows);
    if (r->inputs == NULL || r->makes == NULL || r->items == NULL || r->windows == NULL)
        return NULL;
    for (size_t i = 0; i < rel->input_count; i++)
        r->inputs[i] = m->out->rels[rel->inputs[i]->id];
    return r;
}

/* ---- whose rows an operator's are ---- */

static bool is_grouped(const struct sql_rel *rel)
{
    return rel->kind == SQL_REL_GROUP || rel->kind == SQL_REL_UNION;
}

void local_trace(struct localising *m, const struct sql_rel *rel)
{
    size_t tables = m->in->table_count;
    bool *under = m->under + rel->id * tables, *gone = m->gone + rel->id * tables;
    bool may_miss = rel->kind == SQL_REL_JOIN &&
                    (rel->join.kind == SQL_JOIN_LEFT || rel->join.kind == SQL_JOIN_SINGLE);

    if (rel->kind == SQL_REL_SCAN)
        under[rel->table] = true;
    for (size_t i = 0; i < rel->input_count && !is_grouped(rel); i++) {
        size_t below = rel->inputs[i]->id * tables;
        if (i == 1 && rel->join.kind == SQL_JOIN_MARK)
            continue;
        for (size_t t = 0; t < tables; t++) {
            under[t] = under[t] || m->under[below + t];
            gone[t] = gone[t] || m->gone[below + t] || (i == 1 && may_miss && m->under[below + t]);
        }
    }
}

/* ---- expressions ---- */

static void visit_node(size_t *node, void *context)
{
    ((struct localising *)context)->visit[*node] = true;
}

static void move_node(size_t *node, void *context)
{
    *node = ((struct localising *)context)->place[*node];
}

void local_own_makes(struct localising *m, const struct sql_rel *rel)
{
    for (size_t i = 0; i < rel->make_count; i++) {
        size_t node = rel->makes[i].node, column = rel->makes[i].column;
        if (!local_can(m, node))
            continue;
        m->owner[column] = m->facts[node].whose;
        m->made[column] = node;
    }
}

static fm_status rewrite_rel(struct localising *m, struct sql_rel *rel, struct base_err *err)
{
    fm_status st;

    local_judge(m, rel);
    local_own_makes(m, rel);
    memset(m->visit, 0, m->in->node_count + 1);
    sql_walk_nodes(rel, visit_node, m);
    st = local_place(m, err);
    if (st == FM_OK)
        sql_walk_nodes(rel, move_node, m);
    return st;
}

static void visit_one(struct localising *m, size_t node)
{
    if (node != SQL_NONE)
        m->visit[node] = true;
}

static void move_one(const struct localising *m, size_t *node)
{
    if (*node != SQL_NONE)
        *node = m->place[*node];
}

/* A simple plan's parts stand beside its operators. */
static fm_status rewrite_simple(struct localising *m, struct base_err *err)
{
    struct sql_plan *plan = m->out;
    fm_status st;

    if (!plan->simple)
        return FM_OK;
    local_judge(m, NULL);
    memset(m->visit, 0, m->in->node_count + 1);
    visit_one(m, plan->filter);
    for (size_t i = 0; i < plan->output_count; i++) {
        visit_one(m, plan->outputs[i].arg);
        visit_one(m, plan->outputs[i].counted);
    }
    st = local_place(m, err);
    if (st != FM_OK)
        return st;
    move_one(m, &plan->filter);
    for (size_t i = 0; i < plan->output_count; i++) {
        move_one(m, &plan->outputs[i].arg);
        move_one(m, &plan->outputs[i].counted);
    }
    return FM_OK;
}

/* ---- which columns an operator's rows have ---- */

struct columns {
    struct localising *m;
    size_t count;
    bool *has;  /* [operator * count + column]: its rows could have it */
    bool *need; /* alike: those above it, or the result, need it */
};

static void set_flag(size_t *number, void *context)
{
    ((bool *)context)[*number] = true;
}

static void find_columns(struct columns *c, struct sql_rel *rel)
{
    const struct sql_plan *plan = c->m->out;
    bool *has = c->has + rel->id * c->count;

    for (size_t i = 0; rel->kind == SQL_REL_SCAN && i < c->count; i++)
        has[i] = sql_plan_host(plan, i) == rel->table;
    for (size_t i = 0; i < rel->input_count && !is_grouped(rel); i++) {
        const bool *below = c->has + rel->inputs[i]->id * c->count;
        for (size_t k = 0; (i == 0 || rel->join.kind != SQL_JOIN_MARK) && k < c->count; k++)
            has[k] = has[k] || below[k];
    }
    for (size_t i = 0; i < rel->key_count; i++)
        has[rel->keys[i]] = true;
    sql_walk_made(rel, set_flag, has);
}

static fm_status need_below(struct columns *c, struct sql_rel *rel, struct base_err *err)
{
    const struct sql_plan *plan = c->m->out;
    const bool *need = c->need + rel->id * c->count;
    bool *own = calloc(c->count + 1, sizeof *own), *nodes = calloc(plan->node_count + 1, 1);

    if (own == NULL || nodes == NULL) {
        free(own);
        free(nodes);
        return base_err_memory(err, "SQL plan");
    }
    sql_walk_read(rel, set_flag, own);
    sql_walk_nodes(rel, set_flag, nodes);
    for (size_t i = plan->node_count; i-- > 0;) {
        const struct sql_node *n = &plan->nodes[i];
        if (nodes[i] && n->op == SQL_OP_COLUMN)
            own[n->index] = true;
        for (size_t k = 0; nodes[i] && k < n->arg_count; k++)
            nodes[n->args[k]] = true;
    }
    for (size_t i = 0; i < rel->input_count; i++) {
        size_t below = rel->inputs[i]->id * c->count;
        for (size_t k = 0; k < c->count; k++)
            c->need[below + k] = (need[k] || own[k]) && c->has[below + k];
    }
    free(own);
    free(nodes);
    return FM_OK;
}

/* What was made for what owners now compute by themselves goes. */
static void drop_makes(struct sql_rel *rel, const bool *need)
{
    size_t n = 0;

    for (size_t i = 0; i < rel->make_count; i++) {
        if (need[rel->makes[i].column])
            rel->makes[n++] = rel->makes[i];
    }
    rel->make_count = n;
}

static fm_status list_columns(const struct columns *c, struct sql_rel *rel, struct base_err *err)
{
    const bool *need = c->need + rel->id * c->count;
    size_t n = 0;

    if (is_grouped(rel))
        return FM_OK;
    rel->columns = sql_arena_array(c->m->arena, c->count + 1, sizeof *rel->columns);
    if (rel->columns == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < c->count; i++) {
        if (need[i])
            rel->columns[n++] = i;
    }
    rel->column_count = n;
    return FM_OK;
}

static void stay(const struct columns *c)
{
    struct sql_plan *plan = c->m->out;

    for (size_t i = 0; i < sql_plan_columns(plan); i++)
        plan->columns[i].home = i < plan->column_count || local_is_found(plan, i);
    for (size_t r = 0; r < plan->rel_count; r++) {
        const struct sql_rel *rel = plan->rels[r];
        for (size_t i = 0; rel->kind == SQL_REL_SCAN && i < rel->column_count; i++)
            plan->columns[rel->columns[i]].home = false;
    }
}

static fm_status settle_columns(struct localising *m, struct base_err *err)
{
    struct sql_plan *plan = m->out;
    size_t count = sql_plan_columns(plan);
    struct columns c = {.m = m, .count = count};
    fm_status st = FM_OK;

    c.has = calloc(plan->rel_count * count + 1, sizeof *c.has);
    c.need = calloc(plan->rel_count * count + 1, sizeof *c.need);
    if (c.has == NULL || c.need == NULL)
        st = base_err_memory(err, "SQL plan");
    for (size_t r = 0; st == FM_OK && r < plan->rel_count; r++)
        find_columns(&c, plan->rels[r]);
    for (size_t i = 0; st == FM_OK && i < plan->output_count; i++)
        c.need[(plan->rel_count - 1) * count + plan->outputs[i].column] = true;
    for (size_t r = plan->rel_count; st == FM_OK && r-- > 0;) {
        drop_makes(plan->rels[r], c.need + r * count);
        st = need_below(&c, plan->rels[r], err);
    }
    for (size_t r = 0; st == FM_OK && r < plan->rel_count; r++)
        st = list_columns(&c, plan->rels[r], err);
    if (st == FM_OK)
        stay(&c);
    free(c.has);
    free(c.need);
    return st;
}

/* ---- words ---- */

/* Marks the texts that the value of each marked node is taken from. */
static void mark_texts(struct sql_plan *plan, bool *marked)
{
    for (size_t i = plan->node_count; i-- > 0;) {
        const struct sql_node *n = &plan->nodes[i];
        if (!marked[i])
            continue;
        if (n->op == SQL_OP_COLUMN)
            plan->columns[n->index].shown = true;
        for (size_t k = 0; n->op == SQL_OP_CASE && k < n->arg_count; k++) {
            if (k % 2 == 1 || k + 1 == n->arg_count)
                marked[n->args[k]] = true;
        }
    }
}

/* Texts that are shown, or compared by order, are needed with their words wherever they are made:
 * from the result down. */
static fm_status show(struct sql_plan *plan, struct base_err *err)
{
    bool *marked = calloc(plan->node_count + 1, sizeof *marked);

    if (marked == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < plan->node_count; i++) {
        const struct sql_node *n = &plan->nodes[i];
        for (size_t k = 0; n->op >= SQL_OP_LT && n->op <= SQL_OP_GE && k < n->arg_count; k++)
            marked[n->args[k]] = plan->nodes[n->args[k]].type.kind == DATA_TEXT;
    }
    mark_texts(plan, marked);
    for (size_t r = plan->rel_count; r-- > 0;) {
        const struct sql_rel *rel = plan->rels[r];
        memset(marked, 0, plan->node_count + 1);
        for (size_t i = 0; i < rel->make_count; i++)
            marked[rel->makes[i].node] = plan->columns[rel->makes[i].column].shown &&
                                         plan->nodes[rel->makes[i].node].type.kind == DATA_TEXT;
        mark_texts(plan, marked);
        for (size_t i = 0; rel->kind == SQL_REL_UNION && i < rel->column_count; i++)
            for (size_t k = 0; k < rel->input_count; k++)
                if (plan->columns[rel->columns[i]].shown)
                    plan->columns[rel->given[k][i]].shown = true;
    }
    free(marked);
    return FM_OK;
}

/* ---- all of it ---- */

fm_status sql_local_rewrite(const struct sql_plan **out, struct sql_arena *arena,
                            const struct sql_plan *plan, struct base_err *err)
{
    struct localising m = {.arena = arena};
    fm_status st = sql_local_joins(&m.in, NULL, arena, plan, err);

    plan = m.in;
    if (st == FM_OK)
        st = local_begin(&m) ? FM_OK : base_err_memory(err, "SQL plan");

    for (size_t r = 0; st == FM_OK && r < plan->rel_count; r++) {
        local_trace(&m, plan->rels[r]);
        m.out->rels[r] = copy_rel(&m, plan->rels[r]);
        st = m.out->rels[r] != NULL ? rewrite_rel(&m, m.out->rels[r], err)
                                    : base_err_memory(err, "SQL plan");
    }
    if (st == FM_OK)
        st = rewrite_simple(&m, err);
    if (st == FM_OK)
        st = settle_columns(&m, err);
    if (st == FM_OK)
        st = show(m.out, err);
    if (st == FM_OK && !plan->simple)
        st = sql_share_once(m.out, arena, err);
    sql_intern_release(&m.seen);
    *out = m.out;
    return st;
}
