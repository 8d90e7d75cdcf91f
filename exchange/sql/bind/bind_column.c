/* What the name of a column means. */
#include <string.h>
#include <strings.h>

#include "base/nearest.h"
#include "exchange/sql/bind/bind.h"

/* ---- columns of one table ---- */

static const struct sql_dataset *dataset_of(const struct sql_binder *b, const struct sql_rel *scan)
{
    return b->datasets[b->plan->tables[scan->table].first_source];
}

/* Merges two ascending lists. None where there are too many. */
static void merge_values(struct sql_plan_column *mine, const struct sql_column *other,
                         const char **room)
{
    size_t i = 0, k = 0, n = 0;

    while (other->value_count > 0 && (i < mine->value_count || k < other->value_count) &&
           n < SQL_MAX_VALUES) {
        int order = i == mine->value_count    ? 1
                    : k == other->value_count ? -1
                                              : strcmp(mine->values[i], other->values[k]);

        room[n++] = order <= 0 ? mine->values[i] : other->values[k];
        i += order <= 0;
        k += order >= 0;
    }
    mine->value_count = i < mine->value_count || k < other->value_count ? 0 : n;
    memcpy(mine->values, room, n * sizeof *room);
}

/* All that the sources declare, if each does. The plan keeps its own texts. */
static fm_status declared_values(struct sql_plan_column *mine, const struct sql_binder *b,
                                 const struct sql_rel *scan, const struct sql_column *c,
                                 struct base_err *err)
{
    const struct sql_table *t = &b->plan->tables[scan->table];
    const char *room[SQL_MAX_VALUES];

    mine->value_count = c->value_count;
    if (c->value_count == 0)
        return FM_OK;
    mine->values = sql_arena_array(&b->plan->arena, SQL_MAX_VALUES, sizeof(char *));
    if (mine->values == NULL)
        return base_err_memory(err, "SQL plan");
    memcpy(mine->values, c->values, c->value_count * sizeof(char *));
    for (size_t i = 1; i < t->source_count && mine->value_count > 0; i++)
        merge_values(mine, sql_dataset_column(b->datasets[t->first_source + i], c->name), room);
    for (size_t i = 0; i < mine->value_count; i++) {
        mine->values[i] = sql_arena_text(&b->plan->arena, mine->values[i]);
        if (mine->values[i] == NULL)
            return base_err_memory(err, "SQL plan");
    }
    return FM_OK;
}

/* The hull of what all sources declare. */
static struct sql_plan_column declared(const struct sql_binder *b, const struct sql_rel *scan,
                                       const struct sql_column *c)
{
    const struct sql_table *t = &b->plan->tables[scan->table];
    struct sql_plan_column mine = {.type = c->type,
                                   .range = c->range,
                                   .nullable = c->nullable,
                                   .table = scan->table,
                                   .at = -1};

    for (size_t i = 1; i < t->source_count; i++) {
        const struct sql_column *other =
            sql_dataset_column(b->datasets[t->first_source + i], c->name);
        mine.range = sql_range_hull(mine.range, other->range);
        mine.nullable = mine.nullable || other->nullable;
    }
    return mine;
}

fm_status sql_bind_use(size_t *out, struct sql_binder *b, struct sql_rel *scan, const char *name,
                       struct base_err *err)
{
    const struct sql_column *c = sql_dataset_column(dataset_of(b, scan), name);
    struct sql_plan_column mine;

    *out = SQL_NONE;
    if (c == NULL)
        return FM_OK;
    for (size_t i = 0; i < b->plan->column_count; i++) {
        if (b->plan->columns[i].table == scan->table &&
            strcmp(b->plan->columns[i].name, c->name) == 0) {
            *out = i;
            return FM_OK;
        }
    }
    mine = declared(b, scan, c);
    mine.name = sql_arena_text(&b->plan->arena, c->name);
    if (mine.name == NULL)
        return base_err_memory(err, "SQL plan");
    if (declared_values(&mine, b, scan, c, err) != FM_OK)
        return err->code;
    return sql_rel_make(out, b, scan, mine, err);
}

fm_status sql_bind_column_of(size_t *out, struct sql_binder *b, struct sql_scope_table *t,
                             const char *name, struct base_err *err)
{
    *out = SQL_NONE;
    if (t->scan != NULL)
        return sql_bind_use(out, b, t->scan, name, err);
    for (size_t i = 0; i < t->column_count; i++) {
        if (strcasecmp(t->names[i], name) != 0)
            continue;
        if (*out != SQL_NONE && *out != t->columns[i])
            return base_err_set(err, FM_E_INPUT,
                                "column '%s' of %s is there twice: name one of "
                                "them with AS",
                                name, t->label);
        *out = t->columns[i];
    }
    return FM_OK;
}

