#include "exchange/sql/physical/local_join.h"

#include <string.h>

#include "exchange/sql/physical/local_join_own.h"

static fm_status begin(struct joining *j, struct base_err *err)
{
    struct localising *m = &j->m;
    const struct sql_plan *in = m->in;
    struct sql_node *nodes;
    struct sql_source *sources;
    struct sql_table *tables;

    if (!local_begin(m))
        return base_err_memory(err, "SQL plan");
    nodes = sql_arena_array(m->arena, in->node_count + 1, sizeof *nodes);
    j->hosts = sql_arena_array(m->arena, in->table_count + 1, sizeof *j->hosts);
    j->lookup = sql_arena_array(m->arena, in->rel_count + 1, sizeof *j->lookup);
    j->inside = sql_arena_array(m->arena, in->rel_count + 1, sizeof *j->inside);
    j->map = sql_arena_array(m->arena, in->rel_count + 1, sizeof(struct sql_rel *));
    m->out->lookups =
        sql_arena_array(m->arena, in->table_count + 1, sizeof(struct sql_lookup)); /* each once */
    sources = sql_arena_array(m->arena, in->source_count + 1, sizeof *sources);
    tables = sql_arena_array(m->arena, in->table_count + 1, sizeof *tables);
    if (nodes == NULL || sources == NULL || tables == NULL || j->hosts == NULL ||
        j->lookup == NULL || j->inside == NULL || j->map == NULL || m->out->lookups == NULL)
        return base_err_memory(err, "SQL plan");
    if (in->node_count > 0)
        memcpy(nodes, in->nodes, in->node_count * sizeof *nodes);
    memcpy(sources, in->sources, in->source_count * sizeof *sources);
    memcpy(tables, in->tables, in->table_count * sizeof *tables);
    m->out->sources = sources;
    m->out->tables = tables;
    m->out->nodes = nodes;
    m->out->node_count = m->node_cap = in->node_count;
    m->out->hosts = j->hosts;
    for (size_t t = 0; t < in->table_count; t++)
        j->hosts[t] = t;
    for (size_t r = 0; r < in->rel_count; r++)
        j->lookup[r] = SQL_NONE;
    return FM_OK;
}

/* ---- can the owner make it? ---- */

/* The mention of a table that a side's rows are made of, one by one; SQL_NONE: it is none. */
static size_t made_of(const struct joining *j, const struct sql_rel *rel)
{
    while (rel->kind == SQL_REL_FILTER || rel->kind == SQL_REL_PROJECT ||
           (rel->kind == SQL_REL_JOIN && j->lookup[rel->id] != SQL_NONE))
        rel = rel->inputs[0];
    return rel->kind == SQL_REL_SCAN ? rel->table : SQL_NONE;
}

static bool one_owner(const struct sql_plan *plan, size_t a, size_t b)
{
    const struct sql_table *x = &plan->tables[a], *y = &plan->tables[b];

    return a != b && x->source_count == 1 && y->source_count == 1 &&
           strcmp(plan->sources[x->first_source].member, plan->sources[y->first_source].member) ==
               0;
}

static struct sql_source *source_of(const struct joining *j, size_t table)
{
    return &j->m.out->sources[j->m.in->tables[table].first_source];
}

/* Whose is the node, where local_judge() has looked? Constants are anybody's. */
static bool is_of(const struct joining *j, size_t node, size_t table)
{
    const struct local_fact *f = &j->m.facts[node];

    return (f->whose == table || f->whose == LOCAL_ANYBODY) && !f->raises;
}

/* strict: what is made is NULL where no row is found. */
static bool right_is_local(struct joining *j, const struct sql_rel *rel, size_t table, bool strict)
{
    for (; rel->kind != SQL_REL_SCAN; rel = rel->inputs[0]) {
        local_judge(&j->m, rel);
        if (rel->kind == SQL_REL_FILTER && !is_of(j, rel->condition, table))
            return false;
        for (size_t i = 0; rel->kind == SQL_REL_PROJECT && i < rel->make_count; i++)
            if (!is_of(j, rel->makes[i].node, table) ||
                (strict && !j->m.facts[rel->makes[i].node].nothing))
                return false;
    }
    return true;
}

