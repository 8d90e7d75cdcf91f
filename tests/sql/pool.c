#include "tests/sql/pool.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

fm_status pool_open(struct pool *pool, struct base_err *err)
{
    *pool = (struct pool){0};
    if (sqlite3_open(":memory:", &pool->db) != SQLITE_OK)
        return base_err_set(err, FM_E_IO, "sqlite: %s", sqlite3_errmsg(pool->db));
    /* LIKE as everybody else has it. */
    return pool_execute(pool, "PRAGMA case_sensitive_like = ON", err);
}

static void tables_release(struct pool *pool)
{
    for (size_t i = 0; i < pool->table_count; i++)
        sql_arena_release(&pool->tables[i].arena);
    free(pool->tables);
    pool->tables = NULL;
    pool->table_count = 0;
}

void pool_close(struct pool *pool)
{
    tables_release(pool);
    (void)sqlite3_close(pool->db);
    *pool = (struct pool){0};
}

fm_status pool_execute(struct pool *pool, const char *sql, struct base_err *err)
{
    char *message = NULL;
    fm_status st = FM_OK;

    if (sqlite3_exec(pool->db, sql, NULL, NULL, &message) != SQLITE_OK)
        st = base_err_set(err, FM_E_INPUT, "sqlite: %s", message);
    sqlite3_free(message);
    return st;
}

/* ---- types, as SQL dialects write them ---- */

static bool begins(const char *text, const char *word)
{
    return sqlite3_strnicmp(text, word, (int)strlen(word)) == 0;
}

/* Digits after the point that a column's texts need. */
static unsigned scale_needed(struct pool *pool, const struct pool_table *t, const char *column)
{
    char *sql = sqlite3_mprintf("SELECT \"%w\" FROM \"%w\".\"%w\" WHERE \"%w\" IS NOT NULL", column,
                                t->place, t->name, column);
    unsigned scale = 0;
    sqlite3_stmt *s;

    if (sql != NULL && sqlite3_prepare_v2(pool->db, sql, -1, &s, NULL) == SQLITE_OK) {
        while (sqlite3_step(s) == SQLITE_ROW) {
            const char *text = (const char *)sqlite3_column_text(s, 0);
            struct base_err ignored;
            int64_t value;
            unsigned digits;
            if (data_number_parse(&value, &digits, text, strlen(text), &ignored) != FM_OK)
                continue;
            while (digits > 0 && value % 10 == 0) { /* 2.0 is how SQLite writes 2 */
                value /= 10;
                digits--;
            }
            scale = digits > scale ? digits : scale;
        }
        (void)sqlite3_finalize(s);
    }
    sqlite3_free(sql);
    return scale;
}

static unsigned longest_text(struct pool *pool, const struct pool_table *t, const char *column)
{
    char *sql = sqlite3_mprintf("SELECT max(length(CAST(\"%w\" AS BLOB))) FROM \"%w\".\"%w\"",
                                column, t->place, t->name);
    unsigned longest = 1;
    sqlite3_stmt *s;

    if (sql != NULL && sqlite3_prepare_v2(pool->db, sql, -1, &s, NULL) == SQLITE_OK) {
        if (sqlite3_step(s) == SQLITE_ROW && sqlite3_column_int(s, 0) > 0)
            longest = (unsigned)sqlite3_column_int(s, 0);
        (void)sqlite3_finalize(s);
    }
    sqlite3_free(sql);
    return (longest + 15) / 16 * 16; /* members who publish one dataset declare it alike */
}

static fm_status type_of(struct data_type *out, struct pool *pool, const struct pool_table *t,
                         const char *column, const char *declared, struct base_err *err)
{
    static const char *const integers[] = {"INT", "BIGINT", "SMALLINT", "TINYINT"};
    static const char *const reals[] = {"REAL", "FLOAT", "DOUBLE", "NUMERIC"};
    static const char *const texts[] = {"TEXT", "VARCHAR", "CHAR", "STRING"};

    *out = (struct data_type){.kind = DATA_INTEGER};
    for (size_t i = 0; i < sizeof integers / sizeof *integers; i++) {
        if (begins(declared, integers[i]))
            return FM_OK;
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        if (begins(declared, texts[i])) {
            *out =
                (struct data_type){.kind = DATA_TEXT, .max_bytes = longest_text(pool, t, column)};
            return FM_OK;
        }
    }
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
        if (begins(declared, reals[i])) {
            *out = (struct data_type){
                .kind = DATA_DECIMAL, .precision = 18, .scale = scale_needed(pool, t, column)};
            return FM_OK;
        }
    }
    if (begins(declared, "DECIMAL("))
        return data_type_parse(out, declared, err);
    if (begins(declared, "BOOL"))
        out->kind = DATA_BOOLEAN;
    else if (begins(declared, "DATE") && !begins(declared, "DATETIME"))
        out->kind = DATA_DATE;
    else
        return base_err_set(err, FM_E_UNSUPPORTED, "a column of type %s", declared);
    return FM_OK;
}