fm_status sql_bind_all_columns(struct sql_given *out, struct sql_binder *b,
                               struct sql_scope_table *t, struct base_err *err)
{
    const struct sql_dataset *d = t->scan != NULL ? dataset_of(b, t->scan) : NULL;
    size_t n = d != NULL ? d->column_count : t->column_count;
    fm_status st = FM_OK;

    out->count = n;
    out->names = sql_arena_array(&b->plan->arena, n, sizeof *out->names);
    out->columns = sql_arena_array(&b->plan->arena, n, sizeof *out->columns);
    if (out->names == NULL || out->columns == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; st == FM_OK && i < n; i++) {
        out->names[i] = d != NULL ? d->columns[i].name : t->names[i];
        out->columns[i] = d != NULL ? SQL_NONE : t->columns[i];
        if (d != NULL)
            st = sql_bind_use(&out->columns[i], b, t->scan, d->columns[i].name, err);
    }
    return st;
}

/* ---- the names of a scope ---- */

static bool is_hidden(const struct sql_scope_table *t, const char *name)
{
    for (size_t i = 0; i < t->hidden_count; i++) {
        if (strcasecmp(t->hidden[i], name) == 0)
            return true;
    }
    return false;
}

static bool is_named(const struct sql_scope_table *t, const struct sql_syntax *s)
{
    if (s->qualifier == NULL)
        return t->name != NULL && !is_hidden(t, s->text);
    if (t->name == NULL || strcmp(t->name, s->qualifier) != 0)
        return false;
    return s->owner == NULL || (t->owner != NULL && strcmp(t->owner, s->owner) == 0);
}

struct found {
    size_t column;
    struct sql_scope_table *table;
    bool table_known;
};

static fm_status look_in(struct found *out, struct sql_binder *b, struct sql_scope *scope,
                         const struct sql_syntax *s, struct base_err *err)
{
    *out = (struct found){.column = SQL_NONE};
    for (size_t i = 0; i < scope->table_count; i++) {
        struct sql_scope_table *t = &scope->tables[i];
        size_t column;
        fm_status st;
        if (!is_named(t, s))
            continue;
        out->table_known = true;
        st = sql_bind_column_of(&column, b, t, s->text, err);
        if (st != FM_OK)
            return SQL_BIND_ERROR(b, st, s->at, err, "%s", err->text);
        if (column == SQL_NONE)
            continue;
        if (out->column != SQL_NONE)
            return SQL_BIND_ERROR(
                b, FM_E_INPUT, s->at, err, "column '%s' is in %s and in %s: write %s.%s or %s.%s",
                s->text, out->table->name, t->name, out->table->name, s->text, t->name, s->text);
        out->column = column;
        out->table = t;
    }
    return FM_OK;
}

/* ---- refusals ---- */

/* A lower-case copy (SQL names were folded, declared ones may not be); NULL when memory is out. */
static const char *folded(struct sql_binder *b, const char *name)
{
    char *copy = sql_arena_text(&b->plan->arena, name);

    for (char *p = copy; p != NULL && *p != '\0'; p++) {
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p - 'A' + 'a');
    }
    return copy;
}

static fm_status unknown_qualifier(struct sql_binder *b, const struct sql_scope *scope,
                                   const struct sql_syntax *s, struct base_err *err)
{
    const struct sql_scope_table *t = &scope->tables[0];
    const char **names = sql_arena_array(&b->plan->arena, scope->table_count + 1, sizeof *names);
    const char *near;

    if (names == NULL)
        return base_err_memory(err, "SQL plan");
    if (scope->table_count == 1 && strcmp(s->qualifier, t->name) == 0)
        return SQL_BIND_ERROR(b, FM_E_NOT_FOUND, s->at, err,
                              "'%s.%s' is not the table in FROM: write %s.%s", s->owner,
                              s->qualifier, t->name, s->text);
    if (scope->table_count == 1)
        return SQL_BIND_ERROR(b, FM_E_NOT_FOUND, s->at, err,
                              "unknown table '%s' before a column: here it is called %s",
                              s->qualifier, t->name);
    for (size_t i = 0; i < scope->table_count; i++)
        names[i] = scope->tables[i].name;
    near = base_nearest(s->qualifier, names);
    return SQL_BIND_ERROR(b, FM_E_NOT_FOUND, s->at, err, "unknown table '%s' before a column%s%s%s",
                          s->qualifier, near != NULL ? ": did you mean " : "",
                          near != NULL ? near : "", near != NULL ? "?" : "");
}

