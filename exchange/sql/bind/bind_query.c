/* Queries: SELECT over what FROM and WHERE gave, DISTINCT, ORDER BY, LIMIT. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "exchange/sql/bind/bind.h"

/* ---- the SELECT list ---- */

static const char *name_of(struct sql_binder *b, const struct sql_syntax_item *item, size_t i)
{
    const struct sql_syntax *s = item->expr;
    char name[32];

    if (item->alias != NULL)
        return item->alias;
    if (s->kind == SQL_SYNTAX_COLUMN || s->kind == SQL_SYNTAX_CALL || s->kind == SQL_SYNTAX_EXTRACT)
        return s->text;
    (void)snprintf(name, sizeof name, "column%zu", i + 1);
    return sql_arena_text(&b->plan->arena, name);
}

static fm_status count_items(size_t *out, struct sql_binder *b, const struct sql_query *q,
                             struct base_err *err)
{
    *out = q->item_count;
    for (size_t i = 0; i < q->item_count; i++) {
        for (size_t t = 0;
             q->items[i].expr->kind == SQL_SYNTAX_STAR && t < b->level->scope.table_count; t++) {
            struct sql_given all;
            fm_status st = sql_bind_all_columns(&all, b, &b->level->scope.tables[t], err);
            if (st != FM_OK)
                return st;
            *out += all.count;
        }
    }
    return FM_OK;
}

static fm_status bind_star(struct sql_list *l, struct sql_binder *b, const struct sql_syntax *s,
                           struct base_err *err)
{
    struct sql_scope *scope = &b->level->scope;
    bool any = false;
    fm_status st = FM_OK;

    if (b->level->grouping != NULL)
        return SQL_BIND_ERROR(b, FM_E_INPUT, s->at, err,
                              "* beside GROUP BY or aggregates: name the columns of GROUP BY");
    for (size_t t = 0; st == FM_OK && t < scope->table_count; t++) {
        struct sql_scope_table *table = &scope->tables[t];
        struct sql_given all;
        if (s->qualifier != NULL && strcmp(s->qualifier, table->name) != 0)
            continue;
        any = true;
        st = sql_bind_all_columns(&all, b, table, err);
        for (size_t i = 0; st == FM_OK && i < all.count; i++) {
            bool hidden = false;
            for (size_t h = 0; s->qualifier == NULL && h < table->hidden_count; h++)
                hidden = hidden || strcasecmp(table->hidden[h], all.names[i]) == 0;
            if (hidden)
                continue;
            l->names[l->count] = all.names[i];
            if (b->plan->columns[all.columns[i]].at < 0)
                b->plan->columns[all.columns[i]].at = s->at;
            st = sql_bind_reference(&l->nodes[l->count++], b, b->level->rel, all.columns[i], s->at,
                                    err);
        }
    }
    if (st == FM_OK && !any)
        return SQL_BIND_ERROR(b, FM_E_NOT_FOUND, s->at, err, "unknown table '%s' before .*",
                              s->qualifier);
    return st;
}

static fm_status bind_list(struct sql_list *l, struct sql_binder *b, const struct sql_query *q,
                           struct base_err *err)
{
    size_t n;
    fm_status st = count_items(&n, b, q, err);

    if (st != FM_OK)
        return st;
    *l = (struct sql_list){.names = sql_arena_array(&b->plan->arena, n, sizeof *l->names),
                           .nodes = sql_arena_array(&b->plan->arena, n, sizeof *l->nodes)};
    if (l->names == NULL || l->nodes == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; st == FM_OK && i < q->item_count; i++) {
        const struct sql_syntax *s = q->items[i].expr;
        if (s->kind == SQL_SYNTAX_STAR) {
            st = bind_star(l, b, s, err);
            continue;
        }
        l->names[l->count] = name_of(b, &q->items[i], i);
        if (l->names[l->count] == NULL)
            return base_err_memory(err, "SQL plan");
        st = sql_bind_expr(&l->nodes[l->count++], b, s, NULL, err);
    }
    return st;
}

/* ---- DISTINCT, and the order of it all ---- */

fm_status sql_bind_distinct(struct sql_given *g, struct sql_binder *b, int at, struct base_err *err)
{
    struct sql_rel *rel;
    fm_status st = sql_rel_new(&rel, b, SQL_REL_GROUP, g->rel, at, err);

    if (st != FM_OK)
        return st;
    rel->keys = sql_arena_array(&b->plan->arena, g->count, sizeof *rel->keys);
    if (rel->keys == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < g->count; i++) {
        bool there = false;
        for (size_t k = 0; k < rel->key_count; k++)
            there = there || rel->keys[k] == g->columns[i];
        if (!there)
            rel->keys[rel->key_count++] = g->columns[i];
    }
    sql_bind_domain(rel, b);
    g->rel = rel;
    return FM_OK;
}

static fm_status make_columns(struct sql_given *g, struct sql_binder *b, const struct sql_list *l,
                              struct base_err *err)
{
    fm_status st = FM_OK;

    g->count = l->count;
    g->names = l->names;
    g->columns = sql_arena_array(&b->plan->arena, l->count, sizeof *g->columns);
    if (g->columns == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; st == FM_OK && i < l->count; i++)
        st = sql_bind_as_column(&g->columns[i], b, &g->rel, l->nodes[i], l->names[i], err);
    return st;
}

