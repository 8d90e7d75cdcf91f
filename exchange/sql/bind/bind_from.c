/* FROM and WHERE: tables are joined by the equalities that the text has for them, and every other
 * condition goes as far down as its columns are at hand. */
#include <string.h>

#include "exchange/sql/bind/bind.h"

/* ---- equalities between two sides ---- */

struct pairs {
    size_t count;
    size_t *left;
    size_t *right;
};

static fm_status new_pairs(struct pairs *p, struct sql_binder *b, size_t cap, struct base_err *err)
{
    *p = (struct pairs){.left = sql_arena_array(&b->plan->arena, cap + 1, sizeof *p->left),
                        .right = sql_arena_array(&b->plan->arena, cap + 1, sizeof *p->right)};
    return p->left != NULL && p->right != NULL ? FM_OK : base_err_memory(err, "SQL plan");
}

static bool is_of(const struct sql_binder *b, const struct sql_rel *rel, size_t node)
{
    return sql_rel_has_all(b, rel, node) && sql_rel_has_any(b, rel, node);
}

/* Takes the condition if it is an equality of a value of each side. */
static bool take_pair(struct pairs *p, const struct sql_binder *b, const struct sql_rel *left,
                      const struct sql_rel *right, size_t condition)
{
    const struct sql_node *n = &b->plan->nodes[condition];
    size_t x, y;

    if (n->op != SQL_OP_EQ)
        return false;
    x = n->args[0];
    y = n->args[1];
    if (!is_of(b, left, x) || !is_of(b, right, y)) {
        size_t swap = x;
        x = y;
        y = swap;
    }
    if (!is_of(b, left, x) || !is_of(b, right, y))
        return false;
    p->left[p->count] = x;
    p->right[p->count++] = y;
    return true;
}

/* ---- JOIN ... ON, USING ---- */

static fm_status bind_item(struct sql_rel **out, struct sql_binder *b,
                           const struct sql_syntax_from *f, struct base_err *err);

/* The one table of [from, to) that has the column. */
static fm_status using_column(size_t *out, struct sql_binder *b, size_t from, size_t to,
                              const char *name, int at, struct base_err *err)
{
    struct sql_scope *scope = &b->level->scope, part = *scope;
    struct sql_syntax s = {.kind = SQL_SYNTAX_COLUMN, .text = name, .at = at};
    struct sql_node node;
    fm_status st;

    part.tables = scope->tables + from;
    part.table_count = to - from;
    {
        struct sql_scope whole = *scope;
        *scope = part;
        st = sql_bind_column(&node, b, &s, err);
        *scope = whole;
    }
    return st == FM_OK ? sql_bind_add(out, b, node, err) : st;
}

static fm_status hide(struct sql_binder *b, size_t from, size_t to, const struct sql_syntax_from *f,
                      struct base_err *err)
{
    for (size_t i = from; i < to; i++) {
        struct sql_scope_table *t = &b->level->scope.tables[i];
        size_t n = t->hidden_count;
        const char **names = sql_arena_array(&b->plan->arena, n + f->using_count, sizeof *names);
        if (names == NULL)
            return base_err_memory(err, "SQL plan");
        for (size_t k = 0; k < n; k++)
            names[k] = t->hidden[k];
        for (size_t k = 0; k < f->using_count; k++)
            names[n + k] = f->using[k];
        t->hidden = names;
        t->hidden_count = n + f->using_count;
    }
    return FM_OK;
}

struct sides {
    struct sql_rel *left; /* probing: of RIGHT JOIN, the right one */
    struct sql_rel *right;
    size_t left_from, left_to; /* their tables in the scope */
    size_t right_from, right_to;
};

static fm_status bind_using(struct pairs *p, struct sql_binder *b, const struct sides *s,
                            const struct sql_syntax_from *f, struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < f->using_count; i++) {
        size_t x, y;
        st = using_column(&x, b, s->left_from, s->left_to, f->using[i], f -> at, err);
        if (st == FM_OK)
            st = using_column(&y, b, s->right_from, s->right_to, f->using[i], f -> at, err);
        if (st == FM_OK)
            st = sql_bind_equal(&x, &y, b, f->at, err);
        p->left[p->count] = x;
        p->right[p->count++] = y;
    }
    return st == FM_OK ? hide(b, s->right_from, s->right_to, f, err) : st;
}

/* What ON says beside equalities: of an inner join, a filter; of an outer one, a condition of the
 * match, or a filter of the side that may be missing. */