/* The one table whose owner can tell all left keys. */
static size_t owner_of_keys(const struct joining *j, const struct sql_rel *rel)
{
    const struct sql_join *join = &rel->join;
    size_t table = join->key_count > 0 ? j->m.owner[join->left[0]] : SQL_NONE;

    for (size_t k = 0; k < join->key_count; k++)
        if (j->m.owner[join->left[k]] != table)
            return SQL_NONE;
    return table;
}

/* Does it give more rows than it has? Then it is not looked up in. */
static bool makes_more(const struct joining *j, size_t table)
{
    return source_of(j, table)->read != 0;
}

static bool can_grow(const struct joining *j, size_t table, int64_t most)
{
    return source_of(j, table)->rows <= SQL_MAX_TOTAL_ROWS / most;
}

/* *host and *from: the tables of both sides. */
static bool can_look_up(struct joining *j, const struct sql_rel *rel, size_t *host, size_t *from)
{
    const struct sql_join *join = &rel->join;
    bool strict = join->kind == SQL_JOIN_LEFT || join->kind == SQL_JOIN_SINGLE;

    if (rel->kind != SQL_REL_JOIN || (join->kind != SQL_JOIN_MARK && join->right_max == 0) ||
        (join->kind == SQL_JOIN_SINGLE && join->right_max != 1))
        return false;
    *host = owner_of_keys(j, rel);
    *from = made_of(j, rel->inputs[1]);
    if (*host == SQL_NONE || *from == SQL_NONE || !one_owner(j->m.in, *host, *from) ||
        !joining_under(j, j->m.under, rel->inputs[0], *host) ||
        (join->null_aware && joining_under(j, j->m.gone, rel->inputs[0], *host)))
        return false;
    if (makes_more(j, *from) ||
        (join->kind != SQL_JOIN_MARK && join->right_max > 1 &&
         (made_of(j, rel->inputs[0]) != *host || !can_grow(j, *host, join->right_max))))
        return false;
    for (size_t k = 0; k < join->key_count; k++)
        if (j->m.owner[join->right[k]] != *from)
            return false;
    return right_is_local(j, rel->inputs[1], *from, strict);
}

/* ---- the lookup ---- */

static void move_owner(struct joining *j, size_t from, size_t to)
{
    for (size_t c = 0; c < j->m.in->column_count + j->m.in->made_count; c++)
        if (j->m.owner[c] == from)
            j->m.owner[c] = to;
}

static fm_status column_at_home(size_t *out, struct joining *j, size_t column, struct base_err *err)
{
    const struct sql_plan_column *c = &j->m.out->columns[column];

    if (column < sql_plan_columns(j->m.in) && j->m.made[column] != SQL_NONE)
        return local_stay_home(out, &j->m, j->m.made[column], err);
    return local_add(out, &j->m,
                     (struct sql_node){.op = SQL_OP_COLUMN,
                                       .type = c->type,
                                       .range = c->range,
                                       .nullable = c->nullable,
                                       .index = column,
                                       .at = c->at},
                     err);
}

static fm_status keys_at_home(size_t **out, struct joining *j, const size_t *columns, size_t count,
                              struct base_err *err)
{
    fm_status st = FM_OK;

    *out = sql_arena_array(j->m.arena, count + 1, sizeof **out);
    if (*out == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t k = 0; st == FM_OK && k < count; k++)
        st = column_at_home(&(*out)[k], j, columns[k], err);
    return st;
}