/* Nodes of ORDER BY become columns; one of the SELECT list is that column. */
static fm_status order_columns(struct sql_order *order, size_t count, struct sql_given *g,
                               struct sql_binder *b, const struct sql_list *l, struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < count; i++) {
        size_t node = order[i].column;
        order[i].column = SQL_NONE;
        for (size_t k = 0; k < l->count; k++) {
            if (l->nodes[k] == node)
                order[i].column = g->columns[k];
        }
        if (order[i].column == SQL_NONE)
            st = sql_bind_as_column(&order[i].column, b, &g->rel, node, "order", err);
    }
    return st;
}

static fm_status check_distinct_order(const struct sql_given *g, const struct sql_order *order,
                                      struct sql_binder *b, const struct sql_query *q,
                                      struct base_err *err)
{
    for (size_t i = 0; q->distinct && i < q->order_count; i++) {
        bool found = false;
        for (size_t k = 0; k < g->count; k++)
            found = found || g->columns[k] == order[i].column;
        if (!found)
            return SQL_BIND_ERROR(b, FM_E_INPUT, q->order[i].expr->at, err,
                                  "ORDER BY beside DISTINCT takes columns of the SELECT list");
    }
    return FM_OK;
}

fm_status sql_bind_finish(struct sql_given *g, struct sql_binder *b, const struct sql_query *q,
                          const struct sql_list *l, struct base_err *err)
{
    struct sql_order *order;
    fm_status st = sql_bind_order(&order, b, q, l, err);

    if (st != FM_OK)
        return st;
    if (b->level->window != NULL) {
        b->level->window->inputs[0] = b->level->rel;
        b->level->window->rows = b->level->rel->rows;
        b->level->rel = b->level->window;
    }
    g->rel = b->level->rel;
    st = make_columns(g, b, l, err);
    if (st == FM_OK)
        st = order_columns(order, q->order_count, g, b, l, err);
    if (st == FM_OK)
        st = check_distinct_order(g, order, b, q, err);
    if (st == FM_OK && q->distinct)
        st = sql_bind_distinct(g, b, q->at, err);
    /* The order of one row is no order. */
    if (st == FM_OK && q->order_count > 0 && g->rel->rows > 1) {
        st = sql_rel_new(&g->rel, b, SQL_REL_SORT, g->rel, q->order[0].expr->at, err);
        if (st == FM_OK) {
            g->rel->order = order;
            g->rel->order_count = q->order_count;
        }
    }
    return st == FM_OK ? sql_bind_limit(g, b, q, order, err) : st;
}

/* ---- SELECT ---- */

static fm_status link_columns(struct sql_given *g, struct sql_binder *b, struct base_err *err)
{
    struct sql_level *level = b->level;
    fm_status st = FM_OK;

    g->links = level->links;
    g->link_count = level->link_count;
    for (size_t i = 0; st == FM_OK && i < level->link_count; i++)
        st = sql_bind_as_column(&level->links[i].inner, b, &level->rel, level->links[i].inner,
                                "link", err);
    return st;
}

static fm_status bind_select(struct sql_given *g, struct sql_binder *b, const struct sql_query *q,
                             struct base_err *err)
{
    struct sql_level *level = b->level;
    bool grouped = q->group_count > 0 || q->having != NULL || sql_bind_aggregates(q);
    struct sql_list l;
    fm_status st = sql_bind_from(b, q, err);

    if (st == FM_OK)
        st = link_columns(g, b, err);
    if (st == FM_OK && grouped)
        st = sql_bind_grouping(b, q, err);
    if (st == FM_OK)
        st = bind_list(&l, b, q, err);
    if (st == FM_OK && q->having != NULL) {
        size_t node;
        level->clause = "HAVING";
        st = sql_bind_condition(&node, b, q->having, "HAVING", err);
        level->clause = NULL;
        if (st == FM_OK)
            st = sql_rel_filter(&level->rel, b, node, err);
    }
    if (st != FM_OK)
        return st;
    if (level->link_count > 0 && (q->distinct || q->order_count > 0 || q->limit != NULL))
        return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, q->at, err,
                              "DISTINCT, ORDER BY and LIMIT in a subquery that names the query "
                              "around it are not offered: leave them out");
    return sql_bind_finish(g, b, q, &l, err);
}

/* ---- any query ---- */

fm_status sql_bind_query(struct sql_given *out, struct sql_binder *b, const struct sql_query *q,
                         const struct sql_with_scope *with, struct sql_level *outer,
                         struct base_err *err)
{
    struct sql_level level = {.query = q, .with = with, .outer = outer}, *before = b->level;
    fm_status st = FM_OK;

    *out = (struct sql_given){0};
    /* WITH queries that mention each other nest deeper than the text. */
    if (++b->depth > SQL_MAX_QUERIES)
        return SQL_BIND_ERROR(b, FM_E_LIMIT, q->at, err, "queries nest deeper than %d: split it",
                              SQL_MAX_QUERIES);
    for (size_t i = 0; st == FM_OK && i < q->with_count; i++) {
        struct sql_with_scope *w = sql_arena_alloc(&b->plan->arena, sizeof *w);
        if (w == NULL)
            return base_err_memory(err, "SQL plan");
        *w = (struct sql_with_scope){level.with, &q->with[i]};
        level.with = w;
    }
    b->level = &level;
    st = q->set == SQL_SYNTAX_SELECT ? bind_select(out, b, q, err) : sql_bind_set(out, b, q, err);
    b->level = before;
    b->depth--;
    return st;
}