static fm_status bind_on(struct pairs *p, size_t *rest, size_t *rest_count, struct sql_binder *b,
                         struct sides *s, const struct sql_syntax_from *f,
                         const struct sql_conjuncts *on, struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < on->count; i++) {
        size_t node;
        if (sql_bind_has_subquery(on->list[i]))
            return SQL_BIND_ERROR(b, FM_E_UNSUPPORTED, on->list[i]->at, err,
                                  "a subquery in ON is not offered: write it in WHERE");
        st = sql_bind_condition(&node, b, on->list[i], "ON", err);
        if (st != FM_OK || take_pair(p, b, s->left, s->right, node))
            continue;
        if (f->join != SQL_SYNTAX_INNER && is_of(b, s->right, node))
            st = sql_rel_filter(&s->right, b, node, err);
        else
            rest[(*rest_count)++] = node;
    }
    return st;
}

static fm_status join_sides(struct sql_rel **out, struct sql_binder *b, struct sides *s,
                            const struct sql_syntax_from *f, struct base_err *err)
{
    enum sql_join_kind kind = f->join == SQL_SYNTAX_INNER ? SQL_JOIN_INNER : SQL_JOIN_LEFT;
    struct sql_conjuncts on;
    struct pairs p;
    size_t *rest, n = 0;
    fm_status st = sql_bind_split(&on, b, f->on, err);

    if (st == FM_OK)
        st = new_pairs(&p, b, on.count + f->using_count, err);
    if (st != FM_OK)
        return st;
    rest = sql_arena_array(&b->plan->arena, on.count, sizeof *rest);
    if (rest == NULL)
        return base_err_memory(err, "SQL plan");
    st = bind_using(&p, b, s, f, err);
    if (st == FM_OK)
        st = bind_on(&p, rest, &n, b, s, f, &on, err);
    if (st == FM_OK)
        st = sql_bind_join(out, b, kind, s->left, s->right, p.left, p.right, p.count, f->at, err);
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        size_t *condition = &(*out)->join.condition;
        const size_t both[2] = {*condition, rest[i]};
        if (!sql_rel_has_all(b, *out, rest[i]))
            return SQL_BIND_ERROR(b, FM_E_INPUT, b->plan->nodes[rest[i]].at, err,
                                  "ON names a column of a table that is not joined here: write it "
                                  "in WHERE");
        if (kind == SQL_JOIN_INNER)
            st = sql_rel_filter(out, b, rest[i], err);
        else if (*condition == SQL_NONE)
            *condition = rest[i];
        else
            st = sql_bind_make(condition, b, SQL_OP_AND, f->at, both, 2, err);
    }
    return st;
}

static fm_status bind_join_item(struct sql_rel **out, struct sql_binder *b,
                                const struct sql_syntax_from *f, struct base_err *err)
{
    struct sql_scope *scope = &b->level->scope;
    struct sides s = {.left_from = scope->table_count};
    fm_status st = bind_item(&s.left, b, f->left, err);

    s.left_to = s.right_from = scope->table_count;
    if (st == FM_OK)
        st = bind_item(&s.right, b, f->right, err);
    s.right_to = scope->table_count;
    if (st != FM_OK)
        return st;
    if (f->join == SQL_SYNTAX_RIGHT)
        s = (struct sides){s.right, s.left, s.right_from, s.right_to, s.left_from, s.left_to};
    st = join_sides(out, b, &s, f, err);
    for (size_t i = s.right_from; f->join != SQL_SYNTAX_INNER && i < s.right_to; i++)
        scope->tables[i].nulls = true;
    return st;
}

/* ---- tables and subqueries ---- */

static const struct sql_with_scope *find_with(const struct sql_binder *b, const char *name)
{
    const struct sql_with_scope *w = b->level->with;

    while (w != NULL && strcmp(w->with->name, name) != 0)
        w = w->outer;
    return w;
}

/* t (x, y): the first columns get these names. */
static fm_status rename_columns(struct sql_given *g, struct sql_binder *b, const char *const *names,
                                size_t count, int at, struct base_err *err)
{
    const char **all = sql_arena_array(&b->plan->arena, g->count, sizeof *all);

    if (all == NULL)
        return base_err_memory(err, "SQL plan");
    if (count > g->count)
        return SQL_BIND_ERROR(b, FM_E_INPUT, at, err,
                              "%zu names for %zu columns: give each column one", count, g->count);
    for (size_t i = 0; i < g->count; i++)
        all[i] = i < count ? names[i] : g->names[i];
    g->names = all;
    return FM_OK;
}

static fm_status bind_derived(struct sql_scope_table *t, struct sql_binder *b,
                              const struct sql_syntax_from *f, const struct sql_with_scope *with,
                              struct base_err *err)
{
    struct sql_given given;
    fm_status st = sql_bind_query(&given, b, with != NULL ? with->with->query : f->query,
                                  with != NULL ? with->outer : b->level->with, NULL, err);

