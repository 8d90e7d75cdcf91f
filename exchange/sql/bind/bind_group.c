/* GROUP BY and aggregates. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exchange/sql/bind/bind.h"

/* ---- texts ---- */

static bool same_text(const char *x, const char *y)
{
    return x == y || (x != NULL && y != NULL && strcmp(x, y) == 0);
}

bool sql_bind_same(const struct sql_syntax *x, const struct sql_syntax *y)
{
    if (x == NULL || y == NULL)
        return x == y;
    if (x->kind != y->kind || x->arg_count != y->arg_count || x->number != y->number ||
        x->days != y->days || x->distinct != y->distinct || x->query != NULL || y->query != NULL ||
        x->over != NULL || y->over != NULL || !same_text(x->text, y->text) ||
        !same_text(x->qualifier, y->qualifier) || !same_text(x->owner, y->owner) ||
        !sql_bind_same(x->filter, y->filter) || !sql_bind_same(x->fraction, y->fraction))
        return false;
    for (size_t i = 0; i < x->arg_count; i++) {
        if (!sql_bind_same(x->args[i], y->args[i]))
            return false;
    }
    return true;
}

static bool holds_aggregate(const struct sql_syntax *s)
{
    if (s->kind == SQL_SYNTAX_CALL && s->over == NULL)
        return true;
    for (size_t i = 0; i < s->arg_count; i++) {
        if (holds_aggregate(s->args[i]))
            return true;
    }
    for (size_t i = 0; s->over != NULL && i < s->over->partition_count; i++) {
        if (holds_aggregate(s->over->partition[i]))
            return true;
    }
    for (size_t i = 0; s->over != NULL && i < s->over->order_count; i++) {
        if (holds_aggregate(s->over->order[i].expr))
            return true;
    }
    return false;
}

bool sql_bind_aggregates(const struct sql_query *q)
{
    for (size_t i = 0; i < q->item_count; i++) {
        if (holds_aggregate(q->items[i].expr))
            return true;
    }
    for (size_t i = 0; i < q->order_count; i++) {
        if (holds_aggregate(q->order[i].expr))
            return true;
    }
    return false;
}

/* ---- keys ---- */

/* How many different keys there can be: only where all have declared ranges, and few values. */
void sql_bind_domain(struct sql_rel *rel, const struct sql_binder *b)
{
    sql_wide domain = 1;

    for (size_t i = 0; i < rel->key_count && domain > 0; i++) {
        const struct sql_plan_column *c = &b->plan->columns[rel->keys[i]];
        bool nulls = c->nullable || sql_rel_nulls(b, rel->inputs[0], rel->keys[i]);
        bool text = c->type.kind == DATA_TEXT;
        sql_wide size = (text ? (sql_wide)c->value_count : c->range.hi - c->range.lo + 1) + nulls;
        domain = (text && c->value_count == 0) || size > SQL_MAX_TOTAL_ROWS ? 0 : domain * size;
        if (domain > SQL_MAX_TOTAL_ROWS)
            domain = 0;
    }
    if (rel->key_count == 0)
        rel->rows = 1;
    else if (domain > 0 && domain < rel->rows)
        rel->rows = (int64_t)domain;
    rel->domain = rel->key_count > 0 && domain <= SQL_SMALL_DOMAIN ? (int64_t)domain : 0;
}

/* A number is a place in the SELECT list; a bare name a column, or else an alias of the list. */
static const struct sql_syntax *key_syntax(struct sql_binder *b, const struct sql_query *q,
                                           const struct sql_syntax *s)
{
    if (s->kind == SQL_SYNTAX_NUMBER) {
        char *end;
        long place = strtol(s->text, &end, 10);
        if (*end == '\0' && place >= 1 && (size_t)place <= q->item_count)
            return q->items[place - 1].expr;
    }
    if (s->kind != SQL_SYNTAX_COLUMN || s->qualifier != NULL ||
        sql_bind_resolves(b, &b->level->scope, s))
        return s;
    for (size_t i = 0; i < q->item_count; i++) {
        if (q->items[i].alias != NULL && strcmp(q->items[i].alias, s->text) == 0)
            return q->items[i].expr;
    }
    return s;
}

