#include "exchange/sql/physical/local_once.h"

#include <string.h>

#include "exchange/sql/physical/local.h"

struct sharing {
    struct sql_plan *plan;
    size_t *hosts;
    size_t *same;
    size_t *with;        /* of tables: the first mention, once the rows are its; SQL_NONE */
    size_t first, again; /* two mentions at hand */
};

/* ---- mentions ---- */

static size_t dataset_of(const struct sql_plan *plan, size_t table)
{
    return plan->tables[table].same_as != SQL_NONE ? plan->tables[table].same_as : table;
}

/* Rows of a mention that are joined with several are no longer those of the others. */
static bool makes_more(const struct sql_plan *plan, size_t table)
{
    return plan->sources[plan->tables[table].first_source].read != 0;
}

/* The first mention of the table's dataset whose rows are shared; perhaps itself. */
static size_t first_mention(const struct sharing *s, size_t table)
{
    size_t t = 0;

    while (t < table && (s->hosts[t] != t || makes_more(s->plan, t) ||
                         dataset_of(s->plan, t) != dataset_of(s->plan, table)))
        t++;
    return t;
}

static fm_status begin(struct sharing *s, struct sql_arena *arena, struct base_err *err)
{
    struct sql_plan *plan = s->plan;
    size_t columns = sql_plan_columns(plan);
    struct sql_lookup *lookups =
        sql_arena_array(arena, plan->lookup_count + 1, sizeof *plan->lookups);

    s->hosts = sql_arena_array(arena, plan->table_count + 1, sizeof *s->hosts);
    s->same = sql_arena_array(arena, columns + 1, sizeof *s->same);
    s->with = sql_arena_array(arena, plan->table_count + 1, sizeof *s->with);
    if (s->hosts == NULL || s->same == NULL || s->with == NULL || lookups == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t t = 0; t < plan->table_count; t++)
        s->hosts[t] = sql_plan_host_of(plan, t);
    for (size_t t = 0; t < plan->table_count; t++)
        s->with[t] = SQL_NONE;
    for (size_t c = 0; c < columns; c++)
        s->same[c] = SQL_NONE;
    if (plan->lookup_count > 0)
        memcpy(lookups, plan->lookups, plan->lookup_count * sizeof *lookups);
    plan->lookups = lookups;
    return FM_OK;
}

/* ---- columns ---- */

/* Is it the first mention, or one whose rows have been found to be its? Not one that its rows look
 * up in, whose columns go with them too. */
static bool is_of_first(const struct sharing *s, size_t table)
{
    return table != SQL_NONE && (table == s->first || s->with[table] == s->first);
}

static bool is_one_column(const struct sharing *s, size_t a, size_t b)
{
    const struct sql_plan_column *x = &s->plan->columns[a], *y = &s->plan->columns[b];
    bool put_in = a < s->plan->column_count && b < s->plan->column_count;

    return a == b || (put_in && is_of_first(s, x->table) && y->table == s->again &&
                      strcmp(x->name, y->name) == 0);
}

/* Is the local node b of the later mention what a is of the first? As deep as the expression, which
 * the parser has bounded. */
static bool is_one_node(const struct sharing *s, size_t a, size_t b)
{
    const struct sql_node *x = &s->plan->local_nodes[a], *y = &s->plan->local_nodes[b];
    bool one = x->op == y->op && x->type.kind == y->type.kind && x->type.scale == y->type.scale &&
               x->digits == y->digits && x->null == y->null && x->value == y->value &&
               x->arg_count == y->arg_count && (x->text == NULL) == (y->text == NULL) &&
               (x->text == NULL || strcmp(x->text, y->text) == 0);

    if (one && x->op == SQL_OP_COLUMN)
        return is_one_column(s, x->index, y->index);
    one = one && x->index == y->index;
    for (size_t k = 0; one && k < x->arg_count; k++)
        one = is_one_node(s, x->args[k], y->args[k]);
    return one;
}

/* The first mention's column that has the same values; SQL_NONE. */
static size_t column_like(const struct sharing *s, size_t column)
{
    const struct sql_plan *plan = s->plan;
    const struct sql_plan_column *y = &plan->columns[column];

    for (size_t c = 0; c < sql_plan_columns(plan); c++) {
        const struct sql_plan_column *x = &plan->columns[c];
        bool made = x->derived && x->local != SQL_NONE && y->derived && y->local != SQL_NONE;

        if (c != column && s->same[c] == SQL_NONE &&
            (made ? is_of_first(s, x->table) && is_one_node(s, x->local, y->local)
                  : is_one_column(s, c, column)))
            return c;
    }
    return SQL_NONE;
}

/* Both mentions read the first's vector from now on. */
static void unite(struct sharing *s, size_t first, size_t again)
{
    struct sql_plan_column *x = &s->plan->columns[first], *y = &s->plan->columns[again];

    x->range = sql_range_hull(x->range, y->range);
    x->nullable = x->nullable || y->nullable;
    x->shown = x->shown || y->shown;
    x->home = false;
    y->home = true;
    s->same[again] = first;
}

static void share_together(struct sharing *s)
{
    struct sql_plan *plan = s->plan;

    for (size_t c = 0; c < sql_plan_columns(plan); c++) {
        size_t like;
        if (plan->columns[c].table != s->again || plan->columns[c].home)
            continue;
        like = column_like(s, c);
        if (like != SQL_NONE)
            unite(s, like, c);
    }
    for (size_t i = 0; i < plan->lookup_count; i++)
        if (plan->lookups[i].table == s->again)
            plan->lookups[i].table = s->first;
    for (size_t t = 0; t < plan->table_count; t++)
        if (s->hosts[t] == s->again)
            s->hosts[t] = s->first;
    s->with[s->again] = s->first;
}

fm_status sql_share_once(struct sql_plan *plan, struct sql_arena *arena, struct base_err *err)
{
    struct sharing s = {.plan = plan};
    fm_status st = begin(&s, arena, err);

    for (size_t t = 0; st == FM_OK && t < plan->table_count; t++) {
        s.first = first_mention(&s, t);
        s.again = t;
        if (s.hosts[t] != t || s.first == t || makes_more(plan, t))
            continue;
        share_together(&s);
        plan->hosts = s.hosts;
        plan->same = s.same;
    }
    return st;
}
