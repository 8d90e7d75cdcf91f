/* The operators that remain when joins have become lookups. */
#include <string.h>

#include "exchange/sql/physical/local_join_own.h"

static fm_status memory(struct base_err *err)
{
    return base_err_memory(err, "SQL plan");
}

static fm_status add_rel(struct sql_rel **out, struct joining *j, struct sql_rel rel,
                         struct sql_rel *input, struct base_err *err)
{
    struct sql_plan *plan = j->m.out;

    *out = sql_arena_alloc(j->m.arena, sizeof **out);
    if (plan->rel_count == j->rel_cap) {
        size_t cap = 2 * j->rel_cap + 64;
        struct sql_rel **more = sql_arena_array(j->m.arena, cap, sizeof(struct sql_rel *));
        if (more == NULL)
            return memory(err);
        if (plan->rel_count > 0)
            memcpy(more, plan->rels, plan->rel_count * sizeof(struct sql_rel *));
        plan->rels = more;
        j->rel_cap = cap;
    }
    if (*out == NULL)
        return memory(err);
    **out = rel;
    if (input != NULL) {
        (*out)->inputs = sql_arena_array(j->m.arena, 1, sizeof(struct sql_rel *));
        if ((*out)->inputs == NULL)
            return memory(err);
        (*out)->inputs[0] = input;
        (*out)->input_count = 1;
        (*out)->rows = input->rows;
        (*out)->of = j->of;
    }
    (*out)->id = plan->rel_count;
    plan->rels[plan->rel_count++] = *out;
    return FM_OK;
}

/* gone: the host's row may be missing, and is NULL then. */
static fm_status add_found(size_t *node, struct joining *j, const struct sql_lookup *l, bool gone,
                           int at, struct base_err *err)
{
    struct sql_node n = {.op = SQL_OP_COLUMN,
                         .type = {.kind = DATA_BOOLEAN},
                         .range = {0, 1},
                         .nullable = gone || j->m.out->columns[l->found].nullable,
                         .index = l->found,
                         .at = at};

    return local_add_node(node, &j->m, n, err);
}

/* One more thing that must be true: together with the FILTER that stands there already. */
static fm_status narrow(struct sql_rel **rows, struct joining *j, size_t node, int at,
                        struct base_err *err)
{
    struct sql_rel *below = *rows;
    struct sql_rel rel = {
        .kind = SQL_REL_FILTER, .table = SQL_NONE, .others = SQL_NONE, .condition = node, .at = at};
    const struct sql_node *old;
    struct sql_node all;
    size_t *args, n;

    rel.join = (struct sql_join){.condition = SQL_NONE, .mark = SQL_NONE};
    if (below->kind != SQL_REL_FILTER)
        return add_rel(rows, j, rel, below, err);
    old = &j->m.out->nodes[below->condition];
    n = old->op == SQL_OP_AND ? old->arg_count : 1;
    args = sql_arena_array(j->m.arena, n + 1, sizeof *args);
    if (args == NULL)
        return memory(err);
    for (size_t k = 0; k < n; k++)
        args[k] = old->op == SQL_OP_AND ? old->args[k] : below->condition;
    args[n] = node;
    all = (struct sql_node){.op = SQL_OP_AND,
                            .type = {.kind = DATA_BOOLEAN},
                            .range = {0, 1},
                            .nullable = old->nullable || j->m.out->nodes[node].nullable,
                            .args = args,
                            .arg_count = n + 1,
                            .at = at};
    return local_add_node(&below->condition, &j->m, all, err);
}

static fm_status make(struct sql_rel **rows, struct joining *j, size_t column, size_t node, int at,
                      struct base_err *err)
{
    struct sql_rel rel = {
        .kind = SQL_REL_PROJECT, .table = SQL_NONE, .others = SQL_NONE, .condition = SQL_NONE};

    rel.at = at;
    rel.join = (struct sql_join){.condition = SQL_NONE, .mark = SQL_NONE};
    rel.makes = sql_arena_array(j->m.arena, 1, sizeof *rel.makes);
    if (rel.makes == NULL)
        return memory(err);
    rel.makes[0] = (struct sql_make){column, node};
    rel.make_count = 1;
    return add_rel(rows, j, rel, *rows, err);
}

