/* A subquery whose WHERE names columns of the query around it otherwise than as inner = outer. It
 * is asked once for each different value that these columns have: one more table of its FROM,
 * DISTINCT over the table around that they are columns of, stands for the outer row, and that it is
 * the outer row's is said by equalities, as for any other subquery. (SELECT SUM(x.v) FROM x WHERE
 * x.v < o.w)   becomes (SELECT SUM(x.v) FROM x, (SELECT DISTINCT w FROM o) m WHERE x.v < m.w AND
 * m.w = o.w) Every row meets every row there, so both tables have to be small (SQL_MAX_PAIRS). */
#include <string.h>

#include "exchange/sql/bind/bind.h"

enum { MOST_COLUMNS = 16 };
static const char stand_in[] = "the outer row";

struct magic {
    struct sql_binder *b;
    size_t table; /* of the outer scope; SQL_NONE: none yet */
    bool several; /* more than one table, or too many columns */
    size_t count;
    const struct sql_syntax *columns[MOST_COLUMNS];
};

/* ---- which columns ---- */

static bool is_outer(const struct magic *m, const struct sql_syntax *s)
{
    struct sql_level *level = m->b->level;

    return s->kind == SQL_SYNTAX_COLUMN && !sql_bind_resolves(m->b, &level->scope, s) &&
           sql_bind_resolves(m->b, &level->outer->scope, s);
}

static size_t table_of(const struct magic *m, const struct sql_syntax *s)
{
    struct sql_scope *scope = &m->b->level->outer->scope;

    for (size_t i = 0; i < scope->table_count; i++) {
        struct sql_scope one = {1, &scope->tables[i]};
        if (sql_bind_resolves(m->b, &one, s))
            return i;
    }
    return SQL_NONE;
}

static void collect(struct magic *m, const struct sql_syntax *s)
{
    for (size_t i = 0; i < s->arg_count; i++)
        collect(m, s->args[i]);
    if (!is_outer(m, s))
        return;
    if (m->table != SQL_NONE && m->table != table_of(m, s)) {
        m->several = true;
        return;
    }
    for (size_t i = 0; i < m->count; i++) {
        if (strcmp(m->columns[i]->text, s->text) == 0)
            return;
    }
    if (m->count == MOST_COLUMNS) {
        m->several = true;
        return;
    }
    m->table = table_of(m, s);
    m->columns[m->count++] = s;
}

static bool mentions(const struct magic *m, const struct sql_syntax *s, bool outer)
{
    if (s->kind == SQL_SYNTAX_COLUMN)
        return is_outer(m, s) == outer;
    for (size_t i = 0; i < s->arg_count; i++) {
        if (mentions(m, s->args[i], outer))
            return true;
    }
    return false;
}

/* inner = outer, which needs no stand-in. */
static bool is_link(const struct magic *m, const struct sql_syntax *s)
{
    if (s->kind != SQL_SYNTAX_EQ)
        return false;
    for (int i = 0; i < 2; i++) {
        if (!mentions(m, s->args[i], true) && !mentions(m, s->args[1 - i], false))
            return true;
    }
    return false;
}

static bool is_arithmetic(const struct sql_syntax *s)
{
    switch (s->kind) {
    case SQL_SYNTAX_COLUMN:
    case SQL_SYNTAX_NUMBER:
    case SQL_SYNTAX_STRING:
    case SQL_SYNTAX_DATE:
    case SQL_SYNTAX_PARAM:
        return true;
    case SQL_SYNTAX_ADD:
    case SQL_SYNTAX_SUB:
    case SQL_SYNTAX_MUL:
    case SQL_SYNTAX_NEG:
        break;
    default:
        return false;
    }
    for (size_t i = 0; i < s->arg_count; i++) {
        if (!is_arithmetic(s->args[i]))
            return false;
    }
    return true;
}

/* Never true where a column in it is NULL: an outer row with a NULL equals no stand-in, and needs
 * none then. */
static bool rejects_null(const struct sql_syntax *s)
{
    bool compares =
        (s->kind >= SQL_SYNTAX_EQ && s->kind <= SQL_SYNTAX_GE) || s->kind == SQL_SYNTAX_BETWEEN;

    for (size_t i = 0; compares && i < s->arg_count; i++)
        compares = is_arithmetic(s->args[i]);
    return compares;
}

/* ---- the stand-in ---- */

/* Leaf number *n of FROM, in the order in which tables came into the scope. */
static const struct sql_syntax_from *leaf(const struct sql_syntax_from *f, size_t *n)
{
    const struct sql_syntax_from *found;

    if (f->left == NULL)
        return (*n)-- == 0 ? f : NULL;
    found = leaf(f->left, n);
    return found != NULL ? found : leaf(f->right, n);
}

static struct sql_syntax_from *copy_leaf(struct magic *m)
{
    const struct sql_query *q = m->b->level->outer->query;
    const struct sql_syntax_from *f = NULL;
    struct sql_syntax_from *copy = sql_arena_alloc(&m->b->plan->arena, sizeof *copy);
    size_t n = m->table;

    for (size_t i = 0; f == NULL && i < q->from_count; i++)
        f = leaf(q->from[i], &n);
    if (copy != NULL && f != NULL)
        *copy = *f;
    return f != NULL ? copy : NULL;
}

