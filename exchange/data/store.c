#include "exchange/data/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "exchange/data/store_table.h"

enum { TABLES_NAMED = 8 }; /* to whom asks for one that is not there */

/* ---- opening ---- */

static fm_status look_for_schemas(struct data_store *store, struct base_err *err)
{
    sqlite3_stmt *stmt = NULL;
    fm_status st = data_db_prepare(
        &stmt, &store->db,
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'firmiana_schema'", err);

    if (st == FM_OK)
        st = data_db_step(&store->has_schemas, &store->db, stmt, err);
    (void)sqlite3_finalize(stmt);
    return st;
}

/* What to do where there is no database. */
static fm_status no_database(const char *path, fm_status st, struct base_err *err)
{
    if (st == FM_E_IO && access(path, F_OK) != 0 && errno == ENOENT)
        return base_err_set(err, st,
                            "%s: No such file or directory: firmiana dataset import FILE.csv --db "
                            "%s --table NAME makes it",
                            path, path);
    if (st == FM_E_INPUT)
        return base_err_set(err, st,
                            "%s: not a SQLite database: firmiana dataset import makes one of a CSV "
                            "file",
                            path);
    return st;
}

fm_status data_store_open(struct data_store **out, const char *path, struct base_err *err)
{
    struct data_store *store = calloc(1, sizeof *store);
    fm_status st;

    *out = NULL;
    if (store == NULL)
        return base_err_memory(err, path);
    st = data_db_open(&store->db, path, DATA_DB_READ, err);
    if (st != FM_OK) {
        free(store);
        return no_database(path, st, err);
    }
    /* The read transaction that freezes the file begins at the first read after BEGIN. */
    st = data_db_exec(&store->db, "BEGIN", err);
    if (st == FM_OK)
        st = look_for_schemas(store, err);
    if (st != FM_OK) {
        data_store_free(store);
        return st;
    }
    *out = store;
    return FM_OK;
}

void data_store_free(struct data_store *store)
{
    if (store == NULL)
        return;
    data_db_close(&store->db);
    free(store);
}

/* ---- tables ---- */

fm_status data_store_tables(struct data_notes *names, struct data_store *store,
                            struct base_err *err)
{
    sqlite3_stmt *stmt = NULL;
    bool row = true;
    fm_status st =
        data_db_prepare(&stmt, &store->db,
                        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = "
                        "'table' AND wr = 0 ORDER BY name",
                        err);

    memset(names, 0, sizeof *names);
    while (st == FM_OK && row) {
        const char *name;
        st = data_db_step(&row, &store->db, stmt, err);
        if (st != FM_OK || !row)
            break;
        name = (const char *)sqlite3_column_text(stmt, 0);
        if (name == NULL)
            st = base_err_memory(err, store->db.path);
        else if (data_name_valid(name) && strncmp(name, "sqlite_", 7) != 0 &&
                 strncmp(name, "firmiana_", 9) != 0)
            st = data_notes_add(names, err, "%s", name);
    }
    (void)sqlite3_finalize(stmt);
    if (st != FM_OK)
        data_notes_release(names);
    return st;
}

/* A statement with the table's name as its one parameter. */
static fm_status about_table(sqlite3_stmt **out, struct data_store *store, const char *sql,
                             const char *table, struct base_err *err)
{
    fm_status st = data_db_prepare(out, &store->db, sql, err);

    if (st == FM_OK && sqlite3_bind_text(*out, 1, table, -1, SQLITE_STATIC) != SQLITE_OK)
        st = data_db_error(&store->db, err);
    return st;
}

/* With those that there are. */
static fm_status no_table(struct data_store *store, const char *table, struct base_err *err)
{
    struct data_notes names;
    struct base_buf list = {0};
    fm_status st = data_store_tables(&names, store, err);

    if (st != FM_OK)
        return st;
    for (size_t i = 0; i < names.count && i < TABLES_NAMED; i++)
        base_buf_putf(&list, "%s%s", i > 0 ? ", " : ": it has ", names.items[i]);
    if (names.count > TABLES_NAMED)
        base_buf_putf(&list, " and %zu more", names.count - TABLES_NAMED);
    if (names.count == 0)
        base_buf_put_str(&list, ", nor any other: firmiana dataset import makes one");
    st = base_err_set(err, FM_E_NOT_FOUND, "%s: there is no table %s%s", store->db.path, table,
                      base_buf_cstr(&list));
    base_buf_release(&list);
    data_notes_release(&names);
    return st;
}

fm_status data_store_find(struct data_store *store, const char *table, struct base_err *err)
{
    sqlite3_stmt *stmt = NULL;
    bool row = false;
    fm_status st;

    if (!data_name_valid(table))
        return base_err_set(err, FM_E_ARG, "%s: the table's name is not an identifier",
                            store->db.path);
    st = about_table(&stmt, store,
                     "SELECT type, wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1 "
                     "COLLATE NOCASE",
                     table, err);
    if (st == FM_OK)
        st = data_db_step(&row, &store->db, stmt, err);
    if (st == FM_OK && !row)
        st = no_table(store, table, err);
    if (st == FM_OK) {
        const char *type = (const char *)sqlite3_column_text(stmt, 0);
        if (type == NULL)
            st = base_err_memory(err, store->db.path);
        else if (strcmp(type, "table") != 0 || sqlite3_column_int(stmt, 1) != 0)
            st = base_err_set(err, FM_E_UNSUPPORTED,
                              "%s: %s is a view, a virtual table or WITHOUT ROWID: copy it into an "
                              "ordinary table",
                              store->db.path, table);
    }
    (void)sqlite3_finalize(stmt);
    return st;
}

/* ---- schemas ---- */

static fm_status parse_stored(struct data_schema *out, const struct data_store *store,
                              const char *table, const char *text, size_t len, struct base_err *err)
{
    json_t *json = NULL;
    fm_status st = base_json_parse_canonical(&json, text, len, err);

    if (st == FM_OK)
        st = data_schema_from_json(out, json, err);
    json_decref(json);
    if (st == FM_OK || st == FM_E_MEMORY)
        return st;
    (void)base_err_prefix(err, "%s: the stored schema of %s", store->db.path, table);
    err->code = FM_E_CORRUPT;
    return FM_E_CORRUPT;
}

fm_status data_store_stored(struct data_schema *out, enum data_origin *origin, bool *found,
                            struct data_store *store, const char *table, struct base_err *err)
{
    sqlite3_stmt *stmt = NULL;
    fm_status st;

    memset(out, 0, sizeof *out);
    *found = false;
    if (!store->has_schemas)
        return FM_OK;
    st = about_table(
        &stmt, store,
        "SELECT schema, origin FROM firmiana_schema WHERE table_name = ?1 COLLATE NOCASE", table,
        err);
    if (st == FM_OK)
        st = data_db_step(found, &store->db, stmt, err);
    if (st == FM_OK && *found) {
        const char *text = (const char *)sqlite3_column_text(stmt, 0);
        const char *word = (const char *)sqlite3_column_text(stmt, 1);
        *origin = word != NULL && strcmp(word, "declared") == 0 ? DATA_DECLARED : DATA_INFERRED;
        st = parse_stored(out, store, table, text != NULL ? text : "",
                          (size_t)sqlite3_column_bytes(stmt, 0), err);
    }
    (void)sqlite3_finalize(stmt);
    return st;
}

fm_status data_store_describe(struct data_notes *notes, const struct data_schema *schema,
                              const char *table, struct base_err *err)
{
    char type[DATA_TYPE_TEXT], least[DATA_VALUE_TEXT], greatest[DATA_VALUE_TEXT];
    fm_status st = data_notes_add(notes, err,
                                  "%s: no schema is declared: row count %lld, types and ranges are "
                                  "taken from its rows",
                                  table, (long long)schema->rows);

    for (size_t i = 0; st == FM_OK && i < schema->column_count; i++) {
        const struct data_column *c = &schema->columns[i];
        const char *null = c->nullable ? ", with NULL" : "";
        data_type_format(type, &c->type);
        if (c->type.kind == DATA_TEXT || c->type.kind == DATA_BOOLEAN) {
            st = data_notes_add(notes, err, "%s.%s: %s%s", table, c->name, type, null);
            continue;
        }
        data_value_format(least, &c->type, c->min);
        data_value_format(greatest, &c->type, c->max);
        st = data_notes_add(notes, err, "%s.%s: %s from %s to %s%s", table, c->name, type, least,
                            greatest, null);
    }
    return st;
}

fm_status data_store_schema(struct data_schema *out, enum data_origin *origin,
                            struct data_notes *notes, struct data_store *store, const char *table,
                            struct base_err *err)
{
    bool found = false;
    fm_status st;

    memset(out, 0, sizeof *out);
    memset(notes, 0, sizeof *notes);
    st = data_store_find(store, table, err);
    if (st == FM_OK)
        st = data_store_stored(out, origin, &found, store, table, err);
    if (st == FM_OK && !found) {
        *origin = DATA_PLAIN;
        st = data_store_derive(out, notes, store, table, err);
    } else if (st == FM_OK && *origin == DATA_INFERRED) {
        st = data_store_measure(out, notes, store, table, err);
    }
    if (st != FM_OK)
        data_schema_release(out);
    return st;
}
