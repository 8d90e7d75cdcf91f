#include "exchange/intersect/shape.h"

#include <string.h>

static fm_status cannot(const char *what, struct base_err *err)
{
    return base_err_set(err, FM_E_UNSUPPORTED,
                        "protocol psi-sum answers COUNT(*), SUM and AVG over the join of two "
                        "members' tables on one unique identifier: %s; take protocol rep3",
                        what);
}

static fm_status take_side(struct intersect_table *t, const struct sql_plan *plan,
                           const struct sql_rel *rel, size_t key, struct base_err *err)
{
    *t = (struct intersect_table){.key = key};
    for (; rel->kind != SQL_REL_SCAN; rel = rel->inputs[0]) {
        if (rel->kind != SQL_REL_FILTER && rel->kind != SQL_REL_PROJECT)
            return cannot("only WHERE may stand below the join", err);
        if (rel->flags != 0)
            return cannot("a division that can fail is none of these", err);
        if (t->below_count == RUN_OWN_STEPS)
            return cannot("too many steps below the join", err);
        memmove(t->below + 1, t->below, t->below_count * sizeof *t->below);
        t->below[0] = rel;
        t->below_count++;
    }
    if (plan->tables[rel->table].source_count != 1)
        return cannot("each table must be one member's", err);
    t->source = plan->tables[rel->table].first_source;
    return FM_OK;
}

static fm_status take_join(struct intersect_shape *s, const struct sql_rel *rel,
                           struct base_err *err)
{
    const struct sql_join *j = &rel->join;

    if (rel->kind != SQL_REL_JOIN || j->kind != SQL_JOIN_INNER || j->key_count != 1 ||
        s->plan->table_count != 2)
        return cannot("one inner join with one equality, and WHERE on single tables, is all", err);
    if (j->left_max != 1 || j->right_max != 1)
        return cannot("the identifier must be declared as a key with max_rows 1 on both sides",
                      err);
    if (take_side(&s->tables[0], s->plan, rel->inputs[0], j->left[0], err) != FM_OK ||
        take_side(&s->tables[1], s->plan, rel->inputs[1], j->right[0], err) != FM_OK)
        return err->code;
    if (strcmp(s->plan->sources[s->tables[0].source].member,
               s->plan->sources[s->tables[1].source].member) == 0)
        return cannot("both tables are one member's, who can compute it alone", err);
    return FM_OK;
}

/* ---- what is summed ---- */

/* The tables whose columns a node reads: bit 0 and bit 1 of s->tables. */
static unsigned sides_of(const struct intersect_shape *s, size_t node)
{
    const struct sql_plan *plan = s->plan;
    bool needed[1024] = {false};
    unsigned sides = 0;

    if (node >= sizeof needed)
        return 3;
    needed[node] = true;
    for (size_t i = node + 1; i-- > 0;) {
        const struct sql_node *n = &plan->nodes[i];
        if (!needed[i])
            continue;
        if (n->op == SQL_OP_COLUMN) {
            size_t table = plan->columns[n->index].table;
            if (table == SQL_NONE) /* made by a PROJECT: which side's is not looked for */
                return 3;
            sides |= table == plan->sources[s->tables[0].source].table ? 1 : 2;
        }
        for (size_t k = 0; k < n->arg_count; k++)
            needed[n->args[k]] = true;
    }
    return sides;
}

static fm_status take_item(struct intersect_shape *s, size_t i, unsigned *sides,
                           struct base_err *err)
{
    const struct sql_item *item = &s->group->items[i];
    const struct sql_node *n = item->arg != SQL_NONE ? &s->plan->nodes[item->arg] : NULL;
    unsigned bits;

    s->item_sums[i] = SQL_NONE;
    if (item->distinct || item->filter != SQL_NONE || item->counted != SQL_NONE)
        return cannot("DISTINCT, FILTER and CASE without values are none of these", err);
    if (n != NULL && n->nullable)
        return cannot("what is summed or counted must be declared not NULL", err);
    if (item->fn == SQL_COUNT)
        return FM_OK;
    if (item->fn != SQL_SUM && item->fn != SQL_AVG)
        return cannot("another aggregate is none of these", err);
    *sides |= sides_of(s, item->arg);
    bits = sql_range_bits(n->range);
    if (bits > s->value_bits)
        s->value_bits = bits;
    for (size_t k = 0; k < s->sum_count; k++)
        if (s->sums[k] == item->arg)
            s->item_sums[i] = k;
    if (s->item_sums[i] == SQL_NONE) {
        s->item_sums[i] = s->sum_count;
        s->sums[s->sum_count++] = item->arg;
    }
    return FM_OK;
}

static fm_status take_items(struct intersect_shape *s, struct base_err *err)
{
    unsigned sides = 0;

    s->value_bits = 1;
    if (s->group->item_count > INTERSECT_MAX_ITEMS)
        return cannot("more than 32 aggregates", err);
    for (size_t i = 0; i < s->group->item_count; i++)
        if (take_item(s, i, &sides, err) != FM_OK)
            return err->code;
    if (sides == 3)
        return cannot("all that is summed must stand in one of the tables", err);
    if (sides == 1) { /* the holder is tables[1] */
        struct intersect_table other = s->tables[0];
        s->tables[0] = s->tables[1];
        s->tables[1] = other;
    }
    return FM_OK;
}

/* The row of a subject in the join is one of each table, since the identifier is unique. */
static fm_status take_minimum(struct intersect_shape *s, struct base_err *err)
{
    s->minimum = 1;
    for (size_t i = 0; i < s->group->guard_count; i++) {
        if (s->group->guards[i].rows == 0)
            return cannot("single subjects cannot be counted under it, so the schemas must declare "
                          "max_rows_per_subject",
                          err);
        if (s->group->guards[i].rows > s->minimum)
            s->minimum = s->group->guards[i].rows;
    }
    return FM_OK;
}

fm_status intersect_shape_of(struct intersect_shape *out, const struct sql_plan *plan,
                             struct base_err *err)
{
    const struct sql_rel *top = plan->rels[plan->rel_count - 1];
    fm_status st;

    *out = (struct intersect_shape){.plan = plan, .group = top};
    for (size_t i = 0; i < plan->param_count; i++)
        if (plan->params[i].hidden)
            return cannot("each side filters by itself, so no parameter can be hidden", err);
    if (top->kind != SQL_REL_GROUP || top->key_count > 0)
        return cannot("groups, order and what is computed from aggregates are none of these", err);
    st = take_join(out, top->inputs[0], err);
    if (st == FM_OK)
        st = take_items(out, err);
    return st == FM_OK ? take_minimum(out, err) : st;
}