/* All that must be true of a row of the right side for it to be there, as one local node. */
static fm_status filter_at_home(size_t *out, struct joining *j, const struct sql_rel *rel,
                                struct base_err *err)
{
    struct sql_node all = {.op = SQL_OP_AND, .type = {.kind = DATA_BOOLEAN}, .range = {0, 1}};
    size_t *args = sql_arena_array(j->m.arena, j->m.in->rel_count, sizeof *args);
    fm_status st = args != NULL ? FM_OK : base_err_memory(err, "SQL plan");

    for (; st == FM_OK && rel->kind != SQL_REL_SCAN; rel = rel->inputs[0]) {
        const struct sql_lookup *l =
            rel->kind == SQL_REL_JOIN ? &j->m.out->lookups[j->lookup[rel->id]] : NULL;
        if (rel->kind == SQL_REL_FILTER)
            st = local_stay_home(&args[all.arg_count++], &j->m, rel->condition, err);
        else if (l != NULL && l->inner)
            st = column_at_home(&args[all.arg_count++], j, l->found, err);
    }
    all.args = args;
    *out = SQL_NONE;
    if (st != FM_OK || all.arg_count == 0)
        return st;
    *out = args[0];
    return all.arg_count > 1 ? local_add(out, &j->m, all, err) : FM_OK;
}

/* The mark itself, where each row of the host is there; else a column of its own. */
static fm_status found_column(size_t *out, struct joining *j, const struct sql_rel *rel,
                              size_t host, struct base_err *err)
{
    struct sql_plan_column c = {.name = "found",
                                .type = {.kind = DATA_BOOLEAN},
                                .range = {0, 1},
                                .table = host,
                                .at = rel->at,
                                .derived = true,
                                .local = SQL_NONE};

    if (rel->join.kind != SQL_JOIN_MARK || joining_under(j, j->m.gone, rel->inputs[0], host))
        return local_add_column(out, &j->m, c, err);
    *out = rel->join.mark;
    j->m.out->columns[*out].table = host;
    j->m.owner[*out] = host;
    return FM_OK;
}

static bool can_be_null(enum sql_op op)
{
    return op != SQL_OP_CONST && op != SQL_OP_PARAM && op != SQL_OP_IS_NULL && op != SQL_OP_IS_TRUE;
}

/* Columns of the right side that are NULL now where no row is found, and what it makes of them. */
static void allow_nulls(struct joining *j, const struct sql_rel *right, size_t from)
{
    struct sql_plan *out = j->m.out;
    size_t shared = out->column_count + out->made_count;

    for (size_t c = 0; c < sql_plan_columns(out); c++)
        if (c < shared ? j->m.owner[c] == from : sql_plan_host(out, c) == from)
            out->columns[c].nullable = true;
    memset(j->m.need, 0, j->m.in->node_count + 1);
    for (; right->kind != SQL_REL_SCAN; right = right->inputs[0])
        for (size_t i = 0; i < right->make_count; i++)
            j->m.need[right->makes[i].node] = true;
    for (size_t i = j->m.in->node_count; i-- > 0;) {
        for (size_t k = 0; j->m.need[i] && k < out->nodes[i].arg_count; k++)
            j->m.need[out->nodes[i].args[k]] = true;
        if (j->m.need[i] && can_be_null(out->nodes[i].op))
            out->nodes[i].nullable = true;
    }
}

static void mark_inside(struct joining *j, const struct sql_rel *rel)
{
    j->inside[rel->id] = true;
    for (size_t i = 0; i < rel->input_count; i++)
        mark_inside(j, rel->inputs[i]);
}

static void settle_hosts(struct joining *j, const struct sql_rel *rel, size_t host, size_t from)
{
    size_t tables = j->m.in->table_count;

    move_owner(j, from, host);
    for (size_t t = 0; t < tables; t++)
        if (j->hosts[t] == from)
            j->hosts[t] = host;
    memcpy(j->m.under + rel->id * tables, j->m.under + rel->inputs[0]->id * tables,
           tables * sizeof(bool));
    memcpy(j->m.gone + rel->id * tables, j->m.gone + rel->inputs[0]->id * tables,
           tables * sizeof(bool));
    mark_inside(j, rel->inputs[1]);
}

