/* What values are made of, from the tables up: through expressions, and operator by operator
 * through the columns that they make. */
#include "exchange/sql/plan/uses_below.h"

static bool add(unsigned *set, unsigned more)
{
    bool fresh = (more & ~*set) != 0;

    *set |= more;
    return fresh;
}

/* What a recipient's own rows and others' are, where they meet. */
static unsigned together(unsigned a, unsigned b)
{
    bool meet = ((a & SQL_BELOW_OWN) != 0 && (b & SQL_BELOW_OTHERS) != 0) ||
                ((a & SQL_BELOW_OTHERS) != 0 && (b & SQL_BELOW_OWN) != 0);

    return a | b | (meet ? SQL_BELOW_MIXED : 0);
}

static bool look_at_node(struct sql_below *s, size_t i)
{
    const struct sql_node *n = &s->plan->nodes[i];
    unsigned set = n->op == SQL_OP_PARAM ? SQL_BELOW_PARAM : 0;

    if (n->op == SQL_OP_COLUMN)
        set = SQL_BELOW_COLUMN | s->columns[n->index];
    for (size_t j = 0; j < n->arg_count; j++)
        set = together(set, s->nodes[n->args[j]]);
    return add(&s->nodes[i], set);
}

/* Of how many rows there are. */
static unsigned rows_of(const struct sql_below *s, const struct sql_rel *rel)
{
    unsigned set = SQL_BELOW_DATA;

    for (size_t i = 0; i < rel->input_count; i++)
        set |= s->rels[rel->inputs[i]->id];
    return (set & SQL_BELOW_OTHERS) != 0 ? set & ~(unsigned)SQL_BELOW_OWN : set;
}

static unsigned of_node(const struct sql_below *s, size_t node)
{
    return node == SQL_NONE ? 0 : s->nodes[node];
}

static bool look_at_items(struct sql_below *s, const struct sql_rel *rel)
{
    bool fresh = false;

    for (size_t i = 0; i < rel->item_count; i++) {
        const struct sql_item *o = &rel->items[i];
        unsigned set = o->arg == SQL_NONE ? rows_of(s, rel) : s->nodes[o->arg];
        fresh = add(&s->columns[o->column], together(set, of_node(s, o->filter))) || fresh;
    }
    return fresh;
}

static bool look_at_windows(struct sql_below *s, const struct sql_rel *rel)
{
    bool fresh = false;

    for (size_t i = 0; i < rel->window_count; i++) {
        const struct sql_window *w = &rel->windows[i];
        unsigned set = w->arg == SQL_NONE ? rows_of(s, rel) : s->nodes[w->arg];
        for (size_t k = 0; k < w->partition_count; k++)
            set = together(set, s->columns[w->partition[k]]);
        for (size_t k = 0; k < w->order_count; k++)
            set = together(set, s->columns[w->order[k].column]);
        fresh = add(&s->columns[w->column], set) || fresh;
    }
    return fresh;
}

static bool look_at_mark(struct sql_below *s, const struct sql_join *j)
{
    unsigned set = of_node(s, j->condition) | SQL_BELOW_DATA;

    for (size_t i = 0; i < j->key_count; i++)
        set = together(together(set, s->columns[j->left[i]]), s->columns[j->right[i]]);
    return add(&s->columns[j->mark], set);
}

static bool look_at_rel(struct sql_below *s, const struct sql_rel *rel)
{
    bool fresh = false;

    for (size_t i = 0; i < rel->make_count; i++)
        fresh = add(&s->columns[rel->makes[i].column], s->nodes[rel->makes[i].node]) || fresh;
    fresh = look_at_items(s, rel) || fresh;
    fresh = look_at_windows(s, rel) || fresh;
    if (rel->kind == SQL_REL_JOIN && rel->join.mark != SQL_NONE)
        fresh = look_at_mark(s, &rel->join) || fresh;
    /* A row of a UNION comes from one input or another: nothing meets there. */
    for (size_t k = 0; rel->given != NULL && k < rel->input_count; k++) {
        for (size_t i = 0; i < rel->column_count; i++)
            fresh = add(&s->columns[rel->columns[i]], s->columns[rel->given[k][i]]) || fresh;
    }
    for (size_t i = 0; i < rel->input_count; i++)
        fresh = add(&s->rels[rel->id], s->rels[rel->inputs[i]->id]) || fresh;
    return fresh;
}

static unsigned of_table(const struct sql_plan *plan, size_t table)
{
    const struct sql_table *t = &plan->tables[table];

    for (size_t i = 0; i < t->source_count; i++) {
        if (!plan->sources[t->first_source + i].recipient)
            return SQL_BELOW_OTHERS;
    }
    return SQL_BELOW_OWN;
}

/* Sets only grow, so this ends; each turn carries them up one operator or more. */
void sql_below_look(struct sql_below *s)
{
    const struct sql_plan *plan = s->plan;
    bool fresh = true;

    for (size_t c = 0; c < plan->column_count; c++)
        s->columns[c] = SQL_BELOW_DATA | of_table(plan, plan->columns[c].table);
    for (size_t r = 0; r < plan->rel_count; r++) {
        if (plan->rels[r]->kind == SQL_REL_SCAN)
            s->rels[plan->rels[r]->id] = of_table(plan, plan->rels[r]->table);
    }
    while (fresh) {
        fresh = false;
        for (size_t i = 0; i < plan->node_count; i++)
            fresh = look_at_node(s, i) || fresh;
        for (size_t r = 0; r < plan->rel_count; r++)
            fresh = look_at_rel(s, plan->rels[r]) || fresh;
    }
}
