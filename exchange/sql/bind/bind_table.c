/* A dataset in FROM: which members' rows it means. */
#include <string.h>

#include "base/nearest.h"
#include "exchange/sql/bind/bind.h"

static fm_status unknown_owner(const struct sql_binder *b, const struct sql_syntax_from *f,
                               const char *near, struct base_err *err)
{
    if (near != NULL)
        return SQL_BIND_ERROR(b, FM_E_NOT_FOUND, f->at, err,
                              "no member '%s' publishes datasets: did you mean %s?", f->owner,
                              near);
    return SQL_BIND_ERROR(b, FM_E_NOT_FOUND, f->at, err, "no member '%s' publishes datasets",
                          f->owner);
}

static fm_status unknown_table(struct sql_binder *b, const struct sql_syntax_from *f,
                               struct base_err *err)
{
    const struct sql_catalog *catalog = b->request->catalog;
    size_t n = catalog->dataset_count, tables = 0;
    const char **members = sql_arena_array(&b->plan->arena, n + 1, sizeof *members);
    const char **names = sql_arena_array(&b->plan->arena, n + 1, sizeof *names);
    bool owner_known = f->owner == NULL;
    const char *near;

    if (members == NULL || names == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < n; i++) {
        const struct sql_dataset *d = &catalog->datasets[i];
        members[i] = d->member;
        if (f->owner != NULL && strcmp(d->member, f->owner) != 0)
            continue;
        owner_known = true;
        names[tables++] = d->name;
    }
    if (!owner_known)
        return unknown_owner(b, f, base_nearest(f->owner, members), err);
    near = base_nearest(f->table, names);
    if (near != NULL)
        return SQL_BIND_ERROR(b, FM_E_NOT_FOUND, f->at, err, "unknown table '%s': did you mean %s?",
                              f->table, near);
    return SQL_BIND_ERROR(b, FM_E_NOT_FOUND, f->at, err,
                          "unknown table '%s': nobody publishes such a dataset", f->table);
}

/* The first column of a that b does not have with the same type; NULL if there is none. */
static const struct sql_column *differs(const struct sql_dataset *a, const struct sql_dataset *b)
{
    for (size_t i = 0; i < a->column_count; i++) {
        const struct sql_column *c = &a->columns[i];
        const struct sql_column *other = NULL;
        for (size_t j = 0; j < b->column_count; j++) {
            if (strcmp(b->columns[j].name, c->name) == 0)
                other = &b->columns[j];
        }
        if (other == NULL || !data_type_equal(&c->type, &other->type))
            return c;
    }
    return NULL;
}

static fm_status check_union(const struct sql_binder *b, const struct sql_table *t,
                             struct base_err *err)
{
    const struct sql_dataset *first = b->datasets[t->first_source];

    for (size_t i = 1; i < t->source_count; i++) {
        const struct sql_dataset *d = b->datasets[t->first_source + i];
        const struct sql_column *c = differs(first, d);
        if (c == NULL)
            c = differs(d, first);
        if (c != NULL)
            return SQL_BIND_ERROR(b, FM_E_CONFLICT, t->at, err,
                                  "%s and %s declare '%s' with different columns ('%s' differs): "
                                  "query %s.%s alone, or let both publish the same columns",
                                  first->member, d->member, first->name, c->name, first->member,
                                  first->name);
    }
    return FM_OK;
}

static bool is_recipient(const struct sql_request *r, const char *member)
{
    for (size_t i = 0; i < r->recipient_count; i++) {
        if (strcmp(r->recipients[i], member) == 0)
            return true;
    }
    return false;
}

static bool make_room(struct sql_binder *b, size_t more)
{
    struct sql_plan *plan = b->plan;
    size_t cap = 2 * (plan->source_count + more);
    struct sql_source *sources;
    const struct sql_dataset **datasets;

    if (plan->source_count + more <= b->source_cap)
        return true;
    sources = sql_arena_array(&plan->arena, cap, sizeof *sources);
    datasets = sql_arena_array(&plan->arena, cap, sizeof *datasets);
    if (sources == NULL || datasets == NULL)
        return false;
    if (plan->source_count > 0) {
        memcpy(sources, plan->sources, plan->source_count * sizeof *sources);
        memcpy(datasets, b->datasets, plan->source_count * sizeof *datasets);
    }
    plan->sources = sources;
    b->datasets = datasets;
    b->source_cap = cap;
    return true;
}

