#include "exchange/sql/plan/uses.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/sql/parse/place.h"
#include "exchange/sql/plan/uses_below.h"
#include "exchange/sql/plan/walk.h"

const char *sql_use_name(unsigned bit)
{
    static const char *const names[SQL_USE_COUNT] = {"filter",    "join",      "group",
                                                     "aggregate", "condition", "parameter",
                                                     "extreme",   "order",     "reveal"};

    assert(bit < SQL_USE_COUNT);
    return names[bit];
}

void sql_uses_release(struct sql_uses *uses)
{
    free(uses->columns);
    free(uses->places);
    free(uses->entries);
    *uses = (struct sql_uses){0};
}

/* ---- derivation: sets flow from the result down, from operators to those below them and from
 * expressions to their operands ---- */

struct flow {
    const struct sql_plan *plan;
    unsigned *sets;    /* of nodes: the uses that a column would have if it stood there */
    unsigned *fresh;   /* of nodes: what has not flowed on to their operands yet */
    unsigned *columns; /* of columns: what is done with them above the operator at hand */
    struct sql_below below;
};

/* A truth value that parameters alone decide: it switches what stands beside it on and off. */
static bool is_switch(const struct flow *f, size_t node)
{
    return (f->below.nodes[node] & (SQL_BELOW_PARAM | SQL_BELOW_DATA)) == SQL_BELOW_PARAM;
}

static bool has_column(const struct flow *f, size_t node)
{
    return (f->below.nodes[node] & SQL_BELOW_COLUMN) != 0;
}

static bool any_switch(const struct flow *f, const struct sql_node *n)
{
    for (size_t j = 0; j < n->arg_count; j++) {
        if (is_switch(f, n->args[j]))
            return true;
    }
    return false;
}

static void put(struct flow *f, size_t node, unsigned set)
{
    if (node == SQL_NONE)
        return;
    f->sets[node] |= set;
    f->fresh[node] |= set;
}

static void flow_to_args(struct flow *f, const struct sql_node *n, unsigned set)
{
    for (size_t j = 0; j < n->arg_count; j++)
        put(f, n->args[j], set);
}

static const unsigned values = SQL_USE_AGGREGATE | SQL_USE_EXTREME | SQL_USE_REVEAL;

static void flow_case(struct flow *f, const struct sql_node *n, unsigned set)
{
    unsigned condition = set & ~values;
    size_t last = n->arg_count - 1;

    if ((set & values) != 0)
        condition |= SQL_USE_CONDITION;
    for (size_t j = 0; j < n->arg_count; j++)
        put(f, n->args[j], j % 2 == 0 && j != last ? condition : set);
    for (size_t j = 0; j < last; j += 2) {
        if (is_switch(f, n->args[j]))
            flow_to_args(f, n, SQL_USE_PARAMETER);
    }
}

/* Anything that rounds or looks into a text tells where a value lies, as a comparison does. */
static bool compares(enum sql_op op)
{
    return (op >= SQL_OP_EQ && op <= SQL_OP_GE) || op == SQL_OP_DIV || op == SQL_OP_MOD ||
           op == SQL_OP_ROUND || sql_op_is_local(op);
}

static void flow_node(struct flow *f, size_t i, unsigned set)
{
    const struct sql_node *n = &f->plan->nodes[i];

    switch (n->op) {
    case SQL_OP_COLUMN:
        f->columns[n->index] |= set;
        return;
    case SQL_OP_CASE:
        flow_case(f, n, set);
        return;
    case SQL_OP_MUL:
    case SQL_OP_DIV:
        /* Both factors depend on data: each decides how much of the other is counted. */
        if ((set & values & ~(unsigned)SQL_USE_REVEAL) != 0 && has_column(f, n->args[0]) &&
            has_column(f, n->args[1]))
            set |= SQL_USE_CONDITION;
        break;
    case SQL_OP_AND:
    case SQL_OP_OR:
        if (any_switch(f, n))
            set |= SQL_USE_PARAMETER;
        break;
    default:
        break;
    }
    if (compares(n->op) && sql_below_chosen(f->below.nodes[i]))
        set |= SQL_USE_PARAMETER;
    flow_to_args(f, n, set);
}

static void run_nodes(struct flow *f)
{
    for (size_t i = f->plan->node_count; i-- > 0;) {
        unsigned set = f->fresh[i];
        f->fresh[i] = 0;
        if (set != 0)
            flow_node(f, i, set);
    }
}

/* ---- operators ---- */

