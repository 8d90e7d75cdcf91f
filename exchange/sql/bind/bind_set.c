/* UNION, INTERSECT and EXCEPT. */
#include "exchange/sql/bind/bind.h"

static const char *name_of(const struct sql_query *q)
{
    return q->set == SQL_SYNTAX_INTERSECT ? "INTERSECT"
           : q->set == SQL_SYNTAX_EXCEPT  ? "EXCEPT"
                                          : "UNION";
}

/* Column i of both sides, brought to one type: numbers to the finer scale. */
static fm_status unite(size_t *out, struct sql_binder *b, struct sql_rel *rel,
                       const struct sql_query *q, struct sql_given sides[2], size_t i,
                       struct base_err *err)
{
    int at = q->at;
    size_t nodes[2];
    struct sql_plan_column made;
    fm_status st = sql_bind_reference(&nodes[0], b, sides[0].rel, sides[0].columns[i], at, err);

    if (st == FM_OK)
        st = sql_bind_reference(&nodes[1], b, sides[1].rel, sides[1].columns[i], at, err);
    if (st == FM_OK)
        st = sql_bind_equal(&nodes[0], &nodes[1], b, at, err);
    if (st != FM_OK)
        return base_err_prefix(err, "%s, column %zu", name_of(q), i + 1);
    made = (struct sql_plan_column){.name = sides[0].names[i],
                                    .type = b->plan->nodes[nodes[0]].type,
                                    .range = b->plan->nodes[nodes[0]].range,
                                    .table = SQL_NONE};
    for (size_t s = 0; st == FM_OK && s < 2; s++) {
        const struct sql_node *n = &b->plan->nodes[nodes[s]];
        made.range = sql_range_hull(made.range, n->range);
        made.nullable = made.nullable || n->nullable;
        if (n->type.max_bytes > made.type.max_bytes)
            made.type.max_bytes = n->type.max_bytes;
        st = sql_bind_as_column(&sides[s].columns[i], b, &sides[s].rel, nodes[s], sides[0].names[i],
                                err);
    }
    return st == FM_OK ? sql_rel_make(out, b, rel, made, err) : st;
}

static fm_status bind_sides(struct sql_given sides[2], struct sql_binder *b,
                            const struct sql_query *q, struct base_err *err)
{
    fm_status st = sql_bind_query(&sides[0], b, q->left, b->level->with, NULL, err);

    if (st == FM_OK)
        st = sql_bind_query(&sides[1], b, q->right, b->level->with, NULL, err);
    if (st == FM_OK && sides[0].count != sides[1].count)
        st = SQL_BIND_ERROR(b, FM_E_INPUT, q->right->at, err,
                            "%s of %zu and %zu columns: select as many on both sides", name_of(q),
                            sides[0].count, sides[1].count);
    return st;
}

/* INTERSECT and EXCEPT are groups over both sides' rows, told apart by one more column. */
static bool is_marked(const struct sql_query *q)
{
    return q->set == SQL_SYNTAX_INTERSECT || q->set == SQL_SYNTAX_EXCEPT;
}

static fm_status mark_side(struct sql_given *side, struct sql_binder *b, sql_wide mark, int at,
                           struct base_err *err)
{
    const struct data_type integer = {.kind = DATA_INTEGER};
    size_t *columns = sql_arena_array(&b->plan->arena, side->count + 1, sizeof *columns), node;
    const char **names = sql_arena_array(&b->plan->arena, side->count + 1, sizeof *names);
    fm_status st = columns != NULL && names != NULL ? FM_OK : base_err_memory(err, "SQL plan");

    for (size_t i = 0; st == FM_OK && i < side->count; i++) {
        columns[i] = side->columns[i];
        names[i] = side->names[i];
    }
    if (st == FM_OK)
        st = sql_bind_const(&node, b, integer, mark, at, err);
    if (st != FM_OK)
        return st;
    names[side->count] = "side";
    side->columns = columns;
    side->names = names;
    return sql_bind_as_column(&columns[side->count++], b, &side->rel, node, "side", err);
}

static fm_status extreme_side(size_t *out, struct sql_binder *b, struct sql_rel *group,
                              enum sql_fn fn, size_t side, int at, struct base_err *err)
{
    struct sql_item *item = &group->items[group->item_count];
    struct sql_plan_column made = b->plan->columns[side];
    fm_status st;