/* ---- rows ---- */

static fm_status read_cell(struct pool_cell *cell, struct pool_table *t,
                           const struct pool_column *c, sqlite3_stmt *s, int at,
                           struct base_err *err)
{
    const char *text = (const char *)sqlite3_column_text(s, at);
    size_t len = (size_t)sqlite3_column_bytes(s, at);
    int64_t value;
    unsigned scale;

    if (text == NULL) {
        cell->null = true;
        return FM_OK;
    }
    if (c->type.kind == DATA_TEXT) {
        cell->len = len;
        cell->text = sql_arena_text(&t->arena, text);
        return cell->text != NULL ? data_text_check(&c->type, text, len, err)
                                  : base_err_set(err, FM_E_MEMORY, "memory");
    }
    if (c->type.kind != DATA_DECIMAL)
        return data_value_parse(&cell->value, &c->type, text, len, err);
    if (data_number_parse(&value, &scale, text, len, err) != FM_OK)
        return err->code;
    if (!data_number_rescale(&cell->value, value, scale, c->type.scale))
        return base_err_set(err, FM_E_UNSUPPORTED, "a value with more digits than its column");
    return FM_OK;
}

static fm_status read_rows(struct pool *pool, struct pool_table *t, struct base_err *err)
{
    char *sql = sqlite3_mprintf("SELECT *, (SELECT count(*) FROM \"%w\".\"%w\") FROM \"%w\".\"%w\"",
                                t->place, t->name, t->place, t->name);
    fm_status st = FM_OK;
    sqlite3_stmt *s;
    size_t at = 0;

    if (sqlite3_prepare_v2(pool->db, sql, -1, &s, NULL) != SQLITE_OK)
        st = base_err_set(err, FM_E_IO, "sqlite: %s", sqlite3_errmsg(pool->db));
    sqlite3_free(sql);
    while (st == FM_OK && sqlite3_step(s) == SQLITE_ROW) {
        if (t->cells == NULL) {
            t->row_count = (size_t)sqlite3_column_int64(s, (int)t->column_count);
            t->cells = sql_arena_array(&t->arena, t->row_count * t->column_count, sizeof *t->cells);
            if (t->cells == NULL)
                st = base_err_set(err, FM_E_MEMORY, "memory");
        }
        for (size_t c = 0; st == FM_OK && c < t->column_count; c++)
            st = read_cell(&t->cells[at++], t, &t->columns[c], s, (int)c, err);
    }
    (void)sqlite3_finalize(s);
    return st;
}

/* ---- what its owner would declare ---- */

static int compare_cells(const void *a, const void *b)
{
    const struct pool_cell *x = *(const struct pool_cell *const *)a,
                           *y = *(const struct pool_cell *const *)b;

    if (x->null || y->null)
        return (int)y->null - (int)x->null;
    if (x->text != NULL)
        return strcmp(x->text, y->text);
    return (x->value > y->value) - (x->value < y->value);
}

/* Range and greatest number of rows with one value. */
static fm_status declare(struct pool_table *t, size_t column, struct base_err *err)
{
    struct pool_column *c = &t->columns[column];
    const struct pool_cell **sorted = calloc(t->row_count + 1, sizeof *sorted);
    int64_t run = 0;
    bool any = false;

    if (sorted == NULL)
        return base_err_set(err, FM_E_MEMORY, "memory");
    for (size_t r = 0; r < t->row_count; r++)
        sorted[r] = &t->cells[r * t->column_count + column];
    qsort(sorted, t->row_count, sizeof *sorted, compare_cells);
    c->most = 1;
    for (size_t r = 0; r < t->row_count; r++) {
        if (sorted[r]->null)
            continue;
        c->min = any ? c->min : sorted[r]->value;
        c->max = sorted[r]->value;
        run = any && compare_cells(&sorted[r - 1], &sorted[r]) == 0 ? run + 1 : 1;
        c->most = run > c->most ? run : c->most;
        any = true;
    }
    free(sorted);
    return FM_OK;
}

static fm_status read_columns(struct pool *pool, struct pool_table *t, struct base_err *err)
{
    char *sql = sqlite3_mprintf(
        "SELECT name, type, \"notnull\" OR pk, count(*) OVER () FROM pragma_table_info(%Q, %Q)",
        t->name, t->place);
    fm_status st = FM_OK;
    sqlite3_stmt *s;

    if (sqlite3_prepare_v2(pool->db, sql, -1, &s, NULL) != SQLITE_OK)
        st = base_err_set(err, FM_E_IO, "sqlite: %s", sqlite3_errmsg(pool->db));
    sqlite3_free(sql);
    while (st == FM_OK && sqlite3_step(s) == SQLITE_ROW) {
        struct pool_column *c;
        if (t->columns == NULL)
            t->columns =
                sql_arena_array(&t->arena, (size_t)sqlite3_column_int64(s, 3), sizeof *t->columns);
        if (t->columns == NULL) {
            st = base_err_set(err, FM_E_MEMORY, "memory");
            break;
        }
        c = &t->columns[t->column_count++];
        c->name = sql_arena_text(&t->arena, (const char *)sqlite3_column_text(s, 0));
        c->nullable = sqlite3_column_int(s, 2) == 0;
        st = type_of(&c->type, pool, t, c->name, (const char *)sqlite3_column_text(s, 1), err);
    }
    (void)sqlite3_finalize(s);
    return st;
}