/* Values that are looked for, sorted or matched are compared with each other. */
static unsigned compared(const struct flow *f, size_t column)
{
    return sql_below_chosen(f->below.columns[column]) ? SQL_USE_PARAMETER : 0;
}

static void put_columns(struct flow *f, const size_t *columns, size_t count, unsigned set)
{
    for (size_t i = 0; i < count; i++)
        f->columns[columns[i]] |= set | compared(f, columns[i]);
}

/* What is done with an aggregate is done with what it is made of; only that it is shown is not: an
 * aggregate is. */
static void flow_items(struct flow *f, const struct sql_rel *rel)
{
    for (size_t i = 0; i < rel->item_count; i++) {
        const struct sql_item *o = &rel->items[i];
        bool extreme = o->fn == SQL_MIN || o->fn == SQL_MAX || o->fn == SQL_PERCENTILE_DISC;
        unsigned above = f->columns[o->column] & ~(unsigned)(SQL_USE_REVEAL | SQL_USE_GROUP);
        if (extreme || o->distinct)
            above |= compared(f, o->column);
        put(f, o->arg, above | (extreme ? SQL_USE_EXTREME : SQL_USE_AGGREGATE));
        put(f, o->filter, SQL_USE_CONDITION);
    }
}

static void flow_keys(struct flow *f, const struct sql_rel *rel)
{
    for (size_t i = 0; i < rel->key_count; i++) {
        unsigned *set = &f->columns[rel->keys[i]];
        *set = (*set & ~(unsigned)SQL_USE_REVEAL) | SQL_USE_GROUP | compared(f, rel->keys[i]);
    }
}

static void flow_windows(struct flow *f, const struct sql_rel *rel)
{
    for (size_t i = 0; i < rel->window_count; i++) {
        const struct sql_window *w = &rel->windows[i];
        unsigned above = f->columns[w->column] & ~(unsigned)SQL_USE_REVEAL;
        put(f, w->arg, above | SQL_USE_AGGREGATE);
        put_columns(f, w->partition, w->partition_count, above | SQL_USE_GROUP);
        for (size_t k = 0; k < w->order_count; k++)
            put_columns(f, &w->order[k].column, 1, above | SQL_USE_ORDER);
    }
}

static void flow_join(struct flow *f, const struct sql_rel *rel)
{
    const struct sql_join *j = &rel->join;
    unsigned above = SQL_USE_JOIN;

    if (j->kind == SQL_JOIN_MARK)
        above |= f->columns[j->mark];
    for (size_t i = 0; i < j->key_count; i++) {
        unsigned set = above | compared(f, j->left[i]) | compared(f, j->right[i]);
        f->columns[j->left[i]] |= set;
        f->columns[j->right[i]] |= set;
    }
    put(f, j->condition, above);
}

static void flow_rel(struct flow *f, const struct sql_rel *rel)
{
    if (rel->kind == SQL_REL_FILTER)
        put(f, rel->condition, SQL_USE_FILTER);
    for (size_t i = 0; i < rel->make_count; i++)
        put(f, rel->makes[i].node, f->columns[rel->makes[i].column]);
    if (rel->kind == SQL_REL_JOIN)
        flow_join(f, rel);
    flow_items(f, rel);
    flow_keys(f, rel);
    flow_windows(f, rel);
    for (size_t i = 0; i < rel->order_count; i++)
        put_columns(f, &rel->order[i].column, 1, SQL_USE_ORDER);
    for (size_t k = 0; rel->given != NULL && k < rel->input_count; k++) {
        for (size_t i = 0; i < rel->column_count; i++)
            f->columns[rel->given[k][i]] |= f->columns[rel->columns[i]];
    }
    run_nodes(f);
}

/* ---- gathering ---- */

static int compare_places(const void *a, const void *b)
{
    const struct sql_use_place *x = a, *y = b;

    return (x->at > y->at) - (x->at < y->at);
}

/* A column that is a key, an order or a result as it stands has no expression: its place is its
 * operator's. */
static void add_place(struct sql_uses *out, size_t column, unsigned uses, int at)
{
    for (size_t i = 0; i < out->place_count; i++) {
        struct sql_use_place *p = &out->places[i];
        if (p->column == column && p->at == at) {
            p->uses |= uses;
            return;
        }
    }
    out->places[out->place_count++] = (struct sql_use_place){column, uses, at};
}

static unsigned placed(const struct sql_uses *out, size_t column)
{
    unsigned uses = 0;

    for (size_t i = 0; i < out->place_count; i++) {
        if (out->places[i].column == column)
            uses |= out->places[i].uses;
    }
    return uses;
}