    *item = (struct sql_item){.fn = fn, .filter = SQL_NONE, .counted = SQL_NONE, .at = at};
    made.name = sql_fn_name(fn);
    st = sql_bind_reference(&item->arg, b, group->inputs[0], side, at, err);
    if (st == FM_OK)
        st = sql_rel_make(&item->column, b, group, made, err);
    if (st != FM_OK)
        return st;
    group->item_count++;
    return sql_bind_reference(out, b, group, item->column, at, err);
}

/* Of each group the sides, 1 and 2, that it has: both of them, or the first alone. */
static fm_status keep_marked(struct sql_given *g, struct sql_binder *b, const struct sql_query *q,
                             struct base_err *err)
{
    const struct data_type integer = {.kind = DATA_INTEGER};
    size_t side = g->columns[--g->count], args[2], conditions[2], n = 0;
    struct sql_rel *group;
    fm_status st = sql_bind_distinct(g, b, q->at, err);

    group = g->rel;
    if (st != FM_OK)
        return st;
    group->items = sql_arena_array(&b->plan->arena, 2, sizeof *group->items);
    if (group->items == NULL)
        return base_err_memory(err, "SQL plan");
    for (int i = 0; st == FM_OK && i < 2; i++) {
        if (i == 0 && q->set == SQL_SYNTAX_EXCEPT)
            continue;
        st = extreme_side(&args[0], b, group, i == 0 ? SQL_MIN : SQL_MAX, side, q->at, err);
        if (st == FM_OK)
            st = sql_bind_const(&args[1], b, integer,
                                i == 1 && q->set == SQL_SYNTAX_INTERSECT ? 2 : 1, q->at, err);
        if (st == FM_OK)
            st = sql_bind_make(&conditions[n++], b, SQL_OP_EQ, q->at, args, 2, err);
    }
    for (size_t i = 0; st == FM_OK && i < n; i++)
        st = sql_rel_filter(&g->rel, b, conditions[i], err);
    return st;
}

static fm_status new_union(struct sql_given *g, struct sql_binder *b, const struct sql_query *q,
                           struct sql_given sides[2], struct base_err *err)
{
    struct sql_rel *rel;
    fm_status st = sql_rel_new(&rel, b, SQL_REL_UNION, NULL, q->at, err);

    if (st != FM_OK)
        return st;
    *g = (struct sql_given){.rel = rel, .count = sides[0].count, .names = sides[0].names};
    g->columns = sql_arena_array(&b->plan->arena, g->count, sizeof *g->columns);
    rel->inputs = sql_arena_array(&b->plan->arena, 2, sizeof *rel->inputs);
    rel->given = sql_arena_array(&b->plan->arena, 2, sizeof *rel->given);
    if (g->columns == NULL || rel->inputs == NULL || rel->given == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; st == FM_OK && i < g->count; i++)
        st = unite(&g->columns[i], b, rel, q, sides, i, err);
    if (st != FM_OK)
        return st;
    rel->columns = g->columns;
    rel->column_count = g->count;
    rel->input_count = 2;
    for (size_t s = 0; s < 2; s++) {
        rel->inputs[s] = sides[s].rel;
        rel->given[s] = sides[s].columns;
        rel->rows += sides[s].rel->rows;
    }
    return FM_OK;
}

fm_status sql_bind_set(struct sql_given *g, struct sql_binder *b, const struct sql_query *q,
                       struct base_err *err)
{
    struct sql_given sides[2];
    struct sql_list l;
    fm_status st = bind_sides(sides, b, q, err);

    for (int s = 0; st == FM_OK && is_marked(q) && s < 2; s++)
        st = mark_side(&sides[s], b, s + 1, q->at, err);
    if (st == FM_OK)
        st = new_union(g, b, q, sides, err);
    if (st == FM_OK && is_marked(q))
        st = keep_marked(g, b, q, err);
    else if (st == FM_OK && q->set == SQL_SYNTAX_UNION)
        st = sql_bind_distinct(g, b, q->at, err);
    if (st != FM_OK)
        return st;
    l = (struct sql_list){g->count, g->names,
                          sql_arena_array(&b->plan->arena, g->count, sizeof *l.nodes)};
    if (l.nodes == NULL)
        return base_err_memory(err, "SQL plan");
    b->level->rel = g->rel;
    for (size_t i = 0; st == FM_OK && i < g->count; i++)
        st = sql_bind_reference(&l.nodes[i], b, g->rel, g->columns[i], q->at, err);
    return st == FM_OK ? sql_bind_finish(g, b, q, &l, err) : st;
}
