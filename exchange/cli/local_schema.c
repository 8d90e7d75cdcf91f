#include "exchange/cli/local_schema.h"

#include <stdio.h>
#include <string.h>

#include "exchange/cli/local_keys.h"
#include "exchange/data/store.h"

struct found {
    struct data_schema schema;
    enum data_origin origin;
    bool there;
    bool empty[DATA_COLUMNS_MAX]; /* a plain table's column without a single value has no type */
};

/* Is the column NULL in every row? Stops at the first value. */
static fm_status is_empty(bool *out, struct data_store *store, const char *table,
                          const struct data_schema *schema, size_t column, struct base_err *err)
{
    const struct data_cell *row = NULL;
    struct data_rows *rows;
    fm_status st = data_rows_open(&rows, store, table, schema, &column, 1, err);

    *out = true;
    while (st == FM_OK && *out && (st = data_rows_next(&row, NULL, rows, err)) == FM_OK &&
           row != NULL)
        *out = row[0].null;
    data_rows_free(rows);
    return st;
}

static fm_status find_empty(struct found *f, struct data_store *store, const char *table,
                            struct base_err *err)
{
    fm_status st = FM_OK;

    for (size_t i = 0; st == FM_OK && f->origin == DATA_PLAIN && i < f->schema.column_count; i++)
        if (f->schema.columns[i].type.kind == DATA_TEXT)
            st = is_empty(&f->empty[i], store, table, &f->schema, i, err);
    return st;
}

static fm_status read_one(struct found *f, const struct throwaway_member *m,
                          const struct sql_query *query, const char *table, struct base_err *err)
{
    struct data_store *store;
    struct data_notes notes = {0};
    fm_status st = data_store_open(&store, m->data, err);

    if (st != FM_OK)
        return st;
    st = data_store_schema(&f->schema, &f->origin, &notes, store, table, err);
    f->there = st == FM_OK;
    if (st == FM_OK)
        st = find_empty(f, store, table, err);
    if (st == FM_OK && f->origin == DATA_PLAIN && local_keys_matter(query))
        st = local_keys_count(&f->schema, store, table, err);
    if (f->there && f->origin != DATA_DECLARED) {
        fprintf(stderr,
                "note: %s: no declared schema for %s: types and ranges come from its data\n",
                m->alias, table);
        for (size_t i = 0; i < notes.count; i++)
            fprintf(stderr, "note: %s: %s\n", m->alias, notes.items[i]);
    }
    data_notes_release(&notes);
    data_store_free(store);
    return st == FM_E_NOT_FOUND ? FM_OK : st;
}

/* The narrowest type that holds both; *same is false if there is none. */
static struct data_type hull(struct data_type a, struct data_type b, bool *same)
{
    unsigned a_whole = a.kind == DATA_DECIMAL ? a.precision - a.scale : DATA_PRECISION_MAX;
    unsigned b_whole = b.kind == DATA_DECIMAL ? b.precision - b.scale : DATA_PRECISION_MAX;

    *same = true;
    if (a.kind == b.kind && a.kind == DATA_TEXT)
        return a.max_bytes > b.max_bytes ? a : b;
    if (a.kind == b.kind && a.kind == DATA_DECIMAL) {
        unsigned scale = a.scale > b.scale ? a.scale : b.scale;
        unsigned whole = a_whole > b_whole ? a_whole : b_whole;
        unsigned precision =
            whole + scale < DATA_PRECISION_MAX ? whole + scale : DATA_PRECISION_MAX;
        return (struct data_type){DATA_DECIMAL, precision, scale, 0};
    }
    if (a.kind == DATA_INTEGER && b.kind == DATA_DECIMAL)
        return (struct data_type){DATA_DECIMAL, DATA_PRECISION_MAX, b.scale, 0};
    if (a.kind == DATA_DECIMAL && b.kind == DATA_INTEGER)
        return (struct data_type){DATA_DECIMAL, DATA_PRECISION_MAX, a.scale, 0};
    *same = a.kind == b.kind;
    return a;
}

/* Gives column c the wider type, its range rescaled. Only derived schemas of plain tables can
 * change. */
static fm_status widen(struct found *f, struct data_column *c, struct data_type type,
                       const char *alias, struct base_err *err)
{
    if (data_type_equal(&c->type, &type))
        return FM_OK;
    if (f->origin != DATA_PLAIN)
        return base_err_set(err, FM_E_CONFLICT,
                            "%s: column %s is stored with another type than at the other parties",
                            alias, c->name);
    if (type.kind == DATA_DECIMAL &&
        (!data_number_rescale(&c->min, c->min, c->type.scale, type.scale) ||
         !data_number_rescale(&c->max, c->max, c->type.scale, type.scale)))
        return base_err_set(err, FM_E_LIMIT,
                            "%s: column %s does not fit 64 bits at %u fraction digits", alias,
                            c->name, type.scale);
    c->type = type;
    return FM_OK;
}

/* The column as the others have it: any type holds nothing but NULL. */
static void adopt(struct data_column *c, const struct data_column *from)
{
    c->type = from->type;
    c->min = from->min;
    c->max = from->max;
}