static void collect(struct sql_uses *out, const struct flow *f)
{
    const struct sql_plan *plan = f->plan;

    for (size_t i = 0; i < plan->node_count; i++) {
        const struct sql_node *n = &plan->nodes[i];
        if (n->op == SQL_OP_COLUMN && f->sets[i] != 0 && n->index < plan->column_count)
            out->places[out->place_count++] = (struct sql_use_place){n->index, f->sets[i], n->at};
    }
    for (size_t c = 0; c < plan->column_count; c++) {
        unsigned rest = f->columns[c] & ~placed(out, c);
        out->columns[c] = f->columns[c];
        if (rest != 0)
            add_place(out, c, rest, plan->columns[c].at);
    }
    qsort(out->places, out->place_count, sizeof *out->places, compare_places);
}

static int compare_entries(const void *a, const void *b)
{
    const struct sql_use_entry *x = a, *y = b;
    int order = strcmp(x->member, y->member);

    if (order == 0)
        order = strcmp(x->dataset, y->dataset);
    return order != 0 ? order : strcmp(x->column, y->column);
}

/* One entry for each provider's column, however often the text mentions its table. */
static fm_status list_entries(struct sql_uses *out, struct base_err *err)
{
    const struct sql_plan *plan = out->plan;
    size_t n = 0, kept = 0;

    for (size_t c = 0; c < plan->column_count; c++)
        n += plan->tables[plan->columns[c].table].source_count;
    out->entries = calloc(n + 1, sizeof *out->entries);
    if (out->entries == NULL)
        return base_err_memory(err, "SQL uses");
    n = 0;
    for (size_t c = 0; c < plan->column_count; c++) {
        const struct sql_table *t = &plan->tables[plan->columns[c].table];
        for (size_t i = 0; i < t->source_count && out->columns[c] != 0; i++) {
            const struct sql_source *s = &plan->sources[t->first_source + i];
            out->entries[n++] = (struct sql_use_entry){s->member, s->dataset, plan->columns[c].name,
                                                       c, out->columns[c]};
        }
    }
    qsort(out->entries, n, sizeof *out->entries, compare_entries);
    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && compare_entries(&out->entries[kept - 1], &out->entries[i]) == 0)
            out->entries[kept - 1].uses |= out->entries[i].uses;
        else
            out->entries[kept++] = out->entries[i];
    }
    out->entry_count = kept;
    return FM_OK;
}

static void derive(struct sql_uses *out, struct flow *f)
{
    const struct sql_plan *plan = f->plan;

    sql_below_look(&f->below);
    for (size_t i = 0; i < plan->output_count; i++)
        f->columns[plan->outputs[i].column] |= SQL_USE_REVEAL;
    for (size_t r = plan->rel_count; r-- > 0;)
        flow_rel(f, plan->rels[r]);
    collect(out, f);
}

fm_status sql_uses_derive(struct sql_uses *out, const struct sql_plan *plan, struct base_err *err)
{
    size_t columns = plan->column_count + plan->made_count;
    struct flow f = {.plan = plan,
                     .sets = calloc(plan->node_count + 1, sizeof *f.sets),
                     .fresh = calloc(plan->node_count + 1, sizeof *f.fresh),
                     .columns = calloc(columns + 1, sizeof *f.columns),
                     .below = {.plan = plan,
                               .nodes = calloc(plan->node_count + 1, sizeof *f.below.nodes),
                               .columns = calloc(columns + 1, sizeof *f.below.columns),
                               .rels = calloc(plan->rel_count + 1, sizeof *f.below.rels)}};
    fm_status st = FM_OK;

    *out = (struct sql_uses){.plan = plan};
    out->columns = calloc(columns + 1, sizeof *out->columns);
    out->places = calloc(plan->node_count + columns + 1, sizeof *out->places);
    if (f.sets == NULL || f.fresh == NULL || f.columns == NULL || f.below.nodes == NULL ||
        f.below.columns == NULL || f.below.rels == NULL || out->columns == NULL ||
        out->places == NULL) {
        st = base_err_memory(err, "SQL uses");
    } else {
        derive(out, &f);
        st = list_entries(out, err);
    }
    free(f.sets);
    free(f.fresh);
    free(f.columns);
    free(f.below.nodes);
    free(f.below.columns);
    free(f.below.rels);
    if (st != FM_OK)
        sql_uses_release(out);
    return st;
}
