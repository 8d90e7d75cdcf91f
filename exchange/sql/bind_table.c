/* What the names in FROM and the names of columns mean. */
#include <string.h>

#include "base/nearest.h"
#include "exchange/sql/bind.h"

/* ---- FROM ---- */

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

static fm_status unknown_owner(const struct sql_binder *b, const char *near, struct base_err *err)
{
    if (near != NULL)
        return SQL_BIND_ERROR(b, FM_E_NOT_FOUND, b->query->table_at, err,
                              "no member '%s' publishes datasets: did you mean %s?",
                              b->query->owner, near);
    return SQL_BIND_ERROR(b, FM_E_NOT_FOUND, b->query->table_at, err,
                          "no member '%s' publishes datasets", b->query->owner);
}

static fm_status unknown_table(struct sql_binder *b, struct base_err *err)
{
    const struct sql_query *q = b->query;
    const struct sql_catalog *catalog = b->request->catalog;
    size_t n = catalog->dataset_count, tables = 0;
    const char **members = sql_arena_array(&b->plan->arena, n + 1, sizeof *members);
    const char **names = sql_arena_array(&b->plan->arena, n + 1, sizeof *names);
    bool owner_known = q->owner == NULL;
    const char *near;

    if (members == NULL || names == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < n; i++) {
        const struct sql_dataset *d = &catalog->datasets[i];
        members[i] = d->member;
        if (q->owner != NULL && strcmp(d->member, q->owner) != 0)
            continue;
        owner_known = true;
        names[tables++] = d->name;
    }
    if (!owner_known)
        return unknown_owner(b, base_nearest(q->owner, members), err);
    near = base_nearest(q->table, names);
    if (near != NULL)
        return SQL_BIND_ERROR(b, FM_E_NOT_FOUND, q->table_at, err,
                              "unknown table '%s': did you mean %s?", q->table, near);
    return SQL_BIND_ERROR(b, FM_E_NOT_FOUND, q->table_at, err,
                          "unknown table '%s': nobody publishes such a dataset", q->table);
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

static fm_status check_union(const struct sql_binder *b, struct base_err *err)
{
    const struct sql_dataset *first = b->datasets[0];

    for (size_t i = 1; i < b->plan->source_count; i++) {
        const struct sql_dataset *d = b->datasets[i];
        const struct sql_column *c = differs(first, d);
        if (c == NULL)
            c = differs(d, first);
        if (c != NULL)
            return SQL_BIND_ERROR(b, FM_E_CONFLICT, b->query->table_at, err,
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

static fm_status add_source(struct sql_binder *b, const struct sql_dataset *d, struct base_err *err)
{
    struct sql_plan *plan = b->plan;
    struct sql_source *s = &plan->sources[plan->source_count];

    *s = (struct sql_source){.member = sql_arena_text(&plan->arena, d->member),
                             .dataset = sql_arena_text(&plan->arena, d->name),
                             .version = d->version,
                             .rows = d->rows,
                             .max_rows_per_subject = d->max_rows_per_subject,
                             .recipient = is_recipient(b->request, d->member)};
    if (s->member == NULL || s->dataset == NULL)
        return base_err_memory(err, "SQL plan");
    b->datasets[plan->source_count++] = d;
    plan->rows += d->rows;
    return FM_OK;
}

fm_status sql_bind_table(struct sql_binder *b, struct base_err *err)
{
    const struct sql_catalog *catalog = b->request->catalog;
    const struct sql_query *q = b->query;
    struct sql_plan *plan = b->plan;
    fm_status st = FM_OK;

    b->datasets = sql_arena_array(&plan->arena, catalog->dataset_count, sizeof(void *));
    plan->sources = sql_arena_array(&plan->arena, catalog->dataset_count, sizeof *plan->sources);
    plan->table = sql_arena_text(&plan->arena, q->table);
    plan->tables = sql_arena_array(&plan->arena, 1, sizeof *plan->tables);
    if (b->datasets == NULL || plan->sources == NULL || plan->table == NULL || plan->tables == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; st == FM_OK && i < catalog->dataset_count; i++) {
        const struct sql_dataset *d = &catalog->datasets[i];
        if (strcmp(d->name, q->table) == 0 &&
            (q->owner == NULL || strcmp(d->member, q->owner) == 0))
            st = add_source(b, d, err);
    }
    if (st != FM_OK)
        return st;
    if (plan->rows > SQL_MAX_TOTAL_ROWS)
        return SQL_BIND_ERROR(b, FM_E_LIMIT, q->table_at, err,
                              "'%s' has %lld rows over all members: at most %lld are computed with",
                              q->table, (long long)plan->rows, (long long)SQL_MAX_TOTAL_ROWS);
    plan->table_count = 1;
    plan->tables[0] =
        (struct sql_table){plan->table, 0, plan->source_count, plan->rows, SQL_NONE, q->table_at};
    return plan->source_count == 0 ? unknown_table(b, err) : check_union(b, err);
}

/* ---- columns ---- */

static fm_status check_qualifier(const struct sql_binder *b, const struct sql_syntax *s,
                                 struct base_err *err)
{
    const struct sql_query *q = b->query;
    const char *table = q->table_alias != NULL ? q->table_alias : q->table;

    if (s->qualifier == NULL)
        return FM_OK;
    if (strcmp(s->qualifier, table) != 0)
        return SQL_BIND_ERROR(b, FM_E_NOT_FOUND, s->at, err,
                              "unknown table '%s' before a column: here it is called %s",
                              s->qualifier, table);
    if (s->owner != NULL &&
        (q->table_alias != NULL || q->owner == NULL || strcmp(s->owner, q->owner) != 0))
        return SQL_BIND_ERROR(b, FM_E_NOT_FOUND, s->at, err,
                              "'%s.%s' is not the table in FROM: write %s.%s", s->owner,
                              s->qualifier, table, s->text);
    return FM_OK;
}

static fm_status unknown_column(struct sql_binder *b, const struct sql_syntax *s,
                                struct base_err *err)
{
    const struct sql_dataset *d = b->datasets[0];
    const char **names = sql_arena_array(&b->plan->arena, d->column_count + 1, sizeof *names);
    const char *near, *word = folded(b, s->text);

    if (names == NULL || word == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 0; i < d->column_count; i++) {
        names[i] = folded(b, d->columns[i].name);
        if (names[i] == NULL)
            return base_err_memory(err, "SQL plan");
    }
    near = base_nearest(word, names);
    if (near == NULL)
        return SQL_BIND_ERROR(b, FM_E_NOT_FOUND, s->at, err, "unknown column '%s' of %s", s->text,
                              b->plan->table);
    return SQL_BIND_ERROR(b, FM_E_NOT_FOUND, s->at, err,
                          "unknown column '%s' of %s: did you mean %s?", s->text, b->plan->table,
                          near);
}

/* Adds the column to those that the query uses: the hull of what all sources declare. */
static fm_status use_column(size_t *out, struct sql_binder *b, const struct sql_column *c,
                            struct base_err *err)
{
    struct sql_plan *plan = b->plan;
    struct sql_plan_column *mine;

    for (size_t i = 0; i < plan->column_count; i++) {
        if (strcmp(plan->columns[i].name, c->name) == 0) {
            *out = i;
            return FM_OK;
        }
    }
    mine = &plan->columns[plan->column_count];
    *mine = (struct sql_plan_column){.name = sql_arena_text(&plan->arena, c->name),
                                     .type = c->type,
                                     .range = c->range,
                                     .nullable = c->nullable};
    if (mine->name == NULL)
        return base_err_memory(err, "SQL plan");
    for (size_t i = 1; i < plan->source_count; i++) {
        const struct sql_column *other = sql_dataset_column(b->datasets[i], c->name);
        mine->range = sql_range_hull(mine->range, other->range);
        mine->nullable = mine->nullable || other->nullable;
    }
    *out = plan->column_count++;
    return FM_OK;
}

fm_status sql_bind_column(struct sql_node *out, struct sql_binder *b, const struct sql_syntax *s,
                          struct base_err *err)
{
    const struct sql_column *c = sql_dataset_column(b->datasets[0], s->text);
    const struct sql_plan_column *mine;
    size_t index = SQL_NONE;
    fm_status st = check_qualifier(b, s, err);

    if (st != FM_OK)
        return st;
    if (c == NULL)
        return unknown_column(b, s, err);
    st = use_column(&index, b, c, err);
    if (st != FM_OK)
        return st;
    mine = &b->plan->columns[index];
    *out = (struct sql_node){.op = SQL_OP_COLUMN,
                             .type = mine->type,
                             .range = mine->range,
                             .nullable = mine->nullable,
                             .index = index,
                             .at = s->at};
    return FM_OK;
}