    if (st == FM_OK && with != NULL)
        st = rename_columns(&given, b, with->with->columns, with->with->column_count, f->at, err);
    if (st == FM_OK)
        st = rename_columns(&given, b, f->columns, f->column_count, f->at, err);
    if (st != FM_OK)
        return st;
    *t = (struct sql_scope_table){.name = f->alias != NULL ? f->alias : f->table,
                                  .rel = given.rel,
                                  .column_count = given.count,
                                  .names = given.names,
                                  .columns = given.columns};
    t->label = t->name;
    return FM_OK;
}

static fm_status bind_leaf(struct sql_rel **out, struct sql_binder *b,
                           const struct sql_syntax_from *f, struct base_err *err)
{
    struct sql_scope *scope = &b->level->scope;
    struct sql_scope_table t;
    const struct sql_with_scope *with =
        f->query == NULL && f->owner == NULL ? find_with(b, f->table) : NULL;
    bool derived = f->query != NULL || with != NULL;
    fm_status st = derived ? bind_derived(&t, b, f, with, err) : sql_bind_table(&t, b, f, err);

    if (st != FM_OK)
        return st;
    for (size_t i = 0; i < scope->table_count; i++) {
        if (strcmp(scope->tables[i].name, t.name) == 0)
            return SQL_BIND_ERROR(
                b, FM_E_INPUT, f->at, err,
                "two tables are called %s: give one another name, as in FROM %s x", t.name, t.name);
    }
    *out = t.scan != NULL ? t.scan : t.rel;
    scope->tables[scope->table_count++] = t;
    return FM_OK;
}

static fm_status bind_item(struct sql_rel **out, struct sql_binder *b,
                           const struct sql_syntax_from *f, struct base_err *err)
{
    return f->left != NULL ? bind_join_item(out, b, f, err) : bind_leaf(out, b, f, err);
}

static size_t count_tables(const struct sql_syntax_from *f)
{
    return f->left == NULL ? 1 : count_tables(f->left) + count_tables(f->right);
}

/* ---- WHERE ---- */

struct where {
    size_t rel_count;
    struct sql_rel **rels; /* of FROM's list; NULL once joined */
    size_t count;
    size_t *nodes;              /* conditions over several of them; SQL_NONE once used */
    struct sql_conjuncts later; /* those with subqueries */
};

/* Does s mention a column that only the query around this one has? */
static bool mentions_outer(struct sql_binder *b, const struct sql_syntax *s)
{
    struct sql_level *outer = b->level->outer;

    if (outer == NULL)
        return false;
    if (s->kind == SQL_SYNTAX_COLUMN)
        return !sql_bind_resolves(b, &b->level->scope, s) && sql_bind_resolves(b, &outer->scope, s);
    for (size_t i = 0; i < s->arg_count; i++) {
        if (mentions_outer(b, s->args[i]))
            return true;
    }
    return false;
}

/* inner = outer: one of the two is of the query around. */
static fm_status add_link(struct sql_binder *b, const struct sql_syntax *s, struct base_err *err)
{
    struct sql_level *level = b->level;
    bool first = mentions_outer(b, s->args[0]);
    struct sql_link *link = &level->links[level->link_count];
    fm_status st = sql_bind_expr(&link->inner, b, s->args[first ? 1 : 0], NULL, err);

    if (st != FM_OK)
        return st;
    b->level = level->outer;
    st = sql_bind_expr(&link->outer, b, s->args[first ? 0 : 1], NULL, err);
    b->level = level;
    if (st == FM_OK)
        st = sql_bind_equal(&link->inner, &link->outer, b, s->at, err);
    link->at = s->at;
    level->link_count++;
    return st;
}

static fm_status bind_conjunct(struct where *w, struct sql_binder *b, const struct sql_syntax *s,
                               struct base_err *err)
{
    size_t node;
    fm_status st;

    if (sql_bind_has_subquery(s)) {
        w->later.list[w->later.count++] = s;
        return FM_OK;
    }
    if (s->kind == SQL_SYNTAX_EQ && mentions_outer(b, s))
        return add_link(b, s, err);
    st = sql_bind_condition(&node, b, s, "WHERE", err);
    if (st != FM_OK)
        return st;
    for (size_t i = 0; i < w->rel_count; i++) {
        if (sql_rel_has_all(b, w->rels[i], node))
            return sql_rel_filter(&w->rels[i], b, node, err);
    }
    w->nodes[w->count++] = node;
    return FM_OK;
}