static void adopt_types(struct found *all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; all[i].there && c < all[i].schema.column_count; c++)
            for (size_t k = 0; all[i].empty[c] && k < n; k++) {
                size_t other = all[k].there
                                   ? data_schema_find(&all[k].schema, all[i].schema.columns[c].name)
                                   : DATA_NO_COLUMN;
                if (other == DATA_NO_COLUMN || all[k].empty[other])
                    continue;
                adopt(&all[i].schema.columns[c], &all[k].schema.columns[other]);
                all[i].empty[c] = false;
            }
}

/* Does an expression use the column as a number? number: its own value is used as one. Its depth is
 * bounded by the parser (SQL_MAX_DEPTH). */
static bool is_number(const struct sql_syntax *s, const char *column, bool number)
{
    bool found = s->kind == SQL_SYNTAX_COLUMN && number && strcmp(s->text, column) == 0;
    bool operand = s->kind == SQL_SYNTAX_SIMPLE_CASE;

    for (size_t i = 0; !found && i < s->arg_count; i++) {
        bool passed = false;
        switch (s->kind) {
        case SQL_SYNTAX_CALL:
            passed = strcmp(s->text, "count") != 0;
            break;
        case SQL_SYNTAX_ADD:
        case SQL_SYNTAX_SUB:
        case SQL_SYNTAX_MUL:
        case SQL_SYNTAX_NEG:
            passed = true;
            break;
        case SQL_SYNTAX_COALESCE:
        case SQL_SYNTAX_NULLIF:
            passed = number;
            break;
        case SQL_SYNTAX_CASE:
        case SQL_SYNTAX_SIMPLE_CASE: /* WHENs come before their THENs; an odd last one is the ELSE
                                      */
            passed = number && i >= operand && ((i - operand) % 2 == 1 || i + 1 == s->arg_count);
            break;
        default:
            break; /* a condition: its operands are of any type */
        }
        found = is_number(s->args[i], column, passed);
    }
    return found;
}

static bool is_used_as_number(const struct sql_query *query, const char *column)
{
    bool used = query->where != NULL && is_number(query->where, column, false);

    for (size_t i = 0; !used && i < query->item_count; i++)
        used = is_number(query->items[i].expr, column, false);
    return used;
}

/* After adopt_types() a column is empty only if it is so at every party that has the table. */
static void number_types(struct found *all, size_t n, const struct throwaway *t,
                         const struct sql_query *query, const char *table)
{
    for (size_t i = 0; i < n; i++)
        for (size_t c = 0; all[i].there && c < all[i].schema.column_count; c++) {
            struct data_column *column = &all[i].schema.columns[c];
            if (!all[i].empty[c] || !is_used_as_number(query, column->name))
                continue;
            column->type = (struct data_type){.kind = DATA_INTEGER};
            column->min = column->max = 0;
            fprintf(stderr, "note: %s: %s.%s: nobody has a value: taken as INTEGER\n",
                    t->members[i].alias, table, column->name);
        }
}

static fm_status agree(struct found *all, const struct throwaway *t, size_t n, struct base_err *err)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < n; k++) {
            struct found *a = &all[i], *b = &all[k];
            for (size_t c = 0; a->there && b->there && c < a->schema.column_count; c++) {
                size_t other = data_schema_find(&b->schema, a->schema.columns[c].name);
                struct data_type type;
                bool same;
                if (other == DATA_NO_COLUMN)
                    continue; /* The planner names the column that differs. */
                type = hull(a->schema.columns[c].type, b->schema.columns[other].type, &same);
                if (same &&
                    (widen(a, &a->schema.columns[c], type, t->members[i].alias, err) != FM_OK ||
                     widen(b, &b->schema.columns[other], type, t->members[k].alias, err) != FM_OK))
                    return err->code;
            }
        }
    return FM_OK;
}

fm_status local_schemas_read(struct local_schemas *out, const struct throwaway *t, size_t providers,
                             const struct sql_query *query, const char *table, struct base_err *err)
{
    struct found all[THROWAWAY_MAX] = {0};
    size_t there = 0;
    fm_status st = FM_OK;

    *out = (struct local_schemas){0};
    for (size_t i = 0; st == FM_OK && i < providers; i++) {
        st = read_one(&all[i], &t->members[i], query, table, err);
        there += all[i].there;
    }
    if (st == FM_OK && there == 0)
        st = base_err_set(err, FM_E_NOT_FOUND, "no file has a table '%s'", table);
    adopt_types(all, providers);
    if (st == FM_OK)
        number_types(all, providers, t, query, table);
    if (st == FM_OK)
        st = agree(all, t, providers, err);
    for (size_t i = 0; st == FM_OK && i < providers; i++)
        if (all[i].there)
            st = data_schema_to_json(&out->json[i], &all[i].schema, err);
    for (size_t i = 0; i < providers; i++)
        data_schema_release(&all[i].schema);
    return st;
}

void local_schemas_release(struct local_schemas *schemas)
{
    for (size_t i = 0; i < THROWAWAY_MAX; i++)
        json_decref(schemas->json[i]);
}