/* The names that could have been meant, of all tables that the qualifier lets through. */
static fm_status candidates(const char ***out, struct sql_binder *b, const struct sql_scope *scope,
                            const struct sql_syntax *s, struct base_err *err)
{
    size_t n = 0, total = 0;

    for (size_t i = 0; i < scope->table_count; i++) {
        const struct sql_scope_table *t = &scope->tables[i];
        total += t->scan != NULL ? dataset_of(b, t->scan)->column_count : t->column_count;
    }
    *out = sql_arena_array(&b->plan->arena, total + 1, sizeof **out);
    if (*out == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < scope->table_count; i++) {
        const struct sql_scope_table *t = &scope->tables[i];
        const struct sql_dataset *d = t->scan != NULL ? dataset_of(b, t->scan) : NULL;
        size_t count = d != NULL ? d->column_count : t->column_count;
        if (!is_named(t, s))
            continue;
        for (size_t k = 0; k < count; k++) {
            (*out)[n] = folded(b, d != NULL ? d->columns[k].name : t->names[k]);
            if ((*out)[n++] == NULL)
                return base_err_memory(err, "SQL plan");
        }
    }
    return FM_OK;
}

static fm_status unknown_column(struct sql_binder *b, struct sql_scope *scope,
                                const struct sql_syntax *s, struct base_err *err)
{
    const char **names = NULL, *near, *word = folded(b, s->text);
    struct base_buf of = {0};
    fm_status st =
        word != NULL ? candidates(&names, b, scope, s, err) : base_err_memory(err, "SQL plan");

    if (st != FM_OK)
        return st;
    for (size_t i = 0; i < scope->table_count; i++) {
        if (is_named(&scope->tables[i], s))
            base_buf_putf(&of, "%s%s", of.len > 0 ? " or " : "", scope->tables[i].label);
    }
    near = base_nearest(word, names);
    st = SQL_BIND_ERROR(b, FM_E_NOT_FOUND, s->at, err, "unknown column '%s' of %.200s%s%s%s",
                        s->text, base_buf_cstr(&of), near != NULL ? ": did you mean " : "",
                        near != NULL ? near : "", near != NULL ? "?" : "");
    base_buf_release(&of);
    return st;
}

/* ---- grouped queries ---- */

static fm_status check_key(const struct sql_binder *b, size_t column, const struct sql_syntax *s,
                           struct base_err *err)
{
    const struct sql_grouping *g = b->level->grouping;

    if (g == NULL || sql_rel_has(b, b->level->rel, column))
        return FM_OK;
    if (g->query->group_count == 0)
        return SQL_BIND_ERROR(
            b, FM_E_INPUT, s->at, err,
            "column '%s' beside aggregates: put it into an aggregate, or GROUP BY "
            "it",
            s->text);
    return SQL_BIND_ERROR(b, FM_E_INPUT, s->at, err,
                          "column '%s' is not in GROUP BY: add it there, or put it into an "
                          "aggregate, as in MAX(%s)",
                          s->text, s->text);
}

bool sql_bind_resolves(struct sql_binder *b, struct sql_scope *scope, const struct sql_syntax *s)
{
    for (size_t i = 0; i < scope->table_count; i++) {
        struct sql_scope_table *t = &scope->tables[i];
        const struct sql_dataset *d = t->scan != NULL ? dataset_of(b, t->scan) : NULL;
        if (!is_named(t, s))
            continue;
        if (d != NULL && sql_dataset_column(d, s->text) != NULL)
            return true;
        for (size_t k = 0; k < t->column_count; k++) {
            if (strcasecmp(t->names[k], s->text) == 0)
                return true;
        }
    }
    return false;
}

fm_status sql_bind_column(struct sql_node *out, struct sql_binder *b, const struct sql_syntax *s,
                          struct base_err *err)
{
    struct sql_scope *scope = &b->level->scope;
    struct sql_level *outer = b->level->outer;
    const struct sql_plan_column *c;
    struct found f;
    fm_status st = look_in(&f, b, scope, s, err);

    if (st != FM_OK)
        return st;
    if (f.column == SQL_NONE && outer != NULL) {
        st = look_in(&f, b, &outer->scope, s, err);
        if (st != FM_OK)
            return st;
        if (f.column != SQL_NONE)
            return SQL_BIND_ERROR(
                b, FM_E_UNSUPPORTED, s->at, err,
                "'%s' of the query around this one: offered only as inner = outer "
                "in its WHERE, joined by AND",
                s->text);
        st = look_in(&f, b, scope, s, err);
        if (st != FM_OK)
            return st;
    }
    if (!f.table_known)
        return s->qualifier != NULL ? unknown_qualifier(b, scope, s, err)
                                    : unknown_column(b, scope, s, err);
    if (f.column == SQL_NONE)
        return unknown_column(b, scope, s, err);
    st = check_key(b, f.column, s, err);
    if (st != FM_OK)
        return st;
    c = &b->plan->columns[f.column];
    if (c->at < 0)
        b->plan->columns[f.column].at = s->at;
    *out = (struct sql_node){.op = SQL_OP_COLUMN,
                             .type = c->type,
                             .range = c->range,
                             .nullable =
                                 c->nullable || f.table->nulls ||
                                 (f.table->rel != NULL && sql_rel_nulls(b, f.table->rel, f.column)),
                             .index = f.column,
                             .at = s->at};
    return FM_OK;
}
