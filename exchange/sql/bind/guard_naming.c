/* The guard's part about columns that name one subject or one row: the subject column of a source
 * that is no recipient, and one that it declares to be a key. */
#include <stdlib.h>
#include <string.h>

#include "exchange/sql/bind/guard.h"
#include "exchange/sql/plan/walk.h"

static bool names_one(const struct sql_binder *b, size_t column)
{
    const struct sql_plan_column *c = &b->plan->columns[column];
    const struct sql_table *t;

    if (c->table == SQL_NONE || !sql_guard_others(b->plan, c->table))
        return false;
    t = &b->plan->tables[c->table];
    for (size_t i = 0; i < t->source_count; i++) {
        const struct sql_dataset *d = b->datasets[t->first_source + i];
        bool subject = d->subject_column != NULL && strcmp(d->subject_column, c->name) == 0;
        if (!b->plan->sources[t->first_source + i].recipient &&
            (subject || sql_dataset_key(d, c->name) == 1))
            return true;
    }
    return false;
}

static fm_status refuse_naming(const struct sql_binder *b, size_t column, int at,
                               struct base_err *err)
{
    return SQL_BIND_ERROR(b, FM_E_REFUSED, at, err,
                          "'%s' names single subjects or rows of others: with a minimum group of "
                          "%lld it may be joined on and counted, and nothing else",
                          b->plan->columns[column].name, (long long)b->plan->minimum);
}

static void mark(size_t *number, void *context)
{
    ((bool *)context)[*number] = true;
}

/* Every use of such a column inside an expression but IS NULL. */
static fm_status check_nodes(const struct sql_binder *b, const bool *needed, struct base_err *err)
{
    const struct sql_plan *plan = b->plan;

    for (size_t i = 0; i < plan->node_count; i++) {
        const struct sql_node *n = &plan->nodes[i];
        for (size_t k = 0; needed[i] && n->op != SQL_OP_IS_NULL && k < n->arg_count; k++) {
            const struct sql_node *x = &plan->nodes[n->args[k]];
            if (x->op == SQL_OP_COLUMN && names_one(b, x->index))
                return refuse_naming(b, x->index, x->at, err);
        }
    }
    return FM_OK;
}

static fm_status check_column(const struct sql_binder *b, size_t column, int at,
                              struct base_err *err)
{
    return names_one(b, column) ? refuse_naming(b, column, at, err) : FM_OK;
}

/* An expression that is nothing but such a column. */
static fm_status check_bare(const struct sql_binder *b, size_t node, struct base_err *err)
{
    const struct sql_node *n = node != SQL_NONE ? &b->plan->nodes[node] : NULL;

    return n != NULL && n->op == SQL_OP_COLUMN ? check_column(b, n->index, n->at, err) : FM_OK;
}

static fm_status check_group(const struct sql_binder *b, const struct sql_rel *rel,
                             struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < rel->key_count; i++)
        st = check_column(b, rel->keys[i], rel->at, err);
    for (size_t i = 0; st == FM_OK && i < rel->item_count; i++) {
        if (rel->items[i].fn != SQL_COUNT)
            st = check_bare(b, rel->items[i].arg, err);
        if (st == FM_OK)
            st = check_bare(b, rel->items[i].filter, err);
    }
    return st;
}

/* A running sum, or a place in an order, is another name for the row. */
static fm_status check_windows(const struct sql_binder *b, const struct sql_rel *rel,
                               struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < rel->window_count; i++) {
        const struct sql_window *w = &rel->windows[i];
        st = check_bare(b, w->arg, err);
        for (size_t k = 0; st == FM_OK && k < w->partition_count; k++)
            st = check_column(b, w->partition[k], w->at, err);
        for (size_t k = 0; st == FM_OK && k < w->order_count; k++)
            st = check_column(b, w->order[k].column, w->at, err);
    }
    for (size_t i = 0; st == FM_OK && i < rel->order_count; i++)
        st = check_column(b, rel->order[i].column, rel->at, err);
    return st;
}

/* A key that is made, of a constant or a parameter, would be a comparison with it. */
static fm_status check_keys(const struct sql_binder *b, const struct sql_join *j, int at,
                            struct base_err *err)
{
    const struct sql_plan_column *columns = b->plan->columns;

    for (size_t k = 0; k < j->key_count; k++) {
        size_t x = columns[j->left[k]].table == SQL_NONE ? j->right[k] : j->left[k];
        size_t y = x == j->left[k] ? j->right[k] : j->left[k];
        if (columns[y].table == SQL_NONE && names_one(b, x))
            return SQL_BIND_ERROR(b, FM_E_REFUSED, at, err,
                                  "'%s' names single subjects or rows of others: with a minimum "
                                  "group of %lld it is joined with columns as members publish "
                                  "them, not with what a query makes",
                                  columns[x].name, (long long)b->plan->minimum);
    }
    return FM_OK;
}

static fm_status check_expressions(const struct sql_binder *b, struct sql_rel *rel, bool *needed,
                                   struct base_err *err)
{
    fm_status st = check_group(b, rel, err);

    if (st == FM_OK)
        st = check_windows(b, rel, err);
    if (st == FM_OK)
        st = check_keys(b, &rel->join, rel->at, err);
    if (st == FM_OK)
        st = check_bare(b, rel->condition, err);
    sql_walk_nodes(rel, mark, needed);
    for (size_t i = 0; st == FM_OK && i < rel->input_count; i++)
        st = check_expressions(b, rel->inputs[i], needed, err);
    return st;
}

fm_status sql_guard_naming(const struct sql_binder *b, struct sql_rel *root, struct base_err *err)
{
    bool *needed = calloc(b->plan->node_count + 1, sizeof *needed);
    fm_status st;

    if (needed == NULL)
        return base_err_memory(err, "SQL plan");
    st = check_expressions(b, root, needed, err);
    for (size_t i = b->plan->node_count; i-- > 0;) {
        for (size_t k = 0; needed[i] && k < b->plan->nodes[i].arg_count; k++)
            needed[b->plan->nodes[i].args[k]] = true;
    }
    if (st == FM_OK)
        st = check_nodes(b, needed, err);
    free(needed);
    return st;
}