static void grow(struct sql_source *source, struct sql_table *table, int64_t most)
{
    source->read = source->read != 0 ? source->read : source->rows;
    source->rows *= most;
    table->rows = source->rows;
}

static fm_status look_up(struct joining *j, const struct sql_rel *rel, size_t host, size_t from,
                         struct base_err *err)
{
    const struct sql_join *join = &rel->join;
    struct sql_lookup l = {.table = host,
                           .from = from,
                           .key_count = join->key_count,
                           .condition = SQL_NONE,
                           .inner = join->kind == SQL_JOIN_INNER,
                           .most = join->kind != SQL_JOIN_MARK ? join->right_max : 0,
                           .null_aware = join->null_aware};
    fm_status st = keys_at_home(&l.left, j, join->left, join->key_count, err);

    if (st == FM_OK)
        st = keys_at_home(&l.right, j, join->right, join->key_count, err);
    if (st == FM_OK)
        st = filter_at_home(&l.filter, j, rel->inputs[1], err);
    if (st == FM_OK && join->condition != SQL_NONE)
        st = local_stay_home(&l.condition, &j->m, join->condition, err);
    if (st == FM_OK && (join->kind == SQL_JOIN_LEFT || join->kind == SQL_JOIN_SINGLE))
        allow_nulls(j, rel->inputs[1], from);
    if (st == FM_OK)
        st = found_column(&l.found, j, rel, host, err);
    if (st != FM_OK)
        return st;
    settle_hosts(j, rel, host, from);
    if (l.most > 1)
        grow(source_of(j, host), &j->m.out->tables[host], l.most);
    j->lookup[rel->id] = j->m.out->lookup_count;
    j->m.out->lookups[j->m.out->lookup_count++] = l;
    return FM_OK;
}

static fm_status fold(struct joining *j, const struct sql_rel *rel, struct base_err *err)
{
    size_t host, from;

    local_trace(&j->m, rel);
    if (can_look_up(j, rel, &host, &from)) {
        bool can = true;
        if (rel->join.condition != SQL_NONE) {
            size_t *owner = j->m.owner, columns = sql_plan_columns(j->m.in);
            j->m.owner = sql_arena_array(j->m.arena, columns + 1, sizeof *owner);
            if (j->m.owner == NULL)
                return base_err_memory(err, "SQL plan");
            memcpy(j->m.owner, owner, columns * sizeof *owner);
            move_owner(j, from, host);
            local_judge(&j->m, rel);
            can = is_of(j, rel->join.condition, host);
            j->m.owner = owner;
        }
        if (can)
            return look_up(j, rel, host, from, err);
    }
    local_judge(&j->m, rel);
    local_own_makes(&j->m, rel);
    return FM_OK;
}

fm_status sql_local_joins(const struct sql_plan **out, enum sql_place *places,
                          struct sql_arena *arena, const struct sql_plan *plan,
                          struct base_err *err)
{
    struct joining j = {.m = {.in = plan, .arena = arena}};
    fm_status st = FM_OK;

    *out = plan;
    if (places != NULL)
        memset(places, 0, plan->rel_count * sizeof *places);
    if (plan->simple)
        return FM_OK;
    st = begin(&j, err);
    for (size_t r = 0; st == FM_OK && r < plan->rel_count; r++)
        st = fold(&j, plan->rels[r], err);
    if (st == FM_OK && j.m.out->lookup_count > 0) {
        st = joining_rebuild(&j, err);
        *out = j.m.out;
    }
    for (size_t r = 0; st == FM_OK && places != NULL && r < plan->rel_count; r++)
        places[r] = j.lookup[r] != SQL_NONE ? SQL_LOCAL_JOIN
                    : j.inside[r]           ? SQL_INSIDE
                                            : SQL_IN_SHARES;
    sql_intern_release(&j.m.seen);
    return st;
}