static fm_status add_source(struct sql_binder *b, const struct sql_dataset *d, struct base_err *err)
{
    struct sql_plan *plan = b->plan;
    struct sql_source *s;

    if (!make_room(b, 1))
        return base_err_memory(err, "SQL plan");
    s = &plan->sources[plan->source_count];
    *s = (struct sql_source){.table = plan->table_count,
                             .member = sql_arena_text(&plan->arena, d->member),
                             .dataset = sql_arena_text(&plan->arena, d->name),
                             .version = d->version,
                             .rows = d->rows,
                             .max_rows_per_subject = d->max_rows_per_subject,
                             .recipient = is_recipient(b->request, d->member)};
    if (s->member == NULL || s->dataset == NULL)
        return base_err_memory(err, "SQL plan");
    b->datasets[plan->source_count++] = d;
    return FM_OK;
}

static size_t earlier(const struct sql_plan *plan, const struct sql_table *t)
{
    for (size_t i = 0; i < plan->table_count; i++) {
        const struct sql_table *e = &plan->tables[i];
        bool same = e->source_count == t->source_count && strcmp(e->name, t->name) == 0;
        for (size_t k = 0; same && k < t->source_count; k++)
            same = strcmp(plan->sources[e->first_source + k].member,
                          plan->sources[t->first_source + k].member) == 0;
        if (same)
            return i;
    }
    return SQL_NONE;
}

static fm_status add_table(struct sql_table *t, struct sql_binder *b,
                           const struct sql_syntax_from *f, struct base_err *err)
{
    const struct sql_catalog *catalog = b->request->catalog;
    struct sql_plan *plan = b->plan;
    fm_status st = FM_OK;

    *t = (struct sql_table){.first_source = plan->source_count, .at = f->at};
    t->name = sql_arena_text(&plan->arena, f->table);
    if (t->name == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; st == FM_OK && i < catalog->dataset_count; i++) {
        const struct sql_dataset *d = &catalog->datasets[i];
        if (strcmp(d->name, f->table) == 0 &&
            (f->owner == NULL || strcmp(d->member, f->owner) == 0)) {
            st = add_source(b, d, err);
            t->rows += d->rows;
        }
    }
    t->source_count = plan->source_count - t->first_source;
    if (st != FM_OK)
        return st;
    if (t->rows > SQL_MAX_TOTAL_ROWS)
        return SQL_BIND_ERROR(b, FM_E_LIMIT, f->at, err,
                              "'%s' has %lld rows over all members: at most %lld are computed with",
                              f->table, (long long)t->rows, (long long)SQL_MAX_TOTAL_ROWS);
    t->same_as = earlier(plan, t);
    return t->source_count == 0 ? unknown_table(b, f, err) : check_union(b, t, err);
}

static bool table_room(struct sql_binder *b)
{
    struct sql_plan *plan = b->plan;
    size_t cap = b->table_cap == 0 ? 8 : 2 * b->table_cap;
    struct sql_table *tables;

    if (plan->table_count < b->table_cap)
        return true;
    tables = sql_arena_array(&plan->arena, cap, sizeof *tables);
    if (tables == NULL)
        return false;
    if (plan->table_count > 0)
        memcpy(tables, plan->tables, plan->table_count * sizeof *tables);
    plan->tables = tables;
    b->table_cap = cap;
    return true;
}

fm_status sql_bind_table(struct sql_scope_table *out, struct sql_binder *b,
                         const struct sql_syntax_from *f, struct base_err *err)
{
    struct sql_plan *plan = b->plan;
    struct sql_table *t;
    fm_status st;

    *out = (struct sql_scope_table){.label = f->table};
    if (!table_room(b))
        return base_err_memory(err, "SQL plan");
    t = &plan->tables[plan->table_count];
    st = add_table(t, b, f, err);
    if (st == FM_OK)
        st = sql_rel_new(&out->scan, b, SQL_REL_SCAN, NULL, f->at, err);
    if (st != FM_OK)
        return st;
    out->scan->table = plan->table_count++;
    out->scan->rows = t->rows;
    out->name = f->alias != NULL ? f->alias : f->table;
    out->owner = f->alias != NULL ? NULL : f->owner;
    return FM_OK;
}