static fm_status bind_keys(struct sql_grouping *g, struct sql_rel *rel, struct sql_binder *b,
                           struct base_err *err)
{
    const struct sql_query *q = g->query;
    struct sql_level *level = b->level;
    size_t n = q->group_count + level->link_count;
    fm_status st = FM_OK;

    rel->keys = sql_arena_array(&b->plan->arena, n, sizeof *rel->keys);
    g->key_syntax = sql_arena_array(&b->plan->arena, n, sizeof *g->key_syntax);
    if (rel->keys == NULL || g->key_syntax == NULL)
        return base_err_memory(err, "SQL plan");
    /* A subquery that hangs together with the query around it: one group for each of its links. */
    for (size_t i = 0; i < level->link_count; i++)
        rel->keys[rel->key_count++] = level->links[i].inner;
    level->clause = "GROUP BY";
    for (size_t i = 0; st == FM_OK && i < q->group_count; i++) {
        const struct sql_syntax *s = key_syntax(b, q, q->group[i]);
        size_t node;
        st = sql_bind_expr(&node, b, s, NULL, err);
        if (st != FM_OK)
            return st;
        g->key_syntax[rel->key_count] = s;
        st = sql_bind_as_column(&rel->keys[rel->key_count++], b, &level->rel, node,
                                s->kind == SQL_SYNTAX_COLUMN ? s->text : "key", err);
    }
    level->clause = NULL;
    return st;
}

fm_status sql_bind_grouping(struct sql_binder *b, const struct sql_query *q, struct base_err *err)
{
    struct sql_level *level = b->level;
    struct sql_grouping *g = sql_arena_alloc(&b->plan->arena, sizeof *g);
    struct sql_rel *rel;
    fm_status st;

    if (g == NULL)
        return base_err_memory(err, "SQL plan");
    g->query = q;
    st = sql_rel_new(&rel, b, SQL_REL_GROUP, level->rel, q->at, err);
    if (st == FM_OK)
        st = bind_keys(g, rel, b, err);
    if (st != FM_OK)
        return st;
    rel->inputs[0] = level->rel;
    rel->rows = level->rel->rows;
    sql_bind_domain(rel, b);
    level->rel = g->rel = rel;
    level->grouping = g;
    return FM_OK;
}

size_t sql_bind_key(const struct sql_binder *b, const struct sql_syntax *s)
{
    const struct sql_grouping *g = b->level->grouping;

    for (size_t i = 0; g != NULL && i < g->rel->key_count; i++) {
        if (g->key_syntax[i] != NULL && sql_bind_same(g->key_syntax[i], s))
            return g->rel->keys[i];
    }
    return SQL_NONE;
}

/* ---- aggregates ---- */

static enum sql_fn fn_of(const char *name)
{
    enum sql_fn fn = SQL_COUNT;

    while (fn < SQL_RANK && strcmp(sql_fn_name(fn), name) != 0)
        fn++;
    return fn;
}

static fm_status check_argument(const struct sql_binder *b, const struct sql_item *o,
                                struct base_err *err)
{
    const struct sql_node *n = &b->plan->nodes[o->arg];
    const char *fn = sql_fn_name(o->fn);
    bool ordered = o->fn == SQL_MIN || o->fn == SQL_MAX || o->fn == SQL_PERCENTILE_DISC;
    char name[DATA_TYPE_TEXT];

    if (o->fn == SQL_COUNT || sql_type_is_number(n->type) || (n->type.kind == DATA_DATE && ordered))
        return FM_OK;
    sql_bind_type_name(name, n);
    if (n->type.kind == DATA_BOOLEAN)
        return SQL_BIND_ERROR(b, FM_E_INPUT, n->at, err,
                              "%s of BOOLEAN is not offered: write %s(CASE WHEN ... THEN 1 ELSE 0 "
                              "END)",
                              fn, fn);
    return SQL_BIND_ERROR(b, FM_E_INPUT, n->at, err, "%s of %s is not offered: use COUNT%s", fn,
                          name, n->type.kind == DATA_DATE ? ", MIN or MAX" : "");
}