/* SELECT DISTINCT those columns FROM that table. */
static fm_status distinct_query(struct sql_query **out, struct magic *m, struct base_err *err)
{
    struct sql_arena *arena = &m->b->plan->arena;
    struct sql_query *q = sql_arena_alloc(arena, sizeof *q);

    if (q == NULL)
        return base_err_memory(err, "SQL plan");
    *q = (struct sql_query){.text = m->b->text,
                            .at = m->columns[0]->at,
                            .set = SQL_SYNTAX_SELECT,
                            .distinct = true,
                            .item_count = m->count,
                            .from_count = 1};
    q->items = sql_arena_array(arena, m->count, sizeof *q->items);
    q->from = sql_arena_array(arena, 1, sizeof(struct sql_syntax_from *));
    if (q->items == NULL || q->from == NULL || (q->from[0] = copy_leaf(m)) == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < m->count; i++) {
        struct sql_syntax *s = sql_arena_alloc(arena, sizeof *s);
        if (s == NULL)
            return base_err_memory(err, "SQL plan");
        *s = *m->columns[i];
        q->items[i] = (struct sql_syntax_item){s, s->text};
    }
    *out = q;
    return FM_OK;
}

static fm_status add_table(struct sql_rel **rel, struct magic *m, struct base_err *err)
{
    struct sql_level *level = m->b->level;
    struct sql_query *q = NULL;
    struct sql_given given;
    fm_status st = distinct_query(&q, m, err);

    if (st == FM_OK)
        st = sql_bind_query(&given, m->b, q, level->outer->with, NULL, err);
    if (st != FM_OK)
        return st;
    *rel = given.rel;
    level->scope.tables[level->scope.table_count++] =
        (struct sql_scope_table){.name = stand_in,
                                 .label = stand_in,
                                 .rel = given.rel,
                                 .column_count = given.count,
                                 .names = given.names,
                                 .columns = given.columns,
                                 .hidden_count = given.count, /* nobody writes them */
                                 .hidden = given.names};
    return FM_OK;
}

/* ---- conditions over it ---- */

/* The tree with the stand-in's columns for the outer ones; NULL: memory is out. */
static struct sql_syntax *replaced(const struct magic *m, const struct sql_syntax *s)
{
    struct sql_arena *arena = &m->b->plan->arena;
    struct sql_syntax *copy = sql_arena_alloc(arena, sizeof *copy);

    if (copy == NULL)
        return NULL;
    *copy = *s;
    if (is_outer(m, s)) {
        copy->qualifier = stand_in;
        copy->owner = NULL;
    }
    copy->args = sql_arena_array(arena, s->arg_count, sizeof(struct sql_syntax *));
    for (size_t i = 0; copy->args != NULL && i < s->arg_count; i++) {
        copy->args[i] = replaced(m, s->args[i]);
        if (copy->args[i] == NULL)
            return NULL;
    }
    return copy->args != NULL ? copy : NULL;
}

static struct sql_syntax *equality(const struct magic *m, size_t column)
{
    struct sql_arena *arena = &m->b->plan->arena;
    struct sql_syntax *s = sql_arena_alloc(arena, sizeof *s),
                      *own = replaced(m, m->columns[column]);

    if (s == NULL || own == NULL)
        return NULL;
    *s = (struct sql_syntax){.kind = SQL_SYNTAX_EQ, .at = own->at, .arg_count = 2};
    s->args = sql_arena_array(arena, 2, sizeof(struct sql_syntax *));
    if (s->args == NULL)
        return NULL;
    s->args[0] = own;
    s->args[1] = sql_arena_alloc(arena, sizeof *s);
    if (s->args[1] != NULL)
        *s->args[1] = *m->columns[column];
    return s->args[1] != NULL ? s : NULL;
}

static bool asks(const struct magic *m, const struct sql_syntax *s)
{
    return !sql_bind_has_subquery(s) && mentions(m, s, true) && !is_link(m, s);
}

/* May an outer column be NULL, where a condition could be true for it nevertheless? */
static bool needs_null(const struct magic *m, const struct sql_conjuncts *all)
{
    struct sql_level *level = m->b->level;
    bool all_reject = true, nullable = false;

    for (size_t i = 0; i < all->count; i++)
        all_reject = all_reject && (!asks(m, all->list[i]) || rejects_null(all->list[i]));
    for (size_t i = 0; !all_reject && i < m->count; i++) {
        struct base_err ignored;
        struct sql_node node;
        m->b->level = level->outer;
        nullable = sql_bind_column(&node, m->b, m->columns[i], &ignored) != FM_OK ||
                   node.nullable || nullable;
        m->b->level = level;
    }
    return nullable;
}

fm_status sql_bind_magic(struct sql_rel **rel, struct sql_binder *b, struct sql_conjuncts *all,
                         struct base_err *err)
{
    struct magic m = {.b = b, .table = SQL_NONE};
    const struct sql_syntax **list;
    size_t n = all->count;
    fm_status st;

    *rel = NULL;
    for (size_t i = 0; b->level->outer != NULL && i < all->count; i++) {
        if (asks(&m, all->list[i]))
            collect(&m, all->list[i]);
    }
    /* What this cannot do, is refused where the column is bound. */
    if (m.count == 0 || m.several || needs_null(&m, all) ||
        b->level->outer->query->set != SQL_SYNTAX_SELECT)
        return FM_OK;
    list = sql_arena_array(&b->plan->arena, n + m.count, sizeof *list);
    if (list == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < n; i++) {
        list[i] = asks(&m, all->list[i]) ? replaced(&m, all->list[i]) : all->list[i];
        if (list[i] == NULL)
            return base_err_memory(err, "SQL plan");
    }
    for (size_t i = 0; i < m.count; i++) {
        list[n + i] = equality(&m, i);
        if (list[n + i] == NULL)
            return base_err_memory(err, "SQL plan");
    }
    st = add_table(rel, &m, err);
    all->list = list;
    all->count = n + m.count;
    return st;
}