/* Joins the next table of the list that an equality links with what is there; `whole`: any. */
static fm_status join_next(bool *any, struct sql_rel **rel, struct where *w, struct sql_binder *b,
                           const struct sql_query *q, bool whole, struct base_err *err)
{
    struct pairs p;
    fm_status st = new_pairs(&p, b, w->count, err);

    *any = false;
    for (size_t i = 0; st == FM_OK && !*any && i < w->rel_count; i++) {
        p.count = 0;
        if (w->rels[i] == NULL)
            continue;
        for (size_t k = 0; k < w->count; k++) {
            if (w->nodes[k] != SQL_NONE && take_pair(&p, b, *rel, w->rels[i], w->nodes[k]))
                w->nodes[k] = SQL_NONE;
        }
        if (p.count == 0 && w->rels[i]->rows != 1 && !whole)
            continue;
        st = sql_bind_join(rel, b, SQL_JOIN_INNER, *rel, w->rels[i], p.left, p.right, p.count,
                           i < q->from_count ? q->from[i]->at : q->where->at, err);
        w->rels[i] = NULL;
        *any = true;
    }
    for (size_t k = 0; st == FM_OK && *any && k < w->count; k++) {
        if (w->nodes[k] == SQL_NONE || !sql_rel_has_all(b, *rel, w->nodes[k]))
            continue;
        st = sql_rel_filter(rel, b, w->nodes[k], err);
        w->nodes[k] = SQL_NONE;
    }
    return st;
}

static fm_status join_list(struct sql_rel **rel, struct where *w, struct sql_binder *b,
                           const struct sql_query *q, struct base_err *err)
{
    bool any = true;
    fm_status st = FM_OK;

    *rel = w->rels[0];
    w->rels[0] = NULL;
    while (st == FM_OK && any) {
        st = join_next(&any, rel, w, b, q, false, err);
        if (st == FM_OK && !any)
            st = join_next(&any, rel, w, b, q, true, err);
    }
    return st;
}

static fm_status bind_later(struct sql_binder *b, const struct sql_conjuncts *later,
                            struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && i < later->count; i++) {
        const struct sql_syntax *s = later->list[i];
        size_t node;
        if (s->kind == SQL_SYNTAX_IN_QUERY || s->kind == SQL_SYNTAX_EXISTS ||
            s->kind == SQL_SYNTAX_QUANTIFIED)
            st = sql_bind_subquery(&node, b, s, true, err);
        else
            st = sql_bind_condition(&node, b, s, "WHERE", err);
        if (st == FM_OK)
            st = sql_rel_filter(&b->level->rel, b, node, err);
    }
    return st;
}

static fm_status bind_where(struct where *w, struct sql_binder *b, const struct sql_query *q,
                            struct base_err *err)
{
    struct sql_level *level = b->level;
    struct sql_conjuncts all;
    fm_status st = sql_bind_split(&all, b, q->where, err);

    if (st == FM_OK)
        st = sql_bind_magic(&w->rels[w->rel_count], b, &all, err);
    if (st != FM_OK)
        return st;
    w->rel_count += w->rels[w->rel_count] != NULL;
    w->nodes = sql_arena_array(&b->plan->arena, all.count, sizeof *w->nodes);
    w->later.list = sql_arena_array(&b->plan->arena, all.count, sizeof *w->later.list);
    level->links = sql_arena_array(&b->plan->arena, all.count, sizeof *level->links);
    if (w->nodes == NULL || w->later.list == NULL || level->links == NULL)
        return base_err_memory(err, "SQL plan");
    level->clause = "WHERE";
    for (size_t i = 0; st == FM_OK && i < all.count; i++)
        st = bind_conjunct(w, b, all.list[i], err);
    if (st == FM_OK)
        st = join_list(&level->rel, w, b, q, err);
    if (st == FM_OK)
        st = bind_later(b, &w->later, err);
    level->clause = NULL;
    return st;
}

fm_status sql_bind_from(struct sql_binder *b, const struct sql_query *q, struct base_err *err)
{
    struct sql_level *level = b->level;
    struct where w = {.rel_count = q->from_count};
    size_t tables = 0;
    fm_status st = FM_OK;

    for (size_t i = 0; i < q->from_count; i++)
        tables += count_tables(q->from[i]);
    level->scope.tables = sql_arena_array(&b->plan->arena, tables + 1, sizeof *level->scope.tables);
    w.rels = sql_arena_array(&b->plan->arena, q->from_count + 1, sizeof *w.rels);
    if (level->scope.tables == NULL || w.rels == NULL)
        return base_err_memory(err, "SQL plan");
    level->clause = "ON";
    for (size_t i = 0; st == FM_OK && i < q->from_count; i++)
        st = bind_item(&w.rels[i], b, q->from[i], err);
    return st == FM_OK ? bind_where(&w, b, q, err) : st;
}