/* "0.25" in millionths. */
static fm_status bind_fraction(struct sql_item *item, struct sql_binder *b,
                               const struct sql_syntax *s, struct base_err *err)
{
    size_t node;
    const struct sql_node *n;
    fm_status st = sql_bind_expr(&node, b, s, NULL, err);

    if (st != FM_OK)
        return st;
    n = &b->plan->nodes[node];
    if (n->op != SQL_OP_CONST || n->null || !sql_type_is_number(n->type) || n->type.scale > 6 ||
        n->value < 0 || n->value > sql_ten_to(n->type.scale))
        return SQL_BIND_ERROR(b, FM_E_INPUT, s->at, err,
                              "PERCENTILE_DISC takes a number from 0 to 1 with at most 6 digits");
    item->fraction = n->value * sql_ten_to(6 - n->type.scale);
    return FM_OK;
}

/* FILTER is a CASE without ELSE: what it leaves out is NULL. TEXT has no CASE. */
static fm_status bind_filter(struct sql_item *item, struct sql_binder *b,
                             const struct sql_syntax *s, struct base_err *err)
{
    size_t condition, args[3];
    struct data_type type = {.kind = DATA_INTEGER};
    fm_status st = sql_bind_condition(&condition, b, s->filter, "FILTER", err);

    if (st != FM_OK)
        return st;
    if (item->arg != SQL_NONE && b->plan->nodes[item->arg].type.kind == DATA_TEXT) {
        item->filter = condition;
        return FM_OK;
    }
    args[0] = condition;
    args[1] = item->arg;
    if (item->arg == SQL_NONE)
        st = sql_bind_const(&args[1], b, type, 1, s->filter->at, err);
    if (st == FM_OK)
        st = sql_bind_null(&args[2], b, b->plan->nodes[args[1]].type, s->filter->at, err);
    return st == FM_OK ? sql_bind_make(&item->arg, b, SQL_OP_CASE, s->filter->at, args, 3, err)
                       : st;
}

static fm_status bind_argument(struct sql_item *item, struct sql_binder *b,
                               const struct sql_syntax *s, struct base_err *err)
{
    fm_status st = FM_OK;

    if (s->arg_count > 0)
        st = sql_bind_expr(&item->arg, b, s->args[0], NULL, err);
    if (st == FM_OK && s->arg_count > 0 && (item->fn == SQL_SUM || item->fn == SQL_AVG) &&
        b->plan->nodes[item->arg].type.kind == DATA_BOOLEAN)
        st = sql_bind_truth_number(&item->arg, b, s->at, err);
    if (st == FM_OK && s->arg_count > 0)
        st = check_argument(b, item, err);
    if (st == FM_OK && s->fraction != NULL)
        st = bind_fraction(item, b, s->fraction, err);
    if (st == FM_OK && s->filter != NULL)
        st = bind_filter(item, b, s, err);
    return st == FM_OK ? sql_bind_counted(item, b, err) : st;
}

/* MIN and MAX of distinct values are those of all. */
static fm_status check_distinct(const struct sql_binder *b, struct sql_item *item,
                                const struct sql_syntax *s, struct base_err *err)
{
    item->distinct = s->distinct && item->fn != SQL_MIN && item->fn != SQL_MAX;
    if (!item->distinct || item->fn == SQL_COUNT || item->fn == SQL_SUM || item->fn == SQL_AVG)
        return FM_OK;
    return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, s->at, err,
                          "DISTINCT is offered in COUNT, SUM, AVG, MIN and MAX");
}

static fm_status room_for_item(struct sql_grouping *g, struct sql_binder *b, struct base_err *err)
{
    size_t n = g->rel->item_count, cap = n == 0 ? 8 : 2 * n;
    struct sql_item *items;
    const struct sql_syntax **syntax;

    if (n < g->item_cap)
        return FM_OK;
    items = sql_arena_array(&b->plan->arena, cap, sizeof *items);
    syntax = sql_arena_array(&b->plan->arena, cap, sizeof *syntax);
    if (items == NULL || syntax == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < n; i++) {
        items[i] = g->rel->items[i];
        syntax[i] = g->item_syntax[i];
    }
    g->rel->items = items;
    g->item_syntax = syntax;
    g->item_cap = cap;
    return FM_OK;
}

/* The argument belongs to the rows below the GROUP. */
static fm_status bind_item(struct sql_item *item, struct sql_binder *b, const struct sql_syntax *s,
                           struct base_err *err)
{
    struct sql_level *level = b->level;
    struct sql_grouping *g = level->grouping;
    struct sql_rel *above = level->rel;
    fm_status st;