/* The mark, where a row of the host may be missing: false then. */
static fm_status make_mark(struct sql_rel **rows, struct joining *j, const struct sql_rel *rel,
                           const struct sql_lookup *l, struct base_err *err)
{
    struct sql_node truth = {
        .op = SQL_OP_IS_TRUE, .type = {.kind = DATA_BOOLEAN}, .range = {0, 1}, .arg_count = 1};
    size_t node, *args = sql_arena_array(j->m.arena, 1, sizeof *args);
    fm_status st = args != NULL ? FM_OK : memory(err);

    if (st != FM_OK || l->found == rel->join.mark)
        return st;
    st = add_found(&args[0], j, l, true, rel->at, err);
    truth.args = args;
    if (st == FM_OK)
        st = local_add_node(&node, &j->m, truth, err);
    return st == FM_OK ? make(rows, j, rel->join.mark, node, rel->at, err) : st;
}

/* What operators of a right side made, above the rows that have its columns now. */
static fm_status hoist(struct sql_rel **rows, struct joining *j, const struct sql_rel *rel,
                       const struct sql_lookup *l, struct base_err *err)
{
    fm_status st = FM_OK;

    if (rel->kind == SQL_REL_SCAN) {
        size_t node;
        if (rel->others == SQL_NONE)
            return FM_OK;
        st = add_found(&node, j, l, true, rel->at, err);
        return st == FM_OK ? make(rows, j, rel->others, node, rel->at, err) : st;
    }
    st = hoist(rows, j, rel->inputs[0], l, err);
    if (st == FM_OK && rel->kind == SQL_REL_PROJECT) {
        struct sql_rel copy = *rel;
        copy.makes = sql_arena_array(j->m.arena, rel->make_count + 1, sizeof *copy.makes);
        if (copy.makes == NULL)
            return memory(err);
        if (rel->make_count > 0)
            memcpy(copy.makes, rel->makes, rel->make_count * sizeof *copy.makes);
        st = add_rel(rows, j, copy, *rows, err);
    } else if (st == FM_OK && rel->kind == SQL_REL_JOIN) {
        const struct sql_lookup *own = &j->m.out->lookups[j->lookup[rel->id]];
        st = rel->join.kind == SQL_JOIN_MARK ? make_mark(rows, j, rel, own, err)
                                             : hoist(rows, j, rel->inputs[1], own, err);
    }
    return st;
}

static fm_status replace_join(struct joining *j, const struct sql_rel *rel, struct base_err *err)
{
    const struct sql_lookup *l = &j->m.out->lookups[j->lookup[rel->id]];
    struct sql_rel *rows = j->map[rel->inputs[0]->id];
    size_t node;
    fm_status st = FM_OK;

    j->of = rel->id;
    if (l->inner) {
        st = add_found(&node, j, l, joining_under(j, j->m.gone, rel->inputs[0], l->table), rel->at,
                       err);
        if (st == FM_OK)
            st = narrow(&rows, j, node, rel->at, err);
    }
    if (st == FM_OK && rel->join.kind == SQL_JOIN_MARK)
        st = make_mark(&rows, j, rel, l, err);
    else if (st == FM_OK)
        st = hoist(&rows, j, rel->inputs[1], l, err);
    j->map[rel->id] = rows;
    return st;
}

/* A FILTER goes together with one that a join has become: what both say of one owner's rows, that
 * owner says in one truth value. */
static fm_status keep_rel(struct joining *j, const struct sql_rel *rel, struct base_err *err)
{
    struct sql_rel copy = *rel;

    if (rel->kind == SQL_REL_FILTER && j->map[rel->inputs[0]->id]->kind == SQL_REL_FILTER) {
        j->map[rel->id] = j->map[rel->inputs[0]->id];
        return narrow(&j->map[rel->id], j, rel->condition, rel->at, err);
    }
    copy.of = rel->id;
    copy.inputs = sql_arena_array(j->m.arena, rel->input_count + 1, sizeof(struct sql_rel *));
    if (copy.inputs == NULL)
        return memory(err);
    for (size_t i = 0; i < rel->input_count; i++)
        copy.inputs[i] = j->map[rel->inputs[i]->id];
    if (rel->kind == SQL_REL_SCAN)
        copy.rows = j->m.out->tables[rel->table].rows;
    else if (rel->kind == SQL_REL_FILTER || rel->kind == SQL_REL_PROJECT)
        copy.rows = copy.inputs[0]->rows;
    return add_rel(&j->map[rel->id], j, copy, NULL, err);
}

fm_status joining_rebuild(struct joining *j, struct base_err *err)
{
    const struct sql_plan *in = j->m.in;
    fm_status st = FM_OK;

    j->m.out->rels = NULL;
    j->m.out->rel_count = 0;
    for (size_t r = 0; st == FM_OK && r < in->rel_count; r++) {
        if (j->inside[r])
            continue;
        st = j->lookup[r] != SQL_NONE ? replace_join(j, in->rels[r], err)
                                      : keep_rel(j, in->rels[r], err);
    }
    return st;
}