static const char *by_turns(size_t index)
{
    static const char *const members[] = {"bank_a", "bank_b", "bank_c"};

    return members[index % 3];
}

/* One table of the schema `place`, from its name. */
static fm_status read_table(struct pool *pool, const char *place, const char *name,
                            pool_owner *member_of, struct base_err *err)
{
    struct pool_table *tables = realloc(pool->tables, (pool->table_count + 1) * sizeof *tables), *t;
    fm_status st;

    if (tables == NULL)
        return base_err_set(err, FM_E_MEMORY, "memory");
    pool->tables = tables;
    t = &tables[pool->table_count++];
    *t = (struct pool_table){0};
    t->place = sql_arena_text(&t->arena, place);
    t->name = sql_arena_text(&t->arena, name);
    if (strcmp(place, "main") != 0)
        t->member = t->place;
    else
        t->member = member_of != NULL ? member_of(name) : by_turns(pool->table_count);
    st = read_columns(pool, t, err);
    if (st == FM_OK)
        st = read_rows(pool, t, err);
    for (size_t c = 0; st == FM_OK && c < t->column_count; c++)
        st = declare(t, c, err);
    return st;
}

fm_status pool_read(struct pool *pool, pool_owner *member_of, struct base_err *err)
{
    static const char tables[] =
        "SELECT schema, name FROM pragma_table_list WHERE type = 'table' AND schema <> 'temp' "
        "AND name NOT LIKE 'sqlite_%' ORDER BY schema, name";
    fm_status st = FM_OK;
    sqlite3_stmt *s;

    tables_release(pool);
    if (sqlite3_prepare_v2(pool->db, tables, -1, &s, NULL) != SQLITE_OK)
        return base_err_set(err, FM_E_IO, "sqlite: %s", sqlite3_errmsg(pool->db));
    while (st == FM_OK && sqlite3_step(s) == SQLITE_ROW)
        st = read_table(pool, (const char *)sqlite3_column_text(s, 0),
                        (const char *)sqlite3_column_text(s, 1), member_of, err);
    (void)sqlite3_finalize(s);
    return st;
}

static json_t *range_value(const struct data_type *type, int64_t value)
{
    char text[DATA_VALUE_TEXT];

    if (type->kind == DATA_INTEGER && value > -((int64_t)1 << 53) && value < (int64_t)1 << 53)
        return json_integer(value);
    data_value_format(text, type, value);
    return json_string(text);
}

static json_t *column_json(const struct pool_column *c)
{
    char type[DATA_TYPE_TEXT];
    json_t *json;

    data_type_format(type, &c->type);
    json = json_pack("{s:s, s:s, s:b}", "name", c->name, "type", type, "nullable", c->nullable);
    if (c->type.kind != DATA_TEXT && c->type.kind != DATA_BOOLEAN)
        (void)json_object_set_new(
            json, "range",
            json_pack("[o, o]", range_value(&c->type, c->min), range_value(&c->type, c->max)));
    return json;
}

json_t *pool_catalog(const struct pool *pool)
{
    json_t *datasets = json_array();

    for (size_t i = 0; i < pool->table_count; i++) {
        const struct pool_table *t = &pool->tables[i];
        json_t *columns = json_array(), *keys = json_array();
        for (size_t c = 0; c < t->column_count; c++) {
            (void)json_array_append_new(columns, column_json(&t->columns[c]));
            if (json_array_size(keys) < 16)
                (void)json_array_append_new(keys,
                                            json_pack("{s:s, s:I}", "column", t->columns[c].name,
                                                      "max_rows", (json_int_t)t->columns[c].most));
        }
        (void)json_array_append_new(datasets, json_pack("{s:s, s:s, s:i, s:I, s:o, s:o}", "member",
                                                        t->member, "name", t->name, "version", 1,
                                                        "rows", (json_int_t)t->row_count + 3,
                                                        "columns", columns, "keys", keys));
    }
    return json_pack("{s:o}", "datasets", datasets);
}

const struct pool_table *pool_find(const struct pool *pool, const char *member, const char *table)
{
    for (size_t i = 0; i < pool->table_count; i++) {
        if (strcmp(pool->tables[i].member, member) == 0 && strcmp(pool->tables[i].name, table) == 0)
            return &pool->tables[i];
    }
    return NULL;
}