    *item = (struct sql_item){.fn = fn_of(s->text),
                              .arg = SQL_NONE,
                              .filter = SQL_NONE,
                              .counted = SQL_NONE,
                              .at = s->at};
    level->grouping = NULL;
    level->rel = g->rel->inputs[0];
    level->clause = "another aggregate";
    st = check_distinct(b, item, s, err);
    if (st == FM_OK)
        st = bind_argument(item, b, s, err);
    g->rel->inputs[0] = level->rel;
    level->clause = NULL;
    level->rel = above;
    level->grouping = g;
    return st;
}

static fm_status new_item(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                          struct base_err *err)
{
    struct sql_grouping *g = b->level->grouping;
    struct sql_plan_column column = {.name = s->text, .table = SQL_NONE};
    struct sql_item item;
    fm_status st = bind_item(&item, b, s, err);

    if (st == FM_OK)
        st = sql_bind_item_type(&item, &column, b, g->rel->inputs[0]->rows, err);
    if (st == FM_OK)
        st = sql_rel_make(&item.column, b, g->rel, column, err);
    if (st == FM_OK)
        st = room_for_item(g, b, err);
    if (st != FM_OK)
        return st;
    g->item_syntax[g->rel->item_count] = s;
    g->rel->items[g->rel->item_count++] = item;
    *out = item.column;
    return FM_OK;
}

/* BOOL_AND is MIN over 0 and 1, BOOL_OR is MAX. */
static fm_status bind_bool(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                           struct base_err *err)
{
    struct sql_syntax *parts = sql_arena_array(&b->plan->arena, 6, sizeof *parts);
    struct sql_syntax **args = sql_arena_array(&b->plan->arena, 8, sizeof(struct sql_syntax *));
    size_t sides[2];
    const struct data_type integer = {.kind = DATA_INTEGER};
    fm_status st;

    if (parts == NULL || args == NULL)
        return base_err_memory(err, "SQL plan");
    args[0] = s->args[0];
    args[1] = &parts[0];
    args[2] = &parts[1];
    args[3] = &parts[2];
    args[4] = s->args[0];
    args[5] = &parts[3];
    parts[0] = (struct sql_syntax){.kind = SQL_SYNTAX_NUMBER, .text = "1", .at = s->at};
    parts[1] =
        (struct sql_syntax){.kind = SQL_SYNTAX_NOT, .args = args + 4, .arg_count = 1, .at = s->at};
    parts[2] = (struct sql_syntax){.kind = SQL_SYNTAX_NUMBER, .text = "0", .at = s->at};
    parts[3] =
        (struct sql_syntax){.kind = SQL_SYNTAX_CASE, .args = args, .arg_count = 4, .at = s->at};
    parts[4] = *s;
    parts[4].text = strcmp(s->text, "bool_and") == 0 ? "min" : "max";
    parts[4].args = args + 5;
    st = sql_bind_aggregate(&sides[0], b, &parts[4], err);
    if (st == FM_OK)
        st = sql_bind_const(&sides[1], b, integer, 1, s->at, err);
    return st == FM_OK ? sql_bind_make(out, b, SQL_OP_EQ, s->at, sides, 2, err) : st;
}

fm_status sql_bind_aggregate(size_t *out, struct sql_binder *b, const struct sql_syntax *s,
                             struct base_err *err)
{
    struct sql_grouping *g = b->level->grouping;
    size_t column = SQL_NONE;
    fm_status st = FM_OK;

    if (g == NULL)
        return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, s->at, err,
                              "%s inside %s: aggregates stand in the SELECT list, HAVING and ORDER "
                              "BY",
                              s->text, b->level->clause != NULL ? b->level->clause : "this");
    if (strncmp(s->text, "bool_", 5) == 0)
        return bind_bool(out, b, s, err);
    for (size_t i = 0; i < g->rel->item_count; i++) {
        if (sql_bind_same(g->item_syntax[i], s))
            column = g->rel->items[i].column;
    }
    if (column == SQL_NONE)
        st = new_item(&column, b, s, err);
    return st == FM_OK ? sql_bind_reference(out, b, b->level->rel, column, s->at, err) : st;
}
